//! Of which kind a file is, by its beginning and its name.

use crate::artefact::{ArtefactKind, BAG_FILES, MANIFEST_SCHEMA};
use crate::conclusion::{CAUSE_AND_EFFECT, Question};
use crate::console::{self, Rageshake};
use crate::query;
use crate::synapse_log::{is_loki_export, parse_line};

/// How the names of documents end.
const DOCUMENTS: [&str; 4] = [".md", ".html", ".htm", ".svg"];

impl ArtefactKind {
    /// Tells a file's kind by its first [`HEAD_BYTES`](crate::artefact::HEAD_BYTES), unpacked, and its name.
    ///
    /// ```
    /// use crypto_diag_triage::artefact::ArtefactKind;
    ///
    /// assert_eq!(ArtefactKind::guess("a.json", br#"{ "schema": "crypto-diag/report""#), ArtefactKind::Report);
    /// assert_eq!(ArtefactKind::guess("call.json", br#"{"log":{"version":"1.2","creator":{"#), ArtefactKind::Har);
    /// ```
    pub fn guess(name: &str, head: &[u8]) -> ArtefactKind {
        let file = name.rsplit(['/', '\\']).next().unwrap_or(name).to_ascii_lowercase();
        let has = |words: &str| memchr::memmem::find(head, words.as_bytes()).is_some();
        let start = head.trim_ascii_start();
        let is_json = matches!(start.first(), Some(b'{' | b'['));
        // The content tells.
        if is_json && has(crate::SCHEMA_NAME) {
            return ArtefactKind::Other;
        }
        if is_json && has(MANIFEST_SCHEMA) {
            return ArtefactKind::Manifest;
        }
        if is_json && (has(crypto_diag_core::SCHEMA_NAME) || has("\"linesMatched\"")) {
            return ArtefactKind::Report;
        }
        if start.starts_with(b"{") && has("\"log\"") && (has("\"creator\"") || has("\"entries\"")) {
            return ArtefactKind::Har;
        }
        // Documents quote lines, and so do this program's own answers: nothing is evidence of itself.
        let is_document = DOCUMENTS.iter().any(|end| file.ends_with(end));
        if is_document || BAG_FILES.contains(&&*file) || is_answer(head) {
            return ArtefactKind::Other;
        }
        if Rageshake::is_one(name, head) {
            return ArtefactKind::Rageshake;
        }
        if has_log_line(head) {
            return ArtefactKind::ServerLog;
        }
        if console::has_form(head) {
            return ArtefactKind::Console;
        }
        if is_json && has("\"status\"") && has("\"resultType\"") {
            return ArtefactKind::Latency;
        }
        // The name breaks ties. A tool that sorts keys moves a report's schema behind its entries.
        if start.starts_with(b"{") && (file.ends_with("report.json") || file.contains("crypto-diag-")) {
            return ArtefactKind::Report;
        }
        if file == "label.json" || file.ends_with(".jsonl") {
            return ArtefactKind::Other;
        }
        if file.ends_with(".har") {
            return ArtefactKind::Har;
        }
        if query::has_table(head) {
            return ArtefactKind::QueryResults;
        }
        if !is_json && console::has_lines(head) {
            return ArtefactKind::Console;
        }
        if file.ends_with(".log") || file.contains(".log.") {
            return ArtefactKind::ServerLog;
        }
        let is_table = ["key_id", "device_id", "event_id", "stream_id", "\"rows\""].iter().any(|column| has(column));
        if is_table || file.ends_with(".csv") { ArtefactKind::QueryResults } else { ArtefactKind::Other }
    }
}

/// Whether one of the first lines is of a homeserver's log; a slice may start inside of a traceback, and what compose prints of a
/// whole stack with its database's lines.
fn has_log_line(head: &[u8]) -> bool {
    is_loki_export(head) || head.split(|byte| *byte == b'\n').any(|line| parse_line(line).is_some())
}

/// Whether a text with this beginning is an answer of this program for people.
fn is_answer(head: &[u8]) -> bool {
    let mut words = Question::ALL.into_iter().map(Question::text).chain([CAUSE_AND_EFFECT]);
    words.any(|words| memchr::memmem::find(head, words.as_bytes()).is_some())
}

/// Files that bundles have and that say nothing here: notes, and answers of this program.
pub(crate) fn is_expected(name: &str, head: &[u8]) -> bool {
    let file = name.rsplit('/').next().unwrap_or(name);
    file == "label.json"
        || BAG_FILES.contains(&file)
        || [".jsonl", ".html", ".md", ".svg"].iter().any(|end| file.ends_with(end))
        || memchr::memmem::find(head, crate::SCHEMA_NAME.as_bytes()).is_some()
        || is_answer(head)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn kinds_are_told_by_content_and_name() {
        let kinds: [(&str, &[u8], ArtefactKind); 9] = [
            (
                "homeserver.log.1",
                b"  File \"x\"\n2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n",
                ArtefactKind::ServerLog,
            ),
            ("log.json", br#"{"log":"m","namespace":"synapse.a","level":"INFO","time":1.0}"#, ArtefactKind::ServerLog),
            ("queries.json", br#"[{"name":"devices","rows":[]}]"#, ArtefactKind::QueryResults),
            ("otk.csv", b"a,b\n", ArtefactKind::QueryResults),
            ("pasted.txt", b" device_id | pending\n---+---\n", ArtefactKind::QueryResults),
            ("x.har", b"{", ArtefactKind::Har),
            ("m.json", br#"{"schema":"crypto-diag/bundle"}"#, ArtefactKind::Manifest),
            ("p99.json", br#"{"status":"success","data":{"resultType":"matrix"}}"#, ArtefactKind::Latency),
            ("label.json", b"{}", ArtefactKind::Other),
        ];
        for (name, head, kind) in kinds {
            assert_eq!(ArtefactKind::guess(name, head), kind, "{name}");
        }
    }
}

//! All artefacts of one capture: told apart, read, and labelled.

mod kind;
#[cfg(feature = "artefacts")]
mod read;

use crypto_diag_analysis::Report;
use crypto_diag_core::{CallFacts, Clean, redact};
use crypto_diag_server_log::is_media_hash;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::artefact::ArtefactKind;
use crate::console::Rageshake;
use crate::har::Har;
use crate::latency::Latency;
use crate::minimal::Minimal;
use crate::problem::Problem;
use crate::query::QueryResults;
use crate::synapse_log::{LogOptions, MediaLog, ServerLog};
pub(crate) use kind::is_expected;

/// A file of the bundle.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Artefact {
    /// Its name in the bundle.
    pub name: Clean,
    /// Its kind.
    pub kind: ArtefactKind,
    /// Whether something of it could be read and is used.
    pub used: bool,
}

/// `manifest.json`: what `crypto-diag collect` writes beside what it gathered.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Manifest {
    /// [`MANIFEST_SCHEMA`].
    pub schema: String,
    /// The version of this shape: 1.
    pub schema_version: u32,
    /// What wrote it.
    pub tool: String,
    /// The tool's version.
    pub version: String,
    /// The call's start, in milliseconds since the epoch, which names the folder.
    pub from: Option<i64>,
    /// The call's end.
    pub to: Option<i64>,
    /// Minutes that the server's local time is ahead of UTC, if it was stated.
    pub zone_minutes: Option<i32>,
    /// The files.
    pub files: Vec<ManifestFile>,
    /// What the sources could have shown, free in form.
    pub coverage: Value,
    /// What was refused and why.
    pub refused: Vec<Refusal>,
    /// What was left out of it on purpose, if it is a part of another hand-off.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub minimal: Option<Minimal>,
}

/// A file in the manifest.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ManifestFile {
    /// Its name, relative to the manifest.
    pub name: String,
    /// Its kind.
    pub kind: Option<ArtefactKind>,
    /// Bytes.
    pub size: u64,
    /// SHA-256, in hexadecimal.
    pub sha256: String,
}

/// Something that was not taken into the bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Refusal {
    /// What.
    pub what: String,
    /// Why.
    pub why: String,
}

/// Artefacts of one kind beside reports.
#[cfg(feature = "artefacts")]
pub type Others<T> = Vec<T>;

/// None, by the type: a page that has nothing but reports need not load what looks at anything else, and the compiler leaves out
/// what goes through a list of no elements.
#[cfg(not(feature = "artefacts"))]
pub type Others<T> = [T; 0];

/// All artefacts, read. Give them in the order of [`ArtefactKind::order`]: reports name the events that a HAR is searched
/// for, and HARs the requests that a log is searched for.
#[derive(Clone, Debug, Default)]
pub struct Bundle {
    /// Every file that was given.
    pub artefacts: Vec<Artefact>,
    /// The reports.
    pub reports: Vec<Report>,
    /// Their names, one for one.
    pub report_names: Vec<String>,
    /// What rageshakes say of themselves.
    pub rageshakes: Others<Rageshake>,
    /// The HARs.
    pub hars: Others<Har>,
    /// The server's logs.
    pub logs: Others<ServerLog>,
    /// The logs of the media side of calls: SFUs, and what gives out tokens for them.
    pub media: Others<MediaLog>,
    /// The query results.
    pub queries: Others<QueryResults>,
    /// Latency from Prometheus.
    pub latency: Others<Latency>,
    /// The manifest, if there is one.
    pub manifest: Option<Manifest>,
    /// What could not be read.
    pub problems: Vec<Problem>,
    /// How logs are read.
    pub log_options: LogOptions,
}

impl Bundle {
    /// A bundle without artefacts.
    pub fn new() -> Self {
        Bundle::default()
    }

    /// A bundle of reports that have been read, each with its name. It needs none of the readers of everything else.
    pub fn of_reports(reports: impl IntoIterator<Item = (String, Report)>) -> Bundle {
        let mut bundle = Bundle::new();
        for (name, report) in reports {
            bundle.push_report(&name, report);
            bundle.artefacts.push(Artefact { name: name.into(), kind: ArtefactKind::Report, used: true });
        }
        bundle
    }

    /// Takes a report that has been read, and each of its earlier pages as a report of its own.
    pub(crate) fn push_report(&mut self, name: &str, mut report: Report) {
        let earlier = std::mem::take(&mut report.earlier);
        self.push_page(name.to_owned(), report);
        for (number, page) in (1..).zip(earlier) {
            self.push_page(earlier_page_name(name, number), page);
        }
    }

    /// Takes what is known of one page. An earlier page may be known already, by its own report or by that of another page after it: what
    /// was made later holds what was made before.
    fn push_page(&mut self, name: String, mut report: Report) {
        close(&mut report);
        let holds = |later: &Report, earlier: &Report| {
            earlier.is_of_earlier_page() && later.is_of_same_page(earlier) && later.generated_at >= earlier.generated_at
        };
        if self.reports.iter().any(|known| holds(known, &report)) {
            return;
        }
        let (reports, names) = (std::mem::take(&mut self.reports), std::mem::take(&mut self.report_names));
        let kept = reports.into_iter().zip(names).filter(|(known, _)| !holds(&report, known));
        (self.reports, self.report_names) = kept.unzip();
        self.reports.push(report);
        self.report_names.push(name);
    }

    /// The same without the earlier pages that reports hold, for whoever asks what came after them.
    #[must_use]
    pub fn without_earlier_pages(mut self) -> Bundle {
        let (reports, names) = (std::mem::take(&mut self.reports), std::mem::take(&mut self.report_names));
        let kept = reports.into_iter().zip(names).filter(|(report, _)| !report.is_of_earlier_page());
        (self.reports, self.report_names) = kept.unzip();
        self
    }

    /// Whether anything could be read at all.
    pub fn is_usable(&self) -> bool {
        self.artefacts.iter().any(|artefact| artefact.used && artefact.kind != ArtefactKind::Manifest)
    }
}

/// What an earlier page of a report is called, counted from 1, the oldest first.
pub fn earlier_page_name(report: &str, number: usize) -> String {
    format!("{report}, earlier page {number} of its tab")
}

/// Closes what a report says of itself, once more: it may come from an earlier version of this program, or from somebody's
/// hands, and every statement is made of it. Its lines were closed as they were read.
fn close(report: &mut Report) {
    let texts = [
        &mut report.user_id,
        &mut report.device_id,
        &mut report.sync_state,
        &mut report.sdk_version,
        &mut report.crypto_version,
        &mut report.user_agent,
    ];
    let labels = report.marks.iter_mut().map(|mark| &mut mark.label);
    texts.into_iter().flatten().chain(labels).for_each(|text| *text = redact(text).text.into());
    if let Some(call) = &mut report.call {
        close_call(call);
    }
}

/// The same of a call. A participant's hash and its session at the media server look like secrets, and are known by their form.
fn close_call(call: &mut CallFacts) {
    let CallFacts { streams, omitted: _, session, facts } = call;
    let streams = streams.iter_mut().flat_map(|stream| {
        [&mut stream.path, &mut stream.connection_state, &mut stream.mid, &mut stream.participant_sid]
    });
    let facts = facts.iter_mut().flat_map(|fact| [&mut fact.participant, &mut fact.participant_sid]);
    let (room, members) = match session {
        Some(session) => (Some(&mut session.room_id), session.memberships.as_mut_slice()),
        None => (None, Default::default()),
    };
    let members = members
        .iter_mut()
        .flat_map(|member| [&mut member.user_id, &mut member.device_id, &mut member.participant, &mut member.focus]);
    let texts = streams.chain(facts).chain(room).chain(members).flatten();
    for text in texts.filter(|text| !is_media_hash(text) && !is_participant_sid(text)) {
        *text = redact(text).text.into();
    }
}

/// Whether something is a participant's session as LiveKit's server names it: `PA_` and some letters and digits.
fn is_participant_sid(text: &str) -> bool {
    text.strip_prefix("PA_")
        .is_some_and(|rest| rest.len() <= 32 && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_used_is_named_and_the_rest_is_used() {
        let mut bundle = Bundle::new();
        bundle.add("a.json", Some(ArtefactKind::Report), &b"{"[..]);
        bundle.add("b.json", Some(ArtefactKind::Report), &b"{\"schema\":\"other\"}"[..]);
        assert!(!bundle.is_usable());
        assert_eq!(bundle.problems.len(), 2);
        bundle.add("c.log", None, &b"2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n"[..]);
        assert!(bundle.is_usable());
    }

    /// A report with earlier pages: when each began, and when it was stored.
    fn with_earlier(made: u64, began: u64, earlier: &[(u64, u64)]) -> String {
        let pages = earlier.iter().map(|(began, stored)| {
            serde_json::json!({"timeOrigin": began, "storedAt": stored, "userId": "@a:x", "deviceId": "A", "tallies": [], "entries": []})
        });
        let pages: Vec<Value> = pages.collect();
        serde_json::json!({
            "schema": "crypto-diag/report", "schemaVersion": 1, "generatedAt": made, "userId": "@a:x", "deviceId": "A",
            "capture": {"timeOrigin": began}, "entries": [], "earlierPages": pages,
        })
        .to_string()
    }

    #[test]
    fn each_page_is_known_once_by_what_was_made_last_of_it() {
        let first = with_earlier(1_500, 1_000, &[]);
        let second = with_earlier(2_500, 2_000, &[(1_000, 1_900)]);
        let third = with_earlier(3_500, 3_000, &[(1_000, 1_900), (2_000, 2_400)]);
        for order in [[&first, &second, &third], [&third, &second, &first], [&second, &third, &first]] {
            let mut bundle = Bundle::new();
            for (name, text) in ["a.json", "b.json", "c.json"].iter().zip(order) {
                bundle.add(name, Some(ArtefactKind::Report), text.as_bytes());
            }
            let earlier: Vec<u64> = bundle
                .reports
                .iter()
                .filter(|page| page.is_of_earlier_page())
                .map(|page| page.generated_at.0)
                .collect();
            // The first page was stored after its report was made; the second made its report after it was stored.
            assert_eq!(earlier, [1_900]);
            assert_eq!((bundle.reports.len(), bundle.report_names.len()), (4, 4));
            assert_eq!(bundle.without_earlier_pages().reports.len(), 3);
        }
    }
}

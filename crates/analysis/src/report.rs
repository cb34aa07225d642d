//! The parts of a report that analysis reads.
//!
//! Reports come from other versions of this project, and from people who cut them down by hand. So a part that does not
//! read is taken as not there (and absence proves nothing), while the place of every entry stays what it was.

use std::fmt;

use crypto_diag_core::{
    Capture, CaptureState, Clock, CryptoFacts, DeviceKeys, Entry, KnownDevice, Meaning, Millis, SCHEMA_NAME,
    SCHEMA_VERSION, SentBatch, Storage,
};
use serde::de::DeserializeOwned;
use serde::{Deserialize, Deserializer};
use serde_json::Value;

/// Changes of the page that a capture keeps (`crates/wasm/js/page.js`): a full list may have lost older ones.
const PAGE_EVENTS_MAX: usize = 100;

/// A report, as far as analysis needs it. [`Report::from_json`] makes one from what the user downloaded.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Report {
    /// When the report was made, in milliseconds since the epoch.
    #[serde(deserialize_with = "lenient")]
    pub generated_at: Millis,
    /// The user id; null where no client was asked.
    #[serde(deserialize_with = "lenient")]
    pub user_id: Option<String>,
    /// The device id; null where no client was asked.
    #[serde(deserialize_with = "lenient")]
    pub device_id: Option<String>,
    /// What `mx.getSyncState()` gave.
    #[serde(deserialize_with = "lenient")]
    pub sync_state: Option<String>,
    /// How the capture fared: without it, absence proves nothing.
    #[serde(deserialize_with = "lenient")]
    pub capture: Capture,
    /// The exact counts of each (KE, meaning) class.
    #[serde(deserialize_with = "lenient_list")]
    pub tallies: Vec<Option<Tally>>,
    /// Batches of encrypted to-device messages that this client sent.
    #[serde(deserialize_with = "lenient_list")]
    pub sent: Vec<Option<SentBatch>>,
    /// The kept lines in the report's own order; `None` where one does not read, so that indexes stay true.
    #[serde(deserialize_with = "lenient_list")]
    pub entries: Vec<Option<Entry>>,
    /// What the client's crypto layer said.
    #[serde(deserialize_with = "lenient")]
    pub crypto: Option<CryptoFacts>,
    /// What the browser said of its storage.
    #[serde(deserialize_with = "lenient")]
    pub storage: Option<Storage>,
    /// What is needed to put server logs on the page's clock.
    #[serde(deserialize_with = "lenient")]
    pub clock: Option<Clock>,
}

/// The count of one class, read without demanding that its family or meaning is known.
#[derive(Clone, Debug, Default, Deserialize)]
pub struct Tally {
    /// The family's id, such as `KE-2`.
    pub ke: String,
    /// The meaning's word, such as `delivered`.
    pub meaning: String,
    /// Lines counted.
    pub total: u64,
}

/// Why something is no report.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ReportError {
    /// The text is not JSON; where it stops being so.
    NotJson {
        /// Counted from 1.
        line: usize,
        /// Counted from 1.
        column: usize,
    },
    /// JSON, but its `schema` is not that of a report.
    NotAReport {
        /// The `schema` that it has.
        schema: Option<String>,
    },
    /// A report of a later version, whose fields may mean something else.
    TooNew {
        /// Its `schemaVersion`.
        version: u64,
    },
}

impl fmt::Display for ReportError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            ReportError::NotJson { line, column } => {
                write!(
                    f,
                    "this is not JSON: it breaks at line {line}, column {column}; give the file as it was downloaded"
                )
            }
            ReportError::NotAReport { schema: Some(schema) } => {
                write!(f, "this is JSON of another kind ({schema:?}); a report has the schema {SCHEMA_NAME:?}")
            }
            ReportError::NotAReport { schema: None } => {
                write!(f, "this JSON names no schema; a report has the schema {SCHEMA_NAME:?}")
            }
            ReportError::TooNew { version } => {
                write!(
                    f,
                    "the report has version {version}, this program knows up to {SCHEMA_VERSION}; take a newer one"
                )
            }
        }
    }
}

impl std::error::Error for ReportError {}

impl Report {
    /// Reads a report.
    ///
    /// # Errors
    /// If the text is not JSON, no report, or a report of a version that this program does not know.
    pub fn from_json(text: &str) -> Result<Report, ReportError> {
        let value: Value = serde_json::from_str(text)
            .map_err(|error| ReportError::NotJson { line: error.line(), column: error.column() })?;
        Report::from_value(value)
    }

    /// Reads a report that has already been parsed.
    ///
    /// # Errors
    /// As [`Report::from_json`].
    pub fn from_value(value: Value) -> Result<Report, ReportError> {
        let schema = value.get("schema").and_then(Value::as_str);
        if schema != Some(SCHEMA_NAME) {
            return Err(ReportError::NotAReport { schema: schema.map(str::to_owned) });
        }
        let version = value.get("schemaVersion").and_then(Value::as_u64).unwrap_or(1);
        if version > u64::from(SCHEMA_VERSION) {
            return Err(ReportError::TooNew { version });
        }
        // Every field above is lenient, so an object always reads.
        Ok(Report::deserialize(value).unwrap_or_default())
    }

    /// The entries that read, each with its index in the report.
    pub fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
    }

    /// The batches that read.
    pub fn sent(&self) -> impl Iterator<Item = &SentBatch> {
        self.sent.iter().flatten()
    }

    /// The devices that the client knows.
    pub fn devices(&self) -> impl Iterator<Item = &KnownDevice> {
        self.crypto.iter().flat_map(|crypto| &crypto.devices)
    }

    /// The device's own public keys.
    pub fn own_keys(&self) -> Option<&DeviceKeys> {
        self.crypto.as_ref()?.own_device_keys.as_ref()
    }

    /// Lines counted of a class, kept or not.
    pub fn tally(&self, ke: &str, meaning: Meaning) -> u64 {
        let of_class = |tally: &&Tally| tally.ke == ke && tally.meaning == meaning.word();
        self.tallies.iter().flatten().filter(of_class).map(|tally| tally.total).sum()
    }

    /// Whether every line that says "a media key was opened" since capture began is among the entries, so that its
    /// absence says something. Healthy lines are the first that the bounded buffer gives up.
    pub fn deliveries_complete(&self) -> bool {
        let kept = self.entries().filter(|(_, entry)| entry.meaning == Meaning::Delivered).count() as u64;
        let capture = &self.capture;
        capture.state == CaptureState::Capturing
            && kept == self.tally("KE-2", Meaning::Delivered)
            && self.entries.iter().all(Option::is_some)
            && capture.queue_overflow == 0
            && capture.unreadable == 0
            && capture.nested == 0
            && capture.partly_scanned == 0
            && capture.failures.is_empty()
            && capture.hooks.iter().any(|hook| hook.method == "warn" && hook.in_place)
    }

    /// Whether the page was hidden, frozen or offline at some time in `from..=to`; `None` if the capture cannot say. It
    /// notes at its start only if the page is hidden then, so that no note means visible.
    pub fn was_held_up(&self, from: Millis, to: Millis) -> Option<bool> {
        let changes = &self.capture.page_events;
        let seen_all = changes.len() < PAGE_EVENTS_MAX && self.capture.installed_at.is_some_and(|at| at <= from);
        let mut hidden = seen_all.then_some(false);
        let mut frozen = hidden;
        let mut offline = hidden;
        for change in changes.iter().filter(|change| change.ts <= to) {
            let (state, now) = match change.event.as_str() {
                "hidden" | "pagehide" => (&mut hidden, true),
                "visible" | "pageshow" => (&mut hidden, false),
                "freeze" => (&mut frozen, true),
                "resume" => (&mut frozen, false),
                "offline" => (&mut offline, true),
                "online" => (&mut offline, false),
                _ => continue,
            };
            if change.ts >= from && (now || *state == Some(true)) {
                return Some(true);
            }
            *state = Some(now);
        }
        let states = [hidden, frozen, offline];
        if states.contains(&Some(true)) {
            return Some(true);
        }
        states.iter().all(Option::is_some).then_some(false)
    }
}

fn lenient<'de, D: Deserializer<'de>, T: DeserializeOwned + Default>(from: D) -> Result<T, D::Error> {
    Ok(serde_json::from_value(Value::deserialize(from)?).unwrap_or_default())
}

fn lenient_list<'de, D: Deserializer<'de>, T: DeserializeOwned>(from: D) -> Result<Vec<Option<T>>, D::Error> {
    let Value::Array(items) = Value::deserialize(from)? else { return Ok(Vec::new()) };
    Ok(items.into_iter().map(|item| serde_json::from_value(item).ok()).collect())
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::PageEvent;

    use super::*;

    #[test]
    fn a_broken_part_is_absent_and_the_rest_stays() {
        let text = r#"{"schema":"crypto-diag/report","schemaVersion":1,"deviceId":7,"userId":"@a:b","sent":null,
            "entries":[{"ts":"no"},
            {"ts":1,"level":"warn","ke":"KE-1","signature":"already exists","message":"m","meaning":"unrelated"}]}"#;
        let report = Report::from_json(text).unwrap();
        assert_eq!(report.device_id, None);
        assert_eq!(report.user_id.as_deref(), Some("@a:b"));
        let indexes: Vec<usize> = report.entries().map(|(index, _)| index).collect();
        assert_eq!(indexes, [1], "the place of an entry is its place in the file");
    }

    #[test]
    fn what_is_no_report_is_refused_by_name() {
        assert_eq!(Report::from_json("{\n x").unwrap_err(), ReportError::NotJson { line: 2, column: 2 });
        let other = Report::from_json(r#"{"schema":"har"}"#).unwrap_err();
        assert_eq!(other, ReportError::NotAReport { schema: Some("har".into()) });
        assert!(other.to_string().contains("crypto-diag/report"));
        let newer = Report::from_json(r#"{"schema":"crypto-diag/report","schemaVersion":99}"#).unwrap_err();
        assert_eq!(newer, ReportError::TooNew { version: 99 });
    }

    #[test]
    fn a_page_is_awake_only_where_the_capture_watched_it() {
        let mut report = Report::default();
        let held_up = |report: &Report, from, to| report.was_held_up(Millis(from), Millis(to));
        assert_eq!(held_up(&report, 20, 30), None, "no capture");
        report.capture.installed_at = Some(Millis(25));
        assert_eq!(held_up(&report, 20, 30), None, "installed later");
        report.capture.installed_at = Some(Millis(10));
        assert_eq!(held_up(&report, 20, 30), Some(false));
        let event = |ts, event: &str| PageEvent { ts: Millis(ts), event: event.into() };
        report.capture.page_events = vec![event(40, "hidden"), event(50, "visible"), event(70, "offline")];
        assert_eq!(held_up(&report, 20, 30), Some(false));
        assert_eq!(held_up(&report, 45, 46), Some(true), "it was hidden all the time");
        assert_eq!(held_up(&report, 45, 60), Some(true), "it was hidden at first");
        assert_eq!(held_up(&report, 55, 60), Some(false));
        assert_eq!(held_up(&report, 80, 90), Some(true), "it is still offline");
        report.capture.page_events = vec![event(1, "online"); PAGE_EVENTS_MAX];
        assert_eq!(held_up(&report, 20, 30), None, "older changes may be lost");
    }

    #[test]
    fn nothing_is_complete_by_default() {
        assert!(!Report::default().deliveries_complete());
        assert_eq!(Report::default().was_held_up(Millis(0), Millis(1)), None);
    }
}

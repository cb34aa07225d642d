//! The parts of a report that analysis reads.
//!
//! Reports come from other versions of this project, and from people who cut them down by hand. So a part that does not
//! read is taken as not there (and absence proves nothing), while the place of every entry stays what it was.

use std::fmt;

use crypto_diag_core::{
    CallFacts, Capture, CryptoFacts, DeviceKeys, Entry, Ke, KnownDevice, Mark, Meaning, Millis, Requests, SentBatch,
    ServerMinusPage,
};
use crypto_diag_core::{SCHEMA_NAME, SCHEMA_VERSION};
use serde_json::Value;

pub use crate::fields::ClassCount;
use crate::fields::{self, list, number, text};

/// Changes of the page that a capture keeps (`pkg/src/capture/page.js`): a full list may have lost older ones.
const PAGE_EVENTS_MAX: usize = 100;

/// Entries that are read; what a file holds beyond them is counted as unreadable. A report has 200 at most, and groups
/// are looked for one by one.
pub const ENTRIES_READ_MAX: usize = 2_000;

/// Marks that are read; a page keeps fewer (`pkg/src/capture/marks.js`).
const MARKS_READ_MAX: usize = 500;

/// Earlier pages that are read; a page keeps three (`pkg/src/keep/store.js`).
const EARLIER_READ_MAX: usize = 16;

/// What a report was made of.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Origin {
    /// A capture in a page, which says what it watched and what it missed.
    #[default]
    Capture,
    /// A console that somebody saved: nothing says which lines it lacks.
    SavedConsole {
        /// When its first message was printed; `None` if its messages have no times.
        from: Option<Millis>,
        /// When the last.
        to: Option<Millis>,
    },
    /// What a page stored of itself before it was left or killed: it may lack its last lines, and says nothing of its capture.
    EarlierPage,
}

/// A report, as far as analysis needs it. [`Report::from_json`] makes one from what the user downloaded.
#[derive(Clone, Debug, Default)]
pub struct Report {
    /// What it was made of.
    pub origin: Origin,
    /// When the report was made, or the page stored, in milliseconds since the epoch.
    pub generated_at: Millis,
    /// The user id; `None` where no client was asked.
    pub user_id: Option<String>,
    /// The device id; `None` where no client was asked.
    pub device_id: Option<String>,
    /// matrix-js-sdk's version, as the app passed it.
    pub sdk_version: Option<String>,
    /// What `mx.getCrypto().getVersion()` says.
    pub crypto_version: Option<String>,
    /// `navigator.userAgent`.
    pub user_agent: Option<String>,
    /// What `mx.getSyncState()` gave.
    pub sync_state: Option<String>,
    /// How the capture fared: without it, absence proves nothing.
    pub capture: Capture,
    /// Milliseconds by which the page's wall clock was set since its navigation began; `None` if the report does not say.
    pub clock_offset_ms: Option<f64>,
    /// The homeserver's clock less the page's; `None` if the report does not say, or says what cannot be.
    pub server_minus_page: Option<ServerMinusPage>,
    /// Lines seen of each family, in the order of [`Ke::ALL`], whatever they mean; `None` if the report has no counts.
    pub counts: Option<[u64; Ke::ALL.len()]>,
    /// The exact counts of each (KE, meaning) class; `None` if the report has none.
    pub tallies: Option<Vec<ClassCount>>,
    /// Batches of encrypted to-device messages that this client sent.
    pub sent: Vec<SentBatch>,
    /// Moments that the user marked.
    pub marks: Vec<Mark>,
    /// The page's requests as the browser measured them; `None` where none were observed.
    pub requests: Option<Requests>,
    /// The kept lines in the report's own order; `None` where one does not read, so that indexes stay true.
    pub entries: Vec<Option<Entry>>,
    /// Whether the report has a list of entries at all.
    pub has_entries: bool,
    /// What the client's crypto layer said; `None` unless `collectReport` made the report.
    pub crypto: Option<CryptoFacts>,
    /// The call in the page's frames; `None` unless `collectReport` made the report of a page with a call.
    pub call: Option<CallFacts>,
    /// What `collectReport` asked in vain, such as `getTransceivers`.
    pub unanswered: Vec<String>,
    /// Whether the browser has promised not to evict the origin's storage.
    pub storage_persisted: Option<bool>,
    /// Pages that were open in the tab before, each as a report of its own, oldest first.
    pub earlier: Vec<Report>,
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
        Report::from_value(&value)
    }

    /// Reads a report that has already been parsed.
    ///
    /// # Errors
    /// As [`Report::from_json`].
    pub fn from_value(report: &Value) -> Result<Report, ReportError> {
        let schema = text(report, "schema");
        if schema.as_deref() != Some(SCHEMA_NAME) {
            return Err(ReportError::NotAReport { schema });
        }
        let version = number(report, "schemaVersion").unwrap_or(1);
        if version > u64::from(SCHEMA_VERSION) {
            return Err(ReportError::TooNew { version });
        }
        let entries = list(report, "entries");
        let read = entries.iter().enumerate().map(
            |(index, entry)| {
                if index < ENTRIES_READ_MAX { fields::entry(entry) } else { None }
            },
        );
        Ok(Report {
            origin: Origin::Capture,
            generated_at: fields::millis(report, "generatedAt").unwrap_or_default(),
            user_id: text(report, "userId"),
            device_id: text(report, "deviceId"),
            sdk_version: text(report, "sdkVersion"),
            crypto_version: text(report, "cryptoVersion"),
            user_agent: text(report, "userAgent"),
            sync_state: text(report, "syncState"),
            capture: fields::capture(&report["capture"]),
            clock_offset_ms: report["clock"]["offset"].as_f64(),
            server_minus_page: fields::server_minus_page(&report["clock"]["serverMinusPage"]),
            counts: fields::counts(&report["counts"]),
            tallies: report["tallies"].as_array().map(|rows| rows.iter().filter_map(fields::tally).collect()),
            sent: list(report, "sent").iter().filter_map(fields::batch).collect(),
            marks: list(report, "marks").iter().take(MARKS_READ_MAX).filter_map(fields::mark).collect(),
            requests: fields::requests(&report["requests"]),
            entries: read.collect(),
            has_entries: report["entries"].is_array(),
            crypto: fields::crypto(&report["crypto"]),
            call: fields::call(&report["call"]),
            unanswered: list(report, "unanswered")
                .iter()
                .map(|row| text(row, "question").unwrap_or_default())
                .collect(),
            storage_persisted: report["storage"]["persisted"].as_bool(),
            earlier: list(report, "earlierPages")
                .iter()
                .filter(|page| page.is_object())
                .take(EARLIER_READ_MAX)
                .map(|page| Report::of_earlier_page(page, text(report, "userAgent")))
                .collect(),
        })
    }

    /// What is known of an earlier page. Of its capture that is when the page began and nothing else, so that nothing follows from
    /// what it does not say.
    fn of_earlier_page(page: &Value, user_agent: Option<String>) -> Report {
        let read = list(page, "entries").iter().take(ENTRIES_READ_MAX);
        let facts = fields::call_facts(page);
        Report {
            origin: Origin::EarlierPage,
            generated_at: fields::millis(page, "storedAt").unwrap_or_default(),
            user_id: text(page, "userId"),
            device_id: text(page, "deviceId"),
            sdk_version: text(page, "sdkVersion"),
            crypto_version: text(page, "cryptoVersion"),
            user_agent,
            capture: Capture { time_origin: fields::millis(page, "timeOrigin"), ..Capture::default() },
            clock_offset_ms: page["clockOffset"].as_f64(),
            tallies: page["tallies"].as_array().map(|rows| rows.iter().filter_map(fields::tally).collect()),
            sent: list(page, "sent").iter().filter_map(fields::batch).collect(),
            marks: list(page, "marks").iter().take(MARKS_READ_MAX).filter_map(fields::mark).collect(),
            entries: read.map(fields::entry).collect(),
            has_entries: page["entries"].is_array(),
            call: (!facts.is_empty()).then(|| CallFacts { facts, omitted: 1, ..CallFacts::default() }),
            ..Report::default()
        }
    }

    /// Whether it is what an earlier page of the tab stored.
    pub fn is_of_earlier_page(&self) -> bool {
        self.origin == Origin::EarlierPage
    }

    /// Whether both are of one page, as far as they say when it began and whose it was.
    pub fn is_of_same_page(&self, other: &Report) -> bool {
        self.capture.time_origin.is_some()
            && self.capture.time_origin == other.capture.time_origin
            && (&self.user_id, &self.device_id) == (&other.user_id, &other.device_id)
    }

    /// The report, and what its earlier pages stored.
    pub fn with_earlier(&self) -> impl Iterator<Item = &Report> {
        std::iter::once(self).chain(&self.earlier)
    }

    /// Whether the client was in sync with the server when the report was made.
    pub fn is_in_sync(&self) -> bool {
        matches!(self.sync_state.as_deref(), Some("PREPARED" | "SYNCING" | "CATCHUP"))
    }

    /// The entries that read, each with its index in the report.
    pub fn entries(&self) -> impl Iterator<Item = (usize, &Entry)> {
        self.entries.iter().enumerate().filter_map(|(index, entry)| Some((index, entry.as_ref()?)))
    }

    /// Whether its entries have times: lines that somebody copied out of a console have none.
    pub fn has_times(&self) -> bool {
        !matches!(self.origin, Origin::SavedConsole { from: None, .. })
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
        let of_class = |tally: &&ClassCount| tally.ke == ke && tally.meaning == meaning.word();
        self.tallies.iter().flatten().filter(of_class).map(|tally| tally.total).sum()
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

#[cfg(test)]
mod tests;

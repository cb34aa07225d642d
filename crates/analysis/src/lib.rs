//! What the lines of one crypto-diag report *say*, from the client alone. What they prove together with other artefacts is
//! the business of `crypto-diag-triage`.
//!
//! Pure functions of reports: no I/O, no clock, no JavaScript. [`Report`] reads what the user downloaded, and
//! [`Reading::of`] gives
//!
//! - **evidence** for each entry: structured facts, null where the line has none ([`evidence`]),
//! - **facts** of the report: what its entries add up to ([`facts`]).
//!
//! [`queries::server_queries`] gives the greps and SQL that fetch the server's half.
//!
//! ```
//! use crypto_diag_analysis::{Evidence, Reading, Report};
//! use crypto_diag_core::{Host, Level, Line, Millis, Recorder};
//!
//! let mut recorder = Recorder::new();
//! let line = r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#;
//! recorder.record(&Line::new(Millis(1_795_425_887_138), Level::Error, line));
//! let report = Report::from_json(&recorder.report(Host::default()).to_json()).unwrap();
//!
//! let reading = Reading::of(&report);
//! let Some(Evidence::Ke1(conflict)) = &reading.evidence[0] else { panic!() };
//! assert_eq!((conflict.key_id.as_deref(), conflict.counter), (Some("AAAAAAAAADQ"), Some(52)));
//! assert_eq!(reading.facts.conflicts.len(), 1);
//! ```

pub mod call;
pub mod evidence;
pub mod facts;
mod fields;
pub mod identity;
mod literal;
pub mod queries;
pub mod report;
pub mod sorted;

use serde::Serialize;

use crypto_diag_core::Meaning;

pub use evidence::Evidence;
pub use facts::Facts;
pub use queries::{Query, QueryOptions, ServerQueries, server_queries};
pub use report::{Origin, Report, ReportError};

/// What one report says: the facts of each entry, and what they add up to. Entries are read once, here.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ReportReading"))]
#[serde(rename_all = "camelCase")]
pub struct Reading {
    /// Whose report it is.
    pub user_id: Option<String>,
    /// Of which device.
    pub device_id: Option<String>,
    /// The facts of each entry, in the report's order; null where there are none.
    // Which fields a line gives follows its wording, and is promised to nobody.
    #[cfg_attr(feature = "schema", schemars(with = "Vec<Option<serde_json::Map<String, serde_json::Value>>>"))]
    pub evidence: Vec<Option<Evidence>>,
    /// Entries of a known signature whose line is of no known form.
    pub unparsed: usize,
    /// Entries that hold the words of a signature and are about something else.
    pub unrelated: usize,
    /// Entries that are no entries: the report was changed, or made by a later version.
    pub unreadable: usize,
    /// What the entries add up to.
    #[cfg_attr(feature = "schema", schemars(with = "serde_json::Map<String, serde_json::Value>"))]
    pub facts: Facts,
}

impl Reading {
    /// Reads a report's entries.
    pub fn of(report: &Report) -> Reading {
        let evidence: Vec<Option<Evidence>> =
            report.entries.iter().map(|entry| evidence::read(entry.as_ref()?)).collect();
        let is_unrelated = |meaning: Meaning| meaning == Meaning::Unrelated;
        let unread = |index: usize| evidence.get(index).is_some_and(Option::is_none);
        Reading {
            user_id: report.user_id.clone(),
            device_id: report.device_id.clone(),
            unparsed: report.entries().filter(|(index, entry)| unread(*index) && !is_unrelated(entry.meaning)).count(),
            unrelated: report.entries().filter(|(_, entry)| is_unrelated(entry.meaning)).count(),
            unreadable: report.entries.iter().filter(|entry| entry.is_none()).count(),
            facts: facts::add_up(report, &evidence),
            evidence,
        }
    }
}

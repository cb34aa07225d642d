//! What the lines of a crypto-diag report *mean*, from the client alone, and never more than they prove.
//!
//! Pure functions of reports: no I/O, no clock, no JavaScript. [`analyse`] takes one report, or several of one incident
//! (the peer's report holds the other half of the proof), and gives
//!
//! - **evidence** for each entry: structured facts, null where the line has none ([`evidence`]),
//! - **facts** of each report: what its entries add up to ([`facts`]),
//! - **findings**: facts that prove one another, each with what it proves, what it does not, the entries that it rests
//!   on, the innocent explanations still open, and what would say more ([`finding`]),
//! - a **summary**: one sentence for people.
//!
//! [`queries::server_queries`] gives the greps and SQL that fetch the server's half.
//!
//! ```
//! use crypto_diag_analysis::{Report, Verdict, analyse, finding::Kind};
//! use crypto_diag_core::{Host, Level, Line, Millis, Recorder};
//!
//! let mut recorder = Recorder::new();
//! let line = r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#;
//! recorder.record(&Line::new(Millis(1_795_425_887_138), Level::Error, line));
//! let report = Report::from_json(&recorder.report(Host::default()).to_json()).unwrap();
//!
//! let analysis = analyse(&[report]);
//! let finding = &analysis.findings[0];
//! assert_eq!((finding.kind, finding.verdict), (Kind::OneTimeKeyConflict, Verdict::Proven));
//! assert!(finding.statement.contains("AAAAAAAAADQ (number 52)"));
//! ```

pub mod evidence;
pub mod facts;
mod fields;
pub mod finding;
pub mod identity;
mod link;
mod literal;
pub mod queries;
pub mod report;
mod summary;

use serde::Serialize;

use crypto_diag_core::Meaning;

pub use evidence::Evidence;
pub use facts::Facts;
pub use finding::{EntryRef, Finding, Kind, Need, Verdict};
pub use queries::{Query, QueryOptions, ServerQueries, server_queries};
pub use report::{Report, ReportError};

use link::Case;

/// The name that an analysis carries.
pub const SCHEMA_NAME: &str = "crypto-diag/analysis";

/// Raised when a field changes its meaning or goes; additions do not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// What the given reports mean.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    /// `crypto-diag/analysis`.
    pub schema: &'static str,
    /// The version of this shape.
    pub schema_version: u32,
    /// One sentence.
    pub summary: String,
    /// The findings, the most telling kind first.
    pub findings: Vec<Finding>,
    /// The reports, in the order given.
    pub reports: Vec<ReportAnalysis>,
}

/// What one report means.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ReportAnalysis {
    /// Whose report it is.
    pub user_id: Option<String>,
    /// Of which device.
    pub device_id: Option<String>,
    /// The facts of each entry, in the report's order; null where there are none.
    pub evidence: Vec<Option<Evidence>>,
    /// Entries of a known signature whose line is of no known form.
    pub unparsed: usize,
    /// Entries that hold the words of a signature and are about something else.
    pub unrelated: usize,
    /// Entries that are no entries: the report was changed, or made by a later version.
    pub unreadable: usize,
    /// What the entries add up to.
    pub facts: Facts,
}

/// Analyses the reports of one incident: one report, or those of several devices or contexts together.
pub fn analyse(reports: &[Report]) -> Analysis {
    let evidence: Vec<Vec<Option<Evidence>>> = reports
        .iter()
        .map(|report| report.entries.iter().map(|entry| evidence::read(entry.as_ref()?)).collect())
        .collect();
    let facts: Vec<Facts> =
        reports.iter().zip(&evidence).map(|(report, evidence)| facts::add_up(report, evidence)).collect();
    let findings = link::findings(Case { reports, evidence: &evidence, facts: &facts });
    let summary = summary::summary(reports, &findings);
    let parts = reports.iter().zip(evidence).zip(facts);
    let reports = parts.map(|((report, evidence), facts)| report_analysis(report, evidence, facts)).collect();
    Analysis { schema: SCHEMA_NAME, schema_version: SCHEMA_VERSION, summary, findings, reports }
}

fn report_analysis(report: &Report, evidence: Vec<Option<Evidence>>, facts: Facts) -> ReportAnalysis {
    let is_unrelated = |meaning: Meaning| meaning == Meaning::Unrelated;
    let unread = |index: usize| evidence.get(index).is_some_and(Option::is_none);
    ReportAnalysis {
        user_id: report.user_id.clone(),
        device_id: report.device_id.clone(),
        unparsed: report.entries().filter(|(index, entry)| unread(*index) && !is_unrelated(entry.meaning)).count(),
        unrelated: report.entries().filter(|(_, entry)| is_unrelated(entry.meaning)).count(),
        unreadable: report.entries.iter().filter(|entry| entry.is_none()).count(),
        facts,
        evidence,
    }
}

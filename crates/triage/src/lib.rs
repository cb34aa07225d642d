//! What all artefacts of a capture say together: readers for reports, saved consoles, HAR files, Synapse's log and query results, one
//! clock, and the decision tree of the runbook over them.
//!
//! This crate is pure: bytes in, verdicts out. It opens no file and no socket, has no clock, runs nothing and changes
//! nothing; the command line and the page give it their input and show its output.
//!
//! ```
//! use crypto_diag_triage::{Triage, bundle::Bundle};
//!
//! let mut bundle = Bundle::new();
//! let report = br#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"entries":[]}"#;
//! bundle.add("alice.report.json", None, &report[..]);
//! let triage = Triage::of(&bundle);
//! assert_eq!(triage.exit_code, 2, "a report without a capture proves nothing");
//! ```

pub mod analysis;
pub mod answer;
pub mod artefact;
pub mod bundle;
mod case;
pub mod clock;
pub mod compare;
pub mod conclusion;
pub mod console;
pub mod har;
#[cfg(test)]
mod history;
pub mod intake;
pub mod latency;
pub mod minimal;
mod moment;
mod need;
pub mod problem;
mod proof;
pub mod query;
pub mod quote;
pub mod remediation;
pub mod render;
pub mod rules;
pub mod subject;
pub mod synapse_log;
pub mod timeline;
mod triage;
pub mod unpack;
pub mod verdict;

pub use crypto_diag_server_log::stamp;

pub use case::coverage::{Coverage, Found};
pub use proof::{Mutation, Premise};
pub use triage::{SCHEMA_NAME, SCHEMA_VERSION, Triage};

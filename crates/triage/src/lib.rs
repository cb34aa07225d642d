//! What all artefacts of a capture say together: readers for reports, HAR files, Synapse's log and query results, one
//! clock, and the decision tree of the runbook over them.
//!
//! This crate is pure: bytes in, verdicts out. It opens no file and no socket, has no clock, runs nothing and changes
//! nothing; the command line and the page give it their input and show its output.

pub mod har;
pub mod problem;
pub mod query;
pub mod quote;
pub mod stamp;
pub mod synapse_log;

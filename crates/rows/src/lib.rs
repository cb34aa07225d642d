//! Reports by the million: each as rows that a database joins and counts, and the verdicts on those that are of one incident.
//!
//! There are three filters. [`rows`] takes a report a line and gives the rows of [`table`], a line of JSON each. [`judge`] takes the reports
//! of incidents, one incident after the other, and gives the verdicts on each. [`latency`] takes a server's log and counts its requests.
//! Conclusions are those of [`crypto_diag_triage::analysis`]. The filters keep nothing between runs and open nothing, so the same bytes give
//! the same rows, on one machine or on a hundred. A line that cannot be used does no harm to the others: it is named, and it has a row of its
//! own.
//!
//! No row holds an id or a text of a report. Ids are pseudonyms under the deployment's key, and every other text is one of a fixed
//! list of words, or a version's number. [`table::Body`] is the exception, is made only when it is asked for, and is what the judge reads.
//!
//! ```
//! use crypto_diag_pseudonym::Key;
//! use crypto_diag_rows::{Names, rows};
//!
//! let names = Names::new(Key::new(&[7; 32]).unwrap(), Vec::new());
//! let report = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1795425887138,"userId":"@alice:example.org","entries":[]}"#;
//! let mut out = Vec::new();
//! let done = rows(&names, false, report.as_bytes(), &mut out, &mut |why| panic!("{why}")).unwrap();
//! assert_eq!((done.read, done.refused), (1, 0));
//! let out = String::from_utf8(out).unwrap();
//! assert!(out.starts_with(r#"{"table":"reports","#) && out.contains(r#""day":"2026-11-23""#), "{out}");
//! assert!(!out.contains("alice") && !out.contains("example.org"));
//! ```

mod judge;
mod latency;
mod lines;
mod map;
mod mentions;
mod names;
mod rageshake;
pub mod table;
mod words;

use std::sync::LazyLock;

use crypto_diag_core::SIGNATURES;
use crypto_diag_triage::rules;
use sha2::{Digest, Sha256};

pub use judge::{JudgeError, REPORTS_MAX, judge};
pub use latency::{LogDone, latency};
pub use map::{Done, Map, Refusal, rows};
pub use names::Names;

/// The rules that rows were made by: this program's version, and a number that changes with every rule, premise and signature.
/// Rows of another value are made anew from the reports.
pub fn rules_version() -> &'static str {
    static VERSION: LazyLock<String> = LazyLock::new(|| {
        let mut hash = Sha256::new();
        hash.update(rules::markdown());
        for row in SIGNATURES {
            hash.update(format!("{} {:?} {:?} {:?}", row.needle, row.kind, row.meaning, row.rules));
        }
        let digest = hash.finalize();
        let number: String = digest[..4].iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{}-{number}", env!("CARGO_PKG_VERSION"))
    });
    &VERSION
}

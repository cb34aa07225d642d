//! Structured facts, read out of one entry. What is not in the line is null, never guessed.

mod field;
pub mod ke1;
pub mod ke2;
pub mod ke3;
pub mod ke4;
pub mod olm;

use crypto_diag_core::{Entry, Kind, Meaning, SIGNATURES, classify};
use serde::Serialize;

pub use ke1::Ke1;
pub use ke2::Ke2;
pub use ke3::Ke3;
pub use ke4::Ke4;
pub use olm::Olm;

/// The facts of one entry.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "ke")]
pub enum Evidence {
    /// A one-time key upload was refused.
    #[serde(rename = "KE-1")]
    Ke1(Ke1),
    /// A media key was delivered, missed or not sent.
    #[serde(rename = "KE-2")]
    Ke2(Ke2),
    /// An event could not be decrypted.
    #[serde(rename = "KE-3")]
    Ke3(Ke3),
    /// A delayed event or a call membership was in trouble.
    #[serde(rename = "KE-4")]
    Ke4(Ke4),
    /// An Olm session could not be made or used.
    #[serde(rename = "OLM")]
    Olm(Olm),
}

/// Reads the facts of an entry; `None` where the line is about something else or is of a form that is not known.
///
/// ```
/// use crypto_diag_analysis::evidence::{Evidence, read};
/// use crypto_diag_core::{Level, Line, Millis, Recorder};
///
/// let mut recorder = Recorder::new();
/// let line = "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {";
/// recorder.record(&Line::new(Millis(0), Level::Error, line));
/// let Some(Evidence::Ke1(conflict)) = read(&recorder.entries()[0]) else { panic!() };
/// assert_eq!(conflict.key_id.as_deref(), Some("AAAAAAAAADQ"));
/// assert_eq!(conflict.counter, Some(52));
/// assert_eq!(conflict.server_key, None, "the line ends before it");
/// ```
pub fn read(entry: &Entry) -> Option<Evidence> {
    let line = entry.message.as_str();
    // The entry names its row. A report of another version may name one that this table has not.
    let row = SIGNATURES.iter().find(|row| row.needle == entry.signature && row.kind.ke() == entry.ke);
    let kind =
        row.or_else(|| classify(line).map(|found| found.signature).filter(|row| row.kind.ke() == entry.ke))?.kind;
    of_kind(kind, entry.meaning, line)
}

/// Reads the facts of a line that nobody has kept as an entry.
pub fn of_line(line: &str) -> Option<Evidence> {
    let found = classify(line)?;
    of_kind(found.signature.kind, found.meaning, line)
}

fn of_kind(kind: Kind, meaning: Meaning, line: &str) -> Option<Evidence> {
    if meaning == Meaning::Unrelated {
        return None;
    }
    match kind {
        Kind::Ke1 => ke1::read(line).map(Evidence::Ke1),
        Kind::Ke2(kind) => ke2::read(kind, meaning, line).map(Evidence::Ke2),
        Kind::Ke3(by) => ke3::read(by, line).map(Evidence::Ke3),
        Kind::Ke4(words) => ke4::read(words, line).map(Evidence::Ke4),
        Kind::Olm(kind) => Some(Evidence::Olm(olm::read(kind, line))),
    }
}

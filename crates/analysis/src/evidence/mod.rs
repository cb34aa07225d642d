//! Structured facts, read out of one entry. What is not in the line is null, never guessed.

mod field;
pub mod ke1;
pub mod ke2;
pub mod ke3;
pub mod ke4;
pub mod olm;

use crypto_diag_core::{Entry, Ke, Meaning};
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
    if entry.meaning == Meaning::Unrelated {
        return None;
    }
    let line = entry.message.as_str();
    match entry.ke {
        Ke::Ke1 => ke1::read(line).map(Evidence::Ke1),
        Ke::Ke2 => ke2::read(line).map(Evidence::Ke2),
        Ke::Ke3 => ke3::read(line).map(Evidence::Ke3),
        Ke::Ke4 => ke4::read(line).map(Evidence::Ke4),
        Ke::Olm => olm::read(line).map(Evidence::Olm),
    }
}

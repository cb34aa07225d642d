//! The part of a hand-off that its verdicts rest on, and the record of what was left out of it.
//!
//! Each artefact has a mark where something was left out, so that no rule concludes anything from its absence. The record lists the
//! verdicts that the part no longer proves or refutes. An answer shows these as *attested*: the maker of the part says so, and only the
//! whole hand-off, which the record names by its seal, can show it.

#[cfg(feature = "artefacts")]
mod attest;
#[cfg(feature = "artefacts")]
mod cut;
#[cfg(feature = "artefacts")]
mod reduce;

use serde::{Deserialize, Serialize};

use crate::conclusion::Conclusion;
use crate::subject::Subject;
use crate::verdict::Settled;

#[cfg(feature = "artefacts")]
pub(crate) use attest::attest;
#[cfg(feature = "artefacts")]
pub use reduce::{Reduced, reduce};

/// What a part says of the whole, in its `manifest.json`.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Minimal {
    /// The seal of the whole hand-off: the SHA-256 of its `tagmanifest-sha256.txt`.
    pub seal_of_whole: String,
    /// The artefacts of which only a part is here.
    pub cuts: Vec<Cut>,
    /// The verdicts that the whole proves or refutes and the part does not.
    pub attested: Vec<Attested>,
}

/// An artefact of which a part is here.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Cut {
    /// Its name.
    pub name: String,
    /// The SHA-256 of the whole artefact, in hexadecimal.
    pub sha256: String,
    /// Bytes of the whole artefact.
    pub bytes: u64,
    /// What `count`, `kept` and `holes` count.
    pub unit: Unit,
    /// How many units the whole artefact has.
    pub count: u64,
    /// How many units are in the part.
    pub kept: u64,
    /// The first time that the whole artefact shows, in milliseconds since the epoch by its own clock.
    pub from: Option<i64>,
    /// The last time that it shows, in the same unit.
    pub to: Option<i64>,
    /// The units that are missing: the first and the last of each run, counted from 1 in the whole artefact.
    pub holes: Vec<(u64, u64)>,
}

/// What an artefact is cut into.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Unit {
    /// Lines of a log.
    Lines,
    /// Requests of a HAR.
    Requests,
    /// Rows of queries' results, counted through all results of the file.
    Rows,
}

/// A verdict that the whole proves or refutes and the part does not.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Attested {
    /// The conclusion.
    #[serde(rename = "claim")]
    pub conclusion: Conclusion,
    /// What it is about, for people.
    pub about: String,
    /// The same as data.
    pub subject: Subject,
    /// Things that it is about.
    pub count: usize,
    /// Whether the whole proves or refutes it.
    pub was: Settled,
    /// What the whole says of it, in one sentence.
    pub statement: String,
}

/// Without the feature `artefacts` only reports are read, which have no manifest and so no record of a part.
#[cfg(not(feature = "artefacts"))]
pub(crate) fn attest(
    _: &crate::bundle::Bundle,
    verdicts: Vec<crate::verdict::Verdict>,
) -> Vec<crate::verdict::Verdict> {
    verdicts
}

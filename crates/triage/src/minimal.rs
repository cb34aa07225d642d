//! A hand-off that is a part of another one: the lines, requests and rows that its verdicts rest on, and a record of what is not there.
//!
//! What is left out is marked where it was, in each artefact, so that no rule concludes anything from its absence. Verdicts that were
//! settled by what is left out are in the record, and an answer shows them as *attested*: whoever made the part says so, and the whole
//! hand-off, which is named by its seal, shows it.

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
    /// What was cut, artefact by artefact.
    pub cuts: Vec<Cut>,
    /// What the whole settled and the part does not show.
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
    /// What is counted here.
    pub unit: Unit,
    /// How many of them the whole artefact has.
    pub count: u64,
    /// How many of them are here.
    pub kept: u64,
    /// The first time that the whole artefact shows, in milliseconds since the epoch by its own clock.
    pub from: Option<i64>,
    /// The last one.
    pub to: Option<i64>,
    /// What is missing: from which to which, both counted from 1 in the whole artefact.
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

/// A verdict of the whole that the part does not show.
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
    /// What the whole says of it.
    pub was: Settled,
    /// In one sentence.
    pub statement: String,
}

/// A page that reads reports alone has no manifest.
#[cfg(not(feature = "artefacts"))]
pub(crate) fn attest(
    _: &crate::bundle::Bundle,
    verdicts: Vec<crate::verdict::Verdict>,
) -> Vec<crate::verdict::Verdict> {
    verdicts
}

//! The answer for people and for machines. What artefacts say is shown as text, never as markup: each format has one
//! place where foreign text enters, and it escapes there. What leaves is a [`Clean`].

mod html;
mod markdown;
mod markup;
mod picture;
#[cfg(feature = "artefacts")]
mod sarif;
mod text;

use std::borrow::Cow;

use crypto_diag_core::{Clean, is_invisible, visible, visible_line};
use serde::Serialize;

use crate::answer::key_path::{KeyPath, Step};
use crate::answer::questions::Coverage;
use crate::triage::Triage;
use crate::verdict::Verdict;

pub use html::html;
pub use markdown::markdown;
pub use picture::svg;
#[cfg(feature = "artefacts")]
pub use sarif::sarif;
pub use text::text;

/// The answer as JSON, two spaces deep. Its shape is [`Triage`]'s. Invisible characters are escaped, so that a person who
/// reads the file sees them and a program reads what stood there.
///
/// # Errors
/// None in practice: every part of it can be written.
pub fn json(triage: &Triage) -> Result<Clean, serde_json::Error> {
    written(triage)
}

/// A document of JSON, in the way of [`json`].
fn written(document: &impl Serialize) -> Result<Clean, serde_json::Error> {
    serde_json::to_string_pretty(document).map(|text| Clean::told(&(escaped(&text) + "\n")))
}

/// JSON with its invisible characters escaped. They stand in strings alone: outside of them JSON has spaces and line breaks.
fn escaped(json: &str) -> String {
    let mut out = String::with_capacity(json.len());
    for character in json.chars() {
        if character != '\n' && is_invisible(character) {
            for unit in character.encode_utf16(&mut [0; 2]) {
                out.push_str(&format!("\\u{unit:04x}"));
            }
        } else {
            out.push(character);
        }
    }
    out
}

/// The questions, each with its coverage and its verdicts in the order in which they matter: proven, unknown, refuted.
fn by_question(triage: &Triage) -> Vec<(&Coverage, Vec<&Verdict>)> {
    let of = |coverage: &Coverage| {
        let mut verdicts: Vec<&Verdict> =
            triage.verdicts.iter().filter(|verdict| verdict.conclusion.question() == coverage.question).collect();
        verdicts.sort_by_key(|verdict| verdict.rank());
        verdicts
    };
    triage.questions.iter().map(|coverage| (coverage, of(coverage))).collect()
}

/// How far keys came, in the words that every format and the triage page show.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyTable<'t> {
    /// What the keys are.
    pub title: &'static str,
    /// A path for each key.
    pub paths: Vec<KeyRows<'t>>,
    /// What is said of the paths that are not listed.
    pub left_out: Option<String>,
}

/// The path of one key.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyRows<'t> {
    /// Which key, for whom.
    pub about: &'t str,
    /// How far it came.
    pub standing: String,
    /// Whether it stopped at a hop.
    pub stopped: bool,
    /// A row for each hop.
    pub hops: Vec<HopRow>,
}

/// What is said of one hop.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct HopRow {
    /// The hop in a word.
    pub hop: &'static str,
    /// `proven`, `refuted` or `unknown`.
    pub is: &'static str,
    /// Why, where, and what would tell.
    pub why: String,
}

/// The tables of keys that have a row.
pub fn key_tables(triage: &Triage) -> Vec<KeyTable<'_>> {
    let all = [
        ("How far media keys came, the newest first", &triage.media_keys),
        ("How far room keys came that were missing, the newest first", &triage.room_keys),
    ];
    let row = |step: &Step| HopRow { hop: step.hop.word(), is: step.answer.word(), why: step.line() };
    let rows = |path| -> KeyRows<'_> {
        let path: &KeyPath = path;
        KeyRows {
            about: &path.about,
            standing: path.standing(),
            stopped: path.stopped_at.is_some(),
            hops: path.steps.iter().map(row).collect(),
        }
    };
    all.into_iter()
        .filter(|(_, keys)| !keys.paths.is_empty())
        .map(|(title, keys)| KeyTable {
            title,
            paths: keys.paths.iter().map(rows).collect(),
            left_out: keys.left_out(),
        })
        .collect()
}

/// Whether a question's answer can be relied on, in a word.
fn standing(coverage: &Coverage) -> &'static str {
    if coverage.covered { "Looked at:" } else { "Not fully covered:" }
}

/// The tree of causes and effects, as it is read: how deep each verdict stands, and which it is.
pub fn tree(triage: &Triage) -> Vec<Branch<'_>> {
    let mut branches = Vec::new();
    for cause in &triage.story.causes {
        grow(triage, *cause, 0, &mut branches);
    }
    branches
}

/// A line of the tree.
#[derive(Clone, Debug)]
pub struct Branch<'t> {
    /// How deep it stands: 0 is a cause.
    pub depth: usize,
    verdict: &'t Verdict,
}

impl Branch<'_> {
    /// "KE-1 cause: rollback (@a:x/D signed_curve25519:AAAAAAAAADQ)".
    pub fn text(&self) -> String {
        format!("{} ({})", self.verdict.conclusion.title(), self.verdict.about)
    }

    /// Where its first piece of evidence stands.
    pub fn place(&self) -> Option<String> {
        let piece = self.verdict.evidence.first()?;
        Some(format!("{}, {}", piece.artefact, piece.place))
    }
}

fn grow<'t>(triage: &'t Triage, index: usize, depth: usize, branches: &mut Vec<Branch<'t>>) {
    let Some(verdict) = triage.verdicts.get(index) else { return };
    branches.push(Branch { depth, verdict });
    for link in triage.story.links.iter().filter(|link| link.cause == index) {
        grow(triage, link.effect, depth + 1, branches);
    }
}

/// A text whose invisible characters are shown. Line breaks become spaces unless they are wanted.
fn plain(text: &str, breaks: bool) -> Cow<'_, str> {
    if breaks { visible(text) } else { visible_line(text) }
}

#[cfg(test)]
mod tests;

//! The answer for people and for machines. What artefacts say is shown as text, never as markup: each format has one
//! place where foreign text enters, and it escapes there.

mod html;
mod markdown;
mod text;

use std::borrow::Cow;

use crypto_diag_core::{is_invisible, visible, visible_line};

use crate::triage::Triage;
use crate::verdict::{Question, Verdict};

pub use html::html;
pub use markdown::markdown;
pub use text::text;

/// The answer as JSON, two spaces deep. Its shape is [`Triage`]'s. Invisible characters are escaped, so that a person who
/// reads the file sees them and a program reads what stood there.
///
/// # Errors
/// None in practice: every part of it can be written.
pub fn json(triage: &Triage) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(triage).map(|text| escaped(&text) + "\n")
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

/// The questions that have verdicts, each with its own, in the order in which they matter: proven, unknown, refuted.
fn by_question(triage: &Triage) -> Vec<(Question, Vec<&Verdict>)> {
    let rank = |verdict: &Verdict| match (verdict.is_proven(), verdict.is_unknown()) {
        (true, _) => 0,
        (_, true) => 1,
        _ => 2,
    };
    Question::ALL
        .into_iter()
        .map(|question| {
            let mut verdicts: Vec<&Verdict> =
                triage.verdicts.iter().filter(|verdict| verdict.claim.question() == question).collect();
            verdicts.sort_by_key(|verdict| rank(verdict));
            (question, verdicts)
        })
        .filter(|(_, verdicts)| !verdicts.is_empty())
        .collect()
}

/// A text whose invisible characters are shown. Line breaks become spaces unless they are wanted.
fn plain(text: &str, breaks: bool) -> Cow<'_, str> {
    if breaks { visible(text) } else { visible_line(text) }
}

#[cfg(test)]
mod tests;

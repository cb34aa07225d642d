//! The answer for people and for machines. What artefacts say is shown as text, never as markup: each format has one
//! place where foreign text enters, and it escapes there.

mod html;
mod markdown;
mod text;

use crate::conclusion::Question;
use crate::triage::Triage;
use crate::verdict::Verdict;

pub use html::html;
pub use markdown::markdown;
pub use text::text;

/// The answer as JSON, two spaces deep. Its shape is [`Triage`]'s.
///
/// # Errors
/// None in practice: every part of it can be written.
pub fn json(triage: &Triage) -> Result<String, serde_json::Error> {
    serde_json::to_string_pretty(triage).map(|text| text + "\n")
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
                triage.verdicts.iter().filter(|verdict| verdict.conclusion.question() == question).collect();
            verdicts.sort_by_key(|verdict| rank(verdict));
            (question, verdicts)
        })
        .filter(|(_, verdicts)| !verdicts.is_empty())
        .collect()
}

/// A text without what acts on a terminal or reorders a line. Line breaks become spaces unless they are wanted.
fn plain(text: &str, breaks: bool) -> String {
    text.chars()
        .map(|character| match character {
            '\n' if breaks => '\n',
            character if character.is_control() => ' ',
            character => character,
        })
        .filter(|character| !matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}'))
        .collect()
}

#[cfg(test)]
mod tests;

//! For a terminal: plain text, no colours, no control characters.

use std::fmt::Write;

use super::{by_question, plain};
use crate::remediation::NOTE;
use crate::stamp;
use crate::triage::Triage;
use crate::verdict::{Answer, Verdict};

/// The answer as plain text.
pub fn text(triage: &Triage) -> String {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&plain(&text, false));
        out.push('\n');
    };
    line(triage.summary.clone());
    for (question, verdicts) in by_question(triage) {
        line(String::new());
        line(question.text().to_owned());
        for verdict in verdicts {
            for text in lines(verdict) {
                line(text);
            }
        }
    }
    if !triage.remedies.is_empty() {
        line(String::new());
        line("Options".to_owned());
        line(format!("  {NOTE}"));
        for remedy in &triage.remedies {
            line(format!("  {}. {}: {}", remedy.rank, remedy.title, remedy.what));
            line(format!("     touches: {} costs: {}", remedy.blast_radius, remedy.cost));
            for fact in remedy.facts.iter().chain(&remedy.warnings) {
                line(format!("     ! {fact}"));
            }
            for why in &remedy.because {
                line(format!("     because: {why}"));
            }
        }
    }
    if !triage.problems.is_empty() {
        line(String::new());
        line("Not read".to_owned());
        for problem in &triage.problems {
            line(format!("  {problem}"));
        }
    }
    out
}

fn lines(verdict: &Verdict) -> Vec<String> {
    let mut lines = vec![format!(
        "  {:8} {}: {}",
        verdict.answer.word().to_uppercase(),
        verdict.conclusion.title(),
        verdict.statement
    )];
    if matches!(verdict.answer, Answer::Refuted) {
        return lines;
    }
    for piece in &verdict.evidence {
        let at = piece.at.map_or(String::new(), |at| format!(" {}", stamp::print(at)));
        let mut quote = String::new();
        let _ = write!(quote, "“{}”", piece.quote.chars().take(160).collect::<String>());
        lines.push(format!("           {}, {}{at}: {} {quote}", piece.artefact, piece.place, piece.says));
    }
    lines.extend(verdict.ruled_out.iter().map(|text| format!("           ruled out: {text}")));
    lines.extend(verdict.otherwise().iter().map(|text| format!("           or else: {text}")));
    lines.extend(verdict.how.iter().map(|text| format!("           still open: {text}")));
    if let Answer::Unknown { fetch } = &verdict.answer {
        for fetch in fetch {
            lines.push(format!("           to find out ({}): {}", fetch.artefact, fetch.what));
            lines.extend(fetch.how.lines().map(|how| format!("             {how}")));
        }
    }
    lines
}

//! For a terminal: plain text, no colours, no control characters.

use std::fmt::Write;

use crypto_diag_core::Clean;

use super::{HopRow, by_question, key_tables, plain, standing, tree};
use crate::conclusion::CAUSE_AND_EFFECT;
use crate::remediation::NOTE;
use crate::stamp;
use crate::triage::Triage;
use crate::verdict::{Answer, Verdict};

/// The answer as plain text.
pub fn text(triage: &Triage) -> Clean {
    let mut out = String::new();
    let mut line = |text: String| {
        out.push_str(&plain(&text, false));
        out.push('\n');
    };
    line(triage.summary.clone());
    if !triage.problems.is_empty() {
        line(String::new());
        line("Not as it should be".to_owned());
        for problem in &triage.problems {
            line(format!("  {problem}"));
        }
    }
    let tree = tree(triage);
    if !tree.is_empty() {
        line(String::new());
        line(CAUSE_AND_EFFECT.to_owned());
        for branch in &tree {
            let arrow = if branch.depth == 0 { String::new() } else { "   ".repeat(branch.depth - 1) + "└─ " };
            let place = branch.place().map_or(String::new(), |place| format!("  [{place}]"));
            line(format!("  {arrow}{}{place}", branch.text()));
        }
        line(format!("  Affected: {}", triage.story.affected.join(", ")));
    }
    if let Some(next) = &triage.story.next {
        line(String::new());
        line(format!(
            "Fetch this next, since it can settle most of what is unknown ({}): {}: {}",
            next.settles.len(),
            next.fetch.artefact,
            next.fetch.what
        ));
        next.fetch.how.lines().for_each(|how| line(format!("  {how}")));
    }
    for (coverage, verdicts) in by_question(triage) {
        line(String::new());
        line(coverage.question.text().to_owned());
        if let Some(sentence) = coverage.question.stands_alone() {
            line(format!("  {sentence}"));
        }
        for sentence in &coverage.looked_at {
            line(format!("  {} {sentence}", standing(coverage)));
        }
        for verdict in verdicts {
            for text in lines(verdict) {
                line(text);
            }
        }
    }
    for table in key_tables(triage) {
        line(String::new());
        line(table.title.to_owned());
        for path in &table.paths {
            line(format!("  {}: {}", path.about, path.standing));
            for HopRow { hop, is, why } in &path.hops {
                line(format!("    {hop:9}  {is:7}  {why}"));
            }
        }
        table.left_out.into_iter().for_each(|text| line(format!("  {text}")));
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
    if triage.course.sentences().next().is_some() {
        line(String::new());
        line("How it went on".to_owned());
        triage.course.sentences().for_each(|sentence| line(format!("  {sentence}")));
    }
    if !triage.versions.is_empty() {
        line(String::new());
        line("Versions".to_owned());
        for version in &triage.versions {
            line(format!("  {}: {} {}", version.of, version.part, version.version));
        }
    }
    Clean::told(&out)
}

fn lines(verdict: &Verdict) -> Vec<String> {
    let mut lines =
        vec![format!("  {:8} {}: {}", verdict.word().to_uppercase(), verdict.conclusion.title(), verdict.statement)];
    if matches!(verdict.answer, Answer::Refuted) {
        return lines;
    }
    if !verdict.subject.message_ids.is_empty() {
        lines.push(format!("           messages: {}", verdict.subject.message_ids.join(", ")));
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

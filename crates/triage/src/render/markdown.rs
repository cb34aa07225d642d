//! For an issue tracker. Foreign text is escaped character by character, so that it neither formats nor links nor
//! mentions anybody; longer quotations stand in code blocks whose fence is longer than any run of backticks in them.

use crypto_diag_core::Clean;

use super::{HopRow, by_question, key_tables, plain, standing, tree};
use crate::conclusion::CAUSE_AND_EFFECT;
use crate::remediation::NOTE;
use crate::stamp;
use crate::triage::Triage;
use crate::verdict::{Answer, Verdict};

/// The answer as Markdown.
pub fn markdown(triage: &Triage) -> Clean {
    let mut out = String::from("# Triage\n\n");
    out.push_str(&format!("**{}**\n", escape(&triage.summary)));
    if !triage.problems.is_empty() {
        out.push_str("\n## Not as it should be\n\n");
        for problem in &triage.problems {
            out.push_str(&format!("- {}\n", escape(&problem.to_string())));
        }
    }
    let tree = tree(triage);
    if !tree.is_empty() {
        out.push_str(&format!("\n## {CAUSE_AND_EFFECT}\n\n"));
        for branch in &tree {
            let indent = "  ".repeat(branch.depth);
            let place = branch.place().map_or(String::new(), |place| format!(", {place}"));
            out.push_str(&format!("{indent}- {}{}\n", escape(&branch.text()), escape(&place)));
        }
        out.push_str(&format!("\nAffected: {}\n", escape(&triage.story.affected.join(", "))));
    }
    if let Some(next) = &triage.story.next {
        out.push_str(&format!(
            "\n## Next\n\nFetch this next, since it can settle most of what is unknown ({}): {}: {}\n\n",
            next.settles.len(),
            next.fetch.artefact,
            escape(&next.fetch.what)
        ));
        block(&mut out, &next.fetch.how, "");
    }
    for (coverage, verdicts) in by_question(triage) {
        out.push_str(&format!("\n## {}\n\n", escape(coverage.question.text())));
        if let Some(sentence) = coverage.question.stands_alone() {
            out.push_str(&format!("{}\n\n", escape(sentence)));
        }
        for sentence in &coverage.looked_at {
            out.push_str(&format!("- {} {}\n", standing(coverage), escape(sentence)));
        }
        for verdict in verdicts {
            add(&mut out, verdict);
        }
    }
    for table in key_tables(triage) {
        out.push_str(&format!("\n## {}\n", table.title));
        for path in &table.paths {
            out.push_str(&format!("\n{}: **{}**\n\n", escape(path.about), path.standing));
            out.push_str("| hop | is | why |\n|---|---|---|\n");
            for HopRow { hop, is, why } in &path.hops {
                out.push_str(&format!("| {hop} | {is} | {} |\n", escape(why)));
            }
        }
        table.left_out.into_iter().for_each(|text| out.push_str(&format!("\n{text}\n")));
    }
    if !triage.remedies.is_empty() {
        out.push_str(&format!("\n## Options\n\n{}\n", escape(NOTE)));
        for remedy in &triage.remedies {
            out.push_str(&format!("\n### {}. {}\n\n{}\n\n", remedy.rank, escape(remedy.title), escape(remedy.what)));
            out.push_str(&format!("- touches: {}\n- costs: {}\n", escape(remedy.blast_radius), escape(remedy.cost)));
            for (what, list) in [("warning", &remedy.warnings), ("fact", &remedy.facts), ("because", &remedy.because)] {
                for text in list {
                    out.push_str(&format!("- {what}: {}\n", escape(text)));
                }
            }
        }
    }
    if triage.course.sentences().next().is_some() {
        out.push_str("\n## How it went on\n\n");
        for sentence in triage.course.sentences() {
            out.push_str(&format!("- {}\n", escape(sentence)));
        }
    }
    if !triage.versions.is_empty() {
        out.push_str("\n## Versions\n\n| of | part | version |\n|---|---|---|\n");
        for version in &triage.versions {
            out.push_str(&format!("| {} | {} | {} |\n", escape(&version.of), version.part, escape(&version.version)));
        }
    }
    out.push_str("\n## Artefacts\n\n| file | kind | used |\n|---|---|---|\n");
    for artefact in &triage.artefacts {
        let used = if artefact.used { "yes" } else { "no" };
        out.push_str(&format!("| {} | {} | {used} |\n", escape(&artefact.name), artefact.kind));
    }
    Clean::told(&out)
}

fn add(out: &mut String, verdict: &Verdict) {
    let word = verdict.word();
    out.push_str(&format!("\n### {word}: {}\n\n{}\n", escape(verdict.conclusion.title()), escape(&verdict.statement)));
    if !verdict.subject.message_ids.is_empty() {
        out.push_str(&format!("\nMessages: {}\n", escape(&verdict.subject.message_ids.join(", "))));
    }
    for piece in &verdict.evidence {
        let at = piece.at.map_or(String::new(), |at| format!(", {}", stamp::print(at)));
        let place = piece.place.to_string();
        out.push_str(&format!("\n- {}, {}{at}: {}\n\n", escape(&piece.artefact), escape(&place), escape(&piece.says)));
        block(out, &piece.quote, "");
    }
    let lists = [
        ("ruled out", verdict.ruled_out.as_slice()),
        ("or else", verdict.otherwise()),
        ("still open", &verdict.how),
        ("would refute it", &verdict.would_refute),
    ];
    if lists.iter().any(|(_, list)| !list.is_empty()) {
        out.push('\n');
    }
    for (what, list) in lists {
        for text in list {
            out.push_str(&format!("- {what}: {}\n", escape(text)));
        }
    }
    if let Answer::Unknown { fetch } = &verdict.answer {
        for fetch in fetch {
            out.push_str(&format!("\nTo find out ({}): {}\n\n", fetch.artefact, escape(&fetch.what)));
            block(out, &fetch.how, "");
        }
    }
}

/// A code block, indented as a list's child.
fn block(out: &mut String, text: &str, language: &str) {
    let text = plain(text, true);
    let longest = text.split(|character| character != '`').map(str::len).max().unwrap_or(0);
    let fence = "`".repeat(longest.max(2) + 1);
    out.push_str(&format!("  {fence}{language}\n"));
    for line in text.lines() {
        out.push_str(&format!("  {line}\n"));
    }
    out.push_str(&format!("  {fence}\n"));
}

/// Text that means only itself: what Markdown, or a tracker on top of it, would act upon becomes an entity. Whatever they leave alone
/// stays as it is, since people read the source as well.
fn escape(text: &str) -> String {
    // Behind the escapes a token would not be known any more.
    let text: Vec<char> = Clean::told(&plain(text, false)).chars().collect();
    let mut escaped = String::with_capacity(text.len());
    for (at, character) in text.iter().copied().enumerate() {
        if is_harmless(&text, at) {
            escaped.push(character);
        } else if matches!(character, '@' | '#') {
            // Trackers look for mentions and references in the text that comes out, so a comment must split it.
            escaped.push_str(&format!("&#{};<!-- -->", u32::from(character)));
        } else {
            escaped.push_str(&format!("&#{};", u32::from(character)));
        }
    }
    escaped
}

/// Whether a character means only itself where it stands.
fn is_harmless(text: &[char], at: usize) -> bool {
    let before = at.checked_sub(1).and_then(|at| text.get(at)).copied().unwrap_or(' ');
    let after = text.get(at + 1).copied().unwrap_or(' ');
    let is_between = |is: fn(char) -> bool| is(before) && is(after);
    let is_digit = |character: char| character.is_ascii_digit();
    match text[at] {
        ' ' | ',' | ';' | '?' | '=' | '%' | '(' | ')' | '"' | '\'' => true,
        // Inside of a word they begin no list, no rule, no emphasis and no command.
        '-' | '/' | '_' | '+' => is_between(char::is_alphanumeric),
        // A dot inside of a word makes a link, one behind a number with which a line begins a list.
        '.' => is_between(is_digit) || (after == ' ' && !text[..at].iter().copied().all(is_digit)),
        // Between colons stands an emoji; none is called by one or two digits, as times have them.
        ':' => after == ' ' || (is_between(is_digit) && text[at + 1..].iter().take(3).any(|next| !is_digit(*next))),
        character => character.is_alphanumeric() || !character.is_ascii(),
    }
}

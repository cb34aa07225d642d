//! `crypto-diag verify`: whether a folder of `run`, or its zip, is as it was, and whether its answer comes out of it again.

use std::collections::BTreeMap;
use std::io;

use crypto_diag_core::{showable, visible_line};
use crypto_diag_triage::unpack::DOCUMENT_BYTES_MAX;
use serde_json::Value;

use crate::args::{Format, VerifyArguments};
use crate::run::ANSWER;
use crate::{bag, exit, output, triage};

/// Lines that are printed of one list at most.
const LINES_MAX: usize = 100;

/// Checks, judges again, and prints what is not as it was.
///
/// # Errors
/// In words, if it is no bag.
pub fn run(arguments: &VerifyArguments) -> Result<u8, String> {
    let root = &arguments.folder;
    let cannot = |error: io::Error| format!("{} cannot be verified: {error}", root.display());
    let files = bag::Files::of(root).map_err(cannot)?;
    let findings = bag::check(&files).map_err(cannot)?;
    if !findings.is_empty() {
        let lines = findings.iter().map(|finding| format!("{}: {}", shown(&finding.what), shown(&finding.why)));
        let end = "The answer was not judged again: these are not the files that it was made of.\n";
        output::print(&(printed(lines) + end))?;
        return Ok(exit::DIFFERENT);
    }
    let kept =
        bag::text(&files, ANSWER, DOCUMENT_BYTES_MAX).map_err(|error| format!("{ANSWER} cannot be read: {error}"))?;
    let (_, triage) = triage::judge(files.inputs(), None);
    let now = triage::written(&triage, Format::Json)?;
    let is_same = kept == now.as_bytes();
    let packed_by = bag::packed_by(&files);
    let is_same_version = packed_by.as_deref() == Some(bag::THIS_PROGRAM);
    let this = bag::THIS_PROGRAM;
    let other = shown(packed_by.as_deref().unwrap_or("a program that does not name itself"));
    let (count, seal) = (files.all().len(), bag::seal_line(&files)?);
    let mut said = format!("The {count} files of the folder are unchanged, and none was added.\n{seal}");
    said.push_str(&match (is_same, is_same_version) {
        (true, true) => format!("{this} gives the same answer out of them, byte for byte.\n"),
        (true, false) => format!("The answer was made by {other}; {this} gives the same one, byte for byte.\n"),
        (false, true) => format!("{ANSWER}: is not what {this}, which is said to have made it, says of these files:\n"),
        (false, false) => format!("The answer was made by {other}; this is {this}, whose verdicts differ thus:\n"),
    });
    if !is_same {
        said.push_str(&printed(differences(&kept, now.as_bytes()).into_iter()));
    }
    output::print(&said)?;
    Ok(if is_same || !is_same_version { exit::NOTHING_WRONG } else { exit::DIFFERENT })
}

/// What differs between the verdicts of two answers, a line each.
fn differences(kept: &[u8], now: &[u8]) -> Vec<String> {
    let (kept, now) = (verdicts(kept), verdicts(now));
    let mut lines = Vec::new();
    for (key @ (claim, about), word) in &now {
        match kept.get(key) {
            None => lines.push(format!("{claim} ({about}): is {word} now, and was not judged")),
            Some(before) if before != word => lines.push(format!("{claim} ({about}): was {before}, is {word} now")),
            Some(_) => {}
        }
    }
    let gone = kept.iter().filter(|(key, _)| !now.contains_key(*key));
    lines.extend(gone.map(|((claim, about), word)| format!("{claim} ({about}): was {word}, and is not judged now")));
    if lines.is_empty() {
        lines.push("all verdicts are the same; the answers differ in their words or their evidence".to_owned());
    }
    lines.iter().map(|line| shown(line)).collect()
}

/// The word on each conclusion and what it is about. An answer that is none has no verdicts.
fn verdicts(answer: &[u8]) -> BTreeMap<(String, String), String> {
    let answer: Value = serde_json::from_slice(answer).unwrap_or_default();
    let text = |verdict: &Value, name: &str| verdict[name].as_str().unwrap_or_default().to_owned();
    let list = answer["verdicts"].as_array().cloned().unwrap_or_default();
    list.iter().map(|one| ((text(one, "claim"), text(one, "about")), text(one, "is"))).collect()
}

fn printed(lines: impl ExactSizeIterator<Item = String>) -> String {
    let more = lines.len().saturating_sub(LINES_MAX);
    let mut text: String = lines.take(LINES_MAX).map(|line| format!("  {line}\n")).collect();
    if more > 0 {
        text.push_str(&format!("  … and {more} more\n"));
    }
    text
}

/// Names and answers may be anybody's.
fn shown(text: &str) -> String {
    visible_line(&showable(text)).into_owned()
}

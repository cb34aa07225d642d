//! The rules as a document that a Matrix expert can review without reading Rust: `docs/rules.md`.

use super::ALL;
use crate::conclusion::{Conclusion, Kind, Question};
use crate::proof::Premise;

const INTRODUCTION: &str = "\
# What proves what

<!-- Written by the build out of crates/triage/src/rules; change it there. -->

Each rule below reaches one conclusion. It says *proven* only if all premises of its first list hold, and *refuted* only if all
premises of its second list hold; otherwise the conclusion is *unknown*, and the answer names what is left and what would tell.
A premise stands beside the innocent explanation that it rules out. What is merely open of how something came about does not
keep a conclusion from being proven, as long as it does not deny it.

What holds for all rules:

1. A statement about a page holds for the time in which its capture watched it: from its installation, or the last Clear, until
   the report was made. A device may have several pages, tabs, profiles and machines: all given reports count, and none speaks
   for a page that is not given.
2. Absence counts only where presence would have been seen: a report's capture was whole, or a server log that would hold the
   line is there without a hole, for long enough.
3. Two times are compared by the order of lines within one file; between files only by what this client's own requests, which
   stand on both sides, tell of the difference of the clocks, or what two pages have each measured of one homeserver's, and never
   across a clock that was set. One rule is an exception: nothing measures the clocks of two SFUs, and *different-sfu* takes them
   to agree within two minutes.
4. The answer of a query is of the time at which it was asked.
5. What would refute a conclusion is looked for in the artefacts before the conclusion is called proven.

Artefacts are written by people's machines, and can be forged. A conclusion is about what the given artefacts say.
";

/// The document.
pub fn markdown() -> String {
    let mut out = INTRODUCTION.to_owned();
    for question in Question::ALL {
        out.push_str(&format!("\n## {}\n", question.text()));
        for rule in ALL.iter().filter(|rule| rule.conclusion.question() == question) {
            let artefacts = |list| rule.wanted(list).iter().map(ToString::to_string).collect::<Vec<_>>().join(", ");
            out.push_str(&format!("\n### {}\n\n", rule.conclusion.title()));
            out.push_str(&format!("`{}`, {}. {}\n\n", name(rule.conclusion), kind(rule.conclusion), rule.argument));
            out.push_str(&format!("Needs: {}.", artefacts(rule.needs)));
            if !rule.reads.is_empty() {
                out.push_str(&format!(" Reads, where they are given: {}.", artefacts(rule.reads)));
            }
            out.push_str("\n\nProven if\n\n");
            list(&mut out, rule.proven_by);
            if rule.refuted_by.is_empty() {
                out.push_str("\nNever refuted.\n");
            } else {
                out.push_str("\nRefuted if\n\n");
                list(&mut out, rule.refuted_by);
            }
        }
    }
    out
}

fn list(out: &mut String, premises: &[&Premise]) {
    for premise in premises {
        out.push_str(&format!("- {}", premise.says));
        if !premise.rules_out.is_empty() {
            out.push_str(&format!(" *Rules out:* {}", premise.rules_out));
        }
        out.push_str(&format!(" <sub>`{}`</sub>\n", premise.id));
    }
}

fn kind(conclusion: Conclusion) -> &'static str {
    match conclusion.kind() {
        Kind::Sighting => "a sighting: it says that failures were seen, not why",
        Kind::Fault => "a fault",
        Kind::Notice => "worth knowing, and by itself no fault",
    }
}

/// The name that a conclusion has in JSON.
fn name(conclusion: Conclusion) -> String {
    let mut name = String::new();
    for character in format!("{conclusion:?}").chars() {
        if character.is_ascii_uppercase() && !name.is_empty() {
            name.push('-');
        }
        name.push(character.to_ascii_lowercase());
    }
    name
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_document_names_every_conclusion_by_its_name_in_json() {
        for conclusion in Conclusion::ALL {
            assert_eq!(name(*conclusion), crate::history::name(*conclusion));
        }
    }
}

//! KE-1 on a page: the server refused a one-time key.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_core::{Entry, Ke, Meaning};

use super::rule::Rule;
use super::seen::{self, Family, Sight};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::Verdict;

const REFUSED: Premise = Premise {
    id: "ke1-seen/refusal",
    says: "A line of the report is the server's refusal of a one-time key, and names the key.",
    rules_out: "The words “already exists” stand in a line about something else, such as a table of a database.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Ke1Seen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The client prints the server's refusal. It is refuted only for the page and for the time that the capture \
               watched; it says nothing of a divergence that shows no conflict: an id that was claimed uploads without one.",
    proven_by: &[&REFUSED],
    refuted_by: &[&seen::QUIET, &seen::WATCHED],
    check,
    #[cfg(test)]
    histories,
};

const FAMILY: Family = Family {
    conclusion: Conclusion::Ke1Seen,
    ke: Ke::Ke1,
    failed: &REFUSED,
    judge,
    quoted_as: "the page printed the server's refusal",
    saw: "the server refused one-time keys",
    unseen: "A divergence need not show itself: an id whose key was claimed before uploads without a conflict.",
    tells: |_, _| Vec::new(),
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    seen::verdicts(case, &FAMILY)
}

fn judge(entry: &Entry, facts: Option<&Facts>) -> Sight {
    match facts {
        Some(Facts::Ke1(refusal)) if refusal.key_id.is_some() => Sight::Failing,
        _ if entry.meaning == Meaning::Failure => Sight::Open("a line has the words of a refusal and names no key"),
        _ => Sight::Nothing,
    }
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::{Level, Millis};

    let page = || MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000);
    let reloaded = || MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_422_000_000, 1_795_423_999_000);
    let refusal = r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#;
    vec![
        History::new("the page prints the server's refusal")
            .file("alice.report.json", page().line(1_795_425_000_000, Level::Error, refusal).json())
            .proves("ke1-seen", "@alice:example.org/ALICE (alice.report.json)"),
        // An earlier page's lines are found; that it has none, or may have had more, says nothing.
        History::new("the server refused a key on a page that was reloaded, and nothing fails on the page after it")
            .file("alice.report.json", page().earlier(reloaded().line(1_795_423_000_000, Level::Error, refusal)).json())
            .proves("ke1-seen", "@alice:example.org/ALICE (alice.report.json, earlier page 1 of its tab)")
            .refutes("ke1-seen", "@alice:example.org/ALICE (alice.report.json)")
            .refutes("ke2-seen", "")
            .never_refutes("ke1-seen", "earlier page"),
        History::new("nothing matched on the page that was reloaded but a line that is no refusal")
            .file(
                "alice.report.json",
                page()
                    .earlier(reloaded().line(
                        1_795_423_000_000,
                        Level::Error,
                        "relation e2e_one_time_keys_json already exists",
                    ))
                    .json(),
            )
            .never_proves("ke1-seen", "")
            .never_refutes("ke1-seen", "earlier page")
            .never_refutes("ke2-seen", "earlier page"),
        History::new("a page on which nothing fails")
            .file("alice.report.json", page().json())
            .refutes("ke1-seen", "")
            .exits(&[0, 2]),
        History::new("a database's own table already exists")
            .file(
                "alice.report.json",
                page().line(1_795_425_000_000, Level::Error, "relation e2e_one_time_keys_json already exists").json(),
            )
            .never_proves("ke1-seen", "")
            .never_refutes("ke1-seen", ""),
        History::new("the page saw a refusal, and then Clear was pressed")
            .file(
                "alice.report.json",
                page().but(|report| report.capture.cleared_at = Some(Millis(1_795_427_000_000))).json(),
            )
            .never_refutes("ke1-seen", ""),
    ]
}

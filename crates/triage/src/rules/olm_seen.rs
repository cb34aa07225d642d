//! OLM on a page: Olm sessions or messages failed.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_core::{Ke, Meaning};

use super::Rule;
use super::seen::{self, Family, Shown};
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::{Premise, Proof};
use crate::verdict::{ArtefactKind, Verdict};

const FAILED: Premise = Premise {
    id: "olm-seen/line",
    says: "A line of the report says that an Olm session could not be made or used, or that a batch of messages was dropped.",
    rules_out: "Every line of the family is one that good pages print as well, such as that of a message that came twice.",
};

const QUIET: Premise =
    Premise { id: "olm-seen/no-line", says: "The report counts no line about Olm that is a failure.", rules_out: "" };

const WATCHED: Premise = Premise {
    id: "olm-seen/watched",
    says: "The capture watched the page from its installation until the report, missed nothing, and nothing was cut out of \
           the report.",
    rules_out: "",
};

const FAMILY: Family = Family { conclusion: Conclusion::OlmSeen, ke: Ke::Olm, quiet: &QUIET, watched: &WATCHED };

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::OlmSeen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The crypto library prints each Olm message that it cannot open and each session that it cannot make. What such a \
               message held, and whether another context of the device opened it, the line does not say.",
    proven_by: &[&FAILED],
    refuted_by: &[&QUIET, &WATCHED],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let verdict = |page| {
        let mut shown = Shown::default();
        for (index, entry) in case.report(page).entries().filter(|(_, entry)| entry.ke == Ke::Olm) {
            match (&case.readings[page.report].evidence[index], entry.meaning) {
                (Some(Facts::Olm(_)), Meaning::Failure) => shown.failing.push(index),
                (_, Meaning::Failure) => {
                    shown.leave_open(|| "a line about Olm has a form that is not known".to_owned())
                }
                (_, Meaning::Transient) => shown.harmless += 1,
                _ => {}
            }
        }
        let proof = Proof::new(case).evidence(seen::quoted(case, page, &shown.failing, "Olm failed")).premise(
            &FAILED,
            !shown.failing.is_empty(),
            || seen::ask(case, page, Ke::Olm),
        );
        let saw = format!("Olm sessions or messages failed ({})", seen::lines(shown.failing.len()));
        seen::decide(case, &FAMILY, page, (shown, proof, &saw))
    };
    case.pages.iter().map(verdict).collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    let page = |line: &str| {
        MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000)
            .line(1_795_425_000_000, Level::Warn, line)
            .json()
    };
    let lost = r#"WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey("curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"))
    in x with sender="@bob:localhost" sender_key="curve25519:3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo" session_id="S"
    in x with sender="@bob:localhost" event_type="m.room.encrypted" message_id="m1""#;
    vec![
        History::new("a message cannot be opened")
            .file("alice.report.json", page(lost))
            .proves("olm-seen", "@alice:example.org/ALICE (alice.report.json)"),
        History::new("a message came twice")
            .file("alice.report.json", page("Failed to decrypt a pre-key message with the corresponding session"))
            .never_proves("olm-seen", "")
            .refutes("olm-seen", ""),
        History::new("a message could not be opened before the console was dropped from the build")
            .file(
                "alice.report.json",
                MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000)
                    .but(|report| report.capture.lines_seen = 0)
                    .json(),
            )
            .never_refutes("olm-seen", ""),
    ]
}

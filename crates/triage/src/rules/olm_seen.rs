//! OLM on a page: Olm sessions or messages failed.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_core::{Entry, Ke, Meaning};

use super::rule::Rule;
use super::seen::{self, Family, Sight};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::Verdict;

const FAILED: Premise = Premise {
    id: "olm-seen/line",
    says: "A line of the report says that an Olm session could not be made or used, or that a batch of messages was dropped.",
    rules_out: "Every line of the family is one that healthy pages print as well, such as that of a message that came twice.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::OlmSeen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The crypto library prints each Olm message that it cannot open and each session that it cannot make. What such a \
               message held, and whether another context of the device opened it, the line does not say.",
    proven_by: &[&FAILED],
    refuted_by: &[&seen::QUIET, &seen::WATCHED],
    check,
    #[cfg(test)]
    histories,
};

const FAMILY: Family = Family {
    conclusion: Conclusion::OlmSeen,
    ke: Ke::Olm,
    failed: &FAILED,
    judge,
    quoted_as: "Olm failed",
    saw: "Olm sessions or messages failed",
    unseen: "",
    tells: |_, _| Vec::new(),
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    seen::verdicts(case, &FAMILY)
}

fn judge(entry: &Entry, facts: Option<&Facts>) -> Sight {
    match (facts, entry.meaning) {
        // None of the sender's sessions opens a message within a session that comes a second time.
        (Some(Facts::Olm(olm)), Meaning::Failure) if olm.kind == OlmKind::NoSession => {
            Sight::Open("a message within a session could not be opened, as one that came a second time cannot be")
        }
        (Some(Facts::Olm(_)), Meaning::Failure) => Sight::Failing,
        (_, Meaning::Failure) => Sight::Open("a line about Olm has a form that is not known"),
        (_, Meaning::Transient) => Sight::Harmless,
        _ => Sight::Nothing,
    }
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
        History::new("a message within a session could not be opened, which may have come a second time")
            .file(
                "alice.report.json",
                page("WARN matrix_sdk_crypto::olm::account: Failed to decrypt a non-pre-key message with all available sessions"),
            )
            .never_proves("olm-seen", "")
            .never_refutes("olm-seen", ""),
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

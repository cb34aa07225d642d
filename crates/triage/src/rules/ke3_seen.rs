//! KE-3 on a page: events that it could not decrypt, and should have.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke3::Reason;
use crypto_diag_core::{Ke, Meaning};

use super::Rule;
use super::seen::{self, Family, Shown};
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::{Premise, Proof};
use crate::verdict::{ArtefactKind, Verdict};

const UNREADABLE: Premise = Premise {
    id: "ke3-seen/unreadable",
    says: "A line of the report says that an event lacks what its decryption needs, or does not fit its own key.",
    rules_out: "The events are as they must be: older than this device or its membership, kept back by a setting, or a moment \
                ahead of their room key, which prints no line when it comes.",
};

const QUIET: Premise = Premise {
    id: "ke3-seen/no-line",
    says: "Every undecryptable event that the report counts is older than this device or its membership, or kept back by a \
           setting.",
    rules_out: "",
};

const WATCHED: Premise = Premise {
    id: "ke3-seen/watched",
    says: "The capture watched the page from its installation until the report, missed nothing, and nothing was cut out of \
           the report.",
    rules_out: "",
};

const FAMILY: Family = Family { conclusion: Conclusion::Ke3Seen, ke: Ke::Ke3, quiet: &QUIET, watched: &WATCHED };

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Ke3Seen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The client prints why it cannot decrypt an event. A field that is missing or wrong does not come back; a room key \
               that has not come may come a second later, and no line says so; a message that was sent before this device \
               logged in is not meant for it.",
    proven_by: &[&UNREADABLE],
    refuted_by: &[&QUIET, &WATCHED],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let verdict = |page| {
        let mut shown = Shown::default();
        for (index, entry) in case.report(page).entries().filter(|(_, entry)| entry.ke == Ke::Ke3) {
            // The machine's own line is printed beside the client's about the same event.
            if entry.meaning != Meaning::Failure {
                continue;
            }
            let Some(Facts::Ke3(event)) = &case.readings[page.report].evidence[index] else {
                shown.leave_open(|| "a line about an undecryptable event has a form that is not known".to_owned());
                continue;
            };
            match event.reason {
                Reason::Malformed | Reason::MismatchedRoom | Reason::DuplicateIndex => shown.failing.push(index),
                Reason::Historical | Reason::Withheld | Reason::SenderNotTrusted => shown.harmless += 1,
                Reason::MissingRoomKey | Reason::UnknownIndex => {
                    shown.leave_open(|| "the room keys of events were not there, and may have come later".to_owned());
                }
                Reason::Other => {
                    shown.leave_open(|| "an event could not be decrypted for a reason that is not known".to_owned())
                }
            }
        }
        let proof = Proof::new(case)
            .evidence(seen::quoted(case, page, &shown.failing, "the client could not read the event"))
            .premise(&UNREADABLE, !shown.failing.is_empty(), || seen::ask(case, page, Ke::Ke3));
        let saw = format!("events could not be decrypted for what they are ({})", seen::lines(shown.failing.len()));
        seen::decide(case, &FAMILY, page, (shown, proof, &saw))
    };
    case.pages.iter().map(verdict).collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    let page = |message: &str| {
        let line = format!(
            "Error decrypting event (id=$e type=m.room.encrypted sender=@b:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: {message}, sender_key: undefined, session_id: undefined]"
        );
        MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000).line(
            1_795_425_000_000,
            Level::Warn,
            &line,
        )
    };
    vec![
        History::new("an event has no algorithm")
            .file("alice.report.json", page("missing field `algorithm` at line 1 column 9").json())
            .proves("ke3-seen", "@alice:example.org/ALICE (alice.report.json)"),
        History::new("a new device sees old messages")
            .file(
                "alice.report.json",
                page("This message was sent before this device logged in, and there is no key backup on the server.")
                    .json(),
            )
            .never_proves("ke3-seen", "")
            .refutes("ke3-seen", "")
            .exits(&[0, 2]),
        History::new("a message is a second ahead of its room key")
            .file("alice.report.json", page("The sender's device has not sent us the keys for this message.").json())
            .never_proves("ke3-seen", "")
            .never_refutes("ke3-seen", ""),
        History::new("a new device sees old messages, and its console was hooked by something else")
            .file(
                "alice.report.json",
                page("This message was sent before this device logged in, and there is no key backup on the server.")
                    .but(|report| report.capture.hooks[0].in_place = false)
                    .json(),
            )
            .never_refutes("ke3-seen", ""),
    ]
}

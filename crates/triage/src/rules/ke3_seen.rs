//! KE-3 on a page: events that it could not decrypt, and should have.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke3::Reason;
use crypto_diag_core::{Entry, Ke, Meaning};

use super::Rule;
use super::seen::{self, Family, Sight};
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::{ArtefactKind, Verdict};

const UNREADABLE: Premise = Premise {
    id: "ke3-seen/unreadable",
    says: "A line of the report says that an event lacks what its decryption needs, holds a value that cannot be decoded, or does not fit its own key.",
    rules_out: "The events are as they must be: older than this device or its membership, kept back by a setting, or a moment \
                ahead of their room key, which prints no line when it comes.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Ke3Seen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The client prints why it cannot decrypt an event. A field that is missing or wrong does not come back; a room key \
               that has not come may come a second later, and no line says so; a message that was sent before this device \
               logged in is not meant for it.",
    proven_by: &[&UNREADABLE],
    refuted_by: &[&seen::QUIET, &seen::WATCHED],
    check,
    #[cfg(test)]
    histories,
};

const FAMILY: Family = Family {
    conclusion: Conclusion::Ke3Seen,
    ke: Ke::Ke3,
    failed: &UNREADABLE,
    judge,
    quoted_as: "the client could not read the event",
    saw: "events could not be decrypted for what they are",
    unseen: "",
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    seen::verdicts(case, &FAMILY)
}

fn judge(entry: &Entry, facts: Option<&Facts>) -> Sight {
    // The machine's own line is printed beside the client's about the same event.
    if entry.meaning != Meaning::Failure {
        return Sight::Nothing;
    }
    let Some(Facts::Ke3(event)) = facts else {
        return Sight::Open("a line about an undecryptable event has a form that is not known");
    };
    match event.reason {
        Reason::Malformed | Reason::MismatchedRoom | Reason::DuplicateIndex => Sight::Failing,
        Reason::Historical | Reason::Withheld | Reason::SenderNotTrusted => Sight::Harmless,
        Reason::MissingRoomKey | Reason::UnknownIndex => {
            Sight::Open("the room keys of events were not there, and may have come later")
        }
        Reason::NoOlmSession => Sight::Open("a sender had no Olm session with this device to send the room key by"),
        Reason::Other => Sight::Open("an event could not be decrypted for a reason that is not known"),
    }
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

//! KE-3 on a page: events that it could not decrypt, and should have.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke3::Reason;
use crypto_diag_core::{Entry, Ke, Meaning};

use super::room_key_withheld;
use super::rule::Rule;
use super::seen::{self, Family, Sight};
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::Premise;
use crate::verdict::Verdict;

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
               logged in is not meant for it. That a message is older than the device, kept back or of a sender who is not trusted \
               enough is what the client takes for the reason. It proves no failure, and does not exclude one.",
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
    saw: "events could not be decrypted that this device should be able to decrypt",
    unseen: "",
    tells,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    seen::verdicts(case, &FAMILY)
}

/// What would tell why a page could not read events for want of a room key.
fn tells(case: &Case<'_>, page: &Page) -> Vec<Need> {
    let lacked = room_key_withheld::lacked(case);
    let mut needs: Vec<Need> = Vec::new();
    for need in lacked.iter().filter(|lacked| lacked.page.report == page.report).flat_map(|lacked| lacked.needs()) {
        if !needs.contains(&need) {
            needs.push(need);
        }
    }
    needs
}

fn judge(entry: &Entry, facts: Option<&Facts>) -> Sight {
    let Some(Facts::Ke3(event)) = facts else {
        return match entry.meaning {
            Meaning::Failure => Sight::Open("a line about an undecryptable event has a form that is not known"),
            _ => Sight::Nothing,
        };
    };
    match event.reason {
        Reason::Historical => {
            Sight::Open("the client calls events older than this device or its membership, and need not be right")
        }
        // The machine's own line is printed beside the client's about the same event.
        _ if entry.meaning != Meaning::Failure => Sight::Nothing,
        Reason::Malformed | Reason::MismatchedRoom | Reason::DuplicateIndex => Sight::Failing,
        Reason::Withheld => {
            Sight::Open("the client says that senders keep room keys back from this device, and need not be right")
        }
        Reason::SenderNotTrusted => {
            Sight::Open("the client refuses events whose sender it does not trust enough, and need not be right")
        }
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

    let quiet = || MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000);
    let page = |message: &str| {
        let line = format!(
            "Error decrypting event (id=$e type=m.room.encrypted sender=@b:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: {message}, sender_key: undefined, session_id: undefined]"
        );
        quiet().line(1_795_425_000_000, Level::Warn, &line)
    };
    let said = |name: &str, message: &str| {
        History::new(name)
            .file("alice.report.json", page(message).json())
            .never_proves("ke3-seen", "")
            .never_refutes("ke3-seen", "")
            .exits(&[2])
    };
    vec![
        History::new("an event has no algorithm")
            .file("alice.report.json", page("missing field `algorithm` at line 1 column 9").json())
            .proves("ke3-seen", "@alice:example.org/ALICE (alice.report.json)"),
        said(
            "a new device sees old messages, or one that lost its store does",
            "This message was sent before this device logged in, and there is no key backup on the server.",
        ),
        said("a sender keeps its keys back, or the client takes a loss for that", "The sender has blocked you."),
        said(
            "the client refuses a sender who is not verified, or one whose identity another context overwrote",
            "Decryption failed because trust requirement is not satisfied: the sender device is not known",
        ),
        said(
            "a message is a second ahead of its room key",
            "The sender's device has not sent us the keys for this message.",
        ),
        History::new("a page reads every event").file("alice.report.json", quiet().json()).refutes("ke3-seen", ""),
        History::new("a page reads every event, as far as a hook shows that something else has replaced")
            .file("alice.report.json", quiet().but(|report| report.capture.hooks[0].in_place = false).json())
            .never_refutes("ke3-seen", ""),
    ]
}

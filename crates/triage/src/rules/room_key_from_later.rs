//! KE-3: a page has the room key of an event's session, but from a later message on.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::Ke3;
use crypto_diag_analysis::evidence::ke3::Reason;

use super::room_key_withheld::{self, Lacked};
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::verdict::{Sentences, Verdict};

/// Lines that a verdict quotes at most.
const QUOTED_MAX: usize = 3;

const INDEXES: Premise = Premise {
    id: "room-key-from-later/indexes",
    says: "The crypto library's own line about the event says at which index of its session the page's key begins, and that the event is at a smaller one.",
    rules_out: "The client's sentence is a guess of why it has no key at all; or something else is wrong with the event.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::RoomKeyFromLater,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "A room key goes forward alone: one that begins at a later message opens no earlier one. The crypto library prints both \
               indexes as it compares them, so what it says is of its store, and no guess of a cause. It is said of the time of the line: \
               a key that begins earlier may still come, from a backup, an export or another device.",
    proven_by: &[&INDEXES],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let lacked = room_key_withheld::lacked(case);
    lacked
        .iter()
        .filter(|lacked| lacked.event.reason == Reason::UnknownIndex)
        .map(|lacked| judge(case, lacked))
        .collect()
}

/// A line of the crypto library about an event: where it stands, and the two indexes.
struct Compared<'c> {
    entry: usize,
    event_id: &'c str,
    key_from: u64,
    event_at: u64,
}

/// The lines of the crypto library about these events in which the key begins behind the event.
fn compared<'c>(case: &'c Case<'_>, lacked: &Lacked<'c>) -> Vec<Compared<'c>> {
    let of_event = |line: &'c Ke3| {
        let event_id = line.event_id.as_deref().filter(|id| lacked.event_ids.contains(id))?;
        let other_session = line.session_id.as_deref().zip(lacked.event.session_id.as_deref());
        let (key_from, event_at) = line.indexes()?;
        (key_from > event_at && other_session.is_none_or(|(one, other)| one == other))
            .then_some((event_id, key_from, event_at))
    };
    let lines = case.lines().filter(|(report, ..)| *report == lacked.page.report);
    let found = lines.filter_map(|(_, entry, _, facts)| {
        let Facts::Ke3(line) = facts else { return None };
        let (event_id, key_from, event_at) = of_event(line)?;
        Some(Compared { entry, event_id, key_from, event_at })
    });
    found.collect()
}

fn judge(case: &Case<'_>, lacked: &Lacked<'_>) -> Verdict {
    let (label, report) = (case.label(lacked.page), lacked.page.report);
    let sender = lacked.event.sender.as_deref().unwrap_or("somebody");
    let compared = compared(case, lacked);
    let says = "the crypto library compared the event's index with that of the key";
    let lines: Vec<_> =
        compared.iter().filter_map(|line| case.entry(report, line.entry, says)).take(QUOTED_MAX).collect();
    let proof = Proof::new(case).evidence(lacked.lines(case)).premise(
        &INDEXES,
        (!lines.is_empty()).then_some(lines),
        || {
            let whose = lacked.page.device.clone().map_or_else(|| Whose::Somebody(label.clone()), Whose::Device);
            let why = "from which index on the client has the key: the crypto library's own lines, which a page whose log level hides warnings does not print";
            vec![Need::report(whose, ReportTime::CaptureBefore, why)]
        },
    );
    let proven = match compared.first() {
        Some(Compared { entry, event_id, key_from, event_at }) => {
            let at = case
                .printed(report, *entry)
                .map_or_else(String::new, |at| format!("At {} ", stamp::print(at.earliest)));
            format!(
                "{at}{label} had the room key of {sender}’s session from index {key_from} on, and event {event_id} is at index {event_at}."
            )
        }
        None => format!("{label} had a room key of {sender} from a later message on."),
    };
    let sentences = Sentences {
        proven,
        refuted: String::new(),
        unknown: format!(
            "{label} could not read events of {sender}. Its client says that the key begins at a later message; whether it has a key at all cannot be told."
        ),
    };
    let verdict = Verdict::decide(case, Conclusion::RoomKeyFromLater, lacked.about(case), proof, None, sentences);
    verdict.how(
        "Why no earlier one: the sender’s client gave the key to this device only after that message, since the device was new, or was not on \
         its list; the message with the first key was lost; or the key came from an export, a backup or another device, which had it from there on.",
    )
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    const BEGUN: u64 = 1_795_424_000_000;
    const SAYS: &str = "The sender's device has not sent us the keys for this message at this index.";
    let page = |says: &str, machine: Option<(&str, &str)>| {
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000);
        let page = match machine {
            Some((event_id, why)) => {
                let line = format!(
                    "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: {why}\n    at src/machine/mod.rs:2336\n    in matrix_sdk_crypto::machine::decrypt_room_event with room_id=\"!r:example.org\" sender=\"@bob:example.org\" event_id=\"{event_id}\" session_id=\"SESSION\""
                );
                page.line(BEGUN + 59_990, Level::Warn, &line)
            }
            None => page,
        };
        let line = format!(
            "Error decrypting event (id=$e type=m.room.encrypted sender=@bob:example.org room=!r:example.org ts=2026-11-23T09:06:00.000Z): DecryptionError[msg: {says}, sender_key: undefined, session_id: SESSION]"
        );
        page.line(BEGUN + 60_000, Level::Warn, &line)
    };
    let history = |name: &str, page: MadeUpPage| History::new(name).file("alice.report.json", page.json());
    let indexes = |key_from: u64, event_at: u64| {
        format!(
            "The message was encrypted using an unknown message index, first known index {key_from}, index of the message {event_at}"
        )
    };
    let told = |name: &str, event_id: &str, why: &str| history(name, page(SAYS, Some((event_id, why))));
    vec![
        told("Bob's client gave the key to Alice's new device from his third message on", "$e", &indexes(2, 0))
            .proves("room-key-from-later", "SESSION")
            .exits(&[1, 2]),
        history("the client says so, and the crypto library's lines are hidden", page(SAYS, None))
            .never_proves("room-key-from-later", "")
            .exits(&[2]),
        told("the crypto library's line is about another event", "$other", &indexes(2, 0))
            .never_proves("room-key-from-later", ""),
        told(
            "the crypto library has no key at all",
            "$e",
            "Can't find the room key to decrypt the event, withheld code: None",
        )
        .never_proves("room-key-from-later", ""),
        told("the indexes do not fit what the client says", "$e", &indexes(2, 5))
            .never_proves("room-key-from-later", ""),
    ]
}

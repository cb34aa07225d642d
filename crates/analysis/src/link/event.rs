//! KE-3: events that could not be decrypted.

use super::Case;
use crate::evidence::Evidence;
use crate::evidence::ke3::Reason;
use crate::finding::{EntryRef, Finding, Kind, Verdict};

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    type Group<'a> = (usize, Reason, Option<&'a str>, Vec<&'a str>, Vec<EntryRef>);
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (at, _, evidence) in case.lines() {
        let Evidence::Ke3(event) = evidence else { continue };
        let field = event.field.as_deref();
        let same = |group: &&mut Group<'_>| (group.0, group.1, group.2) == (at.report, event.reason, field);
        let id = event.event_id.as_deref().or(event.message_id.as_deref());
        match groups.iter_mut().find(same) {
            Some(group) => {
                group.3.extend(id.filter(|id| !group.3.contains(id)));
                group.4.push(at);
            }
            None => groups.push((at.report, event.reason, field, id.into_iter().collect(), vec![at])),
        }
    }
    groups.into_iter().map(|(_, reason, field, ids, entries)| finding(reason, field, &ids, entries)).collect()
}

fn finding(reason: Reason, field: Option<&str>, events: &[&str], entries: Vec<EntryRef>) -> Finding {
    let count = match events.len() {
        0 => "Events".to_owned(),
        1 => format!("Event {}", events[0]),
        many => format!("{many} events"),
    };
    let statement = format!("{count} could not be decrypted: {}.", because(reason, field));
    let finding = Finding::new(Kind::UndecryptableEvents, Verdict::Unknown, statement)
        .rests_on(entries)
        .id("eventId", events.first().copied())
        .id("field", field);
    match reason {
        Reason::Malformed => finding
            .proves("What reached this client's decryption lacks the field.")
            .does_not_prove("Where it was lost: at the sender, on the server, on the way, or in this client.")
            .open("The event was redacted: Synapse then rewrites what it stored, and the field goes.")
            .open("The sender made it so.")
            .needs("the event as the server holds it, and whether it was redacted", "server query `ke3-events`")
            .needs(
                "the event as it arrived, if the server's has the field",
                "a HAR with the /sync or /messages that brought it",
            ),
        Reason::MissingRoomKey | Reason::UnknownIndex => finding
            .proves("The room key for these messages is not in this store, or not from this message on.")
            .does_not_prove("That it was lost: it may never have been sent to this device, or still be on its way.")
            .open("The message is older than this device, or than its membership of the room.")
            .needs(
                "whether the sender sent the room key to this device",
                "the sender's report, or its console at debug level",
            ),
        Reason::Historical => finding
            .proves("The message is older than this device or its membership.")
            .does_not_prove("Any failure of key sharing.")
            .open("It is normal for a new device without key backup."),
        Reason::Withheld | Reason::SenderNotTrusted => finding
            .proves(
                "A setting forbade it: the sender's for unverified devices, or this client's for untrusted senders.",
            )
            .does_not_prove("Any loss of keys.")
            .open("It is what the setting is for."),
        Reason::MismatchedRoom | Reason::DuplicateIndex => finding
            .proves("The event does not fit its own key: a replay, or an event that was changed.")
            .does_not_prove("Who changed it.")
            .needs("the event as the server holds it", "server query `ke3-events`"),
        Reason::Other => finding
            .does_not_prove("Any cause: the sentence is not one that this program knows.")
            .needs("the event as the server holds it", "server query `ke3-events`"),
    }
}

fn because(reason: Reason, field: Option<&str>) -> String {
    match (reason, field) {
        (Reason::Malformed, Some(field)) => format!("the field `{field}` is missing or wrong"),
        (Reason::Malformed, None) => "its content is not what it should be".to_owned(),
        (Reason::MissingRoomKey, _) => "the room key has not come".to_owned(),
        (Reason::UnknownIndex, _) => "the room key begins with a later message".to_owned(),
        (Reason::Withheld, _) => "the sender keeps the room key back".to_owned(),
        (Reason::Historical, _) => "the message is older than this device or its membership".to_owned(),
        (Reason::SenderNotTrusted, _) => "the sender is not trusted enough".to_owned(),
        (Reason::MismatchedRoom, _) => "it belongs to another room".to_owned(),
        (Reason::DuplicateIndex, _) => "its index was used before".to_owned(),
        (Reason::Other, _) => "the client gives another reason".to_owned(),
    }
}

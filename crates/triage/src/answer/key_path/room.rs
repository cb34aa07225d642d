//! A room key that a page lacked: those hops which files tell. Messages with room keys do not say which key they hold, so that for
//! most of them nothing can be told of one key.

use super::{Hop, KeyPath, Told, key_path, proven};
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::rules::room_key_withheld::{self, Lacked};
use crate::subject::Subject;
use crate::verdict::Verdict;

pub(super) fn wanted<'c>(case: &'c Case<'_>) -> Vec<(i64, Lacked<'c>)> {
    room_key_withheld::lacked(case).into_iter().map(|lacked| (lacked.at, lacked)).collect()
}

pub(super) fn path(case: &Case<'_>, verdicts: &[Verdict], lacked: &Lacked<'_>) -> KeyPath {
    let (about, subject) = lacked.about(case);
    let of_events = |other: &Subject| {
        other.report == subject.report
            && lacked.event_ids.iter().any(|id| other.event_ids.iter().any(|other| other == id))
    };
    let kept_back = proven(verdicts, &[Conclusion::RoomKeyWithheld], of_events);
    let from_later = proven(verdicts, &[Conclusion::RoomKeyFromLater], of_events);
    let sent = match kept_back {
        Some(verdict) => Told::refuted_by(verdict),
        None => Told::unknown(
            "no file says whether the sender sent it",
            Need::har(lacked.page.report, "the notices by which a sender says that it keeps a key back"),
        ),
    };
    let unopened = lacked.unopened(case);
    let says = match unopened.is_empty() {
        true => "no file says in which message it was",
        false => "a message of the sender could not be opened; whether the key was in it no file says",
    };
    let opened = Told { evidence: unopened, ..Told::unknown(says, None) };
    // What the client says of its store is kept as evidence, and is no proof: the key may have come since.
    let words = lacked.event.message.as_deref().unwrap_or("nothing");
    let set = Told { evidence: lacked.lines(case), ..Told::unknown(format!("the client says: {words}"), None) };
    let decrypted = match from_later {
        Some(verdict) => Told::refuted_by(verdict),
        None => Told {
            evidence: lacked.lines(case),
            ..Told::unknown("not when the line was printed; no line says that it was later", None)
        },
    };
    key_path(
        case,
        (about, subject),
        &[(Hop::Sent, sent), (Hop::Opened, opened), (Hop::Set, set), (Hop::Decrypted, decrypted)],
    )
}

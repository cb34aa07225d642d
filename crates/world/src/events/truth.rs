//! What is true of a history.

use std::collections::BTreeSet;

use super::play::{Error, Form, play};
use super::{ALICE, Fate, State, View, files};
use crate::judge::Claim;

/// Every claim that holds of the events that the report has lines of. What is not among them is false, whatever its name.
pub fn truths(state: &State, view: &View) -> BTreeSet<Claim> {
    let played = play(&state.actions);
    let alice = format!("{}/{}", ALICE.user, ALICE.id);
    let mut truths = BTreeSet::new();
    for line in files::shown(&played, view) {
        let mut holds = |claim: &str, about: String| {
            truths.insert((claim.to_owned(), about));
        };
        let fate = played.events[line.event].fate;
        let id = files::id(line.event);
        let field = || format!("{id} field algorithm");
        let key = || format!("{id} sender_key at {alice}");
        let room_key = || format!("{alice} room key of session {}", files::session(line.event));
        match fate {
            Fate::SentWithout => holds("malformed-on-server", field()),
            Fate::SentBroken => holds("undecodable-on-server", key()),
            // What had no content when it was served was spoiled by nobody else.
            Fate::Stripped if line.form == Form::Without => holds("stripped-on-the-way", field()),
            Fate::ClientLoses if line.form == Form::Whole => holds("client-bug", field()),
            Fate::KeptBack => holds("room-key-withheld", room_key()),
            Fate::FromLater => holds("room-key-from-later", room_key()),
            _ => {}
        }
        // An event of before this device, one that is kept back from it, and one whose key is late are as they must be.
        let failed = matches!(line.error, Error::Missing(_) | Error::NoPublicKey)
            || matches!(fate, Fate::KeyNever | Fate::LostThenKeptBack | Fate::LostThenUnavailable | Fate::Untrusted);
        if failed {
            holds("ke3-seen", format!("{alice} ({})", files::REPORT));
        }
    }
    truths
}

//! What is true of a history.

use std::collections::BTreeSet;

use super::play::{Error, JOINED_MS, play};
use super::{ALICE, BOB, State, View, files};
use crate::judge::Claim;

/// A key that is a moment late is there within this.
const LASTS_MS: i64 = 10_000;
/// A network's hiccup is over within this.
const QUIET_MS: i64 = 5_000;

/// Every claim that holds. What is not among them is false, whatever its name.
pub fn truths(state: &State, view: &View) -> BTreeSet<Claim> {
    let call = play(state, view);
    let alice = format!("{}/{}", ALICE.user, ALICE.id);
    let bob = format!("{alice} from {}/{}", BOB.user, BOB.id);
    // Where no line says whose it is, what is said of a stream is said of its session.
    let is_named = view.late || (view.info && files::is_shown(&call, view, JOINED_MS));
    let stream = if is_named { bob.clone() } else { format!("{alice} from {}", files::SIDS[1].1) };
    let mut truths = BTreeSet::new();
    let mut hold = |claim: &str, about: &str| {
        truths.insert((claim.to_owned(), about.to_owned()));
    };
    // It is said of that second, to its end. What the SFU adds in the clear counts where none of Bob's own frames stays closed.
    if call.own.decoded > 0.0 && call.own.stuck_since.is_none() {
        hold("media-decoded", &stream);
    }
    if call.own.came > 0.0 && call.own.stuck_since.is_some_and(|since| since + LASTS_MS <= call.sampled[0]) {
        hold("media-not-decrypted", &stream);
    }
    if call.own.last.is_none_or(|last| last + QUIET_MS <= call.sampled[1]) {
        hold("media-not-arriving", &stream);
        hold("media-not-arriving", &bob);
    }
    if !call.now.microphone {
        hold("media-not-sent", &alice);
    }
    if !state.start.encrypts && state.start.decrypts {
        hold("encryption-one-sided", &bob);
    }
    // A key was missing, and no key came for its index until the report was made.
    let is_open = |(at, error): &&(i64, Error)| match error {
        Error::Missing(index) => !call.keys.iter().any(|key| key.index == *index && key.at >= *at),
        Error::Wrong => false,
    };
    let mut shown = call.errors.iter().filter(|(at, _)| files::is_shown(&call, view, *at));
    if shown.any(|error| is_open(&error)) {
        hold("ke2-seen", &format!("{alice} ({})", files::REPORT));
    }
    truths
}

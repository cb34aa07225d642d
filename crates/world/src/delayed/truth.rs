//! What is true of a history.
//!
//! What is said of a call is said of those failed attempts that its report shows: each line stands for one of them.

use std::collections::BTreeSet;

use super::state::{Attempt, State};
use super::{DEVICE, Fate, ROOM, View, files};
use crate::judge::Claim;

/// Nobody was slow about what was answered sooner than this, in milliseconds.
const SLOW_MS: i64 = 1_000;

/// So many failures in a row are no transient.
const IN_A_ROW: usize = 3;

/// Every claim that holds. What is not among them is false, whatever its name.
pub fn truths(state: &State, view: &View) -> BTreeSet<Claim> {
    let device = format!("{}/{}", DEVICE.user, DEVICE.id);
    let call = format!("{device} {ROOM}");
    let mut truths = BTreeSet::new();
    let mut holds = |claim: &str, about: &str| {
        truths.insert((claim.to_owned(), about.to_owned()));
    };
    for (at, (attempt, gave_up, _)) in state.failures().enumerate() {
        if !files::is_shown(state, view, gave_up) {
            continue;
        }
        if let Some(cause) = cause(state, attempt, gave_up) {
            holds(cause, &call);
        }
        // Three of them in a row, this one the last, while the page was awake.
        let mut row = state.failures().take(at + 1).skip((at + 1).saturating_sub(IN_A_ROW));
        let awake = row.all(|(attempt, ..)| attempt.fate != Fate::Frozen);
        if usize::from(attempt.failed_before) + 1 >= IN_A_ROW && awake {
            holds("delayed-event-timeouts", &call);
            holds("ke4-seen", &format!("{device} ({})", files::REPORT));
        }
    }
    truths
}

/// Who let an attempt fail: whoever took more than half of the time that the client waited.
fn cause(state: &State, attempt: &Attempt, gave_up: i64) -> Option<&'static str> {
    let way = state.way(attempt);
    let Some(arrived) = way.arrived else { return Some("never-arrived") };
    let waited = gave_up - attempt.sent;
    if attempt.fate == Fate::Frozen || waited < SLOW_MS {
        return None;
    }
    let ended = way.ended.map_or(i64::MAX, |(ended, _)| ended);
    let outside = arrived.min(gave_up) - attempt.sent - way.queued + (gave_up - ended).max(0);
    let is_slow = (ended - arrived).saturating_mul(2) >= waited;
    if is_slow && (arrived - attempt.sent) * 2 <= waited && ended > gave_up {
        Some("slow-homeserver")
    } else if !is_slow && outside * 2 > waited {
        Some("slow-gateway")
    } else {
        None
    }
}

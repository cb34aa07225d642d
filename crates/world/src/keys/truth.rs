//! What is true of a history.

use std::collections::BTreeSet;

use super::files::{captured, report_name};
use super::state::{Outcome, State, Upload};
use super::{Asked, DEVICE, View};
use crate::forms::signing;
use crate::judge::Claim;
use crate::model::Step;

fn label() -> String {
    format!("{}/{}", DEVICE.user, DEVICE.id)
}

/// Every claim that holds. What is not among them is false, whatever its name: nothing else happens in these histories.
pub fn truths(state: &State, view: &View) -> BTreeSet<Claim> {
    let mut truths = BTreeSet::new();
    let mut holds = |claim: &str, about: String| {
        truths.insert((claim.to_owned(), about));
    };
    for (upload, refused_at, held) in refusals(state) {
        let about = format!("{} signed_curve25519:{}", label(), signing::key_id(state.id(held)));
        holds("diverged", about.clone());
        if state.identity(held) == state.identity(upload.key) {
            holds("same-identity", about.clone());
            let began = state.pages[upload.page].began;
            if state
                .uploads
                .iter()
                .any(|other| other.key == held && matches!(other.arrived, Some((at, Outcome::Accepted)) if at < began))
            {
                holds("rollback", about.clone());
            }
        } else {
            holds("identity-replaced", about.clone());
        }
        if two_publish(state) {
            holds("two-contexts", about);
        }
        let page = &state.pages[upload.page];
        if upload.answered && captured(state, view, page, refused_at) {
            holds("ke1-seen", format!("{} ({})", label(), report_name(state, upload.page)));
        }
    }
    for unopened in &state.unopened {
        if let Ok(key) = state.claims[unopened.claim].key {
            let about = format!("{} {}", label(), signing::one_time_key(key));
            // The account never had the key, and one of its own was refused in its favour.
            let made = |key: super::state::Key| unopened.made & 1 << key != 0;
            if !made(key) && refusals(state).any(|(upload, _, held)| held == key && made(upload.key)) {
                holds("conflict-lost-key", about.clone());
            }
            holds("lost-key", about);
        }
        if view.lines.library && captured(state, view, &state.pages[unopened.page], unopened.at) {
            holds("olm-seen", format!("{} ({})", label(), report_name(state, unopened.page)));
        }
    }
    for (count, claim) in state.claims.iter().enumerate() {
        if let Ok(key) = claim.key
            && state.claims[..count].iter().any(|earlier| earlier.key == claim.key)
        {
            holds("server-restored", format!("{} signed_curve25519:{}", label(), signing::key_id(state.id(key))));
        }
    }
    if server_held_another(state) {
        holds("identity-overwritten", label());
    }
    let tables = match view.tables {
        Some(Asked::Then) => state.asked.as_ref().map(|(_, tables)| tables),
        Some(Asked::AtTheEnd) => Some(&state.tables),
        None => None,
    };
    if tables.is_some_and(|tables| tables.keys.is_empty() && matches!(tables.fallback, Some((_, true)))) {
        holds("exhausted", label());
    }
    truths
}

/// Refused uploads: the upload, when it was refused, and the key that the server holds.
pub fn refusals(state: &State) -> impl Iterator<Item = (&Upload, Step, super::state::Key)> {
    state.uploads.iter().filter_map(|upload| match upload.arrived {
        Some((at, Outcome::Refused(held))) => Some((upload, at, held)),
        _ => None,
    })
}

/// Whether the server held an identity at a time between two at which clients of the device had another one.
fn server_held_another(state: &State) -> bool {
    let clients = || state.pages.iter().flat_map(|page| &page.clients);
    let until = |at: usize| state.identities_held.get(at + 1).map_or(Step::MAX, |(next, _)| *next);
    state.identities_held.iter().enumerate().any(|(at, (from, held))| {
        let Some(held) = held else { return false };
        clients().filter(|client| client.identity != *held && client.opened < until(at)).any(|before| {
            let same = || clients().filter(|client| client.identity == before.identity);
            same().any(|after| after.closed.is_none_or(|closed| closed > *from))
        })
    })
}

/// Whether two clients of the device ran at one time, and both offered the server keys.
fn two_publish(state: &State) -> bool {
    let clients: Vec<(usize, usize, Step, Step)> = state
        .pages
        .iter()
        .enumerate()
        .flat_map(|(page, found)| {
            found
                .clients
                .iter()
                .enumerate()
                .map(move |(at, client)| (page, at, client.opened, client.closed.unwrap_or(Step::MAX)))
        })
        .filter(|(page, client, ..)| {
            state.uploads.iter().any(|upload| (upload.page, upload.client) == (*page, *client))
        })
        .collect();
    clients
        .iter()
        .enumerate()
        .any(|(at, one)| clients[at + 1..].iter().any(|other| one.0 != other.0 && one.2 < other.3 && other.2 < one.3))
}

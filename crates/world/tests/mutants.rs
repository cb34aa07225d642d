//! Judges the kept histories, each of which must catch the mutants that it is kept for. `tests/witnesses` has a file for each model, a
//! history a line. `npm run worlds -- --mutants` looks for histories that catch more mutants, and adds them.

use std::collections::BTreeSet;
use std::path::Path;

use crypto_diag_triage::Mutation;
use crypto_diag_world::delayed::Delayed;
use crypto_diag_world::delivery::Delivery;
use crypto_diag_world::events::Events;
use crypto_diag_world::judge;
use crypto_diag_world::keys::Keys;
use crypto_diag_world::media::Media;
use crypto_diag_world::model::{Model, reached};
use crypto_diag_world::search::mutants::{self, Witness};
use serde::Deserialize;
use serde::de::DeserializeOwned;

/// Conclusions that no model covers (docs/soundness.md says what is outside). `crates/triage` tries each of their premises on a history
/// that was written by hand.
const NOT_MODELLED: [&str; 10] = [
    // They need another device's view of this one's identity and keys, and senders have no lists of devices in the models.
    "no-one-time-key",
    "stale-device-list",
    "encrypted-for-other-identity",
    "device-identity-changed",
    // It needs one-time keys and a call, which are in different models.
    "conflict-lost-media-key",
    // No message is sent again by its sender with another session, or by another sender with the same id.
    "same-key-two-sessions",
    "redelivery",
    // SFUs have no model.
    "different-sfu",
    // Leave events never fall due, and clients never give up.
    "membership-lost",
    "membership-manager-stopped",
];

/// Mutants that no history of the models catches, and why.
#[derive(Deserialize)]
struct NotCaught {
    why: String,
    mutants: Vec<String>,
}

fn lines<T: DeserializeOwned>(name: &str) -> Vec<T> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/witnesses").join(format!("{name}.jsonl"));
    let text = std::fs::read_to_string(path).expect("a file");
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap_or_else(|error| panic!("{name}: {error}: {line}")))
        .collect()
}

/// Judges each history of a file under each of the mutants that it is kept for.
fn are_caught<M: Model>(name: &str, model: M) {
    let all = mutants::all();
    let mut wrong = Vec::new();
    for (line, witness) in lines::<Witness<M::Action, M::View>>(name).into_iter().enumerate() {
        let begin = model.begin().swap_remove(witness.start);
        let state = reached(&model, begin, &witness.path);
        let named: Vec<Mutation> =
            all.iter().copied().filter(|mutant| witness.catches.contains(&mutants::name(*mutant))).collect();
        let files = model.files(&state, &witness.view);
        let caught = mutants::caught(&files, &model.truths(&state, &witness.view), &named);
        let caught: Vec<String> = caught.into_iter().map(mutants::name).collect();
        let not = witness.catches.iter().filter(|mutant| !caught.contains(mutant));
        wrong.extend(not.map(|mutant| format!("{name}.jsonl, line {}, does not catch “{mutant}”", line + 1)));
    }
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

#[test]
fn histories_of_keys_catch_their_mutants() {
    are_caught("keys", Keys::LARGE);
}

#[test]
fn histories_of_delayed_events_catch_their_mutants() {
    are_caught("delayed", Delayed::LARGE);
}

#[test]
fn histories_of_delivery_catch_their_mutants() {
    are_caught("delivery", Delivery::LARGE);
}

#[test]
fn histories_of_events_catch_their_mutants() {
    are_caught("events", Events);
}

#[test]
fn histories_of_media_catch_their_mutants() {
    are_caught("media", Media);
}

#[test]
fn each_mutant_of_a_modelled_rule_is_caught_or_explained() {
    #[derive(Deserialize)]
    struct Catches {
        catches: Vec<String>,
    }
    let models = ["keys", "delayed", "delivery", "events", "media"];
    let caught: BTreeSet<String> =
        models.iter().flat_map(|model| lines::<Catches>(model)).flat_map(|witness| witness.catches).collect();
    let explained: Vec<NotCaught> = lines("not-caught");
    assert!(explained.iter().all(|group| !group.why.is_empty()), "a group of mutants has no reason");
    let explained: BTreeSet<String> = explained.into_iter().flat_map(|group| group.mutants).collect();
    let premises = judge::premises();
    let is_modelled =
        |mutant: &Mutation| premises[mutant.premise()].iter().any(|name| !NOT_MODELLED.contains(&name.as_str()));
    let modelled: BTreeSet<String> = mutants::all().into_iter().filter(is_modelled).map(mutants::name).collect();
    println!("{} of {} mutants are caught", modelled.intersection(&caught).count(), modelled.len());
    let survive: BTreeSet<String> = modelled.difference(&caught).cloned().collect();
    let unexplained: Vec<_> = survive.difference(&explained).collect();
    assert!(unexplained.is_empty(), "these are not caught, and nothing says why: {unexplained:#?}");
    let stale: Vec<_> = explained.difference(&survive).collect();
    assert!(stale.is_empty(), "these are caught, or no mutants, and need no reason: {stale:#?}");
}

//! Every rule against every history: those of `tests/fixtures/worlds`, and those that each rule's file brings along.

use std::collections::BTreeSet;

use super::ALL;
use crate::Triage;
use crate::bundle::Bundle;
use crate::history::History;
use crate::proof::{Mutation, Premise};

/// The histories that the rules' files bring along: for each rule one in which it holds, and one for each innocent
/// explanation.
fn of_rules() -> Vec<History> {
    ALL.iter().flat_map(|rule| (rule.histories)()).collect()
}

fn premises() -> Vec<&'static Premise> {
    let mut seen = BTreeSet::new();
    let all = ALL.iter().flat_map(|rule| rule.proven_by.iter().chain(rule.refuted_by)).copied();
    all.filter(|premise| seen.insert(premise.id)).collect()
}

#[test]
fn nothing_false_is_said_of_any_world() {
    let wrong: Vec<String> =
        History::worlds().iter().flat_map(|world| world.faults(&Triage::of(&world.bundle()))).collect();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_rule_concludes_what_its_histories_say() {
    let wrong: Vec<String> = of_rules().iter().flat_map(|one| one.faults(&Triage::of(&one.bundle()))).collect();
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_rule_has_a_history_in_which_it_is_proven() {
    let proven: BTreeSet<String> = of_rules()
        .iter()
        .chain(&History::worlds())
        .flat_map(|history| {
            history.label.must_prove.iter().map(|(conclusion, _)| conclusion.clone()).collect::<Vec<_>>()
        })
        .collect();
    let missing: Vec<String> =
        ALL.iter().map(|rule| crate::history::name(rule.conclusion)).filter(|name| !proven.contains(name)).collect();
    assert!(missing.is_empty(), "no history proves {missing:?}");
}

/// Premises that no history shows to be needed yet. Each wants a history in which only it holds a verdict back, or it goes.
const NOT_SHOWN: [&str; 8] = [
    "attempt/own-request",
    "conflict-lost-key/own-login",
    "conflict-lost-media-key/queued",
    "ke2-seen/line",
    "lost-key-lost-media-key/queued",
    "never-arrived/no-line",
    "slow-gateway/held",
    "slow-homeserver/answered-too-late",
];

/// A premise that no history needs is one that nobody has shown to matter. A rule's own histories are asked first: they are
/// few, and nearly always enough.
#[test]
fn a_rule_without_one_of_its_premises_says_something_false_of_some_history() {
    let read = |history: History| {
        let bundle = history.bundle();
        (history, bundle)
    };
    let own: Vec<Vec<(History, Bundle)>> =
        ALL.iter().map(|rule| (rule.histories)().into_iter().map(read).collect()).collect();
    let worlds: Vec<(History, Bundle)> = History::worlds().into_iter().map(read).collect();
    let mut survivors = Vec::new();
    for premise in premises() {
        let is_used =
            |rule: &super::Rule| rule.proven_by.iter().chain(rule.refuted_by).any(|used| used.id == premise.id);
        let (using, others): (Vec<_>, Vec<_>) = ALL.iter().zip(&own).partition(|(rule, _)| is_used(rule));
        let histories = using.iter().chain(&others).flat_map(|(_, histories)| *histories).chain(&worlds);
        let mut faults = histories
            .map(|(history, bundle)| history.faults(&Triage::without(bundle, Some(Mutation::Met(premise.id)))));
        if faults.all(|faults| faults.is_empty()) {
            survivors.push(premise.id);
        }
    }
    survivors.sort_unstable();
    assert_eq!(survivors, NOT_SHOWN, "the premises without which no history is judged falsely");
}

#[test]
fn premises_have_names_of_their_own() {
    let mut seen: BTreeSet<&str> = BTreeSet::new();
    for rule in ALL {
        assert!(!rule.proven_by.is_empty(), "{:?} needs nothing", rule.conclusion);
        for premise in rule.proven_by {
            assert!(!premise.rules_out.is_empty(), "{} rules nothing out", premise.id);
        }
    }
    for premise in premises() {
        assert!(seen.insert(premise.id), "{} stands twice", premise.id);
    }
}

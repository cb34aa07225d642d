//! Every rule against every history: those of `tests/fixtures/worlds`, and those that each rule's file brings along.

use std::collections::BTreeSet;

use super::ALL;
use crate::Triage;
use crate::bundle::Bundle;
use crate::history::History;
use crate::proof::Premise;

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

/// A premise that no history needs is one that nobody has shown to matter. The rule's own histories are asked first.
#[test]
fn a_rule_without_one_of_its_premises_says_something_false_of_some_history() {
    let read = |history: History| {
        let bundle = history.bundle();
        (history, bundle)
    };
    let worlds: Vec<(History, Bundle)> = History::worlds().into_iter().map(read).collect();
    let mut survivors: BTreeSet<&str> = premises().iter().map(|premise| premise.id).collect();
    for rule in ALL {
        let own: Vec<(History, Bundle)> = (rule.histories)().into_iter().map(read).collect();
        for premise in rule.proven_by.iter().chain(rule.refuted_by) {
            let caught = survivors.contains(premise.id)
                && own
                    .iter()
                    .chain(&worlds)
                    .any(|(history, bundle)| !history.faults(&Triage::without(bundle, Some(premise.id))).is_empty());
            if caught {
                survivors.remove(premise.id);
            }
        }
    }
    assert!(survivors.is_empty(), "no history is judged falsely without {survivors:?}");
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

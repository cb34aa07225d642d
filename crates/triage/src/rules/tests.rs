//! Every rule against every history: those of `tests/fixtures/worlds`, and those that each rule's file brings along.
//!
//! Reading a history's files is what takes the time. So each is read once, and judged at once: as the rules are, and with each
//! premise taken for met.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicUsize, Ordering};
use std::sync::{LazyLock, Mutex};

use super::ALL;
use crate::answer::key_path::{self, Hop};
use crate::answer::questions;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::history::History;
use crate::proof::{Mutation, Premise};
use crate::verdict::{Answer, Verdict};

/// What came of the histories.
#[derive(Default)]
struct Outcome {
    /// What is falsely said of a world, a line each.
    of_worlds: Vec<String>,
    /// What is falsely said of a rule's own history.
    of_rules: Vec<String>,
    /// Each premise without which something false is said, and of which history.
    needed: BTreeMap<&'static str, String>,
}

static OUTCOME: LazyLock<Outcome> = LazyLock::new(|| {
    let own = ALL.iter().flat_map(|rule| (rule.histories)()).map(|history| (false, history));
    let histories: Vec<(bool, History)> =
        own.chain(History::worlds().into_iter().map(|history| (true, history))).collect();
    let (next, outcome) = (AtomicUsize::new(0), Mutex::new(Outcome::default()));
    std::thread::scope(|scope| {
        for _ in 0..std::thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                while let Some((is_world, history)) = histories.get(next.fetch_add(1, Ordering::Relaxed)) {
                    judge(*is_world, history, &outcome);
                }
            });
        }
    });
    outcome.into_inner().expect("no thread failed")
});

/// Judges one history by all rules, then without each premise that no other history has shown to be needed.
fn judge(is_world: bool, history: &History, outcome: &Mutex<Outcome>) {
    let bundle = history.bundle();
    let mut case = Case::of(&bundle);
    let faults = |case: &Case<'_>, by_rule: &[Vec<Verdict>]| {
        let verdicts = super::settle(by_rule.concat());
        let code = questions::exit_code(&verdicts, &questions::coverage(case, &verdicts));
        history.faults(&verdicts, code)
    };
    let as_they_are: Vec<Vec<Verdict>> = ALL.iter().map(|rule| (rule.check)(&case)).collect();
    let mut found = faults(&case, &as_they_are);
    found.extend(denied(&case, &super::settle(as_they_are.concat())).map(|what| format!("{}: {what}", history.name)));
    let mut needed = {
        let mut outcome = outcome.lock().expect("no thread failed");
        if is_world { &mut outcome.of_worlds } else { &mut outcome.of_rules }.extend(found);
        outcome.needed.keys().copied().collect::<BTreeSet<_>>()
    };
    for premise in premises() {
        if !needed.insert(premise.id) {
            continue;
        }
        case.mutation = Some(Mutation::Met(premise.id));
        let verdicts: Vec<Vec<Verdict>> = ALL
            .iter()
            .zip(&as_they_are)
            .map(|(rule, known)| if rule.rests_on(premise.id) { (rule.check)(&case) } else { known.clone() })
            .collect();
        if !faults(&case, &verdicts).is_empty() {
            let mut outcome = outcome.lock().expect("no thread failed");
            outcome.needed.entry(premise.id).or_insert_with(|| history.name.clone());
        }
    }
}

/// Hops of keys that a path calls proven and a verdict denies.
fn denied(case: &Case<'_>, verdicts: &[Verdict]) -> impl Iterator<Item = String> {
    let keys = key_path::media_keys(case, verdicts);
    let mut wrong = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.is_proven()) {
        for path in &keys.paths {
            let (said, of) = (&verdict.subject, &path.subject);
            let is_pair = said.device == of.device && said.peer.is_some() && said.peer == of.peer;
            let is_key =
                said.report == of.report && said.participant == of.participant && said.key_index == of.key_index;
            let hop = match verdict.conclusion {
                Conclusion::NeverSent if is_pair => Hop::Sent,
                Conclusion::MediaNotDecrypted if is_key => Hop::Decrypted,
                _ => continue,
            };
            wrong.extend(
                path.steps
                    .iter()
                    .filter(|step| step.hop == hop && !matches!(step.answer, Answer::Refuted))
                    .map(|step| format!("{} of {} is not refuted: {}", hop.word(), path.about, step.says)),
            );
        }
    }
    wrong.into_iter()
}

fn premises() -> Vec<&'static Premise> {
    let mut seen = BTreeSet::new();
    let all = ALL.iter().flat_map(|rule| rule.proven_by.iter().chain(rule.refuted_by)).copied();
    all.filter(|premise| seen.insert(premise.id)).collect()
}

#[test]
fn nothing_false_is_said_of_any_world() {
    let wrong = &OUTCOME.of_worlds;
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_rule_concludes_what_its_histories_say() {
    let wrong = &OUTCOME.of_rules;
    assert!(wrong.is_empty(), "{} faults:\n{}", wrong.len(), wrong.join("\n"));
}

#[test]
fn each_rule_has_a_history_in_which_it_is_proven() {
    let own = ALL.iter().flat_map(|rule| (rule.histories)());
    let proven: BTreeSet<String> = own
        .chain(History::worlds())
        .flat_map(|history| history.label.must_prove.into_iter().map(|(conclusion, _)| conclusion))
        .collect();
    let missing: Vec<String> =
        ALL.iter().map(|rule| crate::history::name(rule.conclusion)).filter(|name| !proven.contains(name)).collect();
    assert!(missing.is_empty(), "no history proves {missing:?}");
}

/// A premise that no history needs is one that nobody has shown to matter: it wants a history in which only it holds a verdict
/// back, or it goes. With `--nocapture` the test prints which history needs which premise.
#[test]
fn a_rule_without_one_of_its_premises_says_something_false_of_some_history() {
    let needed = &OUTCOME.needed;
    for (premise, history) in needed {
        println!("{premise}: {history}");
    }
    let survivors: Vec<&str> =
        premises().into_iter().map(|premise| premise.id).filter(|id| !needed.contains_key(id)).collect();
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

//! A bounded part of the search: `npm run worlds` goes further.

use std::collections::BTreeSet;
use std::time::Duration;

use crypto_diag_world::delayed::Delayed;
use crypto_diag_world::keys::Keys;
use crypto_diag_world::search::{Bounds, Model, Search};

/// No test waits for a clock: searches end by what they have judged.
const NO_LIMIT: Duration = Duration::from_secs(3_600);

/// Stories of what is falsely said.
fn stories<M: Model>(search: &mut Search<M>) -> Vec<String> {
    search.shrink_all();
    search.counters.values().flatten().map(|counter| search.story(counter)).collect()
}

#[test]
fn nothing_false_is_said_of_any_history_of_four_steps() {
    let mut search = Search::new(Keys::SMALL);
    search.exhaustively(Bounds { depth: 4, quiet_depth: 3, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 4, "the search ended early");
    assert!(search.judge.distinct() > 500, "{} sets of files", search.judge.distinct());
    let told = search.completeness_of_all();
    for name in ["diverged", "same-identity", "two-contexts", "ke1-seen"] {
        assert!(told.get(name).is_some_and(|told| told.is > 0), "{name} is never told: the search looks at nothing");
    }
    let stories = stories(&mut search);
    assert!(stories.is_empty(), "{}", stories.join("\n"));
}

#[test]
fn nothing_false_is_said_of_long_histories_by_chance() {
    let mut search = Search::new(Keys::LARGE);
    search.by_chance(1, Bounds { depth: 60, quiet_depth: 60, distinct: 1_500, time: NO_LIMIT });
    let told = search.completeness_of_all();
    let never: BTreeSet<&str> = [
        "diverged",
        "same-identity",
        "identity-replaced",
        "rollback",
        "two-contexts",
        "server-restored",
        "exhausted",
        "conflict-lost-key",
    ]
    .into_iter()
    .filter(|name| told.get(*name).is_none_or(|told| told.is == 0))
    .collect();
    assert!(never.is_empty(), "{never:?} are never told: the walks show nothing of them");
    let stories = stories(&mut search);
    assert!(stories.is_empty(), "{}", stories.join("\n"));
}

#[test]
fn nothing_false_is_said_of_any_delayed_event_in_histories_of_two_steps() {
    let mut search = Search::new(Delayed::SMALL);
    search.exhaustively(Bounds { depth: 2, quiet_depth: 2, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 2, "the search ended early");
    let told = search.completeness_of_all();
    for name in ["slow-homeserver", "slow-gateway", "never-arrived"] {
        assert!(told.get(name).is_some_and(|told| told.is > 0), "{name} is never told: the search looks at nothing");
    }
    let stories = stories(&mut search);
    assert!(stories.is_empty(), "{}", stories.join("\n"));
}

#[test]
fn nothing_false_is_said_of_delayed_events_in_long_histories_by_chance() {
    let mut search = Search::new(Delayed::LARGE);
    search.by_chance(1, Bounds { depth: 60, quiet_depth: 60, distinct: 1_000, time: NO_LIMIT });
    let told = search.completeness_of_all();
    for name in ["slow-homeserver", "slow-gateway", "never-arrived", "delayed-event-timeouts", "ke4-seen"] {
        assert!(told.get(name).is_some_and(|told| told.is > 0), "{name} is never told: the walks show nothing of it");
    }
    let stories = stories(&mut search);
    assert!(stories.is_empty(), "{}", stories.join("\n"));
}

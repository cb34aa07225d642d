//! A bounded part of the search: `npm run worlds` goes further.

use std::time::Duration;

use crypto_diag_world::delayed::Delayed;
use crypto_diag_world::delivery::Delivery;
use crypto_diag_world::events::Events;
use crypto_diag_world::keys::Keys;
use crypto_diag_world::media::Media;
use crypto_diag_world::model::Model;
use crypto_diag_world::search::{Bounds, Search};

/// No test waits for a clock: searches end by what they have judged.
const NO_LIMIT: Duration = Duration::from_secs(3_600);

/// A search that never tells a conclusion has looked at nothing of it.
fn tells_and_says_nothing_false<M: Model>(search: &mut Search<M>, names: &[&str]) {
    let told = search.completeness_of_all();
    let is_never_told = |name: &&&str| told.get(**name).is_none_or(|told| told.is == 0);
    let never: Vec<_> = names.iter().filter(is_never_told).collect();
    assert!(never.is_empty(), "{never:?} are never told: the search shows nothing of them");
    search.shrink_all();
    let stories: Vec<String> = search.counters.values().flatten().map(|counter| search.story(counter)).collect();
    assert!(stories.is_empty(), "{}", stories.join("\n"));
}

#[test]
fn nothing_false_is_said_of_any_history_of_four_steps() {
    let mut search = Search::new(Keys::SMALL);
    search.exhaustively(Bounds { depth: 4, quiet_depth: 3, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 4, "the search ended early");
    assert!(search.judge.distinct() > 500, "{} sets of files", search.judge.distinct());
    tells_and_says_nothing_false(&mut search, &["diverged", "same-identity", "two-contexts", "ke1-seen"]);
}

#[test]
fn nothing_false_is_said_of_long_histories_by_chance() {
    let mut search = Search::new(Keys::LARGE);
    search.by_chance(2, Bounds { depth: 60, quiet_depth: 60, distinct: 1_500, time: NO_LIMIT });
    let names = [
        "diverged",
        "same-identity",
        "identity-replaced",
        "rollback",
        "two-contexts",
        "server-restored",
        "exhausted",
        "conflict-lost-key",
    ];
    tells_and_says_nothing_false(&mut search, &names);
}

#[test]
fn nothing_false_is_said_of_any_delayed_event_in_histories_of_two_steps() {
    let mut search = Search::new(Delayed::SMALL);
    search.exhaustively(Bounds { depth: 2, quiet_depth: 2, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 2, "the search ended early");
    tells_and_says_nothing_false(&mut search, &["slow-homeserver", "slow-gateway", "never-arrived"]);
}

#[test]
fn nothing_false_is_said_of_delayed_events_in_long_histories_by_chance() {
    let mut search = Search::new(Delayed::LARGE);
    search.by_chance(1, Bounds { depth: 60, quiet_depth: 60, distinct: 1_000, time: NO_LIMIT });
    tells_and_says_nothing_false(
        &mut search,
        &["slow-homeserver", "slow-gateway", "never-arrived", "delayed-event-timeouts", "ke4-seen"],
    );
}

#[test]
fn nothing_false_is_said_of_delivery_in_histories_of_one_step() {
    let mut search = Search::new(Delivery::SMALL);
    search.exhaustively(Bounds { depth: 1, quiet_depth: 1, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 1, "the search ended early");
    let names = [
        "ke2-seen",
        "never-sent",
        "batch-dropped",
        "lost-key-lost-media-key",
        "hop-made",
        "hop-sent",
        "hop-accepted",
        "hop-queued",
        "hop-fetched",
    ];
    tells_and_says_nothing_false(&mut search, &names);
}

#[test]
fn nothing_false_is_said_of_delivery_in_long_histories_by_chance() {
    let mut search = Search::new(Delivery::LARGE);
    search.by_chance(1, Bounds { depth: 30, quiet_depth: 30, distinct: 600, time: NO_LIMIT });
    tells_and_says_nothing_false(&mut search, &["media-key-missing", "backlog", "stale-target", "ke2-seen"]);
}

const OF_EVENTS: [&str; 7] = [
    "malformed-on-server",
    "undecodable-on-server",
    "stripped-on-the-way",
    "client-bug",
    "room-key-withheld",
    "room-key-from-later",
    "ke3-seen",
];

#[test]
fn nothing_false_is_said_of_events_in_histories_of_two_steps() {
    let mut search = Search::new(Events);
    search.exhaustively(Bounds { depth: 2, quiet_depth: 1, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 2, "the search ended early");
    tells_and_says_nothing_false(&mut search, &OF_EVENTS);
}

#[test]
fn nothing_false_is_said_of_events_in_long_histories_by_chance() {
    let mut search = Search::new(Events);
    search.by_chance(1, Bounds { depth: 20, quiet_depth: 20, distinct: 600, time: NO_LIMIT });
    tells_and_says_nothing_false(&mut search, &OF_EVENTS);
}

const OF_MEDIA: [&str; 5] =
    ["media-decoded", "media-not-decrypted", "media-not-arriving", "media-not-sent", "encryption-one-sided"];

#[test]
fn nothing_false_is_said_of_media_in_histories_of_two_steps() {
    let mut search = Search::new(Media);
    search.exhaustively(Bounds { depth: 2, quiet_depth: 2, distinct: usize::MAX, time: NO_LIMIT }, |_| {});
    assert_eq!(search.depth, 2, "the search ended early");
    tells_and_says_nothing_false(&mut search, &OF_MEDIA);
}

#[test]
fn nothing_false_is_said_of_media_in_long_histories_by_chance() {
    let mut search = Search::new(Media);
    search.by_chance(1, Bounds { depth: 60, quiet_depth: 60, distinct: 1_500, time: NO_LIMIT });
    tells_and_says_nothing_false(&mut search, &OF_MEDIA);
}

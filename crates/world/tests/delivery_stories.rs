//! Counter-histories of delivery that were found: of each, that nothing false is said any more.

use crypto_diag_world::delivery::Action::{self, LogOut, Rotate, Wait};
use crypto_diag_world::delivery::Fate::{self, InTime, Refused, Unopenable};
use crypto_diag_world::delivery::News::Stuck;
use crypto_diag_world::delivery::{ALL, Delivery, IN_CALL, JOINED, Start, State, View};
use crypto_diag_world::judge::{self, Word};
use crypto_diag_world::search::Model;

/// What is rightly said of a history as names, `proven` or `refuted` before each; it fails if anything false is said.
fn rightly(start: Start, path: &[Action], view: &View) -> Vec<String> {
    let model = Delivery::LARGE;
    let begin = State { start, actions: Vec::new() };
    let state = path.iter().fold(begin, |state, action| {
        model.step(&state, *action).unwrap_or_else(|| panic!("{action:?} cannot happen here"))
    });
    let truths = model.truths(&state, view);
    let settled =
        judge::all_said(&model.files(&state, view), true).into_iter().filter(|said| said.word != Word::Unknown);
    let (right, wrong): (Vec<_>, Vec<_>) =
        settled.partition(|said| truths.contains(&said.claim) == (said.word == Word::Proven));
    assert!(wrong.is_empty(), "{wrong:#?}");
    right.into_iter().map(|said| format!("{} {}", said.word.text(), said.claim.0)).collect()
}

fn says(said: &[String], what: &str) -> bool {
    said.iter().any(|said| said == what)
}

#[test]
fn each_cause_is_told_of_the_history_in_which_it_acts() {
    let told = |start: Start, path: &[Action], what: &[&str]| {
        let said = rightly(start, path, &ALL);
        for what in what {
            assert!(says(&said, what), "{path:?}: {what}: {said:?}");
        }
    };
    told(JOINED, &[Wait], &["proven never-sent", "proven ke2-seen", "refuted hop-sent"]);
    told(IN_CALL, &[LogOut, Rotate(InTime)], &["proven stale-target", "refuted hop-queued"]);
    told(IN_CALL, &[Rotate(Refused)], &["proven batch-dropped"]);
    told(IN_CALL, &[Rotate(Unopenable)], &["proven lost-key-lost-media-key", "refuted hop-opened"]);
    let stuck = [Action::News(Stuck), Rotate(InTime)];
    told(IN_CALL, &stuck, &["proven backlog", "proven hop-queued", "refuted hop-fetched"]);
    told(IN_CALL, &[Rotate(Fate::Late)], &["refuted backlog"]);
}

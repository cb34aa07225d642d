//! Counter-histories of delayed events that were found: of each, that nothing false is said any more.

use crypto_diag_world::delayed::Action::{self, Restart};
use crypto_diag_world::delayed::Fate::{
    AnswerLost, Answered, Frozen, HeldAndSlow, HeldLong, Lost, LostAndSentAgain, Slow, SlowLong,
};
use crypto_diag_world::delayed::{Delayed, LogView, View};
use crypto_diag_world::model::{Model, reached};
use crypto_diag_world::search::rightly_said;
use crypto_diag_world::views::{HarView, Lines, WHOLE};

const LOG: LogView = LogView { span: WHOLE, first_worker: false };
/// Everything that there can be.
const ALL: View = View { late: false, lines: Lines::ALL, har: Some(HarView::ALL), log: Some(LOG) };

/// What is rightly said of a history; it fails if anything false is said.
fn rightly(path: &[Action], workers: bool, view: &View) -> Vec<String> {
    let model = Delayed::LARGE;
    let state = reached(&model, model.begin().remove(usize::from(workers)), path);
    rightly_said(&model, &state, view)
}

fn says(said: &[String], what: &str) -> bool {
    said.iter().any(|said| said == what)
}

#[test]
fn a_line_of_an_attempt_that_the_har_lacks_is_not_a_lost_ones() {
    // The second attempt goes on when the HAR is saved, so that the HAR lacks it.
    rightly(&[Restart(Lost), Restart(AnswerLost)], false, &ALL);
    rightly(&[Restart(Lost), Restart(HeldAndSlow)], false, &ALL);
}

#[test]
fn a_line_of_an_attempt_that_was_sent_while_the_recorder_was_paused_is_not_a_lost_ones() {
    let paused = View { har: Some(HarView { paused: Some(1), ..HarView::ALL }), ..ALL };
    rightly(&[Restart(Lost), Restart(Answered)], false, &paused);
}

#[test]
fn a_printed_attempt_that_the_har_lacks_is_not_the_one_before_it() {
    let cut = View { log: Some(LogView { span: (0, 1), ..LOG }), ..ALL };
    rightly(&[Restart(AnswerLost), Restart(Slow)], false, &cut);
    let other_worker = View { log: Some(LogView { first_worker: true, ..LOG }), ..ALL };
    rightly(&[Restart(LostAndSentAgain), Restart(Slow)], true, &other_worker);
}

#[test]
fn the_line_of_a_later_attempt_is_not_a_slow_ones_whose_own_the_log_lacks() {
    let cut = View { log: Some(LogView { span: (0, 2), ..LOG }), ..ALL };
    rightly(&[Restart(SlowLong), Restart(Answered), Restart(Answered)], false, &cut);
}

#[test]
fn failures_before_the_capture_began_do_not_count_for_a_page_that_was_awake() {
    let late = View { late: true, ..ALL };
    rightly(&[Restart(AnswerLost), Restart(Frozen), Restart(HeldAndSlow)], false, &late);
}

#[test]
fn each_cause_is_told_of_the_history_in_which_it_acts() {
    for (fate, cause) in [(SlowLong, "slow-homeserver"), (HeldLong, "slow-gateway"), (Lost, "never-arrived")] {
        let said = rightly(&[Restart(fate), Restart(Answered), Restart(Answered)], false, &ALL);
        for known in ["slow-homeserver", "slow-gateway", "never-arrived"] {
            let proven = says(&said, &format!("proven {known}"));
            assert_eq!(proven, known == cause, "{fate:?}: {said:?}");
        }
    }
    let row = rightly(&[Restart(Slow), Restart(Slow), Restart(Slow)], false, &ALL);
    assert!(says(&row, "proven delayed-event-timeouts") && says(&row, "proven ke4-seen"), "{row:?}");
}

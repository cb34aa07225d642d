//! Counter-histories of delivery that were found: of each, that nothing false is said any more.

use crypto_diag_world::delivery::Action::{self, Clear, LogOut, News, RestartServer, Rotate, SendAgain, Wait};
use crypto_diag_world::delivery::Fate::{AnswerLost, InTime, Late, Lost, Refused, Unopenable};
use crypto_diag_world::delivery::News::{OneAnswer, Stuck};
use crypto_diag_world::delivery::{ALL, Delivery, IN_CALL, JOINED, LogView, Looks, OTHER_TAB, Start, State, View, Who};
use crypto_diag_world::model::reached;
use crypto_diag_world::search::rightly_said;

/// What is rightly said of a history; it fails if anything false is said.
fn rightly(start: Start, path: &[Action], view: &View) -> Vec<String> {
    let model = Delivery::LARGE;
    let state = reached(&model, State { start, actions: Vec::new() }, path);
    rightly_said(&model, &state, view)
}

fn says(said: &[String], what: &str) -> bool {
    said.iter().any(|said| said == what)
}

#[test]
fn a_lost_message_says_nothing_of_another_key_that_was_late() {
    rightly(IN_CALL, &[Rotate(Late), Rotate(Unopenable)], &ALL);
}

#[test]
fn a_message_that_came_twice_is_no_failure() {
    rightly(IN_CALL, &[Rotate(AnswerLost), RestartServer, SendAgain], &ALL);
}

#[test]
fn a_message_that_was_opened_before_the_capture_began_and_came_again_was_opened() {
    let late = View { late: [true, false, false], ..ALL };
    rightly(IN_CALL, &[Rotate(AnswerLost), RestartServer, SendAgain], &late);
}

#[test]
fn messages_that_the_last_answer_brought_are_no_backlog() {
    let asked = View { looks: Looks::AndBefore(1), soon: true, ..ALL };
    rightly(IN_CALL, &[News(Stuck), Rotate(InTime), News(OneAnswer)], &asked);
}

#[test]
fn a_message_that_waits_a_second_time_may_have_been_fetched() {
    let path = [Rotate(AnswerLost), RestartServer, News(Stuck), SendAgain];
    let late = View { late: [true, false, false], bodies: false, ..ALL };
    rightly(IN_CALL, &path, &late);
}

#[test]
fn a_batch_that_was_refused_was_not_sent_to_a_deleted_device() {
    rightly(IN_CALL, &[LogOut, Rotate(Refused)], &ALL);
}

#[test]
fn a_message_that_was_sent_again_after_the_deletion_may_have_come_before() {
    let path = [Rotate(AnswerLost), Clear(Who::Alice), LogOut, RestartServer, SendAgain];
    for debug in [true, false] {
        let log = Some(LogView { span: (2, u8::MAX), debug });
        rightly(IN_CALL, &path, &View { log, ..ALL });
    }
}

#[test]
fn a_key_that_another_tab_sends_was_sent() {
    rightly(OTHER_TAB, &[Rotate(Lost)], &ALL);
    rightly(OTHER_TAB, &[Rotate(Lost), Wait, Wait], &ALL);
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
    let stuck = [News(Stuck), Rotate(InTime)];
    told(IN_CALL, &stuck, &["proven backlog", "proven hop-queued", "refuted hop-fetched"]);
    told(IN_CALL, &[Rotate(Late)], &["refuted backlog"]);
}

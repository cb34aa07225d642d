//! Counter-histories that were found: of each, what must not be said.

use crypto_diag_world::judge::{self, Word};
use crypto_diag_world::keys::Action::{self, *};
use crypto_diag_world::keys::{Asked, Keys, View};
use crypto_diag_world::model::{Model, reached};
use crypto_diag_world::views::{Lines, WHOLE};

/// Everything that there can be.
const ALL: View = View {
    reports: u8::MAX,
    late: false,
    lines: Lines::ALL,
    hars: 7,
    hars_from: 0,
    bodies: true,
    log: Some(WHOLE),
    tables: Some(Asked::AtTheEnd),
};

/// What is proven of a history, as names: what is true, and what is false.
fn proven(path: &[Action], view: &View) -> (Vec<String>, Vec<String>) {
    let model = Keys::LARGE;
    let state = reached(&model, model.begin().remove(0), path);
    let truths = model.truths(&state, view);
    let said = judge::verdicts(&model.files(&state, view)).into_iter().filter(|said| said.word == Word::Proven);
    let (right, wrong): (Vec<_>, Vec<_>) = said.map(|said| said.claim).partition(|claim| truths.contains(claim));
    let names = |claims: Vec<judge::Claim>| claims.into_iter().map(|(name, _)| name).collect();
    (names(right), names(wrong))
}

/// The store goes back; later a second tab is opened, which publishes nothing.
const IDLE_SECOND_TAB: [Action; 10] =
    [Open(0, 0), BackUp(0), Upload(0), Leave(0), SetBack(0), Open(0, 0), Upload(0), Open(1, 0), Wait, Wait];

/// Two tabs publish in turns; then both are left, the machine's clock is set back, and a new page is opened. The log is there
/// from the new page on.
const CLOCK_SET_BETWEEN_PAGES: [Action; 12] = [
    Open(0, 0),
    Open(1, 0),
    Upload(1),
    Upload(0),
    Ask,
    Claim,
    Leave(1),
    Leave(0),
    SetClock(0, -2),
    Open(0, 0),
    Upload(0),
    Wait,
];

/// Two pages are refused under the same id, one after the other. Each is refused for a key that another tab had published while it ran.
const TWO_CONFLICTS_UNDER_ONE_ID: [Action; 16] = [
    NewDevice,
    Open(0, 0),
    Upload(0),
    Claim,
    Open(1, 0),
    Upload(1),
    Leave(1),
    Upload(0),
    Leave(0),
    Evict(0),
    Open(0, 0),
    Upload(0),
    Claim,
    Open(1, 0),
    Upload(1),
    Upload(0),
];

fn falsely(path: &[Action], view: &View) -> Vec<String> {
    proven(path, view).1
}

#[test]
fn a_second_tab_that_publishes_nothing_is_no_second_context_of_a_conflict() {
    let (right, _) = proven(&IDLE_SECOND_TAB, &ALL);
    assert!(right.contains(&"rollback".to_owned()), "the store did go back: {right:?}");
    assert_eq!(falsely(&IDLE_SECOND_TAB, &ALL), [""; 0]);
}

#[test]
fn a_page_is_not_placed_in_time_by_requests_from_behind_a_step_of_its_clock() {
    let view = View { log: Some((9, u8::MAX)), tables: Some(Asked::Then), ..ALL };
    let (right, _) = proven(&CLOCK_SET_BETWEEN_PAGES, &view);
    assert!(right.contains(&"same-identity".to_owned()), "{right:?}");
    assert_eq!(falsely(&CLOCK_SET_BETWEEN_PAGES, &view), [""; 0]);
}

#[test]
fn a_key_for_which_an_earlier_page_was_refused_proves_no_rollback_of_a_later_page() {
    let (right, wrong) = proven(&TWO_CONFLICTS_UNDER_ONE_ID, &ALL);
    assert!(right.contains(&"same-identity".to_owned()), "{right:?}");
    assert_eq!(wrong, [""; 0]);
}

#[test]
fn a_key_that_is_given_out_again_after_a_restore_is_told() {
    let path = [Open(0, 0), Upload(0), BackUpServer, Claim, Wait, Wait, SetBackServer, Claim, Wait];
    let (right, wrong) = proven(&path, &ALL);
    assert!(right.contains(&"server-restored".to_owned()), "{right:?}");
    assert_eq!(wrong, [""; 0]);
}

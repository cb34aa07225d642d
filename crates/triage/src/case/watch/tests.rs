use crypto_diag_core::{HookState, Level, PageEvent};

use super::*;
use crate::bundle::Bundle;
use crate::history::MadeUpPage;
use crate::moment::Clock;

const BEGUN: u64 = 1_795_424_000_000;
const MADE: u64 = BEGUN + 3_600_000;

const MISSING: &str = "CryptorError: missing key at index 3 for participant @bob:example.org:BOB";

fn judge(
    change: impl FnOnce(&mut crypto_diag_core::Report) + 'static,
    ask: impl FnOnce(&Case<'_>) -> Result<(), Blind>,
) -> Result<(), Blind> {
    let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE)
        .line(BEGUN + 1_000, Level::Error, MISSING)
        .but(change);
    let mut bundle = Bundle::new();
    bundle.add("alice.report.json", None, &page.json()[..]);
    ask(&Case::of(&bundle))
}

fn ke2(change: impl FnOnce(&mut crypto_diag_core::Report) + 'static) -> Result<(), Blind> {
    judge(change, |case| case.could_have_shown(&case.pages[0], Sought::Failure(Ke::Ke2), None))
}

#[test]
fn a_whole_capture_could_have_shown_a_failure_of_any_family() {
    for ke in Ke::ALL {
        let shown = judge(|_| {}, |case| case.could_have_shown(&case.pages[0], Sought::Failure(ke), None));
        assert_eq!(shown, Ok(()), "{ke:?}");
    }
}

#[test]
fn a_capture_that_missed_something_could_not() {
    assert_eq!(
        ke2(|report| report.capture.state = CaptureState::Stopped),
        Err(Blind::NotCapturing(CaptureState::Stopped))
    );
    assert_eq!(ke2(|report| report.capture.hooks.clear()), Err(Blind::NotHooked("warn")));
    let replaced = |report: &mut crypto_diag_core::Report| {
        report.capture.hooks[1] = HookState { method: "error".into(), in_place: false, reason: None };
    };
    assert_eq!(ke2(replaced), Err(Blind::Replaced("error")));
    assert_eq!(ke2(|report| report.capture.lines_seen = 0), Err(Blind::NoLineSeen));
    assert_eq!(ke2(|report| report.capture.queue_overflow = 2), Err(Blind::Overflow(2)));
    assert_eq!(ke2(|report| report.capture.unreadable = 2), Err(Blind::Unreadable(2)));
    assert_eq!(ke2(|report| report.capture.partly_scanned = 2), Err(Blind::PartlyScanned(2)));
    assert_eq!(ke2(|report| report.capture.nested = 2), Err(Blind::Nested(2)));
    assert_eq!(
        ke2(|report| report.capture.failures.push(crypto_diag_core::Failure::default())),
        Err(Blind::CaptureFailed(1))
    );
    assert_eq!(ke2(|report| report.capture.installed_at = None), Err(Blind::NoInterval));
    assert_eq!(ke2(|report| report.capture.cleared_at = Some(Millis(9))), Err(Blind::Cleared(Millis(9))));
}

#[test]
fn a_capture_that_does_not_say_what_it_missed_could_not() {
    let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE).json();
    for unsaid in ["queueOverflow", "unreadable", "partlyScanned", "nested"] {
        let mut value: serde_json::Value = serde_json::from_slice(&page).expect("a report");
        value["capture"].as_object_mut().expect("an object").remove(unsaid);
        let mut bundle = Bundle::new();
        bundle.add("alice.report.json", None, value.to_string().as_bytes());
        let case = Case::of(&bundle);
        let shown = case.could_have_shown(&case.pages[0], Sought::Failure(Ke::Ke1), None);
        assert!(shown.is_err(), "{unsaid}");
    }
}

#[test]
fn a_report_that_was_cut_down_could_not() {
    assert_eq!(ke2(|report| report.counts.ke2 = 3), Err(Blind::CountsDisagree("KE-2")));
    assert_eq!(ke2(|report| report.tallies.clear()), Err(Blind::CountsDisagree("KE-2")));
    assert_eq!(ke2(|report| report.capture.lines_matched = 2), Err(Blind::CountsDisagree("matching lines")));
    assert_eq!(ke2(|report| report.entries.clear()), Err(Blind::CountsDisagree("matching lines")));
    for list in ["counts", "tallies", "entries"] {
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, MADE).json();
        let mut value: serde_json::Value = serde_json::from_slice(&page).expect("a report");
        value.as_object_mut().expect("an object").remove(list);
        let mut bundle = Bundle::new();
        bundle.add("alice.report.json", None, value.to_string().as_bytes());
        let case = Case::of(&bundle);
        let shown = case.could_have_shown(&case.pages[0], Sought::Failure(Ke::Ke1), None);
        assert_eq!(shown, Err(Blind::Missing(list)));
    }
}

#[test]
fn an_entry_that_the_buffer_gave_up_is_still_counted() {
    let evicted = |report: &mut crypto_diag_core::Report| {
        report.entries.clear();
        report.capture.evicted = 1;
    };
    assert_eq!(ke2(evicted), Ok(()), "its tally says how often");
    let lines = judge(evicted, |case| case.could_have_shown(&case.pages[0], Sought::Line(Ke::Ke2), None));
    assert_eq!(lines, Err(Blind::Evicted(Ke::Ke2)), "nothing says when, and of whom");
    let others = judge(evicted, |case| case.could_have_shown(&case.pages[0], Sought::Line(Ke::Ke1), None));
    assert_eq!(others, Ok(()));
}

#[test]
fn a_call_in_a_document_that_was_not_watched_is_not_seen() {
    assert_eq!(ke2(|report| report.capture.frames.watching = false), Err(Blind::FramesNotWatched));
    assert_eq!(ke2(|report| report.capture.frames.omitted = 1), Err(Blind::FrameMissed));
    let late = FrameState { hooked: true, blind: Some("hooked late".into()), ..FrameState::default() };
    assert_eq!(ke2(move |report| report.capture.frames.documents.push(late)), Err(Blind::FrameMissed));
    let unwatched = |report: &mut crypto_diag_core::Report| report.capture.frames.watching = false;
    let ke1 = judge(unwatched, |case| case.could_have_shown(&case.pages[0], Sought::Failure(Ke::Ke1), None));
    assert_eq!(ke1, Ok(()), "keys are uploaded by the page itself");
}

#[test]
fn a_statement_holds_only_for_the_time_that_was_watched() {
    let at = |ms: u64| Moment::at(Clock::Page(0), ms as i64);
    let within = |change: fn(&mut crypto_diag_core::Report), from: u64, to: u64| {
        judge(change, |case| case.could_have_shown(&case.pages[0], Sought::Line(Ke::Ke2), Some((at(from), at(to)))))
    };
    assert_eq!(within(|_| {}, BEGUN + 10, MADE), Ok(()));
    assert_eq!(within(|_| {}, BEGUN, MADE), Err(Blind::InstalledLater(Millis(BEGUN + 5))));
    assert_eq!(within(|_| {}, BEGUN + 10, MADE + 1), Err(Blind::MadeEarlier(Millis(MADE))));
    let cleared = |report: &mut crypto_diag_core::Report| report.capture.cleared_at = Some(Millis(BEGUN + 900));
    assert_eq!(within(cleared, BEGUN + 10, MADE), Err(Blind::Cleared(Millis(BEGUN + 900))));
    assert_eq!(within(cleared, BEGUN + 1_000, MADE), Ok(()));
    let set = |report: &mut crypto_diag_core::Report| {
        report.clock = Some(crypto_diag_core::Clock { offset: Some(7_200_012.0), ..Default::default() });
    };
    assert_eq!(within(set, BEGUN + 10, MADE), Err(Blind::ClockSet(7_200_012.0)));
}

#[test]
fn a_page_is_awake_only_where_its_capture_says_so() {
    let awake = |event: Option<(u64, &'static str)>, from: u64, to: u64| {
        let mut was = false;
        let change = move |report: &mut crypto_diag_core::Report| {
            let events = event.map(|(ts, event)| PageEvent { ts: Millis(ts), event: event.into() });
            report.capture.page_events.extend(events);
        };
        let outcome = judge(change, |case| {
            let at = |ms: u64| Moment::at(Clock::Page(0), ms as i64);
            was = case.was_awake(&case.pages[0], at(from), at(to));
            Ok(())
        });
        assert_eq!(outcome, Ok(()));
        was
    };
    assert!(awake(None, BEGUN, MADE));
    assert!(!awake(Some((BEGUN + 100, "freeze")), BEGUN + 50, BEGUN + 200));
    assert!(awake(Some((BEGUN + 300, "hidden")), BEGUN + 50, BEGUN + 200));
}

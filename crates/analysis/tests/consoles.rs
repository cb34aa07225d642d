//! The four recorded consoles, through the core's own recorder, and what their lines say.

mod support;

use crypto_diag_analysis::Reading;
use support::{Console, capturing};

const ROLLBACK: &str = "ke1-to-ke2-store-rollback";
const SECOND_STORE: &str = "ke1-second-store-same-device";
const HEALTHY_KEY: &str = "ke2-benign_ke3_ke4";
const SENDER: &str = "sender-side-invalid-signature";

const LOST_KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";

#[test]
fn conflicts_are_counted_by_key_id() {
    let reading = Reading::of(&Console::read(ROLLBACK).report());
    let conflicts = &reading.facts.conflicts;
    let seen: Vec<_> = conflicts
        .iter()
        .map(|conflict| {
            (conflict.key_id.as_deref().unwrap(), conflict.counter.unwrap(), conflict.count, conflict.looping)
        })
        .collect();
    assert_eq!(seen, [("AAAAAAAAADQ", 52, 9, true), ("AAAAAAAAADU", 53, 3, true)]);
    assert_eq!(conflicts[0].first_batch, Some(false));
    assert_eq!(conflicts[0].server_keys, [LOST_KEY]);
    let second = Reading::of(&Console::read(SECOND_STORE).report());
    let conflict = &second.facts.conflicts[0];
    assert_eq!((conflict.counter, conflict.count, conflict.first_batch), (Some(13), 3, Some(true)));
}

#[test]
fn every_recorded_entry_parses() {
    for name in [ROLLBACK, SECOND_STORE, HEALTHY_KEY, SENDER] {
        let reading = Reading::of(&Console::read(name).report());
        assert_eq!((reading.unparsed, reading.unreadable), (0, 0), "{name}");
        assert!(!reading.evidence.is_empty());
    }
}

#[test]
fn a_line_of_no_known_form_is_counted_and_stays() {
    let mut report = Console::read(ROLLBACK).report();
    report.entries[0].as_mut().unwrap().message = "DecryptionError".into();
    let reading = Reading::of(&report);
    assert_eq!(reading.unparsed, 1);
    assert_eq!(reading.evidence[0], None);
}

#[test]
fn conflicts_that_stopped_long_ago_have_healed() {
    let mut report = Console::read(SECOND_STORE).report();
    let healed = |report: &crypto_diag_analysis::Report| Reading::of(report).facts.conflicts[0].healed;
    assert_eq!(healed(&report), Some(false), "three refusals, seconds ago");
    report.generated_at.0 += 60_000;
    assert_eq!(healed(&report), Some(true));
    report.sync_state = Some("ERROR".into());
    assert_eq!(healed(&report), None, "without a sync there is no upload");
    report = capturing(Console::read(SECOND_STORE).report());
    report.generated_at.0 += 60_000;
    report.capture.page_events.push(crypto_diag_core::PageEvent { ts: report.generated_at, event: "freeze".into() });
    assert_eq!(healed(&report), None, "a page that slept asked for nothing");
}

#[test]
fn a_reading_is_json_without_the_raw_keys() {
    let json = serde_json::to_value(Reading::of(&Console::read(ROLLBACK).report())).unwrap();
    let conflict = json["evidence"].as_array().unwrap().iter().find(|evidence| evidence["ke"] == "KE-1");
    let conflict = conflict.unwrap();
    assert_eq!(conflict["serverKey"]["signedBy"][0]["deviceId"], "HQBJQUNFIQ");
    assert_eq!(conflict["serverKey"]["key"], LOST_KEY);
    assert!(conflict["clientKey"].get("object").is_none(), "the raw object is for the check only");
}

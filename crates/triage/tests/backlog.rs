//! What waits for a device is a failure only if the device was there to fetch it.

use std::path::Path;

use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::{ArtefactKind, Bundle};
use crypto_diag_triage::conclusion::Conclusion;
use crypto_diag_triage::verdict::Verdict;
use serde_json::{Value, json};

/// A recorded call in which all went well.
const BUNDLE: &str = "../../tests/fixtures/bundles/healthy-key-exchange";

/// When its server is asked, an hour later.
const LATER_MS: i64 = 3_600_000;

fn file(name: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join(BUNDLE).join(name)).expect("a recorded bundle")
}

/// The bundle with looks at the victim's inbox: how much later than an hour after the report, and what waited.
/// `report_after`: when the report is made, likewise.
fn verdict(looks: &[(i64, &[i64])], report_after: Option<i64>) -> Verdict {
    let mut report: Value = serde_json::from_slice(&file("victim.report.json")).unwrap();
    let (user, device) =
        (report["userId"].as_str().unwrap().to_owned(), report["deviceId"].as_str().unwrap().to_owned());
    let asked = report["generatedAt"].as_i64().unwrap() + LATER_MS;
    if let Some(after) = report_after {
        report["generatedAt"] = json!(asked + after);
    }
    let queries: Vec<Value> = looks
        .iter()
        .map(|(after, positions)| {
            let row = |position: &i64| json!({"user_id": user, "device_id": device, "stream_id": position, "dehydrated": false});
            let rows: Vec<Value> = positions.iter().map(row).collect();
            json!({"name": "device_inbox", "params": [user], "at": asked + after, "rows": rows})
        })
        .collect();
    let mut bundle = Bundle::new();
    bundle.add("victim.report.json", Some(ArtefactKind::Report), report.to_string().as_bytes());
    bundle.add("victim.har", Some(ArtefactKind::Har), &file("victim.har")[..]);
    bundle.add("queries.json", Some(ArtefactKind::QueryResults), json!(queries).to_string().as_bytes());
    bundle.add("homeserver.log", Some(ArtefactKind::ServerLog), &file("homeserver.log.txt")[..]);
    let triage = Triage::of(&bundle);
    let of_backlog = |verdict: &&Verdict| verdict.conclusion == Conclusion::Backlog && verdict.about.starts_with(&user);
    triage.verdicts.iter().find(of_backlog).expect("a verdict").clone()
}

#[test]
fn what_waits_for_a_page_that_may_be_closed_proves_nothing() {
    let verdict = verdict(&[(0, &[900]), (6_500, &[900, 901])], None);
    assert!(verdict.is_unknown(), "{verdict:#?}");
    assert!(verdict.open.iter().any(|open| open.contains("The device was off")), "{verdict:#?}");
}

#[test]
fn what_waits_for_a_page_that_was_there_is_not_fetched() {
    let verdict = verdict(&[(0, &[900]), (6_500, &[900, 901])], Some(10_000));
    assert!(verdict.is_proven(), "{verdict:#?}");
    assert!(verdict.statement.starts_with("2 messages wait"), "{}", verdict.statement);
}

#[test]
fn a_report_between_the_looks_does_not_show_that_the_page_was_there_at_the_second() {
    assert!(verdict(&[(0, &[900]), (6_500, &[900])], Some(3_000)).is_unknown());
}

#[test]
fn looks_that_are_close_together_prove_nothing() {
    assert!(verdict(&[(0, &[900]), (3_000, &[900])], Some(10_000)).is_unknown());
}

#[test]
fn what_is_gone_at_the_second_look_does_not_pile_up() {
    let verdict = verdict(&[(0, &[900]), (6_500, &[])], None);
    assert_eq!(verdict.answer.word(), "refuted", "{verdict:#?}");
}

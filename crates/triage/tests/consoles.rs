//! The recorded consoles, made into reports as a page would have, and the server's log of the same runs.

use std::path::Path;

use crypto_diag_core::{Host, Level, Line, Millis, Recorder, SentBatch, SentTarget};
use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::synapse_log::{LogLevel, LogOptions, Route, ServerLog, UploadOutcome, ZoneSource};
use crypto_diag_triage::verdict::{Answer, ArtefactKind, Claim, Verdict};
use serde_json::{Value, json};

/// What `getOwnDeviceKeys()` would have said in the rollback run; its console prints them.
const ROLLBACK_KEYS: (&str, &str) =
    ("mCZMtESOJrWM+32qXcModIG4jXFQJkhg5IvHqtiP6D0", "y3cZm/ELkFk2lky0oDmzUiHbC+nVkyGVVYFvQZ1TAyk");

fn here(path: &str) -> std::path::PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

/// A recorded console as a report: its warnings and errors recorded, its sent batches listed.
fn report(console: &str, user_id: &str, device_id: &str, own_ed25519: Option<&str>) -> String {
    let path = here("../../tests/fixtures/console").join(console);
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut recorder = Recorder::new();
    let mut sent = Vec::new();
    let (mut first, mut last) = (u64::MAX, 0);
    for line in text.lines() {
        let line: Value = serde_json::from_str(line).expect("a console line is JSON");
        let ts = line["ts"].as_u64().expect("a time");
        (first, last) = (first.min(ts), last.max(ts));
        let args: Vec<&str> = line["args"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let message = args.join(" ");
        match line["level"].as_str() {
            Some("warn" | "warning") => drop(recorder.record(&Line::new(Millis(ts), Level::Warn, &message))),
            Some("error") => drop(recorder.record(&Line::new(Millis(ts), Level::Error, &message))),
            _ => sent.extend(batch(ts, &args)),
        }
    }
    let report = recorder.report(Host { generated_at: Millis(last), sent, ..Host::default() });
    let mut report: Value = serde_json::from_str(&report.to_json()).expect("a report is JSON");
    report["userId"] = json!(user_id);
    report["deviceId"] = json!(device_id);
    report["capture"]["state"] = json!("capturing");
    report["capture"]["timeOrigin"] = json!(first);
    report["capture"]["installedAt"] = json!(first);
    report["capture"]["hooks"] = json!([{"method": "warn", "inPlace": true, "reason": null}, {"method": "error", "inPlace": true, "reason": null}]);
    report["crypto"] = match own_ed25519 {
        Some(key) => json!({"ownDeviceKeys": {"ed25519": key, "curve25519": null}, "devices": []}),
        None => Value::Null,
    };
    report.to_string()
}

fn batch(ts: u64, args: &[&str]) -> Option<SentBatch> {
    let txnid = args.first()?.strip_prefix("Enqueuing batch of to-device messages. type=m.room.encrypted txnid=")?;
    let targets = args[1..].iter().filter_map(|target| {
        let (device, message_id) = target.strip_suffix(')')?.split_once(" (msgid ")?;
        let (user_id, device_id) = device.rsplit_once('/')?;
        Some(SentTarget { user_id: user_id.into(), device_id: device_id.into(), message_id: Some(message_id.into()) })
    });
    Some(SentBatch {
        ts: Millis(ts),
        event_type: Some("m.room.encrypted".into()),
        txnid: Some(txnid.to_owned()),
        targets: targets.collect(),
        ..SentBatch::default()
    })
}

fn log_text() -> Vec<u8> {
    std::fs::read(here("tests/data/homeserver.log.txt")).expect("the recorded log")
}

fn triage(files: &[(&str, &[u8])]) -> Triage {
    let mut bundle = Bundle::new();
    for (name, bytes) in files {
        bundle.add(name, None, *bytes);
    }
    assert!(bundle.problems.is_empty(), "{:?}", bundle.problems);
    Triage::of(&bundle)
}

fn find<'t>(triage: &'t Triage, claim: Claim, about: &str) -> &'t Verdict {
    let mut found = triage.verdicts.iter().filter(|verdict| verdict.claim == claim && verdict.about.contains(about));
    found.next().unwrap_or_else(|| panic!("no {claim:?} about {about} in {:#?}", triage.verdicts))
}

fn rollback_report() -> String {
    report("ke1-to-ke2-store-rollback.jsonl", "@alice:localhost", "HQBJQUNFIQ", Some(ROLLBACK_KEYS.0))
}

/// The row of the refused key, as the database had it: its time is that of the accepted upload in the log.
const ROW: &str = r#"[{"name":"one_time_keys","params":["@alice:localhost"],"at":1795425900000,"rows":[
    {"user_id":"@alice:localhost","device_id":"HQBJQUNFIQ","algorithm":"signed_curve25519","key_id":"AAAAAAAAADQ","ts_added_ms":1795425879103,
     "key_json":"{\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}"}]}]"#;

#[test]
fn the_recorded_log_is_read_whole() {
    let log = ServerLog::read("homeserver.log", &log_text()[..], &LogOptions::default());
    assert!(log.problems.is_empty(), "{:?}", log.problems);
    assert_eq!((log.zone, log.zone_minutes), (ZoneSource::Ledger, 0));
    assert_eq!(log.accesses.len(), 221);
    assert_eq!(log.levels.get(&LogLevel::Warning), Some(&8));
    assert_eq!(log.conflicts.len(), 15);
    assert!(log.conflicts.iter().all(|conflict| conflict.start.is_some()), "each joined to its own request");
    let refused = log
        .uploads
        .iter()
        .filter(|upload| matches!(upload.outcome, UploadOutcome::Refused { status: 400, .. }))
        .count();
    assert_eq!(refused, 15, "an upload counts only with its 200");
    assert!(log.uploads.iter().all(|upload| upload.outcome != UploadOutcome::Unknown));
    let restarts = log.requests.iter().filter(|request| request.route == Route::DelayedEvent);
    assert!(
        restarts.clone().count() > 5
            && restarts.clone().all(|request| request.delay_id() == Some("syd_nxdzinIXhEGWqsVXUmYq"))
    );
    assert!(restarts.clone().all(|request| request.user_id.is_none()), "1.155 logs {{None}}");
}

#[test]
fn a_rolled_back_stores_report_proves_ke1_to_olm_alone() {
    let report = rollback_report();
    let triage = triage(&[("alice.report.json", report.as_bytes())]);
    assert_eq!(triage.exit_code, 1);
    assert!(find(&triage, Claim::Diverged, "AAAAAAAAADQ").is_proven());
    assert_eq!(find(&triage, Claim::IdentityReplaced, "AAAAAAAAADQ").answer, Answer::Refuted);
    assert!(find(&triage, Claim::ConflictLostKey, "drZvSd7Wf0IO").is_proven());
    let rollback = find(&triage, Claim::Rollback, "AAAAAAAAADQ");
    let Answer::Unknown { fetch } = &rollback.answer else { panic!("{rollback:?}") };
    assert!(fetch.iter().any(|fetch| fetch.how.contains("e2e_one_time_keys_json")), "{fetch:?}");
    assert!(fetch.iter().any(|fetch| fetch.artefact == ArtefactKind::ServerLog));
}

#[test]
fn report_row_and_log_together_prove_the_rollback() {
    let (report, log) = (rollback_report(), log_text());
    let triage =
        triage(&[("alice.report.json", report.as_bytes()), ("queries.json", ROW.as_bytes()), ("homeserver.log", &log)]);
    let rollback = find(&triage, Claim::Rollback, "AAAAAAAAADQ");
    assert!(rollback.is_proven(), "{rollback:#?}");
    assert!(rollback.evidence.iter().any(|piece| piece.quote.contains("ts_added_ms=1795425879103")));
    assert_eq!(find(&triage, Claim::TwoContexts, "AAAAAAAAADQ").answer, Answer::Refuted);
    let ranks: Vec<u8> = triage.remedies.iter().map(|remedy| remedy.rank).collect();
    assert_eq!(ranks, [1, 2, 4], "the gentlest option first");
}

#[test]
fn a_row_without_a_common_clock_proves_no_order() {
    let report = rollback_report();
    let triage = triage(&[("alice.report.json", report.as_bytes()), ("queries.json", ROW.as_bytes())]);
    assert!(find(&triage, Claim::Rollback, "AAAAAAAAADQ").is_unknown());
    assert!(find(&triage, Claim::TwoContexts, "AAAAAAAAADQ").is_unknown());
}

#[test]
fn a_row_that_is_later_than_the_page_proves_two_contexts_and_no_rollback() {
    let (report, log) = (rollback_report(), log_text());
    let row = ROW.replace("1795425879103", "1795425887000");
    let triage =
        triage(&[("alice.report.json", report.as_bytes()), ("queries.json", row.as_bytes()), ("homeserver.log", &log)]);
    assert!(find(&triage, Claim::TwoContexts, "AAAAAAAAADQ").is_proven());
    assert_eq!(find(&triage, Claim::Rollback, "AAAAAAAAADQ").answer, Answer::Refuted);
}

#[test]
fn a_key_that_was_claimed_and_is_no_longer_in_the_table_refutes_nothing() {
    let (report, log) = (rollback_report(), log_text());
    let row = ROW.replace("AAAAAAAAADQ", "AAAAAAAAAEE");
    let triage =
        triage(&[("alice.report.json", report.as_bytes()), ("queries.json", row.as_bytes()), ("homeserver.log", &log)]);
    assert!(find(&triage, Claim::Diverged, "AAAAAAAAADQ").is_proven());
    assert!(find(&triage, Claim::Rollback, "AAAAAAAAADQ").is_unknown());
}

#[test]
fn a_second_store_without_the_devices_own_key_leaves_the_cause_open() {
    let report = report("ke1-second-store-same-device.jsonl", "@alice:localhost", "ZDUDAVALPA", None);
    let triage = triage(&[("alice.report.json", report.as_bytes())]);
    assert!(find(&triage, Claim::Diverged, "AAAAAAAAAA0").is_proven());
    for claim in [Claim::IdentityReplaced, Claim::Rollback, Claim::TwoContexts] {
        assert!(find(&triage, claim, "AAAAAAAAAA0").is_unknown(), "{claim:?}");
    }
}

#[test]
fn a_second_store_with_the_key_that_a_sender_holds_is_not_judged_by_hearsay() {
    // The sender's view is the first identity; the device's new one is not in these artefacts.
    let own = report("ke1-second-store-same-device.jsonl", "@alice:localhost", "ZDUDAVALPA", None);
    let sender = report("sender-side-invalid-signature.jsonl", "@bob:localhost", "TRPQUKHAKX", None);
    let triage = triage(&[("alice.report.json", own.as_bytes()), ("bob.report.json", sender.as_bytes())]);
    let about_key = find(&triage, Claim::IdentityReplaced, "+eoD6ExAG2+yXoFsRYyXuWNDfPfmJPqcIZEDRrlP8T0");
    assert!(about_key.is_unknown());
    let Answer::Unknown { fetch } = &about_key.answer else { panic!() };
    assert!(fetch.iter().any(|fetch| fetch.how.contains("e2e_device_keys_json")), "{fetch:?}");
}

#[test]
fn a_delivered_media_key_is_no_failure_and_timeouts_without_requests_are_nobodys_fault() {
    let report = report("ke2-benign_ke3_ke4.jsonl", "@alice:localhost", "NFQILHVQCC", None);
    let log = log_text();
    let triage = triage(&[("alice.report.json", report.as_bytes()), ("homeserver.log", &log)]);
    assert!(!find(&triage, Claim::Ke2Seen, "NFQILHVQCC").is_proven());
    assert!(find(&triage, Claim::Ke3Seen, "NFQILHVQCC").is_proven());
    for claim in [Claim::SlowHomeserver, Claim::SlowGateway, Claim::NeverArrived] {
        let verdict = find(&triage, claim, "!mcvQkMpfsogPWQAuqq:localhost");
        let Answer::Unknown { fetch } = &verdict.answer else { panic!("{verdict:?}") };
        assert!(fetch.iter().any(|fetch| fetch.artefact == ArtefactKind::Har), "{fetch:?}");
    }
    for claim in [Claim::MalformedOnServer, Claim::StrippedOnTheWay, Claim::ClientBug] {
        assert!(find(&triage, claim, "$Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA").is_unknown());
    }
}

#[test]
fn claims_that_the_log_shows_twice_need_more_than_the_log() {
    // The log of one device, its first claim repeated: a restored server, a fallback key, or an upload of another worker.
    let mut log = log_text();
    log.extend_from_slice(b"2026-11-23 09:30:00,000 - synapse.handlers.e2e_keys - 819 - INFO - POST-999 - Claimed one-time-keys: signed_curve25519:AAAAAAAAAA0 for @alice:localhost:HQBJQUNFIQ\n");
    let report = rollback_report();
    let triage = triage(&[("alice.report.json", report.as_bytes()), ("homeserver.log", &log)]);
    assert!(find(&triage, Claim::ServerRestored, "AAAAAAAAAA0").is_unknown());
}

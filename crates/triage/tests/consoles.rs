//! The recorded consoles, made into reports as a page would have, and the server's log of the same runs.

use std::path::Path;

use crypto_diag_core::{Host, Level, Line, Millis, Recorder, SentBatch, SentTarget};
use crypto_diag_triage::Triage;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::conclusion::Conclusion;
use crypto_diag_triage::synapse_log::{LogLevel, LogOptions, Route, ServerLog, UploadOutcome, ZoneSource};
use crypto_diag_triage::verdict::{Answer, Verdict};
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

fn find<'t>(triage: &'t Triage, conclusion: Conclusion, about: &str) -> &'t Verdict {
    let mut found =
        triage.verdicts.iter().filter(|verdict| verdict.conclusion == conclusion && verdict.about.contains(about));
    found.next().unwrap_or_else(|| panic!("no {conclusion:?} about {about} in {:#?}", triage.verdicts))
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
    assert!(find(&triage, Conclusion::Diverged, "AAAAAAAAADQ").is_proven());
    assert_eq!(find(&triage, Conclusion::IdentityReplaced, "AAAAAAAAADQ").answer, Answer::Refuted);
    assert!(find(&triage, Conclusion::ConflictLostKey, "drZvSd7Wf0IO").is_proven());
    let rollback = find(&triage, Conclusion::Rollback, "AAAAAAAAADQ");
    let Answer::Unknown { fetch } = &rollback.answer else { panic!("{rollback:?}") };
    assert!(fetch.iter().any(|fetch| fetch.how.contains("e2e_one_time_keys_json")), "{fetch:?}");
    assert!(fetch.iter().any(|fetch| fetch.artefact == ArtefactKind::ServerLog));
}

#[test]
fn without_the_peers_report_ke1_to_ke2_is_unknown_and_asks_for_it() {
    let (report, log) = (rollback_report(), log_text());
    let triage =
        triage(&[("alice.report.json", report.as_bytes()), ("queries.json", ROW.as_bytes()), ("homeserver.log", &log)]);
    let link = find(&triage, Conclusion::ConflictLostMediaKey, "drZvSd7Wf0IO");
    let Answer::Unknown { fetch } = &link.answer else { panic!("{link:?}") };
    assert!(
        fetch.iter().any(|fetch| fetch.artefact == ArtefactKind::Report && fetch.how.contains("@bob:localhost")),
        "{fetch:?}"
    );
}

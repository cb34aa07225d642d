//! Secrets in artefacts: none reaches an answer, in whatever field, name or message it stands.

use std::fs;
use std::path::Path;

use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::har::{Har, HarOptions};
use crypto_diag_triage::synapse_log::{LogOptions, ServerLog};
use crypto_diag_triage::{Triage, render};
use serde_json::json;

/// Secrets, each with a part of it that no answer may have: one that shows by its form, which the exit closes, too, and one
/// that only its name shows, which is closed where it is read or not at all.
const SECRETS: [(&str, &str); 2] =
    [("syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK", "kTqWvNzX"), ("password=Hush-words", "Hush")];

/// What is wanted of an answer, in every form in which it leaves.
fn assert_closed(bundle: &Bundle, part: &str, what: &str) {
    let triage = Triage::of(bundle);
    let forms = [
        ("text", render::text(&triage)),
        ("markdown", render::markdown(&triage)),
        ("html", render::html(&triage)),
        ("svg", render::svg(&triage)),
        ("json", render::json(&triage).expect("an answer can be written")),
        ("sarif", render::sarif(&triage).expect("an answer can be written")),
    ];
    for (form, answer) in forms {
        let at = answer.find(part).unwrap_or_default();
        assert!(at == 0, "{what}, {form}: …{}…", &answer[at.saturating_sub(200)..answer.len().min(at + 40)]);
    }
}

fn report(change: impl FnOnce(&mut serde_json::Value)) -> Vec<u8> {
    let line = "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {}";
    let mut report = json!({
        "schema": "crypto-diag/report", "schemaVersion": 1, "generatedAt": 1_795_423_000_000_u64,
        "userId": "@alice:example.org", "deviceId": "AQGTNURAAR",
        "entries": [{
            "ts": 1_795_422_963_777_u64, "level": "error", "ke": "KE-1", "signature": "already exists", "message": line,
            "meaning": "failure", "realm": {"kind": "main"}
        }],
        "capture": {"state": "capturing", "installedAt": 1_795_422_000_000_u64, "linesSeen": 9},
    });
    change(&mut report);
    report.to_string().into_bytes()
}

#[test]
fn no_field_of_a_report_brings_a_secret_into_an_answer() {
    for (secret, part) in SECRETS {
        for field in ["userId", "deviceId", "syncState", "sdkVersion", "cryptoVersion", "userAgent"] {
            let mut bundle = Bundle::new();
            bundle.add("alice.report.json", None, &report(|report| report[field] = secret.into())[..]);
            assert_closed(&bundle, part, field);
        }
        let mut bundle = Bundle::new();
        let label = format!("no sound, {secret}");
        let marks = json!([{"ts": 1_795_422_963_000_u64, "kind": "symptom", "label": label}]);
        bundle.add("alice.report.json", None, &report(|report| report["marks"] = marks)[..]);
        let lane = Triage::of(&bundle).timeline.lanes.into_iter().find(|lane| lane.name.contains("marked by the user"));
        assert!(lane.expect("a lane of marks").marks[0].text.starts_with("no sound, "));
        assert_closed(&bundle, part, "a mark's label");
        for field in ["path", "connectionState", "mid", "participantSid"] {
            let mut bundle = Bundle::new();
            let stream = json!({"direction": "receiving", "kind": "audio", "samples": [], field: secret});
            let call = json!({"streams": [stream], "omitted": 0, "session": null, "facts": []});
            bundle.add("alice.report.json", None, &report(|report| report["call"] = call)[..]);
            assert_closed(&bundle, part, field);
        }
        for field in ["userId", "deviceId", "participant", "focus"] {
            let mut bundle = Bundle::new();
            let session = json!({"own": true, "roomId": secret, "memberships": [{field: secret}]});
            let fact = json!({"ts": 1_795_422_963_000_u64, "what": "connected", "participant": secret, "participantSid": secret});
            let call = json!({"streams": [], "omitted": 0, "session": session, "facts": [fact]});
            bundle.add("alice.report.json", None, &report(|report| report["call"] = call)[..]);
            assert_closed(&bundle, part, field);
            let call = bundle.reports[0].call.clone().expect("a call");
            assert!(!format!("{call:?}").contains(part), "{field}: {call:?}");
        }
        for field in ["message", "stack"] {
            let mut bundle = Bundle::new();
            let text = format!("One time key signed_curve25519:AAAAAAAAADQ already exists {secret}");
            bundle.add("alice.report.json", None, &report(|report| report["entries"][0][field] = text.into())[..]);
            assert_closed(&bundle, part, field);
        }
    }
}

#[test]
fn no_name_of_a_file_and_no_problem_brings_a_secret_into_an_answer() {
    for (secret, part) in SECRETS {
        let mut bundle = Bundle::new();
        bundle.add(&format!("{secret}.report.json"), None, &report(|_| {})[..]);
        bundle.add(&format!("{secret}.har"), None, &b"{\"log\":{\"entries\":[{\"startedDateTime\":\"syt_"[..]);
        bundle.add("broken.report.json", None, format!("{{\"schema\":\"{secret}\"").as_bytes());
        bundle.add(
            "pasted.txt",
            None,
            format!("ERROR:  syntax error at {secret}\n device_id | pending\n---+---\n {secret} | {secret}\n")
                .as_bytes(),
        );
        assert!(!bundle.problems.is_empty(), "something is said of what is broken");
        assert_closed(&bundle, part, "names and problems");
    }
}

#[test]
fn no_log_and_no_har_brings_a_secret_into_an_answer() {
    for (secret, part) in SECRETS {
        let lines = [
            format!(
                "synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAADQ']) for device '{secret}' for user '@alice:example.org' at 1795422963777"
            ),
            format!(
                "synapse.http.server - 120 - INFO - POST-48 - <XForwardedForRequest uri='/_matrix/client/v3/keys/upload?access_token={secret}'> SynapseError: 400 - One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{}} {secret}"
            ),
            format!(
                "synapse.access.http.8008 - 643 - INFO - POST-48 - 203.0.113.7 - 8008 - {{@alice:example.org}} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! \"POST /_matrix/client/v3/keys/upload?access_token={secret} HTTP/1.1\" \"{secret}\" [0 dbevts]"
            ),
        ];
        let log: String = lines.iter().map(|line| format!("2026-11-23 08:36:03,872 - {line}\n")).collect();
        let har = json!({"log": {"entries": [{
            "startedDateTime": "2026-11-23T08:36:03.777Z", "time": 96,
            "request": {
                "method": "POST", "url": format!("https://h/_matrix/client/v3/keys/upload/{secret}?access_token={secret}#{secret}"),
                "postData": {"mimeType": "application/json", "text": json!({"device_keys": {"user_id": secret, "device_id": secret}}).to_string()}
            },
            "response": {"status": 400, "content": {"text": json!({"errcode": secret, "error": format!("already exists {secret}")}).to_string()}}
        }]}});
        let mut bundle = Bundle::new();
        bundle.add("alice.report.json", None, &report(|_| {})[..]);
        bundle.add("alice.har", None, har.to_string().as_bytes());
        bundle.add("homeserver.log", None, log.as_bytes());
        assert_closed(&bundle, part, "a log and a HAR");
    }
}

#[test]
fn a_lone_surrogate_costs_a_har_nothing() {
    let entry = |url: &str| {
        format!(
            r#"{{"startedDateTime":"2026-11-23T08:36:03.777Z","time":12,"request":{{"method":"GET","url":"{url}","postData":{{"text":"\ud83d"}}}},"response":{{"status":200,"content":{{"text":"\udc00 x"}}}}}}"#
        )
    };
    let text = format!(r#"{{"log":{{"entries":[{},{}]}}}}"#, entry(r"https://h/a\ud800"), entry("https://h/b"));
    let har = Har::read("a.har", text.as_bytes(), &HarOptions::default());
    assert_eq!((har.entries.len(), har.problems), (2, Vec::new()));
}

/// The refusal that a proof rests on is quoted, and closed for what its names show, too.
#[test]
fn what_a_proof_quotes_of_a_log_and_of_a_har_is_closed() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles/store-rollback");
    let read = |name: &str| fs::read_to_string(folder.join(name)).expect("the bundle has it");
    for (secret, part) in SECRETS {
        let mut bundle = Bundle::new();
        bundle.add("victim.report.json", None, read("victim.report.json").as_bytes());
        for name in ["victim.har", "homeserver.log.txt"] {
            let text = read(name).replace("'}}}", &format!("'}}}}}} {secret}"));
            bundle.add(name, None, text.as_bytes());
        }
        assert_closed(&bundle, part, "a proof");
        let triage = Triage::of(&bundle);
        let proofs = triage.verdicts.iter().filter(|verdict| verdict.is_proven());
        let evidence: Vec<_> = proofs.flat_map(|proof| &proof.evidence).collect();
        for name in ["victim.har", "homeserver.log.txt"] {
            let mut pieces = evidence.iter().filter(|piece| piece.artefact == *name);
            assert!(pieces.any(|piece| piece.quote.contains("[closed")), "{name}: {evidence:?}");
        }
    }
}

/// Whatever a line of a log is about, its quotation is closed as a whole would be, and not for tokens alone.
#[test]
fn no_quotation_of_a_log_keeps_what_only_its_name_shows() {
    const SECRET: &str = "password=Hush-words";
    let log: String = [
        format!("synapse.handlers.e2e_keys - 1 - INFO - POST-1 - Adding one_time_keys dict_keys(['{SECRET}']) for device 'D' for user '@a:h' at 1795422963777"),
        format!("synapse.handlers.e2e_keys - 1 - INFO - POST-2 - Claimed one-time-keys: {SECRET}:A for @a:h:D"),
        format!("synapse.handlers.e2e_keys - 1 - INFO - POST-3 - Updating device_keys for device '{SECRET}' for user @a:h at 1795422963777"),
        format!("synapse.handlers.device - 1 - INFO - POST-4 - Deleting devices ['{SECRET}'] for '@a:h'"),
        format!("synapse.9533_debug - 1 - DEBUG - PUT-5 - Storing to-device messages with stream_id 17: ['@a:h/D (msgid {SECRET})']"),
        format!("synapse.http.server - 1 - INFO - POST-6 - <XForwardedForRequest at 0x7f4a641bb350 method='POST' uri='/_matrix/client/v3/keys/upload' clientproto='HTTP/1.1' site='8008'> SynapseError: 400 - One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{'key': 'drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho'}} {SECRET}"),
        format!("synapse.access.http.8008 - 1 - INFO - POST-7 - 203.0.113.7 - 8008 - {{@a:h}} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 200 \"POST /_matrix/client/v3/keys/upload?{SECRET} HTTP/1.1\" \"UA\" [0 dbevts]"),
    ]
    .iter()
    .map(|line| format!("2026-11-23 08:36:03,872 - {line}\n"))
    .collect();
    let log = ServerLog::read("homeserver.log", log.as_bytes(), &LogOptions::default());
    let quotations: [Vec<&str>; 7] = [
        log.uploads.iter().map(|line| line.quote.as_str()).collect(),
        log.claims.iter().map(|line| line.quote.as_str()).collect(),
        log.device_keys.iter().map(|line| line.quote.as_str()).collect(),
        log.deleted.iter().map(|line| line.quote.as_str()).collect(),
        log.to_device.iter().map(|line| line.quote.as_str()).collect(),
        log.conflicts.iter().map(|line| line.quote.as_str()).collect(),
        log.requests.iter().map(|line| line.quote.as_str()).collect(),
    ];
    for (kind, quoted) in quotations.into_iter().enumerate() {
        let [quoted] = quoted[..] else { panic!("one line of kind {kind}: {quoted:?}") };
        assert!(quoted.contains("[closed]") && !quoted.contains("Hush"), "{quoted}");
    }
}

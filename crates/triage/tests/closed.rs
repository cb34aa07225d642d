//! Secrets in artefacts: none reaches an answer, in whatever field, name or message it stands.

use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::har::{Har, HarOptions};
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
        ("json", render::json(&triage).expect("an answer can be written")),
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

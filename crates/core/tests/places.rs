//! Each place where a text enters a report, one by one: a text that did not go through the redactor would be seen.

use crypto_diag_core::redact::redact_field;
use crypto_diag_core::{
    Capture, Clean, Client, Entry, Failure, FrameState, FrameWatch, HookState, Host, Level, Line, Millis, PageEvent,
    Realm, RealmKind, Recorder, SentBatch, SentTarget,
};

const SECRET: &str = "syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK";

fn with_secret() -> String {
    format!("/x/{SECRET}/y")
}

fn assert_closed(place: &str, recorder: &Recorder, host: Host) {
    let json = recorder.report(host).to_json();
    assert!(!json.contains("kTqWvNzX"), "{place}: {json}");
    assert!(json.contains("[closed"), "{place}: {json}");
}

#[test]
fn what_a_line_brings_is_closed_at_each_place() {
    let text = with_secret();
    let line = |text| Line::new(Millis(1), Level::Error, text);
    let message = format!("DecryptionError {text}");
    let realm = Realm { kind: RealmKind::Frame, path: Some(Clean::new(&text)) };
    for (place, line) in [
        ("message", line(&message)),
        ("head", Line { tail: Some("rest of it"), length: 1_000, ..line(&message) }),
        ("tail", Line { tail: Some(&text), length: 1_000, ..line("DecryptionError") }),
        ("stack", Line { stack: Some(&text), ..line("DecryptionError") }),
        ("realm", Line { realm, ..line("DecryptionError") }),
    ] {
        let mut recorder = Recorder::new();
        recorder.record(&line);
        assert_closed(place, &recorder, Host::default());
    }
}

#[test]
fn what_the_host_gives_is_closed_at_each_place() {
    let some = || Some(with_secret());
    let client = |change: fn(&mut Client, Option<String>)| {
        let mut client = Client::default();
        change(&mut client, some());
        Host { client, ..Host::default() }
    };
    let capture = |change: fn(&mut Capture, String)| {
        let mut capture = Capture::default();
        change(&mut capture, with_secret());
        Host { capture, ..Host::default() }
    };
    let sent = |change: fn(&mut SentBatch, String)| {
        let mut batch = SentBatch { targets: vec![SentTarget::default()], ..SentBatch::default() };
        change(&mut batch, with_secret());
        Host { sent: vec![batch], ..Host::default() }
    };
    for (place, host) in [
        ("sdkVersion", client(|client, text| client.sdk_version = text)),
        ("cryptoVersion", client(|client, text| client.crypto_version = text)),
        ("deviceId", client(|client, text| client.device_id = text)),
        ("userId", client(|client, text| client.user_id = text)),
        ("syncState", client(|client, text| client.sync_state = text)),
        ("userAgent", Host { user_agent: some(), ..Host::default() }),
        ("page", Host { page: some(), ..Host::default() }),
        ("reason", capture(|capture, text| capture.reason = Some(text))),
        ("failure", capture(|capture, what| capture.failures.push(Failure { ts: Millis(1), what }))),
        ("method", capture(|capture, method| capture.hooks.push(HookState { method, ..HookState::default() }))),
        (
            "hook's reason",
            capture(|capture, text| capture.hooks.push(HookState { reason: Some(text), ..HookState::default() })),
        ),
        ("page event", capture(|capture, event| capture.page_events.push(PageEvent { ts: Millis(1), event }))),
        (
            "document's path",
            capture(|capture, text| {
                let document = FrameState { path: Some(text), ..FrameState::default() };
                capture.frames = FrameWatch { documents: vec![document], ..FrameWatch::default() };
            }),
        ),
        (
            "blind document",
            capture(|capture, text| {
                let document = FrameState { blind: Some(text), ..FrameState::default() };
                capture.frames = FrameWatch { documents: vec![document], ..FrameWatch::default() };
            }),
        ),
        ("type", sent(|batch, text| batch.event_type = Some(text))),
        ("txnid", sent(|batch, text| batch.txnid = Some(text))),
        ("target's user", sent(|batch, text| batch.targets[0].user_id = text)),
        ("target's device", sent(|batch, text| batch.targets[0].device_id = text)),
        ("target's message", sent(|batch, text| batch.targets[0].message_id = Some(text))),
    ] {
        assert_closed(place, &Recorder::new(), host);
    }
}

#[test]
fn an_entry_of_a_file_is_closed_as_it_is_read() {
    let json = format!(
        r#"{{"ts":1,"level":"warn","ke":"KE-3","signature":"DecryptionError","message":"{0}","meaning":"failure","stack":"{0}","realm":{{"kind":"frame","path":"{0}"}}}}"#,
        with_secret()
    );
    let entry: Entry = serde_json::from_str(&json).expect("an entry");
    for text in [&entry.message, entry.stack.as_ref().unwrap(), entry.realm.path.as_ref().unwrap()] {
        assert!(!text.contains("kTqWvNzX"), "{text}");
    }
}

#[test]
fn a_fields_name_says_what_a_bare_text_is() {
    let key = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
    for name in ["ed25519", "curve25519", "messageId", "txnid", "participant", "participantSid"] {
        assert_eq!(redact_field(name, key), key, "{name}");
        assert!(!redact_field(name, SECRET).contains("kTqWvNzX"), "{name}");
    }
    assert_eq!(redact_field("deviceId", "AQGTNURAAR"), "AQGTNURAAR");
    assert_eq!(redact_field("userId", "@alice:example.org"), "@alice:example.org");
    assert_eq!(redact_field("participant", "@alice:example.org:AQGTNURAAR"), "@alice:example.org:AQGTNURAAR");
    assert_eq!(redact_field("participantSid", "PA_Xk29dFq8LmNpQrSt"), "PA_Xk29dFq8LmNpQrSt");
    assert_eq!(redact_field("focus", "https://livekit-jwt.example.org:8443"), "https://livekit-jwt.example.org:8443");
    assert_eq!(redact_field("password", "correct horse"), "[closed]");
    assert_eq!(redact_field("what", "it took too long"), "it took too long");
    assert!(redact_field("what", key).starts_with("[closed base64 43 #"));
}

//! The report as a file: its layout, its keys, and that hostile text comes through whole.

use crypto_diag_core::{
    Capture, Client, Entry, Failure, Host, Level, Line, Millis, Realm, RealmKind, Recorder, Report, Source,
};
use proptest::prelude::*;
use serde_json::Value;

fn recorder_of<'a>(lines: impl IntoIterator<Item = &'a str>) -> Recorder {
    let mut recorder = Recorder::new();
    for (number, line) in lines.into_iter().enumerate() {
        assert!(recorder.record(&Line::new(Millis(1_000 + number as u64), Level::Warn, line)), "{line}");
    }
    recorder
}

/// The keys of the JSON object that stands that many spaces deep below the line `open`, in their order.
fn keys_below(json: &str, open: &str, indent: usize) -> Vec<String> {
    let lines = json.lines().skip_while(|line| *line != open).skip(1);
    let prefix = format!("{}\"", " ".repeat(indent));
    let inside = lines.take_while(|line| line.len() - line.trim_start().len() >= indent);
    inside.filter_map(|line| line.strip_prefix(&prefix)?.split('"').next().map(str::to_owned)).collect()
}

fn entry_keys(json: &str) -> Vec<String> {
    keys_below(&json[json.find("\n  \"entries\": [").expect("a report has entries")..], "    {", 6)
}

fn full_host() -> Host {
    Host {
        generated_at: Millis(5),
        client: Client {
            sdk_version: Some("41.6.0-rc.0".into()),
            crypto_version: Some("Rust SDK 0.19.1".into()),
            device_id: Some("DEVICE".into()),
            user_id: Some("@alice:localhost".into()),
            sync_state: Some("SYNCING".into()),
            crypto_ready: Some(true),
        },
        user_agent: Some("agent".into()),
        page: Some("https://example.org/".into()),
        capture: Capture {
            reason: Some("why".into()),
            installed_at: Some(Millis(1)),
            failures: vec![Failure { ts: Millis(2), what: "what".into() }],
            ..Capture::default()
        },
        ..Host::default()
    }
}

#[test]
fn an_unknown_field_of_a_report_is_null_and_never_absent() {
    let empty = Recorder::new().report(Host::default()).to_json();
    let full = recorder_of(["DecryptionError"]).report(full_host()).to_json();
    assert_eq!(keys_below(&empty, "{", 2), keys_below(&full, "{", 2));
    assert_eq!(keys_below(&empty, "  \"capture\": {", 4), keys_below(&full, "  \"capture\": {", 4));
    for name in ["sdkVersion", "cryptoVersion", "deviceId", "userId", "syncState", "cryptoReady", "userAgent", "page"] {
        assert!(empty.contains(&format!("\n  \"{name}\": null,\n")), "{name}");
    }
}

#[test]
fn a_reader_finds_first_what_it_has_been_given_and_last_the_entries() {
    let json = Recorder::new().report(full_host()).to_json();
    let keys = keys_below(&json, "{", 2);
    assert_eq!(keys[..5], ["schema", "schemaVersion", "generatedAt", "tool", "sdkVersion"]);
    assert_eq!(keys.last().map(String::as_str), Some("entries"));
    assert!(json.starts_with("{\n  \"schema\": \"crypto-diag/report\",\n  \"schemaVersion\": 1,\n"), "{json}");
}

#[test]
fn the_counts_are_listed_by_family() {
    let json = recorder_of(["DecryptionError", "missing key at index 1"]).report(Host::default()).to_json();
    assert!(
        json.contains("  \"counts\": {\n    \"KE-1\": 0,\n    \"KE-2\": 1,\n    \"KE-3\": 1,\n    \"KE-4\": 0"),
        "{json}"
    );
}

#[test]
fn an_entry_begins_with_the_five_names_of_the_contract() {
    let bare = recorder_of(["DecryptionError"]).report(Host::default()).to_json();
    let mut recorder = Recorder::new();
    recorder.record(&Line {
        realm: Realm { kind: RealmKind::Frame, path: Some("/element-call/index.html".into()) },
        source: Source::Uncaught,
        stack: Some("Error\n    at app.js:1:1"),
        tail: Some("tail"),
        length: 100_000,
        ..Line::new(Millis(9), Level::Error, "DecryptionError")
    });
    let rich = recorder.report(Host::default()).to_json();
    let keys = entry_keys(&bare);
    assert_eq!(keys[..5], ["ts", "level", "ke", "signature", "message"]);
    assert_eq!(keys, entry_keys(&rich));
}

#[test]
fn reports_with_no_one_and_many_entries_have_the_same_layout() {
    for count in [0usize, 1, 2, 200] {
        let lines: Vec<String> = (0..count).map(|number| format!("DecryptionError {number}")).collect();
        let recorder = recorder_of(lines.iter().map(String::as_str));
        let json = recorder.report(full_host()).to_json();
        let report: Report = serde_json::from_str(&json).expect("a report parses");
        assert_eq!(report.entries.len(), count);
        assert_eq!(report, recorder.report(full_host()));
        assert!(!json.contains('\t') && !json.contains('\r') && !json.contains(" \n"));
        assert!(json.lines().all(|line| (line.len() - line.trim_start().len()) % 2 == 0));
        assert!(json.ends_with(if count == 0 { "  \"entries\": []\n}" } else { "    }\n  ]\n}" }), "{count}");
    }
}

#[test]
fn the_same_state_gives_the_same_bytes() {
    let recorder = recorder_of(["DecryptionError", "already exists"]);
    assert_eq!(recorder.report(full_host()).to_json(), recorder.report(full_host()).to_json());
}

#[test]
fn hostile_text_comes_through_whole() {
    let line =
        "DecryptionError \0 \u{1b}[31m \n\r\t \" \\ </script> \u{202e}txet\u{2028}\u{2029} \u{feff} 👩‍👩‍👧 {\"entries\": [";
    let recorder = recorder_of([line]);
    let json = recorder.report(Host::default()).to_json();
    let report: Report = serde_json::from_str(&json).expect("a report parses");
    assert_eq!(report.entries[0].message, line);
    assert!(json.chars().all(|character| character == '\n' || !character.is_ascii_control()), "controls are escaped");
}

#[test]
fn a_report_with_fields_of_a_later_version_is_still_read() {
    let mut json: Value =
        serde_json::from_str(&recorder_of(["DecryptionError"]).report(full_host()).to_json()).expect("a report parses");
    json["later"] = Value::from("x");
    json["entries"][0]["later"] = Value::from("x");
    let report: Report = serde_json::from_value(json).expect("unknown fields are no error");
    assert_eq!(report.entries.len(), 1);
}

proptest! {
    #[test]
    fn any_text_comes_back_word_for_word(before in "(?s).{0,200}", after in "(?s).{0,200}") {
        let line = format!("{before}DecryptionError{after}");
        let mut recorder = Recorder::new();
        recorder.record(&Line::new(Millis(u64::from(u32::MAX)), Level::Error, &line));
        let expected: Vec<Entry> = recorder.entries();
        let report: Report = serde_json::from_str(&recorder.report(Host::default()).to_json()).unwrap();
        if expected[0].redactions == 0 {
            prop_assert_eq!(&report.entries[0].message, &line);
        }
        prop_assert_eq!(report.entries, expected);
    }
}

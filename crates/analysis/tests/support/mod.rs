//! Recorded consoles as reports.
#![allow(dead_code, reason = "each test binary uses a part of it")]

use std::path::Path;

use crypto_diag_analysis::Report;
use crypto_diag_core::{
    Capture, CaptureState, Client, CryptoFacts, DeviceKeys, HookState, Host, Level, Line, Millis, Recorder,
};
use serde_json::Value;

/// A recorded console: `tests/fixtures/console/<name>.jsonl`.
pub struct Console {
    lines: Vec<(u64, String, String)>,
}

impl Console {
    /// Reads one.
    pub fn read(name: &str) -> Console {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/console/{name}.jsonl"));
        let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        let line = |text: &str| {
            let line: Value = serde_json::from_str(text).unwrap();
            let words: Vec<&str> = line["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            (line["ts"].as_u64().unwrap(), line["level"].as_str().unwrap().to_owned(), words.join(" "))
        };
        Console { lines: text.lines().map(line).collect() }
    }

    /// Keeps the lines that pass.
    pub fn keep_only(&mut self, passes: impl Fn(&str) -> bool) {
        self.lines.retain(|(_, _, text)| passes(text));
    }

    /// The report that a page with this console would give, made by `collectReport` one second after its last line. Ids
    /// and own keys are those that the SDK prints at debug level when it opens the store.
    pub fn report(&self) -> Report {
        let mut recorder = Recorder::new();
        for (ts, level, text) in &self.lines {
            let level = match level.as_str() {
                "warn" => Level::Warn,
                "error" => Level::Error,
                _ => continue,
            };
            recorder.record(&Line::new(Millis(*ts), level, text));
        }
        let opened = |line: &&str| line.contains("Olm account") && line.contains("ed25519_key=");
        let opened = self.lines.iter().map(|(_, _, text)| text.as_str()).find(opened).unwrap();
        let field = |name: &str| {
            let value = opened.split(&format!("{name}=")).nth(1).unwrap();
            Some(value.split_whitespace().next().unwrap().to_owned())
        };
        let host = Host {
            generated_at: Millis(self.lines.last().unwrap().0 + 1000),
            client: Client {
                user_id: field("user_id"),
                device_id: field("device_id"),
                sync_state: Some("SYNCING".into()),
                ..Client::default()
            },
            capture: watching(self.lines[0].0),
            ..Host::default()
        };
        let mut report = recorder.report(host);
        report.crypto = Some(CryptoFacts {
            own_device_keys: Some(DeviceKeys { ed25519: field("ed25519_key"), curve25519: field("curve25519_key") }),
            ..CryptoFacts::default()
        });
        // Through the file's form, as a downloaded report comes.
        Report::from_json(&report.to_json()).unwrap()
    }
}

/// A capture that missed nothing.
pub fn watching(since: u64) -> Capture {
    let hook = |method: &str| HookState { method: method.into(), in_place: true, reason: None };
    Capture {
        state: CaptureState::Capturing,
        installed_at: Some(Millis(since)),
        time_origin: Some(Millis(since)),
        hooks: vec![hook("warn"), hook("error"), hook("info")],
        ..Capture::default()
    }
}

/// The same report, by a capture that missed nothing.
pub fn capturing(mut report: Report) -> Report {
    report.capture = watching(0);
    report
}

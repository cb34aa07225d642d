//! Four recorded consoles, line by line: what the table says of each warn and error line, written out by hand.

use std::fmt::Write as _;

use crypto_diag_core::{Level, Line, Millis, Recorder};
use serde_json::Value;

/// Records a console's warn and error lines and renders what was kept: line number, time, level, family, meaning,
/// signature.
fn kept_of(console: &str) -> String {
    let mut recorder = Recorder::new();
    let mut kept = String::new();
    for (index, json) in console.lines().enumerate() {
        let line: Value = serde_json::from_str(json).expect("a line of the recording is JSON");
        let level = match line["level"].as_str() {
            Some("warn") => Level::Warn,
            Some("error") => Level::Error,
            _ => continue,
        };
        let args: Vec<&str> = line["args"].as_array().unwrap().iter().map(|arg| arg.as_str().unwrap()).collect();
        let text = args.join(" ");
        if !recorder.record(&Line::new(Millis(line["ts"].as_u64().unwrap()), level, &text)) {
            continue;
        }
        let entry = recorder.entries().pop().expect("what was recorded is kept");
        assert_eq!(entry.message, text, "line {} is kept word for word", index + 1);
        assert_eq!(entry.level, level);
        assert_eq!(entry.redactions, 0, "line {} holds public keys only", index + 1);
        assert_eq!(entry.truncated_from, None);
        let word = line["level"].as_str().unwrap();
        let (number, ts, ke, meaning) = (index + 1, entry.ts.0, entry.ke, entry.meaning.word());
        writeln!(kept, "{number} {ts} {word} {ke} {meaning} {}", entry.signature).unwrap();
    }
    assert_eq!(recorder.entries().len(), kept.lines().count());
    assert_eq!(recorder.redactions(), 0);
    kept
}

fn assert_kept(console: &str, expected: &str) {
    let expected: String = expected.trim().lines().map(|line| format!("{}\n", line.trim())).collect();
    assert_eq!(kept_of(console), expected);
}

#[test]
fn a_second_store_on_one_device_repeats_its_conflict() {
    assert_kept(
        include_str!("../../../tests/fixtures/console/ke1-second-store-same-device.jsonl"),
        "59 1795422963290 error KE-1 failure already exists
         70 1795422963345 error KE-1 failure already exists
         80 1795422963395 error KE-1 failure already exists",
    );
}

#[test]
fn a_rolled_back_store_conflicts_again_and_again() {
    assert_kept(
        include_str!("../../../tests/fixtures/console/ke1-to-ke2-store-rollback.jsonl"),
        "44 1795425887050 warn KE-3 failure DecryptionError
         57 1795425887138 error KE-1 failure already exists
         65 1795425887182 error KE-1 failure already exists
         77 1795425887234 error KE-1 failure already exists
         87 1795425887262 error KE-1 failure already exists
         96 1795425890432 error KE-1 failure already exists
         106 1795425890480 error KE-1 failure already exists
         112 1795425891738 error KE-1 failure already exists
         121 1795425891881 error KE-1 failure already exists
         131 1795425891950 error KE-1 failure already exists
         135 1795425893944 warn OLM failure MissingOneTimeKey
         141 1795425893993 error KE-1 failure already exists
         145 1795425895442 warn OLM failure MissingOneTimeKey
         151 1795425895477 error KE-1 failure already exists
         155 1795425896957 warn OLM failure MissingOneTimeKey
         161 1795425897000 error KE-1 failure already exists",
    );
}

#[test]
fn a_call_on_a_slow_network_has_one_delivery_one_bad_event_and_retries() {
    assert_kept(
        include_str!("../../../tests/fixtures/console/ke2-benign_ke3_ke4.jsonl"),
        "143 1795423336097 warn KE-2 delivered io.element.call.encryption_keys
         153 1795423339170 warn KE-3 failure DecryptionError
         177 1795423342244 warn KE-2 transient No targets found for sending key
         189 1795423350246 warn KE-4 transient Restart delayed event timed out
         194 1795423352249 warn KE-4 transient Restart delayed event timed out
         199 1795423353244 warn KE-4 transient Restart delayed event timed out
         207 1795423353308 warn KE-4 transient Missing own membership: force re-join
         210 1795423353308 warn KE-2 transient No targets found for sending key
         213 1795423355245 warn KE-4 transient Restart delayed event timed out
         244 1795423367342 warn KE-2 transient No targets found for sending key
         247 1795423369320 warn KE-4 transient Restart delayed event timed out
         252 1795423371322 warn KE-4 transient Restart delayed event timed out",
    );
}

#[test]
fn the_sender_sees_the_same_bad_event() {
    assert_kept(
        include_str!("../../../tests/fixtures/console/sender-side-invalid-signature.jsonl"),
        "105 1795423336043 warn OLM failure Error creating Olm session
         117 1795423339153 warn KE-3 failure DecryptionError",
    );
}

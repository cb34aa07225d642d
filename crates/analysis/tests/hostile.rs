//! Whatever a report holds, it is read.

mod support;

use std::sync::LazyLock;

use crypto_diag_analysis::{QueryOptions, Reading, Report, server_queries};
use proptest::prelude::*;
use support::Console;

const NAMES: [&str; 4] = [
    "ke1-to-ke2-store-rollback",
    "ke1-second-store-same-device",
    "ke2-benign_ke3_ke4",
    "sender-side-invalid-signature",
];

/// The reports of the recorded consoles, in the order of [`NAMES`].
static RECORDED: LazyLock<Vec<Report>> =
    LazyLock::new(|| NAMES.iter().map(|name| Console::read(name).report()).collect());

/// Words that lines are made of, so that generated ones come near to real ones.
const WORDS: &[&str] = &[
    "One time key ",
    "signed_curve25519:",
    "AAAAAAAAADQ",
    " already exists. ",
    "Old key: ",
    "new key: ",
    "{\"key\":\"",
    "{'key': '",
    "{\\\"key\\\":\\\"",
    "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho",
    "\"",
    "'",
    "}",
    "{",
    "\\",
    "\\u",
    "\\ud83d",
    "\"signatures\":{",
    "missing key at index ",
    "key set not found for ",
    "99999999999999999999",
    " for participant ",
    "@bob:x:DEV",
    ":",
    "@",
    "Received an unexpected encrypted to-device event",
    "event_type=\"io.element.call.encryption_keys\"",
    " sender_key=\"",
    "Error decrypting event (id=",
    "$e",
    " ts=2026-11-23T08:42:19.074Z",
    "ts=9999-99-99T99:99:99.999Z",
    "DecryptionError[msg: ",
    "]",
    "missing field `",
    "`",
    "Restart delayed event timed out",
    "((",
    "9/10",
    "))",
    "retrying in ",
    "1e9s",
    "[MatrixRTCSession !r ",
    "] ",
    "MissingOneTimeKey(\"curve25519:",
    "Error creating Olm session",
    " error=InvalidSignature {",
    "one_time_key: SignedKey { key: \"",
    "Rejecting device update",
    "SigningKeyChanged(",
    "Some(",
    "message_id=\"",
    " chain_index: ",
    "é",
    "😀",
    "\n",
    "\0",
    "\u{7f}",
];

fn line() -> impl Strategy<Value = String> {
    prop_oneof![
        prop::collection::vec(prop::sample::select(WORDS), 0..24).prop_map(|words| words.concat()),
        any::<String>(),
    ]
}

fn entry() -> impl Strategy<Value = serde_json::Value> {
    let ke = prop::sample::select(&["KE-1", "KE-2", "KE-3", "KE-4", "OLM"][..]);
    let meaning = prop::sample::select(&["failure", "transient", "delivered", "unrelated"][..]);
    (any::<u64>(), ke, meaning, line()).prop_map(|(ts, ke, meaning, message)| {
        serde_json::json!({"ts": ts, "level": "warn", "ke": ke, "meaning": meaning, "signature": "", "message": message})
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn no_entries_make_it_panic(
        entries in prop::collection::vec(entry(), 0..12),
        user in line(),
        device in line(),
        now in any::<u64>(),
    ) {
        let report = serde_json::json!({
            "schema": "crypto-diag/report", "schemaVersion": 1, "userId": user, "deviceId": device, "generatedAt": now,
            "crypto": {"ownDeviceKeys": {"ed25519": user, "curve25519": device}, "devices": []},
            "entries": entries,
        });
        let report = Report::from_value(&report).unwrap();
        let reading = Reading::of(&report);
        prop_assert_eq!(reading.evidence.len(), report.entries.len());
        serde_json::to_string(&reading).unwrap();
        let queries = server_queries(&report, &QueryOptions::default());
        prop_assert!(!queries.to_markdown().is_empty() && !queries.to_text().is_empty());
    }

    #[test]
    fn a_recorded_report_with_a_part_cut_out_is_still_read(
        which in 0..NAMES.len(),
        cuts in prop::collection::vec((any::<prop::sample::Index>(), any::<prop::sample::Index>()), 1..20),
    ) {
        let mut report = RECORDED[which].clone();
        for (entry, place) in cuts {
            let count = report.entries.len();
            let Some(entry) = &mut report.entries[entry.index(count)] else { continue };
            let at = place.index(entry.message.len() + 1);
            if entry.message.is_char_boundary(at) {
                entry.message.truncate(at);
            }
        }
        let (whole, cut) = (Reading::of(&RECORDED[which]), Reading::of(&report));
        prop_assert_eq!(whole.evidence.len(), cut.evidence.len());
        prop_assert!(cut.facts.conflicts.len() <= whole.facts.conflicts.len());
    }

    #[test]
    fn what_is_no_report_is_an_error_and_no_panic(text in any::<String>()) {
        prop_assert!(Report::from_json(&text).is_err());
    }
}

#[test]
fn a_hostile_size_costs_little() {
    let nested = format!("signed_curve25519:AAAAAAAAADQ already exists. Old key: {}", "{\"a\":".repeat(200_000));
    let escaped = format!("signed_curve25519:AAAAAAAAADQ already exists. Old key: {{\\\"{}", "\\".repeat(200_000));
    let quotes = format!("MissingOneTimeKey {} message_id=\"", "x=\"\\\" ".repeat(100_000));
    let entry = |message: &str| serde_json::json!({"ts": 1, "level": "warn", "ke": "KE-1", "meaning": "failure", "signature": "", "message": message});
    let report = serde_json::json!({
        "schema": "crypto-diag/report", "schemaVersion": 1, "entries": [entry(&nested), entry(&escaped), entry(&quotes)],
    });
    let reading = Reading::of(&Report::from_value(&report).unwrap());
    assert_eq!(reading.facts.conflicts.len(), 1);
}

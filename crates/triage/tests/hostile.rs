//! Whatever reports hold, an answer comes, and every proof in it rests on something.

use std::path::{Path, PathBuf};

use crypto_diag_triage::analysis::analyse;
use crypto_diag_triage::verdict::{Answer, Verdict};
use proptest::prelude::*;

/// Words that lines are made of, so that generated ones come near to real ones.
const WORDS: &[&str] = &[
    "One time key ",
    "signed_curve25519:AAAAAAAAADQ",
    " already exists. Old key: ",
    "; new key: ",
    "{\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}",
    "{'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}",
    "InboundCreation(MissingOneTimeKey(\"curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\"))",
    " message_id=\"m1\"",
    " sender=\"@bob:x\"",
    "missing key at index 3 for participant @bob:x:BOB",
    "Received an unexpected encrypted to-device event",
    "Restart delayed event timed out before the HS responded",
    "DecryptionError[msg: missing field `algorithm`",
    " $event ",
];

fn entry() -> impl Strategy<Value = serde_json::Value> {
    let ke = prop::sample::select(&["KE-1", "KE-2", "KE-3", "KE-4", "OLM"][..]);
    let meaning = prop::sample::select(&["failure", "transient", "delivered", "unrelated"][..]);
    let line = prop_oneof![
        prop::collection::vec(prop::sample::select(WORDS), 0..12).prop_map(|words| words.concat()),
        any::<String>(),
    ];
    (any::<u64>(), ke, meaning, line).prop_map(|(ts, ke, meaning, message)| {
        serde_json::json!({"ts": ts, "level": "warn", "ke": ke, "meaning": meaning, "signature": "", "message": message})
    })
}

fn rests(verdict: &Verdict) -> bool {
    match &verdict.answer {
        Answer::Proven => !verdict.evidence.is_empty() && verdict.otherwise().is_empty(),
        Answer::Refuted => verdict.otherwise().is_empty(),
        Answer::Unknown { fetch } => !fetch.is_empty() || !verdict.otherwise().is_empty(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(96))]

    #[test]
    fn no_entries_make_it_panic_or_prove_without_evidence(
        entries in prop::collection::vec(entry(), 0..10),
        user in any::<String>(),
        device in any::<String>(),
        now in any::<u64>(),
    ) {
        let report = serde_json::json!({
            "schema": "crypto-diag/report", "schemaVersion": 1, "userId": user, "deviceId": device, "generatedAt": now,
            "crypto": {"ownDeviceKeys": {"ed25519": user, "curve25519": device}, "devices": []},
            "entries": entries,
        });
        let text = report.to_string();
        let analysis = analyse(&[&text, &text]).expect("a report");
        for verdict in &analysis.verdicts {
            prop_assert!(rests(verdict), "{verdict:#?}");
        }
        prop_assert!(!analysis.summary.is_empty());
        serde_json::to_string(&analysis).unwrap();
    }
}

#[test]
fn the_order_of_reports_does_not_change_what_is_said() {
    let worlds = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/worlds");
    let mut reports: Vec<PathBuf> = ["24-a-whiteboard", "04-old-tab-lives-on"]
        .iter()
        .flat_map(|world| std::fs::read_dir(worlds.join(world)).expect("a world"))
        .map(|entry| entry.expect("an entry").path())
        .filter(|path| path.to_string_lossy().ends_with(".report.json"))
        .collect();
    reports.sort();
    let mut texts: Vec<String> =
        reports.iter().map(|path| std::fs::read_to_string(path).expect("a readable report")).collect();
    let said = |texts: &[String]| {
        let mut said: Vec<_> = analyse(texts)
            .expect("reports")
            .verdicts
            .iter()
            .map(|verdict| (verdict.conclusion, verdict.answer.word(), verdict.subject.device.clone()))
            .collect();
        said.sort();
        said
    };
    let first = said(&texts);
    for _ in 0..texts.len() {
        texts.rotate_left(1);
        assert_eq!(said(&texts), first);
    }
}

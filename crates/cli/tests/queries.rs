//! `crypto-diag queries`, as operators run it.

mod support;

use std::fs;

use support::{bundle, fact, run, run_with_input};

#[test]
fn the_ids_stand_in_the_queries_and_both_loggers_in_the_preamble_once() {
    let victim = bundle("store-rollback/victim.report.json");
    let peer = bundle("store-rollback/peer.report.json");
    let said = run(["queries", victim.to_str().unwrap(), peer.to_str().unwrap()]);
    assert_eq!(said.code, 0, "{}", said.err);
    let key_id = fact("store-rollback", "keyId").replace("signed_curve25519:", "");
    assert!(said.out.contains(&format!("AND key_id IN ('{key_id}'")), "{}", said.out);
    assert!(said.out.contains("user_id = '@alice-"), "{}", said.out);
    assert!(said.out.contains("/var/log/matrix-synapse/homeserver.log"));
    assert_eq!(said.out.matches("raise the logger `synapse.9533_debug` to DEBUG").count(), 1);
    assert_eq!(said.out.matches("never raise `synapse.storage.SQL`").count(), 1);
}

#[test]
fn the_log_can_be_named_and_a_hostile_name_stays_a_word() {
    let report = fs::read(bundle("store-rollback/victim.report.json")).unwrap();
    let said = run_with_input(&["queries", "-", "--markdown", "--log", "/var/log/x; rm -rf ~"], &report);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.out.contains("'/var/log/x; rm -rf ~'"), "{}", said.out);
    assert!(said.out.contains("```sql"), "{}", said.out);
}

#[test]
fn what_is_no_report_is_named_and_the_others_are_asked_about() {
    // A folder of a random name could be a secret, and would be closed where it is named.
    let plain = format!("broken-reports-{}", std::process::id());
    let folder = tempfile::Builder::new().prefix(&plain).rand_bytes(0).tempdir().unwrap();
    let broken = folder.path().join("broken.json");
    fs::write(&broken, "{\"schema\":").unwrap();
    let victim = bundle("store-rollback/victim.report.json");
    let said = run(["queries", broken.to_str().unwrap(), "/nowhere.json", victim.to_str().unwrap()]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("broken.json: ") && said.err.contains("/nowhere.json: No such file"), "{}", said.err);
    assert!(said.out.contains("e2e_one_time_keys_json"));
}

#[test]
fn a_report_without_failures_says_so() {
    let report = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"entries":[]}"#;
    let said = run_with_input(&["queries", "-"], report.as_bytes());
    assert_eq!(said.code, 0);
    assert!(said.err.contains("it holds no failure that a server could tell more of"), "{}", said.err);
}

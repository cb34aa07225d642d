//! `crypto-diag rows` and `judge`, as an engine runs them.

mod support;

use std::fs;

use support::{bundle, run, run_with_input, text};

#[test]
fn both_are_filters_under_the_key_of_the_deployment() {
    let folder = tempfile::Builder::new().prefix("rows-keys-").rand_bytes(0).tempdir().expect("a folder");
    let (key, other, short) =
        (folder.path().join("a.key"), folder.path().join("b.key"), folder.path().join("short.key"));
    fs::write(&key, "k".repeat(64)).expect("written");
    fs::write(&other, "o".repeat(64)).expect("written");
    fs::write(&short, "secret").expect("written");
    let victim = fs::read_to_string(bundle("store-rollback").join("victim.report.json")).expect("a report");
    let line: serde_json::Value = serde_json::from_str(&victim).expect("JSON");
    let input = format!("{line}\nnonsense\n");

    let said = run_with_input(&["rows", "--key", text(&key), "--bodies"], input.as_bytes());
    assert_eq!(said.code, 0, "a bad line must not end an engine's job: {}", said.err);
    assert!(said.err.contains("line 2: this is not JSON") && said.err.contains("1 could not be used"), "{}", said.err);
    let again = run_with_input(&["rows", "--key", text(&key), "--bodies"], input.as_bytes());
    assert_eq!(said.out, again.out, "the same bytes give the same rows");
    let elsewhere = run_with_input(&["rows", "--key", text(&other), "--bodies"], input.as_bytes());
    let first = |out: &str| out.lines().next().expect("a row").to_owned();
    assert_ne!(first(&said.out), first(&elsewhere.out), "another deployment has other pseudonyms");

    let body = said.out.lines().find(|row| row.starts_with("{\"table\":\"bodies\"")).expect("it was asked for");
    let body: serde_json::Value = serde_json::from_str(body).expect("JSON");
    let incident = format!("i\t{}\t{}\n", body["report"].as_str().expect("text"), body["body"].as_str().expect("text"));
    let judged = run_with_input(&["judge", "--key", text(&key)], incident.as_bytes());
    assert_eq!(judged.code, 0, "{}", judged.err);
    assert!(
        judged.out.starts_with("{\"table\":\"judged\",") && judged.out.contains("\"finding\":\"ke1-seen\""),
        "{}",
        judged.out
    );

    let torn = run_with_input(&["judge", "--key", text(&key)], format!("b{incident}a{incident}").as_bytes());
    assert_eq!(torn.code, 3);
    assert!(torn.err.contains("LC_ALL=C sort"), "{}", torn.err);
    let weak = run(["rows", "--key", text(&short)]);
    assert_eq!(weak.code, 3);
    assert!(weak.err.contains("the key has 6 bytes, and needs 32") && !weak.err.contains("secret"), "{}", weak.err);
    assert_eq!(run(["rows", "--key", "nowhere.key"]).code, 3);
}

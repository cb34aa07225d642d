//! `crypto-diag queries`, as operators run it.

mod support;

use std::fs;
use std::process::Command;

use crypto_diag_analysis::queries::PREAMBLE;
use crypto_diag_server_log::synapse::levels;
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

/// What the check prints for a log.
#[cfg(unix)]
fn debug_lines(check: &str, log: &std::path::Path, text: &str) -> String {
    fs::write(log, text).unwrap();
    let output = Command::new("sh").args(["-c", check]).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap().trim_end().to_owned()
}

#[cfg(unix)]
#[test]
fn the_log_level_is_raised_gone_back_from_and_seen_to_be_back() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("home server's.log");
    let victim = bundle("store-rollback/victim.report.json");
    let said = run(["queries", victim.to_str().unwrap(), victim.to_str().unwrap(), "--log", log.to_str().unwrap()]);
    let steps = said.out.split("# Log levels").nth(1).expect("they are printed");
    assert_eq!(said.out.matches("# Log levels").count(), 1, "for all reports once");
    let at = |words: &str| steps.find(words).unwrap_or_else(|| panic!("{words}: {steps}"));
    let entry = |level: &str| format!("loggers:\n    synapse.9533_debug:\n        level: {level}\n");
    assert!(at(&entry("DEBUG")) < at("systemctl reload matrix-synapse") && at("systemctl reload") < at(&entry("INFO")));
    assert!(at(&entry("INFO")) < steps.rfind("systemctl reload").unwrap(), "what was gone back to is read, too");

    let check = steps.lines().find(|line| line.starts_with("awk ")).expect("a command to see it by");
    let line = |logger: &str, level: &str, text: &str| {
        format!("2026-11-23 08:36:03,872 - {logger} - 643 - {level} - POST-48 - {text}\n")
    };
    let raised = line("synapse.9533_debug", "DEBUG", "Storing to-device messages with stream_id 17: []");
    let reloaded = line("synapse.config.logger", "INFO", "Reloaded log config from /etc/x due to SIGHUP");
    let other = line("synapse.handlers.auth", "DEBUG", "x") + &line("synapse.9533_debug", "INFO", "x");
    assert_eq!(debug_lines(check, &log, &format!("{reloaded}{raised}{other}{raised}")), "2");
    assert_eq!(debug_lines(check, &log, &format!("{raised}{reloaded}{other}")), "0");
    assert_eq!(debug_lines(check, &log, ""), "0");
}

#[test]
fn in_markdown_the_log_levels_stand_in_fences() {
    let victim = bundle("store-rollback/victim.report.json");
    let said = run(["queries", victim.to_str().unwrap(), "--markdown"]);
    let steps = said.out.split("### Log levels").nth(1).expect("they are printed");
    assert_eq!((steps.matches("```yaml\n").count(), steps.matches("```sh\n").count()), (2, 3), "{steps}");
}

/// The queries are made for pages as well, whose crate knows no server's log. At DEBUG, the second logger prints access tokens.
#[test]
fn both_crates_mean_the_same_loggers() {
    for logger in [levels::TO_DEVICE_LOGGER, "synapse.storage.SQL"] {
        assert!(PREAMBLE.contains(&format!("`{logger}`")), "{logger}");
    }
}

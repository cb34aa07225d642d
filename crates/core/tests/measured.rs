//! Both sides of redaction, measured: the lines that kept a secret once, and the evidence that was destroyed once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crypto_diag_core::redact;
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn text(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// Cases of class X, exotic ones, that stay: none.
const STAYING: [&str; 0] = [];

#[test]
fn no_line_keeps_the_secret_that_it_kept_once() {
    let table = std::fs::read_to_string(fixtures().join("secrets/leaks.tsv")).expect("the fixture is there");
    let mut leaks = Vec::new();
    let mut cases = 0;
    for row in table.lines().skip(1).filter(|row| !row.is_empty()) {
        let [class, case, part, line] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("four columns: {row}") };
        let (part, line) = (text(part), text(line));
        cases += 1;
        let redacted = redact(&line).text.into_owned();
        if redacted.contains(&part) && !STAYING.contains(&case) {
            leaks.push(format!("{class} {case}: {redacted}"));
        }
    }
    assert!(cases > 380, "{cases}");
    assert!(leaks.is_empty(), "{} of {cases}:\n{}", leaks.len(), leaks.join("\n"));
}

/// The evidence of `over-redacted.tsv` as it may have been: that file has it as it was destroyed.
#[test]
fn evidence_that_was_destroyed_once_stays() {
    let key = "eyJvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
    let other = "QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0";
    let far = "z".repeat(600);
    let lines = [
        format!("One time key curve25519:AAAAAAAAADQ already exists. Old key: {key}; new key: '{other}'"),
        format!(r#"already exists signed_curve25519 {{"key":"{key}","unsigned":{{"a":"{far}"}},"signatures":{{}}}}"#),
        "Error decrypting event (id=$eyJ6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvH type=m.room.encrypted)".into(),
        "Error decrypting event ( room !eyJ6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvH)".into(),
        "Error decrypting event (id=$syt_nduM6oGf8FXsiFLUb_sOMLNe-drVkPAMqtPiCvH)".into(),
        "Error decrypting event (id=$4Xmat_nduM6oGf8FXsiFLUbsOMLNedrVkPAMqtPiCvH)".into(),
        "Error decrypting event (id=$4Xw3-syt_uM6oGf8FXsiFLUb_sOMLNe-drVkPAMqtPi)".into(),
        format!(r#"MissingOneTimeKey("curve25519:{key}")"#),
        format!(
            r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{"key":"{key}","signatures":{{}}}}"#
        ),
        "Error passing sync changes to the crypto layer sync token: s72594_4483_1934_12_3_5_9_0_1".into(),
        "already exists one-time key token: @alice:localhost".into(),
        "missing key at index; seen indexes [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16]".into(),
        "missing key at index ABCD EFGH IJKL MNOP QRST UVWX YZAB CDEF GHIJ KLMN OPQR STUV done".into(),
        format!(r#"already exists signed_curve25519 ["key","{key}"]"#),
    ];
    let closed: Vec<String> = lines
        .iter()
        .map(|line| (line, redact(line)))
        .filter(|(line, now)| now.text != **line)
        .map(|(_, now)| now.text.into_owned())
        .collect();
    assert!(closed.is_empty(), "{}", closed.join("\n"));
}

/// What stands around the first place where a line has been closed.
fn difference(line: &str, redacted: &str) -> String {
    let same = line.bytes().zip(redacted.bytes()).take_while(|(one, other)| one == other).count();
    let around = |text: &str| text.bytes().skip(same.saturating_sub(60)).take(130).map(char::from).collect::<String>();
    format!("{}\n    {}", around(line), around(redacted))
}

/// Every text of a JSON value.
fn texts(value: &Value, out: &mut BTreeSet<String>) {
    match value {
        Value::String(text) => drop(out.insert(text.clone())),
        Value::Array(values) => values.iter().for_each(|value| texts(value, out)),
        Value::Object(fields) => fields.values().for_each(|value| texts(value, out)),
        _ => {}
    }
}

fn files(under: &Path, ending: &str, out: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(under).expect("a fixtures' folder").flatten() {
        let path = entry.path();
        if path.is_dir() {
            files(&path, ending, out);
        } else if path.to_string_lossy().ends_with(ending) {
            out.push(path);
        }
    }
}

/// The lines of the recorded consoles, of the reports and of the servers' logs.
fn recorded() -> BTreeSet<String> {
    let mut lines = BTreeSet::new();
    let mut paths = Vec::new();
    files(&fixtures(), ".jsonl", &mut paths);
    for path in &paths {
        for line in std::fs::read_to_string(path).unwrap().lines() {
            let line: Value = serde_json::from_str(line).unwrap();
            let args: Vec<&str> = line["args"].as_array().unwrap().iter().filter_map(Value::as_str).collect();
            lines.insert(args.join(" "));
        }
    }
    paths.clear();
    files(&fixtures(), ".report.json", &mut paths);
    for path in &paths {
        let report: Value = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
        texts(&report["entries"], &mut lines);
    }
    paths.clear();
    files(&fixtures(), "homeserver.log.txt", &mut paths);
    for path in &paths {
        lines.extend(std::fs::read_to_string(path).unwrap().lines().map(str::to_owned));
    }
    lines
}

#[test]
fn nothing_of_a_recorded_line_is_closed() {
    let lines = recorded();
    assert!(lines.len() > 2_000, "{}", lines.len());
    let closed: Vec<String> =
        lines.iter().filter(|line| redact(line).count > 0).map(|line| difference(line, &redact(line).text)).collect();
    assert!(closed.is_empty(), "{} of {}:\n{}", closed.len(), lines.len(), closed.join("\n"));
}

//! Both sides of redaction, measured: the lines that kept a secret once, and the evidence that was destroyed once.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crypto_diag_core::{Clean, redact};
use serde_json::Value;

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures")
}

fn text(value: &str) -> String {
    serde_json::from_str(value).unwrap_or_else(|error| panic!("{value}: {error}"))
}

/// Cases of class X, exotic ones, that stay: none.
const STAYING: [&str; 0] = [];

/// A line that kept a secret once: its class, its case, the part that stayed, and the line.
struct Leak {
    class: String,
    case: String,
    part: String,
    line: String,
}

fn leaks() -> Vec<Leak> {
    let table = std::fs::read_to_string(fixtures().join("secrets/leaks.tsv")).expect("the fixture is there");
    let rows = table.lines().skip(1).filter(|row| !row.is_empty());
    rows.map(|row| {
        let [class, case, part, line] = row.split('\t').collect::<Vec<_>>()[..] else { panic!("four columns: {row}") };
        Leak { class: class.to_owned(), case: case.to_owned(), part: text(part), line: text(line) }
    })
    .collect()
}

#[test]
fn a_secret_that_an_earlier_version_missed_is_closed() {
    let mut kept = Vec::new();
    let cases = leaks();
    for Leak { class, case, part, line } in &cases {
        let redacted = redact(line).text;
        if redacted.contains(part.as_str()) && !STAYING.contains(&case.as_str()) {
            kept.push(format!("{class} {case}: {redacted}"));
        }
    }
    assert!(cases.len() > 380, "{}", cases.len());
    assert!(kept.is_empty(), "{} of {}:\n{}", kept.len(), cases.len(), kept.join("\n"));
}

/// The evidence of `over-redacted.tsv` as it may have been: that file has it as it was destroyed.
#[test]
fn evidence_that_an_earlier_version_closed_by_mistake_is_kept() {
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

#[test]
fn a_paths_parts_are_looked_at_one_by_one() {
    for path in [
        "/tmp/.tmpAbCdEf/bundle-Xy12",
        "/tmp/tmpQ7xK2mZp/bundle/homeserver.log",
        "/home/alice/captures/aZ3kQ9x7/2026-11-26T10-00/h.log.1.gz",
        "~/Rk3Jq8Zw/Pq9Xs2Vn/x",
        "../Rk3Jq8Zw/Pq9Xs2Vn/x",
        "Rk3Jq8Zw/Pq9Xs2Vn/alice.report.json",
        "/var/lib/Rk3Jq8Zw/Pq9Xs2Vn/Tq5Lk8Dm",
        "/Users/alice/Rk3Jq8Zw/Pq9Xs2Vn/Tq5Lk8Dm",
    ] {
        for line in [path.to_owned(), format!("{path}: it is there already"), format!("cannot read \"{path}\", go on")]
        {
            assert_eq!(redact(&line).text, line);
        }
    }
    for (path, wanted) in [
        ("/tmp/kTqWvNzXcBmLpRtYgHjQ2fG7hK/h.log", "/tmp/[closed base64 26 #"),
        ("/tmp/x/syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK/h.log", "/tmp/x/[closed token "),
        ("IrperGRamIxD/pIfAP/DntTnmKqabj/gPSzLNQILybT", "[closed base64 43 #"),
        ("Pare/1bHeeWW/4aHa2tcdTruj1ZWcNfyLQe2EU4uqDX", "[closed base64 43 #"),
        ("5rEN/ocrym/kcnH9D3iUpJ==", "[closed base64 22 #"),
        ("kTqWvNzX/cBmLpRtYgHjQ2fG7hK/Rk3Jq8ZwPq9Xs2Vn", "[closed base64 44 #"),
    ] {
        assert!(redact(path).text.starts_with(wanted), "{}", redact(path).text);
    }
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

/// What a mutation puts into a line: marks, what is public by what stands beside it, and what begins something.
const PIECES: [&str; 24] = [
    "[closed]",
    "[closed content]",
    "[closed base64 43 #jzfv]",
    "[closed bytes 17",
    "[redacted]",
    "\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\"",
    "\"signatures\":{",
    "\"index\":0,",
    "already exists. Old key: {",
    "curve25519:",
    "for participant ",
    "message_id=",
    "password: ",
    "\"token\":\"",
    "Cookie: ",
    "content: {",
    "1,244,3,77,",
    "EsTc LW2K PGiF ",
    "-----BEGIN X-----",
    "…",
    "\\\"",
    "%22",
    "}",
    "\n",
];

/// A line with parts of it, of another one and of [`PIECES`] put elsewhere.
fn mutated(next: &mut impl FnMut(usize) -> usize, line: &str, other: &str) -> String {
    let mut text: Vec<char> = line.chars().take(600).collect();
    let other: Vec<char> = other.chars().collect();
    for _ in 0..1 + next(4) {
        let at = next(text.len() + 1);
        let end = (at + next(40)).min(text.len());
        let piece: Vec<char> = match next(4) {
            0 => Vec::new(),
            1 => PIECES[next(PIECES.len())].chars().collect(),
            2 => {
                let from = next(other.len() + 1);
                other[from..(from + next(60)).min(other.len())].to_vec()
            }
            _ => text[at..end].to_vec(),
        };
        let until = if next(2) == 0 { at } else { end };
        text.splice(at..until, piece);
    }
    text.into_iter().collect()
}

#[test]
fn what_is_redacted_stays_as_it_is_when_it_is_redacted_again() {
    let mut seed = 12u64;
    let mut next = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (seed >> 33) as usize % below
    };
    let lines: Vec<String> = leaks().into_iter().map(|leak| leak.line).chain(recorded()).collect();
    let mut wholly_closed = 0;
    for round in 0..60_000 {
        let line = &lines[round % lines.len()];
        let other = &lines[next(lines.len())];
        let line = if round < lines.len() { line.clone() } else { mutated(&mut next, line, other) };
        let once = redact(&line);
        let twice = redact(&once.text);
        assert_eq!((twice.text.as_ref(), twice.count), (once.text.as_ref(), 0), "of {line:?}");
        wholly_closed += usize::from(once.text == "[closed]" && line.len() > 100);
        // A cut takes away what made something public.
        let mut clean = Clean::new(&line);
        clean.truncate(next(line.len() + 1));
        assert_eq!(Clean::new(&clean), clean, "a part of {line:?}");
    }
    assert_eq!(wholly_closed, 0, "so many looks at a line were not enough");
}

//! `crypto-diag collect`, as operators run it. PostgreSQL and a real Synapse: `tests/live/collect.test.mjs`.

#![cfg(unix)]

mod support;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::Duration;

use rusqlite::Connection;
use serde_json::Value;
use support::{Said, binary, bundle, fact, run, said};
use tempfile::tempdir;

/// A bundle's reports, HARs and log.
fn artefacts(name: &str) -> Vec<String> {
    let file = |file: &str| bundle(name).join(file).display().to_string();
    let mut arguments = vec!["collect".to_owned()];
    for role in ["victim", "peer"] {
        arguments.extend(["--report".to_owned(), file(&format!("{role}.report.json"))]);
        arguments.extend(["--har".to_owned(), file(&format!("{role}.har"))]);
    }
    arguments.extend(["--log".to_owned(), file("homeserver.log.txt")]);
    arguments
}

fn with(mut arguments: Vec<String>, more: &[&str]) -> Vec<String> {
    arguments.extend(more.iter().map(|word| (*word).to_owned()));
    arguments
}

fn folder_of(said: &Said) -> PathBuf {
    assert_eq!(said.code, 0, "{}", said.err);
    PathBuf::from(said.out.trim_end())
}

fn manifest(folder: &Path) -> Value {
    serde_json::from_slice(&fs::read(folder.join("manifest.json")).expect("a manifest")).expect("JSON")
}

/// A server's database with one user, one device and one waiting message.
fn database(path: &Path, user: &str) -> Connection {
    let db = Connection::open(path).unwrap();
    db.execute_batch(
        "PRAGMA journal_mode = WAL;
         CREATE TABLE users (name TEXT, password_hash TEXT);
         CREATE TABLE devices (user_id TEXT, device_id TEXT, display_name TEXT, last_seen BIGINT, hidden BOOLEAN DEFAULT 0);
         CREATE TABLE device_inbox (user_id TEXT, device_id TEXT, stream_id BIGINT, message_json TEXT, instance_name TEXT);",
    )
    .unwrap();
    db.execute("INSERT INTO users VALUES (?1, 'private')", [user]).unwrap();
    db.execute("INSERT INTO devices VALUES (?1, 'PHONE', 'private', 5, 0)", [user]).unwrap();
    db.execute(
        "INSERT INTO device_inbox VALUES (?1, 'PHONE', 17, '{\"type\":\"m.dummy\",\"sender\":\"@b:h\"}', NULL)",
        [user],
    )
    .unwrap();
    db
}

#[test]
fn two_commands_go_from_reports_to_the_verdict() {
    let out = tempdir().unwrap();
    let said = run(with(artefacts("store-rollback"), &["--out", out.path().to_str().unwrap()]));
    let folder = folder_of(&said);
    assert!(folder.starts_with(out.path()));
    assert_eq!(said.err, "", "a pipe gets no progress bar");
    let said = run(["triage", folder.to_str().unwrap()]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("PROVEN   KE-1 cause: rollback"), "{}", said.out);
    let link = said.out.lines().find(|line| line.contains("PROVEN   KE-1 ⇒ KE-2")).expect("proven");
    assert!(link.contains(&fact("store-rollback", "messageId")), "{link}");
}

/// Two processes, as on a server: SQLite's locks work differently within one.
#[test]
fn a_running_servers_sqlite_file_is_read_and_stays_as_it_is() {
    let home = tempdir().unwrap();
    let out = tempdir().unwrap();
    let path = home.path().join("homeserver.db");
    let server = database(&path, "@alice:localhost");
    let files = || -> Vec<(PathBuf, Vec<u8>)> {
        let mut files: Vec<_> = fs::read_dir(home.path()).unwrap().map(|entry| entry.unwrap().path()).collect();
        files.sort();
        files.into_iter().map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    };
    let before = files();
    assert_eq!(before.len(), 3, "a database, its log, its shared memory");
    let url = format!("sqlite:{}", path.display());
    let arguments =
        ["collect", "--user", "@alice:localhost", "--database", &url, "--out", out.path().to_str().unwrap()];
    let folder = folder_of(&run(arguments));
    assert!(files() == before, "nothing is changed and nothing is made");
    drop(server);

    let queries: Value = serde_json::from_slice(&fs::read(folder.join("queries.json")).unwrap()).unwrap();
    let inbox: Vec<&Value> =
        queries.as_array().unwrap().iter().filter(|answer| answer["name"] == "device_inbox").collect();
    assert_eq!(inbox.len(), 2, "two looks");
    assert!(inbox[1]["at"].as_i64().unwrap() - inbox[0]["at"].as_i64().unwrap() >= 5_000);
    assert_eq!(inbox[1]["rows"][0]["stream_id"], 17);
    assert!(!queries.to_string().contains("private"));
    let refused = manifest(&folder)["refused"].to_string();
    assert!(refused.contains("one_time_keys"), "what this database lacks is named: {refused}");
}

#[test]
fn what_cannot_be_collected_is_3_and_says_what_to_do() {
    let out = tempdir().unwrap();
    let out = out.path().to_str().unwrap();
    let cases: [(&[&str], &str); 6] = [
        (&["collect", "--out", out], "nothing to look for"),
        (&["collect", "--out", out, "--report", "/nowhere.json"], "/nowhere.json: cannot be read"),
        (&["collect", "--out", out, "--user", "@a:h", "--log", "/nowhere.log"], "/nowhere.log: cannot be read"),
        (&["collect", "--out", out, "--device", "PHONE"], "say whose"),
        (&["collect", "--out", out, "--user", "@a:h", "--since", "2026-11-23T08:00:00"], "say the zone"),
        (&["collect", "--out", "/dev/null/at/all", "--user", "@a:h"], "choose"),
    ];
    for (arguments, why) in cases {
        let said = run(arguments);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{arguments:?}: {}", said.err);
        assert!(said.err.contains(why), "{arguments:?}: {}", said.err);
    }
}

#[test]
fn a_missing_database_is_named_and_the_rest_is_collected() {
    let out = tempdir().unwrap();
    let more = ["--out", out.path().to_str().unwrap(), "--database", "sqlite:/nowhere/homeserver.db"];
    let said = run(with(artefacts("store-rollback"), &more));
    let folder = folder_of(&said);
    assert!(said.err.contains("/nowhere/homeserver.db"), "{}", said.err);
    assert!(!Path::new("/nowhere").exists());
    assert_eq!(run(["triage", folder.to_str().unwrap()]).code, 1);
}

/// Lines of a log that has no end.
fn lines(from: u32) -> (String, u32) {
    let to = from + 4_000;
    let line = |n: u32| {
        let (minute, second, ms) = (n / 60_000 % 60, n / 1_000 % 60, n % 1_000);
        format!(
            "2026-11-23 08:{minute:02}:{second:02},{ms:03} - synapse.http.server - 131 - INFO - POST-{n} - @alice:localhost did something\n"
        )
    };
    ((from..to).map(line).collect(), to)
}

/// A run that reads a log which has no end yet, and is past its beginning.
fn reading_standard_input(out: &Path) -> Child {
    let mut child = binary()
        .args(["collect", "--user", "@alice:localhost", "--log", "-", "--out", out.to_str().unwrap()])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    // Its beginning is read first, to tell its form.
    child.stdin.as_mut().unwrap().write_all(lines(0).0.as_bytes()).unwrap();
    // Signals are waited for before the folder is made.
    while fs::read_dir(out).unwrap().next().is_none() {
        thread::sleep(Duration::from_millis(10));
    }
    child
}

fn interrupt(child: &Child) {
    assert!(Command::new("kill").args(["-INT", &child.id().to_string()]).status().unwrap().success());
}

#[test]
fn ctrl_c_leaves_a_bundle_with_a_complete_manifest() {
    let out = tempdir().unwrap();
    let mut child = reading_standard_input(out.path());
    interrupt(&child);
    let mut input = child.stdin.take().unwrap();
    // Goes on until nobody reads any more, which is when the run has ended.
    let (mut text, mut next) = lines(4_000);
    while input.write_all(text.as_bytes()).is_ok() {
        (text, next) = lines(next);
    }
    let said = said(child.wait_with_output().unwrap());
    assert_eq!(said.code, 130, "{}", said.err);
    let manifest = manifest(Path::new(said.out.trim_end()));
    assert_eq!(manifest["coverage"]["interrupted"], true);
    for file in manifest["files"].as_array().unwrap() {
        let path = Path::new(said.out.trim_end()).join(file["name"].as_str().unwrap());
        assert_eq!(fs::metadata(path).unwrap().len(), file["size"].as_u64().unwrap());
    }
}

#[test]
fn a_second_ctrl_c_ends_it_at_once() {
    let out = tempdir().unwrap();
    let mut child = reading_standard_input(out.path());
    // Its input stays open, so it would wait for ever. Signals that come together count once, so there are several.
    let status = loop {
        interrupt(&child);
        if let Some(status) = child.try_wait().unwrap() {
            break status;
        }
        thread::sleep(Duration::from_millis(10));
    };
    assert_eq!(status.code(), Some(130));
}

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
use support::{Said, binary, bundle, fact, run, said, text};
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
    assert!(said.out.contains("PROVEN   KE-1 ⇒ OLM"), "{}", said.out);
    assert!(said.out.contains(&fact("store-rollback", "messageId")), "{}", said.out);
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
    assert!(said.err.contains("the file that --database names cannot be opened"), "{}", said.err);
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
fn the_first_signal_leaves_a_bundle_with_a_complete_manifest_though_its_input_stays_open_and_silent() {
    let out = tempdir().unwrap();
    let mut child = reading_standard_input(out.path());
    let input = child.stdin.take().unwrap();
    interrupt(&child);
    let said = said(child.wait_with_output().unwrap());
    drop(input);
    assert_eq!(said.code, 130, "{}", said.err);
    let manifest = manifest(Path::new(said.out.trim_end()));
    assert_eq!(manifest["coverage"]["interrupted"], true);
    for file in manifest["files"].as_array().unwrap() {
        let path = Path::new(said.out.trim_end()).join(file["name"].as_str().unwrap());
        assert_eq!(fs::metadata(path).unwrap().len(), file["size"].as_u64().unwrap());
    }
}

#[test]
fn a_pipe_that_nobody_writes_to_can_be_interrupted_before_anything_is_made() {
    let out = tempdir().unwrap();
    let pipe = out.path().join("pipe");
    assert!(Command::new("mkfifo").arg(&pipe).status().unwrap().success());
    for option in ["--log", "--report", "--har"] {
        let mut child = binary()
            .args([
                "collect",
                "--user",
                "@alice:h",
                option,
                pipe.to_str().unwrap(),
                "--out",
                out.path().to_str().unwrap(),
            ])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A signal before it is waited for would end the process without a code.
        while !fs::read_to_string(format!("/proc/{}/status", child.id())).unwrap().lines().any(catches_sigint) {
            thread::sleep(Duration::from_millis(10));
        }
        interrupt(&child);
        assert_eq!(child.wait().unwrap().code(), Some(130), "{option}");
    }
}

/// `SigCgt:` of `/proc/<pid>/status` is a set of bits; signal 2 is the second.
fn catches_sigint(line: &str) -> bool {
    let set = line.strip_prefix("SigCgt:").and_then(|set| u64::from_str_radix(set.trim(), 16).ok());
    set.is_some_and(|set| set & 0b10 != 0)
}

#[test]
fn a_log_out_of_a_pipe_is_collected_as_the_file_is() {
    let out = tempdir().unwrap();
    let log = bundle("store-rollback").join("homeserver.log.txt");
    let said = Command::new("bash")
        .arg("-c")
        .arg(format!(
            "{} collect --report {} --zone UTC --log <(cat {}) --out {}",
            env!("CARGO_BIN_EXE_crypto-diag"),
            bundle("store-rollback").join("victim.report.json").display(),
            log.display(),
            out.path().display()
        ))
        .output()
        .unwrap();
    let folder = PathBuf::from(String::from_utf8(said.stdout).unwrap().trim_end());
    let manifest = manifest(&folder);
    let slice =
        manifest["files"].as_array().unwrap().iter().find(|file| file["kind"] == "server-log").expect("a slice");
    assert!(slice["size"].as_u64().unwrap() > 1_000, "{manifest}");
}

#[test]
fn a_secret_in_an_argument_or_a_name_is_neither_said_nor_kept() {
    const TOKEN: &str = "syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk";
    let out = tempdir().unwrap();
    let log = out.path().join(format!("{TOKEN}.log"));
    fs::copy(bundle("store-rollback").join("homeserver.log.txt"), &log).unwrap();
    let broken = out.path().join(format!("{TOKEN}.xz"));
    fs::write(&broken, b"\xfd7zXZ\0broken").unwrap();
    let missing = out.path().join(format!("{TOKEN}.json"));
    let said = run(["queries", missing.to_str().unwrap()]);
    assert!(said.code == 3 && said.err.contains("[closed token") && !said.err.contains("kTqWvNzX"), "{}", said.err);
    for database in
        ["synapse:hush-hush@db/synapse", "postgresq://u:hush-hush@db/synapse", "host=db hush-hush dbname=synapse"]
    {
        let said = run([
            "collect",
            "--user",
            "@alice:h",
            "--log",
            log.to_str().unwrap(),
            broken.to_str().unwrap(),
            "--database",
            database,
            "--out",
            out.path().to_str().unwrap(),
        ]);
        let folder = folder_of(&said);
        let kept = fs::read_to_string(folder.join("manifest.json")).unwrap();
        let names: Vec<_> = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
        for text in [&said.err, &kept, &format!("{names:?}")] {
            assert!(!text.contains("hush-hush") && !text.contains("kTqWvNzX"), "{database}: {text}");
        }
        assert!(kept.contains("--database"), "the refusal is named: {kept}");
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

#[test]
fn a_log_at_debug_ends_with_a_reminder_to_go_back() {
    let out = tempdir().unwrap();
    let log = out.path().join("homeserver.log");
    let line = |level: &str| {
        format!("2026-11-23 08:36:03,871 - synapse.9533_debug - 1 - {level} - POST-48 - @alice:localhost\n")
    };
    let collect = || run(["collect", text(&log), "--user", "@alice:localhost", "--out", text(out.path())]).err;
    fs::write(&log, line("INFO")).unwrap();
    assert!(!collect().contains("DEBUG"), "nothing was raised");
    fs::write(&log, line("DEBUG")).unwrap();
    assert!(
        collect()
            .contains("the log has lines at DEBUG: if the call is over, `crypto-diag queries` says how to go back")
    );
}

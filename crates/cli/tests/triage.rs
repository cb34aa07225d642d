//! `crypto-diag triage`, as people run it.

mod support;

use std::fs;
use std::io::{Read, Write};
use std::process::Stdio;

use ruzstd::encoding::{CompressionLevel, compress_to_vec};
use support::{binary, bundle, copy_bundle, fact, run, run_with_input, text};
use tempfile::tempdir;

#[test]
fn a_rolled_back_store_is_proven_with_the_messages_that_it_cost() {
    let said = run(["triage", text(&bundle("store-rollback"))]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.starts_with("Proven: "), "{}", said.out);
    assert!(said.out.contains("KE-1 cause: rollback"), "{}", said.out);
    assert!(said.out.contains("PROVEN   KE-1 ⇒ OLM"), "{}", said.out);
    // Nothing says that the lost message was a media key.
    assert!(said.out.contains("UNKNOWN  KE-1 ⇒ KE-2"), "{}", said.out);
    assert!(said.out.contains(&fact("store-rollback", "messageId")), "the message id stands there: {}", said.out);
    assert_eq!(said.err, "", "a pipe gets no progress bar");
}

#[test]
fn each_option_names_the_facts_of_the_case_that_decide() {
    for (case, facts) in [
        ("client-loses-field", &[" runs matrix-js-sdk 41.6.0-rc.0 now."][..]),
        ("store-rollback", &["crypto-diag compare", "Key backup of @"][..]),
    ] {
        let said = run(["triage", text(&bundle(case)), "--format", "json"]);
        for fact in facts {
            assert!(said.out.contains(fact), "{case}: {fact}");
        }
    }
}

#[test]
fn without_the_peers_side_the_consequence_is_unknown_and_the_report_is_asked_for() {
    let folder = tempdir().unwrap();
    copy_bundle("store-rollback", folder.path());
    fs::remove_file(folder.path().join("peer.report.json")).unwrap();
    fs::remove_file(folder.path().join("peer.har")).unwrap();
    let said = run(["triage", text(folder.path())]);
    assert_eq!(said.code, 1);
    assert!(!said.out.contains("PROVEN   KE-1 ⇒ KE-2"), "{}", said.out);
    assert!(said.out.contains("UNKNOWN  KE-1 ⇒ KE-2"), "{}", said.out);
    assert!(said.out.contains("to find out (report)"), "{}", said.out);
}

#[test]
fn every_format_is_what_it_claims_and_says_the_same() {
    let folder = bundle("store-rollback");
    for (format, begins) in [("text", "Proven:"), ("json", "{"), ("markdown", "#"), ("html", "<!doctype html>")] {
        let said = run(["triage", text(&folder), "--format", format]);
        assert_eq!(said.code, 1, "{format}");
        assert!(said.out.to_lowercase().starts_with(&begins.to_lowercase()), "{format}: {:.80}", said.out);
        assert!(said.out.contains("KE-1 cause: rollback"), "{format}");
    }
    let read = |format: &str| -> serde_json::Value {
        serde_json::from_str(&run(["triage", text(&folder), "--format", format]).out).unwrap()
    };
    let json = read("json");
    assert_eq!((&json["schema"], &json["exitCode"]), (&"crypto-diag/triage".into(), &1.into()));
    let results = |sarif: serde_json::Value| sarif["runs"][0]["results"].as_array().unwrap().len();
    assert_eq!(results(read("sarif")), json["verdicts"].as_array().unwrap().len());
    let picture = run(["triage", text(&folder), "--format", "svg"]).out;
    assert!(picture.starts_with("<svg ") && picture.contains("server: keys/upload"), "{picture}");
}

#[test]
fn an_output_files_ending_chooses_the_format() {
    let folder = tempdir().unwrap();
    let page = folder.path().join("answer.html");
    let said = run(["triage", text(&bundle("store-rollback")), "--output", text(&page)]);
    assert_eq!(said.code, 1);
    assert!(said.out.starts_with("Proven: ") && said.out.lines().count() == 1, "{}", said.out);
    assert!(fs::read_to_string(&page).unwrap().to_lowercase().starts_with("<!doctype html>"));
}

#[test]
fn packed_files_and_single_files_say_the_same_as_the_folder() {
    let folder = tempdir().unwrap();
    copy_bundle("store-rollback", folder.path());
    let log = folder.path().join("homeserver.log.txt");
    let bytes = fs::read(&log).unwrap();
    fs::remove_file(&log).unwrap();
    let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    encoder.write_all(&bytes).unwrap();
    fs::write(folder.path().join("homeserver.log.1.gz"), encoder.finish().unwrap()).unwrap();
    let har = fs::read(folder.path().join("victim.har")).unwrap();
    fs::remove_file(folder.path().join("victim.har")).unwrap();
    fs::write(folder.path().join("victim.har.zst"), compress_to_vec(&har[..], CompressionLevel::Fastest)).unwrap();

    let verdicts = |arguments: Vec<&str>| -> Vec<String> {
        let json: serde_json::Value = serde_json::from_str(&run(arguments).out).unwrap();
        let list = json["verdicts"].as_array().unwrap();
        list.iter().map(|verdict| format!("{} {} {}", verdict["is"], verdict["claim"], verdict["about"])).collect()
    };
    let plain = verdicts(vec!["triage", text(&bundle("store-rollback")), "--format", "json"]);
    assert_eq!(verdicts(vec!["triage", text(folder.path()), "--format", "json"]), plain);

    let mut single: Vec<String> =
        fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().path().display().to_string()).collect();
    // Backwards: the order of arguments decides nothing.
    single.sort_by(|one, other| other.cmp(one));
    let mut arguments = vec!["triage", "--format", "json"];
    arguments.extend(single.iter().map(String::as_str));
    // And what is named twice is read once.
    arguments.push(text(folder.path()));
    assert_eq!(verdicts(arguments), plain);
}

#[test]
fn a_whole_capture_without_failures_is_0_one_without_a_capture_2() {
    assert_eq!(run(["triage", text(&bundle("healthy-key-exchange"))]).code, 0);
    let peer = bundle("store-rollback/peer.report.json");
    assert_eq!(run(["triage", text(&peer)]).code, 0);
    let with_missing = run(["triage", text(&peer), "/nowhere/at-all.har"]);
    assert_eq!(with_missing.code, 2, "what nobody could look into may hold anything: {}", with_missing.out);
    let report = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"entries":[]}"#;
    assert_eq!(run_with_input(&["triage", "-"], report.as_bytes()).code, 2);
}

#[test]
fn a_missing_file_is_named_and_the_rest_is_used() {
    let said = run(["triage", text(&bundle("store-rollback")), "/nowhere/at-all.har"]);
    assert_eq!(said.code, 1);
    assert!(said.out.contains("/nowhere/at-all.har, whole file: cannot be opened: No such file"), "{}", said.out);
}

#[test]
fn nothing_readable_is_unusable() {
    let folder = tempdir().unwrap();
    for inputs in [vec!["/nowhere"], vec![text(folder.path())]] {
        let said = run([vec!["triage"], inputs].concat());
        assert_eq!(said.code, 3);
        assert!(said.out.starts_with("Nothing that was given could be read."), "{}", said.out);
    }
}

#[test]
fn wrong_arguments_are_3_and_never_taken_for_a_verdict() {
    for arguments in
        [&["triage"][..], &[], &["triage", "x", "--format", "pdf"], &["judge"], &["triage", "x", "--zone", "Berlin"]]
    {
        let said = run(arguments);
        assert_eq!((said.code, said.out.as_str()), (3, ""), "{arguments:?}");
        assert!(said.err.contains("Usage") || said.err.contains("For more information"), "{}", said.err);
    }
    for arguments in [&["--help"][..], &["--version"], &["triage", "--help"]] {
        assert_eq!(run(arguments).code, 0, "{arguments:?}");
    }
}

#[test]
fn a_hostile_bundle_neither_breaks_it_nor_speaks_to_the_terminal() {
    let folder = tempdir().unwrap();
    copy_bundle("store-rollback", folder.path());
    let at = |name: &str| folder.path().join(name);
    fs::write(at("zz\u{1b}]0;owned\u{7}.json"), "{\"schema\":\"crypto-diag/report\",\"entries\":").unwrap();
    fs::write(at("cut.har.gz"), [0x1f, 0x8b, 8, 0, 0, 0]).unwrap();
    fs::write(at("bomb.report.json"), "[".repeat(200_000)).unwrap();
    fs::write(at("noise.log"), (0..=255u8).cycle().take(100_000).collect::<Vec<u8>>()).unwrap();
    fs::write(at("empty.json"), "").unwrap();
    fs::create_dir(at("deep")).unwrap();
    fs::write(at("deep/broken.har"), "{\"log\":{\"entries\":[{\"request\":").unwrap();
    #[cfg(unix)]
    {
        std::os::unix::fs::symlink("/etc/passwd", at("passwd.log")).unwrap();
        std::os::unix::fs::symlink(folder.path(), at("loop")).unwrap();
    }
    let said = run(["triage", text(folder.path())]);
    assert_eq!(said.code, 1, "{}", said.err);
    assert!(said.out.contains("KE-1 cause: rollback"), "what could be read was used");
    for name in ["bomb.report.json", "cut.har.gz", "deep/broken.har"] {
        assert!(said.out.contains(name), "{name} is named: {}", said.out);
    }
    assert!(said.out.contains("passwd.log, whole file: it is a symbolic link"), "{}", said.out);
    assert!(!said.out.contains("root:"), "a link is not followed out of the bundle");
    for spoken in [&said.out, &said.err] {
        assert!(!spoken.contains(|character: char| character.is_control() && character != '\n'));
    }
    let html = run(["triage", text(folder.path()), "--format", "html"]);
    assert_eq!(html.code, 1);
}

#[test]
fn tables_pasted_from_psql_are_read_from_a_file_and_from_standard_input() {
    let pasted = "synapse=# SELECT …;\n user_id | device_id | pending | first_stream_id\n---------+-----------+---------+-----------------\n \
                  @a:h    | D         |       3 | 17\n(1 row)\n";
    let folder = tempdir().unwrap();
    let file = folder.path().join("inbox.txt");
    fs::write(&file, pasted).unwrap();
    let report = folder.path().join("a.report.json");
    let json = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"userId":"@a:h","deviceId":"D","entries":[]}"#;
    fs::write(&report, json).unwrap();
    let kinds = |said: support::Said| -> Vec<(String, bool)> {
        let json: serde_json::Value = serde_json::from_str(&said.out).unwrap();
        let list = json["artefacts"].as_array().unwrap().iter();
        list.map(|one| (one["kind"].as_str().unwrap().to_owned(), one["used"].as_bool().unwrap())).collect()
    };
    let expected = [("report".to_owned(), true), ("query-results".to_owned(), true)];
    assert_eq!(kinds(run(["triage", text(&report), text(&file), "--format", "json"])), expected);
    let arguments = ["triage", text(&report), "-", "--format", "json"];
    assert_eq!(kinds(run_with_input(&arguments, pasted.as_bytes())), expected);
}

#[test]
fn a_reader_that_goes_away_is_no_panic() {
    let mut child = binary()
        .args(["triage", text(&bundle("store-rollback")), "--format", "html"])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap();
    drop(child.stdout.take());
    let mut err = String::new();
    child.stderr.take().unwrap().read_to_string(&mut err).unwrap();
    assert_eq!((child.wait().unwrap().code(), err.as_str()), (Some(1), ""));
}

#[cfg(target_os = "linux")]
#[test]
fn an_answer_that_cannot_be_written_is_3() {
    let full = fs::File::options().write(true).open("/dev/full").unwrap();
    let output = binary().args(["triage", text(&bundle("store-rollback"))]).stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(3));
    let said = run(["triage", text(&bundle("store-rollback")), "--output", "/nowhere/answer.html"]);
    assert_eq!(said.code, 3);
    assert!(said.err.contains("/nowhere/answer.html cannot be written: No such file"), "{}", said.err);
}

#[cfg(unix)]
#[test]
fn an_answer_is_its_owners_alone_and_is_written_through_no_link() {
    use std::os::unix::fs::{PermissionsExt, symlink};
    let folder = tempdir().unwrap();
    let (answer, link, elsewhere) =
        (folder.path().join("answer.md"), folder.path().join("link.md"), folder.path().join("elsewhere"));
    run(["triage", text(&bundle("store-rollback")), "--output", text(&answer)]);
    assert_eq!(fs::metadata(&answer).unwrap().permissions().mode() & 0o777, 0o600);
    symlink(&elsewhere, &link).unwrap();
    for taken in [&answer, &link] {
        let said = run(["triage", text(&bundle("store-rollback")), "--output", text(taken)]);
        assert_eq!(said.code, 3);
        assert!(said.err.contains("nothing is overwritten: give --output another name"), "{}", said.err);
    }
    assert!(!elsewhere.exists());
}

#[test]
fn an_answer_beside_its_artefacts_changes_no_later_answer() {
    let folder = tempdir().unwrap();
    copy_bundle("store-rollback", folder.path());
    let first = run(["triage", text(folder.path())]).out;
    for name in ["answer.json", "answer.html", "answer.md", "answer.sarif", "timeline.svg"] {
        run(["triage", text(folder.path()), "--output", text(&folder.path().join(name))]);
    }
    assert_eq!(run(["triage", text(folder.path())]).out, first);
}

/// `script` gives a terminal; it belongs to every Debian.
#[cfg(target_os = "linux")]
#[test]
fn a_terminal_gets_a_progress_bar_that_is_gone_afterwards() {
    let folder = tempdir().unwrap();
    let typed = folder.path().join("typescript");
    let command = format!("{} triage '{}'", env!("CARGO_BIN_EXE_crypto-diag"), text(&bundle("store-rollback")));
    let status = std::process::Command::new("script")
        .args(["-qec", &command, text(&typed)])
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .status()
        .unwrap();
    assert_eq!(status.code(), Some(1));
    let typed = fs::read_to_string(typed).unwrap();
    let (bar, answer) = typed.split_once("Proven: ").expect("the answer is there");
    assert!(bar.contains("KiB") && bar.contains("\u{1b}[2K"), "{bar:?}");
    assert!(!answer.contains('\u{1b}'), "{answer:?}");
}

#[test]
fn an_answer_does_not_overwrite_what_it_is_about() {
    let folder = tempdir().unwrap();
    copy_bundle("store-rollback", folder.path());
    let report = folder.path().join("victim.report.json");
    let before = fs::read(&report).unwrap();
    let said = run(["triage", text(&report), "--output", text(&report)]);
    assert_eq!(said.code, 3);
    assert_eq!(fs::read(&report).unwrap(), before);
}

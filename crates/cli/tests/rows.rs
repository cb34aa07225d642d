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

#[test]
fn rageshakes_give_their_attached_reports_else_their_consoles() {
    let folder = tempfile::Builder::new().prefix("rows-bugs-").rand_bytes(0).tempdir().expect("a folder");
    let key = folder.path().join("a.key");
    fs::write(&key, "k".repeat(64)).expect("written");
    let bugs = folder.path().join("bugs");
    let shake = |name: &str, files: &[(&str, &[u8])]| {
        let place = bugs.join("2026-11-23").join(name);
        fs::create_dir_all(&place).expect("made");
        for (file, text) in files {
            fs::write(place.join(file), text).expect("written");
        }
    };
    let details = br#"{"user_text":"my diary","app":"element-web","data":{"user_id":"@alice:example.org","device_id":"DEVICEOFAL","User-Agent":"Mozilla/5.0 (X11; Linux x86_64; rv:153.0) Gecko/20100101 Firefox/153.0","Version":"1.12.3","storageManager_persisted":"false"}}"#;
    let console = "2026-11-23T08:36:03.871Z I nothing of interest\n\
        2026-11-23T08:36:04.871Z E One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}\n";
    let report = fs::read(bundle("store-rollback").join("victim.report.json")).expect("a report");
    let gzipped = {
        use std::io::Write;
        let mut packed = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        packed.write_all(console.as_bytes()).expect("memory");
        packed.finish().expect("memory")
    };
    shake("083604-AAAA", &[("details.json", details), ("logs-0000.log.gz", &gzipped)]);
    shake(
        "083605-BBBB",
        &[("details.json", details), ("logs-0000.log.gz", &gzipped), ("lotus-crypto-diag-2026.json", &report)],
    );
    shake("083606-CCCC", &[("details.json", details), ("screenshot.png", b"\x89PNG\r\n")]);

    let said = run(["rows", "--key", text(&key), "--rageshake", text(&bugs)]);
    assert_eq!(said.code, 0, "{}", said.err);
    assert!(said.err.contains("2 reports were read, 1 could not be used"), "{}", said.err);
    let rows: Vec<serde_json::Value> = said.out.lines().map(|row| serde_json::from_str(row).expect("JSON")).collect();
    let of_table = |table: &str| rows.iter().filter(|row| row["table"] == table).collect::<Vec<_>>();
    let [console, attached] = of_table("reports")[..] else { panic!("{}", said.out) };
    assert_eq!(
        (console["source"].as_str(), attached["source"].as_str()),
        (Some("rageshake-console"), Some("rageshake"))
    );
    assert_eq!((console["release"].as_str(), attached["release"].as_str()), (Some("1.12.3"), Some("1.12.3")));
    assert_eq!((console["browser"].as_str(), console["day"].as_str()), (Some("firefox 153"), Some("2026-11-23")));
    assert_eq!(
        (console["ke1"].as_u64(), console["state"].as_str(), console["persisted"].as_bool()),
        (Some(1), None, Some(false))
    );
    assert!(console["device"].is_string(), "details.json names it");
    assert_eq!(attached["sdk"], "41.6.0-rc.0");
    let key_ids =
        of_table("ids").into_iter().filter(|row| row["report"] == console["report"] && row["kind"] == "one-time-key");
    assert_eq!(key_ids.count(), 2);
    assert_eq!(of_table("refused")[0]["why"], "nothing-readable");
    assert!(["alice", "diary", "DEVICEOFAL"].iter().all(|word| !said.out.contains(word)));
    assert_eq!(run(["rows", "--key", text(&key), "--rageshake", text(&bugs)]).out, said.out);

    let empty = run(["rows", "--key", text(&key), "--rageshake", text(&bundle("store-rollback"))]);
    assert_eq!(empty.code, 3);
    assert!(empty.err.contains("no rageshake lies in it"), "{}", empty.err);
}

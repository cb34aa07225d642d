//! What logs come as, and what goes wrong with them.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};

use crypto_diag_collect::{CollectError, Collected, Ids, Progress, Request, Silent, collect};
use flate2::Compression;
use flate2::write::GzEncoder;

/// 2026-11-23 08:36:00 UTC.
const SINCE: i64 = 1_795_422_960_000;

fn line(second: u32, request: &str, message: &str) -> String {
    format!("2026-11-23 08:36:{second:02},871 - synapse.x.y - 12 - INFO - {request} - {message}\n")
}

fn log() -> String {
    (0..40).map(|n| line(n, &format!("GET-{n}"), if n % 10 == 0 { "@alice:h was here" } else { "nothing" })).collect()
}

fn gzip(text: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(text).expect("in memory");
    encoder.finish().expect("in memory")
}

fn zstd(text: &[u8]) -> Vec<u8> {
    zstd::encode_all(text, 3).expect("in memory")
}

fn request(logs: &[PathBuf], out: &Path) -> Request {
    Request {
        logs: logs.to_vec(),
        ids: Ids { users: ["@alice:h".to_owned()].into(), ..Ids::default() },
        since: Some(SINCE),
        until: Some(SINCE + 60_000),
        zone_minutes: Some(0),
        out: out.to_owned(),
        ..Request::default()
    }
}

fn run(logs: &[PathBuf], out: &Path) -> Collected {
    collect(&request(logs, out), &Silent, &AtomicBool::new(false)).expect("a bundle")
}

fn slice(collected: &Collected, name: &str) -> String {
    fs::read_to_string(collected.folder.join(name)).expect("a slice")
}

#[test]
fn packing_is_told_by_its_first_bytes_and_not_by_a_name() {
    let folder = tempfile::tempdir().expect("a folder");
    for (name, bytes) in [
        ("plain.log", log().into_bytes()),
        ("lying.gz", log().into_bytes()),
        ("gzip.log", gzip(log().as_bytes())),
        ("zstd.log", zstd(log().as_bytes())),
    ] {
        let path = folder.path().join(name);
        fs::write(&path, bytes).expect("a file");
        let collected = run(&[path], &folder.path().join("out"));
        let name = &collected.manifest.files[0].name;
        assert_eq!(slice(&collected, name).matches("@alice:h").count(), 4, "{name}");
        assert_eq!(collected.manifest.refused, [], "{name}");
        assert_eq!(collected.folder.file_name().expect("a name").to_string_lossy()[..20], *"2026-11-23T08-36-00Z");
    }
}

#[test]
fn an_export_of_lokis_that_is_one_document_is_sliced_line_by_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("loki.json");
    let text = log() + &line(41, "GET-99", "@carol:h was here");
    let values: Vec<_> = text.lines().map(|line| serde_json::json!(["1795422963872000000", line])).collect();
    let values = serde_json::to_string(&values).expect("JSON");
    let document = format!(
        r#"{{"status":"success","data":{{"resultType":"streams","result":[{{"stream":{{"pod":"synapse-0"}},"values":{values}}}]}}}}"#
    );
    fs::write(&path, &document).expect("a file");
    let collected = run(std::slice::from_ref(&path), &folder.path().join("out"));
    let slice = slice(&collected, &collected.manifest.files[0].name);
    assert_eq!((slice.matches("@alice:h").count(), slice.matches("@carol").count()), (4, 0), "{slice}");
    // One that ends in the middle is refused with the way to export it.
    fs::write(&path, &document[..2_000]).expect("a file");
    let refused = run(&[path], &folder.path().join("cut")).manifest.refused;
    assert!(refused.iter().any(|refused| refused.why.contains("logcli -o jsonl")), "{refused:?}");
}

#[test]
fn a_folder_of_rotated_logs_is_one_log_in_the_order_of_time() {
    // A folder of a random name could be a secret, and would be closed where it is named.
    let plain = format!("rotated-logs-{}", std::process::id());
    let folder = tempfile::Builder::new().prefix(&plain).rand_bytes(0).tempdir().expect("a folder");
    let logs = folder.path().join("logs");
    fs::create_dir(&logs).expect("a folder");
    let error = line(3, "POST-1", "refused");
    let access = "2026-11-23 08:36:20,871 - synapse.access.http.8008 - 643 - INFO - POST-1 - 127.0.0.1 - 8008 - {@alice:h} Processed request: 18.000sec/0.000sec ru=(0.0sec, 0.0sec) db=(0.0sec/0.0sec/8) 5B 400 \"POST /x HTTP/1.1\" \"UA\" [0 dbevts]\n";
    fs::write(logs.join("homeserver.log.2.gz"), gzip(error.as_bytes())).expect("a file");
    fs::write(logs.join("homeserver.log.1"), line(10, "GET-1", "nothing")).expect("a file");
    fs::write(logs.join("homeserver.log"), access).expect("a file");
    fs::write(logs.join("worker.log"), line(11, "GET-1", "@alice:h")).expect("a file");
    fs::write(logs.join("nginx.conf"), "server { }\n").expect("a file");
    fs::write(logs.join("old.log.xz"), [0xfd, b'7', b'z', b'X', b'Z', 0]).expect("a file");
    let collected = run(&[logs], &folder.path().join("out"));
    assert_eq!(slice(&collected, "homeserver.log").lines().next(), Some(error.trim_end()));
    assert!(slice(&collected, "homeserver.log").ends_with(access));
    assert!(slice(&collected, "worker.log").contains("@alice:h"));
    let refused = format!("{:?}", collected.manifest.refused);
    assert!(
        refused.contains("nginx.conf") && refused.contains("old.log.xz") && refused.contains("cannot be opened"),
        "{refused}"
    );
}

#[test]
fn what_could_be_read_of_a_truncated_file_is_there_and_where_it_broke() {
    let folder = tempfile::tempdir().expect("a folder");
    let text: String = (0..20_000).map(|n| line(n % 60, &format!("GET-{n}"), &format!("@alice:h {}", n * n))).collect();
    for (name, packed) in [("a.log.gz", gzip(text.as_bytes())), ("b.log.zst", zstd(text.as_bytes()))] {
        let path = folder.path().join(name);
        fs::write(&path, &packed[..packed.len() / 2]).expect("a file");
        let collected = run(&[path], &folder.path().join("out"));
        let kept = slice(&collected, &collected.manifest.files[0].name);
        assert!(kept.lines().count() > 1000, "{name} {}", kept.len());
        let refused = format!("{:?}", collected.manifest.refused);
        assert!(refused.contains(name) && refused.contains("it breaks behind"), "{refused}");
    }
}

#[test]
fn every_form_of_line_is_searched_and_its_traceback_stays_whole() {
    let folder = tempfile::tempdir().expect("a folder");
    let plain = line(5, "GET-1", "@alice:h failed");
    let plain = plain.trim_end();
    let journal = "synapse.x.y: [GET-1] @alice:h failed";
    for (index, (head, prefix)) in [
        (plain.to_owned(), ""),
        (format!("worker1 | {plain}"), "worker1 | "),
        (format!("2026-11-23T08:36:05.871Z box python[643]: {journal}"), "2026-11-23T08:36:05.872Z box python[643]: "),
        (format!("2026-11-23T08:36:05.871234567Z stdout F {plain}"), "2026-11-23T08:36:05.871234567Z stdout F "),
        (
            r#"{"log":"@alice:h failed","namespace":"synapse.x.y","level":"INFO","time":1795422965.87,"request":"GET-1"}"#
                .to_owned(),
            "",
        ),
    ]
    .into_iter()
    .enumerate()
    {
        let record = format!("{head}\n{prefix}Traceback (most recent call last):\n{prefix}  File \"x\"\n");
        let other = head.replace("@alice:h", "nobody").replace("GET-1", "GET-2");
        let path = folder.path().join(format!("form{index}.log"));
        fs::write(&path, format!("{other}\n{other}\n{record}{other}\n{other}\n")).expect("a file");
        let collected = run(&[path], &folder.path().join("out"));
        let kept = slice(&collected, &format!("form{index}.log"));
        assert!(kept.contains(&record), "{kept}");
        // The first, the last and the one: the others are left out.
        assert_eq!(kept.matches("failed").count(), 3, "{kept}");
    }
}

#[test]
fn other_peoples_ids_and_addresses_do_not_stay() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.log");
    let text = [
        line(1, "GET-1", "@alice:h met @bob:h.org from 203.0.113.9 and 2001:db8::7"),
        line(2, "GET-2", "@bob:h.org was at /profile/%40bob%3Ah.org?access_token=syt_Ym9i_secretsecret of @alice:h"),
        line(3, "GET-3", "@carol:h.org left"),
    ];
    fs::write(&path, text.concat()).expect("a file");
    let collected = run(&[path], &folder.path().join("out"));
    let kept = slice(&collected, "x.log");
    for secret in ["bob", "carol", "203.0.113.9", "2001:db8", "syt_", "secretsecret"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    assert_eq!(kept.matches("user-1").count(), 3, "{kept}");
    assert!(kept.contains("@alice:h met @user-1:pseudonym.invalid from address-1 and address-2"), "{kept}");
}

#[test]
fn a_zone_is_guessed_from_ledger_lines_and_said() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.log");
    let ledger = "2026-11-23 10:36:05,000 - synapse.handlers.e2e_keys - 918 - INFO - POST-1 - Updating device_keys for device 'D' for user @someone:h at 1795422964998\n";
    let text = format!("{ledger}{}", log().replace(" 08:36", " 10:36"));
    fs::write(&path, text).expect("a file");
    let collected = collect(
        &Request { zone_minutes: None, ..request(&[path], &folder.path().join("out")) },
        &Silent,
        &AtomicBool::new(false),
    )
    .expect("a bundle");
    assert_eq!(slice(&collected, "x.log").matches("@alice:h").count(), 4);
    assert_eq!(collected.manifest.zone_minutes, Some(120));
    let zone = &collected.manifest.coverage["logs"][0]["zone"];
    assert!(zone["how"] == "ledger" && zone["why"].as_str().is_some_and(|why| why.contains("x.log")), "{zone}");
}

#[test]
fn a_zone_that_nothing_tells_loses_no_line() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.log.gz");
    fs::write(&path, gzip(log().replace(" 08:36", " 17:36").as_bytes())).expect("a file");
    let collected = collect(
        &Request { zone_minutes: None, ..request(&[path], &folder.path().join("out")) },
        &Silent,
        &AtomicBool::new(false),
    )
    .expect("a bundle");
    assert_eq!(slice(&collected, "x.log").matches("@alice:h").count(), 4);
    assert_eq!(collected.manifest.zone_minutes, None);
    assert_eq!(collected.manifest.coverage["logs"][0]["zone"]["how"], "unknown");
}

#[test]
fn an_interrupted_run_leaves_a_complete_manifest() {
    struct Interrupt(AtomicBool);
    impl Progress for Interrupt {
        fn bytes_read(&self, _bytes: u64) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let folder = tempfile::tempdir().expect("a folder");
    let (first, second) = (folder.path().join("a.log"), folder.path().join("b.log"));
    let text = log().repeat(2000);
    fs::write(&first, &text).expect("a file");
    fs::write(&second, &text).expect("a file");
    // The flag is what the progress sets.
    let interrupt: &'static Interrupt = Box::leak(Box::new(Interrupt(AtomicBool::new(false))));
    let collected = collect(&request(&[first, second], &folder.path().join("out")), interrupt, &interrupt.0);
    let collected = collected.expect("a bundle");
    assert!(collected.interrupted);
    let manifest = fs::read(collected.folder.join("manifest.json")).expect("a manifest");
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).expect("JSON");
    assert_eq!(manifest["coverage"]["interrupted"], true);
    let refused = manifest["refused"].to_string();
    assert!(refused.contains("a.log") && refused.contains("b.log") && refused.contains("interrupted"), "{refused}");
    for file in manifest["files"].as_array().expect("files") {
        let path = collected.folder.join(file["name"].as_str().expect("a name"));
        assert_eq!(fs::metadata(path).expect("a file").len(), file["size"].as_u64().expect("a size"));
    }
    assert!(slice(&collected, "a.log").lines().count() < text.lines().count());
}

#[test]
fn errors_name_the_file_and_what_to_do() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("out");
    let error = |request: &Request| {
        let error: CollectError = collect(request, &Silent, &AtomicBool::new(false)).expect_err("an error");
        error.to_string()
    };
    let missing = error(&request(&[folder.path().join("gone.log")], &out));
    assert!(missing.contains("gone.log: cannot be read") && missing.contains("give the folder"), "{missing}");
    assert!(!out.exists(), "nothing is written where the call is wrong");
    let nothing = error(&Request { ids: Ids::default(), ..request(&[], &out) });
    assert!(nothing.contains("--report"), "{nothing}");
    let backwards = error(&Request { until: Some(SINCE - 1), ..request(&[], &out) });
    assert!(backwards.contains("--since"), "{backwards}");
    let report = folder.path().join("r.json");
    fs::write(&report, "{").expect("a file");
    let broken = error(&Request { reports: vec![report], ..request(&[], &out) });
    assert!(broken.contains("r.json") && broken.contains("line 1"), "{broken}");
    let file = folder.path().join("file");
    fs::write(&file, "").expect("a file");
    let unwritable = error(&request(&[], &file));
    assert!(unwritable.contains("cannot be written") && unwritable.contains("--out"), "{unwritable}");
}

#[test]
fn latency_is_measured_and_prometheus_is_checked() {
    let folder = tempfile::tempdir().expect("a folder");
    let path = folder.path().join("x.log");
    let access = |route: &str| {
        format!(
            "2026-11-23 08:36:20,871 - synapse.access.http.8008 - 643 - INFO - GET-1 - 127.0.0.1 - 8008 - {{@bob:h}} Processed request: 18.000sec/0.000sec ru=(0.0sec, 0.0sec) db=(0.0sec/0.0sec/8) 5B 200 \"GET {route} HTTP/1.1\" \"UA\" [0 dbevts]\n"
        )
    };
    let text = [log(), access("/_matrix/client/v3/sync?since=s1"), access("/_matrix/client/v3/keys/query")].concat();
    fs::write(&path, text).expect("a file");
    let prometheus = folder.path().join("p.json");
    fs::write(&prometheus, r#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#).expect("a file");
    let with = |prometheus: &Path, latency: bool| {
        let prometheus = Some(prometheus.to_owned());
        let request =
            Request { prometheus, latency, ..request(std::slice::from_ref(&path), &folder.path().join("out")) };
        collect(&request, &Silent, &AtomicBool::new(false)).expect("a bundle")
    };
    let collected = with(&prometheus, true);
    let latency: serde_json::Value =
        serde_json::from_slice(&fs::read(collected.folder.join("latency.json")).expect("latency")).expect("JSON");
    assert_eq!(latency["cryptoDiag"]["requests"], serde_json::json!([[1_795_422_960, 1]]));
    assert!(collected.folder.join("prometheus.json").is_file());
    fs::write(&prometheus, "<html>").expect("a file");
    let collected = with(&prometheus, false);
    assert!(!collected.folder.join("prometheus.json").exists() && !collected.folder.join("latency.json").exists());
    assert!(format!("{:?}", collected.manifest.refused).contains("query_range"));
}

/// An SFU's log. By the format strings of LiveKit v1.13.5.
fn livekit(sid: &str, who: &str) -> String {
    let line = |time: &str, place: &str, words: &str, more: &str| {
        format!(
            "2026-11-23T08:{time}.871Z\tINFO\tlivekit\t{place}\t{words}\t{{\"room\": \"{ROOM}\", \"roomID\": \"{sid}\", \"participant\": \"{who}\", \"participantID\": \"PA_q8WvTn4RbYkz\", \"remote\": false{more}}}\n"
        )
    };
    let init = format!(
        ", \"nodeID\": \"ND_{sid}\", \"numParticipants\": 0, \"participantInit\": {{\"Identity\": \"{who}\", \"Client\": {{\"sdk\": \"JS\", \"address\": \"203.0.113.7\"}}, \"token\": \"{JWT}\"}}"
    );
    [
        line("36:00", "service/roommanager.go:433", "starting RTC session", &init),
        "2026-11-23T08:36:00.900Z\tINFO\tlivekit\tservice/roommanager.go:1075\tcreated TURN password\t{\"username\": \"jJHegbpcEDnj\", \"password\": \"qUiOsW4JQ8yT\"}\n".to_owned(),
        line("36:01", "rtc/room.go:1283", "participant active", ", \"connectTime\": \"1.1s\""),
        line("36:02", "rtc/participant.go:2399", "mediaTrack published", ", \"trackInfo\": {\"sid\": \"TR_x\", \"encryption\": \"GCM\"}"),
        line("40:00", "rtc/participant.go:1493", "participant closing", ", \"reason\": \"CLIENT_REQUEST_LEAVE\""),
        format!("2026-11-23T08:40:01.000Z\tINFO\tlivekit\tservice/roommanager.go:706\troom closed\t{{\"room\": \"{ROOM}\"}}\n"),
    ]
    .concat()
}

/// A hash, as LiveKit's rooms are named for calls of Matrix.
const ROOM: &str = "Xk3fQm0yLr9TzVb2uJwC7dNh5sEoPaG1iKqR8vYtMn4";

const JWT: &str = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJAYWxpY2U6aCJ9.q8WvTn4RbYkzLm2PfXcJ7dHs";

#[test]
fn the_logs_of_two_sfus_are_told_by_their_content_and_kept_so_far_as_they_say_who_was_where() {
    let folder = tempfile::tempdir().expect("a folder");
    let (one, other, tokens) = (folder.path().join("one"), folder.path().join("two"), folder.path().join("three"));
    fs::write(&one, livekit("RM_one", "@alice:h:ALICEDEV")).expect("a file");
    fs::write(&other, livekit("RM_two", "@bob:other.example:BOBDEV")).expect("a file");
    let refused = "2026/11/23 08:36:10 Failed to look up user info: Get \"https://other.example/_matrix/federation/v1/openid/userinfo?access_token=kTqWvNzXcBmLpRtYgHjQ\": dial tcp 203.0.113.9:443: i/o timeout\n2026/11/23 08:36:11 Request from 203.0.113.9:1\n";
    fs::write(&tokens, refused).expect("a file");
    let with_ends =
        Request { until: Some(SINCE + 300_000), ..request(&[one, other, tokens], &folder.path().join("out")) };
    let collected = collect(&with_ends, &Silent, &AtomicBool::new(false)).expect("a bundle");
    let slices = ["one.log", "two.log", "three.log"].map(|name| slice(&collected, name));
    for slice in &slices {
        for gone in ["eyJ", "@bob", "203.0.113", "kTqWvNzX", "qUiOsW4JQ8yT"] {
            assert!(!slice.contains(gone), "{gone}: {slice}");
        }
    }
    assert!(slices[0].contains("@alice:h:ALICEDEV") && slices[2].contains("Failed to look up user info"), "{slices:?}");
    let mut bundle = crypto_diag_triage::bundle::Bundle::new();
    for (name, slice) in ["one.log", "two.log", "three.log"].iter().zip(&slices) {
        bundle.add(name, None, slice.as_bytes());
    }
    assert!(bundle.problems.is_empty(), "{:?}", bundle.problems);
    let triage = crypto_diag_triage::Triage::of(&bundle);
    let said = triage.verdicts.iter().map(|verdict| (verdict.conclusion, verdict.answer.word())).collect::<Vec<_>>();
    assert_eq!(said, [(crypto_diag_triage::conclusion::Conclusion::DifferentSfu, "proven")], "{:?}", triage.verdicts);
}

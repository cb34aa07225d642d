//! No reader panics or hangs, whatever it is given, and each keeps its promises.

use std::io::{self, BufReader, Cursor, Read};

use crypto_diag_analysis::{Report, evidence};
use crypto_diag_core::{Level, Line, Millis, Recorder};
use crypto_diag_fuzz::{Reached, Seeds, fuzz, root};
use crypto_diag_server_log::{Class, EventKind, parse_line};
use crypto_diag_triage::analysis::analyse;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::console::{Console, Rageshake};
use crypto_diag_triage::har::{Har, HarOptions};
use crypto_diag_triage::latency::Latency;
use crypto_diag_triage::problem::Problem;
use crypto_diag_triage::query::QueryResults;
use crypto_diag_triage::synapse_log::{LogOptions, ServerLog};
use crypto_diag_triage::unpack::open;
use crypto_diag_triage::{Triage, render};

/// Where recorded bundles are.
const BUNDLES: [&str; 3] = ["tests/fixtures/bundles", "tests/fixtures/logs", "crates/triage/tests/data"];

/// Every recorded artefact whose name is wanted.
fn recorded(target: &str, wanted: impl Fn(&str) -> bool) -> Seeds {
    BUNDLES.iter().fold(Seeds::kept(target), |seeds, folder| seeds.files(&root().join(folder), &wanted))
}

fn told(reached: Reached, problems: &[Problem]) -> Reached {
    problems.iter().take(4).fold(reached, |reached, problem| reached.message(&problem.what))
}

#[test]
fn report() {
    fuzz("report", recorded("report", |name| name.ends_with(".report.json")), &["\"ke\":\"KE-1\""], |bytes| {
        let mut bundle = Bundle::new();
        bundle.add("a.report.json", Some(ArtefactKind::Report), bytes);
        let reached = told(Reached::default(), &bundle.problems);
        let text = String::from_utf8_lossy(bytes);
        let analysed = analyse(&[&text]);
        assert_eq!(analysed.is_ok(), Report::from_json(&text).is_ok(), "what is a report is analysed");
        let Ok(analysis) = analysed else { return reached };
        analysis.verdicts.iter().fold(reached, |reached, verdict| reached.by(verdict.conclusion))
    });
}

#[test]
fn har() {
    let words =
        ["{\"log\":{\"entries\":[", "\"startedDateTime\":\"2026-11-23T08:36:03.777Z\"", "\"encoding\":\"base64\""];
    fuzz("har", recorded("har", |name| name.ends_with(".har")), &words, |bytes| {
        let har = Har::read("a.har", bytes, &HarOptions::default());
        // What a bundle keeps of it says the same as it does.
        let mut kept = Vec::new();
        har.write(&mut kept).expect("a vector takes everything");
        let again = Har::read("a.har", &kept[..], &HarOptions::default());
        assert_eq!(har.entries.len(), again.entries.len(), "requests are lost on the way into a bundle");
        let mut twice = Vec::new();
        again.write(&mut twice).expect("a vector takes everything");
        assert_eq!(
            String::from_utf8_lossy(&kept),
            String::from_utf8_lossy(&twice),
            "a HAR changes when it is kept again"
        );
        told(Reached::default().about(har.entries.len()), &har.problems)
    });
}

#[test]
fn server_log() {
    let words = [
        "***** STARTING SERVER *****",
        "Processed request: ",
        "2026-11-23 08:36:03,871 - ",
        "{\"MESSAGE\":",
        "worker1 | ",
    ];
    let logs = recorded("server_log", |name| name.ends_with(".log.txt") || name.ends_with(".log"));
    fuzz("server_log", logs, &words, |bytes| {
        let log = ServerLog::read("a.log", bytes, &LogOptions::default());
        told(Reached::default().about(log.requests.len()).about(log.levels.len()), &log.problems)
    });
}

/// Lines of every server in every wrapping: one more changes nothing of what a line says.
#[test]
fn log_line() {
    let words = [
        "@400000006b03fafd33ea67c0 ",
        "nov. 23 08:36:03 box python[643]: ",
        "Mon 2026-11-23 09:36:03 CET box python[643]: ",
        "[pod/synapse-0/synapse] ",
        "INFO:synapse.handlers.e2e_keys:",
        "08:36:03,871 - ",
        "time=\"2021-08-30T17:54:18Z\" level=error msg=\"x\" key_errors=\"",
        "2026-11-23T08:36:03.871204Z  INFO conduwuit::x: ",
        "[238B blob data]",
        "{\"labels\":{\"pod\":\"a\"},\"line\":\"",
        "POST-14- - ",
    ];
    let logs = recorded("log_line", |name| name.ends_with(".log.txt") || name.ends_with(".log"));
    fuzz("log_line", logs, &words, |bytes| {
        let line = bytes.split(|byte| *byte == b'\n').next().unwrap_or_default();
        let Some(read) = parse_line(line) else { return Reached::default() };
        // The cheap look tells of an answered request what the whole line says.
        if let (Class::Access(cheap), EventKind::Access(access)) = (read.class(), read.event().kind) {
            assert_eq!(cheap, access.duration_ms(), "{}", String::from_utf8_lossy(line));
        }
        let wrapped = [b"worker1 | ", line].concat();
        // Of too many wrappings nothing is read.
        if let Some(inner) = parse_line(&wrapped) {
            assert_eq!(inner.message, read.message, "a prefix changes a line");
        }
        Reached::default().by(read.level).by(read.format.name())
    });
}

/// Lines of SFUs and of what gives out tokens for them, up to what follows from them.
#[test]
fn media_log() {
    let session = r#"{"room": "!r:h", "roomID": "RM_a", "participant": "@a:h:A", "participantID": "PA_a", "nodeID": "ND_a", "numParticipants": 0, "reason": "CLIENT_REQUEST_LEAVE"}"#;
    let line = |second: &str, words: &str| {
        format!("2026-11-23T08:3{second}.871Z\tINFO\tlivekit\trtc/room.go:1\t{words}\t{session}\n")
    };
    let one = [
        line("0:00", "starting RTC session"),
        line("0:01", "participant active"),
        line("0:02", "mediaTrack published"),
        line("9:00", "participant closing"),
    ]
    .concat();
    let other = one.replace("_a", "_b").replace("@a:h:A", "@b:h:B");
    let both = one.replace("2026", "one | 2026") + &other.replace("2026", "two | 2026");
    let words = [
        "starting LiveKit server",
        "{\"level\":\"info\",\"ts\":1795422963.87,\"logger\":\"livekit\",\"caller\":\"rtc/room.go:1\",\"msg\":\"participant active\",",
        "2026/11/23 08:36:03 Failed to look up user info: ",
        "2026-11-23T08:36:03.871204Z  INFO lk_jwt_service::handler: Handler: generated SFU access token matrix_id=@a:h lk_id=",
        "\"numParticipants\": 1",
    ];
    fuzz("media_log", Seeds::kept("media_log").text(one).text(both), &words, |bytes| {
        let mut bundle = Bundle::new();
        bundle.add("a.log", Some(ArtefactKind::ServerLog), bytes);
        let lines = bundle.media.iter().map(|log| log.lines.len()).sum();
        let triage = Triage::of(&bundle);
        let reached = triage.verdicts.iter().fold(Reached::default().about(lines), |reached, verdict| {
            reached.by(verdict.conclusion).by(verdict.answer.word())
        });
        told(reached, &bundle.problems)
    });
}

/// What Loki exports as one document.
#[test]
fn loki_export() {
    let answer = r#"{"status":"success","data":{"resultType":"streams","result":[{"stream":{"pod":"a"},"values":[["1795422964872000000","2026-11-23 09:36:03,871 - synapse.x - 1 - INFO - GET-1 - m"]]}]}}"#;
    let saved = r#"[{"line":"2026-11-23 09:36:03,871 - synapse.x - 1 - INFO - GET-1 - m","timestamp":"1795422964872000000","date":"2026-11-23T08:36:04.872Z","fields":{"pod":"a"}}]"#;
    fuzz(
        "loki_export",
        Seeds::kept("loki_export").text(answer).text(saved),
        &["\"values\":[[", "\"line\":"],
        |bytes| {
            let log = ServerLog::read("a.json", bytes, &LogOptions::default());
            told(Reached::default().about(log.processes.len()), &log.problems)
        },
    );
}

#[test]
fn query_results() {
    let words = [
        "-[ RECORD 1 ]",
        "(1 row)",
        "--------+------",
        "key_id|device_id",
        "\"rows\":[",
        "ke2-inbox 1 [\"@a:h\"]",
        "│",
        "asked",
    ];
    let results = recorded("query_results", |name| name == "queries.json" || name.ends_with(".csv"))
        .text(" key_id | used \n--------+------\n AAAAHQ | t\n(1 row)\n")
        .text("-[ RECORD 1 ]\nkey_id | AAAAHQ\nts_added_ms | 1795422963871\n")
        .text("user_id,device_id,key_id\n@a:h,D,\"signed_curve25519:A\"\n")
        .files(&root().join("tests/fixtures/answers"), |name| name.starts_with("ke2-inbox"));
    fuzz("query_results", results, &words, |bytes| {
        let results = QueryResults::read("a.csv", bytes);
        told(Reached::default(), &results.problems)
    });
}

#[test]
fn saved_console() {
    let words = [
        "2026-11-23T08:36:03.315Z W ",
        "2026-11-23T08:36:03.315232Z  WARN a{b=\"c\"}: matrix_sdk_crypto::machine: ",
        " | crates/a.rs:1 | spans: root",
        "[4321:1123/093603.315232:ERROR:CONSOLE(7)] \"",
        " init.js:1:1116520\n",
        "```\n",
        "from_builder with user_id=@a:h device_id=D",
        "{\"ts\":1795422963315,\"level\":\"warn\",\"args\":[\"",
    ];
    let mut seeds = Seeds::kept("saved_console");
    for folder in ["tests/fixtures/console", "tests/fixtures/wild"] {
        seeds = seeds.files(&root().join(folder), |name| name.ends_with(".jsonl") || name.starts_with('f'));
    }
    fuzz("saved_console", seeds, &words, |bytes| {
        let console = Console::read("console.log", bytes);
        let again = Console::read("console.log", BufReader::with_capacity(7, bytes));
        let lines = |console: &Console| console.report.as_ref().map(|report| report.entries.clone());
        assert_eq!(lines(&console), lines(&again), "how much comes at once makes no difference");
        let Some(report) = &console.report else { return told(Reached::default(), &console.problems) };
        assert!(report.entries.len() <= 200, "the ring holds 200 entries");
        report.entries().fold(told(Reached::default(), &console.problems), |reached, (_, entry)| {
            reached.by(entry.ke).by(evidence::read(entry).map(|found| std::mem::discriminant(&found)))
        })
    });
}

#[test]
fn rageshake() {
    let json = r#"{"user_text":"x","app_name":"element-web","data":{"user_id":"@a:h","device_id":"D"}}"#;
    let log = "x\n\nNumber of logs: 1\nApplication: element-web\ndevice_id: D\nuser_id: @a:h\n";
    fuzz("rageshake", Seeds::kept("rageshake").text(json).text(log), &["user_id: ", "\"data\":"], |bytes| {
        let found = Rageshake::read("a/details.json", &String::from_utf8_lossy(bytes));
        Reached::default().by(found.as_ref().map(|shake| shake.device.is_some()))
    });
}

#[test]
fn archive() {
    let seeds = Seeds::kept("archive").files(&root().join("tests/fixtures/packed"), |name| !name.ends_with(".md"));
    fuzz("archive", seeds, &["PK\u{3}\u{4}", "PK\u{1}\u{2}", "ustar\u{0}", "\u{0}0000644\u{0}"], |bytes| {
        let (parts, refused) = match open::parts(Cursor::new(bytes), open::Part::Whole) {
            Ok(listed) => listed,
            Err(error) => return Reached::default().message(&error.to_string()),
        };
        assert!(parts.len() <= 1_000, "an archive has as many members as are taken");
        for part in parts.iter().take(8) {
            if let Ok(text) = open::open(Cursor::new(bytes), part) {
                let _ = io::copy(&mut text.take(1 << 20), &mut io::sink());
            }
        }
        for member in open::members_of_zip(Cursor::new(bytes)).map_or(Vec::new(), |(members, _)| members).iter().take(8)
        {
            if let Ok(bytes) = open::stored(Cursor::new(bytes), member) {
                let _ = io::copy(&mut bytes.take(1 << 20), &mut io::sink());
            }
        }
        let reached = Reached::default().about(parts.len());
        refused.iter().take(4).fold(reached, |reached, (_, why)| reached.message(why))
    });
}

#[test]
fn latency() {
    let range = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"servlet":"Sync"},"values":[[1795422963,"0.5"],[1795422978,"NaN"]]}]}}"#;
    fuzz("latency", Seeds::kept("latency").text(range), &["\"+Inf\"", "\"vector\""], |bytes| {
        Reached::default().message(&Latency::read("a.json", bytes).err().unwrap_or_default())
    });
}

#[test]
fn manifest() {
    let manifest = r#"{"schema":"crypto-diag/bundle","schemaVersion":1,"from":1,"to":2,"zoneMinutes":60,"files":[{"name":"a.har","kind":"har","size":1,"sha256":""}],"coverage":{},"refused":[{"what":"a","why":"b"}]}"#;
    fuzz("manifest", Seeds::kept("manifest").text(manifest), &["-1439", "null"], |bytes| {
        let mut bundle = Bundle::new();
        bundle.add("manifest.json", None, bytes);
        let triage = Triage::of(&bundle);
        assert_eq!(triage.exit_code, 3, "a manifest alone says nothing");
        told(Reached::default(), &bundle.problems)
    });
}

/// The artefacts stand in one input, each behind a line that names it, so that the breaking goes across their borders.
const BORDER: &str = "\n\u{1}artefact ";

#[test]
fn bundle() {
    let mut seeds = Seeds::kept("bundle");
    for folder in BUNDLES {
        let Ok(bundles) = std::fs::read_dir(root().join(folder)) else { continue };
        for bundle in bundles.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()) {
            let mut input = String::new();
            let mut files: Vec<_> =
                std::fs::read_dir(&bundle).expect("a folder").flatten().map(|entry| entry.path()).collect();
            files.sort();
            for file in files.iter().filter(|file| !file.ends_with("label.json")) {
                let name = file.file_name().expect("a file").to_string_lossy();
                let text = std::fs::read(file).expect("a file that can be read");
                input += &format!("{BORDER}{name}\n{}", String::from_utf8_lossy(&text));
            }
            seeds = seeds.text(input);
        }
    }
    fuzz("bundle", seeds, &[BORDER, "homeserver.log\n", "a.report.json\n"], |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut bundle = Bundle::new();
        for artefact in text.split(BORDER).skip(1).take(8) {
            let (name, content) = artefact.split_once('\n').unwrap_or((artefact, ""));
            bundle.add(name, None, BufReader::new(content.as_bytes()));
        }
        let triage = Triage::of(&bundle);
        assert!(triage.exit_code <= 3);
        let html = render::html(&triage);
        let picture = render::svg(&triage);
        for tag in ["<script", "<img", "<iframe", "<link", "<form", "<object", "<embed", "<image", "<use", "<a "] {
            assert!(!html.contains(tag) && !picture.contains(tag), "the page or the picture holds {tag}");
        }
        for json in [render::json(&triage), render::sarif(&triage)] {
            let json = json.expect("an answer can be written");
            serde_json::from_str::<serde_json::Value>(&json).expect("an answer can be read again");
        }
        let shown = render::text(&triage);
        assert!(shown.chars().all(|character| character == '\n' || !character.is_control()), "text acts on a terminal");
        let _ = render::markdown(&triage);
        triage.verdicts.iter().fold(Reached::default(), |reached, verdict| {
            reached.by(verdict.is_proven()).by(verdict.is_unknown()).message(verdict.conclusion.title())
        })
    });
}

#[test]
fn console_line() {
    let mut seeds = Seeds::kept("console_line");
    for folder in ["tests/fixtures/console", "crates/core/tests"] {
        seeds = seeds.files(&root().join(folder), |name| name.ends_with(".jsonl") || name == "lines.rs");
    }
    let words = [
        "already exists",
        "MissingOneTimeKey",
        "DecryptionError",
        "syt_YWxpY2U_abcdefghijklmnopqrst_0ABCDE",
        "access_token=",
    ];
    fuzz("console_line", seeds, &words, |bytes| {
        let text = String::from_utf8_lossy(bytes);
        let mut recorder = Recorder::new();
        for (at, line) in text.lines().take(400).enumerate() {
            recorder.record(&Line::new(Millis(at as u64), Level::Error, line));
        }
        let entries = recorder.entries();
        assert!(entries.len() <= 200, "the ring holds 200 entries");
        entries.iter().fold(Reached::default().about(entries.len()), |reached, entry| {
            assert!(entry.message.len() <= 17 << 10, "a kept message has 16 KiB");
            reached.by(entry.ke).by(evidence::read(entry).map(|found| std::mem::discriminant(&found)))
        })
    });
}

//! The plan and the run, over files in memory.

use std::io::{Cursor, Write};

use flate2::Compression;
use flate2::write::GzEncoder;

use super::*;
use crate::Triage;
use crate::bundle::Bundle;

struct Given(&'static str, Vec<u8>);

impl Source for Given {
    type Input = Cursor<Vec<u8>>;
    fn name(&self) -> &str {
        self.0
    }
    fn open(&self) -> io::Result<Self::Input> {
        if self.0.contains("gone") {
            return Err(io::Error::other("NotFoundError"));
        }
        Ok(Cursor::new(self.1.clone()))
    }
}

const LINE: &[u8] = b"2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n";

fn log(lines: usize) -> Vec<u8> {
    LINE.repeat(lines)
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut packed = GzEncoder::new(Vec::new(), Compression::fast());
    packed.write_all(bytes).unwrap();
    packed.finish().unwrap()
}

fn zip(members: &[(&str, &[u8])]) -> Vec<u8> {
    let mut zip = zip::ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        let options = zip::write::SimpleFileOptions::default().compression_method(zip::CompressionMethod::Stored);
        zip.start_file(*name, options).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

fn report() -> Vec<u8> {
    br#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"entries":[]}"#.to_vec()
}

fn run_all(sources: &[Given]) -> (Bundle, Triage) {
    run(sources, Vec::new(), None, &mut |_, _| {})
}

#[test]
fn reports_are_read_before_logs_whatever_comes_first() {
    let sources = [Given("a.log", log(1)), Given("z.report.json", report())];
    let mut order = Vec::new();
    let (bundle, triage) = run(&sources, Vec::new(), None, &mut |index, step| {
        if matches!(step, Step::Done(_)) {
            order.push(index);
        }
    });
    assert_eq!(order, [1, 0]);
    assert_eq!((bundle.reports.len(), bundle.logs.len()), (1, 1));
    let turned = [Given("z.report.json", report()), Given("a.log", log(1))];
    assert_eq!(run_all(&turned).1, triage);
}

#[test]
fn a_file_is_told_by_its_content_and_its_name_only_breaks_ties() {
    for (name, content, kind) in [
        ("call.har", log(1), ArtefactKind::ServerLog),
        ("homeserver.log", report(), ArtefactKind::Report),
        ("notes.csv", br#"{"log":{"version":"1.2","creator":{}}}"#.to_vec(), ArtefactKind::Har),
        ("x.har", b"{".to_vec(), ArtefactKind::Har),
        ("x.log", b"no log\n".to_vec(), ArtefactKind::ServerLog),
        // The server's own words, a heading, and a homeserver in Rust are no console and no table.
        (
            "a.log",
            b"ERROR:x:One time key signed_curve25519:AAAAAAAAADQ already exists.\n".to_vec(),
            ArtefactKind::ServerLog,
        ),
        ("b.log", b"Starting\n--------\nno log\n".to_vec(), ArtefactKind::ServerLog),
        ("c.log", b"2026-11-23T08:36:03.315232Z  WARN conduit::x: a\n".to_vec(), ArtefactKind::ServerLog),
        ("d.log", b"synapse-1  | a\nsynapse-1  | b\n".to_vec(), ArtefactKind::ServerLog),
        // What a client printed is one, whatever its name.
        ("e.log", b"missing key at index 3 for participant @a:h:D\n".to_vec(), ArtefactKind::Console),
        ("f.log", b"2026-11-23T08:36:03.315Z I begins\n".to_vec(), ArtefactKind::Console),
        ("x.bin", b"\xff\xd8\xff".to_vec(), ArtefactKind::Other),
    ] {
        assert_eq!(Plan::of(&[Given(name, content)]).members[0].kind, kind, "{name}");
    }
}

#[test]
fn packed_in_any_way_and_wrapped_in_any_way_a_folder_gives_the_same_answer() {
    let utf16 = |text: &[u8]| -> Vec<u8> {
        let text = std::str::from_utf8(text).unwrap().replace('\n', "\r\n");
        [0xff, 0xfe].into_iter().chain(text.encode_utf16().flat_map(u16::to_le_bytes)).collect()
    };
    let (_, plain) = run_all(&[Given("a.log", log(40)), Given("a.report.json", report())]);
    let counts = |triage: &Triage| {
        let used: Vec<_> = triage.artefacts.iter().map(|artefact| (artefact.kind, artefact.used)).collect();
        (used, triage.verdicts.clone(), triage.summary.clone(), triage.problems.len())
    };
    for sources in [
        vec![Given("a.log", gzip(&log(40))), Given("a.report.json", gzip(&report()))],
        vec![Given("a.log", utf16(&log(40))), Given("a.report.json", utf16(&report()))],
        vec![Given("a.log", gzip(&utf16(&log(40)))), Given("a.report.json", utf16(&report()))],
        vec![Given("all.zip", zip(&[("a.log", &gzip(&log(40))), ("a.report.json", &utf16(&report()))]))],
    ] {
        let (bundle, triage) = run_all(&sources);
        assert_eq!(bundle.logs[0].counts.lines, 40);
        let wanted = counts(&plain);
        let found = counts(&triage);
        assert_eq!((found.0, found.2, found.3), (wanted.0, wanted.2, wanted.3));
    }
}

/// A folder with an artefact of each kind.
fn everything() -> Vec<(&'static str, Vec<u8>)> {
    let refusal = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1795422970000,"userId":"@a:h","deviceId":"D",
        "entries":[{"ts":1795422963871,"level":"error","ke":"KE-1","meaning":"failure","signature":"already exists",
        "message":"One time key signed_curve25519:AAAAAAAAADQ already exists."}]}"#;
    let console = "2026-11-23T08:36:03.315Z I begins\n2026-11-23T08:36:04.000Z E MissingKey: missing key at index 0 for participant @b:h:E\n";
    let har = r#"{"log":{"version":"1.2","creator":{},"entries":[{"startedDateTime":"2026-11-23T08:36:03.777Z","time":9,
        "request":{"method":"GET","url":"https://h/_matrix/client/v3/sync?since=s1_1_1_1_1_1_16"},"response":{"status":200,"content":{"size":2,"text":"{}"}}}]}}"#;
    let answer = " asked | nothing | stream_id \n-------+---------+-----------\n ke2-inbox 1795422980000 [\"@a:h\",\"D\"] | | 17 \n(1 row)\n";
    let latency = r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{"servlet":"Sync"},"values":[[1795422963,"0.5"]]}]}}"#;
    let details = r#"{"user_text":"x","app_name":"element-web","data":{"user_id":"@c:h","device_id":"F"}}"#;
    let manifest = r#"{"schema":"crypto-diag/bundle","schemaVersion":1,"zoneMinutes":0,"files":[]}"#;
    [
        ("a.log", std::str::from_utf8(&log(40)).unwrap()),
        ("a.har", har),
        ("a.report.json", refusal),
        ("inbox.txt", answer),
        ("latency.json", latency),
        ("manifest.json", manifest),
        ("shake/console.log", console),
        ("shake/details.json", details),
    ]
    .map(|(name, text)| (name, text.as_bytes().to_vec()))
    .to_vec()
}

#[test]
fn a_folder_with_everything_in_it_gives_the_same_bytes_however_it_is_packed() {
    let xz = |bytes: &[u8]| {
        let mut packed = lzma_rust2::XzWriter::new(Vec::new(), lzma_rust2::XzOptions::with_preset(1)).unwrap();
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let bzip2 = |bytes: &[u8]| {
        let mut packed = bzip2::write::BzEncoder::new(Vec::new(), bzip2::Compression::fast());
        packed.write_all(bytes).unwrap();
        packed.finish().unwrap()
    };
    let zstd = |bytes: &[u8]| ruzstd::encoding::compress_to_vec(bytes, ruzstd::encoding::CompressionLevel::Fastest);
    let plain = |bytes: &[u8]| bytes.to_vec();
    let answer = |sources: &[Given]| {
        let (bundle, triage) = run_all(sources);
        assert!(bundle.artefacts.iter().all(|artefact| artefact.used), "{:?}", bundle.artefacts);
        assert_eq!((bundle.reports.len(), bundle.reports[1].device_id.as_deref()), (2, Some("F")));
        crate::render::json(&triage).unwrap()
    };
    let packed = |pack: &dyn Fn(&[u8]) -> Vec<u8>| -> Vec<Given> {
        everything().into_iter().map(|(name, bytes)| Given(name, pack(&bytes))).collect()
    };
    let wanted = answer(&packed(&plain));
    for (name, pack) in [("gzip", &gzip as &dyn Fn(&[u8]) -> Vec<u8>), ("xz", &xz), ("bzip2", &bzip2), ("zstd", &zstd)]
    {
        assert_eq!(answer(&packed(pack)), wanted, "{name}");
    }
    let turned: Vec<Given> = packed(&plain).into_iter().rev().collect();
    assert_eq!(answer(&turned), wanted, "the order of the files makes no difference");
    let members = everything();
    let members: Vec<(&str, &[u8])> = members.iter().map(|(name, bytes)| (*name, &bytes[..])).collect();
    let zipped = answer(&[Given("all.zip", zip(&members))]);
    assert_eq!(zipped.replace("all.zip/", ""), *wanted, "a member is called by its zip's name and its own");
}

#[test]
fn a_file_that_is_cut_off_or_gone_is_named_and_the_rest_is_used() {
    let mut cut = gzip(&log(200_000));
    cut.truncate(cut.len() / 2);
    let sources = [Given("cut.log.gz", cut), Given("gone.log", vec![]), Given("whole.log", log(3))];
    let (bundle, triage) = run_all(&sources);
    let named: Vec<&str> = bundle.problems.iter().map(|problem| problem.artefact.as_str()).collect();
    assert_eq!(named, ["gone.log", "cut.log.gz"], "{:?}", bundle.problems);
    assert!(bundle.logs.iter().any(|log| log.counts.lines > 100), "the part before the cut is used");
    assert_eq!(triage.artefacts.iter().filter(|artefact| artefact.used).count(), 2);
    assert_eq!(triage.exit_code, 2, "{}", triage.summary);
}

#[test]
fn notes_and_own_answers_are_passed_over_in_silence_and_other_files_are_named() {
    let (_, triage) = run_all(&[Given("a.report.json", report())]);
    let answer = crate::render::json(&triage).unwrap().into_string().into_bytes();
    let quoted = b"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {".to_vec();
    let sources =
        [Given("answer.json", answer), Given("NOTES.md", quoted.clone()), Given("photo.bin", vec![0xff, 0xd8, 0xff])];
    let plan = Plan::of(&sources);
    // Lines that a document or an answer quotes are no evidence.
    let answer = [crate::render::text(&triage).into_string().into_bytes(), quoted].concat();
    for member in plan.members.iter().chain(&Plan::of(&[Given("answer.txt", answer)]).members) {
        assert_eq!(member.kind, ArtefactKind::Other, "{}", member.name);
    }
    let passed: Vec<&str> = plan.passed.iter().map(|problem| problem.artefact.as_str()).collect();
    assert_eq!(passed, ["photo.bin"]);
}

#[test]
fn a_stated_zone_moves_the_logs_times() {
    let zone = |minutes| run(&[Given("a.log", log(1))], Vec::new(), minutes, &mut |_, _| {}).0.logs[0].first;
    assert_eq!(zone(None).zip(zone(Some(60))).map(|(utc, east)| utc - east), Some(3_600_000));
}

#[test]
fn a_token_in_a_files_name_is_in_no_answer() {
    let (_, triage) = run_all(&[
        Given("syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk.log", log(1)),
        Given("gone-syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk", vec![]),
    ]);
    let said = crate::render::json(&triage).unwrap();
    assert!(!said.contains("kTqWvNzX"), "{said}");
}

#[test]
fn an_empty_file_is_named_as_such() {
    let (_, triage) =
        run_all(&[Given("a.log", Vec::new()), Given("b.txt.gz", gzip(b"")), Given("a.report.json", report())]);
    let said: Vec<_> = triage.problems.iter().map(ToString::to_string).collect();
    for name in ["a.log", "b.txt.gz"] {
        assert!(said.contains(&format!("{name}, whole file: it is empty")), "{said:?}");
    }
}

//! The minimal part of a hand-off keeps the verdicts that the artefacts show, settles nothing else, attests what it loses, and is smaller.
#![cfg(feature = "artefacts")]

use std::collections::BTreeSet;
use std::io::{self, Cursor};
use std::path::Path;

use crypto_diag_triage::bundle::{Bundle, Manifest};
use crypto_diag_triage::har::{Har, HarOptions};
use crypto_diag_triage::intake::{self, Source};
use crypto_diag_triage::minimal::{Cut, Minimal, Reduced, reduce};
use crypto_diag_triage::query::QueryResults;
use crypto_diag_triage::verdict::{Settled, Verdict};
use crypto_diag_triage::{Coverage, Triage};
use serde_json::Value;

/// A file: its name and its bytes.
type File = (String, Vec<u8>);

struct Memory<'f>(&'f str, &'f [u8]);

impl<'f> Source for Memory<'f> {
    type Input = Cursor<&'f [u8]>;

    fn name(&self) -> &str {
        self.0
    }

    fn open(&self) -> io::Result<Self::Input> {
        Ok(Cursor::new(self.1))
    }
}

fn judged(files: &[File]) -> (Bundle, Triage) {
    let sources: Vec<Memory<'_>> = files.iter().map(|(name, bytes)| Memory(name, bytes)).collect();
    intake::run(&sources, Vec::new(), None, &mut |_, _| {})
}

fn recorded(bundle: &str) -> Vec<File> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles").join(bundle);
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let paths = entries.map(|entry| entry.expect("a readable folder").path());
    let mut files: Vec<File> = paths
        .filter(|path| !path.ends_with("label.json"))
        .map(|path| {
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (name, std::fs::read(&path).expect("a readable file"))
        })
        .collect();
    files.sort();
    files
}

/// What is settled: the conclusion, the device and a key, message or event, and the word.
fn settled(verdicts: &[Verdict]) -> BTreeSet<(String, String, &'static str)> {
    let mut found = BTreeSet::new();
    for verdict in verdicts {
        let Some(word) = verdict.answer.settled().map(Settled::word) else { continue };
        let subject = &verdict.subject;
        let lists = [&subject.key_ids, &subject.one_time_keys, &subject.message_ids, &subject.event_ids];
        let ids: Vec<String> = lists.into_iter().flatten().cloned().collect();
        let ids = if ids.is_empty() { vec![verdict.about.clone()] } else { ids };
        let who = subject.device.as_ref().map(|device| device.label()).unwrap_or_default();
        found.extend(ids.into_iter().map(|id| (format!("{:?}", verdict.conclusion), format!("{who} {id}"), word)));
    }
    found
}

/// The artefacts with a mark wherever something could be left out, although nothing is.
fn as_if_cut(files: &[File]) -> Vec<File> {
    let doubted = |(name, bytes): &File| {
        let text = String::from_utf8(bytes.clone()).expect("recorded bundles are texts");
        let text = match name.as_str() {
            "homeserver.log.txt" => text.lines().map(|line| format!("[0 lines left out]\n{line}\n")).collect(),
            "queries.json" => {
                let mut results: Vec<Value> = serde_json::from_str(&text).expect("results");
                for result in &mut results {
                    if result["rows"].as_array().is_some_and(|rows| rows.iter().any(|row| row.get("pending").is_none()))
                    {
                        result["leftOut"] = 1.into();
                    }
                }
                serde_json::to_string(&results).expect("JSON")
            }
            har if har.ends_with(".har") => {
                let mut har: Value = serde_json::from_str(&text).expect("a HAR");
                har["log"]["_cryptoDiagLeftOut"] = 1.into();
                har.to_string()
            }
            _ => text,
        };
        (name.clone(), text.into_bytes())
    };
    files.iter().map(doubted).collect()
}

fn size(files: &[File]) -> usize {
    files.iter().map(|(_, bytes)| bytes.len()).sum()
}

/// A part as it is handed on, with its record.
fn handed_on(part: &Reduced) -> Vec<File> {
    let minimal =
        Minimal { seal_of_whole: "5ea1".to_owned(), cuts: part.cuts.clone(), attested: part.attested.clone() };
    let schema = "crypto-diag/bundle".to_owned();
    let manifest = Manifest { schema, schema_version: 1, minimal: Some(minimal), ..Manifest::default() };
    let text = serde_json::to_vec(&manifest).expect("JSON");
    part.files.iter().cloned().chain([("manifest.json".to_owned(), text)]).collect()
}

fn bundles() -> Vec<String> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles");
    let entries = std::fs::read_dir(folder).expect("recorded bundles").map(|entry| entry.expect("an entry"));
    let folders = entries.filter(|entry| entry.file_type().expect("a type").is_dir());
    let mut names: Vec<String> = folders.map(|entry| entry.file_name().to_string_lossy().into_owned()).collect();
    names.sort();
    names
}

/// All bundles, since each has another cause, and causes are proven by different things: lines of a log, requests, rows, or the absence of one.
#[test]
fn a_part_keeps_the_verdicts_that_its_artefacts_show_and_attests_the_others() {
    let (mut of_all, mut of_parts, mut attested) = (0, 0, 0);
    for name in bundles() {
        let files = recorded(&name);
        let part = reduce(&files);
        let whole = settled(&judged(&files).1.verdicts);
        let (_, answer) = judged(&handed_on(&part));
        let strange = answer.problems.iter().find(|problem| !problem.what.contains("left out of it on purpose"));
        assert_eq!(strange, None, "{name}: the marks are all that is not as it should be");
        let shown = settled(&answer.verdicts);
        assert!(shown.is_subset(&whole), "{name}: more is settled: {:?}", shown.difference(&whole));
        let by_presence = settled(&judged(&as_if_cut(&files)).1.verdicts);
        let lost: Vec<_> = by_presence.intersection(&whole).filter(|fact| !shown.contains(*fact)).collect();
        assert!(lost.is_empty(), "{name}: what the artefacts show is no longer settled: {lost:?}");
        for (conclusion, about, was) in whole.difference(&shown) {
            let is_it = |one: &&Verdict| {
                format!("{:?}", one.conclusion) == *conclusion && one.attested.map(Settled::word) == Some(was)
            };
            let found = answer.verdicts.iter().find(is_it);
            let verdict = found.unwrap_or_else(|| panic!("{name}: {conclusion} {about} is not attested"));
            assert_eq!((verdict.word(), verdict.is_proven(), verdict.is_refuted()), ("attested", false, false));
            assert!(verdict.statement.contains("is said to have") && verdict.evidence.len() < 9, "{verdict:?}");
        }
        assert_eq!(part.files.len(), files.len(), "{name}: each file is there");
        let Cut { count, kept, .. } = part.cuts.iter().find(|cut| cut.name.ends_with(".log.txt")).expect("a cut log");
        println!(
            "{name}: {} of {} bytes, {kept} of {count} lines, {} settled, {} attested",
            size(&part.files),
            size(&files),
            shown.len(),
            part.attested.len()
        );
        (of_all, of_parts) = (of_all + size(&files), of_parts + size(&part.files));
        attested += part.attested.len();
    }
    println!("{of_parts} of {of_all} bytes");
    assert!(of_parts * 4 < of_all, "{of_parts} of {of_all} bytes");
    assert!(attested > 0, "something of all that rests on absence");
}

/// Somebody may take a file out of its folder, so the file itself has to say that it is not whole.
#[test]
fn a_cut_artefact_says_that_it_is_cut_also_outside_of_its_folder() {
    let part = reduce(&recorded("keys-exhausted"));
    for cut in &part.cuts {
        let (name, bytes) = part.files.iter().find(|(name, _)| *name == cut.name).expect("it is there");
        let (bundle, _) = judged(&[(name.clone(), bytes.clone())]);
        let said = bundle.problems.iter().any(|problem| problem.what.contains("left out of it on purpose"));
        assert!(said, "{name}: {:?}", bundle.problems);
        let missing: u64 = cut.holes.iter().map(|(first, last)| last - first + 1).sum();
        assert_eq!((cut.kept + missing, cut.holes.is_empty()), (cut.count, false), "{name}");
    }
    assert!(part.cuts.len() > 1, "{:?}", part.cuts);
}

/// The mark stays if a HAR is reduced again, and a row that is absent from a marked result proves nothing.
#[test]
fn a_mark_outlives_a_second_reduction_and_absence_proves_nothing_beside_it() {
    let entry = r#"{"startedDateTime":"2026-11-23T08:36:03.871Z","time":5,"request":{"method":"GET","url":"/_matrix/client/v3/sync"},"response":{"status":200}}"#;
    let text = format!(r#"{{"log":{{"_cryptoDiagLeftOut":3,"entries":[{entry}]}}}}"#);
    let har = Har::read("a.har", text.as_bytes(), &HarOptions::default());
    assert_eq!((har.left_out, har.lacks_requests, har.entries.len()), (3, true, 1));
    let mut written = Vec::new();
    har.write(&mut written).expect("memory takes all");
    assert_eq!(Har::read("a.har", &written[..], &HarOptions::default()), har);
    assert_eq!(Coverage::of(&har, &[]), Coverage::default(), "what was chosen measures nothing");
    let whole = Har::read("a.har", text.replace("\"_cryptoDiagLeftOut\":3,", "").as_bytes(), &HarOptions::default());
    assert_eq!(Coverage::of(&whole, &[]).all().asked, 1);

    let devices = |left_out: u64| {
        let row = r#"{"user_id":"@a:h","device_id":"A","hidden":false}"#;
        let text = format!(r#"[{{"name":"devices","params":["@a:h"],"leftOut":{left_out},"rows":[{row}]}}]"#);
        QueryResults::read("queries.json", text.as_bytes())
    };
    assert_eq!((devices(2).devices.len(), devices(2).devices_of.len()), (1, 0));
    assert_eq!((devices(0).devices.len(), devices(0).devices_of.len()), (1, 1));
}

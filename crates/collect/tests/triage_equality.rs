//! A triage of what was collected says what a triage of the whole log says, on bundles recorded with a real Synapse.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crypto_diag_collect::{Collected, Request, Silent, collect};
use crypto_diag_triage::Triage;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use serde_json::Value;

fn bundles() -> Vec<PathBuf> {
    let data = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles");
    let mut found: Vec<PathBuf> = fs::read_dir(data)
        .expect("recorded bundles")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.join("label.json").is_file())
        .collect();
    found.sort();
    assert!(found.len() >= 5);
    found
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<PathBuf> =
        fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a readable folder").path()).collect();
    files.sort();
    files
}

fn ending(folder: &Path, ending: &str) -> Vec<PathBuf> {
    files(folder).into_iter().filter(|path| path.to_string_lossy().ends_with(ending)).collect()
}

/// All files of a folder as one bundle, in the order that triage wants them.
fn bundle(files: &[PathBuf]) -> Bundle {
    let mut read: Vec<(ArtefactKind, String, Vec<u8>)> = files
        .iter()
        .map(|path| {
            let bytes = fs::read(path).expect("a readable file");
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            (ArtefactKind::guess(&name, &bytes[..bytes.len().min(4096)]), name, bytes)
        })
        .collect();
    read.sort_by_key(|(kind, name, _)| (kind.order(), name.clone()));
    let mut bundle = Bundle::new();
    for (kind, name, bytes) in &read {
        bundle.add(name, Some(*kind), &bytes[..]);
    }
    bundle
}

/// What is said, without lines' numbers, which differ in a slice.
fn verdicts(triage: &Triage) -> BTreeSet<String> {
    let words = |verdict: &crypto_diag_triage::verdict::Verdict| {
        let value = serde_json::to_value(verdict).expect("JSON");
        format!("{} {} {} {}", value["claim"], value["about"], value["answer"], value["statement"])
    };
    triage.verdicts.iter().map(words).collect()
}

fn collected(folder: &Path, out: &Path, hars: bool) -> Collected {
    let request = Request {
        reports: ending(folder, ".report.json"),
        logs: ending(folder, ".log.txt"),
        hars: if hars { ending(folder, ".har") } else { Vec::new() },
        out: out.to_owned(),
        ..Request::default()
    };
    collect(&request, &Silent, &AtomicBool::new(false)).expect("a bundle")
}

#[test]
fn a_triage_of_the_slice_says_what_one_of_the_whole_log_says() {
    for folder in bundles() {
        for hars in [true, false] {
            let mut whole = files(&folder);
            let queries = ending(&folder, "queries.json");
            whole.retain(|path| hars || !path.to_string_lossy().ends_with(".har"));
            let wanted = Triage::of(&bundle(&whole));
            let out = tempfile::tempdir().expect("a folder");
            let collected = collected(&folder, out.path(), hars);
            let mut slice = files(&collected.folder);
            slice.extend(queries);
            let slice = bundle(&slice);
            assert!(slice.problems.is_empty(), "{:?}", slice.problems);
            let (got, wanted) = (verdicts(&Triage::of(&slice)), verdicts(&wanted));
            assert_eq!(got, wanted, "{} hars {hars}", folder.display());
            assert!(!wanted.is_empty());
        }
    }
}

#[test]
fn the_manifest_says_what_each_har_found_and_a_raw_har_never_enters() {
    for folder in bundles() {
        let out = tempfile::tempdir().expect("a folder");
        let collected = collected(&folder, out.path(), true);
        let hars = collected.manifest.coverage["hars"].as_array().expect("HARs").clone();
        assert!(!hars.is_empty());
        for har in &hars {
            let (asked, found) = (har["asked"].as_u64().expect("asked"), har["found"].as_u64().expect("found"));
            assert!(asked > 0 && found as f64 >= 0.95 * asked as f64, "{} {har}", folder.display());
        }
        for path in ending(&collected.folder, ".har") {
            let har: Value = serde_json::from_slice(&fs::read(&path).expect("a HAR")).expect("JSON");
            for entry in har["log"]["entries"].as_array().expect("entries") {
                assert!(entry["request"].get("headers").is_none() && entry["request"].get("postData").is_none());
                assert!(entry["response"].get("content").is_none());
            }
        }
    }
}

#[test]
fn the_same_input_gives_the_same_bytes() {
    let folder = bundles().remove(0);
    let read = |threads: usize| -> Vec<(String, Vec<u8>)> {
        let out = tempfile::tempdir().expect("a folder");
        let request = Request {
            reports: ending(&folder, ".report.json"),
            logs: ending(&folder, ".log.txt"),
            hars: ending(&folder, ".har"),
            out: out.path().to_owned(),
            threads,
            ..Request::default()
        };
        let collected = collect(&request, &Silent, &AtomicBool::new(false)).expect("a bundle");
        let name = |path: &Path| path.file_name().expect("a file").to_string_lossy().into_owned();
        files(&collected.folder).iter().map(|path| (name(path), fs::read(path).expect("a file"))).collect()
    };
    let first = read(1);
    assert!(first.iter().any(|(name, _)| name == "manifest.json"));
    assert!(first == read(1) && first == read(4));
}

/// A recorded log with what a busy server's other users do in between.
fn busy(log: &str) -> String {
    let mut text = String::new();
    for (index, line) in log.lines().enumerate() {
        text.push_str(line);
        text.push('\n');
        // Only behind a line with a time of its own, and not inside of a traceback.
        let Some(time) = line.get(..23).filter(|time| time.as_bytes()[19] == b',') else { continue };
        for n in 0..3 {
            let user = format!("@other{}:localhost", (index + n) % 17);
            text.push_str(&format!(
                "{time} - synapse.access.http.8008 - 643 - INFO - GET-9{index}{n} - 203.0.113.7 - 8008 - {{{user}}} Processed request: 0.012sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 5B 200 \"GET /_matrix/client/v3/keys/changes?from=s{index} HTTP/1.1\" \"UA\" [0 dbevts]\n"
            ));
        }
    }
    text
}

#[test]
fn what_others_do_meanwhile_changes_no_verdict_and_does_not_come_along() {
    for folder in bundles() {
        let busy_folder = tempfile::tempdir().expect("a folder");
        for path in files(&folder) {
            let name = path.file_name().expect("a file");
            let bytes = fs::read(&path).expect("a file");
            let is_log = path.to_string_lossy().ends_with(".log.txt");
            let bytes = if is_log { busy(&String::from_utf8_lossy(&bytes)).into_bytes() } else { bytes };
            fs::write(busy_folder.path().join(name), bytes).expect("a file");
        }
        let wanted = verdicts(&Triage::of(&bundle(&files(busy_folder.path()))));
        let out = tempfile::tempdir().expect("a folder");
        let collected = collected(busy_folder.path(), out.path(), true);
        let slice = ending(&collected.folder, ".log").remove(0);
        let size = fs::metadata(&slice).expect("a slice").len();
        let whole = fs::metadata(&ending(busy_folder.path(), ".log.txt")[0]).expect("a log").len();
        assert!(size < whole * 3 / 4, "{} {size} of {whole}", folder.display());
        let mut slice = files(&collected.folder);
        slice.extend(ending(busy_folder.path(), "queries.json"));
        assert_eq!(verdicts(&Triage::of(&bundle(&slice))), wanted, "{}", folder.display());
    }
}

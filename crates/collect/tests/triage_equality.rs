//! A triage of what was collected says what a triage of the whole log says, on bundles recorded with a real Synapse.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::AtomicBool;

use crypto_diag_collect::{Collected, Request, Silent, collect};
use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::{ArtefactKind, Bundle};
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

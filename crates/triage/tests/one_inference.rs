//! There is one set of rules: the card and `analyse()` say of reports what `triage` and the page say of them.

use std::path::{Path, PathBuf};

use crypto_diag_triage::Triage;
use crypto_diag_triage::analysis::analyse;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::conclusion::Conclusion;
use crypto_diag_triage::verdict::Verdict;

/// Every folder of recorded bundles and of made-up histories.
fn folders() -> Vec<PathBuf> {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let mut folders: Vec<PathBuf> = ["bundles", "worlds"]
        .iter()
        .flat_map(|name| std::fs::read_dir(fixtures.join(name)).expect("a folder of fixtures"))
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir())
        .collect();
    folders.sort();
    folders
}

fn reports(folder: &Path) -> Vec<(String, String)> {
    let mut reports: Vec<(String, String)> = std::fs::read_dir(folder)
        .expect("a readable folder")
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.to_string_lossy().ends_with(".report.json"))
        .map(|path| {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            (name, std::fs::read_to_string(&path).expect("a readable report"))
        })
        .collect();
    reports.sort();
    reports
}

/// What is said, without the names of files.
fn said(verdicts: &[Verdict]) -> Vec<(Conclusion, &'static str, usize)> {
    let mut said: Vec<_> =
        verdicts.iter().map(|verdict| (verdict.conclusion, verdict.answer.word(), verdict.evidence.len())).collect();
    said.sort_unstable();
    said
}

#[test]
fn the_card_and_the_triage_say_the_same_of_the_same_reports() {
    let mut compared = 0;
    for folder in folders() {
        let reports = reports(&folder);
        if reports.is_empty() {
            continue;
        }
        let mut bundle = Bundle::new();
        for (name, text) in &reports {
            bundle.add(name, Some(ArtefactKind::Report), text.as_bytes());
        }
        let triage = Triage::of(&bundle);
        let texts: Vec<&str> = reports.iter().map(|(_, text)| text.as_str()).collect();
        let analysis = analyse(&texts).unwrap_or_else(|why| panic!("{}: {why}", folder.display()));
        assert_eq!(said(&analysis.verdicts), said(&triage.verdicts), "{}", folder.display());
        assert_eq!(analysis.story.open, triage.story.open, "{}", folder.display());
        assert_eq!(analysis.questions.len(), 4);
        compared += 1;
    }
    assert!(compared > 40, "only {compared} folders have reports");
}

#[test]
fn what_is_no_report_is_refused_by_its_place_among_the_texts() {
    let report = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1,"entries":[]}"#;
    let why = analyse(&[report, "{"]).expect_err("the second is no JSON");
    assert!(why.starts_with("report 2: "), "{why}");
}

/// Between crates goes data. A sentence that is searched for words is an interface that no compiler sees.
#[test]
fn no_sentence_is_read_back() {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let mut found = Vec::new();
    let mut open =
        ["triage", "cli", "collect", "wasm-triage", "wasm-analysis"].map(|name| crates.join(name).join("src")).to_vec();
    while let Some(path) = open.pop() {
        if path.is_dir() {
            open.extend(
                std::fs::read_dir(&path).expect("a readable folder").map(|entry| entry.expect("an entry").path()),
            );
            continue;
        }
        // Tests may look for words in sentences: that is what they are for.
        if path.file_name().is_some_and(|name| name == "tests.rs") {
            continue;
        }
        let text = std::fs::read_to_string(&path).expect("a source");
        let text = text.split("#[cfg(test)]").next().unwrap_or_default();
        for (number, line) in text.lines().enumerate() {
            let sentence = ["statement", ".how", ".what", ".says", "title()", ".summary", "sentence"];
            let search = [".contains(\"", ".replacen(", ".replace(\"", ".split_once(\"", ".starts_with(\""];
            let reads = |name: &&str| search.iter().any(|how| line.contains(&format!("{name}{how}")));
            if sentence.iter().any(reads) {
                found.push(format!("{}:{}: {}", path.display(), number + 1, line.trim()));
            }
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

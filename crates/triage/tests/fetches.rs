//! What an answer asks for can be done: over every recorded bundle and every made-up history.

use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use crypto_diag_triage::Triage;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::verdict::{Answer, Fetch, Verdict};

/// Every folder of recorded bundles and of made-up histories, read once.
static ANSWERS: LazyLock<Vec<(String, Bundle, Triage)>> = LazyLock::new(|| {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures");
    let read = |path: PathBuf| std::fs::read_dir(path).expect("a folder").map(|entry| entry.expect("an entry").path());
    let mut folders: Vec<PathBuf> =
        ["bundles", "worlds"].iter().flat_map(|name| read(fixtures.join(name))).filter(|path| path.is_dir()).collect();
    folders.sort();
    let answer = |folder: PathBuf| {
        let mut bundle = Bundle::new();
        let mut files: Vec<PathBuf> = read(folder.clone()).collect();
        files.sort();
        for file in files {
            let name = file.file_name().expect("a name").to_string_lossy().into_owned();
            let bytes = std::fs::read(&file).expect("a readable file");
            if ArtefactKind::guess(&name, &bytes[..bytes.len().min(4096)]) != ArtefactKind::Other {
                bundle.add(&name, None, &bytes[..]);
            }
        }
        let triage = Triage::of(&bundle);
        (folder.file_name().expect("a name").to_string_lossy().into_owned(), bundle, triage)
    };
    folders.into_iter().map(answer).collect()
});

fn fetches(triage: &Triage) -> impl Iterator<Item = (&Verdict, &Fetch)> {
    triage.verdicts.iter().flat_map(|verdict| {
        let wanted: &[Fetch] = if let Answer::Unknown { fetch } = &verdict.answer { fetch } else { &[] };
        wanted.iter().map(move |fetch| (verdict, fetch))
    })
}

#[test]
fn commands_name_what_is_known_and_nobody_is_asked_for_a_file_that_was_given() {
    let mut wrong = Vec::new();
    let mut looked_at = 0;
    for (name, bundle, triage) in &*ANSWERS {
        let given: Vec<String> = bundle
            .reports
            .iter()
            .filter_map(|report| Some(format!("{}/{}", report.user_id.as_deref()?, report.device_id.as_deref()?)))
            .collect();
        for (verdict, fetch) in fetches(triage) {
            looked_at += 1;
            let device = verdict.subject.device.as_ref().map(|device| device.label());
            let is_known = device.is_some_and(|device| given.contains(&device));
            if is_known && fetch.how.contains("REPORT") {
                wrong.push(format!("{name}: {}: a placeholder: {}", verdict.statement, fetch.how));
            }
            let again = |label: &String| {
                fetch.how.starts_with(&format!("On {label}: ")) && fetch.how.ends_with("Download report")
            };
            if fetch.artefact == ArtefactKind::Report && given.iter().any(again) {
                wrong.push(format!("{name}: {}: asks for what was given: {}", verdict.statement, fetch.how));
            }
        }
    }
    assert!(looked_at > 100, "only {looked_at} things are asked for");
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong.join("\n"));
}

/// The picture leads to its causes: no verdict that another one explains stands beside it.
#[test]
fn what_follows_from_a_proven_verdict_stands_under_it() {
    let explained = [("rollback", "same-identity"), ("rollback", "diverged"), ("conflict-lost-key", "olm-seen")];
    let id = |verdict: &Verdict| serde_json::to_value(verdict.conclusion).expect("a name");
    let mut wrong = Vec::new();
    let mut seen = 0;
    for (name, _, triage) in &*ANSWERS {
        for (effect, verdict) in triage.verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_proven()) {
            let is_explained = explained.iter().any(|(cause, explained)| {
                id(verdict) == *explained
                    && triage.verdicts.iter().any(|other| {
                        other.is_proven() && id(other) == *cause && other.subject.device == verdict.subject.device
                    })
            });
            seen += usize::from(is_explained);
            if is_explained && triage.story.causes.contains(&effect) {
                wrong.push(format!("{name}: {}", verdict.statement));
            }
        }
    }
    assert!(seen > 5, "only {seen} verdicts have a proven cause");
    assert!(wrong.is_empty(), "these stand beside their cause:\n{}", wrong.join("\n"));
}

/// A sighting quotes lines of its own family.
#[test]
fn no_sighting_quotes_another_familys_line() {
    let mut looked_at = 0;
    for (name, bundle, triage) in &*ANSWERS {
        for verdict in triage.verdicts.iter().filter(|verdict| verdict.conclusion.is_sighting()) {
            for piece in &verdict.evidence {
                let report = bundle.report_names.iter().position(|report| report.as_str() == &*piece.artefact);
                let crypto_diag_triage::problem::Place::Entry(entry) = &piece.place else { continue };
                let Some(line) = report.and_then(|report| bundle.reports[report].entries[*entry as usize].as_ref())
                else {
                    continue;
                };
                looked_at += 1;
                assert!(
                    verdict.statement.contains(line.ke.id()),
                    "{name}: {} quotes {}",
                    verdict.statement,
                    line.ke.id()
                );
            }
        }
    }
    assert!(looked_at > 20, "only {looked_at} lines are quoted");
}

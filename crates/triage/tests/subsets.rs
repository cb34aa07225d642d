//! Every subset of a bundle's artefacts: what is missing may turn a verdict into unknown, never into another one. And the
//! whole bundle proves the cause that was injected, and no other.
//!
//! Bundles are recorded on a real Synapse with real clients (`tests/live`) and reduced; they are in the repository's
//! `tests/fixtures/bundles`. More are taken from `BUNDLES`, a folder of bundles, if it is set.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use crypto_diag_triage::Triage;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::conclusion::Conclusion;
use crypto_diag_triage::verdict::Verdict;

/// The causes among the conclusions: what a scenario injects is one of these, and the others must not be proven beside it.
const CAUSES: [Conclusion; 15] = [
    Conclusion::IdentityReplaced,
    Conclusion::Rollback,
    Conclusion::TwoContexts,
    Conclusion::ServerRestored,
    Conclusion::NeverSent,
    Conclusion::StaleTarget,
    Conclusion::Backlog,
    Conclusion::StaleDeviceList,
    Conclusion::IdentityOverwritten,
    Conclusion::MalformedOnServer,
    Conclusion::StrippedOnTheWay,
    Conclusion::ClientBug,
    Conclusion::SlowHomeserver,
    Conclusion::SlowGateway,
    Conclusion::NeverArrived,
];

/// What each scenario of the live rig injects.
fn injected(scenario: &str) -> Option<&'static [Conclusion]> {
    Some(match scenario {
        "healthy-key-exchange" | "backlog-drains" | "fallback-key-used" | "keys-exhausted" => &[],
        "second-empty-store" => &[Conclusion::IdentityReplaced],
        "store-rollback" | "rejected-upload-heals" => &[Conclusion::Rollback],
        "two-live-contexts" => &[Conclusion::TwoContexts],
        "copied-session" => &[Conclusion::IdentityReplaced, Conclusion::TwoContexts, Conclusion::IdentityOverwritten],
        "server-restored" => &[Conclusion::ServerRestored],
        "stale-device-list" => &[Conclusion::StaleDeviceList, Conclusion::IdentityReplaced],
        "never-sent" => &[Conclusion::NeverSent],
        "backlog-stuck" => &[Conclusion::Backlog],
        "logged-out-device" => &[Conclusion::StaleTarget],
        "malformed-event" | "malformed-event-redacted" => &[Conclusion::MalformedOnServer],
        "algorithm-stripped" => &[Conclusion::StrippedOnTheWay],
        "client-loses-field" => &[Conclusion::ClientBug],
        "slow-homeserver" => &[Conclusion::SlowHomeserver],
        "slow-gateway" => &[Conclusion::SlowGateway],
        "delayed-events-lost" => &[Conclusion::NeverArrived],
        _ => return None,
    })
}

struct File {
    name: String,
    kind: ArtefactKind,
    bytes: Vec<u8>,
    /// A bundle of this file alone. Logs and results read the same beside others, and are read once.
    alone: Bundle,
}

fn files(dir: &Path) -> Vec<File> {
    let mut files: Vec<File> = std::fs::read_dir(dir)
        .unwrap_or_else(|error| panic!("{}: {error}", dir.display()))
        .map(|entry| {
            let path = entry.expect("a readable folder").path();
            let name = path.file_name().expect("a file").to_string_lossy().into_owned();
            let bytes = std::fs::read(&path).expect("a readable file");
            let kind = ArtefactKind::guess(&name, &bytes[..bytes.len().min(4096)]);
            let mut alone = Bundle::new();
            alone.add(&name, Some(kind), &bytes[..]);
            File { name, kind, bytes, alone }
        })
        .filter(|file| file.kind != ArtefactKind::Other)
        .collect();
    files.sort_by_key(|file| (file.kind.order(), file.name.clone()));
    files
}

fn add(bundle: &mut Bundle, file: &File) {
    if matches!(file.kind, ArtefactKind::ServerLog | ArtefactKind::QueryResults) {
        bundle.logs.extend(file.alone.logs.iter().cloned());
        bundle.queries.extend(file.alone.queries.iter().cloned());
        bundle.artefacts.extend(file.alone.artefacts.iter().cloned());
        bundle.problems.extend(file.alone.problems.iter().cloned());
    } else {
        // A HAR is searched for the events that the reports beside it name.
        bundle.add(&file.name, Some(file.kind), &file.bytes[..]);
    }
}

fn triage<'f>(files: impl IntoIterator<Item = &'f File>) -> Triage {
    let mut bundle = Bundle::new();
    files.into_iter().for_each(|file| add(&mut bundle, file));
    Triage::of(&bundle)
}

fn folders() -> Vec<PathBuf> {
    let here = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut parents = vec![here.join("../../tests/fixtures/bundles")];
    parents.extend(std::env::var_os("BUNDLES").map(PathBuf::from));
    let mut folders: Vec<PathBuf> = parents
        .iter()
        .filter_map(|parent| std::fs::read_dir(parent).ok())
        .flatten()
        .map(|entry| entry.expect("a readable folder").path())
        .filter(|path| path.is_dir() && path.join("label.json").is_file())
        .collect();
    folders.sort();
    folders
}

/// The scenario; the folder's name may say the browser and the SDK besides.
fn scenario(folder: &Path) -> String {
    label(folder)["scenario"].as_str().expect("a label names its scenario").to_owned()
}

fn label(folder: &Path) -> serde_json::Value {
    let text = std::fs::read_to_string(folder.join("label.json")).expect("a label");
    serde_json::from_str(&text).expect("a label is JSON")
}

/// The causes that are proven of the devices and events that the label names. A raw log holds other scenarios, too.
fn proven(verdicts: &[Verdict]) -> BTreeSet<Conclusion> {
    verdicts
        .iter()
        .filter(|verdict| verdict.is_proven() && CAUSES.contains(&verdict.conclusion))
        .map(|verdict| verdict.conclusion)
        .collect()
}

#[test]
fn the_injected_cause_is_proven_and_no_other() {
    let folders = folders();
    assert!(!folders.is_empty(), "no recorded bundle is there to judge by");
    let mut table = vec![format!("{:28} {:20} {:20} {:6} unknown", "scenario", "injected", "proven", "false")];
    let mut wrong = Vec::new();
    for folder in &folders {
        let name = scenario(folder);
        let Some(injected) = injected(&name) else { panic!("{name}: a scenario that this table does not know") };
        let triage = triage(&files(folder));
        let proven = proven(&triage.verdicts);
        let wanted: BTreeSet<Conclusion> = injected.iter().copied().collect();
        let unknown = triage.verdicts.iter().filter(|verdict| verdict.is_unknown()).count();
        let list = |claims: &BTreeSet<Conclusion>| {
            claims.iter().map(|claim| format!("{claim:?}")).collect::<Vec<_>>().join(" ")
        };
        let surplus = proven.difference(&wanted).count();
        table.push(format!("{name:28} {:20} {:20} {surplus:<6} {unknown}", list(&wanted), list(&proven)));
        if proven != wanted {
            wrong.push(format!("{name}: injected {wanted:?}, proven {proven:?}"));
        }
        assert!(label(folder)["cause"].is_string(), "{name}");
        assert!(triage.problems.is_empty(), "{name}: {:?}", triage.problems);
    }
    println!("{}", table.join("\n"));
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}

/// Whether what one verdict is about is among what another one is: verdicts that differ by their key alone are one, and a part of
/// the files may show fewer of the keys.
fn is_among(part: &str, whole: &str) -> bool {
    match (part.split_once(' '), whole.split_once(' ')) {
        (Some((device, ids)), Some((same, all))) if device == same => {
            ids.split(", ").all(|id| all.split(", ").any(|one| one == id))
        }
        _ => part == whole,
    }
}

/// Verdicts of a part of a bundle that the whole bundle does not give.
fn strays(folder: &Path, whole: &Triage, part: &Triage, what: &str) -> Vec<String> {
    let users: Vec<String> = label(folder)["sides"]
        .as_object()
        .into_iter()
        .flatten()
        .filter_map(|(_, side)| side["userId"].as_str().map(str::to_owned))
        .collect();
    let mut strays = Vec::new();
    for verdict in part.verdicts.iter().filter(|verdict| !verdict.is_unknown()) {
        // A log slice alone is about everybody whom it names.
        let others =
            verdict.about.starts_with('@') && !users.iter().any(|user| verdict.about.starts_with(&format!("{user}/")));
        // Without reports a log is judged for devices that the whole does not ask about; what is proven of them would count.
        let of_whole = |one: &&Verdict| one.conclusion == verdict.conclusion && is_among(&verdict.about, &one.about);
        let known = whole.verdicts.iter().find(of_whole);
        let same = known.map_or(!verdict.is_proven(), |one| one.answer == verdict.answer);
        if !same && !others {
            let answer = verdict.answer.word();
            strays.push(format!(
                "{} with {what}: {:?} {} {answer}",
                scenario(folder),
                verdict.conclusion,
                verdict.about
            ));
        }
    }
    strays
}

#[test]
fn an_artefact_that_is_cut_off_makes_a_verdict_unknown_and_never_another_one() {
    let mut wrong = Vec::new();
    for folder in folders() {
        let files = files(&folder);
        let whole = triage(&files);
        for index in 0..files.len() {
            // A report is one JSON document: cut off, it is no report at all.
            let kinds = [ArtefactKind::ServerLog, ArtefactKind::Har, ArtefactKind::QueryResults];
            if !kinds.contains(&files[index].kind) {
                continue;
            }
            for share in 1..8 {
                let bytes = &files[index].bytes;
                let at = bytes.len() * share / 8;
                let mut ends = vec![(&bytes[..at], "its beginning")];
                if files[index].kind == ArtefactKind::ServerLog {
                    ends.push((&bytes[at..], "its end"));
                }
                for (end, what) in ends {
                    let mut bundle = Bundle::new();
                    for (other, file) in files.iter().enumerate() {
                        if other == index {
                            bundle.add(&file.name, Some(file.kind), end);
                        } else {
                            add(&mut bundle, file);
                        }
                    }
                    let what = format!("{what} of {} cut at {share}/8", files[index].name);
                    wrong.extend(strays(&folder, &whole, &Triage::of(&bundle), &what));
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{}:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
}

#[test]
fn a_missing_artefact_makes_a_verdict_unknown_and_never_another_one() {
    let mut wrong = Vec::new();
    let mut subsets = 0;
    for folder in folders() {
        let files = files(&folder);
        let whole = triage(&files);
        for mask in 0..(1_u32 << files.len()) {
            let subset = files.iter().enumerate().filter(|(index, _)| mask & (1 << index) != 0).map(|(_, file)| file);
            let names: Vec<&str> = subset.clone().map(|file| file.name.as_str()).collect();
            subsets += 1;
            wrong.extend(strays(&folder, &whole, &triage(subset), &format!("{names:?} only")));
        }
    }
    println!("{subsets} subsets");
    assert!(subsets > 0, "no recorded bundle is there to judge by");
    assert!(wrong.is_empty(), "{} of {subsets}:\n{}", wrong.len(), wrong[..wrong.len().min(30)].join("\n"));
}

#[test]
fn the_rollback_loses_a_message_and_nothing_says_that_it_was_a_media_key() {
    let rollbacks: Vec<PathBuf> = folders().into_iter().filter(|folder| scenario(folder) == "store-rollback").collect();
    assert!(!rollbacks.is_empty(), "no recorded rollback is there to judge by");
    for folder in rollbacks {
        let files = files(&folder);
        let label = label(&folder);
        let message_id = label["facts"]["messageId"].as_str().expect("the lost message's id");
        let whole = triage(&files);
        let said = |conclusion: Conclusion| whole.verdicts.iter().find(|verdict| verdict.conclusion == conclusion);
        let lost = said(Conclusion::ConflictLostKey).unwrap_or_else(|| panic!("{}: no KE-1 ⇒ OLM", folder.display()));
        assert!(lost.is_proven(), "{}: {}", folder.display(), lost.statement);
        assert!(lost.subject.message_ids.iter().any(|id| id == message_id), "{}: {lost:#?}", folder.display());
        // The application's queue carries other messages than media keys, too.
        let link =
            said(Conclusion::ConflictLostMediaKey).unwrap_or_else(|| panic!("{}: no KE-1 ⇒ KE-2", folder.display()));
        assert!(link.is_unknown(), "{}: {}", folder.display(), link.statement);
    }
}

/// Each question of a healthy bundle is covered by the reports; without them nothing would have shown a fault.
#[test]
fn a_healthy_bundle_exits_with_0_and_without_its_reports_with_2() {
    for name in ["healthy-key-exchange", "backlog-drains", "fallback-key-used"] {
        let folder = folders().into_iter().find(|folder| scenario(folder) == name).expect("a recorded bundle");
        let files = files(&folder);
        let whole = triage(&files);
        let open: Vec<&Verdict> = whole.verdicts.iter().filter(|verdict| verdict.is_unknown()).collect();
        assert_eq!(whole.exit_code, 0, "{name}: {} {open:#?}", whole.summary);
        let blind = triage(files.iter().filter(|file| file.kind != ArtefactKind::Report));
        assert_eq!(blind.exit_code, 2, "{name}: {}", blind.summary);
        for family in ["KE-1", "KE-2", "KE-3", "KE-4"] {
            assert!(blind.summary.contains(family), "{name}: {} is not named in {}", family, blind.summary);
        }
    }
}

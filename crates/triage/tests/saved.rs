//! What real browsers save of a console, against the recorded console that their page had printed.

use std::path::Path;

use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;

/// Family and text of the lines that are kept of a file.
fn kept(path: &str) -> Vec<(String, String)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures").join(path);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bundle = Bundle::new();
    bundle.add(&path.file_name().unwrap_or_default().to_string_lossy(), None, &bytes[..]);
    assert_eq!((bundle.artefacts[0].kind, bundle.artefacts[0].used), (ArtefactKind::Console, true), "{path:?}");
    let entries = bundle.reports[0].entries();
    entries.map(|(_, entry)| (format!("{:?}", entry.ke), entry.message.to_string())).collect()
}

#[test]
fn what_a_browser_saves_of_a_console_keeps_the_lines_that_the_console_had() {
    for (saved, console) in [
        ("chromium-156-save-as", "ke1-to-ke2-store-rollback"),
        ("chromium-156-save-as", "ke2-benign_ke3_ke4"),
        ("firefox-153-all-messages", "ke1-to-ke2-store-rollback"),
        ("firefox-153-all-messages-with-times", "ke2-benign_ke3_ke4"),
    ] {
        let ending = if saved.starts_with("chromium") { "log" } else { "txt" };
        let wanted = kept(&format!("console/{console}.jsonl"));
        assert!(wanted.len() > 5, "{console} has lines to keep");
        let found = kept(&format!("saved/{saved}.{console}.{ending}"));
        for (found, wanted) in found.iter().zip(&wanted) {
            assert_eq!(found, wanted, "{saved}, {console}");
        }
        assert_eq!(found.len(), wanted.len(), "{saved}, {console}");
    }
}

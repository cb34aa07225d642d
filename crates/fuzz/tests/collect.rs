//! Whatever a log, a packed log or a report holds, a bundle comes out whole.

use std::fs::{self, File};
use std::io::BufReader;
use std::sync::atomic::AtomicBool;

use crypto_diag_collect::{Ids, Request, Silent, collect};
use crypto_diag_fuzz::{Reached, Seeds, fuzz, root};
use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::Bundle;

#[test]
fn collected_log() {
    let words = [
        "***** STARTING SERVER *****",
        "Processed request: ",
        "Traceback (most recent call last):",
        "POST-48",
        "worker1 | ",
    ];
    let logs =
        Seeds::kept("collected_log").files(&root().join("tests/fixtures/bundles"), |name| name.ends_with(".log.txt"));
    fuzz("collected_log", logs, &words, |bytes| {
        let place = tempfile::tempdir().expect("a folder for temporary files");
        let log = place.path().join("homeserver.log");
        fs::write(&log, bytes).expect("a file can be written");
        let request = Request {
            logs: vec![log],
            ids: Ids { users: ["@alice-14:localhost".to_owned()].into(), ..Ids::default() },
            out: place.path().to_owned(),
            threads: 1,
            ..Request::default()
        };
        let collected = match collect(&request, &Silent, &AtomicBool::new(false)) {
            Ok(collected) => collected,
            Err(error) => return Reached::default().message(&error.to_string()),
        };
        let mut bundle = Bundle::new();
        for file in &collected.manifest.files {
            let path = collected.folder.join(&file.name);
            let kept = fs::metadata(&path).expect("what the manifest names is there");
            assert_eq!(kept.len(), file.size, "{} has not the size that the manifest says", file.name);
            bundle.add(&file.name, file.kind, BufReader::new(File::open(&path).expect("it can be read")));
        }
        let triage = Triage::of(&bundle);
        let sizes = collected.manifest.files.iter().map(|file| file.size as usize).sum();
        let reached = Reached::default().about(sizes).about(triage.verdicts.len());
        collected.manifest.refused.iter().take(4).fold(reached, |reached, refused| reached.message(&refused.why))
    });
}

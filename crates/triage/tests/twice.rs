//! The same artefact given twice says nothing more than once: parts of rotated logs overlap, and copies lie about.

use std::path::Path;

use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::conclusion::Conclusion;

const FILES: [&str; 5] = ["victim.report.json", "peer.report.json", "victim.har", "peer.har", "queries.json"];

fn file(name: &str) -> Vec<u8> {
    let bundle = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles/healthy-key-exchange");
    std::fs::read(bundle.join(name)).expect("a recorded bundle has it")
}

fn with_logs(logs: &[(&str, Vec<u8>)]) -> Triage {
    let mut bundle = Bundle::new();
    for name in FILES {
        bundle.add(name, None, &file(name)[..]);
    }
    for (name, log) in logs {
        bundle.add(name, None, &log[..]);
    }
    Triage::of(&bundle)
}

fn speaks_of_a_restored_server(triage: &Triage) -> bool {
    triage.verdicts.iter().any(|verdict| verdict.conclusion == Conclusion::ServerRestored)
}

#[test]
fn a_log_that_holds_its_lines_twice_shows_no_restored_server() {
    let log = file("homeserver.log.txt");
    assert!(!speaks_of_a_restored_server(&with_logs(&[("a.log", log.clone())])));
    assert!(!speaks_of_a_restored_server(&with_logs(&[("a.log", [log.clone(), log].concat())])));
}

#[test]
fn a_log_beside_its_copy_shows_no_restored_server() {
    let log = file("homeserver.log.txt");
    assert!(!speaks_of_a_restored_server(&with_logs(&[("a.log", log.clone()), ("b.log", log)])));
}

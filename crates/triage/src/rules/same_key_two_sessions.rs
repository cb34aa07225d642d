//! OLM: one one-time key began several Olm sessions.

use crypto_diag_analysis::sorted::distinct;

use super::lost::lost_keys;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::{Sentences, Verdict};

const WAS_OURS: Premise = Premise {
    id: "same-key-two-sessions/was-ours",
    says: "The public key was published by this device: a refusal, a row, an upload or an answer to a claim holds it.",
    rules_out: "The sender made the key up and names it again and again.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::SameKeyTwoSessions,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::QueryResults, ArtefactKind::ServerLog],
    argument: "A one-time key is for one session. Lines that name several sessions for one key say that it was used again: it was \
               given out twice, it is a fallback key, which is made for that, or one client used it twice. By itself it is no \
               failure. One session with a rising chain index is one failed handshake.",
    proven_by: &[&WAS_OURS],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_keys(case)
        .iter()
        .filter_map(|lost| {
            let sessions = distinct(lost.failures.iter().filter_map(|failure| failure.olm.session_id.as_deref()));
            if sessions.len() < 2 {
                return None;
            }
            let proof = Proof::new(case).evidence(lost.evidence(case)).premise(&WAS_OURS, lost.was_ours(case), || {
                vec![Need::query(Some(lost.report), "olm-lost-key", "whether the key was ever this device's, and as what")]
            });
            let count = sessions.len();
            let sentences = Sentences {
                proven: format!("The one-time key {} of {} was used in {count} Olm sessions.", lost.key, lost.label),
                refuted: String::new(),
                unknown: format!(
                    "Messages to {} name the one-time key {} in {count} Olm sessions; whether that was ever its key cannot be told.",
                    lost.label, lost.key
                ),
            };
            let verdict =
                Verdict::decide(case, Conclusion::SameKeyTwoSessions, (lost.about(), lost.subject()), proof, None, sentences)
                    .how("Whether it is a fallback key, which is made to be given out more than once.")
                    .how("Whether the server gave it out twice, as after a restored database, or one client used it twice.");
            Some(verdict)
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::media_link::tests::KEY;
    use crate::history::{History, MadeUpPage, lost};
    use crypto_diag_core::Level;

    let page = |second: &str, refused: bool| {
        let bob = ("@bob:example.org", "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo");
        let mut page = MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000)
            .line(1_795_425_001_000, Level::Warn, &lost(KEY, bob, "m1", "S"))
            .line(1_795_425_002_000, Level::Warn, &lost(KEY, bob, "m2", second));
        if refused {
            let refusal = format!(
                r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{"key":"{KEY}","signatures":{{}}}}; new key: {{'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {{}}}}"#
            );
            page = page.line(1_795_425_000_000, Level::Error, &refusal);
        }
        page.json()
    };
    vec![
        History::new("one key of this device in two sessions")
            .file("alice.report.json", page("T", true))
            .proves("same-key-two-sessions", KEY),
        History::new("one session with a rising chain index")
            .file("alice.report.json", page("S", true))
            .never_proves("same-key-two-sessions", ""),
        History::new("a stranger makes a key up and names it twice")
            .file("alice.report.json", page("T", false))
            .never_proves("same-key-two-sessions", ""),
    ]
}

//! KE-1: the server holds another one-time key under an id than the device's store.

use super::conflict::{Conflict, DENIED, DIFFER};
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::{Sentences, Verdict};

const SAME: Premise = Premise {
    id: "diverged/keys-same",
    says: "The refusal shows both public keys, and in every copy of it they are the same.",
    rules_out: "",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Diverged,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "Synapse refuses an upload with “already exists” if it holds another key under the offered id, and prints both. \
               Two different public keys under one id mean that the server and this store disagree. Exhausted one-time keys \
               cannot cause that sentence. An id that is missing, or no refusal at all, says nothing: claimed ids vanish.",
    proven_by: &[&DIFFER],
    refuted_by: &[&SAME],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let verdict = |conflict: &Conflict<'_>| {
        let (name, label) = (&conflict.key_id, conflict.device.label());
        let pairs = conflict.pairs();
        let report = conflict.report(case);
        let ask = || vec![Need::query(report, "ke1-one-time-keys", "the key that the server holds under that id")];
        let proof = Proof::new(case)
            .evidence(conflict.evidence())
            .premise(&DIFFER, conflict.keys_differ(), ask)
            .unless(DENIED, conflict.denied_by_logs(case));
        let same = !pairs.is_empty() && pairs.iter().all(|(held, offered)| held == offered);
        let refutation = Proof::new(case).evidence(conflict.evidence()).premise(&SAME, same, Vec::new);
        let sentences = Sentences {
            proven: format!(
                "The server holds another one-time key under {name} than the store of {label}: they have diverged."
            ),
            refuted: format!(
                "The server refused {name} of {label} although both hold the same key: they do not differ in it."
            ),
            unknown: format!(
                "Whether the server and the store of {label} hold different keys under {name} cannot be told."
            ),
        };
        Verdict::decide(case, Conclusion::Diverged, conflict.about(), proof, Some(refutation), sentences)
    };
    Conflict::all(case).iter().map(verdict).collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    let page = |line: &str| {
        MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000)
            .line(1_795_425_000_000, Level::Error, line)
            .json()
    };
    let refused = |held: &str, offered: &str| {
        format!(
            r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{"key":"{held}","signatures":{{}}}}; new key: {{'key': '{offered}', 'signatures': {{}}}}"#
        )
    };
    let one = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
    let other = "QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0";
    vec![
        History::world(
            "15-forged-report-against-a-whole-log",
            "a report tells of refusals that its browser's HAR and the log lack",
        )
        .without("alice.report.json")
        .copy("from-the-ticket.report.json", "alice.report.json")
        .without("from-the-ticket.report.json")
        .never_proves("diverged", "")
        .never_proves("identity-replaced", ""),
        History::new("the server refuses a key and prints two different ones")
            .file("alice.report.json", page(&refused(one, other)))
            .proves("diverged", "AAAAAAAAADQ"),
        History::new("an old server refuses the same key that is signed anew")
            .file("alice.report.json", page(&refused(one, one)))
            .never_proves("diverged", "")
            .refutes("diverged", "AAAAAAAAADQ"),
        History::new("the refusal was cut before its keys")
            .file("alice.report.json", page("One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"))
            .never_proves("diverged", "")
            .never_refutes("diverged", ""),
    ]
}

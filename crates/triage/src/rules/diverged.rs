//! KE-1: the server holds another one-time key under an id than the device's store.

use std::collections::BTreeSet;

use super::Rule;
use crate::case::{Case, groups};
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::Subject;
use crate::verdict::{ArtefactKind, Sentences, Verdict};

const SHOWN: Premise = Premise {
    id: "diverged/keys-shown",
    says: "The server's refusal names both public keys: the one that it holds and the one that it was offered.",
    rules_out: "The sentence was cut, and both keys may be the same one.",
};

const DIFFER: Premise = Premise {
    id: "diverged/keys-differ",
    says: "In every copy of the refusal the two public keys differ.",
    rules_out: "The key is the same and only signed anew, which Synapse before 0.21 refused, too.",
};

const SAME: Premise = Premise {
    id: "diverged/keys-same",
    says: "In every copy of the refusal the two public keys are the same.",
    rules_out: "",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Diverged,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "Synapse refuses an upload with “already exists” if it holds another key under the offered id, and prints both. \
               Two different public keys under one id mean that the server and this store disagree. Exhausted one-time keys \
               cannot cause that sentence. An id that is missing, or no refusal at all, says nothing: claimed ids vanish.",
    proven_by: &[&SHOWN, &DIFFER],
    refuted_by: &[&SHOWN, &SAME],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    groups(&case.ledger, &case.devices())
        .iter()
        .filter_map(|refusals| {
            let first = refusals.first()?;
            let device = first.device.clone()?;
            let (name, label) = (first.key_id(), device.label());
            let pairs: BTreeSet<(&str, &str)> =
                refusals.iter().filter_map(|refusal| Some((refusal.held_key()?, refusal.offered_key()?))).collect();
            let mut sources = BTreeSet::new();
            let evidence: Vec<_> = refusals
                .iter()
                .filter(|refusal| sources.insert(refusal.answered.clock))
                .map(|refusal| refusal.evidence.clone())
                .collect();
            let report = case.pages_of(&device).next().map(|page| page.report);
            let ask = || vec![Need::query(report, "ke1-one-time-keys", "the key that the server holds under that id")];
            let subject = Subject {
                device: Some(device),
                key_id: Some(name.clone()),
                one_time_key: first.held_key().map(str::to_owned),
                ..Subject::default()
            };
            let proof = Proof::new(case)
                .evidence(evidence.clone())
                .premise(&SHOWN, !pairs.is_empty(), ask)
                .premise(&DIFFER, pairs.iter().all(|(held, offered)| held != offered), ask)
                .unless("Another copy of the same refusal in which both keys are the same.", []);
            let refutation = Proof::new(case).evidence(evidence).premise(&SHOWN, !pairs.is_empty(), Vec::new).premise(
                &SAME,
                pairs.iter().all(|(held, offered)| held == offered),
                Vec::new,
            );
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
            let about = (format!("{label} {name}"), subject);
            Some(Verdict::decide(case, Conclusion::Diverged, about, proof, Some(refutation), sentences))
        })
        .collect()
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

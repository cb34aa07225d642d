//! KE-1, its cause by signatures: one identity signed both keys.

use super::conflict::{Conflict, DENIED, DIFFER, SIGNED};
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::Proof;
use crate::verdict::{Sentences, Verdict};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::SameIdentity,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog, ArtefactKind::QueryResults],
    argument: "A refusal prints both one-time keys with their signatures. If one Ed25519 key of the device verifies both, and \
               the keys differ, its identity has published a key that the store which made the offer does not know. So that \
               store is behind its own identity (rollback), or two contexts publish for one device. Which of them it is, the \
               signatures do not say.",
    proven_by: &[&DIFFER, &SIGNED],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let verdict = |conflict: &Conflict<'_>| {
        let signatures = conflict.signatures(case);
        // The rule on replaced identities speaks for these.
        if !signatures.replaced.is_empty() && signatures.same.is_empty() {
            return None;
        }
        let (name, label) = (&conflict.key_id, conflict.device.label());
        let same = !signatures.same.is_empty() && signatures.replaced.is_empty();
        let ask = || vec![Need::query(conflict.report(case), "ke1-one-time-keys", "the key that the server holds")];
        let proof = Proof::new(case)
            .evidence(conflict.evidence())
            .premise(&DIFFER, conflict.keys_differ(), ask)
            .premise(&SIGNED, same.then_some(signatures.same), || conflict.ask_identity(case))
            .unless(DENIED, conflict.denied_by_logs(case));
        let sentences = Sentences {
            proven: format!(
                "One identity of {label} signed both keys under {name}: its store is behind what it has published, or two \
                 contexts use it."
            ),
            unknown: format!("Whether one identity of {label} signed both keys under {name} cannot be told."),
            ..Sentences::default()
        };
        Some(Verdict::decide(case, Conclusion::SameIdentity, conflict.about(), proof, None, sentences))
    };
    Conflict::all(case).iter().filter_map(verdict).collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::conflict::tests::{conflict_lines, same_key_twice};
    use crate::history::History;

    vec![
        History::recorded("store-rollback", "a store is set back, and its page's report alone is at hand")
            .only(&["victim.report.json"])
            .proves("same-identity", "AAAAAAAAAMg"),
        History::recorded(
            "second-empty-store",
            "a new store signs with a new identity, and its report alone is at hand",
        )
        .only(&["victim.report.json"])
        .never_proves("same-identity", ""),
        History::recorded("store-rollback", "the refused key is the server's, signed by the same identity")
            .only(&["victim.report.json"])
            .edit("victim.report.json", |report| conflict_lines(report, same_key_twice))
            .never_proves("same-identity", "")
            .refutes("diverged", ""),
        History::recorded("store-rollback", "the report was made without the device's own keys")
            .only(&["victim.report.json"])
            .edit("victim.report.json", |report| report["crypto"] = serde_json::Value::Null)
            .never_proves("same-identity", ""),
    ]
}

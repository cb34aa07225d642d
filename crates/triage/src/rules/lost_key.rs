//! OLM: a store lacks the private half of a key that was its device's, and no conflict says why.

use super::Rule;
use super::conflict_lost_key::is_of_another_key;
use super::lost::lost_keys;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::{ArtefactKind, Sentences, Verdict};

const WAS_OURS: Premise = Premise {
    id: "lost-key/was-ours",
    says: "The public key was published by this device: a refusal, a row, an upload or an answer to a claim holds it.",
    rules_out: "The sender made the key up: a pre-key message names any key, and the store looks for it before anything is authenticated.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::LostKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::QueryResults, ArtefactKind::ServerLog],
    argument: "`MissingOneTimeKey` says that this page's store has no private half of a public key that a message names. That \
               something was lost follows only if the key was this device's. Where a refusal names the key, KE-1 ⇒ OLM says \
               more, and this is not said.",
    proven_by: &[&WAS_OURS],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_keys(case)
        .iter()
        .filter(|lost| !lost.refusals(case).iter().any(|refusal| is_of_another_key(refusal)))
        .map(|lost| {
            let ask = || {
                vec![
                    Need::query(Some(lost.report), "olm-lost-key", "whether the key was ever this device's, and as what"),
                    Need::har(lost.report, "which keys this device publishes"),
                ]
            };
            let proof = Proof::new(case)
                .evidence(lost.evidence(case))
                .premise(&WAS_OURS, lost.was_ours(case), ask)
                .unless("The same message opened by another context of the device.", lost.opened(case));
            let sender = lost.sender().unwrap_or("somebody");
            let sentences = Sentences {
                proven: format!(
                    "{} could not open messages of {sender}: its store has no private half of one-time key {}, which was its own.",
                    lost.label, lost.key
                ),
                refuted: String::new(),
                unknown: format!(
                    "{} could not open messages of {sender} for want of one-time key {}; whether that was ever its key cannot be told.",
                    lost.label, lost.key
                ),
            };
            Verdict::decide(case, Conclusion::LostKey, (lost.about(), lost.subject()), proof, None, sentences)
                .how("Why: a fallback key that was rotated away, a key that was evicted, a restored server, or a store that went back in time and whose ids were all claimed.")
                .how("Whether a conflict (KE-1) is behind it: claimed ids upload without one, so that none was printed says nothing.")
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::lost::tests::{KEY, Story, call};
    use crate::history::History;

    let alone = |name: &str| call(name, Story::default()).without("bob.report.json").without("carol.report.json");
    let rows = |device: &str| {
        format!(
            r#"[{{"name":"one_time_keys","params":["@alice:example.org"],"at":1795459000000,"rows":[{{"user_id":"@alice:example.org","device_id":"{device}","algorithm":"signed_curve25519","key_id":"AAAAAAAAADQ","ts_added_ms":1795420000000,"key_json":"{{\"key\":\"{KEY}\",\"signatures\":{{}}}}"}}]}}]"#
        )
    };
    vec![
        alone("the server holds the key as this device's").file("queries.json", rows("ALICE")).proves("lost-key", KEY),
        alone("the server holds the key as another device's")
            .file("queries.json", rows("PHONE"))
            .never_proves("lost-key", ""),
        alone("a stranger makes the key up").never_proves("lost-key", ""),
        call("another tab opened the message", Story { opened_elsewhere: true, ..Story::default() })
            .file("queries.json", rows("ALICE"))
            .never_proves("lost-key", ""),
        History::recorded("store-rollback", "a conflict says why the key is lost").never_proves("lost-key", ""),
    ]
}

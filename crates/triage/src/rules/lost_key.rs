//! OLM: a store lacks the private half of a key that was its device's, and no conflict says why.

use super::conflict_lost_key::is_of_another_key;
use super::lost::lost_keys;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::{Sentences, Verdict};

const GIVEN: Premise = Premise {
    id: "lost-key/given",
    says: "The sender's own requests show that the server gave it this key as a one-time key, no fallback key, and that the message which failed uses it.",
    rules_out: "The sender made the key up, or used it a second time; or it was a fallback key that has been rotated away. A pre-key message names any key, and the store looks for it before anything is authenticated.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::LostKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har],
    argument: "`MissingOneTimeKey` says that this page's store has no private half of a public key that a message names. That \
               something was lost follows only if the server gave the key out as this device's, for this very message. Where a refusal names the key, KE-1 ⇒ OLM says \
               more, and this is not said.",
    proven_by: &[&GIVEN],
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
                let senders = case.pages.iter().filter(|page| {
                    page.device.as_ref().is_some_and(|device| Some(&*device.user_id) == lost.sender())
                });
                let mut needs: Vec<Need> = senders.map(|page| Need::har(page.report, "which keys the server gave it")).collect();
                needs.push(Need::query(Some(lost.report), "olm-lost-key", "whether the key was ever this device's, and as what"));
                needs
            };
            let proof = Proof::new(case)
                .evidence(lost.evidence(case))
                .premise(&GIVEN, lost.given(case), ask)
                .unless("The same message opened by another context of the device.", lost.opened(case));
            let sender = lost.sender().unwrap_or("somebody");
            let sentences = Sentences {
                proven: format!(
                    "{} could not open messages of {sender}: its store has no private half of one-time key {}, which was its own.",
                    lost.label, lost.key
                ),
                refuted: String::new(),
                unknown: format!(
                    "{} could not open messages of {sender} for want of one-time key {}; whether that key was its own and is lost cannot be told.",
                    lost.label, lost.key
                ),
            };
            Verdict::decide(case, Conclusion::LostKey, (lost.about(), lost.subject()), proof, None, sentences)
                .how("Why: a key that was evicted, a restored server, or a store that went back in time and whose ids were all claimed.")
                .how("Whether a conflict (KE-1) is behind it: claimed ids upload without one, so that none was printed says nothing.")
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::media_link::tests::{Story, call};
    use crate::history::History;

    // The requests of the sender show what the server gave it; nothing shows a conflict.
    let key = "2RJQo7ZlX2BZka7VgNT6KF12jtjW+5JBdx21V7QgWi4";
    let recorded = |name: &str| {
        History::recorded("store-rollback", name)
            .without("homeserver.log.txt")
            .without("queries.json")
            .without("victim.har")
            .edit("victim.report.json", |report| {
                report["entries"].as_array_mut().expect("a list").retain(|entry| entry["ke"] != "KE-1");
            })
    };
    vec![
        recorded("the server gave the key out for the message that failed").proves("lost-key", key),
        recorded("the key is a fallback key, which has been rotated away")
            .rewrite("peer.har", |har| {
                let given = format!(r#"\"key\":\"{key}\""#);
                har.replace(&given, &format!(r#"\"fallback\":true,{given}"#))
            })
            .never_proves("lost-key", ""),
        recorded("the message that failed is another one, which uses the key again")
            .edit("victim.report.json", |report| {
                for entry in report["entries"].as_array_mut().expect("a list") {
                    let line = entry["message"].as_str().expect("a line");
                    let id = line.split("message_id=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id");
                    let again = line.replace(id, "again");
                    entry["message"] = again.into();
                }
            })
            .never_proves("lost-key", ""),
        call("a stranger makes the key up", Story::default())
            .without("bob.report.json")
            .without("carol.report.json")
            .never_proves("lost-key", ""),
        recorded("another tab opened the messages")
            .edit("victim.report.json", |report| {
                let lost = report["entries"][0]["message"].as_str().expect("a line").to_owned();
                let id = lost.split("message_id=\"").nth(1).and_then(|rest| rest.split('"').next()).expect("an id").to_owned();
                let ts = report["entries"][0]["ts"].clone();
                let opened = crate::history::delivered(("@bob-14:localhost", "K9LLwkSk8K1thpI8yIbnGozowA5+04zcSRhw8G18U1o"), &id);
                report["entries"].as_array_mut().expect("a list").push(serde_json::json!({
                    "ts": ts, "level": "warn", "ke": "KE-2", "signature": "s", "message": opened, "meaning": "delivered",
                    "realm": {"kind": "main", "path": null},
                }));
            })
            .never_proves("lost-key", ""),
        History::recorded("store-rollback", "a conflict says why the key is lost").never_proves("lost-key", ""),
    ]
}

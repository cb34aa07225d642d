//! KE-1 ⇒ OLM: the key that the server would not give up is the one that messages could not be opened without.

use super::lost::lost_keys;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::ledger::Refusal;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::Subject;
use crate::verdict::{Sentences, Verdict};

const SAME_KEY: Premise = Premise {
    id: "conflict-lost-key/same-key",
    says: "The one-time key that the message was encrypted for is the one that the server holds, as a refusal says whose keys are signed in this device's name.",
    rules_out: "The key was lost for another reason, or was never this device's: it is of another login in the same browser, or the sender chooses what the message names.",
};

const NEVER_HAD: Premise = Premise {
    id: "conflict-lost-key/never-had",
    says: "In that refusal the store offered another key under the same id.",
    rules_out: "The store made that very key and has used it up: an old message came again.",
};

const SAME_STORE: Premise = Premise {
    id: "conflict-lost-key/same-store",
    says: "The refusal is of the page that could not open the message: it printed the refusal, or its browser's requests show it.",
    rules_out: "Another context of the device was refused, whose store is another one, and this one used the key up.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::ConflictLostKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "`MissingOneTimeKey` names the public key whose private half the store lacks, and the server's refusal names the \
               public key that it holds and still gives out. If both are one key, this store lacks a key that others use. What \
               the messages were does not follow: a media key, a room key, a secret or m.dummy.",
    proven_by: &[&SAME_KEY, &NEVER_HAD, &SAME_STORE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

/// Whether a refusal says that the store has another key than the server.
pub(super) fn is_of_another_key(refusal: &Refusal) -> bool {
    refusal.offered_key().is_some_and(|offered| Some(offered) != refusal.held_key())
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_keys(case)
        .iter()
        .filter_map(|lost| {
            let device = lost.device.as_ref()?;
            // Without any conflict of this device there is nothing to link.
            let any = case.ledger.conflicts.iter().find(|refusal| refusal.is_of(device))?;
            let refusals = lost.refusals(case);
            let fits = |refusal: &Refusal| {
                let facts = [is_of_another_key(refusal), lost.is_of_page(case, refusal)];
                facts.into_iter().filter(|holds| *holds).count()
            };
            let best = refusals.iter().max_by_key(|refusal| fits(refusal));
            let shown = best.map_or(any, |refusal| *refusal);
            let ask = || {
                vec![
                    Need::query(Some(lost.report), "olm-lost-key", "whether the server knows the key, and as what"),
                    Need::log(Some(lost.report), "refused uploads, with the keys that the server holds"),
                ]
            };
            let proof = Proof::new(case)
                .evidence([shown.evidence.clone()])
                .premise(&SAME_KEY, best.is_some(), ask)
                .premise(&NEVER_HAD, best.is_none_or(|refusal| is_of_another_key(refusal)), ask)
                .premise(&SAME_STORE, best.is_none_or(|refusal| lost.is_of_page(case, refusal)), || {
                    vec![Need::har(lost.report, "whether this browser was refused")]
                })
                .evidence(lost.evidence(case));
            let id = best.map_or_else(String::new, |refusal| format!(" under {}", refusal.key_id()));
            let sentences = Sentences {
                proven: format!(
                    "The one-time key {} that the server holds{id} is the one without which {} could not open messages.",
                    lost.key, lost.label
                ),
                refuted: String::new(),
                unknown: format!(
                    "Whether a conflict is why {} lacks the one-time key {} cannot be told: no refusal shows that.",
                    lost.label, lost.key
                ),
            };
            let subject = Subject { key_ids: best.map(|refusal| refusal.key_id()).into_iter().collect(), ..lost.subject() };
            let verdict = Verdict::decide(case, Conclusion::ConflictLostKey, (lost.about(), subject), proof, None, sentences)
                .how("What the messages were: a media key, a room key, a secret or m.dummy.")
                .follows(Conclusion::Diverged);
            Some(verdict)
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;
    use serde_json::json;

    let page = |refusal: &str| {
        MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000)
            .line(1_795_425_000_000, Level::Error, refusal)
            .line(1_795_425_001_000, Level::Warn, &crate::history::lost(KEY, BOB, "m1", "S"))
            .json()
    };
    const BOB: (&str, &str) = ("@bob:example.org", "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo");
    const KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
    const OTHER: &str = "QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0";
    const THIRD: &str = "PKINcS6j/lu8eXFdjV6lnYZq1Z6oGA8HhvHfMy0MDb0";
    let refused = |held: &str, offered: &str, device: &str| {
        let signature = "2RJQo7ZlX2BZka7VgNT6KF12jtjW+5JBdx21V7QgWi42RJQo7ZlX2BZka7VgNT6KF12jtjW+5JBdx21V7QgWiQ";
        format!(
            r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{"key":"{held}","signatures":{{"@alice:example.org":{{"ed25519:{device}":"{signature}"}}}}}}; new key: {{'key': '{offered}', 'signatures': {{'@alice:example.org': {{'ed25519:{device}': '{signature}'}}}}}}"#
        )
    };
    // An upload, with the identity keys of a device where it names one.
    let upload = |device: &str, status: u16, answer: &str| {
        let mut body = json!({"one_time_keys": {"signed_curve25519:AAAAAAAAADQ": {"key": OTHER, "signatures": {}}}});
        if !device.is_empty() {
            body["device_keys"] = json!({"user_id": "@alice:example.org", "device_id": device, "keys": {}});
        }
        json!({
            "startedDateTime": "2026-11-23T08:53:20.000Z", "time": 20,
            "request": {"method": "POST", "url": "https://example.org/_matrix/client/v3/keys/upload", "postData": {"text": body.to_string()}},
            "response": {"status": status, "content": {"text": answer}},
        })
    };
    let har = |entries: &[serde_json::Value]| json!({"log": {"version": "1.2", "entries": entries}}).to_string();
    vec![
        History::recorded("store-rollback", "the report of a rolled-back store alone")
            .without("homeserver.log.txt")
            .without("queries.json")
            .without("victim.har")
            .without("peer.har")
            .without("peer.report.json")
            .proves("conflict-lost-key", "2RJQo7ZlX2BZka7VgNT6KF12jtjW+5JBdx21V7QgWi4"),
        History::new("the server holds the key that a message needs")
            .file("alice.report.json", page(&refused(KEY, OTHER, "ALICE")))
            .proves("conflict-lost-key", KEY),
        History::new("the refused key and the lost one are two")
            .file("alice.report.json", page(&refused(THIRD, OTHER, "ALICE")))
            .never_proves("conflict-lost-key", ""),
        History::new("an old server refuses the same key signed anew, and a message that has used it comes again")
            .file("alice.report.json", page(&refused(KEY, KEY, "ALICE")))
            .never_proves("conflict-lost-key", ""),
        History::new("the refusal is of a login before this one in the same page")
            .file("alice.report.json", page(&refused(KEY, OTHER, "EARLIER")))
            .never_proves("conflict-lost-key", ""),
        History::new("the refusal is of a login before this one, and only the browser's requests show it")
            .file("alice.report.json", page("nothing"))
            .file(
                "alice.har",
                har(&[
                    upload("ALICE", 200, "{}"),
                    upload(
                        "",
                        400,
                        &json!({"errcode": "M_UNKNOWN", "error": refused(KEY, OTHER, "EARLIER")}).to_string(),
                    ),
                ]),
            )
            .never_proves("conflict-lost-key", ""),
        History::new("another tab was refused, and this one used the key up")
            .file("alice.report.json", page("nothing"))
            .file(
                "alice-tab-2.report.json",
                MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000)
                    .line(1_795_425_000_000, Level::Error, &refused(KEY, OTHER, "ALICE"))
                    .json(),
            )
            .never_proves("conflict-lost-key", ""),
        History::new("the conflict is another device's")
            .file("alice.report.json", page("nothing"))
            .file(
                "phone.report.json",
                MadeUpPage::new(("@alice:example.org", "PHONE"), 1_795_424_000_000, 1_795_427_600_000)
                    .line(1_795_425_000_000, Level::Error, &refused(KEY, OTHER, "PHONE"))
                    .json(),
            )
            .never_proves("conflict-lost-key", ""),
    ]
}

//! KE-1, its cause: a second identity under one device id. It shows in a refusal's signatures, or in a claimed key that its
//! device's identity did not sign.

use super::conflict::{Conflict, DENIED, SIGNED};
use super::rule::Rule;
use super::unsigned::Unsigned;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::verdict::{Sentences, Verdict};

const TWO_SIGNERS: Premise = Premise {
    id: "identity-replaced/two-signers",
    says: "The offered key verifies with an Ed25519 key of the device, and the server's key, signed in the same name, does \
           not, in a line that is whole.",
    rules_out: "One identity signed both keys; or the line is damaged, cut or redacted, so that no check of it can succeed.",
};

const SENDER_IS_RIGHT: Premise = Premise {
    id: "identity-replaced/sender-is-right",
    says: "The identity by which the sender knows the device is one that the device itself says, or has said.",
    rules_out: "The sender knows the device by an identity that was never the device's, and the key is its own.",
};

const NOT_ITS_OWN: Premise = Premise {
    id: "identity-replaced/not-its-own",
    says: "The line shows the claimed key with a signature in the device's name, and the device's Ed25519 key does not verify \
           it.",
    rules_out: "The signature was cut from the line, or the claimed key is the device's own after all.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::IdentityReplaced,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog, ArtefactKind::QueryResults],
    argument: "A store that goes back keeps its identity, so two signers under one device id are two stores. A refusal prints \
               both keys with their signatures; that the offered one verifies shows that the check works on this line. A \
               sender's `InvalidSignature` shows it where the sender knows the device by an identity of its own and the claimed key, \
               in the device's name, is not signed by it. Which identity came first, and whether the other still runs, neither says.",
    proven_by: &[&TWO_SIGNERS, &SENDER_IS_RIGHT, &NOT_ITS_OWN],
    refuted_by: &[&SIGNED],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let conflicts = Conflict::all(case);
    let of_conflicts = conflicts.iter().map(|conflict| by_conflict(case, conflict));
    let claims = Unsigned::all(case);
    of_conflicts.chain(claims.iter().map(|claim| by_claim(case, claim))).collect()
}

fn by_conflict(case: &Case<'_>, conflict: &Conflict<'_>) -> Verdict {
    let signatures = conflict.signatures(case);
    let same = !signatures.same.is_empty() && signatures.replaced.is_empty() && signatures.untold == 0;
    let replaced = (!signatures.replaced.is_empty()).then_some(signatures.replaced);
    let (name, label) = (&conflict.key_id, conflict.device.label());
    let proof = Proof::new(case)
        .evidence(conflict.evidence())
        .premise(&TWO_SIGNERS, replaced, || conflict.ask_identity(case))
        .unless(DENIED, conflict.denied_by_logs(case));
    let refutation = Proof::new(case).premise(&SIGNED, same.then_some(signatures.same), Vec::new);
    let sentences = Sentences {
        proven: format!(
            "Two identities have used the device id of {label}: the server's key under {name} is signed by another one than \
             the key that it was offered."
        ),
        refuted: format!("One identity of {label} signed both keys under {name}."),
        unknown: format!(
            "Whether another identity under the device id of {label} signed the server's key cannot be told."
        ),
    };
    let verdict =
        Verdict::decide(case, Conclusion::IdentityReplaced, conflict.about(), proof, Some(refutation), sentences);
    if !verdict.is_proven() {
        return verdict;
    }
    let evictable = case.pages_of(&conflict.device).any(|page| case.report(page).storage_persisted == Some(false));
    let why = if evictable {
        "Why the store was empty: evicted by the browser, which has not promised to keep this origin's storage, deleted, or \
         opened under another name."
    } else {
        "Why the store was empty: evicted by the browser, deleted, or opened under another name."
    };
    verdict.how(why).how("Which identity came first, and whether the other one still runs somewhere.")
}

fn by_claim(case: &Case<'_>, claim: &Unsigned<'_>) -> Verdict {
    let label = claim.device.label();
    let own = claim.own(case).find(|sighting| Some(sighting.ed25519.as_str()) == claim.line.signing_key.as_deref());
    let ask =
        || vec![Need::report(Whose::Device(claim.device.clone()), ReportTime::Any, "the device's own identity keys")];
    let proof = Proof::new(case)
        .evidence(claim.evidence(case))
        .premise(&SENDER_IS_RIGHT, own.map(|sighting| sighting.evidence.clone()), ask)
        .premise(&NOT_ITS_OWN, claim.is_signed_by_another(case), ask);
    let sentences = Sentences {
        proven: format!(
            "Two identities have used the device id of {label}: one is the device's by its own word and the sender's, another \
             one signed the one-time key that the server gave out."
        ),
        unknown: format!("Whether the one-time key of {label} is of an identity that is gone cannot be told."),
        ..Sentences::default()
    };
    let verdict = Verdict::decide(case, Conclusion::IdentityReplaced, claim.about(), proof, None, sentences);
    let how = "Whether the other identity is gone, or still publishes keys.";
    if verdict.is_proven() { verdict.how(how) } else { verdict }
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::conflict::tests::{conflict_lines, same_key_twice};
    use crate::history::History;
    use serde_json::Value;

    let damaged = |name: &str, from: &'static str, to: &'static str| {
        History::recorded("store-rollback", name)
            .only(&["victim.report.json"])
            .edit("victim.report.json", move |report| {
                conflict_lines(report, |line| {
                    let changed = line.replace(from, to);
                    assert_ne!(line, changed, "{from} stands in the line");
                    changed
                });
            })
            .never_proves("identity-replaced", "")
    };
    let without_lines = |name: &str| {
        History::recorded("store-rollback", name)
            .edit("victim.report.json", |report| report["entries"] = Value::Array(Vec::new()))
    };
    let redacted = |history: History| {
        history.edit("victim.report.json", |report| {
            for entry in report["entries"].as_array_mut().expect("entries") {
                entry["redactions"] = 1.into();
            }
        })
    };
    vec![
        History::recorded("second-empty-store", "the store vanished while the session lived on")
            .proves("identity-replaced", "AAAAAAAAAA4")
            .never_proves("rollback", "")
            .never_proves("same-identity", ""),
        History::recorded("second-empty-store", "the report of the new store alone")
            .only(&["victim.report.json"])
            .proves("identity-replaced", "AAAAAAAAAA4"),
        History::recorded("second-empty-store", "another client claims a key of the identity that is gone")
            .only(&["victim.report.json", "newcomer.report.json"])
            .edit("victim.report.json", |report| report["entries"] = Value::Array(Vec::new()))
            .proves("identity-replaced", "gp15kgTz9Eqq1sguLBSjeVQ5uGOgEweRC++SpcO7uWg"),
        History::recorded("second-empty-store", "only the sender's view of the device is known")
            .only(&["newcomer.report.json"])
            .never_proves("identity-replaced", ""),
        History::recorded("second-empty-store", "the sender's list is out of date, and the key is the device's own")
            .only(&["victim.report.json", "newcomer.report.json"])
            .edit("victim.report.json", |report| {
                report["entries"] = Value::Array(Vec::new());
                // What the store had before it vanished.
                report["crypto"]["ownDeviceKeys"]["ed25519"] = "QP1bqvkrD+T0Th/WqmDwr5MvJYfZ6ZHi4niolZpY1mQ".into();
            })
            .never_proves("identity-replaced", "gp15kgTz"),
        History::recorded("second-empty-store", "the claimed key's signature was redacted from the sender's line")
            .only(&["victim.report.json", "newcomer.report.json"])
            .edit("victim.report.json", |report| report["entries"] = Value::Array(Vec::new()))
            .edit("newcomer.report.json", |report| {
                for entry in report["entries"].as_array_mut().expect("entries") {
                    let line = entry["message"].as_str().expect("a line");
                    let at = line.find("Ok(Ed25519(\"").expect("a signature") + "Ok(Ed25519(\"".len();
                    entry["message"] = format!("{}[redacted]{}", &line[..at], &line[at + 40..]).into();
                }
            })
            .never_proves("identity-replaced", "gp15kgTz"),
        History::recorded("second-empty-store", "the identity that the report names is another device's")
            .only(&["victim.report.json"])
            .edit("victim.report.json", |report| {
                report["crypto"]["ownDeviceKeys"]["ed25519"] = "WtAv2ahF3XTZBTHaT2n4rjfE9yK2vxNzWwYagTZfmGk".into();
                report["crypto"]["devices"] = Value::Array(Vec::new());
            })
            .never_proves("identity-replaced", ""),
        redacted(damaged("one character of the server's key was lost", "\"key\":\"2RJQ", "\"key\":\"2RJR")),
        // A field that the signature covers was closed, the key and its signature were not.
        without_lines("a field of the server's key was closed in the log")
            .only(&["victim.report.json", "homeserver.log.txt"])
            .rewrite("homeserver.log.txt", |log| log.replace("Old key: {", r#"Old key: {"token":"[closed]","#))
            .never_proves("identity-replaced", ""),
        without_lines("a field of the server's key was closed in the HAR")
            .only(&["victim.report.json", "victim.har"])
            .rewrite("victim.har", |har| har.replace("Old key: {", r#"Old key: {\\\"token\\\":\\\"[closed]\\\","#))
            .never_proves("identity-replaced", ""),
        damaged("the line ends before the offered key", "; new key:", "; n"),
        History::recorded("second-empty-store", "an old server refuses the key that it holds itself")
            .only(&["victim.report.json"])
            .edit("victim.report.json", |report| conflict_lines(report, same_key_twice))
            .never_proves("identity-replaced", ""),
        History::recorded("store-rollback", "one identity signed both keys")
            .only(&["victim.report.json"])
            .refutes("identity-replaced", "AAAAAAAAAMg"),
        History::recorded("second-empty-store", "another identity signed the server's key")
            .never_refutes("identity-replaced", ""),
    ]
}

//! OLM: a message was encrypted for another identity under this device's id.

use crypto_diag_analysis::sorted::firsts;

use crypto_diag_analysis::evidence::olm::OlmKind;

use super::conflict::Conflict;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{Evidence, Sentences, Verdict};

const ANOTHER_IS_KNOWN: Premise = Premise {
    id: "encrypted-for-other-identity/another-is-known",
    says: "Another identity under this device id is known: by a report, an upload, an answer of the server, a row, or the \
           signature of a refused key.",
    rules_out: "The sender's client is broken, or somebody made a key up: anybody can send a message that names no key of \
                this device.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::EncryptedForOtherIdentity,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog, ArtefactKind::QueryResults],
    argument: "“Olm event doesn't contain a ciphertext for our key” says that a message to this device names other Curve25519 \
               keys than its own. Where another identity under the same device id is known, that is whom the sender meant.",
    proven_by: &[&ANOTHER_IS_KNOWN],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

/// What one sender's messages to one device say.
struct Meant<'c> {
    device: &'c Device,
    sender: Option<&'c str>,
    evidence: Vec<Evidence>,
    message_ids: Vec<String>,
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut known: Vec<Meant<'_>> = Vec::new();
    for (report, entry, _, line) in case.olm().filter(|(_, _, _, line)| line.kind == OlmKind::NotForOurKey) {
        let Some(device) = case.pages.get(report).and_then(|page| page.device.as_ref()) else { continue };
        let piece = case.entry(report, entry, "the message names no key of this device");
        let sender = line.user_id.as_deref();
        let at = known.iter().position(|other| other.device == device && other.sender == sender).unwrap_or_else(|| {
            known.push(Meant { device, sender, evidence: Vec::new(), message_ids: Vec::new() });
            known.len() - 1
        });
        known[at].evidence.extend(piece);
        known[at].message_ids.extend(line.message_id.clone());
    }
    known
        .into_iter()
        .map(|Meant { device, sender, evidence, message_ids }| {
            let label = device.label();
            let from = sender.unwrap_or("a sender whom the line does not name");
            let ask = || {
                let report = case.pages_of(device).next().map(|page| page.report);
                vec![Need::query(report, "device-keys", "the identity that the server holds for the device")]
            };
            let proof =
                Proof::new(case).evidence(evidence).premise(&ANOTHER_IS_KNOWN, another_identity(case, device), ask);
            let sentences = Sentences {
                proven: format!("A message from {from} to {label} was encrypted for another identity under that device id."),
                unknown: format!(
                    "A message from {from} names no key of {label}; whether it was meant for another identity under that \
                     device id cannot be told."
                ),
                ..Sentences::default()
            };
            let subject = Subject {
                device: Some(device.clone()),
                peer_user_id: sender.map(str::to_owned),
                message_ids,
                ..Subject::default()
            };
            let about = format!("{label} from {}", sender.unwrap_or("?"));
            let conclusion = Conclusion::EncryptedForOtherIdentity;
            let verdict = Verdict::decide(case, conclusion, (about, subject), proof, None, sentences);
            let verdict = verdict.follows(Conclusion::IdentityReplaced);
            let how = "Whether the sender's list was out of date, or the server named the other identity.";
            if verdict.is_proven() { verdict.how(how) } else { verdict }
        })
        .collect()
}

/// Two identities of a device, by whatever shows them.
fn another_identity(case: &Case<'_>, device: &Device) -> Option<Vec<Evidence>> {
    let distinct = firsts(case.identities_of(device), |sighting| sighting.ed25519.as_str());
    if distinct.len() > 1 {
        return Some(distinct.into_iter().map(|sighting| sighting.evidence.clone()).collect());
    }
    let conflicts = Conflict::all(case);
    let of_device = conflicts.iter().filter(|conflict| conflict.device == *device);
    of_device.map(|conflict| conflict.signatures(case).replaced).find(|replaced| !replaced.is_empty())
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    vec![
        History::recorded("second-empty-store", "a peer still encrypts for the identity that is gone")
            .only(&["victim.report.json"])
            .proves("encrypted-for-other-identity", "PKNLZRALFM from "),
        History::recorded("second-empty-store", "somebody sends a message that names a made-up key")
            .only(&["victim.report.json"])
            .edit("victim.report.json", |report| {
                report["entries"].as_array_mut().expect("entries").retain(|entry| entry["ke"] != "KE-1");
            })
            .never_proves("encrypted-for-other-identity", ""),
    ]
}

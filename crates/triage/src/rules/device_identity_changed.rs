//! OLM: a known device came with new identity keys, and the client kept the old ones.

use crypto_diag_analysis::evidence::olm::OlmKind;

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{Evidence, Sentences, Verdict};

const BOTH_SHOWN: Premise = Premise {
    id: "device-identity-changed/both-shown",
    says: "The line names both Ed25519 keys: the one known so far and the one that the server gives now.",
    rules_out: "The update lacks an Ed25519 key, or the line was cut: nothing says that there is a second one.",
};

const DIFFER: Premise = Premise {
    id: "device-identity-changed/differ",
    says: "The two keys differ.",
    rules_out: "The line was altered, and both keys are the same.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::DeviceIdentityChanged,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "“Rejecting device update … SigningKeyChanged” is printed when the server gives another Ed25519 key for a device \
               than the client has known it by. The client keeps the first. So the server has named two identities for one \
               device id; a store of that device which merely went back would have kept its identity.",
    proven_by: &[&BOTH_SHOWN, &DIFFER],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

/// What one observer says of one device.
struct Changed {
    about: String,
    device: Option<Device>,
    evidence: Vec<Evidence>,
    before: Option<String>,
    now: Option<String>,
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut known: Vec<Changed> = Vec::new();
    let changed = case.olm().filter(|(_, _, _, line)| {
        line.kind == OlmKind::DeviceUpdateRejected && line.cause.as_deref() == Some("SigningKeyChanged")
    });
    for (report, entry, _, line) in changed {
        let observer = case.pages.get(report).map_or_else(String::new, |page| case.label(page));
        let device = line.user_id.as_ref().zip(line.device_id.as_ref()).map(|(user, device)| Device::new(user, device));
        let name = match (&device, &line.user_id) {
            (Some(device), _) => device.label(),
            (None, Some(user_id)) => user_id.clone(),
            (None, None) => "a device".to_owned(),
        };
        let about = format!("{name} seen by {observer}");
        let piece = case.entry(report, entry, "the client refused the new identity and keeps the one that it knows");
        match known.iter_mut().find(|other| other.about == about) {
            Some(other) => other.evidence.extend(piece),
            None => known.push(Changed {
                about,
                device,
                evidence: piece.into_iter().collect(),
                before: line.known_signing_key.clone(),
                now: line.new_signing_key.clone(),
            }),
        }
    }
    known
        .into_iter()
        .map(|Changed { about, device, evidence, before, now }| {
            let both = before.is_some() && now.is_some();
            let ask = || {
                let whose = device.clone().map_or_else(|| Whose::Somebody(about.clone()), Whose::Device);
                vec![Need::report(whose, ReportTime::Any, "the device's own identity keys")]
            };
            let proof = Proof::new(case).evidence(evidence).premise(&BOTH_SHOWN, both, ask).premise(
                &DIFFER,
                before.is_none() || before != now,
                ask,
            );
            let sentences = Sentences {
                proven: format!("The server has named two identities under one device id: {about}."),
                unknown: format!(
                    "Whether the server has named two identities under one device id cannot be told: {about}."
                ),
                ..Sentences::default()
            };
            let subject = Subject { device: device.clone(), ..Subject::default() };
            let conclusion = Conclusion::DeviceIdentityChanged;
            let verdict = Verdict::decide(case, conclusion, (about.clone(), subject), proof, None, sentences);
            let how = "Which of the two identities the device uses now.";
            if verdict.is_proven() { verdict.how(how) } else { verdict }
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    let page = |keys: &str| {
        let line = format!(
            "WARN matrix_sdk_crypto::identities::manager: Rejecting device update user_id=\"@alice:example.org\" device_id=\"ALICE\" error=SigningKeyChanged({keys})"
        );
        MadeUpPage::new(("@bob:example.org", "BOB"), 1_795_424_000_000, 1_795_427_600_000)
            .line(1_795_425_000_000, Level::Warn, &line)
            .json()
    };
    let key = |key: &str| format!("Some(\"ed25519:{key}\")");
    let one = key("20K15uZlEhhJtg7XytMWOl7Xfbfu2anzC7Nyne1eIaI");
    let other = key("QP1bqvkrD+T0Th/WqmDwr5MvJYfZ6ZHi4niolZpY1mQ");
    vec![
        History::new("a peer's device comes with another identity")
            .file("bob.report.json", page(&format!("{one}, {other}")))
            .proves("device-identity-changed", "@alice:example.org/ALICE"),
        History::new("the update has no Ed25519 key")
            .file("bob.report.json", page(&format!("{one}, None")))
            .never_proves("device-identity-changed", ""),
        History::new("both keys of the line are the same")
            .file("bob.report.json", page(&format!("{one}, {one}")))
            .never_proves("device-identity-changed", ""),
    ]
}

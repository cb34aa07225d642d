//! The runbook's decision tree, corrected: small pure functions from facts to verdicts.

mod causes;
mod claims_twice;
mod delayed;
mod delivery;
mod events;
mod findings;
mod identity;
mod seen;

use crate::bundle::Bundle;
use crate::case::{Case, DeviceName};
use crate::verdict::Verdict;

/// Verdicts of one claim at most: a storm over many keys says the same of each.
const VERDICTS_MAX: usize = 40;

/// Walks the tree.
pub(crate) fn walk(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = seen::verdicts(case);
    verdicts.extend(causes::verdicts(case));
    verdicts.extend(claims_twice::verdicts(case));
    verdicts.extend(claims_twice::exhausted(case));
    verdicts.extend(findings::verdicts(case));
    verdicts.extend(identity::verdicts(case));
    verdicts.extend(delivery::verdicts(case));
    verdicts.extend(events::verdicts(case));
    verdicts.extend(delayed::verdicts(case));
    merge(verdicts)
}

/// One verdict for each claim about one thing: what is proven stands above what is unknown. A claim that comes out both
/// proven and refuted is neither.
fn merge(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let mut merged: Vec<Verdict> = Vec::new();
    for verdict in verdicts {
        let same = |other: &&mut Verdict| other.claim == verdict.claim && other.about == verdict.about;
        match merged.iter_mut().find(same) {
            None => merged.push(verdict),
            Some(known) if known.answer == verdict.answer => {
                let evidence = verdict.evidence;
                *known = known.clone().evidence(evidence);
            }
            Some(known) => match (known.is_unknown(), verdict.is_unknown()) {
                (true, false) => *known = verdict,
                (_, true) => {}
                (false, false) => {
                    let statement =
                        format!("The artefacts contradict one another. {} {}", known.statement, verdict.statement);
                    let contradiction = Verdict::unknown(known.claim, known.about.clone(), statement, Vec::new());
                    *known = contradiction.evidence(known.evidence.clone()).evidence(verdict.evidence);
                }
            },
        }
    }
    merged.sort_by(|a, b| (a.claim.question(), a.claim, &a.about).cmp(&(b.claim.question(), b.claim, &b.about)));
    let mut count = 0;
    let mut last = None;
    merged.retain(|verdict| {
        count = if last == Some(verdict.claim) { count + 1 } else { 1 };
        last = Some(verdict.claim);
        count <= VERDICTS_MAX
    });
    merged
}

/// The devices that the case is about: those with a report or a HAR; without any, those that logs name.
fn devices(case: &Case<'_>) -> Vec<DeviceName> {
    let mut devices: Vec<DeviceName> = case.pages.iter().filter_map(|page| page.device.clone()).collect();
    devices.extend(har_devices(case.bundle));
    if devices.is_empty() {
        devices.extend(case.ledger.conflicts.iter().filter_map(|conflict| conflict.device.clone()));
        devices.extend(case.ledger.accepted.iter().map(|upload| upload.device.clone()));
    }
    devices.sort_unstable();
    devices.dedup();
    devices
}

fn har_devices(bundle: &Bundle) -> impl Iterator<Item = DeviceName> + '_ {
    bundle.hars.iter().filter_map(|har| har.device().map(|(user, device)| DeviceName::new(user, device)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::verdict::{Answer, Claim};

    #[test]
    fn a_contradiction_is_unknown() {
        let verdicts = merge(vec![
            Verdict::proven(Claim::Rollback, "d", "It went back."),
            Verdict::refuted(Claim::Rollback, "d", "It did not."),
            Verdict::unknown(Claim::TwoContexts, "d", "?", vec![]),
            Verdict::proven(Claim::TwoContexts, "d", "Two."),
        ]);
        assert_eq!(verdicts.len(), 2);
        assert!(verdicts[0].is_unknown() && verdicts[0].statement.contains("contradict"));
        assert_eq!(verdicts[1].answer, Answer::Proven);
    }
}

//! The rules: one file for each conclusion, with its premises, its check, its wording and its tests.
//!
//! A new conclusion is a row in `conclusion.rs`, a file here, and a line in [`ALL`].

mod attempts;
mod calls;
mod client_bug;
mod delayed_event_timeouts;
mod diverged;
mod ke1_seen;
mod ke2_seen;
mod ke3_seen;
mod ke4_seen;
mod lost_field;
mod malformed_on_server;
mod membership_lost;
mod membership_manager_stopped;
mod never_arrived;
mod olm_seen;
mod own_line;
mod seen;
mod slow_gateway;
mod slow_homeserver;
mod stripped_on_the_way;

use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::{ArtefactKind, Verdict};

/// A rule: how one conclusion is reached.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What it concludes.
    pub conclusion: Conclusion,
    /// The artefacts that it cannot do without. A rule that needs reports alone is what the card runs.
    pub needs: &'static [ArtefactKind],
    /// The artefacts that it reads where they are given.
    pub reads: &'static [ArtefactKind],
    /// In a few sentences for a reader who knows Matrix: what is proven, and by which argument.
    pub argument: &'static str,
    /// What must hold for it to be proven.
    pub proven_by: &'static [&'static Premise],
    /// What must hold for it to be refuted; empty if it is never refuted.
    pub refuted_by: &'static [&'static Premise],
    /// The verdicts on a case.
    pub(crate) check: fn(&Case<'_>) -> Vec<Verdict>,
    /// One history in which it is proven, and for each innocent explanation one in which that is true.
    #[cfg(test)]
    pub(crate) histories: fn() -> Vec<crate::history::History>,
}

/// Every rule.
pub const ALL: &[Rule] = &[
    diverged::RULE,
    ke1_seen::RULE,
    olm_seen::RULE,
    ke2_seen::RULE,
    ke3_seen::RULE,
    malformed_on_server::RULE,
    stripped_on_the_way::RULE,
    client_bug::RULE,
    ke4_seen::RULE,
    slow_homeserver::RULE,
    slow_gateway::RULE,
    never_arrived::RULE,
    delayed_event_timeouts::RULE,
    membership_lost::RULE,
    membership_manager_stopped::RULE,
];

/// Verdicts of one conclusion at most: a storm over many keys says the same of each.
const VERDICTS_MAX: usize = 40;

/// Applies every rule.
pub(crate) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    merge(ALL.iter().flat_map(|rule| (rule.check)(case)).collect())
}

/// One verdict for each conclusion about one thing: the settled one stands above what is unknown. Rules settle
/// contradictions themselves; two settled verdicts about one thing are one rule's doing and must agree.
fn merge(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let mut merged: Vec<Verdict> = Vec::new();
    for verdict in verdicts {
        let same = |other: &&mut Verdict| other.conclusion == verdict.conclusion && other.about == verdict.about;
        match merged.iter_mut().find(same) {
            None => merged.push(verdict),
            Some(known) if known.answer.word() == verdict.answer.word() => {
                let evidence = verdict.evidence;
                *known = known.clone().evidence(evidence);
            }
            Some(known) if known.is_unknown() => *known = verdict,
            Some(_) => {}
        }
    }
    merged.sort_by(|a, b| {
        (a.conclusion.question(), a.conclusion, &a.about).cmp(&(b.conclusion.question(), b.conclusion, &b.about))
    });
    let mut count = 0;
    let mut last = None;
    merged.retain(|verdict| {
        count = if last == Some(verdict.conclusion) { count + 1 } else { 1 };
        last = Some(verdict.conclusion);
        count <= VERDICTS_MAX
    });
    merged
}

#[cfg(test)]
mod tests;

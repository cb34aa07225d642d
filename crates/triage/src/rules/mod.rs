//! The rules: one file for each conclusion, with its premises, its check, its wording and its tests.
//!
//! A new conclusion is a row in `conclusion.rs`, a file here, and a line in [`ALL`].

mod attempts;
mod backlog;
mod batch_dropped;
mod calls;
mod client_bug;
mod conflict;
mod conflict_lost_key;
mod conflict_lost_media_key;
mod delayed_event_timeouts;
mod device_identity_changed;
mod different_sfu;
mod diverged;
mod document;
mod encrypted_for_other_identity;
mod encryption_one_sided;
mod exhausted;
mod heard;
mod identity_overwritten;
mod identity_replaced;
mod ke1_seen;
mod ke2_seen;
mod ke3_seen;
mod ke4_seen;
mod lost;
mod lost_field;
mod lost_key;
mod lost_key_lost_media_key;
mod malformed_on_server;
mod media_decoded;
mod media_key_missing;
mod media_link;
mod media_not_arriving;
mod media_not_decrypted;
mod media_not_sent;
mod membership_lost;
mod membership_manager_stopped;
mod never_arrived;
mod never_sent;
mod no_one_time_key;
mod olm_seen;
mod own_line;
mod prospect;
mod redelivery;
mod rollback;
mod room_key_from_later;
pub(crate) mod room_key_withheld;
mod rule;
mod same_identity;
mod same_key_two_sessions;
pub(crate) mod seen;
mod sender_side;
pub(crate) mod sent;
mod server_restored;
mod slow_gateway;
mod slow_homeserver;
mod stale_device_list;
mod stale_target;
mod stripped_on_the_way;
mod two_contexts;
mod undecodable_on_server;
mod unsigned;

use crypto_diag_analysis::sorted::sort_by;

use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::verdict::Verdict;

pub use document::markdown;
pub use prospect::{Prospect, RuleInput, prospects};
use rule::Check;
pub use rule::Rule;

/// Every rule.
pub const ALL: &[Rule] = &[
    ke1_seen::RULE,
    diverged::RULE,
    same_identity::RULE,
    identity_replaced::RULE,
    rollback::RULE,
    two_contexts::RULE,
    server_restored::RULE,
    exhausted::RULE,
    olm_seen::RULE,
    ke2_seen::RULE,
    conflict_lost_key::RULE,
    conflict_lost_media_key::RULE,
    lost_key_lost_media_key::RULE,
    lost_key::RULE,
    same_key_two_sessions::RULE,
    redelivery::RULE,
    media_decoded::RULE,
    media_not_decrypted::RULE,
    media_not_arriving::RULE,
    media_not_sent::RULE,
    encryption_one_sided::RULE,
    media_key_missing::RULE,
    never_sent::RULE,
    stale_target::RULE,
    backlog::RULE,
    batch_dropped::RULE,
    no_one_time_key::RULE,
    stale_device_list::RULE,
    identity_overwritten::RULE,
    encrypted_for_other_identity::RULE,
    device_identity_changed::RULE,
    different_sfu::RULE,
    ke3_seen::RULE,
    malformed_on_server::RULE,
    stripped_on_the_way::RULE,
    client_bug::RULE,
    undecodable_on_server::RULE,
    room_key_withheld::RULE,
    room_key_from_later::RULE,
    ke4_seen::RULE,
    slow_homeserver::RULE,
    slow_gateway::RULE,
    never_arrived::RULE,
    delayed_event_timeouts::RULE,
    membership_lost::RULE,
    membership_manager_stopped::RULE,
];

/// Things of one storm that a verdict names; what is beyond is counted.
const NAMED_MAX: usize = 8;

/// What an answer needs of the rules: a page that gives answers need not load what documents print of them, nor, if it has nothing but
/// reports, those rules that do without one.
const CHECKS: [Check; ALL.len()] = checks();

const fn checks() -> [Check; ALL.len()] {
    fn nothing(_: &Case<'_>) -> Vec<Verdict> {
        Vec::new()
    }
    let mut checks: [Check; ALL.len()] = [nothing; ALL.len()];
    let mut at = 0;
    while at < ALL.len() {
        if cfg!(feature = "artefacts") || matches!(ALL[at].needs, [ArtefactKind::Report, ..]) {
            checks[at] = ALL[at].check;
        }
        at += 1;
    }
    checks
}

/// Applies the rules.
pub(crate) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    settle(CHECKS.iter().flat_map(|check| check(case)).collect())
}

/// The verdicts with one premise changed, for each of these changes; `None` where the change makes no difference. Only the rules that
/// rest on the premise are applied again.
#[cfg(feature = "mutation")]
pub(crate) fn mutated(case: &mut Case<'_>, mutations: &[crate::Mutation]) -> Vec<Option<Vec<Verdict>>> {
    let as_they_are: Vec<Vec<Verdict>> = CHECKS.iter().map(|check| check(case)).collect();
    let mut of = |mutation: crate::Mutation| {
        case.mutation = Some(mutation);
        let mut verdicts = as_they_are.clone();
        for (at, rule) in ALL.iter().enumerate().filter(|(_, rule)| rule.rests_on(mutation.premise())) {
            verdicts[at] = (rule.check)(case);
        }
        (verdicts != as_they_are).then(|| settle(verdicts.concat()))
    };
    mutations.iter().map(|mutation| of(*mutation)).collect()
}

/// What is said of a case, out of what rules say: one verdict for each thing, one for each storm, in the answer's order.
fn settle(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let mut settled = storms(merge(verdicts));
    sort(&mut settled);
    settled
}

/// Puts verdicts into the answer's order.
pub(crate) fn sort(verdicts: &mut [Verdict]) {
    sort_by(verdicts, |a, b| {
        (a.conclusion.question(), a.conclusion, &a.about).cmp(&(b.conclusion.question(), b.conclusion, &b.about))
    });
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
    merged
}

/// One verdict for each storm: verdicts that differ by nothing but the key, the message or the event that they are about.
fn storms(verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let mut storms: Vec<Vec<Verdict>> = Vec::new();
    for verdict in verdicts {
        match storms.iter_mut().find(|storm| storm[0].is_alike(&verdict)) {
            Some(storm) => storm.push(verdict),
            None => storms.push(vec![verdict]),
        }
    }
    let as_one = |mut storm: Vec<Verdict>| {
        sort_by(&mut storm, |a, b| a.about.cmp(&b.about));
        let mut rest = storm.into_iter();
        let first = rest.next()?;
        Some(first.with_alike(rest.collect(), NAMED_MAX))
    };
    storms.into_iter().filter_map(as_one).collect()
}

#[cfg(test)]
mod tests;

//! OLM: one-time keys that are lost, and the conflict that explains them.

use super::{Case, capitalised, times};
use crate::evidence::olm::OlmKind;
use crate::evidence::{Ke1, Olm};
use crate::finding::{EntryRef, Finding, Kind, Verdict};

/// The failures of one one-time key on one device.
#[derive(Clone, Debug)]
pub(super) struct LostKey<'a> {
    /// The public key.
    pub key: &'a str,
    /// A report that has such a line.
    pub report: usize,
    /// The failures.
    pub failures: Vec<(EntryRef, &'a Olm)>,
    /// The conflicts of that device whose server's key it is.
    pub conflicts: Vec<(EntryRef, &'a Ke1)>,
}

/// The lost keys of all devices.
pub(super) fn lost_keys(case: Case<'_>) -> Vec<LostKey<'_>> {
    let mut lost: Vec<LostKey<'_>> = Vec::new();
    for (at, _, olm) in case.olm().filter(|(_, _, olm)| olm.kind == OlmKind::MissingOneTimeKey) {
        let Some(key) = olm.one_time_key.as_deref() else { continue };
        match lost.iter_mut().find(|lost| lost.key == key && case.same_device(lost.report, at.report)) {
            Some(lost) => lost.failures.push((at, olm)),
            None => lost.push(LostKey { key, report: at.report, failures: vec![(at, olm)], conflicts: Vec::new() }),
        }
    }
    for (at, _, conflict) in case.conflicts() {
        let Some(key) = conflict.server_key.as_ref().and_then(|key| key.key.as_deref()) else { continue };
        // Line and conflict must be of one device: a key is unique, but so is the proof.
        for lost in lost.iter_mut().filter(|lost| lost.key == key && case.same_device(lost.report, at.report)) {
            lost.conflicts.push((at, conflict));
        }
    }
    lost
}

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let lost = lost_keys(case);
    let mut findings: Vec<Finding> = lost
        .iter()
        .map(|lost| if lost.conflicts.is_empty() { unmatched(case, lost) } else { matched(case, lost) })
        .collect();
    findings.extend(lost.iter().filter_map(|lost| two_sessions(case, lost)));
    findings
}

fn matched(case: Case<'_>, lost: &LostKey<'_>) -> Finding {
    let key_id = lost.conflicts.iter().find_map(|(_, conflict)| conflict.key_id.as_deref());
    Finding::new(
        Kind::Ke1ToOlm,
        Verdict::Proven,
        format!(
            "KE-1 ⇒ OLM: the one-time key {} that the server would not give up{} is the one for which {} could not open messages ({}).",
            lost.key,
            key_id.map_or(String::new(), |key_id| format!(" (id {key_id})")),
            case.device(lost.report),
            times(lost.failures.len())
        ),
    )
    .proves("This store lacks the private half of a key that the server still gave out: conflict and lost message name the same public key.")
    .does_not_prove("What the messages were: a media key, a room key, a secret or m.dummy.")
    .does_not_prove("That a call went silent for it (KE-2).")
    .ruled_out("A fallback key that was rotated away, and a key that was evicted: a store that had made this key would not offer another one under its id.")
    .rests_on(lost.failures.iter().map(|(at, _)| *at).chain(lost.conflicts.iter().map(|(at, _)| *at)))
    .with_message_ids(lost)
    .id("oneTimeKey", Some(lost.key))
    .id("keyId", key_id)
}

fn unmatched(case: Case<'_>, lost: &LostKey<'_>) -> Finding {
    Finding::new(
        Kind::LostOneTimeKey,
        Verdict::Proven,
        format!(
            "{} could not open messages ({}), since it has no private half of the one-time key {}; no conflict says why.",
            capitalised(&case.device(lost.report)),
            times(lost.failures.len()),
            lost.key
        ),
    )
    .proves("These messages were lost to this store at that time.")
    .does_not_prove("KE-1: no conflict in the reports names this key. That none was printed refutes nothing either: claimed ids upload without conflict.")
    .open("The key was a fallback key that has been rotated away.")
    .open("The server's database was restored from a backup.")
    .open("The key was evicted because the store held too many.")
    .open("The store went back in time, and every id that it reuses was claimed before.")
    .needs("whether the server knows the key, and as what", "server query `olm-lost-key`")
    .needs("when it was claimed, and by whom", "server query `olm-log`, lines `Claimed one-time-keys`")
    .rests_on(lost.failures.iter().map(|(at, _)| *at))
    .with_message_ids(lost)
    .id("oneTimeKey", Some(lost.key))
}

/// One one-time key in several sessions. Without ids of sessions there is nothing to tell.
fn two_sessions(case: Case<'_>, lost: &LostKey<'_>) -> Option<Finding> {
    let mut sessions: Vec<&str> = Vec::new();
    for session in lost.failures.iter().filter_map(|(_, olm)| olm.session_id.as_deref()) {
        if !sessions.contains(&session) {
            sessions.push(session);
        }
    }
    if sessions.len() < 2 {
        return None;
    }
    Some(
        Finding::new(
            Kind::SameKeyTwoSessions,
            Verdict::Proven,
            format!(
                "The one-time key {} of {} was used in {} Olm sessions.",
                lost.key,
                case.device(lost.report),
                sessions.len()
            ),
        )
        .proves("The key was handed out more than once.")
        .does_not_prove("That the server is at fault.")
        .open("It is a fallback key, which is made to be handed out more than once.")
        .open("The server's database was restored from a backup.")
        .needs("whether it is a fallback key", "server query `olm-lost-key`")
        .needs("whether one id was claimed twice", "server query `olm-log`, lines `Claimed one-time-keys`")
        .rests_on(lost.failures.iter().map(|(at, _)| *at))
        .id("oneTimeKey", Some(lost.key)),
    )
}

impl Finding {
    fn with_message_ids(self, lost: &LostKey<'_>) -> Finding {
        let mut ids: Vec<&str> = lost.failures.iter().filter_map(|(_, olm)| olm.message_id.as_deref()).collect();
        ids.dedup();
        let ids = ids.join(" ");
        self.id("messageIds", Some(ids.as_str()).filter(|ids| !ids.is_empty()))
            .id("sender", lost.failures.iter().find_map(|(_, olm)| olm.user_id.as_deref()))
    }
}

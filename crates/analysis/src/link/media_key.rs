//! KE-2: lost media keys, by message id or by time, and keys that were opened after all.

use crypto_diag_core::{Entry, Millis};

use super::lost_key::{LostKey, lost_keys};
use super::{Case, capitalised, times};
use crate::evidence::{Evidence, Olm};
use crate::facts::{MissingKeys, device_of};
use crate::finding::{EntryRef, Finding, Kind, Verdict};
use crate::report::Report;

/// A rotation leaves a gap of up to `useKeyDelay` (1 s by default, 5 s in Element Call) and a grace period of 10 s. A key
/// that is missing for longer, and in this many lines or more, is a failure and no transient.
pub const MISSING_FAILURE_MS: u64 = 10_000;

/// See [`MISSING_FAILURE_MS`].
pub const MISSING_FAILURE_LINES: u64 = 3;

/// Whether a window is a failure and no rotation.
fn is_failure(window: &MissingKeys) -> bool {
    window.count >= MISSING_FAILURE_LINES && window.duration_ms() > MISSING_FAILURE_MS
}

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for lost in lost_keys(case) {
        let redelivered = redelivered(case, &lost);
        findings.extend(link(case, &lost, &redelivered));
        if !redelivered.is_empty() {
            findings.push(redelivery(case, &lost, &redelivered));
        }
    }
    for (at, facts) in case.facts.iter().enumerate() {
        let lasting = facts.missing_keys.iter().filter(|window| is_failure(window));
        findings.extend(lasting.map(|window| missing(case, at, window)));
    }
    findings
}

/// Failures whose message was opened elsewhere, each with the deliveries.
type Redelivered<'a> = Vec<(EntryRef, &'a str, Vec<EntryRef>)>;

fn redelivered<'a>(case: Case<'a>, lost: &LostKey<'a>) -> Redelivered<'a> {
    let opened = |message_id: &str| -> Vec<EntryRef> {
        let of_message = |evidence: &Evidence| matches!(evidence, Evidence::Ke2(line) if line.message_id.as_deref() == Some(message_id));
        case.lines().filter(|(_, _, evidence)| of_message(evidence)).map(|(at, ..)| at).collect()
    };
    let failures = lost.failures.iter();
    failures
        .filter_map(|(at, olm)| {
            let message_id = olm.message_id.as_deref()?;
            Some((*at, message_id, opened(message_id))).filter(|(.., opened)| !opened.is_empty())
        })
        .collect()
}

fn redelivery(case: Case<'_>, lost: &LostKey<'_>, redelivered: &Redelivered<'_>) -> Finding {
    let entries = redelivered.iter().flat_map(|(at, _, opened)| opened.iter().copied().chain([*at]));
    Finding::new(
        Kind::Redelivery,
        Verdict::Proven,
        format!(
            "{} could not open {}, and another context, or the same one at another time, did: redelivery, not loss.",
            capitalised(&case.device(lost.report)),
            if redelivered.len() == 1 { "a message".to_owned() } else { format!("{} messages", redelivered.len()) }
        ),
    )
    .proves("The same message id stands in a failure and in a delivery, and it was a media key.")
    .does_not_prove("That the context which could not open it got the key.")
    .rests_on(entries)
    .id("messageId", redelivered.first().map(|(_, message_id, _)| *message_id))
    .id("oneTimeKey", Some(lost.key))
}

/// What the sender's own report says of a failed message.
enum Sent {
    /// The message stands in its list: it was sent to this device through the to-device queue.
    Found(usize),
    /// There is a report of that sender, but the message is not in its list.
    NotListed,
    /// There is no report of that sender.
    NoReport,
}

fn sent(case: Case<'_>, at: EntryRef, olm: &Olm) -> Sent {
    let receiver = case.reports.get(at.report);
    let ids = receiver.and_then(|report| Some((report.user_id.as_deref()?, report.device_id.as_deref()?)));
    let (Some((user_id, device_id)), Some(sender), Some(message_id)) = (ids, &olm.user_id, &olm.message_id) else {
        return Sent::NoReport;
    };
    let mut answer = Sent::NoReport;
    for (index, report) in case.reports.iter().enumerate() {
        // Another device of the same user may be the sender; this one cannot be.
        if report.user_id.as_ref() != Some(sender) || case.same_device(index, at.report) {
            continue;
        }
        // The line names the sender's identity key: a report of another device of that user is not the sender's.
        let own = report.own_keys().and_then(|keys| keys.curve25519.as_deref());
        if let (Some(own), Some(sender_key)) = (own, olm.sender_key.as_deref())
            && own != sender_key
        {
            continue;
        }
        let to_device = |target: &&crypto_diag_core::SentTarget| {
            target.user_id == user_id && target.device_id == device_id && target.message_id.as_ref() == Some(message_id)
        };
        let encrypted = report.sent.iter().filter(|batch| batch.event_type.as_deref() == Some("m.room.encrypted"));
        if encrypted.flat_map(|batch| &batch.targets).any(|target| to_device(&target)) {
            return Sent::Found(index);
        }
        answer = Sent::NotListed;
    }
    answer
}

/// The link from a lost one-time key to a media key. With a conflict it is KE-1 ⇒ KE-2, without one OLM ⇒ KE-2.
fn link(case: Case<'_>, lost: &LostKey<'_>, redelivered: &Redelivered<'_>) -> Option<Finding> {
    let is_redelivered = |at: &EntryRef| redelivered.iter().any(|(failure, ..)| failure == at);
    let failures: Vec<&(EntryRef, &Olm)> = lost.failures.iter().filter(|(at, _)| !is_redelivered(at)).collect();
    let conflicts = lost.conflicts.iter().map(|(at, _)| *at);
    let known = !lost.conflicts.is_empty();
    let (kind, arrow) = if known { (Kind::Ke1ToKe2, "KE-1 ⇒ KE-2") } else { (Kind::OlmToKe2, "OLM ⇒ KE-2") };
    if failures.is_empty() {
        let finding = Finding::new(
            kind,
            Verdict::Refuted,
            format!("{arrow}: every message that failed for one-time key {} was opened after all.", lost.key),
        );
        return known
            .then(|| finding.rests_on(redelivered.iter().map(|(at, ..)| *at)).id("oneTimeKey", Some(lost.key)));
    }
    let answers: Vec<(EntryRef, &Olm, Sent)> =
        failures.iter().map(|(at, olm)| (*at, *olm, sent(case, *at, olm))).collect();
    let found: Vec<(EntryRef, &Olm, usize)> = answers
        .iter()
        .filter_map(|(at, olm, answer)| match answer {
            Sent::Found(index) => Some((*at, *olm, *index)),
            _ => None,
        })
        .collect();
    if let Some((_, olm, sender)) = found.first() {
        return Some(
            Finding::new(
                kind,
                Verdict::Proven,
                format!(
                    "{arrow}, by message id: {} sent message {} to {}, which could not open it for want of one-time key {}.",
                    case.device(*sender),
                    olm.message_id.as_deref().unwrap_or_default(),
                    case.device(lost.report),
                    lost.key
                ),
            )
            .proves("The message that was lost is one that the peer's application queued for this device. Media keys go that way; room keys, secrets and m.dummy do not.")
            .does_not_prove("Which key index it held, or that somebody was to be heard at that moment.")
            .open("An application that sends other encrypted to-device messages through the same queue, beside media keys.")
            .ruled_out("Redelivery: no given report shows the message as opened.")
            .rests_on(found.iter().map(|(at, ..)| *at).chain(conflicts))
            .id("messageId", olm.message_id.as_deref())
            .id("sender", olm.user_id.as_deref())
            .id("oneTimeKey", Some(lost.key)),
        );
    }
    if answers.iter().all(|(.., answer)| matches!(answer, Sent::NoReport))
        && let Some((at, olm, window)) = failures.iter().find_map(|(at, olm)| Some((*at, *olm, gap(case, *at, olm)?)))
    {
        let entries = window.entries.iter().map(|entry| EntryRef { report: at.report, entry: *entry });
        return Some(
            Finding::new(
                kind,
                Verdict::Proven,
                format!(
                    "{arrow}, by time: after a message of {} could not be opened, no media key of that device was opened until its key had been missing for {} s.",
                    olm.user_id.as_deref().unwrap_or_default(),
                    window.duration_ms() / 1000
                ),
            )
            .proves("The sender's key was missing for longer than a rotation takes, after a lost message and with no delivery of that sender between.")
            .does_not_prove("That the lost message was the very key that was missing: the line does not show its type.")
            .open("The lost message was another one, and the media key was never sent. The message id in the peer's report settles it.")
            .needs("the peer's report", "a report made on the sender's device during the same call: its `sent` list holds the message ids")
            .rests_on(entries.chain([at]).chain(conflicts))
            .id("messageId", olm.message_id.as_deref())
            .id("sender", olm.user_id.as_deref())
            .id("oneTimeKey", Some(lost.key)),
        );
    }
    // Without a conflict the lost key's own finding asks for the same things.
    known.then(|| unknown(case, lost, &answers).rests_on(failures.iter().map(|(at, _)| *at).chain(conflicts)))
}

fn unknown(case: Case<'_>, lost: &LostKey<'_>, answers: &[(EntryRef, &Olm, Sent)]) -> Finding {
    let listed_elsewhere = answers.iter().any(|(.., answer)| matches!(answer, Sent::NotListed));
    let sender = answers.iter().find_map(|(_, olm, _)| olm.user_id.as_deref());
    let finding = Finding::new(
        Kind::Ke1ToKe2,
        Verdict::Unknown,
        format!(
            "KE-1 ⇒ KE-2: whether a media key was among the messages that {} lost cannot be told from here.",
            case.device(lost.report)
        ),
    )
    .does_not_prove("That the lost message was a media key: the line does not show its type.")
    .open("The lost message was a room key, a secret or m.dummy, and the call was not touched.")
    .id("oneTimeKey", Some(lost.key))
    .id("sender", sender);
    if listed_elsewhere {
        return finding
            .open("The peer's report does not list the message: it went another way than media keys do, or was sent outside of what that report holds.")
            .needs("a report of the peer that covers the time of the lost message", "make one on the sender's device right after the call");
    }
    finding.needs(
        "the peer's report",
        "a report made on the sender's device during the same call: its `sent` list holds the message ids",
    )
}

/// A lasting window of the failed message's sender that begins after it, without a delivery of that sender between.
fn gap<'a>(case: Case<'a>, at: EntryRef, olm: &Olm) -> Option<&'a MissingKeys> {
    let (report, facts) = (case.reports.get(at.report)?, case.facts.get(at.report)?);
    let failed = report.entries.get(at.entry)?.as_ref()?.ts;
    // Absence counts only where every delivery since capture began is at hand.
    if !facts.deliveries_complete {
        return None;
    }
    let sender_key = olm.sender_key.as_deref()?;
    let device_id = device_of(report, olm.user_id.as_deref(), Some(sender_key))?;
    let of_sender = |window: &&MissingKeys| {
        window.participant.as_ref().is_some_and(|participant| {
            participant.user_id == olm.user_id && participant.device_id.as_deref() == Some(device_id)
        })
    };
    facts.missing_keys.iter().filter(of_sender).find(|window| {
        is_failure(window)
            && window.first_ts >= failed
            && !delivered(report, case, at, sender_key, failed, window.last_ts)
    })
}

/// Whether a media key from a sender key was opened in a span of time. A delivery without a sender key may be anyone's.
fn delivered(report: &Report, case: Case<'_>, at: EntryRef, sender_key: &str, from: Millis, to: Millis) -> bool {
    let of_sender = |entry: usize| match case.evidence.get(at.report).and_then(|evidence| evidence.get(entry)) {
        Some(Some(Evidence::Ke2(line))) => line.sender_key.as_deref().is_none_or(|key| key == sender_key),
        _ => true,
    };
    let is_delivery = |entry: &Entry| entry.meaning == crypto_diag_core::Meaning::Delivered;
    let mut entries = report.entries();
    entries.any(|(index, entry)| is_delivery(entry) && entry.ts >= from && entry.ts <= to && of_sender(index))
}

fn missing(case: Case<'_>, at: usize, window: &MissingKeys) -> Finding {
    let who = window.participant.as_ref().map_or("somebody", |participant| participant.identity.as_str());
    let indexes: Vec<String> = window.key_indexes.iter().map(u64::to_string).collect();
    let index = if indexes.is_empty() { String::new() } else { format!(" at index {}", indexes.join(", ")) };
    let mut finding = Finding::new(
        Kind::MediaKeyMissing,
        Verdict::Proven,
        format!(
            "The media key of {who}{index} was missing for {} s ({} lines): longer than a rotation takes.",
            window.duration_ms() / 1000,
            window.count
        ),
    )
    .proves("Media of that participant came and could not be decrypted in that time.")
    .does_not_prove("Why: the key was never sent, was lost on its way, or could not be opened.")
    .rests_on(window.entries.iter().map(|entry| EntryRef { report: at, entry: *entry }))
    .id("participant", window.participant.as_ref().map(|participant| participant.identity.as_str()));
    let Some(facts) = case.facts.get(at) else { return finding };
    let user_id = window.participant.as_ref().and_then(|participant| participant.user_id.as_deref());
    if let (Some(user_id), true) = (user_id, facts.deliveries_complete) {
        let of_user = |sender: Option<&str>| sender.is_none_or(|sender| sender == user_id);
        let from_user: u64 =
            facts.deliveries.iter().filter(|from| of_user(from.sender.as_deref())).map(|from| from.count).sum();
        let from_others: u64 =
            facts.deliveries.iter().filter(|from| !of_user(from.sender.as_deref())).map(|from| from.count).sum();
        if from_user == 0 {
            finding = finding.proves(format!(
                "Since capture began, media keys were opened {} from others and never from {user_id}.",
                if from_others == 0 { "never".to_owned() } else { times(from_others as usize) }
            ));
        } else {
            finding = finding.open(
                "Keys of that user did arrive: the one that was used may have been late, or dropped by the transport.",
            );
        }
    }
    if user_id.is_none() {
        finding = finding.does_not_prove("Who it is: the participant is named by a hash.");
    }
    match case.reports.get(at).and_then(|report| report.was_held_up(window.first_ts, window.last_ts)) {
        Some(true) => finding = finding.open("The page was hidden, frozen or offline meanwhile."),
        Some(false) => finding = finding.ruled_out("A page that was hidden, frozen or offline meanwhile."),
        None => {}
    }
    finding
        .open("The key was never sent: the sender held another device list, or no membership of this device.")
        .needs(
            "the participant's own report",
            "a report made on that device during the same call: its `sent` list shows the devices that it sent keys to",
        )
        .needs(
            "whether messages wait for this device on the server",
            "server query `ke2-inbox`, twice, some seconds apart",
        )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rotation_is_no_failure() {
        let window = |count, last_ts| MissingKeys {
            participant: None,
            key_indexes: vec![],
            count,
            first_ts: Millis(0),
            last_ts: Millis(last_ts),
            entries: vec![],
        };
        assert!(!is_failure(&window(50, 9_000)), "many lines in a rotation's time");
        assert!(!is_failure(&window(2, 20_000)), "two rotations");
        assert!(is_failure(&window(3, 10_001)));
    }
}

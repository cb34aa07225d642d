//! A media key by its participant and index, as the page that needs it knows it.

use crypto_diag_analysis::Evidence as Line;
use crypto_diag_analysis::call::InCall;
use crypto_diag_analysis::evidence::Ke2;
use crypto_diag_analysis::evidence::ke2::{Ke2Kind, Participant};
use crypto_diag_core::{CallFactKind, Millis};

use super::{Facts, Hop, KeyPath, Told, key_path, proven};
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::problem::Place;
use crate::stamp;
use crate::subject::{Device, Subject};
use crate::verdict::Evidence;

/// A participant whose key a page needs.
struct Sender<'c> {
    /// As the media server names it.
    identity: &'c str,
    device: Option<Device>,
    user_id: Option<&'c str>,
}

/// A key that a page needs.
pub(super) struct Wanted<'c> {
    page: &'c Page,
    sender: Sender<'c>,
    /// `None` if nothing says at which index it is.
    index: Option<u64>,
    /// When it was last heard of, by the clock of whoever says so.
    pub at: i64,
}

/// The keys of other participants that pages name: each index at which one was set, missing, or made. A participant of whom
/// no index is known has one without.
pub(super) fn wanted<'c>(case: &'c Case<'_>) -> Vec<Wanted<'c>> {
    let mut all: Vec<Wanted<'c>> = Vec::new();
    for page in &case.pages {
        let first = all.len();
        let mut add = |sender: Sender<'c>, index: Option<u64>, at: Millis| {
            let at = ms(at);
            let same = |other: &&mut Wanted<'c>| other.sender.identity == sender.identity && other.index == index;
            match all[first..].iter_mut().find(same) {
                Some(known) => known.at = known.at.max(at),
                None => all.push(Wanted { page, sender, index, at }),
            }
        };
        let call = case.readings[page.report].facts.call.as_ref();
        for (_, entry, line) in errors(case, page) {
            let Some(participant) = &line.participant else { continue };
            let other = call.into_iter().flat_map(|call| &call.others).find(|other| is_named(other, participant));
            let sender = other.and_then(of_call).unwrap_or_else(|| of_line(participant));
            let is_own = sender.device.is_some() && sender.device == page.device;
            if !is_own && let Some(found) = case.report(page).entries[entry].as_ref() {
                add(sender, line.key_index, found.ts);
            }
        }
        for other in call.into_iter().flat_map(|call| &call.others) {
            for set in &other.key_sets {
                of_call(other).into_iter().for_each(|sender| add(sender, set.key_index, set.ts));
            }
            let device = of_call(other).and_then(|sender| sender.device);
            for made in device.iter().flat_map(|device| own_sets(case, device)) {
                of_call(other).into_iter().for_each(|sender| add(sender, made.1, made.0));
            }
        }
        for other in call.into_iter().flat_map(|call| &call.others).filter(|other| other.is_member) {
            if all[first..].iter().all(|known| Some(known.sender.identity) != other.identity.as_deref())
                && let Some(sender) = of_call(other)
            {
                all.push(Wanted { page, sender, index: None, at: ms(case.report(page).generated_at) });
            }
        }
    }
    all
}

fn ms(at: Millis) -> i64 {
    i64::try_from(at.0).unwrap_or(i64::MAX)
}

fn is_named(other: &InCall, participant: &Participant) -> bool {
    other.identity.as_deref() == Some(&*participant.identity)
}

fn of_call(other: &InCall) -> Option<Sender<'_>> {
    let ids = other.user_id.as_deref().zip(other.device_id.as_deref());
    let device = ids.map(|(user, device)| Device::new(user, device));
    Some(Sender { identity: other.identity.as_deref()?, device, user_id: other.user_id.as_deref() })
}

fn of_line(participant: &Participant) -> Sender<'_> {
    let ids = participant.user_id.as_deref().zip(participant.device_id.as_deref());
    let device = ids.map(|(user, device)| Device::new(user, device));
    Sender { identity: &participant.identity, device, user_id: participant.user_id.as_deref() }
}

/// The lines of a page that say that a participant's key was missing, wrong or not taken: when, which entry, and what it says.
fn errors<'c>(case: &'c Case<'_>, page: &Page) -> impl Iterator<Item = (Millis, usize, &'c Ke2)> {
    let is_error = |kind| {
        use Ke2Kind::{KeyNotImported, KeySetNotFound, KeysDisabled, MissingKey, WrongKey};
        matches!(kind, MissingKey | KeySetNotFound | WrongKey | KeyNotImported | KeysDisabled)
    };
    let report = page.report;
    case.lines().filter_map(move |(of, entry, line, facts)| match facts {
        Line::Ke2(facts) if of == report && is_error(facts.kind) => Some((line.ts, entry, facts)),
        _ => None,
    })
}

/// The keys that a device's own pages gave to LiveKit's worker to encrypt with: when, at which index, and which page.
fn own_sets<'c>(case: &'c Case<'_>, device: &Device) -> impl Iterator<Item = (Millis, Option<u64>, &'c Page)> {
    let device = device.clone();
    let pages = case.pages.iter().filter(move |page| page.device.as_ref() == Some(&device));
    pages.flat_map(|page| {
        let own = case.readings[page.report].facts.call.iter().filter_map(|call| call.own.as_ref());
        own.flat_map(move |own| own.key_sets.iter().map(move |set| (set.ts, set.key_index, page)))
    })
}

/// `set participant sender key …`, as the page printed it.
fn set_line(case: &Case<'_>, page: &Page, who: &str, index: u64, at: Millis, says: &str) -> Evidence {
    let text = format!("set participant sender key {who} index {index}");
    Evidence { at: Some(ms(at)), ..case.whole(page.report, &text, says) }
}

pub(super) fn path(facts: &Facts<'_>, wanted: &Wanted<'_>) -> KeyPath {
    let Facts { case, verdicts, .. } = *facts;
    let Wanted { page, sender, index, .. } = wanted;
    let (identity, index) = (sender.identity, *index);
    let label = case.label(page);
    let who = sender.device.as_ref().map_or_else(|| identity.to_owned(), Device::label);
    let report = case.report_name(page.report);
    let of_page = |subject: &Subject| {
        subject.report.as_deref() == Some(report) && subject.participant.as_deref() == Some(identity)
    };
    let said = case.report(page).call.as_ref();
    let sets = said
        .into_iter()
        .flat_map(|call| &call.facts)
        .filter(|fact| fact.what == CallFactKind::KeySet && fact.participant.as_deref() == Some(identity));
    let lines: Vec<(Millis, usize, &Ke2)> = errors(case, page)
        .filter(|(_, _, line)| line.participant.as_ref().is_some_and(|named| named.identity == identity))
        .collect();
    let at_index = |other: Option<u64>| index.is_some() && other == index;
    let last_set = sets.clone().filter(|fact| at_index(fact.key_index)).map(|fact| fact.ts).max();
    let open: Vec<&(Millis, usize, &Ke2)> =
        lines.iter().filter(|(ts, _, line)| line.key_index == index && last_set.is_none_or(|set| *ts > set)).collect();
    let is_set = last_set.is_some() && open.is_empty();

    let whose =
        || sender.device.clone().map_or_else(|| Whose::Somebody(format!("the participant {identity}")), Whose::Device);
    let receiver = || page.device.clone().map_or_else(|| Whose::Somebody(label.clone()), Whose::Device);
    let theirs = sender.device.as_ref().and_then(|device| case.pages_of(device).next());
    let own = || sender.device.iter().flat_map(|device| own_sets(case, device)).filter(|made| at_index(made.1));

    let made = match (own().next(), index) {
        (Some((at, _, of)), Some(index)) => Told::proven(
            "the sender's own page gave it to its worker",
            [set_line(case, of, identity, index, at, "the sender's own page has the key")],
        ),
        _ => Told::unknown(
            "no file says whether the sender made it",
            Need::report(whose(), ReportTime::SameCall, "which keys it made, and at which index"),
        ),
    };
    let between = |subject: &Subject| {
        subject.device.is_some()
            && subject.device == page.device
            && subject.peer.is_some()
            && subject.peer == sender.device
    };
    let never = proven(verdicts, &[Conclusion::NeverSent], between).filter(|_| last_set.is_none());
    let undecrypted =
        proven(verdicts, &[Conclusion::MediaNotDecrypted], |subject| of_page(subject) && subject.key_index == index);
    // What the rule has joined with it.
    let named = |by: &[Conclusion], of: &Option<Device>| {
        let effect = undecrypted.filter(|_| last_set.is_none())?;
        let is_it = |subject: &Subject| {
            let peer = subject.peer.is_none() || subject.peer == sender.device;
            subject.device.is_some() && subject.device == *of && peer
        };
        proven(verdicts, by, is_it).filter(|cause| effect.follows.contains(&cause.conclusion))
    };
    let without_session = named(&[Conclusion::NoOneTimeKey, Conclusion::StaleDeviceList], &page.device);
    let sent = match (never.or(without_session), theirs) {
        (Some(verdict), _) => Told::refuted_by(verdict),
        (None, None) => Told::unknown(
            "no report of the sender is given",
            Need::report(whose(), ReportTime::SameCall, "the devices that it queued messages for, with their ids"),
        ),
        (None, Some(_)) => {
            let is_ours = |message: &&crate::rules::sent::Sent| {
                message.sender == sender.device && Some(&message.target) == page.device.as_ref() && message.encrypted
            };
            let ours: Vec<_> = facts.sent.iter().filter(is_ours).collect();
            let says = match ours.len() {
                0 => "the sender's files show no message to this device, and need not show each".to_owned(),
                count => format!(
                    "the sender's files show {count} messages to this device; which key each held they do not say"
                ),
            };
            Told {
                evidence: ours.into_iter().rev().take(1).map(|message| message.evidence.clone()).collect(),
                ..Told::unknown(says, None)
            }
        }
    };
    let accepted = match named(&[Conclusion::BatchDropped], &sender.device) {
        Some(verdict) => Told::refuted_by(verdict),
        None => Told::unknown(
            "no file says which message held it",
            theirs.map(|theirs| Need::har(theirs.report, "how the server answered the sender's requests")),
        ),
    };
    let queued = Told::unknown(
        "no file says which message held it",
        Need::query(Some(page.report), "ke2-inbox", "which messages wait for the device"),
    );
    let fetched = Told::unknown(
        "no file says which message held it",
        Need::har(page.report, "the messages that the device's syncs bring, with their ids"),
    );

    // The call was given the key, and did not take it.
    let refused =
        open.iter().rev().find(|(_, _, line)| matches!(line.kind, Ke2Kind::KeyNotImported | Ke2Kind::KeysDisabled));
    let missing =
        proven(verdicts, &[Conclusion::MediaKeyMissing], |subject| of_page(subject) && at_index(subject.key_index))
            .filter(|_| last_set.is_none());
    let is_missing = open.iter().any(|(_, _, line)| line.key_index.is_some());
    // The rule has shown that no key of the sender was opened in this page since the error that it quotes: if that is one of this key's.
    let is_quoted = |piece: &Evidence| {
        *piece.artefact == *report && open.iter().any(|(_, entry, _)| piece.place == Place::Entry(*entry as u64))
    };
    let lost = proven(verdicts, &[Conclusion::ConflictLostMediaKey, Conclusion::LostKeyLostMediaKey], between)
        .filter(|verdict| is_missing && verdict.evidence.iter().any(is_quoted));
    let opened = match (refused, missing.or(lost)) {
        (Some((_, entry, _)), _) => {
            Told::proven("the call was given the key", case.entry(page.report, *entry, "the key came to the call"))
        }
        (None, Some(verdict)) => Told::refuted_by(verdict),
        (None, None) => Told::unknown(
            "no file says whether the page opened it",
            Need::report(receiver(), ReportTime::CaptureBefore, "which media keys the page opened"),
        ),
    };
    let set = match (last_set.filter(|_| is_set).zip(index), refused, missing, undecrypted.filter(|_| is_missing)) {
        (Some((at, index)), ..) => Told::proven(
            format!("at {}", stamp::print(ms(at))),
            [set_line(case, page, identity, index, at, "LiveKit's worker was given the key")],
        ),
        (None, Some((_, entry, _)), ..) => Told::refuted(
            "the call did not take the key that it was given",
            case.entry(page.report, *entry, "the key came and was not taken"),
        ),
        (None, None, Some(verdict), _) | (None, None, None, Some(verdict)) => Told::refuted_by(verdict),
        (None, None, None, None) => Told {
            evidence: open
                .last()
                .and_then(|(_, entry, _)| case.entry(page.report, *entry, "the key was not there then"))
                .into_iter()
                .collect(),
            ..Told::unknown(
                "no file says whether the worker was given it",
                Need::report(
                    receiver(),
                    ReportTime::CaptureBefore,
                    "which keys LiveKit's worker was given: by a capture that watches console.info",
                ),
            )
        },
    };
    let decoded = proven(verdicts, &[Conclusion::MediaDecoded], of_page);
    let decrypted = match (undecrypted, decoded.filter(|_| is_set)) {
        (Some(verdict), _) => Told::refuted_by(verdict),
        (None, Some(verdict)) => {
            let is_only = sets.clone().all(|fact| at_index(fact.key_index))
                && lines.iter().all(|(_, _, line)| at_index(line.key_index))
                && joined(case, page, identity).is_some_and(|since| case.shows_keys_since(page, since))
                && is_encrypted(case, page, identity);
            let evidence = verdict.evidence.iter().cloned();
            if is_only {
                Told::proven("frames are decrypted, and no other key of the sender was set", evidence)
            } else {
                let says = "frames of the sender are decrypted; with which of its keys no file says";
                Told { evidence: evidence.collect(), ..Told::unknown(says, None) }
            }
        }
        (None, None) => Told::unknown(
            "no statistics say it of this key",
            Need::report(
                receiver(),
                ReportTime::SameCall,
                format!("whether frames of {who} come out of decryption, while {who} speaks"),
            ),
        ),
    };
    let key = index.map_or_else(|| "media key".to_owned(), |index| format!("media key at index {index}"));
    let subject = Subject {
        device: page.device.clone(),
        report: Some(report.to_owned()),
        peer: sender.device.clone(),
        peer_user_id: sender.user_id.map(str::to_owned),
        participant: Some(identity.to_owned()),
        key_index: index,
        ..Subject::default()
    };
    let about = (format!("{key} of {who} for {label} ({report})"), subject);
    let told = [
        (Hop::Made, made),
        (Hop::Sent, sent),
        (Hop::Accepted, accepted),
        (Hop::Queued, queued),
        (Hop::Fetched, fetched),
        (Hop::Opened, opened),
        (Hop::Set, set),
        (Hop::Decrypted, decrypted),
    ];
    key_path(case, about, &told)
}

/// When a participant came into the SFU's room, as this page saw it.
fn joined(case: &Case<'_>, page: &Page, identity: &str) -> Option<Millis> {
    let facts = case.report(page).call.iter().flat_map(|call| &call.facts);
    let of_it = |fact: &&crypto_diag_core::CallFact| {
        fact.what == CallFactKind::Connected && fact.participant.as_deref() == Some(identity)
    };
    facts.filter(of_it).map(|fact| fact.ts).min()
}

/// Whether a participant's tracks are encrypted, as it says itself.
fn is_encrypted(case: &Case<'_>, page: &Page, identity: &str) -> bool {
    let call = case.readings[page.report].facts.call.iter().flat_map(|call| &call.others);
    call.filter(|other| other.identity.as_deref() == Some(identity)).any(|other| other.encrypted == Some(true))
}

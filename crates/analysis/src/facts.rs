//! What the entries of one report add up to.

use crypto_diag_core::{CaptureState, Meaning, Millis};
use serde::Serialize;

use crate::call::{self, Call};
use crate::evidence::ke2::{Ke2Kind, Participant};
use crate::evidence::{Evidence, Ke2};
use crate::report::Report;

/// The same key id refused this often is a loop: the client asks again and again for what it cannot have.
pub const LOOP_MIN: u64 = 3;

/// A client that still wants to upload does so after each `/sync`, which returns within 30 s even if nothing happens.
/// Silence for that long and half as much again means that it no longer does.
pub const HEALED_AFTER_MS: u64 = 45_000;

/// The facts of one report. Times are those of the page's clock, in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Facts {
    /// One-time key conflicts by key id, the first seen first.
    pub conflicts: Vec<Conflict>,
    /// Media keys that were delivered, by sender key.
    pub deliveries: Vec<Deliveries>,
    /// Which participants' keys were missing, by index. LiveKit is silent after the first error, so that how many lines there
    /// are says nothing.
    pub missing_keys: Vec<MissingKeys>,
    /// The call in the page's frames, joined; null where the report says nothing of one.
    pub call: Option<Call>,
}

/// The refusals of one key id.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    /// The algorithm; null where the line has none.
    pub algorithm: Option<String>,
    /// The key id; null where the line has none.
    pub key_id: Option<String>,
    /// The number that the id stands for.
    pub counter: Option<u64>,
    /// Ids 0 to 49 are those of a store's first batch, so a small one speaks for a new store.
    pub first_batch: Option<bool>,
    /// Entries kept of it; the buffer may have let more go.
    pub count: u64,
    /// The earliest.
    pub first_ts: Millis,
    /// The latest.
    pub last_ts: Millis,
    /// The same id was refused [`LOOP_MIN`] times or more.
    pub looping: bool,
    /// True: no conflict of any id for [`HEALED_AFTER_MS`] on a page that was awake and in sync. False: it went on until
    /// then. Null: the report was made too early, or the page slept.
    pub healed: Option<bool>,
    /// The server's public keys under that id, distinct.
    pub server_keys: Vec<String>,
    /// The client's, distinct.
    pub client_keys: Vec<String>,
    /// The entries, by index.
    pub entries: Vec<usize>,
}

/// What was delivered from one sender key.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Deliveries {
    /// The sender's user id.
    pub sender: Option<String>,
    /// The sender's Curve25519 identity key.
    pub sender_key: Option<String>,
    /// The sender's device, where the client knows a device of that user with that key.
    pub device_id: Option<String>,
    /// How many.
    pub count: u64,
    /// The earliest.
    pub first_ts: Millis,
    /// The latest.
    pub last_ts: Millis,
    /// Their message ids.
    pub message_ids: Vec<String>,
    /// The entries, by index.
    pub entries: Vec<usize>,
}

/// A key of a participant that was missing.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct MissingKeys {
    /// Whose; null where the lines name nobody.
    pub participant: Option<Participant>,
    /// The key's index; null where the lines have none.
    pub key_index: Option<u64>,
    /// Lines kept.
    pub count: u64,
    /// The earliest.
    pub first_ts: Millis,
    /// The latest.
    pub last_ts: Millis,
    /// The entries, by index.
    pub entries: Vec<usize>,
}

/// Adds the evidence of a report up. `evidence` stands beside the report's entries, one for one.
pub fn add_up(report: &Report, evidence: &[Option<Evidence>]) -> Facts {
    let mut facts = Facts { call: call::join(report, evidence), ..Facts::default() };
    for (index, entry) in report.entries() {
        match evidence.get(index).and_then(Option::as_ref) {
            Some(Evidence::Ke1(conflict)) => {
                let key = |key: &Option<crate::evidence::ke1::SignedKey>| key.as_ref().and_then(|key| key.key.clone());
                let known = &mut facts.conflicts;
                let same =
                    |other: &&mut Conflict| other.key_id == conflict.key_id && other.algorithm == conflict.algorithm;
                let place = match known.iter_mut().find(same) {
                    Some(place) => place,
                    None => {
                        known.push(Conflict {
                            algorithm: conflict.algorithm.clone(),
                            key_id: conflict.key_id.clone(),
                            counter: conflict.counter,
                            first_batch: conflict.counter.map(|counter| counter < 50),
                            count: 0,
                            first_ts: entry.ts,
                            last_ts: entry.ts,
                            looping: false,
                            healed: None,
                            server_keys: Vec::new(),
                            client_keys: Vec::new(),
                            entries: Vec::new(),
                        });
                        let last = known.len() - 1;
                        &mut known[last]
                    }
                };
                stretch(&mut place.first_ts, &mut place.last_ts, entry.ts);
                place.count += 1;
                place.looping = place.count >= LOOP_MIN;
                push_new(&mut place.server_keys, key(&conflict.server_key));
                push_new(&mut place.client_keys, key(&conflict.client_key));
                place.entries.push(index);
            }
            Some(Evidence::Ke2(line)) if entry.meaning == Meaning::Delivered => {
                deliver(&mut facts.deliveries, report, line, entry.ts, index);
            }
            Some(Evidence::Ke2(line)) if matches!(line.kind, Ke2Kind::MissingKey | Ke2Kind::KeySetNotFound) => {
                miss(&mut facts.missing_keys, line, entry.ts, index);
            }
            _ => {}
        }
    }
    let last = facts.conflicts.iter().map(|conflict| conflict.last_ts).max();
    let healed = last.and_then(|last| healed(report, last, facts.conflicts.iter().any(|conflict| conflict.looping)));
    for conflict in &mut facts.conflicts {
        conflict.healed = healed;
    }
    facts
}

fn deliver(known: &mut Vec<Deliveries>, report: &Report, line: &Ke2, ts: Millis, index: usize) {
    let same = |other: &Deliveries| other.sender_key == line.sender_key && other.sender == line.sender;
    let at = known.iter().position(same).unwrap_or_else(|| {
        let device_id = device_of(report, line.sender.as_deref(), line.sender_key.as_deref());
        known.push(Deliveries {
            sender: line.sender.clone(),
            sender_key: line.sender_key.clone(),
            device_id: device_id.map(str::to_owned),
            count: 0,
            first_ts: ts,
            last_ts: ts,
            message_ids: Vec::new(),
            entries: Vec::new(),
        });
        known.len() - 1
    });
    let place = &mut known[at];
    stretch(&mut place.first_ts, &mut place.last_ts, ts);
    place.count += 1;
    push_new(&mut place.message_ids, line.message_id.clone());
    place.entries.push(index);
}

fn miss(known: &mut Vec<MissingKeys>, line: &Ke2, ts: Millis, index: usize) {
    let same = |other: &MissingKeys| other.participant == line.participant && other.key_index == line.key_index;
    let at = known.iter().position(same).unwrap_or_else(|| {
        known.push(MissingKeys {
            participant: line.participant.clone(),
            key_index: line.key_index,
            count: 0,
            first_ts: ts,
            last_ts: ts,
            entries: Vec::new(),
        });
        known.len() - 1
    });
    let place = &mut known[at];
    stretch(&mut place.first_ts, &mut place.last_ts, ts);
    place.count += 1;
    place.entries.push(index);
}

/// The device of a user that has a Curve25519 identity key, as the client knows it; `None` where none or several do.
pub fn device_of<'a>(report: &'a Report, user_id: Option<&str>, sender_key: Option<&str>) -> Option<&'a str> {
    let (user_id, sender_key) = (user_id?, sender_key?);
    let has_key = |device: &&crypto_diag_core::KnownDevice| {
        device.user_id == user_id && device.curve25519.as_deref() == Some(sender_key)
    };
    let mut devices = report.devices().filter(has_key);
    let device = devices.next()?;
    devices.next().is_none().then_some(device.device_id.as_str())
}

fn healed(report: &Report, last: Millis, looping: bool) -> Option<bool> {
    let quiet_ms = report.generated_at.0.checked_sub(last.0)?;
    let replaced = report.capture.hooks.iter().any(|hook| hook.method == "error" && !hook.in_place);
    if report.capture.state != CaptureState::Capturing || replaced {
        return None;
    }
    if quiet_ms < HEALED_AFTER_MS {
        // Seconds after a run of refusals it goes on; a single one may have been the last.
        return looping.then_some(false);
    }
    let slept = report.was_held_up(last, report.generated_at) == Some(true);
    (report.is_in_sync() && !slept).then_some(true)
}

fn stretch(first: &mut Millis, last: &mut Millis, ts: Millis) {
    *first = (*first).min(ts);
    *last = (*last).max(ts);
}

fn push_new(list: &mut Vec<String>, item: Option<String>) {
    if let Some(item) = item.filter(|item| !list.contains(item)) {
        list.push(item);
    }
}

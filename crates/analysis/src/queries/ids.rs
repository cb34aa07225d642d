//! The ids that a report names.

use super::quote;
use crate::evidence::{self, Evidence};
use crate::report::Report;
use crate::sorted::distinct;

/// The ids of a report, each once and in order.
#[derive(Debug, Default)]
pub(super) struct Ids {
    /// Which families have entries.
    pub has: Has,
    /// Whose report it is.
    pub user_id: Option<String>,
    /// Of which device.
    pub device_id: Option<String>,
    /// One-time key ids of conflicts, without the algorithm.
    pub key_ids: Vec<String>,
    /// The same with it, as Synapse logs them.
    pub named_keys: Vec<String>,
    /// One-time keys that are lost or wrongly signed.
    pub one_time_keys: Vec<String>,
    /// Other users: senders and participants.
    pub peers: Vec<String>,
    /// Peers' devices by name.
    pub peer_devices: Vec<(String, String)>,
    /// Undecryptable events.
    pub event_ids: Vec<String>,
    /// The paths of the Client-Server API at which a member of the room can ask for these events.
    pub event_paths: Vec<String>,
    /// Fields that their errors name.
    pub fields: Vec<String>,
    /// Rooms of calls.
    pub call_rooms: Vec<String>,
    /// Seconds since the epoch of the first line about delayed events and of the last, by the page's clock.
    pub ke4_seconds: Option<(u64, u64)>,
    /// Delayed events.
    pub delay_ids: Vec<String>,
    /// To-device messages that were lost or delivered.
    pub message_ids: Vec<String>,
    /// Transaction ids of batches that this client sent.
    pub txn_ids: Vec<String>,
}

/// Which families have entries.
#[derive(Debug, Default)]
pub(super) struct Has {
    pub ke1: bool,
    pub ke2: bool,
    pub ke3: bool,
    pub ke4: bool,
    pub olm: bool,
}

impl Ids {
    /// Collects the ids of a report.
    pub(super) fn of(report: &Report) -> Ids {
        let mut ids = Ids { user_id: report.user_id.clone(), device_id: report.device_id.clone(), ..Ids::default() };
        for (_, entry) in report.entries() {
            if let Some(evidence) = evidence::read(entry) {
                if matches!(evidence, Evidence::Ke4(_)) && report.has_times() {
                    let at = entry.ts.0 / 1000;
                    let (first, last) = ids.ke4_seconds.unwrap_or((at, at));
                    ids.ke4_seconds = Some((first.min(at), last.max(at)));
                }
                ids.add(evidence);
            }
        }
        ids.txn_ids.extend(report.sent.iter().filter_map(|batch| batch.txnid.clone()));
        ids.in_order()
    }

    /// Each once and in order.
    fn in_order(self) -> Ids {
        Ids {
            key_ids: distinct(self.key_ids),
            named_keys: distinct(self.named_keys),
            one_time_keys: distinct(self.one_time_keys),
            peers: distinct(self.peers),
            peer_devices: distinct(self.peer_devices),
            event_ids: distinct(self.event_ids),
            event_paths: distinct(self.event_paths),
            fields: distinct(self.fields),
            call_rooms: distinct(self.call_rooms),
            delay_ids: distinct(self.delay_ids),
            message_ids: distinct(self.message_ids),
            txn_ids: distinct(self.txn_ids),
            ..self
        }
    }

    fn add(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Ke1(conflict) => {
                self.has.ke1 = true;
                if let (Some(algorithm), Some(key_id)) = (&conflict.algorithm, &conflict.key_id) {
                    self.named_keys.push(format!("{algorithm}:{key_id}"));
                }
                self.key_ids.extend(conflict.key_id);
            }
            Evidence::Ke2(line) => {
                self.has.ke2 = true;
                self.message_ids.extend(line.message_id);
                self.peers.extend(line.sender);
                if let Some(participant) = line.participant {
                    self.peers.extend(participant.user_id.clone());
                    self.peer_devices.extend(participant.user_id.zip(participant.device_id));
                }
            }
            Evidence::Ke3(event) => {
                self.has.ke3 = true;
                if let (Some(room), Some(event)) = (&event.room_id, &event.event_id)
                    && room.starts_with('!')
                    && event.starts_with('$')
                {
                    let (room, event) = (quote::url_segment(room), quote::url_segment(event));
                    self.event_paths.push(format!("/_matrix/client/v3/rooms/{room}/event/{event}"));
                }
                self.event_ids.extend(event.event_id);
                self.fields.extend(event.field);
            }
            Evidence::Ke4(line) => {
                self.has.ke4 = true;
                self.call_rooms.extend(line.room_id);
                self.delay_ids.extend(line.delay_id);
            }
            Evidence::Olm(line) => {
                self.has.olm = true;
                self.message_ids.extend(line.message_id);
                for device in line.devices {
                    self.peers.push(device.user_id.clone());
                    self.peer_devices.push((device.user_id, device.device_id));
                }
                self.one_time_keys.extend(line.one_time_key);
                self.peers.extend(line.user_id.clone());
                self.peer_devices.extend(line.user_id.zip(line.device_id));
            }
        }
    }
}

//! What bodies say: ids and public keys, nothing that is secret.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

/// What a body says. Nothing of it is secret: ids and public keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BodyFacts {
    /// `keys/upload`: whose keys, as the body or the keys' signatures say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// `keys/upload`: the one-time keys, `algorithm:id` to public key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub one_time_keys: BTreeMap<String, String>,
    /// `keys/upload`: the fallback keys, likewise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fallback_keys: BTreeMap<String, String>,
    /// `keys/upload`: the sentence of a refusal that names a one-time key. Its keys are public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// `keys/claim`: the keys that were given out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claimed: Vec<ClaimedKey>,
    /// `keys/query`: the devices' identities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// `sendToDevice`: the targets and what was sent to each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentMessage>,
    /// A sliding `sync`: the to-device position that it acknowledges.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub to_device_since: Option<String>,
    /// `sync`: to-device messages that arrived.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arrived: Vec<ArrivedMessage>,
    /// `sync` and `sendToDevice`: notices that a room key is kept back. They are not encrypted.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub withheld: Vec<WithheldKey>,
    /// Any answer: events asked for, and the fields of their content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ArrivedEvent>,
}

impl BodyFacts {
    /// Keeps the first of each list, as many as that; gives whether it had more.
    pub(super) fn bound(&mut self, most: usize) -> bool {
        fn list<T>(list: &mut Vec<T>, most: usize) -> bool {
            let more = list.len() > most;
            list.truncate(most);
            more
        }
        let mut more = false;
        for keys in [&mut self.one_time_keys, &mut self.fallback_keys] {
            more |= keys.len() > most;
            while keys.len() > most {
                keys.pop_last();
            }
        }
        more |= list(&mut self.claimed, most) | list(&mut self.devices, most) | list(&mut self.sent, most);
        more | list(&mut self.arrived, most) | list(&mut self.withheld, most) | list(&mut self.events, most)
    }
}

/// A device's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Device {
    /// The user id.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
    /// The Ed25519 key, unpadded base64.
    pub ed25519: Option<String>,
    /// The Curve25519 key, unpadded base64.
    pub curve25519: Option<String>,
}

/// A claimed key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimedKey {
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// `algorithm:id`.
    pub key_id: String,
    /// The public key.
    pub key: String,
    /// Whether it is a fallback key.
    pub fallback: bool,
}

/// A to-device message that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SentMessage {
    /// For whom.
    pub user_id: String,
    /// For which device.
    pub device_id: String,
    /// The message's id.
    pub message_id: Option<String>,
    /// The sender's Curve25519 key.
    pub sender_key: Option<String>,
    /// Of a pre-key message: the one-time key that it uses.
    pub one_time_key: Option<String>,
}

/// A to-device message that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArrivedMessage {
    /// From whom.
    pub sender: String,
    /// The outer type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The message's id.
    pub message_id: String,
}

/// A notice that a room key is kept back (`m.room_key.withheld`).
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct WithheldKey {
    /// Of one that arrived: from whom.
    pub sender: Option<String>,
    /// Of one that was sent: for whom.
    pub user_id: Option<String>,
    /// Of one that was sent: for which device.
    pub device_id: Option<String>,
    /// The room; `m.no_olm` names none.
    pub room_id: Option<String>,
    /// The Megolm session; `m.no_olm` names none.
    pub session_id: Option<String>,
    /// The Curve25519 key of the device that keeps it back.
    pub sender_key: Option<String>,
    /// Why, such as `m.unverified`.
    pub code: Option<String>,
}

/// An event that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArrivedEvent {
    /// The event's id.
    pub event_id: String,
    /// The names of its content's fields.
    pub fields: Vec<String>,
    /// Whether it says that it was redacted.
    pub redacted: bool,
}

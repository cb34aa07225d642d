//! What a verdict is about, as data: ids by which verdicts are joined to one another.

use serde::{Deserialize, Serialize};

/// A device by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Device {
    /// The user id.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
}

impl Device {
    /// A device by its user's id and its own.
    pub fn new(user_id: &str, device_id: &str) -> Self {
        Device { user_id: user_id.to_owned(), device_id: device_id.to_owned() }
    }

    /// Whether these are its ids.
    pub fn is(&self, user_id: Option<&str>, device_id: Option<&str>) -> bool {
        (user_id, device_id) == (Some(&*self.user_id), Some(&*self.device_id))
    }

    /// `@alice:localhost/HQBJQUNFIQ`, as verdicts are about it.
    pub fn label(&self) -> String {
        format!("{}/{}", self.user_id, self.device_id)
    }
}

/// The ids that a verdict is about. All are verbatim and may be hostile: show them as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Subject {
    /// The device that suffers, or whose keys they are.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// The other side: the sender of a message, the participant who is not heard.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer: Option<Device>,
    /// The peer's user id, where its device is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub peer_user_id: Option<String>,
    /// A report, by its artefact's name: the verdict is about the page that made it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<String>,
    /// One-time keys' ids with their algorithm, such as `signed_curve25519:AAAAAAAAADQ`.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub key_ids: Vec<String>,
    /// Public one-time keys in unpadded base64.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub one_time_keys: Vec<String>,
    /// To-device messages, by message id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub message_ids: Vec<String>,
    /// Events.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub event_ids: Vec<String>,
    /// A room, which stands for the call in it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub room_id: Option<String>,
    /// A participant of a call as the media server names it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub participant: Option<String>,
    /// The index of a media key.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_index: Option<u64>,
}

impl Subject {
    /// The same without the ids of keys, messages and events: what a storm over many of them has in common.
    pub(crate) fn of_storm(&self) -> Subject {
        let (key_ids, one_time_keys, message_ids, event_ids) = Default::default();
        Subject { key_ids, one_time_keys, message_ids, event_ids, ..self.clone() }
    }

    /// The same with the first of its keys, messages and events alone: by this it is known again, however many a storm has.
    #[cfg(feature = "artefacts")]
    pub(crate) fn leading(&self) -> Subject {
        let mut leading = self.clone();
        let Subject { key_ids, one_time_keys, message_ids, event_ids, .. } = &mut leading;
        [key_ids, one_time_keys, message_ids, event_ids].into_iter().for_each(|ids| ids.truncate(1));
        leading
    }

    /// Adds the keys, messages and events of another one.
    pub(crate) fn extend(&mut self, other: Subject) {
        let lists = [
            (&mut self.key_ids, other.key_ids),
            (&mut self.one_time_keys, other.one_time_keys),
            (&mut self.message_ids, other.message_ids),
            (&mut self.event_ids, other.event_ids),
        ];
        for (list, added) in lists {
            for id in added {
                if !list.contains(&id) {
                    list.push(id);
                }
            }
        }
    }
}

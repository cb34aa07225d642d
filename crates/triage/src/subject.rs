//! What a verdict is about, as data: ids by which verdicts are joined to one another.

use serde::Serialize;

/// A device by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
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

    /// `@alice:localhost/HQBJQUNFIQ`, as verdicts are about it.
    pub fn label(&self) -> String {
        format!("{}/{}", self.user_id, self.device_id)
    }
}

/// The ids that a verdict is about. All are verbatim and may be hostile: show them as text.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
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
    /// A one-time key's id with its algorithm, such as `signed_curve25519:AAAAAAAAADQ`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub key_id: Option<String>,
    /// A public one-time key in unpadded base64.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub one_time_key: Option<String>,
    /// To-device messages, by message id.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub message_ids: Vec<String>,
    /// An event.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub event_id: Option<String>,
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

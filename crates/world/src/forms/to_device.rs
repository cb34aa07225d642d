//! To-device messages in the bodies of requests, as matrix-js-sdk and Synapse write them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;

use super::Device;

/// One encrypted message.
#[derive(Clone, Debug)]
pub struct Message<'a> {
    /// The sender's user.
    pub sender: &'a str,
    /// The sender's Curve25519 key.
    pub sender_key: &'a str,
    /// The device that it is for.
    pub target: Device,
    /// That device's Curve25519 key.
    pub target_key: &'a str,
    /// The ciphertext.
    pub body: &'a str,
    /// 0 for a message that begins a session, 1 for one within it.
    pub kind: u8,
    /// The message's id.
    pub id: &'a str,
}

impl Message<'_> {
    fn content(&self) -> String {
        let Message { sender_key, target_key, body, kind, id, .. } = self;
        format!(
            "{{\"algorithm\":\"m.olm.v1.curve25519-aes-sha2\",\"ciphertext\":{{\"{target_key}\":{{\"body\":\"{body}\",\"type\":{kind}}}}},\"org.matrix.msgid\":\"{id}\",\"sender_key\":\"{sender_key}\"}}"
        )
    }
}

/// The ciphertext of a message that begins a session: version 3, then the one-time key that it uses as field 1, then what no reader looks
/// at.
pub fn first_body(one_time_key: &str) -> String {
    let key = STANDARD_NO_PAD.decode(one_time_key).expect("a public key in base64");
    STANDARD_NO_PAD.encode([&[3, 0x0a, 32], &key[..], &[0x12, 32], &[7; 32], &[0x1a, 32], &[8; 32]].concat())
}

/// The address of claims of one-time keys.
pub const CLAIM: &str = "/_matrix/client/v3/keys/claim";

/// The body of a claim of a device's one-time key.
pub fn claim(of: Device) -> String {
    let Device { user, id } = of;
    format!("{{\"one_time_keys\":{{\"{user}\":{{\"{id}\":\"signed_curve25519\"}}}},\"timeout\":10000}}")
}

/// The answer to it.
pub fn claimed(of: Device, key_id: &str, key: &str) -> String {
    let Device { user, id } = of;
    format!(
        "{{\"one_time_keys\":{{\"{user}\":{{\"{id}\":{{\"signed_curve25519:{key_id}\":{key}}}}}}},\"failures\":{{}}}}"
    )
}

/// The address that a batch is sent to.
pub fn target(txn_id: &str) -> String {
    format!("/_matrix/client/v3/sendToDevice/m.room.encrypted/{txn_id}")
}

/// The body of a batch. Each message is for another user.
pub fn batch(messages: &[Message<'_>]) -> String {
    let one = |message: &Message<'_>| {
        let Device { user, id } = message.target;
        format!("\"{user}\":{{\"{id}\":{}}}", message.content())
    };
    format!("{{\"messages\":{{{}}}}}", messages.iter().map(one).collect::<Vec<_>>().join(","))
}

/// The answer to a request for news that has nothing but to-device messages.
pub fn news(next_batch: &str, messages: &[Message<'_>]) -> String {
    let one = |message: &Message<'_>| {
        format!("{{\"content\":{},\"type\":\"m.room.encrypted\",\"sender\":\"{}\"}}", message.content(), message.sender)
    };
    let events = messages.iter().map(one).collect::<Vec<_>>().join(",");
    let to_device =
        if messages.is_empty() { String::new() } else { format!("\"to_device\":{{\"events\":[{events}]}},") };
    format!(
        "{{\"next_batch\":\"{next_batch}\",{to_device}\"device_one_time_keys_count\":{{\"signed_curve25519\":50}},\"device_unused_fallback_key_types\":[\"signed_curve25519\"]}}"
    )
}

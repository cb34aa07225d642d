//! Encrypted events of a room, as Synapse stores and serves them.

use serde_json::{Value, json};

/// The fields of an encrypted event's content; a field that is `None` is not there.
#[derive(Clone, Debug, Default)]
pub struct Content<'a> {
    /// `algorithm`.
    pub algorithm: Option<&'a str>,
    /// `ciphertext`.
    pub ciphertext: Option<&'a str>,
    /// `device_id`.
    pub device_id: Option<&'a str>,
    /// `sender_key`.
    pub sender_key: Option<&'a str>,
    /// `session_id`.
    pub session_id: Option<&'a str>,
}

impl Content<'_> {
    /// The content, its fields in the order of their names, as matrix-js-sdk sends them.
    pub fn json(&self) -> Value {
        let fields = [
            ("algorithm", self.algorithm),
            ("ciphertext", self.ciphertext),
            ("device_id", self.device_id),
            ("sender_key", self.sender_key),
            ("session_id", self.session_id),
        ];
        fields.into_iter().filter_map(|(name, value)| Some((name.to_owned(), json!(value?)))).collect()
    }
}

/// An event.
#[derive(Clone, Debug)]
pub struct Event<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its sender.
    pub sender: &'a str,
    /// `origin_server_ts`, in milliseconds since the epoch.
    pub sent: i64,
    /// Its content.
    pub content: Content<'a>,
}

/// The reason for an event's content to be empty, in what Synapse serves of it: the redaction, by its id.
pub type RedactedBy<'a> = Option<&'a str>;

/// An event as an answer brings it, so many milliseconds after it was sent.
pub fn served(event: &Event<'_>, age: i64, redacted: RedactedBy<'_>) -> String {
    let because = redacted.map_or_else(String::new, |id| {
        let redaction = json!({"type": "m.room.redaction", "sender": event.sender, "event_id": id,
                               "redacts": event.id, "content": {"redacts": event.id}, "origin_server_ts": event.sent});
        format!(",\"redacted_because\":{redaction}")
    });
    format!(
        "{{\"unsigned\":{{\"age\":{age},\"membership\":\"join\"{because}}},\"content\":{},\"origin_server_ts\":{},\"sender\":\"{}\",\"type\":\"m.room.encrypted\",\"event_id\":\"{}\"}}",
        event.content.json(),
        event.sent,
        event.sender,
        event.id
    )
}

/// A notice of a sender that it keeps a room key back, by a user and a device; with a code and what it stands for.
pub fn withheld(
    (sender, device): (&str, &str),
    room: &str,
    session: &str,
    sender_key: &str,
    (code, reason): (&str, &str),
) -> String {
    let content = json!({"algorithm": "m.megolm.v1.aes-sha2", "code": code, "from_device": device, "reason": reason,
                         "room_id": room, "sender_key": sender_key, "session_id": session});
    format!("{{\"content\":{content},\"type\":\"m.room_key.withheld\",\"sender\":\"{sender}\"}}")
}

/// The answer to a request for news: the room's events, and messages to the device.
pub fn news(next_batch: &str, prev_batch: &str, room: &str, events: &[String], to_device: &[String]) -> String {
    let listed = |name: &str, list: &[String]| match list {
        [] => String::new(),
        list => format!("\"{name}\":{{\"events\":[{}]}},", list.join(",")),
    };
    let rooms = match events {
        [] => String::new(),
        events => format!(
            ",\"rooms\":{{\"join\":{{\"{room}\":{{\"timeline\":{{\"events\":[{}],\"prev_batch\":\"{prev_batch}\",\"limited\":false}},\"state\":{{\"events\":[]}},\"account_data\":{{\"events\":[]}},\"ephemeral\":{{\"events\":[]}},\"unread_notifications\":{{\"notification_count\":{},\"highlight_count\":0}},\"summary\":{{}}}}}}}}",
            events.join(","),
            events.len()
        ),
    };
    format!(
        "{{\"next_batch\":\"{next_batch}\",{}\"device_one_time_keys_count\":{{\"signed_curve25519\":249}},\"device_unused_fallback_key_types\":[\"signed_curve25519\"]{rooms}}}",
        listed("to_device", to_device)
    )
}

/// The answer to a request for a room's history.
pub fn history(from: &str, to: &str, events: &[String]) -> String {
    format!("{{\"chunk\":[{}],\"start\":\"{from}\",\"end\":\"{to}\"}}", events.join(","))
}

/// The event's row in the database.
pub fn row(event: &Event<'_>, room: &str, stored: &Content<'_>, redacted_by: RedactedBy<'_>, rewritten: bool) -> Value {
    json!({"event_id": event.id, "type": "m.room.encrypted", "sender": event.sender, "room_id": room,
           "origin_server_ts": event.sent, "algorithm": stored.algorithm, "content": stored.json(),
           "redacted_by": redacted_by, "have_censored": redacted_by.map(|_| rewritten)})
}

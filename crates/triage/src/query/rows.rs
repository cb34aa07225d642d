//! Rows by what they are about.

use serde_json::Value;

use super::{QueryResults, ROWS_MAX, Row, Table};
use crate::har::identity;
use crate::problem::{Place, Problems};
use crate::stamp::{plausible, read_iso};

/// A row of `e2e_one_time_keys_json`.
#[derive(Clone, Debug, PartialEq)]
pub struct OneTimeKeyRow {
    /// Where it stands.
    pub place: Place,
    /// Whose, if the query asked for it.
    pub user_id: Option<String>,
    /// Of which device, likewise.
    pub device_id: Option<String>,
    /// The algorithm.
    pub algorithm: Option<String>,
    /// The id, without the algorithm.
    pub key_id: String,
    /// When the server got it, by its clock, in milliseconds since the epoch.
    pub ts_added_ms: Option<i64>,
    /// The public key.
    pub key: Option<String>,
    /// The signed key, for the check of its signature.
    pub object: Option<Value>,
}

/// A row of `e2e_fallback_keys_json`.
#[derive(Clone, Debug, PartialEq)]
pub struct FallbackKeyRow {
    /// Where it stands.
    pub place: Place,
    /// Whose.
    pub user_id: Option<String>,
    /// Of which device.
    pub device_id: Option<String>,
    /// The id, without the algorithm.
    pub key_id: String,
    /// Whether it was given out.
    pub used: bool,
    /// When the table was read, in milliseconds since the epoch, by the server's clock.
    pub read_at: Option<i64>,
    /// The public key.
    pub key: Option<String>,
}

/// A row of `e2e_device_keys_json`.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceKeysRow {
    /// Where it stands.
    pub place: Place,
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// When the server got them, in milliseconds since the epoch, by its clock.
    pub ts_added_ms: Option<i64>,
    /// When the table was read, by the same clock.
    pub read_at: Option<i64>,
    /// The Ed25519 key, unpadded base64.
    pub ed25519: Option<String>,
    /// The Curve25519 key, unpadded base64.
    pub curve25519: Option<String>,
}

/// A row of `devices`.
#[derive(Clone, Debug, PartialEq)]
pub struct DeviceRow {
    /// Where it stands.
    pub place: Place,
    /// Whose.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
    /// A cross-signing key in the guise of a device.
    pub hidden: bool,
    /// Whether it is a dehydrated device; `None` if the query did not ask.
    pub dehydrated: Option<bool>,
}

/// A row of `device_inbox`, or a count of them.
#[derive(Clone, Debug, PartialEq)]
pub struct InboxRow {
    /// Where it stands.
    pub place: Place,
    /// When it was asked, in milliseconds since the epoch, by the server's clock.
    pub at: Option<i64>,
    /// Whose, if the query asked for it.
    pub user_id: Option<String>,
    /// Of which device, likewise.
    pub device_id: Option<String>,
    /// Messages: 1 for a row of its own.
    pub count: u64,
    /// The lowest position.
    pub first_stream_id: Option<i64>,
    /// The highest.
    pub last_stream_id: Option<i64>,
    /// The message's id, of a row of its own.
    pub message_id: Option<String>,
    /// The sender, likewise.
    pub sender: Option<String>,
    /// Whether the device is dehydrated; `None` if the query did not ask.
    pub dehydrated: Option<bool>,
}

/// How many one-time keys a device has left.
#[derive(Clone, Debug, PartialEq)]
pub struct KeyCountRow {
    /// Where it stands.
    pub place: Place,
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// One-time keys that are left.
    pub one_time_keys: u64,
    /// Whether the fallback key was given out; `None` if there is none. Of several, whether all were.
    pub fallback_used: Option<bool>,
    /// When it was counted, in milliseconds since the epoch, by the server's clock.
    pub at: Option<i64>,
}

/// A stored event.
#[derive(Clone, Debug, PartialEq)]
pub struct EventRow {
    /// Where it stands.
    pub place: Place,
    /// The event's id.
    pub event_id: String,
    /// The names of its content's fields, if the query gave them all.
    pub fields: Option<Vec<String>>,
    /// Its content's `sender_key`, a public key, if the query gave it and it is a text.
    pub sender_key: Option<String>,
    /// Single fields that the query asked about.
    pub asked: Vec<(String, bool)>,
    /// Whether the query asked for redactions at all.
    pub knows_redaction: bool,
    /// Whether it was redacted.
    pub redacted: bool,
    /// Whether Synapse has rewritten what it stored since.
    pub censored: Option<bool>,
}

impl EventRow {
    /// Whether the content has a field; `None` if the query does not tell.
    pub fn has(&self, field: &str) -> Option<bool> {
        match &self.fields {
            Some(fields) => Some(fields.iter().any(|name| name == field)),
            None => self.asked.iter().find(|(name, _)| name == field).map(|found| found.1),
        }
    }
}

/// A number, also as a text, or a time as psql prints `timestamptz`.
pub(super) fn integer(value: &Value) -> Option<i64> {
    match value {
        Value::Number(number) => number.as_i64().or_else(|| number.as_f64().map(|number| number as i64)),
        Value::String(text) => text.trim().parse().ok().or_else(|| ungrouped(text.trim())).or_else(|| {
            let padded = pad_zone(text.trim());
            read_iso(padded.as_bytes()).filter(|found| found.0.has_zone).map(|found| found.0.ms)
        }),
        _ => None,
    }
}

/// A number whose digits are in groups of three, as psql prints it with `\pset numericlocale on`: `1.795.425.879.123`.
fn ungrouped(text: &str) -> Option<i64> {
    let mark = text.chars().find(|character| !character.is_ascii_digit())?;
    let is_mark = matches!(mark, '.' | ',' | '\'' | '’' | ' ' | '\u{a0}' | '\u{202f}');
    let mut groups = text.split(mark);
    let first = groups.next().filter(|first| is_mark && (1..=3).contains(&first.len()))?;
    let digits = |group: &str| group.bytes().all(|byte| byte.is_ascii_digit());
    let plain = groups.clone().all(|group| group.len() == 3 && digits(group)) && digits(first);
    plain.then(|| text.replace(mark, "").parse().ok())?
}

/// PostgreSQL prints a zone of whole hours as `+00`.
fn pad_zone(text: &str) -> String {
    let short = text.len() > 3 && matches!(text.as_bytes()[text.len() - 3], b'+' | b'-');
    if short { format!("{text}:00") } else { text.to_owned() }
}

fn text(row: &Row, name: &str) -> Option<String> {
    match row.get(name)? {
        Value::String(text) if !text.is_empty() => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        _ => None,
    }
}

fn flag(row: &Row, name: &str) -> Option<bool> {
    match row.get(name)? {
        Value::Bool(flag) => Some(*flag),
        Value::Number(number) => number.as_i64().map(|number| number != 0),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "t" | "true" | "1" => Some(true),
            "f" | "false" | "0" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

fn number(row: &Row, name: &str) -> Option<i64> {
    row.get(name).and_then(integer)
}

fn object(row: &Row, name: &str) -> Option<Value> {
    match row.get(name)? {
        Value::String(text) => serde_json::from_str(text).ok(),
        object @ Value::Object(_) => Some(object.clone()),
        _ => None,
    }
}

/// What a query of that name is about, for those that gave no rows.
fn is_about(name: Option<&str>, word: &str) -> bool {
    name.is_some_and(|name| name.replace('-', "_").contains(word))
}

/// Sorts the rows of a table.
pub(super) fn sort(table: &Table, results: &mut QueryResults, problems: &mut Problems) {
    let label = table.name.clone().unwrap_or_else(|| "unnamed table".to_owned());
    let name = table.name.as_deref();
    let columns = |row: &Row, wanted: &[&str]| wanted.iter().all(|column| row.contains_key(*column));
    let (mut unknown, mut left_out) = (0, 0);
    for (index, row) in table.rows.iter().enumerate() {
        let place = Place::Row { table: label.clone(), row: index as u64 + 1 };
        let kept = if columns(row, &["event_id"]) {
            event(row, place).map(|event| keep(&mut results.events, event))
        } else if columns(row, &["kind", "key_id"]) {
            if row["kind"] == "fallback" {
                fallback_key(row, table, place).map(|key| keep(&mut results.fallback_keys, key))
            } else {
                one_time_key(row, table, place).map(|key| keep(&mut results.one_time_keys, key))
            }
        } else if columns(row, &["key_id", "used"]) {
            fallback_key(row, table, place).map(|key| keep(&mut results.fallback_keys, key))
        } else if columns(row, &["key_id"]) {
            one_time_key(row, table, place).map(|key| keep(&mut results.one_time_keys, key))
        } else if columns(row, &["stream_id"]) || columns(row, &["pending"]) {
            inbox(row, table, place).map(|row| keep(&mut results.inbox, row))
        } else if columns(row, &["device_id", "one_time_keys"]) {
            key_count(row, table, place).map(|count| keep(&mut results.key_counts, count))
        } else if columns(row, &["device_id", "hidden"]) || columns(row, &["device_id", "last_seen"]) {
            device(row, table, place).map(|device| keep(&mut results.devices, device))
        } else if columns(row, &["device_id"]) && (columns(row, &["key_json"]) || columns(row, &["ed25519"])) {
            device_keys(row, table, place).map(|keys| keep(&mut results.device_keys, keys))
        } else {
            // A count by algorithm, a delayed event, a stream's position: known to the runbook, not needed here.
            let is_known = ["count", "delay_id", "newest_stream_id"].iter().any(|column| row.contains_key(*column));
            is_known.then_some(true)
        };
        unknown += u64::from(kept.is_none());
        left_out += u64::from(kept == Some(false));
    }
    if left_out > 0 {
        let what = format!("{left_out} rows are more than the {ROWS_MAX} that are kept of a kind; left out");
        problems.add(Place::Row { table: label.clone(), row: ROWS_MAX as u64 + 1 }, what);
    }
    if unknown > 0 {
        let place = Place::Row { table: label, row: 1 };
        problems.add(place, format!("{unknown} rows have columns that are not known; left out"));
    }
    if table.left_out > 0 {
        let place = Place::Row { table: table.name.clone().unwrap_or_default(), row: table.rows.len() as u64 };
        let what = format!("{} rows are left out of it on purpose; nothing follows from their absence", table.left_out);
        problems.add(place, what);
        return;
    }
    let about_inbox = is_about(name, "inbox")
        || is_about(name, "backlog")
        || table.rows.iter().any(|row| row.contains_key("stream_id") || row.contains_key("pending"));
    if about_inbox {
        // `device_inbox` lists a user's devices that have rows; `ke2-inbox` lists one device's.
        for user_id in table.params.iter().filter(|param| param.starts_with('@')) {
            let device_id = table.params.iter().find(|param| !param.starts_with('@')).cloned();
            results.inbox_of.push((user_id.clone(), device_id, table.at));
        }
    }
    if name == Some("one_time_keys") {
        let users = table.params.iter().filter(|param| param.starts_with('@'));
        results.one_time_keys_of.extend(users.map(|user_id| (user_id.clone(), table.at)));
    }
    if name == Some("devices") {
        let users = table.params.iter().filter(|param| param.starts_with('@'));
        results.devices_of.extend(users.map(|user_id| (user_id.clone(), table.at)));
    }
}

/// Keeps a row, unless there are too many.
fn keep<T>(list: &mut Vec<T>, row: T) -> bool {
    let few = list.len() < ROWS_MAX;
    if few {
        list.push(row);
    }
    few
}

/// The user that was asked about, if it is one.
fn asked_user(table: &Table) -> Option<String> {
    let mut users = table.params.iter().filter(|param| param.starts_with('@'));
    users.next().filter(|_| users.next().is_none()).cloned()
}

/// The device that was asked about, in a query of one.
fn asked_device(table: &Table) -> Option<String> {
    table.params.get(1).filter(|param| !param.starts_with('@') && asked_user(table).is_some()).cloned()
}

fn key_count(row: &Row, table: &Table, place: Place) -> Option<KeyCountRow> {
    Some(KeyCountRow {
        place,
        user_id: text(row, "user_id")?,
        device_id: text(row, "device_id")?,
        one_time_keys: u64::try_from(number(row, "one_time_keys")?).ok()?,
        fallback_used: text(row, "fallback_keys").map(|words| words.split(' ').all(|word| word == "used")),
        at: table.at.and_then(plausible),
    })
}

fn one_time_key(row: &Row, table: &Table, place: Place) -> Option<OneTimeKeyRow> {
    let object = object(row, "key_json");
    let key = object.as_ref().and_then(|object| object.get("key")?.as_str().map(str::to_owned));
    Some(OneTimeKeyRow {
        place,
        user_id: text(row, "user_id").or_else(|| asked_user(table)),
        device_id: text(row, "device_id").or_else(|| asked_device(table)),
        algorithm: text(row, "algorithm"),
        key_id: text(row, "key_id")?,
        ts_added_ms: number(row, "ts_added_ms").and_then(plausible),
        key: key.or_else(|| text(row, "public_key")),
        object,
    })
}

fn fallback_key(row: &Row, table: &Table, place: Place) -> Option<FallbackKeyRow> {
    let object = object(row, "key_json");
    let key = object.as_ref().and_then(|object| object.get("key")?.as_str().map(str::to_owned));
    Some(FallbackKeyRow {
        place,
        user_id: text(row, "user_id").or_else(|| asked_user(table)),
        device_id: text(row, "device_id").or_else(|| asked_device(table)),
        key_id: text(row, "key_id")?,
        used: flag(row, "used")?,
        read_at: table.at.and_then(plausible),
        key: key.or_else(|| text(row, "public_key")),
    })
}

fn device_keys(row: &Row, table: &Table, place: Place) -> Option<DeviceKeysRow> {
    let device = object(row, "key_json").as_ref().and_then(identity);
    let named = |name: &str| text(row, name);
    Some(DeviceKeysRow {
        place,
        user_id: named("user_id").or_else(|| device.as_ref().map(|device| device.user_id.clone()))?,
        device_id: named("device_id")?,
        ts_added_ms: number(row, "ts_added_ms").and_then(plausible),
        read_at: table.at.and_then(plausible),
        ed25519: named("ed25519").or_else(|| device.as_ref()?.ed25519.clone()),
        curve25519: named("curve25519").or_else(|| device.as_ref()?.curve25519.clone()),
    })
}

fn device(row: &Row, table: &Table, place: Place) -> Option<DeviceRow> {
    let asked = || table.params.iter().find(|param| param.starts_with('@')).cloned();
    Some(DeviceRow {
        place,
        user_id: text(row, "user_id").or_else(asked)?,
        device_id: text(row, "device_id")?,
        hidden: flag(row, "hidden").unwrap_or(false),
        dehydrated: flag(row, "dehydrated"),
    })
}

fn inbox(row: &Row, table: &Table, place: Place) -> Option<InboxRow> {
    let stream_id = number(row, "stream_id");
    let asked_user = table.params.iter().find(|param| param.starts_with('@')).cloned();
    let asked_device = table.params.iter().find(|param| !param.starts_with('@')).cloned();
    Some(InboxRow {
        place,
        at: number(row, "at").or(table.at).and_then(plausible),
        user_id: text(row, "user_id").or(asked_user),
        device_id: text(row, "device_id").or(asked_device),
        count: match number(row, "pending") {
            Some(pending) => u64::try_from(pending).ok()?,
            None => 1,
        },
        first_stream_id: number(row, "first_stream_id").or(stream_id),
        last_stream_id: number(row, "last_stream_id").or(stream_id),
        message_id: text(row, "message_id"),
        sender: text(row, "sender"),
        dehydrated: flag(row, "dehydrated"),
    })
}

fn event(row: &Row, place: Place) -> Option<EventRow> {
    let within = object(row, "content").and_then(|content| Some(content.get("sender_key")?.as_str()?.to_owned()));
    let content =
        object(row, "content").and_then(|content| Some(content.as_object()?.keys().cloned().collect::<Vec<_>>()));
    let listed = row.get("content_fields").map(|fields| match fields {
        Value::String(fields) => fields.split_whitespace().map(str::to_owned).collect(),
        Value::Array(fields) => fields.iter().filter_map(Value::as_str).map(str::to_owned).collect(),
        _ => Vec::new(),
    });
    let mut asked: Vec<(String, bool)> = object(row, "named_fields_present")
        .and_then(|fields| {
            Some(
                fields.as_object()?.iter().filter_map(|(name, there)| Some((name.clone(), there.as_bool()?))).collect(),
            )
        })
        .unwrap_or_default();
    if let Some(algorithm) = row.get("algorithm") {
        asked.push(("algorithm".to_owned(), !algorithm.is_null()));
    }
    Some(EventRow {
        place,
        event_id: text(row, "event_id")?,
        fields: content.or(listed),
        sender_key: within.or_else(|| text(row, "sender_key")),
        asked,
        knows_redaction: row.contains_key("redacted_by") || row.contains_key("have_censored"),
        redacted: text(row, "redacted_by").is_some(),
        censored: flag(row, "have_censored"),
    })
}

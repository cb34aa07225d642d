//! Reduces stored objects to what goes into a bundle: public facts, never contents.

use serde_json::{Map, Value, json};

use super::engine::Row;
use super::olm::PreKeyHeader;

/// Characters of an id or a name at most; Matrix allows 255 bytes.
const TEXT_MAX: usize = 255;

/// What is kept of a waiting to-device message, instead of `message_json`. What it says stays on the server.
pub(super) fn message(row: &mut Row) {
    let stored = take_object(row, "message_json");
    let stored = stored.unwrap_or_default();
    let content = stored.get("content").and_then(Value::as_object);
    let within = |name: &str| content.and_then(|content| text(content.get(name)));
    row.insert("type".into(), text(stored.get("type")).into());
    row.insert("sender".into(), text(stored.get("sender")).into());
    row.insert("message_id".into(), within("org.matrix.msgid").into());
    row.insert("algorithm".into(), within("algorithm").into());
    row.insert("sender_key".into(), within("sender_key").into());
    let ciphertexts = content.and_then(|content| content.get("ciphertext")?.as_object());
    // One per receiving key; a device's inbox gets its own alone.
    let Some((_, ciphertext)) = ciphertexts.filter(|all| all.len() == 1).and_then(|all| all.iter().next()) else {
        return;
    };
    let kind = ciphertext.get("type").and_then(Value::as_u64);
    row.insert("ciphertext_type".into(), kind.into());
    if let (Some(0), Some(body)) = (kind, ciphertext.get("body").and_then(Value::as_str))
        && let Some(header) = PreKeyHeader::read(body)
    {
        row.insert("one_time_key".into(), header.one_time_key.into());
        row.insert("base_key".into(), header.base_key.into());
        row.insert("identity_key".into(), header.identity_key.into());
    }
}

/// What is kept of an event, instead of its JSON: the algorithm, the public key of its sender's device, and the names of its content's
/// fields.
pub(crate) fn event(row: &mut Row) {
    let stored = take_object(row, "json");
    let content = stored.as_ref().and_then(|stored| stored.get("content")?.as_object());
    let fields = content.map(|content| content.keys().cloned().collect::<Vec<String>>());
    // The list of fields also names a field whose value is not a text.
    row.insert("algorithm".into(), content.and_then(|content| text(content.get("algorithm"))).into());
    if let Some(key) = content.and_then(|content| text(content.get("sender_key"))) {
        row.insert("sender_key".into(), key.into());
    }
    match fields {
        Some(fields) => row.insert("content_fields".into(), json!(fields)),
        // The event was not read, so leave the column out: null would mean that the event has no algorithm.
        None => row.remove("algorithm"),
    };
}

/// A key as its device signed it, without `unsigned`, which is not signed and may hold the device's name.
pub(crate) fn key(row: &mut Row) {
    let Some(stored) = row.get("key_json").and_then(Value::as_str) else { return };
    let Ok(Value::Object(mut object)) = serde_json::from_str::<Value>(stored) else {
        row.insert("key_json".into(), Value::Null);
        return;
    };
    // If there is no `unsigned`, the text stays verbatim: parsing and writing it again might change the bytes that were signed.
    if object.remove("unsigned").is_some() {
        row.insert("key_json".into(), Value::Object(object));
    }
}

fn take_object(row: &mut Row, name: &str) -> Option<Map<String, Value>> {
    match serde_json::from_str(row.remove(name)?.as_str()?) {
        Ok(Value::Object(object)) => Some(object),
        _ => None,
    }
}

fn text(value: Option<&Value>) -> Option<String> {
    value?.as_str().filter(|text| text.len() <= TEXT_MAX).map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn row(name: &str, value: impl Into<Value>) -> Row {
        Row::from_iter([(name.to_owned(), value.into())])
    }

    #[test]
    fn a_pre_key_message_keeps_its_header_and_nothing_of_what_it_says() {
        let stored = include_str!("testdata/prekey-message.json");
        let body = serde_json::from_str::<Value>(stored).unwrap();
        let ciphertext = body["content"]["ciphertext"].as_object().unwrap().values().next().unwrap()["body"].clone();
        let mut row = row("message_json", stored);
        message(&mut row);
        let kept = Value::Object(row);
        assert_eq!(kept["type"], "m.room.encrypted");
        assert_eq!(kept["sender"], "@bob-14:localhost");
        assert_eq!(kept["message_id"], "f0306e819eab4dc2a537a4a42f1c97c9");
        assert_eq!(kept["sender_key"], "bmvIXrVWAqe/ObBmUwXuxslYNrMM6NMi4DDOMfoWBxs");
        assert_eq!(kept["ciphertext_type"], 0);
        assert_eq!(kept["one_time_key"], "1uteSnHORIJMrUuHqwowBGu4g2OSgvBbFIz1skiaJ3E");
        let tail = &ciphertext.as_str().unwrap()[200..];
        assert!(!kept.to_string().contains(tail) && kept.to_string().len() < 600, "{kept}");
    }

    #[test]
    fn a_plain_message_keeps_its_type_and_sender_alone() {
        let stored = r#"{"type":"m.secret.send","sender":"@a:h","content":{"secret":"hush","request_id":"r"}}"#;
        let mut row = row("message_json", stored);
        message(&mut row);
        assert_eq!(row["type"], "m.secret.send");
        assert!(!Value::Object(row).to_string().contains("hush"));
    }

    #[test]
    fn an_event_keeps_the_names_of_its_fields() {
        let stored = r#"{"type":"m.room.encrypted","content":{"ciphertext":"secret","session_id":"s"}}"#;
        let mut row = row("json", stored);
        event(&mut row);
        assert_eq!(Value::Object(row), json!({"algorithm": null, "content_fields": ["ciphertext", "session_id"]}));
    }

    #[test]
    fn an_event_that_cannot_be_read_says_nothing_of_its_fields() {
        for stored in ["", "null", "{\"content\":3}", "{\"content\":{\"algorithm\":"] {
            let mut row = row("json", stored);
            event(&mut row);
            assert!(row.is_empty(), "{stored}: {row:?}");
        }
    }

    #[test]
    fn a_key_stays_as_it_was_signed_and_loses_what_is_not() {
        let signed = r#"{"key":"a", "signatures":{}}"#;
        let mut verbatim = row("key_json", signed);
        key(&mut verbatim);
        assert_eq!(verbatim["key_json"], signed);
        let mut named = row("key_json", r#"{"keys":{},"unsigned":{"device_display_name":"Anna's phone"}}"#);
        key(&mut named);
        assert_eq!(named["key_json"], json!({"keys": {}}));
    }

    proptest! {
        #[test]
        fn any_stored_message_is_reduced_without_a_panic(stored in ".{0,300}") {
            for (name, reduce) in [("message_json", message as fn(&mut Row)), ("json", event), ("key_json", key)] {
                let mut row = row(name, stored.clone());
                reduce(&mut row);
            }
        }
    }
}

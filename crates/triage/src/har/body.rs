//! What the bodies of a few routes say.

use std::collections::BTreeMap;

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use crypto_diag_analysis::evidence::ke1;
use serde_json::Value;

use super::facts::{ArrivedEvent, ArrivedMessage, BodyFacts, ClaimedKey, Device, SentMessage, WithheldKey};
use super::{HarOptions, IDS_MAX};
use crate::synapse_log::Route;
use crate::unpack::parse as parse_json;

pub(super) fn decode(bytes: Vec<u8>, encoding: Option<&str>) -> Vec<u8> {
    if encoding == Some("base64") { STANDARD.decode(&bytes).unwrap_or(bytes) } else { bytes }
}

/// What bodies say, and whether that is all of it.
#[derive(Default)]
pub(super) struct Read {
    pub facts: Option<BodyFacts>,
    /// Whether one of them ends in the middle.
    pub cut: bool,
    /// Whether they say more than is kept.
    pub long: bool,
}

pub(super) fn facts(path: &str, request: Option<&[u8]>, answer: Option<&[u8]>, options: &HarOptions) -> Read {
    let mut read = Read::default();
    // A body is JSON of its own, with half pairs of its own. Anything else, a gateway's page, is no body of these routes.
    let mut parse = |bytes: Option<&[u8]>| -> Option<Value> {
        let bytes = bytes.filter(|bytes| matches!(bytes.trim_ascii_start().first(), Some(b'{' | b'[')))?;
        match parse_json(bytes) {
            Ok(value) => Some(value),
            Err(error) => {
                read.cut |= error.is_eof();
                None
            }
        }
    };
    let mut facts = BodyFacts::default();
    match Route::of(path) {
        Route::KeysUpload => {
            if let Some(body) = parse(request) {
                upload(&body, &mut facts);
            }
            let error = parse(answer).and_then(|answer| Some(answer.get("error")?.as_str()?.to_owned()));
            facts.refusal = error.filter(|error| ke1::read(error).is_some());
        }
        Route::KeysClaim => drop(parse(answer).map(|body| claimed(&body, &mut facts))),
        Route::KeysQuery => drop(parse(answer).map(|body| queried(&body, &mut facts))),
        Route::SendToDevice => drop(parse(request).map(|body| sent(&body, is_withheld(path), &mut facts))),
        Route::Sync | Route::Other | Route::DelayedEvent => {
            let asked = parse(request);
            facts.to_device_since =
                asked.as_ref().and_then(|body| text(body.get("extensions")?.get("to_device")?, "since"));
            let has =
                |words: &str| answer.is_some_and(|answer| memchr::memmem::find(answer, words.as_bytes()).is_some());
            let events = options.event_ids.iter().any(|id| has(id));
            // Whether a body is whole matters only where it would say something, had it been.
            let is_sync = Route::of(path) == Route::Sync;
            if (events || is_sync)
                && let Some(body) = parse(answer)
            {
                arrived(&body, &mut facts);
                if events {
                    walk(&body, options, &mut facts.events, 0);
                }
            }
        }
    }
    read.long = facts.bound(IDS_MAX);
    read.facts = Some(facts);
    read
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn objects(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten()
}

fn upload(body: &Value, facts: &mut BodyFacts) {
    let keys = |name: &str| -> BTreeMap<String, String> {
        objects(body.get(name)).filter_map(|(id, key)| Some((id.clone(), text(key, "key")?))).collect()
    };
    facts.one_time_keys = keys("one_time_keys");
    facts.fallback_keys = keys("fallback_keys");
    facts.device = body.get("device_keys").and_then(identity).or_else(|| {
        // Who signed the keys: all name the one user and device.
        let signed =
            objects(body.get("one_time_keys")).chain(objects(body.get("fallback_keys"))).map(|(_, key)| key).next()?;
        let (user_id, signatures) = objects(signed.get("signatures")).next()?;
        let device_id = signatures.as_object()?.keys().next()?.strip_prefix("ed25519:")?;
        Some(Device { user_id: user_id.clone(), device_id: device_id.to_owned(), ..Device::default() })
    });
}

/// A device's identity out of its `device_keys` object.
pub(crate) fn identity(keys: &Value) -> Option<Device> {
    let device_id = text(keys, "device_id")?;
    let key = |algorithm: &str| keys.get("keys")?.get(format!("{algorithm}:{device_id}"))?.as_str().map(str::to_owned);
    Some(Device { user_id: text(keys, "user_id")?, ed25519: key("ed25519"), curve25519: key("curve25519"), device_id })
}

fn claimed(body: &Value, facts: &mut BodyFacts) {
    for (user_id, devices) in objects(body.get("one_time_keys")) {
        for (device_id, keys) in objects(Some(devices)) {
            for (key_id, key) in objects(Some(keys)) {
                if let Some(public) = text(key, "key") {
                    let fallback = key.get("fallback").and_then(Value::as_bool).unwrap_or(false);
                    facts.claimed.push(ClaimedKey {
                        user_id: user_id.clone(),
                        device_id: device_id.clone(),
                        key_id: key_id.clone(),
                        key: public,
                        fallback,
                    });
                }
            }
        }
    }
}

fn queried(body: &Value, facts: &mut BodyFacts) {
    let devices = objects(body.get("device_keys")).flat_map(|(_, devices)| objects(Some(devices)));
    facts.devices = devices.filter_map(|(_, keys)| identity(keys)).collect();
}

/// Whether a type, or a path with one, is that of a notice that a room key is kept back, under its name of today or of before.
fn is_withheld(name: &str) -> bool {
    name.contains("room_key.withheld")
}

fn withheld(content: &Value) -> WithheldKey {
    WithheldKey {
        room_id: text(content, "room_id"),
        session_id: text(content, "session_id"),
        sender_key: text(content, "sender_key"),
        code: text(content, "code"),
        ..WithheldKey::default()
    }
}

fn sent(body: &Value, is_withheld: bool, facts: &mut BodyFacts) {
    for (user_id, devices) in objects(body.get("messages")) {
        for (device_id, content) in objects(Some(devices)) {
            if is_withheld {
                let target = (Some(user_id.clone()), Some(device_id.clone()));
                facts.withheld.push(WithheldKey { user_id: target.0, device_id: target.1, ..withheld(content) });
            }
            let ciphertext = objects(content.get("ciphertext")).map(|(_, message)| message).next();
            facts.sent.push(SentMessage {
                user_id: user_id.clone(),
                device_id: device_id.clone(),
                message_id: text(content, "org.matrix.msgid"),
                sender_key: text(content, "sender_key"),
                one_time_key: ciphertext.and_then(one_time_key),
            });
        }
    }
}

/// The one-time key in the header of a pre-key message: bytes 3 to 35 of the body of type 0.
pub(super) fn one_time_key(message: &Value) -> Option<String> {
    if message.get("type")?.as_u64()? != 0 {
        return None;
    }
    let body = STANDARD_NO_PAD.decode(message.get("body")?.as_str()?.trim_end_matches('=')).ok()?;
    // Version 3, then field 1 (tag 0x0a) of 32 bytes.
    (body.get(..3)? == [3, 0x0a, 32]).then(|| body.get(3..35).map(|key| STANDARD_NO_PAD.encode(key)))?
}

fn arrived(body: &Value, facts: &mut BodyFacts) {
    // A sliding sync has them among its extensions.
    let places = [body.get("to_device"), body.get("extensions").and_then(|extensions| extensions.get("to_device"))];
    let events = places.into_iter().flatten().filter_map(|place| place.get("events")?.as_array());
    for event in events.flatten() {
        let content = event.get("content");
        if let (Some(sender), Some(content)) = (text(event, "sender"), content)
            && text(event, "type").is_some_and(|name| is_withheld(&name))
        {
            facts.withheld.push(WithheldKey { sender: Some(sender), ..withheld(content) });
        }
        let message_id = content.and_then(|content| text(content, "org.matrix.msgid"));
        if let (Some(sender), Some(event_type), Some(message_id)) =
            (text(event, "sender"), text(event, "type"), message_id)
        {
            facts.arrived.push(ArrivedMessage { sender, event_type, message_id });
        }
    }
}

/// Finds the events asked for, wherever they stand.
fn walk(value: &Value, options: &HarOptions, found: &mut Vec<ArrivedEvent>, depth: u8) {
    if depth > 24 || found.len() > IDS_MAX {
        return;
    }
    match value {
        Value::Object(map) => {
            let event_id = map.get("event_id").and_then(Value::as_str).filter(|id| options.event_ids.contains(*id));
            if let (Some(event_id), Some(content)) = (event_id, map.get("content").and_then(Value::as_object)) {
                let redacted = map.get("unsigned").is_some_and(|unsigned| unsigned.get("redacted_because").is_some());
                let fields = content.keys().take(64).cloned().collect();
                found.push(ArrivedEvent { event_id: event_id.to_owned(), fields, redacted });
            }
            map.values().for_each(|value| walk(value, options, found, depth + 1));
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, options, found, depth + 1)),
        _ => {}
    }
}

//! OLM: one-to-one sessions that could not be made or used; the middle box of the runbook's causality diagram.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde::Serialize;
use serde_json::{Map, Value, json};

use super::field::{after, group, key, number, quoted};
use super::ke1::SignedKey;

pub use crypto_diag_core::OlmKind;

/// A device by name.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct DeviceName {
    /// The user id.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
}

/// The facts of a line about an Olm session.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Olm {
    /// What the line says.
    pub kind: OlmKind,
    /// The peer's user id.
    pub user_id: Option<String>,
    /// The peer's device id; a receiver's line has none.
    pub device_id: Option<String>,
    /// The peers' devices, where the line names several.
    pub devices: Vec<DeviceName>,
    /// The peer's Curve25519 identity key.
    pub sender_key: Option<String>,
    /// The one-time key that is missing or wrongly signed.
    pub one_time_key: Option<String>,
    /// The pre-key message's base key.
    pub base_key: Option<String>,
    /// The Olm session's id: the same id with a rising chain index is one failed handshake.
    pub session_id: Option<String>,
    /// The message's number in its chain.
    pub chain_index: Option<u64>,
    /// The message's id, which the sender's console shows, too.
    pub message_id: Option<String>,
    /// The error's name, such as `MissingOneTimeKey` or `InvalidSignature`.
    pub cause: Option<String>,
    /// Of a wrong signature: the Ed25519 key that the sender holds for the device's.
    pub signing_key: Option<String>,
    /// Of a wrong signature: the one-time key's signature and who is said to have made it.
    pub signed: Option<SignedKey>,
    /// Of a refused update: the Ed25519 key known so far.
    pub known_signing_key: Option<String>,
    /// Of a refused update: the Ed25519 key that the server now gives.
    pub new_signing_key: Option<String>,
}

static MISSING: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"MissingOneTimeKey\(\\?"(?:curve25519:)?([A-Za-z0-9+/]{43})"#)
        .expect("a constant that the tests compile")
});

static INBOUND: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"from a pre-key message: (?:InboundCreation\()?([A-Z][A-Za-z]+)")
        .expect("a constant that the tests compile")
});

/// One signature of `SignedKey`'s debug form.
static SIGNATURE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"Signatures\(\{"([^"\\]+)": \{"([^"\\]+)": Ok\(Ed25519\("(?:ed25519:)?([A-Za-z0-9+/]{86})"\)\)\}\}\), fallback: (None|Some\((?:Some\()?(true|false)\)?\)), other: \{\}"#,
    )
    .expect("a constant that the tests compile")
});

static SIGNING_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"signing_key: Some\("(?:ed25519:)?([A-Za-z0-9+/]{43})"\)"#).expect("a constant that the tests compile")
});

static CHANGED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"SigningKeyChanged\((?:None|Some\("(?:ed25519:)?([^"]+)"\)), (?:None|Some\("(?:ed25519:)?([^"]+)"\))\)"#,
    )
    .expect("a constant that the tests compile")
});

/// A user's devices in the debug form of a map of sets or lists.
static DEVICES_OF_USER: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""(@[^"\\]+)": [{\[]([^}\]]*)[}\]]"#).expect("a constant that the tests compile"));

static QUOTED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r#""([^"\\]+)""#).expect("a constant that the tests compile"));

static ERRCODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(M_[A-Z][A-Z_]{2,})\b").expect("a constant that the tests compile"));

/// A JavaScript error's name.
static ERROR_NAME: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"crypto layer ([A-Z][A-Za-z]+)\b").expect("a constant that the tests compile"));

/// matrix-js-sdk, `encryptToDeviceMessages`. A device id has no colon; a server's name may end in one and a port.
static TARGET: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"unknown device (@\S+):([^\s:]+)").expect("a constant that the tests compile"));

/// Reads a line about an Olm session of a kind.
pub(super) fn read(kind: OlmKind, line: &str) -> Olm {
    let own = |name: &str| quoted(line, name).map(str::to_owned);
    let public = |name: &str| quoted(line, name).and_then(key);
    let mut facts = Olm {
        kind,
        user_id: own("sender").or_else(|| own("user_id")),
        device_id: own("device_id"),
        devices: Vec::new(),
        sender_key: public("sender_key"),
        one_time_key: group(&MISSING, line, 1).or_else(|| public("one_time_key")),
        base_key: public("base_key"),
        session_id: own("session_id"),
        chain_index: number(line, "chain_index"),
        message_id: own("message_id"),
        cause: cause(line, kind),
        signing_key: None,
        signed: None,
        known_signing_key: None,
        new_signing_key: None,
    };
    match kind {
        OlmKind::OutboundCreation => {
            facts.signing_key = group(&SIGNING_KEY, line, 1);
            facts.one_time_key = after(line, "one_time_key").and_then(|rest| quoted(rest, "key")).and_then(key);
            facts.signed = facts.one_time_key.as_deref().and_then(|bare| signed_key(line, bare));
        }
        OlmKind::NoOneTimeKey => facts.devices = devices(line, "missing_devices_by_user"),
        OlmKind::BadDevices => facts.devices = devices(line, "failed_devices_by_user"),
        OlmKind::TargetUnknown => facts.devices = target(line).into_iter().collect(),
        OlmKind::DeviceUpdateRejected => {
            facts.known_signing_key = group(&CHANGED, line, 1).as_deref().and_then(key);
            facts.new_signing_key = group(&CHANGED, line, 2).as_deref().and_then(key);
        }
        _ => {}
    }
    facts
}

fn devices(line: &str, field: &str) -> Vec<DeviceName> {
    let Some(map) = after(line, field).map(|map| map.split('\n').next().unwrap_or(map)) else { return Vec::new() };
    let mut devices = Vec::new();
    for user in DEVICES_OF_USER.captures_iter(map) {
        let (Some(user_id), Some(names)) = (user.get(1), user.get(2)) else { continue };
        for name in QUOTED.captures_iter(names.as_str()).filter_map(|name| name.get(1)) {
            devices.push(DeviceName { user_id: user_id.as_str().to_owned(), device_id: name.as_str().to_owned() });
        }
    }
    devices
}

fn target(line: &str) -> Option<DeviceName> {
    let found = TARGET.captures(line)?;
    Some(DeviceName { user_id: found.get(1)?.as_str().to_owned(), device_id: found.get(2)?.as_str().to_owned() })
}

fn cause(line: &str, kind: OlmKind) -> Option<String> {
    match kind {
        OlmKind::MissingOneTimeKey => Some("MissingOneTimeKey".to_owned()),
        OlmKind::InboundCreation => group(&INBOUND, line, 1),
        OlmKind::SyncNotTaken => group(&ERROR_NAME, line, 1),
        OlmKind::OutboundCreation | OlmKind::DeviceUpdateRejected | OlmKind::DeviceRejected => {
            let error = after(line, "error")?;
            let end = error.find(|character: char| !character.is_ascii_alphanumeric()).unwrap_or(error.len());
            (end > 0).then(|| error[..end].to_owned())
        }
        OlmKind::BatchDropped => group(&ERRCODE, line, 1),
        _ => None,
    }
}

/// The signed object that the debug form shows, if it shows all of it: one signature and no other fields.
fn signed_key(line: &str, bare: &str) -> Option<SignedKey> {
    let found = SIGNATURE.captures(line)?;
    let part = |index: usize| found.get(index).map(|group| group.as_str());
    let mut signature = Map::new();
    signature.insert(part(2)?.to_owned(), Value::from(part(3)?));
    let mut signatures = Map::new();
    signatures.insert(part(1)?.to_owned(), Value::Object(signature));
    let mut object = json!({ "key": bare });
    object["signatures"] = Value::Object(signatures);
    if let Some(fallback) = part(5) {
        object["fallback"] = Value::Bool(fallback == "true");
    }
    Some(SignedKey::from_object(object))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, of_line};

    fn read(line: &str) -> Option<Olm> {
        if let Some(Evidence::Olm(facts)) = of_line(line) { Some(facts) } else { None }
    }

    #[test]
    fn a_refused_update_names_both_identities() {
        let line = r#"WARN matrix_sdk_crypto::identities::manager: Rejecting device update
    user_id="@alice:localhost" device_id="ZDUDAVALPA" error=SigningKeyChanged(Some("ed25519:Zl1qx85mCv+hWeGgaXQ8EJHnzRkUf0ZA5ZOM8U3jRTI"), Some("ed25519:mCZMtESOJrWM+32qXcModIG4jXFQJkhg5IvHqtiP6D0"))
    at /x/manager.rs:279"#;
        let facts = read(line).unwrap();
        assert_eq!(facts.cause.as_deref(), Some("SigningKeyChanged"));
        assert_eq!(facts.device_id.as_deref(), Some("ZDUDAVALPA"));
        assert_eq!(facts.known_signing_key.as_deref(), Some("Zl1qx85mCv+hWeGgaXQ8EJHnzRkUf0ZA5ZOM8U3jRTI"));
        assert_eq!(facts.new_signing_key.as_deref(), Some("mCZMtESOJrWM+32qXcModIG4jXFQJkhg5IvHqtiP6D0"));
    }

    #[test]
    fn a_message_for_another_key_names_its_sender() {
        let line = r#"WARN matrix_sdk_crypto::olm::account: Olm event doesn't contain a ciphertext for our key
    in matrix_sdk_crypto::machine::receive_to_device_event with sender="@bob:localhost" event_type="m.room.encrypted" message_id="7f08""#;
        let facts = read(line).unwrap();
        assert_eq!(facts.kind, OlmKind::NotForOurKey);
        assert_eq!((facts.user_id.as_deref(), facts.message_id.as_deref()), (Some("@bob:localhost"), Some("7f08")));
    }

    #[test]
    fn other_causes_are_named() {
        let line = r#"Failed to create a new Olm session from a pre-key message: InboundCreation(MismatchedIdentityKey("curve25519:a", "curve25519:b")) in x with sender="@b:x""#;
        let facts = read(line).unwrap();
        assert_eq!((facts.kind, facts.cause.as_deref()), (OlmKind::InboundCreation, Some("MismatchedIdentityKey")));
        assert_eq!(facts.one_time_key, None);
    }

    #[test]
    fn devices_without_a_one_time_key_are_named() {
        let line = r#"WARN matrix_sdk_crypto::session_manager::sessions: Tried to create new Olm sessions, but the signed one-time key was missing for some devices
    missing_devices_by_user={"@alice:localhost": {"AAA", "BBB"}, "@bob:localhost": {"CCC"}}
    at /x/sessions.rs:406"#;
        let facts = read(line).unwrap();
        assert_eq!(facts.kind, OlmKind::NoOneTimeKey);
        let names: Vec<(&str, &str)> =
            facts.devices.iter().map(|device| (device.user_id.as_str(), device.device_id.as_str())).collect();
        assert_eq!(names, [("@alice:localhost", "AAA"), ("@alice:localhost", "BBB"), ("@bob:localhost", "CCC")]);
    }

    #[test]
    fn other_wordings_have_their_kinds() {
        for (line, kind, cause) in [
            (
                "Can't establish an Olm session with some devices due to missing Olm support or bad keys",
                OlmKind::BadDevices,
                None,
            ),
            ("Tried to create an Olm session but the device is unknown user_id=\"@a:x\"", OlmKind::UnknownDevice, None),
            ("Error while treating an unwedged device: StoreError", OlmKind::UnwedgeFailed, None),
            ("Couldn't mark device to be unwedged", OlmKind::UnwedgeFailed, None),
            (
                "Fatal error when sending to-device message - dropping to-device batch! M_TOO_LARGE: MatrixError: [413] x",
                OlmKind::BatchDropped,
                Some("M_TOO_LARGE"),
            ),
            ("Failed to decrypt a pre-key message with the corresponding session", OlmKind::PreKeyReplay, None),
            ("Failed to decrypt a non-pre-key message with all available sessions", OlmKind::NoSession, None),
        ] {
            let facts = read(line).unwrap();
            assert_eq!((facts.kind, facts.cause.as_deref()), (kind, cause), "{line}");
        }
    }

    #[test]
    fn a_signed_key_with_more_in_it_is_not_shown_whole() {
        let line = r#"Error creating Olm session user_id="@a:x" device_id="D" error=InvalidSignature { one_time_key: SignedKey { key: "curve25519:+eoD6ExAG2+yXoFsRYyXuWNDfPfmJPqcIZEDRrlP8T0", signatures: Signatures({}), fallback: None, other: {"x": 1} }, signing_key: None, error: MissingSigningKey }"#;
        let facts = read(line).unwrap();
        assert!(facts.one_time_key.is_some());
        assert_eq!((facts.signed, facts.signing_key), (None, None));
        assert_eq!(facts.cause.as_deref(), Some("InvalidSignature"));
    }
}

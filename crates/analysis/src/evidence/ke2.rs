//! KE-2: media keys of a call.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde::Serialize;

use super::field::{group, key, number, present, quoted};

/// What a KE-2 line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ke2Kind {
    /// A message of the media key type came and Olm opened it. No key index and no room are known, and the transport
    /// may drop it later.
    Delivered,
    /// A frame came whose key is not there.
    MissingKey,
    /// No key at all is there for a participant.
    KeySetNotFound,
    /// This device has no key of its own to send with.
    OwnKeyMissing,
    /// Nobody to send a key to; normal when alone in a call.
    NoTargets,
    /// A key was opened and then dropped for what it held.
    Dropped,
    /// Encrypted media came where decryption is not set up, or not yet.
    NotSetUp,
    /// A participant's media failed to decrypt so often that further errors are not printed.
    ManyErrors,
    /// A participant's media failed to decrypt, see `reason`.
    CallError,
    /// This device's own key could not be made or handed out, see `reason`.
    OwnKeyFailed,
    /// A key came, and this client was told to use none.
    KeysDisabled,
}

/// The facts of a line about media keys.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ke2 {
    /// What the line says.
    pub kind: Ke2Kind,
    /// Whose key, as LiveKit names participants; null where the line names none.
    pub participant: Option<Participant>,
    /// The index of the key in the participant's key ring, 0 to 255.
    pub key_index: Option<u64>,
    /// Of a delivery: the sender's user id.
    pub sender: Option<String>,
    /// Of a delivery: the sender's Curve25519 identity key.
    pub sender_key: Option<String>,
    /// Of a delivery: the message's id, which the sender's console shows, too.
    pub message_id: Option<String>,
    /// Of a dropped key or an error: why.
    pub reason: Option<String>,
}

/// A participant of a call.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Participant {
    /// LiveKit's identity of it, as in the line.
    pub identity: String,
    /// The user id; null where the identity is a hash, as newer memberships use.
    pub user_id: Option<String>,
    /// The device id; null likewise.
    pub device_id: Option<String>,
}

impl Participant {
    /// Reads an identity: `@user:server:DEVICE`, or anything else whole.
    ///
    /// ```
    /// use crypto_diag_analysis::evidence::ke2::Participant;
    ///
    /// let bob = Participant::read("@bob:localhost:8448:TRPQUKHAKX");
    /// assert_eq!(bob.user_id.as_deref(), Some("@bob:localhost:8448"));
    /// assert_eq!(bob.device_id.as_deref(), Some("TRPQUKHAKX"));
    /// assert_eq!(Participant::read("0Zs2qTrhrn1yQ0y").user_id, None);
    /// ```
    pub fn read(identity: &str) -> Participant {
        let parts = identity.rsplit_once(':').filter(|(user, device)| {
            user.starts_with('@') && user.contains(':') && !user.ends_with(':') && !device.is_empty()
        });
        Participant {
            identity: identity.to_owned(),
            user_id: parts.map(|(user, _)| user.to_owned()),
            device_id: parts.map(|(_, device)| device.to_owned()),
        }
    }
}

/// livekit-client, `src/e2ee/worker/FrameCryptor.ts` and `DataCryptor.ts`.
static FOR_PARTICIPANT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:for participant|for decryption of) (\S+)").expect("a constant that the tests compile")
});

/// livekit-client and element-call.
static ERRORS_FOR: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(?:decryption errors|Encryption error) for (\S+?):?(?:\s|$)")
        .expect("a constant that the tests compile")
});

/// matrix-js-sdk, `src/matrixrtc/RTCEncryptionManager.ts`.
static OVER_TRANSPORT: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"Received key over transport (\S+) at index (\d+)").expect("a constant that the tests compile")
});

/// The error behind a sentence.
static BECAUSE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(?:Encryption error for [^\n]*?:|Failed to set shared key for E2EE|Failed to rollout key) +([^\n]+)")
        .expect("a constant that the tests compile")
});

static KEY_SET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"key set not found for (\S+) at index (\d+)").expect("a constant that the tests compile")
});

static AT_INDEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"missing key at index (\d+)").expect("a constant that the tests compile"));

static MALFORMED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"Malformed Event: ([^\n]+)").expect("a constant that the tests compile"));

/// Reads a line about media keys.
pub fn read(line: &str) -> Option<Ke2> {
    let kind = kind(line)?;
    let blank = Ke2 {
        kind,
        participant: None,
        key_index: None,
        sender: None,
        sender_key: None,
        message_id: None,
        reason: None,
    };
    let identity = |name: Option<String>| name.and_then(|name| present(&name)).map(|name| Participant::read(&name));
    Some(match kind {
        Ke2Kind::Delivered => Ke2 {
            sender: quoted(line, "sender").map(str::to_owned),
            sender_key: quoted(line, "sender_key").and_then(key),
            message_id: quoted(line, "message_id").map(str::to_owned),
            ..blank
        },
        Ke2Kind::KeySetNotFound => Ke2 {
            participant: identity(group(&KEY_SET, line, 1)),
            key_index: group(&KEY_SET, line, 2).and_then(|index| index.parse().ok()),
            ..blank
        },
        Ke2Kind::MissingKey => Ke2 {
            participant: identity(group(&FOR_PARTICIPANT, line, 1)),
            key_index: group(&AT_INDEX, line, 1)
                .and_then(|index| index.parse().ok())
                .or_else(|| number(line, "keyIndex")),
            ..blank
        },
        Ke2Kind::Dropped => Ke2 { reason: group(&MALFORMED, line, 1), ..blank },
        Ke2Kind::ManyErrors => Ke2 { participant: identity(group(&ERRORS_FOR, line, 1)), ..blank },
        Ke2Kind::CallError => Ke2 {
            // "unknown participant" is nobody's name.
            participant: identity(group(&ERRORS_FOR, line, 1).filter(|name| name != "unknown")),
            reason: group(&BECAUSE, line, 1),
            ..blank
        },
        Ke2Kind::OwnKeyFailed => Ke2 { reason: group(&BECAUSE, line, 1), ..blank },
        Ke2Kind::KeysDisabled => Ke2 {
            participant: identity(group(&OVER_TRANSPORT, line, 1)),
            key_index: group(&OVER_TRANSPORT, line, 2).and_then(|index| index.parse().ok()),
            ..blank
        },
        Ke2Kind::OwnKeyMissing | Ke2Kind::NoTargets | Ke2Kind::NotSetUp => blank,
    })
}

fn kind(line: &str) -> Option<Ke2Kind> {
    let kinds = [
        ("Received an unexpected encrypted to-device event", Ke2Kind::Delivered),
        ("key set not found", Ke2Kind::KeySetNotFound),
        ("No key set found", Ke2Kind::KeySetNotFound),
        ("missing key at index", Ke2Kind::MissingKey),
        ("valid key missing for participant", Ke2Kind::MissingKey),
        ("no encryption key found for decryption", Ke2Kind::MissingKey),
        ("encryption key missing for encoding", Ke2Kind::OwnKeyMissing),
        ("No targets found for sending key", Ke2Kind::NoTargets),
        ("Malformed Event", Ke2Kind::Dropped),
        ("encryption state unknown for track", Ke2Kind::NotSetUp),
        ("no active decrypt transform", Ke2Kind::NotSetUp),
        ("Received encrypted packet but E2EE not set up", Ke2Kind::NotSetUp),
        ("Suppressing further decryption errors", Ke2Kind::ManyErrors),
        ("Failed to set shared key for E2EE", Ke2Kind::OwnKeyFailed),
        ("Failed to rollout key", Ke2Kind::OwnKeyFailed),
        ("Received key over transport", Ke2Kind::KeysDisabled),
        ("MissingKey", Ke2Kind::MissingKey),
        ("Encryption error for", Ke2Kind::CallError),
    ];
    let (_, kind) = kinds.into_iter().find(|(words, _)| line.contains(words))?;
    // The delivery's words stand before events of any type; only this one is a media key.
    let of_call = quoted(line, "event_type") == Some("io.element.call.encryption_keys");
    (kind != Ke2Kind::Delivered || of_call).then_some(kind)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_missing_key_names_participant_and_index() {
        let missing = read("CryptorError: missing key at index 3 for participant @bob:localhost:TRPQUKHAKX").unwrap();
        assert_eq!((missing.kind, missing.key_index), (Ke2Kind::MissingKey, Some(3)));
        assert_eq!(missing.participant, Some(Participant::read("@bob:localhost:TRPQUKHAKX")));

        let worker = read("skipping decryption due to missing key at index 12").unwrap();
        assert_eq!((worker.key_index, worker.participant), (Some(12), None));

        let data = read("TypeError: no encryption key found for decryption of @bob:localhost:TRPQUKHAKX").unwrap();
        assert_eq!(data.participant.unwrap().device_id.as_deref(), Some("TRPQUKHAKX"));

        let set = read("key set not found for 3hGf0a/k= at index 0").unwrap();
        assert_eq!(set.key_index, Some(0));
        assert_eq!(set.participant.unwrap().user_id, None, "a hash is nobody's user id");
    }

    #[test]
    fn an_unnamed_participant_is_null() {
        assert_eq!(read("missing key at index 3 for participant undefined").unwrap().participant, None);
    }

    #[test]
    fn the_healthy_line_of_another_type_is_no_media_key() {
        let line = r#"Received an unexpected encrypted to-device event in x with event_type="m.dummy""#;
        assert_eq!(read(line), None);
    }

    #[test]
    fn what_the_transport_drops_says_why() {
        let dropped = read("[ToDeviceKeyTransport] Malformed Event: Mismatch roomId").unwrap();
        assert_eq!(dropped.reason.as_deref(), Some("Mismatch roomId"));
    }
}

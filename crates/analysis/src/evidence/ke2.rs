//! KE-2: media keys of a call.

use std::sync::LazyLock;

use crypto_diag_core::Meaning;
use regex_lite::Regex;
use serde::Serialize;

use super::field::{group, key, number, present, quoted};

pub use crypto_diag_core::Ke2Kind;

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
    /// The room of the call, where the line names it.
    pub room_id: Option<String>,
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
    Regex::new(r"(?:Encryption error for [^\n]*?:|Failed to set shared key for E2EE|Failed to set E2EE enabled on room|Failed to rollout key) +([^\n]+)")
        .expect("a constant that the tests compile")
});

static KEY_SET: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"key set not found for (\S+) at index (\d+)").expect("a constant that the tests compile")
});

static AT_INDEX: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"missing key at index (\d+)").expect("a constant that the tests compile"));

static MALFORMED: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"Malformed Event: ([^\n]+)").expect("a constant that the tests compile"));

/// element-call, `src/e2ee/matrixKeyProvider.ts`. A newer version names no room, an older one no hash.
static NOT_IMPORTED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"for livekit (?:room=(\S+) )?participantId(?: before hash)?=(\S+) encryptionKeyIndex=(\d+)")
        .expect("a constant that the tests compile")
});

/// Reads a line about media keys of a kind.
pub(super) fn read(kind: Ke2Kind, meaning: Meaning, line: &str) -> Option<Ke2> {
    let blank = Ke2 {
        kind,
        participant: None,
        key_index: None,
        sender: None,
        sender_key: None,
        message_id: None,
        reason: None,
        room_id: None,
    };
    let identity = |name: Option<String>| name.and_then(|name| present(&name)).map(|name| Participant::read(&name));
    let index = |regex: &Regex, at| group(regex, line, at).and_then(|index| index.parse().ok());
    Some(match kind {
        Ke2Kind::Delivered => {
            // The delivery's words stand before events of any type; only this one is a media key.
            let of_call = quoted(line, "event_type") == Some("io.element.call.encryption_keys");
            if meaning != Meaning::Delivered || !of_call {
                return None;
            }
            Ke2 {
                sender: quoted(line, "sender").map(str::to_owned),
                sender_key: quoted(line, "sender_key").and_then(key),
                message_id: quoted(line, "message_id").map(str::to_owned),
                ..blank
            }
        }
        Ke2Kind::KeySetNotFound => {
            Ke2 { participant: identity(group(&KEY_SET, line, 1)), key_index: index(&KEY_SET, 2), ..blank }
        }
        Ke2Kind::MissingKey | Ke2Kind::WrongKey => Ke2 {
            participant: identity(group(&FOR_PARTICIPANT, line, 1)),
            key_index: index(&AT_INDEX, 1).or_else(|| number(line, "keyIndex")),
            ..blank
        },
        Ke2Kind::KeyNotImported => Ke2 {
            participant: identity(group(&NOT_IMPORTED, line, 2)),
            key_index: index(&NOT_IMPORTED, 3),
            room_id: group(&NOT_IMPORTED, line, 1).and_then(|room| present(&room)),
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
        Ke2Kind::OwnKeyFailed | Ke2Kind::EncryptionNotEnabled => Ke2 { reason: group(&BECAUSE, line, 1), ..blank },
        Ke2Kind::KeysDisabled => Ke2 {
            participant: identity(group(&OVER_TRANSPORT, line, 1)),
            key_index: index(&OVER_TRANSPORT, 2),
            ..blank
        },
        Ke2Kind::OwnKeyMissing | Ke2Kind::NoTargets | Ke2Kind::NotSetUp => blank,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, of_line};

    fn read(line: &str) -> Option<Ke2> {
        if let Some(Evidence::Ke2(facts)) = of_line(line) { Some(facts) } else { None }
    }

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
    fn a_key_that_is_refused_names_participant_index_and_room() {
        let line = "Failed to create key material from buffer for livekit room=!r:m.example.io participantId before hash=@farid:hs.example.com:WBFBKNPGOF encryptionKeyIndex=3 OperationError";
        let refused = read(line).unwrap();
        assert_eq!(refused.participant, Some(Participant::read("@farid:hs.example.com:WBFBKNPGOF")));
        assert_eq!((refused.key_index, refused.room_id.as_deref()), (Some(3), Some("!r:m.example.io")));
        let newer = "Failed to create key material from buffer for livekit participantId=0Zs2qTrhrn1yQ0y encryptionKeyIndex=0 x";
        assert_eq!(read(newer).unwrap().participant, Some(Participant::read("0Zs2qTrhrn1yQ0y")));
    }

    #[test]
    fn what_the_transport_drops_says_why() {
        let dropped = read("[ToDeviceKeyTransport] Malformed Event: Mismatch roomId").unwrap();
        assert_eq!(dropped.reason.as_deref(), Some("Mismatch roomId"));
    }
}

//! KE-1: the server refused a one-time key, since it holds another one under that id.

use std::sync::LazyLock;

use base64::Engine;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use regex_lite::Regex;
use serde::Serialize;
use serde_json::Value;

use super::field::{group, key};
use crate::literal;

/// The facts of a refused one-time key upload.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ke1 {
    /// `signed_curve25519`; null in Synapse's wording of 2017.
    pub algorithm: Option<String>,
    /// The key's id, without the algorithm.
    pub key_id: Option<String>,
    /// The number that the id stands for, where it is a counter of 4 or 8 bytes, big-endian, in base64.
    pub counter: Option<u64>,
    /// The key that the server holds (`Old key`).
    pub server_key: Option<SignedKey>,
    /// The key that this client wanted to publish (`new key`).
    pub client_key: Option<SignedKey>,
    /// Whose keys they are: as the signatures say, or Dendrite's sentence.
    pub user_id: Option<String>,
    /// Of which device; null where the signing key's id may be a public key instead.
    pub device_id: Option<String>,
}

/// A published key, as far as the line shows it.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct SignedKey {
    /// The Curve25519 public key in unpadded base64; null where it was shortened or redacted.
    pub key: Option<String>,
    /// Whether it is a fallback key; null where the object was not read whole.
    pub fallback: Option<bool>,
    /// Who signed it.
    pub signed_by: Vec<Signer>,
    /// The whole object, for the signature's check.
    #[serde(skip)]
    pub object: Option<Value>,
}

/// One signature's name.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Signer {
    /// The user id.
    pub user_id: String,
    /// The signing key's id, such as `ed25519:DEVICE`.
    pub key_id: String,
    /// The device in that id; null if it has the form of a public key, as cross-signing keys and dehydrated devices do.
    pub device_id: Option<String>,
}

/// Synapse, conduit's family and Dendrite: `<algorithm>:<key id> [one-time key ]already exists`.
static NAMED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"\b((?:signed_)?curve25519):([^\s:"'`\\]+)\s+(?:one-time\s+key\s+)?already\s+exists"#)
        .expect("a constant that the tests compile")
});

/// Synapse before 0.21 (2017; riot-android 1208).
static WITH_KEY_ID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"One\s+time\s+key\s+with\s+key_id\s+u?\\?['"]([^'"\\\s]+)\\?['"]\s+already\s+exists"#)
        .expect("a constant that the tests compile")
});

/// Dendrite, `userapi/internal/key_api.go`: user and device come first, no keys follow.
static DENDRITE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"(@\S+)\s+device\s+(\S+):\s+algorithm\s+/\s+key\s+ID\s").expect("a constant that the tests compile")
});

/// The public key of an object that is cut off behind it.
static BARE_KEY: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"^\s*\{\\*["']key\\*["']\s*:\s*\\*["']([A-Za-z0-9+/]{43})\\*["']"#)
        .expect("a constant that the tests compile")
});

/// Reads a conflict's line.
pub fn read(line: &str) -> Option<Ke1> {
    let mut conflict = match NAMED.captures(line) {
        Some(found) => Ke1 { algorithm: text(&found, 1), key_id: text(&found, 2), ..Ke1::default() },
        None => Ke1 { key_id: Some(group(&WITH_KEY_ID, line, 1)?), ..Ke1::default() },
    };
    conflict.counter = conflict.key_id.as_deref().and_then(counter);
    let old = line.split_once("Old key:").map(|(_, rest)| rest);
    let new = old.and_then(|rest| rest.split_once("new key:")).map(|(_, rest)| rest);
    conflict.server_key = old.and_then(signed_key);
    conflict.client_key = new.and_then(signed_key);
    if let Some(found) = DENDRITE.captures(line) {
        conflict.user_id = text(&found, 1);
        conflict.device_id = text(&found, 2);
    } else if let Some(Signer { user_id, device_id, .. }) = only_signer(&conflict).cloned() {
        conflict.user_id = Some(user_id);
        conflict.device_id = device_id;
    }
    Some(conflict)
}

fn text(found: &regex_lite::Captures<'_>, index: usize) -> Option<String> {
    found.get(index).map(|group| group.as_str().to_owned())
}

/// The signer, if both keys name one and the same.
fn only_signer(conflict: &Ke1) -> Option<&Signer> {
    let keys = [&conflict.server_key, &conflict.client_key];
    let mut signers = keys.into_iter().flatten().flat_map(|key| &key.signed_by);
    let first = signers.next()?;
    signers.all(|signer| signer == first).then_some(first)
}

/// Reads a key object that a text starts with, or its public key alone if the rest is not there.
fn signed_key(text: &str) -> Option<SignedKey> {
    match literal::object(text) {
        Some(object) => Some(SignedKey::from_object(object)),
        None => group(&BARE_KEY, text, 1).map(|bare| SignedKey { key: key(&bare), ..SignedKey::default() }),
    }
}

impl SignedKey {
    /// The key that an object describes, as `/keys/upload` and `/keys/claim` carry it.
    pub fn from_object(object: Value) -> SignedKey {
        let users = object.get("signatures").and_then(Value::as_object);
        let mut signed_by = Vec::new();
        for (user_id, signatures) in users.into_iter().flatten() {
            for key_id in signatures.as_object().into_iter().flat_map(|signatures| signatures.keys()) {
                let device_id = key_id.strip_prefix("ed25519:").filter(|id| key(id).is_none()).map(str::to_owned);
                signed_by.push(Signer { user_id: user_id.clone(), key_id: key_id.clone(), device_id });
            }
        }
        SignedKey {
            key: object.get("key").and_then(Value::as_str).and_then(key),
            fallback: Some(object.get("fallback").and_then(Value::as_bool).unwrap_or(false)),
            signed_by,
            object: Some(object),
        }
    }
}

const UNPADDED: GeneralPurpose = GeneralPurpose::new(
    &base64::alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// The number of a key id: vodozemac counts in 8 bytes, libolm in 4, both big-endian. Other lengths are no counters.
///
/// ```
/// use crypto_diag_analysis::evidence::ke1::counter;
///
/// assert_eq!(counter("AAAAAAAAADQ"), Some(52));
/// assert_eq!(counter("AAAA2Q"), Some(0xd9));
/// assert_eq!(counter("hello"), None);
/// ```
pub fn counter(key_id: &str) -> Option<u64> {
    let bytes = UNPADDED.decode(key_id).ok()?;
    match bytes.len() {
        4 | 8 => Some(bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";

    #[test]
    fn the_forms_of_other_servers_and_times() {
        let short = read("M_INVALID_PARAM: signed_curve25519:AAAAAAAAAA0 already exists").unwrap();
        assert_eq!((short.key_id.as_deref(), short.counter), (Some("AAAAAAAAAA0"), Some(13)));
        assert_eq!(short.server_key, None);

        let dendrite = "[400] @hispabot:example.org device HRNsLRF9: algorithm / key ID signed_curve25519:AAAMHA one-time key already exists";
        let dendrite = read(dendrite).unwrap();
        assert_eq!(dendrite.user_id.as_deref(), Some("@hispabot:example.org"));
        assert_eq!(dendrite.device_id.as_deref(), Some("HRNsLRF9"));
        assert_eq!(dendrite.key_id.as_deref(), Some("AAAMHA"));

        let early = read("failed One time key with key_id 'AAAA2Q' already exists").unwrap();
        assert_eq!((early.algorithm, early.counter), (None, Some(217)));
    }

    #[test]
    fn a_line_that_ends_early_gives_what_it_has() {
        let line =
            format!(r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{"key":"{KEY}","signatu"#);
        let conflict = read(&line).unwrap();
        let server = conflict.server_key.unwrap();
        assert_eq!(server.key.as_deref(), Some(KEY));
        assert_eq!((server.object, server.fallback), (None, None));
        assert_eq!((conflict.client_key, conflict.user_id), (None, None));
    }

    #[test]
    fn a_signing_key_id_that_may_be_a_public_key_names_no_device() {
        let line = format!(
            r#"message: "One time key signed_curve25519:AAAAAAAAAUM already exists. Old key: {{\"key\":\"{KEY}\",\"signatures\":{{\"@x:x.org\":{{\"ed25519:sPojQN8l8QrkRI4Dnus+aJS7e/k3kUeRY177rdrlaAw\":\"vi\"}}}}}}; new key: {{'key': 'WDaBVLDrQJVTAtY1H8kHP06q9Mkjqpp9nmWQuNbNrFo', 'signatures': {{}}}}"#
        );
        let conflict = read(&line).unwrap();
        assert_eq!(conflict.server_key.unwrap().key.as_deref(), Some(KEY));
        assert!(conflict.client_key.unwrap().key.is_some());
        assert_eq!((conflict.user_id.as_deref(), conflict.device_id), (Some("@x:x.org"), None));
    }

    #[test]
    fn a_key_that_its_owner_removed_is_null() {
        let conflict =
            read(r#"signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"[redacted]"}; new"#).unwrap();
        assert_eq!(conflict.server_key.unwrap().key, None);
    }

    #[test]
    fn other_things_that_exist_are_no_conflicts() {
        assert_eq!(read("keys/upload: the object store sessions already exists"), None);
    }
}

//! Identity keys and one-time keys with their signatures, by small numbers: the same number gives the same key.

use std::collections::HashMap;
use std::sync::{Mutex, OnceLock};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD_NO_PAD, URL_SAFE_NO_PAD};
use ed25519_dalek::{Signer, SigningKey};

use super::Device;

/// 32 bytes that look like chance and depend on the number alone.
fn bytes(number: u64) -> [u8; 32] {
    let mut bytes = [0; 32];
    let mut state = number;
    for chunk in bytes.chunks_mut(8) {
        // splitmix64
        state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (state ^ (state >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        chunk.copy_from_slice(&(mixed ^ (mixed >> 31)).to_le_bytes());
    }
    bytes
}

fn signing_key(identity: u8) -> SigningKey {
    SigningKey::from_bytes(&bytes(1_000_000 + u64::from(identity)))
}

/// An identity's Ed25519 key.
pub fn ed25519(identity: u8) -> String {
    STANDARD_NO_PAD.encode(signing_key(identity).verifying_key().to_bytes())
}

/// An identity's Curve25519 key.
pub fn curve25519(identity: u8) -> String {
    STANDARD_NO_PAD.encode(bytes(2_000_000 + u64::from(identity)))
}

/// A one-time key's public half.
pub fn one_time_key(key: u8) -> String {
    STANDARD_NO_PAD.encode(bytes(3_000_000 + u64::from(key)))
}

/// A fallback key's public half.
pub fn fallback_key(identity: u8) -> String {
    STANDARD_NO_PAD.encode(bytes(4_000_000 + u64::from(identity)))
}

/// The id of a Megolm session: its public Ed25519 key.
pub fn megolm_session(number: u8) -> String {
    STANDARD_NO_PAD.encode(bytes(5_000_000 + u64::from(number)))
}

/// The id of an event of a room of version 4 or later: its hash.
pub fn event_id(number: u8) -> String {
    format!("${}", URL_SAFE_NO_PAD.encode(bytes(6_000_000 + u64::from(number))))
}

/// A counter as vodozemac prints it: `AAAAAAAAADQ` is 52.
pub fn key_id(counter: u8) -> String {
    STANDARD_NO_PAD.encode(u64::from(counter).to_be_bytes())
}

/// The signature of a text by an identity.
pub fn signature(identity: u8, text: &str) -> String {
    static SIGNED: OnceLock<Mutex<HashMap<(u8, String), String>>> = OnceLock::new();
    let mut signed = SIGNED.get_or_init(Mutex::default).lock().expect("nobody panics while signing");
    let sign = || STANDARD_NO_PAD.encode(signing_key(identity).sign(text.as_bytes()).to_bytes());
    signed.entry((identity, text.to_owned())).or_insert_with(sign).clone()
}

/// A signed key object's parts: the public key and the signature in the device's name.
#[derive(Clone, Debug)]
pub struct SignedKey {
    /// Base64.
    pub key: String,
    /// Base64.
    pub signature: String,
    /// The signer's user.
    pub user: String,
    /// The signer's device.
    pub device: String,
}

impl SignedKey {
    /// A one-time key that an identity signed for its device.
    pub fn one_time(device: Device, identity: u8, key: u8) -> SignedKey {
        let key = one_time_key(key);
        let signature = signature(identity, &format!("{{\"key\":\"{key}\"}}"));
        SignedKey { key, signature, user: device.user.to_owned(), device: device.id.to_owned() }
    }

    /// As canonical JSON has it.
    pub fn json(&self) -> String {
        let SignedKey { key, signature, user, device } = self;
        format!("{{\"key\":\"{key}\",\"signatures\":{{\"{user}\":{{\"ed25519:{device}\":\"{signature}\"}}}}}}")
    }

    /// As Python prints a dictionary.
    pub fn python(&self) -> String {
        let SignedKey { key, signature, user, device } = self;
        format!("{{'key': '{key}', 'signatures': {{'{user}': {{'ed25519:{device}': '{signature}'}}}}}}")
    }
}

/// The fallback key's object.
pub fn fallback_json(device: Device, identity: u8) -> String {
    fallback_json_of(device, identity, &fallback_key(identity))
}

/// The object of a fallback key that a device had once.
pub fn fallback_json_of(device: Device, identity: u8, key: &str) -> String {
    let signature = signature(identity, &format!("{{\"fallback\":true,\"key\":\"{key}\"}}"));
    let Device { user, id } = device;
    format!(
        "{{\"fallback\":true,\"key\":\"{key}\",\"signatures\":{{\"{user}\":{{\"ed25519:{id}\":\"{signature}\"}}}}}}"
    )
}

/// The device's identity keys as it uploads them.
pub fn device_keys_json(device: Device, identity: u8) -> String {
    let Device { user, id } = device;
    let head = format!(
        "\"algorithms\":[\"m.olm.v1.curve25519-aes-sha2\",\"m.megolm.v1.aes-sha2\"],\"device_id\":\"{id}\",\"keys\":{{\"curve25519:{id}\":\"{}\",\"ed25519:{id}\":\"{}\"}}",
        curve25519(identity),
        ed25519(identity)
    );
    let signature = signature(identity, &format!("{{{head},\"user_id\":\"{user}\"}}"));
    format!("{{{head},\"signatures\":{{\"{user}\":{{\"ed25519:{id}\":\"{signature}\"}}}},\"user_id\":\"{user}\"}}")
}

/// The body of an upload of one one-time key, under an id; with the device's identity and its fallback key, or without.
pub fn upload_body(device: Device, identity: u8, with_identity: bool, (id, key): (&str, &SignedKey)) -> String {
    let (device_keys, fallback) = if with_identity {
        (
            format!("\"device_keys\":{},", device_keys_json(device, identity)),
            format!("\"signed_curve25519:AAAAAAAAAAA\":{}", fallback_json(device, identity)),
        )
    } else {
        (String::new(), String::new())
    };
    format!(
        "{{{device_keys}\"fallback_keys\":{{{fallback}}},\"one_time_keys\":{{\"signed_curve25519:{id}\":{}}}}}",
        key.json()
    )
}

/// Synapse's sentence when an upload offers another key under an id that it holds.
pub fn already_exists(key_id: &str, held: &SignedKey, offered: &SignedKey) -> String {
    format!(
        "One time key signed_curve25519:{key_id} already exists. Old key: {}; new key: {}",
        held.json(),
        offered.python()
    )
}

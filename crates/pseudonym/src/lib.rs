//! Pseudonyms of Matrix ids: equal ids have equal ones under one key, and nobody without the key can tell whose they are.
//!
//! A pseudonym is the first 120 bits of HMAC-SHA-256 over the kind of the id and the id, in 24 letters of base32. Ids of two kinds never
//! share one, so that a room is not taken for an event. A key that is thrown away leaves the pseudonyms anonymous; two deployments
//! with keys of their own cannot join what they hold.
//!
//! Where an operator has to undo them, a [`Dictionary`] has pseudonyms of the same form as the ids, so that all readers of artefacts
//! read them as before.
//!
//! ```
//! use crypto_diag_pseudonym::{Key, Kind};
//!
//! let key = Key::new(&[7; 32]).unwrap();
//! let alice = key.of(Kind::Account, "@alice:example.org");
//! assert_eq!(alice, key.of(Kind::Account, "@alice:example.org"));
//! assert_ne!(alice, key.of(Kind::Room, "@alice:example.org"));
//! assert_ne!(alice, Key::new(&[8; 32]).unwrap().of(Kind::Account, "@alice:example.org"));
//! assert_eq!(alice.as_str().len(), 24);
//! ```

mod dictionary;
mod names;

use std::fmt;
use std::str::FromStr;

use hmac::{Hmac, KeyInit, Mac};
use serde::{Serialize, Serializer};
use sha2::Sha256;

pub use dictionary::{Dictionary, Replacing, Unusable};
pub use names::{Names, Part};

/// Bytes that a key has at least: as many as HMAC-SHA-256 gives.
pub const KEY_BYTES_MIN: usize = 32;

/// Bytes of the digest that a pseudonym shows: 120 bits, so that among 10^12 ids two share one with a chance of 4 in 10^13.
const SHOWN_BYTES: usize = 15;

/// Letters of a pseudonym: five bits each.
const LETTERS: usize = SHOWN_BYTES * 8 / 5;

/// Base32 of RFC 4648 in lower case.
const ALPHABET: &[u8; 32] = b"abcdefghijklmnopqrstuvwxyz234567";

/// What an id names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// A user id.
    Account,
    /// A device of a user: both ids.
    Device,
    /// The name of a homeserver.
    Homeserver,
    /// A room.
    Room,
    /// An event.
    Event,
    /// A to-device message.
    Message,
    /// A Megolm session.
    Session,
    /// A public one-time key.
    OneTimeKey,
    /// A device's Curve25519 identity key.
    Curve25519,
    /// A participant of a call, as the media server names it.
    Participant,
    /// A whole report, by its bytes.
    Report,
    /// A server's log, which is known by the line of its first request.
    Log,
}

impl Kind {
    /// The word that stands in front of the id under the HMAC, and in rows.
    pub fn word(self) -> &'static str {
        match self {
            Kind::Account => "account",
            Kind::Device => "device",
            Kind::Homeserver => "homeserver",
            Kind::Room => "room",
            Kind::Event => "event",
            Kind::Message => "message",
            Kind::Session => "session",
            Kind::OneTimeKey => "one-time-key",
            Kind::Curve25519 => "curve25519",
            Kind::Participant => "participant",
            Kind::Report => "report",
            Kind::Log => "log",
        }
    }
}

/// The key of a deployment. It is never printed.
#[derive(Clone)]
pub struct Key(Hmac<Sha256>);

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Key(…)")
    }
}

/// A key has fewer than [`KEY_BYTES_MIN`] bytes, so that it could be guessed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ShortKey {
    /// How many it has.
    pub bytes: usize,
}

impl fmt::Display for ShortKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the key has {} bytes, and needs {KEY_BYTES_MIN}", self.bytes)
    }
}

impl std::error::Error for ShortKey {}

impl Key {
    /// A key of random bytes, as they are or as text; white space at the end does not count.
    ///
    /// # Errors
    /// If there are too few.
    pub fn new(bytes: &[u8]) -> Result<Key, ShortKey> {
        let bytes = bytes.trim_ascii_end();
        let short = ShortKey { bytes: bytes.len() };
        if bytes.len() < KEY_BYTES_MIN {
            return Err(short);
        }
        // HMAC takes keys of any length.
        Hmac::new_from_slice(bytes).map(Key).map_err(|_| short)
    }

    /// The pseudonym of an id.
    pub fn of(&self, kind: Kind, id: &str) -> Pseudonym {
        let mut hashing = self.begin(kind);
        hashing.update(id.as_bytes());
        hashing.end()
    }

    /// The pseudonym of something that comes piece by piece.
    pub fn begin(&self, kind: Kind) -> Hashing {
        let mut mac = self.0.clone();
        mac.update(kind.word().as_bytes());
        // No kind's word holds it, so that no kind and id run together as another kind and id do.
        mac.update(&[0]);
        Hashing(mac)
    }
}

/// A pseudonym that is being made.
pub struct Hashing(Hmac<Sha256>);

impl fmt::Debug for Hashing {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Hashing(…)")
    }
}

impl Hashing {
    /// Takes a piece.
    pub fn update(&mut self, bytes: &[u8]) {
        self.0.update(bytes);
    }

    /// The pseudonym of all pieces.
    pub fn end(self) -> Pseudonym {
        let digest = self.0.finalize().into_bytes();
        let mut letters = [b'a'; LETTERS];
        for (group, out) in digest[..SHOWN_BYTES].chunks_exact(5).zip(letters.chunks_exact_mut(8)) {
            let bits = group.iter().fold(0_u64, |bits, byte| bits << 8 | u64::from(*byte));
            for (place, letter) in (0..8).rev().zip(out) {
                *letter = ALPHABET[(bits >> (place * 5) & 31) as usize];
            }
        }
        Pseudonym(letters)
    }
}

/// 24 letters that stand for an id.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Pseudonym([u8; LETTERS]);

impl Pseudonym {
    /// The letters.
    pub fn as_str(&self) -> &str {
        // Letters of the alphabet are ASCII.
        std::str::from_utf8(&self.0).unwrap_or_default()
    }
}

impl FromStr for Pseudonym {
    type Err = NoPseudonym;

    /// Reads one that was printed.
    fn from_str(text: &str) -> Result<Pseudonym, NoPseudonym> {
        let letters: [u8; LETTERS] = text.as_bytes().try_into().map_err(|_| NoPseudonym)?;
        if letters.iter().all(|letter| ALPHABET.contains(letter)) { Ok(Pseudonym(letters)) } else { Err(NoPseudonym) }
    }
}

/// A text is no pseudonym.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoPseudonym;

impl fmt::Display for NoPseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "a pseudonym has {LETTERS} letters of base32 in lower case")
    }
}

impl std::error::Error for NoPseudonym {}

impl fmt::Display for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl fmt::Debug for Pseudonym {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl Serialize for Pseudonym {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(self.as_str())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Computed by Python's hmac, hashlib and base64.
    #[test]
    fn it_is_the_beginning_of_hmac_sha_256_in_base32() {
        let key = Key::new(b"0123456789abcdef0123456789abcdef").unwrap();
        assert_eq!(key.of(Kind::Account, "@alice:example.org").as_str(), "k3il6esxbfaw5mmlzcgj3uvm");
    }

    #[test]
    fn pieces_make_the_same_as_the_whole() {
        let key = Key::new(&[1; 40]).unwrap();
        let mut hashing = key.begin(Kind::Report);
        hashing.update(b"ab");
        hashing.update(b"c");
        assert_eq!(hashing.end(), key.of(Kind::Report, "abc"));
    }

    #[test]
    fn what_is_printed_can_be_read_again_and_nothing_else_can() {
        let alice = Key::new(&[1; 40]).unwrap().of(Kind::Account, "@alice:example.org");
        assert_eq!(alice.to_string().parse(), Ok(alice));
        for wrong in ["", "@alice:example.org", "ABCDEFGHIJKLMNOPQRSTUVWX", "aaaaaaaaaaaaaaaaaaaaaaa1"] {
            assert_eq!(wrong.parse::<Pseudonym>(), Err(NoPseudonym), "{wrong}");
        }
    }

    #[test]
    fn a_line_break_behind_a_key_does_not_count_and_a_short_key_is_refused() {
        let text = [b'k'; 32];
        let with_break = [&text[..], b"\r\n"].concat();
        let id = |key: &[u8]| Key::new(key).unwrap().of(Kind::Room, "!a:b");
        assert_eq!(id(&text), id(&with_break));
        assert_eq!(Key::new(b"too short \n").unwrap_err(), ShortKey { bytes: 9 });
        assert_eq!(format!("{:?}", Key::new(&text).unwrap()), "Key(…)", "a key is never printed");
    }
}

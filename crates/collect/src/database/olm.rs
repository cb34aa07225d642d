//! The public header of an Olm pre-key message: which keys it was made for. What it encrypts is not looked at.
//!
//! A byte for the version, then protocol buffers: 1 one-time key, 2 base key, 3 identity key, 4 the message
//! (<https://gitlab.matrix.org/matrix-org/olm/-/blob/master/docs/olm.md>).

use base64::Engine;
use base64::alphabet::STANDARD;
use base64::engine::general_purpose::{GeneralPurpose, GeneralPurposeConfig};
use base64::engine::{DecodePaddingMode, general_purpose::STANDARD_NO_PAD};

const KEY_BYTES: usize = 32;

/// Fields that are looked at; a real message has four.
const FIELDS_MAX: usize = 64;

/// Some clients pad.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// The three public keys, unpadded base64.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PreKeyHeader {
    /// The receiver's one-time or fallback key that the sender was given.
    pub one_time_key: String,
    /// The sender's key for this session alone.
    pub base_key: String,
    /// The sender's identity.
    pub identity_key: String,
}

impl PreKeyHeader {
    /// Reads the body of a message of type 0; `None` if it is none.
    pub fn read(body: &str) -> Option<PreKeyHeader> {
        let bytes = LENIENT.decode(body).ok()?;
        let (version, mut rest) = bytes.split_first()?;
        if !matches!(version, 3 | 4) {
            return None;
        }
        let mut keys: [Option<&[u8]>; 3] = [None; 3];
        for _ in 0..FIELDS_MAX {
            if rest.is_empty() {
                break;
            }
            let field = Field::take(&mut rest)?;
            if let (1..=3, Some(value)) = (field.number, field.bytes) {
                // What is there twice is no header that a client wrote.
                let key = &mut keys[field.number as usize - 1];
                if key.replace(value).is_some() || value.len() != KEY_BYTES {
                    return None;
                }
            }
        }
        let [Some(one_time_key), Some(base_key), Some(identity_key)] = keys else { return None };
        Some(PreKeyHeader {
            one_time_key: STANDARD_NO_PAD.encode(one_time_key),
            base_key: STANDARD_NO_PAD.encode(base_key),
            identity_key: STANDARD_NO_PAD.encode(identity_key),
        })
    }
}

/// A field of a protocol buffer.
struct Field<'a> {
    number: u64,
    /// Of one that has a length.
    bytes: Option<&'a [u8]>,
}

impl<'a> Field<'a> {
    fn take(rest: &mut &'a [u8]) -> Option<Field<'a>> {
        let tag = varint(rest)?;
        let number = tag >> 3;
        let bytes = match tag & 7 {
            0 => varint(rest).map(|_| None)?,
            1 => split(rest, 8).map(|_| None)?,
            2 => {
                let length = usize::try_from(varint(rest)?).ok()?;
                Some(split(rest, length)?)
            }
            5 => split(rest, 4).map(|_| None)?,
            _ => return None,
        };
        Some(Field { number, bytes })
    }
}

fn split<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, after) = rest.split_at_checked(length)?;
    *rest = after;
    Some(taken)
}

fn varint(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0u64;
    for shift in (0..64).step_by(7) {
        let byte = split(rest, 1)?[0];
        number |= u64::from(byte & 0x7f).checked_shl(shift)?;
        if byte & 0x80 == 0 {
            return Some(number);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(version: u8, keys: [&[u8]; 3]) -> Vec<u8> {
        let mut bytes = vec![version];
        for (index, key) in keys.into_iter().enumerate() {
            bytes.extend([((index as u8 + 1) << 3) | 2, key.len() as u8]);
            bytes.extend(key);
        }
        bytes.extend([0x22, 2, 1, 2]);
        bytes
    }

    #[test]
    fn a_real_message_has_the_keys_that_its_receiver_printed() {
        // tests/live's rollback: the receiver's page printed these three with MissingOneTimeKey.
        let message: serde_json::Value = serde_json::from_str(include_str!("testdata/prekey-message.json")).unwrap();
        let ciphertext = message["content"]["ciphertext"].as_object().unwrap().values().next().unwrap();
        let header = PreKeyHeader::read(ciphertext["body"].as_str().unwrap()).expect("a pre-key message");
        assert_eq!(header.one_time_key, "1uteSnHORIJMrUuHqwowBGu4g2OSgvBbFIz1skiaJ3E");
        assert_eq!(header.base_key, "y5ZsrWFcv3jKMSXByRi/uQkQjGVi+U0fCbiH9iviSnE");
        assert_eq!(header.identity_key, "bmvIXrVWAqe/ObBmUwXuxslYNrMM6NMi4DDOMfoWBxs");
    }

    #[test]
    fn padding_and_the_fields_order_do_not_matter() {
        let keys = [[1u8; 32], [2; 32], [3; 32]];
        let bytes = message(3, [&keys[0], &keys[1], &keys[2]]);
        let expected = PreKeyHeader {
            one_time_key: STANDARD_NO_PAD.encode(keys[0]),
            base_key: STANDARD_NO_PAD.encode(keys[1]),
            identity_key: STANDARD_NO_PAD.encode(keys[2]),
        };
        let unpadded = STANDARD_NO_PAD.encode(&bytes);
        let padded = base64::engine::general_purpose::STANDARD.encode(&bytes);
        assert_ne!(unpadded, padded);
        for body in [unpadded, padded] {
            assert_eq!(PreKeyHeader::read(&body).as_ref(), Some(&expected));
        }
    }

    #[test]
    fn what_is_no_pre_key_message_is_none() {
        let key = [7u8; 32];
        let wrong = [
            vec![],
            vec![3],
            message(2, [&key; 3]),
            message(3, [&key[..31], &key, &key]),
            [message(3, [&key; 3]), vec![0x0a, 32], key.to_vec()].concat(),
            [message(3, [&key; 3]), vec![0x0a, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 1]].concat(),
            [message(3, [&key; 3]), vec![0xff; 11]].concat(),
            message(3, [&key; 3])[..40].to_vec(),
        ];
        for bytes in wrong {
            assert_eq!(PreKeyHeader::read(&STANDARD_NO_PAD.encode(&bytes)), None, "{bytes:?}");
        }
        assert_eq!(PreKeyHeader::read("no base64!"), None);
    }

    proptest! {
        #[test]
        fn any_message_body_is_read_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..200), version in 3u8..5) {
            let body = STANDARD_NO_PAD.encode([&[version][..], &bytes].concat());
            let _ = PreKeyHeader::read(&body);
        }

        #[test]
        fn a_message_gives_its_keys_back(keys in any::<[[u8; 32]; 3]>()) {
            let bytes = message(3, [&keys[0], &keys[1], &keys[2]]);
            let header = PreKeyHeader::read(&STANDARD_NO_PAD.encode(bytes)).expect("a pre-key message");
            prop_assert_eq!(header.identity_key, STANDARD_NO_PAD.encode(keys[2]));
        }
    }
}

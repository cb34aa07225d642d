//! KE-3: an event that could not be decrypted.

use std::sync::LazyLock;

use crypto_diag_core::{Ke3By, Millis};
use regex_lite::Regex;
use serde::Serialize;

use super::field::{group, present, quoted};

/// Which ratchet an event needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Cipher {
    /// Room events.
    Megolm,
    /// To-device events.
    Olm,
}

/// The reason that the error gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Reason {
    /// The content lacks a field, or a field is of a wrong kind: `field` names it. Or a value of it cannot be decoded: see `defect`.
    Malformed,
    /// The room key has not come.
    MissingRoomKey,
    /// The room key came, but from a later message on.
    UnknownIndex,
    /// The sender keeps the key back.
    Withheld,
    /// The sender had no Olm session with this device to send the key by (`m.no_olm`).
    NoOlmSession,
    /// The message is older than this device, or than its membership.
    Historical,
    /// Decrypted or not, the sender is not trusted enough.
    SenderNotTrusted,
    /// The event's room is not that of its plaintext or key.
    MismatchedRoom,
    /// The same index was used for another event.
    DuplicateIndex,
    /// Some other reason: see `message`.
    Other,
}

/// What is wrong with the field that the error names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Defect {
    /// It is not there.
    Missing,
    /// It is there, and no such field is known.
    Unknown,
    /// It is there twice.
    Duplicate,
    /// A value that should be a public key is none. The error names no field.
    NoPublicKey,
}

/// The facts of an undecryptable event.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ke3 {
    /// The event's id.
    pub event_id: Option<String>,
    /// The room's id.
    pub room_id: Option<String>,
    /// The sender's user id.
    pub sender: Option<String>,
    /// The event's own time (`origin_server_ts`), in milliseconds since the epoch: set by the sender's server.
    pub event_ts: Option<Millis>,
    /// The Megolm session's id, as the event's content has it.
    pub session_id: Option<String>,
    /// The sender's Curve25519 key, as the event's content has it.
    pub sender_key: Option<String>,
    /// Of a to-device event: its message id.
    pub message_id: Option<String>,
    /// The field that the error names, if it names one.
    pub field: Option<String>,
    /// What is wrong with that field.
    pub defect: Option<Defect>,
    /// The reason, by the sentence.
    pub reason: Reason,
    /// The sentence itself.
    pub message: Option<String>,
    /// The SDK's failure code; null where the line has none, as those of matrix-js-sdk's own logger.
    pub code: Option<String>,
    /// Megolm or Olm, where the line says so.
    pub cipher: Option<Cipher>,
}

impl Ke3 {
    /// From which index on the key begins, and at which one the event is, where the line compares them.
    pub fn indexes(&self) -> Option<(u64, u64)> {
        let found = INDEXES.captures(self.message.as_deref()?)?;
        let number = |at: usize| found.get(at)?.as_str().parse().ok();
        Some((number(1)?, number(2)?))
    }
}

/// vodozemac, `megolm::DecryptionError::UnknownMessageIndex` (0.9 and 0.10).
static INDEXES: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"unknown message index, first known index (\d{1,10}), index of the message (\d{1,10})")
        .expect("a constant that the tests compile")
});

/// matrix-js-sdk, `MatrixEvent.getDetails()`.
static DETAILS: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"\b(id|msgid|type|sender|room|ts)=([^\s)]+)").expect("a constant that the tests compile")
});

/// matrix-js-sdk, `detailedStringForDecryptionError`.
static DETAILED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"DecryptionError\[msg: ([\s\S]*?)(?:, sender_key: (\S+?), session_id: (\S+?))?\](?:\s|$)")
        .expect("a constant that the tests compile")
});

/// serde and its JSON: backticks there, quotes where the line was retyped.
static FIELD: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r#"(missing|unknown|duplicate) field [`'"]([^`'"]{1,64})[`'"]"#)
        .expect("a constant that the tests compile")
});

static CODE: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r"\b((?:MEGOLM|OLM|HISTORICAL_MESSAGE|SENDER_IDENTITY|UNSIGNED_SENDER|UNKNOWN_SENDER)_[A-Z_]+|UNKNOWN_ERROR)\b",
    )
    .expect("a constant that the tests compile")
});

/// Sentences of matrix-js-sdk's `onMegolmDecryptionError` (41.6.0-rc.0), of matrix-sdk-crypto's `MegolmError` and `WithheldCode`
/// (0.19.1), of vodozemac's `KeyError` and of libolm. The first that stands in the line wins.
const SENTENCES: &[(&str, Reason)] = &[
    ("has not sent us the keys for this message at this index", Reason::UnknownIndex),
    ("has not sent us the keys for this message", Reason::MissingRoomKey),
    ("sent before this device logged in", Reason::Historical),
    ("when we were not a member of the room", Reason::Historical),
    ("disabled encrypting to unverified devices", Reason::Withheld),
    ("withheld code: None", Reason::MissingRoomKey),
    ("withheld code: Some(\"m.no_olm\")", Reason::NoOlmSession),
    ("Unable to establish a secure channel", Reason::NoOlmSession),
    ("The sender has blocked you", Reason::Withheld),
    ("not authorised to read the message", Reason::Withheld),
    ("The requested key was not found", Reason::Withheld),
    ("disabled sharing encrypted history", Reason::Withheld),
    ("withheld", Reason::Withheld),
    ("sender identity is unverified", Reason::SenderNotTrusted),
    ("sender device is not known", Reason::SenderNotTrusted),
    ("sender identity is not cross-signed", Reason::SenderNotTrusted),
    ("not trusted", Reason::SenderNotTrusted),
    ("trust requirement not satisfied", Reason::SenderNotTrusted),
    ("Can't find the room key", Reason::MissingRoomKey),
    ("UNKNOWN_MESSAGE_INDEX", Reason::UnknownIndex),
    ("Unknown message index", Reason::UnknownIndex),
    ("unknown message index", Reason::UnknownIndex),
    ("Duplicate message index", Reason::DuplicateIndex),
    ("Mismatched room_id", Reason::MismatchedRoom),
    ("mismatched room", Reason::MismatchedRoom),
    ("missing field", Reason::Malformed),
    ("unknown field", Reason::Malformed),
    ("duplicate field", Reason::Malformed),
    ("invalid type", Reason::Malformed),
    ("Missing fields in input", Reason::Malformed),
    ("Failed decoding a public key from base64", Reason::Malformed),
    ("Failed decoding Curve25519 key", Reason::Malformed),
];

/// Reads a line about an undecryptable event. One that names no event and gives no reason is `None`.
pub(super) fn read(by: Ke3By, line: &str) -> Option<Ke3> {
    if by == Ke3By::Machine {
        let (_, rest) = line.split_once("Failed to decrypt a room event: ")?;
        return Some(of_the_machine(line, rest));
    }
    let detailed = DETAILED.captures(line);
    let part = |index: usize| {
        let found = detailed.as_ref()?.get(index)?;
        present(found.as_str())
    };
    let head = line.split("DecryptionError").next().unwrap_or(line);
    let detail = |name: &str| {
        let found = DETAILS.captures_iter(head).find(|found| found.get(1).is_some_and(|key| key.as_str() == name))?;
        present(found.get(2)?.as_str())
    };
    let message = part(1).or_else(|| line.split_once("DecryptionError: ").and_then(|(_, rest)| present(rest)));
    let event_id = detail("id");
    let message_id = detail("msgid");
    if event_id.is_none() && message_id.is_none() && message.is_none() {
        return None;
    }
    // The error's own words only: what stands before them comes from the event.
    let words = message.as_deref().unwrap_or_default();
    let known = SENTENCES.iter().find(|(sentence, _)| words.contains(sentence));
    let reason = known.map_or(Reason::Other, |(_, reason)| *reason);
    Some(Ke3 {
        cipher: cipher(message_id.is_some(), reason, words),
        event_id,
        room_id: detail("room"),
        sender: detail("sender"),
        event_ts: detail("ts").and_then(|text| instant(&text)),
        session_id: part(3),
        sender_key: part(2),
        message_id,
        field: group(&FIELD, words, 2),
        defect: defect(words),
        reason,
        code: group(&CODE, line, 1),
        message,
    })
}

/// matrix-sdk-crypto's own line about an event (0.19.1, `machine/mod.rs`): the sentence, then where it was, with fields.
fn of_the_machine(line: &str, rest: &str) -> Ke3 {
    let message = rest.split('\n').next().unwrap_or_default().trim_end();
    let own = |name: &str| quoted(line, name).map(str::to_owned);
    let reason = SENTENCES.iter().find(|(sentence, _)| message.contains(sentence));
    Ke3 {
        event_id: own("event_id"),
        room_id: own("room_id"),
        sender: own("sender"),
        event_ts: None,
        session_id: own("session_id"),
        sender_key: sender_key(line),
        message_id: None,
        field: group(&FIELD, message, 2),
        defect: defect(message),
        reason: reason.map_or(Reason::Other, |(_, reason)| *reason),
        message: present(message),
        code: None,
        cipher: Some(Cipher::Megolm),
    }
}

/// `sender_key=Some("curve25519:…")`, or without the `Some`, as earlier versions print it.
fn sender_key(line: &str) -> Option<String> {
    let (_, value) = line.split_once("sender_key=")?;
    let key = value.strip_prefix("Some(").unwrap_or(value).strip_prefix("\"curve25519:")?;
    present(key.split('"').next()?)
}

fn defect(words: &str) -> Option<Defect> {
    if ["Failed decoding Curve25519 key", "Failed decoding a public key"].iter().any(|error| words.contains(error)) {
        return Some(Defect::NoPublicKey);
    }
    Some(match group(&FIELD, words, 1)?.as_str() {
        "missing" => Defect::Missing,
        "unknown" => Defect::Unknown,
        _ => Defect::Duplicate,
    })
}

fn cipher(to_device: bool, reason: Reason, words: &str) -> Option<Cipher> {
    if to_device || words.contains("OlmError") {
        return Some(Cipher::Olm);
    }
    use Reason::{MissingRoomKey, NoOlmSession, UnknownIndex, Withheld};
    let of_rooms = matches!(reason, MissingRoomKey | UnknownIndex | Withheld | NoOlmSession);
    (of_rooms || words.contains("megolm") || words.contains("Megolm")).then_some(Cipher::Megolm)
}

/// Milliseconds since the epoch of what JavaScript's `toISOString` prints for the years 1970 to 9999.
fn instant(text: &str) -> Option<Millis> {
    let digits: Vec<u64> = text.split(['-', 'T', ':', '.', 'Z']).map_while(|part| part.parse().ok()).collect();
    let [
        year @ 1970..=9999,
        month @ 1..=12,
        day @ 1..=31,
        hour @ 0..=23,
        minute @ 0..=59,
        second @ 0..=60,
        milli @ 0..=999,
    ] = digits[..]
    else {
        return None;
    };
    if text.len() != "1970-01-01T00:00:00.000Z".len() || !text.ends_with('Z') {
        return None;
    }
    // Days since 1 March of year 0, so that the leap day is a year's last.
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days = 365 * year + year / 4 - year / 100 + year / 400 + (153 * month + 2) / 5 + day - 1;
    let days = days.checked_sub(719_468)?;
    Some(Millis((((days * 24 + hour) * 60 + minute) * 60 + second) * 1000 + milli))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, of_line};

    fn read(line: &str) -> Option<Ke3> {
        if let Some(Evidence::Ke3(facts)) = of_line(line) { Some(facts) } else { None }
    }

    #[test]
    fn the_field_that_the_error_names_need_not_be_algorithm() {
        let line = "Error decrypting event (id=$e type=m.room.encrypted sender=@b:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: missing field `ciphertext` at line 1 column 9, sender_key: undefined, session_id: undefined]";
        let event = read(line).unwrap();
        assert_eq!((event.field.as_deref(), event.defect), (Some("ciphertext"), Some(Defect::Missing)));
        assert_eq!((event.reason, event.cipher), (Reason::Malformed, None));
        assert_eq!((event.sender_key, event.session_id), (None, None));
        assert_eq!(event.event_ts, Some(Millis(1_795_423_339_074)));
    }

    #[test]
    fn a_missing_room_key_is_megolm() {
        let line = "Error decrypting event (id=$e type=m.room.encrypted sender=@b:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: The sender's device has not sent us the keys for this message., sender_key: k, session_id: s]";
        let event = read(line).unwrap();
        assert_eq!((event.reason, event.cipher), (Reason::MissingRoomKey, Some(Cipher::Megolm)));
        assert_eq!((event.sender_key.as_deref(), event.session_id.as_deref()), (Some("k"), Some("s")));
    }

    #[test]
    fn the_lines_of_real_clients_about_missing_room_keys_give_the_reason() {
        let scenes: Vec<serde_json::Value> =
            serde_json::from_str(include_str!("../../../../tests/fixtures/room-keys.json")).unwrap();
        for (what, machine, page) in [
            ("the key never came", Reason::MissingRoomKey, Reason::MissingRoomKey),
            (
                "the event is older than the device, and there is no key backup",
                Reason::MissingRoomKey,
                Reason::Historical,
            ),
            ("the key begins two messages later", Reason::UnknownIndex, Reason::UnknownIndex),
            ("the sender keeps the key from unverified devices", Reason::Withheld, Reason::Withheld),
            (
                "the key is of a device that its owner has not signed",
                Reason::SenderNotTrusted,
                Reason::SenderNotTrusted,
            ),
        ] {
            let scene = scenes.iter().find(|scene| scene["what"] == what).unwrap();
            let [of_machine, of_page] = [0, 1].map(|at| read(scene["lines"][at].as_str().unwrap()).unwrap());
            assert_eq!((of_machine.reason, of_page.reason), (machine, page), "{what}");
            let content = &scene["event"]["content"];
            assert_eq!(of_machine.session_id.as_deref(), content["session_id"].as_str(), "{what}");
            assert_eq!(of_machine.sender_key.as_deref(), content["sender_key"].as_str(), "{what}");
            assert_eq!(of_machine.event_id, of_page.event_id, "{what}");
        }
    }

    #[test]
    fn a_room_key_that_is_kept_back_has_its_reason() {
        let reason = |words: &str| {
            read(&format!("Error decrypting event (id=$e sender=@b:x): DecryptionError[msg: {words}]")).unwrap().reason
        };
        assert_eq!(reason("The sender has blocked you."), Reason::Withheld);
        assert_eq!(reason("The sender has disabled encrypting to unverified devices."), Reason::Withheld);
        assert_eq!(reason("Unable to establish a secure channel."), Reason::NoOlmSession, "no setting, but a fault");
        let machine = "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: Can't find the room key to decrypt the event, withheld code: Some(\"m.no_olm\")";
        assert_eq!(read(machine).unwrap().reason, Reason::NoOlmSession);
    }

    #[test]
    fn a_value_that_is_no_key_is_malformed() {
        let line = "Error decrypting event (id=$e sender=@b:x): DecryptionError[msg: Failed decoding Curve25519 key from base64: Invalid number of bytes for Curve25519, expected 32, got 31. at line 1 column 9]";
        let event = read(line).unwrap();
        assert_eq!((event.reason, event.defect, event.field), (Reason::Malformed, Some(Defect::NoPublicKey), None));
    }

    #[test]
    fn a_to_device_event_is_olm() {
        let event =
            read("Error decrypting event (msgid=7f08 type=m.room.encrypted sender=@b:x): DecryptionError[msg: x]");
        let event = event.unwrap();
        assert_eq!((event.message_id.as_deref(), event.cipher), (Some("7f08"), Some(Cipher::Olm)));
        assert_eq!(event.reason, Reason::Other);
    }

    #[test]
    fn words_of_the_sender_are_no_reason() {
        let line = "Error decrypting event (id=$e type=withheld sender=@b:x room=!r:x ts=x): DecryptionError[msg: x]";
        let event = read(line).unwrap();
        assert_eq!((event.reason, event.event_ts), (Reason::Other, None));
    }

    #[test]
    fn times_count_from_the_epoch() {
        assert_eq!(instant("1970-01-01T00:00:00.000Z"), Some(Millis(0)));
        assert_eq!(instant("2024-02-29T12:00:00.001Z"), Some(Millis(1_709_208_000_001)));
        assert_eq!(instant("1969-12-31T23:59:59.999Z"), None);
    }

    #[test]
    fn the_name_alone_says_nothing() {
        assert_eq!(read("caught DecryptionError"), None);
    }
}

//! The hashes by which the media side of calls names rooms and participants. They are no secrets, have the form of a key, and are
//! what tells that two SFUs mean one call: SHA-256 of a room's id and a slot, or of a member's ids, in unpadded base64.

use std::borrow::Cow;

use crypto_diag_server_log::is_media_hash;
use memchr::memmem;

/// What stands in the lines that have them.
const LINES: [&str; 4] = ["roomID", "lkId=", "lk_id=", "(LiveKit identity: "];

/// The fields that hold them, as LiveKit and lk-jwt-service call them.
const FIELDS: [&str; 7] = ["room", "participant", "Identity", "lkId", "lk_id", "alias", "identity"];

/// The placeholder of a hash while the record is searched for secrets: a plain word with a number. It keeps the text around the hash in
/// its place.
const WORD: &str = "hashedname";

/// How a line says that somebody got a token, and what stands in for it meanwhile: what stands behind "access token" would be closed
/// as one. It is the user's id, and the token is not printed.
const GIVEN: (&str, &str) = ("SFU access token ", "SFU hashedname. ");

/// A record with such hashes.
pub(super) struct Named<'r> {
    text: String,
    hashes: Vec<&'r str>,
}

impl Named<'_> {
    /// The record as `close` leaves it, with its hashes.
    pub fn closed(&self, close: impl Fn(&str) -> Cow<'_, str>) -> String {
        let mut text = close(&self.text).into_owned();
        // Replace from the last to the first, since the first placeholder is a prefix of the tenth.
        for (number, hash) in self.hashes.iter().enumerate().rev() {
            text = text.replace(&word(number), hash);
        }
        text.replace(GIVEN.1, GIVEN.0)
    }
}

fn word(number: usize) -> String {
    format!("{WORD}{number}")
}

/// The record with its hashes taken out; `None` if it has none, or says such a word itself.
pub(super) fn named(record: &[u8]) -> Option<Named<'_>> {
    if !LINES.iter().any(|words| memmem::find(record, words.as_bytes()).is_some()) {
        return None;
    }
    let record = std::str::from_utf8(record).ok().filter(|text| !text.contains(WORD))?;
    let is_base64 = |char: char| char.is_ascii_alphanumeric() || matches!(char, '+' | '/');
    let (mut text, mut hashes, mut done) = (String::new(), Vec::new(), 0);
    let mut from = 0;
    while let Some(at) = record[from..].find(is_base64).map(|at| from + at) {
        let run = &record[at..];
        let run = &run[..run.find(|char| !is_base64(char)).unwrap_or(run.len())];
        from = at + run.len();
        if is_media_hash(run) && is_field(&record[..at]) && !record[from..].starts_with('=') {
            text.push_str(&record[done..at]);
            text.push_str(&word(hashes.len()));
            hashes.push(run);
            done = from;
        }
    }
    text.push_str(&record[done..]);
    let text = text.replace(GIVEN.0, GIVEN.1);
    (text != record).then_some(Named { text, hashes })
}

/// Whether what stands in front of a value is the name of one of the fields: `"room": "`, `lkId=`, `(alias: `.
fn is_field(before: &str) -> bool {
    let name = before.trim_end_matches(['\\', '"', ' ', ':', '=']);
    name.len() < before.len()
        && FIELDS.iter().any(|field| {
            name.strip_suffix(field).is_some_and(|rest| !rest.ends_with(|char: char| char.is_ascii_alphanumeric()))
        })
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::redact;

    use super::*;

    const HASH: &str = "Xk3fQm0yLr9TzVb2uJwC7dNh5sEoPaG1iKqR8vYtMn4";
    const SECRET: &str = "Qw8mYz1xVt4KcRn7pLs2HgDf6jBaEo9uTiXvNq3ZkMc";

    fn closed(line: &str) -> String {
        named(line.as_bytes())
            .map_or_else(|| redact(line).text.into_owned(), |named| named.closed(|text| redact(text).text))
    }

    #[test]
    fn the_names_of_rooms_and_participants_stay_and_everything_else_of_their_form_is_closed() {
        for line in [
            format!(
                r#"starting RTC session {{"room": "{HASH}", "roomID": "RM_a", "participant": "{HASH}", "x": "{SECRET}"}}"#
            ),
            format!(r#"{{"log":"{{\"room\": \"{HASH}\", \"roomID\": \"RM_a\", \"secret\": \"{SECRET}\"}}"}}"#),
            format!("generated SFU access token matrixId=@a:h lkId={HASH} room={HASH} token={SECRET}"),
            format!("Using LiveKit room sid: RM_a (alias: {HASH}) for {SECRET} (LiveKit identity: {HASH})"),
        ] {
            let shown = closed(&line);
            assert_eq!(shown.matches(HASH).count(), line.matches(HASH).count(), "{shown}");
            assert!(!shown.contains(SECRET) && !shown.contains(WORD), "{shown}");
            assert_eq!(shown.contains("token matrixId=@a:h lkId="), line.contains("matrixId"), "{shown}");
        }
    }

    #[test]
    fn a_line_of_another_program_keeps_no_hash() {
        for line in [
            format!("room={HASH}"),
            format!(r#"roomID "darkroom": "{HASH}""#),
            format!("roomID password={HASH}"),
            format!("roomID hashedname0 room={HASH} password={SECRET}"),
        ] {
            assert!(!closed(&line).contains(HASH), "{line}");
        }
    }
}

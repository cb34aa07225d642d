//! What is public by its own form or by where it stands.

use super::bytes::{ALNUM, CONTROL, DIGIT, HEX, QUOTE, SPACE, Set, WORD, signs};
use super::table::{Name, PUBLIC_BEHIND};
use super::text::{byte, escape, head, is_word, piece, run_end, start_of, starts_with};
use super::{names, work};

/// A hash or a key of 32 bytes in unpadded base64.
const KEY_CHARS: usize = 43;

/// A one-time key in its object has as many characters at least, should a client print one that is cut or padded otherwise.
const POSITION_MIN: usize = 40;

/// A signature of 64 bytes.
const SIGNATURE_CHARS: usize = 86;

/// An id has no more characters than a key with its padding.
const ID_MAX: usize = 44;

/// A server's name without a dot is one of a private network, and short.
const BARE_SERVER_MAX: usize = 24;

/// Device ids that homeservers make have ten characters.
const DEVICE_MAX: usize = 15;

/// Bytes between a label and its value at most: quotes, backslashes, `Some(`.
const LABEL_BYTES: usize = 32;

/// Bytes of an object in which its fields are looked for.
const OBJECT_BYTES: usize = 2048;

/// The end of the id that begins with the sigil at a place, if one does.
pub fn id_end(text: &[u8], at: usize) -> Option<usize> {
    let (sigil, width) = escape(text, at);
    if !matches!(sigil, b'$' | b'!' | b'@' | b'#') || (at > 0 && byte(text, at - 1).is_ascii_alphanumeric()) {
        return None;
    }
    let body = at + width;
    let window = head(text, body + 256);
    let end = match sigil {
        b'@' => run_end(window, body, const { WORD.or(signs(b".=/+")) }),
        b'#' => run_end(window, body, const { CONTROL.or(SPACE).or(QUOTE).or(signs(b":()[]{},%\\#@")).not() }),
        _ => run_end(window, body, const { WORD.or(signs(b"+/=")) }),
    };
    let (colon, width) = escape(text, end);
    if end > body && colon == b':' && (sigil == b'@' || end - body <= ID_MAX) {
        return server_end(text, end + width).map(|end| if sigil == b'@' { device_end(text, end) } else { end });
    }
    // A path goes on behind it; the ids of the third room version have slashes themselves.
    let slash = run_end(head(text, end), body, const { signs(b"/").not() });
    let end = if slash - body == KEY_CHARS { slash } else { end };
    (matches!(sigil, b'$' | b'!') && end - body == KEY_CHARS).then_some(end)
}

fn server_end(text: &[u8], from: usize) -> Option<usize> {
    let window = head(text, from + 256);
    let end = match byte(text, from) {
        b'[' => run_end(window, from + 1, const { HEX.or(signs(b":.")) }) + 1,
        _ => run_end(window, from, const { ALNUM.or(signs(b".-")) }),
    };
    let host = piece(text, from, end.min(text.len()));
    let is_host = !host.is_empty()
        && (const { signs(b".") }.meets(host) || byte(host, 0) == b'[' || host.len() <= BARE_SERVER_MAX);
    let labels_fit = host.split(|byte| *byte == b'.').all(|label| label.len() <= ID_MAX);
    if !is_host || !labels_fit {
        return None;
    }
    let port = run_end(head(text, end + 6), end + 1, DIGIT);
    Some(if byte(text, end) == b':' && port > end + 1 && !is_word(byte(text, port)) {
        port
    } else {
        end.min(text.len())
    })
}

/// Call participants and memberships have their device behind the user: `@user:server:DEVICE`, `@user:server_DEVICE`.
fn device_end(text: &[u8], end: usize) -> usize {
    if !matches!(byte(text, end), b':' | b'_') {
        return end;
    }
    let device = run_end(head(text, end + DEVICE_MAX + 2), end + 1, ALNUM);
    if device - end - 1 <= DEVICE_MAX { device } else { end }
}

/// The end of the public key or signature whose word begins at a place; in front of it may be signs of base64, with which no word
/// begins. `public`: where the last one that was ended.
pub fn key_end(text: &[u8], word: usize, public: usize) -> Option<usize> {
    const BASE64: Set = ALNUM.or(signs(b"+/"));
    let start = start_of(text, word, SIGNATURE_CHARS, BASE64);
    let end = run_end(head(text, start + SIGNATURE_CHARS + 1), start, BASE64);
    (matches!(end - start, KEY_CHARS | SIGNATURE_CHARS) && is_public(text, start, end, public)).then_some(end)
}

/// Whether a run of base64 characters is public where it stands. `public`: where the last one that was ended.
pub fn is_public(text: &[u8], start: usize, end: usize, public: usize) -> bool {
    let length = end - start;
    if length > ID_MAX && length != SIGNATURE_CHARS && length != SIGNATURE_CHARS + 2 {
        return false;
    }
    let before = head(text, start);
    if length <= ID_MAX && PUBLIC_BEHIND.iter().any(|phrase| before.ends_with(phrase.as_bytes())) {
        return true;
    }
    // The next one of a list.
    let is_list = |between: &[u8]| between.len() <= 8 && const { signs(b"\\\"', ") }.holds(between);
    if public > 0
        && length <= ID_MAX
        && public < start
        && is_list(piece(text, public, start))
        && const { signs(b",") }.meets(piece(text, public, start))
    {
        return true;
    }
    if is_algorithm(before) {
        return true;
    }
    let Some((from, to)) = label(text, start) else { return is_transaction(before) };
    if is_algorithm(head(text, from)) {
        // "ed25519:DEVICE": "key or signature".
        return length >= KEY_CHARS;
    }
    let word = piece(text, from, to);
    if word == b"key" || word == b"'key" {
        return (POSITION_MIN..=ID_MAX).contains(&length) && is_one_time_key(text, from, end);
    }
    length <= ID_MAX && names::name(word) == Some(Name::Public)
}

/// Whether a text is an id or a key, and nothing else.
pub fn is_id(text: &[u8]) -> bool {
    let fits = text.len() <= ID_MAX || text.len() == SIGNATURE_CHARS;
    fits && const { WORD.or(signs(b"+/=.:")) }.holds(text) && super::shape::token(text, 0, text.len()).is_none()
}

/// Whether a text ends with an algorithm of public keys and a colon.
pub fn is_algorithm(before: &[u8]) -> bool {
    let before = before.strip_suffix(b":").or_else(|| before.strip_suffix(b"%3A"));
    before.is_some_and(|before| before.ends_with(b"curve25519") || before.ends_with(b"ed25519"))
}

/// Whether a to-device request's path goes on with its transaction.
pub fn is_transaction(before: &[u8]) -> bool {
    let Some(before) = before.strip_suffix(b"/") else { return false };
    let kind = start_of(before, before.len(), 64, const { WORD.or(signs(b".")) });
    head(before, kind).ends_with(b"sendToDevice/")
}

/// The word that a value stands behind, with a colon or an equals sign between them, or as the first of a pair.
fn label(text: &[u8], start: usize) -> Option<(usize, usize)> {
    let stop = start.saturating_sub(LABEL_BYTES);
    let opened = |at: usize| start_of(text, at, at.saturating_sub(stop), const { QUOTE.or(signs(b"\\([{ \n")) });
    let mut at = opened(start);
    if head(text, at).ends_with(b"Some") {
        at = opened(at - 4);
    }
    if at == 0 || !matches!(byte(text, at - 1), b':' | b'=' | b',') {
        return None;
    }
    let is_pair = byte(text, at - 1) == b',';
    let to = start_of(text, at - 1, (at - 1).saturating_sub(stop), const { QUOTE.or(signs(b"\\ ")) });
    if is_pair && to == at - 1 {
        return None;
    }
    let from = start_of(text, to, LABEL_BYTES, WORD);
    (from < to).then_some((from, to))
}

/// Whether the field `key` at a place, whose value ends at `value`, is that of a one-time key: it has signatures beside
/// it, its id in front of it, or stands where Synapse's conflict text puts it. A media key has an index beside it.
fn is_one_time_key(text: &[u8], field: usize, value: usize) -> bool {
    let labelled = |before: &[u8]| before.ends_with(b"already exists. Old ") || before.ends_with(b"; new ");
    if labelled(head(text, field)) {
        return true;
    }
    let before = head(text, start_of(text, field, LABEL_BYTES, const { signs(b"\\\"'{[ ") }));
    let (signed, indexed) = fields(text, field, value);
    let of_conflict = before.strip_suffix(b"key:").is_some_and(labelled);
    let with_id = || {
        let before = head(before, start_of(before, before.len(), LABEL_BYTES, const { QUOTE.or(signs(b"\\:=, ")) }));
        let id = start_of(before, before.len(), 16, const { ALNUM.or(signs(b"+/")) });
        before.ends_with(b"signed_curve25519") || head(before, id).ends_with(b"curve25519:")
    };
    !indexed && (signed || of_conflict || with_id())
}

/// Whether the object around a field also has `signatures`, and whether it has `index`.
fn fields(text: &[u8], field: usize, value: usize) -> (bool, bool) {
    let (mut signed, mut indexed, mut depth) = (false, false, 0i32);
    let mut note = |at: usize, depth: i32| {
        if depth == 0 {
            signed |= starts_with(text, at, b"signatures");
            indexed |= starts_with(text, at, b"index");
        }
    };
    for at in value..text.len().min(value + OBJECT_BYTES) {
        work::done(1);
        match byte(text, at) {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            b's' | b'i' => note(at, depth),
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    depth = 0;
    for at in (field.saturating_sub(OBJECT_BYTES / 4)..field).rev() {
        work::done(1);
        match byte(text, at) {
            b'{' | b'[' => depth -= 1,
            b'}' | b']' => depth += 1,
            b's' | b'i' => note(at, depth),
            _ => {}
        }
        if depth < 0 {
            break;
        }
    }
    (signed, indexed)
}

/// Whether the value behind a bare `token` is one of `/sync`, `s12_34_5` and the like, or a user's id.
pub fn is_since(value: &[u8]) -> bool {
    let rest = match value {
        [b's' | b'm' | b't', rest @ ..] => rest,
        _ => return id_end(value, 0) == Some(value.len()) && byte(value, 0) == b'@',
    };
    const { signs(b"_") }.meets(rest) && const { DIGIT.or(signs(b"_~.-")) }.holds(rest)
}

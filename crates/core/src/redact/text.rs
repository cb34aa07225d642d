//! Small steps through a text's bytes. What the searches stop at is ASCII, so their places are character boundaries.

use super::bytes::{BACKSLASH, QUOTE, SPACE, Set, TOKEN, WORD, signs};
use super::work;
pub use crate::text::starts_with;

/// The byte at a place, 0 behind the end.
#[inline(always)]
pub fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// The beginning of a text; all of it where it is shorter.
pub fn head(text: &[u8], end: usize) -> &[u8] {
    text.get(..end).unwrap_or(text)
}

/// A part of a text; empty where it has none there.
pub fn piece(text: &[u8], from: usize, to: usize) -> &[u8] {
    text.get(from..to).unwrap_or_default()
}

pub fn is_word(byte: u8) -> bool {
    WORD.has(byte)
}

pub fn is_token(byte: u8) -> bool {
    TOKEN.has(byte)
}

pub fn is_quote(byte: u8) -> bool {
    QUOTE.has(byte)
}

/// The end of the run of bytes of a set.
#[inline(never)]
pub fn run_end(text: &[u8], from: usize, set: Set) -> usize {
    let mut at = from;
    while at < text.len() && set.has(byte(text, at)) {
        at += 1;
    }
    work::done(at - from + 1);
    at
}

/// The start of the run of bytes of a set that ends at a place, at most so many bytes in front of it.
#[inline(never)]
pub fn start_of(text: &[u8], end: usize, most: usize, set: Set) -> usize {
    let mut at = end;
    while at > 0 && end - at < most && set.has(byte(text, at - 1)) {
        at -= 1;
    }
    work::done(end - at + 1);
    at
}

/// Letters and digits of a word in lower case; `None` where they are too many for a name.
pub fn letters<'a>(word: &[u8], buffer: &'a mut [u8]) -> Option<&'a [u8]> {
    let mut length = 0;
    for byte in word.iter().filter(|byte| byte.is_ascii_alphanumeric()) {
        *buffer.get_mut(length)? = byte.to_ascii_lowercase();
        length += 1;
    }
    buffer.get(..length)
}

/// The bytes of what joins two parts of a base64 text, either alphabet, at a place; 0 if nothing does.
pub fn joiner(text: &[u8], at: usize) -> usize {
    match byte(text, at) {
        b'+' | b'/' | b'_' | b'-' => 1,
        b'%' => match escape(text, at) {
            (b'+' | b'/', width) => width,
            _ => 0,
        },
        _ => 0,
    }
}

/// The character that stands at a place, and its bytes, where it may be written as an escape: percent-encoded, also
/// twice, or as JSON, JavaScript or HTML write it. Of anything else the byte itself.
pub fn escape(text: &[u8], at: usize) -> (u8, usize) {
    let first = byte(text, at);
    match first {
        b'%' => {
            let mut from = at + 1;
            while starts_with(text, from, b"25") && from < at + 7 {
                from += 2;
            }
            match hex(text, from, 2) {
                0 => (first, 1),
                character => (character, from + 2 - at),
            }
        }
        b'\\' => match byte(text, at + 1) {
            b'n' => (b'\n', 2),
            b'r' => (b'\r', 2),
            b't' => (b'\t', 2),
            b'u' if hex(text, at + 4, 2) != 0 && starts_with(text, at + 2, b"00") => (hex(text, at + 4, 2), 6),
            b'x' if hex(text, at + 2, 2) != 0 => (hex(text, at + 2, 2), 4),
            _ => (first, 1),
        },
        b'&' => {
            const ENTITIES: [(&[u8], u8); 6] = [
                (b"&quot;", b'"'),
                (b"&#34;", b'"'),
                (b"&#39;", b'\''),
                (b"&apos;", b'\''),
                (b"&#x22;", b'"'),
                (b"&nbsp;", b' '),
            ];
            let found = ENTITIES.iter().find(|(entity, _)| starts_with(text, at, entity));
            found.map_or((first, 1), |(entity, character)| (*character, entity.len()))
        }
        // An arrow, a full-width colon or equals sign.
        0xe2 if starts_with(text, at, "→".as_bytes()) => (b':', 3),
        0xef if starts_with(text, at, "：".as_bytes()) => (b':', 3),
        0xef if starts_with(text, at, "＝".as_bytes()) => (b'=', 3),
        _ => (first, 1),
    }
}

/// The character with that many hexadecimal digits at a place; 0 if none stands there, or none of ASCII.
fn hex(text: &[u8], at: usize, digits: usize) -> u8 {
    let mut value = 0;
    for at in at..at + digits {
        let Some(digit) = (byte(text, at) as char).to_digit(16) else { return 0 };
        value = value << 4 | digit as u8;
    }
    if value < 0x80 { value } else { 0 }
}

/// The end of a string that was opened by `quote` behind that many backslashes, and whether it closes at all.
///
/// Where the opening quote is escaped `depth` times, an escaped backslash is `2 * (depth + 1)` of them.
pub fn closing_quote(text: &[u8], start: usize, quote: u8, depth: usize) -> (usize, bool) {
    let mut backslashes = 0;
    for (at, byte) in text.iter().enumerate().skip(start) {
        if *byte == b'\\' {
            backslashes += 1;
            continue;
        }
        // Shallower than the opening one: the string around this one ends.
        if *byte == quote && (backslashes < depth || backslashes % (2 * (depth + 1)) == depth) {
            work::done(at - start);
            return (at - backslashes.min(depth), true);
        }
        backslashes = 0;
    }
    work::done(text.len() - start);
    (text.len(), false)
}

/// The end of a bracketed group, and whether it closes at all. Brackets in strings do not count.
pub fn closing_bracket(text: &[u8], start: usize) -> (usize, bool) {
    let (mut at, mut depth, mut before) = (start, 0usize, b'(');
    while at < text.len() {
        work::done(1);
        let byte = byte(text, at);
        match byte {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth -= 1,
            // A quote behind a letter is an apostrophe.
            _ if is_quote(byte) && (before == b'b' || const { SPACE.or(signs(b"[{(:,=")) }.has(before)) => {
                let escapes = at - start_of(text, at, at - start, BACKSLASH);
                at = closing_quote(text, at + 1, byte, escapes).0;
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return (at.min(text.len()), true);
        }
        if byte != b'\\' {
            before = byte;
        }
    }
    (text.len(), false)
}

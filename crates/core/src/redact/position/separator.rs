//! What stands between a name and its value.

use super::super::bytes::{DIGIT, LETTER, LINE_END, QUOTE, SPACE, TOKEN, signs};
use super::super::text::{byte, escape, head, is_quote, is_word, piece, run_end, starts_with};
use super::super::work;
use super::{KEY_CHARS_MAX, SEPARATOR_BYTES};

/// What stands between a name and its value.
pub struct Separator {
    /// Where the value begins.
    pub value: usize,
    /// Whether name and value are percent-encoded.
    pub encoded: bool,
}

/// What stands behind the name `start..end`. `is_string`: the name is all of a string, or may be.
pub fn separator(text: &[u8], start: usize, end: usize, is_string: bool) -> Option<Separator> {
    let window = head(text, end + SEPARATOR_BYTES);
    let mut at = end;
    // `key3`, `key[3]=`, `passwords[0]: `.
    let index = run_end(window, end + 1, DIGIT);
    if byte(window, end) == b'[' && index > end + 1 && byte(window, index) == b']' {
        at = index + 1;
    }
    let (mut character, mut width);
    loop {
        work::done(1);
        (character, width) = escape(window, at);
        if at >= window.len() || !(const { QUOTE.or(signs(b"\\ \t)]?\x80")) }.has(character)) {
            break;
        }
        at += width;
    }
    let encoded = width > 1 && matches!(character, b':' | b'=') && byte(window, at) == b'%';
    at = match character {
        b':' | b'=' => {
            let behind = at + width;
            if width > 1 { behind } else { run_end(window, at, const { signs(b":=>") }) }
        }
        b',' if is_string && at > end => return paired(window, at + 1),
        b'(' if at == end && is_quote(byte(window, at + 1)) => at,
        b'-' if byte(window, at + 1) == b'>' => at + 2,
        b'>' if is_string || is_tag(text, start) => at + 1,
        _ if is_string && at > end + 1 => return valued(window, end, at),
        b'\r' | b'\n' if is_string => return parted(window, at),
        _ => return None,
    };
    let value = run_end(window, at, const { signs(b" \t") });
    let next = run_end(window, value, const { SPACE.or(signs(b"|>")) });
    // Behind the line's end a value still follows where the line has none, or only the sign of YAML for a text on lines.
    Some(Separator { value: next, encoded })
}

/// Whether the word at a place begins a tag, `<password>`. A type has its own name in front of it, `Vec<Token>`.
fn is_tag(text: &[u8], start: usize) -> bool {
    head(text, start).ends_with(b"<") && !(start > 1 && is_word(byte(text, start - 2)))
}

/// The value of `"name","value"` and of `"name":"…","value":"…"`, also `"Value"` and `"v"`, of which the first string is the name.
fn paired(window: &[u8], at: usize) -> Option<Separator> {
    let skip = |at: usize| run_end(window, at, const { SPACE.or(signs(b"\\")) });
    let mut value = run_end(window, at, SPACE);
    let label = skip(value);
    let is_string = is_quote(byte(window, label));
    let label = label + usize::from(is_string);
    if byte(window, label) | 0x20 == b'v' {
        let end = run_end(window, label, LETTER);
        let colon = run_end(window, end, const { SPACE.or(QUOTE).or(signs(b"\\")) });
        if byte(window, colon) == b':' && is_string == QUOTE.meets(piece(window, end, colon)) {
            value = run_end(window, colon + 1, SPACE);
        }
    }
    is_quote(byte(window, skip(value))).then_some(Separator { value, encoded: false })
}

/// The value of `name="password" value="…"`.
fn valued(window: &[u8], end: usize, at: usize) -> Option<Separator> {
    let spaced = const { signs(b" ") }.meets(piece(window, end, at));
    let value = at + b"value=".len();
    (spaced && starts_with(window, at, b"value=")).then_some(Separator { value, encoded: false })
}

/// The value of a part of a form: `name="password"`, an empty line, the value.
fn parted(window: &[u8], at: usize) -> Option<Separator> {
    let value = run_end(window, at, LINE_END);
    let empty = piece(window, at, value).iter().filter(|byte| **byte == b'\n').count() >= 2;
    empty.then_some(Separator { value, encoded: false })
}

/// Whether a name is a parameter of a URL or a form body.
pub fn is_parameter(text: &[u8], start: usize, value: usize) -> bool {
    if !matches!(byte(text, value - 1), b'=' | b'D' | b'd') {
        return false;
    }
    let before = (1..=5).rev().find_map(|width| {
        let at = start.checked_sub(width)?;
        let (character, length) = escape(text, at);
        (length == width && length > 1).then_some(character)
    });
    let before = before.unwrap_or(if start > 0 { byte(text, start - 1) } else { 0 });
    let end = run_end(head(text, value + KEY_CHARS_MAX), value, TOKEN);
    matches!(before, b'?' | b'&' | b'#') || byte(text, end) == b'&'
}

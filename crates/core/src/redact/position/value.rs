//! Where the value behind a name ends: quoted, grouped, or a plain run.

use super::super::bytes::{BACKSLASH, DIGIT, LOWER, QUOTE, SPACE, TOKEN, WORD, signs};
use super::super::closed::{EARLIER, mark_end};
use super::super::shape::{armour, numbers};
use super::super::text::{
    byte, closing_bracket, closing_quote, escape, head, is_quote, is_token, piece, run_end, start_of, starts_with,
};
use super::super::{Span, work};
use super::separator::Separator;
use super::{End, KEY_CHARS_MAX, KEY_CHARS_MIN, SEPARATOR_BYTES};

/// The value at a place: quoted, grouped, or a plain run.
pub fn value(text: &[u8], separator: &Separator) -> Option<(Span, End)> {
    let mut from = separator.value;
    // The quote of a string in a string is an escape behind backslashes: `\\u0022`.
    let escaped = from.max(run_end(text, from, BACKSLASH).saturating_sub(1));
    let (quote, width) = escape(text, escaped);
    if separator.encoded || (is_quote(quote) && width > 1) {
        return Some(encoded_value(text, escaped));
    }
    // Nothing of a value that is closed stands behind its mark. Earlier versions closed the first word alone.
    if let Some(end) = mark_end(text, from) {
        let closed = if starts_with(text, from, EARLIER) { End::Run } else { End::Closed };
        return Some(((from, end), closed));
    }
    // b'…' of Python and Rust, u'…' and r'…' of Python.
    if matches!(byte(text, from), b'b' | b'u' | b'r') && is_quote(byte(text, from + 1)) {
        from += 1;
    }
    if let Some(found) = quoted(text, from) {
        return Some(found);
    }
    if let Some(end) = armour(text, from) {
        return Some(((from, end), if end == text.len() { End::Line } else { End::Closed }));
    }
    if let Some(open) = group_start(text, from) {
        let (mut end, mut closed) = closing_bracket(text, open);
        // Uint8Array(16) [1, 2, 3] and Map(1) {…} go on behind their first group.
        let next = run_end(text, end, const { signs(b" ") });
        if open > from && byte(text, open) == b'(' && next <= end + 1 {
            // string(9) "…" of PHP. Behind any other group a quote begins something else, and the group is the value.
            let is_length = const { DIGIT }.holds(piece(text, open + 1, end.saturating_sub(1)));
            if let Some(found) = quoted(text, next).filter(|_| is_length) {
                return Some(found);
            }
            if matches!(byte(text, next), b'[' | b'{') {
                (end, closed) = closing_bracket(text, next);
            }
        }
        return Some(((from, end), if closed { End::Closed } else { End::Line }));
    }
    if byte(text, from) == b'<' {
        from += 1;
    }
    let (count, end, _) = numbers(text, from);
    Some(((from, if count > 1 { end } else { plain_end(text, from) }), End::Run))
}

/// The end of a value without quotes: a break, or an ampersand that a further parameter or nothing follows.
fn plain_end(text: &[u8], from: usize) -> usize {
    let is_break = |byte: u8| const { SPACE.or(QUOTE).or(signs(b",;<>(){}[]\\")) }.has(byte);
    let is_last = |at: usize| {
        let name = run_end(head(text, at + SEPARATOR_BYTES), at + 1, WORD);
        matches!(byte(text, name), b'=' | b'%' | 0)
            || is_break(byte(text, name)) && name == at + 1
            || escape(text, at).1 > 1
    };
    let mut at = from;
    while at < text.len() && !is_break(byte(text, at)) && !(byte(text, at) == b'&' && is_last(at)) {
        work::done(1);
        at += 1;
    }
    at
}

/// A string at a place, backslashes in front of its quote included.
pub fn quoted(text: &[u8], from: usize) -> Option<(Span, End)> {
    let quote = run_end(text, from, const { signs(b"\\") });
    if !is_quote(byte(text, quote)) {
        return None;
    }
    let (mut to, mut closed) = closing_quote(text, quote + 1, byte(text, quote), quote - from);
    // What runs on behind the closing quote shows that it was the opening one of another string.
    while closed && is_token(byte(text, to + 1 + quote - from)) {
        (to, closed) = closing_quote(text, to + 1 + quote - from, byte(text, quote), quote - from);
    }
    Some(((quote + 1, to), if closed { End::Closed } else { End::Quote(byte(text, quote), quote - from) }))
}

/// Where the bracket of a group stands: at the place itself or behind a type's name.
fn group_start(text: &[u8], from: usize) -> Option<usize> {
    let window = head(text, from + SEPARATOR_BYTES);
    let name = run_end(window, from, const { WORD.or(signs(b":$")) });
    if matches!(byte(window, name), b'(' | b'[' | b'{') {
        return Some(name);
    }
    let spaced = name + 1;
    let is_type = name > from && byte(window, from).is_ascii_uppercase() && byte(window, name) == b' ';
    (is_type && matches!(byte(window, spaced), b'{' | b'[')).then_some(spaced)
}

/// A value whose quotes, if it has any, are escapes.
pub fn encoded_value(text: &[u8], from: usize) -> (Span, End) {
    let mut from = from;
    let mut quoted = false;
    loop {
        let (character, width) = escape(text, from);
        if width < 2 || !(const { SPACE.or(QUOTE).or(BACKSLASH) }.has(character)) {
            break;
        }
        quoted |= is_quote(character);
        from += width;
    }
    let mut end = from;
    while end < text.len() {
        work::done(1);
        let (character, width) = escape(text, end);
        let ends = match (width > 1, quoted) {
            (true, true) => const { QUOTE.or(signs(b"\\\n")) }.has(character),
            (true, false) => const { signs(b"\"'&,}#\\\n") }.has(character),
            (false, true) => is_quote(character) || character == b'\n',
            (false, false) => !is_token(character),
        };
        if ends {
            break;
        }
        end += width;
    }
    ((from, end), if quoted { End::Line } else { End::Run })
}

/// The value of a field that may be a key. The look does not go far: a key is short.
pub fn key_value(text: &[u8], separator: &Separator) -> Option<(Span, End)> {
    let window = head(text, separator.value + KEY_CHARS_MAX);
    if separator.encoded {
        return Some(encoded_value(window, separator.value));
    }
    quoted(window, separator.value).or_else(|| {
        let prefix = usize::from(byte(window, separator.value) == b'b' && is_quote(byte(window, separator.value + 1)));
        let from = run_end(window, separator.value + prefix, const { QUOTE.or(signs(b"<")) });
        Some(((from, run_end(window, from, TOKEN)), End::Run))
    })
}

/// Whether a value has a key's length in base64, and is no word. Others show by themselves.
pub fn is_base64_key(value: &[u8]) -> bool {
    let key = head(value, start_of(value, value.len(), usize::MAX, const { signs(b"=") }));
    matches!(key.len(), 22 | 32 | 43 | 64 | 86)
        && const { WORD.or(signs(b"+/")) }.holds(key)
        && !const { LOWER.or(signs(b"_-")) }.holds(key)
}

pub fn looks_like_key(value: &[u8]) -> bool {
    let opaque = value.len() >= KEY_CHARS_MIN && TOKEN.holds(value);
    opaque || value.len() > KEY_CHARS_MAX || const { DIGIT.or(signs(b", ")) }.holds(value)
}

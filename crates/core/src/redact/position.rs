//! Secrets that show by the name in front of them.

use super::names::{Name, name};
use super::shape::numbers;
use super::text::{
    byte, closing_bracket, closing_quote, is_base64, is_quote, is_space, is_token, is_word, percent, run_end,
};
use super::{MASK, Span, work};

/// A `key` with fewer base64 characters is none (AES-128 needs 22).
const KEY_CHARS_MIN: usize = 16;

/// A longer value is taken for a secret without another look, so that no look goes far.
const KEY_CHARS_MAX: usize = 512;

/// Bytes around a `key` in which `signatures` must stand for it to be public.
const OBJECT_BYTES: usize = 512;

/// Bytes between a name and its separator, and between that and the value, at most: quotes, backslashes, spaces.
const SEPARATOR_BYTES: usize = 48;

/// Behind `Bearer` a shorter word in lower case is part of a sentence.
const CREDENTIAL_MIN: usize = 16;

/// What ends a secret that runs to the end of the text, should more text follow.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// The secret is whole.
    Closed,
    /// A break.
    Run,
    /// A quote that is escaped that many times.
    Quote(u8, usize),
    /// The end of the line, for want of anything better.
    Line,
}

/// A secret behind the word `start..end`, if that is a name of one.
pub fn secret(text: &[u8], start: usize, end: usize) -> Option<(Span, End)> {
    let start = without_escape(text, start, end);
    if let Some(span) = credential(text, start, end) {
        return Some((span, End::Run));
    }
    let is_string = start > 0 && is_quote(text[start - 1]);
    let separator = separator(text, end, is_string)?;
    let name = name(&text[start..end])?;
    if name == Name::Parameter && !is_parameter(text, start, separator.value) {
        return None;
    }
    let ((from, to), end) = match name {
        Name::MaybeKey => maybe_key(text, start, &separator)?,
        Name::Authorization | Name::Cookie => header_value(text, start, &separator, name)?,
        _ => value(text, &separator)?,
    };
    let inner = &text[from..to];
    if name == Name::Key && end == End::Run && !looks_like_key(inner) {
        return None;
    }
    let says_nothing = matches!(inner, b"" | b"null" | b"undefined" | b"true" | b"false" | b"None");
    (!says_nothing && inner != MASK.as_bytes()).then_some(((from, to), end))
}

/// The word that a span ends with, but for quotes and brackets.
pub fn last_word(text: &[u8], (start, end): Span) -> Option<Span> {
    let from = start.max(end.saturating_sub(SEPARATOR_BYTES));
    let trailing =
        |belongs: fn(&u8) -> bool, end: usize| text[from..end].iter().rev().take_while(|b| belongs(b)).count();
    let end = end - trailing(|byte| is_quote(*byte) || b"\\])}".contains(byte), end);
    let length = trailing(|byte| is_word(*byte), end);
    work::done(SEPARATOR_BYTES);
    (length > 0).then_some((end - length, end))
}

/// The end of the value at a text's beginning whose name, or the first part of it, is not there; 0 if there is none.
pub fn nameless(text: &[u8]) -> usize {
    let name = run_end(text, 0, is_word);
    separator(text, name, true).and_then(|separator| value(text, &separator)).map_or(0, |((_, to), _)| to)
}

/// Where a word begins once what belongs to an escape in front of it is left out: the `n` of `\nCookie`, the `3F` of
/// `%3Fcode`.
fn without_escape(text: &[u8], start: usize, end: usize) -> usize {
    let before = if start > 0 { text[start - 1] } else { 0 };
    let skipped = match before {
        b'\\' if matches!(text[start], b'n' | b'r' | b't') => 1,
        b'%' if percent(text, start - 1) != 0 => 2,
        _ => 0,
    };
    if start + skipped < end { start + skipped } else { start }
}

/// The value behind `Bearer` or `Basic`.
fn credential(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let word = &text[start..end];
    let basic = word.eq_ignore_ascii_case(b"basic");
    if !basic && !word.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    let mut from = run_end(&text[..text.len().min(end + SEPARATOR_BYTES)], end, |byte| {
        is_space(byte) || is_quote(byte) || b":=\\<([{".contains(&byte)
    });
    if percent(text, from) == b' ' {
        from += 3;
    }
    if from == end {
        return None;
    }
    let to = run_end(text, from, is_token);
    let value = &text[from..to];
    // "Bearer token missing" is a sentence, and so is "Basic Authentication".
    let sentence = value.iter().skip(1).all(|byte| byte.is_ascii_lowercase() || *byte == b'.');
    let short = value.len() < CREDENTIAL_MIN;
    let is_value = if basic { value.len() >= 8 && !sentence } else { !(short && sentence) };
    (is_value && value != MASK.as_bytes()).then_some((from, to))
}

/// What stands between a name and its value.
struct Separator {
    /// Where the value begins.
    value: usize,
    /// Whether name and value are percent-encoded.
    encoded: bool,
}

/// What stands behind a name that ends at `end`. `is_string`: the name is all of a string, or may be.
fn separator(text: &[u8], end: usize, is_string: bool) -> Option<Separator> {
    let window = &text[..text.len().min(end + SEPARATOR_BYTES)];
    let mut at = end;
    loop {
        work::done(1);
        let byte = byte(window, at);
        if is_quote(byte) {
            // Part of the string's end.
        } else if matches!(percent(window, at), b'"' | b'\'' | b' ' | b'\\') {
            at += 2;
        } else if !b"\\ \t)]".contains(&byte) || at >= window.len() {
            break;
        }
        at += 1;
    }
    let mut encoded = false;
    at = match byte(window, at) {
        b':' | b'=' => run_end(window, at, |byte| matches!(byte, b':' | b'=' | b'>')),
        b'%' if matches!(percent(window, at), b':' | b'=') => {
            encoded = true;
            at + 3
        }
        b',' if is_string && at > end => return paired(window, at + 1),
        b'(' if at == end && is_quote(byte(window, at + 1)) => at + 1,
        _ => return None,
    };
    let value = run_end(window, at, |byte| matches!(byte, b' ' | b'\t'));
    // Behind the line's end only a string is still the name's value.
    let next = run_end(window, value, is_space);
    let value = if is_quote(byte(window, next)) { next } else { value };
    Some(Separator { value, encoded })
}

/// The value of `"name","value"` and of `"name":"…","value":"…"`, of which the first string is the name.
fn paired(window: &[u8], at: usize) -> Option<Separator> {
    let skip = |at: usize| run_end(window, at, |byte| is_space(byte) || byte == b'\\');
    let mut value = run_end(window, at, is_space);
    let label = skip(value);
    if is_quote(byte(window, label)) && window[label + 1..].starts_with(b"value") {
        let colon = skip(label + 6) + 1;
        let colon = run_end(window, colon, is_space);
        if byte(window, colon) == b':' {
            value = run_end(window, colon + 1, is_space);
        }
    }
    is_quote(byte(window, skip(value))).then_some(Separator { value, encoded: false })
}

/// Whether a name is a parameter of a URL or a form body.
fn is_parameter(text: &[u8], start: usize, value: usize) -> bool {
    if !matches!(text[value - 1], b'=' | b'D' | b'd') {
        return false;
    }
    let before = if start > 2 { percent(text, start - 3) } else { 0 };
    let before = if before == 0 && start > 0 { text[start - 1] } else { before };
    let end = run_end(&text[..text.len().min(value + KEY_CHARS_MAX)], value, is_token);
    matches!(before, b'?' | b'&' | b'#') || byte(text, end) == b'&'
}

/// The value at a place: quoted, grouped, or a plain run.
fn value(text: &[u8], separator: &Separator) -> Option<(Span, End)> {
    if separator.encoded {
        return Some(encoded_value(text, separator.value));
    }
    let mut from = separator.value;
    // b'…' of Python and Rust, u'…' and r'…' of Python.
    if matches!(byte(text, from), b'b' | b'u' | b'r') && is_quote(byte(text, from + 1)) {
        from += 1;
    }
    if let Some(found) = quoted(text, from) {
        return Some(found);
    }
    if let Some(open) = group_start(text, from) {
        let (mut end, mut closed) = closing_bracket(text, open);
        // Uint8Array(16) [1, 2, 3] and Map(1) {…} go on behind their first group.
        let next = run_end(text, end, |byte| byte == b' ');
        if open > from && text[open] == b'(' && next <= end + 1 && matches!(byte(text, next), b'[' | b'{') {
            (end, closed) = closing_bracket(text, next);
        }
        return Some(((from, end), if closed { End::Closed } else { End::Line }));
    }
    if byte(text, from) == b'<' {
        from += 1;
    }
    let (count, end) = numbers(text, from);
    let end = if count > 1 {
        end
    } else {
        run_end(text, from, |byte| !is_space(byte) && !b"&,;\"'`<>(){}[]\\".contains(&byte))
    };
    Some(((from, end), End::Run))
}

/// A string at a place, backslashes in front of its quote included.
fn quoted(text: &[u8], from: usize) -> Option<(Span, End)> {
    let quote = run_end(text, from, |byte| byte == b'\\');
    if !is_quote(byte(text, quote)) {
        return None;
    }
    let (mut to, mut closed) = closing_quote(text, quote + 1, text[quote], quote - from);
    // What runs on behind the closing quote shows that it was the opening one of another string.
    while closed && is_token(byte(text, to + 1 + quote - from)) {
        (to, closed) = closing_quote(text, to + 1 + quote - from, text[quote], quote - from);
    }
    Some(((quote + 1, to), if closed { End::Closed } else { End::Quote(text[quote], quote - from) }))
}

/// Where the bracket of a group stands: at the place itself or behind a type's name.
fn group_start(text: &[u8], from: usize) -> Option<usize> {
    let window = &text[..text.len().min(from + SEPARATOR_BYTES)];
    let name = run_end(window, from, |byte| is_word(byte) || byte == b':');
    if matches!(byte(window, name), b'(' | b'[' | b'{') {
        return Some(name);
    }
    let spaced = name + 1;
    let is_type = name > from && byte(window, from).is_ascii_uppercase() && byte(window, name) == b' ';
    (is_type && matches!(byte(window, spaced), b'{' | b'[')).then_some(spaced)
}

fn encoded_value(text: &[u8], from: usize) -> (Span, End) {
    let mut from = from;
    while matches!(percent(text, from), b'"' | b'\'' | b' ' | b'\\') {
        from += 3;
    }
    let mut end = from;
    while end < text.len() && is_token(text[end]) && !b"\"'&,}#\\\n".contains(&percent_or(text, end, b'x')) {
        work::done(1);
        end += 1;
    }
    ((from, end), End::Run)
}

fn percent_or(text: &[u8], at: usize, other: u8) -> u8 {
    match percent(text, at) {
        0 => other,
        character => character,
    }
}

/// The value of a header, which may hold spaces.
fn header_value(text: &[u8], start: usize, separator: &Separator, name: Name) -> Option<(Span, End)> {
    let found = value(text, separator)?;
    let from = separator.value;
    if found.1 != End::Run || separator.encoded {
        return Some(found);
    }
    if name == Name::Authorization {
        let scheme = run_end(text, from, is_word);
        if let Some((_, to)) = credential(text, from, scheme) {
            return Some(((from, to), End::Run));
        }
    }
    let before = if start > 0 { text[start - 1] } else { 0 };
    if is_quote(before) {
        // The whole header is a string: it ends with that.
        let depth = text[..start - 1].iter().rev().take(SEPARATOR_BYTES).take_while(|byte| **byte == b'\\').count();
        let (to, closed) = closing_quote(text, from, before, depth);
        return Some(((from, to), if closed { End::Closed } else { End::Quote(before, depth) }));
    }
    // Raw headers in a string: its line ends are written out.
    let in_string = start > 1 && text[start - 2] == b'\\' && matches!(before, b'n' | b'r' | b't');
    let ends = |at: &usize| match text[*at] {
        b'\n' | b'\r' => true,
        b'"' => in_string,
        b'\\' => in_string && matches!(byte(text, at + 1), b'n' | b'r'),
        _ => false,
    };
    let to = (from..text.len()).find(ends).unwrap_or(text.len());
    work::done(to - from);
    Some(((from, to), End::Line))
}

fn looks_like_key(value: &[u8]) -> bool {
    let opaque = value.len() >= KEY_CHARS_MIN && value.iter().all(|byte| is_token(*byte));
    opaque || value.len() > KEY_CHARS_MAX || value.iter().all(|byte| byte.is_ascii_digit() || b", ".contains(byte))
}

/// The value of a field called `key`, if it is a media key. Public keys carry signatures beside them, an algorithm in
/// front of them, or stand where Synapse's conflict text puts them. Its bytes as numbers show by themselves.
fn maybe_key(text: &[u8], start: usize, separator: &Separator) -> Option<(Span, End)> {
    let window = &text[..text.len().min(separator.value + KEY_CHARS_MAX)];
    let found = if separator.encoded {
        encoded_value(window, separator.value)
    } else {
        quoted(window, separator.value).unwrap_or_else(|| {
            let from = run_end(window, separator.value, |byte| matches!(byte, b'b' | b'\'' | b'"' | b'<'));
            ((from, run_end(window, from, is_token)), End::Run)
        })
    };
    let ((from, to), _) = found;
    let value = &text[from..to];
    let key = value.len() >= KEY_CHARS_MIN && value.iter().all(|byte| is_base64(*byte) || *byte == b'%');
    (key && !is_labelled(text, start) && !beside_signatures(text, from, to)).then_some(found)
}

/// Whether Synapse's conflict text calls the object public that a field stands first in.
fn is_labelled(text: &[u8], start: usize) -> bool {
    let opening = text[..start].iter().rev().take(SEPARATOR_BYTES).take_while(|byte| b"\\\"'{ ".contains(byte)).count();
    work::done(opening);
    let before = &text[..start - opening];
    before.ends_with(b"Old key:") || before.ends_with(b"new key:")
}

/// Whether the object around a value also has a field `signatures`, near by.
fn beside_signatures(text: &[u8], from: usize, to: usize) -> bool {
    let after = &text[to..text.len().min(to + OBJECT_BYTES)];
    let before = &text[from.saturating_sub(OBJECT_BYTES)..from];
    let is_field = |piece: &[u8]| piece.starts_with(b"signatures");
    let mut depth = 0i32;
    for at in 0..after.len() {
        work::done(1);
        match after[at] {
            b'{' | b'[' => depth += 1,
            b'}' | b']' => depth -= 1,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if depth == 0 && is_field(&after[at..]) {
            return true;
        }
    }
    depth = 0;
    for at in (0..before.len()).rev() {
        work::done(1);
        match before[at] {
            b'{' | b'[' => depth -= 1,
            b'}' | b']' => depth += 1,
            _ => {}
        }
        if depth < 0 {
            break;
        }
        if depth == 0 && is_field(&before[at..]) {
            return true;
        }
    }
    false
}

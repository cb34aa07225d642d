//! Secrets that show by the name in front of them.

use super::bytes::{BACKSLASH, DIGIT, LETTER, LINE_END, LOWER, QUOTE, SPACE, Set, TOKEN, WORD, signs};
use super::closed::{Class, EARLIER, mark_end};
use super::names::name;
use super::public::{is_public, is_since};
use super::shape::{OPAQUE_MIN, numbers};
use super::table::{LINKING, Name, PUBLIC_VALUES, STATES, words};
use super::text::{
    byte, closing_bracket, closing_quote, escape, head, is_quote, is_token, is_word, piece, run_end, start_of,
    starts_with,
};
use super::{Span, work};

/// A key of this kind has no fewer characters.
const KEY_CHARS_MIN: usize = OPAQUE_MIN;

/// A longer value is taken for a secret without another look, so that no look goes far.
const KEY_CHARS_MAX: usize = 512;

/// Bytes between a name and its separator, and between that and the value, at most: quotes, backslashes, spaces.
const SEPARATOR_BYTES: usize = 48;

/// Bytes of an address in which a password is looked for.
const AUTHORITY_BYTES: usize = 256;

/// Behind `Bearer` a shorter word in lower case is part of a sentence.
const CREDENTIAL_MIN: usize = 16;

/// What no address has in it.
const OUTSIDE: Set = SPACE.or(QUOTE).or(signs(b"<>(){}"));

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
pub fn secret(text: &[u8], start: usize, end: usize) -> Option<(Span, Class, End)> {
    if let Some(span) = credential(text, start, end) {
        return Some((span, Class::Named, End::Run));
    }
    let is_string = start > 0 && is_quote(byte(text, start - 1));
    let separator = separator(text, start, end, is_string);
    let spoken = separator.is_none() && matches!(byte(text, end), b' ' | b'\t' | b'"' | b'\'' | b'[');
    if separator.is_none() && !spoken {
        return None;
    }
    let name = name(piece(text, start, end)).or_else(|| extensible(text, start, end))?;
    let found = match &separator {
        Some(separator) => written(text, start, separator, name),
        None => spoken_value(text, start, end, name),
    };
    let ((from, to), end) = found?;
    let inner = piece(text, from, to);
    if from == to && to == text.len() {
        // What follows a cut is its value.
        let end = if matches!(name, Name::Phrase | Name::Content) { End::Line } else { End::Run };
        return Some(((to, to), Class::Named, end));
    }
    let says_nothing =
        matches!(inner, b"" | b"null" | b"undefined" | b"true" | b"false" | b"None" | b"none" | b"{}" | b"[]");
    let is_mark = byte(inner, 0) == b'[' && mark_end(inner, 0) == Some(inner.len());
    if says_nothing
        || is_mark
        || (name == Name::Secret && is_bare_token(piece(text, start, text.len())) && is_since(inner))
    {
        return None;
    }
    let class = match name {
        Name::Content => Class::Content,
        Name::MaybeKey => Class::Base64,
        _ => Class::Named,
    };
    Some(((from, to), class, end))
}

/// The fields of extensible events that hold a message's text: `m.text`, `org.matrix.msc1767.html`.
fn extensible(text: &[u8], start: usize, end: usize) -> Option<Name> {
    let before = head(text, start);
    let is_text = matches!(piece(text, start, end), b"text" | b"html");
    (is_text && (before.ends_with(b"m.") || before.ends_with(b"msc1767."))).then_some(Name::Content)
}

/// Whether the word at a text's beginning is just `token`: a sentence calls other things so, too.
fn is_bare_token(text: &[u8]) -> bool {
    starts_with(text, 0, b"token") && !is_word(byte(text, 5))
}

/// The value behind a name and its separator.
fn written(text: &[u8], start: usize, separator: &Separator, name: Name) -> Option<(Span, End)> {
    let is_public_value = |value: &&str| starts_with(text, separator.value, value.as_bytes());
    match name {
        Name::Public => None,
        _ if PUBLIC_VALUES.iter().any(is_public_value) => None,
        Name::Parameter => is_parameter(text, start, separator.value).then(|| value(text, separator)).flatten(),
        Name::Authorization | Name::Cookie => header_value(text, start, separator, name),
        Name::Key => value(text, separator)
            .filter(|((from, to), end)| *end != End::Run || looks_like_key(piece(text, *from, *to))),
        Name::MaybeKey => key_value(text, separator)
            .filter(|((from, to), _)| is_base64_key(piece(text, *from, *to)) && !is_public(text, *from, *to, 0)),
        Name::Phrase => value(text, separator).map(|found| phrase(text, found)),
        Name::Content => content(text, separator),
        Name::Secret => value(text, separator),
    }
}

/// What people wrote goes on to the end of its line. A server's error is none of it.
fn content(text: &[u8], separator: &Separator) -> Option<(Span, End)> {
    let from = separator.value;
    let opening = run_end(head(text, from + SEPARATOR_BYTES), from, const { signs(b"{\\\"' \n") });
    if byte(text, from) == b'{' && (starts_with(text, opening, b"errcode") || starts_with(text, opening, b"error\"")) {
        return None;
    }
    let ((from, to), end) = value(text, separator)?;
    if end != End::Run || separator.encoded {
        return Some(((from, to), end));
    }
    Some(((from, line_end(text, to)), End::Line))
}

/// A value that a person has chosen goes on to the end of its line, or to the next name.
fn phrase(text: &[u8], ((from, to), end): (Span, End)) -> (Span, End) {
    if end != End::Run || to == from {
        return ((from, to), end);
    }
    let mut at = to;
    while at < text.len() {
        work::done(1);
        match byte(text, at) {
            b'\n' | b'\r' | b'"' | b'\'' | b'`' | b'}' | b')' | b']' | b'>' | b'<' | b'{' => break,
            0xe2 if starts_with(text, at, "…[".as_bytes()) => break,
            b'\\' if matches!(byte(text, at + 1), b'n' | b'r' | b'"' | b'\'' | b'\\') => break,
            b',' | b';' | b'&' | b' ' if is_next_field(text, at) => break,
            _ => at += 1,
        }
    }
    if at == text.len() {
        return ((from, at), End::Line);
    }
    ((from, start_of(text, at, at - to, SPACE)), End::Run)
}

/// Whether a name and its separator follow a comma, a semicolon, an ampersand or a space.
fn is_next_field(text: &[u8], at: usize) -> bool {
    let start = run_end(head(text, at + 4), at, const { signs(b",;& ") });
    let end = run_end(head(text, start + SEPARATOR_BYTES), start, WORD);
    let quoted = is_quote(byte(text, start)) || (byte(text, at) == b',' && start == text.len());
    quoted || (end > start && matches!(byte(text, end), b'=' | b':') && !starts_with(text, end, b"://"))
}

fn line_end(text: &[u8], from: usize) -> usize {
    run_end(text, from, LINE_END.not())
}

/// A value that a sentence names: `token abc1`, `password is x`, `password for alice: x`, `--password x`.
fn spoken_value(text: &[u8], start: usize, end: usize, name: Name) -> Option<(Span, End)> {
    let from = run_end(head(text, end + SEPARATOR_BYTES), end, const { signs(b" \t|(") });
    let word_end = |from: usize| run_end(head(text, from + KEY_CHARS_MAX), from, SPACE.not());
    let plain = |from: usize| {
        let separator = Separator { value: from, encoded: false };
        let found = value(text, &separator)?;
        Some(if name == Name::Phrase { phrase(text, found) } else { found })
    };
    match name {
        Name::Content if piece(text, start, end).eq_ignore_ascii_case(b"plaintext") && from > end => {
            return Some(((from, line_end(text, from)), End::Line));
        }
        Name::Content if matches!(byte(text, from), b'{') => {
            return content(text, &Separator { value: from, encoded: false });
        }
        Name::Secret | Name::Phrase => {}
        Name::Cookie if starts_with(text, from, b"is ") => return Some(((from + 3, line_end(text, from)), End::Line)),
        _ => return None,
    }
    let first = piece(text, from, word_end(from));
    if piece(text, start, end).starts_with(b"--") {
        return (!first.is_empty() && !first.starts_with(b"--")).then(|| plain(from)).flatten();
    }
    if matches!(first, b"is" | b"was" | b"are" | b"equals") {
        let next = run_end(text, from + first.len(), const { signs(b" ") });
        return (!is_state(text, next)).then(|| plain(next)).flatten();
    }
    if first == b"for" {
        let whom = run_end(text, from + 3, const { signs(b" ") });
        let whom_end = word_end(whom);
        let named = text[whom..whom_end].ends_with(b":") && whom_end < text.len();
        return named.then(|| plain(run_end(text, whom_end, const { signs(b" ") }))).flatten();
    }
    match byte(text, from) {
        b'"' | b'\'' | b'`' if from > end => quoted(text, from),
        b'[' | b'{' => {
            let (to, closed) = closing_bracket(head(text, from + KEY_CHARS_MAX), from);
            let inner = piece(text, from + 1, to);
            let is_code = inner.len() <= 4;
            let is_value = closed
                && from > end
                && !is_code
                && !const { signs(b" ") }.meets(inner)
                && mark_end(text, from).is_none();
            is_value.then_some(((from, to), End::Closed))
        }
        b'<' | b')' => None,
        _ => {
            let ((from, to), end) = plain(from)?;
            is_mixed(piece(text, from, run_end(text, from, const { SPACE.or(signs(b",")).not() }).min(to)))
                .then_some(((from, to), end))
        }
    }
}

/// Whether a sentence goes on at a place: with how it is, and not with what it is.
fn is_state(text: &[u8], from: usize) -> bool {
    let word = |from: usize| {
        let end = run_end(head(text, from + SEPARATOR_BYTES), from, LETTER);
        (piece(text, from, end), end)
    };
    let is_of = |list: &str, said: &[u8]| words(list).any(|word| word.eq_ignore_ascii_case(said));
    let (said, end) = word(from);
    let next = run_end(head(text, end + SEPARATOR_BYTES), end, const { signs(b" ") });
    let ends = next == end || !byte(text, next).is_ascii_alphanumeric() || is_of(LINKING, word(next).0);
    let is_word = !is_word(byte(text, end)) || said.is_empty();
    let ended = (from >= text.len() || const { signs(b"\n.,;:!?()\"'") }.has(byte(text, from)))
        && !byte(text, from + 1).is_ascii_alphanumeric();
    is_word && (ended || is_of(LINKING, said) || (is_of(STATES, said) && ends))
}

/// Whether a word is none of a sentence: letters with digits in them, or signs that words do not have.
fn is_mixed(word: &[u8]) -> bool {
    let letters = LETTER.meets(word);
    let digits = DIGIT.meets(word);
    let signs = const { signs(b"!#$%^&*+=~|/") }.meets(word);
    word.len() >= 6 && ((letters && (digits || signs)) || (digits && word.len() >= OPAQUE_MIN))
}

/// The word that a span ends with, but for quotes and brackets.
pub fn last_word(text: &[u8], (start, end): Span) -> Option<Span> {
    let from = start.max(end.saturating_sub(SEPARATOR_BYTES));
    let end = start_of(text, end, end - from, const { QUOTE.or(signs(b"\\])}")) });
    let word = start_of(text, end, end - from, WORD);
    (word < end).then_some((word, end))
}

/// The end of the value at a text's beginning whose name, or the first part of it, is not there; 0 if there is none.
pub fn nameless(text: &[u8]) -> usize {
    let name = run_end(text, 0, WORD);
    separator(text, 0, name, true).and_then(|separator| value(text, &separator)).map_or(0, |((_, to), _)| to)
}

/// A user's password in an address: `https://user:password@host`, `turn:user:password@host`.
pub fn userinfo(text: &[u8], word: usize, end: usize) -> Option<Span> {
    if byte(text, end) != b':' {
        return None;
    }
    let from = if starts_with(text, end, b"://") {
        end + 3
    } else if matches!(piece(text, word, end), b"turn" | b"turns" | b"stun" | b"stuns" | b"sip" | b"sips") {
        end + 1
    } else {
        return None;
    };
    let window = head(text, from + AUTHORITY_BYTES);
    let whole = run_end(window, from, const { OUTSIDE.not() });
    let authority = run_end(window, from, const { OUTSIDE.or(signs(b"/?#")).not() });
    let user = run_end(head(window, authority), from, const { signs(b":@").not() });
    // A port is a number; a password may hold a slash.
    let colon = user < authority && byte(window, user) == b':';
    let port = run_end(head(window, authority), user + 1, DIGIT) == authority;
    let limit = if colon && !port { whole } else { authority };
    let behind = start_of(window, limit, limit - from, const { signs(b"@").not() });
    if behind == from {
        return None;
    }
    let at = behind - 1;
    let secret = if colon { (user + 1, at) } else { (from, at) };
    (secret.0 < at && mark_end(text, secret.0) != Some(at)).then_some(secret)
}

/// The value behind `Bearer` or `Basic`.
fn credential(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let word = piece(text, start, end);
    let basic = word.eq_ignore_ascii_case(b"basic");
    if !basic && !word.eq_ignore_ascii_case(b"bearer") {
        return None;
    }
    let window = head(text, end + SEPARATOR_BYTES);
    let mut from = end;
    loop {
        let (character, width) = escape(window, from);
        if !(const { SPACE.or(QUOTE).or(signs(b":=,\\<([{")) }.has(character)) || from >= window.len() {
            break;
        }
        if mark_end(text, from).is_some() {
            return None;
        }
        from += width;
    }
    if from == end {
        return None;
    }
    let to = run_end(text, from, TOKEN);
    let value = piece(text, from, to);
    // "Bearer token missing" is a sentence, and so is "Basic Authentication".
    let sentence = const { LOWER.or(signs(b".")) }.holds(piece(value, 1, value.len()));
    let short = value.len() < CREDENTIAL_MIN;
    let is_value = if basic { value.len() >= 8 && !sentence } else { !(short && sentence) };
    is_value.then_some((from, to))
}

/// What stands between a name and its value.
struct Separator {
    /// Where the value begins.
    value: usize,
    /// Whether name and value are percent-encoded.
    encoded: bool,
}

/// What stands behind the name `start..end`. `is_string`: the name is all of a string, or may be.
fn separator(text: &[u8], start: usize, end: usize, is_string: bool) -> Option<Separator> {
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
        if at >= window.len() || !(const { QUOTE.or(signs(b"\\ \t)]\x80")) }.has(character)) {
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
        b'>' if at == end && is_tag(text, start) => at + 1,
        _ if is_string && at > end + 1 => return valued(window, end, at),
        b'\r' | b'\n' if is_string => return parted(window, at),
        _ => return None,
    };
    let value = run_end(window, at, const { signs(b" \t") });
    let next = run_end(window, value, SPACE);
    // Behind the line's end a value still follows where the line has none.
    Some(Separator { value: next, encoded })
}

/// Whether the word at a place begins a tag, `<password>`. A type has its own name in front of it, `Vec<Token>`.
fn is_tag(text: &[u8], start: usize) -> bool {
    head(text, start).ends_with(b"<") && !(start > 1 && is_word(byte(text, start - 2)))
}

/// The value of `"name","value"` and of `"name":"…","value":"…"`, of which the first string is the name.
fn paired(window: &[u8], at: usize) -> Option<Separator> {
    let skip = |at: usize| run_end(window, at, const { SPACE.or(signs(b"\\")) });
    let mut value = run_end(window, at, SPACE);
    let label = skip(value);
    let label = if is_quote(byte(window, label)) { label + 1 } else { label };
    if starts_with(window, label, b"value") {
        let colon = run_end(window, label + 5, const { SPACE.or(QUOTE).or(signs(b"\\")) });
        if byte(window, colon) == b':' {
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
fn is_parameter(text: &[u8], start: usize, value: usize) -> bool {
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

/// The value at a place: quoted, grouped, or a plain run.
fn value(text: &[u8], separator: &Separator) -> Option<(Span, End)> {
    let mut from = separator.value;
    let (quote, width) = escape(text, from);
    if separator.encoded || (is_quote(quote) && width > 1) {
        return Some(encoded_value(text, separator.value));
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
    if let Some(open) = group_start(text, from) {
        let (mut end, mut closed) = closing_bracket(text, open);
        // Uint8Array(16) [1, 2, 3] and Map(1) {…} go on behind their first group.
        let next = run_end(text, end, const { signs(b" ") });
        if open > from && byte(text, open) == b'(' && next <= end + 1 && matches!(byte(text, next), b'[' | b'{') {
            (end, closed) = closing_bracket(text, next);
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
fn quoted(text: &[u8], from: usize) -> Option<(Span, End)> {
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
fn encoded_value(text: &[u8], from: usize) -> (Span, End) {
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

/// The value of a header, which may hold spaces.
fn header_value(text: &[u8], start: usize, separator: &Separator, name: Name) -> Option<(Span, End)> {
    let found = value(text, separator)?;
    let from = separator.value;
    if found.1 != End::Run || separator.encoded {
        return Some(found);
    }
    if name == Name::Authorization {
        let scheme = run_end(text, from, WORD);
        if let Some((_, to)) = credential(text, from, scheme) {
            return Some(((from, to), End::Run));
        }
    }
    let before = if start > 0 { byte(text, start - 1) } else { 0 };
    if is_quote(before) {
        // The whole header is a string: it ends with that.
        let depth = start - 1 - start_of(text, start - 1, SEPARATOR_BYTES, BACKSLASH);
        let (to, closed) = closing_quote(text, from, before, depth);
        return Some(((from, to), if closed { End::Closed } else { End::Quote(before, depth) }));
    }
    // Raw headers in a string: its line ends are written out.
    let in_string = start > 1 && byte(text, start - 2) == b'\\' && matches!(before, b'n' | b'r' | b't');
    let ends = |at: &usize| match byte(text, *at) {
        b'\n' | b'\r' => true,
        b'"' => in_string,
        b'\\' => in_string && matches!(byte(text, at + 1), b'n' | b'r'),
        _ => false,
    };
    let to = (from..text.len()).find(ends).unwrap_or(text.len());
    work::done(to - from);
    Some(((from, to), End::Line))
}

/// The value of a field that may be a key. The look does not go far: a key is short.
fn key_value(text: &[u8], separator: &Separator) -> Option<(Span, End)> {
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
fn is_base64_key(value: &[u8]) -> bool {
    let key = head(value, start_of(value, value.len(), usize::MAX, const { signs(b"=") }));
    matches!(key.len(), 22 | 32 | 43 | 64 | 86)
        && const { WORD.or(signs(b"+/")) }.holds(key)
        && !const { LOWER.or(signs(b"_-")) }.holds(key)
}

fn looks_like_key(value: &[u8]) -> bool {
    let opaque = value.len() >= KEY_CHARS_MIN && TOKEN.holds(value);
    opaque || value.len() > KEY_CHARS_MAX || const { DIGIT.or(signs(b", ")) }.holds(value)
}

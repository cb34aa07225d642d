//! Secrets that show by the name in front of them.

mod credential;
mod separator;
mod value;

use super::bytes::{DIGIT, LETTER, LINE_END, QUOTE, SPACE, Set, WORD, signs};
use super::closed::{Class, mark_end};
use super::names::name;
use super::public::{is_algorithm, is_public, is_since};
use super::shape::OPAQUE_MIN;
use super::table::{FOR, LINKING, Name, PUBLIC_VALUES, SAYING, STATES, words};
use super::text::{byte, closing_bracket, head, is_quote, is_word, piece, run_end, start_of, starts_with};
use super::{Span, work};
pub use credential::userinfo;
use credential::{credential, header_value};
use separator::{Separator, is_parameter, separator};
use value::{is_base64_key, key_value, looks_like_key, quoted, value};

/// A key of this kind has no fewer characters.
const KEY_CHARS_MIN: usize = OPAQUE_MIN;

/// A longer value is taken for a secret without another look, so that no look goes far.
const KEY_CHARS_MAX: usize = 512;

/// Bytes between a name and its separator, and between that and the value, at most: quotes, backslashes, spaces.
const SEPARATOR_BYTES: usize = 48;

/// How the mark of a gap begins.
const GAP: &[u8] = "…[".as_bytes();

/// Signs that a value may have, and a word of a sentence has not.
const VALUE_SIGNS: Set = signs(b"!#$%^&*+=~|/");

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
    if separator.is_none() && !(spoken && leads_to_value(text, start, end)) {
        return None;
    }
    // A device's id may end like a name, and so may a key's.
    if is_algorithm(head(text, start)) {
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
        return Some(((to, to), Class::Named, End::Line));
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
            0xe2 if starts_with(text, at, GAP) => break,
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

/// Whether what follows a word of a sentence may be a value: another plain word is none, whatever the first one means. Most words
/// of a line end here, before they are looked up.
fn leads_to_value(text: &[u8], start: usize, end: usize) -> bool {
    let from = run_end(head(text, end + SEPARATOR_BYTES), end, const { signs(b" \t|(") });
    if !LETTER.has(byte(text, from)) {
        return true;
    }
    let to = run_end(head(text, from + KEY_CHARS_MAX), from, SPACE.not());
    let next = piece(text, from, to);
    to - from == KEY_CHARS_MAX
        || const { DIGIT.or(VALUE_SIGNS) }.meets(next)
        || is_of(SAYING, next)
        || byte(text, start) == b'-'
        || piece(text, start, end).eq_ignore_ascii_case(b"plaintext")
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
    if byte(text, start) == b'-' {
        return (!first.is_empty() && byte(first, 0) != b'-').then(|| plain(from)).flatten();
    }
    if first.eq_ignore_ascii_case(FOR) {
        let whom = run_end(text, from + 3, const { signs(b" ") });
        let whom_end = word_end(whom);
        let named = text[whom..whom_end].ends_with(b":") && whom_end < text.len();
        return named.then(|| plain(run_end(text, whom_end, const { signs(b" ") }))).flatten();
    }
    if is_of(SAYING, first) {
        let next = run_end(text, from + first.len(), const { signs(b" ") });
        return (!is_state(text, next)).then(|| plain(next)).flatten();
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
    let (said, end) = word(from);
    let next = run_end(head(text, end + SEPARATOR_BYTES), end, const { signs(b" ") });
    // Behind a gap's mark nobody knows how the sentence goes on.
    let ends = (next == end || !byte(text, next).is_ascii_alphanumeric() || is_of(LINKING, word(next).0))
        && !starts_with(text, next, GAP);
    let is_word = !is_word(byte(text, end)) || said.is_empty();
    let ended = (from >= text.len() || const { signs(b"\n.,;:!?()\"'") }.has(byte(text, from)))
        && !byte(text, from + 1).is_ascii_alphanumeric();
    is_word && (ended || is_of(LINKING, said) || (is_of(STATES, said) && ends))
}

/// Where in a text that a cut ends a sentence begins to say a secret, the rest of which is behind the cut: `password`,
/// `password wa`, `password for ali`, `password is correct`. What the words behind the name say does not count: they may not be
/// whole, and a state may be the secret's first word.
pub fn begun(text: &[u8]) -> Option<usize> {
    // Where words begin behind the one at hand: the second, the first.
    let (mut value, mut next, mut end) = (text.len(), text.len(), text.len());
    for _ in 0..4 {
        end = start_of(text, end, SEPARATOR_BYTES, const { signs(b" ") });
        let start = start_of(text, end, SEPARATOR_BYTES, WORD);
        let before = head(text, start);
        let is_name = matches!(name(piece(text, start, end)), Some(Name::Secret | Name::Phrase | Name::Content));
        if is_name && !is_algorithm(before) && !before.last().is_some_and(|byte| is_quote(*byte)) {
            return Some(value);
        }
        end = start_of(text, start, SEPARATOR_BYTES, SPACE.not());
        (value, next) = (next, end);
    }
    None
}

fn is_of(list: &str, said: &[u8]) -> bool {
    words(list).any(|word| word.eq_ignore_ascii_case(said))
}

/// Whether a word is none of a sentence: letters with digits in them, or signs that words do not have.
fn is_mixed(word: &[u8]) -> bool {
    let letters = LETTER.meets(word);
    let digits = DIGIT.meets(word);
    let signs = VALUE_SIGNS.meets(word);
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

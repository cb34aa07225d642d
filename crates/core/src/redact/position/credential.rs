//! What lets somebody in, by where it stands: in an address, behind a program's option, in a header.

use super::super::bytes::{BACKSLASH, DIGIT, LOWER, QUOTE, SPACE, Set, TOKEN, WORD, signs};
use super::super::closed::mark_end;
use super::super::table::{Name, USER_OPTIONS, words};
use super::super::text::{byte, closing_quote, escape, head, is_quote, piece, run_end, start_of, starts_with};
use super::super::{Span, work};
use super::separator::Separator;
use super::value::value;
use super::{End, SEPARATOR_BYTES};

/// Bytes of an address in which a password is looked for.
const AUTHORITY_BYTES: usize = 256;

/// Behind `Bearer` a shorter word in lower case is part of a sentence.
const CREDENTIAL_MIN: usize = 16;

/// What no address has in it.
const OUTSIDE: Set = SPACE.or(QUOTE).or(signs(b"<>(){}"));

/// A user's password in an address, `https://user:password@host`, `turn:user:password@host`, or behind a program's option.
pub fn userinfo(text: &[u8], word: usize, end: usize) -> Option<Span> {
    if byte(text, end) != b':' {
        return option(text, word, end);
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

/// The password behind the user's name of an option: `curl -u user:password`. A user id stays, and so do two numbers, which
/// are a user and a group.
fn option(text: &[u8], word: usize, end: usize) -> Option<Span> {
    if byte(text, word) != b'-' || !words(USER_OPTIONS).any(|option| option == piece(text, word, end)) {
        return None;
    }
    let window = head(text, end + AUTHORITY_BYTES);
    let user = run_end(window, end, const { SPACE.or(QUOTE).or(signs(b"=")) });
    let colon = run_end(window, user, const { SPACE.or(QUOTE).or(signs(b":@")).not() });
    // In quotes it may hold spaces.
    let ends = if is_quote(byte(window, user - 1)) { QUOTE } else { SPACE.or(QUOTE) };
    let to = run_end(window, colon + 1, ends.not());
    let password = piece(window, colon + 1, to);
    let is_password = user > end && colon > user && byte(window, colon) == b':' && !DIGIT.holds(password);
    (is_password && mark_end(text, colon + 1) != Some(to)).then_some((colon + 1, to))
}

/// The value behind `Bearer` or `Basic`.
pub fn credential(text: &[u8], start: usize, end: usize) -> Option<Span> {
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

/// The value of a header, which may hold spaces.
pub fn header_value(text: &[u8], start: usize, separator: &Separator, name: Name) -> Option<(Span, End)> {
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

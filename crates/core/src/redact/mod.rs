//! Redaction: whatever could be a secret is *closed* (replaced by a mark) before anything is cut or stored. What is public by its
//! form and its position stays.
//!
//! Public are words; ids in their own form (`$`, `!`, `@`, `#`) or behind the name of one (`message_id`); public keys
//! behind their algorithm (`curve25519:`), in the signed object of a one-time key, or in a field that rust-crypto prints
//! as public. Closed is what stands behind a secret's **name**, whatever it looks like; what people wrote; and every other
//! stretch that is random enough to be a secret by its **shape**: tokens, base64, hexadecimal, lists of bytes, recovery
//! keys, armour.
//!
//! The search looks at each byte a bounded number of times, since it runs in the page on hostile input.

mod bytes;
mod clean;
mod closed;
mod edge;
mod names;
mod position;
mod public;
mod shape;
pub mod table;
mod text;
mod work;

use std::borrow::Cow;

use crate::text::part;

use bytes::{ALNUM, DIGIT, HEX, WORD};
pub use clean::Clean;
pub use closed::{Class, is_closed, marks};
pub use edge::{redact_head, redact_pieces};
use position::End;
use table::Name;

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text, borrowed where nothing had to be closed.
    pub text: Cow<'a, str>,
    /// How many stretches were closed.
    pub count: u32,
}

/// Passes over a text at most. A stretch that one pass closes may show the next pass that its neighbour is not public. Usually two passes
/// are enough, the second of which finds nothing. A text that was made to need more passes is closed as a whole.
const LOOKS_MAX: usize = 6;

/// Closes every stretch of a text that could be a secret. The result is searched again until nothing is found, so redacting a
/// redacted text never changes it.
pub fn redact(text: &str) -> Redacted<'_> {
    let mut redacted = Redacted { text: Cow::Borrowed(text), count: 0 };
    for _ in 0..LOOKS_MAX {
        let (found, _) = secrets(redacted.text.as_bytes());
        if found.is_empty() {
            return redacted;
        }
        redacted.text = Cow::Owned(close(&redacted.text, &found));
        redacted.count += found.len() as u32;
    }
    redacted.text = Cow::Borrowed(closed::NAMED);
    redacted
}

/// Closes what is a token by its form, and nothing else.
fn close_tokens(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if !text::is_word(text::byte(bytes, at)) {
            at = public::id_end(bytes, at).unwrap_or(at + 1);
            continue;
        }
        let end = text::run_end(bytes, at, WORD);
        let token = shape::token(bytes, at, end);
        at = token.map_or(end, |(span, _)| span.1.max(end));
        found.extend(token.map(|(span, class)| Found { span, class }));
    }
    close(text, &found)
}

/// The same for the value of a field, whose name says what it is: an id or a public key stays behind the name of one.
pub fn redact_field(name: &str, value: &str) -> String {
    let bytes = value.as_bytes();
    if table::REPORT_KEYS.contains(&name) && public::is_id(bytes) {
        return value.to_owned();
    }
    match names::name(name.as_bytes()) {
        Some(Name::Public) if public::is_id(bytes) => value.to_owned(),
        None | Some(Name::Public | Name::Parameter | Name::MaybeKey) => redact(value).text.into_owned(),
        Some(_) if bytes.is_empty() => String::new(),
        Some(_) => closed::NAMED.to_owned(),
    }
}

/// Start and end of a stretch, in bytes.
type Span = (usize, usize);

/// A stretch that is closed.
#[derive(Clone, Copy, Debug)]
struct Found {
    span: Span,
    class: Class,
}

fn close(text: &str, found: &[Found]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Found { span: (start, end), class } in found {
        out.push_str(part(text, done, *start));
        closed::write(&mut out, *class, part(text, *start, *end));
        done = *end;
    }
    out.push_str(part(text, done, text.len()));
    out
}

/// The stretches to close, in order and without overlap; and, if the last one reaches the text's end, what would end it.
fn secrets(text: &[u8]) -> (Vec<Found>, End) {
    let mut found = Vec::new();
    let mut open = End::Closed;
    let (mut at, mut public) = (0, 0);
    let mut run = shape::Run::default();
    while at < text.len() {
        work::done(1);
        if !text::is_word(text::byte(text, at)) {
            at = closed::mark_end(text, at)
                .or_else(|| public::id_end(text, at))
                .unwrap_or_else(|| at + text::escape(text, at).1);
            continue;
        }
        let start = at;
        at = text::run_end(text, at, WORD);
        let mut next = strong(text, start, at).or_else(|| position::secret(text, start, at));
        if let Some(((from, to), _, end)) = next
            && from == to
        {
            // The value was cut off. But a random text may end with the letters of a name (`…pwd==`), so look at the name itself, too.
            (open, next) = (end, None);
        }
        if matches!(next, Some((_, Class::RecoveryKey, _))) {
            // The `+` and `/` of a key or a signature can stand where a recovery key has the gaps between its groups.
            if let Some(end) = public::key_end(text, start, public) {
                (public, at) = (end, end);
                continue;
            }
        }
        if next.is_none() && HEX.has(text::byte(text, start)) {
            let (end, is_key) = list(text, start);
            next = is_key.then_some(((start, end), Class::Bytes, End::Run));
            // If a list of numbers is no key, skip all of it rather than starting again at each number.
            at = end.max(at);
        }
        if next.is_none() {
            if start >= run.end {
                run = shape::run(text, start);
                let slash = text::run_end(text::head(text, run.end), start, const { bytes::signs(b"/").not() });
                if slash < run.end && run.end - start >= shape::OPAQUE_MIN && shape::is_in_path(text, &run) {
                    run = shape::run(text::head(text, slash), start);
                }
            }
            next = random(text, start, at, &run);
            if next.is_some_and(|_| public::is_public(text, run.start, run.end, public)) {
                next = None;
                public = run.end;
                at = run.end;
            }
        }
        while let Some((span, class, end)) = next {
            at = span.1.max(at);
            open = if span.1 == text.len() { end } else { End::Closed };
            if span.0 < span.1 {
                found.push(Found { span, class });
            }
            // The value that was just closed may itself be the name of another value (`"access_token" "Bearer": "…"`), so look for
            // that value as well.
            next = position::last_word(text, span).and_then(|(start, end)| position::secret(text, start, end));
            next = next.filter(|(next, ..)| next.0 >= span.1 && next.1 > span.1);
        }
    }
    (found, open)
}

type Next = Option<(Span, Class, End)>;

/// A secret that is known by its form alone.
fn strong(text: &[u8], start: usize, end: usize) -> Next {
    if let Some(end) = shape::armour(text, start) {
        return Some(((start, end), Class::Pem, if end == text.len() { End::Line } else { End::Closed }));
    }
    let found = shape::token(text, start, end)
        .or_else(|| shape::groups(text, start).map(|span| (span, Class::RecoveryKey)))
        .or_else(|| position::userinfo(text, start, end).map(|span| (span, Class::Named)));
    found.map(|(span, class)| (span, class, End::Run))
}

/// The end of the list of numbers at a place, and whether they are a key's bytes.
fn list(text: &[u8], start: usize) -> (usize, bool) {
    if let Some((_, end)) = shape::hex_bytes(text, start) {
        return (end, true);
    }
    if !DIGIT.has(text::byte(text, start)) {
        return (start, false);
    }
    let (_, end, is_key) = shape::numbers(text, start);
    (end, is_key)
}

/// A random stretch in the word `start..end`, which is part of the run, or the whole run.
fn random(text: &[u8], start: usize, end: usize, run: &shape::Run) -> Next {
    if let Some(class) = run.class {
        return Some(((run.start, run.end), class, End::Run));
    }
    let mut at = start;
    while at < end.min(run.limit) {
        let atom = text::run_end(text, at, ALNUM);
        if atom - at >= 4
            && let Some(span) = shape::stretch(text, at, run.limit)
        {
            return Some((span, Class::Base64, End::Run));
        }
        at = atom + 1;
    }
    None
}

#[cfg(test)]
mod tests;

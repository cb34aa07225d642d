//! Redacts a line whose middle is missing: a secret may have lost its name, its end or its beginning to the gap.

use crate::cut::gap;
use crate::text::joined;

use super::bytes::{ALNUM, DIGIT, LINE_END, QUOTE, SPACE, TOKEN, UPPER, signs};
use super::closed::Class;
use super::position::{End, begun, nameless};
use super::shape::armour_end;
use super::text::{byte, closing_quote, head, is_quote, piece, run_end, start_of};
use super::{Clean, Found, close, redact, secrets, work};

/// If a closing quote stands within this many bytes after the gap, the text before it is treated as the end of a secret whose name
/// was in the gap.
const STRING_BYTES: usize = 512;

/// Letters and digits after the sign of an escape at most: `\u0026` has five.
const ESCAPE_BYTES: usize = 6;

/// Bytes that can be left of the first line of armoured text at most.
const LABEL_BYTES: usize = 64;

/// A run of at least this many characters, not all in lower case, may be a token whose name was in the gap.
const OPAQUE_MIN: usize = 16;

/// Redacts a line of which only the head and the tail are present, and joins them with a mark for the gap.
///
/// A run of characters at the edge of the gap may be part of a secret, so the whole run is closed. More is closed if the text there looks
/// like a list of numbers, a recovery key, cookies, or the end of a string. If a secret's value runs into the gap, the tail is closed up
/// to that value's end. `missing` is the gap's length in UTF-16 code units.
pub fn redact_pieces(head: &str, tail: &str, missing: usize) -> (Clean, u32) {
    let (head_found, open) = head_found(head);
    let lost = tail_edge(tail.as_bytes(), open);
    let (mut tail_found, _) = secrets(tail.as_bytes());
    if lost > 0 {
        cover(&mut tail_found, (0, lost));
    }
    let count = (head_found.len() + tail_found.len()) as u32;
    let joined = joined(&[&close(head, &head_found), &gap(missing, "characters"), &close(tail, &tail_found)]);
    let redacted = redact(&joined);
    (Clean::made(&redacted), count + redacted.count)
}

/// Redacts the beginning of a longer text whose rest is dropped. A run of characters that touches the cut is closed as well.
pub fn redact_head(head: &str) -> Clean {
    Clean::new(&close(head, &head_found(head).0))
}

fn head_found(head: &str) -> (Vec<Found>, End) {
    let whole = without_escape(head.as_bytes());
    let (mut found, mut open) = secrets(whole);
    let mut kept = head_edge(head.as_bytes());
    if open == End::Closed
        && let Some(from) = begun(whole)
    {
        (kept, open) = (kept.min(from), End::Line);
    }
    if kept < head.len() {
        cover(&mut found, (kept, head.len()));
    }
    (found, open)
}

/// A head without an incomplete escape at its end, through which the cut may have gone: `&quo`, `%2`, `\u00`.
fn without_escape(head: &[u8]) -> &[u8] {
    let end = start_of(head, head.len(), 1, const { signs(b";") });
    let start = start_of(head, end, ESCAPE_BYTES, const { ALNUM.or(signs(b"#")) });
    let sign = start_of(head, start, usize::MAX, const { signs(b"&%\\") });
    if sign < start { piece(head, 0, sign) } else { head }
}

/// Adds a stretch at an edge, merged with stretches that it touches. Its class is not named, since it is only a part.
fn cover(found: &mut Vec<Found>, edge: (usize, usize)) {
    let (mut from, mut to) = edge;
    found.retain(|Found { span, .. }| {
        let touches = span.0 < edge.1 && edge.0 < span.1;
        if touches {
            from = from.min(span.0);
            to = to.max(span.1);
        }
        !touches
    });
    // An edge is the beginning of a text or its end.
    let place = if edge.0 > 0 { found.len() } else { 0 };
    found.insert(place, Found { span: (from, to), class: Class::Named });
}

/// The end of the part of a head that is kept.
fn head_edge(head: &[u8]) -> usize {
    let start_of_run = |end: usize| start_of(head, end, usize::MAX, SPACE.not());
    let mut kept = start_of_run(head.len());
    let stop = kept.saturating_sub(STRING_BYTES);
    // A list of numbers, or groups of a recovery key, may extend to the left.
    loop {
        let end = start_of(head, kept, usize::MAX, SPACE);
        let start = start_of_run(end);
        if start == end || start < stop || !is_part(piece(head, start, end), byte(head, end)) {
            return kept;
        }
        kept = start;
    }
}

/// The beginning of the part of a tail that is kept. It depends on whether the head ended inside of a secret.
fn tail_edge(tail: &[u8], open: End) -> usize {
    let whole_secret = match open {
        // A quote right at the edge may have been escaped by a backslash in the gap.
        End::Quote(quote, depth) => closing_quote(tail, 1.min(tail.len()), quote, depth).0,
        End::Line => run_end(tail, 0, const { signs(b"\n").not() }),
        End::Run | End::Closed => 0,
    };
    whole_secret.max(armour_edge(tail)).max(nameless(tail)).max(runs_edge(tail)).max(string_edge(tail))
}

/// The end of armoured text whose first line has lost its beginning.
fn armour_edge(tail: &[u8]) -> usize {
    let label = run_end(head(tail, LABEL_BYTES), 0, const { UPPER.or(DIGIT).or(signs(b" -")) });
    let is_label = head(tail, label).ends_with(b"-----") && const { LINE_END.or(signs(b"\\")) }.has(byte(tail, label));
    if is_label { armour_end(tail, label) } else { 0 }
}

/// The end of the runs at a tail's beginning that may be a secret.
fn runs_edge(tail: &[u8]) -> usize {
    let mut lost = 0;
    loop {
        let start = run_end(tail, lost, SPACE);
        let end = run_end(tail, start, SPACE.not());
        let run = piece(tail, start, end);
        let before = if lost > 0 { byte(tail, lost - 1) } else { 0 };
        let space = if start > 0 { byte(tail, start - 1) } else { 0 };
        let is_value = matches!(before, b';' | b':' | b'=');
        let is_cookie = run.ends_with(b";") && const { signs(b"=") }.meets(run);
        if run.is_empty() || !(start == 0 || is_value || is_cookie || is_part(run, space) || is_opaque(run)) {
            return lost;
        }
        lost = end;
    }
}

/// Whether a run is a piece of a list of numbers or of a recovery key. `space`: the byte between it and the gap.
fn is_part(run: &[u8], space: u8) -> bool {
    const { DIGIT.or(QUOTE).or(signs(b",:;{}[]()\\")) }.holds(run)
        || (matches!(space, b' ' | b'\t') && run.len() == 4 && ALNUM.holds(run))
}

fn is_opaque(run: &[u8]) -> bool {
    let mut at = 0;
    while at < run.len() {
        let end = run_end(run, at, TOKEN);
        let token = piece(run, at, end);
        if token.len() >= OPAQUE_MIN && const { DIGIT.or(UPPER) }.meets(token) {
            return true;
        }
        at = end + 1;
    }
    false
}

/// The end of the string that a tail may begin in: the first quote that a separator or a bracket follows, or, where there
/// is none, the last that is escaped or that a space follows.
fn string_edge(tail: &[u8]) -> usize {
    let mut doubtful = 0;
    for at in 0..tail.len().min(STRING_BYTES) {
        work::done(1);
        let before = if at > 0 { byte(tail, at - 1) } else { b'x' };
        if !is_quote(byte(tail, at)) || const { SPACE.or(signs(b":=,({[")) }.has(before) {
            continue;
        }
        let next = byte(tail, at + 1);
        if const { signs(b",}])") }.has(next) && before != b'\\' {
            return at;
        }
        if at + 1 == tail.len() || const { SPACE.or(signs(b"\\,;}])")) }.has(next) {
            doubtful = at;
        }
    }
    doubtful
}

//! Keeps a long message within bounds: its beginning and a window around the match.

use std::borrow::Cow;

use crate::text::{joined, part, push_number};

/// Bytes of a kept message at most, the gap's mark included.
pub const MESSAGE_BYTES_MAX: usize = 16 * 1024;

/// Bytes before the match that are kept with it.
const BEFORE_MATCH: usize = 2 * 1024;

/// Room for the mark of a gap.
const MARK_BYTES: usize = 64;

/// Cuts a message to [`MESSAGE_BYTES_MAX`] bytes. `at` is where the needle starts.
pub fn cut(message: &str, at: usize) -> Cow<'_, str> {
    if message.len() <= MESSAGE_BYTES_MAX {
        return Cow::Borrowed(message);
    }
    let half = (MESSAGE_BYTES_MAX - 2 * MARK_BYTES) / 2;
    let window_start = floor_boundary(message, at.saturating_sub(BEFORE_MATCH));
    if window_start <= half {
        // The match stands in or beside the beginning: one piece is enough.
        let end = floor_boundary(message, 2 * half);
        return Cow::Owned(joined(&[part(message, 0, end), &gap(message.len() - end, "bytes")]));
    }
    let head = floor_boundary(message, half);
    let end = floor_boundary(message, window_start + half);
    let rest = message.len() - end;
    let tail = if rest > 0 { gap(rest, "bytes") } else { String::new() };
    let middle = gap(window_start - head, "bytes");
    Cow::Owned(joined(&[part(message, 0, head), &middle, part(message, window_start, end), &tail]))
}

/// The mark of a gap of that many units, `bytes` or `characters`.
pub fn gap(length: usize, units: &str) -> String {
    let mut number = String::new();
    push_number(&mut number, length);
    joined(&[" …[", &number, " ", units, " cut]… "])
}

/// The largest character boundary that is not behind `at`.
pub fn floor_boundary(text: &str, at: usize) -> usize {
    let mut at = at.min(text.len());
    while !text.is_char_boundary(at) {
        at -= 1;
    }
    at
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_message_stays_as_it_is() {
        assert_eq!(cut("already exists", 0), "already exists");
    }

    #[test]
    fn a_long_message_keeps_its_beginning_and_the_match() {
        let line = format!("start {}needle{} end", "ä".repeat(40_000), "ö".repeat(40_000));
        let kept = cut(&line, line.find("needle").unwrap());
        assert!(kept.len() <= MESSAGE_BYTES_MAX, "{}", kept.len());
        assert!(kept.starts_with("start ä"));
        assert!(kept.contains("needle"));
        assert_eq!(kept.matches("bytes cut").count(), 2);
    }

    #[test]
    fn a_match_at_the_very_end_is_kept() {
        let line = format!("{}needle", "x".repeat(100_000));
        let kept = cut(&line, 100_000);
        assert!(kept.ends_with("needle"));
        assert!(kept.len() <= MESSAGE_BYTES_MAX);
    }
}

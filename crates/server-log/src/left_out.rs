//! The mark in a log where `crypto-diag run --minimal` left out lines.

use crate::event::EventKind;
use crate::format::{LogLine, ServerLogFormat};

/// The end of such a mark.
pub(crate) const LEFT_OUT_WORDS: &str = " lines left out]";

/// Reads `[312 lines left out]`. Lines were here, so nothing follows from the absence of one.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftOut;

/// The mark for so many lines.
pub fn left_out_line(lines: u64) -> String {
    format!("[{lines}{LEFT_OUT_WORDS}")
}

fn lines(line: &[u8]) -> Option<u64> {
    let digits = line.strip_prefix(b"[")?.strip_suffix(LEFT_OUT_WORDS.as_bytes())?;
    let all_digits = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    all_digits.then(|| std::str::from_utf8(digits).ok()?.parse().ok()).flatten()
}

impl ServerLogFormat for LeftOut {
    fn name(&self) -> &'static str {
        "crypto-diag run --minimal"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        lines(line).map(|_| LogLine::without_header(line, self))
    }

    fn event<'a>(&self, line: &'a LogLine<'_>) -> EventKind<'a> {
        EventKind::LeftOut(lines(line.message.as_bytes()).unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use crate::line::{is_lost, parse_line};

    use super::*;

    #[test]
    fn the_mark_says_how_many_lines_were_left_out_and_reads_as_one_again() {
        let line = left_out_line(312);
        assert_eq!(line, "[312 lines left out]");
        let read = parse_line(line.as_bytes()).expect("a line of its own");
        assert_eq!(read.event().kind, EventKind::LeftOut(312));
        assert!(is_lost(line.as_bytes()));
        for wrong in ["[ lines left out]", "[x lines left out]", "[99999999999999999999999 lines left out]"] {
            assert!(parse_line(wrong.as_bytes()).is_none(), "{wrong}");
        }
    }
}

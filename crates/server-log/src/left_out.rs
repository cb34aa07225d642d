//! What stands in a log in place of lines that `crypto-diag run --minimal` left out.

use crate::event::EventKind;
use crate::format::{LogLine, ServerLogFormat, text};
use crate::level::LogLevel;

/// How such a line ends.
pub(crate) const LEFT_OUT_WORDS: &str = " lines left out]";

/// `[312 lines left out]`: it tells that lines were here, so that nothing follows from their absence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LeftOut;

/// The line that stands in place of so many.
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
        lines(line).map(|_| LogLine {
            time: None,
            source: None,
            logger: text(b""),
            level: LogLevel::Unknown,
            request: None,
            message: text(line),
            format: self,
        })
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
    fn the_line_in_place_of_others_says_how_many_they_were_and_is_kept_by_whoever_cuts_again() {
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

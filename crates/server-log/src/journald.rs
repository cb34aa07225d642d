//! What journald shows in place of a line that it does not show.

use crate::event::EventKind;
use crate::format::{LogLine, ServerLogFormat};

/// The end of a line that stands in place of one that journald does not show.
pub(crate) const BLOB_WORDS: &str = " blob data]";

/// What `journalctl -o json` has in place of such a line.
pub(crate) const NULL_WORDS: &str = "\"MESSAGE\":null";

/// How a line is shown that `journalctl -o json` gives as `null`, so that one reader knows both.
pub(crate) const UNEXPORTED: &str = "[4K blob data]";

/// `[238B blob data]`: a line with bytes that no terminal should get, such as colours.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Blob;

impl ServerLogFormat for Blob {
    fn name(&self) -> &'static str {
        "journald"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        let size = line.strip_prefix(b"[")?.strip_suffix(BLOB_WORDS.as_bytes())?;
        let plain = |byte: &u8| byte.is_ascii_digit() || matches!(byte, b'.' | b',' | b'B' | b'K' | b'M' | b'G');
        let is_size = !size.is_empty() && size.len() <= 12 && size.iter().all(plain);
        is_size.then(|| LogLine::without_header(line, self))
    }

    fn event<'a>(&self, _: &'a LogLine<'_>) -> EventKind<'a> {
        EventKind::Hidden
    }
}

#[cfg(test)]
mod tests {
    use crate::line::parse_line;

    use super::*;

    #[test]
    fn a_line_that_journald_hides_is_told_from_a_line_that_continues_another() {
        for line in ["Apr 03 09:19:00 matrix docker[612]: [238B blob data]", "[1.2K blob data]"] {
            let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
            assert_eq!(read.event().kind, EventKind::Hidden, "{line}");
        }
        assert!(parse_line(b"Apr 03 09:19:00 matrix docker[612]: [x blob data]").is_none());
    }
}

//! Lines of any length, of which no more than one is held.

use std::io::{self, BufRead, Read};

use crypto_diag_triage::unpack::DOCUMENT_BYTES_MAX;

/// What stands at a place of the input.
#[derive(Debug, PartialEq, Eq)]
pub enum Line<'l> {
    /// A line without its end.
    Text(&'l [u8]),
    /// A line longer than any report may be; it was passed over.
    TooLong,
}

/// An input, line by line.
pub struct Lines<R> {
    input: R,
    line: Vec<u8>,
    /// The line that was read last, counted from 1.
    pub number: u64,
}

impl<R: BufRead> Lines<R> {
    pub fn new(input: R) -> Self {
        Lines { input, line: Vec::new(), number: 0 }
    }

    /// The next line that is not empty; `None` at the end.
    ///
    /// # Errors
    /// If the input cannot be read on.
    pub fn read(&mut self) -> io::Result<Option<Line<'_>>> {
        loop {
            self.line.clear();
            let read = (&mut self.input).take(DOCUMENT_BYTES_MAX + 1).read_until(b'\n', &mut self.line)?;
            if read == 0 {
                return Ok(None);
            }
            self.number += 1;
            if read as u64 > DOCUMENT_BYTES_MAX && self.line.last() != Some(&b'\n') {
                self.line = Vec::new();
                self.input.skip_until(b'\n')?;
                return Ok(Some(Line::TooLong));
            }
            if !self.line.trim_ascii().is_empty() {
                break;
            }
        }
        Ok(Some(Line::Text(self.line.trim_ascii())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_that_is_too_long_is_passed_and_the_next_one_is_read() {
        let long = io::repeat(b'x').take(DOCUMENT_BYTES_MAX + 10);
        let input = io::BufReader::new(long.chain(&b"\n\n  next \r\nlast"[..]));
        let mut lines = Lines::new(input);
        assert_eq!(lines.read().unwrap(), Some(Line::TooLong));
        assert_eq!(lines.read().unwrap(), Some(Line::Text(b"next")));
        assert_eq!(lines.number, 3);
        assert_eq!(lines.read().unwrap(), Some(Line::Text(b"last")));
        assert_eq!(lines.read().unwrap(), None);
    }
}

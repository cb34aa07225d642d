//! Streams a log: one record for each line and what continues it.

use std::io::{self, BufRead};

use crate::format::LogLine;
use crate::line::{parse_line, unwrap_line};

/// Bytes of one line that are kept at most; Synapse's longest lines of interest, uploads of 100 keys, have 4 KiB.
pub const LINE_BYTES_MAX: usize = 256 * 1024;

/// Bytes of continuation lines that are kept with a record at most.
pub const CONTINUATION_BYTES_MAX: usize = 64 * 1024;

/// One line of the log and the lines that continue it, such as a traceback.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// The line's number, counted from 1.
    pub line: u64,
    /// Where the line begins, in bytes from the input's start.
    pub offset: u64,
    /// The line, without its line break.
    pub text: &'a [u8],
    /// The lines that continue it, each with its line break; empty for most.
    pub continuation: &'a [u8],
    /// Whether text was left out because it was too long.
    pub truncated: bool,
}

impl<'a> Record<'a> {
    /// The line's parts; `None` for lines at the input's start that continue something which is not there.
    pub fn parse(&self) -> Option<LogLine<'a>> {
        parse_line(self.text)
    }
}

/// What was read.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ReadCounts {
    /// Lines, continuation lines included.
    pub lines: u64,
    /// Bytes.
    pub bytes: u64,
    /// Lines that continue no line of the same source: the beginning of a rotated file, or something that is no log.
    pub orphans: u64,
    /// Lines that were longer than [`LINE_BYTES_MAX`], or continuations longer than [`CONTINUATION_BYTES_MAX`].
    pub truncated: u64,
    /// Empty lines.
    pub empty: u64,
}

/// Reads records, in constant memory.
///
/// ```
/// use crypto_diag_server_log::LogReader;
///
/// let log = "2026-11-23 08:36:03,871 - a.b - 1 - ERROR - GET-1 - boom\nTraceback:\n  x\n\
///            2026-11-23 08:36:04,000 - a.b - 1 - INFO - GET-2 - fine\n";
/// let mut reader = LogReader::new(log.as_bytes());
/// let record = reader.next_record().unwrap().unwrap();
/// assert_eq!((record.line, record.continuation), (1, &b"Traceback:\n  x\n"[..]));
/// assert_eq!(reader.next_record().unwrap().unwrap().line, 4);
/// assert!(reader.next_record().unwrap().is_none());
/// ```
#[derive(Debug)]
pub struct LogReader<R> {
    input: R,
    counts: ReadCounts,
    current: Vec<u8>,
    continuation: Vec<u8>,
    /// The line behind the current record, already read.
    ahead: Option<Ahead>,
}

#[derive(Debug)]
struct Ahead {
    text: Vec<u8>,
    line: u64,
    offset: u64,
    truncated: bool,
    /// Whether it is the beginning of a record.
    head: bool,
}

impl<R: BufRead> LogReader<R> {
    /// A reader of that input.
    pub fn new(input: R) -> Self {
        LogReader { input, counts: ReadCounts::default(), current: Vec::new(), continuation: Vec::new(), ahead: None }
    }

    /// What was read so far.
    pub fn counts(&self) -> ReadCounts {
        self.counts
    }

    /// The next record; `None` at the end. A line that nothing begins is a record of its own.
    ///
    /// # Errors
    /// Those of the input.
    pub fn next_record(&mut self) -> io::Result<Option<Record<'_>>> {
        let first = match self.ahead.take() {
            Some(ahead) => Some(ahead),
            None => self.read_line(Vec::new())?,
        };
        let Some(first) = first else { return Ok(None) };
        let spare = std::mem::replace(&mut self.current, first.text);
        self.continuation.clear();
        let mut truncated = first.truncated;
        let mut spare = Some(spare);
        if !first.head {
            self.counts.orphans += 1;
        }
        // A line that nothing begins stands alone.
        let mut collecting = first.head;
        while collecting {
            let Some(line) = self.read_line(spare.take().unwrap_or_default())? else { break };
            let own = !line.head && unwrap_line(&line.text).0 == unwrap_line(&self.current).0;
            if !own {
                self.ahead = Some(line);
                collecting = false;
                continue;
            }
            let inner = unwrap_line(&line.text).1;
            if self.continuation.len() + inner.len() < CONTINUATION_BYTES_MAX {
                self.continuation.extend_from_slice(inner);
                self.continuation.push(b'\n');
            } else if !truncated {
                truncated = true;
                self.counts.truncated += 1;
            }
            spare = Some(line.text);
        }
        Ok(Some(Record {
            line: first.line,
            offset: first.offset,
            text: &self.current,
            continuation: &self.continuation,
            truncated,
        }))
    }

    /// Reads one line that is not empty into `text`.
    fn read_line(&mut self, mut text: Vec<u8>) -> io::Result<Option<Ahead>> {
        loop {
            let offset = self.counts.bytes;
            text.clear();
            let Some(truncated) = self.read_bounded(&mut text)? else { return Ok(None) };
            self.counts.lines += 1;
            if text.iter().all(u8::is_ascii_whitespace) {
                self.counts.empty += 1;
                continue;
            }
            self.counts.truncated += u64::from(truncated);
            let head = parse_line(&text).is_some();
            return Ok(Some(Ahead { text, line: self.counts.lines, offset, truncated, head }));
        }
    }

    /// Appends a line without its break, as far as it fits. `None` at the input's end; true if not all of it fitted.
    fn read_bounded(&mut self, text: &mut Vec<u8>) -> io::Result<Option<bool>> {
        let mut any = false;
        let mut truncated = false;
        loop {
            let buffer = match self.input.fill_buf() {
                Ok(buffer) => buffer,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            if buffer.is_empty() {
                return Ok(any.then_some(truncated));
            }
            any = true;
            let end = memchr::memchr(b'\n', buffer);
            let part = &buffer[..end.unwrap_or(buffer.len())];
            let room = LINE_BYTES_MAX.saturating_sub(text.len());
            text.extend_from_slice(&part[..part.len().min(room)]);
            truncated |= part.len() > room;
            let used = part.len() + usize::from(end.is_some());
            self.input.consume(used);
            self.counts.bytes += used as u64;
            if end.is_some() {
                if text.last() == Some(&b'\r') {
                    text.pop();
                }
                return Ok(Some(truncated));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(log: &[u8]) -> (Vec<(u64, String, String)>, ReadCounts) {
        // A tiny buffer, so that lines span it.
        let mut reader = LogReader::new(io::BufReader::with_capacity(7, log));
        let mut records = Vec::new();
        while let Some(record) = reader.next_record().unwrap() {
            let own = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
            records.push((record.line, own(record.text), own(record.continuation)));
        }
        (records, reader.counts())
    }

    #[test]
    fn a_traceback_stays_with_its_line_in_every_wrapping() {
        for (head, rest) in [
            ("2026-11-23 08:36:03,871 - a.b - 1 - ERROR - GET-1 - boom", ""),
            ("w1 | 2026-11-23 08:36:03,871 - a.b - 1 - ERROR - GET-1 - boom", "w1 | "),
            (
                "2026-11-23T08:36:03.871Z box python[1]: synapse.a: [GET-1] boom",
                "2026-11-23T08:36:03.872Z box python[1]: ",
            ),
            ("Nov 23 08:36:03 box python[1]: synapse.a: [GET-1] boom", "Nov 23 08:36:03 box python[1]: "),
        ] {
            let log = format!("{head}\n{rest}Traceback (most recent call last):\n{rest}  File \"x\"\n{head}\n");
            let (records, counts) = read(log.as_bytes());
            assert_eq!(records.len(), 2, "{records:?}");
            assert_eq!(records[0].2, "Traceback (most recent call last):\n  File \"x\"\n");
            assert_eq!((records[1].0, counts.lines, counts.orphans), (4, 4, 0));
        }
    }

    #[test]
    fn another_workers_traceback_is_not_mixed_in() {
        let log = "w1 | 2026-11-23 08:36:03,871 - a.b - 1 - ERROR - GET-1 - boom\nw2 | Traceback\n";
        let (records, counts) = read(log.as_bytes());
        assert_eq!((records.len(), counts.orphans), (2, 1));
        assert_eq!(records[0].2, "");
    }

    #[test]
    fn a_line_without_end_is_bounded_and_counted() {
        let mut log = b"2026-11-23 08:36:03,871 - a.b - 1 - ERROR - GET-1 - ".to_vec();
        log.extend(std::iter::repeat_n(b'x', 2 * LINE_BYTES_MAX));
        log.extend_from_slice(b"\n2026-11-23 08:36:04,000 - a.b - 1 - INFO - GET-2 - y");
        let (records, counts) = read(&log);
        assert_eq!((records.len(), counts.truncated), (2, 1));
        assert_eq!(records[0].1.len(), LINE_BYTES_MAX);
        assert_eq!(records[1].0, 2);
    }

    #[test]
    fn a_rotated_files_beginning_is_counted() {
        let (records, counts) = read(b"  File \"x\"\n\n2026-11-23 08:36:03,871 - a.b - 1 - ERROR - GET-1 - boom\r\n");
        assert_eq!((records.len(), counts.orphans, counts.empty), (2, 1, 1));
        assert!(records[1].1.ends_with("boom"));
    }
}

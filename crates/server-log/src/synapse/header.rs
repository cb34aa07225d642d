//! The header of a line of Synapse's: time, logger, level, request.

use memchr::memmem;

use crate::format::{LogLine, ServerLogFormat, text};
use crate::level::LogLevel;
use crate::stamp::{Stamp, read_iso, read_time_of_day};

/// Bytes of a logger's name at most.
const LOGGER_BYTES_MAX: usize = 200;

/// Digits of a line's number at most.
const NUMBER_DIGITS_MAX: usize = 7;

/// A header, as bytes: nothing is copied, and the message is not looked at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Header<'a> {
    /// When it was written, where the form says so.
    pub time: Option<Stamp>,
    /// Python's logger.
    pub logger: &'a [u8],
    /// The level.
    pub level: LogLevel,
    /// The request's id; empty where there is none.
    pub request: &'a [u8],
    /// What stands behind the header.
    pub message: &'a [u8],
}

impl<'a> Header<'a> {
    pub(super) fn into_line(self, format: &'static dyn ServerLogFormat) -> LogLine<'a> {
        LogLine {
            time: self.time,
            source: None,
            logger: text(self.logger),
            level: self.level,
            request: (!self.request.is_empty()).then(|| text(self.request)),
            message: text(self.message),
            format,
        }
    }
}

/// Reads Synapse's default form: `%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s`. It does not
/// look at the message, so it may be asked for every line of a large log.
#[inline]
pub fn header(line: &[u8]) -> Option<Header<'_>> {
    if !line.first()?.is_ascii_digit() {
        return None;
    }
    let (time, used) = read_iso(line).or_else(|| read_time_of_day(line))?;
    let fields = fields(line[used..].strip_prefix(b" - ")?)?;
    Some(Header { time: Some(time), ..fields })
}

/// The request's id of a line in that form; whether its time can be is not looked at.
#[inline]
pub fn request(line: &[u8]) -> Option<&[u8]> {
    if !has_plain_time(line) {
        return header(line).map(|header| header.request);
    }
    fields(line.get(23..)?.strip_prefix(b" - ")?).map(|header| header.request)
}

/// Whether a line begins like `2026-11-23 08:36:03,872`.
#[inline]
pub fn has_plain_time(line: &[u8]) -> bool {
    line.first_chunk().is_some_and(|time| eight_fit::<0>(time) && eight_fit::<8>(time) && eight_fit::<15>(time))
}

const PLAIN_TIME: [u8; 23] = *b"0000-00-00 00:00:00,000";

/// Whether the eight bytes at a place are digits where a zero stands, and else the same: all at once, since it is asked of every line.
#[inline]
fn eight_fit<const AT: usize>(time: &[u8; 23]) -> bool {
    const HIGH: u64 = 0xf0f0_f0f0_f0f0_f0f0;
    // What is left of a digit is its value; of a sign that is the same, nothing.
    let left = eight(time, AT) ^ const { eight(&PLAIN_TIME, AT) };
    left & HIGH == 0 && (left + const { !HIGH - most(AT) }) & HIGH == 0
}

const fn eight(text: &[u8; 23], at: usize) -> u64 {
    let [a, b, c, d] = [text[at], text[at + 1], text[at + 2], text[at + 3]];
    u64::from_le_bytes([a, b, c, d, text[at + 4], text[at + 5], text[at + 6], text[at + 7]])
}

/// The most that may be left of each of eight bytes.
const fn most(at: usize) -> u64 {
    let (mut most, mut index) = ([0; 8], 0);
    while index < 8 {
        most[index] = if PLAIN_TIME[at + index] == b'0' { 9 } else { 0 };
        index += 1;
    }
    u64::from_le_bytes(most)
}

/// The same without a time, for journals that add their own.
pub(super) fn timeless(line: &[u8]) -> Option<Header<'_>> {
    fields(line).filter(|header| header.logger.iter().all(|byte| is_logger(*byte)))
}

#[inline]
fn fields(rest: &[u8]) -> Option<Header<'_>> {
    let end = memchr::memchr(b' ', &rest[..rest.len().min(LOGGER_BYTES_MAX + 1)]).filter(|end| *end > 0)?;
    let (logger, rest) = (&rest[..end], rest[end..].strip_prefix(b" - ")?);
    let digits = rest.iter().take(NUMBER_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let rest = rest[digits..].strip_prefix(b" - ").filter(|_| (1..=NUMBER_DIGITS_MAX).contains(&digits))?;
    let end = memchr::memchr(b' ', &rest[..rest.len().min(9)])?;
    let (level, rest) = (LogLevel::read(&rest[..end])?, rest[end..].strip_prefix(b" - ")?);
    // Older default: `%(request)s- %(message)s`, without the space.
    // A search for both bytes costs more than it finds here, where they are near.
    let at = memchr::memchr_iter(b'-', rest).find(|at| matches!(rest.get(at + 1), None | Some(b' ')))?;
    let message = rest.get(at + 2..).unwrap_or_default();
    // Each span of OpenTracing's adds a dash to the id: `POST-14- - Adding …`.
    let spans = at > 0 && rest[at - 1] != b' ';
    let message = message.strip_prefix(b"- ").filter(|_| spans).unwrap_or(message);
    let request = rest[..at].trim_ascii();
    let dashes = request.iter().rev().take_while(|byte| **byte == b'-').count();
    Some(Header { time: None, logger, level, request: &request[..request.len() - dashes], message })
}

/// `INFO:synapse.handlers.e2e_keys:Claimed …`, as Python logs where nothing configures it. It has no request, so nothing joins.
pub(super) fn unconfigured(line: &[u8]) -> Option<Header<'_>> {
    let end = memchr::memchr(b':', &line[..line.len().min(9)])?;
    let level = LogLevel::read(&line[..end])?;
    let rest = &line[end + 1..];
    let end = memchr::memchr(b':', &rest[..rest.len().min(LOGGER_BYTES_MAX + 1)])?;
    let logger = &rest[..end];
    let known = is_ours(logger) || logger == b"root";
    let plain = logger.iter().all(|byte| is_logger(*byte));
    (known && plain).then_some(Header { time: None, logger, level, request: b"", message: &rest[end + 1..] })
}

/// Whether a logger's name is of Synapse or of what it runs on: other programs in Python log in the same forms.
fn is_ours(logger: &[u8]) -> bool {
    logger.starts_with(b"synapse.") || logger.starts_with(b"twisted")
}

fn is_logger(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')
}

/// `synapse.handlers.e2e_keys: [POST-48] Claimed …`, as Synapse's example for systemd has it.
pub(super) fn journal(line: &[u8]) -> Option<Header<'_>> {
    if !is_ours(line) {
        return None;
    }
    let at = memmem::find(line, b": [")?;
    let logger = &line[..at];
    if !logger.iter().all(|byte| is_logger(*byte)) {
        return None;
    }
    let rest = &line[at + 3..];
    let end = memchr::memchr(b']', rest)?;
    let message = &rest[end + 1..];
    let message = message.strip_prefix(b" ").unwrap_or(message);
    Some(Header { time: None, logger, level: LogLevel::Unknown, request: &rest[..end], message })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_time_has_digits_and_signs_where_they_belong() {
        let time = *b"2026-11-23 08:36:03,972";
        assert!(
            has_plain_time(&time) && has_plain_time(b"9999-99-99 99:99:99,999 - x") && !has_plain_time(&time[..22])
        );
        for at in 0..time.len() {
            for byte in 0..=255 {
                let mut other = time;
                other[at] = byte;
                let fits = if time[at].is_ascii_digit() { byte.is_ascii_digit() } else { byte == time[at] };
                assert_eq!(has_plain_time(&other), fits, "{byte} at {at}");
            }
        }
    }
}

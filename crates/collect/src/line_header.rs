//! What a line's beginning says: its time, its request and its class, without a look at the rest where Synapse's default form
//! allows it.

use crypto_diag_server_log::stamp::{Stamp, StampDate};
use crypto_diag_server_log::{Class, LogLevel, parse_line, synapse};

/// How to read times without a zone or a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Milliseconds that the server's wall clock is ahead of UTC.
    pub zone_ms: i64,
    /// A time that the log's are near to: it tells the year of stamps without one.
    pub near: Option<i64>,
}

impl Clock {
    fn read(self, stamp: Stamp) -> Option<i64> {
        let stamp = match stamp.date {
            StampDate::Whole => stamp,
            StampDate::NoYear => stamp.near(self.near?),
            // Which day it was, only all of the log tells.
            StampDate::None => return None,
        };
        Some(if stamp.has_zone { stamp.ms } else { stamp.ms - self.zone_ms })
    }
}

/// A line that begins a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Head {
    /// Milliseconds since the epoch.
    pub time: Option<i64>,
    /// The source, as a number: equal for equal ones; 0 for none.
    pub source: u64,
    /// Source and request id, as a number; `None` where the id is none that could be joined.
    pub request: Option<u64>,
    pub level: LogLevel,
    pub class: Class,
}

/// Whether a line begins a record.
#[inline]
pub(crate) fn is_head(line: &[u8]) -> bool {
    synapse::header(line).is_some() || begins_otherwise(line) && parse_line(line).is_some()
}

/// The commonest lines of a traceback need no parser.
fn begins_otherwise(line: &[u8]) -> bool {
    !matches!(line.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')) && !line.starts_with(b"Traceback (most")
}

/// Reads a line's head; `None` if it begins no record.
pub(crate) fn read(line: &[u8], clock: Clock) -> Option<Head> {
    if let Some(header) = synapse::header(line) {
        return Some(Head {
            time: header.time.and_then(|stamp| clock.read(stamp)),
            source: 0,
            request: joinable(header.request).then(|| number(b"", header.request)),
            level: header.level,
            class: synapse::class(header.logger, header.message),
        });
    }
    if !begins_otherwise(line) {
        return None;
    }
    let line = parse_line(line)?;
    let source = line.source.as_deref().unwrap_or_default().as_bytes();
    let request = line.request.as_deref().unwrap_or_default().as_bytes();
    Some(Head {
        time: line.time.and_then(|stamp| clock.read(stamp)),
        source: if source.is_empty() { 0 } else { number(source, b"") },
        request: joinable(request).then(|| number(source, request)),
        level: line.level,
        class: line.class(),
    })
}

/// The joined request of a line, as [`Head::request`]: all that an index needs.
#[inline]
pub(crate) fn request(line: &[u8]) -> Option<u64> {
    if let Some(request) = synapse::request(line) {
        return joinable(request).then(|| number(b"", request));
    }
    if !begins_otherwise(line) {
        return None;
    }
    let line = parse_line(line)?;
    let request = line.request.as_deref()?;
    joinable(request.as_bytes())
        .then(|| number(line.source.as_deref().unwrap_or_default().as_bytes(), request.as_bytes()))
}

/// The time of a line.
#[inline]
pub(crate) fn time(line: &[u8], clock: Clock) -> Option<i64> {
    let stamp = match synapse::header(line) {
        Some(header) => header.time,
        None => parse_line(line)?.time,
    };
    clock.read(stamp?)
}

/// Reads the times of lines that follow one another: most are of the same second as the one before.
pub(crate) struct Times {
    clock: Clock,
    /// The last line's time as it was printed, without milliseconds, and the first of that second.
    second: Option<([u8; 19], i64)>,
}

impl Times {
    pub fn new(clock: Clock) -> Times {
        Times { clock, second: None }
    }

    /// The time of a line, as [`time`] gives it.
    pub fn of(&mut self, line: &[u8]) -> Option<i64> {
        let Some(printed) = line.first_chunk::<19>().filter(|_| synapse::has_plain_time(line)) else {
            return time(line, self.clock);
        };
        let millis = line[20..23].iter().fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
        if let Some((_, first)) = self.second.filter(|(second, _)| second == printed) {
            return Some(first + millis);
        }
        let time = time(line, self.clock)?;
        self.second = Some((*printed, time - millis));
        Some(time)
    }
}

/// Ids of no request: whatever a process does outside of one.
fn joinable(request: &[u8]) -> bool {
    !matches!(request, b"" | b"-" | b"main" | b"sentinel" | b"None")
}

/// Two texts as a number.
fn number(source: &[u8], request: &[u8]) -> u64 {
    const FACTOR: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = 0x243f_6a88_85a3_08d3_u64;
    for text in [source, request] {
        for part in text.chunks(8) {
            let mut bytes = [0; 8];
            bytes[..part.len()].copy_from_slice(part);
            hash = (hash ^ u64::from_le_bytes(bytes)).wrapping_mul(FACTOR).rotate_left(29);
        }
        hash = (hash ^ text.len() as u64).wrapping_mul(FACTOR);
        hash ^= hash >> 32;
    }
    hash
}

#[cfg(test)]
mod tests {
    use super::*;

    const ACCESS: &str = r#"2026-11-23 08:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 127.0.0.1 - 8008 - {@a:h} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400 "POST /_matrix/client/v3/keys/upload HTTP/1.1" "UA" [0 dbevts]"#;

    #[test]
    fn a_head_says_when_and_for_how_long() {
        let head = read(ACCESS.as_bytes(), Clock::default()).unwrap();
        assert_eq!((head.time, head.class), (Some(1_795_422_963_872), Class::Access(95)));
        let zoned = Clock { zone_ms: 3_600_000, near: None };
        assert_eq!(time(ACCESS.as_bytes(), zoned), Some(1_795_422_963_872 - 3_600_000));
        let wrapped = read(format!("w1 | {ACCESS}").as_bytes(), Clock::default()).unwrap();
        assert_eq!((wrapped.time, wrapped.class, wrapped.level), (head.time, head.class, head.level));
    }

    #[test]
    fn times_of_lines_one_after_the_other_are_those_of_each() {
        let clock = Clock { zone_ms: 3_600_000, near: None };
        let mut times = Times::new(clock);
        for (from, to) in
            [("", ""), (",872", ",001"), ("03,872", "04,872"), ("2026-11-23 08", "2026-13-23 08"), (",872", ".872001Z")]
        {
            let line = ACCESS.replacen(from, to, 1);
            assert_eq!(times.of(line.as_bytes()), time(line.as_bytes(), clock), "{line}");
        }
        assert_eq!(times.of(b"2026-11-23 08:36:03"), None);
    }

    #[test]
    fn a_request_is_told_apart_by_its_source() {
        let of = |line: &str| request(line.as_bytes());
        assert_eq!(of(ACCESS), of(&ACCESS.replace("POST-48 - ", "POST-48- ")));
        let (one, two) = (of(&format!("w1 | {ACCESS}")), of(&format!("w2 | {ACCESS}")));
        assert!(one.is_some() && one != two && one != of(ACCESS));
        assert_eq!(read(format!("w1 | {ACCESS}").as_bytes(), Clock::default()).unwrap().request, one);
        assert_eq!(of(&ACCESS.replace("POST-48", "sentinel")), None);
    }

    #[test]
    fn what_begins_no_record_is_no_head() {
        for line in
            ["", "Traceback (most recent call last):", "  File \"x\"", "ValueError: no", "2026-11-23 08:36:03,872 - x"]
        {
            assert!(!is_head(line.as_bytes()), "{line}");
        }
        assert!(is_head(ACCESS.as_bytes()));
    }
}

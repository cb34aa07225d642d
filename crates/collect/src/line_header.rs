//! The header of a log line: its time, its request and its class. For lines in Synapse's default form, the rest of the line is not
//! read.

use crypto_diag_server_log::stamp::{Stamp, StampDate};
use crypto_diag_server_log::{Class, LogLevel, parse_line, synapse};

/// What a log's stamps lack: the zone, and the year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct StampContext {
    /// Milliseconds that the server's wall clock is ahead of UTC.
    pub zone_ms: i64,
    /// Milliseconds since the epoch, near which the log was written. It gives the year of stamps without one.
    pub near: Option<i64>,
}

impl StampContext {
    /// A stamp in milliseconds since the epoch, by the server's clock.
    fn read(self, stamp: Stamp) -> Option<i64> {
        let stamp = match stamp.date {
            StampDate::Whole => stamp,
            StampDate::NoYear => stamp.near(self.near?),
            // Only the whole log tells which day it was.
            StampDate::None => return None,
        };
        Some(if stamp.has_zone { stamp.ms } else { stamp.ms - self.zone_ms })
    }
}

/// The header of a line that begins a record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct LineHeader {
    /// Milliseconds since the epoch, by the server's clock.
    pub time: Option<i64>,
    /// Hash of the source (the name of a process or a container); 0 for none.
    pub source: u64,
    /// Hash of source and request id. `None` if the id names no request, such as `main`.
    pub request: Option<u64>,
    pub level: LogLevel,
    pub class: Class,
}

/// Whether a line begins a record.
#[inline]
pub(crate) fn is_header(line: &[u8]) -> bool {
    synapse::header(line).is_some() || begins_otherwise(line) && parse_line(line).is_some()
}

/// Whether a line may begin a record. This rules out the commonest lines of a traceback without a parser.
fn begins_otherwise(line: &[u8]) -> bool {
    !matches!(line.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')) && !line.starts_with(b"Traceback (most")
}

/// Reads a line's header; `None` if the line begins no record.
pub(crate) fn read(line: &[u8], clock: StampContext) -> Option<LineHeader> {
    if let Some(header) = synapse::header(line) {
        return Some(LineHeader {
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
    Some(LineHeader {
        time: line.time.and_then(|stamp| clock.read(stamp)),
        source: if source.is_empty() { 0 } else { number(source, b"") },
        request: joinable(request).then(|| number(source, request)),
        level: line.level,
        class: line.class(),
    })
}

/// The request of a line, as [`LineHeader::request`], without reading anything else.
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

/// The time of a line, in milliseconds since the epoch, by the server's clock.
#[inline]
pub(crate) fn time(line: &[u8], clock: StampContext) -> Option<i64> {
    let stamp = match synapse::header(line) {
        Some(header) => header.time,
        None => parse_line(line)?.time,
    };
    clock.read(stamp?)
}

/// Reads the times of successive lines. Most are of the same second as the line before, which is then not parsed again.
pub(crate) struct Times {
    clock: StampContext,
    /// The last line's stamp up to the second, and the millisecond since the epoch at which that second began.
    second: Option<([u8; 19], i64)>,
}

impl Times {
    pub fn new(clock: StampContext) -> Times {
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

/// Whether an id names a request. The others stand for what a process does outside of requests.
fn joinable(request: &[u8]) -> bool {
    !matches!(request, b"" | b"-" | b"main" | b"sentinel" | b"None")
}

/// 64-bit hash of source and request id.
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
    fn a_header_gives_the_time_and_the_duration_of_a_request() {
        let head = read(ACCESS.as_bytes(), StampContext::default()).unwrap();
        assert_eq!((head.time, head.class), (Some(1_795_422_963_872), Class::Access(95)));
        let zoned = StampContext { zone_ms: 3_600_000, near: None };
        assert_eq!(time(ACCESS.as_bytes(), zoned), Some(1_795_422_963_872 - 3_600_000));
        let wrapped = read(format!("w1 | {ACCESS}").as_bytes(), StampContext::default()).unwrap();
        assert_eq!((wrapped.time, wrapped.class, wrapped.level), (head.time, head.class, head.level));
    }

    #[test]
    fn times_of_lines_one_after_the_other_are_those_of_each() {
        let clock = StampContext { zone_ms: 3_600_000, near: None };
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
        assert_eq!(read(format!("w1 | {ACCESS}").as_bytes(), StampContext::default()).unwrap().request, one);
        assert_eq!(of(&ACCESS.replace("POST-48", "sentinel")), None);
    }

    #[test]
    fn a_line_that_begins_no_record_has_no_header() {
        for line in
            ["", "Traceback (most recent call last):", "  File \"x\"", "ValueError: no", "2026-11-23 08:36:03,872 - x"]
        {
            assert!(!is_header(line.as_bytes()), "{line}");
        }
        assert!(is_header(ACCESS.as_bytes()));
    }
}

//! What a line's beginning says, read as cheaply as can be: Synapse's plain form by hand, all others by triage's reader.

use crypto_diag_triage::stamp::Stamp;
use crypto_diag_triage::synapse_log::{LogEvent, LogLevel, parse_line};
use memchr::memmem;

/// Bytes in front of the logger in the plain form: `2026-11-23 08:36:03,871 - `.
const TIME_BYTES: usize = 26;

/// How to read times without a zone or a year.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Clock {
    /// Milliseconds that the server's wall clock is ahead of UTC.
    pub zone_ms: i64,
    /// The year of stamps without one.
    pub year: Option<i16>,
}

impl Clock {
    fn read(self, stamp: Stamp) -> Option<i64> {
        let stamp = match self.year {
            Some(year) => stamp.in_year(year),
            None if stamp.has_year => stamp,
            None => return None,
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
    pub kind: Kind,
}

/// What kind of line it is, as far as joining and keeping need it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// `Processed request`, and how long it took in milliseconds.
    Access(u64),
    /// A line of the ledger: keys, log-ins, deleted devices. Kept whatever its time.
    Ledger,
    /// A process started.
    Start,
    Other,
}

/// Whether a line begins a record.
#[inline]
pub(crate) fn is_head(line: &[u8]) -> bool {
    plain(line).is_some() || begins_otherwise(line) && parse_line(line).is_some()
}

/// The commonest lines of a traceback need no parser.
fn begins_otherwise(line: &[u8]) -> bool {
    !matches!(line.first(), None | Some(b' ' | b'\t' | b'\n' | b'\r')) && !line.starts_with(b"Traceback (most")
}

/// Reads a line's head; `None` if it begins no record.
pub(crate) fn read(line: &[u8], clock: Clock) -> Option<Head> {
    let Some(plain) = plain(line) else { return if begins_otherwise(line) { read_other(line, clock) } else { None } };
    let kind = plain_kind(plain.logger, plain.message);
    Some(Head {
        time: plain_time(line).map(|ms| ms - clock.zone_ms),
        source: 0,
        request: joinable(plain.request).then(|| number(b"", plain.request)),
        level: level(plain.level),
        kind,
    })
}

/// The joined request of a line, as [`Head::request`]: all that an index needs.
#[inline]
pub(crate) fn request(line: &[u8]) -> Option<u64> {
    if let Some(plain) = plain(line) {
        return joinable(plain.request).then(|| number(b"", plain.request));
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
    match plain(line) {
        Some(_) => plain_time(line).map(|ms| ms - clock.zone_ms),
        None => clock.read(parse_line(line)?.time?),
    }
}

struct Plain<'a> {
    logger: &'a [u8],
    level: &'a [u8],
    request: &'a [u8],
    message: &'a [u8],
}

/// Takes a line of the plain form apart. The time's digits are not looked at.
#[inline]
fn plain(line: &[u8]) -> Option<Plain<'_>> {
    let head: &[u8; TIME_BYTES] = line.get(..TIME_BYTES)?.try_into().ok()?;
    let shaped = head[4] == b'-' && head[10] == b' ' && head[13] == b':' && head[19] == b',' && head[23..] == *b" - ";
    if !shaped || !head[0].is_ascii_digit() {
        return None;
    }
    let rest = &line[TIME_BYTES..];
    let logger = memchr::memchr(b' ', &rest[..rest.len().min(203)])?;
    let rest_of_logger = rest[logger..].strip_prefix(b" - ")?;
    let digits = rest_of_logger.iter().take(8).take_while(|byte| byte.is_ascii_digit()).count();
    let rest_of_number = rest_of_logger[digits..].strip_prefix(b" - ")?;
    let level = memchr::memchr(b' ', &rest_of_number[..rest_of_number.len().min(9)])?;
    let rest_of_level = rest_of_number[level..].strip_prefix(b" - ")?;
    // `%(request)s - %(message)s`, in old set-ups without the first space.
    let mut end = memchr::memchr(b' ', rest_of_level)?;
    if rest_of_level[end..].starts_with(b" - ") {
        let message = &rest_of_level[end + 3..];
        return (digits > 0 && logger > 0).then_some(Plain {
            logger: &rest[..logger],
            level: &rest_of_number[..level],
            request: &rest_of_level[..end],
            message,
        });
    }
    if end > 0 && rest_of_level[end - 1] == b'-' {
        end -= 1;
        return (digits > 0 && logger > 0).then_some(Plain {
            logger: &rest[..logger],
            level: &rest_of_number[..level],
            request: &rest_of_level[..end],
            message: &rest_of_level[end + 2..],
        });
    }
    None
}

/// The wall clock of a plain line, as if it were UTC.
fn plain_time(line: &[u8]) -> Option<i64> {
    let two = |at: usize| -> Option<i64> {
        let (high, low) = (line[at].wrapping_sub(b'0'), line[at + 1].wrapping_sub(b'0'));
        (high < 10 && low < 10).then(|| i64::from(high) * 10 + i64::from(low))
    };
    let year = two(0)? * 100 + two(2)?;
    let (month, day) = (two(5)?, two(8)?);
    let (hour, minute, second) = (two(11)?, two(14)?, two(17)?);
    let ms = two(20)? * 10 + i64::from(line[22].wrapping_sub(b'0').min(9));
    if !(1..=12).contains(&month) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    // Days since the epoch of a proleptic Gregorian date; years begin in March, so that leap days come last.
    let (shifted_year, shifted_month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let era = shifted_year.div_euclid(400);
    let of_era = shifted_year - era * 400;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + (shifted_month * 153 + 2) / 5 + day - 719_469;
    Some((((days * 24 + hour) * 60 + minute) * 60 + second.min(59)) * 1000 + ms)
}

fn plain_kind(logger: &[u8], message: &[u8]) -> Kind {
    if logger.starts_with(b"synapse.access.") {
        return took(message).map_or(Kind::Other, Kind::Access);
    }
    match logger {
        b"synapse.handlers.e2e_keys" | b"synapse.handlers.device" => Kind::Ledger,
        b"synapse.handlers.auth" if message.starts_with(b"Logging in user ") => Kind::Ledger,
        b"synapse.http.server" if memmem::find(message, b" already exists").is_some() => Kind::Ledger,
        _ if memmem::find(message, b"***** STARTING SERVER *****").is_some() => Kind::Start,
        _ => Kind::Other,
    }
}

/// Milliseconds from the request's start to the line: `… Processed request: 0.095sec/0.000sec …`.
fn took(message: &[u8]) -> Option<u64> {
    const WORDS: &[u8] = b"Processed request: ";
    let at = memmem::find(&message[..message.len().min(1024)], WORDS)? + WORDS.len();
    let (processing, used) = seconds(&message[at..])?;
    let rest = message.get(at + used..)?.strip_prefix(b"sec/")?;
    let (sending, _) = seconds(rest)?;
    // Where the client had gone, sending is negative; the request was under way for as long as it was processed.
    Some(u64::try_from(processing.max(processing + sending)).unwrap_or(0))
}

/// `0.095`, in milliseconds, and its length.
pub(crate) fn seconds(text: &[u8]) -> Option<(i64, usize)> {
    let negative = text.first() == Some(&b'-');
    let mut at = usize::from(negative);
    let mut ms = 0_i64;
    let whole = at;
    while let Some(digit) = text.get(at).filter(|byte| byte.is_ascii_digit()) {
        ms = ms.checked_mul(10)?.checked_add(i64::from(digit - b'0'))?;
        at += 1;
    }
    if at == whole || at - whole > 10 || text.get(at) != Some(&b'.') {
        return None;
    }
    for _ in 0..3 {
        at += 1;
        let digit = text.get(at).filter(|byte| byte.is_ascii_digit())?;
        ms = ms * 10 + i64::from(digit - b'0');
    }
    Some((if negative { -ms } else { ms }, at + 1))
}

fn read_other(line: &[u8], clock: Clock) -> Option<Head> {
    let line = parse_line(line)?;
    let source = line.source.as_deref().unwrap_or_default().as_bytes();
    let request = line.request.as_deref().unwrap_or_default().as_bytes();
    let kind = match line.event() {
        LogEvent::Access(access) => Kind::Access(access.duration_ms()),
        LogEvent::Starting => Kind::Start,
        _ => plain_kind(line.logger.as_bytes(), line.message.as_bytes()),
    };
    Some(Head {
        time: line.time.and_then(|stamp| clock.read(stamp)),
        source: if source.is_empty() { 0 } else { number(source, b"") },
        request: joinable(request).then(|| number(source, request)),
        level: line.level,
        kind,
    })
}

fn level(text: &[u8]) -> LogLevel {
    match text {
        b"DEBUG" => LogLevel::Debug,
        b"INFO" => LogLevel::Info,
        b"WARNING" => LogLevel::Warning,
        b"ERROR" => LogLevel::Error,
        b"CRITICAL" => LogLevel::Critical,
        _ => LogLevel::Unknown,
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
    fn the_plain_form_by_hand_reads_as_triage_reads_it() {
        let slow = read_other(ACCESS.as_bytes(), Clock::default()).unwrap();
        assert_eq!(read(ACCESS.as_bytes(), Clock::default()), Some(slow));
        assert_eq!((slow.time, slow.kind), (Some(1_795_422_963_872), Kind::Access(95)));
        let zoned = Clock { zone_ms: 3_600_000, year: None };
        assert_eq!(read(ACCESS.as_bytes(), zoned).unwrap().time, Some(1_795_422_963_872 - 3_600_000));
        for date in ["2024-02-29", "1970-01-01", "2000-12-31", "2100-03-01", "2026-11-23"] {
            let line = ACCESS.replace("2026-11-23", date);
            let wanted = read_other(line.as_bytes(), Clock::default()).unwrap().time;
            assert!(wanted.is_some());
            assert_eq!(time(line.as_bytes(), Clock::default()), wanted, "{date}");
        }
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

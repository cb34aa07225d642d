//! One line: its wrapping, and Synapse's own head.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use crate::stamp::{Stamp, read_iso, read_syslog, read_unix};

/// Wrappings that are taken off at most: a container's, a prefix and journald's.
const WRAPPINGS_MAX: u8 = 3;

/// A line of Synapse's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine<'a> {
    /// When it was written: Synapse's own time where it prints one, else the wrapping's.
    pub time: Option<Stamp>,
    /// The worker's prefix, the container's or the unit's name with its process: what tells two processes in one file
    /// apart.
    pub source: Option<Cow<'a, str>>,
    /// Python's logger, such as `synapse.handlers.e2e_keys`.
    pub logger: Cow<'a, str>,
    /// The level.
    pub level: LogLevel,
    /// The request's id, such as `POST-48`, or a background task's; `None` where the form has none.
    pub request: Option<Cow<'a, str>>,
    /// The message. Bytes that are not UTF-8 are replaced.
    pub message: Cow<'a, str>,
    /// The form.
    pub form: Form,
}

/// Python's levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum LogLevel {
    /// The form does not say.
    #[default]
    Unknown,
    /// `DEBUG`.
    Debug,
    /// `INFO`: what Synapse's own ledger of one-time keys needs.
    Info,
    /// `WARNING`.
    Warning,
    /// `ERROR`.
    Error,
    /// `CRITICAL`.
    Critical,
}

impl LogLevel {
    fn read(text: &[u8]) -> Option<LogLevel> {
        Some(match text {
            b"DEBUG" => LogLevel::Debug,
            b"INFO" => LogLevel::Info,
            b"WARNING" | b"WARN" => LogLevel::Warning,
            b"ERROR" => LogLevel::Error,
            b"CRITICAL" | b"FATAL" => LogLevel::Critical,
            _ => return None,
        })
    }

    /// syslog's priority, which journald keeps.
    fn of_priority(priority: &str) -> LogLevel {
        match priority {
            "7" => LogLevel::Debug,
            "6" | "5" => LogLevel::Info,
            "4" => LogLevel::Warning,
            "3" => LogLevel::Error,
            "0" | "1" | "2" => LogLevel::Critical,
            _ => LogLevel::Unknown,
        }
    }
}

/// How the line was laid out, innermost.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// `time - logger - line - LEVEL - request - message`, Synapse's default.
    Plain,
    /// The same without a time, for journals that add their own.
    Timeless,
    /// `logger: [request] message`, as Synapse's systemd example has it.
    Journal,
    /// A JSON object.
    Json,
}

/// Reads a line; `None` if it is not the beginning of a log line, as those of a traceback are not.
///
/// ```
/// use crypto_diag_triage::synapse_log::{LogLevel, parse_line};
///
/// let line = b"2026-11-23 08:36:03,871 - synapse.http.server - 131 - INFO - POST-48 - <...> SynapseError: 400 - x";
/// let line = parse_line(line).unwrap();
/// assert_eq!((line.request.as_deref(), line.level), (Some("POST-48"), LogLevel::Info));
/// assert_eq!(line.message, "<...> SynapseError: 400 - x");
/// assert_eq!(parse_line(b"  File \"x.py\", line 3, in y"), None);
/// ```
pub fn parse_line(line: &[u8]) -> Option<LogLine<'_>> {
    parse(trim_end(line), 0)
}

/// A line without its wrappings, and what they said. For a traceback inside of a journal: what [`parse_line`] does not
/// know is its continuation.
pub(super) fn unwrap_line(line: &[u8]) -> (Option<&str>, &[u8]) {
    let mut inner = trim_end(line);
    let mut source = None;
    for _ in 0..WRAPPINGS_MAX {
        let Some(wrapping) = peel(inner) else { break };
        source = source.or(wrapping.source);
        inner = wrapping.inner;
    }
    (source, inner)
}

fn parse(line: &[u8], depth: u8) -> Option<LogLine<'_>> {
    if let Some(line) = plain(line) {
        return Some(line);
    }
    if line.first() == Some(&b'{') {
        return json(line, depth);
    }
    if let Some(line) = timeless(line).or_else(|| journal(line)) {
        return Some(line);
    }
    if depth >= WRAPPINGS_MAX {
        return None;
    }
    let wrapping = peel(line)?;
    let mut inner = parse(wrapping.inner, depth + 1)?;
    inner.time = inner.time.or(wrapping.time);
    inner.source = inner.source.or(wrapping.source.map(Cow::Borrowed));
    Some(inner)
}

fn trim_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Synapse's default: `%(asctime)s - %(name)s - %(lineno)d - %(levelname)s - %(request)s - %(message)s`.
fn plain(line: &[u8]) -> Option<LogLine<'_>> {
    let (time, used) = read_iso(line)?;
    let rest = line[used..].strip_prefix(b" - ")?;
    let mut head = timeless(rest)?;
    head.time = Some(time);
    head.form = Form::Plain;
    Some(head)
}

fn timeless(line: &[u8]) -> Option<LogLine<'_>> {
    let (logger, rest) = split(line)?;
    if logger.is_empty() || logger.len() > 200 || !logger.iter().all(|byte| is_logger(*byte)) {
        return None;
    }
    let (number, rest) = split(rest)?;
    if number.is_empty() || number.len() > 7 || !number.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let (level, rest) = split(rest)?;
    let level = LogLevel::read(level)?;
    // Older default: `%(request)s- %(message)s`, without the space.
    let at = memmem::find(rest, b"- ").or_else(|| rest.ends_with(b"-").then(|| rest.len() - 1))?;
    let message = rest.get(at + 2..).unwrap_or_default();
    let request = trim_spaces(&rest[..at]);
    Some(LogLine {
        time: None,
        source: None,
        logger: text(logger),
        level,
        request: (!request.is_empty()).then(|| text(request)),
        message: text(message),
        form: Form::Timeless,
    })
}

fn is_logger(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_')
}

fn split(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let at = memmem::find(line, b" - ")?;
    Some((&line[..at], &line[at + 3..]))
}

fn trim_spaces(text: &[u8]) -> &[u8] {
    text.trim_ascii()
}

fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

/// `synapse.handlers.e2e_keys: [POST-48] Claimed …`.
fn journal(line: &[u8]) -> Option<LogLine<'_>> {
    if !line.starts_with(b"synapse.") && !line.starts_with(b"twisted") {
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
    let request = &rest[..end];
    Some(LogLine {
        time: None,
        source: None,
        logger: text(logger),
        level: LogLevel::Unknown,
        request: (!request.is_empty()).then(|| text(request)),
        message: text(message.strip_prefix(b" ").unwrap_or(message)),
        form: Form::Journal,
    })
}

struct Wrapping<'a> {
    time: Option<Stamp>,
    source: Option<&'a str>,
    inner: &'a [u8],
}

/// Takes one wrapping off: a container's or journald's time, host and unit, or a worker's `name |`.
fn peel(line: &[u8]) -> Option<Wrapping<'_>> {
    let timed = |found: Option<(Stamp, usize)>| {
        let (time, used) = found?;
        let rest = line.get(used..)?.strip_prefix(b" ")?;
        Some(after_time(time, rest))
    };
    match line.first()? {
        b'0'..=b'9' => timed(read_iso(line)).or_else(|| timed(read_unix(line))),
        b'A'..=b'Z' if line.get(3) == Some(&b' ') => timed(read_syslog(line)).or_else(|| prefixed(line)),
        _ => prefixed(line),
    }
}

/// What stands behind a wrapping's time: a container runtime's stream, a host and a unit, or the line itself.
fn after_time(time: Stamp, rest: &[u8]) -> Wrapping<'_> {
    let time = Some(time);
    for stream in [&b"stdout "[..], b"stderr "] {
        // CRI: `stdout F line`, and P for a part of a line that was too long.
        if let Some(inner) = rest.strip_prefix(stream) {
            let inner = inner.strip_prefix(b"F ").or_else(|| inner.strip_prefix(b"P ")).unwrap_or(inner);
            return Wrapping { time, source: None, inner };
        }
    }
    // journald: `host unit[pid]: line`; the unit may stand without a process.
    let source = (|| {
        let host_end = memchr::memchr(b' ', &rest[..rest.len().min(256)])?;
        let unit = &rest[host_end + 1..];
        let colon = memmem::find(&unit[..unit.len().min(256)], b": ")
            .or_else(|| unit.ends_with(b":").then(|| unit.len() - 1))?;
        let name = std::str::from_utf8(&unit[..colon]).ok()?;
        let plain = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.@:\\[]/".contains(&byte);
        name.bytes().all(plain).then_some((name, unit.get(colon + 2..).unwrap_or_default()))
    })();
    match source {
        Some((name, inner)) if parse_is_not_head(rest) => Wrapping { time, source: Some(name), inner },
        _ => Wrapping { time, source: None, inner: rest },
    }
}

/// Whether a text does not itself begin as a log line (`docker logs -t` puts its time directly in front of one).
fn parse_is_not_head(rest: &[u8]) -> bool {
    rest.first() != Some(&b'{') && read_iso(rest).is_none() && timeless(rest).is_none() && journal(rest).is_none()
}

/// A worker's prefix, as Synapse's Docker image and docker compose write it: `generic_worker1 | line`.
fn prefixed(line: &[u8]) -> Option<Wrapping<'_>> {
    let at = memmem::find(&line[..line.len().min(128)], b"| ")?;
    let name = std::str::from_utf8(trim_spaces(&line[..at])).ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    let named = !name.is_empty() && name.bytes().all(plain);
    named.then_some(Wrapping { time: None, source: Some(name), inner: &line[at + 2..] })
}

/// The fields of the JSON forms that are read.
#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
    #[serde(borrow)]
    namespace: Option<Cow<'a, str>>,
    #[serde(borrow)]
    level: Option<Cow<'a, str>>,
    #[serde(borrow)]
    severity: Option<Cow<'a, str>>,
    #[serde(borrow)]
    message: Option<Cow<'a, str>>,
    #[serde(borrow)]
    logger: Option<Cow<'a, str>>,
    #[serde(borrow)]
    request: Option<Cow<'a, str>>,
    time: Option<Value>,
    exc_type: Option<String>,
    exc_value: Option<String>,
    #[serde(rename = "MESSAGE")]
    journal_message: Option<Value>,
    #[serde(rename = "__REALTIME_TIMESTAMP")]
    journal_time: Option<String>,
    #[serde(rename = "_SYSTEMD_UNIT")]
    journal_unit: Option<String>,
    #[serde(rename = "SYSLOG_IDENTIFIER")]
    journal_identifier: Option<String>,
    #[serde(rename = "_PID")]
    journal_pid: Option<String>,
    #[serde(rename = "PRIORITY")]
    journal_priority: Option<String>,
    #[serde(rename = "LOGGER")]
    journal_logger: Option<String>,
}

fn json(line: &[u8], depth: u8) -> Option<LogLine<'_>> {
    match std::str::from_utf8(line) {
        Ok(line) => json_text(line, depth),
        Err(_) => json_text(&String::from_utf8_lossy(line), depth).map(into_owned),
    }
}

fn json_text(line: &str, depth: u8) -> Option<LogLine<'_>> {
    let fields: Json<'_> = serde_json::from_str(line).ok()?;
    if fields.journal_message.is_some() {
        return of_journal(fields, depth).map(into_owned);
    }
    let time = fields.time.as_ref().and_then(time_of);
    // Synapse's own JsonFormatter and TerseJsonFormatter, then its formatter for Google Cloud.
    let own = match (fields.namespace, fields.logger) {
        (Some(namespace), _) => Some((namespace, fields.log.clone()?, fields.level)),
        (None, Some(logger)) => Some((logger, fields.message?, fields.severity)),
        (None, None) => None,
    };
    if let Some((logger, message, level)) = own {
        let message = match (fields.exc_type, fields.exc_value) {
            (Some(kind), value) => Cow::Owned(format!("{message}\n{kind}: {}", value.unwrap_or_default())),
            (None, _) => message,
        };
        return Some(LogLine {
            time,
            source: None,
            logger,
            level: level.and_then(|level| LogLevel::read(level.as_bytes())).unwrap_or_default(),
            request: fields.request,
            message,
            form: Form::Json,
        });
    }
    // Docker's json-file driver: the line is a value.
    if depth >= WRAPPINGS_MAX {
        return None;
    }
    let inner = fields.log?;
    let mut inner = into_owned(parse(trim_end(inner.as_bytes()), depth + 1)?);
    inner.time = inner.time.or(time);
    Some(inner)
}

/// `journalctl -o json`.
fn of_journal(fields: Json<'_>, depth: u8) -> Option<LogLine<'static>> {
    let message: Vec<u8> = match fields.journal_message? {
        Value::String(text) => text.into_bytes(),
        // A message that is not UTF-8 is exported as its bytes.
        Value::Array(bytes) => {
            bytes.iter().map(|byte| byte.as_u64().and_then(|byte| u8::try_from(byte).ok())).collect::<Option<_>>()?
        }
        _ => return None,
    };
    let micros = fields.journal_time.as_deref().and_then(|time| time.parse::<i64>().ok());
    let name = fields.journal_unit.or(fields.journal_identifier);
    let source = name.map(|name| match &fields.journal_pid {
        Some(pid) => format!("{name}[{pid}]"),
        None => name,
    });
    let level = fields.journal_priority.as_deref().map(LogLevel::of_priority).unwrap_or_default();
    let mut inner = match parse(trim_end(&message), depth + 1).filter(|_| depth < WRAPPINGS_MAX) {
        Some(inner) => into_owned(inner),
        // systemd's Python handler keeps the logger in a field of its own.
        None => LogLine {
            time: None,
            source: None,
            logger: Cow::Owned(fields.journal_logger?),
            level,
            request: fields.request.map(|request| Cow::Owned(request.into_owned())),
            message: Cow::Owned(String::from_utf8_lossy(&message).into_owned()),
            form: Form::Json,
        },
    };
    inner.time = inner.time.or(micros.map(|micros| Stamp::exact(micros.div_euclid(1000))));
    inner.source = inner.source.or(source.map(Cow::Owned));
    if inner.level == LogLevel::Unknown {
        inner.level = level;
    }
    Some(inner)
}

fn time_of(value: &Value) -> Option<Stamp> {
    match value {
        // Seconds, rounded to hundredths by TerseJsonFormatter.
        Value::Number(seconds) => {
            let seconds = seconds.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
            Some(Stamp::exact((seconds * 1000.0).round() as i64))
        }
        Value::String(text) => read_iso(text.as_bytes()).map(|found| found.0),
        _ => None,
    }
}

fn into_owned(line: LogLine<'_>) -> LogLine<'static> {
    let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
    LogLine {
        time: line.time,
        source: line.source.map(own),
        logger: own(line.logger),
        level: line.level,
        request: line.request.map(own),
        message: own(line.message),
        form: line.form,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PLAIN: &str =
        "2026-11-23 08:36:03,871 - synapse.handlers.e2e_keys - 819 - INFO - POST-48 - Claimed one-time-keys: x";
    const TIME: i64 = 1_795_422_963_871;

    fn check(line: &str, source: Option<&str>, form: Form, time: Option<i64>) {
        let read = parse_line(line.as_bytes()).unwrap_or_else(|| panic!("{line}"));
        assert_eq!(read.logger, "synapse.handlers.e2e_keys", "{line}");
        assert_eq!(read.request.as_deref(), Some("POST-48"), "{line}");
        assert_eq!(read.message, "Claimed one-time-keys: x", "{line}");
        assert_eq!(read.source.as_deref(), source, "{line}");
        assert_eq!(read.form, form, "{line}");
        assert_eq!(read.time.map(|time| time.ms), time, "{line}");
    }

    #[test]
    fn every_form_gives_the_same_line() {
        let timeless = &PLAIN[26..];
        let journal = "synapse.handlers.e2e_keys: [POST-48] Claimed one-time-keys: x";
        check(PLAIN, None, Form::Plain, Some(TIME));
        check(&PLAIN.replace("POST-48 - ", "POST-48- "), None, Form::Plain, Some(TIME));
        check(&format!("generic_worker1 | {PLAIN}"), Some("generic_worker1"), Form::Plain, Some(TIME));
        check(&format!("synapse-1  | {PLAIN}\r\n"), Some("synapse-1"), Form::Plain, Some(TIME));
        check(&format!("2026-11-23T08:36:03.871234567Z {PLAIN}"), None, Form::Plain, Some(TIME));
        check(&format!("2026-11-23T08:36:03.871234567Z stdout F {PLAIN}"), None, Form::Plain, Some(TIME));
        check(
            &format!("2026-11-23T09:36:03+01:00 box matrix-synapse[643]: {PLAIN}"),
            Some("matrix-synapse[643]"),
            Form::Plain,
            Some(TIME),
        );
        check(
            &format!("2026-11-23T09:36:03.871+0100 box python[643]: {journal}"),
            Some("python[643]"),
            Form::Journal,
            Some(TIME),
        );
        check(
            &format!("2026-11-23T08:36:03.871Z box python[643]: {timeless}"),
            Some("python[643]"),
            Form::Timeless,
            Some(TIME),
        );
        check(
            &format!("1795422963.871234 box python[643]: {timeless}"),
            Some("python[643]"),
            Form::Timeless,
            Some(TIME),
        );
        check(&format!("Nov 23 08:36:03 box python[643]: {PLAIN}"), Some("python[643]"), Form::Plain, Some(TIME));
        check(
            r#"{"log":"Claimed one-time-keys: x","namespace":"synapse.handlers.e2e_keys","level":"INFO","time":1795422963.871,"request":"POST-48"}"#,
            None,
            Form::Json,
            Some(TIME),
        );
        check(
            r#"{"severity":"INFO","message":"Claimed one-time-keys: x","logger":"synapse.handlers.e2e_keys","time":"2026-11-23T08:36:03.871Z","request":"POST-48"}"#,
            None,
            Form::Json,
            Some(TIME),
        );
        check(
            &format!(r#"{{"log":"{PLAIN}\n","stream":"stderr","time":"2026-11-23T08:36:03.9Z"}}"#),
            None,
            Form::Plain,
            Some(TIME),
        );
        check(
            &format!(
                r#"{{"__REALTIME_TIMESTAMP":"1795422963871204","MESSAGE":"{timeless}","_SYSTEMD_UNIT":"matrix-synapse.service","_PID":"643","PRIORITY":"6"}}"#
            ),
            Some("matrix-synapse.service[643]"),
            Form::Timeless,
            Some(TIME),
        );
        check(timeless, None, Form::Timeless, None);
    }

    #[test]
    fn a_journals_message_of_bytes_is_read() {
        let bytes: Vec<String> = PLAIN[26..].bytes().map(|byte| byte.to_string()).collect();
        let line = format!(r#"{{"MESSAGE":[{}],"__REALTIME_TIMESTAMP":"1795422963871204"}}"#, bytes.join(","));
        check(&line, None, Form::Timeless, Some(TIME));
    }

    #[test]
    fn a_short_journal_line_has_no_year() {
        let line = b"Nov 23 08:36:03 box python[643]: synapse.x: [GET-1] m";
        let time = parse_line(line).unwrap().time.unwrap();
        assert!(!time.has_year && !time.has_zone);
    }

    #[test]
    fn lines_of_a_traceback_are_no_beginnings() {
        for line in [
            "Traceback (most recent call last):",
            "  File \"x.py\", line 1, in y",
            "",
            "{",
            "    return a | b",
            "Nov 23 08:36:03 box python[1]: Traceback",
        ] {
            assert_eq!(parse_line(line.as_bytes()), None, "{line}");
        }
    }

    #[test]
    fn bad_bytes_are_replaced() {
        let mut line = PLAIN.as_bytes().to_vec();
        line.extend_from_slice(b"\xff\xfe");
        assert!(parse_line(&line).unwrap().message.ends_with("x\u{fffd}\u{fffd}"));
        assert!(matches!(parse_line(PLAIN.as_bytes()).unwrap().message, Cow::Borrowed(_)));
    }
}

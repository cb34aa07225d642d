//! What other programs put around a server's line: a container's time, journald's host and unit, a worker's prefix, JSON.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use crate::line::{LogLevel, LogLine, bare, parse, trim_end};
use crate::stamp::{Stamp, read_iso, read_syslog, read_unix};

/// Wrappings that are taken off at most: a container's, a prefix and journald's.
pub(crate) const WRAPPINGS_MAX: u8 = 3;

/// One wrapping, taken off.
pub(crate) struct Wrapping<'a> {
    pub time: Option<Stamp>,
    pub source: Option<&'a str>,
    pub inner: &'a [u8],
}

/// Takes one wrapping off: a container's or journald's time, host and unit, or a worker's `name |`.
pub(crate) fn peel(line: &[u8]) -> Option<Wrapping<'_>> {
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
        // `docker logs -t` puts its time directly in front of a line.
        Some((name, inner)) if !begins_a_line(rest) => Wrapping { time, source: Some(name), inner },
        _ => Wrapping { time, source: None, inner: rest },
    }
}

/// Whether a text itself begins as a log line.
fn begins_a_line(text: &[u8]) -> bool {
    text.first() == Some(&b'{') || read_iso(text).is_some() || bare(text).is_some()
}

/// A worker's prefix, as Synapse's Docker image and docker compose write it: `generic_worker1 | line`.
fn prefixed(line: &[u8]) -> Option<Wrapping<'_>> {
    let at = memmem::find(&line[..line.len().min(128)], b"| ")?;
    let name = std::str::from_utf8(line[..at].trim_ascii()).ok()?;
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'-' | b'.' | b':');
    let named = !name.is_empty() && name.bytes().all(plain);
    named.then_some(Wrapping { time: None, source: Some(name), inner: &line[at + 2..] })
}

/// The fields of JSON wrappings that are read: Docker's json-file driver and `journalctl -o json`.
#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
    time: Option<Value>,
    #[serde(borrow)]
    request: Option<Cow<'a, str>>,
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

/// Reads a line that is a value of a JSON object.
pub(crate) fn json(line: &[u8], depth: u8) -> Option<LogLine<'static>> {
    let text = String::from_utf8_lossy(line);
    let fields: Json<'_> = serde_json::from_str(&text).ok()?;
    if fields.journal_message.is_some() {
        return of_journal(fields, depth);
    }
    let time = fields.time.as_ref().and_then(time_of);
    let mut inner = parse(trim_end(fields.log?.as_bytes()), depth + 1)?.into_owned();
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
    let level = fields.journal_priority.as_deref().map(of_priority).unwrap_or_default();
    let mut inner = match parse(trim_end(&message), depth + 1) {
        Some(inner) => inner.into_owned(),
        // systemd's Python handler keeps the logger in a field of its own.
        None => LogLine {
            time: None,
            source: None,
            logger: Cow::Owned(fields.journal_logger?),
            level,
            request: fields.request.map(|request| Cow::Owned(request.into_owned())),
            message: Cow::Owned(String::from_utf8_lossy(&message).into_owned()),
            format: &crate::synapse::Synapse,
        },
    };
    inner.time = inner.time.or(micros.map(|micros| Stamp::exact(micros.div_euclid(1000))));
    inner.source = inner.source.or(source.map(Cow::Owned));
    if inner.level == LogLevel::Unknown {
        inner.level = level;
    }
    Some(inner)
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

/// A time as JSON forms have it.
pub(crate) fn time_of(value: &Value) -> Option<Stamp> {
    match value {
        // Seconds, rounded to hundredths by Synapse's TerseJsonFormatter.
        Value::Number(seconds) => {
            let seconds = seconds.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
            Some(Stamp::exact((seconds * 1000.0).round() as i64))
        }
        Value::String(text) => read_iso(text.as_bytes()).map(|found| found.0),
        _ => None,
    }
}

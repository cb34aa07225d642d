//! What JSON puts around a server's line: a container runtime's, journald's, Loki's, and those of programs that ship logs.

use std::borrow::Cow;

use serde::{Deserialize, Deserializer};
use serde_json::Value;

use crate::escape::{Escape, without_escapes};
use crate::format::LogLine;
use crate::journald::UNEXPORTED;
use crate::json_time::time_of;
use crate::level::LogLevel;
use crate::stamp::Stamp;
use crate::synapse::Synapse;
use crate::wrapping::SOURCE_LABELS;

/// The fields of JSON wrappings that are read: Docker's json-file driver, `journalctl -o json`, Loki's `logcli -o jsonl`, and what
/// Vector, Filebeat and Google Cloud make of a line.
#[derive(Deserialize)]
struct Json<'a> {
    #[serde(borrow)]
    log: Option<Cow<'a, str>>,
    time: Option<Value>,
    #[serde(borrow)]
    line: Option<Cow<'a, str>>,
    #[serde(borrow, alias = "textPayload")]
    message: Option<Cow<'a, str>>,
    #[serde(alias = "@timestamp")]
    timestamp: Option<Value>,
    labels: Option<Value>,
    #[serde(borrow)]
    request: Option<Cow<'a, str>>,
    #[serde(rename = "MESSAGE", default, deserialize_with = "present")]
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

/// A value that is there, `null` or not.
fn present<'d, D: Deserializer<'d>>(value: D) -> Result<Option<Value>, D::Error> {
    Value::deserialize(value).map(Some)
}

/// A line that is a value of a JSON object, taken out of it.
#[derive(Debug, Default)]
pub(crate) struct JsonWrapping {
    /// The line.
    pub inner: Vec<u8>,
    /// When the wrapping's program got it.
    pub time: Option<Stamp>,
    /// Whose line it is, by the wrapping.
    pub source: Option<String>,
    /// The level that the wrapping says, for a line that does not say its own.
    pub level: LogLevel,
    /// What the wrapping's fields alone say, if the line has no header of its own.
    pub without_header: Option<LogLine<'static>>,
}

/// Takes a line out of a JSON object.
pub(crate) fn peel_json(line: &[u8]) -> Option<JsonWrapping> {
    let text = String::from_utf8_lossy(line);
    let fields: Json<'_> = serde_json::from_str(&text).ok()?;
    if fields.journal_message.is_some() {
        return of_journal(fields);
    }
    let (inner, time, source) = match (fields.log, fields.line.or(fields.message)) {
        (Some(log), _) => (log, fields.time.as_ref().and_then(time_of), None),
        (None, Some(line)) => {
            (line, fields.timestamp.as_ref().and_then(time_of), fields.labels.as_ref().and_then(source_of))
        }
        (None, None) => return None,
    };
    let inner = without_escapes(inner).into_owned().into_bytes();
    Some(JsonWrapping { inner, time, source, ..JsonWrapping::default() })
}

/// The process that a stream's labels name.
fn source_of(labels: &Value) -> Option<String> {
    SOURCE_LABELS.iter().find_map(|name| labels.get(name)?.as_str()).map(str::to_owned)
}

/// `journalctl -o json`.
fn of_journal(fields: Json<'_>) -> Option<JsonWrapping> {
    let inner: Vec<u8> = match fields.journal_message? {
        // Without `--all`, what is longer than 4,096 bytes is not exported.
        Value::Null => UNEXPORTED.into(),
        Value::String(text) => text.into_bytes(),
        // A message that is not UTF-8, or has colours, is exported as its bytes.
        Value::Array(bytes) => {
            let bytes: Option<Vec<u8>> = bytes.iter().map(|byte| u8::try_from(byte.as_u64()?).ok()).collect();
            Escape::default().take_off(&bytes?, true)
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
    // systemd's Python handler keeps the logger in a field of its own.
    let without_header = fields.journal_logger.map(|logger| LogLine {
        time: None,
        source: None,
        logger: Cow::Owned(logger),
        level,
        request: fields.request.map(|request| Cow::Owned(request.into_owned())),
        message: Cow::Owned(String::from_utf8_lossy(&inner).into_owned()),
        format: &Synapse,
    });
    let time = micros.map(|micros| Stamp::exact(micros.div_euclid(1000)));
    Some(JsonWrapping { inner, time, source, level, without_header })
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

//! Synapse's own JSON: its JsonFormatter and TerseJsonFormatter, and the one for Google Cloud.

use std::borrow::Cow;

use memchr::memmem;
use serde::Deserialize;
use serde_json::Value;

use crate::format::{LogLine, ServerLogFormat};
use crate::json_time::time_of;
use crate::level::LogLevel;

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
}

pub(super) fn line<'a>(line: &'a [u8], format: &'static dyn ServerLogFormat) -> Option<LogLine<'a>> {
    if memmem::find(line, b"\"namespace\"").is_none() && memmem::find(line, b"\"logger\"").is_none() {
        return None;
    }
    match std::str::from_utf8(line) {
        Ok(text) => of_text(text, format),
        Err(_) => of_text(&String::from_utf8_lossy(line), format).map(LogLine::into_owned),
    }
}

fn of_text<'a>(text: &'a str, format: &'static dyn ServerLogFormat) -> Option<LogLine<'a>> {
    let fields: Json<'_> = serde_json::from_str(text).ok()?;
    let (logger, message, level) = match (fields.namespace, fields.logger) {
        (Some(namespace), _) => (namespace, fields.log?, fields.level),
        (None, Some(logger)) => (logger, fields.message?, fields.severity),
        (None, None) => return None,
    };
    let message = match (fields.exc_type, fields.exc_value) {
        (Some(kind), value) => Cow::Owned(format!("{message}\n{kind}: {}", value.unwrap_or_default())),
        (None, _) => message,
    };
    Some(LogLine {
        time: fields.time.as_ref().and_then(time_of),
        source: None,
        logger,
        level: level.and_then(|level| LogLevel::read(level.as_bytes())).unwrap_or_default(),
        request: fields.request,
        message,
        format,
    })
}

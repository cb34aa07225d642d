//! A time as JSON forms of a log have it.

use serde_json::Value;

use crate::stamp::{Stamp, read_iso};

/// Reads it from a number of seconds or nanoseconds, or from text.
pub(crate) fn time_of(value: &Value) -> Option<Stamp> {
    match value {
        // Nanoseconds, as Loki counts.
        Value::Number(ns) if ns.as_u64().is_some_and(|ns| ns > 1_000_000_000_000_000) => {
            Some(Stamp::exact((ns.as_u64()? / 1_000_000) as i64))
        }
        // Seconds, rounded to hundredths by Synapse's TerseJsonFormatter.
        Value::Number(seconds) => {
            let seconds = seconds.as_f64().filter(|seconds| (0.0..1e11).contains(seconds))?;
            Some(Stamp::exact((seconds * 1000.0).round() as i64))
        }
        Value::String(text) => match text.parse::<u64>() {
            Ok(ns) if ns > 1_000_000_000_000_000 => Some(Stamp::exact((ns / 1_000_000) as i64)),
            _ => read_iso(text.as_bytes()).map(|found| found.0),
        },
        _ => None,
    }
}

//! Loki's exports that are one JSON document: what its API answers, and what Grafana saves.

use std::io::Write;

use serde::de::Error;
use serde::{Deserialize, Deserializer};
use serde_json::{Value, json};

use crate::json_time::time_of;
use crate::stamp::read_iso;

/// `GET /loki/api/v1/query_range`, or a message of `/loki/api/v1/tail`.
#[derive(Deserialize)]
struct Answer {
    streams: Option<Vec<Stream>>,
    data: Option<Data>,
}

#[derive(Deserialize)]
struct Data {
    result: Vec<Stream>,
}

#[derive(Deserialize)]
struct Stream {
    stream: Value,
    values: Vec<Line>,
}

/// When, and the line; since Loki 3 the line's own labels may follow.
struct Line(Value, String);

impl<'d> Deserialize<'d> for Line {
    fn deserialize<D: Deserializer<'d>>(value: D) -> Result<Line, D::Error> {
        let mut parts = Vec::<Value>::deserialize(value)?.into_iter();
        match (parts.next(), parts.next()) {
            (Some(timestamp), Some(Value::String(line))) => Ok(Line(timestamp, line)),
            _ => Err(Error::custom("a time and a line")),
        }
    }
}

/// A line as Grafana's "Download logs" saves it.
#[derive(Deserialize)]
struct Saved {
    line: String,
    timestamp: Option<Value>,
    date: Option<String>,
    #[serde(alias = "labels")]
    fields: Option<Value>,
}

/// Whether a document that begins so is an export: as far as its beginning shows.
pub fn is_loki_export(head: &[u8]) -> bool {
    let has = |word: &[u8]| memchr::memmem::find(head, word).is_some();
    let start = head.trim_ascii_start();
    let answer = start.starts_with(b"{") && has(b"\"streams\"") && has(b"\"values\"");
    let saved = start.starts_with(b"[") && has(b"\"line\"") && (has(b"\"timestamp\"") || has(b"\"date\""));
    answer || saved
}

/// The lines of an export, the oldest first, each as `logcli -o jsonl` prints it, which [`parse_line`](crate::parse_line) reads;
/// `None` if the document is none.
pub fn lines_of_export(document: &[u8]) -> Option<Vec<u8>> {
    let mut lines: Vec<(i64, Value)> = Vec::new();
    let mut put = |timestamp: &Value, labels: &Value, line: &str| {
        let at = time_of(timestamp).map_or(i64::MIN, |stamp| stamp.ms);
        lines
            .push((at, json!({"line": line.trim_end_matches(['\n', '\r']), "timestamp": timestamp, "labels": labels})));
    };
    let answer = serde_json::from_slice::<Answer>(document).ok();
    let streams = answer.and_then(|Answer { streams, data }| streams.or(data.map(|data| data.result)));
    if let Some(streams) = streams {
        for stream in &streams {
            stream.values.iter().for_each(|Line(timestamp, line)| put(timestamp, &stream.stream, line));
        }
    } else {
        let saved: Vec<Saved> = serde_json::from_slice(document).ok()?;
        for one in &saved {
            let date = one.date.as_deref().filter(|date| read_iso(date.as_bytes()).is_some());
            let date = date.map(|date| Value::String(date.to_owned()));
            let timestamp = one.timestamp.clone().filter(|timestamp| time_of(timestamp).is_some());
            put(&timestamp.or(date).unwrap_or_default(), one.fields.as_ref().unwrap_or(&Value::Null), &one.line);
        }
    }
    // Loki gives the newest first; of one instant it keeps the order.
    let newest_first = lines.first().zip(lines.last()).is_some_and(|(first, last)| first.0 > last.0);
    if newest_first {
        lines.reverse();
    }
    lines.sort_by_key(|(at, _)| *at);
    let mut text = Vec::new();
    for (_, line) in lines {
        // Into memory, which does not fail.
        let _ = writeln!(text, "{line}");
    }
    (!text.is_empty()).then_some(text)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse_line;

    const ONE: &str = "2026-11-23 09:36:03,871 - synapse.x - 1 - INFO - GET-1 - one";
    const TWO: &str = "2026-11-23 09:36:04,871 - synapse.x - 1 - INFO - GET-2 - two";

    fn check(document: &Value) {
        let text = lines_of_export(document.to_string().as_bytes()).expect("an export");
        let lines: Vec<_> = text.split(|byte| *byte == b'\n').filter_map(parse_line).collect();
        let read: Vec<_> = lines.iter().map(|line| (line.request.as_deref(), line.source.as_deref())).collect();
        assert_eq!(read, [(Some("GET-1"), Some("synapse-0")), (Some("GET-2"), Some("synapse-0"))]);
        assert_eq!(
            lines[0].time.map(|time| (time.ms, time.has_zone)),
            Some((1_795_422_963_871, true)),
            "the zone, too"
        );
    }

    #[test]
    fn every_export_of_lokis_gives_the_same_lines_the_oldest_first() {
        check(&json!({"status": "success", "data": {"resultType": "streams", "result": [
            {"stream": {"job": "x", "pod": "synapse-0"}, "values": [["1795422964872000000", TWO], ["1795422963872000000", ONE]]},
        ]}}));
        let values = json!([["1795422964872000000", TWO, {"a": "b"}], ["1795422963872000000", ONE, {}]]);
        check(&json!({"streams": [{"stream": {"pod": "synapse-0"}, "values": values}]}));
        let saved = |line: &str, ns: &str, date: &str| json!({"line": line, "timestamp": ns, "date": date, "fields": {"pod": "synapse-0"}});
        check(&json!([
            saved(TWO, "1795422964872000000", "2026-11-23T08:36:04.872Z"),
            saved(ONE, "1795422963872000000", "2026-11-23T08:36:03.872Z"),
        ]));
        check(&json!([saved(ONE, "", "2026-11-23T08:36:03.872Z"), saved(TWO, "", "2026-11-23T08:36:04.872Z")]));
        assert_eq!(lines_of_export(br#"{"status":"success","data":{"resultType":"matrix","result":[]}}"#), None);
        assert_eq!(lines_of_export(b"[1]"), None);
    }
}

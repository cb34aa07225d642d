//! A HAR as a stream of JSON: entries one by one, and of each only what is asked for.

use std::io::{self, Read};

use serde_json::Value;
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ValueType};

use super::facts::BodyFacts;
use super::{BODY_BYTES_MAX, ENTRIES_MAX, Exchange, Har, HarOptions, IDS_MAX, LEFT_OUT, LostBody, body};
use crate::problem::{Place, Problems};
use crate::stamp::read_iso;
use crate::synapse_log::{Route, canonical_uri, without_fragment};

/// Bytes of a URL or another short text that are read at most.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Which bodies a route needs.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Wanted {
    Nothing,
    Request,
    Answer,
    Both,
}

fn wanted(uri: &str, options: &HarOptions) -> Wanted {
    match Route::of(uri) {
        Route::KeysUpload => Wanted::Both,
        // A sliding sync's position is in its body.
        Route::Sync if uri.contains("sliding_sync") || uri.contains("simplified_") || uri.contains("msc3575") => {
            Wanted::Both
        }
        Route::KeysClaim | Route::KeysQuery | Route::Sync => Wanted::Answer,
        Route::SendToDevice => Wanted::Request,
        Route::Other if !options.event_ids.is_empty() && uri.contains("/rooms/") => Wanted::Answer,
        Route::DelayedEvent | Route::Other => Wanted::Nothing,
    }
}

type Json<R> = JsonStreamReader<R>;

/// Whether there was a `log.entries`.
pub(super) fn read<R: Read>(
    json: &mut Json<R>,
    options: &HarOptions,
    har: &mut Har,
    problems: &mut Problems,
) -> Result<bool, ReaderError> {
    let mut found = false;
    let mut index = 0;
    if json.peek()? != ValueType::Object {
        return Ok(false);
    }
    json.begin_object()?;
    while json.has_next()? {
        if json.next_name()? != "log" || json.peek()? != ValueType::Object {
            json.skip_value()?;
            continue;
        }
        json.begin_object()?;
        while json.has_next()? {
            match (json.next_name_owned()?.as_str(), json.peek()?) {
                ("entries", ValueType::Array) => {}
                (LEFT_OUT, ValueType::Number) => {
                    har.left_out = json.next_number_as_str()?.parse().unwrap_or(u64::MAX);
                    continue;
                }
                _ => {
                    json.skip_value()?;
                    continue;
                }
            }
            found = true;
            json.begin_array()?;
            while json.has_next()? {
                if json.peek()? == ValueType::Object {
                    let raw = read_entry(json, options)?;
                    match raw.finish(index, options, problems) {
                        Some(entry) if har.entries.len() < ENTRIES_MAX => har.entries.push(entry),
                        Some(_) => problems.add(Place::Entry(index), "too many requests; this one is left out"),
                        None => {}
                    }
                } else {
                    json.skip_value()?;
                    problems.add(Place::Entry(index), "no object; left out");
                }
                index += 1;
            }
            json.end_array()?;
        }
        json.end_object()?;
    }
    json.end_object()?;
    Ok(found)
}

/// An entry as it is read: bodies that may be needed are still texts.
#[derive(Default)]
struct Raw {
    started: Option<String>,
    time: Option<f64>,
    blocked: Option<f64>,
    method: Option<String>,
    url: Option<String>,
    status: Option<f64>,
    request: Text,
    answer: Text,
    encoding: Option<String>,
    request_encoding: Option<String>,
    /// Bytes of the answer's body, as the recorder counted them.
    size: Option<f64>,
    facts: Option<BodyFacts>,
    lost: Option<LostBody>,
    index: Option<f64>,
}

#[derive(Default)]
enum Text {
    #[default]
    None,
    Some(Vec<u8>),
    TooLong,
}

fn read_entry<R: Read>(json: &mut Json<R>, options: &HarOptions) -> Result<Raw, ReaderError> {
    let mut raw = Raw::default();
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        match (name.as_str(), json.peek()?) {
            ("startedDateTime", ValueType::String) => raw.started = short(json)?,
            ("time", ValueType::Number) => raw.time = number(json)?,
            ("timings", ValueType::Object) => read_timings(json, &mut raw)?,
            ("_index", ValueType::Number) => raw.index = number(json)?,
            ("request", ValueType::Object) => read_request(json, &mut raw, options)?,
            ("response", ValueType::Object) => read_response(json, &mut raw, options)?,
            ("_cryptoDiagLost", ValueType::String) => {
                raw.lost = short(json)?.and_then(|word| serde_json::from_value(Value::String(word)).ok());
            }
            ("_cryptoDiag", ValueType::Object) => {
                let mut buffer = Vec::new();
                copy_value(json, &mut buffer)?;
                raw.facts = serde_json::from_slice(&buffer).ok();
            }
            _ => json.skip_value()?,
        }
    }
    json.end_object()?;
    Ok(raw)
}

fn read_timings<R: Read>(json: &mut Json<R>, raw: &mut Raw) -> Result<(), ReaderError> {
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        match (name.as_str(), json.peek()?) {
            ("blocked", ValueType::Number) => raw.blocked = number(json)?,
            _ => json.skip_value()?,
        }
    }
    json.end_object()
}

fn read_request<R: Read>(json: &mut Json<R>, raw: &mut Raw, options: &HarOptions) -> Result<(), ReaderError> {
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        match (name.as_str(), json.peek()?) {
            ("method", ValueType::String) => raw.method = short(json)?,
            ("url", ValueType::String) => raw.url = short(json)?,
            ("postData", ValueType::Object) => {
                let needed = raw.needs(options).is_none_or(|wanted| matches!(wanted, Wanted::Request | Wanted::Both));
                json.begin_object()?;
                while json.has_next()? {
                    let name = json.next_name_owned()?;
                    match (name.as_str(), json.peek()?) {
                        ("text", ValueType::String) if needed => raw.request = long(json)?,
                        ("encoding" | "_encoding", ValueType::String) => raw.request_encoding = short(json)?,
                        _ => json.skip_value()?,
                    }
                }
                json.end_object()?;
            }
            _ => json.skip_value()?,
        }
    }
    json.end_object()
}

fn read_response<R: Read>(json: &mut Json<R>, raw: &mut Raw, options: &HarOptions) -> Result<(), ReaderError> {
    json.begin_object()?;
    while json.has_next()? {
        let name = json.next_name_owned()?;
        match (name.as_str(), json.peek()?) {
            ("status", ValueType::Number) => raw.status = number(json)?,
            ("content", ValueType::Object) => {
                let needed = raw.needs(options).is_none_or(|wanted| matches!(wanted, Wanted::Answer | Wanted::Both));
                json.begin_object()?;
                while json.has_next()? {
                    let name = json.next_name_owned()?;
                    match (name.as_str(), json.peek()?) {
                        ("text", ValueType::String) if needed => raw.answer = long(json)?,
                        ("encoding", ValueType::String) => raw.encoding = short(json)?,
                        ("size", ValueType::Number) => raw.size = number(json)?,
                        _ => json.skip_value()?,
                    }
                }
                json.end_object()?;
            }
            _ => json.skip_value()?,
        }
    }
    json.end_object()
}

/// A string that is short, or none.
fn short<R: Read>(json: &mut Json<R>) -> Result<Option<String>, ReaderError> {
    Ok(match bounded(json, TEXT_BYTES_MAX)? {
        Text::Some(bytes) => String::from_utf8(bytes).ok(),
        Text::None | Text::TooLong => None,
    })
}

fn long<R: Read>(json: &mut Json<R>) -> Result<Text, ReaderError> {
    bounded(json, BODY_BYTES_MAX)
}

/// A string up to a length; a longer one is read past and dropped.
fn bounded<R: Read>(json: &mut Json<R>, max: usize) -> Result<Text, ReaderError> {
    let location = json.current_position(false);
    let failed = |error| ReaderError::IoError { error, location };
    let mut reader = json.next_string_reader()?;
    let mut bytes = Vec::new();
    let outcome = (&mut reader).take(max as u64 + 1).read_to_end(&mut bytes);
    let outcome = outcome.and_then(|_| io::copy(&mut reader, &mut io::sink()));
    match outcome {
        Ok(_) if bytes.len() > max => Ok(Text::TooLong),
        Ok(_) => Ok(Text::Some(bytes)),
        Err(error) => Err(failed(error)),
    }
}

fn number<R: Read>(json: &mut Json<R>) -> Result<Option<f64>, ReaderError> {
    Ok(json.next_number_as_str()?.parse().ok())
}

/// Copies a value as JSON text, up to the length of a body.
fn copy_value<R: Read>(json: &mut Json<R>, out: &mut Vec<u8>) -> Result<(), ReaderError> {
    let value = copy(json, 0)?;
    if let Some(value) = value {
        *out = serde_json::to_vec(&value).unwrap_or_default();
    }
    Ok(())
}

fn copy<R: Read>(json: &mut Json<R>, depth: u8) -> Result<Option<Value>, ReaderError> {
    if depth > 8 {
        json.skip_value()?;
        return Ok(None);
    }
    Ok(match json.peek()? {
        ValueType::Object => {
            let mut map = serde_json::Map::new();
            json.begin_object()?;
            while json.has_next()? {
                let name = json.next_name_owned()?;
                if let Some(value) = copy(json, depth + 1)?.filter(|_| map.len() < IDS_MAX) {
                    map.insert(name, value);
                }
            }
            json.end_object()?;
            Some(Value::Object(map))
        }
        ValueType::Array => {
            let mut list = Vec::new();
            json.begin_array()?;
            while json.has_next()? {
                list.extend(copy(json, depth + 1)?.filter(|_| list.len() < IDS_MAX));
            }
            json.end_array()?;
            Some(Value::Array(list))
        }
        ValueType::String => short(json)?.map(Value::String),
        ValueType::Boolean => Some(Value::Bool(json.next_bool()?)),
        ValueType::Number => number(json)?.and_then(serde_json::Number::from_f64).map(Value::Number),
        ValueType::Null => {
            json.next_null()?;
            Some(Value::Null)
        }
    })
}

impl Raw {
    /// What the URL needs, if it is known by now.
    fn needs(&self, options: &HarOptions) -> Option<Wanted> {
        self.url.as_deref().map(|url| wanted(path_of(url), options))
    }

    fn finish(self, index: u64, options: &HarOptions, problems: &mut Problems) -> Option<Exchange> {
        let index = self.index.filter(|index| *index >= 0.0).map_or(index, |index| index as u64);
        let place = Place::Entry(index);
        let (Some(url), Some(started)) = (&self.url, &self.started) else {
            problems.add(place, "no URL or no time; left out");
            return None;
        };
        let Some((started, _)) = read_iso(started.as_bytes()).filter(|(stamp, _)| stamp.has_zone) else {
            problems.add(place, "startedDateTime is no time with a zone; left out");
            return None;
        };
        let path = path_of(url);
        let wanted = wanted(path, options);
        let reads_request = matches!(wanted, Wanted::Request | Wanted::Both);
        let reads_answer = matches!(wanted, Wanted::Answer | Wanted::Both);
        let too_long = (reads_request && matches!(self.request, Text::TooLong))
            || (reads_answer && matches!(self.answer, Text::TooLong));
        // A recorder that kept no body still counted its bytes; where it did not, an answer of 200 on these routes has one.
        let has_body = self.size.map_or(self.status == Some(200.0), |size| size > 0.0);
        let answer_dropped = reads_answer && has_body && matches!(self.answer, Text::None);
        // A request that uploads or sends something has a body.
        let sends = reads_request && matches!(self.method.as_deref(), Some("POST" | "PUT"));
        let request_dropped = sends && matches!(self.request, Text::None);
        let dropped = Route::of(path) != Route::Other && (answer_dropped || request_dropped);
        let request = match self.request {
            Text::Some(bytes) if reads_request => Some(body::decode(bytes, self.request_encoding.as_deref())),
            _ => None,
        };
        let answer = match self.answer {
            Text::Some(bytes) if reads_answer => Some(body::decode(bytes, self.encoding.as_deref())),
            _ => None,
        };
        let (mut facts, mut lost) = (self.facts, self.lost);
        // What this program wrote says itself what the bodies said.
        let is_reduced = url.starts_with('/');
        if facts.is_none() && lost.is_none() && !is_reduced {
            let read = body::facts(path, request.as_deref(), answer.as_deref(), options);
            lost = match read.cut {
                _ if too_long || read.long => Some(LostBody::TooLong),
                true => Some(LostBody::Cut),
                false if dropped => Some(LostBody::Dropped),
                false => None,
            };
            facts = read.facts;
        }
        let time = self.time.filter(|time| time.is_finite()).unwrap_or(0.0).clamp(0.0, 1e12);
        let status = self.status.filter(|status| (0.0..=999.0).contains(status)).unwrap_or(0.0) as u16;
        let method = self.method.unwrap_or_default();
        Some(Exchange {
            index,
            facts: facts.filter(|facts| *facts != BodyFacts::default()),
            lost,
            // Where it does not apply it is -1.
            blocked: self.blocked.filter(|blocked| blocked.is_finite()).unwrap_or(0.0).clamp(0.0, time),
            ..Exchange::new(&method, &canonical_uri(path), started.ms, time, status)
        })
    }
}

/// Path and query of a URL; a reduced HAR has no origin, and a query may hold a URL of its own.
pub(super) fn path_of(url: &str) -> &str {
    let origin = url.split_once("://").filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let rest = origin.map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    without_fragment(rest)
}

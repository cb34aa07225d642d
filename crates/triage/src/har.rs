//! A HAR, streamed: of each request its method, path, status and times, and of a few bodies what keys, to-device
//! messages and events they name. Bodies of anything else are dropped unread, secrets everywhere.

use std::collections::{BTreeMap, BTreeSet};
use std::io::{self, Read, Write};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, STANDARD_NO_PAD};
use crypto_diag_analysis::evidence::ke1;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};
use struson::reader::{JsonReader, JsonStreamReader, ReaderError, ValueType};

use crate::intake::{Mended, parse as parse_json};
use crate::problem::{Place, Problem, Problems};
use crate::stamp::read_iso;
use crate::synapse_log::{Route, canonical_uri, delay_id, request_key, txn_id, without_fragment};

/// Bytes of one body that are read at most; a longer one is dropped and named.
pub const BODY_BYTES_MAX: usize = 8 << 20;

/// Bytes of a URL or another short text that are read at most.
const TEXT_BYTES_MAX: usize = 64 << 10;

/// Requests that are kept at most, at about 200 bytes each.
pub const ENTRIES_MAX: usize = 200_000;

/// Ids that are kept of one body at most.
const IDS_MAX: usize = 2_000;

/// What to look for in a HAR.
#[derive(Clone, Debug, Default)]
pub struct HarOptions {
    /// Events whose arrival matters (KE-3).
    pub event_ids: BTreeSet<String>,
}

/// A HAR, reduced.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Har {
    /// The artefact's name.
    pub name: String,
    /// The requests, as the file has them.
    pub entries: Vec<Exchange>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// One request and its answer. Times are the client's, in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq)]
pub struct Exchange {
    /// Its place in the file's `entries`.
    pub index: u64,
    /// The method.
    pub method: String,
    /// Path and query without secrets.
    pub uri: String,
    /// When it was sent.
    pub start: i64,
    /// How long it took, in milliseconds.
    pub time: f64,
    /// How much of that it waited in the browser's own queue before it was sent, in milliseconds.
    pub blocked: f64,
    /// The HTTP status; 0 where no answer came.
    pub status: u16,
    /// What the bodies say, on the few routes where they are read.
    pub facts: Option<BodyFacts>,
    /// Computed once: both sides are asked for it again and again.
    key: u64,
    route: Route,
}

impl Exchange {
    /// A request without bodies. `uri` is as [`canonical_uri`] gives it.
    pub fn new(method: &str, uri: &str, start: i64, time: f64, status: u16) -> Self {
        Exchange {
            index: 0,
            method: method.to_owned(),
            uri: uri.to_owned(),
            start,
            time,
            blocked: 0.0,
            status,
            facts: None,
            key: request_key(method, uri),
            route: Route::of(uri),
        }
    }

    /// When it ended.
    pub fn end(&self) -> i64 {
        self.start.saturating_add(self.time.max(0.0).ceil() as i64)
    }

    /// Its route.
    pub fn route(&self) -> Route {
        self.route
    }

    /// See [`request_key`].
    pub fn key(&self) -> u64 {
        self.key
    }

    /// Of a request about a delayed event: the event's id.
    pub fn delay_id(&self) -> Option<&str> {
        delay_id(&self.uri)
    }

    /// Of a `sendToDevice`: the transaction's id.
    pub fn txn_id(&self) -> Option<&str> {
        txn_id(&self.uri)
    }
}

/// What a body says. Nothing of it is secret: ids and public keys.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct BodyFacts {
    /// `keys/upload`: whose keys, as the body or the keys' signatures say.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub device: Option<Device>,
    /// `keys/upload`: the one-time keys, `algorithm:id` to public key.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub one_time_keys: BTreeMap<String, String>,
    /// `keys/upload`: the fallback keys, likewise.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub fallback_keys: BTreeMap<String, String>,
    /// `keys/upload`: the sentence of a refusal that names a one-time key. Its keys are public.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub refusal: Option<String>,
    /// `keys/claim`: the keys that were given out.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub claimed: Vec<ClaimedKey>,
    /// `keys/query`: the devices' identities.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub devices: Vec<Device>,
    /// `sendToDevice`: the targets and what was sent to each.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub sent: Vec<SentMessage>,
    /// `sync`: to-device messages that arrived.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub arrived: Vec<ArrivedMessage>,
    /// Any answer: events asked for, and the fields of their content.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub events: Vec<ArrivedEvent>,
}

/// A device's identity.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Device {
    /// The user id.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
    /// The Ed25519 key, unpadded base64.
    pub ed25519: Option<String>,
    /// The Curve25519 key, unpadded base64.
    pub curve25519: Option<String>,
}

/// A claimed key.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ClaimedKey {
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// `algorithm:id`.
    pub key_id: String,
    /// The public key.
    pub key: String,
    /// Whether it is a fallback key.
    pub fallback: bool,
}

/// A to-device message that was sent.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct SentMessage {
    /// For whom.
    pub user_id: String,
    /// For which device.
    pub device_id: String,
    /// The message's id.
    pub message_id: Option<String>,
    /// The sender's Curve25519 key.
    pub sender_key: Option<String>,
    /// Of a pre-key message: the one-time key that it uses.
    pub one_time_key: Option<String>,
}

/// A to-device message that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArrivedMessage {
    /// From whom.
    pub sender: String,
    /// The outer type.
    #[serde(rename = "type")]
    pub event_type: String,
    /// The message's id.
    pub message_id: String,
}

/// An event that arrived.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ArrivedEvent {
    /// The event's id.
    pub event_id: String,
    /// The names of its content's fields.
    pub fields: Vec<String>,
    /// Whether it says that it was redacted.
    pub redacted: bool,
}

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
        Route::KeysClaim | Route::KeysQuery | Route::Sync => Wanted::Answer,
        Route::SendToDevice => Wanted::Request,
        Route::Other if !options.event_ids.is_empty() && uri.contains("/rooms/") => Wanted::Answer,
        Route::DelayedEvent | Route::Other => Wanted::Nothing,
    }
}

impl Har {
    /// Reads a HAR to its end, or to where it breaks: what came before is there, the place is named.
    pub fn read(name: &str, input: impl Read, options: &HarOptions) -> Har {
        let mut har = Har { name: name.to_owned(), ..Har::default() };
        let mut problems = Problems::of(name);
        let mut input = Watched { input, failed: None };
        let mut json = JsonStreamReader::new(Mended::new(&mut input));
        let outcome = read_har(&mut json, options, &mut har.entries, &mut problems);
        drop(json);
        match (outcome, input.failed) {
            (Ok(true), _) => {}
            (Ok(false), _) => problems.add(Place::Whole, "this is JSON, but no HAR: it has no log.entries"),
            (Err(error), failed) => {
                let place = place_of(&error);
                let why = failed.unwrap_or_else(|| error.to_string());
                let count = har.entries.len();
                problems.add(place, format!("the HAR breaks here, {count} requests before it are used: {why}"));
            }
        }
        har.problems = problems.into_list();
        har
    }

    /// Writes the HAR as it is kept: a HAR 1.2 without bodies, headers, cookies and addresses, which [`Har::read`] reads
    /// to the same value. What bodies said stands in `_cryptoDiag`.
    ///
    /// # Errors
    /// Those of the output.
    pub fn write(&self, mut output: impl Write) -> io::Result<()> {
        output.write_all(br#"{"log":{"version":"1.2","creator":{"name":"crypto-diag","version":""},"entries":["#)?;
        for (index, entry) in self.entries.iter().enumerate() {
            let started = jiff::Timestamp::from_millisecond(entry.start).unwrap_or_default();
            let mut value = json!({
                "startedDateTime": started.to_string(),
                "time": entry.time,
                "request": {"method": entry.method, "url": entry.uri},
                "response": {"status": entry.status},
                "_index": entry.index,
            });
            if entry.blocked > 0.0 {
                value["timings"] = json!({"blocked": entry.blocked});
            }
            if let Some(facts) = &entry.facts {
                value["_cryptoDiag"] = serde_json::to_value(facts).unwrap_or_default();
            }
            output.write_all(if index == 0 { b"\n" } else { b",\n" })?;
            serde_json::to_writer(&mut output, &value)?;
        }
        output.write_all(b"\n]}}\n")
    }

    /// The device that made these requests, if its uploads say so and all say the same.
    pub fn device(&self) -> Option<(&str, &str)> {
        let mut devices = self.entries.iter().filter(|entry| entry.route() == Route::KeysUpload).filter_map(|entry| {
            let device = entry.facts.as_ref()?.device.as_ref()?;
            Some((device.user_id.as_str(), device.device_id.as_str()))
        });
        let first = devices.next()?;
        devices.all(|device| device == first).then_some(first)
    }

    /// The user whose own paths these requests use, if there is one only.
    pub fn user(&self) -> Option<String> {
        let mut users: Vec<String> = self
            .entries
            .iter()
            .filter_map(|entry| {
                let rest = entry.uri.split_once("/user/")?.1;
                Some(rest.split(['/', '?']).next()?.replace("%40", "@").replace("%3A", ":"))
            })
            .collect();
        users.sort_unstable();
        users.dedup();
        match users.as_slice() {
            [one] => Some(one.clone()),
            _ => None,
        }
    }
}

/// Keeps what the input itself said when it failed.
struct Watched<R> {
    input: R,
    failed: Option<String>,
}

impl<R: Read> Read for Watched<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            match self.input.read(buffer) {
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error.to_string());
                    return Err(error);
                }
                read => return read,
            }
        }
    }
}

fn place_of(error: &ReaderError) -> Place {
    let position = match error {
        ReaderError::SyntaxError(error) => error.location.line_pos,
        ReaderError::UnexpectedValueType { location, .. }
        | ReaderError::UnexpectedStructure { location, .. }
        | ReaderError::MaxNestingDepthExceeded { location, .. }
        | ReaderError::UnsupportedNumberValue { location, .. }
        | ReaderError::IoError { location, .. } => location.line_pos,
        _ => None,
    };
    position.map_or(Place::Whole, |at| Place::LineColumn(at.line + 1, at.column + 1))
}

type Json<R> = JsonStreamReader<R>;

/// Whether there was a `log.entries`.
fn read_har<R: Read>(
    json: &mut Json<R>,
    options: &HarOptions,
    entries: &mut Vec<Exchange>,
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
            if json.next_name()? != "entries" || json.peek()? != ValueType::Array {
                json.skip_value()?;
                continue;
            }
            found = true;
            json.begin_array()?;
            while json.has_next()? {
                if json.peek()? == ValueType::Object {
                    let raw = read_entry(json, options)?;
                    match raw.finish(index, options, problems) {
                        Some(entry) if entries.len() < ENTRIES_MAX => entries.push(entry),
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
    facts: Option<BodyFacts>,
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
                    let is_text = json.next_name()? == "text" && json.peek()? == ValueType::String;
                    if is_text && needed {
                        raw.request = body(json)?;
                    } else {
                        json.skip_value()?;
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
                        ("text", ValueType::String) if needed => raw.answer = body(json)?,
                        ("encoding", ValueType::String) => raw.encoding = short(json)?,
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

fn body<R: Read>(json: &mut Json<R>) -> Result<Text, ReaderError> {
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
        if too_long {
            problems.add(place, "a body is too long and was dropped");
        }
        let request = match self.request {
            Text::Some(bytes) if reads_request => Some(bytes),
            _ => None,
        };
        let answer = match self.answer {
            Text::Some(bytes) if reads_answer => Some(decode(bytes, self.encoding.as_deref())),
            _ => None,
        };
        let facts = self.facts.or_else(|| facts(path, request.as_deref(), answer.as_deref(), options));
        let time = self.time.filter(|time| time.is_finite()).unwrap_or(0.0).clamp(0.0, 1e12);
        let status = self.status.filter(|status| (0.0..=999.0).contains(status)).unwrap_or(0.0) as u16;
        let method = self.method.unwrap_or_default();
        Some(Exchange {
            index,
            facts: facts.filter(|facts| *facts != BodyFacts::default()),
            // Where it does not apply it is -1.
            blocked: self.blocked.filter(|blocked| blocked.is_finite()).unwrap_or(0.0).clamp(0.0, time),
            ..Exchange::new(&method, &canonical_uri(path), started.ms, time, status)
        })
    }
}

/// Path and query of a URL; a reduced HAR has no origin, and a query may hold a URL of its own.
fn path_of(url: &str) -> &str {
    let origin = url.split_once("://").filter(|(scheme, _)| scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()));
    let rest = origin.map_or(url, |(_, rest)| rest.find('/').map_or("/", |at| &rest[at..]));
    without_fragment(rest)
}

fn decode(bytes: Vec<u8>, encoding: Option<&str>) -> Vec<u8> {
    if encoding == Some("base64") { STANDARD.decode(&bytes).unwrap_or(bytes) } else { bytes }
}

fn facts(path: &str, request: Option<&[u8]>, answer: Option<&[u8]>, options: &HarOptions) -> Option<BodyFacts> {
    // A body is JSON of its own, with half pairs of its own.
    let parse = |bytes: Option<&[u8]>| bytes.and_then(|bytes| parse_json::<Value>(bytes).ok());
    let mut facts = BodyFacts::default();
    match Route::of(path) {
        Route::KeysUpload => {
            if let Some(body) = parse(request) {
                upload(&body, &mut facts);
            }
            let error = parse(answer).and_then(|answer| Some(answer.get("error")?.as_str()?.to_owned()));
            facts.refusal = error.filter(|error| ke1::read(error).is_some());
        }
        Route::KeysClaim => claimed(&parse(answer)?, &mut facts),
        Route::KeysQuery => queried(&parse(answer)?, &mut facts),
        Route::SendToDevice => sent(&parse(request)?, &mut facts),
        Route::Sync | Route::Other | Route::DelayedEvent => {
            let answer = answer?;
            let has = |words: &str| memchr::memmem::find(answer, words.as_bytes()).is_some();
            let events = options.event_ids.iter().any(|id| has(id));
            if !events && !has("\"to_device\"") {
                return None;
            }
            let body = parse(Some(answer))?;
            arrived(&body, &mut facts);
            if events {
                walk(&body, options, &mut facts.events, 0);
            }
        }
    }
    Some(facts)
}

fn text(value: &Value, name: &str) -> Option<String> {
    value.get(name)?.as_str().map(str::to_owned)
}

fn objects(value: Option<&Value>) -> impl Iterator<Item = (&String, &Value)> {
    value.and_then(Value::as_object).into_iter().flatten().take(IDS_MAX)
}

fn upload(body: &Value, facts: &mut BodyFacts) {
    let keys = |name: &str| -> BTreeMap<String, String> {
        objects(body.get(name)).filter_map(|(id, key)| Some((id.clone(), text(key, "key")?))).collect()
    };
    facts.one_time_keys = keys("one_time_keys");
    facts.fallback_keys = keys("fallback_keys");
    facts.device = body.get("device_keys").and_then(identity).or_else(|| {
        // Who signed the keys: all name the one user and device.
        let signed =
            objects(body.get("one_time_keys")).chain(objects(body.get("fallback_keys"))).map(|(_, key)| key).next()?;
        let (user_id, signatures) = objects(signed.get("signatures")).next()?;
        let device_id = signatures.as_object()?.keys().next()?.strip_prefix("ed25519:")?;
        Some(Device { user_id: user_id.clone(), device_id: device_id.to_owned(), ..Device::default() })
    });
}

/// A device's identity out of its `device_keys` object.
pub(crate) fn identity(keys: &Value) -> Option<Device> {
    let device_id = text(keys, "device_id")?;
    let key = |algorithm: &str| keys.get("keys")?.get(format!("{algorithm}:{device_id}"))?.as_str().map(str::to_owned);
    Some(Device { user_id: text(keys, "user_id")?, ed25519: key("ed25519"), curve25519: key("curve25519"), device_id })
}

fn claimed(body: &Value, facts: &mut BodyFacts) {
    for (user_id, devices) in objects(body.get("one_time_keys")) {
        for (device_id, keys) in objects(Some(devices)) {
            for (key_id, key) in objects(Some(keys)) {
                if let Some(public) = text(key, "key") {
                    let fallback = key.get("fallback").and_then(Value::as_bool).unwrap_or(false);
                    facts.claimed.push(ClaimedKey {
                        user_id: user_id.clone(),
                        device_id: device_id.clone(),
                        key_id: key_id.clone(),
                        key: public,
                        fallback,
                    });
                }
            }
        }
    }
    facts.claimed.truncate(IDS_MAX);
}

fn queried(body: &Value, facts: &mut BodyFacts) {
    let devices = objects(body.get("device_keys")).flat_map(|(_, devices)| objects(Some(devices)));
    facts.devices = devices.filter_map(|(_, keys)| identity(keys)).take(IDS_MAX).collect();
}

fn sent(body: &Value, facts: &mut BodyFacts) {
    for (user_id, devices) in objects(body.get("messages")) {
        for (device_id, content) in objects(Some(devices)) {
            let ciphertext = objects(content.get("ciphertext")).map(|(_, message)| message).next();
            facts.sent.push(SentMessage {
                user_id: user_id.clone(),
                device_id: device_id.clone(),
                message_id: text(content, "org.matrix.msgid"),
                sender_key: text(content, "sender_key"),
                one_time_key: ciphertext.and_then(one_time_key),
            });
        }
    }
    facts.sent.truncate(IDS_MAX);
}

/// The one-time key in the header of a pre-key message: bytes 3 to 35 of the body of type 0.
pub(crate) fn one_time_key(message: &Value) -> Option<String> {
    if message.get("type")?.as_u64()? != 0 {
        return None;
    }
    let body = STANDARD_NO_PAD.decode(message.get("body")?.as_str()?.trim_end_matches('=')).ok()?;
    // Version 3, then field 1 (tag 0x0a) of 32 bytes.
    (body.get(..3)? == [3, 0x0a, 32]).then(|| body.get(3..35).map(|key| STANDARD_NO_PAD.encode(key)))?
}

fn arrived(body: &Value, facts: &mut BodyFacts) {
    let events = body.get("to_device").and_then(|to_device| to_device.get("events")).and_then(Value::as_array);
    for event in events.into_iter().flatten().take(IDS_MAX) {
        let message_id = event.get("content").and_then(|content| text(content, "org.matrix.msgid"));
        if let (Some(sender), Some(event_type), Some(message_id)) =
            (text(event, "sender"), text(event, "type"), message_id)
        {
            facts.arrived.push(ArrivedMessage { sender, event_type, message_id });
        }
    }
}

/// Finds the events asked for, wherever they stand.
fn walk(value: &Value, options: &HarOptions, found: &mut Vec<ArrivedEvent>, depth: u8) {
    if depth > 24 || found.len() >= IDS_MAX {
        return;
    }
    match value {
        Value::Object(map) => {
            let event_id = map.get("event_id").and_then(Value::as_str).filter(|id| options.event_ids.contains(*id));
            if let (Some(event_id), Some(content)) = (event_id, map.get("content").and_then(Value::as_object)) {
                let redacted = map.get("unsigned").is_some_and(|unsigned| unsigned.get("redacted_because").is_some());
                let fields = content.keys().take(64).cloned().collect();
                found.push(ArrivedEvent { event_id: event_id.to_owned(), fields, redacted });
            }
            map.values().for_each(|value| walk(value, options, found, depth + 1));
        }
        Value::Array(list) => list.iter().for_each(|value| walk(value, options, found, depth + 1)),
        _ => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn har(entries: &str) -> Har {
        let text = format!(r#"{{"log":{{"version":"1.2","entries":[{entries}]}}}}"#);
        let options = HarOptions { event_ids: ["$e".to_owned()].into() };
        Har::read("call.har", text.as_bytes(), &options)
    }

    fn entry(method: &str, url: &str, body: &Value, status: u16, answer: &Value) -> String {
        let entry = json!({
            "startedDateTime": "2026-11-23T08:36:03.777Z", "time": 95.4, "timings": {"blocked": 60.5, "wait": 30},
            "request": {"method": method, "url": url, "headers": [{"name": "Authorization", "value": "Bearer syt_secret_x"}],
                        "postData": {"mimeType": "application/json", "text": body.to_string()}},
            "response": {"status": status, "content": {"size": 1, "text": answer.to_string()}},
        });
        entry.to_string()
    }

    #[test]
    fn an_upload_names_its_keys_and_its_refusal() {
        let key = |key: &str| json!({"key": key, "signatures": {"@a:h": {"ed25519:D": "s"}}});
        let body = json!({"one_time_keys": {"signed_curve25519:AAAAAAAAADQ": key("new")}});
        let refusal = json!({"errcode": "M_UNKNOWN", "error": "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {\"key\":\"x\"}"});
        let har =
            har(&entry("POST", "https://h/_matrix/client/v3/keys/upload?access_token=opaque", &body, 400, &refusal));
        let exchange = &har.entries[0];
        assert_eq!((exchange.status, exchange.start, exchange.end()), (400, 1_795_422_963_777, 1_795_422_963_873));
        assert_eq!((exchange.uri.as_str(), exchange.blocked), ("/_matrix/client/v3/keys/upload?", 60.5));
        let facts = exchange.facts.as_ref().unwrap();
        assert_eq!(facts.one_time_keys["signed_curve25519:AAAAAAAAADQ"], "new");
        assert_eq!(har.device(), Some(("@a:h", "D")));
        assert!(facts.refusal.as_ref().unwrap().contains("already exists"));
        assert!(har.problems.is_empty());
    }

    #[test]
    fn a_url_inside_a_kept_path_is_not_taken_for_its_origin() {
        let path = "/_matrix/media/v3/preview_url?url=https://elsewhere/page";
        assert_eq!(path_of(path), path);
        assert_eq!(path_of(&format!("https://h:8448{path}#part")), path);
        assert_eq!(path_of("https://h"), "/");
    }

    #[test]
    fn a_pre_key_messages_one_time_key_is_read_from_its_header() {
        // The body of the rollback run's message: version, tag, length, and the key that the receiver had lost.
        let mut bytes = vec![3, 0x0a, 32];
        bytes.extend([7; 32]);
        bytes.extend([0x12, 32, 1]);
        let message = json!({"type": 0, "body": STANDARD_NO_PAD.encode(&bytes)});
        assert_eq!(one_time_key(&message), Some(STANDARD_NO_PAD.encode([7; 32])));
        assert_eq!(one_time_key(&json!({"type": 1, "body": STANDARD_NO_PAD.encode(&bytes)})), None);
        assert_eq!(one_time_key(&json!({"type": 0, "body": "AwogAA"})), None);
        let body = json!({"messages": {"@a:h": {"D": {"org.matrix.msgid": "m1", "sender_key": "k", "ciphertext": {"c": message}}}}});
        let har =
            har(&entry("PUT", "https://h/_matrix/client/v3/sendToDevice/m.room.encrypted/t1", &body, 200, &json!({})));
        let sent = &har.entries[0].facts.as_ref().unwrap().sent[0];
        assert_eq!((sent.device_id.as_str(), sent.message_id.as_deref()), ("D", Some("m1")));
        assert_eq!(har.entries[0].txn_id(), Some("t1"));
    }

    #[test]
    fn what_a_sync_brought_is_known() {
        let answer = json!({
            "to_device": {"events": [{"type": "m.room.encrypted", "sender": "@b:h", "content": {"org.matrix.msgid": "m1", "ciphertext": {}}}]},
            "rooms": {"join": {"!r:h": {"timeline": {"events": [{"event_id": "$e", "content": {"ciphertext": "x"}}, {"event_id": "$f", "content": {}}]}}}},
        });
        let har = har(&entry("GET", "https://h/_matrix/client/v3/sync?since=s1", &json!({}), 200, &answer));
        let facts = har.entries[0].facts.as_ref().unwrap();
        assert_eq!(facts.arrived[0].message_id, "m1");
        assert_eq!(
            facts.events,
            [ArrivedEvent { event_id: "$e".into(), fields: vec!["ciphertext".into()], redacted: false }]
        );
    }

    #[test]
    fn other_bodies_are_dropped_unread() {
        let har = har(&entry(
            "POST",
            "https://h/_matrix/client/v3/login",
            &json!({"password": "p"}),
            200,
            &json!({"access_token": "t"}),
        ));
        assert_eq!(har.entries[0].facts, None);
    }

    #[test]
    fn a_broken_har_gives_what_it_has_and_says_where_it_breaks() {
        let one = entry("GET", "https://h/x", &json!({}), 200, &json!({}));
        let text = format!(r#"{{"log":{{"entries":[{one},{{"request":"#);
        let har = Har::read("call.har", text.as_bytes(), &HarOptions::default());
        assert_eq!(har.entries.len(), 1);
        assert!(matches!(har.problems[0].place, Place::LineColumn(1, _)), "{:?}", har.problems);
        let other = Har::read("x.har", &b"{\"a\":1}"[..], &HarOptions::default());
        assert!(other.problems[0].what.contains("no HAR"));
        assert!(!Har::read("x.har", &b"not json"[..], &HarOptions::default()).problems.is_empty());
    }

    #[test]
    fn a_reduced_har_reads_to_the_same() {
        let key = json!({"key": "new", "signatures": {"@a:h": {"ed25519:D": "s"}}});
        let body = json!({"one_time_keys": {"signed_curve25519:AAAAAAAAADQ": key}});
        let first = har(&entry("POST", "https://h/_matrix/client/v3/keys/upload", &body, 200, &json!({})));
        let mut written = Vec::new();
        first.write(&mut written).unwrap();
        let again = Har::read("call.har", &written[..], &HarOptions::default());
        assert_eq!(first, again);
        assert!(!String::from_utf8(written).unwrap().contains("syt_"));
    }

    #[test]
    fn a_body_before_its_url_is_read_all_the_same() {
        let body = json!({"one_time_keys": {"signed_curve25519:A": {"key": "k"}}}).to_string();
        let entry = json!({"startedDateTime": "2026-11-23T08:36:03.777Z",
            "request": {"method": "POST", "postData": {"text": body}, "url": "https://h/_matrix/client/v3/keys/upload"},
            "response": {"status": 200}});
        let har = har(&entry.to_string());
        assert_eq!(har.entries[0].facts.as_ref().unwrap().one_time_keys.len(), 1);
    }
}

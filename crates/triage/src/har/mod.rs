//! A HAR, streamed: of each request its method, path, status and times, and of a few bodies what keys, to-device
//! messages and events they name. Bodies of anything else are dropped unread, secrets everywhere.

mod body;
mod facts;
mod stream;

use std::collections::BTreeSet;
use std::io::{self, Read, Write};

use serde::{Deserialize, Serialize};
use serde_json::json;
use struson::reader::{JsonStreamReader, ReaderError};

use crate::problem::{Place, Problem, Problems};
use crate::synapse_log::{Route, delay_id, request_key, txn_id};
use crate::unpack::Mended;

pub(crate) use body::identity;
pub use facts::{ArrivedEvent, ArrivedMessage, BodyFacts, ClaimedKey, Device, SentMessage, WithheldKey};

/// Bytes of one body that are read at most; a longer one is dropped and named.
pub const BODY_BYTES_MAX: usize = 8 << 20;

/// Requests that are kept at most, at about 200 bytes each.
pub const ENTRIES_MAX: usize = 200_000;

/// The field of `log` that counts the requests which somebody left out on purpose.
pub(crate) const LEFT_OUT: &str = "_cryptoDiagLeftOut";

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
    /// Whether requests of the file may be missing among `entries`, so that absence says nothing. A body that is lost is no
    /// missing request.
    pub lacks_requests: bool,
    /// How many requests somebody left out on purpose. The others were chosen, so nothing can be measured by them.
    pub left_out: u64,
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
    /// When it was sent, in milliseconds since the epoch, by the browser's clock.
    pub start: i64,
    /// How long it took, in milliseconds.
    pub time: f64,
    /// How much of that it waited in the browser's own queue before it was sent, in milliseconds.
    pub blocked: f64,
    /// The HTTP status; 0 where no answer came.
    pub status: u16,
    /// What the bodies say, on the few routes where they are read.
    pub facts: Option<BodyFacts>,
    /// Why a body that would be read is not there, or not whole: what it held is unknown.
    pub lost: Option<LostBody>,
    /// Computed once: both sides are asked for it again and again.
    key: u64,
    route: Route,
}

impl Exchange {
    /// A request without bodies. `uri` is as [`canonical_uri`](crypto_diag_server_log::canonical_uri) gives it.
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
            lost: None,
            key: request_key(method, uri),
            route: Route::of(uri),
        }
    }

    /// When it ended, by the same clock as `start`.
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

    /// Of a sync: the to-device position that it acknowledges, the 7th field of its `since` token. A sliding sync says it in
    /// its body.
    pub fn acknowledged(&self) -> Option<i64> {
        let said = self.facts.as_ref().and_then(|facts| facts.to_device_since.as_deref());
        if let Some(since) = said {
            return since.parse().ok();
        }
        let since = self.uri.split(['?', '&']).find_map(|part| part.strip_prefix("since="))?;
        since.split('_').nth(6)?.parse().ok()
    }

    /// Of a `sendToDevice`: the transaction's id.
    pub fn txn_id(&self) -> Option<&str> {
        txn_id(&self.uri)
    }
}

/// Why a body that would be read is not there, or not whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum LostBody {
    /// It ends in the middle, as Firefox leaves a body above a megabyte, or a tool with a limit of its own.
    Cut,
    /// It is longer than [`BODY_BYTES_MAX`], or names more ids than are kept.
    TooLong,
    /// The recorder did not keep it, although there was one.
    Dropped,
}

impl Har {
    /// Reads a HAR to its end, or to where it breaks: what came before is there, the place is named.
    pub fn read(name: &str, input: impl Read, options: &HarOptions) -> Har {
        let mut har = Har { name: name.to_owned(), ..Har::default() };
        let mut problems = Problems::of(name);
        let mut input = Watched { input, failed: None };
        let mut json = JsonStreamReader::new(Mended::new(&mut input));
        let outcome = stream::read(&mut json, options, &mut har, &mut problems);
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
        if har.left_out > 0 {
            let what =
                format!("{} requests are left out of it on purpose; nothing follows from their absence", har.left_out);
            problems.add(Place::Whole, what);
        }
        har.lacks_requests = !problems.is_empty();
        let mut dropped = 0;
        for exchange in &har.entries {
            let what = match exchange.lost {
                None => continue,
                Some(LostBody::Dropped) => {
                    dropped += 1;
                    continue;
                }
                Some(LostBody::TooLong) => "a body is too long to be kept whole; what else it held is unknown",
                Some(LostBody::Cut) => {
                    "a body ends in the middle, so what it held is unknown; the request itself is used"
                }
            };
            problems.add(Place::Entry(exchange.index), what);
        }
        if dropped > 0 {
            problems.add(
                Place::Whole,
                format!(
                    "{dropped} requests have no body in it that would be read, or their answers have none, so what was sent or brought is \
                     unknown: record with DevTools open from the page's start, “Preserve log” ticked, and save “with content”"
                ),
            );
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
        output.write_all(br#"{"log":{"version":"1.2","creator":{"name":"crypto-diag","version":""},"#)?;
        if self.left_out > 0 {
            write!(output, "\"{LEFT_OUT}\":{},", self.left_out)?;
        }
        output.write_all(br#""entries":["#)?;
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
            if let Some(lost) = &entry.lost {
                value["_cryptoDiagLost"] = serde_json::to_value(lost).unwrap_or_default();
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

#[cfg(test)]
mod tests;

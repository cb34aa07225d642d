//! What a whole log says: the ledger's lines, the requests of interest, and what the log could have shown.

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::io::BufRead;
use std::sync::Arc;

use crypto_diag_analysis::evidence::ke1;
use crypto_diag_core::redact;

use super::event::{AccessLine, DeviceRef, LogEvent, ToDevice};
use super::line::{LogLevel, LogLine};
use super::reader::{LogReader, ReadCounts};
use crate::problem::{Place, Problem, Problems};
use crate::quote::quote;
use crate::stamp::Stamp;

/// Facts of one kind that are kept of one log at most. A collected slice has a few thousand.
pub const KEPT_MAX: usize = 24_000;

/// Ids of one-time keys that are kept of one log at most, each distinct list counted once.
const KEY_IDS_MAX: usize = 200_000;

/// Bytes of an upload's line that are quoted: its list of ids is long, and kept beside it.
const UPLOAD_QUOTE_BYTES: usize = 200;

/// Query parameters that stand in most lines, and hold no secret where their value is a number or a sync token.
const HARMLESS: [&str; 4] = ["since=", "timeout=", "filter=", "limit="];

/// Requests of any kind whose identity and times are kept, at 48 bytes each, where no HAR says which are wanted.
const ACCESSES_MAX: usize = 500_000;

/// Minutes of latency that are kept: a week.
const MINUTES_MAX: usize = 7 * 24 * 60;

/// Distinct sentences that are remembered at most.
const SENTENCES_MAX: usize = 1_000;

/// Zones lie on quarters of an hour.
const ZONE_STEP_MS: i64 = 15 * 60_000;

/// A ledger line is printed at most this long after the time that it states: it waits for a lock.
const LEDGER_DELAY_MAX_MS: i64 = 120_000;

/// Printed times are cut to milliseconds, and so are durations.
const ROUNDING_MS: i64 = 2;

/// How to read a log.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Minutes that the server's local time is ahead of UTC, if somebody said so.
    pub zone_minutes: Option<i32>,
    /// The year of stamps without one.
    pub year: Option<i16>,
    /// The requests that HARs have, by [`request_key`]: others need not be kept. `None`: keep all that fit.
    pub wanted: Option<Arc<HashSet<u64>>>,
}

/// How the log's zone is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneSource {
    /// It is not: its times are taken for UTC.
    #[default]
    Assumed,
    /// Somebody stated it.
    Stated,
    /// The stamps say it.
    Printed,
    /// Ledger lines print the server's clock in milliseconds since the epoch beside the local time.
    Ledger,
}

/// The routes that the decision tree knows.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Route {
    /// `POST keys/upload`.
    KeysUpload,
    /// `POST keys/claim`.
    KeysClaim,
    /// `POST keys/query`.
    KeysQuery,
    /// `PUT sendToDevice/{type}/{txnId}`.
    SendToDevice,
    /// `POST delayed_events/{id}[/{action}]`.
    DelayedEvent,
    /// `GET sync` and its simplified sliding sibling.
    Sync,
    /// Anything else.
    Other,
}

impl Route {
    /// The route of a path.
    ///
    /// ```
    /// use crypto_diag_triage::synapse_log::Route;
    ///
    /// assert_eq!(Route::of("/_matrix/client/v3/keys/upload?x=1"), Route::KeysUpload);
    /// assert_eq!(Route::of("/_matrix/client/v3/rooms/!r/send/keys/upload"), Route::Other);
    /// ```
    pub fn of(uri: &str) -> Route {
        let path = uri.split('?').next().unwrap_or_default();
        let Some(rest) = path.strip_prefix("/_matrix/client/") else { return Route::Other };
        let parts: Vec<&str> = rest.split('/').collect();
        match parts.as_slice() {
            [_, "keys", "upload", ..] => Route::KeysUpload,
            [_, "keys", "claim"] | [_, _, "keys", "claim"] => Route::KeysClaim,
            [_, "keys", "query"] => Route::KeysQuery,
            [_, "sendToDevice", ..] => Route::SendToDevice,
            [_, _, "delayed_events", ..] | [_, "delayed_events", ..] => Route::DelayedEvent,
            [_, "sync"] | [_, _, "sync"] => Route::Sync,
            _ => Route::Other,
        }
    }

    /// How commands and sentences name it.
    pub fn name(self) -> &'static str {
        match self {
            Route::KeysUpload => "keys/upload",
            Route::KeysClaim => "keys/claim",
            Route::KeysQuery => "keys/query",
            Route::SendToDevice => "sendToDevice",
            Route::DelayedEvent => "delayed_events",
            Route::Sync => "sync",
            Route::Other => "other",
        }
    }
}

/// Path and query without secrets, in a form that is the same for the client's URL and the server's line: parameters
/// that hold or held a secret are left out.
pub fn canonical_uri(uri: &str) -> String {
    let uri = uri.split('#').next().unwrap_or_default();
    let Some((path, query)) = uri.split_once('?') else { return redact(uri).text.into_owned() };
    let kept = |parameter: &&str| {
        let plain = |byte: u8| byte.is_ascii_digit() || b"_~.sm".contains(&byte);
        let harmless = HARMLESS.iter().find_map(|name| parameter.strip_prefix(name));
        if harmless.is_some_and(|value| value.bytes().all(plain)) {
            return true;
        }
        // With the separator in front, a name that is a secret only in a query is known for one.
        !parameter.contains("redacted") && redact(&format!("?{parameter}")).count == 0
    };
    let kept: Vec<&str> = query.split('&').filter(kept).collect();
    format!("{}?{}", redact(path).text, kept.join("&"))
}

/// What tells a request apart from others: its method and URI. Equal on both sides for the same request.
pub fn request_key(method: &str, uri: &str) -> u64 {
    let mut hasher = DefaultHasher::new();
    method.hash(&mut hasher);
    canonical_uri(uri).hash(&mut hasher);
    hasher.finish()
}

/// Any request, as far as clocks and coverage need it. Times are the server's, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// See [`request_key`].
    pub key: u64,
    /// When Synapse received it.
    pub start: i64,
    /// When Synapse had answered it.
    pub end: i64,
    /// The line's number.
    pub line: u64,
    /// Its route.
    pub route: Route,
    /// The HTTP status.
    pub status: u16,
    /// Whether the answer was sent whole.
    pub finished: bool,
}

/// A request to one of the routes of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Synapse's id of it, such as `POST-48`.
    pub id: String,
    /// Its route.
    pub route: Route,
    /// The method.
    pub method: String,
    /// Path and query, canonical.
    pub uri: String,
    /// Who asked; `None` where the line does not say.
    pub user_id: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// Whether the client was gone before the answer was sent.
    pub unfinished: bool,
    /// When Synapse received it.
    pub start: i64,
    /// When Synapse had answered it.
    pub end: i64,
    /// The line's number.
    pub line: u64,
    /// The process: its source and run.
    pub process: Process,
    /// The line's text without the client's address and user agent.
    pub quote: String,
}

impl Request {
    /// Of a request about a delayed event: the event's id.
    pub fn delay_id(&self) -> Option<&str> {
        delay_id(&self.uri)
    }

    /// Of a `sendToDevice`: the transaction's id.
    pub fn txn_id(&self) -> Option<&str> {
        txn_id(&self.uri)
    }
}

/// The delayed event's id in a path.
pub fn delay_id(uri: &str) -> Option<&str> {
    let rest = uri.split_once("/delayed_events/")?.1;
    rest.split(['/', '?']).next().filter(|id| !id.is_empty())
}

/// The transaction's id in the path of a `sendToDevice`.
pub fn txn_id(uri: &str) -> Option<&str> {
    let rest = uri.split_once("/sendToDevice/")?.1.split_once('/')?.1;
    rest.split(['/', '?']).next().filter(|id| !id.is_empty())
}

/// One run of one process. Request ids count from 0 in every one.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Process {
    /// The prefix, container or unit; empty where the log has none.
    pub source: String,
    /// Starts of that source seen before.
    pub run: u32,
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadOutcome {
    /// Answered with 200: the keys were stored.
    Accepted {
        /// The access line's number.
        line: u64,
    },
    /// Answered with another status: nothing of the one-time keys was stored.
    Refused {
        /// The status.
        status: u16,
        /// The access line's number.
        line: u64,
    },
    /// The log does not show the answer.
    Unknown,
}

/// `Adding one_time_keys …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// `algorithm:id`. A storm repeats one list.
    pub key_ids: Arc<[String]>,
    /// The server's time, as its rows have it in `ts_added_ms`.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// What became of it.
    pub outcome: UploadOutcome,
    /// When Synapse received the request, if the access line is there.
    pub start: Option<i64>,
    /// The line's beginning.
    pub quote: String,
    request: Option<String>,
    time: i64,
    process: Process,
}

/// `Claimed one-time-keys: …`, one key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimLine {
    /// Whose key.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// `algorithm:id`.
    pub key_id: String,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's beginning.
    pub quote: String,
}

/// `One time key … already exists`, as the server printed it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictLine {
    /// What the sentence says. A storm repeats one sentence.
    pub conflict: Arc<ke1::Ke1>,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's text.
    pub quote: Arc<str>,
    /// When Synapse received the request that was refused, if the access line is there.
    pub start: Option<i64>,
    request: Option<String>,
    process: Process,
}

/// `Updating device_keys …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKeysUpdate {
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's text.
    pub quote: String,
}

/// `Logging in user … on device …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginLine {
    /// Who.
    pub user_id: String,
    /// Which device.
    pub device_id: String,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
}

/// `Deleting devices …`, one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedDevice {
    /// Whose.
    pub user_id: String,
    /// Which.
    pub device_id: String,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's text.
    pub quote: String,
}

/// A message of `synapse.9533_debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToDeviceLine {
    /// The message's id.
    pub message_id: String,
    /// What became of it.
    pub fate: Fate,
    /// For whom; `None` for what a `/sync` returned, whose line names nobody.
    pub target: Option<(String, String)>,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's beginning.
    pub quote: String,
}

/// What became of a to-device message on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Stored for the device.
    Stored,
    /// Dropped: the server knows no such device.
    Dropped,
    /// Handed out by a `/sync`.
    Returned,
}

/// A process started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Which.
    pub source: String,
    /// When.
    pub at: i64,
    /// The line's number.
    pub line: u64,
}

/// Latency of one minute, without any form of sync.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Minute {
    /// Requests by duration: bucket n holds those up to 1.1 to the power of n milliseconds.
    buckets: BTreeMap<u8, u32>,
    count: u32,
}

impl Minute {
    /// Requests.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// A duration that that share of requests stayed below, in milliseconds, to a tenth of itself.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (f64::from(self.count) * share).ceil().max(1.0);
        let mut seen = 0.0;
        for (bucket, count) in &self.buckets {
            seen += f64::from(*count);
            if seen >= wanted {
                return 1.1_f64.powi(i32::from(*bucket)).round();
            }
        }
        0.0
    }

    fn add(&mut self, ms: u64) {
        let bucket = ((ms.max(1) as f64).ln() / 1.1_f64.ln()).ceil().min(255.0) as u8;
        *self.buckets.entry(bucket).or_default() += 1;
        self.count += 1;
    }
}

/// What a log says. Times are the server's, in milliseconds since the epoch, as far as its zone is known.
#[derive(Clone, Debug, Default)]
pub struct ServerLog {
    /// The artefact's name.
    pub name: String,
    /// Lines and bytes.
    pub counts: ReadCounts,
    /// Lines by level.
    pub levels: BTreeMap<LogLevel, u64>,
    /// The first line's time.
    pub first: Option<i64>,
    /// The last line's time.
    pub last: Option<i64>,
    /// Minutes that local time is ahead of UTC.
    pub zone_minutes: i32,
    /// How that is known.
    pub zone: ZoneSource,
    /// The processes that wrote it.
    pub processes: BTreeSet<Process>,
    /// Starts of processes.
    pub restarts: Vec<Restart>,
    /// The server's version, if it started in this log.
    pub version: Option<String>,
    /// All requests, as far as clocks and coverage need them.
    pub accesses: Vec<Access>,
    /// Requests to the routes of interest.
    pub requests: Vec<Request>,
    /// The ledger: uploads.
    pub uploads: Vec<Upload>,
    /// The ledger: claims.
    pub claims: Vec<ClaimLine>,
    /// Refused uploads.
    pub conflicts: Vec<ConflictLine>,
    /// Stored identities.
    pub device_keys: Vec<DeviceKeysUpdate>,
    /// New devices.
    pub logins: Vec<LoginLine>,
    /// Devices that were logged out or deleted.
    pub deleted: Vec<DeletedDevice>,
    /// Messages of `synapse.9533_debug`.
    pub to_device: Vec<ToDeviceLine>,
    /// Minutes since the epoch in which the log has a line.
    pub minutes: BTreeSet<i64>,
    /// Latency by minute since the epoch.
    pub latency: BTreeMap<i64, Minute>,
    /// Facts that did not fit.
    pub not_kept: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl ServerLog {
    /// Reads a log to its end. An error of the input ends it: what came before is there, the rest is named.
    pub fn read(name: &str, input: impl BufRead, options: &LogOptions) -> ServerLog {
        let mut building = Building {
            log: ServerLog { name: name.to_owned(), ..ServerLog::default() },
            problems: Problems::of(name),
            runs: HashMap::new(),
            options: options.clone(),
            zoned: None,
            zone_samples: Vec::new(),
            mixed: 0,
            timeless: 0,
            yearless: 0,
            last_time: None,
            sentences: HashMap::new(),
            key_lists: HashMap::new(),
            key_ids: 0,
        };
        let mut reader = LogReader::new(input);
        loop {
            match reader.next_record() {
                Ok(Some(record)) => {
                    if let Some(line) = record.parse() {
                        building.add(&line, record.line);
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let at = reader.counts().lines;
                    building.problems.add(Place::Line(at), format!("reading ended here: {error}"));
                    break;
                }
            }
        }
        building.finish(reader.counts())
    }

    /// Whether lines of that level could have been here at all: some are.
    pub fn shows_info(&self) -> bool {
        self.levels.get(&LogLevel::Info).is_some_and(|count| *count > 0)
            || self.levels.get(&LogLevel::Debug).is_some_and(|count| *count > 0)
    }

    /// Whether the log, by its own times, was being written during that time.
    pub fn spans(&self, from: i64, to: i64) -> bool {
        self.first.is_some_and(|first| first <= from) && self.last.is_some_and(|last| last >= to)
    }
}

struct Building {
    log: ServerLog,
    problems: Problems,
    runs: HashMap<String, u32>,
    options: LogOptions,
    /// Whether stamps say their zone, as the first did.
    zoned: Option<bool>,
    zone_samples: Vec<i64>,
    mixed: u64,
    timeless: u64,
    yearless: u64,
    last_time: Option<i64>,
    /// Sentences of refusals that were read before.
    sentences: HashMap<String, (Arc<ke1::Ke1>, Arc<str>)>,
    /// Lists of ids that were read before, by their hash.
    key_lists: HashMap<u64, Arc<[String]>>,
    key_ids: usize,
}

impl Building {
    fn add(&mut self, line: &LogLine<'_>, number: u64) {
        *self.log.levels.entry(line.level).or_default() += 1;
        let time = self.time(line.time);
        if let Some(time) = time {
            self.log.first = Some(self.log.first.map_or(time, |first| first.min(time)));
            self.log.last = Some(self.log.last.map_or(time, |last| last.max(time)));
            self.last_time = Some(time);
            if self.log.minutes.len() < MINUTES_MAX {
                self.log.minutes.insert(time.div_euclid(60_000));
            }
        }
        let event = line.event();
        let source = line.source.as_deref().unwrap_or_default();
        if event == LogEvent::Starting {
            // Two lines of the same start have the same time only by accident; a start is a run of its own.
            *self.runs.entry(source.to_owned()).or_default() += 1;
        }
        let run = self.runs.get(source).copied().unwrap_or_default();
        let process = Process { source: source.to_owned(), run };
        let known = self.log.processes.contains(&process);
        if !known && self.log.processes.len() < KEPT_MAX {
            self.log.processes.insert(process.clone());
        }
        // A line without a time of its own is placed at the last one that had one.
        let Some(time) = time.or(self.last_time) else { return };
        self.keep(line, event, time, number, process);
    }

    fn keep(&mut self, line: &LogLine<'_>, event: LogEvent<'_>, time: i64, number: u64, process: Process) {
        let request = line.request.as_deref().map(str::to_owned);
        let text = || quote(&line.message);
        let log = &mut self.log;
        let not_kept = &mut log.not_kept;
        match event {
            LogEvent::Access(access) => self.access(line, &access, time, number, process),
            LogEvent::Error(error) if error.reason.contains("already exists") => {
                let known = self.sentences.get(error.reason).cloned();
                let read = || Some((Arc::new(ke1::read(error.reason)?), Arc::from(quote(error.reason))));
                if let Some((conflict, quote)) = known.clone().or_else(read) {
                    if known.is_none() && self.sentences.len() < SENTENCES_MAX {
                        self.sentences.insert(error.reason.to_owned(), (conflict.clone(), quote.clone()));
                    }
                    let line = ConflictLine { conflict, at: time, line: number, quote, start: None, request, process };
                    push(&mut log.conflicts, line, not_kept);
                }
            }
            LogEvent::AddingOneTimeKeys { device, key_ids, at } => {
                if let Some(at) = at {
                    self.zone_samples.push(time - at);
                }
                let mut hasher = DefaultHasher::new();
                key_ids.hash(&mut hasher);
                let hash = hasher.finish();
                let known = self.key_lists.get(&hash).filter(|known| known.iter().eq(&key_ids)).cloned();
                if known.is_none() && self.key_ids + key_ids.len() > KEY_IDS_MAX {
                    *not_kept += 1;
                    return;
                }
                let key_ids = known.unwrap_or_else(|| {
                    self.key_ids += key_ids.len();
                    let list: Arc<[String]> = key_ids.into_iter().map(str::to_owned).collect();
                    self.key_lists.insert(hash, list.clone());
                    list
                });
                let head = (0..=UPLOAD_QUOTE_BYTES.min(line.message.len()))
                    .rev()
                    .find(|at| line.message.is_char_boundary(*at));
                let upload = Upload {
                    user_id: device.user_id.to_owned(),
                    device_id: device.device_id.to_owned(),
                    key_ids,
                    at: at.unwrap_or(i64::MIN),
                    line: number,
                    outcome: UploadOutcome::Unknown,
                    start: None,
                    quote: quote(&line.message[..head.unwrap_or_default()]) + "…",
                    request,
                    time,
                    process,
                };
                push(&mut log.uploads, upload, not_kept);
            }
            LogEvent::Claimed(claims) => {
                for claim in claims {
                    let (user_id, device_id) = own(claim.device);
                    let key_id = claim.key_id.to_owned();
                    let line = ClaimLine { user_id, device_id, key_id, at: time, line: number, quote: text() };
                    push(&mut log.claims, line, not_kept);
                }
            }
            LogEvent::UpdatingDeviceKeys { device, at } => {
                if let Some(at) = at {
                    self.zone_samples.push(time - at);
                }
                let (user_id, device_id) = own(device);
                let update = DeviceKeysUpdate { user_id, device_id, at: time, line: number, quote: text() };
                push(&mut log.device_keys, update, not_kept);
            }
            LogEvent::Login(device) => {
                let (user_id, device_id) = own(device);
                push(&mut log.logins, LoginLine { user_id, device_id, at: time, line: number }, not_kept);
            }
            LogEvent::DeletingDevices { user_id, device_ids } => {
                for device_id in device_ids {
                    let (user_id, device_id) = own(DeviceRef { user_id, device_id });
                    let line = DeletedDevice { user_id, device_id, at: time, line: number, quote: text() };
                    push(&mut log.deleted, line, not_kept);
                }
            }
            LogEvent::Starting => {
                push(&mut log.restarts, Restart { source: process.source, at: time, line: number }, not_kept);
            }
            LogEvent::Version(version) => log.version = Some(version.chars().take(64).collect()),
            LogEvent::ToDevice(messages) => {
                let list: Vec<(Option<DeviceRef<'_>>, &str)> = match &messages {
                    ToDevice::Stored(targets) | ToDevice::Dropped(targets) => {
                        targets.iter().map(|(device, id)| (Some(*device), *id)).collect()
                    }
                    ToDevice::Returned(ids) => ids.iter().map(|id| (None, *id)).collect(),
                };
                let fate = match messages {
                    ToDevice::Stored(_) => Fate::Stored,
                    ToDevice::Dropped(_) => Fate::Dropped,
                    ToDevice::Returned(_) => Fate::Returned,
                };
                for (device, message_id) in list {
                    let message = ToDeviceLine {
                        message_id: message_id.to_owned(),
                        fate,
                        target: device.map(own),
                        at: time,
                        line: number,
                        quote: text(),
                    };
                    push(&mut log.to_device, message, not_kept);
                }
            }
            LogEvent::Error(_) | LogEvent::ClientGone | LogEvent::Other => {}
        }
    }

    fn access(&mut self, line: &LogLine<'_>, access: &AccessLine<'_>, time: i64, number: u64, process: Process) {
        let route = Route::of(access.uri);
        let start = time - access.duration_ms() as i64;
        let log = &mut self.log;
        let key = request_key(access.method, access.uri);
        if self.options.wanted.as_ref().is_none_or(|wanted| wanted.contains(&key)) {
            if log.accesses.len() < ACCESSES_MAX {
                let (status, finished) = (access.status, !access.unfinished);
                log.accesses.push(Access { key, start, end: time, line: number, route, status, finished });
            } else {
                log.not_kept += 1;
            }
        }
        let minute = time.div_euclid(60_000);
        if route != Route::Sync && (log.latency.len() < MINUTES_MAX || log.latency.contains_key(&minute)) {
            let minute = log.latency.entry(minute).or_insert_with(|| Minute { buckets: BTreeMap::new(), count: 0 });
            minute.add(access.processing_ms);
        }
        if matches!(route, Route::Sync | Route::Other) {
            return;
        }
        let message: &str = &line.message;
        // From the user on, to the end of the request line: no address, no user agent.
        let from = message.find(" - {").map_or(0, |at| at + 3);
        let to = message.find("\" \"").map_or(message.len(), |at| at + 1).max(from);
        let request = Request {
            id: line.request.as_deref().unwrap_or_default().to_owned(),
            route,
            method: access.method.to_owned(),
            uri: canonical_uri(access.uri),
            user_id: access.user_id.map(str::to_owned),
            status: access.status,
            unfinished: access.unfinished,
            start,
            end: time,
            line: number,
            process,
            quote: quote(&message[from..to]),
        };
        push(&mut log.requests, request, &mut log.not_kept);
    }

    /// A stamp as milliseconds: exact where it has a zone, else the server's wall clock, to be put right at the end.
    fn time(&mut self, stamp: Option<Stamp>) -> Option<i64> {
        let Some(stamp) = stamp else {
            self.timeless += 1;
            return None;
        };
        let stamp = match self.options.year {
            Some(year) => stamp.in_year(year),
            None if stamp.has_year => stamp,
            None => {
                self.yearless += 1;
                return None;
            }
        };
        if *self.zoned.get_or_insert(stamp.has_zone) != stamp.has_zone {
            self.mixed += 1;
            return None;
        }
        Some(stamp.ms)
    }

    fn finish(mut self, counts: ReadCounts) -> ServerLog {
        self.log.counts = counts;
        self.place_in_time();
        self.join();
        let log = &mut self.log;
        if counts.orphans > 0 {
            let what =
                format!("{} lines begin no log line and continue none of their process; left out", counts.orphans);
            self.problems.add(Place::Whole, what);
        }
        if counts.truncated > 0 {
            self.problems.add(Place::Whole, format!("{} lines were too long and are cut", counts.truncated));
        }
        if log.levels.is_empty() && counts.lines > 0 {
            self.problems.add(Place::Whole, "no line of it is a line of Synapse's log");
        }
        if log.not_kept > 0 {
            self.problems.add(Place::Whole, format!("{} facts did not fit and are left out", log.not_kept));
        }
        for (count, what) in [
            (self.timeless, "lines have no time; each is placed at the line before"),
            (self.yearless, "lines have a time without a year, and none was given; each is placed at the line before"),
            (
                self.mixed,
                "lines state their zone where others do not, or the other way round; each is placed at the line before",
            ),
        ] {
            if count > 0 {
                self.problems.add(Place::Whole, format!("{count} {what}"));
            }
        }
        self.log.problems = self.problems.into_list();
        self.log
    }

    /// Finds the zone and takes it off every time.
    fn place_in_time(&mut self) {
        let log = &mut self.log;
        let shift = if self.zoned == Some(true) {
            log.zone = ZoneSource::Printed;
            0
        } else if let Some(zone) = zone_of(&self.zone_samples) {
            log.zone = ZoneSource::Ledger;
            zone
        } else if let Some(minutes) = self.options.zone_minutes {
            log.zone = ZoneSource::Stated;
            i64::from(minutes) * 60_000
        } else {
            if !self.zone_samples.is_empty() {
                self.problems.add(
                    Place::Whole,
                    "its ledger lines do not agree on the server's time zone; times are taken for UTC",
                );
            }
            0
        };
        log.zone_minutes = (shift / 60_000) as i32;
        let put = |time: &mut i64| *time -= shift;
        log.first.iter_mut().chain(log.last.iter_mut()).for_each(put);
        log.accesses.iter_mut().for_each(|access| [&mut access.start, &mut access.end].into_iter().for_each(put));
        log.requests.iter_mut().for_each(|request| [&mut request.start, &mut request.end].into_iter().for_each(put));
        log.claims.iter_mut().for_each(|claim| put(&mut claim.at));
        log.conflicts.iter_mut().for_each(|conflict| put(&mut conflict.at));
        log.device_keys.iter_mut().for_each(|update| put(&mut update.at));
        log.logins.iter_mut().for_each(|login| put(&mut login.at));
        log.restarts.iter_mut().for_each(|restart| put(&mut restart.at));
        log.deleted.iter_mut().for_each(|device| put(&mut device.at));
        log.to_device.iter_mut().for_each(|message| put(&mut message.at));
        for upload in &mut log.uploads {
            put(&mut upload.time);
            if upload.at == i64::MIN {
                upload.at = upload.time;
            }
        }
        log.minutes = std::mem::take(&mut log.minutes).into_iter().map(|minute| minute - shift / 60_000).collect();
        let minutes = std::mem::take(&mut log.latency);
        log.latency = minutes.into_iter().map(|(minute, row)| (minute - shift / 60_000, row)).collect();
    }

    /// Joins ledger lines to the answer of their request: same id, same process between two starts, within the
    /// request's duration, and one only.
    fn join(&mut self) {
        let log = &mut self.log;
        let mut answers: HashMap<(&Process, &str), Vec<&Request>> = HashMap::new();
        for request in log.requests.iter().filter(|request| request.route == Route::KeysUpload) {
            answers.entry((&request.process, &request.id)).or_default().push(request);
        }
        let answer = |process: &Process, id: &Option<String>, time: i64| -> Option<&Request> {
            let of_id = answers.get(&(process, id.as_deref()?))?;
            let within = |request: &&&Request| request.start - ROUNDING_MS <= time && time <= request.end + ROUNDING_MS;
            let mut found = of_id.iter().filter(within);
            let first = found.next()?;
            found.next().is_none().then_some(*first)
        };
        for upload in &mut log.uploads {
            let answer = answer(&upload.process, &upload.request, upload.time);
            upload.start = answer.map(|request| request.start);
            upload.outcome = match answer {
                Some(request) if request.status == 200 => UploadOutcome::Accepted { line: request.line },
                Some(request) => UploadOutcome::Refused { status: request.status, line: request.line },
                None => UploadOutcome::Unknown,
            };
        }
        for conflict in &mut log.conflicts {
            conflict.start = answer(&conflict.process, &conflict.request, conflict.at).map(|request| request.start);
        }
    }
}

fn own(device: DeviceRef<'_>) -> (String, String) {
    (device.user_id.to_owned(), device.device_id.to_owned())
}

fn push<T>(list: &mut Vec<T>, item: T, not_kept: &mut u64) {
    if list.len() < KEPT_MAX {
        list.push(item);
    } else {
        *not_kept += 1;
    }
}

/// The zone that all samples of "wall clock less epoch" agree on, in milliseconds.
fn zone_of(samples: &[i64]) -> Option<i64> {
    let zone = |sample: &i64| {
        // The line is a little later than the time that it states, never earlier but for rounding.
        let zone = (sample + ROUNDING_MS).div_euclid(ZONE_STEP_MS) * ZONE_STEP_MS;
        (sample - zone <= LEDGER_DELAY_MAX_MS && zone.abs() <= 15 * 3_600_000).then_some(zone)
    };
    let first = zone(samples.first()?)?;
    samples.iter().all(|sample| zone(sample) == Some(first)).then_some(first)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn log(text: &str) -> ServerLog {
        ServerLog::read("homeserver.log", text.as_bytes(), &LogOptions::default())
    }

    const ADDING: &str = "2026-11-23 09:36:03,854 - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0']) for device 'D' for user '@a:h' at 1795422963777\n";
    const ANSWER: &str = "2026-11-23 09:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 127.0.0.1 - 8008 - {@a:h} Processed request: 0.095sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400 \"POST /_matrix/client/v3/keys/upload HTTP/1.1\" \"UA\" [0 dbevts]\n";
    const START: &str = "2026-11-23 09:36:03,860 - root - 377 - WARNING - main - ***** STARTING SERVER *****\n";

    #[test]
    fn the_ledger_tells_the_servers_zone() {
        let log = log(&format!("{ADDING}{ANSWER}"));
        assert_eq!((log.zone, log.zone_minutes), (ZoneSource::Ledger, 60));
        assert_eq!(log.last, Some(1_795_422_963_872));
        assert_eq!(log.requests[0].start, 1_795_422_963_777);
        assert_eq!(log.uploads[0].at, 1_795_422_963_777);
    }

    #[test]
    fn an_upload_counts_only_with_its_200() {
        assert!(matches!(
            log(&format!("{ADDING}{ANSWER}")).uploads[0].outcome,
            UploadOutcome::Refused { status: 400, .. }
        ));
        let accepted = ANSWER.replace("528B 400", "48B 200");
        assert!(matches!(log(&format!("{ADDING}{accepted}")).uploads[0].outcome, UploadOutcome::Accepted { line: 2 }));
        assert_eq!(log(ADDING).uploads[0].outcome, UploadOutcome::Unknown);
    }

    #[test]
    fn a_request_id_joins_only_between_starts_in_one_process_and_within_its_duration() {
        let unknown = |text: String| assert_eq!(log(&text).uploads[0].outcome, UploadOutcome::Unknown, "{text}");
        unknown(format!("{ADDING}{START}{ANSWER}"));
        unknown(format!("w1 | {ADDING}w2 | {ANSWER}"));
        unknown(format!("{ADDING}{}", ANSWER.replace("0.095sec", "0.005sec")));
        unknown(format!("{ADDING}{ANSWER}{ANSWER}"));
    }

    #[test]
    fn the_same_request_has_the_same_key_on_both_sides() {
        let server = request_key("GET", "/_matrix/client/v3/sync?access_token=<redacted>&since=s1&timeout=0");
        assert_eq!(
            server,
            request_key("GET", "/_matrix/client/v3/sync?access_token=syt_YWxpY2U_secretsecret&since=s1&timeout=0")
        );
        assert_eq!(server, request_key("GET", "/_matrix/client/v3/sync?since=s1&timeout=0#x"));
        assert_ne!(server, request_key("GET", "/_matrix/client/v3/sync?since=s2&timeout=0"));
    }

    #[test]
    fn what_is_no_log_is_named() {
        let log = log("hello\nworld\n");
        assert!(log.problems.iter().any(|problem| problem.what.contains("Synapse")), "{:?}", log.problems);
    }

    #[test]
    fn quantiles_are_close() {
        let mut minute = Minute { buckets: BTreeMap::new(), count: 0 };
        (1..=100).for_each(|ms| minute.add(ms));
        assert!((45.0..=56.0).contains(&minute.quantile(0.5)), "{}", minute.quantile(0.5));
        assert!((98.0..=115.0).contains(&minute.quantile(0.99)));
    }
}

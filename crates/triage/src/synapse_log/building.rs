//! Reads a log's lines into [`ServerLog`], one after the other.

mod finish;

use std::collections::HashMap;
use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::Arc;

use crypto_diag_analysis::evidence::ke1;
use crypto_diag_core::Clean;
use crypto_diag_core::redact::is_closed;
use crypto_diag_server_log::synapse::REPLICATION_PATH;
use crypto_diag_server_log::zone::Times;
use crypto_diag_server_log::{
    AccessLine, DeviceRef, EventKind, LogLevel, Route, ServerEvent, ToDevice, canonical_uri, request_key,
    waits_for_news,
};

use super::loss::Losses;
use super::media::MediaLogs;
use super::process::{Process, RequestCount, Step, WRITTEN_WITHIN_MS};
use super::record::{
    Access, ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, Fate, LoginLine, Request, Restart, ToDeviceLine,
    Upload, UploadOutcome,
};
use super::server_log::{KEPT_MAX, LogOptions, ServerLog};
use crate::problem::{Place, Problems};
use crate::quote::{quote, quote_beginning};

/// Ids of one-time keys that are kept of one log at most, each distinct list counted once.
const KEY_IDS_MAX: usize = 200_000;

/// Characters of an upload's line that are quoted: its list of ids is long, and kept beside it.
const UPLOAD_QUOTE_CHARS: usize = 200;

/// Requests of any kind whose identity and times are kept, at 48 bytes each, where no HAR says which are wanted.
const ACCESSES_MAX: usize = 500_000;

/// Minutes of latency that are kept: a week.
const MINUTES_MAX: usize = 7 * 24 * 60;

/// Distinct sentences that are remembered at most.
const SENTENCES_MAX: usize = 1_000;

pub(super) struct Building {
    log: ServerLog,
    problems: Problems,
    sources: HashMap<String, Source>,
    users: HashMap<String, u32>,
    options: LogOptions,
    times: Times,
    /// Sentences of refusals that were read before.
    sentences: HashMap<String, (Arc<ke1::Ke1>, Arc<Clean>)>,
    /// Lists of ids that were read before, by their hash.
    key_lists: HashMap<u64, Arc<[String]>>,
    key_ids: usize,
    losses: Losses,
    media: MediaLogs,
}

/// What was last seen of a source.
struct Source {
    /// Its present run, by index into the log's processes.
    process: u16,
    time: Option<i64>,
    count: RequestCount,
}

impl Building {
    pub fn new(name: &str, options: &LogOptions) -> Building {
        Building {
            log: ServerLog { name: name.to_owned(), ..ServerLog::default() },
            problems: Problems::of(name),
            sources: HashMap::new(),
            users: HashMap::new(),
            options: options.clone(),
            times: Times::new(options.zone_minutes, options.near),
            sentences: HashMap::new(),
            key_lists: HashMap::new(),
            key_ids: 0,
            losses: Losses::default(),
            media: MediaLogs::new(name, options),
        }
    }

    /// Reading failed behind that line.
    pub fn ended(&mut self, line: u64, error: &std::io::Error) {
        self.problems.add(Place::Line(line), format!("reading ended here: {error}"));
    }

    /// A line that is none of a server's and continues none.
    pub fn stray(&mut self, source: Option<&str>, number: u64) {
        self.losses.stray(source.unwrap_or_default(), number);
    }

    pub fn add(&mut self, mut event: ServerEvent<'_>, number: u64) {
        if event.kind == EventKind::Hidden {
            self.losses.hidden(self.times.last(), number);
            self.media.hidden(1);
            return;
        }
        if let EventKind::LeftOut(lines) = event.kind {
            self.losses.left_out(self.times.last(), number, lines);
            self.media.hidden(lines);
            return;
        }
        let kind = std::mem::replace(&mut event.kind, EventKind::Other);
        if let EventKind::Media(program, said) = kind {
            self.media.add(&event, program, said, number);
            return;
        }
        *self.log.levels.entry(event.level).or_default() += 1;
        let time = self.times.read(event.at);
        if let Some(time) = time {
            self.losses.goes_on(time);
            self.log.first = Some(self.log.first.map_or(time, |first| first.min(time)));
            self.log.last = Some(self.log.last.map_or(time, |last| last.max(time)));
        }
        let source = event.source.unwrap_or_default();
        let Some(process) = self.process(source, kind == EventKind::Starting) else {
            self.log.not_kept += 1;
            return;
        };
        self.wrote(&event, matches!(kind, EventKind::Access(_)), process, time, number);
        // A line without a time of its own is placed at the last one that had one.
        let Some(time) = time.or(self.times.last()) else { return };
        self.keep(&event, kind, time, number, process);
    }

    /// The run of a source that a line belongs to; a start begins a new one. `None` if there are too many.
    fn process(&mut self, source: &str, starts: bool) -> Option<u16> {
        let known = self.sources.get(source).map(|known| known.process);
        if let Some(known) = known
            && !starts
        {
            return Some(known);
        }
        let run = known.map_or(0, |known| self.log.processes[usize::from(known)].run) + u32::from(starts);
        let index = u16::try_from(self.log.processes.len()).ok()?;
        self.log.processes.push(Process::new(source, run, starts));
        match self.sources.get_mut(source) {
            Some(known) => (known.process, known.count) = (index, RequestCount::default()),
            None => {
                let found = Source { process: index, time: None, count: RequestCount::default() };
                self.sources.insert(source.to_owned(), found);
            }
        }
        Some(index)
    }

    /// Notes that a process wrote a line, and whether its source's times run backwards there.
    fn wrote(&mut self, event: &ServerEvent<'_>, answered: bool, process: u16, time: Option<i64>, number: u64) {
        let wrote = &mut self.log.processes[usize::from(process)];
        // A form that has no level shows by its requests that it has lines at INFO.
        wrote.shows_info |= match event.level {
            LogLevel::Info | LogLevel::Debug => true,
            LogLevel::Unknown => answered,
            _ => false,
        };
        let source = event.source.unwrap_or_default();
        let (Some(time), Some(known)) = (time, self.sources.get_mut(source)) else { return };
        wrote.wrote(time, number);
        let back_ms = known.time.map_or(0, |last| last - time);
        if back_ms > WRITTEN_WITHIN_MS {
            push(&mut self.log.steps, Step { line: number, back_ms }, &mut self.log.not_kept);
        } else {
            self.log.disorder_ms = self.log.disorder_ms.max(back_ms);
        }
        known.time = Some(time);
    }

    fn keep(&mut self, event: &ServerEvent<'_>, kind: EventKind<'_>, time: i64, number: u64, process: u16) {
        let request = event.request.map(str::to_owned);
        let text = || quote(event.text);
        let log = &mut self.log;
        let not_kept = &mut log.not_kept;
        match kind {
            EventKind::Access(access) => self.access(event, &access, time, number, process),
            EventKind::Refused(error) if error.reason.contains("already exists") => {
                let known = self.sentences.get(error.reason).cloned();
                let read = || Some((Arc::new(ke1::read(error.reason)?), Arc::new(quote(error.reason))));
                if let Some((conflict, quote)) = known.clone().or_else(read) {
                    if known.is_none() && self.sentences.len() < SENTENCES_MAX {
                        self.sentences.insert(error.reason.to_owned(), (conflict.clone(), quote.clone()));
                    }
                    let altered = is_closed(error.reason);
                    let line = ConflictLine {
                        conflict,
                        altered,
                        at: time,
                        line: number,
                        quote,
                        start: None,
                        request,
                        process,
                    };
                    push(&mut log.conflicts, line, not_kept);
                }
            }
            EventKind::AddingOneTimeKeys { device, key_ids, at } => {
                if let Some(at) = at {
                    self.times.states(time, at);
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
                let upload = Upload {
                    user_id: device.user_id.to_owned(),
                    device_id: device.device_id.to_owned(),
                    key_ids,
                    at: at.unwrap_or(i64::MIN),
                    line: number,
                    outcome: UploadOutcome::Unknown,
                    start: None,
                    quote: quote_beginning(event.text, UPLOAD_QUOTE_CHARS),
                    request,
                    time,
                    process,
                };
                push(&mut log.uploads, upload, not_kept);
            }
            EventKind::Claimed(claims) => {
                for claim in claims {
                    let (user_id, device_id) = own(claim.device);
                    let key_id = claim.key_id.to_owned();
                    let line = ClaimLine { user_id, device_id, key_id, at: time, line: number, quote: text() };
                    push(&mut log.claims, line, not_kept);
                }
            }
            EventKind::UpdatingDeviceKeys { device, at } => {
                if let Some(at) = at {
                    self.times.states(time, at);
                }
                let (user_id, device_id) = own(device);
                let update = DeviceKeysUpdate { user_id, device_id, at: time, line: number, quote: text() };
                push(&mut log.device_keys, update, not_kept);
            }
            EventKind::Login(device) => {
                let (user_id, device_id) = own(device);
                push(&mut log.logins, LoginLine { user_id, device_id, at: time, line: number }, not_kept);
            }
            EventKind::DeletingDevices { user_id, device_ids } => {
                for device_id in device_ids {
                    let (user_id, device_id) = own(DeviceRef { user_id, device_id });
                    let line = DeletedDevice { user_id, device_id, at: time, line: number, quote: text() };
                    push(&mut log.deleted, line, not_kept);
                }
            }
            EventKind::Starting => {
                let source = event.source.unwrap_or_default().to_owned();
                push(&mut log.restarts, Restart { source, announced: true, at: time, line: number }, not_kept);
            }
            EventKind::Instance(name) => {
                log.processes[usize::from(process)].instance = Some(name.chars().take(64).collect());
            }
            EventKind::Replication => log.processes[usize::from(process)].replicates = true,
            EventKind::Version(version) => log.version = Some(version.chars().take(64).collect()),
            EventKind::ToDevice(messages) => {
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
            EventKind::Cut => self.losses.cut(time, number),
            EventKind::Refused(_)
            | EventKind::ClientGone
            | EventKind::Media(..)
            | EventKind::Hidden
            | EventKind::LeftOut(_)
            | EventKind::Other => {}
        }
    }

    fn access(&mut self, event: &ServerEvent<'_>, access: &AccessLine<'_>, time: i64, number: u64, process: u16) {
        let route = Route::of(access.uri);
        let start = time - access.duration_ms() as i64;
        self.judge(event, access, start, number, process);
        let user = access.user_id.and_then(|user_id| self.user(user_id));
        let log = &mut self.log;
        let key = request_key(access.method, access.uri);
        if self.options.wanted.as_ref().is_none_or(|wanted| wanted.contains(&key)) {
            if log.accesses.len() < ACCESSES_MAX {
                let (status, finished) = (access.status, !access.unfinished);
                log.accesses.push(Access {
                    key,
                    start,
                    end: time,
                    line: number,
                    route,
                    status,
                    finished,
                    user,
                    process,
                });
            } else {
                log.not_kept += 1;
            }
        }
        let minute = time.div_euclid(60_000);
        if !waits_for_news(path(access.uri)) && (log.latency.len() < MINUTES_MAX || log.latency.contains_key(&minute)) {
            let minute = log.latency.entry(minute).or_default();
            minute.add(route, access.processing_ms);
        }
        if matches!(route, Route::Sync | Route::Other) {
            return;
        }
        let message = event.text;
        // From the user on, to the end of the request line: no address, no user agent.
        let from = message.find(" - {").map_or(0, |at| at + 3);
        let to = message.find("\" \"").map_or(message.len(), |at| at + 1).max(from);
        let request = Request {
            id: event.request.unwrap_or_default().to_owned(),
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

    /// What a request says of the process that answered it.
    fn judge(&mut self, event: &ServerEvent<'_>, access: &AccessLine<'_>, start: i64, number: u64, process: u16) {
        let answered = &mut self.log.processes[usize::from(process)];
        answered.replicates |= access.uri.starts_with(REPLICATION_PATH);
        if !waits_for_news(path(access.uri)) {
            answered.longest_ms = answered.longest_ms.max(access.duration_ms() as i64);
        }
        let source = event.source.unwrap_or_default();
        let id = event.request.unwrap_or_default();
        if self.sources.get_mut(source).is_some_and(|known| known.count.begins_anew(id, start)) {
            let restart = Restart { source: source.to_owned(), announced: false, at: start, line: number };
            push(&mut self.log.restarts, restart, &mut self.log.not_kept);
        }
    }

    /// A user by number.
    fn user(&mut self, user_id: &str) -> Option<u32> {
        if let Some(known) = self.users.get(user_id) {
            return Some(*known);
        }
        if self.log.users.len() >= KEPT_MAX {
            return None;
        }
        let number = u32::try_from(self.log.users.len()).ok()?;
        self.log.users.push(user_id.to_owned());
        self.users.insert(user_id.to_owned(), number);
        Some(number)
    }
}

/// A URI without its query.
fn path(uri: &str) -> &[u8] {
    uri.split('?').next().unwrap_or_default().as_bytes()
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

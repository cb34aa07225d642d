//! Makes one slice of one log, however many files it was rotated into.

use std::collections::HashSet;
use std::fs::File;
use std::io::BufReader;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crypto_diag_server_log::{LogLevel, stamp};
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Refusal;
use crypto_diag_triage::clock::{agreed, of_requests};
use crypto_diag_triage::har::Har;
use crypto_diag_triage::synapse_log::{LogOptions, ServerLog};
use serde_json::{Value, json};

use crate::error::CollectError;
use crate::ids::{Ids, Window};
use crate::join::latency::Latency;
use crate::join::{Counts, Sequence};
use crate::line_header::StampContext;
use crate::pipeline::{ReadInput, SearchJob, search};
use crate::progress::Progress;
use crate::redact::pseudonym::Names;
use crate::request::Request;
use crate::scan::needles::Needles;
use crate::scan::{Period, Plan};
use crate::source::blocks::BLOCK_BYTES;
use crate::source::zone::{self, How, UNKNOWN_MS, Zone};
use crate::source::{Group, Input, shown, stretch, unreadable};
use crate::write::folder::Folder;

/// Milliseconds before the window that are kept as well: requests that a page sent before its capture began.
pub const BEFORE_MS: i64 = 10 * 60_000;

/// Milliseconds behind the window that are kept, too: a request that a client gave up may arrive late, and triage takes a request to
/// be in progress for two minutes.
pub const AFTER_MS: i64 = 3 * 60_000;

/// Stands for no window. It keeps away from the ends of the number range, so that margins can be added.
pub(crate) const ALWAYS: Window = Window { from: i64::MIN / 4, to: i64::MAX / 4 };

/// What a slice is made from.
pub(crate) struct Job<'j> {
    pub request: &'j Request,
    pub ids: &'j Ids,
    pub wanted: &'j Option<Arc<HashSet<u64>>>,
    pub hars: &'j [Har],
    pub progress: &'j dyn Progress,
    pub cancel: &'j AtomicBool,
}

/// A slice of a log, and what the log could have shown.
pub(crate) struct Slice {
    pub name: String,
    zone: Zone,
    counts: Counts,
    read: Vec<(Value, ReadInput)>,
    levels: Vec<LogLevel>,
    sources: Vec<String>,
    first: Option<i64>,
    last: Option<i64>,
    interrupted: bool,
    /// The slice as triage reads it, where there are HARs to measure it by.
    pub log: Option<ServerLog>,
}

pub(crate) fn needles(ids: &Ids, wanted: &Option<Arc<HashSet<u64>>>) -> Needles {
    Needles::new(ids, wanted.clone())
}

impl Job<'_> {
    /// Writes the slice of a log. Where its zone had to be guessed and what was kept tells another, it is read again.
    pub fn slice(
        &self,
        group: &Group,
        folder: &mut Folder,
        names: &mut Names,
        latency: &mut Latency,
    ) -> Result<Slice, CollectError> {
        let name = folder.free_name(group.name.trim_end_matches(".log"), ".log");
        let mut zone = zone::guess(group, self.request.zone_minutes);
        let again = group.inputs.iter().all(|input| !input.is_stream());
        let before = names.clone();
        loop {
            let (slice, samples, of_log) = self.pass(group, &name, zone.clone(), folder, names)?;
            let corrected = zone.corrected(&samples).or_else(|| self.by_requests(&zone, slice.log.as_ref()?));
            let differs = corrected.as_ref().is_some_and(|new| new.minutes != zone.minutes);
            let interrupted = self.cancel.load(Ordering::Relaxed);
            match corrected {
                Some(new) if again && !interrupted && (differs || zone.how == How::Unknown) => {
                    folder.discard(&name)?;
                    *names = before.clone();
                    zone = new;
                }
                _ => {
                    latency.merge(of_log);
                    return Ok(slice);
                }
            }
        }
    }

    fn pass(
        &self,
        group: &Group,
        name: &str,
        zone: Zone,
        folder: &mut Folder,
        names: &mut Names,
    ) -> Result<(Slice, Vec<i64>, Latency), CollectError> {
        let window = self.ids.window.unwrap_or(ALWAYS);
        let wider = if zone.how == How::Unknown { UNKNOWN_MS } else { 0 };
        let plan = Plan {
            needles: needles(self.ids, self.wanted),
            period: Period {
                clock: StampContext { zone_ms: zone.ms(), near: self.near(group, window) },
                from: window.from - BEFORE_MS - wider,
                to: window.to + AFTER_MS + wider,
            },
            latency: self.request.latency,
        };
        let threads = match self.request.threads {
            0 => std::thread::available_parallelism().map_or(1, std::num::NonZero::get),
            threads => threads,
        };
        let mut writing = folder.begin(name)?;
        let mut sequence = Sequence::new(&plan);
        let mut read = Vec::new();
        for input in &group.inputs {
            // A stream cannot be read again.
            if self.cancel.load(Ordering::Relaxed) && !input.is_stream() {
                break;
            }
            let range = self.stretch(input, &plan.period)?;
            let windowed = range.is_some();
            let done = search(SearchJob {
                input,
                range,
                plan: &plan,
                threads,
                block: BLOCK_BYTES,
                sequence: &mut sequence,
                names,
                output: &mut |text| writing.write(text),
                progress: self.progress,
                cancel: self.cancel,
            })?;
            let about = json!({"path": shown(&input.path), "packing": input.packing, "size": input.size, "windowOnly": windowed});
            if input.is_direct {
                self.note_if_cut_short(&done, &shown(&input.path));
            }
            read.push((about, done));
        }
        sequence.finish(names, &mut drop);
        writing.write(&sequence.out)?;
        folder.end(writing, ArtefactKind::ServerLog);
        let log = match self.hars {
            [] => None,
            _ => {
                let options = LogOptions {
                    zone_minutes: Some(zone.minutes),
                    near: plan.period.clock.near,
                    wanted: self.wanted.clone(),
                };
                let path = folder.path.join(name);
                let file = File::open(&path).map_err(|error| unreadable(&path, error))?;
                Some(ServerLog::read(name, BufReader::with_capacity(1 << 20, file), &options))
            }
        };
        let slice = Slice {
            name: name.to_owned(),
            zone,
            counts: sequence.counts,
            read,
            levels: sequence.levels.into_iter().collect(),
            sources: sequence.sources.into_iter().collect(),
            first: sequence.first,
            last: sequence.last,
            interrupted: self.cancel.load(Ordering::Relaxed),
            log,
        };
        Ok((slice, sequence.zone_samples, sequence.latency))
    }

    /// Of a plain file, where the window lies, if only that is to be read and bisection can tell.
    fn stretch(&self, input: &Input, period: &Period) -> Result<Option<Range<u64>>, CollectError> {
        let has_ends = self.ids.window.is_some_and(|window| window.from > ALWAYS.from && window.to < ALWAYS.to);
        let Some(file) = input.as_file()?.filter(|_| self.request.window_only && has_ends) else { return Ok(None) };
        let found = stretch::of(&file, input.size, period.from, period.to, period.clock)
            .map_err(|error| unreadable(&input.path, error))?;
        if found.is_none() {
            let path = shown(&input.path);
            self.progress.note(&format!("{path}: its times do not go upwards, so all of it is read for the window"));
        }
        Ok(found)
    }

    fn note_if_cut_short(&self, done: &ReadInput, path: &str) {
        if let Some(broke) = &done.broke {
            self.progress.note(&format!("{path}: {broke}"));
        }
    }

    /// The zone by the requests that stand both in a HAR and in the slice.
    fn by_requests(&self, zone: &Zone, log: &ServerLog) -> Option<Zone> {
        // The slice was read in the zone that is to be judged; ledger lines, which tell another, were asked before.
        let intervals: Vec<_> = self.hars.iter().map(|har| of_requests(har, log)).collect();
        intervals.into_iter().find_map(|intervals| {
            let requests = intervals.len();
            zone.by_requests(agreed(intervals.into_iter().map(|(_, interval)| interval))?.middle(), requests)
        })
    }

    /// A time that the log's are near to, for stamps without a year: the window's, else when the last file was written.
    fn near(&self, group: &Group, window: Window) -> Option<i64> {
        let stated = Some(window.from).filter(|from| *from > ALWAYS.from);
        stated.or_else(|| group.inputs.iter().filter_map(|input| input.modified).max())
    }
}

impl Slice {
    pub fn zone_is_certain(&self) -> bool {
        matches!(self.zone.how, How::Stated | How::Printed | How::Ledger)
    }

    pub fn zone_in_words(&self) -> String {
        format!("its times are taken to be {} minutes ahead of UTC: {}", self.zone.minutes, self.zone.why)
    }

    /// What was not taken, and why.
    pub fn refused(&self) -> Vec<Refusal> {
        let mut refused = Vec::new();
        let mut put = |what: &str, why: String| refused.push(Refusal { what: what.to_owned(), why });
        for (about, read) in &self.read {
            let path = about["path"].as_str().unwrap_or_default();
            if let Some(broke) = &read.broke {
                put(path, format!("it breaks behind {} unpacked bytes: {broke}; what came before is used", read.bytes));
            }
            if read.bytes == 0 && read.broke.is_none() {
                let why = "nothing came of it. A container's log is on two streams: `docker logs NAME 2>&1` has both";
                put(path, why.to_owned());
            }
            if read.cut > 0 {
                put(
                    path,
                    format!(
                        "{} lines were longer than {} bytes and are cut",
                        read.cut,
                        crate::source::blocks::LINE_BYTES_MAX
                    ),
                );
            }
        }
        if self.interrupted {
            put(&self.name, "interrupted; what was read until then is there".to_owned());
        }
        let counts = &self.counts;
        for (count, what) in [
            (counts.look_back_overflow, "requests began before what was still held; lines of theirs may be missing"),
            (counts.look_ahead_overflow, "requests were not followed to their access line, since too many were open"),
            (counts.ledger_not_kept, "lines of the ledger outside of the window did not fit"),
        ] {
            if count > 0 {
                put(&self.name, format!("{count} {what}"));
            }
        }
        refused
    }

    pub fn to_json(&self) -> Value {
        let counts = &self.counts;
        let read: Vec<Value> = self
            .read
            .iter()
            .map(|(about, read)| {
                let mut about = about.clone();
                about["unpacked"] = json!(read.bytes);
                about
            })
            .collect();
        json!({
            "name": self.name,
            "read": read,
            "zone": self.zone.to_json(),
            // Of the lines that were looked at: kept ones, and the first and last of each block.
            "levelsSeen": self.levels.iter().map(|level| level.name()).collect::<Vec<_>>(),
            "processes": self.sources,
            "firstLine": self.first.map(stamp::print),
            "lastLine": self.last.map(stamp::print),
            "starts": counts.starts,
            "records": counts.records,
            "joined": counts.joined,
            "ledgerOutsideWindow": counts.ledger_outside,
            "ledgerNotKept": counts.ledger_not_kept,
            "lookBackOverflow": counts.look_back_overflow,
            "lookAheadOverflow": counts.look_ahead_overflow,
            "withoutAccessLine": counts.unanswered,
        })
    }
}

/// The zone of all logs, where it is certain and one: what triage may take for stated.
pub(crate) fn certain_zone(slices: &[Slice]) -> Option<i32> {
    let first = slices.first()?;
    let same =
        |slice: &Slice| matches!(slice.zone.how, How::Stated | How::Ledger) && slice.zone.minutes == first.zone.minutes;
    slices.iter().all(same).then_some(first.zone.minutes)
}

//! A block of a log while it is searched: its lines, and what was found in them.

use std::collections::BTreeSet;
use std::sync::Arc;

use crypto_diag_server_log::zone::rounding_ms;
use crypto_diag_server_log::{LogLevel, parse_line};

use super::Plan;
use super::latency::{self, Sample};
use super::request_table::Index;
use crate::line_header::{self as header, StampContext};
use crate::redact::pseudonym::Gap;
use crate::redact::render;
use crate::source::blocks::{FileBlocks, Raw};

/// Names of processes noted per block at most.
const SOURCES_MAX: usize = 64;

/// A record that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub start: usize,
    pub end: usize,
    /// Whether it is kept only because it belongs to a request of which another line is kept.
    pub joined: bool,
    /// Whether it is a line about one-time keys or devices from outside of the window.
    pub outside: bool,
    /// Its range in the rendered text, and in the list of gaps.
    pub text: (usize, usize),
    pub gaps: (usize, usize),
}

/// A request whose lines must be looked for in earlier blocks. Times are in milliseconds since the epoch, by the server's clock.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookBack {
    pub request: u64,
    pub source: u64,
    pub from: i64,
    pub to: i64,
}

/// A request whose access line was found, which tells when it ended.
#[derive(Clone, Copy, Debug)]
pub(crate) struct FinishedRequest {
    /// Where the access line begins in the block.
    pub at: usize,
    pub request: u64,
    pub source: u64,
    /// Milliseconds since the epoch, by the server's clock.
    pub ended: i64,
    /// Duration in milliseconds.
    pub took: u64,
}

impl FinishedRequest {
    /// Which earlier lines belong to the request.
    pub fn back(&self) -> LookBack {
        let rounding = rounding_ms(self.ended, self.ended);
        let from = self.ended - self.took as i64 - rounding;
        LookBack { request: self.request, source: self.source, from, to: self.ended + rounding }
    }
}

/// A request whose access line must be looked for in later blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct LookAhead {
    pub request: u64,
    pub source: u64,
    pub time: i64,
}

/// A block that was searched.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub number: u64,
    /// The block's bytes; empty after the buffer was given back.
    pub data: Vec<u8>,
    /// The file from which the block can be read again.
    again: Option<Arc<FileBlocks>>,
    /// Where the block begins in that file.
    pub begin: usize,
    /// Where the first record begins in the data. The bytes before it continue the last record of the previous block.
    pub leading: usize,
    /// Whether those bytes contain one of the wanted ids.
    pub leading_hit: bool,
    pub last: Option<usize>,
    pub first_time: Option<i64>,
    pub last_time: Option<i64>,
    /// Kept records, in order.
    pub kept: Vec<Kept>,
    /// Records that were kept afterwards because of a later block, by their place.
    pub late: BTreeSet<usize>,
    pub rendered: Vec<u8>,
    pub gaps: Vec<Gap>,
    /// Lines by which a process says that it starts: place, and hash of its source.
    pub starts: Vec<(usize, u64)>,
    /// The first line of each source behind its start by which it shows that it is one of several processes.
    pub replications: Vec<(usize, u64)>,
    pub backs: Vec<LookBack>,
    pub aheads: Vec<LookAhead>,
    pub seen: Seen,
    index: Option<Index>,
}

/// What a block tells about its log as a whole, independent of what is kept.
#[derive(Debug, Default)]
pub(crate) struct Seen {
    /// The first record of each minute: minutes since the epoch, and place.
    pub minutes: Vec<(i64, usize)>,
    pub levels: BTreeSet<LogLevel>,
    /// Names of processes.
    pub sources: BTreeSet<String>,
    /// Milliseconds that the server's wall clock is ahead of UTC, from lines that print a time in both.
    pub zone_samples: Vec<i64>,
    pub latency: Vec<Sample>,
}

impl Block {
    pub(super) fn of(raw: Raw) -> Block {
        let mut block =
            Block { number: raw.number, data: raw.data, begin: raw.begin, again: raw.again, ..Block::default() };
        block.leading = first_head(&block.data, block.begin);
        if block.leading < block.data.len() {
            block.last = Some(last_head(&block.data));
        }
        block
    }

    /// Finds the block's first and last record, and the first record of each minute.
    pub(super) fn look(&mut self, plan: &Plan) {
        if self.last.is_some() {
            self.times(plan);
            self.minutes(plan);
        }
    }

    pub(super) fn measure(&mut self, plan: &Plan) {
        latency::samples(&self.data[self.begin..], &plan.period, &mut self.seen.latency);
    }

    /// The line that begins at a place, without its line break.
    pub fn line(&self, start: usize) -> &[u8] {
        let rest = &self.data[start..];
        &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
    }

    /// Gives the buffer back if the data is unlikely to be needed again: the buffer is still in the processor's cache, and the next block is
    /// read into it. Kept records are rendered already, and the index tells whether a request has lines here.
    pub fn release(&mut self) -> Option<Vec<u8>> {
        let unlikely =
            self.starts.is_empty() && self.replications.is_empty() && !self.leading_hit && self.seen.minutes.len() <= 1;
        (unlikely && self.again.is_some()).then(|| std::mem::take(&mut self.data))
    }

    /// Reads the data again if the buffer was given back. `false` if the file no longer has the same bytes there.
    pub fn restore(&mut self) -> bool {
        if !self.data.is_empty() {
            return true;
        }
        let Some(Ok(Some(raw))) = self.again.as_ref().map(|file| file.again(self.number)) else {
            return false;
        };
        let leading = first_head(&raw.data, raw.begin);
        let last = (leading < raw.data.len()).then(|| last_head(&raw.data));
        let same = (raw.begin, leading, last) == (self.begin, self.leading, self.last);
        if same {
            self.data = raw.data;
        }
        same
    }

    /// The end of the record that begins at a place.
    pub fn record_end(&self, start: usize) -> usize {
        let mut end = start;
        loop {
            end = line_end(&self.data, end);
            if end >= self.data.len() || header::is_header(line(&self.data, end)) {
                return end;
            }
        }
    }

    /// Whether a request may have lines here, without reading the data again. It may say yes falsely, never no.
    pub fn may_hold(&self, request: u64) -> bool {
        self.index.as_ref().is_none_or(|index| index.of_request(request).next().is_some())
    }

    /// The index of requests, made when it is first needed. The data must be present.
    pub(super) fn index(&mut self) -> &Index {
        let (data, begin) = (&self.data, self.begin);
        self.index.get_or_insert_with(|| Index::of(data, begin))
    }

    /// Where lines of a request begin, if their time is in the given range; the last one first.
    pub fn of_request(&mut self, back: &LookBack, clock: StampContext) -> Vec<usize> {
        self.index();
        let index = self.index.as_ref();
        let starts = index.into_iter().flat_map(|index| index.of_request(back.request));
        let within =
            |start: &usize| header::time(self.line(*start), clock).is_some_and(|at| back.from <= at && at <= back.to);
        starts.filter(within).collect()
    }

    /// Whether a process of that source started between two places.
    pub fn starts_between(&self, source: u64, from: usize, to: usize) -> bool {
        self.starts.iter().any(|(at, other)| *other == source && from < *at && *at < to)
    }

    fn times(&mut self, plan: &Plan) {
        for start in [Some(self.leading), self.last].into_iter().flatten() {
            let Some(head) = header::read(self.line(start), plan.period.clock) else { continue };
            self.seen.levels.insert(head.level);
            if start == self.leading {
                self.first_time = head.time;
            }
            self.last_time = head.time;
            if head.source != 0 && self.seen.sources.len() < SOURCES_MAX {
                let source = parse_line(self.line(start)).and_then(|line| line.source.map(|name| name.into_owned()));
                self.seen.sources.extend(source);
            }
        }
    }

    /// Keeps the first record of each minute of the window, so that the slice shows that the log was being written then.
    fn minutes(&mut self, plan: &Plan) {
        let (Some(first), Some(last)) = (self.first_time, self.last_time) else { return };
        if last < plan.period.from || first > plan.period.to {
            return;
        }
        let mut minute = first.div_euclid(60_000);
        self.seen.minutes.push((minute, self.leading));
        if last.div_euclid(60_000) == minute {
            return;
        }
        let mut before: &[u8] = self.data.get(self.leading..self.leading + 16).unwrap_or_default();
        let mut start = self.leading;
        while start < self.data.len() {
            let end = line_end(&self.data, start);
            let begin = self.data.get(start..start + 16).unwrap_or_default();
            // In Synapse's default form, the first bytes show that the minute has not changed.
            if begin != before {
                let time = header::time(&self.data[start..end], plan.period.clock);
                if let Some(at) = time.map(|time| time.div_euclid(60_000)).filter(|at| *at != minute) {
                    minute = at;
                    self.seen.minutes.push((minute, start));
                }
                if time.is_some() {
                    before = begin;
                }
            }
            start = end;
        }
        let window = plan.period.from.div_euclid(60_000)..=plan.period.to.div_euclid(60_000);
        self.seen.minutes.retain(|(minute, _)| window.contains(minute));
    }

    pub(super) fn render(&mut self, plan: &Plan) {
        self.kept.sort_by_key(|kept| (kept.start, kept.outside, kept.joined));
        self.kept.dedup_by_key(|kept| kept.start);
        let bytes = self.kept.iter().map(|kept| kept.end - kept.start).sum();
        self.rendered.reserve(bytes);
        for index in 0..self.kept.len() {
            let kept = self.kept[index];
            let (text, gaps) = (self.rendered.len(), self.gaps.len());
            render(&self.data[kept.start..kept.end], &plan.needles.users, &mut self.rendered, &mut self.gaps);
            self.kept[index].text = (text, self.rendered.len());
            self.kept[index].gaps = (gaps, self.gaps.len());
        }
    }
}

pub(super) fn line(data: &[u8], start: usize) -> &[u8] {
    &data[start..line_end(data, start)]
}

pub(super) fn line_start(data: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &data[..at]).map_or(0, |at| at + 1)
}

fn line_end(data: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &data[start..]).map_or(data.len(), |at| start + at + 1)
}

/// Where the record begins that contains a place. A record must begin at or before it.
pub(super) fn record_start(data: &[u8], at: usize) -> usize {
    let mut start = line_start(data, at);
    while start > 0 && !header::is_header(line(data, start)) {
        start = line_start(data, start - 1);
    }
    start
}

fn first_head(data: &[u8], begin: usize) -> usize {
    let mut start = begin;
    while start < data.len() && !header::is_header(line(data, start)) {
        start = line_end(data, start);
    }
    start
}

/// Where the last record begins. The block must have one.
fn last_head(data: &[u8]) -> usize {
    record_start(data, data.len() - 1)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;
    use crate::ids::Ids;
    use crate::scan::needles::Needles;
    use crate::scan::{Period, scan};
    use crate::source::blocks::Blocks;

    fn plan() -> Plan {
        let ids = Ids { users: ["@alice:h".to_owned()].into(), ..Ids::default() };
        let (from, to) = (i64::MIN / 4, i64::MAX / 4);
        Plan {
            needles: Needles::new(&ids, None),
            period: Period { clock: StampContext::default(), from, to },
            latency: false,
        }
    }

    fn line(second: u8, text: &str) -> String {
        format!("2026-11-23 08:36:{second:02},872 - a.b - 1 - INFO - GET-{second} - {text}\n")
    }

    /// The second of two blocks of a file.
    fn second_block(path: &std::path::Path, text: &str) -> Block {
        fs::write(path, text).unwrap();
        let feed: Blocks<&[u8]> = Blocks::of_file(File::open(path).unwrap(), 0..text.len() as u64, text.len() / 2);
        feed.next(Vec::new()).unwrap().unwrap();
        scan(feed.next(Vec::new()).unwrap().unwrap(), &plan())
    }

    #[test]
    fn a_block_gives_its_data_back_and_gets_it_again_unless_the_file_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        for text in ["nothing", "@alice:h"] {
            let text: String = (0..40).map(|second| line(second, text)).collect();
            let mut block = second_block(&path, &text);
            let before = block.data.clone();
            assert!(block.release().is_some_and(|data| data == before) && block.data.is_empty());
            assert!(block.restore() && block.data == before);

            for changed in [text.replace("GET-2", "GET-200"), text[..text.len() - 100].to_owned(), String::new()] {
                let mut block = second_block(&path, &text);
                block.release().unwrap();
                fs::write(&path, changed).unwrap();
                assert!(!block.restore() && block.data.is_empty());
            }
        }
    }

    #[test]
    fn a_block_with_hits_tells_without_its_data_which_requests_it_has() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..40).map(|second| line(second, "@alice:h")).collect();
        let mut block = second_block(&folder.path().join("x.log"), &text);
        block.release().unwrap();
        let held = |second: u8| block.may_hold(header::request(line(second, "x").as_bytes()).unwrap());
        assert!(held(39) && !held(0) && block.data.is_empty());
    }

    #[test]
    fn a_block_in_which_a_process_starts_keeps_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..40).map(|second| line(second, "***** STARTING SERVER *****")).collect();
        let mut block = second_block(&folder.path().join("x.log"), &text);
        assert!(block.release().is_none() && !block.data.is_empty() && block.restore());
    }
}

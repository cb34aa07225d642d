//! One block: which of its records are kept, and what has to be looked for in the blocks around it. A pure function of
//! the block, so that blocks can be searched at the same time.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use crypto_diag_server_log::zone::ROUNDING_MS;
use crypto_diag_server_log::{Class, EventKind, LogLevel, parse_line, request_key};

use crate::feed::{FileFeed, Raw};
use crate::head::{self, Clock, Head};
use crate::index::Index;
use crate::latency::{self, Sample};
use crate::needles::{Needles, Occurrence, Sought};
use crate::pseudonym::{self, Gap};
use crate::render::render;

/// Names of processes that one block tells at most.
const SOURCES_MAX: usize = 64;

/// What every block is searched for.
#[derive(Debug)]
pub(crate) struct Plan {
    pub needles: Needles,
    pub clock: Clock,
    /// Milliseconds since the epoch, margins included.
    pub from: i64,
    pub to: i64,
    pub latency: bool,
}

impl Plan {
    pub fn holds(&self, time: Option<i64>) -> bool {
        time.is_none_or(|time| self.from <= time && time <= self.to)
    }
}

/// A record that is kept.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Kept {
    pub start: usize,
    pub end: usize,
    /// Whether it is there because of a request that it belongs to.
    pub joined: bool,
    /// Whether it is a line of the ledger outside of the window.
    pub outside: bool,
    /// Its part of the rendered text, and of the gaps.
    pub text: (usize, usize),
    pub gaps: (usize, usize),
}

/// A request whose lines have to be looked for in earlier blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Back {
    pub request: u64,
    pub source: u64,
    pub from: i64,
    pub to: i64,
}

/// A request whose access line has to be looked for in later blocks.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Ahead {
    pub request: u64,
    pub source: u64,
    pub time: i64,
}

/// A block that was searched.
#[derive(Debug, Default)]
pub(crate) struct Block {
    pub number: u64,
    /// Empty once it was let go of.
    pub data: Vec<u8>,
    /// Where it can be read once more.
    again: Option<Arc<FileFeed>>,
    /// Where the block begins in it.
    pub begin: usize,
    /// Where the first record begins; between the two stands what continues the last record of the block before.
    pub leading: usize,
    /// Whether one of the ids stands there.
    pub leading_hit: bool,
    pub last: Option<usize>,
    pub first_time: Option<i64>,
    pub last_time: Option<i64>,
    /// In order.
    pub kept: Vec<Kept>,
    /// Records that were kept later, by their place.
    pub late: BTreeSet<usize>,
    pub rendered: Vec<u8>,
    pub gaps: Vec<Gap>,
    /// Starts of processes: place and source.
    pub starts: Vec<(usize, u64)>,
    pub backs: Vec<Back>,
    pub aheads: Vec<Ahead>,
    /// The first record of each minute: minute and place.
    pub minutes: Vec<(i64, usize)>,
    pub levels: BTreeSet<LogLevel>,
    /// Names of processes seen.
    pub sources: BTreeSet<String>,
    /// Wall clock less epoch, as ledger lines say both.
    pub zone_samples: Vec<i64>,
    pub latency: Vec<Sample>,
    index: Option<Index>,
}

/// Searches a block.
pub(crate) fn scan(raw: Raw, plan: &Plan) -> Block {
    let mut block =
        Block { number: raw.number, data: raw.data, begin: raw.begin, again: raw.again, ..Block::default() };
    block.leading = first_head(&block.data, block.begin);
    if block.leading < block.data.len() {
        block.last = Some(last_head(&block.data));
        block.times(plan);
        block.minutes(plan);
    }
    let hits = block.search(plan);
    if plan.latency {
        latency::samples(&block.data[block.begin..], plan, &mut block.latency);
    }
    if hits.iter().any(|(_, head)| head.request.is_some()) {
        block.join(&hits, plan);
    }
    block.kept.sort_by_key(|kept| (kept.start, kept.outside, kept.joined));
    block.kept.dedup_by_key(|kept| kept.start);
    block.render(plan);
    block
}

impl Block {
    /// The line that begins at a place, without its break.
    pub fn line(&self, start: usize) -> &[u8] {
        let rest = &self.data[start..];
        &rest[..memchr::memchr(b'\n', rest).unwrap_or(rest.len())]
    }

    /// Gives the data back where nothing in it is likely to be asked for: it is still warm in a processor's cache, and
    /// the next block is read into it.
    pub fn release(&mut self) -> Option<Vec<u8>> {
        let plain = self.kept.is_empty() && self.starts.is_empty() && !self.leading_hit && self.minutes.len() <= 1;
        (plain && self.again.is_some()).then(|| std::mem::take(&mut self.data))
    }

    /// Reads the data once more if it was given back. `false`: it is no longer there, or no longer the same.
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
            if end >= self.data.len() || head::is_head(line(&self.data, end)) {
                return end;
            }
        }
    }

    /// The index, made when it is first needed.
    pub fn index(&mut self) -> &Index {
        let (data, begin) = (&self.data, self.begin);
        self.index.get_or_insert_with(|| Index::of(data, begin))
    }

    /// Where the lines of a request begin that lie in a time, the last one first.
    pub fn of_request(&mut self, request: u64, from: i64, to: i64, clock: Clock) -> Vec<usize> {
        self.index();
        let index = self.index.as_ref();
        let starts = index.into_iter().flat_map(|index| index.of_request(request));
        starts.filter(|start| head::time(self.line(*start), clock).is_some_and(|at| from <= at && at <= to)).collect()
    }

    /// Whether a process of that source started between two places.
    pub fn starts_between(&self, source: u64, from: usize, to: usize) -> bool {
        self.starts.iter().any(|(at, other)| *other == source && from < *at && *at < to)
    }

    fn times(&mut self, plan: &Plan) {
        for start in [Some(self.leading), self.last].into_iter().flatten() {
            let Some(head) = head::read(self.line(start), plan.clock) else { continue };
            self.levels.insert(head.level);
            if start == self.leading {
                self.first_time = head.time;
            }
            self.last_time = head.time;
            if head.source != 0 && self.sources.len() < SOURCES_MAX {
                let source = parse_line(self.line(start)).and_then(|line| line.source.map(|name| name.into_owned()));
                self.sources.extend(source);
            }
        }
    }

    /// The first record of each minute of the window: where a log was being written, a slice shall show it.
    fn minutes(&mut self, plan: &Plan) {
        let (Some(first), Some(last)) = (self.first_time, self.last_time) else { return };
        if last < plan.from || first > plan.to {
            return;
        }
        let mut minute = first.div_euclid(60_000);
        self.minutes.push((minute, self.leading));
        if last.div_euclid(60_000) == minute {
            return;
        }
        let mut before: &[u8] = self.data.get(self.leading..self.leading + 16).unwrap_or_default();
        let mut start = self.leading;
        while start < self.data.len() {
            let end = line_end(&self.data, start);
            let begin = self.data.get(start..start + 16).unwrap_or_default();
            // The plain form shows by its first bytes that its minute is the same.
            if begin != before {
                let time = head::time(&self.data[start..end], plan.clock);
                if let Some(at) = time.map(|time| time.div_euclid(60_000)).filter(|at| *at != minute) {
                    minute = at;
                    self.minutes.push((minute, start));
                }
                if time.is_some() {
                    before = begin;
                }
            }
            start = end;
        }
        let window = plan.from.div_euclid(60_000)..=plan.to.div_euclid(60_000);
        self.minutes.retain(|(minute, _)| window.contains(minute));
    }

    /// Finds the records that hold what is sought: their places and heads.
    fn search(&mut self, plan: &Plan) -> Vec<(usize, Head)> {
        let mut hits = Vec::new();
        let mut at = self.begin;
        while let Some(found) = plan.needles.find(&self.data, at) {
            if found.start < self.leading {
                if self.is_sought(found, plan) && found.sought != Sought::Start {
                    self.leading_hit = true;
                    at = self.leading;
                } else {
                    at = found.start + 1;
                }
                continue;
            }
            if !self.is_sought(found, plan) {
                at = found.start + 1;
                continue;
            }
            let start = record_start(&self.data, found.start);
            let end = self.record_end(start);
            let Some(head) = head::read(self.line(start), plan.clock) else {
                at = end;
                continue;
            };
            if head.class == Class::Start {
                self.starts.push((start, head.source));
            }
            let inside = plan.holds(head.time);
            let outside = !inside && head.class == Class::Ledger;
            if found.sought == Sought::Start || inside || outside {
                let keep = Kept { start, end, joined: false, outside, text: (0, 0), gaps: (0, 0) };
                self.kept.push(keep);
                self.levels.insert(head.level);
                if found.sought != Sought::Start {
                    hits.push((start, head));
                }
                if head.class == Class::Ledger {
                    self.zone_samples.extend(zone_sample(self.line(start), plan.clock));
                }
            }
            at = end;
        }
        hits
    }

    fn is_sought(&self, found: Occurrence, plan: &Plan) -> bool {
        match found.sought {
            Sought::Id => true,
            Sought::EncodedUser => pseudonym::is_named_encoded(&self.data, found.start, &plan.needles.users),
            _ => {
                let line = &self.data[line_start(&self.data, found.start)..];
                let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
                let Some(line) = parse_line(line) else { return false };
                match found.sought {
                    Sought::Request => {
                        line.request.as_deref().is_some_and(|request| plan.needles.requests.contains(request))
                    }
                    Sought::Unnamed => match line.event().kind {
                        EventKind::Access(access) => plan
                            .needles
                            .wanted
                            .as_ref()
                            .is_some_and(|wanted| wanted.contains(&request_key(access.method, access.uri))),
                        _ => false,
                    },
                    _ => matches!(line.event().kind, EventKind::Starting | EventKind::Version(_)),
                }
            }
        }
    }

    /// Adds what belongs to the hits' requests.
    fn join(&mut self, hits: &[(usize, Head)], plan: &Plan) {
        self.index();
        let mut done: HashSet<usize> = HashSet::new();
        for (start, head) in hits {
            let (Some(request), Some(time)) = (head.request, head.time) else { continue };
            let outside = !plan.holds(Some(time));
            if let Class::Access(took) = head.class {
                self.join_access(*start, request, head.source, time, took, outside, plan, &mut done);
                continue;
            }
            match self.access_of(request, head.source, time, *start, plan.clock) {
                Some((access, ended, took)) => {
                    self.keep(access, outside);
                    self.join_access(access, request, head.source, ended, took, outside, plan, &mut done);
                }
                None if !self.starts_between(head.source, *start, self.data.len()) => {
                    self.aheads.push(Ahead { request, source: head.source, time });
                }
                None => {}
            }
        }
    }

    /// The first access line of a request behind a place whose time holds that one: its place, end and duration.
    pub fn access_of(
        &mut self,
        request: u64,
        source: u64,
        time: i64,
        behind: usize,
        clock: Clock,
    ) -> Option<(usize, i64, u64)> {
        self.index();
        let mut found = None;
        for start in self.index.as_ref()?.of_request(request) {
            if start < behind {
                break;
            }
            let Some(head) = head::read(self.line(start), clock) else { continue };
            if let (Class::Access(took), Some(ended)) = (head.class, head.time)
                && ended - took as i64 - ROUNDING_MS <= time
                && time <= ended + ROUNDING_MS
            {
                found = Some((start, ended, took));
            }
        }
        found.filter(|(access, ..)| !self.starts_between(source, behind, *access))
    }

    /// Adds the lines of a request in front of its access line.
    #[allow(clippy::too_many_arguments)]
    fn join_access(
        &mut self,
        access: usize,
        request: u64,
        source: u64,
        ended: i64,
        took: u64,
        outside: bool,
        plan: &Plan,
        done: &mut HashSet<usize>,
    ) {
        if !done.insert(access) {
            return;
        }
        let back = Back { request, source, from: ended - took as i64 - ROUNDING_MS, to: ended + ROUNDING_MS };
        for start in self.of_request(request, back.from, back.to, plan.clock) {
            let (low, high) = (start.min(access), start.max(access));
            if start != access && !self.starts_between(source, low, high) {
                self.keep(start, outside);
            }
        }
        let began_before = self.first_time.is_none_or(|first| back.from <= first);
        if began_before && !self.starts_between(source, 0, access) {
            self.backs.push(back);
        }
    }

    fn keep(&mut self, start: usize, outside: bool) {
        let end = self.record_end(start);
        self.kept.push(Kept { start, end, joined: true, outside, text: (0, 0), gaps: (0, 0) });
    }

    fn render(&mut self, plan: &Plan) {
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

/// Wall clock less epoch, of a ledger line that prints both.
fn zone_sample(line: &[u8], clock: Clock) -> Option<i64> {
    let at = memchr::memmem::rfind(line, b" at ")? + 4;
    let digits: &[u8] = line.get(at..)?;
    let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
    let epoch: i64 = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 13)?.parse().ok()?;
    let wall = head::time(line, Clock { zone_ms: 0, ..clock })?;
    Some(wall - epoch)
}

fn line(data: &[u8], start: usize) -> &[u8] {
    &data[start..line_end(data, start)]
}

fn line_start(data: &[u8], at: usize) -> usize {
    memchr::memrchr(b'\n', &data[..at]).map_or(0, |at| at + 1)
}

fn line_end(data: &[u8], start: usize) -> usize {
    memchr::memchr(b'\n', &data[start..]).map_or(data.len(), |at| start + at + 1)
}

/// Where the record begins that holds a place; one begins at or before it.
fn record_start(data: &[u8], at: usize) -> usize {
    let mut start = line_start(data, at);
    while start > 0 && !head::is_head(line(data, start)) {
        start = line_start(data, start - 1);
    }
    start
}

fn first_head(data: &[u8], begin: usize) -> usize {
    let mut start = begin;
    while start < data.len() && !head::is_head(line(data, start)) {
        start = line_end(data, start);
    }
    start
}

/// The last record's place, in a block that has one.
fn last_head(data: &[u8]) -> usize {
    record_start(data, data.len() - 1)
}

#[cfg(test)]
mod tests {
    use std::fs::{self, File};

    use super::*;
    use crate::feed::Feed;
    use crate::ids::Ids;

    fn plan() -> Plan {
        let ids = Ids { users: ["@alice:h".to_owned()].into(), ..Ids::default() };
        let (from, to) = (i64::MIN / 4, i64::MAX / 4);
        Plan { needles: Needles::new(&ids, None), clock: Clock::default(), from, to, latency: false }
    }

    fn line(second: u8, text: &str) -> String {
        format!("2026-11-23 08:36:{second:02},872 - a.b - 1 - INFO - GET-{second} - {text}\n")
    }

    /// The second of two blocks of a file.
    fn second_block(path: &std::path::Path, text: &str) -> Block {
        fs::write(path, text).unwrap();
        let feed: Feed<&[u8]> = Feed::of_file(File::open(path).unwrap(), text.len() as u64, text.len() / 2);
        feed.next(Vec::new()).unwrap().unwrap();
        scan(feed.next(Vec::new()).unwrap().unwrap(), &plan())
    }

    #[test]
    fn a_block_without_hits_gives_its_data_back_and_gets_it_again_unless_the_file_has_changed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        let text: String = (0..40).map(|second| line(second, "nothing")).collect();
        let mut block = second_block(&path, &text);
        let before = block.data.clone();
        assert!(block.release().is_some_and(|data| data == before) && block.data.is_empty());
        assert!(block.restore() && block.data == before);

        for changed in
            [text.replace("nothing\n", "nothing at all\n"), text[..text.len() - 100].to_owned(), String::new()]
        {
            let mut block = second_block(&path, &text);
            block.release().unwrap();
            fs::write(&path, changed).unwrap();
            assert!(!block.restore() && block.data.is_empty());
        }
    }

    #[test]
    fn a_block_with_hits_keeps_its_data() {
        let folder = tempfile::tempdir().unwrap();
        let text: String = (0..40).map(|second| line(second, "@alice:h")).collect();
        let mut block = second_block(&folder.path().join("x.log"), &text);
        assert!(block.release().is_none() && !block.data.is_empty() && block.restore());
    }
}

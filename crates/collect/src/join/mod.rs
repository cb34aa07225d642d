//! Takes blocks in their order, joins what belongs to one request across blocks, and gives the text to write.
//!
//! A block is held until no later line can belong to a request with lines in it. This look-back is bounded in bytes and in time.

pub(crate) mod latency;

use std::collections::{BTreeSet, HashSet, VecDeque};

use crypto_diag_server_log::{Class, LogLevel};

use crate::line_header as header;
use crate::redact::pseudonym::Names;
use crate::redact::render;
use crate::scan::{Block, LookAhead, LookBack, Plan};
use latency::Latency;

/// Blocks held for later joins: 20 MiB. The buffer pool has room for this many, so holding more would starve the readers, even if the
/// blocks were nearly empty.
pub const LOOK_BACK_BLOCKS: usize = 80;

/// Milliseconds of look-back at most. The longest usual request is `/sync`, which waits for half a minute.
pub const LOOK_BACK_MS: i64 = 2 * 60_000;

/// How many milliseconds later an access line may come.
pub const LOOK_AHEAD_MS: i64 = 2 * 60_000;

/// Requests that wait for their access line at the same time at most.
pub const OPEN_MAX: usize = 10_000;

/// Lines about one-time keys and devices from outside of the window that are kept per log at most, with the lines that join to them.
pub const LEDGER_OUTSIDE_MAX: u64 = 20_000;

/// Processes remembered at most.
const SOURCES_MAX: usize = 10_000;

/// What was found in one source.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Counts {
    /// Records that were kept.
    pub records: u64,
    /// Of those, the records that were kept only because of their request.
    pub joined: u64,
    /// Of those, lines about one-time keys and devices from outside of the window.
    pub ledger_outside: u64,
    /// Such lines that exceeded the bound and are left out.
    pub ledger_not_kept: u64,
    /// Requests that began before the oldest block that was held, so that lines of theirs may be missing.
    pub look_back_overflow: u64,
    /// Requests whose access line was not waited for, since too many were open.
    pub look_ahead_overflow: u64,
    /// Requests whose access line did not come.
    pub unanswered: u64,
    /// Starts of processes.
    pub starts: u64,
}

/// Puts the blocks of one source in order.
#[derive(Debug)]
pub(crate) struct Sequence<'a> {
    plan: &'a Plan,
    ring: VecDeque<Block>,
    /// The last time in blocks that are no longer held, in milliseconds since the epoch.
    gone: Option<i64>,
    open: Vec<LookAhead>,
    /// Whether the last record of those blocks was kept. Then the lines that continue it are kept as well.
    carry: bool,
    minutes: HashSet<i64>,
    /// Sources of which such a line was kept since their start.
    told: HashSet<u64>,
    any: bool,
    pub counts: Counts,
    pub first: Option<i64>,
    pub last: Option<i64>,
    pub levels: BTreeSet<LogLevel>,
    pub sources: BTreeSet<String>,
    pub zone_samples: Vec<i64>,
    pub latency: Latency,
    /// Text to be written.
    pub out: Vec<u8>,
}

impl<'a> Sequence<'a> {
    pub fn new(plan: &'a Plan) -> Self {
        Sequence {
            plan,
            ring: VecDeque::new(),
            gone: None,
            open: Vec::new(),
            carry: false,
            minutes: HashSet::new(),
            told: HashSet::new(),
            any: false,
            counts: Counts::default(),
            first: None,
            last: None,
            levels: BTreeSet::new(),
            sources: BTreeSet::new(),
            zone_samples: Vec::new(),
            latency: Latency::default(),
            out: Vec::new(),
        }
    }

    /// Takes the next block. Text that is complete is appended to `out`; buffers that are no longer needed are given back.
    pub fn push(&mut self, mut block: Block, names: &mut Names, free: &mut dyn FnMut(Vec<u8>)) {
        self.latency.add(&block.seen.latency);
        self.levels.append(&mut block.seen.levels);
        self.sources.append(&mut block.seen.sources);
        // A few samples are enough: all lines of a log agree, unless its zone changed.
        let room = 1000_usize.saturating_sub(self.zone_samples.len());
        self.zone_samples.extend(block.seen.zone_samples.drain(..).take(room));
        self.counts.starts += block.starts.iter().filter(|(at, _)| is_start(&block, *at, self.plan)).count() as u64;
        if let (Some(first), Some(last)) = (block.first_time, block.last_time) {
            self.first = Some(self.first.map_or(first, |known| known.min(first)));
            self.last = Some(self.last.map_or(last, |known| known.max(last)));
        }
        if block.leading_hit {
            self.keep_what_goes_on();
        }
        if block.last.is_some() && !self.any {
            self.any = true;
            block.late.insert(block.leading);
        }
        for (minute, at) in std::mem::take(&mut block.seen.minutes) {
            if self.minutes.len() < latency::MINUTES_MAX && self.minutes.insert(minute) {
                block.late.insert(at);
            }
        }
        self.keep_replications(&mut block);
        self.close(&mut block);
        for back in std::mem::take(&mut block.backs) {
            self.look_back(back);
        }
        self.open.append(&mut block.aheads);
        if self.open.len() > OPEN_MAX {
            self.counts.look_ahead_overflow += (self.open.len() - OPEN_MAX) as u64;
            self.open.truncate(OPEN_MAX);
        }
        let newest = block.last_time;
        self.ring.push_back(block);
        while self.ring.len() > 1 && (self.ring.len() > LOOK_BACK_BLOCKS || self.is_old(newest)) {
            self.let_go(names, free);
        }
    }

    /// Writes what is still held.
    pub fn finish(&mut self, names: &mut Names, free: &mut dyn FnMut(Vec<u8>)) {
        self.counts.unanswered += self.open.len() as u64;
        self.open.clear();
        if let Some(block) = self.ring.iter_mut().rev().find(|block| block.last.is_some()) {
            block.late.extend(block.last);
        }
        while !self.ring.is_empty() {
            self.let_go(names, free);
        }
    }

    /// Keeps the first line after each start of a process that shows that the process is one of several.
    fn keep_replications(&mut self, block: &mut Block) {
        let starts = block.starts.iter().map(|(at, source)| (*at, *source, true));
        let mut marks: Vec<_> =
            starts.chain(block.replications.iter().map(|(at, source)| (*at, *source, false))).collect();
        marks.sort_unstable();
        for (at, source, starts) in marks {
            if starts {
                self.told.remove(&source);
            } else if self.told.len() < SOURCES_MAX && self.told.insert(source) {
                block.late.insert(at);
            }
        }
    }

    fn is_old(&self, newest: Option<i64>) -> bool {
        let oldest = self.ring.front().and_then(|block| block.last_time);
        newest.zip(oldest).is_some_and(|(newest, oldest)| newest - oldest > LOOK_BACK_MS)
    }

    /// Keeps the last record, since a wanted id was found in a line that continues it.
    fn keep_what_goes_on(&mut self) {
        let Some(block) = self.ring.iter_mut().rev().find(|block| block.last.is_some()) else {
            // A rotated file may begin with continuation lines whose record is in no file.
            self.carry = true;
            return;
        };
        let Some(last) = block.last.filter(|_| block.restore()) else { return };
        let Some(head) = header::read(block.line(last), self.plan.period.clock) else { return };
        if !self.plan.period.holds(head.time) {
            return;
        }
        block.late.insert(last);
        let (Some(request), Some(time)) = (head.request, head.time) else { return };
        match head.class {
            Class::Access(_) => {}
            _ => self.open.push(LookAhead { request, source: head.source, time }),
        }
    }

    /// Finds the access lines of open requests in a block.
    fn close(&mut self, block: &mut Block) {
        // If the block's data can no longer be read, its lines are not found. Its starts of processes and its last time are known all the same.
        let asked = self.open.iter().any(|ahead| block.may_hold(ahead.request));
        if self.open.is_empty() || asked && !block.restore() {
            return;
        }
        let clock = self.plan.period.clock;
        let mut open = std::mem::take(&mut self.open);
        let mut backs = Vec::new();
        open.retain(|ahead| {
            if let Some(answer) = asked.then(|| block.answer_of(ahead, 0, clock)).flatten() {
                block.late.insert(answer.at);
                let back = answer.back();
                for start in block.of_request(&back, clock) {
                    if !block.starts_between(back.source, start.min(answer.at), start.max(answer.at)) {
                        block.late.insert(start);
                    }
                }
                backs.push(back);
                return false;
            }
            let restarted = block.starts_between(ahead.source, 0, usize::MAX)
                || block.starts.contains(&(block.begin, ahead.source));
            let late = block.last_time.is_some_and(|last| last - ahead.time > LOOK_AHEAD_MS);
            self.counts.unanswered += u64::from(restarted || late);
            !restarted && !late
        });
        self.open = open;
        backs.into_iter().for_each(|back| self.look_back(back));
    }

    /// Keeps the lines of a request in the blocks that are held.
    fn look_back(&mut self, back: LookBack) {
        let clock = self.plan.period.clock;
        for block in self.ring.iter_mut().rev() {
            if block.last_time.is_some_and(|last| last < back.from) {
                return;
            }
            if block.may_hold(back.request) {
                if !block.restore() {
                    self.counts.look_back_overflow += 1;
                    return;
                }
                for start in block.of_request(&back, clock) {
                    if !block.starts_between(back.source, start, usize::MAX) {
                        block.late.insert(start);
                    }
                }
            }
            let restarted = block.starts.iter().any(|(_, source)| *source == back.source);
            if restarted || block.first_time.is_some_and(|first| first < back.from) {
                return;
            }
        }
        self.counts.look_back_overflow += u64::from(self.gone.is_some_and(|gone| gone >= back.from));
    }

    /// Writes the oldest block and stops holding it.
    fn let_go(&mut self, names: &mut Names, free: &mut dyn FnMut(Vec<u8>)) {
        let Some(mut block) = self.ring.pop_front() else { return };
        self.gone = block.last_time.or(self.gone);
        for kept in &block.kept {
            block.late.remove(&kept.start);
        }
        let mut goes_on = self.carry && block.leading > block.begin;
        if (goes_on || !block.late.is_empty()) && !block.restore() {
            self.counts.look_back_overflow += 1;
            goes_on = false;
            block.late.clear();
        }
        if goes_on {
            self.render(&block, block.begin, block.leading, names);
        }
        let whole = block.late.is_empty() && !block.kept.iter().any(|kept| kept.outside);
        let mut last_kept = block.last.is_some_and(|last| block.late.contains(&last));
        if whole {
            names.fill(&block.rendered, (0, block.rendered.len()), &block.gaps, &mut self.out);
            self.counts.records += block.kept.len() as u64;
            self.counts.joined += block.kept.iter().filter(|kept| kept.joined).count() as u64;
            last_kept |= block.kept.last().is_some_and(|kept| Some(kept.start) == block.last);
        } else {
            let late: Vec<usize> = std::mem::take(&mut block.late).into_iter().collect();
            let mut late = late.into_iter().peekable();
            for index in 0..block.kept.len() {
                let kept = block.kept[index];
                while let Some(start) = late.next_if(|start| *start < kept.start) {
                    self.render(&block, start, block.record_end(start), names);
                    self.counts.joined += 1;
                }
                if kept.outside {
                    if self.counts.ledger_outside >= LEDGER_OUTSIDE_MAX {
                        self.counts.ledger_not_kept += 1;
                        continue;
                    }
                    self.counts.ledger_outside += 1;
                }
                let gaps = &block.gaps[kept.gaps.0..kept.gaps.1];
                names.fill(&block.rendered, kept.text, gaps, &mut self.out);
                self.counts.records += 1;
                self.counts.joined += u64::from(kept.joined);
                last_kept |= Some(kept.start) == block.last;
            }
            for start in late {
                self.render(&block, start, block.record_end(start), names);
                self.counts.joined += 1;
            }
        }
        if block.last.is_some() {
            self.carry = last_kept;
        }
        free(std::mem::take(&mut block.data));
    }

    fn render(&mut self, block: &Block, from: usize, to: usize, names: &mut Names) {
        let (mut text, mut gaps) = (Vec::new(), Vec::new());
        render(&block.data[from..to], &self.plan.needles.users, &mut text, &mut gaps);
        names.fill(&text, (0, text.len()), &gaps, &mut self.out);
        self.counts.records += 1;
    }
}

fn is_start(block: &Block, at: usize, plan: &Plan) -> bool {
    header::read(block.line(at), plan.period.clock).is_some_and(|head| head.class == Class::Start)
}

//! What a log says of the processes that wrote it: who they were, when they ran, and where the log has holes.

use crypto_diag_server_log::zone::Placement;

/// Synapse writes to its file at least every few seconds while it serves a client, whose `/sync` ends after 30 s at the latest.
const HOLE_MIN_MS: i64 = 45_000;

/// A gap is a hole where it is that many times longer than nine of ten distances between lines.
const HOLE_FACTOR: i64 = 5;

/// The share of distances that are usual.
const USUAL_SHARE: f64 = 0.9;

/// Gaps of one process that are kept to be judged, the longest ones.
const GAPS_MAX: usize = 2_000;

/// A line may be written this long after its time: Synapse's own file handler holds lines back for 5 s, and two processes may
/// write to one file.
pub const WRITTEN_WITHIN_MS: i64 = 10_000;

/// A request id that is below this share of the highest one is no slow request's: the count began anew.
const COUNT_ANEW: u64 = 2;

/// What it takes at least until a lower id is the count's beginning, and no request that was begun in parallel.
const PARALLEL_MS: i64 = 1_000;

/// One run of one process: from its start, or the file's beginning, to its end. Request ids count from 0 in every one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Process {
    /// The prefix, container or unit; empty where the log has none. Processes that share a file without one are told apart
    /// by nothing.
    pub source: String,
    /// Starts of that source seen before.
    pub run: u32,
    /// Whether the log shows it start.
    pub started: bool,
    /// Its name among the server's processes, as it says when it starts: `master` is the main one.
    pub instance: Option<String>,
    /// Whether it talks to other processes of the server.
    pub replicates: bool,
    /// Whether it wrote lines at INFO or below.
    pub shows_info: bool,
    /// Its first line's time.
    pub first: Option<i64>,
    /// Its last line's time.
    pub last: Option<i64>,
    /// Its longest request that is no sync, in milliseconds.
    pub longest_ms: i64,
    /// Times without a line that are far longer than it is used to be silent.
    pub holes: Vec<Hole>,
    gaps: Gaps,
}

/// A time without a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hole {
    /// The last line's time before it.
    pub from: i64,
    /// The first line's time behind it.
    pub to: i64,
    /// That line's number.
    pub line: u64,
}

/// A place where a file's times run backwards by more than lines are held back: the clock was set, summer time ended, or parts
/// of a file are in the wrong order.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Step {
    /// The number of the first line behind it.
    pub line: u64,
    /// By how much, in milliseconds.
    pub back_ms: i64,
}

/// Distances between lines.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
struct Gaps {
    /// Distances by length: bucket n holds those below 2 to the power of n milliseconds.
    buckets: Vec<u32>,
    long: Vec<Hole>,
}

impl Process {
    /// A run that has written nothing yet.
    pub(super) fn new(source: &str, run: u32, started: bool) -> Process {
        Process { source: source.to_owned(), run, started, ..Process::default() }
    }

    /// Whether the server consists of this process alone, as its start shows: it is the main one and set up none of the
    /// connections that workers need.
    pub fn is_whole_server(&self) -> bool {
        self.started && self.instance.as_deref() == Some("master") && !self.replicates
    }

    /// The first hole that reaches into a time.
    pub fn hole_within(&self, from: i64, to: i64) -> Option<Hole> {
        self.holes.iter().copied().find(|hole| hole.from < to && hole.to > from)
    }

    /// Notes a line's time.
    pub(super) fn wrote(&mut self, time: i64, line: u64) {
        if let Some(last) = self.last
            && time >= last
        {
            self.gaps.add(Hole { from: last, to: time, line });
        }
        self.first = Some(self.first.map_or(time, |first| first.min(time)));
        self.last = Some(self.last.map_or(time, |last| last.max(time)));
    }

    /// Judges the gaps, adds the times in which lines were lost, and puts every time in its place.
    pub(super) fn finish(&mut self, lost: &[Hole], placement: &Placement) {
        self.holes = self.gaps.holes();
        self.gaps = Gaps::default();
        let put = |time: &mut i64| *time = placement.place(*time);
        for hole in &mut self.holes {
            [&mut hole.from, &mut hole.to].into_iter().for_each(put);
        }
        // A stamp that got its year only then is no gap.
        self.holes.retain(|hole| hole.to - hole.from > HOLE_MIN_MS);
        self.holes.extend(lost.iter().map(|hole| Hole {
            from: placement.place(hole.from),
            to: placement.place(hole.to),
            line: hole.line,
        }));
        self.holes.sort_by_key(|hole| hole.line);
        self.first.iter_mut().chain(self.last.iter_mut()).for_each(put);
    }
}

impl Gaps {
    fn add(&mut self, gap: Hole) {
        let length = gap.to - gap.from;
        let bucket = (u64::BITS - (length as u64).leading_zeros()) as usize;
        if self.buckets.len() <= bucket {
            self.buckets.resize(bucket + 1, 0);
        }
        self.buckets[bucket] += 1;
        if length > HOLE_MIN_MS {
            self.long.push(gap);
            if self.long.len() > 2 * GAPS_MAX {
                self.shorten();
            }
        }
    }

    fn shorten(&mut self) {
        self.long.sort_by_key(|gap| gap.from - gap.to);
        self.long.truncate(GAPS_MAX);
    }

    fn holes(&mut self) -> Vec<Hole> {
        let count: u64 = self.buckets.iter().map(|count| u64::from(*count)).sum();
        let mut seen = 0;
        let usual = self.buckets.iter().position(|bucket| {
            seen += u64::from(*bucket);
            seen as f64 >= count as f64 * USUAL_SHARE
        });
        let usual = usual.map_or(0, |bucket| 1_i64 << bucket.min(40));
        self.shorten();
        self.long.retain(|gap| gap.to - gap.from > usual.saturating_mul(HOLE_FACTOR));
        self.long.sort_by_key(|gap| gap.line);
        std::mem::take(&mut self.long)
    }
}

/// The highest request id of a process so far.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct RequestCount {
    highest: Option<(u64, i64)>,
}

impl RequestCount {
    /// Whether the count of request ids begins anew with this request: the process was started again, or a second one writes
    /// to the same file. An id that is no count, as a gateway may give it, says nothing.
    pub fn begins_anew(&mut self, id: &str, start: i64) -> bool {
        let Some(number) = id.rsplit_once('-').and_then(|(_, number)| number.parse::<u64>().ok()) else { return false };
        let anew = self.highest.is_some_and(|(highest, at)| number < highest / COUNT_ANEW && start > at + PARALLEL_MS);
        if anew || self.highest.is_none_or(|(highest, _)| number >= highest) {
            self.highest = Some((number, start));
        }
        anew
    }
}

#[cfg(test)]
mod tests {
    use crypto_diag_server_log::zone::Times;

    use super::*;

    /// When the logs of these tests begin.
    const START: i64 = 1_795_422_963_000;

    fn process(times: impl IntoIterator<Item = i64>) -> Process {
        let mut process = Process::default();
        for (line, time) in (1..).zip(times) {
            process.wrote(START + time, line);
        }
        process.finish(&[], &Times::default().placement());
        process
    }

    #[test]
    fn a_gap_far_above_the_usual_distance_is_a_hole() {
        let hour = 3_600_000;
        let found = process((0..60).chain(480..540).map(|minute| minute * 60_000));
        assert_eq!(found.holes, [Hole { from: START + 59 * 60_000, to: START + 8 * hour, line: 61 }]);
        let within = |from: i64, to: i64| found.hole_within(START + from, START + to);
        assert!(within(hour, 2 * hour).is_some() && within(0, 59 * 60_000).is_none());
        assert_eq!(within(8 * hour, 9 * hour), None);
    }

    #[test]
    fn a_log_that_is_always_that_sparse_has_no_hole() {
        assert_eq!(process((0..40).map(|line| line * 600_000)).holes, []);
        // A client that waits for news lets a busy log fall silent for half a minute.
        assert_eq!(process((0..100).map(|line| line * 20).chain([32_000])).holes, []);
    }

    #[test]
    fn request_ids_that_begin_anew_tell_a_start_that_no_line_says() {
        let mut count = RequestCount::default();
        assert!(!count.begins_anew("GET-5000", 0));
        assert!(!count.begins_anew("POST-4990", 60_000), "a request whose body took a minute to come");
        assert!(!count.begins_anew("1c2f3a4b-9d", 60_000) && !count.begins_anew("sentinel", 60_000));
        assert!(count.begins_anew("GET-3", 60_000));
        assert!(!count.begins_anew("GET-4", 60_001));
    }
}

//! Times, and the one place that says which of two came first.
//!
//! A bare number of milliseconds says neither whose clock it was read from nor how exact it is. A [`Moment`] does both, and
//! [`Clocks::order`] is the only comparison between two of them: by the order of lines within one file, as long as their times
//! do not contradict it, by their times where
//! they are of one clock that was not set meanwhile, and else by what this client's own requests, which stand on both sides,
//! tell of the difference between the two clocks.

use std::cmp::Ordering;

use crypto_diag_analysis::sorted::distinct;

use crate::clock::Interval;

/// Whose clock a time was read from: that of an artefact's host.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Clock {
    /// The page of a report, by index.
    Page(usize),
    /// The browser of a HAR, by index.
    Har(usize),
    /// The process that wrote a server log, by index. Its zone may be assumed.
    Log(usize),
    /// The server, as its database's rows have it, in true milliseconds since the epoch.
    Database,
}

/// A time, with its clock and its uncertainty.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Moment {
    /// Whose clock.
    pub clock: Clock,
    /// The earliest that it can have been, in milliseconds since the epoch by that clock.
    pub earliest: i64,
    /// The latest.
    pub latest: i64,
    /// Its place within the file, where the file's order is that of what happened: a line's number.
    pub place: Option<u64>,
}

impl Moment {
    /// An exact time.
    pub fn at(clock: Clock, ms: i64) -> Moment {
        Moment { clock, earliest: ms, latest: ms, place: None }
    }

    /// A time that lies between two.
    pub fn between(clock: Clock, earliest: i64, latest: i64) -> Moment {
        Moment { clock, earliest, latest, place: None }
    }

    /// The same at a place within its file.
    pub fn in_place(self, place: u64) -> Moment {
        Moment { place: Some(place), ..self }
    }
}

/// The clocks of a case and what is known of their differences.
#[derive(Clone, Debug, Default)]
pub(crate) struct Clocks {
    nodes: Vec<Clock>,
    /// `bound[a][b]`: the most that b's clock is ahead of a's; [`UNBOUNDED`] where nothing bounds it.
    bound: Vec<Vec<i64>>,
    /// Clocks that were set while the artefacts were made: times of theirs do not compare.
    stepped: Vec<bool>,
}

const UNBOUNDED: i64 = i64::MAX / 8;

/// The threads of a process may print this much out of order, in milliseconds. Where lines and times contradict one another by
/// more, the clock was set, or parts of the file are in the wrong order.
const THREADS_MS: i64 = 100;

impl Clocks {
    /// Clocks out of what was measured between pairs of them: `(a, b, interval)` says that b's clock less a's lies in the
    /// interval. `set` are clocks that say of themselves that they were set.
    ///
    /// Each bound is an edge, and the tightest bound between two clocks is the shortest path: a system of difference
    /// constraints. A cycle of negative length means that no constant differences fit: a clock was set meanwhile.
    pub fn new(measured: &[(Clock, Clock, Interval)], set: &[Clock]) -> Clocks {
        let nodes = distinct(measured.iter().flat_map(|(a, b, _)| [*a, *b]).chain(set.iter().copied()));
        let count = nodes.len();
        let at = |clock: &Clock| nodes.binary_search(clock).unwrap_or_default();
        let is_set: Vec<bool> = nodes.iter().map(|clock| set.contains(clock)).collect();
        let mut bound = vec![vec![UNBOUNDED; count]; count];
        for (node, row) in bound.iter_mut().enumerate() {
            row[node] = 0;
        }
        for (a, b, interval) in measured {
            let (a, b) = (at(a), at(b));
            if is_set[a] || is_set[b] {
                continue;
            }
            if interval.high < Interval::ALL.high {
                bound[a][b] = bound[a][b].min(interval.high);
            }
            if interval.low > Interval::ALL.low {
                bound[b][a] = bound[b][a].min(-interval.low);
            }
        }
        for middle in 0..count {
            for from in 0..count {
                for to in 0..count {
                    if bound[from][middle] < UNBOUNDED && bound[middle][to] < UNBOUNDED {
                        let way = bound[from][middle] + bound[middle][to];
                        if way < bound[from][to] {
                            // A negative cycle would shrink without end.
                            bound[from][to] = way.max(-UNBOUNDED);
                        }
                    }
                }
            }
        }
        let stepped = (0..count).map(|node| is_set[node] || bound[node][node] < 0).collect();
        Clocks { nodes, bound, stepped }
    }

    /// How far clock `b` is ahead of clock `a`; open ends where nothing bounds them. `None` if one of them was set meanwhile.
    pub fn ahead(&self, a: Clock, b: Clock) -> Option<Interval> {
        if a == b {
            return (!self.is_stepped(a)).then_some(Interval { low: 0, high: 0 });
        }
        let (Ok(from), Ok(to)) = (self.nodes.binary_search(&a), self.nodes.binary_search(&b)) else {
            return Some(Interval::ALL);
        };
        if self.stepped[from] || self.stepped[to] {
            return None;
        }
        let (high, low) = (self.bound[from][to], self.bound[to][from]);
        Some(Interval {
            low: if low < UNBOUNDED { -low } else { Interval::ALL.low },
            high: if high < UNBOUNDED { high } else { Interval::ALL.high },
        })
    }

    /// Whether a clock was set while the artefacts were made.
    pub fn is_stepped(&self, clock: Clock) -> bool {
        self.nodes.binary_search(&clock).is_ok_and(|node| self.stepped[node])
    }

    /// A moment by another clock; `None` if one of the clocks was set meanwhile. Ends may be open.
    pub fn by(&self, moment: Moment, clock: Clock) -> Option<Moment> {
        let ahead = self.ahead(moment.clock, clock)?;
        Some(Moment::between(
            clock,
            moment.earliest.saturating_add(ahead.low),
            moment.latest.saturating_add(ahead.high),
        ))
    }

    /// Which of two moments came first; `None` where nothing tells.
    pub fn order(&self, one: Moment, other: Moment) -> Option<Ordering> {
        if one.clock == other.clock
            && let (Some(first), Some(second)) = (one.place, other.place)
        {
            let by_lines = first.cmp(&second);
            let backwards = match by_lines {
                Ordering::Less => one.earliest.saturating_sub(other.latest),
                Ordering::Greater => other.earliest.saturating_sub(one.latest),
                Ordering::Equal => 0,
            };
            return (backwards <= THREADS_MS).then_some(by_lines);
        }
        let one = self.by(one, other.clock)?;
        if one.latest < other.earliest {
            Some(Ordering::Less)
        } else if one.earliest > other.latest {
            Some(Ordering::Greater)
        } else {
            None
        }
    }

    /// Whether one moment came before another for certain.
    pub fn is_before(&self, one: Moment, other: Moment) -> bool {
        self.order(one, other) == Some(Ordering::Less)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PAGE: Clock = Clock::Page(0);
    const HAR: Clock = Clock::Har(0);
    const LOG: Clock = Clock::Log(0);
    const WORKER: Clock = Clock::Log(1);

    fn interval(low: i64, high: i64) -> Interval {
        Interval { low, high }
    }

    #[test]
    fn differences_add_up_along_the_tightest_way() {
        let clocks = Clocks::new(
            &[
                (PAGE, HAR, interval(0, 0)),
                (HAR, LOG, interval(90, 110)),
                (HAR, LOG, interval(95, 200)),
                (LOG, WORKER, interval(-1_000, 1_000)),
            ],
            &[],
        );
        assert_eq!(clocks.ahead(PAGE, LOG), Some(interval(95, 110)));
        assert_eq!(clocks.ahead(LOG, PAGE), Some(interval(-110, -95)));
        assert_eq!(clocks.ahead(PAGE, WORKER), Some(interval(-905, 1_110)));
    }

    #[test]
    fn one_bound_is_enough_to_say_what_came_before_it() {
        let clocks = Clocks::new(&[(PAGE, LOG, interval(5, Interval::ALL.high))], &[]);
        let page = Moment::at(PAGE, 1_000);
        assert!(clocks.is_before(Moment::at(LOG, 1_004), page));
        assert_eq!(clocks.order(Moment::at(LOG, 9_000), page), None, "the page's clock may be hours behind");
    }

    #[test]
    fn a_clock_that_was_set_compares_with_nothing() {
        let contradiction = [(PAGE, LOG, interval(0, 10)), (PAGE, LOG, interval(3_600_000, 3_600_010))];
        let clocks = Clocks::new(&contradiction, &[]);
        assert!(clocks.is_stepped(PAGE) && clocks.is_stepped(LOG));
        assert_eq!(clocks.order(Moment::at(PAGE, 0), Moment::at(LOG, 9_000_000)), None);
        let said = Clocks::new(&[(PAGE, LOG, interval(0, 10)), (LOG, WORKER, interval(0, 0))], &[PAGE]);
        assert_eq!(said.order(Moment::at(PAGE, 0), Moment::at(PAGE, 5)), None, "times on both sides of the step");
        assert!(said.is_before(Moment::at(LOG, 0), Moment::at(WORKER, 1)), "the server's clocks are good");
    }

    #[test]
    fn within_a_file_the_order_of_lines_outranks_their_times() {
        let clocks = Clocks::default();
        let (first, second) = (Moment::at(LOG, 500).in_place(1), Moment::at(LOG, 400).in_place(2));
        assert_eq!(clocks.order(first, second), Some(Ordering::Less));
    }

    #[test]
    fn lines_whose_times_run_backwards_have_no_order() {
        let clocks = Clocks::new(&[], &[LOG]);
        let claimed = Moment::at(LOG, 60_000).in_place(1);
        let set_back = Moment::at(LOG, 20_000).in_place(2);
        assert_eq!(clocks.order(claimed, set_back), None, "the clock was set, or an older file was appended");
        assert_eq!(clocks.order(set_back, claimed), None);
        let later = Moment::at(LOG, 70_000).in_place(3);
        assert_eq!(clocks.order(claimed, later), Some(Ordering::Less), "lines and times agree");
    }
}

//! One time for all artefacts: how far the server's clock is ahead of a client's.

use std::collections::HashMap;

use serde::Serialize;

use crate::har::Har;
use crate::synapse_log::{Access, ServerLog};

/// Printed times are cut to milliseconds on both sides, and Synapse prints a line a little after the answer is out.
const SLACK_MS: i64 = 5;

/// A range of milliseconds, both ends included: the server's clock less the client's lies in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Interval {
    /// The least.
    pub low: i64,
    /// The most.
    pub high: i64,
}

impl Interval {
    /// Everything.
    pub const ALL: Interval = Interval { low: i64::MIN / 4, high: i64::MAX / 4 };

    /// The middle, for what needs one number.
    pub fn middle(self) -> i64 {
        self.low + (self.high - self.low) / 2
    }

    /// Whether both ends are known.
    pub fn is_bounded(self) -> bool {
        self.low > Self::ALL.low && self.high < Self::ALL.high
    }
}

/// What several intervals allow together; `None` if they contradict one another, or leave an end open.
pub fn agreed(intervals: impl IntoIterator<Item = Interval>) -> Option<Interval> {
    let all = intervals
        .into_iter()
        .fold(Interval::ALL, |all, one| Interval { low: all.low.max(one.low), high: all.high.min(one.high) });
    (all.is_bounded() && all.low <= all.high).then_some(all)
}

/// What one request that is the same on both sides says: it was not received before it was sent, and not answered after
/// the answer came.
///
/// ```
/// use crypto_diag_triage::clock::{Interval, of_request};
///
/// // Sent at 1000, answered at 1100; received at 1510, answered at 1580: the server is 480 to 510 ms ahead.
/// let interval = of_request((1_000, 1_100), (1_510, 1_580));
/// assert_eq!(interval, Interval { low: 480 - 5, high: 510 + 5 });
/// ```
pub fn of_request(client: (i64, i64), server: (i64, i64)) -> Interval {
    Interval {
        low: server.1.saturating_sub(client.1).saturating_sub(SLACK_MS),
        high: server.0.saturating_sub(client.0).saturating_add(SLACK_MS),
    }
}

/// Intervals out of the requests that stand exactly once in a HAR and exactly once in a log, answered alike. A gateway's
/// own answer, and one that the client did not wait for, say nothing.
pub fn of_requests(har: &Har, log: &ServerLog) -> Vec<Interval> {
    let mut ours: HashMap<u64, Option<(i64, i64, u16)>> = HashMap::new();
    for exchange in &har.entries {
        let seen = Some((exchange.start, exchange.end(), exchange.status));
        ours.entry(exchange.key()).and_modify(|seen| *seen = None).or_insert(seen);
    }
    let mut theirs: HashMap<u64, Option<&Access>> = HashMap::new();
    for access in &log.accesses {
        if ours.contains_key(&access.key) {
            theirs.entry(access.key).and_modify(|seen| *seen = None).or_insert(Some(access));
        }
    }
    let mut intervals = Vec::new();
    for (key, client) in &ours {
        let (Some((start, end, status)), Some(Some(access))) = (client, theirs.get(key)) else { continue };
        if *status == access.status && access.finished {
            intervals.push(of_request((*start, *end), (access.start, access.end)));
        }
    }
    intervals
}

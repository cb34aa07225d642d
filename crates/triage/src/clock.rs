//! One time for all artefacts: how far the server's clock is ahead of a client's.

use std::collections::HashMap;

use crypto_diag_core::ServerMinusPage;
use serde::Serialize;

use crate::har::{Exchange, Har};
use crate::synapse_log::{Access, OwnId, ServerLog};

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

    /// What lies in both; `None` if nothing does.
    pub fn and(self, other: Interval) -> Option<Interval> {
        let both = Interval { low: self.low.max(other.low), high: self.high.min(other.high) };
        (both.low <= both.high).then_some(both)
    }

    /// The same with both ends that much further apart.
    pub fn widened(self, ms: i64) -> Interval {
        Interval {
            low: self.low.saturating_sub(ms).max(Self::ALL.low),
            high: self.high.saturating_add(ms).min(Self::ALL.high),
        }
    }

    /// Whether both ends are known.
    pub fn is_bounded(self) -> bool {
        self.low > Self::ALL.low && self.high < Self::ALL.high
    }
}

/// What several intervals allow together; `None` if they contradict one another, or leave an end open.
pub fn agreed(intervals: impl IntoIterator<Item = Interval>) -> Option<Interval> {
    let all = intervals.into_iter().try_fold(Interval::ALL, Interval::and)?;
    all.is_bounded().then_some(all)
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

/// What a report says of its server's clock: the page read its own clock before the server stamped an event, and again after.
pub fn of_events(found: ServerMinusPage) -> Interval {
    Interval { low: found.low, high: found.high }.widened(SLACK_MS)
}

/// Requests by which a HAR and a log are aligned at least: one may be another's by chance, and a single one cannot show that
/// a clock was set meanwhile.
pub const PAIRS_MIN: usize = 2;

/// Intervals, each with when its request was made by the client's clock, out of the requests that carry an id of the client's own,
/// stand exactly once in a HAR and exactly once in a log, and were answered alike. Empty where there are fewer than
/// [`PAIRS_MIN`]. A sync's token is its user's only together with the user. A gateway's own answer, and one that the client did
/// not wait for, say nothing.
pub fn of_requests(har: &Har, log: &ServerLog) -> Vec<(i64, Interval)> {
    let user_id = har.device().map(|(user_id, _)| user_id.to_owned()).or_else(|| har.user());
    let mut ours: HashMap<u64, Option<(OwnId, &Exchange)>> = HashMap::new();
    for exchange in &har.entries {
        let Some(id) = OwnId::of(&exchange.uri) else { continue };
        ours.entry(exchange.key()).and_modify(|seen| *seen = None).or_insert(Some((id, exchange)));
    }
    let mut theirs: HashMap<u64, Option<&Access>> = HashMap::new();
    for access in &log.accesses {
        if ours.contains_key(&access.key) {
            theirs.entry(access.key).and_modify(|seen| *seen = None).or_insert(Some(access));
        }
    }
    let mut intervals = Vec::new();
    for (key, client) in &ours {
        let (Some((id, exchange)), Some(Some(access))) = (client, theirs.get(key)) else { continue };
        let same_user = match (user_id.as_deref(), log.user(access)) {
            (Some(ours), Some(theirs)) => ours == theirs,
            _ => *id != OwnId::Since,
        };
        if same_user && exchange.status == access.status && access.finished {
            let interval = of_request((exchange.start, exchange.end()), (access.start, access.end));
            intervals.push((exchange.start, interval));
        }
    }
    if intervals.len() < PAIRS_MIN { Vec::new() } else { intervals }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synapse_log::LogOptions;

    const SYNC: &str = "/_matrix/client/v3/sync?since=s";

    fn har(user: &str, uris: &[&str]) -> Har {
        let own = format!("/_matrix/client/v3/user/{user}/filter/0");
        let entries = uris.iter().copied().chain([own.as_str()]);
        let exchange = |uri: &str| Exchange::new("GET", uri, 1_795_422_963_000, 900.0, 200);
        Har { entries: entries.map(exchange).collect(), ..Har::default() }
    }

    fn log(user: &str, uris: &[&str]) -> ServerLog {
        let line = |uri: &&str| {
            format!(
                "2026-11-23 08:36:03,500 - synapse.access.http.8008 - 643 - INFO - GET-1 - 1 - 8008 - {{{user}}} Processed request: 0.100sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 5B 200 \"GET {uri} HTTP/1.1\" \"UA\" [0 dbevts]\n"
            )
        };
        let text: String = uris.iter().map(line).collect();
        ServerLog::read("log", text.as_bytes(), &LogOptions::default())
    }

    fn pairs(har: &Har, log: &ServerLog) -> usize {
        of_requests(har, log).len()
    }

    #[test]
    fn requests_without_an_id_of_the_clients_own_align_nothing() {
        let daily = [
            "/_matrix/client/versions",
            "/_matrix/client/v3/capabilities",
            "/_matrix/client/v3/pushrules/",
            "/_matrix/client/v3/voip/turnServer",
        ];
        assert_eq!(pairs(&har("@a:h", &daily), &log("@a:h", &daily)), 0);
    }

    #[test]
    fn a_sync_token_counts_only_with_its_user_and_not_alone() {
        let (one, two) = (format!("{SYNC}1"), format!("{SYNC}2"));
        let both = [one.as_str(), two.as_str()];
        assert_eq!(pairs(&har("@a:h", &both), &log("@a:h", &both)), 2);
        assert_eq!(pairs(&har("@a:h", &both), &log("@b:h", &both)), 0, "another user at the same position");
        assert_eq!(pairs(&har("@a:h", &both), &log("None", &both)), 0, "a line that names nobody");
        assert_eq!(pairs(&har("@a:h", &both), &log("@a:h", &both[..1])), 0, "one request alone");
        assert_eq!(pairs(&har("@a:h", &both), &log("@a:h", &[both[0], both[0], both[1]])), 0, "one of them twice");
    }

    #[test]
    fn a_transaction_needs_no_user_but_not_another_one() {
        let sent = [
            "/_matrix/client/v3/sendToDevice/m.room.encrypted/t1",
            "/_matrix/client/v3/sendToDevice/m.room.encrypted/t2",
        ];
        assert_eq!(pairs(&har("@a:h", &sent), &log("None", &sent)), 2);
        assert_eq!(pairs(&har("@a:h", &sent), &log("@b:h", &sent)), 0);
    }
}

//! How quick the homeserver was at the time of a failure, as evidence: beside a verdict, and no premise of any.

use super::Case;
use crate::latency::{MinuteOfAnswer, Pace, widest};
use crate::moment::{Clock, Moment};
use crate::problem::Place;
use crate::stamp;
use crate::synapse_log::Route;
use crate::verdict::{ClockOf, Evidence};

/// From how long on a minute is slow at the 99th percentile, in milliseconds: the client waits for a restart of a delayed event for some
/// seconds.
pub(crate) const SLOW_MS: f64 = 1_000.0;

impl Case<'_> {
    /// How quick the homeserver was in the minutes between two moments of a page's clock, a piece for each artefact that says it: about
    /// delayed events, about all routes but syncs, and about each other route that was slow.
    pub fn paced(&self, from: Moment, to: Moment) -> Vec<Evidence> {
        // Reports alone say nothing of it, so the page's module is built without what reads it.
        if cfg!(not(feature = "artefacts")) {
            return Vec::new();
        }
        widest(self.bundle).filter_map(|pace| self.paced_by(&pace, from, to)).collect()
    }

    fn paced_by(&self, pace: &Pace<'_>, from: Moment, to: Moment) -> Option<Evidence> {
        let clock = pace.log.map_or(Clock::Database, Clock::Log);
        let is_bounded = self.clocks.ahead(from.clock, clock)?.is_bounded();
        // Where nothing measures the difference of the clocks, the piece says so.
        let (from, to) =
            if is_bounded { (self.clocks.by(from, clock)?, self.clocks.by(to, clock)?) } else { (from, to) };
        let is_of_time = |minute: &&MinuteOfAnswer| minute.touches(from.earliest, to.latest);
        let slowest = |minutes: &[MinuteOfAnswer]| {
            minutes.iter().filter(is_of_time).max_by(|one, other| one.p99_ms.total_cmp(&other.p99_ms)).cloned()
        };
        let routes = pace.routes.iter().filter_map(|(route, minutes)| Some((*route, slowest(minutes)?)));
        let told = routes.filter(|(route, slow)| *route == Route::DelayedEvent || slow.p99_ms >= SLOW_MS);
        let mut texts: Vec<String> = told.map(|(route, slow)| text(route.name(), &slow)).collect();
        texts.push(text("all but syncs", &slowest(&pace.all)?));
        let clocks = if is_bounded { "" } else { ", if the page's clock was right" };
        let says = format!(
            "how quick the homeserver was in the slowest minute of that time{clocks}; it says nothing of the one request"
        );
        Some(Evidence::new(pace.name, Place::Whole, None, ClockOf::Server, &texts.join("; "), says))
    }
}

/// `delayed_events: 900 ms at the 99th percentile, median 5 ms of 12 requests, in the minute of 2026-11-23 22:54:00`.
fn text(what: &str, slow: &MinuteOfAnswer) -> String {
    let rest = match (slow.median_ms, slow.requests) {
        (Some(median), Some(requests)) => format!(", median {median} ms of {requests} requests"),
        _ => String::new(),
    };
    format!("{what}: {} ms at the 99th percentile{rest}, in the minute of {}", slow.p99_ms, stamp::print(slow.at))
}

#[cfg(test)]
mod tests {
    use crate::Triage;
    use crate::conclusion::Conclusion;
    use crate::history::History;

    fn recorded() -> History {
        History::recorded("slow-homeserver", "a slow homeserver")
    }

    /// What is quoted beside the verdict that the homeserver was slow, and whether that is proven.
    fn quoted(history: &History, of: &str) -> (Vec<String>, bool) {
        let triage = Triage::of(&history.bundle());
        let verdict = triage.verdicts.iter().find(|verdict| verdict.conclusion == Conclusion::SlowHomeserver);
        let verdict = verdict.expect("a verdict");
        let pieces =
            verdict.evidence.iter().filter(|piece| piece.says.starts_with("how quick") && *piece.artefact == *of);
        (pieces.map(|piece| piece.quote.to_string()).collect(), verdict.is_proven())
    }

    #[test]
    fn a_log_says_beside_the_verdict_how_quick_delayed_events_were_at_that_time() {
        let (quotes, proven) = quoted(&recorded(), "homeserver.log.txt");
        let [quote] = &quotes[..] else { panic!("{quotes:?}") };
        assert!(proven && quote.starts_with("delayed_events: "), "{quote}");
        assert!(quote.contains("at the 99th percentile, median ") && quote.contains(" 22:54:00"), "{quote}");
    }

    #[test]
    fn what_prometheus_says_of_that_time_stands_in_place_of_a_slice_and_proves_nothing() {
        let (_, proven) = quoted(&recorded(), "");
        let prometheus = |minute: &str, value: &str| {
            let at = minute.parse::<jiff::Timestamp>().expect("a time").as_second();
            let answer = format!(
                r#"{{"status":"success","data":{{"resultType":"matrix","result":[
                    {{"metric":{{"servlet":"RestartDelayedEventServlet"}},"values":[[{at},"{value}"]]}},
                    {{"metric":{{"servlet":"KeyQueryServlet"}},"values":[[{at},"0.004"]]}}]}}}}"#
            );
            recorded().file("prometheus.json", answer)
        };
        let day = recorded_day();
        let (quotes, still) = quoted(&prometheus(&format!("{day}T22:54:30Z"), "3.5"), "prometheus.json");
        assert_eq!(still, proven);
        assert!(
            quotes[0].starts_with("delayed_events: 3500 ms at the 99th percentile, in the minute of"),
            "{quotes:?}"
        );
        assert!(!quotes[0].contains("keys/query"), "it was quick: {quotes:?}");
        assert!(quoted(&prometheus(&format!("{day}T22:54:30Z"), "3.5"), "homeserver.log.txt").0.is_empty());
        assert!(
            quoted(&prometheus(&format!("{day}T02:00:00Z"), "3.5"), "prometheus.json").0.is_empty(),
            "another time"
        );
        let triage = Triage::of(&prometheus(&format!("{day}T22:54:30Z"), "3.5").bundle());
        let lane = triage.timeline.lanes.iter().find(|lane| lane.name.contains("slow minutes of delayed_events"));
        let lane = lane.expect("a lane");
        let [span] = &lane.spans[..] else { panic!("{lane:?}") };
        assert_eq!((lane.trouble, span.text.as_str()), (true, "3500 ms"));
        assert!(span.from >= triage.timeline.from && span.to <= triage.timeline.to, "{lane:?}");
        assert!(!triage.timeline.lanes.iter().any(|lane| lane.name.contains("slow minutes of keys/query")));
    }

    /// The day on which the bundle was recorded, as its log says.
    fn recorded_day() -> String {
        let history = recorded();
        let log = &history.files.iter().find(|(name, _)| name == "homeserver.log.txt").expect("a log").1;
        let text = String::from_utf8_lossy(log);
        text.lines().find(|line| line.contains(" 22:54:")).and_then(|line| line.get(..10)).expect("a day").to_owned()
    }
}

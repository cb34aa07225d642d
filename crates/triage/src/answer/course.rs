//! How it went on: whether the reports are of one time, whether refusals heal or loop, and how quick the server was, minute by minute.
//! None of that is proof of anything.

use crypto_diag_analysis::facts::Conflict;
use crypto_diag_core::{Ke, Meaning};
use serde::Serialize;

use super::overlap::{Overlaps, overlaps};
use crate::case::requests::Times;
use crate::case::watch::Sought;
use crate::case::{Case, Page};
use crate::latency::{MinuteOfAnswer, paces};
use crate::moment::Moment;
use crate::stamp;
use crate::timeline::Timeline;

/// Minutes of one artefact that an answer gives at most, the slowest of them.
const MINUTES_MAX: usize = 60;

/// How it went on.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Course {
    /// Whether the reports of different devices are of one time.
    pub overlaps: Overlaps,
    /// The refusals of one-time keys, a storm for each page.
    pub storms: Vec<Storm>,
    /// The server's latency without any form of sync, by artefact.
    pub latency: Vec<Pace>,
    /// What browsers measured of their requests, by page.
    pub requests: Vec<Measured>,
}

impl Course {
    /// A sentence for each pair of reports, each storm, each artefact and each browser. Ids in them may be hostile: show them as text.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        let storms = self.storms.iter().map(|storm| &*storm.says);
        let latency = self.latency.iter().map(|pace| &*pace.says);
        self.overlaps
            .sentences()
            .chain(storms)
            .chain(latency)
            .chain(self.requests.iter().map(|measured| &*measured.says))
    }
}

/// The refusals that a page saw. Times are the page's, in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Storm {
    /// The device, or the report's name.
    pub of: String,
    /// Refusals that the page counted, kept or not.
    pub count: u64,
    /// Key ids that were refused.
    pub keys: usize,
    /// The first refusal that was kept.
    pub first: u64,
    /// The last.
    pub last: u64,
    /// One key was refused again and again.
    pub looping: bool,
    /// Whether it was over when the report was made; null where that cannot be told.
    pub healed: Option<bool>,
    /// All that as a sentence.
    pub says: String,
}

/// How quick the server was.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Pace {
    /// The artefact's name.
    pub of: String,
    /// The minutes of all routes together, in order; the slowest ones where there are many.
    pub minutes: Vec<MinuteOfAnswer>,
    /// The same by route.
    pub routes: Vec<RouteMinutes>,
    /// The slowest of them as a sentence.
    pub says: String,
}

/// How quick the server was about one route.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RouteMinutes {
    /// The route, such as `keys/query`, or `other`.
    pub route: &'static str,
    /// The minutes, in order; the slowest ones where there are many.
    pub minutes: Vec<MinuteOfAnswer>,
}

/// What a browser measured of its page's requests to the homeserver. A request that still went on is not among them, nor, in some
/// browsers, one that failed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Measured {
    /// The device, or the report's name.
    pub of: String,
    /// The routes that it asked for.
    pub routes: Vec<RouteTimes>,
    /// All that as a sentence.
    pub says: String,
}

/// The requests to one route. Times are milliseconds from asking to the answer's end: the browser's own queue, the way, gateways
/// and the server together.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct RouteTimes {
    /// The route's template, such as `keys/query`.
    pub route: &'static str,
    /// Requests, answered or not.
    pub requests: u64,
    /// Half of the answers took this long at most; null if there was none.
    pub median_ms: Option<u64>,
    /// The answer that took longest.
    pub longest_ms: Option<u64>,
    /// Answers with a status of 400 to 499.
    pub refused: u64,
    /// Answers with a status of 500 or more.
    pub failed: u64,
    /// Requests without an answer.
    pub unanswered: u64,
}

/// How the matter of a case went on, within the picture's time.
pub(crate) fn course(case: &Case<'_>, timeline: &Timeline) -> Course {
    let is_shown = |minute: &MinuteOfAnswer| minute.touches(timeline.from, timeline.to);
    Course {
        overlaps: overlaps(case),
        storms: case.pages.iter().filter_map(|page| storm(case, page)).collect(),
        latency: paces(case.bundle).filter_map(|pace| told(pace, is_shown)).collect(),
        requests: case.pages.iter().filter_map(|page| measured(case, page)).collect(),
    }
}

fn measured(case: &Case<'_>, page: &Page) -> Option<Measured> {
    let times = Times::of(case.report(page).requests.as_ref()?.rows.iter());
    let texts: Vec<String> = times.iter().map(Times::text).collect();
    let of = case.label(page);
    let says = format!(
        "The browser of {of} measured, its own queue, the way, gateways and the server together: {}. A request that still went on is \
         not among them.",
        texts.join("; ")
    );
    let routes = times.into_iter().map(|times| RouteTimes {
        route: times.route.template(),
        requests: times.requests,
        median_ms: times.median_ms,
        longest_ms: times.longest_ms,
        refused: times.refused,
        failed: times.failed,
        unanswered: times.unanswered,
    });
    (!texts.is_empty()).then(|| Measured { of, routes: routes.collect(), says })
}

fn storm(case: &Case<'_>, page: &Page) -> Option<Storm> {
    let conflicts = &case.readings[page.report].facts.conflicts;
    let first = conflicts.iter().map(|conflict| conflict.first_ts.0).min()?;
    let last = conflicts.iter().map(|conflict| conflict.last_ts.0).max()?;
    let kept: u64 = conflicts.iter().map(|conflict| conflict.count).sum();
    let count = case.report(page).tally(Ke::Ke1.id(), Meaning::Failure).max(kept);
    let looping = conflicts.iter().any(|conflict| conflict.looping);
    let healed = healed(case, page, conflicts, last);
    let of = case.label(page);
    let print = |ms: u64| stamp::print(i64::try_from(ms).unwrap_or(i64::MAX));
    let times = match count {
        1 => format!("once, at {}", print(first)),
        count => format!("{count} times, from {} to {}", print(first), print(last)),
    };
    let what = match (looping, conflicts.len()) {
        (true, 1) => " It is a loop: one key is refused again and again.".to_owned(),
        (true, keys) => format!(" It is a loop over {keys} keys."),
        (false, 1) => String::new(),
        (false, keys) => format!(" They were about {keys} keys."),
    };
    let end = match healed {
        Some(true) => "It healed: the page, awake and in sync, saw none until its report.",
        Some(false) => "It went on until the report was made.",
        None => "Whether it has stopped cannot be told.",
    };
    let says = format!("The server refused one-time keys of {of} {times}, by the page's clock.{what} {end}");
    Some(Storm { of, count, keys: conflicts.len(), first, last, looping, healed, says })
}

/// Whether refusals had stopped: the report says so, and would have shown another one.
fn healed(case: &Case<'_>, page: &Page, conflicts: &[Conflict], last: u64) -> Option<bool> {
    let said = conflicts.first()?.healed?;
    if !said {
        return Some(false);
    }
    let last = Moment::at(page.clock(), i64::try_from(last).ok()?);
    let (_, made) = page.watched(case.report(page))?;
    let shown = case.could_have_shown(page, Sought::Failure(Ke::Ke1), Some((last, made))).is_ok();
    (shown && case.was_awake(page, last, made)).then_some(true)
}

fn told(pace: crate::latency::Pace<'_>, is_shown: impl Fn(&MinuteOfAnswer) -> bool) -> Option<Pace> {
    let shown = |minutes: Vec<MinuteOfAnswer>| slowest(minutes.into_iter().filter(|minute| is_shown(minute)).collect());
    let (minutes, slow) = shown(pace.all)?;
    let rest = match (slow.median_ms, slow.requests) {
        (Some(median), Some(requests)) => format!(" (median {median} ms, {requests} requests)"),
        _ => String::new(),
    };
    let routes = pace.routes.into_iter().filter_map(|(route, minutes)| Some((route.name(), shown(minutes)?)));
    let routes: Vec<(&str, (Vec<MinuteOfAnswer>, MinuteOfAnswer))> = routes.collect();
    let by_route = match &routes[..] {
        [] => String::new(),
        routes => {
            let text = |(route, (_, slow)): &(&str, (Vec<MinuteOfAnswer>, MinuteOfAnswer))| {
                format!("{route} {} ms ({})", slow.p99_ms, stamp::print(slow.at))
            };
            format!(" The slowest minute of each route: {}.", routes.iter().map(text).collect::<Vec<_>>().join(", "))
        }
    };
    let says = format!(
        "By {} the server was slowest in the minute of {}: {} ms at the 99th percentile, without syncs{rest}.{by_route} It does \
         not show how long any one request took.",
        pace.name,
        stamp::print(slow.at),
        slow.p99_ms
    );
    let routes = routes.into_iter().map(|(route, (minutes, _))| RouteMinutes { route, minutes }).collect();
    Some(Pace { of: pace.name.to_owned(), minutes, routes, says })
}

/// The slowest minutes in their order, and the slowest of all; `None` of none.
fn slowest(mut minutes: Vec<MinuteOfAnswer>) -> Option<(Vec<MinuteOfAnswer>, MinuteOfAnswer)> {
    minutes.sort_by(|a, b| b.p99_ms.total_cmp(&a.p99_ms));
    minutes.truncate(MINUTES_MAX);
    let slow = minutes.first()?.clone();
    minutes.sort_by_key(|minute| minute.at);
    Some((minutes, slow))
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::{Level, Millis, Request, RequestRoute, Requests};

    use super::*;
    use crate::Triage;
    use crate::bundle::Bundle;
    use crate::history::{History, MadeUpPage};

    const BEGUN: u64 = 1_795_424_000_000;

    fn refused(times: u64, made: u64) -> MadeUpPage {
        let line = r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#;
        (0..times).fold(MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, made), |page, at| {
            page.line(BEGUN + 10_000 + at * 1_000, Level::Error, line)
        })
    }

    fn course_of(page: MadeUpPage) -> Course {
        let mut bundle = Bundle::new();
        bundle.add("alice.report.json", None, &page.json()[..]);
        Triage::of(&bundle).course
    }

    #[test]
    fn a_storm_is_told_once_with_its_count_and_its_end() {
        let looping = course_of(refused(300, BEGUN + 311_000));
        let storm = &looping.storms[..];
        assert_eq!(storm.len(), 1);
        assert_eq!((storm[0].count, storm[0].looping, storm[0].healed), (300, true, Some(false)));
        assert!(storm[0].says.contains("300 times") && storm[0].says.contains("went on"), "{}", storm[0].says);
        let healed = course_of(refused(2, BEGUN + 600_000));
        assert_eq!((healed.storms[0].looping, healed.storms[0].healed), (false, Some(true)));
    }

    #[test]
    fn a_page_whose_capture_missed_lines_does_not_say_that_it_healed() {
        let course = course_of(refused(2, BEGUN + 600_000).but(|report| report.capture.nested = 1));
        assert_eq!(course.storms[0].healed, None);
        let cleared = course_of(
            refused(2, BEGUN + 600_000).but(|report| report.capture.cleared_at = Some(Millis(BEGUN + 100_000))),
        );
        assert_eq!(cleared.storms[0].healed, None);
    }

    #[test]
    fn requests_are_told_by_route_and_those_without_an_answer_have_no_time() {
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 600_000);
        let row = |route, duration, status| Request { route, ts: Millis(BEGUN + 60_000), duration, status };
        let course = course_of(page.but(move |report| {
            report.requests = Some(Requests {
                rows: vec![
                    row(RequestRoute::KeysQuery, 40, Some(200)),
                    row(RequestRoute::KeysQuery, 900, Some(429)),
                    row(RequestRoute::KeysQuery, 80, None),
                    row(RequestRoute::SendToDevice, 9_000, Some(502)),
                    row(RequestRoute::SendToDevice, 5, Some(0)),
                ],
                ..Requests::default()
            });
        }));
        let [measured] = &course.requests[..] else { panic!("{:?}", course.requests) };
        assert!(
            measured.says.contains(
                "keys/query: 3 requests, median 80 ms, longest 900 ms, 1 refused (4xx); sendToDevice/{}/{}: 2 requests, 9000 ms, \
                 1 failed (5xx), 1 without an answer"
            ),
            "{}",
            measured.says
        );
        assert_eq!(measured.routes[1].longest_ms, Some(9_000));
        assert_eq!(course_of(refused(1, BEGUN + 60_000)).requests, [], "a report of before");
    }

    #[test]
    fn the_slowest_minute_of_a_log_is_told() {
        let triage = Triage::of(&History::recorded("slow-homeserver", "a slow homeserver").bundle());
        let pace = &triage.course.latency[0];
        assert!(pace.minutes.iter().any(|minute| minute.p99_ms > 1_000.0), "{pace:?}");
        assert!(pace.says.contains("22:54:00"), "{}", pace.says);
        let of_route = |route: &str| pace.routes.iter().find(|found| found.route == route).expect("a route");
        let slow = |route: &str| of_route(route).minutes.iter().map(|minute| minute.p99_ms).fold(0.0, f64::max);
        assert!(slow("delayed_events") > 1_000.0, "{pace:?}");
        assert!(pace.routes.iter().all(|found| found.route != "sync"), "a sync waits for news");
    }
}

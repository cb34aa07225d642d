//! What a browser measured of its page's requests: a weak HAR, which says when a request was made, how long it took and how it was
//! answered, and not which one of its kind it was.
//!
//! It is evidence and no premise. Nothing follows from a row that is not there: the list is bounded, no browser lists what still
//! goes on, and not each lists what failed. A row's time is that of the browser's own queue, the way, gateways and the server together.

use crypto_diag_analysis::sorted::sort_by;
use crypto_diag_core::{Request, RequestRoute};

use super::{Case, Page};
use crate::moment::Moment;
use crate::verdict::Evidence;

/// From how long on a request is worth a word, in milliseconds: a client asks `/sync` to wait 30 s for news.
const LONG_MS: u64 = 5_000;
const LONG_SYNC_MS: u64 = 45_000;

/// A client prints that a request was refused within so many milliseconds of the answer's end; the browser's clock of requests and
/// that of lines may differ by as much.
const PRINTED_WITHIN_MS: u64 = 2_000;

/// How the requests to one route fared.
pub(crate) struct Times {
    pub route: RequestRoute,
    pub requests: u64,
    /// Of those that were answered; a request that was given up may have any time (Firefox).
    pub median_ms: Option<u64>,
    pub longest_ms: Option<u64>,
    /// Those with an error of the client's, 400 to 499.
    pub refused: u64,
    /// Those with an error of the server's or a gateway's.
    pub failed: u64,
    /// Those that were given up, blocked or cut off.
    pub unanswered: u64,
}

impl Times {
    /// The times of some requests by route, those routes alone that have any.
    pub fn of<'r>(rows: impl Iterator<Item = &'r Request> + Clone) -> Vec<Times> {
        let routes = RequestRoute::ALL.iter();
        routes.filter_map(|route| Times::of_route(*route, rows.clone().filter(|row| row.route == *route))).collect()
    }

    fn of_route<'r>(route: RequestRoute, rows: impl Iterator<Item = &'r Request>) -> Option<Times> {
        let mut times =
            Times { route, requests: 0, median_ms: None, longest_ms: None, refused: 0, failed: 0, unanswered: 0 };
        let mut answered = Vec::new();
        for row in rows {
            times.requests += 1;
            match row.status {
                Some(0) => times.unanswered += 1,
                Some(400..=499) => times.refused += 1,
                Some(500..) => times.failed += 1,
                _ => {}
            }
            if row.status != Some(0) {
                answered.push(row.duration);
            }
        }
        sort_by(&mut answered, u64::cmp);
        times.median_ms = answered.get(answered.len() / 2).copied();
        times.longest_ms = answered.last().copied();
        (times.requests > 0).then_some(times)
    }

    /// `sync: 12 requests, median 30012 ms, longest 31000 ms, 2 without an answer`.
    pub fn text(&self) -> String {
        let mut text = format!("{}: {} request", self.route.template(), self.requests);
        if self.requests != 1 {
            text.push('s');
        }
        if let (Some(median), Some(longest)) = (self.median_ms, self.longest_ms) {
            text.push_str(&match self.requests - self.unanswered {
                1 => format!(", {longest} ms"),
                _ => format!(", median {median} ms, longest {longest} ms"),
            });
        }
        for (count, what) in
            [(self.refused, "refused (4xx)"), (self.failed, "failed (5xx)"), (self.unanswered, "without an answer")]
        {
            if count > 0 {
                text.push_str(&format!(", {count} {what}"));
            }
        }
        text
    }
}

/// What is wrong with a request, such as `502 after 9000 ms`; `None` where nothing is.
pub(crate) fn trouble(row: &Request) -> Option<String> {
    let route = row.route.template();
    match row.status {
        Some(0) => Some(format!("{route}: no answer")),
        Some(status @ 400..) => Some(format!("{route}: {status} after {} ms", row.duration)),
        _ => None,
    }
}

/// Whether a request that was answered took long.
pub(crate) fn was_long(row: &Request) -> bool {
    let long = if row.route == RequestRoute::Sync { LONG_SYNC_MS } else { LONG_MS };
    row.status != Some(0) && row.duration >= long
}

fn carries_to_device_messages(route: RequestRoute) -> bool {
    matches!(route, RequestRoute::SendToDevice | RequestRoute::SendToDeviceEncrypted)
}

fn is_about_delayed_events(route: RequestRoute) -> bool {
    use RequestRoute::{DelayedEvent, DelayedEventAction, DelayedEventRestart};
    matches!(route, DelayedEvent | DelayedEventAction | DelayedEventRestart)
}

impl Case<'_> {
    /// What the browser measured of a page's requests about delayed events that were open at some time between two moments of the
    /// page's clock, as evidence.
    pub fn measured(&self, page: &Page, from: Moment, to: Moment) -> Option<Evidence> {
        let rows = &self.report(page).requests.as_ref()?.rows;
        let ms = |at: u64| i64::try_from(at).unwrap_or(i64::MAX);
        let within = rows.iter().filter(|row| {
            is_about_delayed_events(row.route)
                && ms(row.ts.0) <= to.latest
                && ms(row.ts.0.saturating_add(row.duration)) >= from.earliest
        });
        let texts: Vec<String> = Times::of(within).iter().map(Times::text).collect();
        let says = "the requests of that time, as the browser measured them from asking to the answer's end: its own queue, the way, \
                    gateways and the homeserver together";
        (!texts.is_empty()).then(|| self.whole(page.report, &texts.join("; "), says))
    }

    /// A page's requests for one-time keys of others, as evidence, if some were refused or failed.
    pub fn refused_claims(&self, page: &Page) -> Option<Evidence> {
        let rows = &self.report(page).requests.as_ref()?.rows;
        let [times] = &Times::of(rows.iter().filter(|row| row.route == RequestRoute::KeysClaim))[..] else {
            return None;
        };
        let is_shown = times.refused + times.failed + times.unanswered > 0;
        is_shown
            .then(|| self.whole(page.report, &times.text(), "the page's requests for one-time keys of other devices"))
    }

    /// The refused request with to-device messages that ended nearest to a moment of the page's clock, as evidence. A row does not say
    /// which messages it carried.
    pub fn refused_to_device(&self, page: &Page, at: Moment) -> Option<Evidence> {
        let rows = &self.report(page).requests.as_ref()?.rows;
        let end = |row: &Request| i64::try_from(row.ts.0.saturating_add(row.duration)).unwrap_or(i64::MAX);
        let apart = |row: &Request| end(row).abs_diff(at.earliest);
        let is_refused = |row: &&Request| {
            carries_to_device_messages(row.route)
                && matches!(row.status, Some(400..=428 | 430..=499))
                && apart(row) <= PRINTED_WITHIN_MS
        };
        let row = rows.iter().filter(is_refused).min_by_key(|row| apart(row))?;
        let says =
            "the refused request with to-device messages that ended nearest to the line, as the browser measured it";
        Some(Evidence { at: Some(end(row)), ..self.whole(page.report, &trouble(row)?, says) })
    }
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::{Level, Millis, Requests};

    use super::*;
    use crate::Triage;
    use crate::conclusion::Conclusion;
    use crate::history::{History, MadeUpPage};
    use crate::moment::Clock;

    const BEGUN: u64 = 1_795_424_000_000;

    fn row(route: RequestRoute, ts: u64, duration: u64, status: Option<u32>) -> Request {
        Request { route, ts: Millis(BEGUN + ts), duration, status }
    }

    /// A page that gave three restarts up in a row, and what its browser measured.
    fn page(rows: Vec<Request>) -> Vec<u8> {
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000);
        let given_up = |page: MadeUpPage, attempt: u64| {
            let line = format!(
                "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry (({attempt}/10)) AbortError: Restart delayed event timed out before the HS responded"
            );
            page.line(BEGUN + 100_000 + 2_000 * attempt, Level::Warn, &line)
        };
        let page = (0..3).fold(page, given_up);
        page.but(move |report| report.requests = Some(Requests { rows, ..Requests::default() })).json()
    }

    #[test]
    fn requests_about_delayed_events_of_the_time_are_evidence_of_the_failed_attempts() {
        let rows = vec![
            row(RequestRoute::DelayedEventRestart, 20_000, 40, Some(200)),
            row(RequestRoute::DelayedEventRestart, 95_000, 1_900, Some(200)),
            row(RequestRoute::DelayedEventRestart, 98_000, 2_000, Some(0)),
            row(RequestRoute::Sync, 99_000, 50_000, Some(200)),
            row(RequestRoute::DelayedEventRestart, 900_000, 30, Some(200)),
        ];
        let history = History::new("restarts that time out").file("alice.report.json", page(rows));
        let triage = Triage::of(&history.bundle());
        for conclusion in [Conclusion::Ke4Seen, Conclusion::DelayedEventTimeouts, Conclusion::SlowHomeserver] {
            let verdict = triage.verdicts.iter().find(|verdict| verdict.conclusion == conclusion).expect("a verdict");
            let quoted = "delayed_events/{}/restart: 2 requests, 1900 ms, 1 without an answer";
            assert!(verdict.evidence.iter().any(|piece| *piece.quote == *quoted), "{verdict:?}");
        }
        let lane = |name: &str| triage.timeline.lanes.iter().find(|lane| lane.name.contains(name)).expect("a lane");
        assert_eq!(lane("requests that failed").marks[0].text, "delayed_events/{}/restart: no answer");
        assert_eq!(lane("requests that took long").spans[0].text, "sync");
    }

    #[test]
    fn the_refused_request_nearest_to_a_dropped_batch_is_evidence_of_it() {
        let dropped = |rows: Vec<Request>| {
            let line = "Fatal error when sending to-device message - dropping to-device batch! M_TOO_LARGE: MatrixError: [413] x";
            let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000);
            let page = page.line(BEGUN + 100_000, Level::Error, line);
            let page = page.but(move |report| report.requests = Some(Requests { rows, ..Requests::default() }));
            let history = History::new("a batch is dropped").file("alice.report.json", page.json());
            let verdicts = Triage::of(&history.bundle()).verdicts;
            let verdict = verdicts.into_iter().find(|verdict| verdict.conclusion == Conclusion::BatchDropped);
            let verdict = verdict.expect("a verdict");
            assert!(verdict.is_proven(), "the line alone proves it");
            verdict.evidence.into_iter().skip(1).map(|piece| piece.quote.to_string()).collect::<Vec<_>>()
        };
        let route = RequestRoute::SendToDeviceEncrypted;
        let others = || {
            vec![
                row(route, 99_000, 900, Some(200)),
                row(route, 99_000, 900, Some(0)),
                row(route, 99_000, 900, None),
                row(route, 90_000, 900, Some(413)),
                row(RequestRoute::Send, 99_000, 900, Some(413)),
            ]
        };
        assert_eq!(dropped(others()), Vec::<String>::new());
        let mut rows = others();
        rows.extend([row(route, 98_000, 400, Some(403)), row(route, 99_800, 190, Some(413))]);
        assert_eq!(dropped(rows), ["sendToDevice/m.room.encrypted/{}: 413 after 190 ms"]);
        assert_eq!(dropped(Vec::new()), Vec::<String>::new());
    }

    #[test]
    fn what_a_browser_measured_proves_and_refutes_nothing() {
        let route = RequestRoute::DelayedEventRestart;
        let histories = [
            Vec::new(),
            vec![row(route, 99_000, 9_000, Some(502))],
            vec![row(route, 99_000, 9_000, Some(200))],
            vec![row(route, 99_000, 2_000, Some(0)), row(route, 101_000, 2_000, Some(0))],
        ];
        let judged = histories.map(|rows| {
            let bundle = History::new("restarts that time out").file("alice.report.json", page(rows)).bundle();
            let triage = Triage::of(&bundle);
            triage.verdicts.into_iter().map(|verdict| (verdict.conclusion, verdict.answer)).collect::<Vec<_>>()
        });
        assert!(judged.iter().all(|one| *one == judged[0]), "{judged:?}");
    }

    #[test]
    fn a_page_without_such_requests_has_no_such_evidence() {
        let bundle = History::new("nothing measured").file("alice.report.json", page(Vec::new())).bundle();
        let case = Case::of(&bundle);
        let moment = |ms: u64| Moment::at(Clock::Page(0), i64::try_from(BEGUN + ms).expect("a time"));
        assert!(case.measured(&case.pages[0], moment(0), moment(3_600_000)).is_none());
    }
}

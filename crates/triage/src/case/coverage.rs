//! What an artefact could have shown. Absence proves something only where presence would have been seen.

use std::collections::{BTreeMap, HashMap};

use serde::Serialize;

use super::{Case, Page};
use crate::har::Har;
use crate::moment::Moment;
use crate::synapse_log::{Route, ServerLog};

/// Requests of all routes that must be there to judge by.
pub const REQUESTS_MIN: usize = 20;

/// The share of them that the log must have.
pub const SHARE_MIN: f64 = 0.95;

/// How many of a HAR's answered requests stand in the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Found {
    /// Answered, as the HAR has it.
    pub asked: usize,
    /// Of those, in a log.
    pub found: usize,
}

impl Found {
    fn is_nearly_all(self) -> bool {
        self.found as f64 >= self.asked as f64 * SHARE_MIN
    }
}

/// The coverage of the logs, as one HAR measures it.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// By route.
    pub routes: BTreeMap<Route, Found>,
    /// Whether the logs have lines at INFO, and kept all that was needed of them.
    pub whole: bool,
}

impl Coverage {
    /// Measures the logs by a HAR: requests that the homeserver itself answered, each line counted once.
    pub fn of(har: &Har, logs: &[ServerLog]) -> Coverage {
        let mut lines: HashMap<u64, usize> = HashMap::new();
        for access in logs.iter().flat_map(|log| &log.accesses) {
            *lines.entry(access.key).or_default() += 1;
        }
        let mut routes: BTreeMap<Route, Found> = BTreeMap::new();
        for exchange in &har.entries {
            // No answer, or an answer that a gateway gives in the server's name, need not have reached it.
            let answered = (200..500).contains(&exchange.status);
            if !answered || exchange.method == "OPTIONS" || !exchange.uri.starts_with("/_matrix/client/") {
                continue;
            }
            let found = routes.entry(exchange.route()).or_default();
            found.asked += 1;
            if let Some(left) = lines.get_mut(&exchange.key()).filter(|left| **left > 0) {
                *left -= 1;
                found.found += 1;
            }
        }
        let whole =
            !logs.is_empty() && logs.iter().all(|log| log.not_kept == 0) && logs.iter().any(ServerLog::shows_info);
        Coverage { routes, whole }
    }

    /// All routes together.
    pub fn all(&self) -> Found {
        let sum = |pick: fn(&Found) -> usize| self.routes.values().map(pick).sum();
        Found { asked: sum(|found| found.asked), found: sum(|found| found.found) }
    }

    /// Whether a request to that route would be in the logs. Another worker may serve it, so the route itself counts.
    pub fn shows(&self, route: Route) -> bool {
        let all = self.all();
        let of_route = self.routes.get(&route).copied().unwrap_or_default();
        self.whole && all.asked >= REQUESTS_MIN && all.is_nearly_all() && of_route.asked > 0 && of_route.is_nearly_all()
    }

    /// Why not, in a sentence.
    pub fn why_not(&self, route: Route) -> String {
        let all = self.all();
        let of_route = self.routes.get(&route).copied().unwrap_or_default();
        if !self.whole {
            return "there is no log at INFO that was read whole".to_owned();
        }
        if all.asked < REQUESTS_MIN {
            return format!("the HAR has only {} answered requests to measure the log by", all.asked);
        }
        if of_route.asked == 0 {
            return format!("the HAR has no answered request to {} to measure the log by", route.name());
        }
        format!(
            "of the HAR's answered requests {} of {} stand in the log, of those to {} {} of {}",
            all.found,
            all.asked,
            route.name(),
            of_route.found,
            of_route.asked
        )
    }
}

/// Something that did not happen, as far as the server's logs show: a request of a route, by a page's client or by anybody,
/// between two times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absence<'q> {
    /// The route.
    pub route: Route,
    /// Whose request; `None` for anybody's.
    pub page: Option<&'q Page>,
    /// From when on. By any clock.
    pub from: Moment,
    /// Until when.
    pub to: Moment,
}

impl Case<'_> {
    /// Whether the logs would show a thing had it happened, so that its absence says something.
    ///
    /// # Errors
    /// Why they need not, as a clause: "there is no log at INFO that was read whole".
    pub fn would_show(&self, absence: &Absence<'_>) -> Result<(), String> {
        let hars: Vec<usize> = match absence.page {
            Some(page) => page.hars.clone(),
            None => (0..self.coverage.len()).collect(),
        };
        if hars.iter().any(|har| self.coverage[*har].shows(absence.route)) {
            return Ok(());
        }
        Err(match hars.first() {
            Some(har) => self.coverage[*har].why_not(absence.route),
            None => "there is no HAR to measure the log by".to_owned(),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::har::Exchange;
    use crate::synapse_log::LogOptions;

    fn har(uris: &[(&str, u16)]) -> Har {
        let exchange = |(uri, status): &(&str, u16)| Exchange::new("GET", uri, 0, 0.0, *status);
        Har { entries: uris.iter().map(exchange).collect(), ..Har::default() }
    }

    fn log(uris: &[&str], level: &str) -> ServerLog {
        let line = |uri: &&str| {
            format!(
                "2026-11-23 08:36:03,872 - synapse.access.http.8008 - 643 - {level} - GET-1 - 1 - 8008 - {{None}} Processed request: 0.001sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 5B 200 \"GET {uri} HTTP/1.1\" \"UA\" [0 dbevts]\n"
            )
        };
        let text: String = uris.iter().map(line).collect();
        ServerLog::read("log", text.as_bytes(), &LogOptions::default())
    }

    #[test]
    fn a_route_is_covered_only_if_its_own_requests_are_there() {
        let sync: Vec<String> = (0..30).map(|n| format!("/_matrix/client/v3/sync?since={n}")).collect();
        let mut ours: Vec<(&str, u16)> = sync.iter().map(|uri| (uri.as_str(), 200)).collect();
        let theirs: Vec<&str> = sync.iter().map(String::as_str).collect();
        let delayed = "/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_a/restart";
        ours.extend([(delayed, 200), (delayed, 0), (delayed, 504)]);
        let without = Coverage::of(&har(&ours), &[log(&theirs, "INFO")]);
        assert!(without.shows(Route::Sync) && !without.shows(Route::DelayedEvent), "{:?}", without.routes);
        assert!(!without.shows(Route::KeysUpload), "nothing to measure by");
        let with: Vec<&str> = theirs.iter().copied().chain([delayed]).collect();
        assert!(Coverage::of(&har(&ours), &[log(&with, "INFO")]).shows(Route::DelayedEvent));
        assert!(!Coverage::of(&har(&ours), &[log(&with, "WARNING")]).shows(Route::DelayedEvent));
        assert!(!Coverage::of(&har(&ours), &[]).shows(Route::Sync));
    }
}

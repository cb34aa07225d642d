//! What logs could have shown. Absence proves something only where presence would have been seen.
//!
//! Coverage is of a question: of a route, between two times, in the log of the process that would have answered, without a hole
//! or a start in between, and on for longer than a request may take, since requests in progress stand in no log. That answered
//! requests stand in the logs covers the answered ones of that browser alone: a process that hangs answers nothing, and another
//! browser may be served by another process.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use super::{Case, Page};
use crate::har::Har;
use crate::moment::{Clock, Moment};
use crate::stamp;
use crate::synapse_log::{Access, Process, Route, ServerLog};

/// Answered requests of a browser that must be there to measure the logs by.
const REQUESTS_MIN: usize = 20;

/// The share of them that the logs must have.
const SHARE_MIN: f64 = 0.95;

/// A request is taken to be over after this, in milliseconds, unless the log shows longer ones. Gateways give up after a minute
/// by default; Synapse waits for its database for longer than that.
const IN_PROGRESS_MS: i64 = 120_000;

/// A log must go on for that many times its longest request.
const IN_PROGRESS_FACTOR: i64 = 2;

/// How many of a HAR's answered requests stand in the logs.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
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

/// A source within a log: the process, in all its runs.
type Source = (usize, String);

/// Where a browser's answered requests stand, as its HAR tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Coverage {
    /// By route.
    pub routes: BTreeMap<Route, Found>,
    /// Who answered.
    sources: BTreeMap<Route, BTreeSet<Source>>,
}

impl Coverage {
    /// Measures the logs by a HAR: requests that the homeserver itself answered, each line counted once.
    pub fn of(har: &Har, logs: &[ServerLog]) -> Coverage {
        let mut lines: HashMap<u64, Vec<(usize, &Access)>> = HashMap::new();
        for (log, found) in logs.iter().enumerate() {
            for access in &found.accesses {
                lines.entry(access.key).or_default().push((log, access));
            }
        }
        let mut coverage = Coverage::default();
        // The requests that are left of a cut HAR were chosen, so they need not be a fair sample.
        let measurable = if har.left_out == 0 { har.entries.as_slice() } else { &[] };
        for exchange in measurable {
            // No answer, or an answer that a gateway gives in the server's name, need not have reached it.
            let answered = (200..500).contains(&exchange.status);
            if !answered || exchange.method == "OPTIONS" || !exchange.uri.starts_with("/_matrix/client/") {
                continue;
            }
            let route = exchange.route();
            let measured = coverage.routes.entry(route).or_default();
            measured.asked += 1;
            if let Some((log, access)) = lines.get_mut(&exchange.key()).and_then(Vec::pop) {
                measured.found += 1;
                let source = logs[log].process(access.process).map(|process| process.source.clone());
                coverage.sources.entry(route).or_default().insert((log, source.unwrap_or_default()));
            }
        }
        coverage
    }

    /// All routes together.
    pub fn all(&self) -> Found {
        let sum = |pick: fn(&Found) -> usize| self.routes.values().map(pick).sum();
        Found { asked: sum(|found| found.asked), found: sum(|found| found.found) }
    }

    /// Who answers this browser's requests of a route, if the logs have nearly all of its answered ones.
    fn answering(&self, route: Route) -> Result<&BTreeSet<Source>, Unseen> {
        let all = self.all();
        let of_route = self.routes.get(&route).copied().unwrap_or_default();
        match self.sources.get(&route) {
            Some(sources) if all.asked >= REQUESTS_MIN && all.is_nearly_all() && of_route.is_nearly_all() => {
                Ok(sources)
            }
            _ if all.asked < REQUESTS_MIN || of_route.asked == 0 => {
                Err(Unseen::NotMeasured { route, all: all.asked, of_route: of_route.asked })
            }
            _ => Err(Unseen::NotAll { route, all, of_route }),
        }
    }
}

/// Something that did not happen, as far as the server's logs show: a request of a route, between two times.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Absence<'q> {
    /// The route.
    pub route: Route,
    /// Whose request: one of the browser that shows this page; `None` for anybody's.
    pub page: Option<&'q Page>,
    /// Whether that browser shows that it was answered, as a page that prints the server's refusal does. What nobody saw
    /// answered may have reached a process that answers nothing.
    pub answered: bool,
    /// From when on. By any clock.
    pub from: Moment,
    /// Until when.
    pub to: Moment,
}

/// Why logs need not show a thing, had it happened.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Unseen {
    /// There is none.
    NoLog,
    /// A log has no line at INFO.
    NoInfo { log: String },
    /// Not all of a log could be kept.
    LeftOut { log: String },
    /// There is no HAR of that browser.
    NoHar,
    /// The HAR has too few answered requests.
    NotMeasured { route: Route, all: usize, of_route: usize },
    /// The logs lack answered requests of the HAR.
    NotAll { route: Route, all: Found, of_route: Found },
    /// No log shows the start of a server that is one process, so another may have answered, or not answered.
    OtherProcesses,
    /// The times cannot be put on the log's clock.
    NoTime { log: String },
    /// The log's clock, or the other, was set meanwhile.
    ClockSet { log: String },
    /// The log begins after that time.
    Begins { log: String, at: i64 },
    /// The log ends before that time.
    Ends { log: String, at: i64 },
    /// The log has a hole in that time.
    Hole { log: String, from: i64, to: i64 },
    /// The process was started in that time; what was in progress then has no line.
    Restart { log: String, at: i64 },
    /// The log ends too soon after that time.
    InProgress { log: String, goes_on_ms: i64, needed_ms: i64 },
}

impl fmt::Display for Unseen {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |ms: &i64| stamp::print(*ms);
        match self {
            Unseen::NoLog => f.write_str("there is no server log"),
            Unseen::NoInfo { log } => write!(f, "{log} has no line at INFO, the level at which requests are logged"),
            Unseen::LeftOut { log } => write!(f, "{log} was too long to be kept whole"),
            Unseen::NoHar => f.write_str("there is no HAR of that browser to measure the logs by"),
            Unseen::NotMeasured { route, all, of_route } => write!(
                f,
                "the HAR has only {all} answered requests to measure the logs by, {of_route} of them to {}",
                route.name()
            ),
            Unseen::NotAll { route, all, of_route } => write!(
                f,
                "of the HAR’s answered requests {} of {} stand in the logs, of those to {} {} of {}",
                all.found,
                all.asked,
                route.name(),
                of_route.found,
                of_route.asked
            ),
            Unseen::OtherProcesses => f.write_str(
                "no log shows the start of a server that runs without workers, so a process whose log is not given may have \
                 got the request",
            ),
            Unseen::NoTime { log } => write!(f, "nothing puts that time on the clock of {log}"),
            Unseen::ClockSet { log } => write!(f, "a clock was set meanwhile, so that time has no place in {log}"),
            Unseen::Begins { log, at: begins } => write!(f, "{log} begins at {}, after that", at(begins)),
            Unseen::Ends { log, at: ends } => write!(f, "{log} ends at {}, before that", at(ends)),
            Unseen::Hole { log, from, to } => write!(f, "{log} has a hole from {} to {}", at(from), at(to)),
            Unseen::Restart { log, at: start } => write!(
                f,
                "in {log} a process was started at {}, and what was in progress then has no line",
                at(start)
            ),
            Unseen::InProgress { log, goes_on_ms, needed_ms } => write!(
                f,
                "{log} goes on for {} s after that, and a request that takes {} s would not stand in it yet",
                goes_on_ms / 1000,
                needed_ms / 1000
            ),
        }
    }
}

impl Case<'_> {
    /// Whether the logs would show a request had there been one, so that its absence says something.
    ///
    /// # Errors
    /// Why they need not.
    pub fn would_show(&self, absence: &Absence<'_>) -> Result<(), Unseen> {
        let logs = &self.bundle.logs;
        let Some(first) = logs.first() else { return Err(Unseen::NoLog) };
        if let Some(log) = logs.iter().find(|log| log.not_kept > 0) {
            return Err(Unseen::LeftOut { log: log.name.clone() });
        }
        if !logs.iter().any(ServerLog::shows_info) {
            return Err(Unseen::NoInfo { log: first.name.clone() });
        }
        match absence.page {
            Some(page) if absence.answered => {
                let sources = self.answering(page, absence.route)?;
                sources.iter().try_for_each(|(log, source)| self.covering(*log, source, absence, 0).map(|_| ()))
            }
            _ => {
                // One of them may be of another server, or of another day: one that covers is enough.
                let mut why = Unseen::OtherProcesses;
                for (log, source) in whole_servers(logs) {
                    match self.covering(log, source, absence, IN_PROGRESS_MS) {
                        Ok(run) if run.is_whole_server() => return Ok(()),
                        Ok(_) => {}
                        Err(found) => why = found,
                    }
                }
                Err(why)
            }
        }
    }

    fn answering(&self, page: &Page, route: Route) -> Result<&BTreeSet<Source>, Unseen> {
        let mut why = Unseen::NoHar;
        for har in &page.hars {
            match self.coverage[*har].answering(route) {
                Ok(sources) => return Ok(sources),
                Err(found) => why = found,
            }
        }
        Err(why)
    }

    /// The run of a source whose log is there from the beginning of an absence to its end, and behind it for `margin`
    /// milliseconds or, if there is a margin, for longer than its own longest request.
    fn covering(&self, log: usize, source: &str, absence: &Absence<'_>, margin: i64) -> Result<&Process, Unseen> {
        let found = &self.bundle.logs[log];
        let name = || found.name.clone();
        let by =
            |moment: Moment| self.clocks.by(moment, Clock::Log(log)).ok_or_else(|| Unseen::ClockSet { log: name() });
        let (from, to) = (by(absence.from)?, by(absence.to)?);
        if !found.steps.is_empty() {
            return Err(Unseen::ClockSet { log: name() });
        }
        let (from, to) = (from.earliest, to.latest);
        if !is_bounded(from) || !is_bounded(to) {
            return Err(Unseen::NoTime { log: name() });
        }
        let runs = || found.processes.iter().filter(|process| process.source == source);
        let began = |process: &&Process| process.first.is_some_and(|first| first <= from);
        let Some(run) = runs().filter(began).max_by_key(|process| process.run) else {
            let first = runs().filter_map(|process| process.first).min();
            return Err(Unseen::Begins { log: name(), at: first.unwrap_or(i64::MAX) });
        };
        if !run.shows_info {
            return Err(Unseen::NoInfo { log: name() });
        }
        let longest = if margin == 0 { 0 } else { run.longest_ms.saturating_mul(IN_PROGRESS_FACTOR) };
        let margin = margin.max(longest);
        let until = to.saturating_add(margin);
        let begins =
            |start: &&crate::synapse_log::Restart| start.source == source && start.at > from && start.at <= until;
        if let Some(start) = found.restarts.iter().find(begins) {
            return Err(Unseen::Restart { log: name(), at: start.at });
        }
        let last = run.last.unwrap_or(i64::MIN);
        if let Some(hole) = run.hole_within(from, until) {
            return Err(Unseen::Hole { log: name(), from: hole.from, to: hole.to });
        }
        if last < to {
            return Err(Unseen::Ends { log: name(), at: last });
        }
        if last < until {
            return Err(Unseen::InProgress { log: name(), goes_on_ms: last - to, needed_ms: margin });
        }
        Ok(run)
    }
}

/// Whether a time that was put on another clock has an end there.
fn is_bounded(ms: i64) -> bool {
    ms.unsigned_abs() < crate::clock::Interval::ALL.high.unsigned_abs() / 2
}

/// The sources of which a process says when it starts that it is the whole server.
fn whole_servers(logs: &[ServerLog]) -> BTreeSet<(usize, &str)> {
    let processes = logs.iter().enumerate().flat_map(|(log, found)| found.processes.iter().map(move |one| (log, one)));
    processes.filter(|(_, one)| one.is_whole_server()).map(|(log, one)| (log, one.source.as_str())).collect()
}

#[cfg(test)]
mod tests;

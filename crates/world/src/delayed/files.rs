//! The files that a history leaves.

use super::state::{Attempt, QUICK, State};
use super::{DEVICE, LogView, ROOM, View};
use crate::forms::report::{Line, Report};
use crate::forms::{self, File, Request, har, log, report, signing};
use crate::model::Chance;
use crate::model::Step;
use crate::views::{HarView, Lines, WHOLE};

/// When histories begin: 2026-11-23 09:00:00 UTC.
const BEGIN: i64 = 1_795_424_400_000;
/// How long the log goes on behind the end.
const LOG_GOES_ON_MS: i64 = 300_000;
/// The server was started that long before the page was opened.
const STARTED_BEFORE_MS: i64 = 60_000;
/// When a capture is installed that begins with its page.
const INSTALLED_MS: i64 = 226;
/// When the delayed event is scheduled.
const JOINED_MS: i64 = 2_000;
/// A request for news is answered after this.
const NEWS_MS: i64 = 3_950;
/// The next one follows.
const NEWS_EVERY_MS: i64 = 4_000;

/// The name of the report.
pub(super) const REPORT: &str = "desktop.report.json";
const MAIN_LOG: &str = "homeserver.log";
const WORKERS: [&str; 2] = ["generic_worker1", "generic_worker2"];

const DELAY_ID: &str = "syd_jmHOTmvVWgwNWMyNeYQT";
const HOST: &str = "https://matrix.example.org";

fn delayed_event(action: &str) -> String {
    format!("/_matrix/client/unstable/org.matrix.msc4140/delayed_events/{DELAY_ID}/{action}")
}

/// When the capture was installed: as the page began, or in the middle of its life, when it was not frozen.
fn installed(state: &State, view: &View) -> i64 {
    let middle = state.now / 2;
    let thawed = state.frozen().find(|(from, to)| (*from..=*to).contains(&middle)).map_or(middle, |(_, to)| to + 500);
    if view.late { thawed } else { INSTALLED_MS }
}

/// Whether the report has what the page printed at a time.
pub(super) fn is_shown(state: &State, view: &View, at: i64) -> bool {
    at >= installed(state, view) && state.cleared.is_none_or(|cleared| at > cleared)
}

/// The views under which a history is judged.
pub(super) fn views(state: &State, notable: bool) -> Vec<View> {
    let whole = HarView::ALL;
    let log = LogView { span: WHOLE, first_worker: false };
    let all = View { late: false, lines: Lines::ALL, har: Some(whole), log: Some(log) };
    if !notable {
        return vec![all];
    }
    let middle = (state.steps.len() / 2) as Step;
    let last = (state.steps.len() - 1) as Step;
    let har = |har| View { har: Some(har), ..all.clone() };
    let log_of = |log| View { log: Some(log), ..all.clone() };
    if state.workers {
        return vec![all.clone(), log_of(LogView { first_worker: true, ..log })];
    }
    let mut views = vec![
        all.clone(),
        View { har: None, log: None, ..all.clone() },
        View { log: None, ..all.clone() },
        View { har: None, ..all.clone() },
        View { late: true, ..all.clone() },
        har(HarView { span: (middle, Step::MAX), ..whole }),
        har(HarView { paused: Some(middle), ..whole }),
        log_of(LogView { span: (middle, Step::MAX), ..log }),
        log_of(LogView { span: (0, last), ..log }),
    ];
    if middle > 0 {
        views.push(har(HarView { paused: Some(middle - 1), ..whole }));
    }
    views
}

/// Any view at all.
pub(super) fn any_view(state: &State, chance: &mut Chance) -> View {
    let steps = state.steps.len();
    let span = |chance: &mut Chance| match chance.below(5) {
        0 => (chance.below(steps) as Step, Step::MAX),
        1 => (0, chance.below(steps) as Step),
        _ => WHOLE,
    };
    let har = HarView {
        span: span(chance),
        paused: (chance.below(4) == 0).then(|| chance.below(steps) as Step),
        bodies: chance.below(4) != 0,
    };
    let log = LogView { span: span(chance), first_worker: state.workers && chance.below(2) == 0 };
    View {
        late: chance.below(4) == 0,
        lines: Lines::ALL,
        har: (chance.below(8) != 0).then_some(har),
        log: (chance.below(8) != 0).then_some(log),
    }
}

/// The time at which a step begins.
fn begins(state: &State, step: Step) -> i64 {
    match step {
        0 => i64::MIN,
        step => state.steps.get(usize::from(step)).copied().unwrap_or(i64::MAX),
    }
}

/// Puts what a clock is ahead on true times since the epoch.
fn clock(changes: &[(i64, i64)]) -> impl Fn(i64) -> i64 {
    move |at| forms::ahead(changes, at - BEGIN)
}

/// The files of a view.
pub(super) fn files(state: &State, view: &View) -> Vec<File> {
    let requests = requests(state);
    let mut files = vec![(REPORT.to_owned(), page_report(state, view).json())];
    if let Some(view) = &view.har {
        let (from, to) = (begins(state, view.span.0), begins(state, view.span.1));
        let paused = |at: i64| {
            view.paused.is_some_and(|step| at >= begins(state, step) && at < begins(state, step.saturating_add(1)))
        };
        let is_there = |request: &Request| {
            // What goes on stands in no HAR yet.
            let ends = request.done.0 - BEGIN <= to.min(state.now);
            request.sent.is_some_and(|sent| sent - BEGIN >= from && ends && !paused(sent - BEGIN))
        };
        let shown = |(_, request): &(usize, Request)| {
            let answer = request.answer.clone().filter(|_| view.bodies);
            is_there(request).then(|| Request { answer, ..request.clone() })
        };
        let shown: Vec<Request> = requests.iter().filter_map(shown).collect();
        if !shown.is_empty() {
            files.push(("desktop.har".to_owned(), har::har(&shown.iter().collect::<Vec<_>>(), &clock(&state.clock))));
        }
    }
    if let Some(view) = &view.log {
        let processes: Vec<(usize, &str, String)> = if state.workers {
            let given = if view.first_worker { 1 } else { 2 };
            WORKERS.iter().take(given).enumerate().map(|(at, name)| (at, *name, format!("{name}.log"))).collect()
        } else {
            vec![(0, log::MASTER, MAIN_LOG.to_owned())]
        };
        for (process, instance, name) in processes {
            let served = requests.iter().filter(|(by, _)| *by == process).map(|(_, request)| request.clone());
            let text = log_text(state, view, instance, &served.collect::<Vec<_>>());
            if !text.is_empty() {
                files.push((name, text.into_bytes()));
            }
        }
    }
    files
}

fn log_text(state: &State, view: &LogView, instance: &str, served: &[Request]) -> String {
    let starts = state.restarts.iter().map(|at| BEGIN + at);
    let starts: Vec<i64> = [BEGIN - STARTED_BEFORE_MS].into_iter().chain(starts).collect();
    let span = begins(state, view.span.0)..begins(state, view.span.1);
    let lines = log::lines(served, instance, &starts, &clock(&state.server_clock));
    lines.into_iter().filter(|(at, _)| span.contains(&(at - BEGIN))).map(|(_, line)| line).collect()
}

/// A request that is answered at once.
fn quick(method: &'static str, target: String, sent: i64) -> Request {
    Request::quick(DEVICE.user, method, target, BEGIN + sent)
}

/// All requests, each with the worker that serves it.
fn requests(state: &State) -> Vec<(usize, Request)> {
    let mut requests = Vec::new();
    for process in 0..=usize::from(state.workers) {
        // Each worker is asked at a time of its own.
        let begin = BEGIN + 200 * process as i64;
        let span = begin + 1_000 - STARTED_BEFORE_MS..begin + state.now + LOG_GOES_ON_MS;
        requests.extend(forms::others(span).map(|request| (process, request)));
    }
    requests.push((0, quick("GET", "/_matrix/client/versions".to_owned(), 400)));
    requests.push((0, quick("POST", forms::filter_target(DEVICE.user), 700)));
    let mut joining = quick(
        "PUT",
        format!(
            "/_matrix/client/v3/rooms/{}/state/org.matrix.msc3401.call.member/_%40alice%3Aexample.org_{}_m.call?org.matrix.msc4140.delay=90000",
            ROOM.replace(':', "%3A"),
            DEVICE.id
        ),
        JOINED_MS,
    );
    joining.answer = Some(format!("{{\"delay_id\":\"{DELAY_ID}\"}}"));
    requests.push((0, joining));
    requests.extend(news(state).map(|request| (0, request)));
    for (number, attempt) in state.attempts.iter().enumerate() {
        let process = if state.workers { number % WORKERS.len() } else { 0 };
        requests.extend(restart(state, attempt).into_iter().map(|request| (process, request)));
    }
    if let Some(left) = state.left {
        requests.push((0, Request { user: "None", ..quick("POST", delayed_event("send"), left) }));
    }
    requests
}

/// The client asks for news all the time, while its page is not frozen.
fn news(state: &State) -> impl Iterator<Item = Request> {
    let asked = (1_000..state.now).step_by(NEWS_EVERY_MS as usize).enumerate();
    let awake = asked.filter(|(_, at)| !state.frozen().any(|(from, to)| (from..to).contains(at)));
    awake.map(|(number, at)| {
        let mut request = quick("GET", forms::sync_target(200 + number, 47), at);
        let (arrived, ended) = (at + QUICK.0, at + NEWS_MS - QUICK.2);
        let killed = state.restarts.iter().find(|start| (arrived..ended).contains(*start));
        request.served = killed.is_none().then_some((BEGIN + arrived, BEGIN + ended, 200));
        request.done = killed.map_or((BEGIN + at + NEWS_MS, 200), |start| (BEGIN + start + 20, 502));
        request
    })
}

/// The request of an attempt, and the one that the browser sends by itself when it is lost.
fn restart(state: &State, attempt: &Attempt) -> Vec<Request> {
    let target = delayed_event("restart");
    let way = state.way(attempt);
    let request = |sent: i64| Request { user: "None", ..quick("POST", target.clone(), sent) };
    let refused = |request: &mut Request| {
        if let Some((_, end, 404)) = request.served {
            let (logger, message) = log::refused("POST", &target, 404, "Delayed event not found");
            request.printed.push((end, logger, message));
        }
    };
    let mut first = request(attempt.sent);
    first.queued = way.queued;
    first.done = (BEGIN + way.answered.0, way.answered.1);
    first.served = way.arrived.zip(way.ended).map(|(arrived, (end, status))| (BEGIN + arrived, BEGIN + end, status));
    refused(&mut first);
    let again = State::sent_again(attempt).map(|sent| {
        let mut again = request(sent);
        let status = state.status_at(sent + QUICK.0);
        again.done.1 = status;
        again.served = again.served.map(|(arrived, end, _)| (arrived, end, status));
        refused(&mut again);
        again
    });
    [first].into_iter().chain(again).collect()
}

fn page_report(state: &State, view: &View) -> Report {
    let ahead = clock(&state.clock);
    let wall = |at: i64| BEGIN + at + ahead(BEGIN + at);
    let shown = state.failures().filter(|(_, at, _)| is_shown(state, view, *at));
    let lines = shown.map(|(attempt, at, status)| {
        let failed_before = usize::from(attempt.failed_before);
        let failed = |error: String| report::restart_failed(ROOM, failed_before, &error);
        let (signature, text) = match status {
            0 => ("Restart delayed event timed out", report::restart_timed_out(ROOM, failed_before)),
            500 => {
                let url = format!("{HOST}{}", delayed_event("restart"));
                ("Server error while sending event", failed(report::homeservers_error(&url)))
            }
            status => ("Server error while sending event", failed(report::gateways_error(status))),
        };
        Line { at: wall(at), level: "warn", family: "KE-4", signature, meaning: "transient", text }
    });
    let installed = installed(state, view);
    let events = state.frozen().flat_map(|(from, to)| [(from, "freeze"), (to, "resume")]);
    Report {
        device: DEVICE,
        identity: Some((signing::ed25519(0), signing::curve25519(0))),
        began: wall(0),
        installed: wall(installed),
        cleared: state.cleared.map(wall),
        made: wall(state.now),
        clock_moved: ahead(BEGIN + state.now) - ahead(BEGIN),
        page_events: events.filter(|(at, _)| *at >= installed).map(|(at, event)| (wall(at), event)).collect(),
        lines: lines.collect(),
        missed: view.lines.missed,
        library: view.lines.library,
        info: true,
        call: serde_json::Value::Null,
        server_minus_page: None,
        known: Vec::new(),
        sent: Vec::new(),
    }
}

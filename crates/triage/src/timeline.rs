//! Everything on one clock, in lanes. Storms are densities, not thousands of marks.

use std::collections::{BTreeMap, BTreeSet};

use crypto_diag_core::{CallFactKind, CallFacts, CallMembership, MarkKind, Meaning};
use serde::Serialize;

use crate::case::pace::SLOW_MS;
use crate::case::requests::{trouble, was_long};
use crate::case::{Case, Page};
use crate::clock::Interval;
use crate::latency::widest;
use crate::moment::Clock;
use crate::synapse_log::{MediaEvent, MediaProgram, Route};

/// Columns of a lane.
pub const COLUMNS: usize = 120;

/// Marks with words in one lane at most.
const MARKS_MAX: usize = 12;

/// The place of the lane of all routes behind those of each.
const ALL_ROUTES: u8 = 9;

/// Time around the clients' artefacts that is shown of a log that is longer.
const MARGIN_MS: i64 = 30_000;

/// The picture's contents. Times are the server's, in milliseconds since the epoch, as far as they can be aligned.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Timeline {
    /// The left edge, in milliseconds since the epoch.
    pub from: i64,
    /// The right edge, likewise.
    pub to: i64,
    /// The lanes, clients first.
    pub lanes: Vec<Lane>,
    /// What to know when reading it, such as clocks that could not be aligned.
    pub notes: Vec<String>,
}

/// One lane.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Lane {
    /// Its name.
    pub name: String,
    /// Whether the lane's events are failures.
    pub trouble: bool,
    /// Events in each of [`COLUMNS`] equal parts of the time.
    pub density: Vec<u32>,
    /// Events in all, inside of the picture.
    pub total: u32,
    /// Single events with words.
    pub marks: Vec<Mark>,
    /// Stretches of time: a hidden page, a gap in the log.
    pub spans: Vec<Span>,
}

/// An event with words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Mark {
    /// When it happened, in milliseconds since the epoch.
    pub at: i64,
    /// What. May hold ids: show as text.
    pub text: String,
}

/// A stretch of time.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Span {
    /// Its begin, in milliseconds since the epoch.
    pub from: i64,
    /// Its end, likewise.
    pub to: i64,
    /// What.
    pub text: String,
}

/// Events before they are counted into columns.
#[derive(Default)]
struct Raw {
    trouble: bool,
    times: Vec<i64>,
    marks: Vec<Mark>,
    spans: Vec<Span>,
}

/// Lanes by order and name.
type Lanes = BTreeMap<(u8, String), Raw>;

pub(crate) fn timeline(case: &Case<'_>) -> Timeline {
    let mut lanes = Lanes::new();
    let mut notes = Vec::new();
    for page in &case.pages {
        client(case, page, &mut lanes, &mut notes);
    }
    let client_times: Vec<i64> = times(&lanes).collect();
    server(case, &mut lanes);
    slow_minutes(case, &mut lanes);
    media(case, &mut lanes);
    let all: Vec<i64> = times(&lanes).collect();
    let (Some(first), Some(last)) = (all.iter().min(), all.iter().max()) else {
        return Timeline { notes, ..Timeline::default() };
    };
    let window = client_times.iter().min().zip(client_times.iter().max());
    let (from, to) = match window {
        // The log may span days; what the clients saw is the matter.
        Some((min, max)) => ((*first).max(min - MARGIN_MS), (*last).min(max + MARGIN_MS)),
        None => (*first, *last),
    };
    let to = to.max(from.saturating_add(1));
    let lanes = lanes
        .into_iter()
        .map(|((_, name), raw)| lane(name, raw, from, to))
        .filter(|lane| lane.total > 0 || !lane.spans.is_empty())
        .collect();
    Timeline { from, to, lanes, notes }
}

fn times(lanes: &Lanes) -> impl Iterator<Item = i64> + '_ {
    lanes.values().flat_map(|raw| raw.times.iter().copied())
}

fn lane(name: String, raw: Raw, from: i64, to: i64) -> Lane {
    let within = |at: &i64| (from..=to).contains(at);
    let mut density = vec![0_u32; COLUMNS];
    let mut total = 0;
    for at in raw.times.iter().copied().filter(|at| within(at)) {
        let column = ((i128::from(at) - i128::from(from)) * COLUMNS as i128
            / (i128::from(to) - i128::from(from)).max(1)) as usize;
        density[column.min(COLUMNS - 1)] += 1;
        total += 1;
    }
    let mut marks: Vec<Mark> = raw.marks.into_iter().filter(|mark| within(&mark.at)).collect();
    marks.sort_by_key(|mark| mark.at);
    marks.truncate(MARKS_MAX);
    let spans = raw
        .spans
        .into_iter()
        .filter(|span| span.from < to && span.to > from)
        .map(|span| Span { from: span.from.max(from), to: span.to.min(to), text: span.text })
        .take(MARKS_MAX)
        .collect();
    Lane { name, trouble: raw.trouble, density, total, marks, spans }
}

fn put(lanes: &mut Lanes, order: u8, name: String, trouble: bool, at: i64) -> &mut Raw {
    let raw = lanes.entry((order, name)).or_default();
    raw.trouble |= trouble;
    raw.times.push(at);
    raw
}

fn client(case: &Case<'_>, page: &Page, lanes: &mut Lanes, notes: &mut Vec<String>) {
    let report = case.report(page);
    let earlier = if report.is_of_earlier_page() { ", earlier page" } else { "" };
    let label = format!("{}{earlier}", case.label(page));
    if !report.has_times() {
        notes.push(format!("The lines of {label} have no times, and so no lanes."));
        return;
    }
    let logs = (0..case.bundle.logs.len()).map(Clock::Log);
    let to_server = shift_to(case, page, logs.clone());
    // Without a server's log the first page's clock is the picture's, and the others are laid beside it.
    let first = case.pages.first().filter(|first| logs.len() == 0 && first.report != page.report);
    let shift = to_server.unwrap_or_else(|| {
        let (shift, note) = match first.and_then(|first| Some((first, shift_to(case, page, [first.clock()])?))) {
            _ if logs.clone().any(|log| case.clocks.is_stepped(log)) || case.clocks.is_stepped(page.clock()) => (
                0,
                format!("A clock was set while {label} was captured: its lanes may be shifted against the server's."),
            ),
            Some((first, shift)) => (shift, format!("The lanes of {label} are by the clock of {}.", case.label(first))),
            None => (0, format!("The lanes of {label} are by its own clock: nothing aligns it with the server's.")),
        };
        notes.push(note);
        shift
    });
    let at = |ts: u64| i64::try_from(ts).unwrap_or(i64::MAX / 2).saturating_add(shift);
    for (_, entry) in report.entries() {
        let words = match entry.meaning {
            Meaning::Failure => "failures",
            Meaning::Transient => "transients",
            Meaning::Delivered => "deliveries",
            Meaning::Unrelated => continue,
        };
        let name = format!("{label}: {} {words}", entry.ke.id());
        put(lanes, 10 + entry.ke as u8, name, entry.meaning == Meaning::Failure, at(entry.ts.0));
    }
    for mark in &report.marks {
        let when = at(mark.ts.0);
        let raw = put(lanes, 3, format!("{label}: marked by the user"), mark.kind == MarkKind::Symptom, when);
        raw.marks.push(Mark { at: when, text: mark.text() });
    }
    for batch in &report.sent {
        put(lanes, 20, format!("{label}: batches sent"), false, at(batch.ts.0));
    }
    for row in report.requests.iter().flat_map(|requests| &requests.rows) {
        let (from, to) = (at(row.ts.0), at(row.ts.0.saturating_add(row.duration)));
        if let Some(text) = trouble(row) {
            let raw = put(lanes, 22, format!("{label}: requests that failed, as the browser saw"), true, to);
            raw.marks.push(Mark { at: to, text });
        } else if was_long(row) {
            let raw = put(lanes, 23, format!("{label}: requests that took long, as the browser saw"), true, from);
            raw.spans.push(Span { from, to, text: row.route.template().to_owned() });
        }
    }
    if let Some(call) = &report.call {
        for fact in call.facts.iter().filter(|fact| fact.what == CallFactKind::KeySet) {
            put(lanes, 18, format!("{label}: media keys set"), false, at(fact.ts.0));
        }
        let sampled: BTreeSet<u64> =
            call.streams.iter().flat_map(|stream| &stream.samples).map(|sample| sample.ts.0).collect();
        for moment in sampled {
            let text = "statistics of the call".to_owned();
            put(lanes, 19, format!("{label}: {text}"), false, at(moment)).marks.push(Mark { at: at(moment), text });
        }
        // The time is the server's. It has a place in the picture only where the difference to the page's clock is known. A membership from
        // before the page began is not of this page, and a report cannot have one from after it was made.
        let ahead = report.server_minus_page.map(|found| found.low.midpoint(found.high));
        let on_page = |created: u64| at(created).checked_sub(ahead?);
        for created in own_memberships(call, page).filter_map(|membership| membership.created_at) {
            let made = i64::try_from(created.0).ok();
            let when = to_server.map_or_else(|| on_page(created.0), |_| made);
            let began = report.capture.time_origin.map_or(i64::MIN, |origin| at(origin.0));
            let Some(when) = when.filter(|when| (began..=at(report.generated_at.0)).contains(when)) else { continue };
            let text = "call joined".to_owned();
            put(lanes, 2, format!("{label}: call"), false, when).marks.push(Mark { at: when, text });
        }
    }
    if let Some(origin) = report.capture.time_origin {
        let origin = at(origin.0);
        let raw = put(lanes, 1, format!("{label}: page"), false, origin);
        raw.marks.push(Mark { at: origin, text: "page starts".to_owned() });
        raw.times.push(at(report.generated_at.0));
        let end = if report.is_of_earlier_page() { "last stored" } else { "report" };
        raw.marks.push(Mark { at: at(report.generated_at.0), text: end.to_owned() });
        let mut away: Option<(i64, &str)> = None;
        for change in &report.capture.page_events {
            let when = at(change.ts.0);
            match (change.event.as_str(), away) {
                (event @ ("hidden" | "freeze" | "offline"), None) => away = Some((when, event)),
                ("visible" | "resume" | "online", Some((from, what))) => {
                    raw.spans.push(Span { from, to: when, text: what.to_owned() });
                    away = None;
                }
                _ => {}
            }
        }
        if let Some((from, what)) = away {
            raw.spans.push(Span { from, to: at(report.generated_at.0), text: what.to_owned() });
        }
    }
    for har in page.hars.iter().map(|har| &case.bundle.hars[*har]) {
        for request in &har.entries {
            let when = request.start.saturating_add(shift);
            // A call's membership is a state event; the delayed leave is sent or cancelled by its id.
            let call = if request.uri.contains("call.member") && request.method == "PUT" {
                Some(if request.uri.contains("delay=") { "leave scheduled" } else { "membership set" })
            } else if request.route() == Route::DelayedEvent && request.uri.ends_with("/send") {
                Some("call left")
            } else {
                None
            };
            if let Some(text) = call {
                put(lanes, 2, format!("{label}: call"), false, when)
                    .marks
                    .push(Mark { at: when, text: text.to_owned() });
            }
            if request.status == 0 || request.status >= 500 {
                put(lanes, 21, format!("{label}: requests without an answer"), true, when);
            }
        }
    }
}

/// The memberships of a page's own device, as its client holds the call.
fn own_memberships<'c>(call: &'c CallFacts, page: &Page) -> impl Iterator<Item = &'c CallMembership> {
    let is_own = move |membership: &&CallMembership| {
        page.device.as_ref().is_some_and(|device| {
            membership.user_id.as_ref() == Some(&device.user_id)
                && membership.device_id.as_ref() == Some(&device.device_id)
        })
    };
    call.session.iter().flat_map(|session| &session.memberships).filter(is_own)
}

/// How far the first of some clocks that a page is aligned with is ahead of the page's. A picture needs one number: the middle of what is
/// known.
fn shift_to(case: &Case<'_>, page: &Page, clocks: impl IntoIterator<Item = Clock>) -> Option<i64> {
    let mut clocks = clocks.into_iter();
    let ahead = clocks.find_map(|clock| case.clocks.ahead(page.clock(), clock).filter(|ahead| ahead.is_bounded()));
    ahead.map(Interval::middle)
}

fn server(case: &Case<'_>, lanes: &mut Lanes) {
    let devices: Vec<_> = case.pages.iter().filter_map(|page| page.device.as_ref()).collect();
    let ours = |user: &str, device: &str| {
        devices.is_empty() || devices.iter().any(|known| known.user_id == user && known.device_id == device)
    };
    for log in &case.bundle.logs {
        for upload in log.uploads.iter().filter(|upload| ours(&upload.user_id, &upload.device_id)) {
            let accepted = matches!(upload.outcome, crate::synapse_log::UploadOutcome::Accepted { .. });
            let words = if accepted { "accepted" } else { "refused or unknown" };
            put(lanes, 30, format!("server: keys/upload {words}"), !accepted, upload.at);
        }
        for claim in log.claims.iter().filter(|claim| ours(&claim.user_id, &claim.device_id)) {
            put(lanes, 31, "server: one-time keys claimed".to_owned(), false, claim.at);
        }
        for update in log.device_keys.iter().filter(|update| ours(&update.user_id, &update.device_id)) {
            let raw = put(lanes, 32, "server: identities".to_owned(), false, update.at);
            raw.marks.push(Mark { at: update.at, text: format!("identity of {}", update.device_id) });
        }
        for device in &log.deleted {
            let raw = put(lanes, 32, "server: identities".to_owned(), false, device.at);
            raw.marks.push(Mark { at: device.at, text: format!("{} deleted", device.device_id) });
        }
        for request in &log.requests {
            let name = match request.route {
                Route::SendToDevice => "server: sendToDevice",
                Route::DelayedEvent => "server: delayed events",
                _ => continue,
            };
            put(lanes, 33 + request.route as u8, name.to_owned(), request.status >= 400, request.start);
        }
        for restart in &log.restarts {
            let raw = put(lanes, 50, "server: starts".to_owned(), true, restart.at);
            raw.marks.push(Mark { at: restart.at, text: format!("start {}", restart.source).trim_end().to_owned() });
        }
        for process in log.processes.iter().filter(|process| !process.holes.is_empty()) {
            let name = format!("server: {} {}", log.name, process.source);
            let raw = lanes.entry((51, format!("{} silent", name.trim_end()))).or_default();
            let spans =
                process.holes.iter().map(|hole| Span { from: hole.from, to: hole.to, text: "no line".to_owned() });
            raw.spans.extend(spans);
        }
    }
}

/// The minutes in which the server was slow, by route: a stretch for minutes in a row, with the slowest of them.
fn slow_minutes(case: &Case<'_>, lanes: &mut Lanes) {
    for pace in widest(case.bundle) {
        let of_routes = pace.routes.into_iter().map(|(route, minutes)| (route as u8, route.name(), minutes));
        for (order, name, minutes) in of_routes.chain([(ALL_ROUTES, "all but syncs", pace.all)]) {
            let name = format!("server: slow minutes of {name} (1 s or more at the 99th percentile)");
            let slow = minutes.into_iter().filter(|minute| minute.p99_ms >= SLOW_MS);
            let mut run: Option<(Span, f64)> = None;
            for minute in slow {
                // Its start may lie outside of a picture that it covers: it is drawn as a stretch, and not counted as an event.
                let raw = lanes.entry((40 + order, name.clone())).or_default();
                raw.trouble = true;
                let to = minute.end();
                let (span, highest) = run
                    .take()
                    .filter(|(span, _)| span.to == minute.at)
                    .inspect(|_| {
                        raw.spans.pop();
                    })
                    .unwrap_or((Span { from: minute.at, to, text: String::new() }, 0.0));
                let highest = highest.max(minute.p99_ms);
                let span = Span { to, text: format!("{highest} ms"), ..span };
                raw.spans.push(span.clone());
                run = Some((span, highest));
            }
        }
    }
}

/// Who was in which room of which SFU, and who got a token for one, or none.
fn media(case: &Case<'_>, lanes: &mut Lanes) {
    for log in &case.bundle.media {
        for line in &log.lines {
            let text = match &line.event {
                MediaEvent::Starting => "SFU starts".to_owned(),
                MediaEvent::Connected(session) => format!("{} joins", session.identity),
                MediaEvent::Left { session, reason } => format!("{} leaves: {reason}", session.identity),
                MediaEvent::Published { session, encryption } => {
                    let encryption = encryption.as_deref().unwrap_or("not said");
                    format!("{} publishes, encryption {encryption}", session.identity)
                }
                MediaEvent::Token(token) => {
                    let who = token.user_id.as_deref().or(token.identity.as_deref()).unwrap_or("somebody");
                    format!("token for {who}")
                }
                MediaEvent::Refused => format!("somebody got no token (line {})", line.line),
                MediaEvent::Joining { .. } | MediaEvent::Cut | MediaEvent::Other => continue,
            };
            let refused = line.event == MediaEvent::Refused;
            let lane = match line.event.session() {
                Some(session) => format!("SFU: {}, {}", log.name, session.room_sid),
                None if log.program == MediaProgram::LiveKit => format!("SFU: {}", log.name),
                None if refused => format!("tokens for the SFU: {}, refused", log.name),
                None => format!("tokens for the SFU: {}", log.name),
            };
            put(lanes, 60, lane, refused, line.at).marks.push(Mark { at: line.at, text });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::call::{BEGUN, Held, history};
    use crate::triage::Triage;

    #[test]
    fn timeouts_and_the_moment_of_joining_lie_on_one_clock() {
        let calls = |held: Held| {
            let triage = Triage::of(&history("x", held).bundle());
            let lanes = triage.timeline.lanes.into_iter().filter(|lane| lane.name.ends_with(": call"));
            lanes.flat_map(|lane| lane.marks).map(|mark| (mark.at - BEGUN as i64, mark.text)).collect::<Vec<_>>()
        };
        // The server says 10 s after the page began; the page's clock is 3 s ahead then, measured to 50 ms.
        assert_eq!(calls(Held::default().ahead(3_000)), [(12_970, "call joined".to_owned())]);
        assert_eq!(calls(Held::default().unmeasured()), []);
    }

    #[test]
    fn a_storm_is_a_density_and_everything_lies_inside_of_the_picture() {
        let raw = Raw {
            times: (0..10_000).chain([-5, 20_001]).collect(),
            marks: (0..40).map(|at| Mark { at, text: "x".into() }).collect(),
            spans: vec![Span { from: -10, to: 5, text: "hidden".into() }],
            trouble: true,
        };
        let lane = lane("storm".into(), raw, 0, 20_000);
        assert_eq!((lane.density.len(), lane.total), (COLUMNS, 10_000));
        assert_eq!(lane.density.iter().sum::<u32>(), 10_000);
        assert_eq!(lane.marks.len(), MARKS_MAX);
        assert_eq!((lane.spans[0].from, lane.spans[0].to), (0, 5));
    }
}

//! Q4: each timeout joined to its own request, by the page's clock in the HAR and by delay id in the log.

use crypto_diag_analysis::evidence::ke4::Ke4Kind;
use crypto_diag_analysis::evidence::{self, Evidence as Facts};

use super::Case;
use crate::case::{Page, exchange};
use crate::har::{Exchange, Har};
use crate::problem::Place;
use crate::synapse_log::{Request, Route, ServerLog};
use crate::verdict::{Claim, ClockOf, Evidence, Fetch, Verdict};

/// A client prints its timeout at most this long after it gave the request up.
const PRINTED_WITHIN_MS: i64 = 250;

/// Times that differ by less than this are not told apart.
const SLACK_MS: i64 = 5;

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        let failures = failures(case, page);
        let mut calls: Vec<Option<String>> = failures.iter().map(|failure| failure.room_id.clone()).collect();
        calls.dedup();
        calls.sort_unstable();
        calls.dedup();
        for call in calls {
            let of_call: Vec<&Failure> = failures.iter().filter(|failure| failure.room_id == call).collect();
            verdicts.extend(of_failures(case, page, call.as_deref(), &of_call));
        }
    }
    verdicts
}

/// A line about a request that failed.
struct Failure {
    at: i64,
    room_id: Option<String>,
    delay_id: Option<String>,
    status: Option<u64>,
    local: bool,
    evidence: Evidence,
}

fn failures(case: &Case<'_>, page: &Page) -> Vec<Failure> {
    let mut failures = Vec::new();
    for (index, entry) in case.report(page).entries() {
        let Some(Facts::Ke4(line)) = evidence::read(entry) else { continue };
        let of_request = matches!(line.kind, Some(Ke4Kind::LocalTimeout | Ke4Kind::Gateway | Ke4Kind::ServerError));
        let (true, Ok(at)) = (of_request, i64::try_from(entry.ts.0)) else { continue };
        let piece = case.entry(page.report, index, "the client gave this attempt up");
        failures.extend(piece.map(|evidence| Failure {
            at,
            room_id: line.room_id,
            delay_id: line.delay_id,
            status: line.http_status,
            local: line.kind == Some(Ke4Kind::LocalTimeout),
            evidence,
        }));
    }
    failures
}

/// Whose fault one attempt was.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Fault {
    Homeserver,
    Gateway,
    NeverArrived,
}

impl Fault {
    const ALL: [Fault; 3] = [Fault::Homeserver, Fault::Gateway, Fault::NeverArrived];

    fn claim(self) -> Claim {
        match self {
            Fault::Homeserver => Claim::SlowHomeserver,
            Fault::Gateway => Claim::SlowGateway,
            Fault::NeverArrived => Claim::NeverArrived,
        }
    }
}

struct Judged {
    fault: Fault,
    says: String,
    evidence: Vec<Evidence>,
}

fn of_failures(case: &Case<'_>, page: &Page, room_id: Option<&str>, failures: &[&Failure]) -> Vec<Verdict> {
    let about = format!("{} {}", case.label(page), room_id.unwrap_or("a call"));
    let judged: Vec<Result<Judged, String>> = failures.iter().map(|failure| judge(case, page, failure)).collect();
    let told: Vec<&Judged> = judged.iter().filter_map(|judged| judged.as_ref().ok()).collect();
    let all_told = told.len() == judged.len();
    let why = judged.iter().find_map(|judged| judged.as_ref().err()).cloned().unwrap_or_default();
    let held_up = failures.iter().any(|failure| {
        let at = crypto_diag_core::Millis(failure.at.max(0) as u64);
        let from = crypto_diag_core::Millis(at.0.saturating_sub(30_000));
        case.report(page).was_held_up(from, at) != Some(false)
    });
    let verdict = |fault: Fault| {
        let ours: Vec<&&Judged> = told.iter().filter(|judged| judged.fault == fault).collect();
        let claim = fault.claim();
        let refute = "The same request, told apart by delay id and time, in another state on the other side.";
        if let Some(first) = ours.first() {
            let statement = format!("{} of {} failed attempts: {}", ours.len(), judged.len(), first.says);
            let evidence = ours.iter().take(3).flat_map(|judged| judged.evidence.clone());
            let mut verdict = Verdict::proven(claim, &about, statement).evidence(evidence).would_refute(refute);
            if held_up {
                verdict =
                    verdict.open("The page may have been hidden, frozen or offline, which delays its own timers.");
            } else {
                verdict = verdict.ruled_out("A page that was hidden, frozen or offline.");
            }
            if fault == Fault::NeverArrived {
                verdict = verdict.open("A gateway that holds requests for longer than the log goes on.");
            }
            return if failures.len() == 1 {
                verdict.open("One attempt that fails and is repeated is no failure of the call.")
            } else {
                verdict
            };
        }
        if all_told {
            let evidence = told.iter().take(3).flat_map(|judged| judged.evidence.clone());
            let statement = "Every failed attempt has another explanation.";
            return Verdict::refuted(claim, &about, statement).evidence(evidence).would_refute(refute);
        }
        let statement = match claim {
            Claim::SlowHomeserver => "Whether the homeserver was too slow",
            Claim::SlowGateway => "Whether a gateway or the network was too slow",
            _ => "Whether the requests reached the homeserver",
        };
        let evidence = failures.iter().take(2).map(|failure| failure.evidence.clone());
        Verdict::unknown(claim, &about, format!("{statement} cannot be told: {why}."), fetch(case, page))
            .evidence(evidence)
            .would_refute(refute)
    };
    Fault::ALL.into_iter().map(verdict).collect()
}

fn fetch(case: &Case<'_>, page: &Page) -> Vec<Fetch> {
    let mut fetch = Vec::new();
    if page.hars.is_empty() {
        fetch.push(case.fetch_har(page, "each attempt's own request: its delay id, and when it was sent"));
    }
    if case.bundle.logs.is_empty() {
        fetch.push(case.query(page.report, "ke4-log", "whether and when those requests reached the homeserver"));
    } else if fetch.is_empty() {
        fetch.push(case.fetch_log(
            page,
            "a log that holds nearly all of the HAR's requests: every worker's, at INFO, not rotated away",
        ));
    }
    fetch
}

fn judge(case: &Case<'_>, page: &Page, failure: &Failure) -> Result<Judged, String> {
    let (har, index) = own_request(case, page, failure)?;
    let request = &har.entries[index];
    let sent = exchange(har, index, "the attempt's own request, as the client sent it");
    if !failure.local {
        return gateway_answer(case, page, failure, request, sent);
    }
    let mut evidence = vec![failure.evidence.clone(), sent];
    let arrived = arrived(case, page, har, index)?;
    let patience = failure.at - request.start;
    let (Some((earliest, latest)), Some((gave_up, _))) =
        (page.log_offset.to_server(request.start), page.log_offset.to_server(failure.at))
    else {
        return Err("the page's clock and the server's cannot be put on one time".to_owned());
    };
    let (log, line) = match arrived {
        Arrival::At(log, line) => (log, line),
        Arrival::Missing { unanswered, missing } => {
            let Some(seconds) = goes_on(case, gave_up) else {
                return Err("the log ends before the client gave the request up".to_owned());
            };
            let says = format!(
                "at least {missing} of {unanswered} unanswered requests had not reached the homeserver when the client gave up, nor in the {seconds} s \
                 that its log goes on, which would show them: network or client."
            );
            return Ok(Judged { fault: Fault::NeverArrived, says, evidence });
        }
    };
    let took = line.end - line.start;
    let late_at_least = line.start - latest;
    let late_at_most = line.start - earliest;
    evidence.push(Evidence::new(
        &log.name,
        Place::Line(line.line),
        Some(line.start),
        ClockOf::Server,
        &line.quote,
        format!("the same request at the homeserver, which took {took} ms"),
    ));
    let half = patience / 2;
    let in_time = late_at_most <= half;
    let late = late_at_least > half;
    // Not yet answered when the client gave up, by any reading of the clocks.
    let unanswered = line.end > gave_up + (latest - earliest) + SLACK_MS;
    let quick = took < half;
    match (in_time, late) {
        (true, _) if unanswered && took >= half => Ok(Judged {
            fault: Fault::Homeserver,
            says: format!("it reached the homeserver in time, which took {took} ms; the client waited {patience} ms."),
            evidence,
        }),
        (_, true) if quick => Ok(Judged {
            fault: Fault::Gateway,
            says: format!(
                "it reached the homeserver at least {late_at_least} ms late, which answered within {took} ms: gateway or network."
            ),
            evidence,
        }),
        (true, _) if quick && line.end + half < gave_up => Ok(Judged {
            fault: Fault::Gateway,
            says: format!(
                "the homeserver answered within {took} ms and in time, and the answer did not come back: gateway or network."
            ),
            evidence,
        }),
        _ => {
            Err("both the way and the homeserver took their time, or the clocks are not close enough to tell"
                .to_owned())
        }
    }
}

/// For how many seconds a log goes on behind a time; `None` if none reaches it.
fn goes_on(case: &Case<'_>, from: i64) -> Option<i64> {
    let last = case.bundle.logs.iter().filter_map(|log| log.last).max()?;
    (last >= from).then_some((last - from) / 1000)
}

/// The one delayed-event request that was open when the client gave it up: the last one sent before.
fn own_request<'c>(case: &'c Case<'_>, page: &Page, failure: &Failure) -> Result<(&'c Har, usize), String> {
    if page.hars.is_empty() {
        return Err("there is no HAR of that page, so a timeout has no request to be joined to".to_owned());
    }
    let mut open: Vec<(&Har, usize)> = Vec::new();
    for har in page.hars.iter().map(|har| &case.bundle.hars[*har]) {
        for (index, request) in har.entries.iter().enumerate() {
            let fits = request.delay_id().is_some()
                && request.start < failure.at
                && request.end() >= failure.at - PRINTED_WITHIN_MS
                && failure.delay_id.as_deref().is_none_or(|id| request.delay_id() == Some(id))
                && failure.status.is_none_or(|status| u64::from(request.status) == status);
            if fits {
                open.push((har, index));
            }
        }
    }
    let newest = open.iter().max_by_key(|(har, index)| har.entries[*index].start).copied();
    let Some((har, index)) = newest else {
        return Err("the HAR shows no delayed-event request that was open at that moment".to_owned());
    };
    let delay_id = har.entries[index].delay_id();
    let one_event = open.iter().all(|(har, index)| har.entries[*index].delay_id() == delay_id);
    if one_event {
        Ok((har, index))
    } else {
        Err("requests about several delayed events were open at that moment".to_owned())
    }
}

/// Where a client's request is at the server.
enum Arrival<'c> {
    /// This line is it.
    At(&'c ServerLog, &'c Request),
    /// There is no line left that could be it.
    Missing {
        /// Of so many unanswered requests of its kind.
        unanswered: usize,
        /// At least so many never arrived.
        missing: usize,
    },
}

/// The server's line of a client's request: same method and path. Answered requests are paired first, since their answer
/// bounds them on both sides; then unanswered ones, in order, with lines of the time that the HAR holds whole. A line
/// behind the HAR's end may be of a request that the HAR does not have.
fn arrived<'c>(case: &'c Case<'_>, page: &Page, har: &'c Har, index: usize) -> Result<Arrival<'c>, String> {
    if case.bundle.logs.is_empty() {
        return Err("there is no server log".to_owned());
    }
    let clocks = || "the page's clock and the server's cannot be put on one time".to_owned();
    let key = |request: &Exchange| (request.method.clone(), request.uri.clone());
    let wanted = key(&har.entries[index]);
    let mut ours: Vec<(usize, &Exchange)> =
        har.entries.iter().enumerate().filter(|(_, request)| key(request) == wanted).collect();
    ours.sort_by_key(|(_, request)| request.start);
    let mut theirs: Vec<(&ServerLog, &Request)> = case
        .bundle
        .logs
        .iter()
        .flat_map(|log| log.requests.iter().map(move |request| (log, request)))
        .filter(|(_, request)| (request.method.clone(), request.uri.clone()) == wanted)
        .collect();
    theirs.sort_by_key(|(_, request)| request.start);
    let har_end = har.entries.iter().map(|request| request.start).max().unwrap_or_default();
    let (har_end, _) = page.log_offset.to_server(har_end).ok_or_else(clocks)?;
    let mut pairs: Vec<(usize, usize)> = Vec::new();
    for answered in [true, false] {
        for (ours, request) in ours.iter().filter(|(_, request)| (request.status != 0) == answered) {
            let (earliest, _) = page.log_offset.to_server(request.start).ok_or_else(clocks)?;
            let (_, until) = page.log_offset.to_server(request.end()).ok_or_else(clocks)?;
            let fits = |(at, (_, line)): &(usize, &(&ServerLog, &Request))| {
                let free = pairs.iter().all(|(_, taken)| taken != at) && line.start >= earliest - SLACK_MS;
                let bounded = line.end <= until + SLACK_MS && line.status == request.status;
                free && if answered { bounded } else { line.start < har_end }
            };
            let found = theirs.iter().enumerate().find(fits).map(|(at, _)| at);
            pairs.extend(found.map(|found| (*ours, found)));
        }
    }
    if let Some((log, line)) = pairs.iter().find(|(ours, _)| *ours == index).and_then(|(_, found)| theirs.get(*found)) {
        return Ok(Arrival::At(log, line));
    }
    if !case.log_shows(page, Route::DelayedEvent) {
        let why = case.why_log_shows_not(page, Route::DelayedEvent);
        return Err(format!("the request is not in the log, which need not hold it: {why}"));
    }
    // What is left on both sides: so many requests without an answer, so many lines that any of them may be.
    let lost: Vec<usize> = ours
        .iter()
        .filter(|(at, request)| request.status == 0 && pairs.iter().all(|(paired, _)| paired != at))
        .map(|(at, _)| *at)
        .collect();
    let (earliest, _) = page.log_offset.to_server(har.entries[index].start).ok_or_else(clocks)?;
    let left = theirs
        .iter()
        .enumerate()
        .filter(|(at, (_, line))| line.start >= earliest - SLACK_MS && pairs.iter().all(|(_, taken)| taken != at));
    let missing = lost.len().saturating_sub(left.count());
    match lost.iter().position(|at| *at == index) {
        Some(position) if position < missing => Ok(Arrival::Missing { unanswered: lost.len(), missing }),
        Some(_) => Err("a later line of the log may be this request, or one that the HAR does not have".to_owned()),
        None => Err("the HAR has an answer, and the log has no line that fits it".to_owned()),
    }
}

/// 5xx at the client: the gateway's own, if the homeserver's log shows no such answer.
fn gateway_answer(
    case: &Case<'_>,
    page: &Page,
    failure: &Failure,
    request: &Exchange,
    sent: Evidence,
) -> Result<Judged, String> {
    let key = (&request.method, &request.uri);
    let lines = case.bundle.logs.iter().flat_map(|log| log.requests.iter().map(move |line| (log, line)));
    let same = lines.filter(|(_, line)| (&line.method, &line.uri) == key);
    let answered: Vec<_> = same.filter(|(_, line)| line.status == request.status).collect();
    if let [(log, line)] = answered.as_slice() {
        let piece = Evidence::new(
            &log.name,
            Place::Line(line.line),
            Some(line.start),
            ClockOf::Server,
            &line.quote,
            "the homeserver itself gave that answer",
        );
        let says = format!("the homeserver itself answered {}.", line.status);
        return Ok(Judged { fault: Fault::Homeserver, says, evidence: vec![failure.evidence.clone(), sent, piece] });
    }
    if answered.is_empty() && case.log_shows(page, Route::DelayedEvent) {
        let says = format!("the client got {} and the homeserver gave no such answer: a gateway did.", request.status);
        return Ok(Judged { fault: Fault::Gateway, says, evidence: vec![failure.evidence.clone(), sent] });
    }
    Err(format!(
        "whether the homeserver gave that answer is not shown: {}",
        case.why_log_shows_not(page, Route::DelayedEvent)
    ))
}

//! Failed attempts about delayed events, each joined to its own request in the HAR and to that request's line in the
//! server's log: what the rules about whose fault it was have in common.

use crypto_diag_analysis::evidence::ke4::Ke4Kind;

use super::calls::{self, Call, CallLine};
use super::own_line::{At, Line, SLACK_MS, line_of};
use crate::case::coverage::Absence;
use crate::case::{Case, Page, exchange};
use crate::conclusion::Conclusion;
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::synapse_log::Route;
use crate::verdict::{Evidence, Sentences, Verdict};

/// A client prints that it gave a request up at most this long afterwards, in milliseconds.
const PRINTED_WITHIN_MS: i64 = 250;

/// An attempt that failed.
pub(super) struct Attempt<'c> {
    /// The client's own line.
    printed: Evidence,
    /// Whether the client stopped waiting; else it got an error.
    is_local: bool,
    awake: bool,
    request: Option<OwnRequest<'c>>,
}

/// The attempt's request. Its times are those of the HAR's clock.
struct OwnRequest<'c> {
    request: &'c Exchange,
    evidence: Evidence,
    /// Whether no other delayed event's request was open, and the HAR has as many failures in a row as the client counts.
    is_certain: bool,
    /// When the client gave up, or got the error.
    gave_up: i64,
    /// The shortest time that any request of this browser took.
    round_trip: f64,
    line: Line<'c>,
    /// Why the log need not show the request, as a clause; `None` if it would.
    would_not_show: Option<String>,
}

impl OwnRequest<'_> {
    fn half(&self) -> i64 {
        (self.gave_up - self.request.start) / 2
    }

    fn at(&self) -> Option<&At<'_>> {
        match &self.line {
            Line::At(at) => Some(at),
            Line::Missing | Line::Unknown(_) => None,
        }
    }

    /// Milliseconds from the request's sending to its arrival, at least.
    fn late_at_least(&self, at: &At<'_>) -> i64 {
        at.start.0.saturating_sub(self.request.start)
    }

    fn in_time(&self, at: &At<'_>) -> bool {
        at.start.1.saturating_sub(self.request.start) <= self.half()
    }
}

impl Attempt<'_> {
    fn with_line(&self, holds: impl Fn(&OwnRequest<'_>, &At<'_>) -> bool) -> bool {
        self.request.as_ref().is_some_and(|own| own.at().is_some_and(|at| holds(own, at)))
    }

    /// Which request and which line are the attempt's own is known.
    pub fn is_told(&self) -> bool {
        (OWN_REQUEST.1)(self) && (OWN_LINE.1)(self)
    }

    /// It reached the homeserver within half of the client's wait, by any reading of the clocks.
    pub fn arrived_in_time(&self) -> bool {
        self.with_line(|own, at| own.in_time(at))
    }

    /// The homeserver took half of the client's wait or more, and had not answered when the client gave up.
    pub fn answered_too_late(&self) -> bool {
        self.with_line(|own, at| at.took() >= own.half() && at.end.0 > own.gave_up + SLACK_MS)
    }

    /// The homeserver took less than half of the client's wait.
    pub fn answered_quickly(&self) -> bool {
        self.with_line(|own, at| at.took() < own.half())
    }

    /// More than half of the client's wait went by before the request reached the homeserver, or after it had answered. The time
    /// that the request waited in the browser's own queue does not count.
    pub fn was_held_up(&self) -> bool {
        self.with_line(|own, at| {
            let queued = own.request.blocked.ceil() as i64;
            own.late_at_least(at).saturating_sub(queued) > own.half() || answer_was_held_up(own, at)
        })
    }

    /// The error that the client got is the homeserver's own answer.
    pub fn got_its_answer(&self) -> bool {
        !self.is_local && self.with_line(|_, at| at.is_answer)
    }

    pub fn is_missing_in_the_log(&self) -> bool {
        self.request.as_ref().is_some_and(|own| matches!(own.line, Line::Missing))
    }

    pub fn log_would_show_it(&self) -> bool {
        self.request.as_ref().is_some_and(|own| own.would_not_show.is_none())
    }

    /// How long the homeserver took and the client waited, in milliseconds, if the line is known.
    pub fn durations(&self) -> Option<(i64, i64)> {
        let own = self.request.as_ref()?;
        Some((own.at()?.took(), own.gave_up - own.request.start))
    }

    fn evidence(&self) -> Vec<Evidence> {
        let mut pieces = vec![self.printed.clone()];
        if let Some(own) = &self.request {
            pieces.push(own.evidence.clone());
            pieces.extend(own.at().map(|at| {
                let says = format!("the same request at the homeserver, which took {} ms", at.took());
                Evidence::logged(at.log, at.line.line, at.line.start, &at.line.quote, says)
            }));
        }
        pieces
    }

    /// Why it cannot be told, as a clause.
    fn why(&self) -> String {
        let Some(own) = &self.request else {
            return "no HAR shows a request about a delayed event that was open when the client gave up".to_owned();
        };
        match &own.line {
            _ if !own.is_certain => {
                "the HAR lacks requests that the client counts, or several delayed events' requests were open"
                    .to_owned()
            }
            _ if !self.awake => {
                "the page may have been hidden, frozen or offline, which delays its own timers".to_owned()
            }
            Line::Unknown(why) => why.clone(),
            Line::At(at) if !at.is_certain => {
                "no line of the log begins as the request was sent or ends as its answer came".to_owned()
            }
            Line::Missing => match &own.would_not_show {
                Some(why) => format!("the request is not in the log, which need not hold it: {why}"),
                None => "the client hardly waited".to_owned(),
            },
            Line::At(_) => "both the way and the homeserver took their time, or the client's own queue did".to_owned(),
        }
    }
}

fn answer_was_held_up(own: &OwnRequest<'_>, at: &At<'_>) -> bool {
    own.in_time(at) && at.end.1.saturating_add(own.half()) < own.gave_up
}

/// A premise about an attempt, and whether it holds.
pub(super) type Check = (&'static Premise, fn(&Attempt<'_>) -> bool);

pub(super) const OWN_REQUEST: Check = (
    &Premise {
        id: "attempt/own-request",
        says: "A HAR of this page's browser shows the attempt's own request: the newest one about a delayed event that was open \
               when the client gave up. All that were open are about the same event, and in a row at least as many were not \
               answered before the next was sent as the client counts failures.",
        rules_out: "The line is about another request than the one that was looked at: one that the HAR lacks, since it went on when \
                    the HAR was saved, or the recorder was paused.",
    },
    |attempt| attempt.request.as_ref().is_some_and(|own| own.is_certain),
);

pub(super) const OWN_LINE: Check = (
    &Premise {
        id: "attempt/own-line",
        says: "The server's log has the line of that very request: it begins within 100 ms after the request was sent, or it is of the \
               answer that the client got, and ends within 100 ms before that came.",
        rules_out: "The line in the log is another attempt's, which the HAR may lack, or this one's line stands in a log that was not \
                    given.",
    },
    |attempt| attempt.with_line(|_, at| at.is_certain),
);

pub(super) const PATIENT: Check = (
    &Premise {
        id: "attempt/patient",
        says: "The client waited more than twice as long as the quickest answer in its HAR took.",
        rules_out: "The client gave up before any answer could have come.",
    },
    |attempt| {
        attempt.request.as_ref().is_some_and(|own| (own.gave_up - own.request.start) as f64 > 2.0 * own.round_trip)
    },
);

pub(super) const AWAKE: Check = (
    &Premise {
        id: "attempt/awake",
        says: "The page was visible, not frozen and online from a minute before the attempt until the client gave up, as its capture \
               noted.",
        rules_out: "The page was hidden, frozen or offline, which delays its own timers and requests.",
    },
    |attempt| attempt.awake,
);

/// What a rule about attempts says.
pub(super) struct Fault {
    pub conclusion: Conclusion,
    /// What proves it of one attempt.
    pub checks: &'static [Check],
    /// What refutes it, if it holds of every attempt.
    pub otherwise: Check,
    /// What is proven of an attempt, as a clause.
    pub proven: fn(&Attempt<'_>) -> String,
    /// What is refuted, as a sentence.
    pub refuted: &'static str,
    /// "Whether the homeserver was too slow".
    pub unknown: &'static str,
}

/// The verdicts of a rule: one for each call in which attempts failed.
pub(super) fn verdicts(case: &Case<'_>, fault: &Fault) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        for call in calls::of_page(case, page) {
            let attempts: Vec<Attempt<'_>> = call.lines.iter().filter_map(|line| attempt(case, page, line)).collect();
            if !attempts.is_empty() {
                verdicts.push(of_call(case, fault, page, &call, &attempts));
            }
        }
    }
    verdicts
}

fn of_call(case: &Case<'_>, fault: &Fault, page: &Page, call: &Call<'_>, attempts: &[Attempt<'_>]) -> Verdict {
    let held = |attempt: &Attempt<'_>| fault.checks.iter().filter(|(_, holds)| holds(attempt)).count();
    let best = attempts.iter().rev().max_by_key(|attempt| held(attempt)).unwrap_or(&attempts[0]);
    let count = attempts.iter().filter(|attempt| held(attempt) == fault.checks.len()).count();
    let needs = || needs(case, page, best);
    let time = call.lines.first().zip(call.lines.last());
    let time = time.map(|(first, last)| (calls::cause_before(first.at), last.at));
    let measured = time.and_then(|(from, to)| case.measured(page, from, to));
    let paced = time.into_iter().flat_map(|(from, to)| case.paced(from, to));
    let mut proof = Proof::new(case).evidence(best.evidence()).evidence(measured).evidence(paced);
    for (premise, holds) in fault.checks {
        proof = proof.premise(premise, holds(best), needs);
    }
    let (premise, otherwise) = fault.otherwise;
    let refutation = Proof::new(case).evidence(attempts.iter().take(2).flat_map(Attempt::evidence)).premise(
        premise,
        attempts.iter().all(otherwise),
        Vec::new,
    );
    let name = call.name();
    let sentences = Sentences {
        proven: format!(
            "In {name}, {count} of {} failed attempts of {}: {}.",
            attempts.len(),
            case.label(page),
            (fault.proven)(best)
        ),
        refuted: format!("In {name}: {}", fault.refuted),
        unknown: format!("In {name}: {} cannot be told: {}.", fault.unknown, best.why()),
    };
    let verdict = Verdict::decide(case, fault.conclusion, call.about(case, page), proof, Some(refutation), sentences);
    if verdict.is_proven() && attempts.len() == 1 {
        return verdict
            .how("Whether the call suffered: one attempt that fails and is repeated is no failure of the call.");
    }
    verdict
}

fn needs(case: &Case<'_>, page: &Page, attempt: &Attempt<'_>) -> Vec<Need> {
    let mut needs = Vec::new();
    // A HAR that was paused or begins late can lack the attempt's request. No log says which request belongs to the attempt, so a whole
    // HAR comes first.
    if attempt.request.is_none() {
        needs.push(Need::har(page.report, "each attempt's own request: its delay id, and when it was sent"));
    }
    if case.bundle.logs.is_empty() {
        let why = "whether and when those requests reached the homeserver";
        needs.push(Need::query(Some(page.report), "ke4-log", why));
    } else if !page.hars.is_empty() {
        let why = "every process's log at INFO, without a hole, from before the attempts until well after them";
        needs.push(Need::log(Some(page.report), why));
    }
    needs
}

fn attempt<'c>(case: &'c Case<'_>, page: &'c Page, line: &CallLine<'_>) -> Option<Attempt<'c>> {
    let kind = line.facts.kind?;
    if !matches!(kind, Ke4Kind::LocalTimeout | Ke4Kind::Gateway | Ke4Kind::ServerError) {
        return None;
    }
    let is_local = kind == Ke4Kind::LocalTimeout;
    let request = page.hars.iter().find_map(|har| own_request(case, page, *har, line, is_local));
    let from = request.as_ref().map_or(line.at, |(from, _)| *from);
    Some(Attempt {
        printed: case.entry(page.report, line.entry, "the client gave this attempt up")?,
        is_local,
        awake: case.was_awake(page, calls::cause_before(from), line.at),
        request: request.map(|(_, own)| own),
    })
}

/// The one delayed-event request that was open when the client gave it up: the last one sent before.
fn own_request<'c>(
    case: &'c Case<'_>,
    page: &'c Page,
    har_index: usize,
    line: &CallLine<'_>,
    is_local: bool,
) -> Option<(Moment, OwnRequest<'c>)> {
    let (har, clock) = (&case.bundle.hars[har_index], Clock::Har(har_index));
    // Requests are paired with lines by what is left over, so one that was not read would leave the wrong one.
    if har.lacks_requests {
        return None;
    }
    let printed = case.clocks.by(line.at, clock)?;
    let open: Vec<(usize, &Exchange)> = har
        .entries
        .iter()
        .enumerate()
        .filter(|(_, request)| {
            request.delay_id().is_some()
                && request.start < printed.latest
                && request.end() >= printed.earliest - PRINTED_WITHIN_MS
                && line.facts.delay_id.as_deref().is_none_or(|id| request.delay_id() == Some(id))
                && line.facts.http_status.is_none_or(|status| u64::from(request.status) == status)
        })
        .collect();
    let (index, request) = open.iter().max_by_key(|(_, request)| request.start).copied()?;
    let gave_up = if is_local { printed.earliest } else { request.end() };
    let (from, to) = (Moment::at(clock, request.start), Moment::at(clock, request.end().max(gave_up)));
    let absence = Absence { route: Route::DelayedEvent, page: Some(page), answered: false, from, to };
    let answered = har.entries.iter().filter(|request| (200..500).contains(&request.status));
    let own = OwnRequest {
        request,
        evidence: exchange(har, index, "the attempt's own request, as the client sent it"),
        is_certain: open.iter().all(|(_, other)| other.delay_id() == request.delay_id())
            && failed_in_a_row(har, request) > line.facts.attempt.unwrap_or(0),
        gave_up,
        round_trip: answered.map(|request| request.time).fold(f64::INFINITY, f64::min),
        line: line_of(case, har, clock, index),
        would_not_show: case.would_show(&absence).err().map(|why| why.to_string()),
    };
    Some((from, own))
}

/// Requests like this one, itself the last, of which none was answered before the next was sent.
fn failed_in_a_row(har: &Har, request: &Exchange) -> u64 {
    let like = |other: &&Exchange| other.uri == request.uri && other.start < request.start;
    let mut earlier: Vec<&Exchange> = har.entries.iter().filter(like).collect();
    earlier.sort_by_key(|other| other.start);
    let mut next = request.start;
    let mut count = 1;
    for other in earlier.into_iter().rev() {
        if (200..500).contains(&other.status) && other.end() <= next {
            break;
        }
        next = other.start;
        count += 1;
    }
    count
}

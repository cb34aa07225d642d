//! The line that a client's request has in the server's logs.

use crate::case::Case;
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::synapse_log::Request;

/// Times that differ by less than this are not told apart, in milliseconds.
pub(super) const SLACK_MS: i64 = 5;

/// A line that begins so soon after a request was sent, or ends so soon before its answer came, is no other one's by chance, in
/// milliseconds.
const AT_ONCE_MS: i64 = 100;

/// What the server's logs have of a request.
pub(super) enum Line<'c> {
    /// This line.
    At(At<'c>),
    /// None is left that could be it.
    Missing,
    /// Nothing that can be said, and why, as a clause.
    Unknown(String),
}

/// A line. Its times are those of the HAR's clock, each between two.
pub(super) struct At<'c> {
    pub line: &'c Request,
    pub log: &'c str,
    pub start: (i64, i64),
    pub end: (i64, i64),
    /// Whether it is that request's own.
    pub is_certain: bool,
    /// Whether the client may have got this line's answer.
    pub is_answer: bool,
}

impl At<'_> {
    /// Milliseconds that the homeserver took.
    pub fn took(&self) -> i64 {
        self.line.end - self.line.start
    }
}

/// The server's line of a client's request. A line is the request's own where it begins as the request was sent, or ends as its
/// answer came. What is left over on both sides is not paired by order: the HAR lacks what went on when it was saved and what was
/// sent while its recorder was paused, and the log what was written elsewhere.
pub(super) fn line_of<'c>(case: &'c Case<'_>, har: &'c Har, clock: Clock, index: usize) -> Line<'c> {
    if case.bundle.logs.is_empty() {
        return Line::Unknown("there is no server log".to_owned());
    }
    let wanted = &har.entries[index];
    let same = |method: &str, uri: &str| method == wanted.method && uri == wanted.uri;
    let mut ours: Vec<(usize, &Exchange)> =
        har.entries.iter().enumerate().filter(|(_, request)| same(&request.method, &request.uri)).collect();
    ours.sort_by_key(|(_, request)| request.start);
    let mut lines: Vec<At<'c>> = Vec::new();
    for (log_index, log) in case.bundle.logs.iter().enumerate() {
        for line in log.requests.iter().filter(|line| same(&line.method, &line.uri)) {
            let by = |ms: i64| {
                let moment = case.clocks.by(Moment::at(Clock::Log(log_index), ms), clock)?;
                Some((moment.earliest, moment.latest))
            };
            let (Some(start), Some(end)) = (by(line.start), by(line.end)) else {
                return Line::Unknown("the page's clock and the server's cannot be put on one time".to_owned());
            };
            lines.push(At { line, log: &log.name, start, end, is_certain: false, is_answer: false });
        }
    }
    lines.sort_by_key(|line| line.start);
    let mut waiting = ours.clone();
    for is_own in [begins_with, ends_with] {
        let mut left = Vec::new();
        for (at, request) in waiting {
            match lines.iter().position(|line| is_own(line, request)) {
                Some(found) => {
                    let line = lines.remove(found);
                    if at == index {
                        let is_answer = may_be_answer(&line, request);
                        return Line::At(At { is_certain: true, is_answer, ..line });
                    }
                }
                None => left.push((at, request)),
            }
        }
        waiting = left;
    }
    if is_answered(wanted) {
        return match lines.into_iter().find(|line| may_be_answer(line, wanted)) {
            Some(line) => Line::At(At { is_answer: true, ..line }),
            None => Line::Unknown("the client has an answer, and the log has no line that fits it".to_owned()),
        };
    }
    // A line from before it is of a request that the HAR does not have; so is one from behind the HAR's end.
    let last = har.entries.iter().map(Exchange::end).max().unwrap_or(i64::MAX);
    lines.retain(|line| line.start.1 >= wanted.start - SLACK_MS && line.start.0 <= last);
    lines.into_iter().next().map_or(Line::Missing, Line::At)
}

/// Whether the answer is one that a gateway does not give by itself.
fn is_answered(request: &Exchange) -> bool {
    (200..500).contains(&request.status)
}

/// Whether a line may be of the answer that the client got.
fn may_be_answer(line: &At<'_>, request: &Exchange) -> bool {
    line.line.status == request.status
        && line.start.1 >= request.start - SLACK_MS
        && line.end.0 <= request.end() + SLACK_MS
}

/// Whether a line begins as the request left the browser.
fn begins_with(line: &At<'_>, request: &Exchange) -> bool {
    let sent = request.start.saturating_add(request.blocked.ceil() as i64);
    line.start.1 >= sent - SLACK_MS
        && line.start.1 <= sent + AT_ONCE_MS
        && line.start.0 >= sent - AT_ONCE_MS
        && (!is_answered(request) || may_be_answer(line, request))
}

/// Whether a line ends as the request was answered.
fn ends_with(line: &At<'_>, request: &Exchange) -> bool {
    may_be_answer(line, request) && line.end.0 >= request.end() - AT_ONCE_MS && line.end.1 <= request.end() + AT_ONCE_MS
}

//! The line that a client's request has in the server's logs.

use crate::case::Case;
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::synapse_log::Request;

/// Times that differ by less than this are not told apart, in milliseconds.
pub(super) const SLACK_MS: i64 = 5;

/// A line that begins so soon after a request was sent is no earlier one's that was held up, in milliseconds.
const AT_ONCE_MS: i64 = 100;

/// What the request that schedules a delayed event has in its query.
const DELAYED: &str = "msc4140.delay=";

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
    /// Whether requests and lines pair off one for one.
    pub is_certain: bool,
    /// Whether the client got this line's own answer.
    pub is_answer: bool,
}

impl At<'_> {
    /// Milliseconds that the homeserver took.
    pub fn took(&self) -> i64 {
        self.line.end - self.line.start
    }
}

/// The server's line of a client's request. Requests that got the homeserver's own answer are paired with lines first,
/// since their answer bounds them on both sides. The rest must pair off one for one, in order: where there are fewer lines
/// than requests, nothing says which one is missing.
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
            lines.push(At { line, log: &log.name, start, end, is_certain: true, is_answer: false });
        }
    }
    lines.sort_by_key(|line| line.start);
    let mut waiting: Vec<usize> = Vec::new();
    for (at, request) in ours {
        let is_answer = |line: &At<'_>| {
            line.line.status == request.status
                && line.start.1 >= request.start - SLACK_MS
                && line.end.0 <= request.end() + SLACK_MS
        };
        match lines.iter().position(is_answer) {
            Some(found) => {
                let line = lines.remove(found);
                if at == index {
                    return Line::At(At { is_answer: true, ..line });
                }
            }
            None if request.status == 0 || request.status >= 500 => waiting.push(at),
            None if at == index => {
                return Line::Unknown("the client has an answer, and the log has no line that fits it".to_owned());
            }
            None => {}
        }
    }
    // One that was sent before the HAR began, and is still held up somewhere, has its line later than those of the HAR. What begins
    // a delayed event's life, or an answer to an earlier restart of it, shows that there is none.
    let is_first = |request: &Exchange, first: i64| {
        let begins = request.uri.contains(DELAYED) && request.status == 200;
        request.end() <= first && (begins || same(&request.method, &request.uri) && request.status == 200)
    };
    // A line from before the first of them is of a request that the HAR does not have; so is one from behind its end.
    let first = waiting.first().map_or(i64::MAX, |at| har.entries[*at].start);
    let last = har.entries.iter().map(Exchange::end).max().unwrap_or(i64::MAX);
    lines.retain(|line| line.start.1 >= first - SLACK_MS && line.start.0 <= last);
    let Some(place) = waiting.iter().position(|at| *at == index) else {
        return Line::Unknown("the log's lines do not fit the client's requests".to_owned());
    };
    if lines.is_empty() {
        return Line::Missing;
    }
    let is_followed = har.entries.iter().any(|request| is_first(request, first));
    let fits = |(at, line): (&usize, &At<'_>)| {
        let sent = har.entries[*at].start;
        line.start.1 >= sent - SLACK_MS && (is_followed || line.start.1 <= sent + AT_ONCE_MS)
    };
    let is_certain = lines.len() == waiting.len() && waiting.iter().zip(&lines).all(fits);
    match lines.into_iter().nth(place) {
        Some(line) => Line::At(At { is_certain, ..line }),
        None => Line::Unknown("there are fewer lines in the log than requests".to_owned()),
    }
}

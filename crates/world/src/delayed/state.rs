//! Everything that is and was, in a history of delayed events. Times are milliseconds since the history's beginning, as nobody's
//! clock shows them.

use super::client::{Outcome, Patience, status_of_restart};
use super::{Action, Fate};
use crate::forms;

/// A quick request: how long until it arrives, how long the homeserver takes, how long until the answer is there.
pub const QUICK: (i64, i64, i64) = (12, 18, 10);
/// A connection on which nothing comes ends after this.
const CLOSED_MS: i64 = 4_000;
/// A gateway waits that long for the homeserver.
const GATEWAY_MS: i64 = 60_000;
/// A page is frozen that long.
const FROZEN_MS: i64 = 30_000;
/// A timer fires that much late.
const TIMER_MS: i64 = 3;
/// What happens between two attempts takes that long.
const BETWEEN_MS: i64 = 10;
/// The first restart.
const FIRST_MS: i64 = 7_000;
/// The membership is renewed in time in all histories: the leave event falls due after 90 s, and this is left.
const ALIVE_MS: i64 = 80_000;
/// Failures in a row; behind ten of them the client gives up.
const FAILURES_MAX: u8 = 9;

/// An attempt to restart the delayed event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Attempt {
    /// What becomes of its request.
    pub fate: Fate,
    /// When the client sent it.
    pub sent: i64,
    /// How many attempts had failed before without a success between.
    pub failed_before: u8,
    /// When the client gave it up, and the error's status; 0 if it did not wait any longer.
    pub failed: Option<(i64, u16)>,
}

/// A history's state.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// When the next step begins.
    pub now: i64,
    /// When each step began.
    pub steps: Vec<i64>,
    /// The attempts.
    pub attempts: Vec<Attempt>,
    /// How many have failed in a row.
    pub failed: u8,
    /// When the client left the call, and sent its delayed event at once.
    pub left: Option<i64>,
    /// When Clear was pressed last.
    pub cleared: Option<i64>,
    /// When the homeserver was started anew.
    pub restarts: Vec<i64>,
    /// What the user's clock is ahead, from when on.
    pub clock: Vec<(i64, i64)>,
    /// What the server's clock is ahead, from when on.
    pub server_clock: Vec<(i64, i64)>,
    /// Whether the server has workers, of which two serve delayed events in turns.
    pub workers: bool,
    /// Faults so far.
    pub faults: u8,
}

/// The way of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Way {
    /// For how long it waits in the browser's own queue.
    pub queued: i64,
    /// When it reaches the homeserver.
    pub arrived: Option<i64>,
    /// When the homeserver has done with it, and its status. A process that is killed meanwhile never has.
    pub ended: Option<(i64, u16)>,
    /// When the browser has the answer or an end, and the status; 0 for none.
    pub answered: (i64, u16),
}

/// What a fate means. Milliseconds.
struct Plan {
    queued: i64,
    /// `None` if it is lost.
    way_in: Option<i64>,
    handling: i64,
    failing: bool,
    /// `None` if the answer is lost.
    way_back: Option<i64>,
    /// When the gateway answers by itself, and how.
    gateway: Option<(i64, u16)>,
}

fn plan(fate: Fate) -> Plan {
    let (way_in, handling, way_back) = QUICK;
    let quick =
        Plan { queued: 0, way_in: Some(way_in), handling, failing: false, way_back: Some(way_back), gateway: None };
    match fate {
        Fate::Answered | Fate::Frozen => quick,
        Fate::Lost | Fate::LostAndSentAgain => Plan { way_in: None, ..quick },
        Fate::AnswerLost => Plan { way_back: None, ..quick },
        Fate::Held => Plan { way_in: Some(3_000), ..quick },
        Fate::HeldLong => Plan { way_in: Some(9_000), ..quick },
        Fate::AnswerHeld => Plan { way_back: Some(3_000), ..quick },
        Fate::Slow => Plan { handling: 3_000, ..quick },
        Fate::SlowLong => Plan { handling: 9_000, ..quick },
        Fate::Hung => Plan { handling: 100_000, ..quick },
        Fate::HeldAndSlow => Plan { way_in: Some(1_200), handling: 1_200, ..quick },
        Fate::SlowAndAnswerLost => Plan { handling: 1_500, way_back: None, ..quick },
        Fate::GatewayRefuses => Plan { way_in: None, gateway: Some((20, 502)), ..quick },
        Fate::GatewayGivesUp => Plan { handling: 3_000, gateway: Some((1_500, 504)), ..quick },
        Fate::GatewayFindsNobody => Plan { way_in: None, gateway: Some((1_500, 504)), ..quick },
        Fate::ServerError => Plan { failing: true, ..quick },
        Fate::Queued => Plan { queued: 2_600, ..quick },
    }
}

impl State {
    /// A page whose client joined a call. `ahead` is what the user's clock is ahead of the server's.
    pub fn joined(ahead: i64, workers: bool) -> State {
        State {
            now: FIRST_MS,
            clock: vec![(i64::MIN, ahead)],
            server_clock: vec![(i64::MIN, 0)],
            workers,
            ..State::default()
        }
    }

    /// The status of a restart that reaches the homeserver at a time.
    pub fn status_at(&self, arrived: i64) -> u16 {
        status_of_restart(arrived, self.left.map(|left| left + QUICK.0))
    }

    /// The way of an attempt's request.
    pub fn way(&self, attempt: &Attempt) -> Way {
        let Plan { queued, way_in, handling, failing, way_back, gateway } = plan(attempt.fate);
        let sent = attempt.sent;
        let gateway = gateway.map(|(after, status)| (sent + after, status));
        let Some(arrived) = way_in.map(|way_in| sent + queued + way_in) else {
            return Way { queued, arrived: None, ended: None, answered: gateway.unwrap_or((sent + CLOSED_MS, 0)) };
        };
        let end = arrived + handling;
        let killed = self.restarts.iter().find(|start| (arrived..end).contains(*start));
        let status = if failing { 500 } else { self.status_at(arrived) };
        let answer = match (killed, way_back) {
            (Some(start), _) => (start + 20, 502),
            _ if handling > GATEWAY_MS => (arrived + GATEWAY_MS, 504),
            (None, Some(way_back)) => (end + way_back, status),
            (None, None) => (sent + CLOSED_MS, 0),
        };
        let answered = gateway.filter(|(at, _)| *at < answer.0).unwrap_or(answer);
        Way { queued, arrived: Some(arrived), ended: killed.is_none().then_some((end, status)), answered }
    }

    /// When the browser sends an attempt's request once more by itself: its connection was closed before any answer.
    pub fn sent_again(attempt: &Attempt) -> Option<i64> {
        (attempt.fate == Fate::LostAndSentAgain).then_some(attempt.sent + CLOSED_MS)
    }

    /// When the page was frozen, each time from and to.
    pub fn frozen(&self) -> impl Iterator<Item = (i64, i64)> {
        let frozen = self.attempts.iter().filter(|attempt| attempt.fate == Fate::Frozen);
        frozen.map(|attempt| (attempt.sent + QUICK.0 + QUICK.1, attempt.sent + FROZEN_MS))
    }

    /// Attempts that failed.
    pub fn failures(&self) -> impl Iterator<Item = (&Attempt, i64, u16)> {
        self.attempts.iter().filter_map(|attempt| attempt.failed.map(|(at, status)| (attempt, at, status)))
    }

    /// Takes an action; `None` if it cannot be taken.
    pub(super) fn apply(&mut self, action: Action) -> Option<()> {
        let begins = self.now;
        match action {
            Action::Restart(fate) => self.restart(fate)?,
            Action::Leave => {
                if self.left.replace(begins).is_some() {
                    return None;
                }
                self.now += 1_000;
            }
            Action::Pass => {
                self.left?;
                self.now += 30_000;
            }
            Action::Clear => {
                let cleared = self.cleared.unwrap_or(0);
                if !self.failures().any(|(_, at, _)| at > cleared) {
                    return None;
                }
                self.cleared = Some(begins);
                self.now += BETWEEN_MS;
            }
            Action::RestartServer => {
                self.restarts.push(begins);
                self.now += BETWEEN_MS;
            }
            Action::SetClock(ahead) => {
                self.clock.push((begins, forms::ahead(&self.clock, begins) + ahead));
                self.now += BETWEEN_MS;
            }
            Action::SetServerClock(ahead) => {
                self.server_clock.push((begins, forms::ahead(&self.server_clock, begins) + ahead));
                self.now += BETWEEN_MS;
            }
        }
        self.steps.push(begins);
        Some(())
    }

    fn restart(&mut self, fate: Fate) -> Option<()> {
        let sent = self.now;
        let renewed = self.attempts.iter().filter_map(|attempt| self.way(attempt).arrived).filter(|at| *at <= sent);
        if self.left.is_some() || sent + FROZEN_MS > renewed.max().unwrap_or(0) + ALIVE_MS {
            return None;
        }
        let patience = Patience::DEFAULT;
        let mut attempt = Attempt { fate, sent, failed_before: self.failed, failed: None };
        let (at, status) = self.way(&attempt).answered;
        let mut outcome = patience.outcome(Some((at - sent, status)));
        // The timer is the first thing that runs when the page goes on.
        if fate == Fate::Frozen {
            outcome = Outcome::TimedOut(FROZEN_MS);
        }
        attempt.failed = match outcome {
            Outcome::TimedOut(after) => Some((sent + after + TIMER_MS, 0)),
            Outcome::ServerError(after, status) => Some((sent + after, status)),
            Outcome::Restarted(_) | Outcome::Gone(_) => None,
        };
        self.failed = Patience::failed_after(outcome, self.failed);
        if self.failed > FAILURES_MAX {
            return None;
        }
        self.now = sent + patience.next_after(outcome)? + 2 * TIMER_MS;
        self.attempts.push(attempt);
        Some(())
    }
}

//! How matrix-js-sdk keeps a membership alive: it restarts the delayed leave event again and again, each time after the last
//! attempt is over.

/// How patient a client is. Milliseconds.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// How long it waits for an answer.
    pub wait: i64,
    /// How long after a success it restarts the event again.
    pub every: i64,
    /// How long after a server's error it tries again. After a timeout it does so at once.
    pub retry_in: i64,
}

impl Patience {
    /// The defaults of matrix-js-sdk.
    pub const DEFAULT: Patience = Patience { wait: 2_000, every: 5_000, retry_in: 3_000 };
    /// Those of the live rig.
    pub const OF_THE_RIG: Patience = Patience { wait: 500, every: 500, retry_in: 3_000 };
}

/// What comes of an attempt, and when, in milliseconds after it was sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// The event was restarted.
    Restarted(i64),
    /// The event is gone.
    Gone(i64),
    /// The client no longer waits.
    TimedOut(i64),
    /// A server's error came.
    ServerError(i64, u16),
}

impl Patience {
    /// What comes of an attempt whose answer comes so long after it was sent, with this status. A connection that ends without
    /// an answer (status 0) is not known to end while the client waits.
    pub fn outcome(&self, answered: Option<(i64, u16)>) -> Outcome {
        match answered.filter(|(after, status)| *after < self.wait && *status != 0) {
            Some((after, 404)) => Outcome::Gone(after),
            Some((after, status @ 500..)) => Outcome::ServerError(after, status),
            Some((after, _)) => Outcome::Restarted(after),
            None => Outcome::TimedOut(self.wait),
        }
    }

    /// How many attempts have failed in a row when one is over of which so many had failed before.
    pub fn failed_after(outcome: Outcome, failed_before: u8) -> u8 {
        match outcome {
            Outcome::Restarted(_) | Outcome::Gone(_) => 0,
            Outcome::TimedOut(_) | Outcome::ServerError(..) => failed_before + 1,
        }
    }

    /// How long after an attempt was sent the next one is; `None` where the client does something else first.
    pub fn next_after(&self, outcome: Outcome) -> Option<i64> {
        match outcome {
            Outcome::Restarted(after) => Some(after + self.every),
            Outcome::TimedOut(after) => Some(after),
            Outcome::ServerError(after, _) => Some(after + self.retry_in),
            Outcome::Gone(_) => None,
        }
    }
}

/// The status that the homeserver gives to the restart of an event that is gone since a time: since then its client has left.
pub fn status_of_restart(arrived: i64, gone: Option<i64>) -> u16 {
    if gone.is_some_and(|gone| gone < arrived) { 404 } else { 200 }
}

//! KE-4: delayed events and call memberships.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde::Serialize;

use super::field::group;

pub use crypto_diag_core::{Ke4Kind, Ke4Words};

/// The facts of a line about a delayed event or a membership.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ke4 {
    /// What went wrong; null where the line does not say.
    pub kind: Option<Ke4Kind>,
    /// Of a client that gave up: what the server had answered; null where the line does not say.
    pub cause: Option<Ke4Kind>,
    /// Of a delay that is too long: the one that was asked for, in milliseconds.
    pub delay_ms: Option<u64>,
    /// The longest that the server allows, in milliseconds.
    pub delay_max_ms: Option<u64>,
    /// The room's id.
    pub room_id: Option<String>,
    /// The call's slot, such as `m.call#ROOM`.
    pub call: Option<String>,
    /// Attempts that had failed before this one without a success between, as the line counts them: 0 is the first.
    pub attempt: Option<u64>,
    /// At how many the client gives up.
    pub attempts_max: Option<u64>,
    /// The delayed event's id.
    pub delay_id: Option<String>,
    /// After how many milliseconds the client tries again; 0 is at once.
    pub retry_in_ms: Option<u64>,
    /// The HTTP status.
    pub http_status: Option<u64>,
    /// The Matrix error code.
    pub errcode: Option<String>,
    /// Of a stopped membership manager: the reason given.
    pub reason: Option<String>,
}

static SESSION: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\[MatrixRTCSession (!\S+) ([^\]\s]+)\]").expect("a constant that the tests compile"));

static RETRIES: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\((\d{1,6})/(\d{1,6})\)").expect("a constant that the tests compile"));

static RETRY_IN: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"retrying in (\d{1,9}(?:\.\d{1,3})?)(ms|s)\b").expect("a constant that the tests compile")
});

/// Synapse's ids start with `syd_`; others are whatever stands at that place of the path.
static DELAY_ID: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(
        r#"/delayed_events/([^/\s?"'()\\]+)|\bdelay_?[iI]d["']?\s*[:=]\s*["']?([^\s"',}\\]+)|\b(syd_[A-Za-z0-9]+)"#,
    )
    .expect("a constant that the tests compile")
});

static STATUS: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"(?:Error: |status )\[?([45]\d\d)\b").expect("a constant that the tests compile"));

static ERRCODE: LazyLock<Regex> =
    LazyLock::new(|| Regex::new(r"\b(M_[A-Z][A-Z_]{2,})\b").expect("a constant that the tests compile"));

static STOPPED: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"MembershipManager (?:stopped because|encountered an unrecoverable error):\s*([^\n]*)")
        .expect("a constant that the tests compile")
});

/// Synapse 1.157.2 and 1.163.2, synapse/handlers/delayed_events.py.
static TOO_LONG: LazyLock<Regex> = LazyLock::new(|| {
    Regex::new(r"requested delay \((\d{1,15})ms\) exceeds the allowed maximum \((\d{1,15})ms\)")
        .expect("a constant that the tests compile")
});

/// Synapse since 1.123, synapse/storage/databases/main/delayed_events.py; servers of the conduit family say the same.
const QUOTA: &str = "maximum number of delayed events has been reached";

/// Reads a line about delayed events or memberships by its words.
pub(super) fn read(words: Ke4Words, line: &str) -> Option<Ke4> {
    let number = |regex: &Regex, index| group(regex, line, index).and_then(|text| text.parse::<u64>().ok());
    let http_status = number(&STATUS, 1);
    let errcode = group(&ERRCODE, line, 1);
    let answer = || answered(line, http_status, errcode.as_deref());
    let facts = Ke4 {
        kind: match words {
            Ke4Words::Say(kind) => Some(kind),
            Ke4Words::Answer(otherwise) => answer().or(otherwise),
        },
        cause: if words == Ke4Words::Say(Ke4Kind::Stopped) { answer() } else { None },
        delay_ms: number(&TOO_LONG, 1),
        delay_max_ms: number(&TOO_LONG, 2),
        room_id: group(&SESSION, line, 1),
        call: group(&SESSION, line, 2),
        attempt: number(&RETRIES, 1),
        attempts_max: number(&RETRIES, 2),
        delay_id: (1..=3).find_map(|index| group(&DELAY_ID, line, index)),
        retry_in_ms: retry_in(line),
        http_status,
        errcode,
        reason: group(&STOPPED, line, 1).filter(|reason| !reason.is_empty()),
    };
    let says_something = facts.kind.is_some() || facts.delay_id.is_some() || facts.room_id.is_some();
    says_something.then_some(facts)
}

/// What the server answered, or that nothing came, as the error that the line quotes says.
fn answered(line: &str, status: Option<u64>, errcode: Option<&str>) -> Option<Ke4Kind> {
    if errcode == Some("M_MAX_DELAY_EXCEEDED") || TOO_LONG.is_match(line) {
        return Some(Ke4Kind::DelayTooLong);
    }
    if line.contains(QUOTA) {
        return Some(Ke4Kind::Quota);
    }
    Some(match (status, errcode) {
        (_, Some("M_UNRECOGNIZED")) => Ke4Kind::Unrecognized,
        (Some(429), _) | (_, Some("M_LIMIT_EXCEEDED")) => Ke4Kind::RateLimit,
        (_, Some("M_NOT_FOUND")) => Ke4Kind::NotFound,
        (Some(502 | 504), _) => Ke4Kind::Gateway,
        (Some(500..), _) => Ke4Kind::ServerError,
        // The name of the SDK's error where no answer came.
        _ if line.contains("ConnectionError") => Ke4Kind::Network,
        _ => return None,
    })
}

fn retry_in(line: &str) -> Option<u64> {
    if line.contains("immediate retry") {
        return Some(0);
    }
    let found = RETRY_IN.captures(line)?;
    let number: f64 = found.get(1)?.as_str().parse().ok()?;
    let unit = if found.get(2)?.as_str() == "s" { 1000.0 } else { 1.0 };
    Some((number * unit).round() as u64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::evidence::{Evidence, of_line};

    fn read(line: &str) -> Option<Ke4> {
        if let Some(Evidence::Ke4(facts)) = of_line(line) { Some(facts) } else { None }
    }

    #[test]
    fn a_local_timeout_names_room_call_and_attempt() {
        let line = "[MatrixRTCSession !mcvQ:localhost m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry ((2/10)) AbortError: Restart delayed event timed out before the HS responded";
        let facts = read(line).unwrap();
        assert_eq!(facts.kind, Some(Ke4Kind::LocalTimeout));
        assert_eq!((facts.room_id.as_deref(), facts.call.as_deref()), (Some("!mcvQ:localhost"), Some("m.call#ROOM")));
        assert_eq!((facts.attempt, facts.attempts_max, facts.retry_in_ms), (Some(2), Some(10), Some(0)));
        assert_eq!((facts.delay_id, facts.http_status), (None, None));
    }

    #[test]
    fn a_gateway_answers_in_the_servers_name() {
        let line = "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] Bad gateway (https://x/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_nxdzinIXhEGWqsVXUmYq/restart)";
        let facts = read(line).unwrap();
        assert_eq!((facts.kind, facts.http_status), (Some(Ke4Kind::Gateway), Some(502)));
        assert_eq!((facts.retry_in_ms, facts.attempt), (Some(3000), Some(0)));
        assert_eq!(facts.delay_id.as_deref(), Some("syd_nxdzinIXhEGWqsVXUmYq"));
        assert_eq!(facts.errcode.as_deref(), Some("M_UNKNOWN"));
    }

    #[test]
    fn answers_of_the_server_tell_what_happened() {
        for (line, kind) in [
            ("M_NOT_FOUND: MatrixError: [404] Delayed event not found, delayed event", Ke4Kind::NotFound),
            ("M_UNRECOGNIZED: MatrixError: [404] Unrecognized request update_delayed_event", Ke4Kind::Unrecognized),
            ("delayed event M_LIMIT_EXCEEDED: MatrixError: [429] Too Many Requests", Ke4Kind::RateLimit),
            ("delayed event MatrixError: [503] x", Ke4Kind::ServerError),
            ("Network connection error while sending event, retrying in 3s (1/10) delayed event", Ke4Kind::Network),
            (
                "[MatrixRTCSession !r:x m.call#][MembershipManager] Missing own membership: force re-join",
                Ke4Kind::ForcedRejoin,
            ),
            ("MembershipManager stopped because: {}", Ke4Kind::Stopped),
            (
                "[MatrixRTCSession !r:x m.call#] MembershipManager encountered an unrecoverable error:  Error: no",
                Ke4Kind::Stopped,
            ),
            (
                "Encountered unexpected error during SendScheduledDelayedLeaveEvent. Falling back to SendLeaveEvent",
                Ke4Kind::LeaveFellBack,
            ),
            ("Retry sending delayed disconnection event due to server timeout limitations:", Ke4Kind::DelayTooLong),
        ] {
            assert_eq!(read(line).unwrap().kind, Some(kind), "{line}");
        }
    }

    #[test]
    fn a_client_that_gave_up_says_what_the_server_had_answered() {
        let quota = read("MembershipManager stopped because:  Error: Exceeded maximum retries for SendDelayedEvent attempts (client._unstable_sendDelayedStateEvent)\n  [cause]: MatrixError: [429] The maximum number of delayed events has been reached. (https://m/x)").unwrap();
        assert_eq!((quota.kind, quota.cause), (Some(Ke4Kind::Stopped), Some(Ke4Kind::Quota)));
        assert_eq!(quota.http_status, Some(429));
        let long = read("MembershipManager stopped because:  MatrixError: [403] The requested delay (8000ms) exceeds the allowed maximum (5000ms) (https://m/x)").unwrap();
        assert_eq!((long.cause, long.http_status), (Some(Ke4Kind::DelayTooLong), Some(403)));
        assert_eq!((long.delay_ms, long.delay_max_ms), (Some(8000), Some(5000)));
    }

    #[test]
    fn the_words_alone_say_nothing() {
        assert_eq!(read("a delayed event, somewhere"), None);
    }
}

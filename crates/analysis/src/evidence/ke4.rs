//! KE-4: delayed events and call memberships.

use std::sync::LazyLock;

use regex_lite::Regex;
use serde::Serialize;

use super::field::group;

/// What went wrong, by the line alone. Why it did is for the server's log and the HAR to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ke4Kind {
    /// The client stopped waiting for an answer.
    LocalTimeout,
    /// A status of 500, 501, 503 or above 504.
    ServerError,
    /// 502 or 504, which a gateway gives in the server's name.
    Gateway,
    /// 404 `M_NOT_FOUND`: the delayed event was sent already, or cancelled.
    NotFound,
    /// 429.
    RateLimit,
    /// No connection.
    Network,
    /// 404 `M_UNRECOGNIZED`: the path is not served here.
    Unrecognized,
    /// The server allows only shorter delays.
    DelayTooLong,
    /// The client found itself out of the call and joins again.
    ForcedRejoin,
    /// The client gave up.
    Stopped,
    /// The server has sent the leave event already, so the client joins again from scratch.
    RejoinFromScratch,
    /// The delayed leave event could not be restarted, while the server still has it.
    RestartPutOff,
    /// The client's own actions make no state that it knows.
    UnknownState,
    /// The delayed leave event could not be sent at once, so the client sends a plain one.
    LeaveFellBack,
}

/// The facts of a line about a delayed event or a membership.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Ke4 {
    /// What went wrong; null where the line does not say.
    pub kind: Option<Ke4Kind>,
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

/// Reads a line about delayed events or memberships.
pub fn read(line: &str) -> Option<Ke4> {
    let number = |regex: &Regex, index| group(regex, line, index).and_then(|text| text.parse::<u64>().ok());
    let http_status = number(&STATUS, 1);
    let errcode = group(&ERRCODE, line, 1);
    let facts = Ke4 {
        kind: kind(line, http_status, errcode.as_deref()),
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

fn kind(line: &str, status: Option<u64>, errcode: Option<&str>) -> Option<Ke4Kind> {
    let has = |words: &str| line.contains(words);
    if has("MembershipManager stopped because") || has("MembershipManager encountered an unrecoverable error") {
        return Some(Ke4Kind::Stopped);
    }
    if has("Falling back to SendLeaveEvent") {
        return Some(Ke4Kind::LeaveFellBack);
    }
    if has("force re-join") {
        return Some(Ke4Kind::ForcedRejoin);
    }
    if has("Rejoining the session from scratch") {
        return Some(Ke4Kind::RejoinFromScratch);
    }
    if has("Could not restart the delayed leave event") {
        return Some(Ke4Kind::RestartPutOff);
    }
    if has("MembershipManager has an unknown state") {
        return Some(Ke4Kind::UnknownState);
    }
    if has("timed out before the HS responded") || has("local timeout error") {
        return Some(Ke4Kind::LocalTimeout);
    }
    if errcode == Some("M_MAX_DELAY_EXCEEDED") || has("due to server timeout limitations") {
        return Some(Ke4Kind::DelayTooLong);
    }
    match (status, errcode) {
        (_, Some("M_UNRECOGNIZED")) => return Some(Ke4Kind::Unrecognized),
        (Some(429), _) | (_, Some("M_LIMIT_EXCEEDED")) => return Some(Ke4Kind::RateLimit),
        (_, Some("M_NOT_FOUND")) => return Some(Ke4Kind::NotFound),
        (Some(502 | 504), _) => return Some(Ke4Kind::Gateway),
        (Some(500..), _) => return Some(Ke4Kind::ServerError),
        _ => {}
    }
    if has("Rate limited by server") || has("rate-limit retry delay") {
        return Some(Ke4Kind::RateLimit);
    }
    if has("Network connection error") || has("ConnectionError") {
        return Some(Ke4Kind::Network);
    }
    if has("elayed event not found") {
        return Some(Ke4Kind::NotFound);
    }
    has("Server error while sending event").then_some(Ke4Kind::ServerError)
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
    fn the_words_alone_say_nothing() {
        assert_eq!(read("a delayed event, somewhere"), None);
    }
}

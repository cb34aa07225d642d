//! A history in words.

use super::state::State;
use super::{Action, Fate, View};
use crate::model::Step;
use crate::views::WHOLE;

/// What happens when an action is taken.
pub(super) fn tell(state: &State, action: Action) -> String {
    match action {
        Action::Restart(fate) => {
            format!("at {:.1} s the client restarts its delayed event: {}", state.now as f64 / 1_000.0, becomes(fate))
        }
        Action::Leave => "the client leaves the call".to_owned(),
        Action::Pass => "half a minute passes".to_owned(),
        Action::Clear => "Clear is pressed".to_owned(),
        Action::RestartServer => "the homeserver is started anew".to_owned(),
        Action::SetClock(ahead) => format!("the user's clock is set by {ahead} ms"),
        Action::SetServerClock(ahead) => format!("the server's clock is set by {ahead} ms"),
    }
}

fn becomes(fate: Fate) -> &'static str {
    match fate {
        Fate::Answered => "it is answered at once",
        Fate::Lost => "the request is lost",
        Fate::LostAndSentAgain => "the request is lost, and the browser sends it again once the connection is closed",
        Fate::AnswerLost => "the homeserver answers at once, and the answer is lost",
        Fate::Held => "a gateway holds the request for 3 s",
        Fate::HeldLong => "a gateway holds the request for 9 s",
        Fate::AnswerHeld => "the homeserver answers at once, and a gateway holds the answer for 3 s",
        Fate::Slow => "the homeserver takes 3 s",
        Fate::SlowLong => "the homeserver takes 9 s",
        Fate::Hung => "the homeserver takes 100 s, and the gateway gives up after 60 s",
        Fate::HeldAndSlow => "a gateway holds the request for 1.2 s, and the homeserver takes 1.2 s",
        Fate::SlowAndAnswerLost => "the homeserver takes 1.5 s, and its answer is lost",
        Fate::GatewayRefuses => "a gateway answers 502 and does not pass it on",
        Fate::GatewayGivesUp => "the homeserver takes 3 s, and the gateway answers 504 after 1.5 s",
        Fate::GatewayFindsNobody => "the gateway does not reach the homeserver, and answers 504 after 1.5 s",
        Fate::ServerError => "the homeserver answers 500 at once",
        Fate::Queued => "the request waits for 2.6 s in the browser's own queue",
        Fate::Frozen => "the page is frozen for 30 s as the answer comes",
    }
}

/// Which artefacts there are.
pub(super) fn tell_view(view: &View) -> String {
    let late = if view.late { " (its capture began in the middle of the page's life)" } else { "" };
    let mut parts = vec![format!("the report{late}{}", view.lines.tell())];
    let span = |from: Step, to: Step| match (from, to) {
        WHOLE => String::new(),
        (from, Step::MAX) => format!(" from step {} on", from + 1),
        (0, to) => format!(" until step {}", to + 1),
        (from, to) => format!(" from step {} until step {}", from + 1, to + 1),
    };
    if let Some(har) = &view.har {
        let paused = har.paused.map_or_else(String::new, |step| format!(", paused in step {}", step + 1));
        let bodies = if har.bodies { "" } else { " without bodies" };
        parts.push(format!("the HAR{bodies}{}{paused}", span(har.span.0, har.span.1)));
    }
    if let Some(log) = &view.log {
        let whose = if log.first_worker { " of the first worker" } else { "" };
        parts.push(format!("the log{whose}{}", span(log.span.0, log.span.1)));
    }
    parts.join("; ")
}

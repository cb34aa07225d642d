//! A history in words.

use super::{Action, EVERYBODY, Fate, Looks, News, View, Who};
use crate::model::Step;
use crate::views::{Span, WHOLE};

fn name(who: Who) -> &'static str {
    ["Alice", "Bob", "Carol"][who as usize]
}

/// What happens when an action is taken.
pub(super) fn tell(action: Action) -> String {
    match action {
        Action::Wait => "nothing happens".to_owned(),
        Action::Rotate(fate) => format!("Bob goes to the next key: {}", becomes(fate)),
        Action::SendAgain => "Bob's client sends again what waits in its queue".to_owned(),
        Action::Resubscribe => "Alice's page subscribes to Bob's sound anew".to_owned(),
        Action::News(news) => format!("Alice's requests for news {}", meets(news)),
        Action::Freeze => "Alice's page is frozen".to_owned(),
        Action::Thaw => "Alice's page goes on".to_owned(),
        Action::LogOut => "Alice logs out, and her device is deleted".to_owned(),
        Action::LogIn => "Alice logs in under the same device id".to_owned(),
        Action::RestartServer => "the homeserver is started anew".to_owned(),
        Action::Clear(who) => format!("Clear is pressed in {}'s card", name(who)),
        Action::SetClock(who, ahead) => format!("{}'s clock is set by {ahead} ms", name(who)),
        Action::SetServerClock(ahead) => format!("the server's clock is set by {ahead} ms"),
    }
}

fn becomes(fate: Fate) -> &'static str {
    match fate {
        Fate::InTime => "it comes in time",
        Fate::Late => "it is 300 ms late",
        Fate::Held => "a gateway holds the request for 40 s",
        Fate::NoTarget => "the batch is not for Alice",
        Fate::Lost => "the request is lost",
        Fate::AnswerLost => "the homeserver takes the batch, and its answer is lost",
        Fate::Refused => "the homeserver refuses the batch",
        Fate::LoggedOut => "the homeserver does not know Bob's token any more",
        Fate::Unopenable => "Alice's store lacks the one-time key that the message needs",
        Fate::OldFallback => "the message needs a fallback key that Alice's client has replaced twice since",
        Fate::OpenedLate => "Alice's client opens the message twelve seconds after it has it",
    }
}

fn meets(news: News) -> &'static str {
    match news {
        News::Works => "are answered again",
        News::Stuck => "do not reach the homeserver any more",
        News::AnswersLost => "reach the homeserver, and the answers are lost",
        News::OneAnswer => "get one answer, and the next one does not end",
    }
}

fn span((from, to): Span) -> String {
    match (from, to) {
        WHOLE => String::new(),
        (from, Step::MAX) => format!(" from step {} on", from + 1),
        (0, to) => format!(" until step {}", to + 1),
        (from, to) => format!(" from step {} until step {}", from + 1, to + 1),
    }
}

/// Which artefacts there are.
pub(super) fn tell_view(view: &View) -> String {
    let mut parts = Vec::new();
    for who in EVERYBODY.into_iter().filter(|who| view.reports[*who as usize]) {
        let late = if view.late[who as usize] { " (its capture began in the middle)" } else { "" };
        parts.push(format!("{}'s report{late}{}", name(who), view.lines.tell()));
    }
    if !view.info {
        parts.push("captures do not watch console.info".to_owned());
    }
    parts.push(if view.soon { "reports made at once" } else { "reports made one and a half minutes later" }.to_owned());
    let bodies = if view.bodies { "" } else { " without bodies" };
    for (who, har) in [Who::Alice, Who::Bob].into_iter().zip(view.hars) {
        parts.extend(har.map(|har| format!("{}'s HAR{bodies}{}", name(who), span(har))));
    }
    if let Some(log) = &view.log {
        let debug = if log.debug { "" } else { ", without lines at DEBUG" };
        parts.push(format!("the log{}{debug}", span(log.span)));
    }
    let listed = if view.listed { "which messages wait" } else { "how many messages wait" };
    match view.looks {
        Looks::Never => {}
        Looks::Once => parts.push(format!("the database asked {listed}, at the end")),
        Looks::Twice => parts.push(format!("the database asked {listed}, twice at the end")),
        Looks::AndBefore(step) => {
            parts.push(format!("the database asked {listed}, at the end of step {} and at the end", step + 1));
        }
    }
    parts.join("; ")
}

//! A history in words.

use super::play::begins;
use super::{Action, Fate, State, View};
use crate::model::Step;

/// What happens when an action is taken.
pub(super) fn tell(state: &State, action: Action) -> String {
    let at = begins(state.actions.len()) / 1_000;
    let what = match action {
        Action::Send(fate) => format!("Bob sends an event: {}", becomes(fate)),
        Action::Pass => "ten seconds pass".to_owned(),
        Action::Redact => "Bob redacts his latest event".to_owned(),
        Action::Rewrite => "Synapse rewrites what it stored of the event that was redacted".to_owned(),
        Action::Expire => "his latest event expires, and Synapse rewrites what it stored".to_owned(),
        Action::Reload => "the page is reloaded and asks for all news".to_owned(),
        Action::ReloadWithOldToken => "the page is reloaded and goes on at an old token".to_owned(),
        Action::Scroll => "the client asks for the room's history".to_owned(),
        Action::Retry => "the client tries again what it could not read".to_owned(),
        Action::Clear => "Clear is pressed".to_owned(),
        Action::SetClock(by) => format!("Alice's clock is set by {by} ms"),
    };
    format!("at {at} s {what}")
}

fn becomes(fate: Fate) -> &'static str {
    match fate {
        Fate::Whole => "it can be read",
        Fate::SentWithout => "his client sends it without algorithm",
        Fate::SentBroken => "his client sends a sender_key that is too short",
        Fate::Stripped => "a proxy takes algorithm out of the answers to /sync",
        Fate::Spoiled => "a proxy shortens sender_key in the answers to /sync",
        Fate::ClientLoses => "Alice's client takes algorithm away itself",
        Fate::ClientSpoils => "Alice's client shortens sender_key itself",
        Fate::Plaintext => "what he encrypted lacks a field",
        Fate::Erased => "Synapse serves it without content, since he was erased and Alice was no member then",
        Fate::KeyLate => "its room key comes five seconds later",
        Fate::KeyNever => "its room key never comes",
        Fate::KeptBack => "his client keeps the room key back and says so before",
        Fate::LostThenKeptBack => "its room key is lost, and his client says eight seconds later that it keeps it back",
        Fate::LostThenUnavailable => "its room key is lost, and his client says eight seconds later that it lacks it",
        Fate::FromLater => "the room key that comes begins at a later message",
        Fate::Historical => "it was sent before this device logged in",
        Fate::Untrusted => "Alice's client does not trust his device",
    }
}

/// Which artefacts there are.
pub(super) fn tell_view(view: &View) -> String {
    let step = |step: Step| match step {
        Step::MAX => "the end".to_owned(),
        step => format!("step {}", step + 1),
    };
    let late = if view.late { ", its capture late" } else { "" };
    let mut parts = vec![format!("the report{late}{}", view.lines.tell())];
    if let Some(har) = &view.har {
        let mut text = format!("the HAR from step {} to {}", har.span.0 + 1, step(har.span.1));
        if let Some(paused) = har.paused {
            text.push_str(&format!(", paused in {}", step(paused)));
        }
        if !har.bodies {
            text.push_str(", without bodies");
        }
        parts.push(text);
    }
    if let Some(asked) = view.asked {
        parts.push(format!("the database as it was at {}", step(asked)));
    }
    parts.join("; ")
}

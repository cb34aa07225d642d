//! A history in words.

use super::play::begins;
use super::{Action, KeyWay, Start, State, View};

/// What happens when an action is taken.
pub(super) fn tell(state: &State, action: Action) -> String {
    let beginning = if state.actions.is_empty() { begun(state.start) } else { String::new() };
    let at = begins(state.actions.len()) / 1_000;
    let what = match action {
        Action::Pass => "six seconds pass".to_owned(),
        Action::Rotate(way) => format!("Bob goes to his next key: {}", becomes(way)),
        Action::Mute => "Bob mutes himself, and the SFU sends silence for a second".to_owned(),
        Action::Unmute => "Bob speaks again".to_owned(),
        Action::Quiet => "Bob says nothing, and his encoder pauses".to_owned(),
        Action::PictureOff => "no picture of Bob comes any more, but black ones of the SFU for a second".to_owned(),
        Action::PictureOn => "pictures of Bob come again".to_owned(),
        Action::DecoderBreaks => "Alice's decoder fails on each picture from now on".to_owned(),
        Action::Damaged => "one frame of Bob's sound is damaged".to_owned(),
        Action::NetworkDown => "nothing passes between the SFU and Alice".to_owned(),
        Action::NetworkUp => "it passes again".to_owned(),
        Action::Leave => "Bob leaves the call".to_owned(),
        Action::Click => "Alice clicks somewhere".to_owned(),
        Action::MicrophoneOff => "Alice switches off her microphone".to_owned(),
        Action::Clear => "Clear is pressed".to_owned(),
        Action::SetClock(by) => format!("Alice's clock is set by {by} ms"),
    };
    format!("{beginning}at {at} s {what}")
}

fn begun(start: Start) -> String {
    let mut words = Vec::new();
    if !start.encrypts {
        words.push("Bob does not encrypt");
    }
    if !start.decrypts {
        words.push("Alice's page takes Bob's media for unencrypted");
    }
    if !start.has_key {
        words.push("Bob's first key never comes");
    }
    if start.blocked {
        words.push("Alice's browser waits for a click before it plays sound");
    }
    if words.is_empty() { String::new() } else { format!("({}) ", words.join("; ")) }
}

fn becomes(way: KeyWay) -> &'static str {
    match way {
        KeyWay::InTime => "it comes in time",
        KeyWay::Late => "it is 300 ms late",
        KeyWay::LateBySeconds => "it is 4 s late",
        KeyWay::VeryLate => "it is 12 s late",
        KeyWay::Lost => "it never comes",
        KeyWay::Wrong => "another key comes for its index",
        KeyWay::WrongAndThenRight => "another key comes for its index, and seven seconds later the right one",
    }
}

/// What the report has.
pub(super) fn tell_view(view: &View) -> String {
    let mut text =
        format!("Alice's report, made {}", if view.soon { "a moment after that" } else { "six seconds after that" });
    for (is_so, words) in [
        (view.late, "its capture began in the middle of the call"),
        (!view.info, "it does not watch console.info"),
        (!view.twice, "the statistics were asked once"),
        (!view.members, "nobody says who is in the call"),
    ] {
        if is_so {
            text.push_str("; ");
            text.push_str(words);
        }
    }
    text.push_str(&view.lines.tell());
    text
}

//! The media of a call: whether somebody's sound and pictures come to a page, and whether its keys open them.
//!
//! Alice's page is in a call with Bob. In each step one thing happens, and six seconds pass. LiveKit's worker does as it was measured to do
//! without an SFU: it prints one error for each track, marks an index as invalid after eleven frames, and is silent until a key is set there.

mod files;
mod play;
mod story;
mod truth;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::forms::{Device, File};
use crate::judge::Claim;
use crate::model::{Chance, Model};
use crate::views::Lines;

/// Whose page it is.
pub const ALICE: Device = Device { user: "@alice:example.org", id: "QWERTYALIC" };
/// Whom it hears.
pub const BOB: Device = Device { user: "@bob:example.org", id: "ASDFGHBOBB" };

/// How the call begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Start {
    /// Whether Bob encrypts what he sends.
    pub encrypts: bool,
    /// Whether Alice's page takes what he sends for encrypted.
    pub decrypts: bool,
    /// Whether his first key comes.
    pub has_key: bool,
    /// Whether Alice's browser waits for a click before it plays sound.
    pub blocked: bool,
}

const WELL: Start = Start { encrypts: true, decrypts: true, has_key: true, blocked: false };

/// What becomes of a key that Bob makes, sends, and uses a second later.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum KeyWay {
    /// It comes at once.
    InTime,
    /// It is 300 ms late.
    Late,
    /// It is four seconds late.
    LateBySeconds,
    /// It is twelve seconds late.
    VeryLate,
    /// It never comes.
    Lost,
    /// Another key comes for its index.
    Wrong,
    /// Another one, and seven seconds later the right one.
    WrongAndThenRight,
}

const WAYS: [KeyWay; 7] = [
    KeyWay::InTime,
    KeyWay::Late,
    KeyWay::LateBySeconds,
    KeyWay::VeryLate,
    KeyWay::Lost,
    KeyWay::Wrong,
    KeyWay::WrongAndThenRight,
];

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Nothing.
    Pass,
    /// Bob goes to the next key.
    Rotate(KeyWay),
    /// Bob mutes himself: his client sends no sound. An SFU sends some silence of its own, in the clear.
    Mute,
    /// Bob speaks again.
    Unmute,
    /// Bob says nothing: his encoder pauses.
    Quiet,
    /// No picture of Bob comes: his camera is off, or the SFU pauses it. It sends some black pictures of its own, in the clear.
    PictureOff,
    /// Pictures come again.
    PictureOn,
    /// Alice's decoder fails on each picture from now on.
    DecoderBreaks,
    /// One frame of Bob's sound is damaged.
    Damaged,
    /// Nothing passes between the SFU and Alice.
    NetworkDown,
    /// It passes again.
    NetworkUp,
    /// Bob leaves the call.
    Leave,
    /// Alice clicks somewhere, so that her browser plays sound.
    Click,
    /// Alice switches off her own microphone.
    MicrophoneOff,
    /// Clear is pressed.
    Clear,
    /// Alice's clock is set, by so many milliseconds.
    SetClock(i64),
}

const OTHERS: [Action; 17] = [
    Action::Pass,
    Action::Mute,
    Action::Unmute,
    Action::Quiet,
    Action::PictureOff,
    Action::PictureOn,
    Action::DecoderBreaks,
    Action::Damaged,
    Action::NetworkDown,
    Action::NetworkUp,
    Action::Leave,
    Action::Click,
    Action::MicrophoneOff,
    Action::Clear,
    Action::SetClock(20_000),
    Action::SetClock(-20_000),
    Action::SetClock(90_000),
];

/// A history: how the call begins, and what happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How it begins.
    pub start: Start,
    /// What happens, a step each.
    pub actions: Vec<Action>,
}

/// What there is of Alice's report.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Whether the capture began in the middle of the call, so that its connections are not known.
    pub late: bool,
    /// Which of the printed lines reached the captures.
    pub lines: Lines,
    /// Whether it watches `console.info`.
    pub info: bool,
    /// Whether the report is made a moment after the last step began, and not at its end.
    pub soon: bool,
    /// Whether the statistics were asked twice.
    pub twice: bool,
    /// Whether it knows who is in the call.
    pub members: bool,
}

const ALL: View = View { late: false, lines: Lines::ALL, info: true, soon: false, twice: true, members: true };

/// The model.
#[derive(Clone, Copy, Debug)]
pub struct Media;

impl Model for Media {
    type State = State;
    type Action = Action;
    type View = View;

    fn name(&self) -> &'static str {
        "media"
    }

    fn begin(&self) -> Vec<State> {
        [
            WELL,
            Start { has_key: false, ..WELL },
            Start { encrypts: false, ..WELL },
            Start { decrypts: false, ..WELL },
            Start { encrypts: false, decrypts: false, ..WELL },
            Start { blocked: true, ..WELL },
        ]
        .map(|start| State { start, actions: Vec::new() })
        .into()
    }

    fn actions(&self, _: &State) -> Vec<Action> {
        WAYS.into_iter().map(Action::Rotate).chain(OTHERS).collect()
    }

    fn step(&self, state: &State, action: Action) -> Option<State> {
        let now = play::Now::after(&state.actions);
        let can = match action {
            Action::Pass | Action::SetClock(_) => true,
            Action::Rotate(_) => now.is_there && state.start.encrypts,
            Action::Mute => now.is_there && now.sound != play::Sound::Off,
            Action::Unmute => now.is_there && now.sound != play::Sound::Speech,
            Action::Quiet | Action::Damaged => now.is_there && now.sound == play::Sound::Speech,
            Action::PictureOff => now.is_there && now.picture,
            Action::PictureOn => now.is_there && !now.picture,
            Action::DecoderBreaks => now.decoder,
            Action::NetworkDown => now.network,
            Action::NetworkUp => !now.network,
            Action::Leave => now.is_there,
            Action::Click => state.start.blocked && !now.clicked,
            Action::MicrophoneOff => now.microphone,
            Action::Clear => !state.actions.is_empty() && state.actions.last() != Some(&Action::Clear),
        };
        can.then(|| State { start: state.start, actions: state.actions.iter().copied().chain([action]).collect() })
    }

    fn is_notable(&self, _: &State) -> bool {
        true
    }

    fn any_action(&self, _: &State, chance: &mut Chance) -> Action {
        match chance.below(8) {
            0..2 => Action::Pass,
            2..4 => Action::Rotate(WAYS[chance.below(WAYS.len())]),
            _ => OTHERS[chance.below(OTHERS.len())],
        }
    }

    fn views(&self, _: &State) -> Vec<View> {
        vec![
            ALL,
            View { soon: true, ..ALL },
            View { info: false, ..ALL },
            View { late: true, ..ALL },
            View { lines: Lines { missed: Some(0), ..Lines::ALL }, ..ALL },
            View { lines: Lines::QUIET, ..ALL },
            View { twice: false, ..ALL },
            View { members: false, ..ALL },
        ]
    }

    fn any_view(&self, _: &State, chance: &mut Chance) -> View {
        let mut mostly = || chance.below(6) != 0;
        View { late: !mostly(), lines: Lines::ALL, info: mostly(), soon: !mostly(), twice: mostly(), members: mostly() }
    }

    fn view_without(&self, view: &View, _: usize) -> View {
        view.clone()
    }

    fn files(&self, state: &State, view: &View) -> Vec<File> {
        files::files(state, view)
    }

    fn truths(&self, state: &State, view: &View) -> BTreeSet<Claim> {
        truth::truths(state, view)
    }

    fn tell(&self, state: &State, action: Action) -> String {
        story::tell(state, action)
    }

    fn tell_view(&self, _: &State, view: &View) -> String {
        story::tell_view(view)
    }
}

//! Question 3: the encrypted events of a room, and why a page cannot read one.
//!
//! Alice's page is in a room with Bob. In each step one thing happens, and ten seconds pass. An event is made by Bob's client, stored by the
//! homeserver, served in an answer, and read by Alice's client. Its content can be spoiled at each of these places, pruned by the
//! homeserver later, or lack its room key.

mod files;
mod play;
mod story;
mod truth;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::forms::{Device, File};
use crate::judge::Claim;
use crate::model::{Chance, Model, Step, earlier};
use crate::views::{HarView, Lines, WHOLE};

/// Whose page it is.
pub const ALICE: Device = Device { user: "@alice:example.org", id: "QWERTYALIC" };
/// Who sends the events.
pub const BOB: Device = Device { user: "@bob:example.org", id: "ASDFGHBOBB" };

/// What becomes of an event.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fate {
    /// It can be read.
    Whole,
    /// Bob's client sends it without `algorithm`.
    SentWithout,
    /// Bob's client sends a `sender_key` that is too short.
    SentBroken,
    /// A proxy takes `algorithm` out of each answer to a /sync.
    Stripped,
    /// A proxy shortens `sender_key` in each answer to a /sync.
    Spoiled,
    /// Alice's client takes `algorithm` away itself.
    ClientLoses,
    /// Alice's client shortens `sender_key` itself.
    ClientSpoils,
    /// What Bob encrypted lacks a field.
    Plaintext,
    /// It is of the time before Alice was a member, and Bob was erased since: Synapse serves it to her without content.
    Erased,
    /// Its room key comes five seconds after it.
    KeyLate,
    /// Its room key never comes.
    KeyNever,
    /// Bob's client keeps the room key back, and says so before it sends the event.
    KeptBack,
    /// The message with the room key is lost. Eight seconds later Bob's client says that it keeps the key back from now on.
    LostThenKeptBack,
    /// The message with the room key is lost. Eight seconds later Bob's client says that it does not have the key any more.
    LostThenUnavailable,
    /// The room key that comes begins at a later message.
    FromLater,
    /// It was sent before this device logged in.
    Historical,
    /// Alice's client refuses it, since it does not trust Bob's device.
    Untrusted,
}

const FATES: [Fate; 17] = [
    Fate::Whole,
    Fate::SentWithout,
    Fate::SentBroken,
    Fate::Stripped,
    Fate::Spoiled,
    Fate::ClientLoses,
    Fate::ClientSpoils,
    Fate::Plaintext,
    Fate::Erased,
    Fate::KeyLate,
    Fate::KeyNever,
    Fate::KeptBack,
    Fate::LostThenKeptBack,
    Fate::LostThenUnavailable,
    Fate::FromLater,
    Fate::Historical,
    Fate::Untrusted,
];

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Bob sends an event.
    Send(Fate),
    /// Nothing.
    Pass,
    /// Bob redacts his latest event.
    Redact,
    /// Synapse rewrites what it stored of the latest event that was redacted.
    Rewrite,
    /// Bob's latest event expires: Synapse rewrites what it stored, and nothing says that it was redacted.
    Expire,
    /// The page is reloaded. Its client asks for all news.
    Reload,
    /// The page is reloaded. Its client goes on at a token that it saved when the first page began.
    ReloadWithOldToken,
    /// The client asks for the room's history, and gets each event again.
    Scroll,
    /// The client tries the events again that it could not read.
    Retry,
    /// Clear is pressed.
    Clear,
    /// Alice's clock is set, by so many milliseconds.
    SetClock(i64),
}

const OTHERS: [Action; 11] = [
    Action::Pass,
    Action::Redact,
    Action::Rewrite,
    Action::Expire,
    Action::Reload,
    Action::ReloadWithOldToken,
    Action::Scroll,
    Action::Retry,
    Action::Clear,
    Action::SetClock(20_000),
    Action::SetClock(-20_000),
];

/// A history: what happens, a step each.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// The steps.
    pub actions: Vec<Action>,
}

/// What there is of the artefacts. Without the report nothing is said of events.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Whether the capture began six seconds after its page.
    pub late: bool,
    /// Which of the printed lines reached the captures.
    pub lines: Lines,
    /// The browser's HAR.
    pub har: Option<HarView>,
    /// When the database was asked: as this step began.
    pub asked: Option<Step>,
}

/// All artefacts.
pub const ALL: View = View { late: false, lines: Lines::ALL, har: Some(HarView::ALL), asked: Some(Step::MAX) };

/// The model.
#[derive(Clone, Copy, Debug)]
pub struct Events;

impl Model for Events {
    type State = State;
    type Action = Action;
    type View = View;

    fn name(&self) -> &'static str {
        "events"
    }

    fn begin(&self) -> Vec<State> {
        vec![State::default()]
    }

    fn actions(&self, _: &State) -> Vec<Action> {
        FATES.into_iter().map(Action::Send).chain(OTHERS).collect()
    }

    fn step(&self, state: &State, action: Action) -> Option<State> {
        let events = play::events(&state.actions);
        let can = match action {
            Action::Send(_) | Action::Pass | Action::SetClock(_) | Action::Reload | Action::ReloadWithOldToken => true,
            Action::Redact | Action::Expire => events.last().is_some_and(|event| event.is_untouched()),
            Action::Rewrite => events.iter().any(play::Event::is_to_be_rewritten),
            Action::Scroll | Action::Retry => !events.is_empty(),
            Action::Clear => !state.actions.is_empty() && state.actions.last() != Some(&Action::Clear),
        };
        can.then(|| State { actions: state.actions.iter().copied().chain([action]).collect() })
    }

    fn is_notable(&self, state: &State) -> bool {
        state.actions.iter().any(|action| matches!(action, Action::Send(fate) if *fate != Fate::Whole))
    }

    fn any_action(&self, _: &State, chance: &mut Chance) -> Action {
        match chance.below(2) {
            0 => Action::Send(FATES[chance.below(FATES.len())]),
            _ => OTHERS[chance.below(OTHERS.len())],
        }
    }

    fn views(&self, state: &State) -> Vec<View> {
        let last = state.actions.len().saturating_sub(1) as Step;
        let har = |har| View { har: Some(har), ..ALL };
        vec![
            ALL,
            View { har: None, ..ALL },
            View { asked: None, ..ALL },
            View { asked: Some(last), ..ALL },
            View { late: true, ..ALL },
            View { lines: Lines { missed: Some(0), ..Lines::ALL }, ..ALL },
            View { lines: Lines::QUIET, ..ALL },
            har(HarView { span: (last, Step::MAX), ..HarView::ALL }),
            har(HarView { paused: Some(last), ..HarView::ALL }),
            har(HarView { bodies: false, ..HarView::ALL }),
        ]
    }

    fn any_view(&self, state: &State, chance: &mut Chance) -> View {
        let steps = state.actions.len();
        let span = match chance.below(5) {
            0 => (chance.below(steps) as Step, Step::MAX),
            1 => (0, chance.below(steps) as Step),
            _ => WHOLE,
        };
        let paused = (chance.below(4) == 0).then(|| chance.below(steps) as Step);
        let har = HarView { span, paused, bodies: chance.below(8) != 0 };
        let asked = if chance.below(4) == 0 { chance.below(steps) as Step } else { Step::MAX };
        View {
            late: chance.below(6) == 0,
            lines: Lines::ALL,
            har: (chance.below(6) != 0).then_some(har),
            asked: (chance.below(6) != 0).then_some(asked),
        }
    }

    fn view_without(&self, view: &View, step: usize) -> View {
        let har = view.har.map(|har| har.without(step as Step));
        View { har, asked: view.asked.map(|asked| earlier(asked, step as Step)), ..*view }
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

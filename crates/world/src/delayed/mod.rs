//! Question 4: the delayed event that keeps a membership in a call alive, and whoever is between its client and the homeserver.
//!
//! One step is one attempt to restart the event, with all that becomes of its request, or something that happens between two
//! attempts. A request that is held or slow is still under way in later steps. The client does as matrix-js-sdk does: it waits for
//! two seconds, tries again at once, and begins to count anew after a success.

pub mod client;
mod files;
pub mod state;
mod story;
mod truth;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::forms::{Device, File};
use crate::judge::Claim;
use crate::model::{Chance, Model, Step};
use crate::views::{HarView, Lines, Span, span_without};
use state::State;

/// The device that the histories are about.
pub const DEVICE: Device = Device { user: "@alice:example.org", id: "QWERTYALIC" };
/// The room of its call.
pub const ROOM: &str = "!cCYdMVvxTKVhQXjAPt:example.org";

/// What becomes of the request of an attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fate {
    /// It is answered at once.
    Answered,
    /// It is lost before it reaches the homeserver.
    Lost,
    /// The same, and the browser sends it again by itself when the connection is closed.
    LostAndSentAgain,
    /// The homeserver answers at once, and the answer is lost.
    AnswerLost,
    /// A gateway holds it for longer than the client waits.
    Held,
    /// The same, for much longer.
    HeldLong,
    /// The homeserver answers at once, and a gateway holds the answer.
    AnswerHeld,
    /// The homeserver takes longer than the client waits.
    Slow,
    /// The same, much longer.
    SlowLong,
    /// The homeserver takes longer than a gateway waits.
    Hung,
    /// A gateway and the homeserver take a part each.
    HeldAndSlow,
    /// The homeserver takes long, but not too long, and its answer is lost.
    SlowAndAnswerLost,
    /// A gateway answers with an error at once.
    GatewayRefuses,
    /// An impatient gateway answers with an error, since the homeserver is slow.
    GatewayGivesUp,
    /// A gateway cannot reach the homeserver, and says so in the end.
    GatewayFindsNobody,
    /// The homeserver answers with an error at once.
    ServerError,
    /// It waits in the browser's own queue.
    Queued,
    /// The page is frozen before it has the answer.
    Frozen,
}

const FATES: [Fate; 18] = [
    Fate::Answered,
    Fate::Lost,
    Fate::LostAndSentAgain,
    Fate::AnswerLost,
    Fate::Held,
    Fate::HeldLong,
    Fate::AnswerHeld,
    Fate::Slow,
    Fate::SlowLong,
    Fate::Hung,
    Fate::HeldAndSlow,
    Fate::SlowAndAnswerLost,
    Fate::GatewayRefuses,
    Fate::GatewayGivesUp,
    Fate::GatewayFindsNobody,
    Fate::ServerError,
    Fate::Queued,
    Fate::Frozen,
];

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// The client restarts its delayed event, and this becomes of it.
    Restart(Fate),
    /// The client leaves the call: it has its delayed event sent at once.
    Leave,
    /// Time passes after that.
    Pass,
    /// Clear is pressed.
    Clear,
    /// The homeserver is started anew; what it had in hand is lost.
    RestartServer,
    /// The user's clock is set, by so many milliseconds.
    SetClock(i64),
    /// The server's clock is set, by so many milliseconds.
    SetServerClock(i64),
}

const BETWEEN: [Action; 7] = [
    Action::Leave,
    Action::Pass,
    Action::Clear,
    Action::RestartServer,
    Action::SetClock(2_000),
    Action::SetServerClock(2_000),
    Action::SetServerClock(-2_000),
];

impl Action {
    fn is_fault(self) -> bool {
        match self {
            Action::Restart(fate) => fate != Fate::Answered,
            Action::RestartServer | Action::SetClock(_) | Action::SetServerClock(_) => true,
            Action::Leave | Action::Pass | Action::Clear => false,
        }
    }
}

/// Which of the artefacts there are: without the report nothing is said of delayed events.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Whether the capture began in the middle of the page's life.
    pub late: bool,
    /// Which of the printed lines reached the captures.
    pub lines: Lines,
    /// The HAR.
    pub har: Option<HarView>,
    /// The homeserver's log.
    pub log: Option<LogView>,
}

/// What there is of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogView {
    /// When it was written.
    pub span: Span,
    /// Of several workers, whether the first one's log alone was given.
    pub first_worker: bool,
}

/// The model, with its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Delayed {
    /// Faults of a history at most.
    pub faults: u8,
}

impl Delayed {
    /// For an exhaustive search.
    pub const SMALL: Delayed = Delayed { faults: 3 };
    /// For walks by chance.
    pub const LARGE: Delayed = Delayed { faults: 20 };
}

impl Model for Delayed {
    type State = State;
    type Action = Action;
    type View = View;

    fn name(&self) -> &'static str {
        "delayed events"
    }

    fn begin(&self) -> Vec<State> {
        vec![State::joined(70_000, false), State::joined(-70_000, true)]
    }

    fn actions(&self, _: &State) -> Vec<Action> {
        FATES.into_iter().map(Action::Restart).chain(BETWEEN).collect()
    }

    fn step(&self, state: &State, action: Action) -> Option<State> {
        if action.is_fault() && state.faults >= self.faults {
            return None;
        }
        let mut next = state.clone();
        next.apply(action)?;
        next.faults += u8::from(action.is_fault());
        Some(next)
    }

    fn is_notable(&self, state: &State) -> bool {
        state.failures().next().is_some()
    }

    fn any_action(&self, _: &State, chance: &mut Chance) -> Action {
        match chance.below(16) {
            0..6 => Action::Restart(Fate::Answered),
            6..15 => Action::Restart(FATES[chance.below(FATES.len())]),
            _ => BETWEEN[chance.below(BETWEEN.len())],
        }
    }

    fn views(&self, state: &State) -> Vec<View> {
        files::views(state, self.is_notable(state))
    }

    fn any_view(&self, state: &State, chance: &mut Chance) -> View {
        files::any_view(state, chance)
    }

    fn view_without(&self, view: &View, step: usize) -> View {
        let har = view.har.map(|har| har.without(step as Step));
        let log = view.log.map(|log| LogView { span: span_without(log.span, step as Step), ..log });
        View { har, log, ..view.clone() }
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

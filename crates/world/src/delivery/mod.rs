//! Question 2: how a media key comes to a page, hop by hop: made, sent, accepted, queued, fetched, opened.
//!
//! Alice's page hears Bob in a call, and Carol is in it as well. Bob's client makes a key, queues a batch with it for the devices that it
//! knows of, and encrypts with it a second later. The homeserver puts each message into its device's inbox, where it waits for that
//! device's next request for news. In each step one thing happens, and 35 seconds pass.

mod files;
mod play;
mod story;
mod truth;

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::forms::{Device, File};
use crate::judge::Claim;
use crate::model::{Chance, Model, Step, earlier};
use crate::views::{Lines, Span, WHOLE, span_without};

/// Whose page lacks keys.
pub const ALICE: Device = Device { user: "@alice:example.org", id: "QWERTYALIC" };
/// Who sends them.
pub const BOB: Device = Device { user: "@bob:example.org", id: "HNWJLZTGGU" };
/// Who is in the call as well.
pub const CAROL: Device = Device { user: "@carol:example.org", id: "ZXCVBNCARO" };

/// One of the three.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub enum Who {
    /// Hears Bob.
    Alice,
    /// Sends keys.
    Bob,
    /// Is in the call as well.
    Carol,
}

/// Everybody.
pub const EVERYBODY: [Who; 3] = [Who::Alice, Who::Bob, Who::Carol];

impl Who {
    /// The device.
    pub fn device(self) -> Device {
        [ALICE, BOB, CAROL][self as usize]
    }
}

/// How a history begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Start {
    /// Whether Alice has Bob's first key. If not, he made it before she joined, and has not heard of her yet.
    pub has_key: bool,
    /// Whether Bob's report and HAR are of another tab than the one that holds the call: one in a call with Carol alone, who is in both.
    pub other_tab: bool,
}

/// The usual start.
pub const IN_CALL: Start = Start { has_key: true, other_tab: false };
/// Alice has just joined.
pub const JOINED: Start = Start { has_key: false, other_tab: false };
/// Bob's other tab is the one that is shown.
pub const OTHER_TAB: Start = Start { has_key: false, other_tab: true };

/// What becomes of a key that Bob makes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Fate {
    /// It is there before it is used.
    InTime,
    /// A gateway holds the request, so that it is 300 ms late.
    Late,
    /// A gateway holds the request for 40 s.
    Held,
    /// Bob's client does not know that Alice's device is in the call, or cannot encrypt for it: its batch is for others alone.
    NoTarget,
    /// The request is lost, and the batch stays in the sender's queue.
    Lost,
    /// The homeserver takes the request, and its answer is lost, so that the batch stays in the sender's queue.
    AnswerLost,
    /// The homeserver refuses the batch with 403, and the client drops it.
    Refused,
    /// The homeserver knows Bob's token no more, and the client drops the batch.
    LoggedOut,
    /// Alice's store lacks the one-time key that the message needs.
    Unopenable,
    /// The message begins its session with a fallback key that Bob's client had got from the homeserver. Alice's client has replaced that
    /// key twice since, so it has forgotten the key, as it must.
    OldFallback,
    /// Alice's client opens the message twelve seconds after it has it.
    OpenedLate,
}

const FATES: [Fate; 11] = [
    Fate::InTime,
    Fate::Late,
    Fate::Held,
    Fate::NoTarget,
    Fate::Lost,
    Fate::AnswerLost,
    Fate::Refused,
    Fate::LoggedOut,
    Fate::Unopenable,
    Fate::OpenedLate,
    Fate::OldFallback,
];

/// What Alice's requests for news meet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum News {
    /// They are answered.
    Works,
    /// They do not reach the homeserver.
    Stuck,
    /// The homeserver answers them, and its answers are lost.
    AnswersLost,
    /// One of them is answered, and the next one does not end.
    OneAnswer,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// Nothing.
    Wait,
    /// Bob goes to the next key. What waits in his client's queue goes first.
    Rotate(Fate),
    /// Bob's client sends again what waits in its queue.
    SendAgain,
    /// Alice's page subscribes to Bob's sound anew.
    Resubscribe,
    /// From now on Alice's requests for news meet this.
    News(News),
    /// Alice's page is frozen.
    Freeze,
    /// It goes on.
    Thaw,
    /// Alice logs out: her page is left, and her device deleted.
    LogOut,
    /// She logs in under the same device id, elsewhere.
    LogIn,
    /// The homeserver is started anew; it forgets which transactions it has answered.
    RestartServer,
    /// Clear is pressed in somebody's card.
    Clear(Who),
    /// Somebody's clock is set, by so many milliseconds; once in a history.
    SetClock(Who, i64),
    /// The server's clock is set, by so many milliseconds; once in a history.
    SetServerClock(i64),
}

const OTHERS: [Action; 20] = [
    Action::Wait,
    Action::SendAgain,
    Action::Resubscribe,
    Action::News(News::Works),
    Action::News(News::Stuck),
    Action::News(News::AnswersLost),
    Action::News(News::OneAnswer),
    Action::Freeze,
    Action::Thaw,
    Action::LogOut,
    Action::LogIn,
    Action::RestartServer,
    Action::Clear(Who::Alice),
    Action::Clear(Who::Bob),
    Action::SetClock(Who::Alice, 90_000),
    Action::SetClock(Who::Alice, -20_000),
    Action::SetClock(Who::Bob, 90_000),
    Action::SetClock(Who::Bob, -90_000),
    Action::SetServerClock(20_000),
    Action::SetServerClock(-20_000),
];

impl Action {
    fn is_fault(self) -> bool {
        match self {
            Action::Rotate(fate) => fate != Fate::InTime,
            Action::News(news) => news != News::Works,
            Action::Freeze
            | Action::LogOut
            | Action::RestartServer
            | Action::SetClock(..)
            | Action::SetServerClock(_) => true,
            Action::Wait
            | Action::SendAgain
            | Action::Resubscribe
            | Action::Thaw
            | Action::LogIn
            | Action::Clear(_) => false,
        }
    }
}

/// A history: how it begins, and what happens.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct State {
    /// How it begins.
    pub start: Start,
    /// What happens, a step each.
    pub actions: Vec<Action>,
}

impl State {
    /// What Alice's requests for news meet at the end.
    fn news(&self) -> News {
        let last = self.actions.iter().rev().find_map(|action| match action {
            Action::News(News::OneAnswer) => Some(News::Stuck),
            Action::News(news) => Some(*news),
            _ => None,
        });
        last.unwrap_or(News::Works)
    }

    /// Whether the last of two actions that undo each other is the first of them.
    fn is_since(&self, begins: Action, ends: Action) -> bool {
        let last = self.actions.iter().rev().find(|action| **action == begins || **action == ends);
        last == Some(&begins)
    }

    fn has(&self, action: Action) -> bool {
        self.actions.contains(&action)
    }

    fn can(&self, action: Action) -> bool {
        let is_gone = self.has(Action::LogOut);
        let is_frozen = self.is_since(Action::Freeze, Action::Thaw);
        let sends = !self.has(Action::Rotate(Fate::LoggedOut));
        match action {
            Action::Wait | Action::RestartServer => true,
            Action::Rotate(fate) => sends && !(self.start.other_tab && fate == Fate::NoTarget),
            Action::SendAgain => sends && play::play(self).waits(),
            Action::Resubscribe => !is_gone && !is_frozen,
            Action::News(news) => !is_gone && (news == News::OneAnswer || news != self.news()),
            Action::Freeze => !is_gone && !is_frozen,
            Action::Thaw => !is_gone && is_frozen,
            Action::LogOut => !is_gone && !is_frozen,
            Action::LogIn => is_gone && !self.has(Action::LogIn),
            Action::Clear(who) => {
                self.actions.last() != Some(&action) && !(who == Who::Alice && (is_gone || is_frozen))
            }
            Action::SetClock(who, _) => {
                !self.actions.iter().any(|known| matches!(known, Action::SetClock(whose, _) if *whose == who))
            }
            Action::SetServerClock(_) => !self.actions.iter().any(|known| matches!(known, Action::SetServerClock(_))),
        }
    }
}

/// Which of the artefacts there are.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Whose reports there are.
    pub reports: [bool; 3],
    /// Whose captures began in the middle of the history.
    pub late: [bool; 3],
    /// Which of the printed lines reached the captures.
    pub lines: Lines,
    /// Whether they watch `console.info`.
    pub info: bool,
    /// Whether reports are made seconds after the last step, and not one and a half minutes.
    pub soon: bool,
    /// Alice's HAR and Bob's: from which step on, until which.
    pub hars: [Option<Span>; 2],
    /// Whether HARs have bodies.
    pub bodies: bool,
    /// The homeserver's log.
    pub log: Option<LogView>,
    /// When the database was asked.
    pub looks: Looks,
    /// Whether it was asked for each message, and not for how many there are.
    pub listed: bool,
}

/// What there is of the log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct LogView {
    /// From which step on, and until which.
    pub span: Span,
    /// Whether the logger of to-device messages was raised to DEBUG.
    pub debug: bool,
}

/// When the database was asked which messages wait for Alice.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Looks {
    /// Never.
    Never,
    /// Once, at the end.
    Once,
    /// Twice at the end, eight seconds apart.
    Twice,
    /// At the end of a step, and at the end.
    AndBefore(Step),
}

/// Everything that there can be.
pub const ALL: View = View {
    reports: [true; 3],
    late: [false; 3],
    lines: Lines::ALL,
    info: true,
    soon: false,
    hars: [Some(WHOLE); 2],
    bodies: true,
    log: Some(LogView { span: WHOLE, debug: true }),
    looks: Looks::Twice,
    listed: true,
};

/// The model, with its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Delivery {
    /// Faults of a history at most.
    pub faults: usize,
}

impl Delivery {
    /// For an exhaustive search.
    pub const SMALL: Delivery = Delivery { faults: 3 };
    /// For walks by chance.
    pub const LARGE: Delivery = Delivery { faults: 12 };
}

impl Model for Delivery {
    type State = State;
    type Action = Action;
    type View = View;

    fn name(&self) -> &'static str {
        "delivery"
    }

    fn begin(&self) -> Vec<State> {
        [IN_CALL, JOINED, OTHER_TAB].map(|start| State { start, actions: Vec::new() }).into()
    }

    fn actions(&self, _: &State) -> Vec<Action> {
        FATES.into_iter().map(Action::Rotate).chain(OTHERS).collect()
    }

    fn step(&self, state: &State, action: Action) -> Option<State> {
        let faults = state.actions.iter().filter(|action| action.is_fault()).count();
        if (action.is_fault() && faults >= self.faults) || !state.can(action) {
            return None;
        }
        Some(State { start: state.start, actions: state.actions.iter().copied().chain([action]).collect() })
    }

    fn is_notable(&self, state: &State) -> bool {
        !state.start.has_key || state.actions.iter().any(|action| action.is_fault())
    }

    fn any_action(&self, _: &State, chance: &mut Chance) -> Action {
        match chance.below(16) {
            0..2 => Action::Rotate(Fate::InTime),
            // Walks do not choose the last one, which exhaustive searches try: it is rare, and it looks like the lost one.
            2..6 => Action::Rotate(FATES[chance.below(FATES.len() - 1)]),
            6..8 => Action::News([News::Works, News::Stuck, News::OneAnswer][chance.below(3)]),
            8 => Action::SendAgain,
            9 => Action::Resubscribe,
            10 => Action::Wait,
            _ => OTHERS[chance.below(OTHERS.len())],
        }
    }

    fn views(&self, state: &State) -> Vec<View> {
        files::views(state)
    }

    fn any_view(&self, state: &State, chance: &mut Chance) -> View {
        files::any_view(state, chance)
    }

    fn view_without(&self, view: &View, step: usize) -> View {
        let earlier = |bound| earlier(bound, step as Step);
        let span = |span| span_without(span, step as Step);
        let looks = match view.looks {
            Looks::AndBefore(step) => Looks::AndBefore(earlier(step)),
            looks => looks,
        };
        let log = view.log.map(|log| LogView { span: span(log.span), ..log });
        View { hars: view.hars.map(|har| har.map(span)), log, looks, ..view.clone() }
    }

    fn files(&self, state: &State, view: &View) -> Vec<File> {
        files::files(state, view)
    }

    fn truths(&self, state: &State, view: &View) -> BTreeSet<Claim> {
        truth::truths(state, view)
    }

    fn tells_hops(&self) -> bool {
        true
    }

    fn tell(&self, _: &State, action: Action) -> String {
        story::tell(action)
    }

    fn tell_view(&self, _: &State, view: &View) -> String {
        story::tell_view(view)
    }
}

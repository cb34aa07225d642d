//! Question 1: the one-time keys of one device, and the contexts that use its stores.
//!
//! One step takes half a minute, and one thing happens in it. A client's account lives in its memory; what it saves goes to its
//! profile's disk as a whole, so that a tab that saves what it has overwrites what another one saved.

mod files;
pub mod machine;
pub mod server;
pub mod state;
mod step;
mod story;
mod truth;

use serde::{Deserialize, Serialize};

use crate::forms::{Device, File};
use crate::judge::Claim as Said;
use crate::model::{Chance, Model, Step, earlier};
use crate::views::{Lines, Span, span_without};
use state::{Account, Profile, State, Tables};
use std::collections::BTreeSet;

/// The device that the histories are about.
pub const DEVICE: Device = Device { user: "@alice:example.org", id: "QWERTYALIC" };

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Action {
    /// A tab opens the app on a profile.
    Open(usize, usize),
    /// A tab's page is left.
    Leave(usize),
    /// The client in a page closes its store; the page stays.
    Stop(usize),
    /// A client is started again in the page.
    Start(usize),
    /// A client makes a key if none is pending, offers it, and hears the answer.
    Upload(usize),
    /// The same, and what the client saves after the answer never reaches the disk.
    UploadUnsaved(usize),
    /// The same, and the answer is lost.
    UploadUnanswered(usize),
    /// The same, and the request never reaches the server.
    UploadLost(usize),
    /// A client offers a key, and the request is on its way.
    Send(usize),
    /// A tab's request reaches the server.
    Arrive(usize),
    /// A client saves what it has in memory, for whatever reason.
    Save(usize),
    /// Somebody claims a key of the device and writes with it.
    Claim,
    /// A client is given the oldest message that waits.
    Receive(usize),
    /// A profile is backed up.
    BackUp(usize),
    /// A profile is set back to its backup.
    SetBack(usize),
    /// A profile loses its store.
    Evict(usize),
    /// The first profile is copied to the second machine.
    Copy,
    /// The server's database is backed up.
    BackUpServer,
    /// The server's database is set back to its backup.
    SetBackServer,
    /// The server deletes the device's one-time keys, which are old.
    DeleteOldKeys,
    /// The device is deleted on the server, and the user logs in anew under the same id, with a new store.
    NewDevice,
    /// The same, with the old store.
    NewLogin,
    /// Clear is pressed in a tab's card.
    Clear(usize),
    /// The operator asks the database.
    Ask,
    /// A machine's clock is set, by so many minutes.
    SetClock(usize, i8),
    /// The server's clock is set back by two minutes.
    SetServerClock,
    /// The server is started anew; it counts requests from 0 again.
    RestartServer,
    /// Nothing.
    Wait,
}

impl Action {
    fn is_fault(self) -> bool {
        matches!(
            self,
            Action::UploadUnsaved(_)
                | Action::UploadUnanswered(_)
                | Action::UploadLost(_)
                | Action::SetBack(_)
                | Action::Evict(_)
                | Action::Copy
                | Action::SetBackServer
                | Action::DeleteOldKeys
                | Action::NewDevice
                | Action::NewLogin
                | Action::SetClock(..)
                | Action::SetServerClock
                | Action::RestartServer
        )
    }
}

/// Which of the artefacts there are: what people hand in is always a part.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub struct View {
    /// Reports, by page, as bits.
    pub reports: u8,
    /// Whether captures began in the middle of their page's life.
    pub late: bool,
    /// Which of the printed lines reached the captures.
    pub lines: Lines,
    /// HARs, by tab, as bits.
    pub hars: u8,
    /// From which step on HARs were recorded.
    pub hars_from: Step,
    /// Whether HARs have the bodies of uploads; people take them out before they share one.
    pub bodies: bool,
    /// The server's log, from one step to another.
    pub log: Option<Span>,
    /// Answers of the database.
    pub tables: Option<Asked>,
}

/// When the database was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Asked {
    /// When the operator did so in the history.
    Then,
    /// At the end.
    AtTheEnd,
}

/// The model, with its bounds.
#[derive(Clone, Copy, Debug)]
pub struct Keys {
    /// Faults of a history at most.
    pub faults: u8,
    /// Pages that a history opens at most; a view has room for eight.
    pub pages: usize,
}

impl Keys {
    /// For an exhaustive search.
    pub const SMALL: Keys = Keys { faults: 2, pages: 4 };
    /// For walks by chance.
    pub const LARGE: Keys = Keys { faults: 5, pages: 8 };
}

impl Keys {
    /// A device that has been used for a while: its store is there, and all of its one-time keys were claimed. The server was
    /// started a moment ago. `ahead` is by how many seconds the user's clock is ahead of the server's.
    fn in_use(ahead: i32) -> State {
        let account = Account { identity: 0, next: 50, pending: None, made: 0, held: 0, shared: true };
        let clock = vec![(0, ahead)];
        State {
            identities: 1,
            profiles: [
                Profile { disk: Some(account), backup: None, clock: clock.clone() },
                Profile { disk: None, backup: None, clock },
            ],
            tables: Tables { keys: Vec::new(), identity: Some((0, 0)), fallback: Some((0, false)) },
            identities_held: vec![(0, Some(0))],
            ..State::default()
        }
    }

    /// A device that has just logged in: there is no store yet.
    fn new_login(ahead: i32) -> State {
        let clock = vec![(0, ahead)];
        let profile = Profile { disk: None, backup: None, clock };
        State { profiles: [profile.clone(), profile], ..State::default() }
    }
}

impl Model for Keys {
    type State = State;
    type Action = Action;
    type View = View;

    fn name(&self) -> &'static str {
        "one-time keys and contexts"
    }

    fn begin(&self) -> Vec<State> {
        vec![Keys::in_use(70), Keys::in_use(-70), Keys::new_login(70)]
    }

    fn is_notable(&self, state: &State) -> bool {
        truth::refusals(state).next().is_some() || !state.unopened.is_empty() || state.was_given_twice()
    }

    fn any_action(&self, _: &State, chance: &mut Chance) -> Action {
        use Action::*;
        let tab = chance.below(2);
        match chance.below(20) {
            0..5 => Upload(tab),
            5 => Send(tab),
            6 => Arrive(tab),
            7..9 => Open(tab, tab * chance.below(2)),
            9 => Leave(tab),
            10..12 => Claim,
            12 => Receive(tab),
            13 => Save(tab),
            14 => Evict(0),
            _ => {
                let all = self.actions(&State::default());
                all[chance.below(all.len())]
            }
        }
    }

    fn actions(&self, _: &State) -> Vec<Action> {
        use Action::*;
        let mut actions = vec![
            Open(0, 0),
            Open(1, 0),
            Open(1, 1),
            Claim,
            BackUp(0),
            SetBack(0),
            Evict(0),
            Copy,
            BackUpServer,
            SetBackServer,
            DeleteOldKeys,
            NewDevice,
            NewLogin,
            Ask,
            SetClock(0, -2),
            SetClock(0, 2),
            SetServerClock,
            RestartServer,
            Wait,
        ];
        for tab in 0..2 {
            actions.extend([
                Leave(tab),
                Stop(tab),
                Start(tab),
                Upload(tab),
                UploadUnsaved(tab),
                UploadUnanswered(tab),
                UploadLost(tab),
                Send(tab),
                Arrive(tab),
                Save(tab),
                Receive(tab),
                Clear(tab),
            ]);
        }
        actions
    }

    fn step(&self, state: &State, action: Action) -> Option<State> {
        if action.is_fault() && state.faults >= self.faults {
            return None;
        }
        if matches!(action, Action::Open(..)) && state.pages.len() >= self.pages {
            return None;
        }
        let mut next = state.clone();
        next.apply(action)?;
        next.faults += u8::from(action.is_fault());
        let identity = next.tables.identity.map(|(identity, _)| identity);
        if next.identities_held.last().is_none_or(|(_, held)| *held != identity) {
            next.identities_held.push((next.now, identity));
        }
        next.now += 1;
        Some(next)
    }

    fn views(&self, state: &State) -> Vec<View> {
        files::views(state)
    }

    fn any_view(&self, state: &State, chance: &mut Chance) -> View {
        files::any_view(state, chance)
    }

    fn view_without(&self, view: &View, step: usize) -> View {
        let earlier = |bound| earlier(bound, step as Step);
        let log = view.log.map(|log| span_without(log, step as Step));
        View { hars_from: earlier(view.hars_from), log, ..view.clone() }
    }

    fn files(&self, state: &State, view: &View) -> Vec<File> {
        files::files(state, view)
    }

    fn truths(&self, state: &State, view: &View) -> BTreeSet<Said> {
        truth::truths(state, view)
    }

    fn tell(&self, state: &State, action: Action) -> String {
        story::tell(state, action)
    }

    fn tell_view(&self, state: &State, view: &View) -> String {
        story::tell_view(state, view)
    }
}

//! Question 1: the one-time keys of one device, and the contexts that use its stores.
//!
//! One step takes half a minute, and one thing happens in it. A client's account lives in its memory; what it saves goes to its
//! profile's disk as a whole, so that a tab that saves what it has overwrites what another one saved.

mod files;
pub mod server;
mod story;
mod truth;

use crate::forms::{Device, File};
use crate::judge::Claim as Said;
use crate::search::{Chance, Model};
use std::collections::BTreeSet;

/// The device that the histories are about.
pub const DEVICE: Device = Device { user: "@alice:example.org", id: "QWERTYALIC" };

/// Keys that a history makes at most; each is a bit.
const KEYS_MAX: usize = 30;

/// A page's number, in the order of opening.
pub type PageNo = usize;
/// A key's number, in the order of making.
pub type Key = u8;
/// A step's number.
pub type Step = u8;

/// An Olm account: what one client keeps in memory and saves as a whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Account {
    /// Which identity keys it has.
    pub identity: u8,
    /// The next key id.
    pub next: u8,
    /// The key that has been made and that the server has not taken, as far as this account knows.
    pub pending: Option<Key>,
    /// Keys that were ever made by this account, as bits.
    pub made: u32,
    /// Keys whose private halves it still has, as bits.
    pub held: u32,
    /// Whether the server has taken its identity keys, as far as it knows.
    pub shared: bool,
}

/// A profile of a browser, on a machine of its own.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Profile {
    /// What is saved.
    pub disk: Option<Account>,
    /// A backup of the disk.
    pub backup: Option<Account>,
    /// What the machine's clock is ahead of the true time, in seconds, from which step on.
    pub clock: Vec<(Step, i32)>,
}

/// A page's life.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Page {
    /// In which tab.
    pub tab: usize,
    /// On which profile.
    pub profile: usize,
    /// When it was opened.
    pub began: Step,
    /// When it was left.
    pub ended: Option<Step>,
    /// When Clear was pressed last.
    pub cleared: Option<Step>,
    /// The clients that ran in it, one after the other.
    pub clients: Vec<Client>,
}

/// A client's life in a page: from opening the store to closing it.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Client {
    /// When it opened the store.
    pub opened: Step,
    /// When it closed it.
    pub closed: Option<Step>,
    /// With which identity.
    pub identity: u8,
}

/// A tab: its page, the running client's account, and its upload on the way.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tab {
    /// The page that it shows.
    pub page: Option<PageNo>,
    /// The running client's account.
    pub account: Option<Account>,
    /// An upload that has not been answered.
    pub on_the_way: Option<usize>,
}

/// What the server did with an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Outcome {
    /// It took the key, or had it already.
    Accepted,
    /// It holds that key under the id.
    Refused(Key),
}

/// An upload of one one-time key.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct Upload {
    /// By which page.
    pub page: PageNo,
    /// By which of its clients.
    pub client: usize,
    /// When it was sent.
    pub sent: Step,
    /// The offered key.
    pub key: Key,
    /// Whether it brings the identity keys and the fallback key along.
    pub with_identity: bool,
    /// When the server got it, and what it did.
    pub arrived: Option<(Step, Outcome)>,
    /// Whether the client saw the answer.
    pub answered: bool,
    /// When the client stopped waiting, if it has.
    pub given_up: Option<Step>,
}

/// Somebody claimed a key of the device, and wrote with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Claim {
    /// When.
    pub at: Step,
    /// Which; `None` is the fallback key of that identity.
    pub key: Result<Key, u8>,
}

/// A message that could not be opened.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Unopened {
    /// When.
    pub at: Step,
    /// By which page.
    pub page: PageNo,
    /// Of which claim it is.
    pub claim: usize,
    /// The keys that the account which could not open it ever made, as bits.
    pub made: u32,
}

/// The server's tables of the device.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Tables {
    /// One-time keys by id: key and when it came.
    pub keys: Vec<(u8, Key, Step)>,
    /// The identity, and when it came.
    pub identity: Option<(u8, Step)>,
    /// The fallback key's identity, and whether it was given out.
    pub fallback: Option<(u8, bool)>,
}

/// Everything that is and was.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct State {
    /// Steps taken.
    pub now: Step,
    /// Faults so far.
    pub faults: u8,
    /// Two machines: the second is empty until the profile is copied.
    pub profiles: [Profile; 2],
    /// Two tabs.
    pub tabs: [Tab; 2],
    /// All pages.
    pub pages: Vec<Page>,
    /// Whose identity made each key, and under which id.
    pub made: Vec<(u8, u8)>,
    /// How many identities there were.
    pub identities: u8,
    /// The server's tables now.
    pub tables: Tables,
    /// Its backup.
    pub backup: Option<Tables>,
    /// What the operator's query showed, and when it was asked.
    pub asked: Option<(Step, Tables)>,
    /// All uploads, in the order of sending.
    pub uploads: Vec<Upload>,
    /// All claims.
    pub claims: Vec<Claim>,
    /// Claims whose message waits for the device.
    pub inbox: Vec<usize>,
    /// Messages that could not be opened.
    pub unopened: Vec<Unopened>,
    /// When the device was made anew.
    pub logins: Vec<Step>,
    /// What the server's clock is ahead of the true time, in seconds, from which step on.
    pub server_clock: Vec<(Step, i32)>,
    /// When the server was started anew.
    pub restarts: Vec<Step>,
    /// Which identity the server held, from which step on.
    pub identities_held: Vec<(Step, Option<u8>)>,
}

/// One thing that happens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
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
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct View {
    /// Reports, by page, as bits.
    pub reports: u8,
    /// Whether captures began in the middle of their page's life.
    pub late: bool,
    /// HARs, by tab, as bits.
    pub hars: u8,
    /// From which step on HARs were recorded.
    pub hars_from: Step,
    /// Whether HARs have the bodies of uploads; people take them out before they share one.
    pub bodies: bool,
    /// The server's log, from one step to another.
    pub log: Option<(Step, Step)>,
    /// Answers of the database.
    pub tables: Option<Asked>,
}

/// When the database was asked.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Asked {
    /// When the operator did so in the history.
    Then,
    /// At the end.
    AtTheEnd,
}

/// The whole log, from the server's start until minutes after the history's end.
pub const WHOLE: (Step, Step) = (0, Step::MAX);

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

impl State {
    /// A key's id.
    pub fn id(&self, key: Key) -> u8 {
        self.made[usize::from(key)].1
    }

    /// A key's identity.
    pub fn identity(&self, key: Key) -> u8 {
        self.made[usize::from(key)].0
    }

    /// What is seconds ahead at a step, by a list of changes.
    pub fn ahead(clock: &[(Step, i32)], at: Step) -> i64 {
        clock.iter().rev().find(|(from, _)| *from <= at).map_or(0, |(_, ahead)| i64::from(*ahead) * 1_000)
    }

    /// Whether one one-time key was given out twice.
    pub fn was_given_twice(&self) -> bool {
        let again = |at: usize, claim: &Claim| self.claims[..at].iter().any(|earlier| earlier.key == claim.key);
        self.claims.iter().enumerate().any(|(at, claim)| claim.key.is_ok() && again(at, claim))
    }

    fn runs_on(&self, profile: usize) -> bool {
        self.tabs
            .iter()
            .any(|tab| tab.account.is_some() && tab.page.is_some_and(|page| self.pages[page].profile == profile))
    }

    fn profile_of(&self, tab: usize) -> Option<usize> {
        Some(self.pages[self.tabs[tab].page?].profile)
    }

    fn open_client(&mut self, tab: usize) -> Option<()> {
        let page = self.tabs[tab].page?;
        let profile = self.pages[page].profile;
        let account = match self.profiles[profile].disk {
            Some(account) => account,
            None => {
                let identity = self.identities;
                self.identities += 1;
                let account = Account { identity, next: 0, pending: None, made: 0, held: 0, shared: false };
                self.profiles[profile].disk = Some(account);
                account
            }
        };
        let client = Client { opened: self.now, closed: None, identity: account.identity };
        self.pages[page].clients.push(client);
        self.tabs[tab].account = Some(account);
        Some(())
    }

    fn close_client(&mut self, tab: usize) {
        let now = self.now;
        self.tabs[tab].account = None;
        if let Some(upload) = self.tabs[tab].on_the_way {
            self.uploads[upload].given_up.get_or_insert(now);
        }
        if let Some(page) = self.tabs[tab].page
            && let Some(client) = self.pages[page].clients.last_mut()
        {
            client.closed.get_or_insert(now);
        }
    }

    fn save(&mut self, tab: usize) {
        if let (Some(profile), Some(account)) = (self.profile_of(tab), self.tabs[tab].account) {
            self.profiles[profile].disk = Some(account);
        }
    }

    /// A client makes a key if it has none pending, saves, and sends it.
    fn send(&mut self, tab: usize) -> Option<usize> {
        if self.tabs[tab].on_the_way.is_some() || self.made.len() >= KEYS_MAX {
            return None;
        }
        let page = self.tabs[tab].page?;
        let mut account = self.tabs[tab].account?;
        let key = match account.pending {
            Some(key) => key,
            None => {
                let key = self.made.len() as Key;
                self.made.push((account.identity, account.next));
                account.next += 1;
                account.pending = Some(key);
                account.made |= 1 << key;
                account.held |= 1 << key;
                self.tabs[tab].account = Some(account);
                self.save(tab);
                key
            }
        };
        self.uploads.push(Upload {
            page,
            client: self.pages[page].clients.len() - 1,
            sent: self.now,
            key,
            with_identity: !account.shared,
            arrived: None,
            answered: false,
            given_up: None,
        });
        Some(self.uploads.len() - 1)
    }

    /// The server gets an upload.
    fn arrive(&mut self, upload: usize) {
        let Upload { key, with_identity, .. } = self.uploads[upload];
        let (identity, id) = self.made[usize::from(key)];
        if with_identity {
            // Identity keys are stored before one-time keys are looked at.
            self.tables.identity = Some((identity, self.now));
        }
        let outcome = match server::upload(&mut self.tables.keys, &[(id, key)], self.now) {
            Ok(()) => Outcome::Accepted,
            Err(held) => Outcome::Refused(held[0].1),
        };
        if with_identity && outcome == Outcome::Accepted {
            self.tables.fallback = Some((identity, false));
        }
        self.uploads[upload].arrived = Some((self.now, outcome));
    }

    /// The client hears the answer to its upload.
    fn hear(&mut self, tab: usize, upload: usize) {
        self.uploads[upload].answered = true;
        if let Some((_, Outcome::Accepted)) = self.uploads[upload].arrived
            && let Some(account) = &mut self.tabs[tab].account
        {
            account.pending = None;
            account.shared = true;
        }
    }

    fn upload(&mut self, tab: usize, how: Action) -> Option<()> {
        let upload = self.send(tab)?;
        match how {
            Action::UploadLost(_) => self.uploads[upload].given_up = Some(self.now),
            Action::UploadUnanswered(_) => {
                self.arrive(upload);
                self.uploads[upload].given_up = Some(self.now);
            }
            _ => {
                self.arrive(upload);
                self.hear(tab, upload);
                if !matches!(how, Action::UploadUnsaved(_)) {
                    self.save(tab);
                } else if !matches!(self.uploads[upload].arrived, Some((_, Outcome::Accepted))) {
                    // After a refusal there is nothing to save.
                    return None;
                }
            }
        }
        Some(())
    }

    fn claim(&mut self) -> Option<()> {
        let next = server::claimable(&self.tables.keys).next();
        let key = match next {
            Some(at) => Ok(self.tables.keys.remove(at).1),
            None => {
                let (identity, used) = self.tables.fallback.as_mut()?;
                *used = true;
                Err(*identity)
            }
        };
        self.claims.push(Claim { at: self.now, key });
        self.inbox.push(self.claims.len() - 1);
        Some(())
    }

    fn receive(&mut self, tab: usize) -> Option<()> {
        let page = self.tabs[tab].page?;
        let mut account = self.tabs[tab].account?;
        if self.inbox.is_empty() {
            return None;
        }
        let claim = self.inbox.remove(0);
        let opens = match self.claims[claim].key {
            Ok(key) => account.held & 1 << key != 0,
            Err(identity) => identity == account.identity,
        };
        if opens {
            if let Ok(key) = self.claims[claim].key {
                account.held &= !(1 << key);
                self.tabs[tab].account = Some(account);
                self.save(tab);
            }
        } else {
            // A message for another identity has no part for this one's key, and gives another line: not modelled.
            let whose = self.claims[claim].key.map_or_else(|identity| identity, |key| self.identity(key));
            if whose != account.identity {
                return None;
            }
            self.unopened.push(Unopened { at: self.now, page, claim, made: account.made });
        }
        Some(())
    }

    fn apply(&mut self, action: Action) -> Option<()> {
        let now = self.now;
        match action {
            Action::Open(tab, profile) => {
                if self.tabs[tab].page.is_some() {
                    return None;
                }
                // The tabs of the desktop are alike: the first one is opened first.
                if (tab, profile) == (1, 0) && !self.pages.iter().any(|page| page.tab == 0) {
                    return None;
                }
                if profile == 1 && self.profiles[1].disk.is_none() {
                    return None;
                }
                self.tabs[tab].on_the_way = None;
                self.tabs[tab].page = Some(self.pages.len());
                self.pages.push(Page { tab, profile, began: now, ended: None, cleared: None, clients: Vec::new() });
                self.open_client(tab)?;
            }
            Action::Leave(tab) => {
                self.close_client(tab);
                let page = self.tabs[tab].page.take()?;
                self.pages[page].ended = Some(now);
            }
            Action::Stop(tab) => {
                self.tabs[tab].account?;
                self.close_client(tab);
            }
            Action::Start(tab) => {
                if self.tabs[tab].account.is_some() {
                    return None;
                }
                self.open_client(tab)?;
            }
            Action::Upload(tab)
            | Action::UploadUnsaved(tab)
            | Action::UploadUnanswered(tab)
            | Action::UploadLost(tab) => self.upload(tab, action)?,
            Action::Send(tab) => {
                let upload = self.send(tab)?;
                self.tabs[tab].on_the_way = Some(upload);
            }
            Action::Arrive(tab) => {
                let upload = self.tabs[tab].on_the_way.take()?;
                self.arrive(upload);
                if self.uploads[upload].given_up.is_none() {
                    self.hear(tab, upload);
                    self.save(tab);
                }
            }
            Action::Save(tab) => {
                let (profile, account) = (self.profile_of(tab)?, self.tabs[tab].account?);
                if self.profiles[profile].disk == Some(account) {
                    return None;
                }
                self.save(tab);
            }
            Action::Claim => self.claim()?,
            Action::Receive(tab) => self.receive(tab)?,
            Action::BackUp(profile) => {
                let disk = self.profiles[profile].disk?;
                if self.profiles[profile].backup.replace(disk) == Some(disk) {
                    return None;
                }
            }
            Action::SetBack(profile) => {
                let backup = self.profiles[profile].backup?;
                if self.runs_on(profile) || self.profiles[profile].disk.replace(backup) == Some(backup) {
                    return None;
                }
            }
            Action::Evict(profile) => {
                if self.runs_on(profile) {
                    return None;
                }
                self.profiles[profile].disk.take()?;
            }
            Action::Copy => {
                if self.profiles[1].disk.is_some() {
                    return None;
                }
                self.profiles[1].disk = Some(self.profiles[0].disk?);
            }
            Action::BackUpServer => {
                if self.backup.as_ref() == Some(&self.tables) {
                    return None;
                }
                self.backup = Some(self.tables.clone());
            }
            Action::SetBackServer => {
                let backup = self.backup.clone()?;
                if backup == self.tables {
                    return None;
                }
                self.tables = backup;
            }
            Action::DeleteOldKeys => {
                if self.tables.keys.is_empty() {
                    return None;
                }
                self.tables.keys.clear();
            }
            Action::NewDevice | Action::NewLogin => {
                if self.runs_on(0) || self.runs_on(1) || self.tables.identity.is_none() {
                    return None;
                }
                self.tables = Tables::default();
                self.inbox.clear();
                self.logins.push(now);
                // The copy's access token is gone with the device.
                self.profiles[1].disk = None;
                self.profiles[0].disk = match (action, self.profiles[0].disk) {
                    (Action::NewLogin, Some(disk)) => Some(Account { shared: false, ..disk }),
                    _ => None,
                };
            }
            Action::Clear(tab) => {
                let page = self.tabs[tab].page?;
                let printed = |at: Step| self.pages[page].cleared.is_none_or(|cleared| at > cleared);
                let refused = truth::refusals(self).any(|(upload, at, _)| upload.page == page && printed(at));
                // Where nothing was printed since, nothing is lost.
                if !refused && !self.unopened.iter().any(|one| one.page == page && printed(one.at)) {
                    return None;
                }
                self.pages[page].cleared = Some(now);
            }
            Action::Ask => {
                if self.asked.is_some() {
                    return None;
                }
                self.asked = Some((now, self.tables.clone()));
            }
            Action::SetClock(profile, minutes) => {
                let ahead = Self::ahead(&self.profiles[profile].clock, now) / 1_000 + i64::from(minutes) * 60;
                self.profiles[profile].clock.push((now, ahead as i32));
            }
            Action::SetServerClock => {
                let ahead = Self::ahead(&self.server_clock, now) / 1_000 - 120;
                self.server_clock.push((now, ahead as i32));
            }
            Action::RestartServer => self.restarts.push(now),
            Action::Wait => {}
        }
        Some(())
    }
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
}

impl Keys {
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
        let step = step as Step;
        let earlier = |bound: Step| if bound > step && bound != Step::MAX { bound - 1 } else { bound };
        let log = view.log.map(|(from, to)| (earlier(from), earlier(to)));
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

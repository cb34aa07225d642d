//! What comes of each action.

use super::server;
use super::state::{Account, Claim, Client, Key, Outcome, Page, State, Tables, Unopened, Upload};
use super::{Action, truth};
use crate::model::Step;

/// Keys that a history makes at most; each is a bit.
const KEYS_MAX: usize = 30;

impl State {
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
                let mut account = Account { identity, next: 0, pending: None, made: 0, held: 0, shared: false };
                // A new account has its first keys from the start, so that a copy of it has the same.
                self.make(&mut account)?;
                self.profiles[profile].disk = Some(account);
                account
            }
        };
        let client = Client { opened: self.now, closed: None, identity: account.identity };
        self.pages[page].clients.push(client);
        self.tabs[tab].account = Some(account);
        Some(())
    }

    /// An account makes a key.
    fn make(&mut self, account: &mut Account) -> Option<Key> {
        if self.made.len() >= KEYS_MAX {
            return None;
        }
        let key = self.made.len() as Key;
        self.made.push((account.identity, account.next));
        account.next += 1;
        account.pending = Some(key);
        account.made |= 1 << key;
        account.held |= 1 << key;
        Some(key)
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

    /// An answer to a request for news tells a client that keys are missing. The client makes a key if none is pending. It saves its whole
    /// account, as after every such answer, and sends the key.
    pub(super) fn send(&mut self, tab: usize) -> Option<usize> {
        if self.tabs[tab].on_the_way.is_some() {
            return None;
        }
        let page = self.tabs[tab].page?;
        let mut account = self.tabs[tab].account?;
        let key = match account.pending {
            Some(key) => key,
            None => self.make(&mut account)?,
        };
        self.tabs[tab].account = Some(account);
        self.save(tab);
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
    pub(super) fn arrive(&mut self, upload: usize) {
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

    /// The client gets the answer to its upload. It saves nothing after a refusal.
    fn hear(&mut self, tab: usize, upload: usize) {
        self.uploads[upload].answered = true;
        if let Some((_, Outcome::Accepted)) = self.uploads[upload].arrived
            && let Some(account) = &mut self.tabs[tab].account
        {
            account.pending = None;
            account.shared = true;
            self.save(tab);
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
                let profile = self.profile_of(tab)?;
                let before = self.profiles[profile].disk;
                self.hear(tab, upload);
                if let Action::UploadUnsaved(_) = how {
                    if self.profiles[profile].disk == before {
                        // After a refusal there is nothing to save.
                        return None;
                    }
                    self.profiles[profile].disk = before;
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
                // It may be a key that this client has not offered yet and that another client of the device has.
                account.pending = account.pending.filter(|pending| *pending != key);
                self.tabs[tab].account = Some(account);
            }
        } else {
            // A message for another identity has no part for this one's key, and gives another line: not modelled.
            let whose = self.claims[claim].key.map_or_else(|identity| identity, |key| self.identity(key));
            if whose != account.identity {
                return None;
            }
            self.unopened.push(Unopened { at: self.now, page, claim, made: account.made });
        }
        // The whole account is saved after every answer to a request for news.
        self.save(tab);
        Some(())
    }

    pub(super) fn apply(&mut self, action: Action) -> Option<()> {
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
                // A client that has uploaded its identity keys never does so again, even if the server has lost them.
                if action == Action::NewDevice {
                    self.profiles[0].disk = None;
                }
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

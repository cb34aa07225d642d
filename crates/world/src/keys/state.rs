//! Everything that is and was, in a history of one-time keys.

use crate::model::Step;

/// A page's number, in the order of opening.
pub type PageNo = usize;
/// A key's number, in the order of making.
pub type Key = u8;

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
}

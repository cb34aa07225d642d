//! Compares the model's client with the real crypto library, step by step. Each step of a history is done to both. Both must offer the
//! same keys, be refused alike, open the same messages and print the same lines.
//!
//! The real library runs in another program (tests/machine), with matrix-js-sdk's requests around it and with the stores of its browsers.
//! That program does what [`Machine::ask`] says. Both clients talk to the model's server ([`server`]), which recordings of Synapse
//! bind, with the real ids and keys.
//!
//! The library keeps fifty one-time keys on the server and uploads all that are missing at once. One key of the model stands for all keys of
//! an upload: the library is told a count with which its upload has as many keys as [`ids`] gives.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::server::{self, Row};
use super::state::{Key, Outcome, State};
use super::{Action, DEVICE, Keys};
use crate::forms::report::{self, LostKey};
use crate::forms::signing::{self, SignedKey};
use crate::model::{Chance, Model, Step};
use crate::search::shortest;

/// The program in which the real library runs.
pub trait Machine {
    /// Asks the program to do one thing, and gives what came of it.
    ///
    /// # Errors
    /// If the other program has gone, or could not do it.
    fn ask(&mut self, what: &Value) -> Result<Value, String>;
}

/// What was compared.
#[derive(Clone, Copy, Debug, Default)]
pub struct Compared {
    /// Steps.
    pub steps: usize,
    /// Uploads that were sent.
    pub uploads: usize,
    /// Uploads that the server refused.
    pub refusals: usize,
    /// Messages that were opened.
    pub opened: usize,
    /// Messages whose one-time key was gone.
    pub unopened: usize,
}

impl Compared {
    /// Adds those of another history.
    pub fn add(&mut self, other: Compared) {
        self.steps += other.steps;
        self.uploads += other.uploads;
        self.refusals += other.refusals;
        self.opened += other.opened;
        self.unopened += other.unopened;
    }
}

const URL: &str = "https://matrix.example.org/_matrix/client/v3/keys/upload";
const ALGORITHM: &str = "signed_curve25519";
/// How many one-time keys the library keeps on the server.
const KEYS_ON_SERVER: u8 = 50;
/// How many keys an upload has after the first one, by the id that the model gives to its key.
const SIZES: [u8; 5] = [1, 3, 1, 2, 7];

/// How many real keys one key of the model stands for. A new account uploads fifty.
fn size(id: u8) -> u8 {
    if id == 0 { KEYS_ON_SERVER } else { SIZES[usize::from(id) % SIZES.len()] }
}

/// The real ids that one id of the model stands for.
fn ids(id: u8) -> Vec<String> {
    let first: u8 = (0..id).map(size).sum();
    let mut ids: Vec<String> =
        (first..first + size(id)).map(|at| format!("{ALGORITHM}:{}", signing::key_id(at))).collect();
    ids.sort();
    ids
}

/// The actions from which the next one is drawn. Stores would seldom be set back if all actions were equally likely.
fn next(chance: &mut Chance) -> Vec<Action> {
    use Action::*;
    let tab = chance.below(2);
    match chance.below(16) {
        0..4 => vec![Upload(tab)],
        4 => vec![Send(tab)],
        5 => vec![Arrive(tab)],
        6 => vec![Open(tab, tab * chance.below(2))],
        7 => vec![Leave(tab)],
        8 => vec![Claim],
        9 => vec![Claim, Receive(tab)],
        10 => vec![Receive(tab)],
        11 => vec![Save(tab)],
        12 => vec![BackUp(0)],
        13 => vec![Leave(0), Leave(1), SetBack(0), Open(tab, 0)],
        _ => {
            let all = Keys::LARGE.actions(&begin());
            vec![all[chance.below(all.len())]]
        }
    }
}

/// Whether an action does anything to clients or to the server's keys.
fn concerns_keys(action: Action) -> bool {
    !matches!(
        action,
        Action::Clear(_)
            | Action::Ask
            | Action::SetClock(..)
            | Action::SetServerClock
            | Action::RestartServer
            | Action::Wait
    )
}

/// A history by chance that begins with a new login. At its end all pages are left, and what the stores have by then is shown by an
/// upload of each.
pub fn any_history(chance: &mut Chance, length: usize) -> Vec<Action> {
    use Action::*;
    let mut state = begin();
    let mut path = Vec::new();
    let mut take = |state: &mut State, action: Action| {
        if let Some(next) = Keys::LARGE.step(state, action) {
            *state = next;
            path.push(action);
        }
    };
    for _ in 0..length * 3 {
        for action in next(chance) {
            if concerns_keys(action) && usize::from(state.now) < length {
                take(&mut state, action);
            }
        }
    }
    for action in [Leave(0), Leave(1), Open(0, 0), Upload(0), Open(1, 1), Upload(1)] {
        take(&mut state, action);
    }
    path
}

fn begin() -> State {
    Keys::new_login(0)
}

/// Runs a history on both clients.
///
/// # Errors
/// In words, where they differ.
pub fn compare(machine: &mut impl Machine, path: &[Action]) -> Result<Compared, String> {
    let mut beside = Beside {
        machine,
        batches: BTreeMap::new(),
        identities: Vec::new(),
        rows: Vec::new(),
        backup: None,
        letters: Vec::new(),
        compared: Compared::default(),
    };
    beside.machine.ask(&json!({"do": "begin", "user": DEVICE.user, "device": DEVICE.id}))?;
    let mut state = begin();
    for action in path {
        let Some(after) = Keys::LARGE.step(&state, *action) else { continue };
        if takes_of_pending(&state, &after, *action) {
            break;
        }
        beside
            .take(&state, *action, &after)
            .map_err(|differs| format!("{}: {differs}", Keys::LARGE.tell(&state, *action)))?;
        beside.compared.steps += 1;
        state = after;
    }
    Ok(beside.compared)
}

/// Whether a client opens a message with one of several keys that it has not offered yet. It would offer only the others then, which the
/// model has no action for.
fn takes_of_pending(before: &State, after: &State, action: Action) -> bool {
    let Action::Receive(tab) = action else { return false };
    let pending = |state: &State| state.tabs[tab].account.and_then(|account| account.pending);
    pending(before).is_some_and(|key| pending(after).is_none() && size(before.id(key)) > 1)
}

/// The story of a history in which the two differ, made as short as it can be.
pub fn story(machine: &mut impl Machine, path: &[Action]) -> String {
    let without = |path: &Vec<Action>, steps: &[usize]| {
        let kept = path.iter().enumerate().filter(|(step, _)| !steps.contains(step));
        let path: Vec<Action> = kept.map(|(_, action)| *action).collect();
        compare(machine, &path).is_err().then_some(path)
    };
    let path = shortest(path.to_vec(), Vec::len, without);
    let mut told = String::new();
    let mut state = begin();
    for action in &path {
        if let Some(next) = Keys::LARGE.step(&state, *action) {
            told.push_str(&format!("  {:2}. {}\n", state.now + 1, Keys::LARGE.tell(&state, *action)));
            state = next;
        }
    }
    let differs = compare(machine, &path).err().unwrap_or_else(|| "not again".to_owned());
    format!("{told}{differs}\n{path:?}")
}

/// What an identity has uploaded beside its one-time keys.
#[derive(Clone, Debug, Default)]
struct Identity {
    ed25519: String,
    device_keys: Option<Value>,
    /// Its id and the key.
    fallback: Option<(String, Value)>,
}

struct Beside<'m, M> {
    machine: &'m mut M,
    /// The real keys of each key of the model, by id.
    batches: BTreeMap<Key, BTreeMap<String, Value>>,
    /// By the model's number.
    identities: Vec<Identity>,
    /// What the server holds, and its backup.
    rows: Vec<Row<String, Value, Step>>,
    backup: Option<Vec<Row<String, Value, Step>>>,
    /// The messages that were written with claimed keys, by the claim's number.
    letters: Vec<Value>,
    compared: Compared,
}

fn same<T: PartialEq + std::fmt::Debug>(what: &str, model: &T, real: &T) -> Result<(), String> {
    if model == real { Ok(()) } else { Err(format!("{what}:\n  the model   {model:?}\n  the library {real:?}")) }
}

fn signed(key: &Value) -> SignedKey {
    let name = format!("ed25519:{}", DEVICE.id);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    SignedKey {
        key: text(&key["key"]),
        signature: text(&key["signatures"][DEVICE.user][name]),
        user: DEVICE.user.to_owned(),
        device: DEVICE.id.to_owned(),
    }
}

fn object(value: &Value) -> BTreeMap<String, Value> {
    value.as_object().into_iter().flatten().map(|(name, value)| (name.clone(), value.clone())).collect()
}

impl<M: Machine> Beside<'_, M> {
    /// Asks for one thing, which must print `lines` at warn and error and nothing else.
    fn ask(&mut self, what: &Value, lines: &[String]) -> Result<Value, String> {
        let answer = self.machine.ask(what)?;
        let printed: Vec<String> = answer["lines"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|line| Some(line.as_str()?.to_owned()))
            .collect();
        same("prints", &lines.to_vec(), &printed)?;
        Ok(answer)
    }

    fn take(&mut self, before: &State, action: Action, after: &State) -> Result<(), String> {
        match action {
            Action::Open(tab, _) | Action::Start(tab) => self.open(after, tab)?,
            Action::Leave(tab) | Action::Stop(tab) => {
                self.ask(&json!({"do": "close", "tab": tab}), &[])?;
            }
            Action::Upload(tab) => {
                let upload = self.send(before, after, tab)?;
                self.arrive(after, upload, Some(tab))?;
            }
            Action::UploadUnsaved(tab) => {
                let profile = after.pages[after.uploads[after.uploads.len() - 1].page].profile;
                let upload = self.send(before, after, tab)?;
                self.ask(&json!({"do": "keep", "profile": profile, "as": "unsaved"}), &[])?;
                self.arrive(after, upload, Some(tab))?;
                self.ask(&json!({"do": "set back", "profile": profile, "from": "unsaved"}), &[])?;
            }
            Action::UploadUnanswered(tab) => {
                let upload = self.send(before, after, tab)?;
                self.ask(&json!({"do": "abandon", "tab": tab}), &[])?;
                self.arrive(after, upload, None)?;
            }
            Action::UploadLost(tab) => {
                self.send(before, after, tab)?;
                self.ask(&json!({"do": "abandon", "tab": tab}), &[])?;
            }
            Action::Send(tab) => {
                self.send(before, after, tab)?;
            }
            Action::Arrive(tab) => {
                let Some(upload) = before.tabs[tab].on_the_way else { return Ok(()) };
                let waits = before.uploads[upload].given_up.is_none();
                self.arrive(after, upload, waits.then_some(tab))?;
            }
            Action::Save(tab) => {
                self.ask(&self.news(after, tab, 0, &[]), &[])?;
            }
            Action::Claim => self.claim(after)?,
            Action::Receive(tab) => self.receive(before, after, tab)?,
            Action::BackUp(profile) => self.keep(profile, "backup")?,
            Action::SetBack(profile) => self.set_back(profile, "backup", profile)?,
            Action::Evict(profile) => {
                self.ask(&json!({"do": "evict", "profile": profile}), &[])?;
            }
            Action::Copy => {
                self.keep(0, "copy")?;
                self.set_back(1, "copy", 0)?;
            }
            Action::BackUpServer => self.backup = Some(self.rows.clone()),
            Action::SetBackServer => self.rows = self.backup.clone().unwrap_or_default(),
            Action::DeleteOldKeys => self.rows.clear(),
            Action::NewDevice | Action::NewLogin => {
                self.rows.clear();
                for profile in 0..2 {
                    if after.profiles[profile].disk.is_none() {
                        self.ask(&json!({"do": "evict", "profile": profile}), &[])?;
                    }
                }
            }
            Action::Clear(_)
            | Action::Ask
            | Action::SetClock(..)
            | Action::SetServerClock
            | Action::RestartServer
            | Action::Wait => {}
        }
        let of_model = after.tables.keys.iter().flat_map(|(_, key, _)| self.batches[key].clone());
        let held = self.rows.iter().map(|(id, key, _)| (id.clone(), key.clone()));
        same("the server holds", &of_model.collect::<BTreeMap<_, _>>(), &held.collect())
    }

    fn keep(&mut self, profile: usize, name: &str) -> Result<(), String> {
        self.ask(&json!({"do": "keep", "profile": profile, "as": format!("{name}-{profile}")}), &[]).map(drop)
    }

    fn set_back(&mut self, profile: usize, name: &str, of: usize) -> Result<(), String> {
        self.ask(&json!({"do": "set back", "profile": profile, "from": format!("{name}-{of}")}), &[]).map(drop)
    }

    /// A client opens its store and asks for its own device's keys. It prints nothing, whatever the server holds: lines that the library
    /// prints in tasks of its own do not reach matrix-js-sdk's logger.
    fn open(&mut self, after: &State, tab: usize) -> Result<(), String> {
        let page = after.tabs[tab].page.ok_or("no page")?;
        let account = after.tabs[tab].account.ok_or("no account")?;
        let held = after.tables.identity.and_then(|(identity, _)| self.identities.get(usize::from(identity)));
        let device_keys = held.and_then(|identity| identity.device_keys.clone());
        let profile = after.pages[page].profile;
        let answer =
            self.ask(&json!({"do": "open", "tab": tab, "profile": profile, "deviceKeys": device_keys}), &[])?;
        let ed25519 = answer["ed25519"].as_str().unwrap_or_default().to_owned();
        let number = usize::from(account.identity);
        match self.identities.get(number) {
            Some(known) => same("identity", &known.ed25519, &ed25519),
            None => {
                same("it is a new identity", &false, &self.identities.iter().any(|known| known.ed25519 == ed25519))?;
                self.identities.push(Identity { ed25519, ..Identity::default() });
                same("identities", &(number + 1), &self.identities.len())
            }
        }
    }

    /// An answer to /sync: so many one-time keys are missing.
    fn news(&self, state: &State, tab: usize, missing: u8, events: &[Value]) -> Value {
        let unused = matches!(state.tables.fallback, Some((_, false)));
        json!({"do": "sync", "tab": tab, "count": KEYS_ON_SERVER - missing, "events": events,
               "unused": if unused { vec![ALGORITHM] } else { Vec::new() }})
    }

    /// The client is told that keys are missing, and sends an upload; its number.
    fn send(&mut self, before: &State, after: &State, tab: usize) -> Result<usize, String> {
        let number = after.uploads.len() - 1;
        let upload = &after.uploads[number];
        let offered = ids(after.id(upload.key));
        self.ask(&self.news(before, tab, size(after.id(upload.key)), &[]), &[])?;
        let request = self.ask(&json!({"do": "send", "tab": tab}), &[])?;
        same("requests that go out", &json!(["POST /_matrix/client/v3/keys/upload"]), &request["requests"])?;
        let body = &request["body"];
        let keys = object(&body["one_time_keys"]);
        same("offered ids", &offered, &keys.keys().cloned().collect())?;
        same("identity keys come along", &upload.with_identity, &body["device_keys"].is_object())?;
        let fallback = object(&body["fallback_keys"]).into_iter().next();
        same("a fallback key comes along", &upload.with_identity, &fallback.is_some())?;
        match self.batches.get(&upload.key) {
            Some(known) => same("offered keys", known, &keys)?,
            None => {
                let known = |key: &Value| self.batches.values().any(|batch| batch.values().any(|known| known == key));
                same("offers a key that was offered before", &false, &keys.values().any(known))?;
                self.batches.insert(upload.key, keys);
            }
        }
        if upload.with_identity {
            let identity = &mut self.identities[usize::from(after.identity(upload.key))];
            identity.device_keys = Some(body["device_keys"].clone());
            identity.fallback = fallback;
        }
        self.compared.uploads += 1;
        Ok(number)
    }

    /// The server gets an upload; the tab that waits for the answer gets it.
    fn arrive(&mut self, after: &State, upload: usize, tab: Option<usize>) -> Result<(), String> {
        let Some((at, outcome)) = after.uploads[upload].arrived else { return Ok(()) };
        let batch = &self.batches[&after.uploads[upload].key];
        let offered: Vec<(String, Value)> = batch.iter().map(|(id, key)| (id.clone(), key.clone())).collect();
        let (status, body, lines) = match (server::upload(&mut self.rows, &offered, at), outcome) {
            (Ok(()), Outcome::Accepted) => {
                (200, json!({"one_time_key_counts": {ALGORITHM: KEYS_ON_SERVER}}), Vec::new())
            }
            (Err(held), Outcome::Refused(key)) => {
                let held: BTreeMap<String, Value> = held.into_iter().collect();
                same("the server holds under the offered ids", &self.batches[&key], &held)?;
                self.compared.refusals += 1;
                let (id, old) = held.into_iter().next().ok_or("no key is in the way")?;
                let plain = id.trim_start_matches("signed_curve25519:");
                let sentence = signing::already_exists(plain, &signed(&old), &signed(&batch[&id]));
                let line = report::outgoing_failed(400, &sentence, URL);
                (400, json!({"errcode": "M_UNKNOWN", "error": sentence}), vec![line])
            }
            (real, _) => return Err(format!("the model's upload is {outcome:?}, with the real keys it is {real:?}")),
        };
        if let Some(tab) = tab {
            let answer =
                self.ask(&json!({"do": "answer", "tab": tab, "status": status, "body": body.to_string()}), &lines)?;
            same("requests that go out after the answer", &json!([]), &answer["requests"])?;
        }
        Ok(())
    }

    /// Somebody who knows the identity that signed the key claims it and writes. The other keys of its upload are claimed by people
    /// who never write.
    fn claim(&mut self, after: &State) -> Result<(), String> {
        let claim = after.claims.last().ok_or("no claim")?;
        let (identity, id, key) = match claim.key {
            Ok(key) => {
                let ids: Vec<&String> = self.batches[&key].keys().collect();
                let mut given: Vec<&String> = server::claimable(&self.rows).map(|at| &self.rows[at].0).collect();
                given.sort();
                same("keys of which the server gives one", &ids, &given)?;
                let (id, object) = self.batches[&key].iter().next().ok_or("an upload without keys")?;
                let found = (after.identity(key), id.clone(), object.clone());
                self.forget(key);
                found
            }
            Err(identity) => {
                same("one-time keys of the server", &0, &self.rows.len())?;
                let fallback = self.identities[usize::from(identity)].fallback.clone();
                let (id, object) = fallback.ok_or("the server gives a fallback key that was never uploaded")?;
                (identity, id, object)
            }
        };
        let device_keys = self.identities[usize::from(identity)].device_keys.clone();
        let written = self.ask(&json!({"do": "write", "deviceKeys": device_keys, "id": id, "key": key}), &[])?;
        self.letters.push(written);
        Ok(())
    }

    fn forget(&mut self, key: Key) {
        let batch = &self.batches[&key];
        self.rows.retain(|(id, held, _)| batch.get(id) != Some(held));
    }

    /// The client is given the oldest message that waits.
    fn receive(&mut self, before: &State, after: &State, tab: usize) -> Result<(), String> {
        let claim = *before.inbox.first().ok_or("no message waits")?;
        let letter = self.letters[claim].clone();
        let text = |name: &str| letter["seen"][name].as_str().unwrap_or_default().to_owned();
        let opens = after.unopened.len() == before.unopened.len();
        let (sender_key, message_id) = (text("senderKey"), text("messageId"));
        let line = if opens {
            report::media_key_opened(&text("sender"), &sender_key, &message_id)
        } else {
            report::missing_one_time_key(&LostKey {
                one_time_key: &text("oneTimeKey"),
                sender: &text("sender"),
                sender_key: &sender_key,
                base_key: &text("baseKey"),
                ratchet_key: &text("ratchetKey"),
                session_id: &text("sessionId"),
                chain_index: 0,
                message_id: &message_id,
            })
        };
        let answer = self.ask(&self.news(after, tab, 0, &[letter["event"].clone()]), &[line])?;
        same("opens the message", &json!([opens]), &answer["opened"])?;
        if opens {
            self.compared.opened += 1;
        } else {
            self.compared.unopened += 1;
        }
        Ok(())
    }
}

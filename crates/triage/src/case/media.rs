//! Rooms of SFUs, and who was in them: what the lines of an SFU's log say together.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use crypto_diag_analysis::evidence::ke2::Participant;

use crate::bundle::Bundle;
use crate::synapse_log::{MediaEvent, MediaLine, MediaLog, MediaProgram, MediaSession};
use crate::verdict::Evidence;

/// Rooms of one name that are looked at; a call has one at each of its SFUs.
const ROOMS_MAX: usize = 32;

/// Sessions of one room that are looked at.
const SESSIONS_MAX: usize = 200;

/// What LiveKit says of a session that the client itself ended. Until then its client was there.
const LEFT_ITSELF: &str = "CLIENT_REQUEST_LEAVE";

/// Milliseconds for which an SFU keeps the session of a client that is gone: it waits for ICE and for the signalling to come back.
/// LiveKit gives up after some 30 s.
const STALE_MS: i64 = 60_000;

/// Who a participant is.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Member {
    pub user_id: String,
    /// `None` where the identity is a hash, and the token's line names the user alone.
    pub device_id: Option<String>,
}

impl Member {
    pub fn label(&self) -> String {
        match &self.device_id {
            Some(device_id) => format!("{}/{device_id}", self.user_id),
            None => self.user_id.clone(),
        }
    }

    /// Whether two are not the same for certain.
    pub fn is_another(&self, other: &Member) -> bool {
        let devices = self.device_id.as_ref().zip(other.device_id.as_ref());
        self.user_id != other.user_id || devices.is_some_and(|(one, two)| one != two)
    }
}

/// A session of a participant at an SFU.
#[derive(Clone, Debug)]
pub(crate) struct Session<'c> {
    pub identity: &'c str,
    id: &'c str,
    pub member: Option<Member>,
    joining: Option<&'c MediaLine>,
    pub connected: Option<&'c MediaLine>,
    pub left: Option<&'c MediaLine>,
    pub published: Option<&'c MediaLine>,
    /// The last time at which the log can show it.
    end: i64,
    left_itself: bool,
}

impl Session<'_> {
    /// Its name: the member's, or the SFU's.
    pub fn label(&self) -> String {
        self.member.as_ref().map_or_else(|| self.identity.to_owned(), Member::label)
    }

    /// From when to when the log has it as connected.
    pub fn span(&self) -> Option<(i64, i64)> {
        self.connected.map(|line| (line.at, self.end))
    }

    /// From when to when its client was there for certain.
    pub fn certain(&self) -> Option<(i64, i64)> {
        let (from, to) = self.span()?;
        Some((from, if self.left_itself { to } else { to - STALE_MS }))
    }

    /// Whether both are the same participant for certain.
    pub fn is_same(&self, other: &Session<'_>) -> bool {
        let members = self.member.as_ref().zip(other.member.as_ref());
        let whole = members.filter(|(one, _)| one.device_id.is_some());
        self.identity == other.identity || whole.is_some_and(|(one, two)| one == two)
    }
}

/// A room of an SFU, from its making to its end.
#[derive(Clone, Debug)]
pub(crate) struct Room<'c> {
    pub name: &'c str,
    pub sid: &'c str,
    pub log: &'c MediaLog,
    source: &'c str,
    pub nodes: BTreeSet<&'c str>,
    pub sessions: Vec<Session<'c>>,
    /// Whether the log shows each session that was ever in it.
    pub is_whole: bool,
}

impl<'c> Room<'c> {
    /// A line of it as evidence.
    pub fn line(&self, line: &MediaLine, says: impl Into<String>) -> Evidence {
        Evidence::logged(&self.log.name, line.line, line.at, &line.quote, says)
    }

    /// Whether one process holds both, so that they are not of two SFUs. Nobody may be in two rooms of one name at one SFU.
    pub fn is_beside(&self, other: &Room<'_>) -> bool {
        std::ptr::eq(self.log, other.log) && self.source == other.source || !self.nodes.is_disjoint(&other.nodes)
    }

    /// The SFU's process as far as the log names it.
    pub fn place(&self) -> String {
        let node = self.nodes.iter().next().map_or_else(String::new, |node| format!(", node {node}"));
        let source = if self.source.is_empty() { String::new() } else { format!(", {}", self.source) };
        format!("{}{source}{node}, room {}", self.log.name, self.sid)
    }

    /// The session that a line is of.
    fn session(&mut self, of: &'c MediaSession, begins: bool) -> Option<&mut Session<'c>> {
        let is_it = |one: &Session<'_>| {
            one.identity == of.identity && one.id == of.session && !(begins && one.joining.is_some())
        };
        // The latest: a line without the session's id is of the one that goes on.
        if let Some(at) = self.sessions.iter().rposition(is_it) {
            return self.sessions.get_mut(at);
        }
        if self.sessions.len() >= SESSIONS_MAX {
            self.is_whole = false;
            return None;
        }
        self.is_whole &= begins;
        self.sessions.push(Session {
            identity: &of.identity,
            id: &of.session,
            member: None,
            joining: None,
            connected: None,
            left: None,
            published: None,
            end: i64::MIN,
            left_itself: false,
        });
        self.sessions.last_mut()
    }

    fn open(&self) -> u64 {
        self.sessions.iter().filter(|one| one.joining.is_some() && one.left.is_none() && one.end == i64::MIN).count()
            as u64
    }
}

/// The rooms of all SFU logs, by name.
pub(crate) fn rooms(bundle: &Bundle) -> BTreeMap<&str, Vec<Room<'_>>> {
    let mut by_sid: BTreeMap<&str, Room<'_>> = BTreeMap::new();
    for log in bundle.media.iter().filter(|log| log.program == MediaProgram::LiveKit) {
        read(log, &mut by_sid);
    }
    let members = members(bundle);
    let mut by_name: BTreeMap<&str, Vec<Room<'_>>> = BTreeMap::new();
    for (_, mut room) in by_sid {
        for session in &mut room.sessions {
            session.member = member(session.identity, &members);
        }
        by_name.entry(room.name).or_default().push(room);
    }
    for rooms in by_name.values_mut().filter(|rooms| rooms.len() > ROOMS_MAX) {
        rooms.truncate(ROOMS_MAX);
        rooms.iter_mut().for_each(|room| room.is_whole = false);
    }
    by_name
}

/// Reads one log's lines, in their order.
fn read<'c>(log: &'c MediaLog, by_sid: &mut BTreeMap<&'c str, Room<'c>>) {
    let is_good = |source: &str| log.lost == 0 && !log.steps.iter().any(|step| step == source);
    let mut seen: HashMap<&str, i64> = HashMap::new();
    for line in &log.lines {
        let source = line.source.as_str();
        if line.event == MediaEvent::Starting {
            // What the process held ended with it, at its last line or later.
            let last = seen.get(source).copied();
            let ended = by_sid.values_mut().filter(|room| std::ptr::eq(room.log, log) && room.source == source);
            for open in ended.flat_map(|room| &mut room.sessions).filter(|one| one.end == i64::MIN) {
                open.end = last.unwrap_or(i64::MIN);
            }
            continue;
        }
        let Some(session) = line.event.session() else { continue };
        seen.insert(source, line.at);
        let room = by_sid.entry(&session.room_sid).or_insert_with(|| Room {
            name: &session.room,
            sid: &session.room_sid,
            log,
            source,
            nodes: BTreeSet::new(),
            sessions: Vec::new(),
            is_whole: is_good(source),
        });
        // A room whose lines stand in several files, as after a rotation, may have more in a third.
        room.is_whole &= std::ptr::eq(room.log, log) && room.source == source && room.name == session.room;
        let begins = if let MediaEvent::Joining { node, before, .. } = &line.event {
            room.nodes.extend(node.as_deref());
            room.is_whole &= *before == Some(room.open());
            true
        } else {
            false
        };
        let Some(found) = room.session(session, begins) else { continue };
        match &line.event {
            MediaEvent::Joining { .. } => found.joining = Some(line),
            MediaEvent::Connected(_) => found.connected = found.connected.or(Some(line)),
            MediaEvent::Published { .. } => found.published = found.published.or(Some(line)),
            MediaEvent::Left { reason, .. } => {
                (found.left, found.end) = (Some(line), line.at);
                found.left_itself = reason == LEFT_ITSELF;
            }
            _ => {}
        }
    }
    for room in by_sid.values_mut().filter(|room| std::ptr::eq(room.log, log)) {
        let last = log.last.get(room.source).copied().unwrap_or(i64::MIN);
        room.sessions.iter_mut().filter(|one| one.end == i64::MIN).for_each(|one| one.end = last);
    }
}

/// Whose identities are, as the lines of tokens say it; none for one that they contradict one another about.
fn members(bundle: &Bundle) -> HashMap<&str, Option<Member>> {
    let mut members: HashMap<&str, Option<Member>> = HashMap::new();
    for line in bundle.media.iter().flat_map(|log| &log.lines) {
        let MediaEvent::Token(token) = &line.event else { continue };
        let (Some(identity), Some(user_id)) = (&token.identity, &token.user_id) else { continue };
        let member = Member { user_id: user_id.clone(), device_id: token.device_id.clone() };
        match members.get_mut(identity.as_str()) {
            None => {
                members.insert(identity, Some(member));
            }
            Some(Some(known)) if !known.is_another(&member) => {
                known.device_id = known.device_id.take().or(member.device_id);
            }
            Some(known) => *known = None,
        }
    }
    members
}

fn member(identity: &str, members: &HashMap<&str, Option<Member>>) -> Option<Member> {
    let plain = Participant::read(identity);
    match plain.user_id {
        Some(user_id) => Some(Member { user_id, device_id: plain.device_id }),
        None => members.get(identity).cloned().flatten(),
    }
}

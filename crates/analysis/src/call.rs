//! The call of a report, joined: who is in it, which streams are whose, and what lines say of whose keys. [`flow`] says what
//! the statistics of one stream tell.

pub mod flow;

use crypto_diag_core::{CallFact, CallFactKind, CallFacts, Direction, Millis};
use serde::Serialize;

use crate::evidence::ke2::{Ke2Kind, Participant};
use crate::evidence::{Evidence, Ke2};
use crate::report::Report;
use crate::sorted::{distinct, groups, sort_by, sort_by_key};

/// A call, as one page saw it. Times are those of the page's clock, in milliseconds since the epoch.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Call {
    /// This device in the call; null where nothing names it.
    pub own: Option<InCall>,
    /// The other participants, those that are named first.
    pub others: Vec<InCall>,
    /// Receiving streams of a participant whom nothing names.
    pub unnamed_streams: Vec<usize>,
    /// Whether a client said who is in the call.
    pub has_members: bool,
}

/// One participant of a call.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct InCall {
    /// How the media server names it; null where only its session `PA_…` is known.
    pub identity: Option<String>,
    /// The user, by its membership, else by its identity; null where neither says it, or memberships contradict one another.
    pub user_id: Option<String>,
    /// The device, likewise.
    pub device_id: Option<String>,
    /// Whether it is a member of the call as this client sees it.
    pub is_member: bool,
    /// When it became one, by the server's clock.
    pub created_at: Option<Millis>,
    /// The SFU that it publishes to.
    pub focus: Option<String>,
    /// Its sessions at the media server, `PA_…`. A line joins each to the identity.
    pub sids: Vec<String>,
    /// Its receiving streams, by index in the report's list.
    pub streams: Vec<usize>,
    /// Whether its tracks are encrypted, as it says itself; null where no line says it or lines differ.
    pub encrypted: Option<bool>,
    /// The keys of it that LiveKit's worker was given, oldest first.
    pub key_sets: Vec<KeySet>,
    /// Lines that say that its frames could not be opened, oldest first.
    pub errors: Vec<KeyError>,
}

/// A key that LiveKit's worker was given.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeySet {
    /// When.
    pub ts: Millis,
    /// At which index.
    pub key_index: Option<u64>,
}

/// A line that says that a participant's frames could not be opened, or could not be encrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct KeyError {
    /// When.
    pub ts: Millis,
    /// What it says: that a key is missing at an index, or that no key that is there opens the frames.
    pub kind: Ke2Kind,
    /// At which index.
    pub key_index: Option<u64>,
    /// The entry, by index.
    pub entry: usize,
}

impl InCall {
    /// The errors since the last key that the worker was given; none of them is known to be healed.
    pub fn open_errors(&self) -> &[KeyError] {
        let last_set = self.key_sets.last().map(|set| set.ts);
        let healed = self.errors.iter().take_while(|error| last_set.is_some_and(|set| error.ts <= set)).count();
        &self.errors[healed..]
    }
}

/// Joins what a report says of its call; `None` if it says nothing of one. `evidence` stands beside the report's entries, one for
/// one.
pub fn join(report: &Report, evidence: &[Option<Evidence>]) -> Option<Call> {
    let said = report.call.as_ref()?;
    let mut named: Vec<InCall> = Vec::new();
    let memberships = said.session.iter().flat_map(|session| &session.memberships);
    for membership in memberships {
        let ids = membership.user_id.as_deref().zip(membership.device_id.as_deref());
        // Before identities were hashed, they were made of the two ids.
        let identity = membership.participant.clone().or_else(|| ids.map(|(user, device)| format!("{user}:{device}")));
        let Some(identity) = identity else { continue };
        let member = of(&mut named, &identity);
        if !member.is_member {
            (member.user_id, member.device_id) = (membership.user_id.clone(), membership.device_id.clone());
            (member.focus, member.created_at) = (membership.focus.clone(), membership.created_at);
        } else if (&member.user_id, &member.device_id) != (&membership.user_id, &membership.device_id) {
            (member.user_id, member.device_id) = (None, None);
        }
        member.is_member = true;
    }
    for fact in &said.facts {
        let Some(identity) = &fact.participant else { continue };
        let participant = of(&mut named, identity);
        match fact.what {
            CallFactKind::Connected => participant.sids.extend(fact.participant_sid.clone()),
            CallFactKind::KeySet => participant.key_sets.push(KeySet { ts: fact.ts, key_index: fact.key_index }),
            CallFactKind::Subscribed => {}
        }
    }
    for (index, entry) in report.entries() {
        let Some(Evidence::Ke2(line)) = evidence.get(index).and_then(Option::as_ref) else { continue };
        let Some(participant) = line.participant.as_ref().filter(|_| is_error(line)) else { continue };
        // A line that names no index is printed where some key is there, and opens nothing.
        let kind = if line.key_index.is_none() { Ke2Kind::WrongKey } else { line.kind };
        let error = KeyError { ts: entry.ts, kind, key_index: line.key_index, entry: index };
        of(&mut named, &participant.identity).errors.push(error);
    }
    for participant in &mut named {
        finish(participant, said);
    }
    let sid_of_several = contested(&named);
    for participant in &mut named {
        participant.sids.retain(|sid| !sid_of_several.contains(sid));
    }
    let (unnamed, unnamed_streams) = give_streams(&mut named, said);
    let is_own = |participant: &InCall| {
        participant.user_id.is_some()
            && (&participant.user_id, &participant.device_id) == (&report.user_id, &report.device_id)
    };
    // A page that was left without a word is a member until that expires, so that a device may have several names.
    let (own, mut others): (Vec<InCall>, Vec<InCall>) = named.into_iter().partition(is_own);
    let own = own.into_iter().max_by_key(|own| own.key_sets.len() + own.errors.len());
    others.extend(unnamed);
    let has_members = said.session.as_ref().is_some_and(|session| !session.memberships.is_empty());
    Some(Call { own, others, unnamed_streams, has_members })
}

/// The participant of a name, known or new.
fn of<'n>(named: &'n mut Vec<InCall>, identity: &str) -> &'n mut InCall {
    let known = named.iter().position(|participant| participant.identity.as_deref() == Some(identity));
    let at = known.unwrap_or_else(|| {
        let read = Participant::read(identity);
        let (identity, user_id, device_id) = (Some(read.identity), read.user_id, read.device_id);
        named.push(InCall { identity, user_id, device_id, ..InCall::default() });
        named.len() - 1
    });
    &mut named[at]
}

fn is_error(line: &Ke2) -> bool {
    // The others have the same words for a track whose encryption is not known yet, which heals without a line.
    matches!(line.kind, Ke2Kind::MissingKey | Ke2Kind::WrongKey | Ke2Kind::KeySetNotFound)
}

fn finish(participant: &mut InCall, said: &CallFacts) {
    participant.sids = distinct(std::mem::take(&mut participant.sids));
    sort_by(&mut participant.key_sets, KeySet::cmp);
    sort_by_key(&mut participant.errors, |error| error.ts);
    let identity = participant.identity.as_deref();
    let of_it = |fact: &&CallFact| fact.what == CallFactKind::Subscribed && fact.participant.as_deref() == identity;
    let mut answers = said.facts.iter().filter(of_it).filter_map(|fact| fact.encrypted);
    let first = answers.next();
    participant.encrypted = first.filter(|first| answers.all(|answer| answer == *first));
}

/// Sessions that lines give to several participants: whose they are cannot be told.
fn contested(named: &[InCall]) -> Vec<String> {
    let sids = named.iter().flat_map(|participant| &participant.sids);
    let several = groups(sids.map(|sid| (sid, ()))).into_iter().filter(|(_, of)| of.len() > 1);
    several.map(|(sid, _)| sid.clone()).collect()
}

/// Gives each receiving stream to the participant whose session it is of. Returns the participants that have nothing but a session,
/// and all streams that are of nobody with a name.
///
/// That one member and one session are left over does not join them: the media server's room may hold somebody who is no member
/// as this client sees it.
fn give_streams(named: &mut [InCall], said: &CallFacts) -> (Vec<InCall>, Vec<usize>) {
    let mut unnamed: Vec<InCall> = Vec::new();
    let mut of_nobody: Vec<usize> = Vec::new();
    for (index, stream) in said.streams.iter().enumerate() {
        if stream.direction != Direction::Receiving {
            continue;
        }
        let sid = stream.participant_sid.as_ref();
        let owner = named.iter_mut().find(|participant| sid.is_some_and(|sid| participant.sids.contains(sid)));
        if let Some(owner) = owner {
            owner.streams.push(index);
            continue;
        }
        of_nobody.push(index);
        let Some(sid) = sid else { continue };
        match unnamed.iter_mut().find(|participant| participant.sids.contains(sid)) {
            Some(known) => known.streams.push(index),
            None => unnamed.push(InCall { sids: vec![sid.clone()], streams: vec![index], ..InCall::default() }),
        }
    }
    (unnamed, of_nobody)
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::{Host, Level, Line, Recorder};
    use serde_json::json;

    use super::*;
    use crate::Reading;

    fn call(said: serde_json::Value, lines: &[(u64, &str)]) -> Call {
        let mut recorder = Recorder::new();
        for (ts, line) in lines {
            recorder.record(&Line::new(Millis(*ts), Level::Error, line));
        }
        let mut report: serde_json::Value = serde_json::from_str(&recorder.report(Host::default()).to_json()).unwrap();
        (report["userId"], report["deviceId"]) = ("@alice:x".into(), "A".into());
        report["call"] = said;
        Reading::of(&Report::from_value(&report).unwrap()).facts.call.unwrap()
    }

    fn member(user: &str, device: &str, participant: Option<&str>) -> serde_json::Value {
        json!({"userId": user, "deviceId": device, "participant": participant, "focus": "https://sfu.x"})
    }

    fn stream(sid: Option<&str>) -> serde_json::Value {
        json!({"direction": "receiving", "kind": "audio", "participantSid": sid, "samples": []})
    }

    #[test]
    fn a_member_is_joined_to_its_session_streams_keys_and_errors() {
        let said = json!({
            "streams": [stream(Some("PA_bob")), stream(Some("PA_other")), stream(None)],
            "omitted": 0,
            "session": {"own": true, "joined": true, "roomId": "!r", "memberships": [
                member("@alice:x", "A", None), member("@bob:x", "B", Some("hash"))]},
            "facts": [
                {"ts": 5, "what": "connected", "participant": "hash", "participantSid": "PA_bob"},
                {"ts": 6, "what": "subscribed", "participant": "hash", "encrypted": true, "kind": "audio"},
                {"ts": 9, "what": "key-set", "participant": "hash", "keyIndex": 3},
                {"ts": 2, "what": "key-set", "participant": "@alice:x:A", "keyIndex": 0}
            ]
        });
        let missing = "CryptorError: missing key at index 3 for participant hash";
        let call = call(said, &[(8, missing), (12, missing)]);
        assert_eq!(call.own.unwrap().key_sets, [KeySet { ts: Millis(2), key_index: Some(0) }]);
        let bob = &call.others[0];
        assert_eq!((bob.user_id.as_deref(), bob.device_id.as_deref()), (Some("@bob:x"), Some("B")));
        assert_eq!((bob.is_member, bob.encrypted, &bob.streams[..]), (true, Some(true), &[0][..]));
        assert_eq!(bob.focus.as_deref(), Some("https://sfu.x"));
        assert_eq!(bob.errors.len(), 2);
        assert_eq!(bob.open_errors().iter().map(|error| error.ts).collect::<Vec<_>>(), [Millis(12)]);
        let other = &call.others[1];
        assert_eq!((other.identity.as_deref(), &other.sids[..]), (None, &["PA_other".to_owned()][..]));
        assert_eq!(call.unnamed_streams, [1, 2], "nothing says whose they are");
        assert!(call.has_members);
    }

    #[test]
    fn a_session_or_a_name_that_two_claim_is_nobodys() {
        let said = json!({
            "streams": [stream(Some("PA_1"))],
            "session": {"memberships": [member("@bob:x", "B", Some("hash")), member("@eve:x", "E", Some("hash"))]},
            "facts": [
                {"ts": 5, "what": "connected", "participant": "hash", "participantSid": "PA_1"},
                {"ts": 6, "what": "connected", "participant": "eve", "participantSid": "PA_1"},
                {"ts": 6, "what": "subscribed", "participant": "eve", "encrypted": true},
                {"ts": 7, "what": "subscribed", "participant": "eve", "encrypted": false}
            ]
        });
        let call = call(said, &[]);
        assert_eq!((&call.others[0].user_id, &call.others[0].streams[..]), (&None, &[][..]));
        assert_eq!(call.others[1].encrypted, None, "its lines differ");
        assert_eq!(call.unnamed_streams, [0]);
    }

    #[test]
    fn a_damaged_call_costs_its_damaged_parts() {
        let said = json!({
            "streams": [7, {"direction": "sideways", "kind": "audio"}, stream(Some("PA_1"))],
            "omitted": -3,
            "session": "gone",
            "facts": [{"ts": "late", "what": "connected"}, {"ts": 1, "what": "sang"}, null]
        });
        let call = call(said, &[]);
        assert_eq!((call.others.len(), call.others[0].streams[0]), (1, 0));
        assert!(!call.has_members && call.own.is_none());
    }
}

//! Members of one call are at different SFUs, so that no media passes between them. It looks like a missing key and is none.

use crypto_diag_server_log::is_media_hash;

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::media::{Room, Session, rooms};
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::{Device, Subject};
use crate::synapse_log::{MediaProgram, ZoneSource};
use crate::verdict::{Evidence, Sentences, Verdict};

/// By how much the clocks of two servers may differ, in milliseconds: nothing in their logs measures it.
const CLOCKS_MS: i64 = 120_000;

/// Members that a verdict names.
const NAMED_MAX: usize = 4;

/// Sessions of one call that are compared with one another.
const CONNECTED_MAX: usize = 120;

const ONE_CALL: Premise = Premise {
    id: "different-sfu/one-call",
    says: "Both SFUs call the room by the same Matrix room id, or by the same hash of a Matrix room id and a MatrixRTC slot.",
    rules_out: "The two rooms are of different calls, whose SFUs happen to give them one name.",
};

const NAMED: Premise = Premise {
    id: "different-sfu/named",
    says: "Each participant who was ever in one of the rooms is named as a member, by its identity or by the line of its token, and no member was in both.",
    rules_out: "A member was in both rooms, under one identity here and another there, as Element Call has them where members use several SFUs on purpose.",
};

const WHOLE: Premise = Premise {
    id: "different-sfu/whole-rooms",
    says: "The log of each SFU shows every session of its room: it has the room's first one, at which nobody was in it, each later one finds as many in it as the log says, no line is cut, and its times do not run backwards.",
    rules_out: "A member was in the other's room, too, and the line that says so is missing from the log.",
};

const LONG: Premise = Premise {
    id: "different-sfu/at-one-time",
    says: "Both were connected, each in its room, at the same time for more than two minutes; of a session that its client did not end itself the last minute does not count.",
    rules_out: "They were there one after the other: the clocks of the two servers differ, or an SFU still kept a session whose client had gone.",
};

const TOGETHER: Premise = Premise {
    id: "different-sfu/together",
    says: "Each participant whom the logs name was in a room in which each other one published.",
    rules_out: "",
};

const NOT_APART: Premise = Premise {
    id: "different-sfu/not-apart",
    says: "Each room of the call that the logs show had each of these participants.",
    rules_out: "",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::DifferentSfu,
    needs: &[ArtefactKind::ServerLog],
    reads: &[ArtefactKind::Report],
    argument: "An SFU passes media between the participants of one of its rooms, and not to another SFU. Each member of a federated call \
               may publish at the SFU of its own homeserver, if the others join that SFU as well; where one cannot, since no token was given \
               or the SFU is out of reach, it sees the other in the call and hears nothing. Keys are sent as usual, and nothing is wrong with \
               them. LiveKit’s log says who was in which room. One SFU, however many nodes, workers and host names it has, keeps one room for \
               each name at a time, and gives it an id of its own.",
    proven_by: &[&ONE_CALL, &NAMED, &WHOLE, &LONG],
    refuted_by: &[&TOGETHER, &NOT_APART],
    check,
    #[cfg(test)]
    histories,
};

/// Two rooms of one name at two SFUs, with nobody in common, and two of their sessions.
struct Apart<'r, 'c> {
    rooms: [&'r Room<'c>; 2],
    sessions: [&'r Session<'c>; 2],
    /// For how long both were there for certain, by logs whose clocks are taken to agree.
    together_ms: i64,
    from: i64,
    to: i64,
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let rooms = rooms(case.bundle);
    rooms.iter().filter_map(|(name, rooms)| verdict(case, name, rooms)).collect()
}

fn verdict(case: &Case<'_>, name: &str, rooms: &[Room<'_>]) -> Option<Verdict> {
    let proofs = apart(rooms).into_iter().map(|apart| (proof(case, name, Some(&apart)), Some(apart)));
    // Of several pairs of rooms one is enough.
    let (proof, apart) = proofs
        .max_by_key(|(proof, apart)| (proof.clone().result().is_ok(), apart.as_ref().map(|found| found.together_ms)))
        .unwrap_or_else(|| (proof(case, name, None), None));
    let connected = connected(rooms);
    let others = participants(&connected);
    let is_proven = proof.clone().result().is_ok();
    let named: Vec<&Session<'_>> = match &apart {
        Some(apart) => apart.sessions.to_vec(),
        None if others.len() < 2 => vec![alone(case, &connected)?],
        None => others.clone(),
    };
    // That they were together at another time does not deny that they were apart.
    let refutation = (!is_proven && named.len() > 1).then(|| {
        let together = together(&connected, &others);
        Proof::new(case).premise(&TOGETHER, together, Vec::new).premise(
            &NOT_APART,
            has_each(&connected, &others),
            Vec::new,
        )
    });
    let mut labels: Vec<String> = named.iter().take(NAMED_MAX).map(|session| session.label()).collect();
    if named.len() > NAMED_MAX {
        labels.push(format!("{} more", named.len() - NAMED_MAX));
    }
    let (who, call) = (labels.join(", "), call(name));
    let device = |session: &Session<'_>| {
        let member = session.member.as_ref()?;
        Some(Device::new(&member.user_id, member.device_id.as_deref()?))
    };
    let subject = Subject {
        device: device(named[0]),
        peer: named.get(1).and_then(|peer| device(peer)),
        peer_user_id: named.get(1).and_then(|peer| peer.member.as_ref()).map(|member| member.user_id.clone()),
        participant: named.get(1).map(|peer| peer.identity.to_owned()),
        room_id: name.starts_with('!').then(|| name.to_owned()),
        ..Subject::default()
    };
    let sentences = Sentences {
        proven: apart.as_ref().map_or_else(String::new, |apart| said(apart, &labels, &call)),
        refuted: format!(
            "In {call}, {who} were at one SFU, or each at those of the others: each was in a room in which each other one published. If one \
             does not hear another, the SFU is not the reason that these logs show."
        ),
        unknown: if named.len() == 1 {
            format!(
                "{who} was alone at an SFU in {call}. Whether another member was at another SFU meanwhile, which would be no matter of \
                 encryption, cannot be told."
            )
        } else {
            format!(
                "Whether {who} in {call} could get each other’s media, or were at different SFUs, which would be no matter of encryption, cannot \
             be told."
            )
        },
    };
    let about = format!("{who} in {call}");
    let verdict = Verdict::decide(case, Conclusion::DifferentSfu, (about, subject), proof, refutation, sentences);
    Some(if verdict.is_proven() {
        verdict
            .how("Why neither joined the other’s SFU: its token was refused (lk-jwt-service’s log), its address was not reached, or its client knows one SFU for each call.")
    } else {
        verdict
    })
}

fn said(apart: &Apart<'_, '_>, labels: &[String], call: &str) -> String {
    let [one, other] = apart.rooms.map(Room::place);
    let (from, to) = (stamp::print(apart.from), stamp::print(apart.to));
    format!(
        "In {call}, {} was at one SFU ({one}) and {} at another ({other}) from {from} to {to}, and neither joined the other’s: no media \
         passed between them. This is not encryption. Look at the SFUs: which one each client chose (`livekit_service_url`), and why it did \
         not join the other’s.",
        labels.first().map_or("", String::as_str),
        labels.get(1).map_or("", String::as_str),
    )
}

fn proof(case: &Case<'_>, name: &str, apart: Option<&Apart<'_, '_>>) -> Proof {
    let sfu = |why: &str| vec![Need::media_log(MediaProgram::LiveKit, why)];
    let Some(apart) = apart else {
        return Proof::new(case).premise(&LONG, false, || sfu("at which SFU each member was, and when"));
    };
    let [one, other] = apart.rooms;
    let mut evidence: Vec<Evidence> = Vec::new();
    for (room, session) in apart.rooms.iter().zip(apart.sessions) {
        let label = session.label();
        let connected = session.connected.map(|line| room.line(line, format!("{label} is connected to this SFU")));
        let left = session.left.map(|line| room.line(line, format!("{label} leaves it")));
        evidence.extend(connected.into_iter().chain(left));
    }
    let sessions = || one.sessions.iter().chain(&other.sessions);
    let apart_for_certain = |session: &Session<'_>, from: &Room<'_>| {
        let member = session.member.as_ref();
        member.is_some_and(|member| {
            from.sessions.iter().all(|theirs| theirs.member.as_ref().is_some_and(|them| them.is_another(member)))
        })
    };
    let is_named = sessions().all(|session| session.member.is_some())
        && one.sessions.iter().all(|session| apart_for_certain(session, other));
    let is_zoned = apart.rooms.iter().all(|room| room.log.zone == ZoneSource::Printed);
    Proof::new(case)
        .evidence(evidence)
        .premise(&ONE_CALL, is_of_matrix(name), Vec::new)
        .premise(&NAMED, is_named, || {
            vec![Need::media_log(MediaProgram::TokenService, "who the participants are whose identities are hashes")]
        })
        .premise(&WHOLE, one.is_whole && other.is_whole, || {
            sfu("each session of the call’s rooms from their making on")
        })
        .premise(&LONG, is_zoned && apart.together_ms > CLOCKS_MS, || {
            sfu("a call of some minutes, in which both stay connected")
        })
}

/// The pairs of rooms that were there at one time and have nobody in common.
fn apart<'r, 'c>(rooms: &'r [Room<'c>]) -> Vec<Apart<'r, 'c>> {
    let mut found = Vec::new();
    for (index, one) in rooms.iter().enumerate() {
        for other in &rooms[index + 1..] {
            let shared = |session: &Session<'_>| other.sessions.iter().any(|theirs| theirs.is_same(session));
            if one.is_beside(other) || one.sessions.iter().any(shared) {
                continue;
            }
            let pairs = one.sessions.iter().flat_map(|mine| other.sessions.iter().map(move |theirs| [mine, theirs]));
            let overlapping = pairs.filter_map(|sessions| {
                let (from, to) = common(sessions.map(Session::span))?;
                let certain = common(sessions.map(Session::certain));
                let together_ms = certain.map_or(0, |(from, to)| to - from);
                let (from, to) = certain.unwrap_or((from, to));
                Some(Apart { rooms: [one, other], sessions, together_ms, from, to })
            });
            found.extend(overlapping.max_by_key(|apart| apart.together_ms));
        }
    }
    found
}

/// A session that was connected, and its room.
type Connected<'r, 'c> = (&'r Room<'c>, &'r Session<'c>);

fn connected<'r, 'c>(rooms: &'r [Room<'c>]) -> Vec<Connected<'r, 'c>> {
    let all = rooms.iter().flat_map(|room| room.sessions.iter().map(move |session| (room, session)));
    all.filter(|(_, session)| session.connected.is_some()).take(CONNECTED_MAX + 1).collect()
}

/// One session of each participant who was connected at the same time as another one.
fn participants<'r>(connected: &[Connected<'r, '_>]) -> Vec<&'r Session<'r>> {
    let mut found: Vec<&Session<'_>> = Vec::new();
    for (_, session) in connected {
        let meets = |(_, other): &Connected<'_, '_>| {
            !other.is_same(session) && common([other.span(), session.span()]).is_some()
        };
        if !found.iter().any(|known| known.is_same(session)) && connected.iter().any(meets) {
            found.push(session);
        }
    }
    found
}

/// The session of one who was alone for minutes: somebody waits, or the others are elsewhere. Where reports are given, it must be of
/// one of their devices.
fn alone<'r>(case: &Case<'_>, connected: &[Connected<'r, '_>]) -> Option<&'r Session<'r>> {
    let is_ours = |session: &Session<'_>| {
        let member = session.member.as_ref();
        case.pages.is_empty()
            || member.is_some_and(|member| {
                let of_page = |device: &Device| {
                    device.user_id == member.user_id
                        && member.device_id.as_ref().is_none_or(|id| *id == device.device_id)
                };
                case.pages.iter().filter_map(|page| page.device.as_ref()).any(of_page)
            })
    };
    let stayed = |session: &Session<'_>| session.certain().is_some_and(|(from, to)| to - from > CLOCKS_MS);
    connected.iter().map(|(_, session)| *session).find(|session| stayed(session) && is_ours(session))
}

/// Whether each room has each of the participants.
fn has_each(connected: &[Connected<'_, '_>], others: &[&Session<'_>]) -> bool {
    connected.iter().all(|(room, _)| {
        others.iter().all(|other| connected.iter().any(|(there, one)| there.sid == room.sid && one.is_same(other)))
    })
}

/// The time that two stretches have in common.
fn common([one, other]: [Option<(i64, i64)>; 2]) -> Option<(i64, i64)> {
    let ((one_from, one_to), (other_from, other_to)) = (one?, other?);
    let (from, to) = (one_from.max(other_from), one_to.min(other_to));
    (from < to).then_some((from, to))
}

/// Whether each was in a room in which each other one published, and the lines that say so.
fn together(connected: &[Connected<'_, '_>], others: &[&Session<'_>]) -> Option<Vec<Evidence>> {
    if connected.len() > CONNECTED_MAX {
        return None;
    }
    let mut evidence = Vec::new();
    for publisher in others {
        for listener in others.iter().filter(|listener| !listener.is_same(publisher)) {
            let pairs =
                connected.iter().filter(|(_, session)| session.is_same(publisher)).flat_map(|(room, theirs)| {
                    connected
                        .iter()
                        .filter(move |(other, mine)| other.sid == room.sid && mine.is_same(listener))
                        .map(move |(_, mine)| (room, theirs, mine))
                });
            let line = pairs
                .filter(|(_, theirs, mine)| common([theirs.span(), mine.span()]).is_some())
                .find_map(|(room, theirs, _)| theirs.published.map(|line| (room, line)));
            let (room, line) = line?;
            let says = format!("{} publishes in a room in which the others are", publisher.label());
            let piece = room.line(line, says);
            if !evidence.contains(&piece) {
                evidence.push(piece);
            }
        }
    }
    Some(evidence)
}

/// Whether a room's name is one that only one call has.
fn is_of_matrix(name: &str) -> bool {
    (name.starts_with('!') && name.len() > 1) || is_media_hash(name)
}

fn call(name: &str) -> String {
    if name.starts_with('!') { format!("the call in {name}") } else { format!("the call of LiveKit’s room {name}") }
}

#[cfg(test)]
mod history;
#[cfg(test)]
use history::histories;

//! Reads what a report says of a call.

use crypto_diag_core::{
    CallFact, CallFactKind, CallFacts, CallMembership, CallSession, Direction, MediaKind, MediaStream, StreamSample,
};
use serde_json::Value;

use super::{flag, list, millis, number, object, text};

/// Rows of one list that are read.
const ROWS_MAX: usize = 1_000;

/// Samples of one stream that are read.
const SAMPLES_MAX: usize = 8;

/// Numbers up to this are exact, and no counter of a call comes near it.
const COUNTER_MAX: f64 = 9_007_199_254_740_991.0;

pub(crate) fn call(of: &Value) -> Option<CallFacts> {
    let of = object(of)?;
    let streams = list(of, "streams");
    let read: Vec<MediaStream> = streams.iter().take(ROWS_MAX).filter_map(stream).collect();
    // A row that does not read is one that is not listed.
    let unread = (streams.len() - read.len()) as u64;
    Some(CallFacts {
        omitted: number(of, "omitted").unwrap_or(1).saturating_add(unread),
        streams: read,
        session: object(&of["session"]).map(session),
        facts: call_facts(of),
    })
}

/// What lines of a call's frame said, under `facts`.
pub(crate) fn call_facts(of: &Value) -> Vec<CallFact> {
    list(of, "facts").iter().take(ROWS_MAX).filter_map(fact).collect()
}

fn stream(of: &Value) -> Option<MediaStream> {
    Some(MediaStream {
        path: text(of, "path"),
        connection: number(of, "connection").unwrap_or_default(),
        connection_state: text(of, "connectionState"),
        mid: text(of, "mid"),
        direction: match of["direction"].as_str()? {
            "receiving" => Direction::Receiving,
            "sending" => Direction::Sending,
            _ => return None,
        },
        kind: kind(&of["kind"])?,
        participant_sid: text(of, "participantSid"),
        muted: flag(of, "muted"),
        enabled: flag(of, "enabled"),
        samples: list(of, "samples").iter().take(SAMPLES_MAX).filter_map(sample).collect(),
    })
}

fn kind(of: &Value) -> Option<MediaKind> {
    match of.as_str()? {
        "audio" => Some(MediaKind::Audio),
        "video" => Some(MediaKind::Video),
        _ => None,
    }
}

fn sample(of: &Value) -> Option<StreamSample> {
    let counter = |name: &str| of.get(name).and_then(Value::as_f64).filter(|value| (0.0..=COUNTER_MAX).contains(value));
    Some(StreamSample {
        ts: millis(of, "ts")?,
        packets: counter("packets"),
        packet_age: counter("packetAge"),
        played_age: counter("playedAge"),
        emitted: counter("emitted"),
        samples: counter("samples"),
        concealed: counter("concealed"),
        energy: counter("energy"),
        frames: counter("frames"),
        decoded: counter("decoded"),
        dropped: counter("dropped"),
        plis: counter("plis"),
        freezes: counter("freezes"),
    })
}

fn session(of: &Value) -> CallSession {
    CallSession {
        own: flag(of, "own").unwrap_or_default(),
        joined: flag(of, "joined"),
        room_id: text(of, "roomId"),
        memberships: list(of, "memberships").iter().take(ROWS_MAX).map(membership).collect(),
    }
}

fn membership(of: &Value) -> CallMembership {
    CallMembership {
        user_id: text(of, "userId"),
        device_id: text(of, "deviceId"),
        participant: text(of, "participant"),
        created_at: millis(of, "createdAt"),
        expires_at: millis(of, "expiresAt"),
        focus: text(of, "focus"),
    }
}

fn fact(of: &Value) -> Option<CallFact> {
    Some(CallFact {
        ts: millis(of, "ts")?,
        what: match of["what"].as_str()? {
            "connected" => CallFactKind::Connected,
            "subscribed" => CallFactKind::Subscribed,
            "key-set" => CallFactKind::KeySet,
            _ => return None,
        },
        participant: text(of, "participant"),
        participant_sid: text(of, "participantSid"),
        key_index: number(of, "keyIndex"),
        encrypted: flag(of, "encrypted"),
        kind: kind(&of["kind"]),
    })
}

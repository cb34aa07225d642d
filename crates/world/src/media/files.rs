//! Alice's report.

use serde_json::{Value, json};

use super::play::{Counters, Error, JOINED_MS, Played, play};
use super::{ALICE, BOB, State, View};
use crate::forms::report::{self, Line, Report};
use crate::forms::{Device, File, signing};

/// When the page began: 2026-11-23 09:00:00 UTC.
const BEGIN: i64 = 1_795_424_400_000;
/// When a capture is installed that begins with its page.
const INSTALLED_MS: i64 = 226;
/// When one is that begins in the middle of the call.
const LATE_MS: i64 = JOINED_MS + 6_000;

/// The report's name.
pub(super) const REPORT: &str = "alice.report.json";
const ROOM: &str = "!cCYdMVvxTKVhQXjAPt:example.org";
/// Their sessions at the media server.
pub(super) const SIDS: [(Device, &str); 2] = [(ALICE, "PA_aLiCe8f3kQ2x"), (BOB, "PA_b0bXy71mZp4w")];

fn installed(view: &View) -> i64 {
    if view.late { LATE_MS } else { INSTALLED_MS }
}

/// Whether the report has what the page printed at a time.
pub(super) fn is_shown(call: &Played, view: &View, at: i64) -> bool {
    at >= installed(view) && call.cleared.is_none_or(|cleared| at > cleared)
}

fn identity(of: Device) -> String {
    format!("{}:{}", of.user, of.id)
}

/// The files of a view.
pub(super) fn files(state: &State, view: &View) -> Vec<File> {
    let call = play(state, view);
    vec![(REPORT.to_owned(), page_report(state, view, &call).json())]
}

fn page_report(state: &State, view: &View, call: &Played) -> Report {
    let wall = |at: i64| BEGIN + at + call.ahead(at);
    let bob = identity(BOB);
    let mut lines: Vec<Line> = Vec::new();
    let line = |at: i64, level, signature, meaning, text| Line {
        at: wall(at),
        level,
        family: "KE-2",
        signature,
        meaning,
        text,
    };
    for key in call.keys.iter().filter(|key| is_shown(call, view, key.at)) {
        let text = report::media_key_opened(BOB.user, &signing::curve25519(1), &format!("{:032x}", key.at));
        lines.push(line(key.at, "warn", "io.element.call.encryption_keys", "delivered", text));
    }
    for (at, error) in call.errors.iter().filter(|(at, _)| is_shown(call, view, *at)) {
        let own = identity(ALICE);
        let (signature, text) = match error {
            Error::Missing(index) => ("missing key at index", report::missing_key(&bob, *index, &own)),
            Error::Wrong => ("valid key missing for participant", report::wrong_key(&bob, &own)),
        };
        lines.push(line(*at, "error", signature, "transient", text));
    }
    lines.sort_by_key(|line| line.at);
    let made = call.sampled[1] + 10;
    let clock_moved = call.ahead(made);
    Report {
        device: ALICE,
        identity: Some((signing::ed25519(0), signing::curve25519(0))),
        began: BEGIN,
        installed: wall(installed(view)),
        cleared: call.cleared.map(wall),
        made: wall(made),
        clock_moved,
        page_events: Vec::new(),
        lines,
        missed: view.lines.missed,
        library: view.lines.library,
        info: view.info,
        call: call_facts(state, view, call),
        server_minus_page: None,
        known: Vec::new(),
        sent: Vec::new(),
    }
}

fn call_facts(state: &State, view: &View, call: &Played) -> Value {
    let wall = |at: i64| BEGIN + at + call.ahead(at);
    let fact = |at: i64, what: &str, who: Device| {
        json!({"ts": wall(at), "what": what, "participant": identity(who), "participantSid": null, "keyIndex": null,
               "encrypted": null, "kind": null})
    };
    let with = |mut fact: Value, name: &str, value: Value| {
        fact[name] = value;
        fact
    };
    let mut facts: Vec<(i64, Value)> = Vec::new();
    for (at, (who, sid)) in (0..).zip(SIDS).map(|(at, who)| (JOINED_MS + 50 * at, who)) {
        facts.push((at, with(fact(at, "connected", who), "participantSid", json!(sid))));
    }
    for kind in ["audio", "video"] {
        let subscribed = with(fact(JOINED_MS + 150, "subscribed", BOB), "encrypted", json!(state.start.decrypts));
        facts.push((JOINED_MS + 150, with(subscribed, "kind", json!(kind))));
    }
    facts.push((JOINED_MS + 160, with(fact(JOINED_MS + 160, "key-set", ALICE), "keyIndex", json!(0))));
    for key in &call.keys {
        facts.push((key.at + 20, with(fact(key.at + 20, "key-set", BOB), "keyIndex", json!(key.index))));
    }
    facts.sort_by_key(|(at, _)| *at);
    let shown = facts.into_iter().filter(|(at, _)| view.info && is_shown(call, view, *at));
    let facts: Vec<Value> = shown.map(|(_, fact)| fact).collect();
    let members = [ALICE, BOB].into_iter().filter(|who| *who == ALICE || call.now.is_there);
    let memberships: Vec<Value> = members
        .map(|who| {
            json!({"userId": who.user, "deviceId": who.id, "participant": identity(who),
                   "createdAt": BEGIN + JOINED_MS - 1_000, "expiresAt": null, "focus": null})
        })
        .collect();
    let session = json!({"own": true, "joined": true, "roomId": ROOM, "memberships": memberships});
    // A connection that was made before the capture is not known.
    let streams = if view.late { Vec::new() } else { streams(view, call) };
    json!({"streams": streams, "omitted": 0, "session": if view.members { session } else { Value::Null }, "facts": facts})
}

fn streams(view: &View, call: &Played) -> Vec<Value> {
    let wall = |at: i64| BEGIN + at + call.ahead(at);
    let kinds = [(0, "audio"), (1, "video")];
    let received = kinds.into_iter().map(|(track, kind)| {
        let samples =
            [0, 1].map(|time| sample(wall(call.sampled[time]), call.sampled[time], kind, &call.counters[time][track]));
        let came = call.counters[1][track].packets > 0.0;
        stream("receiving", kind, Some(SIDS[1].1), (!came, true), view, samples)
    });
    let own = [0, 1].map(|time| {
        let packets = ((call.sampled[time] - JOINED_MS) / 20) as f64;
        let counted = Counters { packets, ..Counters::default() };
        let mut sample = sample(wall(call.sampled[time]), call.sampled[time], "sent", &counted);
        sample["packetAge"] = Value::Null;
        sample
    });
    received.chain([stream("sending", "audio", None, (false, call.now.microphone), view, own)]).collect()
}

fn stream(
    direction: &str,
    kind: &str,
    sid: Option<&str>,
    (muted, enabled): (bool, bool),
    view: &View,
    samples: [Value; 2],
) -> Value {
    let asked = if view.twice { 2 } else { 1 };
    let samples: Vec<Value> = samples.into_iter().take(asked).collect();
    json!({"path": "/call", "connection": 0, "connectionState": "connected", "mid": kind, "direction": direction, "kind": kind,
           "participantSid": sid, "muted": muted, "enabled": enabled, "samples": samples})
}

/// One sample, as Chromium counts: a receiver has no row before its first packet.
fn sample(wall: i64, at: i64, kind: &str, counted: &Counters) -> Value {
    let age = |last: Option<i64>| last.map(|last| at - last);
    let is_there = counted.packets >= 1.0;
    let of = |kinds: &str, value: f64| if is_there && kinds == kind { json!(value.floor()) } else { Value::Null };
    json!({
        "ts": wall, "packets": if is_there { json!(counted.packets.floor()) } else { Value::Null },
        "packetAge": age(counted.last_packet), "playedAge": age(counted.last_played),
        "emitted": of("audio", counted.emitted), "samples": of("audio", counted.samples),
        "concealed": of("audio", counted.concealed),
        "energy": if is_there && kind == "audio" { json!(counted.energy) } else { Value::Null },
        "frames": of("video", counted.frames), "decoded": of("video", counted.decoded),
        "dropped": of("video", 0.0), "plis": of("video", 0.0), "freezes": of("video", 0.0),
    })
}

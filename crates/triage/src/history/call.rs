//! Calls for the histories of rules: Alice's page in a call with Bob, and with Carol where she is asked for. The numbers are those
//! that LiveKit's own worker gave in Chromium and Firefox.

use crypto_diag_core::{
    CallFact, CallFactKind, CallFacts, CallMembership, CallSession, Direction, Level, MediaKind, MediaStream, Millis,
    Report, ServerMinusPage, StreamSample,
};
use serde_json::Value;

use super::{Change, History, MadeUpPage, missing};

pub(crate) const ALICE: &str = "@alice:example.org:ALICE";
pub(crate) const BOB: &str = "@bob:example.org:BOB";

/// When Alice's page began; her call begins ten seconds later.
pub(crate) const BEGUN: u64 = 1_795_424_000_000;

/// When the statistics are asked for the first time, in milliseconds since the page began, and for the second.
const SAMPLED: [u64; 2] = [300_000, 301_000];

/// A change of a report's JSON.
type JsonChange = Box<dyn FnOnce(&mut Value)>;

/// A page in a call.
pub(crate) struct Held {
    call: CallFacts,
    lines: Vec<(u64, String)>,
    reports: Vec<Change>,
    jsons: Vec<JsonChange>,
    /// Milliseconds that the page's clock is ahead of the server's; `None` if the page has not measured it.
    ahead: Option<i64>,
}

impl Default for Held {
    /// Alice and Bob are members, and Alice's page was given a key of each.
    fn default() -> Held {
        let session = CallSession {
            own: true,
            joined: Some(true),
            room_id: Some("!call:example.org".to_owned()),
            memberships: Vec::new(),
        };
        let call = CallFacts { session: Some(session), ..CallFacts::default() };
        let nobody = Held { call, lines: Vec::new(), reports: Vec::new(), jsons: Vec::new(), ahead: Some(0) };
        nobody.joined("alice").joined("bob")
    }
}

impl Held {
    fn joined(mut self, name: &str) -> Held {
        let session = self.call.session.as_mut().expect("a session");
        let at = session.memberships.len() as u64;
        let identity = format!("@{name}:example.org:{}", name.to_uppercase());
        session.memberships.push(CallMembership {
            user_id: Some(format!("@{name}:example.org")),
            device_id: Some(name.to_uppercase()),
            participant: Some(identity.clone()),
            focus: Some("https://sfu.example.org".to_owned()),
            created_at: Some(Millis(BEGUN + 10_000)),
            ..CallMembership::default()
        });
        let fact = |after: u64, what| CallFact {
            ts: Millis(BEGUN + 10_000 + at * 100 + after),
            what,
            participant: Some(identity.clone()),
            ..CallFact::default()
        };
        let connected = CallFact { participant_sid: Some(format!("PA_{name}")), ..fact(0, CallFactKind::Connected) };
        let set = CallFact { key_index: Some(0), ..fact(20, CallFactKind::KeySet) };
        let subscribed = CallFact { encrypted: Some(true), ..fact(40, CallFactKind::Subscribed) };
        self.call.facts.extend([connected, set, subscribed]);
        self
    }

    fn stream(mut self, sid: &str, mut stream: MediaStream) -> Held {
        stream.participant_sid = Some(sid.to_owned());
        self.call.streams.push(stream);
        self
    }

    pub fn of_bob(self, stream: MediaStream) -> Held {
        self.stream("PA_bob", stream)
    }

    pub fn of_carol(self, stream: MediaStream) -> Held {
        self.joined("carol").stream("PA_carol", stream)
    }

    /// A stream of a session that no line names.
    pub fn of_nobody(self, stream: MediaStream) -> Held {
        self.stream("PA_nobody", stream)
    }

    /// A stream that Alice's page sends.
    pub fn sent(mut self, stream: MediaStream) -> Held {
        self.call.streams.push(MediaStream { direction: Direction::Sending, ..stream });
        self
    }

    /// An error that the page prints, in milliseconds since it began.
    pub fn line(mut self, after: u64, line: &str) -> Held {
        self.lines.push((after, line.to_owned()));
        self
    }

    /// A key that LiveKit's worker is given, in milliseconds since the page began.
    pub fn key_set(mut self, after: u64, participant: &str, index: u64) -> Held {
        self.call.facts.push(CallFact {
            ts: Millis(BEGUN + after),
            what: CallFactKind::KeySet,
            participant: Some(participant.to_owned()),
            key_index: Some(index),
            ..CallFact::default()
        });
        self
    }

    pub fn but(mut self, change: impl FnOnce(&mut CallFacts)) -> Held {
        change(&mut self.call);
        self
    }

    /// The page's clock is so many milliseconds ahead of the server's, and the page has measured it.
    pub fn ahead(self, ms: i64) -> Held {
        Held { ahead: Some(ms), ..self }
    }

    /// The page has not measured its clock by the server's.
    pub fn unmeasured(self) -> Held {
        Held { ahead: None, ..self }
    }

    /// A change of the report before it is written.
    pub fn report(mut self, change: impl FnOnce(&mut Report) + 'static) -> Held {
        self.reports.push(Box::new(change));
        self
    }

    /// A change of the report's JSON.
    pub fn json(mut self, change: impl FnOnce(&mut Value) + 'static) -> Held {
        self.jsons.push(Box::new(change));
        self
    }
}

/// The history of one report, Alice's, made as soon as the statistics are there.
pub(crate) fn history(name: &str, mut held: Held) -> History {
    let jsons = std::mem::take(&mut held.jsons);
    let history = History::new(name).file("alice.report.json", page(held, ("@alice:example.org", "ALICE")).json());
    jsons.into_iter().fold(history, |history, change| history.edit("alice.report.json", change))
}

/// The same and the report of Bob's page in that call, whose statistics were asked so many milliseconds earlier.
pub(crate) fn with_bob(history: History, earlier: u64, held: Held) -> History {
    let held = held.but(|call| {
        for sample in call.streams.iter_mut().flat_map(|stream| &mut stream.samples) {
            sample.ts.0 -= earlier;
        }
    });
    history.file("bob.report.json", page(held, ("@bob:example.org", "BOB")).json())
}

fn page(held: Held, ids: (&str, &str)) -> MadeUpPage {
    let page = MadeUpPage::new(ids, BEGUN, BEGUN + SAMPLED[1] + 10);
    let lines = held.lines.into_iter();
    let page = lines.fold(page, |page, (after, line)| page.line(BEGUN + after, Level::Error, &line));
    let call = held.call;
    let measured = held.ahead.map(|ahead| ServerMinusPage { low: -ahead - 20, high: -ahead + 80 });
    let page = page.but(move |report| {
        report.call = Some(call);
        report.clock.get_or_insert_default().server_minus_page = measured;
    });
    held.reports.into_iter().fold(page, |page, change| page.but(change))
}

/// A line of livekit-client: a frame of Bob came whose key is not there.
pub(crate) fn missing_bob(index: u64) -> String {
    missing(BOB, index)
}

/// A line of livekit-client: a frame of Bob came that its key does not open.
pub(crate) fn wrong_bob() -> String {
    format!("InvalidKey: valid key missing for participant {BOB}")
}

/// Sound whose counters grow by so much within a second.
pub(crate) fn sound(packets: f64, emitted: f64, samples: f64, concealed: f64, energy: f64) -> MediaStream {
    stream(MediaKind::Audio, packets, |sample, times| {
        sample.emitted = Some(100_000.0 + emitted * times);
        sample.samples = Some(200_000.0 + samples * times);
        sample.concealed = Some(100_000.0 + concealed * times);
        sample.energy = Some(3.0 + energy * times);
    })
}

/// Pictures of which so many come out of decryption, and so many are decoded within a second; none ever was before.
pub(crate) fn video(packets: f64, frames: f64, decoded: f64) -> MediaStream {
    stream(MediaKind::Video, packets, |sample, times| {
        sample.frames = Some(frames * times);
        sample.decoded = Some(decoded * times);
    })
}

/// The same after a time in which all were decoded.
pub(crate) fn decoded_video(packets: f64, frames: f64, decoded: f64) -> MediaStream {
    stream(MediaKind::Video, packets, |sample, times| {
        sample.frames = Some(4_000.0 + frames * times);
        sample.decoded = Some(4_000.0 + decoded * times);
    })
}

fn stream(kind: MediaKind, packets: f64, fill: impl Fn(&mut StreamSample, f64)) -> MediaStream {
    let sample = |(at, after): (usize, u64)| {
        let times = at as f64;
        let mut sample = StreamSample {
            ts: Millis(BEGUN + after),
            packets: Some(10_000.0 + packets * times),
            packet_age: Some(if packets > 0.0 { 15.0 } else { 8_000.0 }),
            ..StreamSample::default()
        };
        fill(&mut sample, times);
        sample
    };
    MediaStream {
        path: Some("/call".to_owned()),
        connection_state: Some("connected".to_owned()),
        kind,
        muted: Some(false),
        enabled: Some(true),
        samples: SAMPLED.into_iter().enumerate().map(sample).collect(),
        ..MediaStream::default()
    }
}

/// The same, whose last packet came so many milliseconds ago.
pub(crate) fn aged(ms: f64, mut stream: MediaStream) -> MediaStream {
    for sample in &mut stream.samples {
        sample.packet_age = Some(ms);
    }
    stream
}

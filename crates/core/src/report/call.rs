//! The call, as its frames showed it when the report was made: who is in it, and what becomes of each one's media.

use serde::{Deserialize, Serialize};

use crate::entry::Millis;

/// What the call frames of a page showed.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CallFacts {
    /// A row for each receiver and each sender of the connections that live in call frames, bounded.
    pub streams: Vec<MediaStream>,
    /// Receivers and senders that are not listed because there were too many.
    pub omitted: u64,
    /// The MatrixRTC session that the frame's client is in, else the one that the page's client observes; null if none was found.
    pub session: Option<CallSession>,
    /// What the frames said at info about participants and their keys, oldest first, bounded: of too many the newest are kept, so
    /// that the list is whole from its first row on.
    pub facts: Vec<CallFact>,
}

/// Whether media comes or goes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Direction {
    /// From another participant to this page.
    #[default]
    Receiving,
    /// From this page.
    Sending,
}

/// What kind of media a stream holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum MediaKind {
    /// Sound.
    #[default]
    Audio,
    /// A picture.
    Video,
}

/// One receiver or sender of an `RTCPeerConnection`. No address, candidate, fingerprint or key is among it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct MediaStream {
    /// The frame's path.
    pub path: Option<String>,
    /// The number of its connection within this report.
    pub connection: u64,
    /// `RTCPeerConnection.connectionState`.
    pub connection_state: Option<String>,
    /// The transceiver's `mid`.
    pub mid: Option<String>,
    /// Whether it comes or goes.
    pub direction: Direction,
    /// Sound or picture.
    pub kind: MediaKind,
    /// Whose it is, as LiveKit's server names its participants, `PA_…`: the first part of the stream's id. Null for what is sent,
    /// and where the id has another form.
    pub participant_sid: Option<String>,
    /// The track's `muted`: of a receiver, that nothing comes; of a sender, that the source gives nothing.
    pub muted: Option<bool>,
    /// The track's `enabled`: false is silence or black that the application wants.
    pub enabled: Option<bool>,
    /// What the statistics said: two rows a second apart, or one, where the second could not be had.
    pub samples: Vec<StreamSample>,
}

/// The statistics of a stream at one moment. Counters are of the time since the stream began; null: the engine has none.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct StreamSample {
    /// When they were asked, in milliseconds since the epoch, by the page's clock.
    pub ts: Millis,
    /// Packets that came or went. Encrypted frames that cannot be opened count.
    pub packets: Option<f64>,
    /// Milliseconds since the last packet came (`lastPacketReceivedTimestamp`).
    pub packet_age: Option<f64>,
    /// Milliseconds since a frame was given to the decoder and played (`getSynchronizationSources()`); null: none ever was,
    /// or none for ten seconds.
    pub played_age: Option<f64>,
    /// Audio samples given to playout out of the jitter buffer (`jitterBufferEmittedCount`); after decryption.
    pub emitted: Option<f64>,
    /// Audio samples that were played, concealed ones included (`totalSamplesReceived`).
    pub samples: Option<f64>,
    /// Those of them that were made up because nothing came to play (`concealedSamples`).
    pub concealed: Option<f64>,
    /// `totalAudioEnergy`: of a receiver what was played, of a sender what its source gave. Silence does not raise it.
    pub energy: Option<f64>,
    /// Video frames that came (`framesReceived`, after decryption) or were encoded (`framesEncoded`).
    pub frames: Option<f64>,
    /// Video frames that could be decoded (`framesDecoded`).
    pub decoded: Option<f64>,
    /// Video frames that were dropped (`framesDropped`).
    pub dropped: Option<f64>,
    /// Whole pictures that the receiver asked for (`pliCount`).
    pub plis: Option<f64>,
    /// Times that the picture stood still (`freezeCount`).
    pub freezes: Option<f64>,
}

/// A MatrixRTC session as a client holds it.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CallSession {
    /// Whether this is the session that took part in the call (a frame's `rtcSession`); false: a client that only observes it.
    pub own: bool,
    /// `isJoined()`.
    pub joined: Option<bool>,
    /// The room.
    pub room_id: Option<String>,
    /// Who is in the call, as this client sees it, bounded.
    pub memberships: Vec<CallMembership>,
}

/// One membership of a call.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CallMembership {
    /// The user id.
    pub user_id: Option<String>,
    /// The device id.
    pub device_id: Option<String>,
    /// `rtcBackendIdentity`: how the media server and LiveKit's lines name this member.
    pub participant: Option<String>,
    /// When it was made, in milliseconds since the epoch, by the server's clock.
    pub created_at: Option<Millis>,
    /// When it expires, in milliseconds since the epoch.
    pub expires_at: Option<Millis>,
    /// The SFU that the member publishes to, as the origin of its token service.
    pub focus: Option<String>,
}

/// One line of a call frame that says something of a participant.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CallFact {
    /// When, in milliseconds since the epoch.
    pub ts: Millis,
    /// What.
    pub what: CallFactKind,
    /// The participant, as the media server names it.
    pub participant: Option<String>,
    /// Its LiveKit session, `PA_…`.
    pub participant_sid: Option<String>,
    /// The media key's index.
    pub key_index: Option<u64>,
    /// Whether the track is encrypted, as its sender says.
    pub encrypted: Option<bool>,
    /// Sound or picture.
    pub kind: Option<MediaKind>,
}

/// What a line of a call frame says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CallFactKind {
    /// `Participant connected: <participant> (<PA…>)`: the participant is in the SFU's room.
    #[default]
    Connected,
    /// `Subscribed: audio microphone TR_… of <participant> encrypted=… muted=…`: its track is being received.
    Subscribed,
    /// `set participant sender key <participant> index <n>`: LiveKit's worker has been given a key of the participant.
    KeySet,
}

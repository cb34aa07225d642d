//! What the media side of a call logs: who joined which room of which SFU, and who got a token for it. It is the same for every
//! program that writes such lines.

/// The program that wrote a line.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MediaProgram {
    /// LiveKit's server, the SFU.
    LiveKit,
    /// The service that gives members of a MatrixRTC session their tokens for the SFU.
    TokenService,
}

/// A participant's session at an SFU. Its names are verbatim and may be hostile.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaSession {
    /// The room's name: a Matrix room's id, or a hash of that id and the MatrixRTC slot.
    pub room: String,
    /// The SFU's own id of the room, `RM_…`: another one each time that the room is made.
    pub room_sid: String,
    /// The participant: `@user:server:DEVICE`, or a hash of these and more.
    pub identity: String,
    /// The SFU's own id of the session, `PA_…`; empty where the line does not say.
    pub session: String,
}

/// A token that a member got for an SFU.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MediaToken {
    /// The member's user id, which its homeserver has confirmed.
    pub user_id: Option<String>,
    /// The device id that the member states.
    pub device_id: Option<String>,
    /// The identity that the token is for.
    pub identity: Option<String>,
    /// The Matrix room that the member states.
    pub matrix_room: Option<String>,
    /// The name of the SFU's room that the token is for.
    pub room: Option<String>,
}

/// What a line says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum MediaEvent {
    /// The SFU's process started.
    Starting,
    /// A session begins. The participant is not connected yet.
    Joining {
        /// Which.
        session: MediaSession,
        /// The process of the SFU that holds the room.
        node: Option<String>,
        /// Participants that were in the room before.
        before: Option<u64>,
    },
    /// The participant's media connection is up.
    Connected(MediaSession),
    /// The session ended.
    Left {
        /// Which.
        session: MediaSession,
        /// Why, in the SFU's words, such as `CLIENT_REQUEST_LEAVE`.
        reason: String,
    },
    /// The participant sends a track.
    Published {
        /// Which.
        session: MediaSession,
        /// How its frames are encrypted, in the SFU's words; `None` where the line does not say.
        encryption: Option<String>,
    },
    /// A member got a token.
    Token(MediaToken),
    /// Somebody got none. Such a line names the reason, and mostly nobody.
    Refused,
    /// A line that is not whole.
    Cut,
    /// Anything else.
    Other,
}

impl MediaEvent {
    /// The session that a line is about.
    pub fn session(&self) -> Option<&MediaSession> {
        match self {
            MediaEvent::Joining { session, .. }
            | MediaEvent::Connected(session)
            | MediaEvent::Left { session, .. }
            | MediaEvent::Published { session, .. } => Some(session),
            _ => None,
        }
    }
}

/// Characters of a hash by which the media side of calls names rooms and participants: SHA-256 in unpadded base64.
const HASH_CHARS: usize = 43;

/// Whether a text has the form of such a hash.
pub fn is_media_hash(text: &str) -> bool {
    let is_base64 = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
    text.len() == HASH_CHARS && text.bytes().all(is_base64)
}

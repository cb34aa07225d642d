//! What the words of a row say. A kind is shared by rows that say the same thing in other words.

use serde::Serialize;

use crate::entry::Ke;

/// What a row's words say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// A one-time key upload was refused.
    Ke1,
    /// Of media keys.
    Ke2(Ke2Kind),
    /// An event could not be decrypted; why is for the rest of the line to say.
    Ke3(Ke3By),
    /// Of delayed events and memberships.
    Ke4(Ke4Words),
    /// Of Olm sessions.
    Olm(OlmKind),
}

impl Kind {
    /// The family.
    pub const fn ke(self) -> Ke {
        match self {
            Kind::Ke1 => Ke::Ke1,
            Kind::Ke2(_) => Ke::Ke2,
            Kind::Ke3(_) => Ke::Ke3,
            Kind::Ke4(_) => Ke::Ke4,
            Kind::Olm(_) => Ke::Olm,
        }
    }
}

/// What a KE-2 line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ke2Kind {
    /// A message of the media key type came and Olm opened it. No key index and no room are known, and the transport
    /// may drop it later.
    Delivered,
    /// A frame came whose key is not there.
    MissingKey,
    /// A frame came that the key of its index does not open.
    WrongKey,
    /// No key at all is there for a participant.
    KeySetNotFound,
    /// This device has no key of its own to send with.
    OwnKeyMissing,
    /// Nobody to send a key to; normal when alone in a call.
    NoTargets,
    /// A key was opened and then dropped for what it held.
    Dropped,
    /// A key came, and the browser does not take it as one.
    KeyNotImported,
    /// Encrypted media came where decryption is not set up, or not yet.
    NotSetUp,
    /// Encryption could not be switched on for a call.
    EncryptionNotEnabled,
    /// A participant's media failed to decrypt so often that further errors are not printed.
    ManyErrors,
    /// A participant's media failed to decrypt, see `reason`.
    CallError,
    /// This device's own key could not be made or handed out, see `reason`.
    OwnKeyFailed,
    /// A key came, and this client was told to use none.
    KeysDisabled,
}

/// Who prints that an event could not be decrypted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ke3By {
    /// matrix-js-sdk.
    Sdk,
    /// matrix-sdk-crypto's machine.
    Machine,
}

/// Whether a KE-4 line's words alone say what went wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ke4Words {
    /// They say it.
    Say(Ke4Kind),
    /// The server's answer says it, which the line quotes; else this, if the words say anything.
    Answer(Option<Ke4Kind>),
}

/// What went wrong with a delayed event or a membership, by the line alone. Why it did is for the server's log and the HAR
/// to say.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Ke4Kind {
    /// The client stopped waiting for an answer.
    LocalTimeout,
    /// A status of 500, 501, 503 or above 504.
    ServerError,
    /// 502 or 504, which a gateway gives in the server's name.
    Gateway,
    /// 404 `M_NOT_FOUND`: the delayed event was sent already, or cancelled.
    NotFound,
    /// 429.
    RateLimit,
    /// 429, since the user has as many delayed events as the server holds for one.
    Quota,
    /// No connection.
    Network,
    /// 404 `M_UNRECOGNIZED`: the path is not served here.
    Unrecognized,
    /// The server allows only shorter delays.
    DelayTooLong,
    /// The client found itself out of the call and joins again.
    ForcedRejoin,
    /// The client gave up; see `cause`.
    Stopped,
    /// The server has sent the leave event already, so the client joins again from scratch.
    RejoinFromScratch,
    /// The delayed leave event could not be restarted, while the server still has it.
    RestartPutOff,
    /// The client's own actions make no state that it knows.
    UnknownState,
    /// The delayed leave event could not be sent at once, so the client sends a plain one.
    LeaveFellBack,
}

/// What an OLM line says.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum OlmKind {
    /// Receiver: a message uses a one-time key whose private half is not here.
    MissingOneTimeKey,
    /// Receiver: a session could not be made for another reason, see `cause`.
    InboundCreation,
    /// Receiver: a message was replayed, or its session has moved on.
    PreKeyReplay,
    /// Receiver: no session opens the message.
    NoSession,
    /// Receiver: the message is encrypted for another identity key.
    NotForOurKey,
    /// Sender: no session could be made with a device, see `cause`.
    OutboundCreation,
    /// Sender: the server gave no one-time key for some devices, not even a fallback key; `devices` names them.
    NoOneTimeKey,
    /// Sender: the keys of some devices are unfit; `devices` names them.
    BadDevices,
    /// Sender: a key was given for a device that the sender does not know.
    UnknownDevice,
    /// Sender: a session was made anew, and what follows from that failed.
    UnwedgeFailed,
    /// Sender: the server refused a batch of to-device messages, and the client dropped it.
    BatchDropped,
    /// Anyone: new keys of a known device were refused, see `cause`.
    DeviceUpdateRejected,
    /// Anyone: a device that was not known before was refused, see `cause`.
    DeviceRejected,
    /// Anyone: the server's list of the own user's devices lacks this one.
    OwnDeviceMissing,
    /// Sender: a message was to go to a device that the client does not know; `devices` names it.
    TargetUnknown,
    /// Receiver: what a /sync brought could not be taken in, to-device messages among it.
    SyncNotTaken,
}

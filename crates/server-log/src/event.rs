//! What a line of a homeserver's log says, whichever server wrote it.

use std::borrow::Cow;

use crate::level::LogLevel;
use crate::media::{MediaEvent, MediaProgram};
use crate::stamp::Stamp;

/// What one line says.
#[derive(Clone, Debug, PartialEq)]
pub struct ServerEvent<'a> {
    /// When the line was written, as far as it says.
    pub at: Option<Stamp>,
    /// Which process wrote it: a worker's prefix, a container, or a unit with its process; `None` where nothing tells.
    pub source: Option<&'a str>,
    /// The level.
    pub level: LogLevel,
    /// The id of the request that it belongs to, or of a background task.
    pub request: Option<&'a str>,
    /// The message.
    pub text: &'a str,
    /// What it says.
    pub kind: EventKind<'a>,
}

/// What a line says. Everything else is [`EventKind::Other`].
#[derive(Clone, Debug, PartialEq)]
pub enum EventKind<'a> {
    /// A request was answered.
    Access(AccessLine<'a>),
    /// A request was refused.
    Refused(RefusedLine<'a>),
    /// One-time keys are about to be added: logged before the check, so it counts only with its 200.
    AddingOneTimeKeys {
        /// Whose.
        device: DeviceRef<'a>,
        /// `algorithm:id`, in the order of the upload.
        key_ids: Vec<&'a str>,
        /// Milliseconds since the epoch, by the server's clock: the same value as the rows' `ts_added_ms`.
        at: Option<i64>,
    },
    /// Keys were claimed. Fallback keys are listed alike.
    Claimed(Vec<Claim<'a>>),
    /// A device's identity keys are stored, even where the rest of the upload is refused.
    UpdatingDeviceKeys {
        /// Whose.
        device: DeviceRef<'a>,
        /// Milliseconds since the epoch, by the server's clock.
        at: Option<i64>,
    },
    /// A new log-in made a device.
    Login(DeviceRef<'a>),
    /// Devices were deleted, by a log-out or an administrator.
    DeletingDevices {
        /// Whose.
        user_id: &'a str,
        /// The device ids.
        device_ids: Vec<&'a str>,
    },
    /// The client had gone before the answer was sent.
    ClientGone,
    /// A server process started.
    Starting,
    /// The server's version, printed when it starts.
    Version(&'a str),
    /// The process's name among the server's processes, printed when it starts: `master` is the main one.
    Instance(&'a str),
    /// The process talks to other processes of the server, as it does only where workers are set up.
    Replication,
    /// To-device messages.
    ToDevice(ToDevice<'a>),
    /// A line of the media side of calls: of an SFU, or of what gives out tokens for it. It says nothing of a homeserver.
    Media(MediaProgram, MediaEvent),
    /// A line that begins as one that counts, and does not end as one: a pager, a terminal or a limit cut it.
    Cut,
    /// A line that was there, and of which nothing is shown.
    Hidden,
    /// A mark in place of lines that somebody left out on purpose: how many they were.
    LeftOut(u64),
    /// Anything else.
    Other,
}

/// How much of a line has to be known to keep it, or to join it to its request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Class {
    /// A request was answered; how long it took in milliseconds, from its start to the line.
    Access(u64),
    /// A line of the one-time-key ledger: keys, log-ins, deleted devices. It counts whatever its time.
    Ledger,
    /// A process started.
    Start,
    /// Who joined which room of an SFU, or got a token for it, or none.
    Media,
    /// Anything else.
    Other,
}

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceRef<'a> {
    /// The user id.
    pub user_id: &'a str,
    /// The device id.
    pub device_id: &'a str,
}

/// One claimed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// `algorithm:id`.
    pub key_id: &'a str,
    /// Whose.
    pub device: DeviceRef<'a>,
}

/// A request that was answered. The line's time is the request's end.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessLine<'a> {
    /// The client's address.
    pub address: &'a str,
    /// The user; `None` where the line names nobody, as Synapse 1.155 does for restarts of delayed events.
    pub user_id: Option<&'a str>,
    /// Milliseconds from the request's start to the handler's end.
    pub processing_ms: u64,
    /// Milliseconds from there until the answer was sent; negative where the client had gone before the handler's end.
    pub sending_ms: i64,
    /// The HTTP status.
    pub status: u16,
    /// Whether the client was gone before the answer was sent whole.
    pub unfinished: bool,
    /// The method.
    pub method: &'a str,
    /// Path and query, as the server prints them: Synapse redacts `access_token`, and no other secret.
    pub uri: &'a str,
    /// The user agent.
    pub user_agent: &'a str,
}

impl AccessLine<'_> {
    /// Milliseconds from the request's start to the line's time: Synapse prints the line when processing and sending are
    /// both over. Sending counts from the end of the processing, and is negative where the client had gone before that.
    pub fn duration_ms(&self) -> u64 {
        self.processing_ms.saturating_add_signed(self.sending_ms.max(0))
    }

    /// Path and query without secrets.
    pub fn redacted_uri(&self) -> Cow<'_, str> {
        crypto_diag_core::redact(self.uri).text
    }
}

/// A request that was refused, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RefusedLine<'a> {
    /// The method; empty where the line does not say.
    pub method: &'a str,
    /// Path and query; empty where the line does not say.
    pub uri: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// Why, in the server's words.
    pub reason: &'a str,
}

/// To-device messages, as Synapse's logger `synapse.9533_debug` prints them at DEBUG.
#[derive(Clone, Debug, PartialEq)]
pub enum ToDevice<'a> {
    /// Stored for devices of this server: device and message id.
    Stored(Vec<(DeviceRef<'a>, &'a str)>),
    /// Dropped, since the device does not exist.
    Dropped(Vec<(DeviceRef<'a>, &'a str)>),
    /// Handed to a device by its `/sync`: message ids.
    Returned(Vec<&'a str>),
}

impl EventKind<'_> {
    /// The class of the line.
    pub fn class(&self) -> Class {
        match self {
            EventKind::Access(access) => Class::Access(access.duration_ms()),
            EventKind::Refused(refused) if refused.reason.contains("already exists") => Class::Ledger,
            EventKind::AddingOneTimeKeys { .. }
            | EventKind::Claimed(_)
            | EventKind::UpdatingDeviceKeys { .. }
            | EventKind::Login(_)
            | EventKind::DeletingDevices { .. } => Class::Ledger,
            EventKind::Cut => Class::Ledger,
            EventKind::Starting => Class::Start,
            EventKind::Media(_, MediaEvent::Other) => Class::Other,
            EventKind::Media(..) => Class::Media,
            _ => Class::Other,
        }
    }
}

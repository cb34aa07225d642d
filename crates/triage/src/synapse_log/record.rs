//! What a log's lines say, as records. Times are the server's, in milliseconds since the epoch, as far as its zone is known.

use std::sync::Arc;

use crypto_diag_analysis::evidence::ke1;
use crypto_diag_core::Clean;
use crypto_diag_server_log::{Route, delay_id, txn_id};

/// Any request, as far as clocks and coverage need it. Times are the server's, in milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Access {
    /// See [`request_key`](super::request_key).
    pub key: u64,
    /// When Synapse received it, in milliseconds since the epoch, by the server's clock.
    pub start: i64,
    /// When Synapse had answered it, by the same clock.
    pub end: i64,
    /// The line's number.
    pub line: u64,
    /// Its route.
    pub route: Route,
    /// The HTTP status.
    pub status: u16,
    /// Whether the answer was sent whole.
    pub finished: bool,
    /// Who asked, by index into [`ServerLog::users`](super::ServerLog::users); `None` where the line does not say.
    pub user: Option<u32>,
    /// Which process answered, by index into [`ServerLog::processes`](super::ServerLog::processes).
    pub process: u16,
}

/// A request to one of the routes of interest.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// Synapse's id of it, such as `POST-48`.
    pub id: String,
    /// Its route.
    pub route: Route,
    /// The method.
    pub method: String,
    /// Path and query, canonical.
    pub uri: String,
    /// Who asked; `None` where the line does not say.
    pub user_id: Option<String>,
    /// The HTTP status.
    pub status: u16,
    /// Whether the client was gone before the answer was sent.
    pub unfinished: bool,
    /// When Synapse received it, in milliseconds since the epoch, by the server's clock.
    pub start: i64,
    /// When Synapse had answered it, by the same clock.
    pub end: i64,
    /// The line's number.
    pub line: u64,
    /// Which process answered, by index into [`ServerLog::processes`](super::ServerLog::processes).
    pub process: u16,
    /// The line's text without the client's address and user agent.
    pub quote: Clean,
}

impl Request {
    /// Of a request about a delayed event: the event's id.
    pub fn delay_id(&self) -> Option<&str> {
        delay_id(&self.uri)
    }

    /// Of a `sendToDevice`: the transaction's id.
    pub fn txn_id(&self) -> Option<&str> {
        txn_id(&self.uri)
    }
}

/// What became of an upload.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum UploadOutcome {
    /// Answered with 200: the keys were stored.
    Accepted {
        /// The access line's number.
        line: u64,
    },
    /// Answered with another status: nothing of the one-time keys was stored.
    Refused {
        /// The status.
        status: u16,
        /// The access line's number.
        line: u64,
    },
    /// The log does not show the answer.
    Unknown,
}

/// `Adding one_time_keys …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Upload {
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// `algorithm:id`. A storm repeats one list.
    pub key_ids: Arc<[String]>,
    /// The server's time, as its rows have it in `ts_added_ms`; the line's where its zone is not known.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// What became of it.
    pub outcome: UploadOutcome,
    /// When Synapse received the request, if the access line is there.
    pub start: Option<i64>,
    /// The line's beginning.
    pub quote: Clean,
    pub(super) request: Option<String>,
    pub(super) time: i64,
    pub(super) process: u16,
}

/// `Claimed one-time-keys: …`, one key of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ClaimLine {
    /// Whose key.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// `algorithm:id`.
    pub key_id: String,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's beginning.
    pub quote: Clean,
}

/// `One time key … already exists`, as the server printed it.
#[derive(Clone, Debug, PartialEq)]
pub struct ConflictLine {
    /// What the sentence says. A storm repeats one sentence.
    pub conflict: Arc<ke1::Ke1>,
    /// Whether something in the sentence had been closed before the log was given.
    pub altered: bool,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's text.
    pub quote: Arc<Clean>,
    /// When Synapse received the request that was refused, if the access line is there.
    pub start: Option<i64>,
    pub(super) request: Option<String>,
    pub(super) process: u16,
}

/// `Updating device_keys …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeviceKeysUpdate {
    /// Whose.
    pub user_id: String,
    /// Of which device.
    pub device_id: String,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's text.
    pub quote: Clean,
}

/// `Logging in user … on device …`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoginLine {
    /// Who.
    pub user_id: String,
    /// Which device.
    pub device_id: String,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
}

/// `Deleting devices …`, one of them.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DeletedDevice {
    /// Whose.
    pub user_id: String,
    /// Which.
    pub device_id: String,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's text.
    pub quote: Clean,
}

/// A message of `synapse.9533_debug`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ToDeviceLine {
    /// The message's id.
    pub message_id: String,
    /// What became of it.
    pub fate: Fate,
    /// For whom; `None` for what a `/sync` returned, whose line names nobody.
    pub target: Option<(String, String)>,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// The line's beginning.
    pub quote: Clean,
}

/// What became of a to-device message on the server.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fate {
    /// Stored for the device.
    Stored,
    /// Dropped: the server knows no such device.
    Dropped,
    /// Handed out by a `/sync`.
    Returned,
}

/// A process started.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Restart {
    /// Which source.
    pub source: String,
    /// Whether a line says so. Else the count of request ids began anew: the process was started again without such a line,
    /// or a second one writes to the same file.
    pub announced: bool,
    /// When the line was written, in milliseconds since the epoch, by the server's clock.
    pub at: i64,
    /// The line's number.
    pub line: u64,
}

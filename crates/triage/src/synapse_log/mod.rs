//! What a whole log of a homeserver says: about keys, to-device messages, delayed events, the processes that wrote it, and its own
//! coverage. How a line is written is not known here: [`crypto_diag_server_log`] reads lines, and gives events that are the same
//! for every server.

mod building;
mod join;
mod loss;
mod media;
mod process;
mod record;
mod server_log;

pub use crypto_diag_server_log::latency::{ByRoute, Durations};
pub use crypto_diag_server_log::zone::{ZONES_MS, ZoneSource};
pub use crypto_diag_server_log::{
    LogLevel, LogReader, MediaEvent, MediaProgram, MediaSession, OwnId, ReadCounts, Record, Route, canonical_uri,
    delay_id, is_loki_export, parse_line, request_key, txn_id, without_fragment,
};
pub use media::{MediaLine, MediaLog};
pub use process::{Hole, Process, Step, WRITTEN_WITHIN_MS};
pub use record::{
    Access, ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, Fate, LoginLine, Request, Restart, ToDeviceLine,
    Upload, UploadOutcome,
};
pub use server_log::{KEPT_MAX, LogOptions, ServerLog};

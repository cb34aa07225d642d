//! Synapse's log, in the forms in which it is found: plain, with a worker's prefix, JSON, from journald or a container.
//!
//! [`parse_line`] reads one line and allocates only where JSON escapes make it. [`LogReader`] streams a log and keeps
//! tracebacks with their line. [`ServerLog`] is what a whole log says about keys, to-device messages, delayed events, the
//! processes that wrote it, and its own coverage.

mod building;
mod event;
mod join;
mod latency;
mod line;
mod process;
mod reader;
mod record;
mod route;
mod server_log;
mod zone;

pub use event::{AccessLine, Claim, DeviceRef, ErrorLine, LogEvent, ToDevice};
pub use latency::Minute;
pub use line::{Form, LogLevel, LogLine, parse_line};
pub use process::{Hole, Process, Step, WRITTEN_WITHIN_MS};
pub use reader::{CONTINUATION_BYTES_MAX, LINE_BYTES_MAX, LogReader, ReadCounts, Record};
pub use record::{
    Access, ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, Fate, LoginLine, Request, Restart, ToDeviceLine,
    Upload, UploadOutcome,
};
pub use route::{OwnId, Route, canonical_uri, delay_id, request_key, txn_id};
pub use server_log::{KEPT_MAX, LogOptions, ServerLog};
pub use zone::{ZONES_MS, ZoneSource};

//! Synapse's log, in the forms in which it is found: plain, with a worker's prefix, JSON, from journald or a container.
//!
//! [`parse_line`] reads one line and allocates only where JSON escapes make it. [`LogReader`] streams a log and keeps
//! tracebacks with their line. [`ServerLog`] is what a whole log says about keys, to-device messages, delayed events and
//! its own coverage.

mod event;
mod line;
mod reader;
mod server_log;

pub use event::{AccessLine, Claim, DeviceRef, ErrorLine, LogEvent, ToDevice};
pub use line::{Form, LogLevel, LogLine, parse_line};
pub use reader::{CONTINUATION_BYTES_MAX, LINE_BYTES_MAX, LogReader, ReadCounts, Record};
pub use server_log::{
    Access, ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, Fate, KEPT_MAX, LogOptions, LoginLine, Minute,
    Process, Request, Restart, Route, ServerLog, ToDeviceLine, Upload, UploadOutcome, ZoneSource, canonical_uri,
    delay_id, request_key, txn_id,
};

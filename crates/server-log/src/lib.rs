//! Homeservers' logs, in the forms in which they are found: plain, with a worker's prefix, JSON, from journald or a container.
//!
//! [`parse_line`] takes a line's wrappings off and reads its header; [`LogLine::event`] is what it says, as a [`ServerEvent`] that
//! is the same for every server. [`LogReader`] streams a log and keeps tracebacks with their line. How one server writes is known
//! to one module alone, which implements [`ServerLogFormat`].
//!
//! This crate does not know what follows from an event, nor what several lines say together.

mod event;
mod format;
pub mod latency;
mod line;
mod reader;
mod route;
pub mod stamp;
pub mod synapse;
mod wrapping;
pub mod zone;

pub use event::{AccessLine, Claim, Class, DeviceRef, EventKind, RefusedLine, ServerEvent, ToDevice};
pub use format::{FORMATS, ServerLogFormat};
pub use line::{LogLevel, LogLine, parse_line};
pub use reader::{CONTINUATION_BYTES_MAX, LINE_BYTES_MAX, LogReader, ReadCounts, Record};
pub use route::{OwnId, Route, canonical_uri, delay_id, request_key, txn_id, waits_for_news, without_fragment};

//! Homeservers' logs, and those of the media side of their calls, in the forms in which they are found: plain, with a worker's prefix, JSON, from journald or a container.
//!
//! [`parse_line`] takes a line's wrappings off and reads its header; [`LogLine::event`] is what it says, as a [`ServerEvent`] that
//! is the same for every server. [`LogReader`] streams a log and keeps tracebacks with their line. How one server writes is known
//! to one module alone, which implements [`ServerLogFormat`].
//!
//! ```
//! use crypto_diag_server_log::{EventKind, parse_line};
//!
//! let line = br#"w1 | 2026-11-23 08:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 127.0.0.1 - 8008 - {@alice:localhost} Processed request: 0.095sec/0.000sec ru=(0.002sec, 0.000sec) db=(0.001sec/0.004sec/9) 528B 400 "POST /_matrix/client/v3/keys/upload HTTP/1.1" "UA" [0 dbevts]"#;
//! let line = parse_line(line).expect("a line of Synapse's");
//! let EventKind::Access(access) = line.event().kind else { panic!("an access line") };
//! assert_eq!((access.user_id, access.status, access.processing_ms), (Some("@alice:localhost"), 400, 95));
//! ```
//!
//! This crate does not know what follows from an event, nor what several lines say together.

mod conduit;
mod dendrite;
mod escape;
mod event;
mod format;
mod formats;
mod journald;
mod json_time;
mod json_wrapping;
pub mod latency;
mod left_out;
mod level;
mod line;
mod livekit;
mod lk_jwt;
mod loki;
mod media;
mod reader;
mod route;
pub mod stamp;
pub mod synapse;
mod wrapping;
pub mod zone;

pub use escape::Escape;
pub use event::{AccessLine, Claim, Class, DeviceRef, EventKind, RefusedLine, ServerEvent, ToDevice};
pub use format::{LogLine, ServerLogFormat};
pub use formats::{FORMATS, LOST_WORDS, media_words};
pub use left_out::left_out_line;
pub use level::LogLevel;
pub use line::{is_lost, parse_line, source_of};
pub use loki::{is_loki_export, lines_of_export};
pub use media::{MediaEvent, MediaProgram, MediaSession, MediaToken, is_media_hash};
pub use reader::{CONTINUATION_BYTES_MAX, LINE_BYTES_MAX, LogReader, ReadCounts, Record};
pub use route::{OwnId, Route, canonical_uri, delay_id, request_key, txn_id, waits_for_news, without_fragment};
pub use zone::JOURNAL_COMMAND;

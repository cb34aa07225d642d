//! What a failure of Matrix end-to-end encryption looks like on a browser's console, and what is kept of it.
//!
//! This crate is pure: it does no I/O, has no clock (times are passed in), knows nothing of JavaScript, and nothing of
//! what several entries prove together. A host gives lines to a [`Recorder`] and takes a [`Report`] out of it.
//!
//! ```
//! use crypto_diag_core::{Ke, Level, Line, Meaning, Millis, Recorder};
//!
//! let mut recorder = Recorder::new();
//! let line = "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {}";
//! assert!(recorder.record(&Line::new(Millis(1_795_425_887_138), Level::Error, line)));
//! assert_eq!(recorder.counts().total(Ke::Ke1), 1);
//! assert_eq!(recorder.entries()[0].meaning, Meaning::Failure);
//! ```

mod cut;
mod docs;
mod entry;
mod invisible;
mod recorder;
pub mod redact;
mod report;
mod ring;
mod signature;
mod tally;
mod text;

pub use cut::MESSAGE_BYTES_MAX;
pub use docs::signatures_markdown;
pub use entry::{Entry, Ke, Level, Meaning, Millis, Realm, RealmKind, Source};
pub use invisible::{INVISIBLE, is_invisible, showable, visible, visible_line};
pub use recorder::{Line, Recorder};
pub use redact::{Clean, Redacted, redact};
pub use report::{
    CallFact, CallFactKind, CallFacts, CallMembership, CallSession, Capture, CaptureState, Client, Clock, CryptoFacts,
    Database, DeviceKeys, Direction, EarlierPage, Failure, FrameState, FrameWatch, HookState, Host, KnownDevice, Mark,
    MarkKind, MediaKind, MediaStream, PageEvent, Report, Request, RequestRoute, Requests, SCHEMA_NAME, SCHEMA_VERSION,
    SentBatch, SentTarget, ServerMinusPage, Storage, StreamSample, Tool, Unanswered,
};
pub use ring::{BUFFER_BYTES_MAX, ENTRIES_MAX, QUIET_MAX, Ring};
pub use signature::{Ke2Kind, Ke3By, Ke4Kind, Ke4Words, Kind, Match, OlmKind, Rule, SIGNATURES, Signature, classify};
pub use tally::{Counts, Tally, TallyRow, Totals};

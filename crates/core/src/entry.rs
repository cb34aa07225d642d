//! One kept console line, and the words that describe it.

use std::borrow::Cow;
use std::fmt;

use serde::{Deserialize, Serialize};

use crate::redact::Clean;

/// Milliseconds since the Unix epoch, as JavaScript's `Date.now()` gives them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(transparent)]
pub struct Millis(pub u64);

impl Millis {
    /// The last instant that JavaScript's `Date` can hold. What claims to be later is no time.
    pub const LAST: Millis = Millis(8_640_000_000_000_000);

    /// The calendar second that this instant lies in, counted from the epoch.
    pub fn second(self) -> u64 {
        self.0 / 1000
    }
}

/// The console method, as reports name it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Level {
    /// `console.warn`.
    Warn,
    /// `console.error`, an uncaught error or an unhandled rejection.
    Error,
}

/// A family of failures: `docs/runbook.md` says how they hang together.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Ke {
    /// One-time key upload conflict.
    #[serde(rename = "KE-1")]
    Ke1,
    /// Media keys of a call that do not arrive or cannot be opened.
    #[serde(rename = "KE-2")]
    Ke2,
    /// Timeline events that cannot be decrypted.
    #[serde(rename = "KE-3")]
    Ke3,
    /// MatrixRTC delayed events and memberships that time out.
    #[serde(rename = "KE-4")]
    Ke4,
    /// Olm sessions that cannot be made or opened: the middle box of the runbook's causality diagram, between KE-1 and
    /// KE-2.
    #[serde(rename = "OLM")]
    Olm,
}

impl Ke {
    /// Every family, in the order in which reports list them.
    pub const ALL: [Ke; 5] = [Ke::Ke1, Ke::Ke2, Ke::Ke3, Ke::Ke4, Ke::Olm];

    /// The id that reports and the runbook use: `KE-1` and so on, and `OLM`.
    pub fn id(self) -> &'static str {
        match self {
            Ke::Ke1 => "KE-1",
            Ke::Ke2 => "KE-2",
            Ke::Ke3 => "KE-3",
            Ke::Ke4 => "KE-4",
            Ke::Olm => "OLM",
        }
    }
}

impl fmt::Display for Ke {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.id())
    }
}

/// What a matching line says by itself, before it is seen beside others.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Meaning {
    /// Something failed.
    Failure,
    /// Something that also happens in healthy sessions and heals by itself: one retry, one missing key in a rotation.
    Transient,
    /// A media key was delivered and decrypted. The runbook's table counts it as a failure; the SDK prints it in every
    /// healthy call.
    Delivered,
    /// The words of a signature in a line about something else.
    Unrelated,
}

impl Meaning {
    /// Every meaning, in the order in which reports list them.
    pub const ALL: [Meaning; 4] = [Meaning::Failure, Meaning::Transient, Meaning::Delivered, Meaning::Unrelated];

    /// Whether lines of this meaning are the first to give way when the buffer is full.
    pub fn is_quiet(self) -> bool {
        matches!(self, Meaning::Delivered | Meaning::Unrelated)
    }

    /// The word that reports use.
    pub fn word(self) -> &'static str {
        match self {
            Meaning::Failure => "failure",
            Meaning::Transient => "transient",
            Meaning::Delivered => "delivered",
            Meaning::Unrelated => "unrelated",
        }
    }
}

/// The kind of JavaScript global that a line was written in.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum RealmKind {
    /// The window that installed the capture.
    #[default]
    Main,
    /// A same-origin document inside it, such as the Element Call frame.
    Frame,
    /// A worker that runs `installInWorker`.
    Worker,
}

/// Where a line was written.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Realm {
    /// The kind of global.
    pub kind: RealmKind,
    /// The document's or script's path, without origin, query and fragment; null for the main window.
    pub path: Option<Clean>,
}

/// How a line came to be known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "lowercase")]
pub enum Source {
    /// A console method was called.
    #[default]
    Console,
    /// The browser reported an uncaught error or an unhandled rejection.
    Uncaught,
}

/// One kept line. The first five fields are those that the runbook names (`docs/runbook.md`); the rest are additions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Entry {
    /// When the line was written, in milliseconds since the epoch.
    pub ts: Millis,
    /// `warn` or `error`.
    pub level: Level,
    /// The family that the signature stands for.
    pub ke: Ke,
    /// The needle that matched.
    pub signature: Cow<'static, str>,
    /// The line as it was written, but for what could be a secret, which is closed (`[closed base64 43 #k3f9]`), and a
    /// gap where it was too long.
    pub message: Clean,
    /// What the match says by itself.
    pub meaning: Meaning,
    /// Where the line was written.
    #[serde(default)]
    pub realm: Realm,
    /// How the line came to be known.
    #[serde(default)]
    pub source: Source,
    /// The stack of the first Error among the arguments, bounded and without secrets; null if there was none.
    #[serde(default)]
    pub stack: Option<Clean>,
    /// How many stretches were closed in `message` and `stack`.
    #[serde(default)]
    pub redactions: u32,
    /// The line's length in UTF-16 code units, if `message` holds only part of it; else null.
    #[serde(default)]
    pub truncated_from: Option<u64>,
}

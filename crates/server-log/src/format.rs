//! How one server writes its log: a line of it, and the one trait that a server's module implements.

use std::borrow::Cow;
use std::fmt;

use crate::event::{Class, EventKind, ServerEvent};
use crate::level::LogLevel;
use crate::stamp::Stamp;
use crate::zone;

/// What a pager (`less -S`) and `journalctl` put at the end of a line that is wider than the terminal.
pub(crate) const CUT_MARKS: [char; 2] = ['>', '…'];

/// A server's log. A new one is a module that implements this, and its row in [`FORMATS`].
pub trait ServerLogFormat: Sync {
    /// The server's name, as sentences have it.
    fn name(&self) -> &'static str;

    /// Reads a line whose wrappings are off; `None` if it begins no line of this server's log. It is asked for every line of
    /// every log, so it shall say no by the first bytes.
    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>>;

    /// What a line of this server's says.
    fn event<'a>(&self, line: &'a LogLine<'_>) -> EventKind<'a>;

    /// The class of a line, where that is cheaper to tell than what it says.
    fn class(&self, line: &LogLine<'_>) -> Class {
        self.event(line).class()
    }
}

impl fmt::Debug for dyn ServerLogFormat {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

impl PartialEq for dyn ServerLogFormat {
    fn eq(&self, other: &Self) -> bool {
        self.name() == other.name()
    }
}

/// Milliseconds that pass at most between the time that a server prints and the one that a container runtime or journald adds.
const WRAPPED_WITHIN_MS: i64 = 60_000;

/// A line of a homeserver's log.
#[derive(Clone, Debug, PartialEq)]
pub struct LogLine<'a> {
    /// When it was written: the server's own time where it prints one, else the wrapping's.
    pub time: Option<Stamp>,
    /// The worker's prefix, the container's or the unit's name with its process: what tells two processes in one file
    /// apart.
    pub source: Option<Cow<'a, str>>,
    /// The logger, such as `synapse.handlers.e2e_keys`.
    pub logger: Cow<'a, str>,
    /// The level.
    pub level: LogLevel,
    /// The request's id, such as `POST-48`, or a background task's; `None` where the form has none.
    pub request: Option<Cow<'a, str>>,
    /// The message. Bytes that are not UTF-8 are replaced.
    pub message: Cow<'a, str>,
    /// Which server writes so.
    pub format: &'static dyn ServerLogFormat,
}

impl<'a> LogLine<'a> {
    /// A line of which nothing is known but its text.
    pub(crate) fn without_header(line: &'a [u8], format: &'static dyn ServerLogFormat) -> LogLine<'a> {
        LogLine {
            time: None,
            source: None,
            logger: Cow::Borrowed(""),
            level: LogLevel::Unknown,
            request: None,
            message: text(line),
            format,
        }
    }

    /// The line with what a wrapping says of it.
    ///
    /// A time of the server's own is the more exact one, since whatever wraps a line gets it later. Where it does not say its
    /// zone or its date and the wrapping does, the two tell them together.
    pub(crate) fn within(mut self, time: Option<Stamp>, source: Option<Cow<'a, str>>) -> LogLine<'a> {
        self.source = self.source.or(source);
        self.time = match (self.time, time) {
            (Some(own), Some(outer)) if !own.has_zone && outer.has_zone => {
                let own = own.near(outer.ms);
                match zone::zone_within(own.ms - outer.ms, WRAPPED_WITHIN_MS) {
                    Some(zone) => Some(Stamp::exact(own.ms - zone)),
                    // A date that was the wrapping's is no longer the line's own.
                    None => self.time,
                }
            }
            (own, outer) => own.or(outer),
        };
        self
    }

    /// What the line says.
    pub fn event(&self) -> ServerEvent<'_> {
        ServerEvent {
            at: self.time,
            source: self.source.as_deref(),
            level: self.level,
            request: self.request.as_deref(),
            text: &self.message,
            kind: self.format.event(self),
        }
    }

    /// The class of the line, which is cheaper to tell than what it says.
    pub fn class(&self) -> Class {
        self.format.class(self)
    }

    pub(crate) fn into_owned(self) -> LogLine<'static> {
        let own = |text: Cow<'_, str>| Cow::Owned(text.into_owned());
        LogLine {
            time: self.time,
            source: self.source.map(own),
            logger: own(self.logger),
            level: self.level,
            request: self.request.map(own),
            message: own(self.message),
            format: self.format,
        }
    }
}

pub(crate) fn text(bytes: &[u8]) -> Cow<'_, str> {
    String::from_utf8_lossy(bytes)
}

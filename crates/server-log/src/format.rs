//! How one server writes its log: the one trait that a server's module implements.

use std::fmt;

use crate::conduit::Conduit;
use crate::dendrite::Dendrite;
use crate::event::{Class, EventKind};
use crate::journald::Blob;
use crate::line::LogLine;
use crate::livekit::LiveKit;
use crate::lk_jwt::LkJwt;
use crate::synapse::Synapse;

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

/// The programs whose logs are read, the likeliest first: homeservers, and the media side of calls.
pub static FORMATS: [&dyn ServerLogFormat; 6] = [&Synapse, &Dendrite, &Conduit, &LiveKit, &LkJwt, &Blob];

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

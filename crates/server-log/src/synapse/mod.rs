//! Synapse's log: the forms of its lines, and what they say.

mod access;
mod header;
mod json;
mod ledger;
pub mod levels;
mod message;
mod to_device;

pub use access::{ACCESS_WORDS, seconds};
pub use header::{Header, has_plain_time, header, request};
pub use ledger::LEDGER_WORDS;
pub use message::{REPLICATION_PATH, REPLICATION_WORDS, START_WORDS, class};

use crate::event::{Class, EventKind};
use crate::format::{LogLine, ServerLogFormat};

/// Synapse's log.
#[derive(Clone, Copy, Debug)]
pub struct Synapse;

impl ServerLogFormat for Synapse {
    fn name(&self) -> &'static str {
        "Synapse"
    }

    fn line<'a>(&'static self, line: &'a [u8]) -> Option<LogLine<'a>> {
        if line.first() == Some(&b'{') {
            return json::line(line, self);
        }
        let other = || header::timeless(line).or_else(|| header::journal(line)).or_else(|| header::unconfigured(line));
        header(line).or_else(other).map(|header| header.into_line(self))
    }

    fn event<'a>(&self, line: &'a LogLine<'_>) -> EventKind<'a> {
        message::event(&line.logger, &line.message)
    }

    fn class(&self, line: &LogLine<'_>) -> Class {
        class(line.logger.as_bytes(), line.message.as_bytes())
    }
}

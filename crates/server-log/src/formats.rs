//! The programs whose logs are read.

use crate::conduit::Conduit;
use crate::dendrite::Dendrite;
use crate::format::{LogLine, ServerLogFormat};
use crate::journald::{BLOB_WORDS, Blob, NULL_WORDS};
use crate::left_out::{LEFT_OUT_WORDS, LeftOut};
use crate::livekit::{self, LiveKit};
use crate::lk_jwt::{self, LkJwt};
use crate::synapse::Synapse;

/// The programs whose logs are read, the likeliest first: homeservers, and the media side of calls.
pub static FORMATS: [&dyn ServerLogFormat; 7] = [&Synapse, &Dendrite, &Conduit, &LiveKit, &LkJwt, &Blob, &LeftOut];

/// Reads a line that is wrapped in nothing.
pub(crate) fn bare(line: &[u8]) -> Option<LogLine<'_>> {
    FORMATS.iter().find_map(|format| format.line(line))
}

/// Words of which each useful line of the media side holds one, whichever program wrote it. Other lines may hold them, too.
pub fn media_words() -> impl Iterator<Item = &'static str> {
    livekit::WORDS.into_iter().chain(lk_jwt::WORDS)
}

/// Words in the lines that stand in place of others which are not shown, whoever left those out. Other lines may hold them, too.
pub const LOST_WORDS: [&str; 3] = [BLOB_WORDS, LEFT_OUT_WORDS, NULL_WORDS];

//! Takes lines and keeps entries. This is the only state of the crate that changes.

use std::borrow::Cow;

use crate::cut::{MESSAGE_BYTES_MAX, cut};
use crate::entry::{Entry, Level, Millis, Realm, Source};
use crate::redact::{Clean, redact, redact_pieces};
use crate::ring::Ring;
use crate::signature::look_up;
use crate::tally::Counts;
use crate::text::{find, joined};

/// Bytes of a kept stack at most.
const STACK_BYTES_MAX: usize = 4 * 1024;

/// One console line, as a host saw it.
#[derive(Clone, Debug)]
pub struct Line<'a> {
    /// When it was written.
    pub ts: Millis,
    /// By which method.
    pub level: Level,
    /// Its text; of a very long line only the first part.
    pub text: &'a str,
    /// The last part of a line so long that its middle was not looked at.
    pub tail: Option<&'a str>,
    /// The whole line's length in UTF-16 code units, if `tail` is there.
    pub length: u64,
    /// Where it was written.
    pub realm: Realm,
    /// How it came to be known.
    pub source: Source,
    /// The stack of the first Error among the arguments.
    pub stack: Option<&'a str>,
}

impl<'a> Line<'a> {
    /// A line of the main window's console.
    pub fn new(ts: Millis, level: Level, text: &'a str) -> Self {
        Line { ts, level, text, tail: None, length: 0, realm: Realm::default(), source: Source::Console, stack: None }
    }
}

/// Classifies lines, keeps the entries and counts them.
#[derive(Clone, Debug, Default)]
pub struct Recorder {
    ring: Ring,
    counts: Counts,
    matched: u64,
    truncated: u64,
    redactions: u64,
    partly_scanned: u64,
}

impl Recorder {
    /// A recorder that has seen nothing.
    pub const fn new() -> Self {
        Recorder {
            ring: Ring::new(),
            counts: Counts::new(),
            matched: 0,
            truncated: 0,
            redactions: 0,
            partly_scanned: 0,
        }
    }

    /// Looks at a line and keeps it if a signature stands in it. Says whether one does.
    pub fn record(&mut self, line: &Line<'_>) -> bool {
        let whole = line.tail.map_or(Cow::Borrowed(line.text), |tail| Cow::Owned(joined(&[line.text, " ", tail])));
        let Some(found) = look_up(&whole) else { return false };
        let (text, mut redactions) = match line.tail {
            None => {
                let redacted = redact(line.text);
                (Clean::made(&redacted), redacted.count)
            }
            Some(tail) => {
                let seen = line.text.encode_utf16().count() + tail.encode_utf16().count();
                let (text, count) = redact_pieces(line.text, tail, (line.length as usize).saturating_sub(seen));
                self.partly_scanned += 1;
                (text, count)
            }
        };
        // If redaction moved or removed the needle, keep the beginning of the message.
        let is_cut = line.tail.is_some() || text.len() > MESSAGE_BYTES_MAX;
        let message = text.cut(|text| cut(text, find(text, found.needle).unwrap_or(0)));
        let stack = line.stack.map(|stack| {
            let stack = redact(stack);
            redactions += stack.count;
            let mut clean = Clean::made(&stack);
            clean.truncate(STACK_BYTES_MAX);
            clean
        });
        self.matched += 1;
        self.truncated += u64::from(is_cut);
        self.redactions += u64::from(redactions);
        self.counts.add(found.ke, found.meaning, line.ts);
        let whole_length = || if line.tail.is_some() { line.length } else { line.text.encode_utf16().count() as u64 };
        let entry = Entry {
            ts: line.ts,
            level: line.level,
            ke: found.ke,
            signature: Cow::Borrowed(found.needle),
            meaning: found.meaning,
            realm: line.realm.clone(),
            source: line.source,
            stack,
            redactions,
            truncated_from: is_cut.then(whole_length),
            message,
        };
        let json = serde_json::to_string(&entry).unwrap_or_default();
        self.ring.push(found.ke, found.meaning, &entry.message, json.into_boxed_str());
        true
    }

    /// The kept entries, most recent last, each with its id and as a JSON text. They are kept in this form so that
    /// a host whose instance has died can still read them out of its memory.
    pub fn entry_texts(&self) -> impl ExactSizeIterator<Item = (u32, &str)> {
        self.ring.iter()
    }

    /// The kept entries, most recent last.
    pub fn entries(&self) -> Vec<Entry> {
        self.entry_texts().filter_map(|(_, text)| serde_json::from_str(text).ok()).collect()
    }

    /// The counts of everything that ever matched.
    pub fn counts(&self) -> &Counts {
        &self.counts
    }

    /// Lines that matched.
    pub fn matched(&self) -> u64 {
        self.matched
    }

    /// Entries that the buffer has evicted.
    pub fn evicted(&self) -> u64 {
        self.ring.evicted()
    }

    /// Messages that were cut.
    pub fn truncated(&self) -> u64 {
        self.truncated
    }

    /// Stretches that were closed.
    pub fn redactions(&self) -> u64 {
        self.redactions
    }

    /// Lines so long that their middle was not looked at.
    pub fn partly_scanned(&self) -> u64 {
        self.partly_scanned
    }

    /// Forgets entries and counts, as at the start.
    pub fn clear(&mut self) {
        *self = Recorder::new();
    }
}

//! The bounded buffer, and who gives way when it is full.

use std::collections::VecDeque;

use crate::entry::{Ke, Meaning};

/// Entries kept at most (runbook §5).
pub const ENTRIES_MAX: usize = 200;

/// Bytes kept at most, all entries together. A storm of the longest messages would otherwise hold 3 MiB of a phone.
pub const BUFFER_BYTES_MAX: usize = 1 << 20;

/// Once quiet entries (healthy or unrelated lines) are more than this, they give way before any other.
pub const QUIET_MAX: usize = 40;

const CLASSES: usize = Ke::ALL.len() * Meaning::ALL.len();

#[derive(Clone, Debug)]
struct Kept {
    id: u32,
    class: u8,
    quiet: bool,
    /// Of the message, so that "word for word the same" costs a comparison of numbers.
    hash: u64,
    /// Whether a later entry has the same message.
    repeated: bool,
    text: Box<str>,
}

/// Kept texts, most recent last, bounded in number and bytes.
///
/// When it is full, quiet classes give up first once they hold more than [`QUIET_MAX`]; else the class that holds the
/// most does. Within the class an entry that a later one repeats goes before one that is unique, then the oldest. With
/// one class and distinct messages this is a plain ring.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    kept: VecDeque<Kept>,
    bytes: usize,
    evicted: u64,
    next_id: u32,
}

impl Ring {
    /// An empty buffer that will not grow its own storage.
    pub fn new() -> Self {
        Ring { kept: VecDeque::with_capacity(ENTRIES_MAX + 1), bytes: 0, evicted: 0, next_id: 1 }
    }

    /// Keeps a text. `message` decides what counts as the same; `text` is what is kept and counted in bytes.
    pub fn push(&mut self, ke: Ke, meaning: Meaning, message: &str, text: Box<str>) {
        let hash = fnv1a(message.as_bytes());
        for earlier in self.kept.iter_mut().filter(|earlier| earlier.hash == hash) {
            earlier.repeated = true;
        }
        self.bytes += text.len();
        self.kept.push_back(Kept {
            id: self.next_id,
            class: (ke as usize * Meaning::ALL.len() + meaning as usize) as u8,
            quiet: meaning.is_quiet(),
            hash,
            repeated: false,
            text,
        });
        self.next_id = self.next_id.wrapping_add(1);
        while self.kept.len() > ENTRIES_MAX || (self.bytes > BUFFER_BYTES_MAX && self.kept.len() > 1) {
            self.evict();
        }
    }

    /// The kept texts with their ids, most recent last. An id counts up from 1 and never changes while its text is kept.
    pub fn iter(&self) -> impl ExactSizeIterator<Item = (u32, &str)> {
        self.kept.iter().map(|kept| (kept.id, &*kept.text))
    }

    /// Entries kept.
    pub fn len(&self) -> usize {
        self.kept.len()
    }

    /// Whether nothing is kept.
    pub fn is_empty(&self) -> bool {
        self.kept.is_empty()
    }

    /// Entries given up since the beginning.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.bytes = 0;
    }

    fn evict(&mut self) {
        let mut sizes = [0usize; CLASSES];
        let mut quiet = 0;
        for kept in &self.kept {
            sizes[usize::from(kept.class)] += 1;
            quiet += usize::from(kept.quiet);
        }
        let only_quiet = quiet > QUIET_MAX;
        // Of two classes that hold the same, the one whose turn is longest due: the one with the older entry.
        let mut largest: Option<&Kept> = None;
        for kept in self.kept.iter().filter(|kept| kept.quiet || !only_quiet) {
            let size = sizes[usize::from(kept.class)];
            if largest.is_none_or(|other| size > sizes[usize::from(other.class)]) {
                largest = Some(kept);
            }
        }
        let Some(class) = largest.map(|kept| kept.class) else { return };
        let of_class = |kept: &Kept| kept.class == class;
        let victim = self.kept.iter().position(|kept| of_class(kept) && kept.repeated);
        if let Some(gone) = victim.or_else(|| self.kept.iter().position(of_class)).and_then(|at| self.kept.remove(at)) {
            self.bytes -= gone.text.len();
            self.evicted += 1;
        }
    }
}

/// The 64-bit FNV-1a hash: short, and good enough to tell 200 texts apart.
fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3))
}

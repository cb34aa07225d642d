//! The bounded buffer of kept lines, and which entry is evicted when it is full.

use crate::entry::{Ke, Meaning};

/// Entries kept at most (the number is the runbook's, `docs/runbook.md`).
pub const ENTRIES_MAX: usize = 200;

/// Bytes of all entries together at most. Without it, a storm of the longest messages would hold 3 MiB, much for a phone.
pub const BUFFER_BYTES_MAX: usize = 1 << 20;

/// If there are more quiet entries (healthy or unrelated lines) than this, they are evicted first.
pub const QUIET_MAX: usize = 40;

const CLASSES: usize = Ke::ALL.len() * Meaning::ALL.len();

#[derive(Clone, Debug)]
struct Kept {
    id: u32,
    class: u8,
    quiet: bool,
    /// Hash of the message, so that equal messages are found by comparing numbers.
    hash: u64,
    /// Whether a later entry has the same message.
    repeated: bool,
    text: Box<str>,
}

/// Kept texts, most recent last, bounded in number and bytes.
///
/// When it is full, an entry of a quiet class is evicted if these hold more than [`QUIET_MAX`], else one of the largest
/// class. Within the class, entries whose message a later entry repeats are evicted before unique ones, and older ones
/// before newer ones. With one class and distinct messages this is a plain ring.
#[derive(Clone, Debug, Default)]
pub struct Ring {
    kept: Vec<Kept>,
    /// Entries of each class, and how many of them a later entry repeats. Updated with each entry: in a storm every new line
    /// evicts one, and counting anew each time would be too slow.
    sizes: [u16; CLASSES],
    repeated: [u16; CLASSES],
    bytes: usize,
    evicted: u64,
    next_id: u32,
}

impl Ring {
    /// An empty buffer.
    pub const fn new() -> Self {
        Ring { kept: Vec::new(), sizes: [0; CLASSES], repeated: [0; CLASSES], bytes: 0, evicted: 0, next_id: 1 }
    }

    /// Keeps a text. `message` decides what counts as the same; `text` is what is kept and counted in bytes.
    pub fn push(&mut self, ke: Ke, meaning: Meaning, message: &str, text: Box<str>) {
        let hash = hash(message.as_bytes());
        for earlier in self.kept.iter_mut().filter(|earlier| earlier.hash == hash && !earlier.repeated) {
            earlier.repeated = true;
            self.repeated[usize::from(earlier.class)] += 1;
        }
        let class = ke as usize * Meaning::ALL.len() + meaning as usize;
        self.bytes += text.len();
        self.sizes[class] += 1;
        self.kept.push(Kept {
            id: self.next_id,
            class: class as u8,
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

    /// Entries evicted since the beginning.
    pub fn evicted(&self) -> u64 {
        self.evicted
    }

    /// Forgets all entries.
    pub fn clear(&mut self) {
        self.kept.clear();
        self.sizes = [0; CLASSES];
        self.repeated = [0; CLASSES];
        self.bytes = 0;
    }

    fn evict(&mut self) {
        let is_quiet = |class: usize| Meaning::ALL[class % Meaning::ALL.len()].is_quiet();
        let size_if = |class: usize, counts: bool| if counts { self.sizes[class] } else { 0 };
        let quiet: u16 = (0..CLASSES).map(|class| size_if(class, is_quiet(class))).sum();
        let only_quiet = usize::from(quiet) > QUIET_MAX;
        let largest = (0..CLASSES).map(|class| size_if(class, is_quiet(class) || !only_quiet)).max();
        // If two classes are equally large, take the one with the older entry.
        let gives = |kept: &&Kept| (kept.quiet || !only_quiet) && Some(self.sizes[usize::from(kept.class)]) == largest;
        let Some(class) = self.kept.iter().find(gives).map(|kept| kept.class) else { return };
        let needs_repeated = self.repeated[usize::from(class)] > 0;
        let victim = self.kept.iter().position(|kept| kept.class == class && (kept.repeated || !needs_repeated));
        if let Some(victim) = victim {
            let gone = self.kept.remove(victim);
            self.sizes[usize::from(class)] -= 1;
            self.repeated[usize::from(class)] -= u16::from(gone.repeated);
            self.bytes -= gone.text.len();
            self.evicted += 1;
        }
    }
}

/// A 64-bit hash in the manner of FNV-1a, eight bytes at a time: short, and good enough to tell 200 texts apart.
fn hash(bytes: &[u8]) -> u64 {
    let mix = |hash: u64, word: u64| (hash ^ word).wrapping_mul(0x9e37_79b9_7f4a_7c15).rotate_left(29);
    let mut words = bytes.chunks_exact(8);
    let start = mix(0xcbf2_9ce4_8422_2325, bytes.len() as u64);
    let whole = words.by_ref().fold(start, |hash, word| {
        // Eight bytes each, as `chunks_exact` gives them.
        mix(hash, word.iter().fold(0, |number, byte| number << 8 | u64::from(*byte)))
    });
    words.remainder().iter().fold(whole, |hash, byte| mix(hash, u64::from(*byte)))
}

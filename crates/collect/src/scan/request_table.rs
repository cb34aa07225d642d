//! Which lines of a block belong to which request.

use crate::line_header as header;

/// No entry.
const NONE: u32 = u32::MAX;

/// The lines of a block that have a request id, found by it.
#[derive(Debug, Default)]
pub(crate) struct Index {
    entries: Vec<Entry>,
    /// The last entry of each bucket.
    buckets: Vec<u32>,
}

#[derive(Clone, Copy, Debug)]
struct Entry {
    request: u64,
    /// Where the line begins.
    start: u32,
    /// The entry before it in its bucket.
    before: u32,
}

impl Index {
    /// Indexes the heads of a block that begins at a place of its text.
    pub fn of(data: &[u8], begin: usize) -> Index {
        let mut entries: Vec<Entry> = Vec::with_capacity(data.len() / 200);
        let mut start = begin;
        while start < data.len() {
            let end = memchr::memchr(b'\n', &data[start..]).map_or(data.len(), |at| start + at + 1);
            if let Some(request) = header::request(&data[start..end]) {
                entries.push(Entry { request, start: start as u32, before: NONE });
            }
            start = end;
        }
        let mut buckets = vec![NONE; entries.len().next_power_of_two().max(16)];
        let mask = buckets.len() - 1;
        for (index, entry) in entries.iter_mut().enumerate() {
            let bucket = &mut buckets[entry.request as usize & mask];
            entry.before = *bucket;
            *bucket = index as u32;
        }
        Index { entries, buckets }
    }

    /// Where the lines of a request begin, the last one first.
    pub fn of_request(&self, request: u64) -> impl Iterator<Item = usize> + '_ {
        let mask = self.buckets.len().wrapping_sub(1);
        let mut next = self.buckets.get(request as usize & mask).copied().unwrap_or(NONE);
        std::iter::from_fn(move || {
            while let Some(entry) = self.entries.get(next as usize) {
                next = entry.before;
                if entry.request == request {
                    return Some(entry.start as usize);
                }
            }
            None
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_found_by_their_request_the_last_one_first() {
        let mut text = String::new();
        let mut starts: Vec<Vec<usize>> = vec![Vec::new(); 100];
        for n in 0..1000 {
            starts[n * 7 % 100].insert(0, text.len());
            text.push_str(&format!("2026-11-23 08:36:03,872 - a.b - 1 - INFO - GET-{} - x\nTraceback\n", n * 7 % 100));
        }
        let index = Index::of(text.as_bytes(), 0);
        for (n, starts) in starts.iter().enumerate() {
            let line = format!("2026-11-23 08:36:03,872 - a.b - 1 - INFO - GET-{n} - x");
            let request = header::request(line.as_bytes()).unwrap();
            assert_eq!(&index.of_request(request).collect::<Vec<_>>(), starts);
        }
        assert_eq!(index.of_request(1).count(), 0);
        assert_eq!(Index::of(b"", 0).of_request(1).count(), 0);
    }
}

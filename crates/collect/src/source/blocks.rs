//! Blocks of whole lines out of a log, for several threads at once.

use std::fs::File;
use std::io::{self, Read};
use std::ops::Range;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// Bytes of a block of a file: large enough that the work at its edges does not matter, small enough for a processor core's cache.
pub const BLOCK_BYTES: usize = 256 << 10;

/// Bytes read of one line at most. Triage reads 256 KiB of a line.
pub const LINE_BYTES_MAX: usize = 1 << 20;

/// Bytes read at a time to find the end of a block's last line.
const TAIL_BYTES: usize = 4 << 10;

/// A block of whole lines.
#[derive(Debug)]
pub(crate) struct Raw {
    /// Counted from 0, without gaps.
    pub number: u64,
    /// Whole lines from `begin` on, each with its line break but for the last of a file.
    pub data: Vec<u8>,
    /// Bytes at the beginning of the buffer that belong to the previous block.
    pub begin: usize,
    /// Bytes that were read.
    pub read: u64,
    /// Where the block can be read once more.
    pub again: Option<Arc<FileBlocks>>,
}

/// Where blocks come from.
#[derive(Debug)]
pub(crate) enum Blocks<R> {
    /// A plain file: every thread reads its own blocks.
    File(Arc<FileBlocks>),
    /// A stream: one thread reads at a time.
    Stream(Mutex<StreamBlocks<R>>),
}

impl<R: Read> Blocks<R> {
    /// The lines of a file that begin in a range of its bytes, whose begin is that of a line.
    pub fn of_file(file: File, range: Range<u64>, block: usize) -> Self {
        let (next, cut, ended) = (AtomicU64::new(0), AtomicU64::new(0), AtomicU64::new(range.end));
        Blocks::File(Arc::new(FileBlocks { file, range, block, next, cut, ended }))
    }

    /// The lines of a stream, which gives its bytes once.
    pub fn of_stream(input: R, block: usize) -> Self {
        Blocks::Stream(Mutex::new(StreamBlocks {
            input,
            block,
            carry: Vec::new(),
            number: 0,
            skipping: false,
            ended: false,
            cut: 0,
            bytes: 0,
            broke: None,
        }))
    }

    /// Bytes that a buffer needs for most blocks.
    pub fn buffer_bytes(&self) -> usize {
        match self {
            Blocks::File(file) => file.buffer_bytes(),
            Blocks::Stream(stream) => locked(stream).block,
        }
    }

    /// The next block, in that buffer; `None` at the end.
    pub fn next(&self, buffer: Vec<u8>) -> io::Result<Option<Raw>> {
        match self {
            Blocks::File(file) => {
                let number = file.next.fetch_add(1, Ordering::Relaxed);
                let Some((raw, cut)) = file.read(number, buffer)? else { return Ok(None) };
                file.cut.fetch_add(u64::from(cut), Ordering::Relaxed);
                Ok(Some(Raw { again: Some(file.clone()), ..raw }))
            }
            Blocks::Stream(stream) => locked(stream).next(buffer),
        }
    }

    /// Lines that were too long and are cut.
    pub fn cut(&self) -> u64 {
        match self {
            Blocks::File(file) => file.cut.load(Ordering::Relaxed),
            Blocks::Stream(stream) => locked(stream).cut,
        }
    }

    /// Bytes that were there, unpacked, and what ended a stream before its end.
    pub fn end(&self) -> (u64, Option<String>) {
        match self {
            Blocks::File(file) => {
                let ended = file.ended.load(Ordering::Relaxed);
                let became_shorter = (ended < file.range.end).then(|| "it became shorter while it was read".to_owned());
                (ended, became_shorter)
            }
            Blocks::Stream(stream) => {
                let stream = locked(stream);
                (stream.bytes, stream.broke.as_ref().map(io::Error::to_string))
            }
        }
    }
}

#[derive(Debug)]
pub(crate) struct FileBlocks {
    file: File,
    range: Range<u64>,
    block: usize,
    next: AtomicU64,
    cut: AtomicU64,
    ended: AtomicU64,
}

fn locked<R>(stream: &Mutex<StreamBlocks<R>>) -> MutexGuard<'_, StreamBlocks<R>> {
    stream.lock().unwrap_or_else(PoisonError::into_inner)
}

impl FileBlocks {
    /// Reads a block once more; `None` if it is no longer there.
    pub fn again(&self, number: u64) -> io::Result<Option<Raw>> {
        let block = self.read(number, Vec::with_capacity(self.buffer_bytes()))?;
        Ok(block.map(|(raw, _)| raw))
    }

    fn buffer_bytes(&self) -> usize {
        self.block + 2 * TAIL_BYTES
    }

    /// A block, and whether its last line was too long.
    fn read(&self, number: u64, mut data: Vec<u8>) -> io::Result<Option<(Raw, bool)>> {
        let from = self.range.start + number * self.block as u64;
        if from >= self.range.end {
            return Ok(None);
        }
        let to = (from + self.block as u64).min(self.range.end);
        data.resize((to - from) as usize, 0);
        let length = read_at(&self.file, &mut data, from)?;
        data.truncate(length);
        if from + (length as u64) < to {
            self.ended.fetch_min(from + length as u64, Ordering::Relaxed);
            // The file ends here.
            if length == 0 {
                return Ok(None);
            }
        }
        // A line belongs to the block that contains the line break before it, and that block reads it to its end.
        let first = if from == self.range.start { Some(0) } else { memchr::memchr(b'\n', &data).map(|at| at + 1) };
        let begin = first.unwrap_or(data.len());
        let cut = first.is_some() && to < self.range.end && self.read_tail(&mut data, to)?;
        Ok(Some((Raw { number, data, begin, read: to - from, again: None }, cut)))
    }

    /// Reads the rest of the last line; tells whether it was too long.
    fn read_tail(&self, data: &mut Vec<u8>, mut at: u64) -> io::Result<bool> {
        let start = memchr::memrchr(b'\n', data).map_or(0, |at| at + 1);
        loop {
            let old = data.len();
            data.resize(old + TAIL_BYTES, 0);
            let length = read_at(&self.file, &mut data[old..], at)?;
            data.truncate(old + length);
            at += length as u64;
            if let Some(end) = memchr::memchr(b'\n', &data[old..]) {
                data.truncate(old + end + 1);
                return Ok(false);
            }
            if data.len() - start >= LINE_BYTES_MAX {
                data.truncate(start + LINE_BYTES_MAX);
                data.push(b'\n');
                return Ok(true);
            }
            if length == 0 {
                return Ok(false);
            }
        }
    }
}

/// Reads what is there at a place, without moving a cursor that threads share.
#[cfg(unix)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::unix::fs::FileExt;
    fill(buffer, |part, done| file.read_at(part, at + done))
}

/// Reads what is there at a place, without moving a cursor that threads share.
#[cfg(windows)]
pub(crate) fn read_at(file: &File, buffer: &mut [u8], at: u64) -> io::Result<usize> {
    use std::os::windows::fs::FileExt;
    fill(buffer, |part, done| file.seek_read(part, at + done))
}

#[derive(Debug)]
pub(crate) struct StreamBlocks<R> {
    input: R,
    block: usize,
    /// The beginning of the next block.
    carry: Vec<u8>,
    number: u64,
    /// Whether the next bytes are the rest of a line that was too long.
    skipping: bool,
    ended: bool,
    cut: u64,
    bytes: u64,
    /// A stream that breaks is treated as ended; what came before is used.
    broke: Option<io::Error>,
}

impl<R: Read> StreamBlocks<R> {
    fn next(&mut self, mut data: Vec<u8>) -> io::Result<Option<Raw>> {
        let before = self.bytes;
        data.clear();
        data.append(&mut self.carry);
        // The buffer grows beyond this only if a line is longer.
        let mut full = self.block;
        while !self.ended && data.len() < full {
            let old = data.len();
            data.resize(full, 0);
            let length = self.read(&mut data[old..]);
            data.truncate(old + length);
            self.bytes += length as u64;
            if self.skipping {
                let rest = memchr::memchr(b'\n', &data[old..]);
                data.drain(old..rest.map_or(data.len(), |at| old + at + 1));
                self.skipping = rest.is_none();
            }
            if data.len() == full && full < LINE_BYTES_MAX && memchr::memchr(b'\n', &data).is_none() {
                full = (full + self.block).min(LINE_BYTES_MAX);
            }
        }
        if data.is_empty() && self.ended {
            return Ok(None);
        }
        if !self.ended {
            match memchr::memrchr(b'\n', &data) {
                Some(end) => {
                    self.carry.extend_from_slice(&data[end + 1..]);
                    data.truncate(end + 1);
                }
                // The line has reached the longest length that is read.
                None => {
                    data.push(b'\n');
                    self.skipping = true;
                    self.cut += 1;
                }
            }
        }
        let number = self.number;
        self.number += 1;
        Ok(Some(Raw { number, data, begin: 0, read: self.bytes - before, again: None }))
    }

    fn read(&mut self, buffer: &mut [u8]) -> usize {
        loop {
            match self.input.read(buffer) {
                Ok(0) => {
                    self.ended = true;
                    return 0;
                }
                Ok(length) => return length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.broke = Some(error);
                    self.ended = true;
                    return 0;
                }
            }
        }
    }
}

/// Reads until the buffer is full or nothing is left.
fn fill(buffer: &mut [u8], mut read: impl FnMut(&mut [u8], u64) -> io::Result<usize>) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match read(&mut buffer[done..], done as u64) {
            Ok(0) => break,
            Ok(length) => done += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn all<R: Read>(feed: &Blocks<R>) -> Vec<u8> {
        let mut text = Vec::new();
        let mut number = 0;
        while let Some(raw) = feed.next(Vec::new()).unwrap() {
            assert_eq!(raw.number, number);
            let own = &raw.data[raw.begin..];
            assert!(own.is_empty() || own.last() == Some(&b'\n') || own.len() <= LINE_BYTES_MAX);
            text.extend_from_slice(own);
            number += 1;
        }
        text
    }

    #[test]
    fn of_a_range_those_lines_are_there_that_begin_in_it() {
        let mut file = tempfile::tempfile().unwrap();
        let lines: Vec<String> = (0..100).map(|n| format!("line {n} {}\n", "x".repeat(n))).collect();
        file.write_all(lines.concat().as_bytes()).unwrap();
        let place = |line: usize| lines[..line].concat().len() as u64;
        let blocks: Blocks<&[u8]> = Blocks::of_file(file, place(10)..place(60) - 20, 64);
        assert_eq!(String::from_utf8(all(&blocks)).unwrap(), lines[10..60].concat());
    }

    fn both(text: &[u8]) -> [(Vec<u8>, u64); 2] {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text).unwrap();
        let file: Blocks<&[u8]> = Blocks::of_file(file, 0..text.len() as u64, BLOCK_BYTES);
        let stream = Blocks::of_stream(text, BLOCK_BYTES);
        [(all(&file), file.cut()), (all(&stream), stream.cut())]
    }

    #[test]
    fn blocks_are_whole_lines_and_together_the_log() {
        let mut text = Vec::new();
        for length in (0..300).map(|n| n * 37 % 9001).cycle().take(900) {
            text.extend(std::iter::repeat_n(b'x', length));
            text.push(b'\n');
        }
        text.extend_from_slice(b"and a last line without a break");
        assert!(text.len() > 3 * BLOCK_BYTES);
        for (read, cut) in both(&text) {
            assert!(read == text);
            assert_eq!(cut, 0);
        }
    }

    #[test]
    fn a_line_break_at_a_blocks_edge_loses_nothing() {
        for at in [BLOCK_BYTES - 2, BLOCK_BYTES - 1, BLOCK_BYTES, LINE_BYTES_MAX - 1] {
            let mut text = vec![b'x'; at];
            text.extend_from_slice(b"\nyy\nzz\n");
            for (read, _) in both(&text) {
                assert!(read == text, "{at}");
            }
        }
    }

    #[test]
    fn a_line_of_ten_megabytes_is_cut_and_counted_and_the_next_is_there() {
        let mut text = b"before\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 10 << 20));
        text.extend_from_slice(b"\nbehind\n");
        for (read, cut) in both(&text) {
            assert_eq!(cut, 1);
            assert!(read.starts_with(b"before\nxxx") && read.ends_with(b"x\nbehind\n"));
            assert!(read.len() <= LINE_BYTES_MAX + 20);
        }
    }

    #[test]
    fn a_stream_that_breaks_gives_what_came_before() {
        struct Broken(usize);
        impl Read for Broken {
            fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
                self.0 += 1;
                if self.0 > 1 {
                    return Err(io::Error::other("gone"));
                }
                buffer[..4].copy_from_slice(b"a\nb\n");
                Ok(4)
            }
        }
        let feed = Blocks::of_stream(Broken(0), BLOCK_BYTES);
        assert_eq!(all(&feed), b"a\nb\n");
        assert_eq!(feed.end(), (4, Some("gone".to_owned())));
    }
}

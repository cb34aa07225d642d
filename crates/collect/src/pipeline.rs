//! Reads a log with all cores and hands what is kept to an output.

use std::collections::BTreeMap;
use std::io::Read;
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, sync_channel};

use crate::error::CollectError;
use crate::join::{LOOK_BACK_BLOCKS, Sequence};
use crate::progress::Progress;
use crate::redact::pseudonym::Names;
use crate::scan::{Block, Plan, scan};
use crate::source::blocks::Blocks;
use crate::source::buffers::Buffers;
use crate::source::{Input, announce, shown, unreadable};

/// Blocks without a buffer that are sent together.
const TOGETHER: usize = 8;

/// Bytes of the output that are gathered before they are written.
const OUT_BYTES: usize = 256 << 10;

/// What was read of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadInput {
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Lines that were too long and are cut.
    pub cut: u64,
    /// The error that ended it early, in words.
    pub broke: Option<String>,
}

/// Takes the kept text.
pub(crate) type Output<'o> = dyn FnMut(&[u8]) -> Result<(), CollectError> + 'o;

/// What a search needs.
pub(crate) struct SearchJob<'r, 's> {
    pub input: &'r Input,
    /// Of a plain file, only lines that begin in this range of bytes are read; `None`: all lines.
    pub range: Option<Range<u64>>,
    pub plan: &'r Plan,
    pub threads: usize,
    /// Bytes of a block: [`BLOCK_BYTES`](crate::source::blocks::BLOCK_BYTES) but in tests.
    pub block: usize,
    /// Kept across inputs, since a log goes on in the next file.
    pub sequence: &'r mut Sequence<'s>,
    pub names: &'r mut Names,
    pub output: &'r mut Output<'r>,
    pub progress: &'r dyn Progress,
    pub cancel: &'r AtomicBool,
}

/// Searches one input.
pub(crate) fn search(run: SearchJob<'_, '_>) -> Result<ReadInput, CollectError> {
    let (input, progress) = (run.input, run.progress);
    announce(input, progress);
    let read = match input.as_file()? {
        Some(file) => {
            let range = run.range.clone().unwrap_or(0..input.size);
            let feed: Blocks<std::io::Empty> = Blocks::of_file(file, range, run.block);
            blocks(&feed, None, run)?
        }
        None => {
            let read = Arc::new(AtomicU64::new(0));
            let feed = Blocks::of_stream(input.stream(read.clone(), run.cancel)?, run.block);
            blocks(&feed, Some(&read), run)?
        }
    };
    progress.file_done(&shown(&input.path));
    Ok(read)
}

/// `packed`: of a packed file, the bytes that came from the disk.
fn blocks<R: Read + Send>(
    feed: &Blocks<R>,
    packed: Option<&AtomicU64>,
    run: SearchJob<'_, '_>,
) -> Result<ReadInput, CollectError> {
    let SearchJob { input, plan, threads, sequence, names, output, progress, cancel, .. } = run;
    let stop = AtomicBool::new(false);
    let buffers = Buffers::new(room(threads), feed.buffer_bytes());
    let (full, searched) = sync_channel::<std::io::Result<Vec<Block>>>(2 * threads);
    let work = |full: SyncSender<std::io::Result<Vec<Block>>>| {
        // Blocks that take no room are sent several at once: sending costs more than scanning an empty block.
        let mut done: Vec<Block> = Vec::new();
        // The buffer of the last block. It is still in the processor's cache, so the next block is read into it.
        let mut warm: Option<Vec<u8>> = None;
        // After an interruption a stream soon ends by itself. Keep what came until then, since a stream cannot be read again.
        let interrupted = || !input.is_stream() && cancel.load(Ordering::Relaxed);
        while !stop.load(Ordering::Relaxed) && !interrupted() {
            let mut buffer = buffers.take_free();
            if buffer.is_none() {
                // Finished blocks are sent before waiting: the consumer may be waiting for one of them, and would then never give a
                // buffer back.
                if full.send(Ok(std::mem::take(&mut done))).is_err() {
                    return;
                }
                buffer = buffers.wait();
            }
            let Some(buffer) = buffer else { return };
            match feed.next(warm.take().unwrap_or(buffer)) {
                Ok(Some(raw)) => {
                    progress.bytes_read(packed.map_or(raw.read, |packed| packed.swap(0, Ordering::Relaxed)));
                    let mut block = scan(raw, plan);
                    // A block's kept text needs memory until it is written, even if its buffer was given back.
                    let takes_room = match block.release() {
                        Some(buffer) if block.kept.is_empty() => {
                            buffers.give(buffer);
                            false
                        }
                        released => {
                            warm = released;
                            true
                        }
                    };
                    done.push(block);
                    if (takes_room || done.len() == TOGETHER) && full.send(Ok(std::mem::take(&mut done))).is_err() {
                        return;
                    }
                }
                Ok(None) => break,
                Err(error) => {
                    let _ = full.send(Ok(done)).and_then(|()| full.send(Err(error)));
                    return;
                }
            }
        }
        // Sending fails if the consumer has ended already, which is no error here.
        let _ = full.send(Ok(done));
    };
    let outcome = std::thread::scope(|scope| {
        for _ in 0..threads {
            let (full, work) = (full.clone(), &work);
            scope.spawn(move || work(full));
        }
        drop(full);
        let outcome = in_order(&searched, sequence, names, output, &mut |buffer| buffers.give(buffer));
        // Wake threads that wait for a buffer or for room, so that they see the end.
        stop.store(true, Ordering::Relaxed);
        buffers.close();
        drop(searched);
        outcome
    });
    outcome.map_err(|error| match error {
        SearchFailure::Read(error) => unreadable(&input.path, error),
        SearchFailure::Collect(error) => error,
    })?;
    let (bytes, broke) = feed.end();
    Ok(ReadInput { bytes, cut: feed.cut(), broke })
}

/// Size of the buffer pool, in blocks: those of the look-back, those that each thread works on, and a few in transit.
fn room(threads: usize) -> usize {
    LOOK_BACK_BLOCKS + 3 * threads + 2
}

enum SearchFailure {
    Read(std::io::Error),
    Collect(CollectError),
}

fn in_order(
    searched: &Receiver<std::io::Result<Vec<Block>>>,
    sequence: &mut Sequence<'_>,
    names: &mut Names,
    output: &mut Output<'_>,
    free: &mut dyn FnMut(Vec<u8>),
) -> Result<(), SearchFailure> {
    let mut waiting: BTreeMap<u64, Block> = BTreeMap::new();
    let mut wanted = 0;
    while let Ok(blocks) = searched.recv() {
        waiting.extend(blocks.map_err(SearchFailure::Read)?.into_iter().map(|block| (block.number, block)));
        while let Some(block) = waiting.remove(&wanted) {
            wanted += 1;
            sequence.push(block, names, free);
            if sequence.out.len() >= OUT_BYTES {
                write_out(sequence, output)?;
            }
        }
    }
    write_out(sequence, output)
}

fn write_out(sequence: &mut Sequence<'_>, output: &mut Output<'_>) -> Result<(), SearchFailure> {
    let written = output(&sequence.out).map_err(SearchFailure::Collect);
    sequence.out.clear();
    written
}

#[cfg(test)]
mod tests;

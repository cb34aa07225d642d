//! Reads a log with all cores and hands what is kept to an output.

use std::collections::BTreeMap;
use std::io::Read;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::mpsc::{Receiver, SyncSender, channel, sync_channel};
use std::sync::{Arc, Mutex};

use crate::error::CollectError;
use crate::feed::{BLOCK_BYTES, Feed};
use crate::progress::Progress;
use crate::pseudonym::Names;
use crate::scan::{Block, Plan, scan};
use crate::sequence::{LOOK_BACK_BYTES, Sequence};
use crate::sources::{Input, announce, shown, unreadable};

/// Bytes of the output that are gathered before they are written.
const OUT_BYTES: usize = 256 << 10;

/// What became of an input.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct ReadInput {
    /// Bytes, unpacked.
    pub bytes: u64,
    /// Lines that were too long and are cut.
    pub cut: u64,
    /// What ended it before its end.
    pub broke: Option<String>,
}

/// Where kept text goes.
pub(crate) type Output<'o> = dyn FnMut(&[u8]) -> Result<(), CollectError> + 'o;

/// All that a search needs.
pub(crate) struct Run<'r, 's> {
    pub input: &'r Input,
    pub plan: &'r Plan,
    pub threads: usize,
    /// Outlives an input, since a log goes on in the next file.
    pub sequence: &'r mut Sequence<'s>,
    pub names: &'r mut Names,
    pub output: &'r mut Output<'r>,
    pub progress: &'r dyn Progress,
    pub cancel: &'r AtomicBool,
}

/// Searches one input.
pub(crate) fn search(run: Run<'_, '_>) -> Result<ReadInput, CollectError> {
    let (input, progress) = (run.input, run.progress);
    announce(input, progress);
    let read = match input.as_file()? {
        Some(file) => {
            let feed: Feed<std::io::Empty> = Feed::of_file(file, input.size);
            blocks(&feed, None, run)?
        }
        None => {
            let read = Arc::new(AtomicU64::new(0));
            let feed = Feed::of_stream(input.stream(read.clone())?);
            blocks(&feed, Some(&read), run)?
        }
    };
    progress.file_done(&shown(&input.path));
    Ok(read)
}

/// `packed`: of a packed file, the bytes that came from the disk.
fn blocks<R: Read + Send>(
    feed: &Feed<R>,
    packed: Option<&AtomicU64>,
    run: Run<'_, '_>,
) -> Result<ReadInput, CollectError> {
    let Run { input, plan, threads, sequence, names, output, progress, cancel } = run;
    let stop = AtomicBool::new(false);
    let (spare, buffers) = channel::<Vec<u8>>();
    // As many as the look-back holds, as each thread works on, and some on their way.
    for _ in 0..LOOK_BACK_BYTES / BLOCK_BYTES + 3 * threads + 2 {
        let _ = spare.send(Vec::new());
    }
    let buffers = Mutex::new(buffers);
    let (full, searched) = sync_channel::<std::io::Result<Block>>(2 * threads);
    let work = |full: SyncSender<std::io::Result<Block>>| {
        while !stop.load(Ordering::Relaxed) && !cancel.load(Ordering::Relaxed) {
            let Some(buffer) = next(&buffers) else { return };
            let block = match feed.next(buffer) {
                Ok(Some(raw)) => {
                    progress.bytes_read(packed.map_or(raw.read, |packed| packed.swap(0, Ordering::Relaxed)));
                    Ok(scan(raw, plan))
                }
                Ok(None) => return,
                Err(error) => Err(error),
            };
            let failed = block.is_err();
            if full.send(block).is_err() || failed {
                return;
            }
        }
    };
    let outcome = std::thread::scope(|scope| {
        for _ in 0..threads {
            let (full, work) = (full.clone(), &work);
            scope.spawn(move || work(full));
        }
        drop(full);
        let outcome = in_order(&searched, sequence, names, output, &mut |buffer| {
            let _ = spare.send(buffer);
        });
        // Threads that wait for a buffer or for room go on and see that it is over.
        stop.store(true, Ordering::Relaxed);
        drop(spare);
        drop(searched);
        outcome
    });
    outcome.map_err(|error| match error {
        Failure::Read(error) => unreadable(&input.path, error),
        Failure::Collect(error) => error,
    })?;
    let (bytes, broke) = feed.end();
    Ok(ReadInput { bytes, cut: feed.cut(), broke })
}

enum Failure {
    Read(std::io::Error),
    Collect(CollectError),
}

fn next(buffers: &Mutex<Receiver<Vec<u8>>>) -> Option<Vec<u8>> {
    buffers.lock().ok()?.recv().ok()
}

fn in_order(
    searched: &Receiver<std::io::Result<Block>>,
    sequence: &mut Sequence<'_>,
    names: &mut Names,
    output: &mut Output<'_>,
    free: &mut dyn FnMut(Vec<u8>),
) -> Result<(), Failure> {
    let mut waiting: BTreeMap<u64, Block> = BTreeMap::new();
    let mut wanted = 0;
    while let Ok(block) = searched.recv() {
        let block = block.map_err(Failure::Read)?;
        waiting.insert(block.number, block);
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

fn write_out(sequence: &mut Sequence<'_>, output: &mut Output<'_>) -> Result<(), Failure> {
    let written = output(&sequence.out).map_err(Failure::Collect);
    sequence.out.clear();
    written
}

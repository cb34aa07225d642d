//! Reading what may never end: the standard input, a pipe, a named pipe that nobody has opened yet. A thread waits for it,
//! and whoever reads looks now and then whether the run was interrupted.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::Duration;

/// Bytes that are read at once.
const CHUNK_BYTES: usize = 64 << 10;

/// Chunks that are read ahead.
const AHEAD: usize = 16;

/// How often it is looked whether the run was interrupted.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What a thread reads.
pub(crate) type Chunks = Receiver<io::Result<Vec<u8>>>;

/// Starts to read; opening may wait, too.
pub(crate) fn start<R: Read>(open: impl FnOnce() -> io::Result<R> + Send + 'static) -> Chunks {
    let (send, chunks) = sync_channel(AHEAD);
    // Nobody joins it: it may wait for ever, and ends with the process, or when nobody takes its chunks any more.
    thread::spawn(move || {
        let mut input = match open() {
            Ok(input) => input,
            Err(error) => return drop(send.send(Err(error))),
        };
        loop {
            let mut chunk = vec![0; CHUNK_BYTES];
            let read = match input.read(&mut chunk) {
                Ok(0) => return,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                read => read,
            };
            let is_last = read.is_err();
            let read = read.map(|length| {
                chunk.truncate(length);
                chunk
            });
            if send.send(read).is_err() || is_last {
                return;
            }
        }
    });
    chunks
}

/// Reads the chunks, until the run is interrupted.
pub(crate) struct Patient<'c> {
    chunks: Chunks,
    cancel: &'c AtomicBool,
    chunk: Vec<u8>,
    at: usize,
}

impl<'c> Patient<'c> {
    pub fn new(chunks: Chunks, cancel: &'c AtomicBool) -> Self {
        Patient { chunks, cancel, chunk: Vec::new(), at: 0 }
    }

    /// What was not read yet.
    pub fn into_rest(mut self) -> (Vec<u8>, Chunks) {
        (self.chunk.split_off(self.at), self.chunks)
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            match self.chunks.recv_timeout(LOOK_EVERY) {
                Ok(chunk) => (self.chunk, self.at) = (chunk?, 0),
                Err(RecvTimeoutError::Timeout) if !self.cancel.load(Ordering::Relaxed) => {}
                Err(RecvTimeoutError::Timeout) => return Err(io::Error::other("it was interrupted")),
                Err(RecvTimeoutError::Disconnected) => return Ok(0),
            }
        }
        let length = (&self.chunk[self.at..]).read(buffer)?;
        self.at += length;
        Ok(length)
    }
}

/// Whether it gives its bytes once, and when it likes.
pub(crate) fn is_stream(path: &Path) -> bool {
    fs::metadata(path).is_ok_and(|about| !about.is_file() && !about.is_dir())
}

/// Opens a file, or what stands in for one: `<(zcat …)`.
pub(crate) fn open<'c>(path: &Path, cancel: &'c AtomicBool) -> io::Result<Box<dyn Read + 'c>> {
    if is_stream(path) {
        let path = path.to_owned();
        return Ok(Box::new(Patient::new(start(move || File::open(path)), cancel)));
    }
    Ok(Box::new(File::open(path)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_never_comes_can_be_interrupted_and_what_came_before_is_there() {
        let (said, heard) = io::pipe().map(|(reader, writer)| (writer, reader)).unwrap();
        let cancel = AtomicBool::new(false);
        let mut patient = Patient::new(start(move || Ok(heard)), &cancel);
        io::Write::write_all(&mut &said, b"abc").unwrap();
        let mut buffer = [0; 3];
        patient.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"abc");
        cancel.store(true, Ordering::Relaxed);
        assert!(patient.read(&mut buffer).unwrap_err().to_string().contains("interrupted"));
        drop(said);
    }
}

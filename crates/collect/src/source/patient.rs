//! Reading what may never end: the standard input, a pipe, a named pipe that nobody has opened yet. A thread waits for it,
//! and whoever reads looks now and then whether the run was interrupted.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
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

/// How often it is looked in vain, after the end was asked for, until nothing more is on its way.
const QUIET_LOOKS: usize = 4;

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

/// Reads the chunks, until the run is interrupted, or somebody says that it has followed for long enough. What had come by then
/// is read.
pub(crate) struct Patient<'c> {
    chunks: Chunks,
    cancel: &'c AtomicBool,
    enough: Option<Arc<AtomicBool>>,
    /// Looks since the end was asked for: whoever writes without a pause could go on for ever.
    since: usize,
    chunk: Vec<u8>,
    at: usize,
}

impl<'c> Patient<'c> {
    pub fn new(chunks: Chunks, cancel: &'c AtomicBool, enough: Option<Arc<AtomicBool>>) -> Self {
        Patient { chunks, cancel, enough, since: 0, chunk: Vec::new(), at: 0 }
    }

    /// What was not read yet.
    pub fn into_rest(mut self) -> (Vec<u8>, Chunks) {
        (self.chunk.split_off(self.at), self.chunks)
    }
}

impl Read for Patient<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.chunk.len() {
            let cancelled = self.cancel.load(Ordering::Relaxed);
            let ends = cancelled || self.enough.as_ref().is_some_and(|enough| enough.load(Ordering::Relaxed));
            self.since += usize::from(ends);
            let next = if self.since > AHEAD + 1 {
                Err(RecvTimeoutError::Timeout)
            } else {
                self.chunks.recv_timeout(LOOK_EVERY)
            };
            match next {
                Ok(chunk) => (self.chunk, self.at) = (chunk?, 0),
                Err(RecvTimeoutError::Timeout) if !ends || self.since < QUIET_LOOKS => {}
                Err(RecvTimeoutError::Timeout) if cancelled => return Err(io::Error::other("it was interrupted")),
                Err(_) => return Ok(0),
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
        return Ok(Box::new(Patient::new(start(move || File::open(path)), cancel, None)));
    }
    Ok(Box::new(File::open(path)?))
}

/// A file that is being written: its end is waited at, and a file that took its place, as rotation does, is read from its
/// beginning.
pub(crate) struct Growing {
    path: PathBuf,
    file: File,
    read: u64,
}

impl Growing {
    pub fn open(path: PathBuf) -> io::Result<Growing> {
        let file = File::open(&path)?;
        Ok(Growing { path, file, read: 0 })
    }

    /// The file that stands in its place now, if it is another one.
    fn rotated(&self) -> Option<File> {
        let (now, about) = (File::open(&self.path).ok()?, self.file.metadata().ok()?);
        let there = now.metadata().ok()?;
        (!is_same(&there, &about) || there.len() < self.read).then_some(now)
    }
}

#[cfg(unix)]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    use std::os::unix::fs::MetadataExt;
    (one.dev(), one.ino()) == (other.dev(), other.ino())
}

#[cfg(not(unix))]
fn is_same(one: &fs::Metadata, other: &fs::Metadata) -> bool {
    one.created().ok() == other.created().ok()
}

impl Read for Growing {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let length = self.file.read(buffer)?;
            if length > 0 {
                self.read += length as u64;
                return Ok(length);
            }
            match self.rotated() {
                Some(file) => (self.file, self.read) = (file, 0),
                None => thread::sleep(LOOK_EVERY),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    #[test]
    fn a_file_that_grows_is_read_on_and_over_its_rotation() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("x.log");
        fs::write(&path, "a\n").unwrap();
        let (opened, enough) = (path.clone(), Arc::new(AtomicBool::new(false)));
        let cancel = AtomicBool::new(false);
        let mut patient = Patient::new(start(move || Growing::open(opened)), &cancel, Some(enough.clone()));
        let mut buffer = [0; 2];
        patient.read_exact(&mut buffer).unwrap();
        fs::OpenOptions::new().append(true).open(&path).unwrap().write_all(b"b\n").unwrap();
        patient.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"b\n");
        fs::rename(&path, folder.path().join("x.log.1")).unwrap();
        fs::write(&path, "c\n").unwrap();
        patient.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"c\n");
        enough.store(true, Ordering::Relaxed);
        assert_eq!(patient.read(&mut buffer).unwrap(), 0, "it was followed for long enough");
    }

    #[test]
    fn a_read_that_never_ends_can_be_interrupted_and_keeps_the_bytes_before() {
        let (said, heard) = io::pipe().map(|(reader, writer)| (writer, reader)).unwrap();
        let cancel = AtomicBool::new(false);
        let mut patient = Patient::new(start(move || Ok(heard)), &cancel, None);
        (&said).write_all(b"abc").unwrap();
        let mut buffer = [0; 3];
        patient.read_exact(&mut buffer).unwrap();
        assert_eq!(&buffer, b"abc");
        cancel.store(true, Ordering::Relaxed);
        assert!(patient.read(&mut buffer).unwrap_err().to_string().contains("interrupted"));
        drop(said);
    }
}

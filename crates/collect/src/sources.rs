//! Log sources: which files there are, how they are packed, and which of them are one log that was rotated.

use std::collections::BTreeMap;
use std::fs::{self, File};
use std::io::{self, BufReader, Read};
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::UNIX_EPOCH;

use crypto_diag_core::{redact, showable};
use crypto_diag_triage::bundle::Refusal;
use crypto_diag_triage::stamp::Stamp;
use crypto_diag_triage::synapse_log::parse_line;
use flate2::read::MultiGzDecoder;

use crate::error::CollectError;
use crate::progress::Progress;

/// Bytes of a log's beginning that tell what it is.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// Folders within folders that are walked at most.
pub const DEPTH_MAX: usize = 4;

/// Files of a folder that are looked at at most.
pub const FILES_MAX: usize = 1_000;

/// How a file is packed, told by its first bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Packing {
    Plain,
    Gzip,
    Zstd,
}

impl Packing {
    pub fn name(self) -> &'static str {
        match self {
            Packing::Plain => "plain",
            Packing::Gzip => "gzip",
            Packing::Zstd => "zstd",
        }
    }

    /// `Err`: packed in a way that is not read.
    fn of(head: &[u8]) -> Result<Packing, &'static str> {
        Ok(match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            // A frame, or a skippable one, as pzstd writes in front.
            [0x28, 0xb5, 0x2f, 0xfd, ..] | [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..] => Packing::Zstd,
            [b'B', b'Z', b'h', b'1'..=b'9', ..] => return Err("bzip2"),
            [0xfd, b'7', b'z', b'X', b'Z', 0, ..] => return Err("xz"),
            [b'P', b'K', 3, 4, ..] => return Err("zip"),
            _ => Packing::Plain,
        })
    }
}

/// One file, or the standard input.
#[derive(Debug)]
pub(crate) struct Input {
    /// As it was given, or found in a folder; `-` for the standard input.
    pub path: PathBuf,
    pub packing: Packing,
    /// Bytes on the disk; 0 for the standard input.
    pub size: u64,
    /// When it was last written, in milliseconds since the epoch.
    pub modified: Option<i64>,
    /// Its beginning, unpacked.
    pub sample: Vec<u8>,
    /// Of the standard input: what was read of it, to be read first.
    pub stdin: Option<Vec<u8>>,
}

/// A log: one file, or what it was rotated into, the oldest first.
#[derive(Debug)]
pub(crate) struct Group {
    /// The slice's name in the bundle.
    pub name: String,
    pub inputs: Vec<Input>,
}

/// Finds the logs that were named. What was refused is noted.
///
/// # Errors
/// A file that was named and cannot be read.
pub(crate) fn find(paths: &[PathBuf], refused: &mut Vec<Refusal>) -> Result<Vec<Group>, CollectError> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(stdin(path)?);
            continue;
        }
        let about = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if about.is_dir() {
            let before = inputs.len();
            walk(path, 0, &mut inputs, refused)?;
            if inputs.len() == before {
                refused.push(Refusal { what: shown(path), why: "no log of Synapse is in this folder".to_owned() });
            }
        } else {
            inputs.extend(open(path, refused, false)?);
        }
    }
    Ok(group(inputs))
}

fn walk(folder: &Path, depth: usize, inputs: &mut Vec<Input>, refused: &mut Vec<Refusal>) -> Result<(), CollectError> {
    let entries = fs::read_dir(folder).map_err(|error| unreadable(folder, error))?;
    let mut paths = Vec::new();
    for entry in entries {
        paths.push(entry.map_err(|error| unreadable(folder, error))?.path());
    }
    paths.sort();
    for path in paths {
        if inputs.len() + refused.len() >= FILES_MAX {
            refused.push(Refusal { what: shown(&path), why: format!("more than {FILES_MAX} files; name it alone") });
            return Ok(());
        }
        // A link to a folder could lead in a circle.
        let about = fs::symlink_metadata(&path).map_err(|error| unreadable(&path, error))?;
        if about.is_dir() {
            if depth + 1 < DEPTH_MAX {
                walk(&path, depth + 1, inputs, refused)?;
            } else {
                refused.push(Refusal { what: shown(&path), why: "too deep a folder; name it alone".to_owned() });
            }
            continue;
        }
        let target = match fs::metadata(&path) {
            Ok(target) => target,
            Err(error) if about.is_symlink() => {
                refused.push(Refusal { what: shown(&path), why: format!("a link that leads nowhere: {error}") });
                continue;
            }
            Err(error) => return Err(unreadable(&path, error)),
        };
        // A pipe or a device would be waited for.
        if target.is_file() {
            inputs.extend(open(&path, refused, true)?);
        }
    }
    Ok(())
}

/// Looks at a file. `found`: in a folder, where other files are, too.
fn open(path: &Path, refused: &mut Vec<Refusal>, found: bool) -> Result<Option<Input>, CollectError> {
    let mut refuse = |why: String| {
        refused.push(Refusal { what: shown(path), why });
        Ok(None)
    };
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if found && error.kind() == io::ErrorKind::PermissionDenied => {
            return refuse("it may not be read; run this as a user who may".to_owned());
        }
        Err(error) => return Err(unreadable(path, error)),
    };
    let about = file.metadata().map_err(|error| unreadable(path, error))?;
    let mut head = [0; 6];
    let length = read_up_to(&mut &file, &mut head).map_err(|error| unreadable(path, error))?;
    let packing = match Packing::of(&head[..length]) {
        Ok(packing) => packing,
        Err(name) => return refuse(format!("it is packed with {name}; unpack it first")),
    };
    let mut sample = vec![0; SAMPLE_BYTES];
    let mut reader = unpack(Box::new(File::open(path).map_err(|error| unreadable(path, error))?), packing);
    // A packed file that breaks here is read as far as it goes, later.
    let length = read_up_to(&mut reader, &mut sample).unwrap_or(0);
    sample.truncate(length);
    if found && !sample.split(|byte| *byte == b'\n').take(200).any(|line| parse_line(line).is_some()) {
        return refuse("no line of its beginning is a line of Synapse's log".to_owned());
    }
    let modified = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    Ok(Some(Input {
        path: path.to_owned(),
        packing,
        size: about.len(),
        modified: modified.and_then(|at| i64::try_from(at.as_millis()).ok()),
        sample,
        stdin: None,
    }))
}

fn stdin(path: &Path) -> Result<Input, CollectError> {
    let mut sample = vec![0; SAMPLE_BYTES];
    let length = read_up_to(&mut io::stdin().lock(), &mut sample).map_err(|error| unreadable(path, error))?;
    sample.truncate(length);
    let packing = Packing::of(&sample).unwrap_or(Packing::Plain);
    let raw = sample.clone();
    if packing != Packing::Plain {
        let mut reader = unpack(Box::new(io::Cursor::new(sample)), packing);
        sample = vec![0; SAMPLE_BYTES];
        let length = read_up_to(&mut reader, &mut sample).unwrap_or(0);
        sample.truncate(length);
    }
    Ok(Input { path: path.to_owned(), packing, size: 0, modified: None, sample, stdin: Some(raw) })
}

/// Reads until the buffer is full or nothing is left. What came before an error counts.
fn read_up_to(input: &mut dyn Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match input.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(length) => done += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

/// Files whose names differ by what rotation adds are one log, in the order of their first lines.
fn group(inputs: Vec<Input>) -> Vec<Group> {
    let mut groups: BTreeMap<(usize, PathBuf), Vec<Input>> = BTreeMap::new();
    let mut order: Vec<PathBuf> = Vec::new();
    for input in inputs {
        let stem = stem(&input.path);
        let place = order.iter().position(|known| *known == stem).unwrap_or_else(|| {
            order.push(stem.clone());
            order.len() - 1
        });
        groups.entry((place, stem)).or_default().push(input);
    }
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut found = Vec::new();
    for ((_, stem), mut inputs) in groups {
        // One file given twice is one.
        inputs.sort_by(|a, b| a.path.cmp(&b.path));
        inputs.dedup_by(|a, b| a.path == b.path);
        // Rotated files count upwards into the past: by name the last is the oldest.
        inputs.sort_by_key(|input| (first_time(&input.sample), std::cmp::Reverse(input.path.clone())));
        let name = stem.file_name().map_or_else(|| "log".to_owned(), |name| name.to_string_lossy().into_owned());
        let name = if name == "-" { "stdin".to_owned() } else { name };
        let name = plain_name(name.strip_suffix(".log").unwrap_or(&name));
        let name = name.trim_start_matches('.').to_owned();
        let count = names.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{name}.log") } else { format!("{name}-{count}.log") };
        found.push(Group { name, inputs });
    }
    found
}

/// A path without what rotation and packing added: `.gz`, `.1`, `-20261123`, `.2026-11-23`.
fn stem(path: &Path) -> PathBuf {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return path.to_owned() };
    let mut rest = name;
    for ending in [".gz", ".zst", ".zstd", ".GZ"] {
        rest = rest.strip_suffix(ending).unwrap_or(rest);
    }
    loop {
        let cut = rest.rfind(['.', '-']).filter(|at| {
            let added = &rest[at + 1..];
            *at > 0 && !added.is_empty() && added.bytes().all(|byte| byte.is_ascii_digit())
        });
        match cut {
            // `worker-1.log` keeps its number, since something follows it; `foo.log.2026-11-22` loses all three.
            Some(at) => rest = &rest[..at],
            None => break,
        }
    }
    // `worker1` and `worker-1` without an ending are names, not rotations.
    let rotated = rest.contains('.') || rest == name;
    path.with_file_name(if rotated { rest } else { name })
}

fn first_time(sample: &[u8]) -> Option<i64> {
    let stamp: Stamp = sample.split(|byte| *byte == b'\n').find_map(|line| parse_line(line)?.time)?;
    Some(stamp.ms)
}

/// Takes the packing off.
fn unpack(input: Box<dyn Read + Send>, packing: Packing) -> Box<dyn Read + Send> {
    match packing {
        Packing::Plain => input,
        Packing::Gzip => Box::new(MultiGzDecoder::new(BufReader::with_capacity(128 << 10, input))),
        // Several frames, and skippable ones between them, are one text.
        Packing::Zstd => match zstd::Decoder::with_buffer(BufReader::with_capacity(128 << 10, input)) {
            Ok(decoder) => Box::new(decoder),
            Err(error) => Box::new(Failing(Some(error))),
        },
    }
}

/// What cannot even be begun: out of memory.
struct Failing(Option<io::Error>);

impl Read for Failing {
    fn read(&mut self, _buffer: &mut [u8]) -> io::Result<usize> {
        self.0.take().map_or(Ok(0), Err)
    }
}

impl Input {
    /// The file, if threads can read it apart from one another.
    pub fn as_file(&self) -> Result<Option<File>, CollectError> {
        if self.stdin.is_some() || self.packing != Packing::Plain {
            return Ok(None);
        }
        File::open(&self.path).map(Some).map_err(|error| unreadable(&self.path, error))
    }

    /// The unpacked text as a stream. Bytes that come from the disk are added to `read`.
    pub fn stream(&self, read: Arc<AtomicU64>) -> Result<Box<dyn Read + Send>, CollectError> {
        let inner: Box<dyn Read + Send> = if let Some(raw) = &self.stdin {
            Box::new(io::Cursor::new(raw.clone()).chain(io::stdin()))
        } else {
            Box::new(File::open(&self.path).map_err(|error| unreadable(&self.path, error))?)
        };
        Ok(unpack(Box::new(Counting { inner, read }), self.packing))
    }
}

/// Counts what is read.
struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Read> Read for Counting<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.inner.read(buffer)?;
        self.read.fetch_add(length as u64, Ordering::Relaxed);
        Ok(length)
    }
}

pub(crate) fn unreadable(path: &Path, error: io::Error) -> CollectError {
    CollectError::Unreadable { path: path.to_owned(), error }
}

/// A path as a manifest has it.
pub(crate) fn shown(path: &Path) -> String {
    showable(&path.to_string_lossy())
}

/// A file's name as a part of a name in the bundle: without secrets, and without what a file system or a shell acts upon.
pub(crate) fn plain_name(name: &str) -> String {
    let is_plain = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '_' | '-');
    redact(name).text.replace(|character| !is_plain(character), "_")
}

/// Tells of an input's beginning.
pub(crate) fn announce(input: &Input, progress: &dyn Progress) {
    progress.file_started(&shown(&input.path), input.stdin.is_none().then_some(input.size));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_one_log() {
        for (name, wanted) in [
            ("homeserver.log", "homeserver.log"),
            ("homeserver.log.1", "homeserver.log"),
            ("homeserver.log.2.gz", "homeserver.log"),
            ("homeserver.log-20261123.zst", "homeserver.log"),
            ("homeserver.log.2026-11-22", "homeserver.log"),
            ("worker-1.log", "worker-1.log"),
            ("worker-1.log.3.gz", "worker-1.log"),
            ("worker1", "worker1"),
            ("worker-1", "worker-1"),
            ("20261123", "20261123"),
        ] {
            assert_eq!(stem(&Path::new("/x").join(name)), Path::new("/x").join(wanted), "{name}");
        }
    }

    #[test]
    fn several_frames_and_skippable_ones_are_one_text() {
        let frame = |text: &str| zstd::encode_all(text.as_bytes(), 3).unwrap();
        let mut packed = vec![0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3];
        packed.extend(frame("one\n"));
        packed.extend(frame("two\n"));
        let mut text = String::new();
        unpack(Box::new(io::Cursor::new(packed)), Packing::Zstd).read_to_string(&mut text).unwrap();
        assert_eq!(text, "one\ntwo\n");
    }
}

//! Log sources: which files there are, how they are packed, and which of them are one log that was rotated.

pub(crate) mod blocks;
pub(crate) mod buffers;
pub(crate) mod patient;
mod rotation;
pub(crate) mod stretch;
pub(crate) mod zone;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crypto_diag_core::{redact, showable};
use crypto_diag_server_log::parse_line;
use crypto_diag_triage::bundle::Refusal;
use crypto_diag_triage::intake;
use crypto_diag_triage::intake::open::{Packing, Part};

use crate::error::CollectError;
use crate::progress::Progress;
use patient::{Chunks, Growing, Patient};

/// Bytes of a log's beginning that tell what it is.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// Folders within folders that are walked at most.
pub const DEPTH_MAX: usize = 4;

/// Files of a folder that are looked at at most.
pub const FILES_MAX: usize = 1_000;

/// One file, a member of a zip, or a stream.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// As it was given, or found in a folder; `-` for the standard input. A member's name stands behind its zip's.
    pub path: PathBuf,
    /// The file itself.
    file: PathBuf,
    part: Part,
    /// How manifests name its packing.
    pub packing: &'static str,
    /// Whether its bytes are its text, and lie in a file: threads may read them apart from one another.
    pub is_direct: bool,
    /// Bytes on the disk; 0 for a stream.
    pub size: u64,
    /// When it was last written, in milliseconds since the epoch.
    pub modified: Option<i64>,
    /// Its beginning, unpacked.
    pub sample: Vec<u8>,
    stream: Option<Stream>,
}

/// A stream: what was read of it, to be read first, and the rest, which is taken once.
#[derive(Debug)]
struct Stream {
    read: Vec<u8>,
    rest: Mutex<Option<Chunks>>,
    enough: Option<Arc<AtomicBool>>,
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
/// `follow`: files are read on as they grow, and streams, until it is true.
pub(crate) fn find(
    paths: &[PathBuf],
    follow: Option<&Arc<AtomicBool>>,
    refused: &mut Vec<Refusal>,
    cancel: &AtomicBool,
) -> Result<Vec<Group>, CollectError> {
    let mut inputs = Vec::new();
    for path in paths {
        if path.as_os_str() == "-" {
            inputs.push(stream(path, patient::start(|| Ok(io::stdin())), follow, cancel)?);
            continue;
        }
        let about = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if about.is_dir() {
            let before = inputs.len();
            walk(path, 0, &mut inputs, refused)?;
            if inputs.len() == before {
                refused.push(Refusal { what: shown(path), why: "no log of a homeserver is in this folder".to_owned() });
            }
        } else if about.is_file() && follow.is_some() {
            let opened = path.clone();
            inputs.push(stream(path, patient::start(move || Growing::open(opened)), follow, cancel)?);
        } else if about.is_file() {
            inputs.extend(open(path, refused, false)?);
        } else {
            // A pipe: `<(docker logs synapse)`.
            let opened = path.clone();
            inputs.push(stream(path, patient::start(move || File::open(opened)), follow, cancel)?);
        }
    }
    Ok(rotation::group(inputs))
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

/// Looks at a file: itself, or the members of a zip. `found`: in a folder, where other files are, too.
fn open(path: &Path, refused: &mut Vec<Refusal>, found: bool) -> Result<Vec<Input>, CollectError> {
    let file = match File::open(path) {
        Ok(file) => file,
        Err(error) if found && error.kind() == io::ErrorKind::PermissionDenied => {
            refused
                .push(Refusal { what: shown(path), why: "it may not be read; run this as a user who may".to_owned() });
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(path, error)),
    };
    let about = file.metadata().map_err(|error| unreadable(path, error))?;
    let modified = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
    let modified = modified.and_then(|at| i64::try_from(at.as_millis()).ok());
    let (parts, unread) = match intake::open::parts(file) {
        Ok(parts) => parts,
        Err(error) if error.kind() == io::ErrorKind::InvalidData => {
            refused.push(Refusal { what: shown(path), why: error.to_string() });
            return Ok(Vec::new());
        }
        Err(error) => return Err(unreadable(path, error)),
    };
    for (member, why) in unread {
        refused.push(Refusal { what: shown(&path.join(member)), why: why.to_owned() });
    }
    let mut inputs = Vec::new();
    for part in parts {
        let name = match &part {
            Part::Whole => path.to_owned(),
            Part::Member { name, .. } => path.join(name),
        };
        let found = found || part != Part::Whole;
        let file = File::open(path).map_err(|error| unreadable(path, error))?;
        let looked = intake::open::open(file, &part).and_then(|mut text| {
            let packing = text.input().packing();
            Ok((packing, sample_of(&mut text)?))
        });
        let (packing, sample) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                refused.push(Refusal { what: shown(&name), why: format!("nothing of it can be read: {error}") });
                continue;
            }
        };
        if found && !sample.split(|byte| *byte == b'\n').any(|line| parse_line(line).is_some()) {
            let why = "no line of its beginning is a line of a homeserver's log".to_owned();
            refused.push(Refusal { what: shown(&name), why });
            continue;
        }
        let is_direct = packing == Packing::Plain && part == Part::Whole && is_bare(path)?;
        inputs.push(Input {
            path: name,
            file: path.to_owned(),
            size: if part == Part::Whole { about.len() } else { part_bytes(&part) },
            packing: if part == Part::Whole { packing.name() } else { "zip" },
            part,
            is_direct,
            modified,
            sample,
            stream: None,
        });
    }
    Ok(inputs)
}

fn part_bytes(part: &Part) -> u64 {
    match part {
        Part::Whole => 0,
        Part::Member { bytes, .. } => *bytes,
    }
}

/// Whether nothing stands around the text of a plain file, as far as its beginning shows.
fn is_bare(path: &Path) -> Result<bool, CollectError> {
    let file = File::open(path).map_err(|error| unreadable(path, error))?;
    let mut head = Vec::new();
    file.take(SAMPLE_BYTES as u64).read_to_end(&mut head).map_err(|error| unreadable(path, error))?;
    Ok(intake::peel::is_bare(&head))
}

fn stream(
    path: &Path,
    chunks: Chunks,
    follow: Option<&Arc<AtomicBool>>,
    cancel: &AtomicBool,
) -> Result<Input, CollectError> {
    let mut patient = Patient::new(chunks, cancel, follow.cloned());
    let mut read = Vec::new();
    let taken = (&mut patient).take(SAMPLE_BYTES as u64).read_to_end(&mut read);
    if let Err(error) = taken
        && read.is_empty()
    {
        return Err(unreadable(path, error));
    }
    let (more, rest) = patient.into_rest();
    read.extend(more);
    let mut text = intake::open::open_stream(&read[..]).map_err(|error| unreadable(path, error))?;
    let (packing, sample) = (text.input().packing().name(), sample_of(&mut text).unwrap_or_default());
    let stream = Some(Stream { read, rest: Mutex::new(Some(rest)), enough: follow.cloned() });
    Ok(Input { path: path.to_owned(), packing, sample, stream, ..Input::default() })
}

/// The beginning of a text. What comes before an error counts; it is told later, where the text is read.
///
/// # Errors
/// If nothing comes before it.
fn sample_of(text: &mut impl Read) -> io::Result<Vec<u8>> {
    let mut sample = Vec::new();
    match text.take(SAMPLE_BYTES as u64).read_to_end(&mut sample) {
        Err(error) if sample.is_empty() => Err(error),
        _ => Ok(sample),
    }
}

impl Input {
    /// The file, if threads can read it apart from one another.
    pub fn as_file(&self) -> Result<Option<File>, CollectError> {
        if !self.is_direct {
            return Ok(None);
        }
        File::open(&self.file).map(Some).map_err(|error| unreadable(&self.path, error))
    }

    /// The text as a stream. Bytes that come from the disk are added to `read`.
    pub fn stream<'c>(
        &self,
        read: Arc<AtomicU64>,
        cancel: &'c AtomicBool,
    ) -> Result<Box<dyn Read + Send + 'c>, CollectError> {
        let opened = || -> io::Result<Box<dyn Read + Send + 'c>> {
            let Some(stream) = &self.stream else {
                let inner = File::open(&self.file)?;
                return Ok(Box::new(intake::open::open(Counting { inner, read }, &self.part)?));
            };
            let rest = stream.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
            let rest = rest.map(|chunks| Patient::new(chunks, cancel, stream.enough.clone()));
            let rest: Box<dyn Read + Send + 'c> = match rest {
                Some(rest) => Box::new(rest),
                None => Box::new(io::empty()),
            };
            let inner = io::Cursor::new(stream.read.clone()).chain(rest);
            Ok(Box::new(intake::open::open_stream(Counting { inner, read })?))
        };
        opened().map_err(|error| unreadable(&self.path, error))
    }

    /// Whether it gives its bytes once.
    pub fn is_stream(&self) -> bool {
        self.stream.is_some()
    }

    /// A plain file, for tests of what comes behind.
    #[cfg(test)]
    pub fn plain(path: PathBuf, size: u64) -> Self {
        Input { file: path.clone(), path, size, packing: "plain", is_direct: true, ..Input::default() }
    }
}

/// Counts what is read.
struct Counting<R> {
    inner: R,
    read: Arc<AtomicU64>,
}

impl<R: Seek> Seek for Counting<R> {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.inner.seek(to)
    }
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
    progress.file_started(&shown(&input.path), (!input.is_stream()).then_some(input.size));
}

//! Log sources: which files there are, how they are packed, and which of them are one log that was rotated.

pub(crate) mod blocks;
pub(crate) mod buffers;
pub(crate) mod patient;
pub(crate) mod rotation;
pub(crate) mod stretch;
pub(crate) mod zone;

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::UNIX_EPOCH;

use crypto_diag_core::{redact, showable};
use crypto_diag_server_log::{is_loki_export, lines_of_export, parse_line};
use crypto_diag_triage::bundle::Refusal;
use crypto_diag_triage::intake::{self, Member, Source};
use crypto_diag_triage::unpack;
use crypto_diag_triage::unpack::open::{Packing, Part};

use crate::error::CollectError;
use crate::files::{self, Found, Links};
use crate::progress::Progress;
use crate::request::Request;
use crate::via::Via;
use patient::{Chunks, Growing, Patient};

/// How many bytes at a log's beginning are looked at to find out what it is.
pub const SAMPLE_BYTES: usize = 64 << 10;

/// Bytes of an export of Loki's that is one document, and so is held, at most.
const EXPORT_BYTES_MAX: u64 = 256 << 20;

/// One file, a member of an archive, or a stream.
#[derive(Debug, Default)]
pub(crate) struct Input {
    /// As it was given, or found in a folder; `-` for the standard input. A member's name stands behind its archive's.
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

/// A log: one file, or a file with those that it was rotated into, the oldest first.
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
pub(crate) fn find(
    request: &Request,
    refused: &mut Vec<Refusal>,
    cancel: &AtomicBool,
) -> Result<Vec<Group>, CollectError> {
    let follow = request.follow.as_ref();
    let mut inputs = Vec::new();
    for path in &request.logs {
        if path.as_os_str() == "-" {
            inputs.push(stream(path, patient::start(|| Ok(io::stdin())), follow, cancel)?);
            continue;
        }
        if let Some(via) = &request.via {
            inputs.extend(elsewhere(via, path, follow, refused, cancel)?);
            continue;
        }
        let about = fs::metadata(path).map_err(|error| unreadable(path, error))?;
        if about.is_dir() {
            inputs.extend(of_folder(path, refused)?);
            if follow.is_some() {
                refused.push(Refusal { what: shown(path), why: NOT_FOLLOWED.to_owned() });
            }
        } else if about.is_file() && follow.is_some() {
            let opened = path.clone();
            inputs.push(stream(path, patient::start(move || Growing::open(opened)), follow, cancel)?);
        } else if about.is_file() {
            let file = LogFile::look(path.clone()).map_err(|error| unreadable(path, error))?;
            inputs.extend(plan(&[file], false, refused));
        } else {
            // A pipe: `<(docker logs synapse)`.
            let opened = path.clone();
            inputs.push(stream(path, patient::start(move || File::open(opened)), follow, cancel)?);
        }
    }
    Ok(rotation::group(inputs))
}

const NOT_FOLLOWED: &str = "a folder is read as it is now; to follow a log, name its file";

/// A log on another host, or the logs below a folder there, each as a stream.
fn elsewhere(
    via: &Via,
    path: &Path,
    follow: Option<&Arc<AtomicBool>>,
    refused: &mut Vec<Refusal>,
    cancel: &AtomicBool,
) -> Result<Vec<Input>, CollectError> {
    let name = path.to_string_lossy();
    let (files, left) = via.files(&name).map_err(|error| unreadable(path, error))?;
    refused.extend(left.map(|why| Refusal { what: shown(path), why }));
    let is_folder = files.first().is_none_or(|file| Path::new(file) != path);
    if is_folder && follow.is_some() {
        refused.push(Refusal { what: shown(path), why: NOT_FOLLOWED.to_owned() });
    }
    let follow = follow.filter(|_| !is_folder);
    let mut inputs = Vec::new();
    for file in files {
        let (via, followed, opened) = (via.clone(), follow.is_some(), file.clone());
        let chunks = patient::start(move || via.read(&opened, followed));
        match stream(Path::new(&file), chunks, follow, cancel) {
            Ok(input) if is_folder && !has_log_line(&input.sample) => {
                refused.push(Refusal { what: shown(&input.path), why: NO_LOG.to_owned() });
            }
            Ok(input) => inputs.push(input),
            Err(error) if is_folder => refused.push(Refusal { what: showable(&file), why: error.to_string() }),
            Err(error) => return Err(error),
        }
    }
    if inputs.is_empty() && is_folder {
        refused.push(Refusal { what: shown(path), why: NO_LOGS.to_owned() });
    }
    Ok(inputs)
}

const NO_LOG: &str = "no line of its beginning is a line of a homeserver's log";
const NO_LOGS: &str = "no log of a homeserver is in this folder";

fn has_log_line(sample: &[u8]) -> bool {
    sample.split(|byte| *byte == b'\n').any(|line| parse_line(line).is_some())
}

/// The logs below a folder.
fn of_folder(folder: &Path, refused: &mut Vec<Refusal>) -> Result<Vec<Input>, CollectError> {
    let (files, left_out) = files::walk(folder, Links::ToFiles).map_err(|error| unreadable(folder, error))?;
    refused.extend(left_out.into_iter().map(|Refusal { what, why }| Refusal { what: shown(&folder.join(what)), why }));
    let mut logs = Vec::new();
    for Found { path, .. } in files {
        match LogFile::look(path.clone()) {
            Ok(file) => logs.push(file),
            Err(error) => {
                let denied = error.kind() == io::ErrorKind::PermissionDenied;
                let hint = if denied { "; run this as a user who may read it" } else { "" };
                refused.push(Refusal { what: shown(&path), why: format!("cannot be opened: {error}{hint}") });
            }
        }
    }
    let inputs = plan(&logs, true, refused);
    if inputs.is_empty() {
        refused.push(Refusal { what: shown(folder), why: NO_LOGS.to_owned() });
    }
    Ok(inputs)
}

/// A file that may be a log.
struct LogFile {
    path: PathBuf,
    /// The same as a text.
    name: String,
    bytes: u64,
    modified: Option<i64>,
}

impl LogFile {
    fn look(path: PathBuf) -> io::Result<LogFile> {
        let about = File::open(&path)?.metadata()?;
        let modified = about.modified().ok().and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        let modified = modified.and_then(|at| i64::try_from(at.as_millis()).ok());
        Ok(LogFile { name: path.to_string_lossy().into_owned(), path, bytes: about.len(), modified })
    }
}

impl Source for LogFile {
    type Input = File;

    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<File> {
        File::open(&self.path)
    }
}

/// What of these files is read: themselves, or the members of an archive. `found`: in a folder, where other files are, too.
fn plan(files: &[LogFile], found: bool, refused: &mut Vec<Refusal>) -> Vec<Input> {
    let intake::Plan { mut members, unopened, .. } = intake::Plan::of(files);
    refused.extend(unopened.iter().map(|one| Refusal { what: one.artefact.to_string(), why: one.what.to_string() }));
    // Logs come in the order in which they were named.
    members.sort_by_key(|member| member.source);
    let mut inputs = Vec::new();
    for Member { source, name, part, .. } in members {
        let file = &files[source];
        let mut refuse = |why: String| refused.push(Refusal { what: showable(&name), why });
        let looked = sample(&file.path, &part).and_then(|(packing, sample, is_bare)| {
            let lines = is_loki_export(&sample).then(|| exported(&file.path, &part)).transpose()?;
            Ok((packing, sample, is_bare, lines))
        });
        let (packing, mut sample, is_bare, exported) = match looked {
            Ok(looked) => looked,
            Err(error) => {
                refuse(format!("cannot be opened: {error}"));
                continue;
            }
        };
        if let Some(lines) = &exported {
            sample = lines[..lines.len().min(SAMPLE_BYTES)].to_vec();
        }
        let archive = match &part {
            Part::Whole => None,
            Part::Member { archive, .. } => Some(archive.name()),
        };
        let is_whole = archive.is_none();
        if (found || !is_whole) && !has_log_line(&sample) {
            refuse(NO_LOG.to_owned());
            continue;
        }
        inputs.push(Input {
            path: if is_whole { file.path.clone() } else { name.into() },
            file: file.path.clone(),
            size: match &part {
                Part::Whole => file.bytes,
                Part::Member { bytes, .. } => *bytes,
            },
            packing: archive.unwrap_or(packing.name()),
            part,
            is_direct: packing == Packing::Plain && is_whole && is_bare && exported.is_none(),
            modified: file.modified,
            sample,
            // The text was extracted from a document, so its bytes are not those of the file.
            stream: exported.map(|read| Stream { read, rest: Mutex::new(None), enough: None }),
        });
    }
    inputs
}

/// The lines of a log that is one JSON document, as Loki exports it.
fn exported(path: &Path, part: &Part) -> io::Result<Vec<u8>> {
    let why = "it begins as an export of Loki's and is none, or is longer than 256 MiB; export it as lines, with `logcli -o jsonl`";
    let document = unpack::whole(unpack::open::open(File::open(path)?, part)?, EXPORT_BYTES_MAX, why)?;
    lines_of_export(&document).ok_or_else(|| io::Error::new(io::ErrorKind::InvalidData, why))
}

/// How a text is packed, its beginning, and whether nothing stands around it in its file, as far as that beginning shows.
fn sample(path: &Path, part: &Part) -> io::Result<(Packing, Vec<u8>, bool)> {
    let mut head = Vec::new();
    File::open(path)?.take(SAMPLE_BYTES as u64).read_to_end(&mut head)?;
    let mut text = unpack::open::open(File::open(path)?, part)?;
    Ok((text.input().packing(), sample_of(&mut text)?, unpack::peel::is_bare(&head)))
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
    let mut text = unpack::open::open_stream(&read[..]).map_err(|error| unreadable(path, error))?;
    let (packing, sample) = (text.input().packing().name(), sample_of(&mut text).unwrap_or_default());
    let stream = Some(Stream { read, rest: Mutex::new(Some(rest)), enough: follow.cloned() });
    Ok(Input { path: path.to_owned(), packing, sample, stream, ..Input::default() })
}

/// The beginning of a text. Bytes before an error are used; the error itself is reported later, when the text is read.
///
/// # Errors
/// If the first read fails.
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
                return Ok(Box::new(unpack::open::open(Counting { inner, read }, &self.part)?));
            };
            let rest = stream.rest.lock().unwrap_or_else(PoisonError::into_inner).take();
            let rest = rest.map(|chunks| Patient::new(chunks, cancel, stream.enough.clone()));
            let rest: Box<dyn Read + Send + 'c> = match rest {
                Some(rest) => Box::new(rest),
                None => Box::new(io::empty()),
            };
            let inner = io::Cursor::new(stream.read.clone()).chain(rest);
            Ok(Box::new(unpack::open::open_stream(Counting { inner, read })?))
        };
        opened().map_err(|error| unreadable(&self.path, error))
    }

    /// Whether it is a stream, which can be read only once.
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

/// Reports to `progress` that an input begins.
pub(crate) fn announce(input: &Input, progress: &dyn Progress) {
    progress.file_started(&shown(&input.path), (!input.is_stream()).then_some(input.size));
}

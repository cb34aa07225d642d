//! Which files to read, and in which order.

use std::collections::BTreeSet;
use std::fs::{self, File, FileType};
use std::io::{self, BufRead};
use std::path::{Path, PathBuf};

use crypto_diag_triage::bundle::{ArtefactKind, HEAD_BYTES};
use crypto_diag_triage::problem::{Place, Problem};

use crate::progress::Bar;
use crate::unpack::{peek, unpack, unpacked_name};

/// Files of one folder that are read at most; a bundle has a dozen.
const FILES_MAX: usize = 10_000;

/// Folders within folders.
const DEPTH_MAX: usize = 8;

/// A reader of unpacked text.
pub type Text = Box<dyn BufRead + Send>;

/// One file, its kind told already.
pub struct Input {
    /// Its name, relative to its folder; hostile.
    pub name: String,
    /// Its kind.
    pub kind: ArtefactKind,
    source: Source,
}

enum Source {
    /// Opened again when its turn comes, so that many files need no many descriptors.
    File(PathBuf),
    /// A pipe, which gives its bytes once.
    Open(Text),
}

/// What was found.
#[derive(Default)]
pub struct Inputs {
    /// In the order in which they are best read.
    pub list: Vec<Input>,
    /// Bytes of all files, as they are on the disk.
    pub bytes: u64,
    /// What could not be opened.
    pub problems: Vec<Problem>,
    /// What could be opened and is nothing that can be used.
    pub passed: Vec<Problem>,
    seen: BTreeSet<PathBuf>,
}

impl Input {
    /// Opens it for reading.
    ///
    /// # Errors
    /// If that fails, for instance because it vanished.
    pub fn open(self, progress: &Bar) -> io::Result<Text> {
        match self.source {
            Source::File(path) => unpack(progress.of(File::open(path)?)),
            Source::Open(text) => Ok(text),
        }
    }
}

impl Inputs {
    /// Looks at what was named on the command line: folders, files, pipes, `-`.
    pub fn find(paths: &[PathBuf]) -> Inputs {
        let mut inputs = Inputs::default();
        for path in paths {
            inputs.add(path);
        }
        // One kind's files by name, so that the answer does not depend on the order of a folder.
        inputs.list.sort_by(|one, other| (one.kind.order(), &one.name).cmp(&(other.kind.order(), &other.name)));
        inputs
    }

    fn add(&mut self, path: &Path) {
        if path == Path::new("-") {
            let done = self.add_open("standard input", io::stdin());
            self.note("standard input", done);
            return;
        }
        let name = path.display().to_string();
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.add_folder(path, "", 0),
            Ok(found) if found.is_file() => self.add_file(path, path.file_name().map_or(name, lossy)),
            // A pipe: `<(psql …)`.
            Ok(_) => {
                let done = File::open(path).and_then(|file| self.add_open(&name, file));
                self.note(&name, done);
            }
            Err(error) => self.note(&name, Err(error)),
        }
    }

    fn add_folder(&mut self, folder: &Path, prefix: &str, depth: usize) {
        let shown = if prefix.is_empty() { folder.display().to_string() } else { prefix.to_owned() };
        let entries = match fs::read_dir(folder) {
            Ok(entries) => entries,
            Err(error) => return self.note(&shown, Err(error)),
        };
        let mut found: Vec<(PathBuf, String, FileType)> = Vec::new();
        for entry in entries {
            match entry.and_then(|entry| Ok((entry.path(), lossy(&entry.file_name()), entry.file_type()?))) {
                Ok(entry) => found.push(entry),
                Err(error) => self.note(&shown, Err(error)),
            }
        }
        found.sort_by(|one, other| one.1.cmp(&other.1));
        for (path, file, kind) in found {
            let name = format!("{prefix}{file}");
            // A symbolic link in a bundle that somebody sent may point anywhere.
            if kind.is_symlink() {
                self.problem(
                    &name,
                    "it is a symbolic link, which is not followed inside a folder; name the file itself",
                );
            } else if kind.is_dir() && file.starts_with('.') {
            } else if kind.is_dir() && depth < DEPTH_MAX {
                self.add_folder(&path, &format!("{name}/"), depth + 1);
            } else if kind.is_dir() {
                self.problem(&name, "it lies too deep; name it itself");
            } else if !kind.is_file() {
                self.problem(&name, "it is no file; left out");
            } else if self.list.len() >= FILES_MAX {
                return self.problem(&shown, "it has too many files; the rest is left out");
            } else {
                self.add_file(&path, name);
            }
        }
    }

    fn add_file(&mut self, path: &Path, name: String) {
        // The same file may be named twice, as itself and in its folder: read twice, it would confirm itself.
        if !self.seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())) {
            return;
        }
        let done = (|| {
            let file = File::open(path)?;
            let bytes = file.metadata()?.len();
            let (head, _) = peek(unpack(file)?, HEAD_BYTES)?;
            let kind = ArtefactKind::guess(unpacked_name(&name), &head);
            self.bytes += bytes;
            self.push(Input { name: name.clone(), kind, source: Source::File(path.to_owned()) }, &head);
            Ok(())
        })();
        self.note(&name, done);
    }

    /// What is passed over is named, unless it is known to be of no use here: notes, and answers of this program.
    fn push(&mut self, input: Input, head: &[u8]) {
        let file = input.name.rsplit('/').next().unwrap_or(&input.name);
        let is_note = file == "label.json" || [".jsonl", ".html", ".md"].iter().any(|end| file.ends_with(end));
        let is_answer = String::from_utf8_lossy(head).contains(crypto_diag_triage::SCHEMA_NAME);
        if input.kind == ArtefactKind::Other && !is_note && !is_answer {
            let what = "it is neither a report nor a HAR, a log or a query's result; left out".to_owned();
            self.passed.push(Problem { artefact: input.name.clone(), place: Place::Whole, what });
        }
        self.list.push(input);
    }

    fn add_open(&mut self, name: &str, input: impl io::Read + Send + 'static) -> io::Result<()> {
        let (head, text) = peek(unpack(input)?, HEAD_BYTES)?;
        let kind = ArtefactKind::guess(name, &head);
        self.push(Input { name: name.to_owned(), kind, source: Source::Open(text) }, &head);
        Ok(())
    }

    fn note(&mut self, name: &str, done: io::Result<()>) {
        if let Err(error) = done {
            self.problem(name, &format!("cannot be opened: {error}"));
        }
    }

    fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(Problem { artefact: name.to_owned(), place: Place::Whole, what: what.to_owned() });
    }
}

fn lossy(name: &std::ffi::OsStr) -> String {
    name.to_string_lossy().into_owned()
}

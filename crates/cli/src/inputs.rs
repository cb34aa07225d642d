//! The files that were named: folders walked (`crypto_diag_collect::files`), pipes spooled. What is in them is told by
//! `crypto_diag_triage::intake`.

use std::cell::Cell;
use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use crypto_diag_collect::files::{Links, walk};
use crypto_diag_triage::bundle::Refusal;
use crypto_diag_triage::intake::Source;
use crypto_diag_triage::problem::Problem;
use crypto_diag_triage::unpack::open::Part;

use crate::progress::Bar;

/// One file.
pub struct Input {
    /// Its name, relative to its folder; hostile.
    name: String,
    content: Content,
    /// Where its bytes are counted, once it is read and not only looked at.
    pub bar: Cell<Option<Bar>>,
}

enum Content {
    /// Opened when its turn comes: a process may have some hundred files open.
    File(PathBuf),
    /// A member of a zip that is taken for a folder.
    Member(PathBuf, Part),
    /// What a pipe gave, in a file without a name.
    Spooled(File),
}

impl Input {
    /// The file that it is, unless it came out of a pipe or lies in a zip.
    pub fn path(&self) -> Option<&Path> {
        match &self.content {
            Content::File(path) => Some(path),
            Content::Member(..) | Content::Spooled(_) => None,
        }
    }
}

impl Source for Input {
    type Input = Counted;

    fn name(&self) -> &str {
        &self.name
    }

    fn open(&self) -> io::Result<Counted> {
        let file = match &self.content {
            Content::File(path) | Content::Member(path, _) => File::open(path)?,
            Content::Spooled(file) => {
                let mut file = file.try_clone()?;
                file.rewind()?;
                file
            }
        };
        Ok(Counted { file, bar: self.bar.take() })
    }

    fn part(&self) -> Part {
        match &self.content {
            Content::Member(_, part) => part.clone(),
            Content::File(_) | Content::Spooled(_) => Part::Whole,
        }
    }
}

/// A file whose bytes are counted as they are read.
#[derive(Debug)]
pub struct Counted {
    file: File,
    bar: Option<Bar>,
}

impl Read for Counted {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read(buffer)?;
        if let Some(bar) = &self.bar {
            bar.advance(length as u64);
        }
        Ok(length)
    }
}

impl Seek for Counted {
    fn seek(&mut self, to: SeekFrom) -> io::Result<u64> {
        self.file.seek(to)
    }
}

/// What was found.
#[derive(Default)]
pub struct Inputs {
    /// In no order that matters.
    pub list: Vec<Input>,
    /// Bytes of all files, as they are on the disk.
    pub bytes: u64,
    /// What could not be opened.
    pub problems: Vec<Problem>,
    seen: BTreeSet<PathBuf>,
}

impl Inputs {
    /// Looks at what was named on the command line: folders, files, pipes, `-`.
    pub fn find(paths: &[PathBuf]) -> Inputs {
        let mut inputs = Inputs::default();
        for path in paths {
            inputs.add(path);
        }
        inputs
    }

    /// Members of a zip that is taken for a folder, each by its name in that folder.
    pub fn of_zip<'m>(zip: &Path, members: impl Iterator<Item = (&'m str, &'m Part)>) -> Inputs {
        let mut inputs = Inputs { bytes: fs::metadata(zip).map_or(0, |about| about.len()), ..Inputs::default() };
        for (name, part) in members {
            inputs.push(name.to_owned(), Content::Member(zip.to_owned(), part.clone().without_name()));
        }
        inputs
    }

    fn add(&mut self, path: &Path) {
        if path == Path::new("-") {
            return self.spool("standard input", Ok(io::stdin()));
        }
        let name = path.display().to_string();
        match fs::metadata(path) {
            Ok(found) if found.is_dir() => self.add_folder(path),
            Ok(found) if found.is_file() => {
                self.add_file(path, path.file_name().map_or(name, |file| file.to_string_lossy().into_owned()))
            }
            // A pipe: `<(psql …)`.
            Ok(_) => self.spool(&name, File::open(path)),
            Err(error) => self.note(&name, &error),
        }
    }

    fn add_folder(&mut self, folder: &Path) {
        let shown = folder.display().to_string();
        let (files, refused) = match walk(folder, Links::Refused) {
            Ok(found) => found,
            Err(error) => return self.note(&shown, &error),
        };
        for Refusal { what, why } in refused {
            self.problem(if what.is_empty() { &shown } else { &what }, &why);
        }
        for file in files {
            self.add_file(&file.path, file.name);
        }
    }

    fn add_file(&mut self, path: &Path, name: String) {
        // The same file may be named twice, as itself and in its folder: read twice, it would confirm itself.
        if !self.seen.insert(fs::canonicalize(path).unwrap_or_else(|_| path.to_owned())) {
            return;
        }
        self.bytes += fs::metadata(path).map_or(0, |about| about.len());
        self.push(name, Content::File(path.to_owned()));
    }

    /// Keeps what a pipe gives: its first bytes tell what it is, and a zip is read from its end.
    fn spool(&mut self, name: &str, input: io::Result<impl Read>) {
        let spooled = input.and_then(|mut input| {
            let mut file = tempfile::tempfile()?;
            let bytes = io::copy(&mut input, &mut file)?;
            Ok((file, bytes))
        });
        match spooled {
            Ok((file, bytes)) => {
                self.bytes += bytes;
                self.push(name.to_owned(), Content::Spooled(file));
            }
            Err(error) => self.note(name, &error),
        }
    }

    fn push(&mut self, name: String, content: Content) {
        self.list.push(Input { name, content, bar: Cell::default() });
    }

    fn note(&mut self, name: &str, error: &io::Error) {
        self.problem(name, &format!("cannot be opened: {error}"));
    }

    fn problem(&mut self, name: &str, what: &str) {
        self.problems.push(Problem::whole(name, what));
    }
}

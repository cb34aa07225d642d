//! All files of a bag, as they lie on the disk or in a zip. Nothing is left out, and no link is followed: what a list names is only ever
//! opened where it was found here.

use std::collections::BTreeMap;
use std::collections::btree_map::Entry;
use std::fs::File;
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crypto_diag_collect::files::name_in;
use crypto_diag_triage::unpack::open::{self, Part};
use walkdir::WalkDir;

use super::list::is_inside;
use super::{Finding, PAYLOAD, TAG_LIST};
use crate::inputs::Inputs;

/// Files and folders that are looked at at most.
const ENTRIES_MAX: usize = 100_000;

/// The files of a bag by their names in it, with `/` between the parts.
#[derive(Debug)]
pub struct Files {
    /// The folder or the zip.
    root: PathBuf,
    /// What a file is of `root`: the whole of a file in the folder, or a member of the zip.
    found: BTreeMap<String, Part>,
    /// What is there and no file: links, pipes, what cannot be opened.
    pub refused: Vec<Finding>,
}

impl Files {
    /// Looks for them in a folder, or in a zip of one.
    ///
    /// # Errors
    /// If it cannot be read, or is neither.
    pub fn of(root: &Path) -> io::Result<Files> {
        let mut files = Files { root: root.to_owned(), found: BTreeMap::new(), refused: Vec::new() };
        if root.is_file() {
            files.find_in_zip()?
        } else {
            files.find_in_folder()?
        }
        Ok(files)
    }

    fn find_in_folder(&mut self) -> io::Result<()> {
        for (count, entry) in WalkDir::new(&self.root).into_iter().enumerate() {
            if count == ENTRIES_MAX {
                let why = format!("it has more than {ENTRIES_MAX} files and folders; the rest was not looked at");
                self.refused.push(Finding::new("the folder", why));
                break;
            }
            match entry {
                Ok(entry) => {
                    let name = name_in(&self.root, entry.path());
                    if entry.file_type().is_file() {
                        self.found.insert(name, Part::Whole);
                    } else if entry.file_type().is_symlink() {
                        self.refused.push(Finding::new(name, "is a link; a bag has files alone"));
                    } else if !entry.file_type().is_dir() {
                        self.refused.push(Finding::new(name, "is neither a file nor a folder"));
                    }
                }
                Err(error) => {
                    let (name, depth) = (error.path().map(|path| name_in(&self.root, path)), error.depth());
                    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("it leads in a circle"));
                    if depth == 0 {
                        return Err(error);
                    }
                    self.refused.push(Finding::new(name.unwrap_or_default(), format!("cannot be read: {error}")));
                }
            }
        }
        Ok(())
    }

    /// A zip of a bag has one folder with all that is in it (RFC 8493, 4).
    fn find_in_zip(&mut self) -> io::Result<()> {
        let (members, unread) = open::members_of_zip(File::open(&self.root)?)?;
        for (name, why) in unread {
            self.refused.push(Finding::new(name, format!("cannot be read: {why}")));
        }
        let mut folder = None;
        for member in members {
            let name = member.name().to_owned();
            let inside = name.split_once('/').filter(|(_, rest)| is_inside(rest));
            let why = match inside {
                Some((first, rest)) if folder.get_or_insert_with(|| first.to_owned()) == first => {
                    match self.found.entry(rest.to_owned()) {
                        Entry::Vacant(free) => {
                            free.insert(member);
                            continue;
                        }
                        Entry::Occupied(_) => "is there twice",
                    }
                }
                _ => "does not lie in the one folder that a zip of a bag has",
            };
            self.refused.push(Finding::new(name, why));
        }
        Ok(())
    }

    /// Whether a file is there.
    pub fn has(&self, name: &str) -> bool {
        self.found.contains_key(name)
    }

    /// A file's bytes.
    ///
    /// # Errors
    /// If it is not there, or cannot be read.
    pub fn open(&self, name: &str) -> io::Result<Box<dyn Read>> {
        match self.found.get(name).ok_or(io::ErrorKind::NotFound)? {
            Part::Whole => Ok(Box::new(File::open(self.root.join(name))?)),
            member => Ok(Box::new(open::stored(File::open(&self.root)?, member)?)),
        }
    }

    /// The payload, to be judged.
    pub fn inputs(&self) -> Inputs {
        if self.root.is_dir() {
            return Inputs::find(&[self.root.join(PAYLOAD)]);
        }
        let members = self.found.iter().filter_map(|(name, part)| Some((in_payload(name)?, part)));
        Inputs::of_zip(&self.root, members)
    }

    /// The names of the files of the payload.
    pub fn payload(&self) -> impl Iterator<Item = &str> {
        self.all().filter(|name| in_payload(name).is_some())
    }

    /// What stands beside the payload, but for the list of it.
    pub fn texts(&self) -> impl Iterator<Item = &str> {
        self.all().filter(|name| in_payload(name).is_none() && *name != TAG_LIST)
    }

    /// The names of all.
    pub fn all(&self) -> impl ExactSizeIterator<Item = &str> {
        self.found.keys().map(String::as_str)
    }
}

/// The name of a file within the payload, if it is one of it.
pub fn in_payload(name: &str) -> Option<&str> {
    name.strip_prefix(PAYLOAD)?.strip_prefix('/')
}

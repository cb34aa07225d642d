//! All files of a bag, as they lie on the disk. Nothing is left out, and no link is followed: what a list names is only ever opened
//! where it was found here.

use std::collections::BTreeMap;
use std::io;
use std::path::{Path, PathBuf};

use crypto_diag_collect::files::name_in;
use walkdir::WalkDir;

use super::{Finding, PAYLOAD, TAG_LIST};

/// Files and folders that are looked at at most.
const ENTRIES_MAX: usize = 100_000;

/// The files of a bag by their names in it, with `/` between the parts.
#[derive(Debug, Default)]
pub struct Files {
    found: BTreeMap<String, PathBuf>,
    /// What is there and no file: links, pipes, what cannot be opened.
    pub refused: Vec<Finding>,
}

impl Files {
    /// Looks for them.
    ///
    /// # Errors
    /// If the folder itself cannot be read.
    pub fn of(root: &Path) -> io::Result<Files> {
        let mut files = Files::default();
        for (count, entry) in WalkDir::new(root).into_iter().enumerate() {
            if count == ENTRIES_MAX {
                let why = format!("it has more than {ENTRIES_MAX} files and folders; the rest was not looked at");
                files.refused.push(Finding::new("the folder", why));
                break;
            }
            match entry {
                Ok(entry) => {
                    let name = name_in(root, entry.path());
                    if entry.file_type().is_file() {
                        files.found.insert(name, entry.into_path());
                    } else if entry.file_type().is_symlink() {
                        files.refused.push(Finding::new(name, "is a link; a bag has files alone"));
                    } else if !entry.file_type().is_dir() {
                        files.refused.push(Finding::new(name, "is neither a file nor a folder"));
                    }
                }
                Err(error) => {
                    let (name, depth) = (error.path().map(|path| name_in(root, path)), error.depth());
                    let error = error.into_io_error().unwrap_or_else(|| io::Error::other("it leads in a circle"));
                    if depth == 0 {
                        return Err(error);
                    }
                    files.refused.push(Finding::new(name.unwrap_or_default(), format!("cannot be read: {error}")));
                }
            }
        }
        Ok(files)
    }

    /// Where a file lies.
    pub fn path(&self, name: &str) -> Option<&Path> {
        self.found.get(name).map(PathBuf::as_path)
    }

    /// The files of the payload.
    pub fn payload(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.all().filter(|(name, _)| is_payload(name))
    }

    /// What stands beside the payload, but for the list of it.
    pub fn texts(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.all().filter(|(name, _)| !is_payload(name) && *name != TAG_LIST)
    }

    /// How many there are.
    pub fn count(&self) -> usize {
        self.found.len()
    }

    fn all(&self) -> impl Iterator<Item = (&str, &Path)> {
        self.found.iter().map(|(name, path)| (name.as_str(), path.as_path()))
    }
}

/// Whether a name is one of the payload.
pub(super) fn is_payload(name: &str) -> bool {
    name.strip_prefix(PAYLOAD).is_some_and(|rest| rest.starts_with('/'))
}

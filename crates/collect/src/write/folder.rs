//! The bundle's folder: its files, their sizes and hashes.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::ManifestFile;
use sha2::{Digest, Sha256};

use crate::error::CollectError;
use crate::write::private;

/// The bundle's own list, which is written last.
pub(crate) const MANIFEST: &str = "manifest.json";

/// Folders of one name that are made at most.
const SAME_NAME_MAX: u32 = 1000;

/// The folder.
#[derive(Debug)]
pub(crate) struct Folder {
    pub path: PathBuf,
    pub files: Vec<ManifestFile>,
}

impl Folder {
    /// Makes a new folder; where there is one of that name, with a number behind it. Nothing is ever overwritten. `inside`: a
    /// folder in it that takes the files.
    pub fn create(parent: &Path, name: &str, inside: Option<&str>) -> Result<Folder, CollectError> {
        private::create_folders(parent).map_err(|error| unwritable(parent, error))?;
        for number in 1..SAME_NAME_MAX {
            let path = parent.join(if number == 1 { name.to_owned() } else { format!("{name}-{number}") });
            match private::create_folder(&path) {
                Ok(()) => {
                    let Some(inside) = inside else { return Ok(Folder { path, files: Vec::new() }) };
                    let path = path.join(inside);
                    private::create_folder(&path).map_err(|error| unwritable(&path, error))?;
                    return Ok(Folder { path, files: Vec::new() });
                }
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
                Err(error) => return Err(unwritable(&path, error)),
            }
        }
        Err(unwritable(&parent.join(name), io::ErrorKind::AlreadyExists.into()))
    }

    /// A name that is not taken: `name.ending`, or with a number.
    pub fn free_name(&self, name: &str, ending: &str) -> String {
        let taken = |name: &str| name == MANIFEST || self.files.iter().any(|file| file.name == name);
        let numbered =
            |number: u32| if number == 1 { format!("{name}{ending}") } else { format!("{name}-{number}{ending}") };
        (1..).map(numbered).find(|name| !taken(name)).unwrap_or_default()
    }

    /// Begins a file; the folders in its name are made.
    pub fn begin(&self, name: &str) -> Result<Writing, CollectError> {
        let path = self.path.join(name);
        if let Some((folders, _)) = name.rsplit_once('/') {
            let folders = self.path.join(folders);
            private::create_folders(&folders).map_err(|error| unwritable(&folders, error))?;
        }
        let file = private::create_file(&path).map_err(|error| unwritable(&path, error))?;
        Ok(Writing { file, path, name: name.to_owned(), hash: Sha256::new(), size: 0 })
    }

    /// Takes a file of this run away again, so that it can be written anew.
    pub fn discard(&mut self, name: &str) -> Result<(), CollectError> {
        let path = self.path.join(name);
        fs::remove_file(&path).map_err(|error| unwritable(&path, error))?;
        self.files.retain(|file| file.name != name);
        Ok(())
    }

    /// Ends a file and lists it.
    pub fn end(&mut self, writing: Writing, kind: ArtefactKind) {
        let sha256 = writing.hash.finalize().iter().map(|byte| format!("{byte:02x}")).collect();
        self.files.push(ManifestFile { name: writing.name, kind: Some(kind), size: writing.size, sha256 });
    }

    /// Writes a whole file.
    pub fn write(&mut self, name: &str, kind: ArtefactKind, content: &[u8]) -> Result<(), CollectError> {
        let mut writing = self.begin(name)?;
        writing.write(content)?;
        self.end(writing, kind);
        Ok(())
    }
}

/// A file that is being written.
#[derive(Debug)]
pub(crate) struct Writing {
    file: File,
    path: PathBuf,
    name: String,
    hash: Sha256,
    size: u64,
}

impl Writing {
    pub fn write(&mut self, bytes: &[u8]) -> Result<(), CollectError> {
        self.file.write_all(bytes).map_err(|error| unwritable(&self.path, error))?;
        self.hash.update(bytes);
        self.size += bytes.len() as u64;
        Ok(())
    }
}

pub(crate) fn unwritable(path: &Path, error: io::Error) -> CollectError {
    CollectError::Unwritable { path: path.to_owned(), error }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_is_overwritten() {
        let parent = tempfile::tempdir().unwrap();
        let first = Folder::create(parent.path(), "x", None).unwrap();
        let second = Folder::create(parent.path(), "x", None).unwrap();
        assert_eq!((first.path, second.path), (parent.path().join("x"), parent.path().join("x-2")));
    }

    #[test]
    fn a_file_is_listed_with_its_hash() {
        let parent = tempfile::tempdir().unwrap();
        let mut folder = Folder::create(parent.path(), "x", None).unwrap();
        folder.write("a.txt", ArtefactKind::Other, b"abc").unwrap();
        let wanted = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
        assert_eq!((folder.files[0].size, folder.files[0].sha256.as_str()), (3, wanted));
        assert_eq!((folder.free_name("a", ".txt"), folder.free_name("b", ".txt")), ("a-2.txt".into(), "b.txt".into()));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_can_read_a_bundle() {
        use std::os::unix::fs::PermissionsExt;
        let parent = tempfile::tempdir().unwrap();
        let out = parent.path().join("made/too");
        let mut folder = Folder::create(&out, "x", Some("inside")).unwrap();
        folder.write("a.txt", ArtefactKind::Other, b"abc").unwrap();
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(folder.path, out.join("x/inside"));
        assert_eq!((mode(&out), mode(&out.join("x")), mode(&folder.path)), (0o700, 0o700, 0o700));
        folder.write("b/c.txt", ArtefactKind::Other, b"abc").unwrap();
        assert_eq!(mode(&folder.path.join("b")), 0o700);
        for file in ["a.txt", "b/c.txt"] {
            assert_eq!(mode(&folder.path.join(file)), 0o600);
        }
    }

    #[cfg(unix)]
    #[test]
    fn nothing_is_written_through_a_link() {
        let parent = tempfile::tempdir().unwrap();
        let elsewhere = parent.path().join("elsewhere");
        std::os::unix::fs::symlink(&elsewhere, parent.path().join("x")).unwrap();
        let folder = Folder::create(parent.path(), "x", None).unwrap();
        assert_eq!(folder.path, parent.path().join("x-2"), "a link that leads nowhere is no free name");
        std::os::unix::fs::symlink(&elsewhere, folder.path.join("manifest.json")).unwrap();
        let error = folder.begin("manifest.json").unwrap_err().to_string();
        assert!(error.contains("manifest.json: cannot be written") && !elsewhere.exists(), "{error}");
    }

    #[cfg(target_os = "linux")]
    #[test]
    fn a_full_disk_is_an_error_that_names_the_file_and_what_to_do() {
        let path = PathBuf::from("/dev/full");
        let file = File::options().write(true).open(&path).unwrap();
        let mut writing = Writing { file, path, name: "full".to_owned(), hash: Sha256::new(), size: 0 };
        let error = writing.write(b"abc").unwrap_err().to_string();
        assert!(error.starts_with("/dev/full: cannot be written") && error.contains("make room"), "{error}");
    }
}

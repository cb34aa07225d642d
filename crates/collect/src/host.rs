//! Files of the server's host: of this machine, or of where `--via` leads.

use std::fs::{self, File};
use std::io::{self, Read};
use std::path::{Path, PathBuf};

use crate::source::rotation;
use crate::via::{self, Via};

/// Prints the words of each process, one a line, and a zero byte behind each process.
const COMMAND_LINES: &str =
    r#"for process in /proc/[0-9]*/cmdline; do tr '\0' '\n' < "$process"; printf '\0'; done 2> /dev/null; true"#;

/// Where the server's files are.
#[derive(Clone, Copy, Debug)]
pub struct Host<'v>(Option<&'v Via>);

impl<'v> Host<'v> {
    /// Where a command leads; without one, this machine.
    pub fn of(via: Option<&'v Via>) -> Self {
        Host(via)
    }

    /// Whether it is another one than this machine.
    pub fn is_elsewhere(self) -> bool {
        self.0.is_some()
    }

    /// What is in a file.
    ///
    /// # Errors
    /// If it is no file, may not be read, or has more than so many bytes.
    pub fn read(self, path: &Path, bytes_max: u64) -> io::Result<Vec<u8>> {
        let mut bytes = Vec::new();
        let most = bytes_max.saturating_add(1);
        match self.0 {
            Some(via) => via.read(&path.to_string_lossy(), false)?.take(most).read_to_end(&mut bytes)?,
            // Reading a pipe would block.
            None if !fs::metadata(path)?.is_file() => return Err(io::Error::other("it is no file")),
            None => File::open(path)?.take(most).read_to_end(&mut bytes)?,
        };
        if bytes.len() as u64 > bytes_max {
            return Err(io::Error::other(format!("it has more than {bytes_max} bytes")));
        }
        Ok(bytes)
    }

    /// The files that lie in a folder itself, and links to files, by name; `None` if it is no folder.
    ///
    /// # Errors
    /// If it is not there, or may not be read.
    pub fn files_in(self, folder: &Path) -> io::Result<Option<Vec<PathBuf>>> {
        if let Some(via) = self.0 {
            let found = via.files_in(&folder.to_string_lossy())?;
            return Ok(found.map(|names| names.into_iter().map(PathBuf::from).collect()));
        }
        if !fs::metadata(folder)?.is_dir() {
            return Ok(None);
        }
        let entries = fs::read_dir(folder)?.map(|entry| Ok(entry?.path())).collect::<io::Result<Vec<PathBuf>>>()?;
        let mut files: Vec<PathBuf> = entries.into_iter().filter(|path| path.is_file()).collect();
        files.sort();
        Ok(Some(files))
    }

    /// What a program prints there; `None` if it is not there, or fails.
    pub fn output(self, program: &[&str]) -> Option<String> {
        let printed = via::output(self.0, program).ok()?;
        Some(String::from_utf8_lossy(&printed).into_owned())
    }

    /// The words of the commands that run there, as far as they may be seen.
    pub fn command_lines(self) -> Vec<Vec<String>> {
        let words = |text: &[u8], end: u8| {
            let words = text.split(|byte| *byte == end).filter(|word| !word.is_empty());
            words.map(|word| String::from_utf8_lossy(word).into_owned()).collect::<Vec<_>>()
        };
        if let Some(via) = self.0 {
            let printed = via.output(&["sh", "-c", COMMAND_LINES]).unwrap_or_default();
            return printed.split(|byte| *byte == 0).map(|line| words(line, b'\n')).collect();
        }
        let processes = fs::read_dir("/proc").into_iter().flatten().flatten();
        processes
            .filter_map(|process| fs::read(process.path().join("cmdline")).ok())
            .map(|line| words(&line, 0))
            .collect()
    }

    /// A log and the files that it was rotated into; none if the log itself is not there.
    pub fn rotated(self, log: &Path) -> Vec<PathBuf> {
        let Some(folder) = log.parent() else { return Vec::new() };
        let files = self.files_in(folder).ok().flatten().unwrap_or_default();
        if !files.iter().any(|file| file == log) {
            return Vec::new();
        }
        files.into_iter().filter(|file| rotation::stem(file) == log || file == log).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_log_comes_with_what_it_was_rotated_into_and_with_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let names = ["homeserver.log", "homeserver.log.1", "homeserver.log.2026-11-22.gz"];
        for name in names.iter().chain(&["homeserver.log.bak", "worker.log", "homeserver.db"]) {
            fs::write(folder.path().join(name), "x").unwrap();
        }
        fs::create_dir(folder.path().join("homeserver.log.3")).unwrap();
        let host = Host::of(None);
        let found = host.rotated(&folder.path().join("homeserver.log"));
        assert_eq!(found, names.map(|name| folder.path().join(name)));
        assert!(host.rotated(&folder.path().join("gone.log")).is_empty());
    }

    #[test]
    fn a_file_is_read_within_bounds() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.yaml");
        fs::write(&path, "12345").unwrap();
        let host = Host::of(None);
        assert_eq!(host.read(&path, 5).unwrap(), b"12345");
        assert!(host.read(&path, 4).unwrap_err().to_string().contains("more than 4 bytes"));
        assert!(host.read(folder.path(), 4).unwrap_err().to_string().contains("no file"));
    }
}

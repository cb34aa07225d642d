//! Why a run ended without a bundle.

use std::path::PathBuf;
use std::{fmt, io};

/// Why nothing, or nothing more, could be gathered. Every variant names the file, the place and what to do.
#[derive(Debug)]
#[non_exhaustive]
pub enum CollectError {
    /// Neither a report nor ids by hand name anything to look for.
    NothingToLookFor,
    /// A file that was named cannot be read.
    Unreadable {
        /// Which.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// A report is none.
    NoReport {
        /// Which.
        path: PathBuf,
        /// Why, in a sentence.
        why: String,
    },
    /// The bundle cannot be written: a full disk, a missing permission.
    Unwritable {
        /// Which file of it.
        path: PathBuf,
        /// Why.
        error: io::Error,
    },
    /// The window ends before it begins.
    EmptyWindow,
}

impl fmt::Display for CollectError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            CollectError::NothingToLookFor => f.write_str(
                "there is nothing to look for: give a report (--report FILE), or ids by hand such as --user @alice:example.org",
            ),
            CollectError::Unreadable { path, error } => {
                let remedy = match error.kind() {
                    io::ErrorKind::NotFound => "check the path; if the log was rotated meanwhile, give the folder",
                    io::ErrorKind::PermissionDenied => "run it as a user who may read it",
                    _ => "check the file and its disk",
                };
                write!(f, "{}: cannot be read: {error}; {remedy}", path.display())
            }
            CollectError::NoReport { path, why } => write!(f, "{}: {why}", path.display()),
            CollectError::Unwritable { path, error } => {
                let remedy = match error.kind() {
                    io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded | io::ErrorKind::WriteZero => {
                        "make room, or choose another disk with --out"
                    }
                    io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => {
                        "choose a folder that may be written with --out"
                    }
                    _ => "check the disk, or choose another folder with --out",
                };
                write!(f, "{}: cannot be written: {error}; {remedy}", path.display())
            }
            CollectError::EmptyWindow => f.write_str("the window ends before it begins: check --since and --until"),
        }
    }
}

impl std::error::Error for CollectError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            CollectError::Unreadable { error, .. } | CollectError::Unwritable { error, .. } => Some(error),
            _ => None,
        }
    }
}

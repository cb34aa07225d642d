//! Files and folders that only their owner can read, made anew: a bundle holds what users' clients and the server said.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io;
use std::path::Path;

/// Makes a file. What is there already, a link too, is left as it is.
///
/// # Errors
/// `AlreadyExists`, or why it cannot be made.
pub fn create_file(path: &Path) -> io::Result<File> {
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    options.open(path)
}

/// Makes a folder. What is there already, a link too, is left as it is.
///
/// # Errors
/// `AlreadyExists`, or why it cannot be made.
pub fn create_folder(path: &Path) -> io::Result<()> {
    builder().create(path)
}

/// Makes a folder and those above it that are missing; one that is there is used.
///
/// # Errors
/// Why one of them cannot be made.
pub fn create_folders(path: &Path) -> io::Result<()> {
    builder().recursive(true).create(path)
}

fn builder() -> DirBuilder {
    #[allow(unused_mut)]
    let mut builder = DirBuilder::new();
    #[cfg(unix)]
    std::os::unix::fs::DirBuilderExt::mode(&mut builder, 0o700);
    builder
}

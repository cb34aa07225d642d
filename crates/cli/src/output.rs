//! Where text goes. A reader that has seen enough (`| head`) is no error.

use std::fs::File;
use std::io::{self, ErrorKind, Write};
use std::path::Path;

/// Writes to standard output.
///
/// # Errors
/// In words, if it cannot be written, unless because the reader has gone.
pub fn print(text: &str) -> Result<(), String> {
    let mut out = io::stdout().lock();
    match out.write_all(text.as_bytes()).and_then(|()| out.flush()) {
        Err(error) if error.kind() != ErrorKind::BrokenPipe => {
            Err(format!("standard output cannot be written: {error}"))
        }
        _ => Ok(()),
    }
}

/// Writes a file.
///
/// # Errors
/// In words, naming the file.
pub fn write(path: &Path, text: &str) -> Result<(), String> {
    File::create(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.flush()))
        .map_err(|error| format!("{} cannot be written: {error}", path.display()))
}

/// Says what went wrong on standard error, without what acts on a terminal: file names may be anybody's.
pub fn complain(what: &str) {
    let safe: String = what
        .chars()
        .map(|character| if character.is_control() && character != '\n' { ' ' } else { character })
        .collect();
    // If even that cannot be said, the exit code says it.
    let _ = writeln!(io::stderr(), "crypto-diag: {safe}");
}

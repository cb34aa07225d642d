//! Where text goes. A reader that has seen enough (`| head`) is no error.

use std::io::{self, ErrorKind, Write};
use std::path::Path;

use crypto_diag_collect::private;
use crypto_diag_core::showable;

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

/// Writes a new file that only its owner can read: an answer quotes what users' clients said.
///
/// # Errors
/// In words, naming the file. What is there already is never overwritten, nor followed where it is a link.
pub fn write_new(path: &Path, text: &str) -> Result<(), String> {
    private::create_file(path)
        .and_then(|mut file| file.write_all(text.as_bytes()).and_then(|()| file.flush()))
        .map_err(|error| unwritable(path, &error))
}

/// Whether a new file of that name could be made, as far as that shows before it is.
///
/// # Errors
/// In words, if something is there already.
pub fn check_new(path: &Path) -> Result<(), String> {
    match path.symlink_metadata() {
        Ok(_) => Err(unwritable(path, &ErrorKind::AlreadyExists.into())),
        Err(_) => Ok(()),
    }
}

fn unwritable(path: &Path, error: &io::Error) -> String {
    let remedy = match error.kind() {
        ErrorKind::AlreadyExists => "; nothing is overwritten: give --output another name",
        _ => "",
    };
    format!("{} cannot be written: {error}{remedy}", path.display())
}

/// Says what went wrong on standard error: file names, arguments and what others said may hold secrets, and characters
/// that a terminal acts upon.
pub fn complain(what: &str) {
    // If even that cannot be said, the exit code says it.
    let _ = writeln!(io::stderr(), "crypto-diag: {}", showable(what));
}

/// A text in lines of so many characters, broken between words, with what stands before the first line and before the others.
pub fn wrapped(text: &str, first: &str, rest: &str, columns: usize) -> Vec<String> {
    let mut lines = Vec::new();
    let mut line = first.to_owned();
    let mut is_begun = false;
    for word in text.split_ascii_whitespace() {
        if is_begun && line.chars().count() + 1 + word.chars().count() > columns {
            lines.push(std::mem::replace(&mut line, rest.to_owned()));
        } else if is_begun {
            line.push(' ');
        }
        line.push_str(word);
        is_begun = true;
    }
    lines.push(line);
    lines
}

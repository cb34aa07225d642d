//! Gives the text of a file, however it is packed and encoded: archives, compressed files, byte order marks, other encodings. It also mends
//! single characters that would make a whole document unreadable. It does not know what the text says.

pub mod chunk;
mod json;
pub mod open;
pub mod peel;
mod zstd;

use std::io::{self, Read};

pub use json::{Mended, parse};

/// The largest document that is held in memory as a whole, in bytes. A report has at most one megabyte by construction.
pub const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// A file's name without the ending that says how it is packed.
pub fn unpacked_name(name: &str) -> &str {
    const ENDINGS: [&str; 6] = [".gz", ".zst", ".zstd", ".xz", ".bz2", ".GZ"];
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// Reads a whole JSON document, packed or not, as text. Mends characters that would make it unreadable.
///
/// # Errors
/// If it cannot be read, or is larger than [`DOCUMENT_BYTES_MAX`].
pub fn document(input: impl Read) -> io::Result<String> {
    mended(open::open_stream(input)?)
}

/// Does the same with a text that is already unpacked and without byte order mark.
pub(crate) fn mended(text: impl Read) -> io::Result<String> {
    let bytes = whole(Mended::new(text), DOCUMENT_BYTES_MAX, "it is too large for what it claims to be")?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}

/// All bytes of an input.
///
/// # Errors
/// If it cannot be read, or, with `why`, if it has more than `most` bytes.
pub fn whole(input: impl Read, most: u64, why: &str) -> io::Result<Vec<u8>> {
    let mut bytes = Vec::new();
    input.take(most + 1).read_to_end(&mut bytes)?;
    if bytes.len() as u64 > most {
        return Err(io::Error::new(io::ErrorKind::FileTooLarge, why));
    }
    Ok(bytes)
}

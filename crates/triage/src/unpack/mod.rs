//! The text of a file, however it is packed: archives and what compresses them, byte order marks and other encodings, characters that
//! would cost a whole document. What the text says is not known here.

pub mod chunk;
mod json;
pub mod open;
pub mod peel;
mod zstd;

use std::io::{self, Read};

pub use json::{Mended, parse};

/// Bytes of a document that is held as a whole: a report has a megabyte at most by construction.
pub const DOCUMENT_BYTES_MAX: u64 = 64 << 20;

/// A file's name without the ending that says how it is packed.
pub fn unpacked_name(name: &str) -> &str {
    const ENDINGS: [&str; 6] = [".gz", ".zst", ".zstd", ".xz", ".bz2", ".GZ"];
    ENDINGS.iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

/// A whole JSON document as text, packed or not, mended where a character would cost it.
///
/// # Errors
/// If it cannot be read, or is larger than [`DOCUMENT_BYTES_MAX`].
pub fn document(input: impl Read) -> io::Result<String> {
    mended(open::open_stream(input)?)
}

/// The same of a text that is unpacked and peeled already.
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

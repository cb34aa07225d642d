//! Reads an input piece by piece.

use std::io::{self, Read};

/// How many bytes are read from an input at once.
pub const CHUNK_BYTES: usize = 128 << 10;

/// Reads until the buffer is full or the input ends. Bytes that came before an error are kept.
pub(crate) fn read_up_to(input: &mut impl Read, buffer: &mut [u8]) -> io::Result<usize> {
    let mut done = 0;
    while done < buffer.len() {
        match input.read(&mut buffer[done..]) {
            Ok(0) => break,
            Ok(length) => done += length,
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(_) if done > 0 => break,
            Err(error) => return Err(error),
        }
    }
    Ok(done)
}

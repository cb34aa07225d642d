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

/// What a reader gives. It must be the same if the reader's input comes byte by byte.
#[cfg(test)]
pub(super) fn read_alike<R: Read, S: Read>(mut whole: R, mut slow: S) -> String {
    let (mut of_whole, mut of_slow) = (Vec::new(), Vec::new());
    whole.read_to_end(&mut of_whole).unwrap();
    slow.read_to_end(&mut of_slow).unwrap();
    assert_eq!(of_whole, of_slow);
    String::from_utf8(of_whole).unwrap()
}

/// An input whose bytes come one by one.
#[cfg(test)]
pub(super) struct OneByOne<'b>(pub &'b [u8]);

#[cfg(test)]
impl Read for OneByOne<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = buffer.len().min(1);
        self.0.read(&mut buffer[..length])
    }
}

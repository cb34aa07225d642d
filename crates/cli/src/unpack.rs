//! Files as text: gzip and zstd are told by their first bytes, as rotated logs are packed.

use std::io::{self, BufRead, BufReader, Cursor, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

/// Bytes that are read at once.
const BUFFER_BYTES: usize = 256 * 1024;

/// What a file's first bytes say of its packing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Packing {
    None,
    Gzip,
    Zstd,
}

impl Packing {
    fn of(head: &[u8]) -> Packing {
        match head {
            [0x1f, 0x8b, ..] => Packing::Gzip,
            [0x28, 0xb5, 0x2f, 0xfd, ..] => Packing::Zstd,
            _ => Packing::None,
        }
    }
}

/// A reader of the unpacked text. What is broken shows up as an error where it is read.
///
/// # Errors
/// If the first bytes cannot be read.
pub fn unpack<'a>(input: impl Read + Send + 'a) -> io::Result<Box<dyn BufRead + Send + 'a>> {
    let mut input = BufReader::with_capacity(BUFFER_BYTES, input);
    let packing = Packing::of(&beginning(&mut input)?);
    Ok(match packing {
        Packing::None => Box::new(input),
        // A rotated log may be several gzip members, one after the other.
        Packing::Gzip => Box::new(BufReader::with_capacity(BUFFER_BYTES, flate2::bufread::MultiGzDecoder::new(input))),
        Packing::Zstd => {
            Box::new(BufReader::with_capacity(BUFFER_BYTES, Frames { input, decoder: FrameDecoder::new() }))
        }
    })
}

/// zstd's frames, one after the other.
struct Frames<R> {
    input: R,
    decoder: FrameDecoder,
}

impl<R: BufRead> Read for Frames<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        if buffer.is_empty() {
            return Ok(0);
        }
        while self.decoder.can_collect() == 0 {
            if !self.decoder.is_finished() {
                let wanted = BlockDecodingStrategy::UptoBytes(buffer.len());
                self.decoder.decode_blocks(&mut self.input, wanted).map_err(broken)?;
            } else if self.input.fill_buf()?.is_empty() {
                return Ok(0);
            } else {
                self.begin_frame()?;
            }
        }
        self.decoder.read(buffer)
    }
}

impl<R: BufRead> Frames<R> {
    fn begin_frame(&mut self) -> io::Result<()> {
        match self.decoder.reset(&mut self.input) {
            // What other tools put between frames.
            Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                io::copy(&mut self.input.by_ref().take(length.into()), &mut io::sink()).map(|_| ())
            }
            begun => begun.map_err(broken),
        }
    }
}

fn broken(error: FrameDecoderError) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, error.to_string())
}

/// What stands in the buffer, not consumed.
fn beginning(input: &mut impl BufRead) -> io::Result<Vec<u8>> {
    input.fill_buf().map(|bytes| bytes[..bytes.len().min(4)].to_vec())
}

/// The first `wanted` bytes, or all there are, and a reader that begins with them.
///
/// # Errors
/// If there is nothing before the error.
pub fn peek<'a>(
    mut input: Box<dyn BufRead + Send + 'a>,
    wanted: usize,
) -> io::Result<(Vec<u8>, Box<dyn BufRead + Send + 'a>)> {
    let mut head = Vec::new();
    if let Err(error) = input.by_ref().take(wanted as u64).read_to_end(&mut head)
        && head.is_empty()
    {
        return Err(error);
    }
    let whole = Cursor::new(head.clone()).chain(input);
    Ok((head, Box::new(whole)))
}

/// A file's name without the ending that says how it is packed.
pub fn unpacked_name(name: &str) -> &str {
    [".gz", ".zst", ".zstd"].iter().find_map(|ending| name.strip_suffix(ending)).unwrap_or(name)
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    fn gzip(text: &str) -> Vec<u8> {
        let mut encoder = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
        encoder.write_all(text.as_bytes()).unwrap();
        encoder.finish().unwrap()
    }

    fn zstd(text: &str) -> Vec<u8> {
        ruzstd::encoding::compress_to_vec(text.as_bytes(), ruzstd::encoding::CompressionLevel::Fastest)
    }

    fn read(bytes: &[u8]) -> (String, Option<io::ErrorKind>) {
        let mut text = Vec::new();
        let (_, mut reader) = peek(unpack(bytes).unwrap(), 3).unwrap();
        let error = reader.read_to_end(&mut text).err().map(|error| error.kind());
        (String::from_utf8(text).unwrap(), error)
    }

    #[test]
    fn packed_and_plain_read_the_same() {
        let two_members = [gzip("one, "), gzip("two")].concat();
        let two_frames =
            [zstd("one, "), [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"pad"].concat(), zstd("two")].concat();
        for bytes in [&b"one, two"[..], &two_members, &zstd("one, two"), &two_frames] {
            assert_eq!(read(bytes), ("one, two".to_owned(), None));
        }
        assert_eq!(read(b""), (String::new(), None));
    }

    #[test]
    fn what_is_cut_off_gives_what_there_is_and_an_error() {
        let text: String = (0..100_000u32).map(|n| format!("line {}\n", n.wrapping_mul(2_654_435_761))).collect();
        for packed in [gzip(&text), zstd(&text)] {
            let (read, error) = read(&packed[..packed.len() - 9]);
            assert!(text.starts_with(&read) && read.len() > 1_000, "{}", read.len());
            assert!(error.is_some());
        }
    }
}

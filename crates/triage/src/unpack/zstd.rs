//! zstd's frames, one after the other: by zstd's own library where it can be linked, else by one in Rust, which keeps back
//! the last window of a file that is cut off.

use std::io::{self, BufRead, Read};

#[cfg(feature = "native-unpackers")]
pub(super) struct Zstd<R: BufRead>(zstd::Decoder<'static, R>);

#[cfg(feature = "native-unpackers")]
impl<R: BufRead> Zstd<R> {
    pub fn new(input: R) -> io::Result<Self> {
        zstd::Decoder::with_buffer(input).map(Zstd)
    }
}

#[cfg(feature = "native-unpackers")]
impl<R: BufRead> Read for Zstd<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read(buffer)
    }
}

#[cfg(not(feature = "native-unpackers"))]
pub(super) use in_rust::Zstd;

#[cfg(any(test, not(feature = "native-unpackers")))]
mod in_rust {
    use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
    use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

    use super::{BufRead, Read, io};

    pub(crate) struct Zstd<R> {
        input: R,
        decoder: FrameDecoder,
    }

    impl<R: BufRead> Zstd<R> {
        pub fn new(input: R) -> io::Result<Self> {
            Ok(Zstd { input, decoder: FrameDecoder::new() })
        }

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

    impl<R: BufRead> Read for Zstd<R> {
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

    fn broken(error: FrameDecoderError) -> io::Error {
        io::Error::new(io::ErrorKind::InvalidData, error.to_string())
    }

    #[cfg(test)]
    mod tests {
        use ruzstd::encoding::{CompressionLevel, compress_to_vec};

        use super::*;

        #[test]
        fn frames_and_skippable_ones_are_one_text() {
            let frame = |text: &str| compress_to_vec(text.as_bytes(), CompressionLevel::Fastest);
            let skippable = [&[0x50, 0x2a, 0x4d, 0x18, 3, 0, 0, 0][..], b"pad"].concat();
            let bytes = [skippable.clone(), frame("one, "), skippable, frame("two")].concat();
            let mut text = String::new();
            Zstd::new(&bytes[..]).unwrap().read_to_string(&mut text).unwrap();
            assert_eq!(text, "one, two");
        }
    }
}

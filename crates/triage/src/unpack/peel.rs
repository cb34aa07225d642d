//! What stands around a text and is none of it: a byte order mark, UTF-16 (PowerShell's `>`), line ends of Windows, a
//! terminal's colours, the stream headers of Docker's API. Taken off once, for every kind of artefact.

use std::io::{self, BufRead, Read};

use crypto_diag_server_log::Escape;

use super::chunk::{CHUNK_BYTES, read_up_to};

/// Bytes of a text's beginning that tell its form.
const SNIFF_BYTES: usize = 4096;

/// Bytes of one frame of Docker's stream at most. Docker itself writes 16 KiB.
const FRAME_BYTES_MAX: usize = 1 << 20;

/// A text as UTF-8 with plain line ends, without marks and colours. Bytes that are not UTF-8 stay what they are.
#[derive(Debug)]
pub struct Peeled<R> {
    input: R,
    /// `None` until the first bytes were looked at.
    form: Option<Form>,
    frames: Option<Frames>,
    units: Units,
    escape: Escape,
    out: Vec<u8>,
    at: usize,
    ended: bool,
    /// What the input said when it failed, told once what came before it was read.
    failed: Option<io::Error>,
}

/// How characters are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Utf8,
    Utf16 { little: bool },
}

impl<R: Read> Peeled<R> {
    pub(super) fn new(input: R) -> Self {
        Peeled {
            input,
            form: None,
            frames: None,
            units: Units::default(),
            escape: Escape::default(),
            out: Vec::new(),
            at: 0,
            ended: false,
            failed: None,
        }
    }

    /// What the text is read from.
    pub fn input(&self) -> &R {
        &self.input
    }

    fn refill(&mut self) -> io::Result<()> {
        if let Some(error) = self.failed.take() {
            self.ended = true;
            return Err(error);
        }
        self.at = 0;
        let mut bytes = std::mem::take(&mut self.out);
        bytes.resize(CHUNK_BYTES, 0);
        let length = match self.form {
            // Enough to tell the form by, however little comes at once.
            None => read_up_to(&mut self.input, &mut bytes[..SNIFF_BYTES]),
            Some(_) => loop {
                match self.input.read(&mut bytes) {
                    Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                    read => break read,
                }
            },
        };
        let length = length.unwrap_or_else(|error| {
            self.failed = Some(error);
            0
        });
        bytes.truncate(length);
        self.ended = length == 0 && self.failed.is_none();
        if self.form.is_none() {
            self.frames = Frames::of(&bytes);
        }
        if let Some(frames) = &mut self.frames {
            bytes = frames.take_off(&bytes);
        }
        let form = match self.form {
            Some(form) => form,
            None => {
                let (form, mark) = Form::of(&bytes);
                bytes.drain(..mark);
                self.form = Some(form);
                form
            }
        };
        if let Form::Utf16 { little } = form {
            bytes = self.units.utf8(&bytes, little, self.ended);
        }
        if self.escape != Escape::Text || memchr::memchr2(b'\r', 0x1b, &bytes).is_some() || self.ended {
            bytes = self.escape.take_off(&bytes, self.ended);
        }
        self.out = bytes;
        Ok(())
    }
}

impl<R: Read> BufRead for Peeled<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        while self.at == self.out.len() && !self.ended {
            self.refill()?;
        }
        Ok(&self.out[self.at..])
    }

    fn consume(&mut self, amount: usize) {
        self.at += amount;
    }
}

impl<R: Read> Read for Peeled<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.fill_buf()?.read(buffer)?;
        self.consume(length);
        Ok(length)
    }
}

/// Whether a text that begins so has nothing to peel off as far as its beginning shows, and may be read as it lies.
pub fn is_bare(beginning: &[u8]) -> bool {
    Frames::of(beginning).is_none()
        && Form::of(beginning) == (Form::Utf8, 0)
        && memchr::memchr2(b'\r', 0x1b, beginning).is_none()
}

impl Form {
    /// The form of a text, and the bytes of its mark.
    fn of(head: &[u8]) -> (Form, usize) {
        match head {
            [0xef, 0xbb, 0xbf, ..] => (Form::Utf8, 3),
            [0xff, 0xfe, ..] => (Form::Utf16 { little: true }, 2),
            [0xfe, 0xff, ..] => (Form::Utf16 { little: false }, 2),
            _ => {
                // Without a mark: what begins an artefact is ASCII, so every other byte is NUL.
                let pairs = head.as_chunks::<2>().0.iter().take(8);
                let ascii = |byte: u8| matches!(byte, b' '..=b'~' | b'\t' | b'\r' | b'\n');
                let all = |little: bool| {
                    head.len() >= 8
                        && pairs.clone().all(|[one, two]| {
                            let (low, high) = if little { (*one, *two) } else { (*two, *one) };
                            ascii(low) && high == 0
                        })
                };
                match (all(true), all(false)) {
                    (true, _) => (Form::Utf16 { little: true }, 0),
                    (_, true) => (Form::Utf16 { little: false }, 0),
                    _ => (Form::Utf8, 0),
                }
            }
        }
    }
}

/// Docker's stream: in front of each piece stand its stream, three NULs, and its length (Docker Engine API, "Attach to a
/// container": Stream format).
#[derive(Debug, Default)]
struct Frames {
    /// Bytes of the piece that are still to come.
    left: usize,
    header: Vec<u8>,
    /// Where a header should stand and none does, the rest is taken as it is.
    lost: bool,
}

impl Frames {
    fn of(head: &[u8]) -> Option<Frames> {
        let length = length_of(head.get(..8)?)?;
        // A second header shows that the first was none by chance; a piece may be longer than what is looked at.
        let next = head.get(8 + length..).unwrap_or_default();
        let goes_on = next.len() < 8 || length_of(&next[..8]).is_some();
        goes_on.then(Frames::default)
    }

    fn take_off(&mut self, mut bytes: &[u8]) -> Vec<u8> {
        let mut out = Vec::with_capacity(bytes.len());
        while !bytes.is_empty() {
            if self.lost {
                out.extend_from_slice(bytes);
                break;
            }
            if self.left == 0 {
                let wanted = 8 - self.header.len();
                let (part, rest) = bytes.split_at(wanted.min(bytes.len()));
                self.header.extend_from_slice(part);
                bytes = rest;
                if self.header.len() == 8 {
                    match length_of(&self.header) {
                        Some(length) => self.left = length,
                        None => {
                            self.lost = true;
                            out.append(&mut self.header);
                        }
                    }
                    self.header.clear();
                }
                continue;
            }
            let (part, rest) = bytes.split_at(self.left.min(bytes.len()));
            out.extend_from_slice(part);
            self.left -= part.len();
            bytes = rest;
        }
        out
    }
}

/// The length that a header gives.
fn length_of(header: &[u8]) -> Option<usize> {
    let [0..=2, 0, 0, 0, length @ ..] = header else { return None };
    let length = u32::from_be_bytes(length.try_into().ok()?) as usize;
    (1..=FRAME_BYTES_MAX).contains(&length).then_some(length)
}

/// UTF-16 between two pieces of input.
#[derive(Debug, Default)]
struct Units {
    /// The first byte of a unit.
    half: Option<u8>,
    /// The first unit of a pair.
    high: Option<u16>,
}

impl Units {
    /// What is no character becomes U+FFFD.
    fn utf8(&mut self, bytes: &[u8], little: bool, ended: bool) -> Vec<u8> {
        let mut units: Vec<u16> = self.high.take().into_iter().collect();
        for byte in bytes {
            match self.half.take() {
                None => self.half = Some(*byte),
                Some(first) if little => units.push(u16::from_le_bytes([first, *byte])),
                Some(first) => units.push(u16::from_be_bytes([first, *byte])),
            }
        }
        if !ended {
            self.high = units.pop_if(|unit| (0xd800..0xdc00).contains(unit));
        }
        let mut text: String =
            char::decode_utf16(units).map(|character| character.unwrap_or(char::REPLACEMENT_CHARACTER)).collect();
        if ended && self.half.take().is_some() {
            text.push(char::REPLACEMENT_CHARACTER);
        }
        text.into_bytes()
    }
}

#[cfg(test)]
mod tests {
    use super::super::chunk::{OneByOne, read_alike};
    use super::*;

    /// A text, and the same with its bytes coming one by one.
    fn peeled(bytes: &[u8]) -> String {
        read_alike(Peeled::new(bytes), Peeled::new(OneByOne(bytes)))
    }

    fn utf16(text: &str, little: bool) -> Vec<u8> {
        text.encode_utf16().flat_map(|unit| if little { unit.to_le_bytes() } else { unit.to_be_bytes() }).collect()
    }

    fn frames(pieces: &[&[u8]]) -> Vec<u8> {
        let mut bytes = Vec::new();
        for piece in pieces {
            bytes.extend([1, 0, 0, 0]);
            bytes.extend((piece.len() as u32).to_be_bytes());
            bytes.extend(*piece);
        }
        bytes
    }

    #[test]
    fn every_wrapping_gives_the_same_text() {
        let text = "{\"a\": \"grüße 😀\"}\nsecond line\n";
        let windows = text.replace('\n', "\r\n");
        let lines: Vec<&[u8]> = text.split_inclusive('\n').map(str::as_bytes).collect();
        for bytes in [
            text.as_bytes().to_vec(),
            windows.as_bytes().to_vec(),
            [b"\xef\xbb\xbf", text.as_bytes()].concat(),
            [&[0xff, 0xfe][..], &utf16(&windows, true)].concat(),
            [&[0xfe, 0xff][..], &utf16(text, false)].concat(),
            utf16(text, true),
            utf16(text, false),
            frames(&lines),
            frames(&[&text.as_bytes()[..7], &text.as_bytes()[7..]]),
            text.replace("second", "\x1b[1;32msecond\x1b[0m\x1b]0;title\x07\x1b(B").into_bytes(),
        ] {
            assert_eq!(peeled(&bytes), text);
            assert!(!is_bare(&bytes) || bytes == text.as_bytes());
        }
    }

    #[test]
    fn what_is_no_wrapping_stays() {
        for text in ["", "a", "a\rb\r", "\u{1}\0\0\0 not Docker's", "a\0b", "\u{feff}"] {
            assert_eq!(peeled(text.as_bytes()), text.trim_start_matches('\u{feff}'));
        }
        // A sequence that never ends takes no line but its own.
        assert_eq!(peeled(b"a\x1b[31\nb\x1b]0;x\nc\x1b"), "a\nb\nc");
        // One header by chance is none; behind two, what has none is taken as it is.
        assert_eq!(peeled(&[&frames(&[b"a\n"])[..], b"no header\n"].concat()).len(), 20);
        assert_eq!(peeled(&[&frames(&[b"a\n", b"b\n"])[..], b"lost it\n"].concat()), "a\nb\nlost it\n");
    }

    #[test]
    fn large_texts_are_the_same_at_every_edge() {
        let text: String = (0..60_000).map(|n| format!("{n} ü😀\n")).collect();
        assert!(text.len() > 4 * CHUNK_BYTES);
        let windows = text.replace('\n', "\r\n");
        let mut read = String::new();
        Peeled::new(windows.as_bytes()).read_to_string(&mut read).unwrap();
        assert!(read == text);
        read.clear();
        Peeled::new(&[&[0xff, 0xfe][..], &utf16(&windows, true)].concat()[..]).read_to_string(&mut read).unwrap();
        assert!(read == text);
    }
}

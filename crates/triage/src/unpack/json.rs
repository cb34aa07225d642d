//! JSON that one character would make unreadable: half of a surrogate pair, which browsers write where a page cut a text; a
//! byte that is not UTF-8; a control character that nobody escaped. Each becomes a replacement, and the rest is read.

use std::io::{self, Read};

use serde::de::DeserializeOwned;

use super::chunk::CHUNK_BYTES;

/// What stands in for what is no character, as UTF-8.
const REPLACEMENT: &[u8] = "\u{fffd}".as_bytes();

/// JSON, mended as it is read. Escapes keep their length, so that places stay true; a byte that is not UTF-8 becomes three.
/// Line breaks stay, even in strings: where a string does not end, the place of the break is worth more.
#[derive(Debug)]
pub struct Mended<R> {
    input: R,
    raw: Vec<u8>,
    out: Vec<u8>,
    at: usize,
    in_string: bool,
    ended: bool,
}

impl<R: Read> Mended<R> {
    /// Over JSON as it lies.
    pub fn new(input: R) -> Self {
        Mended { input, raw: Vec::new(), out: Vec::new(), at: 0, in_string: false, ended: false }
    }

    fn refill(&mut self) -> io::Result<()> {
        self.out.clear();
        self.at = 0;
        let carried = self.raw.len();
        self.raw.resize(carried + CHUNK_BYTES, 0);
        let read = self.input.read(&mut self.raw[carried..]);
        self.raw.truncate(carried + *read.as_ref().unwrap_or(&0));
        self.ended = read? == 0;
        let done = self.mend();
        self.raw.drain(..done);
        Ok(())
    }

    /// Mends as much as is certain; gives how much of the input that is.
    fn mend(&mut self) -> usize {
        let raw = &self.raw;
        let mut at = 0;
        while at < raw.len() {
            if !self.in_string {
                let end = memchr::memchr(b'"', &raw[at..]).map(|found| at + found + 1);
                self.in_string = end.is_some();
                self.out.extend_from_slice(&raw[at..end.unwrap_or(raw.len())]);
                at = end.unwrap_or(raw.len());
                continue;
            }
            let special = |byte: &u8| matches!(byte, b'"' | b'\\') || *byte < b' ';
            let end = raw[at..].iter().position(special).map_or(raw.len(), |found| at + found);
            if end > at {
                let taken = copy_utf8(&raw[at..end], end == raw.len() && !self.ended, &mut self.out);
                at += taken;
                if at < end {
                    return at;
                }
                continue;
            }
            match raw[at] {
                b'"' => {
                    self.out.push(b'"');
                    self.in_string = false;
                    at += 1;
                }
                b'\\' => match escape(&raw[at..], self.ended) {
                    None => return at,
                    Some((length, true)) => {
                        self.out.extend_from_slice(&raw[at..at + length]);
                        at += length;
                    }
                    Some((length, false)) => {
                        self.out.extend_from_slice(b"\\ufffd");
                        at += length;
                    }
                },
                byte => {
                    self.out.push(if matches!(byte, b'\n' | b'\r') { byte } else { b' ' });
                    at += 1;
                }
            }
        }
        at
    }
}

/// The length of the escape in front, and whether it is right; `None` if more has to come.
fn escape(raw: &[u8], ended: bool) -> Option<(usize, bool)> {
    let unit = |raw: &[u8]| -> Option<u32> {
        let digits = raw.strip_prefix(b"\\u")?.get(..4)?;
        u32::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
    };
    let whole = |length: usize| raw.len() >= length || ended;
    if !whole(2) {
        return None;
    }
    if raw.get(1) != Some(&b'u') {
        return Some((raw.len().min(2), true));
    }
    if !whole(6) {
        return None;
    }
    match unit(raw) {
        Some(0xd800..=0xdbff) if !whole(12) => None,
        Some(0xd800..=0xdbff) => match raw.get(6..).and_then(unit) {
            Some(0xdc00..=0xdfff) => Some((12, true)),
            _ => Some((6, false)),
        },
        Some(0xdc00..=0xdfff) => Some((6, false)),
        Some(_) => Some((6, true)),
        // Not four digits: the parser says where.
        None => Some((2, true)),
    }
}

/// Copies text with replacements for what is not UTF-8; gives how much of it. `open`: a character may go on behind the end.
fn copy_utf8(mut text: &[u8], open: bool, out: &mut Vec<u8>) -> usize {
    let all = text.len();
    while let Err(error) = std::str::from_utf8(text) {
        let (right, rest) = text.split_at(error.valid_up_to());
        out.extend_from_slice(right);
        let wrong = match error.error_len() {
            None if open => return all - rest.len(),
            None => rest.len(),
            Some(length) => length,
        };
        out.extend_from_slice(REPLACEMENT);
        text = &rest[wrong..];
    }
    out.extend_from_slice(text);
    all
}

impl<R: Read> Read for Mended<R> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        while self.at == self.out.len() && !self.ended {
            self.refill()?;
        }
        let length = (&self.out[self.at..]).read(buffer)?;
        self.at += length;
        Ok(length)
    }
}

/// Parses JSON that is in memory; what one character would cost is mended first.
///
/// # Errors
/// If it is no JSON even so.
pub fn parse<T: DeserializeOwned>(text: &[u8]) -> serde_json::Result<T> {
    // Nearly all of it is right, and a parser of what is in memory is the fastest.
    serde_json::from_slice(text).or_else(|_| serde_json::from_reader(Mended::new(text)))
}

#[cfg(test)]
mod tests {
    use super::super::chunk::{OneByOne, read_alike};
    use super::*;

    fn mended(bytes: &[u8]) -> String {
        read_alike(Mended::new(bytes), Mended::new(OneByOne(bytes)))
    }

    #[test]
    fn what_is_right_stays_as_it_is() {
        for text in [
            "",
            r#"{"a":"b\"c\\","d":["\ud83d\ude00","😀","\n\u0041"]}"#,
            "{\n\t\"a\": 1}\r\n",
            "[\"broken\nline\"",
            r#"["\uzzzz","\"#,
        ] {
            assert_eq!(mended(text.as_bytes()), text);
        }
    }

    #[test]
    fn half_a_pair_a_wrong_byte_and_a_control_character_cost_one_character() {
        for (bytes, wanted) in [
            (&br#"["a\ud83d"]"#[..], r#"["a\ufffd"]"#),
            (br#"["\ude00a"]"#, r#"["\ufffda"]"#),
            (br#"["\ud83d\u0041\ud83d\ud83d\ude00"]"#, r#"["\ufffd\u0041\ufffd\ud83d\ude00"]"#),
            (br#"["\\ud83d"]"#, r#"["\\ud83d"]"#),
            (b"[\"a\xffb\xc3\"]", "[\"a\u{fffd}b\u{fffd}\"]"),
            (b"[\"a\tb\0c\x1b\"]", "[\"a b c \"]"),
            (br#"["\ud83d"#, r#"["\ufffd"#),
        ] {
            assert_eq!(mended(bytes), wanted);
        }
    }
}

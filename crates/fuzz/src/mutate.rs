//! Ways to break an input.

use fastrand::Rng;

/// What stands where a number or a value stood.
const VALUES: [&[u8]; 18] = [
    b"null",
    b"true",
    b"[]",
    b"{}",
    b"\"\"",
    b"0",
    b"-1",
    b"0.5",
    b"1e308",
    b"-1e309",
    b"9007199254740993",
    b"9223372036854775807",
    b"-9223372036854775808",
    b"18446744073709551616",
    b"\"\\ud800\"",
    b"\"\xf0\x9f\x98\x80\"",
    b"\"\\u0000\"",
    b"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[[",
];

/// What means something to a reader of text, or to none.
const PIECES: [&[u8]; 20] = [
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b"\"",
    b"'",
    b"\\",
    b"\\\"",
    b"{",
    b"}",
    b"[",
    b"]",
    b",",
    b":",
    b"|",
    b" - ",
    b"\xff",
    b"\xc3",
    b"\xe2\x80\xae",
    b"\xed\xa0\x80",
];

/// Breaks an input in one to six places. `words` are the target's own, `other` is another input to take parts from.
pub(crate) fn mutate(rng: &mut Rng, input: &[u8], words: &[&str], other: &[u8]) -> Vec<u8> {
    let mut bytes = input.to_vec();
    for _ in 0..1 + rng.usize(..6) {
        once(rng, &mut bytes, words, other);
    }
    bytes
}

fn once(rng: &mut Rng, bytes: &mut Vec<u8>, words: &[&str], other: &[u8]) {
    let at = rng.usize(..=bytes.len());
    match rng.u8(..13) {
        0 if at < bytes.len() => bytes[at] ^= 1 << rng.u8(..8),
        1 if at < bytes.len() => bytes[at] = rng.u8(..),
        2 => replace(bytes, at, 0, rng.choice(PIECES).unwrap_or_default()),
        3 if !words.is_empty() => replace(bytes, at, 0, words[rng.usize(..words.len())].as_bytes()),
        4 => {
            let length = span(rng, bytes.len() - at);
            replace(bytes, at, length, b"");
        }
        5 => {
            let part = bytes[at..at + span(rng, bytes.len() - at)].to_vec();
            let to = rng.usize(..=bytes.len());
            replace(bytes, to, 0, &part);
        }
        6 => bytes.truncate(at),
        7 => {
            let from = rng.usize(..=other.len());
            let part = &other[from..from + span(rng, other.len() - from)];
            let length = span(rng, bytes.len() - at);
            replace(bytes, at, length, part);
        }
        // A value becomes another: a token of the document's own, or an extreme.
        8 | 9 => {
            let (from, to) = token(bytes, at);
            let new = if rng.bool() {
                rng.choice(VALUES).unwrap_or_default().to_vec()
            } else {
                let (from, to) = token(bytes, rng.usize(..=bytes.len()));
                bytes[from..to].to_vec()
            };
            replace(bytes, from, to - from, &new);
        }
        10 => {
            let part = bytes[at..at + rng.usize(..=(bytes.len() - at).min(24))].repeat(1 + rng.usize(..200));
            replace(bytes, at, 0, &part);
        }
        // A line goes, or stands elsewhere.
        _ => {
            let (from, to) = line(bytes, at);
            let part: Vec<u8> = bytes.drain(from..to).collect();
            if rng.bool() {
                let (place, _) = line(bytes, rng.usize(..=bytes.len()));
                replace(bytes, place, 0, &part);
            }
        }
    }
}

fn replace(bytes: &mut Vec<u8>, at: usize, length: usize, new: &[u8]) {
    bytes.splice(at..at + length, new.iter().copied());
}

/// A length, mostly short.
fn span(rng: &mut Rng, most: usize) -> usize {
    let limit = if rng.u8(..4) == 0 { most } else { most.min(32) };
    rng.usize(..=limit)
}

/// The string, number or word at a place.
fn token(bytes: &[u8], at: usize) -> (usize, usize) {
    let ends = |byte: &u8| matches!(byte, b',' | b':' | b'[' | b']' | b'{' | b'}' | b' ' | b'\n' | b'|');
    let from = bytes[..at].iter().rposition(ends).map_or(0, |found| found + 1);
    let to = bytes[at..].iter().position(ends).map_or(bytes.len(), |found| at + found);
    (from, to)
}

/// The line at a place, with its end.
fn line(bytes: &[u8], at: usize) -> (usize, usize) {
    let from = bytes[..at].iter().rposition(|byte| *byte == b'\n').map_or(0, |found| found + 1);
    let to = bytes[at..].iter().position(|byte| *byte == b'\n').map_or(bytes.len(), |found| at + found + 1);
    (from, to)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn whatever_is_broken_the_breaking_itself_goes_well() {
        let mut rng = Rng::with_seed(7);
        let mut input = Vec::new();
        for _ in 0..20_000 {
            let broken = mutate(&mut rng, &input, &["word"], b"{\"other\":[1,2]}\nline\n");
            input = if broken.len() > 4_000 { Vec::new() } else { broken };
        }
    }

    #[test]
    fn a_token_and_a_line_are_found_at_every_place() {
        let text = b"{\"a\":12}\nb";
        assert_eq!(token(text, 6), (5, 7));
        assert_eq!(line(text, 2), (0, 9));
        assert_eq!(line(text, text.len()), (9, 10));
        assert_eq!(token(b"", 0), (0, 0));
    }
}

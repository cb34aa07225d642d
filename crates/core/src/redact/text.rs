//! Small steps through a text's bytes. What the searches stop at is ASCII, so their places are character boundaries.

use super::work;

/// The byte at a place, 0 behind the end.
pub fn byte(text: &[u8], at: usize) -> u8 {
    text.get(at).copied().unwrap_or(0)
}

/// What names and tokens are made of.
pub fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What a token may consist of behind its prefix, percent-encoding included.
pub fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.~+/=%".contains(&byte)
}

/// What a base64 text consists of, either alphabet.
pub fn is_base64(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte)
}

pub fn is_quote(byte: u8) -> bool {
    matches!(byte, b'"' | b'\'' | b'`')
}

pub fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r')
}

/// The end of the run of bytes that belong.
pub fn run_end(text: &[u8], from: usize, belongs: impl Fn(u8) -> bool) -> usize {
    let mut at = from;
    while at < text.len() && belongs(text[at]) {
        at += 1;
    }
    work::done(at - from + 1);
    at
}

/// The character that a percent-encoding at a place stands for; 0 if none stands there.
pub fn percent(text: &[u8], at: usize) -> u8 {
    if byte(text, at) != b'%' {
        return 0;
    }
    let digit = |at: usize| (byte(text, at) as char).to_digit(16);
    match (digit(at + 1), digit(at + 2)) {
        (Some(high), Some(low)) => (high * 16 + low) as u8,
        _ => 0,
    }
}

/// The end of a string that was opened by `quote` behind that many backslashes, and whether it closes at all.
///
/// Where the opening quote is escaped `depth` times, an escaped backslash is `2 * (depth + 1)` of them.
pub fn closing_quote(text: &[u8], start: usize, quote: u8, depth: usize) -> (usize, bool) {
    let mut backslashes = 0;
    for (at, byte) in text.iter().enumerate().skip(start) {
        if *byte == b'\\' {
            backslashes += 1;
            continue;
        }
        // Shallower than the opening one: the string around this one ends.
        if *byte == quote && (backslashes < depth || backslashes % (2 * (depth + 1)) == depth) {
            work::done(at - start);
            return (at - backslashes.min(depth), true);
        }
        backslashes = 0;
    }
    work::done(text.len() - start);
    (text.len(), false)
}

/// The end of a bracketed group, and whether it closes at all. Brackets in strings do not count.
pub fn closing_bracket(text: &[u8], start: usize) -> (usize, bool) {
    let (mut at, mut depth, mut before) = (start, 0usize, b'(');
    while at < text.len() {
        work::done(1);
        let byte = text[at];
        match byte {
            b'[' | b'{' | b'(' => depth += 1,
            b']' | b'}' | b')' => depth -= 1,
            // A quote behind a letter is an apostrophe.
            _ if is_quote(byte) && (b"[{(:,=b".contains(&before) || is_space(before)) => {
                let escapes = text[start..at].iter().rev().take_while(|byte| **byte == b'\\').count();
                at = closing_quote(text, at + 1, byte, escapes).0;
            }
            _ => {}
        }
        at += 1;
        if depth == 0 {
            return (at.min(text.len()), true);
        }
        if byte != b'\\' {
            before = byte;
        }
    }
    (text.len(), false)
}

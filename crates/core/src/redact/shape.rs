//! Secrets that show by how they look.

use super::Span;
use super::text::{byte, is_base64, is_quote, is_space, is_token, is_word, run_end};
use super::work;

/// Access, refresh and login tokens of Synapse and of the Matrix Authentication Service.
const TOKEN_PREFIXES: [&[u8; 4]; 7] = [b"syt_", b"syr_", b"syl_", b"mct_", b"mcr_", b"mat_", b"mar_"];

/// A prefix with fewer characters behind it is an ordinary word, not a token.
const TOKEN_REST_MIN: usize = 6;

/// `mat_` and `mar_` also end words (`format_…`): behind a letter they count only in front of this many letters and
/// digits. The Matrix Authentication Service's have thirty.
const TOKEN_BODY_MIN: usize = 20;

/// A JSON Web Token's first part has more characters than this; a base64 text that begins like one may have fewer.
const JWT_MIN: usize = 20;

/// As many small numbers as this are a key's bytes (AES-128 has 16).
const KEY_NUMBERS_MIN: usize = 16;

/// Bytes between two numbers of a list at most: a comma, quotes, an index, indentation.
const NUMBER_GAP_MAX: usize = 24;

/// A recovery key is shown as this many groups of four characters.
const RECOVERY_GROUPS: usize = 12;

/// A token or JSON Web Token in the word `start..end`, or one that begins with it.
pub fn token(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let from = (start..end).find(|at| begins_token(text, start, *at, end))?;
    Some((from, run_end(text, from, is_token)))
}

fn begins_token(text: &[u8], start: usize, at: usize, end: usize) -> bool {
    work::done(1);
    match text[at] {
        b's' | b'm' => {
            let Some(prefix) = TOKEN_PREFIXES.iter().position(|prefix| text[at..end].starts_with(*prefix)) else {
                return false;
            };
            let body = at + 4;
            let in_word = at > start && text[at - 1].is_ascii_lowercase() && prefix >= 5;
            let (wanted, belongs): (_, fn(u8) -> bool) = if in_word {
                (TOKEN_BODY_MIN, |byte| byte.is_ascii_alphanumeric())
            } else {
                (TOKEN_REST_MIN, is_token)
            };
            text.len() - body >= wanted && text[body..body + wanted].iter().all(|byte| belongs(*byte))
        }
        b'e' if text[at..end].starts_with(b"eyJ") => {
            // Followed by a dot and another part it is a JWT. Without, a public key may hold the same three letters, but
            // hardly at its beginning.
            let dotted = byte(text, end) == b'.' && (is_word(byte(text, end + 1)) || byte(text, end + 1) == b'.');
            let alone = at == start && (at == 0 || !is_base64(text[at - 1]));
            dotted || (alone && end - at >= JWT_MIN)
        }
        _ => false,
    }
}

/// How many numbers from 0 to 255 stand one after the other from `start` on, and where they end.
pub fn numbers(text: &[u8], start: usize) -> (usize, usize) {
    let (mut count, mut end, mut at) = (0, start, start);
    loop {
        let stop = run_end(text, at, |byte| byte.is_ascii_digit());
        if !(1..=3).contains(&(stop - at)) || is_word(byte(text, stop)) || number(&text[at..stop]) > 255 {
            return (count, end);
        }
        count += 1;
        end = stop;
        at = run_end(text, stop, |byte| is_space(byte) || is_quote(byte) || b",:\\".contains(&byte));
        let between = &text[stop..at];
        if between.len() > NUMBER_GAP_MAX || !between.iter().any(|byte| matches!(byte, b',' | b':')) {
            return (count, end);
        }
    }
}

fn number(digits: &[u8]) -> u32 {
    digits.iter().fold(0, |number, digit| number * 10 + u32::from(digit - b'0'))
}

/// Whether so many numbers are a key's.
pub fn is_key_length(numbers: usize) -> bool {
    numbers >= KEY_NUMBERS_MIN
}

/// A recovery key that begins with the word `start..end`.
pub fn recovery_key(text: &[u8], start: usize, end: usize) -> Option<Span> {
    let is_group = |at: usize| {
        work::done(4);
        run_end(&text[..text.len().min(at + 5)], at, |byte| byte.is_ascii_alphanumeric()) == at + 4
    };
    let groups = end - start == 4
        && (0..RECOVERY_GROUPS).all(|group| {
            let at = start + 5 * group;
            is_group(at) && (group == 0 || text[at - 1] == b' ')
        });
    let key = (start, start + 5 * RECOVERY_GROUPS - 1);
    // Twelve short words may follow one another in a sentence, too.
    (groups && text[key.0 + 1..key.1].iter().any(|byte| !byte.is_ascii_lowercase() && *byte != b' ')).then_some(key)
}

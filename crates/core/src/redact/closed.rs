//! The mark that replaces a closed stretch: `[closed base64 43 #k3f9]`.
//!
//! The class says what the stretch looked like, the number how many bytes it had. The digest is the same wherever the
//! same stretch was closed, so that equal stays equal over lines and reports; it stands only where at least 100 bits of
//! entropy make its 20 bits of no use to a guesser. What was closed for the name in front of it is `[closed]`, and what
//! people wrote is `[closed content]`: neither length nor digest.

use super::bytes::DIGIT;
use crate::text::{part, push_number};

use super::text::{byte, head, piece, run_end, starts_with};

/// What a closed stretch looked like.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Class {
    /// A secret's name stood in front of it.
    Named,
    /// What people wrote.
    Content,
    /// A token of Synapse or of the Matrix Authentication Service.
    Token,
    /// A JSON Web Token.
    Jwt,
    /// Base64, either alphabet, or any other random letters and digits.
    Base64,
    /// Hexadecimal digits.
    Hex,
    /// Decimal digits.
    Digits,
    /// A UUID.
    Uuid,
    /// A list of numbers.
    Bytes,
    /// Groups of four characters.
    RecoveryKey,
    /// Armoured text.
    Pem,
}

/// In the order of [`Class`].
const WORDS: [&str; 11] =
    ["", "content", "token", "jwt", "base64", "hex", "digits", "uuid", "bytes", "recovery-key", "pem"];

/// Bits of entropy that make a digest safe.
const SAFE_BITS: usize = 100;

/// Letters and digits of a digest, none of which look alike.
const DIGITS: &str = "abcdefghijkmnpqrstuvwxyz23456789";

const OPEN: &str = "[closed";

/// The mark of what was closed for the name in front of it.
pub(super) const NAMED: &str = "[closed]";

/// What earlier versions put in a secret's place.
pub(super) const EARLIER: &[u8] = b"[redacted]";

impl Class {
    /// The word that stands in the mark; empty for [`Class::Named`].
    pub fn word(self) -> &'static str {
        WORDS[self as usize]
    }

    /// Tenths of a bit that a character holds at least, where nothing better is known of a stretch.
    fn tenths_per_byte(self) -> usize {
        match self {
            Class::Base64 | Class::Token | Class::Jwt => 48,
            Class::Hex | Class::Uuid => 33,
            Class::Digits => 30,
            Class::RecoveryKey => 40,
            _ => 0,
        }
    }
}

/// Appends the mark of a closed stretch.
pub(super) fn write(out: &mut String, class: Class, stretch: &str) {
    out.push_str(OPEN);
    if class != Class::Named {
        out.push(' ');
        out.push_str(class.word());
    }
    if !matches!(class, Class::Named | Class::Content) {
        out.push(' ');
        push_number(out, stretch.len());
        if is_safe(class, stretch.as_bytes()) {
            out.push_str(" #");
            digest(out, stretch.as_bytes());
        }
    }
    out.push(']');
}

/// Whether a stretch has so much entropy that its digest does not help to guess it.
fn is_safe(class: Class, stretch: &[u8]) -> bool {
    let mut seen = [0u64; 4];
    stretch.iter().for_each(|byte| seen[usize::from(byte >> 6)] |= 1 << (byte & 63));
    let distinct: u32 = seen.iter().map(|bits| bits.count_ones()).sum();
    // A text that repeats itself has less entropy than its length suggests.
    distinct >= 8 && stretch.len() * class.tenths_per_byte() >= 10 * SAFE_BITS
}

/// Appends twenty bits of a hash as four characters.
fn digest(out: &mut String, stretch: &[u8]) {
    // FNV-1a, then mixed so that every bit of the text reaches the bits that are shown.
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for byte in stretch {
        hash = (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
    }
    hash = (hash ^ (hash >> 32)).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    for shift in [59, 54, 49, 44] {
        let digit = (hash >> shift) as usize & 31;
        out.push_str(part(DIGITS, digit, digit + 1));
    }
}

/// The end of the mark that begins at a place, if one does: what is closed is not looked at again.
pub(super) fn mark_end(text: &[u8], at: usize) -> Option<usize> {
    if starts_with(text, at, EARLIER) {
        return Some(at + EARLIER.len());
    }
    let mut next = at + OPEN.len();
    if !starts_with(text, at, OPEN.as_bytes()) {
        return None;
    }
    if byte(text, next) == b' ' {
        let word = WORDS.iter().skip(1).find(|word| starts_with(text, next + 1, word.as_bytes()))?;
        next += 1 + word.len();
        let digits = |from: usize| run_end(head(text, from + 8), from, DIGIT).saturating_sub(from);
        if byte(text, next) == b' ' && digits(next + 1) > 0 {
            next += 1 + digits(next + 1);
        }
        if starts_with(text, next, b" #") {
            let valid = (next + 2..next + 6).all(|at| DIGITS.as_bytes().contains(&byte(text, at)));
            next += if valid { 6 } else { 0 };
        }
    }
    (byte(text, next) == b']').then_some(next + 1)
}

/// Whether something in a text has been closed, by this version or by an earlier one, which wrote `[redacted]`.
pub fn is_closed(text: &str) -> bool {
    marks(text).next().is_some()
}

/// The classes of what has been closed in a text, in order; [`Class::Named`] for what earlier versions closed.
pub fn marks(text: &str) -> impl Iterator<Item = Class> + '_ {
    let bytes = text.as_bytes();
    let mut at = 0;
    std::iter::from_fn(move || {
        while at < bytes.len() {
            let here = at;
            at += 1;
            if byte(bytes, here) == b'['
                && let Some(end) = mark_end(bytes, here)
            {
                at = end;
                return Some(class_of(piece(bytes, here, end)));
            }
        }
        None
    })
}

fn class_of(mark: &[u8]) -> Class {
    const ALL: [Class; 11] = [
        Class::Named,
        Class::Content,
        Class::Token,
        Class::Jwt,
        Class::Base64,
        Class::Hex,
        Class::Digits,
        Class::Uuid,
        Class::Bytes,
        Class::RecoveryKey,
        Class::Pem,
    ];
    let word = mark.get(OPEN.len() + 1..).unwrap_or_default();
    let found = ALL.into_iter().skip(1).find(|class| word.starts_with(class.word().as_bytes()));
    found.filter(|_| mark.starts_with(OPEN.as_bytes())).unwrap_or(Class::Named)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mark(class: Class, stretch: &str) -> String {
        let mut out = String::new();
        write(&mut out, class, stretch);
        out
    }

    #[test]
    fn a_mark_says_class_and_length_and_a_digest_only_where_that_is_safe() {
        let key = "tZ3xQ9vWk7mYpLr2sN8bFhJ4cG6dA1uEoIiXwKqVz5M";
        let long = mark(Class::Base64, key);
        assert!(long.starts_with("[closed base64 43 #") && long.len() == 24, "{long}");
        assert_eq!(long, mark(Class::Base64, key), "equal stays equal");
        assert_ne!(long, mark(Class::Base64, &key.replace('t', "u")));
        assert_eq!(mark(Class::Base64, "tZ3xQ9vWk7mYpLr2"), "[closed base64 16]");
        assert_eq!(mark(Class::Base64, &"ab".repeat(100)), "[closed base64 200]");
        assert_eq!(mark(Class::Bytes, "1,2,3"), "[closed bytes 5]");
        assert_eq!(
            (mark(Class::Named, key).as_str(), mark(Class::Content, key).as_str()),
            ("[closed]", "[closed content]")
        );
    }

    #[test]
    fn what_has_been_closed_is_known_and_what_looks_like_it_is_not() {
        for text in ["[redacted]", "x [closed] y", "[closed content]", "[closed pem 9]", "[closed base64 43 #k3f9]"] {
            assert!(is_closed(text), "{text}");
        }
        for text in ["", "[closed", "[closed syt_x]", "[closed base64 43 #k3f0]", "closed", "[closed  ]"] {
            assert!(!is_closed(text), "{text}");
        }
        let classes: Vec<Class> = marks("[closed] [redacted] [closed jwt 9] [closed content]").collect();
        assert_eq!(classes, [Class::Named, Class::Named, Class::Jwt, Class::Content]);
    }
}

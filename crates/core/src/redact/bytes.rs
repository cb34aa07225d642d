//! Sets of bytes. One table says of each byte what kind it is, and a set is the kinds that are in it: all searches are one
//! loop with another number, which keeps the page's module small.

/// A set of bytes, one bit for each kind.
#[derive(Clone, Copy, Debug)]
pub struct Set(u64);

/// Each of these is a kind of its own, behind those of letters and digits. What sets hold most often comes first: the
/// smaller a kind's number, the fewer bytes a set takes in the module.
const SIGNS: &[u8] = b"_- \t\n\r\"'`\\+/=.,:~%&;()[]{}<>#?@!|$*^";

/// The kinds of letters and digits.
const ALNUMS: u8 = 5;

const KINDS: [u8; 256] = {
    let mut kinds = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        kinds[byte] = kind(byte as u8);
        byte += 1;
    }
    kinds
};

const fn kind(byte: u8) -> u8 {
    let mut at = 0;
    while at < SIGNS.len() {
        if SIGNS[at] == byte {
            return ALNUMS + at as u8;
        }
        at += 1;
    }
    match byte {
        b'0'..=b'9' => 0,
        b'a'..=b'f' => 1,
        b'g'..=b'z' => 2,
        b'A'..=b'F' => 3,
        b'G'..=b'Z' => 4,
        0x80.. => ALNUMS + SIGNS.len() as u8,
        _ => ALNUMS + SIGNS.len() as u8 + 1,
    }
}

/// The kinds of some bytes, and with them all others of these kinds: `9` stands for the digits, `a` and `g`, `A` and `G`
/// for the letters up to and behind `f`.
pub const fn signs(bytes: &[u8]) -> Set {
    let (mut set, mut at) = (0, 0);
    while at < bytes.len() {
        set |= 1 << kind(bytes[at]);
        at += 1;
    }
    Set(set)
}

pub const DIGIT: Set = signs(b"9");
pub const LOWER: Set = signs(b"ag");
pub const UPPER: Set = signs(b"AG");
pub const LETTER: Set = LOWER.or(UPPER);
pub const ALNUM: Set = LETTER.or(DIGIT);
pub const LOWER_HEX: Set = signs(b"9a");
pub const UPPER_HEX: Set = signs(b"9A");
pub const HEX: Set = LOWER_HEX.or(UPPER_HEX);
/// What names and tokens are made of.
pub const WORD: Set = ALNUM.or(signs(b"_-"));
/// What a token may consist of behind its prefix, percent-encoding included.
pub const TOKEN: Set = WORD.or(signs(b".~+/=%"));
pub const QUOTE: Set = signs(b"\"'`");
pub const SPACE: Set = signs(b" \t\n\r");
pub const LINE_END: Set = signs(b"\n\r");
pub const BACKSLASH: Set = signs(b"\\");
pub const CONTROL: Set = signs(b"\0");

impl Set {
    pub const fn or(self, other: Set) -> Set {
        Set(self.0 | other.0)
    }

    /// All other bytes.
    pub const fn not(self) -> Set {
        Set(!self.0)
    }

    #[inline(always)]
    pub fn has(self, byte: u8) -> bool {
        self.0 >> KINDS[usize::from(byte)] & 1 == 1
    }

    /// Whether all bytes of a text are in it.
    pub fn holds(self, text: &[u8]) -> bool {
        super::text::run_end(text, 0, self) == text.len()
    }

    /// Whether a byte of a text is in it.
    pub fn meets(self, text: &[u8]) -> bool {
        !self.not().holds(text)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sets_hold_the_bytes_that_their_names_say() {
        for byte in 0..=255u8 {
            for (set, wanted) in [
                (DIGIT, byte.is_ascii_digit()),
                (LOWER, byte.is_ascii_lowercase()),
                (UPPER, byte.is_ascii_uppercase()),
                (LETTER, byte.is_ascii_alphabetic()),
                (ALNUM, byte.is_ascii_alphanumeric()),
                (HEX, byte.is_ascii_hexdigit()),
                (LOWER_HEX, byte.is_ascii_hexdigit() && !byte.is_ascii_uppercase()),
                (UPPER_HEX, byte.is_ascii_hexdigit() && !byte.is_ascii_lowercase()),
                (SPACE, b" \t\n\r".contains(&byte)),
                (CONTROL, byte.is_ascii_control() && !b"\t\n\r".contains(&byte)),
                (signs(b"+/_-"), b"+/_-".contains(&byte)),
            ] {
                assert_eq!((set.has(byte), set.not().has(byte)), (wanted, !wanted), "{set:?} {byte}");
            }
        }
        assert!(DIGIT.holds(b"123") && !DIGIT.holds(b"12a") && DIGIT.meets(b"a1") && !DIGIT.meets(b"ab"));
    }
}

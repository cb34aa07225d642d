//! Secrets that are recognised by how they look.

use super::bytes::{
    ALNUM, DIGIT, HEX, LETTER, LOWER, LOWER_HEX, QUOTE, SPACE, Set, TOKEN, UPPER, UPPER_HEX, WORD, signs,
};
use crate::text::find_bytes;

use super::closed::Class;
use super::public::is_transaction;
use super::table::{FILE_ENDINGS, PAIRS, PATH_ROOTS, PROGRAM_ENDINGS, TOKEN_PREFIXES, words};
use super::text::{byte, escape, head, is_word, joiner, piece, run_end, start_of, starts_with};
use super::{Span, work};

/// A random run of at least this many letters and digits may be a secret. Shorter ones are device ids, hashes of scripts, or words.
pub const OPAQUE_MIN: usize = 16;

/// Up to this many hexadecimal digits are taken for the hash of a build or an id.
const HEX_MAX: usize = 20;

/// A token's prefix must be followed by at least this many characters; else it is an ordinary word.
const TOKEN_REST_MIN: usize = 6;

/// `mat_` and `mar_` also end words (`format_…`). After a letter they count as prefixes only if at least this many letters and digits
/// follow. Tokens of the Matrix Authentication Service have thirty.
const TOKEN_BODY_MIN: usize = 20;

/// At least this many small numbers in a row are taken for the bytes of a key. AES-128 has 16, and a cut may remove some.
const NUMBERS_MIN: usize = 10;

/// The same for numbers that are separated by a space alone: more are needed, since SDP lists formats in this way.
const SPACED_NUMBERS_MIN: usize = 16;

/// At least this many large numbers in a row are taken for the words of a key.
const WORDS_MIN: usize = 4;

/// If all numbers of a list are at most this, they are taken for indexes.
const INDEX_MAX: u64 = 63;

/// Bytes between two numbers of a list at most: a comma, quotes, an index, indentation.
const NUMBER_GAP_MAX: usize = 24;

/// At least this many groups of four characters are taken for a recovery key. It has twelve, and a cut may remove some.
const GROUPS_MIN: usize = 4;

/// Signs that a base64 text begins with at most, where they count as part of it.
const SIGNS_MAX: usize = 16;

/// After this many letters and digits that are not random, the text that follows is judged by itself.
const STRETCH_MAX: usize = 64;

/// Bytes of a path that are looked at on either side of a part of it.
const PATH_BYTES: usize = 128;

/// Groups that are looked at together at most.
const GROUPS_MAX: usize = 16;

/// Bytes between two groups at most: quotes and a comma, a zero-width space, an encoded space.
const GROUP_GAP_MAX: usize = 6;

/// What the page's formatter writes where it cut a value.
const CUT: &[u8] = "…".as_bytes();

/// Whether two letters follow each other in words.
fn is_pair(first: u8, second: u8) -> bool {
    const SETS: [u32; 26] = {
        let mut sets = [0; 26];
        let mut at = 0;
        while at < 26 {
            let letters = PAIRS[at].as_bytes();
            let mut next = 0;
            while next < letters.len() {
                sets[at] |= 1 << (letters[next] - b'a');
                next += 1;
            }
            at += 1;
        }
        sets
    };
    let index = |letter: u8| (letter | 0x20).wrapping_sub(b'a');
    SETS.get(usize::from(index(first))).is_some_and(|set| set >> (index(second) & 31) & 1 == 1)
}

/// How many pairs of neighbours in a run of letters and digits do not occur in words: none in `MembershipManager`, about half in a
/// token.
fn oddness(atom: &[u8]) -> usize {
    work::done(atom.len());
    // Hashes of builds, and device ids as homeservers make them.
    if (atom.len() <= HEX_MAX && LOWER_HEX.holds(atom)) || (atom.len() == 10 && UPPER.holds(atom)) {
        return 0;
    }
    let (mut odd, mut changes) = (0, 0);
    for (at, pair) in atom.windows(2).enumerate() {
        match (pair[0].is_ascii_digit(), pair[1].is_ascii_digit()) {
            (true, true) => {}
            (false, false) => {
                // In camelCase a new word begins here.
                let hump = pair[0].is_ascii_lowercase()
                    && pair[1].is_ascii_uppercase()
                    && atom.get(at + 2).is_none_or(u8::is_ascii_lowercase);
                odd += usize::from(!hump && pair[0] != pair[1] && !is_pair(pair[0], pair[1]));
            }
            _ => changes += 1,
        }
    }
    // A number at the beginning or the end is part of a name: `sha2`, `msc4140`.
    odd + if changes == 1 { 0 } else { changes }
}

/// Whether so many letters and digits with so many odd neighbours are random; `whole`: with the signs among them.
fn is_random(length: usize, odd: usize, whole: usize) -> bool {
    // 16, 32 and 64 bytes in base64 and hexadecimal: keys and signatures. A word is hardly ever exactly as long, least of all
    // without a sign. (22 and 43 characters of both cases are known for keys without this.)
    let share = match whole {
        32 if length == 32 => 12,
        22 | 32 | 43 | 64 | 86 => 8,
        _ => 5,
    };
    whole >= OPAQUE_MIN && length >= OPAQUE_MIN - 4 && odd * share >= length
}

/// A run of base64 characters, and what it looks like.
#[derive(Clone, Copy, Debug, Default)]
pub struct Run {
    pub start: usize,
    pub end: usize,
    /// The class of the whole run, if it is closed as a whole.
    pub class: Option<Class>,
    /// Where the name of a script begins, if the run ends with one.
    pub limit: usize,
}

/// The run of base64 characters that the word at a place begins.
pub fn run(text: &[u8], word: usize) -> Run {
    let (mut at, mut odd, mut length, mut segments, mut segment) = (word, 0, 0, 0, word);
    loop {
        let end = run_end(text, at, ALNUM);
        let atom = piece(text, at, end);
        let atom_odd = oddness(atom);
        odd += atom_odd;
        length += atom.len();
        at = end;
        let step = joiner(text, at);
        if step == 0 {
            break;
        }
        if byte(text, at) == b'/' && atom.len() >= 4 && atom_odd == 0 && LOWER.meets(atom) {
            segments += 1;
        }
        at += step;
        if byte(text, at - 1) == b'/' {
            segment = at;
        }
        // An id begins here, which is looked at by itself.
        if head(text, at).ends_with(b"/delayed_events/")
            || is_transaction(head(text, at))
            || head(text, at).ends_with(b"syd_")
        {
            break;
        }
    }
    let end = start_of(text, at, at - word, ALNUM.not());
    let is_script = is_script(text, end) && end - segment <= 2 * HEX_MAX;
    let after_slash = word > 0 && byte(text, word - 1) == b'/';
    let is_path = segments >= 2 || (after_slash && segments > 0);
    // Base64 may begin and end with what is no letter; a path does, too.
    let leading = word - start_of(text, word, SIGNS_MAX, const { signs(b"+/") });
    let takes = |between: &[u8], length: usize| const { signs(b"+") }.meets(between) || matches!(length, 22 | 43 | 86);
    let start = if takes(piece(text, word - leading, word), at - word + leading) { word - leading } else { word };
    // Padding, but not the sign behind a name.
    let equals = run_end(head(text, end + 3), end, const { signs(b"=") }) - end;
    let behind = byte(text, end + equals);
    let is_padding = equals <= 2 && !const { WORD.or(signs(b"{[(")) }.has(behind);
    let padding = if is_padding { equals } else { 0 };
    let is_padded = padding > 0 && (end - start + padding).is_multiple_of(4) && length >= OPAQUE_MIN - 4;
    let has_key_length = matches!(at - start, 22 | 43 | 86);
    // A key may look like a path of two words, but a path of words has hardly a pair that does not occur in words.
    let is_wordless = segments < 2 || odd * 8 >= length;
    // 22 letters and `==` are 16 bytes in base64. No word looks like that, so no digit is required.
    let is_short_key = padding == 2 && end - start == 22;
    let is_key = (is_padded || (has_key_length && is_wordless)) && is_mixed(piece(text, start, at), is_short_key);
    let random = !is_script && (is_key || (!is_path && is_random(length, odd, at - start)));
    let class = class_of(piece(text, word, end)).filter(|_| !is_script).or(random.then_some(Class::Base64));
    if class != Some(Class::Base64) {
        return Run { start, end: at.max(word + 1), class, limit: if is_script { segment } else { at } };
    }
    let end = if takes(piece(text, end, at), at - start) { at } else { end + padding };
    Run { start, end, class, limit: end }
}

/// Whether a run has letters of both cases and, unless `letters_do`, a digit or a sign as well. Hardly any word has.
fn is_mixed(run: &[u8], letters_do: bool) -> bool {
    UPPER.meets(run)
        && LOWER.meets(run)
        && (letters_do || const { DIGIT.or(signs(b"+/")) }.meets(run))
        && !const { signs(b"_-%") }.meets(run)
}

/// The class of a run, by its characters alone.
fn class_of(run: &[u8]) -> Option<Class> {
    work::done(run.len());
    if run.len() == 36 && is_uuid(run) {
        return Some(Class::Uuid);
    }
    if run.len() < HEX_MAX + 4 {
        return None;
    }
    if DIGIT.holds(run) {
        return Some(Class::Digits);
    }
    let hex = LOWER_HEX.holds(run) || UPPER_HEX.holds(run);
    (hex && DIGIT.meets(run)).then_some(Class::Hex)
}

fn is_uuid(run: &[u8]) -> bool {
    run.iter().enumerate().all(|(at, byte)| match at {
        8 | 13 | 18 | 23 => *byte == b'-',
        _ => byte.is_ascii_hexdigit(),
    })
}

/// Whether a file name's ending follows, that of a program.
fn is_script(text: &[u8], end: usize) -> bool {
    let suffix = run_end(head(text, end + 6), end + 1, ALNUM);
    byte(text, end) == b'.'
        && end < suffix
        && words(PROGRAM_ENDINGS).any(|ending| ending == piece(text, end + 1, suffix.max(end + 1)))
}

/// Whether a run is a part of a file's path, whose slashes are none of base64: it is absolute or begins with dots or a
/// tilde, or a file's name with its ending follows. Each folder's name is then looked at by itself.
pub fn is_in_path(text: &[u8], run: &Run) -> bool {
    const PART: Set = WORD.or(signs(b"./+~"));
    let start = start_of(text, run.start, PATH_BYTES, PART);
    let path = piece(text, start, run.end);
    // About one random base64 text in a thousand million begins like this.
    let root = run_end(path, 1, LETTER);
    let is_absolute = byte(path, 0) == b'/'
        && byte(path, root) == b'/'
        && words(PATH_ROOTS).any(|word| word == piece(path, 1, root.max(1)));
    let is_relative = [&b"./"[..], b"../", b"~/"].iter().any(|beginning| path.starts_with(beginning));
    let end = run_end(head(text, run.end + PATH_BYTES), run.end, PART);
    let name = piece(text, run.end, end);
    (run.start - start < PATH_BYTES && (is_absolute || is_relative))
        || words(FILE_ENDINGS).any(|ending| name.strip_suffix(ending).is_some_and(|rest| rest.ends_with(b".")))
}

/// A random stretch inside of a run that is not random as a whole, such as a path: from the atom at a place on.
pub fn stretch(text: &[u8], start: usize, limit: usize) -> Option<Span> {
    let odd_atom = |at: usize| {
        let end = run_end(head(text, limit), at, ALNUM);
        let odd = oddness(piece(text, at, end));
        (end, odd, odd * 5 >= end - at && odd > 0)
    };
    let (mut end, mut odd, first) = odd_atom(start);
    if !first {
        return None;
    }
    let mut length = end - start;
    loop {
        let mut next = end;
        while joiner(text, next) > 0 && next < limit {
            next += joiner(text, next);
        }
        if next == end || next >= limit || !byte(text, next).is_ascii_alphanumeric() {
            break;
        }
        let (next_end, next_odd, is_odd) = odd_atom(next);
        // Short atoms are judged together with their neighbours.
        if !(is_odd || next_end - next <= 3 || byte(text, end) == b'+') {
            break;
        }
        odd += next_odd;
        length += next_end - next;
        end = next_end;
        if length > STRETCH_MAX && !is_random(length, odd, length) {
            break;
        }
    }
    is_random(length, odd, length).then_some((start, end))
}

/// A token or JSON Web Token in the word `start..end`, or one that begins with it.
pub fn token(text: &[u8], start: usize, end: usize) -> Option<(Span, Class)> {
    for at in start..end {
        work::done(1);
        match byte(text, at) | 0x20 {
            b's' | b'm' if is_token_start(text, start, at, end) => {
                return Some(((at, run_end(text, at, TOKEN)), Class::Token));
            }
            b'e' if piece(text, at, end).starts_with(b"eyJ") => {
                // It is a JWT if a dot and another part follow, else ordinary base64.
                let next = byte(text, end + 1);
                if byte(text, end) == b'.' && (is_word(next) || next == b'.') {
                    return Some(((at, run_end(text, at, TOKEN)), Class::Jwt));
                }
            }
            _ => {}
        }
    }
    None
}

fn is_token_start(text: &[u8], start: usize, at: usize, end: usize) -> bool {
    let Some(prefix) = TOKEN_PREFIXES
        .iter()
        .position(|prefix| piece(text, at, end.min(at + prefix.len())).eq_ignore_ascii_case(prefix.as_bytes()))
    else {
        return false;
    };
    let body = at + 4;
    let in_word = at > start && byte(text, at - 1).is_ascii_alphabetic() && prefix >= 5;
    let (wanted, set) = if in_word { (TOKEN_BODY_MIN, ALNUM) } else { (TOKEN_REST_MIN, TOKEN) };
    // Names of constants may begin like this: `MAT_…`, `SYR_…`.
    let wanted = if byte(text, at).is_ascii_uppercase() { TOKEN_BODY_MIN } else { wanted };
    run_end(head(text, body + wanted), body, set) == body + wanted
}

/// How many numbers stand one after the other from `start` on, where they end, and whether they may be a key's.
pub fn numbers(text: &[u8], start: usize) -> (usize, usize, bool) {
    let (mut count, mut end, mut at) = (0, start, start);
    let (mut ascending, mut small, mut large, mut last) = (true, true, 0, 0);
    let mut spaced = false;
    while let Some((stop, value)) = number(text, at) {
        if count > 0 && value < last {
            ascending = false;
        }
        small &= value <= INDEX_MAX;
        large += usize::from(value > 999_999);
        last = value;
        count += 1;
        end = stop;
        at = run_end(text, stop, const { SPACE.or(QUOTE).or(signs(b",:;\\[](){}")) });
        let between = piece(text, stop, at);
        if between.len() > NUMBER_GAP_MAX || between.is_empty() {
            break;
        }
        spaced |= !const { signs(b",:;") }.meets(between);
    }
    let is_cut = starts_with(text, at, CUT);
    let least = if is_cut {
        WORDS_MIN
    } else if spaced {
        SPACED_NUMBERS_MIN
    } else {
        NUMBERS_MIN
    };
    // The bytes of a key are neither in ascending order nor all small. Times are in order.
    let random = !ascending && !small;
    let is_key = random && (count >= least || (large == count && count >= WORDS_MIN));
    (count, end, is_key)
}

/// A number of a list: a byte, decimal or as `0x1f`, or a word of 32 or 64 bits.
fn number(text: &[u8], at: usize) -> Option<(usize, u64)> {
    if starts_with(text, at, b"0x") {
        let end = run_end(text, at + 2, HEX);
        return (end > at + 2 && end - at <= 18 && !is_word(byte(text, end)))
            .then(|| (end, piece(text, at + 2, end).iter().fold(0, |value, digit| value << 4 | hex(*digit))));
    }
    let end = run_end(head(text, at + 21), at, DIGIT);
    let length = end - at;
    let is_number = (1..=20).contains(&length) && !is_word(byte(text, end)) && byte(text, end) != b'.';
    let value = piece(text, at, end)
        .iter()
        .fold(0u64, |value, digit| value.wrapping_mul(10).wrapping_add(u64::from(digit - b'0')));
    // A number that is larger than a byte and smaller than a 32-bit word is not part of a key.
    (is_number && (value <= 255 || length >= 7)).then_some((end, value))
}

fn hex(digit: u8) -> u64 {
    u64::from((digit as char).to_digit(16).unwrap_or_default())
}

/// A list of bytes as two hexadecimal digits each, with the same sign between all of them.
pub fn hex_bytes(text: &[u8], start: usize) -> Option<Span> {
    let pair = |at: usize| {
        text.len() >= at + 2 && byte(text, at).is_ascii_hexdigit() && byte(text, at + 1).is_ascii_hexdigit()
    };
    let between = byte(text, start + 2);
    if !pair(start) || !matches!(between, b':' | b' ' | b'-' | b',') {
        return None;
    }
    let mut end = start + 2;
    let mut count = 1;
    let mut letters = LETTER.meets(piece(text, start, end));
    while byte(text, end) == between && pair(end + 1) && !byte(text, end + 3).is_ascii_alphanumeric() {
        letters |= LETTER.meets(piece(text, end + 1, end + 3));
        end += 3;
        count += 1;
        // All digits are decimal, so this is a list of decimal numbers.
        if count >= NUMBERS_MIN && !letters {
            break;
        }
    }
    work::done(end - start);
    (count >= NUMBERS_MIN && letters).then_some((start, end))
}

/// Groups of four characters, as a recovery key is shown, from the word at a place on.
pub fn groups(text: &[u8], start: usize) -> Option<Span> {
    let (mut at, mut count, mut odd, mut end) = (start, 0, 0, start);
    let mut between = piece(text, start, start);
    loop {
        let stop = run_end(head(text, at + 6), at, ALNUM);
        // Five characters: another character stands right before the group.
        let from = if count == 0 && stop == at + 5 && is_odd_group(piece(text, at + 1, stop)) { at + 1 } else { at };
        if stop - from != 4 {
            // A cut may have shortened the last group.
            if count > 0 && stop > at && stop - at < 4 && starts_with(text, stop, CUT) {
                end = stop;
            }
            break;
        }
        count += 1;
        odd += usize::from(is_odd_group(piece(text, from, stop)));
        end = stop;
        let window = head(text, stop + GROUP_GAP_MAX);
        let (character, width) = escape(text, stop);
        at = if width > 1 && SPACE.has(character) {
            stop + width
        } else if byte(text, stop) == b'<' {
            run_end(window, stop, const { signs(b">").not() }) + 1
        } else {
            run_end(window, stop, const { ALNUM.or(signs(b"%\\")).not() })
        };
        // All separators must be the same, except at the end of a line.
        let gap = piece(text, stop, at);
        if between.is_empty() {
            between = gap;
        }
        if gap.is_empty() || count == GROUPS_MAX || !(gap == between || const { signs(b"\n") }.meets(gap)) {
            break;
        }
    }
    let least = if starts_with(text, at, CUT) || find_bytes(piece(text, end.min(at), at), CUT).is_some() {
        1
    } else {
        GROUPS_MIN
    };
    // Many groups of four in a row are hardly ever words, so a smaller share of them must look random.
    let share = if count > 7 { 6 } else { 2 };
    (count >= least && odd * share >= count && odd > 0).then_some((start, end))
}

/// Whether four characters are neither a word, nor a number, nor an abbreviation.
fn is_odd_group(group: &[u8]) -> bool {
    let lower = LOWER.meets(group);
    lower && (DIGIT.has(byte(group, 0)) || const { UPPER.or(DIGIT) }.meets(piece(group, 1, group.len())))
}

/// The end of armoured text that begins at a place.
pub fn armour(text: &[u8], start: usize) -> Option<usize> {
    if !starts_with(text, start, b"-----BEGIN ") {
        return None;
    }
    Some(armour_end(text, start))
}

/// The end of armoured text that has begun.
pub fn armour_end(text: &[u8], start: usize) -> usize {
    const END: &[u8] = b"-----END ";
    let Some(end) = find_bytes(piece(text, start, text.len()), END) else { return text.len() };
    work::done(end);
    let label = run_end(text, start + end + END.len(), const { signs(b"-\n").not() });
    run_end(text, label, const { signs(b"-") })
}

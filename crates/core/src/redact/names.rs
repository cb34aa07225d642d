//! What a name says of the value behind it.

use super::table::{HARMLESS_ENDINGS, NAMES, Name, Place, words};
use super::text::{head, letters, piece};

/// Letters and digits of the longest name that is looked at.
pub const NAME_MAX: usize = 40;

/// What a word says of the value behind it, if it is such a name.
pub fn name(word: &[u8]) -> Option<Name> {
    let mut buffer = [0; NAME_MAX];
    let letters = letters(word, &mut buffer)?;
    // Error codes name what they are about: `M_UNKNOWN_TOKEN`.
    if word.starts_with(b"M_") {
        return None;
    }
    let stem = letters.iter().rposition(|byte| !byte.is_ascii_digit())? + 1;
    let singular = stem - usize::from(head(letters, stem).ends_with(b"s"));
    let mut first = KINDS.len();
    for (at, letter) in letters.iter().enumerate() {
        let mut names = names_with(*letter);
        while let [row, length, rest @ ..] = names {
            let (row, length) = (usize::from(*row), usize::from(*length));
            let end = at + length;
            let is_end = end == letters.len() || end == stem || end == singular;
            let fits = row < first
                && piece(letters, at, end) == head(rest, length)
                && match KINDS[row].0 {
                    Place::Within => true,
                    Place::End => is_end,
                    Place::Whole => is_end && at == 0,
                };
            if fits {
                first = row;
            }
            names = piece(rest, length, rest.len());
        }
    }
    let (_, name) = KINDS.get(first)?;
    let harmless =
        matches!(name, Name::Secret | Name::Phrase) && words(HARMLESS_ENDINGS).any(|ending| letters.ends_with(ending));
    (!harmless).then_some(*name)
}

/// The rows of [`NAMES`] without the names.
const KINDS: [(Place, Name); NAMES.len()] = {
    let mut kinds = [(Place::Within, Name::Secret); NAMES.len()];
    let mut row = 0;
    while row < NAMES.len() {
        kinds[row] = (NAMES[row].0, NAMES[row].1);
        row += 1;
    }
    kinds
};

/// The names by their first letter, so that few are looked at for each letter of a word: each name's row, its length,
/// and the name.
const SORTED: [u8; sorted_to(None)] = {
    let mut sorted = [0; sorted_to(None)];
    let mut letter = b'a';
    while letter <= b'z' {
        let (mut place, mut row) = (sorted_to(Some(letter)), 0);
        while row < NAMES.len() {
            let names = NAMES[row].2.as_bytes();
            let mut at = 0;
            while at < names.len() {
                let end = word_end(names, at);
                if names[at] == letter {
                    sorted[place] = row as u8;
                    sorted[place + 1] = (end - at) as u8;
                    place += 2;
                    while at < end {
                        sorted[place] = names[at];
                        (place, at) = (place + 1, at + 1);
                    }
                }
                at = end + 1;
            }
            row += 1;
        }
        letter += 1;
    }
    sorted
};

/// Where in [`SORTED`] the names of each letter begin, and where those of the last one end.
const STARTS: [u16; 27] = {
    let mut starts = [0; 27];
    let mut letter = 0;
    while letter < starts.len() {
        starts[letter] = sorted_to(Some(b'a' + letter as u8)) as u16;
        letter += 1;
    }
    starts
};

/// Bytes in [`SORTED`] of the names in front of those with a first letter, or of all.
const fn sorted_to(letter: Option<u8>) -> usize {
    let (mut bytes, mut row) = (0, 0);
    while row < NAMES.len() {
        let names = NAMES[row].2.as_bytes();
        let mut at = 0;
        while at < names.len() {
            assert!(names[at] >= b'a' && names[at] <= b'z', "a name begins with a letter");
            let end = word_end(names, at);
            if letter.is_none() || matches!(letter, Some(letter) if names[at] < letter) {
                bytes += 2 + end - at;
            }
            at = end + 1;
        }
        row += 1;
    }
    bytes
}

/// The end of the word at a place in a list that spaces part.
const fn word_end(list: &[u8], from: usize) -> usize {
    let mut end = from;
    while end < list.len() && list[end] != b' ' {
        end += 1;
    }
    end
}

/// The names that begin with a letter, as they stand in [`SORTED`].
fn names_with(letter: u8) -> &'static [u8] {
    let at = usize::from(letter.wrapping_sub(b'a'));
    let place = |at: usize| STARTS.get(at).map_or(0, |place| usize::from(*place));
    piece(&SORTED, place(at), place(at + 1))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_name_of_the_table_says_what_its_row_says() {
        for (_, kind, names) in NAMES {
            for one in words(names) {
                assert_eq!(name(one), Some(*kind), "{}", String::from_utf8_lossy(one));
            }
        }
    }
}

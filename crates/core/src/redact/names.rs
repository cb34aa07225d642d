//! What a name says of the value behind it.

use crate::text::find_bytes;

use super::table::{HARMLESS_ENDINGS, NAMES, Name, Place, words};
use super::text::{head, letters};

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
    let stem = match letters.iter().rposition(|byte| !byte.is_ascii_digit()) {
        Some(last) => head(letters, last + 1),
        None => return None,
    };
    let singular = stem.strip_suffix(b"s").unwrap_or(stem);
    let fits = |place: Place, name: &[u8]| match place {
        Place::Within => find_bytes(letters, name).is_some(),
        Place::End => [letters, stem, singular].iter().any(|word| word.ends_with(name)),
        Place::Whole => [letters, stem, singular].contains(&name),
    };
    let (_, name, _) = NAMES.iter().find(|(place, _, names)| words(names).any(|name| fits(*place, name)))?;
    let harmless =
        matches!(name, Name::Secret | Name::Phrase) && words(HARMLESS_ENDINGS).any(|ending| letters.ends_with(ending));
    (!harmless).then_some(*name)
}

//! Characters that act on a display without being seen, and how they are shown.
//!
//! Lines, ids and file names are hostile. A control character moves a terminal's cursor, a bidirectional control makes a
//! text look like another one, and a character without a glyph hides in an id. Everything that this program shows, shows
//! them as what they are.

use std::borrow::Cow;

use crate::redact::redact;

/// The first and the last character of each range: the controls (`Cc`), the separators of lines and paragraphs (`Zl`, `Zp`),
/// the bidirectional controls, the interlinear annotations, and what Unicode calls `Default_Ignorable_Code_Point`
/// (`DerivedCoreProperties.txt` of Unicode 17). Line break and tab are controls, too; who wants them asks first.
pub const INVISIBLE: &[(char, char)] = &[
    ('\u{0}', '\u{1f}'),
    ('\u{7f}', '\u{9f}'),
    ('\u{ad}', '\u{ad}'),
    ('\u{34f}', '\u{34f}'),
    ('\u{61c}', '\u{61c}'),
    ('\u{115f}', '\u{1160}'),
    ('\u{17b4}', '\u{17b5}'),
    ('\u{180b}', '\u{180f}'),
    ('\u{200b}', '\u{200f}'),
    ('\u{2028}', '\u{202e}'),
    ('\u{2060}', '\u{206f}'),
    ('\u{3164}', '\u{3164}'),
    ('\u{fe00}', '\u{fe0f}'),
    ('\u{feff}', '\u{feff}'),
    ('\u{ffa0}', '\u{ffa0}'),
    ('\u{fff0}', '\u{fffb}'),
    ('\u{1bca0}', '\u{1bca3}'),
    ('\u{1d173}', '\u{1d17a}'),
    ('\u{e0000}', '\u{e0fff}'),
];

/// Whether a character acts on a display without being seen: see [`INVISIBLE`].
pub fn is_invisible(character: char) -> bool {
    // Nearly all of what is shown is plain ASCII.
    !matches!(character, ' '..='~') && INVISIBLE.iter().any(|(first, last)| (*first..=*last).contains(&character))
}

/// A text as it may be shown: each invisible character stands there by its number, such as `[U+202E]`. Line breaks and
/// tabs stay what they are.
///
/// ```
/// assert_eq!(crypto_diag_core::visible("a\u{202e}b\u{1b}[0m\n"), "a[U+202E]b[U+001B][0m\n");
/// ```
pub fn visible(text: &str) -> Cow<'_, str> {
    let is_hidden = |character: char| !matches!(character, '\n' | '\t') && is_invisible(character);
    if !text.contains(is_hidden) {
        return Cow::Borrowed(text);
    }
    let mut shown = String::with_capacity(text.len() + 16);
    for character in text.chars() {
        if is_hidden(character) {
            shown.push_str(&format!("[U+{:04X}]", u32::from(character)));
        } else {
            shown.push(character);
        }
    }
    Cow::Owned(shown)
}

/// A text that others said, as it may be written down or shown: without secrets, and nothing in it unseen.
pub fn showable(text: &str) -> String {
    visible(&redact(text).text).into_owned()
}

/// A text as one line: [`visible`], with spaces for line breaks and tabs.
pub fn visible_line(text: &str) -> Cow<'_, str> {
    let shown = visible(text);
    if shown.contains(['\n', '\t']) { Cow::Owned(shown.replace(['\n', '\t'], " ")) } else { shown }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_ranges_are_in_order_and_apart() {
        for pair in INVISIBLE.windows(2) {
            assert!(pair[0].0 <= pair[0].1 && pair[0].1 < pair[1].0, "{pair:?}");
        }
    }

    #[test]
    fn what_hides_or_turns_a_text_is_shown_by_its_number() {
        for hidden in "\0\u{1b}\u{7f}\u{9b}\u{ad}\u{61c}\u{180e}\u{200b}\u{200d}\u{200e}\u{2028}\u{2029}\u{202e}\u{2060}\u{2066}\u{3164}\u{fe0f}\u{feff}\u{e0041}".chars() {
            let text = format!("a{hidden}b");
            assert_eq!(visible(&text), format!("a[U+{:04X}]b", u32::from(hidden)));
        }
    }

    #[test]
    fn visible_characters_are_not_changed() {
        for text in ["@alice:example.org", "grüße, 你好, שלום, 😀", "a\nb\tc", "[U+202E]"] {
            assert!(matches!(visible(text), Cow::Borrowed(_)), "{text}");
        }
        assert_eq!(visible_line("a\nb\tc\u{200b}"), "a b c[U+200B]");
    }
}

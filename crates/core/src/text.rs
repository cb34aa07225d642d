//! Searching and slicing that cannot panic. The standard library's functions would add tables and panic messages to the
//! module that every page loads.

/// Where a word first stands in a text, in bytes.
pub fn find(text: &str, word: &str) -> Option<usize> {
    find_bytes(text.as_bytes(), word.as_bytes())
}

/// The same for bytes.
#[inline(never)]
pub fn find_bytes(text: &[u8], word: &[u8]) -> Option<usize> {
    let (first, last) = (*word.first()?, text.len().checked_sub(word.len())?);
    let mut at = 0;
    while at <= last {
        // Compare the first byte first: it differs in most places.
        if text[at] == first && text[at..].starts_with(word) {
            return Some(at);
        }
        at += 1;
    }
    None
}

/// Whether a word stands at a place.
pub fn starts_with(text: &[u8], at: usize, word: &[u8]) -> bool {
    text.get(at..).is_some_and(|rest| rest.starts_with(word))
}

/// A part of a text; empty where its ends are no character boundaries.
pub fn part(text: &str, from: usize, to: usize) -> &str {
    text.get(from..to).unwrap_or_default()
}

/// Texts as one.
pub fn joined(texts: &[&str]) -> String {
    let mut all = String::with_capacity(texts.iter().map(|text| text.len()).sum());
    texts.iter().for_each(|text| all.push_str(text));
    all
}

/// Appends a number.
pub fn push_number(out: &mut String, number: usize) {
    if number > 9 {
        push_number(out, number / 10);
    }
    let digit = number % 10;
    out.push_str(part("0123456789", digit, digit + 1));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_word_is_found_where_it_first_stands() {
        for (text, word) in
            [("a needle, a needle", "needle"), ("ä needle", "needle"), ("x", "needle"), ("", "x"), ("x", "x")]
        {
            assert_eq!(find(text, word), text.find(word), "{text:?} {word:?}");
        }
    }

    #[test]
    fn a_number_is_written_as_the_standard_library_does() {
        for number in [0, 7, 10, 12_800, usize::MAX] {
            let mut text = String::from("x");
            push_number(&mut text, number);
            assert_eq!(text, format!("x{number}"));
        }
    }

    #[test]
    fn a_part_outside_the_text_or_its_boundaries_is_empty() {
        assert_eq!(part("äb", 0, 2), "ä");
        for (from, to) in [(1, 2), (2, 9), (3, 2)] {
            assert_eq!(part("äb", from, to), "");
        }
    }
}

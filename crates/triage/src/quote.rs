//! Quotations: what an artefact says, short and without secrets.

use crypto_diag_core::redact::{redact, redact_head};

/// Characters of a quotation at most; the longest sentence that matters, a conflict with both keys, has about 600.
pub const QUOTE_CHARS_MAX: usize = 800;

/// Characters that are looked at for a quotation, so that a megabyte is not redacted for eight hundred of them.
const LOOKED_AT: usize = 16 * QUOTE_CHARS_MAX;

/// A quotation: what could be a secret closed, control characters made spaces, cut at [`QUOTE_CHARS_MAX`].
///
/// Invisible characters that reorder text go, too, so that what is read is what stands there.
pub fn quote(text: &str) -> String {
    // Redacted before it is cut: of half a secret nobody can tell what it is. What touches the end of what is looked at is
    // closed with the rest.
    let end = text.char_indices().nth(LOOKED_AT).map_or(text.len(), |found| found.0);
    let redacted = if end < text.len() { redact_head(&text[..end]).into() } else { redact(text).text };
    let mut quoted: String = redacted
        .chars()
        .take(QUOTE_CHARS_MAX)
        .map(|character| if character.is_control() { ' ' } else { character })
        .filter(|character| !is_reordering(*character))
        .collect();
    if redacted.chars().nth(QUOTE_CHARS_MAX).is_some() || end < text.len() {
        quoted.push('…');
    }
    // A large log has a hundred thousand of them, and each grew by doubling.
    quoted.shrink_to_fit();
    quoted
}

fn is_reordering(character: char) -> bool {
    matches!(character, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_plain_and_without_secrets() {
        assert_eq!(quote("a\nb\u{202e}c access_token=syt_x_y_z123456"), "a bc access_token=[closed]");
        let long = quote(&"x".repeat(100_000));
        assert_eq!(long.chars().count(), QUOTE_CHARS_MAX + 1);
    }
}

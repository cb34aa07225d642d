//! Quotations: what an artefact says, short and without secrets.

use crypto_diag_core::{redact, visible_line};

/// Characters of a quotation at most; the longest sentence that matters, a conflict with both keys, has about 600.
pub const QUOTE_CHARS_MAX: usize = 800;

/// A quotation: secrets replaced, on one line, cut at [`QUOTE_CHARS_MAX`]. Invisible characters are shown by their number,
/// so that what is read is what stands there.
pub fn quote(text: &str) -> String {
    // Redacted before anything is cut: a cut through a secret leaves a part that nothing tells for one.
    let redacted = redact(text).text;
    let shown = visible_line(&redacted);
    let mut quoted: String = shown.chars().take(QUOTE_CHARS_MAX).collect();
    if quoted.len() < shown.len() {
        quoted.push('…');
    }
    // A large log has a hundred thousand of them, and each grew by doubling.
    quoted.shrink_to_fit();
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_is_short_plain_and_without_secrets() {
        assert_eq!(quote("a\nb\u{202e}c access_token=syt_x_y_z123456"), "a b[U+202E]c access_token=[redacted]");
        let long = quote(&"x".repeat(100_000));
        assert_eq!(long.chars().count(), QUOTE_CHARS_MAX + 1);
    }
}

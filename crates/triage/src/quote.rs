//! Quotations: what an artefact says, short and without secrets.

use crypto_diag_core::redact::redact_head;
use crypto_diag_core::{Clean, visible_line};

/// Characters of a quotation at most; the longest sentence that matters, a conflict with both keys, has about 600.
pub const QUOTE_CHARS_MAX: usize = 800;

/// Characters that are looked at for a quotation, so that a megabyte is not redacted for eight hundred of them.
const LOOKED_AT: usize = 16 * QUOTE_CHARS_MAX;

/// A quotation: what could be a secret closed, on one line, cut at [`QUOTE_CHARS_MAX`]. Invisible characters are shown by
/// their number, so that what is read is what stands there.
pub fn quote(text: &str) -> Clean {
    shortened(text, QUOTE_CHARS_MAX, LOOKED_AT)
}

/// The beginning of a line, cut at so many characters, where the rest of it is kept in another form.
pub fn quote_beginning(text: &str, most: usize) -> Clean {
    shortened(text, most, 2 * most)
}

fn shortened(text: &str, most: usize, looked_at: usize) -> Clean {
    // Redacted before it is cut: of half a secret nobody can tell what it is. What touches the end of what is looked at is
    // closed with the rest.
    let end = text.char_indices().nth(looked_at).map_or(text.len(), |found| found.0);
    let redacted = if end < text.len() { redact_head(&text[..end]) } else { Clean::new(text) };
    redacted.cut(|redacted| {
        let shown = visible_line(redacted);
        let kept = shown.char_indices().nth(most).map_or(shown.len(), |found| found.0);
        if kept == shown.len() && end == text.len() { shown } else { format!("{}…", &shown[..kept]).into() }
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_secret_is_closed_wherever_a_quotation_ends() {
        let recovery = "EsTc LW2K PGiF wKEA 3As5 g5c4 BXbx 3vXS FMBc mJzx Yq4d Wn8R";
        let bytes = "183,22,201,54,99,240,17,133,76,208,45,161,254,120,37,91,143,66,219,11,174,58,230,87";
        for before in [0, QUOTE_CHARS_MAX, 4 * QUOTE_CHARS_MAX, LOOKED_AT] {
            for cut in 0..70 {
                for (secret, part) in [(recovery, "PGiF wKE"), (bytes, "240,17,1")] {
                    // Lines of armour shrink to nothing, so that what stands far behind comes into the quotation.
                    let filler = format!("-----BEGIN X-----{}-----END X----- ", "x".repeat(before.saturating_sub(cut)));
                    let text = format!("{filler}{secret} then {}", "y ".repeat(LOOKED_AT));
                    for quoted in [quote(&text), quote_beginning(&text, before / 2)] {
                        assert!(!quoted.contains(part), "{before} {cut}: {quoted}");
                    }
                }
            }
        }
    }

    #[test]
    fn a_quotation_is_short_plain_and_without_secrets() {
        assert_eq!(quote("a\nb\u{202e}c access_token=syt_x_y_z123456"), "a b[U+202E]c access_token=[closed]");
        let long = quote(&"word ".repeat(20_000));
        assert_eq!(long.chars().count(), QUOTE_CHARS_MAX + 1);
        assert_eq!(quote_beginning("one two three", 7), "one two…");
    }
}

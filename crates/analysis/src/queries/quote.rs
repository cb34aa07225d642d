//! Quoting of ids, which are hostile: anybody may choose a user id, a device id, an event id or a participant's name.
//!
//! The text is made to be pasted at a prompt, so it must be safe for the terminal, too: an id with a DEL could rub out
//! its own opening quote, and one with a Ctrl-C could end the command before it. No quoted text holds a control
//! character.

use std::fmt;

use crypto_diag_core::is_invisible;

/// Why an id cannot be written down.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unquotable {
    /// PostgreSQL has no text with NUL, and no command line has an argument with one.
    Nul,
    /// A control character, which a terminal would act upon. Matrix ids have none.
    Control,
}

impl fmt::Display for Unquotable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Unquotable::Nul => "it holds a NUL character, which neither PostgreSQL nor a command line can hold",
            Unquotable::Control => "it holds a control character, which a terminal would act upon when it is pasted",
        })
    }
}

/// Percent-encodes a segment of a URL's path, so that it stays one segment. `.` and `..` are not changed, and would lead elsewhere.
///
/// ```
/// use crypto_diag_analysis::queries::quote::url_segment;
///
/// assert_eq!(url_segment("$Y6n-_.~"), "%24Y6n-_.~");
/// assert_eq!(url_segment("!a/../b?c#d:é"), "%21a%2F..%2Fb%3Fc%23d%3A%C3%A9");
/// ```
pub fn url_segment(text: &str) -> String {
    let mut segment = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' | b'.' | b'~' => segment.push(char::from(byte)),
            _ => segment.push_str(&format!("%{byte:02X}")),
        }
    }
    segment
}

/// An SQL literal of PostgreSQL.
///
/// Without backslashes it is a plain one (`'…'`, quotes doubled). With any, or with a control character, it is an escape
/// string (`E'…'`), which means the same whether `standard_conforming_strings` is on or off. psql takes neither its
/// meta-commands nor its variables out of either form.
///
/// # Errors
/// If the text holds NUL.
///
/// ```
/// use crypto_diag_analysis::queries::quote::sql;
///
/// assert_eq!(sql("@o'hara:example.org").unwrap(), "'@o''hara:example.org'");
/// assert_eq!(sql(r"@a\'; \! id").unwrap(), r"E'@a\\''; \\! id'");
/// assert_eq!(sql("a\nb").unwrap(), r"E'a\nb'");
/// ```
pub fn sql(text: &str) -> Result<String, Unquotable> {
    if text.contains('\0') {
        return Err(Unquotable::Nul);
    }
    let escapes = text.contains(|character| character == '\\' || is_invisible(character));
    let mut literal = String::with_capacity(text.len() + 3);
    literal.push_str(if escapes { "E'" } else { "'" });
    for character in text.chars() {
        match character {
            '\'' => literal.push_str("''"),
            '\\' => literal.push_str("\\\\"),
            '\n' => literal.push_str("\\n"),
            _ if is_invisible(character) && character > '\u{ffff}' => {
                literal.push_str(&format!("\\U{:08x}", u32::from(character)));
            }
            _ if is_invisible(character) => literal.push_str(&format!("\\u{:04x}", u32::from(character))),
            _ => literal.push(character),
        }
    }
    literal.push('\'');
    Ok(literal)
}

/// A word of a POSIX shell, safe in interactive bash as well.
///
/// # Errors
/// If the text holds NUL or another control character. That includes line breaks, which `grep` would read as "or".
///
/// ```
/// use crypto_diag_analysis::queries::quote::shell;
///
/// assert_eq!(shell("@alice:localhost").unwrap(), "@alice:localhost");
/// assert_eq!(shell("$(id) `id`").unwrap(), "'$(id) `id`'");
/// ```
pub fn shell(text: &str) -> Result<String, Unquotable> {
    if text.contains('\0') {
        return Err(Unquotable::Nul);
    }
    if text.contains(is_invisible) {
        return Err(Unquotable::Control);
    }
    shlex::try_quote(text).map(|word| word.into_owned()).map_err(|_| Unquotable::Nul)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_cannot_be_written_is_refused() {
        assert_eq!(sql("a\0b"), Err(Unquotable::Nul));
        assert_eq!(shell("a\0b"), Err(Unquotable::Nul));
        for hostile in ["a\u{7f}\u{7f}b", "a\u{3}\nrm -rf ~\n", "\u{1b}[201~\nid\n", "a\u{9b}b", "a\nb", "a\u{202e}b"] {
            assert_eq!(shell(hostile), Err(Unquotable::Control), "{hostile:?}");
            let literal = sql(hostile).unwrap();
            assert!(!literal.contains(is_invisible), "{literal:?}");
        }
    }
}

//! Reads named fields out of the text that Rust's `tracing` prints: `name="value"`, `name=value`, `name: "value"`.

use regex_lite::Regex;

/// The value of the first field of that name: the quoted string after `name=` or `name: `, escapes undone.
///
/// Quotes inside a value are escaped by the printer, so a peer's text cannot pose as a field.
pub fn quoted<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let value = after(line, name)?.strip_prefix('"')?;
    let end = closing(value)?;
    // Ids and keys need no escapes; a value that has some is none of them.
    Some(&value[..end]).filter(|value| !value.contains('\\') && !value.is_empty())
}

/// The number after `name=` or `name: `.
pub fn number(line: &str, name: &str) -> Option<u64> {
    let value = after(line, name)?;
    let end = value.find(|character: char| !character.is_ascii_digit()).unwrap_or(value.len());
    value[..end].parse().ok()
}

/// The text behind `name=` or `name: ` where the name stands as a word of its own and outside of a quoted value.
pub fn after<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut inside = false;
    let mut escaped = false;
    let mut word = true;
    for (at, character) in line.char_indices() {
        if inside {
            inside = escaped || character != '"';
            escaped = !escaped && character == '\\';
            continue;
        }
        if word && line[at..].starts_with(name) {
            let rest = &line[at + name.len()..];
            if let Some(value) = rest.strip_prefix('=').or_else(|| rest.strip_prefix(": ")) {
                return Some(value);
            }
        }
        inside = character == '"';
        word = matches!(character, ' ' | '{' | '(' | '\n' | ',');
    }
    None
}

/// Where a quoted string ends, in bytes from its beginning.
fn closing(value: &str) -> Option<usize> {
    let mut escaped = false;
    for (at, character) in value.char_indices() {
        if character == '"' && !escaped {
            return Some(at);
        }
        escaped = !escaped && character == '\\';
    }
    None
}

/// A Curve25519 or Ed25519 public key without its algorithm's prefix: 43 characters of unpadded base64. Anything else,
/// such as a redacted or shortened key, is none.
pub fn key(text: &str) -> Option<String> {
    let bare = text.strip_prefix("curve25519:").or_else(|| text.strip_prefix("ed25519:")).unwrap_or(text);
    is_key(bare).then(|| bare.to_owned())
}

/// Whether a text is 32 bytes in unpadded base64.
fn is_key(text: &str) -> bool {
    text.len() == 43 && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'+' || byte == b'/')
}

/// The text of a group, if it took part.
pub fn group(regex: &Regex, line: &str, index: usize) -> Option<String> {
    Some(regex.captures(line)?.get(index)?.as_str().to_owned())
}

/// A text, unless JavaScript or Python printed that there is none.
pub fn present(text: &str) -> Option<String> {
    (!matches!(text, "" | "undefined" | "null" | "None")).then(|| text.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_cannot_pose_as_a_field() {
        let line = r#"in x with event_type="a\" message_id=\"evil\" sender=\"@e:x" message_id="true" sender_key="k""#;
        assert_eq!(quoted(line, "message_id"), Some("true"));
        assert_eq!(quoted(line, "sender"), None);
        let line = r#"in x with event_type="message_id=" message_id="true""#;
        assert_eq!(quoted(line, "message_id"), Some("true"));
    }

    #[test]
    fn names_are_whole_words() {
        assert_eq!(quoted(r#"sender_key="a" key="b""#, "key"), Some("b"));
        assert_eq!(number("{ version: 3, chain_index: 12, .. }", "chain_index"), Some(12));
        assert_eq!(number("chain_index: x", "chain_index"), None);
    }

    #[test]
    fn a_shortened_key_is_no_key() {
        let whole = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
        assert_eq!(key(&format!("curve25519:{whole}")).as_deref(), Some(whole));
        assert_eq!(key("drZvSd7W…"), None);
        assert_eq!(key("[redacted]"), None);
    }
}

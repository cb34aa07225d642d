//! matrix-sdk-crypto prints one line in two forms: in a page the spans stand behind the message, one a line, the innermost
//! first; in the files of Element X they stand before it, the outermost first. Readers of lines know the page's.

use std::borrow::Cow;

/// Spans that are read; deeper ones stay a part of the text.
const SPANS_MAX: usize = 32;

/// A message of `tracing`'s file form as a page would print it; anything else as it is.
pub(super) fn as_in_a_page(text: &str) -> Cow<'_, str> {
    rewritten(text).map_or(Cow::Borrowed(text), Cow::Owned)
}

fn rewritten(text: &str) -> Option<String> {
    // `text | file:line | spans: root > a`: what Element X adds behind.
    let (body, place) =
        text.rsplit_once(" | spans:").and_then(|(front, _)| front.rsplit_once(" | ")).or_else(|| {
            let (front, place) = text.trim_end().rsplit_once(" | ")?;
            place.contains(".rs:").then_some((front, place))
        })?;
    let (spans, message) = spans(body)?;
    let (module, said) = message.split_once(": ")?;
    if !module.starts_with("matrix_sdk") {
        return None;
    }
    let mut page = format!("{module}: {said}\n    at {place}");
    for (name, fields) in spans.iter().rev() {
        page.push_str("\n    in ");
        page.push_str(name);
        if !fields.is_empty() {
            page.push_str(" with ");
            page.push_str(fields);
        }
    }
    Some(page)
}

/// The spans before a message, `name{field="value"}:`, and the message.
fn spans(body: &str) -> Option<(Vec<(&str, &str)>, &str)> {
    let mut spans = Vec::new();
    let mut rest = body;
    while spans.len() < SPANS_MAX {
        let name_end = rest.find(|character: char| !character.is_alphanumeric() && character != '_')?;
        let (name, behind) = rest.split_at(name_end);
        let (fields, behind) = match behind.strip_prefix('{') {
            Some(fields) => {
                let end = closing_brace(fields)?;
                (&fields[..end], &fields[end + 1..])
            }
            None => ("", behind),
        };
        // A module's `::` belongs to the message; a span is followed by one colon.
        let Some(behind) = behind.strip_prefix(':').filter(|behind| !behind.starts_with(':') && !name.is_empty())
        else {
            break;
        };
        spans.push((name, fields));
        match behind.strip_prefix(' ') {
            Some(message) => return Some((spans, message)),
            None => rest = behind,
        }
    }
    Some((spans, rest))
}

/// Where a span's fields end; braces within quotes are a value's.
fn closing_brace(fields: &str) -> Option<usize> {
    let (mut quoted, mut escaped, mut depth) = (false, false, 0_usize);
    for (at, byte) in fields.bytes().enumerate() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if quoted => escaped = true,
            b'"' => quoted = !quoted,
            b'{' if !quoted => depth += 1,
            b'}' if !quoted && depth == 0 => return Some(at),
            b'}' if !quoted => depth -= 1,
            _ => {}
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_form_becomes_the_pages() {
        let line = r#"sync_once{pos="5}"}:handle:decrypt_room_event{room_id="!r:x" event_id="$e"}: matrix_sdk_crypto::machine: Failed to decrypt a room event: no | crates/a/mod.rs:2336 | spans: root"#;
        assert_eq!(
            as_in_a_page(line),
            "matrix_sdk_crypto::machine: Failed to decrypt a room event: no\n    at crates/a/mod.rs:2336\n    in decrypt_room_event with room_id=\"!r:x\" event_id=\"$e\"\n    in handle\n    in sync_once with pos=\"5}\""
        );
        assert_eq!(
            as_in_a_page("matrix_sdk_crypto::machine: a: b | crates/a/mod.rs:1 | spans: root"),
            "matrix_sdk_crypto::machine: a: b\n    at crates/a/mod.rs:1"
        );
    }

    #[test]
    fn other_texts_stay() {
        for text in ["", "a | b", "elementx: [WebView] x | ", "{{{: | spans:", "a{b=\"c | x.rs:1 | spans:"] {
            assert_eq!(as_in_a_page(text), text);
        }
    }
}

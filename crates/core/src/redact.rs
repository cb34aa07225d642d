//! Secrets out, before anything is cut or stored.
//!
//! A value is a secret by its **position** (it follows a name such as `access_token` or `Authorization`) or by its
//! **shape** (Synapse's and MAS's token prefixes, JWTs). Public keys are the evidence of one-time-key lines and stay.

use std::borrow::Cow;

use crate::cut::gap;

/// What stands in a secret's place.
const MASK: &str = "[redacted]";

/// Access, refresh and login tokens of Synapse and of the Matrix Authentication Service.
const TOKEN_PREFIXES: [&str; 7] = ["syt_", "syr_", "syl_", "mat_", "mct_", "mar_", "mcr_"];

/// A prefix with fewer characters behind it is an ordinary word, not a token.
const TOKEN_REST_MIN: usize = 6;

/// Names whose value is a secret, by how they end once lower-cased and without `_` and `-`. Sources: the
/// client-server API, OAuth 2.0, OpenID Connect, TURN, LiveKit and Element Call's key handling.
const SECRET_NAME_ENDINGS: [&str; 19] = [
    "token",
    "password",
    "passwd",
    "passphrase",
    "secret",
    "authorization",
    "cookie",
    "credential",
    "credentials",
    "jwt",
    "apikey",
    "privatekey",
    "recoverykey",
    "sessionkey",
    "mediakey",
    "encryptionkey",
    "encryptionkeys",
    "keymaterial",
    "keybase64",
];

/// Names whose value is a secret in a URL's query only.
const SECRET_QUERY_NAMES: [&str; 3] = ["code", "state", "sig"];

/// Headers whose unquoted value runs to the end of its line, spaces included.
const WHOLE_LINE_NAMES: [&str; 3] = ["authorization", "cookie", "setcookie"];

/// A bare `key` with a value of at least this many base64 characters is taken for a media key (AES-128 needs 22).
const KEY_CHARS_MIN: usize = 16;

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text, borrowed where nothing had to be replaced.
    pub text: Cow<'a, str>,
    /// How many secrets were replaced.
    pub count: u32,
}

/// Replaces every secret in a text.
pub fn redact(text: &str) -> Redacted<'_> {
    let spans = secrets(text);
    if spans.is_empty() {
        return Redacted { text: Cow::Borrowed(text), count: 0 };
    }
    Redacted { text: Cow::Owned(mask(text, &spans)), count: spans.len() as u32 }
}

/// Redacts a line of which only the head and the tail are there, and joins them with a mark for what is not.
///
/// What touches the edge may be part of a secret whose other part is not there, so the whole run goes; where a secret
/// by position reaches the edge, so does its remainder in the tail.
pub fn redact_pieces(head: &str, tail: &str, missing_bytes: usize) -> (String, u32) {
    let whole = head.trim_end_matches(is_unbroken);
    let mut head_spans = secrets(head);
    let edge = head_spans.last().is_some_and(|span| span.1 >= whole.len());
    if edge {
        if let Some(last) = head_spans.last_mut() {
            last.1 = head.len();
        }
    } else if whole.len() < head.len() {
        head_spans.push((whole.len(), head.len()));
    }
    // Names are looked for in the whole tail, so that a value just behind the edge is still known by its name.
    let lost = if edge {
        tail.find('\n').unwrap_or(tail.len())
    } else {
        tail.len() - tail.trim_start_matches(is_unbroken).len()
    };
    let mut tail_spans: Vec<Span> = secrets(tail).into_iter().filter(|span| span.1 > lost).collect();
    if let Some(first) = tail_spans.first_mut().filter(|first| first.0 < lost) {
        first.0 = 0;
    } else if lost > 0 {
        tail_spans.insert(0, (0, lost));
    }
    let count = (head_spans.len() + tail_spans.len()) as u32;
    (format!("{}{}{}", mask(head, &head_spans), gap(missing_bytes), mask(tail, &tail_spans)), count)
}

/// Start and end of a secret, in bytes.
type Span = (usize, usize);

fn mask(text: &str, spans: &[Span]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for (start, end) in spans {
        out.push_str(&text[done..*start]);
        out.push_str(MASK);
        done = *end;
    }
    out.push_str(&text[done..]);
    out
}

/// What can be part of one token or of a value that runs on without a break.
fn is_unbroken(character: char) -> bool {
    !character.is_whitespace()
}

fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-'
}

/// What a token may consist of behind its prefix, percent-encoding included.
fn is_token(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"_-.~+/=%".contains(&byte)
}

/// The secrets of a text, in order, none overlapping.
fn secrets(text: &str) -> Vec<Span> {
    let bytes = text.as_bytes();
    let mut spans: Vec<Span> = Vec::new();
    let mut at = 0;
    while at < bytes.len() {
        if !is_word(bytes[at]) {
            at += 1;
            continue;
        }
        let start = at;
        while at < bytes.len() && is_word(bytes[at]) {
            at += 1;
        }
        if let Some(span) = by_shape(text, start, at).or_else(|| by_position(text, start, at)) {
            at = span.1.max(at);
            spans.push(span);
        }
    }
    spans
}

/// A secret that shows by how it looks. `start..end` is a word.
fn by_shape(text: &str, start: usize, end: usize) -> Option<Span> {
    let word = &text[start..end];
    // A prefix may follow other word characters where a URL or an id runs into it, so it is looked for inside, too.
    let token = TOKEN_PREFIXES
        .iter()
        .filter_map(|prefix| word.find(prefix).map(|at| (at, prefix.len())))
        .filter(|(at, _)| *at == 0 || !word.as_bytes()[at - 1].is_ascii_lowercase())
        .min();
    if let Some((at, prefix)) = token {
        let from = start + at;
        let to = run_end(text, from, is_token);
        if to - from - prefix >= TOKEN_REST_MIN {
            return Some((from, to));
        }
    }
    let jwt = word.find("eyJ").map(|at| start + at)?;
    let to = run_end(text, jwt, is_token);
    (to - jwt >= 20).then_some((jwt, to))
}

fn run_end(text: &str, from: usize, belongs: fn(u8) -> bool) -> usize {
    text.as_bytes()[from..].iter().position(|byte| !belongs(*byte)).map_or(text.len(), |length| from + length)
}

/// A secret that shows by the name in front of it. `start..end` is a word, perhaps that name.
fn by_position(text: &str, start: usize, end: usize) -> Option<Span> {
    let name = normalised(&text[start..end]);
    if name == "bearer" || name == "basic" {
        return after_scheme(text, end);
    }
    let by_name = SECRET_NAME_ENDINGS.iter().any(|ending| name.ends_with(ending));
    let in_query = SECRET_QUERY_NAMES.contains(&name.as_str())
        && start > 0
        && matches!(text.as_bytes()[start - 1], b'?' | b'&' | b'#');
    let key = name == "key";
    if !by_name && !in_query && !key {
        return None;
    }
    let value = separator_end(text, end)?;
    if in_query && !by_name && text.as_bytes()[value - 1] != b'=' {
        return None;
    }
    let (from, to) = value_span(text, value, WHOLE_LINE_NAMES.contains(&name.as_str()))?;
    let inner = &text[from..to];
    if key {
        return is_media_key(text, start, from, to).then_some((from, to));
    }
    (!matches!(inner, "" | "null" | "undefined" | "true" | "false" | "None" | MASK)).then_some((from, to))
}

fn normalised(word: &str) -> String {
    word.bytes().filter(|byte| byte.is_ascii_alphanumeric()).map(|byte| byte.to_ascii_lowercase() as char).collect()
}

/// The value behind `Bearer` or `Basic`.
fn after_scheme(text: &str, end: usize) -> Option<Span> {
    let rest = &text[end..];
    let from = end + rest.len() - rest.trim_start_matches([' ', '\t', ':', '=', '"', '\'', '\\']).len();
    let to = run_end(text, from, is_token);
    // "Bearer token missing" is a sentence, not a credential.
    let value = &text[from..to];
    let sentence = value.len() < 16 && value.bytes().all(|byte| byte.is_ascii_lowercase() || byte == b'.');
    (from > end && to > from && !sentence).then_some((from, to))
}

/// Where the value starts that a name's end is followed by: past quotes, spaces and one of `=`, `:`, `=>`.
fn separator_end(text: &str, end: usize) -> Option<usize> {
    let rest = text[end..].trim_start_matches(['\\', '"', '\'', '`', ' ', '\t', ')', ']']);
    let rest = rest.strip_prefix("=>").or_else(|| rest.strip_prefix([':', '=']))?;
    let value = rest.trim_start_matches([' ', '\t']);
    Some(text.len() - value.len())
}

/// The value that starts at `from`: quoted, bracketed, or a plain run.
fn value_span(text: &str, from: usize, whole_line: bool) -> Option<Span> {
    let rest = &text[from..];
    let rest = rest.strip_prefix("Some(").unwrap_or(rest);
    let from = text.len() - rest.len();
    let escaped = rest.len() - rest.trim_start_matches('\\').len();
    let first = rest[escaped..].chars().next()?;
    if matches!(first, '"' | '\'' | '`') {
        let start = from + escaped + 1;
        return Some((start, closing_quote(text, start, first, escaped)));
    }
    if matches!(first, '[' | '{' | '(') {
        return Some((from, closing_bracket(text, from)));
    }
    let length = if whole_line {
        rest.find(['\n', '\r', '"', '\'']).unwrap_or(rest.len())
    } else {
        rest.find(|c: char| c.is_whitespace() || "&,;\"'`<>(){}[]\\".contains(c)).unwrap_or(rest.len())
    };
    Some((from, from + length))
}

/// The end of a string that was opened by `quote` behind that many backslashes: the next such quote that is escaped no
/// deeper than the opening one.
fn closing_quote(text: &str, start: usize, quote: char, depth: usize) -> usize {
    let mut backslashes = 0;
    for (at, character) in text[start..].char_indices() {
        if character == '\\' {
            backslashes += 1;
            continue;
        }
        if character == quote && backslashes <= depth {
            return start + at - backslashes;
        }
        backslashes = 0;
    }
    text.len()
}

/// The end of a bracketed group, or of the text where it does not close.
fn closing_bracket(text: &str, start: usize) -> usize {
    let mut depth = 0;
    for (at, character) in text[start..].char_indices() {
        match character {
            '[' | '{' | '(' => depth += 1,
            ']' | '}' | ')' => depth -= 1,
            _ => {}
        }
        if depth == 0 {
            return start + at + character.len_utf8();
        }
    }
    text.len()
}

/// Whether the value of a field called `key` is a media key. Public keys carry signatures beside them, an algorithm in
/// front of them, or stand where Synapse's conflict text puts them.
fn is_media_key(text: &str, name: usize, from: usize, to: usize) -> bool {
    let value = &text[from..to];
    if value.starts_with('[') {
        // Bytes, such as an array's contents.
        return value.bytes().all(|byte| byte.is_ascii_digit() || b"[], \n".contains(&byte));
    }
    let base64 = value.len() >= KEY_CHARS_MIN
        && value.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/=_-".contains(&byte));
    if !base64 {
        return false;
    }
    let before = text[..name].trim_end_matches(['\\', '"', '\'', '{', ' ']);
    let labelled = before.ends_with("Old key:") || before.ends_with("new key:") || before.ends_with("One time");
    !labelled && !beside_signatures(text, from, to)
}

/// Whether the object around a value also holds signatures.
fn beside_signatures(text: &str, from: usize, to: usize) -> bool {
    let open = text[..from].rfind('{').map_or(from, |at| at);
    let close = closing_bracket(text, open).max(to);
    text[open..close].contains("signatures")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn redacted(text: &str) -> String {
        redact(text).text.into_owned()
    }

    #[test]
    fn tokens_go_by_their_shape() {
        for token in
            ["syt_YWxpY2U_AbCdEfGhIjKlMnOp_1a2B3c", "syr_YWxpY2U_AbCdEf", "mat_9f8e7d6c5b4a_x", "mcr_ABCDEF12345"]
        {
            let line = format!("request with {token} failed: already exists");
            assert_eq!(redacted(&line), "request with [redacted] failed: already exists");
        }
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5vK_x-Y";
        assert_eq!(redacted(&format!("jwt {jwt}!")), "jwt [redacted]!");
    }

    #[test]
    fn values_go_by_the_name_in_front_of_them() {
        for (line, wanted) in [
            ("access_token=syt_a_b&x=1", "access_token=[redacted]&x=1"),
            ("?access_token=opaque%2Fvalue&x=1", "?access_token=[redacted]&x=1"),
            (r#"{"access_token":"opaque \" value","x":1}"#, r#"{"access_token":"[redacted]","x":1}"#),
            (r#"{\"refresh_token\":\"opaque\",\"x\":1}"#, r#"{\"refresh_token\":\"[redacted]\",\"x\":1}"#),
            ("Authorization: Bearer abc.DEF-123", "Authorization: [redacted]"),
            ("curl -H 'Authorization: Bearer abcDEF123' -X", "curl -H 'Authorization: [redacted]' -X"),
            ("sent Bearer abcDEF-123, then", "sent Bearer [redacted], then"),
            ("Cookie: a=b; c=d\nnext", "Cookie: [redacted]\nnext"),
            ("password: hunter2, user: x", "password: [redacted], user: x"),
            ("login_token: Some(\"opaque\")", "login_token: Some(\"[redacted]\")"),
            ("loginToken => opaque;", "loginToken => [redacted];"),
            ("https://a/cb?code=abc123&state=xyz x", "https://a/cb?code=[redacted]&state=[redacted] x"),
            ("{'password': 'a b c'}", "{'password': '[redacted]'}"),
        ] {
            assert_eq!(redacted(line), wanted);
        }
    }

    #[test]
    fn words_that_name_no_value_stay() {
        for line in [
            "the access token is missing, already exists",
            "access_token: null",
            "missing key at index 3 for participant @user:server:DEVICE",
            "Bearer token missing",
            "format_string mat_x",
            "status code: 400",
            "event_type=\"io.element.call.encryption_keys\" sender_key=\"abc\"",
        ] {
            assert_eq!(redacted(line), line);
        }
    }

    #[test]
    fn media_keys_go_and_public_keys_stay() {
        let media = r#"{"keys":{"index":0,"key":"7Kd9qXz1aBcDeFgHiJkLmQ"},"member":{}}"#;
        assert_eq!(redacted(media), r#"{"keys":{"index":0,"key":"[redacted]"},"member":{}}"#);
        assert_eq!(redacted("encryptionKey: 7Kd9qXz1aBcDeFgHiJkLmQ=="), "encryptionKey: [redacted]");
        assert_eq!(redacted("media_key=[1, 2, 3] index"), "media_key=[redacted] index");
        for line in [
            r#"Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6Sd7Wf0IOqiujeTYL2YQb', 'signatures': {}}"#,
            r#"Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho""#,
            r#"Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}"#,
            r#"one_time_key: SignedKey { key: "curve25519:drZvSd7Wf0IOqiujeTYL2YQb" }"#,
            r#"MissingOneTimeKey("curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho")"#,
        ] {
            assert_eq!(redacted(line), line);
        }
    }

    #[test]
    fn what_touches_the_edge_of_a_gap_goes_whole() {
        let (text, count) = redact_pieces("x sytSecret", "Rest y", 9);
        assert_eq!(text, "x [redacted] …[9 bytes cut]… [redacted] y");
        assert_eq!(count, 2);
        let (text, _) = redact_pieces("Cookie: a=b; c", "d; e=f; g\nnext", 9);
        assert_eq!(text, "Cookie: [redacted] …[9 bytes cut]… [redacted]\nnext");
    }

    #[test]
    fn what_is_already_masked_is_not_counted_again() {
        assert_eq!(redact("access_token=[redacted]").count, 0);
    }
}

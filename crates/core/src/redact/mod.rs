//! What could be a secret is closed, before anything is cut or stored; what is public by its grammar and its position stays.
//!
//! Public are words; ids in their own form (`$`, `!`, `@`, `#`) or behind the name of one (`message_id`); public keys
//! behind their algorithm (`curve25519:`), in the signed object of a one-time key, or in a field that rust-crypto prints
//! as public. Closed is what stands behind a secret's **name**, whatever it looks like; what people wrote; and every other
//! stretch that is random enough to be a secret by its **shape**: tokens, base64, hexadecimal, lists of bytes, recovery
//! keys, armour.
//!
//! The search looks at each byte a bounded number of times, whatever the text: it runs in the page, on hostile input.

mod bytes;
mod clean;
mod closed;
mod edge;
mod names;
mod position;
mod public;
mod shape;
pub mod table;
mod text;
mod work;

use std::borrow::Cow;

use crate::text::part;

use bytes::{ALNUM, DIGIT, HEX, WORD};
pub use clean::Clean;
pub use closed::{Class, is_closed, marks};
pub use edge::{redact_head, redact_pieces};
use position::End;
use table::Name;

/// A text without its secrets.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Redacted<'a> {
    /// The text, borrowed where nothing had to be closed.
    pub text: Cow<'a, str>,
    /// How many stretches were closed.
    pub count: u32,
}

/// Looks at a text at most: what was closed in one may show the next that what stood beside it is not public after all.
/// Two are what texts with secrets need, the second finds nothing. A text made to need more is closed as a whole.
const LOOKS_MAX: usize = 6;

/// Closes every stretch of a text that could be a secret. What comes out is looked at again until nothing is found in it,
/// so a text that has gone through this never changes when it goes through once more.
pub fn redact(text: &str) -> Redacted<'_> {
    let mut redacted = Redacted { text: Cow::Borrowed(text), count: 0 };
    for _ in 0..LOOKS_MAX {
        let (found, _) = secrets(redacted.text.as_bytes());
        if found.is_empty() {
            return redacted;
        }
        redacted.text = Cow::Owned(close(&redacted.text, &found));
        redacted.count += found.len() as u32;
    }
    redacted.text = Cow::Borrowed(closed::NAMED);
    redacted
}

/// Closes what is a token by its form, and nothing else.
fn close_tokens(text: &str) -> String {
    let bytes = text.as_bytes();
    let (mut found, mut at) = (Vec::new(), 0);
    while at < bytes.len() {
        if !text::is_word(text::byte(bytes, at)) {
            at = public::id_end(bytes, at).unwrap_or(at + 1);
            continue;
        }
        let end = text::run_end(bytes, at, WORD);
        let token = shape::token(bytes, at, end);
        at = token.map_or(end, |(span, _)| span.1.max(end));
        found.extend(token.map(|(span, class)| Found { span, class }));
    }
    close(text, &found)
}

/// The same for the value of a field, whose name says what it is: an id or a public key stays behind the name of one.
pub fn redact_field(name: &str, value: &str) -> String {
    let bytes = value.as_bytes();
    if table::REPORT_KEYS.contains(&name) && public::is_id(bytes) {
        return value.to_owned();
    }
    match names::name(name.as_bytes()) {
        Some(Name::Public) if public::is_id(bytes) => value.to_owned(),
        None | Some(Name::Public | Name::Parameter | Name::MaybeKey) => redact(value).text.into_owned(),
        Some(_) if bytes.is_empty() => String::new(),
        Some(_) => closed::NAMED.to_owned(),
    }
}

/// Start and end of a stretch, in bytes.
type Span = (usize, usize);

/// A stretch that is closed.
#[derive(Clone, Copy, Debug)]
struct Found {
    span: Span,
    class: Class,
}

fn close(text: &str, found: &[Found]) -> String {
    let mut out = String::with_capacity(text.len());
    let mut done = 0;
    for Found { span: (start, end), class } in found {
        out.push_str(part(text, done, *start));
        closed::write(&mut out, *class, part(text, *start, *end));
        done = *end;
    }
    out.push_str(part(text, done, text.len()));
    out
}

/// What is to be closed in a text, in order, nothing overlapping, and what ends the last one if it runs to the text's end.
fn secrets(text: &[u8]) -> (Vec<Found>, End) {
    let mut found = Vec::new();
    let mut open = End::Closed;
    let (mut at, mut public) = (0, 0);
    let mut run = shape::Run::default();
    while at < text.len() {
        work::done(1);
        if !text::is_word(text::byte(text, at)) {
            at = closed::mark_end(text, at)
                .or_else(|| public::id_end(text, at))
                .unwrap_or_else(|| at + text::escape(text, at).1);
            continue;
        }
        let start = at;
        at = text::run_end(text, at, WORD);
        let mut next = strong(text, start, at).or_else(|| position::secret(text, start, at));
        if matches!(next, Some((_, Class::RecoveryKey, _))) {
            // A key's or signature's `+` and `/` can stand where the gaps between a recovery key's groups would.
            if let Some(end) = public::key_end(text, start, public) {
                (public, at) = (end, end);
                continue;
            }
        }
        if next.is_none() && HEX.has(text::byte(text, start)) {
            let (end, is_key) = list(text, start);
            next = is_key.then_some(((start, end), Class::Bytes, End::Run));
            // A list of other numbers is not begun again at each of them.
            at = end.max(at);
        }
        if next.is_none() {
            if start >= run.end {
                run = shape::run(text, start);
                let slash = text::run_end(text::head(text, run.end), start, const { bytes::signs(b"/").not() });
                if slash < run.end && run.end - start >= shape::OPAQUE_MIN && shape::is_in_path(text, &run) {
                    run = shape::run(text::head(text, slash), start);
                }
            }
            next = random(text, start, at, &run);
            if next.is_some_and(|_| public::is_public(text, run.start, run.end, public)) {
                next = None;
                public = run.end;
                at = run.end;
            }
        }
        while let Some((span, class, end)) = next {
            at = span.1.max(at);
            open = if span.1 == text.len() { end } else { End::Closed };
            if span.0 < span.1 {
                found.push(Found { span, class });
            }
            // Where a string of a name turns out to be what stands in front of another, that one's value is next.
            next = position::last_word(text, span).and_then(|(start, end)| position::secret(text, start, end));
            next = next.filter(|(next, ..)| next.0 >= span.1 && next.1 > span.1);
        }
    }
    (found, open)
}

type Next = Option<(Span, Class, End)>;

/// A secret whose form is that of nothing else.
fn strong(text: &[u8], start: usize, end: usize) -> Next {
    if let Some(end) = shape::armour(text, start) {
        return Some(((start, end), Class::Pem, if end == text.len() { End::Line } else { End::Closed }));
    }
    let found = shape::token(text, start, end)
        .or_else(|| shape::groups(text, start).map(|span| (span, Class::RecoveryKey)))
        .or_else(|| position::userinfo(text, start, end).map(|span| (span, Class::Named)));
    found.map(|(span, class)| (span, class, End::Run))
}

/// The end of the list of numbers at a place, and whether they are a key's bytes.
fn list(text: &[u8], start: usize) -> (usize, bool) {
    if let Some((_, end)) = shape::hex_bytes(text, start) {
        return (end, true);
    }
    if !DIGIT.has(text::byte(text, start)) {
        return (start, false);
    }
    let (_, end, is_key) = shape::numbers(text, start);
    (end, is_key)
}

/// A random stretch in the word `start..end`, which is part of the run, or the whole run.
fn random(text: &[u8], start: usize, end: usize, run: &shape::Run) -> Next {
    if let Some(class) = run.class {
        return Some(((run.start, run.end), class, End::Run));
    }
    let mut at = start;
    while at < end.min(run.limit) {
        let atom = text::run_end(text, at, ALNUM);
        if atom - at >= 4
            && let Some(span) = shape::stretch(text, at, run.limit)
        {
            return Some((span, Class::Base64, End::Run));
        }
        at = atom + 1;
    }
    None
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
            let closed = redacted(&line);
            assert!(
                closed.starts_with("request with [closed token ") && closed.ends_with("] failed: already exists"),
                "{closed}"
            );
        }
        let jwt = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.s5vK_x-Y";
        assert_eq!(redacted(&format!("with {jwt}!")), "with [closed jwt 45 #psxt]!");
    }

    #[test]
    fn values_go_by_the_name_in_front_of_them() {
        for (line, wanted) in [
            ("access_token=syt_a_b&x=1", "access_token=[closed]&x=1"),
            ("?access_token=opaque%2Fvalue&x=1", "?access_token=[closed]&x=1"),
            (r#"{"access_token":"opaque \" value","x":1}"#, r#"{"access_token":"[closed]","x":1}"#),
            (r#"{\"refresh_token\":\"opaque\",\"x\":1}"#, r#"{\"refresh_token\":\"[closed]\",\"x\":1}"#),
            ("Authorization: Bearer abc.DEF-123", "Authorization: [closed]"),
            ("curl -H 'Authorization: Bearer abcDEF123' -X", "curl -H 'Authorization: [closed]' -X"),
            ("sent Bearer abcDEF-123, then", "sent Bearer [closed], then"),
            ("Cookie: a=b; c=d\nnext", "Cookie: [closed]\nnext"),
            ("password: hunter2, user: x", "password: [closed], user: x"),
            ("login_token: Some(\"opaque\")", "login_token: [closed]"),
            ("loginToken => opaque;", "loginToken => [closed];"),
            ("https://a/cb?code=abc123&state=xyz x", "https://a/cb?code=[closed]&state=[closed] x"),
            ("{'password': 'a b c'}", "{'password': '[closed]'}"),
        ] {
            assert_eq!(redacted(line), wanted);
        }
    }

    #[test]
    fn a_signature_that_begins_like_a_recovery_key_stays() {
        let signature = "AAaA+AAAa+Aaa0+0a00+a+++/AAa0+AaA0a0++aaA0+A0aAAa+Aa+AAaa0++AA/A+00Aa+0+a++AA0A+AAaA0A";
        let line =
            format!(r#"already exists. Old key: {{"signatures":{{"@a:b":{{"ed25519:AAAAAAAAAA":"{signature}"}}}}}}"#);
        assert_eq!(redacted(&line), line);
        assert!(redacted(&format!("it was {signature}")).contains("[closed recovery-key"));
    }

    #[test]
    fn a_password_behind_a_programs_option_goes_and_a_user_id_or_a_group_stays() {
        for (line, wanted) in [
            ("curl -u alice:hunter2 https://h/x", "curl -u alice:[closed] https://h/x"),
            ("curl --user 'alice:hush hush' x", "curl --user 'alice:[closed]' x"),
            ("curl --proxy-user=alice:hunter2", "curl --proxy-user=alice:[closed]"),
        ] {
            assert_eq!(redacted(line), wanted);
        }
        for line in [
            "crypto-diag collect --user @alice:example.org --log x",
            "docker run -u 1000:1000 x",
            "sudo -u postgres psql: x",
            "curl -u alice: x",
            "curl -u alice:[closed] x",
        ] {
            assert_eq!(redacted(line), line);
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
        assert_eq!(redacted(media), r#"{"keys":{"index":0,"key":"[closed base64 22 #knpp]"},"member":{}}"#);
        assert_eq!(redacted("encryptionKey: 7Kd9qXz1aBcDeFgHiJkLmQ=="), "encryptionKey: [closed]");
        assert_eq!(redacted("media_key=[1, 2, 3] index"), "media_key=[closed] index");
        for line in [
            r#"Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#,
            r#"already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{"@a:b":{"ed25519:D":"c2ln"}}}; new key: {'key': 'QF6Sd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho', 'signatures': {'@a:b': {'ed25519:D': 'c2ln'}}}"#,
            r#"{"one_time_key":"already exists. Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\"}; new key: {'key': 'QF6Sd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho', 'signatures': {}}"}"#,
            r#"already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho""#,
            r#"Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}"#,
            r#"one_time_key: SignedKey { key: "curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho" }"#,
            r#"MissingOneTimeKey("curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho")"#,
        ] {
            assert_eq!(redacted(line), line);
        }
    }

    #[test]
    fn what_touches_the_edge_of_a_gap_goes_whole() {
        let (text, count) = redact_pieces("x sytSecret", "Rest y", 9);
        assert_eq!(text, "x [closed] …[9 characters cut]… [closed] y");
        assert_eq!(count, 2);
        let (text, _) = redact_pieces("{\"passw", "ord\": \"a b c\", \"x\": 1}", 0);
        assert_eq!(text, "[closed] …[0 characters cut]… [closed]\", \"x\": 1}");
        let (text, _) = redact_pieces("x \"acc", "token\",\n \"value\": \"a b c\" }", 4);
        assert_eq!(text, "x [closed] …[4 characters cut]… [closed]\" }");
        let (text, _) = redact_pieces("Cookie: a=b; c", "d; e=f; g\nnext", 9);
        assert_eq!(text, "Cookie: [closed] …[9 characters cut]… [closed]\nnext");
    }

    #[test]
    fn what_is_already_masked_is_not_counted_again() {
        assert_eq!(redact("access_token=[closed]").count, 0);
    }

    #[test]
    fn a_string_that_turns_out_to_be_between_strings_lays_nothing_open() {
        for line in [
            r#"token :" Login { token: "Sec+ret/1234567890", x: 1 }"#,
            r#"token :" {"cookie":"c0=Secret1234567890","x":1}"#,
            "token = body['token'] = 'Secret1234567890';",
        ] {
            assert!(!redacted(line).contains("1234567890"), "{}", redacted(line));
        }
    }

    #[test]
    fn a_login_type_is_not_a_name_with_a_value() {
        for line in [
            r#"["m.login.password","m.login.sso"]"#,
            r#"secret_name="m.megolm_backup.v1" x"#,
            "io.element.call.encryption_keys: skipping one",
            "encryption key missing for encoding",
            "token(s) missing",
            r#"{"type":"io.element.call.encryption_keys","sender":"@a:b"}"#,
            "Basic Authentication is off, basic E2EE",
            "at 2026-11-23T08:42:19.074Z 10.0.0.1:8008, 12:30:45",
            "see this line that goes from here upto that word over here then ends",
        ] {
            assert_eq!(redacted(line), line);
        }
    }

    /// Pieces that begin something and never end it, or that look like the beginning of a secret.
    const HOSTILE: [&str; 48] = [
        "{key:",
        "key:\"",
        "key:'",
        "key=",
        "k:`",
        "\"key\":\"AAAAAAAAAAAAAAAAAAAAAA\",",
        "{\"key\":\"AAAAAAAAAAAAAAAAAAAAAA\"{",
        "signatures",
        "password:(",
        "token:{",
        "token:[",
        "token:'",
        "token:\"",
        "token:`",
        "token\\:\\\"",
        "token\\\\\\:\\\\\\\"",
        "token\\",
        "\"token\",",
        "\"token\",\"value\":",
        "token%3D",
        "%22token%22%3A%22",
        "sessionkey:Some(",
        "token: T {",
        "encryption_key=a.",
        "encryption_key=",
        "Cookie: ",
        "\"Cookie: ",
        "\\nCookie: ",
        "Authorization: ",
        "Authorization: Bearer ",
        "code=",
        "&code=",
        "bearer ",
        "bearer=",
        "basic ",
        "basic=",
        "eyJ",
        "/eyJ",
        "eyJ.",
        "mat_",
        "xmat_",
        "syt_",
        "1,",
        "1, ",
        "abcd ",
        "0:1,",
        "\\",
        "]}",
    ];

    /// Steps for each byte at most; the dearest are the looks around a field called `key`.
    const STEPS_PER_BYTE: usize = 150;

    /// Twice the text must take about twice the steps; where looks go a bounded way, the longer text has a few more.
    fn assert_linear(pattern: &str, work: impl Fn(&str)) {
        let steps = |bytes: usize| work::steps_of(|| work(&pattern.repeat(bytes / pattern.len())));
        let (once, twice) = (steps(2_000), steps(4_000));
        assert!(once > 0, "the steps are counted");
        assert!(twice <= 3 * once && twice <= 4_000 * STEPS_PER_BYTE, "{pattern:?}: {once}, then {twice}");
    }

    #[test]
    fn the_work_grows_no_faster_than_the_text() {
        for first in HOSTILE {
            assert_linear(first, |text| drop(redact_pieces(text, "tail", 1)));
            assert_linear(first, |text| drop(redact_pieces("head", text, 1)));
            for second in HOSTILE.iter().chain(&["", " ", "\n", "x"]) {
                assert_linear(&format!("{first}{second}"), |text| drop(redact(text)));
            }
        }
    }

    #[test]
    fn deeper_and_deeper_strings_cost_no_more() {
        let text: String = (0..200).map(|depth| format!("key:{}\"x ", "\\".repeat(depth))).collect();
        assert!(work::steps_of(|| drop(redact(&text))) <= STEPS_PER_BYTE * text.len());
        let text: String = (0..200).rev().map(|depth| format!("password:{}\"x ", "\\".repeat(depth))).collect();
        assert!(work::steps_of(|| drop(redact(&text))) <= STEPS_PER_BYTE * text.len());
    }
}

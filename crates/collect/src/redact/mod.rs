//! What a kept record becomes: without secrets, and with the places of other people's ids.

mod hashed;
pub(crate) mod pseudonym;

use std::cell::RefCell;
use std::collections::HashSet;
use std::net::IpAddr;

use crypto_diag_core::redact;
use memchr::memmem;

use pseudonym::Gap;

/// Bytes of the end of an access line that are remembered at most: a user agent and a number.
const END_BYTES_MAX: usize = 512;

/// Appends a record, whole lines, without secrets. Bytes that are not UTF-8 are replaced.
pub(crate) fn render(record: &[u8], named: &HashSet<Vec<u8>>, out: &mut Vec<u8>, gaps: &mut Vec<Gap>) {
    let base = out.len();
    match access(record) {
        Some(fixed) => {
            out.extend_from_slice(&record[..fixed]);
            let end = fixed + agent(&record[fixed..]);
            redacted(&record[fixed..end], out);
            redacted_end(&record[end..], out);
        }
        None => {
            let fixed = ledger(record).unwrap_or(0);
            out.extend_from_slice(&record[..fixed]);
            match hashed::named(&record[fixed..]) {
                Some(named) if fixed == 0 => out.extend_from_slice(named.closed(|text| redact(text).text).as_bytes()),
                _ => redacted(&record[fixed..], out),
            }
        }
    }
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    pseudonym::gaps(&out[base..], base, named, gaps);
}

fn redacted(text: &[u8], out: &mut Vec<u8>) {
    match std::str::from_utf8(text) {
        Ok("") => {}
        Ok(text) => out.extend_from_slice(redact(text).text.as_bytes()),
        Err(_) => out.extend_from_slice(redact(&String::from_utf8_lossy(text)).text.as_bytes()),
    }
}

/// The same of the end of an access line, ` "UA" [0 dbevts]`: a client's are all the same, and what was harmless once is harmless.
fn redacted_end(text: &[u8], out: &mut Vec<u8>) {
    let from = out.len();
    HARMLESS.with_borrow_mut(|harmless| {
        if text.len() > END_BYTES_MAX || !harmless.holds(text) {
            redacted(text, out);
            if text.len() <= END_BYTES_MAX && &out[from..] == text {
                harmless.put(text.to_owned());
            }
        } else {
            out.extend_from_slice(text);
        }
    });
}

thread_local! {
    static HARMLESS: RefCell<Recent> = RefCell::default();
}

/// Texts that were seen lately: those of two generations, so that what comes often stays.
#[derive(Default)]
struct Recent {
    young: HashSet<Vec<u8>>,
    old: HashSet<Vec<u8>>,
}

impl Recent {
    /// Texts of a generation at most.
    const MANY: usize = 256;

    fn holds(&mut self, text: &[u8]) -> bool {
        if self.young.contains(text) {
            return true;
        }
        let found = self.old.take(text);
        found.map(|text| self.put(text)).is_some()
    }

    fn put(&mut self, text: Vec<u8>) {
        if self.young.len() == Self::MANY {
            self.old = std::mem::take(&mut self.young);
        }
        self.young.insert(text);
    }
}

/// Where the user agent begins in what is left of an access line, with the space in front of it. The end, where a quotation mark in
/// the URI could tie the two together.
fn agent(rest: &[u8]) -> usize {
    if rest.starts_with(b" \"") {
        return 0;
    }
    let request = rest.get(1..).unwrap_or_default();
    let end = memmem::find(request, b"\" \"");
    let end = end.filter(|end| memchr::memchr2(b'"', b'\'', &request[..*end]).is_none());
    end.map_or(rest.len(), |end| end + 2)
}

// Looking for secrets is what rendering costs most. Not looked at are the bytes at a record's beginning in which every field has the
// form that Synapse gives it, and none of those forms has room for a secret: an access line up to its request, or up to its user agent
// where the request is a common one, and a ledger line's list of key ids. These are most of what is kept.

/// `<time> - synapse.access.http.8008 - 643 - INFO - POST-48 - 203.0.113.7 - 8008 - {@a:h} Processed request: <numbers> `,
/// up to the quotation mark in front of the request, or up to the one behind it.
fn access(record: &[u8]) -> Option<usize> {
    let mut form = Form { record, at: 0 };
    form.time()?;
    form.word(b" - synapse.access.http.")?;
    form.digits(5)?;
    form.word(b" - ")?;
    form.digits(5)?;
    form.request()?;
    form.word(b" - ")?;
    form.address()?;
    form.word(b" - ")?;
    form.digits(5)?;
    form.word(b" - {")?;
    if form.word(b"None").is_none() {
        form.user()?;
    }
    form.word(b"} Processed request: ")?;
    form.numbers()?;
    let before = form.at;
    form.word(b"\"")?;
    form.at = before;
    Some(form.common_request().map_or(before, |()| form.at))
}

/// `<time> - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys([<ids>`.
fn ledger(record: &[u8]) -> Option<usize> {
    let mut form = Form { record, at: 0 };
    form.time()?;
    form.word(b" - synapse.handlers.e2e_keys - ")?;
    form.digits(5)?;
    form.request()?;
    form.word(b" - Adding one_time_keys dict_keys([")?;
    while form.key_id().is_some() && form.word(b", ").is_some() {}
    Some(form.at)
}

/// Words of the client-server API's paths, of requests that clients make again and again.
const PATH_WORDS: [&[u8]; 21] = [
    b"",
    b"v1",
    b"v3",
    b"r0",
    b"unstable",
    b"versions",
    b"sync",
    b"keys",
    b"upload",
    b"query",
    b"claim",
    b"changes",
    b"capabilities",
    b"pushrules",
    b"room_keys",
    b"version",
    b"devices",
    b"joined_rooms",
    b"voip",
    b"turnServer",
    b"org.matrix.simplified_msc3575",
];

/// Parameters that are a number or one of [`STATES`].
const NUMBERS: [&[u8]; 7] = [
    b"filter",
    b"timeout",
    b"limit",
    b"full_state",
    b"set_presence",
    b"use_state_after",
    b"org.matrix.msc4222.use_state_after",
];

const STATES: [&[u8]; 5] = [b"true", b"false", b"online", b"offline", b"unavailable"];

/// `s157_1_0_1_1_1_45_63_0_1_2_1_1`.
fn is_position(value: &[u8]) -> bool {
    let numbers = value.strip_prefix(b"s").unwrap_or_default();
    let is_number = |run: &[u8]| (1..=16).contains(&run.len()) && run.iter().all(u8::is_ascii_digit);
    numbers.len() <= 160 && numbers.split(|byte| *byte == b'_').all(is_number)
}

/// Takes a record apart from its beginning. A field that is not of its form is `None`.
struct Form<'r> {
    record: &'r [u8],
    at: usize,
}

impl Form<'_> {
    fn word(&mut self, word: &[u8]) -> Option<()> {
        self.record[self.at..].starts_with(word).then(|| self.at += word.len())
    }

    /// One to `max` bytes of a kind, and no more of them.
    fn run(&mut self, max: usize, kind: impl Fn(u8) -> bool) -> Option<()> {
        let length = self.record[self.at..].iter().take(max + 1).take_while(|byte| kind(**byte)).count();
        (1..=max).contains(&length).then(|| self.at += length)
    }

    fn digits(&mut self, max: usize) -> Option<()> {
        self.run(max, |byte| byte.is_ascii_digit())
    }

    /// `2026-11-23 08:36:03,872`.
    fn time(&mut self) -> Option<()> {
        let time = self.record.get(..23)?;
        let fits = time.iter().zip(b"0000-00-00 00:00:00,000").all(|(byte, form)| match form {
            b'0' => byte.is_ascii_digit(),
            form => byte == form,
        });
        fits.then(|| self.at = 23)
    }

    /// ` - INFO - POST-48`.
    fn request(&mut self) -> Option<()> {
        self.word(b" - ")?;
        self.run(8, |byte| byte.is_ascii_uppercase())?;
        self.word(b" - ")?;
        self.run(8, |byte| byte.is_ascii_uppercase())?;
        self.word(b"-")?;
        self.digits(12)
    }

    fn address(&mut self) -> Option<()> {
        let from = self.at;
        self.run(45, |byte| byte.is_ascii_hexdigit() || matches!(byte, b'.' | b':'))?;
        let address = std::str::from_utf8(&self.record[from..self.at]).ok()?;
        address.parse::<IpAddr>().ok().map(|_| ())
    }

    /// A user id of today's grammar, in which letters are small: a token has large ones.
    fn user(&mut self) -> Option<()> {
        self.word(b"@")?;
        self.run(255, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._=-/+".contains(&byte))?;
        self.word(b":")?;
        self.run(255, |byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b".-:".contains(&byte))
    }

    /// `0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! `: words of letters that stand here
    /// alone, and numbers.
    fn numbers(&mut self) -> Option<()> {
        let end = self.at + memchr::memchr(b'"', self.record.get(self.at..)?)?;
        let part = &self.record[self.at..end];
        let runs = part.split(|byte| !byte.is_ascii_alphanumeric());
        let mut plain = runs.map(|run| {
            let letters = run.iter().position(u8::is_ascii_alphabetic).unwrap_or(run.len());
            letters <= 10 && matches!(&run[letters..], b"" | b"sec" | b"ru" | b"db" | b"B")
        });
        let marks = part.iter().all(|byte| byte.is_ascii_alphanumeric() || b" ./-,=()!".contains(byte));
        (marks && part.len() <= 160 && plain.all(|is_plain| is_plain)).then(|| self.at = end)
    }

    /// `"GET /_matrix/client/v3/sync?timeout=30000&since=s157_1_0 HTTP/1.1"`, and then a space: a path of the specification's own words,
    /// and parameters that are numbers, states or a position in the stream.
    fn common_request(&mut self) -> Option<()> {
        self.word(b"\"")?;
        self.run(8, |byte| byte.is_ascii_uppercase())?;
        self.word(b" ")?;
        let end = self.at + memchr::memchr(b' ', self.record.get(self.at..)?)?;
        let uri = &self.record[self.at..end];
        let path = uri.split(|byte| *byte == b'?').next()?;
        let mut segments = path.strip_prefix(b"/_matrix/client/")?.split(|byte| *byte == b'/');
        if !segments.all(|segment| PATH_WORDS.contains(&segment)) {
            return None;
        }
        let mut parameters = uri.get(path.len() + 1..).unwrap_or_default().split(|byte| *byte == b'&');
        let is_known = |parameter: &[u8]| {
            let Some(equals) = memchr::memchr(b'=', parameter) else { return parameter.is_empty() };
            let (name, value) = (&parameter[..equals], &parameter[equals + 1..]);
            let number = value.len() <= 16 && value.iter().all(u8::is_ascii_digit);
            NUMBERS.contains(&name) && (number || STATES.contains(&value)) || name == b"since" && is_position(value)
        };
        if !parameters.all(is_known) {
            return None;
        }
        self.at = end;
        self.word(b" HTTP/1.")?;
        self.digits(1)?;
        self.word(b"\"")?;
        (self.record.get(self.at) == Some(&b' ')).then_some(())
    }

    /// `'signed_curve25519:AAAAAAAAAA0'`: the id is a number of 64 bits, in eleven characters.
    fn key_id(&mut self) -> Option<()> {
        let from = self.at;
        let read = self.word(b"'signed_curve25519:").and_then(|()| {
            self.run(11, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))?;
            self.word(b"'")
        });
        if read.is_none() {
            self.at = from;
        }
        read
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_in_a_uri_does_not_stay() {
        let mut out = Vec::new();
        let record = b"x \"GET /sync?access_token=syt_YWxpY2U_secretsecret&since=s1 HTTP/1.1\" \xff";
        render(record, &HashSet::new(), &mut out, &mut Vec::new());
        let text = String::from_utf8(out).unwrap();
        assert_eq!(text, "x \"GET /sync?access_token=[closed]&since=s1 HTTP/1.1\" \u{fffd}\n");
    }

    /// Access and ledger lines as Synapse writes them, up to where they are looked through.
    const ACCESS: &str = r#"2026-11-23 08:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 203.0.113.7 - 8008 - {@a.b-c:h.org:8448} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! "#;
    const ADDING: &str = "2026-11-23 08:36:03,872 - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0', 'signed_curve25519:AAAAAAAAAA4'";

    #[test]
    fn what_is_not_looked_at_has_only_forms_without_room_for_a_secret() {
        for (text, rest) in [
            (ACCESS, "\"GET /x?access_token=syt_YWxpY2U_secretsecret HTTP/1.1\""),
            (ADDING, "]) for device 'syt_YWxpY2U_secretsecret'"),
            (&ACCESS.replace("{@a.b-c:h.org:8448}", "{None}").replace("203.0.113.7", "2001:db8::17"), "\"GET /"),
        ] {
            let record = format!("{text}{rest}");
            assert_eq!(access(record.as_bytes()).or_else(|| ledger(record.as_bytes())), Some(text.len()));
            let mut out = Vec::new();
            render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
            assert_eq!(String::from_utf8(out).unwrap().trim_end(), redact(&record).text);
        }
    }

    /// The end of an access line whose request is a common one.
    const SYNC: &str = r#""GET /_matrix/client/v3/sync?filter=0&timeout=30000&set_presence=offline&since=s157_1_0_45 HTTP/1.1" "Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0" [0 dbevts]"#;

    fn rendered(record: &str) -> String {
        let mut out = Vec::new();
        render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
        String::from_utf8(out).unwrap().trim_end().to_owned()
    }

    #[test]
    fn a_common_request_is_not_looked_at_and_any_other_is() {
        let at = |rest: &str| access(format!("{ACCESS}{rest}").as_bytes()).unwrap() - ACCESS.len();
        assert_eq!(at(SYNC), SYNC.find(" \"Moz").unwrap());
        assert_eq!(at(r#""POST /_matrix/client/v3/keys/upload HTTP/1.1" "UA""#), 46);
        for other in [
            r#""GET /_matrix/client/v3/sync?since=syt_YWxpY2U_secret HTTP/1.1" "UA""#,
            r#""GET /_matrix/client/v3/sync?access_token=123456 HTTP/1.1" "UA""#,
            r#""GET /_matrix/client/v3/sync?filter=opaque HTTP/1.1" "UA""#,
            r#""GET /_matrix/client/v3/sync?since=s123456789012345678 HTTP/1.1" "UA""#,
            r#""GET /_matrix/client/v3/rooms/!secret/messages HTTP/1.1" "UA""#,
            r#""GET /elsewhere HTTP/1.1" "UA""#,
        ] {
            assert_eq!(at(other), 0, "{other}");
        }
    }

    #[test]
    fn an_access_line_in_parts_is_what_it_is_as_a_whole() {
        let agent = r#""Mozilla/5.0 (X11) token=opaquesecret123456" [0 dbevts]"#;
        for rest in [
            SYNC.to_owned(),
            SYNC.replace("since=s157", "access_token=opaquesecret&since=s157"),
            SYNC.replace("\"Mozilla/5.0 (X11; Linux x86_64) Chrome/156.0.0.0\"", agent),
            SYNC.replace("filter=0", "filter='"),
            r#""PUT /_matrix/client/v3/sendToDevice/m.room.encrypted/m179 HTTP/1.1" "syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk""#.to_owned(),
            r#""GET /x?password="open HTTP/1.1" "opaque" [0 dbevts]"#.to_owned(),
            r#"" "UA" [0 dbevts]"#.to_owned(),
            "\"".to_owned(),
        ] {
            let record = format!("{ACCESS}{rest}");
            // Twice: the second time, its end may be remembered.
            for _ in 0..2 {
                assert_eq!(rendered(&record), redact(&record).text, "{record}");
            }
        }
    }

    #[test]
    fn what_was_seen_lately_is_bounded_and_what_comes_often_stays() {
        let mut recent = Recent::default();
        recent.put(b"often".to_vec());
        for number in 0..4 * Recent::MANY {
            recent.put(number.to_string().into_bytes());
            assert!(recent.holds(b"often") && recent.young.len() + recent.old.len() <= 2 * Recent::MANY);
        }
        assert!(!recent.holds(b"0"));
    }

    #[test]
    fn a_token_in_any_field_does_not_stay() {
        // An upper-case and a lower-case token, one that an address would hold, one of digits behind a secret's name.
        const SECRETS: [&str; 3] = [
            "syt_YWxpY2U_kTqWvNzXcBmLpRtYghJq_2Fg7Hk",
            "mat_9f8e7d6c5b4a3z2y1x0w9v8u7t6s5r_kj8hg2",
            "access_token=opaquesecret123456",
        ];
        let mut cases = Vec::new();
        for field in [
            "8008 - 643",
            "643",
            "INFO",
            "POST-48",
            "203.0.113.7",
            "- 8008 -",
            "@a.b-c:h.org:8448",
            "0.095sec",
            "528B",
            "400!",
        ] {
            cases.push((ACCESS, field));
        }
        for field in ["955", "INFO", "POST-48", "signed_curve25519:AAAAAAAAAA0", "AAAAAAAAAA4"] {
            cases.push((ADDING, field));
        }
        for (line, field) in cases {
            assert!(line.contains(field), "{field}");
            for secret in SECRETS {
                let record = format!("{}\"GET /x HTTP/1.1\"\n", line.replace(field, &format!(" {secret} ")));
                let mut out = Vec::new();
                render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
                let text = String::from_utf8(out).unwrap();
                assert!(!text.contains(&secret[secret.len() - 8..]), "{field}: {text}");
            }
        }
    }
}

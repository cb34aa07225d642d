//! What a kept record becomes: without secrets, and with the places of other people's ids.

pub(crate) mod pseudonym;

use std::collections::HashSet;
use std::net::IpAddr;

use crypto_diag_core::redact;

use pseudonym::Gap;

/// Appends a record, whole lines, without secrets. Bytes that are not UTF-8 are replaced.
pub(crate) fn render(record: &[u8], named: &HashSet<Vec<u8>>, out: &mut Vec<u8>, gaps: &mut Vec<Gap>) {
    let base = out.len();
    let (fixed, free) = record.split_at(fixed(record));
    out.extend_from_slice(fixed);
    match std::str::from_utf8(free) {
        Ok(text) => out.extend_from_slice(redact(text).text.as_bytes()),
        Err(_) => out.extend_from_slice(redact(&String::from_utf8_lossy(free)).text.as_bytes()),
    }
    if out.last() != Some(&b'\n') {
        out.push(b'\n');
    }
    pseudonym::gaps(&out[base..], base, named, gaps);
}

/// Bytes at a record's beginning in which every field has the form that Synapse gives it, and none of those forms has room
/// for a secret: an access line up to its request, and a ledger line's list of key ids. Looking for secrets is what
/// rendering costs most, and these are most of what is kept. 0 where anything is otherwise.
fn fixed(record: &[u8]) -> usize {
    access(record).or_else(|| ledger(record)).unwrap_or(0)
}

/// `<time> - synapse.access.http.8008 - 643 - INFO - POST-48 - 203.0.113.7 - 8008 - {@a:h} Processed request: <numbers> `,
/// up to the quotation mark in front of the request.
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
    (record.get(form.at) == Some(&b'"')).then_some(form.at)
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
            assert_eq!(fixed(record.as_bytes()), text.len());
            let mut out = Vec::new();
            render(record.as_bytes(), &HashSet::new(), &mut out, &mut Vec::new());
            assert_eq!(String::from_utf8(out).unwrap().trim_end(), redact(&record).text);
        }
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

//! What a record has in common with others: its shape.
//!
//! Looking for secrets is what rendering costs most, and a log says the same again and again, with other numbers in it. Left out of a
//! record's shape are fields of which the form alone tells that they hold no secret, such as its time, and a number that stands for
//! itself is so many zeros: whether it is a secret depends on its name and its length. So what was harmless once is harmless in all
//! records of its shape.

use std::net::IpAddr;
use std::sync::LazyLock;

use memchr::memmem::Finder;

/// Stands in a shape for what is left out. No text in UTF-8 has this byte.
const LEFT_OUT: u8 = 0xff;

/// Bytes of a logger's name at most.
const LOGGER_BYTES_MAX: usize = 100;

/// Digits of a number at most; as many hold a time in milliseconds.
const NUMBER_DIGITS_MAX: usize = 16;

/// Characters of a one-time key's id: it is a number of 64 bits.
const KEY_ID_CHARS: usize = 11;

static KEY_ID: LazyLock<Finder<'static>> = LazyLock::new(|| Finder::new("signed_curve25519:"));

/// Writes a record's shape; of a record that does not begin as Synapse's default form has it, nothing. Gives the bytes at the record's
/// beginning in which every field has a form without room for a secret: an access line up to its request, and a ledger line's list of
/// key ids. They need not be looked at even where the shape is new.
pub(super) fn shape(record: &[u8], shape: &mut Vec<u8>) -> usize {
    shape.clear();
    let mut form = Form { record, at: 0 };
    let Some(header) = form.header() else { return 0 };
    shape.extend_from_slice(header.logger);
    shape.push(LEFT_OUT);
    put_number(header.level_and_request, shape);
    let message = form.at;
    let fixed = match header.logger {
        b"synapse.handlers.e2e_keys" => form.key_ids(),
        logger => {
            logger.strip_prefix(b"synapse.access.http.").filter(|port| is_number(port)).and_then(|_| form.access())
        }
    };
    match fixed {
        None => of_message(&record[message..], shape),
        Some(()) => {
            shape.push(LEFT_OUT);
            if record[form.at..].starts_with(b"\"") {
                of_request(&record[form.at..], shape);
            } else {
                of_message(&record[form.at..], shape);
            }
        }
    }
    fixed.map_or(0, |()| form.at)
}

/// The shape of an access line's end, `"GET /path?name=value HTTP/1.1" "UA" [0 dbevts]`: numbers are those, positions in the stream and
/// transactions that are a whole part of the URI between its signs.
fn of_request(text: &[u8], shape: &mut Vec<u8>) {
    let from = memchr::memchr(b' ', text).map_or(text.len(), |space| space + 1);
    let to = memchr::memchr(b' ', &text[from..]).map_or(text.len(), |space| from + space);
    if !text[to..].starts_with(b" HTTP/") {
        return shape.extend_from_slice(text);
    }
    let uri = &text[from..to];
    shape.extend_from_slice(&text[..from]);
    let mut put = |value: &[u8]| {
        if is_number(value) || is_position(value) || is_transaction(value) {
            put_number(value, shape);
        } else {
            shape.extend_from_slice(value);
        }
    };
    let mut done = 0;
    for at in memchr::memchr3_iter(b'/', b'=', b'&', uri) {
        // What stands behind a sign and in front of the next one, and the sign itself.
        put(&uri[done..at]);
        put(&uri[at..=at]);
        done = at + 1;
    }
    put(&uri[done..]);
    shape.extend_from_slice(&text[to..]);
}

/// The shape of a message: the ids of one-time keys are left out, and the time at its end is a number.
fn of_message(text: &[u8], shape: &mut Vec<u8>) {
    let mut done = 0;
    for at in KEY_ID.find_iter(text) {
        let from = at + KEY_ID.needle().len();
        let is_base64 = |byte: &&u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/');
        let length = text[from..].iter().take(KEY_ID_CHARS + 1).take_while(is_base64).count();
        let ends = matches!(text.get(from + length), Some(b'\'' | b'"' | b' ' | b',' | b']'));
        if length == KEY_ID_CHARS && ends {
            shape.extend_from_slice(&text[done..from]);
            shape.push(LEFT_OUT);
            done = from + length;
        }
    }
    let rest = &text[done..];
    let line = rest.strip_suffix(b"\n").unwrap_or(rest);
    let digits = line.iter().rev().take(NUMBER_DIGITS_MAX + 1).take_while(|byte| byte.is_ascii_digit()).count();
    let before = &line[..line.len() - digits];
    if (1..=NUMBER_DIGITS_MAX).contains(&digits) && before.ends_with(b" at ") {
        shape.extend_from_slice(before);
        put_number(&line[before.len()..], shape);
    } else {
        shape.extend_from_slice(line);
    }
}

/// Each digit is a zero.
fn put_number(text: &[u8], shape: &mut Vec<u8>) {
    shape.extend(text.iter().map(|byte| if byte.is_ascii_digit() { b'0' } else { *byte }));
}

fn is_number(value: &[u8]) -> bool {
    (1..=NUMBER_DIGITS_MAX).contains(&value.len()) && value.iter().all(u8::is_ascii_digit)
}

/// `s157_1_0_1_1_1_45_63_0_1_2_1_1`.
fn is_position(value: &[u8]) -> bool {
    let numbers = value.strip_prefix(b"s").unwrap_or_default();
    numbers.len() <= 160 && numbers.split(|byte| *byte == b'_').all(is_number)
}

/// `m1795474488143.12`, as matrix-js-sdk makes them.
fn is_transaction(value: &[u8]) -> bool {
    let mut numbers = value.strip_prefix(b"m").unwrap_or_default().splitn(2, |byte| *byte == b'.');
    numbers.next().is_some_and(is_number) && numbers.next().is_some_and(is_number)
}

/// What stands in front of a message.
struct Header<'r> {
    logger: &'r [u8],
    /// ` - INFO - POST-48`.
    level_and_request: &'r [u8],
}

/// Takes a record apart from its beginning. A field that is not of its form is `None`.
struct Form<'r> {
    record: &'r [u8],
    at: usize,
}

impl<'r> Form<'r> {
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

    /// `2026-11-23 08:36:03,872 - synapse.x.y - 643 - INFO - POST-48 - `.
    fn header(&mut self) -> Option<Header<'r>> {
        let record = self.record;
        self.time()?;
        self.word(b" - ")?;
        let from = self.at;
        let in_logger = |byte: u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || matches!(byte, b'.' | b'_');
        self.run(LOGGER_BYTES_MAX, in_logger)?;
        let logger = &record[from..self.at];
        self.word(b" - ")?;
        self.digits(5)?;
        let from = self.at;
        self.word(b" - ")?;
        self.run(8, |byte| byte.is_ascii_uppercase())?;
        self.word(b" - ")?;
        self.run(8, |byte| byte.is_ascii_uppercase())?;
        self.word(b"-")?;
        self.digits(12)?;
        let level_and_request = &record[from..self.at];
        self.word(b" - ")?;
        Some(Header { logger, level_and_request })
    }

    /// `203.0.113.7 - 8008 - {@a:h} Processed request: <numbers> `, up to the quotation mark in front of the request.
    fn access(&mut self) -> Option<()> {
        self.address()?;
        self.word(b" - ")?;
        self.digits(5)?;
        self.word(b" - {")?;
        if self.word(b"None").is_none() {
            self.user()?;
        }
        self.word(b"} Processed request: ")?;
        self.numbers()
    }

    /// `Adding one_time_keys dict_keys([<ids>`.
    fn key_ids(&mut self) -> Option<()> {
        self.word(b"Adding one_time_keys dict_keys([")?;
        while self.key_id().is_some() && self.word(b", ").is_some() {}
        Some(())
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

    /// `'signed_curve25519:AAAAAAAAAA0'`.
    fn key_id(&mut self) -> Option<()> {
        let from = self.at;
        let read = self.word(b"'signed_curve25519:").and_then(|()| {
            self.run(KEY_ID_CHARS, |byte| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/'))?;
            self.word(b"'")
        });
        if read.is_none() {
            self.at = from;
        }
        read
    }
}

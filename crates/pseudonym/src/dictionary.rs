//! Pseudonyms that whoever has the dictionary can undo: each id of an artefact is replaced by one of the same form.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt;

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

use crate::Key;
use crate::names::{self, Names, Part, is_hash_of_room, value_of_user_field};

/// The first line of a dictionary.
const HEAD: &str = "kind\tpseudonym\tid";

/// Letters of base32 that stand for a user, a room or a server: 60 bits. More would look like a secret to the readers of artefacts.
const LETTERS: usize = 12;

/// What is encoded in an address.
const IN_ADDRESSES: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_').remove(b'.').remove(b'~');

/// Letters of a device's pseudonym, as many as Synapse gives.
const DEVICE_LETTERS: usize = 10;

/// Bytes by which texts to be replaced are found.
const START_BYTES: usize = 3;

/// Characters of a name that is looked for in the names of files, where no sigil tells that it is one.
const FILE_WORD_MIN: usize = 3;

/// Ids and what stands for them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Dictionary {
    /// What stands for a part of an id.
    entries: BTreeMap<(Part, String), String>,
}

/// Why there is no dictionary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// Two ids have one pseudonym, so that it could not be undone.
    Clash(String),
    /// A line of a dictionary, counted from 1, is none.
    Line(usize),
}

impl fmt::Display for Unusable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Unusable::Clash(pseudonym) => {
                write!(f, "two ids have the pseudonym {pseudonym} under this key; take another one")
            }
            Unusable::Line(1) => {
                f.write_str("line 1 is not the head of a dictionary, which crypto-diag run --pseudonyms writes")
            }
            Unusable::Line(line) => write!(f, "line {line} is no kind, pseudonym and id with tabs between them"),
        }
    }
}

impl std::error::Error for Unusable {}

impl Dictionary {
    /// Pseudonyms for names under a key.
    ///
    /// # Errors
    /// If two ids have the same one.
    pub fn new(key: &Key, names: &Names) -> Result<Dictionary, Unusable> {
        let mut taken = BTreeSet::new();
        let mut entries = BTreeMap::new();
        for (part, id) in names.iter() {
            let pseudonym = of(key, part, id);
            if !taken.insert(pseudonym.clone()) {
                return Err(Unusable::Clash(pseudonym));
            }
            entries.insert((part, id.to_owned()), pseudonym);
        }
        Ok(Dictionary { entries })
    }

    /// Reads one that was printed.
    ///
    /// # Errors
    /// If a line is none.
    pub fn read(text: &str) -> Result<Dictionary, Unusable> {
        let mut lines = text.lines().enumerate();
        if lines.next().map(|(_, line)| line) != Some(HEAD) {
            return Err(Unusable::Line(1));
        }
        let mut entries = BTreeMap::new();
        for (index, line) in lines {
            let mut cells = line.split('\t');
            let (word, pseudonym, id, more) = (cells.next(), cells.next(), cells.next(), cells.next());
            let part = Part::ALL.into_iter().find(|part| Some(part.word()) == word);
            match (part, pseudonym, id, more) {
                (Some(part), Some(pseudonym), Some(id), None) if !pseudonym.is_empty() => {
                    entries.insert((part, id.to_owned()), pseudonym.to_owned());
                }
                _ => return Err(Unusable::Line(index + 1)),
            }
        }
        Ok(Dictionary { entries })
    }

    /// A line for each id, with tabs between its kind, its pseudonym and itself.
    pub fn print(&self) -> String {
        let lines = self.entries.iter().map(|((part, id), pseudonym)| format!("{}\t{pseudonym}\t{id}\n", part.word()));
        [format!("{HEAD}\n")].into_iter().chain(lines).collect()
    }

    /// How many ids it has.
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether it has none.
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Puts pseudonyms in the place of ids.
    pub fn hiding(&self) -> Replacing<'_> {
        let mut replacing = Replacing::default();
        for ((part, id), pseudonym) in &self.entries {
            for form in forms(id) {
                replacing.add(Some(*part), form, pseudonym);
            }
        }
        replacing.ready()
    }

    /// Puts ids in the place of pseudonyms.
    pub fn revealing(&self) -> Replacing<'_> {
        let mut replacing = Replacing::default();
        for ((_, id), pseudonym) in &self.entries {
            replacing.add(None, pseudonym.clone(), id);
        }
        replacing.ready()
    }

    /// The name of a file, in which a user may be named without a sigil: `alice.report.json`.
    pub fn hide_in_file_name(&self, name: &str) -> String {
        let mut replacing = Replacing::default();
        for ((part, id), pseudonym) in &self.entries {
            if id.len() >= FILE_WORD_MIN {
                let part = if *part == Part::Localpart { Part::Device } else { *part };
                replacing.add(Some(part), id.clone(), pseudonym);
            }
        }
        replacing.ready().text(name)
    }
}

/// The pseudonym of a part, of the part's form.
fn of(key: &Key, part: Part, id: &str) -> String {
    let pseudonym = key.of(part.kind(), id).to_string();
    let letters = &pseudonym[..LETTERS];
    match part {
        Part::Localpart => format!("u{letters}"),
        Part::Server => format!("s{letters}"),
        Part::Room if is_hash_of_room(id) => {
            format!("r{letters}{}", &of_hash(key, part, id)[LETTERS + 1..]).replace('+', "-").replace('/', "_")
        }
        Part::Room => format!("r{letters}"),
        Part::Alias => format!("a{letters}"),
        Part::Device => {
            let mut number = pseudonym.bytes().fold(0_u128, |number, byte| number * 32 + u128::from(byte));
            let mut letters = String::new();
            for _ in 0..DEVICE_LETTERS {
                letters.push(char::from(b'A' + (number % 26) as u8));
                number /= 26;
            }
            letters
        }
        Part::Participant => of_hash(key, part, id),
    }
}

/// As many characters as SHA-256 has in base64, all of them letters and digits.
fn of_hash(key: &Key, part: Part, id: &str) -> String {
    let first = key.of(part.kind(), id);
    let second = key.of(part.kind(), &format!("{id} "));
    format!("{first}{second}")[..43].to_owned()
}

/// An id as it is, and as it stands in an address and in JSON.
fn forms(id: &str) -> BTreeSet<String> {
    let upper = |text: &str| utf8_percent_encode(text, IN_ADDRESSES).to_string();
    // Only the digits of an escape are in lower case there, not the id's own letters.
    let lower = utf8_percent_encode(id, IN_ADDRESSES)
        .map(|piece| if piece.starts_with('%') { piece.to_ascii_lowercase() } else { piece.to_owned() })
        .collect();
    let once = upper(id);
    [id.to_owned(), lower, upper(&once), once, id.replace('/', "\\/")].into()
}

/// Texts and what is put in their place, in one go: what was put in is not looked at again.
#[derive(Debug, Default)]
pub struct Replacing<'d> {
    /// The texts by their first bytes, the longest first.
    by_start: HashMap<Vec<u8>, Vec<Text<'d>>>,
    /// Lengths of starts that are shorter than usual.
    short: BTreeSet<usize>,
}

#[derive(Debug)]
struct Text<'d> {
    /// What is looked for.
    text: String,
    /// What it names; `None`: it stands for itself wherever it stands.
    part: Option<Part>,
    to: &'d str,
}

impl<'d> Replacing<'d> {
    fn add(&mut self, part: Option<Part>, text: String, to: &'d str) {
        let start = &text.as_bytes()[..text.len().min(START_BYTES)];
        self.short.insert(start.len());
        self.by_start.entry(start.to_vec()).or_default().push(Text { part, to, text });
    }

    fn ready(mut self) -> Replacing<'d> {
        for texts in self.by_start.values_mut() {
            texts.sort_by_key(|text| std::cmp::Reverse(text.text.len()));
        }
        self
    }

    /// The text with everything replaced.
    pub fn text(&self, text: &str) -> String {
        let (mut out, mut done, mut at) = (String::with_capacity(text.len()), 0, 0);
        while at < text.len() {
            match self.at(text, at) {
                Some(found) => {
                    out.push_str(&text[done..at]);
                    out.push_str(found.to);
                    at += found.text.len();
                    done = at;
                }
                None => at += 1,
            }
        }
        out.push_str(&text[done..]);
        out
    }

    fn at(&self, text: &str, at: usize) -> Option<&Text<'d>> {
        let bytes = text.as_bytes();
        let starts = self.short.iter().rev().filter_map(|length| self.by_start.get(bytes.get(at..at + length)?));
        starts.flatten().find(|one| {
            let end = at + one.text.len();
            bytes[at..].starts_with(one.text.as_bytes())
                && one.part.is_none_or(|part| stands_alone(part, &one.text, &text[..at], &text[end..]))
        })
    }
}

/// Whether what stands there is the id, and not a part of another word.
fn stands_alone(part: Part, id: &str, before: &str, after: &str) -> bool {
    let next = after.bytes().next();
    let is_followed_by_label = next == Some(b'.') && after.as_bytes().get(1).is_some_and(u8::is_ascii_alphanumeric);
    let ends = |more: &[u8]| !next.is_some_and(|byte| byte.is_ascii_alphanumeric() || more.contains(&byte));
    match part {
        Part::Localpart => {
            let is_behind_sigil = follows(before, &["@", "%40", "%2540", "\\u0040"]);
            (is_behind_sigil && ends(b"_=/+-") && !is_followed_by_label) || is_in_user_field(before, after)
        }
        Part::Room if is_hash_of_room(id) => begins(before, b"-_") && ends(b"-_"),
        Part::Room => follows(before, &["!", "%21", "%2521", "\\u0021"]) && ends(b"_-"),
        Part::Alias => follows(before, &["#", "%23", "%2523", "\\u0023"]) && ends(b"_=/+-"),
        Part::Device => begins(before, b"") && ends(b""),
        Part::Server => {
            // `example.org` stands in `matrix.example.org`; `localhost` does not stand in `a.localhost`.
            let more: &[u8] = if id.contains('.') { b"-_" } else { b"-_." };
            begins(before, more) && ends(b"-") && !is_followed_by_label
        }
        Part::Participant => begins(before, b"+/") && ends(b"+/"),
    }
}

fn follows(before: &str, sigils: &[&str]) -> bool {
    sigils.iter().any(|sigil| before.ends_with(sigil))
}

/// Whether a word can begin behind a text. The letters of an escape are none of a word.
fn begins(before: &str, more: &[u8]) -> bool {
    let bytes = before.as_bytes();
    let Some(&last) = bytes.last() else { return true };
    if !last.is_ascii_alphanumeric() {
        return !more.contains(&last);
    }
    let is_hex = |from: usize| {
        bytes.get(bytes.len().wrapping_sub(from)..).is_some_and(|end| end.iter().all(u8::is_ascii_hexdigit))
    };
    let stands = |sign: &str, from: usize| {
        bytes.len().checked_sub(from + sign.len()).is_some_and(|at| bytes[at..].starts_with(sign.as_bytes()))
            && is_hex(from)
    };
    let is_percent = stands("%", 2) || stands("%25", 2);
    let is_letter =
        matches!(last, b'n' | b't' | b'r' | b'b' | b'f') && bytes.len() > 1 && bytes[bytes.len() - 2] == b'\\';
    is_percent || is_letter || stands("\\u", 4)
}

/// Whether it is the value of a field in which a user may stand by the localpart alone.
fn is_in_user_field(before: &str, after: &str) -> bool {
    if !after.starts_with(['\'', '"', '\\']) || !before.ends_with(['\'', '"']) {
        return false;
    }
    // The longest is `user_localpart`, with quotation marks that may be escaped.
    let mut from = before.len().saturating_sub(32);
    while !before.is_char_boundary(from) {
        from += 1;
    }
    let near = &before[from..];
    names::USER_FIELDS.iter().any(|field| {
        let Some(at) = near.rfind(field) else { return false };
        let rest = format!("{}'", &near[at + field.len()..]);
        value_of_user_field(&rest) == Some("")
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const ROOM_12: &str = "!Zx0pnTv0yhgRWzDYs5bJ2n0uPq8mVvXr-3kQ_aB9cDE";
    const HASH: &str = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU";

    fn dictionary(artefact: &str) -> Dictionary {
        let mut names = Names::new();
        names.read(artefact);
        Dictionary::new(&Key::new(&[7; 32]).unwrap(), &names).unwrap()
    }

    fn found(artefact: &str) -> Vec<(&'static str, String)> {
        let mut names = Names::new();
        names.read(artefact);
        names.iter().map(|(part, id)| (part.word(), id.to_owned())).collect()
    }

    /// Hides what an artefact names, wants nothing of it to be left, and everything back.
    fn hides(artefact: &str, gone: &[&str]) -> String {
        let dictionary = dictionary(artefact);
        let hidden = dictionary.hiding().text(artefact);
        for word in gone {
            assert!(!hidden.contains(word), "{word} is left: {hidden}");
        }
        assert_eq!(dictionary.revealing().text(&hidden), artefact, "{hidden}");
        hidden
    }

    #[test]
    fn every_form_of_an_id_is_hidden_and_revealed() {
        let all = ["alice", "example.org", "ABCDEFGHIJ"];
        for artefact in [
            "@alice:example.org on device ABCDEFGHIJ",
            "@alice:example.org:8448 device_id=ABCDEFGHIJ",
            "participant @alice:example.org:ABCDEFGHIJ at index 0",
            "@alice:example.org on device aB3dE6gHiJ, and not device ABCDEFGHIJ",
            "participant @alice:example.org:8448:ABCDEFGHIJ at index 0",
            "PUT /state/org.matrix.msc3401.call.member/_%40alice%3Aexample.org_ABCDEFGHIJ_m.call",
            "GET /user/%40alice%3Aexample.org/devices/ABCDEFGHIJ HTTP/1.1",
            "GET /x?url=a%2F%2540alice%253Aexample.org&device_id=ABCDEFGHIJ",
            r#"{"user_id":"@alice:example.org","device_id":"ABCDEFGHIJ"}"#,
            r#"{"body":"{\"user_id\":\"@alice:example.org\",\"device_id\":\"ABCDEFGHIJ\"}"}"#,
            r#"{"body":"\u0040alice:example.org\n\u0022device_id\u0022:\u0022ABCDEFGHIJ\u0022"}"#,
            r#"{"one_time_keys":{"@alice:example.org":{"ABCDEFGHIJ":{"signed_curve25519:AAAAAAAAADQ":{}}}}}"#,
            r#"{"device_keys":{"@alice:example.org":["ABCDEFGHIJ"]}}"#,
            r#"{"signatures":{"@alice:example.org":{"ed25519:ABCDEFGHIJ":"x"}}}"#,
            " user_id | device_id | hidden\n @alice:example.org | ABCDEFGHIJ | f",
            "a line, then {\"sender\":\"@alice:example.org\",\"keys\":{\"curve25519:ABCDEFGHIJ\":\"x\"}}",
        ] {
            hides(artefact, &all);
        }
    }

    #[test]
    fn a_pseudonym_has_the_form_of_its_id() {
        let hidden = hides("@alice:example.org:ABCDEFGHIJ in !room:example.org as #hall:example.org", &[]);
        let words: Vec<&str> = hidden.split([' ', ':']).collect();
        let is = |word: &str, sign: &str, length: usize| word.starts_with(sign) && word.len() == length;
        assert!(is(words[0], "@u", 14) && is(words[1], "s", 13), "{hidden}");
        assert!(words[2].len() == 10 && words[2].bytes().all(|byte| byte.is_ascii_uppercase()), "{hidden}");
        assert!(is(words[4], "!r", 14) && words[5] == words[1] && is(words[7], "#a", 14), "{hidden}");
        let room = hides(&format!("joins {ROOM_12} now"), &[ROOM_12]);
        assert!(room.starts_with("joins !r") && room.len() == format!("joins {ROOM_12} now").len(), "{room}");
    }

    #[test]
    fn a_localpart_alone_is_hidden_where_a_field_says_that_it_is_one() {
        let line = "@alice:h: login with {'type': 'm.id.user', 'user': 'alice'} by alice, 'name': 'alice'";
        let hidden = hides(line, &["@alice", "'user': 'alice'"]);
        assert!(hidden.ends_with("by alice, 'name': 'alice'"), "it may be any word there: {hidden}");
        let own = dictionary("@alice:h");
        let of = |text: &str| own.hiding().text(text);
        assert_eq!(of(r#"{\"user\": \"alice\"}"#).replace(&of("@alice:h")[1..14], "alice"), r#"{\"user\": \"alice\"}"#);
        assert_ne!(of(r#"{\"user\": \"alice\"}"#), r#"{\"user\": \"alice\"}"#);
    }

    #[test]
    fn a_hashed_participant_is_mapped_and_a_key_of_that_form_stays() {
        let line = format!("missing key at index 0 for participant {HASH}= with sender_key {}", HASH.replace('4', "5"));
        let hidden = hides(&line, &[HASH]);
        assert!(hidden.contains(&HASH.replace('4', "5")) && hidden.len() == line.len(), "{hidden}");
        hides(&format!(r#"{{"participant":"{HASH}="}}"#), &[HASH]);
    }

    #[test]
    fn what_is_no_id_stays() {
        for text in [
            "signed_curve25519:AAAAAAAAADQ of $Zx0pnTv0yhgRWzDYs5bJ2n0uPq8mVvXr-3kQ_aB9cDE",
            "synapse.access.http.8008 - GET-12 - org.matrix.msc3814.v1 io.element.call.encryption_keys",
            "readDevice@http://127.0.0.1:8080/assets/index.js:12:3 and @http://127.0.0.1:8080/x.js:1:2",
            "curve25519:SGXdhzIe9RJ/H+9VbxrOwHEJYTCItzkJpENNc+HPHxA, cut curve25519:SGXdhzIe9RJ…",
            "INSERT INTO devices VALUES (1)",
            "device lists changed, device_keys updated, no device OTK; npm i matrix-js-sdk@43.0.0",
            r#"{"m.read":{"ts":1,"thread_id":"main"},"device_id":"Zx0pnTv0yhgRWzDYs5bJ2n0uPq8mVvXr+3kQ/aB9cDE"}"#,
            "@user-1:pseudonym.invalid asked",
        ] {
            assert_eq!(found(text), [], "{text}");
        }
        let receipt = r#"{"m.read":{"@a:h":{"ts":1,"thread_id":"main"}}}"#;
        assert_eq!(found(receipt), [("user", "a".to_owned()), ("server", "h".to_owned())]);
        assert_eq!(found("$143273582443PhrSn:example.org"), [("server", "example.org".to_owned())]);
    }

    #[test]
    fn an_id_in_another_word_stays_that_word() {
        let hiding = dictionary("@al:example.org and @bob:synapse with {\"device_id\":\"phone\"}");
        for text in ["@alan:x", "@al.b:x", "@al_b:x", "myexample.org", "example.orgs", "example.org.uk", "telephones"] {
            assert_eq!(hiding.hiding().text(text), text);
        }
        assert_eq!(hiding.hiding().text("synapse.http.server"), "synapse.http.server", "it is the program's name");
        let host = hiding.hiding().text("https://matrix.example.org/");
        assert!(host.starts_with("https://matrix.s") && !host.contains("example"), "{host}");
    }

    #[test]
    fn the_same_key_gives_the_same_pseudonyms_and_another_one_others() {
        let mut names = Names::new();
        names.read("@alice:example.org");
        let of = |byte| Dictionary::new(&Key::new(&[byte; 32]).unwrap(), &names).unwrap();
        assert_eq!(of(1), of(1));
        assert_ne!(of(1).print(), of(2).print());
    }

    #[test]
    fn a_dictionary_is_read_as_it_was_printed_and_a_wrong_line_is_named() {
        let dictionary = dictionary(&format!("@alice:example.org:ABCDEFGHIJ {ROOM_12} #a:b participant {HASH}"));
        assert_eq!((Dictionary::read(&dictionary.print()), dictionary.len()), (Ok(dictionary.clone()), 7));
        assert_eq!(Dictionary::read(""), Err(Unusable::Line(1)));
        assert_eq!(Dictionary::read("kind\tpseudonym\tid\nuser\tu1\ta\nuser u2 b\n"), Err(Unusable::Line(3)));
        assert_eq!(Dictionary::read("kind\tpseudonym\tid\nuser\t\ta\n"), Err(Unusable::Line(2)));
    }

    #[test]
    fn users_are_hidden_in_the_names_of_files() {
        let dictionary = dictionary("@alice:example.org @al:h");
        let name = dictionary.hide_in_file_name("alice.report.json");
        assert!(name.starts_with('u') && name.ends_with(".report.json") && !name.contains("alice"), "{name}");
        assert_eq!(dictionary.hide_in_file_name("malice.al.har"), "malice.al.har");
        assert_eq!(dictionary.revealing().text(&name), "alice.report.json");
    }

    proptest! {
        #[test]
        fn no_id_is_left_however_its_localpart_and_the_text_around_it_look(
            local in "[a-z0-9._=/+-]{1,12}", before in "[ \"'(,{%é]{0,3}", after in "[ \"'),}\\\\é]{0,3}",
        ) {
            let artefact = serde_json::json!({"user_id": format!("@{local}:example.org"), "said": format!("{before}@{local}:example.org{after}")});
            let artefact = artefact.to_string();
            let dictionary = dictionary(&artefact);
            let hidden = dictionary.hiding().text(&artefact);
            prop_assert!(!hidden.contains("example.org") && !hidden.contains(&format!("@{local}:")), "{}", hidden);
            prop_assert_eq!(dictionary.revealing().text(&hidden), artefact);
        }

        #[test]
        fn no_text_breaks_the_reader(text in "[@!#$%:\\\\\"{}a-cA-C0-9é.u=|\n-]{0,60}") {
            let dictionary = dictionary(&text);
            dictionary.hiding().text(&text);
        }
    }
}

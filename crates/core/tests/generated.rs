//! Generated secrets in generated places: names × forms × encodings × places × cuts. None may be seen in a report, and no
//! id that is placed into a recorded line may be closed.
//!
//! | variable | means |
//! |---|---|
//! | `SECRETS_SECONDS` | how long secrets are planted; without it 400,000 are, which takes about half a minute on an idle machine |
//! | `SECRETS_SEED` | where the random numbers begin; 0 without it |

use std::time::Instant;

use crypto_diag_core::{Clean, Host, Level, Line, Millis, Recorder, redact};

/// Consecutive characters of a secret that must not be seen.
const WINDOW: usize = 8;

/// The generator's cases, where the environment says nothing.
const CASES: u64 = 400_000;

/// Cases between two looks at the clock.
const BATCH: u64 = 1_000;

fn number(name: &str, otherwise: u64) -> u64 {
    match std::env::var(name) {
        Ok(text) => text.parse().unwrap_or_else(|error| panic!("{name}={text}: {error}")),
        Err(_) => otherwise,
    }
}

/// SplitMix64: the same secrets on every machine.
struct Random(u64);

impl Random {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }

    fn pick<'a, T: ?Sized>(&mut self, of: &[&'a T]) -> &'a T {
        of[self.below(of.len())]
    }

    fn chars(&mut self, count: usize, alphabet: &str) -> String {
        let alphabet: Vec<char> = alphabet.chars().collect();
        (0..count).map(|_| alphabet[self.below(alphabet.len())]).collect()
    }
}

const ALPHANUMERIC: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789";
const BASE64: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
const BASE58: &str = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz";
const HEX: &str = "0123456789abcdef";

const STEMS: &[&str] = &[
    "access_token",
    "refresh_token",
    "login_token",
    "token",
    "password",
    "passphrase",
    "passcode",
    "pwd",
    "pass",
    "secret",
    "client_secret",
    "credential",
    "private_key",
    "recovery_key",
    "security_key",
    "security_phrase",
    "session_key",
    "pickle",
    "api_key",
    "backup_key",
    "jwt",
    "seed",
    "pin",
    "otp",
];

const WORDS: &[&str] = &[
    "correct", "horse", "battery", "staple", "zebra", "window", "mountain", "river", "candle", "yellow", "garden",
    "thunder", "copper", "velvet", "harbour", "meadow",
];

/// A name in one of the ways that programs write one.
fn name(random: &mut Random) -> String {
    let stem = random.pick(STEMS);
    let camel = || {
        let mut upper = false;
        stem.chars().fold(String::new(), |mut name, letter| {
            if letter != '_' {
                name.push(if upper { letter.to_ascii_uppercase() } else { letter });
            }
            upper = letter == '_';
            name
        })
    };
    match random.below(8) {
        0 => format!("{stem}s"),
        1 => format!("{stem}2"),
        2 => camel(),
        3 => format!("{}Value", camel())
            .replace("pinValue", "pin")
            .replace("passValue", "pass")
            .replace("otpValue", "otp")
            .replace("pwdValue", "pwd")
            .replace("seedValue", "seed")
            .replace("jwtValue", "jwt"),
        4 => stem.to_uppercase(),
        5 => stem.replace('_', "-"),
        6 => format!("new_{}", stem)
            .replace("new_pass", "new_password")
            .replace("new_passwordword", "new_password")
            .replace("new_passwordphrase", "passphrase")
            .replace("new_passwordcode", "passcode")
            .replace("new_pin", "pin")
            .replace("new_otp", "otp"),
        _ => stem.to_owned(),
    }
}

/// A value that may be anything, since its name gives it away.
fn named_value(random: &mut Random) -> String {
    match random.below(9) {
        0 => (0..4).map(|_| random.pick(WORDS)).collect::<Vec<_>>().join(" "),
        1 => random.pick(WORDS).repeat(2),
        2 => random.chars(12, "0123456789"),
        3 => uuid(random),
        4 => format!("${}", random.chars(16, ALPHANUMERIC)),
        5 => format!("!{}", random.chars(18, ALPHANUMERIC)),
        6 => format!("@{}", random.chars(14, ALPHANUMERIC)),
        7 => format!("#{}", random.chars(14, ALPHANUMERIC)),
        _ => shaped(random),
    }
}

fn uuid(random: &mut Random) -> String {
    [8, 4, 4, 4, 12].map(|count| random.chars(count, HEX)).join("-")
}

/// A value that shows by itself.
fn shaped(random: &mut Random) -> String {
    match random.below(10) {
        0 => format!(
            "syt_{}_{}_{}",
            random.chars(8, ALPHANUMERIC),
            random.chars(20, ALPHANUMERIC),
            random.chars(6, ALPHANUMERIC)
        ),
        1 => format!("mat_{}_{}", random.chars(30, ALPHANUMERIC), random.chars(6, ALPHANUMERIC)),
        2 => {
            let part = |random: &mut Random, count| random.chars(count, ALPHANUMERIC);
            format!("eyJ{}.eyJ{}.{}", part(random, 20), part(random, 40), part(random, 43))
        }
        3 => random.chars(43, BASE64),
        4 => format!("{}==", random.chars(22, BASE64)),
        5 => random.chars(32, ALPHANUMERIC),
        6 => random.chars(64, HEX),
        7 => {
            let count = [16, 32][random.below(2)];
            // A key's first byte is not its smallest, or the list would pass for one in order.
            let bytes: Vec<String> = (0..count).map(|at| (255 - (random.below(180) + at) % 256).to_string()).collect();
            bytes.join([",", ", ", "; "][random.below(3)])
        }
        8 => {
            let groups: Vec<String> = (0..12).map(|_| random.chars(4, BASE58)).collect();
            groups.join([" ", "  ", "-", "\t", "%20", "\u{a0}"][random.below(6)])
        }
        _ => format!("-----BEGIN X KEY-----\n{}\n-----END X KEY-----", random.chars(120, BASE64)),
    }
}

/// A secret, and what stands around it.
struct Planted {
    text: String,
    secret: String,
    /// Where the name ends that gives the secret away; where it begins itself, if it has none. Where a gap takes the name in front of a
    /// word, nobody can know that word.
    known: usize,
}

/// A name, its value, and what stands around them. Values without quotes are one run, or at the line's end.
fn named(random: &mut Random) -> Planted {
    let (name, mut value) = (name(random), named_value(random));
    let form = random.below(16);
    let name = if form == 11 { name.to_lowercase() } else { name };
    let phrase =
        ["pass", "pwd", "phrase", "recovery", "security"].iter().any(|stem| name.to_lowercase().contains(stem));
    if form > 7 && !phrase && value.contains([' ', '\t', '\n', ';', ',']) {
        value = random.chars(20, ALPHANUMERIC);
    }
    if value.contains('\n') && form < 16 {
        value = random.chars(24, ALPHANUMERIC);
    }
    let text = match form {
        0 => format!("{{\"a\":1,\"{name}\":\"{value}\",\"z\":2}}"),
        1 => format!("{{\\\"{name}\\\":\\\"{value}\\\",\\\"z\\\":2}}"),
        2 => format!("{{a: 1, {name}: \"{value}\", z: 2}}"),
        3 => format!("{{'{name}': '{value}'}}"),
        4 => format!("Login {{ {name}: Some(\"{value}\"), x: 1 }}"),
        5 => format!("[\"{name}\",\"{value}\"]"),
        6 => format!("{{\"name\":\"{name}\",\"value\":\"{value}\"}}"),
        7 => format!("&quot;{name}&quot;:&quot;{value}&quot;"),
        8 => format!("{name}={value}"),
        9 => format!("{name}: {value}"),
        10 => format!("{name} = {value}"),
        11 => format!("--{name} {value}"),
        12 => format!("{name} is {value}"),
        13 => format!("/sync?{name}={}&x=1", value.replace([' ', '#', '&', '%', '\t'], "+")),
        14 => format!("{name}%3D{}%26x", value.replace(|byte: char| !byte.is_ascii_alphanumeric(), "%2B")),
        _ => format!("{name}\\u003d{}\\u0026x", value.replace(|byte: char| !byte.is_ascii_alphanumeric(), "")),
    };
    let secret = match form {
        13 => value.replace([' ', '#', '&', '%', '\t'], "+"),
        14 => value.replace(|byte: char| !byte.is_ascii_alphanumeric(), "%2B"),
        15 => value.replace(|byte: char| !byte.is_ascii_alphanumeric(), ""),
        _ => value,
    };
    let known = text.find(&name).expect("the name stands in the text") + name.len();
    Planted { text, secret, known }
}

/// A secret without a name.
fn nameless(random: &mut Random) -> Planted {
    let value = shaped(random);
    let text = match random.below(8) {
        0 => value.clone(),
        1 => format!("request with {value} failed"),
        2 => format!("\"{value}\""),
        3 => format!("[a,\"{value}\",b]"),
        4 => format!("{{\"blob\":\"{value}\"}}"),
        5 => format!("blob={value};"),
        6 => format!("set {value} at index 3"),
        _ => format!("{{\"@b:hs:D\":\"{value}\"}}"),
    };
    let known = text.find(&value).expect("the secret stands in the text");
    Planted { text, secret: value, known }
}

/// What people wrote, in the fields that hold it.
fn message(random: &mut Random) -> Planted {
    let secret = (0..6).map(|_| random.pick(WORDS)).collect::<Vec<_>>().join(" ");
    let field =
        random.pick(&["body", "formatted_body", "plaintext", "content", "payloadString", "clearEvent", "new_content"]);
    let text = match random.below(4) {
        0 => format!("{{\"type\":\"m.room.message\",\"{field}\":\"{secret}\"}}"),
        1 => format!("{{type: \"m.room.message\", {field}: \"{secret}\"}}"),
        2 => format!("{field}: {{\"msgtype\":\"m.text\",\"x\":\"{secret}\"}}"),
        _ => format!("{field}: {secret}"),
    };
    let known = text.find(field).expect("the field stands in the text") + field.len();
    Planted { text, secret, known }
}

/// Eight characters of a secret that stand in a text, if any do. Spaces and signs in a row are anybody's.
fn leak(text: &str, secret: &str) -> Option<String> {
    // Armour is no secret.
    let secret: Vec<&str> = secret.lines().filter(|line| !line.starts_with("-----")).collect();
    let characters: Vec<char> = secret.join("\n").chars().collect();
    characters.windows(WINDOW).map(|window| window.iter().collect::<String>()).find(|window| {
        window.chars().filter(char::is_ascii_alphanumeric).count() >= WINDOW / 2 && text.contains(window.as_str())
    })
}

#[test]
fn no_generated_secret_is_seen() {
    let mut random = Random(number("SECRETS_SEED", 0));
    let mut leaks = Vec::new();
    let seconds = number("SECRETS_SECONDS", 0);
    let start = Instant::now();
    let is_over = |planted: u64| match seconds {
        0 => planted == CASES,
        seconds => planted.is_multiple_of(BATCH) && start.elapsed().as_secs() >= seconds,
    };
    let mut planted_so_far = 0;
    while !is_over(planted_so_far) {
        planted_so_far += 1;
        let Planted { text: planted, secret, known } = match random.below(8) {
            0..=3 => named(&mut random),
            4..=6 => nameless(&mut random),
            _ => message(&mut random),
        };
        let before = "already exists: One time key signed_curve25519:AAAAAAAAADQ ";
        let line = format!("{before}{planted}");
        let mut recorder = Recorder::new();
        match random.below(4) {
            0 => {
                let stack = format!("Error: x {planted}\n    at https://example.org/app.js:1:1");
                recorder.record(&Line { stack: Some(&stack), ..Line::new(Millis(1), Level::Error, "DecryptionError") });
            }
            1 => {
                // A gap that begins in the secret, or in what stands between it and its name.
                let end = line.rfind(secret.as_str()).expect("the secret stands in the line") + secret.len();
                let known = before.len() + known;
                let from = known + random.below(end - known);
                let from = (0..=from).rev().find(|at| line.is_char_boundary(*at)).unwrap_or(0);
                let (head, tail) = line.split_at(from);
                let gap = (1 + random.below(12)).min(tail.len());
                let gap = (gap..=tail.len()).find(|at| tail.is_char_boundary(*at)).unwrap_or(tail.len());
                let tail = format!("{} then nothing", &tail[gap..]);
                recorder.record(&Line { tail: Some(&tail), length: 1_000, ..Line::new(Millis(1), Level::Error, head) });
            }
            _ => drop(recorder.record(&Line::new(Millis(1), Level::Error, &line))),
        }
        for entry in recorder.report(Host::default()).entries {
            for text in [Some(&entry.message), entry.stack.as_ref()].into_iter().flatten() {
                if planted_so_far.is_multiple_of(4) {
                    assert_eq!(Clean::new(text), *text, "redacted once more, {planted:?} changes");
                }
                if let Some(seen) = leak(text, &secret) {
                    leaks.push(format!("{seen:?} of {planted}\n    {text}"));
                }
            }
        }
        if leaks.len() > 40 {
            break;
        }
    }
    println!("{planted_so_far} secrets planted");
    assert!(leaks.is_empty(), "{} leaks:\n{}", leaks.len(), leaks.join("\n"));
}

/// An id in its own form, or behind its name.
fn id(random: &mut Random) -> String {
    const URL: &str = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let key = |random: &mut Random| random.chars(43, BASE64);
    match random.below(16) {
        0 => format!("${}", random.chars(43, URL)),
        1 => format!("!{}", random.chars(43, URL)),
        2 => format!("!{}:matrix.example.org", random.chars(18, ALPHANUMERIC)),
        3 => format!("@user{}:matrix.example.org", random.below(1000)),
        4 => format!("@user{}:example.org:{}", random.below(1000), random.chars(10, "ABCDEFGHIJKLMNOPQRSTUVWXYZ")),
        5 => format!("#room{}:example.org", random.below(1000)),
        6 => format!("curve25519:{}", key(random)),
        7 => format!("ed25519:{}", key(random)),
        8 => format!("signed_curve25519:AAAA{}", random.chars(7, BASE64)),
        9 => format!("message_id=\"{}\"", random.chars(32, HEX)),
        10 => format!("session_id=\"{}\"", key(random)),
        11 => format!("sender_key: {}", key(random)),
        12 => format!("delay_id: syd_{}", random.chars(20, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz")),
        13 => format!("since=s{}_{}_{}", random.below(99_999), random.below(9999), random.below(99)),
        14 => format!("m{}.{}", 1_795_423_336_054_u64 + random.next() % 1_000_000, random.below(99)),
        _ => format!("for participant {}", key(random)),
    }
}

#[test]
fn no_id_in_a_recorded_line_is_closed() {
    let mut random = Random(number("SECRETS_SEED", 0));
    let consoles = [
        include_str!("../../../tests/fixtures/console/ke1-second-store-same-device.jsonl"),
        include_str!("../../../tests/fixtures/console/ke1-to-ke2-store-rollback.jsonl"),
        include_str!("../../../tests/fixtures/console/ke2-benign_ke3_ke4.jsonl"),
        include_str!("../../../tests/fixtures/console/sender-side-invalid-signature.jsonl"),
    ];
    let mut closed = Vec::new();
    for json in consoles.iter().flat_map(|console| console.lines()) {
        let line: serde_json::Value = serde_json::from_str(json).expect("a line of the recording is JSON");
        let args: Vec<&str> = line["args"].as_array().unwrap().iter().filter_map(|arg| arg.as_str()).collect();
        let line = args.join(" ");
        for _ in 0..16 {
            let id = id(&mut random);
            // What stands behind a secret's name is closed, whatever its form.
            let is_free = |at: &usize| {
                !["session_keys:", "session_keys: SessionKeys"].iter().any(|name| line[..*at].ends_with(name))
            };
            let places: Vec<usize> = line.match_indices(' ').map(|(at, _)| at).filter(is_free).collect();
            let place = if places.is_empty() { line.len() } else { places[random.below(places.len())] };
            let text = format!("{} {id}{}", &line[..place], &line[place..]);
            let redacted = redact(&text);
            if !redacted.text.contains(&id) {
                closed.push(format!("{id} in {redacted:?}"));
            }
        }
    }
    assert!(closed.is_empty(), "{}:\n{}", closed.len(), closed[..closed.len().min(20)].join("\n"));
}

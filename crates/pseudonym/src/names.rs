//! The ids that artefacts name, found in what JSON documents, logs, tables and console lines say.

use std::borrow::Cow;
use std::collections::BTreeSet;

use percent_encoding::percent_decode_str;
use serde_json::Value;

use crate::Kind;

/// The server of the user ids that `crypto-diag collect` writes in place of other users' ids. They are pseudonyms already.
const COLLECTED: &str = "pseudonym.invalid";

/// Encodings in encodings that are followed: JSON in a string of JSON, percent signs in percent signs.
const DEPTH_MAX: usize = 4;

/// Characters of SHA-256, of a key and of a room's id since room version 12, in unpadded base64.
const HASH_CHARS: usize = 43;

/// Characters that a word has at least, to be taken for a device's id because of the word in front of it.
const DEVICE_CHARS_MIN: usize = 8;

/// Names of fields behind which the media side of calls has a hash for a participant or a room.
const HASH_FIELDS: [&str; 8] =
    ["participant", "rtcBackendIdentity", "Identity", "LiveKit identity", "lkId", "lk_id", "alias", "room"];

/// What an id, or the part of it that is replaced, names.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Part {
    /// What stands between `@` and `:` of a user's id.
    Localpart,
    /// A server's name, without its port.
    Server,
    /// A device's id.
    Device,
    /// What stands between `!` and `:` of a room's id, or behind `!`.
    Room,
    /// What stands between `#` and `:` of a room's alias.
    Alias,
    /// The hash by which the media side of a call names a participant or a room.
    Participant,
}

impl Part {
    /// All of them.
    pub const ALL: [Part; 6] =
        [Part::Localpart, Part::Server, Part::Device, Part::Room, Part::Alias, Part::Participant];

    /// The word in a dictionary.
    pub fn word(self) -> &'static str {
        match self {
            Part::Localpart => "user",
            Part::Server => "server",
            Part::Device => "device",
            Part::Room => "room",
            Part::Alias => "alias",
            Part::Participant => "participant",
        }
    }

    /// Under which kind its pseudonym is made.
    pub(crate) fn kind(self) -> Kind {
        match self {
            Part::Localpart => Kind::Account,
            Part::Server => Kind::Homeserver,
            Part::Device => Kind::Device,
            Part::Room | Part::Alias => Kind::Room,
            Part::Participant => Kind::Participant,
        }
    }
}

/// The parts of ids, each once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Names(BTreeSet<(Part, String)>);

impl Names {
    /// None.
    pub fn new() -> Names {
        Names::default()
    }

    /// Each of them.
    pub fn iter(&self) -> impl Iterator<Item = (Part, &str)> {
        self.0.iter().map(|(part, id)| (*part, id.as_str()))
    }

    /// Adds what an artefact names: a JSON document, or lines of text with or without JSON in them.
    pub fn read(&mut self, artefact: &str) {
        self.nested(artefact, 0);
    }

    fn add(&mut self, part: Part, id: &str) {
        if !id.is_empty() {
            self.0.insert((part, id.to_owned()));
        }
    }

    fn nested(&mut self, text: &str, depth: usize) {
        if text.trim_start().starts_with(['{', '[', '"'])
            && let Ok(value) = serde_json::from_str::<Value>(text)
        {
            return self.value("", &value, depth);
        }
        let mut column = None;
        for line in text.lines() {
            let json = line.find('{').filter(|_| line.ends_with('}')).map(|at| &line[at..]);
            if let Some(value) = json.and_then(|json| serde_json::from_str::<Value>(json).ok()) {
                self.value("", &value, depth);
            }
            self.cell(line, &mut column);
            self.text(line, depth);
        }
    }

    /// A row of a table: the column whose head is `device_id` has devices. `column`: what separates cells, how many there are, and which it is.
    fn cell(&mut self, line: &str, column: &mut Option<(char, usize, usize)>) {
        for separator in ['|', '\t', ','] {
            let cells = line.split(separator).map(str::trim);
            if let Some(at) = cells.clone().position(|cell| cell == "device_id") {
                *column = Some((separator, cells.count(), at));
                return;
            }
        }
        let Some((separator, count, at)) = *column else { return };
        let cells: Vec<&str> = line.split(separator).map(str::trim).collect();
        if cells.len() == count && is_device_in_field(cells[at]) {
            self.add(Part::Device, cells[at]);
        }
    }

    fn value(&mut self, key: &str, value: &Value, depth: usize) {
        match value {
            Value::String(text) => self.field(key, text, depth),
            Value::Array(list) => {
                let names_devices = is_user_id(key);
                for item in list {
                    match item.as_str() {
                        Some(device) if names_devices && is_device_in_map(device) => self.add(Part::Device, device),
                        _ => self.value(key, item, depth),
                    }
                }
            }
            Value::Object(fields) => {
                let names_devices = is_user_id(key);
                for (name, field) in fields {
                    if names_devices && is_device_in_map(name) {
                        self.add(Part::Device, name);
                    }
                    self.whole(name);
                    self.text(name, depth);
                    self.value(name, field, depth);
                }
            }
            Value::Null | Value::Bool(_) | Value::Number(_) => {}
        }
    }

    /// A field of JSON whose value is a text.
    fn field(&mut self, key: &str, text: &str, depth: usize) {
        let key_ends = |ends: &[&str]| ends.iter().any(|end| key.ends_with(end));
        if key_ends(&["device_id", "deviceId", "device_ids", "deviceIds"]) && is_device_in_field(text) {
            self.add(Part::Device, text);
        }
        if key == "device" && is_device_in_text(text) {
            self.add(Part::Device, text);
        }
        if USER_FIELDS.contains(&key) && is_localpart(text) {
            self.add(Part::Localpart, text);
        }
        if SERVER_FIELDS.contains(&key) {
            self.host(text);
        }
        if HASH_FIELDS.contains(&key) {
            self.hash(text);
        }
        if ADDRESS_FIELDS.contains(&key)
            && let Some((_, rest)) = text.split_once("://")
        {
            let host = &rest[..rest.find(['/', '?', '#', ':']).unwrap_or(rest.len())];
            // Of a single label or an internet address nobody can tell whose it is.
            if host.contains(|char: char| char.is_ascii_alphabetic()) && host.contains('.') {
                self.host(host);
            }
        }
        self.whole(text);
        if depth < DEPTH_MAX && text.trim_start().starts_with(['{', '[']) {
            self.nested(text, depth + 1);
        }
        self.text(text, depth);
    }

    /// A text that is an id as a whole: in its localpart, any visible character may stand, as in ids of old.
    fn whole(&mut self, text: &str) {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !matches!(byte, b'"' | b'\'' | b'\\' | b'<' | b'>');
        let Some((local, server)) = text.get(1..).and_then(|rest| rest.split_once(':')) else { return };
        let host = host(server);
        let is_all = !host.is_empty() && server[host.len()..].bytes().all(|byte| byte == b':' || byte.is_ascii_digit());
        if let Some(part) =
            text.chars().next().and_then(part_of_sigil).filter(|_| is_all && local.bytes().all(is_plain))
        {
            self.id(part, local, host);
        }
    }

    fn id(&mut self, part: Part, local: &str, host: &str) {
        if host == COLLECTED {
            return;
        }
        self.add(part, local);
        self.add(Part::Server, host);
    }

    fn host(&mut self, text: &str) {
        let host = host(text);
        if host != COLLECTED {
            self.add(Part::Server, host);
        }
    }

    fn hash(&mut self, text: &str) {
        let text = text.trim_end_matches('=');
        if is_hash(text) {
            self.add(Part::Participant, text);
        }
    }

    /// What stands somewhere in a text, by its form and by the words in front of it; in what it encodes, too.
    fn text(&mut self, text: &str, depth: usize) {
        self.by_form(text);
        self.by_words(text);
        if depth >= DEPTH_MAX {
            return;
        }
        if let Cow::Owned(decoded) = percent_decode_str(text).decode_utf8_lossy() {
            self.text(&decoded, depth + 1);
        }
        if let Cow::Owned(decoded) = unescaped(text) {
            self.text(&decoded, depth + 1);
        }
    }

    fn by_form(&mut self, text: &str) {
        for (at, sigil) in text.match_indices(['@', '!', '#', '$']) {
            if text[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '.') {
                continue;
            }
            let rest = &text[at + 1..];
            let local = run(rest, |byte| byte.is_ascii_alphanumeric() || b"._=/+-~".contains(&byte));
            let after = &rest[local.len()..];
            if sigil == "!" && is_hash_of_room(local) {
                self.add(Part::Room, local);
            }
            let server = after.strip_prefix(':').map(host).unwrap_or_default();
            if local.is_empty() || server.is_empty() {
                continue;
            }
            match sigil.chars().next().and_then(part_of_sigil) {
                Some(part) => self.id(part, local, server),
                // An event's id of room versions 1 and 2 names the server that made it.
                None => self.host(server),
            }
            if sigil == "@" {
                let mut rest = &after[1 + server.len()..];
                let port =
                    rest.strip_prefix(':').map(|rest| run(rest, |byte| byte.is_ascii_digit())).unwrap_or_default();
                if (1..=5).contains(&port.len())
                    && !rest[1 + port.len()..].starts_with(|char: char| char.is_ascii_alphanumeric())
                {
                    rest = &rest[1 + port.len()..];
                }
                // `@user:server:DEVICE`, `_@user:server_DEVICE_m.call`, `@user:server/DEVICE`.
                let device = rest.strip_prefix([':', '_', '/']).unwrap_or_default();
                let device = run(device, |byte| byte.is_ascii_alphanumeric() || byte == b'-');
                if is_device_in_text(device) {
                    self.add(Part::Device, device);
                }
            }
        }
        for scheme in ["mxc://", "matrix-federation://", "matrix://"] {
            for (at, _) in text.match_indices(scheme) {
                self.host(&text[at + scheme.len()..]);
            }
        }
    }

    fn by_words(&mut self, text: &str) {
        let lead = |rest: &str, most: usize| {
            let separators = run(rest, |byte| b" \"'\\:=/[({".contains(&byte)).len();
            (1..=most).contains(&separators).then_some(separators)
        };
        for word in ["device", "Device"] {
            for (at, _) in text.match_indices(word) {
                let rest = &text[at + word.len()..];
                let rest = rest.strip_prefix('s').unwrap_or(rest);
                let rest = ["_id", "Id", " id"].iter().find_map(|end| rest.strip_prefix(end)).unwrap_or(rest);
                let Some(separators) = lead(rest, 8) else { continue };
                let device = run(&rest[separators..], |byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte));
                if is_device_in_text(device) {
                    self.add(Part::Device, device);
                }
            }
        }
        for word in ["ed25519:", "curve25519:"] {
            for (at, _) in text.match_indices(word) {
                // A one-time key's id stands behind `signed_curve25519:`.
                if text[..at].ends_with(|char: char| char.is_ascii_alphanumeric() || char == '_') {
                    continue;
                }
                // A public key stands behind it as well, also cut.
                let device =
                    run(&text[at + word.len()..], |byte| byte.is_ascii_alphanumeric() || b"_-+/".contains(&byte));
                if is_device_in_text(device) && !device.contains(|char: char| char.is_ascii_lowercase()) {
                    self.add(Part::Device, device);
                }
            }
        }
        for field in USER_FIELDS {
            for (at, _) in text.match_indices(field) {
                if let Some(local) = value_of_user_field(&text[at + field.len()..]).filter(|local| is_localpart(local))
                {
                    self.add(Part::Localpart, local);
                }
            }
        }
        for field in HASH_FIELDS {
            for (at, _) in text.match_indices(field) {
                let rest = &text[at + field.len()..];
                if let Some(separators) = lead(rest, 5) {
                    let rest = &rest[separators..];
                    self.hash(run(rest, |byte| byte.is_ascii_alphanumeric() || b"+/=".contains(&byte)));
                }
            }
        }
    }
}

/// Fields in which a user may stand by the localpart alone, as in what a client asks for at a login.
pub(crate) const USER_FIELDS: [&str; 4] = ["user", "username", "localpart", "user_localpart"];

/// Fields that hold a server's name.
const SERVER_FIELDS: [&str; 6] =
    ["server_name", "serverName", "destination", "origin", "homeserver", "matrix_server_name"];

/// Fields that hold an address, whose host belongs to the deployment.
const ADDRESS_FIELDS: [&str; 9] =
    ["url", "page", "focus", "homeserver", "baseUrl", "base_url", "livekit_service_url", "livekit_url", "issuer"];

/// What stands in quotation marks behind a field's name: `': 'alice'` gives `alice`, escaped or not.
pub(crate) fn value_of_user_field(rest: &str) -> Option<&str> {
    let rest = rest.trim_start_matches('\\');
    let rest = rest.strip_prefix(['\'', '"']).unwrap_or(rest).trim_start();
    let rest = rest.strip_prefix([':', '='])?.trim_start().trim_start_matches('\\');
    let value = rest.strip_prefix(['\'', '"'])?;
    Some(&value[..value.find(['\'', '"', '\\'])?])
}

fn part_of_sigil(sigil: char) -> Option<Part> {
    match sigil {
        '@' => Some(Part::Localpart),
        '!' => Some(Part::Room),
        '#' => Some(Part::Alias),
        _ => None,
    }
}

/// The host at the beginning of a text, without a port; empty if there is none.
fn host(text: &str) -> &str {
    if text.starts_with('[') {
        let address = text.find(']').map_or("", |end| &text[..=end]);
        let is_address = address.len() > 3
            && address[1..address.len() - 1].bytes().all(|byte| byte.is_ascii_hexdigit() || b":.".contains(&byte));
        return if is_address { address } else { "" };
    }
    let host = run(text, |byte| byte.is_ascii_alphanumeric() || b".-".contains(&byte)).trim_end_matches(['.', '-']);
    let is_name = host.starts_with(|char: char| char.is_ascii_alphanumeric())
        && (host.contains(|char: char| char.is_ascii_alphabetic()) || host.matches('.').count() == 3);
    if is_name { host } else { "" }
}

/// Bytes at the beginning of a text that are all of a kind; they are ASCII.
fn run(text: &str, is: impl Fn(u8) -> bool) -> &str {
    &text[..text.bytes().position(|byte| !byte.is_ascii() || !is(byte)).unwrap_or(text.len())]
}

fn is_hash(text: &str) -> bool {
    text.len() == HASH_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+/".contains(&byte))
}

/// Since room version 12, a room's id is a hash and names no server.
pub(crate) fn is_hash_of_room(text: &str) -> bool {
    text.len() == HASH_CHARS && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_".contains(&byte))
}

fn is_user_id(text: &str) -> bool {
    text.starts_with('@') && text.contains(':')
}

fn is_localpart(text: &str) -> bool {
    !text.is_empty()
        && text.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"._=/+-".contains(&byte))
}

/// A device's id has any form that its client chose. One that is a key, as of a dehydrated device, is public and stays.
fn is_device_in_field(text: &str) -> bool {
    text.len() > 1
        && text.len() != HASH_CHARS
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte))
}

/// Below a user's id stand devices, and fields of what is said of the user, whose names are words.
fn is_device_in_map(text: &str) -> bool {
    is_device_in_field(text) && text.bytes().any(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// In a text a word may stand where a device could, also one of SQL: a device is long, and has capitals alone, or digits, small letters and
/// capitals.
fn is_device_in_text(text: &str) -> bool {
    let has = |is: fn(&u8) -> bool| text.as_bytes().iter().any(is);
    text.len() >= DEVICE_CHARS_MIN
        && text.len() != HASH_CHARS
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(&byte))
        && has(u8::is_ascii_uppercase)
        && (!has(u8::is_ascii_lowercase) || has(u8::is_ascii_digit))
}

/// A text without the escapes of JSON, for JSON that stands inside of another text; what is no escape stays.
fn unescaped(text: &str) -> Cow<'_, str> {
    if !text.contains('\\') {
        return Cow::Borrowed(text);
    }
    let mut out = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        out.push_str(&rest[..at]);
        rest = &rest[at + 1..];
        let code =
            rest.strip_prefix('u').and_then(|hex| hex.get(..4)).and_then(|hex| u32::from_str_radix(hex, 16).ok());
        if let Some(char) = code.and_then(char::from_u32) {
            out.push(char);
            rest = &rest[5..];
        } else if let Some(char) = rest.chars().next() {
            out.push(if matches!(char, 'n' | 't' | 'r' | 'b' | 'f') { ' ' } else { char });
            rest = &rest[char.len_utf8()..];
        }
    }
    out.push_str(rest);
    Cow::Owned(out)
}

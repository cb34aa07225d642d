//! Finds other people's ids and addresses in a text, and the pseudonyms that replace them.
//!
//! A pseudonym is a number, given in the order in which an id first appears in the bundle's logs. Nothing leads back from
//! it to the id, not even by trying all ids: it is no hash, and no key exists. The same input gives the same numbers.

use std::collections::{HashMap, HashSet};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

/// Bytes of a user id at most, by the specification; percent-encoded three times as many.
const USER_BYTES_MAX: usize = 3 * 255;

/// Bytes of an address at most.
const ADDRESS_BYTES_MAX: usize = 45;

/// Something that is to be replaced, as a range of the text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Gap {
    pub start: usize,
    pub end: usize,
    pub kind: GapKind,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum GapKind {
    User,
    /// A user id as a URI holds it, percent-encoded.
    EncodedUser,
    Address,
}

/// The pseudonyms given so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Names {
    users: HashMap<Vec<u8>, u32>,
    addresses: HashMap<Vec<u8>, u32>,
}

impl Names {
    /// Appends the part `from..to` of a text with its gaps filled; those are the part's own.
    pub fn fill(&mut self, text: &[u8], (from, to): (usize, usize), gaps: &[Gap], out: &mut Vec<u8>) {
        let mut done = from;
        for gap in gaps {
            out.extend_from_slice(&text[done..gap.start]);
            let id = &text[gap.start..gap.end];
            match gap.kind {
                GapKind::User => {
                    let number = number(&mut self.users, &decode(id));
                    out.extend_from_slice(format!("@user-{number}:pseudonym.invalid").as_bytes());
                }
                GapKind::EncodedUser => {
                    let number = number(&mut self.users, &decode(id));
                    out.extend_from_slice(format!("%40user-{number}%3Apseudonym.invalid").as_bytes());
                }
                GapKind::Address => {
                    let number = number(&mut self.addresses, id);
                    out.extend_from_slice(format!("address-{number}").as_bytes());
                }
            }
            done = gap.end;
        }
        out.extend_from_slice(&text[done..to]);
    }

    /// How many users and addresses have one.
    pub fn counts(&self) -> (usize, usize) {
        (self.users.len(), self.addresses.len())
    }
}

fn number(names: &mut HashMap<Vec<u8>, u32>, id: &[u8]) -> u32 {
    if let Some(number) = names.get(id) {
        return *number;
    }
    let number = names.len() as u32 + 1;
    names.insert(id.to_vec(), number);
    number
}

/// Finds what is to be replaced in a text: all user ids but the named ones, and all addresses but those of the machine
/// itself. `base` is added to the places.
pub(crate) fn gaps(text: &[u8], base: usize, named: &HashSet<Vec<u8>>, out: &mut Vec<Gap>) {
    let mut done = 0;
    for at in memchr::memchr3_iter(b'@', b'.', b':', text) {
        if at < done {
            continue;
        }
        let found = match text[at] {
            b'@' => user(text, at, named),
            b'.' => version_4(text, at, done),
            _ => version_6(text, at, done),
        };
        if let Some(gap) = found {
            done = gap.end;
            out.push(Gap { start: gap.start + base, end: gap.end + base, kind: gap.kind });
        }
    }
    let plain = out.len();
    let finder = memchr::memmem::find_iter(text, b"%40");
    for at in finder {
        out.extend(encoded_user(text, at, named).map(|gap| Gap {
            start: gap.start + base,
            end: gap.end + base,
            ..gap
        }));
    }
    if out.len() > plain {
        // The two searches overlap only where an encoded id holds an address; the first of both stays.
        let first = out.iter().position(|gap| gap.start >= base).unwrap_or(0);
        out[first..].sort_by_key(|gap| (gap.start, usize::MAX - gap.end));
        let mut end = base;
        let mut kept = first;
        for index in first..out.len() {
            if out[index].start >= end {
                end = out[index].end;
                out[kept] = out[index];
                kept += 1;
            }
        }
        out.truncate(kept);
    }
}

/// The end of the user id whose localpart begins at a place: without and with what may be a port.
fn user_ends(text: &[u8], localpart: usize, separator: &[u8]) -> Option<(usize, usize)> {
    let text = &text[..text.len().min(localpart + USER_BYTES_MAX)];
    let mut colon = localpart;
    while text.get(colon).is_some_and(|byte| is_localpart(*byte)) && !is_separator(&text[colon..], separator) {
        colon += 1;
    }
    if colon == localpart || !is_separator(text.get(colon..)?, separator) {
        return None;
    }
    let host = colon + separator.len();
    let mut end = host;
    if text.get(host) == Some(&b'[') {
        end = host + memchr::memchr(b']', &text[host..])? + 1;
    } else {
        while text.get(end).is_some_and(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'-')) {
            end += 1;
        }
        while end > host && matches!(text[end - 1], b'.' | b'-') {
            end -= 1;
        }
    }
    if end == host {
        return None;
    }
    let mut port = end;
    if text.get(end..).is_some_and(|rest| is_separator(rest, separator)) {
        let digits = text[end + separator.len()..].iter().take(6).take_while(|byte| byte.is_ascii_digit()).count();
        let behind = text.get(end + separator.len() + digits);
        if (1..=5).contains(&digits) && !behind.is_some_and(u8::is_ascii_alphanumeric) {
            port = end + separator.len() + digits;
        }
    }
    Some((end, port))
}

fn is_separator(text: &[u8], separator: &[u8]) -> bool {
    text.len() >= separator.len() && text[..separator.len()].eq_ignore_ascii_case(separator)
}

/// Historical ids hold more than the specification now allows.
fn is_localpart(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || b"._=-/+~!$%".contains(&byte) || byte >= 0x80
}

fn user(text: &[u8], at: usize, named: &HashSet<Vec<u8>>) -> Option<Gap> {
    let (end, port) = user_ends(text, at + 1, b":").or_else(|| user_ends(text, at + 1, b"%3A"))?;
    let is_named = is_one_of(&text[at..end], named) || is_one_of(&text[at..port], named);
    (!is_named).then_some(Gap { start: at, end: port, kind: GapKind::User })
}

fn is_one_of(id: &[u8], named: &HashSet<Vec<u8>>) -> bool {
    named.contains(id) || id.contains(&b'%') && named.contains(&decode(id))
}

/// The ends of the percent-encoded user id that begins with `%40` at a place.
fn encoded_ends(text: &[u8], at: usize) -> Option<(usize, usize)> {
    user_ends(text, at + 3, b"%3A").or_else(|| user_ends(text, at + 3, b":"))
}

/// Whether one of ours, percent-encoded, begins at a place.
pub(crate) fn is_named_encoded(text: &[u8], at: usize, named: &HashSet<Vec<u8>>) -> bool {
    encoded_ends(text, at)
        .is_some_and(|(end, port)| is_one_of(&text[at..end], named) || is_one_of(&text[at..port], named))
}

fn encoded_user(text: &[u8], at: usize, named: &HashSet<Vec<u8>>) -> Option<Gap> {
    let (_, port) = encoded_ends(text, at)?;
    (!is_named_encoded(text, at, named)).then_some(Gap { start: at, end: port, kind: GapKind::EncodedUser })
}

/// An id without its percent-encoding.
fn decode(id: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(id.len());
    let mut at = 0;
    while at < id.len() {
        let digit = |at: usize| id.get(at).and_then(|byte| (*byte as char).to_digit(16));
        match (id[at], digit(at + 1), digit(at + 2)) {
            (b'%', Some(high), Some(low)) => {
                out.push((high * 16 + low) as u8);
                at += 3;
            }
            (byte, ..) => {
                out.push(byte);
                at += 1;
            }
        }
    }
    out
}

/// The run of bytes around a place that belong to an address, not before `from`.
fn run(text: &[u8], at: usize, from: usize, belongs: fn(u8) -> bool) -> Option<(usize, usize)> {
    let lowest = from.max(at.saturating_sub(ADDRESS_BYTES_MAX));
    let start = (lowest..at).rev().take_while(|place| belongs(text[*place])).last().unwrap_or(at);
    let highest = text.len().min(at + ADDRESS_BYTES_MAX);
    let end = (at..highest).take_while(|place| belongs(text[*place])).last().map_or(at, |place| place + 1);
    (end - start <= ADDRESS_BYTES_MAX).then_some((start, end))
}

fn version_4(text: &[u8], at: usize, from: usize) -> Option<Gap> {
    let digit = |place: usize| text.get(place).is_some_and(u8::is_ascii_digit);
    if at == 0 || !digit(at - 1) || !digit(at + 1) {
        return None;
    }
    let (start, mut end) = run(text, at, from, |byte| byte.is_ascii_digit() || byte == b'.')?;
    while text[end - 1] == b'.' {
        end -= 1;
    }
    let before = |back: usize| start.checked_sub(back).and_then(|place| text.get(place)).copied().unwrap_or(b' ');
    // `Chrome/156.0.0.0` is a version, `//10.0.0.1` is none.
    let version = before(1) == b'/' && before(2).is_ascii_alphanumeric();
    let inside = before(1).is_ascii_alphanumeric() || text.get(end).is_some_and(u8::is_ascii_alphabetic);
    if version || inside || end - start < 7 {
        return None;
    }
    let address: Ipv4Addr = std::str::from_utf8(&text[start..end]).ok()?.parse().ok()?;
    is_telling(address.into()).then_some(Gap { start, end, kind: GapKind::Address })
}

fn version_6(text: &[u8], at: usize, from: usize) -> Option<Gap> {
    // The next colon of an address is four digits away at most; most colons end here.
    let digits = text[at + 1..].iter().take(5).take_while(|byte| byte.is_ascii_hexdigit()).count();
    if digits > 4 || text.get(at + 1 + digits) != Some(&b':') {
        return None;
    }
    let (start, mut end) = run(text, at, from, |byte| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.'))?;
    let colons = memchr::memchr_iter(b':', &text[start..end]).count();
    if colons < 2 || start > 0 && text[start - 1].is_ascii_alphanumeric() {
        return None;
    }
    while end > start && text[end - 1] == b'.' {
        end -= 1;
    }
    let parse = |end: usize| std::str::from_utf8(&text[start..end]).ok()?.parse::<Ipv6Addr>().ok();
    // `::1:` at the end of a phrase.
    let (address, end) = match parse(end) {
        Some(address) => (address, end),
        None if text[end - 1] == b':' => (parse(end - 1)?, end - 1),
        None => return None,
    };
    let behind = text.get(end).is_some_and(u8::is_ascii_alphanumeric);
    (!behind && is_telling(address.into())).then_some(Gap { start, end, kind: GapKind::Address })
}

/// Addresses of the machine itself say that a proxy stands in front, and nothing of anybody.
fn is_telling(address: IpAddr) -> bool {
    let address = match address {
        IpAddr::V6(six) => six.to_ipv4_mapped().map_or(address, IpAddr::V4),
        four => four,
    };
    !address.is_loopback() && !address.is_unspecified()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn without(text: &str, named: &[&str]) -> String {
        let named = named.iter().map(|id| id.as_bytes().to_vec()).collect();
        let mut found = Vec::new();
        gaps(text.as_bytes(), 0, &named, &mut found);
        let mut out = Vec::new();
        Names::default().fill(text.as_bytes(), (0, text.len()), &found, &mut out);
        String::from_utf8(out).unwrap()
    }

    #[test]
    fn ids_of_others_are_replaced_and_those_of_the_capture_are_kept() {
        for (text, wanted) in [
            ("{@bob:h.org} asked", "{@user-1:pseudonym.invalid} asked"),
            ("{@alice:h} and @alice:h.", "{@alice:h} and @alice:h."),
            ("@alice:h:DEVICE,@bob:h:8448:DEV", "@alice:h:DEVICE,@user-1:pseudonym.invalid:DEV"),
            ("@alice:h2 @alice:h", "@user-1:pseudonym.invalid @alice:h"),
            (
                "/profile/%40bob%3Ah.org/x %40bob%3ah.org @bob:h.org",
                "/profile/%40user-1%3Apseudonym.invalid/x %40user-1%3Apseudonym.invalid @user-1:pseudonym.invalid",
            ),
            ("/profile/%40alice%3Ah/x /%40alice:h", "/profile/%40alice%3Ah/x /%40alice:h"),
            ("'@a_b=c/d.e:[2001:db8::1]:8448'", "'@user-1:pseudonym.invalid'"),
            ("mail me@example.org: now", "mail me@example.org: now"),
            ("@ @: @x: @x", "@ @: @x: @x"),
        ] {
            assert_eq!(without(text, &["@alice:h"]), wanted);
        }
    }

    #[test]
    fn addresses_are_replaced_and_versions_and_times_stay() {
        for (text, wanted) in [
            ("10.1.2.3 - 8008 - {None}", "address-1 - 8008 - {None}"),
            ("::ffff:10.1.2.3 - 8008", "address-1 - 8008"),
            ("2001:db8::17 - 8008, 10.1.2.3, 10.1.2.3:443", "address-1 - 8008, address-2, address-2:443"),
            ("fe80:0:0:0:1:2:3:4", "address-1"),
            ("127.0.0.1 ::1 0.0.0.0 ::ffff:127.0.0.1", "127.0.0.1 ::1 0.0.0.0 ::ffff:127.0.0.1"),
            ("HeadlessChrome/156.0.0.0 Safari/537.36", "HeadlessChrome/156.0.0.0 Safari/537.36"),
            ("08:36:03,872 12:34:56", "08:36:03,872 12:34:56"),
            ("http://10.1.2.3/x", "http://address-1/x"),
            ("s1_2.3.4 1.2.3 1.2.3.4.5 300.1.2.3", "s1_2.3.4 1.2.3 1.2.3.4.5 300.1.2.3"),
            ("a::b std::x {'a':'b'}", "address-1 std::x {'a':'b'}"),
            ("from 10.1.2.3.", "from address-1."),
        ] {
            assert_eq!(without(text, &[]), wanted);
        }
    }

    #[test]
    fn a_pseudonym_is_the_same_everywhere() {
        let mut names = Names::default();
        let mut fill = |text: &str| {
            let mut found = Vec::new();
            gaps(text.as_bytes(), 0, &HashSet::new(), &mut found);
            let mut out = Vec::new();
            names.fill(text.as_bytes(), (0, text.len()), &found, &mut out);
            String::from_utf8(out).unwrap()
        };
        assert_eq!(fill("@a:h 10.0.0.1 @b:h"), "@user-1:pseudonym.invalid address-1 @user-2:pseudonym.invalid");
        assert_eq!(fill("@b:h %40a%3Ah"), "@user-2:pseudonym.invalid %40user-1%3Apseudonym.invalid");
    }
}

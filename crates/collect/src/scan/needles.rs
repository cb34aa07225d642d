//! All patterns at once: what a line must hold to be looked at.

use std::collections::{BTreeSet, HashSet};
use std::sync::Arc;

use aho_corasick::{AhoCorasick, Span, packed};
use crypto_diag_server_log::synapse::{ACCESS_WORDS, LEDGER_WORDS, REPLICATION_WORDS, START_WORDS};
use crypto_diag_server_log::{LOST_WORDS, media_words};

use crate::ids::Ids;

/// Bytes of an id that is searched for at least. Shorter ones stand in every other line, and prove nothing there.
pub const NEEDLE_BYTES_MIN: usize = 4;

/// From here on the opaque part of an id is searched for alone, which finds it however a URI encodes what is around it.
const OPAQUE_BYTES_MIN: usize = 12;

/// Patterns that begin so are searched for behind it, since every other line of a log holds it.
const COMMON: [&str; 2] = ["synapse.", "/_synapse/"];

/// What a pattern stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// An id: the line is kept.
    Id,
    /// The beginning of a user id in a URI, if it is one of ours.
    EncodedUser,
    /// A request id: only as the line's own.
    Request,
    /// An access line that names no user: if a HAR has the request.
    Unnamed,
    /// A server process started, or says its version or its name.
    Start,
    /// A process talks to others: the first line behind its start is kept, so that nobody takes it for the whole server.
    Replication,
    /// Who joined which room of an SFU, or got a token for it, or none: kept, whoever it is, since a line that is missing would look
    /// like a member who was not there.
    Media,
    /// A line of which a cut or a journal left nothing to tell whose it is: kept, so that nothing follows from its absence.
    Lost,
}

/// The patterns, and a searcher for all of them.
#[derive(Debug)]
pub(crate) struct Needles {
    searcher: Searcher,
    patterns: Vec<Pattern>,
    /// Users that are named, to be kept and not replaced.
    pub users: HashSet<Vec<u8>>,
    /// Request ids that were given by hand.
    pub requests: BTreeSet<String>,
    /// The requests of the HARs, by `request_key`.
    pub wanted: Option<Arc<HashSet<u64>>>,
    /// Ids that are too short to be searched for.
    pub refused: Vec<String>,
}

#[derive(Debug)]
enum Searcher {
    /// SIMD, for up to some dozens of patterns.
    Packed(packed::Searcher),
    Automaton(AhoCorasick),
}

/// What is searched for. The searcher looks for the first bytes of each pattern, so those should be rare.
#[derive(Debug)]
struct Pattern {
    text: String,
    /// Bytes at its beginning that are compared only where the rest was found.
    common: usize,
    sought: Sought,
}

impl Pattern {
    fn new(text: String, sought: Sought) -> Pattern {
        // Ids of one-time keys are small numbers, and begin with many an `A`.
        let first = text.bytes().next().unwrap_or_default();
        let repeated = text.bytes().take_while(|byte| *byte == first).count().saturating_sub(1);
        let common = COMMON.iter().find(|common| text.starts_with(**common)).map_or(repeated, |common| common.len());
        let common = common.min(text.len().saturating_sub(NEEDLE_BYTES_MIN));
        Pattern { common: if text.is_char_boundary(common) { common } else { 0 }, text, sought }
    }

    fn rare(&self) -> &[u8] {
        &self.text.as_bytes()[self.common..]
    }

    /// Where the pattern begins whose rare part begins at a place.
    fn start(&self, text: &[u8], rare: usize) -> Option<usize> {
        text[..rare].ends_with(&self.text.as_bytes()[..self.common]).then(|| rare - self.common)
    }
}

/// An occurrence.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Occurrence {
    pub sought: Sought,
    pub start: usize,
    /// Where the search for the next one begins.
    pub next: usize,
}

impl Needles {
    /// Patterns for those ids. `wanted`: the requests of HARs.
    pub fn new(ids: &Ids, wanted: Option<Arc<HashSet<u64>>>) -> Needles {
        let mut texts: BTreeSet<String> = BTreeSet::new();
        let mut refused = Vec::new();
        {
            let mut put = |text: &str| {
                if text.len() >= NEEDLE_BYTES_MIN {
                    texts.insert(text.to_owned());
                } else {
                    refused.push(text.to_owned());
                }
            };
            ids.users.iter().for_each(|id| put(id));
            ids.devices.iter().for_each(|(_, device)| put(device));
            ids.key_ids.iter().chain(&ids.one_time_keys).for_each(|id| put(id));
            ids.event_ids.iter().for_each(|id| put(opaque(id)));
            ids.room_ids.iter().for_each(|id| put(opaque(id)));
            ids.delay_ids.iter().chain(&ids.message_ids).chain(&ids.transaction_ids).for_each(|id| put(id));
        }
        // What holds another pattern is found by that one.
        let plain: Vec<String> = texts
            .iter()
            .filter(|text| !texts.iter().any(|other| other != *text && text.contains(other.as_str())))
            .cloned()
            .collect();
        let mut patterns: Vec<(String, Sought)> = plain.into_iter().map(|text| (text, Sought::Id)).collect();
        patterns.extend(START_WORDS.map(|words| (words.to_owned(), Sought::Start)));
        patterns.extend(REPLICATION_WORDS.map(|words| (words.to_owned(), Sought::Replication)));
        patterns.extend(LEDGER_WORDS.map(|words| (words.to_owned(), Sought::Lost)));
        patterns.extend(media_words().map(|words| (words.to_owned(), Sought::Media)));
        patterns.extend(LOST_WORDS.map(|words| (words.to_owned(), Sought::Lost)));
        let encoded: BTreeSet<String> = ids.users.iter().map(|user| encoded_beginning(user)).collect();
        patterns.extend(encoded.into_iter().map(|beginning| (beginning, Sought::EncodedUser)));
        if wanted.is_some() {
            patterns.push((format!("{{None{ACCESS_WORDS}"), Sought::Unnamed));
        }
        patterns.extend(ids.request_ids.iter().filter(|id| !id.is_empty()).map(|id| (id.clone(), Sought::Request)));
        let patterns: Vec<Pattern> = patterns.into_iter().map(|(text, sought)| Pattern::new(text, sought)).collect();
        Needles {
            searcher: Searcher::new(patterns.iter().map(Pattern::rare)),
            patterns,
            users: ids.users.iter().map(|user| user.clone().into_bytes()).collect(),
            requests: ids.request_ids.clone(),
            wanted,
            refused,
        }
    }

    /// The first occurrence from a place on, by the rare parts of the patterns.
    #[inline]
    pub fn find(&self, text: &[u8], at: usize) -> Option<Occurrence> {
        let mut next = at;
        loop {
            let (pattern, rare) = self.searcher.find(text, next)?;
            next = rare + 1;
            let found = &self.patterns[pattern];
            if let Some(start) = found.start(text, rare) {
                return Some(Occurrence { sought: found.sought, start, next });
            }
            // The searcher names one pattern of those whose rare parts begin here.
            let others = self.patterns.iter().filter(|other| text[rare..].starts_with(other.rare()));
            let mut found = others.filter_map(|other| Some((other.sought, other.start(text, rare)?)));
            if let Some((sought, start)) = found.next() {
                return Some(Occurrence { sought, start, next });
            }
        }
    }
}

impl Searcher {
    fn new<'a>(patterns: impl Iterator<Item = &'a [u8]> + Clone) -> Searcher {
        let mut builder = packed::Config::new().match_kind(packed::MatchKind::LeftmostFirst).builder();
        match builder.extend(patterns.clone()).build() {
            Some(searcher) => Searcher::Packed(searcher),
            None => Searcher::Automaton(
                AhoCorasick::builder()
                    .match_kind(aho_corasick::MatchKind::LeftmostFirst)
                    .build(patterns)
                    // It fails only where patterns have gigabytes; ids come from a report of a megabyte.
                    .unwrap_or_else(|error| panic!("the patterns are too many for a search: {error}")),
            ),
        }
    }

    /// A pattern's number, and where it was found.
    #[inline]
    fn find(&self, text: &[u8], at: usize) -> Option<(usize, usize)> {
        let span = Span { start: at, end: text.len() };
        let found = match self {
            Searcher::Packed(searcher) => searcher.find_in(text, span)?,
            Searcher::Automaton(automaton) => automaton.find(aho_corasick::Input::new(text).span(span))?,
        };
        Some((found.pattern().as_usize(), found.start()))
    }
}

/// How a user id begins in a URI: as far as no client encodes anything but the sigil (RFC 3986's unreserved characters).
fn encoded_beginning(user: &str) -> String {
    let localpart = user.trim_start_matches('@');
    let is_reserved = |char: char| !char.is_ascii_alphanumeric() && !matches!(char, '-' | '.' | '_' | '~');
    format!("%40{}", &localpart[..localpart.find(is_reserved).unwrap_or(localpart.len())])
}

/// An event's or a room's id without sigil and server name, where enough is left.
fn opaque(id: &str) -> &str {
    let bare = id.trim_start_matches(['$', '!']);
    let bare = bare.split_once(':').map_or(bare, |(opaque, _)| opaque);
    let plain = bare.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_'));
    if bare.len() >= OPAQUE_BYTES_MIN && plain { bare } else { id }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn needles(ids: &[&str]) -> Needles {
        Needles::new(&Ids { users: ids.iter().map(|id| (*id).to_owned()).collect(), ..Ids::default() }, None)
    }

    #[test]
    fn few_and_many_patterns_find_the_same() {
        let names: Vec<String> = (0..500).map(|n| format!("@user{n:03}:h")).collect();
        let many = needles(&names.iter().map(String::as_str).collect::<Vec<_>>());
        let few = needles(&["@user007:h"]);
        assert!(matches!(many.searcher, Searcher::Automaton(_)) && matches!(few.searcher, Searcher::Packed(_)));
        let text = format!("{}@user007:h", "x".repeat(100));
        for needles in [few, many] {
            let found = needles.find(text.as_bytes(), 3).unwrap();
            assert_eq!((found.start, found.sought), (100, Sought::Id));
            assert!(needles.find(text.as_bytes(), 101).is_none());
        }
    }

    #[test]
    fn a_pattern_with_a_common_beginning_is_found_where_all_of_it_stands() {
        let ids = Ids {
            key_ids: ["AAAAAAAAAMg".to_owned(), "AAMgxyz".to_owned(), "AAAA".to_owned()].into(),
            ..Ids::default()
        };
        let needles = Needles::new(&ids, None);
        let found = |text: &str| {
            let mut found = Vec::new();
            let mut at = 0;
            while let Some(occurrence) = needles.find(text.as_bytes(), at) {
                found.push((occurrence.sought, occurrence.start));
                at = occurrence.next;
            }
            found
        };
        let ids = Needles::new(
            &Ids { key_ids: ["AAAAAAAAAMg".to_owned(), "AAMgxyz".to_owned()].into(), ..Ids::default() },
            None,
        );
        assert_eq!(ids.patterns.iter().filter(|pattern| pattern.sought == Sought::Id).count(), 2);
        let first = |text: &str| ids.find(text.as_bytes(), 0).map(|found| (found.sought, found.start));
        assert_eq!(first("x AAAAAAAAAMg"), Some((Sought::Id, 2)));
        assert_eq!(first("x AAAAAAAAMg BAAAAAAAAAMg"), Some((Sought::Id, 14)), "one A is missing in the first");
        assert_eq!(first("x AAMgxyz"), Some((Sought::Id, 2)), "what begins like the end of another one is found, too");
        assert_eq!(found("AAAAA"), [(Sought::Id, 0), (Sought::Id, 1)]);
        assert_eq!(found("a.replication.b"), []);
        assert_eq!(
            found("synapse.replication.tcp /_synapse/replication/x"),
            [(Sought::Replication, 0), (Sought::Replication, 24)]
        );
    }

    #[test]
    fn ids_are_found_however_a_uri_encodes_them() {
        assert_eq!(
            opaque("$Y6ndSkxv1TbXhKq0bJpOQ0EjlXxVd2mB9xZtn5cRrEs"),
            "Y6ndSkxv1TbXhKq0bJpOQ0EjlXxVd2mB9xZtn5cRrEs"
        );
        assert_eq!(opaque("!mcvQkMpfsogPWQAuqq:localhost"), "mcvQkMpfsogPWQAuqq");
        assert_eq!(opaque("!short:localhost"), "!short:localhost");
    }

    #[test]
    fn a_user_is_found_however_a_uri_encodes_its_id() {
        for (user, encoded) in [
            ("@alice:h", "%40alice%3Ah"),
            ("@alice:h", "%40alice%3ah"),
            ("@alice:h", "%40alice:h"),
            ("@a=b/c+d:h", "%40a%3Db%2Fc%2Bd%3Ah"),
            ("@a=b/c+d:h", "%40a=b%2Fc+d:h"),
            ("@=:h", "%40%3D%3Ah"),
        ] {
            let text = format!("GET /user/%40somebody%3Ah/{encoded}/filter");
            let found = needles(&[user]).find(text.as_bytes(), 13).map(|found| (found.start, found.sought));
            assert_eq!(found, Some((26, Sought::EncodedUser)), "{encoded}");
        }
    }

    #[test]
    fn an_id_that_is_too_short_is_refused_and_said() {
        assert_eq!(needles(&["@a", "@alice:h"]).refused, ["@a"]);
    }
}

//! The page's prefilter: the fewest, cheapest words such that each needle of the table holds one.
//!
//! Every line of every page is searched for each of these words, and a line that holds one also for the needles behind it. So a
//! word has a price, measured on lines that real clients print, and the cheapest set is sought here, at each build: a new needle
//! costs nobody a thought about which word it could share.

use std::collections::BTreeMap;

/// Bytes of a word: shorter ones stand in every line, longer ones let nothing less pass.
const WORD: std::ops::RangeInclusive<usize> = 3..=8;
/// What one search costs, however short the line, in nanoseconds: as measured in Firefox; see docs/bench/notes.md.
const SEARCH: f64 = 20.0;
/// What each place costs where the word's first letter stands, measured in Chromium: engines look for that one first.
const PLACE: f64 = 15.0;
/// What it costs to look for one needle behind a gate.
const NEEDLE: f64 = 25.0;
/// The length of line that prices are for.
const LINE: f64 = 200.0;
/// Tries of the search. It stops to find better ones after some hundreds.
const TRIES: u32 = 4_000;

/// A word, and the needles that are looked for where it stands.
#[derive(Clone, Debug, PartialEq)]
pub struct Gate {
    /// The word.
    pub word: &'static str,
    /// Each needle of the table is behind one gate only.
    pub needles: Vec<&'static str>,
}

/// A word with the needles that hold it, as bits.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    word: &'static str,
    holds: u128,
    price: f64,
}

/// The cheapest set that the search finds, the same for the same input.
///
/// # Panics
///
/// If there are more than 128 needles.
pub fn cheapest(needles: &[&'static str], quiet: &[String]) -> Vec<Gate> {
    let candidates = candidates(needles, quiet);
    let all = u128::MAX >> (128 - needles.len());
    let mut random = Random(1);
    let mut best = cover(&[], all, &candidates, &mut random);
    for _ in 0..TRIES {
        // Some of the best set stay, the rest is chosen anew.
        let kept: Vec<_> = best.iter().copied().filter(|_| random.below(2) == 0).collect();
        let other = cover(&kept, all, &candidates, &mut random);
        if price(&other) < price(&best) {
            best = other;
        }
    }
    best.sort_by_key(|one| one.word);
    gates(&best, needles)
}

fn price(set: &[Candidate]) -> f64 {
    set.iter().map(|one| one.price).sum()
}

/// Every word of the needles; of those that the same needles hold only the cheapest.
fn candidates(needles: &[&'static str], quiet: &[String]) -> Vec<Candidate> {
    let letters = letters(quiet);
    let mut cheapest: BTreeMap<u128, Candidate> = BTreeMap::new();
    for needle in needles {
        for (from, size) in (0..needle.len()).flat_map(|from| WORD.map(move |size| (from, size))) {
            let Some(word) = needle.get(from..from + size) else { continue };
            let holds = needles.iter().enumerate().filter(|(_, other)| other.contains(word));
            let holds = holds.fold(0_u128, |bits, (at, _)| bits | 1 << at);
            let standing = quiet.iter().filter(|line| line.contains(word)).count() as f64 / quiet.len().max(1) as f64;
            // Few consoles are recorded: other texts hold a word as often as its letters make likely.
            let likely = word.bytes().fold(LINE, |product, byte| product * letters[usize::from(byte)]);
            let behind = f64::from(holds.count_ones());
            let price = SEARCH
                + PLACE * LINE * letters[usize::from(word.as_bytes()[0])]
                + standing.max(likely) * behind * NEEDLE;
            let one = Candidate { word, holds, price };
            let known = cheapest.entry(holds).or_insert(one);
            if (price, word) < (known.price, known.word) {
                *known = one;
            }
        }
    }
    let all: Vec<_> = cheapest.into_values().collect();
    let beaten = |one: &Candidate| {
        all.iter().any(|by| by.price <= one.price && by.holds != one.holds && by.holds & one.holds == one.holds)
    };
    all.iter().filter(|one| !beaten(one)).copied().collect()
}

/// How often each byte stands on the lines, as a part of one.
fn letters(quiet: &[String]) -> [f64; 256] {
    let mut counts = [0.0; 256];
    let total = quiet.iter().map(String::len).sum::<usize>().max(1) as f64;
    for byte in quiet.iter().flat_map(|line| line.bytes()) {
        counts[usize::from(byte)] += 1.0 / total;
    }
    counts
}

/// A set that covers all needles: what is `kept`, then whatever covers most for its price, with some chance in it.
fn cover(kept: &[Candidate], all: u128, candidates: &[Candidate], random: &mut Random) -> Vec<Candidate> {
    let mut set = kept.to_vec();
    let mut left = set.iter().fold(all, |left, one| left & !one.holds);
    while left != 0 {
        let mut best: Option<(f64, &Candidate)> = None;
        for one in candidates.iter().filter(|one| one.holds & left != 0) {
            let chance = 1.0 + f64::from(random.below(100)) / 250.0;
            let rate = chance * one.price / f64::from((one.holds & left).count_ones());
            if best.is_none_or(|(least, _)| rate < least) {
                best = Some((rate, one));
            }
        }
        let (_, one) = best.expect("each needle holds words of its own");
        set.push(*one);
        left &= !one.holds;
    }
    // The dearest first: what the others cover without it can go.
    set.sort_by(|a, b| b.price.total_cmp(&a.price));
    let mut at = 0;
    while at < set.len() {
        let others =
            set.iter().enumerate().filter(|(other, _)| *other != at).fold(0, |bits, (_, one)| bits | one.holds);
        if others == all {
            set.remove(at);
        } else {
            at += 1;
        }
    }
    set
}

/// Puts each needle behind the gate that fewest others are behind.
fn gates(set: &[Candidate], needles: &[&'static str]) -> Vec<Gate> {
    let mut gates: Vec<_> = set.iter().map(|one| Gate { word: one.word, needles: Vec::new() }).collect();
    for needle in needles {
        let fitting = gates.iter_mut().filter(|gate| needle.contains(gate.word));
        let gate = fitting.min_by_key(|gate| gate.needles.len()).expect("the set covers every needle");
        gate.needles.push(needle);
    }
    gates
}

/// A linear congruential generator: the same set at each build.
struct Random(u64);

impl Random {
    fn below(&mut self, bound: u32) -> u32 {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as u32 % bound
    }
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::{SIGNATURES, classify};

    use super::*;

    fn needles() -> Vec<&'static str> {
        SIGNATURES.iter().map(|row| row.needle).collect()
    }

    fn passes(gates: &[Gate], line: &str) -> bool {
        gates.iter().any(|gate| line.contains(gate.word) && gate.needles.iter().any(|needle| line.contains(needle)))
    }

    #[test]
    fn every_needle_is_behind_one_gate_that_it_holds() {
        let gates = cheapest(&needles(), &[]);
        let mut behind: Vec<_> = gates.iter().flat_map(|gate| gate.needles.clone()).collect();
        assert!(gates.iter().all(|gate| gate.needles.iter().all(|needle| needle.contains(gate.word))), "{gates:?}");
        behind.sort_unstable();
        let mut all = needles();
        all.sort_unstable();
        assert_eq!(behind, all);
    }

    #[test]
    fn what_passes_is_what_the_table_knows() {
        let gates = cheapest(&needles(), &[]);
        for row in SIGNATURES {
            for line in [format!("before {} after", row.needle), row.needle[1..].to_owned(), row.needle.to_uppercase()]
            {
                assert_eq!(passes(&gates, &line), classify(&line).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn a_word_that_stands_on_quiet_lines_is_avoided() {
        let quiet = vec!["key key key".to_owned()];
        let gates = cheapest(&["a key that is missing", "no key found"], &quiet);
        assert!(gates.iter().all(|gate| !quiet[0].contains(gate.word)), "{gates:?}");
    }

    #[test]
    fn the_same_table_gives_the_same_gates() {
        assert_eq!(cheapest(&needles(), &[]), cheapest(&needles(), &[]));
    }
}

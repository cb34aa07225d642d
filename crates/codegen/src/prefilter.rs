//! The page's prefilter: the cheapest set of short words, called *prefilter literals*, such that each needle of the table contains one.
//!
//! The page searches every console line for each literal. If a literal is found, the page also searches the line for the needles that
//! contain it. So a literal has a price: the nanoseconds that it adds to a line, estimated from lines that real clients print. Each build
//! looks for the cheapest set anew, so whoever adds a needle need not choose a literal for it.

use std::collections::BTreeMap;

/// Lengths of a literal in bytes. Shorter words stand in nearly every line; longer ones cost the same and let no fewer lines pass.
const LITERAL: std::ops::RangeInclusive<usize> = 3..=8;
/// Nanoseconds that one search costs, however short the line; measured in Firefox, see docs/bench/notes.md.
const SEARCH: f64 = 20.0;
/// Nanoseconds for each place in the line where the literal's first letter stands, since engines look for that letter first; measured in
/// Chromium.
const PLACE: f64 = 15.0;
/// Nanoseconds that the search for one needle costs, once its literal was found.
const NEEDLE: f64 = 25.0;
/// Prices are for a line of this many characters.
const LINE: f64 = 200.0;
/// How many random changes of the best set are tried. After some hundreds the search finds no better one.
const TRIES: u32 = 4_000;

/// A prefilter literal, and the needles that a line is searched for if it contains the literal.
#[derive(Clone, Debug, PartialEq)]
pub struct PrefilterLiteral {
    /// The literal.
    pub literal: &'static str,
    /// The needles. Each needle of the table belongs to exactly one literal.
    pub needles: Vec<&'static str>,
}

/// A word that could be a literal.
#[derive(Clone, Copy, Debug)]
struct Candidate {
    word: &'static str,
    /// Which needles contain the word: bit `n` stands for needle `n`.
    holds: u128,
    /// Nanoseconds for a line of [`LINE`] characters.
    price: f64,
}

/// The cheapest set of literals that a random search finds. The same input gives the same set.
///
/// `quiet`: lines that real clients print and that match nothing, by which prices are estimated.
///
/// # Panics
///
/// If there are more than 128 needles.
pub fn cheapest(needles: &[&'static str], quiet: &[String]) -> Vec<PrefilterLiteral> {
    let candidates = candidates(needles, quiet);
    let all = u128::MAX >> (128 - needles.len());
    let mut random = Random(1);
    let mut best = cover(&[], all, &candidates, &mut random);
    for _ in 0..TRIES {
        // Keep about half of the best set, and choose the rest anew.
        let kept: Vec<_> = best.iter().copied().filter(|_| random.below(2) == 0).collect();
        let other = cover(&kept, all, &candidates, &mut random);
        if price(&other) < price(&best) {
            best = other;
        }
    }
    best.sort_by_key(|one| one.word);
    assign(&best, needles)
}

fn price(set: &[Candidate]) -> f64 {
    set.iter().map(|one| one.price).sum()
}

/// Every word of the needles. Where several words stand in the same needles, only the cheapest is a candidate.
fn candidates(needles: &[&'static str], quiet: &[String]) -> Vec<Candidate> {
    let letters = letters(quiet);
    let mut cheapest: BTreeMap<u128, Candidate> = BTreeMap::new();
    for needle in needles {
        for (from, size) in (0..needle.len()).flat_map(|from| LITERAL.map(move |size| (from, size))) {
            let Some(word) = needle.get(from..from + size) else { continue };
            let holds = needles.iter().enumerate().filter(|(_, other)| other.contains(word));
            let holds = holds.fold(0_u128, |bits, (at, _)| bits | 1 << at);
            let standing = quiet.iter().filter(|line| line.contains(word)).count() as f64 / quiet.len().max(1) as f64;
            // Few consoles are recorded. In other texts, a word is assumed to be as frequent as the frequencies of its letters suggest.
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

/// The share of each byte in all bytes of the lines, from 0 to 1.
fn letters(quiet: &[String]) -> [f64; 256] {
    let mut counts = [0.0; 256];
    let total = quiet.iter().map(String::len).sum::<usize>().max(1) as f64;
    for byte in quiet.iter().flat_map(|line| line.bytes()) {
        counts[usize::from(byte)] += 1.0 / total;
    }
    counts
}

/// A set that covers all needles. It begins with `kept`; then it takes the candidate with the lowest price for each needle that is not
/// covered yet, after each price was multiplied by a random factor.
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
    // Remove candidates whose needles the others cover, the most expensive first.
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

/// Gives each needle to a literal that it contains: where there are several, to the one with the fewest needles so far.
fn assign(set: &[Candidate], needles: &[&'static str]) -> Vec<PrefilterLiteral> {
    let mut literals: Vec<_> =
        set.iter().map(|one| PrefilterLiteral { literal: one.word, needles: Vec::new() }).collect();
    for needle in needles {
        let fitting = literals.iter_mut().filter(|one| needle.contains(one.literal));
        let fewest = fitting.min_by_key(|one| one.needles.len()).expect("the set covers every needle");
        fewest.needles.push(needle);
    }
    literals
}

/// A linear congruential generator with a fixed seed, so that each build finds the same set.
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

    fn passes(literals: &[PrefilterLiteral], line: &str) -> bool {
        literals.iter().any(|one| line.contains(one.literal) && one.needles.iter().any(|needle| line.contains(needle)))
    }

    #[test]
    fn every_needle_belongs_to_exactly_one_literal_and_contains_it() {
        let literals = cheapest(&needles(), &[]);
        let mut assigned: Vec<_> = literals.iter().flat_map(|one| one.needles.clone()).collect();
        assert!(
            literals.iter().all(|one| one.needles.iter().all(|needle| needle.contains(one.literal))),
            "{literals:?}"
        );
        assigned.sort_unstable();
        let mut all = needles();
        all.sort_unstable();
        assert_eq!(assigned, all);
    }

    #[test]
    fn a_line_passes_the_prefilter_exactly_if_it_matches_the_table() {
        let literals = cheapest(&needles(), &[]);
        for row in SIGNATURES {
            for line in [format!("before {} after", row.needle), row.needle[1..].to_owned(), row.needle.to_uppercase()]
            {
                assert_eq!(passes(&literals, &line), classify(&line).is_some(), "{line}");
            }
        }
    }

    #[test]
    fn a_word_of_lines_that_match_nothing_does_not_become_a_literal() {
        let quiet = vec!["key key key".to_owned()];
        let literals = cheapest(&["a key that is missing", "no key found"], &quiet);
        assert!(literals.iter().all(|one| !quiet[0].contains(one.literal)), "{literals:?}");
    }

    #[test]
    fn the_same_table_gives_the_same_literals() {
        assert_eq!(cheapest(&needles(), &[]), cheapest(&needles(), &[]));
    }
}

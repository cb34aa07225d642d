//! The one table of signatures: which words on a console stand for which family, what they say, and what they mean by
//! themselves.
//!
//! Everything else that needs the list comes out of it: the page's prefilter (crates/codegen), the documentation's table, what
//! analysis reads out of a line, and the tests of both. A new wording is a row in `table.rs`.

mod kind;
mod table;

use crate::entry::{Ke, Meaning};
use crate::text::{find, part, starts_with};

pub use kind::{Ke2Kind, Ke3By, Ke4Kind, Ke4Words, Kind, OlmKind};
pub use table::SIGNATURES;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The words that a line must contain, compared case-sensitively.
    pub needle: &'static str,
    /// The prefilter literal of [`classify`]: a part of the needle that is searched for first, since one search serves all rows that share
    /// the literal. Its first letter is rare on consoles. (The page's own prefilter has literals that crates/codegen chooses.)
    pub literal: &'static str,
    /// What the words say, and so the family that they stand for.
    pub kind: Kind,
    /// What a match means where no rule below applies.
    pub meaning: Meaning,
    /// Exceptions, first that applies wins.
    pub rules: &'static [Rule],
    /// A line as it is printed; empty in WebAssembly.
    pub example: &'static str,
    /// Who prints the line: project, file and the version it was read in; empty in WebAssembly.
    pub source: &'static str,
}

/// A meaning that applies to lines that hold one of some words and none of others.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The meaning.
    pub meaning: Meaning,
    /// At least one of these must stand in the line; empty: no demand.
    pub any: &'static [&'static str],
    /// None of these may stand in the line.
    pub none: &'static [&'static str],
}

impl Rule {
    fn applies(&self, line: &str) -> bool {
        let stands = |word: &&str| find(line, word).is_some();
        (self.any.is_empty() || self.any.iter().any(stands)) && !self.none.iter().any(stands)
    }
}

/// What the table says of a line.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The row that names the entry.
    pub signature: &'static Signature,
    /// What the line means by itself.
    pub meaning: Meaning,
    /// Where the needle starts, in bytes.
    pub at: usize,
}

/// Looks a line up in the table; `None` if no needle stands in it.
pub fn classify(line: &str) -> Option<Match> {
    let Found { row, meaning, at, .. } = look_up(line)?;
    Some(Match { signature: &SIGNATURES[row], meaning, at })
}

/// What is kept of a match.
pub(crate) struct Found {
    row: usize,
    pub needle: &'static str,
    pub ke: Ke,
    /// What the line means by itself.
    pub meaning: Meaning,
    at: usize,
}

/// Looks a line up in [`ROWS`], which is all that a page loads of the table.
///
/// It goes over the line once. Where the first letter of a literal stands, it compares the literal; where the literal stands, it compares
/// the needles that contain it. So a line without literals costs one look at each byte, however long the table grows.
pub(crate) fn look_up(line: &str) -> Option<Found> {
    let bytes = line.as_bytes();
    let mut best: Option<(Found, u8)> = None;
    for (at, byte) in bytes.iter().enumerate() {
        let mut literals = LITERALS_OF_BYTE[usize::from(*byte)];
        while literals != 0 {
            let literal = literals.trailing_zeros() as u8;
            literals &= literals - 1;
            if bytes[at..].starts_with(LITERALS[usize::from(literal)].as_bytes()) {
                let earlier = best.as_ref().map_or(SIGNATURES.len(), |(found, _)| found.row);
                best = first_row(bytes, at, literal, earlier).or(best);
            }
        }
    }
    let (mut found, rules) = best?;
    let rule = RULES.get(usize::from(rules)).and_then(|rules| rules.iter().find(|rule| rule.applies(line)));
    if let Some(rule) = rule {
        found.meaning = rule.meaning;
    }
    Some(found)
}

/// The first row among the first `rows` whose needle stands around the literal that was found at `at`, and the number of its rules.
fn first_row(line: &[u8], at: usize, literal: u8, rows: usize) -> Option<(Found, u8)> {
    let mut rest = ROWS.as_bytes();
    for row in 0..rows {
        let [of, place, class, rules, length, behind @ ..] = rest else { break };
        let (length, class) = (usize::from(*length), usize::from(*class));
        rest = behind.get(length..).unwrap_or_default();
        if *of != literal {
            continue;
        }
        let from = ROWS.len() - behind.len();
        let needle = part(ROWS, from, from + length);
        let at = at.wrapping_sub(usize::from(*place));
        if starts_with(line, at, needle.as_bytes()) {
            let (ke, meaning) = (Ke::ALL[class / Meaning::ALL.len()], Meaning::ALL[class % Meaning::ALL.len()]);
            return Some((Found { row, needle, ke, meaning, at }, *rules));
        }
    }
    None
}

/// Bytes of a row of [`ROWS`] in front of the needle: its literal, where that stands in the needle, its class, its rules, its length.
const HEADER: usize = 5;

/// The table in as few bytes as it needs: each needle behind numbers that are letters of ASCII.
const ROWS: &str = {
    const BYTES: [u8; ROWS_BYTES] = {
        let (mut bytes, mut at, mut row) = ([0; ROWS_BYTES], 0, 0);
        while row < SIGNATURES.len() {
            let Signature { needle, kind, meaning, .. } = SIGNATURES[row];
            let class = kind.ke() as usize * Meaning::ALL.len() + meaning as usize;
            let header = [literal_of(row), literal_in_needle(row), class, rules_of(row), needle.len()];
            let mut place = 0;
            while place < HEADER {
                assert!(header[place] < 0x80, "a number that is no letter of ASCII");
                bytes[at] = header[place] as u8;
                (at, place) = (at + 1, place + 1);
            }
            place = 0;
            while place < needle.len() {
                bytes[at] = needle.as_bytes()[place];
                (at, place) = (at + 1, place + 1);
            }
            row += 1;
        }
        bytes
    };
    match str::from_utf8(&BYTES) {
        Ok(text) => text,
        Err(_) => panic!("a needle is a text"),
    }
};

const ROWS_BYTES: usize = {
    let (mut bytes, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        bytes += HEADER + SIGNATURES[row].needle.len();
        row += 1;
    }
    bytes
};

/// The exceptions of the rows that have any, in the table's order.
const RULES: [&[Rule]; rules_of(SIGNATURES.len())] = {
    let mut rules = [SIGNATURES[0].rules; rules_of(SIGNATURES.len())];
    let mut row = 0;
    while row < SIGNATURES.len() {
        if !SIGNATURES[row].rules.is_empty() {
            rules[rules_of(row)] = SIGNATURES[row].rules;
        }
        row += 1;
    }
    rules
};

/// Where in [`RULES`] those of a row stand; behind the end where it has none.
const fn rules_of(row: usize) -> usize {
    let (mut count, mut earlier) = (0, 0);
    while earlier < SIGNATURES.len() {
        let counts = earlier < row || (row < SIGNATURES.len() && SIGNATURES[row].rules.is_empty());
        count += (counts && !SIGNATURES[earlier].rules.is_empty()) as usize;
        earlier += 1;
    }
    count
}

/// How many literals the table has.
const LITERAL_COUNT: usize = {
    let (mut count, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        count += (first_row_of_literal(row) == row) as usize;
        row += 1;
    }
    count
};

/// The literals, each once, in the table's order.
const LITERALS: [&str; LITERAL_COUNT] = {
    let mut literals = [""; LITERAL_COUNT];
    let (mut count, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        if first_row_of_literal(row) == row {
            literals[count] = SIGNATURES[row].literal;
            count += 1;
        }
        row += 1;
    }
    literals
};

/// The literal of a row, by its number in [`LITERALS`].
const fn literal_of(row: usize) -> usize {
    let (mut number, literal) = (0, SIGNATURES[row].literal);
    while !is_at(LITERALS[number], literal, 0) || LITERALS[number].len() != literal.len() {
        number += 1;
    }
    number
}

/// Where the literal first stands in the needle of a row. A needle without its literal does not compile.
const fn literal_in_needle(row: usize) -> usize {
    let mut place = 0;
    while !is_at(SIGNATURES[row].needle, SIGNATURES[row].literal, place) {
        place += 1;
    }
    place
}

/// For each byte, the literals that begin with it: bit `n` stands for literal `n` of [`LITERALS`].
const LITERALS_OF_BYTE: [u16; 256] = {
    let mut literals = [0; 256];
    let mut literal = 0;
    while literal < LITERAL_COUNT {
        literals[LITERALS[literal].as_bytes()[0] as usize] |= 1 << literal;
        literal += 1;
    }
    literals
};

/// The first row with the same literal.
const fn first_row_of_literal(row: usize) -> usize {
    let literal = SIGNATURES[row].literal;
    let mut first = 0;
    while SIGNATURES[first].literal.len() != literal.len() || !is_at(SIGNATURES[first].literal, literal, 0) {
        first += 1;
    }
    first
}

/// Whether a word stands at a place in a text.
const fn is_at(text: &str, word: &str, place: usize) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    assert!(place + word.len() <= text.len() || place == 0, "a needle does not hold its literal");
    let mut at = 0;
    while at < word.len() {
        if place + at >= text.len() || text[place + at] != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_literal_covers_another() {
        for literal in LITERALS {
            let covered = LITERALS.iter().any(|other| *other != literal && literal.contains(other));
            assert!(!covered, "{literal:?} costs an alternative and lets nothing more pass");
        }
    }

    #[test]
    fn a_literal_begins_with_a_letter_that_is_rare() {
        let first: Vec<char> = LITERALS.iter().filter_map(|literal| literal.chars().next()).collect();
        assert!(!first.iter().any(|letter| " etaoinshrdlcum".contains(*letter)), "{first:?}");
    }

    #[test]
    fn a_literal_has_three_letters_at_least() {
        assert!(LITERALS.iter().all(|literal| literal.len() >= 3), "{LITERALS:?}");
    }

    #[test]
    fn every_row_can_win() {
        for row in SIGNATURES {
            let winner = classify(row.needle).expect("a needle matches itself");
            assert_eq!(winner.signature.needle, row.needle, "an earlier row hides it");
        }
    }
}

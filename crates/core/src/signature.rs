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
    /// A part of the needle that [`classify`] looks for first; rows share one where they can. It begins with a letter that is
    /// rare on consoles.
    pub gate: &'static str,
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
/// One pass over the line: where the first letter of a gate stands, the gate is looked at, and where that stands, the
/// needles around it. So a line without gates costs one look at each byte, however long the table grows.
pub(crate) fn look_up(line: &str) -> Option<Found> {
    let bytes = line.as_bytes();
    let mut best: Option<(Found, u8)> = None;
    for (at, byte) in bytes.iter().enumerate() {
        let mut gates = GATES_OF_BYTE[usize::from(*byte)];
        while gates != 0 {
            let gate = gates.trailing_zeros() as u8;
            gates &= gates - 1;
            if bytes[at..].starts_with(GATES[usize::from(gate)].as_bytes()) {
                let earlier = best.as_ref().map_or(SIGNATURES.len(), |(found, _)| found.row);
                best = first_row(bytes, at, gate, earlier).or(best);
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

/// The first of so many rows whose needle stands around the gate at a place, and the number of its rules.
fn first_row(line: &[u8], at: usize, gate: u8, rows: usize) -> Option<(Found, u8)> {
    let mut rest = ROWS.as_bytes();
    for row in 0..rows {
        let [of, place, class, rules, length, behind @ ..] = rest else { break };
        let (length, class) = (usize::from(*length), usize::from(*class));
        rest = behind.get(length..).unwrap_or_default();
        if *of != gate {
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

/// Bytes of a row of [`ROWS`] in front of the needle: its gate, where that stands in the needle, its class, its rules, its length.
const HEADER: usize = 5;

/// The table in as few bytes as it needs: each needle behind numbers that are letters of ASCII.
const ROWS: &str = {
    const BYTES: [u8; ROWS_BYTES] = {
        let (mut bytes, mut at, mut row) = ([0; ROWS_BYTES], 0, 0);
        while row < SIGNATURES.len() {
            let Signature { needle, kind, meaning, .. } = SIGNATURES[row];
            let class = kind.ke() as usize * Meaning::ALL.len() + meaning as usize;
            let header = [gate_of(row), gate_in_needle(row), class, rules_of(row), needle.len()];
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

/// How many gates the table has.
const GATE_COUNT: usize = {
    let (mut count, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        count += (first_row_of_gate(row) == row) as usize;
        row += 1;
    }
    count
};

/// The gates, each once, in the table's order.
const GATES: [&str; GATE_COUNT] = {
    let mut gates = [""; GATE_COUNT];
    let (mut count, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        if first_row_of_gate(row) == row {
            gates[count] = SIGNATURES[row].gate;
            count += 1;
        }
        row += 1;
    }
    gates
};

/// The gate of a row, by its number in [`GATES`].
const fn gate_of(row: usize) -> usize {
    let (mut number, gate) = (0, SIGNATURES[row].gate);
    while !is_at(GATES[number], gate, 0) || GATES[number].len() != gate.len() {
        number += 1;
    }
    number
}

/// Where the gate first stands in the needle of a row. A needle without its gate does not compile.
const fn gate_in_needle(row: usize) -> usize {
    let mut place = 0;
    while !is_at(SIGNATURES[row].needle, SIGNATURES[row].gate, place) {
        place += 1;
    }
    place
}

/// The gates whose first letter a byte is, as bits.
const GATES_OF_BYTE: [u16; 256] = {
    let mut gates = [0; 256];
    let mut gate = 0;
    while gate < GATE_COUNT {
        gates[GATES[gate].as_bytes()[0] as usize] |= 1 << gate;
        gate += 1;
    }
    gates
};

/// The first row with the same gate.
const fn first_row_of_gate(row: usize) -> usize {
    let gate = SIGNATURES[row].gate;
    let mut first = 0;
    while SIGNATURES[first].gate.len() != gate.len() || !is_at(SIGNATURES[first].gate, gate, 0) {
        first += 1;
    }
    first
}

/// Whether a word stands at a place in a text.
const fn is_at(text: &str, word: &str, place: usize) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    assert!(place + word.len() <= text.len() || place == 0, "a needle does not hold its gate");
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
    fn no_gate_covers_another() {
        for gate in GATES {
            let covered = GATES.iter().any(|other| *other != gate && gate.contains(other));
            assert!(!covered, "{gate:?} costs an alternative and lets nothing more pass");
        }
    }

    #[test]
    fn a_gate_begins_with_a_letter_that_is_rare() {
        let first: Vec<char> = GATES.iter().filter_map(|gate| gate.chars().next()).collect();
        assert!(!first.iter().any(|letter| " etaoinshrdlcum".contains(*letter)), "{first:?}");
    }

    #[test]
    fn a_gate_says_something() {
        assert!(GATES.iter().all(|gate| gate.len() >= 3), "{GATES:?}");
    }

    #[test]
    fn every_row_can_win() {
        for row in SIGNATURES {
            let winner = classify(row.needle).expect("a needle matches itself");
            assert_eq!(winner.signature.needle, row.needle, "an earlier row hides it");
        }
    }
}

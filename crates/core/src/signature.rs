//! The one table of signatures: which words on a console stand for which family, what they say, and what they mean by
//! themselves.
//!
//! Everything else that needs the list comes out of it: the page's prefilter (crates/codegen), the documentation's table, what
//! analysis reads out of a line, and the tests of both. A new wording is a row in `table.rs`.

mod kind;
mod table;

use crate::entry::Meaning;
use crate::text::find;

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
///
/// One pass over the line: where the first letter of a gate stands, the gate is looked at, and where that stands, the
/// needles around it. So a line without gates costs one look at each byte, however long the table grows.
pub fn classify(line: &str) -> Option<Match> {
    let bytes = line.as_bytes();
    let mut best: Option<(usize, usize)> = None;
    for (at, byte) in bytes.iter().enumerate() {
        let mut gates = GATES_OF_BYTE[usize::from(*byte)];
        while gates != 0 {
            let gate = gates.trailing_zeros() as usize;
            gates &= gates - 1;
            if !bytes[at..].starts_with(GATES[gate].as_bytes()) {
                continue;
            }
            let earlier = best.map_or(SIGNATURES.len(), |(row, _)| row);
            let found = (0..earlier).filter(|row| GATE_OF_ROW[*row] == gate).find_map(|row| {
                let needle_at = at.checked_sub(GATE_IN_NEEDLE[row])?;
                bytes[needle_at..].starts_with(SIGNATURES[row].needle.as_bytes()).then_some((row, needle_at))
            });
            best = found.or(best);
        }
    }
    let (row, at) = best?;
    let signature = &SIGNATURES[row];
    let rule = signature.rules.iter().find(|rule| rule.applies(line));
    Some(Match { signature, meaning: rule.map_or(signature.meaning, |rule| rule.meaning), at })
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

/// The gate of each row, by its number in [`GATES`].
const GATE_OF_ROW: [usize; SIGNATURES.len()] = {
    let mut numbers = [0; SIGNATURES.len()];
    let mut row = 0;
    while row < SIGNATURES.len() {
        while !is_at(GATES[numbers[row]], SIGNATURES[row].gate, 0)
            || GATES[numbers[row]].len() != SIGNATURES[row].gate.len()
        {
            numbers[row] += 1;
        }
        row += 1;
    }
    numbers
};

/// Where the gate first stands in the needle of each row. A needle without its gate does not compile.
const GATE_IN_NEEDLE: [usize; SIGNATURES.len()] = {
    let mut places = [0; SIGNATURES.len()];
    let mut row = 0;
    while row < SIGNATURES.len() {
        while !is_at(SIGNATURES[row].needle, SIGNATURES[row].gate, places[row]) {
            places[row] += 1;
        }
        row += 1;
    }
    places
};

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

//! What went wrong while reading, with its place. Reading goes on: what can be read is used.

use std::fmt;

use crypto_diag_core::{Clean, showable};
use serde::Serialize;

/// Problems listed for one artefact at most; the rest is counted.
pub const PROBLEMS_MAX: usize = 50;

/// Where in an artefact something stands.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum Place {
    /// The artefact as a whole.
    Whole,
    /// A line of a text, counted from 1.
    Line(u64),
    /// A line and a column of a text, both counted from 1.
    LineColumn(u64, u64),
    /// An entry of a report or a HAR, counted from 0, as its JSON array has it.
    Entry(u64),
    /// A row of a query's result, counted from 1.
    Row {
        /// The query's name, or how the table is told apart where it has none.
        table: String,
        /// The row's number.
        row: u64,
    },
}

impl fmt::Display for Place {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Whole => f.write_str("whole file"),
            Place::Line(line) => write!(f, "line {line}"),
            Place::LineColumn(line, column) => write!(f, "line {line}, column {column}"),
            Place::Entry(entry) => write!(f, "entry {entry}"),
            Place::Row { table, row } => write!(f, "{table}, row {row}"),
        }
    }
}

/// One thing that could not be read as it should.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Problem {
    /// The artefact's name.
    pub artefact: Clean,
    /// Where.
    pub place: Place,
    /// What, and what became of it, in a sentence.
    pub what: Clean,
}

impl Problem {
    /// A problem. What it quotes of an artefact, and the artefact's name, are hostile and may hold a secret.
    pub fn new(artefact: &str, place: Place, what: &str) -> Self {
        let place = match place {
            Place::Row { table, row } => Place::Row { table: showable(&table), row },
            place => place,
        };
        Problem { artefact: Clean::new(artefact), place, what: showable(what).into() }
    }

    /// A problem of a whole file.
    pub fn whole(artefact: &str, what: &str) -> Self {
        Problem::new(artefact, Place::Whole, what)
    }
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}, {}: {}", self.artefact, self.place, self.what)
    }
}

/// The problems of one artefact: the first [`PROBLEMS_MAX`], and how many more.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Problems {
    artefact: String,
    list: Vec<Problem>,
    more: u64,
}

impl Problems {
    /// None so far.
    pub fn of(artefact: &str) -> Self {
        Problems { artefact: artefact.to_owned(), ..Problems::default() }
    }

    /// Notes one.
    pub fn add(&mut self, place: Place, what: impl Into<String>) {
        if self.list.len() < PROBLEMS_MAX {
            self.list.push(Problem::new(&self.artefact, place, &what.into()));
        } else {
            self.more += 1;
        }
    }

    /// Whether nothing went wrong.
    pub fn is_empty(&self) -> bool {
        self.list.is_empty()
    }

    /// The list, closed by a line that counts what is not listed.
    pub fn into_list(mut self) -> Vec<Problem> {
        if self.more > 0 {
            let what = format!("{} more problems of this file are not listed", self.more);
            self.list.push(Problem::whole(&self.artefact, &what));
        }
        self.list
    }
}

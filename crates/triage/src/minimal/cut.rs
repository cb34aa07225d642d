//! Takes an artefact apart into the pieces that can be left out, and writes it without some of them.

use std::borrow::Cow;
use std::ops::Range;

use crypto_diag_analysis::queries::ASKED;
use crypto_diag_server_log::{LogReader, is_loki_export, left_out_line};
use serde_json::Value;

use super::Unit;
use crate::artefact::{ArtefactKind, HEAD_BYTES};
use crate::problem::Place;
use crate::{har, query};

/// A file of a hand-off.
pub(super) struct Artefact<'f> {
    pub name: &'f str,
    pub bytes: &'f [u8],
    pieces: Pieces,
}

/// What can be left out of a file.
enum Pieces {
    /// Nothing: reports, consoles, and whatever is not written as `collect` writes it.
    None,
    /// Lines of a log, each with what continues it.
    Lines(Vec<Lines>),
    /// The entries of a HAR.
    Requests(Value),
    /// Rows of queries' results: the results, and the index of the result that each row belongs to.
    Rows(Vec<Value>, Vec<(usize, usize)>),
}

/// A line of a log with the lines that continue it, such as a traceback.
struct Lines {
    bytes: Range<usize>,
    /// The number of the first line, counted from 1.
    first: u64,
    count: u64,
}

impl<'f> Artefact<'f> {
    pub fn of(name: &'f str, bytes: &'f [u8]) -> Artefact<'f> {
        let head = &bytes[..bytes.len().min(HEAD_BYTES)];
        let pieces = match ArtefactKind::guess(name, head) {
            ArtefactKind::ServerLog if !is_loki_export(head) => Pieces::Lines(lines(bytes)),
            ArtefactKind::Har => serde_json::from_slice(bytes).map_or(Pieces::None, Pieces::Requests),
            ArtefactKind::QueryResults => serde_json::from_slice(bytes).map_or(Pieces::None, results),
            _ => Pieces::None,
        };
        Artefact { name, bytes, pieces }
    }

    /// How many pieces there are, each of which can be left out.
    pub fn len(&self) -> usize {
        match &self.pieces {
            Pieces::None => 0,
            Pieces::Lines(lines) => lines.len(),
            Pieces::Requests(har) => entries(har).len(),
            Pieces::Rows(_, rows) => rows.len(),
        }
    }

    /// What the record counts of this file; `None` where nothing can be left out.
    pub fn unit(&self) -> Option<Unit> {
        match &self.pieces {
            Pieces::None => None,
            Pieces::Lines(_) => Some(Unit::Lines),
            Pieces::Requests(_) => Some(Unit::Requests),
            Pieces::Rows(..) => Some(Unit::Rows),
        }
    }

    /// The first and the last unit of a piece, counted from 1.
    pub fn span(&self, piece: usize) -> (u64, u64) {
        match &self.pieces {
            Pieces::Lines(lines) => (lines[piece].first, lines[piece].first + lines[piece].count - 1),
            _ => (piece as u64 + 1, piece as u64 + 1),
        }
    }

    /// The pieces to which a place in the file belongs.
    pub fn at(&self, place: &Place) -> Vec<usize> {
        match (&self.pieces, place) {
            (Pieces::Lines(lines), Place::Line(line) | Place::LineColumn(line, _)) => {
                let behind = lines.partition_point(|piece| piece.first <= *line);
                behind.checked_sub(1).into_iter().collect()
            }
            (Pieces::Requests(har), Place::Entry(index)) => {
                let is_it = |(at, entry): &(usize, &Value)| entry["_index"].as_u64().unwrap_or(*at as u64) == *index;
                entries(har).iter().enumerate().filter(is_it).map(|(at, _)| at).collect()
            }
            (Pieces::Rows(results, rows), Place::Row { table, row }) => {
                let is_it = |(result, at): &(usize, usize)| {
                    results[*result]["name"].as_str() == Some(table) && *at as u64 + 1 == *row
                };
                (0..rows.len()).filter(|piece| is_it(&rows[*piece])).collect()
            }
            _ => Vec::new(),
        }
    }

    /// Writes the artefact with the kept pieces, and marks where others were. With `all_marked`, it has a mark wherever one can stand, even
    /// where nothing was left out.
    pub fn written(&self, kept: &[bool], all_marked: bool) -> Cow<'f, [u8]> {
        let left_out = kept.iter().filter(|kept| !**kept).count();
        if left_out == 0 && !all_marked {
            return Cow::Borrowed(self.bytes);
        }
        let count = left_out.max(1);
        let written = match &self.pieces {
            Pieces::None => return Cow::Borrowed(self.bytes),
            Pieces::Lines(lines) => return Cow::Owned(self.marked(lines, kept, all_marked)),
            Pieces::Requests(har) => {
                let mut har = har.clone();
                let mut at = 0;
                if let Some(entries) = har["log"]["entries"].as_array_mut() {
                    entries.retain(|_| {
                        at += 1;
                        kept[at - 1]
                    });
                }
                har["log"][har::LEFT_OUT] = count.into();
                serde_json::to_vec(&har)
            }
            Pieces::Rows(results, rows) => {
                let mut results = results.clone();
                for (number, result) in results.iter_mut().enumerate() {
                    let of_result: Vec<bool> =
                        rows.iter().zip(kept).filter(|((of, _), _)| *of == number).map(|(_, kept)| *kept).collect();
                    let left_out = of_result.iter().filter(|kept| !**kept).count();
                    if of_result.is_empty() || (left_out == 0 && !all_marked) {
                        continue;
                    }
                    let mut at = 0;
                    if let Some(rows) = result["rows"].as_array_mut() {
                        rows.retain(|_| {
                            at += 1;
                            of_result[at - 1]
                        });
                    }
                    result[query::LEFT_OUT] = left_out.max(1).into();
                }
                serde_json::to_vec_pretty(&results)
            }
        };
        Cow::Owned(written.map(|text| [text, b"\n".to_vec()].concat()).unwrap_or_default())
    }

    fn marked(&self, lines: &[Lines], kept: &[bool], all_marked: bool) -> Vec<u8> {
        let (mut out, mut left_out) = (Vec::new(), 0);
        let mark = |out: &mut Vec<u8>, left_out: &mut u64| {
            if *left_out > 0 || all_marked {
                out.extend_from_slice(left_out_line(*left_out).as_bytes());
                out.push(b'\n');
            }
            *left_out = 0;
        };
        for (piece, kept) in lines.iter().zip(kept) {
            if *kept {
                mark(&mut out, &mut left_out);
                out.extend_from_slice(&self.bytes[piece.bytes.clone()]);
                if out.last() != Some(&b'\n') {
                    out.push(b'\n');
                }
            } else {
                left_out += piece.count;
            }
        }
        mark(&mut out, &mut left_out);
        out
    }
}

fn lines(bytes: &[u8]) -> Vec<Lines> {
    let mut reader = LogReader::new(bytes);
    let mut starts: Vec<(usize, u64)> = Vec::new();
    // Reading from memory does not fail.
    while let Ok(Some(record)) = reader.next_record() {
        starts.push((usize::try_from(record.offset).unwrap_or(bytes.len()), record.line));
    }
    let end = (bytes.len(), reader.counts().lines + 1);
    let ends = starts.iter().skip(1).copied().chain([end]);
    let piece = |((from, first), (to, behind)): ((usize, u64), (usize, u64))| Lines {
        bytes: from..to,
        first,
        count: behind - first,
    };
    starts.iter().copied().zip(ends).map(piece).collect()
}

fn entries(har: &Value) -> &[Value] {
    har["log"]["entries"].as_array().map_or(&[], Vec::as_slice)
}

/// The rows that can be left out of results as `collect` writes them. Rows that a rule counts, as those of a device's inbox, all stay: with
/// fewer of them the count would be another one.
fn results(value: Value) -> Pieces {
    let Value::Array(results) = value else { return Pieces::None };
    let is_counted = |row: &Value| ["stream_id", "pending", ASKED].iter().any(|column| row.get(column).is_some());
    let mut rows = Vec::new();
    for (number, result) in results.iter().enumerate() {
        let own = result["rows"].as_array().map_or(&[][..], Vec::as_slice);
        if !own.iter().any(is_counted) {
            rows.extend((0..own.len()).map(|row| (number, row)));
        }
    }
    Pieces::Rows(results, rows)
}

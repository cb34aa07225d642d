//! What psql prints: `--csv`, aligned tables, and the expanded form.

use serde_json::Value;

use super::{ROWS_MAX, Row, Table};
use crate::problem::{Place, Problems};

/// The tables of a text; several may follow one another, with prompts and messages between.
pub(super) fn tables(text: &str, problems: &mut Problems) -> Vec<Table> {
    let lines: Vec<&str> = text.lines().collect();
    let mut tables = Vec::new();
    let mut at = 0;
    let mut any = false;
    while at < lines.len() {
        if lines.get(at + 1).is_some_and(|line| is_rule(line)) && !is_record(lines[at]) {
            let (table, end) = aligned(&lines, at, problems);
            tables.push(table);
            at = end;
            any = true;
        } else if is_record(lines[at]) {
            let (table, end) = expanded(&lines, at);
            tables.push(table);
            at = end;
            any = true;
        } else {
            if lines[at].starts_with("ERROR:") {
                problems.add(
                    Place::Line(at as u64 + 1),
                    format!("the database refused a query: {}", crate::quote::quote(lines[at])),
                );
                any = true;
            }
            at += 1;
        }
    }
    if !any { csv_tables(text, problems) } else { tables }
}

/// `----+-----`, under an aligned table's head.
fn is_rule(line: &str) -> bool {
    let line = line.trim();
    line.len() >= 2 && line.starts_with('-') && line.bytes().all(|byte| matches!(byte, b'-' | b'+'))
}

/// `-[ RECORD 1 ]----`.
fn is_record(line: &str) -> bool {
    line.trim_start().starts_with("-[ RECORD ")
}

/// Cells stand between the bars that the rule shows; a cell that is too wide moves them, so cells are split by bars
/// where that gives the right number, and by position else.
fn aligned(lines: &[&str], head: usize, problems: &mut Problems) -> (Table, usize) {
    let names: Vec<String> = lines[head].split('|').map(|name| name.trim().to_owned()).collect();
    let mut table = Table::default();
    let mut at = head + 2;
    while at < lines.len() {
        let line = lines[at];
        let ends =
            line.trim().is_empty() || (line.trim_start().starts_with('(') && line.trim_end().ends_with(" rows)"));
        if ends || line.trim() == "(1 row)" {
            break;
        }
        // Only the last column may hold a bar of its own: it is JSON in our queries.
        let cells: Vec<&str> = line.splitn(names.len(), '|').collect();
        if cells.len() == names.len() {
            let row = names.iter().zip(cells).map(|(name, cell)| (name.clone(), value(cell.trim()))).collect();
            push(&mut table, row);
        } else {
            problems.add(Place::Line(at as u64 + 1), "this row has too few columns; left out");
        }
        at += 1;
    }
    (table, at + 1)
}

fn expanded(lines: &[&str], start: usize) -> (Table, usize) {
    let mut table = Table::default();
    let mut row = Row::new();
    let mut at = start;
    while at < lines.len() {
        let line = lines[at];
        if is_record(line) {
            push(&mut table, std::mem::take(&mut row));
        } else if let Some((name, cell)) = line.split_once('|') {
            row.insert(name.trim().to_owned(), value(cell.trim()));
        } else {
            break;
        }
        at += 1;
    }
    push(&mut table, row);
    (table, at.max(start + 1))
}

fn csv_tables(text: &str, problems: &mut Problems) -> Vec<Table> {
    let mut reader = csv::ReaderBuilder::new().flexible(true).from_reader(text.as_bytes());
    let names: Vec<String> = match reader.headers() {
        Ok(names) => names.iter().map(|name| name.trim().to_owned()).collect(),
        Err(error) => {
            problems.add(Place::Whole, format!("neither JSON, nor psql's output, nor CSV: {error}"));
            return Vec::new();
        }
    };
    // A single word on a line is no table.
    if names.len() < 2 || !names.iter().all(|name| is_column(name)) {
        return Vec::new();
    }
    let mut table = Table::default();
    for (number, record) in reader.records().enumerate() {
        let place = || Place::Line(number as u64 + 2);
        match record {
            Ok(record) if record.len() == names.len() => {
                push(&mut table, names.iter().cloned().zip(record.iter().map(value)).collect());
            }
            Ok(record) => {
                let line = record.position().map_or(number as u64 + 2, csv::Position::line);
                problems.add(Place::Line(line), "this row has another number of columns than the head; left out");
            }
            Err(error) => problems.add(place(), format!("no CSV: {error}")),
        }
    }
    vec![table]
}

fn is_column(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'_' | b'?' | b' '))
}

fn push(table: &mut Table, row: Row) {
    if !row.is_empty() && table.rows.len() < ROWS_MAX {
        table.rows.push(row);
    }
}

/// An empty cell is null, as psql prints it.
fn value(cell: &str) -> Value {
    if cell.is_empty() { Value::Null } else { Value::String(cell.to_owned()) }
}

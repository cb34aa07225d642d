//! What a printed query says of itself. Its first column, `asked`, names it, when it ran, and what it asked about; its second,
//! `nothing`, is how the client shows that there is no value. There is one row at least, so that an answer without rows says
//! what it answers. `crypto_diag_analysis::queries` prints them so.

use crypto_diag_analysis::queries::{ASKED, NOTHING};
use serde_json::Value;

use super::{Row, Table};

/// A table by what its rows say was asked; each question its own table. One whose rows say nothing stays what it is.
pub(super) fn by_question(table: Table) -> Vec<Table> {
    if !table.rows.iter().any(|row| row.contains_key(ASKED)) {
        return vec![table];
    }
    let mut tables: Vec<(Value, Table)> = Vec::new();
    for mut row in unwrapped(table.rows) {
        let asked = row.remove(ASKED).unwrap_or_default();
        // Whatever stands for no value here stands for it everywhere in this row.
        if let Some(nothing) = row.remove(NOTHING).filter(|nothing| !nothing.is_null()) {
            row.values_mut().filter(|cell| **cell == nothing).for_each(|cell| *cell = Value::Null);
        }
        let at = match tables.iter().position(|(known, _)| *known == asked) {
            Some(at) => at,
            None => {
                let described = asked.as_str().and_then(description).unwrap_or_else(|| Table {
                    name: table.name.clone(),
                    at: table.at,
                    params: table.params.clone(),
                    ..Table::default()
                });
                tables.push((asked, described));
                tables.len() - 1
            }
        };
        tables[at].1.left_out = table.left_out;
        // The row that is there although the answer has none.
        if row.values().any(|cell| !cell.is_null()) {
            tables[at].1.rows.push(row);
        }
    }
    tables.into_iter().map(|(_, table)| table).collect()
}

/// Rows of which some were broken over several lines, as sqlite3 does with wide cells and psql's `wrapped` form: whatever does
/// not begin a description goes on with the row before.
fn unwrapped(rows: Vec<Row>) -> Vec<Row> {
    let mut whole: Vec<Row> = Vec::new();
    for row in rows {
        let begins = row.get(ASKED).and_then(Value::as_str).is_some_and(begins_description);
        match whole.last_mut() {
            Some(before) if !begins => {
                for (name, cell) in row {
                    let (Some(Value::String(known)), Value::String(more)) = (before.get_mut(&name), cell) else {
                        continue;
                    };
                    known.push_str(&more);
                }
            }
            _ => whole.push(row),
        }
    }
    whole
}

/// Whether a text begins as a description, whole or not.
pub(super) fn begins_description(text: &str) -> bool {
    let mut parts = text.splitn(3, ' ');
    parts.next().is_some()
        && parts.next().is_some_and(|at| at.parse::<i64>().is_ok())
        && parts.next().is_some_and(|params| params.starts_with('['))
}

/// `ke2-inbox 1795425900000 ["@alice:example.org", "DEVICE"]`.
fn description(asked: &str) -> Option<Table> {
    let mut parts = asked.trim().splitn(3, ' ');
    let (name, at, params) = (parts.next()?, parts.next()?, parts.next()?);
    let params: Vec<String> = serde_json::from_str(params).ok()?;
    Some(Table { name: Some(name.to_owned()), at: Some(at.parse().ok()?), params, described: true, ..Table::default() })
}

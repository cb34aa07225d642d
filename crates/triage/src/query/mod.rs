//! Query results: our bundle's JSON, and what database clients print or export, pasted by hand.
//!
//! What a query of ours prints says itself what was asked and when. Any other table is known by its columns. Columns that are
//! not known are left alone.

mod asked;
mod rows;
mod text;

use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::problem::{Place, Problem, Problems};
use crate::unpack::parse as parse_json;

pub use rows::{DeviceKeysRow, DeviceRow, EventRow, FallbackKeyRow, InboxRow, KeyCountRow, OneTimeKeyRow};

/// Bytes of one file of results that are read at most.
pub const RESULTS_BYTES_MAX: u64 = 64 << 20;

/// Rows of one kind that are kept at most.
pub const ROWS_MAX: usize = 100_000;

/// The field of a result that counts the rows which somebody left out on purpose.
pub(crate) const LEFT_OUT: &str = "leftOut";

/// One row: column to value. Numbers that a text form gave stay texts.
type Row = Map<String, Value>;

/// A table as it was read.
#[derive(Clone, Debug, Default)]
struct Table {
    /// The query's name, where the form has one.
    name: Option<String>,
    /// When it was asked, by the server's clock, in milliseconds since the epoch.
    at: Option<i64>,
    /// What it was asked about, where the form says so.
    params: Vec<String>,
    rows: Vec<Row>,
    /// How many rows somebody left out on purpose.
    left_out: u64,
    /// Whether its rows said what was asked.
    described: bool,
}

/// Everything that one file of results says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResults {
    /// The artefact's name.
    pub name: String,
    /// Rows of `e2e_one_time_keys_json`.
    pub one_time_keys: Vec<OneTimeKeyRow>,
    /// Users whose one-time keys were listed whole: `user_id`, and when. A device without rows has none left.
    pub one_time_keys_of: Vec<(String, Option<i64>)>,
    /// Rows of `e2e_fallback_keys_json`.
    pub fallback_keys: Vec<FallbackKeyRow>,
    /// Rows of `e2e_device_keys_json`.
    pub device_keys: Vec<DeviceKeysRow>,
    /// Rows of `devices`.
    pub devices: Vec<DeviceRow>,
    /// Users whose devices were listed whole: who is not in `devices` does not exist. `user_id`, and when.
    pub devices_of: Vec<(String, Option<i64>)>,
    /// Rows of `device_inbox`, single or counted.
    pub inbox: Vec<InboxRow>,
    /// Samples of the inbox: of whom, of which device if of one, and when. A sample without rows is an empty inbox.
    pub inbox_of: Vec<(String, Option<String>, Option<i64>)>,
    /// Stored events.
    pub events: Vec<EventRow>,
    /// How many one-time keys devices have left, where only the number was asked for.
    pub key_counts: Vec<KeyCountRow>,
    /// Answers that say themselves what was asked, with rows or without.
    pub answers: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl QueryResults {
    /// Reads a file of results, in whichever form.
    pub fn read(name: &str, input: impl Read) -> QueryResults {
        let mut results = QueryResults { name: name.to_owned(), ..QueryResults::default() };
        let mut problems = Problems::of(name);
        match text_of(input) {
            Ok((text, whole)) => {
                if !whole {
                    problems.add(Place::Whole, "only the first 64 MiB are read");
                }
                let tables = tables_of(&text, name, &mut problems);
                let tables: Vec<Table> = tables.into_iter().flat_map(asked::by_question).collect();
                let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
                for table in &tables {
                    rows::sort(table, &mut results, &mut problems);
                }
                results.answers = tables.iter().filter(|table| table.described).count() as u64;
                if tables.is_empty() && problems.is_empty() {
                    problems.add(Place::Whole, "no query result was found in it");
                } else if !tables.is_empty()
                    && rows == 0
                    && results.answers == 0
                    && results.inbox_of.is_empty()
                    && results.devices_of.is_empty()
                {
                    problems.add(Place::Whole, "its results have no rows, and nothing says which query they answer");
                }
                if results.inbox.iter().any(|row| row.at.is_none()) {
                    problems.add(
                        Place::Whole,
                        "nothing says when this inbox was read, so it cannot be told whether it drains: ask with the query as \
                         `crypto-diag queries` prints it, whose first column says so",
                    );
                }
            }
            Err(error) => problems.add(Place::Whole, format!("cannot be read: {error}")),
        }
        results.problems = problems.into_list();
        results
    }
}

/// Whether a file that begins so holds a table as database clients print it.
pub fn has_table(head: &[u8]) -> bool {
    text::begins_so(&String::from_utf8_lossy(head))
}

/// The text, and whether it is all of it. Bytes that are not UTF-8 are replaced.
fn text_of(input: impl Read) -> io::Result<(String, bool)> {
    let mut bytes = Vec::new();
    input.take(RESULTS_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let whole = bytes.len() as u64 <= RESULTS_BYTES_MAX;
    bytes.truncate(RESULTS_BYTES_MAX as usize);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), whole))
}

fn tables_of(text: &str, file: &str, problems: &mut Problems) -> Vec<Table> {
    let start = text.trim_start();
    if start.starts_with(['[', '{']) {
        match parse_json(text.as_bytes()) {
            Ok(value) => return json_tables(value, file),
            // A row a line, as a client prints what `row_to_json` gives.
            Err(_) if start.lines().nth(1).is_some_and(|line| line.starts_with('{')) => {
                let rows = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
                return json_tables(Value::Array(rows), file);
            }
            Err(error) => {
                let place = Place::LineColumn(error.line() as u64, error.column() as u64);
                problems.add(place, format!("this is not JSON from here on: {error}"));
                return Vec::new();
            }
        }
    }
    text::tables(text, problems)
}

/// `[{name, at, params, rows}]`, `{results: [the same]}`, `{name: [rows]}` or `[rows]`.
fn json_tables(value: Value, file: &str) -> Vec<Table> {
    match value {
        Value::Object(mut map) => match map.remove("results") {
            Some(results) => json_tables(results, file),
            None if map.get("rows").is_some_and(Value::is_array) => vec![named(map)],
            None => map
                .into_iter()
                .filter_map(|(name, rows)| {
                    let rows = rows.as_array()?;
                    Some(Table { name: Some(name), rows: objects(rows), ..Table::default() })
                })
                .collect(),
        },
        Value::Array(list) => {
            let is_named = |item: &Value| item.get("rows").is_some_and(Value::is_array);
            if list.iter().any(is_named) {
                let tables = list.into_iter().filter(is_named);
                return tables
                    .filter_map(|table| if let Value::Object(map) = table { Some(named(map)) } else { None })
                    .collect();
            }
            // `one_time_keys.json`: the file's name is the query's.
            let name = file.rsplit(['/', '\\']).next().and_then(|name| name.split('.').next()).map(str::to_owned);
            vec![Table { name, rows: objects(&list), ..Table::default() }]
        }
        _ => Vec::new(),
    }
}

fn named(map: Map<String, Value>) -> Table {
    let params = map.get("params").and_then(Value::as_array);
    Table {
        name: map.get("name").and_then(Value::as_str).map(str::to_owned),
        at: map.get("at").and_then(rows::integer),
        params: params.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        rows: map.get("rows").and_then(Value::as_array).map(|rows| objects(rows)).unwrap_or_default(),
        left_out: map.get(LEFT_OUT).map_or(0, |count| count.as_u64().unwrap_or(u64::MAX)),
        described: false,
    }
}

fn objects(rows: &[Value]) -> Vec<Row> {
    rows.iter().filter_map(Value::as_object).cloned().collect()
}

#[cfg(test)]
mod tests;

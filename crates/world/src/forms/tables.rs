//! Answers of the server's database, as `crypto-diag collect` keeps them.

use serde_json::{Value, json};

/// One answer.
#[derive(Clone, Debug)]
pub struct Table {
    /// The query's name.
    pub name: &'static str,
    /// What it was asked about: a user, or a user and a device.
    pub params: Vec<&'static str>,
    /// When it was asked, by the server's clock.
    pub at: i64,
    /// The rows.
    pub rows: Vec<Value>,
}

/// `queries.json`.
pub fn json(tables: &[Table]) -> Vec<u8> {
    let tables: Vec<Value> = tables
        .iter()
        .map(|table| json!({"name": table.name, "params": table.params, "at": table.at, "rows": table.rows}))
        .collect();
    Value::Array(tables).to_string().into_bytes()
}

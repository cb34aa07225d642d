//! What PostgreSQL and SQLite have in common: snapshots, and rows in a form of their own.

use std::collections::BTreeSet;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use serde_json::{Map, Value};

use super::DatabaseError;

/// Column to value.
pub(crate) type Row = Map<String, Value>;

/// What a column is read as.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ColumnType {
    Text,
    Integer,
    Boolean,
}

impl ColumnType {
    /// The type's name, in either dialect.
    pub fn sql(self) -> &'static str {
        match self {
            ColumnType::Text => "text",
            ColumnType::Integer => "bigint",
            ColumnType::Boolean => "boolean",
        }
    }
}

/// A statement and its columns. Its text holds no input: ids are bound as parameters.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Statement {
    pub sql: String,
    pub columns: Vec<(&'static str, ColumnType)>,
}

/// Why a statement gave nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// In a sentence, without the ids.
    pub why: String,
    /// Whether further statements would fail as well.
    pub is_last: bool,
}

/// The columns that are there and may be read, as `table.column`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Schema(pub BTreeSet<String>);

impl Schema {
    pub fn has(&self, column: &str) -> bool {
        self.0.contains(column)
    }
}

/// A snapshot of the database, in which every statement sees the same data.
pub(super) trait Snapshot {
    /// The moment by the server's clock, in milliseconds since the epoch, or a little before.
    fn at(&self) -> i64;

    /// The columns of these tables.
    fn columns(&mut self, tables: &[&str]) -> Result<Schema, Failure>;

    /// Runs a statement with bound parameters and hands out its rows one by one. A statement that fails leaves the
    /// snapshot as it was.
    fn rows(&mut self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Failure>;
}

/// What is done in a snapshot.
pub(super) type Work<'w> = &'w mut dyn FnMut(&mut dyn Snapshot);

/// A connection.
pub(super) trait Engine {
    /// Takes a snapshot that nothing can be written in, and lets it go afterwards.
    fn snapshot(&mut self, work: Work<'_>) -> Result<(), DatabaseError>;

    /// The statement that tells the newest position of the to-device stream, where the engine keeps one.
    fn position(&self) -> Option<Statement>;

    /// What the bundle should say of the connection: engine and version, no address and no name.
    fn describe(&self) -> Row;
}

/// Runs `work`, and meanwhile looks again and again whether it should end.
pub(super) fn watched<T>(every: Duration, look: impl Fn() + Send + Sync, work: impl FnOnce() -> T) -> T {
    /// Ends the watching thread even if `work` panics. Otherwise the panic would wait for that thread for ever.
    struct Done<'d>(&'d AtomicBool);
    impl Drop for Done<'_> {
        fn drop(&mut self) {
            self.0.store(true, Ordering::Relaxed);
        }
    }
    let done = AtomicBool::new(false);
    thread::scope(|scope| {
        scope.spawn(|| {
            while !done.load(Ordering::Relaxed) {
                look();
                thread::sleep(every);
            }
        });
        let _done = Done(&done);
        work()
    })
}

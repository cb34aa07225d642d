//! SQLite, for small servers: opened so that neither the database nor its journal can change.

use std::fs::File;
use std::io::Read;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use rusqlite::types::ValueRef;
use rusqlite::{Connection, Error, ErrorCode, OpenFlags, params_from_iter};
use serde_json::{Value, json};

use super::engine::{ColumnType, Engine, Failure, Row, Schema, Snapshot, Statement, Work, watched};
use super::{DatabaseError, Options};

/// A snapshot takes no longer than this: unless the database is in WAL mode, a reader blocks the server's writers.
const SNAPSHOT_MAX: Duration = Duration::from_secs(3);

/// Time between two looks at the clock.
const LOOK_EVERY: Duration = Duration::from_millis(20);

/// A database file.
pub(super) struct Sqlite<'s> {
    connection: Connection,
    options: &'s Options,
    cancel: &'s AtomicBool,
    /// Of a database whose server was stopped: the journal that would be there if it were running.
    journal_of_stopped: Option<PathBuf>,
}

impl<'s> Sqlite<'s> {
    /// Opens a file that is there.
    ///
    /// # Errors
    /// If there is none, or it is no database.
    pub fn open(path: &Path, options: &'s Options, cancel: &'s AtomicBool) -> Result<Self, DatabaseError> {
        let path = path.canonicalize().map_err(DatabaseError::NoFile)?;
        // Opening a pipe would block.
        if !path.is_file() {
            return Err(DatabaseError::NotSqlite);
        }
        let mut head = [0; 20];
        File::open(&path).and_then(|mut file| file.read_exact(&mut head)).map_err(|error| match error.kind() {
            std::io::ErrorKind::UnexpectedEof => DatabaseError::NotSqlite,
            _ => DatabaseError::NoFile(error),
        })?;
        if !head.starts_with(b"SQLite format 3\0") {
            return Err(DatabaseError::NotSqlite);
        }
        let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_URI | OpenFlags::SQLITE_OPEN_NO_MUTEX;
        let mut journal = path.clone().into_os_string();
        journal.push("-wal");
        // Bytes 18 and 19 say that it is a database with a write-ahead log. Its server makes the log when it starts and
        // takes it away when it stops; without one SQLite would make it to read, unless told that nobody writes.
        let is_stopped = head[18..] == [2, 2] && !PathBuf::from(&journal).exists();
        let journal_of_stopped = is_stopped.then(|| PathBuf::from(journal));
        let connection = Connection::open_with_flags(uri(&path, is_stopped), flags).map_err(connection_error)?;
        connection.busy_timeout(options.lock_timeout.min(SNAPSHOT_MAX)).map_err(connection_error)?;
        // The file may be hostile: its schema must not call functions of its own choice.
        connection.execute_batch("PRAGMA query_only = ON; PRAGMA trusted_schema = OFF").map_err(connection_error)?;
        Ok(Sqlite { connection, options, cancel, journal_of_stopped })
    }
}

/// `readonly_shm`: the shared memory beside a write-ahead log is not written either.
fn uri(path: &Path, is_stopped: bool) -> String {
    let mut uri = "file:".to_owned();
    for byte in path.as_os_str().as_encoded_bytes() {
        match *byte {
            b'/' | b'.' | b'-' | b'_' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => uri.push(*byte as char),
            _ => uri.push_str(&format!("%{byte:02X}")),
        }
    }
    uri + "?mode=ro" + if is_stopped { "&immutable=1" } else { "&readonly_shm=1" }
}

impl Engine for Sqlite<'_> {
    fn snapshot(&mut self, work: Work<'_>) -> Result<(), DatabaseError> {
        // The file is on this machine, so its clock is the server's.
        let at = SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_millis() as i64);
        let limit = self.options.statement_timeout.min(SNAPSHOT_MAX);
        let deadline = Instant::now() + limit;
        // The first read takes the snapshot.
        let begun = self.connection.execute_batch("BEGIN; SELECT count(*) FROM sqlite_schema");
        if let Err(error) = begun {
            let _ = self.connection.execute_batch("ROLLBACK");
            return Err(connection_error(error));
        }
        let interrupt = self.connection.get_interrupt_handle();
        // Interrupt repeatedly: each call ends only the statement that is running at that moment.
        let look = || {
            if self.cancel.load(Ordering::Relaxed) || Instant::now() > deadline {
                interrupt.interrupt();
            }
        };
        watched(LOOK_EVERY, look, || work(&mut SqliteSnapshot { connection: &self.connection, at, deadline, limit }));
        let _ = self.connection.execute_batch("ROLLBACK");
        if self.journal_of_stopped.as_ref().is_some_and(|journal| journal.exists()) {
            let why = "its server was started meanwhile, so what was read may be torn: ask again";
            return Err(DatabaseError::Connection(why.to_owned()));
        }
        Ok(())
    }

    fn position(&self) -> Option<Statement> {
        None
    }

    fn describe(&self) -> Row {
        Row::from_iter([
            ("engine".to_owned(), json!("sqlite")),
            ("version".to_owned(), json!(rusqlite::version())),
            ("clock".to_owned(), json!("this machine's")),
        ])
    }
}

struct SqliteSnapshot<'m> {
    connection: &'m Connection,
    at: i64,
    deadline: Instant,
    limit: Duration,
}

impl Snapshot for SqliteSnapshot<'_> {
    fn at(&self) -> i64 {
        self.at
    }

    fn columns(&mut self, tables: &[&str]) -> Result<Schema, Failure> {
        let statement = Statement {
            sql:
                "SELECT m.name AS table_name, p.name AS column_name FROM sqlite_schema m, pragma_table_info(m.name) p \
                  WHERE m.type = 'table' AND m.name = $1"
                    .to_owned(),
            columns: vec![("table_name", ColumnType::Text), ("column_name", ColumnType::Text)],
        };
        let mut schema = Schema::default();
        for table in tables {
            self.rows(&statement, &[table], &mut |row| {
                if let (Some(table), Some(column)) = (row["table_name"].as_str(), row["column_name"].as_str()) {
                    schema.0.insert(format!("{table}.{column}"));
                }
            })?;
        }
        Ok(schema)
    }

    fn rows(&mut self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Failure> {
        let late = || {
            format!(
                "the database was read for {} s, and no longer, so as not to hold up its server",
                self.limit.as_secs_f32()
            )
        };
        if Instant::now() > self.deadline {
            return Err(Failure { why: late(), is_last: true });
        }
        self.run(statement, params, each).map_err(|error| match error.sqlite_error_code() {
            Some(ErrorCode::OperationInterrupted) => Failure { why: late(), is_last: false },
            _ => Failure { why: error.to_string(), is_last: false },
        })
    }
}

impl SqliteSnapshot<'_> {
    fn run(&self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Error> {
        let mut prepared = self.connection.prepare(&statement.sql)?;
        let mut found = prepared.query(params_from_iter(params))?;
        while let Some(values) = found.next()? {
            let mut row = Row::new();
            for (index, (name, kind)) in statement.columns.iter().enumerate() {
                row.insert((*name).to_owned(), value(values.get_ref(index)?, *kind));
            }
            each(row);
        }
        Ok(())
    }
}

/// A value by the column's declared type. SQLite lets a column hold values of other types.
fn value(found: ValueRef<'_>, kind: ColumnType) -> Value {
    match (kind, found) {
        (ColumnType::Text, ValueRef::Text(text) | ValueRef::Blob(text)) => {
            String::from_utf8_lossy(text).into_owned().into()
        }
        (ColumnType::Integer, ValueRef::Integer(number)) => number.into(),
        (ColumnType::Boolean, ValueRef::Integer(number)) => (number != 0).into(),
        _ => Value::Null,
    }
}

fn connection_error(error: Error) -> DatabaseError {
    let hint = match error.sqlite_error_code() {
        Some(ErrorCode::DatabaseBusy | ErrorCode::DatabaseLocked) => "; its server holds it locked: try again",
        Some(ErrorCode::ReadOnly | ErrorCode::CannotOpen) => {
            "; it was left with a journal that only its server can finish: start the server, or give a copy of all its files"
        }
        _ => "",
    };
    DatabaseError::Connection(format!("{error}{hint}"))
}

//! PostgreSQL, through a maintained client.

use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{self, RecvTimeoutError};
use std::time::{Duration, Instant};
use std::{env, thread};

use postgres::config::{Host, SslMode};
use postgres::error::{Error, SqlState};
use postgres::fallible_iterator::FallibleIterator;
use postgres::types::Type;
use postgres::{Client, Config, IsolationLevel, NoTls, Transaction};
use serde_json::{Value, json};

use super::engine::{Engine, Failure, Kind, Row, Schema, Snapshot, Statement, Work, watched};
use super::{DatabaseError, Options};

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How long a server that has vanished is waited for: its own statement timeout cannot end that.
const SILENCE_MAX: Duration = Duration::from_secs(30);

/// How often a run that was interrupted tells the server to end its statement.
const CANCEL_EVERY: Duration = Duration::from_millis(100);

/// What a URL says, and where the password comes from if not out of it: an argument of a command is seen by everybody on
/// the host.
///
/// # Errors
/// If it is no URL of PostgreSQL, or demands TLS.
pub(super) fn config(url: &str) -> Result<Config, DatabaseError> {
    // The parser's errors name options, never values.
    let mut config: Config = url.parse().map_err(|error: Error| DatabaseError::Url(describe(&error)))?;
    if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        return Err(DatabaseError::TlsUnsupported);
    }
    if config.get_password().is_none()
        && let Ok(password) = env::var("PGPASSWORD")
    {
        config.password(password);
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(DatabaseError::Url("it names no host".to_owned()));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(CONNECT_TIMEOUT).tcp_user_timeout(SILENCE_MAX);
    config.application_name("crypto-diag");
    Ok(config)
}

/// Connects, runs `work`, and ends the statement that is under way when `cancel` is set.
///
/// # Errors
/// If there is no connection, or as `work` says.
pub(super) fn with_connection<T>(
    config: Config,
    options: &Options,
    cancel: &AtomicBool,
    work: impl FnOnce(&mut dyn Engine) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let is_local = config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    });
    let mut client = connect(config, cancel)?;
    let version = version(&mut client)?;
    let token = client.cancel_token();
    let look = || {
        if cancel.load(Ordering::Relaxed) {
            // If the server does not hear it, the statement's own timeout ends it.
            let _ = token.cancel_query(NoTls);
        }
    };
    watched(CANCEL_EVERY, look, || work(&mut Postgres { client, options, cancel, version, is_local, is_standby: None }))
}

/// Connects, unless it is interrupted: what accepts connections need not be a database that answers.
fn connect(config: Config, cancel: &AtomicBool) -> Result<Client, DatabaseError> {
    let (send, receive) = mpsc::channel();
    thread::spawn(move || {
        // Nobody waits for it any more if it was interrupted.
        let _ = send.send(config.connect(NoTls));
    });
    let deadline = Instant::now() + SILENCE_MAX;
    loop {
        let why = match receive.recv_timeout(CANCEL_EVERY) {
            Ok(connected) => return connected.map_err(|error| DatabaseError::Connection(describe(&error))),
            Err(RecvTimeoutError::Timeout) if cancel.load(Ordering::Relaxed) => "it was interrupted",
            Err(RecvTimeoutError::Timeout) if Instant::now() < deadline => continue,
            Err(_) => "it accepts connections and does not answer: check host and port",
        };
        return Err(DatabaseError::Connection(why.to_owned()));
    }
}

fn version(client: &mut Client) -> Result<String, DatabaseError> {
    let row = client.query_typed("SELECT current_setting('server_version')", &[]);
    let row = row.map_err(|error| DatabaseError::Connection(describe(&error)))?;
    Ok(row.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default())
}

struct Postgres<'p> {
    client: Client,
    options: &'p Options,
    cancel: &'p AtomicBool,
    version: String,
    is_local: bool,
    is_standby: Option<bool>,
}

impl Engine for Postgres<'_> {
    fn snapshot(&mut self, work: Work<'_>) -> Result<(), DatabaseError> {
        let failed = |error: Error| DatabaseError::Connection(describe(&error));
        let builder = self.client.build_transaction();
        let mut transaction =
            builder.isolation_level(IsolationLevel::RepeatableRead).read_only(true).start().map_err(failed)?;
        // Within the transaction, so that it holds through a connection pool as well. Numbers of this program's own.
        let limits = format!(
            "SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}",
            self.options.statement_timeout.as_millis().max(1),
            self.options.lock_timeout.as_millis().max(1),
        );
        transaction.batch_execute(&limits).map_err(failed)?;
        // The time at which the transaction began, just before its first statement takes the snapshot. Of a standby, the
        // time up to which it has followed: what is newer it cannot know of.
        let moment = "SELECT CAST(floor(extract(epoch FROM CASE WHEN pg_is_in_recovery() \
                      THEN least(now(), coalesce(pg_last_xact_replay_timestamp(), now())) ELSE now() END) * 1000) AS bigint), \
                      pg_is_in_recovery()";
        let row = transaction.query_typed_one(moment, &[]).map_err(failed)?;
        let at = row.try_get(0).map_err(failed)?;
        self.is_standby = row.try_get(1).ok();
        let timeout = self.options.statement_timeout;
        work(&mut Moment { transaction: &mut transaction, at, timeout, cancel: self.cancel });
        // There is nothing to commit.
        transaction.rollback().or(Ok(()))
    }

    fn position(&self) -> Option<Statement> {
        Some(Statement {
            sql: "SELECT CAST(last_value AS bigint) AS newest_stream_id FROM device_inbox_sequence".to_owned(),
            columns: vec![("newest_stream_id", Kind::Integer)],
        })
    }

    fn describe(&self) -> Row {
        Row::from_iter([
            ("engine".to_owned(), json!("postgresql")),
            ("version".to_owned(), json!(self.version)),
            ("standby".to_owned(), json!(self.is_standby)),
            ("clock".to_owned(), json!("the database server's")),
            // Said because it is worth knowing that what was read crossed a network in the clear.
            ("connection".to_owned(), json!(if self.is_local { "local" } else { "network, without TLS" })),
        ])
    }
}

struct Moment<'m, 'c> {
    transaction: &'m mut Transaction<'c>,
    at: i64,
    timeout: Duration,
    cancel: &'m AtomicBool,
}

impl Snapshot for Moment<'_, '_> {
    fn at(&self) -> i64 {
        self.at
    }

    fn columns(&mut self, tables: &[&str]) -> Result<Schema, Failure> {
        // Shows only columns that the role may use.
        let sql = "SELECT CAST(table_name AS text) AS table_name, CAST(column_name AS text) AS column_name \
                   FROM information_schema.columns \
                   WHERE table_schema = ANY (current_schemas(FALSE)) AND table_name = $1";
        let columns = vec![("table_name", Kind::Text), ("column_name", Kind::Text)];
        let statement = Statement { sql: sql.to_owned(), columns };
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
        let done = self.run(statement, params, each);
        done.map_err(|error| failure(&error, self.timeout, self.cancel))
    }
}

impl Moment<'_, '_> {
    fn run(&mut self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Error> {
        // A savepoint: a statement that fails would take the whole transaction with it.
        let mut point = self.transaction.transaction()?;
        // Unnamed and typed: a connection pool need not remember it.
        let typed: Vec<(&str, Type)> = params.iter().map(|param| (*param, Type::TEXT)).collect();
        let mut found = point.query_typed_raw(&statement.sql, typed)?;
        while let Some(values) = found.next()? {
            let mut row = Row::new();
            for (index, (name, kind)) in statement.columns.iter().enumerate() {
                let value = match kind {
                    Kind::Text => values.try_get::<_, Option<String>>(index)?.map(Value::from),
                    Kind::Integer => values.try_get::<_, Option<i64>>(index)?.map(Value::from),
                    Kind::Boolean => values.try_get::<_, Option<bool>>(index)?.map(Value::from),
                };
                row.insert((*name).to_owned(), value.unwrap_or_default());
            }
            each(row);
        }
        drop(found);
        point.commit()
    }
}

fn failure(error: &Error, timeout: Duration, cancel: &AtomicBool) -> Failure {
    let why = match error.code() {
        Some(&SqlState::QUERY_CANCELED) if !cancel.load(Ordering::Relaxed) => {
            format!("it took longer than {} s and was ended (statement_timeout)", timeout.as_secs_f32())
        }
        Some(&SqlState::LOCK_NOT_AVAILABLE) => "the table was locked for too long (lock_timeout)".to_owned(),
        Some(&SqlState::INSUFFICIENT_PRIVILEGE) => format!("{}: grant SELECT on it to this role", describe(error)),
        _ => describe(error),
    };
    Failure { why, is_last: error.is_closed() }
}

/// In words. The server's message may quote an id; the client's own may hold a source that says more.
fn describe(error: &Error) -> String {
    match (error.as_db_error(), std::error::Error::source(error)) {
        (Some(db), _) => db.message().to_owned(),
        (None, Some(source)) => format!("{error}: {source}").replace(": error:", ":"),
        (None, None) => error.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use std::net::TcpListener;

    use super::*;

    #[test]
    fn a_server_that_never_answers_can_be_interrupted() {
        let silent = TcpListener::bind("127.0.0.1:0").unwrap();
        let url = format!("postgresql://u@{}/synapse", silent.local_addr().unwrap());
        let cancel = AtomicBool::new(true);
        let asked = with_connection(config(&url).unwrap(), &Options::default(), &cancel, |_| Ok(()));
        assert!(asked.is_err_and(|error| error.to_string().contains("it was interrupted")));
    }

    #[test]
    fn a_server_that_is_not_there_is_named_without_the_password() {
        // Bound and let go, so that nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = config(&format!("host=127.0.0.1 port={port} user=u password=hush dbname=synapse")).unwrap();
        let asked = with_connection(config, &Options::default(), &AtomicBool::new(false), |_| Ok(()));
        let said = asked.unwrap_err().to_string();
        assert!(said.contains("refused") && !said.contains("hush"), "{said}");
    }
}

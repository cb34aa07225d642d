//! PostgreSQL, through a maintained client.
//!
//! The client's asynchronous form, on a runtime of this thread alone: a question whose time is over, or whose run was
//! interrupted, is dropped where it stands, and its socket with it. A blocking client would wait for a server that has gone
//! silent as long as that keeps the connection open.

use std::cell::RefCell;
use std::env;
use std::future::Future;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use futures_util::{TryStreamExt, pin_mut};
use serde_json::{Value, json};
use tokio::runtime::{Builder, Runtime};
use tokio::task::JoinHandle;
use tokio_postgres::config::{Host, SslMode};
use tokio_postgres::error::{Error, SqlState};
use tokio_postgres::types::Type;
use tokio_postgres::{CancelToken, Client, Config, NoTls};

use super::engine::{ColumnType, Engine, Failure, Row, Schema, Snapshot, Statement, Work};
use super::{Database, DatabaseError, Options};

/// Begins a transaction that sees one moment and can write nothing.
pub(super) const BEGIN: &str = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY";

/// The time at which the transaction began, just before its first statement takes the snapshot. Of a standby, the time up to which it
/// has followed: what is newer it cannot know of.
pub(super) const MOMENT: &str = "SELECT CAST(floor(extract(epoch FROM CASE WHEN pg_is_in_recovery() \
    THEN least(now(), coalesce(pg_last_xact_replay_timestamp(), now())) ELSE now() END) * 1000) AS bigint) AS at, \
    pg_is_in_recovery() AS is_standby";

/// The newest position of the to-device stream.
pub(super) const POSITION: &str = "SELECT CAST(last_value AS bigint) AS newest_stream_id FROM device_inbox_sequence";

/// The columns of tables; only those that the role may use.
pub(super) fn columns(snapshot: &mut dyn Snapshot, tables: &[&str]) -> Result<Schema, Failure> {
    let sql = "SELECT CAST(table_name AS text) AS table_name, CAST(column_name AS text) AS column_name \
               FROM information_schema.columns WHERE table_schema = ANY (current_schemas(FALSE)) AND table_name = $1";
    let columns = vec![("table_name", ColumnType::Text), ("column_name", ColumnType::Text)];
    let statement = Statement { sql: sql.to_owned(), columns };
    let mut schema = Schema::default();
    for table in tables {
        snapshot.rows(&statement, &[table], &mut |row| {
            if let (Some(table), Some(column)) = (row["table_name"].as_str(), row["column_name"].as_str()) {
                schema.0.insert(format!("{table}.{column}"));
            }
        })?;
    }
    Ok(schema)
}

/// Limits within the transaction, so that they hold through a connection pool as well. Numbers of this program's own.
pub(super) fn limits(options: &Options) -> String {
    format!(
        "SET LOCAL statement_timeout = {}; SET LOCAL lock_timeout = {}",
        options.statement_timeout.as_millis().max(1),
        options.lock_timeout.as_millis().max(1),
    )
}

const CONNECT_TIMEOUT: Duration = Duration::from_secs(10);

/// How often it is looked whether the run was interrupted.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// How long the server is given to hear that a statement shall end. If it does not hear it, its own timeout ends it.
const CANCEL_MAX: Duration = Duration::from_secs(1);

/// What a URL says, and where the password comes from if not out of it: an argument of a command is seen by everybody on
/// the host.
///
/// # Errors
/// If it is no URL of PostgreSQL, or demands TLS.
pub(super) fn config(database: &Database) -> Result<Config, DatabaseError> {
    // The parser's message is not shown: it quotes parts of the argument, and in a mistyped URL that part may be the password.
    let unreadable = |_: Error| DatabaseError::Url("it is no connection string of PostgreSQL");
    let mut config: Config = database.url.parse().map_err(unreadable)?;
    if !matches!(config.get_ssl_mode(), SslMode::Disable | SslMode::Prefer) {
        return Err(DatabaseError::TlsUnsupported);
    }
    if config.get_password().is_none() {
        let elsewhere = database.password.as_ref().map(|password| password.expose().to_owned());
        if let Some(password) = elsewhere.or_else(|| env::var("PGPASSWORD").ok()) {
            config.password(password);
        }
    }
    if config.get_hosts().is_empty() && config.get_hostaddrs().is_empty() {
        return Err(DatabaseError::Url("it names no host"));
    }
    if config.get_connect_timeout().is_none() {
        config.connect_timeout(CONNECT_TIMEOUT);
    }
    config.keepalives_idle(CONNECT_TIMEOUT);
    config.application_name("crypto-diag");
    Ok(config)
}

/// Connects, runs `work`, and closes the connection. Setting `cancel` ends the statement that is under way.
///
/// # Errors
/// If there is no connection, or as `work` says.
pub(super) fn with_connection<T>(
    config: &Config,
    options: &Options,
    cancel: &AtomicBool,
    work: impl FnOnce(&mut dyn Engine) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    let runtime = Builder::new_current_thread().enable_all().build();
    let runtime = runtime.map_err(|error| DatabaseError::Connection(error.to_string()))?;
    let done = Connection::open(config, &runtime, options, cancel).and_then(|connection| {
        let version = connection.version()?;
        let done =
            work(&mut Postgres { connection: &connection, version, is_local: is_local(config), is_standby: None });
        connection.close();
        done
    });
    // A look-up of a host's name cannot be interrupted, and is not waited for.
    runtime.shutdown_background();
    done
}

/// A host's name, or the folder of its socket.
pub(super) fn host_name(host: &Host) -> String {
    match host {
        Host::Tcp(name) => name.clone(),
        #[cfg(unix)]
        Host::Unix(folder) => folder.display().to_string(),
    }
}

fn is_local(config: &Config) -> bool {
    config.get_hosts().iter().all(|host| match host {
        Host::Tcp(name) => matches!(name.as_str(), "localhost" | "127.0.0.1" | "::1"),
        #[cfg(unix)]
        Host::Unix(_) => true,
    })
}

/// Why a question has no answer.
enum Unanswered {
    /// The server or the client says why.
    Refused(Error),
    /// Nothing came for so long. The connection is closed.
    Silent(Duration),
    /// The run was interrupted. The connection is closed.
    Interrupted,
}

impl Unanswered {
    /// In a sentence. Nothing of what the server says is in it: its messages quote ids, names and passwords.
    fn why(&self) -> String {
        match self {
            Unanswered::Refused(error) => describe(error),
            Unanswered::Silent(limit) => {
                format!("it went silent: no answer within {} s, and the connection was closed", limit.as_secs_f32())
            }
            Unanswered::Interrupted => "it was interrupted".to_owned(),
        }
    }
}

impl From<Unanswered> for DatabaseError {
    fn from(unanswered: Unanswered) -> Self {
        DatabaseError::Connection(unanswered.why())
    }
}

/// A connection on which every query has a time limit.
struct Connection<'c> {
    client: Client,
    runtime: &'c Runtime,
    options: &'c Options,
    cancel: &'c AtomicBool,
    /// What moves the connection's bytes, and owns its socket; `None` once it is closed.
    socket: RefCell<Option<JoinHandle<()>>>,
}

impl<'c> Connection<'c> {
    fn open(
        config: &Config,
        runtime: &'c Runtime,
        options: &'c Options,
        cancel: &'c AtomicBool,
    ) -> Result<Self, DatabaseError> {
        let (client, connection) = runtime.block_on(within(options.silence_max, cancel, config.connect(NoTls)))?;
        let socket = runtime.spawn(async move {
            // The error is reported by the query that was running.
            let _ = connection.await;
        });
        Ok(Connection { client, runtime, options, cancel, socket: RefCell::new(Some(socket)) })
    }

    /// Asks, and waits as long as a statement may take and a server may be silent.
    fn ask<T>(&self, question: impl Future<Output = Result<T, Error>>) -> Result<T, Unanswered> {
        let limit = self.options.statement_timeout + self.options.silence_max;
        let answer = self.runtime.block_on(within(limit, self.cancel, question));
        if matches!(answer, Err(Unanswered::Silent(_) | Unanswered::Interrupted)) {
            self.end_statement(self.client.cancel_token());
            self.close();
        }
        answer
    }

    /// Asks the server to cancel the statement. The server may not answer.
    fn end_statement(&self, token: CancelToken) {
        let never = AtomicBool::new(false);
        let _ = self.runtime.block_on(within(CANCEL_MAX, &never, token.cancel_query(NoTls)));
    }

    fn close(&self) {
        if let Some(socket) = self.socket.borrow_mut().take() {
            socket.abort();
            // The socket is closed once the task that owns it has ended, so let that task run.
            let _ = self.runtime.block_on(socket);
        }
    }

    fn version(&self) -> Result<String, DatabaseError> {
        let rows = self.ask(self.client.query_typed("SELECT current_setting('server_version')", &[]))?;
        Ok(rows.first().and_then(|row| row.try_get(0).ok()).unwrap_or_default())
    }
}

/// Waits for an answer, unless time is over or the run is interrupted.
async fn within<T>(
    limit: Duration,
    cancel: &AtomicBool,
    question: impl Future<Output = Result<T, Error>>,
) -> Result<T, Unanswered> {
    let over = tokio::time::sleep(limit);
    pin_mut!(question, over);
    let mut look = tokio::time::interval(LOOK_EVERY);
    loop {
        tokio::select! {
            answer = &mut question => return answer.map_err(Unanswered::Refused),
            () = &mut over => return Err(Unanswered::Silent(limit)),
            _ = look.tick() => if cancel.load(Ordering::Relaxed) { return Err(Unanswered::Interrupted) },
        }
    }
}

struct Postgres<'p> {
    connection: &'p Connection<'p>,
    version: String,
    is_local: bool,
    is_standby: Option<bool>,
}

impl Engine for Postgres<'_> {
    fn snapshot(&mut self, work: Work<'_>) -> Result<(), DatabaseError> {
        let Connection { client, options, .. } = self.connection;
        let begin = format!("{BEGIN}; {}", limits(options));
        self.connection.ask(client.batch_execute(&begin))?;
        let row = self.connection.ask(client.query_typed_one(MOMENT, &[]))?;
        let at = row.try_get(0).map_err(Unanswered::Refused)?;
        self.is_standby = row.try_get(1).ok();
        work(&mut PostgresSnapshot { connection: self.connection, at });
        // There is nothing to commit, and a connection that has ended has no transaction.
        let _ = self.connection.ask(client.batch_execute("ROLLBACK"));
        Ok(())
    }

    fn position(&self) -> Option<Statement> {
        Some(Statement { sql: POSITION.to_owned(), columns: vec![("newest_stream_id", ColumnType::Integer)] })
    }

    fn describe(&self) -> Row {
        Row::from_iter([
            ("engine".to_owned(), json!("postgresql")),
            ("version".to_owned(), json!(self.version)),
            ("standby".to_owned(), json!(self.is_standby)),
            ("clock".to_owned(), json!("the database server's")),
            // Report this: the data crossed a network unencrypted.
            ("connection".to_owned(), json!(if self.is_local { "local" } else { "network, without TLS" })),
        ])
    }
}

struct PostgresSnapshot<'m> {
    connection: &'m Connection<'m>,
    at: i64,
}

impl Snapshot for PostgresSnapshot<'_> {
    fn at(&self) -> i64 {
        self.at
    }

    fn columns(&mut self, tables: &[&str]) -> Result<Schema, Failure> {
        columns(self, tables)
    }

    fn rows(&mut self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Failure> {
        let Connection { client, options, .. } = self.connection;
        // A savepoint: a statement that fails would take the whole transaction with it.
        let done = self.connection.ask(async {
            client.batch_execute("SAVEPOINT question").await?;
            let done = fetch(client, statement, params, each).await;
            let ended = client.batch_execute("ROLLBACK TO question; RELEASE question").await;
            done.and(ended)
        });
        done.map_err(|unanswered| failure(&unanswered, options.statement_timeout))
    }
}

async fn fetch(
    client: &Client,
    statement: &Statement,
    params: &[&str],
    each: &mut dyn FnMut(Row),
) -> Result<(), Error> {
    // Unnamed and typed: a connection pool need not remember it.
    let typed = params.iter().map(|param| (*param, Type::TEXT));
    let found = client.query_typed_raw(&statement.sql, typed).await?;
    pin_mut!(found);
    while let Some(values) = found.try_next().await? {
        let mut row = Row::new();
        for (index, (name, kind)) in statement.columns.iter().enumerate() {
            let value = match kind {
                ColumnType::Text => values.try_get::<_, Option<String>>(index)?.map(Value::from),
                ColumnType::Integer => values.try_get::<_, Option<i64>>(index)?.map(Value::from),
                ColumnType::Boolean => values.try_get::<_, Option<bool>>(index)?.map(Value::from),
            };
            row.insert((*name).to_owned(), value.unwrap_or_default());
        }
        each(row);
    }
    Ok(())
}

fn failure(unanswered: &Unanswered, timeout: Duration) -> Failure {
    match unanswered {
        Unanswered::Refused(error) => match error.code() {
            Some(code) => Failure { is_last: error.is_closed(), ..refusal(code.code(), timeout) },
            None => Failure { why: describe(error), is_last: error.is_closed() },
        },
        Unanswered::Silent(_) | Unanswered::Interrupted => Failure { why: unanswered.why(), is_last: true },
    }
}

/// What the server's five letters for a refusal mean. The server's message is not used: it quotes what it was given.
pub(super) fn refusal(state: &str, timeout: Duration) -> Failure {
    let code = SqlState::from_code(state);
    let why = match sentence(&code) {
        _ if code == SqlState::QUERY_CANCELED => {
            format!("it took longer than {} s and was ended (statement_timeout)", timeout.as_secs_f32())
        }
        Some(sentence) => format!("{sentence} ({state})"),
        // Five characters by the protocol; a server may send anything.
        None if is_sql_state(state) => format!("it refused (SQLSTATE {state})"),
        None => "it refused".to_owned(),
    };
    Failure { why, is_last: false }
}

/// In words of this program's own and of the client's.
fn describe(error: &Error) -> String {
    match (error.code(), std::error::Error::source(error)) {
        (Some(code), _) => refusal(code.code(), Duration::ZERO).why,
        (None, Some(source)) => format!("{error}: {source}").replace(": error:", ":"),
        (None, None) => error.to_string(),
    }
}

fn is_sql_state(code: &str) -> bool {
    code.len() == 5 && code.bytes().all(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit())
}

/// What the refusals mean that an operator meets.
fn sentence(code: &SqlState) -> Option<&'static str> {
    Some(match *code {
        SqlState::INVALID_PASSWORD => "the password is wrong: check PGPASSWORD, or Synapse’s configuration",
        SqlState::INVALID_AUTHORIZATION_SPECIFICATION => "this role may not log in from here: see pg_hba.conf",
        SqlState::INVALID_CATALOG_NAME => "there is no database of that name on this server",
        SqlState::INSUFFICIENT_PRIVILEGE => "this role may not read it: grant SELECT on it",
        SqlState::UNDEFINED_TABLE => "there is no such table",
        SqlState::UNDEFINED_COLUMN => "there is no such column",
        SqlState::LOCK_NOT_AVAILABLE => "the table was locked for too long (lock_timeout)",
        SqlState::TOO_MANY_CONNECTIONS => "the server has too many connections: try again",
        SqlState::CANNOT_CONNECT_NOW => "the server is starting or stopping: try again",
        SqlState::ADMIN_SHUTDOWN => "the server was shut down, or an administrator ended the connection",
        SqlState::CRASH_SHUTDOWN => "the server crashed",
        _ => return None,
    })
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
        let asked = with_connection(&config(&url.into()).unwrap(), &Options::default(), &cancel, |_| Ok(()));
        assert!(asked.is_err_and(|error| error.to_string().contains("it was interrupted")));
    }

    #[test]
    fn a_server_that_is_not_there_is_named_without_the_password() {
        // Bound and let go, so that nobody listens there.
        let port = TcpListener::bind("127.0.0.1:0").unwrap().local_addr().unwrap().port();
        let config = config(&format!("host=127.0.0.1 port={port} user=u password=hush dbname=synapse").into()).unwrap();
        let asked = with_connection(&config, &Options::default(), &AtomicBool::new(false), |_| Ok(()));
        let said = asked.unwrap_err().to_string();
        assert!(said.contains("refused") && !said.contains("hush"), "{said}");
    }
}

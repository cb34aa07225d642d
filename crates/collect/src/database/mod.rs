//! What only the server's database knows of the devices and events of a capture: PostgreSQL, and SQLite for small servers.
//!
//! It reads, in transactions that can write nothing; ids are only ever bound; a statement that takes too long, is not allowed
//! or does not fit this version of Synapse is named, and the rest is asked. Access tokens and other private columns are
//! never selected (`questions`), and contents do not leave this module (`private`).

mod engine;
mod olm;
mod postgres;
pub(crate) mod private;
mod psql;
mod question;
mod questions;
mod round;
mod sqlite;

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::{Duration, Instant};
use std::{fmt, io};

use crypto_diag_triage::bundle::Refusal;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::ids::Ids;
use crate::via::Via;
use engine::{Engine, Snapshot};
use round::Round;

/// Users and events that are asked about at most.
const IDS_MAX: usize = 200;

/// How patient to be, and how much to take.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Options {
    /// A statement that takes longer is ended and named.
    pub statement_timeout: Duration,
    /// A statement that waits longer for a lock is ended and named.
    pub lock_timeout: Duration,
    /// Rows of one answer at most; what is left out is named.
    pub rows_max: usize,
    /// A server that gives no answer for so much longer than a statement may take is given up, and the connection closed:
    /// its own timeouts do not end what it no longer does.
    pub silence_max: Duration,
    /// The time between the two looks at the inbox.
    pub samples_apart: Duration,
}

impl Default for Options {
    fn default() -> Self {
        Options {
            statement_timeout: Duration::from_secs(10),
            lock_timeout: Duration::from_secs(2),
            rows_max: 5_000,
            silence_max: Duration::from_secs(15),
            // Triage calls an inbox stuck from 5 s on.
            samples_apart: Duration::from_secs(6),
        }
    }
}

/// Which database is asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Database {
    /// A PostgreSQL URL or connection string, or an SQLite file.
    pub url: String,
    /// Its password, where that stands elsewhere. One in the URL goes before it, and it before `PGPASSWORD`.
    pub password: Option<Password>,
}

impl From<String> for Database {
    fn from(url: String) -> Self {
        Database { url, password: None }
    }
}

impl From<&str> for Database {
    fn from(url: &str) -> Self {
        url.to_owned().into()
    }
}

impl Database {
    /// Whether its password stands in the URL.
    pub fn has_password(&self) -> bool {
        let config: Result<tokio_postgres::Config, _> = self.url.parse();
        config.is_ok_and(|config| config.get_password().is_some())
    }

    /// Where it is and as whom it is asked. A text that is no connection string is not repeated: a mistyped one has its password
    /// anywhere.
    pub fn shown(&self) -> String {
        let Ok(config) = self.url.parse::<tokio_postgres::Config>() else { return "SQLite".to_owned() };
        let named = |what: &str, name: Option<&str>| name.map_or(String::new(), |name| format!(", {what} {name}"));
        let hosts: Vec<String> = config.get_hosts().iter().map(postgres::host_name).collect();
        let hosts = if hosts.is_empty() { "psql’s default".to_owned() } else { hosts.join(", ") };
        let (database, role) = (named("database", config.get_dbname()), named("role", config.get_user()));
        format!("PostgreSQL at {hosts}{database}{role}")
    }
}

/// A password. It is given to the database, and shown to nobody.
#[derive(Clone, PartialEq, Eq, Deserialize)]
pub struct Password(String);

impl From<String> for Password {
    fn from(text: String) -> Self {
        Password(text)
    }
}

impl Password {
    pub(crate) fn expose(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Password {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Password")
    }
}

/// What the database said.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Answers {
    /// As `queries.json` has them: `{name, params, at, rows}`, the user's or the event's id first in `params`, `at` in
    /// milliseconds by the server's clock.
    pub queries: Vec<Value>,
    /// What was asked of what: engine, version, moments, limits, columns that this version of Synapse lacks.
    pub coverage: Value,
    /// What was not answered, wholly or in part, and why.
    pub refused: Vec<Refusal>,
}

/// Why the database could not be asked at all. Nothing of the argument is in it: a mistyped one has a password where nobody
/// looks for one.
#[derive(Debug)]
#[non_exhaustive]
pub enum DatabaseError {
    /// It is neither a PostgreSQL URL nor an SQLite file.
    Url(&'static str),
    /// There is no such file; none is made.
    NoFile(io::Error),
    /// The file is no SQLite database.
    NotSqlite,
    /// The URL demands TLS.
    TlsUnsupported,
    /// The connection or the transaction did not come about.
    Connection(String),
}

impl fmt::Display for DatabaseError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        const HOW: &str = "give postgresql://user@host/synapse, \"host=/run/postgresql dbname=synapse\", or \
                           sqlite:/path/to/homeserver.db, and the password in PGPASSWORD";
        match self {
            DatabaseError::Url(why) => write!(f, "the database cannot be told from --database: {why}; {HOW}"),
            DatabaseError::NoFile(error) => write!(
                f,
                "the file that --database names cannot be opened: {error}; see homeserver.yaml for its path, or {HOW}"
            ),
            DatabaseError::NotSqlite => write!(f, "the file that --database names is no SQLite database; {HOW}"),
            DatabaseError::TlsUnsupported => f.write_str(
                "TLS to the database is not supported: run this on the database's host with its unix socket \
                 (\"host=/run/postgresql dbname=synapse\"), or through a tunnel (ssh -L 5433:localhost:5432 host) with \
                 sslmode=disable",
            ),
            DatabaseError::Connection(why) => write!(f, "the database cannot be asked: {why}"),
        }
    }
}

impl std::error::Error for DatabaseError {}

/// Asks the database about the users and events, on this host or where `via` leads. Setting `cancel` ends it soon: what was answered
/// until then is given, and what was not is named.
///
/// # Errors
/// [`DatabaseError`], if there is no database to ask.
pub fn ask(
    database: &Database,
    via: Option<&Via>,
    ids: &Ids,
    options: &Options,
    cancel: &AtomicBool,
) -> Result<Answers, DatabaseError> {
    with_engine(database, via, options, cancel, |engine| both_rounds(engine, ids, options, cancel))
}

/// Tries to reach the database and to read its columns, and asks about nobody. What [`ask`] could not ask is refused.
///
/// # Errors
/// [`DatabaseError`], if there is no database to ask.
pub fn check(
    database: &Database,
    via: Option<&Via>,
    options: &Options,
    cancel: &AtomicBool,
) -> Result<Answers, DatabaseError> {
    with_engine(database, via, options, cancel, |engine| {
        let mut round = Round::new(&Ids::default(), options, cancel, engine.position());
        engine.snapshot(&mut |snapshot: &mut dyn Snapshot| round.check(snapshot))?;
        Ok(answers(engine, round, options))
    })
}

fn with_engine<T>(
    database: &Database,
    via: Option<&Via>,
    options: &Options,
    cancel: &AtomicBool,
    work: impl FnOnce(&mut dyn Engine) -> Result<T, DatabaseError>,
) -> Result<T, DatabaseError> {
    if let Some(via) = via {
        psql::is_askable(&database.url)?;
        return work(&mut psql::Psql::start(via, database, options, cancel)?);
    }
    match Target::of(database)? {
        Target::Postgres(config) => postgres::with_connection(&config, options, cancel, work),
        Target::Sqlite(path) => work(&mut sqlite::Sqlite::open(&path, options, cancel)?),
    }
}

/// What a URL means.
enum Target {
    Postgres(Box<tokio_postgres::Config>),
    Sqlite(PathBuf),
}

impl Target {
    fn of(database: &Database) -> Result<Target, DatabaseError> {
        let url = database.url.as_str();
        if let Some(path) = url.strip_prefix("sqlite:") {
            // `sqlite:///var/lib/…`, as SQLAlchemy writes it.
            let path = path.strip_prefix("//").unwrap_or(path);
            return Ok(Target::Sqlite(PathBuf::from(path)));
        }
        let is_url = url.starts_with("postgres://") || url.starts_with("postgresql://");
        let is_list = ["host=", "dbname=", "user=", "hostaddr="].iter().any(|word| url.contains(word));
        if is_url || (is_list && !PathBuf::from(url).exists()) {
            return postgres::config(database).map(|config| Target::Postgres(Box::new(config)));
        }
        match url.split_once("://") {
            Some(_) => Err(DatabaseError::Url("its scheme is not known")),
            None if url.is_empty() => Err(DatabaseError::Url("it is empty")),
            None => Ok(Target::Sqlite(PathBuf::from(url))),
        }
    }
}

/// Asks everything in one snapshot, and some seconds later the inbox in a second one.
///
/// One repeatable-read transaction sees one moment, however long it lasts: the inbox asked twice inside of it would give
/// the same rows twice, and prove a backlog that is none. So all facts that are laid side by side come from the first
/// transaction, and the second look has a second, as read-only as the first. In between none is open, which would hold
/// back the server's clean-up.
fn both_rounds(
    engine: &mut dyn Engine,
    ids: &Ids,
    options: &Options,
    cancel: &AtomicBool,
) -> Result<Answers, DatabaseError> {
    let mut round = Round::new(ids, options, cancel, engine.position());
    engine.snapshot(&mut |snapshot: &mut dyn Snapshot| round.everything(snapshot))?;
    if round.wants_second_look() {
        wait(options.samples_apart, cancel);
        if cancel.load(Ordering::Relaxed) {
            round.refuse("the second look at the inbox", "it was interrupted");
        } else if let Err(error) = engine.snapshot(&mut |snapshot: &mut dyn Snapshot| round.inbox_again(snapshot)) {
            round.refuse("the second look at the inbox", &error.to_string());
        }
    }
    Ok(answers(engine, round, options))
}

fn answers(engine: &dyn Engine, round: Round<'_>, options: &Options) -> Answers {
    let mut coverage = engine.describe();
    coverage.extend(round.coverage());
    coverage.insert("rowsMax".into(), json!(options.rows_max));
    coverage.insert("statementTimeoutMs".into(), json!(options.statement_timeout.as_millis() as u64));
    Answers { queries: round.queries, coverage: Value::Object(coverage), refused: round.refused }
}

fn wait(time: Duration, cancel: &AtomicBool) {
    let end = Instant::now() + time;
    while !cancel.load(Ordering::Relaxed) {
        let left = end.saturating_duration_since(Instant::now());
        if left.is_zero() {
            break;
        }
        thread::sleep(left.min(Duration::from_millis(50)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn target(url: &str) -> String {
        match Target::of(&url.into()) {
            Ok(Target::Postgres(_)) => "postgresql".to_owned(),
            Ok(Target::Sqlite(path)) => format!("sqlite {}", path.display()),
            Err(error) => error.to_string(),
        }
    }

    #[test]
    fn a_url_says_which_database_it_is() {
        for url in [
            "postgresql://synapse@localhost/synapse",
            "postgres://synapse:pass@10.10.10.44:5432/synapse",
            "host=10.10.10.44 user=synapse dbname=synapse",
            "postgresql:///synapse?host=/run/postgresql",
        ] {
            assert_eq!(target(url), "postgresql", "{url}");
        }
        assert_eq!(target("sqlite:/data/homeserver.db"), "sqlite /data/homeserver.db");
        assert_eq!(target("sqlite:///data/homeserver.db"), "sqlite /data/homeserver.db");
        assert_eq!(target("/data/homeserver.db"), "sqlite /data/homeserver.db");
        assert!(target("mysql://h/db").contains("scheme is not known"));
        assert!(target("").contains("it is empty"));
    }

    #[test]
    fn tls_that_is_demanded_is_refused_with_a_way_out() {
        let said = target("postgresql://u@db.example.org/synapse?sslmode=require");
        assert!(said.contains("not supported") && said.contains("ssh -L"), "{said}");
    }

    #[test]
    fn no_error_tells_the_password() {
        for url in [
            "postgresql://u:hush@h:port/synapse",
            "postgresql://u:hush@/synapse?nonsense=1",
            "postgresql://u:hush@h/synapse?sslmode=require",
            "host=h password=hush port=x",
            "host=h password='hush",
            "user=u password=hush dbname=synapse",
            "host=h hush dbname=synapse",
            "postgresql://u@h/synapse?hush=1",
            "postgresq://u:hush@h/synapse",
            "u:hush://h/synapse",
        ] {
            let said = target(url);
            assert!(said.contains("database") && !said.contains("hush"), "{said}");
        }
        // What looks like a path is one.
        for url in ["u:hush@h/synapse", "sqlite:u:hush@h", "postgresql:/u:hush@h/synapse"] {
            let asked = ask(&url.into(), None, &Ids::default(), &Options::default(), &AtomicBool::new(false));
            let said = asked.unwrap_err().to_string();
            assert!(said.contains("--database") && !said.contains("hush"), "{said}");
        }
    }
}

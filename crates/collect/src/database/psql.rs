//! PostgreSQL on another host, through the `psql` that is there.
//!
//! One `psql` stays for the whole run, since a snapshot is a transaction of one connection. It cannot bind parameters before version 16,
//! so ids are written as literals, by the same quoting as in the printed queries. A row comes as one line of JSON, and behind each
//! statement a line of this program's own, with what became of it.

use std::io::{self, BufRead, BufReader, Write};
use std::process::ChildStdin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, sync_channel};
use std::thread;
use std::time::{Duration, Instant};

use crypto_diag_analysis::queries::quote;
use serde_json::json;

use super::engine::{ColumnType, Engine, Failure, Row, Schema, Snapshot, Statement, Work};
use super::postgres::{BEGIN, MOMENT, POSITION, columns, limits, refusal};
use super::{Database, DatabaseError, Options, Password};
use crate::via::{self, Running, Via};

/// Lines that are read ahead.
const AHEAD: usize = 1_000;

/// How often it is looked whether the run was interrupted.
const LOOK_EVERY: Duration = Duration::from_millis(50);

/// What stands in front of what became of a statement. No JSON begins so.
const DONE: &str = "crypto-diag";

/// Settings under which psql prints rows only, and errors as their five-letter codes, since error messages quote ids and names.
const PSQL: [&str; 9] = [
    "psql",
    "--no-psqlrc",
    "--no-password",
    "--quiet",
    "--no-align",
    "--tuples-only",
    "-v",
    "VERBOSITY=sqlstate",
    "-d",
];

/// A shell command that reads the password from its first line of input and then becomes `psql`. Everybody on both hosts could see an
/// argument.
const WITH_PASSWORD: [&str; 4] = ["sh", "-c", r#"IFS= read -r PGPASSWORD && export PGPASSWORD && exec "$@""#, "sh"];

/// Whether `psql` is what asks such a database, and may be told of it: a password in an argument is seen by everybody on both hosts.
///
/// # Errors
/// If it is a file, or a password is in it.
pub(super) fn is_askable(url: &str) -> Result<(), DatabaseError> {
    let names_sqlite = url.starts_with("sqlite:") || url.starts_with('/');
    if names_sqlite {
        return Err(DatabaseError::Url("an SQLite file is asked on its own host: run this program there"));
    }
    let config: Result<tokio_postgres::Config, _> = url.parse();
    let config = config.map_err(|_| DatabaseError::Url("it is no connection string of PostgreSQL"))?;
    match config.get_password() {
        Some(_) => Err(DatabaseError::Url("with --via, the password belongs into ~/.pgpass over there")),
        None => Ok(()),
    }
}

/// A `psql` that runs.
pub(super) struct Psql<'p> {
    input: ChildStdin,
    lines: Receiver<io::Result<String>>,
    options: &'p Options,
    cancel: &'p AtomicBool,
    /// Statements so far, by which an answer is known.
    asked: u64,
    version: String,
    is_standby: Option<bool>,
}

impl<'p> Psql<'p> {
    /// Starts it. A password that is not known here is in `~/.pgpass` over there.
    ///
    /// # Errors
    /// If it does not run, or does not reach the database.
    pub fn start(
        via: &Via,
        database: &Database,
        options: &'p Options,
        cancel: &'p AtomicBool,
    ) -> Result<Self, DatabaseError> {
        let password = database.password.as_ref().map(Password::expose);
        if password.is_some_and(|password| password.contains(['\n', '\0'])) {
            let why = "its password has a line break, which cannot be given to psql: put it into ~/.pgpass over there";
            return Err(DatabaseError::Connection(why.to_owned()));
        }
        let named = PSQL.iter().copied().chain([database.url.as_str()]);
        let words: Vec<&str> = password.iter().flat_map(|_| WITH_PASSWORD).chain(named).collect();
        let (mut input, output) =
            via::converse(Some(via), &words).map_err(|error| DatabaseError::Connection(error.to_string()))?;
        if let Some(password) = password {
            // If it has ended already, why is told by the end of what it prints.
            let _ = writeln!(input, "{password}");
        }
        let mut psql = Psql {
            input,
            lines: lines_of(output),
            options,
            cancel,
            asked: 0,
            version: String::new(),
            is_standby: None,
        };
        let version = Statement {
            sql: "SELECT current_setting('server_version') AS version".to_owned(),
            columns: vec![("version", ColumnType::Text)],
        };
        let mut found = String::new();
        psql.ask(&version, &[], &mut |row| found = row["version"].as_str().unwrap_or_default().to_owned())
            .map_err(|failure| DatabaseError::Connection(failure.why))?;
        psql.version = found;
        Ok(psql)
    }

    /// Writes statements of this program's own and waits until they are done.
    fn run(&mut self, sql: &str) -> Result<(), Failure> {
        self.send(sql, &mut |_| Ok(()))
    }

    /// Asks, and hands out the rows.
    fn ask(&mut self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Failure> {
        let asked = filled(&statement.sql, params)?;
        // The statement must be one line, whatever the ids contain.
        let sql = format!("SELECT row_to_json(asked)::text FROM ({asked}) asked");
        self.send(&sql, &mut |line| {
            let row = serde_json::from_str(line);
            each(row.map_err(|_| failed("psql printed what is no row; is another program of that name there?", true))?);
            Ok(())
        })
    }

    fn send(&mut self, sql: &str, each: &mut dyn FnMut(&str) -> Result<(), Failure>) -> Result<(), Failure> {
        self.asked += 1;
        let done = format!("{DONE} {} ", self.asked);
        let written = writeln!(self.input, "{sql};\n\\echo {done}:SQLSTATE").and_then(|()| self.input.flush());
        // If psql has ended, the end of its output tells why.
        let _ = written;
        let limit = self.options.statement_timeout + self.options.silence_max;
        let over = Instant::now() + limit;
        let mut outcome = Ok(());
        loop {
            match self.lines.recv_timeout(LOOK_EVERY) {
                Ok(Ok(line)) => match line.strip_prefix(&done) {
                    Some("00000") => return outcome,
                    Some(state) => return Err(refusal(state, self.options.statement_timeout)),
                    None if outcome.is_ok() => outcome = each(&line),
                    None => {}
                },
                Ok(Err(error)) => return Err(failed(&format!("psql ended: {error}"), true)),
                Err(RecvTimeoutError::Disconnected) => return Err(failed("psql ended", true)),
                Err(RecvTimeoutError::Timeout) if self.cancel.load(Ordering::Relaxed) => {
                    return Err(failed("it was interrupted", true));
                }
                Err(RecvTimeoutError::Timeout) if Instant::now() > over => {
                    return Err(failed(&format!("it went silent: no answer within {} s", limit.as_secs_f32()), true));
                }
                Err(RecvTimeoutError::Timeout) => {}
            }
        }
    }
}

/// Reads what it prints in a thread of its own, since a read cannot be interrupted.
fn lines_of(output: Running) -> Receiver<io::Result<String>> {
    let (send, lines) = sync_channel(AHEAD);
    // It ends with the program that it reads, or when nobody listens any more.
    thread::spawn(move || {
        for line in BufReader::new(output).lines() {
            let is_last = line.is_err();
            if send.send(line).is_err() || is_last {
                return;
            }
        }
    });
    lines
}

/// A statement with literals for its parameters, `$1` and so on.
fn filled(sql: &str, params: &[&str]) -> Result<String, Failure> {
    let mut parts = sql.split('$');
    let mut text = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let (number, rest) = part.split_at(part.bytes().take_while(u8::is_ascii_digit).count());
        let param = number.parse().ok().and_then(|number: usize| params.get(number.checked_sub(1)?));
        let Some(param) = param else { return Err(failed("a parameter is not there", false)) };
        let literal = quote::sql(param).map_err(|why| failed(&format!("the id cannot be asked for: {why}"), false))?;
        text.push_str(&literal);
        text.push_str(rest);
    }
    Ok(text)
}

fn failed(why: &str, is_last: bool) -> Failure {
    Failure { why: why.to_owned(), is_last }
}

impl Engine for Psql<'_> {
    fn snapshot(&mut self, work: Work<'_>) -> Result<(), DatabaseError> {
        let ended = |failure: Failure| DatabaseError::Connection(failure.why);
        self.run(&format!("{BEGIN}; {}", limits(self.options))).map_err(ended)?;
        let moment = Statement {
            sql: MOMENT.to_owned(),
            columns: vec![("at", ColumnType::Integer), ("is_standby", ColumnType::Boolean)],
        };
        let mut seen = Row::new();
        self.ask(&moment, &[], &mut |row| seen = row).map_err(ended)?;
        let at = seen["at"].as_i64().ok_or_else(|| DatabaseError::Connection("it does not say when".to_owned()))?;
        self.is_standby = seen["is_standby"].as_bool();
        work(&mut PsqlSnapshot { psql: self, at });
        // There is nothing to commit, and a program that has ended has no transaction.
        let _ = self.run("ROLLBACK");
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
            ("connection".to_owned(), json!("psql on its host")),
        ])
    }
}

struct PsqlSnapshot<'m, 'p> {
    psql: &'m mut Psql<'p>,
    at: i64,
}

impl Snapshot for PsqlSnapshot<'_, '_> {
    fn at(&self) -> i64 {
        self.at
    }

    fn columns(&mut self, tables: &[&str]) -> Result<Schema, Failure> {
        columns(self, tables)
    }

    fn rows(&mut self, statement: &Statement, params: &[&str], each: &mut dyn FnMut(Row)) -> Result<(), Failure> {
        // A savepoint: a statement that fails would take the whole transaction with it.
        self.psql.run("SAVEPOINT question")?;
        let done = self.psql.ask(statement, params, each);
        let ended = self.psql.run("ROLLBACK TO question; RELEASE question");
        done.and(ended)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_becomes_a_literal_and_nothing_in_it_is_read_again() {
        let asked = filled("SELECT $1, $2 FROM x WHERE y = $1", &["a'b$2", r"\! id"]);
        assert_eq!(asked.unwrap(), r"SELECT 'a''b$2', E'\\! id' FROM x WHERE y = 'a''b$2'");
        assert!(filled("SELECT $1", &[]).is_err());
        assert!(filled("SELECT $1", &["a\0b"]).unwrap_err().why.contains("NUL"));
    }

    #[cfg(unix)]
    #[test]
    fn a_password_goes_to_psql_and_into_no_argument() {
        use std::fs;
        use std::os::unix::fs::PermissionsExt;

        let folder = tempfile::tempdir().unwrap();
        let home = folder.path().display();
        let script = |name: &str, text: &str| {
            let path = folder.path().join(name);
            fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
            fs::set_permissions(&path, fs::Permissions::from_mode(0o755)).unwrap();
            path.display().to_string()
        };
        // A stand-in for psql, which notes how it was called, and one for `ssh`.
        script(
            "psql",
            &format!("printf '%s|' \"$@\" > '{home}/arguments'\nprintf %s \"$PGPASSWORD\" > '{home}/password'\nexit 2"),
        );
        let far =
            script("far", &format!("printf '%s|' \"$@\" >> '{home}/shell'\nPATH='{home}':$PATH\nexec sh -c \"$*\""));
        let via = Via::find(&far).unwrap();
        let hostile = r#"h'u"s\h $X  marker "#;
        let password = serde_json::from_value(json!(hostile)).unwrap();
        let database = Database { url: "host='db' dbname='synapse'".to_owned(), password: Some(password) };
        let (options, cancel) = (Options::default(), AtomicBool::new(false));
        let started = Psql::start(&via, &database, &options, &cancel);
        assert!(started.is_err_and(|error| error.to_string().contains("exit status: 2")));
        let read = |name: &str| fs::read_to_string(folder.path().join(name)).unwrap();
        assert_eq!(read("password"), hostile);
        assert!(read("arguments").ends_with("-d|host='db' dbname='synapse'|"), "{}", read("arguments"));
        assert!(!read("arguments").contains("marker") && !read("shell").contains("marker"), "{}", read("shell"));
    }
}

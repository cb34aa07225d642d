//! Server queries for a report: the runbook's greps and SQL, corrected for the schema of Synapse 1.155 and filled in.
//!
//! They only read. `docs/runbook.md` says which question each of them answers; the columns are those of Synapse's schema, and
//! `tests/live/server-queries.test.mjs` runs them on a real one.

mod ids;
mod ke1;
mod ke2;
mod ke3;
mod ke4;
mod olm;
pub mod quote;

use std::fmt::Write;

use serde::Serialize;

use crate::report::Report;
use ids::Ids;
use quote::Unquotable;

/// Ids of one kind that a query holds at most; what is left out is said.
pub const IDS_MAX: usize = 50;

/// Rows that a query of many rows asks for at most.
const ROWS_MAX: usize = 500;

/// Where a query runs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub enum RunsOn {
    /// The host with Synapse's log: a shell command.
    LogHost,
    /// The host with the database: SQL for psql.
    DatabaseHost,
    /// A host that reaches Prometheus: a shell command.
    PrometheusHost,
    /// The computer of any member of the room: a shell command, with the member's own access token.
    MemberHost,
}

impl RunsOn {
    /// The query's language, as a Markdown fence names it.
    pub fn language(self) -> &'static str {
        match self {
            RunsOn::LogHost | RunsOn::PrometheusHost | RunsOn::MemberHost => "sh",
            RunsOn::DatabaseHost => "sql",
        }
    }
}

/// One query.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ServerQuery"))]
#[serde(rename_all = "camelCase")]
pub struct Query {
    /// What findings call it.
    pub name: &'static str,
    /// The family that it is for: `KE-1` and so on, or `OLM`.
    pub ke: &'static str,
    /// The question that it answers, and how to read the answer.
    pub question: &'static str,
    /// Where it runs.
    pub runs_on: RunsOn,
    /// The command or statement, with all ids filled in and quoted.
    pub text: String,
}

/// Something that could not be asked.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "RefusedQuery"))]
#[serde(rename_all = "camelCase")]
pub struct Refused {
    /// The query that lacks it.
    pub name: &'static str,
    /// Why.
    pub reason: String,
}

/// The queries of a report.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "BareServerQueries"))]
#[serde(rename_all = "camelCase")]
pub struct ServerQueries {
    /// What can be asked.
    pub queries: Vec<Query>,
    /// What cannot, wholly or in part, and why.
    pub refused: Vec<Refused>,
}

/// The queries of a report, and the same as one text for a clipboard.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema), schemars(rename = "ServerQueries"))]
pub struct Printed {
    /// All of them.
    pub text: String,
    /// One by one.
    #[serde(flatten)]
    pub queries: ServerQueries,
}

impl From<ServerQueries> for Printed {
    fn from(queries: ServerQueries) -> Self {
        Printed { text: queries.to_text(), queries }
    }
}

/// What the report does not know of the server.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct QueryOptions {
    /// Synapse's log file on its host.
    pub log: String,
}

impl Default for QueryOptions {
    /// The runbook's place, that of Synapse's Debian package.
    fn default() -> Self {
        QueryOptions { log: "/var/log/matrix-synapse/homeserver.log".to_owned() }
    }
}

/// The queries for a report: of each family that has entries, with the ids that they name.
///
/// ```
/// use crypto_diag_analysis::{QueryOptions, Report, server_queries};
///
/// let report = r#"{"schema":"crypto-diag/report","schemaVersion":1,"userId":"@o'hara:example.org","deviceId":"ABC",
///   "entries":[{"ts":1,"level":"error","ke":"KE-1","meaning":"failure","signature":"already exists",
///     "message":"One time key signed_curve25519:AAAAAAAAADQ already exists."}]}"#;
/// let queries = server_queries(&Report::from_json(report).unwrap(), &QueryOptions::default());
/// let keys = queries.queries.iter().find(|query| query.name == "ke1-one-time-keys").unwrap();
/// assert!(keys.text.contains("user_id = '@o''hara:example.org'"));
/// ```
pub fn server_queries(report: &Report, options: &QueryOptions) -> ServerQueries {
    let ids = Ids::of(report);
    let mut asked = Asked { log: &options.log, answer: ServerQueries::default(), name: "", params: Vec::new() };
    if ids.has.ke1 {
        ke1::ask(&ids, &mut asked);
    }
    if ids.has.ke2 {
        ke2::ask(&ids, &mut asked);
    }
    if ids.has.ke3 {
        ke3::ask(&ids, &mut asked);
    }
    if ids.has.ke4 {
        ke4::ask(&ids, &mut asked);
    }
    if ids.has.olm {
        olm::ask(&ids, &mut asked);
    }
    asked.answer
}

/// The first column of an answer: `<name> <milliseconds since the epoch> <JSON list of what was asked about>`.
pub const ASKED: &str = "asked";

/// The second: a null, as the client shows it.
pub const NOTHING: &str = "nothing";

/// JSON without what a table is drawn with, and without what a terminal or another encoding would change.
fn ascii(json: &str) -> String {
    let mut text = String::with_capacity(json.len());
    for character in json.chars() {
        if character.is_ascii_graphic() && character != '|' || character == ' ' {
            text.push(character);
        } else {
            for unit in character.encode_utf16(&mut [0; 2]) {
                let _ = write!(text, "\\u{unit:04x}");
            }
        }
    }
    text
}

/// The queries so far. A query whose ids cannot be quoted is refused; ids that are null leave theirs out.
struct Asked<'a> {
    log: &'a str,
    answer: ServerQueries,
    name: &'static str,
    /// What the query that is being made asks about, in its order.
    params: Vec<String>,
}

/// An id could not be quoted, or there is none: the query cannot be asked.
struct Omitted;

type Quoted = Result<String, Omitted>;

impl Asked<'_> {
    /// Adds a query whose text may not come about.
    fn add(
        &mut self,
        name: &'static str,
        ke: &'static str,
        runs_on: RunsOn,
        question: &'static str,
        text: impl FnOnce(&mut Self) -> Quoted,
    ) {
        self.name = name;
        if self.answer.queries.iter().any(|query| query.name == name) {
            return;
        }
        self.params.clear();
        if let Ok(text) = text(self) {
            let text = if runs_on == RunsOn::DatabaseHost { self.described(&text) } else { text };
            self.answer.queries.push(Query { name, ke, question, runs_on, text });
        }
    }

    fn refuse(&mut self, reason: String) -> Omitted {
        let refused = Refused { name: self.name, reason };
        if !self.answer.refused.contains(&refused) {
            self.answer.refused.push(refused);
        }
        Omitted
    }

    /// The statement with the columns that say what was asked, when, and how this client shows that there is no value. The
    /// join gives one row where the statement gives none, so that an empty answer says what it answers.
    fn described(&self, statement: &str) -> String {
        let params = format!(" {}", ascii(&serde_json::to_string(&self.params).unwrap_or_default()));
        let params = quote::sql(&params).unwrap_or_else(|_| "' []'".to_owned());
        let statement = statement.trim_end_matches(';').replace('\n', "\n  ");
        format!(
            "SELECT '{} ' || (extract(epoch FROM now()) * 1000)::bigint || {params} AS {ASKED}, NULL::text AS {NOTHING}, a.*\n  \
             FROM (VALUES (1)) AS one\n  \
             LEFT JOIN (\n  {statement}\n  ) AS a ON true;",
            self.name
        )
    }

    /// A literal of what is asked about.
    fn sql(&mut self, what: &str, id: Option<&str>) -> Quoted {
        match id.map(quote::sql) {
            Some(Ok(literal)) => {
                self.params.extend(id.map(str::to_owned));
                Ok(literal)
            }
            Some(Err(why)) => Err(self.refuse(format!("a {what} cannot be asked for: {why}"))),
            None => Err(self.refuse(format!("the report names no {what}"))),
        }
    }

    /// A list of literals for `IN (…)`.
    fn sql_list<'b>(&mut self, what: &str, ids: impl IntoIterator<Item = &'b String>) -> Quoted {
        self.list(what, ids, quote::sql).map(|literals| literals.join(", "))
    }

    /// A word.
    fn shell(&mut self, what: &str, id: Option<&str>) -> Quoted {
        match id.map(quote::shell) {
            Some(Ok(word)) => Ok(word),
            Some(Err(why)) => Err(self.refuse(format!("a {what} cannot be asked for: {why}"))),
            None => Err(self.refuse(format!("the report names no {what}"))),
        }
    }

    /// The log file.
    fn log(&mut self) -> Quoted {
        let log = self.log;
        self.shell("log file", Some(log))
    }

    /// `-e` options of grep, one for each text.
    fn patterns<'b>(&mut self, what: &str, ids: impl IntoIterator<Item = &'b String>) -> Quoted {
        let words = self.list(what, ids, quote::shell)?;
        Ok(words.iter().map(|word| format!("-e {word}")).collect::<Vec<_>>().join(" "))
    }

    fn list<'b>(
        &mut self,
        what: &str,
        ids: impl IntoIterator<Item = &'b String>,
        quote: fn(&str) -> Result<String, Unquotable>,
    ) -> Result<Vec<String>, Omitted> {
        let mut quoted = Vec::new();
        let mut more = 0;
        for id in ids {
            match quote(id) {
                Ok(text) if quoted.len() < IDS_MAX => {
                    self.params.push(id.clone());
                    quoted.push(text);
                }
                Ok(_) => more += 1,
                Err(why) => {
                    self.refuse(format!("a {what} is left out: {why}"));
                }
            }
        }
        if more > 0 {
            self.refuse(format!("{more} more {what}s are left out: a query holds at most {IDS_MAX}"));
        }
        if quoted.is_empty() { Err(self.refuse(format!("the report names no {what}"))) } else { Ok(quoted) }
    }
}

/// What to know before asking, for people: which logger is worth raising, and which must never be. Both texts begin with it.
pub const PREAMBLE: &str = "These queries only read. Run SQL with `psql -X synapse` after `SET default_transaction_read_only = on;`. \
Rotated logs: `zgrep` takes the same options. A query that finds nothing refutes nothing unless the log covers the time \
at INFO. If more is needed, raise the logger `synapse.9533_debug` to DEBUG (to-device messages with their ids) and back \
again; never raise `synapse.storage.SQL`: it prints access tokens.";

impl ServerQueries {
    /// The queries as Markdown, for an issue or a chat.
    pub fn to_markdown(&self) -> String {
        let mut text = format!("{PREAMBLE}\n");
        for query in &self.queries {
            let Query { name, ke, question, runs_on, text: body } = query;
            // A fence that is longer than any run of backticks in the text cannot be closed by it.
            let fence = "`".repeat(3.max(1 + longest_run(body, '`')));
            let host = on(*runs_on);
            let language = runs_on.language();
            let _ = write!(text, "\n### {ke} · {name} · {host}\n\n{question}\n\n{fence}{language}\n{body}\n{fence}\n");
        }
        for refused in &self.refused {
            let _ = write!(text, "\nNot asked ({}): {}.\n", refused.name, refused.reason);
        }
        text
    }

    /// The queries as plain text: comments of the language say where each runs and what it answers.
    pub fn to_text(&self) -> String {
        let mut text = format!("{PREAMBLE}\n");
        for query in &self.queries {
            let comment = if query.runs_on == RunsOn::DatabaseHost { "--" } else { "#" };
            let Query { name, ke, question, runs_on, text: body } = query;
            let _ = write!(text, "\n{comment} {ke}, {name}, {}\n{comment} {question}\n{body}\n", on(*runs_on));
        }
        for refused in &self.refused {
            let _ = write!(text, "\nNot asked ({}): {}.\n", refused.name, refused.reason);
        }
        text
    }
}

fn on(runs_on: RunsOn) -> &'static str {
    match runs_on {
        RunsOn::LogHost => "on the log host",
        RunsOn::DatabaseHost => "on the database host",
        RunsOn::PrometheusHost => "where Prometheus is reached",
        RunsOn::MemberHost => "for any member of the room, without an operator",
    }
}

fn longest_run(text: &str, wanted: char) -> usize {
    text.split(|character| character != wanted).map(str::len).max().unwrap_or(0)
}

//! Asks all questions once, and keeps the answers.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::{AtomicBool, Ordering};

use crypto_diag_triage::bundle::Refusal;
use serde_json::{Value, json};

use super::engine::{Failure, Row, Schema, Snapshot, Statement};
use super::question::{About, Question};
use super::questions::{self, INBOX, QUESTIONS};
use super::{IDS_MAX, Options};
use crate::ids::Ids;

/// Answers so far.
pub(super) struct Round<'r> {
    options: &'r Options,
    cancel: &'r AtomicBool,
    position: Option<Statement>,
    users: Vec<String>,
    events: Vec<String>,
    /// Users of this server; `None` if that could not be found out.
    local: Option<BTreeSet<String>>,
    schema: Schema,
    schema_version: Option<i64>,
    moments: Vec<i64>,
    missing: BTreeSet<String>,
    /// Set when further questions would fail as well.
    ended: bool,
    pub queries: Vec<Value>,
    pub refused: Vec<Refusal>,
}

impl<'r> Round<'r> {
    pub fn new(ids: &Ids, options: &'r Options, cancel: &'r AtomicBool, position: Option<Statement>) -> Self {
        let mut round = Round {
            options,
            cancel,
            position,
            users: Vec::new(),
            events: Vec::new(),
            local: None,
            schema: Schema::default(),
            schema_version: None,
            moments: Vec::new(),
            missing: BTreeSet::new(),
            ended: false,
            queries: Vec::new(),
            refused: Vec::new(),
        };
        round.users = round.within_limit("users", &ids.users);
        round.events = round.within_limit("events", &ids.event_ids);
        round
    }

    fn within_limit(&mut self, what: &str, ids: &BTreeSet<String>) -> Vec<String> {
        if ids.len() > IDS_MAX {
            self.refuse(
                &format!("{} {what}", ids.len() - IDS_MAX),
                &format!("there are {} in all, and the first {IDS_MAX} were asked about", ids.len()),
            );
        }
        ids.iter().take(IDS_MAX).cloned().collect()
    }

    /// Notes what is not answered.
    pub fn refuse(&mut self, what: &str, why: &str) {
        let refusal = Refusal { what: what.to_owned(), why: why.to_owned() };
        // Both looks at the inbox may be refused with the same words; note them once.
        if !self.refused.contains(&refusal) {
            self.refused.push(refusal);
        }
    }

    /// The first snapshot.
    pub fn everything(&mut self, snapshot: &mut dyn Snapshot) {
        if !self.read_schema(snapshot) {
            return;
        }
        self.find_local_users(snapshot);
        for question in QUESTIONS {
            self.ask(snapshot, question);
        }
        self.ask_position(snapshot);
    }

    /// What could be asked, without asking it.
    pub fn check(&mut self, snapshot: &mut dyn Snapshot) {
        if !self.read_schema(snapshot) {
            return;
        }
        for question in QUESTIONS {
            self.statement(question);
        }
    }

    /// The columns that are there. Without any, there is nothing to ask.
    fn read_schema(&mut self, snapshot: &mut dyn Snapshot) -> bool {
        self.moments.push(snapshot.at());
        match snapshot.columns(&questions::tables()) {
            Ok(schema) => self.schema = schema,
            Err(failure) => {
                self.ended |= failure.is_last;
                self.refuse("the database", &failure.why);
                return false;
            }
        }
        if self.schema == Schema::default() {
            let why = "none of Synapse's tables is there, or this role may read none: check the database's name and \
                       the role's SELECT privileges";
            self.refuse("the database", why);
            return false;
        }
        self.schema_version = self.one_number(snapshot);
        true
    }

    /// The question's statement; without one, why is noted.
    fn statement(&mut self, question: &Question) -> Option<Statement> {
        match question.statement(&self.schema, self.options.rows_max) {
            Ok(asked) => {
                self.missing.extend(asked.missing);
                Some(asked.statement)
            }
            Err(needed) => {
                let why =
                    format!("not in this version of Synapse, or not to be read by this role: {}", needed.join(", "));
                self.refuse(question.name, &why);
                None
            }
        }
    }

    /// The second snapshot.
    pub fn inbox_again(&mut self, snapshot: &mut dyn Snapshot) {
        self.moments.push(snapshot.at());
        self.ask(snapshot, &INBOX);
        self.ask_position(snapshot);
    }

    /// Whether there is an inbox to look at twice.
    pub fn wants_second_look(&self) -> bool {
        let is_inbox = |answer: &Value| answer["name"] == INBOX.name;
        !self.ended && self.queries.iter().any(is_inbox)
    }

    /// What the bundle's manifest says of it.
    pub fn coverage(&self) -> Row {
        let mut rows: BTreeMap<&str, usize> = BTreeMap::new();
        for answer in &self.queries {
            let count = answer["rows"].as_array().map_or(0, Vec::len);
            *rows.entry(answer["name"].as_str().unwrap_or_default()).or_default() += count;
        }
        let elsewhere: Vec<&String> = match &self.local {
            Some(local) => self.users.iter().filter(|user| !local.contains(*user)).collect(),
            None => Vec::new(),
        };
        Row::from_iter([
            ("schemaVersion".to_owned(), json!(self.schema_version)),
            ("moments".to_owned(), json!(self.moments)),
            ("rows".to_owned(), json!(rows)),
            ("missingColumns".to_owned(), json!(self.missing)),
            ("usersElsewhere".to_owned(), json!(elsewhere)),
        ])
    }

    fn one_number(&mut self, snapshot: &mut dyn Snapshot) -> Option<i64> {
        let mut number = None;
        if self.schema.has("schema_version.version") {
            let statement = questions::schema_version();
            let done = snapshot.rows(&statement, &[], &mut |row| number = row.get("version").and_then(Value::as_i64));
            self.note("the schema's version", done);
        }
        number
    }

    /// A user of another server has no devices in this database. The answer must not read as if the devices did not exist.
    fn find_local_users(&mut self, snapshot: &mut dyn Snapshot) {
        if !self.schema.has("users.name") {
            self.missing.insert("users.name".to_owned());
            return;
        }
        let mut local = BTreeSet::new();
        for user in self.users.clone() {
            if self.is_over() {
                return;
            }
            let mut found = false;
            let done = snapshot.rows(&questions::local_user(), &[&user], &mut |_| found = true);
            if !self.note(&format!("whether {user} is a user of this server"), done) {
                return;
            }
            if found {
                local.insert(user);
            }
        }
        self.local = Some(local);
    }

    fn ask(&mut self, snapshot: &mut dyn Snapshot, question: &Question) {
        let ids = if question.about == About::User { self.users.clone() } else { self.events.clone() };
        if ids.is_empty() {
            return;
        }
        let Some(statement) = self.statement(question) else { return };
        for id in ids {
            if question.about == About::User && self.local.as_ref().is_some_and(|local| !local.contains(&id)) {
                continue;
            }
            let what = format!("{} of {id}", question.name);
            if self.is_over() {
                self.refuse(&what, self.why_over());
                continue;
            }
            let mut rows: Vec<Row> = Vec::new();
            let done = snapshot.rows(&statement, &[&id], &mut |mut row| {
                (question.reduce)(&mut row);
                rows.push(row);
            });
            if self.note(&what, done) {
                self.answer(snapshot, question, id, rows);
            }
        }
    }

    fn answer(&mut self, snapshot: &mut dyn Snapshot, question: &Question, id: String, mut rows: Vec<Row>) {
        let mut name = question.name.to_owned();
        if rows.len() > self.options.rows_max {
            rows.truncate(self.options.rows_max);
            let what = format!("a part of {name} of {id}");
            self.refuse(
                &what,
                &format!("there are more than {} rows, and the first were taken", self.options.rows_max),
            );
            if question.name == INBOX.name {
                let Some(rest) = self.rest_of_inbox(snapshot, &id, &rows) else {
                    // If `params` named the user, triage would take the answer for the whole inbox.
                    return self.push(name, &[], snapshot.at(), rows);
                };
                rows.extend(rest);
            } else {
                // Triage takes a list under the question's own name for complete, so a shortened list gets another name.
                name.push_str("_part");
            }
        }
        // We do not know whether the user belongs to this server. Then no rows may only mean that another server has them.
        if rows.is_empty() && question.about == About::User && self.local.is_none() {
            return self.refuse(
                &format!("{name} of {id}"),
                "there are no rows, and whether it is a user of this server is not known",
            );
        }
        self.push(name, &[id], snapshot.at(), rows);
    }

    fn push(&mut self, name: String, params: &[String], at: i64, rows: Vec<Row>) {
        self.queries.push(json!({"name": name, "params": params, "at": at, "rows": rows}));
    }

    /// What the list of a long inbox leaves out, counted by device.
    fn rest_of_inbox(&mut self, snapshot: &mut dyn Snapshot, user: &str, listed: &[Row]) -> Option<Vec<Row>> {
        // The list is ordered by position, so the messages that are left out come after its end.
        let end = listed.last().and_then(|row| row.get("stream_id")).cloned().unwrap_or_default();
        let mut rest = Vec::new();
        let done = snapshot.rows(&questions::inbox_counts(), &[user], &mut |mut row| {
            let known = listed.iter().filter(|listed| listed.get("device_id") == row.get("device_id")).count();
            let pending = row.get("pending").and_then(Value::as_i64).unwrap_or(0) - known as i64;
            if pending > 0 {
                row.insert("user_id".into(), user.into());
                row.insert("pending".into(), pending.into());
                row.insert("first_stream_id".into(), end.clone());
                rest.push(row);
            }
        });
        self.note(&format!("the count of the inbox of {user}"), done).then_some(rest)
    }

    fn ask_position(&mut self, snapshot: &mut dyn Snapshot) {
        let Some(statement) = self.position.clone().filter(|_| !self.users.is_empty() && !self.is_over()) else {
            return;
        };
        let mut rows: Vec<Row> = Vec::new();
        let done = snapshot.rows(&statement, &[], &mut |row| rows.push(row));
        if self.note("the newest position of the to-device stream", done) {
            self.push("to_device_position".to_owned(), &[], snapshot.at(), rows);
        }
    }

    /// Whether it was answered; if not, why is noted.
    fn note(&mut self, what: &str, done: Result<(), Failure>) -> bool {
        let Err(failure) = done else { return true };
        self.ended |= failure.is_last;
        self.refuse(what, if self.is_interrupted() { "it was interrupted" } else { &failure.why });
        false
    }

    fn is_interrupted(&self) -> bool {
        self.cancel.load(Ordering::Relaxed)
    }

    fn is_over(&self) -> bool {
        self.ended || self.is_interrupted()
    }

    fn why_over(&self) -> &'static str {
        if self.is_interrupted() { "it was interrupted" } else { "the connection had ended" }
    }
}

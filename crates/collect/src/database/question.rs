//! The form of a question: a table's columns, and what is done in a version of Synapse that lacks one.

use super::engine::{ColumnType, Row, Schema, Statement};

/// Bytes of one stored object that are fetched at most; a larger one is left on the server.
const OBJECT_BYTES_MAX: usize = 256 * 1024;

/// The alias of a question's own table.
const OWN: &str = "t";

/// What a question is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum About {
    User,
    Event,
}

/// A column of an answer.
pub(super) struct Column {
    pub name: &'static str,
    pub kind: ColumnType,
    pub from: From,
    /// What it needs, as `table.column`; empty: the column `name` of the question's own table.
    pub needs: &'static [&'static str],
    pub presence: Presence,
}

/// Where a column comes from.
#[derive(Clone, Copy, Debug)]
pub(super) enum From {
    /// The question's own table, under the same name.
    Own,
    /// A JSON object as text, of the table with that alias; NULL if it is unreasonably large.
    Object(&'static str),
    /// An expression.
    Sql(&'static str),
}

/// What to do if a column is missing.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Presence {
    /// The question cannot be asked.
    Needed,
    /// It is NULL.
    OrNull,
    /// The column is left out, since NULL would have a meaning.
    OrAbsent,
}

/// A question, for one user or one event at a time.
pub(super) struct Question {
    /// The table's name in the bundle, which `crypto-diag triage` knows.
    pub name: &'static str,
    pub about: About,
    /// The table.
    pub table: &'static str,
    pub columns: &'static [Column],
    /// Tables that are joined if a column of theirs is there.
    pub joins: &'static [Join],
    /// Conditions beside the id, each if its column is there.
    pub filters: &'static [(&'static str, &'static str)],
    pub order: &'static str,
    /// What is kept of a row.
    pub reduce: fn(&mut Row),
}

/// A join.
pub(super) struct Join {
    pub needs: &'static [&'static str],
    pub sql: &'static str,
}

/// A column of the question's own table.
pub(super) const fn column(name: &'static str, kind: ColumnType, presence: Presence) -> Column {
    Column { name, kind, from: From::Own, needs: &[], presence }
}

/// A JSON object of the question's own table.
pub(super) const fn object(name: &'static str) -> Column {
    Column { name, kind: ColumnType::Text, from: From::Object("t"), needs: &[], presence: Presence::OrNull }
}

/// A statement, and the columns that it does without.
#[derive(Debug)]
pub(super) struct Asked {
    pub statement: Statement,
    pub missing: Vec<String>,
}

impl Question {
    /// The statement for `$1`, with one row more than wanted, so that an overflow shows.
    ///
    /// # Errors
    /// The columns without which it cannot be asked.
    pub fn statement(&self, schema: &Schema, rows_max: usize) -> Result<Asked, Vec<String>> {
        let own = |name: &str| format!("{}.{name}", self.table);
        let mut missing = Vec::new();
        let mut needed = Vec::new();
        let mut columns = Vec::new();
        let mut select = Vec::new();
        for column in self.columns {
            let needs: Vec<String> = match column.needs {
                [] => vec![own(column.name)],
                needs => needs.iter().map(|need| (*need).to_owned()).collect(),
            };
            let lacks: Vec<String> = needs.into_iter().filter(|need| !schema.has(need)).collect();
            let (name, kind) = (column.name, column.kind.sql());
            let expression = match (lacks.is_empty(), column.presence) {
                (true, _) => match column.from {
                    From::Own => format!("{OWN}.{name}"),
                    From::Object(of) => {
                        format!("CASE WHEN octet_length({of}.{name}) <= {OBJECT_BYTES_MAX} THEN {of}.{name} END")
                    }
                    From::Sql(sql) => sql.to_owned(),
                },
                (false, Presence::OrNull) => "NULL".to_owned(),
                (false, Presence::OrAbsent) => {
                    missing.extend(lacks);
                    continue;
                }
                (false, Presence::Needed) => {
                    needed.extend(lacks);
                    continue;
                }
            };
            missing.extend(lacks);
            select.push(format!("CAST({expression} AS {kind}) AS {name}"));
            columns.push((name, column.kind));
        }
        let id = if self.about == About::User { "user_id" } else { "event_id" };
        if !schema.has(&own(id)) {
            needed.push(own(id));
        }
        needed.sort();
        needed.dedup();
        missing.sort();
        missing.dedup();
        if !needed.is_empty() {
            return Err(needed);
        }
        let joins = self.joins.iter().filter(|join| join.needs.iter().all(|need| schema.has(need)));
        let filters = self.filters.iter().filter(|(needs, _)| schema.has(needs));
        let sql = format!(
            "SELECT {} FROM {} {OWN}{} WHERE {OWN}.{id} = $1{} ORDER BY {} LIMIT {}",
            select.join(", "),
            self.table,
            joins.map(|join| format!(" {}", join.sql)).collect::<String>(),
            filters.map(|(_, sql)| format!(" AND {sql}")).collect::<String>(),
            self.order,
            rows_max.saturating_add(1),
        );
        Ok(Asked { statement: Statement { sql, columns }, missing })
    }
}

//! What is asked, by Synapse's schema. Tables differ between versions: what is not there is NULL, or the question is not
//! asked, and either is said. Columns that are not named here are never read: tokens, passwords, addresses, device names.

use super::engine::{ColumnType, Row, Statement};
use super::private;
use super::question::{About, Column, From, Join, Presence, Question, column, object};

const fn user_id() -> Column {
    column("user_id", ColumnType::Text, Presence::Needed)
}

const fn device_id() -> Column {
    column("device_id", ColumnType::Text, Presence::Needed)
}

fn keep(_: &mut Row) {}

/// Everything that is asked once.
pub(super) const QUESTIONS: &[Question] = &[DEVICES, DEVICE_KEYS, ONE_TIME_KEYS, FALLBACK_KEYS, INBOX, EVENT];

const IS_DEHYDRATED: &[&str] = &["dehydrated_devices.user_id", "dehydrated_devices.device_id"];

const DEVICES: Question = Question {
    name: "devices",
    about: About::User,
    table: "devices",
    columns: &[
        user_id(),
        device_id(),
        column("last_seen", ColumnType::Integer, Presence::OrNull),
        column("hidden", ColumnType::Boolean, Presence::OrNull),
        Column {
            name: "dehydrated",
            kind: ColumnType::Boolean,
            from: From::Sql(
                "EXISTS (SELECT 1 FROM dehydrated_devices x WHERE x.user_id = t.user_id AND x.device_id = t.device_id)",
            ),
            needs: IS_DEHYDRATED,
            presence: Presence::OrNull,
        },
    ],
    joins: &[],
    // Leave out cross-signing keys, which the table holds as if they were devices. Dehydrated devices are marked and kept: if they were left
    // out, they would seem not to exist.
    filters: &[("devices.hidden", "NOT coalesce(t.hidden, FALSE)")],
    order: "t.device_id",
    reduce: keep,
};

const DEVICE_KEYS: Question = Question {
    name: "device_keys",
    about: About::User,
    table: "e2e_device_keys_json",
    columns: &[
        user_id(),
        device_id(),
        column("ts_added_ms", ColumnType::Integer, Presence::OrNull),
        object("key_json"),
    ],
    joins: &[],
    filters: &[],
    order: "t.device_id",
    reduce: private::key,
};

const ONE_TIME_KEYS: Question = Question {
    name: "one_time_keys",
    about: About::User,
    table: "e2e_one_time_keys_json",
    columns: &[
        user_id(),
        device_id(),
        column("algorithm", ColumnType::Text, Presence::OrNull),
        column("key_id", ColumnType::Text, Presence::Needed),
        column("ts_added_ms", ColumnType::Integer, Presence::OrNull),
        object("key_json"),
    ],
    joins: &[],
    filters: &[],
    order: "t.device_id, t.key_id",
    reduce: private::key,
};

const FALLBACK_KEYS: Question = Question {
    name: "fallback_keys",
    about: About::User,
    table: "e2e_fallback_keys_json",
    columns: &[
        user_id(),
        device_id(),
        column("algorithm", ColumnType::Text, Presence::OrNull),
        column("key_id", ColumnType::Text, Presence::Needed),
        column("used", ColumnType::Boolean, Presence::OrNull),
        object("key_json"),
    ],
    joins: &[],
    filters: &[],
    order: "t.device_id, t.key_id",
    reduce: private::key,
};

/// Asked twice, some seconds apart: messages that are in both answers are not being fetched.
pub(super) const INBOX: Question = Question {
    name: "device_inbox",
    about: About::User,
    table: "device_inbox",
    columns: &[
        user_id(),
        device_id(),
        column("stream_id", ColumnType::Integer, Presence::Needed),
        column("instance_name", ColumnType::Text, Presence::OrNull),
        Column {
            name: "bytes",
            kind: ColumnType::Integer,
            from: From::Sql("octet_length(t.message_json)"),
            needs: &["device_inbox.message_json"],
            presence: Presence::OrNull,
        },
        object("message_json"),
        Column {
            name: "dehydrated",
            kind: ColumnType::Boolean,
            from: From::Sql(
                "EXISTS (SELECT 1 FROM dehydrated_devices x WHERE x.user_id = t.user_id AND x.device_id = t.device_id)",
            ),
            needs: IS_DEHYDRATED,
            presence: Presence::OrNull,
        },
    ],
    joins: &[],
    filters: &[],
    // The oldest messages first: they tell whether the inbox drains.
    order: "t.stream_id, t.device_id",
    reduce: private::message,
};

const EVENT: Question = Question {
    name: "event",
    about: About::Event,
    table: "events",
    columns: &[
        column("event_id", ColumnType::Text, Presence::Needed),
        column("room_id", ColumnType::Text, Presence::OrNull),
        column("type", ColumnType::Text, Presence::OrNull),
        column("sender", ColumnType::Text, Presence::OrNull),
        column("origin_server_ts", ColumnType::Integer, Presence::OrNull),
        Column {
            name: "json",
            kind: ColumnType::Text,
            from: From::Object("j"),
            needs: &["event_json.event_id", "event_json.json"],
            presence: Presence::OrAbsent,
        },
        Column {
            name: "redacted_by",
            kind: ColumnType::Text,
            from: From::Sql("r.event_id"),
            needs: REDACTION,
            // NULL would mean that the event was never redacted.
            presence: Presence::OrAbsent,
        },
        Column {
            name: "redacted_ts",
            kind: ColumnType::Integer,
            from: From::Sql("r.received_ts"),
            needs: &["redactions.event_id", "redactions.redacts", "redactions.received_ts"],
            presence: Presence::OrAbsent,
        },
        Column {
            name: "have_censored",
            kind: ColumnType::Boolean,
            from: From::Sql("r.have_censored"),
            needs: &["redactions.event_id", "redactions.redacts", "redactions.have_censored"],
            presence: Presence::OrAbsent,
        },
    ],
    joins: &[
        Join {
            needs: &["event_json.event_id", "event_json.json"],
            sql: "LEFT JOIN event_json j ON j.event_id = t.event_id",
        },
        Join { needs: REDACTION, sql: "LEFT JOIN redactions r ON r.redacts = t.event_id" },
    ],
    filters: &[],
    order: "t.event_id",
    reduce: private::event,
};

const REDACTION: &[&str] = &["redactions.event_id", "redactions.redacts"];

/// The tables whose columns matter.
pub(super) fn tables() -> Vec<&'static str> {
    let mut tables: Vec<&str> = QUESTIONS.iter().map(|question| question.table).collect();
    tables.extend(["event_json", "redactions", "dehydrated_devices", "users", "schema_version"]);
    tables
}

/// How much waits for each device of a user, for inboxes that are too long to be listed.
pub(super) fn inbox_counts() -> Statement {
    Statement {
        sql: "SELECT CAST(t.device_id AS text) AS device_id, CAST(count(*) AS bigint) AS pending, \
              CAST(max(t.stream_id) AS bigint) AS last_stream_id \
              FROM device_inbox t WHERE t.user_id = $1 GROUP BY t.device_id ORDER BY t.device_id"
            .to_owned(),
        columns: vec![
            ("device_id", ColumnType::Text),
            ("pending", ColumnType::Integer),
            ("last_stream_id", ColumnType::Integer),
        ],
    }
}

/// Whether a user is one of this server's.
pub(super) fn local_user() -> Statement {
    Statement {
        sql: "SELECT CAST(t.name AS text) AS name FROM users t WHERE t.name = $1 LIMIT 1".to_owned(),
        columns: vec![("name", ColumnType::Text)],
    }
}

/// Which version of Synapse's schema it is.
pub(super) fn schema_version() -> Statement {
    Statement {
        sql: "SELECT CAST(t.version AS bigint) AS version FROM schema_version t LIMIT 1".to_owned(),
        columns: vec![("version", ColumnType::Integer)],
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::database::engine::Schema;

    fn schema(columns: &[&str]) -> Schema {
        Schema(columns.iter().map(|column| (*column).to_owned()).collect())
    }

    #[test]
    fn no_question_reads_what_is_private() {
        let everything: Vec<String> = QUESTIONS
            .iter()
            .flat_map(|question| {
                question.columns.iter().flat_map(|column| {
                    let own = format!("{}.{}", question.table, column.name);
                    column.needs.iter().map(|need| (*need).to_owned()).chain([own])
                })
            })
            .collect();
        let all = Schema(everything.into_iter().collect());
        for question in QUESTIONS {
            let sql = question.statement(&all, 10).expect("all columns are there").statement.sql;
            for private in ["token", "password", "display_name", "user_agent", ".ip", "device_data", "*,", "SELECT *"] {
                assert!(!sql.contains(private), "{private}: {sql}");
            }
        }
    }

    #[test]
    fn a_column_that_is_missing_is_null_and_named() {
        let known = schema(&[
            "e2e_fallback_keys_json.user_id",
            "e2e_fallback_keys_json.device_id",
            "e2e_fallback_keys_json.key_id",
        ]);
        let asked = FALLBACK_KEYS.statement(&known, 10).expect("what is needed is there");
        assert!(asked.statement.sql.contains("CAST(NULL AS boolean) AS used"), "{}", asked.statement.sql);
        assert!(asked.statement.sql.ends_with("LIMIT 11"));
        assert_eq!(
            asked.missing,
            ["algorithm", "key_json", "used"].map(|name| format!("e2e_fallback_keys_json.{name}"))
        );
    }

    #[test]
    fn without_redactions_an_event_is_not_said_to_be_unredacted() {
        let known = schema(&["events.event_id", "event_json.event_id", "event_json.json"]);
        let asked = EVENT.statement(&known, 10).expect("what is needed is there");
        assert!(!asked.statement.sql.contains("redact"), "{}", asked.statement.sql);
        assert!(
            asked.statement.columns.iter().all(|(name, _)| !name.starts_with("redacted") && *name != "have_censored")
        );
    }

    #[test]
    fn a_question_without_its_table_is_not_asked() {
        assert_eq!(INBOX.statement(&Schema::default(), 1).err().map(|needed| needed.len()), Some(3));
    }
}

//! Query results: our bundle's JSON, `psql --csv`, and what psql prints, pasted by hand.
//!
//! A table is known by its columns, since what is pasted has no name. Columns that are not known are left alone.

mod psql;
mod rows;

use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::intake::parse as parse_json;
use crate::problem::{Place, Problem, Problems};

pub use rows::{DeviceKeysRow, DeviceRow, EventRow, FallbackKeyRow, InboxRow, OneTimeKeyRow};

/// Bytes of one file of results that are read at most.
pub const RESULTS_BYTES_MAX: u64 = 64 << 20;

/// Rows of one kind that are kept at most.
pub const ROWS_MAX: usize = 100_000;

/// One row: column to value. Numbers that a text form gave stay texts.
type Row = Map<String, Value>;

/// A table as it was read.
#[derive(Clone, Debug, Default)]
struct Table {
    /// The query's name, where the form has one.
    name: Option<String>,
    /// When it was asked, by the server's clock, in milliseconds since the epoch.
    at: Option<i64>,
    /// What it was asked about, where the form says so.
    params: Vec<String>,
    rows: Vec<Row>,
}

/// Everything that one file of results says.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct QueryResults {
    /// The artefact's name.
    pub name: String,
    /// Rows of `e2e_one_time_keys_json`.
    pub one_time_keys: Vec<OneTimeKeyRow>,
    /// Users whose one-time keys were listed whole: `user_id`, and when. A device without rows has none left.
    pub one_time_keys_of: Vec<(String, Option<i64>)>,
    /// Rows of `e2e_fallback_keys_json`.
    pub fallback_keys: Vec<FallbackKeyRow>,
    /// Rows of `e2e_device_keys_json`.
    pub device_keys: Vec<DeviceKeysRow>,
    /// Rows of `devices`.
    pub devices: Vec<DeviceRow>,
    /// Users whose devices were listed whole: who is not in `devices` does not exist. `user_id`, and when.
    pub devices_of: Vec<(String, Option<i64>)>,
    /// Rows of `device_inbox`, single or counted.
    pub inbox: Vec<InboxRow>,
    /// Samples of the inbox: of whom, of which device if of one, and when. A sample without rows is an empty inbox.
    pub inbox_of: Vec<(String, Option<String>, Option<i64>)>,
    /// Stored events.
    pub events: Vec<EventRow>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl QueryResults {
    /// Reads a file of results, in whichever form.
    pub fn read(name: &str, input: impl Read) -> QueryResults {
        let mut results = QueryResults { name: name.to_owned(), ..QueryResults::default() };
        let mut problems = Problems::of(name);
        match text_of(input) {
            Ok((text, whole)) => {
                if !whole {
                    problems.add(Place::Whole, "only the first 64 MiB are read");
                }
                let tables = tables_of(&text, name, &mut problems);
                let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
                for table in &tables {
                    rows::sort(table, &mut results, &mut problems);
                }
                if tables.is_empty() {
                    problems.add(Place::Whole, "no query result was found in it");
                } else if rows == 0 && results.inbox_of.is_empty() && results.devices_of.is_empty() {
                    problems.add(Place::Whole, "its results have no rows, and nothing says which query they answer");
                }
            }
            Err(error) => problems.add(Place::Whole, format!("cannot be read: {error}")),
        }
        results.problems = problems.into_list();
        results
    }
}

/// The text, and whether it is all of it. Bytes that are not UTF-8 are replaced.
fn text_of(input: impl Read) -> io::Result<(String, bool)> {
    let mut bytes = Vec::new();
    input.take(RESULTS_BYTES_MAX + 1).read_to_end(&mut bytes)?;
    let whole = bytes.len() as u64 <= RESULTS_BYTES_MAX;
    bytes.truncate(RESULTS_BYTES_MAX as usize);
    Ok((String::from_utf8_lossy(&bytes).into_owned(), whole))
}

fn tables_of(text: &str, file: &str, problems: &mut Problems) -> Vec<Table> {
    let start = text.trim_start();
    if start.starts_with(['[', '{']) {
        match parse_json(text.as_bytes()) {
            Ok(value) => return json_tables(value, file),
            Err(error) => {
                let place = Place::LineColumn(error.line() as u64, error.column() as u64);
                problems.add(place, format!("this is not JSON from here on: {error}"));
                return Vec::new();
            }
        }
    }
    psql::tables(text, problems)
}

/// `[{name, at, params, rows}]`, `{results: [the same]}`, `{name: [rows]}` or `[rows]`.
fn json_tables(value: Value, file: &str) -> Vec<Table> {
    match value {
        Value::Object(mut map) => match map.remove("results") {
            Some(results) => json_tables(results, file),
            None if map.get("rows").is_some_and(Value::is_array) => vec![named(map)],
            None => map
                .into_iter()
                .filter_map(|(name, rows)| {
                    let rows = rows.as_array()?;
                    Some(Table { name: Some(name), rows: objects(rows), ..Table::default() })
                })
                .collect(),
        },
        Value::Array(list) => {
            let is_named = |item: &Value| item.get("rows").is_some_and(Value::is_array);
            if list.iter().any(is_named) {
                let tables = list.into_iter().filter(is_named);
                return tables
                    .filter_map(|table| if let Value::Object(map) = table { Some(named(map)) } else { None })
                    .collect();
            }
            // `one_time_keys.json`: the file's name is the query's.
            let name = file.rsplit(['/', '\\']).next().and_then(|name| name.split('.').next()).map(str::to_owned);
            vec![Table { name, rows: objects(&list), ..Table::default() }]
        }
        _ => Vec::new(),
    }
}

fn named(map: Map<String, Value>) -> Table {
    let params = map.get("params").and_then(Value::as_array);
    Table {
        name: map.get("name").and_then(Value::as_str).map(str::to_owned),
        at: map.get("at").and_then(rows::integer),
        params: params.into_iter().flatten().filter_map(Value::as_str).map(str::to_owned).collect(),
        rows: map.get("rows").and_then(Value::as_array).map(|rows| objects(rows)).unwrap_or_default(),
    }
}

fn objects(rows: &[Value]) -> Vec<Row> {
    rows.iter().filter_map(Value::as_object).cloned().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";

    fn one_time_key(text: &str) -> OneTimeKeyRow {
        let results = QueryResults::read("results", text.as_bytes());
        assert_eq!(results.one_time_keys.len(), 1, "{text}\n{:?}", results.problems);
        assert!(results.problems.is_empty(), "{:?}", results.problems);
        results.one_time_keys[0].clone()
    }

    #[test]
    fn every_form_gives_the_same_row() {
        let json = format!(r#"{{"key":"{KEY}","signatures":{{}}}}"#);
        let csv_json = json.replace('"', "\"\"");
        let row = format!(
            r#"{{"user_id":"@a:h","device_id":"D","algorithm":"signed_curve25519","key_id":"AAAAAAAAADQ","ts_added_ms":1795425879123,"key_json":{}}}"#,
            serde_json::to_string(&json).unwrap()
        );
        let forms = [
            format!(
                r#"[{{"name":"one_time_keys","answers":"x","sql":"y","params":["@a:h"],"at":1795425900000,"rows":[{row}]}}]"#
            ),
            format!(r#"{{"results":[{{"name":"one_time_keys","rows":[{row}]}}]}}"#),
            format!(r#"{{"one_time_keys":[{row}]}}"#),
            format!("[{row}]"),
            format!(
                "user_id,device_id,algorithm,key_id,ts_added_ms,key_json\n@a:h,D,signed_curve25519,AAAAAAAAADQ,1795425879123,\"{csv_json}\"\n"
            ),
            format!(
                "synapse=# SELECT 1;\n user_id | device_id |     algorithm     |   key_id    |  ts_added_ms  | key_json\n---------+-----------+-------------------+-------------+---------------+----------\n @a:h    | D         | signed_curve25519 | AAAAAAAAADQ | 1795425879123 | {json}\n(1 row)\n"
            ),
            format!(
                "-[ RECORD 1 ]---------\nuser_id     | @a:h\ndevice_id   | D\nalgorithm   | signed_curve25519\nkey_id      | AAAAAAAAADQ\nts_added_ms | 1795425879123\nkey_json    | {json}\n"
            ),
        ];
        for text in forms {
            let row = one_time_key(&text);
            assert_eq!((row.user_id.as_deref(), row.device_id.as_deref()), (Some("@a:h"), Some("D")), "{text}");
            assert_eq!((row.key_id.as_str(), row.key.as_deref()), ("AAAAAAAAADQ", Some(KEY)), "{text}");
            assert_eq!(row.ts_added_ms, Some(1_795_425_879_123));
        }
    }

    #[test]
    fn several_results_pasted_one_after_the_other_are_told_apart() {
        let text = " device_id | pending\n-----------+---------\n D         |       3\n(1 row)\n\n\
                    algorithm     |   key_id    | used\n-------------------+-------------+------\n signed_curve25519 | AAAAAAAAAAA | t\n(1 row)\n";
        let results = QueryResults::read("pasted.txt", text.as_bytes());
        assert_eq!(results.inbox.len(), 1);
        assert_eq!((results.inbox[0].device_id.as_deref(), results.inbox[0].count), (Some("D"), 3));
        assert!(results.fallback_keys[0].used);
    }

    #[test]
    fn an_event_tells_its_fields_and_its_redaction() {
        let text = r#"[{"name":"event","at":1,"params":["$e"],"rows":[{"event_id":"$e","type":"m.room.encrypted","sender":"@b:h","algorithm":null,"content":{"ciphertext":"x"},"redacted_by":"$r","have_censored":false}]},
          {"name":"ke3-events","rows":[{"event_id":"$f","content_fields":"algorithm ciphertext","named_fields_present":{"algorithm":true},"redacted_by":null}]}]"#;
        let results = QueryResults::read("queries.json", text.as_bytes());
        let [event, other] = results.events.as_slice() else { panic!("{results:?}") };
        assert_eq!(
            (event.has("ciphertext"), event.has("algorithm"), event.redacted, event.censored),
            (Some(true), Some(false), true, Some(false))
        );
        assert_eq!((other.has("algorithm"), other.has("session_id"), other.redacted), (Some(true), Some(false), false));
    }

    #[test]
    fn the_runbooks_own_event_query_says_only_whether_there_is_an_algorithm() {
        let text = " event_id | type             | sender | origin_server_ts | algorithm\n----------+------------------+--------+------------------+-----------\n $e       | m.room.encrypted | @b:h   |    1795423339074 | \n(1 row)\n";
        let results = QueryResults::read("pasted.txt", text.as_bytes());
        assert_eq!((results.events[0].has("algorithm"), results.events[0].has("ciphertext")), (Some(false), None));
        assert!(!results.events[0].knows_redaction);
    }

    #[test]
    fn an_empty_answer_is_an_answer_where_the_form_says_to_what() {
        let text = r#"[{"name":"device_inbox","params":["@a:h"],"at":1795425900000,"rows":[]},{"name":"devices","params":["@a:h"],"at":5,"rows":[]}]"#;
        let results = QueryResults::read("queries.json", text.as_bytes());
        assert_eq!(results.inbox_of, [("@a:h".to_owned(), None, Some(1_795_425_900_000))]);
        assert_eq!(results.devices_of, [("@a:h".to_owned(), Some(5))]);
    }

    #[test]
    fn what_collect_adds_for_people_is_no_problem() {
        let text = r#"[{"name":"to_device_position","params":[],"at":5,"rows":[{"newest_stream_id":17}]},
          {"name":"device_inbox","params":["@a:h"],"at":5,"rows":[{"user_id":"@a:h","device_id":"D","stream_id":16,"one_time_key":"K"},
           {"user_id":"@a:h","device_id":"D","pending":3,"first_stream_id":16,"last_stream_id":17}]}]"#;
        let results = QueryResults::read("queries.json", text.as_bytes());
        assert_eq!(results.problems, []);
        assert_eq!(results.inbox.iter().map(|row| row.count).sum::<u64>(), 4, "the rest of a long inbox is counted");
    }

    #[test]
    fn what_cannot_be_read_is_named() {
        for text in ["", "hello", "[{\"rows\":", "a,b\n1,2,3\n", "[]"] {
            let results = QueryResults::read("x", text.as_bytes());
            assert!(!results.problems.is_empty(), "{text}");
        }
    }
}

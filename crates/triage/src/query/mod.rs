//! Query results: our bundle's JSON, and what database clients print or export, pasted by hand.
//!
//! What a query of ours prints says itself what was asked and when. Any other table is known by its columns. Columns that are
//! not known are left alone.

mod asked;
mod rows;
mod text;

use std::io::{self, Read};

use serde_json::{Map, Value};

use crate::intake::parse as parse_json;
use crate::problem::{Place, Problem, Problems};

pub use rows::{DeviceKeysRow, DeviceRow, EventRow, FallbackKeyRow, InboxRow, KeyCountRow, OneTimeKeyRow};

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
    /// Whether its rows said what was asked.
    described: bool,
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
    /// How many one-time keys devices have left, where only the number was asked for.
    pub key_counts: Vec<KeyCountRow>,
    /// Answers that say themselves what was asked, with rows or without.
    pub answers: u64,
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
                let tables: Vec<Table> = tables.into_iter().flat_map(asked::by_question).collect();
                let rows: usize = tables.iter().map(|table| table.rows.len()).sum();
                for table in &tables {
                    rows::sort(table, &mut results, &mut problems);
                }
                results.answers = tables.iter().filter(|table| table.described).count() as u64;
                if tables.is_empty() && problems.is_empty() {
                    problems.add(Place::Whole, "no query result was found in it");
                } else if !tables.is_empty()
                    && rows == 0
                    && results.answers == 0
                    && results.inbox_of.is_empty()
                    && results.devices_of.is_empty()
                {
                    problems.add(Place::Whole, "its results have no rows, and nothing says which query they answer");
                }
                if results.inbox.iter().any(|row| row.at.is_none()) {
                    problems.add(
                        Place::Whole,
                        "nothing says when this inbox was read, so it cannot be told whether it drains: ask with the query as \
                         `crypto-diag queries` prints it, whose first column says so",
                    );
                }
            }
            Err(error) => problems.add(Place::Whole, format!("cannot be read: {error}")),
        }
        results.problems = problems.into_list();
        results
    }
}

/// Whether a file that begins so holds a table as database clients print it.
pub fn has_table(head: &[u8]) -> bool {
    text::begins_so(&String::from_utf8_lossy(head))
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
            // A row a line, as a client prints what `row_to_json` gives.
            Err(_) if start.lines().nth(1).is_some_and(|line| line.starts_with('{')) => {
                let rows = text.lines().filter_map(|line| serde_json::from_str(line).ok()).collect();
                return json_tables(Value::Array(rows), file);
            }
            Err(error) => {
                let place = Place::LineColumn(error.line() as u64, error.column() as u64);
                problems.add(place, format!("this is not JSON from here on: {error}"));
                return Vec::new();
            }
        }
    }
    text::tables(text, problems)
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
        described: false,
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
        assert!(results.problems.iter().any(|problem| problem.what.contains("when this inbox was read")));
    }

    const ASKED: &str = r#"ke2-inbox 1795425900000 ["@a:h","D"]"#;

    /// The columns `asked`, `nothing` and `stream_id` of a row, in every form of the clients.
    fn forms(asked: &str, nothing: &str, stream_id: &str) -> Vec<String> {
        let (a, n, s) = (asked, nothing, stream_id);
        let quoted = a.replace('"', "\"\"");
        let dashes = "-".repeat(a.chars().count() + 2);
        let wide = a.chars().count();
        vec![
            format!(
                " {:^wide$} | nothing | stream_id \n{dashes}+---------+-----------\n {a} | {n:<7} | {s:>9} \n(1 row)\n",
                "asked"
            ),
            format!(
                " {:^wide$} | nothing | stream_id \n{dashes}+---------+-----------\n {a} | {n:<7} | {s:>9} \n(1 Zeile)\n",
                "asked"
            ),
            format!(
                "┌{r}┬─────────┬───────────┐\n│ {:^wide$} │ nothing │ stream_id │\n├{r}┼─────────┼───────────┤\n│ {a} │ {n:<7} │ {s:>9} │\n└{r}┴─────────┴───────────┘\n(1 row)\n",
                "asked",
                r = "─".repeat(wide + 2)
            ),
            format!(
                "{:^wide$} nothing stream_id\n{} ------- ---------\n{a} {n:<7} {s:>9}\n(1 row)\n",
                "asked",
                "-".repeat(wide)
            ),
            format!(
                "+{dashes}+---------+-----------+\n| {:<wide$} | nothing | stream_id |\n|{dashes}+---------+-----------|\n| {a} | {n:<7} | {s:<9} |\n+{dashes}+---------+-----------+\nSELECT 1\nTime: 0.014s\n",
                "asked"
            ),
            format!("-[ RECORD 1 ]-----\nasked     | {a}\nnothing   | {n}\nstream_id | {s}\n"),
            format!("─[ DATENSATZ 1 ]─────\nasked     │ {a}\nnothing   │ {n}\nstream_id │ {s}\n"),
            format!(
                "+-[ RECORD 1 ]-----+\n| asked     | {a} |\n| nothing   | {n} |\n| stream_id | {s} |\n+-----------+------+\n"
            ),
            format!("asked,nothing,stream_id\n\"{quoted}\",{n},{s}\n"),
            format!("asked;nothing;stream_id\n\"{quoted}\";{n};{s}\n"),
            format!("asked|nothing|stream_id\n{a}|{n}|{s}\n(1 row)\n"),
            format!("asked|{a}\nnothing|{n}\nstream_id|{s}\n"),
            format!("asked\tnothing\tstream_id\n{a}\t{n}\t{s}\n"),
            format!("    asked = {a}\n  nothing = {n}\nstream_id = {s}\n"),
            format!(
                r#"[{{"asked":{},"nothing":null,"stream_id":{}}}]"#,
                serde_json::to_string(a).unwrap(),
                if s == n { "null" } else { s }
            ),
            format!(
                r#"{{"SELECT q.asked":[{{"asked":{},"nothing":null,"stream_id":{}}}]}}"#,
                serde_json::to_string(a).unwrap(),
                if s == n { "null" } else { s }
            ),
        ]
    }

    #[test]
    fn what_a_printed_query_prints_says_itself_what_was_asked_in_every_form() {
        for nothing in ["", "(null)", "—"] {
            for text in forms(ASKED, nothing, "16") {
                let results = QueryResults::read("pasted.txt", text.as_bytes());
                assert_eq!(results.problems, [], "{text}");
                let [row] = results.inbox.as_slice() else { panic!("{results:?} of {text}") };
                assert_eq!((row.user_id.as_deref(), row.device_id.as_deref()), (Some("@a:h"), Some("D")), "{text}");
                assert_eq!((row.at, row.first_stream_id), (Some(1_795_425_900_000), Some(16)), "{text}");
                assert!(has_table(text.as_bytes()) || text.starts_with(['[', '{']), "{text}");
            }
            for text in forms(ASKED, nothing, nothing) {
                let results = QueryResults::read("pasted.txt", text.as_bytes());
                assert_eq!((results.problems.len(), results.inbox.len()), (0, 0), "{results:?} of {text}");
                let empty = [("@a:h".to_owned(), Some("D".to_owned()), Some(1_795_425_900_000))];
                assert_eq!(results.inbox_of, empty, "an inbox without rows is empty: {text}");
            }
        }
    }

    #[test]
    fn a_bar_inside_of_json_moves_no_column() {
        let text = " user_id | device_id |        message_json         | instance_name \n---------+-----------+-----------------------------+---------------\n @a:h    | D         | {\"type\":\"a|b\",\"sender\":\"c\"} | master\n";
        let table = &tables_of(text, "x", &mut Problems::of("x"))[0];
        assert_eq!(table.rows[0]["instance_name"], "master");
        assert_eq!(table.rows[0]["message_json"], "{\"type\":\"a|b\",\"sender\":\"c\"}");
    }

    #[test]
    fn lost_keys_are_read_by_their_kind_and_counts_of_keys_by_device() {
        let text = "kind,algorithm,key_id,ts_added_ms,used,key_json\none-time,signed_curve25519,AAAAAAAAADQ,1795425879123,,{}\nfallback,signed_curve25519,AAAAAAAAAAA,,t,{}\n";
        let results = QueryResults::read("x.csv", text.as_bytes());
        assert_eq!((results.one_time_keys.len(), results.fallback_keys.len()), (1, 1), "{:?}", results.problems);
        let text = "user_id,device_id,one_time_keys,fallback_keys\n@a:h,D,0,used\n@a:h,E,50,\n";
        let results = QueryResults::read("x.csv", text.as_bytes());
        let counts: Vec<(u64, Option<bool>)> =
            results.key_counts.iter().map(|row| (row.one_time_keys, row.fallback_used)).collect();
        assert_eq!(counts, [(0, Some(true)), (50, None)]);
        assert_eq!(results.problems, []);
    }

    #[test]
    fn rows_that_have_lost_their_head_say_how_to_copy_them_with_it() {
        let text =
            "...skipping 1 line\n @mira:x | AQGTNURAAR | signed_curve25519 | AAAAAAAAAA4 | 1795422963777\n(END)\n";
        let results = QueryResults::read("x.txt", text.as_bytes());
        assert!(results.one_time_keys.is_empty());
        assert!(results.problems[0].what.contains("without a head"), "{:?}", results.problems);
        assert_eq!(results.problems[0].place, Place::Line(2));
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

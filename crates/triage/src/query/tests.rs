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
fn rows_that_are_too_many_are_counted() {
    let mut text = String::from("user_id,device_id,stream_id\n");
    for stream_id in 0..=ROWS_MAX {
        text.push_str(&format!("@a:h,D,{stream_id}\n"));
    }
    let results = QueryResults::read("x.csv", text.as_bytes());
    assert_eq!(results.inbox.len(), ROWS_MAX);
    assert!(
        results.problems.iter().any(|problem| problem.what.contains("1 rows are more than")),
        "{:?}",
        results.problems
    );
}

#[test]
fn rows_that_have_lost_their_head_say_how_to_copy_them_with_it() {
    let text = "...skipping 1 line\n @mira:x | AQGTNURAAR | signed_curve25519 | AAAAAAAAAA4 | 1795422963777\n(END)\n";
    let results = QueryResults::read("x.txt", text.as_bytes());
    assert!(results.one_time_keys.is_empty());
    assert!(results.problems[0].what.contains("without a head"), "{:?}", results.problems);
    assert_eq!(results.problems[0].place, Place::Line(2));
    // What sqlite3 and COPY print unless they are told to print a head.
    for delimiter in ["|", "\t", ",", ";"] {
        for row in [vec![ASKED, "", "16"], vec!["@a:h", "D", "signed_curve25519", "AAAAAAAAADQ"]] {
            let text = row.join(delimiter);
            assert!(has_table(text.as_bytes()), "{text}");
            let results = QueryResults::read("x.txt", text.as_bytes());
            assert!(results.problems[0].what.contains("without a head"), "{text}: {:?}", results.problems);
        }
    }
    assert!(!has_table(b"Dear @anna, @ben, @carl,\ntoday nothing happened.\n"));
}

#[test]
fn however_a_client_shows_that_there_is_no_value_there_is_none() {
    for nothing in ["", "(null)", "(NULL)", "<NULL>", "[null]", "NULL", "«nil»", "\\N", "Ø", "∅", "¤", "--", "␀"]
    {
        let text = format!("event_id,type,algorithm\n$e,m.room.encrypted,{nothing}\n");
        let results = QueryResults::read("pasted.txt", text.as_bytes());
        assert_eq!(results.events[0].has("algorithm"), Some(false), "{nothing}");
    }
    for value in ["m.megolm.v1.aes-sha2", "{}", "==", "nullable"] {
        let text = format!("event_id,type,algorithm\n$e,m.room.encrypted,{value}\n");
        let results = QueryResults::read("pasted.txt", text.as_bytes());
        assert_eq!(results.events[0].has("algorithm"), Some(true), "{value}");
    }
}

#[test]
fn a_tables_foot_is_no_row_in_any_language() {
    for foot in ["(1 row)", "(1 Zeile)", "(1개 행)", "(1 行记录)", "(שורה 1)", "(1 ჩანაწერი)"]
    {
        let text = format!(" device_id | pending\n-----------+---------\n D         |       3\n{foot}\n");
        let results = QueryResults::read("pasted.txt", text.as_bytes());
        assert_eq!(results.inbox.len(), 1, "{foot}");
        let said: Vec<_> = results.problems.iter().map(|problem| problem.what.as_str()).collect();
        assert!(said.iter().all(|what| what.contains("when this inbox was read")), "{foot}: {said:?}");
    }
}

#[test]
fn what_a_database_says_in_place_of_an_answer_is_quoted_in_any_language() {
    for said in [
        "ERROR:  permission denied for table devices",
        "FEHLER:  keine Berechtigung",
        "ERREUR :  droit refusé",
        "ОШИБКА:  нет доступа к таблице devices",
        "错误:  对表 devices 权限不够",
        "შეცდომა:  devices",
        "psql: error: connection to server failed: FATAL:  no such role",
        "Parse error near line 1: no such table: devices",
    ] {
        let results = QueryResults::read("pasted.txt", format!("synapse=> SELECT 1;\n{said}\n").as_bytes());
        assert!(results.problems[0].what.contains("instead of an answer the database says"), "{:?}", results.problems);
        assert_eq!(results.problems[0].place, Place::Line(2), "{said}");
    }
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

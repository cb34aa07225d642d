//! Server queries: ids filled in, hostile ones too, and nothing that breaks out.

mod support;

use crypto_diag_analysis::queries::{IDS_MAX, RunsOn, quote};
use crypto_diag_analysis::{Query, QueryOptions, Report, ServerQueries, server_queries};
use proptest::prelude::*;
use support::Console;

/// What hostile ids are made of.
const HOSTILE: &[&str] = &[
    "'",
    "''",
    "\"",
    "\\",
    "\\'",
    "\\'; DROP TABLE devices; --",
    "$$",
    "$(id)",
    "`id`",
    "\\! id",
    ";",
    "|",
    "&",
    "\n",
    "\n\\! id\n",
    ":'x'",
    "E'",
    "%",
    "--",
    "/*",
    "*/",
    "!",
    "^",
    "{a,b}",
    "~",
    "#",
    "-e",
    "--",
    "=",
    "é",
    "😀",
    " ",
    "\t",
    "@",
    ":",
    "x",
    "```",
    "\u{1b}[201~",
    "\u{7f}",
    "\u{202e}",
];

fn hostile() -> impl Strategy<Value = String> {
    prop::collection::vec(prop::sample::select(HOSTILE), 0..8).prop_map(|parts| parts.concat())
}

/// A report of every family whose ids are what the caller says.
fn report(id: &str) -> Report {
    let entry = |ke: &str, message: String| serde_json::json!({"ts": 1, "level": "warn", "ke": ke, "meaning": "failure", "signature": "", "message": message});
    let report = serde_json::json!({
        "schema": "crypto-diag/report",
        "schemaVersion": 1,
        "userId": format!("@{id}:x"),
        "deviceId": id,
        "sent": [{"ts": 1, "type": "m.room.encrypted", "txnid": id, "targets": [], "omitted": 0}],
        "entries": [
            entry("KE-1", "signed_curve25519:AAAAAAAAADQ already exists".into()),
            entry("KE-2", format!("missing key at index 3 for participant @{id}:x:DEVICE")),
            entry("KE-3", format!("Error decrypting event (id={id} type=m sender=@a:x room=!r:x ts=x): DecryptionError[msg: missing field `{id}`]")),
            entry("KE-4", format!("[MatrixRTCSession !{id} m.call#ROOM][MembershipManager] Missing own membership: force re-join")),
        ],
    });
    Report::from_value(&report).unwrap()
}

/// A reader of PostgreSQL's lexical structure, as its manual has it and independent of the writer: the statement with
/// each literal in place of which stands `?`, and the literals. It reads backslashes in plain literals as `standard`
/// says.
fn lex(sql: &str, standard: bool) -> Option<(String, Vec<String>)> {
    let mut code = String::new();
    let mut literals = Vec::new();
    let mut chars = sql.chars().peekable();
    while let Some(character) = chars.next() {
        if character != '\'' {
            code.push(character);
            continue;
        }
        let escapes = code.ends_with('E') || !standard;
        if code.ends_with('E') {
            code.pop();
        }
        let mut literal = String::new();
        loop {
            match chars.next()? {
                '\'' if chars.peek() == Some(&'\'') => {
                    chars.next();
                    literal.push('\'');
                }
                '\'' => break,
                '\\' if escapes => match chars.next()? {
                    'n' => literal.push('\n'),
                    'u' => {
                        let digits: String = (0..4).filter_map(|_| chars.next()).collect();
                        literal.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    'U' => {
                        let digits: String = (0..8).filter_map(|_| chars.next()).collect();
                        literal.push(char::from_u32(u32::from_str_radix(&digits, 16).ok()?)?);
                    }
                    other => literal.push(other),
                },
                other => literal.push(other),
            }
        }
        literals.push(literal);
        code.push('?');
    }
    Some((code, literals))
}

proptest! {
    #[test]
    fn a_literal_is_the_very_id_whatever_the_server_makes_of_backslashes(id in prop_oneof![hostile(), any::<String>()]) {
        match quote::sql(&id) {
            Ok(literal) => for standard in [true, false] {
                let read = lex(&literal, standard);
                prop_assert_eq!(read, Some(("?".to_owned(), vec![id.clone()])), "{}", literal);
            },
            Err(_) => prop_assert!(id.contains('\0')),
        }
    }

    #[test]
    fn a_word_is_the_very_id_to_two_tokenizers(id in prop_oneof![hostile(), any::<String>()]) {
        match quote::shell(&id) {
            Ok(word) => {
                let command = format!("grep -F -e {word} -- log");
                let wanted: Vec<String> = ["grep", "-F", "-e", &id, "--", "log"].map(str::to_owned).into();
                prop_assert_eq!(shlex::split(&command), Some(wanted.clone()));
                prop_assert_eq!(shell_words::split(&command).ok(), Some(wanted));
                prop_assert!(!word.contains(char::is_control));
            }
            Err(_) => prop_assert!(id.contains(|character: char| character.is_control() || !character.is_ascii())),
        }
    }

    #[test]
    fn no_id_changes_a_query_but_for_its_own_place(id in hostile()) {
        let plain = server_queries(&report("plain"), &QueryOptions::default());
        let asked = server_queries(&report(&id), &QueryOptions::default());
        for query in &asked.queries {
            let Some(like) = plain.queries.iter().find(|plain| plain.name == query.name) else { continue };
            match query.runs_on {
                RunsOn::DatabaseHost => {
                    let (code, literals) = lex(&query.text, true).expect("every literal is closed");
                    prop_assert_eq!(code.matches(';').count(), 1, "{}", query.text);
                    prop_assert!(!code.contains("--") && !code.contains('\\') && !code.contains('$'), "{}", query.text);
                    let (plain_code, plain_literals) = lex(&like.text, true).unwrap();
                    if literals.len() == plain_literals.len() {
                        prop_assert_eq!(code, plain_code);
                    }
                }
                RunsOn::LogHost => {
                    let words = shlex::split(&query.text).expect("every quote is closed");
                    let pipes = words.iter().filter(|word| *word == "|").count();
                    prop_assert!(pipes <= 1, "{}", query.text);
                    prop_assert!(words.iter().any(|word| word.ends_with("homeserver.log")));
                }
                RunsOn::PrometheusHost => prop_assert_eq!(&query.text, &like.text, "it names no id"),
                RunsOn::MemberHost => {
                    let words = shlex::split(&query.text).expect("every quote is closed");
                    let (_, urls) = words.split_at(words.iter().position(|word| word == "@-").expect("a header") + 1);
                    for url in urls {
                        let path = url.strip_prefix("https://SERVER/_matrix/client/v3/rooms/").expect("an address");
                        prop_assert_eq!(path.matches('/').count(), 2, "{}", url);
                        prop_assert!(!path.contains(['?', '#', ' ', '\'']), "{}", url);
                    }
                }
            }
        }
    }
}

#[test]
fn a_fence_holds_whatever_is_in_it() {
    let text = "SELECT 1;\n```\n# heading\n````\n".to_owned();
    let query = Query { name: "n", ke: "KE-1", question: "q", runs_on: RunsOn::DatabaseHost, text };
    let markdown = ServerQueries { queries: vec![query], refused: vec![] }.to_markdown();
    let fences = markdown.lines().filter(|line| line.starts_with("`````")).count();
    assert_eq!(fences, 2, "{markdown}");
}

fn of<'a>(queries: &'a ServerQueries, name: &str) -> &'a Query {
    queries.queries.iter().find(|query| query.name == name).unwrap_or_else(|| panic!("no query {name}"))
}

#[test]
fn the_ids_of_a_recorded_console_stand_in_its_queries() {
    let queries = server_queries(&Console::read("ke1-to-ke2-store-rollback").report(), &QueryOptions::default());
    assert_eq!(queries.refused, []);
    let keys = of(&queries, "ke1-one-time-keys");
    assert!(keys.text.contains("user_id = '@alice:localhost' AND device_id = 'HQBJQUNFIQ'"), "{}", keys.text);
    assert!(keys.text.contains("key_id IN ('AAAAAAAAADQ', 'AAAAAAAAADU')"));
    let claims = of(&queries, "ke1-claims");
    assert!(
        claims.text.contains("-e 'signed_curve25519:AAAAAAAAADQ for @alice:localhost:HQBJQUNFIQ'"),
        "{}",
        claims.text
    );
    let events = of(&queries, "ke3-events");
    assert!(events.text.contains("'$Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA'"));
    assert!(events.text.contains("json_build_object('algorithm', "));
    let event = of(&queries, "ke3-event");
    assert_eq!(event.runs_on, RunsOn::MemberHost);
    let words = shlex::split(&event.text).expect("every quote is closed");
    let url = words.last().expect("a word");
    assert!(url.starts_with("https://SERVER/_matrix/client/v3/rooms/%21"), "{url}");
    assert!(url.ends_with("%3Alocalhost/event/%24Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA"), "{url}");
    let lost = of(&queries, "olm-lost-key");
    assert_eq!(lost.text.matches("'drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho'").count(), 2);
    assert!(of(&queries, "to-device-log").text.contains("7f08d98620be4846bcf5323b1a3cc714"));
}

#[test]
fn no_query_asks_for_a_column_that_synapse_lacks_or_for_a_secret() {
    let queries = server_queries(&Console::read("ke1-to-ke2-store-rollback").report(), &QueryOptions::default());
    for query in &queries.queries {
        for absent in ["access_token", "d.ts", "ciphertext", "device_data", "password"] {
            assert!(!query.text.contains(absent), "{}: {absent}", query.name);
        }
        let first = query.text.split_whitespace().next().unwrap();
        assert!(matches!(first, "SELECT" | "grep" | "printf"), "{}", query.text);
    }
    let fallback = of(&queries, "ke1-fallback-keys");
    assert!(!fallback.text.contains("ts_added_ms"), "the table of fallback keys has no such column");
}

#[test]
fn a_call_without_delay_ids_is_asked_for_by_user_and_room() {
    let queries = server_queries(&Console::read("ke2-benign_ke3_ke4").report(), &QueryOptions::default());
    let delayed = of(&queries, "ke4-delayed-events");
    assert!(
        delayed.text.contains("user_localpart = 'alice' AND room_id IN ('!mcvQkMpfsogPWQAuqq:localhost')"),
        "{}",
        delayed.text
    );
    assert!(of(&queries, "ke4-log").text.starts_with("grep -hF 'delayed_events'"));
    let latency = shlex::split(&of(&queries, "ke4-latency").text).expect("every quote is closed");
    let given = |name: &str| {
        let word = latency.iter().find_map(|word| word.strip_prefix(name)).expect("a word");
        word.parse::<u64>().expect("seconds since the epoch")
    };
    let report = Console::read("ke2-benign_ke3_ke4").report();
    let of_ke4 = report.entries().filter(|(_, entry)| entry.ke == crypto_diag_core::Ke::Ke4);
    let made: Vec<u64> = of_ke4.map(|(_, entry)| entry.ts.0 / 1000).collect();
    let (first, last) = (made.iter().min().expect("lines"), made.iter().max().expect("lines"));
    assert_eq!((given("start="), given("end=")), (first - 300, last + 300));
    assert!(latency.iter().any(|word| word.starts_with("query=histogram_quantile(0.99, sum by (le, servlet)")));
    let mut with_id = Console::read("ke2-benign_ke3_ke4").report();
    let entry = with_id.entries.iter_mut().flatten().find(|entry| entry.message.contains("delayed event")).unwrap();
    let url = "http://x/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_abc/restart";
    entry.message = format!("{} ({url})", entry.message).into();
    let queries = server_queries(&with_id, &QueryOptions::default());
    assert!(of(&queries, "ke4-delayed-events").text.contains("delay_id IN ('syd_abc')"));
    assert!(of(&queries, "ke4-log").text.contains("-e /delayed_events/syd_abc"));
}

#[test]
fn the_query_for_members_asks_for_each_event_at_one_address_whatever_its_id() {
    let (room, event) = ("!a/../b?c:x", "$e'; rm -rf #é");
    let mut report = Console::read("ke1-to-ke2-store-rollback").report();
    let ke3 = report.entries.iter().flatten().find(|entry| entry.ke == crypto_diag_core::Ke::Ke3).unwrap().clone();
    let made_up = |id: &str, room: &str| {
        let mut entry = ke3.clone();
        entry.message = format!(
            "Error decrypting event (id={id} type=m.room.encrypted room={room} sender=@a:x): DecryptionError[msg: missing field `algorithm`]"
        )
        .into();
        Some(entry)
    };
    report.entries = vec![made_up(&event.replace(' ', "_"), room), made_up("..", room)];
    let queries = server_queries(&report, &QueryOptions::default());
    let words = shlex::split(&of(&queries, "ke3-event").text).expect("every quote is closed");
    let addresses: Vec<&String> = words.iter().filter(|word| word.contains("://")).collect();
    assert_eq!(
        addresses,
        ["https://SERVER/_matrix/client/v3/rooms/%21a%2F..%2Fb%3Fc%3Ax/event/%24e%27%3B_rm_-rf_%23%C3%A9"],
        "two dots are no event"
    );
}

#[test]
fn an_id_that_cannot_be_written_is_named_and_the_rest_is_asked() {
    let queries = server_queries(&report("a\0b"), &QueryOptions::default());
    assert!(queries.refused.iter().any(|refused| refused.reason.contains("NUL")), "{:?}", queries.refused);
    assert!(queries.queries.iter().any(|query| query.name == "ke4-slow-requests"), "it needs no id");
    let queries = server_queries(&report("a\u{7f}b"), &QueryOptions::default());
    assert!(queries.refused.iter().any(|refused| refused.reason.contains("control character")));
    assert!(of(&queries, "ke1-inventory").text.contains(r"device_id = E'a\u007fb'"), "SQL can write it down");
}

#[test]
fn a_null_id_leaves_its_queries_out_and_says_so() {
    let mut report = report("x");
    report.user_id = None;
    report.device_id = None;
    let queries = server_queries(&report, &QueryOptions::default());
    assert!(!queries.queries.iter().any(|query| query.name == "ke1-one-time-keys"));
    assert!(
        queries.refused.iter().any(|refused| refused.name == "ke1-one-time-keys" && refused.reason.contains("user id"))
    );
}

#[test]
fn a_flood_of_ids_is_bounded_and_the_rest_counted() {
    let mut report = report("x");
    let template = report.entries[2].clone().unwrap();
    for index in 0..IDS_MAX + 7 {
        let mut entry = template.clone();
        entry.message = entry.message.replace("id=x", &format!("id=$e{index}")).into();
        report.entries.push(Some(entry));
    }
    let queries = server_queries(&report, &QueryOptions::default());
    let (_, literals) = lex(&of(&queries, "ke3-events").text, true).unwrap();
    assert!(literals.len() < IDS_MAX + 12);
    assert!(
        queries.refused.iter().any(|refused| refused.reason.starts_with("8 more event ids")),
        "{:?}",
        queries.refused
    );
}

#[test]
fn the_log_file_is_quoted_too() {
    let options = QueryOptions { log: "/var/log/my $(id) synapse.log".into() };
    let queries = server_queries(&Console::read("ke1-second-store-same-device").report(), &options);
    let words = shlex::split(&of(&queries, "ke1-log").text).unwrap();
    assert!(words.contains(&options.log));
}

#[test]
fn a_report_without_entries_asks_nothing() {
    let queries = server_queries(&Report::default(), &QueryOptions::default());
    assert_eq!(queries, ServerQueries::default());
    assert!(queries.to_text().contains("never raise `synapse.storage.SQL`"));
}

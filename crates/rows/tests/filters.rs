//! What both filters do with lines, good and bad.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;

use crypto_diag_analysis::Evidence;
use crypto_diag_pseudonym::Key;
use crypto_diag_rows::{Done, JudgeError, LogDone, Names, REPORTS_MAX, judge, rows};
use crypto_diag_triage::analysis::analyse;
use serde_json::{Value, json};

fn names() -> Names {
    Names::new(Key::new(&[7; 32]).expect("long enough"), vec!["matrix.example".to_owned()])
}

/// A report of a recorded bundle, on one line.
fn recorded(bundle: &str, who: &str) -> String {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("../../tests/fixtures/bundles/{bundle}/{who}.report.json"));
    let value: Value = serde_json::from_str(&fs::read_to_string(path).expect("a fixture")).expect("JSON");
    value.to_string()
}

fn empty_report(made: u64) -> String {
    json!({"schema": "crypto-diag/report", "schemaVersion": 1, "generatedAt": made, "userId": "@a:matrix.example", "deviceId": "D", "entries": []})
        .to_string()
}

struct Said {
    done: Done,
    rows: Vec<Value>,
    complaints: Vec<String>,
}

impl Said {
    fn table(&self, table: &str) -> Vec<&Value> {
        self.rows.iter().filter(|row| row["table"] == table).collect()
    }
}

fn parsed(out: &[u8]) -> Vec<Value> {
    let lines = std::str::from_utf8(out).expect("UTF-8").lines();
    lines.map(|line| serde_json::from_str(line).expect("a row is JSON")).collect()
}

fn map(input: &[u8], with_bodies: bool) -> Said {
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let done = rows(&names(), with_bodies, input, &mut out, &mut |why| complaints.push(why.to_owned()));
    Said { done: done.expect("memory"), rows: parsed(&out), complaints }
}

fn judged(input: &str) -> Result<Said, JudgeError> {
    let (mut out, mut complaints) = (Vec::new(), Vec::new());
    let done = judge(&names(), input.as_bytes(), &mut out, &mut |why| complaints.push(why.to_owned()))?;
    Ok(Said { done, rows: parsed(&out), complaints })
}

#[test]
fn the_rows_of_a_report_say_what_its_analysis_says() {
    let report = recorded("store-rollback", "victim");
    let said = map(report.as_bytes(), false);
    let analysis = analyse(&[&report]).expect("a report");
    let [row] = said.table("reports")[..] else { panic!("{:?}", said.rows) };
    assert_eq!(
        (row["sdk"].as_str(), row["browser"].as_str(), row["os"].as_str()),
        (Some("41.6.0-rc.0"), Some("chrome 156"), Some("linux"))
    );
    assert!(row["ke1"].as_u64() > Some(0) && row["hooks_ok"] == true && row["state"] == "capturing", "{row}");
    let findings: Vec<(String, &str)> = said
        .table("findings")
        .iter()
        .map(|row| (row["finding"].to_string(), row["verdict"].as_str().expect("text")))
        .collect();
    let wanted: Vec<(String, &str)> = analysis
        .verdicts
        .iter()
        .map(|verdict| (serde_json::to_string(&verdict.conclusion).expect("a word"), verdict.answer.word()))
        .collect();
    assert_eq!(findings, wanted);
    let entries = analysis.reports[0].evidence.len();
    assert_eq!(said.table("entries").len(), entries);
    assert!(said.table("ids").iter().any(|row| row["kind"] == "one-time-key" && row["role"] == "refused"));
    assert_eq!(said.table("bodies").len(), 0, "they are given only when they are asked for");
}

#[test]
fn the_same_report_has_the_same_rows_however_it_is_laid_out_and_wherever_it_stands() {
    let report = recorded("store-rollback", "victim");
    let alone = map(report.as_bytes(), true);
    let spaced = format!("{}\n  {}  \r\n", empty_report(1), report.replacen("{", "{ ", 1));
    let second = map(spaced.as_bytes(), true);
    assert_eq!(second.done, Done { read: 2, refused: 0 });
    let id = &alone.table("reports")[0]["report"];
    let of_report: Vec<Value> = second.rows.iter().filter(|row| row["report"] == *id).cloned().collect();
    assert_eq!(of_report, alone.rows);
    assert_eq!(alone.table("bodies")[0]["body"], report);
}

#[test]
fn a_listed_homeserver_keeps_its_name() {
    let said = map(empty_report(86_400_000).as_bytes(), false);
    assert_eq!(
        (said.rows[0]["homeserver"].as_str(), said.rows[0]["day"].as_str()),
        (Some("matrix.example"), Some("1970-01-02"))
    );
}

#[test]
fn a_line_that_cannot_be_used_is_said_leaves_a_row_and_costs_no_other() {
    let input = [
        empty_report(1),
        "{\"schema\":\"crypto-diag/report\",".to_owned(),
        "{\"schema\":\"@alice:example.org\"}".to_owned(),
        "{\"schema\":\"crypto-diag/report\",\"schemaVersion\":99}".to_owned(),
        String::new(),
        empty_report(2),
    ]
    .join("\n");
    let said = map(input.as_bytes(), false);
    assert_eq!((said.done, said.table("reports").len()), (Done { read: 2, refused: 3 }, 2));
    let whys: Vec<&str> = said.table("refused").iter().map(|row| row["why"].as_str().expect("a word")).collect();
    assert_eq!(whys, ["not-json", "not-a-report", "too-new"]);
    assert!(
        said.complaints[0].starts_with("line 2: this is not JSON from line 1, column 31 on"),
        "{:?}",
        said.complaints
    );
    assert!(
        said.complaints[1].starts_with("line 3: ") && said.complaints[2].starts_with("line 4: "),
        "{:?}",
        said.complaints
    );
    assert!(said.rows.iter().all(|row| !row.to_string().contains("alice")), "people are told what it is, rows are not");
}

/// A tab of the victim's device in which the message was opened that another tab could not open: that of another recorded user, with
/// the ids of the message, its sender's key and the device changed to those of the victim's report.
fn other_tab(victim: &str) -> String {
    let lost = analyse(&[victim]).expect("a report").reports[0].clone();
    let lost_message = lost.evidence.iter().flatten().find_map(|evidence| match evidence {
        Evidence::Olm(line) => Some((line.message_id.clone()?, line.sender_key.clone()?)),
        _ => None,
    });
    let (message, sender) = lost_message.expect("the victim lost a message");
    let tab = recorded("healthy-key-exchange", "victim");
    let opened = analyse(&[&tab]).expect("a report").reports[0].clone();
    let opened_message = opened.evidence.iter().flatten().find_map(|evidence| match evidence {
        Evidence::Ke2(line) => Some((line.message_id.clone()?, line.sender_key.clone()?)),
        _ => None,
    });
    let (old_message, old_sender) = opened_message.expect("the other user was sent a key");
    let mut tab: Value =
        serde_json::from_str(&tab.replace(&old_message, &message).replace(&old_sender, &sender)).expect("JSON");
    (tab["userId"], tab["deviceId"]) = (json!(lost.user_id), json!(lost.device_id));
    tab.to_string()
}

#[test]
fn reports_of_one_incident_prove_together_what_none_proves_alone() {
    let victim = recorded("store-rollback", "victim");
    let tab = other_tab(&victim);
    let is_link = |row: &&&Value| row["finding"] == "redelivery" && row["verdict"] == "proven";
    for alone in [&victim, &tab] {
        assert_eq!(map(alone.as_bytes(), false).table("findings").iter().filter(is_link).count(), 0);
    }
    let said = judged(&format!("one\tv\t{victim}\none\tt\t{tab}\ntwo\tt\t{tab}\n")).expect("sorted");
    let links: Vec<&Value> = said.table("judged").into_iter().filter(|row| is_link(&row)).collect();
    let [link] = links[..] else { panic!("{links:?}") };
    assert_eq!(
        (link["incident"].as_str(), link["reports"].as_u64(), link["left_out"].as_u64()),
        (Some("one"), Some(2), Some(0))
    );
    let evidence = link["evidence"].as_str().expect("text");
    let of = |report: &str| evidence.split(' ').any(|place| place.starts_with(&format!("{report}#")));
    assert!(of("v") && of("t"), "{evidence}");
    // The verdict is about the device that the victim's own row names.
    assert_eq!(link["device"], map(victim.as_bytes(), false).table("reports")[0]["device"]);
    let turned = judged(&format!("one\tt\t{tab}\none\tv\t{victim}\none\tv\t{victim}\ntwo\tt\t{tab}\n"));
    assert_eq!(
        turned.expect("sorted").rows,
        said.rows,
        "neither the order of reports nor one that comes twice matters"
    );
}

#[test]
fn of_a_crowd_the_judge_takes_some_and_counts_the_others() {
    let mut input = String::new();
    for index in 0..REPORTS_MAX as u64 + 3 {
        input.push_str(&format!("crowd\tr{index:03}\t{}\n", empty_report(1_795_425_887_138 + index)));
    }
    let said = judged(&input).expect("sorted");
    assert_eq!(said.done, Done { read: REPORTS_MAX as u64 + 3, refused: 0 });
    let rows = said.table("judged");
    assert!(!rows.is_empty());
    assert!(rows.iter().all(|row| row["reports"] == REPORTS_MAX && row["left_out"] == 3), "{rows:?}");
}

#[test]
fn the_judge_names_lines_that_it_cannot_use_and_stops_where_incidents_are_torn() {
    let report = recorded("store-rollback", "victim");
    let said = judged(&format!("a\tr\t{report}\nno columns\nb\tr\t{{\nb\tq\t{report}")).expect("sorted");
    assert_eq!(said.done, Done { read: 2, refused: 2 });
    assert!(
        said.complaints[0].starts_with("line 2: ") && said.complaints[1].starts_with("line 3: "),
        "{:?}",
        said.complaints
    );
    let incidents: Vec<&Value> = said.table("judged").into_iter().map(|row| &row["incident"]).collect();
    assert!(incidents.contains(&&json!("a")) && incidents.contains(&&json!("b")));
    let torn = judged(&format!("b\tr\t{report}\na\tr\t{report}\nb\tq\t{report}")).map(|_| ());
    assert!(matches!(torn, Err(JudgeError::NotSorted { line: 2 })), "{torn:?}");
}

/// A line as a worker of Synapse's writes it.
fn access(at: &str, seconds: f64, path: &str) -> String {
    format!(
        "{at} - synapse.access.http.8008 - 643 - INFO - GET-48 - 127.0.0.1 - 8008 - {{@alice:matrix.example}} Processed request: \
         {seconds:.3}sec/0.000sec ru=(0.002sec, 0.000sec) db=(0.001sec/0.004sec/9) 528B 200 \"GET {path} HTTP/1.1\" \"UA\" [0 dbevts]\n"
    )
}

fn latency(log: &str, zone: Option<i32>) -> (LogDone, Vec<Value>) {
    let mut out = Vec::new();
    let done = crypto_diag_rows::latency(&names(), "small.example", zone, log.as_bytes(), &mut out);
    (done.expect("memory"), parsed(&out))
}

/// Requests by minute, route and duration.
fn summed(rows: &[Value]) -> BTreeMap<(i64, String, u64), u64> {
    let mut sums = BTreeMap::new();
    for row in rows {
        let number = |name: &str| row[name].as_u64().expect("a number");
        let route = row["route"].as_str().expect("a word").to_owned();
        *sums.entry((number("minute") as i64, route, number("upto_ms"))).or_default() += number("requests");
    }
    sums
}

#[test]
fn latency_counts_requests_by_minute_route_and_duration_and_prints_no_id() {
    let mut log = access("2026-11-23 09:36:03,872", 0.095, "/_matrix/client/v3/keys/upload");
    log += &access("2026-11-23 09:36:59,999", 0.095, "/_matrix/client/v3/keys/upload?access_token=%3Credacted%3E");
    log += &access("2026-11-23 09:37:00,000", 10.0, "/_matrix/client/v3/rooms/!r:small.example/send/x/1");
    log += &access("2026-11-23 09:37:00,001", 30.0, "/_matrix/client/v3/sync?timeout=30000");
    log += "Traceback (most recent call last):\n  File \"x\"\n";
    let (done, rows) = latency(&log, Some(60));
    assert_eq!(done, LogDone { requests: 3, undated: 0, too_long: 0, zone_assumed: false });
    // 2026-11-23T08:36 is minute 29,923,716; a bucket above 8.192 s is 64 ms wide.
    let wanted = [((29_923_716, "keys/upload".to_owned(), 95), 2), ((29_923_717, "other".to_owned(), 10_047), 1)];
    assert_eq!(summed(&rows), wanted.into());
    assert!(rows.iter().all(|row| row["day"] == "2026-11-23"));
    let printed = serde_json::to_string(&rows).expect("JSON");
    assert!(!printed.contains("small.example") && !printed.contains("alice") && !printed.contains("!r"), "{printed}");
    let (done, _) = latency(&log, None);
    assert!(done.zone_assumed);
    assert_eq!(latency("nothing of a log\n", None), (LogDone::default(), Vec::new()));
}

#[test]
fn rows_of_parts_of_a_log_add_up_to_the_rows_of_the_whole_in_any_order_of_minutes() {
    // The log goes through more minutes than are counted at the same time, and then back.
    let minutes = (0..59).chain((0..59).rev());
    let lines: Vec<String> = (8..11)
        .flat_map(|hour| minutes.clone().map(move |minute| (hour, minute)))
        .map(|(hour, minute)| {
            let at = format!("2026-11-23 {hour:02}:{minute:02}:03,872");
            access(&at, f64::from(minute * 37 + hour) / 7.0, "/_matrix/client/v3/keys/query")
        })
        .collect();
    let (done, whole) = latency(&lines.concat(), Some(0));
    assert_eq!(done.requests, 3 * 118);
    let (first, second) = lines.split_at(100);
    let mut parts = latency(&first.concat(), Some(0)).1;
    parts.extend(latency(&second.concat(), Some(0)).1);
    assert_eq!(summed(&parts), summed(&whole));
    // An engine keeps only one of several equal rows.
    let distinct: std::collections::HashSet<String> = whole.iter().chain(&parts).map(Value::to_string).collect();
    let printed: std::collections::HashSet<String> = whole.iter().map(Value::to_string).collect();
    assert_eq!(printed.len(), whole.len());
    assert!(distinct.len() > whole.len(), "the second part is another log");
}

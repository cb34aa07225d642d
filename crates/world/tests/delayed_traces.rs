//! The recorded calls are runs of the model: what each attempt to keep a membership alive shows in the report, the HAR and the log
//! is what the model shows of the same attempt with the same fate.

use std::path::Path;

use crypto_diag_world::delayed::client::Patience;
use crypto_diag_world::delayed::state::State;
use crypto_diag_world::delayed::{Action, Delayed, Fate, LogView, ROOM, View};
use crypto_diag_world::model::Model;
use crypto_diag_world::views::{HarView, Lines, WHOLE};
use serde_json::Value;

/// The three files of a call, as texts.
struct Files {
    report: String,
    har: String,
    log: String,
}

/// An attempt as the files show it. Milliseconds of the day.
#[derive(Debug)]
struct Attempt {
    sent: i64,
    /// 0 where no answer came.
    status: u16,
    /// Whether the browser sent the request again when the connection was closed.
    sent_again: bool,
    /// Of the homeserver's line: when the request came, how long it took, and the status.
    line: Option<(i64, i64, u16)>,
    /// What the page printed of it.
    printed: Option<String>,
}

impl Attempt {
    /// What must be the same in the recording and in the model.
    fn shows(&self) -> (u16, bool, Option<u16>, Option<String>) {
        (self.status, self.sent_again, self.line.map(|(_, _, status)| status), self.printed.clone())
    }

    /// What became of it, in terms of a client that waits for so long.
    fn fate(&self, wait: i64) -> Fate {
        match self.line {
            None if self.sent_again => Fate::LostAndSentAgain,
            None => Fate::Lost,
            Some((arrived, _, _)) if arrived - self.sent > 3 * wait => Fate::HeldLong,
            Some((arrived, _, _)) if arrived - self.sent > wait => Fate::Held,
            Some((_, took, _)) if took > 3 * wait => Fate::SlowLong,
            Some((_, took, _)) if took > wait => Fate::Slow,
            Some(_) => Fate::Answered,
        }
    }
}

/// The time of `…22:54:40.661…`, which begins at a place of a text.
fn of_day(text: &str, at: usize) -> i64 {
    let number = |from: usize, to: usize| -> i64 { text[at + from..at + to].parse().expect("digits") };
    ((number(0, 2) * 60 + number(3, 5)) * 60 + number(6, 8)) * 1_000 + number(9, 12)
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("{after} behind {before} in {text}")).0
}

/// The attempts of a call in the order of sending.
fn attempts(files: &Files, wait: i64) -> Vec<Attempt> {
    let har: Value = serde_json::from_str(&files.har).expect("a HAR");
    let entries = har["log"]["entries"].as_array().expect("entries").iter();
    let restarts =
        entries.filter(|entry| entry["request"]["url"].as_str().is_some_and(|url| url.ends_with("/restart")));
    let mut requests: Vec<(i64, i64, u16)> = restarts
        .map(|entry| {
            let sent = of_day(entry["startedDateTime"].as_str().expect("a time"), 11);
            let took = entry["time"].as_i64().expect("whole milliseconds");
            (sent, sent + took, entry["response"]["status"].as_u64().expect("a status") as u16)
        })
        .collect();
    requests.sort_unstable();
    // A browser sends a request again by itself when the connection on which it waits is closed.
    let again = |of: usize| -> Option<usize> {
        let (sent, closed, 0) = requests[of] else { return None };
        let near = (0..requests.len()).filter(|at| requests[*at].0 > sent && (requests[*at].0 - closed).abs() < 40);
        near.min_by_key(|at| (requests[*at].0 - closed).abs())
    };
    let repeated: Vec<usize> = (0..requests.len()).filter_map(again).collect();
    let mut lines: Vec<(i64, i64, u16)> = files
        .log
        .lines()
        .filter(|line| line.contains("/restart HTTP") && line.contains("Processed request"))
        .map(|line| {
            let took = between(line, "Processed request: ", "sec").parse::<f64>().expect("seconds") * 1_000.0;
            let status = between(line, "B ", " ").parse().expect("a status");
            (of_day(line, 11), took.round() as i64, status)
        })
        .collect();
    lines.sort_by_key(|(end, took, _)| end - took);
    let mut own_line = |(sent, done, status): (i64, i64, u16)| {
        let fits = |(end, took, of): &(i64, i64, u16)| end - took >= sent - 20 && *end <= done + 20 && *of == status;
        let at = lines.iter().position(fits)?;
        let (end, took, status) = lines.remove(at);
        Some((end - took, took, status))
    };
    let mut found: Vec<Attempt> = Vec::new();
    for (at, request) in requests.iter().enumerate() {
        let line = own_line(*request);
        if !repeated.contains(&at) {
            let (sent, _, status) = *request;
            found.push(Attempt { sent, status, sent_again: again(at).is_some(), line, printed: None });
        }
    }
    assert!(lines.is_empty(), "the log has lines of no request: {lines:?}");
    let report: Value = serde_json::from_str(&files.report).expect("a report");
    for entry in report["entries"].as_array().expect("entries").iter().filter(|entry| entry["ke"] == "KE-4") {
        let at = entry["ts"].as_i64().expect("a time").rem_euclid(86_400_000);
        let waited = |attempt: &&mut Attempt| attempt.printed.is_none() && attempt.sent + wait / 2 <= at;
        let of = found.iter_mut().rfind(waited).expect("an attempt before the line");
        of.printed = entry["message"].as_str().map(str::to_owned);
    }
    found
}

fn recorded(bundle: &str) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles").join(bundle);
    let text = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let label: Value = serde_json::from_str(&text("label.json")).expect("a label");
    let room = label["facts"]["roomId"].as_str().expect("a room");
    Files {
        report: text("victim.report.json").replace(room, ROOM),
        har: text("victim.har"),
        log: text("homeserver.log.txt"),
    }
}

/// The files of the model's call with attempts of these fates, which ends before the last ones are answered.
fn modelled(fates: &[Fate]) -> Files {
    let model = Delayed::LARGE;
    let steps = fates.iter().map(|fate| Action::Restart(*fate)).chain([Action::Leave, Action::Pass]);
    let state = steps.fold(State::joined(0, false), |state, action| {
        model.step(&state, action).unwrap_or_else(|| panic!("{action:?} cannot happen here"))
    });
    let view = View {
        late: false,
        lines: Lines::ALL,
        har: Some(HarView::ALL),
        log: Some(LogView { span: WHOLE, first_worker: false }),
    };
    let files = model.files(&state, &view);
    let text = |end: &str| {
        let (_, bytes) = files.iter().find(|(name, _)| name.ends_with(end)).unwrap_or_else(|| panic!("no {end}"));
        String::from_utf8(bytes.clone()).expect("a text")
    };
    Files { report: text(".report.json"), har: text(".har"), log: text(".log") }
}

/// Replays a recorded call; what became of its attempts.
fn replay(bundle: &str) -> Vec<Fate> {
    let rig = Patience::OF_THE_RIG;
    let recorded = attempts(&recorded(bundle), rig.wait);
    let fates: Vec<Fate> = recorded.iter().map(|attempt| attempt.fate(rig.wait)).collect();
    let modelled = attempts(&modelled(&fates), Patience::DEFAULT.wait);
    let shows = |attempts: &[Attempt]| attempts.iter().map(Attempt::shows).collect::<Vec<_>>();
    assert_eq!(shows(&recorded), shows(&modelled), "{bundle}: {fates:?}");
    // The client sends the next one when the model's client would, or a moment later.
    for pair in recorded.windows(2) {
        let answered = pair[0]
            .line
            .filter(|_| pair[0].printed.is_none())
            .map(|(at, took, status)| (at + took - pair[0].sent, status));
        let next = rig.next_after(rig.outcome(answered)).expect("another attempt");
        let late = pair[1].sent - pair[0].sent - next;
        assert!((-30..250).contains(&late), "{bundle}: the attempt at {} is {late} ms late", pair[1].sent);
    }
    fates
}

#[test]
fn the_call_with_a_slow_homeserver_is_a_run_of_the_model() {
    use Fate::{Answered, Slow, SlowLong};
    assert_eq!(replay("slow-homeserver"), [Answered, SlowLong, SlowLong, SlowLong, Slow, Slow, Answered]);
}

#[test]
fn the_call_behind_a_slow_gateway_is_a_run_of_the_model() {
    assert_eq!(replay("slow-gateway"), [Fate::HeldLong; 2]);
}

#[test]
fn the_call_whose_requests_were_lost_is_a_run_of_the_model() {
    assert_eq!(replay("delayed-events-lost"), [Fate::LostAndSentAgain; 3]);
}

use super::*;
use crate::history::{History, MadeUpPage};

/// 10:00:00 UTC on 23 November 2026.
const TEN: i64 = 1_795_428_000_000;

const USER: &str = "@alice:example.org";

const START: [&str; 3] =
    ["***** STARTING SERVER *****", "Server /usr/bin/python version 1.155.0", "Instance name: master"];

fn stamp(second: i64) -> String {
    stamp::print(TEN + second * 1000)[..19].to_owned()
}

/// The process says at that second, counted from 10:00, that it starts.
fn start(second: i64, lines: &[&str]) -> String {
    let line =
        |message: &&str| format!("{},100 - synapse.config.logger - 377 - INFO - main - {message}\n", stamp(second));
    lines.iter().map(line).collect()
}

/// A request that took 50 ms.
fn request(second: i64, method: &str, uri: &str) -> String {
    format!(
        "{},500 - synapse.access.http.8008 - 643 - INFO - {method}-{} - 192.0.2.1 - 8008 - {{{USER}}} Processed request: 0.050sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 5B 200 \"{method} {uri} HTTP/1.1\" \"UA\" [0 dbevts]\n",
        stamp(second),
        second + 1_000
    )
}

fn sync(second: i64) -> String {
    request(second, "GET", &format!("/_matrix/client/v3/sync?since=s{second}_1"))
}

fn upload(second: i64) -> String {
    request(second, "POST", "/_matrix/client/v3/keys/upload")
}

/// A sync each ten seconds, and an upload at its beginning.
fn syncs(seconds: std::ops::Range<i64>) -> String {
    upload(seconds.start) + &seconds.step_by(10).map(sync).collect::<String>()
}

/// The browser's requests as its HAR has them; its clock is the server's.
fn har(seconds: std::ops::Range<i64>, uploads: usize) -> String {
    let entry = |second: i64, method: &str, uri: String| {
        format!(
            r#"{{"startedDateTime":"{}.440Z","time":70,"request":{{"method":"{method}","url":"https://h{uri}"}},"response":{{"status":200,"content":{{}}}}}}"#,
            stamp(second).replace(' ', "T")
        )
    };
    let mut entries: Vec<String> =
        (0..uploads).map(|_| entry(seconds.start, "POST", "/_matrix/client/v3/keys/upload".to_owned())).collect();
    entries.push(entry(seconds.start, "GET", format!("/_matrix/client/v3/user/{USER}/filter/0")));
    let syncs = seconds.clone().step_by(10);
    entries.extend(syncs.map(|second| entry(second, "GET", format!("/_matrix/client/v3/sync?since=s{second}_1"))));
    format!(r#"{{"log":{{"version":"1.2","creator":{{"name":"x","version":"1"}},"entries":[{}]}}}}"#, entries.join(","))
}

/// A bundle of a page, its HAR and these logs.
fn history(har: &str, logs: &[&str]) -> History {
    let page = MadeUpPage::new((USER, "ALICE"), TEN as u64, (TEN + 3_600_000) as u64).json();
    let history = History::new("coverage").file("alice.report.json", page).file("alice.har", har);
    logs.iter().enumerate().fold(history, |history, (log, text)| history.file(&format!("process{log}.log"), *text))
}

/// An absence between two seconds, by the first log's clock: of anybody, or of the page.
fn asked(history: &History, of_page: bool, answered: bool, from: i64, to: i64) -> Result<(), Unseen> {
    let bundle = history.bundle();
    let case = Case::of(&bundle);
    let at = |second: i64| Moment::at(Clock::Log(0), TEN + second * 1000);
    let page = of_page.then(|| &case.pages[0]);
    case.would_show(&Absence { route: Route::KeysUpload, page, answered, from: at(from), to: at(to) })
}

fn of_anybody(logs: &[&str]) -> Result<(), Unseen> {
    asked(&history(&har(0..400, 1), logs), false, false, 100, 300)
}

fn of_the_browser(har: &str, logs: &[&str]) -> Result<(), Unseen> {
    asked(&history(har, logs), true, true, 100, 300)
}

fn name() -> String {
    "process0.log".to_owned()
}

#[test]
fn a_server_without_workers_shows_every_request_between_its_start_and_its_last_lines() {
    let whole = start(0, &START) + &syncs(10..430);
    assert_eq!(of_anybody(&[&whole]), Ok(()));
    assert_eq!(of_anybody(&[]), Err(Unseen::NoLog));
    // Its zone may be unknown: the times are its own.
    let page = history(&har(0..400, 1), &[&whole]);
    assert_eq!(asked(&page, true, false, 100, 300), Ok(()), "nor would one go unseen that nobody saw answered");
}

#[test]
fn a_log_reduced_to_warnings_shows_no_request() {
    let warnings = (start(0, &START) + &syncs(10..430)).replace(" - INFO - ", " - WARNING - ");
    assert_eq!(of_anybody(&[&warnings]), Err(Unseen::NoInfo { log: name() }));
}

#[test]
fn requests_in_progress_are_in_no_log() {
    let short = start(0, &START) + &syncs(10..350);
    let goes_on_ms = 40_500;
    assert_eq!(of_anybody(&[&short]), Err(Unseen::InProgress { log: name(), goes_on_ms, needed_ms: 120_000 }));
    // A longer request than is usual was seen: another one may take as long.
    let slow = upload(20).replace("0.050sec", "75.000sec");
    let whole = start(0, &START) + &slow + &syncs(30..430);
    assert!(matches!(of_anybody(&[&whole]), Err(Unseen::InProgress { needed_ms: 150_000, .. })));
}

#[test]
fn another_log_that_goes_on_covers_nothing_of_this_one() {
    let ends = start(0, &START) + &syncs(10..250);
    let sender: String =
        (0..90).map(|n| sync(n * 10).replace("synapse.access.http.8008", "synapse.federation")).collect();
    assert_eq!(of_anybody(&[&ends, &sender]), Err(Unseen::Ends { log: name(), at: TEN + 240_500 }));
}

#[test]
fn a_hole_a_start_and_a_late_beginning_leave_a_time_uncovered() {
    let hole = start(0, &START) + &syncs(10..150) + &syncs(260..430);
    let (from, to) = (TEN + 140_500, TEN + 260_500);
    assert_eq!(of_anybody(&[&hole]), Err(Unseen::Hole { log: name(), from, to }));
    let again = start(0, &START) + &syncs(10..150) + &start(155, &START) + &syncs(160..430);
    assert_eq!(of_anybody(&[&again]), Err(Unseen::Restart { log: name(), at: TEN + 155_100 }));
    let with_workers = start(20, &START[..1]) + &syncs(30..430);
    assert_eq!(
        of_anybody(&[&(start(0, &START) + &with_workers)]),
        Err(Unseen::OtherProcesses),
        "as of its second start"
    );
    let late = start(120, &START) + &syncs(130..430);
    assert_eq!(of_anybody(&[&late]), Err(Unseen::Begins { log: name(), at: TEN + 120_100 }));
}

#[test]
fn a_clock_that_was_set_and_one_that_nothing_aligns_leave_a_time_without_place() {
    let back = start(0, &START) + &syncs(10..200) + &syncs(100..430);
    assert_eq!(of_anybody(&[&back]), Err(Unseen::ClockSet { log: name() }));
    let whole = start(0, &START) + &syncs(10..430);
    let bundle = history(&har(0..5, 1), &[&whole]).bundle();
    let case = Case::of(&bundle);
    let at = |second: i64| Moment::at(Clock::Page(0), TEN + second * 1000);
    let absence = Absence { route: Route::KeysUpload, page: None, answered: false, from: at(100), to: at(300) };
    assert_eq!(case.would_show(&absence), Err(Unseen::NoTime { log: name() }));
}

#[test]
fn one_worker_of_several_covers_only_the_answered_requests_of_the_browser_that_it_answers() {
    let worker = syncs(0..430);
    let measured = har(0..400, 1);
    assert_eq!(of_the_browser(&measured, &[&worker]), Ok(()));
    // Another worker may hang and answer nothing, and another browser may be served by another worker.
    assert_eq!(of_anybody(&[&worker]), Err(Unseen::OtherProcesses));
    assert_eq!(asked(&history(&measured, &[&worker]), true, false, 100, 300), Err(Unseen::OtherProcesses));
    let with_redis = start(0, &[START[0], START[1], START[2], "Connecting to redis (host='r' port=6379)"]);
    assert_eq!(of_anybody(&[&(with_redis + &syncs(10..430))]), Err(Unseen::OtherProcesses));
}

#[test]
fn a_browser_measures_only_what_it_asked_and_was_answered() {
    let worker = syncs(0..430);
    let measured = |all, of_route| Err(Unseen::NotMeasured { route: Route::KeysUpload, all, of_route });
    assert_eq!(of_the_browser(&har(0..100, 1), &[&worker]), measured(12, 1));
    assert_eq!(of_the_browser(&har(0..400, 0), &[&worker]), measured(41, 0));
    let (one, all) = (Found { asked: 1, found: 0 }, Found { asked: 42, found: 40 });
    let others = (0..430).step_by(10).map(sync).collect::<String>();
    let why = of_the_browser(&har(0..400, 1), &[&others]);
    assert_eq!(why, Err(Unseen::NotAll { route: Route::KeysUpload, all, of_route: one }), "the uploads go elsewhere");
    let bundle = History::new("no HAR").file("process0.log", worker).bundle();
    let case = Case::of(&bundle);
    let page = Page { report: 0, device: None, hars: Vec::new() };
    let at = Moment::at(Clock::Log(0), TEN);
    let absence = Absence { route: Route::KeysUpload, page: Some(&page), answered: true, from: at, to: at };
    assert_eq!(case.would_show(&absence), Err(Unseen::NoHar));
}

#[test]
fn every_reason_reads_as_a_clause() {
    let log = name();
    let reasons = [
        Unseen::NoLog,
        Unseen::NoInfo { log: log.clone() },
        Unseen::LeftOut { log: log.clone() },
        Unseen::NoHar,
        Unseen::NotMeasured { route: Route::Sync, all: 3, of_route: 1 },
        Unseen::NotAll { route: Route::Sync, all: Found::default(), of_route: Found::default() },
        Unseen::OtherProcesses,
        Unseen::NoTime { log: log.clone() },
        Unseen::ClockSet { log: log.clone() },
        Unseen::Begins { log: log.clone(), at: TEN },
        Unseen::Ends { log: log.clone(), at: TEN },
        Unseen::Hole { log: log.clone(), from: TEN, to: TEN },
        Unseen::Restart { log: log.clone(), at: TEN },
        Unseen::InProgress { log, goes_on_ms: 40_000, needed_ms: 120_000 },
    ];
    let words: BTreeSet<String> = reasons.iter().map(Unseen::to_string).collect();
    assert_eq!(words.len(), reasons.len(), "each reason has a wording of its own");
    assert!(words.iter().all(|words| !words.ends_with('.') && !words.contains("{")), "{words:?}");
}

/// The worlds in which a log was once taken for one that shows everything.
#[test]
fn the_logs_of_worlds_cover_no_more_than_they_hold() {
    let told = |world: &str, route: Route, answered: bool| {
        let bundle = History::world(world, world).bundle();
        let case = Case::of(&bundle);
        let page = &case.pages[0];
        let (from, to) = page.watched(case.report(page)).expect("a watched page");
        case.would_show(&Absence { route, page: Some(page), answered, from, to })
    };
    // Only one worker answers, and only its log is given.
    assert_eq!(told("62-the-second-worker-hangs", Route::DelayedEvent, false), Err(Unseen::OtherProcesses));
    // The log ends before the client gave up; that of the federation sender goes on.
    assert!(matches!(told("64-another-log-goes-on", Route::DelayedEvent, true), Err(Unseen::Ends { .. })));
    assert_eq!(told("64-another-log-goes-on", Route::DelayedEvent, false), Err(Unseen::OtherProcesses));
    // The log is another day's.
    assert!(matches!(
        told("08-yesterdays-log", Route::KeysUpload, true),
        Err(Unseen::NotAll { .. } | Unseen::NotMeasured { .. })
    ));
}

#[test]
fn a_forgotten_file_between_two_others_is_a_hole() {
    let bundle = History::world("10-gap-in-the-log", "a file is missing").bundle();
    let process = &bundle.logs[0].processes[0];
    let claimed: Vec<i64> = bundle.logs[0].claims.iter().map(|claim| claim.at).collect();
    let [first, second] = claimed[..] else { panic!("two claims: {claimed:?}") };
    assert!(process.hole_within(first, second).is_some(), "{:?}", process.holes);
}

use std::collections::BTreeSet;

use crypto_diag_server_log::{EventKind, LogReader};
use crypto_diag_triage::synapse_log::{LogOptions, ServerLog};
use proptest::prelude::*;

use super::*;
use crate::ids::Ids;
use crate::line_header::StampContext;
use crate::progress::Silent;
use crate::scan::Period;
use crate::scan::needles::Needles;

/// Milliseconds since the epoch of the first line.
const START: i64 = 1_795_422_963_000;

fn ids() -> Ids {
    Ids {
        users: ["@alice:h".to_owned()].into(),
        event_ids: ["$SomeEventOfTheCase".to_owned()].into(),
        delay_ids: ["syd_delayed".to_owned()].into(),
        ..Ids::default()
    }
}

fn plan(from: i64, to: i64) -> Plan {
    Plan {
        needles: Needles::new(&ids(), None),
        period: Period { clock: StampContext::default(), from, to },
        latency: false,
    }
}

/// Slices a text in blocks of 2 KiB, as a file or as a stream.
fn slice(text: &[u8], plan: &Plan, as_file: bool) -> (String, crate::join::Counts) {
    slice_by(3, text, plan, as_file)
}

fn slice_by(threads: usize, text: &[u8], plan: &Plan, as_file: bool) -> (String, crate::join::Counts) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    std::fs::write(&path, text).unwrap();
    let stdin = (!as_file).then(|| text.to_vec());
    let input = Input::plain(path, text.len() as u64);
    let (mut sequence, mut names) = (Sequence::new(plan), Names::default());
    let mut out = Vec::new();
    let cancel = AtomicBool::new(false);
    let run = SearchJob {
        input: &input,
        range: None,
        plan,
        threads,
        block: 2048,
        sequence: &mut sequence,
        names: &mut names,
        output: &mut |text| {
            out.extend_from_slice(text);
            Ok(())
        },
        progress: &Silent,
        cancel: &cancel,
    };
    match stdin {
        Some(text) => {
            blocks(&Blocks::of_stream(&text[..], 2048), None, run).unwrap();
        }
        None => {
            search(run).unwrap();
        }
    }
    sequence.finish(&mut names, &mut drop);
    out.extend_from_slice(&sequence.out);
    (String::from_utf8(out).unwrap(), sequence.counts)
}

fn head(ms: i64, request: &str) -> String {
    let at = START + ms;
    let day = crypto_diag_server_log::stamp::print(at);
    format!("{},{} - synapse.x.y - 12 - INFO - {request} - ", &day[..19], &day[20..23])
}

fn access(ms: i64, request: &str, took: i64, user: &str) -> String {
    let head = head(ms, request).replace("synapse.x.y", "synapse.access.http.8008");
    let (second, milli) = (took / 1000, took % 1000);
    format!(
        "{head}127.0.0.1 - 8008 - {{{user}}} Processed request: {second}.{milli:03}sec/0.000sec ru=(0.0sec, 0.0sec) db=(0.0sec/0.0sec/8) 5B 200 \"GET /x HTTP/1.1\" \"UA\" [0 dbevts]\n"
    )
}

#[derive(Clone, Debug)]
enum Piece {
    Line(u8, u8),
    Access(u8, u8, u16),
    Traceback(u8, u8, u8),
    Start,
    Stray,
}

fn piece() -> impl Strategy<Value = (u16, Piece)> {
    let piece = prop_oneof![
        8 => (0..20_u8, 0..6_u8).prop_map(|(request, names)| Piece::Line(request, names)),
        6 => (0..20_u8, 0..3_u8, 0..3000_u16).prop_map(|(request, user, took)| Piece::Access(request, user, took)),
        2 => (0..20_u8, 0..6_u8, 0..40_u8).prop_map(|(request, names, lines)| Piece::Traceback(request, names, lines)),
        1 => Just(Piece::Start),
        1 => Just(Piece::Stray),
    ];
    (0..400_u16, piece)
}

fn text(pieces: &[(u16, Piece)]) -> String {
    let mut text = String::new();
    let mut ms = 0;
    let names = ["nobody", "@alice:h", "$SomeEventOfTheCase", "syd_delayed", "someone", "/%40alice%3Ah/"];
    for (index, (step, piece)) in pieces.iter().enumerate() {
        ms += i64::from(*step);
        match piece {
            Piece::Line(request, name) => {
                text.push_str(&format!(
                    "{}{} {index}\n",
                    head(ms, &format!("GET-{request}")),
                    names[usize::from(*name)]
                ));
            }
            Piece::Access(request, user, took) => {
                let user = ["None", "@alice:h", "nobody"][usize::from(*user)];
                text.push_str(&access(ms, &format!("GET-{request}"), i64::from(*took), user));
            }
            Piece::Traceback(request, name, lines) => {
                text.push_str(&format!(
                    "{}failed {index}\nTraceback (most recent call last):\n",
                    head(ms, &format!("GET-{request}"))
                ));
                (0..*lines).for_each(|line| {
                    text.push_str(&format!("  File \"x.py\", line {line}, in some_function_of_synapse\n"))
                });
                text.push_str(&format!("ValueError: {}\n", names[usize::from(*name)]));
            }
            Piece::Start => text.push_str(&format!("{}***** STARTING SERVER *****\n", head(ms, "main"))),
            Piece::Stray => text.push_str("something that begins no line\n"),
        }
    }
    text
}

/// A record with all its lines, as triage reads them.
struct Whole {
    text: String,
    time: Option<i64>,
    request: Option<String>,
    took: Option<i64>,
    start: bool,
}

fn records(text: &str) -> Vec<Whole> {
    let mut reader = LogReader::new(text.as_bytes());
    let mut records = Vec::new();
    while let Some(record) = reader.next_record().unwrap() {
        let line = record.parse();
        let own = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        let took = line.as_ref().and_then(|line| match line.event().kind {
            EventKind::Access(access) => Some(access.duration_ms() as i64),
            _ => None,
        });
        records.push(Whole {
            text: format!("{}\n{}", own(record.text), own(record.continuation)),
            time: line.as_ref().and_then(|line| Some(line.time?.ms)),
            request: line.as_ref().and_then(|line| line.request.as_deref().map(str::to_owned)),
            took,
            start: record.text.ends_with(b"STARTING SERVER *****"),
        });
    }
    records
}

/// What has to be there, found the slow way: what names an id in the window, and what belongs to its request.
fn wanted(text: &str, from: i64, to: i64) -> BTreeSet<String> {
    let records = records(text);
    let names = ["@alice:h", "SomeEventOfTheCase", "syd_delayed", "%40alice%3Ah"];
    let hit = |whole: &Whole| {
        whole.time.is_some_and(|time| from <= time && time <= to) && names.iter().any(|name| whole.text.contains(name))
    };
    let mut wanted = BTreeSet::new();
    for (at, access) in records.iter().enumerate() {
        if hit(access) {
            wanted.insert(access.text.clone());
        }
        let (Some(took), Some(ended), Some(request)) = (access.took, access.time, &access.request) else {
            continue;
        };
        // One run only: from the last start before the access line on.
        let run = records[..at].iter().rposition(|whole| whole.start).map_or(0, |start| start + 1);
        let of_request: Vec<&Whole> = records[run..=at]
            .iter()
            .filter(|whole| whole.request.as_ref() == Some(request))
            .filter(|whole| whole.time.is_some_and(|time| ended - took <= time && time <= ended))
            .collect();
        if of_request.iter().any(|whole| hit(whole)) && hit(access) {
            wanted.extend(of_request.iter().map(|whole| whole.text.clone()));
        }
    }
    wanted
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 150, ..ProptestConfig::default() })]

    #[test]
    fn nothing_that_names_an_id_in_the_window_is_lost(
        pieces in prop::collection::vec(piece(), 1..300),
        from in 0..20_000_i64,
        length in 0..60_000_i64,
        as_file: bool,
    ) {
        let text = text(&pieces);
        let (from, to) = (START + from, START + from + length);
        let (slice, _) = slice(text.as_bytes(), &plan(from, to), as_file);
        for record in wanted(&text, from, to) {
            prop_assert!(slice.contains(&record), "lost: {record}");
        }
        // And nothing is made up, nor out of order, nor there twice.
        let lines: Vec<&str> = slice.lines().collect();
        let mut all = text.lines();
        for line in lines {
            prop_assert!(all.any(|known| known == line), "not of the log, or out of order: {line}");
        }
    }

    #[test]
    fn however_many_threads_search_the_slice_is_the_same(
        pieces in prop::collection::vec(piece(), 100..400),
        as_file: bool,
    ) {
        let (text, plan) = (text(&pieces), plan(START, START + 30_000));
        let (slice, counts) = slice_by(1, text.as_bytes(), &plan, as_file);
        for threads in [2, 8] {
            let (of_many, counts_of_many) = slice_by(threads, text.as_bytes(), &plan, as_file);
            prop_assert_eq!(&of_many, &slice);
            prop_assert_eq!(&counts_of_many, &counts);
        }
    }

    #[test]
    fn arbitrary_bytes_are_searched_without_a_panic(text in prop::collection::vec(any::<u8>(), 0..6000), as_file: bool) {
        let mut log = access(0, "GET-1", 3, "@alice:h").into_bytes();
        log.extend_from_slice(&text);
        log.extend_from_slice(b"\n");
        log.extend_from_slice(access(10, "GET-2", 3, "@alice:h").as_bytes());
        let (slice, _) = slice(&log, &plan(START, START + 100), as_file);
        prop_assert!(slice.contains("GET-1 ") && slice.contains("GET-2 "));
    }
}

fn everything() -> Plan {
    plan(START - 1, START + 3_600_000)
}

/// Lines that name nobody, some blocks of them.
fn noise(ms: i64, lines: usize) -> String {
    (0..lines).map(|n| format!("{}nothing to see here {n}\n", head(ms + n as i64, &format!("bg-{n}")))).collect()
}

#[test]
fn an_error_line_comes_with_its_access_line_over_blocks_and_not_over_a_restart() {
    let error = format!("{}refused\nTraceback (most recent call last):\n  x\n", head(5, "POST-1"));
    let answer = access(900, "POST-1", 898, "@alice:h");
    let between = noise(10, 200);
    let (joined, counts) = slice(format!("{}{error}{between}{answer}", noise(0, 3)).as_bytes(), &everything(), true);
    assert!(joined.contains(&error) && joined.contains(&answer) && counts.joined >= 1, "{joined}");
    let start = format!("{}***** STARTING SERVER *****\n", head(300, "main"));
    let (apart, _) = slice(format!("{}{error}{between}{start}{answer}", noise(0, 3)).as_bytes(), &everything(), true);
    assert!(!apart.contains("refused") && apart.contains(&answer) && apart.contains(&start), "{apart}");
    // The request began later: another of the same number.
    let quick = access(900, "POST-1", 100, "@alice:h");
    let (apart, _) = slice(format!("{}{error}{between}{quick}", noise(0, 3)).as_bytes(), &everything(), true);
    assert!(!apart.contains("refused"), "{apart}");
}

#[test]
fn a_slice_shows_as_what_the_server_started_and_that_it_has_workers() {
    let start = |rest: &str| {
        let lines = ["***** STARTING SERVER *****", "Instance name: master", rest];
        let said: String = lines.map(|says| format!("{}{says}\n", head(300, "main"))).concat();
        format!("{}{said}{}{}", noise(0, 3), noise(310, 200), access(900, "GET-1", 3, "@alice:h"))
    };
    let is_whole = |text: &str| {
        let (slice, _) = slice(text.as_bytes(), &everything(), true);
        let log = ServerLog::read("log", slice.as_bytes(), &LogOptions::default());
        log.processes.last().expect("a process").is_whole_server()
    };
    assert!(is_whole(&start("Twisted reactor: EPollReactor")));
    assert!(!is_whole(&start("Connecting to redis (host='localhost' port=6379 DBID='None')")));
}

#[test]
fn an_access_line_that_names_nobody_comes_with_the_line_that_does() {
    let error = format!("{}$SomeEventOfTheCase is not there\n", head(5, "POST-1"));
    let answer = access(900, "POST-1", 898, "None");
    let text = format!("{}{error}{}{answer}", noise(0, 3), noise(10, 200));
    for as_file in [true, false] {
        let (joined, _) = slice(text.as_bytes(), &everything(), as_file);
        assert!(joined.contains(&error) && joined.contains(&answer), "{joined}");
    }
}

#[test]
fn a_request_that_begins_before_the_oldest_held_block_is_counted() {
    let error = format!("{}refused\n", head(0, "POST-1"));
    // Ten minutes of log, and a request that took as long.
    let noise: String = (0..2000).map(|n| format!("{}nothing {n}\n", head(n * 300, "bg-1"))).collect();
    let answer = access(600_000, "POST-1", 600_000, "@alice:h");
    let (_, counts) = slice(format!("{error}{noise}{answer}").as_bytes(), &everything(), true);
    assert_eq!(counts.look_back_overflow, 1);
}

#[test]
fn each_minute_of_the_window_and_both_ends_of_the_log_are_shown() {
    let text: String = (0..60).map(|n| format!("{}tick {n}.\n", head(n * 20_000, "bg-1"))).collect();
    let (slice, _) = slice(text.as_bytes(), &plan(START + 120_000, START + 300_000), true);
    assert!(slice.contains("tick 0.") && slice.contains("tick 59."), "{slice}");
    assert_eq!(slice.lines().count(), 2 + 4, "{slice}");
}

#[test]
fn bytes_that_are_no_text_and_zeros_and_long_lines_do_no_harm() {
    let mut text = access(0, "GET-1", 3, "@alice:h").into_bytes();
    text.extend_from_slice(b"\0\0\xff\xfe\n");
    text.extend(std::iter::repeat_n(b'x', 3 << 20));
    text.push(b'\n');
    text.extend_from_slice(access(10, "GET-2", 3, "@alice:h").as_bytes());
    for as_file in [true, false] {
        let (slice, _) = slice(&text, &everything(), as_file);
        assert!(slice.contains("GET-1 ") && slice.contains("GET-2 "), "{}", slice.len());
    }
}

/// Searches a file of many lines of Alice's, in blocks of 2 KiB.
fn search_many_lines(
    progress: &dyn Progress,
    output: &mut dyn FnMut(&[u8]) -> Result<(), CollectError>,
) -> Result<ReadInput, CollectError> {
    let text: String = (0..4000).map(|n| access(n, &format!("GET-{n}"), 3, "@alice:h")).collect();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("x.log");
    std::fs::write(&path, &text).unwrap();
    let (input, plan) = (Input::plain(path, text.len() as u64), everything());
    search(SearchJob {
        input: &input,
        range: None,
        plan: &plan,
        threads: THREADS,
        block: 2048,
        sequence: &mut Sequence::new(&plan),
        names: &mut Names::default(),
        output,
        progress,
        cancel: &AtomicBool::new(false),
    })
}

const THREADS: usize = 3;

#[test]
fn an_output_that_fails_ends_the_search_with_its_error_while_threads_still_read() {
    let full = |_: &[u8]| {
        Err(CollectError::Unwritable { path: "the/slice.log".into(), error: std::io::ErrorKind::StorageFull.into() })
    };
    let error = search_many_lines(&Silent, &mut { full }).unwrap_err().to_string();
    assert!(error.starts_with("the/slice.log: cannot be written"), "{error}");
}

#[test]
fn threads_do_not_run_ahead_of_one_that_is_slow_by_more_blocks_than_there_is_room_for() {
    /// Holds up whoever comes first, until the others have come to a stop.
    #[derive(Default)]
    struct OneIsSlow {
        read: AtomicU64,
        meanwhile: AtomicU64,
    }
    impl Progress for OneIsSlow {
        fn bytes_read(&self, _: u64) {
            if self.read.fetch_add(1, Ordering::Relaxed) > 0 {
                return;
            }
            loop {
                let before = self.read.load(Ordering::Relaxed);
                std::thread::sleep(std::time::Duration::from_millis(200));
                if self.read.load(Ordering::Relaxed) == before {
                    return self.meanwhile.store(before, Ordering::Relaxed);
                }
            }
        }
    }
    let (slow, mut written) = (OneIsSlow::default(), 0);
    let mut count = |text: &[u8]| {
        written += text.len();
        Ok(())
    };
    search_many_lines(&slow, &mut count).unwrap();
    let (read, meanwhile) = (slow.read.into_inner(), slow.meanwhile.into_inner());
    assert!(meanwhile <= room(THREADS) as u64 && read > 4 * meanwhile, "{meanwhile} of {read} blocks");
    assert!(written > 0);
}

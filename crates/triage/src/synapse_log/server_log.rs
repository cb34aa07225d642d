//! What a whole log says: the ledger's lines, the requests of interest, and what the log could have shown.

use std::collections::{BTreeMap, HashSet};
use std::io::{self, BufRead, Read};
use std::sync::Arc;

use crypto_diag_server_log::latency::ByRoute;
use crypto_diag_server_log::zone::ZoneSource;
use crypto_diag_server_log::{LogLevel, LogReader, ReadCounts, is_loki_export, lines_of_export, source_of};

use super::building::Building;
use super::media::MediaLog;
use super::process::{Process, Step};
use super::record::{
    Access, ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, LoginLine, Request, Restart, ToDeviceLine, Upload,
};
use crate::problem::Problem;

/// Facts of one kind that are kept of one log at most. A collected slice has a few thousand.
pub const KEPT_MAX: usize = 24_000;

/// Bytes of a log that is one JSON document at most.
const DOCUMENT_BYTES_MAX: u64 = 256 << 20;

/// How to read a log.
#[derive(Clone, Debug, Default)]
pub struct LogOptions {
    /// Minutes that the server's local time is ahead of UTC, if somebody said so.
    pub zone_minutes: Option<i32>,
    /// A time that the log's are near to, in milliseconds since the epoch: it tells the year of stamps without one.
    pub near: Option<i64>,
    /// The requests that HARs have, by [`request_key`](super::request_key): others need not be kept. `None`: keep all that fit.
    pub wanted: Option<Arc<HashSet<u64>>>,
}

/// What a log says. Times are the server's, in milliseconds since the epoch, as far as its zone is known.
#[derive(Clone, Debug, Default)]
pub struct ServerLog {
    /// The artefact's name.
    pub name: String,
    /// Lines and bytes.
    pub counts: ReadCounts,
    /// Lines by level.
    pub levels: BTreeMap<LogLevel, u64>,
    /// The first line's time.
    pub first: Option<i64>,
    /// The last line's time.
    pub last: Option<i64>,
    /// Minutes that local time is ahead of UTC.
    pub zone_minutes: i32,
    /// How that is known.
    pub zone: ZoneSource,
    /// The processes that wrote it, one for each run.
    pub processes: Vec<Process>,
    /// Where its times run backwards too far: what stands on both sides of such a place cannot be put in order by times.
    pub steps: Vec<Step>,
    /// By how much its times run backwards elsewhere at most, in milliseconds.
    pub disorder_ms: i64,
    /// The users that its requests name.
    pub users: Vec<String>,
    /// Starts of processes.
    pub restarts: Vec<Restart>,
    /// The server's version, if it started in this log.
    pub version: Option<String>,
    /// All requests, as far as clocks and coverage need them.
    pub accesses: Vec<Access>,
    /// Requests to the routes of interest.
    pub requests: Vec<Request>,
    /// The ledger: uploads.
    pub uploads: Vec<Upload>,
    /// The ledger: claims.
    pub claims: Vec<ClaimLine>,
    /// Refused uploads.
    pub conflicts: Vec<ConflictLine>,
    /// Stored identities.
    pub device_keys: Vec<DeviceKeysUpdate>,
    /// New devices.
    pub logins: Vec<LoginLine>,
    /// Devices that were logged out or deleted.
    pub deleted: Vec<DeletedDevice>,
    /// Messages of `synapse.9533_debug`.
    pub to_device: Vec<ToDeviceLine>,
    /// The lines of the media side of calls that stand in the same file.
    pub media: Vec<MediaLog>,
    /// Latency by minute since the epoch and by route, without requests that wait for news.
    pub latency: BTreeMap<i64, ByRoute>,
    /// Facts that did not fit.
    pub not_kept: u64,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl ServerLog {
    /// Reads a log to its end. An error of the input ends it: what came before is there, the rest is named.
    pub fn read(name: &str, mut input: impl BufRead, options: &LogOptions) -> ServerLog {
        match exported(&mut input) {
            Ok(Some(lines)) => ServerLog::of_lines(name, &lines[..], options),
            Ok(None) => ServerLog::of_lines(name, input, options),
            Err(error) => {
                let mut building = Building::new(name, options);
                building.ended(0, &error);
                building.finish(ReadCounts::default())
            }
        }
    }

    fn of_lines(name: &str, input: impl BufRead, options: &LogOptions) -> ServerLog {
        let mut building = Building::new(name, options);
        let mut reader = LogReader::new(input);
        loop {
            match reader.next_record() {
                Ok(Some(record)) => match record.parse() {
                    Some(line) => building.add(line.event(), record.line),
                    None => building.stray(source_of(record.text), record.line),
                },
                Ok(None) => break,
                Err(error) => {
                    building.ended(reader.counts().lines, &error);
                    break;
                }
            }
        }
        building.finish(reader.counts())
    }

    /// Whether lines of that level could have been here at all: some are.
    pub fn shows_info(&self) -> bool {
        self.processes.iter().any(|process| process.shows_info)
    }

    /// Which process answered a request. Request ids count from 0 in every one.
    pub fn process(&self, index: u16) -> Option<&Process> {
        self.processes.get(usize::from(index))
    }

    /// Who asked.
    pub fn user(&self, access: &Access) -> Option<&str> {
        self.users.get(access.user? as usize).map(String::as_str)
    }
}

/// The lines of a log that is one JSON document, as Loki exports it; `None` if it is none, and nothing of it was read then.
fn exported(input: &mut impl BufRead) -> io::Result<Option<Vec<u8>>> {
    let head = input.fill_buf()?;
    let first_line = head.split(|byte| *byte == b'\n').find(|line| !line.trim_ascii().is_empty()).unwrap_or_default();
    let is_document = matches!(first_line.trim_ascii_start().first(), Some(b'{' | b'['));
    if !is_document || !is_loki_export(head) {
        return Ok(None);
    }
    let mut document = Vec::new();
    input.take(DOCUMENT_BYTES_MAX).read_to_end(&mut document)?;
    match lines_of_export(&document) {
        Some(lines) => Ok(Some(lines)),
        None => Err(io::Error::new(
            io::ErrorKind::InvalidData,
            "it begins as an export of Loki's and is none, or is longer than 256 MiB; export it as lines, with `logcli -o jsonl`",
        )),
    }
}

#[cfg(test)]
mod tests {
    use super::super::record::UploadOutcome;
    use super::*;

    fn log(text: &str) -> ServerLog {
        ServerLog::read("homeserver.log", text.as_bytes(), &LogOptions::default())
    }

    const ADDING: &str = "2026-11-23 09:36:03,854 - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0']) for device 'D' for user '@a:h' at 1795422963777\n";
    const ANSWER: &str = "2026-11-23 09:36:03,872 - synapse.access.http.8008 - 643 - INFO - POST-48 - 127.0.0.1 - 8008 - {@a:h} Processed request: 0.095sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400 \"POST /_matrix/client/v3/keys/upload HTTP/1.1\" \"UA\" [0 dbevts]\n";
    const START: &str = "2026-11-23 09:36:03,860 - root - 377 - WARNING - main - ***** STARTING SERVER *****\n";

    fn outcome(text: &str) -> UploadOutcome {
        log(text).uploads[0].outcome
    }

    #[test]
    fn the_ledger_tells_the_servers_zone() {
        let log = log(&format!("{ADDING}{ANSWER}"));
        assert_eq!((log.zone, log.zone_minutes), (ZoneSource::Ledger, 60));
        assert_eq!(log.last, Some(1_795_422_963_872));
        assert_eq!(log.processes[0].last, log.last);
        assert_eq!(log.requests[0].start, 1_795_422_963_777);
        assert_eq!(log.uploads[0].at, 1_795_422_963_777);
        assert_eq!(log.user(&log.accesses[0]), Some("@a:h"));
    }

    #[test]
    fn an_upload_goes_with_the_lines_where_their_zone_is_unknown() {
        let other = ADDING.replace("1795422963777", "1795426563777");
        let log = log(&format!("{ADDING}{other}"));
        assert_eq!(log.zone, ZoneSource::Assumed, "an hour apart: the clock was set, or summer time ended");
        assert_eq!(Some(log.uploads[0].at), log.first);
    }

    #[test]
    fn an_upload_counts_only_with_its_200() {
        assert!(matches!(outcome(&format!("{ADDING}{ANSWER}")), UploadOutcome::Refused { status: 400, .. }));
        let accepted = ANSWER.replace("528B 400", "48B 200");
        assert_eq!(outcome(&format!("{ADDING}{accepted}")), UploadOutcome::Accepted { line: 2 });
        assert_eq!(outcome(ADDING), UploadOutcome::Unknown);
    }

    #[test]
    fn an_upload_whose_client_had_gone_is_still_that_upload() {
        let late = ADDING.replace("09:36:03,854", "09:36:04,800").replace("1795422963777", "1795422964700");
        let gone = ANSWER.replace("09:36:03,872", "09:36:08,777").replace("0.095sec/0.000sec", "5.000sec/-4.800sec");
        let log = log(&format!("{late}{}", gone.replace("528B 400", "48B 200!")));
        assert_eq!(log.uploads[0].outcome, UploadOutcome::Accepted { line: 2 });
        assert_eq!((log.requests[0].start, log.requests[0].unfinished), (1_795_422_963_777, true));
        assert_eq!(log.uploads[0].start, Some(1_795_422_963_777));
    }

    #[test]
    fn a_request_id_joins_only_between_starts_in_one_process_and_within_its_duration() {
        let unknown = |text: String| assert_eq!(outcome(&text), UploadOutcome::Unknown, "{text}");
        unknown(format!("{ADDING}{START}{ANSWER}"));
        unknown(format!("w1 | {ADDING}w2 | {ANSWER}"));
        unknown(format!("{ADDING}{}", ANSWER.replace("0.095sec", "0.005sec")));
        unknown(format!("{ADDING}{ANSWER}{ANSWER}"));
    }

    #[test]
    fn two_users_requests_with_one_id_are_told_apart_by_their_users() {
        let carol = |line: &str| line.replace("@a:h", "@carol:h");
        let accepted = ANSWER.replace("528B 400", "48B 200");
        let text = format!("{ADDING}{}{ANSWER}{}", carol(ADDING), carol(&accepted));
        let found: Vec<UploadOutcome> = log(&text).uploads.iter().map(|upload| upload.outcome).collect();
        assert_eq!(found, [UploadOutcome::Refused { status: 400, line: 3 }, UploadOutcome::Accepted { line: 4 }]);
        // An answer that names nobody may be of either.
        let nobody = accepted.replace("{@a:h}", "{None}");
        assert_eq!(outcome(&format!("{ADDING}{ANSWER}{nobody}")), UploadOutcome::Unknown);
        // Two uploads of one user that claim one answer: it is of one of them.
        let other = ADDING.replace("'D'", "'E'");
        assert_eq!(outcome(&format!("{ADDING}{other}{accepted}")), UploadOutcome::Unknown);
        assert_eq!(outcome(&format!("{ADDING}{}", carol(&accepted))), UploadOutcome::Unknown);
    }

    #[test]
    fn times_that_run_backwards_are_a_step_or_a_disorder() {
        let line = |time: &str| format!("2026-11-23 {time} - synapse.x - 1 - INFO - GET-1 - m\n");
        let text = [line("09:00:00,000"), line("09:10:00,000"), line("09:09:59,100"), line("09:05:00,000")].concat();
        let log = log(&text);
        assert_eq!(log.steps, [Step { line: 4, back_ms: 299_100 }]);
        assert_eq!(log.disorder_ms, 900);
        // Two sources of one stream are held back apart from one another.
        let merged = format!("w1 | {}w2 | {}", line("09:10:00,000"), line("09:00:00,000"));
        assert_eq!(super::tests::log(&merged).steps, []);
    }

    #[test]
    fn a_start_shows_whether_the_process_is_the_whole_server() {
        let line = |message: &str| {
            format!("2026-11-23 09:36:03,861 - synapse.config.logger - 377 - INFO - main - {message}\n")
        };
        let whole = |rest: &str| {
            let text = format!("{START}{}{rest}", line("Instance name: master"));
            log(&text).processes.last().expect("a process").is_whole_server()
        };
        assert!(whole(&line("Twisted reactor: EPollReactor")));
        assert!(!whole(&line("Connecting to redis (host='localhost' port=6379)")));
        assert!(!whole(&ANSWER.replace("/_matrix/client/v3/keys/upload", "/_synapse/replication/fed_send_edus/x")));
        assert!(!whole(START), "it was started again, and does not say as what");
        assert!(!log(&line("Instance name: master")).processes[0].is_whole_server());
    }

    #[test]
    fn request_ids_that_begin_anew_are_a_start() {
        let line = |id: &str, time: &str| ANSWER.replace("POST-48", id).replace("09:36:03,872", time);
        let text = format!("{}{}", line("GET-4000", "09:36:03,872"), line("GET-5", "09:40:00,000"));
        let restarts = log(&text).restarts;
        assert_eq!(restarts.iter().map(|start| (start.line, start.announced)).collect::<Vec<_>>(), [(2, false)]);
    }

    #[test]
    fn what_is_no_log_is_named() {
        let log = log("hello\nworld\n");
        assert!(log.problems.iter().any(|problem| problem.what.contains("homeserver")), "{:?}", log.problems);
    }
}

//! Logs as people really have them: wrapped, cut, without a year, of several programs, of other servers. Each test's name says
//! the situation; the files in `tests/fixtures/logs` were collected from public reports, with made-up ids.

use std::io::BufReader;
use std::path::Path;

use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::conclusion::Conclusion;
use crypto_diag_triage::synapse_log::{Fate, LogOptions, MediaProgram, Route, ServerLog, UploadOutcome, ZoneSource};
use crypto_diag_triage::unpack;
use crypto_diag_triage::{Triage, render, stamp};

const MIRA: &str = "@mira:matrix.example.net";
const DEVICE: &str = "AQGTNURAAR";

fn bytes(name: &str) -> Vec<u8> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/logs").join(name);
    std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Reads a log as the command and the page do: what stands around the text is taken off first.
fn read_text(text: &[u8]) -> ServerLog {
    let opened = unpack::open::open_stream(text).expect("a log that can be opened");
    ServerLog::read("homeserver.log", BufReader::new(opened), &LogOptions::default())
}

fn read(name: &str) -> ServerLog {
    let bytes = bytes(name);
    assert_eq!(kind(name), ArtefactKind::ServerLog);
    read_text(&bytes)
}

fn kind(name: &str) -> ArtefactKind {
    let bytes = bytes(name);
    let mut opened = BufReader::new(unpack::open::open_stream(&bytes[..]).expect("a log that can be opened"));
    ArtefactKind::guess(name, std::io::BufRead::fill_buf(&mut opened).expect("a beginning"))
}

fn said(log: &ServerLog, words: &str) -> bool {
    log.problems.iter().any(|problem| problem.to_string().contains(words))
}

fn at(ms: i64) -> String {
    stamp::print(ms)[..19].to_owned()
}

/// Verdicts of a bundle with that log alone.
fn proven(name: &str) -> Vec<Conclusion> {
    let mut bundle = Bundle::new();
    let bytes = bytes(name);
    bundle.add(name, None, BufReader::new(unpack::open::open_stream(&bytes[..]).expect("a log")));
    let triage = Triage::of(&bundle);
    triage.verdicts.iter().filter(|one| one.answer.word() == "proven").map(|one| one.conclusion).collect()
}

#[test]
fn with_opentracing_on_the_dashes_behind_request_ids_hide_no_line_of_the_ledger() {
    let log = read("s01-opentracing.log");
    let upload = &log.uploads[0];
    assert_eq!((upload.user_id.as_str(), upload.device_id.as_str()), (MIRA, DEVICE));
    assert_eq!((upload.key_ids.len(), upload.at), (2, 1_795_422_963_781));
    assert!(matches!(upload.outcome, UploadOutcome::Accepted { line: 4 }), "{:?}", upload.outcome);
    assert_eq!((log.claims.len(), log.claims[0].key_id.as_str()), (1, "signed_curve25519:AAAAAAAAAA0"));
}

#[test]
fn a_default_journal_without_year_zone_and_own_time_gets_all_three_from_a_ledger_line() {
    let log = read("s02-journalctl-short-native.log");
    assert_eq!((log.zone, log.zone_minutes), (ZoneSource::Ledger, 60));
    let conflict = &log.conflicts[0];
    assert_eq!(
        (conflict.conflict.key_id.as_deref(), at(conflict.at).as_str()),
        (Some("AAAAAAAAAA0"), "2026-11-23 08:36:03")
    );
    let request = &log.requests[0];
    assert_eq!((request.route, request.status, request.user_id.as_deref()), (Route::KeysUpload, 400, Some(MIRA)));
    assert!(matches!(log.uploads[0].outcome, UploadOutcome::Refused { status: 400, .. }));
    assert_eq!(log.uploads[0].device_id, DEVICE);
    assert!(log.shows_info(), "a form without levels shows by its requests that it has lines at INFO");
    assert!(log.problems.is_empty(), "{:?}", log.problems);
}

#[test]
fn a_default_journal_without_a_ledger_line_gets_its_year_from_the_report_or_says_that_nothing_tells_it() {
    let text: Vec<u8> = bytes("s02-journalctl-short-native.log")
        .split_inclusive(|byte| *byte == b'\n')
        .skip(1)
        .flatten()
        .copied()
        .collect();
    let options = LogOptions { near: Some(1_796_000_000_000), ..LogOptions::default() };
    let log = ServerLog::read("j.log", &text[..], &options);
    assert_eq!((at(log.requests[0].end).as_str(), log.zone), ("2026-11-23 09:36:03", ZoneSource::Assumed));
    let report = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1796000000000,"entries":[]}"#;
    let mut bundle = Bundle::new();
    bundle.add("a.report.json", None, report.as_bytes());
    bundle.add("j.log", None, &text[..]);
    assert_eq!(at(bundle.logs[0].requests[0].end), "2026-11-23 09:36:03");
    let alone = read_text(&text);
    assert!(said(&alone, "without a year") && said(&alone, "journalctl --no-pager --all -o short-iso-precise"));
}

#[test]
fn a_journal_over_new_year_is_in_two_years() {
    let text = "Dec 31 23:59:59 box x[1]: synapse.a: [GET-1] m\nJan 01 00:00:01 box x[1]: synapse.a: [GET-2] m\n";
    let options = LogOptions { near: Some(1_798_800_000_000), ..LogOptions::default() };
    let log = ServerLog::read("j.log", text.as_bytes(), &options);
    assert_eq!(
        log.first.zip(log.last).map(|(first, last)| (at(first), last - first)),
        Some(("2026-12-31 23:59:59".to_owned(), 2_000))
    );
    assert!(log.steps.is_empty() && log.processes[0].holes.is_empty());
}

#[test]
fn under_runit_or_s6_a_stamp_in_front_of_each_line_hides_nothing() {
    let log = read("s04-tai64n-multilog.log");
    let message = &log.to_device[0];
    assert_eq!((message.fate, message.message_id.as_str()), (Fate::Dropped, "b4305e2c58c244dea1aaddef5b32ff9d"));
    assert_eq!(message.target, Some((MIRA.to_owned(), DEVICE.to_owned())));
    assert_eq!((log.requests[0].route, log.requests[0].status), (Route::SendToDevice, 200));
}

#[test]
fn an_upload_that_a_terminal_cut_between_two_claims_makes_the_ledger_incomplete_and_proves_nothing() {
    let log = read("s06b-cut-ledger-between-two-claims.log");
    assert_eq!((log.claims.len(), log.uploads.len()), (2, 0));
    assert!(
        said(&log, "line 2: 1 lines about keys") && said(&log, "journalctl --no-pager --all"),
        "{:?}",
        log.problems
    );
    let process = &log.processes[0];
    assert!(process.hole_within(log.claims[0].at, log.claims[1].at).is_some(), "nothing follows from absence there");
    assert_eq!(proven("s06b-cut-ledger-between-two-claims.log"), []);
}

#[test]
fn logs_out_of_dockers_api_are_read_with_the_headers_of_its_stream_or_what_is_left_of_them() {
    for name in ["s07-docker-raw-stream.log", "s07b-portainer-copy.txt"] {
        let log = read(name);
        assert_eq!((log.requests.len(), log.claims.len(), log.counts.orphans), (1, 1, 0), "{name}");
        assert_eq!((log.requests[0].status, log.requests[0].user_id.as_deref()), (400, Some(MIRA)), "{name}");
    }
}

#[test]
fn in_a_journal_of_lines_with_and_without_own_time_the_journals_zone_is_that_of_all() {
    let log = read("s09-journal-mixed-forms.log");
    assert_eq!(log.zone, ZoneSource::Printed);
    assert_eq!(at(log.deleted[0].at), "2026-11-23 08:36:03");
    assert_eq!(
        (at(log.uploads[0].at), at(log.requests[0].end)),
        ("2026-11-23 08:41:03".to_owned(), "2026-11-23 08:41:03".to_owned())
    );
    assert!(matches!(log.uploads[0].outcome, UploadOutcome::Refused { status: 400, .. }));
    assert!(log.problems.is_empty(), "{:?}", log.problems);
}

#[test]
fn a_device_id_in_use_is_no_one_time_key_conflict() {
    let log = read("s10-device-id-in-use.log");
    assert_eq!((log.requests[0].route, log.requests[0].status, log.conflicts.len()), (Route::KeysUpload, 400, 0));
    assert_eq!(log.device_keys.len(), 1);
    assert_eq!(proven("s10-device-id-in-use.log"), []);
}

#[test]
fn a_claim_that_the_database_refused_consumed_no_key_and_its_traceback_is_its_lines() {
    let log = read("s11-serialization-500.log");
    assert_eq!((log.requests[0].route, log.requests[0].status), (Route::KeysClaim, 500));
    assert_eq!((log.claims.len(), log.conflicts.len(), log.counts.orphans), (0, 0, 0));
    assert_eq!(proven("s11-serialization-500.log"), []);
}

#[test]
fn a_coloured_compose_log_is_read_and_the_databases_lines_are_named_as_such() {
    let log = read("s13-compose-ansi.log");
    assert_eq!((log.requests.len(), log.processes.len()), (1, 1));
    assert_eq!(log.processes[0].source, "synapse-1");
    assert!(said(&log, "1 lines are of other programs than a homeserver (postgres-1)"), "{:?}", log.problems);
}

#[test]
fn a_compose_log_that_begins_with_its_databases_lines_is_a_servers_log() {
    let mut text = String::new();
    for second in 0..60 {
        text.push_str(&format!("postgres-1  | 2026-11-23 08:35:{second:02}.001 UTC [51] LOG:  checkpoint starting\n"));
    }
    text.push_str("synapse-1   | 2026-11-23 08:36:03,872 - synapse.x - 1 - INFO - GET-1 - m\n");
    assert_eq!(ArtefactKind::guess("docker.txt", text.as_bytes()), ArtefactKind::ServerLog);
    let log = read_text(text.as_bytes());
    assert!(said(&log, "60 lines are of other programs than a homeserver (postgres-1)"), "{:?}", log.problems);
}

#[test]
fn lines_that_a_journal_hides_are_counted_and_nothing_follows_from_their_absence() {
    let log = read("s15-journal-blob-data.log");
    assert!(said(&log, "line 1: 2 lines") && said(&log, "--all"), "{:?}", log.problems);
    // Between two lines that are shown, what is hidden is a hole of every process.
    let line = |second: u8, inner: &str| format!("Apr 03 09:19:{second:02} box docker[612]: {inner}\n");
    let shown = |second: u8| {
        line(second, &format!("synapse-1  | 2026-04-03 07:19:{second:02},102 - synapse.x - 1 - INFO - GET-1 - m"))
    };
    let log = read_text([shown(1), line(2, "[238B blob data]"), shown(5)].concat().as_bytes());
    let process = &log.processes[0];
    let begins = process.first.expect("a time");
    assert!(process.hole_within(begins + 1_000, begins + 2_000).is_some());
    assert_eq!(process.hole_within(begins - 5_000, begins), None);
}

#[test]
fn a_log_that_prints_the_time_of_day_alone_gets_its_date_from_a_ledger_line() {
    let line =
        |time: &str, message: &str| format!("{time} - synapse.handlers.e2e_keys - 1 - INFO - POST-1 - {message}\n");
    let claim = "Claimed one-time-keys: signed_curve25519:A for @a:h:D";
    let update = "Updating device_keys for device 'D' for user @a:h at 1795422963777";
    let text = [line("23:59:59,000", claim), line("09:36:03,800", update), line("09:40:00,000", claim)].concat();
    let log = read_text(text.as_bytes());
    assert_eq!((log.zone, log.zone_minutes), (ZoneSource::Ledger, 60));
    assert_eq!(
        (at(log.claims[0].at), at(log.claims[1].at)),
        ("2026-11-22 22:59:59".to_owned(), "2026-11-23 08:40:00".to_owned())
    );
    let alone = read_text(line("23:59:59,000", claim).as_bytes());
    assert!(said(&alone, "a time of day alone") && said(&alone, "%(asctime)s"), "{:?}", alone.problems);
}

#[test]
fn a_log_of_python_that_nothing_configured_is_read_without_requests() {
    let text = "Nov 23 09:36:03 box python[7]: INFO:synapse.handlers.e2e_keys:Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0']) for device 'D' for user '@a:h' at 1795422963777\n";
    let log = read_text(text.as_bytes());
    assert_eq!((log.uploads.len(), log.uploads[0].outcome), (1, UploadOutcome::Unknown));
    assert_eq!(at(log.uploads[0].at), "2026-11-23 08:36:03");
}

#[test]
fn an_export_of_lokis_is_a_log_the_oldest_line_first() {
    let line = |second: u8| {
        format!(
            "2026-11-23 09:36:{second:02},871 - synapse.handlers.e2e_keys - 1 - INFO - POST-{second} - Claimed one-time-keys: signed_curve25519:A for @a:h:D"
        )
    };
    let ns = |second: u64| format!("{}872000000", 1_795_422_960 + second);
    let answer = serde_json::json!({"status": "success", "data": {"resultType": "streams", "result": [
        {"stream": {"pod": "worker-0"}, "values": [[ns(5), line(5)], [ns(3), line(3)]]},
        {"stream": {"pod": "worker-1"}, "values": [[ns(4), line(4)]]},
    ]}});
    let text = answer.to_string();
    assert_eq!(ArtefactKind::guess("loki.json", text.as_bytes()), ArtefactKind::ServerLog);
    let log = read_text(text.as_bytes());
    let claims: Vec<String> = log.claims.iter().map(|claim| at(claim.at)).collect();
    assert_eq!(claims, ["2026-11-23 08:36:03", "2026-11-23 08:36:04", "2026-11-23 08:36:05"]);
    assert_eq!((log.zone, log.processes.len()), (ZoneSource::Printed, 2));
    // A range query of Prometheus has the same outside.
    let prometheus =
        r#"{"status":"success","data":{"resultType":"matrix","result":[{"metric":{},"values":[[60,"0.5"]]}]}}"#;
    assert_eq!(ArtefactKind::guess("p99.json", prometheus.as_bytes()), ArtefactKind::Latency);
}

#[test]
fn a_refusal_of_dendrites_is_a_conflict() {
    let text = r#"time="2026-11-23T08:36:03.871Z" level=error msg="Failed to upload one or more keys" func=github.com/matrix-org/dendrite/clientapi/routing.UploadKeys key_errors="map[@mira:matrix.example.net:map[AQGTNURAAR:@mira:matrix.example.net device AQGTNURAAR: algorithm / key ID signed_curve25519:AAAMHA one-time key already exists]]" req.id=U6cZPFL2OUmT req.method=POST req.path=/_matrix/client/r0/keys/upload user_id="@mira:matrix.example.net""#;
    assert_eq!(ArtefactKind::guess("dendrite.txt", text.as_bytes()), ArtefactKind::ServerLog);
    let log = read_text(text.as_bytes());
    let conflict = &log.conflicts[0];
    assert_eq!(
        (conflict.conflict.key_id.as_deref(), at(conflict.at).as_str()),
        (Some("AAAMHA"), "2026-11-23 08:36:03")
    );
    assert_eq!(
        (conflict.conflict.user_id.as_deref(), conflict.conflict.device_id.as_deref()),
        (Some(MIRA), Some(DEVICE))
    );
}

/// Conduit, conduwuit, continuwuity and tuwunel overwrite a key in silence, and Dendrite prints no request: with such a log in
/// place of Synapse's nothing more may be refuted or proven than with none.
#[test]
fn the_silence_of_a_server_that_overwrites_keys_refutes_nothing() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/worlds");
    let mut compared = 0;
    for folder in std::fs::read_dir(fixtures).expect("a folder of fixtures") {
        let folder = folder.expect("a readable folder").path();
        if !folder.is_dir() {
            continue;
        }
        let mut files: Vec<_> =
            std::fs::read_dir(&folder).expect("files").map(|file| file.expect("a file").path()).collect();
        files.sort();
        let mut bundles = [Bundle::new(), Bundle::new(), Bundle::new()];
        let mut span: Option<(i64, i64)> = None;
        for path in &files {
            let name = path.file_name().expect("a name").to_string_lossy().into_owned();
            let text = std::fs::read(path).expect("a readable file");
            match ArtefactKind::guess(&name, &text) {
                ArtefactKind::ServerLog => {
                    let log = ServerLog::read(&name, &text[..], &LogOptions::default());
                    let own = log.first.zip(log.last);
                    span = match (span, own) {
                        (Some((from, to)), Some((first, last))) => Some((from.min(first), to.max(last))),
                        (known, own) => known.or(own),
                    };
                }
                kind => bundles.iter_mut().for_each(|bundle| bundle.add(&name, Some(kind), &text[..])),
            }
        }
        let Some((from, to)) = span else { continue };
        let step = ((to - from) / 2_000).max(5_000);
        let times: Vec<String> = (0..=(to - from) / step)
            .map(|n| stamp::print(from + n * step).replace(" UTC", "Z").replace(' ', "T"))
            .collect();
        let conduit: String =
            times.iter().map(|time| format!("{time}  INFO conduwuit_service::sending: Sent a transaction\n")).collect();
        let dendrite: String =
            times.iter().map(|time| format!("time=\"{time}\" level=info msg=\"Sent a transaction\"\n")).collect();
        bundles[1].add("conduwuit.log", None, conduit.as_bytes());
        bundles[2].add("dendrite.log", None, dendrite.as_bytes());
        assert!(bundles[1..].iter().all(|bundle| bundle.logs.len() == 1 && bundle.logs[0].shows_info()));
        let [without, conduit, dendrite] = bundles.map(|bundle| {
            let triage = Triage::of(&bundle);
            let mut said: Vec<_> = triage.verdicts.iter().map(|one| (one.conclusion, one.answer.word())).collect();
            said.retain(|(_, word)| *word != "unknown");
            said.sort_unstable();
            said
        });
        assert_eq!(conduit, without, "{}", folder.display());
        assert_eq!(dendrite, without, "{}", folder.display());
        compared += 1;
    }
    assert!(compared > 20, "only {compared} histories have a log");
}

/// Written by hand, after the format strings of Synapse, of LiveKit v1.13.5 and of lk-jwt-service v0.5.0.
#[test]
fn a_compose_log_of_a_whole_stack_says_who_joined_the_sfu_and_who_got_no_token() {
    let name = "m01-compose-of-homeserver-sfu-and-tokens.log";
    let log = read(name);
    assert_eq!(
        (log.uploads.len(), log.processes.len()),
        (1, 1),
        "the homeserver's part is what it is without the others"
    );
    assert_eq!(log.processes[0].source, "synapse-1");
    assert!(log.problems.is_empty(), "{:?}", log.problems);
    let programs: Vec<_> = log.media.iter().map(|media| (media.program, media.lines.len(), media.zone)).collect();
    assert_eq!(
        programs,
        [(MediaProgram::TokenService, 2, ZoneSource::Assumed), (MediaProgram::LiveKit, 7, ZoneSource::Printed)]
    );

    let mut bundle = Bundle::new();
    bundle.add(name, None, &bytes(name)[..]);
    let triage = Triage::of(&bundle);
    let sfu = triage.timeline.lanes.iter().find(|lane| lane.name.starts_with("SFU: ")).expect("a lane");
    let marks: Vec<&str> = sfu.marks.iter().map(|mark| mark.text.as_str()).collect();
    assert_eq!(
        marks,
        [
            "@mira:matrix.example.net:AQGTNURAAR joins",
            "@mira:matrix.example.net:AQGTNURAAR publishes, encryption GCM",
            "@farid:hs.example.com:WBFBKNPGOF joins",
            "@farid:hs.example.com:WBFBKNPGOF publishes, encryption not said",
            "@farid:hs.example.com:WBFBKNPGOF leaves: CLIENT_REQUEST_LEAVE",
        ]
    );
    let refused = triage.timeline.lanes.iter().find(|lane| lane.name.ends_with("refused")).expect("a lane");
    assert!(refused.trouble && refused.marks[0].text == "somebody got no token (line 3)", "{refused:?}");
    let text = render::text(&triage);
    assert!(text.contains("Somebody asked for a token for the SFU and got none"), "{}", &*text);
    let verdict = triage.verdicts.iter().find(|one| one.conclusion == Conclusion::DifferentSfu).expect("a verdict");
    assert!(verdict.is_refuted(), "both were at one SFU: {verdict:?}");
}

/// The log of the other SFU would tell, and the answer says how to get it.
#[test]
fn a_member_who_is_alone_at_an_sfu_is_told_which_log_would_say_where_the_others_are() {
    let name = "m01-compose-of-homeserver-sfu-and-tokens.log";
    let text = String::from_utf8(bytes(name)).expect("a text");
    let alone: String =
        text.lines().filter(|line| !line.contains("PA_dK3vRt8YcZmQ")).map(|line| format!("{line}\n")).collect();
    let mut bundle = Bundle::new();
    bundle.add(name, None, alone.as_bytes());
    let triage = Triage::of(&bundle);
    let verdict = triage.verdicts.iter().find(|one| one.conclusion == Conclusion::DifferentSfu).expect("a verdict");
    assert!(
        verdict.is_unknown() && verdict.statement.contains("@farid:hs.example.com/WBFBKNPGOF was alone"),
        "{verdict:?}"
    );
    let next = triage.story.next.expect("something to fetch");
    assert!(
        next.fetch.how.contains("docker logs livekit") && next.fetch.how.contains("livekit_service_url"),
        "{next:?}"
    );
}

/// The file alone is no homeserver's log, so nothing follows from what it lacks of one.
#[test]
fn an_sfus_log_is_told_by_its_content_and_is_no_homeservers() {
    let line = "2026-11-23T08:36:00.871Z\tINFO\tlivekit\tservice/server.go:298\tstarting LiveKit server\t{\"portHttp\": 7880, \"nodeID\": \"ND_a\", \"version\": \"1.13.5\"}\n";
    assert_eq!(ArtefactKind::guess("pasted.txt", line.as_bytes()), ArtefactKind::ServerLog);
    let mut bundle = Bundle::new();
    bundle.add("pasted.txt", None, line.as_bytes());
    assert!(bundle.is_usable() && bundle.logs.is_empty() && bundle.problems.is_empty(), "{:?}", bundle.problems);
    assert_eq!(bundle.media.len(), 1);
    assert_eq!(Triage::of(&bundle).exit_code, 2, "no report says what a page saw");
}

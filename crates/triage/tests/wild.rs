//! Files and lines that people have, and what is read out of each. A test's name says the situation.

use std::path::Path;

use crypto_diag_analysis::Origin;
use crypto_diag_analysis::evidence::ke2::{Ke2Kind, Participant};
use crypto_diag_analysis::evidence::ke3::Reason;
use crypto_diag_analysis::evidence::ke4::Ke4Kind;
use crypto_diag_analysis::evidence::{Evidence, Ke2, Ke4, read};
use crypto_diag_core::{Entry, Host, Ke, Level, Line, Meaning, Millis, Recorder};
use crypto_diag_triage::Triage;
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::conclusion::Conclusion;
use crypto_diag_triage::har::LostBody;
use crypto_diag_triage::verdict::Verdict;

/// A fixture, added as a file of its name.
fn bundle(name: &str) -> Bundle {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/wild").join(name);
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bundle = Bundle::new();
    bundle.add(name, None, &bytes[..]);
    bundle
}

fn problems(bundle: &Bundle) -> Vec<&str> {
    bundle.problems.iter().map(|problem| problem.what.as_str()).collect()
}

fn verdicts_of(triage: &Triage, conclusion: Conclusion) -> impl Iterator<Item = &Verdict> {
    triage.verdicts.iter().filter(move |verdict| verdict.conclusion == conclusion)
}

/// Nothing is proven or refuted, and the answer says that questions are open.
fn says_nothing(bundle: &Bundle) {
    let triage = Triage::of(bundle);
    let told: Vec<_> = triage.verdicts.iter().filter(|verdict| !verdict.is_unknown()).collect();
    assert!(told.is_empty(), "{told:#?}");
    assert_ne!(triage.exit_code, 0);
}

/// What a page keeps of a line.
fn kept(line: &str) -> Option<Entry> {
    let mut recorder = Recorder::new();
    recorder.record(&Line::new(Millis(1_795_422_963_000), Level::Error, line));
    recorder.report(Host::default()).entries.into_iter().next()
}

fn entry(line: &str) -> Entry {
    kept(line).unwrap_or_else(|| panic!("no signature stands in {line}"))
}

fn media_key(line: &str) -> (Meaning, Ke2) {
    let entry = entry(line);
    let Some(Evidence::Ke2(facts)) = read(&entry) else { panic!("{:?} of {line}", read(&entry)) };
    (entry.meaning, facts)
}

fn membership(line: &str) -> (Meaning, Ke4) {
    let entry = entry(line);
    let Some(Evidence::Ke4(facts)) = read(&entry) else { panic!("{:?} of {line}", read(&entry)) };
    (entry.meaning, facts)
}

#[test]
fn a_psqlrc_that_prints_null_in_parentheses_does_not_give_the_event_an_algorithm() {
    let bundle = bundle("p01-null-display.txt");
    let event = &bundle.queries[0].events[0];
    assert_eq!((event.has("algorithm"), event.knows_redaction), (Some(false), false));
    let triage = Triage::of(&bundle);
    assert!(verdicts_of(&triage, Conclusion::StrippedOnTheWay).all(|verdict| !verdict.is_proven()));
    assert!(verdicts_of(&triage, Conclusion::MalformedOnServer).all(Verdict::is_unknown));
}

#[test]
fn a_one_time_key_is_read_out_of_pgclis_boxes() {
    let bundle = bundle("p02-pgcli.txt");
    assert_eq!(problems(&bundle), [""; 0]);
    let [key] = bundle.queries[0].one_time_keys.as_slice() else { panic!("{:?}", bundle.queries) };
    assert_eq!(
        (key.user_id.as_deref(), key.device_id.as_deref()),
        (Some("@mira:matrix.example.net"), Some("AQGTNURAAR"))
    );
    assert_eq!((key.key_id.as_str(), key.ts_added_ms), ("AAAAAAAAAA0", Some(1_795_422_963_777)));
}

#[test]
fn rows_copied_out_of_a_pager_without_their_head_say_how_to_copy_them_with_it() {
    let bundle = bundle("p04-cut-by-pager.txt");
    assert!(bundle.queries[0].one_time_keys.is_empty());
    assert!(problems(&bundle)[0].contains("without a head"), "{:?}", bundle.problems);
    assert!(problems(&bundle)[0].contains("pager off"));
    says_nothing(&bundle);
}

#[test]
fn an_inbox_selected_whole_is_two_messages_and_no_backlog_since_nothing_says_when() {
    let bundle = bundle("p05-inbox-select-star.txt");
    let inbox: Vec<_> =
        bundle.queries[0].inbox.iter().map(|row| (row.device_id.as_deref(), row.last_stream_id)).collect();
    assert_eq!(inbox, [(Some("AQGTNURAAR"), Some(16)), (Some("AQGTNURAAR"), Some(17))]);
    assert!(problems(&bundle).iter().any(|what| what.contains("when this inbox was read")), "{:?}", bundle.problems);
    says_nothing(&bundle);
}

#[test]
fn a_sync_whose_body_firefox_cut_is_a_request_that_brought_nobody_knows_what() {
    let bundle = bundle("h02-firefox-cut-body.har");
    let [sync] = bundle.hars[0].entries.as_slice() else { panic!("{:?}", bundle.hars) };
    assert_eq!((sync.status, sync.start, sync.lost), (200, 1_795_422_965_010, Some(LostBody::Cut)));
    assert!(sync.facts.is_none());
    assert!(problems(&bundle)[0].contains("ends in the middle"), "{:?}", bundle.problems);
    says_nothing(&bundle);
}

#[test]
fn a_sliding_sync_shows_what_arrived_and_the_position_that_it_acknowledges() {
    let bundle = bundle("h04-sliding-sync.har");
    let sync = &bundle.hars[0].entries[0];
    assert_eq!(sync.acknowledged(), Some(16));
    let [message] = sync.facts.as_ref().unwrap().arrived.as_slice() else { panic!("{sync:?}") };
    assert_eq!((message.sender.as_str(), message.event_type.as_str()), ("@farid:hs.example.com", "m.room.encrypted"));
    assert_eq!(message.message_id, "b4305e2c58c244dea1aaddef5b32ff9d");
    assert_eq!(problems(&bundle), [""; 0]);
}

#[test]
fn frames_that_the_key_of_a_call_does_not_open_leave_a_failure_open_however_often() {
    let lines = [
        "InvalidKey: Decryption failed: ",
        "Decryption failed: The operation failed for an operation-specific reason",
        "LiveKitError: Decryption failed: ",
    ];
    for line in lines {
        let (meaning, facts) = media_key(line);
        assert_eq!((meaning, facts.kind), (Meaning::Transient, Ke2Kind::WrongKey), "{line}");
        assert_eq!((facts.participant, facts.key_index), (None, None));
    }
    let console = lines.map(|line| format!("2026-11-23T08:36:03.315Z E {line}\n")).concat().repeat(300);
    let mut bundle = Bundle::new();
    bundle.add("console.log", None, console.as_bytes());
    let triage = Triage::of(&bundle);
    let [seen] = verdicts_of(&triage, Conclusion::Ke2Seen).collect::<Vec<_>>()[..] else { panic!("one page") };
    assert!(seen.is_unknown() && seen.statement.contains("does not open"), "{seen:#?}");
}

#[test]
fn a_media_key_that_the_browser_refuses_names_participant_index_and_room() {
    let (meaning, facts) = media_key(
        "Failed to create key material from buffer for livekit room=!UroYyeqCqhuMkzUGIA:m.example.io participantId before hash=@farid:hs.example.com:WBFBKNPGOF encryptionKeyIndex=3 OperationError",
    );
    assert_eq!((meaning, facts.kind), (Meaning::Failure, Ke2Kind::KeyNotImported));
    assert_eq!(facts.participant, Some(Participant::read("@farid:hs.example.com:WBFBKNPGOF")));
    assert_eq!((facts.key_index, facts.room_id.as_deref()), (Some(3), Some("!UroYyeqCqhuMkzUGIA:m.example.io")));
}

#[test]
fn encryption_that_could_not_be_switched_on_is_a_failure_unless_the_call_has_none() {
    let (meaning, facts) = media_key("Failed to set E2EE enabled on room TypeError: no worker");
    assert_eq!((meaning, facts.kind), (Meaning::Failure, Ke2Kind::EncryptionNotEnabled));
    // livekit-client 2.23.0 throws this whether encryption is to be switched on or off.
    let (meaning, facts) = media_key("Failed to set E2EE enabled on room Error: e2ee not configured");
    assert_eq!((meaning, facts.kind), (Meaning::Transient, Ke2Kind::EncryptionNotEnabled));
}

#[test]
fn two_participants_on_two_sfus_are_no_failure_of_encryption() {
    let line = r#"Failed to authenticate to transport https://livekit-jwt.call.example.org FailToGetOpenIdToken: Error: SFU Config fetch failed with status code 500 {"errcode":"M_LOOKUP_FAILED","error":"Failed to look up user info from homeserver"}"#;
    assert_eq!(kept(line), None);
}

/// The same failure in a HAR: it is named with its place, and is no verdict.
#[test]
fn a_token_that_was_refused_is_named_where_the_question_of_media_keys_is_answered() {
    let request = |path: &str, status: u16| {
        serde_json::json!({
            "startedDateTime": "2026-11-23T08:36:03.777Z", "time": 12.5,
            "request": {"method": "POST", "url": format!("https://livekit-jwt.call.example.org{path}")},
            "response": {"status": status, "content": {}},
        })
    };
    let answer = |entries: &[serde_json::Value]| {
        let har = serde_json::json!({"log": {"version": "1.2", "creator": {}, "entries": entries}}).to_string();
        let mut bundle = Bundle::new();
        bundle.add("call.har", None, har.as_bytes());
        let triage = Triage::of(&bundle);
        assert!(triage.verdicts.is_empty(), "{:?}", triage.verdicts);
        triage.questions[1].looked_at.join(" ")
    };
    // A service that has no `/get_token` yet answers 404, and the client asks the older way.
    let refused = answer(&[request("/get_token", 404), request("/sfu/get", 500)]);
    assert!(refused.contains("got none (call.har, entry 1: POST /sfu/get → 500"), "{refused}");
    assert!(refused.contains("no matter of encryption"), "{refused}");
    let given = answer(&[request("/get_token", 404), request("/sfu/get", 200)]);
    assert!(!given.contains("token"), "{given}");
}

#[test]
fn a_user_who_has_used_up_the_delayed_events_stops_for_the_quota_and_not_for_the_rate() {
    let (meaning, facts) = membership(
        "MembershipManager stopped because:  Error: Exceeded maximum retries for SendDelayedEvent attempts (client._unstable_sendDelayedStateEvent)\n  [cause]: MatrixError: [429] The maximum number of delayed events has been reached. (https://m.example.io/_matrix/client/v3/rooms/!UroYyeqCqhuMkzUGIA%3Am.example.io/state/org.matrix.msc3401.call.member/_%40mira%3Am.example.io_AQGTNURAAR_m.call?org.matrix.msc4140.delay=8000)",
    );
    assert_eq!((meaning, facts.kind), (Meaning::Failure, Some(Ke4Kind::Stopped)));
    assert_eq!((facts.http_status, facts.cause), (Some(429), Some(Ke4Kind::Quota)));
}

#[test]
fn a_delay_that_synapse_1_157_finds_too_long_says_both_delays() {
    let (meaning, facts) = membership(
        "MembershipManager stopped because:  MatrixError: [403] The requested delay (8000ms) exceeds the allowed maximum (5000ms) (https://m.example.io/_matrix/client/v3/rooms/!UroYyeqCqhuMkzUGIA%3Am.example.io/state/org.matrix.msc3401.call.member/_x?org.matrix.msc4140.delay=8000)",
    );
    assert_eq!((meaning, facts.kind), (Meaning::Failure, Some(Ke4Kind::Stopped)));
    assert_eq!((facts.http_status, facts.cause), (Some(403), Some(Ke4Kind::DelayTooLong)));
    assert_eq!((facts.delay_ms, facts.delay_max_ms), (Some(8000), Some(5000)));
}

#[test]
fn a_leave_that_the_server_had_sent_already_is_no_failure() {
    let words = "Encountered unexpected error during SendScheduledDelayedLeaveEvent. Falling back to SendLeaveEvent";
    let (meaning, facts) = membership(&format!("{words} MatrixError: [409] The delayed event was sent already"));
    assert_eq!((meaning, facts.kind), (Meaning::Transient, Some(Ke4Kind::LeaveFellBack)));
    assert_eq!(membership(&format!("{words} MatrixError: [500] x")).0, Meaning::Failure);
}

#[test]
fn warnings_of_a_healthy_sticky_call_are_no_lines_of_any_family() {
    for line in [
        "ignored invalid sticky event Error: Sticky event must have a type",
        "tried adding another `SendDelayedEvent` actions even though we already have one in the Queue\nActionQueueOnMemberUpdate: Array(1)",
    ] {
        assert_eq!(kept(line), None, "{line}");
    }
}

#[test]
fn a_line_that_holds_a_media_key_is_a_failure_without_the_key() {
    let kept = entry(
        r#"Failed to send to-device message of type io.element.call.encryption_keys {"call_id":"","device_id":"WBFBKNPGOF","keys":[{"index":0,"key":"c3ludGhldGljLWtleS0wMQ"}],"sent_ts":1795422963757}"#,
    );
    assert_eq!((kept.ke, kept.meaning), (Ke::Ke2, Meaning::Failure));
    assert!(!kept.message.contains("c3ludGhldGlj"), "{}", kept.message);
}

#[test]
fn what_was_sent_before_a_fresh_login_is_no_failure() {
    let kept = entry(
        "Error decrypting event (id=$e type=m.room.encrypted sender=@c:m.example.io room=!r:m.example.io ts=2026-10-17T23:10:24.942Z): DecryptionError[msg: This message was sent before this device logged in. Key backup is working, but we still do not (yet) have the key., sender_key: k, session_id: s]",
    );
    assert_eq!(kept.meaning, Meaning::Transient);
    let Some(Evidence::Ke3(event)) = read(&kept) else { panic!("{:?}", read(&kept)) };
    assert_eq!(event.reason, Reason::Historical);
}

#[test]
fn a_console_saved_by_firefox_is_a_report_without_times_that_refutes_nothing() {
    let bundle = bundle("f01-console-export-2026-11-23_9-36-3.txt");
    assert_eq!((bundle.artefacts[0].kind, bundle.artefacts[0].used), (ArtefactKind::Console, true));
    let report = &bundle.reports[0];
    assert_eq!(report.origin, Origin::SavedConsole { from: None, to: None });
    let lines: Vec<_> = report.entries().map(|(_, entry)| (entry.ke, entry.meaning)).collect();
    assert_eq!(lines, [(Ke::Ke3, Meaning::Transient), (Ke::Ke3, Meaning::Transient)]);
    assert_eq!((report.user_id.as_deref(), report.device_id.as_deref()), (None, None));
    let event = report.entries().find_map(|(_, entry)| match read(entry)? {
        Evidence::Ke3(event) if event.reason == Reason::MissingRoomKey => Some(event),
        _ => None,
    });
    assert_eq!(event.unwrap().event_id.as_deref(), Some("$KRlAxTsC7tuBGgnG5imydmd9v0EwGYkWoxxT0b55TXs"));
    let triage = Triage::of(&bundle);
    assert!(triage.verdicts.iter().all(|verdict| !verdict.is_refuted()), "{:#?}", triage.verdicts);
    assert!(triage.verdicts.iter().flat_map(|verdict| &verdict.evidence).all(|piece| piece.at.is_none()));
    assert!(triage.questions.iter().flat_map(|asked| &asked.looked_at).any(|what| what.contains("a saved console")));
    assert!(bundle.logs.is_empty());
}

#[test]
fn what_chromium_and_firefox_write_of_a_console_themselves_is_read_alike() {
    for name in ["f10-chromium-enable-logging.txt", "f11-firefox-stdout.txt"] {
        let bundle = bundle(name);
        assert_eq!((bundle.artefacts[0].kind, bundle.artefacts[0].used), (ArtefactKind::Console, true), "{name}");
        let entries: Vec<_> = bundle.reports[0].entries().map(|(_, entry)| entry).collect();
        let [machine, call, key] = entries.as_slice() else { panic!("{name}: {entries:#?}") };
        let Some(Evidence::Ke3(event)) = read(machine) else { panic!("{name}: {machine:?}") };
        assert_eq!((event.event_id.as_deref(), event.room_id.as_deref()), (Some("$e"), Some("!r:x")), "{name}");
        let Some(Evidence::Ke2(error)) = read(call) else { panic!("{name}: {call:?}") };
        assert_eq!(error.reason.as_deref(), Some("Error: worker \"quoted\""), "{name}");
        let Some(Evidence::Ke2(missing)) = read(key) else { panic!("{name}: {key:?}") };
        assert_eq!((missing.kind, missing.key_index), (Ke2Kind::MissingKey, Some(3)), "{name}");
    }
}

#[test]
fn a_log_of_element_x_is_a_report_with_times_and_without_the_tokens_beside_its_lines() {
    let bundle = bundle("f03-elementx-logs.2026-11-23-08.log");
    assert_eq!((bundle.artefacts[0].kind, bundle.artefacts[0].used), (ArtefactKind::Console, true));
    assert!(bundle.logs.is_empty(), "no line of it is the server's");
    let report = &bundle.reports[0];
    let span = Origin::SavedConsole { from: Some(Millis(1_795_422_963_315)), to: Some(Millis(1_795_422_964_514)) };
    assert_eq!(report.origin, span);
    let [(_, entry)] = report.entries().collect::<Vec<_>>()[..] else { panic!("{:?}", report.entries) };
    let Some(Evidence::Ke3(event)) = read(entry) else { panic!("{entry:?}") };
    assert_eq!(event.event_id.as_deref(), Some("$KRlAxTsC7tuBGgnG5imydmd9v0EwGYkWoxxT0b55TXs"));
    assert_eq!(event.message.as_deref(), Some("Can't find the room key to decrypt the event, withheld code: None"));
    assert_eq!((event.sender.as_deref(), event.reason), (Some("@carla.k:m.example.io"), Reason::MissingRoomKey));
    let answer = crypto_diag_triage::render::json(&Triage::of(&bundle)).unwrap();
    assert!(!answer.contains("AbCdEfGhIjKlMnOpQrStUvWx"));
}

#[test]
fn a_rageshake_gives_its_consoles_the_device_that_it_names_and_keeps_its_users_words() {
    let mut bundle = Bundle::new();
    let details = br#"{"user_text":"my diary of that evening","app_name":"element-web","data":{"user_id":"@alice:localhost","device_id":"HQBJQUNFIQ","User-Agent":"Mozilla/5.0"}}"#;
    bundle.add("shake/details.json", None, &details[..]);
    let console = "2026-11-23T08:36:03.315Z I begins\n2026-11-23T08:36:03.400Z E Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [400] One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {\"key\":\"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\",\"signatures\":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}\n";
    bundle.add("shake/console.0.log", None, console.as_bytes());
    let kinds: Vec<_> = bundle.artefacts.iter().map(|artefact| (artefact.kind, artefact.used)).collect();
    assert_eq!(kinds, [(ArtefactKind::Rageshake, true), (ArtefactKind::Console, true)]);
    assert_eq!(bundle.reports[0].device_id.as_deref(), Some("HQBJQUNFIQ"));
    let triage = Triage::of(&bundle);
    assert!(verdicts_of(&triage, Conclusion::Ke1Seen).any(Verdict::is_proven), "{:#?}", triage.verdicts);
    assert!(!crypto_diag_triage::render::json(&triage).unwrap().contains("diary"));
}

#[test]
fn the_consoles_that_a_test_recorded_are_read_and_prove_what_they_hold() {
    let path =
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/console/ke1-to-ke2-store-rollback.jsonl");
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bundle = Bundle::new();
    bundle.add("rollback.jsonl", None, &bytes[..]);
    assert_eq!((bundle.artefacts[0].kind, bundle.artefacts[0].used), (ArtefactKind::Console, true));
    assert_eq!(bundle.reports[0].device_id.as_deref(), Some("HQBJQUNFIQ"));
    let triage = Triage::of(&bundle);
    assert!(verdicts_of(&triage, Conclusion::Ke1Seen).any(Verdict::is_proven), "{:#?}", triage.verdicts);
    assert!(triage.verdicts.iter().all(|verdict| !verdict.is_refuted()), "a saved console refutes nothing");
}

use crypto_diag_core::{CaptureState, PageEvent, Request, RequestRoute};

use super::*;

#[test]
fn a_broken_part_is_absent_and_the_rest_stays() {
    let text = r#"{"schema":"crypto-diag/report","schemaVersion":1,"deviceId":7,"userId":"@a:b","sent":null,
        "entries":[{"ts":"no"},
        {"ts":1,"level":"warn","ke":"KE-1","signature":"already exists","message":"m","meaning":"unrelated"}]}"#;
    let report = Report::from_json(text).unwrap();
    assert_eq!(report.device_id, None);
    assert_eq!(report.user_id.as_deref(), Some("@a:b"));
    let indexes: Vec<usize> = report.entries().map(|(index, _)| index).collect();
    assert_eq!(indexes, [1], "the place of an entry is its place in the file");
}

#[test]
fn an_earlier_page_is_read_as_a_report_of_its_own_which_says_nothing_of_its_capture() {
    let mut recorder = crypto_diag_core::Recorder::new();
    let refusal = "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {}";
    recorder.record(&crypto_diag_core::Line::new(Millis(7), crypto_diag_core::Level::Error, refusal));
    let mut written = crypto_diag_core::Report { user_agent: Some("Firefox/153.0".into()), ..Default::default() };
    written.earlier_pages.push(crypto_diag_core::EarlierPage {
        time_origin: Some(Millis(5)),
        stored_at: Millis(9),
        user_id: Some("@a:b".into()),
        device_id: Some("A".into()),
        clock_offset: Some(1.5),
        tallies: recorder.counts().rows(),
        facts: vec![crypto_diag_core::CallFact { ts: Millis(8), ..Default::default() }],
        entries: recorder.entries(),
        ..Default::default()
    });
    let mut value: Value = serde_json::from_str(&written.to_json()).unwrap();
    value["earlierPages"]
        .as_array_mut()
        .unwrap()
        .extend([Value::Null, serde_json::json!({"entries": 7, "facts": [1]})]);
    let report = Report::from_value(&value).unwrap();
    assert_eq!((report.entries.len(), report.is_of_earlier_page()), (0, false), "nothing of it is this page's");
    let [page, broken] = &report.earlier[..] else { panic!("what is no page is left out: {:?}", report.earlier) };
    assert!(page.is_of_earlier_page() && page.has_times());
    assert_eq!((page.generated_at, page.capture.time_origin), (Millis(9), Some(Millis(5))));
    assert_eq!((page.user_id.as_deref(), page.device_id.as_deref()), (Some("@a:b"), Some("A")));
    assert_eq!((page.tally("KE-1", Meaning::Failure), page.entries().count()), (1, 1));
    assert_eq!(page.call.as_ref().map(|call| call.facts.len()), Some(1));
    assert_eq!((page.user_agent.as_deref(), page.clock_offset_ms), (Some("Firefox/153.0"), Some(1.5)));
    // Nothing says since when it was watched, nor that it was awake.
    assert_eq!((page.capture.installed_at, page.was_held_up(Millis(6), Millis(8))), (None, None));
    assert!(!broken.has_entries && broken.call.is_none());
    assert!(page.is_of_same_page(&page.clone()) && !page.is_of_same_page(broken));
}

#[test]
fn what_is_no_report_is_refused_by_name() {
    assert_eq!(Report::from_json("{\n x").unwrap_err(), ReportError::NotJson { line: 2, column: 2 });
    let other = Report::from_json(r#"{"schema":"har"}"#).unwrap_err();
    assert_eq!(other, ReportError::NotAReport { schema: Some("har".into()) });
    assert!(other.to_string().contains("crypto-diag/report"));
    let newer = Report::from_json(r#"{"schema":"crypto-diag/report","schemaVersion":99}"#).unwrap_err();
    assert_eq!(newer, ReportError::TooNew { version: 99 });
    assert!(Report::from_json("[]").is_err() && Report::from_json("3").is_err());
}

#[test]
fn every_part_that_analysis_needs_is_read_as_the_core_writes_it() {
    let mut recorder = crypto_diag_core::Recorder::new();
    let line = crypto_diag_core::Line::new(
        Millis(7),
        crypto_diag_core::Level::Error,
        "keys/upload already exists syt_secretsecret",
    );
    recorder.record(&crypto_diag_core::Line { stack: Some("at x"), ..line });
    let mut written = recorder.report(crypto_diag_core::Host::default());
    let hook = crypto_diag_core::HookState { method: "warn".into(), in_place: true, reason: Some("r".into()) };
    written.capture = Capture {
        state: CaptureState::Failed,
        reason: Some("r".into()),
        installed_at: Some(Millis(1)),
        time_origin: Some(Millis(2)),
        cleared_at: Some(Millis(3)),
        hooks: vec![hook],
        partly_scanned: 4,
        unreadable: 5,
        nested: 6,
        queue_overflow: 8,
        lines_seen: 12,
        lines_matched: 1,
        frames: crypto_diag_core::FrameWatch {
            watching: true,
            documents: vec![crypto_diag_core::FrameState {
                path: Some("/f".into()),
                hooked: true,
                hooked_at: Some(Millis(14)),
                time_origin: Some(Millis(15)),
                blind: Some("late".into()),
                removed: true,
            }],
            omitted: 16,
        },
        failures: vec![crypto_diag_core::Failure { ts: Millis(9), what: "w".into() }],
        page_events: vec![PageEvent { ts: Millis(10), event: "hidden".into() }],
        ..Capture::default()
    };
    let own = DeviceKeys { ed25519: Some("e".into()), curve25519: Some("c".into()) };
    let known = KnownDevice {
        user_id: "u".into(),
        device_id: "d".into(),
        ed25519: Some("e".into()),
        curve25519: Some("c".into()),
        verified: Some(true),
    };
    written.crypto = Some(CryptoFacts {
        own_device_keys: Some(own),
        devices: vec![known],
        active_backup_version: Some("1".into()),
        cross_signing_ready: Some(true),
        secret_storage_ready: Some(false),
    });
    written.clock = Some(crypto_diag_core::Clock {
        offset: Some(7_200_012.0),
        server_minus_page: Some(ServerMinusPage { low: -12, high: 300 }),
        ..crypto_diag_core::Clock::default()
    });
    let requests = RequestRoute::ALL.iter().zip([Some(200), Some(0), None].into_iter().cycle());
    written.requests = Some(Requests {
        rows: requests.map(|(route, status)| Request { route: *route, ts: Millis(16), duration: 17, status }).collect(),
        omitted: 18,
        other: 19,
    });
    written.storage = Some(crypto_diag_core::Storage { persisted: Some(false), ..Default::default() });
    written.call = Some(a_call());
    written.unanswered = vec![crypto_diag_core::Unanswered { question: "q".into(), why: "w".into() }];
    let target =
        crypto_diag_core::SentTarget { user_id: "u".into(), device_id: "d".into(), message_id: Some("m".into()) };
    written.sent = vec![SentBatch {
        ts: Millis(11),
        event_type: Some("t".into()),
        txnid: Some("x".into()),
        targets: vec![target],
        omitted: 12,
        realm: crypto_diag_core::Realm { kind: crypto_diag_core::RealmKind::Frame, path: Some("/f".into()) },
    }];
    let read = Report::from_json(&written.to_json()).unwrap();
    assert_eq!(read.entries, [Some(written.entries[0].clone())]);
    assert_eq!((read.sent, read.crypto), (written.sent, written.crypto));
    assert_eq!((read.call, &read.unanswered[..]), (written.call, &["q".to_owned()][..]));
    assert_eq!(read.capture, written.capture);
    assert_eq!((read.requests, read.server_minus_page), (written.requests, written.clock.unwrap().server_minus_page));
    assert_eq!((read.storage_persisted, read.tallies.map(|tallies| tallies.len())), (Some(false), Some(1)));
    assert_eq!((read.has_entries, read.clock_offset_ms), (true, Some(7_200_012.0)));
    assert_eq!(read.counts.map(|counts| counts[Ke::Ke1 as usize]), Some(1));
}

fn a_call() -> CallFacts {
    use crypto_diag_core::{
        CallFact, CallFactKind, CallMembership, CallSession, Direction, MediaKind, MediaStream, StreamSample,
    };
    let [packets, packet_age, played_age, emitted, samples, concealed] = [1.0, 2.0, 3.0, 4.0, 5.0, 6.0].map(Some);
    let [energy, frames, decoded, dropped, plis, freezes] = [7.5, 8.0, 9.0, 10.0, 11.0, 12.0].map(Some);
    let sample = StreamSample {
        ts: Millis(1),
        packets,
        packet_age,
        played_age,
        emitted,
        samples,
        concealed,
        energy,
        frames,
        decoded,
        dropped,
        plis,
        freezes,
    };
    let stream = MediaStream {
        path: Some("/f".into()),
        connection: 2,
        connection_state: Some("connected".into()),
        mid: Some("0".into()),
        direction: Direction::Sending,
        kind: MediaKind::Video,
        participant_sid: Some("PA_x".into()),
        muted: Some(true),
        enabled: Some(false),
        samples: vec![sample],
    };
    let membership = CallMembership {
        user_id: Some("u".into()),
        device_id: Some("d".into()),
        participant: Some("p".into()),
        created_at: Some(Millis(3)),
        expires_at: Some(Millis(4)),
        focus: Some("https://f".into()),
    };
    let session =
        CallSession { own: true, joined: Some(true), room_id: Some("!r".into()), memberships: vec![membership] };
    let fact = |what| CallFact {
        ts: Millis(5),
        what,
        participant: Some("p".into()),
        participant_sid: Some("PA_x".into()),
        key_index: Some(6),
        encrypted: Some(true),
        kind: Some(MediaKind::Video),
    };
    let facts = [CallFactKind::Connected, CallFactKind::Subscribed, CallFactKind::KeySet].map(fact).to_vec();
    CallFacts { streams: vec![stream], omitted: 7, session: Some(session), facts }
}

#[test]
fn a_call_whose_numbers_are_none_has_no_numbers() {
    let report = r#"{"schema": "crypto-diag/report", "call": {"streams": [{"direction": "receiving", "kind": "audio",
        "samples": [{"ts": 1, "packets": -1, "emitted": 1e300, "energy": "loud", "frames": null, "decoded": 3}, {"packets": 2}]}]}}"#;
    let call = Report::from_json(report).unwrap().call.unwrap();
    let samples = &call.streams[0].samples;
    assert_eq!(samples.len(), 1, "a sample without a time is none");
    assert_eq!((samples[0].packets, samples[0].emitted, samples[0].energy), (None, None, None));
    assert_eq!((samples[0].frames, samples[0].decoded), (None, Some(3.0)));
    assert_eq!(call.omitted, 1, "a report that does not say how many were left out may have left some out");
}

#[test]
fn a_page_is_awake_only_where_the_capture_watched_it() {
    let mut report = Report::default();
    let held_up = |report: &Report, from, to| report.was_held_up(Millis(from), Millis(to));
    assert_eq!(held_up(&report, 20, 30), None, "no capture");
    report.capture.installed_at = Some(Millis(25));
    assert_eq!(held_up(&report, 20, 30), None, "installed later");
    report.capture.installed_at = Some(Millis(10));
    assert_eq!(held_up(&report, 20, 30), Some(false));
    let event = |ts, event: &str| PageEvent { ts: Millis(ts), event: event.into() };
    report.capture.page_events = vec![event(40, "hidden"), event(50, "visible"), event(70, "offline")];
    assert_eq!(held_up(&report, 20, 30), Some(false));
    assert_eq!(held_up(&report, 45, 46), Some(true), "it was hidden all the time");
    assert_eq!(held_up(&report, 45, 60), Some(true), "it was hidden at first");
    assert_eq!(held_up(&report, 55, 60), Some(false));
    assert_eq!(held_up(&report, 80, 90), Some(true), "it is still offline");
    report.capture.page_events = vec![event(1, "online"); PAGE_EVENTS_MAX];
    assert_eq!(held_up(&report, 20, 30), None, "older changes may be lost");
}

#[test]
fn no_page_is_awake_by_default() {
    assert_eq!(Report::default().was_held_up(Millis(0), Millis(1)), None);
}

#[test]
fn requests_of_earlier_versions_and_of_other_hands_cost_themselves_alone() {
    let report = |more: &str| {
        Report::from_json(&format!(r#"{{"schema":"crypto-diag/report","schemaVersion":1,{more}"entries":[]}}"#))
            .unwrap()
    };
    assert_eq!(report("").requests, None);
    assert_eq!(report(r#""requests":null,"clock":null,"#).requests, None);
    let odd = report(
        r#""requests":{"rows":[7,{"route":"/_matrix/client/v3/rooms/!r:h","ts":1,"duration":1,"status":200},
        {"route":"sync","ts":null,"duration":1,"status":200},{"route":"sync","ts":1,"duration":-1,"status":200},
        {"route":"sync","ts":5,"duration":6,"status":"x"}]},"clock":{"serverMinusPage":{"low":2,"high":1}},"#,
    );
    let sync = Request { route: RequestRoute::Sync, ts: Millis(5), duration: 6, status: None };
    assert_eq!(odd.requests.map(|requests| requests.rows), Some(vec![sync]));
    assert_eq!(odd.server_minus_page, None, "bounds that exclude one another");
}

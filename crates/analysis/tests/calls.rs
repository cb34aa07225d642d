//! KE-2 and KE-4 across time: what adds up to a failure, and when absence says something.

mod support;

use crypto_diag_analysis::report::Tally;
use crypto_diag_analysis::{Analysis, Finding, Kind, Report, Verdict, analyse};
use crypto_diag_core::{CryptoFacts, HookState, Host, KnownDevice, Level, Line, Millis, PageEvent, Recorder};
use support::watching;

const LOST: &str = r#"WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey("curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"))
    in x with sender="@bob:localhost" sender_key="curve25519:3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo" session_id="S"
    in x with sender="@bob:localhost" event_type="m.room.encrypted" message_id="m1""#;

const CONFLICT: &str = r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0'}"#;

const MISSING: &str = "CryptorError: missing key at index 3 for participant @bob:localhost:BOBDEVICE";

const BOB_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";

fn delivery(sender: &str, key: &str, id: &str) -> String {
    format!(
        "WARN matrix_sdk_crypto::machine: Received an unexpected encrypted to-device event\n    in x with sender_key=\"curve25519:{key}\" event_type=\"io.element.call.encryption_keys\"\n    in y with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"{id}\""
    )
}

/// A report of lines at seconds since capture began, on a page that knows Bob's device.
fn report(lines: &[(u64, &str)]) -> Report {
    let mut recorder = Recorder::new();
    for (second, line) in lines {
        assert!(recorder.record(&Line::new(Millis(second * 1000), Level::Warn, line)), "{line}");
    }
    let mut report = recorder.report(Host { capture: watching(0), generated_at: Millis(120_000), ..Host::default() });
    let bob = KnownDevice {
        user_id: "@bob:localhost".into(),
        device_id: "BOBDEVICE".into(),
        curve25519: Some(BOB_KEY.into()),
        ..KnownDevice::default()
    };
    report.user_id = Some("@alice:localhost".into());
    report.device_id = Some("ALICEDEVICE".into());
    report.crypto = Some(CryptoFacts { devices: vec![bob], ..CryptoFacts::default() });
    Report::from_json(&report.to_json()).unwrap()
}

fn find(analysis: &Analysis, kind: Kind) -> Option<&Finding> {
    analysis.findings.iter().find(|finding| finding.kind == kind)
}

fn verdict(report: &Report) -> Option<Verdict> {
    find(&analyse(std::slice::from_ref(report)), Kind::Ke1ToKe2).map(|finding| finding.verdict)
}

/// A conflict, a lost message of Bob, and then his key missing for 15 s.
const STORY: [(u64, &str); 6] = [(1, CONFLICT), (2, LOST), (5, MISSING), (10, MISSING), (15, MISSING), (20, MISSING)];

#[test]
fn a_key_that_stays_missing_after_a_lost_message_proves_the_link() {
    let analysis = analyse(&[report(&STORY)]);
    let link = find(&analysis, Kind::Ke1ToKe2).unwrap();
    assert_eq!(link.verdict, Verdict::Proven);
    assert!(link.statement.contains("by time"), "{}", link.statement);
    assert_eq!(link.entries.len(), 6, "conflict, lost message and the whole window");
    assert!(link.innocent_explanations[0].contains("message id in the peer's report settles it"));
}

#[test]
fn a_delivery_between_breaks_the_link() {
    let opened = delivery("@bob:localhost", BOB_KEY, "m2");
    for second in [3, 12, 20] {
        let mut story = STORY.to_vec();
        story.push((second, &opened));
        assert_eq!(verdict(&report(&story)), Some(Verdict::Unknown), "at {second} s");
    }
    let from_carol = delivery("@carol:localhost", "5zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo", "m3");
    let mut story = STORY.to_vec();
    story.push((12, &from_carol));
    assert_eq!(verdict(&report(&story)), Some(Verdict::Proven), "another sender's key says nothing of Bob's");
}

#[test]
fn absence_says_nothing_where_the_capture_may_have_missed_it() {
    let whole = report(&STORY);
    let changed = |change: &dyn Fn(&mut Report)| {
        let mut report = whole.clone();
        change(&mut report);
        verdict(&report)
    };
    assert_eq!(changed(&|_| {}), Some(Verdict::Proven));
    assert_eq!(changed(&|report| report.capture.nested = 1), Some(Verdict::Unknown));
    assert_eq!(changed(&|report| report.capture.queue_overflow = 1), Some(Verdict::Unknown));
    assert_eq!(
        changed(&|report| report.capture.state = crypto_diag_core::CaptureState::Stopped),
        Some(Verdict::Unknown)
    );
    assert_eq!(changed(&|report| report.capture.hooks.clear()), Some(Verdict::Unknown));
    let replaced = |report: &mut Report| {
        report.capture.hooks = vec![HookState { method: "warn".into(), in_place: false, reason: None }];
    };
    assert_eq!(changed(&replaced), Some(Verdict::Unknown));
    let evicted = |report: &mut Report| {
        report.tallies.push(Tally { ke: "KE-2".into(), meaning: "delivered".into(), total: 1 });
    };
    assert_eq!(changed(&evicted), Some(Verdict::Unknown), "a healthy line that the buffer gave up");
    let unread = |report: &mut Report| report.entries.push(None);
    assert_eq!(changed(&unread), Some(Verdict::Unknown));
}

#[test]
fn another_device_of_the_sender_is_not_the_sender() {
    let mut unknown = report(&STORY);
    unknown.crypto = None;
    assert_eq!(verdict(&unknown), Some(Verdict::Unknown), "whose key it is must be known");
    let of_another = MISSING.replace("BOBDEVICE", "BOBPHONE");
    let story = STORY.map(|(second, line)| (second, if line == MISSING { of_another.as_str() } else { line }));
    assert_eq!(verdict(&report(&story)), Some(Verdict::Unknown));
}

#[test]
fn a_gap_that_a_rotation_explains_is_no_failure() {
    let story = [(1, CONFLICT), (2, LOST), (5, MISSING), (6, MISSING), (7, MISSING)];
    let analysis = analyse(&[report(&story)]);
    assert_eq!(find(&analysis, Kind::Ke1ToKe2).unwrap().verdict, Verdict::Unknown);
    assert!(find(&analysis, Kind::MediaKeyMissing).is_none());
    assert_eq!(analysis.reports[0].facts.missing_keys[0].duration_ms(), 2000);
}

#[test]
fn a_key_that_was_missing_before_the_message_was_lost_is_no_consequence() {
    let story = [(1, CONFLICT), (25, LOST), (5, MISSING), (10, MISSING), (15, MISSING), (20, MISSING)];
    assert_eq!(verdict(&report(&story)), Some(Verdict::Unknown));
}

#[test]
fn a_peers_report_without_the_message_takes_the_link_by_time_back() {
    let receiver = report(&STORY);
    let mut peer = support::sender_of("another message");
    peer.device_id = Some("BOBDEVICE".into());
    let analysis = analyse(&[receiver, peer]);
    let link = find(&analysis, Kind::Ke1ToKe2).unwrap();
    assert_eq!(link.verdict, Verdict::Unknown);
    assert!(link.innocent_explanations.iter().any(|why| why.contains("does not list the message")));
}

#[test]
fn keys_that_arrive_from_one_and_never_from_the_other_are_told_apart() {
    let from_carol = delivery("@carol:localhost", "5zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo", "m3");
    let story = [(3, from_carol.as_str()), (5, MISSING), (10, MISSING), (16, MISSING)];
    let analysis = analyse(&[report(&story)]);
    let missing = find(&analysis, Kind::MediaKeyMissing).unwrap();
    assert!(
        missing.proves.iter().any(|what| what.contains("once from others and never from @bob:localhost")),
        "{missing:#?}"
    );
    assert!(missing.ruled_out.iter().any(|what| what.contains("hidden")));
    assert_eq!(missing.ids["participant"], "@bob:localhost:BOBDEVICE");

    let mut incomplete = report(&story);
    incomplete.capture.nested = 1;
    let analysis = analyse(&[incomplete]);
    let missing = find(&analysis, Kind::MediaKeyMissing).unwrap();
    assert!(!missing.proves.iter().any(|what| what.contains("never from")));
}

#[test]
fn a_participant_behind_a_hash_stays_nobody() {
    let hashed = "missing key at index 0 for participant 47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let story = [(5, hashed), (10, hashed), (16, hashed)];
    let analysis = analyse(&[report(&story)]);
    let missing = find(&analysis, Kind::MediaKeyMissing).unwrap();
    assert!(missing.does_not_prove.iter().any(|what| what.contains("hash")));
    assert!(!missing.proves.iter().any(|what| what.contains("never from")));
}

#[test]
fn messages_that_never_left_are_the_senders_findings() {
    let without = r#"Tried to create new Olm sessions, but the signed one-time key was missing for some devices missing_devices_by_user={"@bob:localhost": {"BOBDEVICE"}}"#;
    let dropped =
        "Fatal error when sending to-device message - dropping to-device batch! M_TOO_LARGE: MatrixError: [413] x";
    let analysis = analyse(&[report(&[(1, without), (2, without), (3, dropped)])]);
    let none = find(&analysis, Kind::NoOneTimeKey).unwrap();
    assert!(
        none.statement.contains("device @bob:localhost:BOBDEVICE") && none.statement.contains("twice"),
        "{}",
        none.statement
    );
    assert!(none.does_not_prove.iter().any(|what| what.contains("KE-1")));
    assert!(find(&analysis, Kind::BatchDropped).unwrap().statement.contains("M_TOO_LARGE"));
}

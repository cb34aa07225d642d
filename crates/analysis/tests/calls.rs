//! KE-2 and KE-4 across time: what adds up to a failure, and when absence says something.

mod support;

use crypto_diag_analysis::report::Tally;
use crypto_diag_analysis::{Analysis, Finding, Kind, Report, Verdict, analyse};
use crypto_diag_core::{CryptoFacts, HookState, Host, KnownDevice, Level, Line, Millis, PageEvent, Recorder};
use support::watching;

const BOB_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";

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

#[test]
fn a_hidden_page_is_an_explanation_of_its_own() {
    let timeout = |attempt: u64| {
        format!(
            "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry (({attempt}/10)) AbortError: Restart delayed event timed out before the HS responded"
        )
    };
    let lines: Vec<String> = (0..3).map(timeout).collect();
    let story: Vec<(u64, &str)> =
        lines.iter().enumerate().map(|(at, line)| (10 + 2 * at as u64, line.as_str())).collect();
    let awake = analyse(&[report(&story)]);
    let row = find(&awake, Kind::DelayedEventTimeouts).unwrap();
    assert!(row.ruled_out.iter().any(|what| what.contains("hidden")), "{row:#?}");

    let mut hidden = report(&story);
    hidden.capture.page_events.push(PageEvent { ts: Millis(11_000), event: "hidden".into() });
    let hidden = analyse(&[hidden]);
    let row = find(&hidden, Kind::DelayedEventTimeouts).unwrap();
    assert!(row.innocent_explanations.iter().any(|what| what.contains("was hidden")), "{row:#?}");

    let two = analyse(&[report(&story[..2])]);
    assert!(find(&two, Kind::DelayedEventTimeouts).is_none(), "two in a row are a transient");
}

#[test]
fn a_lost_membership_is_laid_beside_the_timeouts_before_it() {
    let rejoin = "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Missing own membership: force re-join";
    let timeout = "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry ((0/10)) AbortError: Restart delayed event timed out before the HS responded";
    let analysis = analyse(&[report(&[(10, timeout), (14, rejoin)])]);
    let lost = find(&analysis, Kind::MembershipLost).unwrap();
    assert_eq!(lost.entries.len(), 2);
    assert_eq!(lost.verdict, Verdict::Proven);
    assert!(lost.statement.contains("had failed once"), "{}", lost.statement);
    // matrix-js-sdk 43 does not count local timeouts.
    let uncounted = timeout.replace(" ((0/10))", "");
    let analysis = analyse(&[report(&[(10, &uncounted), (14, rejoin)])]);
    assert_eq!(find(&analysis, Kind::MembershipLost).unwrap().entries.len(), 2);
    let apart = analyse(&[report(&[(10, timeout), (100, rejoin)])]);
    assert_eq!(find(&apart, Kind::MembershipLost).unwrap().entries.len(), 1);
    let stopped = "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] MembershipManager stopped because: {}";
    let again = "[MatrixRTCSession !r:x m.call#ROOM] MembershipManager encountered an unrecoverable error: {}";
    let stopped = analyse(&[report(&[(10, stopped), (10, again)])]);
    let ends = stopped.findings.iter().filter(|finding| finding.kind == Kind::MembershipManagerStopped);
    assert_eq!(ends.map(|finding| finding.verdict).collect::<Vec<_>>(), [Verdict::Proven], "one end, printed twice");
}

#[test]
fn whoever_is_just_joining_has_lost_no_membership() {
    let rejoin = "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Missing own membership: force re-join";
    let joining = "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] Bad gateway (https://x/_matrix/client/v3/rooms/!r%3Ax/state/org.matrix.msc3401.call.member/k)";
    // As a healthy call printed it: news of the other member came while the own join event was under way.
    for story in [vec![(10, rejoin)], vec![(8, joining), (10, rejoin)]] {
        let analysis = analyse(&[report(&story)]);
        let lost = find(&analysis, Kind::MembershipLost).unwrap();
        assert_eq!(lost.verdict, Verdict::Unknown);
        assert!(lost.innocent_explanations.iter().any(|why| why.contains("just joining")), "{lost:#?}");
    }
}

#[test]
fn a_gone_identity_is_told_by_receiver_and_observer() {
    let other = "WARN matrix_sdk_crypto::olm::account: Olm event doesn't contain a ciphertext for our key\n    in x with sender=\"@bob:localhost\" event_type=\"m.room.encrypted\" message_id=\"m1\"";
    let changed = r#"Rejecting device update user_id="@bob:localhost" device_id="BOBDEVICE" error=SigningKeyChanged(Some("ed25519:Zl1qx85mCv+hWeGgaXQ8EJHnzRkUf0ZA5ZOM8U3jRTI"), Some("ed25519:mCZMtESOJrWM+32qXcModIG4jXFQJkhg5IvHqtiP6D0"))"#;
    let analysis = analyse(&[report(&[(1, other), (2, changed)])]);
    let for_other = find(&analysis, Kind::EncryptedForOtherIdentity).unwrap();
    assert!(for_other.innocent_explanations.iter().any(|why| why.contains("stale")));
    let changed = find(&analysis, Kind::DeviceIdentityChanged).unwrap();
    assert_eq!(changed.ids["newSigningKey"], "mCZMtESOJrWM+32qXcModIG4jXFQJkhg5IvHqtiP6D0");
    assert!(changed.ruled_out[0].contains("rolled-back"));
}

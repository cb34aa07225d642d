//! The four recorded consoles, through the core's own recorder, and what they prove.

mod support;

use crypto_diag_analysis::evidence::ke4::Ke4Kind;
use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_analysis::{Analysis, Evidence, Finding, Kind, Verdict, analyse};
use crypto_diag_core::Meaning;
use support::{Console, capturing};

const ROLLBACK: &str = "ke1-to-ke2-store-rollback";
const SECOND_STORE: &str = "ke1-second-store-same-device";
const HEALTHY_KEY: &str = "ke2-benign_ke3_ke4";
const SENDER: &str = "sender-side-invalid-signature";

const LOST_KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";

fn finding(analysis: &Analysis, kind: Kind) -> &Finding {
    let mut of_kind = analysis.findings.iter().filter(|finding| finding.kind == kind);
    let first = of_kind.next().unwrap_or_else(|| panic!("no finding {kind:?} in {:#?}", analysis.findings));
    assert!(of_kind.next().is_none(), "several findings {kind:?}");
    first
}

fn has(analysis: &Analysis, kind: Kind) -> bool {
    analysis.findings.iter().any(|finding| finding.kind == kind)
}

#[test]
fn a_rolled_back_store_has_the_same_identity() {
    let report = Console::read(ROLLBACK).report();
    let analysis = analyse(&[report]);
    let cause = finding(&analysis, Kind::RollbackOrTwoContexts);
    assert_eq!(cause.verdict, Verdict::Proven);
    assert!(cause.statement.starts_with("Same identity"), "{}", cause.statement);
    assert!(!has(&analysis, Kind::IdentityReplaced));
    assert!(analysis.summary.contains("same identity"), "{}", analysis.summary);
    assert!(cause.needs.iter().any(|need| need.how.contains("ke1-one-time-keys")));
}

#[test]
fn a_second_empty_store_has_replaced_the_identity() {
    let analysis = analyse(&[Console::read(SECOND_STORE).report()]);
    let cause = finding(&analysis, Kind::IdentityReplaced);
    assert_eq!(cause.verdict, Verdict::Proven);
    assert!(cause.statement.starts_with("Identity replaced"), "{}", cause.statement);
    assert_eq!(cause.entries.len(), 3);
    assert!(!has(&analysis, Kind::RollbackOrTwoContexts));
    assert!(!has(&analysis, Kind::Ke1ToOlm));
    assert!(analysis.summary.contains("identity replaced"), "{}", analysis.summary);
}

#[test]
fn without_the_devices_own_key_the_cause_is_unknown() {
    for name in [ROLLBACK, SECOND_STORE] {
        let mut report = Console::read(name).report();
        report.crypto = None;
        let analysis = analyse(&[report]);
        let cause = finding(&analysis, Kind::IdentityReplaced);
        assert_eq!(cause.verdict, Verdict::Unknown);
        assert!(cause.needs[0].how.contains("collectReport"), "{:?}", cause.needs);
        assert!(!has(&analysis, Kind::RollbackOrTwoContexts));
    }
}

#[test]
fn a_key_of_another_device_tells_nothing() {
    let mut report = Console::read(SECOND_STORE).report();
    report.crypto = Console::read(ROLLBACK).report().crypto;
    let analysis = analyse(&[report]);
    let cause = finding(&analysis, Kind::IdentityReplaced);
    assert_eq!(
        cause.verdict,
        Verdict::Unknown,
        "the client's own key does not verify with it, so the check proves nothing"
    );
}

#[test]
fn a_damaged_line_is_no_replaced_identity() {
    let whole = Console::read(ROLLBACK).report();
    for (from, to) in [
        // One character of the server's signature; of its key; the client's key with it; the line ends early.
        ("YOGPeEoNvpxtePJ", "YOGPeEoNvpxteXJ"),
        ("\"key\":\"drZv", "\"key\":\"drZw"),
        ("'key': 'QF6S", "'key': 'QF6T"),
        ("; new key:", "; n"),
    ] {
        let mut report = whole.clone();
        for entry in report.entries.iter_mut().flatten() {
            entry.message = entry.message.replace(from, to);
            entry.redactions = 1;
        }
        let analysis = analyse(&[report]);
        let replaced = analysis
            .findings
            .iter()
            .any(|finding| (finding.kind, finding.verdict) == (Kind::IdentityReplaced, Verdict::Proven));
        assert!(!replaced, "{from} changed to {to}");
    }
}

#[test]
fn what_is_no_signature_was_signed_by_nobody() {
    let mut report = Console::read(SECOND_STORE).report();
    for entry in report.entries.iter_mut().flatten() {
        entry.message = entry.message.replace("8bbMjTzbCDQ3qM7b", "8bbMj…");
    }
    let analysis = analyse(&[report]);
    assert_eq!(finding(&analysis, Kind::IdentityReplaced).verdict, Verdict::Unknown);
}

#[test]
fn a_server_key_is_checked_only_against_a_line_that_verifies() {
    let mut report = Console::read(SECOND_STORE).report();
    for entry in report.entries.iter_mut().flatten() {
        entry.message = entry.message.split("; new key").next().unwrap_or_default().to_owned();
    }
    let analysis = analyse(&[report]);
    assert_eq!(finding(&analysis, Kind::IdentityReplaced).verdict, Verdict::Unknown);
}

#[test]
fn conflicts_are_counted_by_key_id() {
    let analysis = analyse(&[Console::read(ROLLBACK).report()]);
    let conflicts = &analysis.reports[0].facts.conflicts;
    let seen: Vec<_> = conflicts
        .iter()
        .map(|conflict| {
            (conflict.key_id.as_deref().unwrap(), conflict.counter.unwrap(), conflict.count, conflict.looping)
        })
        .collect();
    assert_eq!(seen, [("AAAAAAAAADQ", 52, 9, true), ("AAAAAAAAADU", 53, 3, true)]);
    assert_eq!(conflicts[0].first_batch, Some(false));
    assert_eq!(conflicts[0].server_keys, [LOST_KEY]);
    let second = analyse(&[Console::read(SECOND_STORE).report()]);
    let conflict = &second.reports[0].facts.conflicts[0];
    assert_eq!((conflict.counter, conflict.count, conflict.first_batch), (Some(13), 3, Some(true)));
}

#[test]
fn a_blind_capture_is_no_good_news() {
    let mut report = Console::read(HEALTHY_KEY).report();
    report.entries.clear();
    report.capture.state = crypto_diag_core::CaptureState::Blind;
    report.capture.reason = Some("no WebAssembly".into());
    let analysis = analyse(&[report]);
    assert!(analysis.summary.contains("The capture was not running"), "{}", analysis.summary);
}

#[test]
fn the_undecryptable_event_is_an_open_question_about_its_field() {
    let analysis = analyse(&[Console::read(HEALTHY_KEY).report()]);
    let event = finding(&analysis, Kind::UndecryptableEvents);
    assert_eq!(event.verdict, Verdict::Unknown);
    assert_eq!(event.ids["eventId"], "$Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA");
    assert_eq!(event.ids["field"], "algorithm");
    assert!(event.innocent_explanations.iter().any(|why| why.contains("redacted")));
}

#[test]
fn timeouts_in_a_row_are_a_failure_and_one_is_not() {
    let console = Console::read(HEALTHY_KEY);
    let analysis = analyse(&[console.report()]);
    let row = finding(&analysis, Kind::DelayedEventTimeouts);
    assert_eq!(row.verdict, Verdict::Proven);
    assert_eq!(row.entries.len(), 6);
    assert!(row.statement.contains("6 attempts in a row"), "{}", row.statement);
    assert!(row.does_not_prove.iter().any(|what| what.contains("Whose fault")));
    let attempts = analysis.reports[0].evidence.iter().flatten().filter_map(|evidence| match evidence {
        Evidence::Ke4(line) => Some((line.kind?, line.attempt?)),
        _ => None,
    });
    let wanted = (0..6).map(|attempt| (Ke4Kind::LocalTimeout, attempt));
    assert!(attempts.eq(wanted));

    let lost = finding(&analysis, Kind::MembershipLost);
    assert!(lost.statement.contains("had failed 3 times within a minute"), "{}", lost.statement);

    let mut one = console;
    one.keep_only(|line| !line.contains("/10))") || line.contains("(0/10)"));
    assert!(!has(&analyse(&[one.report()]), Kind::DelayedEventTimeouts));
}

#[test]
fn the_senders_wrong_signature_needs_three_identities() {
    let sender = Console::read(SENDER).report();
    let analysis = analyse(std::slice::from_ref(&sender));
    let wrong = finding(&analysis, Kind::InvalidSignature);
    assert_eq!(wrong.verdict, Verdict::Unknown);
    assert_eq!(wrong.ids["userId"], "@alice:localhost");
    assert_eq!(wrong.ids["deviceId"], "ZDUDAVALPA");
    assert_eq!(wrong.ids["signingKey"], "Zl1qx85mCv+hWeGgaXQ8EJHnzRkUf0ZA5ZOM8U3jRTI");
    assert_eq!(wrong.innocent_explanations.len(), 3);
    assert!(wrong.ruled_out[0].contains("rolled-back"));

    // The device's own report is that of the second store: the sender knows it rightly, and the key is not its own.
    let analysis = analyse(&[sender.clone(), Console::read(SECOND_STORE).report()]);
    let wrong = finding(&analysis, Kind::InvalidSignature);
    assert_eq!(wrong.verdict, Verdict::Unknown, "the server's view is not in any report");
    assert_eq!(wrong.ids["ownKey"], wrong.ids["signingKey"]);
    assert!(wrong.needs[0].how.contains("device-keys"));

    // Were the device another one by its own key, two identities would be proven.
    let mut device = Console::read(SECOND_STORE).report();
    device.crypto = Console::read(ROLLBACK).report().crypto;
    assert_eq!(finding(&analyse(&[sender, device]), Kind::InvalidSignature).verdict, Verdict::Proven);
}

#[test]
fn every_recorded_entry_parses() {
    for name in [ROLLBACK, SECOND_STORE, HEALTHY_KEY, SENDER] {
        let analysis = analyse(&[Console::read(name).report()]);
        assert_eq!((analysis.reports[0].unparsed, analysis.reports[0].unreadable), (0, 0), "{name}");
        assert!(!analysis.reports[0].evidence.is_empty());
    }
}

#[test]
fn a_line_of_no_known_form_is_counted_and_stays() {
    let mut report = Console::read(ROLLBACK).report();
    report.entries[0].as_mut().unwrap().message = "DecryptionError".into();
    let analysis = analyse(&[report]);
    assert_eq!(analysis.reports[0].unparsed, 1);
    assert_eq!(analysis.reports[0].evidence[0], None);
}

#[test]
fn an_analysis_is_json_that_names_its_schema() {
    let analysis = analyse(&[Console::read(ROLLBACK).report()]);
    let json = serde_json::to_value(&analysis).unwrap();
    assert_eq!(json["schema"], "crypto-diag/analysis");
    let conflict = json["reports"][0]["evidence"].as_array().unwrap().iter().find(|evidence| evidence["ke"] == "KE-1");
    let conflict = conflict.unwrap();
    assert_eq!(conflict["serverKey"]["signedBy"][0]["deviceId"], "HQBJQUNFIQ");
    assert_eq!(conflict["serverKey"]["key"], LOST_KEY);
    assert!(conflict["clientKey"].get("object").is_none(), "the raw object is for the check only");
    assert_eq!(json["findings"][0]["verdict"], "unknown");
    assert_eq!(json["findings"][0]["kind"], "ke1ToKe2");
    assert_eq!(json["findings"][1]["kind"], "ke1ToOlm");
    assert!(json["findings"][1]["entries"][0]["report"].is_u64());
}

#[test]
fn conflicts_that_stopped_long_ago_have_healed() {
    let mut report = Console::read(SECOND_STORE).report();
    let healed = |report: &crypto_diag_analysis::Report| {
        analyse(std::slice::from_ref(report)).reports[0].facts.conflicts[0].healed
    };
    assert_eq!(healed(&report), Some(false), "three refusals, seconds ago");
    report.generated_at.0 += 60_000;
    assert_eq!(healed(&report), Some(true));
    report.sync_state = Some("ERROR".into());
    assert_eq!(healed(&report), None, "without a sync there is no upload");
    report = capturing(Console::read(SECOND_STORE).report());
    report.generated_at.0 += 60_000;
    report.capture.page_events.push(crypto_diag_core::PageEvent { ts: report.generated_at, event: "freeze".into() });
    assert_eq!(healed(&report), None, "a page that slept asked for nothing");
}

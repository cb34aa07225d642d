//! What single reports say of media keys and of lost one-time keys: facts alone, from recorded consoles.

mod support;

use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_analysis::{Evidence, Reading};
use crypto_diag_core::{Host, Level, Line, Meaning, Millis, Recorder};
use support::Console;

#[test]
fn a_lost_message_names_its_session_its_sender_and_its_keys() {
    let reading = Reading::of(&Console::read("ke1-to-ke2-store-rollback").report());
    let failures: Vec<_> = reading
        .evidence
        .iter()
        .flatten()
        .filter_map(|evidence| match evidence {
            Evidence::Olm(olm) => Some(olm),
            _ => None,
        })
        .collect();
    assert_eq!(failures.len(), 3);
    for (index, olm) in failures.iter().enumerate() {
        assert_eq!(olm.kind, OlmKind::MissingOneTimeKey);
        assert_eq!(olm.one_time_key.as_deref(), Some("drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"));
        assert_eq!(olm.chain_index, Some(index as u64), "one session id with a rising chain index is one handshake");
        assert_eq!(olm.session_id.as_deref(), Some("PKINcS6j/lu8eXFdjV6lnYZq1Z6oGA8HhvHfMy0MDb0"));
        assert_eq!(olm.user_id.as_deref(), Some("@bob:localhost"));
        assert_eq!(olm.device_id, None);
        assert_eq!(olm.sender_key.as_deref(), Some("3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo"));
        assert_eq!(olm.base_key.as_deref(), Some("ffq+Tlb0J7q43ZPnibrHuDgqt75kmKc5IEUgNISflFs"));
    }
}

#[test]
fn an_opened_media_key_is_counted_by_its_senders_key() {
    let report = Console::read("ke2-benign_ke3_ke4").report();
    assert!(report.entries().any(|(_, entry)| entry.meaning == Meaning::Delivered), "the healthy line is an entry");
    let deliveries = Reading::of(&report).facts.deliveries;
    assert_eq!(deliveries.len(), 1);
    assert_eq!(deliveries[0].sender_key.as_deref(), Some("PvWVoxV6APugb56PL9/cTJF8Pw6E2KG6usaQSzoFLmo"));
    assert_eq!(deliveries[0].message_ids, ["b4305e2c58c244dea1aaddef5b32ff9d"]);
}

#[test]
fn missing_keys_are_told_apart_by_participant_and_index() {
    let mut recorder = Recorder::new();
    for (ts, participant, index) in
        [(1, "@bob:x:B", 3), (90_000, "@bob:x:B", 3), (2, "@bob:x:B", 4), (3, "@carol:x:C", 3)]
    {
        let line = format!("CryptorError: missing key at index {index} for participant {participant}");
        assert!(recorder.record(&Line::new(Millis(ts), Level::Error, &line)), "{line}");
    }
    let report = recorder.report(Host::default()).to_json();
    let report = crypto_diag_analysis::Report::from_json(&report).expect("a report");
    let missing = Reading::of(&report).facts.missing_keys;
    let mut seen: Vec<_> = missing
        .iter()
        .map(|keys| {
            let who = keys.participant.as_ref().map(|participant| participant.identity.as_str());
            (who, keys.key_index, keys.count, keys.first_ts.0, keys.last_ts.0)
        })
        .collect();
    seen.sort_unstable();
    assert_eq!(
        seen,
        [
            (Some("@bob:x:B"), Some(3), 2, 1, 90_000),
            (Some("@bob:x:B"), Some(4), 1, 2, 2),
            (Some("@carol:x:C"), Some(3), 1, 3, 3),
        ]
    );
}

//! What the printed queries gave in real clients, in every form in which those print: psql 15, pgcli 4 and sqlite3's forms of the
//! same rows. Each is read back to the same. `tests/fixtures/answers/README.md` says how they were recorded.

use std::path::{Path, PathBuf};

use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::query::QueryResults;

const ALICE: (&str, &str) = ("@alice:localhost", "HQBJQUNFIQ");

fn forms() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/answers");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut forms: Vec<PathBuf> = entries.flatten().map(|entry| entry.path()).filter(|path| path.is_dir()).collect();
    forms.sort();
    forms
}

/// Reads the answer of a query in a form, as a file that somebody dropped.
fn answer(form: &Path, query: &str) -> QueryResults {
    let path = form.join(format!("{query}.txt"));
    let bytes = std::fs::read(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let mut bundle = Bundle::new();
    bundle.add("pasted.txt", None, &bytes[..]);
    assert_eq!(bundle.artefacts[0].kind, ArtefactKind::QueryResults, "{}", path.display());
    assert_eq!(bundle.problems, [], "{}", path.display());
    assert!(bundle.artefacts[0].used, "{}", path.display());
    bundle.queries.remove(0)
}

fn each_form(read: impl Fn(&dyn Fn(&str) -> QueryResults, &str)) {
    let forms = forms();
    assert!(forms.len() >= 12, "{forms:?}");
    for form in forms {
        read(&|query| answer(&form, query), &form.display().to_string());
    }
}

#[test]
fn one_time_keys_are_read_back_with_the_device_that_was_asked_about() {
    each_form(|answer, form| {
        for query in ["ke1-one-time-keys", "ke1-inventory"] {
            let results = answer(query);
            let [key] = results.one_time_keys.as_slice() else { panic!("{form} {query}: {results:?}") };
            assert_eq!((key.user_id.as_deref(), key.device_id.as_deref()), (Some(ALICE.0), Some(ALICE.1)), "{form}");
            assert_eq!((key.key_id.as_str(), key.ts_added_ms), ("AAAAAAAAADQ", Some(1_795_425_879_123)), "{form}");
            assert_eq!(key.key.as_deref(), Some("drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"), "{form} {query}");
        }
        let fallback = answer("ke1-fallback-keys");
        assert!(fallback.fallback_keys[0].used && fallback.fallback_keys[0].read_at.is_some(), "{form}: {fallback:?}");
    });
}

#[test]
fn lost_keys_and_what_is_left_of_keys_are_read_back() {
    each_form(|answer, form| {
        let lost = answer("olm-lost-key");
        assert_eq!((lost.one_time_keys.len(), lost.fallback_keys.len()), (1, 0), "{form}: {lost:?}");
        let left = answer("olm-peer-keys");
        let [count] = left.key_counts.as_slice() else { panic!("{form}: {left:?}") };
        assert_eq!((count.one_time_keys, count.fallback_used), (1, Some(true)), "{form}");
        assert_eq!((count.user_id.as_str(), count.at.is_some()), (ALICE.0, true), "{form}");
    });
}

#[test]
fn an_inbox_is_read_back_with_its_time() {
    each_form(|answer, form| {
        let results = answer("ke2-inbox");
        let rows: Vec<_> = results.inbox.iter().map(|row| (row.last_stream_id, row.device_id.as_deref())).collect();
        assert_eq!(rows, [(Some(16), Some(ALICE.1)), (Some(17), Some(ALICE.1))], "{form}");
        assert!(results.inbox.iter().all(|row| row.at.is_some()), "{form}");
        assert_eq!(results.inbox[0].message_id.as_deref(), Some("7f08d98620be4846bcf5323b1a3cc714"), "{form}");
        assert_eq!(results.inbox[1].message_id, None, "{form}: what is not there is no value");
        let backlog = answer("ke2-backlog");
        assert_eq!((backlog.inbox[0].count, backlog.inbox[0].first_stream_id), (2, Some(16)), "{form}: {backlog:?}");
    });
}

#[test]
fn devices_their_identities_and_events_are_read_back() {
    each_form(|answer, form| {
        let devices = answer("devices");
        assert_eq!((devices.devices[0].device_id.as_str(), devices.devices[0].hidden), (ALICE.1, false), "{form}");
        assert!(devices.devices_of.iter().any(|(user, at)| user == ALICE.0 && at.is_some()), "{form}: {devices:?}");
        let keys = answer("device-keys");
        let ed25519 = keys.device_keys[0].ed25519.as_deref();
        assert_eq!(ed25519, Some("mCZMtESOJrWM+32qXcModIG4jXFQJkhg5IvHqtiP6D0"), "{form}");
        let events = answer("ke3-events");
        let event = &events.events[0];
        assert_eq!((event.has("algorithm"), event.has("ciphertext")), (Some(false), Some(true)), "{form}: {event:?}");
        assert!(event.knows_redaction && !event.redacted, "{form}: {event:?}");
    });
}

/// A session of several queries, copied whole: psql prints nothing between two results in some of its forms.
#[test]
fn answers_that_follow_one_another_are_told_apart() {
    for form in forms() {
        // A list of JSON is a document of its own.
        if form.ends_with("sqlite-json") {
            continue;
        }
        let queries =
            ["ke1-one-time-keys", "ke1-fallback-keys", "olm-peer-keys-empty", "devices", "ke2-inbox", "olm-lost-key"];
        let texts = queries.map(|query| std::fs::read_to_string(form.join(format!("{query}.txt"))).expect("an answer"));
        let results = QueryResults::read("pasted.txt", texts.concat().as_bytes());
        assert_eq!(results.problems, [], "{}", form.display());
        let rows =
            (results.one_time_keys.len(), results.fallback_keys.len(), results.devices.len(), results.inbox.len());
        assert_eq!((rows, results.answers), ((2, 1, 1, 2), 6), "{}", form.display());
    }
}

#[test]
fn an_answer_without_rows_is_one_all_the_same() {
    each_form(|answer, form| {
        for query in [
            "ke1-one-time-keys",
            "ke1-inventory",
            "ke1-fallback-keys",
            "device-keys",
            "devices",
            "ke2-inbox",
            "ke2-backlog",
            "ke3-events",
            "ke4-delayed-events",
            "ke4-memberships",
            "olm-lost-key",
            "olm-peer-keys",
        ] {
            let results = answer(&format!("{query}-empty"));
            assert_eq!(results.answers, 1, "{form} {query}: {results:?}");
            let rows = results.one_time_keys.len() + results.inbox.len() + results.events.len() + results.devices.len();
            assert_eq!(rows + results.key_counts.len() + results.device_keys.len(), 0, "{form} {query}: {results:?}");
        }
        let inbox = answer("ke2-inbox-empty");
        let [(user, device, at)] = inbox.inbox_of.as_slice() else { panic!("{form}: {inbox:?}") };
        assert_eq!(
            (user.as_str(), device.as_deref(), at.is_some()),
            ("@nobody:localhost", Some("NOBODY"), true),
            "{form}"
        );
    });
}

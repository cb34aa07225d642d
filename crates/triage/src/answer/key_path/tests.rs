use crypto_diag_core::{CallFact, CallFactKind, Level, Millis};
use serde_json::json;

use super::*;
use crate::Triage;
use crate::history::call::{BEGUN, BOB, Held, decoded_video, history, missing_bob, sound};
use crate::history::{History, MadeUpPage, delivered, lost};

const ALICE: (&str, &str) = ("@alice:example.org", "ALICE");
const BOB_IDS: (&str, &str) = ("@bob:example.org", "BOB");
const CAROL: (&str, &str) = ("@carol:example.org", "CAROL");
const BOB_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";

fn paths(history: &History) -> KeyPaths {
    Triage::of(&history.bundle()).media_keys
}

fn path<'k>(keys: &'k KeyPaths, about: &str) -> &'k KeyPath {
    let named: Vec<&str> = keys.paths.iter().map(|path| path.about.as_str()).collect();
    keys.paths.iter().find(|path| path.about.starts_with(about)).unwrap_or_else(|| panic!("{about}: {named:?}"))
}

/// The words of a path's steps: `+` proven, `-` refuted, `?` unknown.
fn steps(path: &KeyPath) -> String {
    let sign = |step: &Step| match step.answer {
        Answer::Proven => '+',
        Answer::Refuted => '-',
        Answer::Unknown { .. } => '?',
    };
    path.steps.iter().map(|step| format!("{}{}", sign(step), step.hop.word())).collect::<Vec<_>>().join(" ")
}

const BOB_AT_0: &str = "media key at index 0 of @bob:example.org/BOB for @alice:example.org/ALICE";
const BOB_AT_1: &str = "media key at index 1 of @bob:example.org/BOB for @alice:example.org/ALICE";

fn heard() -> Held {
    Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)).of_bob(decoded_video(15.0, 15.0, 15.0))
}

#[test]
fn a_key_that_decrypts_frames_took_every_hop_before() {
    let keys = paths(&history("Bob is heard and seen", heard()));
    let path = path(&keys, BOB_AT_0);
    assert_eq!(steps(path), "+made +sent +accepted +queued +fetched +opened +set +decrypted");
    assert_eq!((path.stopped_at, path.standing().as_str()), (None, "decrypted"));
    assert!(path.steps.iter().all(|step| !step.evidence.is_empty()), "each hop names what it rests on");
    assert!(path.steps[5].says.contains("follows: it was set"), "{:?}", path.steps[5]);
}

#[test]
fn of_several_keys_the_statistics_do_not_say_which_one_decrypts() {
    let keys = paths(&history("Bob has rotated his key", heard().key_set(60_000, BOB, 1)));
    for about in [BOB_AT_0, BOB_AT_1] {
        assert_eq!(steps(path(&keys, about)), "+made +sent +accepted +queued +fetched +opened +set ?decrypted");
    }
    assert!(keys.paths[0].about.starts_with(BOB_AT_1), "the newest key comes first");
}

#[test]
fn a_key_whose_participant_may_not_encrypt_is_not_said_to_decrypt() {
    let plain =
        heard().but(|call| call.facts.iter_mut().for_each(|fact| fact.encrypted = fact.encrypted.map(|_| false)));
    assert!(steps(path(&paths(&history("Bob does not encrypt", plain)), BOB_AT_0)).ends_with("+set ?decrypted"));
}

#[test]
fn a_key_that_never_comes_stops_where_the_rule_says() {
    let stopped = Held::default()
        .of_bob(sound(50.0, 0.0, 48_000.0, 48_000.0, 0.0))
        .of_bob(decoded_video(40.0, 0.0, 0.0))
        .line(60_000, &missing_bob(1));
    let keys = paths(&history("Bob's next key never comes", stopped));
    let path = path(&keys, BOB_AT_1);
    assert_eq!(steps(path), "?made ?sent ?accepted ?queued ?fetched ?opened -set -decrypted");
    assert_eq!((path.stopped_at, path.subject.key_index), (Some(Hop::Set), Some(1)));
    let Answer::Unknown { fetch } = &path.steps[1].answer else { panic!("{path:?}") };
    assert!(fetch[0].how.contains("@bob:example.org/BOB"), "Bob's report would tell: {fetch:?}");
}

#[test]
fn a_key_that_was_late_is_set_after_all() {
    let late = heard().line(60_000, &missing_bob(1)).key_set(60_300, BOB, 1);
    assert!(steps(path(&paths(&history("Bob's key was late", late)), BOB_AT_1)).contains("+opened +set"));
}

#[test]
fn a_key_that_the_browser_does_not_import_came_and_was_not_set() {
    let line = format!(
        "Failed to create key material from buffer for livekit room=!r:x participantId before hash={BOB} encryptionKeyIndex=3 OperationError"
    );
    let keys = paths(&history("Bob's key is no key", heard().line(70_000, &line)));
    let path = path(&keys, "media key at index 3 of @bob:example.org/BOB");
    assert_eq!(steps(path), "+made +sent +accepted +queued +fetched +opened -set -decrypted");
}

#[test]
fn a_member_of_whom_no_key_is_known_has_a_row() {
    let nothing = Held::default().but(|call| call.facts.clear());
    let keys = paths(&history("no line says anything of Bob's key", nothing));
    assert_eq!(keys.paths.len(), 1);
    let path = path(&keys, "media key of @bob:example.org/BOB");
    assert!(!steps(path).contains(['+', '-']), "{}", steps(path));
}

#[test]
fn the_senders_own_page_says_that_the_key_was_made() {
    let fact = |index| CallFact {
        ts: Millis(BEGUN + 90_000),
        what: CallFactKind::KeySet,
        participant: Some(BOB.to_owned()),
        key_index: Some(index),
        ..CallFact::default()
    };
    let bob = MadeUpPage::new(BOB_IDS, BEGUN, BEGUN + 300_000).but(move |report| {
        report.call = Some(crypto_diag_core::CallFacts { facts: vec![fact(4)], ..Default::default() });
    });
    let both = history("Bob made a key that Alice never got", heard()).file("bob.report.json", bob.json());
    let keys = paths(&both);
    let path = path(&keys, "media key at index 4 of @bob:example.org/BOB");
    assert_eq!(steps(path), "+made ?sent ?accepted ?queued ?fetched ?opened ?set ?decrypted");
    assert_eq!(&*path.steps[0].evidence[0].artefact, "bob.report.json");
}

/// Bob sends a batch to Alice and Carol; Carol opens hers as a media key.
fn batch(alice: MadeUpPage) -> History {
    let bob = MadeUpPage::new(BOB_IDS, BEGUN, BEGUN + 300_000).but(|report| {
        let target = |ids: (&str, &str), id: &str| json!({"userId": ids.0, "deviceId": ids.1, "messageId": id});
        let targets = [target(ALICE, "for-alice"), target(CAROL, "for-carol")];
        let batch = json!({"ts": BEGUN + 50_000, "type": "m.room.encrypted", "txnid": "m1.0", "omitted": 0, "targets": targets});
        report.sent = vec![serde_json::from_value(batch).expect("a batch")];
    });
    let carol = MadeUpPage::new(CAROL, BEGUN, BEGUN + 300_000).line(
        BEGUN + 51_000,
        Level::Warn,
        &delivered((BOB_IDS.0, BOB_KEY), "for-carol"),
    );
    History::new("Bob sends a key to Alice and Carol")
        .file("alice.report.json", alice.json())
        .file("bob.report.json", bob.json())
        .file("carol.report.json", carol.json())
}

fn alice() -> MadeUpPage {
    MadeUpPage::new(ALICE, BEGUN, BEGUN + 300_000)
}

const FOR_ALICE: &str = "media key in message for-alice of @bob:example.org/BOB for @alice:example.org/ALICE";

#[test]
fn a_message_that_olm_did_not_open_stopped_there() {
    let key = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
    let failed =
        |alice: MadeUpPage| alice.line(BEGUN + 51_000, Level::Warn, &lost(key, (BOB_IDS.0, BOB_KEY), "for-alice", "S"));
    let keys = paths(&batch(failed(alice())));
    let stopped = path(&keys, FOR_ALICE);
    assert_eq!(steps(stopped), "+made +sent +accepted +queued +fetched -opened");
    assert_eq!(stopped.standing(), "not opened");
    // A capture that would not have shown a later delivery does not say that there was none.
    let blind = failed(alice()).but(|report| report.capture.frames.watching = false);
    assert!(steps(path(&paths(&batch(blind)), FOR_ALICE)).ends_with("?opened"));
}

#[test]
fn a_message_that_was_opened_or_is_no_media_key_has_no_row_of_its_own() {
    let opened = alice().line(BEGUN + 51_000, Level::Warn, &delivered((BOB_IDS.0, BOB_KEY), "for-alice"));
    assert_eq!(paths(&batch(opened)).paths, []);
    let whiteboard = batch(alice()).without("carol.report.json");
    assert_eq!(paths(&whiteboard).paths, []);
}

#[test]
fn a_recorded_message_that_was_lost_has_its_hops_and_is_not_called_a_media_key() {
    let keys = paths(&History::recorded("store-rollback", "the store went back"));
    assert!(!keys.paths.is_empty());
    for path in &keys.paths {
        assert!(path.about.starts_with("what was, media key or other, in message "), "{}", path.about);
        assert_eq!(steps(path), "+sent +accepted +queued +fetched -opened", "{}", path.about);
        let of = |hop: usize| path.steps[hop].evidence[0].artefact.to_string();
        assert!(of(0).starts_with("peer.") && of(1) == "peer.har" && of(4) == "victim.report.json", "{path:?}");
    }
}

#[test]
fn each_hop_of_a_message_is_told_by_its_own_artefact() {
    let request = |method: &str, path: &str, status: u16, sent: &str, answer: serde_json::Value| {
        json!({"log": {"version": "1.2", "entries": [{
            "startedDateTime": "2026-11-23T08:54:10.000Z", "time": 50,
            "request": {"method": method, "url": format!("https://example.org/_matrix/client/v3/{path}"),
                "postData": {"mimeType": "application/json", "text": sent}},
            "response": {"status": status, "content": {"mimeType": "application/json", "text": answer.to_string()}},
        }]}})
        .to_string()
    };
    let put = |status| request("PUT", "sendToDevice/m.room.encrypted/m1.0", status, "{}", json!({}));
    let message =
        json!({"type": "m.room.encrypted", "sender": BOB_IDS.0, "content": {"org.matrix.msgid": "for-alice"}});
    let sync = request("GET", "sync?since=s1", 200, "", json!({"to_device": {"events": [message]}}));
    let inbox = json!([{"name": "ke2-inbox", "params": [ALICE.0, ALICE.1], "at": BEGUN + 60_000, "rows": [
        {"user_id": ALICE.0, "device_id": ALICE.1, "stream_id": 7, "message_id": "for-alice", "sender": BOB_IDS.0}]}]);
    let told = |history: &History| steps(path(&paths(history), FOR_ALICE));
    let sent = || batch(alice());
    assert_eq!(told(&sent()), "+made +sent ?accepted ?queued ?fetched ?opened");
    let accepted = sent().file("bob.har", put(200));
    assert_eq!(told(&accepted), "+made +sent +accepted ?queued ?fetched ?opened");
    let refused = sent().file("bob.har", put(500));
    assert_eq!(told(&refused), "+made +sent ?accepted ?queued ?fetched ?opened", "the client sends it again");
    let queued = sent().file("queries.json", inbox.to_string());
    assert_eq!(told(&queued), "+made +sent +accepted +queued ?fetched ?opened");
    let fetched = sent().file("alice.har", sync);
    assert_eq!(told(&fetched), "+made +sent +accepted +queued +fetched ?opened");
    let dropped = "2026-11-23 08:54:11,000 - synapse.9533_debug - 1 - DEBUG - PUT-5 - Dropping to-device messages for unknown devices: ['@alice:example.org/ALICE (msgid for-alice)']\n";
    let may_have_come_before = told(&sent().file("homeserver.log", dropped));
    assert_eq!(may_have_come_before, "+made +sent ?accepted ?queued ?fetched ?opened", "a client sends it again");
}

#[test]
fn a_call_of_many_members_and_rotations_is_bounded_and_says_what_it_leaves_out() {
    let many = Held::default().but(|call| {
        for member in 0..40 {
            for index in 0..20_u64 {
                call.facts.push(CallFact {
                    ts: Millis(BEGUN + 20_000 + index * 1_000 + member),
                    what: CallFactKind::KeySet,
                    participant: Some(format!("@m{member}:example.org:D")),
                    key_index: Some(index),
                    ..CallFact::default()
                });
            }
        }
    });
    let triage = Triage::of(&history("many members", many).bundle());
    let keys = &triage.media_keys;
    assert_eq!((keys.paths.len(), keys.omitted), (PATHS_MAX, 801 - PATHS_MAX));
    assert!(keys.paths.iter().all(|path| path.subject.key_index == Some(19)), "the newest keys");
    let text = crate::render::text(&triage);
    assert!(text.contains("777 paths of older keys are left out."), "{}", &*text);
}

#[test]
fn hops_that_contradict_one_another_are_unknown() {
    let history = History::new("nothing");
    let bundle = history.bundle();
    let case = Case::of(&bundle);
    let told = [
        (Hop::Made, Told::unknown("x", None)),
        (Hop::Sent, Told::refuted("never sent", [])),
        (Hop::Opened, Told::unknown("x", None)),
        (Hop::Set, Told::proven("set", [])),
    ];
    let path = key_path(&case, (String::new(), Subject::default()), &told);
    assert_eq!(steps(&path), "?made ?sent ?opened ?set");
    assert_eq!(path.stopped_at, None);
    assert!(path.steps[1].says.starts_with("the artefacts contradict one another"));
}

#[test]
fn a_room_key_that_is_kept_back_was_not_sent() {
    let line = "Error decrypting event (id=$e type=m.room.encrypted sender=@bob:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: The sender's device has not sent us the keys for this message., sender_key: undefined, session_id: S]";
    let page = alice().line(BEGUN + 60_000, Level::Warn, line);
    let triage = Triage::of(&History::new("a key is missing").file("alice.report.json", page.json()).bundle());
    assert_eq!(triage.room_keys.paths.len(), 1);
    assert_eq!(
        steps(&triage.room_keys.paths[0]),
        "?sent ?opened ?set ?decrypted",
        "what the client says proves nothing"
    );
}

#[test]
fn a_room_key_from_a_later_message_on_does_not_open_the_event() {
    let machine = "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: The message was encrypted using an unknown message index, first known index 2, index of the message 0\n    in matrix_sdk_crypto::machine::decrypt_room_event with room_id=\"!r:x\" event_id=\"$e\"";
    let line = "Error decrypting event (id=$e type=m.room.encrypted sender=@bob:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: The sender's device has not sent us the keys for this message at this index., sender_key: undefined, session_id: S]";
    let page = alice().line(BEGUN + 59_990, Level::Warn, machine).line(BEGUN + 60_000, Level::Warn, line);
    let triage = Triage::of(&History::new("a key comes too late").file("alice.report.json", page.json()).bundle());
    let path = &triage.room_keys.paths[0];
    assert_eq!(steps(path), "?sent ?opened ?set -decrypted", "by which way the key came no file says");
    assert_eq!(path.stopped_at, Some(Hop::Decrypted));
}

#[test]
fn a_device_that_logged_in_after_the_event_is_named_and_proves_nothing() {
    let said = |logged_in: &str| {
        let line = "Error decrypting event (id=$e type=m.room.encrypted sender=@bob:x room=!r:x ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: The sender's device has not sent us the keys for this message., sender_key: undefined, session_id: S]";
        let log = format!(
            "2026-11-23 {logged_in},000 - synapse.handlers.auth - 1 - INFO - POST-1 - Logging in user {} on device {}\n",
            ALICE.0, ALICE.1
        );
        let page = alice().line(BEGUN + 60_000, Level::Warn, line);
        let history = History::new("an old event").file("alice.report.json", page.json()).file("a.log", log);
        let verdicts = Triage::of(&history.bundle()).verdicts;
        let verdict = verdicts.into_iter().find(|verdict| verdict.conclusion == Conclusion::RoomKeyWithheld);
        let verdict = verdict.expect("a verdict");
        assert!(verdict.is_unknown());
        verdict.how.iter().any(|text| text.contains("before the login of this device"))
    };
    assert!(said("08:43:00"));
    assert!(!said("08:42:00"));
}

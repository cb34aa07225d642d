//! What the model writes is what browsers, matrix-sdk-crypto and Synapse wrote when the fixtures were recorded: with the recorded
//! values put in, each form gives the recorded text, byte for byte.

use std::path::Path;

use crypto_diag_world::forms::report::{self, LostKey, NotOpened, Undecryptable};
use crypto_diag_world::forms::room::{self, Content};
use crypto_diag_world::forms::signing::{self, SignedKey};
use crypto_diag_world::forms::to_device::{self, Message};
use crypto_diag_world::forms::{Device, Request, har, log};
use serde_json::Value;

const RECORDED: &str = "two-live-contexts";
const ALICE: Device = Device { user: "@alice-15:localhost", id: "TCEZHCXFWZ" };

fn recorded(bundle: &str, file: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles").join(bundle).join(file);
    std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn json(bundle: &str, file: &str) -> Value {
    serde_json::from_str(&recorded(bundle, file)).expect("JSON")
}

/// What stands between two texts, the first time.
fn between<'t>(text: &'t str, before: &str, after: &str) -> &'t str {
    let rest = text.split_once(before).unwrap_or_else(|| panic!("{before} in {text}")).1;
    rest.split_once(after).unwrap_or_else(|| panic!("{after} behind {before} in {text}")).0
}

/// The one line of the recorded log that has these words.
fn line_with(words: &[&str]) -> String {
    let log = recorded(RECORDED, "homeserver.log.txt");
    let found = log.lines().find(|line| words.iter().all(|word| line.contains(word)));
    found.unwrap_or_else(|| panic!("{words:?}")).to_owned()
}

/// The refusal's two keys, out of the recorded sentence.
fn refusal(text: &str) -> (String, SignedKey, SignedKey) {
    let signed = |part: &str, quote: char| {
        let word = |before: &str| between(part, before, &quote.to_string()).to_owned();
        SignedKey {
            key: word(&format!("{quote}key{quote}:{}{quote}", if quote == '\'' { " " } else { "" })),
            signature: word(&format!("ed25519:{}{quote}:{}{quote}", ALICE.id, if quote == '\'' { " " } else { "" })),
            user: ALICE.user.to_owned(),
            device: ALICE.id.to_owned(),
        }
    };
    let id = between(text, "signed_curve25519:", " already").to_owned();
    let (held, offered) = text.split_once("; new key: ").expect("both keys");
    (id, signed(held, '"'), signed(offered, '\''))
}

#[test]
fn a_page_prints_the_refusal_as_recorded() {
    let report = json(RECORDED, "victim.report.json");
    let line = report["entries"][0]["message"].as_str().expect("a line");
    let (id, held, offered) = refusal(line);
    let url = line.rsplit_once('(').expect("an address").1.trim_end_matches(')');
    let sentence = signing::already_exists(&id, &held, &offered);
    assert_eq!(report::outgoing_failed(400, &sentence, url), line);
}

#[test]
fn a_page_prints_a_lost_one_time_key_as_recorded() {
    let report = json("store-rollback", "victim.report.json");
    let entries = report["entries"].as_array().expect("entries");
    let lines = entries.iter().filter(|entry| entry["signature"] == "MissingOneTimeKey");
    let mut count = 0;
    for line in lines.map(|entry| entry["message"].as_str().expect("a line")) {
        count += 1;
        let lost = LostKey {
            one_time_key: between(line, "MissingOneTimeKey(\"curve25519:", "\""),
            sender: between(line, "sender=\"", "\""),
            sender_key: between(line, "sender_key=\"curve25519:", "\""),
            base_key: between(line, "base_key: \"", "\""),
            ratchet_key: between(line, "ratchet_key: \"curve25519:", "\""),
            session_id: between(line, "session_id=\"", "\""),
            chain_index: between(line, "chain_index: ", ",").parse().expect("a number"),
            message_id: between(line, "message_id=\"", "\""),
        };
        assert_eq!(report::missing_one_time_key(&lost), line);
    }
    assert!(count > 1, "the recorded page could not open some messages");
}

#[test]
fn a_report_has_the_fields_of_a_recorded_one() {
    fn shape(value: &Value, at: &str, found: &mut Vec<String>) {
        match value {
            Value::Object(map) => map.iter().for_each(|(name, value)| shape(value, &format!("{at}/{name}"), found)),
            Value::Array(list) => list.iter().take(1).for_each(|value| shape(value, &format!("{at}/0"), found)),
            _ => found.push(at.to_owned()),
        }
    }
    let line = report::Line {
        at: 2,
        level: "error",
        family: "KE-1",
        signature: "already exists",
        meaning: "failure",
        text: "x".to_owned(),
    };
    let written = report::Report {
        device: ALICE,
        identity: Some(("a".to_owned(), "b".to_owned())),
        began: 0,
        installed: 1,
        cleared: None,
        made: 3,
        clock_moved: 0,
        page_events: Vec::new(),
        lines: vec![line],
        missed: None,
        library: true,
        info: true,
        call: Value::Null,
        server_minus_page: None,
        known: Vec::new(),
        sent: Vec::new(),
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    shape(&serde_json::from_slice(&written.json()).expect("JSON"), "", &mut ours);
    shape(&json(RECORDED, "victim.report.json"), "", &mut theirs);
    assert_eq!(ours, theirs);
}

#[test]
fn the_log_has_the_lines_of_an_upload_as_recorded() {
    let message = |line: &str| {
        let parts: Vec<&str> = line.splitn(6, " - ").collect();
        assert_eq!(parts.len(), 6, "{line}");
        (format!("{} - {}", parts[1], parts[2]), parts[5].to_owned())
    };
    let same = |(logger, text): (&str, String), line: &str| assert_eq!((logger.to_owned(), text), message(line));

    let line = line_with(&["Updating device_keys for device 'TCEZHCXFWZ'"]);
    let now = line.rsplit(' ').next().expect("a time").parse().expect("a number");
    same(log::device_keys_updated(ALICE.user, ALICE.id, now), &line);

    let line = line_with(&["Adding one_time_keys", "AAAAAAAAAS0", "TCEZHCXFWZ"]);
    let ids: Vec<String> = between(&line, "dict_keys([", "])")
        .split(", ")
        .map(|id| between(id, "'signed_curve25519:", "'").to_owned())
        .collect();
    assert_eq!(ids.len(), 50 - 40, "the store filled up what had been claimed");
    let now = line.rsplit(' ').next().expect("a time").parse().expect("a number");
    same(log::keys_added(ALICE.user, ALICE.id, &ids, now), &line);

    let line = line_with(&["Claimed one-time-keys", ALICE.id]);
    same(log::claimed(ALICE.user, ALICE.id, between(&line, "signed_curve25519:", " for")), &line);

    same(log::logged_in(ALICE.user, ALICE.id), &line_with(&["Logging in user @alice-15:localhost"]));

    let line = line_with(&["SynapseError: 400", "already exists"]);
    let (id, held, offered) = refusal(&line);
    let sentence = signing::already_exists(&id, &held, &offered);
    let (logger, text) = log::refused("POST", "/_matrix/client/v3/keys/upload", 400, &sentence);
    let (of, recorded) = message(&line);
    let address = between(&recorded, " at ", " ");
    let site = between(&recorded, "site='", "'");
    let text = text.replace("0x7f4a547a2310", address).replace("site='8008'", &format!("site='{site}'"));
    assert_eq!((logger.to_owned(), text), (of, recorded));
}

#[test]
fn the_log_has_a_requests_line_as_recorded() {
    let line = line_with(&["POST-2804", "Processed request"]);
    let (start, end) = (1_795_474_516_381, 1_795_474_516_389);
    let request = Request {
        served: Some((start, end, 200)),
        answer: Some("x".repeat(48)),
        ..Request::quick(ALICE.user, "POST", "/_matrix/client/v3/keys/upload".to_owned(), start)
    };
    let written = log::lines(&[request], log::MASTER, &[], &|_| 0).remove(0).1.replace("POST-1 ", "POST-2804 ");
    // What the machine used for it is the model's own, and so is the port.
    let plain = |text: &str| {
        let costs = between(text, "ru=", "B 200").rsplit_once(' ').expect("costs").0.to_owned();
        text.replace(&costs, "").replace("33659", "8008")
    };
    assert_eq!(plain(written.trim_end()), plain(&line));
}

#[test]
fn a_har_has_a_request_as_recorded() {
    let text = recorded(RECORDED, "victim.har");
    let line =
        text.lines().find(|line| line.contains("keys/upload") && line.contains("\"status\":200")).expect("an upload");
    let entry: Value = serde_json::from_str(line.trim_end_matches(',')).expect("an entry");
    let request = Request {
        body: entry["request"]["postData"]["text"].as_str().map(str::to_owned),
        answer: entry["response"]["content"]["text"].as_str().map(str::to_owned),
        done: (1_795_474_505_152 + 19, 200),
        ..Request::quick(ALICE.user, "POST", "/_matrix/client/v3/keys/upload".to_owned(), 1_795_474_505_152)
    };
    let written = String::from_utf8(har::har(&[&request], &|_| 0)).expect("a text");
    let host = between(line, "\"url\":\"", "/_matrix");
    let written = written.replace("https://matrix.example.org", host);
    assert_eq!(written.lines().nth(1).expect("an entry"), line.trim_end_matches(','));
    assert_eq!(written.lines().next(), text.lines().next(), "the head");
}

#[test]
fn a_page_prints_a_restart_that_timed_out_as_recorded() {
    for (bundle, count) in [("slow-homeserver", 5), ("slow-gateway", 2), ("delayed-events-lost", 3)] {
        let label = json(bundle, "label.json");
        let room = label["facts"]["roomId"].as_str().expect("a room");
        let report = json(bundle, "victim.report.json");
        let entries = report["entries"].as_array().expect("entries").iter();
        let lines =
            entries.filter(|entry| entry["ke"] == "KE-4").map(|entry| entry["message"].as_str().expect("a line"));
        let written: Vec<String> = (0..count).map(|failed| report::restart_timed_out(room, failed)).collect();
        assert_eq!(written, lines.collect::<Vec<_>>(), "{bundle}");
    }
}

#[test]
fn a_page_prints_a_servers_error_as_histories_by_hand_have_it() {
    let line = |world: &str| {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/worlds").join(world);
        let text = std::fs::read_to_string(path.join("alice.report.json")).expect("a report");
        let report: Value = serde_json::from_str(&text).expect("JSON");
        report["entries"][0]["message"].as_str().expect("a line").to_owned()
    };
    for (world, error) in [
        ("60-504-since-the-homeserver-hung", report::gateways_error(504)),
        (
            "68-an-error-at-once",
            report::homeservers_error(
                "https://matrix.example.org/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_jmHOTmvVWgwNWMyNeYQT/restart",
            ),
        ),
    ] {
        assert_eq!(report::restart_failed("!mcvQkMpfsogPWQAuqq:example.org", 0, &error), line(world), "{world}");
    }
}

#[test]
fn the_log_has_the_restart_of_an_event_that_is_gone_as_recorded() {
    let log = recorded("slow-gateway", "homeserver.log.txt");
    let line =
        log.lines().find(|line| line.contains("SynapseError: 404") && line.contains("/restart")).expect("a line");
    let uri = between(line, "uri='", "'");
    let (logger, text) = log::refused("POST", uri, 404, "Delayed event not found");
    let text = text.replace("0x7f4a547a2310", between(line, "Request at ", " ")).replace("site='8008'", "site='33659'");
    let parts: Vec<&str> = line.splitn(6, " - ").collect();
    assert_eq!((logger, text.as_str()), (format!("{} - {}", parts[1], parts[2]).as_str(), parts[5]));
}

/// A report that a page with LiveKit's own worker made: `tests/e2e/media.test.mjs` makes such calls.
fn call(name: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/calls").join(name);
    serde_json::from_str(&std::fs::read_to_string(path).expect("a recorded report")).expect("JSON")
}

#[test]
fn livekit_prints_a_key_that_is_missing_and_one_that_opens_nothing_as_recorded() {
    let (participant, own) = ("@alice:example.org:ALICEDEVCE", "@bob:example.org:BOBDEVCEXX");
    for (name, text) in [
        ("key-never-comes.report.json", report::missing_key(participant, 0, own)),
        ("another-key.report.json", report::wrong_key(participant, own)),
    ] {
        let report = call(name);
        let mut entries = report["entries"].as_array().expect("entries").iter();
        assert!(entries.any(|entry| entry["level"] == "error" && entry["message"] == *text), "{name}: {text}");
    }
}

#[test]
fn a_page_prints_a_media_key_that_it_opened_as_recorded() {
    let report = json("healthy-key-exchange", "victim.report.json");
    let entries = report["entries"].as_array().expect("entries");
    let delivered = entries.iter().find(|entry| entry["meaning"] == "delivered").expect("a key that was delivered");
    let line = delivered["message"].as_str().expect("a line");
    let part = |before: &str| between(line, before, "\"");
    let text = report::media_key_opened(part("sender=\""), part("sender_key=\"curve25519:"), part("message_id=\""));
    assert_eq!(text, line);
}

/// The part of a line of a log behind its request's id, and its logger.
fn logged(line: &str) -> (String, String) {
    let parts: Vec<&str> = line.splitn(6, " - ").collect();
    assert_eq!(parts.len(), 6, "{line}");
    (format!("{} - {}", parts[1], parts[2]), parts[5].to_owned())
}

#[test]
fn the_log_has_the_deletion_of_a_device_as_recorded() {
    let log = recorded("logged-out-device", "homeserver.log.txt");
    let line = log.lines().find(|line| line.contains("Deleting devices")).expect("a line");
    let (logger, text) = log::device_deleted("@alice-7:localhost", "KZDXOHRICR");
    assert_eq!((logger.to_owned(), text), logged(line));
}

#[test]
fn the_log_has_dropped_messages_as_a_history_by_hand_has_them() {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/worlds/33b-a-device-that-never-was");
    let log = std::fs::read_to_string(path.join("homeserver.log")).expect("a log");
    let line = log.lines().find(|line| line.contains(log::TO_DEVICE)).expect("a line");
    let (alice, zeros, ones) = ("@alice:example.org", "00ff".repeat(8), "01ff".repeat(8));
    let (logger, text) = log::dropped(&[(alice, "AAAAAAAAAA", &zeros), (alice, "BBBBBBBBBB", &ones)]);
    assert_eq!((logger.to_owned(), text), logged(line));
    let request = Request {
        printed: vec![(1_795_424_400_000, logger, "x".to_owned())],
        ..Request::quick(alice, "PUT", to_device::target("m1"), 1_795_424_400_000)
    };
    let written = log::lines(&[request], log::MASTER, &[], &|_| 0).remove(0).1;
    assert!(written.ends_with(" - synapse.9533_debug - 1007 - DEBUG - PUT-1 - x\n"), "{written}");
}

/// The one message in the content of an event, by what is recorded of it.
fn with_message<R>(content: &Value, (sender, target): (&str, Device), then: impl Fn(&Message<'_>) -> R) -> R {
    let (target_key, cipher) = content["ciphertext"].as_object().and_then(|keys| keys.iter().next()).expect("a key");
    let text = |value: &'static str| content[value].as_str().expect("a text");
    then(&Message {
        sender,
        sender_key: text("sender_key"),
        target,
        target_key,
        body: cipher["body"].as_str().expect("a ciphertext"),
        kind: cipher["type"].as_u64().expect("a number") as u8,
        id: text("org.matrix.msgid"),
    })
}

/// The body and the answer of each request in a recorded HAR whose address has this word.
fn bodies(bundle: &str, file: &str, word: &str) -> Vec<(String, String, String)> {
    let har = json(bundle, file);
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    let entries = har["log"]["entries"].as_array().expect("entries").iter();
    let of = |entry: &Value| {
        let address = text(&entry["request"]["url"]);
        (address, text(&entry["request"]["postData"]["text"]), text(&entry["response"]["content"]["text"]))
    };
    entries.map(of).filter(|(address, ..)| address.contains(word)).collect()
}

#[test]
fn a_batch_and_the_news_that_brings_a_message_have_the_recorded_form() {
    let (carol, bob) =
        (Device { user: "@carol:localhost", id: "EZQNWLFGIG" }, Device { user: "@bob:localhost", id: "ZBRNFATZYN" });
    let (address, body, _) = bodies("never-sent", "peer.har", "sendToDevice").remove(0);
    let content: Value = serde_json::from_str(&body).expect("JSON");
    let content = &content["messages"][carol.user][carol.id];
    let written = with_message(content, (bob.user, carol), |message| to_device::batch(std::slice::from_ref(message)));
    assert_eq!(written, body);
    let txn_id = address.rsplit('/').next().expect("a transaction");
    assert!(address.ends_with(&to_device::target(txn_id)), "{address}");

    let news = bodies("never-sent", "victim.har", "/sync?");
    let brings = |answer: &Value| {
        answer["to_device"]["events"].as_array().is_some_and(|events| events.len() == 1)
            && answer["rooms"].is_null()
            && answer["device_lists"].is_null()
    };
    let (address, answer, parsed) = news
        .iter()
        .filter_map(|(address, _, answer)| Some((address, answer, serde_json::from_str::<Value>(answer).ok()?)))
        .find(|(_, _, parsed)| brings(parsed))
        .expect("an answer with one message and nothing else");
    let event = &parsed["to_device"]["events"][0];
    let alice = Device { user: "@alice:localhost", id: "VLLIIESMIO" };
    let sender = event["sender"].as_str().expect("a sender");
    let next = parsed["next_batch"].as_str().expect("a token");
    let written = with_message(&event["content"], (sender, alice), |message| {
        to_device::news(next, std::slice::from_ref(message))
    });
    let keys_left = between(answer, "\"signed_curve25519\":", "}");
    assert_eq!(written.replace("\"signed_curve25519\":50", &format!("\"signed_curve25519\":{keys_left}")), *answer);
    let since = between(address, "since=s", "_").parse().expect("a number");
    let position = address.split('_').nth_back(6).expect("a field").parse().expect("a number");
    let own = crypto_diag_world::forms::sync_target(since, position);
    assert!(address.replace("_7_0_1_2_1_1", "_64_0_1_2_1_1").ends_with(&own), "{address}: {own}");
}

#[test]
fn a_claim_and_the_message_that_uses_its_key_have_the_recorded_form() {
    let device = Device { user: "@bob:localhost", id: "WXHUYPJGWD" };
    let (_, asked, answered) = bodies("algorithm-stripped", "victim.har", "/keys/claim").swap_remove(0);
    assert_eq!(to_device::claim(device), asked);
    let id = between(&answered, "signed_curve25519:", "\"").to_owned();
    let of = &serde_json::from_str::<Value>(&answered).expect("JSON")["one_time_keys"][device.user][device.id];
    let object = between(&answered, &format!("\"signed_curve25519:{id}\":"), "}}},\"failures\"");
    assert_eq!(to_device::claimed(device, &id, object), answered);
    let key = of[format!("signed_curve25519:{id}")]["key"].as_str().expect("a key");
    let first = to_device::first_body(key);
    let head = &first[..46];
    let (_, sent, _) = bodies("algorithm-stripped", "victim.har", "/sendToDevice/").swap_remove(0);
    assert!(sent.contains(head), "{head} begins no message of {sent}");
}

#[test]
fn a_report_lists_a_batch_as_recorded() {
    let theirs = &json("backlog-stuck", "peer.report.json")["sent"][0];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let batch = report::Batch {
        at: theirs["ts"].as_i64().expect("a time"),
        txn_id: text(&theirs["txnid"]),
        targets: vec![(
            Device { user: "@alice:localhost", id: "VGPTGOKMGT" },
            text(&theirs["targets"][0]["messageId"]),
        )],
    };
    assert_eq!(batch.json(), *theirs);
}

/// The names of an object's fields, sorted.
fn names(of: &Value) -> Vec<&String> {
    let mut names: Vec<&String> = of.as_object().expect("an object").keys().collect();
    names.sort();
    names
}

#[test]
fn what_a_report_has_of_a_call_has_the_form_that_pages_write() {
    use crypto_diag_world::media::Media;
    use crypto_diag_world::model::Model;

    let recorded = call("heard.report.json");
    let state = &Media.begin()[0];
    let files = Media.files(state, &Media.views(state)[0]);
    let written: Value = serde_json::from_slice(&files[0].1).expect("JSON");
    assert_eq!(names(&written["call"]), names(&recorded["call"]));
    for path in [
        "/call/streams/0",
        "/call/streams/0/samples/0",
        "/call/session",
        "/call/session/memberships/0",
        "/call/facts/0",
    ] {
        let of = |report: &Value| {
            names(report.pointer(path).unwrap_or_else(|| panic!("{path}"))).into_iter().cloned().collect::<Vec<_>>()
        };
        assert_eq!(of(&written), of(&recorded), "{path}");
    }
}

/// What reads a recorded event: the content that Synapse stored, and the event as an answer brought it.
fn with_event<R>(event: &Value, then: impl Fn(&room::Event<'_>) -> R) -> R {
    let field = |name: &str| event["content"][name].as_str();
    then(&room::Event {
        id: event["event_id"].as_str().expect("an id"),
        sender: event["sender"].as_str().expect("a sender"),
        sent: event["origin_server_ts"].as_i64().expect("a time"),
        content: Content {
            algorithm: field("algorithm"),
            ciphertext: field("ciphertext"),
            device_id: field("device_id"),
            sender_key: field("sender_key"),
            session_id: field("session_id"),
        },
    })
}

#[test]
fn an_answer_brings_an_event_as_recorded() {
    for bundle in ["malformed-event", "client-loses-field"] {
        let har = json(bundle, "victim.har");
        let entries = har["log"]["entries"].as_array().expect("entries");
        let bodies = entries.iter().filter_map(|entry| entry["response"]["content"]["text"].as_str());
        // The last answer whose room has one encrypted event and nothing before it.
        let is_ours = |body: &&str| {
            body.contains("\"events\":[{\"unsigned\":{\"age\"") && body.contains("m.room.encrypted\",\"event_id")
        };
        let recorded = bodies.rev().find(is_ours).expect("an answer");
        let body: Value = serde_json::from_str(recorded).expect("JSON");
        let (room, joined) = body["rooms"]["join"].as_object().and_then(|rooms| rooms.iter().next()).expect("a room");
        let event = &joined["timeline"]["events"][0];
        let served = with_event(event, |of| room::served(of, event["unsigned"]["age"].as_i64().expect("an age"), None));
        let text = |value: &Value| value.as_str().expect("a token").to_owned();
        let (next, before) = (text(&body["next_batch"]), text(&joined["timeline"]["prev_batch"]));
        assert_eq!(room::news(&next, &before, room, &[served], &[]), recorded, "{bundle}");
    }
}

#[test]
fn the_database_has_an_events_row_as_recorded() {
    for (bundle, rewritten) in [("malformed-event", false), ("malformed-event-redacted", false)] {
        let queries = json(bundle, "queries.json");
        let tables = queries.as_array().expect("tables");
        let recorded = &tables.iter().find(|table| table["name"] == "event").expect("an event")["rows"][0];
        let room = recorded["room_id"].as_str().expect("a room");
        let row = with_event(recorded, |event| {
            room::row(event, room, &event.content, recorded["redacted_by"].as_str(), rewritten)
        });
        assert_eq!(&row, recorded, "{bundle}");
    }
}

#[test]
fn a_page_prints_an_event_that_it_cannot_read_as_recorded() {
    let queries = json("malformed-event", "queries.json");
    let tables = queries.as_array().expect("tables");
    let row = &tables.iter().find(|table| table["name"] == "event").expect("an event")["rows"][0];
    let report = json("malformed-event", "victim.report.json");
    let entries = report["entries"].as_array().expect("entries");
    let line = entries.iter().find(|entry| entry["ke"] == "KE-3").expect("a line");
    let recorded = line["message"].as_str().expect("a text");
    let says = between(recorded, "DecryptionError[msg: ", ", sender_key");
    with_event(row, |event| {
        let printed = Undecryptable {
            id: event.id,
            sender: event.sender,
            room: row["room_id"].as_str().expect("a room"),
            sent: event.sent,
            sender_key: event.content.sender_key,
            session_id: event.content.session_id,
        };
        assert_eq!(printed.error(says), recorded);
    });
    assert_eq!((&line["signature"], &line["meaning"]), (&"DecryptionError".into(), &"failure".into()));
}

/// What real clients printed in Node, by what was wrong (tests/machine/room-keys.mjs).
fn scene(what: &str) -> Value {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/room-keys.json");
    let text = std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()));
    let scenes: Vec<Value> = serde_json::from_str(&text).expect("a list");
    scenes.into_iter().find(|scene| scene["what"] == what).unwrap_or_else(|| panic!("no scene in which {what}"))
}

#[test]
fn lines_about_an_event_that_its_room_key_does_not_open_are_the_recorded_ones() {
    for (what, why) in [
        ("the key never came", NotOpened::MISSING),
        ("the event is older than the device, and there is no key backup", NotOpened::HISTORICAL),
        ("the key begins two messages later", NotOpened::FROM_LATER),
        ("the sender keeps the key from unverified devices", NotOpened::KEPT_BACK),
    ] {
        assert_eq!(printed(what, why, 0), scene(what)["lines"], "{what}");
    }
    let what = "the key is of a device that its owner has not signed";
    assert_eq!(printed(what, NotOpened::NOT_SIGNED, 2), scene(what)["lines"]);
}

fn printed(what: &str, why: NotOpened, index: u32) -> Value {
    let event = &scene(what)["event"];
    let text = |value: &Value| value.as_str().expect("a text").to_owned();
    let (id, sender, room) = (text(&event["event_id"]), text(&event["sender"]), text(&event["room_id"]));
    let (key, session) = (text(&event["content"]["sender_key"]), text(&event["content"]["session_id"]));
    let event = Undecryptable {
        id: &id,
        sender: &sender,
        room: &room,
        sent: event["origin_server_ts"].as_i64().expect("a time"),
        sender_key: Some(&key),
        session_id: Some(&session),
    };
    let (machine, page) = event.not_opened(why, index);
    Value::from(vec![machine, page])
}

#[test]
fn a_notice_of_a_key_that_is_kept_back_has_the_recorded_form() {
    let notice = &scene("the sender keeps the key from unverified devices")["notice"];
    let text = |name: &str| notice["content"][name].as_str().expect("a text");
    let device = text("from_device");
    let ours = room::withheld(
        (notice["sender"].as_str().expect("a sender"), device),
        text("room_id"),
        text("session_id"),
        text("sender_key"),
        (text("code"), text("reason")),
    );
    assert_eq!(&serde_json::from_str::<Value>(&ours).expect("JSON"), notice);
}

use base64::Engine;
use base64::engine::general_purpose::STANDARD_NO_PAD;
use serde_json::{Value, json};

use super::body::one_time_key;
use super::stream::path_of;
use super::*;

fn har(entries: &str) -> Har {
    let text = format!(r#"{{"log":{{"version":"1.2","entries":[{entries}]}}}}"#);
    let options = HarOptions { event_ids: ["$e".to_owned()].into() };
    Har::read("call.har", text.as_bytes(), &options)
}

fn entry(method: &str, url: &str, body: &Value, status: u16, answer: &Value) -> String {
    let entry = json!({
        "startedDateTime": "2026-11-23T08:36:03.777Z", "time": 95.4, "timings": {"blocked": 60.5, "wait": 30},
        "request": {"method": method, "url": url, "headers": [{"name": "Authorization", "value": "Bearer syt_secret_x"}],
                    "postData": {"mimeType": "application/json", "text": body.to_string()}},
        "response": {"status": status, "content": {"size": 1, "text": answer.to_string()}},
    });
    entry.to_string()
}

#[test]
fn an_upload_names_its_keys_and_its_refusal() {
    let key = |key: &str| json!({"key": key, "signatures": {"@a:h": {"ed25519:D": "s"}}});
    let body = json!({"one_time_keys": {"signed_curve25519:AAAAAAAAADQ": key("new")}});
    let refusal = json!({"errcode": "M_UNKNOWN", "error": "One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {\"key\":\"x\"}"});
    let har = har(&entry("POST", "https://h/_matrix/client/v3/keys/upload?access_token=opaque", &body, 400, &refusal));
    let exchange = &har.entries[0];
    assert_eq!((exchange.status, exchange.start, exchange.end()), (400, 1_795_422_963_777, 1_795_422_963_873));
    assert_eq!((exchange.uri.as_str(), exchange.blocked), ("/_matrix/client/v3/keys/upload?", 60.5));
    let facts = exchange.facts.as_ref().unwrap();
    assert_eq!(facts.one_time_keys["signed_curve25519:AAAAAAAAADQ"], "new");
    assert_eq!(har.device(), Some(("@a:h", "D")));
    assert!(facts.refusal.as_ref().unwrap().contains("already exists"));
    assert!(har.problems.is_empty());
}

#[test]
fn a_url_inside_a_kept_path_is_not_taken_for_its_origin() {
    let path = "/_matrix/media/v3/preview_url?url=https://elsewhere/page";
    assert_eq!(path_of(path), path);
    assert_eq!(path_of(&format!("https://h:8448{path}#part")), path);
    assert_eq!(path_of("https://h"), "/");
}

#[test]
fn a_pre_key_messages_one_time_key_is_read_from_its_header() {
    // The body of the rollback run's message: version, tag, length, and the key that the receiver had lost.
    let mut bytes = vec![3, 0x0a, 32];
    bytes.extend([7; 32]);
    bytes.extend([0x12, 32, 1]);
    let message = json!({"type": 0, "body": STANDARD_NO_PAD.encode(&bytes)});
    assert_eq!(one_time_key(&message), Some(STANDARD_NO_PAD.encode([7; 32])));
    assert_eq!(one_time_key(&json!({"type": 1, "body": STANDARD_NO_PAD.encode(&bytes)})), None);
    assert_eq!(one_time_key(&json!({"type": 0, "body": "AwogAA"})), None);
    let body = json!({"messages": {"@a:h": {"D": {"org.matrix.msgid": "m1", "sender_key": "k", "ciphertext": {"c": message}}}}});
    let har =
        har(&entry("PUT", "https://h/_matrix/client/v3/sendToDevice/m.room.encrypted/t1", &body, 200, &json!({})));
    let sent = &har.entries[0].facts.as_ref().unwrap().sent[0];
    assert_eq!((sent.device_id.as_str(), sent.message_id.as_deref()), ("D", Some("m1")));
    assert_eq!(har.entries[0].txn_id(), Some("t1"));
}

#[test]
fn what_a_sync_brought_is_known() {
    let answer = json!({
        "to_device": {"events": [{"type": "m.room.encrypted", "sender": "@b:h", "content": {"org.matrix.msgid": "m1", "ciphertext": {}}}]},
        "rooms": {"join": {"!r:h": {"timeline": {"events": [{"event_id": "$e", "content": {"ciphertext": "x"}}, {"event_id": "$f", "content": {}}]}}}},
    });
    let har = har(&entry("GET", "https://h/_matrix/client/v3/sync?since=s1", &json!({}), 200, &answer));
    let facts = har.entries[0].facts.as_ref().unwrap();
    assert_eq!(facts.arrived[0].message_id, "m1");
    assert_eq!(
        facts.events,
        [ArrivedEvent { event_id: "$e".into(), fields: vec!["ciphertext".into()], redacted: false }]
    );
}

#[test]
fn other_bodies_are_dropped_unread() {
    let har = har(&entry(
        "POST",
        "https://h/_matrix/client/v3/login",
        &json!({"password": "p"}),
        200,
        &json!({"access_token": "t"}),
    ));
    assert_eq!(har.entries[0].facts, None);
}

#[test]
fn a_broken_har_gives_what_it_has_and_says_where_it_breaks() {
    let one = entry("GET", "https://h/x", &json!({}), 200, &json!({}));
    let text = format!(r#"{{"log":{{"entries":[{one},{{"request":"#);
    let har = Har::read("call.har", text.as_bytes(), &HarOptions::default());
    assert_eq!((har.entries.len(), har.lacks_requests), (1, true));
    assert!(matches!(har.problems[0].place, Place::LineColumn(1, _)), "{:?}", har.problems);
    let other = Har::read("x.har", &b"{\"a\":1}"[..], &HarOptions::default());
    assert!(other.problems[0].what.contains("no HAR"));
    assert!(!Har::read("x.har", &b"not json"[..], &HarOptions::default()).problems.is_empty());
}

#[test]
fn a_reduced_har_reads_to_the_same() {
    let key = json!({"key": "new", "signatures": {"@a:h": {"ed25519:D": "s"}}});
    let body = json!({"one_time_keys": {"signed_curve25519:AAAAAAAAADQ": key}});
    let first = har(&entry("POST", "https://h/_matrix/client/v3/keys/upload", &body, 200, &json!({})));
    let mut written = Vec::new();
    first.write(&mut written).unwrap();
    let again = Har::read("call.har", &written[..], &HarOptions::default());
    assert_eq!(first, again);
    assert!(!String::from_utf8(written).unwrap().contains("syt_"));
}

#[test]
fn a_body_before_its_url_is_read_all_the_same() {
    let body = json!({"one_time_keys": {"signed_curve25519:A": {"key": "k"}}}).to_string();
    let entry = json!({"startedDateTime": "2026-11-23T08:36:03.777Z",
        "request": {"method": "POST", "postData": {"text": body}, "url": "https://h/_matrix/client/v3/keys/upload"},
        "response": {"status": 200}});
    let har = har(&entry.to_string());
    assert_eq!(har.entries[0].facts.as_ref().unwrap().one_time_keys.len(), 1);
}

#[test]
fn a_sliding_sync_says_what_arrived_among_its_extensions_and_its_position_in_its_body() {
    let asked = json!({"conn_id": "main", "extensions": {"to_device": {"enabled": true, "since": "16"}}});
    let answer = json!({"pos": "5/s1", "extensions": {"to_device": {"next_batch": "17", "events": [
        {"type": "m.room.encrypted", "sender": "@b:h", "content": {"org.matrix.msgid": "m1"}}]}}});
    let url = "https://h/_matrix/client/unstable/org.matrix.simplified_msc3575/sync?pos=5%2Fs1&timeout=30000";
    let har = har(&entry("POST", url, &asked, 200, &answer));
    let exchange = &har.entries[0];
    assert_eq!(exchange.acknowledged(), Some(16));
    assert_eq!(exchange.facts.as_ref().unwrap().arrived[0].message_id, "m1");
    assert_eq!(har.problems, []);
    let older = Exchange::new("GET", "/_matrix/client/v3/sync?since=s9_1_1_1_1_1_16_1_1_1", 0, 1.0, 200);
    assert_eq!(older.acknowledged(), Some(16));
}

#[test]
fn a_body_that_is_cut_or_dropped_is_said_to_be_and_stays_so_in_a_reduced_har() {
    let cut = |text: &str, size: i64| {
        json!({"startedDateTime": "2026-11-23T08:36:03.777Z", "time": 1,
            "request": {"method": "GET", "url": "https://h/_matrix/client/v3/sync?since=s1"},
            "response": {"status": 200, "content": {"size": size, "text": text}}})
        .to_string()
    };
    let found = har(&cut("{\"next_batch\":\"s1\",\"to_device\":{\"events\":[{\"ty", 0));
    assert_eq!((found.entries[0].lost, found.entries[0].facts.is_none()), (Some(LostBody::Cut), true));
    assert!(!found.lacks_requests, "its requests are all there");
    assert!(found.problems[0].what.contains("ends in the middle"), "{:?}", found.problems);
    let without = cut("", 900).replace(",\"text\":\"\"", "");
    let dropped = har(&without);
    assert_eq!(dropped.entries[0].lost, Some(LostBody::Dropped), "{without}");
    assert!(dropped.problems[0].what.contains("1 requests have no body in it"), "{:?}", dropped.problems);
    assert_eq!(har(&cut("<html>Bad gateway</html>", 20)).entries[0].lost, None);
    for first in [found, dropped] {
        let mut written = Vec::new();
        first.write(&mut written).unwrap();
        let again = Har::read("call.har", &written[..], &HarOptions::default());
        assert_eq!(first, again);
    }
}

#[test]
fn a_body_that_names_more_than_is_kept_is_said_to_be_known_in_part() {
    let arrived = |count: usize| {
        let event =
            |n| json!({"type": "m.room.encrypted", "sender": "@b:h", "content": {"org.matrix.msgid": format!("m{n}")}});
        let quiet = json!({"type": "m.presence", "sender": "@b:h", "content": {}});
        let events: Vec<Value> = std::iter::repeat_n(quiet, IDS_MAX).chain((0..count).map(event)).collect();
        har(&entry(
            "GET",
            "https://h/_matrix/client/v3/sync",
            &json!({}),
            200,
            &json!({"to_device": {"events": events}}),
        ))
    };
    let whole = arrived(3);
    assert_eq!((whole.entries[0].lost, whole.entries[0].facts.as_ref().unwrap().arrived.len()), (None, 3));
    let more = arrived(IDS_MAX + 1);
    assert_eq!(more.entries[0].lost, Some(LostBody::TooLong));
    assert_eq!(more.entries[0].facts.as_ref().unwrap().arrived.len(), IDS_MAX);
    assert!(more.problems[0].what.contains("what else it held is unknown"), "{:?}", more.problems);
}

#[test]
fn a_request_s_body_that_the_recorder_encoded_is_read_and_one_that_it_left_out_is_named() {
    let body = json!({"one_time_keys": {"signed_curve25519:A": {"key": "k"}}}).to_string();
    let upload = |data: Value| {
        let request = json!({"method": "POST", "url": "https://h/_matrix/client/v3/keys/upload", "postData": data});
        let answer = json!({"status": 200, "content": {"size": 2, "text": "{}"}});
        har(&json!({"startedDateTime": "2026-11-23T08:36:03.777Z", "request": request, "response": answer}).to_string())
    };
    let encoded = base64::engine::general_purpose::STANDARD.encode(&body);
    let read = upload(json!({"mimeType": "application/json", "text": encoded, "encoding": "base64"}));
    assert_eq!(read.entries[0].facts.as_ref().map(|facts| facts.one_time_keys.len()), Some(1));
    for data in [json!({"mimeType": "application/json"}), Value::Null] {
        let lost = upload(data);
        assert_eq!(lost.entries[0].lost, Some(LostBody::Dropped));
        assert!(lost.problems[0].what.contains("1 requests have no body"), "{:?}", lost.problems);
    }
}

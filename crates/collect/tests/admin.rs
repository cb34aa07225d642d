//! What is asked of a homeserver's Admin API, of a server of this test's own: who asks, for what, and what of the answers goes into a
//! bundle.

use std::fs;
use std::io::{BufRead, BufReader, Read, Write};
use std::net::{TcpListener, TcpStream};
use std::path::Path;
use std::sync::atomic::AtomicBool;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread;

use crypto_diag_collect::{AdminApi, Collected, Ids, Request, Silent, admin, collect};
use crypto_diag_triage::bundle::Bundle;

const TOKEN: &str = "syt_YWRtaW4_kTqWvNzXcBmLpRtYghJq_2Fg7Hk";
const ALICE: &str = "@alice:example.org";
const EVENT: &str = "$event/with a slash";

/// A request as it came: its first line, whether it brought the token, and its body.
#[derive(Debug)]
struct Asked {
    line: String,
    has_token: bool,
    body: String,
}

/// A homeserver that gives the same answers to whoever asks, and says what it was asked.
struct Server {
    base: String,
    asked: Receiver<Asked>,
}

impl Server {
    fn new(answer: fn(&str) -> (u16, &'static str)) -> Server {
        let listener = TcpListener::bind("127.0.0.1:0").expect("a port");
        let base = format!("http://{}", listener.local_addr().expect("an address"));
        let (sender, asked) = channel();
        // It ends with the test.
        thread::spawn(move || {
            for stream in listener.incoming().flatten() {
                let sender = sender.clone();
                thread::spawn(move || serve(stream, answer, &sender));
            }
        });
        Server { base, asked }
    }

    fn api(&self) -> AdminApi {
        AdminApi::new(&self.base, Some(TOKEN)).expect("an address of this machine")
    }

    fn lines(&self) -> Vec<String> {
        let asked = self.asked.try_iter();
        asked
            .map(|asked| {
                assert!(asked.has_token, "{asked:?}");
                format!("{} {}", asked.line, asked.body).trim_end().to_owned()
            })
            .collect()
    }
}

fn serve(stream: TcpStream, answer: fn(&str) -> (u16, &'static str), sender: &Sender<Asked>) {
    let mut reader = BufReader::new(stream.try_clone().expect("a socket"));
    loop {
        let mut line = String::new();
        if reader.read_line(&mut line).unwrap_or(0) == 0 {
            return;
        }
        let (mut has_token, mut length) = (false, 0);
        loop {
            let mut header = String::new();
            reader.read_line(&mut header).expect("a header");
            let header = header.trim();
            if header.is_empty() {
                break;
            }
            has_token |= header == format!("Authorization: Bearer {TOKEN}");
            if let Some(bytes) = header.to_ascii_lowercase().strip_prefix("content-length: ") {
                length = bytes.parse().expect("a number");
            }
        }
        let mut body = vec![0; length];
        reader.read_exact(&mut body).expect("a body");
        let line = line.trim().trim_end_matches(" HTTP/1.1").to_owned();
        let (status, text) = answer(&line);
        let _ = sender.send(Asked { line, has_token, body: String::from_utf8(body).expect("UTF-8") });
        let more = if status == 302 { "Location: http://127.0.0.1:1/elsewhere\r\n" } else { "" };
        write!(&stream, "HTTP/1.1 {status} X\r\n{more}Content-Length: {}\r\n\r\n{text}", text.len())
            .expect("it is read");
    }
}

fn homeserver(line: &str) -> (u16, &'static str) {
    match line {
        "GET /_matrix/client/v3/account/whoami" => (200, r#"{"user_id":"@admin:example.org"}"#),
        "GET /_synapse/admin/v1/server_version" => (200, r#"{"server_version":"1.155.0"}"#),
        "GET /_synapse/admin/v2/users/%40admin%3Aexample%2Eorg" => (200, r#"{"deactivated":false}"#),
        "GET /_synapse/admin/v2/users/%40alice%3Aexample%2Eorg" => (
            200,
            r#"{"name":"@alice:example.org","deactivated":false,"displayname":"Alice A.","threepids":[{"address":"alice@example.org"}]}"#,
        ),
        "GET /_synapse/admin/v2/users/%40alice%3Aexample%2Eorg/devices" => (
            200,
            r#"{"devices":[{"device_id":"ALICE","display_name":"Alice's phone","last_seen_ip":"192.0.2.7","last_seen_ts":1795424000000}],"total":1}"#,
        ),
        "POST /_matrix/client/v3/keys/query" => (
            200,
            r#"{"device_keys":{"@alice:example.org":{"ALICE":{"algorithms":[],"device_id":"ALICE","user_id":"@alice:example.org","keys":{"curve25519:ALICE":"3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo","ed25519:ALICE":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"},"unsigned":{"device_display_name":"Alice's phone"}}}}}"#,
        ),
        "GET /_synapse/admin/v1/fetch_event/%24event%2Fwith%20a%20slash" => (
            200,
            r#"{"event":{"type":"m.room.encrypted","room_id":"!r:example.org","sender":"@alice:example.org","origin_server_ts":5,"content":{"ciphertext":"hush","session_id":"s"}}}"#,
        ),
        _ => (404, r#"{"errcode":"M_NOT_FOUND","error":"Event not found"}"#),
    }
}

fn collected(api: AdminApi, events: &[&str], out: &Path) -> Collected {
    let ids = Ids {
        users: [ALICE, "@bob:elsewhere.example"].map(str::to_owned).into(),
        event_ids: events.iter().map(|id| (*id).to_owned()).collect(),
        ..Ids::default()
    };
    let request = Request { admin_api: Some(api), ids, out: out.to_owned(), ..Request::default() };
    collect(&request, &Silent, &AtomicBool::new(false)).expect("a bundle")
}

fn written(folder: &Path) -> String {
    let files = fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("a file").path());
    files.map(|path| fs::read_to_string(path).expect("a text")).collect()
}

#[test]
fn users_keys_and_events_of_this_server_are_asked_for_and_only_public_facts_are_kept() {
    let server = Server::new(homeserver);
    let out = tempfile::tempdir().expect("a folder");
    let found = collected(server.api(), &[EVENT, "$gone"], out.path());
    let mut lines = server.lines();
    lines.sort();
    assert_eq!(
        lines,
        [
            "GET /_matrix/client/v3/account/whoami",
            "GET /_synapse/admin/v1/fetch_event/%24event%2Fwith%20a%20slash",
            "GET /_synapse/admin/v1/fetch_event/%24gone",
            "GET /_synapse/admin/v1/server_version",
            "GET /_synapse/admin/v2/users/%40admin%3Aexample%2Eorg",
            "GET /_synapse/admin/v2/users/%40alice%3Aexample%2Eorg",
            "GET /_synapse/admin/v2/users/%40alice%3Aexample%2Eorg/devices",
            r#"POST /_matrix/client/v3/keys/query {"device_keys":{"@alice:example.org":[]},"timeout":10000}"#,
        ]
    );
    let kept = written(&found.folder);
    for secret in [TOKEN, "phone", "192.0.2.7", "hush", "Alice A.", "alice@example.org"] {
        assert!(!kept.contains(secret), "{secret}: {kept}");
    }
    let refused = |what: &str| {
        found.manifest.refused.iter().any(|refusal| format!("{} {}", refusal.what, refusal.why).contains(what))
    };
    assert!(
        refused("@bob:elsewhere.example") && refused("no one-time and fallback keys"),
        "{:?}",
        found.manifest.refused
    );
    assert_eq!(found.manifest.coverage["adminApi"]["version"], "1.155.0");

    let mut bundle = Bundle::new();
    bundle.add("admin-api.json", None, &fs::read(found.folder.join("admin-api.json")).expect("answers")[..]);
    assert!(bundle.problems.is_empty(), "{:?}", bundle.problems);
    let rows = &bundle.queries[0];
    assert_eq!((rows.devices.len(), rows.device_keys.len(), rows.events.len()), (1, 1, 1), "{rows:?}");
    assert_eq!(rows.device_keys[0].curve25519.as_deref(), Some("3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo"));
    assert_eq!((rows.events[0].has("session_id"), rows.events[0].has("algorithm")), (Some(true), Some(false)));
    assert!(!rows.events[0].knows_redaction, "that it was not redacted is not told");
}

#[test]
fn a_token_that_is_no_administrators_and_a_server_that_is_none_are_said_and_the_rest_is_collected() {
    let refused = |answer: fn(&str) -> (u16, &'static str)| {
        let server = Server::new(answer);
        let out = tempfile::tempdir().expect("a folder");
        let found = collected(server.api(), &[EVENT], out.path());
        assert!(!found.folder.join("admin-api.json").exists() && found.folder.join("manifest.json").exists());
        assert!(!written(&found.folder).contains(TOKEN));
        let refusal = found.manifest.refused.iter().find(|refusal| refusal.what == "Admin API").expect("it is named");
        refusal.why.clone()
    };
    let unknown = refused(|_| (401, r#"{"errcode":"M_UNKNOWN_TOKEN"}"#));
    assert!(unknown.contains("whose the token is: the server answered 401 M_UNKNOWN_TOKEN"), "{unknown}");
    let user = refused(|line| match line.contains("/admin/v2/users/") {
        true => (403, r#"{"errcode":"M_FORBIDDEN"}"#),
        false => homeserver(line),
    });
    assert!(user.contains("403 M_FORBIDDEN; is it an administrator?"), "{user}");
    let page = refused(|_| (200, "<html>"));
    assert!(page.contains("whose the token is"), "{page}");
    let moved = refused(|_| (302, ""));
    assert!(moved.contains("answered 302"), "a token is not taken elsewhere: {moved}");
}

#[test]
fn a_server_that_does_not_answer_is_said_in_curls_words() {
    let api = AdminApi::new("http://127.0.0.1:1", Some(TOKEN)).expect("an address of this machine");
    let error = admin::check(&api, None).expect_err("nobody listens").to_string();
    assert!(error.contains("curl: (7)") && !error.contains(TOKEN), "{error}");
}

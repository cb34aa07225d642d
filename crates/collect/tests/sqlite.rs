//! The database of a small server, with Synapse's real tables, asked as `crypto-diag collect` asks it.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

use crypto_diag_collect::Ids;
use crypto_diag_collect::database::{Answers, DatabaseError, Options, ask};
use crypto_diag_triage::query::QueryResults;
use rusqlite::{Connection, params};
use serde_json::Value;
use tempfile::{TempDir, tempdir};

/// The tables as Synapse 1.155's `full_schemas/72/full.sql.sqlite` has them, and its deltas.
const SCHEMA: &str = "
CREATE TABLE users( name TEXT, password_hash TEXT, creation_ts BIGINT, admin SMALLINT DEFAULT 0 NOT NULL, UNIQUE(name) );
CREATE TABLE access_tokens( id BIGINT PRIMARY KEY, user_id TEXT NOT NULL, device_id TEXT, token TEXT NOT NULL, UNIQUE(token) );
CREATE TABLE devices ( user_id TEXT NOT NULL, device_id TEXT NOT NULL, display_name TEXT, last_seen BIGINT, ip TEXT, user_agent TEXT, hidden BOOLEAN DEFAULT 0, CONSTRAINT device_uniqueness UNIQUE (user_id, device_id) );
CREATE TABLE e2e_device_keys_json ( user_id TEXT NOT NULL, device_id TEXT NOT NULL, ts_added_ms BIGINT NOT NULL, key_json TEXT NOT NULL, CONSTRAINT e2e_device_keys_json_uniqueness UNIQUE (user_id, device_id) );
CREATE TABLE e2e_one_time_keys_json ( user_id TEXT NOT NULL, device_id TEXT NOT NULL, algorithm TEXT NOT NULL, key_id TEXT NOT NULL, ts_added_ms BIGINT NOT NULL, key_json TEXT NOT NULL, CONSTRAINT e2e_one_time_keys_json_uniqueness UNIQUE (user_id, device_id, algorithm, key_id) );
CREATE TABLE e2e_fallback_keys_json ( user_id TEXT NOT NULL, device_id TEXT NOT NULL, algorithm TEXT NOT NULL, key_id TEXT NOT NULL, key_json TEXT NOT NULL, used BOOLEAN NOT NULL DEFAULT FALSE, CONSTRAINT e2e_fallback_keys_json_uniqueness UNIQUE (user_id, device_id, algorithm) );
CREATE TABLE device_inbox ( user_id TEXT NOT NULL, device_id TEXT NOT NULL, stream_id BIGINT NOT NULL, message_json TEXT NOT NULL , instance_name TEXT);
CREATE TABLE dehydrated_devices( user_id TEXT NOT NULL PRIMARY KEY, device_id TEXT NOT NULL, device_data TEXT NOT NULL );
CREATE TABLE redactions ( event_id TEXT NOT NULL, redacts TEXT NOT NULL, have_censored BOOL NOT NULL DEFAULT false, received_ts BIGINT, UNIQUE (event_id) );
CREATE TABLE events( stream_ordering INTEGER PRIMARY KEY, topological_ordering BIGINT NOT NULL, event_id TEXT NOT NULL, type TEXT NOT NULL, room_id TEXT NOT NULL, content TEXT, unrecognized_keys TEXT, processed BOOL NOT NULL, outlier BOOL NOT NULL, depth BIGINT DEFAULT 0 NOT NULL, origin_server_ts BIGINT, received_ts BIGINT, sender TEXT, contains_url BOOLEAN, instance_name TEXT, state_key TEXT DEFAULT NULL, rejection_reason TEXT DEFAULT NULL, UNIQUE (event_id) );
CREATE TABLE event_json( event_id TEXT NOT NULL, room_id TEXT NOT NULL, internal_metadata TEXT NOT NULL, json TEXT NOT NULL, format_version INTEGER, UNIQUE (event_id) );
CREATE TABLE schema_version( Lock CHAR(1) NOT NULL DEFAULT 'X' UNIQUE, version INTEGER NOT NULL, upgraded BOOL NOT NULL, CHECK (Lock='X') );
INSERT INTO schema_version (version, upgraded) VALUES (94, 1);
";

const ALICE: &str = "@alice:localhost";
const SECRET: &str = "syt_secret_token";
const MESSAGE: &str = include_str!("../src/database/testdata/prekey-message.json");

/// A database of a server that nobody runs at the moment.
struct Server {
    folder: TempDir,
}

impl Server {
    fn new() -> Server {
        let server = Server { folder: tempdir().unwrap() };
        server.run(SCHEMA);
        server.user(ALICE);
        server
    }

    fn path(&self) -> PathBuf {
        self.folder.path().join("home server?#%.db")
    }

    fn open(&self) -> Connection {
        Connection::open(self.path()).unwrap()
    }

    fn run(&self, sql: &str) {
        self.open().execute_batch(sql).unwrap();
    }

    /// A user with everything that a server knows of one, secrets too.
    fn user(&self, name: &str) {
        let db = self.open();
        let key = r#"{"key":"1uteSnHORIJMrUuHqwowBGu4g2OSgvBbFIz1skiaJ3E","signatures":{}}"#;
        let device = format!(
            r#"{{"user_id":"{name}","device_id":"PHONE","keys":{{"ed25519:PHONE":"ED","curve25519:PHONE":"CURVE"}},"unsigned":{{"device_display_name":"private phone"}}}}"#
        );
        db.execute("INSERT INTO users VALUES (?1, 'private hash', 1, 0)", [name]).unwrap();
        db.execute("INSERT INTO access_tokens VALUES (abs(random()), ?1, 'PHONE', ?1 || ?2)", [name, SECRET]).unwrap();
        for (id, hidden) in [("PHONE", false), ("DEHYDRATED", false), ("CROSSSIGNING", true)] {
            db.execute(
                "INSERT INTO devices VALUES (?1, ?2, 'private phone', 1795466741575, '10.1.2.3', 'private agent', ?3)",
                params![name, id, hidden],
            )
            .unwrap();
        }
        db.execute("INSERT INTO dehydrated_devices VALUES (?1, 'DEHYDRATED', 'private pickle')", [name]).unwrap();
        db.execute("INSERT INTO e2e_device_keys_json VALUES (?1, 'PHONE', 1795466741000, ?2)", [name, &device])
            .unwrap();
        for id in ["AAAAAAAAAA0", "AAAAAAAAAA4", "AAAAAAAAAA8"] {
            db.execute(
                "INSERT INTO e2e_one_time_keys_json VALUES (?1, 'PHONE', 'signed_curve25519', ?2, 1795466741100, ?3)",
                [name, id, key],
            )
            .unwrap();
        }
        db.execute(
            "INSERT INTO e2e_fallback_keys_json VALUES (?1, 'PHONE', 'signed_curve25519', 'AAAAAAAAAAA', ?2, TRUE)",
            [name, key],
        )
        .unwrap();
    }

    fn message(&self, user: &str, device: &str, stream_id: i64, json: &str) {
        let sql = "INSERT INTO device_inbox VALUES (?1, ?2, ?3, ?4, 'master')";
        self.open().execute(sql, params![user, device, stream_id, json]).unwrap();
    }

    fn event(&self, id: &str, json: &str) {
        let db = self.open();
        db.execute(
            "INSERT INTO events (topological_ordering, event_id, type, room_id, processed, outlier, origin_server_ts, sender) \
             VALUES (1, ?1, 'm.room.encrypted', '!r:localhost', 1, 0, 1795466741200, '@bob:localhost')",
            [id],
        )
        .unwrap();
        db.execute("INSERT INTO event_json VALUES (?1, '!r:localhost', '{}', ?2, 3)", [id, json]).unwrap();
    }

    /// Every file of the folder with its bytes.
    fn files(&self) -> BTreeMap<PathBuf, Vec<u8>> {
        let entries = fs::read_dir(self.folder.path()).unwrap();
        entries.map(|entry| entry.unwrap().path()).map(|path| (path.clone(), fs::read(path).unwrap())).collect()
    }

    fn ask(&self, ids: &Ids) -> Answers {
        self.ask_with(ids, &quick())
    }

    fn ask_with(&self, ids: &Ids, options: &Options) -> Answers {
        ask(&self.path().to_str().unwrap().into(), None, ids, options, &AtomicBool::new(false)).unwrap()
    }
}

fn quick() -> Options {
    Options { samples_apart: Duration::from_millis(20), ..Options::default() }
}

fn users(names: &[&str]) -> Ids {
    Ids { users: names.iter().map(|name| (*name).to_owned()).collect(), ..Ids::default() }
}

fn events(ids: &[&str]) -> Ids {
    Ids { event_ids: ids.iter().map(|id| (*id).to_owned()).collect(), ..Ids::default() }
}

/// As triage reads it.
fn read(answers: &Answers) -> QueryResults {
    let text = Value::Array(answers.queries.clone()).to_string();
    let results = QueryResults::read("queries.json", text.as_bytes());
    assert!(results.problems.is_empty(), "{:?}", results.problems);
    results
}

#[test]
fn triage_reads_what_the_database_says_of_a_device() {
    let server = Server::new();
    server.message(ALICE, "PHONE", 17, MESSAGE);
    let answers = server.ask(&users(&[ALICE]));
    assert_eq!(answers.refused, []);
    let results = read(&answers);

    let devices: Vec<_> = results.devices.iter().map(|row| (row.device_id.as_str(), row.dehydrated)).collect();
    assert_eq!(devices, [("DEHYDRATED", Some(true)), ("PHONE", Some(false))], "a cross-signing key is no device");
    assert_eq!(results.devices_of.len(), 1);
    let [keys] = results.device_keys.as_slice() else { panic!("{results:?}") };
    assert_eq!((keys.ed25519.as_deref(), keys.curve25519.as_deref()), (Some("ED"), Some("CURVE")));
    let ids: Vec<&str> = results.one_time_keys.iter().map(|row| row.key_id.as_str()).collect();
    assert_eq!(ids, ["AAAAAAAAAA0", "AAAAAAAAAA4", "AAAAAAAAAA8"]);
    assert_eq!(results.one_time_keys[0].ts_added_ms, Some(1_795_466_741_100));
    assert_eq!(results.one_time_keys[0].key.as_deref(), Some("1uteSnHORIJMrUuHqwowBGu4g2OSgvBbFIz1skiaJ3E"));
    assert!(results.fallback_keys[0].used);
    let message = &results.inbox[0];
    assert_eq!(message.message_id.as_deref(), Some("f0306e819eab4dc2a537a4a42f1c97c9"));
    assert_eq!((message.sender.as_deref(), message.first_stream_id), (Some("@bob-14:localhost"), Some(17)));
    assert_eq!(message.dehydrated, Some(false));
    assert_eq!(answers.coverage["schemaVersion"], 94);
    assert_eq!(answers.coverage["engine"], "sqlite");
}

#[test]
fn the_answers_of_a_database_hold_no_private_column() {
    let server = Server::new();
    server.message(ALICE, "PHONE", 1, r#"{"type":"m.secret","sender":"@b:h","content":{"x":"private words"}}"#);
    server.message(ALICE, "PHONE", 2, MESSAGE);
    server.event(
        "$e",
        r#"{"type":"m.room.encrypted","content":{"ciphertext":"private words","session_id":"private id"}}"#,
    );
    let mut ids = users(&[ALICE]);
    ids.event_ids.insert("$e".to_owned());
    let answers = server.ask(&ids);
    let text = format!("{answers:?}");
    for private in [SECRET, "private", "10.1.2.3", "password"] {
        assert!(!text.contains(private), "{private}: {text}");
    }
    let body: Value = serde_json::from_str(MESSAGE).unwrap();
    let ciphertext = body["content"]["ciphertext"].as_object().unwrap().values().next().unwrap();
    let body = ciphertext["body"].as_str().unwrap();
    assert!(!text.contains(&body[150..200]), "what is encrypted stays, too");
    assert!(text.contains("y5ZsrWFcv3jKMSXByRi/uQkQjGVi+U0fCbiH9iviSnE"), "the pre-key message's base key");
}

#[test]
fn the_inbox_is_looked_at_twice_and_the_second_look_sees_what_changed() {
    let server = Server::new();
    server.message(ALICE, "PHONE", 17, MESSAGE);
    server.message(ALICE, "PHONE", 18, MESSAGE);
    let path = server.path();
    let fetching = thread::spawn(move || {
        thread::sleep(Duration::from_millis(400));
        Connection::open(path).unwrap().execute("DELETE FROM device_inbox WHERE stream_id = 17", []).unwrap();
    });
    let options = Options { samples_apart: Duration::from_millis(2_000), ..quick() };
    let results = read(&server.ask_with(&users(&[ALICE]), &options));
    fetching.join().unwrap();
    let seen: Vec<_> = results.inbox.iter().map(|row| (row.at, row.first_stream_id)).collect();
    let [(first, Some(17)), (second, Some(18)), (third, Some(18))] = seen.as_slice() else { panic!("{seen:?}") };
    assert_eq!(first, second);
    assert!(third.unwrap() - first.unwrap() >= 2_000);
    assert_eq!(results.inbox_of.len(), 2);
}

#[test]
fn an_empty_inbox_is_an_answer_of_a_user_of_this_server_alone() {
    let server = Server::new();
    let answers = server.ask(&users(&[ALICE, "@bob:elsewhere"]));
    let results = read(&answers);
    assert!(results.inbox.is_empty());
    assert!(results.inbox_of.iter().all(|(user, ..)| user == ALICE) && results.inbox_of.len() == 2);
    assert!(results.devices_of.iter().all(|(user, _)| user == ALICE), "another server's devices are not known here");
    assert_eq!(answers.coverage["usersElsewhere"], serde_json::json!(["@bob:elsewhere"]));
}

#[test]
fn an_event_tells_its_fields_and_its_redaction() {
    let server = Server::new();
    server.event("$whole", r#"{"content":{"algorithm":"m.megolm.v1.aes-sha2","ciphertext":"x"}}"#);
    server.event("$bare", r#"{"content":{"ciphertext":"x"}}"#);
    server.event("$broken", "{");
    server.run("INSERT INTO redactions VALUES ('$r', '$bare', TRUE, 1795466742000)");
    let answers = server.ask(&events(&["$whole", "$bare", "$broken", "$absent"]));
    let results = read(&answers);
    let event = |id: &str| results.events.iter().find(|row| row.event_id == id);
    let whole = event("$whole").unwrap();
    assert_eq!((whole.has("algorithm"), whole.has("session_id"), whole.redacted), (Some(true), Some(false), false));
    let bare = event("$bare").unwrap();
    assert_eq!((bare.has("algorithm"), bare.redacted, bare.censored), (Some(false), true, Some(true)));
    assert_eq!(event("$broken").unwrap().has("algorithm"), None, "what cannot be read says nothing");
    assert!(event("$absent").is_none());
}

#[test]
fn the_file_is_not_changed_and_nothing_is_made_beside_it() {
    let server = Server::new();
    server.message(ALICE, "PHONE", 17, MESSAGE);
    let before = server.files();
    server.ask(&users(&[ALICE]));
    assert!(server.files() == before, "{:?}", server.files().keys());
}

#[test]
fn a_running_servers_wal_is_read_and_not_changed() {
    let server = Server::new();
    let running = server.open();
    running.execute_batch("PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0").unwrap();
    running.execute("INSERT INTO device_inbox VALUES (?1, 'PHONE', 17, ?2, 'master')", [ALICE, MESSAGE]).unwrap();
    running.execute_batch("BEGIN IMMEDIATE; DELETE FROM device_inbox").unwrap();
    let before = server.files();
    assert_eq!(before.len(), 3, "a database, its log, its shared memory");
    let results = read(&server.ask(&users(&[ALICE])));
    assert_eq!(results.inbox.len(), 2, "what stands in the log is seen, what is not committed is not");
    assert!(server.files() == before);
    running.execute_batch("COMMIT").unwrap();
    assert_eq!(read(&server.ask(&users(&[ALICE]))).inbox.len(), 0);
}

#[test]
fn a_wal_database_of_a_server_that_was_stopped_is_read() {
    let server = Server::new();
    server.run("PRAGMA journal_mode = WAL");
    server.message(ALICE, "PHONE", 17, MESSAGE);
    let before = server.files();
    assert_eq!(before.len(), 1, "the log went with its server");
    assert_eq!(read(&server.ask(&users(&[ALICE]))).inbox.len(), 2);
    assert!(server.files() == before, "{:?}", server.files().keys());
}

#[test]
fn a_missing_file_is_an_error_and_none_is_made() {
    let folder = tempdir().unwrap();
    let path = folder.path().join("homeserver.db");
    let url = format!("sqlite:{}", path.display());
    let error = ask(&url.as_str().into(), None, &users(&[ALICE]), &quick(), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, DatabaseError::NoFile(_)), "{error}");
    assert!(!path.exists());
    fs::write(&path, "no database at all").unwrap();
    let error = ask(&url.as_str().into(), None, &users(&[ALICE]), &quick(), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, DatabaseError::NotSqlite), "{error}");
    fs::write(&path, "short").unwrap();
    let error = ask(&url.as_str().into(), None, &users(&[ALICE]), &quick(), &AtomicBool::new(false)).unwrap_err();
    assert!(matches!(error, DatabaseError::NotSqlite), "{error}");
}

#[test]
fn a_file_that_is_damaged_or_another_programs_is_named() {
    let server = Server::new();
    let bytes = fs::read(server.path()).unwrap();
    let broken: Vec<u8> = bytes.iter().enumerate().map(|(at, byte)| if at < 100 { *byte } else { 0xa5 }).collect();
    fs::write(server.path(), broken).unwrap();
    let asked = ask(&server.path().to_str().unwrap().into(), None, &users(&[ALICE]), &quick(), &AtomicBool::new(false));
    assert!(asked.is_err_and(|error| error.to_string().contains("malformed")));

    let other = Server { folder: tempdir().unwrap() };
    other.run("CREATE TABLE notes (text TEXT)");
    let answers = other.ask(&users(&[ALICE]));
    assert!(answers.queries.is_empty());
    assert!(answers.refused[0].why.contains("none of Synapse's tables"), "{:?}", answers.refused);
}

#[test]
fn hostile_ids_are_only_ever_values() {
    let server = Server::new();
    let hostile = [
        "@x' OR '1'='1:localhost",
        "@x'; DROP TABLE devices; --:localhost",
        "@%:localhost",
        "$1",
        "@a\u{0}b:localhost",
    ];
    for name in hostile {
        server.open().execute("INSERT INTO users VALUES (?1, NULL, 1, 0)", [name]).unwrap();
        server.open().execute("INSERT INTO devices (user_id, device_id) VALUES (?1, 'HIS')", [name]).unwrap();
    }
    let answers = server.ask(&users(&hostile));
    assert_eq!(answers.refused, []);
    let results = read(&answers);
    assert_eq!(results.devices.len(), hostile.len());
    assert!(results.devices.iter().all(|row| row.device_id == "HIS"), "nobody else's came along");
    assert!(server.open().query_row("SELECT count(*) FROM devices", [], |row| row.get::<_, i64>(0)).unwrap() > 3);
}

#[test]
fn an_older_synapses_missing_columns_are_named_and_the_rest_is_asked() {
    let server = Server { folder: tempdir().unwrap() };
    server.run(
        "CREATE TABLE users (name TEXT); INSERT INTO users VALUES ('@alice:localhost');
         CREATE TABLE devices (user_id TEXT, device_id TEXT, display_name TEXT);
         INSERT INTO devices VALUES ('@alice:localhost', 'PHONE', 'private phone');
         CREATE TABLE e2e_one_time_keys_json (user_id TEXT, device_id TEXT, algorithm TEXT, key_id TEXT, ts_added_ms BIGINT, key_json TEXT);
         INSERT INTO e2e_one_time_keys_json VALUES ('@alice:localhost', 'PHONE', 'signed_curve25519', 'AAAAAAAAAA0', 5, '{\"key\":\"K\"}');
         CREATE TABLE events (event_id TEXT, type TEXT); INSERT INTO events VALUES ('$e', 'm.room.encrypted');
         CREATE TABLE event_json (event_id TEXT, json TEXT); INSERT INTO event_json VALUES ('$e', '{\"content\":{}}')",
    );
    let mut ids = users(&[ALICE]);
    ids.event_ids.insert("$e".to_owned());
    let answers = server.ask(&ids);
    let results = read(&answers);
    assert_eq!((results.devices.len(), results.one_time_keys.len()), (1, 1));
    assert_eq!(results.devices[0].dehydrated, None, "not known is not no");
    assert!(!results.events[0].knows_redaction, "no redactions table is not: never redacted");
    let refused: Vec<&str> = answers.refused.iter().map(|refusal| refusal.what.as_str()).collect();
    assert_eq!(refused, ["device_keys", "fallback_keys", "device_inbox"]);
    let missing = answers.coverage["missingColumns"].to_string();
    for column in ["devices.hidden", "redactions.have_censored", "dehydrated_devices.device_id"] {
        assert!(missing.contains(column), "{column}: {missing}");
    }
}

#[test]
fn a_list_that_is_cut_is_not_taken_for_a_whole_one() {
    let server = Server::new();
    for stream_id in 1..=7 {
        server.message(ALICE, if stream_id == 5 { "DEHYDRATED" } else { "PHONE" }, stream_id, MESSAGE);
    }
    let answers = server.ask_with(&users(&[ALICE]), &Options { rows_max: 2, ..quick() });
    let results = read(&answers);
    assert_eq!((results.one_time_keys.len(), results.one_time_keys_of.len()), (2, 0));
    assert_eq!((results.devices.len(), results.devices_of.len()), (2, 1), "two devices fit");
    let first = results.inbox[0].at;
    let of_phone = results.inbox.iter().filter(|row| row.at == first && row.device_id.as_deref() == Some("PHONE"));
    assert_eq!(of_phone.clone().map(|row| row.count).sum::<u64>(), 6, "what is not listed is counted");
    assert_eq!(of_phone.filter_map(|row| row.first_stream_id).min(), Some(1));
    let refused: Vec<&str> = answers.refused.iter().map(|refusal| refusal.what.as_str()).collect();
    assert!(refused.contains(&"a part of one_time_keys of @alice:localhost"), "{refused:?}");
}

#[test]
fn what_takes_too_long_is_named_and_what_was_answered_stays() {
    let server = Server::new();
    let answers = server.ask_with(&users(&[ALICE]), &Options { statement_timeout: Duration::ZERO, ..quick() });
    assert!(answers.queries.is_empty());
    assert!(answers.refused.iter().any(|refusal| refusal.why.contains("and no longer")), "{:?}", answers.refused);
}

#[test]
fn an_interruption_leaves_what_was_answered_and_names_the_rest() {
    let server = Server::new();
    server.message(ALICE, "PHONE", 17, MESSAGE);
    let cancel = AtomicBool::new(false);
    let options = Options { samples_apart: Duration::from_secs(600), ..quick() };
    let url = server.path().display().to_string();
    let answers = thread::scope(|scope| {
        let asking = scope.spawn(|| ask(&url.as_str().into(), None, &users(&[ALICE]), &options, &cancel).unwrap());
        thread::sleep(Duration::from_millis(500));
        cancel.store(true, Ordering::Relaxed);
        asking.join().unwrap()
    });
    assert_eq!(read(&answers).inbox_of.len(), 1);
    assert!(
        answers
            .refused
            .iter()
            .any(|refusal| { refusal.what == "the second look at the inbox" && refusal.why == "it was interrupted" })
    );
    // And one that is interrupted before it began says of everything that it is not there.
    let answers = ask(&url.as_str().into(), None, &users(&[ALICE]), &options, &cancel).unwrap();
    assert!(answers.queries.is_empty() && !answers.refused.is_empty(), "{answers:?}");
}

#[test]
fn a_url_may_name_the_file_in_each_usual_way() {
    let server = Server::new();
    let plain = server.folder.path().join("homeserver.db");
    fs::copy(server.path(), &plain).unwrap();
    let path = Path::new(&plain).display();
    for url in [format!("{path}"), format!("sqlite:{path}"), format!("sqlite://{path}")] {
        let answers = ask(&url.as_str().into(), None, &users(&[ALICE]), &quick(), &AtomicBool::new(false)).unwrap();
        assert_eq!(read(&answers).devices.len(), 2, "{url}");
    }
}

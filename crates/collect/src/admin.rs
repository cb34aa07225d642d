//! What Synapse tells its administrator over HTTP, for whoever reaches neither its logs nor its database: devices, their public keys, and
//! stored events.
//!
//! Only documented endpoints are asked, in ways that change nothing: `GET`, and the `POST` of `keys/query`, which is a question. `curl` asks
//! them, here or where `--via` leads: it verifies certificates by what its host trusts. The token goes to its standard input, so it stands
//! in no command line, and no answer is followed elsewhere.

use std::fmt;
use std::io::{Read, Write};
use std::sync::atomic::{AtomicBool, Ordering};

use crypto_diag_triage::bundle::Refusal;
use serde_json::{Map, Value, json};

use crate::database::{Answers, Password, private};
use crate::ids::Ids;
use crate::via::{self, Via};

/// The variable of the environment that holds the token.
pub const TOKEN_VARIABLE: &str = "CRYPTO_DIAG_ADMIN_TOKEN";

/// Users and events that are asked about at most.
const IDS_MAX: usize = 100;

/// Seconds that one request may take.
const PATIENCE_S: u32 = 30;

/// Bytes of all answers at most.
const BYTES_MAX: u64 = 64 << 20;

/// What `curl` prints behind each answer, in front of its status. A line of JSON never begins so.
const STATUS: &str = "\ncrypto-diag-status:";

/// What is not to be had this way.
pub const NOT_TOLD: &str = "it tells no one-time and fallback keys, no waiting to-device messages, no delayed events and no redactions, and no line of \
                        a log: what rests on these stays unknown";

/// Hosts to which a token may go without TLS: it does not leave the machine.
const OWN: [&str; 3] = ["localhost", "127.0.0.1", "[::1]"];

/// The API of a homeserver, and the token of an administrator.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminApi {
    base: String,
    token: Password,
}

/// Why nothing could be asked. No token is in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AdminError(String);

impl fmt::Display for AdminError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the Admin API cannot be asked: {}", self.0)
    }
}

impl std::error::Error for AdminError {}

impl AdminApi {
    /// The API at an address such as `https://matrix.example.org`.
    ///
    /// # Errors
    /// If a token would go over a network in the clear, or to whom the address does not say; if there is no token.
    pub fn new(url: &str, token: Option<&str>) -> Result<AdminApi, AdminError> {
        let base = url.trim_end_matches('/');
        let how = "give it as https://matrix.example.org; without TLS only as http://localhost:PORT, which --via reaches as well";
        let is_plain = |text: &str| text.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"\\".contains(&byte));
        let host = |rest: &str| -> String { rest.split('/').next().unwrap_or_default().to_owned() };
        let is_own = |host: &str| {
            OWN.iter().any(|own| host == *own || host.strip_prefix(own).is_some_and(|port| port.starts_with(':')))
        };
        let is_safe = match (base.strip_prefix("https://"), base.strip_prefix("http://")) {
            (Some(rest), _) => !host(rest).is_empty(),
            (_, Some(rest)) => is_own(&host(rest)),
            _ => false,
        };
        if !is_safe || !is_plain(base) || base.contains(['@', '?', '#']) {
            return Err(AdminError(format!("its address is none that a token may go to; {how}")));
        }
        let token = token.map(str::trim).filter(|token| !token.is_empty());
        let token = token.ok_or_else(|| {
            AdminError(format!("{TOKEN_VARIABLE} is not set: put an administrator's access token in it"))
        })?;
        if !is_plain(token) {
            return Err(AdminError(format!("what {TOKEN_VARIABLE} holds is no access token")));
        }
        Ok(AdminApi { base: base.to_owned(), token: token.to_owned().into() })
    }

    /// Its address.
    pub fn shown(&self) -> &str {
        &self.base
    }

    /// Asks some questions in one go.
    fn ask(&self, via: Option<&Via>, questions: &[Question]) -> Result<Vec<Answer>, AdminError> {
        let failed = |error: std::io::Error| AdminError(error.to_string());
        let (mut input, running) = via::converse(via, &["curl", "-q", "--config", "-"]).map_err(failed)?;
        input.write_all(self.config(questions).as_bytes()).map_err(failed)?;
        drop(input);
        let mut printed = Vec::new();
        running.take(BYTES_MAX).read_to_end(&mut printed).map_err(failed)?;
        let printed = String::from_utf8_lossy(&printed);
        let mut rest = &*printed;
        let mut answers = Vec::new();
        for _ in questions {
            let (body, behind) = rest
                .split_once(STATUS)
                .ok_or_else(|| AdminError("an answer is too long, or was cut off".to_owned()))?;
            let (status, behind) = behind.split_once('\n').unwrap_or((behind, ""));
            answers.push(Answer {
                status: status.trim().parse().unwrap_or(0),
                body: serde_json::from_str(body).unwrap_or(Value::Null),
            });
            rest = behind;
        }
        Ok(answers)
    }

    /// What `curl` is told, a section for each question.
    fn config(&self, questions: &[Question]) -> String {
        let section = |question: &Question| {
            let mut text = format!(
                "silent\nshow-error\nproto = \"=http,https\"\nconnect-timeout = 10\nmax-time = {PATIENCE_S}\nwrite-out = \"\\ncrypto-diag-status:%{{http_code}}\\n\"\n\
                 header = \"Authorization: Bearer {}\"\nurl = \"{}{}\"\n",
                self.token.expose(),
                self.base,
                question.path
            );
            if let Some(body) = &question.body {
                let body = body.to_string().replace('\\', "\\\\").replace('"', "\\\"");
                text.push_str(&format!("header = \"Content-Type: application/json\"\ndata-binary = \"{body}\"\n"));
            }
            text
        };
        questions.iter().map(section).collect::<Vec<_>>().join("next\n")
    }
}

/// One request.
struct Question {
    /// Path and query, encoded.
    path: String,
    /// What is sent with a `POST`.
    body: Option<Value>,
}

impl Question {
    fn get(path: impl Into<String>) -> Question {
        Question { path: path.into(), body: None }
    }
}

/// What came back: status 0 if nothing did.
struct Answer {
    status: u16,
    body: Value,
}

impl Answer {
    fn ok(&self) -> Option<&Value> {
        (self.status == 200).then_some(&self.body)
    }

    /// Whether the server says that there is no such thing, and not that there is no such endpoint.
    fn is_not_found(&self) -> bool {
        self.status == 404 && self.body["errcode"] == "M_NOT_FOUND"
    }

    fn why(&self) -> String {
        match (self.status, self.body["errcode"].as_str()) {
            (0, _) => "no answer came".to_owned(),
            (status, Some(errcode)) => format!("the server answered {status} {errcode}"),
            (status, None) => format!("the server answered {status}"),
        }
    }
}

/// What of an id is a path's.
fn encoded(id: &str) -> String {
    percent_encoding::utf8_percent_encode(id, percent_encoding::NON_ALPHANUMERIC).to_string()
}

/// Asks who the token is of and which Synapse answers.
///
/// # Errors
/// If it does not answer, or the token's user is no administrator.
pub fn check(api: &AdminApi, via: Option<&Via>) -> Result<(String, Value), AdminError> {
    let asked =
        [Question::get("/_matrix/client/v3/account/whoami"), Question::get("/_synapse/admin/v1/server_version")];
    let answers = api.ask(via, &asked)?;
    let [who, version] = &answers[..] else { return Err(AdminError("it did not answer".to_owned())) };
    let user = who.ok().and_then(|who| who["user_id"].as_str());
    let server = user.and_then(|user| user.split_once(':')).map(|(_, server)| server.to_owned());
    let server = server.ok_or_else(|| AdminError(format!("asked whose the token is: {}", who.why())))?;
    // The version itself is told to anybody.
    let admin = Question::get(format!("/_synapse/admin/v2/users/{}", encoded(user.unwrap_or_default())));
    let answers = api.ask(via, &[admin])?;
    if let Some(refused) = answers.first().filter(|answer| answer.ok().is_none()) {
        return Err(AdminError(format!(
            "asked about the token's own user: {}; is it an administrator?",
            refused.why()
        )));
    }
    Ok((server, version.ok().map_or(Value::Null, |version| version["server_version"].clone())))
}

/// Asks about the users of this server and about the events.
///
/// # Errors
/// As [`check`].
pub fn ask(api: &AdminApi, via: Option<&Via>, ids: &Ids, cancel: &AtomicBool) -> Result<Answers, AdminError> {
    let (server, version) = check(api, via)?;
    let mut refused = vec![Refusal { what: "Admin API".to_owned(), why: NOT_TOLD.to_owned() }];
    let mut refuse = |what: &str, why: String| refused.push(Refusal { what: format!("Admin API: {what}"), why });
    let is_own = |user: &&String| user.split_once(':').is_some_and(|(_, of)| of == server);
    let (own, others): (Vec<&String>, Vec<&String>) = ids.users.iter().partition(is_own);
    for user in others {
        refuse(user, "its server is another one, which alone knows its devices".to_owned());
    }
    let within = |all: Vec<String>, what: &str, refuse: &mut dyn FnMut(&str, String)| {
        if all.len() > IDS_MAX {
            refuse(what, format!("{} of {} are left out", all.len() - IDS_MAX, all.len()));
        }
        all.into_iter().take(IDS_MAX).collect::<Vec<String>>()
    };
    let users = within(own.into_iter().cloned().collect(), "users", &mut refuse);
    let events = within(ids.event_ids.iter().cloned().collect(), "events", &mut refuse);
    let user_paths = users.iter().flat_map(|user| {
        let path = format!("/_synapse/admin/v2/users/{}", encoded(user));
        [Question::get(path.clone()), Question::get(path + "/devices")]
    });
    let device_keys: Map<String, Value> = users.iter().map(|user| (user.clone(), json!([]))).collect();
    let keys = Question {
        path: "/_matrix/client/v3/keys/query".to_owned(),
        body: Some(json!({"device_keys": device_keys, "timeout": 10_000})),
    };
    let event_paths =
        events.iter().map(|event| Question::get(format!("/_synapse/admin/v1/fetch_event/{}", encoded(event))));
    let questions: Vec<Question> = user_paths.chain((!users.is_empty()).then_some(keys)).chain(event_paths).collect();
    if cancel.load(Ordering::Relaxed) {
        refuse("everything", "interrupted before it was asked".to_owned());
        return Ok(Answers { refused, ..Answers::default() });
    }
    let answers = if questions.is_empty() { Vec::new() } else { api.ask(via, &questions)? };
    let mut answers = answers.iter();
    let mut next = || answers.next().ok_or_else(|| AdminError("answers are missing".to_owned()));
    let mut queries = Vec::new();
    let mut deactivated = Map::new();
    for user in &users {
        let (about, devices) = (next()?, next()?);
        match about.ok() {
            Some(about) => {
                deactivated.insert(user.clone(), about["deactivated"].clone());
            }
            None => refuse(user, about.why()),
        }
        match devices.ok().and_then(|devices| devices["devices"].as_array()) {
            Some(found) => queries.push(json!({"name": "devices", "params": [user], "rows": found.iter().filter_map(|one| device(user, one)).collect::<Vec<_>>()})),
            None => refuse(&format!("devices of {user}"), devices.why()),
        }
    }
    if !users.is_empty() {
        let keys = next()?;
        match keys.ok().and_then(|keys| keys["device_keys"].as_object()) {
            Some(found) => {
                for user in &users {
                    let of_user = found.get(user).and_then(Value::as_object);
                    let rows: Vec<Value> = of_user
                        .into_iter()
                        .flatten()
                        .map(|(device, keys)| device_keys_of(user, device, keys))
                        .collect();
                    queries.push(json!({"name": "device_keys", "params": [user], "rows": rows}));
                }
            }
            None => refuse("device keys", keys.why()),
        }
    }
    for id in &events {
        let found = next()?;
        match found.ok().map(|found| &found["event"]) {
            Some(event) if event.is_object() => {
                queries.push(json!({"name": "event", "params": [id], "rows": [stored(id, event)]}))
            }
            _ if found.is_not_found() => queries.push(json!({"name": "event", "params": [id], "rows": []})),
            _ => refuse(id, found.why()),
        }
    }
    let coverage = json!({
        "server": server,
        "version": version,
        "asked": {"users": users.len(), "events": events.len()},
        "deactivated": deactivated,
    });
    Ok(Answers { queries, coverage, refused })
}

/// A device: names and addresses stay on the server.
fn device(user: &str, found: &Value) -> Option<Value> {
    let mut row = json!({"user_id": user, "device_id": found["device_id"].as_str()?, "last_seen": found["last_seen_ts"].as_i64()});
    if let Some(dehydrated) = found["dehydrated"].as_bool() {
        row["dehydrated"] = dehydrated.into();
    }
    Some(row)
}

fn device_keys_of(user: &str, device: &str, keys: &Value) -> Value {
    let mut row = Map::from_iter([
        ("user_id".to_owned(), user.into()),
        ("device_id".to_owned(), device.into()),
        ("key_json".to_owned(), keys.to_string().into()),
    ]);
    private::key(&mut row);
    row.into()
}

/// An event as it is stored. Whether it was redacted is not told, so no column says so.
fn stored(id: &str, event: &Value) -> Value {
    let mut row = Map::from_iter([("event_id".to_owned(), id.into())]);
    for name in ["room_id", "type", "sender", "origin_server_ts"] {
        row.insert(name.to_owned(), event[name].clone());
    }
    row.insert("json".to_owned(), event.to_string().into());
    private::event(&mut row);
    row.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    const TOKEN: &str = "syt_YWRtaW4_kTqWvNzXcBmLpRtYghJq_2Fg7Hk";

    #[test]
    fn a_token_goes_to_nobody_in_the_clear_and_is_shown_to_nobody() {
        for url in [
            "https://matrix.example.org",
            "https://h:8448/",
            "http://localhost:8008",
            "http://127.0.0.1",
            "http://[::1]:8008",
        ] {
            let api = AdminApi::new(url, Some(TOKEN)).expect(url);
            assert!(!format!("{api:?}").contains(TOKEN));
        }
        for url in [
            "http://matrix.example.org",
            "http://localhost.example.org",
            "http://localhost@evil.example",
            "https://user@host",
            "https://",
            "ftp://host",
            "https://host/\"\nurl = \"http://evil",
            "",
        ] {
            let error = AdminApi::new(url, Some(TOKEN)).expect_err(url).to_string();
            assert!(error.contains("give it as https://") && !error.contains(TOKEN), "{error}");
        }
        for token in [None, Some(" "), Some("a\"b"), Some("a\nb")] {
            let error = AdminApi::new("https://h", token).expect_err("no token").to_string();
            assert!(error.contains(TOKEN_VARIABLE) && !error.contains("a\"b"), "{error}");
        }
    }

    #[test]
    fn an_event_is_reduced_as_the_databases_is() {
        let event = json!({"type": "m.room.encrypted", "content": {"ciphertext": "secret", "session_id": "s"}, "sender": "@a:h"});
        let row = stored("$e", &event);
        assert_eq!(row["content_fields"], json!(["ciphertext", "session_id"]));
        assert!(!row.to_string().contains("secret"));
        let named =
            json!({"device_id": "D", "display_name": "Anna's phone", "last_seen_ip": "192.0.2.1", "last_seen_ts": 5});
        assert_eq!(device("@a:h", &named), Some(json!({"user_id": "@a:h", "device_id": "D", "last_seen": 5})));
    }
}

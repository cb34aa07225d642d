//! Recorded deliveries are runs of the model: what each message of the sender shows in its report, in both HARs, in the log, in the
//! receiver's report and in the database is what the model shows of the same message when the same happens to it.

use std::path::Path;

use crypto_diag_world::delivery::Action::{self, LogOut, News, Rotate, Wait};
use crypto_diag_world::delivery::Fate::InTime;
use crypto_diag_world::delivery::News::{Stuck, Works};
use crypto_diag_world::delivery::{ALICE, ALL, Delivery, IN_CALL, JOINED, Looks, Start, State, View};
use crypto_diag_world::model::Model;
use serde_json::Value;

/// The files of both sides and of the server.
struct Files {
    sent: Value,
    opened: Value,
    sender: Value,
    receiver: Value,
    log: String,
    database: Value,
    /// The device that the messages are for which are looked at.
    target: (String, String),
}

/// What the files show of a message.
#[derive(Debug, PartialEq)]
struct Message {
    /// Whether it is for the receiver's device.
    is_theirs: bool,
    /// How the homeserver answered its requests, as the sender's browser saw it.
    answered: Vec<u64>,
    /// The same, as the log has it, and whether the log has the deletion of its device before.
    logged: Vec<(String, bool)>,
    /// Whether an answer to the receiver's browser brought it.
    brought: bool,
    /// Whether the receiver's page opened it.
    opened: bool,
}

fn entries(har: &Value) -> impl Iterator<Item = (&str, &Value)> {
    let all = har["log"]["entries"].as_array().expect("entries").iter();
    all.filter_map(|entry| Some((entry["request"]["url"].as_str()?, entry)))
}

impl Files {
    fn messages(&self) -> Vec<Message> {
        let batches = self.sent["sent"].as_array().expect("a list of batches").iter();
        let of_batch = |batch: &Value| -> Vec<Message> {
            let end = format!("/{}", batch["txnid"].as_str().expect("a transaction"));
            let answered = entries(&self.sender).filter(|(address, _)| address.ends_with(&end));
            let answered: Vec<u64> = answered.filter_map(|(_, entry)| entry["response"]["status"].as_u64()).collect();
            let lines = self.log.lines().enumerate();
            let lines: Vec<(usize, &str)> = lines.filter(|(_, line)| line.contains(&format!("{end} HTTP"))).collect();
            let targets = batch["targets"].as_array().expect("targets").iter();
            let of_target = |target: &Value| {
                let text = |name: &str| target[name].as_str().expect("a text").to_owned();
                let to = (text("userId"), text("deviceId"));
                let id = text("messageId");
                let deletion = format!("Deleting devices ['{}'] for '{}'", to.1, to.0);
                let deleted = self.log.lines().position(|line| line.contains(&deletion));
                let status = |line: &str| {
                    let before = line.split_once("B ").expect("a size").1;
                    before.split(' ').next().expect("a status").to_owned()
                };
                let logged =
                    lines.iter().map(|(at, line)| (status(line), deleted.is_some_and(|deleted| deleted < *at)));
                let news = entries(&self.receiver).filter(|(address, _)| address.contains("/sync?"));
                let mut bodies = news.filter_map(|(_, entry)| entry["response"]["content"]["text"].as_str());
                let mut printed = self.opened["entries"].as_array().expect("entries").iter();
                let mentions = format!("message_id=\"{id}\"");
                let opens = |entry: &Value| {
                    entry["meaning"] == "delivered"
                        && entry["message"].as_str().is_some_and(|text| text.contains(&mentions))
                };
                Message {
                    is_theirs: to == self.target,
                    answered: answered.clone(),
                    logged: logged.collect(),
                    brought: bodies.any(|body| body.contains(&id)),
                    opened: printed.any(opens),
                }
            };
            targets.map(of_target).collect()
        };
        batches.flat_map(of_batch).collect()
    }

    /// Whether messages wait for the receiver's device at each look, and whether they are the ones of the look before.
    fn looks(&self) -> Vec<Option<bool>> {
        let tables = self.database.as_array().expect("tables").iter();
        let of_user = tables.filter(|table| table["name"] == "device_inbox" && table["params"][0] == *self.target.0);
        let oldest: Vec<Option<i64>> = of_user.map(|table| table["rows"][0]["first_stream_id"].as_i64()).collect();
        let same = |at: usize| at > 0 && oldest[at - 1] == oldest[at];
        (0..oldest.len()).map(|at| oldest[at].map(|_| same(at))).collect()
    }

    /// How many lines of the receiver's page say that a key of the sender is missing.
    fn missing(&self) -> usize {
        let sender = format!(
            "missing key at index 0 for participant {}:{}",
            self.sent["userId"].as_str().expect("a user"),
            self.sent["deviceId"].as_str().expect("a device")
        );
        let printed = self.opened["entries"].as_array().expect("entries").iter();
        printed.filter(|entry| entry["message"].as_str().is_some_and(|text| text.contains(&sender))).count()
    }
}

fn recorded(bundle: &str, target: &str) -> Files {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles").join(bundle);
    let text = |name: &str| {
        let path = folder.join(name);
        std::fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
    };
    let json = |name: &str| -> Value { serde_json::from_str(&text(name)).expect("JSON") };
    let label = json("label.json");
    let user = label["sides"]["victim"]["userId"].as_str().expect("a user").to_owned();
    let device = label.pointer(target).and_then(Value::as_str).expect("a device").to_owned();
    Files {
        sent: json("peer.report.json"),
        opened: json("victim.report.json"),
        sender: json("peer.har"),
        receiver: json("victim.har"),
        log: text("homeserver.log.txt"),
        database: json("queries.json"),
        target: (user, device),
    }
}

fn modelled(start: Start, path: &[Action], looks: Looks) -> Files {
    let model = Delivery::LARGE;
    let begin = State { start, actions: Vec::new() };
    let state = path.iter().fold(begin, |state, action| {
        model.step(&state, *action).unwrap_or_else(|| panic!("{action:?} cannot happen here"))
    });
    let files = model.files(&state, &View { looks, listed: false, ..ALL });
    let text = |name: &str| {
        let (_, bytes) = files.iter().find(|(known, _)| known == name).unwrap_or_else(|| panic!("no {name}"));
        String::from_utf8(bytes.clone()).expect("a text")
    };
    let json = |name: &str| -> Value { serde_json::from_str(&text(name)).expect("JSON") };
    Files {
        sent: json("bob.report.json"),
        opened: json("alice.report.json"),
        sender: json("bob.har"),
        receiver: json("alice.har"),
        log: text("homeserver.log"),
        database: json("queries.json"),
        target: (ALICE.user.to_owned(), ALICE.id.to_owned()),
    }
}

/// The messages to the receiver's device alone: in the model, a third one is in each call.
fn theirs(files: &Files) -> Vec<Message> {
    files.messages().into_iter().filter(|message| message.is_theirs).collect()
}

#[test]
fn a_device_that_was_away_and_gets_all_its_messages_is_a_run_of_the_model() {
    let recorded = recorded("backlog-drains", "/facts/deviceId");
    let path: Vec<Action> = [News(Stuck)].into_iter().chain([Rotate(InTime); 5]).chain([News(Works)]).collect();
    let modelled = modelled(JOINED, &path, Looks::Once);
    assert_eq!(theirs(&recorded).len(), 5);
    assert_eq!(theirs(&recorded), theirs(&modelled));
    assert_eq!(recorded.looks(), modelled.looks());
    assert_eq!(recorded.looks(), [None], "nothing waits any more");
}

#[test]
fn a_device_whose_requests_for_news_get_no_answer_is_a_run_of_the_model() {
    let recorded = recorded("backlog-stuck", "/facts/deviceId");
    let path: Vec<Action> = [News(Stuck)].into_iter().chain([Rotate(InTime); 6]).collect();
    let modelled = modelled(IN_CALL, &path, Looks::Twice);
    assert_eq!(theirs(&recorded).len(), 7);
    assert_eq!(theirs(&recorded), theirs(&modelled));
    assert_eq!(recorded.looks(), modelled.looks());
    assert_eq!(recorded.looks(), [Some(false), Some(true)], "the oldest message stays");
}

#[test]
fn a_sender_that_does_not_know_of_a_device_is_a_run_of_the_model() {
    let recorded = recorded("never-sent", "/facts/victimDevice");
    let modelled = modelled(JOINED, &[Wait, Wait], Looks::Once);
    assert_eq!(recorded.messages(), modelled.messages());
    assert_eq!((recorded.messages().len(), theirs(&recorded).len()), (1, 0));
    assert_eq!((recorded.missing(), modelled.missing()), (1, 1));
    assert_eq!(recorded.looks(), modelled.looks());
}

#[test]
fn a_message_for_a_device_that_was_logged_out_is_a_run_of_the_model() {
    let recorded = recorded("logged-out-device", "/facts/goneDevice");
    let modelled = modelled(JOINED, &[LogOut, Rotate(InTime)], Looks::Once);
    assert_eq!(theirs(&recorded), theirs(&modelled));
    let after_the_deletion = [("200".to_owned(), true)];
    assert_eq!(theirs(&recorded).iter().map(|message| &*message.logged).collect::<Vec<_>>(), [&after_the_deletion[..]]);
    assert_eq!(recorded.looks(), modelled.looks());
}

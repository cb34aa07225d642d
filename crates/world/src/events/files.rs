//! The files that a history leaves.

use super::play::{self, Answer, Asks, Error, Form, Line, Played};
use super::{ALICE, BOB, State, View};
use crate::forms::report::{self, NotOpened, Report, Undecryptable};
use crate::forms::room::{self, Content};
use crate::forms::tables::{self, Table};
use crate::forms::{self, File, Request, har, signing};
use crate::views::HarView;

/// When the first page began: 2026-11-23 09:00:00 UTC.
const BEGIN: i64 = 1_795_424_400_000;
/// When a capture is installed that begins with its page.
const INSTALLED_MS: i64 = 226;
/// When one is that begins late.
const LATE_MS: i64 = 6_000;
/// The crypto library's own line is printed that long before the client's.
const MACHINE_BEFORE_MS: i64 = 5;

/// The report's name.
pub(super) const REPORT: &str = "desktop.report.json";
const ROOM: &str = "!cCYdMVvxTKVhQXjAPt:example.org";
const CIPHERTEXT: &str = "AwgAEoABZ5dK22owDDHA1bcl2";

/// The id of an event by its number.
pub(super) fn id(event: usize) -> String {
    signing::event_id(event as u8)
}

/// The Megolm session of an event by its number: Bob's client makes one for each.
pub(super) fn session(event: usize) -> String {
    signing::megolm_session(event as u8)
}

/// The id of the event that redacts an event. Histories have at most 60 events.
fn redaction(event: usize) -> String {
    signing::event_id(100 + event as u8)
}

/// When the capture of the last page was installed.
fn installed(played: &Played, view: &View) -> i64 {
    began(played) + if view.late { LATE_MS } else { INSTALLED_MS }
}

fn began(played: &Played) -> i64 {
    played.pages.last().map_or(0, |page| page.began)
}

/// The lines that the report has: those of the last page, from when the capture was installed and Clear was pressed.
pub(super) fn shown<'p>(played: &'p Played, view: &View) -> impl Iterator<Item = &'p Line> {
    let from = installed(played, view).max(played.cleared.map_or(i64::MIN, |cleared| cleared + 1));
    played.pages.last().into_iter().flat_map(|page| &page.lines).filter(move |line| line.at >= from)
}

/// The files of a view.
pub(super) fn files(state: &State, view: &View) -> Vec<File> {
    let played = play::play(&state.actions);
    let mut files = vec![(REPORT.to_owned(), page_report(&played, view).json())];
    if let Some(har_view) = &view.har {
        let requests: Vec<Request> = requests(&played).into_iter().filter(|request| is_in(request, har_view)).collect();
        let requests = requests.into_iter().map(|request| {
            let answer = request.answer.clone().filter(|_| har_view.bodies);
            Request { answer, ..request }
        });
        let requests: Vec<Request> = requests.collect();
        if !requests.is_empty() {
            let ahead = |at: i64| forms::ahead(&played.clock, at - BEGIN);
            files.push(("desktop.har".to_owned(), har::har(&requests.iter().collect::<Vec<_>>(), &ahead)));
        }
    }
    if let Some(asked) = view.asked {
        let at = play::bound(asked).clamp(0, played.end);
        if let Some(rows) = rows(&played, at) {
            files.push(("queries.json".to_owned(), rows));
        }
    }
    files
}

fn is_in(request: &Request, view: &HarView) -> bool {
    let (from, to) = (play::bound(view.span.0), play::bound(view.span.1));
    let paused =
        |at: i64| view.paused.is_some_and(|step| at >= play::bound(step) && at < play::bound(step.saturating_add(1)));
    request.sent.is_some_and(|sent| {
        let (sent, done) = (sent - BEGIN, request.done.0 - BEGIN);
        sent >= from && done <= to && !paused(sent) && !paused(done)
    })
}

/// What the database says of the events that are there at a time.
fn rows(played: &Played, at: i64) -> Option<Vec<u8>> {
    let there: Vec<usize> = (0..played.events.len()).filter(|number| played.events[*number].sent < at).collect();
    let mut tables = Vec::new();
    for number in &there {
        let event = &played.events[*number];
        let name = id(*number);
        let session = session(*number);
        let key = signing::curve25519(1);
        let by = redaction(*number);
        let sent = sent(event, &name, &session, &key);
        let stored = content(event.stored(at), &session, &key);
        let redacted = event.redacted.filter(|redacted| *redacted <= at).map(|_| by.as_str());
        let rewritten = event.rewritten.is_some_and(|rewritten| rewritten <= at);
        let row = room::row(&sent, ROOM, &stored, redacted, rewritten);
        tables.push(Table { name: "event", params: Vec::new(), at: BEGIN + at, rows: vec![row] });
    }
    (!tables.is_empty()).then(|| tables::json(&tables))
}

fn sent<'a>(event: &play::Event, id: &'a str, session: &'a str, key: &'a str) -> room::Event<'a> {
    room::Event { id, sender: BOB.user, sent: BEGIN + event.sent, content: content(Form::Whole, session, key) }
}

/// A content in a form. A public key that is too short lacks its last character.
fn content<'a>(form: Form, session: &'a str, key: &'a str) -> Content<'a> {
    let whole = Content {
        algorithm: Some("m.megolm.v1.aes-sha2"),
        ciphertext: Some(CIPHERTEXT),
        device_id: Some(BOB.id),
        sender_key: Some(key),
        session_id: Some(session),
    };
    match form {
        Form::Whole => whole,
        Form::Without => Content { algorithm: None, ..whole },
        Form::Broken => Content { sender_key: Some(&key[..key.len() - 1]), ..whole },
        Form::Empty | Form::Redacted => Content::default(),
    }
}

/// The requests of the browser.
fn requests(played: &Played) -> Vec<Request> {
    let mut requests = Vec::new();
    for page in &played.pages {
        let began = BEGIN + page.began;
        requests.extend(forms::asked_at_start(ALICE.user, began + 400));
        requests.push(Request::quick(ALICE.user, "POST", forms::filter_target(ALICE.user), began + 700));
    }
    for (number, answer) in played.answers.iter().enumerate() {
        let target = match answer.asks {
            Asks::Everything => "/_matrix/client/v3/sync?filter=0&timeout=0".to_owned(),
            Asks::News => forms::sync_target(200 + answer.since, 47),
            Asks::History => {
                format!("/_matrix/client/v3/rooms/{}/messages?limit=30&dir=b", ROOM.replace(':', "%3A"))
            }
        };
        let mut request = Request::quick(ALICE.user, "GET", target, BEGIN + answer.span.0);
        request.done.0 = BEGIN + answer.span.1;
        request.answer = Some(body(played, number, answer));
        requests.push(request);
    }
    requests
}

fn body(played: &Played, number: usize, answer: &Answer) -> String {
    let events: Vec<String> = answer.events.iter().map(|(event, form)| served(played, *event, *form, answer)).collect();
    let key = signing::curve25519(1);
    let notices: Vec<String> = answer
        .notices
        .iter()
        .map(|(event, code)| room::withheld((BOB.user, BOB.id), ROOM, &session(*event), &key, (code, reason(code))))
        .collect();
    let token = |number: usize| forms::sync_token(200 + number, 47);
    match answer.asks {
        Asks::History => room::history(&token(number), &token(0), &events),
        _ => room::news(&token(number + 1), &token(number), ROOM, &events, &notices),
    }
}

/// What the crypto library says a code stands for.
fn reason(code: &str) -> &'static str {
    match code {
        "m.unverified" => NotOpened::KEPT_BACK.page,
        _ => "The requested key was not found.",
    }
}

fn served(played: &Played, number: usize, form: Form, answer: &Answer) -> String {
    let event = &played.events[number];
    let (id, session, key, by) = (id(number), session(number), signing::curve25519(1), redaction(number));
    let sent = room::Event { content: content(form, &session, &key), ..sent(event, &id, &session, &key) };
    room::served(&sent, answer.span.1 - event.sent, (form == Form::Redacted).then_some(by.as_str()))
}

/// What the client and the crypto library print of an event.
fn texts(line: &Line, sent: i64) -> (Option<String>, String) {
    let (id, session, key) = (id(line.event), session(line.event), signing::curve25519(1));
    let content = content(line.form, &session, &key);
    let event = Undecryptable {
        id: &id,
        sender: BOB.user,
        room: ROOM,
        sent: BEGIN + sent,
        sender_key: content.sender_key,
        session_id: content.session_id,
    };
    let why = match line.error {
        Error::Missing(field) => {
            return (None, event.error(&format!("missing field `{field}` at line 1 column 203")));
        }
        Error::NoPublicKey => {
            return (
                None,
                event.error(
                    "Failed decoding Curve25519 key from base64: Invalid number of bytes for Curve25519, expected 32, got 31.",
                ),
            );
        }
        Error::NoKey => NotOpened::MISSING,
        Error::KeptBack => NotOpened::KEPT_BACK,
        Error::FromLater => NotOpened::FROM_LATER,
        Error::Historical => NotOpened::HISTORICAL,
        Error::Untrusted => NotOpened::NOT_SIGNED,
    };
    let (machine, page) = event.not_opened(why, 0);
    (Some(machine), page)
}

fn page_report(played: &Played, view: &View) -> Report {
    let ahead = |at: i64| forms::ahead(&played.clock, at);
    let wall = |at: i64| BEGIN + at + ahead(at);
    let began = began(played);
    let mut lines = Vec::new();
    for line in shown(played, view) {
        let (machine, client) = texts(line, played.events[line.event].sent);
        let is_historical = line.error == Error::Historical;
        let of = |at: i64, signature, meaning, text| report::Line {
            at: wall(at),
            level: "warn",
            family: "KE-3",
            signature,
            meaning,
            text,
        };
        if let Some(machine) = machine {
            lines.push(of(line.at - MACHINE_BEFORE_MS, "Failed to decrypt a room event", "transient", machine));
        }
        let meaning = if is_historical { "transient" } else { "failure" };
        lines.push(of(line.at, "DecryptionError", meaning, client));
    }
    Report {
        device: ALICE,
        identity: Some((signing::ed25519(0), signing::curve25519(0))),
        began: wall(began),
        installed: wall(installed(played, view)),
        cleared: played.cleared.filter(|cleared| *cleared >= installed(played, view)).map(wall),
        made: wall(played.end),
        clock_moved: ahead(played.end) - ahead(began),
        server_minus_page: None,
        page_events: Vec::new(),
        lines,
        missed: view.lines.missed,
        library: view.lines.library,
        info: true,
        call: serde_json::Value::Null,
        known: Vec::new(),
        sent: Vec::new(),
    }
}

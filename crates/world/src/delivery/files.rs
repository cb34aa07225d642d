//! The files that a history leaves.

use serde_json::{Value, json};

use super::play::{self, BEGAN_MS, Batch, Became, LOOKED_MS, Played, STEP_MS, Sync, begins, play};
use super::{ALICE, ALL, EVERYBODY, Fate, LogView, Looks, State, View, Who};
use crate::forms::report::{self, Line, LostKey, Report};
use crate::forms::signing::{self, SignedKey};
use crate::forms::tables::{self, Table};
use crate::forms::to_device::{self, Message};
use crate::forms::{self, File, Request, har, log};
use crate::model::{Chance, Step};
use crate::views::{Lines, WHOLE};

/// When histories begin: 2026-11-23 09:00:00 UTC.
const BEGIN: i64 = 1_795_424_400_000;
/// How long the log goes on behind the end.
const LOG_GOES_ON_MS: i64 = 300_000;
/// The server was started that long before the first page was opened.
const STARTED_BEFORE_MS: i64 = 60_000;
/// When a capture is installed that begins with its page.
const INSTALLED_MS: i64 = 226;
/// Reports that are made at once, and one and a half minutes later.
const MADE_MS: [i64; 2] = [12_000, 90_000];
/// When the database is asked at the end.
const LOOKED_AT_THE_END_MS: [i64; 2] = [1_000, 9_000];
/// When each page sent a message, by which its clock is measured, and when everybody joined the call.
const MESSAGE_MS: i64 = 3_000;
const JOINED_MS: i64 = 4_000;
/// Alice's report is made so long before she logs out.
const BEFORE_LEAVING_MS: i64 = 500;

/// Rooms and hosts in texts.
const HOST: &str = "https://matrix.example.org";
const UPLOAD: &str = "/_matrix/client/v3/keys/upload";

/// The names of reports.
pub(super) const REPORTS: [&str; 3] = ["alice.report.json", "bob.report.json", "carol.report.json"];
const HARS: [(Who, &str); 2] = [(Who::Alice, "alice.har"), (Who::Bob, "bob.har")];

/// A device as LiveKit names its participant.
pub(super) fn identity(who: Who) -> String {
    format!("{}:{}", who.device().user, who.device().id)
}

/// The id of the message of a batch to somebody.
pub(super) fn message_id(batch: usize, to: Who) -> String {
    format!("{:032x}", 0x00c0_ffee_0000_u64 + 16 * batch as u64 + to as u64)
}

/// The one-time key that a message needs which Alice's store lacks.
pub(super) fn lost_key(batch: usize) -> String {
    signing::one_time_key(100 + batch as u8)
}

fn txn_id(batch: usize, of: &Batch) -> String {
    format!("m{}.{batch}", BEGIN + of.queued)
}

/// When somebody's report is made.
pub(super) fn made(call: &Played, view: &View, who: Who) -> i64 {
    let at = call.end + MADE_MS[usize::from(!view.soon)];
    call.left.filter(|_| who == Who::Alice).map_or(at, |left| at.min(left - BEFORE_LEAVING_MS))
}

/// When somebody's capture was installed: as the page began, or in the middle of the history, when it was not frozen.
fn installed(call: &Played, view: &View, who: Who) -> i64 {
    let from_the_beginning = BEGAN_MS[who as usize] + INSTALLED_MS;
    if !view.late[who as usize] {
        return from_the_beginning;
    }
    let middle = play::SETUP_MS + (call.end - play::SETUP_MS) / STEP_MS / 2 * STEP_MS + 500;
    let frozen = call.frozen.iter().find(|(from, to)| who == Who::Alice && (*from..=*to).contains(&middle));
    let at = frozen.map_or(middle, |(_, to)| to.saturating_add(500));
    if at < made(call, view, who) { at } else { from_the_beginning }
}

/// Whether somebody's report has what its page printed at a time.
pub(super) fn is_captured(call: &Played, view: &View, who: Who, at: i64) -> bool {
    let shown = installed(call, view, who)..=made(call, view, who);
    shown.contains(&at) && call.cleared[who as usize].is_none_or(|cleared| at > cleared)
}

/// Whether somebody's report has the line that its page printed at a time.
pub(super) fn is_kept(call: &Played, view: &View, who: Who, at: i64) -> bool {
    let wall = BEGIN + at + forms::ahead(&call.clocks[who as usize], at);
    page_report(call, view, who).kept().iter().any(|line| line.at == wall)
}

/// When the database is asked.
pub(super) fn looked(call: &Played, view: &View) -> Vec<i64> {
    let [first, second] = LOOKED_AT_THE_END_MS.map(|after| call.end + after);
    match view.looks {
        Looks::Never => Vec::new(),
        Looks::Once => vec![second],
        Looks::Twice => vec![first, second],
        Looks::AndBefore(step) => {
            let then = play::SETUP_MS + i64::from(step) * STEP_MS + LOOKED_MS;
            if then < first { vec![then, second] } else { vec![first, second] }
        }
    }
}

/// When a HAR was saved.
pub(super) fn saved(call: &Played, view: &View, har: usize) -> Option<i64> {
    let (_, to) = view.hars[har]?;
    Some(begins(to).min(made(call, view, HARS[har].0)))
}

/// The span of a log that is given.
pub(super) fn logged(log: &LogView) -> std::ops::Range<i64> {
    begins(log.span.0)..begins(log.span.1)
}

/// The views under which a history is judged.
pub(super) fn views(state: &State) -> Vec<View> {
    let middle = (state.actions.len() / 2) as Step;
    let last = state.actions.len().saturating_sub(1) as Step;
    let log = |span, debug| Some(LogView { span, debug });
    vec![
        ALL,
        View { soon: true, ..ALL },
        View { hars: [None; 2], log: None, looks: Looks::Never, ..ALL },
        View { log: None, looks: Looks::AndBefore(middle), ..ALL },
        View { log: log((last, Step::MAX), true), ..ALL },
        View { log: log((0, last), true), looks: Looks::Never, ..ALL },
        View { reports: [true, false, true], log: log(WHOLE, false), listed: false, ..ALL },
        View { late: [true; 3], ..ALL },
        View { lines: Lines { missed: Some(0), ..Lines::ALL }, ..ALL },
        View { lines: Lines::QUIET, ..ALL },
        View { hars: [Some((middle, Step::MAX)), None], looks: Looks::AndBefore(last), ..ALL },
        View { info: false, hars: [Some(WHOLE), None], bodies: false, ..ALL },
    ]
}

/// Any view at all.
pub(super) fn any_view(state: &State, chance: &mut Chance) -> View {
    let steps = state.actions.len();
    let span = |chance: &mut Chance| match chance.below(5) {
        0 => (chance.below(steps) as Step, Step::MAX),
        1 => (0, chance.below(steps) as Step),
        _ => WHOLE,
    };
    let har = |chance: &mut Chance| (chance.below(6) != 0).then(|| span(chance));
    let hars = [har(chance), har(chance)];
    let log = (chance.below(6) != 0).then(|| LogView { span: span(chance), debug: chance.below(2) == 0 });
    let looks = match chance.below(6) {
        0 => Looks::Never,
        1 => Looks::Once,
        2..4 => Looks::AndBefore(chance.below(steps) as Step),
        _ => Looks::Twice,
    };
    let mut one_in = |number: usize| chance.below(number) == 0;
    View {
        reports: [!one_in(10), !one_in(5), !one_in(5)],
        late: [one_in(6), one_in(6), one_in(6)],
        lines: Lines::ALL,
        info: !one_in(8),
        soon: one_in(3),
        hars,
        bodies: !one_in(5),
        log,
        looks,
        listed: !one_in(3),
    }
}

/// Puts what a clock is ahead on true times since the epoch.
fn clock(changes: &[(i64, i64)]) -> impl Fn(i64) -> i64 {
    move |at| forms::ahead(changes, at - BEGIN)
}

/// The files of a view.
pub(super) fn files(state: &State, view: &View) -> Vec<File> {
    let call = play(state);
    let requests = requests(&call);
    let mut files = Vec::new();
    for who in EVERYBODY.into_iter().filter(|who| view.reports[*who as usize]) {
        files.push((REPORTS[who as usize].to_owned(), page_report(&call, view, who).json()));
    }
    for (number, (who, name)) in HARS.into_iter().enumerate() {
        let Some(((from, _), saved)) = view.hars[number].zip(saved(&call, view, number)) else { continue };
        // What goes on stands in no HAR yet.
        let is_there = |request: &Request| {
            request.sent.is_some_and(|sent| sent - BEGIN >= begins(from) && request.done.0 - BEGIN <= saved)
        };
        let without_bodies = |request: &Request| Request { body: None, answer: None, ..request.clone() };
        let of_browser = requests.iter().filter(|(of, request)| *of == Some(who) && is_there(request));
        let shown: Vec<Request> = of_browser
            .map(|(_, request)| if view.bodies { request.clone() } else { without_bodies(request) })
            .collect();
        if !shown.is_empty() {
            let shown: Vec<&Request> = shown.iter().collect();
            files.push((name.to_owned(), har::har(&shown, &clock(&call.clocks[who as usize]))));
        }
    }
    if let Some(log) = &view.log {
        let text = log_text(&call, log, requests.into_iter().map(|(_, request)| request).collect());
        if !text.is_empty() {
            files.push(("homeserver.log".to_owned(), text.into_bytes()));
        }
    }
    let answers: Vec<Table> = looked(&call, view).into_iter().flat_map(|at| answers(&call, view, at)).collect();
    if !answers.is_empty() {
        files.push(("queries.json".to_owned(), tables::json(&answers)));
    }
    files
}

fn log_text(call: &Played, view: &LogView, mut served: Vec<Request>) -> String {
    if !view.debug {
        served
            .iter_mut()
            .for_each(|request| request.printed.retain(|(_, logger, _)| !logger.starts_with(log::TO_DEVICE)));
    }
    let starts = call.restarts.iter().map(|at| BEGIN + at);
    let starts: Vec<i64> = [BEGIN - STARTED_BEFORE_MS].into_iter().chain(starts).collect();
    let span = logged(view);
    let lines = log::lines(&served, log::MASTER, &starts, &clock(&call.server_clock));
    let until = call.end + LOG_GOES_ON_MS;
    lines
        .into_iter()
        .filter(|(at, _)| span.contains(&(at - BEGIN)) && at - BEGIN < until)
        .map(|(_, line)| line)
        .collect()
}

/// All requests, each with whose browser sent it if there is a HAR of that.
fn requests(call: &Played) -> Vec<(Option<Who>, Request)> {
    let others = forms::others(BEGIN - STARTED_BEFORE_MS + 1_000..BEGIN + call.end + LOG_GOES_ON_MS);
    let mut requests: Vec<(Option<Who>, Request)> = others.map(|request| (None, request)).collect();
    for who in EVERYBODY {
        let user = who.device().user;
        let begun = BEGIN + BEGAN_MS[who as usize];
        requests.push((None, login(who, begun - 40_000)));
        requests.extend(forms::asked_at_start(user, begun + 400).map(|request| (Some(who), request)));
        let filter = Request::quick(user, "POST", forms::filter_target(user), begun + 700);
        requests.push((Some(who), filter));
        requests.push((Some(who), upload(call, who, who as u8, begun + 900)));
    }
    requests.extend(call.syncs.iter().map(|found| (Some(found.who), sync(call, found))));
    for (number, batch) in call.batches.iter().enumerate() {
        let of = batch.is_shown().then_some(batch.by);
        requests.extend(claim(call, number, batch).map(|request| (of, request)));
        requests.extend(sent(call, number, batch).into_iter().map(|request| (of, request)));
    }
    if let Some(left) = call.left {
        let target = "/_matrix/client/v3/logout".to_owned();
        let mut request = Request::quick(ALICE.user, "POST", target, BEGIN + left - 20);
        let (logger, message) = log::device_deleted(ALICE.user, ALICE.id);
        request.printed.push((BEGIN + left, logger, message));
        requests.push((Some(Who::Alice), request));
    }
    if let Some(back) = call.back {
        requests.push((None, login(Who::Alice, BEGIN + back - 20)));
        requests.push((None, upload(call, Who::Alice, EVERYBODY.len() as u8, BEGIN + back + 600)));
    }
    requests
}

fn login(who: Who, at: i64) -> Request {
    let mut request = Request::quick("None", "POST", "/_matrix/client/v3/login".to_owned(), at);
    let (logger, message) = log::logged_in(who.device().user, who.device().id);
    request.printed.push((at + 20, logger, message));
    Request { sent: None, ..request }
}

/// The first upload of a device's keys, by the number of its identity.
fn upload(call: &Played, who: Who, identity: u8, at: i64) -> Request {
    let device = who.device();
    let id = signing::key_id(50);
    let key = SignedKey::one_time(device, identity, identity);
    let mut request = Request::quick(device.user, "POST", UPLOAD.to_owned(), at);
    request.body = Some(signing::upload_body(device, identity, true, (&id, &key)));
    request.answer = Some("{\"one_time_key_counts\":{\"signed_curve25519\":1}}".to_owned());
    let wall = at + 20 + clock(&call.server_clock)(at);
    let (logger, message) = log::device_keys_updated(device.user, device.id, wall - 4);
    request.printed.push((at + 16, logger, message));
    let (logger, message) = log::keys_added(device.user, device.id, &[id], wall);
    request.printed.push((at + 20, logger, message));
    request
}

fn message<'a>(call: &Played, (batch, to): (usize, Who), texts: &'a [String; 4]) -> Message<'a> {
    let of = &call.batches[batch];
    let [sender_key, target_key, body, id] = texts;
    Message {
        sender: of.by.device().user,
        sender_key,
        target: to.device(),
        target_key,
        body,
        kind: u8::from(!is_first(of, to)),
        id,
    }
}

/// Whether a message begins a session.
fn is_first(batch: &Batch, to: Who) -> bool {
    matches!(batch.fate, Fate::Unopenable | Fate::OldFallback) && to == Who::Alice
}

/// The claim of the one-time key with which a message begins its session. It comes a moment before the batch is queued.
fn claim(call: &Played, number: usize, batch: &Batch) -> Option<Request> {
    let at = batch.queued - 200;
    if !is_first(batch, Who::Alice) || !batch.targets.contains(&Who::Alice) || !call.has_device(Who::Alice, at) {
        return None;
    }
    let public = lost_key(number);
    let (id, key) = if batch.fate == Fate::OldFallback {
        (signing::key_id(0), signing::fallback_json_of(ALICE, Who::Alice as u8, &public))
    } else {
        (signing::key_id(60 + number as u8), SignedKey::one_time(ALICE, Who::Alice as u8, 100 + number as u8).json())
    };
    let user = batch.by.device().user;
    let mut request = Request::quick(user, "POST", to_device::CLAIM.to_owned(), BEGIN + at);
    request.body = Some(to_device::claim(ALICE));
    request.answer = Some(to_device::claimed(ALICE, &id, &key));
    let (logger, message) = log::claimed(ALICE.user, ALICE.id, &id);
    request.printed.push((BEGIN + at + 20, logger, message));
    Some(request)
}

/// The texts of a message: both keys, the ciphertext and the id.
fn texts(call: &Played, (batch, to): (usize, Who)) -> [String; 4] {
    let by = call.batches[batch].by;
    let ciphertext = if is_first(&call.batches[batch], to) {
        to_device::first_body(&lost_key(batch))
    } else {
        format!("AwogR{}", signing::one_time_key(50 + batch as u8))
    };
    [signing::curve25519(by as u8), signing::curve25519(to as u8), ciphertext, message_id(batch, to)]
}

fn sync(call: &Played, found: &Sync) -> Request {
    let (answers, position) = found.token;
    // No two users have one token: who else was there then had news of another room.
    let events = 200 + 1_000 * found.who as usize + answers;
    let user = found.who.device().user;
    let mut request = Request::quick(user, "GET", forms::sync_target(events, position), BEGIN + found.sent);
    request.served = found.served.and_then(|(from, to)| Some((BEGIN + from, BEGIN + to?, 200)));
    request.done = (BEGIN + found.done.0, found.done.1);
    let all: Vec<[String; 4]> = found.brought.iter().map(|row| texts(call, (row.batch, row.to))).collect();
    let messages = found.brought.iter().zip(&all).map(|(row, texts)| message(call, (row.batch, row.to), texts));
    let messages: Vec<Message<'_>> = messages.collect();
    let next = forms::sync_token(events + 1, found.next);
    request.answer = (found.done.1 == 200).then(|| to_device::news(&next, &messages));
    request
}

/// The requests with a batch.
fn sent(call: &Played, number: usize, batch: &Batch) -> Vec<Request> {
    let all: Vec<[String; 4]> = batch.targets.iter().map(|to| texts(call, (number, *to))).collect();
    let messages = batch.targets.iter().zip(&all).map(|(to, texts)| message(call, (number, *to), texts));
    let body = to_device::batch(&messages.collect::<Vec<_>>());
    let target = to_device::target(&txn_id(number, batch));
    let user = batch.by.device().user;
    let requests = batch.tries.iter().map(|one| {
        let mut request = Request::quick(user, "PUT", target.clone(), BEGIN + one.sent);
        request.body = Some(body.clone());
        request.done = (BEGIN + one.done.0, one.done.1);
        request.served = one.arrived.map(|(at, status)| (BEGIN + at, BEGIN + at + 18, status));
        request.answer = match one.done.1 {
            200 => Some("{}".to_owned()),
            403 => Some(json!({"errcode": "M_FORBIDDEN", "error": FORBIDDEN}).to_string()),
            401 => Some(json!({"errcode": "M_UNKNOWN_TOKEN", "error": UNKNOWN_TOKEN}).to_string()),
            _ => None,
        };
        let Some((arrived, status)) = one.arrived else { return request };
        let at = BEGIN + arrived;
        let ids: Vec<(Who, String)> = batch.targets.iter().map(|to| (*to, message_id(number, *to))).collect();
        let messages = |dropped: bool| -> Vec<log::ToDevice<'_>> {
            let of = ids.iter().filter(|(to, _)| one.dropped.contains(to) == dropped);
            of.map(|(to, id)| (to.device().user, to.device().id, &**id)).collect()
        };
        if !one.dropped.is_empty() {
            let (logger, text) = log::dropped(&messages(true));
            request.printed.push((at + 5, logger, text));
        }
        if let Some(stream) = one.stored {
            let (logger, text) = log::stored(stream, &messages(false));
            request.printed.push((at + 6, logger, text));
        }
        if status == 403 {
            let (logger, text) = log::refused("PUT", &target, status, FORBIDDEN);
            request.printed.push((at + 13, logger, text));
        }
        request
    });
    requests.collect()
}

const FORBIDDEN: &str = "You are not allowed to send to-device messages";
const UNKNOWN_TOKEN: &str = "Invalid access token passed.";

fn page_report(call: &Played, view: &View, who: Who) -> Report {
    let ahead = |at: i64| forms::ahead(&call.clocks[who as usize], at);
    let wall = |at: i64| BEGIN + at + ahead(at);
    let made = made(call, view, who);
    let is_shown = |at: i64| is_captured(call, view, who, at);
    let mut lines: Vec<Line> = Vec::new();
    let mut print = |at: i64,
                     (level, family, signature, meaning): (&'static str, &'static str, &'static str, &'static str),
                     text: String| {
        if is_shown(at) {
            lines.push(Line { at: wall(at), level, family, signature, meaning, text });
        }
    };
    for had in call.had.iter().filter(|had| had.who == who) {
        let by = call.batches[had.batch].by;
        let (sender, sender_key) = (by.device().user, signing::curve25519(by as u8));
        let id = message_id(had.batch, who);
        match had.became {
            Became::Opened => print(
                had.at,
                ("warn", "KE-2", "io.element.call.encryption_keys", "delivered"),
                report::media_key_opened(sender, &sender_key, &id),
            ),
            Became::Again => print(
                had.at,
                ("warn", "OLM", "Failed to decrypt a non-pre-key message with all available sessions", "failure"),
                report::not_opened_by_any_session(sender, &sender_key, &id),
            ),
            Became::Unopened => print(
                had.at,
                ("warn", "OLM", "MissingOneTimeKey", "failure"),
                report::missing_one_time_key(&LostKey {
                    one_time_key: &lost_key(had.batch),
                    sender,
                    sender_key: &sender_key,
                    base_key: &signing::curve25519(150),
                    ratchet_key: &signing::curve25519(151),
                    session_id: &signing::curve25519(160_u8.wrapping_add(had.batch as u8)),
                    chain_index: 0,
                    message_id: &id,
                }),
            ),
        }
    }
    if who == Who::Alice {
        for (at, index) in &call.missing {
            let text = report::missing_key(&identity(Who::Bob), *index, &identity(Who::Alice));
            print(*at, ("error", "KE-2", "missing key at index", "transient"), text);
        }
    }
    let own = |batch: &&Batch| batch.by == who && batch.is_shown();
    for (number, batch) in call.batches.iter().enumerate().filter(|(_, batch)| own(batch)) {
        if let Some((at, status)) = batch.refused() {
            let url = format!("{HOST}{}", to_device::target(&txn_id(number, batch)));
            let (errcode, sentence) =
                if status == 401 { ("M_UNKNOWN_TOKEN", UNKNOWN_TOKEN) } else { ("M_FORBIDDEN", FORBIDDEN) };
            let text = report::batch_dropped(errcode, status, sentence, &url);
            print(at + 5, ("error", "OLM", "Fatal error when sending to-device message", "failure"), text);
        }
    }
    lines.sort_by_key(|line| line.at);
    let batches =
        call.batches.iter().enumerate().filter(|(_, batch)| own(batch) && view.info && is_shown(batch.queued));
    let keys = |of: Who| (signing::ed25519(of as u8), signing::curve25519(of as u8));
    let installed = installed(call, view, who);
    let events = call.frozen.iter().flat_map(|(from, to)| [(*from, "freeze"), (*to, "resume")]);
    let events = events.filter(|(at, _)| who == Who::Alice && (installed..=made).contains(at));
    Report {
        device: who.device(),
        identity: Some(keys(who)),
        began: wall(BEGAN_MS[who as usize]),
        installed: wall(installed),
        cleared: call.cleared[who as usize].filter(|at| (installed..=made).contains(at)).map(wall),
        made: wall(made),
        clock_moved: ahead(made) - ahead(BEGAN_MS[who as usize]),
        page_events: events.map(|(at, event)| (wall(at), event)).collect(),
        lines,
        missed: view.lines.missed,
        library: view.lines.library,
        info: view.info,
        call: call_facts(call, who),
        server_minus_page: Some(forms::ahead(&call.server_clock, MESSAGE_MS) - ahead(MESSAGE_MS)),
        known: EVERYBODY
            .into_iter()
            .filter(|other| *other != who)
            .map(|other| (other.device(), keys(other).0, keys(other).1))
            .collect(),
        sent: batches
            .map(|(number, batch)| report::Batch {
                at: wall(batch.queued),
                txn_id: txn_id(number, batch),
                targets: batch.targets.iter().map(|to| (to.device(), message_id(number, *to))).collect(),
            })
            .collect(),
    }
}

/// What a page's report says of its call: Bob's other call, where that is the one that his shown page holds, is with Carol alone. He sees
/// Alice as a member once he has a key for her.
fn call_facts(call: &Played, who: Who) -> Value {
    let is_other = who == Who::Bob && call.is_other_call;
    let has_heard = || call.batches.iter().any(|batch| batch.by == Who::Bob && batch.targets.contains(&Who::Alice));
    let is_member = |member: &Who| *member != Who::Alice || who != Who::Bob || (!is_other && has_heard());
    let members = EVERYBODY.into_iter().filter(is_member);
    let memberships: Vec<Value> = members
        .map(|member| {
            json!({"userId": member.device().user, "deviceId": member.device().id, "participant": identity(member),
                   "createdAt": BEGIN + JOINED_MS + forms::ahead(&call.server_clock, JOINED_MS), "expiresAt": null, "focus": null})
        })
        .collect();
    let room = if is_other { "!other:example.org" } else { "!call:example.org" };
    let session = json!({"own": true, "joined": true, "roomId": room, "memberships": memberships});
    json!({"streams": [], "omitted": 0, "session": session, "facts": []})
}

/// What the database answers about Alice at a time.
fn answers(call: &Played, view: &View, at: i64) -> Vec<Table> {
    let wall = |at: i64| BEGIN + at + forms::ahead(&call.server_clock, at);
    let is_there = call.has_device(Who::Alice, at);
    let device = json!({"user_id": ALICE.user, "device_id": ALICE.id, "display_name": null, "last_seen": BEGIN, "hidden": false});
    let identity = if call.back.is_some_and(|back| back < at) { EVERYBODY.len() as u8 } else { Who::Alice as u8 };
    let added = if identity == 0 { 920 } else { call.back.unwrap_or_default() + 620 };
    let key = json!({"user_id": ALICE.user, "device_id": ALICE.id, "algorithm": "signed_curve25519",
                     "key_id": signing::key_id(50), "ts_added_ms": wall(added),
                     "key_json": SignedKey::one_time(ALICE, identity, identity).json()});
    let waiting: Vec<_> = call.rows.iter().filter(|row| row.to == Who::Alice && row.is_there(at)).collect();
    let (name, params, rows) = if view.listed {
        let rows = waiting.iter().map(|row| {
            json!({"user_id": ALICE.user, "device_id": ALICE.id, "stream_id": row.stream,
                   "message_id": message_id(row.batch, Who::Alice), "sender": call.batches[row.batch].by.device().user})
        });
        ("ke2-inbox", vec![ALICE.user, ALICE.id], rows.collect())
    } else {
        let of_device = waiting.first().zip(waiting.last()).map(|(first, last)| {
            json!({"user_id": ALICE.user, "device_id": ALICE.id, "pending": waiting.len(),
                   "first_stream_id": first.stream, "last_stream_id": last.stream})
        });
        ("device_inbox", vec![ALICE.user], of_device.into_iter().collect())
    };
    let at = wall(at);
    let of_user = |name, rows| Table { name, params: vec![ALICE.user], at, rows };
    vec![
        of_user("devices", if is_there { vec![device] } else { Vec::new() }),
        of_user("one_time_keys", if is_there { vec![key] } else { Vec::new() }),
        Table { name, params, at, rows },
    ]
}

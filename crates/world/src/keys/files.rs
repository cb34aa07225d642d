//! The files that a history leaves.

use super::state::{Outcome, Page, PageNo, State};
use super::{Asked, DEVICE, Keys, View};
use crate::forms::report::{Line, LostKey, Report};
use crate::forms::signing::{self, SignedKey};
use crate::forms::tables::Table;
use crate::forms::{self, Device, File, Request, har, log, report, tables};
use crate::model::Step;
use crate::model::{Chance, Model};
use crate::views::{Lines, WHOLE};
use serde_json::json;

/// When the first step begins: 2026-11-23 09:00:00 UTC.
const BEGIN: i64 = 1_795_424_400_000;
/// A step's length.
const STEP_MS: i64 = 30_000;
/// How long the log goes on behind the end.
const LOG_GOES_ON_MS: i64 = 300_000;
/// The server was started that long before the first step.
const STARTED_BEFORE_MS: i64 = 60_000;

/// When things happen within a step.
const OPENED_MS: i64 = 3_000;
const INSTALLED_MS: i64 = 3_226;
const UPLOADED_MS: i64 = 10_000;
const CLAIMED_MS: i64 = 12_000;
const CLEARED_MS: i64 = 14_000;
const LEFT_MS: i64 = 15_000;
const SYNCED_MS: [i64; 2] = [20_000, 25_000];
const RESTARTED_MS: i64 = 5_000;
const ASKED_MS: i64 = 27_000;

const UPLOAD: &str = "/_matrix/client/v3/keys/upload";
const BOB: Device = Device { user: "@bob:example.org", id: "HNWJLZTGGU" };
/// Bob's identity keys, by number.
const BOBS: u8 = 200;

/// The true time at which a step begins.
fn time(step: Step) -> i64 {
    BEGIN + i64::from(step) * STEP_MS
}

/// The step of a true time.
fn step_of(time: i64) -> Step {
    Step::try_from((time - BEGIN).max(0) / STEP_MS).unwrap_or(Step::MAX)
}

/// What a browser is called: the one in which a tab shows a page of a profile.
const BROWSERS: [&str; 3] = ["desktop", "second-tab", "laptop"];

fn browser(page: &Page) -> usize {
    page.tab + page.profile
}

/// The name of a page's report.
pub(super) fn report_name(state: &State, page: PageNo) -> String {
    format!("{}.page-{page}.report.json", BROWSERS[browser(&state.pages[page])])
}

/// When a page's capture was installed: as it began, or in the middle of its life.
fn installed(state: &State, view: &View, page: &Page) -> Step {
    let life = page.ended.unwrap_or(state.now) - page.began;
    if view.late { page.began + life.div_ceil(2) } else { page.began }
}

/// Whether a page's capture has what was printed in a step.
pub(super) fn captured(state: &State, view: &View, page: &Page, at: Step) -> bool {
    at >= installed(state, view, page) && page.cleared.is_none_or(|cleared| at > cleared)
}

/// All pages, as bits.
fn all_pages(state: &State) -> u8 {
    (0..state.pages.len()).fold(0, |bits, page| bits | 1 << page)
}

/// The views under which a history is judged.
pub(super) fn views(state: &State) -> Vec<View> {
    let reports = all_pages(state);
    let all = View {
        reports,
        late: false,
        lines: Lines::ALL,
        hars: 7,
        hars_from: 0,
        bodies: true,
        log: Some(WHOLE),
        tables: Some(Asked::AtTheEnd),
    };
    if !Keys::SMALL.is_notable(state) {
        return vec![all];
    }
    let middle = state.now / 2;
    let mut views = vec![
        all.clone(),
        View { hars: 0, log: None, tables: None, ..all.clone() },
        View { hars: 0, tables: None, ..all.clone() },
        View { log: None, ..all.clone() },
        View { hars: 0, log: None, ..all.clone() },
        View { reports: 0, ..all.clone() },
        View { hars_from: middle, tables: None, ..all.clone() },
        View { log: Some((middle, Step::MAX)), ..all.clone() },
        View { late: true, ..all.clone() },
        View { lines: Lines { missed: Some(0), ..Lines::ALL }, ..all.clone() },
        View { bodies: false, ..all.clone() },
    ];
    if state.asked.is_some() {
        views.push(View { tables: Some(Asked::Then), ..all.clone() });
    }
    if state.pages.len() > 1 {
        for page in 0..state.pages.len() {
            views.push(View { reports: 1 << page, ..all.clone() });
            views.push(View { reports: 1 << page, hars: 0, log: None, ..all.clone() });
        }
    }
    views
}

/// Any view at all.
pub(super) fn any_view(state: &State, chance: &mut Chance) -> View {
    let now = usize::from(state.now);
    let log = match chance.below(5) {
        0 => None,
        1 => Some((chance.below(now + 1) as Step, Step::MAX)),
        2 => Some((0, chance.below(now + 1) as Step)),
        _ => Some(WHOLE),
    };
    let tables = match chance.below(4) {
        0 => None,
        1 if state.asked.is_some() => Some(Asked::Then),
        _ => Some(Asked::AtTheEnd),
    };
    let all = all_pages(state);
    View {
        reports: if chance.below(2) == 0 { all } else { chance.below(usize::from(all) + 1) as u8 },
        late: chance.below(4) == 0,
        lines: Lines::ALL,
        hars: if chance.below(2) == 0 { 7 } else { chance.below(8) as u8 },
        bodies: chance.below(4) != 0,
        hars_from: if chance.below(3) == 0 { chance.below(now + 1) as Step } else { 0 },
        log,
        tables,
    }
}

/// What a machine's clock is ahead of the true time at a true time.
fn machine(state: &State, profile: usize) -> impl Fn(i64) -> i64 + '_ {
    move |at| State::ahead(&state.profiles[profile].clock, step_of(at))
}

fn server(state: &State) -> impl Fn(i64) -> i64 + '_ {
    move |at| State::ahead(&state.server_clock, step_of(at))
}

/// The files of a view.
pub(super) fn files(state: &State, view: &View) -> Vec<File> {
    let mut files = Vec::new();
    let requests = requests(state);
    for (number, page) in state.pages.iter().enumerate() {
        if view.reports & 1 << number != 0 {
            files.push((report_name(state, number), page_report(state, view, page, number).json()));
        }
    }
    for (index, name) in BROWSERS.iter().enumerate() {
        let profile = usize::from(index == 2);
        let shown = |request: &Request| {
            let mut shown = request.clone();
            shown.body = shown.body.filter(|_| view.bodies);
            shown
        };
        let sent: Vec<Request> = requests
            .iter()
            .filter(|(of, request)| *of == Some(index) && request.sent.is_some_and(|at| at >= time(view.hars_from)))
            .map(|(_, request)| shown(request))
            .collect();
        let sent: Vec<&Request> = sent.iter().collect();
        if view.hars & 1 << index != 0 && !sent.is_empty() {
            files.push((format!("{name}.har"), har::har(&sent, &machine(state, profile))));
        }
    }
    if let Some((from, to)) = view.log {
        let served: Vec<Request> = requests.into_iter().map(|(_, request)| request).collect();
        let ahead = server(state);
        let starts = state.restarts.iter().map(|step| time(*step) + RESTARTED_MS);
        let starts: Vec<i64> = [BEGIN - STARTED_BEFORE_MS].into_iter().chain(starts).collect();
        let lines = log::lines(&served, log::MASTER, &starts, &ahead);
        let begins = if from == 0 { i64::MIN } else { time(from) };
        let ends = if to == Step::MAX { i64::MAX } else { time(to) };
        let text: String =
            lines.into_iter().filter(|(at, _)| (begins..ends).contains(at)).map(|(_, line)| line).collect();
        if !text.is_empty() {
            files.push(("homeserver.log".to_owned(), text.into_bytes()));
        }
    }
    let asked = match view.tables {
        Some(Asked::Then) => state.asked.as_ref().map(|(at, tables)| (time(*at), tables)),
        Some(Asked::AtTheEnd) => Some((time(state.now), &state.tables)),
        None => None,
    };
    if let Some((at, rows)) = asked {
        let at = at + ASKED_MS;
        files.push(("queries.json".to_owned(), tables::json(&answers(state, rows, at + server(state)(at)))));
    }
    files
}

/// All requests, and by which browser those are that the device sent.
fn requests(state: &State) -> Vec<(Option<usize>, Request)> {
    let end = time(state.now);
    let others = forms::others(BEGIN - STARTED_BEFORE_MS + 1_000..end + LOG_GOES_ON_MS);
    let mut requests: Vec<(Option<usize>, Request)> = others.map(|request| (None, request)).collect();
    for page in &state.pages {
        let at_start = forms::asked_at_start(DEVICE.user, time(page.began) + OPENED_MS + 400);
        requests.extend(at_start.map(|request| (Some(browser(page)), request)));
        for client in &page.clients {
            let target = forms::filter_target(DEVICE.user);
            let at = time(client.opened) + OPENED_MS + 700;
            requests.push((Some(browser(page)), Request::quick(DEVICE.user, "POST", target, at)));
            for step in client.opened..client.closed.unwrap_or(state.now) {
                // A client that is used asks for this and that, so its HAR shows that its recorder runs when keys are uploaded.
                for offset in [UPLOADED_MS - 400, UPLOADED_MS + 400] {
                    let target = "/_matrix/client/v3/voip/turnServer".to_owned();
                    requests
                        .push((Some(browser(page)), Request::quick(DEVICE.user, "GET", target, time(step) + offset)));
                }
                for (half, offset) in SYNCED_MS.into_iter().enumerate() {
                    let position = 200 + usize::from(step) * 4 + page.tab * 2 + half;
                    let request =
                        Request::quick(DEVICE.user, "GET", forms::sync_target(position, 47), time(step) + offset);
                    requests.push((Some(browser(page)), request));
                }
            }
        }
    }
    requests.extend(state.uploads.iter().map(|found| upload(state, found)));
    for claim in &state.claims {
        let at = time(claim.at) + CLAIMED_MS;
        let target = "/_matrix/client/v3/keys/claim".to_owned();
        let mut request = Request { sent: None, ..Request::quick(BOB.user, "POST", target, at) };
        let id = claim.key.map_or(0, |key| state.id(key));
        let (logger, message) = log::claimed(DEVICE.user, DEVICE.id, &signing::key_id(id));
        request.printed.push((at + 20, logger, message));
        requests.push((None, request));
    }
    for login in &state.logins {
        let at = time(*login) + CLAIMED_MS;
        let target = "/_matrix/client/v3/login".to_owned();
        let mut request = Request { sent: None, ..Request::quick("None", "POST", target, at) };
        let (logger, message) = log::logged_in(DEVICE.user, DEVICE.id);
        request.printed.push((at + 20, logger, message));
        requests.push((None, request));
    }
    requests
}

fn upload(state: &State, found: &super::state::Upload) -> (Option<usize>, Request) {
    let page = &state.pages[found.page];
    let identity = state.identity(found.key);
    let offered = SignedKey::one_time(DEVICE, identity, found.key);
    let id = signing::key_id(state.id(found.key));
    let body = signing::upload_body(DEVICE, identity, found.with_identity, (&id, &offered));
    let sent = time(found.sent) + UPLOADED_MS;
    let mut request = Request::quick(DEVICE.user, "POST", UPLOAD.to_owned(), sent);
    request.body = Some(body);
    request.served = None;
    let mut answer = None;
    if let Some((at, outcome)) = found.arrived {
        let start = time(at) + UPLOADED_MS + 12;
        let wall = start + 8 + server(state)(start);
        if found.with_identity {
            let (logger, message) = log::device_keys_updated(DEVICE.user, DEVICE.id, wall - 4);
            request.printed.push((start + 4, logger, message));
        }
        let (logger, message) = log::keys_added(DEVICE.user, DEVICE.id, std::slice::from_ref(&id), wall);
        request.printed.push((start + 8, logger, message));
        let (status, text) = match outcome {
            Outcome::Accepted => (200, "{\"one_time_key_counts\":{\"signed_curve25519\":50}}".to_owned()),
            Outcome::Refused(held) => {
                let sentence = refusal(state, held, found.key);
                let (logger, message) = log::refused("POST", UPLOAD, 400, &sentence);
                request.printed.push((start + 13, logger, message));
                (400, json!({"errcode": "M_UNKNOWN", "error": sentence}).to_string())
            }
        };
        request.served = Some((start, start + 18, status));
        answer = Some((start + 28, status, text));
    }
    match (answer, found.given_up) {
        (Some((at, status, text)), _) if found.answered => {
            request.done = (at, status);
            request.answer = Some(text);
        }
        // At once where the connection broke, else when the page was left.
        (_, Some(step)) => {
            request.done = (time(step) + if step == found.sent { UPLOADED_MS + 4_000 } else { LEFT_MS }, 0);
        }
        // It goes on, and stands in no HAR yet.
        _ => request.sent = None,
    }
    (Some(browser(page)), request)
}

fn refusal(state: &State, held: super::state::Key, offered: super::state::Key) -> String {
    let signed = |key| SignedKey::one_time(DEVICE, state.identity(key), key);
    signing::already_exists(&signing::key_id(state.id(offered)), &signed(held), &signed(offered))
}

fn page_report(state: &State, view: &View, page: &Page, number: PageNo) -> Report {
    let ahead = machine(state, page.profile);
    let wall = |at: i64| at + ahead(at);
    let (made_at, runs) = match page.ended {
        Some(ended) => (time(ended) + LEFT_MS - 500, page.clients.last().filter(|last| last.closed == Some(ended))),
        None => (time(state.now) + 5_000, page.clients.last().filter(|last| last.closed.is_none())),
    };
    let mut lines: Vec<Line> = Vec::new();
    for (upload, at, held) in super::truth::refusals(state) {
        if upload.page == number && upload.answered && captured(state, view, page, at) {
            let sentence = refusal(state, held, upload.key);
            lines.push(Line {
                at: wall(time(at) + UPLOADED_MS + 45),
                level: "error",
                family: "KE-1",
                signature: "already exists",
                meaning: "failure",
                text: report::outgoing_failed(400, &sentence, &format!("https://matrix.example.org{UPLOAD}")),
            });
        }
    }
    for unopened in &state.unopened {
        if unopened.page != number || !captured(state, view, page, unopened.at) {
            continue;
        }
        let key = match state.claims[unopened.claim].key {
            Ok(key) => signing::one_time_key(key),
            Err(identity) => signing::fallback_key(identity),
        };
        let lost = LostKey {
            one_time_key: &key,
            sender: BOB.user,
            sender_key: &signing::curve25519(BOBS),
            base_key: &signing::curve25519(BOBS + 1),
            ratchet_key: &signing::curve25519(BOBS + 2),
            session_id: &signing::curve25519(BOBS.wrapping_add(10 + unopened.claim as u8)),
            chain_index: 0,
            message_id: &format!("{:032x}", 0xf1ff_0ac9_0000 + unopened.claim),
        };
        lines.push(Line {
            at: wall(time(unopened.at) + SYNCED_MS[0] + 50),
            level: "warn",
            family: "OLM",
            signature: "MissingOneTimeKey",
            meaning: "failure",
            text: report::missing_one_time_key(&lost),
        });
    }
    lines.sort_by_key(|line| line.at);
    let began = time(page.began) + OPENED_MS;
    let installed = installed(state, view, page);
    let installed_at = if installed == page.began { time(page.began) + INSTALLED_MS } else { time(installed) + 1_000 };
    let cleared = page.cleared.map(|step| wall(time(step) + CLEARED_MS));
    Report {
        device: DEVICE,
        identity: runs.map(|client| (signing::ed25519(client.identity), signing::curve25519(client.identity))),
        began: wall(began),
        installed: wall(installed_at),
        cleared,
        made: wall(made_at),
        clock_moved: ahead(made_at) - ahead(began),
        page_events: Vec::new(),
        lines,
        missed: view.lines.missed,
        library: view.lines.library,
        info: true,
        call: serde_json::Value::Null,
        server_minus_page: None,
        known: Vec::new(),
        sent: Vec::new(),
    }
}

fn answers(state: &State, rows: &super::state::Tables, at: i64) -> Vec<Table> {
    let stamp = |step: Step| {
        let stored = if step == 0 { BEGIN - 86_400_000 } else { time(step) + UPLOADED_MS + 20 };
        stored + server(state)(stored)
    };
    let key_rows = rows.keys.iter().map(|(id, key, added)| {
        json!({"user_id": DEVICE.user, "device_id": DEVICE.id, "algorithm": "signed_curve25519",
               "key_id": signing::key_id(*id), "ts_added_ms": stamp(*added),
               "key_json": SignedKey::one_time(DEVICE, state.identity(*key), *key).json()})
    });
    let device_rows = rows.identity.iter().map(|(identity, added)| {
        json!({"user_id": DEVICE.user, "device_id": DEVICE.id, "ts_added_ms": stamp(*added),
               "key_json": signing::device_keys_json(DEVICE, *identity)})
    });
    let fallback_rows = rows.fallback.iter().map(|(identity, used)| {
        json!({"user_id": DEVICE.user, "device_id": DEVICE.id, "algorithm": "signed_curve25519",
               "key_id": "AAAAAAAAAAA", "key_json": signing::fallback_json(DEVICE, *identity), "used": used})
    });
    let devices = vec![json!({"user_id": DEVICE.user, "device_id": DEVICE.id, "display_name": null,
                              "last_seen": BEGIN - 86_400_000, "hidden": false})];
    let table = |name, rows| Table { name, params: vec![DEVICE.user], at, rows };
    vec![
        table("devices", devices),
        table("device_keys", device_rows.collect()),
        table("one_time_keys", key_rows.collect()),
        table("fallback_keys", fallback_rows.collect()),
    ]
}

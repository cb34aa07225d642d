//! The files that a history leaves, as browsers, Synapse and its database write them.

pub mod har;
pub mod log;
pub mod report;
pub mod room;
pub mod signing;
pub mod stamp;
pub mod tables;
pub mod to_device;

/// Somebody else's requests keep a log going: one every so many milliseconds.
const OTHERS_EVERY_MS: i64 = 40_000;

/// What a clock is ahead of the true time at a time, by a list of what it was set to and from when on.
pub fn ahead(clock: &[(i64, i64)], at: i64) -> i64 {
    clock.iter().rev().find(|(from, _)| *from <= at).map_or(0, |(_, ahead)| *ahead)
}

/// The requests of somebody of whom there is no file, in a span of true times.
pub fn others(span: std::ops::Range<i64>) -> impl Iterator<Item = Request> {
    span.step_by(OTHERS_EVERY_MS as usize).map(|at| {
        let target = "/_matrix/client/v3/profile/%40eve%3Aexample.org".to_owned();
        Request { sent: None, ..Request::quick("@eve:example.org", "GET", target, at) }
    })
}

/// What a client asks for as it starts, from a true time on.
pub fn asked_at_start(user: &'static str, from: i64) -> impl Iterator<Item = Request> {
    let paths = ["v3/room_keys/version", "v3/voip/turnServer", "versions", "v3/pushrules/", "v3/capabilities"];
    (from..).step_by(50).zip(paths).map(move |(at, path)| {
        let status = if path.contains("room_keys") { 404 } else { 200 };
        let mut request = Request::quick(user, "GET", format!("/_matrix/client/{path}"), at);
        request.done.1 = status;
        request.served = request.served.map(|(start, end, _)| (start, end, status));
        request
    })
}

/// The upload of a user's filter: its path says whose browser sent it.
pub fn filter_target(user: &str) -> String {
    format!("/_matrix/client/v3/user/{}/filter", user.replace('@', "%40").replace(':', "%3A"))
}

/// A request for news, by two fields of its token: the position of events, and that of to-device messages.
pub fn sync_target(events: usize, to_device: i64) -> String {
    format!(
        "/_matrix/client/v3/sync?filter=0&timeout=30000&org.matrix.msc4222.use_state_after=true&since={}",
        sync_token(events, to_device)
    )
}

/// A token of a request for news.
pub fn sync_token(events: usize, to_device: i64) -> String {
    format!("s{events}_1_0_1_1_1_{to_device}_64_0_1_2_1_1")
}

/// A file: its name and its bytes.
pub type File = (String, Vec<u8>);

/// A device of a user.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Device {
    /// Such as `@alice:example.org`.
    pub user: &'static str,
    /// Its id.
    pub id: &'static str,
}

/// One request, as both sides know it. Times are true ones, in milliseconds since the epoch; each side's clock is put on when
/// its file is written.
#[derive(Clone, Debug)]
pub struct Request {
    /// Whose.
    pub user: &'static str,
    /// HTTP method.
    pub method: &'static str,
    /// Path and query.
    pub target: String,
    /// The body, where files show it.
    pub body: Option<String>,
    /// When the client sent it; `None` for clients of which there is no file.
    pub sent: Option<i64>,
    /// For how many milliseconds after that it waited in the browser's own queue.
    pub queued: i64,
    /// When the client had its answer or gave up, and the status that it saw: 0 for none.
    pub done: (i64, u16),
    /// When the server began and ended it, and its status; `None` if it never came.
    pub served: Option<(i64, i64, u16)>,
    /// The answer's body, where files show it.
    pub answer: Option<String>,
    /// What the server printed meanwhile: when, which logger and line of code, and the message.
    pub printed: Vec<(i64, &'static str, String)>,
}

impl Request {
    /// A request without a body that takes a moment and is answered with 200.
    pub fn quick(user: &'static str, method: &'static str, target: String, sent: i64) -> Request {
        Request {
            user,
            method,
            target,
            body: None,
            sent: Some(sent),
            queued: 0,
            done: (sent + 40, 200),
            served: Some((sent + 12, sent + 30, 200)),
            answer: None,
            printed: Vec::new(),
        }
    }
}

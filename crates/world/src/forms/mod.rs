//! The files that a history leaves, as browsers, Synapse and its database write them.

pub mod har;
pub mod log;
pub mod report;
pub mod signing;
pub mod stamp;
pub mod tables;

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

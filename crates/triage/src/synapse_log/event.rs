//! What a line of the log says, for the loggers that matter here.

use std::borrow::Cow;

use memchr::memmem;

use super::line::LogLine;
use crate::stamp::{plausible, read_iso};

/// What a line says. Everything else is [`LogEvent::Other`].
#[derive(Clone, Debug, PartialEq)]
pub enum LogEvent<'a> {
    /// A request was answered.
    Access(AccessLine<'a>),
    /// A request was refused.
    Error(ErrorLine<'a>),
    /// `Adding one_time_keys dict_keys([…]) for device`: printed before the check, so it counts only with its 200.
    AddingOneTimeKeys {
        /// Whose.
        device: DeviceRef<'a>,
        /// `algorithm:id`, in the order of the upload.
        key_ids: Vec<&'a str>,
        /// Milliseconds since the epoch, by the server's clock: the same value as the rows' `ts_added_ms`.
        at: Option<i64>,
    },
    /// `Claimed one-time-keys: …`. Fallback keys are listed alike.
    Claimed(Vec<Claim<'a>>),
    /// `Updating device_keys for device`: the new identity is stored even where the rest of the upload is refused.
    UpdatingDeviceKeys {
        /// Whose.
        device: DeviceRef<'a>,
        /// Milliseconds since the epoch, by the server's clock.
        at: Option<i64>,
    },
    /// A new log-in made a device.
    Login(DeviceRef<'a>),
    /// Devices were deleted, by a log-out or an administrator.
    DeletingDevices {
        /// Whose.
        user_id: &'a str,
        /// The device ids.
        device_ids: Vec<&'a str>,
    },
    /// The client had gone before the answer was sent.
    ClientGone,
    /// A server process started.
    Starting,
    /// The server's version, printed when it starts.
    Version(&'a str),
    /// The process's name among the server's processes, printed when it starts: `master` is the main one.
    Instance(&'a str),
    /// The process talks to other processes of the server, as it does only where workers are set up.
    Replication,
    /// To-device messages, from the one logger worth raising to DEBUG, `synapse.9533_debug`.
    ToDevice(ToDevice<'a>),
    /// Anything else.
    Other,
}

/// A device.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct DeviceRef<'a> {
    /// The user id.
    pub user_id: &'a str,
    /// The device id.
    pub device_id: &'a str,
}

/// One claimed key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Claim<'a> {
    /// `algorithm:id`.
    pub key_id: &'a str,
    /// Whose.
    pub device: DeviceRef<'a>,
}

/// `Processed request`, by one of Synapse's access loggers. The line's time is the request's end.
#[derive(Clone, Debug, PartialEq)]
pub struct AccessLine<'a> {
    /// The client's address.
    pub address: &'a str,
    /// The user; `None` where the line says `{None}`, as 1.155 does for restarts of delayed events.
    pub user_id: Option<&'a str>,
    /// Milliseconds from the request's start to the handler's end.
    pub processing_ms: u64,
    /// Milliseconds from there until the answer was sent; negative where the client had gone before the handler's end.
    pub sending_ms: i64,
    /// The HTTP status.
    pub status: u16,
    /// Whether the client was gone before the answer was sent whole.
    pub unfinished: bool,
    /// The method.
    pub method: &'a str,
    /// Path and query, as Synapse prints them: it redacts `access_token`, and no other secret.
    pub uri: &'a str,
    /// The user agent.
    pub user_agent: &'a str,
}

impl AccessLine<'_> {
    /// Milliseconds from the request's start to the line's time: Synapse prints the line when processing and sending are
    /// both over. Sending counts from the end of the processing, and is negative where the client had gone before that.
    pub fn duration_ms(&self) -> u64 {
        self.processing_ms.saturating_add_signed(self.sending_ms.max(0))
    }

    /// Path and query without secrets.
    pub fn redacted_uri(&self) -> Cow<'_, str> {
        crypto_diag_core::redact(self.uri).text
    }
}

/// `<XForwardedForRequest at … method='POST' uri='…' …> SynapseError: 400 - …`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ErrorLine<'a> {
    /// The method.
    pub method: &'a str,
    /// Path and query.
    pub uri: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// Why.
    pub reason: &'a str,
}

/// A line of `synapse.9533_debug`.
#[derive(Clone, Debug, PartialEq)]
pub enum ToDevice<'a> {
    /// Stored for devices of this server: device and message id.
    Stored(Vec<(DeviceRef<'a>, &'a str)>),
    /// Dropped, since the device does not exist.
    Dropped(Vec<(DeviceRef<'a>, &'a str)>),
    /// Handed to a device by its `/sync`: message ids.
    Returned(Vec<&'a str>),
}

impl LogLine<'_> {
    /// What the line says.
    pub fn event(&self) -> LogEvent<'_> {
        let message: &str = &self.message;
        let logger: &str = &self.logger;
        let event = if logger.starts_with("synapse.access.") {
            access(message).map(LogEvent::Access)
        } else {
            match logger {
                "synapse.http.server" => error(message)
                    .map(LogEvent::Error)
                    .or_else(|| message.ends_with("already disconnected.").then_some(LogEvent::ClientGone)),
                "synapse.handlers.e2e_keys" => keys(message),
                "synapse.handlers.auth" => login(message),
                "synapse.handlers.device" => deleting(message),
                "synapse.http.site" => {
                    message.starts_with("Connection from client lost").then_some(LogEvent::ClientGone)
                }
                "synapse.9533_debug" => to_device(message).map(LogEvent::ToDevice),
                _ if logger.starts_with("synapse.replication.") || message.starts_with("Connecting to redis (") => {
                    Some(LogEvent::Replication)
                }
                _ => started(message),
            }
        };
        event.unwrap_or(LogEvent::Other)
    }
}

fn access(message: &str) -> Option<AccessLine<'_>> {
    let at = memmem::find(message.as_bytes(), b"} Processed request: ")?;
    let (head, rest) = (&message[..at], &message[at + "} Processed request: ".len()..]);
    let (head, user) = head.rsplit_once('{')?;
    // `{puppeteer|user}` where an admin or an application service acts for a user.
    let user = user.rsplit_once('|').map_or(user, |(_, user)| user);
    let address = head.split(" - ").next()?;
    let (processing, rest) = rest.split_once("sec/")?;
    let (sending, rest) = rest.split_once("sec ")?;
    let quote = rest.find(" \"")?;
    let status = rest[..quote].rsplit(' ').next()?;
    let unfinished = status.ends_with('!');
    // The request line ends at ` HTTP/…"`; a URI holds no space, a user agent may hold anything.
    let request = &rest[quote + 2..];
    let (method, request) = request.split_once(' ')?;
    let (uri, rest) = request.split_once(' ')?;
    let user_agent =
        rest.split_once("\" \"").map_or("", |(_, agent)| agent.rsplit_once("\" [").map_or(agent, |found| found.0));
    Some(AccessLine {
        address,
        user_id: (user != "None" && user.starts_with('@')).then_some(user),
        processing_ms: millis(processing)?.try_into().unwrap_or(0),
        sending_ms: millis(sending)?,
        status: status.trim_end_matches('!').parse().ok()?,
        unfinished,
        method,
        uri,
        user_agent,
    })
}

/// `0.049` or `-0.001` as milliseconds, without floating point.
fn millis(seconds: &str) -> Option<i64> {
    let (negative, digits) = seconds.strip_prefix('-').map_or((false, seconds), |digits| (true, digits));
    let (whole, fraction) = digits.split_once('.')?;
    if fraction.len() != 3
        || whole.len() > 10
        || !whole.bytes().chain(fraction.bytes()).all(|byte| byte.is_ascii_digit())
    {
        return None;
    }
    let ms = whole.parse::<i64>().ok()? * 1000 + fraction.parse::<i64>().ok()?;
    Some(if negative { -ms } else { ms })
}

fn error(message: &str) -> Option<ErrorLine<'_>> {
    let at = memmem::find(message.as_bytes(), b"> SynapseError: ")?;
    let (head, rest) = (&message[..at], &message[at + "> SynapseError: ".len()..]);
    let method = head.split_once(" method='")?.1.split_once('\'')?.0;
    let uri = head.split_once(" uri='")?.1.split_once('\'')?.0;
    let (status, reason) = rest.split_once(" - ")?;
    Some(ErrorLine { method, uri, status: status.parse().ok()?, reason })
}

fn keys(message: &str) -> Option<LogEvent<'_>> {
    if let Some(list) = message.strip_prefix("Claimed one-time-keys: ") {
        // Neither ids nor server names hold a comma, but a hostile device id may: such a part does not read.
        let claims = list.split(',').filter_map(claim).collect();
        return Some(LogEvent::Claimed(claims));
    }
    if let Some(rest) = message.strip_prefix("Adding one_time_keys dict_keys([") {
        let (list, rest) = rest.split_once("]) for device ")?;
        let (device_id, rest) = repr(rest)?;
        let (user_id, rest) = repr(rest.strip_prefix(" for user ")?)?;
        let key_ids = list.split(", ").filter_map(|item| repr(item).map(|found| found.0)).collect();
        return Some(LogEvent::AddingOneTimeKeys { device: DeviceRef { user_id, device_id }, key_ids, at: at(rest) });
    }
    let rest = message.strip_prefix("Updating device_keys for device ")?;
    let (device_id, rest) = repr(rest)?;
    let rest = rest.strip_prefix(" for user ")?;
    let (user_id, tail) = rest.rsplit_once(" at ")?;
    let at = tail.parse().ok().and_then(plausible);
    Some(LogEvent::UpdatingDeviceKeys { device: DeviceRef { user_id, device_id }, at })
}

fn at(rest: &str) -> Option<i64> {
    rest.strip_prefix(" at ")?.parse().ok().and_then(plausible)
}

/// A string as Python's `repr` prints it, without escapes: ids need none.
fn repr(text: &str) -> Option<(&str, &str)> {
    let quote = text.chars().next().filter(|quote| matches!(quote, '\'' | '"'))?;
    let (value, rest) = text[1..].split_once(quote)?;
    (!value.contains('\\')).then_some((value, rest))
}

/// `signed_curve25519:AAAAAAAAADM for @alice:localhost:HQBJQUNFIQ`.
fn claim(part: &str) -> Option<Claim<'_>> {
    let (key_id, owner) = part.trim().split_once(" for ")?;
    let (user_id, device_id) = owner.rsplit_once(':')?;
    let whole = user_id.starts_with('@') && user_id.contains(':') && !device_id.is_empty();
    whole.then_some(Claim { key_id, device: DeviceRef { user_id, device_id } })
}

fn login(message: &str) -> Option<LogEvent<'_>> {
    let (user_id, device_id) = message.strip_prefix("Logging in user ")?.split_once(" on device ")?;
    // A token that expires is printed with the time: `on device X until 2026-11-20 08:20:00`. Only a time is one, since a
    // device id may hold anything.
    let device_id = match device_id.rsplit_once(" until ") {
        Some((device_id, until)) if read_iso(until.as_bytes()).is_some_and(|(_, length)| length == until.len()) => {
            device_id
        }
        _ => device_id,
    };
    Some(LogEvent::Login(DeviceRef { user_id, device_id }))
}

/// `Deleting devices ['FYFNRUJGAD'] for '@alice:localhost'`.
fn deleting(message: &str) -> Option<LogEvent<'_>> {
    let (list, rest) = message.strip_prefix("Deleting devices [")?.split_once("] for ")?;
    let user_id = repr(rest)?.0;
    let device_ids = list.split(", ").filter_map(|item| repr(item).map(|found| found.0)).collect();
    Some(LogEvent::DeletingDevices { user_id, device_ids })
}

fn started(message: &str) -> Option<LogEvent<'_>> {
    if message.contains("***** STARTING SERVER *****") {
        return Some(LogEvent::Starting);
    }
    if let Some(name) = message.strip_prefix("Instance name: ") {
        return (!name.contains(' ')).then_some(LogEvent::Instance(name));
    }
    let (name, version) = message.strip_prefix("Server ")?.split_once(" version ")?;
    (!name.contains(' ')).then_some(LogEvent::Version(version))
}

fn to_device(message: &str) -> Option<ToDevice<'_>> {
    let list = || message.split_once(": [").map_or("", |(_, list)| list);
    if message.starts_with("Storing to-device messages ") {
        return Some(ToDevice::Stored(targets(list())));
    }
    if message.starts_with("Dropping to-device messages for unknown devices") {
        return Some(ToDevice::Dropped(targets(list())));
    }
    if message.starts_with("Returning to-device messages ") {
        let ids = list().trim_end_matches(']').split(", ").filter_map(|item| repr(item).map(|found| found.0));
        return Some(ToDevice::Returned(ids.collect()));
    }
    None
}

/// `'@user:server/DEVICE (msgid …)', …`.
fn targets(list: &str) -> Vec<(DeviceRef<'_>, &str)> {
    let one = |item: &str| -> Option<(usize, usize, usize)> {
        let (target, message_id) = item.split_once(" (msgid ")?;
        let (user, _) = target.rsplit_once('/')?;
        let message_id = message_id.strip_suffix(')')?;
        Some((user.len(), target.len(), message_id.len()))
    };
    let mut found = Vec::new();
    for item in list.trim_end_matches(']').split("', '") {
        let item = item.trim_matches('\'');
        if let Some((user, target, message_id)) = one(item) {
            let start = target + " (msgid ".len();
            found.push((
                DeviceRef { user_id: &item[..user], device_id: &item[user + 1..target] },
                &item[start..start + message_id],
            ));
        }
    }
    found
}

#[cfg(test)]
mod tests {
    use super::super::line::parse_line;
    use super::*;

    fn line(logger: &str, message: &str) -> String {
        format!("2026-11-23 08:36:03,872 - {logger} - 643 - INFO - POST-48 - {message}")
    }

    #[test]
    fn an_access_line_gives_its_parts() {
        let text = line(
            "synapse.access.http.8008",
            r#"127.0.0.1 - 8008 - {@alice:localhost} Processed request: 0.095sec/-0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 400! "POST /_matrix/client/v3/keys/upload?a=b HTTP/1.1" "UA "x" (y)" [0 dbevts]"#,
        );
        let line = parse_line(text.as_bytes()).unwrap();
        let LogEvent::Access(access) = line.event() else { panic!() };
        assert_eq!((access.user_id, access.status, access.unfinished), (Some("@alice:localhost"), 400, true));
        assert_eq!((access.method, access.uri), ("POST", "/_matrix/client/v3/keys/upload?a=b"));
        assert_eq!((access.processing_ms, access.sending_ms, access.duration_ms()), (95, -1, 95));
        assert_eq!((access.address, access.user_agent), ("127.0.0.1", r#"UA "x" (y)"#));
    }

    #[test]
    fn a_restart_of_1_155_has_no_user() {
        let text = line(
            "synapse.access.http.8008",
            r#"127.0.0.1 - 8008 - {None} Processed request: 0.004sec/0.001sec ru=(0.000sec, 0.000sec) db=(0.001sec/0.002sec/1) 2B 200 "POST /x HTTP/1.1" "UA" [0 dbevts]"#,
        );
        let line = parse_line(text.as_bytes()).unwrap();
        let LogEvent::Access(access) = line.event() else { panic!() };
        assert_eq!(access.user_id, None);
    }

    #[test]
    fn the_ledgers_lines_are_read() {
        let text = line(
            "synapse.handlers.e2e_keys",
            "Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0', 'signed_curve25519:AAAAAAAAAA4']) for device 'ZDUDAVALPA' for user '@alice:localhost' at 1795422957760",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let device = DeviceRef { user_id: "@alice:localhost", device_id: "ZDUDAVALPA" };
        assert_eq!(
            read.event(),
            LogEvent::AddingOneTimeKeys {
                device,
                key_ids: vec!["signed_curve25519:AAAAAAAAAA0", "signed_curve25519:AAAAAAAAAA4"],
                at: Some(1_795_422_957_760)
            }
        );
        let text = line(
            "synapse.handlers.e2e_keys",
            "Updating device_keys for device 'ZDUDAVALPA' for user @alice:localhost at 1795422957760",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        assert_eq!(read.event(), LogEvent::UpdatingDeviceKeys { device, at: Some(1_795_422_957_760) });
        let text = line(
            "synapse.handlers.e2e_keys",
            "Claimed one-time-keys: signed_curve25519:AAAAAAAAABc for @alice:localhost:ZDUDAVALPA,signed_curve25519:AAAAAAAAAA0 for @b:h:8448:NFQ",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let LogEvent::Claimed(claims) = read.event() else { panic!() };
        assert_eq!(claims[0], Claim { key_id: "signed_curve25519:AAAAAAAAABc", device });
        assert_eq!(claims[1].device, DeviceRef { user_id: "@b:h:8448", device_id: "NFQ" });
    }

    #[test]
    fn a_device_id_ends_before_the_time_until_which_its_token_is_good() {
        for (message, device_id) in [
            ("Logging in user @alice:localhost on device NFQ", "NFQ"),
            ("Logging in user @alice:localhost on device NFQ until 2026-11-20 08:20:00", "NFQ"),
            ("Logging in user @alice:localhost on device up until now", "up until now"),
            ("Logging in user @alice:localhost on device a until b until 2026-11-20 08:20:00", "a until b"),
        ] {
            let text = line("synapse.handlers.auth", message);
            let read = parse_line(text.as_bytes()).unwrap();
            let device = DeviceRef { user_id: "@alice:localhost", device_id };
            assert_eq!(read.event(), LogEvent::Login(device), "{message}");
        }
    }

    #[test]
    fn a_time_that_cannot_be_one_is_none() {
        assert_eq!(at(" at 1795422957760"), Some(1_795_422_957_760));
        assert_eq!(at(" at -9223372036854775808"), None);
        assert_eq!(at(" at 9223372036854775807"), None);
    }

    #[test]
    fn a_refusal_gives_its_reason() {
        let text = line(
            "synapse.http.server",
            "<XForwardedForRequest at 0x7f method='POST' uri='/_matrix/client/v3/keys/upload' clientproto='HTTP/1.1' site='8008'> SynapseError: 400 - One time key signed_curve25519:AAAAAAAAAA0 already exists. Old key: {}",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let LogEvent::Error(error) = read.event() else { panic!() };
        assert_eq!((error.status, error.uri), (400, "/_matrix/client/v3/keys/upload"));
        assert!(error.reason.starts_with("One time key signed_curve25519:AAAAAAAAAA0 already exists"));
    }

    #[test]
    fn to_device_lines_name_devices_and_messages() {
        let text = line(
            "synapse.9533_debug",
            "Storing to-device messages with stream_id 17: ['@alice:localhost/NFQ (msgid b430)', '@bob:localhost/X (msgid c1)']",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let alice = DeviceRef { user_id: "@alice:localhost", device_id: "NFQ" };
        let LogEvent::ToDevice(ToDevice::Stored(targets)) = read.event() else { panic!() };
        assert_eq!((targets.len(), targets[0]), (2, (alice, "b430")));
        let text = line(
            "synapse.9533_debug",
            "Dropping to-device messages for unknown devices: ['@alice:localhost/NFQ (msgid b430)']",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        assert_eq!(read.event(), LogEvent::ToDevice(ToDevice::Dropped(vec![(alice, "b430")])));
        let text = line(
            "synapse.9533_debug",
            "Returning to-device messages with stream_ids (3, 5]; now: 5; msgids: ['b430', None, 'c1']",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        assert_eq!(read.event(), LogEvent::ToDevice(ToDevice::Returned(vec!["b430", "c1"])));
    }

    #[test]
    fn deleted_devices_are_named() {
        let text = line("synapse.handlers.device", "Deleting devices ['A', 'B'] for '@alice:localhost'");
        let read = parse_line(text.as_bytes()).unwrap();
        let wanted = LogEvent::DeletingDevices { user_id: "@alice:localhost", device_ids: vec!["A", "B"] };
        assert_eq!(read.event(), wanted);
    }

    #[test]
    fn a_start_shows() {
        let text = line("root", "***** STARTING SERVER *****");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event(), LogEvent::Starting);
        let text = line("root", "Server /usr/bin/x version 1.155.0");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event(), LogEvent::Version("1.155.0"));
    }
}

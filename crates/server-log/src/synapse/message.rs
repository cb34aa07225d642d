//! What a message of Synapse's says, by its logger.

use memchr::memmem;

use crate::event::{AccessLine, Claim, Class, DeviceRef, EventKind, RefusedLine, ToDevice};
use crate::stamp::{plausible, read_iso};

/// What stands in every access line, behind the user.
pub const ACCESS_WORDS: &str = "} Processed request: ";

/// What stands in the lines that a process writes when it starts. Other lines may hold it, too.
pub const START_WORDS: [&str; 3] = ["***** STARTING SERVER *****", ".py version ", "Instance name: "];

/// Where a process asks another one of the same server.
pub const REPLICATION_PATH: &str = "/_synapse/replication/";

/// What stands in the lines of a process that talks to others. Other lines may hold it, too.
pub const REPLICATION_WORDS: [&str; 3] = ["synapse.replication.", "Connecting to redis (", REPLICATION_PATH];

/// How the lines begin that a cut may deprive of whom they are about.
pub const LEDGER_WORDS: [&str; 4] =
    ["Adding one_time_keys ", "Claimed one-time-keys: ", "Updating device_keys for device ", "Deleting devices ["];

/// Bytes of an access line in front of [`ACCESS_WORDS`] at most: an address, a site and a user.
const ACCESS_HEAD_BYTES: usize = 1024;

/// What the message of a logger says.
pub(super) fn event<'a>(logger: &str, message: &'a str) -> EventKind<'a> {
    let event = if logger.starts_with("synapse.access.") {
        access(message).map(EventKind::Access).or_else(|| is_cut(message, ACCESS_WORDS).then_some(EventKind::Cut))
    } else {
        match logger {
            "synapse.http.server" => refused(message)
                .map(EventKind::Refused)
                .or_else(|| message.ends_with("already disconnected.").then_some(EventKind::ClientGone)),
            "synapse.handlers.e2e_keys" => keys(message),
            "synapse.handlers.auth" => login(message),
            "synapse.handlers.device" => deleting(message),
            "synapse.http.site" => message.starts_with("Connection from client lost").then_some(EventKind::ClientGone),
            "synapse.9533_debug" => to_device(message).map(EventKind::ToDevice),
            _ if logger.starts_with(REPLICATION_WORDS[0]) || message.starts_with(REPLICATION_WORDS[1]) => {
                Some(EventKind::Replication)
            }
            _ => started(message),
        }
    };
    event.unwrap_or(EventKind::Other)
}

/// What a pager (`less -S`) and `journalctl` put at the end of a line that is wider than the terminal.
pub(crate) const CUT_MARKS: [char; 2] = ['>', '…'];

/// Whether a message that does not read was cut: it begins as one that counts, or ends as a terminal cuts it.
fn is_cut(message: &str, words: &str) -> bool {
    message.ends_with(CUT_MARKS) || message.contains(words)
}

/// The class of a message, told by its logger and a look at its beginning: for every line of a large log.
pub fn class(logger: &[u8], message: &[u8]) -> Class {
    if logger.starts_with(b"synapse.access.") {
        return took(message).map_or(Class::Other, Class::Access);
    }
    match logger {
        b"synapse.handlers.e2e_keys" | b"synapse.handlers.device" => Class::Ledger,
        b"synapse.handlers.auth" if message.starts_with(b"Logging in user ") => Class::Ledger,
        b"synapse.http.server" if memmem::find(message, b" already exists").is_some() => Class::Ledger,
        _ if memmem::find(message, START_WORDS[0].as_bytes()).is_some() => Class::Start,
        _ => Class::Other,
    }
}

/// Milliseconds from the request's start to the line, as [`AccessLine::duration_ms`]: `… Processed request: 0.095sec/0.000sec …`.
fn took(message: &[u8]) -> Option<u64> {
    let at = memmem::find(&message[..message.len().min(ACCESS_HEAD_BYTES)], ACCESS_WORDS.as_bytes())?;
    let rest = &message[at + ACCESS_WORDS.len()..];
    let (processing, used) = seconds(rest)?;
    let (sending, _) = seconds(rest.get(used..)?.strip_prefix(b"sec/")?)?;
    Some(u64::try_from(processing).unwrap_or(0).saturating_add_signed(sending.max(0)))
}

fn access(message: &str) -> Option<AccessLine<'_>> {
    let at = memmem::find(message.as_bytes(), ACCESS_WORDS.as_bytes())?;
    let (head, rest) = (&message[..at], &message[at + ACCESS_WORDS.len()..]);
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

/// `0.049` or `-0.001` as milliseconds, without floating point, and its length.
pub fn seconds(text: &[u8]) -> Option<(i64, usize)> {
    let negative = text.first() == Some(&b'-');
    let from = usize::from(negative);
    let digits = |text: &[u8]| text.iter().take(11).take_while(|byte| byte.is_ascii_digit()).count();
    let whole = digits(&text[from..]);
    let point = from + whole;
    if !(1..=10).contains(&whole) || text.get(point) != Some(&b'.') || digits(&text[point + 1..]) != 3 {
        return None;
    }
    let number = text[from..point].iter().chain(&text[point + 1..point + 4]);
    let ms = number.fold(0_i64, |ms, digit| ms * 10 + i64::from(digit - b'0'));
    Some((if negative { -ms } else { ms }, point + 4))
}

fn millis(text: &str) -> Option<i64> {
    seconds(text.as_bytes()).filter(|(_, length)| *length == text.len()).map(|found| found.0)
}

fn refused(message: &str) -> Option<RefusedLine<'_>> {
    let at = memmem::find(message.as_bytes(), b"> SynapseError: ")?;
    let (head, rest) = (&message[..at], &message[at + "> SynapseError: ".len()..]);
    let method = head.split_once(" method='")?.1.split_once('\'')?.0;
    let uri = head.split_once(" uri='")?.1.split_once('\'')?.0;
    let (status, reason) = rest.split_once(" - ")?;
    Some(RefusedLine { method, uri, status: status.parse().ok()?, reason })
}

fn keys(message: &str) -> Option<EventKind<'_>> {
    if let Some(list) = message.strip_prefix(LEDGER_WORDS[1]) {
        // Neither ids nor server names hold a comma, but a hostile device id may: such a part does not read. Synapse prints the
        // line also where there was no key to claim.
        let parts = list.split(',').filter(|part| !part.trim().is_empty());
        let claims: Option<Vec<Claim<'_>>> = parts.map(claim).collect();
        return Some(claims.filter(|_| !list.ends_with(CUT_MARKS)).map_or(EventKind::Cut, EventKind::Claimed));
    }
    if let Some(rest) = message.strip_prefix(LEDGER_WORDS[0]) {
        return Some(adding(rest).unwrap_or(EventKind::Cut));
    }
    let rest = message.strip_prefix(LEDGER_WORDS[2])?;
    Some(updating(rest).unwrap_or(EventKind::Cut))
}

fn adding(rest: &str) -> Option<EventKind<'_>> {
    // Python 2 printed a plain list.
    let (list, rest) = match rest.strip_prefix("dict_keys([") {
        Some(rest) => rest.split_once("]) for device ")?,
        None => rest.strip_prefix('[')?.split_once("] for device ")?,
    };
    let (device_id, rest) = repr(rest)?;
    let (user_id, rest) = repr(rest.strip_prefix(" for user ")?)?;
    let key_ids =
        list.split(", ").filter(|item| !item.is_empty()).map(|item| Some(repr(item)?.0)).collect::<Option<_>>()?;
    let at = rest.strip_prefix(" at ")?.parse().ok()?;
    Some(EventKind::AddingOneTimeKeys { device: DeviceRef { user_id, device_id }, key_ids, at: plausible(at) })
}

fn updating(rest: &str) -> Option<EventKind<'_>> {
    let (device_id, rest) = repr(rest)?;
    let (user_id, at) = rest.strip_prefix(" for user ")?.rsplit_once(" at ")?;
    let at = at.parse().ok()?;
    Some(EventKind::UpdatingDeviceKeys { device: DeviceRef { user_id, device_id }, at: plausible(at) })
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

fn login(message: &str) -> Option<EventKind<'_>> {
    let (user_id, device_id) = match message.strip_prefix("Logging in user ")?.split_once(" on device ") {
        Some((_, device_id)) if device_id.ends_with(CUT_MARKS) => return Some(EventKind::Cut),
        Some(read) => read,
        None => return message.ends_with(CUT_MARKS).then_some(EventKind::Cut),
    };
    // A token that expires is printed with the time: `on device X until 2026-11-20 08:20:00`. Only a time is one, since a
    // device id may hold anything.
    let device_id = match device_id.rsplit_once(" until ") {
        Some((device_id, until)) if read_iso(until.as_bytes()).is_some_and(|(_, length)| length == until.len()) => {
            device_id
        }
        _ => device_id,
    };
    Some(EventKind::Login(DeviceRef { user_id, device_id }))
}

/// `Deleting devices ['FYFNRUJGAD'] for '@alice:localhost'`.
fn deleting(message: &str) -> Option<EventKind<'_>> {
    let rest = message.strip_prefix(LEDGER_WORDS[3])?;
    let read = || {
        let (list, rest) = rest.split_once("] for ")?;
        let user_id = repr(rest)?.0;
        let items = list.split(", ").filter(|item| !item.is_empty());
        let device_ids = items.map(|item| Some(repr(item)?.0)).collect::<Option<_>>()?;
        Some(EventKind::DeletingDevices { user_id, device_ids })
    };
    Some(read().unwrap_or(EventKind::Cut))
}

fn started(message: &str) -> Option<EventKind<'_>> {
    if message.contains(START_WORDS[0]) {
        return Some(EventKind::Starting);
    }
    if let Some(name) = message.strip_prefix(START_WORDS[2]) {
        return (!name.contains(' ')).then_some(EventKind::Instance(name));
    }
    let (name, version) = message.strip_prefix("Server ")?.split_once(" version ")?;
    (!name.contains(' ')).then_some(EventKind::Version(version))
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
    use super::*;
    use crate::line::parse_line;

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
        assert_eq!(line.class(), Class::Access(95), "cheaply, and as the whole line says it");
        let EventKind::Access(access) = line.event().kind else { panic!() };
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
        let EventKind::Access(access) = line.event().kind else { panic!() };
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
            read.event().kind,
            EventKind::AddingOneTimeKeys {
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
        assert_eq!(read.event().kind, EventKind::UpdatingDeviceKeys { device, at: Some(1_795_422_957_760) });
        let text = line(
            "synapse.handlers.e2e_keys",
            "Claimed one-time-keys: signed_curve25519:AAAAAAAAABc for @alice:localhost:ZDUDAVALPA,signed_curve25519:AAAAAAAAAA0 for @b:h:8448:NFQ",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let EventKind::Claimed(claims) = read.event().kind else { panic!() };
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
            assert_eq!(read.event().kind, EventKind::Login(device), "{message}");
        }
    }

    #[test]
    fn a_time_that_cannot_be_one_is_none() {
        for (stated, wanted) in
            [("1795422957760", Some(1_795_422_957_760)), ("9223372036854775807", None), ("-1", None)]
        {
            let text = line(
                "synapse.handlers.e2e_keys",
                &format!("Updating device_keys for device 'A' for user @a:h at {stated}"),
            );
            let read = parse_line(text.as_bytes()).unwrap();
            let EventKind::UpdatingDeviceKeys { at, .. } = read.event().kind else { panic!("{text}") };
            assert_eq!(at, wanted);
        }
    }

    #[test]
    fn a_claim_of_no_key_is_whole() {
        let text = line("synapse.handlers.e2e_keys", "Claimed one-time-keys: ");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event().kind, EventKind::Claimed(Vec::new()));
    }

    #[test]
    fn a_line_that_begins_as_one_of_the_ledger_and_does_not_end_as_one_is_cut_wherever_it_ends() {
        let access = r#"8008 - {@a:h} Processed request: 0.095sec/0.001sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 528B 200 "POST /_matrix/client/v3/keys/upload HTTP/1.1" "UA" [0 dbevts]"#;
        for (logger, words, rest) in [
            (
                "synapse.handlers.e2e_keys",
                "Adding one_time_keys ",
                "dict_keys(['signed_curve25519:A', 'signed_curve25519:B']) for device 'D' for user '@a:h' at 1795422957760",
            ),
            (
                "synapse.handlers.e2e_keys",
                "Claimed one-time-keys: ",
                "signed_curve25519:A for @a:h:D,signed_curve25519:B for @b:h:E",
            ),
            ("synapse.handlers.e2e_keys", "Updating device_keys for device ", "'D' for user @a:h at 1795422957760"),
            ("synapse.handlers.device", "Deleting devices [", "'A', 'B'] for '@alice:localhost'"),
            ("synapse.handlers.auth", "Logging in user ", "@alice:localhost on device NFQ"),
            ("synapse.access.http.8008", "127.0.0.1 - ", access),
        ] {
            let whole = line(logger, &format!("{words}{rest}"));
            let kind = parse_line(whole.as_bytes()).map(|line| line.into_owned().event().kind == EventKind::Cut);
            assert_eq!(kind, Some(false), "{whole}");
            for (end, mark) in (0..rest.len()).flat_map(|end| CUT_MARKS.map(|mark| (end, mark))) {
                let text = line(logger, &format!("{words}{}{mark}", &rest[..end]));
                let read = parse_line(text.as_bytes()).unwrap();
                let kind = read.event().kind;
                // Nothing is wanted of an access line that stands behind the path.
                let whole_enough = matches!(kind, EventKind::Access(_)) && rest[..end].contains("/upload ");
                assert!(kind == EventKind::Cut || whole_enough, "{text}: {kind:?}");
            }
        }
    }

    #[test]
    fn a_refusal_gives_its_reason() {
        let text = line(
            "synapse.http.server",
            "<XForwardedForRequest at 0x7f method='POST' uri='/_matrix/client/v3/keys/upload' clientproto='HTTP/1.1' site='8008'> SynapseError: 400 - One time key signed_curve25519:AAAAAAAAAA0 already exists. Old key: {}",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        let EventKind::Refused(error) = read.event().kind else { panic!() };
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
        let EventKind::ToDevice(ToDevice::Stored(targets)) = read.event().kind else { panic!() };
        assert_eq!((targets.len(), targets[0]), (2, (alice, "b430")));
        let text = line(
            "synapse.9533_debug",
            "Dropping to-device messages for unknown devices: ['@alice:localhost/NFQ (msgid b430)']",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        assert_eq!(read.event().kind, EventKind::ToDevice(ToDevice::Dropped(vec![(alice, "b430")])));
        let text = line(
            "synapse.9533_debug",
            "Returning to-device messages with stream_ids (3, 5]; now: 5; msgids: ['b430', None, 'c1']",
        );
        let read = parse_line(text.as_bytes()).unwrap();
        assert_eq!(read.event().kind, EventKind::ToDevice(ToDevice::Returned(vec!["b430", "c1"])));
    }

    #[test]
    fn deleted_devices_are_named() {
        let text = line("synapse.handlers.device", "Deleting devices ['A', 'B'] for '@alice:localhost'");
        let read = parse_line(text.as_bytes()).unwrap();
        let wanted = EventKind::DeletingDevices { user_id: "@alice:localhost", device_ids: vec!["A", "B"] };
        assert_eq!(read.event().kind, wanted);
    }

    #[test]
    fn a_start_shows() {
        let text = line("root", "***** STARTING SERVER *****");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event().kind, EventKind::Starting);
        let text = line("root", "Server /usr/bin/x version 1.155.0");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event().kind, EventKind::Version("1.155.0"));
    }
}

//! What a message of Synapse's says, by its logger.

use memchr::memmem;

use super::access::{ACCESS_WORDS, access, refused, took};
use super::ledger::{deleting, keys, login};
use super::levels::TO_DEVICE_LOGGER;
use super::to_device::to_device;
use crate::event::{Class, EventKind};
use crate::format::CUT_MARKS;

/// What stands in the lines that a process writes when it starts. Other lines may hold it, too.
pub const START_WORDS: [&str; 3] = ["***** STARTING SERVER *****", ".py version ", "Instance name: "];

/// Where a process asks another one of the same server.
pub const REPLICATION_PATH: &str = "/_synapse/replication/";

/// What stands in the lines of a process that talks to others. Other lines may hold it, too.
pub const REPLICATION_WORDS: [&str; 3] = ["synapse.replication.", "Connecting to redis (", REPLICATION_PATH];

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
            TO_DEVICE_LOGGER => to_device(message).map(EventKind::ToDevice),
            _ if logger.starts_with(REPLICATION_WORDS[0]) || message.starts_with(REPLICATION_WORDS[1]) => {
                Some(EventKind::Replication)
            }
            _ => started(message),
        }
    };
    event.unwrap_or(EventKind::Other)
}

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

/// A line with a message of a logger's.
#[cfg(test)]
pub(super) fn line(logger: &str, message: &str) -> String {
    format!("2026-11-23 08:36:03,872 - {logger} - 643 - INFO - POST-48 - {message}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::line::parse_line;

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
    fn a_start_shows() {
        let text = line("root", "***** STARTING SERVER *****");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event().kind, EventKind::Starting);
        let text = line("root", "Server /usr/bin/x version 1.155.0");
        assert_eq!(parse_line(text.as_bytes()).unwrap().event().kind, EventKind::Version("1.155.0"));
    }
}

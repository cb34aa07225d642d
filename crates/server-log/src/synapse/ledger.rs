//! What Synapse says of keys, log-ins and devices that are deleted.

use crate::event::{Claim, DeviceRef, EventKind};
use crate::format::CUT_MARKS;
use crate::stamp::{plausible, read_iso};

/// How the lines begin that a cut may deprive of whom they are about.
pub const LEDGER_WORDS: [&str; 4] =
    ["Adding one_time_keys ", "Claimed one-time-keys: ", "Updating device_keys for device ", "Deleting devices ["];

/// A line of `synapse.handlers.e2e_keys`.
pub(super) fn keys(message: &str) -> Option<EventKind<'_>> {
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
pub(super) fn repr(text: &str) -> Option<(&str, &str)> {
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

/// `Logging in user @alice:localhost on device NFQ`.
pub(super) fn login(message: &str) -> Option<EventKind<'_>> {
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
pub(super) fn deleting(message: &str) -> Option<EventKind<'_>> {
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

#[cfg(test)]
mod tests {
    use super::super::message::line;
    use super::*;
    use crate::line::parse_line;

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
    fn deleted_devices_are_named() {
        let text = line("synapse.handlers.device", "Deleting devices ['A', 'B'] for '@alice:localhost'");
        let read = parse_line(text.as_bytes()).unwrap();
        let wanted = EventKind::DeletingDevices { user_id: "@alice:localhost", device_ids: vec!["A", "B"] };
        assert_eq!(read.event().kind, wanted);
    }
}

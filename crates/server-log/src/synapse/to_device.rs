//! What Synapse says of to-device messages, where `synapse.9533_debug` is at DEBUG.

use super::ledger::repr;
use crate::event::{DeviceRef, ToDevice};

/// A line of `synapse.9533_debug`.
pub(super) fn to_device(message: &str) -> Option<ToDevice<'_>> {
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
    use super::super::message::line;
    use super::*;
    use crate::event::EventKind;
    use crate::line::parse_line;

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
}

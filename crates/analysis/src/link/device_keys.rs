//! OLM: identity keys that do not fit: the sender's `InvalidSignature`, the receiver's message for another key, and
//! refused updates.

use super::{Case, times};
use crate::evidence::Olm;
use crate::evidence::olm::OlmKind;
use crate::finding::{EntryRef, Finding, Kind, Verdict};
use crate::identity::claimed_is_signed;

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for group in groups(case, OlmKind::OutboundCreation) {
        if group.line.cause.as_deref() == Some("InvalidSignature") {
            findings.push(invalid_signature(case, &group));
        }
    }
    for group in groups(case, OlmKind::NotForOurKey) {
        findings.push(other_identity(case, &group));
    }
    for group in groups(case, OlmKind::DeviceUpdateRejected) {
        if group.line.cause.as_deref() == Some("SigningKeyChanged") {
            findings.push(identity_changed(case, &group));
        }
    }
    findings
}

/// Lines of one kind about one peer device and key, in one report.
struct Group<'a> {
    line: &'a Olm,
    entries: Vec<EntryRef>,
}

fn groups(case: Case<'_>, kind: OlmKind) -> Vec<Group<'_>> {
    let mut groups: Vec<Group<'_>> = Vec::new();
    for (at, _, line) in case.olm().filter(|(_, _, line)| line.kind == kind) {
        let same = |group: &&mut Group<'_>| {
            let other = group.line;
            group.entries.iter().all(|entry| entry.report == at.report)
                && (&other.user_id, &other.device_id, &other.one_time_key, &other.new_signing_key)
                    == (&line.user_id, &line.device_id, &line.one_time_key, &line.new_signing_key)
                && (&other.cause, &other.signing_key, &other.sender_key)
                    == (&line.cause, &line.signing_key, &line.sender_key)
        };
        match groups.iter_mut().find(same) {
            Some(group) => group.entries.push(at),
            None => groups.push(Group { line, entries: vec![at] }),
        }
    }
    groups
}

fn peer(line: &Olm) -> String {
    match (&line.user_id, &line.device_id) {
        (Some(user_id), Some(device_id)) => format!("device {device_id} of {user_id}"),
        (Some(user_id), None) => format!("a device of {user_id}"),
        _ => "a device".to_owned(),
    }
}

/// The device's own Ed25519 key, out of its own report. Two reports of it that differ count as none.
fn own_key<'a>(case: Case<'a>, line: &Olm) -> Option<&'a str> {
    let (user_id, device_id) = (line.user_id.as_ref()?, line.device_id.as_ref()?);
    let of_device = case
        .reports
        .iter()
        .filter(|report| report.user_id.as_ref() == Some(user_id) && report.device_id.as_ref() == Some(device_id));
    let mut keys = of_device.filter_map(|report| report.own_keys()?.ed25519.as_deref());
    let first = keys.next()?;
    keys.all(|key| key == first).then_some(first)
}

fn invalid_signature(case: Case<'_>, group: &Group<'_>) -> Finding {
    let line = group.line;
    let device = own_key(case, line);
    let sender = line.signing_key.as_deref();
    let by_device = device.and_then(|device| claimed_is_signed(line.signed.as_ref()?, device));
    let base = |verdict, statement: String| {
        Finding::new(Kind::InvalidSignature, verdict, statement)
            .ruled_out("A rolled-back store: it would have kept its identity, and its keys their signatures.")
            .rests_on(group.entries.iter().copied())
            .id("userId", line.user_id.as_deref())
            .id("deviceId", line.device_id.as_deref())
            .id("oneTimeKey", line.one_time_key.as_deref())
            .id("signingKey", sender)
            .id("ownKey", device)
    };
    let failed = format!("No Olm session with {} could be made ({})", peer(line), times(group.entries.len()));
    match (sender, device) {
        (Some(sender), Some(device)) if sender != device => {
            let statement = format!("{failed}: the sender knows the device by another Ed25519 key than the device itself.");
            let mut finding = base(Verdict::Proven, statement)
                .proves("Two identities have used this device id: the sender's view of it and the device's own key differ.")
                .does_not_prove("Whether the sender's device list is stale, or the server's keys were overwritten.");
            if by_device == Some(true) {
                finding = finding.proves("The claimed one-time key is signed by the device's own key, so it is the sender's view that is out of date.");
            }
            finding.needs("which of the two the server holds", "server query `device-keys`")
        }
        (Some(_), Some(_)) => base(
            Verdict::Unknown,
            format!("{failed}: the one-time key that the server gave out is not signed by the device's own key, which the sender holds, too."),
        )
        .proves("The sender's view of the device is the device's own key, and the one-time key is not signed by it.")
        .does_not_prove("That the server holds the same identity: if it does, the one-time key is of an identity that is gone (identity replaced); if not, the sender's list is stale or the server's keys were overwritten.")
        .needs("the identity that the server holds", "server query `device-keys`"),
        _ => base(
            Verdict::Unknown,
            format!("{failed}: the one-time key that the server gave out is not signed by the key that the sender holds for the device."),
        )
        .open("Identity replaced: the one-time key is of an identity that is gone.")
        .open("The sender's device list is stale.")
        .open("Another context has overwritten the device's keys on the server.")
        .needs("the device's own keys", "a report made with `collectReport(mx)` on that device")
        .needs("the identity that the server holds", "server query `device-keys`"),
    }
}

fn other_identity(case: Case<'_>, group: &Group<'_>) -> Finding {
    let at = group.entries.first().map_or(0, |entry| entry.report);
    Finding::new(
        Kind::EncryptedForOtherIdentity,
        Verdict::Proven,
        format!(
            "{} encrypted for another identity key than that of {} ({}).",
            group.line.user_id.as_deref().unwrap_or("A sender"),
            case.device(at),
            times(group.entries.len())
        ),
    )
    .proves("The sender used an identity of this device id that this store does not have.")
    .does_not_prove("Which of the two identities is the newer one.")
    .open("The sender's device list is stale.")
    .needs("the identity that the server holds", "server query `device-keys`")
    .rests_on(group.entries.iter().copied())
    .id("sender", group.line.user_id.as_deref())
    .id("messageId", group.line.message_id.as_deref())
}

fn identity_changed(case: Case<'_>, group: &Group<'_>) -> Finding {
    let at = group.entries.first().map_or(0, |entry| entry.report);
    Finding::new(
        Kind::DeviceIdentityChanged,
        Verdict::Proven,
        format!(
            "The server gives another Ed25519 key for {} than {} has known it by.",
            peer(group.line),
            case.device(at)
        ),
    )
    .proves(
        "Two identities have used this device id, as far as the server can be believed; this client keeps the first.",
    )
    .does_not_prove("Which of them is in use now.")
    .ruled_out("A rolled-back store of that device: it would have kept its identity.")
    .needs("the device's own keys", "a report made with `collectReport(mx)` on that device")
    .rests_on(group.entries.iter().copied())
    .id("userId", group.line.user_id.as_deref())
    .id("deviceId", group.line.device_id.as_deref())
    .id("signingKey", group.line.known_signing_key.as_deref())
    .id("newSigningKey", group.line.new_signing_key.as_deref())
}

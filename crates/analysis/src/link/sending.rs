//! OLM, the sender's side: messages that never left.

use super::{Case, times};
use crate::evidence::Olm;
use crate::evidence::olm::OlmKind;
use crate::finding::{EntryRef, Finding, Kind, Verdict};

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for at in 0..case.reports.len() {
        let of_kind = |kind: OlmKind| -> Vec<(EntryRef, &Olm)> {
            let lines = case.olm().filter(|(place, _, line)| place.report == at && line.kind == kind);
            lines.map(|(place, _, line)| (place, line)).collect()
        };
        let without = of_kind(OlmKind::NoOneTimeKey);
        if !without.is_empty() {
            findings.push(no_one_time_key(case, at, &without));
        }
        let dropped = of_kind(OlmKind::BatchDropped);
        if !dropped.is_empty() {
            findings.push(batch_dropped(case, at, &dropped));
        }
    }
    findings
}

fn no_one_time_key(case: Case<'_>, at: usize, lines: &[(EntryRef, &Olm)]) -> Finding {
    let mut devices: Vec<String> = Vec::new();
    for device in lines.iter().flat_map(|(_, line)| &line.devices) {
        let name = format!("{}:{}", device.user_id, device.device_id);
        if !devices.contains(&name) {
            devices.push(name);
        }
    }
    let which = match devices.len() {
        0 => "some devices".to_owned(),
        1 => format!("device {}", devices[0]),
        many => format!("{many} devices"),
    };
    Finding::new(
        Kind::NoOneTimeKey,
        Verdict::Proven,
        format!(
            "The server gave {} no one-time key for {which}, not even a fallback key ({}).",
            case.device(at),
            times(lines.len())
        ),
    )
    .proves("No new Olm session with those devices could be made, so nothing that needs one was sent to them.")
    .does_not_prove(
        "A conflict of one-time keys (KE-1): a device that was logged out, or never uploaded keys, gives none either.",
    )
    .open("The device was logged out, and the sender's device list is stale.")
    .open("The device's one-time keys are exhausted, and its client publishes no fallback key.")
    .needs("what the server holds for those devices", "server queries `olm-peer-keys` and `devices`")
    .rests_on(lines.iter().map(|(place, _)| *place))
    .id("devices", Some(devices.join(" ").as_str()).filter(|devices| !devices.is_empty()))
}

fn batch_dropped(case: Case<'_>, at: usize, lines: &[(EntryRef, &Olm)]) -> Finding {
    let causes = lines.iter().find_map(|(_, line)| line.cause.as_deref());
    Finding::new(
        Kind::BatchDropped,
        Verdict::Proven,
        format!(
            "The client of {} dropped a batch of to-device messages, since the server refused it{} ({}).",
            case.device(at),
            causes.map_or(String::new(), |cause| format!(" with {cause}")),
            times(lines.len())
        ),
    )
    .proves("The messages of that batch were never sent. Media keys go through this queue.")
    .does_not_prove("Which messages they were.")
    .needs("which batch it was", "this report's `sent` list, and server query `ke2-sent`")
    .rests_on(lines.iter().map(|(place, _)| *place))
}

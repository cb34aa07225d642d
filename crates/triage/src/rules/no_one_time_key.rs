//! OLM: a sender asked for a one-time key of a device, and the server had none, not even a fallback key.

use super::Rule;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{ArtefactKind, ClockOf, Evidence, Sentences, Verdict};
use crypto_diag_analysis::evidence::olm::OlmKind;

const EXISTS: Premise = Premise {
    id: "no-one-time-key/exists",
    says: "The device exists: the server lists it, or it made a report itself.",
    rules_out: "The device is logged out, and the sender's list of devices is stale: there was nothing to give, and nothing is wrong with the keys.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::NoOneTimeKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::QueryResults],
    argument: "matrix-sdk-crypto names the devices for which an answer to keys/claim held no key; those of servers that could not \
               be reached are not among them. No new Olm session with such a device can be made, so nothing that needs one is \
               sent to it. It says nothing of KE-1.",
    proven_by: &[&EXISTS],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for (report, entry, _, olm) in case.olm().filter(|(_, _, _, olm)| olm.kind == OlmKind::NoOneTimeKey) {
        let sender = case.label(&case.pages[report]);
        let named = olm.devices.iter().map(|device| Some(Device::new(&device.user_id, &device.device_id)));
        // A line that was cut names nobody: its devices are unknown ones.
        let devices: Vec<Option<Device>> = if olm.devices.is_empty() { vec![None] } else { named.collect() };
        for device in devices {
            let name = device.as_ref().map_or_else(|| "a device that the line does not name".to_owned(), Device::label);
            let proof = Proof::new(case)
                .evidence(case.entry(report, entry, "the server's answer held no key for it"))
                .premise(&EXISTS, device.as_ref().and_then(|device| exists(case, device)), || {
                    vec![
                        Need::query(Some(report), "devices", "whether the device still exists"),
                        Need::query(Some(report), "olm-peer-keys", "what the server holds for it"),
                    ]
                });
            let sentences = Sentences {
                proven: format!("The server gave {sender} no one-time key for {name}, not even a fallback key."),
                refuted: String::new(),
                unknown: format!(
                    "The server gave {sender} no one-time key for {name}; whether that device still existed cannot be told."
                ),
            };
            let about = device.as_ref().map_or_else(|| sender.clone(), |device| format!("{sender} {}", device.label()));
            let subject = Subject { device, peer: case.pages[report].device.clone(), ..Subject::default() };
            let verdict = Verdict::decide(case, Conclusion::NoOneTimeKey, (about, subject), proof, None, sentences)
                .how("Whether its keys are exhausted and its client publishes no fallback key, or it never published any.");
            verdicts.push(verdict);
        }
    }
    verdicts
}

fn exists(case: &Case<'_>, device: &Device) -> Option<Evidence> {
    if let Some(page) = case.pages_of(device).next() {
        return Some(case.whole(page.report, &device.label(), "the device made a report"));
    }
    case.bundle.queries.iter().find_map(|results| {
        let mut rows = results.devices.iter();
        let row = rows.find(|row| row.user_id == device.user_id && row.device_id == device.device_id)?;
        let says = "the server lists the device";
        Some(Evidence::new(&results.name, row.place.clone(), None, ClockOf::Server, &device.label(), says))
    })
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    let asked = |name: &str, devices: &str| {
        let line = format!(
            "Tried to create new Olm sessions, but the signed one-time key was missing for some devices {devices}"
        );
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000).line(
            1_795_425_000_000,
            Level::Warn,
            &line,
        );
        History::new(name).file("alice.report.json", page.json())
    };
    let bob = r#"missing_devices_by_user={"@bob:example.org": {"BOB"}}"#;
    let devices = |device: &str| {
        format!(
            r#"[{{"name":"devices","params":["@bob:example.org"],"at":1795427000000,"rows":[{{"user_id":"@bob:example.org","device_id":"{device}","hidden":false}}]}}]"#
        )
    };
    vec![
        asked("a device that exists has no key left", bob)
            .file("queries.json", devices("BOB"))
            .proves("no-one-time-key", "@bob:example.org/BOB"),
        asked("the device was logged out", bob)
            .file("queries.json", devices("PHONE"))
            .never_proves("no-one-time-key", ""),
        asked("the line is cut before its devices", "").never_proves("no-one-time-key", ""),
    ]
}

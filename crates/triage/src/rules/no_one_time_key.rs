//! OLM: a sender asked for a one-time key of a device, and the server had none, not even a fallback key.

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::moment::{Clock, Moment};
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{ClockOf, Evidence, Sentences, Verdict};
use crypto_diag_analysis::evidence::olm::OlmKind;

const EXISTS: Premise = Premise {
    id: "no-one-time-key/exists",
    says: "The device existed then: the server lists it afterwards, or a page of it was open at that time and in sync afterwards.",
    rules_out: "The device is logged out, and the sender's list of devices is stale: there was nothing to give, and nothing is wrong with the keys.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::NoOneTimeKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::QueryResults, ArtefactKind::ServerLog, ArtefactKind::Har],
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
        let asked = case.printed(report, entry);
        let named = olm.devices.iter().map(|device| Some(Device::new(&device.user_id, &device.device_id)));
        // A line that was cut names nobody: its devices are unknown ones.
        let devices: Vec<Option<Device>> = if olm.devices.is_empty() { vec![None] } else { named.collect() };
        for device in devices {
            let name = device.as_ref().map_or_else(|| "a device that the line does not name".to_owned(), Device::label);
            let proof =
                Proof::new(case).evidence(case.entry(report, entry, "the server's answer held no key for it")).premise(
                    &EXISTS,
                    device.as_ref().zip(asked).and_then(|(device, asked)| exists(case, device, asked)),
                    || {
                        vec![
                            Need::query(Some(report), "devices", "whether the device still exists"),
                            Need::query(Some(report), "olm-peer-keys", "what the server holds for it"),
                        ]
                    },
                );
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

fn exists(case: &Case<'_>, device: &Device, asked: Moment) -> Option<Evidence> {
    let was_open = |page: &&crate::case::Page| {
        case.begun(page).is_some_and(|begun| case.clocks.is_before(begun, asked))
            && page.watched(case.report(page)).is_some_and(|(_, made)| case.clocks.is_before(asked, made))
            && case.report(page).is_in_sync()
    };
    if let Some(page) = case.pages_of(device).find(was_open) {
        return Some(case.whole(
            page.report,
            &device.label(),
            "a page of the device was open then, and in sync afterwards",
        ));
    }
    case.bundle.queries.iter().find_map(|results| {
        let later = |(user, at): &(String, Option<i64>)| {
            *user == device.user_id
                && at.is_some_and(|at| case.clocks.is_before(asked, Moment::at(Clock::Database, at)))
        };
        let mut rows = results.devices.iter();
        let row = rows.find(|row| row.user_id == device.user_id && row.device_id == device.device_id)?;
        let says = "the server lists the device afterwards";
        let row = Evidence::new(&results.name, row.place.clone(), None, ClockOf::Server, &device.label(), says);
        results.devices_of.iter().any(later).then_some(row)
    })
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;
    use serde_json::json;

    fn add(report: &mut serde_json::Value, devices: &str) {
        let line = format!(
            "Tried to create new Olm sessions, but the signed one-time key was missing for some devices {devices}"
        );
        let ts = report["capture"]["installedAt"].as_u64().expect("a time") + 6_000;
        report["entries"].as_array_mut().expect("a list").push(json!({
            "ts": ts, "level": "warn", "ke": "OLM", "signature": "s", "message": line, "meaning": "failure",
            "realm": {"kind": "main", "path": null},
        }));
    }
    // A recorded call, whose database was asked for the devices of both users right after it.
    let asked = |name: &str, devices: &str| {
        let history = History::recorded("healthy-key-exchange", name).without("peer.report.json").without("peer.har");
        history.edit("victim.report.json", |report| add(report, devices))
    };
    let bob = r#"missing_devices_by_user={"@bob-6:localhost": {"HDMZKZPGBB"}}"#;
    // Nobody asked the database, and a page of the device is open.
    let open = |name: &str, state: &str| {
        let state = state.to_owned();
        History::recorded("healthy-key-exchange", name)
            .without("queries.json")
            .edit("victim.report.json", |report| add(report, bob))
            .edit("peer.report.json", move |report| {
                report["generatedAt"] = (report["generatedAt"].as_u64().expect("a time") + 120_000).into();
                report["syncState"] = state.into();
            })
    };
    let gone = r#"missing_devices_by_user={"@bob-6:localhost": {"LOGGEDOUT"}}"#;
    vec![
        asked("a device that exists has no key left", bob).proves("no-one-time-key", "@bob-6:localhost/HDMZKZPGBB"),
        asked("the device was logged out", gone).never_proves("no-one-time-key", ""),
        asked("the device was logged out after the server had been asked for it", bob)
            .edit("queries.json", |results| {
                for table in results.as_array_mut().expect("a list") {
                    let at = table["at"].as_u64().expect("a time");
                    table["at"] = (at - 60_000).into();
                }
            })
            .never_proves("no-one-time-key", ""),
        open("a device has no key left while its page is open", "SYNCING").proves("no-one-time-key", "HDMZKZPGBB"),
        open("the device was deleted while its page stayed open", "STOPPED").never_proves("no-one-time-key", ""),
        asked("the line is cut before its devices", "").never_proves("no-one-time-key", ""),
    ]
}

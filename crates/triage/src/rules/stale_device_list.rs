//! OLM: a sender knows a device by an identity that is out of date.

use std::cmp::Ordering;

use crypto_diag_analysis::sorted::distinct;

use super::rule::Rule;
use super::unsigned::Unsigned;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::identity::{SaidBy, Sighting};
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::verdict::{Evidence, Sentences, Verdict};

const DEVICE_AFTER: Premise = Premise {
    id: "stale-device-list/device-says-another",
    says: "After the sender's line the device itself says another Ed25519 key than the sender knows it by.",
    rules_out: "The device has got a new identity since it said that, and the sender knows the new one.",
};

const SERVER_BEFORE: Premise = Premise {
    id: "stale-device-list/server-before",
    says: "Before the sender's line the server was given that key by the device, or named it in an answer. The time that a \
           row states is not enough.",
    rules_out: "The server did not have that identity yet; or its database was set back to it later, and its row only looks \
                as if it had been there.",
};

const SERVER_AFTER: Premise = Premise {
    id: "stale-device-list/server-after",
    says: "After the sender's line the server still names that key.",
    rules_out: "Another context had overwritten the identity on the server, and the sender's view was the server's.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::StaleDeviceList,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog, ArtefactKind::QueryResults],
    argument: "A sender's `InvalidSignature` prints the identity by which it knows the device. If the server had another one \
               on both sides of that time, and it is the device's own, the sender's list is out of date.",
    proven_by: &[&DEVICE_AFTER, &SERVER_BEFORE, &SERVER_AFTER],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    Unsigned::all(case).iter().filter_map(|claim| verdict(case, claim)).collect()
}

fn verdict(case: &Case<'_>, claim: &Unsigned<'_>) -> Option<Verdict> {
    let known = claim.line.signing_key.as_deref()?;
    let mut others = distinct(claim.own(case).map(|sighting| sighting.ed25519.as_str()));
    let agrees = others.contains(&known);
    others.retain(|other| *other != known);
    // The device itself says what the sender says, and nothing else: the view is not out of date.
    if agrees && others.is_empty() {
        return None;
    }
    let proofs: Vec<Proof> = if others.is_empty() {
        vec![proof(case, claim, None)]
    } else {
        others.into_iter().map(|other| proof(case, claim, Some(other))).collect()
    };
    let proven = proofs.iter().position(|proof| proof.clone().result().is_ok()).unwrap_or_default();
    let label = claim.device.label();
    let sentences = Sentences {
        proven: format!(
            "The sender knows {label} by another identity than the device and the server had at that time."
        ),
        unknown: format!("Whether the sender's view of the identity of {label} was out of date cannot be told."),
        ..Sentences::default()
    };
    let proof = proofs.into_iter().nth(proven)?;
    Some(Verdict::decide(case, Conclusion::StaleDeviceList, claim.about(), proof, None, sentences))
}

fn proof(case: &Case<'_>, claim: &Unsigned<'_>, other: Option<&str>) -> Proof {
    let printed = claim.printed(case);
    let seen = |wanted: Ordering, of: &dyn Fn(&Sighting) -> bool| -> Option<Evidence> {
        let is_it = |sighting: &&Sighting| {
            Some(sighting.ed25519.as_str()) == other
                && of(sighting)
                && sighting.at.zip(printed).and_then(|(at, printed)| case.clocks.order(at, printed)) == Some(wanted)
        };
        case.identities_of(&claim.device).find(is_it).map(|sighting| sighting.evidence.clone())
    };
    let ask_device = || {
        let whose = Whose::Device(claim.device.clone());
        vec![Need::report(whose, ReportTime::AfterTheQuery, "the identity keys that the device itself has now")]
    };
    let report = Some(claim.report());
    let ask_har = || vec![Need::har(claim.report(), "the answers to keys/query before that")];
    let ask_row = || vec![Need::query(report, "device-keys", "the identity that the server holds, and since when")];
    Proof::new(case)
        .evidence(claim.evidence(case))
        .premise(&DEVICE_AFTER, seen(Ordering::Greater, &|one| one.said_by == SaidBy::Itself), ask_device)
        .premise(
            &SERVER_BEFORE,
            seen(Ordering::Less, &|one| one.said_by != SaidBy::Row && one.reached_server()),
            ask_har,
        )
        .premise(&SERVER_AFTER, seen(Ordering::Greater, &|one| one.said_by != SaidBy::Itself), ask_row)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;
    use serde_json::Value;

    // The recorded sender knows the new identity; here it still knows the one before.
    let stale = |name: &str| {
        History::recorded("second-empty-store", name).edit("newcomer.report.json", |report| {
            for entry in report["entries"].as_array_mut().expect("entries") {
                let line = entry["message"].as_str().expect("a line");
                let changed = line.replace(
                    "20K15uZlEhhJtg7XytMWOl7Xfbfu2anzC7Nyne1eIaI",
                    "QP1bqvkrD+T0Th/WqmDwr5MvJYfZ6ZHi4niolZpY1mQ",
                );
                assert_ne!(line, changed, "the line names the sender's view");
                entry["message"] = changed.into();
            }
        })
    };
    let without_server_rows = |history: History| {
        history.edit("queries.json", |tables| {
            tables.as_array_mut().expect("tables").retain(|table| table["name"] != "device_keys");
        })
    };
    vec![
        stale("a sender still knows the identity that is gone").proves("stale-device-list", "gp15kgTz"),
        stale("what the device says is older than the sender's line")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                entries.retain(|entry| entry["startedDateTime"].as_str() < Some("2026-11-23T22:54:16.1"));
            })
            .edit("victim.report.json", |report| report["generatedAt"] = 1_795_474_456_100_i64.into())
            .never_proves("stale-device-list", ""),
        without_server_rows(stale("nobody asked the server afterwards")).never_proves("stale-device-list", ""),
        stale("the row alone says that the server had it before")
            .edit("victim.har", |har| {
                for entry in har["log"]["entries"].as_array_mut().expect("entries") {
                    if entry["request"]["url"].as_str().is_some_and(|url| url.contains("/keys/")) {
                        entry["request"]["postData"] = Value::Null;
                        entry["response"]["content"] = Value::Null;
                    }
                }
            })
            .edit("newcomer.har", no_key_answers)
            .edit("peer.har", no_key_answers)
            .never_proves("stale-device-list", ""),
        History::world("39-the-database-was-restored", "the database was set back to an older identity")
            .never_proves("stale-device-list", ""),
    ]
}

/// Takes the answers to `keys/query` out of a HAR.
#[cfg(test)]
fn no_key_answers(har: &mut serde_json::Value) {
    for entry in har["log"]["entries"].as_array_mut().expect("entries") {
        if entry["request"]["url"].as_str().is_some_and(|url| url.contains("/keys/query")) {
            entry["response"]["content"] = serde_json::Value::Null;
        }
    }
}

//! A device has no one-time key left, and its fallback key was given out. By itself that is no failure.

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::problem::Place;
use crate::proof::{Premise, Proof};
use crate::query::ROWS_MAX;
use crate::subject::{Device, Subject};
use crate::verdict::{ClockOf, Evidence, Sentences, Verdict};

const NONE_LEFT: Premise = Premise {
    id: "exhausted/none-left",
    says: "A whole list of the user's one-time keys has none of that device.",
    rules_out: "The device has one-time keys left, or the list was cut before them.",
};

const FALLBACK_USED: Premise = Premise {
    id: "exhausted/fallback-used",
    says: "The device's fallback key is marked as used.",
    rules_out: "The device has published no one-time keys yet, or they were all claimed and nobody has asked since.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Exhausted,
    needs: &[ArtefactKind::QueryResults],
    reads: &[],
    argument: "The server deletes one-time keys as it gives them out and falls back to the fallback key when none is left. A \
               device that is away runs out of them while others begin sessions with it, and publishes new ones when it is \
               back. It cannot cause “already exists”.",
    proven_by: &[&NONE_LEFT, &FALLBACK_USED],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    case.devices().iter().filter_map(|device| verdict(case, device)).collect()
}

fn verdict(case: &Case<'_>, device: &Device) -> Option<Verdict> {
    let of_device = |user_id: Option<&str>, device_id: Option<&str>| {
        user_id == Some(&*device.user_id) && device_id == Some(&*device.device_id)
    };
    let (results, at, fallback) = case.bundle.queries.iter().find_map(|results| {
        let (_, at) = results.one_time_keys_of.iter().find(|(user_id, _)| *user_id == device.user_id)?;
        let of = |row: &&crate::query::FallbackKeyRow| of_device(row.user_id.as_deref(), row.device_id.as_deref());
        Some((results, *at, results.fallback_keys.iter().find(of)?))
    })?;
    let left =
        results.one_time_keys.iter().filter(|row| of_device(row.user_id.as_deref(), row.device_id.as_deref())).count();
    let whole = results.one_time_keys.len() < ROWS_MAX;
    // Keys that are left, or a fallback key that nobody was given, are how it should be: there is nothing to ask.
    if left > 0 && !fallback.used {
        return None;
    }
    let none = Evidence::new(
        &results.name,
        Place::Whole,
        at,
        ClockOf::Server,
        "0 rows of this device",
        "no one-time key is left",
    );
    let text = format!("fallback key {} used", fallback.key_id);
    let says = "the fallback key was given out";
    let used = Evidence::new(&results.name, fallback.place.clone(), fallback.read_at, ClockOf::Server, &text, says);
    let report = case.pages_of(device).next().map(|page| page.report);
    let ask = || vec![Need::query(report, "ke1-one-time-keys", "whether one-time keys are left")];
    let proof = Proof::new(case).premise(&NONE_LEFT, (left == 0 && whole).then_some(none), ask).premise(
        &FALLBACK_USED,
        fallback.used.then_some(used),
        ask,
    );
    let label = device.label();
    let sentences = Sentences {
        proven: format!("{label} had no one-time key left on the server, and its fallback key was in use."),
        unknown: format!("Whether {label} ran out of one-time keys cannot be told."),
        ..Sentences::default()
    };
    let subject = Subject { device: Some(device.clone()), ..Subject::default() };
    let verdict = Verdict::decide(case, Conclusion::Exhausted, (label, subject), proof, None, sentences);
    // Only what was found is worth a line: a device with keys is as it should be.
    verdict
        .is_proven()
        .then(|| verdict.how("Why: it was away while others began sessions with it, or it does not publish any more."))
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    let keys = |history: History, left: bool, used: bool| {
        history.edit("queries.json", move |tables| {
            for table in tables.as_array_mut().expect("tables") {
                if table["name"] == "one_time_keys" && !left {
                    table["rows"] = serde_json::Value::Array(Vec::new());
                }
                if table["name"] == "fallback_keys" {
                    for row in table["rows"].as_array_mut().expect("rows") {
                        row["used"] = used.into();
                    }
                }
            }
        })
    };
    let device = "@alice-14:localhost/QNAEXEIYVA";
    let recorded = |name: &str| History::recorded("store-rollback", name);
    vec![
        keys(recorded("all keys were claimed, and then the fallback key"), false, true).proves("exhausted", device),
        keys(
            History::recorded("fallback-key-used", "the fallback key was used, and new keys were published"),
            true,
            true,
        )
        .never_proves("exhausted", ""),
        keys(recorded("the fallback key was used once, and new keys were published since"), true, true)
            .never_proves("exhausted", ""),
        keys(recorded("all keys are claimed, and nobody has asked since"), false, false).never_proves("exhausted", ""),
    ]
}

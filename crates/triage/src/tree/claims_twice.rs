//! Q1: keys given out twice, and keys that ran out.

use std::collections::BTreeMap;

use super::{Case, devices};
use crate::ledger::Source;
use crate::problem::Place;
use crate::synapse_log::Route;
use crate::verdict::{Claim, ClockOf, Evidence, Verdict};

/// One id given out twice without an upload of it in between: the row was gone, and came back.
pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let devices = devices(case);
    let mut by_key: BTreeMap<(String, &str, &str), Vec<&crate::ledger::Claim>> = BTreeMap::new();
    for claim in case.ledger.claims.iter().filter(|claim| devices.contains(&claim.device)) {
        let key = (claim.device.label(), claim.key_id.as_str(), claim.device.device_id.as_str());
        by_key.entry(key).or_default().push(claim);
    }
    let mut verdicts = Vec::new();
    for ((device, key_id, _), mut claims) in by_key {
        claims.sort_by(|one, other| (one.at, &one.evidence.quote).cmp(&(other.at, &other.evidence.quote)));
        // A log that was given twice, or parts of one that overlap: one line, with its time and its request, is one claim.
        claims.dedup_by(|other, one| (one.at, &one.evidence.quote) == (other.at, &other.evidence.quote));
        let Some(pair) = claims.windows(2).find(|pair| !uploaded_between(case, pair[0], pair[1])) else { continue };
        let about = format!("{device} {key_id}");
        let evidence = pair.iter().map(|claim| claim.evidence.clone());
        let covered = case.pages_of(&pair[0].device).any(|page| case.log_shows(page, Route::KeysUpload));
        // The two kinds of ids are counted apart, so one id may name a one-time key and a fallback key.
        let fallback = is_fallback(case, &pair[0].device, key_id);
        let same_source = pair[0].source == pair[1].source;
        let refute = "An accepted upload of that id between the two claims, or the id being that of a fallback key.";
        let statement =
            format!("One-time key {key_id} of {device} was given out twice without having been uploaded again");
        let verdict = match (covered && same_source, fallback) {
            (true, Some(false)) => Verdict::proven(
                Claim::ServerRestored,
                about,
                format!("{statement}: the server's database went back in time."),
            )
            .ruled_out("A fallback key: its id is another one.")
            .ruled_out("An id that was used again: no upload of it stands between, in a log that would show it."),
            (_, Some(true)) => continue,
            _ => {
                let fetch = case.pages_of(&pair[0].device).flat_map(|page| {
                    [
                        case.query(page.report, "ke1-fallback-keys", "whether the id is that of a fallback key"),
                        case.fetch_har(page, "requests to measure the log by"),
                    ]
                });
                Verdict::unknown(
                    Claim::ServerRestored,
                    about,
                    format!("{statement}, as far as this log shows."),
                    fetch.collect(),
                )
                .open("It is a fallback key, which is given out again and again.")
                .open("The id was used again, and the log does not show that upload.")
            }
        };
        verdicts.push(verdict.evidence(evidence).would_refute(refute));
    }
    verdicts
}

fn uploaded_between(case: &Case<'_>, first: &crate::ledger::Claim, second: &crate::ledger::Claim) -> bool {
    case.ledger.accepted.iter().any(|upload| {
        matches!(upload.source, Source::Log(_))
            && upload.device == first.device
            && upload.key_ids.contains(&first.key_id)
            && upload.end >= first.at
            && upload.start <= second.at
    })
}

/// Whether the device's fallback key has or had that id; `None` where nothing says.
fn is_fallback(case: &Case<'_>, device: &crate::case::DeviceName, key_id: &str) -> Option<bool> {
    let rows = case.bundle.queries.iter().flat_map(|results| &results.fallback_keys);
    let rows: Vec<_> = rows
        .filter(|row| {
            row.user_id.as_deref() == Some(&*device.user_id) && row.device_id.as_deref() == Some(&*device.device_id)
        })
        .collect();
    let bare = key_id.split_once(':').map_or(key_id, |(_, bare)| bare);
    // Fallback keys are numbered from 0 and rotated, so earlier ones have lower ids than the present one's.
    let number = |id: &str| crypto_diag_analysis::evidence::ke1::counter(id);
    let newest = rows.iter().filter_map(|row| number(&row.key_id)).max()?;
    Some(number(bare).is_none_or(|id| id <= newest))
}

/// No one-time key left, and the fallback key given out: normal for a device that was away, and no cause of KE-1.
pub(super) fn exhausted(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for device in devices(case) {
        for results in &case.bundle.queries {
            let Some((_, at)) = results.one_time_keys_of.iter().find(|(user, _)| *user == device.user_id) else {
                continue;
            };
            let of_device =
                |user: Option<&str>, id: Option<&str>| user == Some(&*device.user_id) && id == Some(&*device.device_id);
            let left =
                results.one_time_keys.iter().any(|row| of_device(row.user_id.as_deref(), row.device_id.as_deref()));
            let fallback =
                results.fallback_keys.iter().find(|row| of_device(row.user_id.as_deref(), row.device_id.as_deref()));
            let Some(fallback) = fallback.filter(|row| row.used && !left) else { continue };
            let text = format!("fallback key {} used", fallback.key_id);
            let evidence = Evidence::new(
                &results.name,
                fallback.place.clone(),
                *at,
                ClockOf::Server,
                &text,
                "the fallback key was given out",
            );
            let none = Evidence::new(
                &results.name,
                Place::Whole,
                *at,
                ClockOf::Server,
                "0 rows of this device",
                "no one-time key is left",
            );
            verdicts.push(
                Verdict::proven(Claim::Exhausted, device.label(), format!("{} has no one-time key left on the server, and its fallback key is in use.", device.label()))
                    .evidence([none, evidence])
                    .would_refute("A one-time key of that device in the same result.")
                    .open("The device was away while others began sessions with it: it will publish new keys when it is back. By itself this is no failure."),
            );
        }
    }
    verdicts
}

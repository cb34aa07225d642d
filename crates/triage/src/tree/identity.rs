//! Q2, the sender's side: a claimed key that is not signed by the device that the sender knows. Three views of one
//! device's identity tell whose is out of date.

use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_analysis::evidence::{self, Evidence as Facts, Olm};
use crypto_diag_analysis::identity::{Views, claimed_is_signed, compare_views};

use super::Case;
use crate::case::{DeviceName, Page};
use crate::query::DeviceKeysRow;
use crate::verdict::{Claim, ClockOf, Evidence, Fetch, Verdict};

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    let mut known: Vec<(DeviceName, Option<String>)> = Vec::new();
    for page in &case.pages {
        for (index, entry) in case.report(page).entries() {
            let Some(Facts::Olm(line)) = evidence::read(entry) else { continue };
            let is_ours = line.kind == OlmKind::OutboundCreation && line.cause.as_deref() == Some("InvalidSignature");
            let (true, Some(user_id), Some(device_id)) = (is_ours, &line.user_id, &line.device_id) else { continue };
            let device = DeviceName::new(user_id, device_id);
            if !known.contains(&(device.clone(), line.one_time_key.clone())) {
                known.push((device.clone(), line.one_time_key.clone()));
                let printed = i64::try_from(entry.ts.0).unwrap_or(i64::MAX);
                let piece = case.entry(
                    page.report,
                    index,
                    "the sender found the claimed key not signed by the device that it knows",
                );
                verdicts.extend(compare(case, page, &device, &line, printed, piece));
            }
        }
    }
    verdicts
}

fn compare(
    case: &Case<'_>,
    sender: &Page,
    device: &DeviceName,
    line: &Olm,
    printed: i64,
    piece: Option<Evidence>,
) -> Vec<Verdict> {
    let about = format!("{} {}", device.label(), line.one_time_key.as_deref().unwrap_or_default());
    let mut evidence: Vec<Evidence> = piece.into_iter().collect();
    let server = case.bundle.queries.iter().find_map(|results| {
        let row = results
            .device_keys
            .iter()
            .find(|row| row.user_id == device.user_id && row.device_id == device.device_id)?;
        Some((results.name.as_str(), row))
    });
    let mut own_keys =
        case.pages_of(device).filter_map(|page| Some((page, case.report(page).own_keys()?.ed25519.clone()?)));
    let own = own_keys.next().filter(|(_, key)| own_keys.all(|(_, other)| other == *key));
    if let Some((page, key)) = &own {
        evidence.push(case.whole(page.report, &format!("ed25519 {key}"), "the device's own Ed25519 key"));
    }
    if let Some((name, row)) = server {
        let text = format!(
            "ed25519 {} ts_added_ms={}",
            row.ed25519.as_deref().unwrap_or("?"),
            row.ts_added_ms.unwrap_or_default()
        );
        let says = "the Ed25519 key that the server holds";
        evidence.push(Evidence::new(name, row.place.clone(), row.ts_added_ms, ClockOf::Server, &text, says));
    }
    let server_key = server.and_then(|(_, row)| row.ed25519.as_deref());
    let own_key = own.as_ref().map(|(_, key)| key.as_str());
    let unsigned = |key: Option<&str>| key.and_then(|key| claimed_is_signed(line.signed.as_ref()?, key)) == Some(false);
    // The rows are of a time after the line: what changed in between would be told wrongly.
    let settled = server.is_some_and(|(_, row)| before(sender, row, printed));
    let views = compare_views(line.signing_key.as_deref(), server_key, own_key);
    let proven = |claim: Claim, statement: String, refute: &str| {
        Verdict::proven(claim, &about, statement).evidence(evidence.clone()).would_refute(refute)
    };
    let label = device.label();
    match views {
        Views::IdentityReplaced if unsigned(own_key) => vec![
            proven(
                Claim::IdentityReplaced,
                format!("Sender, server and {label} agree on its identity, and the one-time key that the server gave out is not signed by it: it is of an identity that is gone."),
                "The claimed key verifying with that Ed25519 key.",
            )
            .ruled_out("A stale device list: sender and server hold the same key.")
            .ruled_out("A rolled-back store: it would have kept its identity."),
        ],
        Views::StaleDeviceList if settled => vec![proven(
            Claim::StaleDeviceList,
            format!("The sender knows {label} by another Ed25519 key than the server had at that time."),
            "The server's key being newer than the sender's line.",
        )],
        Views::Overwritten if settled => vec![proven(
            Claim::IdentityOverwritten,
            format!("The server holds another Ed25519 key for {label} than the device itself has."),
            "The device's report being older than the server's row.",
        )
        .open("The device got a new identity after its report was made.")],
        _ => unknown(case, sender, device, &about, &evidence),
    }
}

/// Whether the server had its row before the sender printed its line, by one clock.
fn before(sender: &Page, row: &DeviceKeysRow, printed: i64) -> bool {
    match (row.ts_added_ms, sender.offset.to_server(printed)) {
        (Some(added), Some((earliest, _))) => added < earliest,
        _ => false,
    }
}

fn unknown(case: &Case<'_>, sender: &Page, device: &DeviceName, about: &str, evidence: &[Evidence]) -> Vec<Verdict> {
    let fetch: Vec<Fetch> = vec![
        case.query(sender.report, "device-keys", "the identity that the server holds, and since when"),
        case.fetch_report(&device.label(), "the device's own Ed25519 key"),
    ];
    [(Claim::IdentityReplaced, "is of an identity that is gone"), (Claim::StaleDeviceList, "fails for the sender's outdated view")]
        .into_iter()
        .map(|(claim, what)| {
            let statement = format!("Whether the one-time key of {} {what} cannot be told: sender's, server's and device's view of its identity are not all known for that time.", device.label());
            Verdict::unknown(claim, about, statement, fetch.clone())
                .evidence(evidence.iter().cloned())
                .would_refute("The three views of the device's Ed25519 key, side by side.")
        })
        .collect()
}

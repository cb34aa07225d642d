//! Which identity keys (Ed25519) a device is known by, as itself and as the server says, and when.

use super::exchange;
use crate::bundle::Bundle;
use crate::har;
use crate::moment::{Clock, Moment};
use crate::problem::Place;
use crate::subject::Device;
use crate::synapse_log::Route;
use crate::verdict::{ClockOf, Evidence};

/// Who says that a device has an identity.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SaidBy {
    /// The device: in its report, or in an upload of its own that was accepted.
    Itself,
    /// The server: in an answer to `keys/query`.
    Server,
    /// A row of the server's database. It was there when it was read; that it was there since the time that it states
    /// holds only if the database was never restored.
    Row,
}

/// A place in the artefacts that names a device's identity keys.
#[derive(Clone, Debug)]
pub(crate) struct Sighting {
    pub device: Device,
    pub ed25519: String,
    pub said_by: SaidBy,
    /// When it was said, where that is known.
    pub at: Option<Moment>,
    /// Of a row: when it was written.
    pub since: Option<Moment>,
    pub evidence: Evidence,
}

impl Sighting {
    /// Whether the server had that identity then: it said so, or stored the device's upload.
    pub fn reached_server(&self) -> bool {
        match self.said_by {
            SaidBy::Itself => self.at.is_some_and(|at| matches!(at.clock, Clock::Har(_))),
            SaidBy::Server | SaidBy::Row => true,
        }
    }
}

/// All that the artefacts say of devices' identities.
pub(super) fn sightings(bundle: &Bundle) -> Vec<Sighting> {
    let mut found = Vec::new();
    for (index, report) in bundle.reports.iter().enumerate() {
        let (Some(user_id), Some(device_id), Some(keys)) = (&report.user_id, &report.device_id, report.own_keys())
        else {
            continue;
        };
        let Some(ed25519) = keys.ed25519.clone() else { continue };
        let at = i64::try_from(report.generated_at.0).ok().filter(|at| *at > 0);
        let text = format!("ed25519 {ed25519}");
        found.push(Sighting {
            device: Device::new(user_id, device_id),
            ed25519,
            said_by: SaidBy::Itself,
            at: at.map(|at| Moment::at(Clock::Page(index), at)),
            since: None,
            evidence: Evidence::new(
                &bundle.report_names[index],
                Place::Whole,
                at,
                ClockOf::Client,
                &text,
                "the device's own identity key, as its report says",
            ),
        });
    }
    for (index, har) in bundle.hars.iter().enumerate() {
        for (at, request) in har.entries.iter().enumerate() {
            let Some(facts) = &request.facts else { continue };
            let said = match request.route() {
                // The server stores the identity even where it refuses the one-time keys beside it.
                Route::KeysUpload if matches!(request.status, 200 | 400) => {
                    facts.device.iter().map(|device| (device, SaidBy::Itself)).collect::<Vec<_>>()
                }
                Route::KeysQuery => facts.devices.iter().map(|device| (device, SaidBy::Server)).collect(),
                _ => continue,
            };
            let answered = Moment::at(Clock::Har(index), request.end());
            for (device, said_by) in said {
                let Some(ed25519) = device.ed25519.clone() else { continue };
                let says = match said_by {
                    SaidBy::Itself => format!("the device publishes the identity key {ed25519}"),
                    _ => format!(
                        "the server names the identity key {ed25519} for {}/{}",
                        device.user_id, device.device_id
                    ),
                };
                found.push(sighting(device, ed25519, said_by, answered, exchange(har, at, says)));
            }
        }
    }
    for results in &bundle.queries {
        for row in &results.device_keys {
            let Some(ed25519) = row.ed25519.clone() else { continue };
            let text = format!("ed25519 {ed25519} ts_added_ms={}", row.ts_added_ms.unwrap_or_default());
            let says = "the identity key that the server's database holds for the device";
            found.push(Sighting {
                device: Device::new(&row.user_id, &row.device_id),
                ed25519,
                said_by: SaidBy::Row,
                at: row.read_at.map(|at| Moment::at(Clock::Database, at)),
                since: row.ts_added_ms.map(|at| Moment::at(Clock::Database, at)),
                evidence: Evidence::new(
                    &results.name,
                    row.place.clone(),
                    row.ts_added_ms,
                    ClockOf::Server,
                    &text,
                    says,
                ),
            });
        }
    }
    found
}

fn sighting(device: &har::Device, ed25519: String, said_by: SaidBy, at: Moment, evidence: Evidence) -> Sighting {
    Sighting {
        device: Device::new(&device.user_id, &device.device_id),
        ed25519,
        said_by,
        at: Some(at),
        since: None,
        evidence,
    }
}

//! The ledger of one-time keys: what was uploaded and accepted, refused, claimed, and what is still there, out of logs,
//! HARs, query results and reports.

use std::collections::HashMap;
use std::sync::Arc;

use crypto_diag_analysis::evidence::ke1::{self, Ke1};
use crypto_diag_analysis::{Evidence as Facts, Reading};
use crypto_diag_core::Entry;
use crypto_diag_core::redact::is_closed;

use super::exchange;
use crate::bundle::Bundle;
use crate::moment::{Clock, Moment};
use crate::problem::Place;
use crate::query::OneTimeKeyRow;
use crate::subject::Device;
use crate::synapse_log::{Route, UploadOutcome};
use crate::verdict::{ClockOf, Evidence};

/// Refusals of one key by one source that are kept, the last one always among them: a storm says the same each time.
const REFUSALS_MAX: usize = 1_000;

/// When something that no line shows the end of ended, at the latest.
const NEVER_MS: i64 = i64::MAX / 8;

/// A refused upload.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub device: Option<Device>,
    pub conflict: Arc<Ke1>,
    /// Whether the text is not what the server said, see [`is_altered`].
    pub altered: bool,
    /// When the request was sent or received, where that is known.
    pub asked: Option<Moment>,
    /// When it was answered, or the answer was printed. Its clock tells the artefact.
    pub answered: Moment,
    pub evidence: Evidence,
}

impl Refusal {
    pub fn is_of(&self, device: &Device) -> bool {
        self.device.as_ref() == Some(device)
    }

    /// `signed_curve25519:AAAAAAAAADQ`.
    pub fn key_id(&self) -> String {
        let algorithm = self.conflict.algorithm.as_deref().unwrap_or("signed_curve25519");
        format!("{algorithm}:{}", self.conflict.key_id.as_deref().unwrap_or("?"))
    }

    /// The public key that the server holds.
    pub fn held_key(&self) -> Option<&str> {
        self.conflict.server_key.as_ref()?.key.as_deref()
    }

    /// The public key that the client wanted to publish.
    pub fn offered_key(&self) -> Option<&str> {
        self.conflict.client_key.as_ref()?.key.as_deref()
    }
}

/// An upload of one-time keys that was accepted, or may have been.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub device: Device,
    /// Ids with their algorithm.
    pub key_ids: Arc<[String]>,
    /// Ids with their algorithm, and public keys, where the source has them.
    pub keys: Vec<(String, String)>,
    /// When the request was sent or received.
    pub asked: Moment,
    /// When its keys were stored: at its answer, at the latest. Its clock tells the artefact.
    pub stored: Moment,
    pub evidence: Evidence,
}

impl Upload {
    /// Whether it is an upload of that id by that device.
    pub fn is_of(&self, device: &Device, key_id: &str) -> bool {
        self.device == *device && self.key_ids.iter().any(|id| id == key_id)
    }
}

/// A claimed key.
#[derive(Clone, Debug)]
pub(crate) struct KeyClaim {
    pub device: Device,
    pub key_id: String,
    pub at: Moment,
    pub evidence: Evidence,
}

/// The ledger of all devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub conflicts: Vec<Refusal>,
    /// Accepted uploads only: printed ones count with their 200.
    pub accepted: Vec<Upload>,
    /// Uploads that a log shows without their answer: they may have been accepted.
    pub unanswered: Vec<Upload>,
    /// Claims that a log shows.
    pub claims: Vec<KeyClaim>,
}

/// The device in whose name a conflict's keys are signed. A browser may have been logged out and in again: the signatures say of
/// which login the refusal is.
fn signed_by(conflict: &Ke1) -> Option<Device> {
    let (user_id, device_id) = conflict.user_id.as_deref().zip(conflict.device_id.as_deref())?;
    Some(Device::new(user_id, device_id))
}

impl Ledger {
    /// The uploads of an id that a log shows and that were not refused: those that the server stored, or may have.
    pub fn logged_uploads<'l>(&'l self, device: &'l Device, key_id: &'l str) -> impl Iterator<Item = &'l Upload> + 'l {
        let all = self.accepted.iter().chain(&self.unanswered);
        all.filter(move |upload| upload.is_of(device, key_id) && matches!(upload.stored.clock, Clock::Log(_)))
    }

    pub fn of(bundle: &Bundle, readings: &[Reading]) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.read_reports(bundle, readings);
        ledger.read_hars(bundle);
        ledger.read_logs(bundle);
        ledger
    }

    fn read_reports(&mut self, bundle: &Bundle, readings: &[Reading]) {
        for (index, (report, reading)) in bundle.reports.iter().zip(readings).enumerate() {
            let device = report.user_id.as_deref().zip(report.device_id.as_deref());
            for (entry, line) in report.entries() {
                let Some(Some(Facts::Ke1(conflict))) = reading.evidence.get(entry) else { continue };
                let at = i64::try_from(line.ts.0).unwrap_or(i64::MAX);
                self.conflicts.push(Refusal {
                    device: signed_by(conflict).or_else(|| device.map(|(user, device)| Device::new(user, device))),
                    conflict: Arc::new(conflict.clone()),
                    altered: is_altered(line),
                    asked: None,
                    answered: Moment::at(Clock::Page(index), at),
                    evidence: Evidence::new(
                        &bundle.report_names[index],
                        Place::Entry(entry as u64),
                        Some(at).filter(|_| report.has_times()),
                        ClockOf::Client,
                        &line.message,
                        "the page printed the server's refusal",
                    ),
                });
            }
        }
    }

    fn read_hars(&mut self, bundle: &Bundle) {
        for (index, har) in bundle.hars.iter().enumerate() {
            for (at, request) in har.entries.iter().enumerate() {
                let (Route::KeysUpload, Some(facts)) = (request.route(), &request.facts) else { continue };
                let device = facts.device.as_ref().map(|device| Device::new(&device.user_id, &device.device_id));
                let device = device.or_else(|| har.device().map(|(user, device)| Device::new(user, device)));
                let conflict = facts.refusal.as_deref().and_then(ke1::read);
                let asked = Moment::at(Clock::Har(index), request.start);
                let answered = Moment::at(Clock::Har(index), request.end());
                if let Some(conflict) = conflict {
                    self.conflicts.push(Refusal {
                        device: signed_by(&conflict).or(device),
                        altered: facts.refusal.as_deref().is_some_and(is_closed),
                        conflict: Arc::new(conflict),
                        asked: Some(asked),
                        answered,
                        evidence: exchange(har, at, "the server refused this upload"),
                    });
                } else if let (200, Some(device), false) = (request.status, device, facts.one_time_keys.is_empty()) {
                    self.accepted.push(Upload {
                        device,
                        key_ids: facts.one_time_keys.keys().cloned().collect(),
                        keys: facts.one_time_keys.iter().map(|(id, key)| (id.clone(), key.clone())).collect(),
                        asked,
                        stored: answered,
                        evidence: exchange(har, at, "this upload was accepted"),
                    });
                }
            }
        }
    }

    fn read_logs(&mut self, bundle: &Bundle) {
        for (index, log) in bundle.logs.iter().enumerate() {
            let clock = Clock::Log(index);
            let evidence = |line, at, quote, says: &str| Evidence::logged(&log.name, line, at, quote, says);
            // How many refusals of a device's key there were, and where the last one of them stands.
            let mut counts: HashMap<[Option<&str>; 3], (usize, usize)> = HashMap::new();
            for line in &log.conflicts {
                let found = &line.conflict;
                let key = [found.user_id.as_deref(), found.device_id.as_deref(), found.key_id.as_deref()];
                let refusal = Refusal {
                    device: signed_by(found),
                    conflict: line.conflict.clone(),
                    altered: line.altered,
                    asked: line.start.map(|start| Moment::at(clock, start)),
                    answered: Moment::logged(index, line),
                    evidence: evidence(line.line, line.at, &line.quote, "the server refused this upload"),
                };
                let (count, last) = counts.entry(key).or_default();
                *count += 1;
                if *count > REFUSALS_MAX {
                    self.conflicts[*last] = refusal;
                } else {
                    *last = self.conflicts.len();
                    self.conflicts.push(refusal);
                }
            }
            let answers: HashMap<u64, i64> = if log.uploads.is_empty() {
                HashMap::new()
            } else {
                log.accesses.iter().map(|access| (access.line, access.end)).collect()
            };
            for line in &log.uploads {
                // Printed before the keys are stored; the answer comes after that.
                let (list, says, end, place) = match line.outcome {
                    UploadOutcome::Refused { .. } => continue,
                    UploadOutcome::Accepted { line } => {
                        let says = format!("this upload was accepted: its request was answered with 200 (line {line})");
                        (&mut self.accepted, says, answers.get(&line).copied(), line)
                    }
                    _ => {
                        let says = "this upload may have been accepted: no line shows its answer".to_owned();
                        (&mut self.unanswered, says, None, u64::MAX)
                    }
                };
                let asked = line.start.unwrap_or(line.at).min(line.at);
                list.push(Upload {
                    device: Device::new(&line.user_id, &line.device_id),
                    key_ids: line.key_ids.clone(),
                    keys: Vec::new(),
                    asked: Moment::at(clock, asked).in_place(line.line),
                    stored: Moment::between(clock, line.at, end.unwrap_or(NEVER_MS)).in_place(place),
                    evidence: evidence(line.line, line.at, &line.quote, &says),
                });
            }
            for line in &log.claims {
                self.claims.push(KeyClaim {
                    device: Device::new(&line.user_id, &line.device_id),
                    key_id: line.key_id.clone(),
                    at: Moment::logged(index, line),
                    evidence: evidence(line.line, line.at, &line.quote, "the key was given out"),
                });
            }
        }
    }
}

/// Whether a line is not whole, or something in it has been closed: a signature may fail for that.
pub(crate) fn is_altered(line: &Entry) -> bool {
    line.truncated_from.is_some() || line.redactions > 0 || is_closed(&line.message)
}

/// The row of a one-time key with that id and that public key, in any result.
pub(crate) fn row<'a>(bundle: &'a Bundle, key_id: &str, key: &str) -> Option<(&'a str, &'a OneTimeKeyRow)> {
    bundle.queries.iter().find_map(|results| {
        let row = results.one_time_keys.iter().find(|row| row.key_id == key_id && row.key.as_deref() == Some(key))?;
        Some((results.name.as_str(), row))
    })
}

/// A row as evidence.
pub(crate) fn row_evidence(name: &str, row: &OneTimeKeyRow, says: impl Into<String>) -> Evidence {
    let text = format!(
        "{}:{} ts_added_ms={} key={}",
        row.algorithm.as_deref().unwrap_or("signed_curve25519"),
        row.key_id,
        row.ts_added_ms.map_or_else(|| "?".to_owned(), |ts| ts.to_string()),
        row.key.as_deref().unwrap_or("?")
    );
    Evidence::new(name, row.place.clone(), row.ts_added_ms, ClockOf::Server, &text, says)
}

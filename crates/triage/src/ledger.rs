//! The ledger of one-time keys: what was uploaded and accepted, refused, claimed, and what is still there, out of logs,
//! HARs, query results and reports.

use std::collections::HashMap;
use std::sync::Arc;

use crypto_diag_analysis::evidence::{self, Evidence as Facts, ke1, ke1::Ke1};

use crate::bundle::Bundle;
use crate::case::{DeviceName, exchange};
use crate::problem::Place;
use crate::query::OneTimeKeyRow;
use crate::synapse_log::{Route, UploadOutcome};
use crate::verdict::{ClockOf, Evidence};

/// Where an entry of the ledger comes from. Times of one source are of one clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) enum Source {
    /// A server log, by index.
    Log(usize),
    /// A HAR, by index.
    Har(usize),
    /// A report, by index.
    Report(usize),
}

/// Refusals of one key by one source that are kept, the last one always among them: a storm says the same each time.
const REFUSALS_MAX: usize = 1_000;

/// A refused upload.
#[derive(Clone, Debug)]
pub(crate) struct Refusal {
    pub device: Option<DeviceName>,
    pub conflict: Arc<Ke1>,
    pub source: Source,
    /// When the request was sent or received, where that is known.
    pub start: Option<i64>,
    /// When it was answered, or printed.
    pub end: i64,
    /// Of a log's line: the request's start and the line's time.
    pub in_log: Option<(Option<i64>, i64)>,
    pub evidence: Evidence,
}

impl Refusal {
    pub fn is_of(&self, device: &DeviceName) -> bool {
        self.device.as_ref() == Some(device)
    }

    /// `signed_curve25519:AAAAAAAAADQ`.
    pub fn key_id(&self) -> String {
        let algorithm = self.conflict.algorithm.as_deref().unwrap_or("signed_curve25519");
        format!("{algorithm}:{}", self.conflict.key_id.as_deref().unwrap_or("?"))
    }
}

/// An upload of one-time keys.
#[derive(Clone, Debug)]
pub(crate) struct Upload {
    pub device: DeviceName,
    pub source: Source,
    pub key_ids: Arc<[String]>,
    /// `algorithm:id` and public key, where the source has them.
    pub keys: Vec<(String, String)>,
    /// When it was sent or received.
    pub start: i64,
    /// When it was stored, at the latest.
    pub end: i64,
    pub evidence: Evidence,
}

/// A claimed key.
#[derive(Clone, Debug)]
pub(crate) struct Claim {
    pub device: DeviceName,
    pub key_id: String,
    pub source: Source,
    pub at: i64,
    pub evidence: Evidence,
}

/// The ledger of all devices.
#[derive(Clone, Debug, Default)]
pub(crate) struct Ledger {
    pub conflicts: Vec<Refusal>,
    /// Accepted uploads only: printed ones count with their 200.
    pub accepted: Vec<Upload>,
    /// Claims that a log shows.
    pub claims: Vec<Claim>,
}

impl Ledger {
    pub fn of(bundle: &Bundle) -> Ledger {
        let mut ledger = Ledger::default();
        ledger.read_reports(bundle);
        ledger.read_hars(bundle);
        ledger.read_logs(bundle);
        ledger
    }

    fn read_reports(&mut self, bundle: &Bundle) {
        for (index, report) in bundle.reports.iter().enumerate() {
            let device = report.user_id.as_deref().zip(report.device_id.as_deref());
            for (entry, line) in report.entries() {
                let Some(Facts::Ke1(conflict)) = evidence::read(line) else { continue };
                let says = "the page printed the server's refusal";
                let (name, at) = (&bundle.report_names[index], line.ts.0 as i64);
                self.conflicts.push(Refusal {
                    device: device.map(|(user, device)| DeviceName::new(user, device)),
                    conflict: Arc::new(conflict),
                    source: Source::Report(index),
                    start: None,
                    end: at,
                    in_log: None,
                    evidence: Evidence::new(
                        name,
                        Place::Entry(entry as u64),
                        Some(at),
                        ClockOf::Client,
                        &line.message,
                        says,
                    ),
                });
            }
        }
    }

    fn read_hars(&mut self, bundle: &Bundle) {
        for (index, har) in bundle.hars.iter().enumerate() {
            for (at, request) in har.entries.iter().enumerate() {
                if request.route() != Route::KeysUpload {
                    continue;
                }
                let Some(facts) = &request.facts else { continue };
                let device = facts.device.as_ref().map(|device| DeviceName::new(&device.user_id, &device.device_id));
                if let Some(conflict) = facts.refusal.as_deref().filter(|_| request.status == 400).and_then(ke1::read) {
                    self.conflicts.push(Refusal {
                        device: device.clone(),
                        conflict: Arc::new(conflict),
                        source: Source::Har(index),
                        start: Some(request.start),
                        end: request.end(),
                        in_log: None,
                        evidence: exchange(har, at, "the server refused this upload"),
                    });
                } else if let (200, Some(device), false) = (request.status, device, facts.one_time_keys.is_empty()) {
                    self.accepted.push(Upload {
                        device,
                        source: Source::Har(index),
                        key_ids: facts.one_time_keys.keys().cloned().collect(),
                        keys: facts.one_time_keys.iter().map(|(id, key)| (id.clone(), key.clone())).collect(),
                        start: request.start,
                        end: request.end(),
                        evidence: exchange(har, at, "this upload was accepted"),
                    });
                }
            }
        }
    }

    fn read_logs(&mut self, bundle: &Bundle) {
        for (index, log) in bundle.logs.iter().enumerate() {
            let evidence = |line: u64, at: i64, quote: &str, says: &str| {
                Evidence::new(&log.name, Place::Line(line), Some(at), ClockOf::Server, quote, says)
            };
            // How many refusals of a device's key there were, and where the last one of them stands.
            let mut counts: HashMap<[Option<&str>; 3], (usize, usize)> = HashMap::new();
            for line in &log.conflicts {
                let found = &line.conflict;
                let key = [found.user_id.as_deref(), found.device_id.as_deref(), found.key_id.as_deref()];
                let (user, device) = (found.user_id.as_deref(), found.device_id.as_deref());
                let refusal = Refusal {
                    device: user.zip(device).map(|(user, device)| DeviceName::new(user, device)),
                    conflict: line.conflict.clone(),
                    source: Source::Log(index),
                    start: line.start,
                    end: line.at,
                    in_log: Some((line.start, line.at)),
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
            for line in &log.uploads {
                let UploadOutcome::Accepted { line: answer } = line.outcome else { continue };
                let says = format!("this upload was accepted: its request was answered with 200 (line {answer})");
                self.accepted.push(Upload {
                    device: DeviceName::new(&line.user_id, &line.device_id),
                    source: Source::Log(index),
                    key_ids: line.key_ids.clone(),
                    keys: Vec::new(),
                    start: line.start.unwrap_or(line.at),
                    end: line.at,
                    evidence: evidence(line.line, line.at, &line.quote, &says),
                });
            }
            for line in &log.claims {
                self.claims.push(Claim {
                    device: DeviceName::new(&line.user_id, &line.device_id),
                    key_id: line.key_id.clone(),
                    source: Source::Log(index),
                    at: line.at,
                    evidence: evidence(line.line, line.at, &line.quote, "the key was given out"),
                });
            }
        }
    }

    /// Accepted uploads of a device that lie within a storm of refusals of one key, by one source's clock, and do not hold
    /// that key. One client asks one thing at a time and offers an unpublished key until it is taken: so another context
    /// made them.
    pub fn accepted_meanwhile<'l>(&'l self, refusals: &[&'l Refusal]) -> Vec<(&'l Upload, &'l Refusal)> {
        let mut found = Vec::new();
        for upload in &self.accepted {
            let of_source = |refusal: &&&Refusal| {
                refusal.source == upload.source && refusal.is_of(&upload.device) && refusal.start.is_some()
            };
            let same: Vec<&&Refusal> = refusals.iter().filter(of_source).collect();
            let first = same.iter().filter_map(|refusal| refusal.start).min();
            let last = same.iter().max_by_key(|refusal| refusal.end);
            if let (Some(first), Some(last)) = (first, last)
                && first <= upload.start
                && upload.start <= last.end
                && !upload.key_ids.contains(&last.key_id())
            {
                found.push((upload, **last));
            }
        }
        found
    }
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

//! What tells the difference between two clocks: events that stand in both artefacts, told apart by this client's own ids.

use crypto_diag_core::Meaning;

use super::ledger::{Ledger, Refusal};
use super::{Page, watch};
use crate::bundle::Bundle;
use crate::clock::{self, Interval};
use crate::moment::{Clock, Clocks};
use crate::subject::Device;
use crate::synapse_log::ZoneSource;

/// The clocks of one server's hosts are taken to agree to this, in milliseconds, where nothing measures them.
const HOSTS_APART_MS: i64 = 1_000;

/// The clocks of a case.
pub(super) fn clocks(bundle: &Bundle, pages: &[Page], ledger: &Ledger) -> Clocks {
    let mut measured: Vec<(Clock, Clock, Interval)> = Vec::new();
    let same = Interval { low: 0, high: 0 };
    let hosts = Interval { low: -HOSTS_APART_MS, high: HOSTS_APART_MS };
    for page in pages {
        measured.extend(page.hars.iter().map(|har| (page.clock(), Clock::Har(*har), same)));
    }
    for (index, log) in bundle.logs.iter().enumerate() {
        for (har, found) in bundle.hars.iter().enumerate() {
            let intervals = clock::of_requests(found, log);
            measured.extend(intervals.into_iter().map(|interval| (Clock::Har(har), Clock::Log(index), interval)));
        }
        if log.zone != ZoneSource::Assumed {
            measured.push((Clock::Log(index), Clock::Database, hosts));
        }
    }
    for page in pages {
        measured.extend(
            sent_batches(bundle, page.report)
                .into_iter()
                .map(|(log, interval)| (page.clock(), Clock::Log(log), interval)),
        );
        if let Some(device) = &page.device {
            let report = &bundle.reports[page.report];
            let printed = ledger.conflicts.iter().filter(|refusal| refusal.answered.clock == page.clock()).count();
            let complete = report.tally("KE-1", Meaning::Failure) == printed as u64;
            let intervals = refusals(ledger, page, device, complete);
            measured.extend(intervals.into_iter().map(|(log, interval)| (page.clock(), Clock::Log(log), interval)));
        }
    }
    let set = pages.iter().filter(|page| watch::clock_set(&bundle.reports[page.report]).is_some()).map(Page::clock);
    Clocks::new(&measured, &set.collect::<Vec<Clock>>())
}

/// The page prints a batch before it sends it, and a transaction id is unique to its sender.
fn sent_batches(bundle: &Bundle, report: usize) -> Vec<(usize, Interval)> {
    let found = &bundle.reports[report];
    let mut intervals = Vec::new();
    for batch in &found.sent {
        let Some(txn_id) = batch.txnid.as_deref() else { continue };
        let mut requests = bundle.logs.iter().enumerate().flat_map(|(log, found)| {
            found.requests.iter().filter(|request| request.txn_id() == Some(txn_id)).map(move |request| (log, request))
        });
        if let (Some((log, request)), None) = (requests.next(), requests.next())
            && request.user_id == found.user_id
        {
            let sent = (batch.ts.0 as i64, Interval::ALL.high);
            let received = clock::of_request(sent, (request.start, request.end));
            intervals.push((log, Interval { low: Interval::ALL.low, ..received }));
        }
    }
    intervals
}

/// Refusals of one key that stand on both sides. Where page and log show the same number, they are the same ones: a page
/// prints each after its answer and before it asks again.
fn refusals(ledger: &Ledger, page: &Page, device: &Device, complete: bool) -> Vec<(usize, Interval)> {
    let of_device = || ledger.conflicts.iter().filter(|refusal| refusal.is_of(device));
    let mut printed: Vec<&Refusal> = of_device().filter(|refusal| refusal.answered.clock == page.clock()).collect();
    printed.sort_by_key(|refusal| refusal.answered.earliest);
    let mut refused: Vec<(usize, &Refusal)> = of_device()
        .filter_map(|refusal| match refusal.answered.clock {
            Clock::Log(log) => Some((log, refusal)),
            _ => None,
        })
        .collect();
    refused.sort_by_key(|(_, refusal)| refusal.answered.earliest);
    let same = |one: &Refusal, other: &Refusal| {
        one.key_id() == other.key_id()
            && (one.held_key(), one.offered_key()) == (other.held_key(), other.offered_key())
            && one.held_key().is_some()
    };
    let pairs = printed.iter().zip(&refused);
    if !complete || printed.len() != refused.len() || !pairs.clone().all(|(one, (_, other))| same(one, other)) {
        return Vec::new();
    }
    let mut intervals = Vec::new();
    for (index, (printed, (log, refused_at))) in pairs.enumerate() {
        let (printed, answered) = (printed.answered.earliest, refused_at.answered.earliest);
        let low = clock::of_request((0, printed), (0, answered)).low;
        let next = refused.get(index + 1).and_then(|(_, next)| next.asked);
        let high = next.map_or(Interval::ALL.high, |next| clock::of_request((printed, 0), (next.earliest, 0)).high);
        intervals.push((*log, Interval { low, high }));
    }
    intervals
}

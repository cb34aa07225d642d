//! Two pages of the device that ran at one time and both published keys.

use crate::case::ledger::Refusal;
use crate::case::{Case, Page};
use crate::moment::{Clock, Moment};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::Device;

pub(super) const OVERLAP: Premise = Premise {
    id: "two-contexts/lives-overlap",
    says: "Each of two pages of the device shows its client at work before the other one's report was made, by clocks whose \
           difference is known.",
    rules_out: "One client after the other: the app was reloaded or opened again, or lets a tab wait until the other one is closed.",
};

pub(super) const TWO_PAGES: Premise = Premise {
    id: "two-contexts/two-pages",
    says: "The two reports are of pages that began at different times.",
    rules_out: "One page whose report was downloaded twice.",
};

pub(super) const BOTH_RUN: Premise = Premise {
    id: "two-contexts/both-run",
    says: "Both pages' clients were in sync and had opened a crypto store.",
    rules_out: "One of the pages runs no client.",
};

pub(super) const BOTH_PUBLISH: Premise = Premise {
    id: "two-contexts/both-publish",
    says: "Each of the two pages offered one-time keys: it printed a refusal, or its own HAR has an upload.",
    rules_out: "A second page that was opened beside the first, to download a report for instance, and published nothing.",
};

/// Two pages of the device that ran at one time: a proof for each pair.
pub(super) fn overlapping<'c>(case: &'c Case<'_>, device: &'c Device) -> impl Iterator<Item = Proof> + 'c {
    let pages: Vec<&Page> = case.pages_of(device).collect();
    let pairs: Vec<(&Page, &Page)> = pages
        .iter()
        .enumerate()
        .flat_map(|(at, one)| pages[at + 1..].iter().map(move |other| (*one, *other)))
        .collect();
    pairs.into_iter().map(move |(one, other)| {
        // Its lines and batches are its client's; without any it is known to run when its report was made.
        let works = |page: &Page| {
            let report = case.report(page);
            let lines = report.entries().map(|(_, entry)| entry.ts.0).chain(report.sent.iter().map(|batch| batch.ts.0));
            let first = lines.min().and_then(|first| i64::try_from(first).ok());
            first.map_or(case.made(page), |first| Moment::at(page.clock(), first))
        };
        let works_before_end = |page: &Page, other: &Page| case.clocks.is_before(works(page), case.made(other));
        let origin = |page: &Page| case.report(page).capture.time_origin;
        let runs = |page: &Page| {
            let report = case.report(page);
            report.is_in_sync() && report.own_keys().is_some_and(|keys| keys.ed25519.is_some())
        };
        let overlap = works_before_end(one, other) && works_before_end(other, one);
        let pieces = [one, other].map(|page| {
            let start = origin(page).map_or(0, |origin| origin.0 as i64);
            let end = case.report(page).generated_at.0 as i64;
            let text = format!("page from {} to {} at least", stamp::print(start), stamp::print(end));
            case.whole(page.report, &text, "this page ran while the other one did")
        });
        Proof::new(case)
            .evidence(overlap.then_some(pieces).into_iter().flatten())
            .premise(&OVERLAP, overlap, Vec::new)
            .premise(&TWO_PAGES, origin(one) != origin(other), Vec::new)
            .premise(&BOTH_RUN, runs(one) && runs(other), Vec::new)
            .premise(
                &BOTH_PUBLISH,
                publishes(case, device, one, other) && publishes(case, device, other, one),
                Vec::new,
            )
    })
}

/// Whether a page of the device offered one-time keys. A HAR that holds both pages' requests does not tell whose they are.
fn publishes(case: &Case<'_>, device: &Device, page: &Page, other: &Page) -> bool {
    let in_own_har = |asked: Moment| {
        matches!(asked.clock, Clock::Har(har) if !other.hars.contains(&har)) && case.is_in_life(page, asked)
    };
    let refused = |refusal: &Refusal| {
        refusal.is_of(device) && (refusal.answered.clock == page.clock() || refusal.asked.is_some_and(in_own_har))
    };
    case.ledger.conflicts.iter().any(refused)
        || case.ledger.accepted.iter().any(|upload| upload.device == *device && in_own_har(upload.asked))
}

//! Facts that prove one another, and what each does not prove. `facts/inference.md` is the specification.

mod conflict;
mod device_keys;
mod event;
mod lost_key;
mod media_key;
mod membership;
mod sending;

use crypto_diag_core::Entry;

use crate::evidence::{Evidence, Ke1, Ke4, Olm};
use crate::facts::Facts;
use crate::finding::{EntryRef, Finding, Kind};
use crate::report::Report;

/// Everything that is known: the reports, and beside each its evidence and facts.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Case<'a> {
    pub reports: &'a [Report],
    pub evidence: &'a [Vec<Option<Evidence>>],
    pub facts: &'a [Facts],
}

/// Draws all findings, the most telling kind first.
pub(crate) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut findings = conflict::findings(case);
    findings.extend(lost_key::findings(case));
    findings.extend(media_key::findings(case));
    findings.extend(device_keys::findings(case));
    findings.extend(sending::findings(case));
    findings.extend(event::findings(case));
    findings.extend(membership::findings(case));
    let mut ordered = Vec::with_capacity(findings.len());
    for kind in Kind::ALL {
        ordered.extend(findings.extract_if(.., |finding| finding.kind == kind));
    }
    // A kind that the list above forgets is still found.
    ordered.extend(findings);
    ordered
}

impl<'a> Case<'a> {
    /// All entries with evidence.
    fn lines(self) -> impl Iterator<Item = (EntryRef, &'a Entry, &'a Evidence)> {
        self.reports.iter().zip(self.evidence).enumerate().flat_map(|(at, (report, evidence))| {
            report.entries().filter_map(move |(index, entry)| {
                Some((EntryRef { report: at, entry: index }, entry, evidence.get(index)?.as_ref()?))
            })
        })
    }

    fn conflicts(self) -> impl Iterator<Item = (EntryRef, &'a Entry, &'a Ke1)> {
        self.lines().filter_map(|(at, entry, evidence)| match evidence {
            Evidence::Ke1(conflict) => Some((at, entry, conflict)),
            _ => None,
        })
    }

    fn olm(self) -> impl Iterator<Item = (EntryRef, &'a Entry, &'a Olm)> {
        self.lines().filter_map(|(at, entry, evidence)| match evidence {
            Evidence::Olm(olm) => Some((at, entry, olm)),
            _ => None,
        })
    }

    fn memberships(self) -> impl Iterator<Item = (EntryRef, &'a Entry, &'a Ke4)> {
        self.lines().filter_map(|(at, entry, evidence)| match evidence {
            Evidence::Ke4(line) => Some((at, entry, line)),
            _ => None,
        })
    }

    /// Whether two reports are of one device: the same report, or the same user and device by name.
    fn same_device(self, one: usize, other: usize) -> bool {
        let ids = |at: usize| {
            self.reports.get(at).and_then(|report| Some((report.user_id.as_ref()?, report.device_id.as_ref()?)))
        };
        one == other || ids(one).is_some_and(|one| ids(other) == Some(one))
    }

    /// The report's device, in words.
    fn device(self, at: usize) -> String {
        let Some(report) = self.reports.get(at) else { return "the device".to_owned() };
        match (&report.user_id, &report.device_id) {
            (Some(user_id), Some(device_id)) => format!("device {device_id} of {user_id}"),
            (Some(user_id), None) => format!("a device of {user_id}"),
            _ => "this device".to_owned(),
        }
    }
}

/// "once", "twice", "9 times".
fn times(count: usize) -> String {
    match count {
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        _ => format!("{count} times"),
    }
}

/// A sentence's beginning.
fn capitalised(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or(String::new(), |first| first.to_uppercase().chain(chars).collect())
}

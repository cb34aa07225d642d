//! Everything that is known, put together once: what each report says, whose HAR is whose, the clocks, what the artefacts
//! could have shown, and the ledger of one-time keys. Rules read it and change nothing.

pub(crate) mod coverage;
pub(crate) mod identity;
pub(crate) mod ledger;
pub(crate) mod logged;
pub(crate) mod measure;
pub(crate) mod media;
pub(crate) mod pace;
mod recorded;
pub(crate) mod requests;
pub(crate) mod shared;
pub(crate) mod watch;

use crypto_diag_analysis::evidence::{Ke4, Olm};
use crypto_diag_analysis::sorted::{self, distinct};
use crypto_diag_analysis::{Evidence as Facts, Query, QueryOptions, Reading, Report, server_queries};
use crypto_diag_core::Entry;

use crate::bundle::Bundle;
use crate::har::Har;
use crate::moment::{Clock, Clocks, Moment};
use crate::problem::Place;
use crate::proof::Mutation;
use crate::subject::Device;
use crate::verdict::{ClockOf, Evidence};
use coverage::Coverage;
use identity::Sighting;
use ledger::{Ledger, Refusal};
use shared::Shared;

/// One page: a report and what goes with it.
#[derive(Debug)]
pub(crate) struct Page {
    /// The report, by index. It is also the page's place in [`Case::pages`].
    pub report: usize,
    /// Whose page; `None` where the report does not say.
    pub device: Option<Device>,
    /// HARs of this device's browser.
    pub hars: Vec<usize>,
}

impl Page {
    /// The page's clock.
    pub fn clock(&self) -> Clock {
        Clock::Page(self.report)
    }
}

/// The case.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub bundle: &'a Bundle,
    /// What each report says, one for one.
    pub readings: Vec<Reading>,
    /// One for each report.
    pub pages: Vec<Page>,
    /// One for each HAR.
    pub coverage: Vec<Coverage>,
    pub clocks: Clocks,
    /// Messages that stand in the reports of both ends.
    pub shared: Vec<Shared>,
    pub ledger: Ledger,
    /// Which identity keys devices are known by.
    pub identities: Vec<Sighting>,
    /// A change of one premise: only tests ask for it.
    pub mutation: Option<Mutation>,
    queries: Vec<Vec<Query>>,
}

/// A line of a report: which report, which entry, the entry and its facts.
pub(crate) type Line<'c, T> = (usize, usize, &'c Entry, &'c T);

impl<'a> Case<'a> {
    /// The case of a bundle.
    pub fn of(bundle: &'a Bundle) -> Self {
        let readings: Vec<Reading> = bundle.reports.iter().map(Reading::of).collect();
        let coverage = bundle.hars.iter().map(|har| Coverage::of(har, &bundle.logs)).collect();
        let ledger = Ledger::of(bundle, &readings);
        let queries =
            bundle.reports.iter().map(|report| server_queries(report, &QueryOptions::default()).queries).collect();
        let pages: Vec<Page> = (0..bundle.reports.len()).map(|report| page(bundle, report)).collect();
        let shared = shared::messages(bundle, &readings, &pages);
        let clocks = measure::clocks(bundle, &pages, &ledger, &shared);
        let identities = identity::sightings(bundle);
        Case { bundle, readings, pages, coverage, clocks, shared, ledger, identities, mutation: None, queries }
    }

    pub fn report(&self, page: &Page) -> &'a Report {
        &self.bundle.reports[page.report]
    }

    pub fn report_name(&self, report: usize) -> &'a str {
        self.bundle.report_names.get(report).map_or("report", String::as_str)
    }

    /// An entry of a report as evidence.
    pub fn entry(&self, report: usize, entry: usize, says: impl Into<String>) -> Option<Evidence> {
        let found = self.bundle.reports.get(report)?.entries.get(entry)?.as_ref()?;
        let at = i64::try_from(found.ts.0).ok().filter(|_| self.bundle.reports[report].has_times());
        let name = self.report_name(report);
        Some(Evidence::new(name, Place::Entry(entry as u64), at, ClockOf::Client, &found.message, says))
    }

    /// When an entry of a report was printed.
    pub fn printed(&self, report: usize, entry: usize) -> Option<Moment> {
        let found =
            self.bundle.reports.get(report).filter(|report| report.has_times())?.entries.get(entry)?.as_ref()?;
        Some(Moment::at(Clock::Page(report), i64::try_from(found.ts.0).ok()?))
    }

    /// The report as a whole as evidence.
    pub fn whole(&self, report: usize, text: &str, says: impl Into<String>) -> Evidence {
        Evidence::new(self.report_name(report), Place::Whole, None, ClockOf::Client, text, says)
    }

    /// A page's label: its device, or its report's name.
    pub fn label(&self, page: &Page) -> String {
        page.device.as_ref().map_or_else(|| self.report_name(page.report).to_owned(), Device::label)
    }

    /// What the artefacts say of a device's identity.
    pub fn identities_of<'b>(&'b self, device: &'b Device) -> impl Iterator<Item = &'b Sighting> + 'b {
        self.identities.iter().filter(move |sighting| sighting.device == *device)
    }

    /// Pages of a device.
    pub fn pages_of<'b>(&'b self, device: &'b Device) -> impl Iterator<Item = &'b Page> + 'b {
        self.pages.iter().filter(move |page| page.device.as_ref() == Some(device))
    }

    /// The lines of Olm sessions that could not be made or used.
    pub fn olm(&self) -> impl Iterator<Item = Line<'_, Olm>> {
        self.lines().filter_map(|(report, index, entry, facts)| match facts {
            Facts::Olm(line) => Some((report, index, entry, line)),
            _ => None,
        })
    }

    /// The lines about delayed events and memberships.
    pub fn memberships(&self) -> impl Iterator<Item = Line<'_, Ke4>> {
        self.lines().filter_map(|(report, index, entry, facts)| match facts {
            Facts::Ke4(line) => Some((report, index, entry, line)),
            _ => None,
        })
    }

    /// All lines with facts.
    pub fn lines(&self) -> impl Iterator<Item = Line<'_, Facts>> {
        self.bundle.reports.iter().zip(&self.readings).enumerate().flat_map(|(report, (found, reading))| {
            found
                .entries()
                .filter_map(move |(index, entry)| Some((report, index, entry, reading.evidence.get(index)?.as_ref()?)))
        })
    }

    /// A server query of a report by name.
    pub fn server_query(&self, report: usize, name: &str) -> Option<&Query> {
        self.queries.get(report)?.iter().find(|query| query.name == name)
    }

    /// The devices that the case is about: those with a report or a HAR; without any, those that logs name.
    pub fn devices(&self) -> Vec<Device> {
        let mut devices: Vec<Device> = self.pages.iter().filter_map(|page| page.device.clone()).collect();
        let of_hars = self.bundle.hars.iter().filter_map(|har| har.device());
        devices.extend(of_hars.map(|(user, device)| Device::new(user, device)));
        // An earlier login of a browser has another device id than its report.
        let is_clients = |refusal: &&Refusal| matches!(refusal.answered.clock, Clock::Page(_) | Clock::Har(_));
        let seen = self.ledger.conflicts.iter().filter(is_clients);
        devices.extend(seen.filter_map(|refusal| refusal.device.clone()));
        if devices.is_empty() {
            devices.extend(self.ledger.conflicts.iter().filter_map(|conflict| conflict.device.clone()));
            devices.extend(self.ledger.accepted.iter().map(|upload| upload.device.clone()));
        }
        distinct(devices)
    }
}

fn page(bundle: &Bundle, report: usize) -> Page {
    let found = &bundle.reports[report];
    let device = found.user_id.as_deref().zip(found.device_id.as_deref());
    let mut hars: Vec<usize> = (0..bundle.hars.len()).filter(|har| belongs(bundle, *har, report)).collect();
    // A device may have several pages, on several machines: a HAR whose name goes with one of them is not another's.
    let of_another = |har: &usize| {
        let name = stem(&bundle.hars[*har].name);
        let same_device = |other: &usize| {
            (&bundle.reports[*other].user_id, &bundle.reports[*other].device_id) == (&found.user_id, &found.device_id)
        };
        name != stem(&bundle.report_names[report])
            && (0..bundle.reports.len()).filter(same_device).any(|other| stem(&bundle.report_names[other]) == name)
    };
    hars.retain(|har| !of_another(har));
    Page { report, device: device.map(|(user, device)| Device::new(user, device)), hars }
}

/// Whether a HAR was recorded by a report's browser: by the device in its uploads, by a transaction id, or, where it says
/// neither and does not contradict, by its name.
fn belongs(bundle: &Bundle, har: usize, report: usize) -> bool {
    let (found, report_name) = (&bundle.reports[report], &bundle.report_names[report]);
    let har = &bundle.hars[har];
    let ids = found.user_id.as_deref().zip(found.device_id.as_deref());
    if let Some(device) = har.device() {
        return ids == Some(device);
    }
    let sent = |txn_id: &str| found.sent.iter().any(|batch| batch.txnid.as_deref() == Some(txn_id));
    if har.entries.iter().filter_map(|exchange| exchange.txn_id()).any(sent) {
        return true;
    }
    let user = har.user();
    if user.is_some() && user.as_deref() != found.user_id.as_deref() {
        return false;
    }
    stem(&har.name) == stem(report_name)
}

/// `victim` of `bundle/victim.report.json`.
fn stem(name: &str) -> &str {
    let file = name.rsplit(['/', '\\']).next().unwrap_or(name);
    file.split('.').next().unwrap_or(file)
}

/// An exchange of a HAR as evidence.
pub(crate) fn exchange(har: &Har, index: usize, says: impl Into<String>) -> Evidence {
    let exchange = &har.entries[index];
    let refusal = exchange.facts.as_ref().and_then(|facts| facts.refusal.as_deref()).unwrap_or_default();
    let text =
        format!("{} {} → {} after {:.0} ms {refusal}", exchange.method, exchange.uri, exchange.status, exchange.time);
    Evidence::new(&har.name, Place::Entry(exchange.index), Some(exchange.start), ClockOf::Client, text.trim_end(), says)
}

/// Refusals that are the same one: device, id and the key that the server holds.
pub(crate) fn groups<'c>(ledger: &'c Ledger, devices: &[Device]) -> Vec<Vec<&'c ledger::Refusal>> {
    let keyed = ledger.conflicts.iter().filter_map(|refusal| {
        let device = refusal.device.as_ref().filter(|device| devices.contains(device))?;
        Some(((device, refusal.key_id(), refusal.held_key().unwrap_or_default()), refusal))
    });
    sorted::groups(keyed).into_iter().map(|(_, refusals)| refusals).collect()
}

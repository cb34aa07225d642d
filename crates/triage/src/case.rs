//! Everything that is known, put together once: whose HAR is whose, one clock for each page, coverage, and the ledger of
//! one-time keys.

use std::collections::BTreeMap;

use crypto_diag_analysis::evidence::ke1::{self, Ke1};
use crypto_diag_analysis::{Analysis, Query, QueryOptions, Report, analyse, server_queries};
use crypto_diag_core::Meaning;

use crate::bundle::Bundle;
use crate::clock::{self, Interval, Offset};
use crate::coverage::Coverage;
use crate::har::Har;
use crate::ledger::{self, Ledger};
use crate::problem::Place;
use crate::synapse_log::{Route, ZoneSource};
use crate::verdict::{ArtefactKind, ClockOf, Evidence, Fetch};

/// A device by name.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(crate) struct DeviceName {
    pub user_id: String,
    pub device_id: String,
}

impl DeviceName {
    pub fn new(user_id: &str, device_id: &str) -> Self {
        DeviceName { user_id: user_id.to_owned(), device_id: device_id.to_owned() }
    }

    /// `@alice:localhost/HQBJQUNFIQ`, as verdicts are about it.
    pub fn label(&self) -> String {
        format!("{}/{}", self.user_id, self.device_id)
    }
}

/// One page: a report and what goes with it.
#[derive(Debug)]
pub(crate) struct Page {
    /// The report, by index.
    pub report: usize,
    /// Whose page; `None` where the report does not say.
    pub device: Option<DeviceName>,
    /// HARs of this device.
    pub hars: Vec<usize>,
    /// The server's log time less the page's.
    pub log_offset: Offset,
    /// The server's time in milliseconds since the epoch less the page's: the same, where the log's zone is known.
    pub offset: Offset,
}

/// The case.
#[derive(Debug)]
pub(crate) struct Case<'a> {
    pub bundle: &'a Bundle,
    pub analysis: Analysis,
    pub pages: Vec<Page>,
    /// One for each HAR.
    pub coverage: Vec<Coverage>,
    pub ledger: Ledger,
    queries: Vec<BTreeMap<&'static str, Query>>,
}

impl<'a> Case<'a> {
    pub fn new(bundle: &'a Bundle) -> Self {
        let analysis = analyse(&bundle.reports);
        let coverage = bundle.hars.iter().map(|har| Coverage::of(har, &bundle.logs)).collect();
        let ledger = Ledger::of(bundle);
        let queries = bundle
            .reports
            .iter()
            .map(|report| {
                let asked = server_queries(report, &QueryOptions::default());
                asked.queries.into_iter().map(|query| (query.name, query)).collect()
            })
            .collect();
        let pages = (0..bundle.reports.len()).map(|report| page(bundle, &ledger, report)).collect();
        Case { bundle, analysis, pages, coverage, ledger, queries }
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
        let at = i64::try_from(found.ts.0).ok();
        let name = self.report_name(report);
        Some(Evidence::new(name, Place::Entry(entry as u64), at, ClockOf::Client, &found.message, says))
    }

    /// The report as a whole as evidence.
    pub fn whole(&self, report: usize, text: &str, says: impl Into<String>) -> Evidence {
        Evidence::new(self.report_name(report), Place::Whole, None, ClockOf::Client, text, says)
    }

    /// A page's label: its device, or its report's name.
    pub fn label(&self, page: &Page) -> String {
        page.device.as_ref().map_or_else(|| self.report_name(page.report).to_owned(), DeviceName::label)
    }

    /// Pages of a device.
    pub fn pages_of<'b>(&'b self, device: &'b DeviceName) -> impl Iterator<Item = &'b Page> + 'b {
        self.pages.iter().filter(move |page| page.device.as_ref() == Some(device))
    }

    /// Whether a request of that page to a route would be in the logs, as one of its own HARs measures it.
    pub fn log_shows(&self, page: &Page, route: Route) -> bool {
        page.hars.iter().any(|har| self.coverage[*har].shows(route))
    }

    /// Why not.
    pub fn why_log_shows_not(&self, page: &Page, route: Route) -> String {
        match page.hars.first() {
            Some(har) => self.coverage[*har].why_not(route),
            None => "there is no HAR of that page to measure the log by".to_owned(),
        }
    }

    /// A query of a report by name, to be fetched.
    pub fn query(&self, report: usize, name: &str, what: impl Into<String>) -> Fetch {
        let asked = self.queries.get(report).and_then(|queries| queries.get(name));
        let log = asked.is_some_and(|query| query.runs_on == crypto_diag_analysis::queries::RunsOn::LogHost);
        Fetch {
            artefact: if log { ArtefactKind::ServerLog } else { ArtefactKind::QueryResults },
            what: what.into(),
            how: match asked {
                Some(query) => query.text.clone(),
                None => format!("crypto-diag queries {}  # the query called {name}", quoted(self.report_name(report))),
            },
        }
    }

    /// A HAR of a page, to be fetched.
    pub fn fetch_har(&self, page: &Page, what: impl Into<String>) -> Fetch {
        let device = self.label(page);
        Fetch {
            artefact: ArtefactKind::Har,
            what: what.into(),
            how: format!(
                "In the browser of {device}: F12, Network, tick “Preserve log”, reload, reproduce, “Save all as HAR”; then: \
                 crypto-diag collect --report {} --har FILE --log /var/log/matrix-synapse/homeserver.log",
                quoted(self.report_name(page.report))
            ),
        }
    }

    /// The server's log for a page, to be fetched.
    pub fn fetch_log(&self, page: &Page, what: impl Into<String>) -> Fetch {
        Fetch {
            artefact: ArtefactKind::ServerLog,
            what: what.into(),
            how: format!(
                "crypto-diag collect --report {} --log /var/log/matrix-synapse/homeserver.log",
                quoted(self.report_name(page.report))
            ),
        }
    }

    /// A report of another device, to be fetched.
    pub fn fetch_report(&self, of: &str, what: impl Into<String>) -> Fetch {
        Fetch {
            artefact: ArtefactKind::Report,
            what: what.into(),
            how: format!("On {of}: Settings, Developer Tools, Crypto Diagnostics, Download report"),
        }
    }
}

fn quoted(name: &str) -> String {
    shlex::try_quote(name).map_or_else(|_| "REPORT".to_owned(), std::borrow::Cow::into_owned)
}

fn page(bundle: &Bundle, ledger: &Ledger, report: usize) -> Page {
    let found = &bundle.reports[report];
    let device =
        found.user_id.as_deref().zip(found.device_id.as_deref()).map(|(user, device)| DeviceName::new(user, device));
    let hars: Vec<usize> = (0..bundle.hars.len()).filter(|har| belongs(bundle, *har, report)).collect();
    let log_offset = offset(bundle, ledger, report, device.as_ref(), &hars);
    let zones = !bundle.logs.is_empty() && bundle.logs.iter().all(|log| log.zone != ZoneSource::Assumed);
    Page { report, device, hars, log_offset, offset: if zones { log_offset } else { Offset::Unknown } }
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

fn offset(bundle: &Bundle, ledger: &Ledger, report: usize, device: Option<&DeviceName>, hars: &[usize]) -> Offset {
    let mut intervals: Vec<Interval> = Vec::new();
    for log in &bundle.logs {
        intervals.extend(hars.iter().flat_map(|har| clock::of_requests(&bundle.hars[*har], log)));
    }
    intervals.extend(sent_batches(bundle, report));
    intervals.extend(device.map(|device| refusals(bundle, ledger, report, device)).unwrap_or_default());
    Offset::of(intervals)
}

/// The page prints a batch before it sends it, and a transaction id is unique.
fn sent_batches(bundle: &Bundle, report: usize) -> Vec<Interval> {
    let mut intervals = Vec::new();
    for batch in bundle.reports[report].sent.iter() {
        let Some(txn_id) = batch.txnid.as_deref() else { continue };
        let requests = bundle.logs.iter().flat_map(|log| &log.requests);
        let user = bundle.reports[report].user_id.as_deref();
        let mut requests =
            requests.filter(|request| request.txn_id() == Some(txn_id) && request.user_id.as_deref() == user);
        if let (Some(request), None) = (requests.next(), requests.next()) {
            let sent = (batch.ts.0 as i64, Interval::ALL.high);
            intervals
                .push(Interval { low: Interval::ALL.low, ..clock::of_request(sent, (request.start, request.end)) });
        }
    }
    intervals
}

/// Where page and log show the same number of refusals, more than one, they are the same ones: a page prints each after
/// its answer and before it asks again.
fn refusals(bundle: &Bundle, ledger: &Ledger, report: usize, device: &DeviceName) -> Vec<Interval> {
    let found = &bundle.reports[report];
    let mut printed: Vec<i64> = found
        .entries()
        .filter(|(_, entry)| entry.ke.id() == "KE-1" && ke1::read(&entry.message).is_some())
        .map(|(_, entry)| entry.ts.0 as i64)
        .collect();
    printed.sort_unstable();
    let mut refused: Vec<(Option<i64>, i64)> = ledger
        .conflicts
        .iter()
        .filter(|conflict| conflict.is_of(device))
        .filter_map(|conflict| conflict.in_log)
        .collect();
    refused.sort_unstable_by_key(|(_, end)| *end);
    let complete = found.tally("KE-1", Meaning::Failure) == printed.len() as u64;
    if !complete || printed.len() < 2 || printed.len() != refused.len() {
        return Vec::new();
    }
    let mut intervals = Vec::new();
    for (index, (printed, (_, answered))) in printed.iter().zip(&refused).enumerate() {
        let low = clock::of_request((0, *printed), (0, *answered)).low;
        let next = refused.get(index + 1).and_then(|(start, _)| *start);
        let high = next.map_or(Interval::ALL.high, |next| clock::of_request((*printed, 0), (next, 0)).high);
        intervals.push(Interval { low, high });
    }
    intervals
}

/// An exchange of a HAR as evidence.
pub(crate) fn exchange(har: &Har, index: usize, says: impl Into<String>) -> Evidence {
    let exchange = &har.entries[index];
    let refusal = exchange.facts.as_ref().and_then(|facts| facts.refusal.as_deref()).unwrap_or_default();
    let text =
        format!("{} {} → {} after {:.0} ms {refusal}", exchange.method, exchange.uri, exchange.status, exchange.time);
    Evidence::new(&har.name, Place::Entry(exchange.index), Some(exchange.start), ClockOf::Client, text.trim_end(), says)
}

/// The public key that a conflict says the server holds.
pub(crate) fn server_key(conflict: &Ke1) -> Option<&str> {
    conflict.server_key.as_ref()?.key.as_deref()
}

/// The public key that a conflict says the client wanted to publish.
pub(crate) fn client_key(conflict: &Ke1) -> Option<&str> {
    conflict.client_key.as_ref()?.key.as_deref()
}

/// Conflicts that are the same one: device, id and the server's key.
pub(crate) fn groups<'c>(ledger: &'c Ledger, devices: &[DeviceName]) -> Vec<Vec<&'c ledger::Refusal>> {
    let mut groups: BTreeMap<(DeviceName, String, String), Vec<&ledger::Refusal>> = BTreeMap::new();
    for conflict in &ledger.conflicts {
        let Some(device) = conflict.device.clone().filter(|device| devices.contains(device)) else { continue };
        let id = conflict.conflict.key_id.clone().unwrap_or_default();
        let key = server_key(&conflict.conflict).unwrap_or_default().to_owned();
        groups.entry((device, id, key)).or_default().push(conflict);
    }
    groups.into_values().collect()
}

//! The tables: what a row says, in which unit, and what null means. All times are milliseconds since the Unix epoch; of a page's row by the
//! page's own clock. A [`Pseudonym`] has 24 letters.

use crypto_diag_pseudonym::{Kind, Pseudonym};
use serde::Serialize;

/// A row, as a line of JSON names it in `table`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(tag = "table", rename_all = "kebab-case")]
pub enum Row<'r> {
    /// One for each report.
    Reports(ReportRow<'r>),
    /// One for each line that a report keeps.
    Entries(EntryRow<'r>),
    /// One for each mention of an id.
    Ids(IdRow<'r>),
    /// One for each verdict on a report by itself.
    Findings(FindingRow<'r>),
    /// One for each verdict on an incident.
    Judged(FindingRow<'r>),
    /// One for each report, with its text: restricted.
    Bodies(Body<'r>),
    /// One for each line of the input that cannot be used.
    Refused(RefusedRow),
    /// One for each minute, route and duration of a server's log.
    Latency(LatencyRow<'r>),
}

/// Where a report came from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Source {
    /// It was given as it is.
    Report,
    /// It was attached to a rageshake.
    Rageshake,
    /// It was read out of a rageshake's consoles. Nothing follows from what they lack, and the judge cannot read them.
    RageshakeConsole,
}

/// Table `reports`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ReportRow<'r> {
    /// The rules that made the row, see [`rules_version`](crate::rules_version).
    pub rules: &'static str,
    /// The report, by its content: the same report twice has one id.
    pub report: Pseudonym,
    /// The day on which the report was made, in UTC: `2026-11-23`. Tables are partitioned by it.
    pub day: &'r str,
    /// Where it came from.
    pub source: Source,
    /// The user's homeserver: a pseudonym, or its name where that is open; null if no client was asked.
    pub homeserver: Option<&'r str>,
    /// The user.
    pub account: Option<Pseudonym>,
    /// The user's device. Rates count these.
    pub device: Option<Pseudonym>,
    /// When it was made.
    pub made_ms: u64,
    /// From when on lines were seen: the capture's installation, or the last Clear; null if it does not say.
    pub from_ms: Option<u64>,
    /// The release that rates are told apart by: the app's version where a rageshake names it, else matrix-js-sdk's; null if neither is a
    /// version.
    pub release: Option<String>,
    /// matrix-js-sdk's version.
    pub sdk: Option<String>,
    /// The crypto library's version.
    pub crypto: Option<String>,
    /// The browser and its main version: `firefox 153`.
    pub browser: Option<String>,
    /// The operating system: `windows`, `macos`, `linux`, `android`, `ios`, `chromeos`.
    pub os: Option<&'static str>,
    /// How the capture fared: `capturing` and so on; null of a rageshake's consoles. Only of a page that is `capturing` does silence say
    /// anything.
    pub state: Option<String>,
    /// Whether every hook was in place when the report was made.
    pub hooks_ok: bool,
    /// Whether the browser has promised not to evict the page's storage; null if it was not asked.
    pub persisted: Option<bool>,
    /// The state of sync: `SYNCING` and so on; null if it is unknown.
    pub sync: Option<&'static str>,
    /// Lines of KE-1 that mean a failure, kept or not.
    pub ke1: u64,
    /// Likewise of OLM.
    pub olm: u64,
    /// Likewise of KE-2.
    pub ke2: u64,
    /// Likewise of KE-3.
    pub ke3: u64,
    /// Lines of KE-4 that mean a failure, or one that often heals by itself.
    pub ke4: u64,
    /// Media keys that were delivered.
    pub delivered: u64,
    /// Lines that passed the hooks.
    pub seen: u64,
    /// Entries that gave way to newer ones: what they said is lost, and counted.
    pub evicted: u64,
    /// Pages: 1, and those that the tab had open before, or the consoles of a rageshake.
    pub pages: usize,
    /// Entries that could not be read.
    pub unreadable: usize,
}

/// Table `entries`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct EntryRow<'r> {
    /// The rules.
    pub rules: &'static str,
    /// The report.
    pub report: Pseudonym,
    /// Its day.
    pub day: &'r str,
    /// Its homeserver.
    pub homeserver: Option<&'r str>,
    /// The page: 0 is the one that made the report.
    pub page: usize,
    /// The entry's place in that page's list, from 0.
    pub entry: usize,
    /// When the line was printed.
    pub ms: u64,
    /// The same in whole minutes since the epoch.
    pub minute: u64,
    /// The family: `KE-1` to `KE-4`, `OLM`.
    pub ke: &'static str,
    /// What the line says by itself: `failure`, `transient`, `delivered`, `unrelated`.
    pub meaning: &'static str,
    /// The words that it was known by; null if this program does not have them.
    pub signature: Option<&'static str>,
    /// What it says: `refused` for KE-1, else the kind or the reason as `crypto-diag/analysis` names it; null where the line is of no known
    /// form.
    pub what: Option<String>,
    /// Where it was written: `main`, `frame`, `worker`.
    pub realm: Option<String>,
}

/// What a report says of an id.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Role {
    /// This client sent it.
    Sent,
    /// This client opened it.
    Received,
    /// This client could not open it, or lacks it.
    Lost,
    /// The server refused it, or holds it in its place.
    Refused,
    /// It is of an event that could not be decrypted.
    Undecryptable,
    /// It is of the peer who sent something.
    Sender,
    /// Something was sent to it.
    Target,
    /// It is this device's own.
    Own,
    /// A line names it.
    Named,
    /// Its media key was missing.
    Missing,
    /// It is in the call.
    Call,
}

/// Table `ids`.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct IdRow<'r> {
    /// The rules.
    pub rules: &'static str,
    /// The report.
    pub report: Pseudonym,
    /// Its day.
    pub day: &'r str,
    /// Its homeserver.
    pub homeserver: Option<&'r str>,
    /// When the line was printed, or the report made.
    pub ms: u64,
    /// What is said of it.
    pub role: Role,
    /// What it names. Ids are equal only within a kind.
    pub kind: Kind,
    /// The id.
    pub id: Pseudonym,
    /// The page that says it, see [`EntryRow::page`].
    pub page: usize,
    /// The entry that says it; null where it is no entry.
    pub entry: Option<usize>,
}

/// Tables `findings` and `judged`: a verdict.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct FindingRow<'r> {
    /// The rules.
    pub rules: &'static str,
    /// The report that was judged by itself; absent in `judged`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub report: Option<Pseudonym>,
    /// The incident that was judged; absent in `findings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub incident: Option<&'r str>,
    /// The day of the report, or of the incident's earliest one.
    pub day: &'r str,
    /// The homeserver of the device below.
    pub homeserver: Option<String>,
    /// The device that the verdict is about; null if it is about none.
    pub device: Option<Pseudonym>,
    /// The conclusion: `ke1-seen` and so on, as docs/rules.md lists them.
    pub finding: String,
    /// The question that it belongs to: `Q1` to `Q4`.
    pub question: String,
    /// The family that it belongs to.
    pub family: &'static str,
    /// `proven`, `refuted` or `unknown`.
    pub verdict: &'static str,
    /// How many things it is about: 1, or the keys, messages or events of a storm.
    pub things: usize,
    /// Innocent explanations that are left. 0 if it is proven.
    pub open: usize,
    /// Reports that were judged together; absent in `findings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reports: Option<usize>,
    /// Reports of the incident that were left out, since there are more than [`REPORTS_MAX`](crate::REPORTS_MAX); absent in `findings`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub left_out: Option<u64>,
    /// What it rests on: `REPORT#ENTRY`, or `REPORT` where it is no entry of the page that made the report; with spaces between; absent in
    /// `findings`, whose report is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
}

/// Table `bodies`: the report itself, as the judge reads it. It holds ids, so it belongs apart from all others, with rights and a retention
/// of its own.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Body<'r> {
    /// The rules.
    pub rules: &'static str,
    /// The report.
    pub report: Pseudonym,
    /// Its day.
    pub day: &'r str,
    /// Its JSON on one line.
    pub body: &'r str,
}

/// Why a line cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Why {
    /// It is no JSON.
    NotJson,
    /// It is JSON of another kind.
    NotAReport,
    /// It is a report of a later version.
    TooNew,
    /// It is longer than 64 MiB.
    TooLong,
    /// To the judge: it lacks the incident or the report in front.
    NoColumns,
    /// A rageshake has neither a report nor a console that can be read.
    NothingReadable,
}

/// Table `refused`. Standard error says in which line, and where in it.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct RefusedRow {
    /// The rules.
    pub rules: &'static str,
    /// The line, by its bytes; null if it is too long.
    pub report: Option<Pseudonym>,
    /// Why.
    pub why: Why,
}

/// Table `latency`: requests of a homeserver's log by the minute in which they ended, by route and by duration. Rows of several workers and
/// days can be added up. A quantile of the sum is exact to the width of a bucket, which is 0.8 % of the duration at most.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct LatencyRow<'r> {
    /// The rules.
    pub rules: &'static str,
    /// The log, by the line of its first request: the same log twice has one id.
    pub log: Pseudonym,
    /// The number of the row's piece of the log, from 0. A minute whose lines come late has rows in two pieces.
    pub piece: u64,
    /// The day of the minute, in UTC.
    pub day: &'r str,
    /// Whose log it is: a pseudonym, or its name where that is open.
    pub homeserver: &'r str,
    /// Whole minutes since the epoch, of the requests' end.
    pub minute: i64,
    /// `keys/upload`, `keys/claim`, `keys/query`, `sendToDevice`, `delayed_events` or `other`.
    pub route: &'static str,
    /// How long the server worked on each request, in milliseconds: this at most, and 0.8 % less at least.
    pub upto_ms: u32,
    /// How many requests.
    pub requests: u64,
}

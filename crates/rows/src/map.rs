//! Reports in, rows out.

use std::fmt;
use std::io::{self, BufRead, Write};

use crypto_diag_analysis::{Evidence, Reading, Report, ReportError};
use crypto_diag_core::{Ke, Meaning, Millis};
use crypto_diag_pseudonym::{Kind, Pseudonym};
use crypto_diag_triage::analysis::Analysis;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::console::Rageshake;
use crypto_diag_triage::stamp;
use crypto_diag_triage::unpack::{DOCUMENT_BYTES_MAX, parse};
use crypto_diag_triage::verdict::Verdict;
use serde_json::Value;

use crate::lines::{Line, Lines};
use crate::table::{Body, EntryRow, FindingRow, IdRow, RefusedRow, ReportRow, Row, Source, Why};
use crate::{Names, mentions, rules_version, words};

/// Milliseconds of a minute.
const MINUTE_MS: u64 = 60_000;

/// What a filter has done.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Done {
    /// Reports that were read.
    pub read: u64,
    /// Lines that could not be used.
    pub refused: u64,
}

/// Why something of the input is no report, for people. It may quote the input, which the row does not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Refusal {
    /// The word for rows.
    pub why: Why,
    /// The sentence.
    pub says: String,
}

impl Refusal {
    pub(crate) fn too_long() -> Refusal {
        Refusal { why: Why::TooLong, says: format!("it is longer than {} MiB", DOCUMENT_BYTES_MAX >> 20) }
    }
}

impl fmt::Display for Refusal {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}

/// Reads a report out of bytes.
pub(crate) fn read(bytes: &[u8]) -> Result<(Report, Value), Refusal> {
    let value: Value = parse(bytes).map_err(|error| {
        let says = format!("this is not JSON from line {}, column {} on: {error}", error.line(), error.column());
        Refusal { why: Why::NotJson, says }
    })?;
    match Report::from_value(&value) {
        Ok(report) => Ok((report, value)),
        Err(error) => {
            let why = match error {
                ReportError::NotJson { .. } => Why::NotJson,
                ReportError::NotAReport { .. } => Why::NotAReport,
                ReportError::TooNew { .. } => Why::TooNew,
            };
            Err(Refusal { why, says: error.to_string() })
        }
    }
}

/// The day of an instant, in UTC; 1970-01-01 where nobody knows it.
pub(crate) fn day(at: Millis) -> String {
    let mut printed = stamp::print(i64::try_from(at.0).ok().and_then(stamp::plausible).unwrap_or(0));
    printed.truncate("2026-11-23".len());
    printed
}

/// A row as a line.
pub(crate) fn write(out: &mut impl Write, row: &Row<'_>) -> io::Result<()> {
    serde_json::to_writer(&mut *out, row)?;
    out.write_all(b"\n")
}

/// What is told apart in tables `findings` and `judged` and is of the verdict alone.
pub(crate) fn finding<'r>(names: &Names, verdict: &Verdict, day: &'r str) -> FindingRow<'r> {
    let device = verdict.subject.device.as_ref();
    FindingRow {
        rules: rules_version(),
        report: None,
        incident: None,
        day,
        homeserver: device.and_then(|device| names.homeserver(&device.user_id)),
        device: device.map(|device| names.device(&device.user_id, &device.device_id)),
        finding: words::word(&verdict.conclusion).unwrap_or_default(),
        question: words::word(&verdict.conclusion.question()).unwrap_or_default(),
        family: verdict.conclusion.family().id(),
        verdict: verdict.answer.word(),
        things: verdict.count,
        open: verdict.otherwise().len(),
        reports: None,
        left_out: None,
        evidence: None,
    }
}

/// Gives the rows of reports, one a line of the input. `with_bodies`: also those of the table `bodies`. `complain` hears which line cannot
/// be used, and why; such a line becomes a row of the table `refused`.
///
/// # Errors
/// If the input cannot be read on, or the output not be written.
pub fn rows(
    names: &Names,
    with_bodies: bool,
    input: impl BufRead,
    out: impl Write,
    complain: &mut dyn FnMut(&str),
) -> io::Result<Done> {
    let mut map = Map::new(names, with_bodies, out);
    let mut lines = Lines::new(input);
    loop {
        let refused = match lines.read()? {
            None => break,
            Some(Line::TooLong) => {
                let refusal = Refusal::too_long();
                map.refuse(None, refusal.why)?;
                Err(refusal)
            }
            Some(Line::Text(line)) => map.report(line, None)?,
        };
        if let Err(why) = refused {
            complain(&format!("line {}: {why}", lines.number));
        }
    }
    Ok(map.done)
}

/// Gives rows, report by report.
#[derive(Debug)]
pub struct Map<'n, W> {
    pub(crate) names: &'n Names,
    with_bodies: bool,
    out: W,
    /// What it has done so far.
    pub done: Done,
}

impl<'n, W: Write> Map<'n, W> {
    /// Writes rows to `out`.
    pub fn new(names: &'n Names, with_bodies: bool, out: W) -> Self {
        Map { names, with_bodies, out, done: Done::default() }
    }

    /// Gives the rows of a report's JSON, or that of its refusal. `shake`: the rageshake that it was attached to.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn report(&mut self, bytes: &[u8], shake: Option<&Rageshake>) -> io::Result<Result<(), Refusal>> {
        let (report, value) = match read(bytes) {
            Ok(read) => read,
            Err(refusal) => {
                let mut hashing = self.names.begin(Kind::Report);
                hashing.update(bytes);
                self.refuse(Some(hashing.end()), refusal.why)?;
                return Ok(Err(refusal));
            }
        };
        // White space and the order of names are nothing of a report's own: a file and a line that say the same are one report.
        let body = value.to_string();
        let id = self.names.of(Kind::Report, &body);
        let made = report.generated_at;
        let source = if shake.is_some() { Source::Rageshake } else { Source::Report };
        self.pages(id, source, &Bundle::of_reports([("report".to_owned(), report)]), shake)?;
        if self.with_bodies {
            let row = Body { rules: rules_version(), report: id, day: &day(made), body: &body };
            write(&mut self.out, &Row::Bodies(row))?;
        }
        Ok(Ok(()))
    }

    /// Notes that something cannot be used. `id`: what it is called, where its bytes were read.
    ///
    /// # Errors
    /// If the output cannot be written.
    pub fn refuse(&mut self, id: Option<Pseudonym>, why: Why) -> io::Result<()> {
        self.done.refused += 1;
        write(&mut self.out, &Row::Refused(RefusedRow { rules: rules_version(), report: id, why }))
    }

    /// Gives the rows of a report whose pages are the reports of a bundle: the first is the page that made it.
    pub(crate) fn pages(
        &mut self,
        report: Pseudonym,
        source: Source,
        bundle: &Bundle,
        shake: Option<&Rageshake>,
    ) -> io::Result<()> {
        if bundle.reports.is_empty() {
            return Ok(());
        }
        self.done.read += 1;
        let analysis = Analysis::of(bundle);
        // A page before or a console beside may tell more of it than the first.
        let user_id = bundle.reports.iter().find_map(|page| page.user_id.as_deref());
        let day = day(bundle.reports.iter().map(|page| page.generated_at).max().unwrap_or_default());
        let homeserver = user_id.and_then(|user| self.names.homeserver(user));
        let about = About { rules: rules_version(), report, day: &day, homeserver: homeserver.as_deref() };
        let row = report_row(self.names, about, (source, shake), bundle, &analysis.reports);
        write(&mut self.out, &Row::Reports(row))?;
        for (page, (of_page, reading)) in bundle.reports.iter().zip(&analysis.reports).enumerate() {
            self.entries(about, page, of_page, reading)?;
            for mention in mentions::of_page(self.names, of_page, reading) {
                let About { rules, report, day, homeserver } = about;
                let mentions::Mention { at, role, kind, id, entry } = mention;
                let row = IdRow { rules, report, day, homeserver, ms: at.0, role, kind, id, page, entry };
                write(&mut self.out, &Row::Ids(row))?;
            }
        }
        for verdict in &analysis.verdicts {
            let row = FindingRow { report: Some(report), ..finding(self.names, verdict, &day) };
            write(&mut self.out, &Row::Findings(row))?;
        }
        Ok(())
    }

    fn entries(&mut self, about: About<'_>, page: usize, of_page: &Report, reading: &Reading) -> io::Result<()> {
        let About { rules, report, day, homeserver } = about;
        for (index, entry) in of_page.entries() {
            let row = EntryRow {
                rules,
                report,
                day,
                homeserver,
                page,
                entry: index,
                ms: entry.ts.0,
                minute: entry.ts.0 / MINUTE_MS,
                ke: entry.ke.id(),
                meaning: entry.meaning.word(),
                signature: words::signature(&entry.signature),
                what: reading.evidence.get(index).and_then(Option::as_ref).and_then(what),
                realm: words::word(&entry.realm.kind),
            };
            write(&mut self.out, &Row::Entries(row))?;
        }
        Ok(())
    }
}

/// What all rows of a report have in common.
#[derive(Clone, Copy)]
struct About<'r> {
    rules: &'static str,
    report: Pseudonym,
    day: &'r str,
    homeserver: Option<&'r str>,
}

fn report_row<'r>(
    names: &Names,
    about: About<'r>,
    (source, shake): (Source, Option<&Rageshake>),
    bundle: &Bundle,
    readings: &[Reading],
) -> ReportRow<'r> {
    let pages = &bundle.reports;
    let first = &pages[0];
    let sdk = first.sdk_version.as_deref().and_then(words::version);
    let app = shake.and_then(|shake| shake.version.as_deref()).and_then(words::version);
    let tally = |ke: Ke, meaning| pages.iter().map(|page| page.tally(ke.id(), meaning)).sum::<u64>();
    let user_id = pages.iter().find_map(|page| page.user_id.as_deref());
    let device = pages.iter().find_map(|page| Some((page.user_id.as_deref()?, page.device_id.as_deref()?)));
    let capture = &first.capture;
    ReportRow {
        rules: about.rules,
        report: about.report,
        day: about.day,
        source,
        homeserver: about.homeserver,
        account: user_id.map(|user| names.of(Kind::Account, user)),
        device: device.map(|(user, device)| names.device(user, device)),
        made_ms: first.generated_at.0,
        from_ms: capture.cleared_at.max(capture.installed_at).map(|at| at.0),
        release: app.or_else(|| sdk.clone()),
        sdk,
        crypto: first.crypto_version.as_deref().and_then(words::version),
        browser: first.user_agent.as_deref().and_then(words::browser),
        os: first.user_agent.as_deref().and_then(words::system),
        state: words::word(&capture.state).filter(|_| source != Source::RageshakeConsole),
        hooks_ok: !capture.hooks.is_empty() && capture.hooks.iter().all(|hook| hook.in_place),
        persisted: first.storage_persisted.or(shake.and_then(|shake| shake.persisted)),
        sync: first.sync_state.as_deref().and_then(words::sync),
        ke1: tally(Ke::Ke1, Meaning::Failure),
        olm: tally(Ke::Olm, Meaning::Failure),
        ke2: tally(Ke::Ke2, Meaning::Failure),
        ke3: tally(Ke::Ke3, Meaning::Failure),
        ke4: tally(Ke::Ke4, Meaning::Failure) + tally(Ke::Ke4, Meaning::Transient),
        delivered: tally(Ke::Ke2, Meaning::Delivered),
        seen: capture.lines_seen,
        evicted: capture.evicted,
        pages: pages.len(),
        unreadable: readings.iter().map(|reading| reading.unreadable).sum(),
    }
}

/// What a line says, in the word of its family.
fn what(evidence: &Evidence) -> Option<String> {
    match evidence {
        Evidence::Ke1(_) => Some("refused".to_owned()),
        Evidence::Ke2(line) => words::word(&line.kind),
        Evidence::Ke3(line) => words::word(&line.reason),
        Evidence::Ke4(line) => words::word(&line.kind),
        Evidence::Olm(line) => words::word(&line.kind),
    }
}

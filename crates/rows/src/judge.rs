//! The reports of incidents in, the verdicts on each incident out.

use std::collections::BTreeMap;
use std::fmt;
use std::io::{self, BufRead, Write};

use crypto_diag_analysis::Report;
use crypto_diag_triage::analysis::Analysis;
use crypto_diag_triage::bundle::{Bundle, earlier_page_name};
use crypto_diag_triage::problem::Place;
use crypto_diag_triage::verdict::Evidence;

use crate::lines::{Line, Lines};
use crate::map::{self, Done, Refusal, day, finding, write};
use crate::table::{FindingRow, RefusedRow, Row, Why};
use crate::{Names, rules_version};

/// Reports of one incident that are judged together. The rules compare each with each; an incident of more is a crowd, and its further
/// reports are counted.
pub const REPORTS_MAX: usize = 64;

/// Why judging ended before the input.
#[derive(Debug)]
pub enum JudgeError {
    /// The input cannot be read on, or the output not be written.
    Io(io::Error),
    /// An incident comes back after another one, so that its reports would be judged apart.
    NotSorted {
        /// The line, counted from 1.
        line: u64,
    },
}

impl fmt::Display for JudgeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            JudgeError::Io(error) => error.fmt(f),
            JudgeError::NotSorted { line } => write!(
                f,
                "line {line}: its incident is in order before that of the line above, so the reports of an incident might lie apart; sort the \
                 input: LC_ALL=C sort"
            ),
        }
    }
}

impl std::error::Error for JudgeError {}

impl From<io::Error> for JudgeError {
    fn from(error: io::Error) -> Self {
        JudgeError::Io(error)
    }
}

/// Judges incidents. A line of the input is `incident ⇥ report ⇥ body`, sorted by the incident's bytes: its name, the report's id as its rows
/// have it, and the report's JSON. A report that comes twice in an incident counts once. `complain` hears which line cannot be used, and
/// why; the others of its incident are judged without it.
///
/// # Errors
/// If the input is not sorted, cannot be read on, or the output not be written.
pub fn judge(
    names: &Names,
    input: impl BufRead,
    mut out: impl Write,
    complain: &mut dyn FnMut(&str),
) -> Result<Done, JudgeError> {
    let mut lines = Lines::new(input);
    let mut done = Done::default();
    let mut incident = Incident::default();
    while let Some(line) = lines.read()? {
        let (id, refusal) = match columns(line) {
            Err(refusal) => (None, refusal),
            Ok((name, id, body)) => {
                if name != incident.name {
                    let is_sorted = incident.name.as_bytes() < name.as_bytes();
                    incident.end(names, &mut out)?;
                    if !is_sorted {
                        return Err(JudgeError::NotSorted { line: lines.number });
                    }
                    incident.name = name.to_owned();
                }
                match incident.add(id, body) {
                    Ok(()) => {
                        done.read += 1;
                        continue;
                    }
                    Err(refusal) => (Some(id.to_owned()), refusal),
                }
            }
        };
        done.refused += 1;
        // A line's id is made of its bytes by whoever has the key; here it is the one that was given, if it has the form of one.
        let row = RefusedRow { rules: rules_version(), report: id.and_then(|id| id.parse().ok()), why: refusal.why };
        write(&mut out, &Row::Refused(row))?;
        complain(&format!("line {}: {refusal}", lines.number));
    }
    incident.end(names, &mut out)?;
    Ok(done)
}

fn columns<'l>(line: Line<'l>) -> Result<(&'l str, &'l str, &'l [u8]), Refusal> {
    let Line::Text(line) = line else { return Err(Refusal::too_long()) };
    let mut columns = line.splitn(3, |byte| *byte == b'\t');
    let mut text = || std::str::from_utf8(columns.next()?).ok().filter(|text| !text.is_empty());
    let named = text().zip(text());
    match (named, columns.next()) {
        (Some((incident, report)), Some(body)) => Ok((incident, report, body)),
        _ => Err(Refusal {
            why: Why::NoColumns,
            says: "it has no three columns, incident, report and body, with tabs between".to_owned(),
        }),
    }
}

/// An incident whose lines are being read.
#[derive(Default)]
struct Incident {
    name: String,
    /// The reports, by their ids: whatever order they come in, the verdicts are the same.
    reports: BTreeMap<String, Report>,
    left_out: u64,
}

impl Incident {
    fn add(&mut self, id: &str, body: &[u8]) -> Result<(), Refusal> {
        if self.reports.contains_key(id) {
            return Ok(());
        }
        let (report, _) = map::read(body)?;
        self.reports.insert(id.to_owned(), report);
        if self.reports.len() > REPORTS_MAX {
            // Those whose ids come first stay, so that the order of lines does not matter.
            self.reports.pop_last();
            self.left_out += 1;
        }
        Ok(())
    }

    /// Judges what has been read of the incident, and forgets it.
    fn end(&mut self, names: &Names, out: &mut impl Write) -> io::Result<()> {
        let reports = std::mem::take(&mut self.reports);
        let left_out = std::mem::take(&mut self.left_out);
        let Some(earliest) = reports.values().map(|report| report.generated_at).min() else { return Ok(()) };
        let day = day(earliest);
        let count = reports.len();
        // Evidence names an artefact, and a name is cleaned of what looks like a secret, as an id may. So numbers stand for the ids.
        let mut places = BTreeMap::new();
        let mut numbered = Vec::new();
        for (number, (id, report)) in reports.into_iter().enumerate() {
            let name = format!("report {}", number + 1);
            for earlier in 1..=report.earlier.len() {
                places.insert(earlier_page_name(&name, earlier), (id.clone(), false));
            }
            places.insert(name.clone(), (id, true));
            numbered.push((name, report));
        }
        let analysis = Analysis::of(&Bundle::of_reports(numbered));
        for verdict in &analysis.verdicts {
            let mut evidence: Vec<String> =
                verdict.evidence.iter().filter_map(|evidence| place(&places, evidence)).collect();
            evidence.dedup();
            let row = FindingRow {
                incident: Some(&self.name),
                reports: Some(count),
                left_out: Some(left_out),
                evidence: Some(evidence.join(" ")),
                ..finding(names, verdict, &day)
            };
            write(out, &Row::Judged(row))?;
        }
        Ok(())
    }
}

/// Where evidence stands: the report, and which entry of the page that made it.
fn place(places: &BTreeMap<String, (String, bool)>, evidence: &Evidence) -> Option<String> {
    let (id, is_first_page) = places.get(evidence.artefact.as_str())?;
    Some(match evidence.place {
        Place::Entry(entry) if *is_first_page => format!("{id}#{entry}"),
        _ => id.clone(),
    })
}

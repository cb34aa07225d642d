//! How a bundle's artefacts are read.

use std::collections::BTreeSet;
use std::io::{BufRead, Read};
use std::sync::Arc;

use crypto_diag_analysis::Report;
use crypto_diag_analysis::evidence::{self, Evidence};
use crypto_diag_core::Clean;
use serde_json::Value;

use super::{Artefact, Bundle, Manifest};
use crate::artefact::{ArtefactKind, HEAD_BYTES};
use crate::console::{self, Console, Rageshake};
use crate::har::{Har, HarOptions};
use crate::latency::Latency;
use crate::problem::{Place, Problem, Problems};
use crate::query::QueryResults;
use crate::synapse_log::{LogOptions, ServerLog};
use crate::unpack::mended;

impl Bundle {
    /// Reads an artefact, unpacked. Its kind is told by its beginning unless it is given.
    pub fn add(&mut self, name: &str, kind: Option<ArtefactKind>, mut input: impl BufRead) {
        // Every answer has the name; a token in it would go wherever that goes.
        let name = &*Clean::new(name);
        let mut problems = Problems::of(name);
        let kind = kind.unwrap_or_else(|| match input.fill_buf() {
            Ok(head) => ArtefactKind::guess(name, &head[..head.len().min(HEAD_BYTES)]),
            Err(_) => ArtefactKind::Other,
        });
        let used = match kind {
            ArtefactKind::Report => self.add_report(name, input, &mut problems),
            ArtefactKind::Console => self.add_console(name, input),
            ArtefactKind::Rageshake => self.add_rageshake(name, input, &mut problems),
            ArtefactKind::Har => {
                let har = Har::read(name, input, &self.har_options());
                self.problems.extend(har.problems.iter().cloned());
                let used = !har.entries.is_empty();
                self.hars.push(har);
                used
            }
            ArtefactKind::ServerLog => {
                let mut log = ServerLog::read(name, input, &self.log_options());
                self.problems.append(&mut log.problems);
                let media = std::mem::take(&mut log.media);
                let used = !log.levels.is_empty() || !media.is_empty();
                // Nothing follows for a homeserver from a log that has no line of one.
                if media.is_empty() || !log.levels.is_empty() {
                    self.logs.push(log);
                }
                self.media.extend(media);
                used
            }
            ArtefactKind::QueryResults => {
                let mut results = QueryResults::read(name, input);
                self.problems.append(&mut results.problems);
                let used = results != QueryResults { name: name.to_owned(), ..QueryResults::default() };
                self.queries.push(results);
                used
            }
            ArtefactKind::Latency => match Latency::read(name, input) {
                Ok(latency) => {
                    self.latency.push(latency);
                    true
                }
                Err(why) => {
                    problems.add(Place::Whole, why);
                    false
                }
            },
            ArtefactKind::Manifest => self.add_manifest(input, &mut problems),
            ArtefactKind::Other => false,
        };
        self.note(name, kind, used, problems);
    }

    fn note(&mut self, name: &str, kind: ArtefactKind, used: bool, problems: Problems) {
        self.problems.extend(problems.into_list());
        self.artefacts.push(Artefact { name: name.into(), kind, used });
    }

    fn add_report(&mut self, name: &str, input: impl Read, problems: &mut Problems) -> bool {
        let Some(text) = document(input, problems) else { return false };
        let value: Value = match serde_json::from_str(&text) {
            Ok(value) => value,
            Err(error) => {
                let place = Place::LineColumn(error.line() as u64, error.column() as u64);
                problems.add(place, format!("this is not JSON from here on: {error}"));
                return false;
            }
        };
        match Report::from_value(&value) {
            Ok(report) => {
                for (index, entry) in report.entries.iter().enumerate() {
                    if entry.is_none() {
                        problems.add(Place::Entry(index as u64), "this is no entry; left out");
                    }
                }
                self.push_report(name, report);
                true
            }
            Err(error) => {
                problems.add(Place::Whole, error.to_string());
                false
            }
        }
    }

    fn add_console(&mut self, name: &str, input: impl BufRead) -> bool {
        let mut console = Console::read(name, input);
        self.problems.append(&mut console.problems);
        let Some(mut report) = console.report else { return false };
        // What the rageshake says of itself holds for the consoles beside it, unless they contradict it.
        let beside = self.rageshakes.iter().find(|shake| shake.folder == console::folder(name));
        if let Some(shake) = beside {
            report.user_agent.clone_from(&shake.user_agent);
            match (&console.device, &shake.device) {
                (None, Some(device)) if !console.several => {
                    report.user_id = Some(device.user_id.clone());
                    report.device_id = Some(device.device_id.clone());
                }
                (Some(own), Some(device)) if own != device => {
                    let what = format!("it has lines of {}, and its rageshake is of {}", own.label(), device.label());
                    self.problems.push(Problem::whole(name, &what));
                    (report.user_id, report.device_id) = (None, None);
                }
                _ => {}
            }
        }
        self.push_report(name, report);
        true
    }

    fn add_rageshake(&mut self, name: &str, input: impl Read, problems: &mut Problems) -> bool {
        let Some(text) = document(input, problems) else { return false };
        let found = Rageshake::read(name, &text);
        match &found {
            None => problems.add(Place::Whole, "it names no fields of a rageshake"),
            Some(shake) if shake.device.is_none() => problems.add(Place::Whole, "it names no user or no device"),
            Some(_) => {}
        }
        self.rageshakes.extend(found);
        self.rageshakes.last().is_some_and(|shake| shake.device.is_some())
    }

    fn add_manifest(&mut self, input: impl Read, problems: &mut Problems) -> bool {
        let Some(text) = document(input, problems) else { return false };
        match serde_json::from_str::<Manifest>(&text) {
            Ok(manifest) => {
                if self.log_options.zone_minutes.is_none() {
                    self.log_options.zone_minutes = manifest.zone_minutes;
                }
                self.manifest = Some(manifest);
                true
            }
            Err(error) => {
                let place = Place::LineColumn(error.line() as u64, error.column() as u64);
                problems.add(place, format!("the manifest cannot be read: {error}"));
                false
            }
        }
    }

    /// What the reports want to know of a HAR.
    pub fn har_options(&self) -> HarOptions {
        let mut event_ids = BTreeSet::new();
        for (_, entry) in self.reports.iter().flat_map(Report::entries) {
            if let Some(Evidence::Ke3(event)) = evidence::read(entry) {
                event_ids.extend(event.event_id);
            }
        }
        HarOptions { event_ids }
    }

    /// What the HARs want to know of a log.
    fn log_options(&self) -> LogOptions {
        let mut options = self.log_options.clone();
        options.near = options.near.or_else(|| self.near());
        if !self.hars.is_empty() {
            let keys = self.hars.iter().flat_map(|har| &har.entries).map(|exchange| exchange.key());
            options.wanted = Some(Arc::new(keys.collect()));
        }
        options
    }

    /// A time of the case, for stamps that lack their year: what the clients' artefacts tell.
    fn near(&self) -> Option<i64> {
        let reports =
            self.reports.iter().filter_map(|report| i64::try_from(report.generated_at.0).ok()).filter(|at| *at > 0);
        let hars = self.hars.iter().flat_map(|har| &har.entries).map(|exchange| exchange.start);
        let manifest = self.manifest.as_ref().and_then(|manifest| manifest.to);
        reports.chain(manifest).chain(hars).next()
    }
}

fn document(input: impl Read, problems: &mut Problems) -> Option<String> {
    match mended(input) {
        Ok(text) => Some(text),
        Err(error) => {
            problems.add(Place::Whole, format!("cannot be read: {error}"));
            None
        }
    }
}

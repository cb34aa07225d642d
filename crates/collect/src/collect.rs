//! One run, from files to a bundle.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::SystemTime;

use crypto_diag_analysis::Report;
use crypto_diag_core::showable;
use crypto_diag_triage::artefact::{ArtefactKind, MANIFEST_SCHEMA};
use crypto_diag_triage::bundle::{Manifest, Refusal};
use crypto_diag_triage::har::{Har, HarOptions};
use crypto_diag_triage::synapse_log::ServerLog;
use crypto_diag_triage::unpack;
use crypto_diag_triage::{Coverage, latency::Latency as Prometheus, stamp};
use serde_json::{Map, Value, json};

use crate::admin::{self, AdminApi};
use crate::database::{self, Database};
use crate::error::CollectError;
use crate::given;
use crate::ids::{Ids, Window};
use crate::join::latency::Latency;
use crate::progress::Progress;
use crate::redact::pseudonym::Names;
use crate::request::Request;
use crate::slice::{self, Slice};
use crate::source::patient;
use crate::source::{self, Group, plain_name, shown, unreadable};
use crate::write::folder::{Folder, MANIFEST, unwritable};

/// What was gathered.
#[derive(Clone, Debug, PartialEq)]
pub struct Collected {
    /// The bundle's folder.
    pub folder: PathBuf,
    /// What was looked for.
    pub ids: Ids,
    /// What stands in `manifest.json`.
    pub manifest: Manifest,
    /// Whether the run was interrupted; what was gathered until then is there.
    pub interrupted: bool,
}

/// Gathers what a request names into a new folder. Setting `cancel` ends it soon, with a complete manifest of what is
/// there.
///
/// The folder is named by the window's start, such as `2026-11-23T08-35-57Z`, where that is open by the time of making, such as
/// `made-2026-11-27T02-00-00Z`. It is never one that was there before.
///
/// # Errors
/// [`CollectError`]: nothing to look for, an input that was named and cannot be read, or an output that cannot be written.
/// Where the folder had been made by then, its manifest says what is in it, if that can still be written.
pub fn collect(request: &Request, progress: &dyn Progress, cancel: &AtomicBool) -> Result<Collected, CollectError> {
    let mut run = Collecting::prepare(request, progress, cancel)?;
    let outcome = run.gather(request, progress, cancel);
    if let Err(error) = &outcome {
        run.interrupted = true;
        run.refused.push(Refusal { what: "the rest".to_owned(), why: error.to_string() });
    }
    let manifest = run.finish();
    outcome?;
    Ok(Collected { folder: run.folder.path, ids: run.ids, manifest: manifest?, interrupted: run.interrupted })
}

struct Collecting {
    reports: Vec<(String, String)>,
    hars: Vec<Har>,
    ids: Ids,
    groups: Vec<Group>,
    folder: Folder,
    refused: Vec<Refusal>,
    slices: Vec<Slice>,
    latency: Latency,
    coverage: Map<String, Value>,
    interrupted: bool,
}

impl Collecting {
    /// Reads reports and HARs, which say what to look for, and makes the folder. Errors in the arguments are found before anything is written.
    fn prepare(request: &Request, progress: &dyn Progress, cancel: &AtomicBool) -> Result<Collecting, CollectError> {
        let mut ids = Ids { window: None, ..request.ids.clone() };
        let mut reports = Vec::new();
        for path in &request.reports {
            let text = document(path, cancel)?;
            let value = serde_json::from_str(&text).map_err(|error| {
                let why = format!(
                    "this is not JSON: it breaks at line {}, column {}; give the report as it was downloaded",
                    error.line(),
                    error.column()
                );
                CollectError::NoReport { path: path.clone(), why }
            })?;
            let report = Report::from_value(&value)
                .map_err(|error| CollectError::NoReport { path: path.clone(), why: error.to_string() })?;
            report.with_earlier().for_each(|page| ids.add_report(page));
            reports.push((label(path), text));
        }
        let mut hars = Vec::new();
        let options = HarOptions { event_ids: ids.event_ids.clone() };
        for path in &request.hars {
            progress.file_started(&shown(path), path.metadata().ok().map(|about| about.len()));
            let input = patient::open(path, cancel).and_then(unpack::open::open_stream);
            let har = Har::read(&label(path), input.map_err(|error| unreadable(path, error))?, &options);
            progress.file_done(&shown(path));
            ids.add_har(&har);
            hars.push(har);
        }
        let known = ids.window;
        ids.window = window(request, known)?;
        let is_searched = !request.logs.is_empty() || request.database.is_some();
        if ids.is_empty() && (is_searched || request.given.is_empty()) {
            return Err(CollectError::NothingToLookFor);
        }
        let mut refused = request.refused.clone();
        let groups = source::find(request, &mut refused, cancel)?;
        let name = match ids.window.filter(|window| window.from > slice::ALWAYS.from) {
            Some(window) => folder_name(window.from),
            None => format!("made-{}", folder_name(now())),
        };
        let folder = Folder::create(&request.out, &name, request.inside)?;
        Ok(Collecting {
            reports,
            hars,
            ids,
            groups,
            folder,
            refused,
            slices: Vec::new(),
            latency: Latency::default(),
            coverage: Map::new(),
            interrupted: false,
        })
    }

    fn gather(&mut self, request: &Request, progress: &dyn Progress, cancel: &AtomicBool) -> Result<(), CollectError> {
        for (name, text) in std::mem::take(&mut self.reports) {
            let name = self.folder.free_name(&name, ".report.json");
            self.folder.write(&name, ArtefactKind::Report, text.as_bytes())?;
        }
        for har in &mut self.hars {
            let name = self.folder.free_name(&har.name, ".har");
            let mut text = Vec::new();
            // Writing into memory cannot fail.
            har.write(&mut text).map_err(|error| unwritable(&self.folder.path.join(&name), error))?;
            self.folder.write(&name, ArtefactKind::Har, &text)?;
            har.name = name;
            for problem in &har.problems {
                self.refused.push(Refusal { what: har.name.clone(), why: problem.to_string() });
            }
        }
        if let Some(path) = &request.prometheus {
            self.prometheus(path, cancel)?;
        }
        self.logs(request, progress, cancel)?;
        if !self.latency.is_empty() {
            let mut text = serde_json::to_vec(&self.latency.to_json()).unwrap_or_default();
            text.push(b'\n');
            self.folder.write("latency.json", ArtefactKind::Latency, &text)?;
        }
        if let Some(database) = &request.database {
            self.database(database, request, progress, cancel)?;
        }
        if let Some(api) = &request.admin_api {
            self.admin_api(api, request, progress, cancel)?;
        }
        // Last, so that every other file has got its name already.
        for given in &request.given {
            match patient::open(&given.path, cancel).and_then(|input| given::content(given, input)) {
                Ok(content) => {
                    let (name, ending) = given::name(given);
                    let name = self.folder.free_name(&name, &ending);
                    self.folder.write(&name, given.kind, &content)?;
                }
                Err(error) => {
                    self.refused.push(Refusal { what: given.name.clone(), why: format!("cannot be copied: {error}") });
                }
            }
        }
        self.interrupted |= cancel.load(Ordering::Relaxed);
        Ok(())
    }

    fn prometheus(&mut self, path: &Path, cancel: &AtomicBool) -> Result<(), CollectError> {
        let text = document(path, cancel)?;
        match Prometheus::read("prometheus.json", text.as_bytes()) {
            Ok(_) => {
                let name = self.folder.free_name("prometheus", ".json");
                self.folder.write(&name, ArtefactKind::Latency, text.as_bytes())
            }
            Err(why) => {
                let why = format!("{why}; give the answer to /api/v1/query_range as it came");
                self.refused.push(Refusal { what: shown(path), why });
                Ok(())
            }
        }
    }

    fn logs(&mut self, request: &Request, progress: &dyn Progress, cancel: &AtomicBool) -> Result<(), CollectError> {
        let keys = || self.hars.iter().flat_map(|har| &har.entries).map(|exchange| exchange.key());
        let wanted: Option<Arc<HashSet<u64>>> = (!self.hars.is_empty()).then(|| Arc::new(keys().collect()));
        let mut names = Names::default();
        for group in std::mem::take(&mut self.groups) {
            // Keep what came of a stream until then, since a stream cannot be read again.
            if cancel.load(Ordering::Relaxed) && !group.inputs.iter().any(source::Input::is_stream) {
                self.interrupted = true;
                self.refused.push(Refusal { what: group.name, why: "interrupted before it was read".to_owned() });
                continue;
            }
            let job = slice::Job { request, ids: &self.ids, wanted: &wanted, hars: &self.hars, progress, cancel };
            let slice = job.slice(&group, &mut self.folder, &mut names, &mut self.latency)?;
            self.refused.extend(slice.refused());
            if !slice.zone_is_certain() {
                progress.note(&format!("{}: {}", slice.name, slice.zone_in_words()));
            }
            self.slices.push(slice);
        }
        let (users, addresses) = names.counts();
        self.coverage.insert("pseudonyms".to_owned(), json!({"users": users, "addresses": addresses}));
        let options = slice::needles(&self.ids, &wanted);
        for id in options.refused {
            let why = "too short to be searched for alone; lines that name its user are there".to_owned();
            self.refused.push(Refusal { what: format!("the id {id}"), why });
        }
        Ok(())
    }

    fn database(
        &mut self,
        database: &Database,
        request: &Request,
        progress: &dyn Progress,
        cancel: &AtomicBool,
    ) -> Result<(), CollectError> {
        if cancel.load(Ordering::Relaxed) {
            self.refused
                .push(Refusal { what: "database".to_owned(), why: "interrupted before it was asked".to_owned() });
            return Ok(());
        }
        match database::ask(database, request.via.as_ref(), &self.ids, &request.database_options, cancel) {
            Ok(answers) => {
                let mut text = serde_json::to_vec_pretty(&answers.queries).unwrap_or_default();
                text.push(b'\n');
                self.folder.write("queries.json", ArtefactKind::QueryResults, &text)?;
                self.coverage.insert("database".to_owned(), answers.coverage);
                self.refused.extend(answers.refused);
            }
            Err(error) => {
                // The rest of the bundle is useful without it.
                progress.note(&error.to_string());
                self.refused.push(Refusal { what: "database".to_owned(), why: error.to_string() });
            }
        }
        Ok(())
    }

    fn admin_api(
        &mut self,
        api: &AdminApi,
        request: &Request,
        progress: &dyn Progress,
        cancel: &AtomicBool,
    ) -> Result<(), CollectError> {
        match admin::ask(api, request.via.as_ref(), &self.ids, cancel) {
            Ok(answers) => {
                let mut text = serde_json::to_vec_pretty(&answers.queries).unwrap_or_default();
                text.push(b'\n');
                self.folder.write("admin-api.json", ArtefactKind::QueryResults, &text)?;
                self.coverage.insert("adminApi".to_owned(), answers.coverage);
                self.refused.extend(answers.refused);
            }
            Err(error) => {
                progress.note(&error.to_string());
                self.refused.push(Refusal { what: "Admin API".to_owned(), why: error.to_string() });
            }
        }
        Ok(())
    }

    /// Writes the manifest.
    fn finish(&mut self) -> Result<Manifest, CollectError> {
        let hars = self.har_coverage();
        let window = self.ids.window.filter(|window| *window != slice::ALWAYS);
        self.coverage.insert("interrupted".to_owned(), json!(self.interrupted));
        self.coverage.insert("logs".to_owned(), self.slices.iter().map(Slice::to_json).collect());
        self.coverage.insert("hars".to_owned(), hars);
        self.coverage.insert(
            "window".to_owned(),
            json!({
                "from": window.map(|window| stamp::print(window.from)),
                "to": window.map(|window| stamp::print(window.to)),
                "marginBeforeMs": slice::BEFORE_MS,
                "marginAfterMs": slice::AFTER_MS,
            }),
        );
        // These notes hold names of files, ids, and messages of the system or a server, so they are redacted.
        for refusal in &mut self.refused {
            refusal.what = showable(&refusal.what);
            refusal.why = showable(&refusal.why);
        }
        self.coverage.values_mut().for_each(make_showable);
        let manifest = Manifest {
            schema: MANIFEST_SCHEMA.to_owned(),
            schema_version: 1,
            tool: "crypto-diag collect".to_owned(),
            version: env!("CARGO_PKG_VERSION").to_owned(),
            from: window.map(|window| window.from),
            to: window.map(|window| window.to),
            zone_minutes: slice::certain_zone(&self.slices),
            files: self.folder.files.clone(),
            coverage: Value::Object(std::mem::take(&mut self.coverage)),
            refused: self.refused.clone(),
            minimal: None,
        };
        let mut text = serde_json::to_vec_pretty(&manifest).unwrap_or_default();
        text.push(b'\n');
        self.folder.begin(MANIFEST)?.write(&text)?;
        Ok(manifest)
    }

    /// The share of each HAR's requests that stand in the logs.
    fn har_coverage(&self) -> Value {
        let logs: Vec<ServerLog> = self.slices.iter().filter_map(|slice| slice.log.clone()).collect();
        let of = |har: &Har| {
            let coverage = Coverage::of(har, &logs);
            let all = coverage.all();
            let routes: Map<String, Value> = coverage
                .routes
                .iter()
                .map(|(route, found)| (route.name().to_owned(), json!({"asked": found.asked, "found": found.found})))
                .collect();
            json!({"name": har.name, "asked": all.asked, "found": all.found, "routes": routes})
        };
        self.hars.iter().map(of).collect()
    }
}

fn make_showable(value: &mut Value) {
    match value {
        Value::String(text) => *text = showable(text),
        Value::Array(list) => list.iter_mut().for_each(make_showable),
        Value::Object(map) => map.values_mut().for_each(make_showable),
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

/// The window: as stated, else as the reports and HARs span it; open where neither says.
fn window(request: &Request, known: Option<Window>) -> Result<Option<Window>, CollectError> {
    let from = request.since.or(known.map(|window| window.from)).unwrap_or(slice::ALWAYS.from);
    // A log that is followed goes on after the report was made.
    let known_end = known.map(|window| window.to).filter(|_| request.follow.is_none());
    let to = request.until.or(known_end).unwrap_or(slice::ALWAYS.to);
    if from > to {
        return Err(CollectError::EmptyWindow);
    }
    Ok(Some(Window { from, to }))
}

/// `2026-11-23T08-35-57Z`: a name that every file system takes.
fn folder_name(from: i64) -> String {
    let printed = stamp::print(from);
    let plain = printed.get(..19).unwrap_or(&printed);
    format!("{}Z", plain.replace(' ', "T").replace(':', "-"))
}

/// Milliseconds since the epoch.
fn now() -> i64 {
    let since = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default();
    i64::try_from(since.as_millis()).unwrap_or(i64::MAX)
}

/// The name that a client's files share, by which triage sees that they belong together: `alice` of `alice.report.json` and
/// `alice.har`.
fn label(path: &Path) -> String {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let name = plain_name(&name);
    let stem = name.split('.').next().unwrap_or_default();
    if stem.is_empty() { "client".to_owned() } else { stem.to_owned() }
}

/// A document as text: unpacked, in UTF-8, and repaired if a single bad character would make it unreadable.
fn document(path: &Path, cancel: &AtomicBool) -> Result<String, CollectError> {
    patient::open(path, cancel).and_then(unpack::document).map_err(|error| unreadable(path, error))
}

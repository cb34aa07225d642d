//! What a run is asked for.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::AtomicBool;

use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::Refusal;

use crate::admin::AdminApi;
use crate::database::{self, Database};
use crate::ids::Ids;
use crate::via::Via;

/// A file that is copied into the bundle, since nothing is looked for in it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Given {
    /// Its name, with `/` between its parts. Hostile.
    pub name: String,
    /// What it is.
    pub kind: ArtefactKind,
    /// Where it is; packed or not, but no zip.
    pub path: PathBuf,
}

/// What to gather and where to put it.
#[derive(Clone, Debug)]
pub struct Request {
    /// Reports, as downloaded.
    pub reports: Vec<PathBuf>,
    /// What the logs and the database are reached through; `None`: they are on this host.
    pub via: Option<Via>,
    /// Log files, folders of them, or `-` for the standard input.
    pub logs: Vec<PathBuf>,
    /// HARs, as the browser saved them.
    pub hars: Vec<PathBuf>,
    /// The database; `None`: it is not asked.
    pub database: Option<Database>,
    /// How patient to be with it.
    pub database_options: database::Options,
    /// The homeserver's Admin API; `None`: it is not asked.
    pub admin_api: Option<AdminApi>,
    /// The answer to a Prometheus range query.
    pub prometheus: Option<PathBuf>,
    /// Query results, saved consoles, what rageshakes say of themselves, more latency.
    pub given: Vec<Given>,
    /// What the caller could not take; it goes into the manifest.
    pub refused: Vec<Refusal>,
    /// Ids given by hand, beside those of the reports. Its window is not used: see `since` and `until`.
    pub ids: Ids,
    /// The window's begin in milliseconds since the epoch, instead of that of the reports.
    pub since: Option<i64>,
    /// The window's end, likewise.
    pub until: Option<i64>,
    /// Minutes that the server's local time is ahead of UTC; `None`: guessed, and said.
    pub zone_minutes: Option<i32>,
    /// Whether only the window of plain files is read, found by bisection. Lines of the ledger outside of it are not looked for
    /// then.
    pub window_only: bool,
    /// Reads files on as they grow, and streams, until this is set; then the rest of the bundle is gathered. `None`: files are
    /// read to their present end.
    pub follow: Option<Arc<AtomicBool>>,
    /// Where the bundle's folder is made.
    pub out: PathBuf,
    /// A folder inside of that one which takes the files, such as a bag's payload; `None`: they lie in it themselves.
    pub inside: Option<&'static str>,
    /// Whether request counts and latencies are measured.
    pub latency: bool,
    /// Threads that search; 0: as many as the machine has.
    pub threads: usize,
}

impl Default for Request {
    fn default() -> Self {
        Request {
            reports: Vec::new(),
            via: None,
            logs: Vec::new(),
            hars: Vec::new(),
            database: None,
            database_options: database::Options::default(),
            admin_api: None,
            prometheus: None,
            given: Vec::new(),
            refused: Vec::new(),
            ids: Ids::default(),
            since: None,
            until: None,
            zone_minutes: None,
            window_only: false,
            follow: None,
            out: PathBuf::from("."),
            inside: None,
            latency: true,
            threads: 0,
        }
    }
}

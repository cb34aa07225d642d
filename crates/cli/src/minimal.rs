//! `crypto-diag run --minimal`: writes the part of a hand-off that its verdicts rest on as a hand-off of its own.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crypto_diag_collect::private;
use crypto_diag_triage::bundle::{Manifest, ManifestFile};
use crypto_diag_triage::minimal::{Minimal, Reduced, reduce};
use crypto_diag_triage::unpack::{self, DOCUMENT_BYTES_MAX};
use sha2::{Digest, Sha256};

use crate::bag;

/// The name of the bundle's manifest in the payload.
const MANIFEST: &str = "manifest.json";

/// The largest artefact that can be cut, in bytes. It is held in memory as a whole and judged many times.
const ARTEFACT_BYTES_MAX: u64 = 1 << 30;

/// Writes the payload of the part into a new folder beside the whole.
///
/// # Errors
/// In words, if a file cannot be read or written.
pub fn payload(root: &Path) -> Result<(PathBuf, Manifest), String> {
    let cannot = |what: &Path, error: io::Error| format!("{}: no part of it can be made: {error}", what.display());
    let files = bag::Files::of(root).map_err(|error| cannot(root, error))?;
    let mut whole = Vec::new();
    for (name, path) in files.payload().filter_map(|name| Some((bag::in_payload(name)?, name))) {
        let why = format!("it has more than {ARTEFACT_BYTES_MAX} bytes");
        let bytes = files.open(path).and_then(|file| unpack::whole(file, ARTEFACT_BYTES_MAX, &why));
        whole.push((name.to_owned(), bytes.map_err(|error| cannot(&root.join(path), error))?));
    }
    let Reduced { files: part, mut cuts, attested } = reduce(&whole);
    for cut in &mut cuts {
        let of_whole = whole.iter().find(|(name, _)| *name == cut.name);
        cut.sha256 = of_whole.map_or_else(String::new, |(_, bytes)| sha256(bytes));
    }
    let path = format!("{}/{MANIFEST}", bag::PAYLOAD);
    let text = bag::text(&files, &path, DOCUMENT_BYTES_MAX).map_err(|error| cannot(&root.join(&path), error))?;
    let mut manifest: Manifest =
        serde_json::from_slice(&text).map_err(|error| cannot(&root.join(&path), error.into()))?;
    for (name, bytes) in &part {
        if let Some(listed) = manifest.files.iter_mut().find(|file| file.name == *name) {
            let (size, sha256) = (bytes.len() as u64, sha256(bytes));
            *listed = ManifestFile { size, sha256, ..listed.clone() };
        }
    }
    manifest.minimal = Some(Minimal { seal_of_whole: bag::seal(&files)?, cuts, attested });

    let mut name = root.file_name().map_or_else(OsString::new, OsString::from);
    name.push("-minimal");
    let folder = root.with_file_name(name);
    let data = folder.join(bag::PAYLOAD);
    private::create_folder(&folder)
        .and_then(|()| private::create_folder(&data))
        .map_err(|error| cannot(&folder, error))?;
    let text = serde_json::to_vec_pretty(&manifest).map_err(|error| cannot(&data, error.into()))?;
    let listed = (MANIFEST.to_owned(), [text, b"\n".to_vec()].concat());
    for (name, bytes) in part.into_iter().filter(|(name, _)| name != MANIFEST).chain([listed]) {
        let path = data.join(name);
        write(&path, &bytes).map_err(|error| cannot(&path, error))?;
    }
    Ok((folder, manifest))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        private::create_folders(folder)?;
    }
    let mut file = private::create_file(path)?;
    file.write_all(bytes).and_then(|()| file.flush())
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

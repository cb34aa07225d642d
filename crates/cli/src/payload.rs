//! The payload of a hand-off as files in memory, and another hand-off's payload beside it.

use std::ffi::OsString;
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use crypto_diag_collect::private;
use crypto_diag_triage::bundle::{Manifest, ManifestFile};
use crypto_diag_triage::unpack::{self, DOCUMENT_BYTES_MAX};
use sha2::{Digest, Sha256};

use crate::bag;

/// The bundle's own list, in the payload.
pub const MANIFEST: &str = "manifest.json";

/// Bytes of one artefact that is held as a whole.
const ARTEFACT_BYTES_MAX: u64 = 1 << 30;

/// Files by their names in the payload.
pub type Payload = Vec<(String, Vec<u8>)>;

/// Reads a hand-off's payload and its list.
///
/// # Errors
/// In words, if a file cannot be read.
pub fn read(root: &Path, files: &bag::Files) -> Result<(Payload, Manifest), String> {
    let mut payload = Vec::new();
    for (name, path) in files.payload().filter_map(|name| Some((bag::in_payload(name)?, name))) {
        let why = format!("it has more than {ARTEFACT_BYTES_MAX} bytes");
        let bytes = files.open(path).and_then(|file| unpack::whole(file, ARTEFACT_BYTES_MAX, &why));
        payload.push((name.to_owned(), bytes.map_err(|error| cannot(&root.join(path), &error))?));
    }
    let path = format!("{}/{MANIFEST}", bag::PAYLOAD);
    let text = bag::text(files, &path, DOCUMENT_BYTES_MAX).map_err(|error| cannot(&root.join(&path), &error))?;
    let manifest = serde_json::from_slice(&text).map_err(|error| cannot(&root.join(&path), &error.into()))?;
    Ok((payload, manifest))
}

/// Lists files as they are now, in a manifest that lists them as they were.
pub fn list(manifest: &mut Manifest, files: &[(String, Vec<u8>)]) {
    for (name, bytes) in files {
        if let Some(listed) = manifest.files.iter_mut().find(|file| file.name == *name) {
            *listed = ManifestFile { size: bytes.len() as u64, sha256: sha256(bytes), ..listed.clone() };
        }
    }
}

/// Writes a payload with its list into a new folder beside a hand-off, whose name has a further word. Returns the folder.
///
/// # Errors
/// In words, if a file cannot be written.
pub fn write_beside(root: &Path, word: &str, files: Payload, manifest: &Manifest) -> Result<PathBuf, String> {
    let mut name = root.file_name().map_or_else(OsString::new, OsString::from);
    name.push(format!("-{word}"));
    let folder = root.with_file_name(name);
    let data = folder.join(bag::PAYLOAD);
    private::create_folder(&folder)
        .and_then(|()| private::create_folder(&data))
        .map_err(|error| cannot(&folder, &error))?;
    let text = serde_json::to_vec_pretty(manifest).map_err(|error| cannot(&data, &error.into()))?;
    let listed = (MANIFEST.to_owned(), [text, b"\n".to_vec()].concat());
    for (name, bytes) in files.into_iter().filter(|(name, _)| name != MANIFEST).chain([listed]) {
        let path = data.join(name);
        write(&path, &bytes).map_err(|error| cannot(&path, &error))?;
    }
    Ok(folder)
}

/// The SHA-256 of bytes in hexadecimal.
pub fn sha256(bytes: &[u8]) -> String {
    bag::hex(&Sha256::digest(bytes))
}

fn write(path: &Path, bytes: &[u8]) -> io::Result<()> {
    if let Some(folder) = path.parent() {
        private::create_folders(folder)?;
    }
    let mut file = private::create_file(path)?;
    file.write_all(bytes).and_then(|()| file.flush())
}

fn cannot(what: &Path, error: &io::Error) -> String {
    format!("{}: no second folder can be made of it: {error}", what.display())
}

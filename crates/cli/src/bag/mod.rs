//! A bag (BagIt, RFC 8493): a folder whose files are listed with their SHA-256. The payload below `data/` is the evidence; beside
//! it stands what is said of it, so that the payload alone gives the answer again.

mod check;
mod files;
mod list;
mod zipped;

use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use crypto_diag_triage::artefact::BAG_FILES;
use crypto_diag_triage::stamp;
use crypto_diag_triage::unpack;
use sha2::{Digest, Sha256};

use crate::output;

pub use check::check;
pub use files::{Files, in_payload};
pub use zipped::zip;

/// The folder of the payload.
pub const PAYLOAD: &str = "data";

/// Says that it is a bag, and of which version.
const DECLARATION: &str = BAG_FILES[0];

/// Who packed it and when.
const INFO: &str = BAG_FILES[1];

/// Lists the payload.
const PAYLOAD_LIST: &str = BAG_FILES[2];

/// Lists everything else, the payload's list as well: its hash stands for the whole bag.
const TAG_LIST: &str = BAG_FILES[3];

/// The label of [`INFO`] that says what packed the bag.
const AGENT: &str = "Bag-Software-Agent";

/// This program, as [`AGENT`] names it.
pub const THIS_PROGRAM: &str = concat!("crypto-diag ", env!("CARGO_PKG_VERSION"));

/// Bytes that are hashed at once.
const CHUNK_BYTES: usize = 128 << 10;

/// Bytes of a list, or of another text of the bag's own, that are read at most. A list of this program's has some hundred lines.
const TEXT_BYTES_MAX: u64 = 16 << 20;

/// Something that is not as the bag says.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Finding {
    /// The file, or a line of a list. Hostile.
    pub what: String,
    /// What is wrong with it.
    pub why: String,
}

impl Finding {
    fn new(what: impl Into<String>, why: impl Into<String>) -> Finding {
        Finding { what: what.into(), why: why.into() }
    }
}

/// What a folder has.
///
/// # Errors
/// In words, if it cannot be read.
pub fn files(root: &Path) -> Result<Files, String> {
    Files::of(root).map_err(|error| format!("{} cannot be read: {error}", root.display()))
}

/// Makes a bag of a folder that has a payload and texts about it.
///
/// # Errors
/// In words, if a file cannot be read or written.
pub fn pack(root: &Path) -> Result<(), String> {
    let cannot = |error: io::Error| format!("{} cannot be packed: {error}", root.display());
    let files = Files::of(root).map_err(cannot)?;
    if let Some(finding) = files.refused.first() {
        return Err(format!("{} cannot be packed: {}: {}", root.display(), finding.what, finding.why));
    }
    let (mut payload, mut bytes) = (Vec::new(), 0);
    for name in files.payload() {
        let (hash, length) = hash(&files, name).map_err(cannot)?;
        bytes += length;
        payload.push((name, hash));
    }
    let now = SystemTime::now().duration_since(SystemTime::UNIX_EPOCH).unwrap_or_default().as_millis();
    let printed = stamp::print(i64::try_from(now).unwrap_or(i64::MAX));
    let today = printed.get(..10).unwrap_or(&printed);
    let write = |name: &str, text: &str| output::write_new(&root.join(name), text);
    write(DECLARATION, "BagIt-Version: 1.0\nTag-File-Character-Encoding: UTF-8\n")?;
    let count = payload.len();
    write(INFO, &format!("{AGENT}: {THIS_PROGRAM}\nBagging-Date: {today}\nPayload-Oxum: {bytes}.{count}\n"))?;
    write(PAYLOAD_LIST, &list::print(&payload))?;
    let mut texts = Vec::new();
    let files = Files::of(root).map_err(cannot)?;
    for name in files.texts() {
        texts.push((name, hash(&files, name).map_err(cannot)?.0));
    }
    write(TAG_LIST, &list::print(&texts))
}

/// The bag's hash: that of the list which lists all but the payload, in which the payload's list stands. Who knows it from
/// elsewhere knows that nobody has made the bag anew.
///
/// # Errors
/// In words, if the list cannot be read.
pub fn seal(files: &Files) -> Result<String, String> {
    let (hash, _) = hash(files, TAG_LIST).map_err(|error| format!("{TAG_LIST} cannot be read: {error}"))?;
    Ok(hash)
}

/// The seal as it is printed.
///
/// # Errors
/// In words, if the list cannot be read.
pub fn seal_line(files: &Files) -> Result<String, String> {
    Ok(format!("Seal: {} (SHA-256 of {TAG_LIST})\n", seal(files)?))
}

/// What packed a bag, as it says itself. Hostile.
pub fn packed_by(files: &Files) -> Option<String> {
    let text = String::from_utf8(text(files, INFO, TEXT_BYTES_MAX).ok()?).ok()?;
    let agent = text.lines().find_map(|line| line.strip_prefix(AGENT)?.strip_prefix(':'))?;
    Some(agent.trim().to_owned())
}

/// A file's SHA-256 in hexadecimal and its size.
fn hash(files: &Files, name: &str) -> io::Result<(String, u64)> {
    let (mut file, mut hash, mut chunk, mut bytes) = (files.open(name)?, Sha256::new(), vec![0; CHUNK_BYTES], 0);
    loop {
        match file.read(&mut chunk) {
            Ok(0) => break,
            Ok(length) => {
                hash.update(&chunk[..length]);
                bytes += length as u64;
            }
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            Err(error) => return Err(error),
        }
    }
    Ok((hex(&hash.finalize()), bytes))
}

/// Bytes in hexadecimal, as lists of hashes have them.
pub fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

/// A file as a whole.
///
/// # Errors
/// If it cannot be read or is larger.
pub fn text(files: &Files, name: &str, bytes_max: u64) -> io::Result<Vec<u8>> {
    let why = format!("it has more than {bytes_max} bytes, which is more than this program writes");
    unpack::whole(files.open(name)?, bytes_max, &why)
}

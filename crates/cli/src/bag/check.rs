//! Whether a bag is as it was packed.

use std::collections::BTreeSet;
use std::io;

use super::files::{Files, in_payload};
use super::{DECLARATION, Finding, PAYLOAD, PAYLOAD_LIST, TAG_LIST, TEXT_BYTES_MAX, hash, list, text};

/// What of a bag is not as it says: files that are missing, changed or new, and lists that are wrong.
///
/// # Errors
/// If it is no bag at all.
pub fn check(files: &Files) -> io::Result<BTreeSet<Finding>> {
    if ![DECLARATION, PAYLOAD_LIST, TAG_LIST].iter().any(|name| files.has(name)) {
        return Err(io::Error::other(format!(
            "it has neither {DECLARATION} nor {TAG_LIST}; give the folder or the zip that `crypto-diag run` printed"
        )));
    }
    let mut findings: BTreeSet<Finding> = files.refused.iter().cloned().collect();
    findings.extend(declared(files));
    let here: Vec<_> = files.texts().collect();
    listed(TAG_LIST, files, &here, &mut findings);
    let here: Vec<_> = files.payload().collect();
    listed(PAYLOAD_LIST, files, &here, &mut findings);
    Ok(findings)
}

/// What is wrong with the bag's declaration.
fn declared(files: &Files) -> Option<Finding> {
    let finding = |why: &str| Some(Finding::new(DECLARATION, why));
    // That it is missing the list says.
    let text = match files.has(DECLARATION).then(|| text(files, DECLARATION, TEXT_BYTES_MAX))? {
        Ok(text) => String::from_utf8_lossy(&text).into_owned(),
        Err(error) => return finding(&format!("cannot be read: {error}")),
    };
    let value = |label: &str| text.lines().find_map(|line| line.strip_prefix(label)?.strip_prefix(':')).map(str::trim);
    if value("BagIt-Version").is_none() {
        return finding("does not say which version of BagIt it is of");
    }
    match value("Tag-File-Character-Encoding") {
        Some(encoding) if encoding.eq_ignore_ascii_case("UTF-8") => None,
        _ => finding("names another encoding than UTF-8"),
    }
}

/// Compares what a list names with what is there.
fn listed(name: &str, files: &Files, here: &[&str], findings: &mut BTreeSet<Finding>) {
    if !files.has(name) {
        findings.insert(Finding::new(name, "is missing; what it listed cannot be checked"));
        return;
    }
    let bytes = match text(files, name, TEXT_BYTES_MAX) {
        Ok(bytes) => bytes,
        Err(error) => {
            findings.insert(Finding::new(name, format!("cannot be read: {error}")));
            return;
        }
    };
    let (wanted, wrong) = list::read(name, &bytes);
    findings.extend(wrong);
    for (file, expected) in &wanted {
        if in_payload(file).is_some() != (name == PAYLOAD_LIST) {
            let why = format!("does not belong into {name}, which lists what is {}", scope(name));
            findings.insert(Finding::new(file, why));
            continue;
        }
        let why = match files.has(file).then(|| hash(files, file)) {
            None => "is missing".to_owned(),
            Some(Err(error)) => format!("cannot be read: {error}"),
            Some(Ok((found, _))) if found == *expected => continue,
            Some(Ok(_)) => "has changed: it has another SHA-256 than when it was packed".to_owned(),
        };
        findings.insert(Finding::new(file, why));
    }
    for file in here.iter().filter(|file| !wanted.contains_key(**file)) {
        findings.insert(Finding::new(*file, "was added: no list names it"));
    }
}

fn scope(list: &str) -> String {
    if list == PAYLOAD_LIST { format!("in {PAYLOAD}/") } else { format!("beside {PAYLOAD}/") }
}

//! Files that were named to `run` and `collect` without an option, sorted by what is in them.

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io;
use std::path::{Path, PathBuf};

use crypto_diag_collect::{Given, Request};
use crypto_diag_triage::artefact::ArtefactKind;
use crypto_diag_triage::bundle::{Manifest, Refusal};
use crypto_diag_triage::intake::{Member, Plan, Source};
use crypto_diag_triage::unpack::open::{Part, open};
use crypto_diag_triage::unpack::{document, unpacked_name};
use tempfile::TempDir;

use crate::inputs::{Input, Inputs};

/// Adds them to a request: reports, HARs and logs as if their options had named them, what else is of use to be copied. What a pipe
/// or an archive gave lies in the folder that is returned.
///
/// # Errors
/// In words, if a file that was named is not there, or a temporary one cannot be written.
pub fn sort(paths: &[PathBuf], request: &mut Request) -> Result<TempDir, String> {
    for path in paths.iter().filter(|path| *path != Path::new("-")) {
        path.metadata().map_err(|error| format!("{}: cannot be read: {error}; check the path", path.display()))?;
    }
    let unpacked = tempfile::tempdir().map_err(|error| format!("no temporary folder can be made: {error}"))?;
    let inputs = Inputs::find(paths);
    let plan = Plan::of(&inputs.list);
    let problems = inputs.problems.iter().chain(&plan.unopened).chain(&plan.passed);
    let refusal = |name: &str, why: String| Refusal { what: name.to_owned(), why };
    request.refused.extend(problems.map(|problem| refusal(&problem.artefact, problem.what.to_string())));
    let mut taken: BTreeSet<PathBuf> = named(request).filter_map(|path| fs::canonicalize(path).ok()).collect();
    for (number, member) in plan.members.iter().enumerate() {
        let input = &inputs.list[member.source];
        let path = match (input.path(), &member.part) {
            (Some(path), Part::Whole) => path.to_owned(),
            _ if member.kind == ArtefactKind::Other => continue,
            _ => unpack(input, member, &unpacked.path().join(number.to_string()))
                .map_err(|error| format!("{} cannot be unpacked: {error}", member.name))?,
        };
        // Read twice, a file would confirm itself.
        if !taken.insert(fs::canonicalize(&path).unwrap_or_else(|_| path.clone())) {
            continue;
        }
        match member.kind {
            ArtefactKind::Report => request.reports.push(path),
            ArtefactKind::Har => request.hars.push(path),
            ArtefactKind::ServerLog => request.logs.push(path),
            ArtefactKind::Console | ArtefactKind::Rageshake | ArtefactKind::QueryResults | ArtefactKind::Latency => {
                let name = unpacked_name(&member.name).to_owned();
                request.given.push(Given { name, kind: member.kind, path });
            }
            // Of another bundle's list, only the zone is of use: the slices beside it may lack theirs.
            ArtefactKind::Manifest => {
                let manifest = File::open(&path).and_then(document).ok();
                let manifest: Option<Manifest> = manifest.and_then(|text| serde_json::from_str(&text).ok());
                request.zone_minutes = request.zone_minutes.or(manifest.and_then(|manifest| manifest.zone_minutes));
            }
            ArtefactKind::Other => {}
        }
    }
    Ok(unpacked)
}

/// What options have named.
fn named(request: &Request) -> impl Iterator<Item = &PathBuf> {
    request.reports.iter().chain(&request.hars).chain(&request.logs).chain(&request.prometheus)
}

/// Writes what a pipe or an archive's member holds into a file of its own folder, under its own name.
fn unpack(input: &Input, member: &Member, folder: &Path) -> io::Result<PathBuf> {
    fs::create_dir(folder)?;
    let name = Path::new(unpacked_name(&member.name)).file_name().unwrap_or("input".as_ref());
    let path = folder.join(name);
    io::copy(&mut open(input.open()?, &member.part)?, &mut File::create_new(&path)?)?;
    Ok(path)
}

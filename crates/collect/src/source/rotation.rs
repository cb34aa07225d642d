//! Which files are one log that was rotated.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crypto_diag_server_log::parse_line;
use crypto_diag_server_log::stamp::Stamp;
use crypto_diag_triage::unpack;

use super::{Group, Input, plain_name};

/// Files whose names differ by what rotation adds are one log, in the order of their first lines.
pub(crate) fn group(inputs: Vec<Input>) -> Vec<Group> {
    let mut groups: BTreeMap<(usize, PathBuf), Vec<Input>> = BTreeMap::new();
    let mut order: Vec<PathBuf> = Vec::new();
    for input in inputs {
        let stem = stem(&input.path);
        let place = order.iter().position(|known| *known == stem).unwrap_or_else(|| {
            order.push(stem.clone());
            order.len() - 1
        });
        groups.entry((place, stem)).or_default().push(input);
    }
    let mut names: BTreeMap<String, u32> = BTreeMap::new();
    let mut found = Vec::new();
    for ((_, stem), mut inputs) in groups {
        // One file given twice is one.
        inputs.sort_by(|a, b| a.path.cmp(&b.path));
        inputs.dedup_by(|a, b| a.path == b.path);
        // Rotated files count upwards into the past: by name the last is the oldest.
        inputs.sort_by_key(|input| (first_time(&input.sample), std::cmp::Reverse(input.path.clone())));
        let name = stem.file_name().map_or_else(|| "log".to_owned(), |name| name.to_string_lossy().into_owned());
        let name = if name == "-" { "stdin".to_owned() } else { name };
        let name = plain_name(name.strip_suffix(".log").unwrap_or(&name));
        let name = name.trim_start_matches('.').to_owned();
        let count = names.entry(name.clone()).or_default();
        *count += 1;
        let name = if *count == 1 { format!("{name}.log") } else { format!("{name}-{count}.log") };
        found.push(Group { name, inputs });
    }
    found
}

/// A path without what rotation and packing added: `.gz`, `.1`, `-20261123`, `.2026-11-23`.
pub(crate) fn stem(path: &Path) -> PathBuf {
    let Some(name) = path.file_name().and_then(|name| name.to_str()) else { return path.to_owned() };
    let mut rest = unpack::unpacked_name(name);
    loop {
        let cut = rest.rfind(['.', '-']).filter(|at| {
            let added = &rest[at + 1..];
            *at > 0 && !added.is_empty() && added.bytes().all(|byte| byte.is_ascii_digit())
        });
        match cut {
            // `worker-1.log` keeps its number, since something follows it; `foo.log.2026-11-22` loses all three.
            Some(at) => rest = &rest[..at],
            None => break,
        }
    }
    // `worker1` and `worker-1` without an ending are names, not rotations.
    let rotated = rest.contains('.') || rest == name;
    path.with_file_name(if rotated { rest } else { name })
}

fn first_time(sample: &[u8]) -> Option<i64> {
    let stamp: Stamp = sample.split(|byte| *byte == b'\n').find_map(|line| parse_line(line)?.time)?;
    Some(stamp.ms)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rotated_files_are_one_log() {
        for (name, wanted) in [
            ("homeserver.log", "homeserver.log"),
            ("homeserver.log.1", "homeserver.log"),
            ("homeserver.log.2.gz", "homeserver.log"),
            ("homeserver.log-20261123.zst", "homeserver.log"),
            ("homeserver.log.2026-11-22", "homeserver.log"),
            ("worker-1.log", "worker-1.log"),
            ("worker-1.log.3.gz", "worker-1.log"),
            ("worker1", "worker1"),
            ("worker-1", "worker-1"),
            ("20261123", "20261123"),
        ] {
            assert_eq!(stem(&Path::new("/x").join(name)), Path::new("/x").join(wanted), "{name}");
        }
    }
}

//! Recordings are runs of the model: what Synapse did with the uploads and claims of every recorded bundle, step by step, is
//! what the model's server does with them. The log gives the steps in their order, the HARs give the keys.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use crypto_diag_world::keys::server::{Row, claimable, upload};
use serde_json::Value;

/// A step of one device that the recorded log shows.
#[derive(Debug)]
enum Step {
    /// An upload of these ids; its status, and what a refusal names: the id, and the key that is held under it.
    Upload { ids: Vec<String>, status: u16, refused: Option<(String, String)> },
    /// A claimed id.
    Claim(String),
}

/// An upload as a HAR has it.
struct Sent {
    keys: BTreeMap<String, String>,
    status: u16,
    paired: bool,
}

fn bundles() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../tests/fixtures/bundles");
    let entries = std::fs::read_dir(&folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut bundles: Vec<PathBuf> = entries.map(|entry| entry.expect("a readable folder").path()).collect();
    bundles.retain(|path| path.join("label.json").is_file());
    bundles.sort();
    bundles
}

fn text(path: &Path) -> String {
    std::fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

fn between<'t>(text: &'t str, before: &str, after: &str) -> Option<&'t str> {
    Some(text.split_once(before)?.1.split_once(after)?.0)
}

/// The steps of a device.
fn steps(log: &str, device: &str) -> Vec<Step> {
    let of_request = |id: &str| {
        let id = format!(" - {id} - ");
        log.lines().filter(move |line| line.contains(&id))
    };
    let status = |id: &str| -> Option<u16> {
        let line = of_request(id).find(|line| line.contains("Processed request"))?;
        between(line, "B ", " \"")?.rsplit(' ').next()?.trim_end_matches('!').parse().ok()
    };
    let step = |line: &str| -> Option<Step> {
        let id = line.split(" - ").nth(4)?;
        if line.contains(&format!("for device '{device}'")) {
            let ids = between(line, "dict_keys([", "])")?;
            let ids = ids.split(", ").map(|id| id.trim_matches('\'').to_owned()).collect();
            let refused = of_request(id).find_map(|line| {
                let key = between(line, "One time key ", " already exists")?;
                Some((key.to_owned(), between(line, "Old key: {\"key\":\"", "\"")?.to_owned()))
            });
            Some(Step::Upload { ids, status: status(id)?, refused })
        } else {
            let rest = line.split_once("Claimed one-time-keys: ")?.1;
            let (id, of) = rest.split_once(" for ")?;
            of.ends_with(&format!(":{device}")).then(|| Step::Claim(id.to_owned()))
        }
    };
    log.lines().filter_map(step).collect()
}

/// The uploads of a device that HARs show, in the order of sending.
fn sent(folder: &Path, side: &str) -> Vec<Sent> {
    let path = folder.join(format!("{side}.har"));
    if !path.is_file() {
        return Vec::new();
    }
    let har: Value = serde_json::from_str(&text(&path)).expect("a HAR");
    let entries = har["log"]["entries"].as_array().expect("entries").iter();
    let upload = |entry: &Value| -> Option<Sent> {
        let body: Value = serde_json::from_str(entry["request"]["postData"]["text"].as_str()?).ok()?;
        let keys = body["one_time_keys"].as_object()?;
        let keys = keys.iter().filter_map(|(id, key)| Some((id.clone(), key["key"].as_str()?.to_owned()))).collect();
        Some(Sent { keys, status: entry["response"]["status"].as_u64()? as u16, paired: false })
    };
    entries
        .filter(|entry| entry["request"]["url"].as_str().is_some_and(|url| url.ends_with("/keys/upload")))
        .filter_map(upload)
        .collect()
}

/// Replays a device's steps; how many were replayed, and how many there are.
fn replay(name: &str, steps: &[Step], sent: &mut [Sent], mut left_out: usize) -> usize {
    let mut rows: Vec<Row<String, String, usize>> = Vec::new();
    for (now, step) in steps.iter().enumerate() {
        match step {
            Step::Upload { ids, status, refused } => {
                let found = sent.iter_mut().find(|sent| {
                    !sent.paired && (sent.status == *status || sent.status == 0) && sent.keys.keys().eq(ids.iter())
                });
                // A HAR that was cut or has ended does not show the keys: from here on nothing is known.
                let Some(found) = found else { return now };
                found.paired = true;
                let offered: Vec<(String, String)> = found.keys.clone().into_iter().collect();
                match (upload(&mut rows, &offered, now), refused) {
                    (Ok(()), None) => assert_eq!(*status, 200, "{name}, step {now}"),
                    (Err(held), Some(refused)) => {
                        assert_eq!(*status, 400, "{name}, step {now}");
                        assert!(held.contains(refused), "{name}, step {now}: {refused:?} is not among {held:?}");
                    }
                    (done, refused) => panic!("{name}, step {now}: the model says {done:?}, Synapse {refused:?}"),
                }
            }
            Step::Claim(id) => {
                // The recording leaves out the middle of long rows of claims: those of older keys.
                while left_out > 0 && !claimable(&rows).any(|at| rows[at].0 == *id) {
                    let Some(at) = claimable(&rows).next() else { break };
                    rows.remove(at);
                    left_out -= 1;
                }
                let at = claimable(&rows).find(|at| rows[*at].0 == *id);
                match at {
                    Some(at) => drop(rows.remove(at)),
                    // The fallback key stays.
                    None => assert!(
                        rows.len() <= left_out && id.ends_with(":AAAAAAAAAAA"),
                        "{name}, step {now}: {id} is not among the oldest of {} keys",
                        rows.len()
                    ),
                }
            }
        }
    }
    steps.len()
}

#[test]
fn what_synapse_did_with_one_time_keys_is_what_the_model_does() {
    let (mut replayed, mut all, mut refusals, mut claims) = (0, 0, 0, 0);
    for folder in bundles() {
        let name = folder.file_name().expect("a name").to_string_lossy().into_owned();
        // Somebody set the database back: that is no step of the server's.
        if name == "server-restored" {
            continue;
        }
        let label: Value = serde_json::from_str(&text(&folder.join("label.json"))).expect("a label");
        let log = text(&folder.join("homeserver.log.txt"));
        let left_out = label["claimsLeftOut"].as_u64().unwrap_or_default() as usize;
        for (side, ids) in label["sides"].as_object().expect("sides") {
            let steps = steps(&log, ids["deviceId"].as_str().expect("a device"));
            let done = replay(&format!("{name}, {side}"), &steps, &mut sent(&folder, side), left_out);
            println!("{name}, {side}: {done} of {}", steps.len());
            replayed += done;
            all += steps.len();
            let of = |is: fn(&Step) -> bool| steps[..done].iter().filter(|step| is(step)).count();
            refusals += of(|step| matches!(step, Step::Upload { refused: Some(_), .. }));
            claims += of(|step| matches!(step, Step::Claim(_)));
        }
    }
    println!("{replayed} of {all} steps, {refusals} refusals, {claims} claims");
    assert!(refusals >= 10 && claims >= 20, "the recordings hold more than {refusals} refusals and {claims} claims");
    assert!(replayed * 10 >= all * 9, "only {replayed} of {all} steps were replayed");
}

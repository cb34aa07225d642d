//! What the rules on KE-1 share: the refusals of one key id, whose signatures they show, and what denies them.

use crypto_diag_analysis::identity::{self, Identity};
use crypto_diag_analysis::sorted::{distinct, firsts};

use crate::case::coverage::Absence;
use crate::case::ledger::Refusal;
use crate::case::{Case, groups};
use crate::moment::Clock;
use crate::need::{Need, ReportTime, Whose};
use crate::problem::Place;
use crate::proof::Premise;
use crate::subject::{Device, Subject};
use crate::synapse_log::Route;
use crate::verdict::{ClockOf, Evidence};

pub(super) const DIFFER: Premise = Premise {
    id: "diverged/keys-differ",
    says: "The refusal shows both public keys, the one that the server holds and the one that it was offered, and in every \
           copy of it they differ.",
    rules_out: "The sentence was cut before its keys; or the key is the same and only signed anew, which Synapse before 0.21 \
                refused, too.",
};

pub(super) const SIGNED: Premise = Premise {
    id: "same-identity/signed",
    says: "The key that the server holds and the key that it was offered both verify with one Ed25519 key that this device \
           id is known by, and no copy of the refusal shows another signer.",
    rules_out: "Another identity under the same device id has signed the server's key.",
};

pub(super) const DENIED: &str =
    "The server's log, shown to be whole for the time of the refusal, has no refused keys/upload of that user.";

/// The refusals of one key id of one device, by whichever artefact.
pub(super) struct Conflict<'c> {
    pub device: Device,
    /// With its algorithm.
    pub key_id: String,
    pub refusals: Vec<&'c Refusal>,
}

/// What the signatures of a conflict's keys say.
#[derive(Default)]
pub(super) struct Signatures {
    /// Copies in which one identity signed both keys.
    pub same: Vec<Evidence>,
    /// Copies in which another identity signed the server's key than the client's.
    pub replaced: Vec<Evidence>,
    /// Copies that do not tell.
    pub untold: usize,
}

impl<'c> Conflict<'c> {
    /// All conflicts of the devices that the case is about.
    pub fn all(case: &'c Case<'_>) -> Vec<Conflict<'c>> {
        let mut conflicts: Vec<Conflict<'c>> = Vec::new();
        for refusals in groups(&case.ledger, &case.devices()) {
            let Some((device, key_id)) =
                refusals.first().and_then(|first| Some((first.device.clone()?, first.key_id())))
            else {
                continue;
            };
            match conflicts.iter_mut().find(|known| known.device == device && known.key_id == key_id) {
                Some(known) => known.refusals.extend(refusals),
                None => conflicts.push(Conflict { device, key_id, refusals }),
            }
        }
        conflicts
    }

    /// The subject's label and data.
    pub fn about(&self) -> (String, Subject) {
        let subject = Subject {
            device: Some(self.device.clone()),
            key_ids: vec![self.key_id.clone()],
            one_time_keys: self.pairs().into_iter().map(|(held, _)| held.to_owned()).collect(),
            ..Subject::default()
        };
        (format!("{} {}", self.device.label(), self.key_id), subject)
    }

    /// One copy of the refusal from each artefact.
    pub fn evidence(&self) -> Vec<Evidence> {
        let copies = firsts(&self.refusals, |refusal| refusal.answered.clock);
        copies.into_iter().map(|refusal| refusal.evidence.clone()).collect()
    }

    /// The public keys, held and offered, where a copy shows both.
    pub fn pairs(&self) -> Vec<(&'c str, &'c str)> {
        distinct(self.refusals.iter().filter_map(|refusal| Some((refusal.held_key()?, refusal.offered_key()?))))
    }

    /// Whether copies show both keys, and they differ in each.
    pub fn keys_differ(&self) -> bool {
        let pairs = self.pairs();
        !pairs.is_empty() && pairs.iter().all(|(held, offered)| held != offered)
    }

    /// Checks the signatures of each distinct copy against every key that the device is known by.
    pub fn signatures(&self, case: &Case<'_>) -> Signatures {
        let keys = firsts(case.identities_of(&self.device), |sighting| sighting.ed25519.as_str());
        let mut found = Signatures::default();
        let mut checked = Vec::new();
        for refusal in &self.refusals {
            // A storm repeats one sentence, and several artefacts hold it.
            if checked.contains(&&*refusal.conflict) {
                continue;
            }
            checked.push(&*refusal.conflict);
            let mut told = false;
            for sighting in &keys {
                let (user_id, device_id) = (&self.device.user_id, &self.device.device_id);
                let key = &sighting.ed25519;
                match identity::of_conflict(&refusal.conflict, user_id, device_id, key, refusal.altered) {
                    Identity::Same => {
                        let says = format!("the server's key and the offered one both verify with {key}");
                        found.same.extend([Evidence { says, ..refusal.evidence.clone() }, sighting.evidence.clone()]);
                    }
                    Identity::Replaced => {
                        let says = format!(
                            "the offered key verifies with {key}, the server's one does not, though it is signed in the same name"
                        );
                        let pieces = [Evidence { says, ..refusal.evidence.clone() }, sighting.evidence.clone()];
                        found.replaced.extend(pieces);
                    }
                    Identity::Unknown(_) => continue,
                }
                told = true;
            }
            found.untold += usize::from(!told);
        }
        found
    }

    /// The first page of the device, whose report the queries ask for.
    pub fn report(&self, case: &Case<'_>) -> Option<usize> {
        case.pages_of(&self.device).next().map(|page| page.report)
    }

    /// What tells whose signatures they are.
    pub fn ask_identity(&self, case: &Case<'_>) -> Vec<Need> {
        let whose = Whose::Device(self.device.clone());
        vec![
            Need::report(whose, ReportTime::Any, "the device's own identity keys"),
            Need::query(self.report(case), "device-keys", "the identity key that the server holds for the device"),
            Need::query(self.report(case), "ke1-one-time-keys", "the server's key with its signature"),
        ]
    }

    /// Logs in which a page's refusal would stand and does not: its upload was never refused, so the report is not to be
    /// believed, or is of another server.
    pub fn denied_by_logs(&self, case: &Case<'_>) -> Vec<Evidence> {
        let only_printed = self.refusals.iter().all(|refusal| matches!(refusal.answered.clock, Clock::Page(_)));
        if !only_printed {
            return Vec::new();
        }
        let mut denied = Vec::new();
        for refusal in &self.refusals {
            let Clock::Page(report) = refusal.answered.clock else { continue };
            let Some(page) = case.pages.get(report) else { continue };
            let Some(from) = case.begun(page) else { continue };
            let absence =
                Absence { route: Route::KeysUpload, page: Some(page), answered: true, from, to: refusal.answered };
            let may_be = case.bundle.logs.iter().any(|log| {
                log.requests.iter().any(|request| {
                    request.route == Route::KeysUpload
                        && request.status != 200
                        && request.user_id.as_ref().is_none_or(|user_id| *user_id == self.device.user_id)
                })
            });
            if may_be || case.would_show(&absence).is_err() {
                return Vec::new();
            }
            let logs = case.bundle.logs.iter().map(|log| {
                let text = format!("{} lines, no refused keys/upload of {}", log.counts.lines, self.device.user_id);
                let says = "the log shows every request of this browser and no refusal";
                Evidence::new(&log.name, Place::Whole, None, ClockOf::Server, &text, says)
            });
            denied.extend(logs);
        }
        denied
    }
}

/// What histories of these rules change in recorded artefacts.
#[cfg(test)]
pub(super) mod tests {
    use crate::history::History;
    use serde_json::Value;

    /// Changes the refusals that a report shows.
    pub fn conflict_lines(report: &mut Value, change: impl Fn(&str) -> String) {
        for entry in report["entries"].as_array_mut().expect("entries") {
            if entry["ke"] == "KE-1" {
                entry["message"] = change(entry["message"].as_str().expect("a message")).into();
            }
        }
    }

    /// A refusal in which the server's key is offered again: an old server refused what was only signed anew.
    pub fn same_key_twice(line: &str) -> String {
        let (head, rest) = line.split_once("Old key: ").expect("a refusal");
        let (held, tail) = rest.split_once("; new key: ").expect("both keys");
        let end = tail.find("}}}").map_or(tail.len(), |at| at + 3);
        format!("{head}Old key: {held}; new key: {held}{}", &tail[end..])
    }

    /// What a server that is one process prints when it starts, at a time such as `2026-11-20 10:59:59`.
    pub fn started(time: &str) -> String {
        let lines = ["***** STARTING SERVER *****", "Server /usr/bin/python version 1.155.0", "Instance name: master"];
        let line = |text: &str| format!("{time},000 - synapse.config.logger - 377 - INFO - main - {text}\n");
        lines.into_iter().map(line).collect()
    }

    /// Requests of somebody else, one a second for five minutes: the log goes on.
    pub fn goes_on(hour: &str, minute: u32) -> String {
        let line = |second: u32| {
            let (minute, second, id) = (minute + second / 60, second % 60, 90_000 + second);
            format!(
                "{hour}:{minute:02}:{second:02},500 - synapse.access.http.8008 - 643 - INFO - GET-{id} - 192.0.2.1 - 8008 - {{@eve:localhost}} Processed request: 0.050sec/0.000sec ru=(0.004sec, 0.002sec) db=(0.020sec/0.056sec/8) 5B 200 \"GET /_matrix/client/versions HTTP/1.1\" \"UA\" [0 dbevts]\n"
            )
        };
        (1..300).map(line).collect()
    }

    /// The recorded rollback whose last page made a sync that no other page made, so that page and log are aligned by it.
    pub fn rollback_with_a_sync_of_its_own(name: &str) -> History {
        let (shared, own) = ("since=s158_1_0_1_1_1_45", "since=s159_1_0_1_1_1_45");
        History::recorded("store-rollback", name)
            .edit("victim.har", |har| {
                for entry in har["log"]["entries"].as_array_mut().expect("entries") {
                    let url = entry["request"]["url"].as_str().expect("a URL").to_owned();
                    if entry["response"]["status"] == 200 {
                        entry["request"]["url"] = url.replace(shared, own).into();
                    }
                }
            })
            .rewrite("homeserver.log.txt", |log| {
                let line = |line: &str| {
                    let is_answered = line.contains("B 200 \"GET ");
                    format!("{}\n", if is_answered { line.replace(shared, own) } else { line.to_owned() })
                };
                log.lines().map(line).collect()
            })
    }

    /// Takes the bodies of the uploads of a key id out of a HAR, as somebody does who shares it.
    pub fn without_uploads_of(har: &mut Value, key_id: &str) {
        for entry in har["log"]["entries"].as_array_mut().expect("entries") {
            if entry["request"]["postData"]["text"].as_str().is_some_and(|text| text.contains(key_id)) {
                entry["request"]["postData"] = Value::Null;
            }
        }
    }
}

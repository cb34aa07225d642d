//! What is looked for: the ids that reports name, and the time that they span.

use std::collections::BTreeSet;

use crypto_diag_analysis::Report;
use crypto_diag_analysis::evidence::{self, Evidence};
use crypto_diag_core::{Meaning, Millis};
use crypto_diag_triage::har::Har;

/// A stretch of time in milliseconds since the epoch, both ends included. That of reports is by the page's clock.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Window {
    /// The first.
    pub from: i64,
    /// The last.
    pub to: i64,
}

impl Window {
    /// The least window that holds both.
    pub fn with(self, other: Window) -> Window {
        Window { from: self.from.min(other.from), to: self.to.max(other.to) }
    }
}

/// Ids, each once and in order.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Ids {
    /// User ids: those of the reports first of all, then peers that they name.
    pub users: BTreeSet<String>,
    /// Devices: user id and device id.
    pub devices: BTreeSet<(String, String)>,
    /// Ids of one-time keys, without the algorithm, such as `AAAAAAAAADQ`.
    pub key_ids: BTreeSet<String>,
    /// One-time public keys, unpadded base64: of conflicts, and those that a store lacked.
    pub one_time_keys: BTreeSet<String>,
    /// Event ids.
    pub event_ids: BTreeSet<String>,
    /// Room ids.
    pub room_ids: BTreeSet<String>,
    /// Delayed events' ids.
    pub delay_ids: BTreeSet<String>,
    /// To-device messages' ids.
    pub message_ids: BTreeSet<String>,
    /// Transaction ids of `sendToDevice`.
    pub transaction_ids: BTreeSet<String>,
    /// Synapse's request ids, such as `POST-48`; only given by hand, since reports do not know them.
    pub request_ids: BTreeSet<String>,
    /// When; `None`: always.
    pub window: Option<Window>,
}

impl Ids {
    /// The ids of reports together.
    pub fn of_reports<'a>(reports: impl IntoIterator<Item = &'a Report>) -> Ids {
        let mut ids = Ids::default();
        for report in reports {
            ids.add_report(report);
        }
        ids
    }

    /// Adds what a report names, and its time.
    pub fn add_report(&mut self, report: &Report) {
        self.users.extend(report.user_id.clone());
        self.devices.extend(report.user_id.clone().zip(report.device_id.clone()));
        self.add_window(window_of(report));
        for (_, entry) in report.entries() {
            if let Some(evidence) = evidence::read(entry) {
                self.add_evidence(evidence);
            }
        }
        for batch in &report.sent {
            self.transaction_ids.extend(batch.txnid.clone());
            for target in &batch.targets {
                self.add_device(target.user_id.clone(), target.device_id.clone());
                self.message_ids.extend(target.message_id.clone());
            }
        }
    }

    /// Adds what a HAR's requests name: the device that made them, its delayed events; and its time.
    /// Synapse logs some of those requests without a user.
    pub fn add_har(&mut self, har: &Har) {
        if let Some((user_id, device_id)) = har.device() {
            self.add_device(user_id.to_owned(), device_id.to_owned());
        }
        self.users.extend(har.user());
        for exchange in &har.entries {
            self.delay_ids.extend(exchange.delay_id().map(str::to_owned));
        }
        let times = har.entries.iter().filter(|exchange| exchange.start > 0);
        self.add_window(times.map(|at| Window { from: at.start, to: at.end() }).reduce(Window::with));
    }

    /// Whether nothing is named.
    pub fn is_empty(&self) -> bool {
        Ids { window: None, ..self.clone() } == Ids::default()
    }

    /// Widens the window.
    pub fn add_window(&mut self, window: Option<Window>) {
        self.window = match (self.window, window) {
            (Some(known), Some(new)) => Some(known.with(new)),
            (known, new) => known.or(new),
        };
    }

    /// Adds another set of ids.
    pub fn add(&mut self, other: Ids) {
        self.users.extend(other.users);
        self.devices.extend(other.devices);
        self.key_ids.extend(other.key_ids);
        self.one_time_keys.extend(other.one_time_keys);
        self.event_ids.extend(other.event_ids);
        self.room_ids.extend(other.room_ids);
        self.delay_ids.extend(other.delay_ids);
        self.message_ids.extend(other.message_ids);
        self.transaction_ids.extend(other.transaction_ids);
        self.request_ids.extend(other.request_ids);
        self.add_window(other.window);
    }

    fn add_device(&mut self, user_id: String, device_id: String) {
        self.users.insert(user_id.clone());
        self.devices.insert((user_id, device_id));
    }

    fn add_evidence(&mut self, evidence: Evidence) {
        match evidence {
            Evidence::Ke1(conflict) => {
                self.key_ids.extend(conflict.key_id);
                self.one_time_keys.extend(conflict.server_key.and_then(|key| key.key));
                self.one_time_keys.extend(conflict.client_key.and_then(|key| key.key));
            }
            Evidence::Ke2(line) => {
                self.message_ids.extend(line.message_id);
                self.users.extend(line.sender);
                if let Some(participant) = line.participant {
                    self.users.extend(participant.user_id.clone());
                    self.devices.extend(participant.user_id.zip(participant.device_id));
                }
            }
            Evidence::Ke3(event) => {
                self.event_ids.extend(event.event_id);
                self.room_ids.extend(event.room_id);
                self.users.extend(event.sender);
                self.message_ids.extend(event.message_id);
            }
            Evidence::Ke4(line) => {
                self.room_ids.extend(line.room_id);
                self.delay_ids.extend(line.delay_id);
            }
            Evidence::Olm(line) => {
                self.message_ids.extend(line.message_id);
                for device in line.devices {
                    self.add_device(device.user_id, device.device_id);
                }
                self.one_time_keys.extend(line.one_time_key.map(|key| match key.split_once(':') {
                    Some((_, key)) => key.to_owned(),
                    None => key,
                }));
                self.users.extend(line.user_id.clone());
                self.devices.extend(line.user_id.zip(line.device_id));
            }
        }
    }
}

/// The time that matters of a report: from its first failure or its first mark on, to its making. A tab may have been open for days
/// before that. Where nothing failed and nobody marked anything, from the page's start on, as far as it says so; else from its first entry.
fn window_of(report: &Report) -> Option<Window> {
    let at = |ms: Millis| i64::try_from(ms.0).ok().filter(|ms| *ms > 0);
    let failures = report.entries().filter(|(_, entry)| entry.meaning == Meaning::Failure);
    let marked = report.marks.iter().filter_map(|mark| at(mark.ts));
    let first_trouble = failures.filter_map(|(_, entry)| at(entry.ts)).chain(marked).min();
    let times = [report.capture.time_origin, report.capture.installed_at, Some(report.generated_at)];
    let entries = report.entries().filter_map(|(_, entry)| at(entry.ts));
    let sent = report.sent.iter().filter_map(|batch| at(batch.ts));
    let all = times.into_iter().flatten().filter_map(at).chain(entries).chain(sent);
    let whole = all.map(|at| Window { from: at, to: at }).reduce(Window::with)?;
    Some(Window { from: first_trouble.unwrap_or(whole.from), ..whole })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crypto_diag_core::{Mark, MarkKind};

    fn report(entries: &str) -> Report {
        let text = format!(
            r#"{{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":1795422990000,"capture":{{"timeOrigin":1795163763000,"installedAt":1795163764000}},"entries":[{entries}]}}"#
        );
        Report::from_json(&text).expect("a report")
    }

    fn entry(ts: u64, meaning: &str) -> String {
        format!(
            r#"{{"ts":{ts},"level":"warn","ke":"KE-1","signature":"x","message":"x","meaning":"{meaning}","realm":{{"kind":"main"}},"source":"console"}}"#
        )
    }

    #[test]
    fn a_window_begins_with_the_first_failure_and_not_with_a_tab_that_was_open_for_three_days() {
        let entries = [
            entry(1_795_400_000_000, "unrelated"),
            entry(1_795_422_963_000, "failure"),
            entry(1_795_422_970_000, "failure"),
        ];
        assert_eq!(report(&entries.join(",")).entries().count(), 3);
        let window = window_of(&report(&entries.join(","))).expect("a window");
        assert_eq!((window.from, window.to), (1_795_422_963_000, 1_795_422_990_000));
        let window = window_of(&report("")).expect("a window");
        assert_eq!(window.from, 1_795_163_763_000, "nothing failed that the report shows");
    }

    #[test]
    fn a_window_begins_with_the_session_that_the_user_started_where_that_was_before_the_first_failure() {
        let mut marked = report(&entry(1_795_422_963_000, "failure"));
        marked.marks = vec![Mark { ts: Millis(1_795_422_900_000), kind: MarkKind::Start, label: String::new() }];
        assert_eq!(window_of(&marked).expect("a window").from, 1_795_422_900_000);
        marked.marks[0].ts = Millis(1_795_422_980_000);
        assert_eq!(window_of(&marked).expect("a window").from, 1_795_422_963_000, "the failure was earlier");
    }
}

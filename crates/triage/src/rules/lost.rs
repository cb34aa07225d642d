//! Messages that a store could not open for want of a one-time key: what the rules about them share.

use crypto_diag_analysis::evidence::Olm;
use crypto_diag_analysis::evidence::olm::OlmKind;

use super::sent;
use crate::case::ledger::{Refusal, row_evidence};
use crate::case::{Case, exchange};
use crate::moment::Clock;
use crate::need::{Need, ReportTime, Whose};
use crate::subject::{Device, Subject};
use crate::verdict::{ClockOf, Evidence};

/// The messages that one device could not open for want of one one-time key.
pub(super) struct LostKey<'c> {
    /// A report that has such a line.
    pub report: usize,
    pub device: Option<Device>,
    /// The device, or the report's name.
    pub label: String,
    /// The public key.
    pub key: &'c str,
    pub failures: Vec<Failure<'c>>,
}

/// One such line.
pub(super) struct Failure<'c> {
    pub report: usize,
    pub entry: usize,
    pub olm: &'c Olm,
}

/// The lost keys of all devices.
pub(super) fn lost_keys<'c>(case: &'c Case<'_>) -> Vec<LostKey<'c>> {
    let mut lost: Vec<LostKey<'c>> = Vec::new();
    for (report, entry, _, olm) in case.olm() {
        let (OlmKind::MissingOneTimeKey, Some(key)) = (olm.kind, olm.one_time_key.as_deref()) else { continue };
        let page = &case.pages[report];
        let label = case.label(page);
        let failure = Failure { report, entry, olm };
        match lost.iter_mut().find(|lost| lost.key == key && lost.label == label) {
            Some(lost) => lost.failures.push(failure),
            None => lost.push(LostKey { report, device: page.device.clone(), label, key, failures: vec![failure] }),
        }
    }
    lost
}

impl<'c> LostKey<'c> {
    /// As verdicts are about it.
    pub fn about(&self) -> String {
        format!("{} {}", self.label, self.key)
    }

    pub fn subject(&self) -> Subject {
        let mut ids: Vec<String> = Vec::new();
        for id in self.failures.iter().filter_map(|failure| failure.olm.message_id.clone()) {
            if !ids.contains(&id) {
                ids.push(id);
            }
        }
        Subject {
            device: self.device.clone(),
            peer_user_id: self.sender().map(str::to_owned),
            one_time_keys: vec![self.key.to_owned()],
            message_ids: ids,
            ..Subject::default()
        }
    }

    /// The user who sent the messages, as their envelope says.
    pub fn sender(&self) -> Option<&'c str> {
        self.failures.iter().find_map(|failure| failure.olm.user_id.as_deref())
    }

    /// The lines.
    pub fn evidence(&self, case: &Case<'_>) -> Vec<Evidence> {
        let says = "a message that could not be opened, and the one-time key that it needs";
        self.failures.iter().filter_map(|failure| case.entry(failure.report, failure.entry, says)).collect()
    }

    /// Refusals of this device's uploads in which the server holds this key.
    pub fn refusals<'a>(&self, case: &'a Case<'_>) -> Vec<&'a Refusal> {
        let Some(device) = &self.device else { return Vec::new() };
        let of_key = |refusal: &&Refusal| refusal.is_of(device) && refusal.held_key() == Some(self.key);
        case.ledger.conflicts.iter().filter(of_key).collect()
    }

    /// Whether a refusal is of a page that could not open these messages: it printed it, or its browser's requests show it.
    pub fn is_of_page(&self, case: &Case<'_>, refusal: &Refusal) -> bool {
        self.failures.iter().any(|failure| match refusal.answered.clock {
            Clock::Page(report) => report == failure.report,
            Clock::Har(har) => case.pages[failure.report].hars.contains(&har),
            Clock::Log(_) | Clock::Database => false,
        })
    }

    /// Messages that another context of the device opened, or this one at another time: the lines.
    pub fn opened(&self, case: &Case<'_>) -> Vec<Evidence> {
        let deliveries = sent::deliveries(case);
        let ids: Vec<&str> = self.failures.iter().filter_map(|failure| failure.olm.message_id.as_deref()).collect();
        deliveries
            .iter()
            .filter(|delivery| delivery.line.message_id.as_deref().is_some_and(|id| ids.contains(&id)))
            .filter(|delivery| case.label(&case.pages[delivery.report]) == self.label)
            .filter_map(|delivery| case.entry(delivery.report, delivery.entry, "the same message was opened here"))
            .collect()
    }

    /// What shows that the key was this device's: the server's refusal, a row, an upload, or an answer to a claim.
    pub fn was_ours(&self, case: &Case<'_>) -> Option<Evidence> {
        let device = self.device.as_ref()?;
        let key = Some(self.key);
        if let Some(refusal) = self.refusals(case).first() {
            return Some(refusal.evidence.clone());
        }
        let is_of = |user: Option<&str>, id: Option<&str>| {
            user == Some(device.user_id.as_str()) && id == Some(device.device_id.as_str())
        };
        for results in &case.bundle.queries {
            let mut rows = results.one_time_keys.iter();
            let of_key =
                rows.find(|row| row.key.as_deref() == key && is_of(row.user_id.as_deref(), row.device_id.as_deref()));
            if let Some(row) = of_key {
                return Some(row_evidence(&results.name, row, "the server holds the key as this device's"));
            }
            let mut fallback = results.fallback_keys.iter();
            let of_key = fallback
                .find(|row| row.key.as_deref() == key && is_of(row.user_id.as_deref(), row.device_id.as_deref()));
            if let Some(row) = of_key {
                let text = format!("fallback key {} key={}", row.key_id, self.key);
                let says = "the server holds the key as this device's fallback key";
                return Some(Evidence::new(&results.name, row.place.clone(), None, ClockOf::Server, &text, says));
            }
        }
        for upload in case.ledger.accepted.iter().filter(|upload| upload.device == *device) {
            if upload.keys.iter().any(|(_, published)| published == self.key) {
                return Some(upload.evidence.clone());
            }
        }
        for har in &case.bundle.hars {
            for (at, request) in har.entries.iter().enumerate() {
                let claimed = request.facts.iter().flat_map(|facts| &facts.claimed);
                let mut of_key = claimed.filter(|claimed| {
                    claimed.key == self.key && is_of(Some(&claimed.user_id), Some(&claimed.device_id))
                });
                if of_key.next().is_some() {
                    return Some(exchange(har, at, "the server gave the key out as this device's"));
                }
            }
        }
        None
    }

    /// What shows that the server gave the key to the sender, for the very session that failed: in the sender's own requests
    /// the answer to its claim, not as a fallback key, and the message that uses it.
    pub fn given(&self, case: &Case<'_>) -> Option<Vec<Evidence>> {
        let device = self.device.as_ref()?;
        for har in &case.bundle.hars {
            let claimed = har.entries.iter().position(|request| {
                request.facts.iter().flat_map(|facts| &facts.claimed).any(|claimed| {
                    claimed.key == self.key
                        && !claimed.fallback
                        && (&*claimed.user_id, &*claimed.device_id) == (&*device.user_id, &*device.device_id)
                })
            });
            let used = har.entries.iter().position(|request| {
                request.facts.iter().flat_map(|facts| &facts.sent).any(|message| {
                    message.one_time_key.as_deref() == Some(self.key)
                        && message.message_id.is_some()
                        && self.failures.iter().any(|failure| failure.olm.message_id == message.message_id)
                })
            });
            if let (Some(claimed), Some(used)) = (claimed, used) {
                return Some(vec![
                    exchange(har, claimed, "the server gave this device's key to the sender"),
                    exchange(har, used, "the sender used it for the message that failed"),
                ]);
            }
        }
        None
    }

    /// Whose report would tell, and a need for it.
    pub fn senders_report(&self, why: &str) -> Need {
        let of = match self.sender() {
            Some(user) => Whose::User(user.to_owned()),
            None => Whose::Somebody("the sender of the message".to_owned()),
        };
        Need::report(of, ReportTime::SameCall, why)
    }
}

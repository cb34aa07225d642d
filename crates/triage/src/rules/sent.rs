//! Encrypted to-device messages as their senders show them, and what is known of what was in them.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::Ke2;
use crypto_diag_analysis::evidence::ke2::{Ke2Kind, Participant};
use crypto_diag_analysis::facts::device_of;
use crypto_diag_core::{Entry, Level, Meaning};

use crate::case::coverage::Absence;
use crate::case::{Case, Page, exchange};
use crate::moment::{Clock, Moment};
use crate::proof::Premise;
use crate::subject::Device;
use crate::synapse_log::{Request, Route};
use crate::verdict::Evidence;

/// One message to one device.
#[derive(Clone, Debug)]
pub(crate) struct Sent {
    /// Who sent it, where that is known.
    pub sender: Option<Device>,
    /// The report whose page queued it; `None` if only a HAR shows it.
    pub report: Option<usize>,
    pub target: Device,
    /// The transaction: messages of one transaction are one batch, with one content for several devices.
    pub txn_id: String,
    pub message_id: Option<String>,
    /// Whether it was an Olm message.
    pub encrypted: bool,
    pub evidence: Evidence,
}

/// The type of Olm messages.
const ENCRYPTED: &str = "m.room.encrypted";

/// All that pages queued and HARs show as sent.
pub(crate) fn all(case: &Case<'_>) -> Vec<Sent> {
    let mut sent = Vec::new();
    for page in &case.pages {
        for batch in &case.report(page).sent {
            let Some(txn_id) = &batch.txnid else { continue };
            for target in &batch.targets {
                let text = format!(
                    "Enqueuing batch of to-device messages. type={} txnid={txn_id} {}/{} (msgid {})",
                    batch.event_type.as_deref().unwrap_or("?"),
                    target.user_id,
                    target.device_id,
                    target.message_id.as_deref().unwrap_or("?")
                );
                let piece = case.whole(page.report, &text, "the page queued this message for that device");
                sent.push(Sent {
                    sender: page.device.clone(),
                    report: Some(page.report),
                    target: Device::new(&target.user_id, &target.device_id),
                    txn_id: txn_id.clone(),
                    message_id: target.message_id.clone(),
                    encrypted: batch.event_type.as_deref() == Some(ENCRYPTED),
                    evidence: Evidence { at: i64::try_from(batch.ts.0).ok(), ..piece },
                });
            }
        }
    }
    for (index, har) in case.bundle.hars.iter().enumerate() {
        let page = case.pages.iter().find(|page| page.hars.contains(&index));
        let sender = page
            .and_then(|page| page.device.clone())
            .or_else(|| har.device().map(|(user, device)| Device::new(user, device)));
        for (at, request) in har.entries.iter().enumerate() {
            let (Some(txn_id), Some(facts)) = (request.txn_id(), &request.facts) else { continue };
            for message in &facts.sent {
                let target = Device::new(&message.user_id, &message.device_id);
                let evidence = exchange(har, at, format!("a message to {}", target.label()));
                sent.push(Sent {
                    sender: sender.clone(),
                    report: None,
                    target,
                    txn_id: txn_id.to_owned(),
                    message_id: message.message_id.clone(),
                    encrypted: request.uri.contains("/sendToDevice/m.room.encrypted/"),
                    evidence,
                });
            }
        }
    }
    sent
}

impl Sent {
    /// When its client queued it, as that page's list says.
    pub fn queued(&self) -> Option<Moment> {
        Some(Moment::at(Clock::Page(self.report?), self.evidence.at?))
    }

    /// Whether a request of a log is one with this message.
    pub fn is_in(&self, request: &Request) -> bool {
        let sender = self.sender.as_ref().map(|sender| sender.user_id.as_str());
        request.route == Route::SendToDevice
            && request.txn_id() == Some(&*self.txn_id)
            && (sender.is_none() || request.user_id.is_none() || request.user_id.as_deref() == sender)
    }

    /// Whether no request with this message can have reached the server before a moment: it was queued later, or the logs would show
    /// such a request since it was queued, and show none. A client sends a batch again whose answer was lost, and a homeserver that was
    /// started anew takes it again.
    pub fn came_not_before(&self, case: &Case<'_>, moment: Moment) -> bool {
        let Some(queued) = self.queued() else { return false };
        if case.clocks.is_before(moment, queued) {
            return true;
        }
        let logs = case.bundle.logs.iter().enumerate();
        let requests = logs.flat_map(|(index, log)| log.requests.iter().map(move |request| (index, request)));
        let is_later = |received: Moment| received == moment || case.clocks.is_before(moment, received);
        let mut earlier =
            requests.filter(|(index, request)| self.is_in(request) && !is_later(Moment::received(*index, *request)));
        let absence = Absence { route: Route::SendToDevice, page: None, answered: false, from: queued, to: moment };
        earlier.next().is_none() && case.would_show(&absence).is_ok()
    }
}

/// A line that says that a media key was delivered and opened.
pub(crate) struct Delivery<'c> {
    pub report: usize,
    pub entry: usize,
    pub line: &'c Ke2,
}

/// The media keys that pages opened.
pub(crate) fn deliveries<'c>(case: &'c Case<'_>) -> Vec<Delivery<'c>> {
    case.lines()
        .filter_map(|(report, entry, _, facts)| match facts {
            Facts::Ke2(line) if line.kind == Ke2Kind::Delivered => Some(Delivery { report, entry, line }),
            _ => None,
        })
        .collect()
}

/// A key that was opened reaches the media worker within this, in milliseconds: a delivery so shortly before an error may be the
/// very key.
const HANDED_ON_WITHIN_MS: i64 = 10_000;

pub(crate) const PRINTED: Premise = Premise {
    id: "delivery/printed",
    says: "The page has printed a delivery of some media key, or another warning of the crypto library, so that its console shows them.",
    rules_out: "The key came, and the client's log level keeps the crypto library's lines from the console.",
};

/// Whether a page's console shows the crypto library's warnings, of which a delivery is one.
pub(crate) fn are_printed(case: &Case<'_>, page: &Page) -> bool {
    let of_library = |entry: &Entry| entry.level == Level::Warn && entry.message.contains("WARN matrix_sdk_crypto::");
    case.report(page).entries().any(|(_, entry)| entry.meaning == Meaning::Delivered || of_library(entry))
}

/// From when on a delivery may heal an error about a missing key.
pub(crate) fn healing_from(error: Moment) -> Moment {
    Moment::at(error.clock, error.earliest.saturating_sub(HANDED_ON_WITHIN_MS))
}

/// The media keys that a page opened since a moment and that may be a participant's: of its identity key where the page knows it,
/// else of its user, and of a participant behind a hash anybody's.
pub(crate) fn deliveries_of<'c>(
    case: &'c Case<'_>,
    page: &'c Page,
    participant: Option<&'c Participant>,
    since: Moment,
) -> impl Iterator<Item = Delivery<'c>> {
    let may_be = move |line: &Ke2| {
        let Some(user) = participant.and_then(|participant| participant.user_id.as_deref()) else { return true };
        let wanted = participant.and_then(|participant| participant.device_id.as_deref());
        let sender = line.sender.as_deref();
        let known = device_of(case.report(page), Some(user), line.sender_key.as_deref());
        sender.is_none_or(|sender| sender == user) && known.zip(wanted).is_none_or(|(known, wanted)| known == wanted)
    };
    let is_since = move |delivery: &Delivery<'_>| {
        let at = case.printed(delivery.report, delivery.entry);
        at.is_none_or(|at| !case.clocks.is_before(at, since))
    };
    let all = deliveries(case).into_iter();
    all.filter(move |delivery| delivery.report == page.report && may_be(delivery.line) && is_since(delivery))
}

/// Whether a delivery is of a message: its receiver opened it, and it was a media key.
pub(crate) fn is_of(case: &Case<'_>, delivery: &Delivery<'_>, message: &Sent) -> bool {
    let from = delivery.line.sender.as_deref();
    delivery.line.message_id.is_some()
        && delivery.line.message_id == message.message_id
        && message.sender.as_ref().is_some_and(|sender| from == Some(&*sender.user_id))
        && case.pages[delivery.report].device.as_ref() == Some(&message.target)
}

/// What shows that a message was a media key: another message of the same batch, which its receiver opened as one. A batch
/// is one content, encrypted for several devices.
pub(crate) fn media_key(case: &Case<'_>, sent: &[Sent], message: &Sent) -> Option<Evidence> {
    let deliveries = deliveries(case);
    let mut batch = sent.iter().filter(|other| other.txn_id == message.txn_id && other.sender == message.sender);
    batch.find_map(|other| {
        let opened = deliveries.iter().find(|delivery| is_of(case, delivery, other))?;
        case.entry(opened.report, opened.entry, "a message of the same batch was opened, and it was a media key")
    })
}

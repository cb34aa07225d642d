//! Messages that a store could not open for want of a one-time key: what the rules about them share.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::Olm;
use crypto_diag_analysis::evidence::ke2::Ke2Kind;
use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_core::Ke;

use super::sent::{self, Sent};
use crate::case::ledger::{Refusal, row_evidence};
use crate::case::watch::Sought;
use crate::case::{Case, exchange};
use crate::conclusion::Conclusion;
use crate::moment::Clock;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{ClockOf, Evidence, Sentences, Verdict};

/// A media key is used within seconds of being sent: `useKeyDelay` is 5 s in Element Call. A frame that cannot be decrypted
/// at most this long after a lost message, or this long before it, fits that message.
const FITS_MS: u64 = 60_000;

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
            one_time_key: Some(self.key.to_owned()),
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

    /// The message of a failure in its sender's list: queued for this device by a device with the sender's identity key.
    fn queued<'s>(&self, case: &Case<'_>, failure: &Failure<'_>, sent: &'s [Sent]) -> Option<&'s Sent> {
        let device = self.device.as_ref()?;
        let id = failure.olm.message_id.as_deref()?;
        sent.iter().find(|message| {
            let own = message.report.and_then(|report| case.bundle.reports[report].own_keys());
            let own = own.and_then(|keys| keys.curve25519.as_deref());
            let other_identity =
                matches!((own, failure.olm.sender_key.as_deref()), (Some(own), Some(key)) if own != key);
            message.encrypted
                && message.target == *device
                && message.message_id.as_deref() == Some(id)
                && message.sender.as_ref().map(|sender| &*sender.user_id) == failure.olm.user_id.as_deref()
                && message.sender.as_ref() != Some(device)
                && !other_identity
        })
    }

    /// A line of the very page that could not open the message which says that a key of the sender's device is missing,
    /// close to it and without a delivery since.
    fn silent_call(&self, case: &Case<'_>, failure: &Failure<'_>, sender: &Device) -> Option<Evidence> {
        let report = &case.bundle.reports[failure.report];
        let page = &case.pages[failure.report];
        let failed = report.entries.get(failure.entry)?.as_ref()?.ts.0;
        let span = case.printed(failure.report, failure.entry).zip(page.watched(report).map(|(_, made)| made));
        case.could_have_shown(page, Sought::Line(Ke::Ke2), Some(span?)).ok()?;
        case.lines().find_map(|(at, entry, line, facts)| {
            let Facts::Ke2(missing) = facts else { return None };
            let participant = missing.participant.as_ref()?;
            let of_sender = participant.user_id.as_deref() == Some(&*sender.user_id)
                && participant.device_id.as_deref() == Some(&*sender.device_id);
            let is_missing = matches!(missing.kind, Ke2Kind::MissingKey | Ke2Kind::KeySetNotFound);
            let delivered = || {
                sent::deliveries(case).iter().any(|delivery| {
                    let known = delivery.line.sender_key.as_deref();
                    let later = report.entries[delivery.entry].as_ref().is_some_and(|entry| entry.ts.0 >= failed);
                    let of_sender = known.is_none() || known == failure.olm.sender_key.as_deref();
                    delivery.report == at && later && of_sender
                })
            };
            let fits = at == failure.report && of_sender && is_missing && line.ts.0.abs_diff(failed) <= FITS_MS;
            if !fits || delivered() {
                return None;
            }
            case.entry(at, entry, "in this page the sender's media key was missing from then on")
        })
    }
}

/// The premises of a link from a lost message to a media key.
pub(super) struct LinkPremises {
    pub queued: &'static Premise,
    pub media_key: &'static Premise,
    pub in_call: &'static Premise,
}

/// The link from lost messages to a media key, on top of what `proof` holds already. `arrow` is `KE-1 ⇒ KE-2` or `OLM ⇒ KE-2`.
pub(super) fn media_link(
    case: &Case<'_>,
    lost: &LostKey<'_>,
    proof: Proof,
    premises: &LinkPremises,
    (conclusion, arrow): (Conclusion, &str),
) -> Verdict {
    let all = sent::all(case);
    // The failure for which most is known.
    let known = lost.failures.iter().map(|failure| {
        let queued = lost.queued(case, failure, &all);
        let media = queued.and_then(|message| sent::media_key(case, &all, message));
        let sender = queued.and_then(|message| message.sender.as_ref());
        let call = sender.and_then(|sender| lost.silent_call(case, failure, sender));
        (failure, queued, media, call)
    });
    let best = known.max_by_key(|(_, queued, media, call)| {
        usize::from(queued.is_some()) + usize::from(media.is_some()) + usize::from(call.is_some())
    });
    let Some((failure, queued, media, call)) = best else {
        unreachable!("a lost key has at least one failure: it is made from one")
    };
    let id = failure.olm.message_id.as_deref().unwrap_or("without an id");
    let sender = failure.olm.user_id.as_deref().unwrap_or("somebody");
    let peer = queued.and_then(|message| message.sender.clone());
    let says = "the sender queued the very message that was lost";
    let proof = proof
        .evidence(lost.evidence(case))
        .premise(
            premises.queued,
            queued.map(|message| Evidence { says: says.to_owned(), ..message.evidence.clone() }),
            || vec![lost.senders_report("the messages that its client queued, with message ids")],
        )
        .premise(premises.media_key, media, || {
            // One thing to fetch at a time: each answers what the next one is asked for.
            if queued.is_none() {
                return Vec::new();
            }
            vec![Need::report(
                Whose::Somebody("another participant, to whom the same batch went".to_owned()),
                ReportTime::SameCall,
                "whether that batch was a media key: the line of the lost message does not show its type",
            )]
        })
        .premise(premises.in_call, call, || {
            if queued.is_none() {
                return Vec::new();
            }
            let of = lost.device.clone().map_or(Whose::Somebody(lost.label.clone()), Whose::Device);
            vec![Need::report(of, ReportTime::SameCall, "whether the page that holds the call missed the key")]
        })
        .unless("The same message opened by a context of the device.", lost.opened(case));
    let sentences = Sentences {
        proven: format!(
            "{arrow}: {sender} sent message {id} with a media key to {}, which could not open it for want of one-time key {}.",
            lost.label, lost.key
        ),
        refuted: String::new(),
        unknown: format!(
            "{arrow}: whether a media key was among the messages that {} lost for want of one-time key {} cannot be told.",
            lost.label, lost.key
        ),
    };
    let subject = Subject { peer, ..lost.subject() };
    Verdict::decide(case, conclusion, (lost.about(), subject), proof, None, sentences)
}

#[cfg(test)]
pub(super) mod tests {
    use crypto_diag_core::{CryptoFacts, DeviceKeys, Level};
    use serde_json::json;

    use crate::history::{History, MadeUpPage, delivered, lost, missing};

    const ALICE: (&str, &str) = ("@alice:example.org", "ALICE");
    const BOB: (&str, &str) = ("@bob:example.org", "BOB");
    const CAROL: (&str, &str) = ("@carol:example.org", "CAROL");
    const BOB_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";
    pub const KEY: &str = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
    const OTHER: &str = "QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0";
    const BEGUN: u64 = 1_795_424_000_000;
    const LOST_AT: u64 = 1_795_425_000_000;
    const MADE: u64 = 1_795_459_600_000;

    /// What is true of a call of Alice, Bob and Carol in which Alice cannot open a message of Bob's.
    pub struct Story {
        /// The server refused Alice's upload and names the key of the lost message.
        pub conflict: bool,
        /// … and the key that she offered was the same one.
        pub offered_same: bool,
        /// Bob's list holds the message.
        pub queued: bool,
        /// Carol opened a media key of that batch.
        pub media_key: bool,
        /// Bob's key was missing in Alice's page, so long after the lost message.
        pub silent_after: Option<u64>,
        /// A key of Bob's came later.
        pub delivered_later: bool,
        /// Another tab of Alice's device opened the message.
        pub opened_elsewhere: bool,
    }

    impl Default for Story {
        fn default() -> Self {
            Story {
                conflict: false,
                offered_same: false,
                queued: true,
                media_key: true,
                silent_after: Some(2_000),
                delivered_later: false,
                opened_elsewhere: false,
            }
        }
    }

    /// The reports of all three.
    pub fn call(name: &str, story: Story) -> History {
        let mut alice = MadeUpPage::new(ALICE, BEGUN, MADE);
        if story.conflict {
            let offered = if story.offered_same { KEY } else { OTHER };
            let refusal = format!(
                r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {{"key":"{KEY}","signatures":{{}}}}; new key: {{'key': '{offered}', 'signatures': {{}}}}"#
            );
            alice = alice.line(BEGUN + 1_000, Level::Error, &refusal);
        }
        alice = alice.line(LOST_AT, Level::Warn, &lost(KEY, (BOB.0, BOB_KEY), "for-alice", "S"));
        if let Some(after) = story.silent_after {
            alice = alice.line(LOST_AT + after, Level::Error, &missing("@bob:example.org:BOB", 0));
        }
        if story.delivered_later {
            alice = alice.line(LOST_AT + 3_000, Level::Warn, &delivered((BOB.0, BOB_KEY), "later"));
        }
        let id = if story.queued { "for-alice" } else { "another" };
        let bob = MadeUpPage::new(BOB, BEGUN, MADE).but(move |report| {
            let own = DeviceKeys { curve25519: Some(BOB_KEY.into()), ed25519: None };
            report.crypto = Some(CryptoFacts { own_device_keys: Some(own), ..CryptoFacts::default() });
            let target =
                |device: (&str, &str), id: &str| json!({"userId": device.0, "deviceId": device.1, "messageId": id});
            let batch = json!({
                "ts": LOST_AT - 500, "type": "m.room.encrypted", "txnid": "m1.0", "omitted": 0,
                "targets": [target(ALICE, id), target(CAROL, "for-carol")],
            });
            report.sent = vec![serde_json::from_value(batch).expect("a batch")];
        });
        let mut carol = MadeUpPage::new(CAROL, BEGUN, MADE);
        if story.media_key {
            carol = carol.line(LOST_AT, Level::Warn, &delivered((BOB.0, BOB_KEY), "for-carol"));
        }
        let mut history = History::new(name)
            .file("alice.report.json", alice.json())
            .file("bob.report.json", bob.json())
            .file("carol.report.json", carol.json());
        if story.opened_elsewhere {
            let tab = MadeUpPage::new(ALICE, BEGUN, MADE).line(
                LOST_AT,
                Level::Warn,
                &delivered((BOB.0, BOB_KEY), "for-alice"),
            );
            history = history.file("alice-tab-2.report.json", tab.json());
        }
        history
    }
}

//! The link from lost messages to the media key of a call, which KE-1 ⇒ KE-2 and OLM ⇒ KE-2 share.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke2::Ke2Kind;
use crypto_diag_core::Ke;

use super::lost::{Failure, LostKey};
use super::sent::{self, Sent};
use crate::case::Case;
use crate::case::watch::Sought;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{Evidence, Sentences, Verdict};

pub(super) const MEDIA_KEY: Premise = Premise {
    id: "media-link/media-key",
    says: "In its sender's own list of queued messages the lost message stands by its id, for this device, and another message of \
           the same batch was opened as a media key by its receiver.",
    rules_out: "The message was a room key, a secret or m.dummy, which do not go through that queue, or another one of the \
                application's: whiteboards and other widgets use the same queue.",
};

pub(super) const IN_CALL: Premise = Premise {
    id: "media-link/in-the-call",
    says: "The page that could not open the message had no key for its sender's media within a minute of it, and none was delivered \
           to it since that error and the lost message.",
    rules_out: "The call runs in another context of the device, which opened the key; or the missing key is one of another call, \
                or one that came a moment late.",
};

/// A media key is used within seconds of being sent: `useKeyDelay` is 5 s in Element Call. A frame that cannot be decrypted
/// at most this long after a lost message, or this long before it, fits that message.
const FITS_MS: u64 = 60_000;

impl LostKey<'_> {
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
        let lost_at = case.printed(failure.report, failure.entry)?;
        let (_, made) = page.watched(report)?;
        case.lines().find_map(|(at, entry, line, facts)| {
            let Facts::Ke2(missing) = facts else { return None };
            let participant = missing.participant.as_ref()?;
            let of_sender = participant.user_id.as_deref() == Some(&*sender.user_id)
                && participant.device_id.as_deref() == Some(&*sender.device_id);
            let is_missing = matches!(missing.kind, Ke2Kind::MissingKey | Ke2Kind::KeySetNotFound);
            let since = case.printed(at, entry)?;
            let since = if case.clocks.is_before(since, lost_at) { since } else { lost_at };
            let delivered = || {
                sent::deliveries(case).iter().any(|delivery| {
                    let known = delivery.line.sender_key.as_deref();
                    let came = case.printed(delivery.report, delivery.entry);
                    let later = came.is_none_or(|came| !case.clocks.is_before(came, since));
                    let of_sender = known.is_none() || known == failure.olm.sender_key.as_deref();
                    delivery.report == at && later && of_sender
                })
            };
            let fits = at == failure.report && of_sender && is_missing && line.ts.0.abs_diff(failed) <= FITS_MS;
            let shown = || case.could_have_shown(page, Sought::Line(Ke::Ke2), Some((since, made))).is_ok();
            if !fits || delivered() || !shown() {
                return None;
            }
            case.entry(at, entry, "in this page the sender's media key was missing from then on")
        })
    }
}

/// The link from lost messages to a media key, on top of what `proof` holds already. `arrow` is `KE-1 ⇒ KE-2` or `OLM ⇒ KE-2`.
pub(super) fn media_link(
    case: &Case<'_>,
    lost: &LostKey<'_>,
    proof: Proof,
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
        .evidence(queued.map(|message| Evidence { says: says.to_owned(), ..message.evidence.clone() }))
        .premise(&MEDIA_KEY, media, || {
            // One thing to fetch at a time: each answers what the next one is asked for.
            if queued.is_none() {
                return vec![lost.senders_report("the messages that its client queued, with message ids")];
            }
            vec![Need::report(
                Whose::Somebody("another participant, to whom the same batch went".to_owned()),
                ReportTime::SameCall,
                "whether that batch was a media key: the line of the lost message does not show its type",
            )]
        })
        .premise(&IN_CALL, call, || {
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
        /// Bob's key had been missing before, and came a moment later.
        pub healed_before: bool,
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
                healed_before: false,
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
        if story.healed_before {
            alice = alice.line(LOST_AT - 30_000, Level::Error, &missing("@bob:example.org:BOB", 0)).line(
                LOST_AT - 29_700,
                Level::Warn,
                &delivered((BOB.0, BOB_KEY), "before"),
            );
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

//! Cause and effect between proven verdicts: which stands under which.

use serde::Serialize;

use crate::conclusion::Conclusion as C;
use crate::subject::Subject;
use crate::verdict::Verdict;

/// What two verdicts must share for one to be the other's cause.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Shared {
    /// The device.
    Device,
    /// The device and the one-time key: by its public key, else by its id.
    Key,
    /// The device and the participant.
    Peer,
    /// The device and the room.
    Room,
    /// The event.
    Event,
    /// The report.
    Report,
    /// The effect names the cause, since its rule has joined them by calls, times and lists; and what is said is of the effect's device.
    Named,
    /// The same, and what is said is of the effect's peer.
    NamedOfPeer,
}

/// Which conclusion explains which, the nearest cause first. A verdict stands under the first of its causes that is proven.
const EXPLAINS: &[(C, C, Shared)] = &[
    (C::IdentityReplaced, C::Diverged, Shared::Key),
    (C::Rollback, C::Diverged, Shared::Key),
    (C::TwoContexts, C::Diverged, Shared::Key),
    (C::SameIdentity, C::Diverged, Shared::Key),
    (C::Rollback, C::SameIdentity, Shared::Key),
    (C::TwoContexts, C::SameIdentity, Shared::Key),
    (C::Diverged, C::ConflictLostKey, Shared::Key),
    (C::ConflictLostKey, C::ConflictLostMediaKey, Shared::Key),
    (C::ConflictLostKey, C::LostKey, Shared::Key),
    (C::LostKey, C::LostKeyLostMediaKey, Shared::Key),
    (C::IdentityReplaced, C::EncryptedForOtherIdentity, Shared::Device),
    (C::IdentityOverwritten, C::EncryptedForOtherIdentity, Shared::Device),
    (C::StaleDeviceList, C::EncryptedForOtherIdentity, Shared::Device),
    (C::IdentityReplaced, C::DeviceIdentityChanged, Shared::Device),
    (C::ConflictLostMediaKey, C::MediaKeyMissing, Shared::Device),
    (C::LostKeyLostMediaKey, C::MediaKeyMissing, Shared::Device),
    (C::NeverSent, C::MediaKeyMissing, Shared::Device),
    (C::NoOneTimeKey, C::MediaKeyMissing, Shared::Named),
    (C::StaleDeviceList, C::MediaKeyMissing, Shared::Named),
    (C::BatchDropped, C::MediaKeyMissing, Shared::NamedOfPeer),
    (C::Backlog, C::MediaKeyMissing, Shared::Device),
    (C::EncryptionOneSided, C::MediaNotDecrypted, Shared::Peer),
    (C::ConflictLostMediaKey, C::MediaNotDecrypted, Shared::Peer),
    (C::LostKeyLostMediaKey, C::MediaNotDecrypted, Shared::Peer),
    (C::NeverSent, C::MediaNotDecrypted, Shared::Peer),
    (C::NoOneTimeKey, C::MediaNotDecrypted, Shared::Named),
    (C::StaleDeviceList, C::MediaNotDecrypted, Shared::Named),
    (C::BatchDropped, C::MediaNotDecrypted, Shared::NamedOfPeer),
    (C::MediaKeyMissing, C::MediaNotDecrypted, Shared::Peer),
    (C::MediaNotSent, C::MediaNotArriving, Shared::NamedOfPeer),
    (C::Diverged, C::Ke1Seen, Shared::Device),
    (C::ConflictLostKey, C::OlmSeen, Shared::Device),
    (C::LostKey, C::OlmSeen, Shared::Device),
    (C::NoOneTimeKey, C::OlmSeen, Shared::Report),
    (C::BatchDropped, C::OlmSeen, Shared::Report),
    (C::EncryptedForOtherIdentity, C::OlmSeen, Shared::Device),
    (C::DeviceIdentityChanged, C::OlmSeen, Shared::Report),
    (C::MediaKeyMissing, C::Ke2Seen, Shared::Device),
    (C::ConflictLostMediaKey, C::Ke2Seen, Shared::Device),
    (C::NeverSent, C::Ke2Seen, Shared::Device),
    (C::MediaNotDecrypted, C::Ke2Seen, Shared::Device),
    (C::EncryptionOneSided, C::Ke2Seen, Shared::Device),
    (C::MalformedOnServer, C::Ke3Seen, Shared::Event),
    (C::StrippedOnTheWay, C::Ke3Seen, Shared::Event),
    (C::ClientBug, C::Ke3Seen, Shared::Event),
    (C::UndecodableOnServer, C::Ke3Seen, Shared::Event),
    (C::RoomKeyWithheld, C::Ke3Seen, Shared::Device),
    (C::RoomKeyFromLater, C::Ke3Seen, Shared::Device),
    (C::SlowHomeserver, C::DelayedEventTimeouts, Shared::Room),
    (C::SlowGateway, C::DelayedEventTimeouts, Shared::Room),
    (C::NeverArrived, C::DelayedEventTimeouts, Shared::Room),
    (C::DelayedEventTimeouts, C::MembershipLost, Shared::Room),
    (C::DelayedEventTimeouts, C::MembershipManagerStopped, Shared::Room),
    (C::MembershipLost, C::Ke4Seen, Shared::Device),
    (C::DelayedEventTimeouts, C::Ke4Seen, Shared::Device),
    (C::SlowHomeserver, C::Ke4Seen, Shared::Device),
    (C::SlowGateway, C::Ke4Seen, Shared::Device),
    (C::NeverArrived, C::Ke4Seen, Shared::Device),
];

/// One arrow of the picture: by index among the answer's verdicts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Link {
    /// The cause.
    pub cause: usize,
    /// The effect, which stands under it.
    pub effect: usize,
}

/// The arrows between proven verdicts. Each effect has one cause; causes have none or others.
pub(crate) fn links(verdicts: &[Verdict]) -> Vec<Link> {
    let mut links = Vec::new();
    for (effect, verdict) in verdicts.iter().enumerate().filter(|(_, verdict)| verdict.is_proven()) {
        let cause = EXPLAINS.iter().filter(|(_, explained, _)| *explained == verdict.conclusion).find_map(
            |(conclusion, _, shared)| {
                verdicts.iter().position(|other| {
                    other.conclusion == *conclusion && other.is_proven() && shares(other, verdict, *shared)
                })
            },
        );
        links.extend(cause.map(|cause| Link { cause, effect }));
    }
    links
}

/// Whether a cause and an effect share what they must.
fn shares(cause: &Verdict, effect: &Verdict, what: Shared) -> bool {
    let (one, other) = (&cause.subject, &effect.subject);
    let device = one.device.is_some() && one.device == other.device;
    let is_named = effect.follows.contains(&cause.conclusion);
    match what {
        Shared::Device => device,
        Shared::Key => {
            let by_key = !one.one_time_keys.is_empty() && !other.one_time_keys.is_empty();
            device
                && if by_key {
                    meet(&one.one_time_keys, &other.one_time_keys)
                } else {
                    meet(&one.key_ids, &other.key_ids)
                }
        }
        Shared::Peer => {
            let user = |subject: &Subject| {
                subject.peer.as_ref().map(|peer| peer.user_id.clone()).or_else(|| subject.peer_user_id.clone())
            };
            let by_device = one.peer.is_some() && other.peer.is_some();
            device
                && if by_device {
                    one.peer == other.peer
                } else {
                    (one.participant.is_some() && one.participant == other.participant)
                        || user(one).is_some_and(|one| Some(one) == user(other))
                }
        }
        Shared::Room => device && one.room_id == other.room_id,
        Shared::Event => {
            !one.event_ids.is_empty() && (other.event_ids.is_empty() || meet(&one.event_ids, &other.event_ids))
        }
        Shared::Named => is_named && device && (one.peer.is_none() || one.peer == other.peer),
        Shared::NamedOfPeer => is_named && one.device.is_some() && one.device == other.peer,
        Shared::Report => device || (one.report.is_some() && one.report == other.report),
    }
}

fn meet(one: &[String], other: &[String]) -> bool {
    one.iter().any(|id| other.contains(id))
}

/// The verdicts under which nothing but their effects stand: the ends of the arrows' tails, in order, and faults without an
/// arrow.
pub(crate) fn causes(verdicts: &[Verdict], links: &[Link]) -> Vec<usize> {
    (0..verdicts.len())
        .filter(|index| {
            let verdict = &verdicts[*index];
            verdict.is_proven() && verdict.conclusion.is_fault() && links.iter().all(|link| link.effect != *index)
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::Device;
    use crate::verdict::Answer;

    fn proven(conclusion: C, key: &str) -> Verdict {
        let device = Some(Device::new("@a:x", "D"));
        let subject = Subject { device, one_time_keys: vec![key.to_owned()], ..Subject::default() };
        let mut verdict = Verdict::example(conclusion, Answer::Proven, "");
        verdict.subject = subject;
        verdict
    }

    #[test]
    fn each_verdict_stands_under_its_nearest_proven_cause() {
        let verdicts = [
            proven(C::Diverged, "k"),
            proven(C::Rollback, "k"),
            proven(C::ConflictLostKey, "k"),
            proven(C::LostKey, "k"),
            proven(C::LostKey, "another"),
        ];
        let links = links(&verdicts);
        let link = |cause, effect| Link { cause, effect };
        assert_eq!(links, [link(1, 0), link(0, 2), link(2, 3)]);
        assert_eq!(causes(&verdicts, &links), [1, 4], "the other key was lost for a reason that nobody knows");
    }

    #[test]
    fn what_a_rule_has_joined_stands_under_the_side_that_it_names() {
        let of = |conclusion, device: &str, peer: Option<&str>| {
            let mut verdict = Verdict::example(conclusion, Answer::Proven, "");
            let peer = peer.map(|peer| Device::new("@a:x", peer));
            verdict.subject = Subject { device: Some(Device::new("@a:x", device)), peer, ..Subject::default() };
            verdict
        };
        let (silent, effect) = (of(C::MediaNotSent, "B", None), of(C::MediaNotArriving, "A", Some("B")));
        let joined = effect.clone().follows(C::MediaNotSent);
        assert_eq!(links(&[silent.clone(), effect]), [], "two statements that nothing joins");
        assert_eq!(links(&[silent, joined.clone()]), [Link { cause: 0, effect: 1 }]);
        assert_eq!(links(&[of(C::MediaNotSent, "C", None), joined.clone()]), [], "another one is muted");
        assert_eq!(links(&[of(C::MediaNotSent, "A", None), joined]), [], "whoever hears nothing is muted, too");
    }

    #[test]
    fn the_reason_why_an_event_cannot_be_decrypted_leads_to_ke3_seen() {
        for cause in [C::UndecodableOnServer, C::RoomKeyWithheld, C::RoomKeyFromLater] {
            let of = |conclusion| {
                let mut verdict = proven(conclusion, "k");
                verdict.subject.event_ids = vec!["$e".to_owned()];
                verdict
            };
            assert_eq!(links(&[of(cause), of(C::Ke3Seen)]), [Link { cause: 0, effect: 1 }], "{cause:?}");
        }
    }

    #[test]
    fn no_arrow_leads_back_to_its_own_tail() {
        for (cause, effect, _) in EXPLAINS {
            let mut reached = vec![*effect];
            while let Some(next) = EXPLAINS
                .iter()
                .find(|(from, to, _)| reached.contains(from) && !reached.contains(to))
                .map(|(_, to, _)| *to)
            {
                reached.push(next);
            }
            assert!(!reached.contains(cause), "{cause:?} explains itself");
        }
    }
}

//! What the sender's own page says of a media key that another page lacks: that no message with it can have left.

use crypto_diag_analysis::evidence::olm::OlmKind;

use super::heard;
use super::never_sent;
use super::sent;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::subject::Device;
use crate::verdict::{Evidence, Verdict};

/// Why no message with a media key left the sender's page for a device: the conclusion that says it, and what shows it.
struct Kept {
    by: Conclusion,
    shown: Vec<Evidence>,
}

/// Joins a proven verdict on a missing media key with what its sender's page says of the messages that could have brought it: those of the
/// page that is in this very call, whose list is whole, and goes on until after the error.
pub(super) fn join(
    case: &Case<'_>,
    verdict: Verdict,
    page: &Page,
    (peer, identity): (Option<Device>, Option<&str>),
    error: Option<Moment>,
) -> Verdict {
    let (Some(receiver), Some(error)) = (page.device.as_ref(), error.filter(|_| verdict.is_proven())) else {
        return verdict;
    };
    let theirs = heard::own_pages(case, peer.as_ref(), (page, identity));
    let reaches = |theirs: &&&Page| {
        let is_until = case.clocks.is_before(error, case.made(theirs));
        is_until && never_sent::is_from_the_beginning(case, theirs) && never_sent::whole(case, theirs)
    };
    let Some(theirs) = theirs.iter().find(reaches) else { return verdict };
    match kept(case, theirs, page, receiver) {
        Some(Kept { by, shown }) => verdict.evidence(shown).follows(by),
        None if is_left_out(case, theirs, receiver) => {
            let refused = case.refused_claims(theirs);
            let verdict = verdict.how(
                "The sender's page sees this device in the call and has queued no message for it since it began: its list of devices lacks this \
                 one, or no session with it could be made. A HAR of the sender shows which (/keys/query, /keys/claim).",
            );
            match refused {
                Some(refused) => verdict
                    .evidence([refused])
                    .how("Requests of the sender for one-time keys were not answered as they should be."),
                None => verdict,
            }
        }
        None => verdict,
    }
}

/// Whether a page sees a device in its call, and has queued nothing for it.
fn is_left_out(case: &Case<'_>, theirs: &Page, receiver: &Device) -> bool {
    let sent = sent::all(case);
    let mut of_page = sent.iter().filter(|message| message.report == Some(theirs.report));
    heard::sees(case, theirs, receiver) && of_page.all(|message| message.target != *receiver)
}

/// Why nothing left the sender's page for a device. It must see the device in the call, since else it would not try, and keys of this call
/// must go by such messages: older clients send them as events of the room.
fn kept(case: &Case<'_>, theirs: &Page, page: &Page, receiver: &Device) -> Option<Kept> {
    let sent = sent::all(case);
    let of_page = |message: &&sent::Sent| message.report == Some(theirs.report) && message.target == *receiver;
    let lines = || case.olm().filter(|(report, ..)| *report == theirs.report);
    let Some(message) = sent.iter().find(of_page) else {
        let of_call = sent.iter().filter(|message| [Some(theirs.report), Some(page.report)].contains(&message.report));
        if !heard::sees(case, theirs, receiver)
            || of_call.clone().all(|message| sent::media_key(case, &sent, message).is_none())
        {
            return None;
        }
        // Without a session nothing is encrypted for a device, and so it is on no list.
        let (by, report, entry) = lines().find_map(|(report, entry, _, olm)| match olm.kind {
            OlmKind::NoOneTimeKey => {
                let mut named = olm.devices.iter();
                let is_named = named.any(|device| receiver.is(Some(&device.user_id), Some(&device.device_id)));
                is_named.then_some((Conclusion::NoOneTimeKey, report, entry))
            }
            OlmKind::OutboundCreation if olm.cause.as_deref() == Some("InvalidSignature") => {
                let is_named = receiver.is(olm.user_id.as_deref(), olm.device_id.as_deref());
                is_named.then_some((Conclusion::StaleDeviceList, report, entry))
            }
            _ => None,
        })?;
        let says = "no session with this device could be made, and no batch of the page lists it";
        return Some(Kept { by, shown: case.entry(report, entry, says).into_iter().collect() });
    };
    // A line that a batch was dropped does not name it. Where there are as many as batches, each was.
    let dropped: Vec<usize> =
        lines().filter(|(_, _, _, olm)| olm.kind == OlmKind::BatchDropped).map(|(_, entry, ..)| entry).collect();
    (dropped.len() >= case.report(theirs).sent.len()).then(|| {
        let says = "the page dropped each batch that it had queued";
        let line = dropped.first().and_then(|entry| case.entry(theirs.report, *entry, says));
        Kept { by: Conclusion::BatchDropped, shown: [message.evidence.clone()].into_iter().chain(line).collect() }
    })
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::Report;
    use serde_json::json;

    use crate::Triage;
    use crate::answer::key_path::{Hop, KeyPath};
    use crate::conclusion::Conclusion;
    use crate::history::call::{BEGUN, BOB, Held, history, missing_bob, sound, with_bob};
    use crate::history::delivered;

    const DROPPED: &str =
        "Fatal error when sending to-device message - dropping to-device batch! M_FORBIDDEN: MatrixError: [403] x";
    const NO_KEY: &str = r#"Tried to create new Olm sessions, but the signed one-time key was missing for some devices missing_devices_by_user={"@alice:example.org": {"ALICE"}}"#;

    /// Bob's key never comes to Alice's page, hers has come to his, and his own report is given.
    fn both(bob: Held) -> Triage {
        let no_key = |call: &mut crypto_diag_core::CallFacts| {
            call.facts.retain(|fact| fact.key_index.is_none() || fact.participant.as_deref() != Some(BOB));
        };
        let alice = Held::default().of_bob(sound(50.0, 0.0, 0.0, 0.0, 0.0)).but(no_key).line(60_000, &missing_bob(0));
        let alice = alice.report(queued(&[("@bob:example.org", "BOB")]));
        let bob = bob.line(32_000, &delivered(("@alice:example.org", ALICE_KEY), "m0"));
        Triage::of(&with_bob(history("Bob's key never comes", alice), 0, bob).bundle())
    }

    /// Bob's page has queued batches for these devices.
    fn queued(targets: &'static [(&str, &str)]) -> impl FnOnce(&mut Report) + 'static {
        move |report| {
            let batch = |(at, (user, device)): (usize, &(&str, &str))| {
                let target = json!({"userId": user, "deviceId": device, "messageId": format!("m{at}")});
                let batch = json!({
                    "ts": BEGUN + 30_000, "type": "m.room.encrypted", "txnid": format!("m1.{at}"), "omitted": 0, "targets": [target],
                });
                serde_json::from_value(batch).expect("a batch")
            };
            report.sent = targets.iter().enumerate().map(batch).collect();
        }
    }

    /// What a verdict that Bob's media is not decrypted stands under.
    fn cause(triage: &Triage) -> Option<Conclusion> {
        let of = |at: usize| triage.verdicts[at].conclusion;
        let proven = |wanted: Conclusion| {
            triage.verdicts.iter().any(|verdict| verdict.conclusion == wanted && verdict.is_proven())
        };
        assert!(proven(Conclusion::MediaNotDecrypted), "{}", triage.story.sentence);
        let link = triage.story.links.iter().find(|link| of(link.effect) == Conclusion::MediaNotDecrypted);
        link.map(|link| of(link.cause))
    }

    /// Where the key stopped that Alice's page lacks.
    fn stopped_at(triage: &Triage) -> Option<Hop> {
        let is_it =
            |path: &&KeyPath| path.subject.participant.as_deref() == Some(BOB) && path.subject.key_index == Some(0);
        triage.media_keys.paths.iter().find(is_it).expect("a path").stopped_at
    }

    const ALICE_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";
    const ALICE: (&str, &str) = ("@alice:example.org", "ALICE");
    const CAROL: (&str, &str) = ("@carol:example.org", "CAROL");

    #[test]
    fn a_key_stands_under_the_refusal_where_every_batch_was_dropped() {
        let dropped = || Held::default().line(31_000, DROPPED);
        let triage = both(dropped().report(queued(&[ALICE])));
        assert_eq!(cause(&triage), Some(Conclusion::BatchDropped), "{}", triage.story.sentence);
        assert_eq!(stopped_at(&triage), Some(Hop::Accepted));
        assert_eq!(
            cause(&both(dropped().report(queued(&[ALICE, CAROL])))),
            None,
            "the other batch may be the dropped one"
        );
        assert_eq!(cause(&both(dropped().report(queued(&[ALICE])).unmeasured())), None, "no order of the two clocks");
        let cleared = dropped().report(queued(&[ALICE])).report(|report| {
            report.capture.cleared_at = Some(crypto_diag_core::Millis(BEGUN + 20_000));
        });
        assert_eq!(cause(&both(cleared)), None, "batches before Clear are forgotten");
    }

    #[test]
    fn a_device_that_is_left_out_is_named_and_so_are_refused_claims() {
        let hows = |bob: Held| {
            let triage = both(bob.report(queued(&[CAROL])));
            let of_rule = triage.verdicts.iter().find(|verdict| verdict.conclusion == Conclusion::MediaNotDecrypted);
            of_rule.expect("a verdict").how.join(" ")
        };
        let says = hows(Held::default());
        assert!(says.contains("has queued no message for it") && !says.contains("one-time keys were not"), "{says}");
        let claims = Held::default().report(|report| {
            let row = json!({"route": "keys/claim", "ts": BEGUN + 29_000, "duration": 20, "status": 400});
            let requests = json!({"rows": [row], "omitted": 0, "other": 0});
            report.requests = Some(serde_json::from_value(requests).expect("requests"));
        });
        assert!(hows(claims).contains("one-time keys were not"));
        let unseen = Held::default().but(|call| {
            call.session.as_mut().expect("a session").memberships.remove(0);
        });
        assert!(!hows(unseen).contains("has queued no message for it"));
    }

    #[test]
    fn a_key_stands_under_the_missing_one_time_key_where_no_batch_lists_the_device() {
        let without = || Held::default().line(30_000, NO_KEY);
        let triage = both(without().report(queued(&[CAROL])));
        assert_eq!(cause(&triage), Some(Conclusion::NoOneTimeKey), "{}", triage.story.sentence);
        assert_eq!(stopped_at(&triage), Some(Hop::Sent));
        assert_eq!(cause(&both(without().report(queued(&[ALICE])))), None, "a message was queued all the same");
        let unseen = without().report(queued(&[CAROL])).but(|call| {
            call.session.as_mut().expect("a session").memberships.remove(0);
        });
        assert_eq!(cause(&both(unseen)), None, "Bob's page does not see Alice in the call");
    }
}

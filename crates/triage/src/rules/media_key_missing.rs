//! KE-2: a participant's media key was missing in a page, and did not come.

use super::rule::Rule;
use super::sender_side;
use super::sent;
use crate::artefact::ArtefactKind;
use crate::case::watch::Sought;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::{Device, Subject};
use crate::verdict::{Evidence, Sentences, Verdict};
use crypto_diag_analysis::evidence::ke2::Participant;
use crypto_diag_analysis::facts::MissingKeys;
use crypto_diag_core::Ke;

/// A rotation leaves a gap of `useKeyDelay` (1 s, in Element Call 5 s) and of the way that the message takes. Frames at one
/// index that cannot be decrypted this far apart are no rotation.
const LASTS_MS: u64 = 60_000;

const LASTS: Premise = Premise {
    id: "media-key-missing/lasts",
    says: "Frames of the participant at one and the same key index could not be decrypted a minute apart.",
    rules_out: "The key was a moment late, as in each rotation, or the participant left: LiveKit prints the same line for both and is silent afterwards.",
};

const NONE_CAME: Premise = Premise {
    id: "media-key-missing/none-came",
    says: "The page's report would show a media key of that participant that was opened since ten seconds before the first of these errors, and shows none.",
    rules_out: "The key came after all. Which index a delivered key has its line does not say.",
};

const AWAKE: Premise = Premise {
    id: "media-key-missing/awake",
    says: "The page was visible and online in between.",
    rules_out: "The device slept, and what was sent to it meanwhile came when it was back.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MediaKeyMissing,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "LiveKit's worker marks an index as invalid after 11 frames and drops the rest without a word, so that an hour of \
               silence prints what a key that is 300 ms late prints. The number of lines says nothing. That the key did not come \
               follows from two errors at one index that no rotation spans, on a page that opened no key of that participant.",
    proven_by: &[&LASTS, &AWAKE, &NONE_CAME, &sent::PRINTED],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        let mut participants: Vec<(&Participant, &MissingKeys)> = Vec::new();
        for keys in &case.readings[page.report].facts.missing_keys {
            let Some(participant) = &keys.participant else { continue };
            let span = |keys: &MissingKeys| keys.last_ts.0.saturating_sub(keys.first_ts.0);
            match participants.iter_mut().find(|(known, _)| *known == participant) {
                Some((_, longest)) if span(longest) >= span(keys) => {}
                Some((_, longest)) => *longest = keys,
                None => participants.push((participant, keys)),
            }
        }
        verdicts.extend(participants.into_iter().map(|(participant, keys)| judge(case, page, participant, keys)));
    }
    verdicts
}

fn judge(case: &Case<'_>, page: &Page, participant: &Participant, keys: &MissingKeys) -> Verdict {
    let label = case.label(page);
    let identity = &participant.identity;
    let index = keys.key_index.map_or_else(String::new, |index| format!(" at index {index}"));
    let seconds = keys.last_ts.0.saturating_sub(keys.first_ts.0) / 1_000;
    let at = |ms: u64| Moment::at(page.clock(), i64::try_from(ms).unwrap_or(i64::MAX));
    let (first, last) = (at(keys.first_ts.0), at(keys.last_ts.0));
    let since = sent::healing_from(first);
    let says = "a media key that may be the participant's was opened";
    let came: Vec<Evidence> = sent::deliveries_of(case, page, Some(participant), since)
        .filter_map(|delivery| case.entry(page.report, delivery.entry, says))
        .collect();
    let watched = page.watched(case.report(page)).map(|(_, made)| (case.seen_from(page, since), made));
    let could = case.could_have_shown(page, Sought::Line(Ke::Ke2), watched);
    let mut ends: Vec<usize> = keys.entries.first().into_iter().chain(keys.entries.last()).copied().collect();
    ends.dedup();
    let evidence =
        ends.iter().filter_map(|entry| case.entry(page.report, *entry, "a frame came whose key was not there"));
    let of = || match (&participant.user_id, &participant.device_id) {
        (Some(user), Some(device)) => Whose::Device(Device::new(user, device)),
        _ => Whose::Somebody(format!("the participant {identity}")),
    };
    let receiver = || page.device.clone().map_or_else(|| Whose::Somebody(label.clone()), Whose::Device);
    let lasts = keys.key_index.is_some() && keys.last_ts.0.saturating_sub(keys.first_ts.0) >= LASTS_MS;
    let proof = Proof::new(case)
        .evidence(evidence)
        .premise(&LASTS, lasts, || {
            vec![Need::report(of(), ReportTime::SameCall, "the devices that it queued messages for, with their ids")]
        })
        .premise(&AWAKE, case.was_awake(page, first, last), || {
            vec![Need::report(
                receiver(),
                ReportTime::CaptureBefore,
                "whether the key stays away while the page is open and awake",
            )]
        })
        .premise(&NONE_CAME, could.is_ok() && came.is_empty(), || match could {
            Err(why) => {
                let why = format!("which keys the page opened: this report need not show that, since {why}");
                vec![Need::report(receiver(), ReportTime::CaptureBefore, why)]
            }
            Ok(()) => vec![Need::report(of(), ReportTime::SameCall, "which of its keys it sent, and when")],
        })
        .premise(&sent::PRINTED, sent::are_printed(case, page), || {
            vec![Need::report(of(), ReportTime::SameCall, "which of its keys it sent, and when")]
        });
    let sentences = Sentences {
        proven: format!(
            "{label} had no media key of {identity}{index} from one error to the next, {seconds} s later ({} to {}), and opened none of that participant's keys meanwhile.",
            stamp::print(first.earliest),
            stamp::print(last.latest)
        ),
        refuted: String::new(),
        unknown: format!(
            "A frame of {identity}{index} came to {label} before its media key; whether the key came after all cannot be told."
        ),
    };
    let peer = participant.user_id.as_deref().zip(participant.device_id.as_deref());
    let peer = peer.map(|(user, device)| Device::new(user, device));
    let subject = Subject {
        device: page.device.clone(),
        report: Some(case.report_name(page.report).to_owned()),
        peer: peer.clone(),
        participant: Some(identity.clone()),
        key_index: keys.key_index,
        ..Subject::default()
    };
    let verdict = Verdict::decide(
        case,
        Conclusion::MediaKeyMissing,
        (format!("{label} {identity}"), subject),
        proof,
        None,
        sentences,
    );
    let mut verdict = sender_side::join(case, verdict, page, (peer, Some(identity)), Some(first))
        .evidence(came.into_iter().take(2))
        .how("Why: the key was never sent, was lost on its way, or could not be opened.");
    if participant.user_id.is_none() {
        verdict = verdict.how("Who it is: the participant is named by a hash.");
    }
    verdict
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage, delivered, missing};
    use crypto_diag_core::{Level, Millis, PageEvent};

    const BEGUN: u64 = 1_795_424_000_000;
    let bob = ("@bob:example.org", "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo");
    let carol = ("@carol:example.org", "5zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo");
    let alice = || MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000);
    let silent = |page: MadeUpPage, indexes: &[u64]| {
        indexes.iter().enumerate().fold(page, |page, (at, index)| {
            page.line(BEGUN + 20_000 + 90_000 * at as u64, Level::Error, &missing("@bob:example.org:BOB", *index))
        })
    };
    let history = |name: &str, page: MadeUpPage| History::new(name).file("alice.report.json", page.json());
    let hashed = "47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=";
    let unheard = |page: MadeUpPage| {
        page.line(BEGUN + 20_000, Level::Error, &missing(hashed, 0)).line(
            BEGUN + 120_000,
            Level::Error,
            &missing(hashed, 0),
        )
    };
    let twice =
        "WARN matrix_sdk_crypto::olm::session: Failed to decrypt a pre-key message with the corresponding session";
    let prints = |page: MadeUpPage| page.line(BEGUN + 10_000, Level::Warn, twice);
    let from_carol = |page: MadeUpPage| page.line(BEGUN + 30_000, Level::Warn, &delivered(carol, "m1"));
    let from_bob = |page: MadeUpPage| page.line(BEGUN + 200_000, Level::Warn, &delivered(bob, "m2"));
    vec![
        history("Bob's key never comes, and his track is subscribed anew", prints(silent(alice(), &[0, 0])))
            .proves("media-key-missing", "@alice:example.org/ALICE @bob:example.org:BOB"),
        history("Bob's key never comes, and Carol's does", from_carol(silent(alice(), &[0, 0])))
            .proves("media-key-missing", "@bob:example.org:BOB"),
        history("a participant behind a hash is never heard", prints(unheard(alice())))
            .proves("media-key-missing", hashed),
        history(
            "Bob comes twice, his keys a moment late, and the console is without the crypto library's warnings",
            silent(alice(), &[0, 0]),
        )
        .never_proves("media-key-missing", ""),
        history("a participant behind a hash may be the one whose key came", from_carol(unheard(alice())))
            .never_proves("media-key-missing", ""),
        history("one error and silence", prints(silent(alice(), &[0]))).never_proves("media-key-missing", ""),
        history("two rotations of a call whose healthy lines are at another level", prints(silent(alice(), &[4, 5])))
            .never_proves("media-key-missing", ""),
        history(
            "the lid was closed in between",
            prints(silent(alice(), &[0, 0])).but(|report| {
                let event = |after: u64, event: &str| PageEvent { ts: Millis(BEGUN + after), event: event.into() };
                report.capture.page_events = vec![event(30_000, "freeze"), event(100_000, "resume")];
            }),
        )
        .never_proves("media-key-missing", ""),
        history("Bob's key comes late", from_bob(silent(alice(), &[0, 0]))).never_proves("media-key-missing", ""),
        history(
            "the buffer gave up the line that says that the key came",
            from_bob(silent(alice(), &[0, 0])).but(|report| {
                report.entries.retain(|entry| entry.message.contains("missing key"));
                report.capture.evicted = 1;
            }),
        )
        .never_proves("media-key-missing", ""),
    ]
}

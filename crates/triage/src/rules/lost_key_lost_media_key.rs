//! OLM ⇒ KE-2: what a lost one-time key cost was the media key of a call; no conflict is known.

use super::lost::lost_keys;
use super::media_link::{IN_CALL, MEDIA_KEY, media_link};
use super::rule::Rule;
use super::sent;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Proof;
use crate::verdict::Verdict;

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::LostKeyLostMediaKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har],
    argument: "As KE-1 ⇒ KE-2, for a one-time key that no refusal names. Where a refusal does, that link says the same and more, \
               and this one is not drawn.",
    proven_by: &[&MEDIA_KEY, &IN_CALL],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let sent = sent::all(case);
    let was_sent = |id: Option<&str>| id.is_some() && sent.iter().any(|message| message.message_id.as_deref() == id);
    lost_keys(case)
        .iter()
        .filter(|lost| lost.refusals(case).is_empty())
        // Without the sender's list the question is that of the lost key alone.
        .filter(|lost| {
            lost.failures.iter().any(|failure| was_sent(failure.olm.message_id.as_deref())) || misses(case, lost.report)
        })
        .map(|lost| {
            let conclusion = (Conclusion::LostKeyLostMediaKey, "OLM ⇒ KE-2");
            media_link(case, lost, Proof::new(case), conclusion).follows(Conclusion::LostKey)
        })
        .collect()
}

/// Whether that page misses somebody's media key.
fn misses(case: &Case<'_>, report: usize) -> bool {
    !case.readings[report].facts.missing_keys.is_empty()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::media_link::tests::{Story, call};

    let by_another = |name: &str, change: fn(&mut serde_json::Value)| {
        call(name, Story::default()).edit("bob.report.json", change).never_proves("lost-key-lost-media-key", "")
    };
    vec![
        call("the media key of a call is lost, and no conflict is known", Story::default())
            .proves("lost-key-lost-media-key", "")
            .never_proves("conflict-lost-media-key", ""),
        call("the lost message is none that the sender queued", Story { queued: false, ..Story::default() })
            .never_proves("lost-key-lost-media-key", ""),
        call("a whiteboard's message is lost while a key is late", Story { media_key: false, ..Story::default() })
            .never_proves("lost-key-lost-media-key", ""),
        call("the call is in another tab, which is not given", Story { silent_after: None, ..Story::default() })
            .never_proves("lost-key-lost-media-key", ""),
        call(
            "a key was late half a minute before, and the lost one is of a call in another tab",
            Story { healed_before: true, silent_after: None, ..Story::default() },
        )
        .never_proves("lost-key-lost-media-key", ""),
        call("the missing key came after all", Story { delivered_later: true, ..Story::default() })
            .never_proves("lost-key-lost-media-key", ""),
        by_another("the list is that of another user", |report| report["userId"] = "@eve:example.org".into()),
        by_another("the listed message is for another user", |report| {
            report["sent"][0]["targets"][0]["userId"] = "@dan:example.org".into();
        }),
        by_another("the listed message is for another device", |report| {
            report["sent"][0]["targets"][0]["deviceId"] = "PHONE".into();
        }),
        by_another("the listed message is not encrypted", |report| report["sent"][0]["type"] = "m.dummy".into()),
        by_another("the list is that of another identity of the sender's user", |report| {
            report["crypto"]["ownDeviceKeys"]["curve25519"] = "9zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo".into();
        }),
    ]
}

//! KE-1 ⇒ KE-2: what the conflict lost was the media key of a call.

use super::conflict_lost_key::is_of_another_key;
use super::lost::lost_keys;
use super::media_link::{IN_CALL, MEDIA_KEY, media_link};
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::ledger::Refusal;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::Verdict;

const CONFLICT: Premise = Premise {
    id: "conflict-lost-media-key/conflict",
    says: "The message needs the key that the server holds, and the refusal shows that this page's store offered another one under its id.",
    rules_out: "The key was lost for another reason than the conflict.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::ConflictLostMediaKey,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "The line of the lost message shows neither its type nor its call. The sender's own list shows that the message \
               was queued by the application for this device; a batch is one content for several devices, so one of them that \
               opened it as a media key tells what it was; and a call lives in one page, so the page that lost the message must \
               be the one that misses the key.",
    proven_by: &[&CONFLICT, &MEDIA_KEY, &IN_CALL],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_keys(case)
        .iter()
        .filter_map(|lost| {
            let refusals = lost.refusals(case);
            let first = refusals.first()?;
            let links = |refusal: &Refusal| is_of_another_key(refusal) && lost.is_of_page(case, refusal);
            let good = refusals.iter().find(|refusal| links(refusal));
            let shown = good.unwrap_or(first).evidence.clone();
            let proof = Proof::new(case).evidence([shown]).premise(&CONFLICT, good.is_some(), || {
                vec![Need::query(Some(lost.report), "olm-lost-key", "whether the server knows the key, and as what")]
            });
            let conclusion = (Conclusion::ConflictLostMediaKey, "KE-1 ⇒ KE-2");
            Some(media_link(case, lost, proof, conclusion).follows(Conclusion::ConflictLostKey))
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::media_link::tests::{Story, call};

    vec![
        call("the media key of a call is lost to a conflict", Story { conflict: true, ..Story::default() })
            .proves("conflict-lost-media-key", ""),
        call(
            "the key of a call is lost, and the conflict is of the same key signed anew",
            Story { conflict: true, offered_same: true, ..Story::default() },
        )
        .never_proves("conflict-lost-media-key", ""),
        call(
            "the lost message is another one than the sender queued",
            Story { conflict: true, queued: false, ..Story::default() },
        )
        .never_proves("conflict-lost-media-key", ""),
        call(
            "a whiteboard's message is lost in the middle of a call",
            Story { conflict: true, media_key: false, ..Story::default() },
        )
        .never_proves("conflict-lost-media-key", ""),
        call(
            "another tab has the call and opens the key",
            Story { conflict: true, silent_after: None, ..Story::default() },
        )
        .never_proves("conflict-lost-media-key", ""),
        call(
            "a key of another call is missing seven hours later",
            Story { conflict: true, silent_after: Some(7 * 3_600_000), ..Story::default() },
        )
        .never_proves("conflict-lost-media-key", ""),
        call(
            "the same message was opened in another tab",
            Story { conflict: true, opened_elsewhere: true, ..Story::default() },
        )
        .never_proves("conflict-lost-media-key", "")
        .never_refutes("conflict-lost-media-key", ""),
        crate::history::History::recorded("store-rollback", "a rolled-back store, and nothing that says what was lost")
            .never_proves("conflict-lost-media-key", "")
            .never_refutes("conflict-lost-media-key", "")
            .proves("conflict-lost-key", ""),
    ]
}

#[cfg(test)]
mod tests {
    use super::super::media_link::tests::{Story, call};
    use crate::Triage;
    use crate::artefact::ArtefactKind;
    use crate::conclusion::Conclusion;
    use crate::verdict::Answer;

    #[test]
    fn without_the_senders_report_the_link_is_unknown_and_asks_for_that_report() {
        let story = Story { conflict: true, ..Story::default() };
        let alone = call("only the receiver's report", story).without("bob.report.json").without("carol.report.json");
        let triage = Triage::of(&alone.bundle());
        let of_link = |verdict: &&crate::verdict::Verdict| verdict.conclusion == Conclusion::ConflictLostMediaKey;
        let link = triage.verdicts.iter().find(of_link).expect("a verdict on the link");
        let Answer::Unknown { fetch } = &link.answer else { panic!("{link:#?}") };
        let senders = |fetch: &&crate::verdict::Fetch| {
            fetch.artefact == ArtefactKind::Report && fetch.how.contains("@bob:example.org")
        };
        assert!(fetch.iter().any(|fetch| senders(&fetch)), "{fetch:#?}");
    }
}

//! OLM: a message that one context of a device could not open was opened by another, or at another time.

use super::lost::lost_keys;
use super::rule::Rule;
use super::sent;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::Subject;
use crate::verdict::{Sentences, Verdict};

const SAME_SENDER: Premise = Premise {
    id: "redelivery/same-sender",
    says: "The message that failed and the one that was opened come from one identity key.",
    rules_out: "Two senders chose one message id: nothing makes it unique.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Redelivery,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "One message id stands in a failure and in a delivery on one device: the device got the message. That the context \
               which could not open it got what it needed does not follow: a call lives in one tab.",
    proven_by: &[&SAME_SENDER],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let deliveries = sent::deliveries(case);
    let mut verdicts = Vec::new();
    for lost in lost_keys(case) {
        for failure in &lost.failures {
            let Some(id) = failure.olm.message_id.as_deref() else { continue };
            let opened = deliveries.iter().filter(|delivery| {
                delivery.line.message_id.as_deref() == Some(id)
                    && case.label(&case.pages[delivery.report]) == lost.label
            });
            for delivery in opened {
                let sender_key = failure.olm.sender_key.as_deref();
                let same = sender_key.is_some() && delivery.line.sender_key.as_deref() == sender_key;
                let proof = Proof::new(case)
                    .evidence(case.entry(failure.report, failure.entry, "the message could not be opened here"))
                    .evidence(case.entry(delivery.report, delivery.entry, "a message with that id was opened here"))
                    .premise(&SAME_SENDER, same, || {
                        let of = Whose::User(failure.olm.user_id.clone().unwrap_or_else(|| "the sender".to_owned()));
                        vec![Need::report(of, ReportTime::SameCall, "the messages that it queued, with their ids")]
                    });
                let sentences = Sentences {
                    proven: format!(
                        "{} could not open message {id} in one context and opened it in another, or at another time: it was not lost to the device.",
                        lost.label
                    ),
                    refuted: String::new(),
                    unknown: format!(
                        "Whether the message {id} that {} could not open is the one that it opened cannot be told.",
                        lost.label
                    ),
                };
                let subject = Subject { message_ids: vec![id.to_owned()], ..lost.subject() };
                let about = (format!("{} {id}", lost.label), subject);
                let verdict = Verdict::decide(case, Conclusion::Redelivery, about, proof, None, sentences)
                    .how("Whether the context that could not open it needed it: a call lives in one tab.");
                verdicts.push(verdict);
            }
        }
    }
    verdicts
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::media_link::tests::{Story, call};

    let opened = || Story { opened_elsewhere: true, ..Story::default() };
    vec![
        call("another tab opened the message", opened()).proves("redelivery", "for-alice"),
        call("another sender's message has the same id", opened())
            .rewrite("alice-tab-2.report.json", |text| text.replace("3zb17RSD", "9zb17RSD"))
            .never_proves("redelivery", ""),
        call("another device opened a message of that id", opened())
            .edit("alice-tab-2.report.json", |report| report["deviceId"] = "PHONE".into())
            .never_proves("redelivery", ""),
    ]
}

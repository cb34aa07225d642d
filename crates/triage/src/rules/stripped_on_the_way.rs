//! KE-3: the event lost the field between the server and the client.

use super::lost_field::{
    self, ARRIVED_WITHOUT, Check, IS_MISSING, NOT_ON_THE_WAY, OUTER, Place, STORED_WITH, ask_arrived,
};
use super::rule::{Rule, premises};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::{Sentences, Verdict};

const SENT_WHOLE: Check = (
    &Premise {
        id: "stripped-on-the-way/not-pruned",
        says: "What arrived has other fields and does not say that it was redacted.",
        rules_out: "Synapse itself pruned what it served: it does so for a redacted event, and, to whoever was not yet a member of the \
                    room, for all that a user sent who has been erased since.",
    },
    (|event| event.arrived_not_pruned(), ask_arrived),
);

const PROVEN_BY: [Check; 5] = [IS_MISSING, OUTER, STORED_WITH, ARRIVED_WITHOUT, SENT_WHOLE];

const REFUTED_BY: [Check; 2] = [OUTER, NOT_ON_THE_WAY];

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::StrippedOnTheWay,
    needs: &[ArtefactKind::Report, ArtefactKind::QueryResults, ArtefactKind::Har],
    reads: &[],
    argument: "The database holds the field and the answer that reached the browser does not. Synapse serves an event whole or pruned, \
               and pruning leaves an encrypted event's content empty; so something between the two took one field away.",
    proven_by: &premises(&PROVEN_BY),
    refuted_by: &premises(&REFUTED_BY),
    check,
    #[cfg(test)]
    histories,
};

const PLACE: Place = Place {
    conclusion: Conclusion::StrippedOnTheWay,
    proven_by: &PROVEN_BY,
    refuted_by: &REFUTED_BY,
    sentences: |id, field, _| Sentences {
        proven: format!(
            "Event {id} has `{field}` on the server and arrived without it: something in between took it away."
        ),
        refuted: format!("Event {id} did not lose `{field}` on its way: it was stored without it, or arrived with it."),
        unknown: format!("Whether event {id} lost `{field}` between the server and the client cannot be told."),
    },
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_field::verdicts(case, &PLACE)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, event_row};
    use serde_json::json;

    let recorded = |name: &str| History::recorded("algorithm-stripped", name);
    let named = |history: History, words: &str| {
        history.rewrite("victim.report.json", |text| text.replace("missing field `algorithm`", words))
    };
    vec![
        recorded("a proxy takes the algorithm away").proves("stripped-on-the-way", "field algorithm"),
        History::recorded("malformed-event", "the event was stored without its algorithm")
            .never_proves("stripped-on-the-way", "")
            .refutes("stripped-on-the-way", "field algorithm"),
        History::recorded("client-loses-field", "the event arrived whole, and the client lost the field")
            .never_proves("stripped-on-the-way", "")
            .refutes("stripped-on-the-way", "field algorithm"),
        recorded("the stored event was rewritten after it was served")
            .edit("queries.json", |queries| {
                let row = event_row(queries);
                (row["content"], row["algorithm"]) = (json!({}), json!(null));
                (row["redacted_by"], row["have_censored"]) = (json!("$redaction"), json!(true));
            })
            .never_proves("stripped-on-the-way", "")
            .never_refutes("stripped-on-the-way", ""),
        recorded("no HAR shows how the event arrived").without("victim.har").never_proves("stripped-on-the-way", ""),
        named(recorded("a field of the plaintext is missing"), "missing field `body`")
            .never_proves("stripped-on-the-way", "")
            .never_refutes("stripped-on-the-way", ""),
        named(recorded("an unknown field is there"), "unknown field `algorithm`")
            .never_proves("stripped-on-the-way", ""),
    ]
}

//! KE-3: the event was stored without the field.

use super::lost_field::{self, Check, IS_MISSING, NOT_PRUNED, OUTER, Place, STORED_WITH, STORED_WITHOUT};
use super::rule::{Rule, premises};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::verdict::{Sentences, Verdict};

const PROVEN_BY: [Check; 4] = [IS_MISSING, OUTER, STORED_WITHOUT, NOT_PRUNED];

const REFUTED_BY: [Check; 2] = [OUTER, STORED_WITH];

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MalformedOnServer,
    needs: &[ArtefactKind::Report, ArtefactKind::QueryResults],
    reads: &[ArtefactKind::Har],
    argument: "The database holds the event's content as it was accepted, unless Synapse has pruned it: after a redaction, or when the \
               event expired. Pruning leaves an encrypted event's content empty, so that a content with other fields and without \
               this one was stored so.",
    proven_by: &premises(&PROVEN_BY),
    refuted_by: &premises(&REFUTED_BY),
    check,
    #[cfg(test)]
    histories,
};

const PLACE: Place = Place {
    conclusion: Conclusion::MalformedOnServer,
    proven_by: &PROVEN_BY,
    refuted_by: &REFUTED_BY,
    sentences: |id, field, _| Sentences {
        proven: format!("Event {id} was stored without `{field}`: its sender, or the sender's server, made it so."),
        refuted: format!("Event {id} was not stored malformed: the stored content has `{field}`."),
        unknown: format!("Whether event {id} was stored without `{field}` cannot be told."),
    },
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_field::verdicts(case, &PLACE)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, event_row};
    use serde_json::json;

    let recorded = |name: &str| History::recorded("malformed-event", name);
    let pruned = |name: &str, redacted_by: serde_json::Value, censored: serde_json::Value| {
        recorded(name).edit("queries.json", move |queries| {
            let row = event_row(queries);
            row["content"] = json!({});
            row["redacted_by"] = redacted_by;
            row["have_censored"] = censored;
        })
    };
    let missing = |history: History, field: &str| {
        let named = format!("missing field `{field}`");
        history
            .rewrite("victim.report.json", |text| text.replace("missing field `algorithm`", &named))
            .rewrite("peer.report.json", |text| text.replace("missing field `algorithm`", &named))
    };
    vec![
        recorded("an event was sent without its algorithm").proves("malformed-on-server", "field algorithm"),
        History::recorded("malformed-event-redacted", "such an event was redacted, and not yet rewritten")
            .proves("malformed-on-server", "field algorithm"),
        History::recorded("algorithm-stripped", "an event is whole on the server")
            .refutes("malformed-on-server", "field algorithm"),
        pruned("the event was redacted, and Synapse has rewritten it", json!("$redaction"), json!(true))
            .never_proves("malformed-on-server", "")
            .never_refutes("malformed-on-server", ""),
        pruned("the event expired, and Synapse has rewritten it", json!(null), json!(null))
            .never_proves("malformed-on-server", ""),
        missing(recorded("a field of the plaintext is missing"), "body")
            .never_proves("malformed-on-server", "")
            .never_refutes("malformed-on-server", ""),
        recorded("a field stands twice, which the database shows once")
            .rewrite("victim.report.json", |text| text.replace("missing field", "duplicate field"))
            .rewrite("peer.report.json", |text| text.replace("missing field", "duplicate field"))
            .never_proves("malformed-on-server", ""),
        recorded("nobody asked the database").without("queries.json").never_proves("malformed-on-server", ""),
    ]
}

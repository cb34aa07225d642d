//! KE-3: the event arrived whole, and the client says that the field is missing.

use super::lost_field::{
    self, ARRIVALS_SHOWN, ARRIVED_NEW, ARRIVED_WITH, ARRIVED_WITHOUT, Check, IS_MISSING, OUTER, Place,
};
use super::rule::{Rule, premises};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::verdict::{Sentences, Verdict};

const PROVEN_BY: [Check; 5] = [IS_MISSING, OUTER, ARRIVED_WITH, ARRIVED_NEW, ARRIVALS_SHOWN];

const REFUTED_BY: [Check; 4] = [OUTER, ARRIVED_WITHOUT, ARRIVED_NEW, ARRIVALS_SHOWN];

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::ClientBug,
    needs: &[ArtefactKind::Report, ArtefactKind::Har],
    reads: &[ArtefactKind::QueryResults],
    argument: "A field that is there on the server need not have been there in what the client got. Only the arrival that the line is \
               about tells: the event came new with an incremental /sync, before the line was printed, and had the field.",
    proven_by: &premises(&PROVEN_BY),
    refuted_by: &premises(&REFUTED_BY),
    check,
    #[cfg(test)]
    histories,
};

const PLACE: Place = Place {
    conclusion: Conclusion::ClientBug,
    proven_by: &PROVEN_BY,
    refuted_by: &REFUTED_BY,
    sentences: |id, field, label| Sentences {
        proven: format!("Event {id} reached {label} with `{field}`, and the client reported it missing."),
        refuted: format!("The client of {label} rightly says that event {id} lacks `{field}`: it arrived without it."),
        unknown: format!("Whether event {id} was whole when the client of {label} read it cannot be told."),
    },
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lost_field::verdicts(case, &PLACE)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    // The arrival of the recorded event, as a client with a fault would have had it: whole.
    let whole = |name: &str| {
        History::recorded("algorithm-stripped", name).rewrite("victim.har", |text| {
            let (bare, with) = (
                r#"{\"ciphertext\":\"AwgAEoABSt8v"#,
                r#"{\"algorithm\":\"m.megolm.v1.aes-sha2\",\"ciphertext\":\"AwgAEoABSt8v"#,
            );
            text.replace(bare, with)
        })
    };
    let named = |history: History, words: &str| {
        history.rewrite("victim.report.json", |text| text.replace("missing field `algorithm`", words))
    };
    vec![
        whole("the client loses the field itself").proves("client-bug", "field algorithm"),
        History::recorded("algorithm-stripped", "the field was gone when the client got the event")
            .never_proves("client-bug", "")
            .refutes("client-bug", "field algorithm"),
        whole("the event came with old history, and may have been there before, without the field")
            .rewrite("victim.har", |text| text.replace("since=", "set_presence="))
            .never_proves("client-bug", ""),
        whole("the event arrived whole again, after the line")
            .edit("victim.report.json", |report| {
                let generated = report["generatedAt"].as_u64().expect("a time") - 7_000;
                report["entries"][0]["ts"] = generated.into();
            })
            .never_proves("client-bug", ""),
        whole("the event came from the client's own store, and again with a sync that was under way")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                let arrival = entries.iter_mut().find(|entry| entry["startedDateTime"] == "2026-11-23T22:52:11.785Z");
                let arrival = arrival.expect("the sync that brings the event");
                (arrival["startedDateTime"], arrival["time"]) = ("2026-11-23T22:51:51.785Z".into(), 20_110.into());
            })
            .edit("victim.report.json", |report| report["entries"][0]["ts"] = 1_795_474_326_862_u64.into())
            .never_proves("client-bug", ""),
        whole("an answer before the line has no body in the HAR, and it may have brought the event without the field")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                let sync = entries.iter_mut().find(|entry| entry["startedDateTime"] == "2026-11-23T22:52:11.400Z");
                let content = &mut sync.expect("a sync")["response"]["content"];
                (content["text"], content["size"]) = (serde_json::Value::Null, 900.into());
            })
            .never_proves("client-bug", ""),
        whole("the event arrived again while the recorder was paused, without the field")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                let mut later = entries.last().expect("a sync").clone();
                later["startedDateTime"] = "2026-11-23T22:52:15.918Z".into();
                entries.push(later);
            })
            .edit("victim.report.json", |report| {
                report["entries"][0]["ts"] = 1_795_474_334_862_u64.into();
                report["generatedAt"] = 1_795_474_339_000_u64.into();
            })
            .never_proves("client-bug", ""),
        whole("no HAR shows how the event arrived").without("victim.har").never_proves("client-bug", ""),
        named(whole("a field stands twice"), "duplicate field `algorithm`").never_proves("client-bug", ""),
        named(whole("a field of the plaintext is missing"), "missing field `ciphertext_of_the_plaintext`")
            .never_proves("client-bug", "")
            .never_refutes("client-bug", ""),
    ]
}

//! KE-4: the homeserver answered too late.

use super::attempts::{self, AWAKE, Check, Fault, OWN_LINE, OWN_REQUEST, PATIENT};
use super::rule::{Rule, premises};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::Verdict;

const CHECKS: [Check; 6] = [
    OWN_REQUEST,
    OWN_LINE,
    PATIENT,
    AWAKE,
    (
        &Premise {
            id: "slow-homeserver/arrived-in-time",
            says: "The request reached the homeserver before half of the client's wait was over, by any reading of the two clocks.",
            rules_out: "A gateway, the network or the browser's own queue held the request.",
        },
        |attempt| attempt.arrived_in_time(),
    ),
    (
        &Premise {
            id: "slow-homeserver/answered-too-late",
            says: "Synapse took half of the client's wait or more, and had not answered when the client gave up or got a gateway's error.",
            rules_out: "The homeserver answered in time and the answer was lost, or it gave an error at once.",
        },
        |attempt| attempt.answered_too_late(),
    ),
];

const OTHERWISE: Check = (
    &Premise {
        id: "slow-homeserver/every-attempt-quick",
        says: "The homeserver took less than half of the client's wait over each failed attempt's own request.",
        rules_out: "",
    },
    |attempt| attempt.is_told() && attempt.answered_quickly(),
);

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::SlowHomeserver,
    needs: &[ArtefactKind::Report, ArtefactKind::Har, ArtefactKind::ServerLog],
    reads: &[],
    argument: "Synapse prints each request with its own duration when it is over. The attempt's own line says when the request came \
               and how long it took, whatever status the client got: a gateway answers 504 because the homeserver took longer \
               than the gateway waits. Latency by minute says nothing of one request.",
    proven_by: &premises(&CHECKS),
    refuted_by: &[OTHERWISE.0],
    check,
    #[cfg(test)]
    histories,
};

const FAULT: Fault = Fault {
    conclusion: Conclusion::SlowHomeserver,
    checks: &CHECKS,
    otherwise: OTHERWISE,
    proven: |attempt| {
        let (took, waited) = attempt.durations().unwrap_or_default();
        format!("the request reached the homeserver in time, which took {took} ms; the client waited {waited} ms")
    },
    refuted: "The homeserver was quick about each failed attempt's request.",
    unknown: "whether the homeserver was too slow",
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    attempts::verdicts(case, &FAULT)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;
    use serde_json::{Value, json};

    let recorded = |name: &str| History::recorded("slow-homeserver", name);
    let restarts = |har: &mut Value, change: &dyn Fn(&mut Value)| {
        for entry in har["log"]["entries"].as_array_mut().expect("entries") {
            if entry["request"]["url"].as_str().is_some_and(|url| url.contains("/delayed_events/")) {
                change(entry);
            }
        }
    };
    let hidden = |report: &mut Value| {
        let ts = report["entries"][1]["ts"].as_u64().expect("a time") - 1_000;
        report["capture"]["pageEvents"] = json!([{"ts": ts, "event": "hidden"}]);
    };
    vec![
        recorded("the database makes the homeserver wait")
            .proves("slow-homeserver", "!cCYdMVvxTKVhQXjAPt:localhost")
            .never_proves("slow-gateway", ""),
        History::recorded("slow-gateway", "a gateway holds the requests")
            .never_proves("slow-homeserver", "")
            .refutes("slow-homeserver", "!nPDlqHtijmWgsSgQNe:localhost"),
        History::recorded("slow-gateway", "a gateway holds the requests, and the homeserver takes its time as well")
            .rewrite("homeserver.log.txt", |log| {
                let slow = |line: &str| match line.contains("delayed_events/syd_fFoPTmAPPqnZyIRIqAnk/restart") {
                    true => line
                        .replace("request: 0.009sec/0.000sec", "request: 0.600sec/0.000sec")
                        .replace("request: 0.002sec/0.000sec", "request: 0.600sec/0.000sec"),
                    false => line.to_owned(),
                };
                log.lines().map(slow).collect::<Vec<_>>().join("\n") + "\n"
            })
            .never_proves("slow-homeserver", "")
            .never_proves("slow-gateway", ""),
        History::recorded("slow-gateway", "the homeserver answers at once, and the answer does not come back")
            .rewrite("homeserver.log.txt", |log| {
                let early = |line: &str| match line.contains("delayed_events/syd_fFoPTmAPPqnZyIRIqAnk/restart") {
                    true => line
                        .replace("22:54:32,378", "22:54:30,380")
                        .replace("22:54:32,875", "22:54:30,880")
                        .replace("22:54:32,876", "22:54:30,880"),
                    false => line.to_owned(),
                };
                let mut lines: Vec<String> = log.lines().map(early).collect();
                lines.sort_by_key(|line| line.get(..23).map(str::to_owned));
                lines.join("\n") + "\n"
            })
            .never_proves("slow-homeserver", "")
            .proves("slow-gateway", "!nPDlqHtijmWgsSgQNe:localhost"),
        History::recorded(
            "slow-gateway",
            "the homeserver takes three quarters of the wait, answers, and the answer is lost",
        )
        .rewrite("homeserver.log.txt", |log| {
            let early = |line: &str| match line.contains("delayed_events/syd_fFoPTmAPPqnZyIRIqAnk/restart") {
                true => line
                    .replace("22:54:32,378", "22:54:30,740")
                    .replace("22:54:32,875", "22:54:31,235")
                    .replace("22:54:32,876", "22:54:31,235")
                    .replace("request: 0.009sec/", "request: 0.360sec/")
                    .replace("request: 0.002sec/", "request: 0.360sec/"),
                false => line.to_owned(),
            };
            let mut lines: Vec<String> = log.lines().map(early).collect();
            lines.sort_by_key(|line| line.get(..23).map(str::to_owned));
            lines.join("\n") + "\n"
        })
        .never_proves("slow-homeserver", ""),
        recorded("another delayed event's request, which the network lost, was open beside the slow one")
            .edit("victim.har", |har| {
                let mut others = Vec::new();
                for entry in har["log"]["entries"].as_array().expect("entries") {
                    let url = entry["request"]["url"].as_str().unwrap_or_default();
                    if url.contains("/restart") && entry["time"].as_f64().is_some_and(|time| time > 600.0) {
                        let mut other = entry.clone();
                        other["request"]["url"] = url.replace("syd_jmHOTmvVWgwNWMyNeYQT", "syd_another").into();
                        let started: jiff::Timestamp =
                            entry["startedDateTime"].as_str().and_then(|at| at.parse().ok()).expect("a time");
                        let earlier = started - jiff::SignedDuration::from_millis(3);
                        other["startedDateTime"] = earlier.to_string().into();
                        other["response"]["status"] = json!(0);
                        others.push(other);
                    }
                }
                har["log"]["entries"].as_array_mut().expect("entries").extend(others);
            })
            .never_proves("slow-homeserver", ""),
        recorded("the client keeps two delayed events alive at once")
            .edit("victim.har", |har| {
                let mut others = Vec::new();
                for entry in har["log"]["entries"].as_array().expect("entries") {
                    let url = entry["request"]["url"].as_str().unwrap_or_default();
                    if url.contains("/restart") {
                        let mut other = entry.clone();
                        other["request"]["url"] = url.replace("syd_jmHOTmvVWgwNWMyNeYQT", "syd_another").into();
                        others.push(other);
                    }
                }
                har["log"]["entries"].as_array_mut().expect("entries").extend(others);
            })
            .never_proves("slow-homeserver", ""),
        recorded("one request of five never arrived, and the lines of the others begin as these were sent")
            .edit("victim.har", move |har| {
                restarts(har, &|entry| {
                    if entry["time"].as_f64().is_some_and(|time| time > 600.0) {
                        entry["response"]["status"] = json!(0);
                    }
                });
            })
            .rewrite("homeserver.log.txt", |log| {
                let kept =
                    log.lines().filter(|line| !(line.contains("POST-2085") && line.contains("Processed request")));
                kept.collect::<Vec<_>>().join("\n") + "\n"
            })
            .proves("slow-homeserver", "!cCYdMVvxTKVhQXjAPt:localhost")
            .never_refutes("never-arrived", ""),
        recorded("the tab is hidden, and its timers run late")
            .edit("victim.report.json", hidden)
            .never_proves("slow-homeserver", ""),
        recorded("nobody gave a log").without("homeserver.log.txt").never_proves("slow-homeserver", ""),
    ]
}

//! KE-4: something between client and homeserver held the request or its answer.

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
            id: "slow-gateway/homeserver-quick",
            says: "The homeserver took less than half of the client's wait over it.",
            rules_out: "The homeserver took its time as well.",
        },
        |attempt| attempt.answered_quickly(),
    ),
    (
        &Premise {
            id: "slow-gateway/held-outside-the-browser",
            says: "More than half of the client's wait went by before the request reached the homeserver, or after it had answered, by \
                   any reading of the two clocks; the time that it waited in the browser's own queue, as the HAR says (blocked), \
                   does not count.",
            rules_out: "The request came in time and the answer was back at once; or the browser held the request back itself, since it \
                        had no free connection.",
        },
        |attempt| attempt.was_held_up(),
    ),
];

const OTHERWISE: Check = (
    &Premise {
        id: "slow-gateway/every-attempt-the-homeservers",
        says: "Of each failed attempt the homeserver gave the error itself, or got the request in time and answered too late.",
        rules_out: "",
    },
    |attempt| {
        attempt.is_told() && (attempt.got_its_answer() || attempt.arrived_in_time() && attempt.answered_too_late())
    },
);

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::SlowGateway,
    needs: &[ArtefactKind::Report, ArtefactKind::Har, ArtefactKind::ServerLog],
    reads: &[],
    argument: "The HAR says when the browser sent the attempt's own request, the homeserver's line when it came and how long it took. \
               What is left of the client's wait went by in between: in a gateway or the network.",
    proven_by: &premises(&CHECKS),
    refuted_by: &[OTHERWISE.0],
    check,
    #[cfg(test)]
    histories,
};

const FAULT: Fault = Fault {
    conclusion: Conclusion::SlowGateway,
    checks: &CHECKS,
    otherwise: OTHERWISE,
    proven: |attempt| {
        let (took, waited) = attempt.durations().unwrap_or_default();
        format!(
            "the homeserver took {took} ms and the client waited {waited} ms; the rest went by in a gateway or the network"
        )
    },
    refuted: "Each failed attempt failed at the homeserver: it gave the error itself, or answered too late.",
    unknown: "whether a gateway or the network was too slow",
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    attempts::verdicts(case, &FAULT)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    vec![
        History::recorded("slow-gateway", "a gateway holds the requests")
            .proves("slow-gateway", "!nPDlqHtijmWgsSgQNe:localhost"),
        History::recorded("slow-homeserver", "the database makes the homeserver wait")
            .never_proves("slow-gateway", "")
            .refutes("slow-gateway", "!cCYdMVvxTKVhQXjAPt:localhost"),
        History::recorded(
            "slow-gateway",
            "the HAR was begun while the gateway held a restart, and the next one was lost",
        )
        .edit("victim.har", |har| {
            let entries = har["log"]["entries"].as_array_mut().expect("entries");
            let url = |entry: &serde_json::Value| entry["request"]["url"].as_str().unwrap_or_default().to_owned();
            entries.retain(|entry| !url(entry).contains("msc4140.delay="));
            let first = entries.iter().position(|entry| url(entry).ends_with("/restart")).expect("a restart");
            entries.remove(first);
            let second = entries.iter_mut().find(|entry| url(entry).ends_with("/restart")).expect("another");
            second["response"]["status"] = 0.into();
        })
        .rewrite("homeserver.log.txt", |log| {
            log.lines().filter(|line| !line.contains("POST-1976")).map(|line| format!("{line}\n")).collect()
        })
        .never_proves("slow-gateway", ""),
        History::recorded(
            "slow-gateway",
            "the restarts were lost; those that came were sent while the recorder was paused",
        )
        .edit("victim.har", |har| {
            for entry in har["log"]["entries"].as_array_mut().expect("entries") {
                if entry["request"]["url"].as_str().is_some_and(|url| url.ends_with("/restart")) {
                    entry["response"]["status"] = 0.into();
                }
            }
        })
        .never_proves("slow-gateway", "")
        .never_refutes("never-arrived", ""),
        History::world("68-an-error-at-once", "the homeserver gives an error at once")
            .never_proves("slow-gateway", "")
            .refutes("slow-gateway", ""),
        History::world("65-the-browsers-own-queue", "the browser has no free connection")
            .never_proves("slow-gateway", ""),
    ]
}

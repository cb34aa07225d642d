//! KE-4: the request never reached the homeserver.

use super::attempts::{self, AWAKE, Check, Fault, OWN_REQUEST, PATIENT};
use super::rule::{Rule, premises};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::Verdict;

const CHECKS: [Check; 5] = [
    OWN_REQUEST,
    PATIENT,
    AWAKE,
    (
        &Premise {
            id: "never-arrived/no-line",
            says: "No line of the log is left that could be the request's own, once those of the answered requests are taken away.",
            rules_out: "It reached the homeserver.",
        },
        |attempt| attempt.is_missing_in_the_log(),
    ),
    (
        &Premise {
            id: "never-arrived/log-would-show",
            says: "The log would hold its line: that of every process which serves the route, whole over that time and on for longer \
                   than the longest request, without a restart in between.",
            rules_out: "It reached a process whose log is not here, or was still in progress when the log ends.",
        },
        |attempt| attempt.log_would_show_it(),
    ),
];

const OTHERWISE: Check = (
    &Premise {
        id: "never-arrived/every-attempt-arrived",
        says: "The log has the line of each failed attempt's own request.",
        rules_out: "",
    },
    |attempt| attempt.is_told(),
);

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::NeverArrived,
    needs: &[ArtefactKind::Report, ArtefactKind::Har, ArtefactKind::ServerLog],
    reads: &[],
    argument: "A log shows requests that are over. One that is missing never arrived only if it would be there: answered requests \
               measure the log of whoever answers, and a process that hangs writes nothing.",
    proven_by: &premises(&CHECKS),
    refuted_by: &[OTHERWISE.0],
    check,
    #[cfg(test)]
    histories,
};

const FAULT: Fault = Fault {
    conclusion: Conclusion::NeverArrived,
    checks: &CHECKS,
    otherwise: OTHERWISE,
    proven: |_| {
        "the request is in no log of the homeserver, which would show it: network, gateway or client".to_owned()
    },
    refuted: "Each failed attempt's request reached the homeserver.",
    unknown: "whether the requests reached the homeserver",
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    attempts::verdicts(case, &FAULT)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    let recorded = |name: &str| History::recorded("delayed-events-lost", name);
    // The recorded log begins in the middle and ends with the call. This one shows that the server is one process, and goes on.
    let gateway = |name: &str| {
        History::recorded("slow-gateway", name).rewrite("homeserver.log.txt", |log| {
            let start = ["***** STARTING SERVER *****", "Server python version 1.155.0", "Instance name: master"]
                .map(|says| format!("2026-11-23 22:54:22,000 - synapse.config.logger - 388 - INFO - main - {says}\n"));
            let on = (0..60).map(|step| {
                let (minute, second) = (55 + step * 4 / 60, step * 4 % 60);
                format!("2026-11-23 22:{minute}:{second:02},000 - synapse.util.caches - 1 - INFO - sweep-0 - swept\n")
            });
            start.concat() + log + &on.collect::<String>()
        })
    };
    let before = |log: &str, time: &str| -> String {
        log.lines()
            .take_while(|line| line.get(11..23).is_none_or(|at| at < time))
            .map(|line| format!("{line}\n"))
            .collect()
    };
    vec![
        recorded("a log that ends with the call")
            .rewrite("homeserver.log.txt", |log| before(log, "18:39:28"))
            .never_proves("never-arrived", "")
            .never_refutes("never-arrived", ""),
        recorded("nothing shows that the server has no other worker, which may hang")
            .rewrite("homeserver.log.txt", |log| {
                log.lines().filter(|line| !line.contains("Instance name: ")).map(|line| format!("{line}\n")).collect()
            })
            .never_proves("never-arrived", ""),
        recorded("the client's side of the network loses the requests")
            .proves("never-arrived", "!XwkmyhbkajkOsxRRYx:localhost")
            .never_proves("slow-gateway", ""),
        History::recorded("slow-gateway", "a gateway holds the requests")
            .never_proves("never-arrived", "")
            .refutes("never-arrived", "!nPDlqHtijmWgsSgQNe:localhost"),
        gateway("a gateway holds the requests, and the HAR was begun after the first one")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                let first = entries.iter().position(|entry| {
                    entry["request"]["url"].as_str().is_some_and(|url| url.contains("/delayed_events/"))
                });
                entries.remove(first.expect("a restart"));
            })
            .never_proves("never-arrived", "")
            .never_refutes("never-arrived", ""),
        recorded("one of the requests came late, and which one cannot be told")
            .rewrite("homeserver.log.txt", |log| {
                let came = "2026-11-26 18:39:25,800 - synapse.access.http.44531 - 643 - INFO - POST-110 - 127.0.0.1 - 44531 - {None} Processed request: 0.010sec/0.000sec ru=(0.001sec, 0.000sec) db=(0.001sec/0.002sec/1) 2B 200 \"POST /_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_ntFDtGzlifLMHNoDPMwH/restart HTTP/1.1\" \"UA\" [0 dbevts]\n";
                let first = before(log, "18:39:25,800");
                format!("{first}{came}{}", &log[first.len()..])
            })
            .never_proves("never-arrived", "")
            .never_refutes("never-arrived", ""),
        History::recorded("slow-gateway", "the HAR was saved while a gateway held the second restart")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                let is_restart =
                    |entry: &serde_json::Value| entry["request"]["url"].as_str().is_some_and(|url| url.ends_with("/restart"));
                let second = entries.iter().rposition(is_restart);
                entries.remove(second.expect("a restart"));
            })
            .never_proves("never-arrived", "")
            .never_refutes("never-arrived", ""),
        recorded("the log was cut down to its warnings")
            .rewrite("homeserver.log.txt", |log| log.replace(" - INFO - ", " - WARNING - "))
            .never_proves("never-arrived", "")
            .never_refutes("never-arrived", ""),
        recorded("the homeserver started anew while it had the requests")
            .rewrite("homeserver.log.txt", |log| {
                let start = "2026-11-26 18:39:24,900 - synapse.config.logger - 388 - WARNING - main - ***** STARTING SERVER *****\n";
                let first = before(log, "18:39:24,900");
                format!("{first}{start}{}", &log[first.len()..])
            })
            .never_proves("never-arrived", ""),
        recorded("the client gives up after three milliseconds")
            .edit("victim.report.json", |report| {
                report["entries"][0]["ts"] = 1_795_718_364_277_u64.into();
                report["entries"][1]["ts"] = 1_795_718_364_796_u64.into();
                report["entries"][3]["ts"] = 1_795_718_365_414_u64.into();
            })
            .never_proves("never-arrived", ""),
    ]
}

//! KE-2: a client gave up a batch of to-device messages that the server refused.

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::Subject;
use crate::verdict::{Sentences, Verdict};
use crypto_diag_analysis::evidence::olm::OlmKind;

/// The server knows the access token no more.
const LOGGED_OUT: [&str; 2] = ["M_UNKNOWN_TOKEN", "M_MISSING_TOKEN"];

const LOGGED_IN: Premise = Premise {
    id: "batch-dropped/logged-in",
    says: "The line says with which error the server refused the batch, and that is not that the client is logged out.",
    rules_out: "The client had been logged out, and what was still in its queue had to be dropped.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::BatchDropped,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "matrix-js-sdk sends a batch again after each error but a refusal that is final, and then prints that it drops the \
               batch: these messages never left. Media keys go through this queue; whether one was among them does not follow.",
    proven_by: &[&LOGGED_IN],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let lines = case.olm().filter(|(_, _, _, olm)| olm.kind == OlmKind::BatchDropped);
    lines
        .map(|(report, entry, _, olm)| {
            let page = &case.pages[report];
            let label = case.label(page);
            let cause = olm.cause.as_deref();
            let logged_in = cause.is_some_and(|cause| !LOGGED_OUT.contains(&cause));
            let proof = Proof::new(case)
                .evidence(case.entry(report, entry, "the client dropped a batch"))
                .evidence(case.printed(report, entry).and_then(|at| case.refused_to_device(page, at)))
                .premise(&LOGGED_IN, logged_in, || {
                    let of = page.device.clone().map_or_else(|| Whose::Somebody(label.clone()), Whose::Device);
                    vec![Need::har(report, "how the server refused the batch"), Need::report(of, ReportTime::Any, "whether the client is logged in")]
                });
            let sentences = Sentences {
                proven: format!(
                    "The client of {label} dropped a batch of to-device messages, since the server refused it with {}.",
                    cause.unwrap_or("an error")
                ),
                refuted: String::new(),
                unknown: format!("The client of {label} dropped a batch of to-device messages; whether it was still logged in cannot be told."),
            };
            let subject = Subject {
                device: page.device.clone(),
                report: Some(case.report_name(report).to_owned()),
                ..Subject::default()
            };
            Verdict::decide(case, Conclusion::BatchDropped, (label, subject), proof, None, sentences)
                .how("Which messages were in it: the report's list of batches and the server's log show which never arrived.")
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;

    let dropped = |name: &str, error: &str| {
        let line = format!("Fatal error when sending to-device message - dropping to-device batch! {error}");
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), 1_795_424_000_000, 1_795_427_600_000).line(
            1_795_425_000_000,
            Level::Error,
            &line,
        );
        History::new(name).file("alice.report.json", page.json())
    };
    vec![
        dropped("the batch is too large for the server", "M_TOO_LARGE: MatrixError: [413] x")
            .proves("batch-dropped", "@alice:example.org/ALICE"),
        dropped("the client is logged out", "M_UNKNOWN_TOKEN: MatrixError: [401] Invalid access token passed.")
            .never_proves("batch-dropped", ""),
        dropped("the line is cut before its error", "").never_proves("batch-dropped", ""),
    ]
}

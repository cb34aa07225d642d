//! KE-4: the client gave its membership up.

use crypto_diag_analysis::evidence::ke4::Ke4Kind;

use super::calls;
use super::rule::Rule;
use super::seen;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::{Sentences, Verdict};

const AWAKE: Premise = Premise {
    id: "membership-manager-stopped/awake",
    says: "The page was visible, not frozen and online in the minute before, as its capture noted.",
    rules_out: "The page was hidden, frozen or offline for so long that its attempts ran out, and nobody was in the call.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MembershipManagerStopped,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The membership manager prints that it stops and why, twice, in two of its classes. From then on the membership is no \
               longer kept alive: others see the participant leave while it still believes to be in the call.",
    proven_by: &[&AWAKE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        for call in calls::of_page(case, page) {
            // The SDK prints the same end twice.
            let Some(line) = call.of_kind(Ke4Kind::Stopped).next() else { continue };
            let ask = || vec![Need::har(page.report, "the requests that failed, and how")];
            let near = call.kept_alive_before(case, line);
            let entries: Vec<usize> = near.into_iter().take(2).chain([line.entry]).collect();
            let proof = Proof::new(case)
                .evidence(seen::quoted(case, page, &entries, "the client's own words"))
                .premise(&AWAKE, case.was_awake(page, calls::cause_before(line.at), line.at), ask);
            let (label, name) = (case.label(page), call.name());
            let reason = line.facts.reason.as_deref().filter(|reason| *reason != "{}");
            let reason = reason.map_or(String::new(), |reason| format!(": {}", reason.trim_end_matches('.')));
            let sentences = Sentences {
                proven: format!("In {name}, {label} gave up its membership{reason}."),
                refuted: String::new(),
                unknown: format!(
                    "In {name}, {label} stopped keeping its membership alive; whether it was there to do so cannot be told."
                ),
            };
            let about = call.about(case, page);
            verdicts.push(Verdict::decide(case, Conclusion::MembershipManagerStopped, about, proof, None, sentences));
        }
    }
    verdicts
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::{Level, Millis, PageEvent};

    const BEGUN: u64 = 1_795_424_000_000;
    const END: u64 = BEGUN + 100_000;
    let page = || {
        MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000)
            .line(END, Level::Error, "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] MembershipManager stopped because: {}")
            .line(END, Level::Error, "[MatrixRTCSession !r:example.org m.call#ROOM] MembershipManager encountered an unrecoverable error: {}")
    };
    vec![
        History::new("the membership manager stops in front of the user")
            .file("alice.report.json", page().json())
            .proves("membership-manager-stopped", "@alice:example.org/ALICE !r:example.org"),
        History::new("the membership manager stops in a laptop that went offline")
            .file(
                "alice.report.json",
                page()
                    .but(|report| {
                        report
                            .capture
                            .page_events
                            .push(PageEvent { ts: Millis(END - 30_000), event: "offline".into() });
                    })
                    .json(),
            )
            .never_proves("membership-manager-stopped", ""),
    ]
}

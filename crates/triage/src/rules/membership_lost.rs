//! KE-4: the client found itself out of a call that it had joined.

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

const WAS_IN: Premise = Premise {
    id: "membership-lost/was-in",
    says: "Within the minute before, the client had tried to keep its membership alive, so that there was one to lose.",
    rules_out: "The client was just joining: news of another member came before its own membership was stored.",
};

const AWAKE: Premise = Premise {
    id: "membership-lost/awake",
    says: "The page was visible, not frozen and online in the minute before, as its capture noted.",
    rules_out: "The page was hidden, frozen or offline for so long that its leave event came due, as it must.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MembershipLost,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "“Missing own membership: force re-join” says that the client does not find its own membership among those of the \
               call. Whoever is just joining prints it as well; a restart that failed shows that it had joined. What removed the \
               membership (the delayed leave event, another client, a moderator) the line does not say.",
    proven_by: &[&WAS_IN, &AWAKE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        for call in calls::of_page(case, page) {
            for line in call.of_kind(Ke4Kind::ForcedRejoin) {
                let near = call.kept_alive_before(case, line);
                let from = calls::cause_before(line.at);
                let ask = || {
                    vec![Need::query(
                        Some(page.report),
                        "ke4-memberships",
                        "which event removed the membership, and whether there was one",
                    )]
                };
                let entries: Vec<usize> = near.iter().copied().take(2).chain([line.entry]).collect();
                let proof = Proof::new(case)
                    .evidence(seen::quoted(case, page, &entries, "the client's own words"))
                    .premise(&WAS_IN, !near.is_empty(), ask)
                    .premise(&AWAKE, case.was_awake(page, from, line.at), ask);
                let (label, name) = (case.label(page), call.name());
                let sentences = Sentences {
                    proven: format!(
                        "In {name}, {label} lost its membership and joined again, after {} attempts to keep it alive had failed within a minute.",
                        near.len()
                    ),
                    refuted: String::new(),
                    unknown: format!(
                        "In {name}, {label} joined again; whether it had lost a membership cannot be told."
                    ),
                };
                let verdict =
                    Verdict::decide(case, Conclusion::MembershipLost, call.about(case, page), proof, None, sentences);
                verdicts.push(if verdict.is_proven() {
                    verdict.how("What removed the membership: the delayed leave event, another client of this user, or a moderator.")
                } else {
                    verdict
                });
            }
        }
    }
    verdicts
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::{Level, Millis, PageEvent};

    const BEGUN: u64 = 1_795_424_000_000;
    const REJOIN: u64 = BEGUN + 100_000;
    let page = || {
        MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000).line(
            REJOIN,
            Level::Warn,
            "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Missing own membership: force re-join",
        )
    };
    let timeout = "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry ((0/10)) AbortError: Restart delayed event timed out before the HS responded";
    let joining = "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] Bad gateway (https://x/_matrix/client/v3/rooms/!r%3Aexample.org/state/org.matrix.msc3401.call.member/k)";
    vec![
        History::new("a restart times out, and the membership is gone")
            .file("alice.report.json", page().line(REJOIN - 4_000, Level::Warn, timeout).json())
            .proves("membership-lost", "@alice:example.org/ALICE !r:example.org"),
        History::new("a member joins a moment before this one")
            .file("alice.report.json", page().json())
            .never_proves("membership-lost", ""),
        History::new("the join event itself is slow, and another member joins")
            .file("alice.report.json", page().line(REJOIN - 2_000, Level::Warn, joining).json())
            .never_proves("membership-lost", ""),
        History::new("a restart timed out long before")
            .file("alice.report.json", page().line(REJOIN - 90_000, Level::Warn, timeout).json())
            .never_proves("membership-lost", ""),
        History::new("the lid was closed for half a minute, and the leave event came due")
            .file(
                "alice.report.json",
                page()
                    .line(REJOIN - 4_000, Level::Warn, timeout)
                    .but(|report| {
                        for (before, event) in [(40_000, "freeze"), (4_500, "resume")] {
                            let ts = Millis(REJOIN - before);
                            report.capture.page_events.push(PageEvent { ts, event: event.into() });
                        }
                    })
                    .json(),
            )
            .never_proves("membership-lost", ""),
    ]
}

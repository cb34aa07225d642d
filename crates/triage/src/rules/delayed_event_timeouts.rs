//! KE-4: several attempts in a row to keep a membership alive failed.

use super::calls::{self, ROW_MIN};
use super::rule::Rule;
use super::seen;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::verdict::{Sentences, Verdict};

const IN_A_ROW: Premise = Premise {
    id: "delayed-event-timeouts/in-a-row",
    says: "The client's own count says that three attempts or more failed without a success between them.",
    rules_out: "Attempts succeeded between those that failed: the SDK did not count them, as matrix-js-sdk 43 does not count \
                local timeouts.",
};

const AWAKE: Premise = Premise {
    id: "delayed-event-timeouts/awake",
    says: "Three of them or more are shown, and the page was visible, not frozen and online from a minute before the first of these to \
           the last, as its capture noted.",
    rules_out: "The page was hidden, frozen or offline, which delays its own timers and requests.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::DelayedEventTimeouts,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "MatrixRTC keeps a membership alive by restarting a delayed leave event, and prints with each failed attempt how many \
               failed before it; the count begins anew after a success. Whose fault it was, the lines do not say.",
    proven_by: &[&IN_A_ROW, &AWAKE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        for call in calls::of_page(case, page) {
            let Some(row) = call.row() else { continue };
            let is_row = row.count > ROW_MIN;
            if !is_row && call.uncounted() as u64 <= ROW_MIN {
                continue;
            }
            let (first, last) = if is_row {
                (row.first, row.last)
            } else {
                let at = |line: Option<&calls::CallLine<'_>>| line.map_or(row.last, |line| line.at);
                (at(call.lines.first()), at(call.lines.last()))
            };
            let shown = !is_row || row.shows_enough();
            let awake = shown && case.was_awake(page, calls::cause_before(first), last);
            let ask = || {
                vec![
                    Need::har(page.report, "each attempt's own request, and which of them were answered"),
                    Need::query(Some(page.report), "ke4-log", "whether and when those requests reached the homeserver"),
                ]
            };
            let proof = Proof::new(case)
                .evidence(seen::quoted(case, page, &row.entries, "the client gave this attempt up"))
                .evidence(case.measured(page, calls::cause_before(first), last))
                .evidence(case.paced(calls::cause_before(first), last))
                .premise(&IN_A_ROW, is_row, ask)
                .premise(&AWAKE, awake, ask);
            let name = call.name();
            let sentences = Sentences {
                proven: format!(
                    "In {name}, {} attempts in a row of {} to keep the membership alive failed.",
                    row.count,
                    case.label(page)
                ),
                refuted: String::new(),
                unknown: format!("Whether attempts of {} in {name} failed in a row cannot be told.", case.label(page)),
            };
            verdicts.push(Verdict::decide(
                case,
                Conclusion::DelayedEventTimeouts,
                call.about(case, page),
                proof,
                None,
                sentences,
            ));
        }
    }
    verdicts
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::{Level, Millis, PageEvent};

    const BEGUN: u64 = 1_795_424_000_000;
    let row = |counted: bool, count: u64| {
        let page = MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000);
        (0..count).fold(page, |page, attempt| {
            let counted = if counted { format!(" (({attempt}/10))") } else { String::new() };
            let line = format!(
                "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry{counted} AbortError: Restart delayed event timed out before the HS responded"
            );
            page.line(BEGUN + 100_000 + 2_000 * attempt, Level::Warn, &line)
        })
    };
    vec![
        History::new("the client counts six failures in a row")
            .file("alice.report.json", row(true, 6).json())
            .proves("delayed-event-timeouts", "@alice:example.org/ALICE !r:example.org"),
        History::new("the client counts two failures in a row")
            .file("alice.report.json", row(true, 2).json())
            .never_proves("delayed-event-timeouts", ""),
        History::new("five timeouts that the SDK does not count, with successes between them")
            .file("alice.report.json", row(false, 5).json())
            .never_proves("delayed-event-timeouts", ""),
        History::new("two attempts failed while the tab was frozen, before the capture began, and the third one fails")
            .file(
                "alice.report.json",
                MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000).line(BEGUN + 100_000, Level::Warn, "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry ((2/10)) AbortError: Restart delayed event timed out before the HS responded").json(),
            )
            .never_proves("delayed-event-timeouts", "")
            .never_proves("ke4-seen", "")
            .never_refutes("ke4-seen", ""),
        History::new("six failures in a row in a hidden tab")
            .file(
                "alice.report.json",
                row(true, 6)
                    .but(|report| {
                        report
                            .capture
                            .page_events
                            .push(PageEvent { ts: Millis(BEGUN + 101_000), event: "hidden".into() });
                    })
                    .json(),
            )
            .never_proves("delayed-event-timeouts", ""),
    ]
}

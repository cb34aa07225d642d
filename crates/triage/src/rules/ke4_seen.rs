//! KE-4 on a page: delayed events failed, and not only one attempt that the next one made good.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke4::Ke4Kind;
use crypto_diag_core::{Ke, Meaning};

use super::calls::{self, ROW_MIN};
use super::rule::Rule;
use super::seen::{self, Shown};
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::proof::{Premise, Proof};
use crate::verdict::Verdict;

const FAILED: Premise = Premise {
    id: "ke4-seen/line",
    says: "The client gave an attempt up that it does not repeat, or counted three failures in a row, all shown, on a page that was awake.",
    rules_out: "One attempt failed and the next one succeeded, or the page slept, which delays its own timers.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Ke4Seen,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The client prints each attempt that fails, whether it tries again, and how many failed in a row; its count begins \
               anew after a success. One attempt that fails and is repeated is no failure of the call.",
    proven_by: &[&FAILED],
    refuted_by: &[&seen::QUIET, &seen::WATCHED],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    seen::pages(case, Ke::Ke4).map(|page| of_page(case, page)).collect()
}

fn of_page(case: &Case<'_>, page: &Page) -> Verdict {
    let mut shown = Shown::default();
    let mut count = 0;
    let mut failing: Option<(Moment, Moment)> = None;
    let calls = calls::of_page(case, page);
    for call in &calls {
        for line in &call.lines {
            match (line.meaning, line.facts.kind) {
                (Meaning::Failure, _) => {
                    shown.failing.push(line.entry);
                    failing = Some((failing.map_or(line.at, |(first, _)| first), line.at));
                }
                (_, Some(Ke4Kind::RejoinFromScratch)) => {
                    shown.leave_open(|| "the client was out of a call and joined again, as after a sleep".to_owned());
                }
                _ => shown.harmless += 1,
            }
        }
        match call.row() {
            Some(row)
                if row.count > ROW_MIN
                    && row.shows_enough()
                    && case.was_awake(page, calls::cause_before(row.first), row.last) =>
            {
                count = count.max(row.count);
                failing = Some((failing.map_or(row.first, |(first, _)| first), row.last));
                shown.failing.extend(row.entries);
            }
            Some(row) if row.count > ROW_MIN => {
                shown.leave_open(|| {
                    "attempts failed in a row on a page that may have been hidden, frozen or offline".to_owned()
                });
            }
            _ if call.uncounted() as u64 > ROW_MIN => {
                shown.leave_open(|| "attempts timed out, and this SDK does not say whether in a row".to_owned());
            }
            _ => {}
        }
    }
    let unread = |(index, entry): &(usize, &crypto_diag_core::Entry)| {
        let read = matches!(case.readings[page.report].evidence[*index], Some(Facts::Ke4(_)));
        entry.ke == Ke::Ke4 && entry.meaning == Meaning::Failure && !read
    };
    if case.report(page).entries().any(|found| unread(&found)) {
        shown.leave_open(|| "a line about delayed events has a form that is not known".to_owned());
    }
    let proof = Proof::new(case)
        .evidence(seen::quoted(case, page, &shown.failing, "the client gave this attempt up"))
        .evidence(failing.and_then(|(first, last)| case.measured(page, calls::cause_before(first), last)))
        .evidence(failing.into_iter().flat_map(|(first, last)| case.paced(calls::cause_before(first), last)))
        .premise(&FAILED, !shown.failing.is_empty(), || seen::ask(case, page, Ke::Ke4));
    let saw = match count {
        0 => format!("delayed events failed ({})", seen::lines(shown.failing.len())),
        count => format!("{count} attempts in a row to keep a membership alive failed"),
    };
    seen::decide(case, (Conclusion::Ke4Seen, Ke::Ke4), page, (shown, proof, &saw))
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::{Level, Millis, PageEvent};

    const BEGUN: u64 = 1_795_424_000_000;
    let page = || MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000);
    let timeout = |attempt: u64| {
        format!(
            "[MatrixRTCSession !r:example.org m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry (({attempt}/10)) AbortError: Restart delayed event timed out before the HS responded"
        )
    };
    let row = |count: u64| {
        (0..count)
            .fold(page(), |page, attempt| page.line(BEGUN + 100_000 + 2_000 * attempt, Level::Warn, &timeout(attempt)))
    };
    let about = "@alice:example.org/ALICE (alice.report.json)";
    // A call in which a media key was delivered, an event had no algorithm, and six restarts in a row timed out.
    let recorded = |keep: fn(&str) -> bool| {
        MadeUpPage::recorded("ke2-benign_ke3_ke4.jsonl", ("@alice:localhost", "NFQILHVQCC"), keep).json()
    };
    let room = "@alice:localhost/NFQILHVQCC !mcvQkMpfsogPWQAuqq:localhost";
    vec![
        History::new("a recorded call whose restarts timed out, without its requests")
            .file("alice.report.json", recorded(|_| true))
            .proves("ke4-seen", "NFQILHVQCC")
            .proves("delayed-event-timeouts", room)
            .proves("membership-lost", room)
            .proves("ke3-seen", "NFQILHVQCC")
            .refutes("ke2-seen", "NFQILHVQCC")
            .never_proves("slow-homeserver", "")
            .never_proves("slow-gateway", "")
            .never_proves("never-arrived", "")
            .never_proves("malformed-on-server", ""),
        History::new("the same call, of which nothing but the healthy line was printed")
            .file(
                "alice.report.json",
                recorded(|line| !line.contains("Error decrypting") && !line.contains("MembershipManager]")),
            )
            .refutes("ke1-seen", "")
            .refutes("ke2-seen", "")
            .refutes("ke3-seen", "")
            .refutes("ke4-seen", "")
            .refutes("olm-seen", "")
            .exits(&[0]),
        History::new("three attempts fail in a row").file("alice.report.json", row(3).json()).proves("ke4-seen", about),
        History::new("two attempts fail and the third succeeds")
            .file("alice.report.json", row(2).json())
            .never_proves("ke4-seen", "")
            .refutes("ke4-seen", ""),
        History::new("attempts fail in a row while the tab is frozen")
            .file(
                "alice.report.json",
                row(3)
                    .but(|report| {
                        report
                            .capture
                            .page_events
                            .push(PageEvent { ts: Millis(BEGUN + 99_000), event: "freeze".into() });
                    })
                    .json(),
            )
            .never_proves("ke4-seen", "")
            .never_refutes("ke4-seen", ""),
        History::new("two attempts fail, and the call's frame is of another origin")
            .file(
                "alice.report.json",
                row(2).but(|report| report.capture.frames.documents[0].blind = Some("another origin".into())).json(),
            )
            .never_refutes("ke4-seen", ""),
    ]
}

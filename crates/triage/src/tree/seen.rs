//! Whether a page saw a failure of a family at all, and whether it would have.

use crypto_diag_analysis::{Kind, Verdict as Drawn};
use crypto_diag_core::{CaptureState, Meaning};

use super::Case;
use crate::case::Page;
use crate::verdict::{Claim, Verdict};

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    case.pages.iter().flat_map(|page| FAMILIES.iter().map(|family| seen(case, page, family))).collect()
}

struct Family {
    claim: Claim,
    ke: &'static str,
    /// Findings that make a failure out of lines that alone are none.
    kinds: &'static [Kind],
}

const FAMILIES: [Family; 4] = [
    Family { claim: Claim::Ke1Seen, ke: "KE-1", kinds: &[Kind::OneTimeKeyConflict] },
    Family { claim: Claim::Ke2Seen, ke: "KE-2", kinds: &[Kind::MediaKeyMissing, Kind::Ke1ToKe2, Kind::OlmToKe2] },
    Family { claim: Claim::Ke3Seen, ke: "KE-3", kinds: &[] },
    Family {
        claim: Claim::Ke4Seen,
        ke: "KE-4",
        kinds: &[Kind::DelayedEventTimeouts, Kind::MembershipLost, Kind::MembershipManagerStopped],
    },
];

fn seen(case: &Case<'_>, page: &Page, family: &Family) -> Verdict {
    let report = case.report(page);
    let (ke, label) = (family.ke, case.label(page));
    let failing: Vec<usize> = report
        .entries()
        .filter(|(_, entry)| entry.ke.id() == ke && entry.meaning == Meaning::Failure)
        .map(|(index, _)| index)
        .collect();
    let findings = case.analysis.findings.iter().filter(|finding| {
        family.kinds.contains(&finding.kind)
            && finding.verdict == Drawn::Proven
            && finding.entries.iter().any(|entry| entry.report == page.report)
    });
    let drawn: Vec<usize> = findings
        .flat_map(|finding| &finding.entries)
        .filter(|entry| entry.report == page.report)
        .map(|entry| entry.entry)
        .collect();
    let count = report.tally(ke, Meaning::Failure);
    let pieces =
        failing.iter().chain(&drawn).filter_map(|entry| case.entry(page.report, *entry, "a line of that family"));
    let pieces: Vec<_> = pieces.take(3).collect();
    // The page is one of a device, which may have had several: the statement is of this page's capture.
    let about = format!("{label} ({})", case.report_name(page.report));
    if count > 0 || !failing.is_empty() || !drawn.is_empty() {
        let count = count.max(failing.len() as u64);
        let statement = match count {
            0 => format!("The page of {label} saw {ke}: its lines together make a failure."),
            count => {
                format!("The page of {label} saw {ke}: {count} failing line{}.", if count == 1 { "" } else { "s" })
            }
        };
        return Verdict::proven(family.claim, about, statement)
            .evidence(pieces)
            .would_refute("The lines being about something else.");
    }
    let transient = report.tally(ke, Meaning::Transient);
    match blind(case, page, ke) {
        None => {
            let but = match transient {
                0 => String::new(),
                count => {
                    format!(", but for {count} line{} that also stand in good calls", if count == 1 { "" } else { "s" })
                }
            };
            let statement = format!("The page of {label} saw no failure of {ke} since its capture began{but}.");
            let capture = case.whole(
                page.report,
                "capture.state capturing, hooks in place, nothing lost",
                "it would have shown one",
            );
            let mut verdict = Verdict::refuted(family.claim, about, statement)
                .evidence([capture])
                .would_refute("A failing line of that family.");
            if ke == "KE-1" {
                verdict = verdict.open("That no conflict was seen says nothing of a divergence: an id that was claimed uploads without one.");
            }
            verdict
        }
        Some(why) => {
            let fetch = case.fetch_report(&label, format!("whether {ke} happens, with a capture that sees it"));
            Verdict::unknown(
                family.claim,
                about,
                format!("Whether the page of {label} had {ke} cannot be told: {why}."),
                vec![fetch],
            )
            .would_refute("A report with a whole capture and no such line.")
        }
    }
}

/// Why a failure could have been missed.
fn blind(case: &Case<'_>, page: &Page, ke: &str) -> Option<String> {
    let capture = &case.report(page).capture;
    let method = |name: &str| capture.hooks.iter().find(|hook| hook.method == name);
    if capture.state != CaptureState::Capturing {
        return Some("its capture was not running".to_owned());
    }
    for name in ["warn", "error"] {
        match method(name) {
            None => return Some(format!("its report does not say that console.{name} was watched")),
            Some(hook) if !hook.in_place => return Some(format!("console.{name} was replaced by something else")),
            Some(_) => {}
        }
    }
    let lost = [
        (capture.queue_overflow, "lines that waited for the core were lost"),
        (capture.unreadable, "lines could not be looked at"),
        (capture.partly_scanned, "lines were too long to be looked at whole"),
        (capture.failures.len() as u64, "failures of the capture itself"),
    ];
    if let Some((count, what)) = lost.iter().find(|(count, _)| *count > 0) {
        return Some(format!("{count} {what}"));
    }
    // What is in a message that could not be opened is not known: it may have been a media key.
    let unopened = case.report(page).tally("OLM", Meaning::Failure);
    if ke == "KE-2" && unopened > 0 {
        return Some(format!(
            "Olm failed ({unopened} line{}), and what those messages held is not known",
            if unopened == 1 { "" } else { "s" }
        ));
    }
    // Media keys and memberships live in the call's frame.
    if ke == "KE-2" || ke == "KE-4" {
        let Some(frames) = case.bundle.frames.get(page.report).and_then(Option::as_ref) else {
            return Some(
                "its report does not say whether documents inside the page, where calls run, were watched".to_owned(),
            );
        };
        if !frames.watching {
            return Some("documents inside the page, where calls run, were not watched".to_owned());
        }
        if frames.omitted > 0 || frames.documents.iter().any(|document| !document.hooked || document.blind.is_some()) {
            return Some("a document inside the page, where calls run, was not or not wholly watched".to_owned());
        }
    }
    None
}

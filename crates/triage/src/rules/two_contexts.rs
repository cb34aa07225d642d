//! KE-1, its cause: two live contexts publish keys for one device.

mod lacked;
mod overlapping;

use crypto_diag_analysis::sorted::{distinct, groups};

use lacked::{LACKED, READABLE, RECORDED, UNFILTERED, UPLOADS_BEFORE, lacked};
use overlapping::{BOTH_PUBLISH, BOTH_RUN, OVERLAP, TWO_PAGES, overlapping};

use super::conflict::Conflict;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::ledger::Refusal;
use crate::conclusion::Conclusion;
use crate::moment::Clock;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::verdict::{Evidence, Sentences, Verdict};

const AFTER_REFUSAL: Premise = Premise {
    id: "two-contexts/after-refusal",
    says: "A browser sent an upload without the refused key, which the server accepted, after that key had been refused.",
    rules_out: "One store sent that upload before it was set back, and the server took it in late.",
};

const OFFERED_AGAIN: Premise = Premise {
    id: "two-contexts/offered-again",
    says: "The very key that had been refused was offered again after that.",
    rules_out: "One client whose store was set back, or opened anew, between the two uploads.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::TwoContexts,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "A context is a client with a crypto store open: a tab, or a copy of a profile. Two are proven by what one cannot \
               do, each way with premises of its own. A HAR holds all that its tab sends while its recorder runs, so an upload of the \
               device that reached the server meanwhile and is not in it came from another. A client offers a key until the server takes \
               it, and in every upload, so another upload between two offers of one key came from another. Two pages that ran \
               at one time, and both published, are two. That a key is older than a page, or that another identity signed it, excludes no second \
               context, so it is never refuted.",
    proven_by: &[
        &RECORDED,
        &UPLOADS_BEFORE,
        &UNFILTERED,
        &READABLE,
        &LACKED,
        &AFTER_REFUSAL,
        &OFFERED_AGAIN,
        &OVERLAP,
        &TWO_PAGES,
        &BOTH_RUN,
        &BOTH_PUBLISH,
    ],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let conflicts = Conflict::all(case);
    let mut verdicts = Vec::new();
    for (device, conflicts) in groups(conflicts.iter().map(|conflict| (&conflict.device, conflict))) {
        let mut proofs = lacked(case, device).chain(overlapping(case, device));
        let proven = proofs.find(|proof| proof.clone().result().is_ok());
        verdicts.extend(conflicts.into_iter().filter_map(|conflict| verdict(case, conflict, proven.clone())));
    }
    verdicts
}

fn verdict(case: &Case<'_>, conflict: &Conflict<'_>, of_device: Option<Proof>) -> Option<Verdict> {
    let proven = of_device.or_else(|| interleaved(case, conflict).find(|proof| proof.clone().result().is_ok()));
    let signatures = conflict.signatures(case);
    if proven.is_none() && !signatures.replaced.is_empty() {
        // The conflict is explained, and nothing says that the other identity still runs.
        return None;
    }
    let label = conflict.device.label();
    let proof = proven.unwrap_or_else(|| unproven(case, conflict)).evidence(conflict.evidence());
    let sentences = Sentences {
        proven: format!("Two contexts published one-time keys for {label} at the same time."),
        unknown: format!("Whether a second context publishes one-time keys for {label} cannot be told."),
        ..Sentences::default()
    };
    let verdict = Verdict::decide(case, Conclusion::TwoContexts, conflict.about(), proof, None, sentences);
    let how = "Whether they are two tabs of one profile, or a copied profile.";
    Some(if verdict.is_proven() { verdict.how(how) } else { verdict })
}

/// Nothing was found that one context cannot do.
fn unproven(case: &Case<'_>, conflict: &Conflict<'_>) -> Proof {
    let ask = || {
        let report = conflict.report(case);
        let label = conflict.device.label();
        let whose = Whose::Somebody(format!("every other open tab, browser or copy of {label}"));
        let mut needs = vec![Need::report(whose, ReportTime::Any, "whether another page of this device runs")];
        if case.bundle.logs.is_empty() {
            needs.push(Need::log(report, "the uploads of this device that the server received"));
        }
        if let Some(page) = case.pages_of(&conflict.device).find(|page| page.hars.is_empty()) {
            needs.push(Need::har(page.report, "all uploads of this tab, so that another one's show"));
        }
        needs
    };
    Proof::new(case).premise(&LACKED, false, ask)
}

/// An upload without a refused key, between two offers of that key: a proof for each upload and refused key.
fn interleaved<'c>(case: &'c Case<'_>, conflict: &'c Conflict<'_>) -> impl Iterator<Item = Proof> + 'c {
    let offered = distinct(conflict.pairs().into_iter().map(|(_, offered)| offered));
    offered.into_iter().flat_map(move |key| {
        let refusals: Vec<_> =
            conflict.refusals.iter().filter(move |refusal| refusal.offered_key() == Some(key)).collect();
        let others = case.ledger.accepted.iter().filter(move |upload| {
            upload.device == conflict.device
                && matches!(upload.asked.clock, Clock::Har(_))
                && !upload.key_ids.contains(&conflict.key_id)
        });
        others.map(move |upload| {
            let first = refusals.iter().find(|refusal| case.clocks.is_before(refusal.answered, upload.asked));
            // Asked after the upload was stored, not only answered: the answer alone may have been slow.
            let again = refusals
                .iter()
                .find(|refusal| refusal.asked.is_some_and(|asked| case.clocks.is_before(upload.stored, asked)));
            let says = format!("accepted without {}, between two offers of one key under it", conflict.key_id);
            let piece = |refusal: &Refusal| vec![refusal.evidence.clone()];
            Proof::new(case)
                .evidence(first.and(again).map(|_| Evidence { says, ..upload.evidence.clone() }))
                .premise(&AFTER_REFUSAL, first.map(|refusal| piece(refusal)), Vec::new)
                .premise(&OFFERED_AGAIN, again.map(|refusal| piece(refusal)), Vec::new)
        })
    })
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::conflict::tests::{rollback_with_a_sync_of_its_own, without_uploads_of};
    use crate::history::History;
    use serde_json::{Value, json};

    let second_report = |name: &str, change: fn(&mut Value)| {
        rollback_with_a_sync_of_its_own(name)
            .copy("victim.report.json", "victim.tab2.report.json")
            .edit("victim.tab2.report.json", change)
    };
    // It ends before the first one's own sync, by which that one is aligned, and after both have been at work.
    fn beside(report: &mut Value) {
        report["capture"]["timeOrigin"] = json!(1_795_474_490_000_i64);
        report["generatedAt"] = json!(1_795_474_499_120_i64);
        let entries = report["entries"].as_array_mut().expect("entries");
        // The peer's report has the messages of the copied lines, which were sent later than that.
        entries.retain(|entry| !entry["message"].as_str().is_some_and(|line| line.contains("message_id")));
        for entry in entries {
            entry["ts"] = json!(1_795_474_499_110_i64);
        }
        // It printed more than it kept, so its lines are not laid beside the log's.
        report["tallies"] = json!([]);
    }
    let at_work = |report: &mut Value| {
        report["sent"] = json!([{"ts": 1_795_474_498_600_i64, "txnid": "m1", "targets": []}]);
    };
    vec![
        History::recorded("two-live-contexts", "two tabs offer keys in turns, and one HAR has both")
            .proves("two-contexts", "AAAAAAAAAS0")
            .proves("same-identity", "AAAAAAAAAS0")
            .never_proves("rollback", ""),
        History::world("01-reload-before-report", "another tab's upload stands in the log and not in this tab's HAR")
            .edit("victim.har", |har| {
                // The sync that this tab sent next, as it was recorded.
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                let mut sync = entries
                    .iter()
                    .find(|entry| entry["startedDateTime"] == "2026-11-23T22:55:16.368Z")
                    .expect("a sync")
                    .clone();
                sync["startedDateTime"] = json!("2026-11-23T22:55:16.690Z");
                entries.push(sync);
            })
            .proves("two-contexts", ""),
        History::recorded(
            "store-rollback",
            "the HAR's recorder was paused for a second and a half, while its page sent uploads",
        )
        .edit("victim.har", |har| {
            let entries = har["log"]["entries"].as_array_mut().expect("entries");
            entries.retain(|entry| {
                let started = entry["startedDateTime"].as_str().expect("a time");
                !("2026-11-23T22:54:50.3".."2026-11-23T22:54:51.3").contains(&started)
            });
        })
        .never_proves("two-contexts", ""),
        History::recorded("store-rollback", "the HAR begins after its page had sent an upload, which a gateway held")
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                entries.retain(|entry| {
                    let started = entry["startedDateTime"].as_str().expect("a time");
                    let is_first = started == "2026-11-23T22:54:48.221Z" && entry["request"]["method"] == "POST";
                    started > "2026-11-23T22:54:48.1" && !is_first
                });
            })
            .never_proves("two-contexts", ""),
        History::recorded(
            "second-empty-store",
            "the HAR was saved through a filter that shows requests with status 200 alone",
        )
        .edit("victim.har", |har| {
            let entries = har["log"]["entries"].as_array_mut().expect("entries");
            entries.retain(|entry| entry["response"]["status"] == 200);
        })
        .never_proves("two-contexts", ""),
        History::world("04-old-tab-lives-on", "an old tab with another identity goes on publishing")
            .proves("two-contexts", "")
            .proves("identity-replaced", ""),
        History::recorded("second-empty-store", "one tab, whose HAR has every upload").never_proves("two-contexts", ""),
        History::recorded("store-rollback", "a HAR has every upload of the device")
            .never_proves("two-contexts", "")
            .never_refutes("two-contexts", ""),
        History::recorded("store-rollback", "the HAR's uploads were rid of their bodies before it was shared")
            .edit("victim.har", |har| without_uploads_of(har, "AAAAAAAAAPk"))
            .never_proves("two-contexts", ""),
        History::world("17-the-store-was-opened-again-in-the-page", "the HAR begins after the page's own upload")
            .never_proves("two-contexts", "")
            .never_refutes("rollback", ""),
        second_report("a second tab of the device runs beside the first", beside)
            .edit("victim.report.json", at_work)
            .proves("two-contexts", "AAAAAAAAAMg"),
        second_report("a second tab was opened to download a report, and published nothing", |report| {
            beside(report);
            let entries = report["entries"].as_array().expect("entries").iter();
            report["entries"] = entries.filter(|entry| entry["ke"] != "KE-1").cloned().collect();
        })
        .edit("victim.report.json", at_work)
        .never_proves("two-contexts", ""),
        second_report("a second tab waits until the first one is closed", |report| {
            report["capture"]["timeOrigin"] = json!(1_795_474_490_000_i64);
            let made = report["generatedAt"].as_u64().expect("a time");
            report["generatedAt"] = (made + 60_000).into();
            (report["entries"], report["sent"]) = (json!([]), json!([]));
        })
        .never_proves("two-contexts", ""),
        second_report("the page was loaded anew, and both pages have a report", |report| {
            report["capture"]["timeOrigin"] = json!(1_795_474_490_000_i64);
            report["generatedAt"] = json!(1_795_474_498_000_i64);
            for entry in report["entries"].as_array_mut().expect("entries") {
                entry["ts"] = json!(1_795_474_497_000_i64);
            }
        })
        .never_proves("two-contexts", ""),
        second_report("one page's report was downloaded twice", |report| {
            report["generatedAt"] = json!(1_795_474_501_000_i64);
        })
        .never_proves("two-contexts", ""),
        second_report("a second page was logged out, shows the log-in form and runs no client", |report| {
            beside(report);
            report["crypto"] = Value::Null;
            report["syncState"] = Value::Null;
        })
        .edit("victim.report.json", at_work)
        .never_proves("two-contexts", ""),
    ]
}

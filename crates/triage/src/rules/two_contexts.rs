//! KE-1, its cause: two live contexts publish keys for one device.

use std::collections::BTreeMap;

use super::Rule;
use super::conflict::Conflict;
use crate::case::ledger::Refusal;
use crate::case::{Case, Page, exchange};
use crate::conclusion::Conclusion;
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::Device;
use crate::synapse_log::Route;
use crate::verdict::{ArtefactKind, Evidence, Sentences, Verdict};

const SPANNED: Premise = Premise {
    id: "two-contexts/har-spans",
    says: "A HAR of one of the device's browsers began before the server received an upload of the device, and went on \
           after it.",
    rules_out: "The page that the HAR is of sent that upload itself, before or after the HAR was recorded.",
};

const READABLE: Premise = Premise {
    id: "two-contexts/har-readable",
    says: "Every upload that the HAR has at that time shows its body.",
    rules_out: "The upload stands in the HAR, and its body was left out.",
};

const LACKED: Premise = Premise {
    id: "two-contexts/har-lacks",
    says: "The HAR has no upload that offers these keys and may have had that answer.",
    rules_out: "The page that the HAR is of sent that upload.",
};

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

const OVERLAP: Premise = Premise {
    id: "two-contexts/lives-overlap",
    says: "Each of two pages of the device shows its client at work before the other one's report was made, by clocks whose \
           difference is known.",
    rules_out: "One client after the other: the app was reloaded or opened again, or lets a tab wait until the other one is closed.",
};

const TWO_PAGES: Premise = Premise {
    id: "two-contexts/two-pages",
    says: "The two reports are of pages that began at different times.",
    rules_out: "One page whose report was downloaded twice.",
};

const BOTH_RUN: Premise = Premise {
    id: "two-contexts/both-run",
    says: "Both pages' clients were in sync and had opened a crypto store.",
    rules_out: "One of the pages runs no client.",
};

const BOTH_PUBLISH: Premise = Premise {
    id: "two-contexts/both-publish",
    says: "Each of the two pages offered one-time keys: it printed a refusal, or its own HAR has an upload.",
    rules_out: "A second page that was opened beside the first, to download a report for instance, and published nothing.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::TwoContexts,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "A context is a client with a crypto store open: a tab, or a copy of a profile. Two are proven by what one cannot \
               do, each way with premises of its own. A HAR holds all that its tab sends, so an upload of the device that \
               reached the server meanwhile and is not in it came from another. A client offers a key until the server takes \
               it, and in every upload, so another upload between two offers of one key came from another. Two pages that ran \
               at one time, and both published, are two. That a key is older than a page, or that another identity signed it, excludes no second \
               context, so it is never refuted.",
    proven_by: &[
        &SPANNED,
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
    let mut of_device: BTreeMap<&Device, Option<Proof>> = BTreeMap::new();
    for conflict in &conflicts {
        of_device.entry(&conflict.device).or_insert_with(|| {
            let mut proofs = lacked(case, &conflict.device).chain(overlapping(case, &conflict.device));
            proofs.find(|proof| proof.clone().result().is_ok())
        });
    }
    conflicts.iter().filter_map(|conflict| verdict(case, conflict, of_device[&conflict.device].clone())).collect()
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

/// An upload that reached the server, by whichever line shows it.
struct Received<'c> {
    asked: Moment,
    answered: Moment,
    /// Key ids of an accepted upload; empty for a refused one.
    key_ids: &'c [String],
    /// The key that a refused one offered.
    offered: Option<(String, &'c str)>,
    evidence: &'c Evidence,
}

/// The uploads of a device that logs show.
fn received<'c>(case: &'c Case<'_>, device: &'c Device) -> impl Iterator<Item = Received<'c>> {
    let accepted = case.ledger.accepted.iter().filter(move |upload| upload.device == *device).map(|upload| Received {
        asked: upload.asked,
        answered: upload.stored,
        key_ids: &upload.key_ids,
        offered: None,
        evidence: &upload.evidence,
    });
    let refused = case.ledger.conflicts.iter().filter(move |refusal| refusal.is_of(device)).filter_map(|refusal| {
        Some(Received {
            asked: refusal.asked?,
            answered: refusal.answered,
            key_ids: &[],
            offered: Some((refusal.key_id(), refusal.offered_key()?)),
            evidence: &refusal.evidence,
        })
    });
    accepted.chain(refused).filter(|received| matches!(received.asked.clock, Clock::Log(_)))
}

/// An upload of the device that a HAR covering that time lacks, a proof for each upload and HAR.
fn lacked<'c>(case: &'c Case<'_>, device: &'c Device) -> impl Iterator<Item = Proof> + 'c {
    let hars = case.bundle.hars.iter().enumerate().filter(move |(_, har)| {
        har.device() == Some((device.user_id.as_str(), device.device_id.as_str())) && !har.lacks_requests
    });
    hars.flat_map(move |(index, har)| {
        let uploads: Vec<&Exchange> =
            har.entries.iter().filter(|exchange| exchange.route() == Route::KeysUpload).collect();
        received(case, device).map(move |received| lacked_by(case, index, har, &uploads, &received))
    })
}

fn lacked_by(case: &Case<'_>, index: usize, har: &Har, uploads: &[&Exchange], received: &Received<'_>) -> Proof {
    let clock = Clock::Har(index);
    let start = har.entries.iter().map(|exchange| exchange.start).min().unwrap_or_default();
    let end = har.entries.iter().map(Exchange::end).max().unwrap_or_default();
    let spanned = case.clocks.is_before(Moment::at(clock, start), received.asked)
        && case.clocks.is_before(received.answered, Moment::at(clock, end));
    let at_another_time = |upload: &Exchange| {
        case.clocks.is_before(Moment::at(clock, upload.end()), received.asked)
            || case.clocks.is_before(received.answered, Moment::at(clock, upload.start))
    };
    let shows_keys = |upload: &&&Exchange| upload.facts.as_ref().is_some_and(|facts| !facts.one_time_keys.is_empty());
    let readable = uploads.iter().filter(|upload| !shows_keys(upload)).all(|upload| at_another_time(upload));
    let may_be = |upload: &Exchange| {
        let Some(facts) = &upload.facts else { return false };
        match &received.offered {
            Some((id, key)) => facts.one_time_keys.get(id).is_some_and(|offered| offered == key),
            None => {
                upload.status != 400
                    && facts.one_time_keys.len() == received.key_ids.len()
                    && received.key_ids.iter().all(|id| facts.one_time_keys.contains_key(id))
            }
        }
    };
    let lacks = !uploads.iter().any(|upload| may_be(upload));
    let evidence = (spanned && lacks).then(|| {
        let says =
            format!("the server received this upload, and {}, recorded all the while, does not have it", har.name);
        Evidence { says, ..received.evidence.clone() }
    });
    let near = uploads.last().and_then(|last| har.entries.iter().position(|entry| entry.index == last.index));
    let of_har =
        near.filter(|_| spanned && lacks).map(|at| exchange(har, at, "an upload that this browser sent itself"));
    Proof::new(case)
        .evidence(evidence)
        .evidence(of_har)
        .premise(&SPANNED, spanned, Vec::new)
        .premise(&READABLE, readable, Vec::new)
        .premise(&LACKED, lacks, Vec::new)
}

/// An upload without a refused key, between two offers of that key: a proof for each upload and refused key.
fn interleaved<'c>(case: &'c Case<'_>, conflict: &'c Conflict<'_>) -> impl Iterator<Item = Proof> + 'c {
    let offered: std::collections::BTreeSet<&str> = conflict.pairs().into_iter().map(|(_, offered)| offered).collect();
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

/// Two pages of the device that ran at one time: a proof for each pair.
fn overlapping<'c>(case: &'c Case<'_>, device: &'c Device) -> impl Iterator<Item = Proof> + 'c {
    let pages: Vec<&Page> = case.pages_of(device).collect();
    let pairs: Vec<(&Page, &Page)> = pages
        .iter()
        .enumerate()
        .flat_map(|(at, one)| pages[at + 1..].iter().map(move |other| (*one, *other)))
        .collect();
    pairs.into_iter().map(move |(one, other)| {
        // Its lines and batches are its client's; without any it is known to run when its report was made.
        let works = |page: &Page| {
            let report = case.report(page);
            let lines = report.entries().map(|(_, entry)| entry.ts.0).chain(report.sent.iter().map(|batch| batch.ts.0));
            let first = lines.min().and_then(|first| i64::try_from(first).ok());
            first.map_or(made(case, page), |first| Moment::at(page.clock(), first))
        };
        let works_before_end = |page: &Page, other: &Page| case.clocks.is_before(works(page), made(case, other));
        let origin = |page: &Page| case.report(page).capture.time_origin;
        let runs = |page: &Page| {
            let report = case.report(page);
            report.is_in_sync() && report.own_keys().is_some_and(|keys| keys.ed25519.is_some())
        };
        let overlap = works_before_end(one, other) && works_before_end(other, one);
        let pieces = [one, other].map(|page| {
            let start = origin(page).map_or(0, |origin| origin.0 as i64);
            let end = case.report(page).generated_at.0 as i64;
            let text = format!("page from {} to {} at least", stamp::print(start), stamp::print(end));
            case.whole(page.report, &text, "this page ran while the other one did")
        });
        Proof::new(case)
            .evidence(overlap.then_some(pieces).into_iter().flatten())
            .premise(&OVERLAP, overlap, Vec::new)
            .premise(&TWO_PAGES, origin(one) != origin(other), Vec::new)
            .premise(&BOTH_RUN, runs(one) && runs(other), Vec::new)
            .premise(
                &BOTH_PUBLISH,
                publishes(case, device, one, other) && publishes(case, device, other, one),
                Vec::new,
            )
    })
}

/// Whether a page of the device offered one-time keys. A HAR that holds both pages' requests does not tell whose they are.
fn publishes(case: &Case<'_>, device: &Device, page: &Page, other: &Page) -> bool {
    let begun = case.begun(page);
    let in_own_har = |asked: Moment| {
        matches!(asked.clock, Clock::Har(har) if page.hars.contains(&har) && !other.hars.contains(&har))
            && begun.is_some_and(|begun| case.clocks.is_before(begun, asked))
            && case.clocks.is_before(asked, made(case, page))
    };
    let refused = |refusal: &Refusal| {
        refusal.is_of(device) && (refusal.answered.clock == page.clock() || refusal.asked.is_some_and(in_own_har))
    };
    case.ledger.conflicts.iter().any(refused)
        || case.ledger.accepted.iter().any(|upload| upload.device == *device && in_own_har(upload.asked))
}

/// When a page's report was made.
fn made(case: &Case<'_>, page: &Page) -> Moment {
    Moment::at(page.clock(), i64::try_from(case.report(page).generated_at.0).unwrap_or_default())
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
        for entry in report["entries"].as_array_mut().expect("entries") {
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
            .proves("two-contexts", ""),
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

//! KE-1, its cause: the store is behind what its own identity has published.

use crypto_diag_analysis::sorted::sort_by_key;

use super::conflict::{Conflict, DENIED, DIFFER, SIGNED};
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::coverage::Absence;
use crate::case::ledger::{row, row_evidence};
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::synapse_log::Route;
use crate::verdict::{Evidence, Sentences, Verdict};

const IN_PAGE: Premise = Premise {
    id: "rollback/in-this-page",
    says: "The refusal was printed by a page of this login whose report says when it began.",
    rules_out: "The page that was refused is another one, such as the page before a reload, and began earlier.",
};

const BEFORE: Premise = Premise {
    id: "rollback/published-before",
    says: "The server had got its key before that page began: by the row's time, by the accepted upload in a HAR, or by the \
           last accepted upload of that id in a log that would show a later one; in an order of clocks that holds.",
    rules_out: "Another context published the key while the page ran, or the page opened an older store itself later on.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Rollback,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog, ArtefactKind::QueryResults],
    argument: "A page opens its crypto store after it has begun. If the device's identity had published a key before, and the \
               client of that page offers another one under the same id, the store that it opened does not know what its own \
               identity did: it was set back, a write of it was lost, or it is a copy whose original lived on. Whether \
               another context still runs is a question of its own, so neither conclusion refutes the other.",
    proven_by: &[&DIFFER, &SIGNED, &IN_PAGE, &BEFORE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    Conflict::all(case).iter().filter_map(|conflict| verdict(case, conflict)).collect()
}

fn verdict(case: &Case<'_>, conflict: &Conflict<'_>) -> Option<Verdict> {
    let signatures = conflict.signatures(case);
    if !signatures.replaced.is_empty() && signatures.same.is_empty() {
        return None;
    }
    let same = !signatures.same.is_empty() && signatures.replaced.is_empty();
    let proof_of = |page: Option<&Page>| {
        let printed = page.filter(|page| printed_in(case, conflict, page).is_some());
        let before = page.and_then(|page| published_before(case, conflict, page));
        let ask_report = || {
            let of = Whose::Device(conflict.device.clone());
            vec![Need::report(of, ReportTime::CaptureBefore, "when the page that was refused began")]
        };
        Proof::new(case)
            .evidence(conflict.evidence())
            .premise(&DIFFER, conflict.keys_differ(), Vec::new)
            .premise(&SIGNED, same.then(|| signatures.same.clone()), || conflict.ask_identity(case))
            .premise(&IN_PAGE, printed.is_some(), ask_report)
            .premise(&BEFORE, before, || ask_order(case, conflict, page))
            .unless(DENIED, conflict.denied_by_logs(case))
    };
    let mut pages: Vec<&Page> = case.pages_of(&conflict.device).collect();
    // The pages that printed it come first: what is missing is told of one of them.
    sort_by_key(&mut pages, |page| printed_in(case, conflict, page).is_none());
    let proven = pages.iter().map(|page| proof_of(Some(page))).find(|proof| proof.clone().result().is_ok());
    let proof = proven.unwrap_or_else(|| proof_of(pages.first().copied()));
    let (name, label) = (&conflict.key_id, conflict.device.label());
    let sentences = Sentences {
        proven: format!(
            "The store of {label} is behind its own identity: that identity had published {name} before the page began, and \
             the store does not know it."
        ),
        unknown: format!("Whether the store of {label} is behind its own identity cannot be told."),
        ..Sentences::default()
    };
    let verdict = Verdict::decide(case, Conclusion::Rollback, conflict.about(), proof, None, sentences);
    let how = "How: the profile or disk was set back, a write never reached it, or it is a copy of a profile that lived on \
               elsewhere.";
    Some(if verdict.is_proven() { verdict.how(how).follows(Conclusion::SameIdentity) } else { verdict })
}

/// The refusal that a page printed in its own life.
fn printed_in(case: &Case<'_>, conflict: &Conflict<'_>, page: &Page) -> Option<Moment> {
    let begun = case.begun(page)?;
    let printed = conflict.refusals.iter().filter(|refusal| refusal.answered.clock == page.clock());
    printed.map(|refusal| refusal.answered).find(|answered| answered.earliest >= begun.earliest)
}

/// That the server had its key before a page began.
fn published_before(case: &Case<'_>, conflict: &Conflict<'_>, page: &Page) -> Option<Vec<Evidence>> {
    let begun = case.begun(page)?;
    let begun_evidence = || {
        let text = format!("page start {}", stamp::print(begun.earliest));
        let piece = case.whole(page.report, &text, "the page began after the server had got its key");
        Evidence { at: Some(begun.earliest), ..piece }
    };
    let bare = conflict.key_id.split_once(':').map_or(conflict.key_id.as_str(), |(_, bare)| bare);
    // Another page may have been refused under the same id in favour of another key, which the server held at another time.
    let of_page = conflict
        .refusals
        .iter()
        .filter(|refusal| case.is_in_life(page, refusal.answered) && !case.clocks.is_before(refusal.answered, begun));
    for held in of_page.filter_map(|refusal| refusal.held_key()) {
        if let Some((name, row)) = row(case.bundle, bare, held)
            && let Some(added) = case.added(row)
            && case.clocks.is_before(added, begun)
        {
            let says = "the row of the server's key, and when it came";
            return Some(vec![row_evidence(name, row, says), begun_evidence()]);
        }
        let upload = case.ledger.accepted.iter().find(|upload| {
            upload.device == conflict.device
                && upload.keys.iter().any(|(id, key)| *id == conflict.key_id && key == held)
                && case.clocks.is_before(upload.stored, begun)
        });
        if let Some(upload) = upload {
            let says = "the upload that brought the server its key";
            return Some(vec![Evidence { says: says.into(), ..upload.evidence.clone() }, begun_evidence()]);
        }
    }
    let mut pieces = uploaded_last_before(case, conflict, page, begun)?;
    pieces.push(begun_evidence());
    Some(pieces)
}

/// The last accepted upload of that id, where logs show that none came between the page's start and the refusal.
fn uploaded_last_before(case: &Case<'_>, conflict: &Conflict<'_>, page: &Page, begun: Moment) -> Option<Vec<Evidence>> {
    let refused = printed_in(case, conflict, page).or_else(|| conflict.refusals.first().map(|one| one.answered))?;
    let absence = Absence { route: Route::KeysUpload, page: None, answered: false, from: begun, to: refused };
    case.would_show(&absence).ok()?;
    let mut last: Option<Evidence> = None;
    for upload in case.ledger.logged_uploads(&conflict.device, &conflict.key_id) {
        if case.clocks.is_before(upload.stored, begun) {
            let says = format!("the last accepted upload of {} before it was refused", conflict.key_id);
            last = Some(Evidence { says, ..upload.evidence.clone() });
        } else if !case.clocks.is_before(refused, upload.asked) {
            return None;
        }
    }
    Some(vec![last?])
}

fn ask_order(case: &Case<'_>, conflict: &Conflict<'_>, page: Option<&Page>) -> Vec<Need> {
    let report = conflict.report(case);
    let mut needs = vec![Need::query(report, "ke1-one-time-keys", "when the server got its key (ts_added_ms)")];
    if case.bundle.logs.is_empty() {
        needs.push(Need::log(report, "the ledger of uploads, and what puts both clocks on one time"));
    }
    if let Some(page) = page.filter(|page| page.hars.is_empty()) {
        needs.push(Need::har(page.report, "requests that put both clocks on one time, and this browser's own uploads"));
    }
    needs
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::conflict::tests::{
        conflict_lines, goes_on, rollback_with_a_sync_of_its_own, same_key_twice, started, without_uploads_of,
    };
    use crate::history::History;
    use serde_json::json;

    // The key was claimed before the database was asked; its row as it stood when it was refused.
    let row = |key_id: &str, key: &str, added: i64| {
        let object = json!({"key": key, "signatures": {}}).to_string();
        json!({"user_id": "@alice-14:localhost", "device_id": "QNAEXEIYVA", "algorithm": "signed_curve25519",
               "key_id": key_id, "ts_added_ms": added, "key_json": object})
    };
    let with_row = |history: History, added: i64| {
        history.edit("queries.json", move |tables| {
            let is_keys = |table: &&mut serde_json::Value| table["name"] == "one_time_keys";
            let table = tables.as_array_mut().and_then(|tables| tables.iter_mut().find(is_keys)).expect("keys");
            let rows = table["rows"].as_array_mut().expect("rows");
            rows.push(row("AAAAAAAAAMg", "2RJQo7ZlX2BZka7VgNT6KF12jtjW+5JBdx21V7QgWi4", added));
        })
    };
    let mut histories: Vec<History> = [
        ("store-rollback", "AAAAAAAAAMg"),
        ("rejected-upload-heals", "AAAAAAAAAPo"),
        ("store-rollback.chromium-43.0.0", ""),
        ("store-rollback.firefox-41.6.0-rc.0", ""),
        ("store-rollback.firefox-43.0.0", ""),
    ]
    .into_iter()
    .map(|(bundle, key_id)| {
        History::recorded(bundle, &format!("{bundle}, with all artefacts"))
            .proves("rollback", key_id)
            .proves("same-identity", key_id)
            .refutes("identity-replaced", key_id)
            .never_proves("two-contexts", "")
            .never_refutes("two-contexts", "")
    })
    .collect();
    histories.extend([
        with_row(
            History::recorded(
                "store-rollback",
                "without any HAR, the refusal that page and log show bounds their clocks",
            )
            .without("victim.har")
            .without("peer.har"),
            1_795_474_496_558,
        )
        .proves("rollback", "AAAAAAAAAMg"),
        rollback_with_a_sync_of_its_own("the HAR lacks the upload's body, and the whole server's log has its line")
            .edit("victim.har", |har| without_uploads_of(har, "AAAAAAAAAMg"))
            .rewrite("homeserver.log.txt", |log| {
                format!("{}{log}{}", started("2026-11-23 22:54:43"), goes_on("2026-11-23 22", 55))
            })
            .proves("rollback", "AAAAAAAAAMg")
            .never_proves("two-contexts", ""),
        rollback_with_a_sync_of_its_own(
            "the page was loaded anew after the refusal, and the whole server's log has the upload",
        )
        .edit("victim.har", |har| without_uploads_of(har, "AAAAAAAAAMg"))
        .rewrite("homeserver.log.txt", |log| {
            format!("{}{log}{}", started("2026-11-23 22:54:43"), goes_on("2026-11-23 22", 55))
        })
        .edit("victim.report.json", |report| {
            report["capture"]["timeOrigin"] = json!(1_795_474_499_300_i64);
            report["capture"]["installedAt"] = json!(1_795_474_499_310_i64);
            report["entries"].as_array_mut().expect("entries").retain(|entry| entry["ke"] != "KE-1");
        })
        .never_proves("rollback", ""),
        History::recorded("store-rollback", "the key was published again since, through a worker whose log is missing")
            .edit("victim.har", |har| without_uploads_of(har, "AAAAAAAAAMg"))
            .never_proves("rollback", ""),
        with_row(
            History::recorded("store-rollback", "another context publishes the key after the page began")
                .without("victim.har")
                .without("peer.har"),
            1_795_474_498_900,
        )
        .rewrite("homeserver.log.txt", |log| {
            log.replace("'signed_curve25519:AAAAAAAAAMg'", "'signed_curve25519:AAAAAAAAAMw'")
        })
        .never_proves("rollback", ""),
        History::world(
            "06-clock-set-and-said",
            "the page began before the key was published, by a clock that was set back since",
        )
        .edit("victim.report.json", |report| {
            // It was half past eight when the clock said ten.
            report["capture"]["timeOrigin"] = json!(1_795_168_801_000_i64);
            report["capture"]["installedAt"] = json!(1_795_168_801_250_i64);
            report["clock"]["timeOrigin"] = json!(1_795_168_801_000.4);
            report["clock"]["offset"] = json!(-5_400_012.4);
        })
        .never_proves("rollback", ""),
        History::world("01-reload-before-report", "the page was reloaded after the refusal")
            .never_proves("rollback", "")
            .never_refutes("two-contexts", ""),
        History::recorded("store-rollback", "a server refuses the very key that it holds")
            .edit("victim.report.json", |report| conflict_lines(report, same_key_twice))
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("entries");
                entries.retain(|entry| entry["response"]["status"] != 400);
            })
            .only(&["victim.report.json", "victim.har"])
            .never_proves("rollback", ""),
        History::recorded(
            "second-empty-store",
            "a second identity published the key, and nothing names either identity",
        )
        .only(&["victim.report.json", "victim.har"])
        .edit("victim.report.json", |report| {
            report["capture"]["timeOrigin"] = json!(1_795_474_455_200_i64);
            report["crypto"] = serde_json::Value::Null;
        })
        .edit("victim.har", |har| {
            for entry in har["log"]["entries"].as_array_mut().expect("entries") {
                if entry["request"]["url"].as_str().is_some_and(|url| url.contains("/keys/query")) {
                    entry["response"]["content"] = serde_json::Value::Null;
                }
                let body =
                    entry["request"]["postData"]["text"].as_str().and_then(|text| serde_json::from_str(text).ok());
                if let Some(mut body) = body.filter(serde_json::Value::is_object) {
                    body["device_keys"] = serde_json::Value::Null;
                    entry["request"]["postData"]["text"] = body.to_string().into();
                }
            }
        })
        .never_proves("rollback", "")
        .never_proves("same-identity", ""),
        History::recorded("second-empty-store", "a second identity published the key before the page began")
            .edit("victim.report.json", |report| {
                report["capture"]["timeOrigin"] = json!(1_795_474_455_200_i64);
                report["capture"]["installedAt"] = json!(1_795_474_455_300_i64);
            })
            .never_proves("rollback", "")
            .never_refutes("rollback", "")
            .proves("identity-replaced", ""),
    ]);
    histories
}

//! Q2, from the reports: what one client's lines, and its peer's, prove of one another. The analysis of reports draws
//! these findings; here they get their quotations, and conflicts that only the server's side shows are added.

use crypto_diag_analysis::{Finding, Kind, Verdict as Drawn};

use super::Case;
use crate::case::{DeviceName, Page, server_key};
use crate::ledger::Refusal;
use crate::verdict::{ArtefactKind, Claim, Evidence, Fetch, Verdict};

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for finding in &case.analysis.findings {
        let Some(page) = finding.entries.first().and_then(|entry| case.pages.get(entry.report)) else { continue };
        match finding.kind {
            Kind::LostOneTimeKey => verdicts.extend(lost_key(case, page, finding)),
            Kind::Ke1ToOlm => {
                verdicts.push(verdict(case, page, finding, Claim::ConflictLostKey));
                // The key is lost whether or not a conflict says why.
                verdicts.extend(lost_key(case, page, finding));
            }
            Kind::OlmToKe2 | Kind::Ke1ToKe2 => verdicts.extend(lost_media_key(case, page, finding)),
            Kind::MediaKeyMissing => verdicts.push(verdict(case, page, finding, Claim::MediaKeyMissing)),
            _ => {}
        }
    }
    verdicts
}

/// Of which lost key or participant a finding is.
fn about(case: &Case<'_>, page: &Page, finding: &Finding) -> String {
    let id = |name: &str| finding.ids.get(name).map(String::as_str);
    let what = id("oneTimeKey").or(id("participant")).unwrap_or_default();
    // The report of a lost key is that of its failing lines, which stand in one device's reports.
    let owner = owner(case, finding).unwrap_or(page);
    format!("{} {what}", case.label(owner)).trim_end().to_owned()
}

/// The page whose lines fail: of an OLM finding the one with a `MissingOneTimeKey`.
fn owner<'c>(case: &'c Case<'_>, finding: &Finding) -> Option<&'c Page> {
    let lost = finding.entries.iter().find(|entry| {
        let report = case.bundle.reports.get(entry.report);
        let line = report.and_then(|report| report.entries.get(entry.entry)).and_then(Option::as_ref);
        line.is_some_and(|line| line.message.contains("MissingOneTimeKey"))
    });
    case.pages.get(lost?.report)
}

fn evidence(case: &Case<'_>, finding: &Finding) -> Vec<Evidence> {
    let says = |message: &str| {
        if message.contains("MissingOneTimeKey") {
            "a message that could not be opened, and the key that it needs"
        } else if message.contains("already exists") {
            "the server's refusal, with the key that it holds"
        } else {
            "what the page printed"
        }
    };
    let entry = |at: &crypto_diag_analysis::EntryRef| {
        let line = case.bundle.reports.get(at.report)?.entries.get(at.entry)?.as_ref()?;
        case.entry(at.report, at.entry, says(&line.message))
    };
    let mut pieces: Vec<Evidence> = finding.entries.iter().filter_map(entry).collect();
    // Each kind of line first once, so that no repetition hides the other half.
    let mut first: Vec<Evidence> = Vec::new();
    pieces.retain(|piece| {
        let new = first.iter().all(|known| known.says != piece.says);
        if new {
            first.push(piece.clone());
        }
        !new
    });
    first.extend(pieces);
    first
}

fn fetches(case: &Case<'_>, page: &Page, finding: &Finding) -> Vec<Fetch> {
    finding
        .needs
        .iter()
        .map(|need| match named_query(&need.how) {
            Some(name) => case.query(page.report, name, need.what.clone()),
            None if need.how.contains("HAR") => case.fetch_har(page, need.what.clone()),
            None => match finding.ids.get("sender").filter(|_| need.what.contains("peer")) {
                Some(sender) => case.fetch_report(sender, need.what.clone()),
                None => Fetch { artefact: ArtefactKind::Report, what: need.what.clone(), how: need.how.clone() },
            },
        })
        .collect()
}

/// The name in "server query `ke1-log`".
fn named_query(how: &str) -> Option<&str> {
    how.split_once("server quer")?.1.split('`').nth(1)
}

fn verdict(case: &Case<'_>, page: &Page, finding: &Finding, claim: Claim) -> Verdict {
    let about = about(case, page, finding);
    let verdict = match finding.verdict {
        Drawn::Proven => Verdict::proven(claim, about, &finding.statement),
        Drawn::Refuted => Verdict::refuted(claim, about, &finding.statement),
        Drawn::Unknown => Verdict::unknown(claim, about, &finding.statement, fetches(case, page, finding)),
    };
    let refute = match claim {
        Claim::ConflictLostKey => "The key of the lost message not being the one that the server's refusal names.",
        Claim::ConflictLostMediaKey | Claim::LostKeyLostMediaKey => {
            "The same message opened in another context of the device, or never sent as a media key."
        }
        Claim::MediaKeyMissing => "A delivery of that participant's key in the same time.",
        _ => "The private half being in the store after all.",
    };
    let mut verdict = verdict.evidence(evidence(case, finding)).would_refute(refute);
    verdict.open.extend(finding.innocent_explanations.iter().cloned());
    verdict.open.extend(finding.does_not_prove.iter().map(|sentence| format!("Not proven: {sentence}")));
    verdict.ruled_out.extend(finding.ruled_out.iter().cloned());
    verdict
}

/// A refusal by any source that says that the server holds this key.
fn refusal<'c>(case: &'c Case<'_>, device: Option<&DeviceName>, finding: &Finding) -> Option<&'c Refusal> {
    let (device, key) = (device?, finding.ids.get("oneTimeKey")?);
    case.ledger.conflicts.iter().find(|refusal| refusal.is_of(device) && server_key(&refusal.conflict) == Some(key))
}

fn lost_key(case: &Case<'_>, page: &Page, finding: &Finding) -> Vec<Verdict> {
    let owner = owner(case, finding).unwrap_or(page);
    let mut verdicts = vec![verdict(case, page, finding, Claim::LostKey)];
    if finding.kind == Kind::Ke1ToOlm {
        let key = finding.ids.get("oneTimeKey").map_or("", String::as_str);
        let device = case.label(owner);
        verdicts[0].statement =
            format!("{device} lacks the private half of one-time key {key}, which others still used.");
    } else if let Some(refusal) = refusal(case, owner.device.as_ref(), finding) {
        let key = finding.ids.get("oneTimeKey").map_or("", String::as_str);
        let statement = format!(
            "KE-1 ⇒ OLM: the key {key} that the server holds under {} is the one that {} lacks for messages it could not open.",
            refusal.key_id(),
            case.label(owner)
        );
        verdicts.push(
            Verdict::proven(Claim::ConflictLostKey, about(case, page, finding), statement)
                .evidence([refusal.evidence.clone()])
                .evidence(evidence(case, finding))
                .would_refute("The key of the lost message not being the one that the server's refusal names.")
                .open("Not proven: what the messages were: a media key, a room key, a secret or m.dummy."),
        );
    }
    verdicts
}

fn lost_media_key(case: &Case<'_>, page: &Page, finding: &Finding) -> Vec<Verdict> {
    let owner = owner(case, finding).unwrap_or(page);
    let known = finding.kind == Kind::Ke1ToKe2 || refusal(case, owner.device.as_ref(), finding).is_some();
    let mut verdicts = Vec::new();
    if known {
        let mut link = verdict(case, page, finding, Claim::ConflictLostMediaKey);
        if let Some(refusal) = refusal(case, owner.device.as_ref(), finding) {
            link = link.evidence([refusal.evidence.clone()]);
        }
        link.statement = link.statement.replacen("OLM ⇒ KE-2", "KE-1 ⇒ KE-2", 1);
        link = link.evidence(sent(case, finding));
        verdicts.push(link);
    }
    if finding.verdict == Drawn::Proven {
        let mut link = verdict(case, page, finding, Claim::LostKeyLostMediaKey);
        link.statement = link.statement.replacen("KE-1 ⇒ KE-2", "OLM ⇒ KE-2", 1);
        verdicts.push(link.evidence(sent(case, finding)));
    }
    verdicts
}

/// The batch in the sender's report that holds the lost message.
fn sent(case: &Case<'_>, finding: &Finding) -> Vec<Evidence> {
    let Some(message_id) = finding.ids.get("messageId") else { return Vec::new() };
    let mut pieces = Vec::new();
    for (index, report) in case.bundle.reports.iter().enumerate() {
        for batch in report.sent.iter() {
            let target = batch.targets.iter().find(|target| target.message_id.as_ref() == Some(message_id));
            if let Some(target) = target {
                let text = format!(
                    "Enqueuing batch of to-device messages. type={} txnid={} {}/{} (msgid {message_id})",
                    batch.event_type.as_deref().unwrap_or("?"),
                    batch.txnid.as_deref().unwrap_or("?"),
                    target.user_id,
                    target.device_id
                );
                let piece = case.whole(index, &text, "the sender queued the very message that was lost");
                pieces.push(Evidence { at: i64::try_from(batch.ts.0).ok(), ..piece });
            }
        }
    }
    pieces
}

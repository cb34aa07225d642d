//! KE-1: that server and store differ, and which identity is behind it.

use crypto_diag_core::{Entry, Millis, redact};

use super::{Case, times};
use crate::evidence::Evidence;
use crate::facts::Conflict;
use crate::finding::{EntryRef, Finding, Kind, Verdict};
use crate::identity::{self, Identity, Untold};
use crate::report::Report;

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    for (at, facts) in case.facts.iter().enumerate() {
        findings.extend(facts.conflicts.iter().map(|conflict| divergence(case, at, conflict)));
        findings.extend(causes(case, at));
    }
    findings
}

fn divergence(case: Case<'_>, at: usize, conflict: &Conflict) -> Finding {
    let name = match (&conflict.algorithm, &conflict.key_id) {
        (Some(algorithm), Some(key_id)) => format!("{algorithm}:{key_id}"),
        (None, Some(key_id)) => key_id.clone(),
        _ => "of an unnamed id".to_owned(),
    };
    let number = conflict.counter.map_or(String::new(), |counter| format!(" (number {counter})"));
    let refused = format!(
        "The server refused one-time key {name}{number} of {} {}",
        case.device(at),
        times(conflict.entries.len())
    );
    let shown = !conflict.server_keys.is_empty() && !conflict.client_keys.is_empty();
    let same = conflict.server_keys.iter().all(|key| conflict.client_keys.contains(key));
    let differs = !conflict.server_keys.iter().any(|key| conflict.client_keys.contains(key));
    let entries = conflict.entries.iter().map(|entry| EntryRef { report: at, entry: *entry });
    let mut finding = match (shown, differs, same) {
        (true, true, _) => Finding::new(
            Kind::OneTimeKeyConflict,
            Verdict::Proven,
            format!("{refused}: it holds another public key under that id."),
        )
        .proves("The server and this device's store hold different one-time keys under one id: they have diverged."),
        (true, false, true) => Finding::new(
            Kind::OneTimeKeyConflict,
            Verdict::Refuted,
            format!("{refused}, although it holds the same public key: server and store do not differ in it."),
        )
        .proves("The key is the same; Synapse before 0.21 refused one that was only signed anew."),
        (true, false, false) => Finding::new(
            Kind::OneTimeKeyConflict,
            Verdict::Unknown,
            format!("{refused}; some lines show the same key on both sides, others do not."),
        ),
        (false, ..) => Finding::new(
            Kind::OneTimeKeyConflict,
            Verdict::Unknown,
            format!("{refused}; the lines do not show the two keys, so whether they differ is the server's word only."),
        )
        .needs(
            "the key that the server holds",
            "server query `ke1-one-time-keys`, against the body of the keys/upload in a HAR",
        ),
    };
    if conflict.looping {
        finding = finding.proves("The client asked for the same id again and again: it did not get past it by itself.");
    }
    if conflict.healed == Some(true) {
        finding = finding.proves("No conflict followed for longer than a sync lasts, so the client stopped asking.");
    }
    finding = finding
        .does_not_prove(
            "That no other id differs: the server names the first one of an upload only, and ids vanish when claimed.",
        )
        .does_not_prove("That the one-time keys are exhausted: exhaustion cannot cause this error.");
    if conflict.first_batch == Some(true) {
        finding = finding
            .does_not_prove("That the store is new, though an id of a store's first batch (0 to 49) speaks for it.");
    }
    finding
        .rests_on(entries)
        .id("keyId", conflict.key_id.as_deref())
        .id("serverKey", conflict.server_keys.first().map(String::as_str))
        .id("clientKey", conflict.client_keys.first().map(String::as_str))
}

/// The identity behind the conflicts of one report: at most one finding for each outcome.
fn causes(case: Case<'_>, at: usize) -> Vec<Finding> {
    let Some(report) = case.reports.get(at) else { return Vec::new() };
    let mut replaced = Vec::new();
    let mut same = Vec::new();
    let mut untold: Vec<(Untold, EntryRef)> = Vec::new();
    // A storm repeats one line: each text is checked once.
    let mut checked: Vec<(&str, Identity)> = Vec::new();
    for (index, entry) in report.entries() {
        let Some(Some(Evidence::Ke1(conflict))) = case.evidence.get(at).and_then(|evidence| evidence.get(index)) else {
            continue;
        };
        let known = checked.iter().find(|(text, _)| *text == entry.message.as_str()).map(|(_, identity)| *identity);
        let identity = known.unwrap_or_else(|| identity::of_conflict(conflict, report, is_altered(entry)));
        if known.is_none() {
            checked.push((&entry.message, identity));
        }
        let place = EntryRef { report: at, entry: index };
        match identity {
            Identity::Replaced => replaced.push(place),
            Identity::Same => same.push(place),
            Identity::Unknown(why) => untold.push((why, place)),
        }
    }
    let mut findings = Vec::new();
    if !replaced.is_empty() {
        findings.push(identity_replaced(case, at, replaced));
    }
    if !same.is_empty() {
        findings.push(same_identity(case, at, report, same));
    }
    if findings.is_empty()
        && let Some((why, _)) = untold.first()
    {
        findings.push(identity_unknown(case, at, *why, untold.iter().map(|(_, place)| *place).collect()));
    }
    findings
}

/// Whether an entry is not the line as it was written.
fn is_altered(entry: &Entry) -> bool {
    entry.truncated_from.is_some() || entry.redactions > 0 || redact::is_closed(&entry.message)
}

fn identity_replaced(case: Case<'_>, at: usize, entries: Vec<EntryRef>) -> Finding {
    let finding = Finding::new(
        Kind::IdentityReplaced,
        Verdict::Proven,
        format!("Identity replaced: the server still holds one-time keys of {} that another Ed25519 key signed.", case.device(at)),
    )
    .proves("Two identities have used this device id: the client's new key verifies with the device's own Ed25519 key, the server's old one does not.")
    .does_not_prove("Which of the two is the newer one, or whether the other is still running somewhere.")
    .does_not_prove("Why: a store that was evicted, deleted or opened empty while the session lived on looks the same.")
    .ruled_out("A rolled-back store: it would have kept its identity.")
    .needs(
        "what the server holds for the device's identity, and since when",
        "server queries `device-keys` and `ke1-one-time-keys`",
    )
    .rests_on(entries)
    .with_ids(case, at);
    evictable(case, at, finding)
}

/// A store that the browser may evict is the likeliest one to have vanished.
fn evictable(case: Case<'_>, at: usize, finding: Finding) -> Finding {
    match case.reports.get(at).and_then(|report| report.storage_persisted) {
        Some(false) => {
            finding.open("The browser may have evicted the store: it has not promised to keep this origin's storage.")
        }
        _ => finding,
    }
}

fn same_identity(case: Case<'_>, at: usize, report: &Report, entries: Vec<EntryRef>) -> Finding {
    let mut finding = Finding::new(
        Kind::RollbackOrTwoContexts,
        Verdict::Proven,
        format!(
            "Same identity: {} itself signed the key that the server holds, so its store went back in time (rollback), or two contexts use it.",
            case.device(at)
        ),
    )
    .proves("The server's key verifies with the device's own Ed25519 key: this identity published it once, and this store does not have it.")
    .does_not_prove("Which of the two it is: a rollback, or two live contexts.")
    .ruled_out("A replaced identity.")
    .open("A write that never reached the disk (a crash, lost power) is a rollback, too.");
    let others = overlapping(case, at);
    if !others.is_empty() {
        finding = finding.open(format!(
            "Two contexts: {} of this device was captured at the same time, by the pages' own clocks.",
            if others.len() == 1 { "another page".to_owned() } else { format!("each of {} other pages", others.len()) }
        ));
    }
    if let Some(origin) = report.capture.time_origin {
        finding = finding.id("pageStart", Some(&origin.0.to_string()));
    }
    evictable(case, at, finding)
        .needs(
            "when the server got its key (ts_added_ms): before the page's start means rollback, after it two contexts",
            "server query `ke1-one-time-keys`",
        )
        .needs(
            "whether another accepted keys/upload came meanwhile",
            "server query `ke1-log`, lines `Adding one_time_keys` with their 200",
        )
        .rests_on(entries)
        .with_ids(case, at)
}

fn identity_unknown(case: Case<'_>, at: usize, why: Untold, entries: Vec<EntryRef>) -> Finding {
    let finding = Finding::new(
        Kind::IdentityReplaced,
        Verdict::Unknown,
        format!("Whose signature is on the server's key of {} cannot be told: {why}.", case.device(at)),
    )
    .open("A second, empty store on this device id (identity replaced).")
    .open("A store that went back in time, or two live contexts (same identity).")
    .rests_on(entries)
    .with_ids(case, at);
    match why {
        Untold::NoOwnKey | Untold::NoOwnIds => finding.needs(
            "the device's own keys",
            "a report made with `collectReport(mx)` on that device, or `mx.getCrypto().getOwnDeviceKeys()`",
        ),
        _ => finding.needs(
            "the server's key with its signature, and the device's own Ed25519 key",
            "server queries `ke1-one-time-keys` and `device-keys`",
        ),
    }
}

/// Other given reports of this device whose pages ran at the same time, each by its own clock, and are not the same page.
fn overlapping(case: Case<'_>, at: usize) -> Vec<usize> {
    let span = |report: &Report| -> Option<(Millis, Millis)> {
        Some((report.capture.time_origin?, report.generated_at)).filter(|(from, to)| from < to)
    };
    let Some((from, to)) = case.reports.get(at).and_then(span) else { return Vec::new() };
    let mut pages = vec![from];
    let mut others = Vec::new();
    for (other, report) in case.reports.iter().enumerate() {
        let Some((start, end)) = span(report) else { continue };
        if other != at && case.same_device(at, other) && start < to && from < end && !pages.contains(&start) {
            pages.push(start);
            others.push(other);
        }
    }
    others
}

impl Finding {
    fn with_ids(self, case: Case<'_>, at: usize) -> Finding {
        let report = case.reports.get(at);
        self.id("userId", report.and_then(|report| report.user_id.as_deref()))
            .id("deviceId", report.and_then(|report| report.device_id.as_deref()))
    }
}

//! Q1: a refused one-time key, and which cause is behind it. The signature tells whose key the server holds, the clock
//! whether it came before this page or during it.

use std::collections::BTreeSet;

use crypto_diag_analysis::identity::is_signed;
use crypto_diag_core::redact;
use serde_json::Value;

use super::{Case, DeviceName, devices};
use crate::case::{Page, client_key, groups, server_key};
use crate::ledger::{Refusal, Source, Upload, row, row_evidence};
use crate::stamp;
use crate::synapse_log::Route;
use crate::verdict::{Claim, ClockOf, Evidence, Fetch, Verdict};

/// Between a page's start and an upload there must be more than this for an order: the page's start is when its
/// navigation began, and its crypto store is opened some time after.
const ORDER_MS: i64 = 50;

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    groups(&case.ledger, &devices(case)).iter().flat_map(|refusals| of_group(case, refusals)).collect()
}

fn of_group(case: &Case<'_>, refusals: &[&Refusal]) -> Vec<Verdict> {
    let Some(first) = refusals.first() else { return Vec::new() };
    let Some(device) = &first.device else { return Vec::new() };
    let about = format!("{} {}", device.label(), first.key_id());
    let subject = Subject { case, device, about, refusals };
    let mut verdicts = vec![diverged(&subject)];
    let identity = identity(&subject);
    verdicts.push(identity_replaced(&subject, &identity));
    verdicts.extend(rollback_or_two_contexts(&subject, &identity));
    verdicts
}

struct Subject<'s, 'a> {
    case: &'s Case<'a>,
    device: &'s DeviceName,
    about: String,
    refusals: &'s [&'s Refusal],
}

impl Subject<'_, '_> {
    fn key_id(&self) -> &str {
        self.refusals.iter().find_map(|refusal| refusal.conflict.key_id.as_deref()).unwrap_or_default()
    }

    /// `signed_curve25519:AAAAAAAAADQ`.
    fn named_key(&self) -> String {
        self.refusals.first().map(|refusal| refusal.key_id()).unwrap_or_default()
    }

    fn server_key(&self) -> Option<&str> {
        self.refusals.iter().find_map(|refusal| server_key(&refusal.conflict))
    }

    /// One piece of evidence from each source.
    fn evidence(&self) -> Vec<Evidence> {
        let mut seen = BTreeSet::new();
        self.refusals
            .iter()
            .filter(|refusal| seen.insert(refusal.source))
            .map(|refusal| refusal.evidence.clone())
            .collect()
    }

    fn report(&self) -> usize {
        self.case.pages_of(self.device).next().map_or(usize::MAX, |page| page.report)
    }
}

fn diverged(subject: &Subject<'_, '_>) -> Verdict {
    let name = subject.named_key();
    let device = subject.device.label();
    let pairs = subject
        .refusals
        .iter()
        .filter_map(|refusal| Some((server_key(&refusal.conflict)?, client_key(&refusal.conflict)?)));
    let pairs: BTreeSet<(&str, &str)> = pairs.collect();
    let differ = pairs.iter().any(|(server, client)| server != client);
    let refute = "Both keys of the server's sentence being the same.";
    if differ && pairs.iter().all(|(server, client)| server != client) {
        return Verdict::proven(
            Claim::Diverged,
            &subject.about,
            format!(
                "The server holds another one-time key under {name} than the store of {device}: they have diverged."
            ),
        )
        .evidence(subject.evidence())
        .would_refute(refute)
        .ruled_out("Exhausted one-time keys: they cannot cause “already exists”.");
    }
    if !pairs.is_empty() && !differ {
        return Verdict::refuted(
            Claim::Diverged,
            &subject.about,
            format!("The server refused {name} of {device} although both hold the same key: they do not differ in it."),
        )
        .evidence(subject.evidence())
        .would_refute("Another key id in conflict.");
    }
    let fetch =
        vec![subject.case.query(subject.report(), "ke1-one-time-keys", "the key that the server holds under that id")];
    let statement = format!("The server refused {name} of {device}; the artefacts do not show both keys.");
    Verdict::unknown(Claim::Diverged, &subject.about, statement, fetch)
        .evidence(subject.evidence())
        .would_refute(refute)
}

/// Whose signature is on the server's key.
enum Identity {
    Same(Vec<Evidence>),
    Replaced(Vec<Evidence>),
    Unknown,
}

/// The Ed25519 keys that the device is known by, each with where it stands.
fn own_keys(subject: &Subject<'_, '_>) -> Vec<(String, Evidence)> {
    let (case, device) = (subject.case, subject.device);
    let mut keys: Vec<(String, Evidence)> = Vec::new();
    for page in case.pages_of(device) {
        if let Some(key) = case.report(page).own_keys().and_then(|keys| keys.ed25519.clone()) {
            let evidence =
                case.whole(page.report, &format!("ed25519 {key}"), "the device's own Ed25519 key, as it says itself");
            keys.push((key, evidence));
        }
    }
    for har in &case.bundle.hars {
        for (index, exchange) in har.entries.iter().enumerate() {
            let Some(facts) = &exchange.facts else { continue };
            let published = facts.device.iter().chain(&facts.devices);
            let of_device =
                |other: &&crate::har::Device| other.user_id == device.user_id && other.device_id == device.device_id;
            for key in published.filter(of_device).filter_map(|device| device.ed25519.clone()) {
                if keys.iter().all(|(known, _)| *known != key) {
                    let says = format!("an Ed25519 key that the device is known by: {key}");
                    keys.push((key, crate::case::exchange(har, index, says)));
                }
            }
        }
    }
    for results in &case.bundle.queries {
        let of_device =
            results.device_keys.iter().filter(|row| row.user_id == device.user_id && row.device_id == device.device_id);
        for row in of_device {
            if let Some(key) = &row.ed25519 {
                let text = format!("ed25519 {key}");
                let says = "the Ed25519 key that the server holds for the device";
                let evidence =
                    Evidence::new(&results.name, row.place.clone(), row.ts_added_ms, ClockOf::Server, &text, says);
                keys.push((key.clone(), evidence));
            }
        }
    }
    keys
}

fn identity(subject: &Subject<'_, '_>) -> Identity {
    let mut keys = own_keys(subject);
    let mut distinct = BTreeSet::new();
    keys.retain(|(key, _)| distinct.insert(key.clone()));
    let of = |object: Option<&Value>, key: &str| object.is_some_and(|object| is_signed(object, key));
    let mut same = Vec::new();
    let mut replaced = Vec::new();
    // A storm repeats one sentence, and several artefacts hold it: each pair of keys is checked once.
    let mut checked: Vec<(&Value, Option<&Value>)> = Vec::new();
    for refusal in subject.refusals {
        // A line that was cut or redacted may fail for that.
        let altered = redact::is_closed(&refusal.evidence.quote) || refusal.evidence.quote.contains("bytes cut");
        let old = refusal.conflict.server_key.as_ref();
        let new = refusal.conflict.client_key.as_ref().and_then(|key| key.object.as_ref());
        let Some(old_object) = old.and_then(|key| key.object.as_ref()) else { continue };
        if checked.contains(&(old_object, new)) {
            continue;
        }
        checked.push((old_object, new));
        let in_its_name = old.is_some_and(|old| {
            old.signed_by.iter().any(|signer| {
                signer.user_id == subject.device.user_id
                    && signer.key_id == format!("ed25519:{}", subject.device.device_id)
            })
        });
        for (key, evidence) in &keys {
            match (of(Some(old_object), key), of(new, key)) {
                (true, true) => {
                    let says = format!("old key and new key both verify with {key}");
                    same.extend([Evidence { says, ..refusal.evidence.clone() }, evidence.clone()]);
                }
                (false, true) if in_its_name && !altered => {
                    let says = format!(
                        "the new key verifies with {key}, the old one does not, though it is signed in the same name"
                    );
                    replaced.extend([Evidence { says, ..refusal.evidence.clone() }, evidence.clone()]);
                }
                _ => {}
            }
        }
    }
    match (same.is_empty(), replaced.is_empty()) {
        (false, true) => Identity::Same(same),
        (true, false) => Identity::Replaced(replaced),
        _ => Identity::Unknown,
    }
}

fn identity_replaced(subject: &Subject<'_, '_>, identity: &Identity) -> Verdict {
    let (about, device) = (&subject.about, subject.device.label());
    let refute = "The server's key verifying with the Ed25519 key that signed the client's new one.";
    match identity {
        Identity::Replaced(evidence) => Verdict::proven(
            Claim::IdentityReplaced,
            about,
            format!("Two identities have used the device id of {device}: the server still holds keys that another one signed."),
        )
        .evidence(evidence.clone())
        .would_refute(refute)
        .ruled_out("A store that went back in time: it would have kept its identity.")
        .ruled_out("A damaged line: the same check, on the same line, verifies the new key.")
        .open("Why the store was empty: evicted by the browser, deleted, or opened under another name."),
        Identity::Same(evidence) => Verdict::refuted(
            Claim::IdentityReplaced,
            about,
            format!("{device} itself has signed the key that the server holds: there is one identity."),
        )
        .evidence(evidence.clone())
        .would_refute("The signatures not verifying: they do."),
        Identity::Unknown => Verdict::unknown(
            Claim::IdentityReplaced,
            about,
            format!("Whose signature is on the server's key of {device} cannot be told."),
            vec![
                subject.case.fetch_report(&device, "the device's own Ed25519 key"),
                subject.case.query(subject.report(), "device-keys", "the Ed25519 key that the server holds for the device"),
            ],
        )
        .evidence(subject.evidence())
        .would_refute(refute),
    }
}

/// When the server got its key, against the page's start.
enum Order {
    Before(Vec<Evidence>),
    After(Vec<Evidence>),
    Unknown,
}

fn rollback_or_two_contexts(subject: &Subject<'_, '_>, identity: &Identity) -> Vec<Verdict> {
    let (about, device) = (&subject.about, subject.device.label());
    let same = match identity {
        Identity::Replaced(evidence) => {
            let why = format!(
                "Another identity than that of {device} signed the server's key: the store did not go back, it is another one."
            );
            let refuted = |claim| {
                Verdict::refuted(claim, about, why.clone())
                    .evidence(evidence.clone())
                    .would_refute("The old key verifying with the new one's Ed25519 key.")
            };
            return vec![refuted(Claim::Rollback), refuted(Claim::TwoContexts)];
        }
        Identity::Same(evidence) => Some(evidence),
        Identity::Unknown => None,
    };
    let meanwhile = subject.case.ledger.accepted_meanwhile(subject.refusals);
    let Some(same) = same else { return unknown(subject, "whose signature is on the server's key is not known") };
    let order = order(subject);
    if !meanwhile.is_empty() {
        let mut verdicts = two_contexts(subject, same, &meanwhile);
        if let Order::After(evidence) = order {
            verdicts[1] = not_rolled_back(subject, evidence);
        }
        return verdicts;
    }
    match order {
        Order::Before(_) if overlapping(subject) => unknown(
            subject,
            "the server's key came before this page, but another page of the device was captured at the same time",
        ),
        Order::Before(evidence) => before(subject, same, evidence),
        Order::After(evidence) => match own_upload(subject).map(|upload| at_once(subject, upload)) {
            Some(Some(both)) => after(subject, same, evidence.into_iter().chain(both).collect()),
            Some(None) => unknown(
                subject,
                "the server's key came after the page's start, but a HAR of this browser has that upload, so it may be the page's own",
            ),
            None => after(subject, same, evidence),
        },
        Order::Unknown => unknown(subject, "when the server got its key, against the page's start, is not known"),
    }
}

fn two_contexts(subject: &Subject<'_, '_>, same: &[Evidence], meanwhile: &[(&Upload, &Refusal)]) -> Vec<Verdict> {
    let (about, device) = (&subject.about, subject.device.label());
    let name = subject.named_key();
    let evidence = meanwhile.iter().take(2).flat_map(|(upload, refusal)| {
        let says = format!("accepted while {name} was being refused, and without it: another context sent it");
        [Evidence { says, ..upload.evidence.clone() }, refusal.evidence.clone()]
    });
    let evidence: Vec<Evidence> = evidence.chain(same.iter().cloned()).collect();
    vec![
        Verdict::proven(
            Claim::TwoContexts,
            about,
            format!("Two contexts publish one-time keys for {device}: an upload without {name} was accepted while another one with it was refused again and again."),
        )
        .evidence(evidence.clone())
        .would_refute("The accepted upload holding the refused key id, or lying outside of the refusals.")
        .ruled_out("One client: it asks one thing at a time, and offers an unpublished key until it is taken.")
        .ruled_out("A replaced identity.")
        .open("Whether they are two tabs of one profile or a copied profile."),
        Verdict::unknown(
            Claim::Rollback,
            about,
            format!("Two contexts of {device} are alive, which explains the conflict; that one of them also went back in time is not excluded."),
            Vec::new(),
        )
        .evidence(evidence)
        .would_refute("One context alone, and the server's key being older than its page."),
    ]
}

fn before(subject: &Subject<'_, '_>, same: &[Evidence], evidence: Vec<Evidence>) -> Vec<Verdict> {
    let (about, device) = (&subject.about, subject.device.label());
    let evidence: Vec<Evidence> = evidence.into_iter().chain(same.iter().cloned()).collect();
    let rollback = Verdict::proven(
        Claim::Rollback,
        about,
        format!("The store of {device} went back in time: its own identity had published this key before the page began, and the store does not know it."),
    )
    .evidence(evidence.clone())
    .would_refute("The server having got its key after the page's start, or another context's upload meanwhile.")
    .ruled_out("A replaced identity: the device itself signed the server's key.")
    .ruled_out("A context that published the key while this page ran.")
    .ruled_out("A restored server database alone: it would hold older keys, and this store would not offer an old id again.")
    .open("How: a restored profile or disk, writes that never reached it, or a copy of the profile that lived on elsewhere.");
    let contexts = Verdict::refuted(
        Claim::TwoContexts,
        about,
        format!("The key that {device} is refused was published before its page began, so no context that ran beside it did that."),
    )
    .evidence(evidence)
    .would_refute("Another accepted upload of the device during the conflict.");
    vec![rollback, contexts]
}

fn after(subject: &Subject<'_, '_>, same: &[Evidence], evidence: Vec<Evidence>) -> Vec<Verdict> {
    let (about, device) = (&subject.about, subject.device.label());
    let evidence: Vec<Evidence> = evidence.into_iter().chain(same.iter().cloned()).collect();
    let contexts = Verdict::proven(
        Claim::TwoContexts,
        about,
        format!("Another context published this key for {device} while the page ran."),
    )
    .evidence(evidence.clone())
    .would_refute("The upload being this page's own: its HAR would show it.")
    .ruled_out("A replaced identity: the device itself signed the server's key.")
    .ruled_out("A store that was old before the page began: the key came later.")
    .open("An app that opened an older store within the same page.");
    vec![contexts, not_rolled_back(subject, evidence)]
}

fn not_rolled_back(subject: &Subject<'_, '_>, evidence: Vec<Evidence>) -> Verdict {
    let device = subject.device.label();
    Verdict::refuted(
        Claim::Rollback,
        &subject.about,
        format!("The key that {device} is refused was published after its page began."),
    )
    .evidence(evidence)
    .would_refute("The server having got its key before the page's start.")
}

fn unknown(subject: &Subject<'_, '_>, why: &str) -> Vec<Verdict> {
    let case = subject.case;
    let device = subject.device.label();
    let mut fetch: Vec<Fetch> = Vec::new();
    let page = case.pages_of(subject.device).next();
    match page {
        None => fetch.push(case.fetch_report(&device, "when its page began, and the device's own keys")),
        Some(page) => {
            let key = subject.server_key();
            if key.is_none_or(|key| row(case.bundle, subject.key_id(), key).is_none()) {
                fetch.push(case.query(page.report, "ke1-one-time-keys", "when the server got its key (ts_added_ms)"));
            }
            if case.bundle.logs.is_empty() {
                fetch.push(case.fetch_log(page, "the ledger of uploads, and what puts both clocks on one time"));
            }
            if page.hars.is_empty() {
                fetch.push(
                    case.fetch_har(page, "requests that put both clocks on one time, and this browser's own uploads"),
                );
            }
        }
    }
    [Claim::Rollback, Claim::TwoContexts]
        .into_iter()
        .map(|claim| {
            let what = if claim == Claim::Rollback { "went back in time" } else { "is used by two contexts" };
            Verdict::unknown(
                claim,
                &subject.about,
                format!("Whether the store of {device} {what} cannot be told: {why}."),
                fetch.clone(),
            )
            .evidence(subject.evidence())
            .would_refute("The time at which the server got its key, against the page's start.")
        })
        .collect()
}

/// Other captures of this device whose page ran at the same time.
fn overlapping(subject: &Subject<'_, '_>) -> bool {
    let spans: Vec<(u64, u64)> = subject
        .case
        .pages_of(subject.device)
        .filter_map(|page| {
            let report = subject.case.report(page);
            Some((report.capture.time_origin?.0, report.generated_at.0))
        })
        .collect();
    let overlap = |a: &(u64, u64), b: &(u64, u64)| a.0 != b.0 && a.0 < b.1 && b.0 < a.1;
    spans.iter().any(|a| spans.iter().any(|b| overlap(a, b)))
}

/// A page that printed the refusals, or the device's only one.
fn page<'s>(subject: &'s Subject<'_, '_>) -> Option<&'s Page> {
    let pages: Vec<&Page> = subject.case.pages_of(subject.device).collect();
    let printed = |page: &&&Page| subject.refusals.iter().any(|refusal| refusal.source == Source::Report(page.report));
    let mut printing = pages.iter().filter(printed);
    match (printing.next(), printing.next(), pages.as_slice()) {
        (Some(page), None, _) => Some(page),
        (None, _, [page]) => Some(page),
        _ => None,
    }
}

/// The upload of the server's key in a HAR of this browser.
fn own_upload<'s>(subject: &'s Subject<'_, '_>) -> Option<&'s Upload> {
    let (key, name) = (subject.server_key()?, subject.named_key());
    subject.case.ledger.accepted.iter().find(|upload| {
        matches!(upload.source, Source::Har(_))
            && upload.device == *subject.device
            && upload.keys.iter().any(|(id, public)| *id == name && public == key)
    })
}

/// The accepted upload and a refused one of the same HAR, if both were under way at once: one client asks one thing at a
/// time, so they are of two, whichever of them the page is.
fn at_once(subject: &Subject<'_, '_>, upload: &Upload) -> Option<[Evidence; 2]> {
    let refusal = subject.refusals.iter().find(|refusal| {
        refusal.source == upload.source
            && refusal.start.is_some_and(|start| start < upload.end && upload.start < refusal.end)
    })?;
    let says = "accepted while the other upload was under way";
    let refused = "refused while the other upload was under way: one client asks one thing at a time";
    Some([
        Evidence { says: says.into(), ..upload.evidence.clone() },
        Evidence { says: refused.into(), ..refusal.evidence.clone() },
    ])
}

fn order(subject: &Subject<'_, '_>) -> Order {
    let case = subject.case;
    let Some(page) = page(subject) else { return Order::Unknown };
    let Some(origin) = case.report(page).capture.time_origin else { return Order::Unknown };
    let start = origin.0 as i64;
    let begun = |at: &str| {
        let text = format!("page start {}", stamp::print(start));
        Evidence {
            at: Some(start),
            ..case.whole(page.report, &text, format!("the page began {at} the server got its key"))
        }
    };
    // A HAR of the same browser is of the same clock, and shows the key itself.
    if let Some(upload) = own_upload(subject)
        && let Source::Har(har) = upload.source
        && page.hars.contains(&har)
    {
        let says = "the upload that brought the server its key";
        let evidence = Evidence { says: says.into(), ..upload.evidence.clone() };
        if upload.end + ORDER_MS < start {
            return Order::Before(vec![evidence, begun("after")]);
        }
        if upload.start - ORDER_MS > start {
            return Order::After(vec![evidence, begun("before")]);
        }
    }
    let Some((earliest, latest)) = page.offset.to_server(start) else { return Order::Unknown };
    if let Some(key) = subject.server_key()
        && let Some((name, row)) = row(case.bundle, subject.key_id(), key)
        && let Some(added) = row.ts_added_ms
    {
        let evidence = row_evidence(name, row, "the row of the server's key, and when it came");
        if added + ORDER_MS < earliest {
            return Order::Before(vec![evidence, begun("after")]);
        }
        if added - ORDER_MS > latest {
            return Order::After(vec![evidence, begun("before")]);
        }
        return Order::Unknown;
    }
    by_log(subject, page, (earliest, latest), begun)
}

/// The last accepted upload of that id before the first refusal, as logs show it. That there was none in between is
/// absence, so it needs coverage; that there was one after the page's start does not.
fn by_log(
    subject: &Subject<'_, '_>,
    page: &Page,
    (earliest, latest): (i64, i64),
    begun: impl Fn(&str) -> Evidence,
) -> Order {
    let case = subject.case;
    let name = subject.named_key();
    let refused = subject
        .refusals
        .iter()
        .filter(|refusal| matches!(refusal.source, Source::Log(_)))
        .map(|refusal| refusal.end)
        .min();
    let Some(refused) = refused else { return Order::Unknown };
    let uploads = case.ledger.accepted.iter().filter(|upload| {
        matches!(upload.source, Source::Log(_))
            && upload.device == *subject.device
            && upload.key_ids.contains(&name)
            && upload.end < refused
    });
    let Some(last) = uploads.max_by_key(|upload| upload.end) else { return Order::Unknown };
    let says = format!("the last accepted upload of {name} before it was refused");
    let evidence = Evidence { says, ..last.evidence.clone() };
    if last.end - ORDER_MS > latest {
        return Order::After(vec![evidence, begun("before")]);
    }
    let covered =
        case.log_shows(page, Route::KeysUpload) && case.bundle.logs.iter().any(|log| log.spans(earliest, refused));
    if last.end + ORDER_MS < earliest && covered {
        return Order::Before(vec![evidence, begun("after")]);
    }
    Order::Unknown
}

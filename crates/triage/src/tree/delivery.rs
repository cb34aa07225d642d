//! Q2, delivery: messages for devices that are gone, messages that wait, and keys that were never sent.

use crypto_diag_analysis::{Finding, Kind};
use crypto_diag_core::CaptureState;

use super::{Case, devices};
use crate::case::{DeviceName, Page, exchange};
use crate::har::Exchange;
use crate::problem::Place;
use crate::query::InboxRow;
use crate::stamp;
use crate::synapse_log::{DeletedDevice, Fate, Request, Route, ServerLog};
use crate::verdict::{Claim, ClockOf, Evidence, Verdict};

/// Two samples of an inbox this far apart say whether it drains: a device that is online fetches within a second.
pub const SAMPLES_APART_MS: i64 = 5_000;

/// A reload or a stop leaves one sync without an answer, perhaps two.
const SYNCS_UNANSWERED_MIN: usize = 3;

/// A report keeps the newest batches; with fewer than this, none was given up.
const SENT_BATCHES_WHOLE: usize = 100;

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = stale_targets(case);
    verdicts.extend(dropped(case));
    verdicts.extend(devices(case).iter().filter_map(|device| backlog(case, device)));
    let missing = case.analysis.findings.iter().filter(|finding| finding.kind == Kind::MediaKeyMissing);
    verdicts.extend(missing.filter_map(|finding| never_sent(case, finding)));
    verdicts
}

/// One message to one device.
struct Sent {
    target: DeviceName,
    txn_id: String,
    message_id: Option<String>,
    evidence: Evidence,
}

/// What pages and HARs show as sent.
fn all_sent(case: &Case<'_>) -> Vec<Sent> {
    let mut sent = Vec::new();
    for page in &case.pages {
        for batch in case.report(page).sent.iter() {
            let Some(txn_id) = &batch.txnid else { continue };
            for target in &batch.targets {
                let text = format!(
                    "Enqueuing batch of to-device messages. txnid={txn_id} {}/{}",
                    target.user_id, target.device_id
                );
                let piece = case.whole(page.report, &text, "the message was sent to that device");
                sent.push(Sent {
                    target: DeviceName::new(&target.user_id, &target.device_id),
                    txn_id: txn_id.clone(),
                    message_id: target.message_id.clone(),
                    evidence: Evidence { at: i64::try_from(batch.ts.0).ok(), ..piece },
                });
            }
        }
    }
    for har in &case.bundle.hars {
        for (index, request) in har.entries.iter().enumerate() {
            let (Some(txn_id), Some(facts)) = (request.txn_id(), &request.facts) else { continue };
            for message in &facts.sent {
                sent.push(Sent {
                    target: DeviceName::new(&message.user_id, &message.device_id),
                    txn_id: txn_id.to_owned(),
                    message_id: message.message_id.clone(),
                    evidence: exchange(har, index, format!("a message to {}/{}", message.user_id, message.device_id)),
                });
            }
        }
    }
    sent
}

/// Messages that Synapse received after it had deleted their device. Both times are the server's.
fn stale_targets(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for sent in all_sent(case) {
        let label = sent.target.label();
        let deletion = deletion(case, &sent.target);
        let request = request(case, &sent.txn_id);
        let refute = "The device being there when the message arrived.";
        match (deletion, request) {
            (Some((log, deleted)), Some((other, request)))
                if deleted.at < request.start && !back(case, &sent.target, deleted.at, request.start) =>
            {
                let name = sent.message_id.as_deref().map_or(String::new(), |id| format!(" ({id})"));
                let statement = format!(
                    "A message{name} was sent to {label} after that device had been deleted: its sender's device list was stale."
                );
                let gone = Evidence::new(
                    &log.name,
                    Place::Line(deleted.line),
                    Some(deleted.at),
                    ClockOf::Server,
                    &deleted.quote,
                    "the device was deleted",
                );
                let arrived = Evidence::new(
                    &other.name,
                    Place::Line(request.line),
                    Some(request.start),
                    ClockOf::Server,
                    &request.quote,
                    "the message arrived after that",
                );
                verdicts.push(
                    Verdict::proven(Claim::StaleTarget, label, statement)
                        .evidence([gone, arrived, sent.evidence])
                        .would_refute(refute)
                        .open("That anybody missed the message: the user's other devices get their own."),
                );
            }
            _ if is_absent(case, &sent.target) => {
                let page = case.pages.first();
                let fetch = page
                    .map(|page| case.fetch_log(page, "when the device was deleted, and when the message came"))
                    .into_iter()
                    .collect();
                let statement = format!(
                    "{label}, to which a message was sent, does not exist any more; whether it did when the message came cannot be told."
                );
                verdicts.push(
                    Verdict::unknown(Claim::StaleTarget, label, statement, fetch)
                        .evidence([sent.evidence])
                        .would_refute(refute)
                        .open("The device was logged out afterwards."),
                );
            }
            _ => {}
        }
    }
    verdicts
}

fn deletion<'c>(case: &'c Case<'_>, device: &DeviceName) -> Option<(&'c ServerLog, &'c DeletedDevice)> {
    case.bundle.logs.iter().find_map(|log| {
        let is_it = |line: &&DeletedDevice| line.user_id == device.user_id && line.device_id == device.device_id;
        Some((log, log.deleted.iter().find(is_it)?))
    })
}

/// Whether a device of that name was made again in between.
fn back(case: &Case<'_>, device: &DeviceName, from: i64, to: i64) -> bool {
    case.bundle.logs.iter().flat_map(|log| &log.logins).any(|login| {
        login.user_id == device.user_id && login.device_id == device.device_id && login.at >= from && login.at <= to
    })
}

/// The one request with that transaction id.
fn request<'c>(case: &'c Case<'_>, txn_id: &str) -> Option<(&'c ServerLog, &'c Request)> {
    let mut found = case.bundle.logs.iter().flat_map(|log| {
        let of_txn = move |request: &&Request| request.route == Route::SendToDevice && request.txn_id() == Some(txn_id);
        log.requests.iter().filter(of_txn).map(move |request| (log, request))
    });
    let first = found.next()?;
    found.next().is_none().then_some(first)
}

/// Whether the user's devices were listed and this one is not among them.
fn is_absent(case: &Case<'_>, device: &DeviceName) -> bool {
    case.bundle.queries.iter().any(|results| {
        results.devices_of.iter().any(|(user, _)| *user == device.user_id)
            && !results.devices.iter().any(|row| row.user_id == device.user_id && row.device_id == device.device_id)
    })
}

/// Messages that the server itself says it dropped, with `synapse.9533_debug` at DEBUG.
fn dropped(case: &Case<'_>) -> Vec<Verdict> {
    let lines = case.bundle.logs.iter().flat_map(|log| log.to_device.iter().map(move |line| (log, line)));
    lines
        .filter(|(_, line)| line.fate == Fate::Dropped)
        .filter_map(|(log, line)| {
            let (user_id, device_id) = line.target.as_ref()?;
            let label = DeviceName::new(user_id, device_id).label();
            let statement =
                format!("The server dropped message {} for {label}: it knows no such device.", line.message_id);
            let piece = Evidence::new(
                &log.name,
                Place::Line(line.line),
                Some(line.at),
                ClockOf::Server,
                &line.quote,
                "dropped",
            );
            Some(
                Verdict::proven(Claim::StaleTarget, label, statement)
                    .evidence([piece])
                    .would_refute("The server storing it."),
            )
        })
        .collect()
}

/// A sample of a device's inbox: when, how many wait, and from which position on.
struct Sample<'c> {
    at: i64,
    first: i64,
    count: u64,
    name: &'c str,
    row: &'c InboxRow,
}

fn samples<'c>(case: &'c Case<'_>, device: &DeviceName) -> Vec<Sample<'c>> {
    let mut samples: Vec<Sample<'c>> = Vec::new();
    for results in &case.bundle.queries {
        let of_device = |row: &&InboxRow| {
            row.user_id.as_deref() == Some(&device.user_id) && row.device_id.as_deref() == Some(&device.device_id)
        };
        for row in results.inbox.iter().filter(of_device) {
            let (Some(at), Some(first)) = (row.at, row.first_stream_id) else { continue };
            match samples.iter_mut().find(|sample| sample.at == at && sample.name == results.name) {
                Some(sample) => {
                    sample.first = sample.first.min(first);
                    sample.count += row.count;
                }
                None => samples.push(Sample { at, first, count: row.count, name: &results.name, row }),
            }
        }
    }
    samples.sort_by_key(|sample| sample.at);
    samples
}

fn sample_evidence(sample: &Sample<'_>) -> Evidence {
    let text = format!("{} pending, first stream_id {}", sample.count, sample.first);
    Evidence::new(
        sample.name,
        sample.row.place.clone(),
        Some(sample.at),
        ClockOf::Server,
        &text,
        "messages wait on the server",
    )
}

fn backlog(case: &Case<'_>, device: &DeviceName) -> Option<Verdict> {
    let label = device.label();
    let samples = samples(case, device);
    let refute = "The oldest waiting message being fetched within seconds.";
    let asked = case
        .bundle
        .queries
        .iter()
        .flat_map(|results| &results.inbox_of)
        .find(|(user, id, _)| *user == device.user_id && id.as_ref().is_none_or(|id| *id == device.device_id));
    let Some(newest) = samples.last() else {
        let (_, _, at) = asked?;
        case.pages_of(device).next()?;
        let at = at.map_or(String::new(), |at| format!(" at {}", stamp::print(at)));
        let statement = format!("No message waited on the server for {label}{at}.");
        // Another sample may say otherwise of another time.
        return Some(
            Verdict::refuted(Claim::Backlog, format!("{label}{at}"), statement)
                .would_refute("A row of that device in device_inbox."),
        );
    };
    if let Some(at) = looked_at(case, device).filter(|at| *at > newest.at) {
        let (then, later) = (stamp::print(newest.at), stamp::print(at));
        let statement = format!("What waited for {label} at {then} did not wait any more at {later}.");
        return Some(
            Verdict::refuted(Claim::Backlog, format!("{label} at {later}"), statement)
                .evidence([sample_evidence(newest)])
                .would_refute("A row of that device in device_inbox."),
        );
    }
    // A browser that made a report is no dehydrated device; those hold a backlog by design.
    let is_live = case.pages_of(device).next().is_some() || newest.row.dehydrated == Some(false);
    let oldest =
        samples.iter().find(|sample| sample.first == newest.first && newest.at - sample.at >= SAMPLES_APART_MS);
    if let Some((oldest, page)) = oldest.and_then(|oldest| Some((oldest, lived(case, device, oldest.at, newest.at)?))) {
        let seconds = (newest.at - oldest.at) / 1000;
        let statement = format!(
            "{} messages wait for {label} and are not fetched: the oldest was still there {seconds} s later.",
            newest.count
        );
        return Some(
            Verdict::proven(Claim::Backlog, label, statement)
                .evidence([sample_evidence(oldest), sample_evidence(newest), page])
                .would_refute(refute)
                .ruled_out("A dehydrated device.")
                .ruled_out("A page that was closed: it was there before and after.")
                .open("The device was asleep or had no network, and will fetch them when it is back."),
        );
    }
    if let (Some(piece), true) = (acknowledged(case, device, newest), is_live) {
        let statement =
            format!("{} messages wait for {label} at positions that the device had already passed.", newest.count);
        return Some(
            Verdict::proven(Claim::Backlog, label, statement)
                .evidence([piece, sample_evidence(newest)])
                .would_refute(refute)
                .ruled_out("A dehydrated device."),
        );
    }
    if let (Some((count, pieces)), true) = (unanswered(case, device, newest), is_live) {
        let statement = format!("{} messages wait for {label}, whose last {count} syncs got no answer.", newest.count);
        return Some(
            Verdict::proven(Claim::Backlog, label, statement)
                .evidence(pieces)
                .evidence([sample_evidence(newest)])
                .would_refute(refute)
                .ruled_out("A dehydrated device.")
                .open("The device's own network was down, and it will fetch them later."),
        );
    }
    let (fetch, statement, open) = match oldest {
        Some(oldest) => {
            let statement = format!(
                "{} messages waited for {label} when it was asked, and {} s later; whether the device was there to fetch them is not known.",
                newest.count,
                (newest.at - oldest.at) / 1000
            );
            let what =
                "whether the device was there: ask the server while its page is open, and make the report after that";
            (
                case.fetch_report(&label, what),
                statement,
                "The device was off: what waits for it is fetched when it is back.",
            )
        }
        None => {
            let report = case.pages_of(device).next().map_or(usize::MAX, |page| page.report);
            let statement = format!(
                "{} messages waited for {label} when it was asked; whether they are being fetched one sample cannot tell.",
                newest.count
            );
            let fetch = case.query(report, "ke2-inbox", "the same inbox again, some seconds later");
            (fetch, statement, "They were on their way at that moment.")
        }
    };
    let fetch = vec![fetch];
    Some(
        Verdict::unknown(Claim::Backlog, label, statement, fetch)
            .evidence([sample_evidence(newest)])
            .would_refute(refute)
            .open(open),
    )
}

/// When the device's inbox was last looked at, whatever was in it.
fn looked_at(case: &Case<'_>, device: &DeviceName) -> Option<i64> {
    let looks = case.bundle.queries.iter().flat_map(|results| &results.inbox_of);
    let of_device =
        looks.filter(|(user, id, _)| *user == device.user_id && id.as_ref().is_none_or(|id| *id == device.device_id));
    of_device.filter_map(|(_, _, at)| *at).max()
}

/// A page of the device that was there through that time by the server's clock: the inbox of one that is closed fills, and
/// nothing is wrong with that.
fn lived(case: &Case<'_>, device: &DeviceName, from: i64, to: i64) -> Option<Evidence> {
    case.pages_of(device).find_map(|page| {
        let report = case.report(page);
        let (start, end) = (report.capture.time_origin?.0 as i64, report.generated_at.0 as i64);
        let (_, began) = page.offset.to_server(start)?;
        let (made, _) = page.offset.to_server(end)?;
        let text = format!("page start {}, report {}", stamp::print(start), stamp::print(end));
        (began <= from && to <= made)
            .then(|| case.whole(page.report, &text, "the device's page was there all the time"))
    })
}

/// A sync of the device, answered before the sample, whose token lies at or behind the oldest waiting message.
fn acknowledged(case: &Case<'_>, device: &DeviceName, sample: &Sample<'_>) -> Option<Evidence> {
    for page in case.pages_of(device) {
        for har in page.hars.iter().map(|har| &case.bundle.hars[*har]) {
            for (index, request) in har.entries.iter().enumerate() {
                let passed = request.route() == Route::Sync
                    && request.status == 200
                    && to_device_position(&request.uri) >= Some(sample.first);
                let before = page.offset.to_server(request.end()).is_some_and(|(_, latest)| latest < sample.at);
                if passed && before {
                    return Some(exchange(
                        har,
                        index,
                        "this sync's token had passed the message's position, and was answered before the sample",
                    ));
                }
            }
        }
    }
    None
}

/// The device's last syncs before the sample, if at least [`SYNCS_UNANSWERED_MIN`] in a row had no answer and their token
/// lies before the oldest waiting message.
fn unanswered(case: &Case<'_>, device: &DeviceName, sample: &Sample<'_>) -> Option<(usize, Vec<Evidence>)> {
    for page in case.pages_of(device) {
        for har in page.hars.iter().map(|har| &case.bundle.hars[*har]) {
            let before =
                |request: &Exchange| page.offset.to_server(request.end()).is_some_and(|(_, latest)| latest < sample.at);
            let mut syncs: Vec<(usize, &Exchange)> = har
                .entries
                .iter()
                .enumerate()
                .filter(|(_, request)| request.route() == Route::Sync && before(request))
                .collect();
            syncs.sort_by_key(|(_, request)| request.start);
            let lost: Vec<usize> = syncs
                .iter()
                .rev()
                .take_while(|(_, request)| {
                    request.status == 0
                        && to_device_position(&request.uri).is_some_and(|position| position < sample.first)
                })
                .map(|(index, _)| *index)
                .collect();
            if lost.len() >= SYNCS_UNANSWERED_MIN {
                let pieces =
                    lost.iter().take(2).map(|index| exchange(har, *index, "a sync of the device without an answer"));
                return Some((lost.len(), pieces.collect()));
            }
        }
    }
    None
}

/// The to-device position of a `since` token: its 7th field.
fn to_device_position(uri: &str) -> Option<i64> {
    let since = uri.split(['?', '&']).find_map(|part| part.strip_prefix("since="))?;
    since.split('_').nth(6)?.parse().ok()
}

/// A participant's key was missing, and the participant's own report shows all that it sent: nothing to this device.
fn never_sent(case: &Case<'_>, finding: &Finding) -> Option<Verdict> {
    let page = case.pages.get(finding.entries.first()?.report)?;
    let receiver = page.device.as_ref()?;
    let participant = crypto_diag_analysis::evidence::ke2::Participant::read(finding.ids.get("participant")?);
    let sender = DeviceName::new(participant.user_id.as_deref()?, participant.device_id.as_deref()?);
    let about = format!("{} from {}", receiver.label(), sender.label());
    let missing = |page: &Page| case.entry(page.report, finding.entries.first()?.entry, "its key was missing here");
    let Some(peer) = case.pages_of(&sender).next() else {
        let fetch = vec![case.fetch_report(&sender.label(), "the devices that it sent its keys to, with message ids")];
        let statement = format!(
            "Whether {} ever sent its media key to {} cannot be told without its report.",
            sender.label(),
            receiver.label()
        );
        return Some(
            Verdict::unknown(Claim::NeverSent, about, statement, fetch)
                .evidence(missing(page))
                .would_refute("A batch of that sender that lists this device."),
        );
    };
    let report = case.report(peer);
    let to_us = report
        .sent
        .iter()
        .flat_map(|batch| &batch.targets)
        .find(|target| target.user_id == receiver.user_id && target.device_id == receiver.device_id);
    if let Some(target) = to_us {
        let text =
            format!("{}/{} (msgid {})", target.user_id, target.device_id, target.message_id.as_deref().unwrap_or("?"));
        let statement = format!("{} did send to {}.", sender.label(), receiver.label());
        return Some(
            Verdict::refuted(Claim::NeverSent, about, statement)
                .evidence([case.whole(peer.report, &text, "a batch that lists this device")])
                .would_refute("No batch listing this device."),
        );
    }
    let batches = report.sent.len();
    let whole = report.capture.state == CaptureState::Capturing
        && report.capture.hooks.iter().any(|hook| hook.method == "info" && hook.in_place)
        && (1..SENT_BATCHES_WHOLE).contains(&batches)
        && report.sent.iter().all(|batch| batch.omitted == 0 && !batch.targets.is_empty());
    // The sender's capture must have run before the key was missing, by the server's clock.
    let began = report.capture.installed_at.and_then(|at| peer.log_offset.to_server(at.0 as i64));
    let first = finding.entries.iter().filter_map(|entry| case.entry(entry.report, entry.entry, "")?.at).min();
    let missed = first.and_then(|at| page.log_offset.to_server(at));
    let early = matches!((began, missed), (Some((_, began)), Some((missed, _))) if began < missed);
    let statement = format!("{} sent keys to others and never to {}.", sender.label(), receiver.label());
    if whole && early {
        let text = format!("{batches} batches, none of them to {}", receiver.label());
        return Some(
            Verdict::proven(Claim::NeverSent, about, statement)
                .evidence(missing(page))
                .evidence([case.whole(peer.report, &text, "all that the sender queued since its capture began")])
                .would_refute("A batch of that sender that lists this device.")
                .open("Why: another device list, or no membership of this device in the sender's eyes."),
        );
    }
    let fetch = vec![case.fetch_report(&sender.label(), "a capture that began before the call, with all batches")];
    Some(
        Verdict::unknown(
            Claim::NeverSent,
            about,
            format!("No batch of {} lists {}, but its report need not hold all.", sender.label(), receiver.label()),
            fetch,
        )
        .evidence(missing(page))
        .would_refute("A batch of that sender that lists this device."),
    )
}

//! KE-2: messages were sent to a device that had been deleted.

use std::cmp::Ordering;

use crypto_diag_core::Clean;

use super::rule::Rule;
use super::sent::{self, Sent};
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::coverage::Absence;
use crate::conclusion::Conclusion;
use crate::moment::{Clock, Moment};
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::quote::quote;
use crate::subject::{Device, Subject};
use crate::synapse_log::{Fate, Route, request_key};
use crate::verdict::{ClockOf, Evidence, Sentences, Verdict};

const DELETED: Premise = Premise {
    id: "stale-target/deleted",
    says: "The server's log shows that the device was deleted.",
    rules_out: "No such device has ever been, or it was there and was deleted another time.",
};

const AFTER: Premise = Premise {
    id: "stale-target/after",
    says: "The message reached the server after that, by an order that holds between the two lines.",
    rules_out: "The device was logged out after the message had come.",
};

const FIRST: Premise = Premise {
    id: "stale-target/first",
    says: "No request had brought the message before: its sender's list says that it was queued after the deletion, or the log would show each request with it since it was queued, and shows none from before the deletion.",
    rules_out: "The message had come while the device was there, and its sender sent it again, since the answer was lost.",
};

const NOT_BACK: Premise = Premise {
    id: "stale-target/not-back",
    says: "The device was not made again in between: the server itself dropped the message for an unknown device; or its log would show a log-in and shows neither one nor keys of the device; or the server, asked after the message, lists the user's devices without it, and the log shows one deletion alone.",
    rules_out: "The device had been made again under its old id and got the message.",
};

/// What makes a device anew where an authentication service manages them; Synapse prints no log-in for it.
const MADE_BY_SERVICE: &str = "/_synapse/mas/upsert_device";

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::StaleTarget,
    needs: &[ArtefactKind::ServerLog],
    reads: &[ArtefactKind::Report, ArtefactKind::Har, ArtefactKind::QueryResults],
    argument: "Synapse drops messages for devices that it does not know, and leaves no row. The deletion and the request that \
               brought the message are both lines of its log; which came first must follow from one clock, or from clocks that \
               were measured against one another. A device that is missing from the table today may have been there then.",
    proven_by: &[&DELETED, &AFTER, &FIRST, &NOT_BACK],
    // A message of another sender may have come later.
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

/// A message that was sent to a device, and when the server got it.
struct Arrival {
    target: Device,
    /// As its sender's files have it; `None` if the server's log alone names it.
    sent: Option<Sent>,
    message_id: Option<String>,
    /// When, and in which line.
    at: Option<(Moment, u64)>,
    /// Whether the server says that it dropped the message, since it knows no such device.
    dropped: bool,
    evidence: Vec<Evidence>,
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts: Vec<Verdict> = Vec::new();
    for verdict in arrivals(case).iter().filter_map(|arrival| judge(case, arrival)) {
        match verdicts.iter_mut().find(|known| known.about == verdict.about) {
            None => verdicts.push(verdict),
            // One message that came too late is enough.
            Some(known) if verdict.is_proven() => *known = verdict,
            Some(_) => {}
        }
    }
    verdicts
}

fn arrivals(case: &Case<'_>) -> Vec<Arrival> {
    let mut arrivals: Vec<Arrival> = Vec::new();
    for sent in sent::all(case) {
        let known = |other: &Arrival| other.target == sent.target && other.message_id == sent.message_id;
        if sent.message_id.is_some() && arrivals.iter().any(known) {
            continue;
        }
        let mut evidence = Vec::new();
        let mut requests = case.bundle.logs.iter().enumerate().flat_map(|(index, log)| {
            // What the server refused it did not take, whatever the device.
            let of_message = log.requests.iter().filter(|request| sent.is_in(request) && request.status == 200);
            of_message.map(move |request| (index, log, request))
        });
        let mut at = None;
        if let (Some((index, log, request)), None) = (requests.next(), requests.next()) {
            at = Some((Moment::received(index, request), request.line));
            let says = "the message reached the server";
            evidence.push(Evidence::logged(&log.name, request.line, request.start, &request.quote, says));
        }
        drop(requests);
        evidence.push(sent.evidence.clone());
        let (target, message_id) = (sent.target.clone(), sent.message_id.clone());
        arrivals.push(Arrival { target, sent: Some(sent), message_id, at, dropped: false, evidence });
    }
    for (index, log) in case.bundle.logs.iter().enumerate() {
        for line in log.to_device.iter().filter(|line| line.fate == Fate::Dropped) {
            let Some((user_id, device_id)) = &line.target else { continue };
            let target = Device::new(user_id, device_id);
            let says = "the server dropped the message: it knows no such device";
            let piece = Evidence::logged(&log.name, line.line, line.at, &line.quote, says);
            let same =
                |other: &&mut Arrival| other.target == target && other.message_id.as_ref() == Some(&line.message_id);
            match arrivals.iter_mut().find(same) {
                Some(known) => {
                    known.dropped = true;
                    known.evidence.push(piece);
                }
                None => arrivals.push(Arrival {
                    target,
                    sent: None,
                    message_id: Some(line.message_id.clone()),
                    at: Some((Moment::logged(index, line), line.line)),
                    dropped: true,
                    evidence: vec![piece],
                }),
            }
        }
    }
    arrivals
}

/// A line about a device: when, which line of which log, and as evidence.
type Line = (Moment, usize, u64, Evidence);

fn deletions(case: &Case<'_>, device: &Device) -> Vec<Line> {
    let mut lines = Vec::new();
    for (index, log) in case.bundle.logs.iter().enumerate() {
        for line in &log.deleted {
            if line.user_id == device.user_id && line.device_id == device.device_id {
                let says = "the device was deleted";
                let piece = Evidence::logged(&log.name, line.line, line.at, &line.quote, says);
                lines.push((Moment::logged(index, line), index, line.line, piece));
            }
        }
    }
    lines
}

fn order(case: &Case<'_>, deletion: &Line, (arrived, line): &(Moment, u64)) -> Option<Ordering> {
    let (at, index, place, _) = deletion;
    let by_time = case.clocks.order(*at, *arrived)?;
    // A request's line is printed at its end, so that only a later deletion's line may contradict its time.
    let same_file = arrived.clock == Clock::Log(*index);
    (!(same_file && by_time == Ordering::Less && place > line)).then_some(by_time)
}

fn judge(case: &Case<'_>, arrival: &Arrival) -> Option<Verdict> {
    let target = &arrival.target;
    let label = target.label();
    let deletions = deletions(case, target);
    if deletions.is_empty() && !arrival.dropped && !is_absent(case, target) {
        return None;
    }
    let ordered = |deletion: &&Line, wanted: Ordering| {
        arrival.at.as_ref().is_some_and(|at| order(case, deletion, at) == Some(wanted))
    };
    // The device was there when this message came.
    if !deletions.is_empty() && deletions.iter().all(|deletion| ordered(&deletion, Ordering::Greater)) {
        return None;
    }
    let before = deletions.iter().rfind(|deletion| ordered(deletion, Ordering::Less));
    let shown = before.or(deletions.last());
    let report = case.pages.first().map(|page| page.report);
    let ask = |why: &str| vec![Need::log(report, why)];
    let back = before.zip(arrival.at).map(|(deletion, (arrived, _))| back(case, target, deletion.0, arrived));
    let not_back = match (&back, before.zip(arrival.at)) {
        (Some(lines), Some((deletion, (arrived, _)))) => {
            let absence = Absence { route: Route::Other, page: None, answered: false, from: deletion.0, to: arrived };
            let still_gone = deletions.len() == 1 && is_absent_after(case, target, arrived);
            lines.is_empty() && (arrival.dropped || still_gone || case.would_show(&absence).is_ok())
        }
        _ => true,
    };
    let is_first =
        before.is_none_or(|deletion| arrival.sent.as_ref().is_some_and(|sent| sent.came_not_before(case, deletion.0)));
    let listed = before.map_or_else(Vec::new, |deletion| listed_later(case, target, deletion.0));
    let proof = Proof::new(case)
        .premise(&DELETED, shown.map(|deletion| vec![deletion.3.clone()]), || ask("when the device was deleted"))
        .evidence(arrival.evidence.clone())
        .premise(&AFTER, shown.is_none() || before.is_some(), || {
            ask("when the message came and when the device was deleted, in logs whose zone is known")
        })
        .premise(&FIRST, is_first, || {
            let sender = arrival.sent.as_ref().and_then(|sent| sent.sender.clone());
            let whose = sender.map_or_else(|| Whose::Somebody("the sender".to_owned()), Whose::Device);
            vec![Need::report(whose, ReportTime::CaptureBefore, "when its client queued the message")]
        })
        .premise(&NOT_BACK, not_back, || {
            let mut needs = ask("whether the device was made again, in the log of every worker");
            let unmeasured = case.pages.iter().find(|page| page.hars.is_empty());
            needs.extend(unmeasured.map(|page| Need::har(page.report, "requests to measure the log by")));
            needs
        })
        .unless("Keys, a log-in or a made device in between.", back.into_iter().flatten())
        .unless("A later answer of the database that lists the device.", listed);
    let id = arrival.message_id.as_deref().map_or_else(String::new, |id| format!(" ({id})"));
    let sentences = Sentences {
        proven: format!(
            "A message{id} was sent to {label} after that device had been deleted: its sender's device list was stale."
        ),
        refuted: String::new(),
        unknown: if arrival.dropped {
            format!(
                "The server dropped a message{id} for {label}, a device that it does not know; whether there ever was one cannot be told."
            )
        } else {
            format!("A message{id} was sent to {label}; whether that device was gone when it came cannot be told.")
        },
    };
    let subject = Subject {
        device: Some(target.clone()),
        message_ids: arrival.message_id.iter().cloned().collect(),
        ..Subject::default()
    };
    let verdict = Verdict::decide(case, Conclusion::StaleTarget, (label, subject), proof, None, sentences)
        .how("Whether anybody missed the message: the user's other devices get their own.");
    Some(verdict)
}

/// Lines of the logs that show a device at work.
fn signs_of_life(case: &Case<'_>, device: &Device) -> Vec<(Moment, Evidence)> {
    let mut found = Vec::new();
    for (index, log) in case.bundle.logs.iter().enumerate() {
        let is_it = |user: &str, id: &str| user == device.user_id && id == device.device_id;
        let mut note = |moment: Moment, line: u64, quote: &Clean, says: &str| {
            found.push((moment, Evidence::logged(&log.name, line, moment.earliest, quote, says)));
        };
        for line in log.logins.iter().filter(|line| is_it(&line.user_id, &line.device_id)) {
            let text = format!("Logging in user {}", device.label());
            note(Moment::logged(index, line), line.line, &quote(&text), "the device was made");
        }
        for line in log.uploads.iter().filter(|line| is_it(&line.user_id, &line.device_id)) {
            note(Moment::logged(index, line), line.line, &line.quote, "the device publishes keys: it is there");
        }
        for line in log.device_keys.iter().filter(|line| is_it(&line.user_id, &line.device_id)) {
            note(Moment::logged(index, line), line.line, &line.quote, "the device publishes its identity: it is there");
        }
    }
    found
}

/// Lines between two moments, or whose order is open, that show that a device was made again.
fn back(case: &Case<'_>, device: &Device, from: Moment, to: Moment) -> Vec<Evidence> {
    let mut signs = signs_of_life(case, device);
    let made = request_key("POST", MADE_BY_SERVICE);
    for (index, log) in case.bundle.logs.iter().enumerate() {
        for line in log.accesses.iter().filter(|access| access.key == made) {
            let says = "the authentication service made a device, and the line does not say which";
            let piece = Evidence::logged(&log.name, line.line, line.start, &quote(MADE_BY_SERVICE), says);
            signs.push((Moment::received(index, line), piece));
        }
    }
    let outside = |moment: Moment| case.clocks.is_before(moment, from) || case.clocks.is_before(to, moment);
    signs.into_iter().filter(|(moment, _)| !outside(*moment)).map(|(_, piece)| piece).collect()
}

/// Whether the user's devices were listed and this one is not among them.
fn is_absent(case: &Case<'_>, device: &Device) -> bool {
    case.bundle.queries.iter().any(|results| {
        results.devices_of.iter().any(|(user, _)| *user == device.user_id)
            && !results.devices.iter().any(|row| row.user_id == device.user_id && row.device_id == device.device_id)
    })
}

/// Whether the user's devices were listed after a moment and this one is not among them.
fn is_absent_after(case: &Case<'_>, device: &Device, moment: Moment) -> bool {
    case.bundle.queries.iter().any(|results| {
        let asked = results.devices_of.iter().filter(|(user, _)| *user == device.user_id);
        let later =
            |at: &Option<i64>| at.is_some_and(|at| case.clocks.is_before(moment, Moment::at(Clock::Database, at)));
        let mut asked = asked.peekable();
        asked.peek().is_some()
            && asked.all(|(_, at)| later(at))
            && !results.devices.iter().any(|row| row.user_id == device.user_id && row.device_id == device.device_id)
    })
}

/// Rows of the device in answers that may be later than its deletion.
fn listed_later(case: &Case<'_>, device: &Device, deleted: Moment) -> Vec<Evidence> {
    let mut found = Vec::new();
    for results in &case.bundle.queries {
        let asked = results.devices_of.iter().filter(|(user, _)| *user == device.user_id);
        let earlier =
            |at: &Option<i64>| at.is_some_and(|at| case.clocks.is_before(Moment::at(Clock::Database, at), deleted));
        if asked.clone().count() > 0 && asked.clone().all(|(_, at)| earlier(at)) {
            continue;
        }
        let rows =
            results.devices.iter().filter(|row| row.user_id == device.user_id && row.device_id == device.device_id);
        found.extend(rows.map(|row| {
            let says = "the server lists the device";
            Evidence::new(&results.name, row.place.clone(), None, ClockOf::Server, &device.label(), says)
        }));
    }
    found
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    const GONE: &str = "KZDXOHRICR";
    const DELETION: &str = "2026-11-23 22:53:21,987 - synapse.handlers.device - 293 - INFO - POST-1057 - Deleting devices ['KZDXOHRICR'] for '@alice-7:localhost'\n";
    let recorded = |name: &str| History::recorded("logged-out-device", name);
    // Behind the deletion's line.
    let then = |log: &str, line: &str| log.replace(DELETION, &format!("{DELETION}{line}\n"));
    let login = "2026-11-23 22:53:22,050 - synapse.handlers.auth - 1004 - INFO - POST-1058 - Logging in user @alice-7:localhost on device KZDXOHRICR";
    let later = |log: &str| {
        let line = DELETION.replace("22:53:21,987", "22:53:29,987");
        format!("{}{line}", log.replace(DELETION, ""))
    };
    vec![
        recorded("a message for a device that was logged out").proves("stale-target", GONE),
        recorded("the log of the deletion is not there")
            .rewrite("homeserver.log.txt", |log| log.replace(DELETION, ""))
            .never_proves("stale-target", "")
            .never_refutes("stale-target", ""),
        recorded("the device is logged out after the message has come")
            .rewrite("homeserver.log.txt", later)
            .never_proves("stale-target", "")
            .never_refutes("stale-target", GONE),
        recorded("nothing shows the device before it was logged out")
            .rewrite("homeserver.log.txt", |log| {
                let shows = |line: &&str| !line.contains("KZDXOHRICR") || line.contains("Deleting devices");
                later(&log.lines().filter(shows).map(|line| format!("{line}\n")).collect::<String>())
            })
            .never_proves("stale-target", "")
            .never_refutes("stale-target", ""),
        recorded("the device is logged in again under its old id")
            .rewrite("homeserver.log.txt", |log| then(log, login))
            .never_proves("stale-target", "")
            .never_refutes("stale-target", ""),
        recorded("another worker, whose log is not there, logs the device in again")
            .without("victim.har")
            .without("peer.har")
            .never_proves("stale-target", ""),
        recorded("a process whose log is not there may have logged the device in again")
            .without("queries.json")
            .never_proves("stale-target", ""),
        recorded("the sender's list is not there, and the message may have come before")
            .without("peer.report.json")
            .never_proves("stale-target", ""),
        History::world("33b-a-device-that-never-was", "a device that has never been").never_proves("stale-target", ""),
        recorded("the database lists the device afterwards")
            .edit("queries.json", |results| {
                for table in results.as_array_mut().expect("a list").iter_mut() {
                    if table["name"] == "devices" && table["params"][0] == "@alice-7:localhost" {
                        let row =
                            serde_json::json!({"user_id": "@alice-7:localhost", "device_id": GONE, "hidden": false});
                        table["rows"].as_array_mut().expect("a list").push(row);
                    }
                }
            })
            .never_proves("stale-target", ""),
    ]
}

//! KE-4: transients that add up to a failure, lost memberships, and a membership manager that gave up.

use super::{Case, times};
use crate::evidence::Ke4;
use crate::evidence::ke4::Ke4Kind;
use crate::finding::{EntryRef, Finding, Kind, Verdict};

/// The client counts failures in a row and begins anew after a success. From the third on (`2/10`) they are no transient:
/// with the defaults (a restart each 5 s, 2 s to wait, a leave event after 8 s), the server's leave event is then due.
pub const ROW_MIN: u64 = 2;

/// How far from a failure a forced re-join still belongs to it: with the defaults the leave event comes 8 s after the
/// last restart that worked, and its news with the next sync.
pub const REJOIN_WITHIN_MS: u64 = 60_000;

pub(super) fn findings(case: Case<'_>) -> Vec<Finding> {
    let mut findings = Vec::new();
    let mut calls: Vec<(usize, Option<&str>, Option<&str>)> = Vec::new();
    for (at, _, line) in case.memberships() {
        let call = (at.report, line.room_id.as_deref(), line.call.as_deref());
        if !calls.contains(&call) {
            calls.push(call);
        }
    }
    for (report, room_id, call) in calls {
        let of_call = |line: &Ke4| line.room_id.as_deref() == room_id && line.call.as_deref() == call;
        let lines: Vec<_> = case.memberships().filter(|(at, _, line)| at.report == report && of_call(line)).collect();
        let failures: Vec<(EntryRef, u64, u64, Option<Ke4Kind>)> =
            lines.iter().filter_map(|(at, entry, line)| Some((*at, entry.ts.0, attempt(line)?, line.kind))).collect();
        let name = room_id.map_or("a call".to_owned(), |room_id| format!("the call in {room_id}"));
        let id = |finding: Finding| finding.id("roomId", room_id).id("call", call);
        if let Some(row) = failures.iter().map(|(_, _, attempt, _)| *attempt).max().filter(|row| *row >= ROW_MIN) {
            findings.push(id(timeouts(case, &name, row, &failures)));
        }
        // The SDK prints the end of a membership manager twice, in two of its classes.
        let mut has_stopped = false;
        for (at, entry, line) in &lines {
            let near: Vec<EntryRef> = failures
                .iter()
                .filter(|(_, ts, ..)| *ts <= entry.ts.0 && entry.ts.0 - ts <= REJOIN_WITHIN_MS)
                .map(|(at, ..)| *at)
                .collect();
            match line.kind {
                Some(Ke4Kind::ForcedRejoin) => {
                    let was_in = lines.iter().any(|(at, _, line)| near.contains(at) && keeps_alive(line));
                    findings.push(id(lost(&name, *at, &near, was_in)))
                }
                Some(Ke4Kind::Stopped) if !std::mem::replace(&mut has_stopped, true) => {
                    findings.push(id(stopped(&name, line.reason.as_deref(), *at, &near)))
                }
                _ => {}
            }
        }
    }
    findings
}

/// Attempts before this one in a row. matrix-js-sdk 43 prints none for a local timeout: it does not count them.
fn attempt(line: &Ke4) -> Option<u64> {
    line.attempt.or((line.kind == Some(Ke4Kind::LocalTimeout)).then_some(0))
}

/// Whether what failed kept a membership alive that was there already: the client puts a limit to restarts only, and only
/// these have a delayed event's id in their path.
fn keeps_alive(line: &Ke4) -> bool {
    line.kind == Some(Ke4Kind::LocalTimeout) || line.delay_id.is_some()
}

fn timeouts(case: Case<'_>, name: &str, row: u64, failures: &[(EntryRef, u64, u64, Option<Ke4Kind>)]) -> Finding {
    let kinds = |wanted: Ke4Kind| failures.iter().all(|(.., kind)| *kind == Some(wanted));
    let how = if kinds(Ke4Kind::LocalTimeout) {
        ", each because the client stopped waiting"
    } else if kinds(Ke4Kind::Gateway) {
        ", each with an answer of a gateway (502 or 504)"
    } else {
        ""
    };
    let from = failures.iter().map(|(_, ts, ..)| *ts).min().unwrap_or_default();
    let to = failures.iter().map(|(_, ts, ..)| *ts).max().unwrap_or_default();
    let at = failures.first().map_or(0, |(at, ..)| at.report);
    let held_up = case
        .reports
        .get(at)
        .and_then(|report| report.was_held_up(crypto_diag_core::Millis(from), crypto_diag_core::Millis(to)));
    let finding = Finding::new(
        Kind::DelayedEventTimeouts,
        Verdict::Proven,
        format!("In {name}, {} attempts in a row at one step of keeping the membership alive failed{how}.", row + 1),
    )
    .proves("No attempt succeeded between: the client's count begins anew after a success.")
    .does_not_prove("Whose fault it was: the homeserver, a gateway, the network or this client.")
    .needs(
        "the requests themselves, joined to the server's by delay id",
        "a HAR of the call, and server query `ke4-log`: arrived and slow means homeserver; arrived late or answered quickly means gateway or network",
    )
    .rests_on(failures.iter().map(|(at, ..)| *at));
    match held_up {
        Some(true) => finding.open("The page was hidden, frozen or offline meanwhile, which delays its own timers."),
        Some(false) => finding.ruled_out("A page that was hidden, frozen or offline meanwhile."),
        None => finding.open("The page may have been hidden, which delays its own timers."),
    }
}

/// `was_in`: the client had joined before, so that a membership was there to be lost. Whoever is just joining prints the
/// same words if another member's news comes before its own.
fn lost(name: &str, at: EntryRef, near: &[EntryRef], was_in: bool) -> Finding {
    let finding = Finding::new(
        Kind::MembershipLost,
        if was_in { Verdict::Proven } else { Verdict::Unknown },
        match near.len() {
            0 => format!("In {name}, the client did not see its own membership and joined again."),
            count => format!(
                "In {name}, the client did not see its own membership and joined again, after attempts to keep it alive had failed {} within a minute.",
                times(count)
            ),
        },
    )
    .does_not_prove("What removed the membership: the delayed leave event, another client, or a moderator.")
    .needs("which event removed it", "server query `ke4-memberships`")
    .rests_on(near.iter().copied().chain([at]));
    let finding = if near.is_empty() { finding.open("Another client of this user removed it.") } else { finding };
    if was_in {
        finding.proves("The membership that this client had kept alive was not among those that it knew any more.")
    } else {
        finding.open("The client was just joining: news of another member came before its own membership was stored.")
    }
}

fn stopped(name: &str, reason: Option<&str>, at: EntryRef, near: &[EntryRef]) -> Finding {
    let reason = reason.filter(|reason| *reason != "{}").map_or(String::new(), |reason| format!(": {reason}"));
    Finding::new(
        Kind::MembershipManagerStopped,
        Verdict::Proven,
        format!("In {name}, the client gave up its membership{reason}{}", if reason.ends_with('.') { "" } else { "." }),
    )
    .proves("The membership is no longer kept alive; others will see the participant leave.")
    .does_not_prove("Why the requests failed.")
    .needs("the requests themselves", "a HAR of the call, and server query `ke4-log`")
    .rests_on(near.iter().copied().chain([at]))
}

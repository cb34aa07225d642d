//! KE-2: messages wait on the server for a device that is there, and it does not fetch them.

mod looks;

use looks::{Look, empty_later, looks};

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page, exchange};
use crate::conclusion::Conclusion;
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::{Device, Subject};
use crate::synapse_log::Route;
use crate::verdict::{Evidence, Sentences, Verdict};

/// Two looks at an inbox this far apart say whether it drains: a device that is online fetches within a second.
const LOOKS_APART_MS: i64 = 5_000;

const STAYED: Premise = Premise {
    id: "backlog/stayed",
    says: "The oldest waiting message was there in two answers of the database five seconds apart.",
    rules_out: "The messages were on their way when the server was asked: each message waits for a moment.",
};

const AWAKE: Premise = Premise {
    id: "backlog/awake",
    says: "A page of the device was open, visible and online all that time.",
    rules_out: "The device slept, was offline, or its page was closed or loaded anew: what waits is fetched when it is back. Dehydrated devices hold a backlog by design.",
};

const NOT_PASSED: Premise = Premise {
    id: "backlog/not-passed",
    says: "No sync that the device sent until then carries a token behind the oldest waiting message, and each that was answered was \
           followed by one whose token still stands before it.",
    rules_out: "The answers are of a standby that lags behind: the device has those messages already; or it has just got them, and \
                its next sync, which would acknowledge them, is lost or goes on.",
};

const ASKED_MEANWHILE: Premise = Premise {
    id: "backlog/asked-meanwhile",
    says: "Between the two answers a sync of the device was sent and over, whose token stands before the oldest waiting message.",
    rules_out: "The device waits for one slow answer, as when it catches up after a night, and gets the messages with it; or it had no \
                connection for a moment.",
};

const EMPTY: Premise = Premise {
    id: "backlog/empty",
    says: "At a known time, later than each answer in which messages waited, the server was asked and none waited.",
    rules_out: "",
};

const FETCHED: Premise = Premise {
    id: "backlog/fetched",
    says: "A sync of the device, sent after the server was asked, acknowledges the newest message that waited.",
    rules_out: "",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::Backlog,
    needs: &[ArtefactKind::QueryResults],
    reads: &[ArtefactKind::Report, ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "device_inbox is one moment: a message waits in it until the device's next sync hands it over and the one after that \
               acknowledges it, by the to-device position, the 7th field of its token. That messages are not fetched follows from \
               the same row seconds later, if the device was awake meanwhile, and asked in vain: one of its syncs was sent and over in \
               between, and none stands behind the message. That syncs fail for a moment is no backlog: it looks the same as a \
               gateway that is loaded anew.",
    proven_by: &[&STAYED, &AWAKE, &NOT_PASSED, &ASKED_MEANWHILE],
    refuted_by: &[&EMPTY, &FETCHED],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    case.devices().iter().filter_map(|device| judge(case, device)).collect()
}

fn judge(case: &Case<'_>, device: &Device) -> Option<Verdict> {
    let label = device.label();
    let looks = looks(case, device);
    let last_look = looks.last()?;
    let report = case.pages_of(device).next().map(|page| page.report);
    let newest = looks.iter().rev().find(|look| look.at.is_some() && look.waiting.is_some());
    let syncs = syncs(case, device);
    // The oldest look at which that very message waited already.
    let oldest = newest.and_then(|newest| {
        let same =
            |look: &&Look| look.first() == newest.first() && newest.at.zip(look.at).is_some_and(|(new, old)| new > old);
        looks.iter().find(same)
    });
    let both = oldest.zip(newest);
    let are_apart = |(oldest, newest): &(&Look, &Look)| {
        newest.at.zip(oldest.at).is_some_and(|(new, old)| new - old >= LOOKS_APART_MS)
    };
    let stayed = both.filter(are_apart).map(|(oldest, newest)| vec![oldest.evidence.clone(), newest.evidence.clone()]);
    let times = both.and_then(|(oldest, newest)| oldest.moment().zip(newest.moment()));
    let awake =
        times.or_else(|| newest.and_then(Look::moment).map(|at| (at, at))).and_then(|span| awake(case, device, span));
    let passed = newest.is_some_and(|newest| has_passed(case, &syncs, newest));
    let asked = both.and_then(|(oldest, newest)| asked_in_vain(case, &syncs, oldest, newest));
    let later = newest.map_or_else(Vec::new, |newest| acknowledged_later(case, &syncs, newest));
    // Without a time there is nothing to ask of the device.
    let then = |need: Option<Need>| need.into_iter().filter(|_| newest.is_some()).collect::<Vec<_>>();
    let whose = || {
        let why = "whether its page was open and awake meanwhile";
        then(Some(Need::report(Whose::Device(device.clone()), ReportTime::AfterTheQuery, why)))
    };
    let proof = Proof::new(case)
        .evidence(newest.map(|look| look.evidence.clone()))
        .premise(&STAYED, stayed, || {
            vec![Need::query_twice(report, "ke2-inbox", "whether the same messages still wait")]
        })
        .premise(&AWAKE, awake, whose)
        .premise(&NOT_PASSED, !passed, Vec::new)
        .premise(&ASKED_MEANWHILE, asked, || {
            then(report.map(|report| Need::har(report, "the syncs of the device, while the server is asked")))
        })
        .unless("A later sync of the device that acknowledges the messages.", later.clone())
        .unless("A later answer of the database in which none waits.", empty_later(&looks).cloned());
    let none_waits = empty_later(&looks).or_else(|| newest.is_none().then_some(&last_look.evidence));
    let refutation = match none_waits {
        Some(evidence) => {
            let dated = empty_later(&looks).is_some();
            Proof::new(case).premise(&EMPTY, dated.then(|| evidence.clone()), Vec::new)
        }
        None => Proof::new(case).premise(&FETCHED, later.first().cloned(), Vec::new),
    };
    let count = newest.and_then(|look| look.waiting).map_or(0, |(count, ..)| count);
    let at = last_look.at.map_or(String::new(), |at| format!(" at {}", stamp::print(at)));
    let how_long = match (oldest, newest) {
        (Some(oldest), Some(newest)) => {
            let seconds = newest.at.zip(oldest.at).map_or(0, |(new, old)| (new - old) / 1_000);
            format!("the oldest was still there {seconds} s later")
        }
        _ => String::new(),
    };
    let sentences = Sentences {
        proven: format!("{count} messages wait for {label} and are not fetched: {how_long}."),
        refuted: match none_waits {
            Some(_) => format!("No message waited on the server for {label}{at}."),
            None => format!("The {count} messages that waited for {label} were fetched afterwards."),
        },
        unknown: match newest {
            Some(_) => format!(
                "{count} messages waited for {label} when the server was asked; whether they are being fetched cannot be told."
            ),
            None => format!(
                "Whether messages waited for {label} cannot be told: nobody wrote down when the server was asked."
            ),
        },
    };
    // What one answer says holds for its time; another may say otherwise of another time.
    let about = if empty_later(&looks).is_some() { format!("{label}{at}") } else { label.clone() };
    let subject = Subject { device: Some(device.clone()), ..Subject::default() };
    let verdict = Verdict::decide(case, Conclusion::Backlog, (about, subject), proof, Some(refutation), sentences)
        .how("How long it lasts: a connection that fails for seconds looks the same until the next look.");
    Some(verdict)
}

/// A sync: its HAR, its place there, and itself.
type Sync<'c> = (usize, &'c Har, usize, &'c Exchange);

/// The syncs of a device's browsers, by their start.
fn syncs<'c>(case: &'c Case<'_>, device: &Device) -> Vec<Sync<'c>> {
    let mut syncs: Vec<Sync<'c>> = Vec::new();
    for (index, har) in case.bundle.hars.iter().enumerate() {
        let of_page = case.pages_of(device).any(|page| page.hars.contains(&index));
        if of_page || har.device() == Some((&*device.user_id, &*device.device_id)) {
            let all = har.entries.iter().enumerate().filter(|(_, request)| request.route() == Route::Sync);
            syncs.extend(all.map(|(at, request)| (index, har, at, request)));
        }
    }
    syncs.sort_by_key(|(har, _, _, request)| (*har, request.start));
    syncs
}

/// A page of the device that was open and awake all that time.
fn awake(case: &Case<'_>, device: &Device, (from, to): (Moment, Moment)) -> Option<Evidence> {
    let was_there = |page: &&Page| {
        let begun = case.begun(page).is_some_and(|begun| case.clocks.is_before(begun, from));
        let made = page.watched(case.report(page)).is_some_and(|(_, made)| case.clocks.is_before(to, made));
        begun && made && case.was_awake(page, from, to)
    };
    let page = case.pages_of(device).find(was_there)?;
    let text = format!("report made {}", stamp::print(i64::try_from(case.report(page).generated_at.0).ok()?));
    Some(case.whole(page.report, &text, "the device's page was open, visible and online all that time"))
}

/// Whether a sync that was sent before a look, or may have been, carries a token behind the oldest message that waited then, or had an
/// answer that may have brought it: the next sync of its browser is not shown, or does not ask for it again.
fn has_passed(case: &Case<'_>, syncs: &[Sync<'_>], look: &Look) -> bool {
    let (Some(at), Some(first)) = (look.moment(), look.first()) else { return true };
    let is_later = |sync: &Sync<'_>| case.clocks.is_before(at, Moment::at(Clock::Har(sync.0), sync.3.start));
    let asks_for_it = |sync: &Sync<'_>| sync.3.acknowledged().is_some_and(|position| position < first);
    let asks_again = |sync: &Sync<'_>| {
        let is_next = |later: &Sync<'_>| later.0 == sync.0 && later.3.start >= sync.3.end();
        syncs.iter().any(|later| is_next(later) && asks_for_it(later))
    };
    let has_it = |sync: &Sync<'_>| {
        sync.3.acknowledged().is_some_and(|passed| passed >= first) || (sync.3.status == 200 && !asks_again(sync))
    };
    syncs.iter().any(|sync| !is_later(sync) && has_it(sync))
}

/// A sync that was sent and over between two looks, with a token before the oldest message that waited. A client has one sync under
/// way at a time, so that it does not wait for the answer to an earlier one.
fn asked_in_vain(case: &Case<'_>, syncs: &[Sync<'_>], oldest: &Look, newest: &Look) -> Option<Evidence> {
    let (from, to, first) = (oldest.moment()?, newest.moment()?, newest.first()?);
    let asked = syncs.iter().find(|sync| {
        let sent = Moment::at(Clock::Har(sync.0), sync.3.start);
        let answered = Moment::at(Clock::Har(sync.0), sync.3.end());
        case.clocks.is_before(from, sent)
            && case.clocks.is_before(answered, to)
            && sync.3.acknowledged().is_some_and(|position| position < first)
    })?;
    Some(exchange(asked.1, asked.2, "a sync of the device, whose token stands before the waiting messages"))
}

/// Syncs that were sent after a look and acknowledge what waited then.
fn acknowledged_later(case: &Case<'_>, syncs: &[Sync<'_>], look: &Look) -> Vec<Evidence> {
    let (Some(at), Some((_, _, last))) = (look.moment(), look.waiting) else { return Vec::new() };
    syncs
        .iter()
        .filter(|sync| {
            let sent = Moment::at(Clock::Har(sync.0), sync.3.start);
            sync.3.status == 200
                && sync.3.acknowledged().is_some_and(|passed| passed >= last)
                && case.clocks.is_before(at, sent)
        })
        .take(1)
        .map(|(_, har, index, _)| {
            exchange(har, *index, "a later sync of the device acknowledges the messages that waited")
        })
        .collect()
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;
    use serde_json::{Value, json};

    const ALICE: (&str, &str) = ("@alice-6:localhost", "NUYKVAQNAJ");
    // An hour after the recorded report, by the page's clock and the server's, which agree to some milliseconds.
    const ASKED: i64 = 1_795_474_391_585 + 3_600_000;

    /// A recorded call whose server is asked an hour later. Times are relative to that: when it was asked and what waited,
    /// when the report was made, and the syncs of the browser with their position and status.
    struct Later<'a> {
        looks: &'a [(Option<i64>, &'a [i64])],
        report: i64,
        syncs: &'a [(i64, i64, u16)],
    }
    let later = |name: &str, story: Later<'_>| {
        let looks: Vec<Value> = story
            .looks
            .iter()
            .map(|(after, positions)| {
                let row = |position: &i64| json!({"user_id": ALICE.0, "device_id": ALICE.1, "stream_id": position});
                let mut table = json!({"name": "device_inbox", "params": [ALICE.0], "rows": positions.iter().map(row).collect::<Vec<_>>()});
                if let Some(after) = after {
                    table["at"] = json!(ASKED + after);
                }
                table
            })
            .collect();
        let syncs: Vec<(i64, i64, u16)> = story.syncs.to_vec();
        History::recorded("healthy-key-exchange", name)
            .without("queries.json")
            .file("queries.json", json!(looks).to_string())
            .edit("victim.report.json", |report| report["generatedAt"] = json!(ASKED + story.report))
            .edit("victim.har", |har| {
                let entries = har["log"]["entries"].as_array_mut().expect("a list");
                for (after, position, status) in syncs {
                    let started = jiff::Timestamp::from_millisecond(ASKED + after).expect("a time").to_string();
                    let url = format!("http://localhost/_matrix/client/v3/sync?timeout=30000&since=s31_1_0_1_1_1_{position}_13_0_1_2_1_1");
                    entries.push(json!({"startedDateTime": started, "time": 300.0, "request": {"method": "GET", "url": url}, "response": {"status": status}}));
                }
            })
    };
    let waiting: &[i64] = &[900];
    let both: &[i64] = &[900, 901];
    let stays = [(Some(0), waiting), (Some(6_500), both)];
    let pending = [(-2_000, 899, 200), (1_500, 899, 200), (1_900, 899, 0)];
    vec![
        later("messages stay while the page is open", Later { looks: &stays, report: 10_000, syncs: &pending })
            .proves("backlog", ALICE.1),
        History::recorded("backlog-stuck", "a page whose syncs get no answer").proves("backlog", "VGPTGOKMGT"),
        later(
            "the gateway is loaded anew while the server is asked, and four syncs in a row fail",
            Later {
                looks: &[(Some(0), waiting)],
                report: 1_000,
                syncs: &[(-900, 899, 0), (-800, 899, 0), (-700, 899, 0), (-600, 899, 0)],
            },
        )
        .never_proves("backlog", ""),
        later(
            "the page catches up, and one sync takes its time",
            Later { looks: &stays, report: 10_000, syncs: &[(-2_000, 899, 0)] },
        )
        .never_proves("backlog", ""),
        later(
            "the page may have been closed before the server was asked",
            Later { looks: &stays, report: -5_000, syncs: &pending },
        )
        .never_proves("backlog", ""),
        later("the page was there at the first look alone", Later { looks: &stays, report: 3_000, syncs: &pending })
            .never_proves("backlog", ""),
        later("the lid was closed", Later { looks: &stays, report: 10_000, syncs: &pending })
            .edit("victim.report.json", |report| {
                report["capture"]["pageEvents"] = json!([{"ts": ASKED - 1_000, "event": "freeze"}]);
            })
            .never_proves("backlog", ""),
        later(
            "two looks that are close together",
            Later { looks: &[(Some(0), waiting), (Some(3_000), waiting)], report: 10_000, syncs: &pending },
        )
        .never_proves("backlog", ""),
        later(
            "a standby lags behind",
            Later { looks: &stays, report: 10_000, syncs: &[(-2_000, 905, 200), (1_500, 905, 200)] },
        )
        .never_proves("backlog", ""),
        later(
            "a standby lags behind, and another tab starts from the token that it had saved",
            Later { looks: &stays, report: 10_000, syncs: &[(-2_000, 905, 200), (1_500, 899, 0)] },
        )
        .never_proves("backlog", ""),
        later(
            "the page catches up, and the sync that it sent meanwhile takes its time",
            Later { looks: &stays, report: 10_000, syncs: &[(-2_000, 899, 200), (1_500, 899, 0)] },
        )
        .edit("victim.har", |har| {
            let entries = har["log"]["entries"].as_array_mut().expect("a list");
            entries.last_mut().expect("the sync")["time"] = json!(8_000.0);
        })
        .never_proves("backlog", ""),
        later(
            "the page gets the messages meanwhile, and its next sync goes on",
            Later { looks: &stays, report: 10_000, syncs: &[(-2_000, 899, 200), (1_500, 899, 200)] },
        )
        .never_proves("backlog", ""),
        later("nobody knows what the device asked for", Later { looks: &stays, report: 10_000, syncs: &[] })
            .never_proves("backlog", ""),
        later(
            "the messages are fetched a second later",
            Later {
                looks: &[(Some(0), waiting)],
                report: 10_000,
                syncs: &[(-2_000, 899, 200), (500, 899, 200), (1_100, 900, 200)],
            },
        )
        .never_proves("backlog", "")
        .refutes("backlog", ALICE.1),
        later(
            "what waited is gone at the second look",
            Later { looks: &[(Some(0), waiting), (Some(6_500), &[])], report: 10_000, syncs: &pending },
        )
        .refutes("backlog", ALICE.1),
        later("an empty answer of no known time", Later { looks: &[(None, &[])], report: 10_000, syncs: &pending })
            .never_proves("backlog", "")
            .never_refutes("backlog", ""),
        History::recorded("backlog-drains", "a device that was offline fetches everything when it is back")
            .never_proves("backlog", "")
            .refutes("backlog", "ZAGNTSSQAJ"),
    ]
}

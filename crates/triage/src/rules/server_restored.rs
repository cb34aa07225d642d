//! One one-time key was given out twice: the server's database went back in time.

use std::collections::{BTreeMap, BTreeSet};

use crypto_diag_analysis::evidence::ke1::counter;

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::coverage::Absence;
use crate::case::ledger::{KeyClaim, Upload};
use crate::conclusion::Conclusion;
use crate::moment::{Clock, Moment};
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::synapse_log::{Route, ServerLog};
use crate::verdict::{Sentences, Verdict};

const NOT_UPLOADED: Premise = Premise {
    id: "server-restored/not-uploaded-between",
    says: "Every upload of that id that the logs show was answered before both claims or began after both, in an order that \
           holds: by lines within one process's log, by measured clocks between logs.",
    rules_out: "The id was used again: the key that was given out second is another one.",
};

const COVERED: Premise = Premise {
    id: "server-restored/uploads-shown",
    says: "The logs would show an upload by anybody between the two claims.",
    rules_out: "The id was used again, and the upload stands in a log that is missing.",
};

const OWN_SERVER: Premise = Premise {
    id: "server-restored/own-server",
    says: "The log that shows the claims shows requests of the device's own user as well.",
    rules_out: "The device is of another homeserver, whose answers Synapse logs likewise: its uploads went there, and the id was used \
                again.",
};

const NOT_A_FALLBACK: Premise = Premise {
    id: "server-restored/no-fallback-key",
    says: "The device's fallback keys, as the database had them after both claims, have lower ids.",
    rules_out: "It is a fallback key, which is given out again and again.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::ServerRestored,
    needs: &[ArtefactKind::ServerLog],
    reads: &[ArtefactKind::Har, ArtefactKind::QueryResults],
    argument: "Synapse deletes a one-time key as it gives it out. If one id is given out twice and was not uploaded in between, \
               the deleted row came back. Fallback keys are counted apart and stay, so the id must be beyond any that the \
               device's fallback keys had by then.",
    proven_by: &[&NOT_UPLOADED, &COVERED, &OWN_SERVER, &NOT_A_FALLBACK],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let devices = case.devices();
    let mut by_key: BTreeMap<(&Device, &str), Vec<&KeyClaim>> = BTreeMap::new();
    for claim in case.ledger.claims.iter().filter(|claim| devices.contains(&claim.device)) {
        let claims = by_key.entry((&claim.device, &claim.key_id)).or_default();
        // A log that was given twice, or parts of one that overlap: one line, with its time and its request, is one claim.
        let same = |known: &&KeyClaim| {
            (known.at.earliest, &known.evidence.quote) == (claim.at.earliest, &claim.evidence.quote)
        };
        if !claims.iter().any(same) {
            claims.push(claim);
        }
    }
    by_key.into_iter().filter_map(|((device, key_id), claims)| verdict(case, device, key_id, &claims)).collect()
}

fn verdict(case: &Case<'_>, device: &Device, key_id: &str, claims: &[&KeyClaim]) -> Option<Verdict> {
    // Claims that an upload certainly lies between are two keys' own; the first pair that may be one key's is judged.
    let pairs = || claims.windows(2).map(|pair| (pair[0], pair[1]));
    let (first, second) = pairs()
        .find(|(first, second)| proof(case, first, second).result().is_ok())
        .or_else(|| pairs().find(|(first, second)| !between(case, first, second)))?;
    if is_fallback(case, first, second) == Some(true) {
        return None;
    }
    let label = device.label();
    let sentences = Sentences {
        proven: format!(
            "One-time key {key_id} of {label} was given out twice without having been uploaded again: the server's database \
             went back in time."
        ),
        unknown: format!("Whether one key {key_id} of {label} was given out twice cannot be told."),
        ..Sentences::default()
    };
    let subject = Subject { device: Some(device.clone()), key_ids: vec![key_id.to_owned()], ..Subject::default() };
    let about = (format!("{label} {key_id}"), subject);
    Some(Verdict::decide(case, Conclusion::ServerRestored, about, proof(case, first, second), None, sentences))
}

fn proof(case: &Case<'_>, first: &KeyClaim, second: &KeyClaim) -> Proof {
    let report = case.pages_of(&first.device).next().map(|page| page.report);
    let (from, to) = if case.clocks.is_before(second.at, first.at) { (second, first) } else { (first, second) };
    let absence = Absence { route: Route::KeysUpload, page: None, answered: false, from: from.at, to: to.at };
    let apart = uploads(case, first).all(|upload| is_apart(case, upload, first, second));
    Proof::new(case)
        .evidence([first.evidence.clone(), second.evidence.clone()])
        .premise(&NOT_UPLOADED, apart, || vec![Need::log(report, "the order of uploads and claims")])
        .premise(&COVERED, case.would_show(&absence).is_ok(), || {
            let log = Need::log(report, "every upload between the two claims");
            report.map(|report| Need::har(report, "requests to measure the log by")).into_iter().chain([log]).collect()
        })
        .premise(&OWN_SERVER, is_of_own_server(case, first) && is_of_own_server(case, second), || {
            vec![Need::log(report, "the log of the device's own homeserver")]
        })
        .premise(&NOT_A_FALLBACK, is_fallback(case, first, second) == Some(false), || {
            vec![Need::query(report, "ke1-fallback-keys", "whether the id is that of a fallback key")]
        })
}

/// Whether an upload was answered before both claims, or began after both.
fn is_apart(case: &Case<'_>, upload: &Upload, first: &KeyClaim, second: &KeyClaim) -> bool {
    let ordered = |moment: Moment, claim: &KeyClaim| {
        let mut claimed = claim.at;
        if let Clock::Log(log) = claimed.clock
            && !is_one_process(&case.bundle.logs[log])
        {
            // Processes that share a file write into it when they please.
            claimed.place = None;
        }
        case.clocks.order(moment, claimed)
    };
    let before = |claim: &KeyClaim| ordered(upload.stored, claim) == Some(std::cmp::Ordering::Less);
    let after = |claim: &KeyClaim| ordered(upload.asked, claim) == Some(std::cmp::Ordering::Greater);
    (before(first) && before(second)) || (after(first) && after(second))
}

/// Whether the log of a claim is of the server to which the device's user sends requests.
fn is_of_own_server(case: &Case<'_>, claim: &KeyClaim) -> bool {
    let Clock::Log(log) = claim.at.clock else { return false };
    case.bundle.logs[log].requests.iter().any(|request| request.user_id.as_ref() == Some(&claim.device.user_id))
}

fn is_one_process(log: &ServerLog) -> bool {
    let sources: BTreeSet<&str> = log.processes.iter().map(|process| process.source.as_str()).collect();
    sources.len() <= 1
}

/// The uploads of a claim's id that the server did not refuse.
fn uploads<'c>(case: &'c Case<'_>, claim: &'c KeyClaim) -> impl Iterator<Item = &'c Upload> {
    case.ledger.logged_uploads(&claim.device, &claim.key_id)
}

/// Whether an accepted upload of the id lies between the two claims for certain.
fn between(case: &Case<'_>, first: &KeyClaim, second: &KeyClaim) -> bool {
    uploads(case, first)
        .any(|upload| case.clocks.is_before(first.at, upload.asked) && case.clocks.is_before(upload.stored, second.at))
}

/// Whether the id may be that of a fallback key; `None` where no query after both claims says.
fn is_fallback(case: &Case<'_>, first: &KeyClaim, second: &KeyClaim) -> Option<bool> {
    let rows = case.bundle.queries.iter().flat_map(|results| &results.fallback_keys);
    let of_device = rows.filter(|row| {
        row.user_id.as_deref() == Some(&*first.device.user_id)
            && row.device_id.as_deref() == Some(&*first.device.device_id)
    });
    // Fallback keys are numbered from 0 and replaced by the next: earlier ones had lower ids than the present one.
    let later = of_device.filter(|row| {
        row.read_at.map(|at| Moment::at(Clock::Database, at)).is_some_and(|read| {
            let after = |claim: &KeyClaim| case.clocks.is_before(claim.at, read);
            after(first) && after(second)
        })
    });
    let newest = later.filter_map(|row| counter(&row.key_id)).max()?;
    let bare = first.key_id.split_once(':').map_or(first.key_id.as_str(), |(_, bare)| bare);
    Some(counter(bare)? <= newest)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use super::conflict::tests::{goes_on, started};
    use crate::history::History;

    const CLAIM: &str = "2026-11-20 11:00:00,000 - synapse.handlers.e2e_keys - 819 - INFO - POST-2000 - Claimed one-time-keys: signed_curve25519:AAAAAAAAAJY for @alice:example.org:QWERTYALIC\n";
    let after = |log: &str, lines: &str| {
        assert!(log.contains(CLAIM), "the log has the claim");
        log.replace(CLAIM, &format!("{CLAIM}{lines}"))
    };
    let again = CLAIM.replace("11:00:00,000", "11:00:00,500").replace("POST-2000", "POST-2900");
    let upload = |time: &str, at: i64| {
        format!(
            "2026-11-20 {time} - synapse.handlers.e2e_keys - 955 - INFO - POST-2800 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAJY']) for device 'QWERTYALIC' for user '@alice:example.org' at {at}\n\
             2026-11-20 {time} - synapse.access.http.8008 - 643 - INFO - POST-2800 - 203.0.113.7 - 8008 - {{@alice:example.org}} Processed request: 0.001sec/0.000sec ru=(0.002sec, 0.000sec) db=(0.001sec/0.003sec/3) 120B 200 \"POST /_matrix/client/v3/keys/upload HTTP/1.1\" \"UA\" [0 dbevts]\n"
        )
    };
    let world = |name: &str| History::world("12-fallback-rotated-after-the-query", name);
    let asked_late = |history: History| {
        history.edit("queries.json", |tables| {
            tables[0]["at"] = 1_795_197_645_000_i64.into();
            tables[0]["rows"][0]["key_id"] = "AAAAAAAAAAE".into();
        })
    };
    // The log of a server that is one process, and that goes on for long enough after the claims.
    let whole = |log: &str| {
        let log = log
            .replace("2026-11-20 11:01:40,", "2026-11-20 11:00:50,")
            .replace("2026-11-20 11:15:00,", "2026-11-20 11:00:51,");
        let (head, rest) = log.split_at(log.find(CLAIM).expect("the claim"));
        let last = rest.find("2026-11-20 11:00:51,").expect("the last claim");
        let (claims, rest) = rest.split_at(last + rest[last..].find('\n').expect("a line") + 1);
        format!("{head}{}{claims}{}{rest}", started("2026-11-20 10:59:59"), goes_on("2026-11-20 11", 1))
    };
    let twice = {
        let again = again.clone();
        move |log: &str| after(log, &again)
    };
    // The time of that line is before the first claim's: the clock was set back.
    let (backwards, in_time) = (upload("10:59:59,900", 1_795_172_399_900), upload("11:00:00,200", 1_795_172_400_200));
    let with = |upload: String| {
        let again = again.clone();
        move |log: &str| after(log, &format!("{upload}{again}"))
    };
    vec![
        asked_late(world("the database was set back between two claims"))
            .rewrite("homeserver.log", twice.clone())
            .rewrite("homeserver.log", whole)
            .proves("server-restored", "AAAAAAAAAJY")
            .never_proves("server-restored", "AAAAAAAAAAE"),
        asked_late(world("the device is of another homeserver, and its store was set back between two claims"))
            .rewrite("homeserver.log", |log| {
                let elsewhere = log.replace("{@alice:example.org}", "{@eve:example.org}");
                elsewhere.replace("for user '@alice:example.org'", "for user '@eve:example.org'")
            })
            .rewrite("homeserver.log", twice.clone())
            .rewrite("homeserver.log", whole)
            .never_proves("server-restored", ""),
        world("a fallback key is given out twice, and the query is older")
            .rewrite("homeserver.log", whole)
            .never_proves("server-restored", ""),
        asked_late(world("a fallback key is given out twice, and the query says so"))
            .rewrite("homeserver.log", whole)
            .never_proves("server-restored", ""),
        asked_late(world("the id was used again, and the upload stands in a worker's log that is missing"))
            .rewrite("homeserver.log", twice)
            .never_proves("server-restored", ""),
        asked_late(world("the id was used again between the claims"))
            .rewrite("homeserver.log", with(in_time))
            .rewrite("homeserver.log", whole)
            .never_proves("server-restored", ""),
        asked_late(world("the id was used again, and the clock was set back in between"))
            .rewrite("homeserver.log", with(backwards))
            .rewrite("homeserver.log", whole)
            .never_proves("server-restored", ""),
        asked_late(world("the id was used again, as the log of another worker 150 ms apart says"))
            .rewrite("homeserver.log", |log| after(log, &again))
            .file("generic_worker1.log", upload("10:59:59,950", 1_795_172_399_950))
            .never_proves("server-restored", ""),
        History::recorded("healthy-key-exchange", "a log holds its lines twice")
            .rewrite("homeserver.log.txt", |log| format!("{log}{log}"))
            .never_proves("server-restored", ""),
        History::recorded("healthy-key-exchange", "a log is given beside its copy")
            .copy("homeserver.log.txt", "copy.log")
            .never_proves("server-restored", ""),
    ]
}

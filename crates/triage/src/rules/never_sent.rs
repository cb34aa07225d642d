//! KE-2: another client sent its media key to others and never to this device.

use crypto_diag_analysis::sorted::sort_by_key;

use super::Rule;
use super::sent::{self, Sent};
use crate::case::watch::STARTED_WITHIN_MS;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{ArtefactKind, Evidence, Sentences, Verdict};
use crypto_diag_analysis::facts::{MissingKeys, device_of};

/// A report keeps the newest batches; with fewer than this, none was given up.
const BATCHES_WHOLE: usize = 100;

/// A key is late by moments: the list must go on for this long after the error.
const SETTLED_MS: i64 = 60_000;

const WATCHED: Premise = Premise {
    id: "never-sent/watched",
    says: "A page of the sender was watched from its beginning on, without Clear, from before the key was missing until a minute after it.",
    rules_out: "The key was sent before the capture began, or before Clear was pressed, or moments later, or by a page whose report is not there.",
};

const WHOLE: Premise = Premise {
    id: "never-sent/whole-list",
    says: "Its list of batches is whole: the lines that say them were captured, none was given up, and each names all its devices.",
    rules_out: "The batch for this device is one that the report does not hold.",
};

const SAME_CALL: Premise = Premise {
    id: "never-sent/same-call",
    says: "Before the key was missing that page sent a media key to a device that opened it, and this device opened one of that device's: the page holds this very call.",
    rules_out: "The call is in another tab of the sender, and what this page sent was for another call, or was no media key.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::NeverSent,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "matrix-js-sdk prints each batch of to-device messages with the devices that it is for. A device that is in none of \
               them was never sent to, as far as these lists reach: they begin with the capture or with Clear, and they are those \
               of one page, while a call may be in another one.",
    proven_by: &[&WATCHED, &WHOLE, &SAME_CALL],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let all = sent::all(case);
    let mut verdicts: Vec<Verdict> = Vec::new();
    for page in &case.pages {
        let Some(receiver) = &page.device else { continue };
        for keys in &case.readings[page.report].facts.missing_keys {
            let Some(participant) = &keys.participant else { continue };
            let (Some(user), Some(device)) = (&participant.user_id, &participant.device_id) else { continue };
            let sender = Device::new(user, device);
            let about = format!("{} from {}", receiver.label(), sender.label());
            if verdicts.iter().all(|known| known.about != about) {
                verdicts.extend(judge(case, &all, (page, receiver), &sender, keys));
            }
        }
    }
    verdicts
}

fn judge(
    case: &Case<'_>,
    all: &[Sent],
    (page, receiver): (&Page, &Device),
    sender: &Device,
    keys: &MissingKeys,
) -> Option<Verdict> {
    let first = *keys.entries.first()?;
    let missed = case.printed(page.report, first)?;
    let mut pages: Vec<&Page> = case.pages_of(sender).collect();
    // The page that fits best speaks for the verdict; those that were not given speak in the premises' stead.
    sort_by_key(&mut pages, |page| {
        let facts =
            [watched(case, page, missed), whole(case, page), same_call(case, all, page, receiver, missed).is_some()];
        std::cmp::Reverse(facts.into_iter().filter(|holds| *holds).count())
    });
    let peer = pages.first().copied();
    let ask = |why: &str| vec![Need::report(Whose::Device(sender.clone()), ReportTime::CaptureBefore, why)];
    let call = peer.and_then(|peer| same_call(case, all, peer, receiver, missed));
    let list = peer.map(|peer| {
        let count = case.report(peer).sent.len();
        let text = format!("{count} batches, none of them for {}", receiver.label());
        case.whole(peer.report, &text, "all that this page of the sender queued")
    });
    let to_us = all.iter().filter(|message| message.sender.as_ref() == Some(sender) && message.target == *receiver);
    let to_us: Vec<Evidence> = to_us.map(|message| message.evidence.clone()).collect();
    // A key of the sender that this device opened was sent: what is left is whether it was late.
    let opened = sent::deliveries(case).iter().any(|delivery| {
        let line = delivery.line;
        let device =
            device_of(&case.bundle.reports[delivery.report], line.sender.as_deref(), line.sender_key.as_deref());
        case.pages[delivery.report].device.as_ref() == Some(receiver)
            && line.sender.as_deref().is_none_or(|user| user == sender.user_id)
            && device.is_none_or(|device| device == sender.device_id)
    });
    if opened {
        return None;
    }
    // Whatever brought it, the sender handed it out.
    let set = case.pages_of(receiver).flat_map(|page| {
        let others = case.readings[page.report].facts.call.iter().flat_map(|call| &call.others);
        let sets = others.filter(|other| {
            (other.user_id.as_deref(), other.device_id.as_deref()) == (Some(&*sender.user_id), Some(&*sender.device_id))
        });
        sets.flat_map(|other| &other.key_sets).map(move |set| {
            let index = set.key_index.map_or_else(String::new, |index| format!(" at index {index}"));
            let text = format!("a key of {} was set{index}", sender.label());
            let piece = case.whole(page.report, &text, "LiveKit's worker was given a key of the sender here");
            Evidence { at: i64::try_from(set.ts.0).ok(), ..piece }
        })
    });
    let proof = Proof::new(case)
        .evidence(case.entry(page.report, first, "the sender's key was missing here"))
        .premise(&WATCHED, peer.is_some_and(|peer| watched(case, peer, missed)), || {
            ask("the devices that it sent its keys to, since before the call")
        })
        .premise(
            &WHOLE,
            peer.is_none_or(|peer| whole(case, peer)).then(|| list.into_iter().collect::<Vec<_>>()),
            || ask("all batches, by a capture that watches console.info"),
        )
        .premise(&SAME_CALL, call, || {
            ask("the batches of the page that holds the call; and a report of a device that hears both")
        })
        .unless(
            "A batch of the sender, in any of its reports or requests, that lists this device.",
            to_us.into_iter().take(3),
        )
        .unless("A key of the sender that a page of this device was given.", set.take(1));
    let sentences = Sentences {
        proven: format!(
            "{} sent its media keys to others in the call and never to {}.",
            sender.label(),
            receiver.label()
        ),
        refuted: String::new(),
        unknown: format!("Whether {} ever sent its media key to {} cannot be told.", sender.label(), receiver.label()),
    };
    let subject = Subject {
        device: Some(receiver.clone()),
        peer: Some(sender.clone()),
        participant: keys.participant.as_ref().map(|participant| participant.identity.clone()),
        key_index: keys.key_index,
        ..Subject::default()
    };
    let about = (format!("{} from {}", receiver.label(), sender.label()), subject);
    let verdict = Verdict::decide(case, Conclusion::NeverSent, about, proof, None, sentences)
        .how("Why: another device list, or no membership of this device in the sender's eyes.")
        .follows(Conclusion::MediaKeyMissing);
    Some(verdict)
}

/// Whether a page was watched from its beginning, before a time, until a minute after it.
fn watched(case: &Case<'_>, page: &Page, missed: Moment) -> bool {
    let report = case.report(page);
    let capture = &report.capture;
    let (Some(origin), Some(installed)) = (capture.time_origin, capture.installed_at) else { return false };
    let late = i64::try_from(installed.0.saturating_sub(origin.0)).unwrap_or(i64::MAX);
    let from_the_beginning = late <= STARTED_WITHIN_MS && capture.cleared_at.is_none();
    let Some((_, made)) = page.watched(report) else { return false };
    let settled = Moment { latest: missed.latest.saturating_add(SETTLED_MS), ..missed };
    from_the_beginning
        && case.begun(page).is_some_and(|begun| case.clocks.is_before(begun, missed))
        && case.clocks.is_before(settled, made)
}

/// Whether a page's list of batches is whole.
fn whole(case: &Case<'_>, page: &Page) -> bool {
    case.shows_batches(page) && case.report(page).sent.len() < BATCHES_WHOLE
}

/// A media key that a page sent to a third device before a time, where this device opened one of that third device's.
fn same_call(case: &Case<'_>, all: &[Sent], page: &Page, receiver: &Device, missed: Moment) -> Option<Vec<Evidence>> {
    let deliveries = sent::deliveries(case);
    let of_page = all.iter().filter(|message| message.report == Some(page.report) && message.target != *receiver);
    for message in of_page {
        let queued = message.evidence.at.map(|at| Moment::at(page.clock(), at))?;
        let Some(opened) = sent::media_key(case, all, message).filter(|_| case.clocks.is_before(queued, missed)) else {
            continue;
        };
        let heard = deliveries.iter().find(|delivery| {
            let report = &case.bundle.reports[delivery.report];
            let line = delivery.line;
            let device = device_of(report, line.sender.as_deref(), line.sender_key.as_deref());
            case.pages[delivery.report].device.as_ref() == Some(receiver)
                && line.sender.as_deref() == Some(&*message.target.user_id)
                && device == Some(&*message.target.device_id)
        });
        if let Some(heard) = heard {
            let says = "this device opened a media key of that third device";
            let heard = case.entry(heard.report, heard.entry, says);
            return Some([message.evidence.clone(), opened].into_iter().chain(heard).collect());
        }
    }
    None
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage, delivered, missing};
    use crypto_diag_core::Level;
    use serde_json::{Value, json};

    // A recorded call: its victim and its peer have their clocks measured against the server's.
    const ALICE: (&str, &str) = ("@alice-6:localhost", "NUYKVAQNAJ");
    const BOB: (&str, &str) = ("@bob-6:localhost", "HDMZKZPGBB");
    const CAROL: (&str, &str) = ("@carol:localhost", "CAROL");
    const BOB_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";
    const CAROL_KEY: &str = "5zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";

    let entry = |report: &Value, after: u64, ke: &str, meaning: &str, text: &str| {
        let ts = report["capture"]["installedAt"].as_u64().expect("a time") + after;
        json!({"ts": ts, "level": "warn", "ke": ke, "signature": "s", "message": text, "meaning": meaning,
               "realm": {"kind": "main", "path": null}})
    };
    // Alice misses Bob's key and hears Carol; Bob queued a key for Carol alone, which she opened.
    let story = |name: &str, heard: bool, carol_opened: bool| {
        let mut carol = MadeUpPage::new(CAROL, 1_795_474_380_000, 1_795_474_400_000);
        if carol_opened {
            carol = carol.line(1_795_474_390_000, Level::Warn, &delivered((BOB.0, BOB_KEY), "for-carol"));
        }
        History::recorded("healthy-key-exchange", name)
            .edit("victim.report.json", |report| {
                let mut entries = vec![entry(report, 7_000, "KE-2", "transient", &missing(&format!("{}:{}", BOB.0, BOB.1), 0))];
                if heard {
                    entries.push(entry(report, 3_000, "KE-2", "delivered", &delivered((CAROL.0, CAROL_KEY), "m1")));
                }
                report["entries"] = entries.into();
                let carol = json!({"userId": CAROL.0, "deviceId": CAROL.1, "curve25519": CAROL_KEY, "ed25519": null, "verified": null});
                report["crypto"] = json!({"ownDeviceKeys": null, "devices": [carol]});
            })
            .edit("peer.report.json", |report| {
                report["generatedAt"] = (report["generatedAt"].as_u64().expect("a time") + 120_000).into();
                report["sent"][0]["targets"] = json!([{"userId": CAROL.0, "deviceId": CAROL.1, "messageId": "for-carol"}]);
            })
            .rewrite("peer.har", |har| har.replace(ALICE.1, "ELSEWHERE"))
            .file("carol.report.json", carol.json())
    };
    let about = "NUYKVAQNAJ from @bob-6:localhost/HDMZKZPGBB";
    vec![
        story("Bob's client sends its key to Carol and never to Alice", true, true).proves("never-sent", about),
        story("Bob's page was cleared before the report", true, true)
            .edit("peer.report.json", |report| {
                report["capture"]["clearedAt"] = report["capture"]["installedAt"].clone();
            })
            .never_proves("never-sent", ""),
        story("Bob's report is made a moment after the error", true, true)
            .edit("peer.report.json", |report| {
                report["generatedAt"] = (report["generatedAt"].as_u64().expect("a time") - 120_000).into();
            })
            .never_proves("never-sent", ""),
        story("Bob's capture began in the middle of the page's life", true, true)
            .edit("peer.report.json", |report| {
                let origin = report["capture"]["timeOrigin"].as_u64().expect("a time");
                report["capture"]["timeOrigin"] = (origin - 60_000).into();
            })
            .never_proves("never-sent", ""),
        story("Bob's capture did not watch console.info", true, true)
            .edit("peer.report.json", |report| {
                report["capture"]["hooks"].as_array_mut().expect("a list").retain(|hook| hook["method"] != "info");
            })
            .never_proves("never-sent", ""),
        story("the devices of one of Bob's batches are not all listed", true, true)
            .edit("peer.report.json", |report| report["sent"][0]["omitted"] = 1.into())
            .never_proves("never-sent", ""),
        story("what Bob's page sent was a whiteboard's message", true, false).never_proves("never-sent", ""),
        story("Bob's page is in another call, with Carol alone", false, true).never_proves("never-sent", ""),
        story("Bob's key comes late", true, true)
            .edit("victim.report.json", |report| {
                let late = entry(report, 7_300, "KE-2", "delivered", &delivered((BOB.0, BOB_KEY), "late"));
                report["entries"].as_array_mut().expect("a list").push(late);
            })
            .never_proves("never-sent", ""),
        story("Bob's client sent its key in another way, and Alice's page has it", true, true)
            .edit("victim.report.json", |report| {
                let fact = json!({"ts": report["generatedAt"], "what": "key-set", "participant": format!("{}:{}", BOB.0, BOB.1), "keyIndex": 0});
                report["call"] = json!({"streams": [], "omitted": 0, "session": null, "facts": [fact]});
            })
            .never_proves("never-sent", ""),
        story("Bob's other tab sent the key", true, true)
            .file(
                "bob-tab-2.report.json",
                MadeUpPage::new(BOB, 1_795_474_380_000, 1_795_474_400_000)
                    .but(|report| {
                        let batch = json!({"ts": 1_795_474_389_000_u64, "type": "m.room.encrypted", "txnid": "m2.0", "omitted": 0,
                            "targets": [{"userId": ALICE.0, "deviceId": ALICE.1, "messageId": "for-alice"}]});
                        report.sent = vec![serde_json::from_value(batch).expect("a batch")];
                    })
                    .json(),
            )
            .never_proves("never-sent", ""),
    ]
}

//! KE-2: another client sent its media key to others and never to this device.

use crypto_diag_analysis::sorted::{distinct, sort_by_key};

use super::heard;
use super::rule::Rule;
use super::sent::{self, Sent};
use crate::artefact::ArtefactKind;
use crate::case::watch::STARTED_WITHIN_MS;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{Evidence, Sentences, Verdict};
use crypto_diag_analysis::facts::{MissingKeys, device_of};

/// A report keeps the newest batches; with fewer than this, none was given up.
const BATCHES_WHOLE: usize = 100;

/// A key is late by moments: the list must go on for this long after the error.
const SETTLED_MS: i64 = 60_000;

const MISSED: Premise = Premise {
    id: "never-sent/missed",
    says: "A line of a page of this device says that the sender's media key was missing there.",
    rules_out: "The device needs no key of it: it has just joined, or is left out on purpose; its own report would tell.",
};

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
    says: "Both pages have joined the call of one room, the sender's under the name that the line says, and neither is in another one. By the clock of \
           the homeserver of both, both devices had joined before the key was missing. Before that, too, the sender's page sent a media key to a \
           third device, which opened it.",
    rules_out: "The call is in another tab of either device, and what this page sent was for another call, or was no media key.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::NeverSent,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog],
    argument: "matrix-js-sdk prints each batch of to-device messages with the devices that it is for. A device that is in none of \
               them was never sent to, as far as these lists reach: they begin with the capture or with Clear, and they are those \
               of one page, while a call may be in another one.",
    proven_by: &[&MISSED, &WATCHED, &WHOLE, &SAME_CALL],
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
    for page in &case.pages {
        for verdict in left_out(case, &all, page) {
            if verdicts.iter().all(|known| known.about != verdict.about) {
                verdicts.push(verdict);
            }
        }
    }
    verdicts
}

/// The members of a page's call for whom none of its batches was, while others got some. That they miss a key only they can say.
fn left_out(case: &Case<'_>, all: &[Sent], page: &Page) -> Vec<Verdict> {
    let session = case.report(page).call.as_ref().and_then(|call| call.session.as_ref());
    let is_whole = is_from_the_beginning(case, page) && whole(case, page) && heard::joined_room(case, page).is_some();
    let (Some(sender), Some(session)) = (&page.device, session.filter(|_| is_whole)) else { return Vec::new() };
    let members = session.memberships.iter().filter_map(|one| {
        let device = Device::new(one.user_id.as_deref()?, one.device_id.as_deref()?);
        (device != *sender).then_some(device)
    });
    let batches = |device: &Device| {
        let of_sender = all.iter().filter(|message| message.encrypted && message.sender.as_ref() == Some(sender));
        of_sender.filter(|message| message.target == *device).count()
    };
    let (served, left): (Vec<_>, Vec<_>) = distinct(members).into_iter().partition(|device| batches(device) > 0);
    let Some(other) = served.first() else { return Vec::new() };
    let own = case.readings[page.report].facts.call.as_ref().and_then(|call| call.own.as_ref());
    let verdict = |receiver: &Device| {
        let label = receiver.label();
        let text = format!("{} batches for {}, none for {label}", batches(other), other.label());
        let shown = case.whole(
            page.report,
            &text,
            "this page queued messages for other members of its call, and none for this one",
        );
        let ask = || {
            let why = "whether it misses the sender's media key, and since when";
            vec![Need::report(Whose::Device(receiver.clone()), ReportTime::SameCall, why)]
        };
        let proof = Proof::new(case).evidence([shown]).premise(&MISSED, false, ask);
        let sentences = Sentences {
            unknown: format!(
                "The page of {} queued messages for {} of {} other members of its call, and none for {label}. Whether {label} misses a media \
                 key of it cannot be told.",
                sender.label(),
                served.len(),
                served.len() + left.len()
            ),
            ..Sentences::default()
        };
        let subject = Subject {
            device: Some(receiver.clone()),
            peer: Some(sender.clone()),
            participant: own.and_then(|own| own.identity.clone()),
            ..Subject::default()
        };
        Verdict::decide(
            case,
            Conclusion::NeverSent,
            (format!("{label} from {}", sender.label()), subject),
            proof,
            None,
            sentences,
        )
    };
    left.iter().map(verdict).collect()
}

fn judge(
    case: &Case<'_>,
    all: &[Sent],
    receiving: (&Page, &Device),
    sender: &Device,
    keys: &MissingKeys,
) -> Option<Verdict> {
    let (page, receiver) = receiving;
    let first = *keys.entries.first()?;
    let missed = case.printed(page.report, first)?;
    let mut pages: Vec<&Page> = case.pages_of(sender).collect();
    // The page that fits best speaks for the verdict; those that were not given speak in the premises' stead.
    sort_by_key(&mut pages, |page| {
        let facts = [
            watched(case, page, missed),
            whole(case, page),
            same_call(case, all, page, (receiving, keys), missed).is_some(),
        ];
        std::cmp::Reverse(facts.into_iter().filter(|holds| *holds).count())
    });
    let peer = pages.first().copied();
    let ask = |why: &str| vec![Need::report(Whose::Device(sender.clone()), ReportTime::CaptureBefore, why)];
    let call = peer.and_then(|peer| same_call(case, all, peer, (receiving, keys), missed));
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
        .premise(&MISSED, case.entry(page.report, first, "the sender's key was missing here"), Vec::new)
        .premise(&WATCHED, peer.is_some_and(|peer| watched(case, peer, missed)), || {
            ask("the devices that it sent its keys to, since before the call")
        })
        .premise(
            &WHOLE,
            peer.is_none_or(|peer| whole(case, peer)).then(|| list.into_iter().collect::<Vec<_>>()),
            || ask("all batches, by a capture that watches console.info"),
        )
        .premise(&SAME_CALL, call, || {
            let why = "who is in its call and since when: made during the call, after this client has sent a message, by which its clock is measured";
            let own = Need::report(Whose::Device(receiver.clone()), ReportTime::SameCall, why);
            ask("the batches of the page that holds the call; and a report of a device that hears the sender").into_iter().chain([own]).collect()
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
        .follows(Conclusion::MediaKeyMissing);
    let why = match peer.filter(|_| verdict.is_proven()).map(|peer| heard::sees(case, peer, receiver)) {
        Some(true) => {
            "Why: the sender's page sees this device in the call, so its list of devices lacks it, or no session with it could be made."
        }
        Some(false) => "Why: as the sender's report is made, its page does not see this device in the call.",
        None => "Why: another device list, or no membership of this device in the sender's eyes.",
    };
    Some(verdict.how(why))
}

/// Whether a page was watched from its beginning, before a time, until a minute after it.
fn watched(case: &Case<'_>, page: &Page, missed: Moment) -> bool {
    let Some((_, made)) = page.watched(case.report(page)) else { return false };
    let settled = Moment { latest: missed.latest.saturating_add(SETTLED_MS), ..missed };
    is_from_the_beginning(case, page)
        && case.begun(page).is_some_and(|begun| case.clocks.is_before(begun, missed))
        && case.clocks.is_before(settled, made)
}

/// Whether a page was watched from its beginning on, without Clear.
pub(super) fn is_from_the_beginning(case: &Case<'_>, page: &Page) -> bool {
    let capture = &case.report(page).capture;
    let (Some(origin), Some(installed)) = (capture.time_origin, capture.installed_at) else { return false };
    let late = i64::try_from(installed.0.saturating_sub(origin.0)).unwrap_or(i64::MAX);
    late <= STARTED_WITHIN_MS && capture.cleared_at.is_none()
}

/// Whether a page's list of batches is whole.
pub(super) fn whole(case: &Case<'_>, page: &Page) -> bool {
    case.shows_batches(page) && case.report(page).sent.len() < BATCHES_WHOLE
}

/// A media key that a page sent to a third device before a time, in the very call in which the receiver's page missed one.
fn same_call(
    case: &Case<'_>,
    all: &[Sent],
    peer: &Page,
    ((page, receiver), keys): ((&Page, &Device), &MissingKeys),
    missed: Moment,
) -> Option<Vec<Evidence>> {
    let sender = peer.device.as_ref()?;
    let identity = keys.participant.as_ref().map(|participant| &*participant.identity);
    let is_in_call = heard::joined_room(case, page).is_some()
        && [receiver, sender].iter().all(|device| heard::had_joined(case, page, device, missed.earliest))
        && heard::own_pages(case, Some(sender), (page, identity)).iter().any(|own| own.report == peer.report);
    let mut of_page = all.iter().filter(|message| message.report == Some(peer.report) && message.target != *receiver);
    of_page.find_map(|message| {
        let queued = message.queued().filter(|queued| is_in_call && case.clocks.is_before(*queued, missed));
        queued.and_then(|_| Some(vec![message.evidence.clone(), sent::media_key(case, all, message)?]))
    })
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
    /// When all of them joined: before Bob queued his key.
    const JOINED: u64 = 1_795_474_389_000;

    let entry = |report: &Value, after: u64, ke: &str, meaning: &str, text: &str| {
        let ts = report["capture"]["installedAt"].as_u64().expect("a time") + after;
        json!({"ts": ts, "level": "warn", "ke": ke, "signature": "s", "message": text, "meaning": meaning,
               "realm": {"kind": "main", "path": null}})
    };
    // A page has joined a room's call with all three, and its clock is measured.
    let joins = |report: &mut Value, room: &str| {
        let member = |(user, device): (&str, &str)| json!({"userId": user, "deviceId": device, "participant": format!("{user}:{device}"), "createdAt": JOINED});
        let members = [ALICE, BOB, CAROL].map(member);
        let session = json!({"own": true, "joined": true, "roomId": room, "memberships": members});
        report["call"] = json!({"streams": [], "omitted": 0, "session": session, "facts": []});
        report["clock"]["serverMinusPage"] = json!({"low": -50, "high": 50});
    };
    // Alice misses Bob's key; Bob queued a key for Carol alone, which she opened.
    let story = |name: &str, carol_opened: bool| {
        let mut carol = MadeUpPage::new(CAROL, 1_795_474_380_000, 1_795_474_400_000);
        if carol_opened {
            carol = carol.line(1_795_474_390_000, Level::Warn, &delivered((BOB.0, BOB_KEY), "for-carol"));
        }
        History::recorded("healthy-key-exchange", name)
            .edit("victim.report.json", |report| {
                let line = missing(&format!("{}:{}", BOB.0, BOB.1), 0);
                report["entries"] = vec![entry(report, 7_000, "KE-2", "transient", &line)].into();
                joins(report, "!call:localhost");
            })
            .edit("peer.report.json", |report| {
                report["generatedAt"] = (report["generatedAt"].as_u64().expect("a time") + 120_000).into();
                report["sent"][0]["targets"] =
                    json!([{"userId": CAROL.0, "deviceId": CAROL.1, "messageId": "for-carol"}]);
                joins(report, "!call:localhost");
            })
            .rewrite("peer.har", |har| har.replace(ALICE.1, "ELSEWHERE"))
            .file("carol.report.json", carol.json())
    };
    let alone = || {
        History::new("Bob's report alone shows that Alice is in his call and got nothing")
            .file("bob.report.json", bob_alone().json())
    };
    let about = "NUYKVAQNAJ from @bob-6:localhost/HDMZKZPGBB";
    vec![
        alone().never_proves("never-sent", ""),
        story("Bob's client sends its key to Carol and never to Alice", true).proves("never-sent", about),
        story("Bob's page was cleared before the report", true)
            .edit("peer.report.json", |report| {
                report["capture"]["clearedAt"] = report["capture"]["installedAt"].clone();
            })
            .never_proves("never-sent", ""),
        story("Bob's report is made a moment after the error", true)
            .edit("peer.report.json", |report| {
                report["generatedAt"] = (report["generatedAt"].as_u64().expect("a time") - 120_000).into();
            })
            .never_proves("never-sent", ""),
        story("Bob's capture began in the middle of the page's life", true)
            .edit("peer.report.json", |report| {
                let origin = report["capture"]["timeOrigin"].as_u64().expect("a time");
                report["capture"]["timeOrigin"] = (origin - 60_000).into();
            })
            .never_proves("never-sent", ""),
        story("Bob's capture did not watch console.info", true)
            .edit("peer.report.json", |report| {
                report["capture"]["hooks"].as_array_mut().expect("a list").retain(|hook| hook["method"] != "info");
            })
            .never_proves("never-sent", ""),
        story("the devices of one of Bob's batches are not all listed", true)
            .edit("peer.report.json", |report| report["sent"][0]["omitted"] = 1.into())
            .never_proves("never-sent", ""),
        story("what Bob's page sent was a whiteboard's message", false).never_proves("never-sent", ""),
        story("Bob and Alice are in two calls, and Bob's page is that of the other one", true)
            .edit("peer.report.json", |report| joins(report, "!other:localhost"))
            .never_proves("never-sent", ""),
        story("Alice's page came into this call after it had missed Bob's key in another one", true)
            .edit("victim.report.json", |report| report["call"]["session"]["memberships"][0]["createdAt"] = (JOINED + 5_000).into())
            .never_proves("never-sent", ""),
        story("Bob's page came into this call after another tab of his had left it", true)
            .edit("victim.report.json", |report| report["call"]["session"]["memberships"][1]["createdAt"] = (JOINED + 5_000).into())
            .never_proves("never-sent", ""),
        story("Bob's page only observes the call, which is in another tab of his", true)
            .edit("peer.report.json", |report| report["call"]["session"]["own"] = false.into())
            .never_proves("never-sent", ""),
        story("Alice's page has not measured its clock", true)
            .edit("victim.report.json", |report| report["clock"]["serverMinusPage"] = Value::Null)
            .never_proves("never-sent", ""),
        story("Bob's key comes late", true)
            .edit("victim.report.json", |report| {
                let late = entry(report, 7_300, "KE-2", "delivered", &delivered((BOB.0, BOB_KEY), "late"));
                report["entries"].as_array_mut().expect("a list").push(late);
            })
            .never_proves("never-sent", ""),
        story("Bob's client sent its key in another way, and Alice's page has it", true)
            .edit("victim.report.json", |report| {
                let fact = json!({"ts": report["generatedAt"], "what": "key-set", "participant": format!("{}:{}", BOB.0, BOB.1), "keyIndex": 0});
                report["call"]["facts"] = json!([fact]);
            })
            .never_proves("never-sent", ""),
        story("Bob's other tab sent the key", true)
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

/// Bob's page in a call with Alice and Carol, which has queued a message for Carol alone.
#[cfg(test)]
fn bob_alone() -> crate::history::MadeUpPage {
    use crypto_diag_core::{CallFacts, CallMembership, CallSession};
    let (bob, begun) = (("@bob:example.org", "BOB"), 1_795_424_000_000);
    crate::history::MadeUpPage::new(bob, begun, begun + 300_000).but(move |report| {
        let member = |user: &str, device: &str| CallMembership {
            user_id: Some(user.to_owned()),
            device_id: Some(device.to_owned()),
            participant: Some(format!("{user}:{device}")),
            ..CallMembership::default()
        };
        let memberships =
            vec![member(bob.0, bob.1), member("@alice:example.org", "ALICE"), member("@carol:example.org", "CAROL")];
        let room_id = Some("!call:example.org".to_owned());
        let session = CallSession { own: true, joined: Some(true), room_id, memberships };
        report.call = Some(CallFacts { session: Some(session), ..CallFacts::default() });
        let batch = serde_json::json!({
            "ts": begun + 20_000, "type": "m.room.encrypted", "txnid": "m1.0", "omitted": 0,
            "targets": [{"userId": "@carol:example.org", "deviceId": "CAROL", "messageId": "for-carol"}],
        });
        report.sent = vec![serde_json::from_value(batch).expect("a batch")];
    })
}

#[cfg(test)]
mod tests {
    use super::bob_alone;
    use crate::Triage;
    use crate::conclusion::Conclusion;
    use crate::history::History;
    use crate::verdict::Answer;

    #[test]
    fn a_member_for_whom_no_batch_was_is_named_and_its_report_asked_for() {
        let triage = Triage::of(&History::new("one report").file("bob.report.json", bob_alone().json()).bundle());
        let of_rule = |verdict: &&crate::verdict::Verdict| verdict.conclusion == Conclusion::NeverSent;
        let named: Vec<_> = triage.verdicts.iter().filter(of_rule).collect();
        let [verdict] = named[..] else { panic!("{named:#?}") };
        assert_eq!(verdict.about, "@alice:example.org/ALICE from @bob:example.org/BOB");
        assert!(verdict.statement.contains("queued messages for 1 of 2 other members"), "{}", verdict.statement);
        let Answer::Unknown { fetch } = &verdict.answer else { panic!("{verdict:#?}") };
        assert!(fetch.iter().any(|fetch| fetch.how.contains("@alice:example.org/ALICE")), "{fetch:#?}");
    }
}

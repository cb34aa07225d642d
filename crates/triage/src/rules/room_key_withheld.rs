//! KE-3: the sender of an event kept its room key back from this device; or why the key is missing cannot be told.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::Ke3;
use crypto_diag_analysis::evidence::ke3::Reason;
use crypto_diag_core::Meaning;

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page, exchange};
use crate::conclusion::Conclusion;
use crate::har::{Exchange, WithheldKey};
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::quote::quote;
use crate::subject::Subject;
use crate::synapse_log::Route;
use crate::verdict::{Evidence, Sentences, Verdict};

/// Codes by which a sender says that it does not give the key to this device. The others answer a request for the key, or say that it
/// could not be sent.
const KEPT_BACK: [&str; 2] = ["m.unverified", "m.blacklisted"];

/// Lines that a verdict quotes at most.
const QUOTED_MAX: usize = 3;

const NOTICE: Premise = Premise {
    id: "room-key-withheld/notice",
    says: "A HAR of the page's browser shows a notice of the event's sender that it keeps back the key of the Megolm session that the event is encrypted with (m.room_key.withheld).",
    rules_out: "The key was sent, and came later, was lost, or came from a later message on; or it was sent before this device was there.",
};

const CODE: Premise = Premise {
    id: "room-key-withheld/code",
    says: "The notice's code is m.unverified or m.blacklisted.",
    rules_out: "The notice answers a request for the key, which the sender or another device of it does not have any more or may not give (m.unavailable, m.unauthorised).",
};

const BEFORE: Premise = Premise {
    id: "room-key-withheld/before",
    says: "That HAR shows the event arrive new, with an incremental /sync, not before the notice.",
    rules_out: "The event is older than the notice: its key was given to the devices that were there then, and this one was not, or lost it.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::RoomKeyWithheld,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har],
    argument: "A client says that it has no room key for an event, and gives a code of its own for why. The code is a guess of the client's and \
               proves no cause. A sender that does not give a key to a device tells that device so, in a message that is not encrypted and \
               stands in the answer to a /sync.",
    proven_by: &[&NOTICE, &CODE, &BEFORE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

/// A room key that a page lacked for events, or refused.
pub(crate) struct Lacked<'c> {
    pub page: &'c Page,
    /// The first line about it.
    pub event: &'c Ke3,
    /// When the last of them was printed, by the page's clock.
    pub at: i64,
    pub entries: Vec<usize>,
    pub event_ids: Vec<&'c str>,
}

/// The room keys that pages lacked or refused, each once a page: by its session where the line names it, else by the event.
pub(crate) fn lacked<'c>(case: &'c Case<'_>) -> Vec<Lacked<'c>> {
    let mut all: Vec<Lacked<'c>> = Vec::new();
    for (report, entry, line, facts) in case.lines() {
        let (Facts::Ke3(event), Some(page)) = (facts, case.pages.get(report)) else { continue };
        use Reason::{Historical, MissingRoomKey, NoOlmSession, SenderNotTrusted, UnknownIndex, Withheld};
        let Some(id) = event.event_id.as_deref() else { continue };
        let is_lacked = match event.reason {
            // Such a line counts as transient, and so do the machine's own lines, which never say this.
            Historical => true,
            MissingRoomKey | UnknownIndex | Withheld | NoOlmSession | SenderNotTrusted => {
                line.meaning == Meaning::Failure
            }
            _ => false,
        };
        if !is_lacked {
            continue;
        }
        let same = |known: &&mut Lacked<'c>| {
            let is_session = event.session_id.is_some() && known.event.session_id == event.session_id;
            known.page.report == report
                && (known.event.sender.as_ref(), known.event.reason) == (event.sender.as_ref(), event.reason)
                && (is_session || known.event_ids.contains(&id))
        };
        let at = i64::try_from(line.ts.0).unwrap_or(i64::MAX);
        match all.iter_mut().find(same) {
            Some(known) => {
                known.at = known.at.max(at);
                known.entries.push(entry);
                if !known.event_ids.contains(&id) {
                    known.event_ids.push(id);
                }
            }
            None => all.push(Lacked { page, event, at, entries: vec![entry], event_ids: vec![id] }),
        }
    }
    all
}

impl Lacked<'_> {
    /// What a verdict on it is about.
    pub fn about(&self, case: &Case<'_>) -> (String, Subject) {
        let subject = Subject {
            device: self.page.device.clone(),
            report: Some(case.report_name(self.page.report).to_owned()),
            peer_user_id: self.event.sender.clone(),
            room_id: self.event.room_id.clone(),
            event_ids: self.event_ids.iter().map(|id| (*id).to_owned()).collect(),
            ..Subject::default()
        };
        let of = match &self.event.session_id {
            Some(session) => format!("session {session}"),
            None => format!("event {}", self.event_ids[0]),
        };
        (format!("{} room key of {of}", case.label(self.page)), subject)
    }

    /// The lines.
    pub fn lines(&self, case: &Case<'_>) -> Vec<Evidence> {
        let quoted = self.entries.iter().take(QUOTED_MAX);
        quoted.filter_map(|entry| case.entry(self.page.report, *entry, "the client could not read the event")).collect()
    }

    /// What would tell why it was lacking. What the client takes for the reason says where to look first.
    pub fn needs(&self) -> Vec<Need> {
        let report = self.page.report;
        let own = || self.page.device.clone().map_or_else(|| Whose::Somebody("this device".to_owned()), Whose::Device);
        let first = match self.event.reason {
            Reason::Historical => vec![
                Need::report(
                    own(),
                    ReportTime::Any,
                    "whether the events can be read once the key backup or another device of the user has given the keys",
                ),
                Need::log(Some(report), "when this device logged in: before the events were sent, or afterwards"),
            ],
            Reason::SenderNotTrusted => vec![Need::report(
                own(),
                ReportTime::Any,
                "which devices of the sender this client knows, and whether they are verified",
            )],
            _ => Vec::new(),
        };
        let why = "whether the sender kept the room key back: the notices that its syncs bring, and the event, from before it was sent";
        first.into_iter().chain([Need::har(report, why)]).collect()
    }

    /// Messages of the event's sender that Olm did not open in this page: the key may have been in one of them.
    pub fn unopened(&self, case: &Case<'_>) -> Vec<Evidence> {
        let lost = case.olm().filter(|(report, _, _, olm)| {
            *report == self.page.report
                && olm.message_id.is_some()
                && olm.user_id.is_some()
                && olm.user_id == self.event.sender
        });
        let says = "a message of the event's sender could not be opened";
        lost.filter_map(|(report, entry, ..)| case.entry(report, entry, says)).take(1).collect()
    }
}

/// The first login of the page's device in the servers' logs, where the event's server dates the event before it.
fn later_login(case: &Case<'_>, lacked: &Lacked<'_>) -> Option<Evidence> {
    let (device, dated) = (lacked.page.device.as_ref()?, i64::try_from(lacked.event.event_ts?.0).ok()?);
    let logins = case.bundle.logs.iter().flat_map(|log| log.logins.iter().map(move |login| (log, login)));
    let of_device =
        logins.filter(|(_, login)| (&login.user_id, &login.device_id) == (&device.user_id, &device.device_id));
    let (log, login) = of_device.min_by_key(|(_, login)| login.at).filter(|(_, login)| dated < login.at)?;
    let text = format!("Logging in user {} on device {}", login.user_id, login.device_id);
    Some(Evidence::logged(
        &log.name,
        login.line,
        login.at,
        &quote(&text),
        "the device logged in after the time of the event",
    ))
}

/// A notice about a room key.
#[derive(Clone, Copy)]
struct Notice<'c> {
    /// The HAR and the exchange that brought it.
    place: (usize, usize),
    code: Option<&'c str>,
    /// Whether it is of the event's sender, about the session of the event.
    is_ours: bool,
}

impl Notice<'_> {
    fn is_kept_back(&self) -> bool {
        self.code.is_some_and(|code| KEPT_BACK.contains(&code))
    }
}

/// The notice that says most: one about the session before any other, and of these one that says that the key is kept back.
fn notice<'c>(case: &'c Case<'_>, lacked: &Lacked<'_>) -> Option<Notice<'c>> {
    let event = lacked.event;
    let is_ours = |notice: &WithheldKey| {
        // A client that refuses a key for its sender has it.
        let is_refused = event.reason == Reason::SenderNotTrusted;
        let other_key = notice.sender_key.as_deref().zip(event.sender_key.as_deref());
        !is_refused
            && notice.sender.is_some()
            && notice.sender == event.sender
            && notice.session_id.is_some()
            && notice.session_id == event.session_id
            && notice.room_id == event.room_id
            && other_key.is_none_or(|(one, other)| one == other)
    };
    let mut best: Option<Notice<'c>> = None;
    for har in &lacked.page.hars {
        for (at, request) in case.bundle.hars[*har].entries.iter().enumerate() {
            let notices = request.facts.iter().flat_map(|facts| &facts.withheld);
            for found in notices.filter(|notice| notice.sender.is_some()) {
                let found = Notice { place: (*har, at), code: found.code.as_deref(), is_ours: is_ours(found) };
                let rank = |notice: &Notice<'_>| (notice.is_ours, notice.is_kept_back());
                if best.is_none_or(|best| rank(&found) > rank(&best)) {
                    best = Some(found);
                }
            }
        }
    }
    best
}

/// The place in the stream of room events from which a sync goes on: the first field of its token, such as `s158`.
fn goes_on_at(sync: &Exchange) -> Option<u64> {
    let token = sync.uri.split(['?', '&']).find_map(|part| part.strip_prefix("since="))?;
    token.strip_prefix('s')?.split('_').next()?.parse().ok()
}

/// The answer that brought an event of these new, in the notice's HAR and not before the notice.
fn arrived(case: &Case<'_>, lacked: &Lacked<'_>, notice: Notice<'_>) -> Option<Evidence> {
    let (har, from) = notice.place;
    let found = &case.bundle.hars[har];
    // Every time that it came counts: one before the notice may be the one that the line is about.
    let brings = |at: usize| {
        let events = found.entries[at].facts.iter().flat_map(|facts| &facts.events);
        events.into_iter().any(|event| lacked.event_ids.contains(&&*event.event_id))
    };
    let mut all = (0..found.entries.len()).filter(|at| brings(*at));
    let first = all.next()?;
    let request = &found.entries[first];
    let is_new = request.route() == Route::Sync && request.uri.contains("since=");
    let notice = &found.entries[from];
    // A reloaded page may go on at an older token. Then it gets events again that first came before the HAR began.
    let is_no_older = || goes_on_at(request).zip(goes_on_at(notice)).is_some_and(|(own, notices)| own >= notices);
    let is_after = first == from || (request.start >= notice.end() && is_no_older());
    (is_new && is_after).then(|| exchange(found, first, "the event came new, and not before the notice"))
}

fn check(case: &Case<'_>) -> Vec<Verdict> {
    lacked(case).iter().map(|lacked| judge(case, lacked)).collect()
}

fn judge(case: &Case<'_>, lacked: &Lacked<'_>) -> Verdict {
    let label = case.label(lacked.page);
    let sender = lacked.event.sender.as_deref().unwrap_or("somebody");
    let found = notice(case, lacked);
    let ask = || lacked.needs();
    let ours = found.filter(|notice| notice.is_ours);
    let code = ours.and_then(|notice| notice.code).unwrap_or("without a code");
    let told = ours.map(|Notice { place: (har, at), .. }| {
        exchange(&case.bundle.hars[har], at, format!("the sender says that it keeps the key back: {code}"))
    });
    let proof = Proof::new(case)
        .evidence(lacked.lines(case))
        .premise(&NOTICE, told, ask)
        .premise(&CODE, found.is_some_and(|found| found.is_kept_back()), Vec::new)
        .premise(&BEFORE, found.and_then(|found| arrived(case, lacked, found)), ask);
    let events = match lacked.event_ids.as_slice() {
        [one] => format!("event {one}"),
        many => format!("{} events", many.len()),
    };
    let words = lacked.event.message.as_deref().unwrap_or("nothing more");
    let named = lacked.event.code.as_ref().map_or_else(String::new, |code| format!(", {code}"));
    let sentences = Sentences {
        proven: format!(
            "{label} has no room key for {events} of {sender}, whose client kept it back from this device: {code}."
        ),
        refuted: String::new(),
        unknown: format!(
            "Why {label} could not read {events} of {sender} cannot be told. The client says: “{words}”{named}."
        ),
    };
    let mut verdict = Verdict::decide(case, Conclusion::RoomKeyWithheld, lacked.about(case), proof, None, sentences);
    if verdict.is_unknown() {
        verdict = verdict.how(
            "No file that is read says which room key a message held. So one that was sent before this device was there, to another list of \
             devices, or in a message that was lost cannot be told from one that was never sent.",
        );
        let unopened = lacked.unopened(case);
        if !unopened.is_empty() {
            verdict = verdict.how(format!(
                "Messages of {sender} could not be opened in this page; the room key may have been in one of them. OLM says why."
            ));
        }
        verdict = verdict.evidence(unopened);
        if let Some(login) = later_login(case, lacked) {
            verdict = verdict.evidence([login]).how(
                "Its server dates the event before the login of this device that the log shows. Then nobody could send the key to it, unless the \
                 device had been there before under the same id, or the event was sent later than it is dated.",
            );
        }
    }
    let crypto = case.report(lacked.page).crypto.as_ref();
    if crypto.is_some_and(|crypto| crypto.active_backup_version.is_none()) {
        verdict = verdict.how("Key backup is off on this device, so that none brings the key.");
    }
    verdict
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::{History, MadeUpPage};
    use crypto_diag_core::Level;
    use serde_json::{Value, json};

    const BEGUN: u64 = 1_795_424_000_000;
    const BOB_KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";
    const SAID: &str = "The sender has disabled encrypting to unverified devices.";
    let page = || {
        let line = format!(
            "Error decrypting event (id=$e type=m.room.encrypted sender=@bob:example.org room=!r:example.org ts=2026-11-23T09:06:00.000Z): DecryptionError[msg: {SAID}, sender_key: {BOB_KEY}, session_id: SESSION]"
        );
        MadeUpPage::new(("@alice:example.org", "ALICE"), BEGUN, BEGUN + 3_600_000).line(
            BEGUN + 60_000,
            Level::Warn,
            &line,
        )
    };
    let notice = |code: &str| {
        json!({"type": "m.room_key.withheld", "sender": "@bob:example.org", "content": {
            "algorithm": "m.megolm.v1.aes-sha2", "room_id": "!r:example.org", "session_id": "SESSION",
            "sender_key": BOB_KEY, "code": code, "reason": "x"}})
    };
    let event = || {
        let event =
            json!({"event_id": "$e", "type": "m.room.encrypted", "content": {"algorithm": "m.megolm.v1.aes-sha2"}});
        json!({"join": {"!r:example.org": {"timeline": {"events": [event]}}}})
    };
    let sync = |second: u64, since: &str, body: Value| {
        json!({
            "startedDateTime": format!("2026-11-23T09:05:{second:02}.000Z"), "time": 500,
            "request": {"method": "GET", "url": format!("https://example.org/_matrix/client/v3/sync?{since}")},
            "response": {"status": 200, "content": {"mimeType": "application/json", "text": body.to_string()}},
        })
    };
    let history = |name: &str, syncs: Vec<Value>| {
        let har = json!({"log": {"version": "1.2", "entries": syncs}});
        History::new(name).file("alice.report.json", page().json()).file("alice.har", har.to_string())
    };
    let noticed = |name: &str, notice: Value| {
        let brings = json!({"to_device": {"events": [notice]}, "rooms": event()});
        history(name, vec![sync(10, "since=s1", brings)])
    };
    let changed = |name: &str, field: &str, value: &str| {
        let mut notice = notice("m.unverified");
        notice["content"][field] = value.into();
        noticed(name, notice).never_proves("room-key-withheld", "")
    };
    let brought = |since: &str, second: u64| sync(second, since, json!({"rooms": event()}));
    let told = |second: u64| sync(second, "since=s1", json!({"to_device": {"events": [notice("m.unverified")]}}));
    vec![
        noticed("Bob does not give keys to devices that are not verified", notice("m.unverified"))
            .proves("room-key-withheld", "SESSION"),
        history("Bob has blocked Alice, and says so before he writes", vec![told(5), brought("since=s2", 10)])
            .proves("room-key-withheld", "SESSION"),
        noticed("Alice asks for a key that she lost, and Bob has it no more", notice("m.unavailable"))
            .never_proves("room-key-withheld", ""),
        noticed("Alice asks for a key that she lost, and Bob may not give it", notice("m.unauthorised"))
            .never_proves("room-key-withheld", ""),
        changed("the notice is about another session", "session_id", "OTHER"),
        changed("the notice is about another room", "room_id", "!other:example.org"),
        changed("the notice is of another device of Bob", "sender_key", "9zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo"),
        noticed("the notice is of somebody else", {
            let mut notice = notice("m.unverified");
            notice["sender"] = "@eve:example.org".into();
            notice
        })
        .never_proves("room-key-withheld", ""),
        history("the client says so, and nothing else does", vec![brought("since=s1", 10)])
            .never_proves("room-key-withheld", "")
            .exits(&[2]),
        noticed(
            "Bob keeps the key back, and Alice's client calls the event older than this device",
            notice("m.unverified"),
        )
        .rewrite("alice.report.json", |report| {
            report.replace(SAID, "This message was sent before this device logged in. Key backup is not working.")
        })
        .proves("room-key-withheld", "SESSION"),
        noticed("Bob kept the key back and gave it later, and Alice's client refuses it", notice("m.unverified"))
            .rewrite("alice.report.json", |report| {
                report.replace(
                    SAID,
                    "decryption failed because trust requirement is not satisfied: the sender device is not known",
                )
            })
            .never_proves("room-key-withheld", ""),
        history("the event is of before this device", vec![told(10), brought("set_presence=online", 20)])
            .never_proves("room-key-withheld", ""),
        history(
            "Bob keeps his later messages back, and the earlier one came before the HAR began and again when the page was loaded anew",
            vec![told(5), brought("since=s0", 10)],
        )
        .never_proves("room-key-withheld", ""),
        history(
            "Bob keeps his later messages back, and the earlier one came before",
            vec![brought("since=s1", 5), told(10)],
        )
        .never_proves("room-key-withheld", ""),
    ]
}

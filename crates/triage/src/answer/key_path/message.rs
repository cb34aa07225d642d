//! A media key by the message that it was sent in, where its page did not open that message.

use crypto_diag_analysis::evidence::Olm;
use crypto_diag_analysis::evidence::olm::OlmKind;
use crypto_diag_core::Ke;

use super::{Facts, Hop, KeyPath, Told, key_path, proven};
use crate::case::watch::Sought;
use crate::case::{Case, Page, exchange};
use crate::conclusion::Conclusion;
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::need::{Need, ReportTime, Whose};
use crate::rules::sent::{self, Delivery, Sent};
use crate::subject::{Device, Subject};
use crate::synapse_log::{Fate, Request, Route};
use crate::verdict::{ClockOf, Evidence};

/// A message with a media key, and a page of its receiver that did not open it.
pub(super) struct Wanted<'c> {
    page: &'c Page,
    message: &'c Sent,
    id: &'c str,
    /// A message of the same batch, opened as a media key; `None` where no file says what was in it.
    media_key: Option<&'c Delivery<'c>>,
}

impl Wanted<'_> {
    /// When it was queued, by the sender's clock.
    pub fn at(&self) -> i64 {
        self.message.evidence.at.unwrap_or_default()
    }
}

/// The messages that failed in a page; and those of batches of which another message was opened as a media key, where no given page
/// of their device opened them.
pub(super) fn wanted<'c>(facts: &Facts<'c>) -> Vec<Wanted<'c>> {
    let case = facts.case;
    let mut by_id: Vec<&Delivery<'c>> = facts.deliveries.iter().collect();
    by_id.sort_by_key(|delivery| delivery.line.message_id.as_deref());
    // Each delivery of a message, by its id.
    let opened = |message: &'c Sent| {
        let id = message.message_id.as_deref();
        let from = by_id.partition_point(|delivery| delivery.line.message_id.as_deref() < id);
        let same = by_id[from..].iter().take_while(move |delivery| delivery.line.message_id.as_deref() == id);
        same.copied().filter(move |delivery| sent::is_of(case, delivery, message))
    };
    let mut batches: Vec<(&str, Option<&Device>, &Delivery<'c>)> = facts
        .sent
        .iter()
        .filter_map(|message| Some((&*message.txn_id, message.sender.as_ref(), opened(message).next()?)))
        .collect();
    batches.sort_by_key(|(txn_id, sender, _)| (*txn_id, *sender));
    let mut wanted: Vec<Wanted<'c>> = Vec::new();
    for message in facts.sent {
        let (Some(id), true) = (message.message_id.as_deref(), message.encrypted) else { continue };
        let batch = (&*message.txn_id, message.sender.as_ref());
        let known = batches.binary_search_by_key(&batch, |(txn_id, sender, _)| (*txn_id, *sender)).ok();
        let media_key = known.map(|at| batches[at].2);
        let is_known = |known: &Wanted<'c>| known.id == id && known.message.target == message.target;
        if wanted.iter().any(is_known) {
            continue;
        }
        let of_device: Vec<&Page> = case.pages_of(&message.target).collect();
        let was_opened = |page: &Page| opened(message).any(|delivery| delivery.report == page.report);
        let is_failed = |page: &Page| failure(case, page, message).is_some() && !was_opened(page);
        let mut pages: Vec<&Page> = of_device.iter().copied().filter(|page| is_failed(page)).collect();
        if media_key.is_some() && pages.is_empty() && !of_device.iter().any(|page| was_opened(page)) {
            let in_call = of_device.iter().find(|page| case.report(page).call.is_some());
            pages.extend(in_call.or(of_device.first()));
        }
        wanted.extend(pages.into_iter().map(|page| Wanted { page, message, id, media_key }));
    }
    wanted
}

/// The line of a page that says that Olm did not open a message.
fn failure(case: &Case<'_>, page: &Page, message: &Sent) -> Option<Evidence> {
    use OlmKind::{InboundCreation, MissingOneTimeKey, NoSession, NotForOurKey};
    let is_it = |olm: &Olm| {
        let from = olm.user_id.as_deref();
        matches!(olm.kind, MissingOneTimeKey | InboundCreation | NoSession | NotForOurKey)
            && olm.message_id.is_some()
            && olm.message_id == message.message_id
            && message.sender.as_ref().is_none_or(|sender| from.is_none_or(|from| from == sender.user_id))
    };
    let mut lines = case.olm().filter(|(report, _, _, olm)| *report == page.report && is_it(olm));
    let (report, entry, ..) = lines.next()?;
    case.entry(report, entry, "the message could not be opened here")
}

pub(super) fn path(facts: &Facts<'_>, wanted: &Wanted<'_>) -> KeyPath {
    let case = facts.case;
    let Wanted { page, message, id, media_key } = wanted;
    let label = case.label(page);
    let sender = message.sender.as_ref();
    let theirs = sender.and_then(|sender| case.pages_of(sender).next());
    let who = sender.map_or_else(|| "somebody".to_owned(), Device::label);
    let says = "a message of the same batch was opened, and it was a media key";
    let made = media_key.map(|opened| {
        let piece = case.entry(opened.report, opened.entry, says);
        (Hop::Made, Told::proven("another device opened a message of the same batch as a media key", piece))
    });
    let sent = Told::proven("the sender queued this message for the device", [message.evidence.clone()]);
    let accepted = match accepted(case, message) {
        Some(piece) => Told::proven("the homeserver answered the request with 200", [piece]),
        None => Told::unknown(
            "no file says how the homeserver answered",
            match theirs {
                Some(theirs) => Need::har(theirs.report, "how the server answered the request with this message"),
                None => Need::log(Some(page.report), "how the server answered the request with this message"),
            },
        ),
    };
    let inbox = in_inbox(case, &message.target, id);
    let stored = || logged(case, message, id, Fate::Stored).map(|(piece, _)| piece);
    let queued = match (
        logged(case, message, id, Fate::Dropped),
        inbox.as_ref().map(|(piece, _)| piece.clone()).or_else(stored),
    ) {
        (None, Some(piece)) => Told::proven("the message was in the device's inbox", [piece]),
        (Some((piece, at)), None) if message.came_not_before(case, at) => {
            Told::refuted("the server dropped the message: it knows no such device", [piece])
        }
        _ => Told::unknown(
            "no file says whether the message was in the device's inbox",
            Need::query(Some(page.report), "to-device-log", "whether the server stored the message for the device"),
        ),
    };
    let waits =
        proven(facts.verdicts, &[Conclusion::Backlog], |subject| subject.device.as_ref() == Some(&message.target));
    let failed = failure(case, page, message);
    let waits = waits.zip(inbox.filter(|(_, is_newest)| *is_newest)).filter(|_| stood_still(case, page, message));
    let fetched = match (brought(case, page, message, id), &failed, waits) {
        (Some(piece), ..) => Told::proven("a sync of the device brought it", [piece]),
        (None, Some(piece), _) => Told::proven("the page had it in hand", [piece.clone()]),
        (None, None, Some((verdict, _))) => Told::refuted_by(verdict),
        (None, None, None) => Told::unknown(
            "no file says whether a sync brought it",
            Need::har(page.report, "the messages that the device's syncs bring, with their ids"),
        ),
    };
    // A page that opens a message prints it, as it prints that it could not. It must have been watched from its beginning on: a message
    // that comes a second time cannot be opened either.
    let would_show = || {
        let life = case.begun(page).zip(page.watched(case.report(page)));
        let span = life.map(|(begun, (_, made))| (case.seen_from(page, begun), made));
        span.is_some_and(|span| case.could_have_shown(page, Sought::Line(Ke::Ke2), Some(span)).is_ok())
            && sent::are_printed(case, page)
    };
    let opened = match failed {
        Some(piece) if would_show() => Told::refuted("Olm failed on it, and the page has not opened it since", [piece]),
        failed => Told {
            evidence: failed.into_iter().collect(),
            ..Told::unknown(
                "no file says whether the page opened it",
                Need::report(
                    Whose::Device(message.target.clone()),
                    ReportTime::CaptureBefore,
                    "which media keys the page opened",
                ),
            )
        },
    };
    let subject = Subject {
        device: Some(message.target.clone()),
        report: Some(case.report_name(page.report).to_owned()),
        peer: sender.cloned(),
        message_ids: vec![(*id).to_owned()],
        ..Subject::default()
    };
    let what = if media_key.is_some() { "media key in message" } else { "what was, media key or other, in message" };
    let about = (format!("{what} {id} of {who} for {label} ({})", case.report_name(page.report)), subject);
    let rest = [
        (Hop::Sent, sent),
        (Hop::Accepted, accepted),
        (Hop::Queued, queued),
        (Hop::Fetched, fetched),
        (Hop::Opened, opened),
    ];
    let told: Vec<(Hop, Told)> = made.into_iter().chain(rest).collect();
    key_path(case, about, &told)
}

/// The answer of 200 to the request that carried a message, in the sender's HAR or in the server's log.
fn accepted(case: &Case<'_>, message: &Sent) -> Option<Evidence> {
    let sender = message.sender.as_ref()?;
    let says = "the homeserver took the batch with this message";
    let is_theirs = |index: usize, har: &Har| {
        case.pages_of(sender).any(|page| page.hars.contains(&index))
            || har.device() == Some((&*sender.user_id, &*sender.device_id))
    };
    let mut hars = case.bundle.hars.iter().enumerate().filter(|(index, har)| is_theirs(*index, har));
    let in_har = hars.find_map(|(_, har)| {
        let is_it =
            |request: &crate::har::Exchange| request.txn_id() == Some(&*message.txn_id) && request.status == 200;
        Some(exchange(har, har.entries.iter().position(is_it)?, says))
    });
    in_har.or_else(|| {
        case.bundle.logs.iter().find_map(|log| {
            let is_it = |request: &&crate::synapse_log::Request| {
                request.txn_id() == Some(&*message.txn_id)
                    && request.status == 200
                    && request.user_id.as_deref() == Some(&*sender.user_id)
            };
            let request = log.requests.iter().find(is_it)?;
            Some(Evidence::logged(&log.name, request.line, request.start, &request.quote, says))
        })
    })
}

/// A line of `synapse.9533_debug` about a message, and when the server got the request that brought it.
fn logged(case: &Case<'_>, message: &Sent, id: &str, fate: Fate) -> Option<(Evidence, Moment)> {
    let target = &message.target;
    let says = if fate == Fate::Dropped {
        "the server dropped the message"
    } else {
        "the server stored the message for the device"
    };
    case.bundle.logs.iter().enumerate().find_map(|(index, log)| {
        let line = log.to_device.iter().find(|line| {
            let of_device = line
                .target
                .as_ref()
                .is_some_and(|(user, device)| (user, device) == (&target.user_id, &target.device_id));
            line.fate == fate && line.message_id == id && of_device
        })?;
        // The request's own line is printed when it is over, and says when it began.
        let moment = Moment::logged(index, line);
        let is_before = |request: &&Request| message.is_in(request) && request.start <= line.at;
        let request = log.requests.iter().filter(is_before).max_by_key(|request| request.start);
        let moment = request.map_or(moment, |request| Moment::received(index, request));
        Some((Evidence::logged(&log.name, line.line, line.at, &line.quote, says), moment))
    })
}

/// Whether the page's syncs show that it got no message from before this one was queued until its HAR ends: the position that they
/// acknowledge stood still, and the last of them had no answer. A message that waits may have come before, and wait a second time.
fn stood_still(case: &Case<'_>, page: &Page, message: &Sent) -> bool {
    let Some(queued) = message.queued() else { return false };
    page.hars.iter().any(|har| {
        let syncs = case.bundle.hars[*har].entries.iter().filter(|request| request.route() == Route::Sync);
        let before = |request: &&Exchange| case.clocks.is_before(Moment::at(Clock::Har(*har), request.start), queued);
        let first = syncs.clone().filter(before).max_by_key(|request| request.start);
        let last = syncs.max_by_key(|request| request.start);
        first.zip(last).is_some_and(|(first, last)| {
            let position = first.acknowledged();
            position.is_some() && last.acknowledged() == position && last.status != 200
        })
    })
}

/// The row of a message in the device's inbox, and whether no later answer of the database is given.
fn in_inbox(case: &Case<'_>, target: &Device, id: &str) -> Option<(Evidence, bool)> {
    let of_device =
        |user: Option<&str>, device: Option<&str>| (user, device) == (Some(&*target.user_id), Some(&*target.device_id));
    let rows = || case.bundle.queries.iter().flat_map(|results| results.inbox.iter().map(move |row| (results, row)));
    let is_it = |row: &crate::query::InboxRow| {
        row.message_id.as_deref() == Some(id) && of_device(row.user_id.as_deref(), row.device_id.as_deref())
    };
    let (results, row) = rows().filter(|(_, row)| is_it(row)).max_by_key(|(_, row)| row.at)?;
    let asked = case.bundle.queries.iter().flat_map(|results| &results.inbox_of);
    let asked = asked.filter(|(user, ..)| *user == target.user_id).map(|(_, _, at)| *at);
    let newest = rows().map(|(_, row)| row.at).chain(asked).max()?;
    let text = format!("message {id} waits for {}", target.label());
    let says = "the message waits on the server";
    let piece = Evidence::new(&results.name, row.place.clone(), row.at, ClockOf::Server, &text, says);
    Some((piece, row.at.is_some() && row.at == newest))
}

/// The answer to a sync of the page's browser that brought a message.
fn brought(case: &Case<'_>, page: &Page, message: &Sent, id: &str) -> Option<Evidence> {
    let sender = message.sender.as_ref()?;
    page.hars.iter().map(|har| &case.bundle.hars[*har]).find_map(|har| {
        let at = har.entries.iter().position(|request| {
            let arrived = request.facts.iter().flat_map(|facts| &facts.arrived);
            arrived.into_iter().any(|arrived| arrived.message_id == id && arrived.sender == sender.user_id)
        })?;
        Some(exchange(har, at, "a sync of the device brought the message"))
    })
}

//! To-device messages that stand in the reports of both their sender and their receiver, told by their ids. Two reports that nothing
//! else aligns are aligned by them.

use std::collections::BTreeMap;

use crypto_diag_analysis::{Evidence as Facts, Reading};

use super::Page;
use crate::bundle::Bundle;
use crate::clock::{self, Interval};
use crate::moment::Clock;

/// One message. The page that sends it lists it before it goes out; the page that gets it prints its line afterwards.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shared {
    /// The page that sent it, by index.
    pub sender: usize,
    /// The page that got it.
    pub receiver: usize,
    /// When it was listed, by the sender's clock.
    pub sent: i64,
    /// When the first line about it was printed, by the receiver's clock.
    pub received: i64,
}

impl Shared {
    /// What it says of the two clocks: it was not received before it was sent. How long it was under way it does not say, so one end is
    /// open.
    pub fn interval(&self) -> (Clock, Clock, Interval) {
        let after = clock::of_request((self.sent, self.sent), (self.received, self.received)).high;
        (Clock::Page(self.sender), Clock::Page(self.receiver), Interval { high: after, ..Interval::ALL })
    }
}

/// A message that a page lists, and for which user's device.
#[derive(Clone, Copy)]
struct Listed<'b> {
    sender: usize,
    to: (&'b str, &'b str),
    at: u64,
}

/// All of them, in the order of their ids. An id that pages list more than once, for whomever, is left out: it does not tell which
/// message it was. So are ids in lines that name another sender or none, and in the report of another device than the one that was sent to.
pub(super) fn messages(bundle: &Bundle, readings: &[Reading], pages: &[Page]) -> Vec<Shared> {
    // `None`: the id is listed more than once.
    let mut listed: BTreeMap<&str, Option<Listed<'_>>> = BTreeMap::new();
    for page in pages {
        let report = &bundle.reports[page.report];
        for batch in report.sent.iter().filter(|_| report.has_times()) {
            for target in &batch.targets {
                let Some(id) = target.message_id.as_deref() else { continue };
                let to = (&*target.user_id, &*target.device_id);
                let found = Listed { sender: page.report, to, at: batch.ts.0 };
                listed.entry(id).and_modify(|seen| *seen = None).or_insert(Some(found));
            }
        }
    }
    let mut shared: BTreeMap<&str, Shared> = BTreeMap::new();
    for page in pages {
        let report = &bundle.reports[page.report];
        let Some(device) = page.device.as_ref().filter(|_| report.has_times()) else { continue };
        for (index, entry) in report.entries() {
            let Some((id, from)) = readings[page.report].evidence.get(index).and_then(Option::as_ref).and_then(named)
            else {
                continue;
            };
            let Some(Some(Listed { sender, to, at })) = listed.get(id).copied() else { continue };
            let is_senders = bundle.reports[sender].user_id.as_deref() == Some(from);
            if sender == page.report || to != (&*device.user_id, &*device.device_id) || !is_senders {
                continue;
            }
            let (Ok(sent), Ok(received)) = (i64::try_from(at), i64::try_from(entry.ts.0)) else { continue };
            let found = Shared { sender, receiver: page.report, sent, received };
            let first = shared.entry(id).or_insert_with(|| found.clone());
            if found.received < first.received {
                *first = found;
            }
        }
    }
    shared.into_values().collect()
}

/// The message that a receiver's line is about, and the user from whom it came.
fn named(facts: &Facts) -> Option<(&str, &str)> {
    let (id, from) = match facts {
        Facts::Ke2(line) => (&line.message_id, &line.sender),
        Facts::Ke3(line) => (&line.message_id, &line.sender),
        Facts::Olm(line) => (&line.message_id, &line.user_id),
        Facts::Ke1(_) | Facts::Ke4(_) => return None,
    };
    id.as_deref().zip(from.as_deref())
}

//! Whether two reports are of one time: a peer's report of another call explains nothing of this one.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use crypto_diag_analysis::sorted::sort_by_key;
use serde::Serialize;

use crate::case::{Case, Page};
use crate::clock::Interval;
use crate::compare::lasted;
use crate::moment::Moment;
use crate::stamp;

/// Pairs that an answer lists at most.
const PAIRS_MAX: usize = 12;

/// The reports of different devices, pair by pair.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Overlaps {
    /// The pairs: those that share the most messages first.
    pub pairs: Vec<Overlap>,
    /// Pairs that are not listed.
    pub omitted: usize,
    /// What is said of those.
    pub left_out: Option<String>,
}

/// Two pages of different devices. Times are the first page's, in milliseconds since the epoch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Overlap {
    /// Both pages: a device each, or its report's name.
    pub of: [String; 2],
    /// Messages that stand in both reports: sent by one page, read by the other.
    pub messages: usize,
    /// The least that the second page's clock is ahead of the first one's, in milliseconds; null where nothing tells.
    pub ahead_least: Option<i64>,
    /// The most; null where nothing tells.
    pub ahead_most: Option<i64>,
    /// Whether both pages were watched at one time; null where that cannot be told.
    pub overlaps: Option<bool>,
    /// Of pages that were: for how long at least, in milliseconds. Of pages that were not: how far apart at least.
    pub at_least: Option<i64>,
    /// All that as a sentence or two.
    pub says: String,
}

impl Overlaps {
    /// A text for each pair, and one for those that are not listed. Ids in them may be hostile: show them as text.
    pub fn sentences(&self) -> impl Iterator<Item = &str> {
        self.pairs.iter().map(|pair| &*pair.says).chain(self.left_out.as_deref())
    }
}

/// What is known of every pair of pages of different devices.
pub(crate) fn overlaps(case: &Case<'_>) -> Overlaps {
    let mut messages: BTreeMap<(usize, usize), usize> = BTreeMap::new();
    for one in &case.shared {
        *messages.entry((one.sender.min(one.receiver), one.sender.max(one.receiver))).or_default() += 1;
    }
    let of_two = |at: &usize, other: &usize| {
        let (one, other) = (&case.pages[*at].device, &case.pages[*other].device);
        one.is_none() || one != other
    };
    let pages = 0..case.pages.len();
    let mut pairs: Vec<(usize, usize)> = pages
        .clone()
        .flat_map(|at| (at + 1..pages.end).filter(move |other| of_two(&at, other)).map(move |other| (at, other)))
        .collect();
    sort_by_key(&mut pairs, |pair| Reverse(messages.get(pair).copied().unwrap_or_default()));
    let omitted = pairs.len().saturating_sub(PAIRS_MAX);
    pairs.truncate(PAIRS_MAX);
    let overlap = |(one, other): &(usize, usize)| {
        let messages = messages.get(&(*one, *other)).copied().unwrap_or_default();
        overlap(case, &case.pages[*one], &case.pages[*other], messages)
    };
    let left_out = (omitted > 0).then(|| format!("Of {} pairs of reports {PAIRS_MAX} are told.", omitted + PAIRS_MAX));
    Overlaps { pairs: pairs.iter().map(overlap).collect(), omitted, left_out }
}

/// When two pages were watched.
enum Watched {
    /// At one time, for so many milliseconds at least.
    Together(i64),
    /// At different times, so many milliseconds apart at least: the second page later, or the first one.
    Apart(i64, bool),
    /// Nobody knows, and why.
    Unknown(&'static str),
}

fn overlap(case: &Case<'_>, one: &Page, other: &Page, messages: usize) -> Overlap {
    let of = [one, other].map(|page| {
        let report = case.report(page);
        let earlier = if report.is_of_earlier_page() { ", earlier page" } else { "" };
        format!("{}{earlier}", case.label(page))
    });
    let ahead = case.clocks.ahead(one.clock(), other.clock());
    let spans = one.watched(case.report(one)).zip(other.watched(case.report(other)));
    let watched = match (spans, ahead) {
        (None, _) => Watched::Unknown("a report does not say since when its page was watched"),
        (_, None) => Watched::Unknown("a clock was set meanwhile"),
        (Some((one, other)), Some(ahead)) => together(one, other, ahead),
    };
    let end = |end: i64, open: i64| (end != open).then_some(end);
    let ahead_least = ahead.and_then(|ahead| end(ahead.low, Interval::ALL.low));
    let ahead_most = ahead.and_then(|ahead| end(ahead.high, Interval::ALL.high));
    let shared = match messages {
        0 => "no message stands in both reports".to_owned(),
        1 => "one message stands in both reports".to_owned(),
        count => format!("{count} messages stand in both reports"),
    };
    let clocks = match (ahead_least, ahead_most) {
        (Some(least), Some(most)) => format!("the second one's clock is {least} to {most} ms ahead of the first one's"),
        (Some(least), None) => format!("the second one's clock is {least} ms ahead of the first one's at least"),
        (None, Some(most)) => format!("the second one's clock is {most} ms ahead of the first one's at most"),
        (None, None) => "nothing tells how their clocks differ".to_owned(),
    };
    let times = match &watched {
        Watched::Together(ms) => format!("Both pages were watched at one time, for {} at least.", lasted(*ms)),
        Watched::Apart(ms, true) => format!(
            "They were watched at different times: the second one began {} after the first one's report was made, at least.",
            lasted(*ms)
        ),
        Watched::Apart(ms, false) => format!(
            "They were watched at different times: the first one began {} after the second one's report was made, at least.",
            lasted(*ms)
        ),
        Watched::Unknown(why) => {
            format!("Whether both pages were watched at one time cannot be told: {why}.{}", if_right(spans))
        }
    };
    let (overlaps, at_least) = match watched {
        Watched::Together(ms) => (Some(true), Some(ms)),
        Watched::Apart(ms, _) => (Some(false), Some(ms)),
        Watched::Unknown(_) => (None, None),
    };
    let says = format!("{} and {}: {shared}, and {clocks}. {times}", of[0], of[1]);
    Overlap { of, messages, ahead_least, ahead_most, overlaps, at_least, says }
}

/// Compares two spans, each of its own clock, where the second clock is so far ahead of the first.
fn together(one: (Moment, Moment), other: (Moment, Moment), ahead: Interval) -> Watched {
    let lasts = |ahead: i64| {
        let (from, to) = (one.0.earliest.saturating_add(ahead), one.1.earliest.saturating_add(ahead));
        to.min(other.1.earliest).saturating_sub(from.max(other.0.earliest))
    };
    // How long both last rises with the difference of the clocks and then falls: it is least at one of the ends.
    let least = lasts(ahead.low).min(lasts(ahead.high));
    let second_later = other.0.earliest.saturating_sub(one.1.earliest.saturating_add(ahead.high));
    let first_later = one.0.earliest.saturating_add(ahead.low).saturating_sub(other.1.earliest);
    if least > 0 {
        Watched::Together(least)
    } else if second_later > 0 {
        Watched::Apart(second_later, true)
    } else if first_later > 0 {
        Watched::Apart(first_later, false)
    } else {
        Watched::Unknown("what is known of their clocks allows both")
    }
}

/// What would follow if both clocks were right, which most are.
fn if_right(spans: Option<((Moment, Moment), (Moment, Moment))>) -> String {
    let Some((one, other)) = spans else { return String::new() };
    let print =
        |(from, to): (Moment, Moment)| format!("{} to {}", stamp::print(from.earliest), stamp::print(to.earliest));
    format!(" By its own clock the first one was watched from {}, the second one from {}.", print(one), print(other))
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::{Level, Report, SentBatch};
    use serde_json::json;

    use super::*;
    use crate::Triage;
    use crate::history::{History, MadeUpPage, delivered};
    use crate::render;

    const BEGUN: u64 = 1_795_424_000_000;
    const ALICE: (&str, &str) = ("@alice:example.org", "ALICE");
    const BOB: (&str, &str) = ("@bob:example.org", "BOB");
    const KEY: &str = "3zb17RSDZmpppoyWB7ZonEg9FJ7xYJfXb+zgnDnhomo";

    /// A page of ten minutes whose clock is so many milliseconds ahead of the first one's.
    struct Watcher(MadeUpPage, u64);

    impl Watcher {
        fn new(device: (&'static str, &'static str), ahead: u64) -> Watcher {
            Watcher(MadeUpPage::new(device, BEGUN + ahead, BEGUN + ahead + 600_000), ahead)
        }

        /// Lists a message, so many milliseconds after the first page began.
        fn sends(self, after: u64, id: &'static str, (user, device): (&'static str, &'static str)) -> Watcher {
            let ts = BEGUN + self.1 + after;
            let target = json!({"userId": user, "deviceId": device, "messageId": id});
            let batch = json!({"ts": ts, "type": "m.room.encrypted", "txnid": id, "omitted": 0, "targets": [target]});
            let batch: SentBatch = serde_json::from_value(batch).expect("a batch");
            Watcher(self.0.but(move |report: &mut Report| report.sent.push(batch)), self.1)
        }

        fn gets(self, after: u64, id: &str, (user, _): (&str, &str)) -> Watcher {
            let at = BEGUN + self.1 + after;
            Watcher(self.0.line(at, Level::Warn, &delivered((user, KEY), id)), self.1)
        }
    }

    fn judged(one: Watcher, other: Watcher) -> Triage {
        let files = [("alice.report.json", one.0.json()), ("bob.report.json", other.0.json())];
        let history = History::new("two reports");
        Triage::of(&files.into_iter().fold(history, |history, (name, page)| history.file(name, page)).bundle())
    }

    fn only(triage: &Triage) -> &Overlap {
        let [pair] = &triage.course.overlaps.pairs[..] else { panic!("{:?}", triage.course.overlaps) };
        pair
    }

    #[test]
    fn messages_both_ways_align_two_reports_whose_clocks_are_an_hour_apart() {
        let alice = Watcher::new(ALICE, 0).sends(100_000, "m1", BOB).gets(200_300, "m2", BOB);
        let bob = Watcher::new(BOB, 3_600_000).gets(100_200, "m1", ALICE).sends(200_000, "m2", ALICE);
        let triage = judged(alice, bob);
        let pair = only(&triage);
        assert_eq!((pair.messages, pair.overlaps), (2, Some(true)), "{pair:?}");
        assert_eq!((pair.ahead_least, pair.ahead_most), (Some(3_600_000 - 305), Some(3_600_000 + 205)));
        // A page is watched from five milliseconds after it began.
        assert_eq!(pair.at_least, Some(600_000 - 305 - 5));
        assert!(render::text(&triage).contains("watched at one time, for 9 min at least"), "{}", pair.says);
        // The picture has both on one clock.
        let pages: Vec<&str> =
            triage.timeline.lanes.iter().map(|lane| &*lane.name).filter(|name| name.ends_with(": page")).collect();
        assert_eq!(pages.len(), 2);
        assert!(triage.timeline.to - triage.timeline.from < 610_000, "{:?}", triage.timeline.notes);
    }

    #[test]
    fn messages_one_way_leave_one_end_open_and_so_the_answer() {
        let alice = Watcher::new(ALICE, 0).sends(100_000, "m1", BOB);
        let triage = judged(alice, Watcher::new(BOB, 3_600_000).gets(100_200, "m1", ALICE));
        let pair = only(&triage);
        assert_eq!((pair.messages, pair.ahead_least, pair.ahead_most), (1, None, Some(3_600_205)), "{pair:?}");
        assert_eq!(pair.overlaps, None);
        assert!(pair.says.contains("cannot be told"), "{}", pair.says);
    }

    #[test]
    fn a_message_that_was_read_in_a_later_page_shows_reports_of_different_times() {
        // Bob's clock goes as Alice's does, within a second, and his page began an hour after hers was closed.
        let measured = |watcher: Watcher| {
            let bounds = crypto_diag_core::ServerMinusPage { low: -100, high: 100 };
            Watcher(
                watcher.0.but(move |report| report.clock.get_or_insert_default().server_minus_page = Some(bounds)),
                watcher.1,
            )
        };
        let late = Watcher(MadeUpPage::new(BOB, BEGUN + 4_200_000, BEGUN + 4_800_000), 0).gets(4_300_000, "m1", ALICE);
        let triage = judged(measured(Watcher::new(ALICE, 0).sends(100_000, "m1", BOB)), measured(late));
        let pair = only(&triage);
        assert_eq!((pair.messages, pair.overlaps), (1, Some(false)), "{pair:?}");
        assert!(pair.says.contains("the second one began 59 min after"), "{}", pair.says);
    }

    #[test]
    fn an_id_that_need_not_be_that_message_aligns_nothing() {
        let gets = |id, from| Watcher::new(BOB, 0).gets(100_200, id, from);
        let sends = || Watcher::new(ALICE, 0).sends(100_000, "m1", BOB);
        let messages = |one, other| only(&judged(one, other)).messages;
        assert_eq!(messages(sends(), gets("m1", ALICE)), 1);
        assert_eq!(messages(sends(), gets("m2", ALICE)), 0, "another message");
        assert_eq!(messages(sends(), gets("m1", ("@carol:example.org", ""))), 0, "another sender");
        assert_eq!(messages(sends().sends(150_000, "m1", BOB), gets("m1", ALICE)), 0, "an id that was used twice");
        let to_another = Watcher::new(ALICE, 0).sends(100_000, "m1", ("@bob:example.org", "OTHER"));
        assert_eq!(messages(to_another, gets("m1", ALICE)), 0, "another device");
    }

    #[test]
    fn of_many_reports_the_pairs_that_are_not_told_are_counted() {
        let page = |at: usize| {
            let user: &'static str = format!("@user{at}:example.org").leak();
            Watcher::new((user, "DEVICE"), 0).0.json()
        };
        let history = (0..6)
            .fold(History::new("six reports"), |history, at| history.file(&format!("{at}.report.json"), page(at)));
        let overlaps = Triage::of(&history.bundle()).course.overlaps;
        assert_eq!((overlaps.pairs.len(), overlaps.omitted), (12, 3));
        assert!(overlaps.sentences().any(|text| text.contains("Of 15 pairs")));
        let one = History::new("one report").file("a.report.json", page(0));
        assert_eq!(Triage::of(&one.bundle()).course.overlaps, Overlaps::default());
    }
}

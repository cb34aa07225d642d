//! What tells the difference between two clocks: events that stand in both artefacts, told apart by this client's own ids.

use std::collections::{BTreeSet, HashMap};

use crypto_diag_analysis::Report;
use crypto_diag_analysis::sorted::sort_by_key;
use crypto_diag_core::Meaning;

use super::ledger::{Ledger, Refusal};
use super::shared::Shared;
use super::{Page, watch};
use crate::bundle::Bundle;
use crate::clock::{self, Interval};
use crate::moment::{Clock, Clocks};
use crate::subject::Device;
use crate::synapse_log::ZoneSource;

/// The clocks of one server's hosts are taken to agree to this, in milliseconds, where nothing measures them and nothing
/// contradicts it. Hosts that keep time by NTP agree to some tens of milliseconds; a second is for those that keep it badly.
pub(crate) const HOSTS_APART_MS: i64 = 1_000;

const SAME: Interval = Interval { low: 0, high: 0 };

const HOSTS: Interval = Interval { low: -HOSTS_APART_MS, high: HOSTS_APART_MS };

/// The clocks of a case. Some say of themselves that they were set meanwhile: a page does, which shares its clock with its
/// HARs, and so does a log whose times run backwards.
pub(super) fn clocks(bundle: &Bundle, pages: &[Page], ledger: &Ledger, shared: &[Shared]) -> Clocks {
    let browsers = pages.iter().filter(|page| watch::clock_set(&bundle.reports[page.report]).is_some());
    let clocks =
        |page: &Page| -> Vec<Clock> { page.hars.iter().map(|har| Clock::Har(*har)).chain([page.clock()]).collect() };
    let mut set: Vec<Clock> = browsers.flat_map(clocks).collect();
    // Lines without times have no clock that anything could be laid beside.
    set.extend(pages.iter().filter(|page| !bundle.reports[page.report].has_times()).map(Page::clock));
    let stepped = |log: &usize| !bundle.logs[*log].steps.is_empty();
    set.extend((0..bundle.logs.len()).filter(stepped).map(Clock::Log));
    let mut measured = measured(bundle, pages, ledger);
    measured.extend(shared.iter().map(Shared::interval));
    let known = Clocks::new(&measured, &set);
    measured.extend(assumed(bundle, &known));
    Clocks::new(&measured, &set)
}

/// What is measured between pairs of clocks.
fn measured(bundle: &Bundle, pages: &[Page], ledger: &Ledger) -> Vec<(Clock, Clock, Interval)> {
    let mut measured: Vec<(Clock, Clock, Interval)> = Vec::new();
    // Lines that are written out of order may have been printed by clocks that differ, or by one that was set a little.
    let to_log = |clock: Clock, log: usize, interval: Interval| {
        (clock, Clock::Log(log), interval.widened(bundle.logs[log].disorder_ms))
    };
    let mut aligned: Vec<Vec<i64>> = vec![Vec::new(); bundle.hars.len()];
    for (har, found) in bundle.hars.iter().enumerate() {
        for (log, lines) in bundle.logs.iter().enumerate() {
            for (at, interval) in clock::of_requests(found, lines) {
                aligned[har].push(at);
                measured.push(to_log(Clock::Har(har), log, interval));
            }
        }
        if let Some((at, interval)) = uploads(bundle, har) {
            aligned[har].extend(at);
            measured.push((Clock::Har(har), Clock::Database, interval));
        }
    }
    for (at, page) in pages.iter().enumerate() {
        let others = pages[at + 1..].iter();
        measured
            .extend(others.filter_map(|other| Some((page.clock(), other.clock(), by_server(bundle, page, other)?))));
        let shared = page.hars.iter().filter(|har| shares_clock(bundle, pages, page, **har, &aligned[**har]));
        measured.extend(shared.map(|har| (page.clock(), Clock::Har(*har), SAME)));
        let sent = sent_batches(bundle, page.report).into_iter();
        measured.extend(sent.map(|(log, interval)| to_log(page.clock(), log, interval)));
        if let Some(found) = bundle.reports[page.report].server_minus_page
            && is_own_server(bundle, page)
        {
            measured.push((page.clock(), Clock::Database, clock::of_events(found)));
        }
        if let Some(device) = &page.device {
            let report = &bundle.reports[page.report];
            let printed = ledger.conflicts.iter().filter(|refusal| refusal.answered.clock == page.clock()).count();
            // An earlier page may have printed more in its last second.
            let complete = !report.is_of_earlier_page() && report.tally("KE-1", Meaning::Failure) == printed as u64;
            let intervals = refusals(ledger, page, device, complete).into_iter();
            measured.extend(intervals.map(|(log, interval)| to_log(page.clock(), log, interval)));
        }
    }
    measured
}

/// The homeserver of a report's user.
fn server(report: &Report) -> Option<&str> {
    Some(report.user_id.as_deref()?.split_once(':')?.1)
}

/// How far one page's clock is ahead of another's, where both have measured theirs by one homeserver. Its events may be stamped by several
/// of its hosts.
fn by_server(bundle: &Bundle, page: &Page, other: &Page) -> Option<Interval> {
    let (page, other) = (&bundle.reports[page.report], &bundle.reports[other.report]);
    let (one, two) = (clock::of_events(page.server_minus_page?), clock::of_events(other.server_minus_page?));
    let is_one = server(page)? == server(other)?;
    let ahead = Interval { low: one.low.saturating_sub(two.high), high: one.high.saturating_sub(two.low) };
    is_one.then_some(ahead.widened(HOSTS_APART_MS))
}

/// Whether the server whose log is given is the one that stamped a page's events: it has answered requests of that user's, and no
/// report is of a user of another server.
fn is_own_server(bundle: &Bundle, page: &Page) -> bool {
    let report = &bundle.reports[page.report];
    let (user_id, own) = (&report.user_id, server(report));
    own.is_some()
        && bundle.reports.iter().all(|other| server(other) == own)
        && bundle.logs.iter().any(|log| log.requests.iter().any(|request| request.user_id == *user_id))
}

/// Whether a page's times may be laid beside those of its HAR. The machine's clock may be set while no page is open, and then no
/// report says so. So a HAR that spans several pages goes with those alone that made one of the requests by which it is aligned,
/// at a time at which no other reported page was open: a clock that was set back makes two pages one.
fn shares_clock(bundle: &Bundle, pages: &[Page], page: &Page, har: usize, aligned: &[i64]) -> bool {
    let capture = |page: &Page| &bundle.reports[page.report].capture;
    let was_open = |page: &Page, at: i64| {
        let from = capture(page).time_origin.map_or(0, |origin| origin.0);
        u64::try_from(at).is_ok_and(|at| (from..=bundle.reports[page.report].generated_at.0).contains(&at))
    };
    // Two reports of one begin are of one page.
    let is_other = |other: &&Page| capture(other).time_origin != capture(page).time_origin;
    let mut others = pages.iter().filter(|page| page.hars.contains(&har)).filter(is_other);
    let own = |at: &i64| was_open(page, *at) && !others.clone().any(|other| was_open(other, *at));
    aligned.iter().any(own) || (aligned.is_empty() && others.next().is_none())
}

/// What is taken for true of the server's hosts: that the clock of each log whose zone is known agrees with the one by which
/// rows are stamped. Nothing is, where what is measured shows that some hosts do not agree.
fn assumed(bundle: &Bundle, known: &Clocks) -> Vec<(Clock, Clock, Interval)> {
    let logs = bundle.logs.iter().enumerate().filter(|(_, log)| log.zone != ZoneSource::Assumed);
    let hosts: Vec<Clock> = logs.map(|(log, _)| Clock::Log(log)).chain([Clock::Database]).collect();
    let agree = |one: &Clock, other: &Clock| known.ahead(*one, *other).is_none_or(|ahead| ahead.and(HOSTS).is_some());
    if !hosts.iter().all(|one| hosts.iter().all(|other| agree(one, other))) {
        return Vec::new();
    }
    let logs = hosts.iter().filter(|host| **host != Clock::Database);
    logs.map(|log| (*log, Clock::Database, HOSTS)).collect()
}

/// What this browser's own accepted uploads say of the clock by which their rows are stamped: a key was stored while its upload
/// was under way. A key whose upload stands twice was stored by the first, and one that the HAR has once may have been sent
/// before the HAR began: only uploads that agree count.
/// With when they were made, by the client's clock.
fn uploads(bundle: &Bundle, har: usize) -> Option<(Vec<i64>, Interval)> {
    let found = &bundle.hars[har];
    let (user_id, device_id) = found.device()?;
    let mut sent: HashMap<(&str, &str), Option<usize>> = HashMap::new();
    for (at, request) in found.entries.iter().enumerate() {
        for (id, key) in request.facts.iter().flat_map(|facts| &facts.one_time_keys) {
            sent.entry((id, key)).and_modify(|seen| *seen = None).or_insert(Some(at));
        }
    }
    let mut agreed = Interval::ALL;
    let mut uploads: BTreeSet<usize> = BTreeSet::new();
    for row in bundle.queries.iter().flat_map(|results| &results.one_time_keys) {
        let of_device = row.user_id.as_deref().is_none_or(|user| user == user_id)
            && row.device_id.as_deref().is_none_or(|device| device == device_id);
        let id = format!("{}:{}", row.algorithm.as_deref().unwrap_or("signed_curve25519"), row.key_id);
        let (true, Some(key), Some(added)) = (of_device, row.key.as_deref(), row.ts_added_ms) else { continue };
        let Some(Some(at)) = sent.get(&(id.as_str(), key)) else { continue };
        let request = &found.entries[*at];
        if request.status == 200 {
            agreed = agreed.and(clock::of_request((request.start, request.end()), (added, added)))?;
            uploads.insert(*at);
        }
    }
    let made = uploads.iter().map(|at| found.entries[*at].start).collect();
    (uploads.len() >= clock::PAIRS_MIN).then_some((made, agreed))
}

/// The page prints a batch before it sends it, and a transaction id is unique to its sender.
fn sent_batches(bundle: &Bundle, report: usize) -> Vec<(usize, Interval)> {
    let found = &bundle.reports[report];
    let mut intervals = Vec::new();
    for batch in &found.sent {
        let Some(txn_id) = batch.txnid.as_deref() else { continue };
        let mut requests = bundle.logs.iter().enumerate().flat_map(|(log, found)| {
            found.requests.iter().filter(|request| request.txn_id() == Some(txn_id)).map(move |request| (log, request))
        });
        if let (Some((log, request)), None) = (requests.next(), requests.next())
            && request.user_id == found.user_id
        {
            let sent = (i64::try_from(batch.ts.0).unwrap_or(i64::MAX / 8), Interval::ALL.high);
            let received = clock::of_request(sent, (request.start, request.end));
            intervals.push((log, Interval { low: Interval::ALL.low, ..received }));
        }
    }
    intervals
}

/// Refusals of one key that stand on both sides. Where page and log show the same number, they are the same ones: a page
/// prints each after its answer and before it asks again.
fn refusals(ledger: &Ledger, page: &Page, device: &Device, complete: bool) -> Vec<(usize, Interval)> {
    let of_device = || ledger.conflicts.iter().filter(|refusal| refusal.is_of(device));
    let mut printed: Vec<&Refusal> = of_device().filter(|refusal| refusal.answered.clock == page.clock()).collect();
    sort_by_key(&mut printed, |refusal| refusal.answered.earliest);
    let mut refused: Vec<(usize, &Refusal)> = of_device()
        .filter_map(|refusal| match refusal.answered.clock {
            Clock::Log(log) => Some((log, refusal)),
            _ => None,
        })
        .collect();
    sort_by_key(&mut refused, |(_, refusal)| refusal.answered.earliest);
    let same = |one: &Refusal, other: &Refusal| {
        one.key_id() == other.key_id()
            && (one.held_key(), one.offered_key()) == (other.held_key(), other.offered_key())
            && one.held_key().is_some()
    };
    let pairs = printed.iter().zip(&refused);
    if !complete || printed.len() != refused.len() || !pairs.clone().all(|(one, (_, other))| same(one, other)) {
        return Vec::new();
    }
    let mut intervals = Vec::new();
    for (index, (printed, (log, refused_at))) in pairs.enumerate() {
        let (printed, answered) = (printed.answered.earliest, refused_at.answered.earliest);
        let low = clock::of_request((0, printed), (0, answered)).low;
        let next = refused.get(index + 1).and_then(|(_, next)| next.asked);
        let high = next.map_or(Interval::ALL.high, |next| clock::of_request((printed, 0), (next.earliest, 0)).high);
        intervals.push((*log, Interval { low, high }));
    }
    intervals
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::Case;
    use crate::history::History;

    fn ahead(history: &History, one: Clock, other: Clock) -> Option<Interval> {
        let bundle = history.bundle();
        Case::of(&bundle).clocks.ahead(one, other)
    }

    const PAGE: Clock = Clock::Page(0);
    const LOG: Clock = Clock::Log(0);

    #[test]
    fn a_page_is_aligned_by_its_own_requests() {
        let history = History::recorded("healthy-key-exchange", "as recorded");
        // Its own uploads stand in the HAR and in the rows, which the server stamped while they were under way.
        let rows = ahead(&history, PAGE, Clock::Database).expect("no clock was set");
        assert!(rows.low <= 0 && rows.high >= 0 && rows.high - rows.low < 100, "{rows:?}");
        let history = history.without("queries.json");
        let found = ahead(&history, PAGE, LOG).expect("no clock was set");
        assert!(found.is_bounded() && found.low <= 0 && found.high >= 0 && found.high - found.low < 100, "{found:?}");
        // The zone of the log need not be known for that, and none of it goes to another clock.
        let assumed = history.rewrite("homeserver.log.txt", |log| log.replace(" at 17", " for 17"));
        assert!(ahead(&assumed, PAGE, LOG).expect("no clock was set").is_bounded());
        assert_eq!(ahead(&assumed, LOG, Clock::Database), Some(Interval::ALL));
    }

    #[test]
    fn a_page_is_aligned_by_its_own_events_where_the_server_is_its_own() {
        let history = History::recorded("healthy-key-exchange", "no HAR and no rows");
        let hars: Vec<String> =
            history.files.iter().map(|(name, _)| name.clone()).filter(|name| name.ends_with(".har")).collect();
        let bare = hars.iter().fold(history.without("queries.json"), |history, name| history.without(name));
        let report = bare.bundle().report_names[0].clone();
        let told = |low: i64, high: i64| {
            let clock = serde_json::json!({ "low": low, "high": high });
            bare.clone().edit(&report, |report| report["clock"]["serverMinusPage"] = clock)
        };
        let before = ahead(&bare, PAGE, LOG).expect("no clock was set");
        assert!(!before.is_bounded(), "{before:?}");
        let rows = ahead(&told(-40, 60), PAGE, Clock::Database).expect("no clock was set");
        assert_eq!(rows, Interval { low: -45, high: 65 });
        let found = ahead(&told(-40, 60), PAGE, LOG).expect("no clock was set");
        assert!(found.is_bounded() && found.high - found.low <= 110 + 2 * HOSTS_APART_MS, "{found:?}");
        let elsewhere = told(-40, 60).edit(&report, |report| report["userId"] = "@alice:elsewhere.example.org".into());
        assert_eq!(ahead(&elsewhere, PAGE, Clock::Database), Some(Interval::ALL), "the log is of another server");
        let nothing = ahead(&bare, PAGE, Clock::Database);
        assert_eq!(ahead(&told(60, -40), PAGE, Clock::Database), nothing, "bounds that exclude one another");
        let hour = ahead(&told(3_600_000, 3_600_100), PAGE, LOG);
        assert_eq!(
            hour,
            Some(before),
            "the log has a batch of this page an hour earlier: no host's clock is taken for another's"
        );
    }

    #[test]
    fn two_pages_are_aligned_by_the_events_of_each_where_one_server_stamped_them() {
        let report = |user: &str, low: i64| {
            let page = crate::history::MadeUpPage::new((user, "D"), 1_795_424_000_000, 1_795_424_060_000);
            page.but(move |report| {
                let bounds = crypto_diag_core::ServerMinusPage { low, high: low + 100 };
                report.clock.get_or_insert_default().server_minus_page = Some(bounds);
            })
        };
        let of = |other: &str| {
            let pages = History::new("two pages, one 90 s ahead of the other")
                .file("a.report.json", report("@alice:example.org", -50).json())
                .file("b.report.json", report(other, -90_000).json());
            ahead(&pages, Clock::Page(0), Clock::Page(1))
        };
        let bounds = Interval { low: 89_840, high: 90_060 };
        assert_eq!(of("@bob:example.org"), Some(bounds.widened(HOSTS_APART_MS)));
        assert_eq!(of("@bob:elsewhere.example.org"), Some(Interval::ALL), "another server stamped its events");
    }

    #[test]
    fn another_days_log_is_not_aligned() {
        let history =
            History::world("08-yesterdays-log", "versions, capabilities and push rules are asked for every day");
        assert_eq!(ahead(&history, PAGE, LOG), Some(Interval::ALL));
    }

    #[test]
    fn a_log_of_unknown_zone_goes_with_no_other_clock() {
        let history = History::world("34-two-logs-two-zones", "main.log says nothing of its zone");
        let bundle = history.bundle();
        let log = |name: &str| Clock::Log(bundle.logs.iter().position(|log| log.name == name).expect("a log"));
        let (worker, main) = (log("generic_worker1.log"), log("main.log"));
        let case = Case::of(&bundle);
        assert_eq!(case.clocks.ahead(worker, main), Some(Interval::ALL));
        assert_eq!(case.clocks.ahead(Clock::Page(0), main), Some(Interval::ALL));
        assert!(case.clocks.ahead(Clock::Page(0), worker).expect("no clock was set").is_bounded());
    }

    /// Moves the times of a log behind its middle.
    fn shifted_behind(text: &str, seconds: i64) -> String {
        let half = text.lines().count() / 2;
        let shift = |(at, line): (usize, &str)| {
            let time: jiff::civil::DateTime = line.get(..23).and_then(|time| time.replace(',', ".").parse().ok())?;
            let moved =
                if at < half { time } else { time.checked_add(jiff::SignedDuration::from_secs(seconds)).ok()? };
            Some(format!("{}{}\n", moved.strftime("%Y-%m-%d %H:%M:%S,%3f"), line.get(23..)?))
        };
        text.lines().enumerate().filter_map(shift).collect()
    }

    #[test]
    fn a_log_whose_times_run_backwards_is_compared_with_nothing() {
        let history = History::recorded("healthy-key-exchange", "the server's clock is set back by a minute");
        let set_back = history.clone().rewrite("homeserver.log.txt", |log| shifted_behind(log, -60));
        assert_eq!(ahead(&set_back, PAGE, LOG), None);
        let set_forward = history.rewrite("homeserver.log.txt", |log| shifted_behind(log, 60));
        assert_eq!(ahead(&set_forward, PAGE, LOG), None, "requests on both sides contradict one another");
    }

    #[test]
    fn a_page_that_says_its_clock_moved_takes_its_har_along() {
        let mut bundle = History::recorded("healthy-key-exchange", "the page's clock was set by an hour").bundle();
        bundle.reports[0].clock_offset_ms = Some(3_600_000.0);
        let case = Case::of(&bundle);
        let set = &case.clocks;
        let har = Clock::Har(case.pages[0].hars[0]);
        assert!(set.is_stepped(PAGE) && set.is_stepped(har) && !set.is_stepped(LOG));
        let other = set.ahead(Clock::Page(1), LOG).expect("the other page's clock is good");
        assert!(other.is_bounded());
    }

    #[test]
    fn the_skew_of_two_workers_is_measured_by_the_same_page_and_else_assumed_to_be_small() {
        let history =
            History::recorded("healthy-key-exchange", "two logs, one of them 5 s ahead").without("queries.json");
        let log = String::from_utf8(
            history.files.iter().find(|(name, _)| name == "homeserver.log.txt").expect("a log").1.clone(),
        )
        .expect("a text");
        let apart = |interval: Option<Interval>| interval.expect("no clock was set");
        let two = history.clone().file("worker.log", shifted(&log, 5));
        let skew = apart(ahead(&two, LOG, Clock::Log(1)));
        assert!(skew.low > 4_900 && skew.high < 5_100, "{skew:?}");
        // What is measured shows that these hosts do not agree: nothing is assumed of the database's, either.
        assert_eq!(apart(ahead(&two, LOG, Clock::Database)), Interval::ALL);
        let strangers = shifted(&log, 5).replace("since=", "from=").replace("/sendToDevice/", "/x/");
        let unmeasured = history.file("worker.log", strangers);
        assert_eq!(apart(ahead(&unmeasured, LOG, Clock::Log(1))), HOSTS.widened(HOSTS_APART_MS));
    }

    /// Moves all times of a log, and those that its ledger prints.
    fn shifted(text: &str, seconds: i64) -> String {
        let moved = shifted_behind(&format!("{text}{text}"), seconds);
        let half = moved.lines().skip(text.lines().count());
        half.map(|line| match line.rsplit_once(" at ") {
            Some((head, at)) if at.bytes().all(|byte| byte.is_ascii_digit()) => {
                format!("{head} at {}\n", at.parse::<i64>().expect("a time") + seconds * 1000)
            }
            _ => format!("{line}\n"),
        })
        .collect()
    }
}

//! What is true of a history.
//!
//! What is said of a key's path is meant until the time of what says it: a log that shows a message dropped says nothing of later.

use std::collections::BTreeSet;

use super::play::{Became, Played, play};
use super::{State, View, Who, files};
use crate::judge::Claim;

/// No rotation spans this.
const LASTS_MS: i64 = 60_000;
/// A message that waits for longer is not on its way.
const ON_ITS_WAY_MS: i64 = 5_000;

/// Every claim that holds. What is not among them is false, whatever its name.
pub fn truths(state: &State, view: &View) -> BTreeSet<Claim> {
    let call = play(state);
    let mut truths = Truths { call: &call, view, claims: BTreeSet::new() };
    truths.of_pages();
    truths.of_the_server();
    truths.of_messages();
    truths.of_indexes();
    truths.claims
}

struct Truths<'c> {
    call: &'c Played,
    view: &'c View,
    claims: BTreeSet<Claim>,
}

fn label(who: Who) -> String {
    format!("{}/{}", who.device().user, who.device().id)
}

impl Truths<'_> {
    fn hold(&mut self, claim: &str, about: impl Into<String>) {
        self.claims.insert((claim.to_owned(), about.into()));
    }

    fn hold_if(&mut self, holds: bool, claim: &str, about: impl Into<String>) {
        if holds {
            self.hold(claim, about);
        }
    }

    fn of_pages(&mut self) {
        let (call, view) = (self.call, self.view);
        let (alice, bob) = (label(Who::Alice), label(Who::Bob));
        let sent_until = files::made(call, view, Who::Bob);
        let sent = call
            .batches
            .iter()
            .any(|batch| batch.by == Who::Bob && batch.targets.contains(&Who::Alice) && batch.queued <= sent_until);
        self.hold_if(!sent, "never-sent", format!("{alice} from {bob}"));
        let made = files::made(call, view, Who::Alice);
        let shown: Vec<(i64, u8)> =
            call.missing.iter().copied().filter(|(at, _)| files::is_captured(call, view, Who::Alice, *at)).collect();
        let is_open = |(at, key): &(i64, u8)| call.set(*key).is_none_or(|set| set < *at || set > made);
        self.hold_if(shown.iter().any(is_open), "ke2-seen", format!("{alice} ({})", files::REPORTS[0]));
        let opened_within = |from: i64, to: i64| {
            let of_bob = call.had.iter().filter(|had| had.who == Who::Alice && had.became == Became::Opened);
            of_bob.filter(|had| call.batches[had.batch].by == Who::Bob).any(|had| (from..=to).contains(&had.at))
        };
        let lasts = shown.iter().any(|(from, key)| {
            let mut later = shown.iter().filter(|(to, other)| other == key && to - from >= LASTS_MS);
            later.any(|(to, _)| !opened_within(*from, *to))
        });
        self.hold_if(lasts, "media-key-missing", format!("{alice} {}", files::identity(Who::Bob)));
        let unopened = |had: &super::play::Had| {
            had.became == Became::Unopened && files::is_captured(call, view, Who::Alice, had.at)
        };
        for had in call.had.iter().filter(|had| unopened(had)) {
            let about = format!("{alice} {}", files::lost_key(had.batch));
            // A fallback key that was replaced is not lost.
            self.hold_if(call.batches[had.batch].fate == super::Fate::Unopenable, "lost-key", about.clone());
            self.hold("lost-key-lost-media-key", about);
            self.hold_if(view.lines.library, "olm-seen", format!("{alice} ({})", files::REPORTS[0]));
        }
        for batch in call.batches.iter().filter(|batch| batch.is_shown()) {
            let Some((at, status)) = batch.refused() else { continue };
            if files::is_captured(call, view, Who::Bob, at + 5) {
                self.hold("olm-seen", format!("{bob} ({})", files::REPORTS[1]));
            }
            self.hold_if(status == 403, "batch-dropped", bob.clone());
        }
    }

    fn of_the_server(&mut self) {
        let (call, view) = (self.call, self.view);
        // A message that had come before is not one that was sent to a device that is gone.
        let came_too_late = call
            .batches
            .iter()
            .filter(|batch| batch.targets.contains(&Who::Alice))
            .any(|batch| batch.accepted().is_some_and(|at| !call.has_device(Who::Alice, at)));
        self.hold_if(came_too_late, "stale-target", label(Who::Alice));
        let newest = files::looked(call, view).into_iter().rfind(|at| self.waits(*at).is_some());
        let waits = newest.is_some_and(|at| {
            let row = self.waits(at).expect("it waits then");
            let since = at - ON_ITS_WAY_MS;
            let was_awake = !call.frozen.iter().any(|(from, to)| *from <= at && *to >= since)
                && call.left.is_none_or(|left| left > at);
            // A message that was taken twice waits twice.
            let brings = |sync: &&super::play::Sync| {
                sync.who == Who::Alice && sync.brought.iter().any(|brought| brought.stream == row.stream)
            };
            let fetched = call.syncs.iter().filter(brings).map(|sync| sync.done.0).min();
            row.stored <= since && was_awake && fetched.is_none_or(|fetched| fetched > self.told_until(at))
        });
        self.hold_if(waits, "backlog", label(Who::Alice));
    }

    /// Until when files say whether Alice has what waited at a time.
    fn told_until(&self, look: i64) -> i64 {
        files::saved(self.call, self.view, 0).map_or(look, |saved| saved.max(look))
    }

    /// The oldest message that waits for Alice at a time.
    fn waits(&self, at: i64) -> Option<super::play::Row> {
        let waiting = self.call.rows.iter().filter(|row| row.to == Who::Alice && row.is_there(at));
        waiting.min_by_key(|row| row.stream).copied()
    }

    /// When a client had a message.
    fn fetched(&self, (batch, to): (usize, Who)) -> Option<i64> {
        let brings = |sync: &&super::play::Sync| sync.who == to && sync.brought.iter().any(|row| row.batch == batch);
        self.call.syncs.iter().filter(brings).map(|sync| sync.done.0).min()
    }

    /// The hops of each message.
    fn of_messages(&mut self) {
        let (call, view) = (self.call, self.view);
        for (number, batch) in call.batches.iter().enumerate() {
            for to in batch.targets.clone() {
                let about = format!("{} {}", files::message_id(number, to), files::REPORTS[to as usize]);
                let until = self.said_until(number, to);
                self.hold("hop-made", about.clone());
                self.hold("hop-sent", about.clone());
                self.hold_if(batch.accepted().is_some(), "hop-accepted", about.clone());
                let mut stored = call.rows.iter().filter(|row| row.batch == number && row.to == to);
                self.hold_if(stored.any(|row| row.stored <= until.0), "hop-queued", about.clone());
                let fetched = self.fetched((number, to));
                let has_failed = call.had.iter().any(|had| {
                    let is_it = had.who == to && had.batch == number && had.became != Became::Opened;
                    is_it && files::is_kept(call, view, to, had.at)
                });
                let in_hand = fetched.is_some_and(|fetched| fetched <= until.1 || has_failed);
                self.hold_if(in_hand, "hop-fetched", about.clone());
                let opened = call.had.iter().any(|had| {
                    let is_it = had.who == to && had.batch == number && had.became == Became::Opened;
                    is_it && had.at <= if has_failed { i64::MAX } else { until.1 }
                });
                self.hold_if(opened, "hop-opened", about);
            }
        }
    }

    /// Until when the files say of a message whether it was queued, and whether it was fetched. Where only a line says that it was
    /// dropped, they say it until then.
    fn said_until(&self, number: usize, to: Who) -> (i64, i64) {
        let (call, view) = (self.call, self.view);
        if to != Who::Alice {
            return (i64::MAX, i64::MAX);
        }
        let tries = || call.batches[number].tries.iter();
        let span = view.log.filter(|log| log.debug).map(|log| files::logged(&log));
        let is_logged = |at: i64| span.as_ref().is_some_and(|span| span.contains(&at));
        let line_of = |stored: bool| {
            let is_it = move |one: &&super::play::Try| {
                if stored { one.stored.is_some() && !one.dropped.contains(&to) } else { one.dropped.contains(&to) }
            };
            tries().filter(is_it).filter_map(|one| one.arrived).map(|(at, _)| at + 6).filter(|at| is_logged(*at)).max()
        };
        let looks = files::looked(call, view);
        let is_listed = |at: &i64| {
            view.listed && call.rows.iter().any(|row| row.batch == number && row.to == to && row.is_there(*at))
        };
        if let (Some(dropped), None, false) = (line_of(false), line_of(true), looks.iter().any(is_listed)) {
            return (dropped, dropped);
        }
        let look = looks.into_iter().rfind(|at| self.waits(*at).is_some());
        (i64::MAX, look.map_or(i64::MAX, |look| self.told_until(look)))
    }

    /// The hops of Bob's keys to Alice's page, by their index.
    fn of_indexes(&mut self) {
        let (call, view) = (self.call, self.view);
        let made = files::made(call, view, Who::Alice);
        for (number, batch) in call.batches.iter().enumerate().filter(|(_, batch)| batch.by == Who::Bob) {
            let about = format!("index {} of {} {}", batch.key, files::identity(Who::Bob), files::REPORTS[0]);
            self.hold("hop-made", about.clone());
            if !batch.targets.contains(&Who::Alice) {
                continue;
            }
            self.hold_if(batch.queued <= files::made(call, view, Who::Bob), "hop-sent", about.clone());
            let stored = call.rows.iter().any(|row| row.batch == number && row.to == Who::Alice);
            self.hold_if(batch.accepted().is_some(), "hop-accepted", about.clone());
            self.hold_if(stored, "hop-queued", about.clone());
            let fetched = self.fetched((number, Who::Alice));
            self.hold_if(fetched.is_some_and(|at| at <= made), "hop-fetched", about.clone());
            let set = call.set(batch.key).filter(|at| *at <= made);
            self.hold_if(set.is_some(), "hop-opened", about.clone());
            self.hold_if(set.is_some(), "hop-set", about);
        }
    }
}

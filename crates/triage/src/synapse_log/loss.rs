//! Lines that were there and say nothing any more: what became of them, how many, and how to get them.

use std::collections::BTreeMap;

use crypto_diag_server_log::JOURNAL_COMMAND;

use super::process::Hole;
use super::server_log::KEPT_MAX;
use crate::problem::Place;

/// Milliseconds around a cut line in which nothing follows from absence: stamps may be cut to seconds.
const AROUND_MS: i64 = 1_000;

/// Programs that are told apart at most.
const SOURCES_MAX: usize = 64;

/// Names of other programs in a sentence at most.
const NAMED_MAX: usize = 5;

/// Lines that were lost.
#[derive(Debug, Default)]
pub(super) struct Losses {
    hidden: Lines,
    /// Lines that somebody left out on purpose.
    left_out: Lines,
    cut: Lines,
    /// Lines that are none of a server's, by who wrote them.
    strays: BTreeMap<String, Lines>,
    holes: Vec<Hole>,
    /// The last time in front of hidden lines, behind which no time was read yet.
    open: Option<Hole>,
}

/// Lines of one kind.
#[derive(Clone, Copy, Debug, Default)]
struct Lines {
    count: u64,
    first: u64,
}

impl Lines {
    fn add(&mut self, lines: u64, number: u64) {
        if self.count == 0 {
            self.first = number;
        }
        self.count = self.count.saturating_add(lines);
    }
}

impl Losses {
    /// A line that journald does not show. It was written between the lines around it.
    pub fn hidden(&mut self, last: Option<i64>, number: u64) {
        self.hidden.add(1, number);
        self.begin_hole(last, number);
    }

    /// Lines that somebody left out on purpose. They were written between the lines around them.
    pub fn left_out(&mut self, last: Option<i64>, number: u64, lines: u64) {
        self.left_out.add(lines, number);
        self.begin_hole(last, number);
    }

    /// Whether somebody left out lines on purpose. It is not known which program wrote those.
    pub fn some_left_out(&self) -> bool {
        self.left_out.count > 0
    }

    fn begin_hole(&mut self, last: Option<i64>, number: u64) {
        if self.open.is_none() {
            self.open = last.map(|last| Hole { from: last, to: last, line: number });
        }
    }

    /// A time was read behind it.
    pub fn goes_on(&mut self, time: i64) {
        if let Some(open) = self.open.take() {
            self.put(Hole { to: time.max(open.from) + 1, ..open });
        }
    }

    /// A line that counts and is not whole.
    pub fn cut(&mut self, time: i64, number: u64) {
        self.cut.add(1, number);
        self.put(Hole { from: time - AROUND_MS, to: time + AROUND_MS, line: number });
    }

    /// A line that is none of a server's and continues none.
    pub fn stray(&mut self, source: &str, number: u64) {
        let source = if self.strays.len() < SOURCES_MAX || self.strays.contains_key(source) { source } else { "" };
        self.strays.entry(source.to_owned()).or_default().add(1, number);
    }

    fn put(&mut self, hole: Hole) {
        let is_full = self.holes.len() >= KEPT_MAX;
        match self.holes.last_mut() {
            // Many at once are one hole; so are more than can be kept.
            Some(last) if hole.from <= last.to || is_full => last.to = last.to.max(hole.to),
            _ => self.holes.push(hole),
        }
    }

    /// When lines were lost, by the log's own times.
    pub fn holes(&self) -> Vec<Hole> {
        self.holes.iter().copied().chain(self.open.map(|open| Hole { to: i64::MAX / 4, ..open })).collect()
    }

    /// What was lost, how, and what to do. `wrote`: whether a source wrote lines of a server's log.
    pub fn problems(&self, wrote: &dyn Fn(&str) -> bool) -> Vec<(Place, String)> {
        let mut found = Vec::new();
        if self.hidden.count > 0 {
            let what = format!(
                "{} lines from here on are hidden by journalctl, as blob data since they hold colours or other bytes, or as \
                 null since they are long; nothing follows from their absence. Export the journal with `{JOURNAL_COMMAND}`",
                self.hidden.count
            );
            found.push((Place::Line(self.hidden.first), what));
        }
        if self.left_out.count > 0 {
            let what = format!(
                "{} lines are left out of it on purpose; nothing follows from their absence",
                self.left_out.count
            );
            found.push((Place::Whole, what));
        }
        if self.cut.count > 0 {
            let what = format!(
                "{} lines about keys or requests from here on are cut, as a pager or a terminal cuts them, so that what \
                 they said of keys is unknown; nothing follows from its absence. Export the journal with \
                 `{JOURNAL_COMMAND}`, or copy the log's file",
                self.cut.count
            );
            found.push((Place::Line(self.cut.first), what));
        }
        let (own, others): (Vec<_>, Vec<_>) =
            self.strays.iter().partition(|(source, _)| source.is_empty() || wrote(source.as_str()));
        let count = |lines: &[(&String, &Lines)]| lines.iter().map(|(_, lines)| lines.count).sum::<u64>();
        if !own.is_empty() {
            let what = format!("{} lines begin no log line and continue none of their process; left out", count(&own));
            found.push((Place::Whole, what));
        }
        if !others.is_empty() {
            let names: Vec<&str> = others.iter().take(NAMED_MAX).map(|(source, _)| source.as_str()).collect();
            let more = if others.len() > NAMED_MAX { " and others" } else { "" };
            let what = format!(
                "{} lines are of other programs than a homeserver ({}{more}); left out",
                count(&others),
                names.join(", ")
            );
            found.push((Place::Whole, what));
        }
        found
    }
}

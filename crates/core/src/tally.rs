//! Exact counts outside the buffer: how often, since when, how fast.

use serde::{Deserialize, Serialize};

use crate::entry::{Ke, Meaning, Millis};

/// How many recent calendar seconds are counted separately, for the peak. Lines of frames and workers arrive a little out of
/// order. A second that is older than this has been dropped; if a line of it still comes, its count starts at 1.
const OPEN_SECONDS: usize = 8;

/// The counts of one (KE, meaning) class. `first` and `last` are the earliest and the latest time seen.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Tally {
    total: u64,
    first: Millis,
    last: Millis,
    peak: u32,
    open: [(u64, u32); OPEN_SECONDS],
}

impl Tally {
    /// Counts one line.
    pub fn add(&mut self, ts: Millis) {
        self.first = if self.total == 0 { ts } else { self.first.min(ts) };
        self.last = self.last.max(ts);
        self.total += 1;
        let second = ts.second();
        let slot = &mut self.open[(second % OPEN_SECONDS as u64) as usize];
        if slot.0 != second {
            *slot = (second, 0);
        }
        slot.1 = slot.1.saturating_add(1);
        self.peak = self.peak.max(slot.1);
    }

    /// Lines counted.
    pub fn total(&self) -> u64 {
        self.total
    }

    /// The earliest time counted, if any line was.
    pub fn first(&self) -> Option<Millis> {
        (self.total > 0).then_some(self.first)
    }

    /// The latest time counted, if any line was.
    pub fn last(&self) -> Option<Millis> {
        (self.total > 0).then_some(self.last)
    }

    /// The highest count in one calendar second.
    pub fn peak_per_second(&self) -> u32 {
        self.peak
    }

    /// Lines per second between the first and the last, to a thousandth: the number of intervals divided by the time, so two
    /// lines one second apart give 1. `None` if no time passed between them.
    pub fn rate_per_second(&self) -> Option<f64> {
        let span = self.last.0.checked_sub(self.first.0).filter(|span| *span > 0)?;
        let intervals = self.total.checked_sub(1).filter(|intervals| *intervals > 0)?;
        Some((intervals as f64 * 1_000_000.0 / span as f64).round() / 1000.0)
    }
}

/// The tallies of all classes.
#[derive(Clone, Debug)]
pub struct Counts {
    tallies: [[Tally; Meaning::ALL.len()]; Ke::ALL.len()],
}

impl Default for Counts {
    fn default() -> Self {
        Counts::new()
    }
}

impl Counts {
    /// Counts of nothing.
    pub const fn new() -> Self {
        const NONE: Tally =
            Tally { total: 0, first: Millis(0), last: Millis(0), peak: 0, open: [(0, 0); OPEN_SECONDS] };
        Counts { tallies: [[NONE; Meaning::ALL.len()]; Ke::ALL.len()] }
    }

    /// Counts one line of a class.
    pub fn add(&mut self, ke: Ke, meaning: Meaning, ts: Millis) {
        self.tallies[ke as usize][meaning as usize].add(ts);
    }

    /// The tally of one class.
    pub fn tally(&self, ke: Ke, meaning: Meaning) -> &Tally {
        &self.tallies[ke as usize][meaning as usize]
    }

    /// All lines of one family, whatever they mean: the number that the runbook's report gives.
    pub fn total(&self, ke: Ke) -> u64 {
        self.tallies[ke as usize].iter().map(Tally::total).sum()
    }

    /// The classes that have lines, in the order of [`Ke::ALL`] and [`Meaning::ALL`].
    pub fn rows(&self) -> Vec<TallyRow> {
        let mut rows = Vec::new();
        for ke in Ke::ALL {
            for meaning in Meaning::ALL {
                let tally = self.tally(ke, meaning);
                if let (Some(first_ts), Some(last_ts)) = (tally.first(), tally.last()) {
                    rows.push(TallyRow {
                        ke,
                        meaning,
                        total: tally.total(),
                        first_ts,
                        last_ts,
                        peak_per_second: tally.peak_per_second(),
                        rate_per_second: tally.rate_per_second(),
                    });
                }
            }
        }
        rows
    }

    /// The totals of all families.
    pub fn totals(&self) -> Totals {
        Totals {
            ke1: self.total(Ke::Ke1),
            ke2: self.total(Ke::Ke2),
            ke3: self.total(Ke::Ke3),
            ke4: self.total(Ke::Ke4),
            olm: self.total(Ke::Olm),
        }
    }
}

/// Lines seen of each family, whatever they mean.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Totals {
    /// One-time key upload conflict.
    #[serde(rename = "KE-1")]
    pub ke1: u64,
    /// Media keys of a call.
    #[serde(rename = "KE-2")]
    pub ke2: u64,
    /// Timeline decryption.
    #[serde(rename = "KE-3")]
    pub ke3: u64,
    /// Delayed events.
    #[serde(rename = "KE-4")]
    pub ke4: u64,
    /// Olm sessions.
    #[serde(rename = "OLM", default)]
    pub olm: u64,
}

/// One class's tally, as reports give it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct TallyRow {
    /// The family.
    pub ke: Ke,
    /// What the lines mean by themselves.
    pub meaning: Meaning,
    /// Lines counted, exact, also where the buffer has let entries go.
    pub total: u64,
    /// The earliest, in milliseconds since the epoch.
    pub first_ts: Millis,
    /// The latest, in milliseconds since the epoch.
    pub last_ts: Millis,
    /// The highest count in one calendar second.
    pub peak_per_second: u32,
    /// Lines a second between the first and the last, to a thousandth; null where there is no time between them.
    pub rate_per_second: Option<f64>,
}

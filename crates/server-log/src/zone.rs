//! The zone of a log's stamps: Python prints local time and does not say which.

use std::ops::RangeInclusive;

use crate::stamp::Stamp;

/// Zones lie on quarters of an hour.
pub const ZONE_STEP_MS: i64 = 15 * 60_000;

/// Zones go from 12 hours behind to 14 hours ahead of UTC.
pub const ZONES_MS: RangeInclusive<i64> = -12 * 3_600_000..=14 * 3_600_000;

/// A ledger line is printed at most this long after the time that it states: it waits for a lock.
const LEDGER_DELAY_MAX_MS: i64 = 120_000;

/// Printed times are cut to milliseconds, and so are durations.
pub const ROUNDING_MS: i64 = 2;

/// How the log's zone is known.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum ZoneSource {
    /// It is not: its times are taken for UTC.
    #[default]
    Assumed,
    /// Somebody stated it.
    Stated,
    /// The stamps say it.
    Printed,
    /// Ledger lines print the server's clock in milliseconds since the epoch beside the local time.
    Ledger,
}

/// The zone that all samples of "wall clock less epoch" agree on, in milliseconds.
pub fn zone_of(samples: &[i64]) -> Option<i64> {
    let zone = |sample: &i64| {
        // The line is a little later than the time that it states, never earlier but for rounding.
        let zone = (sample + ROUNDING_MS).div_euclid(ZONE_STEP_MS) * ZONE_STEP_MS;
        (sample - zone <= LEDGER_DELAY_MAX_MS && ZONES_MS.contains(&zone)).then_some(zone)
    };
    let first = zone(samples.first()?)?;
    samples.iter().all(|sample| zone(sample) == Some(first)).then_some(first)
}

/// The stamps of a log, and what they lack.
#[derive(Debug, Default)]
pub struct Times {
    year: Option<i16>,
    stated_ms: Option<i64>,
    /// Whether stamps say their zone, as the first did.
    zoned: Option<bool>,
    /// Wall clock less epoch, of lines that print both.
    samples: Vec<i64>,
    last: Option<i64>,
    mixed: u64,
    timeless: u64,
    yearless: u64,
}

impl Times {
    /// Of a log whose zone somebody may have stated, in minutes that local time is ahead of UTC, and whose stamps may have no
    /// year.
    pub fn new(zone_minutes: Option<i32>, year: Option<i16>) -> Times {
        let stated_ms = zone_minutes.map(|minutes| i64::from(minutes) * 60_000);
        Times { year, stated_ms, ..Times::default() }
    }

    /// A stamp as milliseconds: exact where it has a zone, else the server's wall clock, to be put right at the end.
    pub fn read(&mut self, stamp: Option<Stamp>) -> Option<i64> {
        let Some(stamp) = stamp else {
            self.timeless += 1;
            return None;
        };
        let stamp = match self.year {
            Some(year) => stamp.in_year(year),
            None if stamp.has_year => stamp,
            None => {
                self.yearless += 1;
                return None;
            }
        };
        if *self.zoned.get_or_insert(stamp.has_zone) != stamp.has_zone {
            self.mixed += 1;
            return None;
        }
        self.last = Some(stamp.ms);
        self.last
    }

    /// The last time that was read.
    pub fn last(&self) -> Option<i64> {
        self.last
    }

    /// A line of that time states the server's clock in milliseconds since the epoch.
    pub fn states(&mut self, time: i64, epoch: i64) {
        self.samples.push(time - epoch);
    }

    /// How the zone is known, and how far the wall clock is ahead of UTC in milliseconds.
    pub fn zone(&self) -> (ZoneSource, i64) {
        if self.zoned == Some(true) {
            (ZoneSource::Printed, 0)
        } else if let Some(zone) = zone_of(&self.samples) {
            (ZoneSource::Ledger, zone)
        } else if let Some(stated) = self.stated_ms {
            (ZoneSource::Stated, stated)
        } else {
            (ZoneSource::Assumed, 0)
        }
    }

    /// What the stamps lack, each in a sentence.
    pub fn problems(&self, zone: ZoneSource) -> Vec<String> {
        let counted = [
            (self.timeless, "lines have no time; each is placed at the line before"),
            (self.yearless, "lines have a time without a year, and none was given; each is placed at the line before"),
            (
                self.mixed,
                "lines state their zone where others do not, or the other way round; each is placed at the line before",
            ),
        ];
        let counted =
            counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let disagree = zone == ZoneSource::Assumed && !self.samples.is_empty();
        let what = "its ledger lines do not agree on the server's time zone; times are taken for UTC";
        disagree.then(|| what.to_owned()).into_iter().chain(counted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_zone_is_what_all_ledger_lines_agree_on() {
        assert_eq!(zone_of(&[3_600_077, 3_600_000, 3_599_999]), Some(3_600_000));
        assert_eq!(zone_of(&[-5 * 3_600_000 + 2]), Some(-5 * 3_600_000));
        assert_eq!(zone_of(&[20_700_000]), Some(20_700_000), "Nepal");
        assert_eq!(zone_of(&[2, 3_600_002]), None, "two zones");
        assert_eq!(zone_of(&[15 * 3_600_000]), None, "there is no such zone");
        assert_eq!(zone_of(&[]), None);
    }
}

//! The zone of a log's stamps: Python prints local time and does not say which.

use std::ops::RangeInclusive;

use crate::stamp::{DAY_MS, PARTIAL_END_MS, Stamp, StampDate};

/// The command that exports a journal without a loss: lines whole, of any bytes, with the year and the zone.
pub const JOURNAL_COMMAND: &str = "journalctl --no-pager --all -o short-iso-precise -u UNIT";

/// Zones lie on quarters of an hour.
pub const ZONE_STEP_MS: i64 = 15 * 60_000;

/// Zones go from 12 hours behind to 14 hours ahead of UTC.
pub const ZONES_MS: RangeInclusive<i64> = -12 * 3_600_000..=14 * 3_600_000;

/// A ledger line is printed at most this long after the time that it states: it waits for a lock.
const LEDGER_DELAY_MAX_MS: i64 = 120_000;

/// Printed times are cut to milliseconds, and so are durations.
const ROUNDING_MS: i64 = 2;

/// By how much two printed times may be wrong: journald's short form cuts them to seconds, and of two of those both end in
/// zeros.
pub fn rounding_ms(one: i64, other: i64) -> i64 {
    if one % 1000 == 0 && other % 1000 == 0 { 1000 } else { ROUNDING_MS }
}

/// How far the wall clock of a line is ahead of the epoch that it states, for [`zone_of`].
pub fn ahead(time: i64, epoch: i64) -> i64 {
    // A stamp that was cut to a second may be of its last millisecond.
    let latest = if time % 1000 == 0 { time + 999 } else { time };
    latest - epoch
}

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

/// The zone of a wall clock that is that much ahead of the epoch, in milliseconds, if it was read at most `later` milliseconds
/// before the epoch was.
pub(crate) fn zone_within(ahead: i64, later: i64) -> Option<i64> {
    let zone = (ahead + later).div_euclid(ZONE_STEP_MS) * ZONE_STEP_MS;
    let behind = zone - ahead;
    (-ROUNDING_MS..=later).contains(&behind).then_some(zone).filter(|zone| ZONES_MS.contains(zone))
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

/// The stamps of a log, and what they lack: a zone, a year, a date. What a stamp lacks is told at the log's end, by all of it.
#[derive(Debug, Default)]
pub struct Times {
    /// A time that the log's are near to, if somebody or a line with a whole stamp tells one.
    near: Option<i64>,
    stated_ms: Option<i64>,
    /// Whether stamps say their zone, as the first did.
    zoned: Option<bool>,
    /// The log's time and the epoch, of lines that print both.
    samples: Vec<(i64, i64)>,
    /// The last time that was read.
    last: Option<i64>,
    /// Days that went by in stamps without a date.
    day: i64,
    mixed: u64,
    timeless: u64,
    yearless: u64,
    dateless: u64,
}

/// How the times of a log become milliseconds since the epoch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Placement {
    /// How the zone is known.
    pub zone: ZoneSource,
    /// Milliseconds that the wall clock is ahead of UTC.
    pub zone_ms: i64,
    near: Option<i64>,
    days: i64,
}

impl Placement {
    /// A time as [`Times::read`] gave it.
    pub fn place(&self, time: i64) -> i64 {
        if time >= PARTIAL_END_MS {
            return time - self.zone_ms;
        }
        let whole = match self.near {
            Some(near) if self.days == 0 => Stamp { ms: time, has_zone: false, date: StampDate::NoYear }.near(near).ms,
            _ => time + self.days * DAY_MS,
        };
        whole - self.zone_ms
    }
}

impl Times {
    /// Of a log whose zone somebody may have stated, in minutes that local time is ahead of UTC, and whose stamps may lack a
    /// year; `near`: a time that it is known to be of.
    pub fn new(zone_minutes: Option<i32>, near: Option<i64>) -> Times {
        let stated_ms = zone_minutes.map(|minutes| i64::from(minutes) * 60_000);
        Times { near, stated_ms, ..Times::default() }
    }

    /// A stamp as milliseconds: exact where it has a zone, else the server's wall clock, to be put right by the
    /// [`Placement`].
    pub fn read(&mut self, stamp: Option<Stamp>) -> Option<i64> {
        let Some(stamp) = stamp else {
            self.timeless += 1;
            return None;
        };
        if *self.zoned.get_or_insert(stamp.has_zone) != stamp.has_zone {
            self.mixed += 1;
            return None;
        }
        let ms = match stamp.date {
            StampDate::Whole => {
                self.near.get_or_insert(stamp.ms);
                stamp.ms
            }
            StampDate::NoYear => {
                self.yearless += 1;
                self.near.map_or(stamp.ms, |near| stamp.near(near).ms)
            }
            StampDate::None => {
                self.dateless += 1;
                let same_day = stamp.ms + self.day * DAY_MS;
                let passed = self.last.is_some_and(|last| last - same_day > DAY_MS / 2);
                self.day += i64::from(passed);
                same_day + i64::from(passed) * DAY_MS
            }
        };
        self.last = Some(ms);
        self.last
    }

    /// The last time that was read.
    pub fn last(&self) -> Option<i64> {
        self.last
    }

    /// A line of that time states the server's clock in milliseconds since the epoch.
    pub fn states(&mut self, time: i64, epoch: i64) {
        self.samples.push((time, epoch));
    }

    /// How the log's times become milliseconds since the epoch.
    pub fn placement(&self) -> Placement {
        let near = self.near.or_else(|| self.samples.first().map(|(_, epoch)| *epoch));
        let days = match self.samples.first() {
            Some((time, epoch)) if self.dateless > 0 => (epoch - time + DAY_MS / 2).div_euclid(DAY_MS),
            _ => 0,
        };
        let mut placement = Placement { zone: ZoneSource::Assumed, zone_ms: 0, near, days };
        let samples: Vec<i64> =
            self.samples.iter().map(|(time, epoch)| ahead(placement.place(*time), *epoch)).collect();
        (placement.zone, placement.zone_ms) = if self.zoned == Some(true) {
            (ZoneSource::Printed, 0)
        } else if let Some(zone) = zone_of(&samples) {
            (ZoneSource::Ledger, zone)
        } else if let Some(stated) = self.stated_ms {
            (ZoneSource::Stated, stated)
        } else {
            (ZoneSource::Assumed, 0)
        };
        placement
    }

    /// What the stamps lack, each in a sentence.
    pub fn problems(&self) -> Vec<String> {
        let placement = self.placement();
        let no_year = if placement.near.is_none() { self.yearless } else { 0 };
        let no_date = if placement.days == 0 { self.dateless } else { 0 };
        let counted = [
            (self.timeless, "lines have no time; each is placed at the line before".to_owned()),
            (
                no_year,
                format!(
                    "lines have a time without a year, and neither a report nor another line tells it; they are placed in \
                     1972. Export the journal with `{JOURNAL_COMMAND}`"
                ),
            ),
            (
                no_date,
                "lines have a time of day alone, and no line tells the date; they are placed in 1972. Let the log's format \
                 print `%(asctime)s` with its date"
                    .to_owned(),
            ),
            (
                self.mixed,
                "lines state their zone where others do not, or the other way round; each is placed at the line before"
                    .to_owned(),
            ),
        ];
        let counted =
            counted.into_iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}"));
        let disagree = placement.zone == ZoneSource::Assumed && !self.samples.is_empty();
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

    #[test]
    fn a_wrappings_time_tells_the_zone_of_the_time_inside() {
        assert_eq!(zone_within(3_600_000 - 18, 60_000), Some(3_600_000));
        assert_eq!(zone_within(-5 * 3_600_000 - 59_000, 60_000), Some(-5 * 3_600_000));
        assert_eq!(zone_within(2, 60_000), Some(0), "rounded");
        assert_eq!(zone_within(5 * 60_000, 60_000), None, "clocks that differ by minutes are no zones");
        assert_eq!(zone_within(20 * 3_600_000, 60_000), None);
    }
}

//! The zone of a log's stamps: Python prints local time and does not say which.

use std::ops::RangeInclusive;

/// Zones lie on quarters of an hour.
const ZONE_STEP_MS: i64 = 15 * 60_000;

/// Zones go from 12 hours behind to 14 hours ahead of UTC.
pub const ZONES_MS: RangeInclusive<i64> = -12 * 3_600_000..=14 * 3_600_000;

/// A ledger line is printed at most this long after the time that it states: it waits for a lock.
const LEDGER_DELAY_MAX_MS: i64 = 120_000;

/// Printed times are cut to milliseconds, and so are durations.
pub(super) const ROUNDING_MS: i64 = 2;

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
pub(super) fn zone_of(samples: &[i64]) -> Option<i64> {
    let zone = |sample: &i64| {
        // The line is a little later than the time that it states, never earlier but for rounding.
        let zone = (sample + ROUNDING_MS).div_euclid(ZONE_STEP_MS) * ZONE_STEP_MS;
        (sample - zone <= LEDGER_DELAY_MAX_MS && ZONES_MS.contains(&zone)).then_some(zone)
    };
    let first = zone(samples.first()?)?;
    samples.iter().all(|sample| zone(sample) == Some(first)).then_some(first)
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

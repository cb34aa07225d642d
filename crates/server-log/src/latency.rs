//! How long requests took, counted by duration and route.

use std::collections::BTreeMap;

use crate::Route;

/// Durations up to here have a bucket for each millisecond; wider ones are at most one percent wide.
const EXACT_MS: u32 = 256;

/// Durations of requests.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Durations {
    count: u64,
    buckets: BTreeMap<u32, u64>,
}

impl Durations {
    /// Requests.
    pub fn count(&self) -> u64 {
        self.count
    }

    /// Adds a request that took that many milliseconds.
    pub fn add(&mut self, ms: u64) {
        self.count += 1;
        *self.buckets.entry(bucket(u32::try_from(ms).unwrap_or(u32::MAX))).or_default() += 1;
    }

    /// For each bucket its longest duration in milliseconds, rising, and its number of requests. Those of several logs can be added up.
    pub fn buckets(&self) -> impl Iterator<Item = (u32, u64)> {
        self.buckets.iter().map(|(bucket, count)| (highest(*bucket), *count))
    }

    /// Adds those of another log.
    pub fn merge(&mut self, other: Durations) {
        self.count += other.count;
        other.buckets.into_iter().for_each(|(bucket, count)| *self.buckets.entry(bucket).or_default() += count);
    }

    /// The `share` quantile in milliseconds, `share` from 0 to 1, accurate to one percent; 0 of none.
    pub fn quantile(&self, share: f64) -> u32 {
        let wanted = ((self.count as f64 * share).ceil() as u64).max(1);
        let mut seen = 0;
        let found = self.buckets.iter().find(|(_, count)| {
            seen += **count;
            seen >= wanted
        });
        found.map_or(0, |(bucket, _)| highest(*bucket))
    }
}

/// Durations of requests by route.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ByRoute(BTreeMap<Route, Durations>);

impl ByRoute {
    /// Adds a request that took that many milliseconds.
    pub fn add(&mut self, route: Route, ms: u64) {
        self.0.entry(route).or_default().add(ms);
    }

    /// Adds those of another log.
    pub fn merge(&mut self, other: ByRoute) {
        other.0.into_iter().for_each(|(route, durations)| self.0.entry(route).or_default().merge(durations));
    }

    /// Those of all routes.
    pub fn all(&self) -> Durations {
        let mut all = Durations::default();
        self.0.values().for_each(|durations| all.merge(durations.clone()));
        all
    }

    /// Those of each route that has any, in the order of [`Route`].
    pub fn routes(&self) -> impl Iterator<Item = (Route, &Durations)> {
        self.0.iter().map(|(route, durations)| (*route, durations))
    }
}

/// Buckets are exact at first and then as wide as the 128th part of the power of two below them.
fn bucket(ms: u32) -> u32 {
    if ms < EXACT_MS {
        return ms;
    }
    let power = 31 - ms.leading_zeros();
    let part = (ms >> (power - 7)) & 127;
    EXACT_MS + (power - 8) * 128 + part
}

fn highest(bucket: u32) -> u32 {
    if bucket < EXACT_MS {
        return bucket;
    }
    let (power, part) = ((bucket - EXACT_MS) / 128 + 8, (bucket - EXACT_MS) % 128);
    let width = 1_u64 << (power - 7);
    u32::try_from((u64::from(part) + 128) * width + width - 1).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_close_everywhere() {
        for ms in (0..5000).chain((0..30).map(|power| (1_u32 << power) + 12_345)).chain([u32::MAX]) {
            let high = highest(bucket(ms));
            assert!(ms <= high && f64::from(high - ms) <= f64::from(ms) / 100.0, "{ms}: {high}");
        }
    }

    #[test]
    fn quantiles_are_those_of_the_requests() {
        let mut durations = Durations::default();
        (1..=50).for_each(|ms| durations.add(ms));
        let mut rest = Durations::default();
        (51..=100).for_each(|ms| rest.add(ms));
        durations.merge(rest);
        assert_eq!((durations.count(), durations.quantile(0.5), durations.quantile(0.99)), (100, 50, 99));
        assert_eq!(Durations::default().quantile(0.5), 0);
    }
}

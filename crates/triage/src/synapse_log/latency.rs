//! Latency by minute.

use std::collections::BTreeMap;

/// Latency of one minute, without any form of sync.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Minute {
    /// Requests by duration: bucket n holds those up to 1.1 to the power of n milliseconds.
    buckets: BTreeMap<u8, u32>,
    count: u32,
}

impl Minute {
    /// Requests.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// The `share` quantile of the durations in milliseconds, `share` from 0 to 1, accurate to 10 %.
    pub fn quantile(&self, share: f64) -> f64 {
        let wanted = (f64::from(self.count) * share).ceil().max(1.0);
        let mut seen = 0.0;
        for (bucket, count) in &self.buckets {
            seen += f64::from(*count);
            if seen >= wanted {
                return 1.1_f64.powi(i32::from(*bucket)).round();
            }
        }
        0.0
    }

    pub(super) fn add(&mut self, ms: u64) {
        let bucket = ((ms.max(1) as f64).ln() / 1.1_f64.ln()).ceil().min(255.0) as u8;
        *self.buckets.entry(bucket).or_default() += 1;
        self.count += 1;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles_are_close() {
        let mut minute = Minute::default();
        (1..=100).for_each(|ms| minute.add(ms));
        assert!((45.0..=56.0).contains(&minute.quantile(0.5)), "{}", minute.quantile(0.5));
        assert!((98.0..=115.0).contains(&minute.quantile(0.99)));
    }
}

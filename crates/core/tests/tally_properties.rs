//! The exact counts against a naive model that keeps every time.

use std::collections::HashMap;

use crypto_diag_core::{Counts, Ke, Meaning, Millis, Tally};
use proptest::prelude::*;

/// Times that go forward, with some that come late, as lines of frames and workers do.
fn times() -> impl Strategy<Value = Vec<u64>> {
    let step = prop_oneof![5 => 0..40u64, 2 => 0..2_000u64, 1 => 0..100_000u64];
    let late = prop_oneof![3 => Just(0u64), 1 => 0..5_000u64];
    (1_700_000_000_000..1_900_000_000_000u64, prop::collection::vec((step, late), 0..400)).prop_map(|(start, steps)| {
        let mut now = start;
        steps
            .into_iter()
            .map(|(step, late)| {
                now += step;
                now - late
            })
            .collect()
    })
}

fn peak(times: &[u64]) -> u32 {
    let mut seconds: HashMap<u64, u32> = HashMap::new();
    for time in times {
        *seconds.entry(time / 1000).or_default() += 1;
    }
    seconds.into_values().max().unwrap_or(0)
}

proptest! {
    #[test]
    fn counts_are_exact(times in times()) {
        let mut tally = Tally::default();
        for time in &times {
            tally.add(Millis(*time));
        }
        let (first, last) = (times.iter().min().copied(), times.iter().max().copied());
        prop_assert_eq!(tally.total(), times.len() as u64);
        prop_assert_eq!(tally.first(), first.map(Millis));
        prop_assert_eq!(tally.last(), last.map(Millis));
        prop_assert_eq!(tally.peak_per_second(), peak(&times));
        match (first, last, tally.rate_per_second()) {
            (Some(first), Some(last), Some(rate)) if last > first => {
                let seconds = (last - first) as f64 / 1000.0;
                prop_assert!((rate - (times.len() - 1) as f64 / seconds).abs() <= 0.0005 + 1e-9);
            }
            (first, last, rate) => prop_assert!(first == last && rate.is_none(), "{rate:?}"),
        }
    }

    #[test]
    fn a_line_of_one_class_does_not_count_for_another(lines in prop::collection::vec((prop::sample::select(&Ke::ALL[..]), prop::sample::select(&Meaning::ALL[..]), 0..60_000u64), 0..300)) {
        let mut counts = Counts::default();
        for (ke, meaning, ts) in &lines {
            counts.add(*ke, *meaning, Millis(*ts));
        }
        let mut rows = counts.rows().into_iter();
        for ke in Ke::ALL {
            prop_assert_eq!(counts.total(ke), lines.iter().filter(|line| line.0 == ke).count() as u64);
            for meaning in Meaning::ALL {
                let of_class: Vec<u64> = lines.iter().filter(|line| line.0 == ke && line.1 == meaning).map(|line| line.2).collect();
                let (Some(first), Some(last)) = (of_class.iter().min(), of_class.iter().max()) else { continue };
                let row = rows.next().expect("a class with lines has a row");
                prop_assert_eq!((row.ke, row.meaning, row.total), (ke, meaning, of_class.len() as u64));
                prop_assert_eq!((row.first_ts, row.last_ts), (Millis(*first), Millis(*last)));
            }
        }
        prop_assert!(rows.next().is_none());
    }
}

#[test]
fn two_lines_a_second_apart_are_one_a_second() {
    let mut tally = Tally::default();
    assert_eq!((tally.first(), tally.last(), tally.rate_per_second()), (None, None, None));
    tally.add(Millis(5_000));
    assert_eq!(tally.rate_per_second(), None);
    tally.add(Millis(6_000));
    assert_eq!((tally.rate_per_second(), tally.peak_per_second()), (Some(1.0), 1));
}

#[test]
fn the_peak_is_of_calendar_seconds_and_not_of_any_thousand_milliseconds() {
    let mut tally = Tally::default();
    for time in [1_990, 1_995, 2_000, 2_005, 2_010] {
        tally.add(Millis(time));
    }
    assert_eq!(tally.peak_per_second(), 3);
}

//! The bounded buffer against a naive model that is written from the specification's sentences.

use crypto_diag_core::{BUFFER_BYTES_MAX, ENTRIES_MAX, Ke, Level, Line, Meaning, Millis, QUIET_MAX, Recorder, Ring};
use proptest::prelude::*;

/// Every entry as it came; each rule is one loop over all of them.
#[derive(Default)]
struct Model {
    kept: Vec<(Ke, Meaning, String)>,
    evicted: u64,
}

impl Model {
    fn push(&mut self, ke: Ke, meaning: Meaning, text: &str) {
        self.kept.push((ke, meaning, text.to_owned()));
        while self.kept.len() > 200 || (self.bytes() > BUFFER_BYTES_MAX && self.kept.len() > 1) {
            let victim = self.victim();
            self.kept.remove(victim);
            self.evicted += 1;
        }
    }

    fn bytes(&self) -> usize {
        self.kept.iter().map(|entry| entry.2.len()).sum()
    }

    fn victim(&self) -> usize {
        let is_quiet = |meaning| meaning == Meaning::Delivered || meaning == Meaning::Unrelated;
        // "delivered and unrelated first once they hold more than 40"
        let only_quiet = self.kept.iter().filter(|entry| is_quiet(entry.1)).count() > 40;
        // "the class (KE, meaning) that holds the most gives one up"; of equal ones the one that holds the oldest entry
        let class_size = |of: &(Ke, Meaning, String)| self.kept.iter().filter(|e| e.0 == of.0 && e.1 == of.1).count();
        let mut loser = None;
        for entry in self.kept.iter().filter(|entry| is_quiet(entry.1) || !only_quiet) {
            if loser.is_none_or(|other| class_size(entry) > class_size(other)) {
                loser = Some(entry);
            }
        }
        let loser = loser.expect("a full buffer has a class");
        let of_class = |at: &usize| self.kept[*at].0 == loser.0 && self.kept[*at].1 == loser.1;
        // "within the class an entry that a later one repeats word for word goes before one that is unique, then the oldest"
        let repeated = |at: &usize| self.kept[at + 1..].iter().any(|later| later.2 == self.kept[*at].2);
        let mut members = (0..self.kept.len()).filter(of_class);
        members.clone().find(repeated).or_else(|| members.next()).expect("the class has a member")
    }
}

/// A class, a number that tells messages apart, and how long the message is.
fn pushes(lengths: impl Strategy<Value = usize> + Clone) -> impl Strategy<Value = Vec<(Ke, Meaning, u32, usize)>> {
    // Weights make some runs a storm of one class, and some numbers repeat.
    let ke = prop_oneof![6 => Just(Ke::Ke1), 2 => Just(Ke::Ke2), 1 => prop::sample::select(&Ke::ALL[..])];
    let meaning = prop_oneof![3 => Just(Meaning::Failure), 3 => prop::sample::select(&Meaning::ALL[..])];
    let number = prop_oneof![0..6u32, any::<u32>()];
    prop::collection::vec((ke, meaning, number, lengths), 0..700)
}

fn text_of(ke: Ke, meaning: Meaning, number: u32, length: usize) -> String {
    format!("{ke} {} {number} {}", meaning.word(), "x".repeat(length))
}

fn assert_same(pushes: &[(Ke, Meaning, u32, usize)]) -> Result<(), TestCaseError> {
    let (mut ring, mut model) = (Ring::new(), Model::default());
    for (ke, meaning, number, length) in pushes {
        let text = text_of(*ke, *meaning, *number, *length);
        ring.push(*ke, *meaning, &text, text.clone().into_boxed_str());
        model.push(*ke, *meaning, &text);
    }
    let kept: Vec<&str> = ring.iter().map(|(_, text)| text).collect();
    let wanted: Vec<&str> = model.kept.iter().map(|entry| entry.2.as_str()).collect();
    prop_assert_eq!(kept, wanted);
    prop_assert_eq!(ring.evicted(), model.evicted);
    prop_assert_eq!(ring.len(), model.kept.len());
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(48))]

    #[test]
    fn the_buffer_keeps_what_the_specification_says(pushes in pushes(Just(0))) {
        assert_same(&pushes)?;
    }

    #[test]
    fn the_byte_budget_gives_up_the_same_entries(pushes in pushes(prop_oneof![Just(10usize), 4_000..30_000usize])) {
        assert_same(&pushes)?;
    }

    #[test]
    fn distinct_lines_of_one_class_are_a_plain_ring(count in 0..700usize) {
        let mut ring = Ring::new();
        for number in 0..count {
            let text = number.to_string();
            ring.push(Ke::Ke3, Meaning::Failure, &text, text.clone().into_boxed_str());
        }
        let wanted: Vec<String> = (count.saturating_sub(ENTRIES_MAX)..count).map(|number| number.to_string()).collect();
        let kept: Vec<&str> = ring.iter().map(|(_, text)| text).collect();
        prop_assert_eq!(kept, wanted);
        // Ids count up from 1, one for each text, and stay with it.
        prop_assert!(ring.iter().all(|(id, text)| (id - 1).to_string() == text));
    }
}

#[test]
fn the_named_bounds_are_those_of_the_specification() {
    assert_eq!((ENTRIES_MAX, QUIET_MAX), (200, 40));
}

#[test]
fn one_entry_above_the_byte_budget_is_still_kept() {
    let mut ring = Ring::new();
    for name in ["a", "b"] {
        let text = name.repeat(BUFFER_BYTES_MAX + 1);
        ring.push(Ke::Ke1, Meaning::Failure, &text, text.clone().into_boxed_str());
    }
    assert_eq!(ring.len(), 1);
    assert!(ring.iter().all(|(_, text)| text.starts_with('b')));
}

fn conflict(number: u32) -> String {
    format!("One time key signed_curve25519:AAAAAA{number:06} already exists. Old key: {{}}")
}

#[test]
fn a_storm_of_conflicts_leaves_the_other_classes_alone() {
    let mut recorder = Recorder::new();
    let others = [
        (Ke::Ke2, Meaning::Transient, "missing key at index 3 for participant @user:server:DEVICE"),
        (
            Ke::Ke2,
            Meaning::Delivered,
            "Received an unexpected encrypted to-device event: io.element.call.encryption_keys",
        ),
        (Ke::Ke3, Meaning::Failure, "DecryptionError[msg: missing field `algorithm`]"),
        (Ke::Ke4, Meaning::Failure, "Restart delayed event timed out before the HS responded"),
        (Ke::Ke1, Meaning::Unrelated, "the room already exists"),
    ];
    for (_, _, line) in others {
        assert!(recorder.record(&Line::new(Millis(0), Level::Warn, line)));
    }
    // A debug build is twenty times slower, and shows the same.
    let storm: u32 = if cfg!(debug_assertions) { 100_000 } else { 1_000_000 };
    for number in 0..storm {
        // Eight lines a second, one in three repeats an earlier one.
        let line = conflict(if number % 3 == 0 { number % 7 } else { number });
        assert!(recorder.record(&Line::new(Millis(1000 + u64::from(number) * 125), Level::Error, &line)));
    }
    let entries = recorder.entries();
    assert_eq!(entries.len(), ENTRIES_MAX);
    for (place, (ke, meaning, line)) in others.iter().enumerate() {
        assert_eq!((entries[place].ke, entries[place].meaning, &*entries[place].message), (*ke, *meaning, *line));
        assert_eq!(recorder.counts().tally(*ke, *meaning).total(), 1);
    }
    let tally = recorder.counts().tally(Ke::Ke1, Meaning::Failure);
    assert_eq!(tally.total(), u64::from(storm));
    assert_eq!(tally.first(), Some(Millis(1000)));
    assert_eq!(tally.last(), Some(Millis(1000 + u64::from(storm - 1) * 125)));
    assert_eq!(tally.peak_per_second(), 8);
    assert_eq!(tally.rate_per_second(), Some(8.0));
    assert_eq!(recorder.matched(), u64::from(storm) + 5);
    assert_eq!(recorder.evicted(), u64::from(storm) + 5 - ENTRIES_MAX as u64);
}

#[test]
fn a_busy_calls_healthy_lines_do_not_push_evidence_out() {
    let mut recorder = Recorder::new();
    for number in 0..100 {
        recorder.record(&Line::new(Millis(number), Level::Error, &conflict(number as u32)));
    }
    for number in 0..10_000 {
        let line = format!("Received an unexpected encrypted to-device event {number} io.element.call.encryption_keys");
        recorder.record(&Line::new(Millis(number), Level::Warn, &line));
    }
    let failures = recorder.entries().iter().filter(|entry| entry.meaning == Meaning::Failure).count();
    assert_eq!(failures, 100);
}

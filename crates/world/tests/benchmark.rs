//! Writes a small benchmark, and tries its scorer on right and on wrong answers.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;
use std::sync::LazyLock;

use crypto_diag_world::benchmark::{CONCLUSIONS, Class, Label, Role};
use crypto_diag_world::export::{self, BUNDLES, LABELS, Labelled, Size};
use crypto_diag_world::judge::{self, Word};
use crypto_diag_world::score::{self, Answer, Answers, Row};

const SMALL: Size = Size { bundles: 50, depths: [2, 1, 1, 1, 1], walks: 40, steps: 8 };

fn small(seed: u64) -> Vec<Labelled> {
    export::labelled(seed, SMALL).expect("there are enough histories")
}

/// A small benchmark, which most tests look at. It is made once.
static BUNDLES_OF_SEED_1: LazyLock<Vec<Labelled>> = LazyLock::new(|| small(1));

fn labels(bundles: &[Labelled]) -> BTreeMap<String, Label> {
    score::read_labels(&export::labels(1, bundles)).expect("labels can be read")
}

/// The answers that say exactly what the labels say.
fn right(labels: &BTreeMap<String, Label>) -> Answers {
    let of_label = |label: &Label| {
        let word = |name: &str| match (label.holds.contains(name), label.open.contains(name)) {
            (true, _) => Word::Proven,
            (_, true) => Word::Unknown,
            _ => Word::Refuted,
        };
        Answer {
            conclusions: CONCLUSIONS.iter().map(|(name, _)| (*name, word(name))).collect(),
            paths: label.causes().flat_map(|cause| label.paths(cause)).collect(),
        }
    };
    labels.iter().map(|(name, label)| (name.clone(), of_label(label))).collect()
}

/// Answers that say the same of every conclusion of every bundle.
fn always(word: Word, labels: &BTreeMap<String, Label>) -> Answers {
    let conclusions: BTreeMap<_, _> = CONCLUSIONS.iter().map(|(name, _)| (*name, word)).collect();
    let answer = Answer { conclusions, paths: Vec::new() };
    labels.keys().map(|name| (name.clone(), answer.clone())).collect()
}

#[test]
fn a_fifth_is_without_a_fault_and_a_fifth_cannot_be_told() {
    let bundles = &*BUNDLES_OF_SEED_1;
    assert_eq!(bundles.len(), SMALL.bundles);
    let of = |class| bundles.iter().filter(|bundle| bundle.label.class() == Some(class)).count();
    assert_eq!(of(Class::WithoutFault), SMALL.bundles / 5);
    assert_eq!(of(Class::Undecidable), SMALL.bundles / 5);
    let mut causes: BTreeMap<&str, usize> = BTreeMap::new();
    for cause in bundles.iter().filter(|bundle| bundle.label.open.is_empty()).flat_map(|bundle| bundle.label.causes()) {
        *causes.entry(cause).or_default() += 1;
    }
    assert!(causes.len() >= 15, "{causes:?}");
    assert!(causes.values().all(|count| *count <= SMALL.bundles / 5), "one cause stands out: {causes:?}");
    let files: BTreeSet<_> = bundles.iter().map(|bundle| &bundle.files).collect();
    assert_eq!(files.len(), bundles.len(), "some bundles have the same files");
}

#[test]
fn one_seed_gives_the_same_bytes_and_another_one_others() {
    let (one, again, other) = (&*BUNDLES_OF_SEED_1, &small(1), &small(2));
    let files = |bundles: &[Labelled]| bundles.iter().map(|bundle| bundle.files.clone()).collect::<Vec<_>>();
    assert_eq!(export::labels(1, one), export::labels(1, again));
    assert_eq!(files(one), files(again));
    assert_ne!(files(one), files(other));
}

#[test]
fn neither_the_name_nor_the_order_of_bundles_tells_their_class() {
    let bundles = &*BUNDLES_OF_SEED_1;
    for (at, bundle) in bundles.iter().enumerate() {
        assert_eq!(bundle.name, format!("{:04}", at + 1));
        for (name, _) in &bundle.files {
            assert!(!CONCLUSIONS.iter().any(|(conclusion, _)| name.contains(conclusion)), "{name}");
        }
    }
    let (first, second) = bundles.split_at(bundles.len() / 2);
    for class in [Class::CanBeTold, Class::Undecidable, Class::WithoutFault] {
        let has = |half: &[Labelled]| half.iter().any(|bundle| bundle.label.class() == Some(class));
        assert!(has(first) && has(second), "all of {class:?} stand in one half");
    }
}

#[test]
fn no_bundle_has_what_could_be_a_secret() {
    for bundle in &*BUNDLES_OF_SEED_1 {
        for (name, bytes) in &bundle.files {
            let text = String::from_utf8_lossy(bytes);
            for secret in ["syt_", "mct_", "access_token", "Bearer ", "\"Authorization\"", "\"Cookie\""] {
                assert!(!text.contains(secret), "{}/{name} has {secret}", bundle.name);
            }
        }
    }
}

#[test]
fn the_written_files_are_those_of_the_bundles_and_no_file_is_overwritten() {
    let bundles = &*BUNDLES_OF_SEED_1;
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("benchmark-{}", std::process::id()));
    export::write(&folder, 1, bundles).expect("it is written");
    let (name, bytes) = &bundles[0].files[0];
    assert_eq!(&std::fs::read(folder.join(BUNDLES).join(&bundles[0].name).join(name)).expect("a file"), bytes);
    let text = std::fs::read_to_string(folder.join(LABELS)).expect("labels");
    assert_eq!(score::read_labels(&text), Ok(labels(bundles)));
    let refused = export::write(&folder, 1, bundles);
    std::fs::remove_dir_all(&folder).expect("it is removed");
    assert_eq!(refused, Err(format!("{} is not empty", folder.display())));
}

#[test]
fn right_answers_have_a_full_score_also_after_they_were_written_and_read() {
    let labels = labels(&BUNDLES_OF_SEED_1);
    let written = score::written("the labels", &right(&labels));
    let score = score::score(&labels, &score::read_answers(&written).expect("answers")).expect("a score");
    for (name, row) in &score.rows {
        let Row { falsely_proven, falsely_refuted, .. } = *row;
        assert_eq!((row.told, row.rightly_silent, row.path_right), (row.can_be_told, row.open, row.has_path), "{name}");
        assert_eq!((falsely_proven, falsely_refuted), (0, 0), "{name}");
    }
    assert_eq!(score.rightly_silent, score.without_fault);
    assert!(score.sum(Role::Cause).has_path > 10, "hardly any path is scored");
}

#[test]
fn always_proven_and_always_refuted_count_as_false_and_silence_does_not() {
    let labels = labels(&BUNDLES_OF_SEED_1);
    let proven = score::score(&labels, &always(Word::Proven, &labels)).expect("a score");
    let sum = proven.sum(Role::Cause);
    assert_eq!((sum.told, sum.rightly_silent, sum.path_right), (sum.can_be_told, 0, 0));
    assert!(sum.falsely_proven > 20 * sum.can_be_told / 2, "{sum:?}");
    assert_eq!(proven.rightly_silent, 0, "each bundle without a fault is blamed");
    let refuted = score::score(&labels, &always(Word::Refuted, &labels)).expect("a score").sum(Role::Cause);
    assert_eq!((refuted.told, refuted.falsely_refuted), (0, refuted.can_be_told + refuted.open));
    // A path that names a conclusion which is not on it is wrong, even if the rest of it is right.
    let mut astray = right(&labels);
    for answer in astray.values_mut() {
        answer.paths.iter_mut().for_each(|path| path.push("media-decoded"));
    }
    assert_eq!(score::score(&labels, &astray).expect("a score").sum(Role::Cause).path_right, 0);
    let silent = score::score(&labels, &Answers::new()).expect("a score");
    assert_eq!((silent.unanswered, silent.sum(Role::Cause).told), (labels.len(), 0));
}

#[test]
fn answers_of_another_form_are_refused_in_words() {
    let of_bundles = |bundles: &str| {
        format!(r#"{{"schema": "crypto-diag/benchmark-answers", "schemaVersion": 1, "bundles": {bundles}}}"#)
    };
    let cases = [
        ("{", "no JSON"),
        ("{}", "not crypto-diag/benchmark-answers version 1"),
        (&of_bundles("[]"), "bundles: no object"),
        (&of_bundles(r#"{"0001": {}}"#), "bundle 0001: conclusions: no object"),
        (&of_bundles(r#"{"0001": {"conclusions": {"rollback": "perhaps"}}}"#), "rollback: neither proven"),
        (&of_bundles(r#"{"0001": {"conclusions": {"gremlins": "proven"}}}"#), "no conclusion \"gremlins\""),
        (&of_bundles(r#"{"0001": {"conclusions": {}, "paths": [["gremlins"]]}}"#), "no conclusion \"gremlins\""),
    ];
    for (text, wanted) in cases {
        let error = score::read_answers(text).expect_err(text);
        assert!(error.contains(wanted), "{text}: {error}");
    }
    let unknown = Answers::from([("9999".to_owned(), Answer::default())]);
    assert!(score::score(&BTreeMap::new(), &unknown).is_err_and(|error| error.contains("9999")));
}

#[test]
fn the_triage_says_nothing_false_of_the_benchmark() {
    let bundles = &*BUNDLES_OF_SEED_1;
    let answer = |bundle: &Labelled| (bundle.name.clone(), Answer::of_triage(&judge::answer(&bundle.files)));
    let score = score::score(&labels(bundles), &bundles.iter().map(answer).collect()).expect("a score");
    for (name, row) in &score.rows {
        assert_eq!((row.falsely_proven, row.falsely_refuted), (0, 0), "{name}");
    }
    let causes = score.sum(Role::Cause);
    assert!(causes.told > 0 && causes.path_right > 0, "{causes:?}");
}

#[test]
fn the_document_says_of_each_conclusion_what_it_means() {
    let document = include_str!("../../../docs/benchmark.md");
    for (name, _) in CONCLUSIONS {
        assert!(document.contains(&format!("| `{name}` |")), "docs/benchmark.md does not say what {name} means");
    }
}

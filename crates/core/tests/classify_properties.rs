//! The table's search finds what a plain search finds.

use crypto_diag_core::{SIGNATURES, classify};
use proptest::prelude::*;

/// Text with pieces of needles in it, so that near misses are common.
fn noise() -> impl Strategy<Value = String> {
    let needle = prop::sample::select(SIGNATURES).prop_map(|row| row.needle);
    let piece = (needle, any::<prop::sample::Index>(), any::<prop::sample::Index>()).prop_map(|(needle, a, b)| {
        let (a, b) = (a.index(needle.len() + 1), b.index(needle.len() + 1));
        needle.get(a.min(b)..a.max(b)).unwrap_or_default().to_owned()
    });
    prop::collection::vec(prop_oneof!["\\PC{0,20}", "[ -~\n]{0,20}", piece], 0..6).prop_map(|pieces| pieces.concat())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(2_000))]

    #[test]
    fn the_table_finds_what_a_plain_search_finds(line in noise()) {
        // First in the table's order wins, wherever in the line it stands.
        let plain = SIGNATURES.iter().find_map(|row| Some((row.needle, line.find(row.needle)?)));
        let found = classify(&line).map(|found| (found.signature.needle, found.at));
        prop_assert_eq!(found, plain);
    }
}

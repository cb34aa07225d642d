//! A bounded part of what `npm run worlds -- --next` measures.

use crypto_diag_world::next::{self, Extent};

#[test]
fn what_is_unknown_names_the_artefact_that_decides_first() {
    let measured = next::measure(1, Extent { depths: [1, 1, 0, 1, 1], walks: 25, steps: 8 });
    let sum = measured.sum();
    let shown = measured.markdown();
    assert!(sum.settled > 150, "{shown}");
    // 193 of 202 when this was written. An order of needs that is the wrong way round for one question takes away more than a tenth.
    assert!(sum.by_first * 10 >= sum.settled * 9, "{shown}");
    // 200 of 202: whoever fetches all that is named can hardly do better.
    assert!(sum.by_named * 100 >= sum.settled * 97, "{shown}");
    assert_eq!(sum.given_already, 0, "what is given already is asked for: {shown}");
}

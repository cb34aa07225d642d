//! Mutation-based fuzzing on the stable toolchain: inputs that exist are broken at random and given to a reader. An input
//! that leads somewhere new, as far as the reader's own answer tells, joins the inputs that are broken next.
//!
//! Each target is a test, so that the test runner counts it:
//!
//! | variable | means |
//! |---|---|
//! | `FUZZ_SECONDS` | how long each target runs; 1 without it |
//! | `FUZZ_SEED` | where the random numbers begin; 0 without it, `clock` for another run each time |
//! | `FUZZ_INPUT` | a file: this one input is tried, and nothing else |

mod mutate;
mod run;
mod seeds;

pub use run::{Reached, fuzz};
pub use seeds::{Seeds, root};

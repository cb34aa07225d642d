//! `crypto-diag compare`: two reports of one user, before and after a remedy.

use std::slice;

use crypto_diag_triage::compare::compare;

use crate::args::CompareArguments;
use crate::{output, triage};

/// Reads both, compares, prints.
///
/// # Errors
/// In words, if the two do not compare.
pub fn run(arguments: &CompareArguments) -> Result<u8, String> {
    let (before, before_judged) = triage::judge(slice::from_ref(&arguments.before), None);
    let (after, after_judged) = triage::judge(slice::from_ref(&arguments.after), None);
    let comparison = compare((&before, &before_judged), (&after, &after_judged))?;
    output::print(&comparison.text())?;
    Ok(comparison.exit_code())
}

//! `crypto-diag compare`: two reports of one user, before and after a remedy.

use std::path::PathBuf;
use std::slice;

use crypto_diag_analysis::Report;
use crypto_diag_triage::Triage;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::compare::compare;

use crate::args::CompareArguments;
use crate::inputs::Inputs;
use crate::{output, triage};

/// Reads both, compares, prints.
///
/// # Errors
/// In words, if the two do not compare.
pub fn run(arguments: &CompareArguments) -> Result<u8, String> {
    let (before, before_judged) = judge(&arguments.before);
    let (after, after_judged) = judge(&arguments.after);
    let comparison = compare((&before, &before_judged), (&after, &after_judged))?;
    output::print(&comparison.text())?;
    Ok(comparison.exit_code())
}

/// Without the earlier pages that a report holds: those of the later one may be from before the remedy.
fn judge(path: &PathBuf) -> (Bundle, Triage) {
    let (bundle, judged) = triage::judge(Inputs::find(slice::from_ref(path)), None);
    if !bundle.reports.iter().any(Report::is_of_earlier_page) {
        return (bundle, judged);
    }
    let bundle = bundle.without_earlier_pages();
    let judged = Triage::of(&bundle);
    (bundle, judged)
}

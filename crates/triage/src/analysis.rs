//! What reports alone say: the same rules, for a page that has nothing else.

use crypto_diag_analysis::{Reading, Report};
use serde::Serialize;

use crate::answer::questions::Coverage;
use crate::answer::story::Story;
use crate::bundle::Bundle;
use crate::case::Case;
use crate::triage::Judgement;
use crate::verdict::Verdict;

/// The name that an analysis carries.
pub const SCHEMA_NAME: &str = "crypto-diag/analysis";

/// Raised when a field changes its meaning or goes; additions do not raise it.
pub const SCHEMA_VERSION: u32 = 2;

/// What the reports of one incident say.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Analysis {
    /// `crypto-diag/analysis`.
    pub schema: &'static str,
    /// The version of this shape.
    pub schema_version: u32,
    /// The story's sentence.
    pub summary: String,
    /// What the verdicts add up to.
    pub story: Story,
    /// What the reports could show, by question.
    pub questions: Vec<Coverage>,
    /// The verdicts, those that [`Triage::of`](crate::Triage::of) gives on the same reports.
    pub verdicts: Vec<Verdict>,
    /// What each report says, in the order given.
    pub reports: Vec<Reading>,
}

impl Analysis {
    /// Analyses the reports of a bundle that holds nothing else.
    pub fn of(bundle: &Bundle) -> Analysis {
        let case = Case::of(bundle);
        let Judgement { verdicts, questions, story, .. } = Judgement::of(&case);
        Analysis {
            schema: SCHEMA_NAME,
            schema_version: SCHEMA_VERSION,
            summary: story.sentence.clone(),
            story,
            questions,
            verdicts,
            reports: case.readings,
        }
    }
}

/// Analyses the reports of one incident, as JSON texts: one report, or those of several devices or pages together.
///
/// # Errors
/// Which of the texts is no report, counted from 1, where, and why.
pub fn analyse(reports: &[impl AsRef<str>]) -> Result<Analysis, String> {
    let read = reports.iter().enumerate().map(|(index, text)| {
        let name = format!("report {}", index + 1);
        let report = Report::from_json(text.as_ref()).map_err(|error| format!("{name}: {error}"))?;
        Ok((name, report))
    });
    Ok(Analysis::of(&Bundle::of_reports(read.collect::<Result<Vec<_>, String>>()?)))
}

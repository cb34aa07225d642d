//! The whole answer.

use serde::Serialize;

use crate::bundle::{Artefact, Bundle};
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::problem::Problem;
use crate::remediation::{Remedy, remedies};
use crate::rules;
use crate::timeline::{Timeline, timeline};
use crate::verdict::Verdict;

/// The name that an answer carries.
pub const SCHEMA_NAME: &str = "crypto-diag/triage";

/// Raised when a field changes its meaning or goes; additions do not raise it.
pub const SCHEMA_VERSION: u32 = 2;

/// What a bundle proves, refutes and leaves open.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Triage {
    /// `crypto-diag/triage`.
    pub schema: &'static str,
    /// The version of this shape.
    pub schema_version: u32,
    /// 0 nothing wrong, 1 something proven, 2 something unknown for lack of artefacts, 3 unusable input.
    pub exit_code: u8,
    /// One sentence.
    pub summary: String,
    /// The verdicts, by question.
    pub verdicts: Vec<Verdict>,
    /// The runbook's options that a proven verdict speaks to, least destructive first. Nothing is executed.
    pub remedies: Vec<Remedy>,
    /// Everything on one clock.
    pub timeline: Timeline,
    /// What was read.
    pub artefacts: Vec<Artefact>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

impl Triage {
    /// Walks the tree over a bundle.
    pub fn of(bundle: &Bundle) -> Triage {
        Triage::without(bundle, None)
    }

    /// The answer with one premise taken for met, by its id: only tests ask for that.
    pub(crate) fn without(bundle: &Bundle, dropped_premise: Option<&'static str>) -> Triage {
        let case = Case::without(bundle, dropped_premise);
        let verdicts = rules::verdicts(&case);
        let exit_code = if bundle.is_usable() { exit_code(&verdicts) } else { 3 };
        Triage {
            schema: SCHEMA_NAME,
            schema_version: SCHEMA_VERSION,
            exit_code,
            summary: summary(exit_code, &verdicts),
            remedies: remedies(bundle, &verdicts),
            timeline: timeline(&case),
            verdicts,
            artefacts: bundle.artefacts.clone(),
            problems: bundle.problems.clone(),
        }
    }
}

/// The exit code for a set of verdicts: 1 something wrong is proven, 2 something is unknown for lack of artefacts, 0
/// neither. Input without a single readable artefact is 3.
fn exit_code(verdicts: &[Verdict]) -> u8 {
    if verdicts.iter().any(|verdict| verdict.is_proven() && verdict.conclusion.is_fault()) {
        1
    } else if verdicts.iter().any(Verdict::is_unknown) {
        2
    } else {
        0
    }
}

fn summary(exit_code: u8, verdicts: &[Verdict]) -> String {
    let proven = proven_titles(verdicts);
    let unknown = verdicts.iter().filter(|verdict| verdict.is_unknown()).count();
    let open = match unknown {
        0 => String::new(),
        1 => " One claim is unknown.".to_owned(),
        count => format!(" {count} claims are unknown."),
    };
    match exit_code {
        3 => "Nothing that was given could be read.".to_owned(),
        1 => format!("Proven: {}.{open}", proven.join("; ")),
        2 => format!("Nothing is proven to be wrong.{open}"),
        _ => "Nothing is wrong, as far as these artefacts could show.".to_owned(),
    }
}

/// What is proven to be wrong, in a few words each. That lines of a family were seen goes without saying where more of
/// that family is proven.
fn proven_titles(verdicts: &[Verdict]) -> Vec<&'static str> {
    let mut claims: Vec<Conclusion> = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.is_proven() && verdict.conclusion.is_fault()) {
        if !claims.contains(&verdict.conclusion) {
            claims.push(verdict.conclusion);
        }
    }
    let explained =
        |sighting: &Conclusion| claims.iter().any(|claim| !claim.is_sighting() && claim.family() == sighting.family());
    claims.iter().filter(|claim| !(claim.is_sighting() && explained(claim))).map(|claim| claim.title()).collect()
}

#[cfg(all(test, feature = "schema"))]
mod tests {
    use super::*;

    /// Every name that an answer has stands in its schema, and what is required is there.
    #[test]
    fn the_schema_knows_every_field_of_an_answer() {
        let schema = serde_json::to_value(schemars::schema_for!(Triage)).expect("a schema is JSON");
        let answer = serde_json::to_value(Triage::of(&Bundle::new())).expect("an answer is JSON");
        let properties = schema["properties"].as_object().expect("an object's schema");
        for name in answer.as_object().expect("an object").keys() {
            assert!(properties.contains_key(name), "{name}");
        }
        for name in schema["required"].as_array().into_iter().flatten().filter_map(serde_json::Value::as_str) {
            assert!(answer.get(name).is_some(), "{name}");
        }
    }
}

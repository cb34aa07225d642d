//! The whole answer.

use serde::Serialize;

use crate::bundle::{Artefact, Bundle};
use crate::case::Case;
use crate::problem::Problem;
use crate::remediation::{Remedy, remedies};
use crate::timeline::{Timeline, timeline};
use crate::tree;
use crate::verdict::{Claim, Verdict, exit_code};

/// The name that an answer carries.
pub const SCHEMA_NAME: &str = "crypto-diag/triage";

/// Raised when a field changes its meaning or goes; additions do not raise it.
pub const SCHEMA_VERSION: u32 = 1;

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
        let case = Case::new(bundle);
        let verdicts = tree::walk(&case);
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
    let mut claims: Vec<Claim> = Vec::new();
    for verdict in verdicts.iter().filter(|verdict| verdict.is_proven() && verdict.claim.is_fault()) {
        if !claims.contains(&verdict.claim) {
            claims.push(verdict.claim);
        }
    }
    let explained = |sighting: &Claim| {
        let family = sighting.title().split(' ').next().unwrap_or_default();
        claims.iter().any(|claim| !claim.is_sighting() && claim.title().contains(family))
    };
    claims.iter().filter(|claim| !(claim.is_sighting() && explained(claim))).map(|claim| claim.title()).collect()
}

#[cfg(test)]
mod summary_tests {
    use super::*;

    #[test]
    fn the_sentence_names_a_sighting_only_where_nothing_more_is_proven() {
        let proven = |claims: &[Claim]| {
            let verdicts: Vec<Verdict> = claims.iter().map(|claim| Verdict::proven(*claim, "", "")).collect();
            summary(1, &verdicts)
        };
        assert_eq!(proven(&[Claim::Ke1Seen, Claim::Ke2Seen]), "Proven: KE-1 seen; KE-2 seen.");
        assert_eq!(
            proven(&[Claim::Ke1Seen, Claim::Rollback, Claim::Ke2Seen, Claim::LostKey]),
            "Proven: KE-1 cause: rollback; KE-2 seen; OLM: one-time key lost."
        );
        assert_eq!(proven(&[Claim::Ke2Seen, Claim::ConflictLostMediaKey]), "Proven: KE-1 ⇒ KE-2.");
    }
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

//! The whole answer.

use serde::Serialize;

use crate::answer::course::{Course, course};
use crate::answer::key_path::{self, KeyPaths};
use crate::answer::listed::listed;
use crate::answer::questions::{self, Coverage};
use crate::answer::story::{Story, story};
use crate::answer::versions::{Version, versions};
use crate::bundle::{Artefact, Bundle};
use crate::case::Case;
use crate::minimal;
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
    /// 0 nothing wrong and each question covered, 1 a fault proven, 2 a question open, 3 unusable input.
    pub exit_code: u8,
    /// The story's sentence.
    pub summary: String,
    /// What the verdicts add up to.
    pub story: Story,
    /// What the artefacts could show, by question.
    pub questions: Vec<Coverage>,
    /// The verdicts, by question; of very many on one conclusion those that matter most.
    pub verdicts: Vec<Verdict>,
    /// The runbook's options that a proven verdict speaks to, least destructive first. Nothing is executed.
    pub remedies: Vec<Remedy>,
    /// How far each media key of a call came, hop by hop.
    pub media_keys: KeyPaths,
    /// The same of room keys that a page lacked for events.
    pub room_keys: KeyPaths,
    /// Everything on one clock.
    pub timeline: Timeline,
    /// How it went on: storms that heal or loop, and latency by minute.
    pub course: Course,
    /// Which software took part.
    pub versions: Vec<Version>,
    /// What was read.
    pub artefacts: Vec<Artefact>,
    /// What could not be read.
    pub problems: Vec<Problem>,
}

/// What every answer says, whoever reads it.
pub(crate) struct Judgement {
    /// All verdicts.
    pub all: Vec<Verdict>,
    /// Those that are listed.
    pub verdicts: Vec<Verdict>,
    pub questions: Vec<Coverage>,
    pub exit_code: u8,
    pub story: Story,
}

impl Judgement {
    pub fn of(case: &Case<'_>) -> Judgement {
        let all = minimal::attest(case.bundle, rules::verdicts(case));
        let questions = questions::coverage(case, &all);
        let exit_code = if case.bundle.is_usable() { questions::exit_code(&all, &questions) } else { 3 };
        let verdicts = listed(&all);
        let story = story(case, exit_code, &verdicts, &questions);
        Judgement { all, verdicts, questions, exit_code, story }
    }
}

impl Triage {
    /// Applies every rule to a bundle.
    pub fn of(bundle: &Bundle) -> Triage {
        let case = &Case::of(bundle);

        let Judgement { all, verdicts, questions, exit_code, story } = Judgement::of(case);
        let timeline = timeline(case);
        let versions = versions(case);
        Triage {
            schema: SCHEMA_NAME,
            schema_version: SCHEMA_VERSION,
            exit_code,
            summary: story.sentence.clone(),
            story,
            questions,
            remedies: remedies(bundle, &verdicts, &versions),
            media_keys: key_path::media_keys(case, &all),
            room_keys: key_path::room_keys(case, &all),
            course: course(case, &timeline),
            timeline,
            versions,
            verdicts,
            artefacts: bundle.artefacts.clone(),
            problems: bundle.problems.clone(),
        }
    }

    /// The verdicts with one premise of the rules changed, for each of these changes; `None` where the change makes no difference.
    #[cfg(feature = "mutation")]
    pub fn mutated(bundle: &Bundle, mutations: &[crate::Mutation]) -> Vec<Option<Vec<Verdict>>> {
        let verdicts = rules::mutated(&mut Case::of(bundle), mutations);
        verdicts.into_iter().map(|verdicts| Some(listed(&verdicts?))).collect()
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

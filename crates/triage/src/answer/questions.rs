//! Per question: what was looked at, whether a fault would have been seen, and the exit code that follows.

use serde::Serialize;

use super::listed::left_out;
use crate::case::{Case, exchange};
use crate::conclusion::{Conclusion, Question};
use crate::har::Exchange;
use crate::synapse_log::MediaEvent;
use crate::verdict::Verdict;

/// What the artefacts could show of one question.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Coverage {
    /// The question.
    pub question: Question,
    /// Whether something would have shown a fault, had there been one.
    pub covered: bool,
    /// What was looked at and what it could show, a sentence each.
    pub looked_at: Vec<String>,
    /// Verdicts on it that are proven, refuted and unknown, listed or not.
    pub proven: usize,
    /// See `proven`.
    pub refuted: usize,
    /// See `proven`.
    pub unknown: usize,
}

/// The conclusions that say of a page whether it saw a family's failures. A refuted one covers its question: its premises
/// are those of a capture that would have shown a failure.
const SIGHTINGS: [Conclusion; 5] =
    [Conclusion::Ke1Seen, Conclusion::OlmSeen, Conclusion::Ke2Seen, Conclusion::Ke3Seen, Conclusion::Ke4Seen];

/// The coverage of all four questions, in order.
pub(crate) fn coverage(case: &Case<'_>, verdicts: &[Verdict]) -> Vec<Coverage> {
    Question::ALL.into_iter().map(|question| of_question(case, question, verdicts)).collect()
}

fn of_question(case: &Case<'_>, question: Question, verdicts: &[Verdict]) -> Coverage {
    let ours: Vec<&Verdict> = verdicts.iter().filter(|verdict| verdict.conclusion.question() == question).collect();
    let sightings: Vec<&&Verdict> = ours.iter().filter(|verdict| SIGHTINGS.contains(&verdict.conclusion)).collect();
    let is_told = |verdict: &&&Verdict| !verdict.is_unknown();
    let mut looked_at: Vec<String> = sightings.iter().map(|verdict| verdict.statement.clone()).collect();
    if sightings.is_empty() {
        looked_at.push(match (case.bundle.reports.is_empty(), question) {
            (true, _) => "No report of a client was given, so it is not known what a page saw.".to_owned(),
            (false, _) => "No report says what its page saw of this.".to_owned(),
        });
    }
    if question == Question::Q2 {
        looked_at.extend(refused_tokens(case));
    }
    looked_at.extend(left_out(&ours));
    Coverage {
        question,
        covered: !sightings.is_empty() && sightings.iter().all(is_told),
        looked_at,
        proven: ours.iter().filter(|verdict| verdict.is_proven()).count(),
        refuted: ours.iter().filter(|verdict| verdict.is_refuted()).count(),
        unknown: ours.iter().filter(|verdict| verdict.is_unknown()).count(),
    }
}

/// That members got no token for an SFU: they see the call and hear nobody, and no key is missing.
fn refused_tokens(case: &Case<'_>) -> Option<String> {
    let logs = case.bundle.media.iter();
    let mut refused = logs
        .flat_map(|log| log.lines.iter().filter(|line| line.event == MediaEvent::Refused).map(move |line| (log, line)));
    let logged = refused.next().map(|(log, line)| format!("{}, line {}: {}", log.name, line.line, &*line.quote));
    let mut asked = case.bundle.hars.iter().flat_map(|har| {
        let entries = har.entries.iter().enumerate().filter(|(_, exchange)| is_refused_token(exchange));
        entries.map(move |(index, _)| exchange(har, index, ""))
    });
    let seen = asked.next().map(|found| format!("{}, {}: {}", &*found.artefact, found.place, &*found.quote));
    let more = match refused.count() + asked.count() {
        0 => String::new(),
        more => format!(", and {more} more"),
    };
    let places = [logged, seen].into_iter().flatten().collect::<Vec<_>>().join("; ");
    (!places.is_empty()).then(|| {
        format!(
            "Somebody asked for a token for the SFU and got none ({places}{more}). Whoever it was could not join that SFU, and heard nobody \
             there; that is no matter of encryption."
        )
    })
}

/// Whether a request for a token failed. That a service has no `/get_token` is told by a 404, and the client then asks the older way.
fn is_refused_token(exchange: &Exchange) -> bool {
    let path = exchange.uri.split('?').next().unwrap_or_default();
    exchange.method == "POST"
        && (path.ends_with("/sfu/get") || path.ends_with("/get_token"))
        && exchange.status >= 400
        && exchange.status != 404
}

/// The exit code: 1 a fault is proven; 2 a question is open, since a verdict on it is unknown or since nothing given would
/// have shown a fault; 0 neither. Input without a single readable artefact is 3.
pub(crate) fn exit_code(verdicts: &[Verdict], questions: &[Coverage]) -> u8 {
    if verdicts.iter().any(|verdict| verdict.is_proven() && verdict.conclusion.is_fault()) {
        1
    } else if questions.iter().any(Coverage::is_open) {
        2
    } else {
        0
    }
}

impl Coverage {
    /// Whether the question is open: something is unknown, or nothing would have shown a fault.
    pub fn is_open(&self) -> bool {
        self.unknown > 0 || !self.covered
    }
}

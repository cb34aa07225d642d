//! The answer as a page shows it: every word that Rust knows, so that a page and the command line say the same.

use std::io;

use crypto_diag_triage::answer::questions::Coverage;
use crypto_diag_triage::answer::story::Story;
use crypto_diag_triage::answer::versions::Version;
use crypto_diag_triage::bundle::Bundle;
use crypto_diag_triage::har::Har;
use crypto_diag_triage::remediation::{NOTE, Remedy};
use crypto_diag_triage::render::KeyTable;
use crypto_diag_triage::stamp;
use crypto_diag_triage::synapse_log::ZoneSource;
use crypto_diag_triage::timeline::{Lane, Timeline};
use crypto_diag_triage::verdict::{Answer, Verdict};
use crypto_diag_triage::{Triage, render};
use serde::Serialize;
use serde_json::{Value, json};

/// The whole view. Texts may be hostile: show them as text.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct View<'a> {
    /// 0 nothing wrong, 1 something proven, 2 something unknown, 3 unusable input.
    pub exit_code: u8,
    /// The story: its sentence, cause and effect, whom it affects, what to fetch next.
    pub story: &'a Story,
    /// The kind of the artefact to fetch next.
    pub next_kind: Option<String>,
    /// The tree of causes and effects, in reading order.
    pub tree: Vec<Branch>,
    /// How it went on: storms and latency, a sentence each.
    pub course: Vec<&'a str>,
    /// The versions of what took part.
    pub versions: &'a [Version],
    /// The four questions.
    pub questions: Vec<Asked<'a>>,
    /// How far each key came, hop by hop.
    pub keys: Vec<KeyTable<'a>>,
    /// What stands above the options.
    pub note: &'static str,
    /// The options that the verdicts speak to.
    pub remedies: &'a [Remedy],
    /// The picture.
    pub timeline: Picture<'a>,
    /// What was read.
    pub artefacts: Vec<Read<'a>>,
    /// What could not be read, each with its place, in a sentence.
    pub problems: Vec<String>,
    /// Logs whose zone nobody stated and nothing shows: their times are taken for UTC.
    pub zone_unknown: Vec<&'a str>,
}

/// A line of the tree of causes and effects.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Branch {
    /// How deep it stands: 0 is a cause.
    pub depth: usize,
    /// What it says.
    pub text: String,
    /// Where its first piece of evidence stands.
    pub place: Option<String>,
}

/// A question and what is said to it, proven first.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Asked<'a> {
    /// The question.
    pub text: &'static str,
    /// A sentence that it is independent of the chain from KE-1 to KE-2, if it is.
    pub stands_alone: Option<&'static str>,
    /// Whether something would have shown a fault.
    pub covered: bool,
    /// What was looked at, a sentence each.
    pub looked_at: &'a [String],
    /// What is said.
    pub verdicts: Vec<Said<'a>>,
}

/// A verdict.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Said<'a> {
    /// `proven`, `refuted` or `unknown`.
    pub answer: &'static str,
    /// The claim in a few words.
    pub title: &'static str,
    /// The verdict itself: statement, evidence, what is open, what to fetch.
    #[serde(flatten)]
    pub verdict: &'a Verdict,
    /// Where each piece of evidence stands, and when, one for one.
    pub places: Vec<String>,
    /// What kind of artefact each thing to fetch is, one for one.
    pub wanted: Vec<String>,
}

/// The picture's contents, with its times printed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Picture<'a> {
    /// The left edge, in milliseconds since the epoch.
    pub from: i64,
    /// The right edge.
    pub to: i64,
    /// Both in words.
    pub edges: [String; 2],
    /// The lanes.
    pub lanes: Vec<Row<'a>>,
    /// What to know when reading it.
    pub notes: &'a [String],
}

/// A lane, with its marks' times printed.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Row<'a> {
    /// The lane.
    #[serde(flatten)]
    pub lane: &'a Lane,
    /// When each mark is, one for one.
    pub times: Vec<String>,
}

/// A file.
#[derive(Clone, Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Read<'a> {
    /// Its name.
    pub name: &'a str,
    /// What it was taken for.
    pub kind: String,
    /// Whether something of it is used.
    pub used: bool,
}

/// The view as JSON.
///
/// # Errors
/// None in practice: every part of it can be written.
pub fn json(bundle: &Bundle, triage: &Triage) -> Result<String, serde_json::Error> {
    serde_json::to_string(&view(bundle, triage))
}

/// The HARs as [`Har::write`] reduces them, with the names that their files go by. Of room events they keep those that the bundle's reports
/// name.
///
/// # Errors
/// None in practice: memory takes every byte, and what is written is UTF-8.
pub fn hars(bundle: &Bundle) -> io::Result<String> {
    let reduced = |har: &Har| -> io::Result<Value> {
        let mut text = Vec::new();
        har.write(&mut text)?;
        let text = String::from_utf8(text).map_err(io::Error::other)?;
        Ok(json!({"name": har.name, "text": text}))
    };
    Ok(Value::from(bundle.hars.iter().map(reduced).collect::<io::Result<Vec<_>>>()?).to_string())
}

/// The view of an answer.
pub fn view<'a>(bundle: &'a Bundle, triage: &'a Triage) -> View<'a> {
    let zone_unknown = bundle.logs.iter().filter(|log| log.zone == ZoneSource::Assumed && log.first.is_some());
    let read = triage.artefacts.iter();
    View {
        exit_code: triage.exit_code,
        story: &triage.story,
        next_kind: triage.story.next.as_ref().map(|next| next.fetch.artefact.to_string()),
        tree: branches(triage),
        course: triage.course.sentences().collect(),
        versions: &triage.versions,
        questions: triage.questions.iter().map(|coverage| asked(coverage, triage)).collect(),
        keys: render::key_tables(triage),
        note: NOTE,
        remedies: &triage.remedies,
        timeline: picture(&triage.timeline),
        artefacts: read
            .map(|artefact| Read { name: &artefact.name, kind: artefact.kind.to_string(), used: artefact.used })
            .collect(),
        problems: triage.problems.iter().map(ToString::to_string).collect(),
        zone_unknown: zone_unknown.map(|log| log.name.as_str()).collect(),
    }
}

fn branches(triage: &Triage) -> Vec<Branch> {
    let branch = |line: &render::Branch<'_>| Branch { depth: line.depth, text: line.text(), place: line.place() };
    render::tree(triage).iter().map(branch).collect()
}

fn asked<'a>(coverage: &'a Coverage, triage: &'a Triage) -> Asked<'a> {
    let mut verdicts: Vec<&Verdict> =
        triage.verdicts.iter().filter(|verdict| verdict.conclusion.question() == coverage.question).collect();
    verdicts.sort_by_key(|verdict| match verdict.answer {
        Answer::Proven => 0,
        Answer::Unknown { .. } => 1,
        Answer::Refuted => 2,
    });
    Asked {
        text: coverage.question.text(),
        stands_alone: coverage.question.stands_alone(),
        covered: coverage.covered,
        looked_at: &coverage.looked_at,
        verdicts: verdicts.into_iter().map(said).collect(),
    }
}

fn said(verdict: &Verdict) -> Said<'_> {
    let places = verdict.evidence.iter().map(|piece| {
        let at = piece.at.map_or(String::new(), |at| format!(", {}", stamp::print(at)));
        format!("{}, {}{at}", piece.artefact, piece.place)
    });
    let wanted = match &verdict.answer {
        Answer::Unknown { fetch } => fetch.iter().map(|fetch| fetch.artefact.to_string()).collect(),
        _ => Vec::new(),
    };
    Said { answer: verdict.answer.word(), title: verdict.conclusion.title(), places: places.collect(), verdict, wanted }
}

fn picture(timeline: &Timeline) -> Picture<'_> {
    let row = |lane| -> Row<'_> {
        let lane: &Lane = lane;
        Row { lane, times: lane.marks.iter().map(|mark| stamp::print(mark.at)).collect() }
    };
    Picture {
        from: timeline.from,
        to: timeline.to,
        edges: [stamp::print(timeline.from), stamp::print(timeline.to)],
        lanes: timeline.lanes.iter().map(row).collect(),
        notes: &timeline.notes,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_view_has_every_verdict_and_the_words_for_it() {
        let mut bundle = Bundle::new();
        let refusal = r#"{"schema":"crypto-diag/report","schemaVersion":1,"generatedAt":2,"userId":"@a:x","deviceId":"D",
            "entries":[{"ts":1,"ke":"KE-1","level":"error","meaning":"failure","message":"One time key signed_curve25519:AAAAAQ already exists"}]}"#;
        bundle.add("a.report.json", None, refusal.as_bytes());
        bundle.add("a.log", None, &b"2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n"[..]);
        let triage = Triage::of(&bundle);
        let value: serde_json::Value =
            serde_json::from_str(&json(&bundle, &triage).expect("an answer is JSON")).expect("and JSON is read");
        let verdicts: Vec<&serde_json::Value> = value["questions"]
            .as_array()
            .into_iter()
            .flatten()
            .flat_map(|asked| asked["verdicts"].as_array())
            .flatten()
            .collect();
        assert_eq!(verdicts.len(), triage.verdicts.len());
        assert!(verdicts.iter().any(|verdict| verdict["fetch"].is_array()), "some are unknown: {verdicts:?}");
        for verdict in verdicts {
            assert_eq!(verdict["answer"], verdict["is"]);
            assert_eq!(verdict["evidence"].as_array().map(Vec::len), verdict["places"].as_array().map(Vec::len));
            assert_eq!(
                verdict["fetch"].as_array().map_or(0, Vec::len),
                verdict["wanted"].as_array().map_or(0, Vec::len)
            );
            assert!(verdict["title"].as_str().is_some_and(|title| !title.is_empty()));
        }
    }

    #[test]
    fn a_log_without_a_zone_is_named_until_somebody_states_it() {
        let mut bundle = Bundle::new();
        let line = &b"2026-11-23 08:36:03,871 - a.b - 1 - INFO - GET-1 - m\n"[..];
        bundle.add("a.log", None, line);
        let triage = Triage::of(&bundle);
        assert_eq!(view(&bundle, &triage).zone_unknown, ["a.log"]);
        let mut stated = Bundle::new();
        stated.log_options.zone_minutes = Some(0);
        stated.add("a.log", None, line);
        let triage = Triage::of(&stated);
        assert!(view(&stated, &triage).zone_unknown.is_empty());
    }
}

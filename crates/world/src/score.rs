//! The answers of any program to the benchmark, and how they are scored. docs/benchmark.md has the format.

use std::collections::BTreeMap;
use std::fmt::Write;

use serde_json::{Value, json};

use crate::benchmark::{CONCLUSIONS, Class, Label, Names, Role, known, role};
use crate::export::LABELS_SCHEMA;
use crate::judge::Word;

/// The schema of a file with answers.
pub const ANSWERS_SCHEMA: &str = "crypto-diag/benchmark-answers";

/// What a program says of one bundle.
#[derive(Clone, Debug, Default)]
pub struct Answer {
    /// What it says of each conclusion. One that is not here counts as unknown.
    pub conclusions: BTreeMap<&'static str, Word>,
    /// Paths, each from a cause to what it led to.
    pub paths: Vec<Vec<&'static str>>,
}

impl Answer {
    /// As it stands in a file with answers.
    pub fn json(&self) -> Value {
        let words: BTreeMap<_, _> = self.conclusions.iter().map(|(name, word)| (*name, word.text())).collect();
        json!({ "conclusions": words, "paths": self.paths })
    }

    /// What `crypto-diag triage --format json` printed of a bundle. Of several verdicts on one conclusion one that is proven counts;
    /// the conclusion is refuted if all of them are. A verdict that refutes it of some events does not speak of the bundle: there may be
    /// others, of which the answer does not know.
    pub fn of_triage(triage: &Value) -> Answer {
        let verdicts: Vec<&Value> = triage["verdicts"].as_array().into_iter().flatten().collect();
        let name = |verdict: &Value| verdict["claim"].as_str().and_then(known);
        let mut answer = Answer::default();
        for verdict in &verdicts {
            let Some(name) = name(verdict) else { continue };
            let is_of_events = verdict["subject"]["eventIds"].as_array().is_some_and(|ids| !ids.is_empty());
            let word = match verdict["is"].as_str() {
                Some("proven") => Word::Proven,
                Some("refuted") if !is_of_events => Word::Refuted,
                _ => Word::Unknown,
            };
            let of_all = answer.conclusions.entry(name).or_insert(word);
            if *of_all != word {
                *of_all = if [*of_all, word].contains(&Word::Proven) { Word::Proven } else { Word::Unknown };
            }
        }
        let links: Vec<(usize, usize)> = triage["story"]["links"]
            .as_array()
            .into_iter()
            .flatten()
            .filter_map(|link| Some((link["cause"].as_u64()? as usize, link["effect"].as_u64()? as usize)))
            .collect();
        for cause in triage["story"]["causes"].as_array().into_iter().flatten().filter_map(Value::as_u64) {
            let mut open = vec![vec![cause as usize]];
            while let Some(path) = open.pop() {
                let last = path[path.len() - 1];
                let effects: Vec<usize> =
                    links.iter().filter(|(from, to)| *from == last && !path.contains(to)).map(|(_, to)| *to).collect();
                if effects.is_empty() {
                    let names: Option<Vec<_>> =
                        path.iter().map(|at| verdicts.get(*at).and_then(|verdict| name(verdict))).collect();
                    answer.paths.extend(names.filter(|names| !answer.paths.contains(names)));
                }
                open.extend(effects.into_iter().map(|effect| [&path[..], &[effect]].concat()));
            }
        }
        answer
    }
}

/// Answers by bundle.
pub type Answers = BTreeMap<String, Answer>;

/// A file with answers.
pub fn written(program: &str, answers: &Answers) -> String {
    let bundles: BTreeMap<_, _> = answers.iter().map(|(name, answer)| (name, answer.json())).collect();
    let json = json!({ "schema": ANSWERS_SCHEMA, "schemaVersion": 1, "program": program, "bundles": bundles });
    format!("{json:#}\n")
}

/// Reads a file with answers.
///
/// # Errors
/// In words, what of it is not of the format.
pub fn read_answers(text: &str) -> Result<Answers, String> {
    let json = of_schema(text, ANSWERS_SCHEMA)?;
    let bundles = json["bundles"].as_object().ok_or("bundles: no object")?;
    let read = |(bundle, json): (&String, &Value)| {
        let answer = read_answer(json).map_err(|error| format!("bundle {bundle}: {error}"))?;
        Ok((bundle.clone(), answer))
    };
    bundles.iter().map(read).collect()
}

fn read_answer(json: &Value) -> Result<Answer, String> {
    let said = json["conclusions"].as_object().ok_or("conclusions: no object")?;
    let mut answer = Answer::default();
    for (name, word) in said {
        let word = match word.as_str() {
            Some("proven") => Word::Proven,
            Some("refuted") => Word::Refuted,
            Some("unknown") => Word::Unknown,
            _ => return Err(format!("{name}: neither proven, refuted nor unknown, but {word}")),
        };
        answer.conclusions.insert(conclusion(name)?, word);
    }
    let paths = match &json["paths"] {
        Value::Null => return Ok(answer),
        paths => paths.as_array().ok_or("paths: no list")?,
    };
    for path in paths {
        let names = path.as_array().ok_or("paths: a path is no list")?;
        let names = names.iter().map(|name| conclusion(name.as_str().unwrap_or_default()));
        answer.paths.push(names.collect::<Result<_, String>>()?);
    }
    Ok(answer)
}

/// Reads a file with labels.
///
/// # Errors
/// In words, what of it is not of the format.
pub fn read_labels(text: &str) -> Result<BTreeMap<String, Label>, String> {
    let json = of_schema(text, LABELS_SCHEMA)?;
    let bundles = json["bundles"].as_array().ok_or("bundles: no list")?;
    let read = |json: &Value| {
        let name = json["bundle"].as_str().ok_or("a bundle has no name")?;
        let names = |field: &str| -> Result<Names, String> {
            let list = json[field].as_array().ok_or_else(|| format!("bundle {name}: {field}: no list"))?;
            list.iter().map(|name| conclusion(name.as_str().unwrap_or_default())).collect()
        };
        Ok((name.to_owned(), Label { holds: names("holds")?, open: names("open")? }))
    };
    bundles.iter().map(read).collect()
}

fn of_schema(text: &str, schema: &str) -> Result<Value, String> {
    let json: Value = serde_json::from_str(text).map_err(|error| format!("no JSON: {error}"))?;
    match (json["schema"].as_str(), json["schemaVersion"].as_u64()) {
        (Some(found), Some(1)) if found == schema => Ok(json),
        (found, version) => Err(format!("not {schema} version 1, but {found:?} version {version:?}")),
    }
}

fn conclusion(name: &str) -> Result<&'static str, String> {
    known(name).ok_or_else(|| format!("the benchmark has no conclusion {name:?}"))
}

/// How a program did with one conclusion, in bundles.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// It is true in every history that leaves the files.
    pub can_be_told: usize,
    /// Of those: it is called proven.
    pub told: usize,
    /// It can be told, it is a cause, and it led to something.
    pub has_path: usize,
    /// Of those: it is called proven, and the paths from it are right.
    pub path_right: usize,
    /// It is true in some histories that leave the files, and false in others.
    pub open: usize,
    /// Of those: it is called neither proven nor refuted.
    pub rightly_silent: usize,
    /// It is called proven and is not true in every history that leaves the files.
    pub falsely_proven: usize,
    /// It is called refuted and is true in some history that leaves the files.
    pub falsely_refuted: usize,
    /// It is called refuted and is true in none.
    pub rightly_refuted: usize,
}

/// How a program did.
#[derive(Clone, Debug, Default)]
pub struct Score {
    /// By conclusion.
    pub rows: BTreeMap<&'static str, Row>,
    /// Bundles without a fault.
    pub without_fault: usize,
    /// Of those: no fault is called proven.
    pub rightly_silent: usize,
    /// Bundles that there is no answer to. They are taken for silence.
    pub unanswered: usize,
}

/// Scores answers.
///
/// # Errors
/// In words, if there is an answer to a bundle that the labels do not have.
pub fn score(labels: &BTreeMap<String, Label>, answers: &Answers) -> Result<Score, String> {
    if let Some(name) = answers.keys().find(|name| !labels.contains_key(*name)) {
        return Err(format!("there is an answer to a bundle {name:?}, which is none of the benchmark"));
    }
    let silence = Answer::default();
    let mut score = Score::default();
    for (name, label) in labels {
        score.unanswered += usize::from(!answers.contains_key(name));
        let answer = answers.get(name).unwrap_or(&silence);
        let word = |name: &str| answer.conclusions.get(name).copied().unwrap_or(Word::Unknown);
        for (name, role) in CONCLUSIONS {
            let row = score.rows.entry(name).or_default();
            let (holds, open, word) = (label.holds.contains(name), label.open.contains(name), word(name));
            row.can_be_told += usize::from(holds);
            row.told += usize::from(holds && word == Word::Proven);
            row.open += usize::from(open);
            row.rightly_silent += usize::from(open && word == Word::Unknown);
            row.falsely_proven += usize::from(!holds && word == Word::Proven);
            row.falsely_refuted += usize::from((holds || open) && word == Word::Refuted);
            row.rightly_refuted += usize::from(!holds && !open && word == Word::Refuted);
            let paths = if holds && *role == Role::Cause { label.paths(name) } else { Vec::new() };
            if paths.iter().any(|path| path.len() > 1) {
                row.has_path += 1;
                row.path_right += usize::from(word == Word::Proven && is_right(&answer.paths, name, &paths));
            }
        }
        if label.class() == Some(Class::WithoutFault) {
            score.without_fault += 1;
            let blames =
                answer.conclusions.iter().any(|(name, word)| *word == Word::Proven && role(name) != Role::Finding);
            score.rightly_silent += usize::from(!blames);
        }
    }
    Ok(score)
}

/// Whether the answered paths from a cause are right. Each must be a path of the label, from which it may leave out steps, and at least one
/// must reach the end of its path.
fn is_right(answered: &[Vec<&str>], cause: &str, right: &[Vec<&str>]) -> bool {
    let paths: Vec<_> = answered.iter().filter(|path| path.first() == Some(&cause)).collect();
    let reaches = |path: &&Vec<&str>| right.iter().any(|right| right.last() == path.last());
    let is_part = |path: &&Vec<&str>| right.iter().any(|right| is_subsequence(path, right));
    paths.iter().all(is_part) && paths.iter().any(reaches)
}

fn is_subsequence(part: &[&str], whole: &[&str]) -> bool {
    let mut rest = whole.iter();
    part.iter().all(|name| rest.any(|other| other == name))
}

impl Score {
    /// The sum over conclusions of a role.
    pub fn sum(&self, of: Role) -> Row {
        self.rows.iter().filter(|(name, _)| role(name) == of).fold(Row::default(), |sum, (_, row)| Row {
            can_be_told: sum.can_be_told + row.can_be_told,
            told: sum.told + row.told,
            has_path: sum.has_path + row.has_path,
            path_right: sum.path_right + row.path_right,
            open: sum.open + row.open,
            rightly_silent: sum.rightly_silent + row.rightly_silent,
            falsely_proven: sum.falsely_proven + row.falsely_proven,
            falsely_refuted: sum.falsely_refuted + row.falsely_refuted,
            rightly_refuted: sum.rightly_refuted + row.rightly_refuted,
        })
    }

    /// As a table in Markdown.
    pub fn table(&self) -> String {
        let mut text = String::from(
            "| | right, of those that can be told | path right | rightly silent, of those that cannot | rightly refuted | falsely proven | falsely refuted |\n\
             |---|--:|--:|--:|--:|--:|--:|\n",
        );
        let mut add = |name: &str, row: &Row| {
            let of = |right, all: usize| if all == 0 { String::new() } else { format!("{right} of {all}") };
            let (told, path) = (of(row.told, row.can_be_told), of(row.path_right, row.has_path));
            let silent = of(row.rightly_silent, row.open);
            let Row { rightly_refuted, falsely_proven, falsely_refuted, .. } = row;
            let _ = writeln!(
                text,
                "| {name} | {told} | {path} | {silent} | {rightly_refuted} | {falsely_proven} | {falsely_refuted} |"
            );
        };
        for (of, sum) in [
            (Role::Cause, "**causes**"),
            (Role::Step, "**steps**"),
            (Role::Symptom, "**symptoms**"),
            (Role::Finding, "**no faults**"),
        ] {
            for (name, _) in CONCLUSIONS.iter().filter(|(_, role)| *role == of) {
                add(name, &self.rows.get(name).copied().unwrap_or_default());
            }
            add(sum, &self.sum(of));
        }
        let _ = writeln!(
            text,
            "\nBundles without a fault: {}, rightly silent {}.",
            self.without_fault, self.rightly_silent
        );
        if self.unanswered > 0 {
            let _ = writeln!(text, "Bundles without an answer, taken for silence: {}.", self.unanswered);
        }
        text
    }
}

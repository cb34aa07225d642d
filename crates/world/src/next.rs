//! Measures whether the artefact that an *unknown* asks for first is the one that decides.
//!
//! A history is judged twice: under a view that lacks something, and with all artefacts. Where a conclusion is unknown the first time and
//! proven or refuted the second time, the artefacts that the answer asks for are added one by one.

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

use serde_json::Value;

use crate::delayed::Delayed;
use crate::delivery::Delivery;
use crate::events::Events;
use crate::forms::File;
use crate::histories::{self, Run, told};
use crate::judge::{self, Claim, Word};
use crate::keys::Keys;
use crate::media::Media;
use crate::model::Model;

/// Which histories are judged.
#[derive(Clone, Copy, Debug)]
pub struct Extent {
    /// Steps of the histories of which all are judged, for each model: keys, delayed events, delivery, events, media.
    pub depths: [usize; 5],
    /// Longer histories by chance, for each model.
    pub walks: usize,
    /// The most steps that these have.
    pub steps: usize,
}

/// What `npm run worlds -- --next` judges.
pub const WHOLE: Extent = Extent { depths: [2, 1, 1, 1, 1], walks: 300, steps: 12 };

/// The endings of the names of files of a kind, by the word that answers have for the kind.
const KINDS: [(&str, &str); 4] =
    [("report", ".report.json"), ("har", ".har"), ("server-log", ".log"), ("query-results", "queries.json")];

/// How often a conclusion was unknown and is proven or refuted with all artefacts, in distinct sets of files.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Row {
    /// How often.
    pub settled: usize,
    /// Settled by the artefact that the answer names first.
    pub by_first: usize,
    /// Settled by one of those that the answer names, by itself.
    pub by_one_named: usize,
    /// Settled by all that the answer names together.
    pub by_named: usize,
    /// Settled by the artefacts of one kind, named or not.
    pub by_one_kind: usize,
    /// The artefact that is named first was already given, as whole as it is.
    pub given_already: usize,
}

/// What was measured.
#[derive(Clone, Debug, Default)]
pub struct Measured {
    /// By conclusion.
    pub rows: BTreeMap<String, Row>,
    /// Some histories in words in which one artefact decides, and it is not the one that is named first.
    pub missed: Vec<String>,
}

/// How many such histories are kept.
const MISSED_MAX: usize = 20;

/// Judges the histories of all models.
pub fn measure(seed: u64, extent: Extent) -> Measured {
    let mut measure = Measure::default();
    measure.add((Keys::SMALL, Keys::LARGE), extent.depths[0], seed, extent);
    measure.add((Delayed::SMALL, Delayed::LARGE), extent.depths[1], seed, extent);
    measure.add((Delivery::SMALL, Delivery::LARGE), extent.depths[2], seed, extent);
    measure.add((Events, Events), extent.depths[3], seed, extent);
    measure.add((Media, Media), extent.depths[4], seed, extent);
    measure.measured
}

#[derive(Default)]
struct Measure {
    measured: Measured,
    seen: HashSet<u64>,
}

impl Measure {
    fn add<M: Model>(&mut self, (small, large): (M, M), depth: usize, seed: u64, extent: Extent) {
        histories::short(small, depth, |state, run| self.judge(state, &run));
        histories::by_chance(large, seed, extent.walks, extent.steps, |state, run| self.judge(state, &run));
    }

    fn judge<M: Model>(&mut self, state: &M::State, run: &Run<M>) {
        let given = run.model.files(state, &run.view);
        // The first view of each model has all artefacts.
        let all = run.model.views(state).first().map(|view| run.model.files(state, view)).unwrap_or_default();
        if given.is_empty() || given == all || !self.seen.insert(judge::hash(&given)) {
            return;
        }
        let unknown = judge::verdicts(&given).into_iter().filter(|said| said.word == Word::Unknown);
        let unknown: Vec<judge::Said> = unknown.collect();
        if unknown.is_empty() {
            return;
        }
        let settled = settled(&all);
        let mut tried: Vec<(Vec<File>, BTreeSet<Claim>)> = Vec::new();
        let mut decides = |files: Vec<File>, claim: &Claim| {
            if let Some((_, settled)) = tried.iter().find(|(known, _)| *known == files) {
                return settled.contains(claim);
            }
            let found = settled_of(&files, &given);
            let decides = found.contains(claim);
            tried.push((files, found));
            decides
        };
        for said in unknown.iter().filter(|said| settled.contains(&said.claim)) {
            let row = self.measured.rows.entry(said.claim.0.clone()).or_default();
            row.settled += 1;
            let wanted: Vec<BTreeSet<&str>> = said.fetch.iter().map(|(kind, how)| names_of(&all, kind, how)).collect();
            let one: Vec<bool> = wanted.iter().map(|names| decides(with(&given, &all, names), &said.claim)).collect();
            row.by_first += usize::from(one.first() == Some(&true));
            row.by_one_named += usize::from(one.contains(&true));
            row.by_named +=
                usize::from(decides(with(&given, &all, &wanted.iter().flatten().copied().collect()), &said.claim));
            row.given_already += usize::from(wanted.first().is_some_and(|first| with(&given, &all, first) == given));
            let of_kind = |kind: &&str| with(&given, &all, &names_of(&all, kind, ""));
            let kinds: Vec<&str> =
                KINDS.iter().map(|(kind, _)| *kind).filter(|kind| decides(of_kind(kind), &said.claim)).collect();
            row.by_one_kind += usize::from(!kinds.is_empty());
            if one.first() != Some(&true) && !kinds.is_empty() && self.measured.missed.len() < MISSED_MAX {
                let asked: Vec<&str> = said.fetch.iter().map(|(kind, _)| &**kind).collect();
                let (name, told) = (&said.claim.0, told(&run.model, run.start, &run.path, &run.view).join("\n  "));
                let (asked, kinds) = (asked.join(", "), kinds.join(" or "));
                self.measured.missed.push(format!("{name}: asks for {asked}; decided by {kinds}\n  {told}"));
            }
        }
    }
}

fn settled(files: &[File]) -> BTreeSet<Claim> {
    let all = judge::verdicts(files).into_iter();
    all.filter(|said| said.word != Word::Unknown).map(|said| said.claim).collect()
}

/// What is proven or refuted of some files, apart from what already was.
fn settled_of(files: &[File], given: &[File]) -> BTreeSet<Claim> {
    if files == given { BTreeSet::new() } else { settled(files) }
}

/// The files of a kind that an answer asks for in these words: those of the device or of the report that it names, else all.
fn names_of<'f>(all: &'f [File], kind: &str, how: &str) -> BTreeSet<&'f str> {
    let end = KINDS.iter().find(|(name, _)| *name == kind).map_or("", |(_, end)| end);
    let of_kind = || all.iter().filter(|(name, _)| !end.is_empty() && name.ends_with(end));
    let is_named = |file: &&File| match kind {
        "report" => device(&file.1).is_some_and(|device| how.contains(&device)),
        "har" => browser(&file.0).is_some_and(|browser| how.split_whitespace().any(|word| word.starts_with(browser))),
        _ => false,
    };
    let named: BTreeSet<&str> = of_kind().filter(is_named).map(|(name, _)| &**name).collect();
    if named.is_empty() { of_kind().map(|(name, _)| &**name).collect() } else { named }
}

/// Whose report it is, as answers name a device.
fn device(report: &[u8]) -> Option<String> {
    let report: Value = serde_json::from_slice(report).ok()?;
    Some(format!("{}/{}", report["userId"].as_str()?, report["deviceId"].as_str()?))
}

/// A browser's HAR and its reports begin with its name.
fn browser(name: &str) -> Option<&str> {
    name.split_once('.').map(|(browser, _)| browser)
}

/// The given files with some of all files added, or put in the place of less complete ones.
fn with(given: &[File], all: &[File], names: &BTreeSet<&str>) -> Vec<File> {
    let is_wanted = |file: &&File| names.contains(&*file.0);
    let kept = given.iter().filter(|file| !is_wanted(file));
    let mut files: Vec<File> = kept.chain(all.iter().filter(is_wanted)).cloned().collect();
    files.sort();
    files
}

impl Measured {
    /// All rows as one.
    pub fn sum(&self) -> Row {
        self.rows.values().fold(Row::default(), |sum, row| Row {
            settled: sum.settled + row.settled,
            by_first: sum.by_first + row.by_first,
            by_one_named: sum.by_one_named + row.by_one_named,
            by_named: sum.by_named + row.by_named,
            by_one_kind: sum.by_one_kind + row.by_one_kind,
            given_already: sum.given_already + row.given_already,
        })
    }

    /// As a table in Markdown, and what was missed.
    pub fn markdown(&self) -> String {
        let mut text = String::from(
            "| | settled by all artefacts | by the first named | by one that is named | by all that are named | by one kind |\n\
             |---|--:|--:|--:|--:|--:|\n",
        );
        let sum = self.sum();
        let rows = self.rows.iter().map(|(name, row)| (&**name, row));
        for (name, row) in rows.chain([("**all**", &sum)]) {
            let Row { settled, by_first, by_one_named, by_named, by_one_kind, .. } = row;
            let _ = writeln!(text, "| {name} | {settled} | {by_first} | {by_one_named} | {by_named} | {by_one_kind} |");
        }
        let _ =
            writeln!(text, "\nThe first one named was given already, as whole as it is: {} times.", sum.given_already);
        for missed in &self.missed {
            let _ = writeln!(text, "\n{missed}");
        }
        text
    }
}

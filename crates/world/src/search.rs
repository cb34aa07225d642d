//! The search for counter-histories: breadth first, and by random walks with shrinking.

pub mod mutants;
mod shrink;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::fmt::Write;
use std::time::{Duration, Instant};

use crate::forms::File;
use crate::histories::{BreadthFirst, Run, nearby, told, walk};
use crate::judge::{self, Claim, Judge, Word};
use crate::model::{Chance, Model};

pub use shrink::shortest;

/// What is rightly said of a history as names, `proven` or `refuted` before each.
///
/// # Panics
/// If anything false is said of it.
pub fn rightly_said<M: Model>(model: &M, state: &M::State, view: &M::View) -> Vec<String> {
    let truths = model.truths(state, view);
    let all = judge::all_said(&model.files(state, view), model.tells_hops());
    let settled = all.into_iter().filter(|said| said.word != Word::Unknown);
    let (right, wrong): (Vec<_>, Vec<_>) =
        settled.partition(|said| truths.contains(&said.claim) == (said.word == Word::Proven));
    assert!(wrong.is_empty(), "{wrong:#?}");
    right.into_iter().map(|said| format!("{} {}", said.word.text(), said.claim.0)).collect()
}

/// A history and a view of it under which the triage says something false.
#[derive(Clone, Debug)]
pub struct Counter<M: Model> {
    /// What is said of what.
    pub claim: Claim,
    /// `proven` though it is false, or `refuted` though it is true.
    pub word: Word,
    /// In the triage's words.
    pub statement: String,
    /// The state that it begins in, by its place in [`Model::begin`].
    pub start: usize,
    /// What happens.
    pub path: Vec<M::Action>,
    /// Which artefacts there are.
    pub view: M::View,
}

/// How far a search goes.
#[derive(Clone, Copy, Debug)]
pub struct Bounds {
    /// Steps of a history at most.
    pub depth: usize,
    /// Steps up to which histories are judged in which nothing notable happens.
    pub quiet_depth: usize,
    /// Distinct sets of files that are judged at most.
    pub distinct: usize,
    /// How long it may take.
    pub time: Duration,
}

/// What is known of a set of files: of each claim, in how many histories that leave it it is true.
#[derive(Clone, Debug, Default)]
struct Known {
    /// The kinds of files.
    artefacts: String,
    histories: u32,
    truths: BTreeMap<Claim, u32>,
}

/// How often a conclusion could be told and was.
#[derive(Clone, Copy, Debug, Default)]
pub struct Told {
    /// Sets of files in all of whose histories it is true.
    pub can_be: u32,
    /// Those of which it is called proven.
    pub is: u32,
    /// Sets of files with histories that differ.
    pub undecidable: u32,
}

/// What a search has found and seen.
#[derive(Debug)]
pub struct Search<M: Model> {
    /// The model.
    pub model: M,
    /// The verdicts.
    pub judge: Judge,
    /// States seen.
    pub states: usize,
    /// Histories and views judged, most of them by files that were judged before.
    pub judged: usize,
    /// How deep the exhaustive search went: all histories of that length were judged.
    pub depth: usize,
    /// Counter-histories by the claim's name and the word, the shortest first: some of each.
    pub counters: BTreeMap<(String, Word), Vec<Counter<M>>>,
    /// How many there were of each.
    pub counts: BTreeMap<(String, Word), usize>,
    known: HashMap<u64, Known>,
    /// The first history of each distinct set of files.
    samples: Vec<Run<M>>,
}

impl<M: Model> Search<M> {
    /// A search that has seen nothing.
    pub fn new(model: M) -> Search<M> {
        Search {
            model,
            judge: Judge::default(),
            states: 0,
            judged: 0,
            depth: 0,
            counters: BTreeMap::new(),
            counts: BTreeMap::new(),
            known: HashMap::new(),
            samples: Vec::new(),
        }
    }

    /// Every history, shorter ones first. `progress` hears of each length that is done.
    pub fn exhaustively(&mut self, bounds: Bounds, mut progress: impl FnMut(&Search<M>)) {
        let begun = Instant::now();
        let mut states = BreadthFirst::new(self.model);
        while let Some(found) = states.pop() {
            if found.path.len() > self.depth {
                self.depth = found.path.len();
                progress(self);
            }
            if found.path.len() >= bounds.depth {
                // Judged when they were found; what is left is as long.
                self.depth = bounds.depth;
                break;
            }
            if begun.elapsed() > bounds.time || self.judge.distinct() >= bounds.distinct {
                break;
            }
            states.expand(&found, |next| {
                if next.path.len() <= bounds.quiet_depth || self.model.is_notable(&next.state) {
                    for view in self.model.views(&next.state) {
                        self.judge(&next.state, next.start, &next.path, &view);
                    }
                }
            });
        }
        self.states = states.seen();
    }

    /// Histories by chance, of up to `bounds.depth` steps. What they show is shrunk to the shortest that still shows it.
    pub fn by_chance(&mut self, seed: u64, bounds: Bounds) -> usize {
        let begun = Instant::now();
        let mut chance = Chance::new(seed);
        let starts = self.model.begin();
        let until = self.judge.distinct().saturating_add(bounds.distinct);
        let mut walks = 0;
        while begun.elapsed() < bounds.time && self.judge.distinct() < until {
            walks += 1;
            let start = chance.below(starts.len());
            let mut state = starts[start].clone();
            let mut path = Vec::new();
            let length = 8 + chance.below(bounds.depth - 7);
            while path.len() < length {
                let action = self.model.any_action(&state, &mut chance);
                let Some(next) = self.model.step(&state, action) else { continue };
                self.states += 1;
                state = next;
                path.push(action);
                // Now and then on the way, too: what comes later may hide what was to be seen.
                if chance.below(8) == 0 || path.len() == length {
                    let view = self.model.any_view(&state, &mut chance);
                    self.judge(&state, start, &path, &view);
                }
            }
        }
        walks
    }

    fn judge(&mut self, state: &M::State, start: usize, path: &[M::Action], view: &M::View) {
        let files = self.model.files(state, view);
        if files.is_empty() {
            return;
        }
        self.judged += 1;
        let truths = self.model.truths(state, view);
        let (hash, said) = self.judge.settled(&files, self.model.tells_hops());
        for verdict in said {
            if is_false(verdict.word, &verdict.claim, &truths) {
                let key = (verdict.claim.0.clone(), verdict.word);
                *self.counts.entry(key.clone()).or_default() += 1;
                let counters = self.counters.entry(key).or_default();
                if counters.len() < COUNTERS_MAX || counters.last().is_some_and(|last| last.path.len() > path.len()) {
                    counters.push(Counter {
                        claim: verdict.claim.clone(),
                        word: verdict.word,
                        statement: verdict.statement.clone(),
                        start,
                        path: path.to_vec(),
                        view: view.clone(),
                    });
                    counters.sort_by_key(|counter| counter.path.len());
                    counters.truncate(COUNTERS_MAX);
                }
            }
        }
        let known = self.known.entry(hash).or_default();
        if known.histories == 0 {
            self.samples.push(Run { model: self.model, start, path: path.to_vec(), view: view.clone() });
            known.artefacts = kinds(&files);
        }
        known.histories += 1;
        for truth in truths {
            *known.truths.entry(truth).or_default() += 1;
        }
    }

    /// Looks for histories that leave the same files as one of which something true is not told. It tries those that differ in one step or in
    /// how they begin, since the search itself need not have seen them. Returns how many leave the same files.
    pub fn look_nearby(&mut self, time: Duration) -> usize {
        let (begun, mut found) = (Instant::now(), 0);
        let samples = std::mem::take(&mut self.samples);
        for sample in samples.iter().take_while(|_| begun.elapsed() < time) {
            let Some(state) = self.walk(sample.start, &sample.path) else { continue };
            let hash = judge::hash(&self.model.files(&state, &sample.view));
            let proven = self.judge.proven(hash);
            let Some(known) = self.known.get_mut(&hash) else { continue };
            if known.truths.keys().all(|claim| proven.contains(claim)) {
                continue;
            }
            for state in nearby(&self.model, sample.start, &sample.path) {
                if judge::hash(&self.model.files(&state, &sample.view)) != hash {
                    continue;
                }
                found += 1;
                known.histories += 1;
                for truth in self.model.truths(&state, &sample.view) {
                    *known.truths.entry(truth).or_default() += 1;
                }
            }
        }
        self.samples = samples;
        found
    }

    /// The state at the end of a path; `None` if it cannot be walked.
    pub fn walk(&self, start: usize, path: &[M::Action]) -> Option<M::State> {
        walk(&self.model, self.model.begin().into_iter().nth(start)?, path)
    }

    /// A counter-history as a story.
    pub fn story(&self, counter: &Counter<M>) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{} is called {}, and that is false.", counter.claim.0, counter.word.text());
        let _ = writeln!(text, "  about: {}\n  says:  {}", counter.claim.1, counter.statement);
        let told = told(&self.model, counter.start, &counter.path, &counter.view);
        let (given, steps) = told.split_last().expect("what is given");
        for (step, action) in steps.iter().enumerate() {
            let _ = writeln!(text, "  {:2}. {action}", step + 1);
        }
        let _ = writeln!(text, "  {given}");
        text
    }

    /// The files of a counter-history.
    pub fn files(&self, counter: &Counter<M>) -> Vec<File> {
        self.walk(counter.start, &counter.path).map_or_else(Vec::new, |state| self.model.files(&state, &counter.view))
    }

    /// How often each conclusion could be told, and was: by its name and the kinds of files.
    pub fn completeness(&self) -> BTreeMap<(String, String), Told> {
        let mut table: BTreeMap<(String, String), Told> = BTreeMap::new();
        for (hash, known) in &self.known {
            let proven: BTreeSet<&Claim> = self.judge.proven(*hash);
            for (claim, count) in &known.truths {
                let told = table.entry((claim.0.clone(), known.artefacts.clone())).or_default();
                if *count < known.histories {
                    told.undecidable += 1;
                } else {
                    told.can_be += 1;
                    told.is += u32::from(proven.contains(claim));
                }
            }
        }
        table
    }

    /// The same, with all kinds of files together.
    pub fn completeness_of_all(&self) -> BTreeMap<String, Told> {
        let mut table: BTreeMap<String, Told> = BTreeMap::new();
        for ((name, _), told) in self.completeness() {
            let sum = table.entry(name).or_default();
            sum.can_be += told.can_be;
            sum.is += told.is;
            sum.undecidable += told.undecidable;
        }
        table
    }
}

/// The kinds of files, such as `reports, HARs, log`.
fn kinds(files: &[File]) -> String {
    let kinds = [("reports", ".report.json"), ("HARs", ".har"), ("log", ".log"), ("database", "queries.json")];
    let there = kinds.iter().filter(|(_, end)| files.iter().any(|(name, _)| name.ends_with(end)));
    there.map(|(kind, _)| *kind).collect::<Vec<_>>().join(", ")
}

/// Counter-histories of one claim and word that are kept.
const COUNTERS_MAX: usize = 5;

fn is_false(word: Word, claim: &Claim, truths: &BTreeSet<Claim>) -> bool {
    match word {
        Word::Proven => !truths.contains(claim),
        Word::Refuted => truths.contains(claim),
        Word::Unknown => false,
    }
}

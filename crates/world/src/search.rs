//! The search for counter-histories: breadth first, and by random walks with shrinking.

pub mod mutants;
mod shrink;

use std::collections::{BTreeMap, BTreeSet, HashMap, HashSet, VecDeque};
use std::fmt::{Debug, Write};
use std::hash::{DefaultHasher, Hash, Hasher};
use std::time::{Duration, Instant};

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::forms::File;
use crate::judge::{self, Claim, Judge, Word};

pub use shrink::shortest;

/// A step's number.
pub type Step = u8;

/// Where something that lasts until a step, or begins with one, is in a history that lacks the step `without`. The last of all numbers
/// stands for never.
pub fn earlier(bound: Step, without: Step) -> Step {
    if bound > without && bound != Step::MAX { bound - 1 } else { bound }
}

/// A transition system, the files that its histories leave, and what is true of them.
pub trait Model: Copy + Debug {
    /// Everything that is and was.
    type State: Clone + Eq + Hash;
    /// One thing that happens.
    type Action: Copy + Eq + Debug + Serialize + DeserializeOwned;
    /// Which of the artefacts there are.
    type View: Clone + Debug + Serialize + DeserializeOwned;

    /// What is modelled.
    fn name(&self) -> &'static str;
    /// The states that histories begin in.
    fn begin(&self) -> Vec<Self::State>;
    /// What may happen; [`Model::step`] says whether it can.
    fn actions(&self, state: &Self::State) -> Vec<Self::Action>;
    /// The state after an action; `None` if it cannot happen here.
    fn step(&self, state: &Self::State, action: Self::Action) -> Option<Self::State>;
    /// Whether something happened that there is much to say of. Other histories are judged as well, the short ones.
    fn is_notable(&self, state: &Self::State) -> bool;
    /// An action by chance, likelier the more it may show.
    fn any_action(&self, state: &Self::State, chance: &mut Chance) -> Self::Action;
    /// The views under which each history of the exhaustive search is judged.
    fn views(&self, state: &Self::State) -> Vec<Self::View>;
    /// Any view.
    fn any_view(&self, state: &Self::State, chance: &mut Chance) -> Self::View;
    /// The same view of a history that lacks one step.
    fn view_without(&self, view: &Self::View, step: usize) -> Self::View;
    /// The files of a view.
    fn files(&self, state: &Self::State, view: &Self::View) -> Vec<File>;
    /// The claims that are true; every other one is false.
    fn truths(&self, state: &Self::State, view: &Self::View) -> BTreeSet<Claim>;
    /// Whether it tells how far each media key came, so that the hops of keys are judged as verdicts are.
    fn tells_hops(&self) -> bool {
        false
    }
    /// An action in words, before it is taken.
    fn tell(&self, state: &Self::State, action: Self::Action) -> String;
    /// A view in words.
    fn tell_view(&self, state: &Self::State, view: &Self::View) -> String;
}

/// The state that a path leads to.
///
/// # Panics
/// If an action of it cannot happen.
pub fn reached<M: Model>(model: &M, begin: M::State, path: &[M::Action]) -> M::State {
    path.iter().fold(begin, |state, action| {
        model.step(&state, *action).unwrap_or_else(|| panic!("{action:?} cannot happen here"))
    })
}

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

/// Numbers by chance, the same for the same seed.
#[derive(Clone, Debug)]
pub struct Chance(u64);

impl Chance {
    /// From a seed.
    pub fn new(seed: u64) -> Chance {
        Chance(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    /// A number below another one.
    pub fn below(&mut self, limit: usize) -> usize {
        // xorshift64*
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) as usize % limit.max(1)
    }
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
    samples: Vec<Sample<M>>,
}

/// A history and a view of it.
#[derive(Debug)]
struct Sample<M: Model> {
    start: usize,
    path: Vec<M::Action>,
    view: M::View,
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
        let mut seen: HashSet<u64> = HashSet::new();
        let mut queue: VecDeque<(M::State, usize, Vec<M::Action>)> = VecDeque::new();
        for (start, state) in self.model.begin().into_iter().enumerate() {
            seen.insert(hash(&state));
            queue.push_back((state, start, Vec::new()));
        }
        while let Some((state, start, path)) = queue.pop_front() {
            if path.len() > self.depth {
                self.depth = path.len();
                progress(self);
            }
            if path.len() >= bounds.depth {
                // Judged when they were found; what is left in the queue is as long.
                self.depth = bounds.depth;
                break;
            }
            if begun.elapsed() > bounds.time || self.judge.distinct() >= bounds.distinct {
                break;
            }
            for action in self.model.actions(&state) {
                let Some(next) = self.model.step(&state, action) else { continue };
                if !seen.insert(hash(&next)) {
                    continue;
                }
                let path: Vec<M::Action> = path.iter().copied().chain([action]).collect();
                if path.len() <= bounds.quiet_depth || self.model.is_notable(&next) {
                    for view in self.model.views(&next) {
                        self.judge(&next, start, &path, &view);
                    }
                }
                queue.push_back((next, start, path));
            }
        }
        self.states = seen.len();
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
            self.samples.push(Sample { start, path: path.to_vec(), view: view.clone() });
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
            for state in nearby(&self.model, sample) {
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
        let begin = self.model.begin().into_iter().nth(start)?;
        path.iter().try_fold(begin, |state, action| self.model.step(&state, *action))
    }

    /// A counter-history as a story.
    pub fn story(&self, counter: &Counter<M>) -> String {
        let mut text = String::new();
        let _ = writeln!(text, "{} is called {}, and that is false.", counter.claim.0, counter.word.text());
        let _ = writeln!(text, "  about: {}\n  says:  {}", counter.claim.1, counter.statement);
        let Some(mut state) = self.model.begin().into_iter().nth(counter.start) else { return text };
        for (step, action) in counter.path.iter().enumerate() {
            let _ = writeln!(text, "  {:2}. {}", step + 1, self.model.tell(&state, *action));
            let Some(next) = self.model.step(&state, *action) else { return text };
            state = next;
        }
        let _ = writeln!(text, "  given: {}", self.model.tell_view(&state, &counter.view));
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

/// The ends of histories that differ in one step, or in how they begin.
fn nearby<M: Model>(model: &M, sample: &Sample<M>) -> Vec<M::State> {
    let mut ends = Vec::new();
    for (start, begin) in model.begin().into_iter().enumerate() {
        let walk = |from: M::State, path: &[M::Action]| {
            path.iter().try_fold(from, |state, action| model.step(&state, *action))
        };
        if start != sample.start {
            ends.extend(walk(begin, &sample.path));
            continue;
        }
        let mut state = begin;
        for (step, action) in sample.path.iter().enumerate() {
            let others = model.actions(&state).into_iter().filter(|other| other != action);
            let taken = others.filter_map(|other| model.step(&state, other));
            ends.extend(taken.filter_map(|next| walk(next, &sample.path[step + 1..])));
            let Some(next) = model.step(&state, *action) else { break };
            state = next;
        }
    }
    ends
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

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

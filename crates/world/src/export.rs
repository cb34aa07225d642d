//! Writes labelled bundles for any program that explains failures. A bundle has the files that a history of a model leaves under a view.

use std::collections::{BTreeMap, HashMap};
use std::path::Path;

use serde_json::{Value, json};

use crate::benchmark::{CONCLUSIONS, Class, Label, Names, Role, Tally, known, role};
use crate::delayed::Delayed;
use crate::delivery::Delivery;
use crate::events::Events;
use crate::forms::File;
use crate::histories::{self, Run, nearby, told};
use crate::judge;
use crate::keys::Keys;
use crate::media::Media;
use crate::model::{Chance, Model};

/// The name of the file with the labels.
pub const LABELS: &str = "labels.json";
/// The folder with a folder for each bundle.
pub const BUNDLES: &str = "bundles";
/// The schema of the file with the labels.
pub const LABELS_SCHEMA: &str = "crypto-diag/benchmark-labels";

/// How many bundles are written, and from which histories.
#[derive(Clone, Copy, Debug)]
pub struct Size {
    /// Bundles. A fifth of them is without a fault, a fifth undecidable.
    pub bundles: usize,
    /// Steps of the histories of which all are taken, for each model: keys, delayed events, delivery, events, media.
    pub depths: [usize; 5],
    /// Longer histories by chance, for each model.
    pub walks: usize,
    /// The most steps that these have.
    pub steps: usize,
}

/// The public benchmark.
pub const PUBLIC: Size = Size { bundles: 300, depths: [3, 2, 1, 2, 1], walks: 2_000, steps: 20 };

/// A bundle of the benchmark.
#[derive(Debug)]
pub struct Labelled {
    /// The name of its folder.
    pub name: String,
    /// Its files.
    pub files: Vec<File>,
    /// What is true of it.
    pub label: Label,
    /// One history that leaves these files, in words.
    pub history: Vec<String>,
}

impl Labelled {
    fn json(&self) -> Value {
        let mut json = self.label.json();
        json["bundle"] = json!(self.name);
        json["history"] = json!(self.history);
        json
    }
}

/// A history of any model, as a bundle is made of it.
trait Origin {
    fn model(&self) -> &'static str;
    fn files(&self) -> Vec<File>;
    fn history(&self) -> Vec<String>;
    /// What is true in other histories that leave the same files, where that is not what is known: those that begin otherwise or differ
    /// in one step.
    fn twins(&self, files: &[File], known: &Label) -> Vec<Names>;
}

/// What is true of a history, of the benchmark's conclusions. What a page saw counts only where its report is among the files.
fn names<M: Model>(model: &M, state: &M::State, view: &M::View, files: &[File]) -> Names {
    let is_given = |about: &str| match about.rsplit_once('(') {
        Some((_, report)) => files.iter().any(|(name, _)| report.strip_suffix(')') == Some(name)),
        None => true,
    };
    let truths = model.truths(state, view);
    truths.iter().filter(|(_, about)| is_given(about)).filter_map(|(name, _)| known(name)).collect()
}

impl<M: Model> Origin for Run<M> {
    fn model(&self) -> &'static str {
        self.model.name()
    }

    fn files(&self) -> Vec<File> {
        self.model.files(&self.state(), &self.view)
    }

    fn history(&self) -> Vec<String> {
        told(&self.model, self.start, &self.path, &self.view)
    }

    fn twins(&self, files: &[File], known: &Label) -> Vec<Names> {
        let twin = |state: M::State| {
            let truths = names(&self.model, &state, &self.view, files);
            let says_more = truths.iter().any(|name| !known.holds.contains(name) && !known.open.contains(name));
            // Files cost more than truths.
            let differs = says_more || !known.holds.is_subset(&truths);
            (differs && self.model.files(&state, &self.view) == files).then_some(truths)
        };
        nearby(&self.model, self.start, &self.path).into_iter().filter_map(twin).collect()
    }
}

/// Sets of files that differ from one another, each with the first of the histories that leave it.
#[derive(Default)]
struct Pool {
    candidates: Vec<Candidate>,
    by_files: HashMap<u64, usize>,
}

impl Pool {
    fn add<M: Model + 'static>(&mut self, state: &M::State, run: Run<M>) {
        let files = run.model.files(state, &run.view);
        if files.is_empty() {
            return;
        }
        let truths = names(&run.model, state, &run.view, &files);
        let at = *self.by_files.entry(judge::hash(&files)).or_insert_with(|| {
            self.candidates.push((Tally::default(), Box::new(run)));
            self.candidates.len() - 1
        });
        self.candidates[at].0.add(&truths);
    }

    fn add_model<M: Model + 'static>(&mut self, (small, large): (M, M), depth: usize, seed: u64, size: Size) {
        histories::short(small, depth, |state, run| self.add(state, run));
        histories::by_chance(large, seed, size.walks, size.steps, |state, run| self.add(state, run));
    }
}

/// What is true of a set of files, and a history that leaves it.
type Candidate = (Tally, Box<dyn Origin>);

/// What a bundle is chosen for: its class, and the cause or the model that its class is balanced over.
type Kind = (Class, &'static str);

fn kind(label: &Label, model: &'static str, rarest_first: &[&'static str]) -> Option<Kind> {
    let class = label.class()?;
    let rarest = |of: &Names| rarest_first.iter().copied().find(|name| of.contains(name));
    let balanced_over = match class {
        Class::CanBeTold => rarest(&label.holds)?,
        Class::Undecidable => rarest(&label.open)?,
        Class::WithoutFault => model,
    };
    Some((class, balanced_over))
}

/// Chooses bundles: the same for the same seed and size.
///
/// # Errors
/// In words, if the histories have too few bundles of a class.
pub fn labelled(seed: u64, size: Size) -> Result<Vec<Labelled>, String> {
    let mut pool = Pool::default();
    pool.add_model((Keys::SMALL, Keys::LARGE), size.depths[0], seed, size);
    pool.add_model((Delayed::SMALL, Delayed::LARGE), size.depths[1], seed, size);
    pool.add_model((Delivery::SMALL, Delivery::LARGE), size.depths[2], seed, size);
    pool.add_model((Events, Events), size.depths[3], seed, size);
    pool.add_model((Media, Media), size.depths[4], seed, size);

    let mut chance = Chance::new(seed);
    let mut candidates = pool.candidates;
    shuffle(&mut candidates, &mut chance);
    let rarest_first = rarest_first(&candidates);
    let mut kinds: BTreeMap<Kind, Vec<Candidate>> = BTreeMap::new();
    for (tally, origin) in candidates {
        if let Some(kind) = kind(&Label::of(&tally), origin.model(), &rarest_first) {
            kinds.entry(kind).or_default().push((tally, origin));
        }
    }

    let fifth = size.bundles.div_ceil(5);
    let mut chosen: Vec<Labelled> = Vec::new();
    // A bundle that turns out to be open when it is looked at is put among the open ones, which are chosen later.
    for (class, wanted) in [
        (Class::CanBeTold, size.bundles.saturating_sub(2 * fifth)),
        (Class::WithoutFault, fifth),
        (Class::Undecidable, fifth),
    ] {
        let mut found = 0;
        while found < wanted {
            let before = found;
            let of_class: Vec<Kind> = kinds.keys().copied().filter(|kind| kind.0 == class).collect();
            for wanted_kind in of_class {
                while found < wanted {
                    let Some((mut tally, origin)) = kinds.get_mut(&wanted_kind).and_then(Vec::pop) else { break };
                    let files = origin.files();
                    for twin in origin.twins(&files, &Label::of(&tally)) {
                        tally.add(&twin);
                    }
                    let label = Label::of(&tally);
                    match kind(&label, origin.model(), &rarest_first) {
                        Some(kind) if kind == wanted_kind => {
                            let history = origin.history();
                            chosen.push(Labelled { name: String::new(), files, label, history });
                            found += 1;
                            break;
                        }
                        Some(kind) => kinds.entry(kind).or_default().push((tally, origin)),
                        None => {}
                    }
                }
            }
            if found == before {
                return Err(format!("{wanted} bundles of the class {class:?} are wanted, and there are {found}"));
            }
        }
    }
    // Bundles are chosen class by class, so their order would tell the class.
    shuffle(&mut chosen, &mut chance);
    for (at, bundle) in chosen.iter_mut().enumerate() {
        bundle.name = format!("{:04}", at + 1);
    }
    Ok(chosen)
}

/// Causes and steps. Those come first that hold or are open in the fewest bundles.
fn rarest_first(candidates: &[Candidate]) -> Vec<&'static str> {
    let mut counts: BTreeMap<&'static str, usize> = BTreeMap::new();
    for (tally, _) in candidates {
        for name in tally.holds().into_iter().chain(tally.open()) {
            *counts.entry(name).or_default() += 1;
        }
    }
    let mut names: Vec<&'static str> = CONCLUSIONS.iter().map(|(name, _)| *name).collect();
    names.retain(|name| matches!(role(name), Role::Cause | Role::Step));
    // A bundle is chosen for a step only if it has no cause.
    names.sort_by_key(|name| (role(name) == Role::Step, counts.get(name).copied().unwrap_or_default()));
    names
}

fn shuffle<T>(list: &mut [T], chance: &mut Chance) {
    for at in (1..list.len()).rev() {
        list.swap(at, chance.below(at + 1));
    }
}

/// Writes bundles and their labels into a folder that is new or empty.
///
/// # Errors
/// In words, if the folder holds something or cannot be written.
pub fn write(folder: &Path, seed: u64, bundles: &[Labelled]) -> Result<(), String> {
    let failed = |path: &Path, error: std::io::Error| format!("{}: {error}", path.display());
    std::fs::create_dir_all(folder).map_err(|error| failed(folder, error))?;
    let mut there = std::fs::read_dir(folder).map_err(|error| failed(folder, error))?;
    if there.next().is_some() {
        return Err(format!("{} is not empty", folder.display()));
    }
    for bundle in bundles {
        let own = folder.join(BUNDLES).join(&bundle.name);
        std::fs::create_dir_all(&own).map_err(|error| failed(&own, error))?;
        for (name, bytes) in &bundle.files {
            let path = own.join(name);
            std::fs::write(&path, bytes).map_err(|error| failed(&path, error))?;
        }
    }
    let path = folder.join(LABELS);
    std::fs::write(&path, labels(seed, bundles)).map_err(|error| failed(&path, error))
}

/// The file with the labels.
pub fn labels(seed: u64, bundles: &[Labelled]) -> String {
    let json = json!({
        "schema": LABELS_SCHEMA,
        "schemaVersion": 1,
        "seed": seed,
        "bundles": bundles.iter().map(Labelled::json).collect::<Vec<_>>(),
    });
    format!("{json:#}\n")
}

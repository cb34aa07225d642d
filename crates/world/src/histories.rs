//! Gives the histories of a model one after another: all short ones, and long ones by chance. It judges nothing.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::model::{Chance, Model, reached};

/// A history of a model, and which of its artefacts there are.
#[derive(Clone, Debug)]
pub struct Run<M: Model> {
    /// The model.
    pub model: M,
    /// The state that it begins in, by its place in [`Model::begin`].
    pub start: usize,
    /// What happens.
    pub path: Vec<M::Action>,
    /// Which artefacts there are.
    pub view: M::View,
}

impl<M: Model> Run<M> {
    /// The state at the end.
    pub fn state(&self) -> M::State {
        let begin = self.model.begin().swap_remove(self.start);
        reached(&self.model, begin, &self.path)
    }
}

/// What happens, a sentence for each step, and which artefacts are given.
pub fn told<M: Model>(model: &M, start: usize, path: &[M::Action], view: &M::View) -> Vec<String> {
    let mut state = model.begin().swap_remove(start);
    let mut told = Vec::new();
    for action in path {
        told.push(model.tell(&state, *action));
        state = reached(model, state, &[*action]);
    }
    told.push(format!("given: {}", model.tell_view(&state, view)));
    told
}

/// The state to which a path leads from another one; `None` if it cannot be walked.
pub fn walk<M: Model>(model: &M, from: M::State, path: &[M::Action]) -> Option<M::State> {
    path.iter().try_fold(from, |state, action| model.step(&state, *action))
}

/// The ends of histories that differ from one in one step, or in how they begin.
pub fn nearby<M: Model>(model: &M, start: usize, path: &[M::Action]) -> Vec<M::State> {
    let mut ends = Vec::new();
    for (other, begin) in model.begin().into_iter().enumerate() {
        if other != start {
            ends.extend(walk(model, begin, path));
            continue;
        }
        let mut state = begin;
        for (step, action) in path.iter().enumerate() {
            let others = model.actions(&state).into_iter().filter(|other| other != action);
            let taken = others.filter_map(|other| model.step(&state, other));
            ends.extend(taken.filter_map(|next| walk(model, next, &path[step + 1..])));
            let Some(next) = model.step(&state, *action) else { break };
            state = next;
        }
    }
    ends
}

/// A state, and the first of the shortest histories that lead to it.
pub(crate) struct Reached<M: Model> {
    /// The state.
    pub state: M::State,
    /// The state that the history begins in, by its place in [`Model::begin`].
    pub start: usize,
    /// What happens.
    pub path: Vec<M::Action>,
}

/// Every state once, those with shorter histories first.
pub(crate) struct BreadthFirst<M: Model> {
    model: M,
    /// Hashes of the states that were found, which take less memory than the states.
    seen: HashSet<u64>,
    queue: VecDeque<Reached<M>>,
}

impl<M: Model> BreadthFirst<M> {
    /// Begins with the states in which histories begin.
    pub fn new(model: M) -> BreadthFirst<M> {
        let mut found = BreadthFirst { model, seen: HashSet::new(), queue: VecDeque::new() };
        for (start, state) in model.begin().into_iter().enumerate() {
            found.seen.insert(hash(&state));
            found.queue.push_back(Reached { state, start, path: Vec::new() });
        }
        found
    }

    /// How many states were found.
    pub fn seen(&self) -> usize {
        self.seen.len()
    }

    /// The next state. [`BreadthFirst::expand`] finds those behind it.
    pub fn pop(&mut self) -> Option<Reached<M>> {
        self.queue.pop_front()
    }

    /// Finds the states that are one step behind a state, and hands each new one to `visit`.
    pub fn expand(&mut self, from: &Reached<M>, mut visit: impl FnMut(&Reached<M>)) {
        for action in self.model.actions(&from.state) {
            let Some(state) = self.model.step(&from.state, action) else { continue };
            if !self.seen.insert(hash(&state)) {
                continue;
            }
            let path = from.path.iter().copied().chain([action]).collect();
            let found = Reached { state, start: from.start, path };
            visit(&found);
            self.queue.push_back(found);
        }
    }
}

fn hash(value: &impl Hash) -> u64 {
    let mut hasher = DefaultHasher::new();
    value.hash(&mut hasher);
    hasher.finish()
}

/// Every history of up to so many steps, shorter ones first, under each of its views.
pub fn short<M: Model>(model: M, depth: usize, mut visit: impl FnMut(&M::State, Run<M>)) {
    let mut states = BreadthFirst::new(model);
    while let Some(found) = states.pop() {
        if found.path.len() == depth {
            return;
        }
        states.expand(&found, |Reached { state, start, path }| {
            for view in model.views(state) {
                visit(state, Run { model, start: *start, path: path.clone(), view });
            }
        });
    }
}

/// So many histories by chance, of up to so many steps, each under one view.
pub fn by_chance<M: Model>(model: M, seed: u64, count: usize, steps: usize, mut visit: impl FnMut(&M::State, Run<M>)) {
    let mut chance = Chance::new(seed);
    for _ in 0..count {
        let mut starts = model.begin();
        let start = chance.below(starts.len());
        let mut state = starts.swap_remove(start);
        let mut path = Vec::new();
        let length = 1 + chance.below(steps);
        while path.len() < length {
            let action = model.any_action(&state, &mut chance);
            let Some(next) = model.step(&state, action) else { continue };
            state = next;
            path.push(action);
        }
        let view = model.any_view(&state, &mut chance);
        visit(&state, Run { model, start, path, view });
    }
}

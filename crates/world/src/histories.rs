//! Gives the histories of a model one after another: all short ones, and long ones by chance. It judges nothing.

use std::collections::{HashSet, VecDeque};
use std::hash::{DefaultHasher, Hash, Hasher};

use crate::forms::File;
use crate::search::{Chance, Model};

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
        crate::search::reached(&self.model, begin, &self.path)
    }

    /// What happens, a sentence for each step, and which artefacts are given.
    pub fn told(&self) -> Vec<String> {
        let mut state = self.model.begin().swap_remove(self.start);
        let mut told = Vec::new();
        for action in &self.path {
            told.push(self.model.tell(&state, *action));
            state = crate::search::reached(&self.model, state, &[*action]);
        }
        told.push(format!("given: {}", self.model.tell_view(&state, &self.view)));
        told
    }
}

/// A hash of a list of files.
pub fn fingerprint(files: &[File]) -> u64 {
    let mut hasher = DefaultHasher::new();
    files.hash(&mut hasher);
    hasher.finish()
}

/// Every history of up to so many steps, shorter ones first, under each of its views.
pub fn short<M: Model>(model: M, depth: usize, mut visit: impl FnMut(&M::State, Run<M>)) {
    let mut seen: HashSet<M::State> = HashSet::new();
    let mut queue: VecDeque<(M::State, usize, Vec<M::Action>)> = VecDeque::new();
    for (start, state) in model.begin().into_iter().enumerate() {
        seen.insert(state.clone());
        queue.push_back((state, start, Vec::new()));
    }
    while let Some((state, start, path)) = queue.pop_front() {
        if path.len() == depth {
            return;
        }
        for action in model.actions(&state) {
            let Some(next) = model.step(&state, action) else { continue };
            if !seen.insert(next.clone()) {
                continue;
            }
            let path: Vec<M::Action> = path.iter().copied().chain([action]).collect();
            for view in model.views(&next) {
                visit(&next, Run { model, start, path: path.clone(), view });
            }
            queue.push_back((next, start, path));
        }
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

//! Counter-histories are made as short as they can be.

use super::{Counter, Model, Search, is_false};
use crate::judge;

impl<M: Model> Search<M> {
    /// Makes each counter-history as short as it can be, and keeps those that differ in what happens in them.
    pub fn shrink_all(&mut self) {
        for (key, counters) in std::mem::take(&mut self.counters) {
            let mut kept: Vec<Counter<M>> = Vec::new();
            for counter in counters {
                let shrunk = self.shrink(counter);
                if !kept.iter().any(|known| known.path == shrunk.path) {
                    kept.push(shrunk);
                }
            }
            kept.sort_by_key(|counter| counter.path.len());
            self.counters.insert(key, kept);
        }
    }

    /// What the history without some steps shows of the same claim and word, of whatever key or page: with all artefacts, or
    /// under the same view.
    fn shows(&self, counter: &Counter<M>, without: &[usize]) -> Option<Counter<M>> {
        let kept = counter.path.iter().enumerate().filter(|(step, _)| !without.contains(step));
        let path: Vec<M::Action> = kept.map(|(_, action)| *action).collect();
        let state = self.walk(counter.start, &path)?;
        let same = without.iter().rev().fold(counter.view.clone(), |view, step| self.model.view_without(&view, *step));
        self.model.views(&state).into_iter().take(1).chain([same]).find_map(|view| {
            let files = self.model.files(&state, &view);
            let truths = self.model.truths(&state, &view);
            let said = judge::all_said(&files, self.model.tells_hops()).into_iter().find(|said| {
                said.word == counter.word
                    && said.claim.0 == counter.claim.0
                    && is_false(said.word, &said.claim, &truths)
            })?;
            let (claim, statement, path) = (said.claim, said.statement, path.clone());
            Some(Counter { claim, word: said.word, statement, start: counter.start, path, view })
        })
    }

    fn shrink(&self, counter: Counter<M>) -> Counter<M> {
        shortest(counter, |counter| counter.path.len(), |counter, without| self.shows(counter, without))
    }
}

/// Leaves steps out of what was found, as long as what is left still shows it: halves first, then ever smaller parts, single steps, and
/// pairs of them, such as a page that is opened and left again, or a backup and what it is for. `without` gives what is left without
/// the steps, if it shows it.
pub fn shortest<T>(
    mut found: T,
    length: impl Fn(&T) -> usize,
    mut without: impl FnMut(&T, &[usize]) -> Option<T>,
) -> T {
    let mut part = length(&found) / 2;
    while part > 0 {
        let steps = length(&found);
        let of_part = |at: usize| (at..(at + part).min(steps)).collect::<Vec<_>>();
        match (0..steps).step_by(part).find_map(|at| without(&found, &of_part(at))) {
            Some(shown) => found = shown,
            None => part /= 2,
        }
        part = part.min(length(&found));
    }
    let mut apart = 1;
    while apart < length(&found) {
        match (0..length(&found) - apart).find_map(|at| without(&found, &[at, at + apart])) {
            Some(shown) => (found, apart) = (shown, 1),
            None => apart += 1,
        }
    }
    found
}

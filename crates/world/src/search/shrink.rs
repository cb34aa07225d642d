//! Makes a history that was found as short as it can be.

use super::{Counter, Search, is_false};
use crate::judge;
use crate::model::Model;

/// A history, a view of it, and what it shows.
type Shown<M, T> = (Vec<<M as Model>::Action>, <M as Model>::View, T);

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

    /// The shortest history of which the same conclusion is falsely said, whatever key or page it is about.
    fn shrink(&self, counter: Counter<M>) -> Counter<M> {
        let shows = |state: &M::State, view: &M::View| {
            let files = self.model.files(state, view);
            let truths = self.model.truths(state, view);
            let is_it = |said: &judge::Said| {
                said.word == counter.word
                    && said.claim.0 == counter.claim.0
                    && is_false(said.word, &said.claim, &truths)
            };
            let said = judge::all_said(&files, self.model.tells_hops()).into_iter().find(is_it)?;
            Some((said.claim, said.statement))
        };
        let shown = (counter.claim.clone(), counter.statement.clone());
        let (path, view, (claim, statement)) =
            self.shortest(counter.start, counter.path.clone(), counter.view.clone(), shown, shows);
        Counter { claim, word: counter.word, statement, start: counter.start, path, view }
    }

    /// What the history shows without some steps: with all artefacts, or else under the same view.
    fn without<T>(
        &self,
        start: usize,
        (path, view, _): &Shown<M, T>,
        without: &[usize],
        shows: &impl Fn(&M::State, &M::View) -> Option<T>,
    ) -> Option<Shown<M, T>> {
        let kept = path.iter().enumerate().filter(|(step, _)| !without.contains(step));
        let path: Vec<M::Action> = kept.map(|(_, action)| *action).collect();
        let state = self.walk(start, &path)?;
        let same = without.iter().rev().fold(view.clone(), |view, step| self.model.view_without(&view, *step));
        self.model.views(&state).into_iter().take(1).chain([same]).find_map(|view| {
            let shown = shows(&state, &view)?;
            Some((path.clone(), view, shown))
        })
    }

    /// The shortest history that still shows something.
    pub(super) fn shortest<T>(
        &self,
        start: usize,
        path: Vec<M::Action>,
        view: M::View,
        found: T,
        shows: impl Fn(&M::State, &M::View) -> Option<T>,
    ) -> Shown<M, T> {
        let length = |shown: &Shown<M, T>| shown.0.len();
        shortest((path, view, found), length, |shown, steps| self.without(start, shown, steps, &shows))
    }
}

/// Leaves out steps as long as the others still show what was found: first halves, then ever smaller parts, single steps, and pairs of
/// steps, such as the opening and the leaving of a page, or a backup and its use. `without` gives the history without some steps, if
/// it still shows it.
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

//! Mutants, which are the rules with one premise changed, and the histories that catch them.

use std::collections::BTreeSet;
use std::time::{Duration, Instant};

use crypto_diag_triage::Mutation;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::{Search, is_false};
use crate::forms::File;
use crate::judge::{self, Claim, Said, Word};
use crate::model::{Chance, Model};

/// Every mutant: each premise of each rule is once taken for met, and once for unmet.
pub fn all() -> Vec<Mutation> {
    judge::premises().into_keys().flat_map(|id| [Mutation::Met(id), Mutation::Unmet(id)]).collect()
}

/// A mutant's name, such as `met rollback/same-identity`.
pub fn name(mutant: Mutation) -> String {
    match mutant {
        Mutation::Met(premise) => format!("met {premise}"),
        Mutation::Unmet(premise) => format!("unmet {premise}"),
    }
}

/// A history and a view under which mutants say something false, or no longer say something true that the rules say.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(bound(serialize = "A: Serialize, V: Serialize", deserialize = "A: DeserializeOwned, V: DeserializeOwned"))]
pub struct Witness<A, V> {
    /// The mutants that it catches, by their names.
    pub catches: Vec<String>,
    /// The state that it begins in, by its place in [`Model::begin`].
    pub start: usize,
    /// What happens.
    pub path: Vec<A>,
    /// Which artefacts there are.
    pub view: V,
}

/// Those of the given mutants that some files catch. Files of which the rules themselves say something false catch none.
pub fn caught(files: &[File], truths: &BTreeSet<Claim>, mutants: &[Mutation]) -> Vec<Mutation> {
    let settled =
        |said: Vec<Said>| said.into_iter().filter(|one| one.word != Word::Unknown).map(|one| (one.claim, one.word));
    let lies = |said: &BTreeSet<(Claim, Word)>| said.iter().any(|(claim, word)| is_false(*word, claim, truths));
    let right: BTreeSet<_> = settled(judge::verdicts(files)).collect();
    if lies(&right) {
        return Vec::new();
    }
    let says = judge::Read::of(files).mutated(mutants);
    let is_caught = |said: Option<Vec<Said>>| {
        let said: BTreeSet<_> = said.map(|said| settled(said).collect()).unwrap_or_else(|| right.clone());
        lies(&said) || !right.is_subset(&said)
    };
    mutants.iter().zip(says).filter_map(|(mutant, said)| is_caught(said).then_some(*mutant)).collect()
}

/// What a search knows of one model's witnesses.
pub type Witnesses<M> = Vec<Witness<<M as Model>::Action, <M as Model>::View>>;

impl<M: Model> Search<M> {
    /// Looks among the histories of this search for some that catch mutants, makes them as short as they can be, and takes out of
    /// `left` what they catch.
    pub fn witnesses(&self, left: &mut Vec<Mutation>) -> Witnesses<M> {
        let mut witnesses = Vec::new();
        for sample in &self.samples {
            let history = (sample.start, &sample.path[..], &sample.view);
            witnesses.extend(self.witness(history, left));
        }
        witnesses
    }

    /// Looks near known histories in which a rule concludes something. In a history that differs in a step or two, or under another view,
    /// exactly one premise of that rule may fail, which is what catches a mutant.
    pub fn witnesses_near(
        &self,
        known: &Witnesses<M>,
        left: &mut Vec<Mutation>,
        (seed, time): (u64, Duration),
    ) -> Witnesses<M> {
        let (begun, mut chance) = (Instant::now(), Chance::new(seed));
        let mut witnesses: Witnesses<M> = Vec::new();
        while begun.elapsed() < time {
            let is_near = |witness: &&Witness<M::Action, M::View>| {
                left.iter().any(|mutant| witness.catches.contains(&name(Mutation::Unmet(mutant.premise()))))
            };
            let near: Vec<_> = known.iter().filter(is_near).collect();
            let Some(base) = near.get(chance.below(near.len())) else { break };
            let Some(begin) = self.model.begin().into_iter().nth(base.start) else { continue };
            let mut path = base.path.clone();
            for _ in 0..1 + chance.below(3) {
                let any = self.model.any_action(&begin, &mut chance);
                let at = chance.below(path.len() + 1);
                match chance.below(3) {
                    0 => path.insert(at, any),
                    1 if at < path.len() => path[at] = any,
                    _ if at < path.len() => drop(path.remove(at)),
                    _ => path.push(any),
                }
            }
            let Some(state) = self.walk(base.start, &path) else { continue };
            let view = if chance.below(2) == 0 { base.view.clone() } else { self.model.any_view(&state, &mut chance) };
            witnesses.extend(self.witness((base.start, &path, &view), left));
        }
        witnesses
    }

    /// Makes witnesses of a history for the mutants that are left and that it catches, each as short as it can be.
    fn witness(&self, (start, path, view): (usize, &[M::Action], &M::View), left: &mut Vec<Mutation>) -> Witnesses<M> {
        let mut witnesses = Vec::new();
        let Some(state) = self.walk(start, path) else { return witnesses };
        let caught_by = |state: &M::State, view: &M::View, mutants: &[Mutation]| {
            let files = self.model.files(state, view);
            if files.is_empty() { Vec::new() } else { caught(&files, &self.model.truths(state, view), mutants) }
        };
        for mutant in caught_by(&state, view, left) {
            // A witness that was made for another mutant may have caught this one, too.
            if !left.contains(&mutant) {
                continue;
            }
            let shows =
                |state: &M::State, view: &M::View| (!caught_by(state, view, &[mutant]).is_empty()).then_some(());
            let (path, view, ()) = self.shortest(start, path.to_vec(), view.clone(), (), shows);
            let Some(state) = self.walk(start, &path) else { continue };
            let caught = caught_by(&state, &view, left);
            left.retain(|mutant| !caught.contains(mutant));
            let catches = caught.into_iter().map(name).collect();
            witnesses.push(Witness { catches, start, path, view });
        }
        witnesses
    }
}

//! What a model is, and what models have in common.

use std::collections::BTreeSet;
use std::fmt::Debug;
use std::hash::Hash;

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::forms::File;
use crate::judge::Claim;

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

//! The rules with one premise changed, tried on the histories of a search.

use std::collections::BTreeSet;

use crypto_diag_triage::Mutation;

use super::{Model, Search, is_false};
use crate::judge::{self, Claim, Said, Word};

/// What became of the mutants of the rules.
#[derive(Debug, Default)]
pub struct Mutants {
    /// Those that say something false of some history, or no longer say what is true.
    pub caught: Vec<Mutation>,
    /// Those that nothing tells from the rules as they are.
    pub survived: Vec<Mutation>,
}

impl<M: Model> Search<M> {
    /// Tries mutants of the rules on the histories of this search: each premise of the conclusions that the model speaks of is
    /// once taken for met, and once for unmet. A mutant is caught where it says something false, or does not say any more what
    /// the rules rightly say.
    pub fn mutants(&self) -> Mutants {
        let spoken_of: BTreeSet<&str> =
            self.known.values().flat_map(|known| known.truths.keys()).map(|claim| claim.0.as_str()).collect();
        let premises = judge::premises();
        let of_model = premises.iter().filter(|(_, of)| of.iter().any(|name| spoken_of.contains(name.as_str())));
        let mut left: Vec<Mutation> = of_model.flat_map(|(id, _)| [Mutation::Met(id), Mutation::Unmet(id)]).collect();
        let mut mutants = Mutants::default();
        for sample in &self.samples {
            let Some(state) = self.walk(sample.start, &sample.path) else { continue };
            let files = self.model.files(&state, &sample.view);
            let truths = self.model.truths(&state, &sample.view);
            let read = judge::Read::of(&files);
            let says = |said: &[Said]| -> (bool, BTreeSet<(Claim, Word)>) {
                let lies = said.iter().any(|one| is_false(one.word, &one.claim, &truths));
                let settled = said.iter().filter(|one| one.word != Word::Unknown);
                (lies, settled.map(|one| (one.claim.clone(), one.word)).collect())
            };
            let (lies, settled) = says(&judge::verdicts(&files));
            if lies {
                // A counter-history of the rules themselves shows nothing of a mutant.
                continue;
            }
            left.retain(|mutation| {
                let (mutant_lies, said) = says(&read.mutated(*mutation));
                let caught = mutant_lies || !settled.is_subset(&said);
                if caught {
                    mutants.caught.push(*mutation);
                }
                !caught
            });
        }
        mutants.survived = left;
        mutants
    }
}

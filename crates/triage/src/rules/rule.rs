//! What a rule is.

use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::proof::Premise;
use crate::verdict::Verdict;

/// How a rule is applied.
pub(super) type Check = fn(&Case<'_>) -> Vec<Verdict>;

/// A rule: how one conclusion is reached.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// What it concludes.
    pub conclusion: Conclusion,
    /// The artefacts that it cannot do without, reports first.
    pub needs: &'static [ArtefactKind],
    /// The artefacts that it reads where they are given.
    pub reads: &'static [ArtefactKind],
    /// What is proven and by which argument, in a few sentences for a reader who knows Matrix.
    pub argument: &'static str,
    /// What must hold for it to be proven.
    pub proven_by: &'static [&'static Premise],
    /// What must hold for it to be refuted; empty if it is never refuted.
    pub refuted_by: &'static [&'static Premise],
    /// The verdicts on a case.
    pub(crate) check: Check,
    /// A history in which it is proven, and for each innocent explanation a history in which that explanation is true.
    #[cfg(test)]
    pub(crate) histories: fn() -> Vec<crate::history::History>,
}

impl Rule {
    /// Whether a premise is among those by which it is proven or refuted.
    #[cfg(any(test, feature = "mutation"))]
    pub(super) fn rests_on(&self, premise: &str) -> bool {
        self.proven_by.iter().chain(self.refuted_by).any(|used| used.id == premise)
    }
}

/// The premises of a list of premises with their checks, so that a rule writes each premise once.
pub(super) const fn premises<F, const N: usize>(checks: &[(&'static Premise, F); N]) -> [&'static Premise; N] {
    let mut premises = [checks[0].0; N];
    let mut at = 0;
    while at < N {
        premises[at] = checks[at].0;
        at += 1;
    }
    premises
}

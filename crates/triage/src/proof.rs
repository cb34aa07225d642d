//! How a verdict is reached: premises that must hold, and findings that would refute it.
//!
//! A [`Premise`] is a constant with two sentences: what must hold, and the innocent explanation that it rules out. A
//! [`Proof`] gathers premises as they are checked. Only a proof in which every premise holds and nothing contradicts gives
//! [`Established`], and only that makes a verdict *proven* or *refuted*: a proven verdict with an innocent explanation left
//! cannot be built.

use crate::case::Case;
use crate::need::Need;
use crate::verdict::Evidence;

/// Something that must hold before a rule may conclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Premise {
    /// A name, unique among all rules, such as `rollback/same-identity`.
    pub id: &'static str,
    /// What must hold, as a sentence.
    pub says: &'static str,
    /// The innocent explanation that is left while it does not hold, as a sentence.
    pub rules_out: &'static str,
}

/// A change of one premise, by its id. Tests ask for it, to show that each premise is needed and that each rule can conclude.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Mutation {
    /// It is taken for met, whether it holds or not.
    Met(&'static str),
    /// It is taken for unmet.
    Unmet(&'static str),
}

impl Mutation {
    /// The premise's id.
    pub fn premise(self) -> &'static str {
        let (Mutation::Met(premise) | Mutation::Unmet(premise)) = self;
        premise
    }
}

/// Premises that have been checked, with what was found.
#[derive(Clone, Debug)]
pub(crate) struct Proof {
    mutation: Option<Mutation>,
    premises: Vec<&'static Premise>,
    unmet: Vec<&'static Premise>,
    evidence: Vec<Evidence>,
    needs: Vec<Need>,
    would_refute: Vec<String>,
    contradictions: Vec<(String, Vec<Evidence>)>,
}

/// The token of a proof in which everything holds.
#[derive(Clone, Debug)]
pub(crate) struct Established {
    pub(super) evidence: Vec<Evidence>,
    pub(super) ruled_out: Vec<String>,
    pub(super) would_refute: Vec<String>,
}

/// Why a proof does not hold.
#[derive(Clone, Debug, Default)]
pub(crate) struct Open {
    pub(super) evidence: Vec<Evidence>,
    /// The innocent explanations that are left.
    pub(super) otherwise: Vec<String>,
    pub(super) ruled_out: Vec<String>,
    pub(super) needs: Vec<Need>,
    pub(super) would_refute: Vec<String>,
    pub(super) contradicted: bool,
}

impl Proof {
    /// A proof without premises.
    pub fn new(case: &Case<'_>) -> Self {
        Proof {
            mutation: case.mutation,
            premises: Vec::new(),
            unmet: Vec::new(),
            evidence: Vec::new(),
            needs: Vec::new(),
            would_refute: Vec::new(),
            contradictions: Vec::new(),
        }
    }

    /// Evidence that the verdict shows, whatever comes of it.
    pub fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        self.evidence.extend(evidence);
        self
    }

    /// A premise, whether it holds, and what would tell if it does not.
    pub fn premise(
        mut self,
        premise: &'static Premise,
        holds: impl Into<Holds>,
        needs: impl FnOnce() -> Vec<Need>,
    ) -> Self {
        let Holds(found) = holds.into();
        self.premises.push(premise);
        let found = found.filter(|_| self.mutation != Some(Mutation::Unmet(premise.id)));
        match found {
            Some(evidence) => self.evidence.extend(evidence),
            None if self.mutation == Some(Mutation::Met(premise.id)) => {}
            None => {
                self.unmet.push(premise);
                self.needs.extend(needs());
            }
        }
        self
    }

    /// What would refute the conclusion, as a sentence, and what the artefacts hold of it. The sentence is printed with the
    /// verdict; it must therefore have been looked for. Anything found contradicts the proof.
    pub fn unless(mut self, sentence: impl Into<String>, found: impl IntoIterator<Item = Evidence>) -> Self {
        let sentence = sentence.into();
        let found: Vec<Evidence> = found.into_iter().collect();
        self.would_refute.push(sentence.clone());
        if !found.is_empty() {
            self.contradictions.push((sentence, found));
        }
        self
    }

    /// Whether every premise holds and nothing contradicts.
    pub fn result(self) -> Result<Established, Box<Open>> {
        let ruled_out: Vec<String> = self
            .premises
            .iter()
            .filter(|premise| !self.unmet.contains(premise) && !premise.rules_out.is_empty())
            .map(|premise| premise.rules_out.to_owned())
            .collect();
        let would_refute = self.would_refute;
        if self.unmet.is_empty() && self.contradictions.is_empty() && !self.premises.is_empty() {
            return Ok(Established { evidence: self.evidence, ruled_out, would_refute });
        }
        let contradicted = !self.contradictions.is_empty();
        let mut evidence = self.evidence;
        let mut otherwise: Vec<String> = self.unmet.iter().map(|premise| premise.rules_out.to_owned()).collect();
        for (sentence, found) in self.contradictions {
            otherwise.push(format!("The artefacts hold what would refute it: {sentence}"));
            evidence.extend(found);
        }
        Err(Box::new(Open { evidence, otherwise, ruled_out, needs: self.needs, would_refute, contradicted }))
    }
}

/// Whether a premise holds, and by which evidence. A `bool` holds without evidence of its own; `None` does not hold.
#[derive(Clone, Debug)]
pub(crate) struct Holds(Option<Vec<Evidence>>);

impl From<bool> for Holds {
    fn from(holds: bool) -> Self {
        Holds(holds.then(Vec::new))
    }
}

impl From<Option<Vec<Evidence>>> for Holds {
    fn from(found: Option<Vec<Evidence>>) -> Self {
        Holds(found)
    }
}

impl From<Option<Evidence>> for Holds {
    fn from(found: Option<Evidence>) -> Self {
        Holds(found.map(|evidence| vec![evidence]))
    }
}

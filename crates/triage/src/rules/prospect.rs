//! What could be proven with the artefacts at hand, by what the rules themselves say that they need and read.

use std::fmt;

use super::ALL;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::conclusion::Conclusion;

/// An artefact as a rule wants it: a homeserver's log is not that of an SFU.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum RuleInput {
    /// Any of this kind; of logs, one of a homeserver.
    Kind(ArtefactKind),
    /// The log of an SFU, and of what gives out tokens for it.
    MediaLog,
}

impl fmt::Display for RuleInput {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            RuleInput::Kind(kind) => kind.fmt(f),
            RuleInput::MediaLog => f.write_str("log of an SFU and of its token service"),
        }
    }
}

/// What one rule could do with some artefacts. That they are there does not say that they hold what it looks for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Prospect {
    /// What the rule concludes.
    pub conclusion: Conclusion,
    /// What it cannot do without and is not there.
    pub lacks: Vec<RuleInput>,
    /// What it would read as well and is not there: without it, some of what is true stays unknown.
    pub misses: Vec<RuleInput>,
}

/// What each rule could do with these artefacts, in the order of the rules.
pub fn prospects(given: &[RuleInput]) -> Vec<Prospect> {
    let missing = |wanted: Vec<RuleInput>| wanted.into_iter().filter(|wanted| !given.contains(wanted)).collect();
    let prospect = |rule: &Rule| Prospect {
        conclusion: rule.conclusion,
        lacks: missing(rule.wanted(rule.needs)),
        misses: missing(rule.wanted(rule.reads)),
    };
    ALL.iter().map(prospect).collect()
}

impl Rule {
    /// Some of its artefacts, with whose log it is.
    pub(super) fn wanted(&self, kinds: &[ArtefactKind]) -> Vec<RuleInput> {
        // The one rule that is about SFUs. A test compares it with the histories in which each rule concludes.
        let is_of_media = self.conclusion == Conclusion::DifferentSfu;
        let wanted = |kind: &ArtefactKind| match kind {
            ArtefactKind::ServerLog if is_of_media => RuleInput::MediaLog,
            kind => RuleInput::Kind(*kind),
        };
        kinds.iter().map(wanted).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::{History, name};

    const CLIENTS: [RuleInput; 2] = [RuleInput::Kind(ArtefactKind::Report), RuleInput::Kind(ArtefactKind::Har)];

    fn of(conclusion: Conclusion, given: &[RuleInput]) -> Prospect {
        prospects(given).into_iter().find(|prospect| prospect.conclusion == conclusion).expect("a rule")
    }

    #[test]
    fn what_is_not_there_is_named_by_what_it_costs() {
        let rows = RuleInput::Kind(ArtefactKind::QueryResults);
        assert_eq!(of(Conclusion::Exhausted, &CLIENTS).lacks, [rows]);
        let rollback = of(Conclusion::Rollback, &CLIENTS);
        assert_eq!((rollback.lacks, rollback.misses.contains(&rows)), (Vec::new(), true));
        let with_log = [&CLIENTS[..], &[RuleInput::Kind(ArtefactKind::ServerLog), rows]].concat();
        assert!(of(Conclusion::SlowHomeserver, &with_log).lacks.is_empty());
        assert_eq!(of(Conclusion::DifferentSfu, &with_log).lacks, [RuleInput::MediaLog]);
    }

    /// Whose log a rule reads is asked of the histories in which it concludes.
    #[test]
    fn a_rule_wants_an_sfus_log_exactly_if_each_proof_of_it_has_one() {
        let mut worlds = History::worlds();
        // Large ones take the longest to read, and one is enough.
        worlds.sort_by_key(|world| world.files.iter().map(|(_, bytes)| bytes.len()).sum::<usize>());
        for rule in ALL {
            let conclusion = name(rule.conclusion);
            let proves = |history: &&History| history.label.must_prove.iter().any(|(proven, _)| *proven == conclusion);
            let own = (rule.histories)();
            let world = worlds.iter().find(proves);
            let with_sfu: Vec<bool> =
                own.iter().filter(proves).chain(world).map(|history| !history.bundle().media.is_empty()).collect();
            let wants = rule.wanted(rule.needs).contains(&RuleInput::MediaLog);
            assert!(!with_sfu.is_empty(), "no history proves {conclusion}");
            assert_eq!(with_sfu.iter().all(|has| *has), wants, "{conclusion}");
        }
    }
}

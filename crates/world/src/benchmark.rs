//! The conclusions of the public benchmark, which of them lead to which, and the label of a bundle.
//!
//! docs/benchmark.md says what each conclusion means. The list of causes and effects is written down here once more and not taken from the
//! triage: a mistake in the triage's own list must not decide whether its answers are right.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Value, json};

/// The place of a conclusion in a path from a cause to what people notice.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A cause, with which a path begins.
    Cause,
    /// A step between a cause and a symptom.
    Step,
    /// A symptom, which a page printed.
    Symptom,
    /// It is no fault.
    Finding,
}

use Role::{Cause, Finding, Step, Symptom};

/// All conclusions of the benchmark.
pub const CONCLUSIONS: &[(&str, Role)] = &[
    ("rollback", Cause),
    ("two-contexts", Cause),
    ("identity-replaced", Cause),
    ("server-restored", Cause),
    ("identity-overwritten", Cause),
    ("exhausted", Cause),
    ("lost-key", Cause),
    ("never-sent", Cause),
    ("batch-dropped", Cause),
    ("backlog", Cause),
    ("stale-target", Cause),
    ("media-not-decrypted", Cause),
    ("media-not-arriving", Cause),
    ("media-not-sent", Cause),
    ("encryption-one-sided", Cause),
    ("malformed-on-server", Cause),
    ("undecodable-on-server", Cause),
    ("stripped-on-the-way", Cause),
    ("client-bug", Cause),
    ("room-key-withheld", Cause),
    ("room-key-from-later", Cause),
    ("slow-homeserver", Cause),
    ("slow-gateway", Cause),
    ("never-arrived", Cause),
    ("same-identity", Step),
    ("diverged", Step),
    ("conflict-lost-key", Step),
    ("lost-key-lost-media-key", Step),
    ("media-key-missing", Step),
    ("delayed-event-timeouts", Step),
    ("ke1-seen", Symptom),
    ("olm-seen", Symptom),
    ("ke2-seen", Symptom),
    ("ke3-seen", Symptom),
    ("ke4-seen", Symptom),
    ("media-decoded", Finding),
];

/// When a cause that holds is known to have led to an effect that holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Leads {
    /// Always, by what the two mean.
    Always,
    /// If no other cause holds or is open. Otherwise the names alone do not tell which cause had the effect.
    Alone,
}

const LEADS_TO: &[(&str, &str, Leads)] = &[
    ("rollback", "same-identity", Leads::Always),
    ("same-identity", "diverged", Leads::Always),
    ("identity-replaced", "diverged", Leads::Always),
    ("diverged", "ke1-seen", Leads::Always),
    ("diverged", "conflict-lost-key", Leads::Always),
    ("conflict-lost-key", "lost-key", Leads::Always),
    ("lost-key", "lost-key-lost-media-key", Leads::Always),
    ("lost-key", "olm-seen", Leads::Always),
    ("never-sent", "media-key-missing", Leads::Always),
    ("never-sent", "ke2-seen", Leads::Always),
    ("media-key-missing", "ke2-seen", Leads::Always),
    ("encryption-one-sided", "media-not-decrypted", Leads::Always),
    ("malformed-on-server", "ke3-seen", Leads::Always),
    ("stripped-on-the-way", "ke3-seen", Leads::Always),
    ("client-bug", "ke3-seen", Leads::Always),
    ("undecodable-on-server", "ke3-seen", Leads::Always),
    ("two-contexts", "same-identity", Leads::Alone),
    ("batch-dropped", "olm-seen", Leads::Alone),
    ("media-not-decrypted", "ke2-seen", Leads::Alone),
    ("slow-homeserver", "delayed-event-timeouts", Leads::Alone),
    ("slow-gateway", "delayed-event-timeouts", Leads::Alone),
    ("never-arrived", "delayed-event-timeouts", Leads::Alone),
    ("delayed-event-timeouts", "ke4-seen", Leads::Always),
];

/// Conclusions by name.
pub type Names = BTreeSet<&'static str>;

/// The benchmark's own name for a conclusion, if a text is one.
pub fn known(name: &str) -> Option<&'static str> {
    CONCLUSIONS.iter().map(|(known, _)| *known).find(|known| *known == name)
}

/// What a conclusion is.
pub fn role(name: &str) -> Role {
    CONCLUSIONS.iter().find(|(known, _)| *known == name).map_or(Finding, |(_, role)| *role)
}

/// The histories that leave a bundle's files: how many there are, and in how many of them each conclusion is true.
#[derive(Clone, Debug, Default)]
pub struct Tally {
    histories: u32,
    truths: BTreeMap<&'static str, u32>,
}

impl Tally {
    /// Counts a history in which these are true.
    pub fn add(&mut self, truths: &Names) {
        self.histories += 1;
        for name in truths {
            *self.truths.entry(name).or_default() += 1;
        }
    }

    /// What is true in all of them.
    pub fn holds(&self) -> Names {
        self.truths.iter().filter(|(_, count)| **count == self.histories).map(|(name, _)| *name).collect()
    }

    /// What is true in some of them and false in others.
    pub fn open(&self) -> Names {
        self.truths.iter().filter(|(_, count)| **count < self.histories).map(|(name, _)| *name).collect()
    }
}

/// The class of a bundle.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Class {
    /// A cause holds, and none is open.
    CanBeTold,
    /// A cause or a step is open: other histories that leave the same files differ in it.
    Undecidable,
    /// Nothing is wrong in any history that leaves these files.
    WithoutFault,
}

/// What is true of a bundle.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Label {
    /// What is true in every history that leaves these files.
    pub holds: Names,
    /// What is true in some of them and false in others.
    pub open: Names,
}

impl Label {
    /// Of a tally.
    pub fn of(tally: &Tally) -> Label {
        Label { holds: tally.holds(), open: tally.open() }
    }

    /// The class. `None` if a page saw something fail and no cause of the benchmark explains it.
    pub fn class(&self) -> Option<Class> {
        let is_wrong = |name: &&'static str| role(name) != Finding;
        if self.open.iter().any(|name| matches!(role(name), Cause | Step)) {
            Some(Class::Undecidable)
        } else if self.causes().next().is_some() {
            Some(Class::CanBeTold)
        } else if !self.holds.iter().chain(&self.open).any(is_wrong) {
            Some(Class::WithoutFault)
        } else {
            None
        }
    }

    /// The causes that hold.
    pub fn causes(&self) -> impl Iterator<Item = &'static str> + '_ {
        self.holds.iter().copied().filter(|name| role(name) == Cause)
    }

    /// The paths from a cause that holds to what holds and leads no further.
    pub fn paths(&self, from: &'static str) -> Vec<Vec<&'static str>> {
        let mut done = Vec::new();
        let mut open = vec![vec![from]];
        while let Some(path) = open.pop() {
            let effects = self.effects(path[path.len() - 1]);
            if effects.is_empty() {
                done.push(path);
                continue;
            }
            open.extend(effects.into_iter().rev().map(|effect| [&path[..], &[effect]].concat()));
        }
        done
    }

    fn effects(&self, of: &str) -> Vec<&'static str> {
        let others = self.holds.iter().chain(&self.open).filter(|name| role(name) == Cause && **name != of);
        let is_alone = others.count() == 0;
        let leads = |(cause, effect, leads): &&(&str, &'static str, Leads)| {
            *cause == of && self.holds.contains(effect) && (*leads == Leads::Always || is_alone)
        };
        LEADS_TO.iter().filter(leads).map(|(_, effect, _)| *effect).collect()
    }

    /// As it stands in the list of labels.
    pub fn json(&self) -> Value {
        let paths: Vec<_> = self.causes().flat_map(|cause| self.paths(cause)).collect();
        json!({ "holds": self.holds, "open": self.open, "paths": paths })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_conclusion_that_is_false_in_one_history_of_the_files_is_open() {
        let mut tally = Tally::default();
        tally.add(&Names::from(["rollback", "same-identity", "diverged", "ke1-seen"]));
        tally.add(&Names::from(["same-identity", "diverged", "ke1-seen"]));
        let label = Label::of(&tally);
        assert_eq!(label.open, Names::from(["rollback"]));
        assert_eq!(label.class(), Some(Class::Undecidable));
    }

    #[test]
    fn a_path_goes_from_its_cause_to_each_symptom() {
        let holds = ["rollback", "same-identity", "diverged", "ke1-seen", "conflict-lost-key", "lost-key", "olm-seen"];
        let label = Label { holds: Names::from(holds), open: Names::new() };
        let paths = label.paths("rollback");
        assert_eq!(
            paths,
            [
                vec!["rollback", "same-identity", "diverged", "ke1-seen"],
                vec!["rollback", "same-identity", "diverged", "conflict-lost-key", "lost-key", "olm-seen"],
            ]
        );
    }

    #[test]
    fn of_two_causes_none_is_blamed_for_what_each_could_have_done() {
        let holds = ["slow-homeserver", "never-arrived", "delayed-event-timeouts", "ke4-seen"];
        let both = Label { holds: Names::from(holds), open: Names::new() };
        assert_eq!(both.paths("slow-homeserver"), [["slow-homeserver"]]);
        let one = Label { holds: both.holds.into_iter().filter(|name| *name != "never-arrived").collect(), ..both };
        assert_eq!(one.paths("slow-homeserver"), [["slow-homeserver", "delayed-event-timeouts", "ke4-seen"]]);
    }
}

//! All sources read, and judged.

use std::collections::BTreeSet;

use super::{Plan, Source, open};
use crate::artefact::ArtefactKind;
use crate::bundle::Bundle;
use crate::problem::Problem;
use crate::triage::Triage;

/// How a file got on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// What it was taken for; an archive's members one after the other.
    Kind(ArtefactKind),
    /// It is being read.
    Begun,
    /// It is done, and used or not.
    Done(bool),
}

/// Reads the sources and walks the tree. `unopened` is what the caller could not even give: it comes first. `tell` hears
/// which source (its place in `sources`) is where. The answer depends on names and contents, not on the order of `sources`.
pub fn run<S: Source>(
    sources: &[S],
    unopened: Vec<Problem>,
    zone_minutes: Option<i32>,
    tell: &mut dyn FnMut(usize, Step),
) -> (Bundle, Triage) {
    let (bundle, unread) = read(sources, unopened, zone_minutes, tell);
    let mut triage = Triage::of(&bundle);
    // Otherwise "Nothing is wrong" would be said although some artefacts could not be read.
    if triage.exit_code == 0 && unread > 0 {
        triage.exit_code = 2;
        triage.summary.push_str(" Some of what was given could not be opened.");
    }
    (bundle, triage)
}

/// Reads sources into a bundle. Also gives how many of them could not be opened.
pub(crate) fn read<S: Source>(
    sources: &[S],
    unopened: Vec<Problem>,
    zone_minutes: Option<i32>,
    tell: &mut dyn FnMut(usize, Step),
) -> (Bundle, usize) {
    let mut bundle = Bundle::new();
    bundle.log_options.zone_minutes = zone_minutes;
    let mut plan = Plan::of(sources);
    for member in &plan.members {
        tell(member.source, Step::Kind(member.kind));
    }
    let opened: BTreeSet<usize> = plan.members.iter().map(|member| member.source).collect();
    for index in (0..sources.len()).filter(|index| !opened.contains(index)) {
        tell(index, Step::Done(false));
    }
    let mut unread = unopened.len() + plan.unopened.len();
    bundle.problems = unopened;
    bundle.problems.append(&mut plan.unopened);
    bundle.problems.append(&mut plan.passed);
    for member in &plan.members {
        tell(member.source, Step::Begun);
        let opened = sources[member.source].open().and_then(|input| open::open(input, &member.part));
        let used = match opened {
            Ok(text) => {
                bundle.add(&member.name, Some(member.kind), text);
                bundle.artefacts.last().is_some_and(|artefact| artefact.used)
            }
            Err(error) => {
                unread += 1;
                bundle.problems.push(Problem::whole(&member.name, &format!("cannot be opened: {error}")));
                false
            }
        };
        tell(member.source, Step::Done(used));
    }
    (bundle, unread)
}

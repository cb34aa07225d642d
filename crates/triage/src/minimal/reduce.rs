//! Searches for a small part of a hand-off that proves and refutes as much as the whole.

use std::collections::BTreeSet;
use std::io::{self, Cursor};
use std::sync::Arc;

use super::cut::Artefact;
use super::{Attested, Cut};
use crate::answer::listed::listed;
use crate::bundle::Bundle;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::intake::{self, Source};
use crate::rules;
use crate::subject::Subject;
use crate::verdict::{Settled, Verdict};

/// How many parts are judged at most. If the search ends there, the part is larger than it has to be, and proves no less.
const JUDGINGS_MAX: usize = 400;

/// A part of a hand-off.
#[derive(Clone, Debug)]
pub struct Reduced {
    /// All files by name, each as it was or cut.
    pub files: Vec<(String, Vec<u8>)>,
    /// The artefacts of which only a part is in `files`. The caller fills in the hashes of the whole artefacts, since it has them.
    pub cuts: Vec<Cut>,
    /// The verdicts that the whole proves or refutes and the part does not.
    pub attested: Vec<Attested>,
}

/// One proven or refuted conclusion: which one, about what, about which key, message or event, and `proven` or `refuted`. A verdict on
/// many keys, messages or events makes one fact for each.
type Fact = (Conclusion, Subject, String, &'static str);

/// Leaves out what no verdict rests on.
///
/// A verdict that rests only on what the artefacts show stays as it is. One that rests on the absence of something is lost. To tell the two
/// apart, the whole is judged once with a mark wherever something could be left out, which takes away what absence would prove. The part
/// never proves or refutes what the whole does not: a piece whose absence would do that is not left out.
pub fn reduce(files: &[(String, Vec<u8>)]) -> Reduced {
    let search = Search { artefacts: files.iter().map(|(name, bytes)| Artefact::of(name, bytes)).collect() };
    let pieces: Vec<(usize, usize)> = search
        .artefacts
        .iter()
        .enumerate()
        .flat_map(|(file, artefact)| (0..artefact.len()).map(move |piece| (file, piece)))
        .collect();
    let whole = search.bundle(&search.keep(&pieces), false);
    let verdicts = rules::verdicts(&Case::of(&whole));
    let settled = facts(&verdicts);
    let marked = rules::verdicts(&Case::of(&search.bundle(&search.keep(&pieces), true)));
    let wanted: BTreeSet<Fact> = facts(&marked).intersection(&settled).cloned().collect();

    let cited = search.cited(&verdicts);
    let others: Vec<(usize, usize)> = pieces.into_iter().filter(|piece| !cited.contains(piece)).collect();
    let is_enough = |kept: &[(usize, usize)]| {
        let all: Vec<_> = cited.iter().copied().chain(kept.iter().copied()).collect();
        let found = facts(&rules::verdicts(&Case::of(&search.bundle(&search.keep(&all), false))));
        found.is_superset(&wanted) && found.is_subset(&settled)
    };
    let needed = fewest(others, is_enough);
    let kept = search.keep(&cited.into_iter().chain(needed).collect::<Vec<_>>());
    let found = facts(&rules::verdicts(&Case::of(&search.bundle(&kept, false))));
    let is_lost = |verdict: &&Verdict| facts(std::slice::from_ref(*verdict)).iter().any(|fact| !found.contains(fact));
    let lost: Vec<Verdict> = verdicts.iter().filter(is_lost).cloned().collect();
    Reduced {
        files: search
            .artefacts
            .iter()
            .zip(&kept)
            .map(|(artefact, kept)| (artefact.name.to_owned(), artefact.written(kept, false).into_owned()))
            .collect(),
        cuts: search.artefacts.iter().zip(&kept).filter_map(|(artefact, kept)| cut(artefact, kept, &whole)).collect(),
        attested: listed(&lost).into_iter().filter_map(attested).collect(),
    }
}

/// Leaves out pieces as long as the others are enough: first long runs of them, then ever shorter ones. All pieces together must be
/// enough. Stops after [`JUDGINGS_MAX`] tries.
fn fewest<P: Clone>(mut pieces: Vec<P>, is_enough: impl Fn(&[P]) -> bool) -> Vec<P> {
    let mut left = JUDGINGS_MAX;
    let mut stretch = pieces.len();
    while stretch > 0 && left > 0 {
        let mut at = 0;
        while at < pieces.len() && left > 0 {
            let end = pieces.len().min(at + stretch);
            let without: Vec<P> = pieces[..at].iter().chain(&pieces[end..]).cloned().collect();
            left -= 1;
            if is_enough(&without) { pieces = without } else { at = end }
        }
        stretch = if stretch == 1 { 0 } else { stretch.min(pieces.len()).div_ceil(2) };
    }
    pieces
}

struct Search<'f> {
    artefacts: Vec<Artefact<'f>>,
}

impl Search<'_> {
    /// For each artefact, whether each of its pieces is among these.
    fn keep(&self, pieces: &[(usize, usize)]) -> Vec<Vec<bool>> {
        let mut kept: Vec<Vec<bool>> = self.artefacts.iter().map(|artefact| vec![false; artefact.len()]).collect();
        pieces.iter().for_each(|(file, piece)| kept[*file][*piece] = true);
        kept
    }

    fn bundle(&self, kept: &[Vec<bool>], all_marked: bool) -> Bundle {
        let sources: Vec<Memory<'_>> = self
            .artefacts
            .iter()
            .zip(kept)
            .map(|(artefact, kept)| Memory { name: artefact.name, bytes: artefact.written(kept, all_marked).into() })
            .collect();
        intake::read(&sources, Vec::new(), None, &mut |_, _| {}).0
    }

    /// The pieces that verdicts cite.
    fn cited(&self, verdicts: &[Verdict]) -> BTreeSet<(usize, usize)> {
        let mut cited = BTreeSet::new();
        for piece in verdicts.iter().flat_map(|verdict| &verdict.evidence) {
            for (file, artefact) in self.artefacts.iter().enumerate() {
                if *artefact.name == *piece.artefact {
                    cited.extend(artefact.at(&piece.place).into_iter().map(|at| (file, at)));
                }
            }
        }
        cited
    }
}

/// A file in memory.
struct Memory<'f> {
    name: &'f str,
    bytes: Arc<[u8]>,
}

impl Source for Memory<'_> {
    type Input = Cursor<Arc<[u8]>>;

    fn name(&self) -> &str {
        self.name
    }

    fn open(&self) -> io::Result<Self::Input> {
        Ok(Cursor::new(self.bytes.clone()))
    }
}

fn facts(verdicts: &[Verdict]) -> BTreeSet<Fact> {
    let mut facts = BTreeSet::new();
    for verdict in verdicts {
        let Some(word) = verdict.answer.settled().map(Settled::word) else { continue };
        let subject = &verdict.subject;
        let lists = [&subject.key_ids, &subject.one_time_keys, &subject.message_ids, &subject.event_ids];
        let ids: Vec<&str> = lists.into_iter().flatten().map(String::as_str).collect();
        let ids = if ids.is_empty() { vec![""] } else { ids };
        facts.extend(ids.into_iter().map(|id| (verdict.conclusion, subject.of_storm(), id.to_owned(), word)));
    }
    facts
}

fn cut(artefact: &Artefact<'_>, kept: &[bool], whole: &Bundle) -> Option<Cut> {
    let unit = artefact.unit().filter(|_| kept.contains(&false))?;
    let mut holes: Vec<(u64, u64)> = Vec::new();
    let (mut count, mut left_out) = (0, 0);
    for (piece, kept) in kept.iter().enumerate() {
        let (first, last) = artefact.span(piece);
        count += last - first + 1;
        if *kept {
            continue;
        }
        left_out += last - first + 1;
        match holes.last_mut() {
            Some(hole) if hole.1 + 1 == first => hole.1 = last,
            _ => holes.push((first, last)),
        }
    }
    let log = whole.logs.iter().find(|log| log.name == artefact.name);
    let har = whole.hars.iter().find(|har| har.name == artefact.name);
    let starts = || har.iter().flat_map(|har| har.entries.iter().map(|request| request.start));
    Some(Cut {
        name: artefact.name.to_owned(),
        sha256: String::new(),
        bytes: artefact.bytes.len() as u64,
        unit,
        count,
        kept: count - left_out,
        from: log.and_then(|log| log.first).or_else(|| starts().min()),
        to: log.and_then(|log| log.last).or_else(|| starts().max()),
        holes,
    })
}

fn attested(verdict: Verdict) -> Option<Attested> {
    Some(Attested {
        was: verdict.answer.settled()?,
        conclusion: verdict.conclusion,
        about: verdict.about,
        subject: verdict.subject,
        count: verdict.count,
        statement: verdict.statement,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewest_pieces_are_those_that_are_needed() {
        let enough = |kept: &[usize]| [3, 40, 41].iter().all(|wanted| kept.contains(wanted));
        assert_eq!(fewest((0..100).collect(), enough), [3, 40, 41]);
        assert_eq!(fewest((0..100).collect(), |_| true), [0; 0]);
        assert_eq!(fewest(vec![7], |kept| kept == [7]), [7]);
    }
}

//! What the sightings have in common: whether a page saw failures of a family, and whether it would have.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_core::{Entry, Ke, Meaning};

use crate::case::watch::Sought;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::Subject;
use crate::verdict::{Evidence, Sentences, Verdict};

/// Lines that a sighting quotes at most.
const QUOTED_MAX: usize = 3;

pub(super) const QUIET: Premise = Premise {
    id: "seen/no-line",
    says: "The report counts no line of the family but those that healthy pages print as well.",
    rules_out: "",
};

pub(super) const WATCHED: Premise = Premise {
    id: "seen/watched",
    says: "The capture watched the page from its installation until the report, missed nothing, and nothing was cut out of the \
           report: Clear was not pressed, lines were seen, and its counts agree. For KE-2 and KE-4 it watched the documents inside \
           the page, too, where calls run; and for KE-2 no Olm message stayed unopened, which may have held a media key.",
    rules_out: "",
};

/// A family whose lines can be judged one by one.
pub(super) struct Family {
    pub conclusion: Conclusion,
    pub ke: Ke,
    /// What proves that a failure was seen.
    pub failed: &'static Premise,
    /// What one line says.
    pub judge: fn(&Entry, Option<&Facts>) -> Sight,
    /// What a failing line is quoted as, such as "Olm failed".
    pub quoted_as: &'static str,
    /// What is proven, as the end of a sentence: "the server refused its one-time keys".
    pub saw: &'static str,
    /// What stays open where nothing was seen; empty if nothing does.
    pub unseen: &'static str,
    /// What would tell of lines that leave it open; empty where a better capture would.
    pub tells: fn(&Case<'_>, &Page) -> Vec<Need>,
}

/// What one line of a family says.
pub(super) enum Sight {
    /// It is a failure.
    Failing,
    /// It may be one, for this reason, as a clause.
    Open(&'static str),
    /// Good pages print it as well.
    Harmless,
    /// Nothing.
    Nothing,
}

/// The verdicts of a family's rule, one for each page.
pub(super) fn verdicts(case: &Case<'_>, family: &Family) -> Vec<Verdict> {
    let verdict = |page| {
        let mut shown = Shown::default();
        for (index, entry) in case.report(page).entries().filter(|(_, entry)| entry.ke == family.ke) {
            match (family.judge)(entry, case.readings[page.report].evidence[index].as_ref()) {
                Sight::Failing => shown.failing.push(index),
                Sight::Open(why) => shown.leave_open(|| why.to_owned()),
                Sight::Harmless => shown.harmless += 1,
                Sight::Nothing => {}
            }
        }
        let proof = Proof::new(case).evidence(quoted(case, page, &shown.failing, family.quoted_as)).premise(
            family.failed,
            !shown.failing.is_empty(),
            || {
                let needs = (family.tells)(case, page);
                if needs.is_empty() { ask(case, page, family.ke) } else { needs }
            },
        );
        let saw = format!("{} ({})", family.saw, lines(shown.failing.len()));
        let verdict = decide(case, (family.conclusion, family.ke), page, (shown, proof, &saw));
        if verdict.is_refuted() && !family.unseen.is_empty() { verdict.how(family.unseen) } else { verdict }
    };
    pages(case, family.ke).map(verdict).collect()
}

/// The pages of which a family's sighting is asked. What an earlier page stored never says that nothing failed there.
pub(super) fn pages<'c>(case: &'c Case<'_>, ke: Ke) -> impl Iterator<Item = &'c Page> {
    case.pages.iter().filter(move |page| {
        let report = case.report(page);
        !report.is_of_earlier_page() || report.entries().any(|(_, entry)| entry.ke == ke && is_trouble(entry.meaning))
    })
}

fn is_trouble(meaning: Meaning) -> bool {
    meaning == Meaning::Failure || meaning == Meaning::Transient
}

/// What a report shows of a family.
#[derive(Debug, Default)]
pub(super) struct Shown {
    /// Entries that show a failure.
    pub failing: Vec<usize>,
    /// Why lines that show no failure by themselves may still be of one, as a clause.
    pub open: Option<String>,
    /// Entries that good pages have as well.
    pub harmless: usize,
}

impl Shown {
    /// Notes something that is open; the first reason stays.
    pub fn leave_open(&mut self, why: impl FnOnce() -> String) {
        self.open.get_or_insert_with(why);
    }
}

/// The quotations of a page's entries.
pub(super) fn quoted(case: &Case<'_>, page: &Page, entries: &[usize], says: &str) -> Vec<Evidence> {
    entries.iter().filter_map(|entry| case.entry(page.report, *entry, says)).take(QUOTED_MAX).collect()
}

/// What would tell of a page that could not see.
pub(super) fn ask(case: &Case<'_>, page: &Page, ke: Ke) -> Vec<Need> {
    let whose = page.device.clone().map_or_else(|| Whose::Somebody(case.label(page)), Whose::Device);
    vec![Need::report(
        whose,
        ReportTime::CaptureBefore,
        format!("whether {} happens, with a capture that sees it", ke.id()),
    )]
}

/// The verdict on a page, by the proof that it saw a failure and what else its report shows. `saw` is what is proven, as
/// the end of a sentence: "the server refused its one-time keys (3 lines)".
pub(super) fn decide(
    case: &Case<'_>,
    (conclusion, ke): (Conclusion, Ke),
    page: &Page,
    (shown, proof, saw): (Shown, Proof, &str),
) -> Verdict {
    let (report, label) = (case.report(page), case.label(page));
    let kept = report.entries().filter(|(_, entry)| entry.ke == ke && is_trouble(entry.meaning)).count() as u64;
    let counted = report.tally(ke.id(), Meaning::Failure) + report.tally(ke.id(), Meaning::Transient);
    let not_shown = counted.saturating_sub(kept);
    let open = shown.open.clone().or_else(|| {
        (not_shown > 0).then(|| format!("{not_shown} lines of {} are counted and no longer shown", ke.id()))
    });
    let sight = case.could_have_shown(page, Sought::Failure(ke), None);
    let is_quiet = shown.failing.is_empty() && open.is_none();
    let capture = case.whole(
        page.report,
        "capture: capturing, hooks in place, nothing lost, counts that agree",
        "it would have shown a failure",
    );
    let refutation = Proof::new(case).premise(&QUIET, is_quiet, Vec::new).premise(
        &WATCHED,
        sight.is_ok().then_some(capture),
        Vec::new,
    );
    let span = page.watched(report).map_or(String::new(), |(from, to)| {
        format!(" from {} to {} by its own clock", stamp::print(from.earliest), stamp::print(to.latest))
    });
    let but = match shown.harmless {
        0 => String::new(),
        1 => ", but for one line that healthy pages print as well".to_owned(),
        count => format!(", but for {count} lines that healthy pages print as well"),
    };
    let why = open.or_else(|| sight.err().map(|blind| blind.to_string()));
    let (the_page, whether) = match report.is_of_earlier_page() {
        true => ("An earlier page in the tab", "an earlier page in the tab"),
        false => ("The page", "the page"),
    };
    let sentences = Sentences {
        proven: format!("{the_page} of {label} saw {}: {saw}.", ke.id()),
        refuted: format!("The page of {label} saw no failure of {}{span}{but}.", ke.id()),
        unknown: format!(
            "Whether {whether} of {label} saw {} cannot be told{}.",
            ke.id(),
            why.map_or(String::new(), |why| format!(": {why}"))
        ),
    };
    let subject = Subject {
        device: page.device.clone(),
        report: Some(case.report_name(page.report).to_owned()),
        ..Subject::default()
    };
    let about = (format!("{label} ({})", case.report_name(page.report)), subject);
    Verdict::decide(case, conclusion, about, proof, Some(refutation), sentences)
}

/// "one line", "3 lines".
pub(crate) fn lines(count: usize) -> String {
    if count == 1 { "one line".to_owned() } else { format!("{count} lines") }
}

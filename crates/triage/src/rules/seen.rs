//! What the sightings have in common: whether a page saw failures of a family, and whether it would have.

use crypto_diag_core::{Ke, Meaning};

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

/// A family, as far as its sighting needs it.
pub(super) struct Family {
    pub conclusion: Conclusion,
    pub ke: Ke,
    /// The report shows no failing line and leaves none open.
    pub quiet: &'static Premise,
    /// The report would have shown one.
    pub watched: &'static Premise,
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
    family: &Family,
    page: &Page,
    (shown, proof, saw): (Shown, Proof, &str),
) -> Verdict {
    let (report, label, ke) = (case.report(page), case.label(page), family.ke);
    let of_family = |meaning: Meaning| meaning == Meaning::Failure || meaning == Meaning::Transient;
    let kept = report.entries().filter(|(_, entry)| entry.ke == ke && of_family(entry.meaning)).count() as u64;
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
    let refutation = Proof::new(case).premise(family.quiet, is_quiet, Vec::new).premise(
        family.watched,
        sight.is_ok().then_some(capture),
        Vec::new,
    );
    let span = page.watched(report).map_or(String::new(), |(from, to)| {
        format!(" from {} to {} by its own clock", stamp::print(from.earliest), stamp::print(to.latest))
    });
    let but = match shown.harmless {
        0 => String::new(),
        1 => ", but for one line that good pages print as well".to_owned(),
        count => format!(", but for {count} lines that good pages print as well"),
    };
    let why = open.or_else(|| sight.err().map(|blind| blind.to_string()));
    let sentences = Sentences {
        proven: format!("The page of {label} saw {}: {saw}.", ke.id()),
        refuted: format!("The page of {label} saw no failure of {}{span}{but}.", ke.id()),
        unknown: format!(
            "Whether the page of {label} saw {} cannot be told{}.",
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
    Verdict::decide(case, family.conclusion, about, proof, Some(refutation), sentences)
}

/// "one line", "3 lines".
pub(super) fn lines(count: usize) -> String {
    if count == 1 { "one line".to_owned() } else { format!("{count} lines") }
}

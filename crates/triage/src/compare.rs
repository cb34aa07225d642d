//! Two reports of one user, made before and after a remedy: what stopped, what goes on, and what is new.
//!
//! That something stopped fits a remedy and proves no cause: it may have stopped by itself, and a remedy changes more than one thing. So
//! a comparison names what else changed, and says of a family that it stopped only where the second capture would have shown it and was
//! watching for longer than the first one had ever been without it.

use crypto_diag_analysis::{Origin, Report};
use crypto_diag_core::{Clean, Ke, Meaning, visible_line};

use crate::bundle::Bundle;
use crate::conclusion::{Conclusion, Kind};
use crate::rules::seen::lines;
use crate::stamp;
use crate::triage::Triage;
use crate::verdict::{Answer, Verdict};

/// What became of a family's failures.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    /// Seen before; not seen since, for longer than any pause before.
    Stopped,
    /// Seen before; not seen since, which is not longer than a pause before.
    TooEarly,
    /// Seen before and since.
    GoesOn,
    /// Seen since, and not before.
    New,
    /// Seen since; nobody knows about before.
    SeenSince,
    /// Neither before nor since.
    NotSeen,
    /// Not since; nobody knows about before.
    NotSeenSince,
    /// The second capture, or both, would not have shown it.
    Unknown,
}

/// A family, before and since.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FamilyChange {
    /// The family.
    pub family: Ke,
    /// What became of it.
    pub change: Change,
    /// Lines of failures that were counted, before and since.
    pub lines: [usize; 2],
    /// The longest time without such a line before, in milliseconds; `None` if there was none of them.
    pub longest_pause: Option<i64>,
}

/// One of the two reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Side {
    /// The file's name.
    pub name: String,
    /// The user, if the report says whose it is.
    pub user_id: Option<String>,
    /// The device, if the report says which it is of.
    pub device_id: Option<String>,
    /// When the capture began, or was cleared, by the page's clock, in milliseconds since the epoch.
    pub from: i64,
    /// When the report was made.
    pub to: i64,
}

/// What differs between two reports.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Comparison {
    /// The reports, the earlier one first.
    pub sides: [Side; 2],
    /// What else differs, a sentence each: whatever stopped may have stopped by that.
    pub also_changed: Vec<String>,
    /// The families, in their order.
    pub families: Vec<FamilyChange>,
    /// Faults that are proven of one of the two or of both, by their titles.
    pub faults: Vec<(&'static str, [bool; 2])>,
}

/// Compares two bundles, each with one report and judged.
///
/// # Errors
/// In words, if a bundle has not exactly one report, a report does not say when it watched, the two are of different users, or the second
/// did not begin after the first had ended.
pub fn compare(before: (&Bundle, &Triage), after: (&Bundle, &Triage)) -> Result<Comparison, String> {
    let reports = [only_report(before.0)?, only_report(after.0)?];
    let sides = [side(before.0, reports[0])?, side(after.0, reports[1])?];
    let [first, second] = &sides;
    if let (Some(one), Some(other)) = (&first.user_id, &second.user_id)
        && one != other
    {
        return Err(format!("{} is of {one} and {} of {other}: give two reports of one user", first.name, second.name));
    }
    if second.from < first.to {
        return Err(format!(
            "{} began at {}, before {} was made at {}: give the earlier report first, and let the page be loaded anew, or Clear be \
             pressed, after the remedy",
            second.name,
            stamp::print(second.from),
            first.name,
            stamp::print(first.to),
        ));
    }
    let judged = [before.1, after.1];
    let families = Ke::ALL.into_iter().map(|family| change(family, judged, reports, &sides)).collect();
    Ok(Comparison { also_changed: also_changed(reports), families, faults: faults(judged), sides })
}

fn only_report(bundle: &Bundle) -> Result<&Report, String> {
    match bundle.reports.as_slice() {
        [report] => Ok(report),
        [] => Err(bundle.problems.first().map_or_else(
            || "no report is among what was given".to_owned(),
            |problem| format!("no report is among what was given: {problem}"),
        )),
        several => Err(format!("{} reports were given where one belongs: name the device's own", several.len())),
    }
}

fn side(bundle: &Bundle, report: &Report) -> Result<Side, String> {
    let name = bundle.report_names.first().cloned().unwrap_or_default();
    let ms = |at: crypto_diag_core::Millis| i64::try_from(at.0).unwrap_or(i64::MAX);
    let began = report.capture.installed_at.max(report.capture.cleared_at);
    let span = match &report.origin {
        Origin::SavedConsole { from, to } => from.zip(*to),
        _ => began.map(|from| (from, report.generated_at)),
    };
    let (from, to) = span
        .ok_or_else(|| format!("{name} does not say when it watched the page: a report by “Download report” does"))?;
    Ok(Side { name, user_id: report.user_id.clone(), device_id: report.device_id.clone(), from: ms(from), to: ms(to) })
}

/// What a report says of a family: `Some(true)` that it failed, `Some(false)` that it did not.
fn seen(triage: &Triage, family: Ke) -> Option<bool> {
    let is_sighting = |verdict: &&Verdict| verdict.conclusion.is_sighting() && verdict.conclusion.family() == family;
    match triage.verdicts.iter().find(is_sighting)?.answer {
        Answer::Proven => Some(true),
        Answer::Refuted => Some(false),
        Answer::Unknown { .. } => None,
    }
}

fn change(family: Ke, judged: [&Triage; 2], reports: [&Report; 2], sides: &[Side; 2]) -> FamilyChange {
    let times = failures(reports[0], family);
    let longest_pause = longest_pause(&times, &sides[0]);
    let watched = sides[1].to - sides[1].from;
    let change = match (seen(judged[0], family), seen(judged[1], family)) {
        (Some(true), Some(true)) => Change::GoesOn,
        (Some(false), Some(true)) => Change::New,
        (None, Some(true)) => Change::SeenSince,
        (Some(true), Some(false)) if longest_pause.is_some_and(|pause| watched > pause) => Change::Stopped,
        (Some(true), Some(false)) => Change::TooEarly,
        (Some(false), Some(false)) => Change::NotSeen,
        (None, Some(false)) => Change::NotSeenSince,
        (_, None) => Change::Unknown,
    };
    FamilyChange { family, change, lines: reports.map(|report| counted(report, family)), longest_pause }
}

fn is_failing(meaning: Meaning) -> bool {
    matches!(meaning, Meaning::Failure | Meaning::Transient)
}

/// When a family's failures were printed, as far as the report kept the lines.
fn failures(report: &Report, family: Ke) -> Vec<i64> {
    let entries = report.entries().map(|(_, entry)| entry);
    let failing = entries.filter(|entry| entry.ke == family && is_failing(entry.meaning));
    let mut times: Vec<i64> = failing.filter_map(|entry| i64::try_from(entry.ts.0).ok()).collect();
    times.sort_unstable();
    times
}

fn counted(report: &Report, family: Ke) -> usize {
    let meanings = Meaning::ALL.into_iter().filter(|meaning| is_failing(*meaning));
    let tallied: u64 = meanings.map(|meaning| report.tally(family.id(), meaning)).sum();
    usize::try_from(tallied).unwrap_or(usize::MAX).max(failures(report, family).len())
}

/// The longest time within a span without one of these. Lines that were not kept make it longer, never shorter.
fn longest_pause(times: &[i64], side: &Side) -> Option<i64> {
    let (first, last) = (*times.first()?, *times.last()?);
    let between = times.windows(2).map(|pair| pair[1] - pair[0]);
    between.chain([first - side.from, side.to - last]).max()
}

/// What a report says of its client, if it says it.
type Field = fn(&Report) -> Option<&str>;

/// What may differ besides a remedy.
const FIELDS: [(&str, Field); 4] = [
    ("the device", |report| report.device_id.as_deref()),
    ("matrix-js-sdk", |report| report.sdk_version.as_deref()),
    ("the crypto library", |report| report.crypto_version.as_deref()),
    ("the browser", |report| report.user_agent.as_deref()),
];

fn also_changed(reports: [&Report; 2]) -> Vec<String> {
    let differs = |(what, field): &(&str, Field)| match reports.map(field) {
        [Some(one), Some(other)] if one == other => None,
        [Some(one), Some(other)] => Some(format!("{what}: {one}, then {other}")),
        [None, None] => Some(format!("{what}: neither report says")),
        [Some(one), None] => Some(format!("{what}: {one}, then unknown")),
        [None, Some(other)] => Some(format!("{what}: unknown, then {other}")),
    };
    let mut changed: Vec<String> = FIELDS.iter().filter_map(differs).collect();
    let key = |report: &Report| report.own_keys().and_then(|keys| keys.ed25519.clone());
    match (key(reports[0]), key(reports[1])) {
        (Some(one), Some(other)) if one == other => {}
        (Some(one), Some(other)) => changed.push(format!("the device's identity key: {one}, then {other}")),
        _ => changed.push("the device's identity key: not known of both".to_owned()),
    }
    changed
}

fn faults(judged: [&Triage; 2]) -> Vec<(&'static str, [bool; 2])> {
    let proven = |triage: &Triage, conclusion: Conclusion| {
        triage.verdicts.iter().any(|verdict| verdict.conclusion == conclusion && verdict.is_proven())
    };
    let faults = Conclusion::ALL.iter().filter(|conclusion| conclusion.kind() == Kind::Fault);
    let sides = faults.map(|conclusion| (conclusion.title(), judged.map(|triage| proven(triage, *conclusion))));
    sides.filter(|(_, proven)| proven.contains(&true)).collect()
}

impl Comparison {
    /// 1 if something goes on or is new, 2 if something is not known or it is too early to say, 0 if neither.
    pub fn exit_code(&self) -> u8 {
        let any = |changes: &[Change]| self.families.iter().any(|family| changes.contains(&family.change));
        if any(&[Change::GoesOn, Change::New, Change::SeenSince]) {
            1
        } else if any(&[Change::Unknown, Change::TooEarly]) {
            2
        } else {
            0
        }
    }

    /// The comparison for people.
    pub fn text(&self) -> Clean {
        let [before, after] = &self.sides;
        let mut text = format!("Before: {}\nAfter:  {}\n\n", described(before), described(after));
        for family in &self.families {
            text.push_str(&format!("{:<4}  {}\n", family.family.id(), family.says(after)));
        }
        if !self.faults.is_empty() {
            text.push_str("\nProven\n");
        }
        for (title, proven) in &self.faults {
            let when = match proven {
                [true, true] => "before and after",
                [true, false] => "before only; that it is not proven any more does not refute it",
                _ => "after only",
            };
            text.push_str(&format!("  {}: {when}\n", visible_line(title)));
        }
        text.push_str("\nWhat else changed\n");
        for changed in &self.also_changed {
            text.push_str(&format!("  {}\n", visible_line(changed)));
        }
        if self.also_changed.is_empty() {
            text.push_str("  nothing that the reports say\n");
        }
        text.push_str(
            "\nWhat stopped fits the remedy and proves no cause: it may have stopped by itself, or by what else changed.\n",
        );
        Clean::told(&text)
    }
}

impl FamilyChange {
    fn says(&self, after: &Side) -> String {
        let [before, since] = self.lines.map(lines);
        let watched = lasted(after.to - after.from);
        let pause = lasted(self.longest_pause.unwrap_or_default());
        match self.change {
            Change::Stopped => {
                format!("stopped: {before} before, never longer than {pause} without one; none in the {watched} since")
            }
            Change::TooEarly => format!(
                "too early to say: none in the {watched} since, but before ({before}) there were {pause} without one, too"
            ),
            Change::GoesOn => format!("goes on: {before} before, {since} since"),
            Change::New => format!("new: none before, {since} since"),
            Change::SeenSince => format!("{since} since; the first capture does not tell about before"),
            Change::NotSeen => "seen neither before nor since".to_owned(),
            Change::NotSeenSince => "not seen since; the first capture does not tell about before".to_owned(),
            Change::Unknown => {
                format!("unknown: the second capture would not have shown it for sure ({before} before, {since} since)")
            }
        }
    }
}

fn described(side: &Side) -> String {
    let whose =
        [&side.user_id, &side.device_id].map(|id| visible_line(id.as_deref().unwrap_or("unknown")).into_owned());
    format!(
        "{} to {}, {} {} ({})",
        stamp::print(side.from),
        stamp::print(side.to),
        whose[0],
        whose[1],
        visible_line(&side.name)
    )
}

/// A duration in words: `40 s`, `12 min`, `3 h 5 min`.
pub(crate) fn lasted(ms: i64) -> String {
    let seconds = ms.max(0) / 1000;
    match (seconds / 3600, seconds / 60 % 60) {
        (0, 0) => format!("{seconds} s"),
        (0, minutes) => format!("{minutes} min"),
        (hours, minutes) => format!("{hours} h {minutes} min"),
    }
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::Level;

    use super::*;
    use crate::history::MadeUpPage;

    const BEFORE: u64 = 1_795_424_000_000;
    const AFTER: u64 = 1_795_430_000_000;
    const MINUTE: u64 = 60_000;
    const REFUSAL: &str = r#"One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}}"#;

    fn page(device: &str, from: u64, minutes: u64) -> MadeUpPage {
        MadeUpPage::new(("@alice:example.org", device), from, from + minutes * MINUTE)
    }

    /// A page of an hour that failed at these minutes.
    fn failing(from: u64, minutes: &[u64]) -> MadeUpPage {
        minutes.iter().fold(page("ALICE", from, 60), |page, at| page.line(from + at * MINUTE, Level::Error, REFUSAL))
    }

    fn bundle(name: &str, page: MadeUpPage) -> Bundle {
        let mut bundle = Bundle::new();
        bundle.add(name, None, &page.json()[..]);
        bundle
    }

    fn compared(before: MadeUpPage, after: MadeUpPage) -> Comparison {
        both(&bundle("before.json", before), &bundle("after.json", after)).expect("they compare")
    }

    fn both(before: &Bundle, after: &Bundle) -> Result<Comparison, String> {
        compare((before, &Triage::of(before)), (after, &Triage::of(after)))
    }

    fn ke1(comparison: &Comparison) -> Change {
        comparison.families[0].change
    }

    #[test]
    fn a_failure_has_stopped_only_where_it_was_longer_away_than_ever_before() {
        let before = || failing(BEFORE, &[5, 20, 45]);
        assert_eq!(ke1(&compared(before(), page("BOB", AFTER, 26))), Change::Stopped);
        assert_eq!(ke1(&compared(before(), page("BOB", AFTER, 24))), Change::TooEarly);
        assert_eq!(ke1(&compared(before(), failing(AFTER, &[30]))), Change::GoesOn);
        assert_eq!(ke1(&compared(page("ALICE", BEFORE, 60), failing(AFTER, &[30]))), Change::New);
        assert_eq!(ke1(&compared(page("ALICE", BEFORE, 60), page("ALICE", AFTER, 60))), Change::NotSeen);
    }

    #[test]
    fn a_second_capture_that_would_not_have_shown_it_says_nothing() {
        let blind = page("BOB", AFTER, 60).but(|report| report.capture.hooks.clear());
        let comparison = compared(failing(BEFORE, &[5]), blind);
        assert_eq!((ke1(&comparison), comparison.exit_code()), (Change::Unknown, 2));
        let cleared = page("BOB", AFTER, 60).but(|report| {
            report.capture.cleared_at = Some(crypto_diag_core::Millis(AFTER + 59 * MINUTE));
        });
        assert_ne!(ke1(&compared(failing(BEFORE, &[5]), cleared)), Change::Stopped);
    }

    #[test]
    fn what_else_changed_stands_in_the_text_and_what_stopped_is_called_no_proof() {
        let text = compared(failing(BEFORE, &[5, 20, 45]), page("BOB", AFTER, 40)).text().into_string();
        for part in [
            "KE-1  stopped: 3 lines before, never longer than 25 min without one; none in the 39 min since",
            "the device: ALICE, then BOB",
            "proves no cause",
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
    }

    #[test]
    fn two_reports_that_cannot_be_compared_are_refused_with_what_to_do() {
        let error = |before, after| both(&before, &after).expect_err("they do not compare");
        let first = || bundle("before.json", failing(BEFORE, &[5]));
        let same_page = bundle("after.json", page("ALICE", BEFORE, 90));
        assert!(error(first(), same_page).contains("give the earlier report first"));
        let other = MadeUpPage::new(("@bob:example.org", "BOB"), AFTER, AFTER + MINUTE);
        assert!(error(first(), bundle("after.json", other)).contains("two reports of one user"));
        assert!(error(first(), Bundle::new()).contains("no report"));
        let mut two = first();
        two.add("more.json", None, &page("X", BEFORE, 1).json()[..]);
        assert!(error(first(), two).contains("2 reports were given where one belongs"));
    }
}

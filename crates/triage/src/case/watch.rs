//! What a page's capture watched, and whether its report could have shown a thing. Absence counts through this alone.

use std::fmt;

use crypto_diag_analysis::{Origin, Report};
use crypto_diag_core::{CallFactKind, CaptureState, FrameState, Ke, Meaning, Millis};

use super::{Case, Page};
use crate::moment::{Clock, Moment};
use crate::stamp;

/// The wall clock and the page's steady clock differ by less than this where nobody set the wall clock, in milliseconds.
const CLOCK_NOISE_MS: f64 = 20.0;

/// A page that is watched this soon after its beginning has done nothing before, in milliseconds: it must start its client first.
pub(crate) const STARTED_WITHIN_MS: i64 = 2_000;

/// What is asked of frames and their connections (`pkg/src/capture/call.js`, `streams.js`).
const CONNECTION_QUESTIONS: [&str; 3] = ["frames", "RTCPeerConnection", "getTransceivers"];

/// What is looked for in a report, and not there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Sought {
    /// Any failure of a family. Tallies count failing lines even where the entry was given up.
    Failure(Ke),
    /// Single lines of a family, whatever they mean: every one of them must have stayed an entry.
    Line(Ke),
}

impl Sought {
    fn family(self) -> Ke {
        match self {
            Sought::Failure(ke) | Sought::Line(ke) => ke,
        }
    }
}

/// Why a report need not show what happened on its page.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Blind {
    /// It is a console that somebody saved: between its first and its last message, if they have times.
    SavedConsole(Option<(Millis, Millis)>),
    /// It is what an earlier page of the tab stored, up to a second before its end.
    EarlierPage,
    /// The capture was not running when the report was made.
    NotCapturing(CaptureState),
    /// The report does not list the method as hooked.
    NotHooked(&'static str),
    /// Something replaced the hook of the method.
    Replaced(&'static str),
    /// Not one line passed the hooks.
    NoLineSeen,
    /// Matching lines were lost while the core started.
    Overflow(u64),
    /// Lines could not be made into text.
    Unreadable(u64),
    /// Lines were too long to be searched whole.
    PartlyScanned(u64),
    /// Lines were written while another one was being formatted.
    Nested(u64),
    /// The capture itself failed.
    CaptureFailed(usize),
    /// The report lacks this list.
    Missing(&'static str),
    /// Entries that are none.
    BrokenEntries(usize),
    /// The report's own counts of a family, or of all lines, do not fit one another.
    CountsDisagree(&'static str),
    /// Entries of the family that the buffer gave up.
    Evicted(Ke),
    /// Child documents, where calls run, were not watched for.
    FramesNotWatched,
    /// A child document was not, or not wholly, watched.
    FrameMissed,
    /// Olm messages could not be opened: media keys may have been in them.
    OlmFailed(u64),
    /// The page's clock was set, so times of the page do not say when something was.
    ClockSet(f64),
    /// The report does not say since when the page was watched.
    NoInterval,
    /// The capture began later.
    InstalledLater(Millis),
    /// Clear was pressed: what was before is forgotten.
    Cleared(Millis),
    /// The report was made earlier.
    MadeEarlier(Millis),
}

impl fmt::Display for Blind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let at = |time: &Millis| stamp::print(i64::try_from(time.0).unwrap_or(i64::MAX));
        let lines = |count: u64| if count == 1 { "one line".to_owned() } else { format!("{count} lines") };
        match self {
            Blind::SavedConsole(span) => {
                f.write_str("it is a saved console")?;
                if let Some((from, to)) = span {
                    write!(f, " with messages from {} to {}", at(from), at(to))?;
                }
                f.write_str(", and nothing says which lines it lacks")
            }
            Blind::EarlierPage => f.write_str("it is an earlier page of the tab, as it was last stored"),
            Blind::NotCapturing(_) => f.write_str("its capture was not running"),
            Blind::NotHooked(method) => write!(f, "its report does not say that console.{method} was watched"),
            Blind::Replaced(method) => {
                write!(f, "something replaced console.{method}, and may have kept lines from the capture")
            }
            Blind::NoLineSeen => f.write_str("its capture saw no line of any kind, as if the page printed nothing"),
            Blind::Overflow(count) => write!(f, "{} that waited for the capture's core were lost", lines(*count)),
            Blind::Unreadable(count) => write!(f, "{} could not be read by the capture", lines(*count)),
            Blind::PartlyScanned(count) => write!(f, "{} were too long to be searched whole", lines(*count)),
            Blind::Nested(count) => write!(f, "{} were written while another line was formatted", lines(*count)),
            Blind::CaptureFailed(count) => write!(f, "its capture reports {count} failures of its own"),
            Blind::Missing(list) => write!(f, "its report has no list of {list}"),
            Blind::BrokenEntries(count) => write!(f, "{count} of its report's entries cannot be read"),
            Blind::CountsDisagree(what) => {
                write!(f, "its report's own counts of {what} disagree, so that lines are missing")
            }
            Blind::Evicted(ke) => write!(f, "the capture's bounded buffer gave up lines of {}", ke.id()),
            Blind::FramesNotWatched => f.write_str("documents inside the page, where calls run, were not watched"),
            Blind::FrameMissed => {
                f.write_str("a document inside the page, where calls run, was not or not wholly watched")
            }
            Blind::OlmFailed(count) => {
                write!(f, "Olm failed ({}), and what those messages held is not known", lines(*count))
            }
            Blind::ClockSet(ms) => write!(f, "its clock was set by {:.0} s while the page was open", ms / 1000.0),
            Blind::NoInterval => f.write_str("its report does not say since when the page was watched"),
            Blind::InstalledLater(time) => write!(f, "its capture began only at {}", at(time)),
            Blind::Cleared(time) => write!(f, "Clear was pressed at {}, and what was before is forgotten", at(time)),
            Blind::MadeEarlier(time) => write!(f, "its report was made at {}, before that", at(time)),
        }
    }
}

impl Page {
    /// When the capture watched the page: from its installation, or the last Clear, until the report was made. `None` if
    /// the report does not say since when.
    pub fn watched(&self, report: &Report) -> Option<(Moment, Moment)> {
        let capture = &report.capture;
        let from = capture.installed_at?.0.max(capture.cleared_at.map_or(0, |at| at.0));
        let (from, to) = (i64::try_from(from).ok()?, i64::try_from(report.generated_at.0).ok()?);
        Some((Moment::at(self.clock(), from), Moment::at(self.clock(), to)))
    }
}

/// By how much the page's clock was set while the page was open, if it was.
pub(super) fn clock_set(report: &Report) -> Option<f64> {
    report.clock_offset_ms.filter(|offset| offset.abs() > CLOCK_NOISE_MS)
}

impl Case<'_> {
    /// When a page began; `None` if its report does not say.
    pub fn begun(&self, page: &Page) -> Option<Moment> {
        let origin = self.report(page).capture.time_origin?;
        Some(Moment::at(page.clock(), i64::try_from(origin.0).ok()?))
    }

    /// When a page's report was made.
    pub fn made(&self, page: &Page) -> Moment {
        Moment::at(page.clock(), i64::try_from(self.report(page).generated_at.0).unwrap_or_default())
    }

    /// Whether something that a page or its HAR says was said in the life of that page.
    pub fn is_in_life(&self, page: &Page, at: Moment) -> bool {
        match at.clock {
            Clock::Page(report) => report == page.report,
            Clock::Har(har) => {
                page.hars.contains(&har)
                    && self.begun(page).is_some_and(|begun| self.clocks.is_before(begun, at))
                    && self.clocks.is_before(at, self.made(page))
            }
            Clock::Log(_) | Clock::Database => false,
        }
    }

    /// Whether a page's report could have shown a thing, so that it did not happen if it is not there: within a span of
    /// time, by any clock, or, without one, since the capture began.
    ///
    /// # Errors
    /// The first reason why it need not have.
    pub fn could_have_shown(&self, page: &Page, sought: Sought, span: Option<(Moment, Moment)>) -> Result<(), Blind> {
        let report = self.report(page);
        capture_was_whole(report)?;
        nothing_was_cut(report, sought)?;
        let ke = sought.family();
        if matches!(ke, Ke::Ke2 | Ke::Ke4) {
            frames_were_watched(report)?;
        }
        let unopened = report.tally(Ke::Olm.id(), Meaning::Failure);
        if sought == Sought::Failure(Ke::Ke2) && unopened > 0 {
            return Err(Blind::OlmFailed(unopened));
        }
        self.was_watching(page, span)
    }

    /// Whether a page's report shows all batches of to-device messages that the page queued while it was watched, each with all its
    /// devices. The lines that say them are of another level than failures.
    pub fn shows_batches(&self, page: &Page) -> bool {
        let report = self.report(page);
        let info = report.capture.hooks.iter().any(|hook| hook.method == "info" && hook.in_place);
        let whole = capture_was_whole(report).and_then(|()| frames_were_watched(report)).is_ok();
        info && whole && report.sent.iter().all(|batch| batch.omitted == 0 && !batch.targets.is_empty())
    }

    /// Whether the documents inside the page, where calls run, were watched from their beginning on, and all asked for their
    /// connections, so that the report lists all streams of its calls but those that it counts.
    pub fn shows_connections(&self, page: &Page) -> bool {
        let report = self.report(page);
        let asked_in_vain = |question: &String| CONNECTION_QUESTIONS.contains(&&**question);
        frames_were_watched(report).is_ok() && !report.unanswered.iter().any(asked_in_vain)
    }

    /// Whether a page's report shows each media key that LiveKit's worker was given since a time. The lines that say it are of
    /// another level than failures: that they are printed at all, one of them must show.
    pub fn shows_keys_since(&self, page: &Page, since: Millis) -> bool {
        let report = self.report(page);
        let facts = report.call.iter().flat_map(|call| &call.facts);
        let info = report.capture.hooks.iter().any(|hook| hook.method == "info" && hook.in_place);
        info && capture_was_whole(report).and_then(|()| frames_were_watched(report)).is_ok()
            && clock_set(report).is_none()
            && facts.clone().next().is_some_and(|first| first.ts <= since)
            && facts.clone().any(|fact| fact.what == CallFactKind::KeySet)
    }

    fn was_watching(&self, page: &Page, span: Option<(Moment, Moment)>) -> Result<(), Blind> {
        let report = self.report(page);
        let capture = &report.capture;
        let (Some((since, until)), Some(installed)) = (page.watched(report), capture.installed_at) else {
            return Err(Blind::NoInterval);
        };
        let Some((from, to)) = span else {
            return capture.cleared_at.map_or(Ok(()), |at| Err(Blind::Cleared(at)));
        };
        if let Some(ms) = clock_set(report) {
            return Err(Blind::ClockSet(ms));
        }
        let (Some(from), Some(to)) = (self.clocks.by(from, page.clock()), self.clocks.by(to, page.clock())) else {
            return Err(Blind::NoInterval);
        };
        if from.earliest < since.earliest {
            return Err(match capture.cleared_at {
                Some(at) if at >= installed => Blind::Cleared(at),
                _ => Blind::InstalledLater(installed),
            });
        }
        if to.latest > until.latest { Err(Blind::MadeEarlier(report.generated_at)) } else { Ok(()) }
    }

    /// From when on a page's report must show what the page has printed since a moment. A page that began later than that, and was
    /// watched soon after its beginning, has printed nothing before.
    pub fn seen_from(&self, page: &Page, since: Moment) -> Moment {
        let installed = self.report(page).capture.installed_at.and_then(|at| i64::try_from(at.0).ok());
        let (Some(begun), Some(installed)) = (self.begun(page), installed) else { return since };
        let soon = installed.saturating_sub(begun.earliest) <= STARTED_WITHIN_MS;
        let installed = Moment::at(page.clock(), installed);
        if soon && self.clocks.is_before(since, installed) { installed } else { since }
    }

    /// Whether a page was visible, not frozen and online all the time between two of its moments, as its capture noted. A
    /// page that is hidden, frozen or offline delays its own timers and requests.
    pub fn was_awake(&self, page: &Page, from: Moment, to: Moment) -> bool {
        let report = self.report(page);
        let by_page = |moment: Moment| self.clocks.by(moment, page.clock());
        let (Some(from), Some(to), Some(installed)) = (by_page(from), by_page(to), report.capture.installed_at) else {
            return false;
        };
        let millis = |ms: i64| Millis(u64::try_from(ms).unwrap_or_default());
        // Before the capture was installed the page printed nothing: its scripts came later.
        report.was_held_up(millis(from.earliest).max(installed), millis(to.latest)) == Some(false)
    }
}

/// Whether the capture saw every line that the page printed while it ran.
fn capture_was_whole(report: &Report) -> Result<(), Blind> {
    let capture = &report.capture;
    match report.origin {
        Origin::SavedConsole { from, to } => return Err(Blind::SavedConsole(from.zip(to))),
        Origin::EarlierPage => return Err(Blind::EarlierPage),
        Origin::Capture => {}
    }
    if capture.state != CaptureState::Capturing {
        return Err(Blind::NotCapturing(capture.state));
    }
    for method in ["warn", "error"] {
        match capture.hooks.iter().find(|hook| hook.method == method) {
            None => return Err(Blind::NotHooked(method)),
            Some(hook) if !hook.in_place => return Err(Blind::Replaced(method)),
            Some(_) => {}
        }
    }
    let lost = [
        (capture.queue_overflow, Blind::Overflow(capture.queue_overflow)),
        (capture.unreadable, Blind::Unreadable(capture.unreadable)),
        (capture.partly_scanned, Blind::PartlyScanned(capture.partly_scanned)),
        (capture.nested, Blind::Nested(capture.nested)),
    ];
    if let Some((_, blind)) = lost.into_iter().find(|(count, _)| *count > 0) {
        return Err(blind);
    }
    if !capture.failures.is_empty() {
        return Err(Blind::CaptureFailed(capture.failures.len()));
    }
    if capture.lines_seen == 0 { Err(Blind::NoLineSeen) } else { Ok(()) }
}

/// Whether the documents inside the page, where calls run, were watched.
fn frames_were_watched(report: &Report) -> Result<(), Blind> {
    let frames = &report.capture.frames;
    if !frames.watching {
        return Err(Blind::FramesNotWatched);
    }
    let missed = |document: &FrameState| !document.hooked || document.blind.is_some();
    if frames.omitted > 0 || frames.documents.iter().any(missed) { Err(Blind::FrameMissed) } else { Ok(()) }
}

/// Whether the report still holds what its capture kept: people cut reports down before they give them away.
fn nothing_was_cut(report: &Report, sought: Sought) -> Result<(), Blind> {
    let Some(counts) = report.counts else { return Err(Blind::Missing("counts")) };
    if report.tallies.is_none() {
        return Err(Blind::Missing("tallies"));
    }
    if !report.has_entries {
        return Err(Blind::Missing("entries"));
    }
    let broken = report.entries.iter().filter(|entry| entry.is_none()).count();
    if broken > 0 {
        return Err(Blind::BrokenEntries(broken));
    }
    let (mut kept_of_all, mut tallied_of_all) = (0, 0);
    for (ke, counted) in Ke::ALL.into_iter().zip(counts) {
        let kept = report.entries().filter(|(_, entry)| entry.ke == ke).count() as u64;
        let tallied: u64 = Meaning::ALL.into_iter().map(|meaning| report.tally(ke.id(), meaning)).sum();
        if counted != tallied || kept > tallied {
            return Err(Blind::CountsDisagree(ke.id()));
        }
        if kept < tallied && sought == Sought::Line(ke) {
            return Err(Blind::Evicted(ke));
        }
        kept_of_all += kept;
        tallied_of_all += tallied;
    }
    let capture = &report.capture;
    if capture.lines_matched != tallied_of_all || kept_of_all + capture.evicted != tallied_of_all {
        return Err(Blind::CountsDisagree("matching lines"));
    }
    Ok(())
}

#[cfg(test)]
mod tests;

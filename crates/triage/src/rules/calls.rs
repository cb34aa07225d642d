//! The lines of KE-4, call by call: what the rules about delayed events and memberships have in common.

use crypto_diag_analysis::evidence::Ke4;
use crypto_diag_analysis::evidence::ke4::Ke4Kind;
use crypto_diag_core::Meaning;

use crate::case::{Case, Page};
use crate::moment::Moment;
use crate::subject::Subject;

/// The client counts failures in a row and begins anew after a success. From the third on (`2/10`) they are no transient:
/// with the defaults (a restart each 5 s, 2 s to wait, a leave event after 8 s), the server's leave event is then due.
pub(super) const ROW_MIN: u64 = 2;

/// How far before a line its cause may lie, in milliseconds: with the defaults the leave event comes 8 s after the last
/// restart that worked, and its news with the next `/sync`.
const CAUSE_WITHIN_MS: i64 = 60_000;

/// A line about a call.
#[derive(Clone, Copy, Debug)]
pub(super) struct CallLine<'c> {
    pub entry: usize,
    pub at: Moment,
    pub meaning: Meaning,
    pub facts: &'c Ke4,
}

impl CallLine<'_> {
    /// Whether an attempt failed: which one in a row, counted from 0. matrix-js-sdk 43 does not count local timeouts.
    pub fn attempt(&self) -> Option<u64> {
        self.facts.attempt.or((self.facts.kind == Some(Ke4Kind::LocalTimeout)).then_some(0))
    }

    /// Whether what failed kept a membership alive that was there already: the client puts a limit to restarts only, and
    /// only these have a delayed event's id in their path.
    pub fn keeps_alive(&self) -> bool {
        self.facts.kind == Some(Ke4Kind::LocalTimeout) || self.attempt().is_some() && self.facts.delay_id.is_some()
    }

    fn is(&self, kind: Ke4Kind) -> bool {
        self.facts.kind == Some(kind)
    }
}

/// What a page printed of one call.
#[derive(Debug)]
pub(super) struct Call<'c> {
    pub room_id: Option<&'c str>,
    /// Such as `m.call#ROOM`.
    slot: Option<&'c str>,
    pub lines: Vec<CallLine<'c>>,
}

/// Attempts in a row that failed, as the client counted them.
#[derive(Debug)]
pub(super) struct Row {
    /// Of the attempts that are shown.
    pub entries: Vec<usize>,
    /// How many failed.
    pub count: u64,
    pub first: Moment,
    pub last: Moment,
}

impl Row {
    /// Whether so many of them are shown that these alone are no transient. Of those that are not shown nobody knows whether the
    /// page was awake.
    pub fn shows_enough(&self) -> bool {
        self.entries.len() as u64 > ROW_MIN
    }
}

impl<'c> Call<'c> {
    /// `@alice:example.org/ALICE !room:example.org`.
    pub fn about(&self, case: &Case<'_>, page: &Page) -> (String, Subject) {
        let subject = Subject {
            device: page.device.clone(),
            report: Some(case.report_name(page.report).to_owned()),
            room_id: self.room_id.map(str::to_owned),
            ..Subject::default()
        };
        (format!("{} {}", case.label(page), self.room_id.unwrap_or("a call")), subject)
    }

    /// How sentences call it.
    pub fn name(&self) -> String {
        self.room_id.map_or_else(|| "a call".to_owned(), |room_id| format!("the call in {room_id}"))
    }

    /// The longest run of attempts that the client counted without a success between them.
    pub fn row(&self) -> Option<Row> {
        let mut rows: Vec<Row> = Vec::new();
        for line in &self.lines {
            let Some(attempt) = line.attempt() else { continue };
            match rows.last_mut() {
                Some(row) if attempt >= row.count => {
                    row.entries.push(line.entry);
                    row.count = attempt + 1;
                    row.last = line.at;
                }
                _ => rows.push(Row { entries: vec![line.entry], count: attempt + 1, first: line.at, last: line.at }),
            }
        }
        rows.into_iter().max_by_key(|row| row.count)
    }

    /// Local timeouts that the client printed without counting them.
    pub fn uncounted(&self) -> usize {
        let uncounted = |line: &&CallLine<'_>| line.is(Ke4Kind::LocalTimeout) && line.facts.attempt.is_none();
        self.lines.iter().filter(uncounted).count()
    }

    /// The lines of a kind.
    pub fn of_kind(&self, kind: Ke4Kind) -> impl Iterator<Item = &CallLine<'c>> {
        self.lines.iter().filter(move |line| line.is(kind))
    }

    /// Failed attempts to keep the membership alive within a minute before a line.
    pub fn kept_alive_before(&self, case: &Case<'_>, line: &CallLine<'_>) -> Vec<usize> {
        let near = |other: &&CallLine<'_>| {
            other.keeps_alive()
                && !case.clocks.is_before(line.at, other.at)
                && !case.clocks.is_before(other.at, cause_before(line.at))
        };
        self.lines.iter().filter(near).map(|other| other.entry).collect()
    }
}

/// From when on a line's cause may lie.
pub(super) fn cause_before(at: Moment) -> Moment {
    Moment::at(at.clock, at.earliest.saturating_sub(CAUSE_WITHIN_MS))
}

/// The calls of a page, by room and slot.
pub(super) fn of_page<'c>(case: &'c Case<'_>, page: &Page) -> Vec<Call<'c>> {
    let mut calls: Vec<Call<'c>> = Vec::new();
    for (report, entry, found, facts) in case.memberships() {
        let (true, Some(at)) = (report == page.report, case.printed(report, entry)) else { continue };
        let (room_id, slot) = (facts.room_id.as_deref(), facts.call.as_deref());
        let line = CallLine { entry, at, meaning: found.meaning, facts };
        match calls.iter_mut().find(|call| (call.room_id, call.slot) == (room_id, slot)) {
            Some(call) => call.lines.push(line),
            None => calls.push(Call { room_id, slot, lines: vec![line] }),
        }
    }
    calls
}

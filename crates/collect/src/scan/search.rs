//! Finds a block's records that hold what is sought, and what belongs to their requests.

use std::collections::HashSet;

use crypto_diag_server_log::synapse::REPLICATION_PATH;
use crypto_diag_server_log::zone::{ahead, rounding_ms};
use crypto_diag_server_log::{Class, EventKind, is_lost, parse_line, request_key};

use super::Plan;
use super::block::{Block, FinishedRequest, Kept, LookAhead, line_start, record_start};
use super::needles::{Occurrence, Sought};
use crate::line_header::{self as header, LineHeader, StampContext};
use crate::redact::pseudonym;

impl Block {
    /// Finds the records that hold what is sought: their places and heads.
    pub(super) fn search(&mut self, plan: &Plan) -> Vec<(usize, LineHeader)> {
        let mut hits = Vec::new();
        // Sources of which a line behind their start showed that they are one of several processes.
        let mut told: HashSet<u64> = HashSet::new();
        let mut at = self.begin;
        while let Some(found) = plan.needles.find(&self.data, at) {
            if found.start < self.leading {
                if self.is_sought(found, plan)
                    && !matches!(found.sought, Sought::Start | Sought::Replication | Sought::Media | Sought::Lost)
                {
                    self.leading_hit = true;
                    at = self.leading;
                } else {
                    at = found.next;
                }
                continue;
            }
            if !self.is_sought(found, plan) {
                at = found.next;
                continue;
            }
            let start = record_start(&self.data, found.start);
            let end = self.record_end(start);
            let Some(head) = header::read(self.line(start), plan.period.clock) else {
                at = end;
                continue;
            };
            if head.class == Class::Start {
                self.starts.push((start, head.source));
                told.remove(&head.source);
            }
            if found.sought == Sought::Replication {
                if told.insert(head.source) {
                    self.replications.push((start, head.source));
                }
                // The line may name an id, too.
                at = found.next;
                continue;
            }
            let inside = plan.period.holds(head.time);
            let outside = !inside && head.class == Class::Ledger;
            if found.sought == Sought::Start || inside || outside {
                let keep = Kept { start, end, joined: false, outside, text: (0, 0), gaps: (0, 0) };
                self.kept.push(keep);
                self.seen.levels.insert(head.level);
                if found.sought != Sought::Start {
                    hits.push((start, head));
                }
                if head.class == Class::Ledger {
                    self.seen.zone_samples.extend(zone_sample(self.line(start), plan.period.clock));
                }
            }
            at = end;
        }
        hits
    }

    fn is_sought(&self, found: Occurrence, plan: &Plan) -> bool {
        match found.sought {
            Sought::Id => true,
            Sought::EncodedUser => pseudonym::is_named_encoded(&self.data, found.start, &plan.needles.users),
            _ => {
                let line = &self.data[line_start(&self.data, found.start)..];
                let line = &line[..memchr::memchr(b'\n', line).unwrap_or(line.len())];
                if found.sought == Sought::Lost {
                    return is_lost(line);
                }
                let Some(line) = parse_line(line) else { return false };
                match found.sought {
                    Sought::Media => line.class() == Class::Media,
                    Sought::Request => {
                        line.request.as_deref().is_some_and(|request| plan.needles.requests.contains(request))
                    }
                    Sought::Unnamed => match line.event().kind {
                        EventKind::Access(access) => plan
                            .needles
                            .wanted
                            .as_ref()
                            .is_some_and(|wanted| wanted.contains(&request_key(access.method, access.uri))),
                        _ => false,
                    },
                    Sought::Replication => match line.event().kind {
                        EventKind::Replication => true,
                        EventKind::Access(access) => access.uri.starts_with(REPLICATION_PATH),
                        _ => false,
                    },
                    _ => {
                        matches!(
                            line.event().kind,
                            EventKind::Starting | EventKind::Version(_) | EventKind::Instance(_)
                        )
                    }
                }
            }
        }
    }

    /// Adds what belongs to the hits' requests.
    pub(super) fn join(&mut self, hits: &[(usize, LineHeader)], plan: &Plan) {
        self.index();
        let mut done: HashSet<usize> = HashSet::new();
        for (start, head) in hits {
            let (Some(request), Some(time)) = (head.request, head.time) else { continue };
            let outside = !plan.period.holds(Some(time));
            let answer = match head.class {
                Class::Access(took) => {
                    Some(FinishedRequest { at: *start, request, source: head.source, ended: time, took })
                }
                _ => self.answer_of(&LookAhead { request, source: head.source, time }, *start, plan.period.clock),
            };
            match answer {
                Some(answer) => {
                    if answer.at != *start {
                        self.keep(answer.at, outside);
                    }
                    if done.insert(answer.at) {
                        self.join_answer(&answer, outside, plan);
                    }
                }
                None if !self.starts_between(head.source, *start, self.data.len()) => {
                    self.aheads.push(LookAhead { request, source: head.source, time });
                }
                None => {}
            }
        }
    }

    /// The first access line behind a place of a request whose time holds that of a line of it.
    pub fn answer_of(&mut self, of: &LookAhead, behind: usize, clock: StampContext) -> Option<FinishedRequest> {
        let mut found = None;
        for at in self.index().of_request(of.request).collect::<Vec<_>>() {
            if at < behind {
                break;
            }
            let Some(head) = header::read(self.line(at), clock) else { continue };
            if let (Class::Access(took), Some(ended)) = (head.class, head.time)
                && ended - took as i64 - rounding_ms(ended, of.time) <= of.time
                && of.time <= ended + rounding_ms(ended, of.time)
            {
                found = Some(FinishedRequest { at, request: of.request, source: of.source, ended, took });
            }
        }
        found.filter(|answer| !self.starts_between(of.source, behind, answer.at))
    }

    /// Adds the lines of a request in front of its access line.
    fn join_answer(&mut self, answer: &FinishedRequest, outside: bool, plan: &Plan) {
        let back = answer.back();
        for start in self.of_request(&back, plan.period.clock) {
            let (low, high) = (start.min(answer.at), start.max(answer.at));
            if start != answer.at && !self.starts_between(answer.source, low, high) {
                self.keep(start, outside);
            }
        }
        let began_before = self.first_time.is_none_or(|first| back.from <= first);
        if began_before && !self.starts_between(answer.source, 0, answer.at) {
            self.backs.push(back);
        }
    }

    fn keep(&mut self, start: usize, outside: bool) {
        let end = self.record_end(start);
        self.kept.push(Kept { start, end, joined: true, outside, text: (0, 0), gaps: (0, 0) });
    }
}

/// Wall clock less epoch, of a ledger line that prints both.
fn zone_sample(line: &[u8], clock: StampContext) -> Option<i64> {
    let at = memchr::memmem::rfind(line, b" at ")? + 4;
    let digits: &[u8] = line.get(at..)?;
    let digits = &digits[..digits.iter().take_while(|byte| byte.is_ascii_digit()).count()];
    let epoch: i64 = std::str::from_utf8(digits).ok().filter(|digits| digits.len() == 13)?.parse().ok()?;
    let wall = header::time(line, StampContext { zone_ms: 0, ..clock })?;
    Some(ahead(wall, epoch))
}

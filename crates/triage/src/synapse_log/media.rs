//! What a log says of the media side of calls: the lines of an SFU, and of what gives out tokens for it. They may stand in a file of
//! their own, or among those of a homeserver.

use std::collections::HashMap;

use crypto_diag_core::Clean;
use crypto_diag_server_log::zone::{Times, ZoneSource};
use crypto_diag_server_log::{MediaEvent, MediaProgram, ServerEvent};

use super::process::WRITTEN_WITHIN_MS;
use super::server_log::{KEPT_MAX, LogOptions};
use crate::quote::quote_beginning;

/// Characters of a line that are quoted: what LiveKit says of a client's software comes behind.
const QUOTE_CHARS: usize = 300;

/// The lines of one program in one file. Times are the program's, in milliseconds since the epoch, as far as its zone is known.
#[derive(Clone, Debug)]
pub struct MediaLog {
    /// The artefact's name.
    pub name: String,
    /// Which program.
    pub program: MediaProgram,
    /// The lines that tell something, in order.
    pub lines: Vec<MediaLine>,
    /// The last line's time, of each source.
    pub last: HashMap<String, i64>,
    /// How the zone is known.
    pub zone: ZoneSource,
    /// Sources whose times run backwards somewhere.
    pub steps: Vec<String>,
    /// Lines that could not be kept or were not whole.
    pub lost: u64,
}

/// A line that tells something.
#[derive(Clone, Debug)]
pub struct MediaLine {
    /// What it says.
    pub event: MediaEvent,
    /// Which process wrote it, where a wrapping tells; else empty.
    pub source: String,
    /// When the line was written, in milliseconds since the epoch, by the clock of the host that wrote it.
    pub at: i64,
    /// The line's number.
    pub line: u64,
    /// What stands there.
    pub quote: Clean,
}

/// The media logs of one file, while it is read.
pub(super) struct MediaLogs {
    name: String,
    options: LogOptions,
    logs: Vec<(MediaLog, Times)>,
    /// Lines of which nothing is shown: they may be of any program.
    hidden: u64,
}

impl MediaLogs {
    pub fn new(name: &str, options: &LogOptions) -> MediaLogs {
        MediaLogs { name: name.to_owned(), options: options.clone(), logs: Vec::new(), hidden: 0 }
    }

    /// Lines of the file that journald does not show or that somebody left out.
    pub fn hidden(&mut self, lines: u64) {
        self.hidden = self.hidden.saturating_add(lines);
    }

    pub fn add(&mut self, event: &ServerEvent<'_>, program: MediaProgram, said: MediaEvent, number: u64) {
        let index = self.logs.iter().position(|(log, _)| log.program == program).unwrap_or_else(|| {
            let (lines, last, steps) = Default::default();
            let log =
                MediaLog { name: self.name.clone(), program, lines, last, zone: ZoneSource::Assumed, steps, lost: 0 };
            self.logs.push((log, Times::new(self.options.zone_minutes, self.options.near)));
            self.logs.len() - 1
        });
        let (log, times) = &mut self.logs[index];
        let source = event.source.unwrap_or_default();
        let at = times.read(event.at);
        if let Some(at) = at {
            if let Some(last) = log.last.get_mut(source) {
                if *last - at > WRITTEN_WITHIN_MS && !log.steps.iter().any(|known| known == source) {
                    log.steps.push(source.to_owned());
                }
                *last = at;
            } else if log.last.len() < KEPT_MAX {
                log.last.insert(source.to_owned(), at);
            } else {
                log.lost += 1;
            }
        }
        if said == MediaEvent::Other {
            return;
        }
        log.lost += u64::from(said == MediaEvent::Cut);
        match at.or(times.last()) {
            Some(at) if log.lines.len() < KEPT_MAX => log.lines.push(MediaLine {
                event: said,
                source: source.to_owned(),
                at,
                line: number,
                quote: quote_beginning(event.text, QUOTE_CHARS),
            }),
            _ => log.lost += 1,
        }
    }

    pub fn finish(self) -> Vec<MediaLog> {
        let placed = |(mut log, times): (MediaLog, Times)| {
            let placement = times.placement();
            log.zone = placement.zone;
            log.lost = log.lost.saturating_add(self.hidden);
            log.lines.iter_mut().for_each(|line| line.at = placement.place(line.at));
            log.last.values_mut().for_each(|last| *last = placement.place(*last));
            log
        };
        self.logs.into_iter().map(placed).collect()
    }
}

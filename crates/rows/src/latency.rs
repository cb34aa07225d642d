//! Counts the requests of a server's log by minute, route and duration, so that rows of several logs can be added up.

use std::collections::BTreeMap;
use std::io::{self, BufRead, Write};

use crypto_diag_core::Millis;
use crypto_diag_pseudonym::{Kind, Pseudonym};
use crypto_diag_server_log::latency::ByRoute;
use crypto_diag_server_log::stamp::{Stamp, StampDate};
use crypto_diag_server_log::{EventKind, Route, parse_line, waits_for_news};

use crate::lines::{Line, Lines};
use crate::map::{day, write};
use crate::table::{LatencyRow, Row};
use crate::{Names, rules_version};

/// Milliseconds of a minute.
const MINUTE_MS: i64 = 60_000;

/// How many minutes are counted at the same time, since workers write into one log some seconds apart. A line that comes later than that
/// makes further rows of its minute.
const MINUTES_HELD: usize = 64;

/// What was read of a log.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LogDone {
    /// Requests that are in rows.
    pub requests: u64,
    /// Requests whose line does not say its whole date; they are in no row.
    pub undated: u64,
    /// Lines too long to be read.
    pub too_long: u64,
    /// Whether the log's times were taken for UTC, since they say no zone and nobody stated one.
    pub zone_assumed: bool,
}

/// Writes the rows of the table `latency` of a homeserver's log. Requests that wait for news are left out, since their duration says nothing
/// of the server. `zone_minutes` is how far the log's local time is ahead of UTC, for stamps that have no zone.
///
/// # Errors
/// If the input cannot be read on, or the output not be written.
pub fn latency(
    names: &Names,
    server: &str,
    zone_minutes: Option<i32>,
    input: impl BufRead,
    out: impl Write,
) -> io::Result<LogDone> {
    let mut lines = Lines::new(input);
    let mut done = LogDone::default();
    let mut counting =
        Counting { homeserver: names.server(server), log: None, piece: 0, minutes: BTreeMap::new(), out };
    while let Some(line) = lines.read()? {
        let Line::Text(text) = line else {
            done.too_long += 1;
            continue;
        };
        let Some(line) = parse_line(text) else { continue };
        let event = line.event();
        let EventKind::Access(access) = event.kind else { continue };
        let path = access.uri.split('?').next().unwrap_or_default();
        if waits_for_news(path.as_bytes()) {
            continue;
        }
        let Some(stamp @ Stamp { date: StampDate::Whole, .. }) = line.time else {
            done.undated += 1;
            continue;
        };
        let log = *counting.log.get_or_insert_with(|| {
            let mut hashing = names.begin(Kind::Log);
            hashing.update(text);
            hashing.end()
        });
        done.zone_assumed |= !stamp.has_zone && zone_minutes.is_none();
        let ahead = if stamp.has_zone { 0 } else { i64::from(zone_minutes.unwrap_or(0)) * MINUTE_MS };
        let minute = stamp.ms.saturating_sub(ahead).div_euclid(MINUTE_MS);
        counting.minutes.entry(minute).or_default().add(Route::of(path), access.processing_ms);
        done.requests += 1;
        if counting.minutes.len() > MINUTES_HELD {
            counting.put_earliest(log)?;
        }
    }
    if let Some(log) = counting.log {
        while !counting.minutes.is_empty() {
            counting.put_earliest(log)?;
        }
    }
    counting.out.flush()?;
    Ok(done)
}

/// The minutes that are being counted.
struct Counting<W> {
    homeserver: String,
    log: Option<Pseudonym>,
    /// Minutes that have been written.
    piece: u64,
    minutes: BTreeMap<i64, ByRoute>,
    out: W,
}

impl<W: Write> Counting<W> {
    fn put_earliest(&mut self, log: Pseudonym) -> io::Result<()> {
        let Some((minute, routes)) = self.minutes.pop_first() else { return Ok(()) };
        let day = day(Millis(u64::try_from(minute.saturating_mul(MINUTE_MS)).unwrap_or(0)));
        for (route, durations) in routes.routes() {
            for (upto_ms, requests) in durations.buckets() {
                let row = LatencyRow {
                    rules: rules_version(),
                    log,
                    piece: self.piece,
                    day: &day,
                    homeserver: &self.homeserver,
                    minute,
                    route: route.name(),
                    upto_ms,
                    requests,
                };
                write(&mut self.out, &Row::Latency(row))?;
            }
        }
        self.piece += 1;
        Ok(())
    }
}

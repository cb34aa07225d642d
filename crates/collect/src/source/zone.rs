//! The server's zone: Python prints local time and does not say which.

use std::fs::File;
use std::io::{Read, Seek, SeekFrom};

use crypto_diag_server_log::parse_line;
use crypto_diag_server_log::stamp::StampDate;
use crypto_diag_server_log::zone::{ZONE_STEP_MS, ZONES_MS, zone_of};
use crypto_diag_triage::synapse_log::{LogOptions, ServerLog, ZoneSource};
use serde_json::{Value, json};

use super::{Group, Input, SAMPLE_BYTES, shown};

/// Where nothing tells the zone, the window is widened by the farthest one.
pub const UNKNOWN_MS: i64 = *ZONES_MS.end();

/// A log's last line and its file's time are this close if the file was not copied.
const WRITTEN_WITHIN_MS: i64 = 60_000;

/// A zone and how it is known.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Zone {
    /// Minutes that local time is ahead of UTC.
    pub minutes: i32,
    pub how: How,
    /// In a sentence.
    pub why: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Somebody said so.
    Stated,
    /// Stamps say it.
    Printed,
    /// Ledger lines print the epoch beside local time.
    Ledger,
    /// A client's requests stand in the log at that offset.
    Requests,
    /// The file's time fits its last line.
    FileTime,
    /// Nothing tells it.
    Unknown,
}

impl How {
    fn name(self) -> &'static str {
        match self {
            How::Stated => "stated",
            How::Printed => "printed",
            How::Ledger => "ledger",
            How::Requests => "requests",
            How::FileTime => "fileTime",
            How::Unknown => "unknown",
        }
    }
}

impl Zone {
    pub fn to_json(&self) -> Value {
        json!({"minutes": self.minutes, "how": self.how.name(), "why": self.why})
    }

    /// Milliseconds that local time is ahead of UTC.
    pub fn ms(&self) -> i64 {
        i64::from(self.minutes) * 60_000
    }

    fn new(ms: i64, how: How, why: String) -> Zone {
        Zone { minutes: (ms / 60_000) as i32, how, why }
    }

    /// Whether ledger lines of the log itself say another zone than this one, which was only guessed.
    pub fn corrected(&self, samples: &[i64]) -> Option<Zone> {
        if matches!(self.how, How::Stated | How::Printed | How::Ledger) {
            return None;
        }
        let ms = zone_of(samples)?;
        Some(Zone::new(ms, How::Ledger, "ledger lines of the log print the epoch beside local time".to_owned()))
    }

    /// The zone that a HAR's requests show: `offset` is the server's clock, read in this zone, less the client's.
    pub fn by_requests(&self, offset: i64, requests: usize) -> Option<Zone> {
        if !matches!(self.how, How::FileTime | How::Unknown) {
            return None;
        }
        let step = (offset + ZONE_STEP_MS / 2).div_euclid(ZONE_STEP_MS) * ZONE_STEP_MS;
        // Clocks that differ by minutes are not told from zones.
        if (offset - step).abs() > 5 * 60_000 || !ZONES_MS.contains(&(self.ms() + step)) {
            return None;
        }
        let why = format!("{requests} requests of a HAR stand in the log at that offset");
        Some(Zone::new(self.ms() + step, How::Requests, why))
    }
}

/// What can be known of a log's zone before it is read.
pub(crate) fn guess(group: &Group, stated: Option<i32>) -> Zone {
    if let Some(minutes) = stated {
        return Zone { minutes, how: How::Stated, why: "it was stated".to_owned() };
    }
    let stamp =
        group.inputs.iter().find_map(|input| input.sample.split(|b| *b == b'\n').find_map(|l| parse_line(l)?.time));
    if stamp.is_some_and(|stamp| stamp.has_zone) {
        return Zone::new(0, How::Printed, "the log's times say their zone".to_owned());
    }
    for input in &group.inputs {
        let tail = tail(input);
        for (sample, which) in [(&input.sample, "beginning"), (&tail, "end")] {
            let read = ServerLog::read("sample", &sample[..], &LogOptions::default());
            if read.zone == ZoneSource::Ledger {
                let why =
                    format!("ledger lines at the {which} of {} print the epoch beside local time", shown(&input.path));
                return Zone { minutes: read.zone_minutes, how: How::Ledger, why };
            }
        }
    }
    by_file_time(group).unwrap_or_else(|| {
        let why = "nothing in the log tells it; its times are taken for UTC, and the window is wider by 14 hours on both \
                   sides. State it with --zone";
        Zone::new(0, How::Unknown, why.to_owned())
    })
}

fn by_file_time(group: &Group) -> Option<Zone> {
    let mut found: Option<(i64, &Input)> = None;
    for input in group.inputs.iter().filter(|input| input.is_direct) {
        let Some(modified) = input.modified else { continue };
        let tail = tail(input);
        let text = if tail.is_empty() { &input.sample } else { &tail };
        let last = text.rsplit(|byte| *byte == b'\n').find_map(|line| parse_line(line)?.time);
        let Some(last) = last.filter(|last| last.date == StampDate::Whole) else { continue };
        let ahead = last.ms - modified;
        let step = (ahead + ZONE_STEP_MS / 2).div_euclid(ZONE_STEP_MS) * ZONE_STEP_MS;
        if (ahead - step).abs() > WRITTEN_WITHIN_MS || !ZONES_MS.contains(&step) {
            continue;
        }
        // Files that do not agree were copied.
        if found.is_some_and(|(known, _)| known != step) {
            return None;
        }
        found = Some((step, input));
    }
    let (step, input) = found?;
    Some(Zone::new(step, How::FileTime, format!("the last line of {} fits the file's time so", shown(&input.path))))
}

/// The end of a plain file, from its first whole line on; empty where the beginning is all of it.
pub(crate) fn tail(input: &Input) -> Vec<u8> {
    let read = || -> std::io::Result<Vec<u8>> {
        let mut file = File::open(&input.path)?;
        file.seek(SeekFrom::Start(input.size - SAMPLE_BYTES as u64))?;
        let mut text = Vec::new();
        file.take(SAMPLE_BYTES as u64).read_to_end(&mut text)?;
        let begin = memchr::memchr(b'\n', &text).map_or(text.len(), |at| at + 1);
        text.drain(..begin);
        Ok(text)
    };
    let is_longer = input.is_direct && input.size > SAMPLE_BYTES as u64;
    if is_longer { read().unwrap_or_default() } else { Vec::new() }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn guessed(how: How) -> Zone {
        Zone { minutes: 0, how, why: String::new() }
    }

    #[test]
    fn what_was_only_guessed_is_corrected_by_the_log_itself() {
        assert_eq!(guessed(How::FileTime).corrected(&[3_600_012, 3_600_900]).map(|zone| zone.minutes), Some(60));
        assert_eq!(guessed(How::Stated).corrected(&[3_600_012]), None);
        assert_eq!(guessed(How::FileTime).corrected(&[3_600_012, 12]), None, "the zone changed, or a clock was set");
    }

    #[test]
    fn requests_of_a_har_tell_zones_and_not_wrong_clocks() {
        let zone = |offset| guessed(How::Unknown).by_requests(offset, 10).map(|zone| zone.minutes);
        assert_eq!((zone(7_200_300), zone(-16_200_000), zone(40)), (Some(120), Some(-270), Some(0)));
        assert_eq!(zone(7 * 60_000), None);
    }
}

//! The stretch of a large file in which a window lies, found by bisection: a log's times go upwards.

use std::fs::File;
use std::io;
use std::ops::Range;

use super::blocks::{LINE_BYTES_MAX, read_at};
use crate::line_header::{self as header, StampContext};

/// Bytes that are looked at for a line with a time; a traceback may stand in between.
const PROBE_BYTES: usize = 64 << 10;

/// A stretch that is this short is read whole.
const SHORT_BYTES: u64 = 1 << 20;

/// Milliseconds that lines may be out of order: Synapse's file handler holds them back, and processes write to one file.
pub const DISORDER_MS: i64 = 60_000;

/// Where the lines of a time lie, with some around them.
///
/// `None` if bisection cannot tell: a probe finds no line with a time, or the times do not go upwards from probe to probe. What
/// lies between two probes is not looked at, so a log whose times run backwards only there is not told from one that goes
/// upwards.
///
/// # Errors
/// Those of the file.
pub(crate) fn of(file: &File, size: u64, from: i64, to: i64, clock: StampContext) -> io::Result<Option<Range<u64>>> {
    let mut probes = Probes { file, size, clock, seen: Vec::new() };
    let (Some(first), Some(last)) = (probes.at(0)?, probes.at(size.saturating_sub(PROBE_BYTES as u64))?) else {
        return Ok(None);
    };
    let mut edge = |wanted: i64| -> io::Result<Option<(u64, u64)>> {
        let (mut low, mut high) = (0, size);
        // Lines before `low` are earlier than wanted, those behind `high` are not.
        while high - low > SHORT_BYTES {
            let middle = low + (high - low) / 2;
            let Some(probe) = probes.at(middle)? else { return Ok(None) };
            if probe.time < wanted { low = probe.at.clamp(low + 1, high) } else { high = middle }
        }
        Ok(Some((low, high)))
    };
    let (Some((begin, _)), Some((_, end))) =
        (edge(from.saturating_sub(DISORDER_MS))?, edge(to.saturating_add(DISORDER_MS))?)
    else {
        return Ok(None);
    };
    let goes_upwards = first.time <= last.time && probes.go_upwards();
    let Some(begin) = line_at(file, begin)? else { return Ok(None) };
    Ok(goes_upwards.then_some(begin..end.max(begin)))
}

/// A line with a time.
#[derive(Clone, Copy, Debug)]
struct Probe {
    at: u64,
    time: i64,
}

struct Probes<'f> {
    file: &'f File,
    size: u64,
    clock: StampContext,
    seen: Vec<Probe>,
}

impl Probes<'_> {
    /// The first line with a time that begins at a place or behind it.
    fn at(&mut self, from: u64) -> io::Result<Option<Probe>> {
        let mut data = vec![0; PROBE_BYTES.min((self.size - from) as usize)];
        let length = read_at(self.file, &mut data, from)?;
        data.truncate(length);
        let mut start = if from == 0 { Some(0) } else { memchr::memchr(b'\n', &data).map(|at| at + 1) };
        while let Some(at) = start.filter(|at| *at < data.len()) {
            let end = memchr::memchr(b'\n', &data[at..]).map(|end| at + end + 1);
            // A line that is not whole may lack its time.
            let line = &data[at..end.unwrap_or(data.len())];
            if let Some(time) = header::time(line, self.clock) {
                let probe = Probe { at: from + at as u64, time };
                self.seen.push(probe);
                return Ok(Some(probe));
            }
            start = end;
        }
        Ok(None)
    }

    fn go_upwards(&mut self) -> bool {
        self.seen.sort_by_key(|probe| probe.at);
        self.seen.windows(2).all(|two| two[0].time <= two[1].time.saturating_add(DISORDER_MS))
    }
}

/// Where the first line begins at a place or behind it.
fn line_at(file: &File, from: u64) -> io::Result<Option<u64>> {
    if from == 0 {
        return Ok(Some(0));
    }
    let mut data = vec![0; LINE_BYTES_MAX];
    // The break in front of the place tells whether a line begins there.
    let length = read_at(file, &mut data, from - 1)?;
    Ok(memchr::memchr(b'\n', &data[..length]).map(|at| from + at as u64))
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use super::*;

    const START: i64 = 1_795_422_963_000;

    fn line(ms: i64) -> String {
        let at = crypto_diag_server_log::stamp::print(START + ms);
        format!("{},{} - synapse.x - 1 - INFO - GET-{ms} - {}\n", &at[..19], &at[20..23], "x".repeat(400))
    }

    fn file(lines: impl Iterator<Item = i64>) -> (File, String) {
        let text: String = lines.map(line).collect();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(text.as_bytes()).unwrap();
        (file, text)
    }

    fn stretch(file: &File, text: &str, from: i64, to: i64) -> Option<Range<u64>> {
        of(file, text.len() as u64, START + from, START + to, StampContext::default()).unwrap()
    }

    #[test]
    fn every_line_of_a_window_lies_in_its_stretch_which_is_short() {
        let (file, text) = file((0..40_000).map(|n| n * 1_000));
        for (from, to) in
            [(0, 0), (9_000_000, 9_300_000), (20_000_000, 20_000_000), (39_999_000, 39_999_000), (1, 39_998_999)]
        {
            let found = stretch(&file, &text, from, to).expect("its times go upwards");
            let part = &text[found.start as usize..found.end as usize];
            assert!(found.start == 0 || text.as_bytes()[found.start as usize - 1] == b'\n', "it begins with a line");
            let count = |text: &str| {
                text.lines()
                    .filter(|line| {
                        let ms: Option<i64> =
                            line.split("GET-").nth(1).and_then(|rest| rest.split(' ').next()?.parse().ok());
                        ms.is_some_and(|ms| (from..=to).contains(&ms))
                    })
                    .count()
            };
            assert_eq!(count(part), count(&text), "{from}..{to}");
            let window = (to - from) as u64 / 1_000 * 460;
            assert!((found.end - found.start) < window + 3 * SHORT_BYTES, "{from}..{to}: {found:?}");
        }
        let none = stretch(&file, &text, 90_000_000, 91_000_000).expect("its times go upwards");
        assert!(none.end - none.start <= 2 * SHORT_BYTES);
    }

    #[test]
    fn a_file_whose_times_run_backwards_or_that_has_none_is_not_bisected() {
        let (rotated, text) = file((20_000..40_000).chain(0..20_000).map(|n| n * 1_000));
        assert_eq!(stretch(&rotated, &text, 9_000_000, 9_300_000), None);
        let mut timeless = tempfile::tempfile().unwrap();
        let text = "nothing that has a time\n".repeat(100_000);
        timeless.write_all(text.as_bytes()).unwrap();
        assert_eq!(stretch(&timeless, &text, 0, 1), None);
    }
}

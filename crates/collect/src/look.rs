//! Looks at logs as a run would read them, without keeping anything: whether they can be read, which programs wrote them, which time they
//! cover.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;

use crypto_diag_server_log::stamp::{Stamp, StampDate};
use crypto_diag_server_log::{EventKind, LogLevel, parse_line};
use crypto_diag_triage::bundle::Refusal;

use crate::error::CollectError;
use crate::request::Request;
use crate::source::zone::{self, Zone};
use crate::source::{self, Group, rotation, shown};
use crate::via::Via;

/// A log, as far as the beginnings of its files and the end of the newest one show it. Of a log elsewhere no end is read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogLook {
    /// Its newest file. May be hostile.
    pub file: String,
    /// How many files it was rotated into.
    pub files: usize,
    /// The programs that wrote it, by name.
    pub programs: BTreeSet<&'static str>,
    /// Whether a homeserver wrote some of it.
    pub is_of_homeserver: bool,
    /// Whether the media side of calls wrote some of it: an SFU, or what gives out tokens for it.
    pub is_of_media: bool,
    /// The levels of its lines.
    pub levels: BTreeSet<LogLevel>,
    /// The first time that was seen, in milliseconds since the epoch.
    pub first: Option<i64>,
    /// The last one, likewise.
    pub last: Option<i64>,
    /// Minutes that its times are ahead of UTC.
    pub zone_minutes: i32,
    /// How that is known, in a sentence.
    pub zone_why: String,
}

/// The result of a look at logs.
#[derive(Debug, Default)]
pub struct Looked {
    /// Those that can be read, each with what it was rotated into.
    pub logs: Vec<LogLook>,
    /// What would not be read of them.
    pub refused: Vec<Refusal>,
    /// Those that are not there or may not be read.
    pub unreadable: Vec<CollectError>,
}

/// Looks at log files, and at the logs of folders.
pub fn logs(paths: &[PathBuf], via: Option<&Via>, zone_minutes: Option<i32>, cancel: &AtomicBool) -> Looked {
    let mut looked = Looked::default();
    let mut inputs = Vec::new();
    for path in paths {
        let request = Request { logs: vec![path.clone()], via: via.cloned(), ..Request::default() };
        match source::find(&request, &mut looked.refused, cancel) {
            Ok(groups) => inputs.extend(groups.into_iter().flat_map(|group| group.inputs)),
            Err(error) => looked.unreadable.push(error),
        }
    }
    looked.logs = rotation::group(inputs).iter().map(|group| look(group, zone_minutes)).collect();
    looked
}

fn look(group: &Group, zone_minutes: Option<i32>) -> LogLook {
    let zone = zone::guess(group, zone_minutes);
    let newest = group.inputs.last();
    let mut look = LogLook {
        file: newest.map_or_else(|| group.name.clone(), |input| shown(&input.path)),
        files: group.inputs.len(),
        programs: BTreeSet::new(),
        is_of_homeserver: false,
        is_of_media: false,
        levels: BTreeSet::new(),
        first: None,
        last: None,
        zone_minutes: zone.minutes,
        zone_why: zone.why.clone(),
    };
    for input in &group.inputs {
        look.add(&input.sample, &zone);
    }
    if let Some(input) = newest {
        look.add(&zone::tail(input), &zone);
    }
    look
}

impl LogLook {
    fn add(&mut self, text: &[u8], zone: &Zone) {
        for line in text.split(|byte| *byte == b'\n').filter_map(parse_line) {
            match line.event().kind {
                // A mark in place of lines that are not shown does not tell which program wrote them.
                EventKind::Hidden | EventKind::LeftOut(_) => continue,
                EventKind::Media(..) => self.is_of_media = true,
                _ => self.is_of_homeserver = true,
            }
            self.programs.insert(line.format.name());
            self.levels.insert(line.level);
            if let Some(at) = line.time.and_then(|stamp| instant(stamp, zone)) {
                self.first = Some(self.first.map_or(at, |first| first.min(at)));
                self.last = Some(self.last.map_or(at, |last| last.max(at)));
            }
        }
    }
}

/// A time that says its date, in milliseconds since the epoch.
fn instant(stamp: Stamp, zone: &Zone) -> Option<i64> {
    let zone_ms = if stamp.has_zone { 0 } else { zone.ms() };
    (stamp.date == StampDate::Whole).then(|| stamp.ms - zone_ms)
}

#[cfg(test)]
mod tests {
    use std::fs;

    use super::*;

    const SYNAPSE: &str = "2026-11-23 08:36:03,871 - synapse.http.server - 131 - INFO - POST-48 - hello\n";
    const SFU: &str = "2026-11-23T08:35:58.123Z\tINFO\tlivekit\tservice/roommanager.go:507\tstarting RTC session\t{\"room\": \"a\"}\n";

    #[test]
    fn a_log_is_told_by_its_lines_with_the_time_that_it_covers() {
        let folder = tempfile::tempdir().unwrap();
        let middle = "2026-11-23 08:40:00,000 - synapse.http.server - 131 - DEBUG - POST-49 - filler\n".repeat(2_000);
        let end = SYNAPSE.replace("08:36:03", "09:00:00");
        fs::write(folder.path().join("homeserver.log"), format!("{SYNAPSE}{middle}{end}")).unwrap();
        fs::write(folder.path().join("homeserver.log.1"), SYNAPSE.replace("-23", "-22")).unwrap();
        fs::write(folder.path().join("livekit.log"), SFU).unwrap();
        fs::write(folder.path().join("other.txt"), "no log\n").unwrap();
        let paths = [folder.path().to_owned(), "/no/such.log".into()];
        let Looked { logs, refused, unreadable } = logs(&paths, None, Some(60), &AtomicBool::new(false));
        let [synapse, sfu] = &logs[..] else { panic!("{logs:?}") };
        assert!(synapse.file.ends_with("homeserver.log") && synapse.files == 2, "{synapse:?}");
        assert!(
            synapse.is_of_homeserver && !synapse.is_of_media && synapse.programs.contains("Synapse"),
            "{synapse:?}"
        );
        let hour = 3_600_000;
        assert_eq!(synapse.first, Some(1_795_422_963_871 - 24 * hour - hour));
        assert_eq!(synapse.last, Some(1_795_424_400_871 - hour));
        assert!(synapse.levels.contains(&LogLevel::Info), "{synapse:?}");
        assert!(sfu.is_of_media && !sfu.is_of_homeserver && sfu.programs.contains("LiveKit"), "{sfu:?}");
        assert!(refused.iter().any(|refusal| refusal.what.ends_with("other.txt")), "{refused:?}");
        let [gone] = &unreadable[..] else { panic!("{unreadable:?}") };
        assert!(gone.to_string().contains("/no/such.log: cannot be read"), "{gone}");
    }
}

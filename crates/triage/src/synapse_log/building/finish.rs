//! The end of a log: its lines are placed in time, what belongs to one request is joined, and what went wrong is said.

use crypto_diag_server_log::ReadCounts;
use crypto_diag_server_log::zone::{Placement, ZoneSource};

use super::super::join::join;
use super::super::server_log::ServerLog;
use super::Building;
use crate::problem::Place;

impl Building {
    pub fn finish(mut self, counts: ReadCounts) -> ServerLog {
        self.log.counts = counts;
        self.place_in_time();
        join(&mut self.log);
        self.log.media = self.media.finish();
        let log = &mut self.log;
        let wrote = |source: &str| self.sources.contains_key(source);
        self.losses.problems(&wrote).into_iter().for_each(|(place, what)| self.problems.add(place, what));
        if counts.truncated > 0 {
            self.problems.add(Place::Whole, format!("{} lines were too long and are cut", counts.truncated));
        }
        if log.levels.is_empty() && log.media.is_empty() && counts.lines > 0 && !self.losses.some_left_out() {
            self.problems.add(Place::Whole, "no line of it is a line of a homeserver's log");
        }
        if log.not_kept > 0 {
            self.problems.add(Place::Whole, format!("{} facts did not fit and are left out", log.not_kept));
        }
        for what in self.times.problems() {
            self.problems.add(Place::Whole, what);
        }
        self.log.problems = self.problems.into_list();
        self.log
    }

    /// Finds the zone and takes it off every time.
    fn place_in_time(&mut self) {
        let log = &mut self.log;
        let placement = self.times.placement();
        let Placement { zone, zone_ms, .. } = placement;
        log.zone = zone;
        log.zone_minutes = (zone_ms / 60_000) as i32;
        let put = |time: &mut i64| *time = placement.place(*time);
        log.first.iter_mut().chain(log.last.iter_mut()).for_each(put);
        let lost = self.losses.holes();
        log.processes.iter_mut().for_each(|process| process.finish(&lost, &placement));
        log.accesses.iter_mut().for_each(|access| [&mut access.start, &mut access.end].into_iter().for_each(put));
        log.requests.iter_mut().for_each(|request| [&mut request.start, &mut request.end].into_iter().for_each(put));
        log.claims.iter_mut().for_each(|claim| put(&mut claim.at));
        log.conflicts.iter_mut().for_each(|conflict| put(&mut conflict.at));
        log.device_keys.iter_mut().for_each(|update| put(&mut update.at));
        log.logins.iter_mut().for_each(|login| put(&mut login.at));
        log.restarts.iter_mut().for_each(|restart| put(&mut restart.at));
        log.deleted.iter_mut().for_each(|device| put(&mut device.at));
        log.to_device.iter_mut().for_each(|message| put(&mut message.at));
        for upload in &mut log.uploads {
            put(&mut upload.time);
            // Where the lines' times need not be the server's, what an upload's line states does not go with them.
            if upload.at == i64::MIN || !matches!(zone, ZoneSource::Printed | ZoneSource::Ledger) {
                upload.at = upload.time;
            }
        }
        let minutes = std::mem::take(&mut log.latency);
        log.latency = minutes
            .into_iter()
            .map(|(minute, row)| (placement.place(minute * 60_000).div_euclid(60_000), row))
            .collect();
    }
}

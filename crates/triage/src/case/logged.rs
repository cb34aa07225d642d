//! When what logs and rows say happened: the one place where their numbers become moments.

use super::Case;
use crate::moment::{Clock, Moment};
use crate::query::OneTimeKeyRow;
use crate::synapse_log::{
    Access, ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, LoginLine, Request, Restart, ToDeviceLine, Upload,
};

/// A record of a log, which stands in a line of it.
pub(crate) trait Logged {
    /// Its time by the log's clock, and its line's number.
    fn stands(&self) -> (i64, u64);
}

macro_rules! logged {
    ($($record:ty),*) => {
        $(impl Logged for $record {
            fn stands(&self) -> (i64, u64) {
                (self.at, self.line)
            }
        })*
    };
}

logged!(ClaimLine, ConflictLine, DeletedDevice, DeviceKeysUpdate, LoginLine, Restart, ToDeviceLine, Upload);

impl Logged for Request {
    /// When it was answered: its line is printed then.
    fn stands(&self) -> (i64, u64) {
        (self.end, self.line)
    }
}

/// A request, whose line is printed at its end.
pub(crate) trait Received {
    /// When Synapse received it, by the log's clock.
    fn received_at(&self) -> i64;
}

impl Received for Request {
    fn received_at(&self) -> i64 {
        self.start
    }
}

impl Received for Access {
    fn received_at(&self) -> i64 {
        self.start
    }
}

impl Moment {
    /// When a record of a log, by the log's index, was written.
    pub fn logged(log: usize, record: &impl Logged) -> Moment {
        let (at, line) = record.stands();
        Moment::at(Clock::Log(log), at).in_place(line)
    }

    /// When Synapse received a request. It has no place among the lines, since none was printed then.
    pub fn received(log: usize, request: &impl Received) -> Moment {
        Moment::at(Clock::Log(log), request.received_at())
    }
}

impl Case<'_> {
    /// When the server stored a one-time key, as its row says. Where a log shows the upload that brought it, which carries the
    /// same time to the millisecond, it is a moment of that log: it was read from the clock of the process that wrote it.
    pub fn added(&self, row: &OneTimeKeyRow) -> Option<Moment> {
        let at = row.ts_added_ms?;
        let is_it = |upload: &&Upload| {
            let bare = |id: &String| id.split_once(':').map_or(id.as_str(), |(_, bare)| bare) == row.key_id;
            let of_device = row.user_id.as_ref().is_none_or(|user_id| *user_id == upload.user_id)
                && row.device_id.as_ref().is_none_or(|device_id| *device_id == upload.device_id);
            upload.at == at && of_device && upload.key_ids.iter().any(bare)
        };
        let logs = self.bundle.logs.iter().enumerate();
        let found = logs.filter_map(|(log, found)| Some((log, found.uploads.iter().find(is_it)?))).next();
        Some(found.map_or(Moment::at(Clock::Database, at), |(log, upload)| Moment::logged(log, upload)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::history::History;
    use crate::problem::Place;

    #[test]
    fn a_row_is_timed_by_the_log_that_shows_its_upload() {
        let adding = "2026-11-23 08:36:03,854 - synapse.handlers.e2e_keys - 955 - INFO - POST-48 - Adding one_time_keys dict_keys(['signed_curve25519:AAAAAAAAAA0']) for device 'D' for user '@a:h' at 1795422963777\n";
        let bundle = History::new("a row and its upload").file("homeserver.log", adding).bundle();
        let case = Case::of(&bundle);
        let row = |at: i64, id: &str| OneTimeKeyRow {
            user_id: Some("@a:h".into()),
            device_id: Some("D".into()),
            key_id: id.into(),
            ts_added_ms: Some(at),
            place: Place::Whole,
            algorithm: None,
            key: None,
            object: None,
        };
        let of_log = Moment::at(Clock::Log(0), 1_795_422_963_777).in_place(1);
        assert_eq!(case.added(&row(1_795_422_963_777, "AAAAAAAAAA0")), Some(of_log));
        for other in [row(1_795_422_963_778, "AAAAAAAAAA0"), row(1_795_422_963_777, "AAAAAAAAAA4")] {
            assert_eq!(case.added(&other).map(|added| added.clock), Some(Clock::Database), "{other:?}");
        }
    }
}

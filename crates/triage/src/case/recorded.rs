//! What a HAR could have shown. A request that its tab made and that it lacks proves something only if its recorder ran.

use super::Case;
use crate::moment::{Clock, Moment};

/// Nobody pauses a recorder and starts it again in less time than this, in milliseconds.
const PAUSE_MS: i64 = 1_000;

impl Case<'_> {
    /// Whether a HAR would show a request of its tab that began between two moments, the first by the HAR's clock. A recorder keeps
    /// a request if it runs when the request begins. So it ran whenever a request of the HAR began, and it may have been paused
    /// wherever none began for long.
    pub fn was_recorded(&self, har: usize, from: i64, to: Moment) -> bool {
        let found = &self.bundle.hars[har];
        let mut starts: Vec<i64> =
            found.entries.iter().map(|request| request.start).filter(|start| *start > from).collect();
        starts.sort_unstable();
        let mut last = from;
        for start in starts {
            if start - last >= PAUSE_MS {
                return false;
            }
            if self.clocks.is_before(to, Moment::at(Clock::Har(har), start)) {
                return !found.lacks_requests;
            }
            last = start;
        }
        false
    }
}

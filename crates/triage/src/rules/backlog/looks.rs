//! What the answers of the database say of a device's inbox, and when.

use crypto_diag_analysis::sorted::{distinct, sort_by_key};

use crate::case::Case;
use crate::moment::{Clock, Moment};
use crate::problem::Place;
use crate::subject::Device;
use crate::verdict::{ClockOf, Evidence};

/// What waited for a device in one answer of the database.
pub(super) struct Look {
    /// When the server was asked; `None` where nobody wrote it down.
    pub at: Option<i64>,
    /// How many, from which position to which; `None` if nothing waited.
    pub waiting: Option<(u64, i64, i64)>,
    pub evidence: Evidence,
}

impl Look {
    pub fn moment(&self) -> Option<Moment> {
        Some(Moment::at(Clock::Database, self.at?))
    }

    pub fn first(&self) -> Option<i64> {
        Some(self.waiting?.1)
    }
}

/// The looks at a device's inbox, those without a time first.
pub(super) fn looks(case: &Case<'_>, device: &Device) -> Vec<Look> {
    let mut looks: Vec<Look> = Vec::new();
    for results in &case.bundle.queries {
        let of_device = |user: Option<&str>, id: Option<&str>| {
            user == Some(&*device.user_id) && id.is_none_or(|id| id == device.device_id)
        };
        let mut add = |at: Option<i64>, waiting: Option<(u64, i64, i64)>, place: Place| {
            let text = match waiting {
                Some((count, first, last)) => format!("{count} pending, stream_id {first} to {last}"),
                None => "no row of this device in device_inbox".to_owned(),
            };
            let says = if waiting.is_some() { "messages wait on the server" } else { "nothing waits on the server" };
            let evidence = Evidence::new(&results.name, place, at, ClockOf::Server, &text, says);
            looks.push(Look { at, waiting, evidence });
        };
        let rows = results
            .inbox
            .iter()
            .filter(|row| row.device_id.is_some() && of_device(row.user_id.as_deref(), row.device_id.as_deref()));
        let times = distinct(rows.clone().map(|row| row.at));
        for at in &times {
            let same = rows.clone().filter(|row| row.at == *at);
            let first = same.clone().filter_map(|row| row.first_stream_id).min();
            let last = same.clone().filter_map(|row| row.last_stream_id).max();
            let (Some(first), Some(last), Some(row)) = (first, last, same.clone().next()) else { continue };
            add(*at, Some((same.map(|row| row.count).sum(), first, last)), row.place.clone());
        }
        for (user, id, at) in &results.inbox_of {
            if of_device(Some(user), id.as_deref()) && !times.contains(at) {
                add(*at, None, Place::Whole);
            }
        }
    }
    sort_by_key(&mut looks, |look| look.at);
    looks
}

/// A dated look at which nothing waited, later than each at which something did.
pub(super) fn empty_later(looks: &[Look]) -> Option<&Evidence> {
    let last = looks.last()?;
    let undated_rows = looks.iter().any(|look| look.at.is_none() && look.waiting.is_some());
    (last.at.is_some() && last.waiting.is_none() && !undated_rows).then_some(&last.evidence)
}

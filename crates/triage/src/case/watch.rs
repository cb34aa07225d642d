//! What a page's capture watched, and whether its report could have shown a thing. Absence counts through this alone.

use crypto_diag_analysis::Report;

use super::{Case, Page};
use crate::moment::Moment;

impl Page {
    /// When the capture watched the page: from its installation, or the last Clear, until the report was made. `None` if
    /// the report does not say since when.
    pub fn watched(&self, report: &Report) -> Option<(Moment, Moment)> {
        let capture = &report.capture;
        let from = capture.installed_at?.0.max(capture.cleared_at.map_or(0, |at| at.0));
        let (from, to) = (i64::try_from(from).ok()?, i64::try_from(report.generated_at.0).ok()?);
        Some((Moment::at(self.clock(), from), Moment::at(self.clock(), to)))
    }
}

impl Case<'_> {
    /// When a page began; `None` if its report does not say.
    pub fn begun(&self, page: &Page) -> Option<Moment> {
        let origin = self.report(page).capture.time_origin?;
        Some(Moment::at(page.clock(), i64::try_from(origin.0).ok()?))
    }
}

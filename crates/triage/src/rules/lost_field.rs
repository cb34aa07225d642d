//! Where an event lost what its decryption needs: what the rules of KE-3 have in common. The field that the error names is
//! looked for in the store, behind pruning, and in what arrived before the line was printed.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke3::{Defect, Ke3, Reason};

use crate::case::{Case, Page, exchange};
use crate::har::{ArrivedEvent, Exchange};
use crate::moment::{Clock, Moment};
use crate::need::Need;
use crate::proof::Premise;
use crate::query::EventRow;
use crate::subject::Subject;
use crate::synapse_log::Route;
use crate::verdict::{ClockOf, Evidence};

/// The fields of an encrypted event's content. A field of its plaintext is nowhere else to be seen.
const OUTER_FIELDS: [&str; 5] = ["algorithm", "ciphertext", "sender_key", "session_id", "device_id"];

/// Arrivals that a verdict quotes at most.
const QUOTED_MAX: usize = 3;

pub(super) const IS_MISSING: Premise = Premise {
    id: "lost-field/is-missing",
    says: "The client's error names a field and says that it is missing.",
    rules_out: "The fields are there and a value of theirs cannot be read, so that a field's presence says nothing.",
};

pub(super) const OUTER: Premise = Premise {
    id: "lost-field/outer",
    says: "The field is one of an encrypted event's own content: algorithm, ciphertext, sender_key, session_id or device_id.",
    rules_out: "The field is one of the plaintext, which only the client sees.",
};

pub(super) const STORED_WITH: Premise = Premise {
    id: "lost-field/stored-with",
    says: "The content that the server's database holds has the field.",
    rules_out: "The event was stored without the field.",
};

pub(super) const STORED_WITHOUT: Premise = Premise {
    id: "lost-field/stored-without",
    says: "The content that the server's database holds lacks the field.",
    rules_out: "The event is whole on the server.",
};

pub(super) const NOT_PRUNED: Premise = Premise {
    id: "lost-field/stored-not-pruned",
    says: "That content has other fields, and no redaction has rewritten it.",
    rules_out: "Synapse has pruned what it stored: after a redaction (have_censored), or since the event expired, which leaves no \
                row in redactions. Of an encrypted event's content pruning leaves nothing.",
};

pub(super) const ARRIVED_WITH: Premise = Premise {
    id: "lost-field/arrived-with",
    says: "A HAR of this page's browser shows the event arrive before the line was printed, each time with the field.",
    rules_out: "It was without the field when the client got it.",
};

pub(super) const ARRIVED_WITHOUT: Premise = Premise {
    id: "lost-field/arrived-without",
    says: "A HAR of this page's browser shows the event arrive before the line was printed, each time without the field.",
    rules_out: "It was whole when the client got it.",
};

pub(super) const ARRIVED_NEW: Premise = Premise {
    id: "lost-field/arrived-new",
    says: "It came first in an answer to a /sync with a since token, so that the client did not have it before.",
    rules_out: "The client had the event already, from its own store or by an answer that the HAR does not hold.",
};

/// An event that a client could not read for its content.
pub(super) struct LostField<'c> {
    pub page: &'c Page,
    pub event_id: &'c str,
    pub field: Option<&'c str>,
    defect: Option<Defect>,
    line: Evidence,
    stored: Vec<(&'c str, &'c EventRow)>,
    arrivals: Vec<(&'c ArrivedEvent, &'c Exchange, Evidence)>,
}

/// The events that clients could not read, each once a page.
pub(super) fn of_case<'c>(case: &'c Case<'_>) -> Vec<LostField<'c>> {
    let mut found: Vec<LostField<'c>> = Vec::new();
    for (report, entry, _, facts) in case.lines() {
        let Facts::Ke3(Ke3 { event_id: Some(event_id), field, defect, reason: Reason::Malformed, .. }) = facts else {
            continue;
        };
        let known = |other: &LostField<'_>| {
            other.page.report == report && other.event_id == event_id && other.field == field.as_deref()
        };
        let line = case.entry(report, entry, "the client could not read the event");
        let (false, Some(page), Some(line), Some(at)) =
            (found.iter().any(known), case.pages.get(report), line, case.printed(report, entry))
        else {
            continue;
        };
        found.push(LostField {
            page,
            event_id,
            field: field.as_deref(),
            defect: *defect,
            line,
            stored: stored(case, event_id),
            arrivals: arrivals(case, page, event_id, at),
        });
    }
    found
}

fn stored<'c>(case: &'c Case<'_>, event_id: &str) -> Vec<(&'c str, &'c EventRow)> {
    let rows = case
        .bundle
        .queries
        .iter()
        .flat_map(|results| results.events.iter().map(move |row| (results.name.as_str(), row)));
    rows.filter(|(_, row)| row.event_id == event_id).collect()
}

/// How the event came to this page, in answers to requests that were sent before the line was printed.
fn arrivals<'c>(
    case: &'c Case<'_>,
    page: &Page,
    event_id: &str,
    printed: Moment,
) -> Vec<(&'c ArrivedEvent, &'c Exchange, Evidence)> {
    let mut found = Vec::new();
    for har_index in &page.hars {
        let har = &case.bundle.hars[*har_index];
        for (index, request) in har.entries.iter().enumerate() {
            if !case.clocks.is_before(Moment::at(Clock::Har(*har_index), request.start), printed) {
                continue;
            }
            let events = request.facts.iter().flat_map(|facts| &facts.events);
            for event in events.filter(|event| event.event_id == event_id) {
                let fields = if event.fields.is_empty() { "no field".to_owned() } else { event.fields.join(", ") };
                found.push((event, request, exchange(har, index, format!("the event arrived with {fields}"))));
            }
        }
    }
    found.sort_by_key(|(_, request, _)| request.start);
    found
}

impl LostField<'_> {
    /// `$event field algorithm`.
    pub fn about(&self) -> (String, Subject) {
        let subject = Subject {
            device: self.page.device.clone(),
            event_id: Some(self.event_id.to_owned()),
            ..Subject::default()
        };
        (format!("{} field {}", self.event_id, self.field_name()), subject)
    }

    /// The field as sentences name it.
    pub fn field_name(&self) -> &str {
        self.field.unwrap_or("that cannot be read")
    }

    /// The line, the rows and the arrivals.
    pub fn evidence(&self) -> Vec<Evidence> {
        let rows = self.stored.iter().map(|(name, row)| self.row(name, row));
        let arrivals = self.arrivals.iter().take(QUOTED_MAX).map(|(.., piece)| piece.clone());
        [self.line.clone()].into_iter().chain(rows).chain(arrivals).collect()
    }

    fn row(&self, name: &str, row: &EventRow) -> Evidence {
        let has = match self.field.and_then(|field| row.has(field)) {
            Some(true) => "is there",
            Some(false) => "is absent",
            None => "was not asked for",
        };
        let redaction = match (row.knows_redaction, row.redacted, row.censored) {
            (false, ..) => "redactions not asked for",
            (true, false, _) => "not redacted",
            (true, true, Some(false)) => "redacted, stored content not rewritten",
            (true, true, _) => "redacted, stored content rewritten",
        };
        let others = row.fields.as_ref().map_or(String::new(), |fields| format!(", {} fields in all", fields.len()));
        let text = format!("{} content.{} {has}{others} ({redaction})", row.event_id, self.field_name());
        Evidence::new(name, row.place.clone(), None, ClockOf::Server, &text, "the event as the server holds it")
    }

    pub fn is_missing(&self) -> bool {
        self.defect == Some(Defect::Missing)
    }

    pub fn is_outer(&self) -> bool {
        self.field.is_some_and(|field| OUTER_FIELDS.contains(&field))
    }

    fn stored_has(&self, has: bool) -> bool {
        let told: Vec<bool> = self.stored.iter().filter_map(|(_, row)| row.has(self.field?)).collect();
        !told.is_empty() && told.iter().any(|told| *told) == has
    }

    pub fn stored_with(&self) -> bool {
        self.stored_has(true)
    }

    pub fn stored_without(&self) -> bool {
        self.stored_has(false)
    }

    /// Every row has other fields, and none was rewritten after a redaction.
    pub fn stored_not_pruned(&self) -> bool {
        let is_whole = |row: &EventRow| {
            row.fields.as_ref().is_some_and(|fields| !fields.is_empty())
                && !(row.redacted && row.censored != Some(false))
        };
        !self.stored.is_empty() && self.stored.iter().all(|(_, row)| is_whole(row))
    }

    fn arrived(&self, has: bool) -> bool {
        let field = |event: &ArrivedEvent| event.fields.iter().any(|name| Some(name.as_str()) == self.field);
        !self.arrivals.is_empty() && self.arrivals.iter().all(|(event, ..)| field(event) == has)
    }

    pub fn arrived_with(&self) -> bool {
        self.arrived(true)
    }

    pub fn arrived_without(&self) -> bool {
        self.arrived(false)
    }

    /// Each arrival has other fields and does not say that it was redacted.
    pub fn arrived_not_pruned(&self) -> bool {
        self.arrivals.iter().all(|(event, ..)| !event.fields.is_empty() && !event.redacted)
    }

    pub fn arrived_new(&self) -> bool {
        let first = self.arrivals.first();
        first.is_some_and(|(_, request, _)| request.route() == Route::Sync && request.uri.contains("since="))
    }

    pub fn ask_stored(&self) -> Vec<Need> {
        vec![Need::query(
            Some(self.page.report),
            "ke3-events",
            "the event as the server holds it, and whether Synapse has rewritten it (have_censored)",
        )]
    }

    pub fn ask_arrived(&self) -> Vec<Need> {
        vec![Need::har(self.page.report, "the event as it arrived, from before it was sent on")]
    }
}

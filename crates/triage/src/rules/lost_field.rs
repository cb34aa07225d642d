//! Where an event lost what its decryption needs: what the rules of KE-3 have in common. The field that the error names is
//! looked for in the store, behind pruning, and in what arrived before the line was printed.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::evidence::ke3::{Defect, Ke3, Reason};

use crate::case::{Case, Page, exchange};
use crate::conclusion::Conclusion;
use crate::har::{ArrivedEvent, Exchange};
use crate::moment::{Clock, Moment};
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::query::EventRow;
use crate::subject::Subject;
use crate::synapse_log::Route;
use crate::verdict::{ClockOf, Evidence, Sentences, Verdict};

/// The fields of an encrypted event's content. A field of its plaintext is nowhere else to be seen.
const OUTER_FIELDS: [&str; 5] = ["algorithm", "ciphertext", "sender_key", "session_id", "device_id"];

/// A proxy that records, and a browser that is busy, note an answer's end up to this long after the page has read it, in
/// milliseconds.
const NOTED_WITHIN_MS: i64 = 250;

/// Arrivals that a verdict quotes at most.
const QUOTED_MAX: usize = 3;

/// A premise about an event, whether it holds, and what would tell.
pub(super) type Check = (&'static Premise, (fn(&LostField<'_>) -> bool, fn(&LostField<'_>) -> Vec<Need>));

pub(super) const IS_MISSING: Check = (
    &Premise {
        id: "lost-field/is-missing",
        says: "The client's error names a field and says that it is missing.",
        rules_out: "The fields are there and a value of theirs cannot be read, so that a field's presence says nothing.",
    },
    (|event| event.defect == Some(Defect::Missing), nothing),
);

pub(super) const OUTER: Check = (
    &Premise {
        id: "lost-field/outer",
        says: "The field is one of an encrypted event's own content: algorithm, ciphertext, sender_key, session_id or device_id.",
        rules_out: "The field is one of the plaintext, which only the client sees.",
    },
    (|event| event.field.is_some_and(|field| OUTER_FIELDS.contains(&field)), nothing),
);

pub(super) const STORED_WITH: Check = (
    &Premise {
        id: "lost-field/stored-with",
        says: "The content that the server's database holds has the field.",
        rules_out: "The event was stored without the field.",
    },
    (|event| event.stored_has(true), ask_stored),
);

pub(super) const STORED_WITHOUT: Check = (
    &Premise {
        id: "lost-field/stored-without",
        says: "The content that the server's database holds lacks the field.",
        rules_out: "The event is whole on the server.",
    },
    (|event| event.stored_has(false), ask_stored),
);

pub(super) const NOT_PRUNED: Check = (
    &Premise {
        id: "lost-field/stored-not-pruned",
        says: "That content has other fields, and no redaction has rewritten it.",
        rules_out: "Synapse has pruned what it stored: after a redaction (have_censored), or since the event expired, which leaves no \
                    row in redactions. Of an encrypted event's content pruning leaves nothing.",
    },
    (|event| event.stored_not_pruned(), ask_stored),
);

pub(super) const ARRIVED_WITH: Check = (
    &Premise {
        id: "lost-field/arrived-with",
        says: "A HAR of this page's browser shows the event arrive before the line was printed, each time with the field.",
        rules_out: "It was without the field when the client got it.",
    },
    (|event| event.arrived(true), ask_arrived),
);

pub(super) const ARRIVED_WITHOUT: Check = (
    &Premise {
        id: "lost-field/arrived-without",
        says: "A HAR of this page's browser shows the event arrive before the line was printed, each time without the field.",
        rules_out: "It was whole when the client got it.",
    },
    (|event| event.arrived(false), ask_arrived),
);

pub(super) const ARRIVED_NEW: Check = (
    &Premise {
        id: "lost-field/arrived-new",
        says: "It came first in an answer to a /sync with a since token, so that the client did not have it before.",
        rules_out: "The client had the event already, from its own store or by an answer that the HAR does not hold.",
    },
    (|event| event.arrived_new(), ask_arrived),
);

pub(super) const ARRIVALS_SHOWN: Check = (
    &Premise {
        id: "lost-field/arrivals-shown",
        says: "The HAR would show another arrival: it has the body of each answer that may have come before the line, and requests began \
               so often between that arrival and the line that its recorder was not paused.",
        rules_out: "The line is about another copy of the event, in an answer that the HAR lacks or whose body was left out.",
    },
    (|event| event.shows_arrivals, ask_arrived),
);

pub(super) const NOT_ON_THE_WAY: Check = (
    &Premise {
        id: "lost-field/not-on-the-way",
        says: "The content that the server's database holds lacks the field, has others, and no redaction has rewritten it; or the event \
               came new with an incremental /sync and had the field, and the HAR would show any other arrival before the line.",
        rules_out: "It was whole on the server, and something took the field away before the client got it.",
    },
    (
        |event| {
            let was_stored_without = event.stored_has(false) && event.stored_not_pruned();
            was_stored_without || (event.arrived(true) && event.arrived_new() && event.shows_arrivals)
        },
        |event| ask_stored(event).into_iter().chain(ask_arrived(event)).collect(),
    ),
);

fn nothing(_: &LostField<'_>) -> Vec<Need> {
    Vec::new()
}

fn ask_stored(event: &LostField<'_>) -> Vec<Need> {
    let why = "the event as the server holds it, and whether Synapse has rewritten it (have_censored)";
    vec![Need::query(Some(event.page.report), "ke3-events", why)]
}

pub(super) fn ask_arrived(event: &LostField<'_>) -> Vec<Need> {
    vec![Need::har(event.page.report, "the event as it arrived, from before it was sent on")]
}

/// What a rule about lost fields says.
pub(super) struct Place {
    pub conclusion: Conclusion,
    pub proven_by: &'static [Check],
    pub refuted_by: &'static [Check],
    /// What is said of an event, a field and a page's label.
    pub sentences: fn(&str, &str, &str) -> Sentences,
}

/// The verdicts of a rule: one for each event that a page could not read.
pub(super) fn verdicts(case: &Case<'_>, place: &Place) -> Vec<Verdict> {
    let proof = |event: &LostField<'_>, checks: &[Check]| {
        checks.iter().fold(Proof::new(case).evidence(event.evidence()), |proof, (premise, (holds, ask))| {
            proof.premise(premise, holds(event), || ask(event))
        })
    };
    let verdict = |event: &LostField<'_>| {
        let sentences = (place.sentences)(event.event_id, event.field_name(), &case.label(event.page));
        let (proven, refuted) = (proof(event, place.proven_by), proof(event, place.refuted_by));
        Verdict::decide(case, place.conclusion, event.about(), proven, Some(refuted), sentences)
    };
    of_case(case).iter().map(verdict).collect()
}

/// An event that a client could not read for its content.
pub(super) struct LostField<'c> {
    page: &'c Page,
    event_id: &'c str,
    field: Option<&'c str>,
    defect: Option<Defect>,
    line: Evidence,
    stored: Vec<(&'c str, &'c EventRow)>,
    arrivals: Vec<Arrival<'c>>,
    /// Whether the HAR would show another arrival.
    shows_arrivals: bool,
}

/// One answer that brought the event, or may have brought it, before the line was printed.
struct Arrival<'c> {
    /// The HAR, by index.
    har: usize,
    event: &'c ArrivedEvent,
    request: &'c Exchange,
    /// Whether it was there before the line for certain: an answer may come late to a request that was sent before.
    is_before: bool,
    evidence: Evidence,
}

/// The events that clients could not read, each once a page.
fn of_case<'c>(case: &'c Case<'_>) -> Vec<LostField<'c>> {
    let mut found: Vec<LostField<'c>> = Vec::new();
    for (report, entry, _, facts) in case.lines() {
        let Facts::Ke3(Ke3 { event_id: Some(event_id), field, defect, reason: Reason::Malformed, .. }) = facts else {
            continue;
        };
        // No field is named, so that one's presence would say nothing: another rule asks for the value.
        if *defect == Some(Defect::NoPublicKey) {
            continue;
        }
        let known = |other: &LostField<'_>| {
            other.page.report == report && other.event_id == event_id && other.field == field.as_deref()
        };
        let line = case.entry(report, entry, "the client could not read the event");
        let (false, Some(page), Some(line), Some(at)) =
            (found.iter().any(known), case.pages.get(report), line, case.printed(report, entry))
        else {
            continue;
        };
        let arrivals = arrivals(case, page, event_id, at);
        found.push(LostField {
            page,
            event_id,
            field: field.as_deref(),
            defect: *defect,
            line,
            stored: stored(case, event_id),
            shows_arrivals: shows_arrivals(case, page, &arrivals, at),
            arrivals,
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
fn arrivals<'c>(case: &'c Case<'_>, page: &Page, event_id: &str, printed: Moment) -> Vec<Arrival<'c>> {
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
                let answered = Moment::at(Clock::Har(*har_index), request.end() - NOTED_WITHIN_MS);
                let is_before = case.clocks.is_before(answered, printed);
                let evidence = exchange(har, index, format!("the event arrived with {fields}"));
                found.push(Arrival { har: *har_index, event, request, is_before, evidence });
            }
        }
    }
    found.sort_by_key(|arrival| arrival.request.start);
    found
}

/// Whether the page's HARs would show another arrival before the line was printed. The event came new with the first one: before
/// that there was none.
fn shows_arrivals(case: &Case<'_>, page: &Page, arrivals: &[Arrival<'_>], printed: Moment) -> bool {
    let may_bring = |har: usize, request: &Exchange| {
        matches!(request.route(), Route::Sync | Route::Other)
            && case.clocks.is_before(Moment::at(Clock::Har(har), request.start), printed)
    };
    let has_bodies = page.hars.iter().all(|har| {
        case.bundle.hars[*har].entries.iter().all(|request| request.lost.is_none() || !may_bring(*har, request))
    });
    has_bodies && arrivals.first().is_some_and(|first| case.was_recorded(first.har, first.request.end(), printed))
}

impl LostField<'_> {
    /// `$event field algorithm`.
    fn about(&self) -> (String, Subject) {
        let subject = Subject {
            device: self.page.device.clone(),
            event_ids: vec![self.event_id.to_owned()],
            ..Subject::default()
        };
        (format!("{} field {}", self.event_id, self.field_name()), subject)
    }

    /// The field as sentences name it.
    fn field_name(&self) -> &str {
        self.field.unwrap_or("that cannot be read")
    }

    /// The line, the rows and the arrivals.
    fn evidence(&self) -> Vec<Evidence> {
        let rows = self.stored.iter().map(|(name, row)| self.row(name, row));
        let arrivals = self.arrivals.iter().take(QUOTED_MAX).map(|arrival| arrival.evidence.clone());
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

    fn stored_has(&self, has: bool) -> bool {
        let told: Vec<bool> = self.stored.iter().filter_map(|(_, row)| row.has(self.field?)).collect();
        !told.is_empty() && told.iter().any(|told| *told) == has
    }

    /// Every row has other fields, and none was rewritten after a redaction.
    fn stored_not_pruned(&self) -> bool {
        let is_whole = |row: &EventRow| {
            row.fields.as_ref().is_some_and(|fields| !fields.is_empty())
                && !(row.redacted && row.censored != Some(false))
        };
        !self.stored.is_empty() && self.stored.iter().all(|(_, row)| is_whole(row))
    }

    fn arrived(&self, has: bool) -> bool {
        let field = |event: &ArrivedEvent| event.fields.iter().any(|name| Some(name.as_str()) == self.field);
        self.arrivals.iter().any(|arrival| arrival.is_before)
            && self.arrivals.iter().all(|arrival| field(arrival.event) == has)
    }

    /// The client did not have the event before the first arrival.
    fn arrived_new(&self) -> bool {
        let first = self.arrivals.first();
        first.is_some_and(|Arrival { request, .. }| request.route() == Route::Sync && request.uri.contains("since="))
    }

    /// Each arrival has other fields and does not say that it was redacted.
    pub fn arrived_not_pruned(&self) -> bool {
        self.arrivals.iter().all(|arrival| !arrival.event.fields.is_empty() && !arrival.event.redacted)
    }
}

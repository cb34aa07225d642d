//! Q3: an event lacks a field. The field that the error names is looked for in the store, behind redaction, and in what
//! arrived.

use crypto_diag_analysis::evidence::ke3::{Ke3, Reason};
use crypto_diag_analysis::evidence::{self, Evidence as Facts};

use super::Case;
use crate::case::{Page, exchange};
use crate::har::ArrivedEvent;
use crate::query::EventRow;
use crate::verdict::{Claim, ClockOf, Evidence, Fetch, Verdict};

/// The fields of an encrypted event's content. A field of its plaintext is nowhere else to be seen.
const OUTER_FIELDS: [&str; 5] = ["algorithm", "ciphertext", "sender_key", "session_id", "device_id"];

pub(super) fn verdicts(case: &Case<'_>) -> Vec<Verdict> {
    let mut known: Vec<(String, String)> = Vec::new();
    let mut verdicts = Vec::new();
    for page in &case.pages {
        for (index, entry) in case.report(page).entries() {
            let Some(Facts::Ke3(line)) = evidence::read(entry) else { continue };
            let Ke3 { event_id: Some(event_id), field: Some(field), reason: Reason::Malformed, .. } = line else {
                continue;
            };
            let key = (event_id.clone(), format!("{} {field}", case.label(page)));
            if known.contains(&key) {
                continue;
            }
            known.push(key);
            let line = case.entry(page.report, index, "the client could not read the event");
            verdicts.extend(place(case, page, &event_id, &field, line));
        }
    }
    verdicts
}

/// What the database says of the field.
enum Stored {
    /// It is there.
    Has,
    /// It is not, and never was: the event is as it was stored first.
    Lacks,
    /// It is not, but Synapse has rewritten the event since, or may have.
    LacksNow,
    Unknown,
}

fn stored(rows: &[(&str, &EventRow)], field: &str) -> (Stored, Vec<Evidence>) {
    let mut stored = Stored::Unknown;
    let mut pieces = Vec::new();
    for (name, row) in rows {
        let Some(has) = row.has(field) else { continue };
        let redaction = match (row.knows_redaction, row.redacted, row.censored) {
            (false, ..) => "redactions not asked for",
            (true, false, _) => "not redacted",
            (true, true, Some(false)) => "redacted, stored content not rewritten",
            (true, true, _) => "redacted, stored content rewritten",
        };
        let text =
            format!("{} content.{field} {} ({redaction})", row.event_id, if has { "is there" } else { "is absent" });
        pieces.push(Evidence::new(
            name,
            row.place.clone(),
            None,
            ClockOf::Server,
            &text,
            "the event as the server holds it",
        ));
        let untouched = row.knows_redaction && (!row.redacted || row.censored == Some(false));
        stored = match (stored, has) {
            (_, true) => Stored::Has,
            // One row for each redaction: any that may have rewritten the event decides.
            (Stored::LacksNow, false) => Stored::LacksNow,
            (_, false) if untouched => Stored::Lacks,
            (_, false) => Stored::LacksNow,
        };
    }
    (stored, pieces)
}

fn place(case: &Case<'_>, page: &Page, event_id: &str, field: &str, line: Option<Evidence>) -> Vec<Verdict> {
    let about = format!("{event_id} field {field}");
    let rows: Vec<(&str, &EventRow)> = case
        .bundle
        .queries
        .iter()
        .flat_map(|results| results.events.iter().map(move |row| (results.name.as_str(), row)))
        .filter(|(_, row)| row.event_id == event_id)
        .collect();
    let (stored, pieces) = stored(&rows, field);
    let arrivals = arrivals(case, page, event_id);
    let has = |event: &ArrivedEvent| event.fields.iter().any(|name| name == field);
    let lacks = |event: &ArrivedEvent| !has(event) && !event.redacted;
    let arrived_whole = !arrivals.is_empty() && arrivals.iter().all(|(event, _)| has(event));
    let arrived_without = !arrivals.is_empty() && arrivals.iter().all(|(event, _)| lacks(event));
    let evidence: Vec<Evidence> =
        line.into_iter().chain(pieces).chain(arrivals.into_iter().take(3).map(|(_, piece)| piece)).collect();
    let proven = |claim, statement: String, refute: &str| {
        Verdict::proven(claim, &about, statement).evidence(evidence.clone()).would_refute(refute)
    };
    let refuted = |claim, statement: &str| {
        Verdict::refuted(claim, &about, statement)
            .evidence(evidence.clone())
            .would_refute("The field's absence in the stored event.")
    };
    if !OUTER_FIELDS.contains(&field) {
        return unknown(
            &about,
            &evidence,
            "the field may be one of the plaintext, which only the client sees",
            Vec::new(),
        );
    }
    match stored {
        Stored::Lacks => vec![
            proven(
                Claim::MalformedOnServer,
                format!("Event {event_id} was stored without `{field}`: its sender, or the sender's server, made it so."),
                "The field standing in the stored content.",
            )
            .ruled_out("A redaction that took the field away: the stored content was not rewritten.")
            .ruled_out("A client that cannot read a whole event."),
        ],
        Stored::Has if arrived_whole => vec![
            proven(
                Claim::ClientBug,
                format!("Event {event_id} has `{field}` on the server and had it when it arrived, and the client reported it missing."),
                "An arrival of the event without the field.",
            )
            .open("The event reached the client another way as well, which the HAR does not hold."),
            refuted(Claim::MalformedOnServer, "The stored event has the field."),
        ],
        Stored::Has if arrived_without => vec![
            proven(
                Claim::StrippedOnTheWay,
                format!("Event {event_id} has `{field}` on the server and arrived without it: something in between took it away."),
                "An arrival of the event with the field.",
            )
            .ruled_out("A redaction: the stored content has the field, and what arrived does not say that it was redacted.")
            .ruled_out("A client that cannot read a whole event."),
            refuted(Claim::MalformedOnServer, "The stored event has the field."),
        ],
        Stored::Has => {
            let fetch = vec![case.fetch_har(page, "the event as it arrived")];
            let why = "the stored event has the field, and no HAR shows how it arrived";
            let mut verdicts = unknown(&about, &evidence, why, fetch);
            verdicts.retain(|verdict| verdict.claim != Claim::MalformedOnServer);
            verdicts.push(refuted(Claim::MalformedOnServer, "The stored event has the field."));
            verdicts
        }
        Stored::LacksNow => {
            let why = "the stored event lacks the field now, and may have been rewritten after a redaction";
            unknown(&about, &evidence, why, vec![case.query(page.report, "ke3-events", "whether Synapse has rewritten it (have_censored)")])
        }
        Stored::Unknown => {
            let fetch = vec![case.query(page.report, "ke3-events", "the event as the server holds it, and whether it was redacted")];
            unknown(&about, &evidence, "what the server holds is not known", fetch)
        }
    }
}

fn unknown(about: &str, evidence: &[Evidence], why: &str, fetch: Vec<Fetch>) -> Vec<Verdict> {
    [
        (Claim::MalformedOnServer, "was stored without it"),
        (Claim::StrippedOnTheWay, "lost it on its way"),
        (Claim::ClientBug, "was whole when the client read it"),
    ]
    .into_iter()
    .map(|(claim, what)| {
        Verdict::unknown(claim, about, format!("Whether the event {what} cannot be told: {why}."), fetch.clone())
            .evidence(evidence.iter().cloned())
            .would_refute("The stored content, and the content as it arrived, side by side.")
    })
    .collect()
}

/// How the event arrived at this page, as its HARs show.
fn arrivals<'c>(case: &'c Case<'_>, page: &Page, event_id: &str) -> Vec<(&'c ArrivedEvent, Evidence)> {
    let mut found = Vec::new();
    for har in page.hars.iter().map(|har| &case.bundle.hars[*har]) {
        for (index, request) in har.entries.iter().enumerate() {
            let events = request.facts.iter().flat_map(|facts| &facts.events);
            for event in events.filter(|event| event.event_id == event_id) {
                let says = format!("the event arrived with the fields {}", event.fields.join(", "));
                found.push((event, exchange(har, index, says)));
            }
        }
    }
    found
}

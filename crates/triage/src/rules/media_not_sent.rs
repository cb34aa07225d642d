//! A page sends no sound itself: what its own user says that others do not hear.

use crypto_diag_analysis::call::flow::{self, Arrival};
use crypto_diag_core::{CallFacts, Direction, MediaKind, MediaStream};

use super::heard::{self, Heard};
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::Subject;
use crate::verdict::{Sentences, Verdict};

const SILENT: Premise = Premise {
    id: "media-not-sent/silent",
    says: "Each sender of sound that the page has is switched off, or its microphone gives nothing, or no packet of it left between two samples of the statistics; or the page has no such sender.",
    rules_out: "The page sends its microphone's sound.",
};

const ALL_SHOWN: Premise = Premise {
    id: "media-not-sent/all-shown",
    says: "The report lists every sender of the page's connections, and some stream among them.",
    rules_out: "The sound goes by a sender that the report does not list.",
};

const GOES: Premise = Premise {
    id: "media-not-sent/goes",
    says: "Packets of a sender of sound that is switched on left between two samples of the statistics, and the page is in one call alone.",
    rules_out: "",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MediaNotSent,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "Statistics count what left the page. A microphone that is switched off sends silence or nothing, and a page without its own \
               media key drops what it would send. It is said of the second in which the statistics were taken. Pictures do not count: \
               nobody may want them.",
    proven_by: &[&SILENT, &ALL_SHOWN],
    refuted_by: &[&GOES],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    case.pages.iter().filter_map(|page| judge(case, page)).collect()
}

/// Whether a sender is off by what its track says.
fn is_off(stream: &MediaStream) -> bool {
    stream.enabled == Some(false) || stream.muted == Some(true)
}

fn senders(said: &CallFacts) -> Vec<&MediaStream> {
    let is_sound = |stream: &&MediaStream| stream.direction == Direction::Sending && stream.kind == MediaKind::Audio;
    said.streams.iter().filter(is_sound).collect()
}

/// Why a page sends no sound, as far as its senders of sound show it.
fn why(sent: &[&MediaStream]) -> &'static str {
    if sent.is_empty() {
        "it has no sender of sound"
    } else if sent.iter().all(|stream| is_off(stream)) {
        "its microphone is switched off or gives nothing"
    } else {
        "no packet of it leaves the page"
    }
}

/// That a participant's own page sent no sound at a time when none came to another one, and why. `None` where no report of that page is
/// given, or where its time need not be within that silence.
pub(super) fn at_its_source(case: &Case<'_>, heard: &Heard<'_>) -> Option<(Verdict, String)> {
    let (from, until) = heard.quiet_sound()?;
    heard.own_pages(case).into_iter().find_map(|page| {
        let said = case.report(page).call.as_ref()?;
        let times: Option<Vec<i64>> = said
            .streams
            .iter()
            .flat_map(|stream| &stream.samples)
            .map(|sample| i64::try_from(sample.ts.0).ok())
            .collect();
        let times = times?;
        let (first, last) = (*times.iter().min()?, *times.iter().max()?);
        let at = |ms: i64| Moment::at(page.clock(), ms);
        let is_within = case.clocks.is_before(from, at(first)) && case.clocks.is_before(at(last), until);
        let verdict = judge(case, page).filter(|verdict| is_within && verdict.is_proven())?;
        let says = format!(
            "Within that silence, at {} by its own clock, the page of {} sent no sound: {}.",
            stamp::print(last),
            heard.who(),
            why(&senders(said))
        );
        Some((verdict, says))
    })
}

fn judge(case: &Case<'_>, page: &Page) -> Option<Verdict> {
    let said = case.report(page).call.as_ref()?;
    // A client that only observes the call has joined nothing.
    let is_joined = said.session.as_ref().filter(|session| session.own).and_then(|session| session.joined);
    if is_joined == Some(false) || said.streams.is_empty() {
        return None;
    }
    let sent = senders(said);
    let stands = |stream: &MediaStream| matches!(flow::arrival(stream), Arrival::Nothing { .. });
    let goes = |stream: &MediaStream| !is_off(stream) && stream.enabled == Some(true) && flow::comes(stream);
    let label = case.label(page);
    let last = said.streams.iter().filter_map(|stream| stream.samples.last()).map(|sample| sample.ts.0).max();
    let when = stamp::print(i64::try_from(last.unwrap_or_default()).unwrap_or(i64::MAX));
    let quotes: Vec<_> = sent.iter().map(|stream| heard::quoted(case, page, stream, "what the page sends")).collect();
    let whose = page.device.clone().map_or_else(|| Whose::Somebody(label.clone()), Whose::Device);
    let again = || {
        vec![Need::report(
            whose.clone(),
            ReportTime::SameCall,
            "whether its own sound leaves the page: made while its user speaks",
        )]
    };
    let all_shown = case.shows_connections(page) && said.omitted == 0;
    let proof = Proof::new(case)
        .evidence(quotes.clone())
        .premise(&SILENT, sent.iter().all(|stream| is_off(stream) || stands(stream)), again)
        .premise(&ALL_SHOWN, all_shown, again);
    let refutation = Proof::new(case).evidence(quotes).premise(
        &GOES,
        sent.iter().any(|stream| goes(stream)) && heard::is_one_call(case, page),
        Vec::new,
    );
    let own = case.readings[page.report].facts.call.as_ref().and_then(|call| call.own.as_ref());
    let lacks_key = own.and_then(|own| own.open_errors().last());
    let why = why(&sent);
    let sentences = Sentences {
        proven: format!("At {when} by its own clock, {label} sent no sound: {why}."),
        refuted: format!("At {when} by its own clock, sound of {label} left its page."),
        unknown: format!("Whether sound of {label} left its page at {when} cannot be told."),
    };
    let subject = Subject {
        device: page.device.clone(),
        report: Some(case.report_name(page.report).to_owned()),
        participant: own.and_then(|own| own.identity.clone()),
        ..Subject::default()
    };
    let verdict =
        Verdict::decide(case, Conclusion::MediaNotSent, (label.clone(), subject), proof, Some(refutation), sentences);
    Some(
        match lacks_key.and_then(|error| case.entry(page.report, error.entry, "its own frames could not be encrypted"))
        {
            Some(line) if verdict.is_proven() => verdict
                .evidence([line])
                .how("A line says that this device lacked its own media key: LiveKit then drops what it would send."),
            _ => verdict,
        },
    )
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::call::{ALICE, Held, history, sound};

    let about = "@alice:example.org/ALICE";
    let speaks = || sound(50.0, 0.0, 0.0, 0.0, 0.2);
    let stands = || sound(0.0, 0.0, 0.0, 0.0, 0.2);
    let off = || crypto_diag_core::MediaStream { enabled: Some(false), ..speaks() };
    let own_key = format!("CryptorError: key set not found for {ALICE} at index 0");
    vec![
        history("Alice speaks", Held::default().sent(speaks())).refutes("media-not-sent", about),
        history(
            "Alice speaks in another call, and her microphone is off in this one",
            Held::default()
                .sent(off())
                .sent(crypto_diag_core::MediaStream { path: Some("/elsewhere".to_owned()), ..speaks() }),
        )
        .never_refutes("media-not-sent", ""),
        history("Alice's microphone is switched off", Held::default().sent(off()))
            .proves("media-not-sent", about)
            .never_refutes("media-not-sent", ""),
        history("Alice's client lacks its own key", Held::default().sent(stands()).line(60_000, &own_key))
            .proves("media-not-sent", about),
        history("Alice has no microphone", Held::default().of_bob(speaks())).proves("media-not-sent", about),
        history(
            "the statistics of what Alice sends were taken once",
            Held::default().sent(speaks()).but(|call| call.streams[0].samples.truncate(1)),
        )
        .never_proves("media-not-sent", "")
        .never_refutes("media-not-sent", ""),
        history(
            "Alice speaks by a sender that is not listed",
            Held::default().of_bob(speaks()).but(|call| call.omitted = 3),
        )
        .never_proves("media-not-sent", ""),
    ]
}

//! The story: one sentence with the cause first, who is affected, what is open, and the one thing to fetch next.

use crypto_diag_analysis::sorted::{distinct, sort_by_key};
use crypto_diag_core::CaptureState;
use serde::Serialize;

use super::chain::{self, Link};
use super::plain;
use super::questions::Coverage;
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::stamp;
use crate::verdict::{Answer, ClockOf, Fetch, Verdict};

/// Causes that the sentence tells; what is beyond is counted.
const CAUSES_MAX: usize = 3;

/// What the verdicts add up to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Story {
    /// The whole in plain words. Ids in it are verbatim and may be hostile: show it as text.
    pub sentence: String,
    /// Cause and effect between the answer's verdicts.
    pub links: Vec<Link>,
    /// The verdicts that nothing proven explains: where reading begins.
    pub causes: Vec<usize>,
    /// The devices that a proven fault is about.
    pub affected: Vec<String>,
    /// Questions that are open, of four.
    pub open: usize,
    /// The one cheapest thing that would settle most of what is unknown.
    pub next: Option<Next>,
}

/// What to fetch next.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Next {
    /// The artefact, what it would tell, and how to get it.
    #[serde(flatten)]
    pub fetch: Fetch,
    /// The verdicts that it bears on, by index.
    pub settles: Vec<usize>,
}

/// Tells the story of verdicts that have an exit code.
pub(crate) fn story(case: &Case<'_>, exit_code: u8, verdicts: &[Verdict], questions: &[Coverage]) -> Story {
    let links = chain::links(verdicts);
    let causes = chain::causes(verdicts, &links);
    let open = questions.iter().filter(|question| question.is_open()).count();
    let affected = verdicts
        .iter()
        .filter(|verdict| verdict.is_proven() && verdict.conclusion.is_fault())
        .filter_map(|verdict| verdict.subject.device.as_ref())
        .map(|device| device.label());
    Story {
        sentence: sentence(exit_code, verdicts, &links, &causes, questions) + &blind(case),
        affected: distinct(affected),
        next: next(verdicts),
        links,
        causes,
        open,
    }
}

fn sentence(exit_code: u8, verdicts: &[Verdict], links: &[Link], causes: &[usize], questions: &[Coverage]) -> String {
    let is_open: Vec<&str> = questions
        .iter()
        .filter(|question| question.is_open())
        .map(|question| question.question.text().split(':').next().unwrap_or_default())
        .collect();
    let open = match &is_open[..] {
        [] => String::new(),
        [one] => format!(" Not everything is known about {one}."),
        [first @ .., last] => format!(" Not everything is known about {} and {last}.", first.join(", ")),
    };
    match exit_code {
        3 => "Nothing that was given could be read.".to_owned(),
        1 => format!("Proven: {}{open}{}", told(verdicts, links, causes), media(verdicts, links)),
        2 if is_of_media(verdicts) => format!("No fault of encryption is proven.{open}{}", media(verdicts, links)),
        2 => format!("Nothing is proven to be wrong.{open}"),
        0 if is_of_media(verdicts) => format!(
            "No fault of encryption: each of the four questions was looked at by something that would have shown one.{}",
            media(verdicts, links)
        ),
        _ => "Nothing is wrong: each of the four questions was looked at by something that would have shown a fault."
            .to_owned(),
    }
}

/// What is no fault of encryption and what people mean who say that they do not hear somebody, in the order in which it is told.
const OF_MEDIA: [Conclusion; 3] = [Conclusion::MediaNotArriving, Conclusion::MediaNotSent, Conclusion::MediaDecoded];

fn is_of_media(verdicts: &[Verdict]) -> bool {
    verdicts.iter().any(|verdict| verdict.is_proven() && OF_MEDIA.contains(&verdict.conclusion))
}

/// A sentence for each thing that is proven of the media of a call and is no fault of encryption; one for both sides of a direction
/// where they are joined.
fn media(verdicts: &[Verdict], links: &[Link]) -> String {
    let is_of_media = |at: &usize| OF_MEDIA.contains(&verdicts[*at].conclusion);
    let cause = |at: usize| links.iter().find(|link| link.effect == at).map(|link| link.cause).filter(is_of_media);
    let is_told_below = |at: usize| links.iter().any(|link| link.cause == at && cause(link.effect) == Some(at));
    let proven = |at: &usize| verdicts[*at].is_proven() && is_of_media(at) && !is_told_below(*at);
    let mut told: Vec<usize> = (0..verdicts.len()).filter(proven).collect();
    sort_by_key(&mut told, |at| OF_MEDIA.iter().position(|conclusion| *conclusion == verdicts[*at].conclusion));
    let clause = |at: usize| plain::clause(verdicts[at].conclusion, &verdicts[at].subject, verdicts[at].count);
    let sentence = |at: &usize| {
        let end = match (verdicts[*at].conclusion, cause(*at)) {
            (_, Some(cause)) => format!(", since {}", clause(cause)),
            (Conclusion::MediaDecoded, None) => {
                " as the report is made: if it is not heard then, encryption is not why".to_owned()
            }
            (Conclusion::MediaNotArriving, None) => ": its decryption is not why".to_owned(),
            _ => String::new(),
        };
        format!(" {}{end}.", capitalised(&clause(*at)))
    };
    let mut sentences: String = told.iter().take(CAUSES_MAX).map(sentence).collect();
    if told.len() > CAUSES_MAX {
        let more = told.len() - CAUSES_MAX;
        let stand = if more == 1 { "sentence stands" } else { "sentences stand" };
        sentences.push_str(&format!(" {more} more such {stand} below."));
    }
    sentences
}

/// The causes in their order, each with its effects.
fn told(verdicts: &[Verdict], links: &[Link], causes: &[usize]) -> String {
    let mut told: Vec<String> = Vec::new();
    let mut known: Vec<(Conclusion, &crate::subject::Subject)> = Vec::new();
    let mut more = 0;
    // A sighting that nothing explains is told only where there is nothing better to tell.
    let only_sightings = causes.iter().all(|cause| verdicts[*cause].conclusion.is_sighting());
    for cause in causes {
        let verdict = &verdicts[*cause];
        if verdict.conclusion.is_sighting() && !only_sightings {
            continue;
        }
        // One storm over many keys or messages is one cause.
        let same = |(conclusion, subject): &(Conclusion, &crate::subject::Subject)| {
            *conclusion == verdict.conclusion
                && (subject.device.as_ref(), &subject.peer, &subject.room_id)
                    == (verdict.subject.device.as_ref(), &verdict.subject.peer, &verdict.subject.room_id)
        };
        if known.iter().any(same) {
            continue;
        }
        known.push((verdict.conclusion, &verdict.subject));
        if told.len() == CAUSES_MAX {
            more += 1;
            continue;
        }
        told.push(tell(verdicts, links, *cause));
    }
    if more > 0 {
        told.push(format!("{more} more {} below.", if more == 1 { "cause stands" } else { "causes stand" }));
    }
    // The first follows a colon, each other begins a sentence.
    let rest = told.split_off(told.len().min(1));
    told.extend(rest.iter().map(|clause| format!(" {}", capitalised(clause))));
    told.concat()
}

/// A capture that was not running, and why: its page's report says little, and a person should know that first.
fn blind(case: &Case<'_>) -> String {
    let not_running = |page: &&Page| {
        let report = case.report(page);
        // What an earlier page stored says nothing of its capture, which ran: else nothing were stored.
        !report.is_of_earlier_page() && report.capture.state != CaptureState::Capturing
    };
    match case.pages.iter().find(not_running).map(|page| case.report(page).capture.reason.as_deref()) {
        None => String::new(),
        Some(None) => " The capture was not running when the report was made.".to_owned(),
        Some(Some(reason)) => format!(" The capture was not running when the report was made: {reason}"),
    }
}

/// "device A of @a:x went back to an older copy of its keys; that is why it … (22:54:59 by the page's clock)."
fn tell(verdicts: &[Verdict], links: &[Link], cause: usize) -> String {
    let root = &verdicts[cause];
    let mut under: Vec<usize> = Vec::new();
    // All verdicts of the root's kind about its device are told in one breath, so their effects are its effects.
    let mut open: Vec<usize> = (0..verdicts.len())
        .filter(|index| {
            let other = &verdicts[*index];
            other.is_proven() && other.conclusion == root.conclusion && other.subject.device == root.subject.device
        })
        .collect();
    while let Some(next) = open.pop() {
        for effect in links.iter().filter(|link| link.cause == next).map(|link| link.effect) {
            if !under.contains(&effect) {
                under.push(effect);
                open.push(effect);
            }
        }
    }
    let under = distinct(under);
    let mut clauses: Vec<String> = Vec::new();
    for effect in &under {
        let verdict = &verdicts[*effect];
        let is_step = matches!(verdict.conclusion, Conclusion::Diverged | Conclusion::SameIdentity);
        if verdict.conclusion.is_sighting() || (is_step && under.len() > 1) {
            continue;
        }
        let clause = plain::clause(verdict.conclusion, &verdict.subject, messages(verdicts, &under, verdict));
        if !clauses.contains(&clause) {
            clauses.push(clause);
        }
    }
    let mut sentence = plain::clause(root.conclusion, &root.subject, messages(verdicts, &[cause], root));
    // The device was named; within its own sentence "it" is plainer.
    if let Some(device) = &root.subject.device {
        let name = plain::who(Some(device));
        clauses.iter_mut().for_each(|clause| *clause = clause.replace(&name, "it"));
    }
    if !clauses.is_empty() {
        sentence.push_str("; that is why ");
        sentence.push_str(&clauses.join(", and "));
    }
    let last = under.last().map_or(root, |effect| &verdicts[*effect]);
    if let Some((at, clock)) = last.evidence.iter().find_map(|piece| Some((piece.at?, piece.clock))) {
        let printed = stamp::print(at);
        let clock = match clock {
            ClockOf::Client => "the page's clock",
            ClockOf::Server => "the server's clock",
        };
        sentence.push_str(&format!(" ({printed} by {clock})"));
    }
    sentence.push('.');
    sentence
}

/// Messages that verdicts of one conclusion about one device name together.
fn messages(verdicts: &[Verdict], among: &[usize], of: &Verdict) -> usize {
    let ids = among
        .iter()
        .map(|index| &verdicts[*index])
        .filter(|verdict| verdict.conclusion == of.conclusion && verdict.subject.device == of.subject.device)
        .flat_map(|verdict| verdict.subject.message_ids.iter().map(String::as_str));
    distinct(ids).len()
}

/// The fetch that most of the unknown verdicts ask for; of equal ones the cheapest.
fn next(verdicts: &[Verdict]) -> Option<Next> {
    let mut wanted: Vec<Next> = Vec::new();
    for (index, verdict) in verdicts.iter().enumerate() {
        let Answer::Unknown { fetch } = &verdict.answer else { continue };
        for fetch in fetch {
            match wanted.iter_mut().find(|known| known.fetch.how == fetch.how) {
                Some(known) => known.settles.push(index),
                None => wanted.push(Next { fetch: fetch.clone(), settles: vec![index] }),
            }
        }
    }
    wanted.into_iter().max_by_key(|wanted| (wanted.settles.len(), std::cmp::Reverse(cost(wanted.fetch.artefact))))
}

/// What an artefact costs its giver, as a rank: a click, a query, access to the server's files, a recording in DevTools.
fn cost(artefact: ArtefactKind) -> u8 {
    match artefact {
        ArtefactKind::Report => 0,
        ArtefactKind::QueryResults => 1,
        ArtefactKind::ServerLog => 2,
        ArtefactKind::Latency => 3,
        ArtefactKind::Har => 4,
        ArtefactKind::Console | ArtefactKind::Rageshake | ArtefactKind::Manifest | ArtefactKind::Other => 5,
    }
}

fn capitalised(text: &str) -> String {
    let mut characters = text.chars();
    characters.next().map_or(String::new(), |first| first.to_uppercase().chain(characters).collect())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::subject::{Device, Subject};

    fn proven(conclusion: Conclusion, messages: &[&str], peer: Option<&str>) -> Verdict {
        let subject = Subject {
            device: Some(Device::new("@alice:x", "A")),
            one_time_keys: vec!["k".to_owned()],
            message_ids: messages.iter().map(|id| (*id).to_owned()).collect(),
            peer_user_id: peer.map(str::to_owned),
            ..Subject::default()
        };
        let mut verdict = Verdict::example(conclusion, Answer::Proven, "");
        verdict.subject = subject;
        verdict
    }

    fn tell_of(exit_code: u8, verdicts: &[Verdict]) -> Story {
        let bundle = crate::bundle::Bundle::new();
        story(&Case::of(&bundle), exit_code, verdicts, &[])
    }

    #[test]
    fn an_earlier_page_is_no_capture_that_was_not_running() {
        use crate::history::{History, MadeUpPage};
        let page = |from| MadeUpPage::new(("@alice:x", "A"), from, from + 60_000);
        let told = |bytes: Vec<u8>| {
            let bundle = History::new("one report").file("a.report.json", bytes).bundle();
            blind(&Case::of(&bundle))
        };
        let now = 1_795_424_000_000;
        assert_eq!(told(page(now).earlier(page(now - 90_000)).json()), "");
        let stopped = page(now).but(|report| report.capture.state = CaptureState::Stopped);
        assert_eq!(told(stopped.json()), " The capture was not running when the report was made.");
    }

    #[test]
    fn the_sentence_begins_with_the_cause_and_ends_with_what_a_person_notices() {
        let verdicts = [
            proven(Conclusion::Ke1Seen, &[], None),
            proven(Conclusion::Diverged, &[], None),
            proven(Conclusion::Rollback, &[], None),
            proven(Conclusion::ConflictLostKey, &["m1", "m2"], None),
            proven(Conclusion::ConflictLostMediaKey, &["m2"], Some("@bob:x")),
        ];
        let told = tell_of(1, &verdicts);
        assert_eq!(
            told.sentence,
            "Proven: device A of @alice:x went back to an older copy of its keys; that is why it could not read 2 messages, and it could \
             not read @bob:x's media key."
        );
        assert_eq!(told.affected, ["@alice:x/A"]);
        assert_eq!(told.causes, [2]);
    }

    #[test]
    fn what_is_no_fault_of_encryption_is_told_and_nothing_is_called_well() {
        let well = [proven(Conclusion::MediaDecoded, &[], Some("@bob:x"))];
        assert_eq!(
            tell_of(0, &well).sentence,
            "No fault of encryption: each of the four questions was looked at by something that would have shown one. Device A of @alice:x \
             receives and decodes the media of @bob:x as the report is made: if it is not heard then, encryption is not why."
        );
        let silent =
            [proven(Conclusion::MediaNotArriving, &[], Some("@bob:x")), proven(Conclusion::MediaNotSent, &[], None)];
        assert_eq!(
            tell_of(2, &silent).sentence,
            "No fault of encryption is proven. Nothing of @bob:x arrives at device A of @alice:x: its decryption is not why. Device A of \
             @alice:x sends no sound itself."
        );
        let mut joined = silent.clone();
        joined[0] = joined[0].clone().follows(Conclusion::MediaNotSent);
        joined[0].subject.peer = Some(Device::new("@bob:x", "B"));
        joined[1].subject.device = Some(Device::new("@bob:x", "B"));
        assert_eq!(
            tell_of(2, &joined).sentence,
            "No fault of encryption is proven. Nothing of @bob:x arrives at device A of @alice:x, since device B of @bob:x sends no sound \
             itself."
        );
        let many: Vec<Verdict> =
            ["@b:x", "@c:x", "@d:x", "@e:x"].map(|who| proven(Conclusion::MediaNotArriving, &[], Some(who))).to_vec();
        assert!(
            tell_of(0, &many).sentence.ends_with(" 1 more such sentence stands below."),
            "{}",
            tell_of(0, &many).sentence
        );
    }

    #[test]
    fn what_was_missing_before_and_is_decoded_now_is_both_told() {
        let verdicts = [
            proven(Conclusion::MediaDecoded, &[], Some("@bob:x")),
            proven(Conclusion::MediaKeyMissing, &[], Some("@bob:x")),
        ];
        let told = tell_of(1, &verdicts).sentence;
        assert!(told.starts_with("Proven: device A of @alice:x cannot hear or see @bob:x."), "{told}");
        assert!(told.contains("decodes the media of @bob:x as the report is made"), "{told}");
    }

    #[test]
    fn one_storm_over_many_keys_is_told_once() {
        let verdicts: Vec<Verdict> = (0..30)
            .map(|number| {
                let mut verdict = proven(Conclusion::Diverged, &[], None);
                verdict.subject.one_time_keys = vec![number.to_string()];
                verdict
            })
            .collect();
        let told = tell_of(1, &verdicts);
        assert_eq!(told.sentence, "Proven: the server and device A of @alice:x disagree about one-time keys.");
    }

    #[test]
    fn what_most_of_the_unknown_ask_for_comes_next_and_of_equals_the_cheapest() {
        let fetch = |artefact, how: &str| Fetch { artefact, what: "w".to_owned(), how: how.to_owned() };
        let unknown = |fetch: Vec<Fetch>| Verdict::example(Conclusion::Rollback, Answer::Unknown { fetch }, "");
        let (har, report) = (fetch(ArtefactKind::Har, "har"), fetch(ArtefactKind::Report, "report"));
        let verdicts = [unknown(vec![har.clone(), report.clone()]), unknown(vec![report.clone(), har.clone()])];
        let told = tell_of(2, &verdicts);
        assert_eq!(told.next, Some(Next { fetch: report.clone(), settles: vec![0, 1] }));
        let told = tell_of(2, &[unknown(vec![har.clone()]), unknown(vec![har.clone(), report])]);
        assert_eq!(told.next, Some(Next { fetch: har, settles: vec![0, 1] }));
    }
}

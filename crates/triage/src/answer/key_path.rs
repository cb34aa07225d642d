//! The path of each key, hop by hop: how far it came, and what says so. Verdicts say what went wrong; a path says of one key how far it
//! came. It is made of the verdicts and of what the rules read, so that neither says what the other denies.

mod index;
mod message;
mod room;

use serde::Serialize;

use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::rules::sent;
use crate::subject::Subject;
use crate::verdict::{Answer, Evidence, Verdict};

/// Paths that an answer lists of media keys, and of room keys, at most.
pub const PATHS_MAX: usize = 24;

/// Pieces of evidence of one hop at most.
const EVIDENCE_MAX: usize = 2;

/// A hop of a key's path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Hop {
    /// The sender has made the key.
    Made,
    /// Its client has queued a message with it for the receiver's device.
    Sent,
    /// The homeserver has taken that message: it answered 200.
    Accepted,
    /// The message was in the device's inbox on its server.
    Queued,
    /// A `/sync` of the device brought it.
    Fetched,
    /// The page that needs the key has opened the message.
    Opened,
    /// Of a media key: LiveKit's worker was given it at its index. Of a room key: the store has it.
    Set,
    /// Of a media key: frames were decrypted with it. Of a room key: the event was.
    Decrypted,
}

impl Hop {
    /// The hop in a word.
    pub fn word(self) -> &'static str {
        ["made", "sent", "accepted", "queued", "fetched", "opened", "set", "decrypted"][self as usize]
    }
}

/// What is said of one hop.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Step {
    /// Which hop.
    pub hop: Hop,
    /// Whether the key took it: proven, refuted or unknown, and then what would tell. Refuted is meant until the time that the evidence is of.
    #[serde(flatten)]
    pub answer: Answer,
    /// Why, as a clause. Ids in it are verbatim and may be hostile: show it as text.
    pub says: String,
    /// What it rests on. A hop that follows from a later one has that one's.
    pub evidence: Vec<Evidence>,
}

/// How far one key came.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyPath {
    /// Which key, for whom, in words. Ids in it are verbatim and may be hostile: show it as text.
    pub about: String,
    /// The same as data: `device` needs the key, `peer` sends it.
    pub subject: Subject,
    /// The first hop that is refuted: there the key stopped. Null: nothing shows that it did.
    pub stopped_at: Option<Hop>,
    /// The hops in their order. A message's path ends with `opened`: which key it held nothing says. A room key's has those hops that files tell.
    pub steps: Vec<Step>,
}

/// The paths of keys, the newest key first.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KeyPaths {
    /// Those that are listed.
    pub paths: Vec<KeyPath>,
    /// How many paths of older keys are left out.
    pub omitted: usize,
}

/// The paths of the media keys that artefacts name, by the verdicts on a case.
pub(crate) fn media_keys(case: &Case<'_>, verdicts: &[Verdict]) -> KeyPaths {
    let sent = sent::all(case);
    let deliveries = sent::deliveries(case);
    let facts = Facts { case, verdicts, sent: &sent, deliveries: &deliveries };
    let by_index = index::wanted(case).into_iter().map(|wanted| (wanted.at, Key::At(wanted)));
    let by_message = message::wanted(&facts).into_iter().map(|wanted| (wanted.at(), Key::In(wanted)));
    let keys = by_index.chain(by_message).collect();
    newest(keys, |key| match key {
        Key::At(wanted) => index::path(&facts, wanted),
        Key::In(wanted) => message::path(&facts, wanted),
    })
}

/// The paths of the room keys that pages lacked for events.
pub(crate) fn room_keys(case: &Case<'_>, verdicts: &[Verdict]) -> KeyPaths {
    newest(room::wanted(case), |wanted| room::path(case, verdicts, wanted))
}

/// A media key by what names it.
enum Key<'c> {
    /// An index.
    At(index::Wanted<'c>),
    /// The message that it is in.
    In(message::Wanted<'c>),
}

/// What paths of media keys are made of, put together once.
struct Facts<'c> {
    case: &'c Case<'c>,
    verdicts: &'c [Verdict],
    sent: &'c [sent::Sent],
    deliveries: &'c [sent::Delivery<'c>],
}

/// The paths of the newest keys. Only what is listed is looked into.
fn newest<K>(mut keys: Vec<(i64, K)>, path: impl Fn(&K) -> KeyPath) -> KeyPaths {
    keys.sort_by_key(|(at, _)| std::cmp::Reverse(*at));
    let omitted = keys.len().saturating_sub(PATHS_MAX);
    KeyPaths { paths: keys.iter().take(PATHS_MAX).map(|(_, key)| path(key)).collect(), omitted }
}

/// A proven verdict on a conclusion for whose subject something holds.
fn proven<'v>(verdicts: &'v [Verdict], of: &[Conclusion], holds: impl Fn(&Subject) -> bool) -> Option<&'v Verdict> {
    verdicts.iter().find(|verdict| verdict.is_proven() && of.contains(&verdict.conclusion) && holds(&verdict.subject))
}

/// What is known of a hop before the hops are put together.
#[derive(Default)]
struct Told {
    /// Whether the key took it; `None` if the artefacts of this hop do not say.
    took: Option<bool>,
    says: String,
    evidence: Vec<Evidence>,
    need: Option<Need>,
}

impl Told {
    fn proven(says: impl Into<String>, evidence: impl IntoIterator<Item = Evidence>) -> Told {
        Told { took: Some(true), says: says.into(), evidence: evidence.into_iter().collect(), need: None }
    }

    fn refuted(says: impl Into<String>, evidence: impl IntoIterator<Item = Evidence>) -> Told {
        Told { took: Some(false), ..Told::proven(says, evidence) }
    }

    /// As a rule has it.
    fn refuted_by(verdict: &Verdict) -> Told {
        Told::refuted(verdict.statement.trim_end_matches('.'), verdict.evidence.iter().cloned())
    }

    fn unknown(says: impl Into<String>, need: impl Into<Option<Need>>) -> Told {
        Told { took: None, says: says.into(), evidence: Vec::new(), need: need.into() }
    }
}

/// Puts the hops of one key together. A key that took a hop took each before it, and one that did not take a hop took none behind it.
fn key_path(case: &Case<'_>, (about, subject): (String, Subject), told: &[(Hop, Told)]) -> KeyPath {
    let last = told.iter().rposition(|(_, told)| told.took == Some(true));
    let first = told.iter().position(|(_, told)| told.took == Some(false));
    let is_contradicted = first.zip(last).is_some_and(|(first, last)| first < last);
    let follows = |at: usize| -> Option<Step> {
        let (answer, from, says) = match (last, first) {
            _ if is_contradicted => return None,
            (Some(last), _) if at < last => {
                let later = (at + 1..=last).find(|later| told[*later].1.took == Some(true))?;
                (Answer::Proven, later, format!("it was {}", told[later].0.word()))
            }
            (_, Some(first)) if at > first => (Answer::Refuted, first, format!("it was not {}", told[first].0.word())),
            _ => return None,
        };
        let evidence = told[from].1.evidence.iter().take(EVIDENCE_MAX).cloned().collect();
        Some(Step { hop: told[at].0, answer, says: format!("follows: {says}"), evidence })
    };
    let step = |at: usize| {
        let (hop, Told { took, says, evidence, need }) = &told[at];
        let answer = match took {
            None => match follows(at) {
                Some(step) => return step,
                None => Answer::Unknown { fetch: need.iter().map(|need| need.fetch(case)).collect() },
            },
            // What is said of another hop denies it.
            Some(_) if is_contradicted => Answer::Unknown { fetch: Vec::new() },
            Some(true) => Answer::Proven,
            Some(false) => Answer::Refuted,
        };
        let says = if took.is_some() && is_contradicted {
            format!("the artefacts contradict one another: {says}")
        } else {
            says.clone()
        };
        let evidence = evidence.iter().take(EVIDENCE_MAX).cloned().collect();
        Step { hop: *hop, answer, says, evidence }
    };
    let steps: Vec<Step> = (0..told.len()).map(step).collect();
    let stopped_at = steps.iter().find(|step| step.answer == Answer::Refuted).map(|step| step.hop);
    KeyPath { about, subject, stopped_at, steps }
}

impl KeyPaths {
    /// What is said of the paths that are not listed.
    pub fn left_out(&self) -> Option<String> {
        let paths = if self.omitted == 1 { "path of an older key is" } else { "paths of older keys are" };
        (self.omitted > 0).then(|| format!("{} {paths} left out.", self.omitted))
    }
}

impl KeyPath {
    /// "not opened", "decrypted", or how far it came at least.
    pub fn standing(&self) -> String {
        let came = self.steps.iter().rfind(|step| step.answer == Answer::Proven);
        match (self.stopped_at, came) {
            (Some(hop), _) => format!("not {}", hop.word()),
            (None, Some(step)) if step.hop == Hop::Decrypted => "decrypted".to_owned(),
            (None, Some(step)) => format!("{} at least", step.hop.word()),
            (None, None) => "nothing is known of it".to_owned(),
        }
    }
}

impl Step {
    /// Why, where, and what would tell, in one line.
    pub fn line(&self) -> String {
        let mut line = self.says.clone();
        if let Some(piece) = self.evidence.first() {
            line.push_str(&format!(" ({}, {})", &*piece.artefact, piece.place));
        }
        if let Answer::Unknown { fetch } = &self.answer
            && let Some(fetch) = fetch.first()
        {
            line.push_str(&format!("; to find out ({}): {}", fetch.artefact, fetch.what));
        }
        line
    }
}

#[cfg(test)]
mod tests;

//! What is said of a claim, and on what grounds.

use std::fmt;

use serde::Serialize;

use crate::problem::Place;
use crate::quote::quote;

/// The runbook's four questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
pub enum Question {
    /// Have server and store diverged, and why?
    Q1,
    /// Did keys fail to arrive or to open, and is it Q1's doing?
    Q2,
    /// Where did an event lose what it needs?
    Q3,
    /// Whose are the timeouts?
    Q4,
}

impl Question {
    /// All, in order.
    pub const ALL: [Question; 4] = [Question::Q1, Question::Q2, Question::Q3, Question::Q4];

    /// The question in words.
    pub fn text(self) -> &'static str {
        match self {
            Question::Q1 => "KE-1: have the server and the device's store diverged, and by what cause?",
            Question::Q2 => "KE-2: did media keys fail to arrive or to open, and is KE-1 the reason?",
            Question::Q3 => "KE-3: where did the event lose what its decryption needs?",
            Question::Q4 => "KE-4: who let the delayed events time out?",
        }
    }
}

/// What can be claimed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Claim {
    /// A page saw one-time key uploads refused.
    Ke1Seen,
    /// Server and store hold different keys under one id.
    Diverged,
    /// Cause of KE-1: a second identity on one device id.
    IdentityReplaced,
    /// Cause of KE-1: the store is older than what its identity has published.
    Rollback,
    /// Cause of KE-1: two live contexts publish keys for one device.
    TwoContexts,
    /// One one-time key was given out twice: the server's database went back in time.
    ServerRestored,
    /// All one-time keys are gone and the fallback key is in use.
    Exhausted,
    /// A page saw media keys fail.
    Ke2Seen,
    /// KE-1 ⇒ OLM.
    ConflictLostKey,
    /// KE-1 ⇒ KE-2.
    ConflictLostMediaKey,
    /// OLM ⇒ KE-2, without a known conflict.
    LostKeyLostMediaKey,
    /// A one-time key's private half is gone, for a reason that is not known.
    LostKey,
    /// A participant's media key was missing for long.
    MediaKeyMissing,
    /// Another client never sent its key to this device.
    NeverSent,
    /// Messages were sent to a device that had been deleted.
    StaleTarget,
    /// Messages wait on the server and are not fetched.
    Backlog,
    /// A sender's view of a device's identity is out of date.
    StaleDeviceList,
    /// The identity on the server is not the device's.
    IdentityOverwritten,
    /// A page saw events that it could not decrypt.
    Ke3Seen,
    /// The event was stored without the field.
    MalformedOnServer,
    /// The event lost the field between the server and the client.
    StrippedOnTheWay,
    /// The event arrived whole and the client could not read it.
    ClientBug,
    /// A page saw delayed events fail.
    Ke4Seen,
    /// The homeserver answered too late.
    SlowHomeserver,
    /// Something between client and homeserver held the request or its answer.
    SlowGateway,
    /// The request never reached the homeserver.
    NeverArrived,
}

impl Claim {
    /// The question that it belongs to.
    pub fn question(self) -> Question {
        match self {
            Claim::Ke1Seen
            | Claim::Diverged
            | Claim::IdentityReplaced
            | Claim::Rollback
            | Claim::TwoContexts
            | Claim::ServerRestored
            | Claim::Exhausted => Question::Q1,
            Claim::Ke2Seen
            | Claim::ConflictLostKey
            | Claim::ConflictLostMediaKey
            | Claim::LostKeyLostMediaKey
            | Claim::LostKey
            | Claim::MediaKeyMissing
            | Claim::NeverSent
            | Claim::StaleTarget
            | Claim::Backlog
            | Claim::StaleDeviceList
            | Claim::IdentityOverwritten => Question::Q2,
            Claim::Ke3Seen | Claim::MalformedOnServer | Claim::StrippedOnTheWay | Claim::ClientBug => Question::Q3,
            Claim::Ke4Seen | Claim::SlowHomeserver | Claim::SlowGateway | Claim::NeverArrived => Question::Q4,
        }
    }

    /// Whether something is wrong if it is proven. Exhausted keys alone are no failure: the fallback key is there for it.
    pub fn is_fault(self) -> bool {
        self != Claim::Exhausted
    }

    /// Whether it only says that a family's lines were seen, and nothing of why.
    pub fn is_sighting(self) -> bool {
        matches!(self, Claim::Ke1Seen | Claim::Ke2Seen | Claim::Ke3Seen | Claim::Ke4Seen)
    }

    /// The claim in a few words, as headings and tables have it.
    pub fn title(self) -> &'static str {
        match self {
            Claim::Ke1Seen => "KE-1 seen",
            Claim::Diverged => "KE-1: server and store differ",
            Claim::IdentityReplaced => "KE-1 cause: identity replaced",
            Claim::Rollback => "KE-1 cause: rollback",
            Claim::TwoContexts => "KE-1 cause: two contexts",
            Claim::ServerRestored => "one-time key given out twice: server restored",
            Claim::Exhausted => "one-time keys exhausted",
            Claim::Ke2Seen => "KE-2 seen",
            Claim::ConflictLostKey => "KE-1 ⇒ OLM",
            Claim::ConflictLostMediaKey => "KE-1 ⇒ KE-2",
            Claim::LostKeyLostMediaKey => "OLM ⇒ KE-2",
            Claim::LostKey => "OLM: one-time key lost",
            Claim::MediaKeyMissing => "KE-2: media key missing",
            Claim::NeverSent => "KE-2: key never sent to this device",
            Claim::StaleTarget => "KE-2: sent to a deleted device",
            Claim::Backlog => "KE-2: messages wait and are not fetched",
            Claim::StaleDeviceList => "OLM: sender's device list is stale",
            Claim::IdentityOverwritten => "OLM: identity overwritten on the server",
            Claim::Ke3Seen => "KE-3 seen",
            Claim::MalformedOnServer => "KE-3: stored malformed",
            Claim::StrippedOnTheWay => "KE-3: stripped on the way",
            Claim::ClientBug => "KE-3: client cannot read a whole event",
            Claim::Ke4Seen => "KE-4 seen",
            Claim::SlowHomeserver => "KE-4: homeserver too slow",
            Claim::SlowGateway => "KE-4: gateway or network too slow",
            Claim::NeverArrived => "KE-4: request never arrived",
        }
    }
}

/// The kinds of artefacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ArtefactKind {
    /// A client's report.
    Report,
    /// A client's requests.
    Har,
    /// The server's log.
    ServerLog,
    /// What the database said.
    QueryResults,
    /// Latency by minute, as Prometheus gives it.
    Latency,
    /// The bundle's own list.
    Manifest,
    /// Something else.
    Other,
}

impl fmt::Display for ArtefactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArtefactKind::Report => "report",
            ArtefactKind::Har => "HAR",
            ArtefactKind::ServerLog => "server log",
            ArtefactKind::QueryResults => "query results",
            ArtefactKind::Latency => "latency",
            ArtefactKind::Manifest => "manifest",
            ArtefactKind::Other => "other file",
        })
    }
}

/// Whose clock a time is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ClockOf {
    /// The page's.
    Client,
    /// The server's.
    Server,
}

/// One piece of evidence.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Evidence {
    /// The artefact's name.
    pub artefact: String,
    /// Where in it.
    pub place: Place,
    /// When, in milliseconds since the epoch by the clock below.
    pub at: Option<i64>,
    /// Whose clock.
    pub clock: ClockOf,
    /// What stands there, verbatim but for secrets, shortened. May be hostile: show as text.
    pub quote: String,
    /// What it says for the claim.
    pub says: String,
}

impl Evidence {
    /// A piece of evidence; the quotation is shortened and rid of secrets.
    pub fn new(
        artefact: &str,
        place: Place,
        at: Option<i64>,
        clock: ClockOf,
        text: &str,
        says: impl Into<String>,
    ) -> Self {
        Evidence { artefact: artefact.to_owned(), place, at, clock, quote: quote(text), says: says.into() }
    }
}

/// Something to fetch, and how.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Fetch {
    /// What kind of artefact is missing.
    pub artefact: ArtefactKind,
    /// What it would tell.
    pub what: String,
    /// The exact command, or what to do where there is none.
    pub how: String,
}

/// What is said of a claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Answer {
    /// The evidence leaves no other explanation than those named as open.
    Proven,
    /// The evidence excludes it, and would have shown it.
    Refuted,
    /// Neither.
    Unknown {
        /// What would tell.
        fetch: Vec<Fetch>,
    },
}

impl Answer {
    /// `proven`, `refuted` or `unknown`.
    pub fn word(&self) -> &'static str {
        match self {
            Answer::Proven => "proven",
            Answer::Refuted => "refuted",
            Answer::Unknown { .. } => "unknown",
        }
    }
}

/// A claim, what is said of it, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The claim.
    pub claim: Claim,
    /// What it is about: a device, a key, an event, a call. Ids in it are verbatim and may be hostile.
    pub about: String,
    /// What is said of it.
    #[serde(flatten)]
    pub answer: Answer,
    /// The statement in one sentence.
    pub statement: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What would refute it, or prove it after all.
    pub would_refute: String,
    /// Innocent explanations that the evidence excludes.
    pub ruled_out: Vec<String>,
    /// Innocent explanations that are still open.
    pub open: Vec<String>,
}

impl Verdict {
    pub(crate) fn new(claim: Claim, about: impl Into<String>, answer: Answer, statement: impl Into<String>) -> Self {
        Verdict {
            claim,
            about: about.into(),
            answer,
            statement: statement.into(),
            evidence: Vec::new(),
            would_refute: String::new(),
            ruled_out: Vec::new(),
            open: Vec::new(),
        }
    }

    pub(crate) fn proven(claim: Claim, about: impl Into<String>, statement: impl Into<String>) -> Self {
        Verdict::new(claim, about, Answer::Proven, statement)
    }

    pub(crate) fn refuted(claim: Claim, about: impl Into<String>, statement: impl Into<String>) -> Self {
        Verdict::new(claim, about, Answer::Refuted, statement)
    }

    pub(crate) fn unknown(
        claim: Claim,
        about: impl Into<String>,
        statement: impl Into<String>,
        fetch: Vec<Fetch>,
    ) -> Self {
        Verdict::new(claim, about, Answer::Unknown { fetch }, statement)
    }

    pub(crate) fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        for piece in evidence {
            if self.evidence.len() < EVIDENCE_MAX && !self.evidence.contains(&piece) {
                self.evidence.push(piece);
            }
        }
        self
    }

    pub(crate) fn would_refute(mut self, sentence: impl Into<String>) -> Self {
        self.would_refute = sentence.into();
        self
    }

    pub(crate) fn ruled_out(mut self, sentence: impl Into<String>) -> Self {
        self.ruled_out.push(sentence.into());
        self
    }

    pub(crate) fn open(mut self, sentence: impl Into<String>) -> Self {
        self.open.push(sentence.into());
        self
    }

    /// Whether it is proven.
    pub fn is_proven(&self) -> bool {
        self.answer == Answer::Proven
    }

    /// Whether it is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self.answer, Answer::Unknown { .. })
    }
}

/// Pieces of evidence of one verdict at most: a storm repeats one line.
pub const EVIDENCE_MAX: usize = 8;

/// The exit code for a set of verdicts: 1 something wrong is proven, 2 something is unknown for lack of artefacts, 0
/// neither. Input without a single readable artefact is 3, see [`crate::Triage::exit_code`].
pub fn exit_code(verdicts: &[Verdict]) -> u8 {
    if verdicts.iter().any(|verdict| verdict.is_proven() && verdict.claim.is_fault()) {
        1
    } else if verdicts.iter().any(Verdict::is_unknown) {
        2
    } else {
        0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_exit_code_says_what_matters_most() {
        let proven = Verdict::proven(Claim::Rollback, "", "");
        let unknown = Verdict::unknown(Claim::Backlog, "", "", vec![]);
        let refuted = Verdict::refuted(Claim::Ke1Seen, "", "");
        let exhausted = Verdict::proven(Claim::Exhausted, "", "");
        assert_eq!(exit_code(&[unknown.clone(), proven, refuted.clone()]), 1);
        assert_eq!(exit_code(&[unknown, exhausted.clone()]), 2);
        assert_eq!(exit_code(&[refuted, exhausted]), 0);
    }
}

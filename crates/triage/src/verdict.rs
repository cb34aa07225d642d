//! What is said of a conclusion, and on what grounds.

use crypto_diag_core::Clean;
use serde::Serialize;

use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
#[cfg(feature = "artefacts")]
use crate::minimal::Attested;
use crate::problem::Place;
use crate::proof::{Established, Open, Proof};
use crate::quote::quote;
use crate::subject::Subject;

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
    pub artefact: Clean,
    /// Where in it.
    pub place: Place,
    /// When, in milliseconds since the epoch by the clock below.
    pub at: Option<i64>,
    /// Whose clock.
    pub clock: ClockOf,
    /// What stands there, verbatim but for secrets, shortened. May be hostile: show as text.
    pub quote: Clean,
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
        Evidence { artefact: artefact.into(), place, at, clock, quote: quote(text), says: says.into() }
    }

    /// A line of a server's log, which was quoted when it was read.
    pub fn logged(log: &str, line: u64, at: i64, quote: &Clean, says: impl Into<String>) -> Self {
        let (place, clock) = (Place::Line(line), ClockOf::Server);
        Evidence { artefact: log.into(), place, at: Some(at), clock, quote: quote.clone(), says: says.into() }
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

/// What is said of a conclusion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", tag = "is")]
pub enum Answer {
    /// Every premise holds, and no innocent explanation is left.
    Proven,
    /// The evidence excludes it, and would have shown it.
    Refuted,
    /// Neither.
    Unknown {
        /// What would tell, the cheapest first.
        fetch: Vec<Fetch>,
    },
}

impl Answer {
    /// `proven`, `refuted` or `unknown`.
    pub fn word(&self) -> &'static str {
        self.settled().map_or("unknown", Settled::word)
    }

    /// The answer, if it leaves nothing open.
    pub fn settled(&self) -> Option<Settled> {
        match self {
            Answer::Proven => Some(Settled::Proven),
            Answer::Refuted => Some(Settled::Refuted),
            Answer::Unknown { .. } => None,
        }
    }
}

/// An answer that is not *unknown*.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum Settled {
    /// Every premise holds, and no innocent explanation is left.
    Proven,
    /// The evidence excludes it, and would have shown it.
    Refuted,
}

impl Settled {
    /// `proven` or `refuted`.
    pub fn word(self) -> &'static str {
        match self {
            Settled::Proven => "proven",
            Settled::Refuted => "refuted",
        }
    }
}

/// A conclusion about something, what is said of it, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Verdict {
    /// The conclusion. In JSON it is called `claim`, as it always was.
    #[serde(rename = "claim")]
    pub conclusion: Conclusion,
    /// What it is about, for people: a device, a key, an event, a call. Ids in it are verbatim and may be hostile.
    pub about: String,
    /// The same as data.
    pub subject: Subject,
    /// Things that it is about: 1, or the keys, messages or events of a storm.
    pub count: usize,
    /// What is said of it.
    #[serde(flatten)]
    pub answer: Answer,
    /// What the whole hand-off said of it, if these artefacts are a part of one and do not show it themselves. Only unknown verdicts have it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub attested: Option<Settled>,
    /// The statement in one sentence.
    pub statement: String,
    /// What it rests on.
    pub evidence: Vec<Evidence>,
    /// What would refute it, or prove it after all. Each has been looked for in the artefacts.
    pub would_refute: Vec<String>,
    /// Innocent explanations that the evidence excludes.
    pub ruled_out: Vec<String>,
    /// What is still open of how it came about, or how far it goes. None of it denies the conclusion.
    pub how: Vec<String>,
    /// Innocent explanations that are left. Only an unknown verdict has any.
    otherwise: Vec<String>,
    /// Conclusions that this one follows from: their proven verdicts about the same device stand above it.
    pub follows: Vec<Conclusion>,
}

/// What a verdict says in each case, one sentence for each.
#[derive(Clone, Debug, Default)]
pub(crate) struct Sentences {
    /// If it is proven.
    pub proven: String,
    /// If it is refuted.
    pub refuted: String,
    /// If it is neither: "Whether … cannot be told". What is left of innocent explanations is added by itself.
    pub unknown: String,
}

impl Verdict {
    fn new(conclusion: Conclusion, about: String, subject: Subject, answer: Answer, statement: String) -> Self {
        Verdict {
            conclusion,
            about,
            subject,
            count: 1,
            answer,
            attested: None,
            statement,
            evidence: Vec::new(),
            would_refute: Vec::new(),
            ruled_out: Vec::new(),
            how: Vec::new(),
            otherwise: Vec::new(),
            follows: Vec::new(),
        }
    }

    fn established(
        conclusion: Conclusion,
        about: String,
        subject: Subject,
        (answer, statement): (Answer, String),
        by: Established,
    ) -> Self {
        Verdict {
            would_refute: by.would_refute,
            ruled_out: by.ruled_out,
            ..Verdict::new(conclusion, about, subject, answer, statement)
        }
        .evidence(by.evidence)
    }

    /// The verdict that two proofs give: one that the conclusion is true, one that it is false. If both hold, the
    /// artefacts contradict one another, and it is unknown.
    pub(crate) fn decide(
        case: &Case<'_>,
        conclusion: Conclusion,
        (about, subject): (impl Into<String>, Subject),
        proof: Proof,
        refutation: Option<Proof>,
        sentences: Sentences,
    ) -> Verdict {
        let about = about.into();
        let refuted = refutation.map(Proof::result);
        match (proof.result(), refuted) {
            (Ok(proven), Some(Ok(refuted))) => {
                let statement =
                    format!("The artefacts contradict one another. {} {}", sentences.proven, sentences.refuted);
                let open = Open {
                    evidence: proven.evidence.into_iter().chain(refuted.evidence).collect(),
                    would_refute: proven.would_refute,
                    contradicted: true,
                    ..Open::default()
                };
                Verdict::unknown(case, conclusion, (about, subject), statement, open)
            }
            (Ok(proven), _) => {
                Verdict::established(conclusion, about, subject, (Answer::Proven, sentences.proven), proven)
            }
            (Err(_), Some(Ok(refuted))) => {
                Verdict::established(conclusion, about, subject, (Answer::Refuted, sentences.refuted), refuted)
            }
            (Err(open), _) => {
                let mut statement = sentences.unknown;
                if open.contradicted
                    && let Some(sentence) = open.otherwise.last()
                {
                    statement = format!("{statement} {sentence}");
                }
                Verdict::unknown(case, conclusion, (about, subject), statement, *open)
            }
        }
    }

    /// A verdict that is unknown, with what is left open.
    pub(crate) fn unknown(
        case: &Case<'_>,
        conclusion: Conclusion,
        (about, subject): (impl Into<String>, Subject),
        statement: impl Into<String>,
        open: Open,
    ) -> Verdict {
        let mut fetch: Vec<Fetch> = Vec::new();
        for need in &open.needs {
            let wanted = need.fetch(case);
            if fetch.iter().all(|known| known.how != wanted.how) {
                fetch.push(wanted);
            }
        }
        let answer = Answer::Unknown { fetch };
        Verdict {
            would_refute: open.would_refute,
            ruled_out: open.ruled_out,
            otherwise: open.otherwise,
            ..Verdict::new(conclusion, about.into(), subject, answer, statement.into())
        }
        .evidence(open.evidence)
    }

    /// A verdict for tests of what is made of verdicts.
    #[cfg(test)]
    pub(crate) fn example(conclusion: Conclusion, answer: Answer, text: &str) -> Verdict {
        Verdict::new(conclusion, text.to_owned(), Subject::default(), answer, text.to_owned())
    }

    pub(crate) fn evidence(mut self, evidence: impl IntoIterator<Item = Evidence>) -> Self {
        for piece in evidence {
            if self.evidence.len() < EVIDENCE_MAX && !self.evidence.contains(&piece) {
                self.evidence.push(piece);
            }
        }
        self
    }

    /// Adds what is open of how it came about or how far it goes. It must not deny the conclusion.
    pub(crate) fn how(mut self, sentence: impl Into<String>) -> Self {
        self.how.push(sentence.into());
        self
    }

    /// Names a conclusion that this one follows from.
    pub(crate) fn follows(mut self, from: Conclusion) -> Self {
        self.follows.push(from);
        self
    }

    /// Whether another verdict says the same of another key, message or event.
    pub(crate) fn is_alike(&self, other: &Verdict) -> bool {
        let is_of_many = |subject: &Subject| *subject != subject.of_storm();
        self.conclusion == other.conclusion
            && is_of_many(&self.subject)
            && self.subject.of_storm() == other.subject.of_storm()
            && self.answer == other.answer
            && self.otherwise == other.otherwise
    }

    /// The verdict on a storm: this one, and others that say the same of other things, of which `named` are named at most.
    pub(crate) fn with_alike(mut self, others: Vec<Verdict>, named: usize) -> Self {
        if others.is_empty() {
            return self;
        }
        self.count += others.len();
        let device = self.subject.device.as_ref().map_or_else(String::new, |device| format!("{} ", device.label()));
        let own = |about: &str| about.strip_prefix(&device).unwrap_or(about).to_owned();
        let mut names: Vec<String> = others.iter().take(named).map(|other| own(&other.about)).collect();
        if others.len() > named {
            names.push(format!("{} more", others.len() - named));
        }
        let names = names.join(", ");
        self.statement.push_str(&format!(" The same holds of {names}."));
        self.about.push_str(&format!(", {names}"));
        for other in others {
            self.subject.extend(other.subject);
            self = self.evidence(other.evidence);
        }
        self
    }

    /// `proven`, `refuted`, `attested` or `unknown`.
    pub fn word(&self) -> &'static str {
        if self.attested.is_some() { "attested" } else { self.answer.word() }
    }

    /// A verdict that a whole hand-off gave, and that these artefacts do not show.
    #[cfg(feature = "artefacts")]
    pub(crate) fn attested(by: Attested, fetch: Fetch) -> Verdict {
        let answer = Answer::Unknown { fetch: Vec::new() };
        let mut verdict = Verdict::new(by.conclusion, by.about.clone(), by.subject.clone(), answer, String::new());
        verdict.count = by.count;
        verdict.attest(&by, fetch);
        verdict
    }

    /// Notes what a whole hand-off said of an unknown verdict; a settled one stays as it is.
    #[cfg(feature = "artefacts")]
    pub(crate) fn attest(&mut self, by: &Attested, whole: Fetch) {
        let Answer::Unknown { fetch } = &mut self.answer else { return };
        fetch.insert(0, whole);
        self.attested = Some(by.was);
        self.statement = format!(
            "The whole hand-off, of which these artefacts are a part, is said to have {} this: {}",
            by.was.word(),
            by.statement
        );
    }

    /// Innocent explanations that are left. Only an unknown verdict has any.
    pub fn otherwise(&self) -> &[String] {
        &self.otherwise
    }

    /// In which order verdicts matter: proven, unknown, refuted.
    pub(crate) fn rank(&self) -> u8 {
        match self.answer {
            Answer::Proven => 0,
            Answer::Unknown { .. } => 1,
            Answer::Refuted => 2,
        }
    }

    /// Whether it is proven.
    pub fn is_proven(&self) -> bool {
        self.answer == Answer::Proven
    }

    /// Whether it is refuted.
    pub fn is_refuted(&self) -> bool {
        self.answer == Answer::Refuted
    }

    /// Whether it is unknown.
    pub fn is_unknown(&self) -> bool {
        matches!(self.answer, Answer::Unknown { .. })
    }
}

/// Pieces of evidence of one verdict at most: a storm repeats one line.
pub const EVIDENCE_MAX: usize = 8;

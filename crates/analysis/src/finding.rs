//! What is found: a claim, what it rests on, and how far it goes.

use std::collections::BTreeMap;

use serde::Serialize;

/// What is known of a claim.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Verdict {
    /// The entries leave no other explanation than those that the finding itself names.
    Proven,
    /// The entries exclude it.
    Refuted,
    /// They do neither; `needs` says what would.
    Unknown,
}

/// What a finding is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Kind {
    /// KE-1 ⇒ KE-2: the conflict made a media key unreadable.
    Ke1ToKe2,
    /// OLM ⇒ KE-2: a lost one-time key made a media key unreadable; no conflict is known.
    OlmToKe2,
    /// KE-1 ⇒ OLM: the conflict's key is the one that a message could not be opened for.
    Ke1ToOlm,
    /// KE-1: server and store differ.
    OneTimeKeyConflict,
    /// KE-1's cause: two identities on one device id.
    IdentityReplaced,
    /// KE-1's cause: same identity, so the store went back in time, or two contexts are alive.
    RollbackOrTwoContexts,
    /// OLM: a one-time key is lost, and no conflict says why.
    LostOneTimeKey,
    /// OLM: one one-time key was used in several sessions.
    SameKeyTwoSessions,
    /// A message that one context could not open was opened in another.
    Redelivery,
    /// OLM, sender: a claimed key is not signed by the device that the sender knows.
    InvalidSignature,
    /// OLM, receiver: a message was encrypted for another identity key.
    EncryptedForOtherIdentity,
    /// OLM: a known device gives new identity keys.
    DeviceIdentityChanged,
    /// OLM, sender: the server had no one-time key to give, not even a fallback key.
    NoOneTimeKey,
    /// OLM, sender: a batch of to-device messages was dropped.
    BatchDropped,
    /// KE-2: a participant's key was missing for longer than a rotation takes.
    MediaKeyMissing,
    /// KE-3: events could not be decrypted.
    UndecryptableEvents,
    /// KE-4: several attempts in a row failed.
    DelayedEventTimeouts,
    /// KE-4: the client found itself out of the call.
    MembershipLost,
    /// KE-4: the client gave up its membership.
    MembershipManagerStopped,
}

impl Kind {
    /// Every kind, in the order in which findings are given: the most telling first.
    pub const ALL: [Kind; 19] = [
        Kind::Ke1ToKe2,
        Kind::OlmToKe2,
        Kind::Ke1ToOlm,
        Kind::OneTimeKeyConflict,
        Kind::IdentityReplaced,
        Kind::RollbackOrTwoContexts,
        Kind::LostOneTimeKey,
        Kind::SameKeyTwoSessions,
        Kind::Redelivery,
        Kind::InvalidSignature,
        Kind::EncryptedForOtherIdentity,
        Kind::DeviceIdentityChanged,
        Kind::NoOneTimeKey,
        Kind::BatchDropped,
        Kind::MediaKeyMissing,
        Kind::UndecryptableEvents,
        Kind::DelayedEventTimeouts,
        Kind::MembershipLost,
        Kind::MembershipManagerStopped,
    ];
}

/// One finding. Sentences are English, plain and complete; ids in them are verbatim and may be hostile: show as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Finding {
    /// What it is about.
    pub kind: Kind,
    /// What is known.
    pub verdict: Verdict,
    /// The claim, in one sentence.
    pub statement: String,
    /// What the entries prove.
    pub proves: Vec<String>,
    /// What they do not prove, though one may think so.
    pub does_not_prove: Vec<String>,
    /// The entries that it rests on.
    pub entries: Vec<EntryRef>,
    /// The innocent explanations that are still open.
    pub innocent_explanations: Vec<String>,
    /// Those that are not.
    pub ruled_out: Vec<String>,
    /// What would say more.
    pub needs: Vec<Need>,
    /// The ids that it is about, by name: `userId`, `deviceId`, `keyId`, `oneTimeKey`, `messageId`, `sender` …
    pub ids: BTreeMap<&'static str, String>,
}

/// An entry of a report, both by index.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
pub struct EntryRef {
    /// Which of the given reports.
    pub report: usize,
    /// Which of its entries.
    pub entry: usize,
}

/// Something to fetch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Need {
    /// What.
    pub what: String,
    /// How.
    pub how: String,
}

impl Finding {
    pub(crate) fn new(kind: Kind, verdict: Verdict, statement: impl Into<String>) -> Finding {
        Finding {
            kind,
            verdict,
            statement: statement.into(),
            proves: Vec::new(),
            does_not_prove: Vec::new(),
            entries: Vec::new(),
            innocent_explanations: Vec::new(),
            ruled_out: Vec::new(),
            needs: Vec::new(),
            ids: BTreeMap::new(),
        }
    }

    pub(crate) fn proves(mut self, sentence: impl Into<String>) -> Self {
        self.proves.push(sentence.into());
        self
    }

    pub(crate) fn does_not_prove(mut self, sentence: impl Into<String>) -> Self {
        self.does_not_prove.push(sentence.into());
        self
    }

    pub(crate) fn open(mut self, sentence: impl Into<String>) -> Self {
        self.innocent_explanations.push(sentence.into());
        self
    }

    pub(crate) fn ruled_out(mut self, sentence: impl Into<String>) -> Self {
        self.ruled_out.push(sentence.into());
        self
    }

    pub(crate) fn needs(mut self, what: impl Into<String>, how: impl Into<String>) -> Self {
        self.needs.push(Need { what: what.into(), how: how.into() });
        self
    }

    pub(crate) fn rests_on(mut self, entries: impl IntoIterator<Item = EntryRef>) -> Self {
        self.entries.extend(entries);
        self.entries.sort_unstable();
        self.entries.dedup();
        self
    }

    pub(crate) fn id(mut self, name: &'static str, id: Option<&str>) -> Self {
        if let Some(id) = id {
            self.ids.insert(name, id.to_owned());
        }
        self
    }
}

//! What can be concluded: one vocabulary for the card, `analyse()`, `triage` and the page.

use crypto_diag_core::Ke;
use serde::{Deserialize, Serialize};

/// The heading over what follows from what, as answers for people have it.
pub(crate) const CAUSE_AND_EFFECT: &str = "Cause and effect";

/// The runbook's four questions.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub enum Question {
    /// Have server and store diverged, and why?
    Q1,
    /// Did keys fail to arrive or to open, and is Q1 the reason?
    Q2,
    /// Where did an event lose what it needs?
    Q3,
    /// Who let the delayed events time out?
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

    /// A sentence for a question that is independent of the chain from KE-1 to KE-2.
    pub fn stands_alone(self) -> Option<&'static str> {
        match self {
            Question::Q1 | Question::Q2 => None,
            Question::Q3 | Question::Q4 => {
                Some("Independent of KE-1 and KE-2: no conclusion on this question rests on them.")
            }
        }
    }
}

/// What a proven conclusion is to its reader.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// It only says that a family's failures were seen, and nothing of why.
    Sighting,
    /// Something is wrong.
    Fault,
    /// It is worth knowing and by itself no failure.
    Notice,
}

/// Declares the conclusions with their question, family, kind and title: this table is their only home.
macro_rules! conclusions {
    ($($(#[$doc:meta])* $name:ident: $question:ident $family:ident $kind:ident $title:literal,)*) => {
        /// What can be concluded. The name in JSON is in kebab case and is a public interface: none is ever renamed.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
        #[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
        #[serde(rename_all = "kebab-case")]
        pub enum Conclusion {
            $($(#[$doc])* $name,)*
        }

        impl Conclusion {
            /// All, in the order in which an answer gives them.
            pub const ALL: &'static [Conclusion] = &[$(Conclusion::$name,)*];

            /// The question that it belongs to.
            pub fn question(self) -> Question {
                match self { $(Conclusion::$name => Question::$question,)* }
            }

            /// The family that it belongs to. A link between two families belongs to the one that it explains.
            pub fn family(self) -> Ke {
                match self { $(Conclusion::$name => Ke::$family,)* }
            }

            /// What it is to its reader once it is proven.
            pub fn kind(self) -> Kind {
                match self { $(Conclusion::$name => Kind::$kind,)* }
            }

            /// The conclusion in a few words, as headings and tables have it.
            pub fn title(self) -> &'static str {
                match self { $(Conclusion::$name => $title,)* }
            }
        }
    };
}

conclusions! {
    /// A page saw one-time key uploads refused.
    Ke1Seen: Q1 Ke1 Sighting "KE-1 seen",
    /// Server and store hold different keys under one id.
    Diverged: Q1 Ke1 Fault "KE-1: server and store differ",
    /// One identity signed both keys of a conflict: its store is behind itself, or two contexts use it.
    SameIdentity: Q1 Ke1 Fault "KE-1 cause: one identity, whose store is behind or which two contexts use",
    /// Cause of KE-1: a second identity on one device id.
    IdentityReplaced: Q1 Ke1 Fault "KE-1 cause: identity replaced",
    /// Cause of KE-1: the store is behind what its own identity has published.
    Rollback: Q1 Ke1 Fault "KE-1 cause: rollback",
    /// Cause of KE-1: two live contexts publish keys for one device.
    TwoContexts: Q1 Ke1 Fault "KE-1 cause: two contexts",
    /// One one-time key was given out twice: the server's database went back in time.
    ServerRestored: Q1 Ke1 Fault "one-time key given out twice: server restored",
    /// All one-time keys are gone and the fallback key is in use. The fallback key is there for it.
    Exhausted: Q1 Ke1 Notice "one-time keys exhausted",
    /// A page saw Olm sessions or messages fail.
    OlmSeen: Q2 Olm Sighting "OLM seen",
    /// A page saw media keys fail.
    Ke2Seen: Q2 Ke2 Sighting "KE-2 seen",
    /// KE-1 ⇒ OLM.
    ConflictLostKey: Q2 Olm Fault "KE-1 ⇒ OLM",
    /// KE-1 ⇒ KE-2.
    ConflictLostMediaKey: Q2 Ke2 Fault "KE-1 ⇒ KE-2",
    /// OLM ⇒ KE-2, without a known conflict.
    LostKeyLostMediaKey: Q2 Ke2 Fault "OLM ⇒ KE-2",
    /// A one-time key's private half is gone, for a reason that is not known.
    LostKey: Q2 Olm Fault "OLM: one-time key lost",
    /// One one-time key began several Olm sessions.
    SameKeyTwoSessions: Q2 Olm Notice "OLM: one-time key used for two sessions",
    /// A message that one context could not open was opened in another.
    Redelivery: Q2 Olm Notice "OLM: message opened elsewhere",
    /// A participant's media arrives and is decoded.
    MediaDecoded: Q2 Ke2 Notice "not encryption: media arrives and is decoded",
    /// A participant's media arrives, and no frame of it comes out of decryption.
    MediaNotDecrypted: Q2 Ke2 Fault "KE-2: media arrives and is not decrypted",
    /// Nothing of a participant's media arrives.
    MediaNotArriving: Q2 Ke2 Notice "not this device’s decryption: no media arrives",
    /// A page sends no sound itself.
    MediaNotSent: Q2 Ke2 Notice "own sound is not sent",
    /// A participant sends media without the encryption that its receiver expects.
    EncryptionOneSided: Q2 Ke2 Fault "KE-2: media comes without the encryption that is expected",
    /// A participant's media key was missing and did not come.
    MediaKeyMissing: Q2 Ke2 Fault "KE-2: media key missing",
    /// Another client never sent its key to this device.
    NeverSent: Q2 Ke2 Fault "KE-2: key never sent to this device",
    /// Messages were sent to a device that had been deleted.
    StaleTarget: Q2 Ke2 Fault "KE-2: sent to a deleted device",
    /// Messages wait on the server and are not fetched.
    Backlog: Q2 Ke2 Fault "KE-2: messages wait and are not fetched",
    /// The sender's client dropped a batch of to-device messages.
    BatchDropped: Q2 Ke2 Fault "KE-2: batch of messages dropped before it was sent",
    /// The server had no one-time key to give, not even a fallback key.
    NoOneTimeKey: Q2 Olm Fault "OLM: the server had no one-time key to give",
    /// A sender's view of a device's identity is out of date.
    StaleDeviceList: Q2 Olm Fault "OLM: sender's device list is stale",
    /// The identity on the server is not the device's.
    IdentityOverwritten: Q2 Olm Fault "OLM: identity overwritten on the server",
    /// A message was encrypted for another identity of the device.
    EncryptedForOtherIdentity: Q2 Olm Fault "OLM: message for another identity",
    /// A known device came with new identity keys.
    DeviceIdentityChanged: Q2 Olm Fault "OLM: device changed its identity",
    /// Members of one call are at different SFUs, and none at another's. It is no failure of encryption.
    DifferentSfu: Q2 Ke2 Fault "not encryption: members at different SFUs",
    /// A page saw events that it could not decrypt.
    Ke3Seen: Q3 Ke3 Sighting "KE-3 seen",
    /// The event was stored without the field.
    MalformedOnServer: Q3 Ke3 Fault "KE-3: stored malformed",
    /// The event lost the field between the server and the client.
    StrippedOnTheWay: Q3 Ke3 Fault "KE-3: stripped on the way",
    /// The event arrived whole and the client could not read it.
    ClientBug: Q3 Ke3 Fault "KE-3: client cannot read a whole event",
    /// The event was stored with a sender's key that cannot be decoded.
    UndecodableOnServer: Q3 Ke3 Fault "KE-3: stored with a key that is none",
    /// A sender kept the room key of an event back from this device.
    RoomKeyWithheld: Q3 Ke3 Notice "KE-3: room key kept back by its sender",
    /// A device has the room key of an event's session, but from a later message on.
    RoomKeyFromLater: Q3 Ke3 Notice "KE-3: room key from a later message on",
    /// A page saw delayed events fail.
    Ke4Seen: Q4 Ke4 Sighting "KE-4 seen",
    /// The homeserver answered too late.
    SlowHomeserver: Q4 Ke4 Fault "KE-4: homeserver too slow",
    /// Something between client and homeserver held the request or its answer.
    SlowGateway: Q4 Ke4 Fault "KE-4: gateway or network too slow",
    /// The request never reached the homeserver.
    NeverArrived: Q4 Ke4 Fault "KE-4: request never arrived",
    /// Several attempts in a row to keep a membership alive failed.
    DelayedEventTimeouts: Q4 Ke4 Fault "KE-4: attempts failed in a row",
    /// The client found itself out of the call.
    MembershipLost: Q4 Ke4 Fault "KE-4: membership lost",
    /// The client gave up its membership.
    MembershipManagerStopped: Q4 Ke4 Fault "KE-4: client gave up its membership",
}

impl Conclusion {
    /// Whether something is wrong if it is proven.
    pub fn is_fault(self) -> bool {
        self.kind() != Kind::Notice
    }

    /// Whether it only says that a family's lines were seen, and nothing of why.
    pub fn is_sighting(self) -> bool {
        self.kind() == Kind::Sighting
    }
}

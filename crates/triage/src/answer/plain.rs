//! Conclusions in plain words, for the story's sentence: who and what, without the families' names.

use crate::conclusion::Conclusion as C;
use crate::subject::{Device, Subject};

/// A conclusion as a clause that can follow "that is why". `count`: messages, keys or events that it is about.
pub(super) fn clause(conclusion: C, subject: &Subject, count: usize) -> String {
    let who = who(subject.device.as_ref());
    let peer = peer(subject);
    let messages = counted(count, "a message", "messages");
    match conclusion {
        C::Ke1Seen => format!("the server refused one-time keys of {who}"),
        C::Diverged => format!("the server and {who} disagree about one-time keys"),
        C::SameIdentity => format!("{who} does not know one-time keys that it has published itself"),
        C::IdentityReplaced => format!("two sets of identity keys have been used as {who}"),
        C::Rollback => format!("{who} went back to an older copy of its keys"),
        C::TwoContexts => format!("two tabs, browsers or copies publish keys as {who}"),
        C::ServerRestored => {
            format!("the server's database went back in time and gave out a one-time key of {who} twice")
        }
        C::Exhausted => format!("{who} has no one-time key left on the server"),
        C::OlmSeen => format!("{who} could not set up or use encrypted sessions"),
        C::Ke2Seen => format!("{who} missed media keys of a call"),
        C::ConflictLostKey | C::LostKey => format!("{who} could not read {messages}"),
        C::ConflictLostMediaKey | C::LostKeyLostMediaKey => {
            format!("{who} could not read {}'s media key", peer.unwrap_or_else(|| "another participant".to_owned()))
        }
        C::SameKeyTwoSessions => format!("one one-time key of {who} was used for two sessions"),
        C::Redelivery => format!("{messages} that {who} could not read {} read elsewhere", was(count)),
        C::MediaDecoded => {
            format!("{who} receives and decodes the media of {}", peer.unwrap_or_else(|| "a participant".to_owned()))
        }
        C::MediaNotDecrypted => {
            format!("{who} gets media of {} that it cannot decrypt", peer.unwrap_or_else(|| "a participant".to_owned()))
        }
        C::MediaNotArriving => {
            format!("nothing of {} arrives at {who}", peer.unwrap_or_else(|| "a participant".to_owned()))
        }
        C::MediaNotSent => format!("{who} sends no sound itself"),
        C::EncryptionOneSided => format!(
            "{} sends media without the encryption that {who} expects",
            peer.unwrap_or_else(|| "a participant".to_owned())
        ),
        C::MediaKeyMissing => {
            format!("{who} cannot hear or see {}", peer.unwrap_or_else(|| "a participant".to_owned()))
        }
        C::NeverSent => {
            format!("{} never sent its media key to {who}", peer.unwrap_or_else(|| "a participant".to_owned()))
        }
        C::StaleTarget => format!("a message was sent to {who}, which had been deleted"),
        C::Backlog => format!("messages wait on the server for {who} and are not fetched"),
        C::BatchDropped => format!("{who} dropped messages before they were sent"),
        C::NoOneTimeKey => format!(
            "the server had no one-time key of {} to give to {who}",
            peer.unwrap_or_else(|| "a device".to_owned())
        ),
        C::StaleDeviceList => {
            format!("{} knows {who} by keys that are out of date", peer.unwrap_or_else(|| "a sender".to_owned()))
        }
        C::IdentityOverwritten => format!("the server holds other identity keys for {who} than it has itself"),
        C::EncryptedForOtherIdentity => {
            format!("{messages} for {who} {} encrypted for keys that it does not have", was(count))
        }
        C::DeviceIdentityChanged => format!("{} came with new identity keys", peer.unwrap_or_else(|| who.clone())),
        C::DifferentSfu => format!(
            "{who} and {} are in one call at different SFUs, between which no media passes, which is no matter of encryption",
            peer.unwrap_or_else(|| "another member".to_owned())
        ),
        C::Ke3Seen => format!("{who} could not decrypt events"),
        C::MalformedOnServer => "an event was stored without a field that its decryption needs".to_owned(),
        C::StrippedOnTheWay => "an event lost a field between the server and the client".to_owned(),
        C::ClientBug => format!("{who} could not read an event that arrived whole"),
        C::UndecodableOnServer => "an event was stored with a key that cannot be decoded".to_owned(),
        C::RoomKeyWithheld => {
            format!("{} keeps room keys back from {who}", peer.unwrap_or_else(|| "a sender".to_owned()))
        }
        C::RoomKeyFromLater => {
            format!(
                "{who} has room keys of {} only from later messages on",
                peer.unwrap_or_else(|| "a sender".to_owned())
            )
        }
        C::Ke4Seen => format!("requests that keep {who} in a call failed"),
        C::SlowHomeserver => "the homeserver answered too late".to_owned(),
        C::SlowGateway => "something between the client and the homeserver held requests or their answers".to_owned(),
        C::NeverArrived => "requests never reached the homeserver".to_owned(),
        C::DelayedEventTimeouts => format!("requests that keep {who} in a call failed several times in a row"),
        C::MembershipLost => format!("{who} fell out of the call and joined again"),
        C::MembershipManagerStopped => format!("{who} gave up its place in the call"),
    }
}

/// "device ALICE of @alice:example.org".
pub(super) fn who(device: Option<&Device>) -> String {
    device.map_or_else(|| "a device".to_owned(), |device| format!("device {} of {}", device.device_id, device.user_id))
}

fn peer(subject: &Subject) -> Option<String> {
    subject
        .peer
        .as_ref()
        .map(|device| device.user_id.clone())
        .or_else(|| subject.peer_user_id.clone())
        .or_else(|| subject.participant.clone())
}

fn counted(count: usize, one: &str, many: &str) -> String {
    match count {
        0 | 1 => one.to_owned(),
        count => format!("{count} {many}"),
    }
}

fn was(count: usize) -> &'static str {
    if count > 1 { "were" } else { "was" }
}

//! Which ids a page's report speaks of, and what it says of each.

use crypto_diag_analysis::evidence::ke1::SignedKey;
use crypto_diag_analysis::evidence::{Ke1, Ke2, Ke3, Ke4, Olm};
use crypto_diag_analysis::{Evidence, Reading, Report};
use crypto_diag_core::redact::is_closed;
use crypto_diag_core::{Millis, OlmKind};
use crypto_diag_pseudonym::{Kind, Pseudonym};

use crate::Names;
use crate::table::Role;

/// Letters of a Megolm session's id: a public key of 32 bytes in unpadded base64.
const SESSION_ID_LETTERS: usize = 43;

/// One mention.
#[derive(Debug)]
pub struct Mention {
    pub at: Millis,
    pub role: Role,
    pub kind: Kind,
    pub id: Pseudonym,
    /// The entry; `None` for what the report says besides.
    pub entry: Option<usize>,
}

/// All mentions of a page, in the order in which the report has them.
pub fn of_page(names: &Names, report: &Report, reading: &Reading) -> Vec<Mention> {
    let mut list = List { names, mentions: Vec::new(), at: report.generated_at, entry: None };
    if let Some(key) = report.own_keys().and_then(|keys| keys.curve25519.as_deref()) {
        list.id(Role::Own, Kind::Curve25519, Some(key));
    }
    if let Some(session) = report.call.as_ref().and_then(|call| call.session.as_ref()) {
        list.id(Role::Call, Kind::Room, session.room_id.as_deref());
        for member in &session.memberships {
            list.id(Role::Call, Kind::Participant, member.participant.as_deref());
            list.device(Role::Call, member.user_id.as_deref(), member.device_id.as_deref());
        }
    }
    for batch in &report.sent {
        list.at = batch.ts;
        for target in &batch.targets {
            list.id(Role::Sent, Kind::Message, target.message_id.as_deref());
            list.device(Role::Target, Some(&target.user_id), Some(&target.device_id));
        }
    }
    for (index, entry) in report.entries() {
        (list.at, list.entry) = (entry.ts, Some(index));
        match reading.evidence.get(index).and_then(Option::as_ref) {
            Some(Evidence::Ke1(line)) => list.refused_key(line),
            Some(Evidence::Ke2(line)) => list.media_key(line),
            Some(Evidence::Ke3(line)) => list.event(line),
            Some(Evidence::Ke4(line)) => list.delayed_event(line),
            Some(Evidence::Olm(line)) => list.olm(line),
            None => {}
        }
    }
    list.mentions
}

struct List<'n> {
    names: &'n Names,
    mentions: Vec<Mention>,
    at: Millis,
    entry: Option<usize>,
}

impl List<'_> {
    fn push(&mut self, role: Role, kind: Kind, id: Pseudonym) {
        self.mentions.push(Mention { at: self.at, role, kind, id, entry: self.entry });
    }

    /// An id, unless what stands in its place has been closed: that would be one id for all that are closed alike.
    fn id(&mut self, role: Role, kind: Kind, id: Option<&str>) {
        if let Some(id) = id.filter(|id| !id.is_empty() && !is_closed(id)) {
            self.push(role, kind, self.names.of(kind, id));
        }
    }

    fn device(&mut self, role: Role, user_id: Option<&str>, device_id: Option<&str>) {
        if let (Some(user_id), Some(device_id)) = (user_id, device_id)
            && !is_closed(user_id)
            && !is_closed(device_id)
        {
            self.push(role, Kind::Device, self.names.device(user_id, device_id));
        }
    }

    fn refused_key(&mut self, line: &Ke1) {
        for key in [&line.server_key, &line.client_key].into_iter().flatten() {
            self.id(Role::Refused, Kind::OneTimeKey, key.key.as_deref());
        }
        self.device(Role::Named, line.user_id.as_deref(), line.device_id.as_deref());
    }

    fn media_key(&mut self, line: &Ke2) {
        self.id(Role::Received, Kind::Message, line.message_id.as_deref());
        self.id(Role::Sender, Kind::Curve25519, line.sender_key.as_deref());
        self.id(Role::Call, Kind::Room, line.room_id.as_deref());
        if let Some(participant) = &line.participant {
            self.id(Role::Missing, Kind::Participant, Some(&participant.identity));
            self.device(Role::Missing, participant.user_id.as_deref(), participant.device_id.as_deref());
        }
    }

    fn event(&mut self, line: &Ke3) {
        self.id(Role::Undecryptable, Kind::Event, line.event_id.as_deref());
        // Some clients print a placeholder where they do not know the session: it would join reports that have nothing in common.
        let session = line.session_id.as_deref().filter(|id| id.len() == SESSION_ID_LETTERS);
        self.id(Role::Undecryptable, Kind::Session, session);
        self.id(Role::Undecryptable, Kind::Room, line.room_id.as_deref());
        self.id(Role::Lost, Kind::Message, line.message_id.as_deref());
        self.id(Role::Sender, Kind::Curve25519, line.sender_key.as_deref());
    }

    fn delayed_event(&mut self, line: &Ke4) {
        self.id(Role::Call, Kind::Room, line.room_id.as_deref());
    }

    fn olm(&mut self, line: &Olm) {
        self.id(Role::Lost, Kind::Message, line.message_id.as_deref());
        self.id(Role::Sender, Kind::Curve25519, line.sender_key.as_deref());
        // A sender says it of a key that it was given and does not take.
        let role = if line.kind == OlmKind::OutboundCreation { Role::Named } else { Role::Lost };
        let signed = line.signed.as_ref().and_then(|SignedKey { key, .. }| key.as_deref());
        self.id(role, Kind::OneTimeKey, line.one_time_key.as_deref().or(signed));
        self.device(Role::Named, line.user_id.as_deref(), line.device_id.as_deref());
        for device in &line.devices {
            self.device(Role::Named, Some(&device.user_id), Some(&device.device_id));
        }
    }
}

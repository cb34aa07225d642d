//! A page's report, as the capture writes it.

use serde_json::{Value, json};

use super::Device;

/// A line that the capture kept.
#[derive(Clone, Debug)]
pub struct Line {
    /// When, by the page's clock.
    pub at: i64,
    /// `warn` or `error`.
    pub level: &'static str,
    /// The family.
    pub family: &'static str,
    /// The words by which it was found.
    pub signature: &'static str,
    /// What it means: `failure`, `transient` or `delivered`.
    pub meaning: &'static str,
    /// The text.
    pub text: String,
}

/// A batch of to-device messages that the page queued.
#[derive(Clone, Debug)]
pub struct Batch {
    /// When, by the page's clock.
    pub at: i64,
    /// Its transaction.
    pub txn_id: String,
    /// Whom it is for, each with the message's id.
    pub targets: Vec<(Device, String)>,
}

impl Batch {
    /// As a report lists it.
    pub fn json(&self) -> Value {
        let target =
            |(device, id): &(Device, String)| json!({"userId": device.user, "deviceId": device.id, "messageId": id});
        let targets: Vec<Value> = self.targets.iter().map(target).collect();
        json!({"ts": self.at, "type": "m.room.encrypted", "txnid": self.txn_id, "targets": targets, "omitted": 0,
               "realm": {"kind": "main", "path": null}})
    }
}

/// A message is at the server so soon after it was made, and back as soon.
const MESSAGE_MS: i64 = 40;

/// What a report says. Times are the page's.
#[derive(Clone, Debug)]
pub struct Report {
    /// Whose page.
    pub device: Device,
    /// The device's identity keys, Ed25519 and Curve25519, if a client runs.
    pub identity: Option<(String, String)>,
    /// When the page began.
    pub began: i64,
    /// When the capture was installed.
    pub installed: i64,
    /// When Clear was pressed last.
    pub cleared: Option<i64>,
    /// When the report was made.
    pub made: i64,
    /// By how much the page's clock was set while the page was open.
    pub clock_moved: i64,
    /// What befell the page while it was watched, such as `freeze`.
    pub page_events: Vec<(i64, &'static str)>,
    /// The lines.
    pub lines: Vec<Line>,
    /// The number of a line that the capture missed, because it was printed while another one was being formatted.
    pub missed: Option<u8>,
    /// Whether the console shows the crypto library's warnings.
    pub library: bool,
    /// Whether the capture watches `console.info`.
    pub info: bool,
    /// What the report has of a call; null for none.
    pub call: Value,
    /// How far the homeserver's clock was ahead of the page's, when the page sent a message; `None` if it has sent none.
    pub server_minus_page: Option<i64>,
    /// The devices of others that the client knows, each with its identity keys as in [`Report::identity`].
    pub known: Vec<(Device, String, String)>,
    /// The batches that it queued.
    pub sent: Vec<Batch>,
}

/// The sentence that matrix-js-sdk prints when an outgoing request failed with an error of the server.
pub fn outgoing_failed(status: u16, sentence: &str, url: &str) -> String {
    format!("Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [{status}] {sentence} ({url})")
}

/// What matrix-js-sdk prints when it no longer waits for the answer to the restart of a call's delayed event, and how many had
/// failed before without a success between.
pub fn restart_timed_out(room: &str, failed_before: usize) -> String {
    format!(
        "[MatrixRTCSession {room} m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry (({failed_before}/10)) AbortError: Restart delayed event timed out before the HS responded"
    )
}

/// What matrix-js-sdk prints when the restart is answered with a server's error. `error` is in JavaScript's words.
pub fn restart_failed(room: &str, failed_before: usize, error: &str) -> String {
    format!(
        "[MatrixRTCSession {room} m.call#ROOM][MembershipManager] Server error while sending event, retrying in 3s ({failed_before}/10) {error}"
    )
}

/// The homeserver's own error, as matrix-js-sdk names it.
pub fn homeservers_error(url: &str) -> String {
    format!("M_UNKNOWN: MatrixError: [500] Internal server error ({url})")
}

/// An error whose body is no JSON, as a gateway gives it.
pub fn gateways_error(status: u16) -> String {
    format!("Error: Server returned {status} error")
}

impl Report {
    /// The lines that were printed, but the one that was missed.
    pub fn kept(&self) -> Vec<&Line> {
        let is_printed = |line: &&Line| self.library || !line.text.starts_with("WARN matrix_sdk_crypto::");
        let mut kept: Vec<&Line> = self.lines.iter().filter(is_printed).collect();
        if let Some(missed) = self.missed.map(usize::from).filter(|missed| *missed < kept.len()) {
            kept.remove(missed);
        }
        kept
    }

    /// The report's JSON.
    pub fn json(&self) -> Vec<u8> {
        let kept = self.kept();
        let families = ["KE-1", "KE-2", "KE-3", "KE-4", "OLM"];
        let of = |family: &str| kept.iter().copied().filter(move |line| line.family == family).collect::<Vec<_>>();
        let counts: Value = families
            .iter()
            .map(|family| ((*family).to_owned(), json!(of(family).len())))
            .collect::<serde_json::Map<_, _>>()
            .into();
        let mut tallies = Vec::new();
        for family in families {
            for meaning in ["failure", "transient", "delivered"] {
                let lines: Vec<_> = of(family).into_iter().filter(|line| line.meaning == meaning).collect();
                if let (Some(first), Some(last)) = (lines.first(), lines.last()) {
                    tallies.push(json!({"ke": family, "meaning": meaning, "total": lines.len(), "firstTs": first.at,
                                        "lastTs": last.at, "peakPerSecond": 1, "ratePerSecond": null}));
                }
            }
        }
        let entries: Vec<Value> = kept
            .iter()
            .map(|line| {
                json!({"ts": line.at, "level": line.level, "ke": line.family, "signature": line.signature,
                       "message": line.text, "meaning": line.meaning, "realm": {"kind": "main", "path": null},
                       "source": "console", "stack": null, "redactions": 0, "truncatedFrom": null})
            })
            .collect();
        let Device { user, id } = self.device;
        let page_events: Vec<Value> =
            self.page_events.iter().map(|(ts, event)| json!({"ts": ts, "event": event})).collect();
        let methods = ["warn", "error"].into_iter().chain(self.info.then_some("info"));
        let hooks: Vec<Value> =
            methods.map(|method| json!({"method": method, "inPlace": true, "reason": null})).collect();
        let crypto = self.identity.as_ref().map(|(ed25519, curve25519)| {
            let mut devices =
                vec![json!({"userId": user, "deviceId": id, "ed25519": ed25519, "curve25519": curve25519,
                                          "verified": true})];
            devices.extend(self.known.iter().map(|(device, ed25519, curve25519)| {
                json!({"userId": device.user, "deviceId": device.id, "ed25519": ed25519, "curve25519": curve25519,
                       "verified": false})
            }));
            json!({"ownDeviceKeys": {"ed25519": ed25519, "curve25519": curve25519},
                   "devices": devices,
                   "activeBackupVersion": null, "crossSigningReady": false, "secretStorageReady": false})
        });
        let sent: Vec<Value> = self.sent.iter().map(Batch::json).collect();
        let runs = self.identity.is_some();
        let mut report = json!({
            "schema": "crypto-diag/report", "schemaVersion": 1, "generatedAt": self.made,
            "tool": {"name": "crypto-diag", "version": "0.1.0"},
            "sdkVersion": "41.6.0-rc.0", "cryptoVersion": "Rust SDK 0.19.1 (a3d573d), Vodozemac 0.11.0",
            "deviceId": id, "userId": user, "syncState": if runs { json!("SYNCING") } else { Value::Null },
            "cryptoReady": runs,
            "userAgent": "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/156.0.0.0 Safari/537.36",
            "page": "https://cinny.example.org/",
            "clock": {"timeOrigin": self.began, "offset": self.clock_moved, "timeZoneOffset": 0},
            "storage": {"persisted": false, "quota": 10_737_541_120_u64, "usage": 122_880,
                        "databases": [{"name": "live::matrix-sdk-crypto", "version": 107}]},
            "crypto": crypto, "unanswered": [], "counts": counts, "tallies": tallies,
            "capture": {"state": "capturing", "reason": null, "installedAt": self.installed, "timeOrigin": self.began,
                        "installedAfter": self.installed - self.began, "clearedAt": self.cleared,
                        "hooks": hooks,
                        "linesSeen": 40 + kept.len(), "linesMatched": kept.len(), "evicted": 0, "truncated": 0,
                        "redactions": 0, "partlyScanned": 0, "unreadable": 0, "nested": u8::from(self.missed.is_some()), "queued": 0,
                        "queueOverflow": 0, "listenerErrors": 0, "failures": [],
                        "frames": {"watching": true, "documents": [], "omitted": 0}, "pageEvents": page_events},
            "sent": sent, "entries": entries,
        });
        if !self.call.is_null() {
            report["call"] = self.call.clone();
        }
        if let Some(ahead) = self.server_minus_page {
            report["clock"]["serverMinusPage"] = json!({"low": ahead - MESSAGE_MS, "high": ahead + MESSAGE_MS});
        }
        report.to_string().into_bytes()
    }
}

/// What a line about a lost one-time key names.
#[derive(Clone, Debug)]
pub struct LostKey<'a> {
    /// The one-time key's public half.
    pub one_time_key: &'a str,
    /// The sender.
    pub sender: &'a str,
    /// The sender's Curve25519 key.
    pub sender_key: &'a str,
    /// The handshake's base key.
    pub base_key: &'a str,
    /// The ratchet's key.
    pub ratchet_key: &'a str,
    /// The session.
    pub session_id: &'a str,
    /// The message's place in the session.
    pub chain_index: u32,
    /// The message.
    pub message_id: &'a str,
}

/// What matrix-sdk-crypto prints when a store lacks the private half of the one-time key that a message names.
pub fn missing_one_time_key(lost: &LostKey<'_>) -> String {
    let LostKey { one_time_key, sender, sender_key, base_key, ratchet_key, session_id, chain_index, message_id } = lost;
    format!(
        "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey(\"curve25519:{one_time_key}\"))\n    at /home/runner/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matrix-sdk-crypto-0.19.1/src/olm/account.rs:1406\n    in matrix_sdk_crypto::olm::account::decrypt_and_parse_olm_message with sender=\"{sender}\" sender_key=\"curve25519:{sender_key}\" PreKey(PreKeyMessage {{ session_keys: SessionKeys {{ identity_key: \"{sender_key}\", base_key: \"{base_key}\", one_time_key: \"{one_time_key}\" }}, message: Message {{ version: 3, ratchet_key: \"curve25519:{ratchet_key}\", chain_index: {chain_index}, .. }} }}) decryption_settings=DecryptionSettings {{ sender_device_trust_requirement: Untrusted }} session_id=\"{session_id}\"\n    in matrix_sdk_crypto::olm::account::decrypt_olm_v1 with sender_key=\"curve25519:{sender_key}\"\n    in matrix_sdk_crypto::olm::account::decrypt_to_device_event with algorithm=\"m.olm.v1.curve25519-aes-sha2\"\n    in matrix_sdk_crypto::machine::receive_to_device_event with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"{message_id}\"\n    in matrix_sdk_crypto::machine::receive_sync_changes"
    )
}

/// What it prints of a message within a session when none of the sender's sessions opens it, as none does when the message comes a
/// second time.
pub fn not_opened_by_any_session(sender: &str, sender_key: &str, message_id: &str) -> String {
    format!(
        "WARN matrix_sdk_crypto::olm::account: Failed to decrypt a non-pre-key message with all available sessions\n    at /home/runner/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matrix-sdk-crypto-0.19.1/src/olm/account.rs:1297\n    in matrix_sdk_crypto::olm::account::decrypt_and_parse_olm_message with sender=\"{sender}\" sender_key=\"curve25519:{sender_key}\"\n    in matrix_sdk_crypto::olm::account::decrypt_olm_v1 with sender_key=\"curve25519:{sender_key}\"\n    in matrix_sdk_crypto::olm::account::decrypt_to_device_event with algorithm=\"m.olm.v1.curve25519-aes-sha2\"\n    in matrix_sdk_crypto::machine::receive_to_device_event with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"{message_id}\"\n    in matrix_sdk_crypto::machine::receive_sync_changes"
    )
}

/// What matrix-js-sdk prints when it gives up a batch that the server refused for good.
pub fn batch_dropped(errcode: &str, status: u16, sentence: &str, url: &str) -> String {
    format!(
        "Fatal error when sending to-device message - dropping to-device batch! {errcode}: MatrixError: [{status}] {sentence} ({url})"
    )
}

/// What matrix-sdk-crypto prints of a media key that it opened: the library does not know its kind.
pub fn media_key_opened(sender: &str, sender_key: &str, message_id: &str) -> String {
    format!(
        "WARN matrix_sdk_crypto::machine: Received an unexpected encrypted to-device event\n    at /home/runner/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matrix-sdk-crypto-0.19.1/src/machine/mod.rs:1556\n    in matrix_sdk_crypto::machine::handle_decrypted_to_device_event with sender_key=\"curve25519:{sender_key}\" event_type=\"io.element.call.encryption_keys\"\n    in matrix_sdk_crypto::machine::receive_to_device_event with sender=\"{sender}\" event_type=\"m.room.encrypted\" message_id=\"{message_id}\"\n    in matrix_sdk_crypto::machine::receive_sync_changes"
    )
}

/// What LiveKit's worker prints, once for each track, of frames at whose index there is no key. Participants are named as the media server
/// names them; `own` is the page's.
pub fn missing_key(participant: &str, index: u8, own: &str) -> String {
    format!(
        "MissingKey: missing key at index {index} for participant {participant} {{room: \"\", participant: \"{own}\"}}"
    )
}

/// What it prints of frames that no key opens.
pub fn wrong_key(participant: &str, own: &str) -> String {
    format!("InvalidKey: valid key missing for participant {participant} {{room: \"\", participant: \"{own}\"}}")
}

/// Why an event's room key does not open it: what matrix-sdk-crypto says, and what matrix-js-sdk makes of that.
#[derive(Clone, Copy, Debug)]
pub struct NotOpened {
    /// By matrix-sdk-crypto.
    pub machine: &'static str,
    /// By matrix-js-sdk.
    pub page: &'static str,
    /// Whether the key is there. Then the library's line says whose it is, and so does matrix-js-sdk's line unless the client refuses the
    /// key.
    pub key: Key,
}

/// Whether a room key is there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Key {
    /// The key is not there.
    Missing,
    /// The key is there and does not open the event.
    Useless,
    /// The key is there and the client refuses it.
    Refused,
}

impl NotOpened {
    /// The key never came.
    pub const MISSING: NotOpened = NotOpened {
        machine: "Can't find the room key to decrypt the event, withheld code: None",
        page: "The sender's device has not sent us the keys for this message.",
        key: Key::Missing,
    };
    /// The sender has said that it keeps the key from devices that are not verified.
    pub const KEPT_BACK: NotOpened = NotOpened {
        machine: "Can't find the room key to decrypt the event, withheld code: Some(\"m.unverified\")",
        page: "The sender has disabled encrypting to unverified devices.",
        key: Key::Missing,
    };
    /// The key begins two messages after the first, which the event is.
    pub const FROM_LATER: NotOpened = NotOpened {
        machine: "The message was encrypted using an unknown message index, first known index 2, index of the message 0",
        page: "The sender's device has not sent us the keys for this message at this index.",
        key: Key::Useless,
    };
    /// The event is older than the device, and the server has no key backup.
    pub const HISTORICAL: NotOpened = NotOpened {
        machine: NotOpened::MISSING.machine,
        page: "This message was sent before this device logged in, and there is no key backup on the server.",
        key: Key::Missing,
    };
    /// The client takes keys only of devices that their owner has signed.
    pub const NOT_SIGNED: NotOpened = NotOpened {
        machine: "decryption failed because trust requirement not satisfied: The sending device was not signed by the user's identity",
        page: "The sender identity is not cross-signed.",
        key: Key::Refused,
    };
}

/// An encrypted event as the client's lines name it.
#[derive(Clone, Copy, Debug)]
pub struct Undecryptable<'a> {
    /// Its id.
    pub id: &'a str,
    /// Its sender.
    pub sender: &'a str,
    /// Its room.
    pub room: &'a str,
    /// Its own time, in milliseconds since the epoch.
    pub sent: i64,
    /// The `sender_key` of its content.
    pub sender_key: Option<&'a str>,
    /// The `session_id` of its content.
    pub session_id: Option<&'a str>,
}

impl Undecryptable<'_> {
    /// What matrix-js-sdk prints of an event that could not be decrypted.
    pub fn error(&self, says: &str) -> String {
        let [key, session] = [self.sender_key, self.session_id].map(|value| value.unwrap_or("undefined"));
        self.error_with(&format!("{says}, sender_key: {key}, session_id: {session}"))
    }

    fn error_with(&self, says: &str) -> String {
        let Undecryptable { id, sender, room, sent, .. } = self;
        let ts = super::stamp::iso(*sent);
        format!(
            "Error decrypting event (id={id} type=m.room.encrypted sender={sender} room={room} ts={ts}): DecryptionError[msg: {says}]"
        )
    }

    /// What matrix-sdk-crypto prints of an event that its room key does not open, and what matrix-js-sdk prints a moment later.
    /// `index` is the event's place in its session.
    pub fn not_opened(&self, why: NotOpened, index: u32) -> (String, String) {
        let Undecryptable { id, sender, room, sent, .. } = self;
        let [key, session] = [self.sender_key, self.session_id].map(Option::unwrap_or_default);
        let known = if why.key == Key::Missing { String::new() } else { format!(" sender_key=\"curve25519:{key}\"") };
        let machine = format!(
            "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: {}\n    at /home/runner/.cargo/registry/src/index.crates.io-1949cf8c6b5b557f/matrix-sdk-crypto-0.19.1/src/machine/mod.rs:2520\n    in matrix_sdk_crypto::machine::decrypt_room_event with room_id=\"{room}\" sender=\"{sender}\" event_id=\"{id}\" origin_server_ts=\"{}\" algorithm=\"m.megolm.v1.aes-sha2\" sender_key=Some(\"curve25519:{key}\") session_id=\"{session}\" message_index={index}{known}",
            why.machine,
            super::stamp::iso(*sent)
        );
        let page = if why.key == Key::Refused { self.error_with(why.page) } else { self.error(why.page) };
        (machine, page)
    }
}

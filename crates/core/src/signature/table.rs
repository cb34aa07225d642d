//! The rows.

use super::kind::{Ke2Kind, Ke3By, Ke4Kind, Ke4Words, Kind, OlmKind};
use super::{Rule, Signature};
use crate::entry::Meaning;

/// What people read of a row: in documents and tests, not in a page, which would only have to load it.
const fn cited(text: &'static str) -> &'static str {
    if cfg!(target_arch = "wasm32") { "" } else { text }
}

/// Words that show that "already exists" speaks of a key upload and not of a database, a room or a file.
const ABOUT_A_KEY: &[&str] = &["One time key", "one-time key", "signed_curve25519", "keys/upload", "e2e_one_time_keys"];

/// The table. The first row whose needle stands in a line names its entry, so the most telling needle comes first.
pub const SIGNATURES: &[Signature] = &[
    // OLM: the private half of a one-time key is gone, so a peer's first message cannot be opened.
    Signature {
        needle: "MissingOneTimeKey",
        literal: "Missing",
        kind: Kind::Olm(OlmKind::MissingOneTimeKey),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey(\"curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\"))\n    at src/olm/account.rs:1300",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs (vodozemac's InboundCreation)"),
    },
    // The sender's side: the claimed key is not signed by the device it should be of, or cannot be used.
    Signature {
        needle: "Error creating Olm session",
        literal: "Olm ",
        kind: Kind::Olm(OlmKind::OutboundCreation),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::session_manager::sessions: Error creating Olm session\n    user_id=\"@alice:localhost\" device_id=\"ZDUDAVALPA\" error=InvalidSignature { one_time_key: SignedKey { key: \"curve25519:tzvLhoaxk4QNH2ueCAaS7tZ8TqffaTmBo3qjhwVKV0o\" } }",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "Olm event doesn't contain a ciphertext for our key",
        literal: "Olm ",
        kind: Kind::Olm(OlmKind::NotForOurKey),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("WARN matrix_sdk_crypto::olm::account: Olm event doesn't contain a ciphertext for our key"),
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    Signature {
        needle: "Rejecting device update",
        literal: "vice",
        kind: Kind::Olm(OlmKind::DeviceUpdateRejected),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("WARN matrix_sdk_crypto::identities::manager: Rejecting device update error=SigningKeyChanged"),
        source: cited("matrix-sdk-crypto 0.19.1, src/identities/manager.rs"),
    },
    Signature {
        needle: "Rejecting a previously unseen device",
        literal: "vice",
        kind: Kind::Olm(OlmKind::DeviceRejected),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::identities::manager: Rejecting a previously unseen device\n    user_id=\"@a:b\" device_id=\"D\" error=SignatureVerificationError",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/identities/manager.rs"),
    },
    // The server's list of the user's own devices lacks this one: nobody can send to it.
    Signature {
        needle: "Our own device might have been deleted",
        literal: "vice",
        kind: Kind::Olm(OlmKind::OwnDeviceMissing),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::identities::manager: Our own device might have been deleted\n    user_id=\"@a:b\" device_id=\"D\"",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/identities/manager.rs"),
    },
    Signature {
        needle: "Failed to create a new Olm session",
        literal: "Olm ",
        kind: Kind::Olm(OlmKind::InboundCreation),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(Decryption(InvalidMAC))",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    // A session that only the peer still has: wedged.
    Signature {
        needle: "Failed to decrypt a non-pre-key message with all available sessions",
        literal: "ypt",
        kind: Kind::Olm(OlmKind::NoSession),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::olm::account: Failed to decrypt a non-pre-key message with all available sessions",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    // Printed for a message that is delivered a second time, too.
    Signature {
        needle: "Failed to decrypt a pre-key message with the corresponding session",
        literal: "ypt",
        kind: Kind::Olm(OlmKind::PreKeyReplay),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::olm::account: Failed to decrypt a pre-key message with the corresponding session",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    // Any room with somebody's dead device, or one that has just logged out, prints this.
    Signature {
        needle: "Tried to create new Olm sessions, but",
        literal: "Olm ",
        kind: Kind::Olm(OlmKind::NoOneTimeKey),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::session_manager::sessions: Tried to create new Olm sessions, but the signed one-time key was missing for some devices missing_devices_by_user={}",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    // Any room with somebody's broken old device prints this.
    Signature {
        needle: "due to missing Olm support or bad keys",
        literal: "Olm ",
        kind: Kind::Olm(OlmKind::BadDevices),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::session_manager::sessions: Can't establish an Olm session with some devices due to missing Olm support or bad keys",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "Tried to create an Olm session but the device is unknown",
        literal: "Olm ",
        kind: Kind::Olm(OlmKind::UnknownDevice),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::session_manager::sessions: Tried to create an Olm session but the device is unknown",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "treating an unwedged device",
        literal: "vice",
        kind: Kind::Olm(OlmKind::UnwedgeFailed),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "ERROR matrix_sdk_crypto::session_manager::sessions: Error while treating an unwedged device: StoreError",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "mark device to be unwedged",
        literal: "vice",
        kind: Kind::Olm(OlmKind::UnwedgeFailed),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("ERROR matrix_sdk_crypto::machine: Couldn't mark device to be unwedged error=StoreError"),
        source: cited("matrix-sdk-crypto 0.19.1, src/machine/mod.rs"),
    },
    // A membership that was left behind by a device which has logged out prints this in a healthy call.
    Signature {
        needle: "encryptToDeviceMessages: unknown device",
        literal: "vice",
        kind: Kind::Olm(OlmKind::TargetUnknown),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("[encryptToDeviceMessages] encryptToDeviceMessages: unknown device @a:b:GONE"),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/rust-crypto/rust-crypto.ts"),
    },
    Signature {
        needle: "Fatal error when sending to-device message",
        literal: "vice",
        kind: Kind::Olm(OlmKind::BatchDropped),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "Fatal error when sending to-device message - dropping to-device batch! M_UNKNOWN: MatrixError: [400] too large",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/ToDeviceMessageQueue.ts"),
    },
    // The token is advanced all the same: to-device messages and device lists of that /sync are lost.
    Signature {
        needle: "Error passing sync changes to the crypto layer",
        literal: "ypt",
        kind: Kind::Olm(OlmKind::SyncNotTaken),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "Error passing sync changes to the crypto layer TransactionInactiveError: the transaction is not active",
        ),
        source: cited("matrix-js-sdk 43.0.0, src/sync.ts"),
    },
    // KE-2: a key that is late during a rotation prints the same words in a healthy call.
    Signature {
        needle: "missing key at index",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::MissingKey),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("missing key at index 3 for participant @user:server:DEVICE"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "key set not found",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::KeySetNotFound),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("key set not found for @user:server:DEVICE at index 0"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "encryption key missing for encoding",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::OwnKeyMissing),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("CryptorError: encryption key missing for encoding"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "no encryption key found for decryption",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::MissingKey),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("TypeError: no encryption key found for decryption of @user:server:DEVICE"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    // There is a key at the index, and it does not open the frame, however often it is ratcheted.
    Signature {
        needle: "valid key missing for participant",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::WrongKey),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("valid key missing for participant @user:server:DEVICE"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "No key set found",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::KeySetNotFound),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("Error: No key set found"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/DataCryptor.ts"),
    },
    Signature {
        needle: "encryption state unknown for track",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::NotSetUp),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("encryption state unknown for track TR_abc, dropping frame"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "no active decrypt transform",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::NotSetUp),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("encrypted track has no active decrypt transform"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    // More than five errors of one participant, each a second or more after the one before.
    Signature {
        needle: "Suppressing further decryption errors",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::ManyErrors),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("Suppressing further decryption errors for @user:server:DEVICE {errorKey: \"x-1-decrypt\"}"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts and ErrorRateLimiter.ts"),
    },
    Signature {
        needle: "Received encrypted packet but E2EE not set up",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::NotSetUp),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("Received encrypted packet but E2EE not set up"),
        source: cited("livekit-client 2.23.0, src/room/RTCEngine.ts"),
    },
    Signature {
        needle: "Encryption error for",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::CallError),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("Encryption error for unknown participant: Error: worker"),
        source: cited("element-call 0.26.1, src/state/CallViewModel/remoteMembers/Connection.ts"),
    },
    Signature {
        needle: "Failed to set shared key for E2EE",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::OwnKeyFailed),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("Failed to set shared key for E2EE Error: x"),
        source: cited("element-call 0.26.1, src/state/CallViewModel/CallViewModel.ts"),
    },
    Signature {
        needle: "Failed to rollout key ",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::OwnKeyFailed),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM][RTCEncryptionManager] Failed to rollout key Error: x",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/RTCEncryptionManager.ts"),
    },
    // At warn: the peers encrypt their media, and this client was told not to.
    Signature {
        needle: "but media keys are disabled",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::KeysDisabled),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("Received key over transport @user:server:DEVICE at index 1 but media keys are disabled"),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/RTCEncryptionManager.ts"),
    },
    // Also printed by whoever is alone in a call.
    Signature {
        needle: "No targets found for sending key",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::NoTargets),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("[ToDeviceKeyTransport] No targets found for sending key"),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/ToDeviceKeyTransport.ts"),
    },
    Signature {
        needle: "Malformed Event: ",
        literal: "Malformed",
        kind: Kind::Ke2(Ke2Kind::Dropped),
        meaning: Meaning::Unrelated,
        rules: &[Rule {
            meaning: Meaning::Failure,
            any: &["encryption keys", "roomId", "keys field", "claimed_device_id"],
            none: &[],
        }],
        example: cited("[ToDeviceKeyTransport] Malformed Event: Mismatch roomId"),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/ToDeviceKeyTransport.ts"),
    },
    Signature {
        needle: "io.element.call.encryption_keys",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::Delivered),
        meaning: Meaning::Failure,
        rules: &[Rule {
            // Printed after decryption succeeded, since the machine has no handler of its own for the type.
            meaning: Meaning::Delivered,
            any: &["Received an unexpected encrypted to-device event"],
            none: &[],
        }],
        example: cited(
            "WARN matrix_sdk_crypto::machine: Received an unexpected encrypted to-device event\n    at src/machine/mod.rs:1556\n    in matrix_sdk_crypto::machine::handle_decrypted_to_device_event with sender_key=\"curve25519:PvWVoxV6APugb56PL9/cTJF8Pw6E2KG6usaQSzoFLmo\" event_type=\"io.element.call.encryption_keys\"\n    in matrix_sdk_crypto::machine::receive_to_device_event with sender=\"@bob:localhost\" event_type=\"m.room.encrypted\" message_id=\"b4305e2c58c244dea1aaddef5b32ff9d\"",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/machine/mod.rs"),
    },
    Signature {
        needle: "MissingKey",
        literal: "Missing",
        kind: Kind::Ke2(Ke2Kind::MissingKey),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("CryptorError {reason: MissingKey}"),
        source: cited("livekit-client 2.23.0, src/e2ee/errors.ts (CryptorErrorReason)"),
    },
    // There is a key, and it does not open the frame: another key under that index, or a wrong password. The name of the error
    // stands before the words only where the console prints the error itself.
    Signature {
        needle: "Decryption failed: ",
        literal: "ypt",
        kind: Kind::Ke2(Ke2Kind::WrongKey),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited("LiveKitError: Decryption failed: The operation failed for an operation-specific reason"),
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    // A key came, and WebCrypto refuses it.
    Signature {
        needle: "Failed to create key material from buffer",
        literal: "key",
        kind: Kind::Ke2(Ke2Kind::KeyNotImported),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "Failed to create key material from buffer for livekit room=!UroYyeqCqhuMkzUGIA:m.example.io participantId before hash=@farid:hs.example.com:WBFBKNPGOF encryptionKeyIndex=3 OperationError",
        ),
        source: cited("element-call 0.26.1, src/e2ee/matrixKeyProvider.ts"),
    },
    // The device publishes what nobody can open, or in the clear.
    Signature {
        needle: "Failed to set E2EE enabled on room",
        literal: "E2EE",
        kind: Kind::Ke2(Ke2Kind::EncryptionNotEnabled),
        meaning: Meaning::Failure,
        // livekit-client 2.23.0 throws this whether encryption is to be switched on or off, so in every call without it.
        rules: &[Rule { meaning: Meaning::Transient, any: &["e2ee not configured"], none: &[] }],
        example: cited("Failed to set E2EE enabled on room Error: e2ee not configured"),
        source: cited("element-call 0.26.1, src/state/CallViewModel/localMember/Publisher.ts"),
    },
    // KE-3.
    Signature {
        needle: "DecryptionError",
        literal: "ypt",
        kind: Kind::Ke3(Ke3By::Sdk),
        meaning: Meaning::Failure,
        rules: HISTORICAL,
        example: cited(
            "Error decrypting event (id=$Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA type=m.room.encrypted sender=@bob:localhost room=!mcvQkMpfsogPWQAuqq:localhost ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: missing field `algorithm` at line 1 column 233, sender_key: Y, session_id: Z]",
        ),
        source: cited(
            "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/common-crypto/CryptoBackend.ts, printed by src/models/event.ts",
        ),
    },
    // Errors of other kinds: of the store, or because encryption is off.
    Signature {
        needle: "Error decrypting event (",
        literal: "ypt",
        kind: Kind::Ke3(Ke3By::Sdk),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "Error decrypting event (id=$a type=m.room.encrypted sender=@b:c room=!d:c ts=2026-11-23T08:42:19.074Z): TransactionInactiveError: x",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/models/event.ts"),
    },
    // The machine's half; the SDK's own line about the same event follows and says whether it failed.
    Signature {
        needle: "Failed to decrypt a room event",
        literal: "ypt",
        kind: Kind::Ke3(Ke3By::Machine),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: Can't find the room key to decrypt the event, withheld code: None",
        ),
        source: cited("matrix-sdk-crypto 0.19.1, src/machine/mod.rs"),
    },
    // KE-4: the end of the retries comes first, since its text may hold the words of what was retried.
    Signature {
        needle: "MembershipManager stopped because",
        literal: "Manager",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::Stopped)),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "[MembershipManager] MembershipManager stopped because:  Error: Reached maximum (10) retries cause by: AbortError: Restart delayed event timed out before the HS responded",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "MembershipManager encountered an unrecoverable error",
        literal: "Manager",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::Stopped)),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM] MembershipManager encountered an unrecoverable error:  Error: no",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MatrixRTCSession.ts"),
    },
    Signature {
        needle: "MembershipManager has an unknown state",
        literal: "Manager",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::UnknownState)),
        meaning: Meaning::Failure,
        rules: &[],
        example: cited("[MembershipManager] MembershipManager has an unknown state. Actions:  [Object]"),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "MembershipManager] Rejoining the session from scratch",
        literal: "Manager",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::RejoinFromScratch)),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Rejoining the session from scratch: the server already sent our delayed leave event",
        ),
        source: cited("matrix-js-sdk 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "MembershipManager] Error while retrieving a rate-limit",
        literal: "Manager",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::RateLimit)),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Error while retrieving a rate-limit retry delay, retrying after default delay of 5000 Error: no",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    // While the server still has it, which the line says.
    Signature {
        needle: "Could not restart the delayed leave event",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::RestartPutOff)),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "[MembershipManager] Could not restart the delayed leave event before extending `expires`, going ahead since it is still pending AbortError: x",
        ),
        source: cited("matrix-js-sdk 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Retry sending delayed disconnection event",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::DelayTooLong)),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "[MembershipManager] Retry sending delayed disconnection event due to server timeout limitations: M_UNKNOWN: too long",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "SendScheduledDelayedLeaveEvent",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::LeaveFellBack)),
        meaning: Meaning::Failure,
        // 409: the server has sent or cancelled the event already, so the plain leave that follows is all that is left to do.
        rules: &[Rule { meaning: Meaning::Transient, any: &["[409]"], none: &[] }],
        example: cited(
            "Encountered unexpected error during SendScheduledDelayedLeaveEvent. Falling back to SendLeaveEvent",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Restart delayed event timed out",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::LocalTimeout)),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry ((2/10)) AbortError: Restart delayed event timed out before the HS responded",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    // After a tab was frozen this is the cure, not the illness.
    Signature {
        needle: "Missing own membership: force re-join",
        literal: "Missing",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::ForcedRejoin)),
        meaning: Meaning::Transient,
        rules: &[],
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Missing own membership: force re-join",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Network local timeout error while sending event",
        literal: "while s",
        kind: Kind::Ke4(Ke4Words::Say(Ke4Kind::LocalTimeout)),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited(
            "[MembershipManager] Network local timeout error while sending event, immediate retry ((0/10)) AbortError: The operation was aborted",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Network connection error while sending event",
        literal: "while s",
        kind: Kind::Ke4(Ke4Words::Answer(Some(Ke4Kind::Network))),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited(
            "[MembershipManager] Network connection error while sending event, retrying in 3s (1/10) ConnectionError: fetch failed",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Server error while sending event",
        literal: "while s",
        kind: Kind::Ke4(Ke4Words::Answer(Some(Ke4Kind::ServerError))),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited(
            "[MembershipManager] Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] Bad gateway",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "update_delayed_event",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Answer(None)),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited("Error: update_delayed_event failed M_UNRECOGNIZED: Unrecognized request"),
        source: cited("matrix-js-sdk 41.6.0-rc.0, src/embedded.ts (MSC4157 widget action)"),
    },
    Signature {
        needle: "delayed event",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Answer(None)),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited(
            "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] delayed event update timeout error, retrying in 3s (1/10)",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Delayed event not found",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Answer(Some(Ke4Kind::NotFound))),
        meaning: Meaning::Failure,
        rules: RETRIED,
        example: cited("M_NOT_FOUND: MatrixError: [404] Delayed event not found"),
        source: cited("synapse 1.155.0, synapse/handlers/delayed_events.py, in a MatrixError"),
    },
    // Behind all others of KE-4, which say more. A worker that does not serve the path answers M_UNRECOGNIZED.
    Signature {
        needle: "/delayed_events",
        literal: "yed",
        kind: Kind::Ke4(Ke4Words::Answer(None)),
        meaning: Meaning::Unrelated,
        rules: FAILED_REQUEST,
        example: cited(
            "M_UNRECOGNIZED: MatrixError: [404] Unrecognized request (https://a/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_x/restart)",
        ),
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/http-api/errors.ts (the URL of a failed request)"),
    },
    // KE-1 is last: the words are everyday ones, and any other needle in the line says more.
    Signature {
        needle: "already exists",
        literal: "xists",
        kind: Kind::Ke1,
        meaning: Meaning::Unrelated,
        rules: &[Rule { meaning: Meaning::Failure, any: ABOUT_A_KEY, none: &[] }],
        example: cited(
            r#"Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [400] One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}} (http://localhost:8008/_matrix/client/v3/keys/upload)"#,
        ),
        source: cited("synapse 1.155.0, synapse/handlers/e2e_keys.py"),
    },
];

/// matrix-js-sdk 43.0.0, src/rust-crypto/rust-crypto.ts: what was said before this device was there is not meant for it.
const HISTORICAL: &[Rule] = &[Rule {
    meaning: Meaning::Transient,
    any: &["sent before this device logged in", "sent when we were not a member of the room"],
    none: &[],
}];

/// The client says itself that it tries again; only a run of these is a failure.
const RETRIED: &[Rule] =
    &[Rule { meaning: Meaning::Transient, any: &["immediate retry", "retrying in", "Retry sending"], none: &[] }];

/// Words that show that a URL is that of a request which failed.
const FAILED_REQUEST: &[Rule] = &[
    RETRIED[0],
    Rule {
        meaning: Meaning::Failure,
        any: &["MatrixError", "HTTPError", "ConnectionError", "M_UNRECOGNIZED"],
        none: &[],
    },
];

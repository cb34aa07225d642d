//! Real lines, one by one: family, signature and meaning of each.

use crypto_diag_core::{Ke, Meaning, SIGNATURES, classify};

type Row = (&'static str, Ke, &'static str, Meaning);

/// As printed by matrix-js-sdk 41.6.0-rc.0 and livekit-client, or as quoted in public reports where that is said.
const LINES: &[Row] = &[
    (
        r#"Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [400] One time key signed_curve25519:AAAAAAAAADQ already exists. Old key: {"key":"drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho","signatures":{}}; new key: {'key': 'QF6S+xL5kqccqIPCCh4eFpdBdulfr+tKS5/ZN4wGAT0', 'signatures': {}} (http://localhost:8008/_matrix/client/v3/keys/upload)"#,
        Ke::Ke1,
        "already exists",
        Meaning::Failure,
    ),
    // matrix-rust-sdk issue 6520.
    (
        r#"{"errcode":"M_INVALID_PARAM","error":"signed_curve25519:AAAAAAAAAA0 already exists"}"#,
        Ke::Ke1,
        "already exists",
        Meaning::Failure,
    ),
    // Not about keys at all.
    (
        "ConstraintError: Failed to execute 'createObjectStore': An object store with the specified name already exists.",
        Ke::Ke1,
        "already exists",
        Meaning::Unrelated,
    ),
    ("M_ROOM_IN_USE: Room alias #lobby:example.org already exists", Ke::Ke1, "already exists", Meaning::Unrelated),
    (
        "WARN matrix_sdk_crypto::machine: Received an unexpected encrypted to-device event\n    at src/machine/mod.rs:1556\n    in matrix_sdk_crypto::machine::handle_decrypted_to_device_event with sender_key=\"curve25519:PvWVoxV6APugb56PL9/cTJF8Pw6E2KG6usaQSzoFLmo\" event_type=\"io.element.call.encryption_keys\"\n    in matrix_sdk_crypto::machine::receive_to_device_event with sender=\"@bob:localhost\" event_type=\"m.room.encrypted\" message_id=\"b4305e2c58c244dea1aaddef5b32ff9d\"",
        Ke::Ke2,
        "io.element.call.encryption_keys",
        Meaning::Delivered,
    ),
    (
        "Failed to send to-device message of type io.element.call.encryption_keys",
        Ke::Ke2,
        "io.element.call.encryption_keys",
        Meaning::Failure,
    ),
    ("missing key at index 3 for participant @user:server:DEVICE", Ke::Ke2, "missing key at index", Meaning::Transient),
    ("skipping decryption due to missing key at index 3", Ke::Ke2, "missing key at index", Meaning::Transient),
    (
        "CryptorError: MissingKey: missing key at index 0 for participant @user:server:DEVICE",
        Ke::Ke2,
        "missing key at index",
        Meaning::Transient,
    ),
    ("CryptorError {reason: MissingKey}", Ke::Ke2, "MissingKey", Meaning::Transient),
    ("key set not found for @user:server:DEVICE at index 0", Ke::Ke2, "key set not found", Meaning::Transient),
    (
        "Error decrypting event (id=$Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA type=m.room.encrypted sender=@bob:localhost room=!mcvQkMpfsogPWQAuqq:localhost ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: missing field `algorithm` at line 1 column 233, sender_key: Y, session_id: Z]",
        Ke::Ke3,
        "DecryptionError",
        Meaning::Failure,
    ),
    // The signature stands only in the third argument, an AbortError.
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry ((2/10)) AbortError: Restart delayed event timed out before the HS responded",
        Ke::Ke4,
        "Restart delayed event timed out",
        Meaning::Transient,
    ),
    (
        "AbortError: Restart delayed event timed out before the HS responded",
        Ke::Ke4,
        "Restart delayed event timed out",
        Meaning::Failure,
    ),
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] delayed event update timeout error, retrying in 3s (1/10)",
        Ke::Ke4,
        "delayed event",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] Retry sending delayed disconnection event due to server timeout limitations: M_UNKNOWN: delayed event too long",
        Ke::Ke4,
        "delayed event",
        Meaning::Transient,
    ),
    ("error updating delayed event", Ke::Ke4, "delayed event", Meaning::Failure),
    ("Failed to send update_delayed_event: Error: timed out", Ke::Ke4, "update_delayed_event", Meaning::Failure),
    // OLM, from the recorded consoles.
    (
        "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey(\"curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho\"))\n    at src/olm/account.rs:1300",
        Ke::Olm,
        "MissingOneTimeKey",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::session_manager::sessions: Error creating Olm session\n    user_id=\"@alice:localhost\" device_id=\"ZDUDAVALPA\" error=InvalidSignature { one_time_key: SignedKey { key: \"curve25519:tzvLhoaxk4QNH2ueCAaS7tZ8TqffaTmBo3qjhwVKV0o\" } }",
        Ke::Olm,
        "Error creating Olm session",
        Meaning::Failure,
    ),
    // OLM, from the sources that the table names.
    (
        "WARN matrix_sdk_crypto::olm::account: Olm event doesn't contain a ciphertext for our key",
        Ke::Olm,
        "Olm event doesn't contain a ciphertext for our key",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::identities::manager: Rejecting device update error=SigningKeyChanged",
        Ke::Olm,
        "Rejecting device update",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(Decryption(InvalidMAC))",
        Ke::Olm,
        "Failed to create a new Olm session",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::olm::account: Failed to decrypt a non-pre-key message with all available sessions",
        Ke::Olm,
        "Failed to decrypt a non-pre-key message with all available sessions",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::olm::account: Failed to decrypt a pre-key message with the corresponding session",
        Ke::Olm,
        "Failed to decrypt a pre-key message with the corresponding session",
        Meaning::Transient,
    ),
    (
        "WARN matrix_sdk_crypto::session_manager::sessions: Tried to create new Olm sessions, but the signed one-time key was missing for some devices missing_devices_by_user={}",
        Ke::Olm,
        "Tried to create new Olm sessions, but",
        Meaning::Transient,
    ),
    (
        "WARN matrix_sdk_crypto::session_manager::sessions: Can't establish an Olm session with some devices due to missing Olm support or bad keys",
        Ke::Olm,
        "due to missing Olm support or bad keys",
        Meaning::Transient,
    ),
    (
        "WARN matrix_sdk_crypto::session_manager::sessions: Tried to create an Olm session but the device is unknown",
        Ke::Olm,
        "Tried to create an Olm session but the device is unknown",
        Meaning::Failure,
    ),
    (
        "ERROR matrix_sdk_crypto::session_manager::sessions: Error while treating an unwedged device: StoreError",
        Ke::Olm,
        "treating an unwedged device",
        Meaning::Failure,
    ),
    (
        "Fatal error when sending to-device message - dropping to-device batch! M_UNKNOWN: MatrixError: [400] too large",
        Ke::Olm,
        "Fatal error when sending to-device message",
        Meaning::Failure,
    ),
    // matrix-js-sdk 43.0.0, src/sync.ts.
    (
        "Error passing sync changes to the crypto layer TransactionInactiveError: the transaction is not active",
        Ke::Olm,
        "Error passing sync changes to the crypto layer",
        Meaning::Failure,
    ),
    // KE-2, from the sources that the table names; the first from a recorded console.
    (
        "[ToDeviceKeyTransport] No targets found for sending key",
        Ke::Ke2,
        "No targets found for sending key",
        Meaning::Transient,
    ),
    ("[ToDeviceKeyTransport] Malformed Event: Mismatch roomId", Ke::Ke2, "Malformed Event: ", Meaning::Failure),
    ("Calendar: Malformed Event: no start", Ke::Ke2, "Malformed Event: ", Meaning::Unrelated),
    (
        "CryptorError: encryption key missing for encoding",
        Ke::Ke2,
        "encryption key missing for encoding",
        Meaning::Transient,
    ),
    (
        "TypeError: no encryption key found for decryption of @user:server:DEVICE",
        Ke::Ke2,
        "no encryption key found for decryption",
        Meaning::Transient,
    ),
    // KE-4; the forced re-join from a recorded console, the gateway's 502 from a run on matrix-js-sdk 43.0.0.
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Missing own membership: force re-join",
        Ke::Ke4,
        "Missing own membership: force re-join",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] Bad gateway",
        Ke::Ke4,
        "Server error while sending event",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] Network connection error while sending event, retrying in 3s (1/10) ConnectionError: fetch failed",
        Ke::Ke4,
        "Network connection error while sending event",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] Network local timeout error while sending event, immediate retry ((0/10)) AbortError: The operation was aborted",
        Ke::Ke4,
        "Network local timeout error while sending event",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] MembershipManager stopped because:  Error: Reached maximum (10) retries cause by: AbortError: Restart delayed event timed out before the HS responded",
        Ke::Ke4,
        "MembershipManager stopped because",
        Meaning::Failure,
    ),
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM] MembershipManager encountered an unrecoverable error:  Error: no",
        Ke::Ke4,
        "MembershipManager encountered an unrecoverable error",
        Meaning::Failure,
    ),
    ("M_NOT_FOUND: MatrixError: [404] Delayed event not found", Ke::Ke4, "Delayed event not found", Meaning::Failure),
    (
        "[MembershipManager] Retry sending delayed disconnection event due to server timeout limitations: M_UNKNOWN: too long",
        Ke::Ke4,
        "Retry sending delayed disconnection event",
        Meaning::Transient,
    ),
    (
        "Encountered unexpected error during SendScheduledDelayedLeaveEvent. Falling back to SendLeaveEvent",
        Ke::Ke4,
        "SendScheduledDelayedLeaveEvent",
        Meaning::Failure,
    ),
    // Wordings of other servers: Dendrite, Synapse of 2017, and a unique index of a database that Synapse left to itself.
    (
        "MatrixError: [400] @alice:example.org device DEVICE: algorithm / key ID signed_curve25519:AAAAHQ one-time key already exists",
        Ke::Ke1,
        "already exists",
        Meaning::Failure,
    ),
    ("One time key with key_id 'AAAA2Q' already exists", Ke::Ke1, "already exists", Meaning::Failure),
    (
        "duplicate key value violates unique constraint \"e2e_one_time_keys_json_uniqueness\" DETAIL: Key (user_id, device_id, algorithm, key_id)=(@a:b, D, curve25519, AAAANR) already exists.",
        Ke::Ke1,
        "already exists",
        Meaning::Failure,
    ),
    // The old key's JSON escaped once more, its end cut off.
    (
        r#"{"errcode":"M_UNKNOWN","error":"One time key signed_curve25519:AAAAAAAAAGO already exists. Old key: {\"key\":\"drZvSd7Wf0IO"#,
        Ke::Ke1,
        "already exists",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::identities::manager: Rejecting a previously unseen device\n    user_id=\"@a:b\" device_id=\"D\" error=SignatureVerificationError",
        Ke::Olm,
        "Rejecting a previously unseen device",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::identities::manager: Our own device might have been deleted\n    user_id=\"@a:b\" device_id=\"D\"",
        Ke::Olm,
        "Our own device might have been deleted",
        Meaning::Failure,
    ),
    (
        "ERROR matrix_sdk_crypto::machine: Couldn't mark device to be unwedged error=StoreError",
        Ke::Olm,
        "mark device to be unwedged",
        Meaning::Failure,
    ),
    (
        "[encryptToDeviceMessages] encryptToDeviceMessages: unknown device @a:b:GONE",
        Ke::Olm,
        "encryptToDeviceMessages: unknown device",
        Meaning::Transient,
    ),
    (
        "valid key missing for participant @user:server:DEVICE",
        Ke::Ke2,
        "valid key missing for participant",
        Meaning::Transient,
    ),
    (
        "[RemoteTracks] Encryption error for @user:server:DEVICE: CryptorError: valid key missing for participant @user:server:DEVICE",
        Ke::Ke2,
        "valid key missing for participant",
        Meaning::Transient,
    ),
    ("Encryption error for unknown participant: Error: worker", Ke::Ke2, "Encryption error for", Meaning::Transient),
    ("Error: No key set found", Ke::Ke2, "No key set found", Meaning::Transient),
    (
        "encryption state unknown for track TR_abc, dropping frame",
        Ke::Ke2,
        "encryption state unknown for track",
        Meaning::Transient,
    ),
    ("encrypted track has no active decrypt transform", Ke::Ke2, "no active decrypt transform", Meaning::Transient),
    (
        "Suppressing further decryption errors for @user:server:DEVICE {errorKey: \"x-1-decrypt\"}",
        Ke::Ke2,
        "Suppressing further decryption errors",
        Meaning::Failure,
    ),
    (
        "Received encrypted packet but E2EE not set up",
        Ke::Ke2,
        "Received encrypted packet but E2EE not set up",
        Meaning::Failure,
    ),
    ("Failed to set shared key for E2EE Error: x", Ke::Ke2, "Failed to set shared key for E2EE", Meaning::Failure),
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][RTCEncryptionManager] Failed to rollout key Error: x",
        Ke::Ke2,
        "Failed to rollout key ",
        Meaning::Failure,
    ),
    (
        "Received key over transport @user:server:DEVICE at index 1 but media keys are disabled",
        Ke::Ke2,
        "Received key over transport",
        Meaning::Failure,
    ),
    (
        "Error decrypting event (id=$a type=m.room.encrypted sender=@b:c room=!d:c ts=2026-11-23T08:42:19.074Z): TransactionInactiveError: x",
        Ke::Ke3,
        "Error decrypting event (",
        Meaning::Failure,
    ),
    (
        "Error decrypting event (id=$a type=m.room.encrypted sender=@b:c room=!d:c ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: The sender's device has not sent us the keys for this message., sender_key: Y, session_id: Z]",
        Ke::Ke3,
        "DecryptionError",
        Meaning::Failure,
    ),
    (
        "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: Can't find the room key to decrypt the event, withheld code: None",
        Ke::Ke3,
        "Failed to decrypt a room event",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] MembershipManager has an unknown state. Actions:  [Object]",
        Ke::Ke4,
        "MembershipManager has an unknown state",
        Meaning::Failure,
    ),
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Rejoining the session from scratch: the server already sent our delayed leave event",
        Ke::Ke4,
        "MembershipManager] Rejoining the session from scratch",
        Meaning::Transient,
    ),
    (
        "[MembershipManager] Could not restart the delayed leave event before extending `expires`, going ahead since it is still pending AbortError: x",
        Ke::Ke4,
        "Could not restart the delayed leave event",
        Meaning::Transient,
    ),
    // matrix-js-sdk 43.0.0: a local timeout is not counted among the retries any more.
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry AbortError: The operation was aborted",
        Ke::Ke4,
        "Network local timeout error while sending event",
        Meaning::Transient,
    ),
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Error while retrieving a rate-limit retry delay, retrying after default delay of 5000 Error: no",
        Ke::Ke4,
        "MembershipManager] Error while retrieving a rate-limit",
        Meaning::Transient,
    ),
    // A worker that does not serve the path.
    (
        "M_UNRECOGNIZED: MatrixError: [404] Unrecognized request (https://a/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_x/restart)",
        Ke::Ke4,
        "/delayed_events",
        Meaning::Failure,
    ),
    (
        "FetchHttpApi: --> POST https://a/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_x",
        Ke::Ke4,
        "/delayed_events",
        Meaning::Unrelated,
    ),
    // A gateway's answer: what failed says more than the URL.
    (
        "[MembershipManager] Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] Bad gateway (https://a/_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_x/restart)",
        Ke::Ke4,
        "Server error while sending event",
        Meaning::Transient,
    ),
    // Element X prints an error as an empty object (element-call 3257).
    (
        "[MembershipManager] MembershipManager stopped because:  {}",
        Ke::Ke4,
        "MembershipManager stopped because",
        Meaning::Failure,
    ),
];

#[test]
fn each_real_line_is_what_the_table_says() {
    for (line, ke, signature, meaning) in LINES {
        let found = classify(line).unwrap_or_else(|| panic!("no signature stands in {line}"));
        assert_eq!((found.signature.ke, found.signature.needle, found.meaning), (*ke, *signature, *meaning), "{line}");
        assert_eq!(line.find(signature), Some(found.at), "{line}");
    }
}

#[test]
fn every_row_of_the_table_has_a_line() {
    for row in SIGNATURES {
        assert!(LINES.iter().any(|line| line.2 == row.needle), "no line for {}", row.needle);
    }
}

#[test]
fn everyday_lines_hold_no_signature() {
    for line in [
        "Adding default global override push rule .org.matrix.msc3786.rule.room.server_acl",
        "",
        "One time keys: uploading 50",
    ] {
        assert!(classify(line).is_none(), "{line}");
    }
}

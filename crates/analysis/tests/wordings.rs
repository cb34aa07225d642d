//! What is read out of lines: of each row of the table of signatures, and of lines whose facts are worth naming one by one.

use crypto_diag_analysis::evidence::{Evidence, read};
use crypto_diag_core::{Ke4Words, Kind, Level, Line, Meaning, Millis, Recorder, SIGNATURES};
use serde_json::{Value, json};

/// A line and some of its facts. Most lines are tested in more detail beside their parsers.
fn lines() -> Vec<(&'static str, Value)> {
    vec![
        (
            r#"WARN matrix_sdk_crypto::olm::account: Failed to create a new Olm session from a pre-key message: InboundCreation(MissingOneTimeKey("curve25519:drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"))"#,
            json!({"kind": "missingOneTimeKey", "oneTimeKey": "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho"}),
        ),
        (
            r#"Error creating Olm session user_id="@a:x" device_id="D" error=InvalidSignature {"#,
            json!({"kind": "outboundCreation", "cause": "InvalidSignature"}),
        ),
        (
            r#"Olm event doesn't contain a ciphertext for our key with sender="@b:x""#,
            json!({"kind": "notForOurKey", "userId": "@b:x"}),
        ),
        (
            r#"Rejecting device update user_id="@a:x" device_id="D" error=SigningKeyChanged("#,
            json!({"cause": "SigningKeyChanged"}),
        ),
        (
            "WARN matrix_sdk_crypto::identities::manager: Rejecting a previously unseen device\n    user_id=\"@a:x\" device_id=\"D\" error=SignatureVerificationError",
            json!({"kind": "deviceRejected", "userId": "@a:x", "deviceId": "D", "cause": "SignatureVerificationError"}),
        ),
        (
            "WARN matrix_sdk_crypto::identities::manager: Our own device might have been deleted\n    user_id=\"@a:x\" device_id=\"D\"",
            json!({"kind": "ownDeviceMissing", "userId": "@a:x", "deviceId": "D"}),
        ),
        (
            "Failed to create a new Olm session from a pre-key message: InboundCreation(Decryption(InvalidMAC))",
            json!({"kind": "inboundCreation", "cause": "Decryption"}),
        ),
        (
            r#"Failed to decrypt a non-pre-key message with all available sessions session_ids=["a"]"#,
            json!({"kind": "noSession"}),
        ),
        ("Failed to decrypt a pre-key message with the corresponding session", json!({"kind": "preKeyReplay"})),
        (
            r#"Tried to create new Olm sessions, but the signed one-time key was missing for some devices missing_devices_by_user={"@a:x": {"D"}}"#,
            json!({"kind": "noOneTimeKey", "devices": [{"userId": "@a:x", "deviceId": "D"}]}),
        ),
        (
            "Can't establish an Olm session with some devices due to missing Olm support or bad keys",
            json!({"kind": "badDevices"}),
        ),
        (
            r#"Tried to create an Olm session but the device is unknown user_id="@a:x""#,
            json!({"kind": "unknownDevice", "userId": "@a:x"}),
        ),
        ("Error while treating an unwedged device: StoreError", json!({"kind": "unwedgeFailed"})),
        ("Couldn't mark device to be unwedged", json!({"kind": "unwedgeFailed"})),
        (
            "encryptToDeviceMessages: unknown device @a:x:8448:GONE",
            json!({"kind": "targetUnknown", "devices": [{"userId": "@a:x:8448", "deviceId": "GONE"}]}),
        ),
        (
            "Fatal error when sending to-device message - dropping to-device batch! M_TOO_LARGE: x",
            json!({"kind": "batchDropped", "cause": "M_TOO_LARGE"}),
        ),
        (
            "Error passing sync changes to the crypto layer TransactionInactiveError: the transaction is not active",
            json!({"kind": "syncNotTaken", "cause": "TransactionInactiveError"}),
        ),
        ("missing key at index 3 for participant @a:x:D", json!({"kind": "missingKey", "keyIndex": 3})),
        ("key set not found for @a:x:D at index 0", json!({"kind": "keySetNotFound", "keyIndex": 0})),
        ("encryption key missing for encoding", json!({"kind": "ownKeyMissing"})),
        ("no encryption key found for decryption of @a:x:D", json!({"kind": "missingKey"})),
        ("valid key missing for participant @a:x:D", json!({"kind": "wrongKey"})),
        ("Error: No key set found", json!({"kind": "keySetNotFound", "participant": null})),
        ("encryption state unknown for track TR_abc, dropping frame", json!({"kind": "notSetUp"})),
        ("encrypted track has no active decrypt transform", json!({"kind": "notSetUp"})),
        (
            "Suppressing further decryption errors for @a:x:D {errorKey: \"x-1-decrypt\"}",
            json!({"kind": "manyErrors", "participant": {"identity": "@a:x:D", "userId": "@a:x", "deviceId": "D"}}),
        ),
        ("Received encrypted packet but E2EE not set up", json!({"kind": "notSetUp"})),
        (
            "[RemoteTracks] Encryption error for @a:x:D: Error: worker",
            json!({"kind": "callError", "reason": "Error: worker", "participant": {"identity": "@a:x:D", "userId": "@a:x", "deviceId": "D"}}),
        ),
        (
            "Encryption error for unknown participant: Error: worker",
            json!({"kind": "callError", "participant": null, "reason": "Error: worker"}),
        ),
        ("Failed to set shared key for E2EE Error: x", json!({"kind": "ownKeyFailed", "reason": "Error: x"})),
        (
            "[RTCEncryptionManager] Failed to rollout key Error: x",
            json!({"kind": "ownKeyFailed", "reason": "Error: x"}),
        ),
        (
            "Received key over transport @a:x:D at index 1 but media keys are disabled",
            json!({"kind": "keysDisabled", "keyIndex": 1, "participant": {"identity": "@a:x:D", "userId": "@a:x", "deviceId": "D"}}),
        ),
        ("[ToDeviceKeyTransport] No targets found for sending key", json!({"kind": "noTargets"})),
        (
            "[ToDeviceKeyTransport] Malformed Event: Mismatch roomId",
            json!({"kind": "dropped", "reason": "Mismatch roomId"}),
        ),
        (
            r#"Received an unexpected encrypted to-device event in x with sender="@b:x" event_type="io.element.call.encryption_keys""#,
            json!({"kind": "delivered", "sender": "@b:x"}),
        ),
        ("CryptorError: MissingKey", json!({"kind": "missingKey"})),
        (
            "Error decrypting event (id=$a type=m sender=@b:c room=!d:c): DecryptionError[msg: missing field `algorithm`]",
            json!({"reason": "malformed", "field": "algorithm"}),
        ),
        (
            "Error decrypting event (id=$a type=m sender=@b:c room=!d:c): TransactionInactiveError: x",
            json!({"eventId": "$a", "reason": "other"}),
        ),
        (
            "WARN matrix_sdk_crypto::machine: Failed to decrypt a room event: Can't find the room key to decrypt the event, withheld code: None\n    in matrix_sdk_crypto::machine::decrypt_room_event with sender=\"@b:c\" event_id=\"$a\" room_id=\"!d:c\" session_id=\"Z\"",
            json!({"eventId": "$a", "roomId": "!d:c", "sender": "@b:c", "sessionId": "Z", "reason": "missingRoomKey", "cipher": "megolm"}),
        ),
        ("MembershipManager stopped because:  {}", json!({"kind": "stopped"})),
        ("MembershipManager encountered an unrecoverable error:  Error: no", json!({"kind": "stopped"})),
        (
            "[MembershipManager] MembershipManager has an unknown state. Actions:  [Object]",
            json!({"kind": "unknownState"}),
        ),
        (
            "[MatrixRTCSession !r:x m.call#ROOM][MembershipManager] Rejoining the session from scratch: the server already sent our delayed leave event",
            json!({"kind": "rejoinFromScratch", "roomId": "!r:x"}),
        ),
        (
            "[MembershipManager] Error while retrieving a rate-limit retry delay, retrying after default delay of 5000",
            json!({"kind": "rateLimit"}),
        ),
        ("AbortError: Restart delayed event timed out before the HS responded", json!({"kind": "localTimeout"})),
        ("Error: update_delayed_event failed M_UNRECOGNIZED: x", json!({"kind": "unrecognized"})),
        (
            "delayed event update timeout error, retrying in 3s (0/10) MatrixError: [502] x",
            json!({"kind": "gateway", "retryInMs": 3000}),
        ),
        ("M_NOT_FOUND: MatrixError: [404] Delayed event not found", json!({"kind": "notFound"})),
        (
            "[MembershipManager] Could not restart the delayed leave event before extending `expires`, going ahead since it is still pending",
            json!({"kind": "restartPutOff"}),
        ),
        (
            "Retry sending delayed disconnection event due to server timeout limitations: x",
            json!({"kind": "delayTooLong"}),
        ),
        (
            "Encountered unexpected error during SendScheduledDelayedLeaveEvent. Falling back to SendLeaveEvent",
            json!({"kind": "leaveFellBack"}),
        ),
        ("Missing own membership: force re-join", json!({"kind": "forcedRejoin"})),
        (
            "Network local timeout error while sending event, immediate retry AbortError: x",
            json!({"kind": "localTimeout", "attempt": null}),
        ),
        (
            "Network connection error while sending event, retrying in 3s (1/10) ConnectionError: x",
            json!({"kind": "network", "attempt": 1}),
        ),
        (
            "Server error while sending event, retrying in 3s (0/10) M_UNKNOWN: MatrixError: [502] x",
            json!({"kind": "gateway"}),
        ),
        (
            "M_UNRECOGNIZED: MatrixError: [404] x (https://a/delayed_events/syd_x/restart)",
            json!({"kind": "unrecognized", "delayId": "syd_x"}),
        ),
        ("One time key signed_curve25519:AAAAAAAAADQ already exists.", json!({"keyId": "AAAAAAAAADQ"})),
    ]
}

fn evidence(line: &str) -> (&'static str, Option<Evidence>) {
    let mut recorder = Recorder::new();
    recorder.record(&Line::new(Millis(0), Level::Warn, line));
    let entry = recorder.entries().first().unwrap_or_else(|| panic!("no signature stands in {line}")).clone();
    assert_ne!(entry.meaning, Meaning::Unrelated, "{line}");
    let needle = SIGNATURES.iter().find(|row| row.needle == entry.signature).expect("a row of the table").needle;
    (needle, read(&entry))
}

#[test]
fn a_line_of_each_signature_gives_its_facts() {
    for (line, wanted) in lines() {
        let facts = evidence(line).1.unwrap_or_else(|| panic!("nothing is read out of {line}"));
        let facts = serde_json::to_value(facts).expect("facts are JSON");
        for (name, value) in wanted.as_object().expect("an object") {
            assert_eq!(&facts[name], value, "{name} of {line}");
        }
    }
}

#[test]
fn the_example_of_each_row_gives_facts_of_its_kind() {
    for row in SIGNATURES {
        let facts = evidence(row.example).1.unwrap_or_else(|| panic!("nothing is read out of {}", row.example));
        let is_of_its_kind = match (row.kind, &facts) {
            (Kind::Ke1, Evidence::Ke1(refusal)) => refusal.key_id.is_some(),
            (Kind::Ke2(kind), Evidence::Ke2(line)) => line.kind == kind,
            (Kind::Ke3(_), Evidence::Ke3(event)) => event.event_id.is_some() || event.message.is_some(),
            (Kind::Ke4(Ke4Words::Say(kind)), Evidence::Ke4(line)) => line.kind == Some(kind),
            (Kind::Ke4(Ke4Words::Answer(_)), Evidence::Ke4(_)) => true,
            (Kind::Olm(kind), Evidence::Olm(line)) => line.kind == kind,
            _ => false,
        };
        assert!(is_of_its_kind, "{facts:?} out of {}", row.example);
    }
}

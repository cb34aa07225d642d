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
        "GET /_matrix/client/unstable/org.matrix.msc4140/delayed_events/syd_abc",
        "",
        "One time keys: uploading 50",
    ] {
        assert!(classify(line).is_none(), "{line}");
    }
}

//! Real lines beside the examples of the table: family, signature and meaning of each.

use crypto_diag_core::{Ke, Meaning, SIGNATURES, classify};

type Row = (&'static str, Ke, &'static str, Meaning);

/// As printed by matrix-js-sdk 41.6.0-rc.0 and livekit-client, or as quoted in public reports where that is said.
const LINES: &[Row] = &[
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
        "Failed to send to-device message of type io.element.call.encryption_keys",
        Ke::Ke2,
        "io.element.call.encryption_keys",
        Meaning::Failure,
    ),
    ("skipping decryption due to missing key at index 3", Ke::Ke2, "missing key at index", Meaning::Transient),
    (
        "CryptorError: MissingKey: missing key at index 0 for participant @user:server:DEVICE",
        Ke::Ke2,
        "missing key at index",
        Meaning::Transient,
    ),
    (
        "AbortError: Restart delayed event timed out before the HS responded",
        Ke::Ke4,
        "Restart delayed event timed out",
        Meaning::Failure,
    ),
    (
        "[MembershipManager] Retry sending delayed disconnection event due to server timeout limitations: M_UNKNOWN: delayed event too long",
        Ke::Ke4,
        "Retry sending delayed disconnection event",
        Meaning::Transient,
    ),
    ("error updating delayed event", Ke::Ke4, "delayed event", Meaning::Failure),
    ("Calendar: Malformed Event: no start", Ke::Ke2, "Malformed Event: ", Meaning::Unrelated),
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
        "[RemoteTracks] Encryption error for @user:server:DEVICE: CryptorError: valid key missing for participant @user:server:DEVICE",
        Ke::Ke2,
        "valid key missing for participant",
        Meaning::Transient,
    ),
    (
        "Error decrypting event (id=$a type=m.room.encrypted sender=@b:c room=!d:c ts=2026-11-23T08:42:19.074Z): DecryptionError[msg: The sender's device has not sent us the keys for this message., sender_key: Y, session_id: Z]",
        Ke::Ke3,
        "DecryptionError",
        Meaning::Failure,
    ),
    // matrix-js-sdk 43.0.0: a local timeout is not counted among the retries any more.
    (
        "[MatrixRTCSession !room:localhost m.call#ROOM][MembershipManager] Network local timeout error while sending event, immediate retry AbortError: The operation was aborted",
        Ke::Ke4,
        "Network local timeout error while sending event",
        Meaning::Transient,
    ),
    // A worker that does not serve the path.
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
        assert_eq!(
            (found.signature.kind.ke(), found.signature.needle, found.meaning),
            (*ke, *signature, *meaning),
            "{line}"
        );
        assert_eq!(line.find(signature), Some(found.at), "{line}");
    }
}

#[test]
fn the_example_of_each_row_is_named_by_that_row_and_is_about_its_family() {
    for row in SIGNATURES {
        let found = classify(row.example).unwrap_or_else(|| panic!("no signature stands in {}", row.example));
        assert_eq!(found.signature.needle, row.needle, "{}", row.example);
        assert_ne!(found.meaning, Meaning::Unrelated, "{}", row.example);
        assert!(!row.source.is_empty(), "who prints {:?} is not said", row.needle);
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

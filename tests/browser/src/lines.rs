//! Lines as real clients print them; the full recordings are in `tests/fixtures/console`.

/// KE-1, on `console.error`.
pub const KEY_EXISTS: &str = "Failed to process outgoing request 0: M_UNKNOWN: MatrixError: [400] One time key \
     signed_curve25519:AAAAAAAAAA0 already exists. Old key: {} new key: {}";

/// KE-2, on `console.warn`.
pub const MISSING_KEY: &str = "missing key at index 3 for participant @bob:localhost:ZDUDAVALPA";

/// KE-3, on `console.warn`.
pub const UNDECRYPTABLE: &str = "Error decrypting event (id=$Y6nduM6oGf8FXsiFLUb-sOMLNe-drVkPAMqtPiCvHCA \
     type=m.room.encrypted sender=@bob:localhost): DecryptionError[msg: missing field `algorithm`]";

/// KE-4, on `console.warn`.
pub const RESTART_TIMED_OUT: &str = "[MembershipManager] Network local timeout error while sending event, immediate \
     retry ((0/10)) AbortError: Restart delayed event timed out before the HS responded";

/// A line of no interest.
pub const HARMLESS: &str = "Adding default global override push rule .m.rule.suppress_notices";

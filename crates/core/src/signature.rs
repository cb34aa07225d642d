//! The one table of signatures: which words on a console stand for which family, and what they mean by themselves.
//!
//! Everything else that needs the list is generated from it: the page's prefilter, the documentation's table.

use crate::entry::{Ke, Meaning};

/// How many alternatives the page's prefilter may have. Measured in three engines, a RegExp of 8 costs less than half
/// of a trivial wrapper for every line of the page, one of 40 twice as much as it.
pub const PREFILTER_ALTERNATIVES_MAX: usize = 12;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The words that a line must contain, compared case-sensitively.
    pub needle: &'static str,
    /// A part of the needle that the page's cheap test looks for; rows share one where they can.
    pub gate: &'static str,
    /// The family that the words stand for.
    pub ke: Ke,
    /// What a match means where no rule below applies.
    pub meaning: Meaning,
    /// Exceptions, first that applies wins.
    pub rules: &'static [Rule],
    /// Who prints the line: project, file and the version it was read in.
    pub source: &'static str,
}

/// A meaning that applies to lines that hold one of some words and none of others.
#[derive(Clone, Copy, Debug)]
pub struct Rule {
    /// The meaning.
    pub meaning: Meaning,
    /// At least one of these must stand in the line; empty: no demand.
    pub any: &'static [&'static str],
    /// None of these may stand in the line.
    pub none: &'static [&'static str],
}

impl Rule {
    fn applies(&self, line: &str) -> bool {
        (self.any.is_empty() || self.any.iter().any(|word| line.contains(word)))
            && !self.none.iter().any(|word| line.contains(word))
    }
}

/// Words that show that "already exists" speaks of a key upload and not of a database, a room or a file.
const ABOUT_A_KEY: &[&str] = &["One time key", "one-time key", "signed_curve25519", "keys/upload"];

/// The table. The first row whose needle stands in a line names its entry, so the most telling needle comes first.
pub const SIGNATURES: &[Signature] = &[
    // OLM: the private half of a one-time key is gone, so a peer's first message cannot be opened.
    Signature {
        needle: "MissingOneTimeKey",
        gate: "Missing",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/olm/account.rs (vodozemac's InboundCreation)",
    },
    // The sender's side: the claimed key is not signed by the device it should be of, or cannot be used.
    Signature {
        needle: "Error creating Olm session",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs",
    },
    Signature {
        needle: "Olm event doesn't contain a ciphertext for our key",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/olm/account.rs",
    },
    Signature {
        needle: "Rejecting device update",
        gate: "Rejecting device",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/identities/manager.rs",
    },
    Signature {
        needle: "Failed to create a new Olm session",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/olm/account.rs",
    },
    // A session that only the peer still has: wedged.
    Signature {
        needle: "Failed to decrypt a non-pre-key message with all available sessions",
        gate: "crypt",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/olm/account.rs",
    },
    // Printed for a message that is delivered a second time, too.
    Signature {
        needle: "Failed to decrypt a pre-key message with the corresponding session",
        gate: "crypt",
        ke: Ke::Olm,
        meaning: Meaning::Transient,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/olm/account.rs",
    },
    Signature {
        needle: "Tried to create new Olm sessions, but",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs",
    },
    // Any room with somebody's broken old device prints this.
    Signature {
        needle: "due to missing Olm support or bad keys",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Transient,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs",
    },
    Signature {
        needle: "Tried to create an Olm session but the device is unknown",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs",
    },
    Signature {
        needle: "unwedged",
        gate: "nwedge",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs and src/machine/mod.rs",
    },
    Signature {
        needle: "Fatal error when sending to-device message",
        gate: "sending ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/ToDeviceMessageQueue.ts",
    },
    // KE-2: a key that is late during a rotation prints the same words in a healthy call.
    Signature {
        needle: "missing key at index",
        gate: "missing key at index",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: "livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts",
    },
    Signature {
        needle: "key set not found",
        gate: "key set not found",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: "livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts",
    },
    Signature {
        needle: "encryption key missing for encoding",
        gate: "crypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: "livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts",
    },
    Signature {
        needle: "no encryption key found for decryption",
        gate: "crypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: "livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts",
    },
    // Also printed by whoever is alone in a call.
    Signature {
        needle: "No targets found for sending key",
        gate: "sending ",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/ToDeviceKeyTransport.ts",
    },
    Signature {
        needle: "Malformed Event: ",
        gate: "Malformed Event",
        ke: Ke::Ke2,
        meaning: Meaning::Unrelated,
        rules: &[Rule {
            meaning: Meaning::Failure,
            any: &["encryption keys", "roomId", "keys field", "claimed_device_id"],
            none: &[],
        }],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/ToDeviceKeyTransport.ts",
    },
    Signature {
        needle: "io.element.call.encryption_keys",
        gate: "crypt",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[Rule {
            // Printed after decryption succeeded, since the machine has no handler of its own for the type.
            meaning: Meaning::Delivered,
            any: &["Received an unexpected encrypted to-device event"],
            none: &[],
        }],
        source: "matrix-sdk-crypto 0.19.1, src/machine/mod.rs",
    },
    Signature {
        needle: "MissingKey",
        gate: "Missing",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: "livekit-client 2.23.0, src/e2ee/errors.ts (CryptorErrorReason)",
    },
    // KE-3.
    Signature {
        needle: "DecryptionError",
        gate: "crypt",
        ke: Ke::Ke3,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/common-crypto/CryptoBackend.ts, printed by src/models/event.ts",
    },
    // KE-4: the end of the retries comes first, since its text may hold the words of what was retried.
    Signature {
        needle: "MembershipManager stopped because",
        gate: "embershipManager",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "MembershipManager encountered an unrecoverable error",
        gate: "embershipManager",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MatrixRTCSession.ts",
    },
    Signature {
        needle: "Restart delayed event timed out",
        gate: "elayed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "update_delayed_event",
        gate: "elayed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "matrix-js-sdk 41.6.0-rc.0, src/embedded.ts (MSC4157 widget action)",
    },
    Signature {
        needle: "delayed event",
        gate: "elayed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "Delayed event not found",
        gate: "elayed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "synapse 1.155.0, synapse/handlers/delayed_events.py, in a MatrixError",
    },
    Signature {
        needle: "Retry sending delayed disconnection event",
        gate: "elayed",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "SendScheduledDelayedLeaveEvent",
        gate: "elayed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    // After a tab was frozen this is the cure, not the illness.
    Signature {
        needle: "Missing own membership: force re-join",
        gate: "Missing",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "Network local timeout error while sending event",
        gate: "sending ",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "Network connection error while sending event",
        gate: "sending ",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    Signature {
        needle: "Server error while sending event",
        gate: "sending ",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts",
    },
    // KE-1 is last: the words are everyday ones, and any other needle in the line says more.
    Signature {
        needle: "already exists",
        gate: "already exists",
        ke: Ke::Ke1,
        meaning: Meaning::Unrelated,
        rules: &[Rule { meaning: Meaning::Failure, any: ABOUT_A_KEY, none: &[] }],
        source: "synapse 1.155.0, synapse/handlers/e2e_keys.py",
    },
];

/// The client says itself that it tries again; only a run of these is a failure.
const RETRIED: &[Rule] =
    &[Rule { meaning: Meaning::Transient, any: &["immediate retry", "retrying in", "Retry sending"], none: &[] }];

/// What the table says of a line.
#[derive(Clone, Copy, Debug)]
pub struct Match {
    /// The row that names the entry.
    pub signature: &'static Signature,
    /// What the line means by itself.
    pub meaning: Meaning,
    /// Where the needle starts, in bytes.
    pub at: usize,
}

/// Looks a line up in the table; `None` if no needle stands in it.
pub fn classify(line: &str) -> Option<Match> {
    SIGNATURES.iter().find_map(|signature| {
        let at = line.find(signature.needle)?;
        let rule = signature.rules.iter().find(|rule| rule.applies(line));
        Some(Match { signature, meaning: rule.map_or(signature.meaning, |rule| rule.meaning), at })
    })
}

/// The source of the page's RegExp (no flags): passes every line that [`classify`] knows, and may pass more.
///
/// It is the gates of the table, each once, and none that another gate already covers.
pub fn prefilter() -> String {
    let alternatives: Vec<String> = prefilter_gates().iter().map(|gate| escape(gate)).collect();
    alternatives.join("|")
}

/// The gates that remain once duplicates and covered ones are left out.
fn prefilter_gates() -> Vec<&'static str> {
    let mut gates: Vec<&'static str> = Vec::new();
    for Signature { gate, .. } in SIGNATURES {
        let covered = SIGNATURES.iter().any(|other| other.gate != *gate && gate.contains(other.gate));
        if !covered && !gates.contains(gate) {
            gates.push(gate);
        }
    }
    gates
}

/// Escapes what has a meaning in a JavaScript RegExp without the `v` flag.
fn escape(literal: &str) -> String {
    let mut escaped = String::with_capacity(literal.len());
    for character in literal.chars() {
        if "\\^$.*+?()[]{}|/".contains(character) {
            escaped.push('\\');
        }
        escaped.push(character);
    }
    escaped
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_prefilter_keeps_to_its_budget() {
        assert!(prefilter_gates().len() <= PREFILTER_ALTERNATIVES_MAX, "{:?}", prefilter_gates());
    }

    #[test]
    fn every_needle_holds_its_gate_and_every_gate_an_alternative() {
        for row in SIGNATURES {
            assert!(row.needle.contains(row.gate), "{}", row.needle);
            assert!(prefilter_gates().iter().any(|gate| row.needle.contains(gate)), "{}", row.needle);
        }
    }

    #[test]
    fn every_row_can_win() {
        for row in SIGNATURES {
            let winner = classify(row.needle).expect("a needle matches itself");
            assert_eq!(winner.signature.needle, row.needle, "an earlier row hides it");
        }
    }

    #[test]
    fn the_prefilter_takes_its_gates_literally() {
        assert_eq!(escape("a.b|c(d)/e"), r"a\.b\|c\(d\)\/e");
    }
}

//! The one table of signatures: which words on a console stand for which family, and what they mean by themselves.
//!
//! Everything else that needs the list is generated from it: the page's prefilter (crates/codegen), the documentation's table.

use crate::entry::{Ke, Meaning};
use crate::text::find;

/// One row of the table.
#[derive(Clone, Copy, Debug)]
pub struct Signature {
    /// The words that a line must contain, compared case-sensitively.
    pub needle: &'static str,
    /// A part of the needle that [`classify`] looks for first; rows share one where they can. It begins with a letter that is
    /// rare on consoles.
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
        let stands = |word: &&str| find(line, word).is_some();
        (self.any.is_empty() || self.any.iter().any(stands)) && !self.none.iter().any(stands)
    }
}

/// A source, where somebody reads it: in documents, not in a page, which would only have to load it.
const fn cited(source: &'static str) -> &'static str {
    if cfg!(target_arch = "wasm32") { "" } else { source }
}

/// Words that show that "already exists" speaks of a key upload and not of a database, a room or a file.
const ABOUT_A_KEY: &[&str] = &["One time key", "one-time key", "signed_curve25519", "keys/upload", "e2e_one_time_keys"];

/// The table. The first row whose needle stands in a line names its entry, so the most telling needle comes first.
pub const SIGNATURES: &[Signature] = &[
    // OLM: the private half of a one-time key is gone, so a peer's first message cannot be opened.
    Signature {
        needle: "MissingOneTimeKey",
        gate: "Missing",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs (vodozemac's InboundCreation)"),
    },
    // The sender's side: the claimed key is not signed by the device it should be of, or cannot be used.
    Signature {
        needle: "Error creating Olm session",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "Olm event doesn't contain a ciphertext for our key",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    Signature {
        needle: "Rejecting device update",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/identities/manager.rs"),
    },
    Signature {
        needle: "Rejecting a previously unseen device",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/identities/manager.rs"),
    },
    // The server's list of the user's own devices lacks this one: nobody can send to it.
    Signature {
        needle: "Our own device might have been deleted",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/identities/manager.rs"),
    },
    Signature {
        needle: "Failed to create a new Olm session",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    // A session that only the peer still has: wedged.
    Signature {
        needle: "Failed to decrypt a non-pre-key message with all available sessions",
        gate: "ypt",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    // Printed for a message that is delivered a second time, too.
    Signature {
        needle: "Failed to decrypt a pre-key message with the corresponding session",
        gate: "ypt",
        ke: Ke::Olm,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/olm/account.rs"),
    },
    // Any room with somebody's dead device, or one that has just logged out, prints this.
    Signature {
        needle: "Tried to create new Olm sessions, but",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    // Any room with somebody's broken old device prints this.
    Signature {
        needle: "due to missing Olm support or bad keys",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "Tried to create an Olm session but the device is unknown",
        gate: "Olm ",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "treating an unwedged device",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/session_manager/sessions.rs"),
    },
    Signature {
        needle: "mark device to be unwedged",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/machine/mod.rs"),
    },
    // A membership that was left behind by a device which has logged out prints this in a healthy call.
    Signature {
        needle: "encryptToDeviceMessages: unknown device",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/rust-crypto/rust-crypto.ts"),
    },
    Signature {
        needle: "Fatal error when sending to-device message",
        gate: "vice",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/ToDeviceMessageQueue.ts"),
    },
    // The token is advanced all the same: to-device messages and device lists of that /sync are lost.
    Signature {
        needle: "Error passing sync changes to the crypto layer",
        gate: "ypt",
        ke: Ke::Olm,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 43.0.0, src/sync.ts"),
    },
    // KE-2: a key that is late during a rotation prints the same words in a healthy call.
    Signature {
        needle: "missing key at index",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "key set not found",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "encryption key missing for encoding",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "no encryption key found for decryption",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    // There is a key at the index, and it does not open the frame, however often it is ratcheted.
    Signature {
        needle: "valid key missing for participant",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "No key set found",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/DataCryptor.ts"),
    },
    Signature {
        needle: "encryption state unknown for track",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    Signature {
        needle: "no active decrypt transform",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts"),
    },
    // More than five errors of one participant, each a second or more after the one before.
    Signature {
        needle: "Suppressing further decryption errors",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/worker/FrameCryptor.ts and ErrorRateLimiter.ts"),
    },
    Signature {
        needle: "Received encrypted packet but E2EE not set up",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/room/RTCEngine.ts"),
    },
    Signature {
        needle: "Encryption error for",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("element-call 0.26.1, src/state/CallViewModel/remoteMembers/Connection.ts"),
    },
    Signature {
        needle: "Failed to set shared key for E2EE",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("element-call 0.26.1, src/state/CallViewModel/CallViewModel.ts"),
    },
    Signature {
        needle: "Failed to rollout key ",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/RTCEncryptionManager.ts"),
    },
    // At warn: the peers encrypt their media, and this client was told not to.
    Signature {
        needle: "Received key over transport",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/RTCEncryptionManager.ts"),
    },
    // Also printed by whoever is alone in a call.
    Signature {
        needle: "No targets found for sending key",
        gate: "key",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/ToDeviceKeyTransport.ts"),
    },
    Signature {
        needle: "Malformed Event: ",
        gate: "Malformed",
        ke: Ke::Ke2,
        meaning: Meaning::Unrelated,
        rules: &[Rule {
            meaning: Meaning::Failure,
            any: &["encryption keys", "roomId", "keys field", "claimed_device_id"],
            none: &[],
        }],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/ToDeviceKeyTransport.ts"),
    },
    Signature {
        needle: "io.element.call.encryption_keys",
        gate: "ypt",
        ke: Ke::Ke2,
        meaning: Meaning::Failure,
        rules: &[Rule {
            // Printed after decryption succeeded, since the machine has no handler of its own for the type.
            meaning: Meaning::Delivered,
            any: &["Received an unexpected encrypted to-device event"],
            none: &[],
        }],
        source: cited("matrix-sdk-crypto 0.19.1, src/machine/mod.rs"),
    },
    Signature {
        needle: "MissingKey",
        gate: "Missing",
        ke: Ke::Ke2,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("livekit-client 2.23.0, src/e2ee/errors.ts (CryptorErrorReason)"),
    },
    // KE-3.
    Signature {
        needle: "DecryptionError",
        gate: "ypt",
        ke: Ke::Ke3,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited(
            "matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/common-crypto/CryptoBackend.ts, printed by src/models/event.ts",
        ),
    },
    // Errors of other kinds: of the store, or because encryption is off.
    Signature {
        needle: "Error decrypting event (",
        gate: "ypt",
        ke: Ke::Ke3,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/models/event.ts"),
    },
    // The machine's half; the SDK's own line about the same event follows and says whether it failed.
    Signature {
        needle: "Failed to decrypt a room event",
        gate: "ypt",
        ke: Ke::Ke3,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-sdk-crypto 0.19.1, src/machine/mod.rs"),
    },
    // KE-4: the end of the retries comes first, since its text may hold the words of what was retried.
    Signature {
        needle: "MembershipManager stopped because",
        gate: "Manager",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "MembershipManager encountered an unrecoverable error",
        gate: "Manager",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MatrixRTCSession.ts"),
    },
    Signature {
        needle: "MembershipManager has an unknown state",
        gate: "Manager",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "MembershipManager] Rejoining the session from scratch",
        gate: "Manager",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "MembershipManager] Error while retrieving a rate-limit",
        gate: "Manager",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Restart delayed event timed out",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "update_delayed_event",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("matrix-js-sdk 41.6.0-rc.0, src/embedded.ts (MSC4157 widget action)"),
    },
    Signature {
        needle: "delayed event",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Delayed event not found",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("synapse 1.155.0, synapse/handlers/delayed_events.py, in a MatrixError"),
    },
    // While the server still has it, which the line says.
    Signature {
        needle: "Could not restart the delayed leave event",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Retry sending delayed disconnection event",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "SendScheduledDelayedLeaveEvent",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    // After a tab was frozen this is the cure, not the illness.
    Signature {
        needle: "Missing own membership: force re-join",
        gate: "Missing",
        ke: Ke::Ke4,
        meaning: Meaning::Transient,
        rules: &[],
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Network local timeout error while sending event",
        gate: "while s",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Network connection error while sending event",
        gate: "while s",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    Signature {
        needle: "Server error while sending event",
        gate: "while s",
        ke: Ke::Ke4,
        meaning: Meaning::Failure,
        rules: RETRIED,
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/matrixrtc/MembershipManager.ts"),
    },
    // Behind all others of KE-4, which say more. A worker that does not serve the path answers M_UNRECOGNIZED.
    Signature {
        needle: "/delayed_events",
        gate: "yed",
        ke: Ke::Ke4,
        meaning: Meaning::Unrelated,
        rules: FAILED_REQUEST,
        source: cited("matrix-js-sdk 41.6.0-rc.0 and 43.0.0, src/http-api/errors.ts (the URL of a failed request)"),
    },
    // KE-1 is last: the words are everyday ones, and any other needle in the line says more.
    Signature {
        needle: "already exists",
        gate: "xists",
        ke: Ke::Ke1,
        meaning: Meaning::Unrelated,
        rules: &[Rule { meaning: Meaning::Failure, any: ABOUT_A_KEY, none: &[] }],
        source: cited("synapse 1.155.0, synapse/handlers/e2e_keys.py"),
    },
];

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
///
/// One pass over the line: where the first letter of a gate stands, the gate is looked at, and where that stands, the
/// needles around it. So a line without gates costs one look at each byte, however long the table grows.
pub fn classify(line: &str) -> Option<Match> {
    let bytes = line.as_bytes();
    let mut best: Option<(usize, usize)> = None;
    for (at, byte) in bytes.iter().enumerate() {
        let mut gates = GATES_OF_BYTE[usize::from(*byte)];
        while gates != 0 {
            let gate = gates.trailing_zeros() as usize;
            gates &= gates - 1;
            if !bytes[at..].starts_with(GATES[gate].as_bytes()) {
                continue;
            }
            let earlier = best.map_or(SIGNATURES.len(), |(row, _)| row);
            let found = (0..earlier).filter(|row| GATE_OF_ROW[*row] == gate).find_map(|row| {
                let needle_at = at.checked_sub(GATE_IN_NEEDLE[row])?;
                bytes[needle_at..].starts_with(SIGNATURES[row].needle.as_bytes()).then_some((row, needle_at))
            });
            best = found.or(best);
        }
    }
    let (row, at) = best?;
    let signature = &SIGNATURES[row];
    let rule = signature.rules.iter().find(|rule| rule.applies(line));
    Some(Match { signature, meaning: rule.map_or(signature.meaning, |rule| rule.meaning), at })
}

/// How many gates the table has.
const GATE_COUNT: usize = {
    let (mut count, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        count += (first_row_of_gate(row) == row) as usize;
        row += 1;
    }
    count
};

/// The gates, each once, in the table's order.
const GATES: [&str; GATE_COUNT] = {
    let mut gates = [""; GATE_COUNT];
    let (mut count, mut row) = (0, 0);
    while row < SIGNATURES.len() {
        if first_row_of_gate(row) == row {
            gates[count] = SIGNATURES[row].gate;
            count += 1;
        }
        row += 1;
    }
    gates
};

/// The gate of each row, by its number in [`GATES`].
const GATE_OF_ROW: [usize; SIGNATURES.len()] = {
    let mut numbers = [0; SIGNATURES.len()];
    let mut row = 0;
    while row < SIGNATURES.len() {
        while !is_at(GATES[numbers[row]], SIGNATURES[row].gate, 0)
            || GATES[numbers[row]].len() != SIGNATURES[row].gate.len()
        {
            numbers[row] += 1;
        }
        row += 1;
    }
    numbers
};

/// Where the gate first stands in the needle of each row. A needle without its gate does not compile.
const GATE_IN_NEEDLE: [usize; SIGNATURES.len()] = {
    let mut places = [0; SIGNATURES.len()];
    let mut row = 0;
    while row < SIGNATURES.len() {
        while !is_at(SIGNATURES[row].needle, SIGNATURES[row].gate, places[row]) {
            places[row] += 1;
        }
        row += 1;
    }
    places
};

/// The gates whose first letter a byte is, as bits.
const GATES_OF_BYTE: [u16; 256] = {
    let mut gates = [0; 256];
    let mut gate = 0;
    while gate < GATE_COUNT {
        gates[GATES[gate].as_bytes()[0] as usize] |= 1 << gate;
        gate += 1;
    }
    gates
};

/// The first row with the same gate.
const fn first_row_of_gate(row: usize) -> usize {
    let gate = SIGNATURES[row].gate;
    let mut first = 0;
    while SIGNATURES[first].gate.len() != gate.len() || !is_at(SIGNATURES[first].gate, gate, 0) {
        first += 1;
    }
    first
}

/// Whether a word stands at a place in a text.
const fn is_at(text: &str, word: &str, place: usize) -> bool {
    let (text, word) = (text.as_bytes(), word.as_bytes());
    assert!(place + word.len() <= text.len() || place == 0, "a needle does not hold its gate");
    let mut at = 0;
    while at < word.len() {
        if place + at >= text.len() || text[place + at] != word[at] {
            return false;
        }
        at += 1;
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_gate_covers_another() {
        for gate in GATES {
            let covered = GATES.iter().any(|other| *other != gate && gate.contains(other));
            assert!(!covered, "{gate:?} costs an alternative and lets nothing more pass");
        }
    }

    #[test]
    fn a_gate_begins_with_a_letter_that_is_rare() {
        let first: Vec<char> = GATES.iter().filter_map(|gate| gate.chars().next()).collect();
        assert!(!first.iter().any(|letter| " etaoinshrdlcum".contains(*letter)), "{first:?}");
    }

    #[test]
    fn a_gate_says_something() {
        assert!(GATES.iter().all(|gate| gate.len() >= 3), "{GATES:?}");
    }

    #[test]
    fn every_row_can_win() {
        for row in SIGNATURES {
            let winner = classify(row.needle).expect("a needle matches itself");
            assert_eq!(winner.signature.needle, row.needle, "an earlier row hides it");
        }
    }
}

//! One sentence for the card.

use crypto_diag_core::{CaptureState, Meaning};

use crate::finding::{Finding, Kind, Verdict};
use crate::report::Report;

/// What the analysis finds, in one plain sentence (two where the capture itself was in trouble).
///
/// It says "proven" only of findings with that verdict, and "nothing" only of a capture that could see.
pub fn summary(reports: &[Report], findings: &[Finding]) -> String {
    let of = |kind: Kind, verdict: Verdict| {
        findings.iter().any(|finding| (finding.kind, finding.verdict) == (kind, verdict))
    };
    let proven = |kind| of(kind, Verdict::Proven);
    let cause = if proven(Kind::IdentityReplaced) {
        " (identity replaced)"
    } else if proven(Kind::RollbackOrTwoContexts) {
        " (same identity: its store went back in time, or two contexts use it)"
    } else {
        ""
    };
    let mut parts: Vec<String> = Vec::new();
    if proven(Kind::Ke1ToKe2) {
        parts.push(format!("a one-time key conflict{cause} made a call's media key unreadable"));
    } else if proven(Kind::Ke1ToOlm) {
        parts.push(format!("a one-time key conflict{cause} made messages to this device unreadable"));
    } else if proven(Kind::OneTimeKeyConflict) || !cause.is_empty() {
        parts.push(format!("server and device disagree about one-time keys{cause}"));
    } else if proven(Kind::OlmToKe2) {
        parts.push("a lost one-time key made a call's media key unreadable".to_owned());
    }
    if proven(Kind::LostOneTimeKey) && !proven(Kind::OlmToKe2) {
        parts.push("messages were lost for want of a one-time key, and no conflict says why".to_owned());
    }
    for (kind, words) in [
        (Kind::InvalidSignature, "a device has used two identities"),
        (Kind::DeviceIdentityChanged, "a device has changed its identity"),
        (Kind::EncryptedForOtherIdentity, "messages were encrypted for another identity of this device"),
        (Kind::NoOneTimeKey, "the server had no one-time key for a device"),
        (Kind::BatchDropped, "to-device messages were dropped before they were sent"),
        (Kind::MediaKeyMissing, "a participant's media key was missing for longer than a rotation takes"),
        (Kind::MembershipManagerStopped, "the client gave up its call membership"),
        (Kind::MembershipLost, "the client lost its call membership and joined again"),
        (Kind::DelayedEventTimeouts, "requests that keep a call membership alive failed in a row"),
    ] {
        if proven(kind) {
            parts.push(words.to_owned());
        }
    }
    let blind = reports.iter().find(|report| report.capture.state != CaptureState::Capturing);
    let coda = blind.map_or(String::new(), |report| match &report.capture.reason {
        Some(reason) => format!(" The capture was not running when the report was made: {reason}"),
        None => " The capture was not running when the report was made.".to_owned(),
    });
    let open = findings.iter().filter(|finding| finding.verdict == Verdict::Unknown).count();
    if !parts.is_empty() {
        let more = match open {
            0 => String::new(),
            1 => "; one question is open".to_owned(),
            _ => format!("; {open} questions are open"),
        };
        return format!("Proven: {}{more}.{coda}", join(&parts));
    }
    let failures =
        reports.iter().flat_map(Report::entries).filter(|(_, entry)| entry.meaning == Meaning::Failure).count();
    match (open, failures, reports.is_empty()) {
        (_, _, true) => "There is no report to read.".to_owned(),
        (0, 0, _) => format!("Nothing in the captured lines says that anything is wrong.{coda}"),
        (0, 1, _) => format!("One line reports a failure, and nothing is proven by it.{coda}"),
        (0, _, _) => format!("{failures} lines report failures, and nothing is proven by them.{coda}"),
        (1, ..) => format!("Something failed, and why is an open question: see what it needs.{coda}"),
        _ => format!("Something failed, and {open} questions are open: see what they need.{coda}"),
    }
}

fn join(parts: &[String]) -> String {
    match parts {
        [] => String::new(),
        [only] => only.clone(),
        [first @ .., last] => format!("{}; and {last}", first.join("; ")),
    }
}

//! KE-2: a participant sends media without the encryption that its receiver expects.

use crypto_diag_analysis::Evidence as Facts;
use crypto_diag_analysis::call::KeyError;
use crypto_diag_analysis::evidence::ke2::{Ke2Kind, Participant};
use crypto_diag_analysis::sorted::sort_by_key;

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::subject::{Device, Subject};
use crate::verdict::{Sentences, Verdict};

/// Within this, in milliseconds.
const WITHIN_MS: u64 = 60_000;

/// Indexes that are looked for.
const INDEXES: usize = 3;

/// Each rotation goes to the next index, and there are fewer than this within a minute: they are ten seconds apart.
const ROTATIONS_MAX: u64 = 16;

const SPREAD: Premise = Premise {
    id: "encryption-one-sided/spread",
    says: "Within a minute, keys of the participant were missing at three indexes or more of which each two lie further apart than sixteen.",
    rules_out: "The participant rotated its key several times, as members came and went, and each key was a moment late: that gives neighbouring indexes.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::EncryptionOneSided,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "The last byte of an encrypted frame is the index of its key. Of a frame that is not encrypted, or in another way, it is \
               some byte, so that LiveKit misses keys at indexes all over the ring of 256. Keys that are rotated have neighbouring \
               indexes.",
    proven_by: &[&SPREAD],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    let mut verdicts = Vec::new();
    for page in &case.pages {
        let mut by_participant: Vec<(&Participant, Vec<KeyError>)> = Vec::new();
        for (index, entry) in case.report(page).entries() {
            let Some(Facts::Ke2(line)) = &case.readings[page.report].evidence[index] else { continue };
            let Some(participant) = line.participant.as_ref().filter(|_| line.kind == Ke2Kind::MissingKey) else {
                continue;
            };
            if line.key_index.is_none_or(|index| index > 255) {
                continue;
            }
            let error = KeyError { ts: entry.ts, kind: line.kind, key_index: line.key_index, entry: index };
            match by_participant.iter_mut().find(|(known, _)| *known == participant) {
                Some((_, errors)) => errors.push(error),
                None => by_participant.push((participant, vec![error])),
            }
        }
        verdicts.extend(
            by_participant.into_iter().filter_map(|(participant, errors)| judge(case, page, participant, errors)),
        );
    }
    verdicts
}

/// Errors within a minute whose indexes lie apart from one another by at least so much.
fn apart(errors: &[KeyError], least: u64) -> Vec<KeyError> {
    let mut best: Vec<KeyError> = Vec::new();
    for (from, first) in errors.iter().enumerate() {
        let mut found: Vec<KeyError> = Vec::new();
        for error in errors[from..].iter().take_while(|error| error.ts.0.saturating_sub(first.ts.0) <= WITHIN_MS) {
            if found.len() < INDEXES && found.iter().all(|known| distance(known.key_index, error.key_index) > least) {
                found.push(*error);
            }
        }
        if found.len() > best.len() {
            best = found;
        }
        if best.len() == INDEXES {
            break;
        }
    }
    best
}

/// How far two indexes lie apart on the ring.
fn distance(one: Option<u64>, other: Option<u64>) -> u64 {
    let apart = one.unwrap_or_default().abs_diff(other.unwrap_or_default()) % 256;
    apart.min(256 - apart)
}

fn judge(case: &Case<'_>, page: &Page, participant: &Participant, mut errors: Vec<KeyError>) -> Option<Verdict> {
    sort_by_key(&mut errors, |error| error.ts);
    let distinct = apart(&errors, 0);
    if distinct.len() < INDEXES {
        return None;
    }
    let far = apart(&errors, ROTATIONS_MAX);
    let is_spread = far.len() == INDEXES;
    let shown = if is_spread { &far } else { &distinct };
    let label = case.label(page);
    let in_call = case.readings[page.report].facts.call.iter().flat_map(|call| &call.others);
    let member = in_call.clone().find(|other| other.identity.as_deref() == Some(&*participant.identity));
    let user_id = member.map_or(&participant.user_id, |member| &member.user_id).clone();
    let device_id = member.map_or(&participant.device_id, |member| &member.device_id).clone();
    let peer = user_id.as_deref().zip(device_id.as_deref()).map(|(user, device)| Device::new(user, device));
    let who = peer.as_ref().map_or_else(|| participant.identity.clone(), Device::label);
    let theirs = || {
        let whose = peer.clone().map_or_else(|| Whose::Somebody(format!("the participant {who}")), Whose::Device);
        vec![Need::report(whose, ReportTime::SameCall, "whether its client could switch encryption on for this call")]
    };
    let quotes = shown
        .iter()
        .filter_map(|error| case.entry(page.report, error.entry, "no key is at the index that this frame names"));
    let proof = Proof::new(case).evidence(quotes).premise(&SPREAD, is_spread, theirs);
    let indexes: Vec<String> =
        shown.iter().filter_map(|error| error.key_index).map(|index| index.to_string()).collect();
    let indexes = indexes.join(", ");
    let print = |error: Option<&KeyError>| {
        error.map_or_else(String::new, |error| stamp::print(i64::try_from(error.ts.0).unwrap_or(i64::MAX)))
    };
    let (first, last) = (print(shown.first()), print(shown.last()));
    let sentences = Sentences {
        proven: format!(
            "From {first} to {last}, frames of {who} came to {label} whose last bytes are no key's index ({indexes}): {who} sends them without \
             the encryption that {label} expects."
        ),
        refuted: String::new(),
        unknown: format!(
            "From {first} to {last}, {label} missed keys of {who} at the indexes {indexes}. Whether it rotated so often, or does not encrypt, \
             cannot be told."
        ),
    };
    let subject = Subject {
        device: page.device.clone(),
        report: Some(case.report_name(page.report).to_owned()),
        peer: peer.clone(),
        peer_user_id: user_id,
        participant: Some(participant.identity.clone()),
        ..Subject::default()
    };
    let about = (format!("{label} from {who}"), subject);
    let verdict = Verdict::decide(case, Conclusion::EncryptionOneSided, about, proof, None, sentences);
    Some(if verdict.is_proven() {
        verdict.how("Why: encryption is off in that client or could not be switched on there, or it encrypts in another form than this one.")
    } else {
        verdict
    })
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::call::{Held, history, missing_bob, sound};

    let about = "@alice:example.org/ALICE from @bob:example.org/BOB";
    let errors = |indexes: &[u64], apart: u64| {
        let stuck = Held::default().of_bob(sound(50.0, 0.0, 0.0, 0.0, 0.0));
        (0..).zip(indexes).fold(stuck, |held, (at, index)| held.line(60_000 + at * apart, &missing_bob(*index)))
    };
    vec![
        history("Bob does not encrypt", errors(&[109, 128, 179, 109, 3], 1_000))
            .proves("encryption-one-sided", about)
            .proves("media-not-decrypted", about),
        history("Bob rotates his key three times in a minute, and each is late", errors(&[254, 255, 0, 1], 11_000))
            .never_proves("encryption-one-sided", ""),
        history("Bob has joined anew, twice in an hour", errors(&[40, 0, 80], 1_200_000))
            .never_proves("encryption-one-sided", ""),
    ]
}

//! Shows in the answer of a part what the whole hand-off proves or refutes.

use crypto_diag_core::{redact, showable};

use super::Attested;
use crate::artefact::ArtefactKind;
use crate::bundle::Bundle;
use crate::subject::Subject;
use crate::verdict::{Fetch, Verdict};

/// How many verdicts of a record are read at most. An answer lists fewer than that of all conclusions together.
const ATTESTED_MAX: usize = 2_000;

/// Marks the unknown verdicts that the record lists, and adds listed ones that the part has no verdict on. A verdict that the part
/// proves or refutes itself stays as it is.
pub(crate) fn attest(bundle: &Bundle, mut verdicts: Vec<Verdict>) -> Vec<Verdict> {
    let Some(minimal) = bundle.manifest.as_ref().and_then(|manifest| manifest.minimal.as_ref()) else {
        return verdicts;
    };
    let fetch = Fetch {
        artefact: ArtefactKind::Other,
        what: "the whole hand-off, of which this is a part".to_owned(),
        how: format!(
            "Ask whoever made this one for the folder whose seal is {}, and check it with `crypto-diag verify FOLDER`",
            showable(&minimal.seal_of_whole)
        ),
    };
    for by in minimal.attested.iter().take(ATTESTED_MAX) {
        let same = |verdict: &&mut Verdict| verdict.conclusion == by.conclusion && verdict.about == by.about;
        let closed = closed(by);
        match verdicts.iter_mut().find(same) {
            Some(verdict) => verdict.attest(&closed, fetch.clone()),
            None => verdicts.push(Verdict::attested(closed, fetch.clone())),
        }
    }
    crate::rules::sort(&mut verdicts);
    verdicts
}

/// Closes what could be a secret in an entry of the record, since anybody may have written it.
fn closed(by: &Attested) -> Attested {
    let Attested { subject, about, statement, .. } = by;
    let clean = |text: &String| redact(text).text.into_owned();
    let all = |list: &[String]| list.iter().map(clean).collect();
    let device = |device: &crate::subject::Device| crate::subject::Device {
        user_id: clean(&device.user_id),
        device_id: clean(&device.device_id),
    };
    Attested {
        about: showable(about),
        statement: showable(statement),
        subject: Subject {
            device: subject.device.as_ref().map(device),
            peer: subject.peer.as_ref().map(device),
            peer_user_id: subject.peer_user_id.as_ref().map(clean),
            report: subject.report.as_ref().map(clean),
            key_ids: all(&subject.key_ids),
            one_time_keys: all(&subject.one_time_keys),
            message_ids: all(&subject.message_ids),
            event_ids: all(&subject.event_ids),
            room_id: subject.room_id.as_ref().map(clean),
            participant: subject.participant.as_ref().map(clean),
            key_index: subject.key_index,
        },
        ..by.clone()
    }
}

//! An upload of the device that a HAR of its browser would have and lacks.

use crate::case::{Case, exchange};
use crate::har::{Exchange, Har};
use crate::moment::{Clock, Moment};
use crate::proof::{Premise, Proof};
use crate::subject::Device;
use crate::synapse_log::Route;
use crate::verdict::Evidence;

pub(super) const RECORDED: Premise = Premise {
    id: "two-contexts/har-recorded",
    says: "The server received an upload of the device while a HAR of one of its browsers was recorded: requests of the HAR began \
           before and after that, less than a second apart.",
    rules_out: "The page that the HAR is of sent that upload itself, before or after the HAR was recorded, or while its recorder \
                was paused.",
};

pub(super) const UPLOADS_BEFORE: Premise = Premise {
    id: "two-contexts/har-uploads-before",
    says: "The HAR has an upload that its page sent before that.",
    rules_out: "The page that the HAR is of sent that upload before the HAR was recorded, and a gateway held it. A client sends one upload \
                at a time, and offers the keys of one that failed again with the next.",
};

pub(super) const UNFILTERED: Premise = Premise {
    id: "two-contexts/har-unfiltered",
    says: "The HAR has an answer of that kind: an accepted request if the upload was accepted, a refused one if it was refused.",
    rules_out: "The page that the HAR is of sent that upload itself, and the HAR was saved through a filter that hides such answers.",
};

pub(super) const READABLE: Premise = Premise {
    id: "two-contexts/har-readable",
    says: "Every upload that the HAR has at that time shows its body.",
    rules_out: "The upload stands in the HAR, and its body was left out.",
};

pub(super) const LACKED: Premise = Premise {
    id: "two-contexts/har-lacks",
    says: "The HAR has no upload that offers these keys and may have had that answer.",
    rules_out: "The page that the HAR is of sent that upload.",
};

/// An upload that reached the server, by whichever line shows it.
struct Received<'c> {
    asked: Moment,
    answered: Moment,
    /// Key ids of an accepted upload; empty for a refused one.
    key_ids: &'c [String],
    /// The key that a refused one offered.
    offered: Option<(String, &'c str)>,
    evidence: &'c Evidence,
}

/// The uploads of a device that logs show.
fn received<'c>(case: &'c Case<'_>, device: &'c Device) -> impl Iterator<Item = Received<'c>> {
    let accepted = case.ledger.accepted.iter().filter(move |upload| upload.device == *device).map(|upload| Received {
        asked: upload.asked,
        answered: upload.stored,
        key_ids: &upload.key_ids,
        offered: None,
        evidence: &upload.evidence,
    });
    let refused = case.ledger.conflicts.iter().filter(move |refusal| refusal.is_of(device)).filter_map(|refusal| {
        Some(Received {
            asked: refusal.asked?,
            answered: refusal.answered,
            key_ids: &[],
            offered: Some((refusal.key_id(), refusal.offered_key()?)),
            evidence: &refusal.evidence,
        })
    });
    accepted.chain(refused).filter(|received| matches!(received.asked.clock, Clock::Log(_)))
}

/// An upload of the device that a HAR covering that time lacks, a proof for each upload and HAR.
pub(super) fn lacked<'c>(case: &'c Case<'_>, device: &'c Device) -> impl Iterator<Item = Proof> + 'c {
    let hars = case
        .bundle
        .hars
        .iter()
        .enumerate()
        .filter(move |(_, har)| har.device() == Some((device.user_id.as_str(), device.device_id.as_str())));
    hars.flat_map(move |(index, har)| {
        let uploads: Vec<&Exchange> =
            har.entries.iter().filter(|exchange| exchange.route() == Route::KeysUpload).collect();
        received(case, device).map(move |received| lacked_by(case, index, har, &uploads, &received))
    })
}

fn lacked_by(case: &Case<'_>, index: usize, har: &Har, uploads: &[&Exchange], received: &Received<'_>) -> Proof {
    let clock = Clock::Har(index);
    let starts = har.entries.iter().map(|exchange| exchange.start);
    let before = starts.filter(|start| case.clocks.is_before(Moment::at(clock, *start), received.asked)).max();
    let recorded = before.is_some_and(|before| case.was_recorded(index, before, received.asked));
    let uploads_before =
        uploads.iter().any(|upload| case.clocks.is_before(Moment::at(clock, upload.start), received.asked));
    let was_refused = received.offered.is_some();
    let is_such = |exchange: &Exchange| {
        if was_refused { (400..500).contains(&exchange.status) } else { exchange.status == 200 }
    };
    let unfiltered = har.entries.iter().any(is_such);
    let at_another_time = |upload: &Exchange| {
        case.clocks.is_before(Moment::at(clock, upload.end()), received.asked)
            || case.clocks.is_before(received.answered, Moment::at(clock, upload.start))
    };
    let shows_keys = |upload: &&&Exchange| upload.facts.as_ref().is_some_and(|facts| !facts.one_time_keys.is_empty());
    let readable = uploads.iter().filter(|upload| !shows_keys(upload)).all(|upload| at_another_time(upload));
    let may_be = |upload: &Exchange| {
        let Some(facts) = &upload.facts else { return false };
        match &received.offered {
            Some((id, key)) => facts.one_time_keys.get(id).is_some_and(|offered| offered == key),
            None => {
                upload.status != 400
                    && facts.one_time_keys.len() == received.key_ids.len()
                    && received.key_ids.iter().all(|id| facts.one_time_keys.contains_key(id))
            }
        }
    };
    let lacks = !uploads.iter().any(|upload| may_be(upload));
    let evidence = (recorded && lacks).then(|| {
        let says =
            format!("the server received this upload, and {}, recorded all the while, does not have it", har.name);
        Evidence { says, ..received.evidence.clone() }
    });
    let near = uploads.last().and_then(|last| har.entries.iter().position(|entry| entry.index == last.index));
    let of_har =
        near.filter(|_| recorded && lacks).map(|at| exchange(har, at, "an upload that this browser sent itself"));
    Proof::new(case)
        .evidence(evidence)
        .evidence(of_har)
        .premise(&RECORDED, recorded, Vec::new)
        .premise(&UPLOADS_BEFORE, uploads_before, Vec::new)
        .premise(&UNFILTERED, unfiltered, Vec::new)
        .premise(&READABLE, readable, Vec::new)
        .premise(&LACKED, lacks, Vec::new)
}

//! OLM: the identity that the server holds for a device is not the one that the device has.

use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::identity::{SaidBy, Sighting};
use crate::case::{Case, Page};
use crate::conclusion::Conclusion;
use crate::moment::Moment;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::subject::{Device, Subject};
use crate::verdict::{Evidence, Sentences, Verdict};

const BEFORE: Premise = Premise {
    id: "identity-overwritten/device-before",
    says: "The device said its own Ed25519 key before a time at which the server held another one.",
    rules_out: "The device's identity is newer than the server's answer, and its upload was still to come.",
};

const AFTER: Premise = Premise {
    id: "identity-overwritten/device-after",
    says: "The device said the same Ed25519 key after that time.",
    rules_out: "The device has got a new identity since it said its own, and the server holds the new one.",
};

const ONE_PAGE: Premise = Premise {
    id: "identity-overwritten/one-page",
    says: "It said so both times in the life of one page.",
    rules_out: "Its store was replaced in between, and set back later: at that time the device had the identity that the server held.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::IdentityOverwritten,
    needs: &[ArtefactKind::Report],
    reads: &[ArtefactKind::Har, ArtefactKind::ServerLog, ArtefactKind::QueryResults],
    argument: "A device publishes its identity once, and a page keeps the one that it began with. If the device has one key before and after \
               a time at which the server held another one under its id, the server's is not the device's: others encrypt for an identity that this device \
               does not have.",
    proven_by: &[&BEFORE, &AFTER, &ONE_PAGE],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    case.devices().iter().filter_map(|device| verdict(case, device)).collect()
}

fn verdict(case: &Case<'_>, device: &Device) -> Option<Verdict> {
    let own: Vec<&Sighting> = case.identities_of(device).filter(|one| one.said_by == SaidBy::Itself).collect();
    let held: Vec<&Sighting> = case.identities_of(device).filter(|one| one.said_by != SaidBy::Itself).collect();
    let pairs = || held.iter().flat_map(|server| own.iter().map(|device| (*server, *device)));
    let differing = || pairs().filter(|(server, device)| server.ed25519 != device.ed25519);
    let proof_of = |(server, device): (&Sighting, &Sighting)| proof(case, &own, server, device);
    let proven = differing().map(proof_of).find(|proof| proof.clone().result().is_ok());
    // An older answer of the server differs from a newer identity wherever a store was replaced. What the database holds
    // now, against what the device says in its report, is a question worth asking.
    let of_report = |device: &Sighting| device.at.is_none_or(|at| matches!(at.clock, crate::moment::Clock::Page(_)));
    let open = || differing().find(|(server, device)| server.said_by == SaidBy::Row && of_report(device)).map(proof_of);
    let proof = proven.or_else(open)?;
    let label = device.label();
    let subject = Subject { device: Some(device.clone()), ..Subject::default() };
    let sentences = Sentences {
        proven: format!("The server held another identity for {label} than the device itself had."),
        unknown: format!(
            "Whether the identity that the server holds for {label} was the device's own at the time cannot be told."
        ),
        ..Sentences::default()
    };
    let verdict = Verdict::decide(case, Conclusion::IdentityOverwritten, (label, subject), proof, None, sentences);
    let how = "How: another context with an identity of its own published it, or the server's database was set back.";
    Some(if verdict.is_proven() { verdict.how(how) } else { verdict })
}

fn proof(case: &Case<'_>, own: &[&Sighting], server: &Sighting, device: &Sighting) -> Proof {
    let same = || own.iter().filter(|one| one.ed25519 == device.ed25519);
    let pages: Vec<Option<&Page>> = case.pages_of(&device.device).map(Some).chain([None]).collect();
    // A row was written at the time that it states, and was there when it was read.
    let times = [server.since, server.at];
    let found = times.into_iter().flatten().flat_map(|held| {
        pages.iter().map(move |page| {
            let said = |is_it: &dyn Fn(Moment) -> bool| {
                let of_page = |at: Moment| page.is_none_or(|page| case.is_in_life(page, at));
                same().find(|one| one.at.is_some_and(|at| is_it(at) && of_page(at)))
            };
            let before = said(&|at| case.clocks.is_before(at, held));
            let after = said(&|at| case.clocks.is_before(held, at));
            (before, after, page.is_some() && (before.is_some() || after.is_some()))
        })
    });
    let rank = |(before, after, one_page): &(Option<_>, Option<_>, bool)| {
        2 * (usize::from(before.is_some()) + usize::from(after.is_some())) + usize::from(*one_page)
    };
    let (before, after, one_page) = found.max_by_key(rank).unwrap_or_default();
    let evidence = |one: Option<&&Sighting>| -> Option<Evidence> { one.map(|one| one.evidence.clone()) };
    let whose = || Whose::Device(device.device.clone());
    Proof::new(case)
        .evidence([server.evidence.clone(), device.evidence.clone()])
        .premise(&BEFORE, evidence(before), || {
            vec![Need::report(whose(), ReportTime::Any, "the device's own keys before the server was asked")]
        })
        .premise(&AFTER, evidence(after), || {
            vec![Need::report(whose(), ReportTime::AfterTheQuery, "the identity keys that the device has now")]
        })
        .premise(&ONE_PAGE, one_page, Vec::new)
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::History;

    vec![
        History::world("04-old-tab-lives-on", "a new tab publishes its identity while the old one lives on")
            .copy("new-tab.har", "old-tab.har")
            .proves("identity-overwritten", "PKNLZRALFM"),
        History::world(
            "04-old-tab-lives-on",
            "a store was replaced, and then the profile was set back to the one before",
        )
        .copy("new-tab.har", "old-tab.har")
        .edit("old-tab.report.json", |report| {
            report["capture"]["timeOrigin"] = 1_795_474_456_200_u64.into();
            report["capture"]["installedAt"] = 1_795_474_456_300_u64.into();
        })
        .never_proves("identity-overwritten", ""),
        History::recorded("second-empty-store", "a store was replaced, and the server has the new identity")
            .never_proves("identity-overwritten", ""),
        History::world("39-the-database-was-restored", "the device's report is older than the server's answer")
            .never_proves("identity-overwritten", ""),
    ]
}

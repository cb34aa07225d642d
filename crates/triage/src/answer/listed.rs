//! Which verdicts an answer lists: a hostile artefact may name any number of devices.

use crypto_diag_analysis::sorted::{groups, sort_by_key};

use crate::conclusion::Conclusion;
use crate::verdict::Verdict;

/// Verdicts on one conclusion that are listed at most.
const LISTED_MAX: usize = 40;

/// The verdicts that are listed, in their order: of each conclusion those that matter most.
pub(crate) fn listed(verdicts: &[Verdict]) -> Vec<Verdict> {
    let mut order: Vec<usize> = (0..verdicts.len()).collect();
    sort_by_key(&mut order, |index| verdicts[*index].rank());
    let mut counts = [0; Conclusion::ALL.len()];
    let mut is_listed = vec![false; verdicts.len()];
    for index in order {
        let count = &mut counts[verdicts[index].conclusion as usize];
        *count += 1;
        is_listed[index] = *count <= LISTED_MAX;
    }
    verdicts.iter().zip(is_listed).filter(|(_, listed)| *listed).map(|(verdict, _)| verdict.clone()).collect()
}

/// What is said of the verdicts that are not listed, a sentence for each conclusion.
pub(crate) fn left_out(verdicts: &[&Verdict]) -> Vec<String> {
    let by_conclusion = groups(verdicts.iter().map(|verdict| (verdict.conclusion, *verdict)));
    let sentence = |(conclusion, mut of): (Conclusion, Vec<&Verdict>)| {
        sort_by_key(&mut of, |verdict| verdict.rank());
        let rest = of.get(LISTED_MAX..).filter(|rest| !rest.is_empty())?;
        let count = |is: fn(&Verdict) -> bool| rest.iter().filter(|verdict| is(verdict)).count();
        Some(format!(
            "Of {} verdicts on “{}” {LISTED_MAX} are listed. Of the others {} are proven, {} unknown and {} refuted.",
            of.len(),
            conclusion.title(),
            count(Verdict::is_proven),
            count(Verdict::is_unknown),
            count(Verdict::is_refuted)
        ))
    };
    by_conclusion.into_iter().filter_map(sentence).collect()
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::Level;

    use crate::Triage;
    use crate::history::{History, MadeUpPage};
    use crate::render;

    /// One line names three devices more than are listed. Every form of the answer says so.
    #[test]
    fn an_answer_says_how_many_verdicts_it_does_not_list() {
        let devices: Vec<String> =
            (0..43).map(|number| format!("\"@bob{number:02}:h\": {{\"DEVICE{number:02}\"}}")).collect();
        let line = format!(
            "Tried to create new Olm sessions, but the signed one-time key was missing for some devices \
             missing_devices_by_user={{{}}}",
            devices.join(", ")
        );
        let page = MadeUpPage::new(("@a:h", "ALICE"), 1_795_424_000_000, 1_795_424_060_000).line(
            1_795_424_010_000,
            Level::Warn,
            &line,
        );
        let triage = Triage::of(&History::new("a line names many devices").file("a.report.json", page.json()).bundle());
        let says = "Of the others 0 are proven, 3 unknown and 0 refuted.";
        let listed = triage.verdicts.iter().filter(|verdict| verdict.about.contains("DEVICE")).count();
        assert_eq!(listed, 40);
        assert!(triage.questions.iter().any(|asked| asked.unknown >= 43), "all are counted: {:?}", triage.questions);
        let json = render::json(&triage).expect("an answer is JSON");
        for answer in [render::text(&triage), render::html(&triage), json] {
            assert!(answer.contains(says), "{}", &*answer);
        }
        assert!(render::markdown(&triage).contains("3 unknown and 0 refuted"));
    }
}

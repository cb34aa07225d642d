//! KE-2: packets of a participant's media arrive, and nothing comes out of decryption.

use crypto_diag_analysis::call::flow::{self, Flow};
use crypto_diag_analysis::evidence::ke2::Ke2Kind;
use crypto_diag_core::MediaKind;

use super::heard::{self, Heard, State};
use super::rule::Rule;
use super::sender_side;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::{Need, ReportTime, Whose};
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::verdict::{Evidence, Sentences, Verdict};

/// A key that is a moment late is there within this: `useKeyDelay` (1 s, in Element Call 5 s) and the way of its message.
const LASTS_MS: u64 = 10_000;

const ARRIVES: Premise = Premise {
    id: "media-not-decrypted/arrives",
    says: "Between two samples of the statistics, packets of the participant came steadily, ten a second or more, and not one frame of them came out of decryption.",
    rules_out: "What came was no speech and no picture: comfort noise, or what an SFU sends to fill or to measure a line.",
};

const NAMED: Premise = Premise {
    id: "media-not-decrypted/named",
    says: "A line of the page says that frames of that participant could not be opened.",
    rules_out: "The frames were opened and nothing took them: the browser waits for a click before it plays sound, or the page has no element for the track.",
};

const TAKEN: Premise = Premise {
    id: "media-not-decrypted/taken",
    says: "That line says at which index a key is missing; or, where it only says that no key opens the frames, the page plays made-up sound meanwhile, or packets of pictures come steadily.",
    rules_out: "One frame was damaged and the next were opened, and the browser waits for a click before it plays sound. A missing key is not healed by the next frame.",
};

const NOT_SET: Premise = Premise {
    id: "media-not-decrypted/not-set",
    says: "No key of the participant was set since that line.",
    rules_out: "The key came after all, and something else keeps the sound from being played now.",
};

const KEYS_SHOWN: Premise = Premise {
    id: "media-not-decrypted/keys-shown",
    says: "The report shows each key that LiveKit's worker was given since that line: the capture watched console.info in the call's document, and shows keys that were set.",
    rules_out: "The key came, and the line that says so was not captured.",
};

const LASTS: Premise = Premise {
    id: "media-not-decrypted/lasts",
    says: "The line stands ten seconds or more before the statistics.",
    rules_out: "The key is a moment late, as in each rotation.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MediaNotDecrypted,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "LiveKit prints the same lines for a key that is 300 ms late and for one that never comes, and is silent afterwards. The \
               statistics part them: packets are counted before decryption, and frames after it. Where packets come, nothing comes out, \
               a line named the participant and no key of it was set since, its frames meet no key that opens them.",
    proven_by: &[&ARRIVES, &NAMED, &TAKEN, &NOT_SET, &KEYS_SHOWN, &LASTS, &heard::ONE_CALL],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    heard::all(case, State::Stuck).iter().map(|heard| judge(case, heard)).collect()
}

fn judge(case: &Case<'_>, heard: &Heard<'_>) -> Verdict {
    let (label, who, when) = (case.label(heard.page), heard.who(), heard.when(case));
    let (page, participant) = (heard.page, heard.participant);
    let open = participant.open_errors();
    let is_named = !participant.errors.is_empty();
    // A missing key stays missing until one is set. That no key opens a frame is printed of a damaged one, too, so that the last such
    // line counts.
    let missing = open.iter().find(|error| error.kind == Ke2Kind::MissingKey);
    let first = missing.or(open.last()).or(participant.errors.first());
    let sampled = heard.streams.iter().filter_map(|stream| stream.samples.first()).map(|sample| sample.ts.0).min();
    let lasts = first.zip(sampled).is_none_or(|(error, sampled)| error.ts.0.saturating_add(LASTS_MS) <= sampled);
    let keys_shown = first.is_none_or(|error| case.shows_keys_since(page, error.ts));
    let quotes: Vec<Evidence> = first
        .into_iter()
        .chain(open.last())
        .filter_map(|error| case.entry(page.report, error.entry, "frames of the participant could not be opened"))
        .collect();
    let later = format!(
        "whether frames of {who} come out of decryption: made during the call, ten seconds or more after the trouble began, while {who} speaks"
    );
    let lines =
        "which media keys the page was given: made with a capture that watches console.info, installed before the call";
    let receiver = || page.device.clone().map_or_else(|| Whose::Somebody(label.clone()), Whose::Device);
    let watched = || vec![Need::report(receiver(), ReportTime::CaptureBefore, lines)];
    let is_steady = heard.streams.iter().any(|stream| flow::is_stuck(stream));
    let is_missing = missing.is_some();
    let is_taken = heard.streams.iter().any(|stream| {
        let made_up = || Flow::of(stream).and_then(|flow| flow.grown(|sample| sample.samples));
        flow::is_stuck(stream) && (stream.kind == MediaKind::Video || made_up().is_some_and(|samples| samples > 0.0))
    });
    let proof = Proof::new(case)
        .evidence(heard.evidence(case))
        .evidence(quotes)
        .premise(&ARRIVES, is_steady, || heard.again(case, &later))
        .premise(&NAMED, is_named, watched)
        .premise(&TAKEN, open.is_empty() || is_missing || is_taken, || heard.again(case, &later))
        .premise(&NOT_SET, !is_named || !open.is_empty(), || heard.again(case, &later))
        .premise(&KEYS_SHOWN, keys_shown, watched)
        .premise(&LASTS, lasts, || heard.again(case, &later))
        .premise(&heard::ONE_CALL, heard::is_one_call(case, page), || heard.alone(case));
    let came = heard.kinds(flow::comes).unwrap_or("media");
    let since = first.map_or_else(String::new, |error| stamp::print(i64::try_from(error.ts.0).unwrap_or(i64::MAX)));
    let index = first.and_then(|error| error.key_index);
    let at_index = index.map_or_else(String::new, |index| format!(" at index {index}"));
    let is_wrong = !is_missing && open.iter().any(|error| error.kind == Ke2Kind::WrongKey);
    let key =
        if is_wrong { "no key that is there opens them".to_owned() } else { format!("the key{at_index} is not there") };
    let sentences = Sentences {
        proven: format!(
            "At {when} by its own clock, packets with the {came} of {who} came to {label}, and nothing came out of decryption: {key}. \
             So it has been since {since}; no key of {who} was set since."
        ),
        refuted: String::new(),
        unknown: format!(
            "At {when}, packets with the {came} of {who} came to {label}, and nothing came out of decryption. Whether a key is why cannot be told."
        ),
    };
    let (about, subject) = heard.about(case);
    let subject = crate::subject::Subject { key_index: index, ..subject };
    let verdict = Verdict::decide(case, Conclusion::MediaNotDecrypted, (about, subject), proof, None, sentences);
    let peer = (heard.device(), participant.identity.as_deref());
    let error = first.and_then(|error| case.printed(page.report, error.entry));
    let mut verdict = sender_side::join(case, verdict, page, peer, error);
    if verdict.is_proven() {
        verdict = verdict.how(if is_wrong {
            "Why: another key of the participant came for this index, or its frames are not encrypted with the one that it sent."
        } else {
            "Why: the key was never sent, was lost on its way, or could not be opened; or the participant does not encrypt."
        });
        if heard.is_unseen(case) {
            verdict = verdict.how(format!(
                "This page sees no membership of {who} in the call. matrix-js-sdk keeps a media key back until it sees that of its sender."
            ));
        }
    }
    match heard.whose() {
        Some(open) => verdict.how(open),
        None => verdict,
    }
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::call::{BOB, Held, decoded_video, history, missing_bob, sound, video, wrong_bob};

    let about = "@alice:example.org/ALICE from @bob:example.org/BOB";
    // A key that came once and not again: the sound is made up, the picture stands.
    let stopped =
        || Held::default().of_bob(sound(50.0, 0.0, 48_000.0, 48_000.0, 0.0)).of_bob(decoded_video(40.0, 0.0, 0.0));
    let blocked = || Held::default().of_bob(sound(50.0, 0.0, 0.0, 0.0, 0.0));
    let never = || {
        blocked()
            .of_bob(video(40.0, 0.0, 0.0))
            .but(|call| call.facts.retain(|fact| fact.key_index.is_none() || fact.participant.as_deref() != Some(BOB)))
    };
    vec![
        history("Bob's key never comes", never().line(60_000, &missing_bob(0)))
            .proves("media-not-decrypted", about)
            .exits(&[1]),
        history("Bob's next key never comes", stopped().line(60_000, &missing_bob(1)))
            .proves("media-not-decrypted", about)
            .never_proves("media-decoded", ""),
        history("Bob's key is a wrong one", stopped().line(60_000, &wrong_bob())).proves("media-not-decrypted", about),
        history(
            "Bob's second key is wrong, too",
            stopped().line(50_000, &missing_bob(1)).key_set(55_000, BOB, 1).line(56_000, &wrong_bob()),
        )
        .proves("media-not-decrypted", about),
        history(
            "Bob's next key is three seconds late, and the report is made meanwhile",
            stopped().line(298_000, &missing_bob(1)),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "one frame of Bob was damaged, and five seconds ago he went to his next key",
            stopped().line(250_000, &wrong_bob()).line(295_000, &missing_bob(1)),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "two frames of Bob were damaged, the second one five seconds ago",
            stopped().line(250_000, &wrong_bob()).line(295_000, &wrong_bob()),
        )
        .never_proves("media-not-decrypted", ""),
        history("Bob's key is there, and the browser does not play sound before a click", blocked())
            .never_proves("media-not-decrypted", ""),
        history(
            "one frame of Bob was damaged, and the browser does not play sound before a click",
            blocked().line(60_000, &wrong_bob()),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "Bob's key was 300 ms late, and the browser does not play sound before a click",
            blocked().line(60_000, &missing_bob(1)).key_set(60_300, BOB, 1),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "Bob's key was 300 ms late on a page whose info lines nobody watched, and the browser does not play sound",
            blocked()
                .line(60_000, &missing_bob(1))
                .report(|report| report.capture.hooks.retain(|hook| hook.method != "info")),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "Bob rotates his key and switches all off before it comes, and the SFU sends a filler now and then",
            Held::default()
                .of_bob(sound(0.0, 0.0, 48_000.0, 48_000.0, 0.0))
                .of_bob(video(4.0, 0.0, 0.0))
                .line(60_000, &missing_bob(1)),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "Bob leaves between the samples",
            stopped()
                .line(60_000, &missing_bob(1))
                .but(|call| call.streams.iter_mut().for_each(|stream| stream.samples.truncate(1))),
        )
        .never_proves("media-not-decrypted", ""),
        history(
            "counters of Bob's streams are hostile",
            stopped().line(60_000, &missing_bob(1)).json(|report| {
                for stream in report["call"]["streams"].as_array_mut().expect("a list") {
                    for (name, value) in [("packets", "-5"), ("emitted", "1e300"), ("frames", "-0.5")] {
                        stream["samples"][1][name] = serde_json::from_str(value).expect("a number");
                    }
                }
            }),
        )
        .never_proves("media-not-decrypted", "")
        .never_proves("media-decoded", "")
        .never_proves("media-not-arriving", ""),
    ]
}

#[cfg(test)]
mod tests {
    use crate::Triage;
    use crate::conclusion::Conclusion;
    use crate::history::call::{Held, history, missing_bob, sound};

    #[test]
    fn a_sender_who_is_no_member_in_the_eyes_of_the_page_is_named() {
        let hows = |held: Held| {
            let held = held.of_bob(sound(50.0, 0.0, 0.0, 0.0, 0.0)).line(60_000, &missing_bob(0));
            let triage = Triage::of(&history("Bob's key never comes", held).bundle());
            let of_rule = triage.verdicts.iter().find(|verdict| verdict.conclusion == Conclusion::MediaNotDecrypted);
            let verdict = of_rule.expect("a verdict");
            assert!(verdict.is_proven(), "{verdict:#?}");
            verdict.how.join(" ")
        };
        let unseen = Held::default().but(|call| {
            call.session.as_mut().expect("a session").memberships.remove(1);
        });
        assert!(hows(unseen).contains("sees no membership of @bob:example.org/BOB"));
        assert!(!hows(Held::default()).contains("sees no membership"));
        assert!(!hows(Held::default().but(|call| call.session = None)).contains("sees no membership"));
    }
}

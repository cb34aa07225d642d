//! Nothing of a participant's media arrives at a page. That is no matter of the page's decryption.

use crypto_diag_analysis::call::flow::{self, Arrival};
use crypto_diag_core::MediaStream;

use super::heard::{self, Heard, State};
use super::media_not_sent;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::conclusion::Conclusion;
use crate::need::Need;
use crate::proof::{Premise, Proof};
use crate::synapse_log::MediaProgram;
use crate::verdict::{Sentences, Verdict};

/// Comfort noise comes every 400 ms; a network's hiccup is over within this, in milliseconds.
const QUIET_MS: f64 = 5_000.0;

/// A stream is set up within this after both its participant and the page have joined, in milliseconds.
const SETTLED_MS: i64 = 60_000;

const NOTHING: Premise = Premise {
    id: "media-not-arriving/nothing",
    says: "No packet of any stream of the participant came between two samples of the statistics and in the five seconds before, or none ever did; or the page has no stream of it a minute after both had joined, by the clock of the homeserver of both, to which the page's was measured.",
    rules_out: "It was quiet for a moment: nobody spoke, the network paused, a track was switched or still being set up; or the page's clock is ahead, so that who has just joined seems to have been there for long.",
};

const ALL_SHOWN: Premise = Premise {
    id: "media-not-arriving/all-shown",
    says: "The report lists every receiver of the page's connections, some stream among them, and nothing comes by one of which it does not know whose it is.",
    rules_out: "The participant's media comes by a stream that the report does not list, or does not know to be its.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MediaNotArriving,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "Packets are counted before decryption, whether a key opens them or not. Where none comes, no key of this page can be the \
               reason. What is: the participant muted itself or publishes nothing, its own client cannot encrypt, the SFU passes nothing \
               on (it pauses pictures on purpose that are small or hidden), it is at another SFU, or the network.",
    proven_by: &[&NOTHING, &ALL_SHOWN, &heard::ONE_CALL],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    heard::all(case, State::Silent).iter().map(|heard| judge(case, heard)).collect()
}

fn quiet_ms(stream: &MediaStream) -> Option<f64> {
    match flow::arrival(stream) {
        Arrival::Nothing { quiet_ms } => quiet_ms,
        _ => None,
    }
}

/// Whether the page and a participant joined so long ago that streams would be there.
fn has_settled(case: &Case<'_>, heard: &Heard<'_>) -> bool {
    let sampled = heard.said.streams.iter().filter_map(|stream| stream.samples.first()).map(|sample| sample.ts.0).min();
    let Some(by) = sampled.and_then(|sampled| Some(i64::try_from(sampled).ok()? - SETTLED_MS)) else { return false };
    let both = heard.page.device.clone().zip(heard.device());
    both.is_some_and(|(own, theirs)| [own, theirs].iter().all(|device| heard::had_joined(case, heard.page, device, by)))
}

fn judge(case: &Case<'_>, heard: &Heard<'_>) -> Verdict {
    let (label, who, when) = (case.label(heard.page), heard.who(), heard.when(case));
    let is_quiet = |stream: &&MediaStream| quiet_ms(stream).is_some_and(|quiet| quiet >= QUIET_MS);
    let of_nobody = heard.call.unnamed_streams.iter().filter_map(|at| heard.said.streams.get(*at));
    let all_shown = case.shows_connections(heard.page)
        && heard.said.omitted == 0
        && !heard.said.streams.is_empty()
        && of_nobody.clone().all(|stream| is_quiet(&stream));
    let again = if heard.streams.is_empty() {
        format!(
            "whether media of {who} arrives: made during the call, a minute after both have joined, and after this client has sent a \
             message, by which its clock is measured"
        )
    } else {
        format!("whether media of {who} arrives: made during the call, while {who} speaks")
    };
    let list = match heard.said.streams.len() {
        0 => "call: no stream".to_owned(),
        count => format!("call: {count} streams, {} of them of {who}", heard.streams.len()),
    };
    let whole = case.whole(heard.page.report, &list, "what the page's connections have");
    let proof = Proof::new(case)
        .evidence(heard.evidence(case))
        .premise(
            &NOTHING,
            heard.streams.iter().all(is_quiet) && (!heard.streams.is_empty() || has_settled(case, heard)),
            || heard.again(case, &again),
        )
        .premise(&ALL_SHOWN, all_shown.then_some(whole), || {
            let sends = format!("whether {who} sends, and whether encrypted");
            let mut needs = heard.theirs(&sends);
            needs.push(Need::media_log(
                MediaProgram::LiveKit,
                format!("in which room of the SFU {who} is, and what it publishes"),
            ));
            needs
        })
        .premise(&heard::ONE_CALL, heard::is_one_call(case, heard.page), || heard.alone(case));
    let shortest = heard.streams.iter().filter_map(|stream| quiet_ms(stream)).fold(f64::INFINITY, f64::min);
    let how_long = if heard.streams.is_empty() {
        "the page has no stream of it".to_owned()
    } else if shortest.is_finite() {
        format!("no packet came for {:.0} s", shortest / 1_000.0)
    } else {
        "not one packet ever came".to_owned()
    };
    let source = media_not_sent::at_its_source(case, heard);
    let at_its_source = source.as_ref().map_or_else(String::new, |(_, says)| format!(" {says}"));
    let sentences = Sentences {
        proven: format!(
            "At {when} by its own clock, nothing of {who} arrived at {label}: {how_long}. What does not arrive needs no key: decryption on \
             {label} is not why.{at_its_source}"
        ),
        refuted: String::new(),
        unknown: format!("Whether media of {who} arrived at {label} at {when} cannot be told."),
    };
    let mut verdict = Verdict::decide(case, Conclusion::MediaNotArriving, heard.about(case), proof, None, sentences);
    if verdict.is_proven() {
        verdict = match source {
            Some((source, _)) => verdict.evidence(source.evidence.into_iter().take(1)).follows(Conclusion::MediaNotSent),
            None => verdict.how(format!(
                "Why: {who} is muted or publishes nothing, its own client does not send (its report tells, if it is made a moment before this \
                 one), a picture is paused on purpose since it is small or hidden here, or the SFU or the network (the SFU's log tells)."
            )),
        };
        let own = heard.call.own.as_ref().and_then(|own| own.focus.as_deref());
        if let Some((own, theirs)) = own.zip(heard.participant.focus.as_deref()).filter(|(own, theirs)| own != theirs) {
            verdict = verdict.how(format!(
                "Its membership names another SFU ({theirs}) than this device's own ({own}). That is so on purpose in federated calls; if this \
                 device cannot join that SFU, it hears nothing of it."
            ));
        }
        let broken = |state: &&str| matches!(*state, "disconnected" | "failed");
        let states = heard.streams.iter().filter_map(|stream| stream.connection_state.as_deref());
        if let Some(state) = states.clone().find(broken) {
            verdict = verdict.how(format!("The connection by which it came is {state}: that speaks for the network."));
        }
    }
    verdict
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::call::{BEGUN, Held, aged, history, sound, video};
    use crypto_diag_core::Millis;

    let about = "@alice:example.org/ALICE from @bob:example.org/BOB";
    let nothing = || sound(0.0, 0.0, 48_000.0, 48_000.0, 0.0);
    let alone = || Held::default().of_carol(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2));
    // A member who joined so long after the page began, by the server's clock.
    let joined_at = |held: Held, member: usize, after: i64| {
        held.but(|call| {
            let memberships = &mut call.session.as_mut().expect("a session").memberships;
            memberships[member].created_at = Some(Millis(BEGUN.saturating_add_signed(after)));
        })
    };
    let muted = || Held::default().of_bob(aged(60_000.0, nothing())).of_bob(aged(90_000.0, video(0.0, 0.0, 0.0)));
    vec![
        history("Bob is muted and his camera is off", muted())
            .proves("media-not-arriving", about)
            .never_proves("media-not-decrypted", "")
            .exits(&[0]),
        history("Bob has published nothing", alone()).proves("media-not-arriving", about),
        history(
            "Bob joins as the report is made, and the page's clock is 90 s ahead",
            joined_at(alone(), 1, 209_000).ahead(90_000),
        )
        .never_proves("media-not-arriving", "@bob:example.org"),
        history(
            "the same, and the page has sent nothing by which its clock could be measured",
            joined_at(alone(), 1, 209_000).unmeasured(),
        )
        .never_proves("media-not-arriving", "@bob:example.org"),
        history(
            "the page's clock is 90 s ahead, and Bob has published nothing for two minutes",
            joined_at(joined_at(alone(), 0, -80_000), 1, 80_000).ahead(90_000),
        )
        .proves("media-not-arriving", about),
        history(
            "Bob's page was left without a word, and he has joined anew under another name as the report is made",
            alone().but(|call| {
                let memberships = &mut call.session.as_mut().expect("a session").memberships;
                memberships.push(crypto_diag_core::CallMembership {
                    participant: Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".to_owned()),
                    created_at: Some(Millis(BEGUN + 299_000)),
                    ..memberships[1].clone()
                });
            }),
        )
        .never_proves("media-not-arriving", "@bob:example.org"),
        history("Alice joins as the report is made, and Bob was there long before", joined_at(alone(), 0, 299_000))
            .never_proves("media-not-arriving", "@bob:example.org"),
        history(
            "Bob joins as the report is made, and the clock of his homeserver is an hour behind",
            joined_at(alone(), 1, 299_000 - 3_600_000).but(|call| {
                let bob = &mut call.session.as_mut().expect("a session").memberships[1];
                bob.user_id = Some("@bob:elsewhere.example.org".to_owned());
            }),
        )
        .never_proves("media-not-arriving", "@bob:elsewhere.example.org"),
        history(
            "Bob's own client has no key and sends nothing",
            Held::default().of_bob({
                let mut stream = nothing();
                stream.muted = Some(true);
                for sample in &mut stream.samples {
                    *sample = crypto_diag_core::StreamSample { ts: sample.ts, ..Default::default() };
                }
                stream
            }),
        )
        .proves("media-not-arriving", about),
        history(
            "Bob's picture is paused since the tab is hidden, and his sound is heard",
            Held::default()
                .of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2))
                .of_bob(aged(20_000.0, video(0.0, 0.0, 0.0))),
        )
        .proves("media-decoded", about)
        .never_proves("media-not-arriving", ""),
        history(
            "the connection by which Bob comes did not say what it has",
            Held::default().sent(sound(50.0, 0.0, 0.0, 0.0, 0.2)).report(|report| {
                let (question, why) = ("getTransceivers".to_owned(), "TypeError".to_owned());
                report.unanswered.push(crypto_diag_core::Unanswered { question, why });
            }),
        )
        .never_proves("media-not-arriving", ""),
        history(
            "Carol joins as the report is made",
            joined_at(
                Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)).of_carol(nothing()).but(|call| {
                    call.streams.pop();
                }),
                2,
                299_000,
            ),
        )
        .never_proves("media-not-arriving", ""),
        history(
            "no line names the stream by which Bob comes, and it has been quiet for two seconds",
            Held::default().of_nobody(aged(2_000.0, nothing())),
        )
        .never_proves("media-not-arriving", ""),
        history(
            "Bob seems to have joined long ago, since the page's clock was set, and has no stream yet",
            Held::default()
                .of_carol(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2))
                .report(|report| report.clock.get_or_insert_default().offset = Some(90_000.0)),
        )
        .never_proves("media-not-arriving", "@bob:example.org"),
        history("Bob draws breath", Held::default().of_bob(aged(1_100.0, nothing())))
            .never_proves("media-not-arriving", ""),
        history(
            "Bob has joined anew, and no line says which session is his",
            muted().of_nobody(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)),
        )
        .never_proves("media-not-arriving", ""),
        history("the page's connections were not watched", Held::default()).never_proves("media-not-arriving", ""),
        history(
            "Bob's page was left without a word, and he has joined anew under another name",
            Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)).but(|call| {
                let memberships = &mut call.session.as_mut().expect("a session").memberships;
                let old = Some("47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU".to_owned());
                memberships.push(crypto_diag_core::CallMembership { participant: old, ..memberships[1].clone() });
            }),
        )
        .proves("media-decoded", about)
        .never_proves("media-not-arriving", ""),
        history(
            "Carol has left, and her receiver is still there",
            muted()
                .of_carol(aged(900_000.0, nothing()))
                .but(|call| call.session.as_mut().expect("a session").memberships.truncate(2)),
        )
        .proves("media-not-arriving", about)
        .never_proves("media-not-arriving", "carol"),
    ]
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::{CallFacts, MediaStream};

    use crate::Triage;
    use crate::conclusion::Conclusion;
    use crate::history::call::{Held, aged, history, sound, with_bob};

    /// Nothing of Bob has come to Alice for a minute, and Bob's own report says that his microphone is off, so many milliseconds earlier.
    fn both(earlier: u64, change: impl FnOnce(&mut CallFacts), unmeasured: bool) -> Triage {
        let quiet = Held::default().of_bob(aged(60_000.0, sound(0.0, 0.0, 48_000.0, 48_000.0, 0.0)));
        let off = MediaStream { enabled: Some(false), ..sound(50.0, 0.0, 0.0, 0.0, 0.0) };
        let bob = Held::default().sent(off).but(change);
        let bob = if unmeasured { bob.unmeasured() } else { bob };
        Triage::of(&with_bob(history("both sides of a silence", quiet), earlier, bob).bundle())
    }

    fn is_joined(triage: &Triage) -> bool {
        let of = |at: usize| triage.verdicts[at].conclusion;
        let is_proven =
            |wanted| triage.verdicts.iter().any(|verdict| verdict.conclusion == wanted && verdict.is_proven());
        assert!(is_proven(Conclusion::MediaNotSent) && is_proven(Conclusion::MediaNotArriving));
        let arrow = (Conclusion::MediaNotSent, Conclusion::MediaNotArriving);
        triage.story.links.iter().any(|link| (of(link.cause), of(link.effect)) == arrow)
    }

    #[test]
    fn both_sides_of_one_silence_are_one_sentence() {
        let triage = both(5_000, |_| {}, false);
        assert!(is_joined(&triage), "{}", triage.story.sentence);
        let arriving = triage.verdicts.iter().find(|verdict| verdict.conclusion == Conclusion::MediaNotArriving);
        let said = &arriving.expect("a verdict").statement;
        assert!(
            said.contains("the page of @bob:example.org/BOB sent no sound: its microphone is switched off"),
            "{said}"
        );
        let sentence = &triage.story.sentence;
        let both = "Nothing of @bob:example.org arrives at device ALICE of @alice:example.org, since device BOB of @bob:example.org sends no sound itself.";
        assert!(sentence.contains(both), "{sentence}");
    }

    #[test]
    fn two_reports_that_need_not_be_of_one_silence_are_not_joined() {
        assert!(!is_joined(&both(90_000, |_| {}, false)), "Bob was muted before the silence began");
        assert!(!is_joined(&both(0, |_| {}, false)), "Bob may have muted himself after Alice's report");
        assert!(!is_joined(&both(5_000, |_| {}, true)), "nothing tells how the two clocks go");
        let elsewhere = |call: &mut CallFacts| {
            call.session.as_mut().expect("a session").room_id = Some("!other:example.org".to_owned());
        };
        assert!(!is_joined(&both(5_000, elsewhere, false)), "Bob is muted in another call");
    }
}

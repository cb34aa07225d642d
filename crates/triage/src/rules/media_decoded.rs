//! A participant's media arrives and is decoded. Whoever does not hear it must look elsewhere than at its encryption.

use crypto_diag_analysis::call::flow::{self, Arrival};
use crypto_diag_core::{Ke, MediaKind, MediaStream, Millis};

use super::heard::{self, Heard, State};
use super::media_not_sent;
use super::rule::Rule;
use crate::artefact::ArtefactKind;
use crate::case::Case;
use crate::case::watch::Sought;
use crate::conclusion::Conclusion;
use crate::proof::{Premise, Proof};
use crate::stamp;
use crate::verdict::{Evidence, Sentences, Verdict};

/// Pictures within the second of the statistics of which one at least would have been decoded.
const COUNTED_MIN: f64 = 5.0;

/// A participant goes on with its last key for a moment after it has sent the next one (`useKeyDelay`: 1 s, in Element Call 5 s), in
/// milliseconds with the way of the message.
const USED_WITHIN_MS: u64 = 10_000;

const OUT: Premise = Premise {
    id: "media-decoded/comes-out",
    says: "Between two samples of the statistics, most of the pictures that came of the participant were decoded, as in all before, or sound of it was played out of its packets.",
    rules_out: "Nothing of it can be decoded now: the decoder waits for a whole picture, the engine does not count, or nothing was counted a second time.",
};

const OPENED: Premise = Premise {
    id: "media-decoded/opened",
    says: "Pictures were decoded; or the participant's tracks are encrypted as it says itself, and LiveKit's worker has been given a key of it, so that it passes on only what that key opens.",
    rules_out: "The participant encrypts and this page does not decrypt: noise is played then, and the counters are those of good sound. Pictures betray it, since hardly one of them can be decoded.",
};

const ITS_OWN: Premise = Premise {
    id: "media-decoded/its-own",
    says: "What was played was more than silence; or the page has printed no error about frames of the participant, or of anybody who may be it, since the last key of it was set, and its report would show one.",
    rules_out: "What came out was made by the SFU, which sends silent sound and black pictures in the clear for a moment when somebody mutes, while the participant's own frames cannot be opened.",
};

const SOUND_TOO: Premise = Premise {
    id: "media-decoded/sound-too",
    says: "Of each stream of the participant's sound something was played out of its packets, or no packet came.",
    rules_out: "Only its picture is decoded. Its sound comes and is not played: LiveKit's worker drops it, since the page does not know whether the track is encrypted (“encryption state unknown”); or the browser waits for a click before it plays sound, or the page has no element for it.",
};

const SAME_KEY: Premise = Premise {
    id: "media-decoded/same-key",
    says: "No line says that a key of the participant, or of anybody who may be it, was set, or that its frames could not be opened, between the first sample of the statistics and the report.",
    rules_out: "The participant went to its next key within that second: what came out came out with the last one, and with the next nothing may.",
};

pub(super) const RULE: Rule = Rule {
    conclusion: Conclusion::MediaDecoded,
    needs: &[ArtefactKind::Report],
    reads: &[],
    argument: "Packets are counted before decryption, frames after it. A frame that the participant's key does not open never reaches a \
               decoder. So pictures that can be decoded were opened, and so was the sound of a page whose worker has the key of a \
               participant who says that it encrypts. It is said of the second in which the statistics were taken, and of this page \
               alone. If somebody is not heard all the same, encryption is not why. A picture says nothing of a sound that comes and is not played: \
               LiveKit's worker decides for each track by itself whether it opens it.",
    proven_by: &[&OUT, &OPENED, &ITS_OWN, &SOUND_TOO, &SAME_KEY, &heard::ONE_CALL],
    refuted_by: &[],
    check,
    #[cfg(test)]
    histories,
};

fn check(case: &Case<'_>) -> Vec<Verdict> {
    heard::all(case, State::DecodedOrUntold).iter().map(|heard| judge(case, heard)).collect()
}

fn judge(case: &Case<'_>, heard: &Heard<'_>) -> Verdict {
    let (label, who, when) = (case.label(heard.page), heard.who(), heard.when(case));
    let participant = heard.participant;
    let pictures = heard.kinds(|stream| stream.kind == MediaKind::Video && flow::is_decoded(stream)).is_some();
    let opened = pictures || (participant.encrypted == Some(true) && !participant.key_sets.is_empty());
    let loud = |stream: &MediaStream| stream.kind == MediaKind::Audio && flow::is_loud(stream) == Some(true);
    let is_loud = heard.kinds(loud).is_some();
    let would_show = || case.could_have_shown(heard.page, Sought::Line(Ke::Ke2), None).is_ok();
    let its_own = is_loud || (heard.may_be().all(|one| one.open_errors().is_empty()) && would_show());
    let sampled = heard.streams.iter().filter_map(|stream| stream.samples.first()).map(|sample| sample.ts).min();
    let is_within = |at: Millis| sampled.is_none_or(|sampled| at >= sampled);
    let same_key = heard.may_be().all(|one| {
        !one.key_sets.iter().any(|set| is_within(set.ts)) && !one.errors.iter().any(|error| is_within(error.ts))
    });
    let is_unplayed = |stream: &MediaStream| {
        stream.kind == MediaKind::Audio
            && !matches!(flow::arrival(stream), Arrival::Nothing { .. })
            && flow::came_out(stream).is_none_or(|out| out == 0.0)
    };
    let sound_too = heard.kinds(is_unplayed).is_none();
    let speaks = format!("whether frames of {who} come out of decryption: made during the call, while {who} speaks");
    let again = || heard.again(case, &speaks);
    let clicked = format!(
        "whether sound of {who} is played: made during the call, after a click into the page, while {who} speaks"
    );
    let is_ciphertext = |stream: &&&MediaStream| {
        stream.kind == MediaKind::Video && flow::came_out(stream).is_some_and(|out| out >= COUNTED_MIN)
    };
    let says = "pictures of this stream come, and hardly one of them can be decoded";
    let ciphertext: Vec<Evidence> = match pictures {
        true => Vec::new(),
        false => heard
            .streams
            .iter()
            .filter(is_ciphertext)
            .map(|stream| heard::quoted(case, heard.page, stream, says))
            .collect(),
    };
    let proof = Proof::new(case)
        .evidence(heard.evidence(case))
        .premise(&OUT, heard.kinds(flow::is_decoded).is_some(), again)
        .premise(&OPENED, opened, again)
        .premise(&ITS_OWN, its_own, again)
        .premise(&SOUND_TOO, sound_too, || heard.again(case, &clicked))
        .premise(&SAME_KEY, same_key, again)
        .premise(&heard::ONE_CALL, heard::is_one_call(case, heard.page), || heard.alone(case))
        .unless(
            "Pictures of the participant come out of decryption, and hardly one of them can be decoded, as where this page takes for plain what is encrypted.",
            ciphertext.into_iter().take(2),
        );
    let came = heard.kinds(flow::is_decoded).unwrap_or("media");
    let newest = participant.key_sets.last();
    let key =
        newest.and_then(|set| set.key_index.map(|index| (index, set.ts))).map_or_else(String::new, |(index, at)| {
            let is_fresh = sampled.is_some_and(|sampled| sampled.0.saturating_sub(at.0) < USED_WITHIN_MS);
            let used = if is_fresh { "; the one before it may still have been in use" } else { "" };
            let at = stamp::print(i64::try_from(at.0).unwrap_or(i64::MAX));
            format!(" The newest key of {who} that was set here before is the one at index {index}, set at {at}{used}.")
        });
    // Packets of a paused picture may be those by which an SFU measures the line.
    let is_unseen = heard.kinds(|stream| stream.kind == MediaKind::Video && flow::is_stuck(stream)).is_some();
    let or_seen = if is_unseen { "" } else { " or seen" };
    let unknown = match heard.kinds(flow::is_decoded) {
        Some(came) if !sound_too => format!(
            "At {when}, {label} decoded the {came} of {who}, and sound of {who} came and was not played. Whether encryption is why cannot be told."
        ),
        _ => format!("Whether {label} could decode the media of {who} at {when} cannot be told."),
    };
    let sentences = Sentences {
        proven: format!(
            "At {when} by its own clock, {label} received and decoded the {came} of {who}.{key} If {who} is not heard{or_seen}, encryption is not why."
        ),
        refuted: String::new(),
        unknown,
    };
    let mut verdict = Verdict::decide(case, Conclusion::MediaDecoded, heard.about(case), proof, None, sentences);
    if verdict.is_proven() {
        verdict = verdict.how(if came.contains("sound") && !is_loud {
            "What is played of its sound is silence: its microphone is off or gives nothing, or nobody spoke."
        } else {
            "What else may keep it from being heard: the volume, the output device, a tab or a participant that was muted here."
        });
        if let Some((source, says)) = media_not_sent::at_its_source(case, heard) {
            verdict = verdict.how(says).evidence(source.evidence.into_iter().take(1));
        }
        if is_unseen {
            verdict = verdict.how("Why it may not be seen: packets of its picture come and nothing comes out of decryption. An SFU may send such packets for a picture that it pauses.");
        }
    }
    match heard.whose() {
        Some(open) => verdict.how(open),
        None => verdict,
    }
}

#[cfg(test)]
fn histories() -> Vec<crate::history::History> {
    use crate::history::call::{BOB, Held, decoded_video, history, missing_bob, sound, wrong_bob};

    let about = "@alice:example.org/ALICE from @bob:example.org/BOB";
    let healthy =
        || Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)).of_bob(decoded_video(15.0, 15.0, 15.0));
    vec![
        history("Bob is heard and seen", healthy()).proves("media-decoded", about).exits(&[0]),
        history("Bob is heard, and has no camera", Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)))
            .proves("media-decoded", about)
            .never_proves("media-not-decrypted", ""),
        history(
            "Bob's key was 300 ms late, and healed",
            healthy().line(60_000, &missing_bob(1)).key_set(60_300, BOB, 1),
        )
        .proves("media-decoded", about)
        .never_proves("media-not-decrypted", ""),
        history(
            "Bob's first key was wrong, and his second is right",
            healthy().line(60_000, &wrong_bob()).key_set(67_000, BOB, 0),
        )
        .proves("media-decoded", about),
        history("Bob's next key comes between the two samples", healthy().key_set(300_500, BOB, 1))
            .never_proves("media-decoded", ""),
        history("Bob's next key comes between the samples and the report", healthy().key_set(301_005, BOB, 1))
            .never_proves("media-decoded", ""),
        history(
            "Bob goes to his next key between the two samples, and it never comes",
            healthy().line(300_500, &missing_bob(1)),
        )
        .never_proves("media-decoded", ""),
        history("Bob's next key came three seconds before the samples", healthy().key_set(297_000, BOB, 1))
            .proves("media-decoded", about),
        history(
            "Bob's microphone is on and gives silence",
            Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.0)),
        )
        .proves("media-decoded", about),
        history(
            "Bob's picture is decoded, and the browser does not play his sound before a click",
            Held::default().of_bob(sound(50.0, 0.0, 0.0, 0.0, 0.0)).of_bob(decoded_video(15.0, 15.0, 15.0)),
        )
        .never_proves("media-decoded", "")
        .never_proves("media-not-decrypted", "")
        .exits(&[2]),
        history(
            "Bob's picture is decoded, and LiveKit drops his sound since its encryption is not known to the page",
            Held::default()
                .of_bob(sound(50.0, 0.0, 48_000.0, 48_000.0, 0.0))
                .of_bob(decoded_video(15.0, 15.0, 15.0))
                .line(60_000, "InternalError: encryption state unknown for track 0b2f, dropping frame"),
        )
        .never_proves("media-decoded", ""),
        history(
            "the same, and Bob pauses between two words",
            Held::default().of_bob(sound(3.0, 0.0, 48_000.0, 48_000.0, 0.0)).of_bob(decoded_video(15.0, 15.0, 15.0)),
        )
        .never_proves("media-decoded", ""),
        history(
            "Bob is heard, and the SFU measures the line by packets of his picture, which it pauses",
            Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)).of_bob(decoded_video(40.0, 0.0, 0.0)),
        )
        .proves("media-decoded", about),
        history(
            "no line says whose session it is",
            healthy().but(|call| call.facts.retain(|fact| fact.participant_sid.is_none())),
        )
        .proves("media-decoded", "PA_bob")
        .never_proves("media-decoded", "@bob"),
        history(
            "no line says whose session it is, and Bob goes to his next key between the two samples, which never comes",
            healthy()
                .but(|call| call.facts.retain(|fact| fact.participant_sid.is_none()))
                .line(300_500, &missing_bob(1)),
        )
        .never_proves("media-decoded", ""),
        history(
            "Bob's picture was encrypted anew, and its decoder waits for a whole picture",
            Held::default().of_bob(decoded_video(15.0, 0.0, 0.0)),
        )
        .never_proves("media-decoded", "")
        .never_proves("media-not-decrypted", ""),
        history(
            "Bob's statistics were taken once",
            healthy().but(|call| call.streams.iter_mut().for_each(|stream| stream.samples.truncate(1))),
        )
        .never_proves("media-decoded", "")
        .never_proves("media-not-arriving", ""),
        history(
            "Bob has no microphone, and the statistics of his camera were taken once",
            Held::default()
                .of_bob(decoded_video(15.0, 15.0, 15.0))
                .but(|call| call.streams.iter_mut().for_each(|stream| stream.samples.truncate(1))),
        )
        .never_proves("media-decoded", ""),
        history(
            "Bob's engine counts nothing",
            healthy().but(|call| {
                for sample in call.streams.iter_mut().flat_map(|stream| &mut stream.samples) {
                    *sample = crypto_diag_core::StreamSample { ts: sample.ts, ..Default::default() };
                }
            }),
        )
        .never_proves("media-decoded", "")
        .never_proves("media-not-decrypted", "")
        .never_proves("media-not-arriving", ""),
        history(
            "Bob encrypts, and Alice's page plays the ciphertext",
            Held::default()
                .of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.8))
                .but(|call| call.facts.retain(|fact| fact.what != crypto_diag_core::CallFactKind::KeySet)),
        )
        .never_proves("media-decoded", ""),
        history(
            "Bob encrypts, and Alice's page has his key and takes his media for plain",
            Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.8)).of_bob(decoded_video(15.0, 15.0, 1.0)),
        )
        .never_proves("media-decoded", ""),
        history(
            "Alice is in two calls with Bob: she has his key in the one, and the other one plays his ciphertext",
            Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.8)).of_nobody(
                crypto_diag_core::MediaStream {
                    path: Some("/elsewhere".to_owned()),
                    ..sound(50.0, 48_000.0, 48_000.0, 0.0, 0.2)
                },
            ),
        )
        .never_proves("media-decoded", ""),
        history(
            "the same, and both frames have one address",
            Held::default().of_bob(sound(50.0, 48_000.0, 48_000.0, 0.0, 0.8)).report(|report| {
                let document = crypto_diag_core::FrameState {
                    path: Some("/call".to_owned()),
                    hooked: true,
                    ..crypto_diag_core::FrameState::default()
                };
                report.capture.frames.documents = vec![document.clone(), document];
            }),
        )
        .never_proves("media-decoded", ""),
        history(
            "Bob, whose key never came, switches his camera off, and the SFU sends black pictures",
            Held::default().of_bob(decoded_video(15.0, 20.0, 20.0)).line(60_000, &missing_bob(1)),
        )
        .never_proves("media-decoded", ""),
    ]
}

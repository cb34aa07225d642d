//! What the statistics of one stream tell. They are those of two moments, mostly a second apart.

use crypto_diag_core::{MediaKind, MediaStream, StreamSample};

/// Samples closer to one another than this tell nothing, in milliseconds.
const APART_MIN_MS: u64 = 500;

/// Speech sends 50 packets a second, and silence two or three where the encoder pauses (Opus's DTX).
const STEADY_PER_S: f64 = 10.0;

/// Pictures that must have been decoded between the samples. An encrypted picture that nobody decrypts is decoded now and then, since
/// its first bytes are left plain.
const DECODED_MIN: f64 = 3.0;

/// Whether a stream's packets come or go.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Arrival {
    /// The statistics do not say.
    Untold,
    /// None did between the two samples.
    Nothing {
        /// For how many milliseconds before the last sample; infinite if none ever did, null where the statistics do not say.
        quiet_ms: Option<f64>,
    },
    /// A few: the encoder pauses since nobody speaks, or the picture stands still.
    Few,
    /// Many.
    Steady,
}

/// What a stream's counters did between its first and its last sample.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Flow<'s> {
    /// The first sample.
    pub first: &'s StreamSample,
    /// The last sample.
    pub last: &'s StreamSample,
}

impl<'s> Flow<'s> {
    /// The flow of a stream; `None` where it has not two samples that are half a second apart.
    pub fn of(stream: &'s MediaStream) -> Option<Flow<'s>> {
        let (first, last) = (stream.samples.first()?, stream.samples.last()?);
        (last.ts.0.checked_sub(first.ts.0)? >= APART_MIN_MS).then_some(Flow { first, last })
    }

    /// By how much a counter grew; `None` where one of the samples lacks it, or where it went back.
    pub fn grown(&self, counter: fn(&StreamSample) -> Option<f64>) -> Option<f64> {
        let grown = counter(self.last)? - counter(self.first)?;
        (grown >= 0.0).then_some(grown)
    }

    fn seconds(&self) -> f64 {
        (self.last.ts.0 - self.first.ts.0) as f64 / 1_000.0
    }
}

/// Whether packets of a stream came.
pub fn arrival(stream: &MediaStream) -> Arrival {
    let Some(last) = stream.samples.last() else { return Arrival::Untold };
    let has_none = |sample: &StreamSample| sample.packets.unwrap_or_default() == 0.0;
    // Before the first packet a browser has no row of statistics, and says by `muted` that nothing has come.
    if stream.muted == Some(true) && stream.samples.iter().all(has_none) {
        return Arrival::Nothing { quiet_ms: Some(f64::INFINITY) };
    }
    let Some((flow, grown)) = Flow::of(stream).and_then(|flow| Some((flow, flow.grown(|sample| sample.packets)?)))
    else {
        return Arrival::Untold;
    };
    if grown == 0.0 {
        let ever = last.packets.is_some_and(|packets| packets > 0.0);
        Arrival::Nothing { quiet_ms: if ever { last.packet_age } else { Some(f64::INFINITY) } }
    } else if grown / flow.seconds() < STEADY_PER_S {
        Arrival::Few
    } else {
        Arrival::Steady
    }
}

/// What came out of a receiving stream's decryption between the samples: samples of sound, pictures whether they can be decoded
/// or not. `None` where the statistics do not say.
pub fn came_out(stream: &MediaStream) -> Option<f64> {
    let flow = Flow::of(stream)?;
    match stream.kind {
        MediaKind::Audio => flow.grown(|sample| sample.emitted),
        MediaKind::Video => flow.grown(|sample| sample.frames),
    }
}

/// Whether packets come, many or few.
pub fn comes(stream: &MediaStream) -> bool {
    matches!(arrival(stream), Arrival::Few | Arrival::Steady)
}

/// Whether packets come steadily and nothing comes out of decryption.
pub fn is_stuck(stream: &MediaStream) -> bool {
    arrival(stream) == Arrival::Steady && came_out(stream) == Some(0.0)
}

/// Whether sound was played, or most of the pictures that came could be decoded, between the samples and in all. Of sound that says nothing of whether it is noise.
pub fn is_decoded(stream: &MediaStream) -> bool {
    let Some(flow) = Flow::of(stream) else { return false };
    match stream.kind {
        MediaKind::Audio => flow.grown(|sample| sample.emitted).is_some_and(|emitted| emitted > 0.0),
        MediaKind::Video => {
            let grown = flow.grown(|sample| sample.decoded).zip(flow.grown(|sample| sample.frames));
            // An SFU's black pictures, sent for a moment after a mute, can always be decoded, so that the whole counts, too.
            let in_all = flow.last.decoded.zip(flow.last.frames);
            grown.is_some_and(|(decoded, frames)| decoded >= DECODED_MIN && decoded * 2.0 >= frames)
                && in_all.is_some_and(|(decoded, frames)| decoded * 2.0 >= frames)
        }
    }
}

/// Whether what was played was more than silence; `None` where the statistics do not say.
pub fn is_loud(stream: &MediaStream) -> Option<bool> {
    Some(Flow::of(stream)?.grown(|sample| sample.energy)? > 0.0)
}

#[cfg(test)]
mod tests {
    use crypto_diag_core::Millis;

    use super::*;

    fn stream(kind: MediaKind, samples: &[(u64, StreamSample)]) -> MediaStream {
        let samples = samples.iter().map(|(ts, sample)| StreamSample { ts: Millis(*ts), ..*sample }).collect();
        MediaStream { kind, samples, ..MediaStream::default() }
    }

    fn packets(count: f64, age: f64) -> StreamSample {
        StreamSample { packets: Some(count), packet_age: Some(age), ..StreamSample::default() }
    }

    #[test]
    fn packets_come_steadily_seldom_or_not_at_all() {
        let of = |grown: f64, age| {
            arrival(&stream(MediaKind::Audio, &[(0, packets(100.0, 5.0)), (1_000, packets(100.0 + grown, age))]))
        };
        assert_eq!(of(50.0, 10.0), Arrival::Steady);
        assert_eq!(of(3.0, 300.0), Arrival::Few, "comfort noise");
        assert_eq!(of(0.0, 7_000.0), Arrival::Nothing { quiet_ms: Some(7_000.0) });
        assert_eq!(of(-1.0, 5.0), Arrival::Untold, "a counter that goes back says nothing");
    }

    #[test]
    fn one_sample_and_two_at_the_same_moment_say_nothing() {
        let one = stream(MediaKind::Audio, &[(0, packets(100.0, 5.0))]);
        assert_eq!((arrival(&one), came_out(&one), is_decoded(&one)), (Arrival::Untold, None, false));
        let close = stream(MediaKind::Audio, &[(5, packets(1.0, 5.0)), (6, packets(50.0, 5.0))]);
        assert_eq!(arrival(&close), Arrival::Untold);
        let backwards = stream(MediaKind::Audio, &[(5_000, packets(1.0, 5.0)), (6, packets(50.0, 5.0))]);
        assert_eq!(arrival(&backwards), Arrival::Untold);
        assert_eq!(arrival(&stream(MediaKind::Audio, &[])), Arrival::Untold);
    }

    #[test]
    fn a_receiver_without_statistics_that_is_muted_never_got_anything() {
        let mut quiet = stream(MediaKind::Video, &[(0, StreamSample::default())]);
        assert_eq!(arrival(&quiet), Arrival::Untold);
        quiet.muted = Some(true);
        assert_eq!(arrival(&quiet), Arrival::Nothing { quiet_ms: Some(f64::INFINITY) });
    }

    #[test]
    fn pictures_of_which_hardly_one_can_be_decoded_are_not_decoded() {
        let of = |before: f64, frames: f64, decoded: f64| {
            let sample = |frames, decoded| StreamSample {
                frames: Some(frames),
                decoded: Some(decoded),
                ..StreamSample::default()
            };
            stream(MediaKind::Video, &[(0, sample(100.0, before)), (1_000, sample(100.0 + frames, before + decoded))])
        };
        let well = |frames, decoded| of(100.0, frames, decoded);
        assert!(is_decoded(&well(15.0, 15.0)) && is_decoded(&well(15.0, 9.0)));
        assert!(!is_decoded(&well(15.0, 1.0)) && !is_decoded(&well(0.0, 0.0)) && !is_decoded(&well(30.0, 4.0)));
        assert_eq!((came_out(&well(15.0, 1.0)), came_out(&well(0.0, 0.0))), (Some(15.0), Some(0.0)));
        assert!(!is_decoded(&of(2.0, 20.0, 20.0)), "pictures of the SFU's own, after those that nobody decrypts");
    }
}

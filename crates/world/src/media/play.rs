//! What happens in a call, tick by tick: what comes, what opens, what is printed and what is counted. Times are milliseconds since the
//! page began, as nobody's clock shows them.

use super::{Action, KeyWay, Start, State, View};

/// A step.
pub const STEP_MS: i64 = 6_000;
/// When both are in the call.
pub const JOINED_MS: i64 = 10_000;
/// When the first step begins.
const FIRST_MS: i64 = JOINED_MS + 8_000;
/// How finely things are looked at.
const TICK_MS: i64 = 50;
/// A new key is used so long after it was sent.
const USED_AFTER_MS: i64 = 1_000;
/// An SFU sends silence and black pictures of its own for so long.
const FILL_MS: i64 = 2_000;
/// After pictures that could not be opened, a whole one comes so late.
const WHOLE_PICTURE_MS: i64 = 3_000;
/// Frames that cannot be opened until their index is marked as invalid.
const FRAMES_MAX: f64 = 11.0;
/// Errors of one track whose index is another each time: one a second, so many, and then none for a minute.
const ERRORS_IN_A_RUN: i64 = 6;
const RUN_MS: i64 = 65_000;

/// Packets and pictures a second.
const SOUND_PACKETS: f64 = 50.0;
const PAUSE_PACKETS: f64 = 2.5;
const PICTURE_PACKETS: f64 = 40.0;
const PICTURES: f64 = 15.0;
const SAMPLES: f64 = 48_000.0;

/// What Bob's microphone gives.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Sound {
    /// He speaks.
    Speech,
    /// He says nothing.
    Pause,
    /// He is muted.
    Off,
}

/// How things stand after some steps.
#[derive(Clone, Copy, Debug)]
pub struct Now {
    /// Whether Bob is in the call.
    pub is_there: bool,
    /// What his microphone gives.
    pub sound: Sound,
    /// Whether pictures of him are sent on.
    pub picture: bool,
    /// Whether pictures can be decoded.
    pub decoder: bool,
    /// Whether anything passes.
    pub network: bool,
    /// Whether Alice has clicked.
    pub clicked: bool,
    /// Whether her own microphone is on.
    pub microphone: bool,
}

impl Now {
    /// After these actions.
    pub fn after(actions: &[Action]) -> Now {
        let mut now = Now {
            is_there: true,
            sound: Sound::Speech,
            picture: true,
            decoder: true,
            network: true,
            clicked: false,
            microphone: true,
        };
        for action in actions {
            match action {
                Action::Mute => now.sound = Sound::Off,
                Action::Unmute => now.sound = Sound::Speech,
                Action::Quiet => now.sound = Sound::Pause,
                Action::PictureOff => now.picture = false,
                Action::PictureOn => now.picture = true,
                Action::DecoderBreaks => now.decoder = false,
                Action::NetworkDown => now.network = false,
                Action::NetworkUp => now.network = true,
                Action::Leave => now.is_there = false,
                Action::Click => now.clicked = true,
                Action::MicrophoneOff => now.microphone = false,
                Action::Pass | Action::Rotate(_) | Action::Damaged | Action::Clear | Action::SetClock(_) => {}
            }
        }
        now
    }
}

/// A key that Alice's page opened: when, for which index, and whether it is the one that Bob uses there.
#[derive(Clone, Copy, Debug)]
pub struct KeyCame {
    /// When.
    pub at: i64,
    /// At which index.
    pub index: u8,
    /// Whether it is Bob's.
    pub right: bool,
}

/// What LiveKit prints.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Error {
    /// No key is at that index.
    Missing(u8),
    /// The keys that are there open nothing.
    Wrong,
}

/// The counters of one stream that Alice's page receives.
#[derive(Clone, Copy, Debug, Default)]
pub struct Counters {
    /// Packets.
    pub packets: f64,
    /// When the last one came.
    pub last_packet: Option<i64>,
    /// Samples that were played out of packets.
    pub emitted: f64,
    /// Samples that were played.
    pub samples: f64,
    /// Those that were made up.
    pub concealed: f64,
    /// Of what was played.
    pub energy: f64,
    /// Pictures that came out of decryption.
    pub frames: f64,
    /// Those that were decoded.
    pub decoded: f64,
    /// When something was played or shown last.
    pub last_played: Option<i64>,
}

/// What became of Bob's own frames between two times.
#[derive(Clone, Copy, Debug, Default)]
pub struct Own {
    /// How many came.
    pub came: f64,
    /// How many frames were opened and played or shown, those of the SFU's own with them.
    pub decoded: f64,
    /// When the last one came, up to the second time.
    pub last: Option<i64>,
    /// Since when frames come and none is opened.
    pub stuck_since: Option<i64>,
}

/// A call as it went.
#[derive(Clone, Debug)]
pub struct Played {
    /// When the statistics were asked, first and again.
    pub sampled: [i64; 2],
    /// The counters then: sound and pictures.
    pub counters: [[Counters; 2]; 2],
    /// The keys that came.
    pub keys: Vec<KeyCame>,
    /// What LiveKit printed.
    pub errors: Vec<(i64, Error)>,
    /// Between the two.
    pub own: Own,
    /// How things stand in the end.
    pub now: Now,
    /// When Clear was pressed last.
    pub cleared: Option<i64>,
    /// What the clock is ahead, from when on.
    pub clock: Vec<(i64, i64)>,
}

/// When a step begins.
pub fn begins(step: usize) -> i64 {
    FIRST_MS + STEP_MS * step as i64
}

/// The keys that come, and from when on Bob uses which index.
fn keys(state: &State) -> (Vec<KeyCame>, Vec<(i64, u8)>) {
    let (mut came, mut used) = (Vec::new(), vec![(0, 0)]);
    let mut come = |at, index, right| came.push(KeyCame { at, index, right });
    if state.start.has_key {
        come(JOINED_MS + 500, 0, true);
    }
    let mut index = 0_u8;
    for (step, action) in state.actions.iter().enumerate() {
        let Action::Rotate(way) = action else { continue };
        let at = begins(step);
        let uses = at + USED_AFTER_MS;
        index = index.wrapping_add(1);
        used.push((uses, index));
        match way {
            KeyWay::InTime => come(at + 200, index, true),
            KeyWay::Late => come(uses + 300, index, true),
            KeyWay::LateBySeconds => come(uses + 4_000, index, true),
            KeyWay::VeryLate => come(uses + 12_000, index, true),
            KeyWay::Lost => {}
            KeyWay::Wrong => come(at + 200, index, false),
            KeyWay::WrongAndThenRight => {
                come(at + 200, index, false);
                come(at + 7_200, index, true);
            }
        }
    }
    came.sort_by_key(|key| key.at);
    (came, used)
}

/// The last of some changes that holds at a time.
fn at_time<T: Copy>(changes: &[(i64, T)], at: i64) -> Option<T> {
    changes.iter().rev().find(|(from, _)| *from <= at).map(|(_, value)| *value)
}

/// LiveKit's worker, of one participant.
#[derive(Default)]
struct Worker {
    /// Frames in a row that an index could not open.
    failed: [f64; 2],
    /// Whether each track has printed its error since the last key of the index.
    printed: [bool; 2],
    index: Option<u8>,
}

impl Worker {
    /// A key was set, or another index is used: what is known of failures begins anew.
    fn begin(&mut self, index: Option<u8>) {
        *self = Worker { index, ..Worker::default() };
    }

    /// Some frames of a track are not opened; whether it prints an error.
    fn fail(&mut self, track: usize, frames: f64) -> bool {
        let is_invalid = self.failed.iter().sum::<f64>() >= FRAMES_MAX;
        self.failed[track] += frames;
        !is_invalid && !std::mem::replace(&mut self.printed[track], true)
    }
}

/// Plays a history until its report is made.
pub fn play(state: &State, view: &View) -> Played {
    let Start { encrypts, decrypts, blocked, .. } = state.start;
    let steps = state.actions.len();
    let first = match (steps, view.soon) {
        (0, _) => begins(0) - 2_000,
        (steps, true) => begins(steps - 1) + 800,
        (steps, false) => begins(steps) - 1_100,
    };
    let sampled = [first, first + 1_000];
    let (keys, used) = keys(state);
    let mut counters = [Counters::default(); 2];
    let mut at_first = counters;
    let mut own = Own::default();
    let mut errors: Vec<(i64, Error)> = Vec::new();
    let mut worker = Worker::default();
    let mut ring: Vec<(u8, bool)> = Vec::new();
    let mut keys_left = keys.iter().copied().peekable();
    let mut whole_picture_at = 0;
    let mut was_open = false;
    let mut run_began: Option<i64> = None;
    let mut at = JOINED_MS;
    while at <= sampled[1] {
        if at >= sampled[0] && at - TICK_MS < sampled[0] {
            at_first = counters;
        }
        let step = (at - FIRST_MS).div_euclid(STEP_MS);
        let done = usize::try_from(step + 1).unwrap_or(0).min(steps);
        let now = Now::after(&state.actions[..done]);
        let since = at - begins(done.saturating_sub(1));
        let last = state.actions[..done].last().filter(|_| step < steps as i64);
        let index = at_time(&used, at).unwrap_or(0);
        while let Some(key) = keys_left.next_if(|key| key.at <= at) {
            ring.retain(|(of, _)| *of != key.index);
            ring.push((key.index, key.right));
            if Some(key.index) == worker.index {
                worker.begin(Some(index));
            }
        }
        if worker.index != Some(index) {
            worker.begin(Some(index));
        }
        let key = ring.iter().find(|(of, _)| *of == index).map(|(_, right)| *right);
        let opens = match (encrypts, decrypts) {
            (true, true) => key == Some(true),
            (false, false) => true,
            _ => false,
        };
        // What reaches the decoder, opened or not.
        let passes = opens || (encrypts && !decrypts);
        let plays = !blocked || now.clicked;
        let second = TICK_MS as f64 / 1_000.0;
        let is_window = at >= sampled[0];
        let is_filled = |of: Action| last == Some(&of) && since < FILL_MS && now.network;

        // Sound.
        let rate = match now.sound {
            _ if !now.is_there || !now.network => 0.0,
            Sound::Speech => SOUND_PACKETS,
            Sound::Pause => PAUSE_PACKETS,
            Sound::Off => 0.0,
        };
        let filled = is_filled(Action::Mute);
        let packets = if filled { SOUND_PACKETS } else { rate } * second;
        let sound = &mut counters[0];
        sound.packets += packets;
        // In a pause a packet comes every 400 ms.
        if packets > 0.0 && (now.sound != Sound::Pause || at % 400 == 0) {
            sound.last_packet = Some(at);
        }
        let out = filled || (rate > 0.0 && passes);
        if plays && (out || sound.emitted > 0.0) {
            sound.samples += SAMPLES * second;
            if out {
                sound.emitted += SAMPLES * second;
                sound.last_played = Some(at);
                // What nobody decrypts is noise.
                let energy = match (filled, opens, now.sound) {
                    (true, ..) | (false, true, Sound::Pause) => 0.0,
                    (false, true, _) => 0.2,
                    (false, false, _) => 0.8,
                };
                sound.energy += energy * second;
            } else {
                sound.concealed += SAMPLES * second;
            }
        }
        if is_window {
            own.came += rate * second;
            own.decoded += if plays && (filled || opens) { packets } else { 0.0 };
        }

        // Pictures.
        let sends = now.is_there && now.network && now.picture;
        let filled = is_filled(Action::PictureOff);
        let pictures = &mut counters[1];
        if sends || filled {
            pictures.packets += PICTURE_PACKETS * second;
            pictures.last_packet = Some(at);
        }
        if sends && opens && !was_open {
            // The very first picture is a whole one.
            whole_picture_at = if pictures.frames == 0.0 { at } else { at + WHOLE_PICTURE_MS };
        }
        was_open = sends && opens;
        if filled || (sends && passes) {
            pictures.frames += PICTURES * second;
            if now.decoder && (filled || (opens && at >= whole_picture_at)) {
                pictures.decoded += PICTURES * second;
                pictures.last_played = Some(at);
            }
        }
        if is_window {
            let pictures = PICTURES * second;
            own.came += if sends { pictures } else { 0.0 };
            let decoded = now.decoder && (filled || (sends && opens && at >= whole_picture_at));
            own.decoded += if decoded { pictures } else { 0.0 };
        }

        if rate > 0.0 || sends {
            own.last = Some(at);
            own.stuck_since = if opens { None } else { own.stuck_since.or(Some(at)) };
        }

        // What LiveKit's worker prints.
        let frames = [rate * second, if sends { PICTURES * second } else { 0.0 }];
        if encrypts && decrypts && !opens {
            let error = if key.is_none() { Error::Missing(index) } else { Error::Wrong };
            for (track, frames) in frames.into_iter().enumerate() {
                if frames > 0.0 && worker.fail(track, frames) {
                    errors.push((at, error));
                }
            }
        }
        if !encrypts && decrypts && frames[0] + frames[1] > 0.0 {
            let began = *run_began.get_or_insert(at);
            let of_run = (at - began) % RUN_MS;
            if of_run % 1_000 == 0 && of_run / 1_000 < ERRORS_IN_A_RUN {
                // The last byte of a frame, which is any.
                let byte = ((at / 1_000) * 97 + 61) % 256;
                errors.push((at, Error::Missing(byte as u8)));
            }
        }
        if last == Some(&Action::Damaged) && since < TICK_MS && opens && encrypts && rate > 0.0 {
            errors.push((at, Error::Wrong));
        }
        at += TICK_MS;
    }
    let end = sampled[1];
    let mut clock = vec![(i64::MIN, 0)];
    for (step, action) in state.actions.iter().enumerate() {
        if let Action::SetClock(by) = action {
            clock.push((begins(step), clock.last().map_or(0, |(_, ahead)| *ahead) + by));
        }
    }
    let clears = state.actions.iter().enumerate().filter(|(_, action)| **action == Action::Clear);
    Played {
        sampled,
        counters: [at_first, counters],
        keys: keys.into_iter().filter(|key| key.at <= end).collect(),
        errors,
        own,
        now: Now::after(&state.actions),
        cleared: clears.map(|(step, _)| begins(step)).next_back(),
        clock,
    }
}

impl Played {
    /// What Alice's clock is ahead at a time.
    pub fn ahead(&self, at: i64) -> i64 {
        at_time(&self.clock, at).unwrap_or(0)
    }
}

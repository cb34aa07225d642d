//! The one instance of everything that changes.

use std::cell::RefCell;

use crypto_diag_core::redact::redact_field;
use crypto_diag_core::{Clean, Level, Line, Millis, Realm, RealmKind, Recorder, Source};

use crate::black_box::BlackBox;

/// Realms registered at most: a page that makes frames without end must not make memory grow. What comes later is
/// counted as the last one.
const REALMS_MAX: usize = 256;

thread_local! {
    static STATE: RefCell<State> = const { RefCell::new(State::new()) };
}

/// Runs something on the state; `None` if it is already in use further up the stack.
pub fn with_state<T>(work: impl FnOnce(&mut State) -> T) -> Option<T> {
    STATE.with(|state| state.try_borrow_mut().ok().map(|mut state| work(&mut state)))
}

/// Recorder, inbox and realms.
#[derive(Debug)]
pub struct State {
    recorder: Recorder,
    inbox: Vec<u8>,
    /// All but the main window's, which is number 0.
    realms: Vec<Realm>,
    black_box: BlackBox,
}

impl State {
    const fn new() -> Self {
        State { recorder: Recorder::new(), inbox: Vec::new(), realms: Vec::new(), black_box: BlackBox::new() }
    }

    pub fn inbox(&mut self, bytes: usize) -> *const u8 {
        if self.inbox.len() < bytes {
            self.inbox.resize(bytes, 0);
        }
        self.inbox.as_ptr()
    }

    pub fn record(
        &mut self,
        ts: f64,
        level: u32,
        realm: u32,
        uncaught: u32,
        [head, tail, stack]: [usize; 3],
        length: f64,
    ) -> u32 {
        let text = |from: usize, bytes: usize| text_in(&self.inbox, from, bytes);
        let line = Line {
            // `as` saturates: a clock that gives nonsense gives 0, not a panic.
            ts: Millis(ts as u64),
            level: if level == 0 { Level::Warn } else { Level::Error },
            text: text(0, head),
            tail: (tail > 0).then(|| text(head, tail)),
            length: length as u64,
            realm: self.realms.get((realm as usize).wrapping_sub(1)).cloned().unwrap_or_default(),
            source: if uncaught == 0 { Source::Console } else { Source::Uncaught },
            stack: (stack > 0).then(|| text(head + tail, stack)),
        };
        let matched = self.recorder.record(&line);
        if matched {
            self.black_box.update(&self.recorder);
        }
        u32::from(matched)
    }

    pub fn add_realm(&mut self, kind: u32, path: usize) -> u32 {
        let kind = match kind {
            0 => RealmKind::Main,
            1 => RealmKind::Frame,
            _ => RealmKind::Worker,
        };
        let realm = Realm { kind, path: Some(Clean::new(text_in(&self.inbox, 0, path))) };
        let known = self.realms.iter().position(|known| *known == realm);
        let before = known.unwrap_or_else(|| {
            if self.realms.len() < REALMS_MAX {
                self.realms.push(realm);
            }
            self.realms.len() - 1
        });
        before as u32 + 1
    }

    pub fn scrub(&mut self, name: usize, bytes: usize) -> usize {
        let clean = redact_field(text_in(&self.inbox, 0, name), text_in(&self.inbox, name, bytes)).into_bytes();
        let size = clean.len();
        if size > self.inbox.len() {
            self.inbox = clean;
        } else {
            self.inbox[..size].copy_from_slice(&clean);
        }
        size
    }

    pub fn clear(&mut self) {
        self.recorder.clear();
        self.black_box.update(&self.recorder);
    }

    pub fn black_box(&mut self) -> *const u32 {
        self.black_box.update(&self.recorder);
        self.black_box.header()
    }
}

/// A text in the inbox; empty where the numbers or the bytes make no sense.
fn text_in(inbox: &[u8], from: usize, bytes: usize) -> &str {
    let text = from.checked_add(bytes).and_then(|to| inbox.get(from..to));
    // Shorter code than that of `str::from_utf8`, which is made for long texts.
    let first = text.and_then(|text| text.utf8_chunks().next());
    first.filter(|first| first.invalid().is_empty()).map_or("", |first| first.valid())
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "syt_YWxpY2U_kTqWvNzXcBmLpRtYgHjQ_2fG7hK";

    fn state_with(texts: &[&str]) -> State {
        let mut state = State::new();
        state.inbox = texts.concat().into_bytes();
        state
    }

    #[test]
    fn a_realms_path_and_a_fields_text_are_closed() {
        let mut state = state_with(&["/x/", SECRET]);
        let number = state.add_realm(1, 3 + SECRET.len());
        let path = state.realms[number as usize - 1].path.as_ref().expect("a path");
        assert!(!path.contains("kTqWvNzX"), "{path}");
        let mut state = state_with(&["why", SECRET]);
        let bytes = state.scrub(3, SECRET.len());
        assert!(!text_in(&state.inbox, 0, bytes).contains("kTqWvNzX"));
        let key = "drZvSd7Wf0IOqiujeTYL2YQb+kfsmZl3tH44CVlJ0ho";
        let mut state = state_with(&["ed25519", key]);
        let bytes = state.scrub(7, key.len());
        assert_eq!(text_in(&state.inbox, 0, bytes), key, "the name says that it is a public key");
    }
}

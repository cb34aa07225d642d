//! How a page reaches the core.
//!
//! Every export takes and gives numbers only and the module imports nothing, so that the page starts it and calls it by itself:
//! wasm-bindgen's glue looks builtins up at each call and so can be broken by a page that patches them.
//!
//! Texts cross through the *inbox*: the page asks for room, writes UTF-8 there and says how much it wrote.

mod black_box;
mod state;

#[cfg(target_arch = "wasm32")]
use lol_alloc::{FreeListAllocator, LockedAllocator};
use wasm_bindgen::prelude::*;

use state::with_state;

/// A tenth of the standard library's allocator in size. It walks a list of what is free, which is short: a page's core holds a few
/// hundred texts at most.
#[cfg(target_arch = "wasm32")]
#[global_allocator]
static ALLOCATOR: LockedAllocator<FreeListAllocator> = LockedAllocator::new(FreeListAllocator::new());

/// What [`record`] gives where the recorder is in use.
const BUSY: u32 = 2;

/// Makes room for that many bytes of text and gives their address in the instance's memory. May move the memory.
#[wasm_bindgen]
pub fn inbox(bytes: usize) -> *const u8 {
    with_state(|state| state.inbox(bytes)).unwrap_or(std::ptr::null())
}

/// Looks at a line whose text stands in the inbox: its head, then its tail (of a line whose middle was left out), then an
/// error's stack.
///
/// `ts` is in milliseconds since the epoch; `level` is 0 for warn, 1 for error; `realm` is a number of [`add_realm`];
/// `uncaught` is 1 for what the browser reported itself; `length` is the whole line's in UTF-16 code units. Gives 1 if a
/// signature stands in the line, 0 if none does, 2 if an earlier failure has left the recorder in use.
#[wasm_bindgen]
#[allow(clippy::too_many_arguments, reason = "numbers only: see the module's documentation")]
pub fn record(
    ts: f64,
    level: u32,
    realm: u32,
    uncaught: u32,
    head: usize,
    tail: usize,
    stack: usize,
    length: f64,
) -> u32 {
    with_state(|state| state.record(ts, level, realm, uncaught, [head, tail, stack], length)).unwrap_or(BUSY)
}

/// Registers a realm whose path stands in the inbox and gives its number. `kind`: 0 main, 1 frame, 2 worker.
#[wasm_bindgen]
pub fn add_realm(kind: u32, path: usize) -> u32 {
    with_state(|state| state.add_realm(kind, path)).unwrap_or(0)
}

/// Closes the secrets in the text of a field and gives its length afterwards, in bytes; it stands at the inbox's beginning
/// then. The inbox holds the field's name, which says what the text is, and the text. May move the inbox.
#[wasm_bindgen]
pub fn scrub(name: usize, text: usize) -> usize {
    with_state(|state| state.scrub(name, text)).unwrap_or(0)
}

/// Forgets entries and counts.
#[wasm_bindgen]
pub fn clear() {
    with_state(|state| state.clear());
}

/// The address of the black box, numbers of 32 bits: how many entries, where their rows stand, how many tallies, where
/// theirs stand, entries evicted, messages truncated, secrets replaced. It can be read while the instance lives and after it
/// has died.
#[wasm_bindgen]
pub fn black_box() -> *const u32 {
    with_state(|state| state.black_box()).unwrap_or(std::ptr::null())
}

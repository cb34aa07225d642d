//! What the browser tests share: the built package as Rust sees it, and the recorded lines that they log.
//!
//! Empty but on wasm32: the package is imported while compiling, and on the host there is none. `run.mjs` puts it into
//! `built/` and runs the tests in three engines.

#[cfg(target_arch = "wasm32")]
pub mod client;
#[cfg(target_arch = "wasm32")]
pub mod lines;
#[cfg(target_arch = "wasm32")]
pub mod package;
#[cfg(target_arch = "wasm32")]
pub mod page;

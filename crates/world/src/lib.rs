//! For tests alone: every "proven" tried against histories that could have left the same files.
//!
//! A [`Model`](model::Model) is a transition system of what may happen around a device. A history is a run of it. Each history
//! leaves files as an operator has them, written by [`forms`]; [`judge`] hands them to the triage and reads its answer as JSON.
//! A *counter-history* is one of which the triage says *proven* where the claim is false, or *refuted* where it is true.
//! [`search`] looks for them, breadth first and by random walks.
//!
//! Nothing here knows the readers: bytes go in and JSON comes out. The forms' wordings are pinned to recorded fixtures by a
//! test. docs/soundness.md says what is modelled, to which bound it is checked, and what is outside.

#![recursion_limit = "256"]

pub mod benchmark;
pub mod delayed;
pub mod delivery;
pub mod events;
pub mod export;
pub mod forms;
pub mod histories;
pub mod judge;
pub mod keys;
pub mod media;
pub mod model;
pub mod next;
pub mod score;
pub mod search;
pub mod views;

//! What is made of verdicts for a reader: the story, what covers each question, and what to fetch next.

pub mod chain;
pub mod course;
pub mod key_path;
pub(crate) mod listed;
pub mod overlap;
mod plain;
pub mod questions;
pub mod story;
pub mod versions;

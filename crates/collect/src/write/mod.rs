//! The bundle as it is written.

pub(crate) mod folder;
pub mod private;

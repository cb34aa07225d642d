//! Gathers the server's side of a capture into a bundle that `crypto-diag triage` reads: the log's lines about the ids of
//! the reports, what joins to them, query results, reduced HARs, and a manifest that says what was read and refused.
//!
//! It reads; it never changes a server. Files are opened for reading only, and only the bundle's folder is written.

mod collect;
pub mod database;
mod error;
mod feed;
mod folder;
mod head;
pub mod ids;
mod index;
mod latency;
mod logs;
mod needles;
mod patient;
pub mod private;
mod progress;
mod pseudonym;
mod render;
pub mod request;
mod scan;
mod search;
mod sequence;
mod sources;
mod zone;

pub use collect::{Collected, collect};
pub use error::CollectError;
pub use ids::{Ids, Window};
pub use progress::{Progress, Silent};
pub use request::Request;

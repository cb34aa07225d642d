//! Gathers the server's side of a capture into a bundle that `crypto-diag triage` reads: the log's lines about the ids of
//! the reports, what joins to them, query results, reduced HARs, and a manifest that says what was read and refused.
//!
//! A log's bytes go through four stages, each a folder: `source` (files and streams, in blocks of whole lines) → `scan` (one block:
//! what is kept, redacted by `redact`) → `join` (blocks in their order: what belongs together) → `write` (the bundle).
//!
//! It reads; it never changes a server. Files are opened for reading only, and only the bundle's folder is written.

pub mod admin;
mod collect;
pub mod database;
mod error;
pub mod files;
mod given;
pub mod host;
pub mod ids;
mod join;
mod line_header;
pub mod look;
mod pipeline;
mod progress;
mod redact;
pub mod request;
mod scan;
mod slice;
mod source;
pub mod synapse_config;
pub mod via;
mod write;

pub use admin::AdminApi;
pub use collect::{Collected, collect};
pub use database::Database;
pub use error::CollectError;
pub use host::Host;
pub use ids::{Ids, Window};
pub use progress::{Progress, Silent};
pub use request::{Given, Request};
pub use synapse_config::SynapseConfig;
pub use via::Via;
pub use write::private;

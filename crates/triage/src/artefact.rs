//! The kinds of artefacts, and the files of a bundle that are none.

use std::fmt;

use serde::Serialize;

/// The name of a bundle's manifest.
pub const MANIFEST_SCHEMA: &str = "crypto-diag/bundle";

/// The files that a bag (RFC 8493) has beside its payload. None of them is evidence.
pub const BAG_FILES: [&str; 4] = ["bagit.txt", "bag-info.txt", "manifest-sha256.txt", "tagmanifest-sha256.txt"];

/// How many bytes of a file's beginning are read to tell its kind.
pub const HEAD_BYTES: usize = 4096;

/// The kinds of artefacts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, serde::Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum ArtefactKind {
    /// A client's report.
    Report,
    /// A console that somebody saved, or that a rageshake holds.
    Console,
    /// A rageshake's description of itself (`details.json`).
    Rageshake,
    /// A client's requests (HAR).
    Har,
    /// The server's log.
    ServerLog,
    /// Answers of the database.
    QueryResults,
    /// Latency by minute, as Prometheus gives it.
    Latency,
    /// The bundle's manifest.
    Manifest,
    /// Something else.
    Other,
}

impl fmt::Display for ArtefactKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            ArtefactKind::Report => "report",
            ArtefactKind::Console => "saved console",
            ArtefactKind::Rageshake => "rageshake",
            ArtefactKind::Har => "HAR",
            ArtefactKind::ServerLog => "server log",
            ArtefactKind::QueryResults => "query results",
            ArtefactKind::Latency => "latency",
            ArtefactKind::Manifest => "manifest",
            ArtefactKind::Other => "other file",
        })
    }
}

impl ArtefactKind {
    /// The order in which artefacts are best given to [`Bundle::add`](crate::bundle::Bundle::add).
    pub fn order(self) -> u8 {
        match self {
            ArtefactKind::Manifest => 0,
            ArtefactKind::Report => 1,
            // It comes before the consoles, since it names their device.
            ArtefactKind::Rageshake => 2,
            ArtefactKind::Console => 3,
            ArtefactKind::Har => 4,
            ArtefactKind::QueryResults => 5,
            ArtefactKind::Latency => 6,
            ArtefactKind::ServerLog => 7,
            ArtefactKind::Other => 8,
        }
    }
}

//! Which software took part, as the artefacts say.

use crypto_diag_core::Clean;
use serde::Serialize;

use crate::case::Case;

/// The part that an application builds its client on.
pub const SDK: &str = "matrix-js-sdk";

/// One part and its version. May be hostile: show as text.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Version {
    /// Whose: a device's label, or an artefact's name.
    pub of: String,
    /// The part: `matrix-js-sdk`, `crypto`, `browser`, `Synapse`.
    pub part: &'static str,
    /// What it says of itself.
    pub version: Clean,
}

/// All that are named, each once.
pub(crate) fn versions(case: &Case<'_>) -> Vec<Version> {
    let mut versions: Vec<Version> = Vec::new();
    let mut add = |of: &str, part: &'static str, version: Option<&str>| {
        let found = version.map(|version| Version { of: of.to_owned(), part, version: crate::quote::quote(version) });
        versions.extend(found.filter(|found| !versions.contains(found)));
    };
    for page in &case.pages {
        let (report, label) = (case.report(page), case.label(page));
        add(&label, SDK, report.sdk_version.as_deref());
        add(&label, "crypto", report.crypto_version.as_deref());
        add(&label, "browser", report.user_agent.as_deref());
    }
    for log in &case.bundle.logs {
        add(&log.name, "Synapse", log.version.as_deref());
    }
    versions
}

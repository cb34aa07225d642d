//! What can be done (`docs/runbook.md`), least destructive first, and only those that a proven verdict speaks to. Nothing is
//! executed; a planning session decides.

use serde::Serialize;

use crate::answer::versions::{SDK, Version};
use crate::bundle::Bundle;
use crate::conclusion::Conclusion;
use crate::verdict::Verdict;

/// What stands above every list of options.
pub const NOTE: &str = "Nothing here has been executed, and nothing should be before a planning session of client, homeserver \
                        and call operators has decided. The options are those of the runbook, least destructive first.";

/// One option.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Remedy {
    /// The runbook's number.
    pub rank: u8,
    /// What it is called.
    pub title: &'static str,
    /// What it does.
    pub what: &'static str,
    /// Whom it touches.
    pub blast_radius: &'static str,
    /// What it costs.
    pub cost: &'static str,
    /// What can go wrong.
    pub warnings: Vec<String>,
    /// The proven claims that speak for it, and about what.
    pub because: Vec<String>,
    /// Facts of this case that decide.
    pub facts: Vec<String>,
}

/// The options for a set of verdicts. `versions` are those of the software that took part.
pub fn remedies(bundle: &Bundle, verdicts: &[Verdict], versions: &[Version]) -> Vec<Remedy> {
    let because = |claims: &[Conclusion]| -> Vec<String> {
        let proven = verdicts.iter().filter(|verdict| verdict.is_proven() && claims.contains(&verdict.conclusion));
        proven.map(|verdict| format!("{} ({})", verdict.conclusion.title(), verdict.about)).collect()
    };
    let mut remedies = Vec::new();
    let device = because(&[
        Conclusion::IdentityReplaced,
        Conclusion::Rollback,
        Conclusion::TwoContexts,
        Conclusion::ConflictLostKey,
        Conclusion::ConflictLostMediaKey,
        Conclusion::LostKey,
        Conclusion::IdentityOverwritten,
    ]);
    let contexts = !because(&[Conclusion::TwoContexts]).is_empty();
    if !device.is_empty() {
        let mut warnings = vec!["Until the new device is verified, others may refuse to send it keys.".to_owned()];
        if contexts {
            warnings.push("Close every other tab and copy of this profile first: with two contexts alive the new device diverges again.".into());
        }
        remedies.push(Remedy {
            rank: 1,
            title: "Log the affected device out and in again",
            what: "A fresh device id, fresh device keys and a clean batch of one-time keys; other sessions are not touched.",
            blast_radius: "That device only.",
            cost: "The new device must be verified again, and restores old room keys from key backup.",
            warnings,
            because: device,
            facts: [COMPARE.to_owned()].into_iter().chain(backup(bundle)).collect(),
        });
    }
    let store = because(&[Conclusion::IdentityReplaced, Conclusion::Rollback]);
    if !store.is_empty() {
        remedies.push(Remedy {
            rank: 2,
            title: "Reset the client's crypto store (clearLoginData)",
            what: "Deletes all IndexedDB databases, service workers, caches and local storage of the app, then reloads. Only if option 1 did not help.",
            blast_radius: "This browser profile, and there everything: logged out, drafts, settings and local room keys gone.",
            cost: "Cross-signing must be set up again on this device.",
            warnings: vec![
                "History whose room keys are not in key backup becomes permanently unreadable on this device. Verify key backup and the recovery key first.".into(),
                "clearCacheAndReload() is no substitute: it leaves the crypto store as it is.".into(),
            ],
            because: store.clone(),
            facts: backup(bundle),
        });
    }
    let client = because(&[Conclusion::ClientBug]);
    if !client.is_empty() {
        remedies.push(Remedy {
            rank: 3,
            title: "Find where the client loses the field",
            what: "Look first at what the app puts before the SDK: its own fetch, a proxy of its own, a service worker. If nothing \
                   there touches events, change the SDK's version, after reading the changelog for the very error.",
            blast_radius: "All users after the next deployment.",
            cost: "A build and a test of the crypto store's schema.",
            warnings: vec!["An older SDK may not open the crypto store of a newer one (IDB_VERSION_CONFLICT).".into()],
            because: client,
            facts: sdks(versions),
        });
    }
    // Only where the cause is proven, too: rows deleted for a cause that lives on come back diverged.
    let diverged = because(&[Conclusion::Diverged]);
    if !diverged.is_empty() && !store.is_empty() {
        remedies.push(Remedy {
            rank: 4,
            title: "Delete single one-time key rows on the server",
            what: "LAST RESORT: remove exactly the diverged key id of exactly that device, restart Synapse, then log the device out and in (option 1).",
            blast_radius: "Every device of that user, and everybody who has claimed one of those keys.",
            cost: "A full dump of the database before, no active call during, a restart after.",
            warnings: vec![
                "Synapse caches one-time key counts: rows deleted without a restart can make the loop worse.".into(),
                "Never speculatively, never by anybody but the homeserver's owner after the planning session.".into(),
            ],
            because: diverged,
            facts: Vec::new(),
        });
    }
    remedies
}

/// Says how a new log-in tells whether KE-1 is gone, and what that says of its cause.
const COMPARE: &str = "Afterwards, `crypto-diag compare BEFORE AFTER` says of two reports whether KE-1 has stopped. That it has fits a \
                       divergence as its cause; that it goes on asks for another explanation.";

/// Says which SDK each client runs now.
fn sdks(versions: &[Version]) -> Vec<String> {
    let of_sdk = versions.iter().filter(|version| version.part == SDK);
    of_sdk.map(|Version { of, part, version }| format!("{of} runs {part} {version} now.")).collect()
}

/// Whether key backup is on, as each report says.
fn backup(bundle: &Bundle) -> Vec<String> {
    bundle
        .reports
        .iter()
        .zip(&bundle.report_names)
        .map(|(report, name)| {
            let who = report.user_id.as_deref().unwrap_or(name);
            let device = report.device_id.as_deref().unwrap_or("?");
            match &report.crypto {
                None => format!("Key backup of {who}/{device}: not known; its report was made without asking (collectReport asks)."),
                Some(crypto) => match &crypto.active_backup_version {
                    Some(version) => format!("Key backup of {who}/{device}: on (version {version})."),
                    None => format!("Key backup of {who}/{device}: OFF on this device. Room keys that exist only here would be lost."),
                },
            }
        })
        .collect()
}

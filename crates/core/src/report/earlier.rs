//! Pages that were open in the tab before this one, as they were stored: people reload at once when a call dies.

use serde::{Deserialize, Serialize};

use super::{CallFact, Mark, SentBatch};
use crate::entry::{Entry, Millis};
use crate::tally::TallyRow;

/// An earlier page of the same tab, as it was last stored. What it said in its last second may not be in it, and nothing follows from
/// what is not.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct EarlierPage {
    /// The page's URL without query and fragment.
    pub page: Option<String>,
    /// When its navigation began, in milliseconds since the epoch.
    pub time_origin: Option<Millis>,
    /// When it was last stored, in milliseconds since the epoch.
    pub stored_at: Millis,
    /// Whether that was as the user left or reloaded it; false if its process may have ended without a word.
    pub left: bool,
    /// Milliseconds by which its wall clock had been set since its navigation began.
    pub clock_offset: Option<f64>,
    /// The user id.
    pub user_id: Option<String>,
    /// The device id.
    pub device_id: Option<String>,
    /// matrix-js-sdk's version, as the app passed it.
    pub sdk_version: Option<String>,
    /// What `mx.getCrypto().getVersion()` said.
    pub crypto_version: Option<String>,
    /// The exact counts of each (KE, meaning) class that had any.
    pub tallies: Vec<TallyRow>,
    /// Batches of encrypted to-device messages that its client sent, oldest first.
    pub sent: Vec<SentBatch>,
    /// Moments that the user marked, oldest first.
    pub marks: Vec<Mark>,
    /// What a call's frame said of participants and keys, oldest first.
    pub facts: Vec<CallFact>,
    /// The kept lines, most recent last.
    pub entries: Vec<Entry>,
    /// Entries, batches, marks and facts for which there was no room.
    pub omitted: u64,
}

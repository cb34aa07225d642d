//! How the capture fared: what was hooked, watched, sent and lost.

use serde::{Deserialize, Serialize};

use crate::entry::{Millis, Realm};

/// Whether lines are being kept.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "kebab-case")]
pub enum CaptureState {
    /// `install()` was never called.
    #[default]
    NotInstalled,
    /// Installed; the browser compiles the core, and matching lines wait for it.
    Starting,
    /// Lines are kept.
    Capturing,
    /// `uninstall()` was called; what was kept before is here.
    Stopped,
    /// The core could not start, so no line was kept; `reason` says why.
    Blind,
    /// The core died; what it had kept is here; `reason` says why.
    Failed,
}

/// How the capture itself fared.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Capture {
    /// Whether lines are being kept.
    pub state: CaptureState,
    /// Why not, in a sentence, where they are not.
    pub reason: Option<String>,
    /// When `install()` ran, in milliseconds since the epoch.
    pub installed_at: Option<Millis>,
    /// When the page's navigation began, in milliseconds since the epoch.
    pub time_origin: Option<Millis>,
    /// Milliseconds from the navigation's start to `install()`: lines before it were not seen.
    pub installed_after: Option<u64>,
    /// When `clear()` last ran, in milliseconds since the epoch: counts and entries are of the time since then.
    pub cleared_at: Option<Millis>,
    /// The hooked methods of the main window, as they are now.
    pub hooks: Vec<HookState>,
    /// Lines that passed the hooks, of every level hooked.
    pub lines_seen: u64,
    /// Lines in which a signature stood.
    pub lines_matched: u64,
    /// Entries that the bounded buffer gave up; the tallies still count them.
    pub evicted: u64,
    /// Messages that were cut to their bound.
    pub truncated: u64,
    /// Stretches that were closed.
    pub redactions: u64,
    /// Lines so long that their middle was not looked at.
    pub partly_scanned: u64,
    /// Lines that could not be looked at because formatting them failed.
    pub unreadable: u64,
    /// Lines written while another line was being formatted: passed on, not looked at.
    pub nested: u64,
    /// Matching lines that waited for the core.
    pub queued: u64,
    /// Matching lines that were lost because too many waited.
    pub queue_overflow: u64,
    /// Exceptions thrown by subscribers.
    pub listener_errors: u64,
    /// Failures of the capture itself, oldest first, bounded.
    pub failures: Vec<Failure>,
    /// The child documents that were watched or could not be.
    pub frames: FrameWatch,
    /// Visibility, freeze, resume, online and offline changes, oldest first, bounded: a hidden tab delays its timers.
    pub page_events: Vec<PageEvent>,
    /// Whether this page is kept for a report of the next one; null if the app does not ask for that, false if the browser refused
    /// to store it or its user has gone.
    pub keeps_page: Option<bool>,
}

/// One failure of the capture itself.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Failure {
    /// When, in milliseconds since the epoch.
    pub ts: Millis,
    /// What, in a sentence.
    pub what: String,
}

/// One hooked console method.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct HookState {
    /// `warn`, `error`, or a method that is read for sent keys.
    pub method: String,
    /// Whether the console's method is still the hook. False: something replaced it, and may or may not call it.
    pub in_place: bool,
    /// Why the method could not be hooked; null if it was.
    pub reason: Option<String>,
}

/// The child documents.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct FrameWatch {
    /// Whether new child documents are watched for.
    pub watching: bool,
    /// Documents seen, most recent last, bounded.
    pub documents: Vec<FrameState>,
    /// Documents that are no longer listed because there were too many.
    pub omitted: u64,
}

/// One child document.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct FrameState {
    /// Its path, without origin, query and fragment; null where it cannot be read.
    pub path: Option<String>,
    /// Whether its console is hooked.
    pub hooked: bool,
    /// When it was hooked, in milliseconds since the epoch.
    pub hooked_at: Option<Millis>,
    /// When its navigation began, in milliseconds since the epoch.
    pub time_origin: Option<Millis>,
    /// What may have been missed and why: another origin, hooked late, hooked only after load.
    pub blind: Option<String>,
    /// Whether it is gone from the page.
    pub removed: bool,
}

/// A change of the page that explains delays.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct PageEvent {
    /// When, in milliseconds since the epoch.
    pub ts: Millis,
    /// `visible`, `hidden`, `freeze`, `resume`, `online`, `offline`, `pageshow` or `pagehide`.
    pub event: String,
}

/// One "Enqueuing batch of to-device messages" line of the sender.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct SentBatch {
    /// When, in milliseconds since the epoch.
    pub ts: Millis,
    /// The event type that was sent, such as `m.room.encrypted`.
    #[serde(rename = "type")]
    pub event_type: Option<String>,
    /// The transaction id.
    pub txnid: Option<String>,
    /// The devices that it was sent to.
    pub targets: Vec<SentTarget>,
    /// Targets that are no longer listed because there were too many.
    pub omitted: u64,
    /// Where the line was written.
    #[serde(default)]
    pub realm: Realm,
}

/// One device that a batch was sent to.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct SentTarget {
    /// The user id.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
    /// The message id that the receiver's log shows, too.
    pub message_id: Option<String>,
}

//! The report: what the user downloads, and its versioned shape.

mod call;
mod capture;
mod earlier;
mod mark;
mod requests;

use std::borrow::Cow;

use serde::{Deserialize, Serialize};

use crate::entry::{Entry, Millis};
use crate::recorder::Recorder;
use crate::redact::redact_field;
use crate::tally::{TallyRow, Totals};

pub use call::{
    CallFact, CallFactKind, CallFacts, CallMembership, CallSession, Direction, MediaKind, MediaStream, StreamSample,
};
pub use capture::{
    Capture, CaptureState, Failure, FrameState, FrameWatch, HookState, PageEvent, SentBatch, SentTarget,
};
pub use earlier::EarlierPage;
pub use mark::{Mark, MarkKind};
pub use requests::{Request, RequestRoute, Requests};

/// The name that a report carries, so that a reader knows what it has been given.
pub const SCHEMA_NAME: &str = "crypto-diag/report";

/// Raised when a field changes its meaning or goes; additions do not raise it.
pub const SCHEMA_VERSION: u32 = 1;

/// What made the report.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Tool {
    /// `crypto-diag`.
    pub name: Cow<'static, str>,
    /// The version of the package.
    pub version: Cow<'static, str>,
}

impl Default for Tool {
    fn default() -> Self {
        Tool { name: Cow::Borrowed("crypto-diag"), version: Cow::Borrowed(env!("CARGO_PKG_VERSION")) }
    }
}

/// The report. A field that the page or the client cannot give is null, never absent.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// `crypto-diag/report`.
    pub schema: Cow<'static, str>,
    /// The version of this shape.
    pub schema_version: u32,
    /// When the report was made, in milliseconds since the epoch.
    pub generated_at: Millis,
    /// What made it.
    pub tool: Tool,
    /// matrix-js-sdk's version, as the app passed it: the SDK has none at run time.
    pub sdk_version: Option<String>,
    /// What `mx.getCrypto().getVersion()` says, such as "Rust SDK 0.19.1 (…), Vodozemac 0.10.0".
    pub crypto_version: Option<String>,
    /// The device id, as `mx.getDeviceId()` gives it.
    pub device_id: Option<String>,
    /// The user id, as `mx.getUserId()` gives it.
    pub user_id: Option<String>,
    /// What `mx.getSyncState()` gives: `PREPARED`, `SYNCING`, `ERROR` and so on.
    pub sync_state: Option<String>,
    /// Whether `mx.getCrypto()` gives an object; null if there was no client to ask.
    pub crypto_ready: Option<bool>,
    /// `navigator.userAgent`.
    pub user_agent: Option<String>,
    /// The page's URL without query and fragment.
    pub page: Option<String>,
    /// The page's clocks, so that a server's log can be laid beside its times.
    #[serde(default)]
    pub clock: Option<Clock>,
    /// The browser's storage; null unless `collectReport` made the report. The leading cause of KE-1 is a store that
    /// vanished while the session lived on.
    #[serde(default)]
    pub storage: Option<Storage>,
    /// What the crypto store says of keys and devices; null unless `collectReport` made the report.
    #[serde(default)]
    pub crypto: Option<CryptoFacts>,
    /// The call in the page's frames; null unless `collectReport` made the report of a page with a call.
    #[serde(default)]
    pub call: Option<CallFacts>,
    /// The page's requests to a homeserver, as the browser measured them; null where the app or the browser gives none.
    #[serde(default)]
    pub requests: Option<Requests>,
    /// Questions that `collectReport` asked in vain, and why.
    #[serde(default)]
    pub unanswered: Vec<Unanswered>,
    /// Lines seen of each family, whatever they mean.
    pub counts: Totals,
    /// The exact counts of each (KE, meaning) class that has any.
    pub tallies: Vec<TallyRow>,
    /// How the capture itself fared: what it watched, what it missed.
    pub capture: Capture,
    /// Batches of encrypted to-device messages that this client sent, oldest first.
    pub sent: Vec<SentBatch>,
    /// Moments that the user marked, oldest first.
    #[serde(default)]
    pub marks: Vec<Mark>,
    /// Pages that were open in this tab before, oldest first, where the app has them kept. Nothing of them is in this page's counts
    /// and entries.
    #[serde(default)]
    pub earlier_pages: Vec<EarlierPage>,
    /// The kept lines, most recent last.
    pub entries: Vec<Entry>,
}

impl Default for Report {
    fn default() -> Self {
        Report {
            schema: Cow::Borrowed(SCHEMA_NAME),
            schema_version: SCHEMA_VERSION,
            generated_at: Millis::default(),
            tool: Tool::default(),
            sdk_version: None,
            crypto_version: None,
            device_id: None,
            user_id: None,
            sync_state: None,
            crypto_ready: None,
            user_agent: None,
            page: None,
            clock: None,
            storage: None,
            crypto: None,
            call: None,
            requests: None,
            unanswered: Vec::new(),
            counts: Totals::default(),
            tallies: Vec::new(),
            capture: Capture::default(),
            sent: Vec::new(),
            marks: Vec::new(),
            earlier_pages: Vec::new(),
            entries: Vec::new(),
        }
    }
}

/// The page's clocks.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct Clock {
    /// When the page's navigation began, in milliseconds since the epoch, by the clock of that moment.
    pub time_origin: Option<f64>,
    /// Milliseconds that `Date.now()` is ahead of the page's steady clock since then: the wall clock was set if this is
    /// more than a few.
    pub offset: Option<f64>,
    /// Minutes that local time is behind UTC, as `Date.prototype.getTimezoneOffset` gives them.
    pub time_zone_offset: Option<i32>,
    /// The homeserver's clock less the page's, as events that this page sent tell; null where none does.
    #[serde(default)]
    pub server_minus_page: Option<ServerMinusPage>,
}

/// Two bounds in milliseconds, between which the difference lies.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct ServerMinusPage {
    /// The least that it can be.
    pub low: i64,
    /// The most.
    pub high: i64,
}

/// The browser's storage for this origin.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct Storage {
    /// Whether the browser has promised not to evict it.
    pub persisted: Option<bool>,
    /// Bytes that the origin may use.
    pub quota: Option<f64>,
    /// Bytes that it uses.
    pub usage: Option<f64>,
    /// Its IndexedDB databases; null where the browser does not list them.
    pub databases: Option<Vec<Database>>,
}

/// One IndexedDB database.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Database {
    /// Its name.
    pub name: Option<String>,
    /// Its version.
    pub version: Option<f64>,
}

/// What the crypto store says, without a request to the server.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase", default)]
pub struct CryptoFacts {
    /// This device's own public keys.
    pub own_device_keys: Option<DeviceKeys>,
    /// The known devices of the users whom entries name, and of this user.
    pub devices: Vec<KnownDevice>,
    /// The version of the key backup that is in use; null if none is.
    pub active_backup_version: Option<String>,
    /// Whether cross-signing is set up; null before the first sync, when asking would make a request.
    pub cross_signing_ready: Option<bool>,
    /// Whether secret storage is set up; null before the first sync.
    pub secret_storage_ready: Option<bool>,
}

/// A device's two public keys, unpadded base64.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct DeviceKeys {
    /// The key that it signs with.
    pub ed25519: Option<String>,
    /// The key that identifies it in Olm sessions.
    pub curve25519: Option<String>,
}

/// A device that the crypto store knows.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
#[serde(rename_all = "camelCase")]
pub struct KnownDevice {
    /// The user id.
    pub user_id: String,
    /// The device id.
    pub device_id: String,
    /// The key that it signs with, unpadded base64.
    pub ed25519: Option<String>,
    /// The key that identifies it in Olm sessions, unpadded base64.
    pub curve25519: Option<String>,
    /// Whether this user trusts it; null if the store did not say.
    pub verified: Option<bool>,
}

/// A question without an answer.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[cfg_attr(feature = "schema", derive(schemars::JsonSchema))]
pub struct Unanswered {
    /// What was asked, such as `getOwnDeviceKeys`.
    pub question: String,
    /// Why there is no answer.
    pub why: String,
}

/// The half of a report that only the host knows.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Host {
    /// See [`Report::generated_at`].
    pub generated_at: Millis,
    /// What the client said.
    pub client: Client,
    /// See [`Report::user_agent`].
    pub user_agent: Option<String>,
    /// See [`Report::page`].
    pub page: Option<String>,
    /// The capture, without the numbers that the recorder keeps.
    pub capture: Capture,
    /// See [`Report::sent`].
    pub sent: Vec<SentBatch>,
}

/// What was asked of the Matrix client, and of the app about it.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct Client {
    /// See [`Report::sdk_version`].
    pub sdk_version: Option<String>,
    /// See [`Report::crypto_version`].
    pub crypto_version: Option<String>,
    /// See [`Report::device_id`].
    pub device_id: Option<String>,
    /// See [`Report::user_id`].
    pub user_id: Option<String>,
    /// See [`Report::sync_state`].
    pub sync_state: Option<String>,
    /// See [`Report::crypto_ready`].
    pub crypto_ready: Option<bool>,
}

/// A field's text without secrets.
fn clean(name: &str, text: &mut String) {
    *text = redact_field(name, text);
}

fn clean_option(name: &str, text: &mut Option<String>) {
    if let Some(text) = text {
        clean(name, text);
    }
}

impl Host {
    /// The same without secrets. Paths in it are [`Clean`](crate::Clean) already.
    fn clean(mut self) -> Self {
        let Client { sdk_version, crypto_version, device_id, user_id, sync_state, crypto_ready: _ } = &mut self.client;
        for (name, text) in [
            ("sdkVersion", sdk_version),
            ("cryptoVersion", crypto_version),
            ("deviceId", device_id),
            ("userId", user_id),
            ("syncState", sync_state),
            ("userAgent", &mut self.user_agent),
            ("page", &mut self.page),
            ("reason", &mut self.capture.reason),
        ] {
            clean_option(name, text);
        }
        for hook in &mut self.capture.hooks {
            clean("method", &mut hook.method);
            clean_option("reason", &mut hook.reason);
        }
        self.capture.failures.iter_mut().for_each(|failure| clean("what", &mut failure.what));
        for document in &mut self.capture.frames.documents {
            clean_option("path", &mut document.path);
            clean_option("blind", &mut document.blind);
        }
        self.capture.page_events.iter_mut().for_each(|event| clean("event", &mut event.event));
        for batch in &mut self.sent {
            clean_option("type", &mut batch.event_type);
            clean_option("txnid", &mut batch.txnid);
            for target in &mut batch.targets {
                clean("userId", &mut target.user_id);
                clean("deviceId", &mut target.device_id);
                clean_option("messageId", &mut target.message_id);
            }
        }
        self
    }
}

impl Recorder {
    /// The report of this recorder.
    ///
    /// What the host gives goes through the redactor, too: an app may pass anything as its version.
    pub fn report(&self, host: Host) -> Report {
        let host = host.clean();
        Report {
            generated_at: host.generated_at,
            sdk_version: host.client.sdk_version,
            crypto_version: host.client.crypto_version,
            device_id: host.client.device_id,
            user_id: host.client.user_id,
            sync_state: host.client.sync_state,
            crypto_ready: host.client.crypto_ready,
            user_agent: host.user_agent,
            page: host.page,
            counts: self.counts().totals(),
            tallies: self.counts().rows(),
            capture: Capture {
                lines_matched: self.matched(),
                evicted: self.evicted(),
                truncated: self.truncated(),
                redactions: self.redactions(),
                partly_scanned: self.partly_scanned(),
                ..host.capture
            },
            sent: host.sent,
            entries: self.entries(),
            ..Report::default()
        }
    }
}

impl Report {
    /// The report as a file holds it: JSON with two-space indentation, keys in the order of the fields.
    pub fn to_json(&self) -> String {
        serde_json::to_string_pretty(self).unwrap_or_default()
    }
}

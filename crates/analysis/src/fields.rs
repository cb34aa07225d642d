//! Reads the parts of a report out of JSON, one field at a time. A field of the wrong type is treated as absent.
//!
//! This is written by hand rather than derived, so that a damaged part costs that part only, and the code takes half the space in a page.

use std::borrow::Cow;

use crypto_diag_core::{
    Capture, CaptureState, CryptoFacts, DeviceKeys, Entry, Failure, FrameState, FrameWatch, HookState, Ke, KnownDevice,
    Level, Mark, MarkKind, Meaning, Millis, PageEvent, Realm, RealmKind, Request, RequestRoute, Requests, SentBatch,
    SentTarget, ServerMinusPage, Source,
};
use serde_json::Value;

mod call;

pub(crate) use call::{call, call_facts};

/// The count of one family and meaning in a report. Both are texts, since a later version may have others.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct ClassCount {
    /// The family's id, such as `KE-2`.
    pub ke: String,
    /// The meaning's word, such as `delivered`.
    pub meaning: String,
    /// Lines counted.
    pub total: u64,
}

pub(crate) fn text(of: &Value, name: &str) -> Option<String> {
    of.get(name)?.as_str().map(str::to_owned)
}

pub(crate) fn number(of: &Value, name: &str) -> Option<u64> {
    of.get(name)?.as_u64()
}

pub(crate) fn list<'a>(of: &'a Value, name: &str) -> &'a [Value] {
    of.get(name).and_then(Value::as_array).map_or(&[], Vec::as_slice)
}

fn flag(of: &Value, name: &str) -> Option<bool> {
    of.get(name)?.as_bool()
}

pub(crate) fn millis(of: &Value, name: &str) -> Option<Millis> {
    number(of, name).map(Millis).filter(|at| *at <= Millis::LAST)
}

fn object(of: &Value) -> Option<&Value> {
    Some(of).filter(|value| value.is_object())
}

/// An entry; `None` if one of the names that the runbook gives it is missing, or a word is not known.
pub(crate) fn entry(of: &Value) -> Option<Entry> {
    let ke = of.get("ke")?.as_str()?;
    let meaning = of.get("meaning")?.as_str()?;
    Some(Entry {
        ts: millis(of, "ts")?,
        level: match of.get("level")?.as_str()? {
            "warn" => Level::Warn,
            "error" => Level::Error,
            _ => return None,
        },
        ke: Ke::ALL.into_iter().find(|known| known.id() == ke)?,
        signature: Cow::Owned(text(of, "signature")?),
        message: text(of, "message")?.into(),
        meaning: Meaning::ALL.into_iter().find(|known| known.word() == meaning)?,
        realm: realm(&of["realm"]),
        source: if of["source"] == "uncaught" { Source::Uncaught } else { Source::Console },
        stack: text(of, "stack").map(Into::into),
        redactions: number(of, "redactions").map_or(0, |count| u32::try_from(count).unwrap_or(u32::MAX)),
        truncated_from: number(of, "truncatedFrom"),
    })
}

fn realm(of: &Value) -> Realm {
    let kind = match of["kind"].as_str() {
        Some("frame") => RealmKind::Frame,
        Some("worker") => RealmKind::Worker,
        _ => RealmKind::Main,
    };
    Realm { kind, path: text(of, "path").map(Into::into) }
}

pub(crate) fn tally(of: &Value) -> Option<ClassCount> {
    Some(ClassCount { ke: text(of, "ke")?, meaning: text(of, "meaning")?, total: number(of, "total")? })
}

/// Lines seen of each family. One that does not read counts as one: it was not nothing.
pub(crate) fn counts(of: &Value) -> Option<[u64; Ke::ALL.len()]> {
    let of = of.as_object()?;
    Some(Ke::ALL.map(|ke| of.get(ke.id()).map_or(0, |count| count.as_u64().unwrap_or(1))))
}

pub(crate) fn batch(of: &Value) -> Option<SentBatch> {
    Some(SentBatch {
        ts: millis(of, "ts")?,
        event_type: text(of, "type"),
        txnid: text(of, "txnid"),
        targets: list(of, "targets").iter().filter_map(target).collect(),
        omitted: number(of, "omitted").unwrap_or_default(),
        realm: realm(&of["realm"]),
    })
}

pub(crate) fn mark(of: &Value) -> Option<Mark> {
    let kind = match text(of, "kind")?.as_str() {
        "start" => MarkKind::Start,
        "symptom" => MarkKind::Symptom,
        "end" => MarkKind::End,
        _ => return None,
    };
    Some(Mark { ts: millis(of, "ts")?, kind, label: text(of, "label").unwrap_or_default() })
}

/// Requests that are read; a page keeps fewer (`pkg/src/capture/requests.js`).
const REQUESTS_READ_MAX: usize = 1_000;

pub(crate) fn requests(of: &Value) -> Option<Requests> {
    let of = object(of)?;
    Some(Requests {
        rows: list(of, "rows").iter().take(REQUESTS_READ_MAX).filter_map(request).collect(),
        omitted: number(of, "omitted").unwrap_or_default(),
        other: number(of, "other").unwrap_or_default(),
    })
}

/// A request; `None` if its route is none of those that are known, whatever it says.
fn request(of: &Value) -> Option<Request> {
    let route = of.get("route")?.as_str()?;
    Some(Request {
        route: RequestRoute::ALL.iter().copied().find(|known| known.template() == route)?,
        ts: millis(of, "ts")?,
        duration: number(of, "duration").filter(|duration| *duration <= Millis::LAST.0)?,
        status: number(of, "status").and_then(|status| u32::try_from(status).ok()),
    })
}

pub(crate) fn server_minus_page(of: &Value) -> Option<ServerMinusPage> {
    let end = |name| of.get(name)?.as_i64().filter(|ms| ms.unsigned_abs() <= Millis::LAST.0);
    let (low, high) = (end("low")?, end("high")?);
    (low <= high).then_some(ServerMinusPage { low, high })
}

fn target(of: &Value) -> Option<SentTarget> {
    Some(SentTarget {
        user_id: text(of, "userId")?,
        device_id: text(of, "deviceId")?,
        message_id: text(of, "messageId"),
    })
}

pub(crate) fn crypto(of: &Value) -> Option<CryptoFacts> {
    let of = object(of)?;
    Some(CryptoFacts {
        own_device_keys: object(&of["ownDeviceKeys"])
            .map(|keys| DeviceKeys { ed25519: text(keys, "ed25519"), curve25519: text(keys, "curve25519") }),
        devices: list(of, "devices").iter().filter_map(device).collect(),
        active_backup_version: text(of, "activeBackupVersion"),
        cross_signing_ready: flag(of, "crossSigningReady"),
        secret_storage_ready: flag(of, "secretStorageReady"),
    })
}

fn device(of: &Value) -> Option<KnownDevice> {
    Some(KnownDevice {
        user_id: text(of, "userId")?,
        device_id: text(of, "deviceId")?,
        ed25519: text(of, "ed25519"),
        curve25519: text(of, "curve25519"),
        verified: flag(of, "verified"),
    })
}

/// The capture. A number that is not there counts as one: what may have been missed was missed.
pub(crate) fn capture(of: &Value) -> Capture {
    let missed = |name: &str| number(of, name).unwrap_or(1);
    Capture {
        state: match of["state"].as_str() {
            Some("starting") => CaptureState::Starting,
            Some("capturing") => CaptureState::Capturing,
            Some("stopped") => CaptureState::Stopped,
            Some("blind") => CaptureState::Blind,
            Some("failed") => CaptureState::Failed,
            _ => CaptureState::NotInstalled,
        },
        reason: text(of, "reason"),
        installed_at: millis(of, "installedAt"),
        time_origin: millis(of, "timeOrigin"),
        cleared_at: millis(of, "clearedAt"),
        hooks: list(of, "hooks").iter().filter_map(hook).collect(),
        lines_seen: number(of, "linesSeen").unwrap_or_default(),
        lines_matched: missed("linesMatched"),
        evicted: missed("evicted"),
        partly_scanned: missed("partlyScanned"),
        unreadable: missed("unreadable"),
        nested: missed("nested"),
        queue_overflow: missed("queueOverflow"),
        failures: list(of, "failures").iter().map(failure).collect(),
        frames: frames(&of["frames"]),
        page_events: list(of, "pageEvents").iter().filter_map(page_event).collect(),
        ..Capture::default()
    }
}

/// The child documents. One that does not read was not watched.
fn frames(of: &Value) -> FrameWatch {
    FrameWatch {
        watching: flag(of, "watching").unwrap_or_default(),
        documents: list(of, "documents").iter().map(document).collect(),
        omitted: number(of, "omitted").unwrap_or(1),
    }
}

fn document(of: &Value) -> FrameState {
    FrameState {
        path: text(of, "path"),
        hooked: flag(of, "hooked").unwrap_or_default(),
        hooked_at: millis(of, "hookedAt"),
        time_origin: millis(of, "timeOrigin"),
        blind: text(of, "blind"),
        removed: flag(of, "removed").unwrap_or_default(),
    }
}

fn hook(of: &Value) -> Option<HookState> {
    Some(HookState { method: text(of, "method")?, in_place: flag(of, "inPlace")?, reason: text(of, "reason") })
}

/// A failure counts whether it reads or not.
fn failure(of: &Value) -> Failure {
    Failure { ts: millis(of, "ts").unwrap_or_default(), what: text(of, "what").unwrap_or_default() }
}

fn page_event(of: &Value) -> Option<PageEvent> {
    Some(PageEvent { ts: millis(of, "ts")?, event: text(of, "event")? })
}

//! `crypto-diag collect`: a shell around `crypto-diag-collect`.

use std::io::{self, IsTerminal};
use std::process;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use crypto_diag_collect::{Collected, Ids, Progress, Request, Silent, collect};
use crypto_diag_server_log::LogLevel;

use crate::args::{CollectArguments, IdArguments};
use crate::progress::Bar;
use crate::sources::Found;
use crate::{exit, given, output};

/// Set by Ctrl-C.
static CANCEL: AtomicBool = AtomicBool::new(false);

/// Gathers, and prints the bundle's folder.
///
/// # Errors
/// In words, if there is no bundle.
pub fn run(arguments: CollectArguments) -> Result<u8, String> {
    let Some(collected) = gather(arguments, None)? else { return Ok(exit::INTERRUPTED) };
    // So that `crypto-diag triage "$(crypto-diag collect …)"` works.
    output::print(&format!("{}\n", collected.folder.display()))?;
    Ok(if collected.interrupted { exit::INTERRUPTED } else { exit::NOTHING_WRONG })
}

/// Gathers into a new folder, or into a folder `inside` of it, and says what could not be taken. `None`: it was interrupted before
/// there was a bundle.
///
/// # Errors
/// In words, if there is no bundle.
pub fn gather(arguments: CollectArguments, inside: Option<&'static str>) -> Result<Option<Collected>, String> {
    let follow = arguments.follow.then(|| Arc::new(AtomicBool::new(false)));
    let ids = ids(&arguments.ids)?;
    let found = Found::find(arguments.sources.stated()?, arguments.follow)?;
    let admin_api = found.admin_api.clone().transpose().map_err(|error| error.to_string())?;
    let mut request = Request {
        ids,
        reports: arguments.reports,
        logs: found.all_logs().cloned().collect(),
        via: found.via,
        hars: arguments.hars,
        database: found.database,
        admin_api,
        refused: found.untold,
        zone_minutes: found.stated.zone,
        prometheus: arguments.prometheus,
        since: arguments.since,
        until: arguments.until,
        window_only: arguments.window_only,
        follow: follow.clone(),
        out: arguments.out,
        inside,
        latency: !arguments.no_latency,
        threads: arguments.threads,
        ..Request::default()
    };
    // What pipes and zips gave stays until the end.
    let _unpacked = given::sort(&arguments.files, &mut request)?;
    // The first signal ends the run with a complete manifest, a second one ends it at once. In front of these, one ends the
    // following of logs.
    ctrlc::set_handler(move || {
        if follow.as_ref().is_some_and(|enough| !enough.swap(true, Ordering::Relaxed)) {
            return;
        }
        if CANCEL.swap(true, Ordering::Relaxed) {
            process::exit(exit::INTERRUPTED.into());
        }
    })
    .map_err(|error| format!("Ctrl-C cannot be waited for: {error}"))?;

    let bar = io::stderr().is_terminal().then(Bar::new);
    let progress: &dyn Progress = match &bar {
        Some(bar) => bar,
        None => &Silent,
    };
    let collected = collect(&request, progress, &CANCEL);
    if let Some(bar) = &bar {
        bar.end();
    }
    let collected = match collected {
        Err(error) if CANCEL.load(Ordering::Relaxed) => {
            output::complain(&format!("it was interrupted: {error}"));
            return Ok(None);
        }
        collected => collected.map_err(|error| error.to_string())?,
    };
    for refusal in &collected.manifest.refused {
        if !bar.as_ref().is_some_and(|bar| bar.has_noted(&refusal.why)) {
            output::complain(&format!("not collected: {}: {}", refusal.what, refusal.why));
        }
    }
    if has_debug_lines(&collected) {
        output::complain(
            "the log has lines at DEBUG: if the call is over, `crypto-diag queries` says how to go back to INFO and how to see it",
        );
    }
    if collected.interrupted {
        output::complain("it was interrupted: the bundle holds what was gathered until then");
    }
    Ok(Some(collected))
}

/// Whether a log's level was raised, as the manifest says.
fn has_debug_lines(collected: &Collected) -> bool {
    let logs = collected.manifest.coverage["logs"].as_array().into_iter().flatten();
    let mut levels = logs.filter_map(|log| log["levelsSeen"].as_array()).flatten();
    levels.any(|level| level == LogLevel::Debug.name())
}

/// # Errors
/// If a device has no user.
fn ids(arguments: &IdArguments) -> Result<Ids, String> {
    let all = |list: &[String]| list.iter().cloned().collect();
    let mut ids = Ids {
        users: all(&arguments.users),
        event_ids: all(&arguments.events),
        room_ids: all(&arguments.rooms),
        delay_ids: all(&arguments.delays),
        message_ids: all(&arguments.messages),
        request_ids: all(&arguments.requests),
        ..Ids::default()
    };
    // The log has `signed_curve25519:AAAAAAAAADQ`, the database the id alone.
    ids.key_ids = arguments.keys.iter().map(|key| key.rsplit(':').next().unwrap_or(key).to_owned()).collect();
    for device in &arguments.devices {
        let (user_id, device_id) = match (device.rsplit_once('/'), arguments.users.as_slice()) {
            (Some((user_id, device_id)), _) if user_id.starts_with('@') => (user_id, device_id),
            (None, [user_id]) => (user_id.as_str(), device.as_str()),
            _ => return Err(format!("--device {device}: say whose, as @alice:example.org/{device}")),
        };
        ids.users.insert(user_id.to_owned());
        ids.devices.insert((user_id.to_owned(), device_id.to_owned()));
    }
    Ok(ids)
}

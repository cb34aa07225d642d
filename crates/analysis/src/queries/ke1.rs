//! KE-1: what the server holds for the device, and the ledger of its one-time keys in the log.

use super::ids::Ids;
use super::{Asked, Quoted, RunsOn};

pub(super) fn ask(ids: &Ids, asked: &mut Asked<'_>) {
    asked.add(
        "ke1-one-time-keys",
        "KE-1",
        RunsOn::DatabaseHost,
        "Does the server hold another key under the refused id, and since when? A ts_added_ms before the page's start \
         speaks for a rollback, a later one for two contexts. An id that is absent was claimed since: it refutes nothing.",
        |asked| {
            let device = of_device(ids, asked)?;
            let key_ids = asked.sql_list("one-time key id", &ids.key_ids)?;
            Ok(format!(
                "SELECT algorithm, key_id, ts_added_ms, to_timestamp(ts_added_ms / 1000.0) AS added,\n       \
                 key_json::json ->> 'key' AS public_key, key_json\n  \
                 FROM e2e_one_time_keys_json\n \
                 WHERE {device}\n   AND key_id IN ({key_ids})\n \
                 ORDER BY algorithm, key_id;"
            ))
        },
    );
    asked.add(
        "ke1-inventory",
        "KE-1",
        RunsOn::DatabaseHost,
        "Which one-time keys does the server still give out for the device? Compare ids and keys with the body of the \
         refused keys/upload.",
        |asked| {
            let device = of_device(ids, asked)?;
            Ok(format!(
                "SELECT algorithm, key_id, ts_added_ms, key_json::json ->> 'key' AS public_key\n  \
                 FROM e2e_one_time_keys_json\n \
                 WHERE {device}\n \
                 ORDER BY algorithm, key_id;"
            ))
        },
    );
    asked.add(
        "ke1-fallback-keys",
        "KE-1",
        RunsOn::DatabaseHost,
        "Are the one-time keys exhausted (no row above) and is the fallback key used? That is a finding of its own and \
         cannot cause the conflict.",
        |asked| {
            let device = of_device(ids, asked)?;
            Ok(format!(
                "SELECT algorithm, key_id, used, key_json::json ->> 'key' AS public_key\n  \
                 FROM e2e_fallback_keys_json\n \
                 WHERE {device};"
            ))
        },
    );
    device_keys(ids, asked, "KE-1");
    devices(ids, asked, "KE-1");
    asked.add(
        "ke1-log",
        "KE-1",
        RunsOn::LogHost,
        "What happened to the device's keys? `Adding one_time_keys` is printed before the check: an upload counts only \
         with its 200, found by the request id (POST-…) inside one log. `Updating device_keys` shows a new identity.",
        |asked| {
            let log = asked.log()?;
            let user_id = asked.shell("user id", ids.user_id.as_deref())?;
            Ok(format!(
                "grep -hE 'keys/upload|One time key|Adding one_time_keys|Claimed one-time-keys|Updating device_keys' {log} \
                 | grep -F -e {user_id}"
            ))
        },
    );
    asked.add(
        "ke1-claims",
        "KE-1",
        RunsOn::LogHost,
        "When were the refused ids claimed? One id claimed twice means that the server was restored, or that ids were reused.",
        |asked| {
            let log = asked.log()?;
            let claims = claims(ids);
            let patterns = asked.patterns("one-time key id of a known device", &claims)?;
            Ok(format!("grep -hF 'Claimed one-time-keys' {log} | grep -F {patterns}"))
        },
    );
}

/// `user_id = … AND device_id = …` of the report's device.
pub(super) fn of_device(ids: &Ids, asked: &mut Asked<'_>) -> Quoted {
    let user_id = asked.sql("user id", ids.user_id.as_deref())?;
    let device_id = asked.sql("device id", ids.device_id.as_deref())?;
    Ok(format!("user_id = {user_id} AND device_id = {device_id}"))
}

/// As Synapse writes them: `<algorithm>:<key id> for <user>:<device>`.
fn claims(ids: &Ids) -> Vec<String> {
    let (Some(user_id), Some(device_id)) = (&ids.user_id, &ids.device_id) else { return Vec::new() };
    ids.named_keys.iter().map(|key| format!("{key} for {user_id}:{device_id}")).collect()
}

/// The identity that the server holds: for the report's own device and for the peers' that entries name.
pub(super) fn device_keys(ids: &Ids, asked: &mut Asked<'_>, ke: &'static str) {
    asked.add(
        "device-keys",
        ke,
        RunsOn::DatabaseHost,
        "Which identity does the server hold for the devices, and since when? Compare ed25519 with the device's own \
         `getOwnDeviceKeys()` and with what the sender's line names.",
        |asked| {
            let wanted = devices_wanted(ids, asked)?;
            Ok(format!(
                "SELECT user_id, device_id, ts_added_ms, to_timestamp(ts_added_ms / 1000.0) AS added,\n       \
                 key_json::json -> 'keys' ->> ('ed25519:' || device_id) AS ed25519,\n       \
                 key_json::json -> 'keys' ->> ('curve25519:' || device_id) AS curve25519\n  \
                 FROM e2e_device_keys_json\n \
                 WHERE {wanted}\n \
                 ORDER BY user_id, device_id;"
            ))
        },
    );
}

/// The report's own device and the peers' that entries name, as a condition over `user_id` and `device_id`.
pub(super) fn devices_wanted(ids: &Ids, asked: &mut Asked<'_>) -> Quoted {
    let own = of_device(ids, asked).ok();
    let mut wanted: Vec<String> = own.into_iter().map(|own| format!("({own})")).collect();
    for (user_id, device_id) in ids.peer_devices.iter().take(super::IDS_MAX) {
        if let (Ok(user_id), Ok(device_id)) =
            (asked.sql("user id", Some(user_id)), asked.sql("device id", Some(device_id)))
        {
            wanted.push(format!("(user_id = {user_id} AND device_id = {device_id})"));
        }
    }
    if wanted.is_empty() { Err(super::Omitted) } else { Ok(wanted.join("\n    OR ")) }
}

/// The devices of everybody whom entries name.
pub(super) fn devices(ids: &Ids, asked: &mut Asked<'_>, ke: &'static str) {
    asked.add(
        "devices",
        ke,
        RunsOn::DatabaseHost,
        "Which devices does the server know? Hidden ones stand for cross-signing keys; a dehydrated one holds a backlog \
         by design. A device that is not here was logged out; remote users are not here at all.",
        |asked| {
            let users: Vec<String> = ids.user_id.iter().chain(&ids.peers).cloned().collect();
            let users = asked.sql_list("user id", &users)?;
            Ok(format!(
                "SELECT d.user_id, d.device_id, d.hidden, dd.device_id IS NOT NULL AS dehydrated,\n       \
                 to_timestamp(d.last_seen / 1000.0) AS last_seen, k.device_id IS NOT NULL AS has_keys\n  \
                 FROM devices d\n  \
                 LEFT JOIN dehydrated_devices dd ON dd.user_id = d.user_id AND dd.device_id = d.device_id\n  \
                 LEFT JOIN e2e_device_keys_json k ON k.user_id = d.user_id AND k.device_id = d.device_id\n \
                 WHERE d.user_id IN ({users})\n \
                 ORDER BY d.user_id, d.hidden, d.device_id;"
            ))
        },
    );
}

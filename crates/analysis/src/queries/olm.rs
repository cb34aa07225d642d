//! OLM: lost one-time keys and the identities of both sides.

use super::ids::Ids;
use super::ke1::{device_keys, devices, devices_wanted, of_device};
use super::ke2::{inbox, messages};
use super::{Asked, RunsOn};

pub(super) fn ask(ids: &Ids, asked: &mut Asked<'_>) {
    asked.add(
        "olm-lost-key",
        "OLM",
        RunsOn::DatabaseHost,
        "Does the server still hold the lost key, and is it a one-time key or a fallback key? A one-time key that was \
         claimed is gone, so no row refutes nothing.",
        |asked| {
            let device = of_device(ids, asked)?;
            let keys = asked.sql_list("one-time key", &ids.one_time_keys)?;
            Ok(format!(
                "SELECT 'one-time' AS kind, algorithm, key_id, ts_added_ms, NULL::boolean AS used, key_json\n  \
                 FROM e2e_one_time_keys_json\n \
                 WHERE {device} AND key_json::json ->> 'key' IN ({keys})\n \
                 UNION ALL\n\
                 SELECT 'fallback', algorithm, key_id, NULL, used, key_json\n  \
                 FROM e2e_fallback_keys_json\n \
                 WHERE {device} AND key_json::json ->> 'key' IN ({keys});"
            ))
        },
    );
    asked.add(
        "olm-peer-keys",
        "OLM",
        RunsOn::DatabaseHost,
        "How many one-time keys does the server have left for the devices, and is a fallback key there? None of either \
         means that nobody can start a session. A device that is not listed was logged out.",
        |asked| {
            let wanted = devices_wanted(ids, asked)?;
            Ok(format!(
                "SELECT user_id, device_id,\n       \
                 (SELECT count(*) FROM e2e_one_time_keys_json k\n         \
                 WHERE k.user_id = d.user_id AND k.device_id = d.device_id) AS one_time_keys,\n       \
                 (SELECT string_agg(CASE WHEN f.used THEN 'used' ELSE 'unused' END, ' ') FROM e2e_fallback_keys_json f\n         \
                 WHERE f.user_id = d.user_id AND f.device_id = d.device_id) AS fallback_keys\n  \
                 FROM devices d\n \
                 WHERE {wanted}\n \
                 ORDER BY user_id, device_id;"
            ))
        },
    );
    device_keys(ids, asked, "OLM");
    devices(ids, asked, "OLM");
    inbox(ids, asked, "OLM");
    asked.add(
        "olm-log",
        "OLM",
        RunsOn::LogHost,
        "When were this device's one-time keys claimed? One id claimed twice means that the server was restored, or that \
         ids were reused.",
        |asked| {
            let log = asked.log()?;
            let (Some(user_id), Some(device_id)) = (&ids.user_id, &ids.device_id) else {
                return Err(asked.refuse("the report does not name its user and device".to_owned()));
            };
            let device = asked.shell("device", Some(&format!(" for {user_id}:{device_id}")))?;
            Ok(format!("grep -hF 'Claimed one-time-keys' {log} | grep -F -e {device}"))
        },
    );
    messages(ids, asked, "OLM");
}

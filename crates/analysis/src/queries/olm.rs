//! OLM: lost one-time keys and the identities of both sides.

use super::ids::Ids;
use super::ke1::{device_keys, devices, of_device};
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

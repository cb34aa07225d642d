//! KE-2: to-device messages that wait, and those that were sent.

use super::ids::Ids;
use super::ke1::{device_keys, devices, of_device};
use super::{Asked, ROWS_MAX, RunsOn};

pub(super) fn ask(ids: &Ids, asked: &mut Asked<'_>) {
    inbox(ids, asked, "KE-2");
    asked.add(
        "ke2-backlog",
        "KE-2",
        RunsOn::DatabaseHost,
        "For which devices of this user do messages wait? A device that is hidden, dehydrated or gone (null) holds what \
         nobody fetches.",
        |asked| {
            let user_id = asked.sql("user id", ids.user_id.as_deref())?;
            Ok(format!(
                "SELECT i.device_id, count(*) AS pending, min(i.stream_id) AS first_stream_id,\n       \
                 max(i.stream_id) AS last_stream_id, d.hidden, dd.device_id IS NOT NULL AS dehydrated,\n       \
                 to_timestamp(d.last_seen / 1000.0) AS last_seen\n  \
                 FROM device_inbox i\n  \
                 LEFT JOIN devices d ON d.user_id = i.user_id AND d.device_id = i.device_id\n  \
                 LEFT JOIN dehydrated_devices dd ON dd.user_id = i.user_id AND dd.device_id = i.device_id\n \
                 WHERE i.user_id = {user_id}\n \
                 GROUP BY i.device_id, d.hidden, dd.device_id, d.last_seen\n \
                 ORDER BY pending DESC;"
            ))
        },
    );
    devices(ids, asked, "KE-2");
    device_keys(ids, asked, "KE-2");
    asked.add(
        "ke2-sent",
        "KE-2",
        RunsOn::LogHost,
        "Did the batches that this client sent reach the server, and with which status? The path ends in the transaction id.",
        |asked| {
            let log = asked.log()?;
            let sent: Vec<String> = ids.txn_ids.iter().map(|txn_id| format!("/{txn_id} ")).collect();
            let patterns = asked.patterns("transaction id of a sent batch", &sent)?;
            Ok(format!("grep -hF 'sendToDevice' {log} | grep -F {patterns}"))
        },
    );
    messages(ids, asked, "KE-2");
}

/// What waits for the device: never the ciphertext, and never more than a page.
pub(super) fn inbox(ids: &Ids, asked: &mut Asked<'_>, ke: &'static str) {
    asked.add(
        "ke2-inbox",
        ke,
        RunsOn::DatabaseHost,
        "Which messages wait for this device? Ask twice, some seconds apart: rows that stay at or below the to-device \
         position of a later since token (its 7th field) are not being fetched. The inner type is never visible here.",
        |asked| {
            let device = of_device(ids, asked)?;
            Ok(format!(
                "SELECT stream_id, instance_name, message_json::json ->> 'type' AS type,\n       \
                 message_json::json ->> 'sender' AS sender,\n       \
                 message_json::json #>> '{{content,org.matrix.msgid}}' AS message_id,\n       \
                 message_json::json #>> '{{content,sender_key}}' AS sender_key,\n       \
                 length(message_json) AS bytes,\n       \
                 (SELECT last_value FROM device_inbox_sequence) AS newest_stream_id\n  \
                 FROM device_inbox\n \
                 WHERE {device}\n \
                 ORDER BY stream_id\n \
                 LIMIT {ROWS_MAX};"
            ))
        },
    );
}

/// Messages by their ids, which the log has only while one logger is raised.
pub(super) fn messages(ids: &Ids, asked: &mut Asked<'_>, ke: &'static str) {
    asked.add(
        "to-device-log",
        ke,
        RunsOn::LogHost,
        "When were these messages stored, and when were they handed out? Only a log with the logger synapse.9533_debug \
         at DEBUG has them: finding none otherwise says nothing.",
        |asked| {
            let log = asked.log()?;
            let patterns = asked.patterns("message id", &ids.message_ids)?;
            Ok(format!("grep -hF {patterns} -- {log}"))
        },
    );
}

//! KE-3: the events as the server holds them.

use super::ids::Ids;
use super::{Asked, RunsOn};

pub(super) fn ask(ids: &Ids, asked: &mut Asked<'_>) {
    asked.add(
        "ke3-events",
        "KE-3",
        RunsOn::DatabaseHost,
        "Does the stored event have the field that the error names? If it was redacted and have_censored is true, Synapse \
         has rewritten what it stored, and a field that is missing now may have been there. A sender_key, which is public, is 43 \
         characters of base64. A field that is there is a \
         client's bug only if a HAR shows that it arrived.",
        |asked| {
            let event_ids = asked.sql_list("event id", &ids.event_ids)?;
            let mut fields = Vec::new();
            for field in ids.fields.iter().take(super::IDS_MAX) {
                let field = asked.sql("field", Some(field))?;
                fields.push(format!("{field}, ej.json::json -> 'content' -> {field} IS NOT NULL"));
            }
            let fields = if fields.is_empty() {
                String::new()
            } else {
                format!(",\n       json_build_object({}) AS named_fields_present", fields.join(", "))
            };
            Ok(format!(
                "SELECT e.event_id, e.room_id, e.type, e.sender, to_timestamp(e.origin_server_ts / 1000.0) AS sent,\n       \
                 ej.json::json -> 'content' ->> 'algorithm' AS algorithm,\n       \
                 ej.json::json -> 'content' ->> 'sender_key' AS sender_key,\n       \
                 (SELECT string_agg(name, ' ' ORDER BY name) FROM json_object_keys(ej.json::json -> 'content') AS name) AS content_fields{fields},\n       \
                 r.event_id AS redacted_by, r.have_censored, to_timestamp(r.received_ts / 1000.0) AS redacted\n  \
                 FROM events e\n  \
                 JOIN event_json ej ON ej.event_id = e.event_id\n  \
                 LEFT JOIN redactions r ON r.redacts = e.event_id\n \
                 WHERE e.event_id IN ({event_ids})\n \
                 ORDER BY e.stream_ordering;"
            ))
        },
    );
    asked.add(
        "ke3-event",
        "KE-3",
        RunsOn::MemberHost,
        "Does the homeserver give the event with the field that the error names in its content? Put the homeserver's address in place of \
         SERVER, and an access token into MATRIX_TOKEN, which is neither printed nor kept. A client that shows an event's source shows the \
         same. If the field is there, it was lost between the homeserver and the client. If it is not there, it was never stored, or the \
         event was redacted: then unsigned has redacted_because.",
        |asked| {
            let urls = ids.event_paths.iter().map(|path| format!("https://SERVER{path}")).collect::<Vec<_>>();
            let urls = asked.list("room's event", &urls, super::quote::shell)?.join(" \\\n  ");
            Ok(format!("printf 'Authorization: Bearer %s' \"$MATRIX_TOKEN\" | curl -fsS -H @- \\\n  {urls}"))
        },
    );
    asked.add(
        "ke3-log",
        "KE-3",
        RunsOn::LogHost,
        "What does the log say of these events: when they came, from whom, and whether they were rejected?",
        |asked| {
            let log = asked.log()?;
            let patterns = asked.patterns("event id", &ids.event_ids)?;
            Ok(format!("grep -hF {patterns} -- {log}"))
        },
    );
}

//! KE-4: delayed events by delay id, since restarts are logged without a user.

use super::ids::Ids;
use super::{Asked, ROWS_MAX, RunsOn};

/// Seconds before the first line and after the last for which Prometheus is asked.
const AROUND_S: u64 = 300;

pub(super) fn ask(ids: &Ids, asked: &mut Asked<'_>) {
    asked.add(
        "ke4-log",
        "KE-4",
        RunsOn::LogHost,
        "What became of the restarts? Join each to its own request: arrived and slow means homeserver, arrived late or \
         answered quickly means gateway or network, never arrived means network or client if the log covers the time. \
         Lines carry a request's end. Restarts stand under user {None} in Synapse 1.155; a late one gets 404.",
        |asked| {
            let log = asked.log()?;
            if ids.delay_ids.is_empty() {
                return Ok(format!("grep -hF 'delayed_events' -- {log}"));
            }
            let paths: Vec<String> =
                ids.delay_ids.iter().map(|delay_id| format!("/delayed_events/{delay_id}")).collect();
            let patterns = asked.patterns("delay id", &paths)?;
            Ok(format!("grep -hF {patterns} -- {log}"))
        },
    );
    asked.add(
        "ke4-slow-requests",
        "KE-4",
        RunsOn::LogHost,
        "Was the server slow at that time? Requests that took a second or more, without sync, which waits on purpose. \
         Context only: a slow minute does not show that one request was slow.",
        |asked| {
            let log = asked.log()?;
            Ok(format!("grep -hE 'Processed request: [1-9][0-9]*\\.[0-9]+sec' {log} | grep -vF '/sync'"))
        },
    );
    asked.add(
        "ke4-latency",
        "KE-4",
        RunsOn::PrometheusHost,
        "How quick was the server, minute by minute and by route? Put Prometheus's own address in. The file goes into the triage as it \
         comes. Context only, as above.",
        |asked| {
            let Some((first, last)) = ids.ke4_seconds else {
                return Err(asked.refuse("the report's lines have no times".to_owned()));
            };
            let (start, end) = (first.saturating_sub(AROUND_S), last.saturating_add(AROUND_S));
            Ok(format!(
                "curl -fsSG 'http://127.0.0.1:9090/api/v1/query_range' -o prometheus.json --data-urlencode \\\n  \
                 'query=histogram_quantile(0.99, sum by (le, servlet) (rate(synapse_http_server_response_time_seconds_bucket[2m])))' \\\n  \
                 -d start={start} -d end={end} -d step=60"
            ))
        },
    );
    asked.add(
        "ke4-delayed-events",
        "KE-4",
        RunsOn::DatabaseHost,
        "Which delayed events does the server hold for this user, and when are they due? One that was sent or cancelled \
         is gone or is_processed.",
        |asked| {
            let wanted = if ids.delay_ids.is_empty() {
                let localpart = asked.sql("user id", localpart(ids))?;
                let rooms = asked.sql_list("room id", &ids.call_rooms)?;
                format!("user_localpart = {localpart} AND room_id IN ({rooms})")
            } else {
                let delay_ids = asked.sql_list("delay id", &ids.delay_ids)?;
                format!("delay_id IN ({delay_ids})")
            };
            Ok(format!(
                "SELECT delay_id, user_localpart, device_id, delay, to_timestamp(send_ts / 1000.0) AS due, room_id,\n       \
                 event_type, state_key, is_processed\n  \
                 FROM delayed_events\n \
                 WHERE {wanted}\n \
                 ORDER BY send_ts;"
            ))
        },
    );
    asked.add(
        "ke4-memberships",
        "KE-4",
        RunsOn::DatabaseHost,
        "Which events ended memberships of the call? One with empty content is a leave event; of the sender's own, it is \
         the delayed one if it came when that was due.",
        |asked| {
            let rooms = asked.sql_list("room id", &ids.call_rooms)?;
            Ok(format!(
                "SELECT e.event_id, e.room_id, e.sender, ej.json::json ->> 'state_key' AS state_key,\n       \
                 to_timestamp(e.origin_server_ts / 1000.0) AS sent, (ej.json::json ->> 'content') = '{{}}' AS is_leave\n  \
                 FROM events e\n  \
                 JOIN event_json ej ON ej.event_id = e.event_id\n \
                 WHERE e.room_id IN ({rooms})\n   \
                 AND e.type IN ('org.matrix.msc3401.call.member', 'm.call.member', 'org.matrix.msc4143.rtc.member')\n \
                 ORDER BY e.stream_ordering DESC\n \
                 LIMIT {ROWS_MAX};"
            ))
        },
    );
}

/// The part of the user id between `@` and the first colon, which is what the table has.
fn localpart(ids: &Ids) -> Option<&str> {
    let (localpart, _) = ids.user_id.as_deref()?.strip_prefix('@')?.split_once(':')?;
    Some(localpart)
}

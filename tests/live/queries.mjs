// @ts-check
/** What only the database knows about the devices and events of a scenario, by Synapse's real schema. */

/** @type {Record<string, {answers: string, sql: string, by: 'user' | 'event'}>} */
const QUERIES = {
  devices: {
    answers: 'which devices exist, hidden ones marked',
    sql: 'SELECT user_id, device_id, display_name, last_seen, hidden FROM devices WHERE user_id = $1 ORDER BY device_id',
    by: 'user',
  },
  device_keys: {
    answers: 'which identity keys the homeserver gives out for each device',
    sql: 'SELECT user_id, device_id, ts_added_ms, key_json FROM e2e_device_keys_json WHERE user_id = $1 ORDER BY device_id',
    by: 'user',
  },
  one_time_keys: {
    answers: 'which one-time keys the homeserver still holds, with their values and when they came',
    sql: `SELECT user_id, device_id, algorithm, key_id, ts_added_ms, key_json
          FROM e2e_one_time_keys_json WHERE user_id = $1 ORDER BY device_id, algorithm, key_id`,
    by: 'user',
  },
  fallback_keys: {
    answers: 'whether a fallback key was given out',
    sql: `SELECT user_id, device_id, algorithm, key_id, key_json, used
          FROM e2e_fallback_keys_json WHERE user_id = $1 ORDER BY device_id, algorithm`,
    by: 'user',
  },
  device_inbox: {
    answers: 'how many to-device messages wait for each device, and at which stream positions',
    sql: `SELECT user_id, device_id, count(*) AS pending, min(stream_id) AS first_stream_id, max(stream_id) AS last_stream_id
          FROM device_inbox WHERE user_id = $1 GROUP BY user_id, device_id ORDER BY device_id`,
    by: 'user',
  },
  delayed_events: {
    answers: 'which delayed events are scheduled',
    sql: `SELECT delay_id, user_localpart, device_id, delay, send_ts, room_id, event_type, state_key, is_processed
          FROM delayed_events WHERE user_localpart = split_part(ltrim($1, '@'), ':', 1) ORDER BY delay_id`,
    by: 'user',
  },
  event: {
    answers: 'the event as it is stored, and whether it was redacted and rewritten',
    sql: `SELECT e.event_id, e.type, e.sender, e.room_id, e.origin_server_ts,
                 ej.json::json -> 'content' ->> 'algorithm' AS algorithm, ej.json::json -> 'content' AS content,
                 r.event_id AS redacted_by, r.have_censored
          FROM events e JOIN event_json ej USING (event_id) LEFT JOIN redactions r ON r.redacts = e.event_id
          WHERE e.event_id = $1`,
    by: 'event',
  },
};

/**
 * How many copies of a to-device message wait at the homeserver, for whatever device.
 *
 * @param {import('./postgres.mjs').Database} database
 * @param {string} messageId `org.matrix.msgid`
 */
export async function copiesKept(database, messageId) {
  const [{ kept }] = await database.query(
    "SELECT count(*) AS kept FROM device_inbox WHERE message_json LIKE '%' || $1 || '%'",
    [messageId],
  );
  return Number(kept);
}

/**
 * @param {import('./postgres.mjs').Database} database
 * @param {{userIds: string[], eventIds: string[]}} about
 * @returns {Promise<{name: string, answers: string, sql: string, params: string[], at: number, rows: any[]}[]>}
 */
export async function askServer(database, { userIds, eventIds }) {
  const asked = [];
  for (const [name, { answers, sql, by }] of Object.entries(QUERIES)) {
    for (const id of by === 'user' ? userIds : eventIds) {
      const at = Date.now();
      const tidy = sql.replace(/\s+/g, ' ');
      asked.push({ name, answers, sql: tidy, params: [id], at, rows: await database.query(tidy, [id]) });
    }
  }
  return asked;
}

/**
 * The rows of all answers of one name.
 *
 * @param {Awaited<ReturnType<typeof askServer>>} queries
 * @param {string} name
 */
export const rowsOf = (queries, name) =>
  queries.filter((query) => query.name === name).flatMap((query) => query.rows);

// @ts-check
/**
 * One function for each fault. Each makes it happen, waits until the victim's console has shown it, and returns what was provoked,
 * read from the other side: the proxy, the database, the peer. A test compares that with what crypto-diag says.
 */
import { randomBytes } from 'node:crypto';
import { WAIT_MS, until } from '../../scripts/lib/wait.mjs';
import { STORE } from './rig.mjs';

/** @typedef {import('./rig.mjs').Profile} Profile */
/** @typedef {import('./rig.mjs').Rig} Rig */

/** The type of the to-device message that carries a call's media key. */
export const MEDIA_KEY = 'io.element.call.encryption_keys';

/** A MatrixRTC membership that notices a slow homeserver soon; the SDK's defaults are 5,000 ms and 2,000 ms. */
export const IMPATIENT = { delayedLeaveEventRestartMs: 500, delayedLeaveEventRestartLocalTimeoutMs: 500 };

/**
 * KE-1, identity replaced: the victim's client comes back with its session but on an empty crypto store, as after the browser evicted
 * IndexedDB. The victim must be signed in.
 *
 * @param {Rig} rig
 * @param {Profile} victim
 * @returns {Promise<{keyId: string, oldKey: string, newKey: string, diverged: string[], before: any, after: any,
 *   from: number, to: number}>} the key id that the homeserver refused, as `signed_curve25519:AAAA…`; both public keys; every key id
 *   that the homeserver holds with another value than the new store's; the identities before and after
 */
export async function secondEmptyStore(rig, victim, store = `${STORE}-second`) {
  const from = Date.now();
  const before = await victim.call('identity');
  await victim.stop();
  const stored = await oneTimeKeys(rig, before);

  const seen = victim.proxy.exchanges.length;
  const after = await victim.start(store);
  await victim.tab.waitForEntry('KE-1 after the empty store came up', ({ ke }) => ke === 'KE-1');

  const refused = refusedUpload(victim, seen);
  const uploaded = JSON.parse(refused.requestBody ?? '{}').one_time_keys;
  const keyId = /One time key (\S+) already exists/.exec(refused.responseBody ?? '')?.[1];
  if (!keyId) throw new Error(`the homeserver refused for another reason: ${refused.responseBody}`);
  return {
    keyId,
    oldKey: stored[keyId],
    newKey: uploaded[keyId].key,
    diverged: Object.keys(uploaded).filter((id) => stored[id] && stored[id] !== uploaded[id].key),
    before,
    after,
    from,
    to: Date.now(),
  };
}

/**
 * KE-3: a peer stores an `m.room.encrypted` event that has no `algorithm`.
 *
 * @param {Profile} peer
 * @param {Profile} victim
 * @param {string} roomId in which both are
 * @returns {Promise<{eventId: string, roomId: string, sender: string, from: number, to: number}>}
 */
export async function malformedEvent(peer, victim, roomId) {
  const from = Date.now();
  const { deviceId } = await peer.call('identity');
  const content = { ciphertext: 'AwgA', sender_key: 'Y', session_id: 'Z', device_id: deviceId };
  const eventId = await peer.call('sendRawEvent', roomId, 'm.room.encrypted', content);
  await victim.tab.waitForEntry(
    `KE-3 for ${eventId}`,
    ({ ke, message }) => ke === 'KE-3' && message.includes(eventId),
  );
  return { eventId, roomId, sender: peer.userId, from, to: Date.now() };
}

/**
 * KE-4: the proxy holds each restart of the victim's delayed leave event for longer than the client waits.
 *
 * @param {Profile} victim
 * @param {string} roomId
 * @param {{holdMs?: number}} [options]
 * @returns {Promise<{roomId: string, delayId: string, held: import('./proxy.mjs').Exchange[], from: number, to: number}>}
 *   `held` are the requests that the proxy held, all answered by now
 */
export async function slowDelayedEvents(
  victim,
  roomId,
  { holdMs = 4 * IMPATIENT.delayedLeaveEventRestartLocalTimeoutMs } = {},
) {
  const from = Date.now();
  const rule = victim.proxy.rule({
    method: 'POST',
    path: /\/delayed_events\/[^/]+\/restart$/,
    holdRequestMs: holdMs,
  });
  const { delayId } = await victim.call('joinCall', roomId, IMPATIENT);
  await victim.tab.waitForEntry(
    'KE-4 by a local timeout',
    ({ ke, message }) => ke === 'KE-4' && message.includes('Restart delayed event timed out'),
  );
  rule.remove();
  await victim.call('leaveCall', roomId);
  const to = Date.now();
  // What is held reaches the homeserver in the end; only then does its log tell the whole story.
  await until(
    () => rule.hits().every(({ end }) => end !== null),
    WAIT_MS,
    () => 'what was held does not come to an end',
  );
  return { roomId, delayId, held: rule.hits(), from, to };
}

/**
 * KE-2's needle in a healthy call: a peer sends the victim's device a media key, which arrives and is decrypted.
 *
 * @param {Profile} peer
 * @param {Profile} victim
 * @param {string} roomId
 * @returns {Promise<{messageId: string, senderKey: string, oneTimeKey: string | null, from: number, to: number}>}
 *   `senderKey` is the peer's curve25519 key; `oneTimeKey` the victim's, if the message began a session
 */
export async function mediaKey(peer, victim, roomId) {
  const from = Date.now();
  const { curve25519: senderKey } = await peer.call('identity');
  const sent = await sendMediaKey(peer, victim, roomId);
  await victim.tab.waitForEntry(
    `KE-2, delivered, from ${senderKey}`,
    ({ ke, meaning, message }) => ke === 'KE-2' && meaning === 'delivered' && message.includes(senderKey),
  );
  return { messageId: sent.messageId, oneTimeKey: sent.oneTimeKey, senderKey, from, to: Date.now() };
}

/**
 * Sends a media key to the victim's device. Resolves once the homeserver has taken it, whatever becomes of it then: the SDK's queue
 * answers as soon as it has stored the message, and a peer that is closed right afterwards would never send it.
 *
 * @param {Profile} peer
 * @param {Profile} victim
 * @param {string} roomId
 * @param {{deviceId?: string, index?: number}} [options] `deviceId` to target another device than the victim's present one
 * @returns {Promise<{userId: string, deviceId: string, messageId: string, preKey: boolean, oneTimeKey: string | null}>}
 * @throws {Error} if the peer could not encrypt for that device, or the homeserver did not take the message
 */
export async function sendMediaKey(peer, victim, roomId, { deviceId, index = 0 } = {}) {
  const target = deviceId ?? (await victim.call('identity')).deviceId;
  await peer.call('waitForDevice', victim.userId, target);
  const me = await peer.call('identity');
  // A media key is a secret even here: it is random and of no use to anybody.
  const content = {
    keys: { index, key: randomBytes(16).toString('base64').replace(/=+$/, '') },
    room_id: roomId,
    member: { claimed_device_id: me.deviceId, id: `${me.userId}:${me.deviceId}` },
    session: { call_id: '', application: 'm.call', scope: 'm.room' },
    sent_ts: Date.now(),
  };
  const [sent] = await peer.call(
    'sendEncryptedToDevice',
    MEDIA_KEY,
    [{ userId: victim.userId, deviceId: target }],
    content,
  );
  if (!sent) throw new Error(`${peer.userId} could not encrypt for ${victim.userId} ${target}`);
  await peer.proxy.waitFor(
    `the message ${sent.messageId} on its way`,
    ({ path, status, requestBody }) =>
      path.includes('/sendToDevice/') && status === 200 && requestBody?.includes(sent.messageId) === true,
  );
  return sent;
}

/**
 * The one-time keys that the homeserver holds for a device: key id to public key.
 *
 * @param {Rig} rig
 * @param {{userId: string, deviceId: string}} device
 * @returns {Promise<Record<string, string>>}
 */
export async function oneTimeKeys(rig, { userId, deviceId }) {
  const rows = await rig.servers.database.query(
    'SELECT algorithm, key_id, key_json FROM e2e_one_time_keys_json WHERE user_id = $1 AND device_id = $2',
    [userId, deviceId],
  );
  return Object.fromEntries(
    rows.map((row) => [`${row.algorithm}:${row.key_id}`, JSON.parse(row.key_json).key]),
  );
}

/**
 * Claims a device's one-time keys until the homeserver has so many left.
 *
 * @param {Rig} rig
 * @param {Profile} peer who claims them
 * @param {{userId: string, deviceId: string}} device
 * @param {number} [left]
 */
export async function claimUntil(rig, peer, { userId, deviceId }, left = 0) {
  for (;;) {
    const surplus = Object.keys(await oneTimeKeys(rig, { userId, deviceId })).length - left;
    if (surplus <= 0) return;
    for (let i = 0; i < surplus; i += 1) await peer.call('claimOneTimeKey', userId, deviceId);
  }
}

/** The first keys/upload after the exchange `from` that the homeserver answered with 400. */
export function refusedUpload(/** @type {Profile} */ victim, from = 0) {
  const found = victim.proxy.exchanges
    .slice(from)
    .find(({ path, status }) => path.endsWith('/keys/upload') && status === 400);
  if (!found) throw new Error('no keys/upload was refused');
  return found;
}

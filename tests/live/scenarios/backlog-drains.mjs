// @ts-check
import assert from 'node:assert/strict';
import { DELIVERED } from '../expected.mjs';
import { sendMediaKey } from '../provoke.mjs';
import { meet, signIn } from '../rig.mjs';

export const name = 'backlog-drains';
export const cause = 'the device was away while media keys were sent to it; on its return it gets them all';

export const expected = {
  victim: {
    lines: [DELIVERED],
    failures: false,
  },
};

const MESSAGES = 5;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { devices: ['deviceId'], 'device-keys': ['deviceId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, { deviceId }], [peer, { curve25519: peerKey }]] = await signIn(rig, 'alice', 'bob');
  const roomId = await meet(victim, peer);
  await victim.call('stop');
  const messageIds = await sendSeveral(peer, victim, roomId, deviceId, MESSAGES);
  const before = await waiting(rig, victim.userId, deviceId);
  await victim.start();
  await victim.tab.waitForEntries(
    MESSAGES,
    ({ meaning, message }) => meaning === 'delivered' && message.includes(peerKey),
  );
  // The homeserver forgets them with the next /sync, which says that they have arrived.
  for (let tries = 0; tries < 100 && (await waiting(rig, victim.userId, deviceId)) > 0; tries += 1) {
    await peer.call('sendRawEvent', roomId, 'org.example.next', {});
  }
  const after = await waiting(rig, victim.userId, deviceId);
  return { sides: { victim, peer }, facts: { deviceId, peerKey, messageIds, before, after, roomId } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts }) {
  assert.ok(facts.before >= MESSAGES, 'they waited');
  assert.equal(facts.after, 0, 'none waits any more');
}

/**
 * Sends media keys one after the other; all are on the homeserver when this returns.
 *
 * @param {import('../rig.mjs').Profile} peer
 * @param {import('../rig.mjs').Profile} victim
 * @param {string} roomId
 * @param {string} deviceId
 * @param {number} count
 * @returns {Promise<string[]>} message ids
 */
export async function sendSeveral(peer, victim, roomId, deviceId, count) {
  const messageIds = [];
  for (let index = 0; index < count; index += 1) {
    messageIds.push((await sendMediaKey(peer, victim, roomId, { deviceId, index })).messageId);
  }
  return messageIds;
}

/** How many to-device messages wait for a device. */
export async function waiting(
  /** @type {import('../rig.mjs').Rig} */ rig,
  /** @type {string} */ userId,
  /** @type {string} */ deviceId,
) {
  const [{ pending }] = await rig.servers.database.query(
    'SELECT count(*) AS pending FROM device_inbox WHERE user_id = $1 AND device_id = $2',
    [userId, deviceId],
  );
  return Number(pending);
}

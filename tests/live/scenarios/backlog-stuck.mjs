// @ts-check
import assert from 'node:assert/strict';
import { copiesKept } from '../queries.mjs';
import { meet, signIn } from '../rig.mjs';
import { sendSeveral, waiting } from './backlog-drains.mjs';

export const name = 'backlog-stuck';
export const cause =
  'the device is online and sends, but its /sync never gets an answer: media keys pile up at the homeserver';

/** One look at an inbox says nothing: each message waits there for a moment. */
export const recording = { looksApartMs: 30_000 };

export const expected = {
  victim: { lines: [], failures: false },
};

const MESSAGES = 3;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke2-inbox': ['stuck', 'peerKey'], 'ke2-backlog': ['deviceId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, { deviceId }], [peer, { curve25519: peerKey }]] = await signIn(rig, 'alice', 'bob');
  const roomId = await meet(victim, peer);
  const inSession = await sendSeveral(peer, victim, roomId, deviceId, 1);
  await victim.tab.waitForEntry('a media key that arrives', ({ meaning }) => meaning === 'delivered');

  victim.proxy.rule({ method: 'GET', path: /\/sync\?/, drop: 'after' });
  // The /sync that waits for news still gets its answer; the one after it does not.
  const cut = victim.proxy.nextSync();
  await peer.call('sendRawEvent', roomId, 'org.example.next', {});
  await cut;
  const stuck = await sendSeveral(peer, victim, roomId, deviceId, MESSAGES);
  const first = { at: Date.now(), pending: await waiting(rig, victim.userId, deviceId) };
  stuck.push(...(await sendSeveral(peer, victim, roomId, deviceId, MESSAGES)));
  const second = { at: Date.now(), pending: await waiting(rig, victim.userId, deviceId) };
  const kept = await Promise.all(stuck.map((messageId) => copiesKept(rig.servers.database, messageId)));
  return {
    sides: { victim, peer },
    facts: { deviceId, peerKey, inSession, stuck, first, second, kept, roomId },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts: { first, second, stuck, kept } }) {
  assert.deepEqual(
    kept,
    stuck.map(() => 1),
    'each waits once',
  );
  assert.ok(first.pending >= MESSAGES && second.pending > first.pending, 'two samples, and it grows');
}

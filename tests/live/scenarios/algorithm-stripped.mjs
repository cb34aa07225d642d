// @ts-check
import assert from 'node:assert/strict';
import { MALFORMED } from '../expected.mjs';
import { rowsOf } from '../queries.mjs';
import { meet, signInTwo } from '../rig.mjs';

export const name = 'algorithm-stripped';
export const cause =
  'the event is intact on the homeserver; a proxy takes algorithm out of it on its way to the client';

export const expected = { ...MALFORMED, peer: { lines: [], failures: false } };

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke3-events': ['eventId', 'roomId', 'sender'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const roomId = await meet(victim, peer);
  victim.proxy.rule({ method: 'GET', path: /\/sync\?/, edit: stripAlgorithm });
  // The /sync that waits for news is not edited any more; the one after it is.
  const edited = victim.proxy.nextSync();
  await peer.call('sendRawEvent', roomId, 'org.example.next', {});
  await edited;
  const eventId = await peer.call('sendMessage', roomId, 'intact');
  await victim.tab.waitForEntry(
    `KE-3 for ${eventId}`,
    ({ ke, message }) => ke === 'KE-3' && message.includes(eventId),
  );
  return { sides: { victim, peer }, facts: { eventId, roomId, sender: peer.userId } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ queries }) {
  const [row] = rowsOf(queries, 'event');
  assert.equal(row.algorithm, 'm.megolm.v1.aes-sha2', 'intact on the homeserver');
}

function stripAlgorithm(/** @type {any} */ sync) {
  for (const room of /** @type {any[]} */ (Object.values(sync.rooms?.join ?? {}))) {
    for (const event of room.timeline?.events ?? []) {
      if (event.type === 'm.room.encrypted') delete event.content.algorithm;
    }
  }
  return sync;
}

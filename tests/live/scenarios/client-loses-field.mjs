// @ts-check
import assert from 'node:assert/strict';
import { MALFORMED } from '../expected.mjs';
import { rowsOf } from '../queries.mjs';
import { meet, signInTwo, STORE } from '../rig.mjs';

export const name = 'client-loses-field';
export const cause =
  'the event is intact on the homeserver and on its way; the app’s own code takes algorithm out before the SDK reads it';

export const onDemand = true;

export const expected = { ...MALFORMED, peer: { lines: [], failures: false } };

/** @type {import('../bundle.mjs').Proofs} */
export const proofs = { together: [], withServer: { 'client-bug': ['eventId'] } };

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke3-events': ['eventId', 'roomId', 'sender'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const roomId = await meet(victim, peer);
  await victim.stop();
  await victim.start(STORE, { losesField: 'algorithm' });
  const eventId = await peer.call('sendMessage', roomId, 'intact');
  await victim.tab.waitForEntry(
    `KE-3 for ${eventId}`,
    ({ ke, message }) => ke === 'KE-3' && message.includes(eventId),
  );
  return { sides: { victim, peer }, facts: { eventId, roomId, sender: peer.userId } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, queries }) {
  const [row] = rowsOf(queries, 'event');
  assert.equal(row.event_id, facts.eventId);
  assert.equal(row.algorithm, 'm.megolm.v1.aes-sha2', 'intact on the homeserver');
}

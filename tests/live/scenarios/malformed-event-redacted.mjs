// @ts-check
import assert from 'node:assert/strict';
import { MALFORMED } from '../expected.mjs';
import { malformedEvent } from '../provoke.mjs';
import { rowsOf } from '../queries.mjs';
import { meet, signInTwo } from '../rig.mjs';

export const name = 'malformed-event-redacted';
export const cause = 'a sender stored an m.room.encrypted event without algorithm and redacted it afterwards';

export const expected = MALFORMED;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke3-events': ['eventId', 'roomId', 'sender', 'redactedBy'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const facts = await malformedEvent(peer, victim, await meet(victim, peer));
  const redactedBy = await peer.call('redact', facts.roomId, facts.eventId);
  await victim.call('waitForRedaction', facts.roomId, facts.eventId);
  return { sides: { victim, peer }, facts: { ...facts, redactedBy } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, queries }) {
  const [row] = rowsOf(queries, 'event');
  assert.equal(row.redacted_by, facts.redactedBy);
}

// @ts-check
import assert from 'node:assert/strict';
import { PERHAPS_IN_A_ROW, TIMED_OUT } from '../expected.mjs';
import { IMPATIENT } from '../provoke.mjs';
import { meet, signInTwo } from '../rig.mjs';

export const name = 'delayed-events-lost';
export const cause =
  'restarts of the delayed event are lost on the client’s side of the network: the homeserver never sees them';

/** That a request is in no log says something only of a log that shows the server to be one process, and goes on for long enough. */
export const recording = { wholeLog: true, goesOnMs: 240_000 };

export const expected = TIMED_OUT;
export const proofs = PERHAPS_IN_A_ROW;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke4-log': ['delayId'], 'ke4-memberships': ['roomId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const roomId = await meet(victim, peer);
  const lost = victim.proxy.rule({
    method: 'POST',
    path: /\/delayed_events\/[^/]+\/restart$/,
    // Silence first, as with lost packets, so that the client's own limit comes before the connection's end.
    holdRequestMs: 2 * IMPATIENT.delayedLeaveEventRestartLocalTimeoutMs,
    drop: 'before',
  });
  const { delayId } = await victim.call('joinCall', roomId, IMPATIENT);
  await victim.tab.waitForEntry(
    'a local timeout',
    ({ ke, message }) => ke === 'KE-4' && message.includes('timed out'),
  );
  lost.remove();
  await victim.call('leaveCall', roomId);
  const requests = lost.hits().map(({ start, sent }) => ({ start, sent }));
  return { sides: { victim }, facts: { roomId, delayId, requests } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, log }) {
  assert.ok(facts.requests.length > 0);
  for (const { sent } of facts.requests) assert.equal(sent, null, 'never passed on');
  assert.ok(log.includes(facts.delayId) || log.includes('/delayed_events'), 'the log covers delayed events');
}

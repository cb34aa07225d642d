// @ts-check
import assert from 'node:assert/strict';
import { PERHAPS_IN_A_ROW, TIMED_OUT } from '../expected.mjs';
import { slowDelayedEvents } from '../provoke.mjs';
import { meet, signInTwo } from '../rig.mjs';

export const name = 'slow-gateway';
export const cause = 'a gateway holds the restart of the delayed event; the homeserver behind it is quick';

export const expected = TIMED_OUT;
export const proofs = PERHAPS_IN_A_ROW;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = { victim: { 'ke4-log': ['delayId'], 'ke4-memberships': ['roomId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const { held, ...facts } = await slowDelayedEvents(victim, await meet(victim, peer));
  const times = held.map(({ start, sent, answered }) => ({
    gatewayMs: Number(sent) - start,
    homeserverMs: Number(answered) - Number(sent),
  }));
  return { sides: { victim }, facts: { ...facts, held: times } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts }) {
  assert.ok(facts.held.length > 0);
  for (const { gatewayMs, homeserverMs } of facts.held)
    assert.ok(gatewayMs > homeserverMs, 'the gateway took the time');
}

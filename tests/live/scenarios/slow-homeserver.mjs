// @ts-check
import assert from 'node:assert/strict';
import { PERHAPS_IN_A_ROW, TIMED_OUT } from '../expected.mjs';
import { IMPATIENT } from '../provoke.mjs';
import { meet, signInTwo } from '../rig.mjs';

export const name = 'slow-homeserver';
export const cause = 'the homeserver itself is slow about delayed events: its database makes it wait';

export const expected = TIMED_OUT;
export const proofs = PERHAPS_IN_A_ROW;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = {
  victim: { 'ke4-log': ['delayId'], 'ke4-memberships': ['roomId'], 'ke4-slow-requests': [] },
};

/** How long the table is locked. Seconds; several times the client's patience. */
const LOCKED_S = 3;

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [victim, peer] = await signInTwo(rig);
  const roomId = await meet(victim, peer);
  const { delayId } = await victim.call('joinCall', roomId, IMPATIENT);
  const before = victim.proxy.exchanges.length;
  const unlocked = rig.servers.database.psql(
    `BEGIN; LOCK TABLE delayed_events IN ACCESS EXCLUSIVE MODE; SELECT pg_sleep(${LOCKED_S}); COMMIT;`,
  );
  await victim.tab.waitForEntry(
    'a local timeout',
    ({ ke, message }) => ke === 'KE-4' && message.includes('timed out'),
  );
  await unlocked;
  const slow = await victim.proxy.waitFor(
    'the slow restart',
    ({ id, path, sent, answered }) =>
      id >= before &&
      path.endsWith('/restart') &&
      answered !== null &&
      answered - Number(sent) > IMPATIENT.delayedLeaveEventRestartLocalTimeoutMs,
  );
  await victim.call('leaveCall', roomId);
  return {
    sides: { victim },
    facts: {
      roomId,
      delayId,
      homeserverMs: Number(slow.answered) - Number(slow.sent),
      gatewayMs: Number(slow.sent) - slow.start,
    },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts }) {
  assert.ok(
    facts.homeserverMs > IMPATIENT.delayedLeaveEventRestartLocalTimeoutMs,
    'the homeserver took longer than the client waits',
  );
  assert.ok(facts.gatewayMs < facts.homeserverMs, 'the way there did not');
}

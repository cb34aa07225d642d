// @ts-check
import assert from 'node:assert/strict';
import { CONFLICT, SAME_IDENTITY } from '../expected.mjs';
import { rollBack } from './store-rollback.mjs';

export const name = 'rejected-upload-heals';
export const cause =
  'the store was set back, but the key in conflict is claimed by somebody who never uses it: the next upload goes through';

export const expected = { victim: { lines: [CONFLICT], failures: true } };
export const proofs = SAME_IDENTITY;

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = {
  victim: {
    'ke1-one-time-keys': ['newKey'],
    'ke1-inventory': ['newKey'],
    'ke1-log': ['keyId'],
    'ke1-claims': ['keyId'],
  },
};

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const { victim, peer, roomId, lost, identity } = await rollBack(rig);
  const claimed = await peer.call('claimOneTimeKey', identity.userId, identity.deviceId);
  const before = victim.proxy.exchanges.length;
  // News in the room: the client hears that keys are missing and uploads again.
  await peer.call('sendRawEvent', roomId, 'org.example.next', {});
  const healed = await victim.proxy.waitFor(
    'an upload that is accepted',
    ({ id, path, status, requestBody }) =>
      id >= before &&
      path.endsWith('/keys/upload') &&
      status === 200 &&
      requestBody?.includes(lost.keyId) === true,
  );
  return {
    sides: { victim, peer },
    facts: { ...lost, claimedKey: claimed.key, healedAt: healed.end, roomId, identity },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, sides }) {
  assert.equal(facts.claimedKey, facts.oldKey, 'the key in conflict is the one that was claimed');
  const late = sides.victim.report.entries.filter(
    (/** @type {any} */ { ke, ts }) => ke === 'KE-1' && ts > facts.healedAt,
  );
  assert.deepEqual(late, [], 'no conflict after the upload that was accepted');
}

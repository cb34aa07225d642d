// @ts-check
import assert from 'node:assert/strict';
import { claimUntil } from '../provoke.mjs';
import { rowsOf } from '../queries.mjs';
import { signIn } from '../rig.mjs';

export const name = 'keys-exhausted';
export const cause =
  'the device is cut off from the homeserver while others claim all its one-time keys, and then its fallback key';

export const expected = { victim: { lines: [], failures: false }, peer: { lines: [], failures: false } };

/** @type {import('../bundle.mjs').Proofs} */
export const proofs = { together: [], withServer: { exhausted: ['identity.deviceId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, identity], [peer]] = await signIn(rig, 'alice', 'bob');

  // Whatever the device still hears, what it publishes is lost.
  const cut = victim.proxy.rule({ path: /./, drop: 'before' });
  await claimUntil(rig, peer, identity);
  const last = await peer.call('claimOneTimeKey', identity.userId, identity.deviceId);
  return { sides: { victim, peer }, facts: { identity, last, lostRequests: cut.hits().length } };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts, queries }) {
  assert.equal(facts.last.fallback, true, 'there was nothing left but the fallback key');
  const rows = (/** @type {string} */ table) =>
    rowsOf(queries, table).filter((row) => row.device_id === facts.identity.deviceId);
  assert.deepEqual(rows('one_time_keys'), []);
  assert.deepEqual(
    rows('fallback_keys').map(({ used }) => used),
    [true],
  );
}

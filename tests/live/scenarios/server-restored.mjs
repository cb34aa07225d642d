// @ts-check
import assert from 'node:assert/strict';
import { claimUntil } from '../provoke.mjs';
import { signIn } from '../rig.mjs';

export const name = 'server-restored';
export const cause =
  'the homeserver’s table of one-time keys is set back to an older copy: a key that was given out is given out again';

export const onDemand = true;
export const once = true;

/** What was in progress at the claims must have had the time to be logged. */
export const recording = { wholeLog: true, goesOnMs: 150_000 };

export const expected = {
  victim: { lines: [], failures: false },
  peer: { lines: [], failures: false },
};

/** @type {import('../bundle.mjs').Proofs} */
export const proofs = { together: [], withServer: { 'server-restored': ['keyId'] } };

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, identity], [peer], [newcomer]] = await signIn(rig, 'alice', 'bob', 'carol');
  const { database } = rig.servers;
  const claim = (/** @type {import('../rig.mjs').Profile} */ by) =>
    by.call('claimOneTimeKey', identity.userId, identity.deviceId);

  // The device is away, with one key left.
  await victim.stop();
  await claimUntil(rig, peer, identity, 1);
  await database.psql('CREATE TABLE dumped_one_time_keys AS SELECT * FROM e2e_one_time_keys_json;');
  const first = await claim(peer);
  await database.psql(
    'BEGIN; DELETE FROM e2e_one_time_keys_json; INSERT INTO e2e_one_time_keys_json SELECT * FROM dumped_one_time_keys; COMMIT; ' +
      'DROP TABLE dumped_one_time_keys;',
  );
  const second = await claim(newcomer);
  await victim.start();
  return {
    sides: { victim, peer },
    facts: { keyId: first.id, first, second, identity },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts: { first, second } }) {
  assert.deepEqual(second, first, 'one key went out twice');
  assert.equal(first.fallback, false);
}

// @ts-check
import assert from 'node:assert/strict';
import { CONFLICT } from '../expected.mjs';
import { oneTimeKeys, refusedUpload } from '../provoke.mjs';
import { rowsOf } from '../queries.mjs';
import { signIn } from '../rig.mjs';

export const name = 'copied-session';
export const cause =
  'a session is copied into a second browser, whose empty crypto store publishes another identity under the device id, while the first lives on';

export const onDemand = true;

export const expected = {
  victim: { lines: [], failures: false },
  copy: { lines: [CONFLICT], failures: true },
};

/** @type {import('../bundle.mjs').Proofs} */
export const proofs = {
  alone: { copy: ['diverged', 'identity-replaced'] },
  together: ['diverged', 'identity-replaced'],
  withServer: {
    diverged: ['keyId'],
    'identity-replaced': ['keyId'],
    'two-contexts': ['keyId'],
    'identity-overwritten': ['identity.deviceId'],
  },
};

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, identity]] = await signIn(rig, 'alice');
  const copy = await rig.newProfile(victim.user);
  await copy.call('adopt', await victim.call('session'), copy.proxy.url);
  const published = await copy.start();
  await copy.tab.waitForEntry('KE-1 after the empty store came up', ({ ke }) => ke === 'KE-1');
  const refused = refusedUpload(copy);
  const keyId = /One time key (\S+) already exists/.exec(refused.responseBody ?? '')?.[1] ?? '';
  const newKey = JSON.parse(refused.requestBody ?? '{}').one_time_keys[keyId].key;
  const stored = await oneTimeKeys(rig, identity);
  const still = await victim.call('identity');
  return {
    sides: { victim, copy },
    facts: { keyId, oldKey: stored[keyId], newKey, identity, still, published },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts: { identity, still, published }, queries }) {
  assert.equal(published.deviceId, identity.deviceId);
  assert.notEqual(published.ed25519, identity.ed25519);
  assert.equal(still.ed25519, identity.ed25519, 'the first browser has the identity that it had');
  const row = rowsOf(queries, 'device_keys').find(({ device_id }) => device_id === identity.deviceId);
  assert.ok(row?.key_json.includes(published.ed25519), 'the homeserver holds the second browser’s identity');
}

// @ts-check
import assert from 'node:assert/strict';
import { CONFLICT } from '../expected.mjs';
import { secondEmptyStore, sendMediaKey } from '../provoke.mjs';
import { meet, shareRoom, signIn } from '../rig.mjs';

export const name = 'second-empty-store';
export const cause =
  'the crypto store vanished while the session lived on: the device comes back under its old id with a new identity';

export const expected = {
  victim: {
    lines: [
      CONFLICT,
      // The peer goes on writing to the identity that it knows.
      { text: "Olm event doesn't contain a ciphertext for our key", facts: ['peerKey'], ke: 'OLM' },
    ],
    failures: true,
  },
  // Whoever did not know the device before finds one-time keys that its present identity has not signed.
  newcomer: {
    lines: [{ text: 'error=InvalidSignature', facts: ['victimDevice', 'claimedKey'], ke: 'OLM' }],
    failures: true,
  },
};

/** @type {import('../bundle.mjs').Proofs} */
export const proofs = {
  alone: { victim: ['diverged', 'identity-replaced', 'encrypted-for-other-identity'] },
  together: ['diverged', 'identity-replaced', 'encrypted-for-other-identity'],
};

/** @type {import('../bundle.mjs').Scenario['finds']} */
export const finds = {
  victim: {
    // The newcomer may have claimed the very key of the conflict.
    'ke1-inventory': [],
    'ke1-fallback-keys': [],
    'ke1-log': ['keyId'],
    'device-keys': ['after.ed25519'],
    devices: ['victimDevice'],
    'olm-log': ['victimDevice'],
  },
  newcomer: { 'device-keys': ['after.ed25519'], 'olm-peer-keys': ['victimDevice'] },
};

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, { deviceId: victimDevice }], [peer, { curve25519: peerKey }], [newcomer]] = await signIn(
    rig,
    'alice',
    'bob',
    'carol',
  );
  const roomId = await meet(victim, peer);
  // An established session: otherwise the peer, too, would need a one-time key.
  await sendMediaKey(peer, victim, roomId);
  await victim.tab.waitForEntry('the media key that still arrives', ({ ke }) => ke === 'KE-2');

  const conflict = await secondEmptyStore(rig, victim);
  await sendMediaKey(peer, victim, roomId, { index: 1 });
  await victim.tab.waitForLine("Olm event doesn't contain a ciphertext for our key");
  const secondRoom = await shareRoom(newcomer, victim);
  await newcomer.call('prepareRoom', secondRoom);
  await newcomer.tab.waitForLine('error=InvalidSignature');

  const claim = await newcomer.proxy.waitFor(
    "the newcomer's claim",
    ({ path, responseBody }) => path.endsWith('/keys/claim') && responseBody?.includes(victimDevice) === true,
  );
  const [claimed] = Object.values(
    JSON.parse(claim.responseBody ?? '{}').one_time_keys[victim.userId][victimDevice],
  );
  return {
    sides: { victim, peer, newcomer },
    facts: { ...conflict, claimedKey: claimed.key, victimDevice, peerKey, roomId, secondRoom },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts: { before, after, keyId, diverged } }) {
  assert.equal(after.deviceId, before.deviceId);
  assert.notEqual(after.ed25519, before.ed25519, 'another identity');
  assert.ok(diverged.includes(keyId), 'the database has another value for the refused key id');
}

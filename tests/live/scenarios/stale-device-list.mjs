// @ts-check
import assert from 'node:assert/strict';
import { claimUntil } from '../provoke.mjs';
import { rowsOf } from '../queries.mjs';
import { shareRoom, signIn, STORE } from '../rig.mjs';

export const name = 'stale-device-list';
export const cause =
  'a sender knows a device from before its crypto store vanished, and begins its first session with the device’s new identity';

export const onDemand = true;

export const expected = {
  victim: { lines: [], failures: false },
  peer: {
    lines: [{ text: 'error=InvalidSignature', facts: ['victimDevice', 'before.ed25519'], ke: 'OLM' }],
    failures: true,
  },
};

/**
 * Two identities have used the device id, which is true. Whether the line by which the stale list shows may prove that, too, is
 * another question.
 *
 * @type {import('../bundle.mjs').Proofs}
 */
export const proofs = {
  together: [],
  withServer: { 'stale-device-list': ['victimDevice'] },
  perhaps: ['identity-replaced'],
};

/** @param {import('../rig.mjs').Rig} rig */
export async function run(rig) {
  const [[victim, before], [peer]] = await signIn(rig, 'alice', 'bob');
  // The host of an encrypted room asks for its members' devices, and begins no session before somebody writes.
  const roomId = await shareRoom(peer, victim);
  await peer.call('waitForDevice', victim.userId, before.deviceId);

  // With the old keys gone, the new ones go up without a conflict, and a claim gets one of them.
  await victim.stop();
  await claimUntil(rig, peer, before);
  const from = victim.proxy.exchanges.length;
  const after = await victim.start(`${STORE}-second`);
  await victim.proxy.waitFor(
    'one-time keys of the new identity',
    ({ id, path, status, requestBody }) =>
      id >= from &&
      path.endsWith('/keys/upload') &&
      status === 200 &&
      requestBody?.includes('"signed_curve25519:') === true,
  );
  const known = await peer.call('knownDevices', victim.userId);
  await peer.call('prepareRoom', roomId);
  await peer.tab.waitForLine('error=InvalidSignature');
  return {
    sides: { victim, peer },
    facts: { before, after, known, victimDevice: before.deviceId, roomId },
  };
}

/** @param {import('../bundle.mjs').Bundle} bundle */
export function check({ facts: { before, after, known }, queries }) {
  assert.equal(after.deviceId, before.deviceId);
  assert.notEqual(after.ed25519, before.ed25519, 'another identity');
  assert.deepEqual(
    known.map((/** @type {any} */ { ed25519 }) => ed25519),
    [before.ed25519],
    'the sender knows the one that is gone',
  );
  const row = rowsOf(queries, 'device_keys').find(({ device_id }) => device_id === before.deviceId);
  assert.ok(row?.key_json.includes(after.ed25519), 'the homeserver holds the new one');
}
